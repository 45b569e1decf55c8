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
  return write(value, "\n");
}

/** As `JSON.stringify` with two spaces does, in one pass: no copy in another order, no second look at the text. */
function write(value: unknown, line: string): string {
  if (typeof value === "string") return SIMPLE.test(value) ? `"${value}"` : plainJson(JSON.stringify(value));
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const inner = `${line}  `;
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "" : ","}${inner}${write(item, inner)}`;
    return text === "" ? "[]" : `[${text}${line}]`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of ordered(Object.keys(fields))) {
    if (fields[key] !== undefined) text += `${text === "" ? "" : ","}${inner}${write(key, "")}: ${write(fields[key], inner)}`;
  }
  return text === "" ? "{}" : `{${text}${line}}`;
}

/** Nothing in it is escaped in JSON, and nothing is invisible. */
const SIMPLE = /^[ !#-[\]-~]*$/;

/** Orders that were asked for: the objects of a report have few shapes. */
const orders = new Map<string, readonly string[]>();
const MOST_ORDERS = 1_000;

function ordered(keys: readonly string[]): readonly string[] {
  const shape = JSON.stringify(keys);
  const known = orders.get(shape);
  if (known !== undefined) return known;
  const order = keys.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  if (orders.size < MOST_ORDERS) orders.set(shape, order);
  return order;
}

function rank(key: string): number {
  return RANK.get(key) ?? RANK.size;
}
