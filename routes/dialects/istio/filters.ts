import type { Unmodelled } from "../../decide/model.ts";
import { at, canonical, isObject, isSubset, labelsAt, listAt, objectAt, textAt } from "./json.ts";
import type { Named, Registry } from "./registry.ts";

/** A proxy on which filters may act. */
export interface Proxy {
  readonly role: "gateway" | "sidecar";
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What acts on the requests of a proxy beside its routes. The key is the whole configuration with its kind, so that the same thing in
 * two places has the same key; names do not count.
 */
export function filtersOn(registry: Registry, proxy: Proxy): readonly Unmodelled[] {
  const acting = registry.filters.filter((filter) => actsOn(filter, registry.mesh.rootNamespace, proxy));
  if (registry.asLoaded) return asLoaded(acting);
  return acting.map((filter) => ({
    reason: `${filter.title} acts on the path of requests`,
    where: { object: filter.title, path: "spec" },
    key: `${filter.kind} ${canonical(filter.spec)}`,
  }));
}

/** Policies become one filter each kind, of which the contents cannot be compared; everything else leaves its mark where it is not told apart. */
function asLoaded(acting: readonly Named[]): readonly Unmodelled[] {
  const out = new Map<string, Unmodelled>();
  for (const { kind, title } of acting) {
    const isPolicy = kind === "AuthorizationPolicy" || kind === "RequestAuthentication";
    const reason = isPolicy ? `what a${kind === "AuthorizationPolicy" ? "n" : ""} ${kind} became is not compared` : `${title} acts on the path of requests, and what became of it is not told apart`;
    out.set(isPolicy ? kind : title, { reason, where: { object: title, path: "spec" }, ...(isPolicy ? { key: `loaded ${kind}` } : {}) });
  }
  return [...out.values()];
}

function actsOn(filter: Named, root: string, proxy: Proxy): boolean {
  if (filter.namespace !== root && filter.namespace !== proxy.namespace) return false;
  if (filter.kind === "EnvoyFilter") {
    const context = proxy.role === "gateway" ? "GATEWAY" : "SIDECAR_OUTBOUND";
    const contexts = listAt(filter.spec, "configPatches").map((patch) => textAt(objectAt(patch, "match"), "context"));
    if (contexts.length > 0 && !contexts.some((name) => name === "" || name === "ANY" || name === context)) return false;
    return isSubset(labelsAt(objectAt(filter.spec, "workloadSelector"), "labels"), proxy.labels);
  }
  // Policies guard what a sidecar receives; what it sends passes them by.
  if (proxy.role === "sidecar" && (filter.kind === "AuthorizationPolicy" || filter.kind === "RequestAuthentication")) return false;
  const targets = at(filter.spec, "targetRef") === undefined ? listAt(filter.spec, "targetRefs") : [at(filter.spec, "targetRef")];
  // Services and classes are targets of waypoints; a Gateway's are the proxies that are run for it.
  if (targets.length > 0) return targets.some((target) => textAt(target, "kind") === "Gateway" && filter.namespace === proxy.namespace && proxy.labels["gateway.networking.k8s.io/gateway-name"] === textAt(target, "name"));
  const selector = at(filter.spec, "selector");
  return !isObject(selector) || isSubset(labelsAt(selector, "matchLabels"), proxy.labels);
}
