import { type Client } from "./destination-rules.ts";
import { byHost, type Clusters } from "./destinations.ts";
import { fullName, isSubsetOf, isWildcard, overlap } from "./hosts.ts";
import { at, isObject, isSubset, type Json, labelsAt, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { byAge } from "./order.ts";
import type { Place } from "./place.ts";
import { add, isVisible, type Named, type Service } from "./registry.ts";
import { boundTo, type VirtualService } from "./virtual-services.ts";

/**
 * What a sidecar sees: the services and VirtualServices that a Sidecar lets in (pilot/pkg/model/sidecar.go).
 *
 * @module
 */

/** One egress listener. */
export interface Egress {
  /** Undefined: it takes every port. */
  readonly port: number | undefined;
  readonly services: readonly Service[];
  readonly virtualServices: readonly VirtualService[];
}

/** All of one sidecar. */
export interface Scope {
  readonly listeners: readonly Egress[];
  /** Services with clusters: those let in, and destinations of the VirtualServices let in. */
  readonly clusters: ReadonlyMap<string, Service>;
  readonly allowAny: boolean;
  readonly sidecar: Named | undefined;
}

/** The Sidecar that applies: with a selector before without, then by age; else that of the root namespace (push_context.go `doGetSidecarScope`). */
export function sidecarFor(place: Place, client: Client): Named | undefined {
  const sorted = [...place.registry.sidecars].sort(byAge);
  const selector = (named: Named): Json => at(named.spec, "workloadSelector");
  const own = sorted.filter((named) => named.namespace === client.namespace);
  const fitting = own.find((named) => isObject(selector(named)) && isSubset(labelsAt(selector(named), "labels"), client.labels));
  const plain = own.find((named) => !isObject(selector(named)));
  return fitting ?? plain ?? sorted.find((named) => named.namespace === place.registry.mesh.rootNamespace && !isObject(selector(named)));
}

/** Scopes by order of VirtualServices, then by what of a client they rest on. An order belongs to one place. */
const scopes = new WeakMap<readonly VirtualService[], Map<string, Scope>>();
const uniform = new WeakMap<readonly VirtualService[], boolean>();

/** The scope of a client under one order of VirtualServices; one and the same for all who see the same. */
export function scopeFor(place: Place, client: Client, ordered: readonly VirtualService[]): Scope {
  const sidecar = sidecarFor(place, client);
  let own = scopes.get(ordered);
  if (own === undefined) scopes.set(ordered, (own = new Map()));
  const key = sidecar === undefined && isUniform(place, ordered) ? "" : `${client.namespace} ${sidecar?.title ?? ""}`;
  const known = own.get(key) ?? readScope(place, client, ordered, sidecar);
  own.set(key, known);
  return known;
}

/** Whether without a Sidecar the namespace of a client is of no matter: all is public, and nothing is there twice or asks for a namespace. */
function isUniform(place: Place, ordered: readonly VirtualService[]): boolean {
  let known = uniform.get(ordered);
  if (known === undefined) {
    const { services } = place.registry;
    known =
      services.every((service) => service.exportTo.includes("*")) &&
      new Set(services.map((service) => service.host)).size === services.length &&
      ordered.every((service) => service.exportTo.includes("*") && service.isOfApi !== true && !asksNamespace(service));
    uniform.set(ordered, known);
  }
  return known;
}

function asksNamespace(service: VirtualService): boolean {
  return service.http.some((rule) => rule.matches.some((match) => textAt(match.spec, "sourceNamespace") !== ""));
}

function readScope(place: Place, client: Client, ordered: readonly VirtualService[], sidecar: Named | undefined): Scope {
  const egress = sidecar === undefined ? [] : listAt(sidecar.spec, "egress");
  const bound = boundTo(ordered, "mesh", client.namespace);
  const visible = visibleServices(place, client.namespace);
  const specs: readonly Json[] = egress.length > 0 ? egress : [{ hosts: ["*/*"] }];
  const listeners = specs.map((spec) => egressOf(spec, client, bound, visible));
  const mode = textAt(objectAt(sidecar?.spec, "outboundTrafficPolicy"), "mode");
  const given = sidecar !== undefined && isObject(at(sidecar.spec, "outboundTrafficPolicy"));
  return {
    listeners,
    clusters: byHost([...listeners.flatMap((listener) => listener.services), ...destinationServices(place, client, listeners)]),
    // An empty policy is REGISTRY_ONLY: the first value of the enumeration is protobuf's default.
    allowAny: given ? mode === "ALLOW_ANY" : place.registry.mesh.allowAny,
    sidecar,
  };
}

/** Services exported to a namespace by name first, then the public ones; each by age (push_context.go `servicesExportedToNamespace`). */
function visibleServices(place: Place, namespace: string): readonly Service[] {
  const sorted = [...place.registry.services].sort((a, b) => byAge(a.source, b.source)).filter((service) => isVisible(service.exportTo, service.namespace, namespace));
  return [...sorted.filter((service) => !service.exportTo.includes("*")), ...sorted.filter((service) => service.exportTo.includes("*"))];
}

/** Hosts of one namespace in an egress listener. */
interface Hosts {
  readonly wanted: string[];
  readonly excluded: string[];
}

function hostsByNamespace(spec: Json, own: string): ReadonlyMap<string, Hosts> {
  const out = new Map<string, Hosts>();
  for (const text of textsAt(spec, "hosts")) {
    const [qualifier = "", host, rest] = text.split("/");
    if (host === undefined || rest !== undefined) continue;
    const excluded = qualifier.startsWith("~");
    const name = excluded ? qualifier.slice(1) || "*" : qualifier;
    const namespace = name === "." ? own : name;
    const hosts = out.get(namespace) ?? { wanted: [], excluded: [] };
    out.set(namespace, hosts);
    (excluded ? hosts.excluded : hosts.wanted).push(host);
  }
  return out;
}

function egressOf(spec: Json, client: Client, bound: readonly VirtualService[], visible: readonly Service[]): Egress {
  const hosts = hostsByNamespace(spec, client.namespace);
  const number = numberAt(objectAt(spec, "port"), "number");
  const proxying = textAt(objectAt(spec, "port"), "protocol").toUpperCase() === "HTTP_PROXY";
  const scopes = (namespace: string): readonly Hosts[] => [hosts.get(namespace), hosts.get("*")].filter((found) => found !== undefined);
  const excluded = (namespace: string, host: string): boolean => scopes(namespace).some((found) => found.excluded.some((pattern) => isSubsetOf(host, pattern)));
  const letIn = visible.flatMap((service) => {
    if (excluded(service.namespace, service.host) || !scopes(service.namespace).some((found) => found.wanted.some((pattern) => isSubsetOf(service.host, pattern)))) return [];
    if (number === 0 || proxying) return [service];
    const ports = service.ports.filter((port) => port.number === number);
    return ports.length === 0 ? [] : [{ ...service, ports }];
  });
  return {
    port: isObject(at(spec, "port")) ? number : undefined,
    services: oneNamespaceEach(letIn, client.namespace),
    virtualServices: bound.filter((service) =>
      service.hosts.some((host) => !excluded(service.named.namespace, host) && scopes(service.named.namespace).some((found) => found.wanted.some((pattern) => (service.isOfApi === true ? isSubsetOf(host, pattern) : overlaps(host, pattern))))),
    ),
  };
}

/** sidecar.go `VSMatches`: bound both ways where one of the two is a wildcard. */
function overlaps(host: string, pattern: string): boolean {
  return isWildcard(host) || isWildcard(pattern) ? overlap(host, pattern) : host === pattern;
}

/** A host that several namespaces have is that of the client's own, else of Kubernetes, else the first (sidecar.go `selectServices`). */
function oneNamespaceEach(services: readonly Service[], own: string): readonly Service[] {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const before = chosen.get(service.host);
    const better = before === undefined || service.namespace === own || (!before.kubernetes && service.kubernetes && before.namespace !== own);
    if (better) chosen.set(service.host, service);
  }
  return services.filter((service) => chosen.get(service.host)?.namespace === service.namespace);
}

