import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SignatureArtifact } from "#engine";
import { DIGEST, oldBy, simpleSigning } from "./material.ts";
import { other, ours, promised, proven, rootOf, sha256, signed, verify } from "./own-log.ts";

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
