import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSnapshot, seal, snapshotText, SnapshotError, type Fact } from "#engine";

const fact = (subject: string, resourceVersion?: string): Fact<"cluster"> => ({
  type: "fact",
  kind: "cluster",
  cluster: "eks",
  subject,
  data: { signals: [], kubeSystemUid: "u" },
  source: { collector: "kubernetes", locator: "/version", ...(resourceVersion ? { resourceVersion } : {}) },
});

const parts = (facts: readonly Fact[], takenAt = "2026-11-23T10:00:00Z") => ({
  cluster: { name: "eks", labels: {} },
  identity: { kubeSystemUid: "u" },
  reachable: true,
  takenAt,
  asked: [{ fact: "cluster" as const }],
  facts,
  gaps: [],
});

describe("a snapshot", () => {
  it("reads back as it was written", () => {
    const snapshot = seal(parts([fact("a")]));
    expect(parseSnapshot(snapshotText(snapshot), "eks.json")).toEqual(JSON.parse(JSON.stringify(snapshot)));
  });

  it("has one digest for one cluster state, whenever it was taken and in whatever order facts came", () => {
    const first = seal(parts([fact("a", "7"), fact("b", "8")]));
    const second = seal(parts([fact("b", "12"), fact("a", "11")], "2026-11-24T10:00:00Z"));
    expect(second.sha256).toBe(first.sha256);
    expect(second.seal).not.toBe(first.seal);
  });

  it("has another digest for another state", () => {
    expect(seal(parts([fact("a")])).sha256).not.toBe(seal(parts([fact("b")])).sha256);
  });

  it("is refused when any one byte was changed", () => {
    const text = snapshotText(seal(parts([fact("a", "7")])));
    const body = text.trimEnd();
    fc.assert(
      fc.property(fc.nat({ max: body.length - 1 }), fc.constantFrom("x", "0", " ", "}"), (index, byte) => {
        if (body[index] === byte) return;
        const changed = body.slice(0, index) + byte + body.slice(index + 1);
        expect(() => parseSnapshot(changed, "eks.json")).toThrow(SnapshotError);
      }),
    );
  });

  const foreign = [
    { name: "of a later version", text: '{"schema":"cloud-assert/snapshot/v2"}', says: /snapshot\/v2/ },
    { name: "that is cut off", text: '{"schema":"cloud-assert/snapshot/v1"', says: /no complete JSON/ },
    { name: "that is a list", text: "[]", says: /no complete JSON/ },
    { name: "that is empty", text: "", says: /no complete JSON/ },
  ];
  for (const { name, text, says } of foreign) {
    it(`refuses a file ${name}, and says where and what to do`, () => {
      try {
        parseSnapshot(text, "eks.json");
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(SnapshotError);
        expect(error).toMatchObject({ message: expect.stringMatching(says), at: { file: "eks.json" }, remedy: expect.stringContaining("assert collect") });
      }
    });
  }
});
