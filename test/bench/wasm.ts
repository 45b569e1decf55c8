/**
 * `npm run bench -- wasm`: what it costs to verify signatures and to read modules, against the bare libraries in the same run.
 *
 * - Keyed bundles, each another one, against `crypto.verify` over the same bytes: at least 0.6 of its rate.
 * - Keyless bundles by the real Fulcio, log of certificates, Rekor 2 and time stamp authority (`npm run parts`, and a network namespace), against `@sigstore/verify` alone: at most 1.1 times its cost.
 * - 300 signed modules in 3 clusters: every manifest and every blob is asked for once, every signature verified once.
 * - A module of 256 MiB: less than 100 MB over the reading of a small one.
 *
 * Ends with 1 when a goal is missed.
 */
import { execFile } from "node:child_process";
import { createHash, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import type { SignatureArtifact, SignatureMaterial } from "#engine";
import { defaultRegistryLimits } from "../../clients/registry/place.ts";
import { judge } from "../../clients/signatures/judge.ts";
import { readPolicy } from "../../clients/signatures/policy.ts";
import { openSignatures } from "../../clients/signatures/index.ts";
import { sigstore } from "../../clients/signatures/sigstore.ts";
import { makeVerifier } from "../../clients/signatures/verifier.ts";
import type { Ceremony } from "../clients/signatures/cosign/ceremony.ts";
import { paeOf, statementOf } from "../clients/signatures/cosign/bundles.ts";
import { RELEASE } from "../clients/signatures/cosign/rows.ts";
import { bundleBy, fileOf, materialOf, pair } from "../clients/signatures/material.ts";
import { FaultServer, reaching } from "../clients/registry/server.ts";
import { findAll } from "../parts/cache.ts";
import { scratchFolder } from "../parts/process.ts";
import { ISSUER } from "../parts/sigstore.ts";
import { descriptor, imageOf, layouts, manifestOf, TYPES, type PushedImage } from "../support/images.ts";
import { tarHeader, wasmModule } from "../support/wasm.ts";
import { inTurns, type Sample } from "./measure.ts";

const WHOLE = 256 << 20;
/** Header and end of an archive; with them the module has to stay within the limit. */
const ARCHIVE = 512 + 1024;
const ROUNDS = 9;

const [, , mode, host = "", repository = ""] = process.argv;
if (mode === "read") process.exit(await readOne(host, repository));

let isOver = false;
await keyed();
await keyless();
await shared();
await memory();
process.exitCode = isOver ? 1 : 0;

function say(isGood: boolean, text: string): void {
  isOver ||= !isGood;
  process.stdout.write(`${isGood ? "ok  " : "OVER"}  ${text}\n`);
}

/** CPU microseconds of this thread for a piece of work, for each of `count`: what a rate comes from, whoever else uses the machine. */
async function cost(count: number, work: () => void | Promise<void>): Promise<number> {
  const start = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / count;
}

interface Turn {
  readonly bare: number;
  readonly ours: number;
}

/** The round in the middle, by its ratio: both are measured by turns. */
async function rounds(turn: () => Promise<Turn>): Promise<Turn> {
  await turn();
  const all: Turn[] = [];
  for (let round = 0; round < ROUNDS; round += 1) all.push(await turn());
  const middle = all.toSorted((a, b) => a.ours / a.bare - b.ours / b.bare)[Math.floor(ROUNDS / 2)];
  if (middle === undefined) throw new Error("nothing was measured");
  return middle;
}

function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

async function keyed(): Promise<void> {
  const COUNT = 1_000;
  const key = pair();
  const policy = { keys: [fileOf("release.pub", key.pem)] };
  const digests = Array.from({ length: COUNT }, (_, index) => `sha256:${createHash("sha256").update(String(index)).digest("hex")}`);
  const materials = digests.map((manifestDigest) => materialOf([bundleBy(key, manifestDigest)], { manifestDigest }));
  const bare = digests.map((digest, index) => {
    const { dsseEnvelope } = JSON.parse(Buffer.from(materials[index]?.artifacts[0]?.bytes ?? []).toString()) as { readonly dsseEnvelope: { readonly signatures: readonly { readonly sig: string }[] } };
    return { signed: paeOf(Buffer.from(JSON.stringify(statementOf(digest)))), signature: Buffer.from(dsseEnvelope.signatures[0]?.sig ?? "", "base64") };
  });
  const { bare: floor, ours } = await rounds(async () => {
    // A verifier remembers what it has judged: each round has its own.
    const verifier = openSignatures();
    await verifier.verify(materialOf([]), policy);
    const verdicts: string[] = [];
    return {
      bare: await cost(COUNT, () => {
        for (const { signed, signature } of bare) must(verify("sha256", signed, key.publicKey, signature), "the floor refused a signature");
      }),
      ours: await cost(COUNT, async () => {
        for (const material of materials) verdicts.push((await verifier.verify(material, policy)).verdict);
        must(verdicts.length === COUNT && verdicts.every((verdict) => verdict === "valid"), "not all are valid");
      }),
    };
  });
  const rate = floor / ours;
  say(rate >= 0.6, `keyed bundles: ${Math.round(1e6 / ours)}/s, ${rate.toFixed(2)} of bare P-256 (${Math.round(1e6 / floor)}/s; goal 0.6)`);
}

async function keyless(): Promise<void> {
  const ceremony = await ceremonyOf();
  if (typeof ceremony === "string") return say(false, `keyless bundles: not measured: ${ceremony}`);
  const libraries = await sigstore();
  const { artifacts, ...rest } = ceremony.materials["keyless"] as SignatureMaterial & { readonly artifacts: readonly (Omit<SignatureArtifact, "bytes"> & { readonly bytes: string })[] };
  const material: SignatureMaterial = { ...rest, artifacts: artifacts.map((artifact) => ({ ...artifact, bytes: Buffer.from(artifact.bytes as unknown as string, "base64") })) };
  const [artifact] = material.artifacts;
  if (artifact === undefined) throw new Error("no signature");
  const root = fileOf("tr.json", ceremony.files["tr.json"] ?? "");
  const identity = `https://github.com/${RELEASE}`;
  const allowed = await readPolicy({ keyless: [{ issuer: ISSUER, identity }], trustedRoot: root }, libraries);
  const verifier = new libraries.verify.Verifier(libraries.verify.toTrustMaterial(libraries.specs.TrustedRoot.fromJSON(JSON.parse(root.content))), { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 });
  const COUNT = 40;
  const { bare, ours } = await rounds(async () => ({
    bare: await cost(COUNT, () => {
      for (let time = 0; time < COUNT; time += 1) verifier.verify(libraries.verify.toSignedEntity(libraries.bundle.bundleFromJSON(JSON.parse(Buffer.from(artifact.bytes).toString()))));
    }),
    ours: await cost(COUNT, () => {
      for (let time = 0; time < COUNT; time += 1) must(judge(artifact, material, allowed, libraries).signature.verdict === "valid", "it is not valid");
    }),
  }));
  say(ours / bare <= 1.1, `keyless bundles: ${(ours / 1000).toFixed(2)} ms, ${(ours / bare).toFixed(2)} x @sigstore/verify alone (${(bare / 1000).toFixed(2)} ms; limit 1.1)`);
}

async function ceremonyOf(): Promise<Ceremony | string> {
  const parts = await findAll(["cosign", "fulcio", "tesseract", "rekor-server", "timestamp-server", "referrers-registry", "distribution"]);
  if ("missing" in parts) return `${parts.missing}; \`npm run parts\` brings it`;
  const run = promisify(execFile);
  const out = path.join(await scratchFolder("ceremony"), "out.json");
  const program = path.join(import.meta.dirname, "../clients/signatures/cosign/ceremony.ts");
  try {
    await run("unshare", ["-rn", "sh", "-c", 'ip link set lo up && exec "$0" "$1" "$2"', process.execPath, program, out], { maxBuffer: 64 << 20 });
  } catch (error) {
    return `the services did not run in a network namespace of their own: ${String(error).slice(0, 300)}`;
  }
  return JSON.parse(await readFile(out, "utf8")) as Ceremony;
}

async function shared(): Promise<void> {
  const [MODULES, CLUSTERS] = [300, 3];
  const key = pair();
  const policy = { keys: [fileOf("release.pub", key.pem)] };
  const server = await FaultServer.open();
  const names = Array.from({ length: MODULES }, (_, index) => `wasm/m${index}`);
  for (const [index, name] of names.entries()) {
    const image = layouts.oci(wasmModule({ padding: index + 1 }));
    const signature = signatureOf(image, bundleBy(key, image.digest));
    server.put(name, "v1", image).put(name, signature.digest, signature);
    server.put(name, image.digest.replace(":", "-"), manifestOf(TYPES.index, { schemaVersion: 2, mediaType: TYPES.index, manifests: [descriptor(TYPES.oci, signature.bytes)] }));
  }
  const look = async (clusters: number): Promise<{ readonly us: number; readonly asked: readonly string[]; readonly verified: number }> => {
    const libraries = await sigstore();
    let verified = 0;
    const verifier = makeVerifier({ ...libraries, bundle: { ...libraries.bundle, bundleFromJSON: (document: unknown) => ((verified += 1), libraries.bundle.bundleFromJSON(document)) } });
    const registries = reaching([server.host]);
    const from = server.asked.length;
    const us = await cost(1, async () => {
      await Promise.all(Array.from({ length: clusters }, async () => {
        const registry = registries.visit();
        for (const name of names) {
          const { reference, manifestDigest = "", topDigest = "" } = await registry.module(`oci://${server.host}/${name}:v1`);
          const { verdict } = await verifier.verify(await registry.signatures({ reference, manifestDigest, topDigest }), policy);
          must(verdict === "valid", `${name} is ${verdict}`);
        }
      }));
    });
    return { us, asked: server.asked.slice(from), verified };
  };
  await look(1);
  const [one, three] = [await look(1), await look(CLUSTERS)];
  await server.close();
  const isOnce = new Set(three.asked).size === three.asked.length && three.asked.length === one.asked.length && three.verified === MODULES;
  say(isOnce, `${MODULES} modules in ${CLUSTERS} clusters: ${three.asked.length} requests, ${new Set(three.asked).size} of them different, ${three.verified} signatures verified; ${(three.us / one.us).toFixed(2)} x the CPU of one cluster (${Math.round(one.us / 1000)} ms)`);
}

function signatureOf(image: PushedImage, { bytes }: SignatureArtifact): PushedImage {
  return imageOf([{ type: TYPES.bundle, bytes: Buffer.from(bytes) }], { config: "application/vnd.oci.empty.v1+json", artifactType: TYPES.bundle, subject: descriptor(image.type, image.bytes) });
}

/** Images that a server makes up while it sends them, so that nobody holds 256 MiB. */
async function memory(): Promise<void> {
  const forms = { raw: ["solo", rawOf, WHOLE], packed: ["oci", packedOf, WHOLE - ARCHIVE] } as const;
  for (const [form, [layout, streamOf, expected]] of Object.entries(forms)) {
    const found = async (size: number) => {
      const hash = createHash("sha256");
      let length = 0;
      for await (const chunk of streamOf(size)) {
        hash.update(chunk);
        length += chunk.length;
      }
      const layer = { mediaType: layout === "solo" ? TYPES.soloLayer : TYPES.ociLayer, digest: `sha256:${hash.digest("hex")}`, size: length };
      const config = descriptor("application/vnd.oci.image.config.v1+json", Buffer.from("{}"));
      const layers = layout === "solo" ? [{ ...config, mediaType: "application/vnd.module.wasm.config.v1+json" }, layer] : [layer];
      return { manifest: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.oci, config, layers })), layer, size };
    };
    const images = { small: await found(1 << 20), large: await found(WHOLE) };
    const server = http.createServer((request, response) => void answer(request.url ?? "", response));
    const answer = async (url: string, response: http.ServerResponse): Promise<void> => {
      const image = url.includes("/large/") ? images.large : images.small;
      if (url.includes("/manifests/")) return void response.writeHead(200, { "content-type": TYPES.oci }).end(image.manifest);
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": image.layer.size });
      for await (const chunk of streamOf(image.size)) if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
      response.end();
    };
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [base, whole] = (await inTurns(["small", "large"].map((name) => ({ words: [import.meta.filename, "read", at, name] })), 3)) as [Sample, Sample];
    server.close();
    must(base.last.code === 0 && whole.last.code === 0, base.last.stderr + whole.last.stderr);
    must(whole.last.stdout.trim() === String(expected), `a module of ${whole.last.stdout.trim()} bytes was read`);
    const [small, large] = [base.median("peakMb"), whole.median("peakMb")];
    say(large - small < 100, `a module of 256 MiB (${form}): ${Math.round(large)} MB at most, ${Math.round(large - small)} MB over one of 1 MiB (${Math.round(small)} MB; limit 100)`);
  }
}

