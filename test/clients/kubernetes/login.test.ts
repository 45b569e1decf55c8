import { chmod, readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { answering, around, base64, connectProxy, failure, fileOf, folder, kubeconfig, namesIn, open, podList, pods, serve, serveBytes, status, type Answers, type Running } from "./support.ts";
import { openKubernetes } from "../../../clients/kubernetes/index.ts";

const ok: Answers = { "/api/v1/pods": () => [200, podList(["a"])] };
const authorization = (server: Running) => server.headers[0]?.authorization;

/** What a kubeconfig user sends. */
async function sent(user: object | undefined): Promise<IncomingMessage["headers"]> {
  const server = await serve(answering(ok));
  await namesIn(await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, user) }), pods);
  return server.headers[0] ?? {};
}

describe("a kubeconfig user signs in with", () => {
  it("a token", async () => expect((await sent({ token: "t1" })).authorization).toBe("Bearer t1"));

  it("a token file, without its line end, before a token", async () => {
    const file = path.join(await folder(), "token");
    await writeFile(file, "from-file\n");
    expect((await sent({ tokenFile: file, token: "t1" })).authorization).toBe("Bearer from-file");
  });

  it("a name and a password", async () => expect((await sent({ username: "jane", password: "pa:ss" })).authorization).toBe(`Basic ${Buffer.from("jane:pa:ss").toString("base64")}`));

  it("nothing, where the context names no user; the server's answer then says so", async () => {
    expect((await sent(undefined)).authorization).toBeUndefined();
    const server = await serve(answering({ "/api/v1/pods": () => [403, status(403, "Forbidden")] }));
    const error = await failure(namesIn(await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, undefined) }), pods));
    expect(error.message).toContain("an anonymous user may not list");
    expect(error.remedy).toContain("give the context a user with credentials");
  });

  it("its own name in messages, with what it lacks and whom it impersonates", async () => {
    const forbidden: Answers = { "/api/v1/pods": () => [403, status(403, "Forbidden")] };
    for (const [user, says] of [
      [{}, "the kubeconfig user `u`, which has no credentials, may not list"],
      [{ token: "t", as: "jane" }, "the kubeconfig user `u` as `jane` may not list"],
    ] as const) {
      const server = await serve(answering(forbidden));
      expect((await failure(namesIn(await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, user) }), pods))).message).toContain(says);
    }
  });

  it("impersonation, groups and all", async () => {
    const headers = await sent({ token: "t", as: "jane", "as-uid": "7", "as-groups": ["one", "two"], "as-user-extra": { Reason: ["audit"] } });
    expect(headers).toMatchObject({ "impersonate-user": "jane", "impersonate-uid": "7", "impersonate-group": "one, two", "impersonate-extra-reason": "audit" });
  });

  for (const [name, user] of [
    ["a client certificate in files", { "client-certificate": fileOf("client.pem"), "client-key": fileOf("client.key") }],
    ["a client certificate in the kubeconfig", { "client-certificate-data": base64("client.pem"), "client-key-data": base64("client.key") }],
  ] as const) {
    it(name, async () => {
      const subjects: unknown[] = [];
      const server = await serve((request, response) => {
        subjects.push((request.socket as TLSSocket).getPeerCertificate().subject.CN);
        answering(ok)(request, response);
      }, { clients: true });
      await namesIn(await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, user) }), pods);
      expect(subjects).toEqual(["client"]);
    });
  }
});

