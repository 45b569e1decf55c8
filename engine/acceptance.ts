import { byText } from "./json.ts";
import { fingerprintsBySubject, isExpired, isOfBaseline, type Baseline, type KnownFinding, type Waived, type Waiver } from "./waive.ts";

/** Days before the end of a waiver on which it is warned of. */
const WARNING_DAYS = 14;

/**
 * What became of a waiver:
 *
 * - `active` it accepts something; `expiring` the same, and its end is near
 * - `expired` what it accepted is there and counts again
 * - `unused` nothing like it is there any more
 * - `ambiguous` its subject stands for several things, so it accepts none
 * - `unknown` its assertion has open gaps: what it accepts may be there or not
 * - `elsewhere` its assertion is not in this run
 */
export type WaiverState = "active" | "expiring" | "expired" | "unused" | "ambiguous" | "unknown" | "elsewhere";

/** A waiver in a report. */
export interface ReportWaiver extends Waiver {
  readonly state: WaiverState;
  /** Whole days left after today; negative when it is over. */
  readonly daysLeft: number;
  /** Where the state is `ambiguous`: what the subject stands for. */
  readonly fingerprints?: readonly string[] | undefined;
}

/** What became of every waiver, on the day of `now`. */
export function reviewWaivers(waivers: readonly Waiver[], judged: readonly Waived[], now: string): readonly ReportWaiver[] {
  const assertions = new Map(judged.map((each) => [each.assertion.name, { subjects: fingerprintsBySubject(each), blind: each.gaps.some((gap) => !gap.waived) }]));
  return waivers.map((waiver) => {
    const { assertion, fingerprint, subject, reason, owner, expires, at } = waiver;
    const seen = assertions.get(assertion);
    const meant = matching(waiver, seen?.subjects);
    const daysLeft = daysBetween(now.slice(0, 10), expires);
    const state =
      seen === undefined
        ? "elsewhere"
        : meant.length === 0
          ? seen.blind
            ? "unknown"
            : "unused"
          : isExpired(waiver, now)
            ? "expired"
            : meant.length > 1
              ? "ambiguous"
              : daysLeft <= WARNING_DAYS
                ? "expiring"
                : "active";
    return { assertion, fingerprint, subject, reason, owner, expires, at, state, daysLeft, ...(state === "ambiguous" ? { fingerprints: meant } : {}) };
  });
}

/** What a reader should do about the waivers, one line each. */
export function waiverNotes(waivers: readonly ReportWaiver[]): readonly string[] {
  const elsewhere = new Set(waivers.filter(({ state }) => state === "elsewhere").map(({ assertion }) => `\`${assertion}\``));
  return [
    ...waivers.flatMap((waiver) => noteOf(waiver) ?? []),
    ...(elsewhere.size === 0 ? [] : [`waivers of assertions that are not in this run: ${[...elsewhere].toSorted(byText).join(", ")}`]),
  ];
}

function noteOf(waiver: ReportWaiver): string | undefined {
  const { assertion, fingerprint, subject, owner, expires, at, state, daysLeft, fingerprints = [] } = waiver;
  const where = at === undefined ? "" : `${at.file}:${at.line}:${at.column}: `;
  const what = `${where}the waiver of \`${subject ?? fingerprint ?? ""}\` in \`${assertion}\` (owner \`${owner}\`)`;
  switch (state) {
    case "expired":
      return `${what} expired on ${expires} and no longer counts; repair what it accepted, or let its owner decide anew`;
    case "expiring":
      return `${what} ${daysLeft === 0 ? `counts for the last time today (${expires}, UTC)` : `expires on ${expires}, in ${daysLeft} ${daysLeft === 1 ? "day" : "days"}`}; repair what it accepts before that`;
    case "unused":
      return `${what} accepts nothing any more; take it out`;
    case "ambiguous": {
      const shown = fingerprints.slice(0, 5).map((each) => `\`${each}\``);
      const more = fingerprints.length > shown.length ? ` and ${fingerprints.length - shown.length} more` : "";
      return `${what} names a subject that stands for ${fingerprints.length} things, and accepts none of them; write the \`fingerprint\` that is meant: ${shown.join(", ")}${more}`;
    }
    default:
      return undefined;
  }
}

/** Fingerprints of what is there that the waiver names. */
function matching({ fingerprint, subject }: Waiver, subjects: ReadonlyMap<string, ReadonlySet<string>> | undefined): readonly string[] {
  if (subjects === undefined) return [];
  if (subject !== undefined) return [...(subjects.get(subject) ?? [])].toSorted(byText);
  const there = fingerprint !== undefined && subjects.values().some((all) => all.has(fingerprint));
  return there ? [fingerprint] : [];
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}

/** What the baseline of these results is, and what of it the old one did not know. */
export interface NextBaseline {
  /** By assertion and fingerprint. */
  readonly findings: readonly KnownFinding[];
  /** Findings by which it would grow. */
  readonly added: readonly KnownFinding[];
}

/**
 * The baseline that fits what was judged. Findings that a waiver accepts are not in it; gaps never are. What of the old one could not
 * be looked at (an assertion that is not in this run, or that has open gaps) stays.
 */
export function nextBaseline(judged: readonly Waived[], old: Baseline | undefined): NextBaseline {
  const blind = new Set(judged.filter((each) => each.gaps.some((gap) => !gap.waived)).map((each) => each.assertion.name));
  const looked = new Set(judged.map((each) => each.assertion.name).filter((name) => !blind.has(name)));
  const now = judged.flatMap((each) =>
    each.findings.flatMap(({ outcome, subject, fingerprint, waived }): readonly KnownFinding[] =>
      outcome === "info" || (waived !== undefined && !isOfBaseline(waived)) ? [] : [{ assertion: each.assertion.name, subject, fingerprint, outcome }],
    ),
  );
  const before = new Map(old?.findings.map((finding) => [keyOf(finding), finding]));
  const kept = [...before.values()].filter(({ assertion }) => !looked.has(assertion));
  const next = new Map([...kept, ...now].map((finding) => [keyOf(finding), finding]));
  const findings = [...next.values()].toSorted((a, b) => byText(keyOf(a), keyOf(b)));
  const added = findings.filter((finding) => {
    const known = before.get(keyOf(finding));
    return known === undefined || (known.outcome === "undecided" && finding.outcome === "fault");
  });
  return { findings, added };
}

/** What a reader should know about the baseline, one line each. */
export function baselineNotes(judged: readonly Waived[], baseline: Baseline): readonly string[] {
  const accepted = judged.flatMap(({ findings }) => findings).filter(({ waived }) => waived !== undefined && isOfBaseline(waived)).length;
  const { findings } = nextBaseline(judged, baseline);
  const still = new Set(findings.map(keyOf));
  const gone = baseline.findings.filter((finding) => !still.has(keyOf(finding))).length;
  return [
    ...(accepted === 0 ? [] : [`${accepted === 1 ? "1 finding is" : `${accepted} findings are`} accepted, because the baseline \`${baseline.file}\` knows ${accepted === 1 ? "it" : "them"}`]),
    ...(gone === 0 ? [] : [`the baseline \`${baseline.file}\` knows ${gone === 1 ? "1 finding that is" : `${gone} findings that are`} no longer there; make it smaller with \`--write-baseline ${baseline.file}\``]),
  ];
}

function keyOf({ assertion, fingerprint }: Pick<KnownFinding, "assertion" | "fingerprint">): string {
  return `${assertion}\0${fingerprint}`;
}
