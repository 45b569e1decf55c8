import type { Report, ReportFinding, Result, Verdict } from "#engine";
import type { RenderOptions } from "../../reports/index.ts";

export const OPTIONS: RenderOptions = { width: 80, color: false, all: false, exitCode: 1, now: "2026-11-26T10:00:00Z", seconds: 12, version: "1.2.3" };

const FINGERPRINT = "0123456789abcdef0123456789abcdef";
const WAIVED = { reason: "planned", owner: "mesh", expires: "2027-01-31" };

export function findingOf(number: number, parts: Partial<ReportFinding> = {}): ReportFinding {
  return {
    outcome: "fault",
    subject: `aks-prod/shop/Deployment/w${number}`,
    message: `3 proxies of \`w${number}\` run Envoy 1.37.1, 4 patch releases behind 1.37.5`,
    remedy: `restart \`Deployment/w${number}\``,
    fingerprint: `${number.toString(16).padStart(8, "0")}${FINGERPRINT.slice(8)}`,
    evidence: [
      { cluster: "aks-prod", label: "this proxy", value: "Envoy 1.37.1", source: { collector: "kubernetes", locator: "/api/v1/pods", file: "clusters/aks/pods.yaml", line: 7 } },
      { cluster: "gke-prod", label: "newest proxy", value: "Envoy 1.37.5", source: { collector: "kubernetes", locator: "/api/v1/pods" } },
    ],
    ...parts,
  };
}

export function resultWith(assertion: string, findings: readonly ReportFinding[], parts: Partial<Result> = {}): Result {
  return {
    assertion,
    kind: "EnvoyVersionSkew",
    severity: "error",
    verdict: findings.some(({ outcome, waived }) => outcome === "fault" && !waived) ? "violated" : "holds",
    at: { file: "assertions/mesh.yaml", line: 3, column: 1 },
    coverage: { clusters: 2, facts: 9, judged: 9, of: "proxies", names: ["aks-prod", "gke-prod"] },
    gaps: [],
    assumptions: [],
    findings,
    ...parts,
  };
}

export function reportWith(results: readonly Result[], parts: Partial<Report> = {}): Report {
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length;
  const verdicts = results.filter(({ severity }) => severity === "error").map(({ verdict }) => verdict);
  return {
    schema: "cloud-assert/report/v1",
    verdict: verdicts.includes("violated") ? "violated" : verdicts.includes("undecided") ? "undecided" : "holds",
    notes: [],
    clusters: [
      { name: "aks-prod", cloud: "azure", region: "westeurope", identity: {}, takenAt: "2026-11-26T09:58:00Z", reachable: true },
      { name: "gke-prod", identity: {}, takenAt: "2026-11-26T09:59:00Z", reachable: true },
    ],
    results,
    summary: { holds: count("holds"), violated: count("violated"), undecided: count("undecided") },
    ...parts,
  };
}

/** A report of so many faults in ten assertions. */
export function manyFaults(number: number, parts: (index: number) => Partial<ReportFinding> = () => ({})): Report {
  const findings = Array.from({ length: number }, (_, index) => findingOf(index, parts(index)));
  const size = Math.ceil(number / 10);
  return reportWith(Array.from({ length: 10 }, (_, index) => resultWith(`skew-${index}`, findings.slice(index * size, (index + 1) * size))));
}

/** One of everything: a fault, an undecided finding, a gap, information, what is waived, a softer severity, notes, assumptions. */
export function oneOfEach(): Report {
  const gap = { cluster: "aks-prod", subject: "nodes", reason: "`nodes` may not be listed", remedy: "grant `list` on `nodes`", fingerprint: `aa${FINGERPRINT.slice(2)}` };
  return reportWith(
    [
      resultWith("skew", [findingOf(1), findingOf(2, { waived: WAIVED }), findingOf(3, { waived: { reason: "known: it is in the baseline `b.json`", owner: "baseline" } }), findingOf(4, { outcome: "info", message: "listed" })]),
      resultWith("unclear", [findingOf(5, { outcome: "undecided" })], { verdict: "undecided", gaps: [gap, { ...gap, fingerprint: `bb${FINGERPRINT.slice(2)}`, waived: WAIVED }], assumptions: [{ text: "tags are honest", where: "aks-prod" }] }),
      resultWith("soft", [findingOf(6)], { severity: "warning" }),
      resultWith("fine", [], { tables: [{ title: "profile edge", columns: ["aws", "gcp"], rows: [{ head: "node.arch", cells: [{ state: "pass", text: "T1 arm64" }, { state: "fail", text: "T1 amd64" }] }] }] }),
    ],
    {
      notes: ["read this first"],
      waivers: [
        { assertion: "skew", subject: "x", ...WAIVED, expires: "2026-11-28", state: "expiring", daysLeft: 2 },
        { assertion: "skew", subject: "y", ...WAIVED, state: "unused", daysLeft: 66 },
      ],
    },
  );
}

/** Text as a cluster could hold it, to see what breaks out. */
export const HOSTILE: readonly (readonly [what: string, text: string])[] = [
  ["control characters", "a\u0000b\u0007c\u007fd\u0085e"],
  ["colours of a terminal", "\u001b[31mred\u001b[0m \u009b2J"],
  ["new lines", "one\ntwo\r\nthree\u2028four"],
  ["a script", "</script><script>alert(1)</script><!--"],
  ["an attribute", `" onload="alert(1)' x='`],
  ["commands of a runner", "\n::error::owned\n::set-output name=verdict::holds\n##[set-output name=a]b"],
  ["marks from right to left", "\u202egnp.exe\u2066\u200f"],
  ["half characters", "\ud800 and \udc00"],
  ["what is no character", "\uffff \ufffe"],
  ["the end of CDATA and entities", "]]> &amp; &lt; <!DOCTYPE x>"],
  ["links, pictures, mentions and HTML", "[x](http://evil.example) ![y](//z) @org/team #12 GH-12 <b>b</b> <!-- cloud-assert --> www.evil.example"],
  ["fences and ticks", "``` `` ` ````` ~~~"],
  ["an odd tick", "a ` b"],
  ["a table", "| a | b |\n| --- | --- |"],
  ["labels of metrics", 'x"} 1\nassert_violations{a="\\'],
  ["a megabyte", "x".repeat(1_000_000)],
  ["a megabyte of ticks", "`".repeat(1_000_000)],
  ["keys of prototypes", "__proto__"],
  ["nothing", ""],
];

/** The report with this text wherever text of others may stand. */
export function hostile(text: string): Report {
  const source = { collector: text, locator: text, file: text, line: 1 };
  const finding = findingOf(1, { subject: text, message: text, remedy: text, evidence: [{ cluster: text, label: text, value: text, source }] });
  const waived = { reason: text, owner: text, expires: "2027-01-31" };
  return reportWith(
    [
      resultWith(text, [finding, { ...finding, outcome: "undecided" }, { ...finding, waived }], {
        kind: text,
        at: { file: text, line: 1, column: 1 },
        gaps: [{ cluster: text, subject: text, reason: text, remedy: text, fingerprint: FINGERPRINT }],
        assumptions: [{ text, where: text }],
        tables: [{ title: text, columns: [text, "b"], rows: [{ head: text, cells: [{ state: "fail", text }, { state: "unknown", text }] }] }],
      }),
    ],
    { notes: [text], clusters: [{ name: text, cloud: text, region: text, identity: {}, reachable: false }], waivers: [{ assertion: text, subject: text, reason: text, owner: text, expires: "2027-01-31", state: "unused", daysLeft: 3 }] },
  );
}
