import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SignatureArtifact } from "#engine";
import { openSignatures } from "../../../clients/signatures/index.ts";
import { seed } from "../../support/seed.ts";
import { artifactOf, bundleBy, fileOf, materialOf, oldBy, pair } from "./material.ts";

const ours = pair();
const POLICIES = [{ keys: [fileOf("k.pub", pair().pem)] }, { keyless: [{ issuer: "https://issuer.example", identity: "ci@acme.example" }] }];
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

async function survives(artifact: SignatureArtifact): Promise<void> {
  for (const policy of POLICIES) {
    const said = await openSignatures().verify(materialOf([artifact]), policy);
    expect(said.verdict).not.toBe("valid");
    for (const text of [said.reason ?? "", said.remedy ?? "", ...said.found.map(({ reason }) => reason ?? "")]) expect(PRINTABLE.test(text) && text.length < 1000, text).toBe(true);
  }
}

/** A document with one of its values replaced by any JSON. */
function replaced(document: unknown, place: number, value: unknown): unknown {
  let left = place;
  const walk = (node: unknown): unknown => {
    if (left-- === 0) return value;
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node === "object" && node !== null) return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, walk(inner)]));
    return node;
  };
  return walk(document);
}

describe("whatever a registry holds", () => {
  it("any bytes are refused in words, and nothing is thrown", async () => {
    const artifact = fc.record({ bytes: fc.uint8Array({ maxLength: 200 }), form: fc.constantFrom("bundle" as const, "legacy" as const), mediaType: fc.constantFrom("application/vnd.dsse.envelope.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json"), annotations: fc.dictionary(fc.constantFrom("dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate", "dev.sigstore.cosign/bundle", "dev.sigstore.cosign/rfc3161timestamp"), fc.string({ unit: "binary" })) });
    await fc.assert(fc.asyncProperty(artifact, (parts) => survives(artifactOf("", parts))), { numRuns: 100, seed: seed("bytes of a registry") });
  });

  it("any JSON in place of any value of a bundle is refused in words, and nothing is thrown", async () => {
    const bundle = JSON.parse(Buffer.from(bundleBy(ours).bytes).toString()) as unknown;
    const full = { ...(bundle as object), verificationMaterial: { certificate: { rawBytes: "AAAA" }, tlogEntries: [{ logIndex: "1", logId: { keyId: "AAAA" }, kindVersion: { kind: "hashedrekord", version: "0.0.1" }, integratedTime: "1", inclusionPromise: { signedEntryTimestamp: "AAAA" }, inclusionProof: { logIndex: "1", rootHash: "AAAA", treeSize: "1", hashes: ["AAAA"], checkpoint: { envelope: "a\n1\nAAAA\n\n— a AAAA\n" } }, canonicalizedBody: "e30=" }], timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: "MAA=" }] } } };
    await fc.assert(fc.asyncProperty(fc.constantFrom(bundle, full), fc.nat({ max: 40 }), fc.jsonValue({ maxDepth: 3 }), (document, place, value) => survives(artifactOf(replaced(document, place, value)))), { numRuns: 200, seed: seed("JSON of a registry") });
  });

  it("annotations with half a character, control characters and a megabyte are text like any other", async () => {
    for (const text of ["\ud800", "\u0000\u001b[31m", "x".repeat(1 << 20), "`; rm", "\n- 2"]) {
      await survives({ ...oldBy(ours), annotations: { "dev.cosignproject.cosign/signature": text, "dev.sigstore.cosign/bundle": text, [text]: text } });
      await survives(bundleBy(ours, undefined, { hint: text, statement: { predicateType: text, _type: text } }));
    }
  });

  it("numbers of a million digits, in places that become big integers, cost nothing", async () => {
    const huge = "9".repeat(1 << 20);
    await survives(bundleBy(ours, undefined, { material: { tlogEntries: [{ logIndex: huge, logId: { keyId: "AAAA" }, kindVersion: { kind: "a", version: "b" }, inclusionProof: { logIndex: huge, treeSize: huge, rootHash: "", hashes: [], checkpoint: { envelope: `a\n${huge}\nAAAA\n\n— a AAAAAAAA\n` } }, canonicalizedBody: "e30=" }] } }));
  });

  it("DER that is nested without end, or says a length that is not there, is refused", async () => {
    const deep = Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from([0x30, 0x80])));
    const long = Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]);
    for (const bytes of [deep, long]) {
      await survives(bundleBy(ours, undefined, { material: { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: bytes.toString("base64") }] } } }));
      await survives(bundleBy(ours, undefined, { material: { publicKey: undefined, certificate: { rawBytes: bytes.toString("base64") } } }));
    }
  });
});
