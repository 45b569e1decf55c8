import { createHash } from "node:crypto";
import type { IncomingMessage, RequestListener } from "node:http";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Duplex } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { answering, connectProxy, failure, fileOf, folder, kubeconfig, open, openServer, serve, status, type Answers, type Running } from "./support.ts";

const pod = { namespace: "shop", name: "cart-0" };
const proxyPath = "/api/v1/namespaces/shop/pods/cart-0:15000/proxy/server_info";
const execPath = "/api/v1/namespaces/shop/pods/cart-0/exec";

/** Of every answer that an API server lets through. */
const AUDITED = { "audit-id": "6f3d2a10-0000-4000-8000-000000000001" };

describe("podGet", () => {
  it("reads through the pod proxy, the bytes as they are", async () => {
    const server = await serve(answering({ [proxyPath]: () => [200, "envoy é\n", { "content-type": "text/plain" }] }));
    expect(await (await openServer(server.url)).podGet(pod, 15000, "/server_info", 100)).toBe("envoy é\n");
    expect(server.headers[0]?.["accept-encoding"]).toBe("identity");
  });

  const faults: readonly { readonly name: string; readonly answers: Answers; readonly says: string }[] = [
    { name: "more than the limit", answers: { [proxyPath]: () => [200, "x".repeat(101)] }, says: "the pod `shop/cart-0` answered with more than the limit of 100 bytes" },
    { name: "a permission that is missing", answers: { [proxyPath]: () => [403, status(403, "Forbidden")] }, says: 'may not get `pods/proxy` of API group `""` in namespace `shop`' },
    { name: "a 403 of the pod itself", answers: { [proxyPath]: () => [403, "no"] }, says: "the pod `shop/cart-0` answered 403 on port 15000" },
    { name: "a 404 of the pod itself", answers: { [proxyPath]: () => [404, "no"] }, says: "the pod `shop/cart-0` answered 404 on port 15000" },
    { name: "a pod that is gone", answers: {}, says: "the pod `shop/cart-0` is not there any more" },
    { name: "a pod without an address", answers: { [proxyPath]: () => [400, status(400, "BadRequest")] }, says: "the pod `shop/cart-0` cannot be asked on port 15000" },
    { name: "a pod that cannot be reached", answers: { [proxyPath]: () => [503, status(503, "ServiceUnavailable")] }, says: "(503, ServiceUnavailable)" },
    { name: "a pod that answers 500 by itself", answers: { [proxyPath]: () => [500, "no", AUDITED] }, says: "the pod `shop/cart-0` answered 500 on port 15000" },
    { name: "a 503 of somebody before the API server", answers: { [proxyPath]: () => [503, "no"] }, says: "failed to answer" },
  ];
  for (const { name, answers, says } of faults) {
    it(`is told: ${name}`, async () => {
      const error = await failure((await openServer((await serve(answering(answers))).url)).podGet(pod, 15000, "/server_info", 100));
      expect(error.message).toContain(says);
      expect(error.unreachable).toBe(false);
    });
  }

  const own: readonly (readonly [what: string, answer: readonly [number, unknown, Readonly<Record<string, string>>?], answered: number | undefined])[] = [
    ["of the pod", [500, "no", AUDITED], 500],
    ["of the pod, which is busy", [503, "no", AUDITED], 503],
    ["of the pod, which has no such path", [404, "no", AUDITED], 404],
    ["of somebody before the API server", [503, "no"], undefined],
    ["of somebody before the API server, who finds nothing", [404, "no"], undefined],
    ["of the API server, which cannot reach the pod", [503, status(503, "ServiceUnavailable"), AUDITED], undefined],
    ["of an old API server, which cannot reach the pod", [503, "Error: 'dial tcp 10.0.0.7:8080: connect: connection refused'\nTrying to reach: 'http://10.0.0.7:8080/'", AUDITED], undefined],
  ];
  it.each(own)("knows whose word a refusal is: one %s", async (_what, answer, answered) => {
    const error = await failure((await openServer((await serve(answering({ [proxyPath]: () => answer }))).url)).podGet(pod, 15000, "/server_info", 100));
    expect(error.answered).toBe(answered);
  });
});

