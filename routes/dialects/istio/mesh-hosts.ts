import type { Origin, Rule, Unmodelled, VirtualHost } from "../../decide/model.ts";
import { alternativeNames, namespaceIn } from "./hosts.ts";
import { textAt } from "./json.ts";
import type { Place } from "./place.ts";
import { add, type Service } from "./registry.ts";

/**
 * The virtual hosts of a sidecar's route table.
 *
 * Clients of different namespaces know a service by different short names; all else is the same for all of them. So the virtual hosts
 * are made once, for a client of a namespace that no service is of, and for any other client only those that it knows by other names:
 * unless a name was left out because it was taken, or would be now. Then all are made anew.
 *
 * @module
 */

/** Routes and the hosts and services that they are for (networking/core/route/route.go `VirtualHostWrapper`). */
export interface Wrapper {
  readonly hosts: readonly string[];
  readonly services: readonly Service[];
  readonly rules: readonly Rule[];
  readonly unmodelled: readonly Unmodelled[];
  readonly untried: readonly Origin[];
  readonly isImplicit?: boolean;
}

/** A service among the virtual hosts. */
interface Spot {
  readonly at: number;
  readonly service: Service;
  /** Its host and those of services that are other names of it. */
  readonly all: readonly string[];
}

/** Virtual hosts, and what it takes to make those of another client of them. */
export interface Hosts {
  readonly list: readonly VirtualHost[];
  /** All domains, in lower case. */
  readonly taken: ReadonlySet<string>;
  /** Some name was left out. */
  readonly isShort: boolean;
  /** By the namespace whose clients know them by other names. */
  readonly spots: ReadonlyMap<string, readonly Spot[]>;
}

/** By wrappers, which belong to one place and port, then by filters. */
const common = new WeakMap<readonly Wrapper[], Map<string, Hosts>>();

/** The virtual hosts for a client of a namespace; `filters` act on all of them. */
export function meshHosts(place: Place, namespace: string, wrappers: readonly Wrapper[], services: ReadonlyMap<string, Service>, filters: readonly Unmodelled[]): readonly VirtualHost[] {
  let own = common.get(wrappers);
  if (own === undefined) common.set(wrappers, (own = new Map()));
  const key = filters.map(({ where }) => where?.object ?? "").join("\n");
  const base = own.get(key) ?? makeHosts(place, undefined, wrappers, services, filters);
  own.set(key, base);
  return adapted(place, namespace, base) ?? makeHosts(place, namespace, wrappers, services, filters).list;
}

/** The virtual hosts of `base` with the names that clients of a namespace know; undefined where that needs a closer look. */
function adapted(place: Place, namespace: string, base: Hosts): readonly VirtualHost[] | undefined {
  if (base.isShort) return undefined;
  const spots = base.spots.get(namespace) ?? [];
  if (spots.length === 0) return base.list;
  const list = [...base.list];
  const fresh = new Set<string>();
  for (const { at, service, all } of spots) {
    const host = list[at];
    if (host === undefined) return undefined;
    const domains = domainsOf(service, all, namespace, place.registry.domain);
    const before = host.domains.map((domain) => domain.toLowerCase());
    const own = new Set<string>();
    for (const domain of domains) {
      const name = domain.toLowerCase();
      if (own.has(name) || (!before.includes(name) && (base.taken.has(name) || fresh.has(name)))) return undefined;
      own.add(name);
    }
    for (const name of own) fresh.add(name);
    list[at] = place.memory.host({ ...host, domains });
  }
  return list;
}

/** All virtual hosts for a client of a namespace, made anew; without one, of a namespace that no service is of. */
export function makeHosts(place: Place, namespace: string | undefined, wrappers: readonly Wrapper[], services: ReadonlyMap<string, Service>, filters: readonly Unmodelled[]): Hosts {
  const { domain: clusterDomain, captured } = place.registry;
  const taken = new Set<string>();
  const full = new Set(wrappers.flatMap((wrapper) => wrapper.services.map((service) => service.host)));
  const names = new Set<string>();
  const aliases = [...services.values()].filter((service) => service.alias !== undefined);
  const list: VirtualHost[] = [];
  const spots = new Map<string, Spot[]>();
  let isShort = false;
  /** False where no domain is left. */
  const put = (name: string, domains: readonly string[], isAlternative: (domain: string) => boolean, wrapper: Wrapper): boolean => {
    if (names.has(name)) {
      isShort = true;
      return false;
    }
    names.add(name);
    // A short form of one service must not take the full name of another (httproute.go `dedupeDomains`).
    const own = domains.filter((domain) => !taken.has(domain.toLowerCase()) && !(full.has(domain) && isAlternative(domain)) && taken.add(domain.toLowerCase()).size > 0);
    isShort ||= own.length < domains.length;
    const capture = captured.get(name);
    if (own.length === 0) return false;
    list.push(place.memory.host(hostOf(own, wrapper, [...filters, ...wrapper.unmodelled, ...(capture === undefined ? [] : [capture])])));
    return true;
  };
  for (const wrapper of wrappers) {
    for (const host of wrapper.hosts) put(host.toLowerCase(), [host.toLowerCase()], () => false, wrapper);
    for (const service of wrapper.services) {
      const all = aliases.length === 0 ? [service.host] : [service.host, ...aliases.filter((other) => other.alias === service.host).map((other) => other.host)];
      const isAlternative = (domain: string): boolean => all.some((host) => alternativeNames(host, namespace, clusterDomain).includes(domain));
      if (!put(service.host, domainsOf(service, all, namespace, clusterDomain), isAlternative, wrapper)) continue;
      for (const near of new Set(all.map((host) => namespaceIn(host, clusterDomain)))) if (near !== undefined) add(spots, near, { at: list.length - 1, service, all });
    }
  }
  return { list, taken, isShort, spots };
}

function hostOf(domains: readonly string[], { rules, untried, isImplicit }: Wrapper, unmodelled: readonly Unmodelled[]): VirtualHost {
  if (unmodelled.length + untried.length === 0 && isImplicit !== true) return { domains, rules };
  return { domains, rules, ...(unmodelled.length === 0 ? {} : { unmodelled }), ...(untried.length === 0 ? {} : { untried }), ...(isImplicit === true ? { isImplicit } : {}) };
}

/** The domains of a service. */
function domainsOf(service: Service, all: readonly string[], namespace: string | undefined, domain: string): readonly string[] {
  const domains: string[] = [];
  for (const host of all) domains.push(host, ...alternativeNames(host, namespace, domain));
  const headless = service.kubernetes && service.addresses.length === 0 && service.alias === undefined && textAt(service.source.spec, "clusterIP") === "None";
  if (headless) domains.push(...domains.map((one) => `*.${one}`));
  if (service.isByName) return domains;
  for (const address of service.addresses) if (address !== "0.0.0.0") domains.push(address.includes(":") && !address.includes("/") ? `[${address}]` : address);
  return domains;
}
