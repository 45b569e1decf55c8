/**
 * Signs images with the real cosign against the real services, asks `cosign verify` and our verifier the same questions, and writes down what both say.
 * Runs in a network namespace of its own (see agreement.test.ts): `node ceremony.ts OUT.json`.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { Report, SignatureMaterial, SignaturePolicy, WasmSignatures } from "#engine";
import { openSignatures } from "../../../../clients/signatures/index.ts";
import { findAll } from "../../../parts/cache.ts";
import { desk, fleet } from "../../../e2e/assert.ts";
import { makeAuthority, makeCertificate, type Wanted } from "../../../parts/certificates.ts";
import { scratchFolder, start, until } from "../../../parts/process.ts";
import { ISSUER, SINCE, startSigstore } from "../../../parts/sigstore.ts";
import { bundleFor, imageOf, indexOf, layouts, push, TYPES, type PushedImage } from "../../../support/images.ts";
import { wasmModule } from "../../../support/wasm.ts";
import { reaching } from "../../registry/server.ts";
import { bundleBy, statementOf, type Bundle } from "./bundles.ts";
import { BRANCH, RELEASE, ROWS, type RowPolicy } from "./rows.ts";

const run = promisify(execFile);

/** What both said to a row. */
export interface Answer {
  readonly accepted: boolean;
  readonly said: string;
  readonly ours: WasmSignatures;
}

/** All that a ceremony leaves behind. */
export interface Ceremony {
  readonly answers: Readonly<Record<string, Answer>>;
  /** Material with bytes in base64. */
  readonly materials: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
  /** What `assert run` says of three clusters that pull from these registries; see {@link world}. */
  readonly world: {
    readonly code: number | null;
    readonly report: Report;
    readonly text: string;
    /** Does `cosign verify` accept the image of `CLUSTER/NAME`, by the key or by the identity that the assertion allows? */
    readonly accepted: Readonly<Record<string, boolean>>;
  };
}

const found = await findAll(["cosign", "fulcio", "tesseract", "rekor-server", "timestamp-server", "referrers-registry", "distribution"]);
if ("missing" in found) throw new Error(found.missing);
const parts = found;
const folder = await scratchFolder("signatures");
const at = (name: string): string => path.join(folder, name);
const REFERRERS = "127.0.0.1:7020";
const PLAIN = "127.0.0.1:7021";

await writeFile(at("distribution.yml"), `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nstorage: { filesystem: { rootdirectory: ${at("registry")} } }\nhttp: { addr: "${PLAIN}" }\n`);
const [services] = await Promise.all([
  startSigstore(parts, folder),
  start(parts["referrers-registry"], [REFERRERS], { logFile: at("referrers.log") }),
  start(parts.distribution, ["serve", at("distribution.yml")], { logFile: at("distribution.log") }),
]);
for (const host of [REFERRERS, PLAIN]) await until(host, () => fetch(`http://${host}/v2/`).then(({ ok }) => ok, () => false));

async function cosign(...words: string[]): Promise<string> {
  const { stdout } = await run(parts.cosign, words, { cwd: folder, env: { ...process.env, COSIGN_PASSWORD: "pw", HOME: folder, TUF_ROOT: at("tuf") }, maxBuffer: 16 << 20 });
  return stdout;
}