describe("a cluster entry", () => {
  const listed = async (server: string, cluster: object, env: Record<string, string> = {}) => namesIn(await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server, { token: "t" }, cluster) }, { env }), pods);

  it("may carry its authority", async () => {
    const server = await serve(answering(ok));
    expect(await listed(server.url, { "certificate-authority-data": base64("authority.pem") })).toEqual(["a"]);
  });

  it("may name the server's certificate", async () => {
    const server = await serve(answering(ok), { certificate: "elsewhere" });
    expect(await listed(server.url, { "certificate-authority": fileOf("authority.pem"), "tls-server-name": "elsewhere.example.test" })).toEqual(["a"]);
  });

  it("may switch verification off", async () => {
    const server = await serve(answering(ok), { certificate: "expired-server" });
    expect(await listed(server.url, { "insecure-skip-tls-verify": true })).toEqual(["a"]);
  });

  it("may be plain http, as for kubectl proxy", async () => expect(await listed((await serve(answering(ok), false)).url, {})).toEqual(["a"]));

  it("may have no scheme and a path", async () => {
    const server = await serve(answering({ "/k8s/c1/api/v1/pods": () => [200, podList(["a"])] }), false);
    expect(await listed(`127.0.0.1:${server.port}/k8s/c1/`, {})).toEqual(["a"]);
  });

  it("may forbid compression", async () => {
    const server = await serve(answering(ok));
    await listed(server.url, { "certificate-authority": fileOf("authority.pem"), "disable-compression": true });
    expect(server.headers[0]?.["accept-encoding"]).toBe("identity");
  });

  it("gives the digest of its authority, and none where the system's are used", async () => {
    const openWith = async (cluster: object) => (await open({ form: "kubeconfig", kubeconfig: await kubeconfig("https://127.0.0.1:1", { token: "t" }, cluster) })).caSha256;
    const der = Buffer.from((await readFile(fileOf("authority.pem"), "utf8")).split("\n").slice(1, -2).join(""), "base64");
    const expected = Buffer.from(await crypto.subtle.digest("SHA-256", der)).toString("hex");
    expect(await openWith({ "certificate-authority": fileOf("authority.pem") })).toBe(expected);
    expect(await openWith({})).toBeUndefined();
  });
});

describe("a proxy", () => {
  const authority = { "certificate-authority": fileOf("authority.pem") };
  const through = async (cluster: object, env: Record<string, string>) => open({ form: "kubeconfig", kubeconfig: await kubeconfig("https://api.example.test:6443", { token: "t" }, { ...authority, ...cluster }) }, { env });

  it("comes from proxy-url, with its credentials", async () => {
    const proxy = await connectProxy((await serve(answering(ok))).port);
    const api = await through({ "proxy-url": proxy.url.replace("//", "//user:pa%3Ass@") }, { NO_PROXY: "*" });
    expect(await namesIn(api, pods)).toEqual(["a"]);
    expect(proxy.asked).toEqual(["api.example.test:6443"]);
    expect(proxy.authorization).toEqual([`Basic ${Buffer.from("user:pa:ss").toString("base64")}`]);
  });

  for (const name of ["HTTPS_PROXY", "https_proxy"]) {
    it(`comes from ${name}`, async () => {
      const proxy = await connectProxy((await serve(answering(ok))).port);
      expect(await namesIn(await through({}, { [name]: proxy.url }), pods)).toEqual(["a"]);
      expect(proxy.asked).toHaveLength(1);
    });
  }

  it("still needs the server's own certificate", async () => {
    const proxy = await connectProxy((await serve(answering(ok), { certificate: "elsewhere" })).port);
    expect((await failure(namesIn(await through({}, { HTTPS_PROXY: proxy.url }), pods))).message).toContain("is for another host name");
  });

  it("that refuses is the one to blame, without its password", async () => {
    const proxy = await connectProxy(1, 407);
    const error = await failure(namesIn(await through({ "proxy-url": proxy.url.replace("//", "//user:hunter2@") }, {}), pods));
    expect(error.message).toBe(`the proxy \`${proxy.url}\` opens no tunnel to the API server`);
    expect(error.unreachable).toBe(true);
  });

  it("that nobody listens at is named", async () => {
    const error = await failure(namesIn(await through({ "proxy-url": "http://127.0.0.1:1" }, {}), pods));
    expect(error.message).toContain("through the proxy `http://127.0.0.1:1`");
  });

  it("of another kind is refused", async () => {
    expect((await failure(namesIn(await through({ "proxy-url": "ftp://x" }, {}), pods))).message).toContain("not an http, https or socks5 URL");
  });

  it("forwards plain http", async () => {
    const proxy = await serve(answering({ "/api/v1/pods": () => [200, podList(["a"])] }), false);
    const file = await kubeconfig("http://api.example.test", { token: "t" }, { "proxy-url": proxy.url });
    expect(await namesIn(await open({ form: "kubeconfig", kubeconfig: file }), pods)).toEqual(["a"]);
    expect(proxy.seen[0]).toBe("GET http://api.example.test/api/v1/pods?limit=500");
  });
});

