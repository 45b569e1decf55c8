import { plainJson } from "./plain.ts";
import { defineReporter } from "./reporter.ts";

/** Reading order: what it is, what it says, about what, why. Fields that are not named come last, by name. */
const ORDER = `schema verdict differences view request left right action rule notes clusters assertion kind severity outcome cluster name cloud region identity takenAt snapshotSha256
  reachable at file line column coverage subject reason message remedy fingerprint waived label value source collector locator
  facts judged of
  gaps assumptions findings evidence results summary holds violated undecided`.split(/\s+/);
const RANK = new Map(ORDER.map((key, index) => [key, index]));

export default defineReporter({
  name: "json",
  summary: "the verdict object, for programs",
  render: (report) => `${jsonText(report)}\n`,
});

/** Indented JSON in reading order: equal values give equal bytes. */
export function jsonText(value: unknown): string {
  return plainJson(JSON.stringify(inOrder(value), undefined, 2));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, inOrder(field)]));
}

function rank(key: string): number {
  return RANK.get(key) ?? RANK.size;
}