// Keys and roots.
await Promise.all(["first", "second"].map((name) => cosign("generate-key-pair", "--output-key-prefix", name)));
const kinds = [["p384", ["ecparam", "-name", "secp384r1", "-genkey", "-noout"]], ["rsa", ["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:3072"]]] as const;
for (const [name, words] of kinds) {
  await run("openssl", [...words, "-out", at(`${name}.raw`)]);
  await run("openssl", ["pkcs8", "-topk8", "-nocrypt", "-in", at(`${name}.raw`), "-out", at(`${name}.p8`)]);
  await cosign("import-key-pair", "--key", at(`${name}.p8`), "--output-key-prefix", name);
}
const others = await Promise.all(["other-ca", "plain"].map((name) => makeAuthority(folder, name)));
await run("openssl", ["genpkey", "-algorithm", "ed25519", "-out", at("other-log.key")]);
await run("openssl", ["pkey", "-in", at("other-log.key"), "-pubout", "-out", at("other-log.pub")]);
await run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at("other-ct.key")]);
await run("openssl", ["ec", "-in", at("other-ct.key"), "-pubout", "-out", at("other-ct.pub")]);
const [otherCa, plain] = others;
if (otherCa === undefined || plain === undefined) throw new Error("no authorities");
const tsaAuthority = await makeAuthority(folder, "other-tsa");
const otherStamper = await makeCertificate(folder, tsaAuthority, { name: "stamper", subject: "/O=acme/CN=stamper", extensions: ["keyUsage=critical,digitalSignature", "extendedKeyUsage=critical,timeStamping"] });
await writeFile(at("other-tsa-chain.pem"), (await readFile(otherStamper.cert, "utf8")) + (await readFile(tsaAuthority.cert, "utf8")));

const fulcio = (chain: string, end = ""): string[] => ["--fulcio", `url=${services.urls.fulcio},certificate-chain=${chain},start-time=${SINCE}${end}`];
const ct = (key: string, end = ""): string[] => ["--ctfe", `url=${services.urls.ct},public-key=${key},start-time=${SINCE},origin=test-ct${end}`];
const rekor = (key: string, end = ""): string[] => ["--rekor", `url=https://rekor.test,public-key=${key},start-time=${SINCE},origin=rekor.test${end}`];
const tsa = (chain: string, end = ""): string[] => ["--tsa", `url=${services.urls.tsa},certificate-chain=${chain},start-time=${SINCE}${end}`];
const ENDED = ",end-time=2026-01-02T00:00:00Z";
const real = { fulcio: fulcio(services.ca.cert), ct: ct(services.files.ctKey), rekor: rekor(services.files.rekorKey), tsa: tsa(services.files.tsaChain) };
const rootOf = (name: string, named: Partial<typeof real>): Promise<string> => cosign("trusted-root", "create", "--out", at(`${name}.json`), ...Object.values(named).flat());
await Promise.all([
  rootOf("tr", real),
  rootOf("tr-empty", {}),
  rootOf("tr-other-ca", { ...real, fulcio: fulcio(otherCa.cert) }),
  rootOf("tr-other-log", { ...real, rekor: rekor(at("other-log.pub")) }),
  rootOf("tr-other-ct", { ...real, ct: ct(at("other-ct.pub")) }),
  rootOf("tr-other-tsa", { ...real, tsa: tsa(at("other-tsa-chain.pem")) }),
  rootOf("tr-ended", { ...real, fulcio: fulcio(services.ca.cert, ENDED) }),
  rootOf("tr-log-ended", { ...real, rekor: rekor(services.files.rekorKey, ENDED) }),
  rootOf("tr-ct-ended", { ...real, ct: ct(services.files.ctKey, ENDED) }),
  rootOf("tr-tsa-ended", { ...real, tsa: tsa(services.files.tsaChain, ENDED) }),
  rootOf("tr-plain-ct", { fulcio: fulcio(plain.cert), tsa: real.tsa, ct: real.ct }),
  rootOf("tr-plain", { fulcio: fulcio(plain.cert), tsa: real.tsa }),
]);
const service = (name: string, url: string, version: number): string[] => [`--${name}`, `url=${url},api-version=${version},start-time=${SINCE},operator=test`, ...(name === "fulcio" ? [] : [`--${name}-config`, "ANY"])];
const used = { fulcio: service("fulcio", services.urls.fulcio, 1), rekor: service("rekor", services.urls.rekor, 2), tsa: service("tsa", services.urls.tsa, 1) };
const signingConfig = (name: string, named: Partial<typeof used>): Promise<string> => cosign("signing-config", "create", "--out", at(`${name}.json`), ...Object.values(named).flat());
await Promise.all([signingConfig("sc", used), signingConfig("sc-no-log", { fulcio: used.fulcio, tsa: used.tsa }), signingConfig("sc-empty", {})]);

