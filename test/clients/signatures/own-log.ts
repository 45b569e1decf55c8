import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { SignatureArtifact } from "#engine";
import { bundleBy, fileOf, materialOf, oldBy, pair, type Pair } from "./material.ts";
import { openSignatures } from "../../../clients/signatures/index.ts";
import { paeOf } from "./cosign/bundles.ts";

/** When the log of our own, which says what no real one would, has seen a signature: in seconds. */
export const signed = Date.parse("2026-05-01T12:00:00Z") / 1000;
export const ours = pair();
export const other = pair();
const promising = generateKeyPairSync("ec", { namedCurve: "P-256" });
const proving = generateKeyPairSync("ed25519");
const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });
export const sha256 = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const idOf = (key: KeyObject): Buffer => sha256(spki(key));

export function rootOf(start = "2026-01-01T00:00:00Z", end?: string): string {
  const log = (key: KeyObject, keyDetails: string, baseUrl: string): object => ({
    baseUrl, hashAlgorithm: "SHA2_256", publicKey: { rawBytes: spki(key).toString("base64"), keyDetails, validFor: { start, ...(end === undefined ? {} : { end }) } }, logId: { keyId: idOf(key).toString("base64") },
  });
  return JSON.stringify({ mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1", tlogs: [log(promising.publicKey, "PKIX_ECDSA_P256_SHA_256", "https://rekor1.test"), log(proving.publicKey, "PKIX_ED25519", "https://rekor2.test")], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] });
}
export const verify = (artifact: SignatureArtifact, root = rootOf(), asked: { readonly log?: boolean } = { log: true }) =>
  openSignatures().verify(materialOf([artifact]), { keys: [fileOf("k.pub", ours.pem)], trustedRoot: fileOf("root.json", root), ...asked });

interface Entry {
  /** Who signs. */
  readonly signer?: Pair;
  /** In PEM; then the signature carries it, and the entry is about it. */
  readonly certificate?: string;
  /** Whom the entry is about, where it is not who signs. */
  readonly key?: Pair;
  readonly digest?: Buffer;
  readonly signature?: string;
  readonly time?: number;
  readonly told?: number;
  readonly by?: KeyObject;
  readonly kind?: string;
}

/** An old signature with a promise of the log, as Rekor 1 gives it. */
export function promised({ signer = ours, certificate, key = signer, digest, signature, time = signed, told = time, by = promising.privateKey, kind = "hashedrekord" }: Entry = {}): SignatureArtifact {
  const plain = oldBy(signer);
  const content = signature ?? plain.annotations["dev.cosignproject.cosign/signature"];
  const body = Buffer.from(JSON.stringify({ apiVersion: "0.0.1", kind, spec: { data: { hash: { algorithm: "sha256", value: (digest ?? sha256(plain.bytes)).toString("hex") } }, signature: { content, publicKey: { content: Buffer.from(certificate ?? key.pem).toString("base64") } } } })).toString("base64");
  const payload = { body, integratedTime: time, logID: idOf(promising.publicKey).toString("hex"), logIndex: 7 };
  // Canonical: names in order, no spaces.
  const promise = sign("sha256", Buffer.from(JSON.stringify({ body, integratedTime: time, logID: payload.logID, logIndex: 7 })), by).toString("base64");
  const annotation = JSON.stringify({ SignedEntryTimestamp: promise, Payload: { ...payload, integratedTime: told } });
  return { ...plain, annotations: { ...plain.annotations, "dev.sigstore.cosign/bundle": annotation, ...(certificate === undefined ? {} : { "dev.sigstore.cosign/certificate": certificate }) } };
}

/** A bundle with the proof of a log that has this one entry, as Rekor 2 gives it. */
export function proven({ key = ours, digest, signature, by = proving.privateKey, kind = "hashedrekord" }: Entry & { readonly size?: string } = {}, size = "1", index = "0"): SignatureArtifact {
  const plain = JSON.parse(Buffer.from(bundleBy(ours).bytes).toString()) as { dsseEnvelope: { payload: string; signatures: [{ sig: string }] } };
  const pae = paeOf(Buffer.from(plain.dsseEnvelope.payload, "base64"));
  const verifier = { publicKey: { rawBytes: spki(key.publicKey).toString("base64") }, keyDetails: "PKIX_ECDSA_P256_SHA_256" };
  const spec = { hashedRekordV002: { data: { algorithm: "SHA2_256", digest: (digest ?? sha256(pae)).toString("base64") }, signature: { content: signature ?? plain.dsseEnvelope.signatures[0].sig, verifier } } };
  const body = Buffer.from(JSON.stringify({ apiVersion: "0.0.2", kind, spec }));
  const leaf = sha256(Buffer.from([0]), body).toString("base64");
  const note = `rekor2.test\n${size}\n${leaf}\n`;
  const line = Buffer.concat([idOf(proving.publicKey).subarray(0, 4), sign(null, Buffer.from(note), by)]).toString("base64");
  const entry = {
    logIndex: index, logId: { keyId: idOf(proving.publicKey).toString("base64") }, kindVersion: { kind, version: "0.0.2" }, canonicalizedBody: body.toString("base64"),
    inclusionProof: { logIndex: index, rootHash: leaf, treeSize: size, hashes: [], checkpoint: { envelope: `${note}\n— rekor2.test ${line}\n` } },
  };
  return { ...bundleBy(ours), bytes: Buffer.from(JSON.stringify({ ...plain, verificationMaterial: { publicKey: { hint: ours.hint }, tlogEntries: [entry] } })) };
}
