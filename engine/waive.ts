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
}

export interface Accepted {
  readonly reason: string;
  readonly owner: string;
  readonly expires: string;
}

type Marked<T> = T & { readonly fingerprint: string; readonly waived?: Accepted | undefined };
export type MarkedFinding = Marked<Finding>;
export type MarkedGap = Marked<Gap>;

/** An evaluation in which everything has its fingerprint, and what is accepted says so. */
export interface Waived extends Omit<Evaluation, "findings" | "gaps"> {
  readonly findings: readonly MarkedFinding[];
  readonly gaps: readonly MarkedGap[];
}

/**
 * Gives every finding and gap its fingerprint, and marks those that a waiver accepts on the day of `now`.
 * A waiver names its assertion and either the fingerprint or the exact subject.
 */
export function waive(evaluations: readonly Evaluation[], waivers: readonly Waiver[], now: string): readonly Waived[] {
  const today = now.slice(0, 10);
  const valid = waivers.filter((waiver) => waiver.expires >= today);

  return evaluations.map((evaluation) => {
    const mine = valid.filter((waiver) => waiver.assertion === evaluation.assertion.name);
    const mark = <T extends Finding | Gap>(item: T, cause: string): Marked<T> => {
      const fingerprint = digestOf([evaluation.assertion.name, item.subject, cause]).slice(0, 32);
      const waiver = mine.find((candidate) => candidate.fingerprint === fingerprint || candidate.subject === item.subject);
      return { ...item, fingerprint, ...(waiver && { waived: accepted(waiver) }) };
    };
    return {
      ...evaluation,
      findings: evaluation.findings.map((finding) => mark(finding, finding.cause)),
      gaps: evaluation.gaps.map((gap) => mark(gap, `gap ${gap.cluster ?? ""} ${gap.kind ?? ""} ${gap.selector ?? ""}`)),
    };
  });
}

function accepted({ reason, owner, expires }: Waiver): Accepted {
  return { reason, owner, expires };
}
