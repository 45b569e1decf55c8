import { compareWorlds, type Mapping, type WorldComparison, type WorldDifference, type WorldOptions } from "#routes";
import { istioMap } from "#values";
import { routeWorldsOf } from "../../kinds/routes-equivalent/place.ts";
import { effectText, listText, ruleText, sidesOf, viewText } from "../../kinds/routes-equivalent/words.ts";
import { count } from "../../reports/layout.ts";
import { UsageError } from "../errors.ts";
import type { Flags } from "../flags.ts";
import { actionJson, openJson, requestJson, ruleJson } from "./answer.ts";
import { withKeptOrder } from "./kept-order.ts";
import type { Seen } from "./place.ts";
import { pairOfWorlds, type Side } from "./worlds.ts";

export type Verdict = WorldComparison["outcome"];

/** Two places, compared. */
export interface Compared extends Pick<WorldComparison, "differences" | "undecided" | "assumptions" | "size"> {
  readonly verdict: Verdict;
  /** As they are named in `differences`: left, right. */
  readonly places: readonly [left: string, right: string];
}

/** Compares what was seen. What of a place could not be seen leaves everything open. */
export function compareSeen(places: readonly [string, string], seen: readonly [Seen, Seen], flags: Flags): Compared {
  const options = optionsOf(places, flags);
  const gaps = seen.flatMap((one, index) => one.gaps.map(({ subject, reason, remedy }) => ({ reason: `${reason}; ${remedy}`, where: { object: subject }, place: places[index] ?? "" })));
  if (gaps.length > 0) return { verdict: "undecided", places, differences: [], undecided: gaps, assumptions: [], size: { views: 0, hosts: 0, classes: 0 } };
  const versions = { istio: pairOf("--istio", flags.istio), envoy: pairOf("--envoy", flags.envoy) };
  const decide = (...facts: readonly [Seen["facts"], Seen["facts"]]): Compared => {
    const side = (index: 0 | 1): Side => ({ name: places[index], seen: { ...seen[index], facts: facts[index] }, reading: flags.reading, istio: versions.istio[index], envoy: versions.envoy[index] });
    const worlds = pairOfWorlds([side(0), side(1)], (all) => routeWorldsOf(all, knownMap));
    const comparison = compareWorlds(worlds, options);
    for (const { names, common } of comparison.conflicts) {
      throw new UsageError(`the mapping makes \`${names[0]}\` and \`${names[1]}\` of \`${places[1]}\` one, \`${common}\``, { remedy: "map only one of the two to that name" });
    }
    return { ...comparison, verdict: comparison.outcome, places };
  };
  const compared = decide(seen[0].facts, seen[1].facts);
  return places.every((place) => place.startsWith("git:")) ? withKeptOrder(compared, [seen[0].facts, seen[1].facts], decide) : compared;
}

let known: ReturnType<typeof istioMap> | undefined;

/** The map of the release; reading its rows costs more than a small comparison. */
export function knownMap(): ReturnType<typeof istioMap> {
  return (known ??= istioMap());
}

function optionsOf([, right]: readonly [string, string], flags: Flags): WorldOptions {
  const mapping: Mapping = { hosts: mapOf("--map-host", flags.mapHost), gateways: mapOf("--map-gateway", flags.mapGateway) };
  return {
    ...(flags.hosts.length === 0 ? {} : { hosts: flags.hosts }),
    ...(flags.views.length === 0 ? {} : { views: flags.views }),
    mappings: Object.fromEntries([[right, mapping]]),
    ignore: flags.ignore,
  };
}

function mapOf(flag: string, pairs: readonly string[]): Readonly<Record<string, string>> {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const [from = "", to = "", ...rest] = pair.split("=");
    if (from === "" || to === "" || rest.length > 0) throw new UsageError(`${flag} is \`${pair}\`; it takes \`FROM=TO\``, { remedy: `write \`${flag} ${flag === "--map-host" ? ".azure.example=.example" : "aks-istio-ingress/external=ingress/public"}\`` });
    const other = map.get(from);
    if (other !== undefined && other !== to) throw new UsageError(`${flag} maps \`${from}\` twice, to \`${other}\` and to \`${to}\``, { remedy: "leave one of the two out" });
    map.set(from, to);
  }
  return Object.fromEntries(map);
}