// Images: each one of its own.
const images = new Map<string, { readonly reference: string; readonly image: PushedImage; readonly top: PushedImage }>();
async function place(name: string, top?: (image: PushedImage) => PushedImage): Promise<string> {
  const host = name.startsWith("plain-") ? PLAIN : REFERRERS;
  const image = layouts.oci(wasmModule({ padding: images.size + 1 }));
  const pushed = top?.(image) ?? image;
  await push(`http://${host}`, `wasm/${name}`, "v1", pushed);
  const reference = `${host}/wasm/${name}@${pushed.digest}`;
  images.set(name, { reference, image, top: pushed });
  return reference;
}
function placed(name: string): { readonly reference: string; readonly image: PushedImage } {
  const found = images.get(name);
  if (found === undefined) throw new Error(`no image ${name}`);
  return found;
}
async function attach(name: string, bundle: unknown): Promise<void> {
  const signature = bundleFor(placed(name).image, JSON.stringify(bundle));
  await push(`http://${REFERRERS}`, `wasm/${name}`, signature.digest, signature);
}
async function bundleOf(name: string): Promise<Bundle> {
  const { artifacts } = await materialOf(name);
  return JSON.parse(Buffer.from(artifacts[0]?.bytes ?? []).toString()) as Bundle;
}
function materialOf(name: string): Promise<SignatureMaterial> {
  const { reference, image, top } = images.get(name) ?? { reference: "", image: layouts.oci(wasmModule()), top: undefined };
  return reaching([REFERRERS, PLAIN], { limits: { answerMs: 20_000, requestMs: 60_000 } }).visit().signatures({ reference: `oci://${reference}`, manifestDigest: image.digest, topDigest: top?.digest ?? image.digest });
}

const OLD = ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"];
const trusted = ["--trusted-root", at("tr.json")];
const byKey = (name: string, config: string): string[] => ["--key", at(`${name}.key`), "--signing-config", at(`${config}.json`), ...trusted];
const byToken = (workflow: string, config: string): string[] => ["--identity-token", services.token(workflow), "--signing-config", at(`${config}.json`), ...trusted];
const signs: Readonly<Record<string, () => readonly string[]>> = {
  keyless: () => byToken(RELEASE, "sc"),
  "plain-keyless": () => byToken(RELEASE, "sc"),
  another: () => byToken(RELEASE, "sc"),
  branch: () => byToken(BRANCH, "sc"),
  "no-log": () => byToken(RELEASE, "sc-no-log"),
  "old-keyless": () => [...OLD, "--identity-token", services.token(RELEASE), "--fulcio-url", services.urls.fulcio, "--timestamp-server-url", services.urls.tsa, ...trusted],
  keyed: () => byKey("first", "sc-empty"),
  "plain-keyed": () => byKey("first", "sc-empty"),
  "keyed-log": () => byKey("first", "sc"),
  "old-keyed": () => [...OLD, "--key", at("first.key")],
  ...Object.fromEntries(kinds.flatMap(([name]) => [[`keyed-${name}`, () => byKey(name, "sc-empty")], [`logged-${name}`, () => byKey(name, "sc")], [`old-${name}`, () => [...OLD, "--key", at(`${name}.key`)]]])),
};
await Promise.all(Object.entries(signs).map(async ([name, words]) => {
  const reference = await place(name);
  await cosign("sign", ...words(), "--yes", reference);
}));
await place("index", (image) => indexOf([[image, "linux/amd64"]]));
await cosign("sign", ...byKey("first", "sc-empty"), "--yes", placed("index").reference);
await place("child", (image) => indexOf([[image, "linux/amd64"]]));
await cosign("sign", ...byKey("first", "sc-empty"), "--yes", placed("child").reference.replace(/@.*/, `@${placed("child").image.digest}`));
await place("unsigned");
await writeFile(at("predicate.json"), '{"buildDefinition":{"buildType":"https://acme.example/b","externalParameters":{},"resolvedDependencies":[]},"runDetails":{"builder":{"id":"https://acme.example/x"}}}');
const predicate = ["--type", "slsaprovenance1", "--predicate", at("predicate.json"), "--yes"];
await cosign("attest", ...byKey("first", "sc-empty"), ...predicate, await place("attested"));
await cosign("attest", ...OLD, "--key", at("first.key"), ...predicate, await place("old-attested"));

