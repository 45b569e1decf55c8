import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reportOn, waive, type Evaluation, type Finding, type Gap, type Waiver } from "#engine";
import { seed } from "../support/seed.ts";

const NOW = "2026-11-20T09:00:00Z";

function findingOf(subject: string, cause = "c", outcome: Finding["outcome"] = "fault"): Finding {
  return { type: "finding", outcome, subject, cause, message: `message of ${subject}`, remedy: "r", evidence: [] };
}

function gapOf(subject: string, more: Partial<Gap> = {}): Gap {
  return { type: "gap", kind: "envoy-proxies", cluster: "eks", subject, reason: "hidden", remedy: "look", ...more };
}

function evaluationOf(findings: readonly Finding[], gaps: readonly Gap[] = [], name = "skew"): Evaluation {
  return {
    assertion: { name, kind: "K", severity: "error", clusters: {}, allowEmpty: false, strict: false, spec: {}, at: { file: "a.yaml", line: 1, column: 1 } },
    clusters: [],
    facts: 1,
    judged: 1,
    of: "thing",
    findings,
    gaps,
    assumptions: [],
  };
}

function waiverOf(parts: Partial<Waiver>): Waiver {
  return { assertion: "skew", reason: "known", owner: "mesh", expires: "2026-12-31", ...parts };
}

const fingerprintOf = (finding: Finding, name = "skew") => waive([evaluationOf([finding], [], name)], [], NOW)[0]?.findings[0]?.fingerprint ?? "";
const gapPrint = (gap: Gap) => waive([evaluationOf([], [gap])], [], NOW)[0]?.gaps[0]?.fingerprint ?? "";

describe("a fingerprint", () => {
  it("is 32 hexadecimal digits", () => expect(fingerprintOf(findingOf("eks/1.37.2"))).toMatch(/^[0-9a-f]{32}$/));

  it("is the same tomorrow: words, remedy, evidence and outcome may change", () => {
    const changed: Finding = { ...findingOf("s"), message: "other words", remedy: "other", outcome: "undecided", evidence: [{ cluster: "eks", label: "l", value: "v", source: { collector: "k", locator: "/" } }] };
    expect(fingerprintOf(changed)).toBe(fingerprintOf(findingOf("s")));
  });

  it("is another one for another assertion, subject or cause", () => {
    const prints = [fingerprintOf(findingOf("s")), fingerprintOf(findingOf("s"), "other"), fingerprintOf(findingOf("t")), fingerprintOf(findingOf("s", "d"))];
    expect(new Set(prints).size).toBe(4);
  });

  it("does not run the parts together", () => {
    expect(fingerprintOf(findingOf("ab", "c"))).not.toBe(fingerprintOf(findingOf("a", "bc")));
  });

  it("of a gap is the same whatever the reason, and another for another cluster, kind of fact, selector or subject", () => {
    const gap = gapOf("pods");
    expect(gapPrint({ ...gap, reason: "timeout", remedy: "wait" })).toBe(gapPrint(gap));
    const others = [gapOf("nodes"), gapOf("pods", { cluster: "gke" }), gapOf("pods", { kind: "cluster" }), gapOf("pods", { selector: "x" }), { ...gapOf("pods"), cluster: undefined }];
    expect(new Set([gap, ...others].map(gapPrint)).size).toBe(6);
  });

  it("never stands for a finding and a gap at once", () => {
    expect(gapPrint(gapOf("s"))).not.toBe(fingerprintOf(findingOf("s")));
  });

  it("tells apart whatever differs in assertion, subject or cause", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "/", "\0", '"'), maxLength: 4 });
    fc.assert(
      fc.property(fc.tuple(text, text, text), fc.tuple(text, text, text), (a, b) => {
        const same = a.every((part, index) => part === b[index]);
        expect(fingerprintOf(findingOf(a[1], a[2]), a[0]) === fingerprintOf(findingOf(b[1], b[2]), b[0])).toBe(same);
      }),
      { seed: seed("fingerprints") },
    );
  });
});

describe("a waiver", () => {
  const accepted = { reason: "known", owner: "mesh", expires: "2026-12-31" };
  const fault = findingOf("eks/1.37.2", "eks 1.37.2");
  const rows: readonly (readonly [claim: string, waiver: Partial<Waiver>, now: string, counts: boolean])[] = [
    ["by subject counts", { subject: "eks/1.37.2" }, NOW, true],
    ["by fingerprint counts", { fingerprint: fingerprintOf(fault) }, NOW, true],
    ["of another subject does not", { subject: "eks/1.37.3" }, NOW, false],
    ["of a part of the subject does not: it is no pattern", { subject: "eks" }, NOW, false],
    ["of a pattern does not", { subject: "eks/*" }, NOW, false],
    ["of another fingerprint does not", { fingerprint: "0".repeat(32) }, NOW, false],
    ["of the first half of the fingerprint does not", { fingerprint: fingerprintOf(fault).slice(0, 16) }, NOW, false],
    ["of another assertion does not", { subject: "eks/1.37.2", assertion: "other" }, NOW, false],
    ["that names neither does not", {}, NOW, false],
    ["counts to the end of its last day, UTC", { subject: "eks/1.37.2", expires: "2026-11-20" }, "2026-11-20T23:59:59Z", true],
    ["does not count the second after", { subject: "eks/1.37.2", expires: "2026-11-20" }, "2026-11-21T00:00:00Z", false],
  ];
  it.each(rows)("%s", (_, parts, now, counts) => {
    const waiver = waiverOf(parts);
    const [result] = waive([evaluationOf([fault])], [waiver], now);
    expect(result?.findings[0]?.waived).toEqual(counts ? { ...accepted, expires: waiver.expires } : undefined);
  });

  it("accepts a gap in the same way", () => {
    const [result] = waive([evaluationOf([], [gapOf("pods"), gapOf("nodes")])], [waiverOf({ subject: "pods" })], NOW);
    expect(result?.gaps.map(({ subject, waived }) => [subject, waived !== undefined])).toEqual([["pods", true], ["nodes", false]]);
  });

  it("takes nothing away and changes nothing else", () => {
    const evaluation = evaluationOf([fault, findingOf("other")], [gapOf("pods")]);
    const [result] = waive([evaluation], [waiverOf({ subject: "eks/1.37.2" })], NOW);
    expect(result?.findings).toMatchObject(evaluation.findings);
    expect(result).toMatchObject({ assertion: evaluation.assertion, judged: 1, facts: 1 });
  });

  it("that has expired does not stand in the way of one that has not", () => {
    const waivers = [waiverOf({ subject: "eks/1.37.2", expires: "2026-01-01", owner: "old" }), waiverOf({ subject: "eks/1.37.2", owner: "new" })];
    expect(waive([evaluationOf([fault])], waivers, NOW)[0]?.findings[0]?.waived?.owner).toBe("new");
  });

  it("turns a violated assertion into one that holds, and the report says who accepted what", () => {
    const report = reportOn(waive([evaluationOf([fault])], [waiverOf({ subject: "eks/1.37.2" })], NOW), [], new Map());
    expect(report).toMatchObject({ verdict: "holds", results: [{ verdict: "holds", findings: [{ outcome: "fault", waived: accepted }] }] });
  });
});
