import type { HttpTable, Rule } from "../../decide/model.ts";
import { retriesOf } from "./actions.ts";
import { type Client, hashFor, markOf, ruleFor } from "./destination-rules.ts";
import type { Destinations } from "./destinations.ts";
import { filtersOn } from "./filters.ts";
import { isSubsetOf, isWildcard, mostSpecific } from "./hosts.ts";
import { canonical } from "./json.ts";
import { meshHosts, type Wrapper } from "./mesh-hosts.ts";
import type { Place } from "./place.ts";
import type { Service } from "./registry.ts";
import { asksLooker, routesOf } from "./rules.ts";
import type { Egress, Scope } from "./sidecars.ts";
import type { VersionReading } from "./versions.ts";
import type { VirtualService } from "./virtual-services.ts";

/**
 * The route table of a port as sidecars have it. What does not depend on the client is made once.
 *
 * @module
 */

/** A client at a port, with what it sees there. */
export interface Viewpoint {
  readonly place: Place;
  readonly client: Client;
  readonly port: number;
  readonly scope: Scope;
  readonly egress: Egress;
  /** At the port, by host. */
  readonly services: ReadonlyMap<string, Service>;
  readonly destinations: Destinations;
  readonly version: VersionReading;
}

interface Invalid {
  readonly type: "invalid";
  readonly reason: string;
}

/** `BuildSidecarOutboundVirtualHosts`. */
export function meshTable(viewpoint: Viewpoint): HttpTable | Invalid {
  const { place, client, scope, services, version } = viewpoint;
  const { mesh } = place.registry;
  const wrappers = wrappersFor(viewpoint);
  if ("type" in wrappers) return wrappers;
  const filters = filtersOn(place.registry, { role: "sidecar", namespace: client.namespace, labels: client.labels });
  return {
    type: "http",
    reading: version.http,
    pathNormalization: mesh.pathNormalization,
    ignorePort: true,
    scheme: { from: "x-forwarded-proto", default: "http" },
    virtualHosts: meshHosts(place, client.namespace, wrappers, services, filters),
    otherwise: scope.allowAny ? { type: "passthrough" } : { type: "respond", status: 502, body: "" },
  };
}

/** By listener, then by all that wrappers rest on beside it. A listener belongs to one place and one scope. */
const wrappersOf = new WeakMap<Egress, Map<string, readonly Wrapper[] | Invalid>>();

/** The wrappers of a viewpoint: one list for all clients for whom they are the same. */
function wrappersFor(viewpoint: Viewpoint): readonly Wrapper[] | Invalid {
  const { place, client, port, egress, version } = viewpoint;
  let own = wrappersOf.get(egress);
  if (own === undefined) wrappersOf.set(egress, (own = new Map()));
  const who = asksClient(egress) ? [client.namespace, client.labels] : [markOf(place.destinationRules, place.registry, client)];
  const key = canonical([port, version.istiod, ...who]);
  const known = own.get(key) ?? makeWrappers(viewpoint);
  own.set(key, known);
  return known;
}

const clientAskers = new WeakMap<Egress, boolean>();

/** Whether some VirtualService of a listener asks who the client is. */
function asksClient(egress: Egress): boolean {
  const known = clientAskers.get(egress) ?? egress.virtualServices.some((service) => service.isOfApi === true || asksLooker(service));
  clientAskers.set(egress, known);
  return known;
}

