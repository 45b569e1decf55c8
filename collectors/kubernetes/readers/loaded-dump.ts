import { byText, digestOf, type JsonObject } from "#engine";
import { fieldsIn, listIn, textIn, type Fields } from "../fields.ts";

/**
 * What of an Envoy's dump is kept: all by which it routes, and of everything else a digest or nothing. Certificates, tokens and what
 * filters are configured with never leave this file; addresses and names of single pods are dropped, so that proxies that have loaded
 * the same give the same.
 */
export function keptOf(dump: unknown, workload: string): JsonObject {
  const parts = Map.groupBy(listIn(dump, "configs"), (config) => /envoy\.admin\.v3\.(\w+)ConfigDump$/.exec(textIn(config, "@type") ?? "")?.[1] ?? "");
  const all = (part: string, list: string, field: string): readonly Fields[] => (parts.get(part) ?? []).flatMap((config) => listIn(config, list)).map((entry) => fieldsIn(entry, field));
  const clusters = [...all("Clusters", "static_clusters", "cluster"), ...all("Clusters", "dynamic_active_clusters", "cluster")].flatMap((cluster) => textIn(cluster, "name") ?? []);
  const inState = (state: string, without = "none"): readonly Fields[] => (parts.get("Listeners") ?? []).flatMap((config) => listIn(config, "dynamic_listeners")).filter((one) => Object.keys(fieldsIn(one, without)).length === 0)
    .map((one) => fieldsIn(fieldsIn(one, state), "listener")).filter((listener) => textIn(listener, "name") !== undefined && textIn(listener, "traffic_direction") !== "INBOUND");
  const routes = [...all("Routes", "static_route_configs", "route_config"), ...all("Routes", "dynamic_route_configs", "route_config")].filter((table) => !/^(?:inbound\||InboundPassthroughCluster)/.test(textIn(table, "name") ?? ""));
  const refused = (part: string, list: string): readonly unknown[] => (parts.get(part) ?? []).flatMap((config) => listIn(config, list)).filter(isRefused);
  const node = (parts.get("Bootstrap") ?? []).map((config) => fieldsIn(fieldsIn(config, "bootstrap"), "node"))[0] ?? {};
  return plain({
    configs: [
      { "@type": type("Bootstrap"), bootstrap: { node: nodeOf(node, workload) } },
      { "@type": type("Clusters"), dynamic_active_clusters: [...new Set(clusters)].toSorted(byText).map((name) => ({ cluster: { name } })) },
      { "@type": type("Listeners"), dynamic_listeners: [...byName(inState("active_state")).map((listener) => ({ active_state: { listener: listenerOf(listener) } })), ...byName(inState("warming_state", "active_state")).map((listener) => ({ warming_state: { listener: listenerOf(listener) } })), ...refused("Listeners", "dynamic_listeners").map(refusal)] },
      { "@type": type("Routes"), dynamic_route_configs: [...byName(routes).map((table) => ({ route_config: tableOf(table) })), ...refused("Routes", "dynamic_route_configs").map(refusal)] },
    ],
  });
}

function type(part: string): string {
  return `type.googleapis.com/envoy.admin.v3.${part}ConfigDump`;
}

function byName(messages: readonly Fields[]): readonly Fields[] {
  return messages.toSorted((a, b) => byText(textIn(a, "name") ?? "", textIn(b, "name") ?? ""));
}

function isRefused(state: unknown): boolean {
  return Object.keys(fieldsIn(state, "error_state")).length > 0;
}

/** That it was refused, not why: the reason quotes the configuration. */
function refusal(state: unknown): Fields {
  const failed = fieldsIn(fieldsIn(state, "error_state"), "failed_configuration");
  return { name: textIn(state, "name") ?? textIn(failed, "name") ?? "", error_state: {} };
}

/** Who the proxy is, as far as it is the same for all pods of its workload. */
function nodeOf(node: Fields, workload: string): Fields {
  const metadata = fieldsIn(node, "metadata");
  const [role = ""] = (textIn(node, "id") ?? "").split("~");
  const namespace = textIn(metadata, "NAMESPACE") ?? "";
  return {
    id: `${role}~~${workload.replace(/^.*\//, "")}.${namespace}~`,
    metadata: { NAMESPACE: namespace, ...(textIn(metadata, "ISTIO_VERSION") === undefined ? {} : { ISTIO_VERSION: textIn(metadata, "ISTIO_VERSION") }) },
    user_agent_build_version: { version: fieldsIn(fieldsIn(node, "user_agent_build_version"), "version") },
  };
}

/** Fields of a message: some as they are, some read further, some that nobody needs, and of every other a digest. */
interface Message {
  readonly keep: ReadonlySet<string>;
  readonly drop: ReadonlySet<string>;
  readonly read: Readonly<Record<string, (value: unknown) => unknown>>;
}

function message(keep: string, drop: string, read: Message["read"] = {}): Message {
  return { keep: new Set(keep.split(/\s+/)), drop: new Set(drop.split(/\s+/)), read };
}

