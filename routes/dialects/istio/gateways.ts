import type { Chain, HttpTable, Listener, Origin, Reading, Rule, Unmodelled, ViewTable, VirtualHost } from "../../decide/model.ts";
import { claimHosts, gatewayTcp, gatewayTls, serverNames } from "./connections.ts";
import type { DestinationRules } from "./destination-rules.ts";
import { byHost, type Destinations, destinationsFor } from "./destinations.ts";
import { filtersOn } from "./filters.ts";
import { intersection, overlap } from "./hosts.ts";
import { at, canonical, isObject, isSubset, type Json, labelsAt, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { byAge, type Order, orders } from "./order.ts";
import type { Place } from "./place.ts";
import { add, isVisible, type Named, type OneProxy, protocolOf } from "./registry.ts";
import { type Routes, routesOf, usesOf } from "./rules.ts";
import { objectReading, type VersionReading, versionReadings } from "./versions.ts";
import { boundTo, type VirtualService } from "./virtual-services.ts";

/** One server of a Gateway, its hosts as model/gateway.go `sanitizeServerHostNamespace` writes them. */
interface Server {
  readonly gateway: Named;
  readonly gatewayName: string;
  readonly path: string;
  readonly number: number;
  readonly portName: string;
  readonly protocol: string;
  readonly bind: string;
  readonly hosts: readonly string[];
  readonly tls: { readonly mode: string; readonly redirect: boolean } | undefined;
}

/** Pods that serve Gateways. */
interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Another control plane than istiod runs them: nothing of Istio's acts on them. */
  readonly isForeign?: true;
  /** Proxies in front that they trust; undefined: as many as the mesh says. */
  readonly trustedProxies?: number;
}

/** The servers of a workload after istiod merged its Gateways. */
interface Merged {
  /** By `port bind`: the servers that share a listener. */
  readonly listeners: ReadonlyMap<string, readonly Server[]>;
  /** By route name: the servers that share virtual hosts. */
  readonly byRoute: ReadonlyMap<string, readonly Server[]>;
  readonly routeOf: ReadonlyMap<Server, string>;
  readonly listenerOf: ReadonlyMap<Server, string>;
}

/** The views of all Gateways of a place: one for each port of each, plain and TLS apart. */
export function gatewayViews(place: Place): readonly ViewTable[] {
  const gateways = [...place.registry.gateways, ...assumedGateways(place)].sort(byAge);
  const unaged = gateways.filter((gateway) => gateway.created === undefined && gateway.annotations[assumed] === undefined);
  const views = new Map<string, ViewTable>();
  for (const workload of workloadsOf(place, gateways)) {
    const own = joined(place, workload, gateways.filter((gateway) => selects(gateway, workload)));
    const merged = mergeServers(own.flatMap((gateway) => serversOf(gateway)), (number) => targetPort(place, workload, number));
    if (own.length > 1 && own.some((gateway) => unaged.includes(gateway))) noteUnagedGateways(place, merged, own);
    for (const table of viewsOf(place, workload, merged)) {
      const key = canonical(table.view);
      const known = views.get(key);
      // Two workloads that serve one Gateway differently: an answer counts only where both give it.
      const same = known !== undefined && canonical(known.readings) === canonical(table.readings);
      if (known === undefined) views.set(key, table);
      else if (!same) views.set(key, { view: table.view, readings: [...known.readings, ...table.readings] });
    }
  }
  return [...views.values()];
}

const managedBy = "gateway.networking.k8s.io/gateway-name";

/** The Gateways that a workload serves: push_context.go `filterStrictGatewayMerging` takes those of other namespaces from proxies that istiod runs itself. */
function joined(place: Place, workload: Workload, gateways: readonly Named[]): readonly Named[] {
  const isForeign = (gateway: Named): boolean => gateway.listener === undefined && gateway.namespace !== workload.namespace;
  const manager = workload.labels[managedBy];
  const [foreign] = gateways.filter(isForeign);
  if (manager === undefined || foreign === undefined) return gateways;
  const { separatesManagedGateways } = objectReading(place.istio);
  if (separatesManagedGateways === undefined) {
    place.leaveOut({ reason: `${foreign.title} selects the proxies of the Gateway \`${workload.namespace}/${manager}\` of Gateway API, which istiod allows up to 1.30 only, and its release is not known`, where: { object: foreign.title, path: "spec.selector" } });
  }
  return separatesManagedGateways === true ? gateways.filter((gateway) => !isForeign(gateway)) : gateways;
}

