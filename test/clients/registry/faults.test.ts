import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectError } from "#engine";
import { imageOf, indexOf, layouts, TYPES } from "../../support/images.ts";
import { archiveOf, hex, tarOf, wasmModule } from "../../support/wasm.ts";
import { FaultServer, quick, reaching } from "./server.ts";

const module = wasmModule();
const image = layouts.oci(module);
const manifest = (tag: string) => `/v2/wasm/auth/manifests/${tag}`;
const blob = `/v2/wasm/auth/blobs/sha256:${hex(archiveOf(module))}`;

let server: FaultServer;
beforeEach(async () => {
  server = await FaultServer.open();
  server.put("wasm/auth", "v1", image);
});
afterEach(() => server.close());

const oci = (tag = ":v1") => `oci://${server.host}/wasm/auth${tag}`;
const read = (reference = oci(), opening: Parameters<typeof reaching>[1] = {}) => reaching([server.host], opening).visit().module(reference);

describe("a registry that is well", () => {
  it("gives digests, form and bytes of a module", async () => {
    expect(await read()).toEqual({
      reference: oci(),
      topDigest: image.digest,
      manifestDigest: image.digest,
      layout: "oci",
      module: { wasmSha256: hex(module), size: module.length, abi: "0.2.1", model: "core", imports: ["env"] },
    });
  });

  for (const layout of ["oci", "docker", "solo", "cncf", "cosign"] as const) {
    it(`gives the same module in the form ${layout}`, async () => {
      server.put("wasm/auth", layout, layouts[layout](module));
      expect(await read(oci(`:${layout}`))).toMatchObject({ layout, module: { wasmSha256: hex(module) } });
    });
  }

  it("gives of an index the child that Istio's agent takes: the first for linux/amd64, or the first that names no platform", async () => {
    const [arm, amd, bare] = [1, 2, 3].map((padding) => layouts.oci(wasmModule({ padding })));
    if (arm === undefined || amd === undefined || bare === undefined) throw new Error("no images");
    const first = indexOf([[arm, "linux/arm64"], [amd, "linux/amd64"], [bare]]);
    const second = indexOf([[arm, "linux/arm64"], [bare], [amd, "linux/amd64"]], TYPES.dockerList);
    server.put("wasm/auth", "first", first).put("wasm/auth", "second", second).put("wasm/auth", "arm", indexOf([[arm, "linux/arm64"]])).put("wasm/auth", "nested", indexOf([[indexOf([[amd]])]]));
    expect(await read(oci(":first"))).toMatchObject({ topDigest: first.digest, manifestDigest: amd.digest });
    expect(await read(oci(":second"))).toMatchObject({ topDigest: second.digest, manifestDigest: bare.digest });
    expect((await read(oci(":arm"))).failure).toMatchObject({ kind: "unsupported", reason: expect.stringContaining("linux/amd64") });
    expect((await read(oci(":nested"))).failure).toMatchObject({ kind: "unsupported", reason: expect.stringContaining("another index") });
  });

  it("is asked for a tag once in a look, by whichever cluster; digests after that", async () => {
    const registries = reaching([server.host]);
    const [first, second] = [registries.visit(), registries.visit({ settings: { credentials: ["/nonexistent/config.json"] } })];
    const before = await first.module(oci());
    server.put("wasm/auth", "v1", layouts.oci(wasmModule({ padding: 9 })));
    expect(await second.module(oci())).toEqual(before);
    expect(server.asked.filter((path) => path === manifest("v1"))).toHaveLength(1);
  });

  it("is asked for bytes once, however many clusters and tags lead to them", async () => {
    const registries = reaching([server.host]);
    server.put("wasm/auth", "v2", image);
    await Promise.all([":v1", ":v2", `@${image.digest}`].flatMap((tag) => [registries.visit().module(oci(tag)), registries.visit({ settings: { mirrors: { "other.example": "x.example" } } }).module(oci(tag))]));
    expect(server.asked.filter((path) => path === blob)).toHaveLength(1);
  });
});

