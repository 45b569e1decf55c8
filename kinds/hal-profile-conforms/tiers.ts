import type { Fact } from "#engine";
import type { HalProfile } from "./profile.ts";

/** How strong an evidence is, the weakest first. */
export type Tier = HalProfile["minTier"];

const TIERS: readonly Tier[] = ["T0", "T1", "T2", "T3", "T4"];

/** Is a tier at least as strong as another? */
function reaches(tier: Tier, least: Tier): boolean {
  return TIERS.indexOf(tier) >= TIERS.indexOf(least);
}

/** What was seen of one requirement in one place, on a node or in a cluster. */
export interface Seen {
  readonly outcome: "pass" | "fail" | "unknown";
  /** Left out: nothing was seen. */
  readonly tier?: Tier | undefined;
  /** The value, in a few words. */
  readonly observed: string;
  /** What to do, where it did not pass. */
  readonly remedy?: string | undefined;
  /** Where it was seen, beside the node itself. */
  readonly fact?: Fact | undefined;
  /** For parity: values by the name of a field. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

export function pass(tier: Tier, observed: string, more: Partial<Seen> = {}): Seen {
  return { outcome: "pass", tier, observed, ...more };
}

/** Whole lists hold nothing of what could be wrong. No tier: of such a thing nothing was seen. */
export function noneThere(observed: string): Seen {
  return { outcome: "pass", observed };
}

export function fail(tier: Tier, observed: string, remedy: string, more: Partial<Seen> = {}): Seen {
  return { outcome: "fail", tier, observed, remedy, ...more };
}

export function unknown(observed: string, remedy: string, more: Partial<Seen> = {}): Seen {
  return { outcome: "unknown", observed, remedy, ...more };
}

/** The same, unless its evidence is weaker than what the profile accepts: then nothing follows from it. */
export function accepted(seen: Seen, least: Tier): Seen {
  if (seen.outcome === "unknown" || seen.tier === undefined || reaches(seen.tier, least)) return seen;
  return { ...seen, outcome: "unknown", observed: `${seen.observed}, seen at ${seen.tier} only`, remedy: `get evidence of tier ${least} or stronger, or accept ${seen.tier} in \`minTier\` or \`minTiers\`` };
}

/** The strongest evidence that decides, of several as strong one that passes; where none does, the first. */
export function strongest(all: readonly Seen[]): Seen | undefined {
  const decided = all.filter(({ outcome }) => outcome !== "unknown").toSorted((a, b) => rank(b) - rank(a) || (a.outcome === b.outcome ? 0 : a.outcome === "pass" ? -1 : 1));
  return decided[0] ?? all[0];
}

function rank({ tier }: Seen): number {
  return tier === undefined ? -1 : TIERS.indexOf(tier);
}
