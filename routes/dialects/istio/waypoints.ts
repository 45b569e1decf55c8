import type { Unmodelled } from "../../decide/model.ts";
import { fullName, isWildcard, overlap } from "./hosts.ts";
import { at, canonical, isObject, type Json, listAt, textAt, textsAt } from "./json.ts";
import { byAge } from "./order.ts";
import type { Named, Registry, Service } from "./registry.ts";
import { minorOf, versionReadings } from "./versions.ts";

const USE = "istio.io/use-waypoint";
const CANARY = "istio.io/use-waypoint-canary";
const WEIGHT = "istio.io/use-waypoint-canary-weight";
const INGRESS = "istio.io/ingress-use-waypoint";
const FOR = "istio.io/waypoint-for";

/** What istiod takes for true (Go's `strconv.ParseBool`). */
const yes: ReadonlySet<string | undefined> = new Set(["1", "t", "T", "true", "TRUE", "True"]);

/** The objects of Gateway API that concern waypoints. */
export interface WaypointObjects {
  /** A Gateway, where the input holds one of that name. */
  find(namespace: string, name: string): Named | undefined;
  isWaypoint(gateway: Named): boolean;
  readonly routes: readonly Named[];
  readonly grants: readonly Named[];
}

/** What of a place a waypoint reads beside the objects of a service. */
export interface WaypointPlace {
  readonly registry: Registry;
  readonly objects: WaypointObjects;
  /** What policies of Gateway API do to connections with a service, by host. */
  readonly policies: ReadonlyMap<string, Unmodelled>;
  readonly istio: string | undefined;
  readonly envoy: string | undefined;
}

/** What a waypoint does to requests for a service. */
export interface Captured extends Unmodelled {
  /** Gateways send requests for the service there, too. */
  readonly fromGateways: boolean;
}

/**
 * What waypoints do to requests for a service, by host: for each that the label of its own or of its namespace gives to one. The key holds
 * all that decides there, so that two places in which it is the same answer alike: the objects in the order of their age, what their
 * destinations are, and the releases that read them. There is no key where that order is not known.
 */
export function capturedServices(place: WaypointPlace): ReadonlyMap<string, Captured> {
  const { registry, objects } = place;
  const out = new Map<string, Captured>();
  let known: ByHost | undefined;
  for (const service of registry.services) {
    const around = registry.namespaces.get(service.namespace);
    const holder = Object.hasOwn(service.source.labels, USE) ? service.source : around;
    const name = nameIn(holder, USE);
    if (holder === undefined || name === "") continue;
    const waypoint = { name, namespace: holder.labels[`${USE}-namespace`] || service.namespace };
    const gateway = objects.find(waypoint.namespace, waypoint.name);
    if (gateway !== undefined && !objects.isWaypoint(gateway)) continue;
    known ??= byHost(place);
    const second = Object.hasOwn(service.source.labels, CANARY) ? service.source : around;
    const canary = { name: nameIn(second, CANARY), namespace: second?.labels[`${CANARY}-namespace`] || service.namespace };
    const waypoints = canary.name === "" ? [waypoint] : [waypoint, canary];
    const { routes, others } = actingOn(service, waypoints.map((each) => each.name), place, known);
    const key = keyOf(service, routes, others, place, known);
    const settings = {
      waypoints: waypoints.map((each) => ({ ...each, spec: objects.find(each.namespace, each.name)?.spec ?? null, for: objects.find(each.namespace, each.name)?.labels[FOR] ?? null })),
      weight: canary.name === "" ? null : (service.source.annotations[WEIGHT] ?? around?.annotations[WEIGHT] ?? null),
    };
    out.set(service.host, {
      reason: `requests for the service may pass the waypoint \`${waypoint.namespace}/${name}\`, which is not modelled`,
      where: { object: holder.title, path: `metadata.labels["${USE}"]` },
      ...(key === undefined ? {} : { key: `waypoint ${canonical({ settings, key })}` }),
      ...(routes.length + others.length === 0 ? {} : { mayRoute: true }),
      fromGateways: yes.has(service.source.labels[INGRESS] ?? around?.labels[INGRESS]),
    });
  }
  return out;
}

/** The waypoint that a label names; empty where it names none. */
function nameIn(holder: Named | undefined, label: string): string {
  const name = holder?.labels[label] ?? "";
  return name.toLowerCase() === "none" ? "" : name;
}

/** What is looked up for every service: objects that name hosts, by host. */
interface ByHost {
  virtualServices(host: string): readonly Named[];
  destinationRules(host: string): readonly Named[];
  services(host: string): readonly Service[];
  /** Grants as text: which of them counts is not looked at. */
  readonly grants: readonly string[];
}

function byHost({ registry: { virtualServices, destinationRules, services, domain }, objects }: WaypointPlace): ByHost {
  const byName = Map.groupBy(services, ({ host }) => host);
  return {
    virtualServices: finder(virtualServices, domain, ({ spec }) => textsAt(spec, "hosts")),
    destinationRules: finder(destinationRules, domain, ({ spec }) => [textAt(spec, "host")]),
    services: (host) => byName.get(host) ?? [],
    grants: objects.grants.map((grant) => canonical(written(grant))).sort(),
  };
}