describe("a registry that lies", () => {
  const faults: readonly { readonly name: string; readonly set: () => void; readonly reference?: () => string; readonly kind: string; readonly words: string }[] = [
    { name: "other bytes than the digest that was asked for", set: () => server.on(manifest(image.digest), (_, response) => response.writeHead(200, { "content-type": TYPES.oci }).end("{}")), reference: () => oci(`@${image.digest}`), kind: "wrong-digest", words: "should have the digest" },
    { name: "another digest in its header than its bytes have", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(200, { "content-type": TYPES.oci, "docker-content-digest": `sha256:${"0".repeat(64)}` }).end(image.bytes)), kind: "wrong-digest", words: "should have the digest" },
    { name: "a digest of another kind in its header", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(200, { "content-type": TYPES.oci, "docker-content-digest": `sha512:${"0".repeat(128)}` }).end(image.bytes)), kind: "unsupported", words: "only SHA-256" },
    { name: "a layer that was changed", set: () => server.on(blob, (_, response) => response.end(archiveOf(module).fill(7, 40, 41))), kind: "", words: "" },
    { name: "a layer that is cut off", set: () => server.on(blob, (_, response) => response.end(archiveOf(module).subarray(0, -4))), kind: "", words: "" },
    { name: "a layer with more behind it", set: () => server.on(blob, (_, response) => response.end(Buffer.concat([archiveOf(module), Buffer.alloc(10)]))), kind: "wrong-digest", words: "should have the digest" },
    { name: "a layer shorter than its Content-Length", set: () => server.on(blob, (_, response) => { response.writeHead(200, { "content-length": 10_000 }); response.write(archiveOf(module).subarray(0, 50)); setTimeout(() => response.destroy(), 20); }), kind: "unreachable", words: "before the answer is whole" },
    { name: "a web page in place of a manifest", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>sign in</html>")), kind: "unreachable", words: "a web page" },
    { name: "a web page that says that there is nothing", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(404, { "content-type": "text/html" }).end("<html>")), kind: "unreachable", words: "a web page" },
    { name: "no such image", set: () => undefined, reference: () => oci(":none"), kind: "not-found", words: "has no `wasm/auth:none`" },
    { name: "no such layer", set: () => server.on(blob, (_, response) => response.writeHead(404).end()), kind: "not-found", words: "lacks the blob" },
    { name: "a manifest without end", set: () => server.on(manifest("v1"), (_, response) => { response.writeHead(200, { "content-type": TYPES.oci }); const more = () => { while (response.write(Buffer.alloc(1 << 20))) continue; }; response.on("drain", more); more(); }), kind: "too-large", words: "more than 4 MiB" },
    { name: "429 for ever", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(429, { "retry-after": "3600" }).end()), kind: "throttled", words: "429" },
    { name: "500", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(500).end("secret stack trace")), kind: "unreachable", words: "answers 500" },
    { name: "403", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(403).end()), kind: "unauthorized", words: "wants credentials" },
    { name: "401 without a way to sign in", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(401).end()), kind: "unauthorized", words: "none are known" },
    { name: "a redirect to itself", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(302, { location: manifest("v1") }).end()), kind: "unreachable", words: "redirects more than 5 times" },
    { name: "a redirect to nowhere", set: () => server.on(manifest("v1"), (_, response) => response.writeHead(302).end()), kind: "unreachable", words: "without saying where" },
    { name: "a redirect to a metadata service", set: () => server.on(blob, (_, response) => response.writeHead(307, { location: "http://169.254.169.254/latest/meta-data" }).end()), kind: "refused", words: "without TLS" },
    { name: "a redirect to a metadata service over TLS", set: () => server.on(blob, (_, response) => response.writeHead(307, { location: "https://169.254.169.254/latest" }).end()), kind: "refused", words: "metadata service" },
    { name: "a redirect to a file", set: () => server.on(blob, (_, response) => response.writeHead(307, { location: "file:///etc/passwd" }).end()), kind: "refused", words: "no http or https URL" },
    { name: "silence", set: () => server.on(manifest("v1"), () => undefined), kind: "unreachable", words: "gave no answer in time" },
    { name: "a body that stops", set: () => server.on(blob, (_, response) => { response.writeHead(200); response.write(archiveOf(module).subarray(0, 20)); }), kind: "unreachable", words: "127.0.0.1" },
    { name: "a bomb", set: () => server.put("wasm/auth", "v1", imageOf([{ type: TYPES.ociLayer, bytes: gzipSync(tarOf([{ name: "plugin.wasm", bytes: Buffer.alloc(8 << 20) }])) }])), kind: "too-large", words: "unpacks to more than 1 MiB" },
    { name: "a layer that says that it is larger than any", set: () => server.put("wasm/auth", "v1", imageOf([{ type: TYPES.soloLayer, bytes: randomBytes(2 << 20) }, { type: "x/y", bytes: Buffer.from("x") }])), kind: "too-large", words: "more than the limit" },
    { name: "what is no module", set: () => server.put("wasm/auth", "v1", layouts.oci(Buffer.from("#!/bin/sh\necho"))), kind: "unsupported", words: "does not begin with" },
    { name: "an image of another sort", set: () => server.put("wasm/auth", "v1", imageOf([{ type: "application/vnd.oci.image.layer.v1.tar+zstd", bytes: Buffer.from("x") }])), kind: "unsupported", words: "none of the forms" },
    { name: "a docker image whose layer is of OCI", set: () => server.put("wasm/auth", "v1", imageOf([{ type: TYPES.ociLayer, bytes: archiveOf(module) }], { type: TYPES.docker })), kind: "unsupported", words: "none of the forms" },
  ];
  for (const { name, set, reference, kind, words } of faults) {
    it(`gives ${name}, and that is a failure with a reason`, async () => {
      set();
      const { failure, module: found } = await read(reference?.(), { limits: { moduleBytes: 1 << 20 } });
      expect(found).toBeUndefined();
      expect(failure).toBeDefined();
      if (kind !== "") expect(failure).toMatchObject({ kind, reason: expect.stringContaining(words) });
      expect(JSON.stringify(failure)).not.toContain("secret stack trace");
    });
  }

  it("is no longer asked once nothing came from it", async () => {
    const registries = reaching(["127.0.0.1:1"]).visit();
    expect((await registries.module("oci://127.0.0.1:1/a:v1")).failure).toMatchObject({ kind: "unreachable", reason: expect.stringContaining("refuses connections") });
    expect((await registries.module("oci://127.0.0.1:1/b:v1")).failure?.reason).toContain("refuses connections");
  });

  it("is asked again when it is only busy", async () => {
    let busy = 1;
    server.on(manifest("v1"), (_, response) => void (busy-- > 0 ? response.writeHead(503, { "retry-after": "0" }).end() : response.writeHead(200, { "content-type": TYPES.oci }).end(image.bytes)));
    expect((await read()).module?.wasmSha256).toBe(hex(module));
  });
});

