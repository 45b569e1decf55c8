import type { Position } from "./errors.ts";
import type { Evaluation } from "./evaluate.ts";
import { digestOf } from "./json.ts";
import type { Finding, Gap } from "./model.ts";

/** An accepted finding or gap, as its document says it. */
export interface Waiver {
  readonly assertion: string;
  readonly fingerprint?: string | undefined;
  readonly subject?: string | undefined;
  readonly reason: string;
  readonly owner: string;
  /** The last day on which it counts, UTC. */
  readonly expires: string;
  readonly at?: Position | undefined;
}

/** Findings that were there when somebody drew a line: they are known, everything else is new. */
export interface Baseline {
  /** As the user named it. */
  readonly file: string;
  readonly findings: readonly KnownFinding[];
}

export interface KnownFinding {
  readonly assertion: string;
  readonly subject: string;
  readonly fingerprint: string;
  readonly outcome: "fault" | "undecided";
}

/** Why something does not count, and who answers for it. */
export interface Accepted {
  readonly reason: string;
  readonly owner: string;
  /** Left out where the baseline accepts it. */
  readonly expires?: string | undefined;
}

type Marked<T> = T & { readonly fingerprint: string; readonly waived?: Accepted | undefined };
export type MarkedFinding = Marked<Finding>;
export type MarkedGap = Marked<Gap>;

/** An evaluation in which everything has its fingerprint, and what is accepted says so. */
export interface Waived extends Omit<Evaluation, "findings" | "gaps"> {
  readonly findings: readonly MarkedFinding[];
  readonly gaps: readonly MarkedGap[];
}

/** Is it the baseline that accepts? A waiver always ends. */
export function isOfBaseline({ expires }: Accepted): boolean {
  return expires === undefined;
}

/**
 * Gives every finding and gap its fingerprint, and marks those that are accepted on the day of `now`.
 *
 * Guarantees:
 *
 * 1. A waiver accepts one thing. By its fingerprint that is one counterexample; a subject that stands for several things
 *    accepts none of them, so that a new difference of a known subject is not hidden.
 * 2. A waiver counts through the end of its last day, UTC, and never afterwards.
 * 3. The baseline accepts findings only, never gaps: what was not seen once may be anything the next time. An undecided
 *    finding that turns into a fault is new.
 * 4. Information is never marked: it changes no verdict.
 */
export function waive(evaluations: readonly Evaluation[], waivers: readonly Waiver[], now: string, baseline?: Baseline): readonly Waived[] {
  const valid = waivers.filter((waiver) => !isExpired(waiver, now));
  const byAssertion = Map.groupBy(valid, ({ assertion }) => assertion);
  const known = new Map(baseline?.findings.map((finding) => [`${finding.assertion}\0${finding.fingerprint}`, finding.outcome]));
  return evaluations.map((evaluation) => {
    const marked = withFingerprints(evaluation);
    const waived = acceptedOf(byAssertion.get(evaluation.assertion.name) ?? [], marked);
    const ofBaseline = (finding: MarkedFinding): Accepted | undefined => {
      const outcome = known.get(`${evaluation.assertion.name}\0${finding.fingerprint}`);
      if (outcome === undefined || (outcome === "undecided" && finding.outcome === "fault")) return undefined;
      return { reason: `known: it is in the baseline \`${baseline?.file}\``, owner: "baseline" };
    };
    return {
      ...marked,
      findings: marked.findings.map((finding) => (finding.outcome === "info" ? finding : mark(finding, waived.get(finding.fingerprint) ?? ofBaseline(finding)))),
      gaps: marked.gaps.map((gap) => mark(gap, waived.get(gap.fingerprint))),
    };
  });
}

/** Is the last day of the waiver over? */
export function isExpired({ expires }: Pick<Waiver, "expires">, now: string): boolean {
  return expires < now.slice(0, 10);
}

/** Fingerprints of what counts in an assertion, by subject: faults, undecided findings and gaps. */
export function fingerprintsBySubject({ findings, gaps }: Waived): ReadonlyMap<string, ReadonlySet<string>> {
  const subjects = new Map<string, Set<string>>();
  for (const { subject, fingerprint } of [...findings.filter(({ outcome }) => outcome !== "info"), ...gaps]) {
    const all = subjects.get(subject);
    if (all === undefined) subjects.set(subject, new Set([fingerprint]));
    else all.add(fingerprint);
  }
  return subjects;
}

/** What valid waivers accept, by fingerprint; of several the one that lasts longest. */
function acceptedOf(waivers: readonly Waiver[], evaluation: Waived): ReadonlyMap<string, Accepted> {
  if (waivers.length === 0) return new Map();
  const subjects = fingerprintsBySubject(evaluation);
  const accepted = new Map<string, Accepted>();
  for (const { fingerprint, subject, reason, owner, expires } of waivers.toSorted((a, b) => (a.expires < b.expires ? -1 : 1))) {
    const of = subject === undefined ? undefined : subjects.get(subject);
    const meant = fingerprint ?? (of?.size === 1 ? [...of][0] : undefined);
    if (meant !== undefined) accepted.set(meant, { reason, owner, expires });
  }
  return accepted;
}

function withFingerprints(evaluation: Evaluation): Waived {
  const named = <T extends Finding | Gap>(item: T, cause: string): Marked<T> => ({
    ...item,
    fingerprint: digestOf([evaluation.assertion.name, item.subject, cause]).slice(0, 32),
  });
  return {
    ...evaluation,
    findings: evaluation.findings.map((finding) => named(finding, finding.cause)),
    gaps: evaluation.gaps.map((gap) => named(gap, `gap ${gap.cluster ?? ""} ${gap.kind ?? ""} ${gap.selector ?? ""}`)),
  };
}

function mark<T>(item: Marked<T>, waived: Accepted | undefined): Marked<T> {
  return waived === undefined ? item : { ...item, waived };
}
