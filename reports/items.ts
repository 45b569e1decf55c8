import type { Report, ReportFinding, ReportGap, Result, Verdict } from "#engine";

/** A finding or a gap of a report, as the formats that list them see it. */
export interface Item {
  readonly result: Result;
  readonly outcome: ReportFinding["outcome"] | "gap";
  readonly subject: string;
  /** The message of a finding, the reason of a gap. */
  readonly message: string;
  readonly remedy: string;
  readonly fingerprint: string;
  readonly waived: ReportFinding["waived"];
  readonly evidence: ReportFinding["evidence"];
  /** Clusters that it is about, each once. */
  readonly clusters: readonly string[];
}

/** Everything that was found, what can fail a build first: open before waived, by severity, by outcome. */
export function itemsOf(report: Report): readonly Item[] {
  const byUrgency: Item[][] = Array.from({ length: 24 }, () => []);
  for (const result of report.results) {
    for (const item of itemsOfResult(result)) byUrgency[urgency(item)]?.push(item);
  }
  return byUrgency.flat();
}

/** Everything that was found of one assertion: faults, undecided findings, gaps, information. */
export function itemsOfResult(result: Result): readonly Item[] {
  const items = [...result.findings.map((finding) => ofFinding(finding, result)), ...result.gaps.map((gap) => ofGap(gap, result))];
  const byOutcome = Object.groupBy(items, ({ outcome }) => outcome);
  return OUTCOMES.flatMap((outcome) => byOutcome[outcome] ?? []);
}

/** Does it keep its assertion from holding? */
export function isOpen({ outcome, waived }: Item): boolean {
  return waived === undefined && outcome !== "info";
}

/** Violated before undecided before holds; inside each, what can fail a build comes first. */
export function byUrgency(results: readonly Result[]): readonly Result[] {
  const rank = ({ verdict, severity }: Result) => VERDICTS.indexOf(verdict) * 3 + SEVERITIES.indexOf(severity);
  return results.toSorted((a, b) => rank(a) - rank(b));
}

const OUTCOMES: readonly Item["outcome"][] = ["fault", "undecided", "gap", "info"];
const SEVERITIES: readonly Result["severity"][] = ["error", "warning", "info"];
const VERDICTS: readonly Verdict[] = ["violated", "undecided", "holds"];

function urgency({ outcome, waived, result }: Item): number {
  return (waived === undefined ? 0 : 12) + SEVERITIES.indexOf(result.severity) * 4 + OUTCOMES.indexOf(outcome);
}

function ofFinding(finding: ReportFinding, result: Result): Item {
  const { outcome, subject, message, remedy, fingerprint, waived, evidence } = finding;
  return { result, outcome, subject, message, remedy, fingerprint, waived, evidence, clusters: [...new Set(evidence.map(({ cluster }) => cluster))] };
}

function ofGap({ cluster, subject, reason, remedy, fingerprint, waived }: ReportGap, result: Result): Item {
  return { result, outcome: "gap", subject, message: reason, remedy, fingerprint, waived, evidence: [], clusters: cluster === undefined ? [] : [cluster] };
}
