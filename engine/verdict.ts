import type { Verdict } from "./model.ts";
import type { Waived } from "./waive.ts";

/**
 * The verdict law; it lives here and nowhere else.
 *
 * 1. What is waived is taken out.
 * 2. Any fault left: `violated`.
 * 3. Any gap or undecided finding left: `undecided`.
 * 4. Nothing judged: `undecided`, unless `allowEmpty` and there was no gap at all, waived or not.
 * 5. Otherwise `holds`.
 */
export function verdictOf({ assertion, findings, gaps, judged }: Waived): Verdict {
  const open = findings.filter((finding) => !finding.waived);
  if (open.some((finding) => finding.outcome === "fault")) return "violated";
  if (open.some((finding) => finding.outcome === "undecided") || gaps.some((gap) => !gap.waived)) return "undecided";
  if (judged === 0 && !(assertion.allowEmpty && gaps.length === 0)) return "undecided";
  return "holds";
}

/** The worst of several: `violated`, then `undecided`, then `holds`. */
export function worst(verdicts: Iterable<Verdict>): Verdict {
  const seen = new Set(verdicts);
  return seen.has("violated") ? "violated" : seen.has("undecided") ? "undecided" : "holds";
}
