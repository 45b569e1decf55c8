import type { Report, ReportCluster, ReportFinding, ReportGap, Result, Verdict } from "#engine";

export function clusterIn(name: string, more: Partial<ReportCluster> = {}): ReportCluster {
  return { name, cloud: "aws", region: "eu-west-1", identity: {}, takenAt: "2026-11-20T09:00:00Z", snapshotSha256: "ab".repeat(32), reachable: true, ...more };
}

export function findingIn(outcome: ReportFinding["outcome"], message: string, more: Partial<ReportFinding> = {}): ReportFinding {
  return {
    outcome,
    subject: `eks/${message}`,
    message,
    remedy: `repair ${message}`,
    fingerprint: "0123456789abcdef0123456789abcdef",
    evidence: [{ cluster: "eks", label: "this one", value: `value of ${message}`, source: { collector: "kubernetes", locator: "/api/v1/pods" } }],
    ...more,
  };
}

export function gapIn(reason: string, more: Partial<ReportGap> = {}): ReportGap {
  return { cluster: "eks", subject: "eks", reason, remedy: `see ${reason}`, fingerprint: "fedcba9876543210fedcba9876543210", ...more };
}

export const ACCEPTED = { reason: "known since spring", owner: "mesh-team", expires: "2027-01-31" };

export function resultIn(assertion: string, verdict: Verdict, more: Partial<Result> = {}): Result {
  return {
    assertion,
    kind: "EnvoyVersionSkew",
    severity: "error",
    verdict,
    at: { file: "assertions/mesh.yaml", line: 3, column: 1 },
    coverage: { clusters: 2, facts: 7, judged: 11, of: "proxies" },
    gaps: [],
    assumptions: [],
    findings: [],
    ...more,
  };
}

/** A report as the engine makes it: its verdict and its counts follow from the results. */
export function reportIn(results: readonly Result[], more: Partial<Report> = {}): Report {
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length;
  const decisive = results.filter(({ severity }) => severity === "error").map(({ verdict }) => verdict);
  return {
    schema: "cloud-assert/report/v1",
    verdict: decisive.includes("violated") ? "violated" : decisive.includes("undecided") ? "undecided" : "holds",
    notes: [],
    clusters: [clusterIn("eks"), clusterIn("gke", { cloud: "gcp" })],
    results,
    summary: { holds: count("holds"), violated: count("violated"), undecided: count("undecided") },
    ...more,
  };
}

/** One of everything that a report may hold. */
export function fullReport(): Report {
  return reportIn(
    [
      resultIn("close-together", "violated", {
        findings: [
          findingIn("fault", "one proxy lags"),
          findingIn("fault", "another proxy lags", { waived: ACCEPTED }),
          findingIn("undecided", "one proxy is odd"),
          findingIn("info", "two builds count as equal"),
        ],
        gaps: [gapIn("pods are hidden"), gapIn("nodes are hidden", { subject: "nodes", waived: ACCEPTED }), { ...gapIn("no cluster is selected", { subject: "close-together" }), cluster: undefined }],
        assumptions: [{ text: "the build carries its upstream release", where: "`eks`" }],
      }),
      resultIn("open-question", "undecided", { gaps: [gapIn("the server is silent")], severity: "warning" }),
      resultIn("quiet-claim", "holds", { findings: [findingIn("info", "nothing to worry about")], severity: "info" }),
    ],
    { notes: ["the built-in suite was used"], clusters: [clusterIn("eks"), clusterIn("gke", { reachable: false }), { name: "aks", identity: {}, reachable: false }] },
  );
}
