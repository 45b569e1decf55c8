import { createHash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import { contentType, errorBytes, type Answer, type Connection } from "./connection.ts";
import { codeOf } from "./faults.ts";

/** Half of a WebSocket: what the server says. Whoever has it must end it. */
export interface Incoming {
  /** Message after message until the server closes. Throws {@link ProtocolError} where it breaks the rules, or a message is longer than the limit. */
  messages(): AsyncGenerator<Buffer>;
  /** Hangs up, at once. */
  end(): void;
}

/** What came is no WebSocket, or more than was asked for. */
export class ProtocolError extends Error {}

/**
 * Opens a WebSocket (RFC 6455) over the connection's own pool, so that TLS, credentials and proxy are those of all other
 * requests; where the server would rather not, its answer is given instead.
 *
 * undici's own WebSocket is not used: it hides the status of a refused handshake, which is where an API server says what it
 * minds, and has no way to hang up on a server that does not.
 */
export async function openWebSocket(connection: Connection, path: string, protocols: readonly string[], limit: number, signal: AbortSignal): Promise<Incoming | Answer> {
  const { dispatcher, headers } = await connection.prepare();
  const key = randomBytes(16).toString("base64");
  const own = { "sec-websocket-key": key, "sec-websocket-version": "13", "sec-websocket-protocol": protocols.join(", "), "user-agent": "cloud-assert" };
  const url = connection.url(path);
  const options = {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: "GET" as const,
    upgrade: "websocket",
    headers: { ...own, ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]])) },
  };
  const answer = await switchProtocols(dispatcher, options, signal);
  if ("status" in answer) return answer;
  if (!isAgreed(answer.headers, key, protocols)) {
    answer.socket.destroy();
    throw new ProtocolError("the handshake is not one of a WebSocket");
  }
  return { messages: () => messagesOf(answer.socket, limit), end: () => void answer.socket.destroy() };
}

interface Switched {
  readonly socket: Duplex;
  readonly headers: IncomingHttpHeaders;
}

function switchProtocols(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<Switched | Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Switched | Answer>();
  const chunks: Buffer[] = [];
  let size = 0;
  let head = { status: 0, type: "" };
  let abort = () => {};
  dispatcher.dispatch(options, {
    onRequestStart(controller) {
      abort = () => controller.abort(new Error("ended"));
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
    },
    onRequestUpgrade(_, status, headers, socket) {
      // The pool has let go of it: from here on every fault of it is ours to hear.
      socket.on("error", () => undefined);
      if (status === 101) return resolve({ socket, headers });
      socket.destroy();
      resolve({ status, type: "", body: Buffer.alloc(0) });
    },
    onResponseStart(_, status, headers) {
      head = { status, type: contentType(headers["content-type"]) };
    },
    onResponseData(controller, chunk) {
      size += chunk.length;
      if (size <= errorBytes) return void chunks.push(chunk);
      resolve({ ...head, body: Buffer.concat(chunks) });
      controller.abort(new Error("enough"));
    },
    onResponseEnd: () => resolve({ ...head, body: Buffer.concat(chunks) }),
    // A 101 without the header `Connection: upgrade` trips an assertion in undici.
    onResponseError: (_, error) => reject(codeOf(error) === "ERR_ASSERTION" ? new ProtocolError("half a handshake", { cause: error }) : error),
  });
  return promise.finally(() => signal.removeEventListener("abort", abort));
}

function isAgreed(headers: IncomingHttpHeaders, key: string, protocols: readonly string[]): boolean {
  const expected = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return headers["sec-websocket-accept"] === expected && headers["sec-websocket-extensions"] === undefined && protocols.includes(headers["sec-websocket-protocol"] ?? "");
}

const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

async function* messagesOf(socket: Duplex, limit: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let frame = frameAt(rest, limit); frame !== undefined; frame = frameAt(rest, limit)) {
      rest = rest.subarray(frame.end);
      if (frame.code === opcode.close) return;
      if (frame.code === opcode.ping) socket.write(pong(frame.content));
      if (frame.code > opcode.binary) continue;
      if ((frame.code === opcode.continuation) !== parts.length > 0) throw new ProtocolError("a fragment that belongs to no message");
      parts.push(frame.content);
      if (parts.length > 1 && parts.reduce((sum, { length }) => sum + length, 0) > limit) throw new ProtocolError("a message that is too long");
      if (!frame.isLast) continue;
      yield Buffer.concat(parts);
      parts = [];
    }
  }
}

interface Frame {
  readonly code: number;
  readonly isLast: boolean;
  readonly content: Buffer;
  readonly end: number;
}

/** The frame that `bytes` begin with; undefined where it is not whole yet. */
function frameAt(bytes: Buffer, limit: number): Frame | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const code = first & 0x0f;
  const isControl = code >= opcode.close;
  const short = second & 0x7f;
  const isKnown = code <= opcode.binary || (isControl && code <= opcode.pong);
  // No extension was asked for, and servers do not mask.
  if (!isKnown || (first & 0x70) !== 0 || (second & 0x80) !== 0 || (isControl && (short > 125 || first < 0x80))) throw new ProtocolError("a frame against the rules");
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < start) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (length > limit) throw new ProtocolError("a message that is too long");
  if (bytes.length < start + length) return undefined;
  return { code, isLast: first >= 0x80, content: bytes.subarray(start, start + length), end: start + length };
}

/** Clients mask what they send. */
function pong(content: Buffer): Buffer {
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([0x80 | opcode.pong, 0x80 | content.length]), mask, content.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}
