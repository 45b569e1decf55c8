import type { RequestListener } from "node:http";
import { describe, expect, it } from "vitest";
import { CollectError } from "#engine";
import { unreachable } from "../../../clients/kubernetes/faults.ts";
import { answering, failure, kubeconfig, open, openServer, pagesOf, podList, pods, serve, serveBytes, status, fileOf } from "./support.ts";

const path = "/api/v1/pods";
const secret = "secret-token";

/** The error of listing pods at a server. */
async function listing(url: string, limits = {}): Promise<CollectError> {
  return failure(openServer(url, { retries: 2, ...limits }).then((api) => pagesOf(api, pods)));
}

const answers: readonly { readonly name: string; readonly listener: RequestListener; readonly says: string; readonly unreachable: boolean; readonly limits?: object }[] = [
  { name: "HTML", listener: answering({ [path]: () => [200, "<html>sign in</html>", { "content-type": "text/html; charset=utf-8" }] }), says: "answered 200 with text/html where JSON", unreachable: true },
  { name: "a content type that is an attack", listener: answering({ [path]: () => [200, "x", { "content-type": "`$(rm)`" }] }), says: "answered 200 with no content type", unreachable: true },
  { name: "half a JSON body, in a whole answer", listener: answering({ [path]: () => [200, JSON.stringify(podList(["a"])).slice(0, 40)] }), says: "sent JSON that breaks off or is not valid, after 40 bytes", unreachable: true },
  { name: "half a body, then the end of the connection", listener: (_, response) => void response.writeHead(200, { "content-type": "application/json", "content-length": "1000" }).write("{", () => response.destroy()), says: "closes the connection before the answer is whole", unreachable: true },
  { name: "200 with kind: Status", listener: answering({ [path]: () => [200, status(500, "InternalError")] }), says: "answered 200, but with an error in it (kind: Status, InternalError)", unreachable: false },
  { name: "another object than a list", listener: answering({ [path]: () => [200, { kind: "Pod", apiVersion: "v1" }] }), says: "not a list of `pods`", unreachable: false },
  { name: "items that are no objects", listener: answering({ [path]: () => [200, { ...podList([]), items: [1] }] }), says: "not a list of `pods`", unreachable: false },
  { name: "JSON that is no object", listener: answering({ [path]: () => [200, "[]"] }), says: "where JSON of an API server was expected", unreachable: true },
  { name: "a redirect", listener: answering({ [path]: () => [302, "", { location: "https://login.example/?token=secret-token" }] }), says: "redirects (302)", unreachable: true },
  { name: "401", listener: answering({ [path]: () => [401, status(401, "Unauthorized")] }), says: "does not accept the credentials of the kubeconfig user `u` (401)", unreachable: true },
  { name: "an answer that Kubernetes refuses", listener: answering({ [path]: () => [400, status(400, "BadRequest")] }), says: "refused `/api/v1/pods` (400, BadRequest)", unreachable: false },
  { name: "gzip that is not gzip", listener: answering({ [path]: () => [200, "plain", { "content-encoding": "gzip" }] }), says: "cannot be decompressed", unreachable: true },
  { name: "a body that never ends", listener: (_, response) => flood(response), says: "larger than the limit of 1000000 bytes", unreachable: false, limits: { pageBytes: 1_000_000 } },
  { name: "a body that drips", listener: (_, response) => drip(response), says: "did not finish an answer in time", unreachable: true, limits: { requestMs: 200 } },
  { name: "silence", listener: () => undefined, says: "gave no answer in time", unreachable: true, limits: { answerMs: 50 } },
];

function flood(response: Parameters<RequestListener>[1]): void {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = "x".repeat(65_536);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}

function drip(response: Parameters<RequestListener>[1]): void {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 10);
  response.on("close", () => clearInterval(timer));
}

describe("a server that answers wrongly is one clear error:", () => {
  for (const { name, listener, says, unreachable, limits } of answers) {
    it(name, async () => {
      const server = await serve(listener);
      const error = await listing(server.url, limits);
      expect(error.message).toContain(says);
      expect(error.unreachable).toBe(unreachable);
      expect(error.remedy).not.toBe("");
      expect(`${error.message} ${error.remedy}`).not.toContain(secret);
      expect(`${error.message} ${error.remedy}`).not.toContain("secret words");
    });
  }
});

