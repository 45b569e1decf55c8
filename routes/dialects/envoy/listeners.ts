import { addressRank, mostSpecific } from "../../decide/chains.ts";
import type { Action, Chain, ChainMatch, Unmodelled } from "../../decide/model.ts";
import { isObject, type Json } from "../istio/json.ts";
import { connectionOf } from "./actions.ts";
import type { ClusterReading } from "./clusters.ts";
import type { DumpMemory } from "./memory.ts";
import { field, flag, known, list, message, number, text, texts, typeOf } from "./fields.ts";
import { Notes, type Where } from "./notes.ts";
import { tableOf, touchedBy, type UnreadTable } from "./tables.ts";

/** A filter chain before it is read as some release of Envoy does. */
export interface UnreadChain {
  readonly when: ChainMatch;
  readonly then: UnreadTable | Action;
  readonly origin: Where;
  readonly isImplicit?: true;
}

/** A listener, read. */
export interface ReadListener {
  readonly name: string;
  /** Left out: a pipe. */
  readonly address: string;
  readonly port: number;
  readonly chains: readonly UnreadChain[];
  /** The chain for connections that no other takes. */
  readonly fallback: UnreadChain | undefined;
  readonly unmodelled: readonly Unmodelled[];
  /** Takes all connections of a pod that no other listener takes (`use_original_dst`). */
  readonly isCatchAll: boolean;
  readonly isInbound: boolean;
}

/** What listeners refer to. */
export interface Resources {
  readonly routes: ReadonlyMap<string, Json>;
  readonly extensions: ReadonlyMap<string, Json>;
  readonly clusters: ClusterReading;
  readonly memory: DumpMemory;
}

/** The same, for the chains of one listener. */
interface ListenerResources extends Resources {
  readonly port: number;
}

const HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TCP = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
/** Network filters that count and tell who talks. */
const inert = /^(?:envoy\.tcp\.metadataexchange\.config\.MetadataExchange|stats\.PluginConfig|istio\.stats\.PluginConfig|envoy\.extensions\.filters\.network\.connection_limit\.v3\.ConnectionLimit)$/;
const inspectors = /^envoy\.extensions\.filters\.listener\.(?:tls_inspector|http_inspector|original_dst|proxy_protocol)\.v3\./;

const TLS = "envoy.extensions.transport_sockets.tls.v3.", PLAIN = "envoy.extensions.transport_sockets.raw_buffer.v3.";

const listenerFields = known(`name address additional_addresses stat_prefix filter_chains use_original_dst default_filter_chain
  per_connection_buffer_limit_bytes metadata drain_type listener_filters listener_filters_timeout continue_on_listener_filters_timeout
  transparent freebind socket_options tcp_fast_open_queue_length traffic_direction connection_balance_config reuse_port enable_reuse_port
  access_log tcp_backlog_size max_connections_to_accept_per_socket_event bind_to_port enable_mptcp ignore_global_conn_limit
  bypass_overload_manager`);
const chainFields = known("filter_chain_match filters transport_socket transport_socket_connect_timeout name metadata use_proxy_proto");
/** Of a proxy of connections: where it leads, and what has no say in that. */
const tcpFields = known(`stat_prefix cluster weighted_clusters idle_timeout upstream_idle_timeout downstream_idle_timeout access_log access_log_options
  max_connect_attempts max_downstream_connection_duration`);
const tcpShareFields = known("name weight");
const matchFields = known("destination_port prefix_ranges server_names transport_protocol application_protocols source_type source_prefix_ranges source_ports");

