import { type Client } from "./destination-rules.ts";
import { byHost, type Clusters } from "./destinations.ts";
import { fullName, isSubsetOf, isWildcard, overlap } from "./hosts.ts";
import { at, isObject, isSubset, type Json, labelsAt, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { byAge } from "./order.ts";
import type { Place } from "./place.ts";
import { add, isVisible, type Named, type Service } from "./registry.ts";
import { asksLooker } from "./rules.ts";
import { objectReading } from "./versions.ts";
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
  return sidecarsFor(place, client)[0];
}

/** Those of which the oldest applies. */
export function sidecarsFor(place: Place, client: Client): readonly Named[] {
  const sorted = remember(sidecarsByAge, place.registry.sidecars, () => [...place.registry.sidecars].sort(byAge));
  const selector = (named: Named): Json => at(named.spec, "workloadSelector");
  const own = sorted.filter((named) => named.namespace === client.namespace);
  const fitting = own.filter((named) => isObject(selector(named)) && isSubset(labelsAt(selector(named), "labels"), client.labels));
  if (fitting.length > 0) return fitting;
  const plain = own.filter((named) => !isObject(selector(named)));
  return plain.length > 0 ? plain : sorted.filter((named) => named.namespace === place.registry.mesh.rootNamespace && !isObject(selector(named)));
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
  const excludes = objectReading(place.istio).excludesHosts ?? true;
  const listeners = specs.map((spec) => egressOf(spec, client, bound, services, excludes));
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

/** Those that exclude others say nothing where they are not understood. */
function hostsByNamespace(spec: Json, own: string, excludes: boolean): ReadonlyMap<string, Hosts> {
  const out = new Map<string, Hosts>();
  for (const text of textsAt(spec, "hosts")) {
    const [qualifier = "", host, rest] = text.split("/");
    if (host === undefined || rest !== undefined) continue;
    const excluded = qualifier.startsWith("~");
    if (excluded && !excludes) continue;
    const name = excluded ? qualifier.slice(1) || "*" : qualifier;
    const namespace = name === "." ? own : name;
    const hosts = out.get(namespace) ?? { wanted: [], excluded: [] };
    out.set(namespace, hosts);
    (excluded ? hosts.excluded : hosts.wanted).push(host);
  }
  return out;
}

function egressOf(spec: Json, client: Client, bound: readonly VirtualService[], all: readonly Service[], excludes: boolean): Egress {
  const hosts = hostsByNamespace(spec, client.namespace, excludes);
  const number = numberAt(objectAt(spec, "port"), "number");
  const proxying = textAt(objectAt(spec, "port"), "protocol").toUpperCase() === "HTTP_PROXY";
  const everywhere = [hosts.get("*")].filter((found) => found !== undefined);
  const own = new Map([...hosts].map(([namespace, found]) => [namespace, namespace === "*" ? everywhere : [found, ...everywhere]]));
  const scopes = (namespace: string): readonly Hosts[] => own.get(namespace) ?? everywhere;
  const letIn: Service[] = [];
  for (const service of all) {
    if (!takes(scopes(service.namespace), service.host, isSubsetOf)) continue;
    const ports = number === 0 || proxying ? service.ports : service.ports.filter((port) => port.number === number);
    if (ports === service.ports) letIn.push(service);
    else if (ports.length > 0) letIn.push({ ...service, ports });
  }
  const virtualServices = bound.filter((service) => takesOne(scopes(service.named.namespace), service));
  return { port: isObject(at(spec, "port")) ? number : undefined, services: oneNamespaceEach(letIn, client.namespace), virtualServices };
}

function takesOne(scopes: readonly Hosts[], { hosts, isOfApi }: VirtualService): boolean {
  if (scopes.length > 0) for (const host of hosts) if (takes(scopes, host, isOfApi === true ? isSubsetOf : overlaps)) return true;
  return false;
}

/** Whether a host is wanted and not excluded. */
function takes(scopes: readonly Hosts[], host: string, matches: (host: string, pattern: string) => boolean): boolean {
  let isWanted = false;
  for (const { wanted, excluded } of scopes) {
    for (const pattern of excluded) if (isSubsetOf(host, pattern)) return false;
    if (!isWanted) for (const pattern of wanted) if (matches(host, pattern)) isWanted = true;
  }
  return isWanted;
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
  const { picksBest } = objectReading(place.istio);
  let asked: readonly Asked[] | undefined;
  const parts = new Map<string, Service>();
  return (host) => {
    const own = letIn.get(host);
    const service = candidateOf(byName.get(host), client.namespace, picksBest);
    if (service === undefined || service === own) return own;
    asked ??= listeners.map((listener): Asked => ({ listener, hosts: portsAsked(listener, client.namespace, place.registry.domain) }));
    const ports = portsIn(service, asked, host);
    if (ports.length === 0) return own;
    if (ports === service.ports && own === undefined) return service;
    const part = ports === service.ports ? service : { ...service, ports };
    const made = parts.get(host) ?? (own === undefined ? part : (byHost([own, part]).get(host) ?? own));
    parts.set(host, made);
    return made;
  };
}

/** A listener with the hosts and ports to which its VirtualServices send. */
interface Asked {
  readonly listener: Egress;
  readonly hosts: ReadonlyMap<string, ReadonlySet<number>>;
}

/** The one that counts of several services of a host. */
function candidateOf(candidates: readonly Service[] | undefined, namespace: string, picksBest: boolean): Service | undefined {
  if (candidates === undefined || candidates.length < 2) return candidates?.[0];
  const own = candidates.find((one) => one.namespace === namespace);
  if (own !== undefined || picksBest) return own ?? candidates.find((one) => one.kubernetes) ?? candidates[0];
  return candidates.reduce((first, one) => (one.namespace < first.namespace ? one : first));
}

/** The ports of a service that some listener asks for; its own list where these are all. */
function portsIn({ ports }: Service, asked: readonly Asked[], host: string): Service["ports"] {
  for (let at = 0; at < ports.length; at++) if (!isAsked(ports[at]?.number, asked, host)) return ports.filter(({ number }) => isAsked(number, asked, host));
  return ports;
}

function isAsked(number: number | undefined, asked: readonly Asked[], host: string): boolean {
  for (const { listener, hosts } of asked) {
    const ports = number === undefined ? undefined : hosts.get(host);
    if (ports === undefined || number === undefined) continue;
    if (listener.port !== undefined && listener.port !== 0 ? number === listener.port : ports.has(0) || ports.has(number)) return true;
  }
  return false;
}

const named = new WeakMap<readonly Service[], ReadonlyMap<string, readonly Service[]>>();

/** Hosts and ports to which the VirtualServices of a listener send. */
function portsAsked({ virtualServices }: Egress, namespace: string, domain: string): ReadonlyMap<string, ReadonlySet<number>> {
  const out = new Map<string, ReadonlySet<number>>();
  for (const virtual of virtualServices) {
    const asked = destinationPorts(virtual, namespace, domain);
    for (const host of asked.keys()) {
      const ports = asked.get(host), known = out.get(host);
      // Nearly all ask for the same port.
      if (ports === undefined) continue;
      if (known === undefined) out.set(host, ports);
      else if (!hasAll(known, ports)) out.set(host, new Set([...known, ...ports]));
    }
  }
  return out;
}

function hasAll<T>(outer: ReadonlySet<T>, inner: ReadonlySet<T>): boolean {
  if (outer === inner) return true;
  for (const one of inner) if (!outer.has(one)) return false;
  return true;
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

const onlyPorts = new Map<number, ReadonlySet<number>>();

/** The set of one port; most hosts are asked for at one, and there are few. */
function onlyPort(port: number): ReadonlySet<number> {
  const known = onlyPorts.get(port) ?? new Set([port]);
  if (onlyPorts.size < MOST_PORTS) onlyPorts.set(port, known);
  return known;
}

const MOST_PORTS = 1_000;

function readDestinationPorts(service: VirtualService, namespace: string, domain: string): ReadonlyMap<string, ReadonlySet<number>> {
  const out = new Map<string, ReadonlySet<number>>();
  const put = (destination: Json, owner: string): void => {
    if (!isObject(destination)) return;
    const host = fullName(textAt(destination, "host"), owner, domain);
    const port = isObject(at(destination, "port")) ? numberAt(at(destination, "port"), "number") : 0;
    const ports = out.get(host);
    if (ports === undefined) out.set(host, onlyPort(port));
    else if (!ports.has(port)) out.set(host, new Set([...ports, port]));
  };
  const asks = asksLooker(service);
  for (const rule of service.http) {
    let counts = true;
    if (asks) for (const match of rule.matches) {
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
    const ports = portsAt(service, port), host = service.host.toLowerCase();
    if (ports.length > 0) out.set(host, ports === service.ports && host === service.host ? service : { ...service, host, ports });
  }
  return out;
}

/** The ports of a number; the service's own list where it has no other. */
function portsAt({ ports }: Service, number: number): Service["ports"] {
  for (let at = 0; at < ports.length; at++) if (ports[at]?.number !== number) return ports.filter((candidate) => candidate.number === number);
  return ports;
}

/** How a sidecar finds the service of a destination: among those of the listener's port, so that a left-out port is the listener's. */
export function clustersOf(scope: Scope, atPort: ReadonlyMap<string, Service>): Clusters {
  return { isGateway: false, lookup: (host) => atPort.get(host), cluster: (host) => scope.cluster(host) };
}