const assumed = "cloud-assert/assumed";

/** Gateways that VirtualServices name and the input does not hold; none where the input is whole. */
function assumedGateways(place: Place): readonly Named[] {
  if (place.complete) return [];
  const held = new Set(place.registry.gateways.map((gateway) => `${gateway.namespace}/${gateway.name}`));
  const missing = new Set(place.virtualServices.flatMap((service) => service.gateways).filter((name) => name !== "mesh" && !held.has(name)));
  return [...missing].sort().map((name) => {
    const [namespace = "", own = ""] = name.split("/");
    place.assume({ text: `the Gateway \`${name}\` is not in the input; a plaintext server on port 80 with the hosts of its VirtualServices is assumed`, where: `Gateway ${name}` });
    const spec = { selector: { [assumed]: name }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] };
    return { kind: "Gateway", namespace, name: own, title: `Gateway ${name}`, created: undefined, labels: {}, annotations: { [assumed]: "true" }, spec, problems: [], written: [] };
  });
}

/** Where the age of Gateways decides and is not known. Servers that share a port are the only ones that meet. */
function noteUnagedGateways(place: Place, merged: Merged, gateways: readonly Named[]): void {
  for (const servers of merged.listeners.values()) {
    // The listeners of one object of Gateway API have one age.
    const names = new Set(servers.map((server) => server.gateway.title));
    const tls = servers.some((server) => server.tls !== undefined);
    const meet = servers.some((one) => servers.some((other) => one.gateway.title !== other.gateway.title && one.hosts.some((host) => other.hosts.some((second) => overlap(bare(host), bare(second))))));
    if (names.size < 2 || !(meet || tls) || !meet) continue;
    place.leaveOut({ reason: `${gateways.map((gateway) => gateway.title).join(" and ")} share a port and hosts, and their age, which decides, is not known`, where: { object: gateways[0]?.title ?? "", path: "metadata.creationTimestamp" } });
  }
}

function bare(host: string): string {
  return host.includes("/") ? (host.split("/")[1] ?? host) : host;
}

function selects(gateway: Named, workload: Workload): boolean {
  const { listener } = gateway;
  if (listener !== undefined) return listener.namespace === workload.namespace && workload.labels[managedBy] === listener.name && listener.isForeign === (workload.isForeign === true);
  if (workload.isForeign === true) return false;
  return isSubset(labelsAt(gateway.spec, "selector"), workload.labels);
}

/** The pods that Gateways select; where pods are unseen, one workload for each selector. */
function workloadsOf(place: Place, gateways: readonly Named[]): readonly Workload[] {
  const out = new Map<string, Workload>();
  const put = (workload: Workload): void => void out.set(canonical(workload), workload);
  const { proxy } = place.registry;
  if (proxy !== undefined) {
    const labels = { ...proxy.labels, ...managerOf(place, proxy, gateways) };
    return proxy.role === "gateway" ? [{ namespace: proxy.namespace, labels: stable(labels), trustedProxies: trustIn(place, podsOf(place, proxy)) }] : [];
  }
  const seen = place.registry.seen("Pod");
  if (seen) {
    for (const pod of place.registry.pods.filter(isGatewayPod)) {
      const labels = { ...pod.labels, ...managerOf(place, pod, gateways) };
      if (gateways.some((gateway) => selects(gateway, { namespace: pod.namespace, labels }))) put({ namespace: pod.namespace, labels: stable(labels), trustedProxies: trustIn(place, podsOf(place, pod)) });
    }
  }
  let guessed = false;
  for (const { listener } of gateways) {
    // What a Gateway of Gateway API needs is run for it: where no pod is seen it will be.
    if (listener === undefined) continue;
    const isRun = [...out.values()].some((workload) => workload.namespace === listener.namespace && workload.labels[managedBy] === listener.name);
    if (listener.isForeign || !isRun) put({ namespace: listener.namespace, labels: { [managedBy]: listener.name }, ...(listener.isForeign ? { isForeign: true } : {}) });
  }
  for (const gateway of gateways) {
    if (gateway.listener !== undefined) continue;
    const selector = labelsAt(gateway.spec, "selector");
    if (seen && gateway.annotations[assumed] === undefined) continue;
    const service = place.registry.services.find((candidate) => candidate.selector !== undefined && Object.keys(selector).length > 0 && isSubset(selector, candidate.selector));
    guessed ||= gateway.annotations[assumed] === undefined;
    put({ namespace: service?.namespace ?? gateway.namespace, labels: { ...service?.selector, ...selector } });
  }
  if (guessed) place.assume({ text: "pods are not in the input: for every selector of a Gateway a workload is assumed, in the namespace of the Service that selects it, else in that of the Gateway" });
  return [...out.values()];
}

