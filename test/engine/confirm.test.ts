import { describe, expect, it } from "vitest";
import { confirmed, recheckOf, verdictOf, type Gap, type Verdict, type Waived } from "#engine";

/** A look at one assertion: letters are faults by their fingerprint. */
function look(faults: string, options: { name?: string; gaps?: readonly string[]; accepted?: string } = {}): Waived {
  const accepted = { reason: "known", owner: "ops", expires: "2027-01-01" };
  const gap = (reason: string): Gap => ({ type: "gap", cluster: "eks", subject: "eks", reason, remedy: "look" });
  return {
    assertion: {
      name: options.name ?? "skew",
      kind: "Any",
      severity: "error",
      clusters: {},
      allowEmpty: false,
      strict: false,
      spec: {},
      at: { file: "a.yaml", line: 1, column: 1 },
    },
    clusters: [],
    facts: 1,
    judged: 1,
    of: "thing",
    assumptions: [],
    gaps: (options.gaps ?? []).map((reason) => ({ ...gap(reason), fingerprint: reason })),
    findings: [...faults].map((fingerprint) => ({
      type: "finding",
      outcome: "fault",
      subject: fingerprint,
      cause: fingerprint,
      message: `message ${fingerprint}`,
      remedy: "restart it",
      fingerprint,
      ...(options.accepted?.includes(fingerprint) ? { waived: accepted } : {}),
      evidence: [{ cluster: `cluster-${fingerprint}`, label: "this", value: "1", source: { collector: "k", locator: "/" } }],
    })),
  };
}

const cases: readonly { name: string; looks: readonly Waived[]; outcomes: Readonly<Record<string, string>>; verdict: Verdict }[] = [
  { name: "a fault that every look shows stays", looks: [look("a"), look("a"), look("a")], outcomes: { a: "fault" }, verdict: "violated" },
  { name: "a fault that the second look no longer shows is information", looks: [look("a"), look("")], outcomes: { a: "info" }, verdict: "holds" },
  { name: "a fault that comes and goes is undecided", looks: [look("a"), look(""), look("a")], outcomes: { a: "undecided" }, verdict: "undecided" },
  { name: "a fault that only later looks show is undecided", looks: [look("a"), look("ab")], outcomes: { a: "fault", b: "undecided" }, verdict: "violated" },
  { name: "a rollout that moves the fault on leaves no fault", looks: [look("a"), look("b")], outcomes: { a: "info", b: "undecided" }, verdict: "undecided" },
  { name: "a look that could not see clears nothing", looks: [look("a"), look("", { gaps: ["refused"] })], outcomes: { a: "info" }, verdict: "undecided" },
  { name: "a fault that somebody accepted is left as it is", looks: [look("ab", { accepted: "b" }), look("ab", { accepted: "b" })], outcomes: { a: "fault", b: "fault" }, verdict: "violated" },
];

describe("confirmed", () => {
  for (const { name, looks, outcomes, verdict } of cases) {
    it(name, () => {
      const [result] = confirmed(looks.map((each) => [each]));

      expect(Object.fromEntries(result?.findings.map((finding) => [finding.fingerprint, finding.outcome]) ?? [])).toEqual(outcomes);
      expect(result && verdictOf(result)).toBe(verdict);
    });
  }

  it("leaves an assertion alone that was not looked at again", () => {
    const other = look("z", { name: "other" });
    expect(confirmed([[look("a"), other], [look("a")]])[1]).toBe(other);
  });

  it("says in how many looks a fault was seen", () => {
    const [result] = confirmed([[look("a")], [look("a")], [look("")]]);
    expect(result?.findings[0]?.message).toBe("seen in 2 of 3 looks: message a");
  });
});

describe("recheckOf", () => {
  it("names the assertions with an open fault and the clusters these cite, and nothing else", () => {
    const { assertions, clusters } = recheckOf([look("ab", { accepted: "b" }), look("", { name: "fine" }), look("c", { name: "known", accepted: "c" })]);
    expect(assertions.map((each) => each.name)).toEqual(["skew"]);
    expect([...clusters]).toEqual(["cluster-a"]);
  });
});
