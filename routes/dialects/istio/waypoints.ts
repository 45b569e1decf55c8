import type { Unmodelled } from "../../decide/model.ts";
import { fullName, overlap } from "./hosts.ts";
import { at, canonical, listAt, textAt, textsAt } from "./json.ts";
import type { Named, Registry, Service } from "./registry.ts";

const USE = "istio.io/use-waypoint";

/** The objects of Gateway API that concern waypoints. */
export interface WaypointObjects {
  /** True of a Gateway that runs as a waypoint, false of any other; undefined: the input holds none of that name. */
  isWaypoint(namespace: string, name: string): boolean | undefined;
  /** What stands in a Gateway; undefined: the input holds none of that name. */
  specOf(namespace: string, name: string): unknown;
  readonly routes: readonly Named[];
}

/**
 * What waypoints do to requests for a service, by host: for each that the label of its own or of its namespace gives to one. The key holds
 * all that acts there, so that two places in which it is the same answer alike.
 */
export function capturedServices(registry: Registry, objects: WaypointObjects): ReadonlyMap<string, Unmodelled> {
  const out = new Map<string, Unmodelled>();
  for (const service of registry.services) {
    const holder = Object.hasOwn(service.source.labels, USE) ? service.source : registry.namespaces.get(service.namespace);
    const name = holder?.labels[USE] ?? "";
    if (holder === undefined || name === "" || name.toLowerCase() === "none") continue;
    const namespace = holder.labels[`${USE}-namespace`] || service.namespace;
    if (objects.isWaypoint(namespace, name) === false) continue;
    const acting = actingOn(service, name, registry, objects.routes);
    const spec = objects.specOf(namespace, name) ?? null;
    out.set(service.host, {
      reason: `requests for the service may pass the waypoint \`${namespace}/${name}\`, which is not modelled`,
      where: { object: holder.title, path: `metadata.labels["${USE}"]` },
      key: `waypoint ${canonical({ name, namespace, spec, acting: acting.map(({ kind, spec: own }) => canonical({ kind, spec: own })).sort() })}`,
      ...(acting.length === 0 ? {} : { mayRoute: true }),
    });
  }
  return out;
}

/** The objects by which a waypoint may treat requests for a service in a way of its own. */
function actingOn(service: Service, waypoint: string, registry: Registry, routes: readonly Named[]): readonly Named[] {
  const names = (host: string, namespace: string): boolean => overlap(fullName(host.toLowerCase(), namespace, registry.domain), service.host);
  const isParent = (route: Named): boolean => listAt(route.spec, "parentRefs").some((parent) => [service.source.name, waypoint].includes(textAt(parent, "name")));
  // What selects pods by their labels is for sidecars and gateways.
  const isAim = (target: unknown): boolean => textAt(target, "kind") === "GatewayClass" || [service.source.name, waypoint].includes(textAt(target, "name"));
  const isAimed = ({ spec }: Named): boolean => [at(spec, "targetRef"), ...listAt(spec, "targetRefs")].some(isAim);
  return [
    ...routes.filter(isParent),
    ...registry.virtualServices.filter(({ spec, namespace }) => textsAt(spec, "hosts").some((host) => names(host, namespace))),
    ...registry.destinationRules.filter(({ spec, namespace }) => names(textAt(spec, "host"), namespace)),
    ...registry.filters.filter(isAimed),
  ];
}