/** A Gateway with an address of the type Hostname is served by the pods of that Service (conversion.go `extractGatewayServices`). */
function managerOf(place: Place, pod: Pick<Named, "namespace" | "labels">, gateways: readonly Named[]): Readonly<Record<string, string>> {
  const found = gateways.find(({ listener }) => listener?.namespace === pod.namespace && listener.services?.some((host) =>
    place.registry.services.some((service) => (service.host === host || service.host === `${host}.${place.registry.domain}`) && service.selector !== undefined && isSubset(service.selector, pod.labels))));
  return found?.listener === undefined ? {} : { [managedBy]: found.listener.name };
}

/** Labels that change with every rollout tell nothing of routing. */
function stable(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { "pod-template-hash": _hash, "controller-revision-hash": _revision, "statefulset.kubernetes.io/pod-name": _pod, "apps.kubernetes.io/pod-index": _index, ...rest } = labels;
  return rest;
}

/** A proxy that was started as a router; one that does not say so is believed to be one. */
function isGatewayPod(pod: Named): boolean {
  const proxy = listAt(pod.spec, "containers").find((container) => textAt(container, "name") === "istio-proxy");
  return proxy !== undefined && !textsAt(proxy, "args").includes("sidecar");
}

/** The pods of a gateway that routing does not tell apart. */
function podsOf({ registry }: Place, { namespace, labels }: Pick<OneProxy, "namespace" | "labels">): readonly Named[] {
  const own = canonical(stable(labels));
  return registry.pods.filter((pod) => pod.namespace === namespace && isGatewayPod(pod) && canonical(stable(pod.labels)) === own);
}

/** The proxies in front that pods trust; where they do not agree the place is left open. */
function trustIn(place: Place, pods: readonly Named[]): number {
  const { trustedProxies } = place.registry.mesh;
  const [first, other] = new Set(pods.map((pod) => ownTrust(pod) ?? trustedProxies));
  if (other !== undefined) place.leaveOut({ reason: `pods of one gateway trust ${first} and ${other} proxies in front (\`numTrustedProxies\`); a restart of all of them gives them one configuration`, where: { object: pods[0]?.title ?? "", path: "spec.containers" } });
  return first ?? trustedProxies;
}

/** The configuration that a pod was injected with counts more than that of the mesh (pkg/model/proxy.go `ProxyConfigOrDefault`). */
function ownTrust(pod: Named): number | undefined {
  const proxy = listAt(pod.spec, "containers").find((container) => textAt(container, "name") === "istio-proxy");
  const text = textAt(listAt(proxy, "env").find((one) => textAt(one, "name") === "PROXY_CONFIG"), "value");
  const said = at(objectAt(parsed(text), "gatewayTopology"), "numTrustedProxies");
  return typeof said === "number" ? said : undefined;
}

