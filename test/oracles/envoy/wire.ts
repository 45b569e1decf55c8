import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Bytes, toBytes, toText } from "../../../routes/languages/bytes.ts";

/** A header line as it travels, name as written. */
export type Line = readonly [name: string, value: string];

/** A request as bytes are written: nothing is checked, folded or escaped. Text is that of `routes` (lone surrogates are single bytes). */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: readonly Line[];
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: readonly Line[];
  readonly body: string;
}

/** How a connection is opened. */
export interface Opening {
  readonly port: number;
  /** Speak TLS; `serverName` goes into the hello. */
  readonly tls?: { readonly serverName?: string };
  /** Told in front of everything else by the PROXY protocol, as a redirected connection would carry it. */
  readonly destination?: { readonly address: string; readonly port: number };
  readonly source?: { readonly address: string; readonly port: number };
}

/** Bytes of a socket on demand; `undefined` once it is closed. */
class Source {
  #held = "";
  #over = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (chunk: Buffer | string) => {
      this.#held += String(chunk);
      this.#wake();
    });
    const end = (): void => {
      this.#over = true;
      this.#wake();
    };
    socket.on("end", end).on("close", end).on("error", end);
  }

  get over(): boolean {
    return this.#over;
  }

  async until(mark: string): Promise<Bytes | undefined> {
    for (;;) {
      const at = this.#held.indexOf(mark);
      if (at >= 0) return this.#take(at + mark.length);
      if (!(await this.#more())) return undefined;
    }
  }

  async exactly(length: number): Promise<Bytes | undefined> {
    while (this.#held.length < length) if (!(await this.#more())) return undefined;
    return this.#take(length);
  }

  async rest(): Promise<Bytes> {
    while (await this.#more());
    return this.#take(this.#held.length);
  }

  #take(length: number): Bytes {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return taken;
  }

  async #more(): Promise<boolean> {
    if (this.#over) return false;
    const before = this.#held.length;
    await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#held.length > before;
  }
}

/** On a busy machine a proxy gives a connection up that it would have served: what it always closes, it closes as often as this. */
export const TRIES = 3;

/**
 * Asks one request after another on one connection, and opens another when the other side has closed. Nothing is sent before the answer
 * to what went before: a proxy that answers early may drop what is in flight. `undefined`: closed without an answer.
 */
export async function askAll(opening: Opening, requests: readonly RawRequest[]): Promise<readonly (RawAnswer | undefined)[]> {
  const answers: (RawAnswer | undefined)[] = [];
  let unanswered = 0;
  while (answers.length < requests.length) {
    const before = answers.length;
    const socket = await open(opening);
    if (socket !== undefined) {
      const source = new Source(socket);
      for (const request of requests.slice(before)) {
        socket.write(bytesOf(request), "latin1");
        const answer = await readAnswer(source, request.method);
        if (answer === undefined) break;
        answers.push(answer);
        if (source.over || answer.headers.some(([name, value]) => name === "connection" && value.toLowerCase() === "close")) break;
      }
      socket.destroy();
    }
    unanswered = answers.length === before ? unanswered + 1 : 0;
    if (unanswered < TRIES) continue;
    answers.push(undefined);
    unanswered = 0;
  }
  return answers;
}

/** Opens a connection, writes some bytes and reads all that comes back until the other side closes. */
export async function exchange(opening: Opening, bytes: Bytes): Promise<Bytes> {
  const socket = await open(opening);
  if (socket === undefined) return "";
  const source = new Source(socket);
  socket.write(bytes, "latin1");
  const read = await source.rest();
  socket.destroy();
  return read;
}

async function open({ port, tls, destination, source = { address: destination?.address.includes(":") === true ? "::1" : "127.0.0.1", port: 40_000 } }: Opening): Promise<Socket | undefined> {
  const plain = connect({ host: "127.0.0.1", port, noDelay: true });
  if (!(await settled(plain, "connect"))) return undefined;
  if (destination !== undefined) plain.write(`PROXY TCP${destination.address.includes(":") ? 6 : 4} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`);
  if (tls === undefined) return plain;
  const secure = connectTls({ socket: plain, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"], ...(tls.serverName === undefined ? {} : { servername: tls.serverName }) });
  return (await settled(secure, "secureConnect")) ? secure : undefined;
}

function settled(socket: Socket, event: string): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once(event, () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.on("error", () => undefined);
  });
}

function bytesOf({ method, path, authority, headers }: RawRequest): Bytes {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${authority}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (method !== "GET" && method !== "HEAD") lines.push("content-length: 0");
  return toBytes(`${lines.join("\r\n")}\r\n\r\n`);
}

async function readAnswer(source: Source, method: string): Promise<RawAnswer | undefined> {
  const head = await source.until("\r\n\r\n");
  if (head === undefined) return undefined;
  const [first = "", ...rest] = head.slice(0, -4).split("\r\n");
  const headers = rest.map((line): Line => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), toText(line.slice(colon + 1).trim())];
  });
  const status = Number(first.split(" ")[1]);
  if (status === 100) return readAnswer(source, method);
  const length = headers.find(([name]) => name === "content-length")?.[1];
  if (method === "HEAD" || status === 204 || status === 304) return { status, headers, body: "" };
  if (headers.some(([name, value]) => name === "transfer-encoding" && value === "chunked")) return { status, headers, body: toText(await readChunks(source)) };
  return { status, headers, body: toText(length === undefined ? await source.rest() : ((await source.exactly(Number(length))) ?? "")) };
}

async function readChunks(source: Source): Promise<Bytes> {
  let body = "";
  for (;;) {
    const size = Number.parseInt((await source.until("\r\n")) ?? "0", 16);
    const chunk = await source.exactly(size + 2);
    if (size === 0 || chunk === undefined) return body;
    body += chunk.slice(0, -2);
  }
}

/** The first bytes of a TLS client: a hello with or without a server name. */
export function clientHello(serverName: string | undefined): Bytes {
  const u16 = (value: number): string => String.fromCharCode(value >> 8, value & 0xff);
  const u24 = (value: number): string => String.fromCharCode(value >> 16) + u16(value & 0xffff);
  const extension = (type: number, data: string): string => u16(type) + u16(data.length) + data;
  const name = serverName === undefined ? "" : extension(0, u16(serverName.length + 3) + "\0" + u16(serverName.length) + serverName);
  const extensions = name + extension(10, u16(2) + u16(0x1d)) + extension(13, u16(2) + u16(0x0403)) + extension(43, "\x02" + u16(0x0304));
  const body = u16(0x0303) + "r".repeat(32) + "\0" + u16(2) + u16(0x1301) + "\x01\0" + u16(extensions.length) + extensions;
  const handshake = "\x01" + u24(body.length) + body;
  return "\x16" + u16(0x0301) + u16(handshake.length) + handshake;
}