describe("the other forms", () => {
  it("in a pod: address from the environment, token and authority from the mounted folder", async () => {
    const server = await serve(answering(ok));
    const serviceAccount = await folder();
    await writeFile(path.join(serviceAccount, "token"), "pod-token");
    await writeFile(path.join(serviceAccount, "ca.crt"), await readFile(fileOf("authority.pem")));
    const env = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(server.port) };
    expect(await namesIn(await open({ form: "inCluster" }, { env, serviceAccount }), pods)).toEqual(["a"]);
    expect(authorization(server)).toBe("Bearer pod-token");
  });

  it("in a pod, asked for elsewhere", async () => expect((await failure(open({ form: "inCluster" }))).message).toContain("outside a pod"));

  it("a server with a token file", async () => {
    const server = await serve(answering(ok));
    const tokenFile = path.join(await folder(), "token");
    await writeFile(tokenFile, "t2\n");
    expect(await namesIn(await open({ form: "server", server: server.url, ca: fileOf("authority.pem"), tokenFile }), pods)).toEqual(["a"]);
    expect(authorization(server)).toBe("Bearer t2");
  });

  it("a token file that is missing", async () => {
    expect((await failure(open({ form: "server", server: "https://127.0.0.1:1", tokenFile: "/nowhere/token" }))).message).toContain("token file `/nowhere/token` cannot be read (ENOENT)");
  });

  it("a token that expires on the way is read again, once", async () => {
    const tokenFile = path.join(await folder(), "token");
    await writeFile(tokenFile, "old");
    const server = await serve(answering({ "/api/v1/pods": ({ headers }) => (headers.authorization === "Bearer new" ? [200, podList(["a"])] : [401, status(401, "Unauthorized")]) }));
    const api = await open({ form: "server", server: server.url, ca: fileOf("authority.pem"), tokenFile });
    await writeFile(tokenFile, "new");
    expect(await namesIn(api, pods)).toEqual(["a"]);
    await writeFile(tokenFile, "other");
    expect(server.seen).toHaveLength(2);
  });
});

/** A credential plugin in a folder of its own, as a program that this test's Node runs. */
async function plugin(body: string): Promise<{ readonly command: string; readonly dir: string }> {
  const dir = await folder();
  const command = path.join(dir, "plugin");
  await writeFile(command, `#!${process.execPath}\nconst fs = require("node:fs"); const here = ${JSON.stringify(dir)};\n${body}\n`);
  await chmod(command, 0o755);
  return { command, dir };
}

const v1 = "client.authentication.k8s.io/v1";
const printing = (status_: object, apiVersion = v1) => `console.log(${JSON.stringify(JSON.stringify({ apiVersion, kind: "ExecCredential", status: status_ }))})`;
const counting = 'const n = fs.existsSync(here + "/n") ? Number(fs.readFileSync(here + "/n")) + 1 : 1; fs.writeFileSync(here + "/n", String(n));';

async function withPlugin(body: string, answers: Answers = ok, exec: object = {}, cluster: object = { "certificate-authority": fileOf("authority.pem") }) {
  const { command, dir } = await plugin(body);
  const server = await serve(answering(answers), { clients: false });
  const file = await kubeconfig(server.url, { exec: { apiVersion: v1, command, ...exec } }, cluster);
  return { server, dir, place: { form: "kubeconfig", kubeconfig: file } as const };
}