function parsed(text: string): Json {
  if (text === "" || text.length > LARGEST_CONFIG) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Characters; Kubernetes holds no longer environment. */
const LARGEST_CONFIG = 1 << 20;

function serversOf(gateway: Named): readonly Server[] {
  return listAt(gateway.spec, "servers").flatMap((server, index) => {
    const port = objectAt(server, "port"), tls = at(server, "tls");
    if (!isObject(at(server, "port"))) return [];
    return [{
      gateway,
      gatewayName: `${gateway.namespace}/${gateway.name}`,
      path: gateway.listener?.path ?? `spec.servers[${index}]`,
      number: numberAt(port, "number"),
      portName: textAt(port, "name"),
      protocol: textAt(port, "protocol").toUpperCase(),
      bind: textAt(server, "bind"),
      hosts: cleanHosts(textsAt(server, "hosts"), gateway.namespace),
      tls: isObject(tls) ? { mode: textAt(tls, "mode") || "PASSTHROUGH", redirect: at(tls, "httpsRedirect") === true } : undefined,
    }];
  });
}

/** `./a.com` is of the Gateway's namespace, `*` before the slash of any. */
function cleanHosts(hosts: readonly string[], namespace: string): readonly string[] {
  if (hosts.includes("*/*")) return ["*"];
  return hosts.map((host) => (host.startsWith("./") ? `${namespace}/${host.slice(2)}` : host.startsWith("*/") ? host.slice(2) : host));
}

const isPlainHttp = (server: Server): boolean => protocolOf(server.protocol) === "http";
const isPassthrough = (server: Server): boolean => server.tls?.mode === "PASSTHROUGH" || server.tls?.mode === "AUTO_PASSTHROUGH";
const isTls = (server: Server): boolean => server.tls !== undefined && !isPlainHttp(server);
const isHttp = (server: Server): boolean => isPlainHttp(server) || (server.protocol === "HTTPS" && server.tls !== undefined && !isPassthrough(server));

/** A Service says on which port the pods listen for this one. */
function isServed(place: Place, workload: Workload, number: number): boolean {
  return place.registry.services.some((service) => service.namespace === workload.namespace && service.selector !== undefined && Object.keys(service.selector).length > 0 && isSubset(service.selector, workload.labels) && service.ports.some((port) => port.number === number && port.targetPort !== undefined));
}

/** A Service with this label opts out of what its target ports would say of Gateways. */
const untranslated = "experimental.istio.io/disable-gateway-port-translation";

/** The port on which the pod listens: the target port of the first Service that leads there (model/gateway.go `resolvePorts`). */
function targetPort(place: Place, workload: Workload, number: number): number | string {
  const found: { readonly source: Named; readonly target: number | string }[] = [];
  for (const service of place.registry.services) {
    if (service.namespace !== workload.namespace || service.selector === undefined || Object.keys(service.selector).length === 0) continue;
    if (!isSubset(service.selector, workload.labels) || Object.hasOwn(service.source.labels, untranslated)) continue;
    const port = service.ports.find((candidate) => candidate.number === number);
    if (port?.targetPort !== undefined) found.push({ source: service.source, target: port.targetPort });
  }
  const [first] = found;
  const other = found.find(({ target }) => target !== first?.target);
  if (first !== undefined && other !== undefined && found.some(({ source }) => source.created === undefined)) {
    place.leaveOut({ reason: `${first.source.title} and ${other.source.title} lead port ${number} of one gateway to different ports, and their age, which decides, is not known`, where: { object: first.source.title, path: "spec.ports" } });
  }
  return first?.target ?? number;
}

/** model/gateway.go `mergeGateways`: which servers stand, and which share a listener and a route table. */
function mergeServers(servers: readonly Server[], resolve: (number: number) => number | string): Merged {
  const listeners = new Map<string, Server[]>(), byRoute = new Map<string, Server[]>();
  const routeOf = new Map<Server, string>(), listenerOf = new Map<Server, string>();
  const plain = new Map<number | string, Server>();
  const tlsHosts = new Map<number | string, Map<string, string>>();
  const used = new Set<number | string>();
  for (const server of servers) {
    const port = resolve(server.number);
    const route = routeName(server, port);
    if (server.tls !== undefined) {
      const taken = tlsHosts.get(port) ?? new Map<string, string>();
      tlsHosts.set(port, taken);
      if (!claimHosts(server.hosts, server.bind, taken)) continue;
    }
    const current = plain.get(port);
    if (used.has(port) && current !== undefined) {
      const mergeable = isPlainHttp(server) && isPlainHttp(current);
      if (current.bind === server.bind && (!mergeable || route === "")) continue;
    } else if (used.has(port) && isTls(server) && isHttp(server) && (route === "" || byRoute.has(route))) continue;
    else if (!isTls(server)) plain.set(port, server);
    used.add(port);
    const listener = `${port} ${server.bind}`;
    add(listeners, listener, server);
    listenerOf.set(server, listener);
    if (!isHttp(server)) continue;
    add(byRoute, route, server);
    routeOf.set(server, route);
  }
  return { listeners, byRoute, routeOf, listenerOf };
}

/** model/gateway.go `gatewayRDSRouteName`: plaintext servers of a port share one table, an HTTPS server has its own. */
function routeName(server: Server, port: number | string): string {
  const bind = server.bind === "" ? "" : `.${server.bind}`;
  if (isPlainHttp(server)) return `http.${port}${bind}`;
  return isHttp(server) ? `https.${server.number}.${server.portName}.${server.gateway.name}.${server.gateway.namespace}${bind}` : "";
}

/** One order of VirtualServices and one pair of versions. */
interface Supposed {
  readonly services: readonly VirtualService[];
  readonly version: VersionReading;
}

function viewsOf(place: Place, workload: Workload, merged: Merged): readonly ViewTable[] {
  const wanted = new Map<string, Server>();
  for (const server of merged.listenerOf.keys()) wanted.set(`${viewName(server)} ${server.number} ${isTls(server)}`, server);
  return [...wanted.values()].map((server) => {
    for (const problem of server.gateway.problems) place.leaveOut({ reason: problem.reason, where: { object: server.gateway.title, path: problem.path } });
    if (server.tls?.mode === "AUTO_PASSTHROUGH") place.leaveOut({ reason: "servers with AUTO_PASSTHROUGH are not modelled", where: { object: server.gateway.title, path: server.path } });
    const sharing = merged.listeners.get(merged.listenerOf.get(server) ?? "") ?? [];
    const names = new Set(sharing.map((one) => one.gatewayName));
    const bound = place.virtualServices.filter((service) => service.gateways.some((name) => names.has(name)));
    const view = { gateway: viewName(server), port: server.number, tls: isTls(server) };
    const listen = place.complete || isServed(place, workload, server.number) ? targetPort(place, workload, server.number) : undefined;
    return { view, ...(typeof listen === "number" ? { listen } : {}), readings: readingsOf(place, bound, (supposed) => listenerFor(place, workload, merged, sharing, supposed)) };
  });
}

/** The Gateway that a user wrote: listeners of Gateway API are Gateways of their own to istiod. */
function viewName({ gateway, gatewayName }: Server): string {
  return gateway.listener === undefined ? gatewayName : `${gateway.listener.namespace}/${gateway.listener.name}`;
}

/** What readings of a list of VirtualServices there must be: the orders in which they may have been made, and what versions read differently. */
interface Known {
  readonly possible: readonly Order<VirtualService>[] | undefined;
  readonly uses: { readonly headers: boolean; readonly regexes: boolean; readonly mirrors: boolean };
}

const supposedOf = new WeakMap<readonly VirtualService[], Known>();

function readSupposed(services: readonly VirtualService[]): Known {
  const uses = { headers: false, regexes: false, mirrors: false };
  for (const service of services) {
    const own = usesOf(service);
    uses.headers ||= own.headers;
    uses.regexes ||= own.regexes;
    uses.mirrors ||= own.mirrors;
  }
  return { uses, possible: orders(services, (service) => service.named, (service) => service.hosts) };
}

/** Every reading of a table that rests on the order of VirtualServices and on versions. */
export function readingsOf(place: Place, services: readonly VirtualService[], build: (supposed: Supposed) => Listener): readonly Reading[] {
  let known = supposedOf.get(services);
  if (known === undefined) supposedOf.set(services, (known = readSupposed(services)));
  const { possible, uses } = known;
  if (possible === undefined) {
    const unaged = services.filter((service) => service.named.created === undefined).map((service) => service.named.title);
    place.leaveOut({ reason: `the age of ${unaged.length} VirtualServices that share hosts is not known: ${unaged.slice(0, 3).join(", ")} ...`, where: { object: unaged[0] ?? "", path: "metadata.creationTimestamp" } });
  }
  const versions = versionReadings(place.istio, place.envoy, uses);
  return (possible ?? [{ name: "", list: services }]).flatMap((order) =>
    versions.map((version) => ({
      name: [order.name, version.name].filter((part) => part !== "").join("; "),
      ...(Object.keys(version.versions).length === 0 ? {} : { versions: version.versions }),
      listener: build({ services: order.list, version }),
    })),
  );
}

function listenerFor(place: Place, workload: Workload, merged: Merged, servers: readonly Server[], supposed: Supposed): Listener {
  const chains: Chain[] = [];
  const tables = new Set<string>();
  const taken = new Map<string, string>();
  const destinations = destinationsOf(place, workload);
  for (const server of servers) {
    const origin = { object: server.gateway.title, path: server.path, ...(server.gateway.file === undefined ? {} : { file: server.gateway.file }), ...(server.gateway.line === undefined ? {} : { line: server.gateway.line }) };
    const when = isTls(server) ? { ...serverNames(server.hosts.map(bare)), transport: "tls" as const } : {};
    const route = merged.routeOf.get(server);
    if (route !== undefined) {
      if (tables.has(route)) continue;
      tables.add(route);
      chains.push({ when, then: tableOf(place, workload, merged.byRoute.get(route) ?? [], destinations, supposed), origin });
      continue;
    }
    const looker = { namespace: workload.namespace, labels: workload.labels, gateway: server.gatewayName, port: server.number };
    const bound = boundTo(supposed.services, server.gatewayName, workload.namespace).filter((service) => sharesHost(server, service));
    if (isPassthrough(server)) chains.push(...gatewayTls(bound, looker, destinations, taken, server.bind).map((chain) => ({ ...chain, when: { ...chain.when, transport: "tls" as const } })));
    else {
      const found = gatewayTcp(bound, looker, destinations);
      if (found !== undefined) chains.push({ when, then: found.action, origin: found.origin });
    }
  }
  const twice = twiceMatched(chains);
  if (twice !== undefined) chains.splice(0, chains.length, { when: {}, then: { type: "invalid", reason: `two chains of one listener have the same match: ${twice.match}` }, origin: twice.origin });
  return { chains, otherwise: { type: "close" } };
}

/** Two chains for one server name: `a.com` and `ns/a.com` are two hosts to istiod and one match to Envoy, which refuses the listener. */
function twiceMatched(chains: readonly Chain[]): { readonly match: string; readonly origin: Origin } | undefined {
  const matched = new Set<string>();
  for (const { when, origin } of chains) {
    const names = [...new Set(when.serverNames ?? ["*"])];
    for (const name of names) {
      const key = `${when.transport ?? ""} ${name}`;
      if (matched.has(key)) return { match: `\`${name}\``, origin };
      matched.add(key);
    }
  }
  return undefined;
}

function sharesHost(server: Server, service: VirtualService): boolean {
  return hostsFor(server, service).some((host) => service.hosts.some((other) => overlap(host, other)));
}

/** Server hosts that a VirtualService of a namespace may bind to (host/names.go `NamesForNamespace`). */
function hostsFor(server: Server, { named: { namespace }, isAnyNamespace }: VirtualService): readonly string[] {
  if (isAnyNamespace === true) return [...new Set(server.hosts.map(bare))];
  return server.hosts.flatMap((host) => {
    const [owner = "", name] = host.split("/");
    if (name === undefined) return [host];
    return owner === namespace || owner === "*" ? [name] : [];
  });
}

function destinationsOf(place: Place, workload: Workload): Destinations {
  const visible = [...place.registry.services].sort((a, b) => Number(isPublic(a)) - Number(isPublic(b)) || byAge(a.source, b.source)).filter((service) => isVisible(service.exportTo, service.namespace, workload.namespace));
  const clusters = byHost(visible);
  // What another control plane runs knows no DestinationRule.
  const rules = workload.isForeign === true ? noRules : place.destinationRules;
  return destinationsFor(place.registry, place.memory, rules, workload, { isGateway: true, lookup: (host) => clusters.get(host), cluster: (host) => clusters.get(host) });
}

const noRules: DestinationRules = { local: new Map(), exported: new Map(), rootLocal: new Map() };

function isPublic(service: { readonly exportTo: readonly string[] }): boolean {
  return service.exportTo.includes("*");
}

/** A virtual host while servers and VirtualServices still add to it. */
interface Growing {
  readonly rules: (readonly Rule[])[];
  /** Behind all others, each in its order (route.go `SortVHostRoutes`). */
  readonly catchAlls: Rule[];
  readonly unmodelled: Unmodelled[];
  readonly untried: Origin[];
  requireTls: { readonly object: string; readonly path: string } | undefined;
}

/** gateway.go `buildGatewayHTTPRouteConfig`. */
function tableOf(place: Place, workload: Workload, servers: readonly Server[], destinations: Destinations, supposed: Supposed): HttpTable | { readonly type: "invalid"; readonly reason: string } {
  const hosts = new Map<string, Growing>();
  const cached = new Map<string, Routes>();
  let invalid: string | undefined;
  for (const server of servers) {
    const circumstances = { port: server.number, tls: server.tls !== undefined, destinations, retries: place.registry.mesh.retries, reading: supposed.version.istiod };
    for (const service of boundTo(supposed.services, server.gatewayName, workload.namespace)) {
      const domains = intersection(hostsFor(server, service), service.hosts);
      if (domains.length === 0) continue;
      // The routes of a VirtualService are made once a Gateway, for the first server that asks.
      const key = `${server.gatewayName} ${service.named.title} ${service.named.name}`;
      let routes = cached.get(key);
      if (routes === undefined) {
        const looker = { namespace: workload.namespace, labels: workload.labels, gateway: server.gatewayName, port: server.number };
        routes = routesOf(service, looker, circumstances);
        if (routes.rules.length > 0) cached.set(key, routes);
      }
      if (routes.rules.length === 0) continue;
      invalid ??= routes.invalid;
      for (const domain of domains) {
        const host = hostNamed(hosts, domain.toLowerCase());
        host.rules.push(routes.endsInCatchAll ? routes.rules.slice(0, -1) : routes.rules);
        if (routes.endsInCatchAll) host.catchAlls.push(...routes.rules.slice(-1));
        for (const one of routes.unmodelled) host.unmodelled.push(one);
        for (const one of routes.untried) host.untried.push(one);
        if (server.tls?.redirect === true) host.requireTls = { object: server.gateway.title, path: `${server.path}.tls.httpsRedirect` };
      }
    }
    if (server.tls?.redirect !== true) continue;
    // A host written `ns/a.com` becomes a domain of that text, which no request has.
    for (const host of server.hosts) hostNamed(hosts, host.toLowerCase()).requireTls = { object: server.gateway.title, path: `${server.path}.tls.httpsRedirect` };
  }
  if (invalid !== undefined) return { type: "invalid", reason: invalid };
  const filters = workload.isForeign === true ? [] : filtersOn(place.registry, { role: "gateway", namespace: workload.namespace, labels: workload.labels });
  const secure = servers.some(isTls);
  const { mesh } = place.registry;
  const trusted = workload.trustedProxies ?? mesh.trustedProxies;
  return {
    type: "http",
    reading: supposed.version.http,
    pathNormalization: mesh.pathNormalization,
    ignorePort: true,
    ...schemeOf(secure, trusted),
    virtualHosts: [...hosts].map(([domain, host]) => virtualHost(domain, host, filters, secure, trusted)),
    otherwise: { type: "notFound" },
  };
}

function hostNamed(hosts: Map<string, Growing>, domain: string): Growing {
  let host = hosts.get(domain);
  if (host === undefined) hosts.set(domain, (host = { rules: [], catchAlls: [], unmodelled: [], untried: [], requireTls: undefined }));
  return host;
}

/** A gateway sets `x-forwarded-proto` from the connection, unless it stands behind proxies that it trusts. */
function schemeOf(secure: boolean, trustedProxies: number): Pick<HttpTable, "scheme" | "overwritten"> {
  const scheme = secure ? "https" : "http";
  if (trustedProxies > 0) return { scheme: { from: "x-forwarded-proto", default: scheme } };
  return { scheme: { from: "connection", default: scheme }, overwritten: { "x-forwarded-proto": scheme } };
}

function virtualHost(domain: string, host: Growing, filters: readonly Unmodelled[], secure: boolean, trustedProxies: number): VirtualHost {
  if (host.requireTls !== undefined && (!secure || trustedProxies > 0)) host.rules.unshift([tlsRedirect(host.requireTls, trustedProxies)]);
  if (host.catchAlls.length > 0) host.rules.push(host.catchAlls);
  const unmodelled = [...filters, ...host.unmodelled];
  return { domains: [domain], rules: asOneList(host.rules), ...(unmodelled.length === 0 ? {} : { unmodelled }), ...(host.untried.length === 0 ? {} : { untried: host.untried }) };
}

/** One list of several; a lone one as it is, so that places which share it are seen to. */
function asOneList(parts: readonly (readonly Rule[])[]): readonly Rule[] {
  const [first, other] = parts;
  if (first !== undefined && other === undefined) return first;
  // Lists that grow take more room than they need, and these are long.
  const all: Rule[] = [];
  all.length = parts.reduce((count, part) => count + part.length, 0);
  let place = 0;
  for (const part of parts) for (const rule of part) all[place++] = rule;
  return all;
}

/** `require_tls` of a virtual host comes before its routes (config_impl.cc `getRouteFromEntries`). */
function tlsRedirect(origin: Rule["origin"], trustedProxies: number): Rule {
  const plain = { headers: [{ name: "x-forwarded-proto", match: { kind: "exact" as const, value: "https" }, invert: true, whenAbsent: true }] };
  return { when: trustedProxies > 0 ? plain : {}, action: { type: "redirect", status: 301, scheme: "https", keepPort: true }, origin };
}

