import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectError, type KubernetesApi } from "#engine";
import { layouts } from "../../support/images.ts";
import { archiveOf, hex, wasmModule } from "../../support/wasm.ts";
import { FaultServer, reaching } from "./server.ts";

const module = wasmModule();
const image = layouts.oci(module);
const b64 = (text: string) => Buffer.from(text).toString("base64");
const SECRET = "s3cr3t:with:colons";
const BASIC = `Basic ${b64(`me:${SECRET}`)}`;

let registry: FaultServer;
let other: FaultServer;
let folder: string;

beforeEach(async () => {
  [registry, other] = await Promise.all([FaultServer.open(), FaultServer.open()]);
  registry.put("wasm/auth", "v1", image);
  folder = mkdtempSync(path.join(tmpdir(), "cloud-assert-registry-"));
});
afterEach(async () => {
  await Promise.all([registry.close(), other.close()]);
  rmSync(folder, { recursive: true });
});

function config(content: unknown, name = "config.json"): string {
  const file = path.join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const auths = (entry: object) => ({ auths: { [registry.host]: entry } });
const signedIn = (credentials: readonly string[], more: Parameters<typeof reaching>[1] = {}) =>
  reaching([registry.host, other.host], { ...more, settings: { credentials, ...more.settings } }).visit().module(`oci://${registry.host}/wasm/auth:v1`);

/** A token server on another origin, as most registries have one. */
function tokens(answer: (query: URLSearchParams, authorization: string | undefined, body: string) => string | undefined) {
  registry.guard = { authorization: "Bearer the-token", challenge: `Bearer realm="http://${other.host}/token",service="the registry",scope="repository:somebody/else:pull,push"` };
  other.on("/token", (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
      const token = answer(new URL(request.url ?? "", "http://x").searchParams, request.headers.authorization, Buffer.concat(chunks).toString());
      if (token === undefined) response.writeHead(401).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(token);
    });
  });
}

describe("signing in", () => {
  it("by user and password, on every request", async () => {
    registry.guard = { authorization: BASIC, challenge: 'Basic realm="r"' };
    expect((await signedIn([config(auths({ auth: b64(`me:${SECRET}`) }))])).module?.wasmSha256).toBe(hex(module));
  });

  it("by a token that is asked for this repository and for reading, whatever scope the registry names", async () => {
    tokens((query, authorization) => (query.get("scope") === "repository:wasm/auth:pull" && query.get("service") === "the registry" && authorization === BASIC ? '{"token":"the-token"}' : undefined));
    expect((await signedIn([config(auths({ username: "me", password: SECRET }))])).module?.wasmSha256).toBe(hex(module));
    expect(other.asked).toHaveLength(1);
  });

  it("by nobody, where the registry gives tokens to everybody", async () => {
    tokens((_query, authorization) => (authorization === undefined ? '{"access_token":"the-token"}' : undefined));
    expect((await signedIn([])).module?.wasmSha256).toBe(hex(module));
  });

  it("by a refresh token", async () => {
    tokens((_query, authorization, body) => {
      const form = new URLSearchParams(body);
      return form.get("grant_type") === "refresh_token" && form.get("refresh_token") === SECRET && form.get("scope") === "repository:wasm/auth:pull" && authorization === undefined ? '{"access_token":"the-token"}' : undefined;
    });
    expect((await signedIn([config(auths({ identitytoken: SECRET }))])).module?.wasmSha256).toBe(hex(module));
  });

  it("by a token of the registry itself", async () => {
    registry.guard = { authorization: `Bearer ${SECRET}`, challenge: "Bearer realm=x" };
    expect((await signedIn([config(auths({ registrytoken: SECRET }))])).module?.wasmSha256).toBe(hex(module));
  });

  it("by the docker configuration of whoever runs this, where the fleet names none", async () => {
    registry.guard = { authorization: BASIC, challenge: "Basic realm=r" };
    config(auths({ auth: b64(`me:${SECRET}`) }));
    expect((await signedIn([], { run: { env: { DOCKER_CONFIG: folder } } })).module?.wasmSha256).toBe(hex(module));
    mkdirSync(path.join(folder, ".docker"));
    config(auths({ auth: b64(`me:${SECRET}`) }), ".docker/config.json");
    expect((await signedIn([], { run: { home: folder } })).module?.wasmSha256).toBe(hex(module));
  });

  it("does not follow where a token server redirects", async () => {
    tokens(() => undefined);
    other.on("/token", (_, response) => void response.writeHead(302, { location: `http://${registry.host}/stolen` }).end());
    const { failure } = await signedIn([config(auths({ username: "me", password: SECRET }))]);
    expect(failure?.kind).toBe("unreachable");
    expect(registry.asked.some((path) => path.includes("stolen"))).toBe(false);
  });

  it("asks no token server without TLS, or one that the fleet does not name and is private", async () => {
    tokens(() => '{"token":"the-token"}');
    const { failure } = await signedIn([], { settings: { plainHttp: [registry.host] } });
    expect(failure).toMatchObject({ kind: "refused", reason: expect.stringContaining("without TLS") });
    expect(other.asked).toEqual([]);
  });

  const realms = ["", "no url", "file:///etc/passwd", "http://169.254.169.254/token", "https://169.254.169.254/token", "http://user:pw@127.0.0.1/"];
  for (const realm of realms) {
    it(`asks nothing at the token server \`${realm}\``, async () => {
      registry.guard = { authorization: "Bearer x", challenge: `Bearer realm="${realm}"` };
      const { failure } = await signedIn([config(auths({ username: "me", password: SECRET }))]);
      expect(["unauthorized", "refused"]).toContain(failure?.kind);
      expect(JSON.stringify(failure)).not.toContain(SECRET);
    });
  }

  for (const answer of ["", "<html>", "{}", '{"token":7}', '{"token":"a\\r\\nb"}', `{"token":"${"x".repeat(2 << 20)}"}`]) {
    it(`takes no token out of \`${answer.slice(0, 20)}\``, async () => {
      tokens(() => answer);
      expect((await signedIn([])).failure).toBeDefined();
    });
  }
});