describe("an exec plugin", () => {
  for (const version of [v1, "client.authentication.k8s.io/v1beta1"]) {
    it(`gives a token by ${version}`, async () => {
      const { server, place } = await withPlugin(printing({ token: "made" }, version), ok, { apiVersion: version });
      expect(await namesIn(await open(place), pods)).toEqual(["a"]);
      expect(authorization(server)).toBe("Bearer made");
    });
  }

  it("is run once, however many ask", async () => {
    const { dir, place } = await withPlugin(counting + printing({ token: "made" }));
    const api = await open(place);
    await Promise.all([namesIn(api, pods), namesIn(api, pods), namesIn(api, pods)]);
    expect(await readFile(path.join(dir, "n"), "utf8")).toBe("1");
  });

  it("is run again for a credential that has expired", async () => {
    const { dir, place } = await withPlugin(counting + printing({ token: "made", expirationTimestamp: "2020-01-01T00:00:00Z" }));
    const api = await open(place);
    await namesIn(api, pods);
    expect(Number(await readFile(path.join(dir, "n"), "utf8"))).toBeGreaterThan(1);
  });

  it("is run again, once, where the server refuses what it gave", async () => {
    const answers: Answers = { "/api/v1/pods": ({ headers }) => (headers.authorization === "Bearer t2" ? [200, podList(["a"])] : [401, status(401, "Unauthorized")]) };
    const { place } = await withPlugin(`${counting} console.log(JSON.stringify({ apiVersion: "${v1}", kind: "ExecCredential", status: { token: "t" + n } }))`, answers);
    expect(await namesIn(await open(place), pods)).toEqual(["a"]);
    const stubborn = await withPlugin(counting + printing({ token: "no" }), { "/api/v1/pods": () => [401, status(401, "Unauthorized")] });
    expect((await failure(namesIn(await open(stubborn.place), pods))).message).toContain("(401)");
    expect(await readFile(path.join(stubborn.dir, "n"), "utf8")).toBe("2");
  });

  it("may give a client certificate", async () => {
    const { command } = await plugin(`console.log(JSON.stringify({ apiVersion: "${v1}", kind: "ExecCredential", status: { clientCertificateData: fs.readFileSync(${JSON.stringify(fileOf("client.pem"))}, "utf8"), clientKeyData: fs.readFileSync(${JSON.stringify(fileOf("client.key"))}, "utf8") } }))`);
    const server = await serve(answering(ok), { clients: true });
    expect(await namesIn(await open({ form: "kubeconfig", kubeconfig: await kubeconfig(server.url, { exec: { apiVersion: v1, command } }) }), pods)).toEqual(["a"]);
  });

  it("gets its arguments, its environment and KUBERNETES_EXEC_INFO", async () => {
    const { dir, place, server } = await withPlugin(
      `fs.writeFileSync(here + "/seen", JSON.stringify([process.argv.slice(2), process.env.EXTRA, process.env.GIVEN, JSON.parse(process.env.KUBERNETES_EXEC_INFO)])); ${printing({ token: "t" })}`,
      ok,
      { args: ["get-token", "--cluster", "a b"], env: [{ name: "EXTRA", value: "1" }], provideClusterInfo: true },
      { "certificate-authority": fileOf("authority.pem"), extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "x" } }] },
    );
    await open(place, { env: { GIVEN: "2" } });
    const info = { apiVersion: v1, kind: "ExecCredential", spec: { interactive: false, cluster: { server: server.url, "certificate-authority-data": base64("authority.pem"), config: { audience: "x" } } } };
    expect(JSON.parse(await readFile(path.join(dir, "seen"), "utf8"))).toEqual([["get-token", "--cluster", "a b"], "1", "2", info]);
  });

  const faults: readonly { readonly name: string; readonly body: string; readonly exec?: object; readonly says: string; readonly pluginMs?: number }[] = [
    { name: "fails", body: 'console.error("hunter2"); console.log("hunter2"); process.exit(3)', says: "failed (exit code 3)" },
    { name: "dies of a signal", body: 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 9999)', says: "failed (SIGTERM)" },
    { name: "hangs", body: "setInterval(() => {}, 9999)", says: "gave no answer within 0.3 s", pluginMs: 300 },
    { name: "prints rubbish", body: 'console.log("hunter2: please visit https://login.example")', says: "printed something that is not JSON" },
    { name: "prints without end", body: 'process.stdout.on("error", () => {}); setInterval(() => process.stdout.write("hunter2".repeat(50000)), 1)', says: "printed more than 1048576 bytes" },
    { name: "prints nothing", body: "", says: "printed something that is not JSON" },
    { name: "prints other JSON", body: 'console.log(\'{"token": "hunter2"}\')', says: "JSON that is not an ExecCredential" },
    { name: "answers in another version", body: printing({ token: "hunter2" }, "client.authentication.k8s.io/v1beta1"), says: "answered in another version" },
    { name: "gives no credential", body: printing({}), says: "gave no credential" },
    { name: "gives a certificate without a key", body: printing({ clientCertificateData: "hunter2" }), says: "without its key" },
    { name: "gives a token of two lines", body: printing({ token: "hunter2\nx: y" }), says: "not one line of printable characters" },
    { name: "speaks an old version", body: "", exec: { apiVersion: "client.authentication.k8s.io/v1alpha1" }, says: "speaks `client.authentication.k8s.io/v1alpha1`" },
    { name: "must ask somebody", body: "", exec: { interactiveMode: "Always" }, says: "asks questions" },
    { name: "is not installed", body: "", exec: { command: "cloud-assert-no-such-plugin", installHint: "hunter2" }, says: "is not installed" },
    { name: "cannot be given an argument", body: "", exec: { args: ["hunter2\0"] }, says: "cannot be started (ERR_INVALID_ARG_VALUE)" },
    { name: "may not be run", body: "", exec: { command: fileOf("authority.pem") }, says: "cannot be started (EACCES)" },
  ];
  for (const { name, body, exec, says, pluginMs = 5000 } of faults) {
    it(`that ${name} is one clear error`, async () => {
      const { place } = await withPlugin(body, ok, exec);
      const error = await failure(open(place, {}, { pluginMs }));
      expect(error.message).toContain(says);
      expect(error.unreachable).toBe(true);
      expect(`${error.message} ${error.remedy}`).not.toContain("hunter2");
    });
  }

  it("that hangs ends with the run, and takes its children with it", async () => {
    const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>();
    const { promise: gone, resolve: onGone } = Promise.withResolvers<void>();
    const port = await serveBytes((socket) => {
      onConnected();
      socket.resume().on("close", onGone);
    });
    const child = `require("node:net").connect(${port}, "127.0.0.1"); setInterval(() => {}, 9999)`;
    const { place } = await withPlugin(`require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]); setInterval(() => {}, 9999)`);
    const ending = new AbortController();
    const opening = failure(open(place, { signal: ending.signal }));
    await connected;
    ending.abort();
    expect((await opening).message).toContain("the run ended");
    await gone;
  });

  it("that ends and leaves somebody with its output open is given up, and that one stopped", async () => {
    const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>();
    const { promise: gone, resolve: onGone } = Promise.withResolvers<void>();
    const port = await serveBytes((socket) => {
      onConnected();
      socket.resume().on("close", onGone);
    });
    const child = `require("node:net").connect(${port}, "127.0.0.1"); setInterval(() => {}, 9999)`;
    const { place } = await withPlugin(`require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" }).unref()`);
    const opening = failure(open(place, {}, { pluginMs: 2_000 }));
    await connected;
    expect((await opening).message).toContain("gave no answer within 2 s");
    await gone;
  });

  it("is not run where the input is not trusted, nor is an auth-provider", async () => {
    const { dir, place } = await withPlugin(counting);
    expect((await failure(open(place, { allowExec: false }))).message).toContain("input that is not trusted may not use");
    await expect(readFile(path.join(dir, "n"))).rejects.toThrow("ENOENT");
    const oidc = await kubeconfig("https://127.0.0.1:1", { "auth-provider": { name: "oidc", config: { "idp-issuer-url": "https://evil.example" } } });
    expect((await failure(open({ form: "kubeconfig", kubeconfig: oidc }, { allowExec: false }))).message).toContain("an auth-provider");
  });

  it("is not run where the file itself holds a token", async () => {
    const server = await serve(answering(ok));
    const file = await kubeconfig(server.url, { token: "t", exec: { apiVersion: v1, command: "/nowhere/plugin" } });
    await namesIn(await openKubernetes({ form: "kubeconfig", kubeconfig: file }, around()), pods);
    expect(authorization(server)).toBe("Bearer t");
  });
});

describe("the auth-provider oidc", () => {
  it("sends its id-token while that is good", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "none" })}.${part({ exp: 4_000_000_000 })}.x`;
    expect((await sent({ "auth-provider": { name: "oidc", config: { "id-token": token, "client-id": "c", "idp-issuer-url": "https://idp.example" } } })).authorization).toBe(`Bearer ${token}`);
  });
});
