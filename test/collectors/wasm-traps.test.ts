import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fact, SignatureArtifact, SignaturePolicy, WasmModule } from "#engine";
import { identityPatternRisk } from "#values";
import { openSignatures } from "../../clients/signatures/index.ts";
import { sigstore } from "../../clients/signatures/sigstore.ts";
import { makeVerifier } from "../../clients/signatures/verifier.ts";
import { loadedModules } from "../../collectors/kubernetes/readers/wasm-dump.ts";
import kubernetes from "../../collectors/kubernetes/collector.ts";
import kind from "../../kinds/wasm-identical/kind.ts";
import type { Spec } from "../../kinds/wasm-identical/spec.ts";
import { statementOf } from "../clients/signatures/cosign/bundles.ts";
import { artifactOf, bundleBy, DIGEST, fileOf, INDEX, materialOf, oldBy, OTHER, simpleSigning, type Pair } from "../clients/signatures/material.ts";
import { other, ours, promised, proven, rootOf, verify } from "../clients/signatures/own-log.ts";
import { FaultServer, reaching } from "../clients/registry/server.ts";
import { makeAuthority, makeCertificate } from "../parts/certificates.ts";
import { scratchFolder } from "../parts/process.ts";
import { bundleFor, descriptor, imageOf, layouts, legacySignature, manifestOf, TYPES, type PushedImage } from "../support/images.ts";
import { drain, FakeCluster } from "../support/kubernetes.ts";
import { archiveOf, hex, pax, tarOf, wasmModule } from "../support/wasm.ts";
import { asked, h, image as imageFact, loaded, module as moduleFact, place } from "../support/wasm-facts.ts";
import { clusterOf, judge, resultOf, type Said } from "../support/world.ts";

const module = wasmModule();
const changed = wasmModule({ padding: 1 });
const image = layouts.oci(module);
const NAME = "wasm/auth";
const TAG = image.digest.replace(":", "-");
const ISSUER = "https://issuer.example";
const IDENTITY = "https://github.com/acme/mesh/.github/workflows/release.yml@refs/tags/v1";
const V2 = `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${ISSUER}`;

let server: FaultServer;
beforeEach(async () => {
  server = await FaultServer.open();
  server.put(NAME, "v1", image);
});
afterEach(() => server.close());

const oci = (tag = ":v1") => `oci://${server.host}/${NAME}${tag}`;
const read = (reference = oci(), opening: Parameters<typeof reaching>[1] = {}) => reaching([server.host], opening).visit().module(reference);
const failure = async (...given: Parameters<typeof read>) => (await read(...given)).failure?.kind;
const answers = (tag: string, bytes: Buffer | string, headers: Readonly<Record<string, string>>) => server.on(`/v2/${NAME}/manifests/${tag}`, (_, response) => void response.writeHead(200, headers).end(bytes));
const bodyOf = (layer: Buffer) => server.on(`/v2/${NAME}/blobs/sha256:${hex(archiveOf(module))}`, (_, response) => void response.end(layer));
const signatures = (limits = {}) => reaching([server.host], { limits }).visit().signatures({ reference: oci(), manifestDigest: image.digest, topDigest: image.digest });
const tarred = (...entries: Parameters<typeof tarOf>[0]): PushedImage => imageOf([{ type: TYPES.ociLayer, bytes: gzipSync(tarOf(entries)) }]);

const KEYS: SignaturePolicy = { keys: [fileOf("release.pub", ours.pem)] };
const says = async (artifacts: readonly SignatureArtifact[], policy = KEYS, more = {}) => openSignatures().verify(materialOf(artifacts, more), policy);
const verdict = async (artifact: SignatureArtifact, policy = KEYS, more = {}) => (await says([artifact], policy, more)).verdict;

