import { type Client } from "./destination-rules.ts";
import { byHost, type Clusters } from "./destinations.ts";
import { fullName, isSubsetOf, isWildcard, overlap } from "./hosts.ts";
import { at, isObject, isSubset, type Json, labelsAt, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { byAge } from "./order.ts";
import type { Place } from "./place.ts";
import { add, isVisible, type Named, type Service } from "./registry.ts";
import { asksLooker } from "./rules.ts";
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
  /** The service of a host that has clusters: of those let in, and of destinations of the VirtualServices let in. */
  cluster(host: string): Service | undefined;
  readonly allowAny: boolean;
  readonly sidecar: Named | undefined;
}

/** The Sidecar that applies: with a selector before without, then by age; else that of the root namespace (push_context.go `doGetSidecarScope`). */
export function sidecarFor(place: Place, client: Client): Named | undefined {
  const sorted = remember(sidecarsByAge, place.registry.sidecars, () => [...place.registry.sidecars].sort(byAge));
  const selector = (named: Named): Json => at(named.spec, "workloadSelector");
  const own = sorted.filter((named) => named.namespace === client.namespace);
  const fitting = own.find((named) => isObject(selector(named)) && isSubset(labelsAt(selector(named), "labels"), client.labels));
  const plain = own.find((named) => !isObject(selector(named)));
  return fitting ?? plain ?? sorted.find((named) => named.namespace === place.registry.mesh.rootNamespace && !isObject(selector(named)));
}

const sidecarsByAge = new WeakMap<readonly Named[], readonly Named[]>();

/** What is known of an object, or is found out now. */
function remember<K extends object, V>(known: WeakMap<K, V>, key: K, make: () => V): V {
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = make()));
  return value;
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
  return asksLooker(service) && service.http.some((rule) => rule.matches.some((match) => textAt(match.spec, "sourceNamespace") !== ""));
}

function readScope(place: Place, client: Client, ordered: readonly VirtualService[], sidecar: Named | undefined): Scope {
  const egress = sidecar === undefined ? [] : listAt(sidecar.spec, "egress");
  const bound = boundTo(ordered, "mesh", client.namespace);
  const services = visibleServices(place, client.namespace);
  const specs: readonly Json[] = egress.length > 0 ? egress : [{ hosts: ["*/*"] }];
  const listeners = specs.map((spec) => egressOf(spec, client, bound, services));
  const mode = textAt(objectAt(sidecar?.spec, "outboundTrafficPolicy"), "mode");
  const given = sidecar !== undefined && isObject(at(sidecar.spec, "outboundTrafficPolicy"));
  return {
    listeners,
    cluster: clustersIn(place, client, listeners),
    // An empty policy is REGISTRY_ONLY: the first value of the enumeration is protobuf's default.
    allowAny: given ? mode === "ALLOW_ANY" : place.registry.mesh.allowAny,
    sidecar,
  };
}

/** By the services of a place, then by namespace; all public ones are one. */
const visible = new WeakMap<readonly Service[], Map<string, readonly Service[]>>();

/** Services exported to a namespace by name first, then the public ones; each by age (push_context.go `servicesExportedToNamespace`). */
function visibleServices(place: Place, namespace: string): readonly Service[] {
  const { services } = place.registry;
  const own = remember(visible, services, () => new Map<string, readonly Service[]>());
  const key = remember(arePublic, services, () => services.every(isPublic)) ? "" : namespace;
  const known = own.get(key) ?? readVisible(services, namespace);
  own.set(key, known);
  return known;
}

const arePublic = new WeakMap<readonly Service[], boolean>();

function isPublic({ exportTo }: Service): boolean {
  return exportTo.includes("*");
}