describe("credentials", () => {
  const blob = `/v2/wasm/auth/blobs/sha256:${hex(archiveOf(module))}`;

  it("do not follow a redirect to another host, nor come back when that one redirects home", async () => {
    registry.guard = { authorization: BASIC, challenge: "Basic realm=r" };
    registry.on(blob, (request, response) => void response.writeHead(request.headers.authorization === BASIC ? 307 : 401, { location: `http://${other.host}/there` }).end());
    other.on("/there", (_, response) => void response.writeHead(307, { location: `http://${registry.host}/back` }).end());
    registry.on("/back", (_, response) => void response.end(archiveOf(module)));
    expect((await signedIn([config(auths({ auth: b64(`me:${SECRET}`) }))])).module?.wasmSha256).toBe(hex(module));
    expect(other.asked).toEqual(["/there"]);
    expect(registry.asked.at(-1)).toBe("/back");
  });

  it("of one registry never reach another whose name begins like it", async () => {
    registry.guard = { authorization: BASIC, challenge: "Basic realm=r" };
    const port = registry.host.split(":")[1] ?? "";
    const near = config({ auths: { [`${registry.host}0`]: { auth: b64("me:x") }, "127.0.0.1": { auth: b64("me:x") }, [port]: { auth: b64("me:x") } } });
    expect((await signedIn([near])).failure?.kind).toBe("unauthorized");
    expect(registry.asked.some((asked) => asked.includes("Basic"))).toBe(false);
  });

  it("that are wrong are told, without a word of them", async () => {
    registry.guard = { authorization: BASIC, challenge: "Basic realm=r" };
    const { failure } = await signedIn([config(auths({ auth: b64("me:wrong-secret") }))]);
    expect(failure).toMatchObject({ kind: "unauthorized", reason: expect.stringContaining("does not let these credentials read") });
    expect(JSON.stringify(failure)).not.toContain("wrong-secret");
  });

  for (const [name, content] of [["broken", "{"], ["a list", "[]"], ["of gigabytes", "x".repeat(2 << 20)]] as const) {
    it(`whose file is ${name} are told with the file's name`, async () => {
      registry.guard = { authorization: BASIC, challenge: "Basic realm=r" };
      const file = config(content);
      expect((await signedIn([file])).failure?.reason).toContain(`\`${file}\` is no docker configuration`);
      expect((await signedIn(["/nonexistent/file.json"])).failure?.reason).toContain("`/nonexistent/file.json` cannot be read");
    });
  }

  it("are not sent without TLS where only a stranger's file says that there is none", async () => {
    registry.guard = { authorization: BASIC, challenge: "Basic realm=r" };
    config(auths({ auth: b64(`me:${SECRET}`) }));
    const { failure } = await signedIn([], { run: { untrusted: true, env: { DOCKER_CONFIG: folder } } });
    expect(failure).toMatchObject({ kind: "refused", remedy: expect.stringContaining("--untrusted") });
    expect(registry.asked.some((asked) => asked.includes("Basic"))).toBe(false);
  });
});