/** Services that a client has clusters for because a VirtualService sends there (sidecar.go `collectImportedServices`). */
function destinationServices(place: Place, client: Client, listeners: readonly Egress[]): readonly Service[] {
  const byName = new Map<string, Service[]>();
  for (const service of visibleServices(place, client.namespace)) add(byName, service.host, service);
  return listeners.flatMap((listener) =>
    listener.virtualServices.flatMap((virtual) =>
      [...destinationPorts(virtual, client.namespace, place.registry.domain)].flatMap(([host, ports]) => {
        const candidates = byName.get(host) ?? [];
        const service = candidates.find((one) => one.namespace === client.namespace) ?? candidates.find((one) => one.kubernetes) ?? candidates[0];
        if (service === undefined) return [];
        const kept = listener.port !== undefined && listener.port !== 0
          ? service.ports.filter((port) => port.number === listener.port)
          : ports.has(0) ? service.ports : service.ports.filter((port) => ports.has(port.number));
        return kept.length === 0 ? [] : [{ ...service, ports: kept }];
      }),
    ),
  );
}

/**
 * Hosts and ports to which a VirtualService sends; 0 stands for every port. A rule of which some block has a `sourceNamespace` and none
 * has this one does not count (push_context.go `virtualServiceDestinationsFilteredBySourceNamespace`).
 */
