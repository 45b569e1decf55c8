import { at, isObject, type Json, type JsonObject, listAt, objectAt, textAt } from "../../../routes/dialects/istio/json.ts";
import type { Random } from "../../support/tables.ts";
import type { MadeWorld } from "./worlds.ts";

/** A second cluster: the same world, with some edits that keep the meaning and some that need not. */
export function edited(world: MadeWorld, next: Random): MadeWorld {
  let out = world;
  for (let left = next(8); left > 0; left--) out = pick(next, next(100) < 45 ? keeping : changing)(out, next);
  return out;
}

type Edit = (world: MadeWorld, next: Random) => MadeWorld;

function pick<T>(next: Random, list: readonly T[]): T {
  const found = list[next(list.length)];
  if (found === undefined) throw new RangeError("nothing to pick from");
  return found;
}

/** Replaces one object of a kind, where there is one. */
function one(world: MadeWorld, next: Random, kind: string, change: (spec: JsonObject, object: JsonObject) => JsonObject | undefined): MadeWorld {
  const own = world.objects.filter((object) => at(object, "kind") === kind);
  if (own.length === 0) return world;
  const chosen = pick(next, own);
  const spec = change(objectAt(chosen, "spec"), chosen);
  return { ...world, objects: world.objects.flatMap((object) => (object !== chosen ? [object] : spec === undefined ? [] : [{ ...object, spec }])) };
}

/** Changes the rules of one VirtualService. */
function rules(change: (list: readonly JsonObject[], next: Random) => readonly JsonObject[]): Edit {
  return (world, next) => one(world, next, "VirtualService", (spec) => ({ ...spec, http: change(listAt(spec, "http").filter(isObject), next) }));
}

/** Changes one rule. */
function rule(change: (own: JsonObject, next: Random) => JsonObject): Edit {
  return rules((list, next) => {
    const chosen = next(Math.max(1, list.length));
    return list.map((own, index) => (index === chosen ? change(own, next) : own));
  });
}

/** Changes one match block. */
function match(change: (own: JsonObject, next: Random) => JsonObject): Edit {
  return rule((own, next) => {
    const blocks = listAt(own, "match").filter(isObject);
    const chosen = next(Math.max(1, blocks.length));
    return blocks.length === 0 ? own : { ...own, match: blocks.map((block, index) => (index === chosen ? change(block, next) : block)) };
  });
}

const quoted = (text: string): string => text.replaceAll(/[.*+?()[\]{}|\\^$]/g, String.raw`\$&`);

const keeping: readonly Edit[] = [
  (world) => ({ ...world, objects: world.objects.toReversed() }),
  rules((list, next) => {
    const chosen = next(Math.max(1, list.length));
    return list.flatMap((own, index) => (index === chosen && listAt(own, "match").length > 1 ? listAt(own, "match").map((block) => ({ ...own, match: [block] })) : [own]));
  }),
  rules((list, next) => (list.length === 0 ? list : [...list, ...list.slice(next(list.length)).filter((own) => listAt(own, "match").length > 0 && at(own, "delegate") === undefined).slice(0, 1)])),
  rule((own) => ({ ...own, ...(listAt(own, "route").length > 1 ? { route: listAt(own, "route").map((share) => (isObject(share) && typeof share["weight"] === "number" ? { ...share, weight: share["weight"] * 3 } : share)) } : {}) })),
  match((own) => {
    const uri = objectAt(own, "uri");
    const exact = textAt(uri, "exact"), prefix = textAt(uri, "prefix");
    if (at(own, "ignoreUriCase") === true || (exact === "" && prefix === "")) return own;
    return { ...own, uri: { regex: exact === "" ? `${quoted(prefix)}.*` : quoted(exact) } };
  }),
  match((own) => ({ ...own, headers: Object.fromEntries(Object.entries(objectAt(own, "headers")).map(([name, value]) => [name, textAt(value, "exact") !== "" && !name.startsWith("@") && !name.startsWith(":") ? { regex: quoted(textAt(value, "exact")) } : value])) })),
  rule((own) => (at(own, "timeout") === "1.5s" ? { ...own, timeout: "1500ms" } : at(own, "timeout") === "2m" ? { ...own, timeout: "120s" } : own)),
  rule((own) => (at(own, "mirror") === undefined ? own : withoutKey({ ...own, mirrors: [{ destination: at(own, "mirror") }] }, "mirror"))),
  rule((own) => ({ ...own, name: "another name" })),
];

function withoutKey(object: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

const changing: readonly Edit[] = [
  // The same YAML, applied in another order.
  (world, next) => ({ ...world, objects: world.objects.map((object) => (at(object, "kind") === "VirtualService" ? { ...object, metadata: { ...objectAt(object, "metadata"), creationTimestamp: `2026-01-0${1 + next(4)}T00:00:00Z` } } : object)) }),
  rules((list, next) => {
    if (list.length < 2) return list;
    const first = next(list.length - 1);
    return [...list.slice(0, first), ...list.slice(first, first + 2).reverse(), ...list.slice(first + 2)];
  }),
  rules((list, next) => (list.length < 2 ? list : list.toSpliced(next(list.length), 1))),
  rule((own, next) => (listAt(own, "route").length === 0 ? own : { ...own, timeout: pick(next, ["4s", "1500ms", "3s"]) })),
  rule((own, next) => (listAt(own, "route").length === 0 ? own : { ...own, retries: { attempts: pick(next, [0, 1, 4]), retryOn: pick(next, ["5xx", "gateway-error,5xx", "reset"]) } })),
  rule((own) => ({ ...own, ...(listAt(own, "route").length > 1 ? { route: listAt(own, "route").map((share, index) => (index === 0 && isObject(share) ? { ...share, weight: 7 } : share)) } : {}) })),
  rule((own, next) => (at(own, "delegate") === undefined ? { ...own, headers: { response: { set: { [pick(next, ["x", "z"])]: "new" } } } } : own)),
  rule((own) => (isObject(own["redirect"]) ? { ...own, redirect: { ...own["redirect"], redirectCode: 307 } } : own)),
  rule((own) => (isObject(own["directResponse"]) ? { ...own, directResponse: { ...own["directResponse"], status: 410 } } : own)),
  match((own, next) => ({ ...own, uri: pick<Json>(next, [{ prefix: "/a" }, { prefix: "/a/" }, { exact: "/a" }, { regex: "/a.*" }]) })),
  match((own, next) => ({ ...own, ...pick<JsonObject>(next, [{ method: { exact: "POST" } }, { ignoreUriCase: true }, { port: 8080 }, { headers: { x: { exact: "v" } } }, { withoutHeaders: { x: {} } }, { queryParams: { q: { exact: "1" } } }]) })),
  (world, next) => one(world, next, "DestinationRule", (spec) => ({ ...spec, subsets: listAt(spec, "subsets").map((subset) => ({ ...(isObject(subset) ? subset : {}), labels: { v: "2" } })) })),
  (world, next) => one(world, next, "DestinationRule", (spec) => ({ ...spec, trafficPolicy: { loadBalancer: { simple: "RANDOM" } } })),
  (world, next) => one(world, next, pick(next, ["DestinationRule", "Sidecar", "ServiceEntry", "VirtualService"]), () => undefined),
  (world, next) => one(world, next, "VirtualService", (spec) => ({ ...spec, exportTo: [pick(next, [".", "*"])] })),
  (world, next) => ({ ...world, meshConfig: { ...world.meshConfig, ...pick<JsonObject>(next, [{ pathNormalization: { normalization: "MERGE_SLASHES" } }, { outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } }, { defaultHttpRetryPolicy: { attempts: 1 } }]) } }),
];
