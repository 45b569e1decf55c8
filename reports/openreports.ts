import { byText, sha256, type Report } from "#engine";
import { bounded } from "./bounded.ts";
import { isOpen, itemsOf, type Item } from "./items.ts";
import { defineReporter, type RenderOptions } from "./reporter.ts";

/** An object must fit into etcd, which takes 1.5 MB of a request. */
const LIMITS = { results: 1_000, bytes: 900_000, message: 1_000 };

type Outcome = "pass" | "fail" | "warn" | "error" | "skip";
type Severity = "high" | "medium" | "info";

interface ReportResult {
  readonly policy: string;
  readonly rule: string;
  readonly result: Outcome;
  readonly severity: Severity;
  readonly scored: boolean;
  readonly message: string;
  readonly timestamp?: { readonly seconds: number; readonly nanos: number };
  readonly properties: Readonly<Record<string, string>>;
}

export default defineReporter({
  name: "openreports",
  summary: "ClusterReport objects of openreports.io, for kubectl apply: one for the fleet, one a cluster",
  render(report: Report, options: RenderOptions): string {
    const items = itemsOf(report).filter(({ outcome }) => outcome !== "info");
    const fleet = objectOf("fleet", "fleet", [...report.results.map((result) => resultOfAssertion(result, options)), ...items.filter(({ clusters }) => clusters.length === 0).map((item) => resultOfItem(item, options))]);
    const byCluster = new Map<string, Item[]>(report.clusters.map(({ name }) => [name, []]));
    for (const item of items) for (const cluster of item.clusters) byCluster.get(cluster)?.push(item);
    const clusters = [...byCluster].toSorted(([a], [b]) => byText(a, b)).map(([name, mine]) => objectOf("cluster", name, mine.map((item) => resultOfItem(item, options))));
    return `{"apiVersion":"v1","kind":"List","items":[\n${[fleet, ...clusters].join(",\n")}\n]}\n`;
  },
});

/** A ClusterReport as text: its worst results, and in an annotation how many were left out. */
function objectOf(scope: "fleet" | "cluster", name: string, results: readonly ReportResult[]): string {
  const texts: string[] = [];
  let bytes = 0;
  for (const result of results.slice(0, LIMITS.results)) {
    const text = JSON.stringify(result);
    bytes += Buffer.byteLength(text);
    if (bytes > LIMITS.bytes) break;
    texts.push(text);
  }
  const summary = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 };
  for (const { result } of results) summary[result] += 1;
  const head = JSON.stringify({
    apiVersion: "openreports.io/v1alpha1",
    kind: "ClusterReport",
    metadata: {
      name: objectName(scope, name),
      labels: { "app.kubernetes.io/managed-by": "cloud-assert" },
      annotations: { "cloud-assert/scope": scope, "cloud-assert/name": bounded(name, 300), "cloud-assert/results-left-out": String(results.length - texts.length) },
    },
    source: "cloud-assert",
    summary,
  });
  return `${head.slice(0, -1)},"results":[${texts.join(",\n")}]}`;
}

/** A name that the API server takes, different for different clusters. */
function objectName(scope: "fleet" | "cluster", name: string): string {
  const safe = name
    .toLowerCase()
    .slice(0, 100)
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (scope === "fleet") return "cloud-assert";
  return `cloud-assert-${safe === name ? name : `${safe}${safe === "" ? "" : "-"}${sha256(name).slice(0, 10)}`}`;
}

const SEVERITIES = { error: "high", warning: "medium", info: "info" } as const;

function resultOfAssertion(result: Report["results"][number], options: RenderOptions): ReportResult {
  const { assertion, kind, severity, verdict, coverage } = result;
  const bad = severity === "error" ? "fail" : "warn";
  return {
    policy: bounded(assertion, 300),
    rule: bounded(kind, 300),
    result: verdict === "holds" ? "pass" : verdict === "violated" ? bad : "error",
    severity: SEVERITIES[severity],
    scored: severity === "error",
    message: `${verdict}: ${coverage.judged} ${bounded(coverage.of, 100)} judged in ${coverage.clusters} clusters`,
    ...timeOf(options),
    properties: { verdict },
  };
}

function resultOfItem(item: Item, options: RenderOptions): ReportResult {
  const { result, outcome, subject, message, remedy, fingerprint, waived } = item;
  const accepted = waived === undefined ? {} : { owner: bounded(waived.owner, 300), reason: bounded(waived.reason, LIMITS.message), ...(waived.expires === undefined ? {} : { expires: waived.expires }) };
  return {
    policy: bounded(result.assertion, 300),
    rule: bounded(result.kind, 300),
    result: !isOpen(item) ? "skip" : outcome !== "fault" ? "error" : result.severity === "error" ? "fail" : "warn",
    severity: SEVERITIES[result.severity],
    scored: result.severity === "error" && isOpen(item),
    message: bounded(message, LIMITS.message),
    ...timeOf(options),
    properties: { subject: bounded(subject, 300), outcome, remedy: bounded(remedy, LIMITS.message), fingerprint, ...accepted },
  };
}

function timeOf({ now }: RenderOptions): Pick<ReportResult, "timestamp"> {
  return now === undefined ? {} : { timestamp: { seconds: Math.floor(Date.parse(now) / 1000), nanos: 0 } };
}
