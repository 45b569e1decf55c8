import { addressRank, readRange, mostSpecific as mostSpecificChains } from "../../decide/chains.ts";
import type { Action, Chain, Listener, ViewTable } from "../../decide/model.ts";
import { concernsConnection, connectionAction, originOf, serverNames } from "./connections.ts";
import { type Client, markOf } from "./destination-rules.ts";
import { type Destinations, destinationsFor } from "./destinations.ts";
import { readingsOf } from "./gateways.ts";
import { isWildcard, overlap } from "./hosts.ts";
import { canonical, type Json, labelsAt, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { meshTable } from "./mesh-tables.ts";
import type { Place } from "./place.ts";
import { type Named, type Protocol, protocolOf, type Service } from "./registry.ts";
import { asksLooker } from "./rules.ts";
import { clustersOf, type Egress, egressFor, type Scope, scopeFor, servicesAt, sidecarFor, sidecarsFor } from "./sidecars.ts";
import { objectReading, type VersionReading } from "./versions.ts";
import type { VirtualService } from "./virtual-services.ts";

/** The views of all sidecars of a place: one for each kind of client and port. */
export function meshViews(place: Place): readonly ViewTable[] {
  const bound = place.virtualServices.filter((service) => service.gateways.includes("mesh"));
  const seen = withServices(place, bound);
  return clientsOf(seen, bound).flatMap((client) => {
    const sidecar = sidecarFor(seen, client);
    if (sidecar !== undefined) noteSidecar(seen, sidecar, client, bound);
    return portsOf(seen, client, bound).map((port) => ({
      view: { mesh: true as const, namespace: client.namespace, labels: client.labels, port },
      ...(client.isOther === true ? { isOfOthers: true as const } : {}),
      readings: readingsOf(seen, bound, ({ services, version }) => listenerFor(seen, client, port, services, version)),
    }));
  });
}

function noteSidecar(place: Place, sidecar: Named, client: Client, bound: readonly VirtualService[]): void {
  const rival = sidecarsFor(place, client).find((other) => other !== sidecar && canonical(other.spec) !== canonical(sidecar.spec));
  if (rival !== undefined && (rival.created === undefined || sidecar.created === undefined)) {
    place.leaveOut({ reason: `${sidecar.title} and ${rival.title} are for the same clients, and their age, which decides, is not known`, where: { object: sidecar.title, path: "metadata.creationTimestamp" } });
  }
  for (const problem of sidecar.problems) place.leaveOut({ reason: problem.reason, where: { object: sidecar.title, path: problem.path } });
  for (const [index, egress] of listAt(sidecar.spec, "egress").entries()) {
    const special = textAt(egress, "bind") !== "" || textAt(egress, "captureMode") === "NONE" || textAt(objectAt(egress, "port"), "protocol").toUpperCase() === "HTTP_PROXY";
    const hosts = textsAt(egress, "hosts"), excluded = hosts.find((host) => host.startsWith("~"));
    if (excluded !== undefined && hosts.some((host) => !host.startsWith("~")) && objectReading(place.istio).excludesHosts === undefined) {
      place.leaveOut({ reason: `\`${excluded}\` takes hosts away from 1.31 on and says nothing before, and the release of istiod is not known`, where: { object: sidecar.title, path: `spec.egress[${index}].hosts` } });
    }
    const spoken = otherwiseSpoken(scopeFor(place, client, bound), index, egress);
    if (spoken !== undefined) place.leaveOut({ reason: `${spoken.source.title} speaks another protocol at the port than the egress listener, which is not modelled`, where: { object: sidecar.title, path: `spec.egress[${index}].port.protocol` } });
    if (special) place.leaveOut({ reason: "egress listeners with an address, without capture or for a proxy are not modelled", where: { object: sidecar.title, path: `spec.egress[${index}]` } });
  }
}

/**
 * A service that a listener on a port lets in and that speaks something else there: the listener is of its own protocol, its routes of
 * that of the service (listener.go `buildSidecarOutboundListeners`). Whether HTTP is told or found out is the same.
 */
function otherwiseSpoken({ listeners }: Scope, index: number, egress: Json): Service | undefined {
  const port = objectAt(egress, "port"), number = numberAt(port, "number");
  if (number === 0) return undefined;
  const kindOf = (protocol: Protocol): Protocol => (protocol === "auto" ? "http" : protocol);
  const wanted = kindOf(protocolOf(textAt(port, "protocol")));
  return listeners[index]?.services.find((service) => service.ports.some((one) => one.number === number && kindOf(one.protocol) !== wanted));
}

/** Where services are unseen, every host of a VirtualService is taken for a service at port 80 and at the ports that matches name. */
function withServices(place: Place, bound: readonly VirtualService[]): Place {
  const { registry } = place;
  if (registry.seen("Service") || registry.seen("ServiceEntry") || bound.length === 0) return place;
  place.assume({ text: "services are not in the input: every host of a VirtualService is taken for a service, and destinations are compared by name" });
  const numbers = new Set([80, ...bound.flatMap((service) => service.http.flatMap((rule) => rule.matches.map((match) => numberAt(match.spec, "port")))).filter((port) => port > 0)]);
  const ports = [...numbers].map((number) => ({ number, protocol: "http" as const, targetPort: undefined }));
  const services = new Map<string, Service>();
  for (const service of bound) {
    for (const host of service.hosts.filter((name) => !isWildcard(name))) {
      const tail = `.svc.${registry.domain}`;
      const namespace = host.endsWith(tail) ? (host.slice(0, -tail.length).split(".")[1] ?? service.named.namespace) : service.named.namespace;
      services.set(host, { host, namespace, kubernetes: host.endsWith(tail), ports, addresses: [], isByName: false, passesOn: false, exportTo: ["*"], selector: {}, alias: undefined, source: service.named });
    }
  }
  return { ...place, registry: { ...registry, services: [...services.values()], seen: registry.seen } };
}

/** The kinds of client: sidecars that were seen, else one in every namespace that is named and one in another. */
function clientsOf(place: Place, bound: readonly VirtualService[]): readonly (Client & { readonly isOther?: boolean })[] {
  const keys = new Set(labelSetsOf(place, bound).flatMap((labels) => Object.keys(labels)));
  const out = new Map<string, Client & { readonly isOther?: boolean }>();
  const put = (client: Client & { readonly isOther?: boolean }): void => void out.set(canonical(client), client);
  const { proxy } = place.registry;
  if (proxy !== undefined) return proxy.role === "sidecar" ? [{ namespace: proxy.namespace, labels: proxy.labels }] : [];
  if (place.registry.seen("Pod")) {
    for (const pod of place.registry.pods.filter(hasSidecar)) {
      put({ namespace: pod.namespace, labels: Object.fromEntries(Object.entries(pod.labels).filter(([key]) => keys.has(key))) });
    }
    return [...out.values()];
  }
  if (bound.length === 0 && place.registry.services.length === 0) return [];
  place.assume({ text: "pods are not in the input: a sidecar is assumed in every namespace that is named and in one other" });
  const namespaces = namedNamespaces(place, bound);
  const asked = labelSetsOf(place, bound);
  for (const namespace of namespaces) {
    if (isAmbient(place, namespace)) continue;
    const isOther = namespace === namespaces.at(-1);
    for (const labels of [{}, ...asked]) put({ namespace, labels, ...(isOther ? { isOther } : {}) });
  }
  return [...out.values()];
}

function hasSidecar(pod: Named): boolean {
  return ["containers", "initContainers"].some((list) =>
    listAt(pod.spec, list).some((container) => textAt(container, "name") === "istio-proxy" && !textsAt(container, "args").includes("router")),
  );
}

/** In ambient mode a workload has no proxy that knows layer 7. */
function isAmbient(place: Place, namespace: string): boolean {
  const named = place.registry.namespaces.get(namespace);
  if (named?.labels["istio.io/dataplane-mode"] !== "ambient") return false;
  place.assume({ text: "workloads of the namespace are in ambient mode and see no layer-7 route", where: named.title });
  return true;
}

const maxLabelSets = 8;

/** Label sets that some object asks of a client. */
function labelSetsOf(place: Place, bound: readonly VirtualService[]): readonly Readonly<Record<string, string>>[] {
  const out = new Map<string, Readonly<Record<string, string>>>();
  const put = (labels: Readonly<Record<string, string>>): void => void (Object.keys(labels).length > 0 && out.set(canonical(labels), { ...labels }));
  for (const service of bound) {
    if (asksLooker(service)) for (const rule of service.http) for (const match of rule.matches) put(labelsAt(match.spec, "sourceLabels"));
    for (const kind of ["tls", "tcp"]) for (const rule of listAt(service.named.spec, kind)) for (const match of listAt(rule, "match")) put(labelsAt(match, "sourceLabels"));
  }
  for (const sidecar of place.registry.sidecars) put(labelsAt(objectAt(sidecar.spec, "workloadSelector"), "labels"));
  for (const rule of place.registry.destinationRules) put(labelsAt(objectAt(rule.spec, "workloadSelector"), "matchLabels"));
  if (out.size > maxLabelSets && !place.registry.seen("Pod")) {
    place.leaveOut({ reason: `${out.size} sets of labels are asked of clients and pods are not in the input; ${maxLabelSets} are looked at` });
  }
  return [...out.values()].slice(0, maxLabelSets);
}

/** Namespaces that objects are in or name, and one that none names. */
function namedNamespaces(place: Place, bound: readonly VirtualService[]): readonly string[] {
  const { registry } = place;
  const out = new Set<string>();
  for (const object of [...registry.virtualServices, ...registry.destinationRules, ...registry.sidecars]) out.add(object.namespace);
  for (const service of registry.services) out.add(service.namespace);
  for (const service of bound) if (asksLooker(service)) for (const rule of service.http) for (const match of rule.matches) out.add(textAt(match.spec, "sourceNamespace"));
  for (const service of bound) for (const target of service.exportTo) if (target !== "*" && target !== "~") out.add(target);
  out.delete("");
  let other = "other-namespace";
  while (out.has(other)) other += "-x";
  return [...[...out].sort(), other];
}

/** Ports for which a client has an outbound listener. */
function portsOf(place: Place, client: Client, bound: readonly VirtualService[]): readonly number[] {
  const scope = scopeFor(place, client, bound);
  const known = portsIn.get(scope) ?? readPorts(scope);
  portsIn.set(scope, known);
  return known;
}

const portsIn = new WeakMap<Scope, readonly number[]>();

function readPorts(scope: Scope): readonly number[] {
  const numbers = new Set<number>();
  for (const egress of scope.listeners) for (const service of egress.services) for (const port of service.ports) numbers.add(port.number);
  return [...numbers].sort((a, b) => a - b);
}

function listenerFor(place: Place, client: Client, port: number, ordered: readonly VirtualService[], version: VersionReading): Listener {
  const scope = scopeFor(place, client, ordered);
  const outside: Action = scope.allowAny ? { type: "passthrough" } : { type: "close" };
  const egress = egressFor(scope, port);
  if (egress === undefined) return { chains: [], otherwise: outside };
  const services = servicesAt(egress, port);
  const destinations = destinationsAt(place, client, scope, services);
  const chains: Chain[] = [];
  const { auto, others } = spokenAt(services);
  for (const service of others) chains.push(...connectionChains(service, client, port, egress, destinations, outside));
  // Whichever egress listener of a Sidecar lets in a service of HTTP, the port has a listener; its table is that of the first for the port.
  if (scope.listeners.some((one) => (one.port === undefined || one.port === port) && spokenAt(servicesAt(one, port)).isHttp)) {
    if (auto !== undefined) place.assume({ text: "a port without a protocol in its name is served as HTTP, to clients that call the service by its name", where: auto.source.title });
    // What is no HTTP in plain text goes where unknown connections go (listener.go `buildSidecarOutboundHTTPListenerOpts`).
    chains.push({ when: { transport: "raw_buffer" }, then: meshTable({ place, client, port, scope, egress, services, destinations, version }), origin: { object: "mesh", path: `port ${port}` } });
  }
  return { chains, otherwise: outside };
}

/** By the services of one scope at a port, then by mark: see {@link markOf}. */
const destinationsIn = new WeakMap<ReadonlyMap<string, Service>, Map<string, Destinations>>();

/** The destinations of a client; one and the same for all clients of one scope that find the same DestinationRules. */
function destinationsAt(place: Place, client: Client, scope: Scope, services: ReadonlyMap<string, Service>): Destinations {
  let own = destinationsIn.get(services);
  if (own === undefined) destinationsIn.set(services, (own = new Map()));
  const mark = markOf(place.destinationRules, place.registry, client);
  const known = own.get(mark) ?? destinationsFor(place.registry, place.memory, place.destinationRules, client, clustersOf(scope, services));
  own.set(mark, known);
  return known;
}

/** What the services at a port speak. */
interface Spoken {
  readonly isHttp: boolean;
  /** The first of which the proxy must find out. */
  readonly auto: Service | undefined;
  /** Those that do not speak HTTP. */
  readonly others: readonly Service[];
}

const spokenIn = new WeakMap<ReadonlyMap<string, Service>, Spoken>();

function spokenAt(services: ReadonlyMap<string, Service>): Spoken {
  let known = spokenIn.get(services);
  if (known === undefined) {
    const all = [...services.values()];
    known = {
      isHttp: all.some((service) => service.ports.some((one) => one.protocol === "http" || one.protocol === "auto")),
      auto: all.find((service) => service.ports.some((one) => one.protocol === "auto")),
      others: all.filter((service) => service.ports[0]?.protocol === "tls" || service.ports[0]?.protocol === "tcp"),
    };
    spokenIn.set(services, known);
  }
  return known;
}

/** The chains of a service that does not speak HTTP (networking/core/tls.go). */
function connectionChains(service: Service, client: Client, port: number, egress: Egress, destinations: Destinations, outside: Action): readonly Chain[] {
  const protocol = service.ports[0]?.protocol;
  if (protocol !== "tls" && protocol !== "tcp") return [];
  const looker = { namespace: client.namespace, labels: client.labels, gateway: "mesh", port };
  const configs = egress.virtualServices.filter((virtual) => virtual.hosts.some((host) => overlap(host, service.host)));
  // A service with addresses of its own has a listener on each; ranges share the listener of the port.
  const ranges = service.addresses.filter((address) => address.includes("/"));
  const own = connectionAction([{ destination: { host: service.host, port: { number: port } } }], service.namespace, port, destinations);
  const origin = { object: service.source.title, path: "spec.ports" };
  const isBound = service.addresses.length > ranges.length;
  const chains = protocol === "tls"
    ? tlsChains(configs, looker, ranges, destinations, { then: own, origin, ...(isBound && ranges.length === 0 ? {} : { host: service.host }) })
    : tcpChains(configs, looker, ranges, destinations, { then: own, origin });
  if (!isBound) return chains;
  return service.addresses.filter((address) => !address.includes("/")).flatMap((address) => chainsAt(address, chains, origin, outside));
}

/**
 * The chains of a listener on one address: of those that the address reaches the most specific. What they leave goes to the chain that
 * takes everything, which istiod makes the default one, or where unknown connections go (listener.go `DefaultFilterChain`).
 */
function chainsAt(address: string, chains: readonly Chain[], origin: Chain["origin"], outside: Action): readonly Chain[] {
  const destinations = [`${address}/${address.includes(":") ? 128 : 32}`];
  const twice = repeated(chains);
  if (twice !== undefined) return [{ when: { destinations }, then: { type: "invalid", reason: `two chains of one listener have the same match: ${twice}` }, origin }];
  const isAll = ({ when }: Chain): boolean => when.destinations === undefined && when.serverNames === undefined && when.transport === undefined;
  const reached = mostSpecificChains(chains.filter((chain) => !isAll(chain)), ({ destinations: wanted }) => (wanted === undefined ? 0 : addressRank(wanted, address)));
  const fallback = chains.findLast(isAll) ?? { then: outside, origin, isImplicit: true as const };
  return [...reached.map((chain): Chain => ({ ...chain, when: { ...chain.when, destinations } })), { ...fallback, when: { destinations } }];
}

/** A range and server name for which there are two chains: Envoy refuses their listener. */
function repeated(chains: readonly Chain[]): string | undefined {
  const seen = new Set<string>();
  for (const { when } of chains) {
    const own = new Set((when.destinations ?? [""]).flatMap((range) => (when.serverNames ?? [""]).map((name) => [name, range === "" ? "" : (readRange(range) ?? range)].join(" "))));
    for (const key of own) {
      if (seen.has(key)) return `${when.serverNames?.join(", ") ?? "any name"}, ${when.destinations?.join(", ") ?? "any address"}`;
      seen.add(key);
    }
  }
  return undefined;
}

/** `buildSidecarOutboundTLSFilterChainOpts`. Subnets of one block stay for later blocks that have none. */
function tlsChains(configs: readonly VirtualService[], looker: { namespace: string; labels: Readonly<Record<string, string>>; gateway: string; port: number }, addresses: readonly string[], destinations: Destinations, own: { then: Action; origin: Chain["origin"]; host?: string }): readonly Chain[] {
  const out: Chain[] = [];
  const done = new Set<string>();
  let current = addresses;
  for (const service of configs) {
    for (const [index, rule] of listAt(service.named.spec, "tls").entries()) {
      const routes = listAt(rule, "route");
      if (routes.length === 0) continue;
      for (const [block, match] of listAt(rule, "match").entries()) {
        if (!concernsConnection(match, looker, service.named.namespace)) continue;
        const subnets = textsAt(match, "destinationSubnets"), names = textsAt(match, "sniHosts");
        if (subnets.length > 0) current = subnets;
        const key = `${names.join(",")}|${subnets.join(",")}`;
        if (done.has(key)) continue;
        done.add(key);
        out.push({ when: { ...serverNames(names), ...cidrs(current), transport: "tls" }, then: connectionAction(routes, service.named.namespace, looker.port, destinations), origin: originOf(service, `spec.tls[${index}].match[${block}]`) });
      }
    }
  }
  // A listener on an address of its own needs no name to tell services apart, and takes what is no TLS too.
  const named = own.host === undefined ? {} : { ...serverNames([own.host]), transport: "tls" as const };
  return out.length > 0 ? out : [{ when: { ...named, ...cidrs(addresses) }, then: own.then, origin: own.origin, isImplicit: true }];
}

/** `buildSidecarOutboundTCPFilterChainOpts`: the first block without subnets ends the list. */
function tcpChains(configs: readonly VirtualService[], looker: { namespace: string; labels: Readonly<Record<string, string>>; gateway: string; port: number }, addresses: readonly string[], destinations: Destinations, own: { then: Action; origin: Chain["origin"] }): readonly Chain[] {
  const out: Chain[] = [];
  for (const service of configs) {
    for (const [index, rule] of listAt(service.named.spec, "tcp").entries()) {
      const routes = listAt(rule, "route"), matches = listAt(rule, "match");
      if (routes.length === 0) continue;
      const then = connectionAction(routes, service.named.namespace, looker.port, destinations);
      const origin = originOf(service, `spec.tcp[${index}]`);
      const fitting = matches.filter((match) => concernsConnection(match, looker, service.named.namespace));
      if (matches.length === 0 || fitting.some((match) => textsAt(match, "destinationSubnets").length === 0)) return [...out, { when: cidrs(addresses), then, origin }];
      const subnets = fitting.flatMap((match) => textsAt(match, "destinationSubnets"));
      if (subnets.length > 0) out.push({ when: cidrs(subnets), then, origin });
      if (subnets.length > 0 && canonical([...subnets].sort()) === canonical([...addresses].sort())) return out;
    }
  }
  return [...out, { when: cidrs(addresses), then: own.then, origin: own.origin, isImplicit: true }];
}

function cidrs(list: readonly string[]): { readonly destinations?: readonly string[] } {
  return list.length === 0 ? {} : { destinations: list };
}
