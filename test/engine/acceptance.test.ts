import { describe, expect, it } from "vitest";
import { baselineNotes, fault, gap, info, nextBaseline, reviewWaivers, undecided, verdictOf, waive, waiverNotes, type Evaluation, type Finding, type Gap, type Waiver } from "#engine";

const NOW = "2026-11-26T10:00:00Z";
const at = { file: "waivers.yaml", line: 5, column: 7 };

function evaluation(items: readonly (Finding | Gap)[], name = "skew"): Evaluation {
  return {
    assertion: { name, kind: "K", severity: "error", clusters: {}, allowEmpty: false, strict: false, spec: {}, at: { file: "a.yaml", line: 1, column: 1 } },
    clusters: [],
    facts: 1,
    of: "thing",
    judged: 1,
    findings: items.filter((item) => item.type === "finding"),
    gaps: items.filter((item) => item.type === "gap"),
    assumptions: [],
  };
}

const words = (subject: string, cause: string) => ({ subject, cause, message: "m", remedy: "r", evidence: [] });
const broken = (subject: string, cause = "c") => fault(words(subject, cause));
const unclear = (subject: string, cause = "c") => undecided(words(subject, cause));
const unseen = (subject: string, cluster = subject) => gap({ subject, cluster, reason: "no answer", remedy: "look again" });
const waiver = (parts: Partial<Waiver>): Waiver => ({ assertion: "skew", reason: "planned", owner: "mesh", expires: "2027-01-31", ...parts });

/** The verdict under these waivers, as short words. */
function verdict(items: readonly (Finding | Gap)[], waivers: readonly Waiver[], now = NOW) {
  return waive([evaluation(items)], waivers, now).map(verdictOf)[0];
}

function fingerprint(finding: Finding): string {
  return waive([evaluation([finding])], [], NOW)[0]?.findings[0]?.fingerprint ?? "";
}

describe("a waiver accepts one thing", () => {
  const one = broken("aks/old", "1.29.2<1.29.5");
  const cases: readonly (readonly [claim: string, items: readonly (Finding | Gap)[], waivers: readonly Waiver[], verdict: string])[] = [
    ["by its exact subject", [one], [waiver({ subject: "aks/old" })], "holds"],
    ["by its fingerprint", [one], [waiver({ fingerprint: fingerprint(one) })], "holds"],
    ["not by a part of the subject", [one], [waiver({ subject: "aks/ol" })], "violated"],
    ["not in another assertion", [one], [waiver({ assertion: "other", subject: "aks/old" })], "violated"],
    ["and hides no other subject", [one, broken("aks/new")], [waiver({ subject: "aks/old" })], "violated"],
    ["and hides no new counterexample of the same subject", [broken("aks/old", "1.28.0<1.29.5")], [waiver({ fingerprint: fingerprint(one) })], "violated"],
    ["and by subject none of several", [one, broken("aks/old", "another")], [waiver({ subject: "aks/old" })], "violated"],
    ["but one of several by its fingerprint", [one, unclear("aks/old", "another")], [waiver({ fingerprint: fingerprint(one) })], "undecided"],
    ["information about the same subject does not count as a second thing", [one, info(words("aks/old", "note"))], [waiver({ subject: "aks/old" })], "holds"],
    ["the same thing said twice is one thing", [one, one], [waiver({ subject: "aks/old" })], "holds"],
    ["a gap, by its subject", [unseen("aks")], [waiver({ subject: "aks" })], "holds"],
    ["a waived fault and an open gap are undecided", [one, unseen("gke")], [waiver({ subject: "aks/old" })], "undecided"],
  ];
  it.each(cases)("%s", (_, items, waivers, expected) => expect(verdict(items, waivers)).toBe(expected));
});

describe("a waiver counts through the end of its last day, UTC", () => {
  const waivers = [waiver({ subject: "aks/old", expires: "2026-11-26", at })];
  const cases: readonly (readonly [now: string, verdict: string, state: string, note: RegExp | undefined])[] = [
    ["2026-11-11T23:59:59Z", "holds", "active", undefined],
    ["2026-11-12T00:00:00Z", "holds", "expiring", /expires on 2026-11-26, in 14 days/],
    ["2026-11-25T12:00:00Z", "holds", "expiring", /expires on 2026-11-26, in 1 day;/],
    ["2026-11-26T00:00:00Z", "holds", "expiring", /counts for the last time today \(2026-11-26, UTC\)/],
    ["2026-11-26T23:59:59Z", "holds", "expiring", /for the last time today/],
    ["2026-11-27T00:00:00Z", "violated", "expired", /^waivers\.yaml:5:7: .*expired on 2026-11-26 and no longer counts/],
    ["2031-01-01T00:00:00Z", "violated", "expired", /expired on 2026-11-26/],
  ];
  it.each(cases)("at %s: %s, %s", (now, expected, state, note) => {
    const judged = waive([evaluation([broken("aks/old")])], waivers, now);
    expect(judged.map(verdictOf)).toEqual([expected]);
    const reviewed = reviewWaivers(waivers, judged, now);
    expect(reviewed.map((each) => each.state)).toEqual([state]);
    const notes = waiverNotes(reviewed);
    if (note === undefined) expect(notes).toEqual([]);
    else expect(notes).toEqual([expect.stringMatching(note)]);
  });

  it("of two for one thing the one that lasts longer is named", () => {
    const both = [waiver({ subject: "aks/old", expires: "2027-03-01", owner: "later" }), waiver({ subject: "aks/old", expires: "2026-12-01", owner: "sooner" })];
    expect(waive([evaluation([broken("aks/old")])], both, NOW)[0]?.findings[0]?.waived?.owner).toBe("later");
  });
});

