import { asDeclared, type EnvoyPlace, envoyWorld, type EnvoyWorld, envoyWorlds, hasClusters, type OneProxy, type RouteWorld } from "#routes";
import type { SeenPlace } from "../../kinds/routes-equivalent/place.ts";
import { UsageError } from "../errors.ts";
import type { Seen } from "./place.ts";

/** One of two places that are compared: what was seen of it, and what somebody says of it. */
export interface Side extends Pick<SeenPlace, "name" | "istio" | "envoy" | "reading"> {
  readonly seen: Seen;
}

type Objects = (places: readonly SeenPlace[]) => readonly RouteWorld[];

/**
 * The routing of two places in words that can be compared: objects with objects, dumps with dumps, and objects as one proxy would load
 * them with what it has loaded.
 */
export function pairOfWorlds([left, right]: readonly [Side, Side], objects: Objects): readonly RouteWorld[] {
  if (!isDumped(left) && !isDumped(right)) return objects([left, right].map((side) => placeOf(side, { servicesByName: true })));
  if (isDumped(left) && isDumped(right)) {
    const withPolicies = [left, right].every(({ seen }) => hasClusters(seen.dump));
    const [one, other] = envoyWorlds([left, right].map((side) => proxyPlace(side, withPolicies)));
    return one === undefined || other === undefined ? [] : [one, asDeclared(other, one)];
  }
  const [dumped, declared] = isDumped(left) ? [left, right] : [right, left];
  const loaded = loadedBy(dumped, false);
  const world = declaredFor(loaded, dumped, declared, objects);
  const renamed = asDeclared(loaded, world);
  return isDumped(left) ? [renamed, world] : [world, renamed];
}

/**
 * Objects as the proxy of a dump would load them. Where none of their Gateways is for the pods of a gateway, as after a migration to
 * other pods, its listeners stand against all of them.
 */
function declaredFor(loaded: EnvoyWorld, dumped: Side, declared: Side, objects: Objects): RouteWorld {
  const proxy = proxyOf(loaded, dumped.name);
  const read = (one: OneProxy | undefined): RouteWorld => {
    const [world] = objects([placeOf(declared, { asLoaded: true, told: loaded.proxy?.envoy, ...(one === undefined ? {} : { proxy: one }) })]);
    if (world === undefined) throw new TypeError("a place has a world");
    return world;
  };
  const own = read(proxy);
  if (proxy?.role !== "gateway" || own.views.length > 0) return own;
  const all = read(undefined);
  const gateways = all.views.filter(({ view }) => "gateway" in view);
  if (gateways.length === 0) return own;
  const text = `no Gateway of \`${declared.name}\` is for the pods of \`${dumped.name}\`: its listeners are compared with those of all its Gateways`;
  return { ...all, views: gateways, assumptions: [...all.assumptions, { text }] };
}

/** What an Envoy has loaded, by itself. */
export function loadedBy(side: Loaded, withPolicies: boolean): EnvoyWorld {
  return envoyWorld(proxyPlace(side, withPolicies));
}

type Loaded = Pick<Side, "name" | "envoy" | "seen">;

function proxyPlace({ name, envoy, seen }: Loaded, withPolicies: boolean): EnvoyPlace {
  return { place: name, dump: seen.dump, withPolicies, ...(envoy === undefined ? {} : { envoy }) };
}

function isDumped({ seen }: Side): boolean {
  return seen.dump !== undefined;
}

function placeOf({ name, istio, envoy, reading, seen }: Side, more: Partial<SeenPlace>): SeenPlace {
  return { name, facts: seen.facts, reading, istio, envoy, ...more };
}

/** The proxy for which objects are read; undefined where only gateways are told and none of them is Istio's. */
function proxyOf({ proxy, views }: EnvoyWorld, name: string): OneProxy | undefined {
  if (proxy !== undefined && (proxy.role === "sidecar" || proxy.role === "gateway")) return { role: proxy.role, namespace: proxy.namespace, labels: proxy.labels };
  if (!views.some(({ view }) => "mesh" in view)) return undefined;
  throw new UsageError(`\`${name}\` does not tell which client has loaded it, and objects mean something else to each`, {
    remedy: "take the whole dump: `kubectl exec POD -c istio-proxy -- pilot-agent request GET config_dump`",
  });
}