function destinationPorts(service: VirtualService, namespace: string, domain: string): ReadonlyMap<string, ReadonlySet<number>> {
  const known = portsOfAll.get(service);
  if (known !== undefined) return known;
  const read = readDestinationPorts(service, namespace, domain);
  if (!asksNamespace(service)) portsOfAll.set(service, read);
  return read;
}

/** Where no namespace is asked for, the same for all of them. */
const portsOfAll = new WeakMap<VirtualService, ReadonlyMap<string, ReadonlySet<number>>>();

function readDestinationPorts(service: VirtualService, namespace: string, domain: string): ReadonlyMap<string, ReadonlySet<number>> {
  const out = new Map<string, Set<number>>();
  const put = (destination: Json, owner: string): void => {
    if (!isObject(destination)) return;
    const host = fullName(textAt(destination, "host"), owner, domain);
    const ports = out.get(host) ?? new Set<number>();
    out.set(host, ports.add(isObject(at(destination, "port")) ? numberAt(at(destination, "port"), "number") : 0));
  };
  for (const rule of service.http) {
    let counts = true;
    for (const match of rule.matches) {
      const wanted = textAt(match.spec, "sourceNamespace");
      if (wanted === "") continue;
      counts = wanted === namespace;
      if (counts) break;
    }
    if (!counts) continue;
    for (const route of listAt(rule.spec, "route")) put(at(route, "destination"), rule.namespace);
    put(at(rule.spec, "mirror"), rule.mirrorNamespace);
    for (const mirror of listAt(rule.spec, "mirrors")) put(at(mirror, "destination"), rule.mirrorsNamespace);
  }
  for (const kind of ["tcp", "tls"]) for (const rule of listAt(service.named.spec, kind)) for (const route of listAt(rule, "route")) put(at(route, "destination"), service.named.namespace);
  return out;
}

/** The listener of a port: the first of that port, or the one for every port (sidecar.go `GetEgressListenerForRDS`). */
export function egressFor(scope: Scope, port: number): Egress | undefined {
  return scope.listeners.find((listener) => listener.port === undefined || listener.port === port);
}

/** Services of a listener at a port, by host in lower case, with that port alone (networking/core/httproute.go `BuildSidecarOutboundVirtualHosts`). */
export function servicesAt(egress: Egress, port: number): ReadonlyMap<string, Service> {
  let own = atPorts.get(egress);
  if (own === undefined) atPorts.set(egress, (own = new Map()));
  const known = own.get(port) ?? readServicesAt(egress, port);
  own.set(port, known);
  return known;
}

const atPorts = new WeakMap<Egress, Map<number, ReadonlyMap<string, Service>>>();

function readServicesAt(egress: Egress, port: number): ReadonlyMap<string, Service> {
  const out = new Map<string, Service>();
  for (const service of egress.services) {
    const ports = service.ports.filter((candidate) => candidate.number === port);
    if (ports.length > 0) out.set(service.host.toLowerCase(), { ...service, host: service.host.toLowerCase(), ports });
  }
  return out;
}

/** How a sidecar finds the service of a destination: among those of the listener's port, so that a left-out port is the listener's. */
export function clustersOf(scope: Scope, atPort: ReadonlyMap<string, Service>): Clusters {
  return { isGateway: false, lookup: (host) => atPort.get(host), cluster: (host) => scope.clusters.get(host) };
}