function kept(value: unknown, { keep, drop, read }: Message): Fields {
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(typeof value === "object" && value !== null ? value : {})) {
    const inner: unknown = Reflect.get(Object(value), name);
    const reader = Object.hasOwn(read, name) ? read[name] : undefined;
    if (reader !== undefined) out[name] = reader(inner);
    else if (keep.has(name)) out[name] = inner;
    else if (!drop.has(name)) out[name] = typeof inner === "boolean" || typeof inner === "number" ? inner : { sha256: digestOf(inner) };
  }
  return out;
}

const each = (read: (value: unknown) => unknown) => (value: unknown): unknown => (Array.isArray(value) ? value.map(read) : []);

const HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const READ: ReadonlySet<string> = new Set(["cors.v3.Cors", "cors.v3.CorsPolicy", "fault.v3.HTTPFault"].map((name) => `type.googleapis.com/envoy.extensions.filters.http.${name}`));

/** The configuration of a filter: whole where it routes, else its kind and a digest. */
function configOf(config: unknown): unknown {
  const kind = textIn(config, "@type") ?? "";
  if (READ.has(kind)) return config;
  const struct = textIn(config, "type_url");
  return { "@type": kind, ...(struct === undefined ? {} : { type_url: struct }), sha256: digestOf(config) };
}

/** By name of filter. */
function configsOf(configs: unknown): unknown {
  return Object.fromEntries(Object.keys(Object(configs)).map((name) => [name, configOf(Reflect.get(Object(configs), name))]));
}

const OPERATIONS = "request_headers_to_add request_headers_to_remove response_headers_to_add response_headers_to_remove";
const ACTION = message(
  `cluster cluster_header weighted_clusters cluster_not_found_response_code prefix_rewrite regex_rewrite host_rewrite_literal host_rewrite_header timeout
  retry_policy request_mirror_policies hash_policy max_stream_duration internal_redirect_policy hedge_policy append_x_forwarded_host auto_host_rewrite`,
  "max_grpc_timeout idle_timeout upgrade_configs",
);
const ROUTE = message(`name match redirect direct_response ${OPERATIONS}`, "decorator tracing stat_prefix", {
  metadata: (metadata) => ({ filter_metadata: { istio: { config: textIn(fieldsIn(fieldsIn(metadata, "filter_metadata"), "istio"), "config") ?? "" } } }),
  route: (action) => kept(action, ACTION),
  typed_per_filter_config: configsOf,
});
const HOST = message(`name domains require_tls retry_policy hedge_policy request_mirror_policies ${OPERATIONS}`, "metadata virtual_clusters include_request_attempt_count", {
  routes: each((route) => kept(route, ROUTE)), typed_per_filter_config: configsOf,
});
const TABLE = message(`name most_specific_header_mutations_wins request_mirror_policies ignore_port_in_host_matching ignore_path_parameters_in_path_matching ${OPERATIONS}`, "metadata validate_clusters max_direct_response_body_size_bytes", {
  virtual_hosts: each((host) => kept(host, HOST)), typed_per_filter_config: configsOf,
});

function tableOf(table: unknown): Fields {
  return kept(table, TABLE);
}

const FILTER = message("name disabled is_optional", "", { typed_config: configOf });
const MANAGER = message(
  "@type stat_prefix normalize_path merge_slashes path_with_escaped_slashes_action use_remote_address xff_num_trusted_hops common_http_protocol_options scheme_header_transformation",
  "codec_type tracing access_log access_log_options server_name stream_idle_timeout request_timeout drain_timeout delayed_close_timeout forward_client_cert_details set_current_client_cert_details proxy_100_continue upgrade_configs request_id_extension http_protocol_options http2_protocol_options internal_address_config",
  { rds: (rds) => ({ route_config_name: textIn(rds, "route_config_name") ?? "" }), route_config: tableOf, http_filters: each((filter) => kept(filter, FILTER)) },
);
const PROXY = message("@type stat_prefix cluster weighted_clusters", "access_log access_log_options idle_timeout max_connect_attempts");

function networkConfigOf(config: unknown): unknown {
  const kind = textIn(config, "@type");
  return kind === HTTP ? kept(config, MANAGER) : kind === TCP ? kept(config, PROXY) : configOf(config);
}

const NETWORK_FILTER = message("name", "", { typed_config: networkConfigOf });
const CHAIN = message("filter_chain_match name", "transport_socket_connect_timeout metadata", {
  filters: each((filter) => kept(filter, NETWORK_FILTER)),
  // That it speaks TLS, and nothing of its certificates.
  transport_socket: (socket) => ({ name: textIn(socket, "name") ?? "", typed_config: { "@type": textIn(fieldsIn(socket, "typed_config"), "@type") ?? "" } }),
});
const LISTENER = message("name address additional_addresses traffic_direction use_original_dst", "access_log metadata bind_to_port listener_filters_timeout continue_on_listener_filters_timeout max_connections_to_accept_per_socket_event connection_balance_config enable_reuse_port reuse_port per_connection_buffer_limit_bytes", {
  filter_chains: each((chain) => kept(chain, CHAIN)),
  default_filter_chain: (chain) => kept(chain, CHAIN),
  listener_filters: each((filter) => ({ name: textIn(filter, "name") ?? "", typed_config: { "@type": textIn(fieldsIn(filter, "typed_config"), "@type") ?? "" } })),
});

function listenerOf(listener: unknown): Fields {
  return kept(listener, LISTENER);
}

/** What JSON would write. */
function plain(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
