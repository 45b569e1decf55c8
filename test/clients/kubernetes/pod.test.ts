import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { answering, connectProxy, failure, fileOf, kubeconfig, open, openServer, serve, status, type Answers, type Running } from "./support.ts";

const pod = { namespace: "shop", name: "cart-0" };
const proxyPath = "/api/v1/namespaces/shop/pods/cart-0:15000/proxy/server_info";
const execPath = "/api/v1/namespaces/shop/pods/cart-0/exec";

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
    { name: "a pod that cannot be reached", answers: { [proxyPath]: () => [503, status(503, "ServiceUnavailable")] }, says: "(503, ServiceUnavailable)" },
  ];
  for (const { name, answers, says } of faults) {
    it(`is told: ${name}`, async () => {
      const error = await failure((await openServer((await serve(answering(answers))).url)).podGet(pod, 15000, "/server_info", 100));
      expect(error.message).toContain(says);
      expect(error.unreachable).toBe(false);
    });
  }
});

type Frames = readonly (readonly [channel: number, content: string])[];

/** A server that answers an exec with these frames, and then closes. */
async function shell(frames: Frames, protocol = "v5.channel.k8s.io"): Promise<Running & { readonly upgrades: IncomingMessage[] }> {
  const server = await serve(answering({ [execPath]: () => [400, status(400, "BadRequest")] }));
  const upgrades: IncomingMessage[] = [];
  server.server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    upgrades.push(request);
    socket.on("error", () => undefined);
    socket.write(handshake(request, protocol));
    for (const [channel, content] of frames) socket.write(frame(2, Buffer.concat([Buffer.from([channel]), Buffer.from(content)])));
    socket.end(frame(8, Buffer.from([0x03, 0xe8])));
  });
  return Object.assign(server, { upgrades });
}

function handshake(request: IncomingMessage, protocol: string): string {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`;
}

function frame(opcode: number, content: Buffer): Buffer {
  const long = content.length > 125;
  const header = Buffer.from([0x80 | opcode, long ? 126 : content.length, ...(long ? [content.length >> 8, content.length & 255] : [])]);
  return Buffer.concat([header, content]);
}

const success = [3, JSON.stringify({ status: "Success" })] as const;
const exited = (code: string) => [3, JSON.stringify({ status: "Failure", reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: code }] } })] as const;
const command = ["pilot-agent", "request", "GET", "server_info?a=b&c"];

describe("podExec", () => {
  for (const protocol of ["v5.channel.k8s.io", "v4.channel.k8s.io"]) {
    it(`gives standard output, by ${protocol}`, async () => {
      const server = await shell([[1, "one "], [2, "noise"], [1, "é"], success], protocol);
      expect(await (await openServer(server.url)).podExec(pod, "istio-proxy", command, 100)).toBe("one é");
      const [request] = server.upgrades;
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
    { name: "a proxy that lets no WebSocket through", answers: { [execPath]: () => [400, status(400, "BadRequest")] }, says: "opens no WebSocket" },
  ];
  for (const { name, answers, says } of refused) {
    it(`is told: ${name}`, async () => {
      const error = await failure((await openServer((await serve(answering(answers))).url)).podExec(pod, "c", ["x"], 100));
      expect(error.message).toContain(says);
      expect(error.unreachable).toBe(false);
    });
  }

  it("that never ends is given up", async () => {
    const server = await serve(answering({}));
    server.server.on("upgrade", (request: IncomingMessage, socket: Duplex) => void socket.on("error", () => undefined).write(handshake(request, "v5.channel.k8s.io")));
    const error = await failure((await openServer(server.url, { podExecMs: 100 })).podExec(pod, "c", ["sleep"], 100));
    expect(error.message).toContain("did not finish the command within 0.1 s");
  });
});
