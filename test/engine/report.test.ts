import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical, reportOn, seal, waive, type Evaluation, type Finding, type Gap, type Report, type Severity } from "#engine";
import { seed } from "../support/seed.ts";
import { clusterOf } from "../support/world.ts";

const NOW = "2026-11-20T09:00:00Z";

interface Parts {
  readonly findings?: readonly Finding[];
  readonly gaps?: readonly Gap[];
  readonly assumptions?: Evaluation["assumptions"];
  readonly severity?: Severity;
  readonly judged?: number;
}

function evaluationOf(name: string, { findings = [], gaps = [], assumptions = [], severity = "error", judged = 1 }: Parts = {}): Evaluation {
  const assertion = { name, kind: "K", severity, clusters: {}, allowEmpty: false, strict: false, spec: {}, at: { file: "a.yaml", line: 7, column: 3 } } as const;
  return { assertion, clusters: [clusterOf("eks")], facts: 4, judged, of: "things", findings, gaps, assumptions };
}

function findingOf(outcome: Finding["outcome"], subject: string, more: Partial<Finding> = {}): Finding {
  return { type: "finding", outcome, subject, cause: "secret key of the kind", message: "m", remedy: "r", evidence: [], ...more };
}

function gapOf(subject: string, cluster?: string): Gap {
  return { type: "gap", kind: "envoy-proxies", cluster, subject, reason: "hidden", remedy: "look" };
}

function evidenceOf(cluster: string, label: string) {
  return { cluster, label, value: "v", source: { collector: "k", locator: "/" } };
}

function reportOf(...evaluations: readonly Evaluation[]): Report {
  return reportOn(waive(evaluations, [], NOW), [clusterOf("eks")], new Map());
}

const fault = [findingOf("fault", "s")];
const open = [gapOf("s", "eks")];

describe("the verdict of a report is the worst over the assertions of severity error, and the summary counts all", () => {
  const rows: readonly (readonly [claim: string, evaluations: readonly Evaluation[], verdict: Report["verdict"], summary: Report["summary"]])[] = [
    ["all hold", [evaluationOf("a"), evaluationOf("b")], "holds", { holds: 2, violated: 0, undecided: 0 }],
    ["one is undecided", [evaluationOf("a"), evaluationOf("b", { gaps: open })], "undecided", { holds: 1, violated: 0, undecided: 1 }],
    ["one is violated, whatever is undecided", [evaluationOf("a", { gaps: open }), evaluationOf("b", { findings: fault })], "violated", { holds: 0, violated: 1, undecided: 1 }],
    ["a warning is violated", [evaluationOf("a"), evaluationOf("b", { findings: fault, severity: "warning" })], "holds", { holds: 1, violated: 1, undecided: 0 }],
    ["an information is violated, an error undecided", [evaluationOf("a", { gaps: open }), evaluationOf("b", { findings: fault, severity: "info" })], "undecided", { holds: 0, violated: 1, undecided: 1 }],
    ["only warnings, all violated", [evaluationOf("b", { findings: fault, severity: "warning" })], "holds", { holds: 0, violated: 1, undecided: 0 }],
    ["nothing was judged", [evaluationOf("a", { judged: 0 })], "undecided", { holds: 0, violated: 0, undecided: 1 }],
  ];
  it.each(rows)("%s", (_, evaluations, verdict, summary) => expect(reportOf(...evaluations)).toMatchObject({ verdict, summary }));
});