const authority = { "certificate-authority": fileOf("authority.pem") };
const connections: readonly { readonly name: string; readonly url: () => Promise<string>; readonly cluster?: object; readonly user?: object; readonly says: string }[] = [
  { name: "nobody listens", url: async () => `https://127.0.0.1:${await unused()}`, says: "refuses connections" },
  { name: "a host that does not exist", url: () => Promise.resolve("https://nothing.invalid"), says: "host name that" },
  { name: "TLS by another authority", url: async () => (await serve(ok)).url, cluster: { "certificate-authority": fileOf("other-authority.pem") }, says: "is signed by another authority than the one configured" },
  { name: "TLS by an authority that the system does not know", url: async () => (await serve(ok)).url, cluster: {}, says: "is signed by an authority that this machine does not know" },
  { name: "a certificate that has expired", url: async () => (await serve(ok, { certificate: "expired-server" })).url, says: "has expired" },
  { name: "a certificate for another name", url: async () => (await serve(ok, { certificate: "elsewhere" })).url, says: "is for another host name" },
  { name: "http where https was expected", url: async () => (await serve(ok, false)).url.replace("http:", "https:"), says: "does not speak TLS" },
  { name: "something that is not HTTP", url: async () => `http://127.0.0.1:${await serveBytes((socket) => socket.end("SSH-2.0-x\r\n"))}`, says: "does not speak HTTP" },
  { name: "a connection that is closed at once", url: async () => `http://127.0.0.1:${await serveBytes((socket) => socket.destroy())}`, says: "closes the connection" },
  { name: "a client certificate that has expired, at a server that hangs up", url: async () => (await serve(ok, { clients: true })).url, user: { "client-certificate": fileOf("expired-client.pem"), "client-key": fileOf("expired-client.key") }, says: "the client certificate of the kubeconfig user `u` expired on 2021-01-01" },
  { name: "a client key that belongs to another certificate", url: () => Promise.resolve("https://127.0.0.1:1"), user: { "client-certificate": fileOf("client.pem"), "client-key": fileOf("expired-client.key") }, says: "client certificate or key of the kubeconfig user `u` cannot be used" },
  { name: "an authority that is no certificate", url: () => Promise.resolve("https://127.0.0.1:1"), cluster: { "certificate-authority-data": "c2VjcmV0LXRva2Vu" }, says: "holds no certificate that can be read" },
  { name: "an authority file that is missing", url: () => Promise.resolve("https://127.0.0.1:1"), cluster: { "certificate-authority": "/nowhere/ca.pem" }, says: "`/nowhere/ca.pem` cannot be read (ENOENT)" },
  { name: "a server that is no URL", url: () => Promise.resolve("ftp://x"), says: "not an http or https URL" },
  { name: "a token of two lines", url: () => Promise.resolve("https://127.0.0.1:1"), user: { token: "secret-token\nx" }, says: "not one line of printable characters" },
  { name: "an auth-provider that Kubernetes has removed", url: () => Promise.resolve("https://127.0.0.1:1"), user: { "auth-provider": { name: "gcp" } }, says: "which Kubernetes has removed" },
];

const ok = answering({ [path]: () => [200, podList([])] });

async function unused(): Promise<number> {
  const server = await serve(ok, false);
  server.server.closeAllConnections();
  await new Promise((resolve) => server.server.close(resolve));
  return server.port;
}

describe("a server that cannot be reached is one clear error:", () => {
  for (const { name, url, cluster = authority, user = { token: secret }, says } of connections) {
    it(name, async () => {
      const file = await kubeconfig(await url(), user, cluster);
      const error = await failure(open({ form: "kubeconfig", kubeconfig: file }).then((api) => pagesOf(api, pods)));
      expect(error.message).toContain(says);
      expect(error.unreachable).toBe(true);
      expect(`${error.message} ${error.remedy}`).not.toContain(secret);
    });
  }

  it("says when the client certificate ended, where the server only says 401", async () => {
    const server = await serve(answering({ [path]: () => [401, status(401, "Unauthorized")] }));
    const file = await kubeconfig(server.url, { "client-certificate": fileOf("expired-client.pem"), "client-key": fileOf("expired-client.key") });
    const error = await failure(open({ form: "kubeconfig", kubeconfig: file }).then((api) => pagesOf(api, pods)));
    expect(error.remedy).toContain("it expired on 2021-01-01");
  });

  it("a connection that breaks once is tried again", async () => {
    let calls = 0;
    const server = await serve((request, response) => (calls++ === 0 ? void request.socket.destroy() : ok(request, response)));
    expect(await pagesOf(await openServer(server.url), pods)).toHaveLength(1);
  });

  it("the run's own end is told in its own words, and ends a wait at once", async () => {
    const ending = new AbortController();
    const server = await serve(() => ending.abort(new CollectError("out of budget", { remedy: "more", unreachable: true })));
    const api = await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, { token: secret }) }, { signal: ending.signal });
    expect((await failure(pagesOf(api, pods))).message).toBe("out of budget");
    expect((await failure(api.serverVersion())).message).toBe("out of budget");
  });

  it("so is an interruption", async () => {
    const ending = new AbortController();
    const server = await serve(() => ending.abort());
    const api = await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, { token: secret }) }, { signal: ending.signal });
    expect((await failure(pagesOf(api, pods))).message).toContain("the run ended");
  });
});

describe("a code of the connection is told in words:", () => {
  const codes: readonly (readonly [code: string, says: string])[] = [
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "refuses the client certificate"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "refuses the client certificate"],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "refuses the client certificate"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "cannot be reached (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)"],
    ["ENETUNREACH", "cannot be reached from this network"],
    ["UND_ERR_CONNECT_TIMEOUT", "does not accept the connection in time"],
    ["constructor", "cannot be reached (constructor)"],
  ];
  for (const [code, says] of codes) {
    it(code, () => {
      const error = unreachable({ server: "https://s", through: undefined, ownAuthority: true }, code, undefined);
      expect(error.message).toContain(`the API server \`https://s\` ${says}`);
      expect(error.unreachable).toBe(true);
    });
  }
});
