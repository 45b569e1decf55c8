import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verdictOf, worst, type Waived } from "#engine";

type Mark = "open" | "waived";
interface Case {
  readonly faults?: readonly Mark[];
  readonly undecided?: readonly Mark[];
  readonly gaps?: readonly Mark[];
  readonly judged?: number;
  readonly allowEmpty?: boolean;
}

const accepted = { reason: "known", owner: "mesh", expires: "2027-01-31" };
const at = { file: "a.yaml", line: 1, column: 1 };

function waivedOf({ faults = [], undecided = [], gaps = [], judged = 1, allowEmpty = false }: Case): Waived {
  const mark = (kind: Mark) => ({ fingerprint: "f", ...(kind === "waived" ? { waived: accepted } : {}) });
  const finding = (outcome: "fault" | "undecided") => (kind: Mark) =>
    ({ type: "finding", outcome, subject: "s", cause: "c", message: "m", remedy: "r", evidence: [], ...mark(kind) }) as const;
  return {
    assertion: { name: "a", kind: "K", severity: "error", clusters: {}, allowEmpty, strict: false, spec: {}, at },
    clusters: [],
    facts: judged,
    judged,
    of: "things",
    findings: [...faults.map(finding("fault")), ...undecided.map(finding("undecided"))],
    gaps: gaps.map((kind) => ({ type: "gap", subject: "s", reason: "r", remedy: "r", ...mark(kind) }) as const),
    assumptions: [],
  };
}

describe("the verdict law", () => {
  const cases: readonly (Case & { readonly name: string; readonly verdict: string })[] = [
    { name: "holds when something was judged and nothing is wrong", verdict: "holds" },
    { name: "is violated by one fault", faults: ["open"], verdict: "violated" },
    { name: "is violated by a fault even where gaps remain", faults: ["open"], gaps: ["open"], verdict: "violated" },
    { name: "holds when the only fault is waived", faults: ["waived"], verdict: "holds" },
    { name: "is violated by the fault that is not waived", faults: ["waived", "open"], verdict: "violated" },
    { name: "is undecided by one gap", gaps: ["open"], verdict: "undecided" },
    { name: "holds when the only gap is waived and something was judged", gaps: ["waived"], verdict: "holds" },
    { name: "stays undecided when the only gap is waived and nothing was judged", gaps: ["waived"], judged: 0, verdict: "undecided" },
    { name: "stays undecided with allowEmpty when a waived gap hid the list", gaps: ["waived"], judged: 0, allowEmpty: true, verdict: "undecided" },
    { name: "is undecided by one undecided finding", undecided: ["open"], verdict: "undecided" },
    { name: "holds when the undecided finding is waived", undecided: ["waived"], verdict: "holds" },
    { name: "is undecided when nothing was judged", judged: 0, verdict: "undecided" },
    { name: "holds when nothing was judged, the lists were complete and allowEmpty says so", judged: 0, allowEmpty: true, verdict: "holds" },
    { name: "is violated by a fault although allowEmpty is set", faults: ["open"], judged: 0, allowEmpty: true, verdict: "violated" },
  ];

  for (const { name, verdict, ...parts } of cases) {
    it(name, () => expect(verdictOf(waivedOf(parts))).toBe(verdict));
  }

  it("never holds without something judged, unless allowEmpty and no gap", () => {
    const marks = fc.array(fc.constantFrom<Mark>("open", "waived"), { maxLength: 2 });
    fc.assert(
      fc.property(
        fc.record({ faults: marks, undecided: marks, gaps: marks, judged: fc.constantFrom(0, 1), allowEmpty: fc.boolean() }),
        (parts) => {
          const verdict = verdictOf(waivedOf(parts));
          if (verdict !== "holds") return;
          expect(parts.judged > 0 || (parts.allowEmpty && parts.gaps.length === 0)).toBe(true);
          expect([...parts.faults, ...parts.undecided, ...parts.gaps]).not.toContain("open");
        },
      ),
    );
  });

  it("puts violated before undecided before holds", () => {
    expect(worst(["holds", "undecided", "violated"])).toBe("violated");
    expect(worst(["holds", "undecided"])).toBe("undecided");
    expect(worst([])).toBe("holds");
  });
});
