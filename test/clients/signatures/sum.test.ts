import { describe, expect, it } from "vitest";
import type { WasmFailure } from "#engine";
import { openSignatures } from "../../../clients/signatures/index.ts";
import { statementOf } from "./cosign/bundles.ts";
import { artifactOf, bundleBy, DIGEST, fileOf, materialOf, oldBy, OTHER, pair } from "./material.ts";

const ours = pair();
const POLICY = { keys: [fileOf("release.pub", ours.pem)] };
const THROTTLED: WasmFailure = { kind: "throttled", reason: "`registry.example` answers 429", remedy: "look again later" };
const good = bundleBy(ours);
const bad = bundleBy(pair());
const newer = bundleBy(ours, DIGEST, { more: { mediaType: "application/vnd.dev.sigstore.bundle.v0.9+json" } });
const replayed = bundleBy(ours, OTHER);
const provenance = bundleBy(ours, DIGEST, { statement: statementOf(DIGEST, { predicateType: "https://slsa.dev/provenance/v1" }) });

const rows = [
  { claim: "one that is valid suffices, wherever it stands", artifacts: [bad, replayed, good], unread: [], verdict: "valid" },
  { claim: "one that is valid suffices, whatever could not be read", artifacts: [good], unread: [THROTTLED], verdict: "valid" },
  { claim: "nothing found is unsigned", artifacts: [], unread: [], verdict: "unsigned" },
  { claim: "nothing found where something could not be read is unknown, never unsigned", artifacts: [], unread: [THROTTLED], verdict: "unknown" },
  { claim: "a bad one where something could not be read is unknown: the good one could be there", artifacts: [replayed], unread: [THROTTLED], verdict: "unknown" },
  { claim: "a bad one beside one of a form that is not known is unknown", artifacts: [replayed, newer], unread: [], verdict: "unknown" },
  { claim: "somebody else's beside one of a form that is not known is unknown", artifacts: [bad, newer], unread: [], verdict: "unknown" },
  { claim: "attestations alone are unsigned", artifacts: [provenance], unread: [], verdict: "unsigned" },
  { claim: "somebody else's tells more than a broken one", artifacts: [replayed, bad], unread: [], verdict: "wrong-identity" },
] as const;

describe("of the signatures of an image", () => {
  for (const { claim, artifacts, unread, verdict } of rows) {
    it(claim, async () => {
      const said = await openSignatures().verify(materialOf(artifacts, { unread }), POLICY);
      expect(said.verdict).toBe(verdict);
      const backwards = await openSignatures().verify(materialOf(artifacts.toReversed(), { unread }), POLICY);
      expect(backwards).toEqual(said);
    });
  }

  it("what could not be read is named with its way out", async () => {
    expect(await openSignatures().verify(materialOf([], { unread: [THROTTLED, THROTTLED] }), POLICY)).toMatchObject({ reason: expect.stringContaining("answers 429 (and 1 more that could not be read)"), remedy: "look again later" });
  });

  it("the one that counts stands first, then the others with their reasons, and attestations apart with their type", async () => {
    const said = await openSignatures().verify(materialOf([bad, provenance, good, oldBy(ours)]), POLICY);
    expect(said.found.map(({ verdict, form }) => `${verdict} ${form}`)).toEqual(["valid bundle", "valid legacy", "wrong-identity bundle"]);
    expect(said.found[2]?.reason).toContain("none of the allowed keys");
    expect(said.attestations).toMatchObject([{ verdict: "valid", predicateType: "https://slsa.dev/provenance/v1" }]);
    expect(said.trustedRoot).toBeUndefined();
  });

  it("1,000 bad ones do not hide a good one, and the list stays short", async () => {
    const many = Array.from({ length: 1000 }, (_, index) => artifactOf({ junk: index }));
    const said = await openSignatures().verify(materialOf([...many, good]), POLICY);
    expect([said.verdict, said.found.length, said.unlisted, said.found[0]?.verdict]).toEqual(["valid", 20, 981, "valid"]);
    const first = await openSignatures().verify(materialOf([good, ...many]), POLICY);
    expect([first.verdict, first.found.length, first.unlisted]).toEqual(["valid", 20, 981]);
  });

  it("the same artifact at two tags is one", async () => {
    expect((await openSignatures().verify(materialOf([good, { ...good }]), POLICY)).found.length).toBe(1);
  });

  it("one artifact is judged once for an image and a policy, and again for another image or policy", async () => {
    const verifier = openSignatures();
    const artifact = bundleBy(ours);
    const [first, again] = [await verifier.verify(materialOf([artifact]), POLICY), await verifier.verify(materialOf([{ ...artifact }]), { ...POLICY })];
    expect(again.found[0], "the very same answer").toBe(first.found[0]);
    expect((await openSignatures().verify(materialOf([artifact]), POLICY)).found[0]).not.toBe(first.found[0]);
    expect((await verifier.verify(materialOf([artifact], { manifestDigest: OTHER }), POLICY)).verdict).toBe("invalid");
    expect((await verifier.verify(materialOf([artifact]), { keys: [fileOf("release.pub", pair().pem)] })).verdict).toBe("wrong-identity");
    expect((await verifier.verify(materialOf([artifact]), POLICY)).verdict).toBe("valid");
  });
});