describe("what became of a waiver", () => {
  const cases: readonly (readonly [claim: string, items: readonly (Finding | Gap)[], waiver: Waiver, state: string, note: RegExp | undefined])[] = [
    ["nothing like it is there: unused", [], waiver({ subject: "aks/old", at }), "unused", /accepts nothing any more; take it out/],
    ["nothing like it is there and it is over: unused", [], waiver({ subject: "aks/old", expires: "2026-01-01" }), "unused", /take it out/],
    ["an open gap may hide what it accepts: unknown", [unseen("aks")], waiver({ subject: "aks/old" }), "unknown", undefined],
    ["its subject stands for two things: ambiguous, and both are named", [broken("aks/old", "a"), broken("aks/old", "b")], waiver({ subject: "aks/old" }), "ambiguous", /stands for 2 things, and accepts none of them; write the `fingerprint` that is meant: `[0-9a-f]{32}`, `[0-9a-f]{32}`$/],
    ["its assertion is not in the run: elsewhere", [], waiver({ assertion: "other", subject: "x" }), "elsewhere", /^waivers of assertions that are not in this run: `other`$/],
  ];
  it.each(cases)("%s", (_, items, one, state, note) => {
    const reviewed = reviewWaivers([one], waive([evaluation(items)], [one], NOW), NOW);
    expect(reviewed.map((each) => each.state)).toEqual([state]);
    expect(waiverNotes(reviewed)).toEqual(note === undefined ? [] : [expect.stringMatching(note)]);
  });
});

describe("a baseline", () => {
  const known = (finding: Finding) => ({ assertion: "skew", subject: finding.subject, fingerprint: fingerprint(finding), outcome: finding.outcome as "fault" | "undecided" });
  const old = broken("aks/old");
  const baseline = { file: "baseline.json", findings: [known(old)] };
  const verdictWith = (items: readonly (Finding | Gap)[], findings = baseline.findings) => waive([evaluation(items)], [], NOW, { file: "baseline.json", findings }).map(verdictOf)[0];

  it("fails on what is new only", () => {
    expect(verdictWith([old])).toBe("holds");
    expect(verdictWith([old, broken("aks/new")])).toBe("violated");
    expect(verdictWith([broken("aks/old", "another cause")])).toBe("violated");
  });

  it("takes a fault for new where it knows an undecided finding, and not the other way round", () => {
    const same = { ...unclear("aks/old") };
    expect(verdictWith([old], [{ ...known(old), outcome: "undecided" }])).toBe("violated");
    expect(verdictWith([same])).toBe("holds");
  });

  it("never accepts a gap", () => expect(verdictWith([unseen("aks/old")])).toBe("undecided"));

  it("is what is found now without what waivers accept, information and gaps", () => {
    const judged = waive([evaluation([old, unclear("b"), broken("c"), info(words("d", "c"))])], [waiver({ subject: "c" })], NOW);
    expect(nextBaseline(judged, undefined).findings.map(({ subject, outcome }) => `${subject} ${outcome}`).toSorted()).toEqual(["aks/old fault", "b undecided"]);
  });

  it("keeps what the old one accepts, loses what is gone, and says what is new", () => {
    const gone = known(broken("gone"));
    const judged = waive([evaluation([old, broken("aks/new")])], [], NOW, { file: "b", findings: [known(old), gone] });
    const next = nextBaseline(judged, { file: "b", findings: [known(old), gone] });
    expect(next.findings.map(({ subject }) => subject).toSorted()).toEqual(["aks/new", "aks/old"]);
    expect(next.added.map(({ subject }) => subject)).toEqual(["aks/new"]);
  });

  it("grows, too, where an undecided finding became a fault", () => {
    const next = nextBaseline(waive([evaluation([old])], [], NOW), { file: "b", findings: [{ ...known(old), outcome: "undecided" }] });
    expect(next.added.map(({ outcome }) => outcome)).toEqual(["fault"]);
  });

  it("keeps what could not be looked at: an assertion that is not in the run, one with an open gap", () => {
    const other = { ...known(broken("x")), assertion: "other" };
    const judged = waive([evaluation([unseen("aks")])], [], NOW);
    expect(nextBaseline(judged, { file: "b", findings: [known(old), other] }).findings).toHaveLength(2);
  });

  it("says how much it accepts and what of it is gone", () => {
    const findings = [known(old), known(broken("gone"))];
    const judged = waive([evaluation([old])], [], NOW, { file: "b.json", findings });
    expect(baselineNotes(judged, { file: "b.json", findings })).toEqual([
      "1 finding is accepted, because the baseline `b.json` knows it",
      "the baseline `b.json` knows 1 finding that is no longer there; make it smaller with `--write-baseline b.json`",
    ]);
  });
});