describe("an address", () => {
  it("that is private is asked only where the fleet names it", async () => {
    const { failure } = await reaching([server.host], { settings: { privateHosts: [] } }).visit().module(oci());
    expect(failure).toMatchObject({ kind: "refused", remedy: expect.stringContaining("registry.privateHosts") });
    expect(server.asked).toEqual([]);
  });

  it("is checked behind its name, which may say anything", async () => {
    const named = `localhost:${server.host.split(":")[1]}`;
    const open = (privateHosts: readonly string[]) => reaching([named], { settings: { privateHosts } }).visit().module(`oci://${named}/wasm/auth:v1`);
    expect((await open([])).failure).toMatchObject({ kind: "refused", reason: expect.stringContaining("private address") });
    expect((await open([named])).module?.wasmSha256).toBe(hex(module));
  });

  it("of a metadata service is never asked, even where the fleet names it", async () => {
    for (const host of ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]", "2852039166", "0xa9fea9fe"]) {
      const { failure } = await reaching([host, `${host}:80`]).visit().module(`http://${host}/latest/meta-data`);
      expect([host, failure?.kind]).toEqual([host, "refused"]);
    }
  });

  it("without TLS is asked only where the fleet names it", async () => {
    const { failure } = await reaching([server.host], { settings: { plainHttp: [] } }).visit().module(`http://${server.host}/x`);
    expect(failure).toMatchObject({ kind: "refused", remedy: expect.stringContaining("registry.plainHttp") });
    expect((await reaching([server.host], { settings: { plainHttp: [] } }).visit().module(oci())).failure).toMatchObject({ kind: "unreachable", reason: expect.stringContaining("does not speak TLS") });
  });

  it("behind a proxy is asked only where the fleet names it: nobody here can check it", async () => {
    const { failure } = await reaching([], { run: { env: { HTTPS_PROXY: "http://proxy.example:3128" } } }).visit().module("oci://registry.example/a:v1");
    expect(failure).toMatchObject({ kind: "refused", reason: expect.stringContaining("through a proxy") });
  });

  it("that is no reference is told", async () => {
    for (const reference of ["oci://", "oci://UPPER/x", "oci://r.example/a@sha256:short", "oci://r.example/a@md5:00", "oci://r.example/../x", "oci://r.example/a b", "http://user:secret@r.example/x"]) {
      const { failure } = await read(reference);
      expect([reference, failure?.kind]).toEqual([reference, "invalid"]);
      expect(JSON.stringify(failure)).not.toContain("secret");
    }
  });
});