/** An authority of our own, a certificate of it for the identity, and a root that names it and the log of our own. */
let leaf: { readonly pair: Pair; readonly pem: string };
let root: string;
const keyless = (more: Partial<Record<"issuer" | "identity" | "identityPattern", string>> = { identity: IDENTITY }, trustedRoot = root): SignaturePolicy => ({ keyless: [{ issuer: ISSUER, ...more }], trustedRoot: fileOf("root.json", trustedRoot) });
beforeAll(async () => {
  const folder = await scratchFolder("traps");
  const authority = await makeAuthority(folder, "authority");
  const files = await makeCertificate(folder, authority, { name: "leaf", subject: "/CN=leaf", altNames: [`URI:${IDENTITY}`], extensions: ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=codeSigning", V2] });
  const pem = await readFile(files.cert, "utf8");
  const publicKey = createPublicKey(pem);
  leaf = { pem, pair: { publicKey, privateKey: createPrivateKey(await readFile(files.key, "utf8")), pem: String(publicKey.export({ type: "spki", format: "pem" })), hint: "" } };
  const rawBytes = new X509Certificate(await readFile(authority.cert)).raw.toString("base64");
  root = JSON.stringify({ ...(JSON.parse(rootOf()) as object), certificateAuthorities: [{ subject: { organization: "acme", commonName: "authority" }, uri: "https://ca.example", certChain: { certificates: [{ rawBytes }] }, validFor: { start: "2026-01-01T00:00:00Z" } }] });
});
/** Seconds at which the log has seen it: the authority is made by this test, and counts from then on. */
const madeAt = Math.floor(Date.now() / 1000) + 3_600;
const certified = (more = {}) => promised({ signer: leaf.pair, certificate: leaf.pem, time: madeAt, ...more });

const ECR = "oci://ecr.example/wasm/authz:1";
const GAR = "oci://gar.example/wasm/authz:1";
const PLAIN: Spec = { mapping: {}, presence: "everywhere", pinned: false, loaded: false, maxProbes: 500 };
const world = (facts: readonly Fact[], clusters = ["eks", "gke"]) => ({ clusters: clusters.map((name) => clusterOf(name)), facts: [...clusters.map((name) => place(name)), ...facts] });
const say = (facts: readonly Fact[], spec: Partial<Spec> = {}): Said => judge(kind, { ...PLAIN, ...spec }, world(facts));
const result = (facts: readonly Fact[], spec: Partial<Spec> = {}, clusters = ["eks", "gke"]) => resultOf(kind, { ...PLAIN, ...spec }, world(facts, clusters), {}).verdict;
const both = (eks: string | WasmModule["code"] = ECR, gke: string | WasmModule["code"] = GAR) => [moduleFact("eks", "shop/authz", eks), moduleFact("gke", "shop/authz", gke)];
const seen = [...both(), imageFact("eks", ECR, { manifest: "1", wasm: "a" }), imageFact("gke", GAR, { manifest: "1", wasm: "a" })];

/** What somebody may try, and what must come of it. Each row shows what is refused and, where there is one, what is like it and is not. */
const TRAPS: Readonly<Record<number, readonly [trap: string, shows: () => Promise<void> | void]>> = {
  1: ["a tag that is moved between its bytes and its signature", async () => {
    const look = reaching([server.host]);
    const before = await look.visit().module(oci());
    server.put(NAME, "v1", layouts.oci(changed)).put(NAME, `${TAG}.sig`, legacySignature(["of the first"]));
    const after = await look.visit().module(oci());
    expect([after.manifestDigest, after.module?.wasmSha256]).toEqual([before.manifestDigest, hex(module)]);
    const { artifacts } = await look.visit().signatures({ reference: oci(), manifestDigest: after.manifestDigest ?? "", topDigest: after.topDigest ?? "" });
    expect(artifacts.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["of the first"]);
  }],
  2: ["a registry that says another digest than its bytes have", async () => {
    answers("v1", image.bytes, { "content-type": TYPES.oci, "docker-content-digest": OTHER });
    expect(await failure()).toBe("wrong-digest");
  }],
  3: ["digests of another kind, in capitals, or short", async () => {
    for (const digest of [`sha512:${"0".repeat(128)}`, `sha256:${"A".repeat(64)}`, "sha256:00"]) {
      answers("v1", image.bytes, { "content-type": TYPES.oci, "docker-content-digest": digest });
      expect([digest, await failure()]).toEqual([digest, "unsupported"]);
      expect([digest, await failure(oci(`@${digest}`))]).toEqual([digest, "invalid"]);
    }
  }],
  4: ["a manifest that is two things to two readers", async () => {
    const document = JSON.parse(image.bytes.toString()) as object;
    for (const more of [{ manifests: [] }, { mediaType: TYPES.docker }, { Layers: [] }]) {
      answers("v1", JSON.stringify({ ...document, ...more }), { "content-type": TYPES.oci });
      expect([more, await failure()]).toEqual([more, "unsupported"]);
    }
  }],
  5: ["a signature on the index, and the manifest runs; or the other way round", async () => {
    expect((await says([bundleBy(ours, INDEX)], KEYS, { indexDigest: INDEX })).found).toMatchObject([{ verdict: "valid", on: "index" }]);
    expect((await says([bundleBy(ours, DIGEST)], KEYS, { indexDigest: INDEX })).found).toMatchObject([{ verdict: "valid", on: "manifest" }]);
    expect(await verdict(bundleBy(ours, INDEX))).toBe("invalid");
  }],
  6: ["bodies without end, of another length than they say, or that never come", async () => {
    bodyOf(Buffer.concat([archiveOf(module), Buffer.alloc(1)]));
    expect(await failure()).toBe("wrong-digest");
    bodyOf(archiveOf(module).subarray(0, -1));
    expect(await failure()).toBeDefined();
    server.on(`/v2/${NAME}/manifests/v1`, (_, response) => { response.writeHead(200, { "content-type": TYPES.oci }); const more = () => { while (response.write(Buffer.alloc(1 << 20))) continue; }; response.on("drain", more); more(); });
    expect(await failure()).toBe("too-large");
    server.on(`/v2/${NAME}/manifests/v1`, () => undefined);
    expect(await failure()).toBe("unreachable");
  }],
  7: ["a few bytes that unpack to gigabytes", async () => {
    server.put(NAME, "v1", tarred({ name: "plugin.wasm", bytes: Buffer.alloc(4 << 20) }));
    expect(await failure(oci(), { limits: { moduleBytes: 1 << 20 } })).toBe("too-large");
  }],
  8: ["names that lead elsewhere, links, two files of one name, longer names behind headers, sums that are wrong", async () => {
    const cases: readonly (readonly [PushedImage, string])[] = [
      [tarred({ name: "../../../plugin.wasm", bytes: module }), hex(module)],
      [tarred({ name: "plugin.wasm", bytes: module }, { name: "plugin.wasm", bytes: changed }), hex(module)],
      [tarred({ name: "x", type: "x", bytes: pax("path", "a/plugin.wasm") }, { name: "no", bytes: module }), hex(module)],
      [tarred({ name: "plugin.wasm", type: "2" }), "unsupported"],
      [tarred({ name: "plugin.wasm", type: "3" }), "unsupported"],
      [tarred({ name: "plugin.wasm", bytes: module, size: 1 << 20 }), "unsupported"],
      [imageOf([{ type: TYPES.ociLayer, bytes: gzipSync(tarOf([{ name: "plugin.wasm", bytes: module }]).fill(1, 148, 150)) }]), "unsupported"],
    ];
    for (const [index, [pushed, expected]] of cases.entries()) {
      const found = await reaching([server.put(NAME, `t${index}`, pushed).host]).visit().module(oci(`:t${index}`));
      expect([index, found.module?.wasmSha256 ?? found.failure?.kind]).toEqual([index, expected]);
    }
  }],
  9: ["credentials behind a redirect, at a token server, at another registry", async () => {
    const elsewhere = await FaultServer.open();
    const folder = await scratchFolder("docker");
    const basic = Buffer.from("me:secret").toString("base64");
    await writeFile(path.join(folder, "config.json"), JSON.stringify({ auths: { [server.host]: { auth: basic } } }));
    const open = () => reaching([server.host, elsewhere.host], { settings: { credentials: [path.join(folder, "config.json")] } }).visit();
    server.guard = { authorization: `Basic ${basic}`, challenge: "Basic realm=r" };
    server.on(`/v2/${NAME}/blobs/sha256:${hex(archiveOf(module))}`, (_, response) => void response.writeHead(307, { location: `http://${elsewhere.host}/there` }).end());
    elsewhere.on("/there", (_, response) => void response.end(archiveOf(module))).put(NAME, "v1", image);
    expect((await open().module(oci())).module?.wasmSha256).toBe(hex(module));
    await open().module(`oci://${elsewhere.host}/${NAME}:v1`);
    server.guard = { authorization: "Bearer x", challenge: 'Bearer realm="http://token.example/"' };
    expect((await open().module(oci())).failure?.kind).toBe("refused");
    expect(elsewhere.asked.filter((line) => line.includes("Basic"))).toEqual([]);
    await elsewhere.close();
  }],
  10: ["an address of a metadata service, behind whatever spelling, redirect or name", async () => {
    for (const host of ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]", "0xa9fea9fe"]) {
      expect([host, (await reaching([host, `${host}:80`]).visit().module(`http://${host}/latest`)).failure?.kind]).toEqual([host, "refused"]);
    }
    server.on(`/v2/${NAME}/manifests/v1`, (_, response) => void response.writeHead(302, { location: "https://169.254.169.254/" }).end());
    expect(await failure()).toBe("refused");
    expect(await failure(oci(), { settings: { privateHosts: [] } })).toBe("refused");
  }],
  11: ["a good signature of another image", async () => {
    for (const artifact of [bundleBy(ours, OTHER), oldBy(ours, simpleSigning(OTHER))]) expect(await says([artifact])).toMatchObject({ verdict: "invalid", reason: expect.stringContaining("another image") });
  }],
  12: ["nobody who may sign", async () => {
    for (const policy of [{}, { keyless: [] }, { keyless: [{ issuer: ISSUER }] }]) expect([policy, await verdict(bundleBy(ours), policy)]).toEqual([policy, "unknown"]);
    expect([...(kind.check?.({ ...PLAIN, signature: { required: true } }) ?? [])]).toHaveLength(1);
  }],
  13: ["an identity that only looks like the allowed one", async () => {
    expect(await says([certified()], keyless())).toMatchObject({ verdict: "valid", found: [{ issuer: ISSUER, identity: IDENTITY, time: new Date(madeAt * 1000).toISOString() }] });
    expect(await verdict(certified(), keyless({ identityPattern: IDENTITY.replace("release", "*") }))).toBe("valid");
    const unlike = [{ identity: IDENTITY.slice(0, -1) }, { identity: IDENTITY.toUpperCase() }, { identityPattern: "acme/mesh" }, { identityPattern: IDENTITY.slice(8) }, { identityPattern: IDENTITY.replace("github.com", "github?com").replace("acme", "evil") }];
    for (const named of unlike) expect([named, await verdict(certified(), keyless(named))]).toEqual([named, "wrong-identity"]);
    expect(await verdict(certified(), keyless({ identityPattern: "(a+)+$" }))).toBe("unknown");
  }],
  14: ["the right identity by another issuer", async () => {
    expect(await verdict(certified(), keyless({ issuer: "https://accounts.example", identity: IDENTITY }))).toBe("wrong-identity");
    expect(await verdict(certified(), keyless({ issuer: "", identity: IDENTITY }))).toBe("unknown");
  }],
  15: ["a pattern that lets a workflow of any branch sign", () => {
    expect(identityPatternRisk("https://github.com/acme/mesh/.github/workflows/release.yml@*")?.risk).toContain("any branch");
    expect(identityPatternRisk("https://github.com/acme/mesh/.github/workflows/release.yml@refs/tags/*")).toBeUndefined();
  }],
  16: ["a certificate, and nobody who says when it signed", async () => {
    const { "dev.sigstore.cosign/bundle": _, ...annotations } = certified().annotations;
    const timeless = { ...certified(), annotations: { ...annotations, "org.opencontainers.image.created": "2026-05-01T12:00:00Z" } };
    expect(await says([timeless], { ...keyless(), log: false })).toMatchObject({ verdict: "invalid", reason: expect.stringContaining("says not when") });
    expect(await verdict(certified(), { ...keyless(), log: false })).toBe("valid");
  }],
  17: ["a time that no log has promised", async () => {
    expect(await verdict(certified({ told: madeAt + 1 }), keyless())).toBe("invalid");
    expect(await verdict(certified({ by: other.privateKey }), keyless())).toBe("invalid");
    expect((await verify(proven())).found).toMatchObject([{ verdict: "valid", log: "https://rekor2.test" }]);
    expect((await verify(proven())).found[0]?.time).toBeUndefined();
  }],
  18: ["annotations that say what was not signed", async () => {
    const provenance = { statement: statementOf(DIGEST, { predicateType: "https://slsa.dev/provenance/v1" }) };
    const annotations = { "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1", "org.opencontainers.image.created": "2026-05-01T12:00:00Z" };
    expect(await verdict({ ...bundleBy(ours, DIGEST, provenance), annotations })).toBe("unsigned");
    expect(await verdict({ ...bundleBy(ours), annotations: { "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1" } })).toBe("valid");
    expect(await verdict(oldBy(leaf.pair, simpleSigning(DIGEST), { "dev.sigstore.cosign/chain": leaf.pem }))).not.toBe("valid");
  }],
  19: ["an attestation of somebody who may sign", async () => {
    expect(await says([bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { predicateType: "https://spdx.dev/Document" }) })])).toMatchObject({ verdict: "unsigned", found: [], attestations: [{ predicateType: "https://spdx.dev/Document" }] });
  }],
  20: ["a payload of another type", async () => {
    for (const type of ["application/json", "application/vnd.in-toto+json; x", "APPLICATION/VND.IN-TOTO+JSON"]) expect([type, await verdict(bundleBy(ours, DIGEST, { type }))]).toEqual([type, "invalid"]);
  }],
  21: ["a key where certificates may sign, a certificate where keys may", async () => {
    expect(await verdict(bundleBy(ours), keyless())).toBe("wrong-identity");
    expect(await verdict(certified())).toBe("wrong-identity");
    expect(await verdict(bundleBy(other, DIGEST, { hint: ours.hint }))).toBe("invalid");
  }],
  22: ["an entry in a log about another key", async () => {
    for (const artifact of [promised({ key: other }), proven({ key: other })]) expect(await verify(artifact)).toMatchObject({ verdict: "invalid", reason: expect.stringContaining("names another key") });
    expect((await verify(promised())).verdict).toBe("valid");
  }],
  23: ["bad signatures beside a good one, and very many of them", async () => {
    expect((await says([...Array.from({ length: 1_000 }, (_, index) => bundleBy(other, DIGEST, { hint: `${index}` })), bundleBy(ours)])).verdict).toBe("valid");
    server.put(NAME, `${TAG}.sig`, legacySignature(Array.from({ length: 1_000 }, (_, index) => `${index}`)));
    const material = await signatures();
    expect([material.artifacts.length, material.unread]).toEqual([100, [expect.objectContaining({ kind: "too-large" })]]);
    expect((await openSignatures().verify(material, KEYS)).verdict).toBe("unknown");
  }],
  24: ["a fallback tag that was deleted, and a registry that does not answer", async () => {
    expect((await openSignatures().verify(await signatures(), KEYS)).verdict).toBe("unsigned");
    for (const status of [401, 429, 500]) {
      server.on(`/v2/${NAME}/manifests/${TAG}`, (_, response) => void response.writeHead(status).end());
      expect([status, (await openSignatures().verify(await signatures(), KEYS)).verdict]).toEqual([status, "unknown"]);
    }
  }],
  25: ["a list that lies about what refers to the image", async () => {
    const [bundle, foreign] = [bundleFor(image, "ours"), bundleFor(layouts.oci(changed), "another's")];
    server.put(NAME, bundle.digest, bundle).put(NAME, foreign.digest, foreign);
    server.put(NAME, TAG, manifestOf(TYPES.index, { mediaType: TYPES.index, manifests: [descriptor(TYPES.oci, bundle.bytes, { artifactType: "application/vnd.oci.empty.v1+json" }), descriptor(TYPES.oci, foreign.bytes, { artifactType: TYPES.bundle, subject: descriptor(TYPES.oci, image.bytes) })] }));
    expect((await signatures()).artifacts.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["ours"]);
  }],
  26: ["fields twice, or in another spelling", async () => {
    const statement = JSON.stringify(statementOf(DIGEST));
    for (const twin of ['"subject":[],"subject"', '"Subject":[],"subject"', '"ſubject":[],"subject"']) expect([twin, await verdict(bundleBy(ours, DIGEST, { statement: statement.replace('"subject"', twin) }))]).toEqual([twin, "invalid"]);
    expect(await verdict(oldBy(ours, { ...simpleSigning(DIGEST), Critical: {} }))).toBe("invalid");
  }],
  27: ["base64 and PEM with junk in them", async () => {
    const bundle = JSON.parse(Buffer.from(bundleBy(ours).bytes).toString()) as { dsseEnvelope: { payload: string } };
    expect(await verdict(artifactOf({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: `${bundle.dsseEnvelope.payload}\n` } }))).toBe("invalid");
    for (const pem of [`${leaf.pem}${leaf.pem}`, `junk\n${leaf.pem}`]) expect(await verdict({ ...certified(), annotations: { ...certified().annotations, "dev.sigstore.cosign/certificate": pem } }, keyless())).toBe("invalid");
  }],
  28: ["a trusted root that does not say since when, or another one", async () => {
    expect(await verdict(certified(), keyless(undefined, root.replaceAll('"start":', '"begin":')))).toBe("unknown");
    const [first, second] = await Promise.all([says([certified()], keyless()), says([certified()], keyless(undefined, `${root} `))]);
    expect([first.trustedRoot, first.trustedRoot === second.trustedRoot]).toEqual([fileOf("", root).sha256, false]);
  }],
  29: ["a pull secret in what proxies and objects tell", async () => {
    const secret = "eyJhdXRocyI6e319";
    const machine = { runtime: "v8", code: { local: { filename: `/var/lib/istio/data/${h("f")}/${h("1")}.wasm` } }, environment_variables: { key_values: { ISTIO_META_WASM_IMAGE_PULL_SECRET: secret } } };
    expect(JSON.stringify(loadedModules(JSON.stringify({ configs: [{ ecds_filters: [{ ecds_filter: { name: "shop.authz", typed_config: { config: { vm_config: machine } } } }] }] })))).not.toContain(secret);
    const plugin = (url: string) => ({ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name: "authz", namespace: "shop" }, spec: { url, vmConfig: { env: [{ name: "A", value: secret }] } } });
    const plugins = [`https://me:${secret}@files.example/a`, `https://files.example/a?sig=${secret}`].map(plugin);
    expect(JSON.stringify(await drain(kubernetes.collect(clusterOf("eks"), [{ fact: "wasm-modules" }], new FakeCluster({ lists: { wasmplugins: plugins } }))))).not.toContain(secret);
    expect(JSON.stringify((await read(`http://me:${secret}@${server.host}/a`)).failure)).not.toContain(secret);
  }],
  30: ["what is declared, taken for what runs", () => {
    expect(say(seen).infos[0]?.message).toContain("is declared as");
    const kept = { state: "loaded", folder: h("f"), checksum: h("9"), runtime: "v8" } as const;
    const stale = [...seen, asked("eks", 1), asked("gke", 1), loaded("eks", "shop/authz", kept), loaded("gke", "shop/authz", { ...kept, checksum: h("1") }), imageFact("eks", `oci://ecr.example/wasm/authz@sha256:${h("9")}`, { manifest: "9", wasm: "b" })];
    expect(say(stale, { loaded: true }).faults.map(({ message }) => message).join()).toContain("the tag was moved");
  }],
  31: ["a filter in the place of a module that could not be fetched", () => {
    for (const filter of ["allow", "deny"] as const) {
      const facts = [...seen, asked("eks", 1), asked("gke", 1), loaded("eks", "shop/authz", { state: "failed", filter }), loaded("gke", "shop/authz", { state: "loaded", folder: h("f"), checksum: h("1"), runtime: "v8" })];
      expect(say(facts, { loaded: true }).faults.map(({ message }) => message).join()).toContain("could not fetch `shop/authz`");
    }
  }],
  32: ["files of the proxy, code of Envoy, bytes in the object", () => {
    const file = { source: "file", path: "/etc/a.wasm" } as const;
    expect(result(both(file, file))).toBe("undecided");
    expect(say(both({ source: "native", name: "stats" }, { source: "native", name: "stats" })).judged).toBe(0);
    const inline = { source: "inline", wasmSha256: h("a"), size: 1 } as const;
    expect(say(both(inline, inline), { signature: { required: true, keys: [fileOf("k", "k")] } }).faults.map(({ message }) => message).join()).toContain("is not signed");
    expect(result(both(inline, inline))).toBe("holds");
  }],
  33: ["nothing at all, or one cluster", () => {
    expect(result([])).toBe("undecided");
    expect(result([moduleFact("eks", "shop/authz", ECR), imageFact("eks", ECR, { manifest: "1", wasm: "a" })], {}, ["eks"])).toBe("undecided");
    expect(result(seen)).toBe("holds");
  }],
  34: ["the digest of an image compared with that of bytes", () => {
    const http = { source: "http", reference: "https://files.example/a", sha256: h("a"), by: "agent" } as const;
    const facts = (wasm: string) => [...both({ source: "oci", reference: ECR, sha256: h("1"), by: "agent" }, http), imageFact("eks", ECR, { manifest: "1", wasm }), imageFact("gke", http.reference, { wasm: "a" })];
    expect([result(facts("a")), result(facts("b"))]).toEqual(["holds", "violated"]);
    // Equal fields, other bytes.
    expect(result([...both({ source: "oci", reference: ECR, sha256: h("a"), by: "agent" }, http), imageFact("eks", ECR, { manifest: "a", wasm: "b" }), imageFact("gke", http.reference, { wasm: "a" })])).toBe("violated");
  }],
  35: ["a result that is remembered under a name that may be moved", async () => {
    const verifier = makeVerifier(await sigstore());
    // One artifact: signing again would give another.
    const artifact = bundleBy(ours);
    const of = async (more: object, policy = KEYS) => (await verifier.verify(materialOf([artifact], more), policy)).verdict;
    expect([await of({}), await of({ manifestDigest: OTHER }), await of({}, { keys: [fileOf("release.pub", other.pem)] }), await of({})]).toEqual(["valid", "invalid", "wrong-identity", "valid"]);
  }],
};

describe("traps of modules and signatures", () => {
  for (const [number, [trap, shows]] of Object.entries(TRAPS)) it(`${number}: ${trap}`, shows);

  it("are 35, and none is left out", () => expect(Object.keys(TRAPS).map(Number)).toEqual(Array.from({ length: 35 }, (_, index) => index + 1)));
});
