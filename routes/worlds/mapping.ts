/**
 * One place in the words of another: hosts and gateways renamed, parts of actions left out.
 *
 * @module
 */

import type { Action, Backend, Chain, Condition, Destination, GatewayView, HeaderMatch, HttpTable, Listener, Mirror, Reading, RouteWorld, Rule, Unmodelled, View, ViewTable, VirtualHost } from "../decide/model.ts";
import { standIn } from "../decide/stand-ins.ts";

/** Names of one place and the common ones. A host that begins with a dot is a suffix; a gateway may end in `:PORT`. */
export interface Mapping {
  readonly hosts?: Readonly<Record<string, string>>;
  readonly gateways?: Readonly<Record<string, string>>;
}

/** Parts of an action that a comparison can leave out. */
export type Ignorable = "weights" | "timeout" | "retries" | "mirror" | "fault" | "cors" | "headers" | "trafficPolicy";

/** Two names of one place that a mapping makes one. */
export interface Conflict {
  readonly place: string;
  readonly names: readonly [string, string];
  readonly common: string;
}

/** A world with other names. The original is not changed. */
export function mapWorld(world: RouteWorld, mapping: Mapping, ignored: ReadonlySet<Ignorable>): { readonly world: RouteWorld; readonly conflicts: readonly Conflict[] } {
  if (Object.keys(mapping.hosts ?? {}).length + Object.keys(mapping.gateways ?? {}).length + ignored.size === 0) return { world, conflicts: [] };
  const mapper = new Mapper(world, mapping, ignored);
  return { world: mapper.world(world), conflicts: mapper.conflicts() };
}

class Mapper {
  private readonly place: string;
  private readonly hosts: readonly (readonly [string, string])[];
  private readonly gateways: readonly (readonly [string, string])[];
  private readonly ignored: ReadonlySet<Ignorable>;
  /** By common name, the names of the place. */
  private readonly hostNames = new Map<string, Set<string>>();
  private readonly gatewayNames = new Map<string, Set<string>>();
  private readonly actions = new Map<Action, Action>();
  /** Of addresses that stand for services of the place, those that stand for their common names. */
  private readonly addresses: ReadonlyMap<string, string>;

  constructor({ place, services }: RouteWorld, mapping: Mapping, ignored: ReadonlySet<Ignorable>) {
    this.place = place;
    this.hosts = Object.entries(mapping.hosts ?? {});
    this.gateways = Object.entries(mapping.gateways ?? {});
    this.ignored = ignored;
    this.addresses = new Map(Object.entries(services ?? {}).map(([address, { host }]) => [address, this.standIn(address, host)]));
  }

  world(world: RouteWorld): RouteWorld {
    const { services } = world;
    const views = world.views.map((table) => this.view(table));
    if (services === undefined) return { ...world, views };
    return { ...world, views, services: Object.fromEntries(Object.entries(services).map(([address, service]) => [this.addresses.get(address) ?? address, { ...service, host: this.host(service.host) }])) };
  }

  private standIn(address: string, host: string): string {
    const common = this.host(host);
    return common === host ? address : standIn(common);
  }

  conflicts(): readonly Conflict[] {
    return [...this.hostNames, ...this.gatewayNames].flatMap(([common, names]) => {
      const [one, other] = [...names].sort();
      return one === undefined || other === undefined ? [] : [{ place: this.place, names: [one, other] as const, common }];
    });
  }

  view({ view, readings, ...rest }: ViewTable): ViewTable {
    return { ...rest, view: this.viewName(view), readings: readings.map((reading) => this.reading(reading)) };
  }

  private viewName(view: View): View {
    if (!("gateway" in view)) return view;
    for (const [from, to] of this.gateways) {
      const [name, port] = splitPort(from);
      if (name !== view.gateway || (port !== undefined && port !== view.port)) continue;
      const [common, commonPort] = splitPort(to);
      return this.notedGateway(view, { ...view, gateway: common, port: commonPort ?? view.port });
    }
    return this.notedGateway(view, view);
  }

  private notedGateway(own: GatewayView, common: GatewayView): View {
    note(this.gatewayNames, `${common.gateway}:${common.port}${common.tls ? " with TLS" : ""}`, `${own.gateway}:${own.port}`);
    return common;
  }

  private reading(reading: Reading): Reading {
    const { listener } = reading;
    return { ...reading, listener: { chains: listener.chains.map((chain) => this.chain(chain)), otherwise: this.end(listener.otherwise) } satisfies Listener };
  }

  private chain(chain: Chain): Chain {
    const { serverNames, destinations } = chain.when;
    const when = {
      ...chain.when,
      ...(serverNames === undefined ? {} : { serverNames: serverNames.map((name) => this.host(name)) }),
      ...(destinations === undefined ? {} : { destinations: destinations.map((range) => this.range(range)) }),
    };
    return { ...chain, when, then: this.end(chain.then) };
  }

  /** A range of one address, where that one stands for a service. */
  private range(range: string): string {
    const [address = "", length] = range.split("/");
    const common = this.addresses.get(address);
    return common === undefined ? range : length === undefined ? common : `${common}/${length}`;
  }