/** Reads a listener. `where` names it. */
export function readListener(listener: Json, shared: Resources, isWarming = false): ReadListener {
  const name = text(listener, "name"), socket = message(message(listener, "address"), "socket_address");
  const resources = { ...shared, port: number(socket, "port_value") ?? 0 };
  const where = { object: `Listener ${name.slice(0, 160)}`, path: "" };
  const notes = new Notes();
  notes.unknown(listener, listenerFields, where, "listener");
  const ports = list(listener, "additional_addresses").map((one) => number(message(message(one, "address"), "socket_address"), "port_value") ?? 0);
  if (ports.some((port) => port !== resources.port)) notes.add("a listener on several ports is not modelled", where, ports);
  if (isWarming) notes.add("the listener is not served yet: it waits for what it needs", where, undefined, true);
  for (const filter of list(listener, "listener_filters")) {
    const type = typeOf(field(filter, "typed_config"));
    if (!inspectors.test(type)) notes.add(`the listener filter \`${(type || text(filter, "name")).slice(0, 80)}\` is not modelled`, where, filter);
  }
  const twice = twiceMatched(list(listener, "filter_chains"), () => notes.add(`chains with more than ${MOST_MATCHES} combinations of matches are not compared with each other`, where, list(listener, "filter_chains")));
  if (hasRivals(list(listener, "filter_chains"))) notes.add("a chain for all addresses (a range of length 0) beside one that asks for none: which of them Envoy takes is not defined", where, list(listener, "filter_chains"));
  const invalid = { type: "invalid" as const, reason: `two chains of one listener have the same match: ${twice}` };
  const chains = twice !== undefined ? [{ when: {}, then: invalid, origin: where }] : list(listener, "filter_chains").flatMap((chain, index) => chainOf(chain, resources, { ...where, path: `filter_chains[${index}]` }, notes) ?? []);
  const otherwise = field(listener, "default_filter_chain");
  const fallback = otherwise === undefined ? undefined : chainOf(otherwise, resources, { ...where, path: "default_filter_chain" }, notes);
  // The client is looked at after the transport: a plain connection that reaches a chain of TLS finds no other.
  if (chains.some(({ when }) => isForSome(when)) && list(listener, "filter_chains").some(endsTlsUnasked) && !list(listener, "filter_chains").every(endsTlsUnasked)) notes.add("chains for some clients, of which some end TLS without a match on the transport, are not modelled", where, list(listener, "filter_chains"));
  // A chain for everything that speaks TLS alone ends every other connection.
  const isSecureAll = chains.some(({ when }) => when.transport === "tls" && when.serverNames === undefined && when.destinations === undefined && !isForSome(when));
  const left = notes.list();
  return {
    name, address: text(socket, "address"), port: resources.port,
    chains: chains.map((chain) => ({ ...chain, then: withNotes(chain.then, left) })),
    fallback: fallback === undefined || isSecureAll ? undefined : { ...fallback, then: withNotes(fallback.then, left) },
    unmodelled: left,
    isCatchAll: flag(listener, "use_original_dst"),
    isInbound: text(listener, "traffic_direction") === "INBOUND",
  };
}

/** What of a listener is not modelled touches every host behind it: which chain answers is not known. */
function withNotes(then: UnreadChain["then"], left: readonly Unmodelled[]): UnreadChain["then"] {
  return then.type === "http" ? touchedBy(left, then) : then;
}

/** Envoy keeps a range of all addresses and chains without any under one entry, and finds one of the two. */
function hasRivals(chains: readonly Json[]): boolean {
  return ["prefix_ranges", "source_prefix_ranges"].some((name) => {
    const ranges = chains.map((chain) => rangesIn(message(chain, "filter_chain_match"), name));
    return ranges.some((own) => own.some((range) => range.endsWith("/0"))) && ranges.some((own) => own.length === 0);
  });
}

/** Ends TLS, and is chosen for plain connections too. */
function endsTlsUnasked(chain: Json): boolean {
  return isSecured(chain) && text(message(chain, "filter_chain_match"), "transport_protocol") === "";
}

function isSecured(chain: Json): boolean {
  return typeOf(field(message(chain, "transport_socket"), "typed_config")).startsWith(TLS);
}

/** For some clients alone. */
function isForSome({ isLocal, sources, sourcePorts }: ChainMatch): boolean {
  return isLocal !== undefined || sources !== undefined || sourcePorts !== undefined;
}