function finder(objects: readonly Named[], domain: string, hostsOf: (object: Named) => readonly string[]): (host: string) => readonly Named[] {
  const exact = new Map<string, Named[]>();
  const wild: (readonly [host: string, object: Named])[] = [];
  for (const object of objects) {
    for (const written of hostsOf(object)) {
      const host = fullName(written.toLowerCase(), object.namespace, domain);
      if (isWildcard(host)) wild.push([host, object]);
      else exact.set(host, [...(exact.get(host) ?? []), object]);
    }
  }
  return (host) => {
    const found = isWildcard(host) ? [...exact].filter(([one]) => overlap(one, host)).flatMap(([, own]) => own) : (exact.get(host) ?? []);
    return [...new Set([...found, ...wild.filter(([one]) => overlap(one, host)).map(([, object]) => object)])].sort(byAge);
  };
}

interface Acting {
  /** What routes there, the oldest first; with the delegates of what delegates. */
  readonly routes: readonly Named[];
  readonly others: readonly Named[];
}

/** The objects by which a waypoint may treat requests for a service in a way of its own. */
function actingOn(service: Service, waypoints: readonly string[], { registry, objects }: WaypointPlace, known: ByHost): Acting {
  const isParent = (route: Named): boolean => listAt(route.spec, "parentRefs").some((parent) => [service.source.name, ...waypoints].includes(textAt(parent, "name")));
  // What selects pods by their labels is for sidecars and gateways.
  const isAim = (target: unknown): boolean => textAt(target, "kind") === "GatewayClass" || [service.source.name, ...waypoints].includes(textAt(target, "name"));
  const isAimed = ({ spec }: Named): boolean => [at(spec, "targetRef"), ...listAt(spec, "targetRefs")].some(isAim);
  const roots = [...objects.routes.filter(isParent), ...known.virtualServices(service.host)].sort(byAge);
  const delegates = new Set(roots.flatMap((root) => listAt(root.spec, "http").map((rule) => ({ root, delegate: at(rule, "delegate") }))).filter(({ delegate }) => isObject(delegate)).map(({ root, delegate }) => `${textAt(delegate, "namespace") || root.namespace}/${textAt(delegate, "name")}`));
  return {
    routes: [...roots, ...(delegates.size === 0 ? [] : registry.virtualServices.filter(({ namespace, name }) => delegates.has(`${namespace}/${name}`)).sort(byAge))],
    others: [...known.destinationRules(service.host), ...registry.filters.filter(isAimed)],
  };
}

/** Of an object what decides; its name does only where another object names it. */
function written({ kind, namespace, spec }: Named): Json {
  return { kind, namespace, spec };
}

/** Undefined where it is not known what is the case: such a place is like no other. */
function keyOf(service: Service, routes: readonly Named[], others: readonly Named[], { registry, policies, istio, envoy }: WaypointPlace, known: ByHost): Json {
  const isOrderOpen = routes.length > 1 && routes.some(({ created }) => created === undefined);
  const readings = versionReadings(istio, envoy, usesIn(routes));
  const hosts = [...new Set([service.host, ...routes.flatMap((route) => hostsNamedIn(route, registry.domain))])].sort();
  if (isOrderOpen || hosts.some((host) => policies.has(host) && policies.get(host)?.key === undefined)) return undefined;
  const { retries, pathNormalization, trustedProxies, destinationRuleExportTo, serviceExportTo, virtualServiceExportTo } = registry.mesh;
  return {
    routes: routes.map(written),
    others: others.map((one) => canonical(written(one))).sort(),
    ...(routes.length === 0 ? {} : {
      istiod: minorOf(istio) ?? null,
      // Several where the release is not known: taken for the same one in every place of which that holds.
      readings: readings.map(({ istiod, http }) => ({ istiod, http })),
      mesh: { retries: retries ?? null, pathNormalization, trustedProxies, destinationRuleExportTo, serviceExportTo, virtualServiceExportTo },
      grants: known.grants,
      destinations: hosts.map((host) => ({
        host,
        services: known.services(host).map(({ kubernetes, ports, passesOn, exportTo, alias, namespace }) => ({ kubernetes, ports: ports.map(({ number, protocol }) => ({ number, protocol })), passesOn, exportTo, alias: alias ?? null, namespace })),
        rules: known.destinationRules(host).map(written),
        policy: policies.get(host)?.key ?? null,
      })),
    }),
  };
}

/** What releases may read differently, told by the words that stand in the objects: too much rather than too little. */
function usesIn(routes: readonly Named[]): { headers: boolean; regexes: boolean; mirrors: boolean } {
  const words = new Set<string>();
  const look = (value: Json): void => {
    if (Array.isArray(value)) value.forEach(look);
    else if (isObject(value)) {
      for (const [key, inner] of Object.entries(value)) {
        words.add(key);
        if (key === "type" && typeof inner === "string") words.add(inner);
        look(inner);
      }
    }
  };
  for (const { spec } of routes) look(spec);
  const has = (...some: readonly string[]): boolean => some.some((word) => words.has(word));
  return { headers: has("headers", "withoutHeaders"), regexes: has("regex", "uriRegexRewrite", "RegularExpression"), mirrors: has("mirror", "mirrors", "requestMirror") };
}

/** Full names of the hosts that a route leads to. */
function hostsNamedIn({ spec, namespace }: Named, domain: string): readonly string[] {
  const out: string[] = [];
  const look = (value: Json): void => {
    if (Array.isArray(value)) return value.forEach(look);
    if (!isObject(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "backendRefs" || key === "backendRef") {
        for (const ref of Array.isArray(inner) ? inner : [inner]) out.push(`${textAt(ref, "name")}.${textAt(ref, "namespace") || namespace}.svc.${domain}`);
      } else if (textAt(inner, "host") !== "") out.push(fullName(textAt(inner, "host").toLowerCase(), namespace, domain));
      look(inner);
    }
  };
  look(spec);
  return out;
}
