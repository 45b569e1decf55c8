import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SignatureArtifact } from "#engine";
import { openSignatures } from "../../../clients/signatures/index.ts";
import { bundleBy, DIGEST, fileOf, materialOf, oldBy, pair, simpleSigning } from "./material.ts";
import { paeOf } from "./cosign/bundles.ts";

// A log of our own says what no real one would.
const signed = Date.parse("2026-05-01T12:00:00Z") / 1000;
const ours = pair();
const other = pair();
const promising = generateKeyPairSync("ec", { namedCurve: "P-256" });
const proving = generateKeyPairSync("ed25519");
const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });
const sha256 = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const idOf = (key: KeyObject): Buffer => sha256(spki(key));

function rootOf(start = "2026-01-01T00:00:00Z", end?: string): string {
  const log = (key: KeyObject, keyDetails: string, baseUrl: string): object => ({
    baseUrl, hashAlgorithm: "SHA2_256", publicKey: { rawBytes: spki(key).toString("base64"), keyDetails, validFor: { start, ...(end === undefined ? {} : { end }) } }, logId: { keyId: idOf(key).toString("base64") },
  });
  return JSON.stringify({ mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1", tlogs: [log(promising.publicKey, "PKIX_ECDSA_P256_SHA_256", "https://rekor1.test"), log(proving.publicKey, "PKIX_ED25519", "https://rekor2.test")], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] });
}
const verify = (artifact: SignatureArtifact, root = rootOf(), asked: { readonly log?: boolean } = { log: true }) =>
  openSignatures().verify(materialOf([artifact]), { keys: [fileOf("k.pub", ours.pem)], trustedRoot: fileOf("root.json", root), ...asked });

interface Entry {
  readonly key?: typeof ours;
  readonly digest?: Buffer;
  readonly signature?: string;
  readonly time?: number;
  readonly told?: number;
  readonly by?: KeyObject;
  readonly kind?: string;
}

/** An old signature with a promise of the log, as Rekor 1 gives it. */
function promised({ key = ours, digest, signature, time = signed, told = time, by = promising.privateKey, kind = "hashedrekord" }: Entry = {}): SignatureArtifact {
  const plain = oldBy(ours);
  const content = signature ?? plain.annotations["dev.cosignproject.cosign/signature"];
  const body = Buffer.from(JSON.stringify({ apiVersion: "0.0.1", kind, spec: { data: { hash: { algorithm: "sha256", value: (digest ?? sha256(plain.bytes)).toString("hex") } }, signature: { content, publicKey: { content: Buffer.from(key.pem).toString("base64") } } } })).toString("base64");
  const payload = { body, integratedTime: time, logID: idOf(promising.publicKey).toString("hex"), logIndex: 7 };
  // Canonical: names in order, no spaces.
  const promise = sign("sha256", Buffer.from(JSON.stringify({ body, integratedTime: time, logID: payload.logID, logIndex: 7 })), by).toString("base64");
  const annotation = JSON.stringify({ SignedEntryTimestamp: promise, Payload: { ...payload, integratedTime: told } });
  return { ...plain, annotations: { ...plain.annotations, "dev.sigstore.cosign/bundle": annotation } };
}

/** A bundle with the proof of a log that has this one entry, as Rekor 2 gives it. */
function proven({ key = ours, digest, signature, by = proving.privateKey, kind = "hashedrekord" }: Entry & { readonly size?: string } = {}, size = "1", index = "0"): SignatureArtifact {
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

describe("an entry in a log", () => {
  it("with a promise gives the time, and is named", async () => {
    const { verdict, found } = await verify(promised());
    expect([verdict, found[0]?.time, found[0]?.log]).toEqual(["valid", "2026-05-01T12:00:00.000Z", "https://rekor1.test"]);
  });

  it("with a proof is named, and gives no time", async () => {
    const { verdict, found } = await verify(proven());
    expect([verdict, found[0]?.time, found[0]?.log]).toEqual(["valid", undefined, "https://rekor2.test"]);
  });

  const refused: readonly { readonly claim: string; readonly artifact: SignatureArtifact; readonly reason: string; readonly verdict?: string; readonly root?: string }[] = [
    { claim: "about another key, same signature and digest (promise)", artifact: promised({ key: other }), reason: "names another key" },
    { claim: "about another key, same signature and digest (proof)", artifact: proven({ key: other }), reason: "names another key" },
    { claim: "about another signature (promise)", artifact: promised({ signature: "AAAA" }), reason: "about another signature" },
    { claim: "about another signature (proof)", artifact: proven({ signature: "AAAA" }), reason: "about another signature" },
    { claim: "about other bytes (promise)", artifact: promised({ digest: sha256(Buffer.from("x")) }), reason: "about another signature" },
    { claim: "about other bytes (proof)", artifact: proven({ digest: sha256(Buffer.from("x")) }), reason: "about another signature" },
    { claim: "whose time was moved after the promise", artifact: promised({ told: signed + 1 }), reason: "no log of the trusted root vouches for" },
    { claim: "promised by another key", artifact: promised({ by: other.privateKey }), reason: "no log of the trusted root vouches for" },
    { claim: "proven by another key", artifact: proven({ by: generateKeyPairSync("ed25519").privateKey }), reason: "no log of the trusted root vouches for" },
    { claim: "from before the root counts the log", artifact: promised({ time: Date.parse("2025-12-31T23:59:59Z") / 1000 }), reason: "no log of the trusted root vouches for" },
    { claim: "from after the root counts the log", artifact: promised(), root: rootOf("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), reason: "no log of the trusted root vouches for" },
    { claim: "beyond the end of the log", artifact: proven({}, "1", "1"), reason: "no log of the trusted root vouches for" },
    { claim: "of a log with a size of a thousand digits", artifact: proven({}, "9".repeat(1000)), reason: "cannot be read" },
    { claim: "at a place of a thousand digits", artifact: proven({}, "1", "9".repeat(1000)), reason: "cannot be read" },
    { claim: "of a kind that the release does not read", artifact: promised({ kind: "rekord" }), reason: "of a kind that this release does not read", verdict: "unknown" },
    { claim: "that is not there", artifact: oldBy(ours), reason: "no entry in a transparency log" },
  ];
  for (const { claim, artifact, reason, verdict = "invalid", root } of refused) {
    it(`${claim} is ${verdict}`, async () => {
      const said = await verify(artifact, root);
      expect([said.verdict, said.reason]).toEqual([verdict, expect.stringContaining(reason)]);
    });
  }

  it("is not asked of a key by itself; one that is there and does not hold is refused all the same", async () => {
    expect((await verify(oldBy(ours, simpleSigning(DIGEST)), rootOf(), {})).verdict).toBe("valid");
    expect((await verify(promised({ told: signed + 1 }), rootOf(), {})).verdict).toBe("invalid");
  });
});