describe("a report", () => {
  it("says of each assertion what the contract names", () => {
    const [result] = reportOf(evaluationOf("a", { findings: fault, gaps: open, assumptions: [{ type: "assumption", text: "t", where: "w" }] })).results;
    expect(result).toEqual({
      assertion: "a",
      kind: "K",
      severity: "error",
      verdict: "violated",
      at: { file: "a.yaml", line: 7, column: 3 },
      coverage: { clusters: 1, facts: 4, judged: 1, of: "things", names: ["eks"] },
      findings: [{ outcome: "fault", subject: "s", message: "m", remedy: "r", fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/), evidence: [] }],
      gaps: [{ cluster: "eks", subject: "s", reason: "hidden", remedy: "look", fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/) }],
      assumptions: [{ text: "t", where: "w" }],
    });
  });

  it("never shows the key that a kind gives its findings", () => {
    expect(canonical(reportOf(evaluationOf("a", { findings: fault })))).not.toContain("secret key of the kind");
  });

  it("names every cluster of the fleet, with what its snapshot says of it, and those without one", () => {
    const fleet = [clusterOf("gke"), clusterOf("eks", { cloud: "aws", region: "eu-west-1" }), clusterOf("aks")];
    const snapshot = seal({ cluster: clusterOf("eks"), identity: { kubeSystemUid: "u" }, reachable: true, takenAt: NOW, asked: [], facts: [], gaps: [] });
    const dead = seal({ cluster: clusterOf("gke"), identity: {}, reachable: false, takenAt: NOW, asked: [], facts: [], gaps: [] });
    expect(reportOn([], fleet, new Map([["eks", snapshot], ["gke", dead]])).clusters).toEqual([
      { name: "aks", identity: {}, reachable: false },
      { name: "eks", cloud: "aws", region: "eu-west-1", identity: { kubeSystemUid: "u" }, takenAt: NOW, snapshotSha256: snapshot.sha256, reachable: true },
      { name: "gke", identity: {}, takenAt: NOW, snapshotSha256: dead.sha256, reachable: false },
    ]);
  });

  it("puts assertions by name, faults before what is undecided before what is worth knowing, evidence by cluster and label", () => {
    const evidence = [evidenceOf("gke", "a"), evidenceOf("eks", "b"), evidenceOf("eks", "a")];
    const findings = [findingOf("info", "a"), findingOf("undecided", "b"), findingOf("fault", "d"), findingOf("fault", "c", { evidence })];
    const report = reportOf(evaluationOf("z"), evaluationOf("a", { findings }));
    expect(report.results.map(({ assertion }) => assertion)).toEqual(["a", "z"]);
    expect(report.results[0]?.findings.map(({ outcome, subject }) => `${outcome} ${subject}`)).toEqual(["fault c", "fault d", "undecided b", "info a"]);
    expect(report.results[0]?.findings[0]?.evidence.map(({ cluster, label }) => `${cluster} ${label}`)).toEqual(["eks a", "eks b", "gke a"]);
  });

  it("says nothing twice, and keeps what differs in one word", () => {
    const twice = evaluationOf("a", { findings: [...fault, ...fault, findingOf("fault", "s", { message: "other" })], gaps: [...open, ...open, gapOf("s", "gke")], assumptions: [{ type: "assumption", text: "t", where: "w" }, { type: "assumption", text: "t", where: "w" }] });
    const [result] = reportOf(twice).results;
    expect([result?.findings.length, result?.gaps.length, result?.assumptions.length]).toEqual([2, 2, 1]);
  });

  it("has its notes in the order in which they were given", () => {
    expect(reportOn([], [], new Map(), ["second", "first"]).notes).toEqual(["second", "first"]);
  });

  it("cannot be changed, however deep", () => {
    const report = reportOf(evaluationOf("a", { findings: fault }));
    expect(Object.isFrozen(report)).toBe(true);
    expect(Object.isFrozen(report.results[0]?.findings[0]?.evidence)).toBe(true);
  });

  it("is plain JSON: it comes back from text as it was", () => {
    const report = reportOf(evaluationOf("a", { findings: fault, gaps: [gapOf("s")] }));
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(Object.hasOwn(report.results[0]?.gaps[0] ?? {}, "cluster")).toBe(false);
  });

  it("is the same bytes in whatever order the judgement came", () => {
    const subject = fc.constantFrom("a", "b", "c");
    const finding = fc.record({ outcome: fc.constantFrom<Finding["outcome"]>("fault", "undecided", "info"), subject }).map(({ outcome, subject: name }) => findingOf(outcome, name, { evidence: [evidenceOf("gke", name), evidenceOf("eks", name)] }));
    const evaluations = fc.uniqueArray(fc.record({ name: fc.constantFrom("x", "y", "z"), findings: fc.array(finding, { maxLength: 5 }), gaps: fc.array(subject.map((name) => gapOf(name, "eks")), { maxLength: 3 }) }), { selector: ({ name }) => name, maxLength: 3 });
    fc.assert(
      fc.property(evaluations, (parts) => {
        const inOrder = parts.map(({ name, ...more }) => evaluationOf(name, more));
        const reversed = parts.toReversed().map(({ name, findings, gaps }) =>
          evaluationOf(name, { findings: findings.toReversed().map((each) => ({ ...each, evidence: each.evidence.toReversed() })), gaps: gaps.toReversed() }),
        );
        expect(JSON.stringify(reportOf(...reversed))).toBe(JSON.stringify(reportOf(...inOrder)));
      }),
      { seed: seed("reports") },
    );
  });
});