// What only an attacker does.
const forged = (bundle: Bundle, digest: string): Bundle => {
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString()) as { subject: { digest: { sha256: string } }[] };
  for (const subject of statement.subject) subject.digest.sha256 = digest.replace("sha256:", "");
  return { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: Buffer.from(JSON.stringify(statement)).toString("base64") } };
};
const exchanged = (bundle: Bundle, more: Partial<Bundle["verificationMaterial"]>): Bundle => ({ ...bundle, verificationMaterial: { ...bundle.verificationMaterial, ...more } });
for (const name of ["replayed", "old-replayed", "forged", "old-forged", "keyless-forged", "bad-and-good"]) await place(name);
const [keyed, keyless, another, branch] = [await bundleOf("keyed"), await bundleOf("keyless"), await bundleOf("another"), await bundleOf("branch")];
await attach("replayed", keyed);
await attach("forged", forged(keyed, placed("forged").image.digest));
await attach("keyless-forged", forged(keyless, placed("keyless-forged").image.digest));
await attach("bad-and-good", keyed);
await cosign("sign", ...byKey("first", "sc-empty"), "--yes", placed("bad-and-good").reference);
// The rest is about the image that `keyless` signs, in repositories of their own.
const { image: signed } = placed("keyless");
const variants: Readonly<Record<string, Partial<Bundle["verificationMaterial"]>>> = {
  "other-certificate": { certificate: branch.verificationMaterial.certificate ?? { rawBytes: "" } },
  "other-time": { timestampVerificationData: another.verificationMaterial.timestampVerificationData ?? { rfc3161Timestamps: [] } },
  "other-entry": { tlogEntries: another.verificationMaterial.tlogEntries ?? [] },
  "no-time": { timestampVerificationData: { rfc3161Timestamps: [] } },
};
for (const [name, more] of Object.entries(variants)) {
  await push(`http://${REFERRERS}`, `wasm/${name}`, "v1", signed);
  images.set(name, { reference: `${REFERRERS}/wasm/${name}@${signed.digest}`, image: signed, top: signed });
  await attach(name, exchanged(keyless, more));
}
// Old signatures: a payload and its annotation.
const old = (await materialOf("old-keyed")).artifacts[0];
const annotations = old?.annotations ?? {};
const oldPayload = Buffer.from(old?.bytes ?? []);
for (const [name, bytes] of [["old-replayed", oldPayload], ["old-forged", Buffer.from(oldPayload.toString().replace(placed("old-keyed").image.digest, placed("old-forged").image.digest))]] as const) {
  await push(`http://${REFERRERS}`, `wasm/${name}`, `${placed(name).image.digest.replace(":", "-")}.sig`, imageOf([{ type: TYPES.simpleSigning, bytes, annotations }]));
}