/** `BuildSidecarVirtualHostWrapper`: of two VirtualServices that claim a domain the first has it. */
function makeWrappers({ place, client, port, egress, services, destinations, version }: Viewpoint): readonly Wrapper[] | Invalid {
  const looker = { namespace: client.namespace, labels: client.labels, gateway: "mesh", port };
  const { mesh } = place.registry;
  const circumstances = { port, tls: false, destinations, retries: mesh.retries, reading: version.istiod };
  const wrappers: Wrapper[] = [];
  const owners = wildcardOwners(egress);
  const claimed = new Set<string>();
  for (const virtual of egress.virtualServices) {
    const routes = routesOf(virtual, looker, circumstances);
    if (routes.rules.length === 0) continue;
    const parts = separate(virtual, services, owners);
    // Without a service at this port a VirtualService has virtual hosts on port 80 only.
    if (parts.services.length === 0 && port !== 80) continue;
    // Routes of Gateway API are for services of their namespace, or for clients of it (route.go `buildSidecarVirtualHostsForVirtualService`).
    const { namespace } = virtual.named;
    if (virtual.isOfApi === true && client.namespace !== namespace && !parts.services.some((service) => service.namespace === namespace)) continue;
    if (virtual.isOfApi === true && parts.services.length === 0) continue;
    if (routes.invalid !== undefined) return { type: "invalid", reason: routes.invalid };
    for (const service of parts.services) claimed.add(service.host);
    wrappers.push({ ...parts, rules: routes.rules, unmodelled: routes.unmodelled, untried: routes.untried });
  }
  for (const service of services.values()) {
    const protocol = service.ports[0]?.protocol;
    if (claimed.has(service.host) || service.alias !== undefined || (protocol !== "http" && protocol !== "auto")) continue;
    const isImplicit = ruleFor(place.destinationRules, place.registry, client, service.host, service.namespace) === undefined;
    wrappers.push({ hosts: [], services: [service], rules: [implicitRule(place, client, service, port, destinations, version)], unmodelled: [], untried: [], isImplicit });
  }
  return wrappers;
}

/** The oldest VirtualService with the most specific host for each service (sidecar.go `computeWildcardHostVirtualServiceIndex`). */
function wildcardOwners(egress: Egress): (host: string) => VirtualService | undefined {
  const byHostName = new Map<string, VirtualService>();
  for (const service of egress.virtualServices) for (const host of service.hosts) if (!byHostName.has(host)) byHostName.set(host, service);
  return (host) => mostSpecific(host, byHostName);
}

/** route.go `separateVSHostsAndServices`. */
function separate(virtual: VirtualService, services: ReadonlyMap<string, Service>, owner: (host: string) => VirtualService | undefined): { readonly hosts: readonly string[]; readonly services: readonly Service[] } {
  const lone = virtual.hosts.length === 1 ? virtual.hosts[0] : undefined;
  if (lone !== undefined && !isWildcard(lone)) {
    const service = services.get(lone.toLowerCase());
    return service === undefined ? { hosts: virtual.hosts, services: [] } : { hosts: [], services: [service] };
  }
  return separated(virtual, services, owner);
}

function separated(virtual: VirtualService, services: ReadonlyMap<string, Service>, owner: (host: string) => VirtualService | undefined): ReturnType<typeof separate> {
  const hosts: string[] = [];
  const found: Service[] = [];
  const wild = virtual.hosts.map((host) => host.toLowerCase()).filter(isWildcard);
  for (const host of virtual.hosts.filter((name) => !isWildcard(name))) {
    const service = services.get(host.toLowerCase());
    if (service === undefined) hosts.push(host);
    else found.push(service);
  }
  if (virtual.isOfApi === true) return { hosts: [...hosts, ...wild], services: found };
  for (const pattern of wild) {
    const matching = [...services.values()].filter((service) => isSubsetOf(service.host, pattern) || isSubsetOf(pattern, service.host));
    if (matching.length === 0) hosts.push(pattern);
    found.push(...matching.filter((service) => owner(service.host) === virtual));
  }
  return { hosts, services: found };
}

/** A service without a VirtualService routes to itself, with the mesh's retries (route.go `buildSidecarVirtualHostForService`). */
function implicitRule(place: Place, client: Client, service: Service, port: number, destinations: Destinations, version: VersionReading): Rule {
  const target = destinations.target({ host: service.host, port: { number: port } }, service.namespace, port);
  const retries = retriesOf(place.registry.mesh.retries, false, version.istiod);
  const rule = ruleFor(place.destinationRules, place.registry, client, service.host, service.namespace);
  const hash = place.registry.asLoaded ? undefined : hashFor(rule?.trafficPolicy, undefined, port);
  const policy = { ...target.policy, ...(hash === undefined || target.passesOn ? {} : { consistentHash: canonical(hash) }) };
  const { host } = target;
  const destination = { host, port, weight: 1, ...(Object.keys(policy).length === 0 ? {} : { policy }) };
  const { file, line } = service.source;
  return {
    when: {},
    action: { type: "forward", destinations: [destination], ...(retries === undefined ? {} : { retries }) },
    origin: { object: service.source.title, path: "spec.ports", ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) },
  };
}