  private end(then: HttpTable | Action): HttpTable | Action {
    return then.type === "http" ? this.table(then) : this.action(then);
  }

  private table(table: HttpTable): HttpTable {
    return { ...table, virtualHosts: table.virtualHosts.map((host) => this.virtualHost(host)), otherwise: this.action(table.otherwise) };
  }

  private virtualHost(host: VirtualHost): VirtualHost {
    const domains = host.domains.map((domain) => {
      const common = this.host(domain);
      note(this.hostNames, common, domain);
      return common;
    });
    const left: Unmodelled[] = [];
    const rules = host.rules.map((rule) => this.rule(rule, left));
    const unmodelled = [...(host.unmodelled ?? []), ...left];
    return { ...host, domains, rules, ...(unmodelled.length === 0 ? {} : { unmodelled }) };
  }

  private rule(rule: Rule, left: Unmodelled[]): Rule {
    const when = this.condition(rule.when, () => left.push({ reason: "a test of the authority that is no whole name cannot be mapped to other hosts", where: rule.origin }));
    const action = this.action(rule.action);
    return when === rule.when && action === rule.action ? rule : { ...rule, when, action };
  }

  private condition(when: Condition, cannot: () => void): Condition {
    if (this.hosts.length === 0 || when.headers?.some(isOfAuthority) !== true) return when;
    const headers = when.headers.map((header): HeaderMatch => {
      if (!isOfAuthority(header) || header.match.kind === "any") return header;
      if (header.match.kind === "exact") return { ...header, match: { ...header.match, value: this.host(header.match.value) } };
      cannot();
      return header;
    });
    return { ...when, headers };
  }

  private action(action: Action): Action {
    const known = this.actions.get(action) ?? this.mapAction(action);
    this.actions.set(action, known);
    return known;
  }

  private mapAction(action: Action): Action {
    if (action.type === "redirect") {
      const mapped = action.authority === undefined ? action : { ...action, authority: this.host(action.authority) };
      return this.without(mapped, { fault: "fault", headers: "response" });
    }
    if (action.type === "respond") return this.without(action, { fault: "fault", headers: "response" });
    if (action.type !== "forward") return action;
    const mirrors = action.mirrors?.map((mirror): Mirror => ({ ...mirror, host: this.host(mirror.host) }));
    const mapped = { ...action, destinations: action.destinations.map((share) => this.destination(share)), ...(mirrors === undefined ? {} : { mirrors }) };
    return this.without(mapped, { timeout: "timeout", retries: "retries", mirror: "mirrors", fault: "fault", cors: "cors" });
  }

  private destination(share: Destination): Destination {
    const weight = this.ignored.has("weights") && share.weight > 0 ? 1 : share.weight;
    const plain = this.ignored.has("headers") ? omit(omit(share, "request"), "response") : share;
    if ("invalid" in plain) return { ...plain, weight };
    const { authority } = plain;
    const mapped: Backend = { ...plain, weight, host: this.host(plain.host), ...(authority === undefined ? {} : { authority: this.host(authority) }) };
    return this.ignored.has("trafficPolicy") ? omit(mapped, "policy") : mapped;
  }

  private without<T extends object>(action: T, fields: Partial<Record<Ignorable, string>>): T {
    let left = action;
    for (const [part, field] of Object.entries(fields)) if (isIgnorable(part) && this.ignored.has(part)) left = omit(left, field);
    return left;
  }

  /** The common name of a host, with a star or a port as it was. */
  private host(name: string): string {
    for (const [from, to] of this.hosts) {
      if (from.startsWith(".")) {
        const [plain, port] = cutPort(name);
        if (plain.endsWith(from)) return plain.slice(0, -from.length) + to + port;
      } else {
        const [plain, port] = cutPort(name);
        if (plain === from) return to + port;
      }
    }
    return name;
  }
}

function note(names: Map<string, Set<string>>, common: string, own: string): void {
  const known = names.get(common) ?? new Set();
  names.set(common, known.add(own));
}

function splitPort(name: string): readonly [name: string, port: number | undefined] {
  const found = /^(.*):(\d+)$/.exec(name);
  return found === null ? [name, undefined] : [found[1] ?? "", Number(found[2])];
}

function cutPort(name: string): readonly [plain: string, port: string] {
  const colon = name.lastIndexOf(":");
  return colon < 0 || !/^:\d+$/.test(name.slice(colon)) ? [name, ""] : [name.slice(0, colon), name.slice(colon)];
}

const ignorables: ReadonlySet<string> = new Set<Ignorable>(["weights", "timeout", "retries", "mirror", "fault", "cors", "headers", "trafficPolicy"]);

function isIgnorable(part: string): part is Ignorable {
  return ignorables.has(part);
}

function isOfAuthority({ name }: HeaderMatch): boolean {
  return name === ":authority" || name === "host";
}

/** The object without a field; itself where it has none. */
function omit<T extends object>(from: T, field: string): T {
  if (!Object.hasOwn(from, field)) return from;
  const copy = { ...from };
  Reflect.deleteProperty(copy, field);
  return copy;
}