describe("a credential helper", () => {
  beforeEach(() => void (registry.guard = { authorization: BASIC, challenge: "Basic realm=r" }));

  function helper(name: string, body: string): Readonly<Record<string, string>> {
    const file = path.join(folder, `docker-credential-${name}`);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return { PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  }

  const answering = `read server; [ "$1" = get ] && [ "$server" = HOST ] && echo '{"ServerURL":"x","Username":"me","Secret":"${SECRET}"}'`;

  it("that is known and named in the user's own file is asked once", async () => {
    const env = helper("ecr-login", `echo called >> ${folder}/calls; ${answering.replace("HOST", `"${registry.host}"`)}`);
    const registries = reaching([registry.host], { run: { env }, settings: { credentials: [config({ credHelpers: { [registry.host]: "ecr-login" } })] } }).visit();
    expect((await registries.module(`oci://${registry.host}/wasm/auth:v1`)).module?.wasmSha256).toBe(hex(module));
    const { readFileSync } = await import("node:fs");
    expect(readFileSync(path.join(folder, "calls"), "utf8")).toBe("called\n");
  });

  const silent = [
    { name: "that fails", body: "exit 1", words: "gave no credentials (exit code 1)" },
    { name: "that prints nonsense", body: "echo hello", words: "prints no credentials" },
    { name: "that hangs", body: "sleep 100", words: "takes too long" },
  ];
  for (const { name, body, words } of silent) {
    it(`${name} is told`, async () => {
      const env = helper("pass", body);
      expect((await signedIn([config({ credsStore: "pass" })], { run: { env }, limits: { helperMs: 300 } })).failure?.reason).toContain(words);
    });
  }

  it("that is none of those that are known is never started", async () => {
    const env = helper("evil", `touch ${folder}/started`);
    const { failure } = await signedIn([config({ credsStore: "evil", credHelpers: { [registry.host]: "../../bin/evil" } })], { run: { env } });
    expect(failure?.reason).toContain("none of those that are known");
    const { existsSync } = await import("node:fs");
    expect(existsSync(path.join(folder, "started"))).toBe(false);
  });

  it("that a pull secret names is never started", async () => {
    const env = helper("ecr-login", `touch ${folder}/started`);
    const { failure } = await signedIn([], { run: { env }, settings: { pullSecrets: ["mesh/registry"] }, kubernetes: secret({ credHelpers: { [registry.host]: "ecr-login" } }) });
    expect(failure?.reason).toContain("what a cluster names is never started");
    const { existsSync } = await import("node:fs");
    expect(existsSync(path.join(folder, "started"))).toBe(false);
  });
});

function secret(content: unknown, asked: string[] = []): () => Promise<KubernetesApi> {
  const get = (_resource: unknown, namespace: string, name: string) => {
    asked.push(`${namespace}/${name}`);
    if (content instanceof Error) return Promise.reject(content);
    return Promise.resolve(content === undefined ? undefined : { data: { ".dockerconfigjson": b64(JSON.stringify(content)) } });
  };
  return () => Promise.resolve({ get } as unknown as KubernetesApi);
}

describe("a pull secret", () => {
  beforeEach(() => void (registry.guard = { authorization: BASIC, challenge: "Basic realm=r" }));

  it("that the fleet names signs in; no other is read", async () => {
    const asked: string[] = [];
    const found = await signedIn([], { settings: { pullSecrets: ["mesh/registry"] }, kubernetes: secret(auths({ auth: b64(`me:${SECRET}`) }), asked) });
    expect(found.module?.wasmSha256).toBe(hex(module));
    expect(asked).toEqual(["mesh/registry"]);
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });

  it("is not read where nobody asks for credentials", async () => {
    registry.guard = undefined;
    const asked: string[] = [];
    await signedIn([], { settings: { pullSecrets: ["mesh/registry"] }, kubernetes: secret({}, asked) });
    expect(asked).toEqual([]);
  });

  const faults = [
    { name: "that does not exist", content: undefined, words: "does not exist" },
    { name: "that may not be read", content: new CollectError("`reader` may not get `secrets`", { remedy: "" }), words: "may not get `secrets`" },
    { name: "of another kind", content: "text", words: "holds no `.dockerconfigjson`" },
  ];
  for (const { name, content, words } of faults) it(`${name} is told`, async () => expect((await signedIn([], { settings: { pullSecrets: ["mesh/registry"] }, kubernetes: secret(content) })).failure?.reason).toContain(words));
});