/** Most combinations of what the chains of a listener match. */
const MOST_MATCHES = 200_000;

/** Two chains for one kind of connection: Envoy refuses their listener (filter_chain_manager_impl.cc `addFilterChains`). */
function twiceMatched(chains: readonly Json[], tooMany: () => void): string | undefined {
  const seen = new Set<string>();
  let left = MOST_MATCHES;
  for (const chain of chains) {
    const match = message(chain, "filter_chain_match");
    // What is not read here tells chains apart, too.
    const rest = Object.entries(match).filter(([name]) => !/^(?:(?:source_?)?prefix_?ranges|server_?names|application_?protocols|source_?ports)$/i.test(name)).sort(([a], [b]) => (a < b ? -1 : 1));
    const options = (name: string): readonly Json[] => (list(match, name).length === 0 ? [""] : list(match, name));
    const parts = ["prefix_ranges", "server_names", "application_protocols", "source_prefix_ranges", "source_ports"].map(options);
    left -= parts.reduce((product, { length }) => product * length, 1);
    if (left < 0) {
      tooMany();
      return undefined;
    }
    const all = parts.reduce<readonly (readonly Json[])[]>((made, part) => made.flatMap((before) => part.map((one) => [...before, one])), [[]]);
    for (const key of new Set(all.map((one) => JSON.stringify([one, rest])))) {
      if (seen.has(key)) return `${texts(match, "server_names").join(", ") || "any name"}`;
      seen.add(key);
    }
  }
  return undefined;
}

function chainOf(chain: Json, resources: ListenerResources, where: Where, notes: Notes): UnreadChain | undefined {
  notes.unknown(chain, chainFields, where, "chain");
  const match = message(chain, "filter_chain_match");
  const isSecure = isSecured(chain);
  const socket = field(chain, "transport_socket") === undefined ? PLAIN : typeOf(field(message(chain, "transport_socket"), "typed_config"));
  if (!socket.startsWith(TLS) && !socket.startsWith(PLAIN)) notes.add(`the transport socket \`${(socket || text(message(chain, "transport_socket"), "name")).slice(0, 80)}\` is not modelled`, where, field(chain, "transport_socket"));
  const when = whenOf(match, isSecure, where, notes);
  if (when === undefined) return undefined;
  return { when, then: thenOf(chain, isSecure, resources, where, notes), origin: where, ...(isOfService(chain) ? { isImplicit: true } : {}) };
}

/** What a chain asks of a connection; undefined where no client of a user ever satisfies it. */
function whenOf(match: Json, isSecure: boolean, where: Where, notes: Notes): ChainMatch | undefined {
  notes.unknown(match, matchFields, { ...where, path: `${where.path}.filter_chain_match` }, "chain match");
  const protocols = texts(match, "application_protocols");
  const transport = text(match, "transport_protocol");
  // Told apart are requests of HTTP in plain text; a name that is agreed upon inside TLS is not.
  if (protocols.length > 0 && !(transport === "raw_buffer" && protocols.includes("http/1.1"))) {
    if (protocols.every((protocol) => protocol.startsWith("istio"))) return undefined;
    notes.add("a chain for protocols that are agreed upon inside TLS is not modelled", where, match);
  }
  if (transport !== "" && transport !== "tls" && transport !== "raw_buffer") notes.add(`the transport \`${transport.slice(0, 40)}\` is not modelled`, where, match);
  const port = number(match, "destination_port");
  const ranges = rangesIn(match, "prefix_ranges"), sources = rangesIn(match, "source_prefix_ranges");
  const sourcePorts = list(match, "source_ports").filter((one) => typeof one === "number");
  const sourceType = text(match, "source_type");
  const names = texts(match, "server_names").map((name) => name.toLowerCase());
  return {
    ...(port === undefined ? {} : { destinationPort: port }),
    ...(ranges.length === 0 ? {} : { destinations: ranges }),
    ...(names.length === 0 ? {} : { serverNames: names }),
    ...(sourceType === "SAME_IP_OR_LOOPBACK" || sourceType === "EXTERNAL" ? { isLocal: sourceType !== "EXTERNAL" } : {}),
    ...(sources.length === 0 ? {} : { sources }),
    ...(sourcePorts.length === 0 ? {} : { sourcePorts }),
    // A name is told inside TLS only.
    ...(isSecure || transport === "tls" || (names.length > 0 && transport === "") ? { transport: "tls" as const } : transport === "raw_buffer" ? { transport: "raw_buffer" as const } : {}),
  };
}