function readVisible(services: readonly Service[], namespace: string): readonly Service[] {
  const sorted = [...services].sort((a, b) => byAge(a.source, b.source)).filter((service) => isVisible(service.exportTo, service.namespace, namespace));
  return [...sorted.filter((service) => !isPublic(service)), ...sorted.filter(isPublic)];
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

function egressOf(spec: Json, client: Client, bound: readonly VirtualService[], all: readonly Service[]): Egress {
  const hosts = hostsByNamespace(spec, client.namespace);
  const number = numberAt(objectAt(spec, "port"), "number");
  const proxying = textAt(objectAt(spec, "port"), "protocol").toUpperCase() === "HTTP_PROXY";
  const everywhere = [hosts.get("*")].filter((found) => found !== undefined);
  const own = new Map([...hosts].map(([namespace, found]) => [namespace, namespace === "*" ? everywhere : [found, ...everywhere]]));
  const scopes = (namespace: string): readonly Hosts[] => own.get(namespace) ?? everywhere;
  const excluded = (namespace: string, host: string): boolean => scopes(namespace).some((found) => found.excluded.some((pattern) => isSubsetOf(host, pattern)));
  const isWanted = (namespace: string, fits: (pattern: string) => boolean): boolean => scopes(namespace).some((found) => found.wanted.some(fits));
  const letIn: Service[] = [];
  for (const service of all) {
    if (scopes(service.namespace).length === 0 || excluded(service.namespace, service.host) || !isWanted(service.namespace, (pattern) => isSubsetOf(service.host, pattern))) continue;
    const ports = number === 0 || proxying ? service.ports : service.ports.filter((port) => port.number === number);
    if (ports === service.ports) letIn.push(service);
    else if (ports.length > 0) letIn.push({ ...service, ports });
  }
  const virtualServices = bound.filter((service) => {
    const { namespace } = service.named;
    if (scopes(namespace).length === 0) return false;
    const matches = service.isOfApi === true ? isSubsetOf : overlaps;
    return service.hosts.some((host) => !excluded(namespace, host) && isWanted(namespace, (pattern) => matches(host, pattern)));
  });
  return { port: isObject(at(spec, "port")) ? number : undefined, services: oneNamespaceEach(letIn, client.namespace), virtualServices };
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

/**
 * Finds the service of a host that a client has clusters for: one that a listener lets in, with the ports to which VirtualServices send
 * (sidecar.go `collectImportedServices`). Whoever is let in with all its ports needs no look at those.
 */
function clustersIn(place: Place, client: Client, listeners: readonly Egress[]): (host: string) => Service | undefined {
  const services = visibleServices(place, client.namespace);
  const byName = remember(named, services, () => {
    const made = new Map<string, Service[]>();
    for (const service of services) add(made, service.host, service);
    return made;
  });
  const letIn = byHost(listeners.flatMap((listener) => listener.services));
  let asked: readonly (readonly [Egress, ReadonlyMap<string, ReadonlySet<number>>])[] | undefined;
  const find = (host: string): Service | undefined => {
    const own = letIn.get(host);
    const candidates = byName.get(host) ?? [];
    const service = candidates.find((one) => one.namespace === client.namespace) ?? candidates.find((one) => one.kubernetes) ?? candidates[0];
    if (service === undefined || service === own) return own;
    asked ??= listeners.map((listener) => [listener, portsAsked(listener, client.namespace, place.registry.domain)]);
    const isAsked = ({ number }: Service["ports"][number]): boolean =>
      asked?.some(([listener, hosts]) => {
        const ports = hosts.get(host);
        return ports !== undefined && (listener.port !== undefined && listener.port !== 0 ? number === listener.port : ports.has(0) || ports.has(number));
      }) === true;
    const ports = service.ports.filter(isAsked);
    if (ports.length === 0) return own;
    const part = ports.length === service.ports.length ? service : { ...service, ports };
    return own === undefined ? part : byHost([own, part]).get(host);
  };
  const known = new Map<string, Service | undefined>();
  return (host) => {
    const before = known.get(host);
    if (before !== undefined || known.has(host)) return before;
    const found = find(host);
    known.set(host, found);
    return found;
  };
}

const named = new WeakMap<readonly Service[], ReadonlyMap<string, readonly Service[]>>();

/** Hosts and ports to which the VirtualServices of a listener send. */
function portsAsked({ virtualServices }: Egress, namespace: string, domain: string): ReadonlyMap<string, ReadonlySet<number>> {
  const out = new Map<string, Set<number>>();
  for (const virtual of virtualServices) {
    for (const [host, ports] of destinationPorts(virtual, namespace, domain)) {
      const known = out.get(host);
      if (known === undefined) out.set(host, new Set(ports));
      else for (const port of ports) known.add(port);
    }
  }
  return out;
}

/**
 * Hosts and ports to which a VirtualService sends; 0 stands for every port. A rule of which some block has a `sourceNamespace` and none
 * has this one does not count (push_context.go `virtualServiceDestinationsFilteredBySourceNamespace`).
 */
function destinationPorts(service: VirtualService, namespace: string, domain: string): ReadonlyMap<string, ReadonlySet<number>> {
  const known = portsOfAll.get(service.http);
  if (known !== undefined) return known;
  const read = readDestinationPorts(service, namespace, domain);
  const isOfHttp = connectionKinds.every((kind) => listAt(service.named.spec, kind).length === 0);
  if (isOfHttp && !asksNamespace(service)) portsOfAll.set(service.http, read);
  return read;
}

const connectionKinds = ["tcp", "tls"] as const;

/** Where no namespace is asked for and nothing else is looked at, the same for all that have these rules. */
const portsOfAll = new WeakMap<VirtualService["http"], ReadonlyMap<string, ReadonlySet<number>>>();

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
  for (const kind of connectionKinds) for (const rule of listAt(service.named.spec, kind)) for (const route of listAt(rule, "route")) put(at(route, "destination"), service.named.namespace);
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
  return { isGateway: false, lookup: (host) => atPort.get(host), cluster: (host) => scope.cluster(host) };
}