// Certificates that Fulcio would not issue.
const V1 = `1.3.6.1.4.1.57264.1.1=DER:${Buffer.from(ISSUER).toString("hex")}`;
const V2 = `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${ISSUER}`;
const usage = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"];
const code = [...usage, "extendedKeyUsage=codeSigning"];
const uri = (name: string): string => `URI:https://acme.example/${name}`;
const certificates: Readonly<Record<string, Pick<Wanted, "altNames" | "extensions" | "between">>> = {
  own: { altNames: [uri("own")], extensions: [...code, V2] },
  expired: { altNames: [uri("expired")], extensions: [...code, V2], between: ["20260101000000Z", "20260201000000Z"] },
  server: { altNames: [uri("server")], extensions: [...usage, "extendedKeyUsage=serverAuth", V2] },
  two: { altNames: [uri("first"), uri("two")], extensions: [...code, V2] },
  "no-issuer": { altNames: [uri("none")], extensions: code },
  "two-issuers": { altNames: [uri("both")], extensions: [...code, V2, V1.replace(/DER:.*/, `DER:${Buffer.from("https://accounts.example").toString("hex")}`)] },
};
await Promise.all(Object.entries(certificates).map(async ([name, wanted]) => {
  await place(name);
  const pair = await makeCertificate(folder, plain, { name: `leaf-${name}`, subject: "/O=acme/CN=leaf", ...wanted });
  await attach(name, await bundleBy(pair, statementOf(placed(name).image.digest), services.urls.tsa));
}));

// Both are asked.
const files: Record<string, string> = {};
async function fileOf(name: string): Promise<{ path: string; sha256: string; content: string }> {
  const content = (files[name] ??= await readFile(at(name), "utf8"));
  return { path: name, sha256: createHash("sha256").update(content).digest("hex"), content };
}
async function policyOf({ keys, trustedRoot, keyless: identities, log }: RowPolicy): Promise<SignaturePolicy> {
  return {
    ...(identities === undefined ? {} : { keyless: identities.map((each) => ({ ...each })) }),
    ...(keys === undefined ? {} : { keys: await Promise.all(keys.map(fileOf)) }),
    ...(trustedRoot === undefined ? {} : { trustedRoot: await fileOf(trustedRoot) }),
    ...(log === undefined ? {} : { log }),
  };
}
const verifier = openSignatures();
const answers: Record<string, Answer> = {};
const queue = [...ROWS];
await Promise.all([0, 1, 2].map(async () => {
  for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
    const { claim, image, cosign: words, policy } = row;
    const said = await cosign("verify", ...words.map((word) => word.replace(/^@/, `${folder}/`)), placed(image).reference).then(
      () => "",
      (error: unknown) => (error instanceof Error && "stderr" in error ? String(error.stderr) : String(error)).slice(-600) || "refused",
    );
    answers[claim] = { accepted: said === "", said, ours: await verifier.verify(await materialOf(image), await policyOf(policy)) };
  }
}));

const materials: Record<string, unknown> = {};
for (const name of ["keyless", "keyed-log", "old-keyless", "old-keyed", "keyed"]) {
  const material = await materialOf(name);
  materials[name] = { ...material, artifacts: material.artifacts.map((artifact) => ({ ...artifact, bytes: Buffer.from(artifact.bytes).toString("base64") })) };
}
await writeFile(process.argv[2] ?? at("out.json"), JSON.stringify({ answers, materials, files, world: await world() } satisfies Ceremony));
await services.stop();
process.exit(0);

/**
 * Three clusters with a folder of manifests each, and what they pull:
 *
 * - `shop/authz` is one module; eks and gke have it from the workflow for releases, gke in another wrapping and in a registry without the referrers API, aks from a branch.
 * - `shop/rate` is another module in aks; all three are signed with the key.
 * - `shop/quota` is one module, signed in the form of Cosign 2 in eks, with a bundle in gke, and in aks only an attestation is there.
 * - `shop/quiet` is one image in one registry for all, signed once.
 */