function rangesIn(match: Json, name: string): readonly string[] {
  return list(match, name).map((range) => `${text(range, "address_prefix")}/${number(range, "prefix_len") ?? 0}`);
}

/** What the filters of a chain do: the last one routes. */
function thenOf(chain: Json, isSecure: boolean, resources: ListenerResources, where: Where, notes: Notes): UnreadTable | Action {
  const filters = list(chain, "filters");
  for (const [index, filter] of filters.entries()) {
    const config = field(filter, "typed_config"), type = typeOf(config);
    const here = { ...where, path: `${where.path}.filters[${index}]` };
    if (type === HTTP) return managed(config, isSecure, resources, here);
    if (type === TCP) {
      notes.unknown(config, tcpFields, here, "tcp proxy");
      for (const share of list(message(config, "weighted_clusters"), "clusters")) notes.unknown(share, tcpShareFields, here, "share");
      const action = connectionOf(config, resources.clusters);
      if (action !== undefined) return action;
    }
    if (!inert.test(type)) notes.add(`the network filter \`${(type || text(filter, "name")).slice(0, 80)}\` is not modelled`, here, config, type === TCP);
  }
  return { type: "close" };
}

function managed(config: Json, isSecure: boolean, { routes, clusters, memory, port, extensions }: ListenerResources, where: Where): ReturnType<typeof tableOf> {
  const inline = field(config, "route_config");
  const name = text(message(config, "rds"), "route_config_name");
  return tableOf({ manager: { config, isSecure, port, where, extensions }, routes: inline ?? routes.get(name), clusters, memory });
}

/** istiod's chain for a service as such: the counter is that of the service, which it leads to. */
function isOfService(chain: Json): boolean {
  const [proxy] = list(chain, "filters").map((filter) => field(filter, "typed_config")).filter((config) => typeOf(config) === TCP);
  const cluster = text(proxy, "cluster");
  return isObject(proxy) && cluster !== "" && text(proxy, "stat_prefix") === cluster;
}

/**
 * The chains of a listener on one address, beside those of other listeners on its port: of its chains those that the address reaches
 * the most specific, for that address alone; and behind them where its other connections go.
 */
export function chainsAt(listener: ReadListener): readonly UnreadChain[] {
  const destinations = [`${listener.address}/${listener.address.includes(":") ? 128 : 32}`];
  const isAll = ({ when }: { readonly when: ChainMatch }): boolean => when.destinations === undefined && when.serverNames === undefined && when.transport === undefined && !isForSome(when);
  const pseudo = listener.chains.map((chain): Chain => ({ when: chain.when, then: { type: "close" }, origin: chain.origin }));
  const reached = mostSpecific(pseudo.filter((chain) => !isAll(chain)), ({ destinations: wanted }) => (wanted === undefined ? 0 : addressRank(wanted, listener.address)));
  const own = listener.chains.filter((_, index) => reached.some((chain) => chain === pseudo[index]));
  const fallback = listener.chains.findLast(isAll) ?? { when: {}, then: listener.fallback?.then ?? { type: "close" as const }, origin: { object: `Listener ${listener.name}`, path: "default_filter_chain" }, isImplicit: true as const };
  return [...own.map((chain) => ({ ...chain, when: { ...chain.when, destinations } })), { ...fallback, when: { destinations } }];
}
