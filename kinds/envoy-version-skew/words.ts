import { byText } from "#engine";
import { istioBuildText, releaseText } from "#values";
import { ADMIN, type Basis, type Known, type ProxyFact } from "./reading.ts";
import type { Lag, Numbered } from "./skew.ts";

/** How to ask Envoy itself: allow it, or repair what kept it from answering. */
export function asking(fact: ProxyFact | undefined): string {
  const failure = fact?.data.probe.failure;
  return failure === undefined ? ADMIN : `${failure.remedy} (the probe did not tell: ${failure.reason})`;
}

/** `1.36.4`; `1.32.1 or 1.32.2` where it is open. */
export function numberText({ numbers }: Numbered): string {
  return numbers.map(releaseText).join(" or ");
}

/** ` (Istio 1.28.2 and 1.28.3)`: the releases behind an Envoy number; nothing where the number is Istio's own. */
export function releasesText(items: readonly Known[], basis: Basis): string {
  const builds = new Set(items.flatMap(({ release }) => (release === undefined ? [] : [istioBuildText(release)])));
  const shown = basis === "istio" ? [...builds].filter((build) => items.some((item) => numberText(item) !== build)) : [...builds];
  return shown.length === 0 ? "" : ` (Istio ${several(shown.toSorted(byText), 4, "")})`;
}

/** How far behind, in the words of that part of the number: a step over a minor line is never a number of patches. */
export function behind({ part, certain, least, most }: Lag<Numbered>, wanted: string): string {
  if (part !== "patch") return `another ${part} release than ${wanted}: ${count(most, `${part} release`)} behind`;
  if (!certain) return `which may be up to ${count(most, "patch release")} behind ${wanted}`;
  return `${least === most ? count(most, "patch release") : `${least} to ${count(most, "patch release")}`} behind ${wanted}`;
}

/** `1 proxy`, `10,000 proxies` */
export function count(number: number, noun: string): string {
  const digits = String(number).replace(/\B(?=(\d{3})+$)/g, ",");
  if (number === 1) return `${digits} ${noun}`;
  return `${digits} ${noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

/** Running proxies; the others are listed, never counted. */
export function proxiesOf(items: readonly { readonly fact: ProxyFact }[]): number {
  return items.reduce((sum, { fact }) => sum + fact.data.running, 0);
}

/** The verb for them. */
export function running(items: readonly { readonly fact: ProxyFact }[]): string {
  return proxiesOf(items) === 1 ? "runs" : "run";
}

/** `shop/Deployment/cart`, those with most proxies first. */
export function workloadsOf(items: readonly { readonly fact: ProxyFact }[]): readonly string[] {
  const sizes = new Map<string, number>();
  for (const { fact } of items) {
    const name = `${fact.data.namespace}/${fact.data.workload}`;
    sizes.set(name, (sizes.get(name) ?? 0) + fact.data.running);
  }
  return [...sizes].toSorted(([a, more], [b, less]) => less - more || byText(a, b)).map(([name]) => name);
}

/** The first few, and how many more there are. */
export function several(names: readonly string[], most: number, quote = "`"): string {
  const shown = names.slice(0, most).map((name) => `${quote}${name}${quote}`);
  const hidden = names.length - shown.length;
  if (hidden > 0) return `${shown.join(", ")} and ${hidden} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