/** `1.29.2` for both, or `1.28.0:1.29.2` for left and right. */
export function pairOf(flag: string, value: string | undefined): readonly [string | undefined, string | undefined] {
  if (value === undefined) return [undefined, undefined];
  const [left = "", right = left, ...rest] = value.split(":");
  const bad = rest.length > 0 ? value : [left, right].find((one) => !/^v?1\.\d{1,4}(\.\d{1,4})?([-.].*)?$/.test(one));
  if (bad !== undefined) throw new UsageError(`${flag} is \`${value}\`; it takes a release, or two as \`LEFT:RIGHT\``, { remedy: `write \`${flag} ${flag === "--istio" ? "1.29.2" : "1.37.2"}\`` });
  return [left, right];
}

/** The answer as a sentence, with the places as `named` writes them. */
export function wordsOf({ verdict, places, differences }: Compared, named: (place: string) => string): string {
  const both = places.map(named).join(" and ");
  if (verdict === "equivalent") return `${both} route every request alike`;
  if (verdict === "undecided") return `whether ${both} route alike stays open`;
  return `${both} route ${differences.length} ${differences.length === 1 ? "kind" : "kinds"} of request differently`;
}

/** What a difference says of each side: where, what happens, and by which rule. */
export function sidesText(difference: WorldDifference): readonly { readonly where: string; readonly rule?: string }[] {
  const { answers, missing, view } = difference;
  const effects = answers.map(({ effect }) => effect);
  return sidesOf(difference).flatMap((side) => {
    const [first] = side;
    if (first === undefined) return [];
    const where = `in ${listText(side.map(({ place }) => place))}`;
    if (missing.includes(first.place)) return [{ where: `${where}: there is no such ${"gateway" in view ? "gateway" : "client"}` }];
    return [{ where: `${where} it ${effectText(first.effect, effects)}`, rule: ruleText(first.rule) }];
  });
}

/** For what else a difference holds, `most` names of each. */
export function alsoText({ alsoFor, alsoIn, more }: WorldDifference, most: number): readonly string[] {
  const listed = (names: readonly string[], noun: string) => `${names.slice(0, most).join(", ")}${names.length > most ? ` and ${count(names.length - most, `more ${noun}`)}` : ""}`;
  return [
    ...(alsoFor.length === 0 ? [] : [`also for ${listed(alsoFor, "host")}`]),
    ...(alsoIn.length === 0 ? [] : [`also at ${listed(alsoIn.map(viewText), "view")}`]),
    ...(more === true ? ["more requests for this host may differ"] : []),
  ];
}

/** An open question as a sentence. */
export function openText({ reason, where, place, host }: Compared["undecided"][number]): string {
  const object = where === undefined ? "" : ` (${where.object}${where.path === undefined ? "" : ` ${where.path}`})`;
  return `cannot be decided${place === undefined ? "" : ` in \`${place}\``}: ${reason}${object}${host === undefined ? "" : `, for \`${host}\``}`;
}

/** The comparison for programs. */
export function compareJson({ verdict, differences, undecided, assumptions, size }: Compared): object {
  return { schema: "cloud-assert/compare/v1", verdict, differences: differences.map(differenceJson), undecided: undecided.map(openJson), assumptions, size };
}

function differenceJson({ view, request, answers, missing, alsoFor, alsoIn, more }: WorldDifference): object {
  const [left, right] = answers.map(({ effect, rule, place }) => ({ action: actionJson(effect), rule: ruleJson(rule), ...(missing.includes(place) ? { missing: true } : {}) }));
  return { view, request: requestJson(request), left, right, ...(alsoFor.length === 0 ? {} : { alsoFor }), ...(alsoIn.length === 0 ? {} : { alsoIn }), ...(more === true ? { more } : {}) };
}
