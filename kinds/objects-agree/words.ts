import { byText, canonical, type Evidence } from "#engine";
import { objectPathText } from "#values";
import type { Difference } from "./walking.ts";
import { Hidden, isMap } from "./meaning.ts";
import type { ObjectFact } from "./sides.ts";

const LONGEST = 160;
const CONTEXT = 40;
const MOST_PATHS = 3;
const MOST_CITED = 20;

/** Clusters that have the same value at a place. */
interface Camp {
  readonly value: unknown;
  readonly clusters: readonly string[];
}

/** Who has which value, the largest camp first. */
export function campsOf({ values }: Difference, facts: readonly ObjectFact[]): readonly Camp[] {
  const camps = new Map<string, { value: unknown; clusters: string[] }>();
  for (const [index, value] of values.entries()) {
    const text = value === undefined ? "" : canonical(shown(value));
    const camp = camps.get(text) ?? { value, clusters: [] };
    camp.clusters.push(facts[index]?.cluster ?? "");
    camps.set(text, camp);
  }
  return [...camps.values()]
    .map(({ value, clusters }) => ({ value, clusters: clusters.toSorted(byText) }))
    .toSorted((a, b) => b.clusters.length - a.clusters.length || byText(a.clusters[0] ?? "", b.clusters[0] ?? ""));
}

/** The camp that is larger than every other. */
export function majorityOf(camps: readonly Camp[]): Camp | undefined {
  const [first, second] = camps;
  return first !== undefined && second !== undefined && first.clusters.length > second.clusters.length ? first : undefined;
}

/** `spec.mtls.mode` is STRICT in two clusters (the majority), PERMISSIVE in one. */
export function differencesText(found: readonly Difference[], facts: readonly ObjectFact[]): string {
  const told = found.slice(0, MOST_PATHS).map((difference) => differenceText(difference, facts));
  const more = found.length - told.length;
  return `${told.join("; ")}${more > 0 ? `; and at ${more} more ${more === 1 ? "place" : "places"}` : ""}`;
}

function differenceText(difference: Difference, facts: readonly ObjectFact[]): string {
  const camps = campsOf(difference, facts);
  const majority = majorityOf(camps);
  const from = firstDifference(camps.map(({ value }) => value));
  const texts = camps.map((camp) => `${valueText(camp.value, from)} in ${clustersText(camp.clusters)}${camp === majority ? " (the majority)" : ""}`);
  return `${pathText(difference)} is ${texts.join(", ")}`;
}

export function pathText({ path }: Pick<Difference, "path">): string {
  return `\`${plainPath(path)}\``;
}

/** Entries that pair by their keys are written as `[name=http]`. */
function plainPath(path: Difference["path"]): string {
  let text = "";
  let plain: string[] = [];
  const flush = () => {
    const part = objectPathText(plain);
    text += part === "" || text === "" || part.startsWith("[") ? part : `.${part}`;
    plain = [];
  };
  for (const step of path) {
    if (step.startsWith("=")) {
      flush();
      text += `[${step.slice(1)}]`;
    } else plain.push(step);
  }
  flush();
  return text;
}

/** The path as `ignore` takes it. */
export function ignorablePath({ path }: Pick<Difference, "path">): string {
  return objectPathText(path.map((step) => (step.startsWith("=") || /^\d+$/.test(step) ? "*" : step)));
}

export function clustersText(clusters: readonly string[]): string {
  const names = clusters.map((cluster) => `\`${cluster}\``);
  return names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

/** Long texts are shown from where they part. */
function firstDifference(values: readonly unknown[]): number {
  const texts = values.filter((value) => typeof value === "string").map(oneLine);
  const [first = "", ...others] = texts;
  if (others.length === 0 || texts.every((text) => text.length <= LONGEST)) return 0;
  let same = 0;
  while (same < first.length && others.every((text) => text[same] === first[same])) same += 1;
  return same < LONGEST ? 0 : same - CONTEXT;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

function valueText(value: unknown, from = 0): string {
  if (value === undefined) return "absent";
  if (value instanceof Hidden) return `(not kept, digest ${value.sha256.slice(0, 12)})`;
  const line = oneLine(typeof value === "string" ? value : canonical(shown(value)));
  if (line === "") return value === "" ? "empty" : "blank";
  const start = typeof value === "string" ? Math.min(from, line.length) : 0;
  return `\`${start > 0 ? "…" : ""}${line.slice(start, start + LONGEST)}${line.length > start + LONGEST ? "…" : ""}\``;
}

function shown(value: unknown): unknown {
  if (value instanceof Hidden) return `sha256:${value.sha256.slice(0, 12)}`;
  if (Array.isArray(value)) return value.map(shown);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shown(field)])) : value;
}

/** Each value at each place, with where it was read. */
export function evidenceOf(found: readonly Difference[], facts: readonly ObjectFact[]): readonly Evidence[] {
  return found.slice(0, MOST_CITED).flatMap((difference) => {
    const from = firstDifference(difference.values);
    return facts.map((fact, index) => ({ cluster: fact.cluster, label: plainPath(difference.path), value: valueText(difference.values[index], from), source: fact.source }));
  });
}