describe("a pod behind the pod proxy", () => {
  const hanging: readonly { readonly name: string; readonly listener: RequestListener }[] = [
    { name: "that never answers", listener: () => undefined },
    { name: "that breaks off in the middle", listener: (_, response) => void response.writeHead(200, { "content-length": "1000" }).write("x", () => response.destroy()) },
  ];
  for (const { name, listener } of hanging) {
    it(`${name} is its own fault, not the cluster's`, async () => {
      const error = await failure((await openServer((await serve(listener)).url, { podMs: 200 })).podGet(pod, 15000, "/server_info", 2000));
      expect(error.message).toBe("the pod `shop/cart-0` gave no whole answer through the API server");
      expect(error.unreachable).toBe(false);
    });
  }

  it("is waited for as long as the question says, where that is less than the connection would", async () => {
    const api = await openServer((await serve(() => undefined)).url);
    const before = performance.now();
    expect((await failure(api.podGet(pod, 15000, "/healthz", 2000, 50))).message).toContain("gave no whole answer");
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it("is not blamed for an API server that is dead", async () => {
    expect((await failure((await openServer("https://127.0.0.1:1")).podGet(pod, 15000, "/server_info", 100))).unreachable).toBe(true);
  });
});

type Frames = readonly (readonly [channel: number, content: string])[];

interface Upgrading extends Running {
  upgrades(): number;
  /** Settles once every client that came has hung up. */
  readonly hungUp: Promise<void>;
}

/** A server that lets `answer` speak where a client asks for another protocol. */
async function upgrading(answer: (request: IncomingMessage, socket: Duplex) => unknown): Promise<Upgrading> {
  const server = await serve(answering({ [execPath]: () => [400, status(400, "BadRequest")] }));
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  let upgrades = 0;
  let open = 0;
  server.server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    upgrades += 1;
    open += 1;
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => undefined).on("close", () => (open -= 1) === 0 && resolve());
    socket.resume();
    void answer(request, socket);
  });
  return Object.assign(server, { upgrades: () => upgrades, hungUp });
}

/** A server that answers an exec with these frames, and then closes. */
async function shell(frames: Frames, protocol = "v5.channel.k8s.io"): Promise<Running & { readonly requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = await upgrading((request, socket) => {
    requests.push(request);
    socket.write(handshake(request, protocol));
    for (const [channel, content] of frames) socket.write(frame(2, Buffer.concat([Buffer.from([channel]), Buffer.from(content)])));
    socket.end(frame(8, Buffer.from([0x03, 0xe8])));
  });
  return Object.assign(server, { requests });
}

function plain(code: number, body: object): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${code} No\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

