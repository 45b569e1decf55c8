import type { Assertion } from "./model.ts";
import type { MarkedFinding, Waived } from "./waive.ts";

/** What must be looked at again to confirm the faults of a first look. */
export interface Recheck {
  readonly assertions: readonly Assertion[];
  /** Names of the clusters that those faults cite. */
  readonly clusters: ReadonlySet<string>;
}

/** The assertions with a fault that nobody accepted, and the clusters their faults rest on. */
export function recheckOf(judged: readonly Waived[]): Recheck {
  const faulty = judged.filter((each) => openFaults(each).length > 0);
  const cited = faulty.flatMap((each) => openFaults(each).flatMap((fault) => fault.evidence.map((item) => item.cluster)));
  return { assertions: faulty.map((each) => each.assertion), clusters: new Set(cited) };
}

/**
 * Several looks at the same fleet as one judgement. The first look has every assertion, later ones those that were looked at again.
 *
 * Guarantees:
 *
 * 1. A fault stays only when every look shows it, by its fingerprint.
 * 2. A fault that some looks show is `undecided`; one that only the first look shows is `info`.
 * 3. A gap of any look counts, so a look that saw less never clears a fault.
 * 4. What is not looked at again is unchanged.
 */
export function confirmed(looks: readonly (readonly Waived[])[]): readonly Waived[] {
  const [first = [], ...later] = looks;
  return first.map((each) => {
    const again = later.flatMap((look) => look.filter((other) => other.assertion.name === each.assertion.name));
    return again.length === 0 ? each : merged([each, ...again]);
  });
}

function merged(looks: readonly Waived[]): Waived {
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined) throw new TypeError("no look to merge");
  const faults = new Map(looks.flatMap((look) => openFaults(look).map((fault) => [fault.fingerprint, fault] as const)));
  const least = looks.reduce((fewest, look) => (look.judged < fewest.judged ? look : fewest));
  return {
    ...last,
    judged: least.judged,
    of: least.of,
    findings: [
      ...last.findings.filter((finding) => finding.outcome !== "fault" || finding.waived !== undefined),
      ...faults.values().map((fault) => settled(fault, looks)),
    ],
    gaps: looks.flatMap((look) => look.gaps),
    assumptions: looks.flatMap((look) => look.assumptions),
  };
}

function settled(fault: MarkedFinding, looks: readonly Waived[]): MarkedFinding {
  const shows = looks.map((look) => openFaults(look).some((other) => other.fingerprint === fault.fingerprint));
  const times = shows.filter(Boolean).length;
  if (times === looks.length) return fault;
  if (times === 1 && shows[0] === true) {
    return { ...fault, outcome: "info", message: `seen in the first of ${looks.length} looks and not since: ${fault.message}`, remedy: `if it comes back: ${fault.remedy}` };
  }
  return {
    ...fault,
    outcome: "undecided",
    message: `seen in ${times} of ${looks.length} looks: ${fault.message}`,
    remedy: `the cluster changes while it is looked at: run again when no rollout is under way; if it stays, ${fault.remedy}`,
  };
}

function openFaults({ findings }: Waived): readonly MarkedFinding[] {
  return findings.filter((finding) => finding.outcome === "fault" && finding.waived === undefined);
}