describe("the end of the run", () => {
  it("ends every wait, with its own reason", async () => {
    server.on(manifest("v1"), () => undefined);
    const controller = new AbortController();
    const reading = read(oci(), { signal: controller.signal, limits: { answerMs: 60_000, requestMs: 60_000 } });
    setTimeout(() => controller.abort(new CollectError("the run is over", { remedy: "" })), 20);
    await expect(reading).rejects.toThrow("the run is over");
  });

  it("of one cluster does not hurt another that waits for the same", async () => {
    let answer: (() => void) | undefined;
    server.on(manifest("v1"), (_, response) => {
      if (answer === undefined) answer = () => void response.destroy();
      else response.writeHead(200, { "content-type": TYPES.oci }).end(image.bytes);
    });
    const controller = new AbortController();
    const registries = reaching([server.host], { limits: { answerMs: 60_000, requestMs: 60_000, retries: 0 } });
    const first = registries.visit({ signal: controller.signal }).module(oci());
    const second = registries.visit().module(oci());
    setTimeout(() => controller.abort(new CollectError("its time is over", { remedy: "" })), 50);
    await expect(first).rejects.toThrow("its time is over");
    expect((await second).module?.wasmSha256).toBe(hex(module));
  });
});

describe("a module at an address", () => {
  const path = "/modules/auth.wasm";
  const at = (answer: Buffer, type = "application/wasm") => server.on(path, (_, response) => void response.writeHead(200, { "content-type": type }).end(answer));

  it("is unpacked as Istio's agent unpacks it", async () => {
    at(gzipSync(module));
    expect(await read(`http://${server.host}${path}`)).toMatchObject({ module: { wasmSha256: hex(module) }, wrapping: ["gzip"] });
  });

  const faults: readonly { readonly name: string; readonly set: () => void; readonly kind: string }[] = [
    { name: "a web page", set: () => void at(Buffer.from("<html>"), "text/html"), kind: "unreachable" },
    { name: "nothing", set: () => undefined, kind: "not-found" },
    { name: "a text", set: () => void at(Buffer.from("no module at all")), kind: "unsupported" },
    { name: "a body beyond the limit, which the agent would cut off", set: () => void at(Buffer.concat([module, randomBytes(2 << 20)])), kind: "too-large" },
    { name: "a wish for credentials", set: () => server.on(path, (_, response) => void response.writeHead(401).end()), kind: "unauthorized" },
    { name: "a redirect away from TLS or to a metadata service", set: () => server.on(path, (_, response) => void response.writeHead(302, { location: "https://169.254.169.254/" }).end()), kind: "refused" },
  ];
  for (const { name, set, kind } of faults) {
    it(`that gives ${name} is a failure with a reason`, async () => {
      set();
      expect((await read(`http://${server.host}${path}`, { limits: { moduleBytes: 1 << 20 } })).failure?.kind).toBe(kind);
    });
  }
});

it("limits in use are those of the agent where Istio has one", () => expect(quick.moduleBytes).toBe(256 << 20));