function handshake(request: IncomingMessage, protocol = "v5.channel.k8s.io"): string {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`;
}

function frame(opcode: number, content: string | Buffer, isLast = true): Buffer {
  const bytes = Buffer.from(content);
  const long = bytes.length > 125;
  const header = Buffer.from([(isLast ? 0x80 : 0) | opcode, long ? 126 : bytes.length, ...(long ? [bytes.length >> 8, bytes.length & 255] : [])]);
  return Buffer.concat([header, bytes]);
}

const success = [3, JSON.stringify({ status: "Success" })] as const;
const exited = (code: string) => [3, JSON.stringify({ status: "Failure", reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: code }] } })] as const;
const command = ["pilot-agent", "request", "GET", "server_info?a=b&c"];

describe("podExec", () => {
  for (const protocol of ["v5.channel.k8s.io", "v4.channel.k8s.io"]) {
    it(`gives standard output, by ${protocol}`, async () => {
      const server = await shell([[1, "one "], [2, "noise"], [1, "é"], success], protocol);
      expect(await (await openServer(server.url)).podExec(pod, "istio-proxy", command, 100)).toBe("one é");
      const [request] = server.requests;
      expect(request?.headers.authorization).toBe("Bearer secret-token");
      expect(request?.headers["sec-websocket-protocol"]).toBe("v5.channel.k8s.io, v4.channel.k8s.io");
      const url = new URL(request?.url ?? "", "http://x");
      expect(url.pathname).toBe(execPath);
      expect(url.searchParams.getAll("command")).toEqual(command);
      expect([url.searchParams.get("container"), url.searchParams.get("stdin")]).toEqual(["istio-proxy", "false"]);
    });
  }

  it("goes through the proxy with the same credentials", async () => {
    const server = await shell([[1, "out"], success]);
    const proxy = await connectProxy(server.port);
    const file = await kubeconfig("https://api.example.test:6443", { "client-certificate": fileOf("client.pem"), "client-key": fileOf("client.key") }, { "certificate-authority": fileOf("authority.pem"), "proxy-url": proxy.url });
    expect(await (await open({ form: "kubeconfig", kubeconfig: file })).podExec(pod, "c", ["x"], 100)).toBe("out");
    expect(proxy.asked).toEqual(["api.example.test:6443"]);
  });

  const faults: readonly { readonly name: string; readonly frames: Frames; readonly says: string }[] = [
    { name: "an exit code", frames: [[1, "partial"], exited("7")], says: "ended the command with exit code 7" },
    { name: "a command that cannot be run", frames: [[3, JSON.stringify({ status: "Failure", reason: "InternalError", message: "secret" })]], says: "could not run the command" },
    { name: "an end that is no JSON", frames: [[3, "secret"]], says: "could not run the command" },
    { name: "more than the limit", frames: [[1, "x".repeat(60)], [1, "x".repeat(60)], success], says: "printed more than the limit of 100 bytes" },
    { name: "an end before the command has ended", frames: [[1, "partial"]], says: "broke off before the command had ended" },
  ];
  for (const { name, frames, says } of faults) {
    it(`is told: ${name}`, async () => {
      const server = await shell(frames);
      const error = await failure((await openServer(server.url)).podExec(pod, "c", ["x"], 100));
      expect(error.message).toContain(`the pod \`shop/cart-0\` ${says}`);
      expect(error.unreachable).toBe(false);
      expect(error.message).not.toContain("secret");
    });
  }

  const refused: readonly { readonly name: string; readonly answers: Answers; readonly says: string }[] = [
    { name: "a permission that is missing", answers: { [execPath]: () => [403, status(403, "Forbidden")] }, says: "may not get and create `pods/exec`" },
    { name: "a pod that is gone", answers: {}, says: "is not there any more" },
    { name: "a proxy that takes the upgrade away", answers: { [execPath]: () => [400, status(400, "BadRequest")] }, says: "the pod `shop/cart-0` cannot be reached for a command: the answer to a WebSocket was 400, BadRequest" },
    { name: "a proxy that answers itself", answers: { [execPath]: () => [403, "<h1>secret</h1>", { "content-type": "text/html" }] }, says: "the answer to a WebSocket was 403" },
    { name: "a success that is no WebSocket", answers: { [execPath]: () => [200, "secret"] }, says: "the answer to a WebSocket was 200" },
    { name: "a node that cannot be reached", answers: { [execPath]: () => [500, status(500, "InternalError")] }, says: "(500, InternalError)" },
  ];
  for (const { name, answers, says } of refused) {
    it(`is told: ${name}`, async () => {
      const error = await failure((await openServer((await serve(answering(answers))).url)).podExec(pod, "c", ["x"], 100));
      expect(error.message).toContain(says);
      expect(error.unreachable).toBe(false);
      expect(error.message).not.toContain("secret");
    });
  }

  it("signs in again, once, where the server refuses the token", async () => {
    const tokenFile = path.join(await folder(), "token");
    await writeFile(tokenFile, "old");
    const server = await upgrading((request, socket) => {
      if (request.headers.authorization === "Bearer new") socket.end(Buffer.concat([Buffer.from(handshake(request)), frame(2, "\x01out"), frame(2, `\x03${success[1]}`)]));
      else socket.end(plain(401, status(401, "Unauthorized")));
    });
    const api = await open({ form: "server", server: server.url, ca: fileOf("authority.pem"), tokenFile });
    await writeFile(tokenFile, "new");
    expect(await api.podExec(pod, "c", ["x"], 100)).toBe("out");
    await writeFile(tokenFile, "old");
    const refusing = await upgrading((_, socket) => void socket.end(plain(401, status(401, "Unauthorized"))));
    const error = await failure((await open({ form: "server", server: refusing.url, ca: fileOf("authority.pem"), tokenFile })).podExec(pod, "c", ["x"], 100));
    expect(error.message).toContain("(401)");
    expect(refusing.upgrades()).toBe(2);
  });

  it("is asked again where a kept connection had just been closed", async () => {
    const server = await upgrading((request, socket) => {
      if (server.upgrades() === 1) socket.destroy();
      else socket.end(Buffer.concat([Buffer.from(handshake(request)), frame(2, "\x01out"), frame(2, `\x03${success[1]}`)]));
    });
    expect(await (await openServer(server.url)).podExec(pod, "c", ["x"], 100)).toBe("out");
  });

  const answered: readonly { readonly name: string; readonly bytes: readonly Buffer[]; readonly says: string }[] = [
    { name: "a message in fragments, with a ping between", bytes: [frame(2, "\x01on", false), frame(9, "hello"), frame(0, "e", true), frame(2, `\x03${success[1]}`)], says: "one" },
    { name: "a frame with a length of 64 bits", bytes: [Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 4]), Buffer.from("\x01one"), frame(2, `\x03${success[1]}`)], says: "one" },
  ];
  for (const { name, bytes, says } of answered) {
    it(`understands ${name}, in one piece and byte by byte`, async () => {
      const all = Buffer.concat(bytes);
      for (const pieces of [[all], [...all].map((byte) => Buffer.from([byte]))]) {
        const server = await upgrading(async (request, socket) => {
          socket.write(handshake(request));
          for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
        });
        expect(await (await openServer(server.url)).podExec(pod, "c", ["x"], 100)).toBe(says);
      }
    });
  }

  it("answers a ping, masked, with its own words", async () => {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const server = await upgrading((request, socket) => {
      socket.on("data", resolve).write(Buffer.concat([Buffer.from(handshake(request)), frame(9, "hello")]));
      void promise.then(() => socket.write(frame(2, `\x03${success[1]}`)));
    });
    await (await openServer(server.url)).podExec(pod, "c", ["x"], 100);
    const pong = await promise;
    expect([...pong.subarray(0, 2)]).toEqual([0x8a, 0x80 | 5]);
    const mask = pong.subarray(2, 6);
    expect(Buffer.from(pong.subarray(6).map((byte, index) => byte ^ (mask[index % 4] ?? 0))).toString()).toBe("hello");
  });

  const rude: readonly { readonly name: string; readonly answer: (request: IncomingMessage) => string | Buffer }[] = [
    { name: "a handshake for somebody else", answer: (request) => handshake(request).replace(/Accept: ./, "Accept: !") },
    { name: "half a handshake", answer: (request) => handshake(request).replace("Connection: Upgrade\r\n", "") },
    { name: "another protocol", answer: (request) => handshake(request, "chat") },
    { name: "a frame that is masked", answer: (request) => Buffer.concat([Buffer.from(handshake(request)), Buffer.from([0x82, 0x81, 0, 0, 0, 0, 1])]) },
    { name: "a frame of an extension", answer: (request) => Buffer.concat([Buffer.from(handshake(request)), Buffer.from([0xc2, 0x01, 1])]) },
    { name: "a frame that claims to be endless", answer: (request) => Buffer.concat([Buffer.from(handshake(request)), Buffer.from([0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255])]) },
    { name: "a fragment of nothing", answer: (request) => Buffer.concat([Buffer.from(handshake(request)), frame(0, "x")]) },
    { name: "a message begun within another", answer: (request) => Buffer.concat([Buffer.from(handshake(request)), frame(2, "a", false), frame(2, "b")]) },
  ];
  for (const { name, answer } of rude) {
    it(`hangs up on ${name}`, async () => {
      const server = await upgrading((request, socket) => void socket.write(answer(request)));
      const error = await failure((await openServer(server.url)).podExec(pod, "c", ["x"], 100));
      expect(error.message).toContain("what came back is no WebSocket of an API server");
      expect(error.unreachable).toBe(false);
      await server.hungUp;
    });
  }

  it("ends with the run, and hangs up on a server that would not", async () => {
    const ending = new AbortController();
    const server = await upgrading((request, socket) => {
      socket.write(handshake(request));
      ending.abort();
    });
    const api = await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, { token: "t" }) }, { signal: ending.signal });
    expect((await failure(api.podExec(pod, "c", ["x"], 100))).message).toContain("the run ended");
    await server.hungUp;
  });

  for (const [name, answer] of [["is never answered", () => ""], ["never ends", (request: IncomingMessage) => handshake(request)]] as const) {
    it(`that ${name} is given up, and hung up on`, async () => {
      const server = await upgrading((request, socket) => void socket.write(answer(request)));
      const error = await failure((await openServer(server.url, { podMs: 100 })).podExec(pod, "c", ["sleep"], 100));
      expect(error.message).toContain("did not finish the command within 0.1 s");
      expect(error.unreachable).toBe(false);
      await server.hungUp;
    });
  }
});
