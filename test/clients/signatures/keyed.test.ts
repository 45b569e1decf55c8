import { describe, expect, it } from "vitest";
import type { SignatureArtifact, SignatureVerdict } from "#engine";
import { openSignatures } from "../../../clients/signatures/index.ts";
import { statementOf } from "./cosign/bundles.ts";
import { artifactOf, bundleBy, DIGEST, fileOf, INDEX, materialOf, oldBy, OTHER, pair, simpleSigning } from "./material.ts";

const ours = pair();
const other = pair();
const POLICY = { keys: [fileOf("release.pub", ours.pem)] };
const statement = statementOf(DIGEST);
const json = JSON.stringify;
const envelope = (artifact: SignatureArtifact): { dsseEnvelope: { payload: string; signatures: { sig: string }[] } } => JSON.parse(Buffer.from(artifact.bytes).toString());
const good = envelope(bundleBy(ours));

const rows: readonly { readonly claim: string; readonly artifact: SignatureArtifact; readonly verdict: SignatureVerdict; readonly reason?: string }[] = [
  { claim: "a bundle by an allowed key", artifact: bundleBy(ours), verdict: "valid" },
  { claim: "a bundle without a hint of its key: allowed keys are all tried", artifact: bundleBy(ours, DIGEST, { hint: "" }), verdict: "valid" },
  { claim: "a statement of the older type", artifact: bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { _type: "https://in-toto.io/Statement/v0.1" }) }), verdict: "valid" },
  { claim: "a statement about several things, one of them this image", artifact: bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { subject: [{ digest: { sha256: OTHER.slice(7) } }, { digest: { sha256: DIGEST.slice(7), sha512: "x" } }] }) }), verdict: "valid" },
  { claim: "another key", artifact: bundleBy(other), verdict: "wrong-identity", reason: `the digest of its key is \`${other.hint}\`` },
  { claim: "another key that goes by the name of ours", artifact: bundleBy(other, DIGEST, { hint: ours.hint }), verdict: "invalid", reason: "none of the allowed keys" },
  { claim: "another image", artifact: bundleBy(ours, OTHER), verdict: "invalid", reason: "another image, `sha256:222222222222…`" },
  { claim: "the index of a reference that names no index", artifact: bundleBy(ours, INDEX), verdict: "invalid", reason: "another image" },
  { claim: "the digest in upper case", artifact: bundleBy(ours, DIGEST, { statement: statementOf(`sha256:${"A".repeat(64)}`) }), verdict: "invalid", reason: "no digest of an image" },
  { claim: "a digest of another algorithm", artifact: bundleBy(ours, DIGEST, { statement: { ...statement, subject: [{ digest: { sha512: "1".repeat(128) } }] } }), verdict: "invalid", reason: "no digest of an image" },
  { claim: "a payload of another type", artifact: bundleBy(ours, DIGEST, { type: "application/json" }), verdict: "invalid", reason: "no in-toto statement" },
  { claim: "a statement of a type that nobody knows", artifact: bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { _type: "https://in-toto.io/Statement/v2" }) }), verdict: "invalid", reason: "not known" },
  { claim: "a statement about nothing", artifact: bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { subject: [] }) }), verdict: "invalid", reason: "about nothing" },
  { claim: "provenance by an allowed key", artifact: bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { predicateType: "https://slsa.dev/provenance/v1" }) }), verdict: "unsigned", reason: "1 attestation is there, which is no signature" },
  { claim: "a type of statement that begins like the right one", artifact: bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { predicateType: "https://sigstore.dev/cosign/sign/v1x" }) }), verdict: "unsigned" },
  { claim: "two signatures in one envelope", artifact: artifactOf({ ...good, dsseEnvelope: { ...good.dsseEnvelope, signatures: [...good.dsseEnvelope.signatures, ...good.dsseEnvelope.signatures] } }), verdict: "invalid", reason: "media" },
  { claim: "a field that is there twice", artifact: bundleBy(ours, DIGEST, { statement: json(statement).replace('"subject"', '"subject":[],"subject"') }), verdict: "invalid", reason: "names a field twice" },
  { claim: "a field in another spelling beside the right one", artifact: bundleBy(ours, DIGEST, { statement: json(statement).replace('"subject"', '"Subject":[],"subject"') }), verdict: "invalid", reason: "another way" },
  { claim: "a field spelled with the sign of Kelvin's like", artifact: bundleBy(ours, DIGEST, { statement: json(statement).replace('"subject"', '"ſubject":[],"subject"') }), verdict: "invalid", reason: "another way" },
  { claim: "a statement with a byte order mark", artifact: bundleBy(ours, DIGEST, { statement: `\ufeff${json(statement)}` }), verdict: "invalid", reason: "no JSON" },
  { claim: "a statement with junk behind it", artifact: bundleBy(ours, DIGEST, { statement: `${json(statement)}x` }), verdict: "invalid", reason: "no JSON" },
  { claim: "a statement that is nested without end", artifact: bundleBy(ours, DIGEST, { statement: `${"[".repeat(100_000)}${"]".repeat(100_000)}` }), verdict: "invalid", reason: "nested deeper" },
  { claim: "base64 with a line break in it", artifact: artifactOf({ ...good, dsseEnvelope: { ...good.dsseEnvelope, payload: `${good.dsseEnvelope.payload.slice(0, 8)}\n${good.dsseEnvelope.payload.slice(8)}` } }), verdict: "invalid", reason: "no base64 in `payload`" },
  { claim: "a bundle of a version to come", artifact: bundleBy(ours, DIGEST, { more: { mediaType: "application/vnd.dev.sigstore.bundle.v0.4+json" } }), verdict: "unknown", reason: "version that this release does not know" },
  { claim: "a version with junk behind it", artifact: bundleBy(ours, DIGEST, { more: { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+jsonx" } }), verdict: "unknown", reason: "does not know" },
  { claim: "a document that is no bundle", artifact: bundleBy(ours, DIGEST, { more: { mediaType: "text/plain" } }), verdict: "invalid", reason: "no Sigstore bundle" },
  { claim: "a signature over bytes in place of a statement", artifact: bundleBy(ours, DIGEST, { more: { dsseEnvelope: undefined, messageSignature: { messageDigest: { algorithm: "SHA2_256", digest: "AA==" }, signature: "AA==" } } }), verdict: "unknown", reason: "bytes of a manifest" },
  { claim: "nine entries of logs", artifact: bundleBy(ours, DIGEST, { material: { tlogEntries: Array.from({ length: 9 }, () => ({})) } }), verdict: "invalid", reason: "9 entries of logs" },
  { claim: "an entry in a log that nobody of ours knows: it says nothing", artifact: bundleBy(ours, DIGEST, { material: { tlogEntries: [{ logIndex: "1", logId: { keyId: "AAAA" }, kindVersion: { kind: "x", version: "1" }, inclusionProof: { logIndex: "1", rootHash: "", treeSize: "1", hashes: [], checkpoint: { envelope: "" } }, canonicalizedBody: "AAAA" }] } }), verdict: "valid" },
  { claim: "an old signature by an allowed key", artifact: oldBy(ours), verdict: "valid" },
  { claim: "an old signature by another key", artifact: oldBy(other), verdict: "invalid", reason: "none of the allowed keys" },
  { claim: "an old signature of another image", artifact: oldBy(ours, simpleSigning(OTHER)), verdict: "invalid", reason: "another image" },
  { claim: "an old payload of another type", artifact: oldBy(ours, simpleSigning(DIGEST, { type: "atomic container signature" })), verdict: "invalid", reason: "another type than Cosign's" },
  { claim: "an old payload that names two images", artifact: oldBy(ours, json(simpleSigning(DIGEST)).replace('"image"', '"image":{},"image"')), verdict: "invalid", reason: "twice" },
  { claim: "an old payload with `Critical` beside `critical`", artifact: oldBy(ours, { ...simpleSigning(DIGEST), Critical: {} }), verdict: "invalid", reason: "another way" },
  { claim: "an old signature with a chain of certificates: nobody's word", artifact: oldBy(ours, simpleSigning(DIGEST), { "dev.sigstore.cosign/chain": "-----BEGIN CERTIFICATE-----" }), verdict: "valid" },
  { claim: "an old signature with junk for a certificate", artifact: oldBy(ours, simpleSigning(DIGEST), { "dev.sigstore.cosign/certificate": "x" }), verdict: "invalid", reason: "no certificate in PEM" },
  { claim: "an old signature whose annotation is no base64", artifact: oldBy(ours, simpleSigning(DIGEST), { "dev.cosignproject.cosign/signature": "a b" }), verdict: "invalid", reason: "no base64" },
  { claim: "an old signature with junk for an entry in a log", artifact: oldBy(ours, simpleSigning(DIGEST), { "dev.sigstore.cosign/bundle": '{"Payload":{}}' }), verdict: "invalid" },
  { claim: "nothing at all", artifact: artifactOf(""), verdict: "invalid", reason: "no JSON" },
  { claim: "5 MiB", artifact: artifactOf("x".repeat(5 << 20)), verdict: "invalid", reason: "larger than 4 MiB" },
  { claim: "bytes that are no UTF-8", artifact: artifactOf("", { bytes: Buffer.from([0x7b, 0xff, 0x7d]) }), verdict: "invalid", reason: "no UTF-8" },
];

describe("a signature by a key", () => {
  for (const { claim, artifact, verdict, reason } of rows) {
    it(`of ${claim} is ${verdict}`, async () => {
      const said = await openSignatures().verify(materialOf([artifact]), POLICY);
      expect(said.verdict, said.reason).toBe(verdict);
      if (reason !== undefined && reason !== "media") expect(said.reason).toContain(reason);
      if (verdict !== "valid") expect([said.remedy === undefined || said.remedy === "", said.reason === undefined]).toEqual([false, false]);
    });
  }

  for (const [curve, algorithm] of [["P-256", "sha256"], ["P-384", "sha384"], ["P-384", "sha256"], ["P-521", "sha512"], ["ed25519", null]] as const) {
    it(`may be one of ${curve} with ${algorithm ?? "its own digest"}`, async () => {
      const key = pair(curve);
      const signed = await openSignatures().verify(materialOf([bundleBy(key, DIGEST, { algorithm })]), { keys: [fileOf("k.pub", key.pem)] });
      expect([signed.verdict, signed.found[0]?.key]).toEqual(["valid", Buffer.from(key.hint, "base64").toString("hex")]);
    });
  }

  it("with SHA-1 or a digest that does not go with its curve is not valid", async () => {
    expect((await openSignatures().verify(materialOf([bundleBy(ours, DIGEST, { algorithm: "sha1" }), bundleBy(ours, DIGEST, { algorithm: "sha512" })]), POLICY)).verdict).toBe("invalid");
  });

  it("counts on the index that the reference names and on the manifest, and says which by what it signs, not by where it lies", async () => {
    const onIndex = await openSignatures().verify(materialOf([bundleBy(ours, INDEX)], { indexDigest: INDEX }), POLICY);
    const onManifest = await openSignatures().verify(materialOf([{ ...bundleBy(ours), on: "index" }], { indexDigest: INDEX }), POLICY);
    expect([onIndex.verdict, onIndex.found[0]?.on, onManifest.found[0]?.on]).toEqual(["valid", "index", "manifest"]);
  });
});