async function world(): Promise<Ceremony["world"]> {
  const module = (padding: number) => wasmModule({ padding, producers: { language: [["Rust", ""]], "processed-by": [["rustc", "1.80.0"]] } });
  const put = async (host: string, name: string, image: PushedImage): Promise<string> => {
    await push(`http://${host}`, name, "v1", image);
    return `${host}/${name}@${image.digest}`;
  };
  const rows = [
    { cluster: "eks", name: "authz", host: REFERRERS, image: layouts.oci(module(5_001)), sign: () => byToken(RELEASE, "sc") },
    { cluster: "gke", name: "authz", host: PLAIN, image: layouts.docker(module(5_001)), sign: () => byToken(RELEASE, "sc") },
    { cluster: "aks", name: "authz", host: REFERRERS, image: layouts.oci(module(5_001)), sign: () => byToken(BRANCH, "sc") },
    { cluster: "eks", name: "rate", host: REFERRERS, image: layouts.oci(module(5_002)), sign: () => byKey("first", "sc-empty") },
    { cluster: "gke", name: "rate", host: PLAIN, image: layouts.solo(module(5_002)), sign: () => byKey("first", "sc-empty") },
    { cluster: "aks", name: "rate", host: REFERRERS, image: layouts.oci(module(5_003)), sign: () => byKey("first", "sc-empty") },
    { cluster: "eks", name: "quota", host: REFERRERS, image: layouts.oci(module(5_004)), sign: () => [...OLD, "--key", at("first.key")] },
    { cluster: "gke", name: "quota", host: PLAIN, image: layouts.oci(module(5_004)), sign: () => byKey("first", "sc-empty") },
    { cluster: "aks", name: "quota", host: REFERRERS, image: layouts.oci(module(5_004)), sign: undefined },
    ...["eks", "gke", "aks"].map((cluster) => ({ cluster, name: "quiet", host: PLAIN, image: layouts.oci(module(5_005)), sign: () => byKey("first", "sc-empty") })),
  ];
  const { assert, run: runs, write, folder: place } = await desk({ contexts: [], bare: true, files: { "first.pub": (await fileOf("first.pub")).content, "tr.json": (await fileOf("tr.json")).content } });
  const registry = { plainHttp: [REFERRERS, PLAIN], privateHosts: [REFERRERS, PLAIN] };
  await write("assert.yaml", fleet(...["eks", "gke", "aks"].map((name) => ({ name, kubernetes: { manifests: name, complete: true }, registry }))));
  await write("wasm.yaml", JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "WasmIdentical", metadata: { name: "wasm" }, spec: { pinned: true, signature: { keyless: [{ issuer: ISSUER, identity: `https://github.com/${RELEASE}` }], keys: ["first.pub"], trustedRoot: "tr.json" } } }));
  for (const cluster of ["eks", "gke", "aks"]) await mkdir(path.join(place, cluster));
  const references = new Map<string, string>();
  for (const { cluster, name, host, image, sign } of rows) {
    // What all share is one repository, signed for the first of them.
    const repository = name === "quiet" ? "world/quiet" : `world/${cluster}-${name}`;
    const reference = await put(host, repository, image);
    references.set(`${cluster}/${name}`, reference);
    if (sign === undefined) await cosign("attest", ...byKey("first", "sc-empty"), ...predicate, reference);
    else if (name !== "quiet" || cluster === "eks") await cosign("sign", ...sign(), "--yes", reference);
    await write(`${cluster}/${name}.yaml`, JSON.stringify({ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name, namespace: "shop" }, spec: { url: `oci://${reference}` } }));
  }
  const accepted: Record<string, boolean> = {};
  const allowed = [["--key", at("first.pub"), "--trusted-root", at("tr-empty.json"), "--insecure-ignore-tlog=true"], ["--certificate-oidc-issuer", ISSUER, "--certificate-identity", `https://github.com/${RELEASE}`, ...trusted]];
  for (const [name, reference] of references) {
    const said = await Promise.all(allowed.map((words) => cosign("verify", ...words, reference).then(() => true, () => false)));
    accepted[name] = said.includes(true);
  }
  const { report, code } = await runs("wasm.yaml");
  const { stdout } = await assert("run", "wasm.yaml");
  return { code, report, text: stdout, accepted };
}
