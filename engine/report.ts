import type { Position } from "./errors.ts";
import { byText, canonical } from "./json.ts";
import type { Assumption, Cluster, Evidence, Finding, Gap, Identity, Severity, Snapshot, Table, Verdict } from "./model.ts";
import { verdictOf, worst } from "./verdict.ts";
import type { ReportWaiver } from "./acceptance.ts";
import type { Accepted, MarkedFinding, MarkedGap, Waived } from "./waive.ts";

/** One verdict object feeds every output and the exit code. Plain JSON. */
export interface Report {
  readonly schema: "cloud-assert/report/v1";
  /** The worst over assertions of severity `error`: the exit code in words. */
  readonly verdict: Verdict;
  /** What the reader should know about the run as a whole, one line each. */
  readonly notes: readonly string[];
  readonly clusters: readonly ReportCluster[];
  readonly results: readonly Result[];
  /** What became of the waivers of this run; left out when there are none. */
  readonly waivers?: readonly ReportWaiver[] | undefined;
  readonly summary: Readonly<Record<Verdict, number>>;
}

export interface ReportCluster {
  readonly name: string;
  readonly cloud?: string | undefined;
  readonly region?: string | undefined;
  readonly identity: Identity;
  readonly takenAt?: string | undefined;
  readonly snapshotSha256?: string | undefined;
  readonly reachable: boolean;
}

export interface Result {
  readonly assertion: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  readonly at: Position;
  /** `of` says what `judged` counts: `11` `proxies`; `names` are those of the clusters. */
  readonly coverage: { readonly clusters: number; readonly facts: number; readonly judged: number; readonly of: string; readonly names?: readonly string[] | undefined };
  readonly gaps: readonly ReportGap[];
  readonly assumptions: readonly Omit<Assumption, "type">[];
  readonly findings: readonly ReportFinding[];
  /** What was compared, at a glance, where the kind shows it. */
  readonly tables?: readonly ReportTable[] | undefined;
}

export type ReportTable = Omit<Table, "type">;

export interface ReportGap extends Pick<Gap, "cluster" | "subject" | "reason" | "remedy"> {
  readonly fingerprint: string;
  readonly waived?: Accepted | undefined;
}

export interface ReportFinding extends Pick<Finding, "outcome" | "subject" | "message" | "remedy"> {
  readonly fingerprint: string;
  readonly waived?: Accepted | undefined;
  readonly evidence: readonly Evidence[];
}

/** Sorts, counts and freezes: the same judgement gives the same bytes in whatever order it came. */
export function reportOn(
  waived: readonly Waived[],
  fleet: readonly Cluster[],
  snapshots: ReadonlyMap<string, Snapshot>,
  notes: readonly string[] = [],
  waivers: readonly ReportWaiver[] = [],
): Report {
  const results = waived.map(resultOf).sort((a, b) => byText(a.assertion, b.assertion));
  const verdicts = results.map((result) => result.verdict);
  const count = (verdict: Verdict) => verdicts.filter((found) => found === verdict).length;
  const decisive = results.filter((result) => result.severity === "error");
  const report: Report = {
    schema: "cloud-assert/report/v1",
    verdict: worst(decisive.map((result) => result.verdict)),
    notes: [...notes],
    clusters: fleet.map((cluster) => clusterOf(cluster, snapshots.get(cluster.name))).sort((a, b) => byText(a.name, b.name)),
    results,
    ...(waivers.length === 0 ? {} : { waivers }),
    summary: { holds: count("holds"), violated: count("violated"), undecided: count("undecided") },
  };
  return deepFreeze(JSON.parse(canonical(report)) as Report);
}

function resultOf(waived: Waived): Result {
  const { assertion } = waived;
  return {
    assertion: assertion.name,
    kind: assertion.kind,
    severity: assertion.severity,
    verdict: verdictOf(waived),
    at: assertion.at,
    coverage: { clusters: waived.clusters.length, facts: waived.facts, judged: waived.judged, of: waived.of, names: waived.clusters.map(({ name }) => name) },
    gaps: distinct(waived.gaps.map(gapOf), (gap) => `${gap.cluster ?? ""}\0${gap.subject}`),
    assumptions: distinct(
      waived.assumptions.map(({ text, where }) => ({ text, where })),
      (assumption) => assumption.where,
    ),
    findings: distinct(waived.findings.map(findingOf), (finding) => `${OUTCOMES.indexOf(finding.outcome)}\0${finding.subject}`),
    ...(waived.tables === undefined ? {} : { tables: waived.tables.map(({ title, columns, rows }) => ({ title, columns, rows })) }),
  };
}

const OUTCOMES: readonly Finding["outcome"][] = ["fault", "undecided", "info"];

function gapOf({ cluster, subject, reason, remedy, fingerprint, waived }: MarkedGap): ReportGap {
  return { cluster, subject, reason, remedy, fingerprint, waived };
}

function findingOf({ outcome, subject, message, remedy, fingerprint, waived, evidence }: MarkedFinding): ReportFinding {
  const cited = distinct(evidence, (item) => `${item.cluster}\0${item.label}`);
  return { outcome, subject, message, remedy, fingerprint, waived, evidence: cited };
}

function clusterOf({ name, cloud, region }: Cluster, snapshot: Snapshot | undefined): ReportCluster {
  return {
    name,
    cloud,
    region,
    identity: snapshot?.identity ?? {},
    takenAt: snapshot?.takenAt,
    snapshotSha256: snapshot?.sha256,
    reachable: snapshot?.reachable ?? false,
  };
}

/** Sorted by `key`, then by content, without what is said twice. */
function distinct<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  const byContent = new Map(items.map((item) => [`${key(item)}\0${canonical(item)}`, item]));
  return [...byContent].sort(([a], [b]) => byText(a, b)).map(([, item]) => item);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