/** A module that is filled up with a custom section. */
async function* rawOf(size: number): AsyncGenerator<Buffer> {
  const head = wasmModule();
  const body = size - head.length - 6;
  const section = Buffer.from([0, ...[0, 1, 2, 3].map((place) => ((body >>> (7 * place)) & 0x7f) | 0x80), (body >>> 28) & 0x7f]);
  yield Buffer.concat([head, section]);
  const chunk = Buffer.alloc(64 << 10, 1);
  // The name of the section: one byte long.
  for (let left = body; left > 0; left -= chunk.length) yield chunk.subarray(0, left);
}

function packedOf(size: number): AsyncIterable<Buffer> {
  const gzip = createGzip({ level: 1 });
  void (async () => {
    for await (const chunk of plain()) if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once("drain", resolve));
    gzip.end();
  })();
  async function* plain(): AsyncGenerator<Buffer> {
    yield tarHeader({ name: "plugin.wasm", size: size - ARCHIVE });
    yield* rawOf(size - ARCHIVE);
    yield Buffer.alloc(1024);
  }
  return gzip;
}

/** The process that is measured: reads one image, and says how large its module is. */
async function readOne(at: string, name: string): Promise<number> {
  const { module, failure } = await reaching([at], { limits: defaultRegistryLimits }).visit().module(`oci://${at}/${name}/m:v1`);
  if (module === undefined) process.stderr.write(`${failure?.reason ?? ""}\n`);
  process.stdout.write(`${module?.size ?? 0}\n`);
  return module === undefined ? 1 : 0;
}
