import type { Origin, Rule, Unmodelled, VirtualHost } from "../../decide/model.ts";
import { isSame } from "../../decide/same.ts";
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
  const list = base.list.slice();
  const fresh = new Set<string>();
  for (const { at, service, all } of spots) {
    const host = list[at];
    if (host === undefined) return undefined;
    const domains = domainsOf(place, service, all, namespace);
    for (const domain of domains) {
      const name = domain.toLowerCase();
      if (fresh.has(name) || (base.taken.has(name) && !isNamed(host, name))) return undefined;
      fresh.add(name);
    }
    list[at] = place.memory.host({ ...host, domains });
  }
  return list;
}

function isNamed({ domains }: VirtualHost, name: string): boolean {
  for (const domain of domains) if (domain.toLowerCase() === name) return true;
  return false;
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
  const put = (name: string, domains: readonly string[], all: readonly string[], wrapper: Wrapper): boolean => {
    if (names.has(name)) {
      isShort = true;
      return false;
    }
    names.add(name);
    let left: string[] | undefined;
    for (let at = 0; at < domains.length; at++) {
      const domain = domains[at] ?? "", key = domain.toLowerCase();
      // A short form of one service must not take the full name of another (httproute.go `dedupeDomains`).
      if (taken.has(key) || (full.has(domain) && isAlternative(domain, all, namespace, clusterDomain))) left ??= domains.slice(0, at);
      else {
        taken.add(key);
        left?.push(domain);
      }
    }
    isShort ||= left !== undefined;
    if (left?.length === 0 || domains.length === 0) return false;
    list.push(place.memory.host(hostOf(left ?? domains, wrapper, unmodelledOf(filters, wrapper, captured.get(name)))));
    return true;
  };
  for (const wrapper of wrappers) {
    for (const host of wrapper.hosts) put(host.toLowerCase(), [host.toLowerCase()], noNames, wrapper);
    for (const service of wrapper.services) {
      const all = aliases.length === 0 ? [service.host] : [service.host, ...aliases.filter((other) => other.alias === service.host).map((other) => other.host)];
      if (!put(service.host, domainsOf(place, service, all, namespace), all, wrapper)) continue;
      const spot = { at: list.length - 1, service, all };
      for (const near of nearTo(all, clusterDomain)) add(spots, near, spot);
    }
  }
  return { list, taken, isShort, spots };
}

const noNames: readonly string[] = [];

function isAlternative(domain: string, all: readonly string[], namespace: string | undefined, clusterDomain: string): boolean {
  return all.some((host) => host !== domain && alternativeNames(host, namespace, clusterDomain).includes(domain));
}

function unmodelledOf(filters: readonly Unmodelled[], { unmodelled }: Wrapper, capture: Unmodelled | undefined): readonly Unmodelled[] {
  if (filters.length === 0 && capture === undefined) return unmodelled;
  return [...filters, ...unmodelled, ...(capture === undefined ? [] : [capture])];
}

/** The namespaces whose clients know one of the hosts by its name alone. */
function nearTo(all: readonly string[], clusterDomain: string): readonly string[] {
  const [first = "", other] = all;
  const near = other === undefined ? namespaceIn(first, clusterDomain) : undefined;
  if (other === undefined) return near === undefined ? noNames : [near];
  return [...new Set(all.flatMap((host) => namespaceIn(host, clusterDomain) ?? []))];
}

function hostOf(domains: readonly string[], { rules, untried, isImplicit }: Wrapper, unmodelled: readonly Unmodelled[]): VirtualHost {
  if (unmodelled.length + untried.length === 0 && isImplicit !== true) return { domains, rules };
  return { domains, rules, ...(unmodelled.length === 0 ? {} : { unmodelled }), ...(untried.length === 0 ? {} : { untried }), ...(isImplicit === true ? { isImplicit } : {}) };
}

/** Names of one host that are kept apart; what is past that is made anew, which is never wrong. */
const MOST_NAMES = 64;

/** The domains of a service; one list for all clients that know it by the same names. */
function domainsOf(place: Place, service: Service, all: readonly string[], namespace: string | undefined): readonly string[] {
  const { domain } = place.registry;
  const { host } = service;
  const addresses = service.isByName ? noNames : service.addresses;
  const isHeadless = service.kubernetes && service.addresses.length === 0 && service.alias === undefined && textAt(service.source.spec, "clusterIP") === "None";
  if (all.length > 1) return makeDomains(addresses, isHeadless, all, namespace, domain);
  const isNear = namespace !== undefined && namespaceIn(host, domain) === namespace;
  const known = place.memory.names(host);
  for (const one of known) if (one.isNear === isNear && one.isHeadless === isHeadless && isSame(one.addresses, addresses)) return one.domains;
  const domains = makeDomains(addresses, isHeadless, all, namespace, domain);
  if (known.length < MOST_NAMES) known.push({ isNear, isHeadless, addresses, domains });
  return domains;
}

function makeDomains(addresses: readonly string[], isHeadless: boolean, all: readonly string[], namespace: string | undefined, domain: string): readonly string[] {
  const domains: string[] = [];
  for (const host of all) domains.push(host, ...alternativeNames(host, namespace, domain));
  if (isHeadless) domains.push(...domains.map((one) => `*.${one}`));
  for (const address of addresses) if (address !== "0.0.0.0") domains.push(address.includes(":") && !address.includes("/") ? `[${address}]` : address);
  return domains;
}
