import { at, isObject, type Json, type JsonObject, listAt, numberAt, objectAt, textAt } from "../../../routes/dialects/istio/json.ts";

/** Names that the clusters of one listener get, so that listeners of many worlds live in one Envoy. */
export interface Naming {
  /** Put in front of every name: what one world lacks another may have. */
  readonly prefix: string;
  readonly certificate: { readonly cert: string; readonly key: string };
}

/** A listener that Envoy can serve on loopback, and what it leads to. */
export interface Servable {
  readonly listener: JsonObject;
  /** Names as the control plane gave them. */
  readonly clusters: { readonly http: ReadonlySet<string>; readonly tcp: ReadonlySet<string> };
  /** Generated routes by the names under which Envoy reports them. */
  readonly routes: ReadonlyMap<string, JsonObject>;
  /** Chains are chosen by the address that was asked for: connections must tell it. */
  readonly looksAtDestination: boolean;
}

/** Headers of the test itself, in requests and answers. */
export const ORACLE = { route: "x-oracle-route", cluster: "x-oracle-cluster", details: "x-oracle-details", random: "x-oracle-random" } as const;

const keptFilters: ReadonlySet<string> = new Set(["envoy.filters.http.fault", "envoy.filters.http.cors", "envoy.filters.http.jwt_authn", "envoy.filters.http.router"]);
const keptInspectors: ReadonlySet<string> = new Set(["envoy.filters.listener.tls_inspector", "envoy.filters.listener.http_inspector"]);
const HTTP = "envoy.filters.network.http_connection_manager";
const TCP = "envoy.filters.network.tcp_proxy";

/**
 * A generated listener, made servable without a mesh around it. Routing stays as it is; what changes:
 *
 * - the address, the certificate, and filters that only Istio's own build of Envoy has (telemetry, ALPN);
 * - route tables stand in the listener instead of being fetched; routes and clusters get names that are unique in one Envoy;
 * - faults of a share of the requests do not happen;
 * - answers tell the matched route and the cluster, and weighted choices are made by a number in the request.
 */
export function servable(listener: Json, tables: readonly Json[], naming: Naming): Servable {
  const clusters = { http: new Set<string>(), tcp: new Set<string>() };
  const routes = new Map<string, JsonObject>();
  const chain = (value: Json): Json => {
    if (!isObject(value)) return undefined;
    const filters = listAt(value, "filters").flatMap((filter) => {
      const name = textAt(filter, "name"), config = objectAt(filter, "typed_config");
      if (name === HTTP) return [{ name, typed_config: connectionManager(config, tables, { naming, clusters: clusters.http, routes }) }];
      return name === TCP ? [{ name, typed_config: tcpProxy(config, naming, clusters.tcp) }] : [];
    });
    const { transport_socket: secure, ...rest } = value;
    return { ...rest, filters, ...(secure === undefined ? {} : { transport_socket: ownCertificate(naming) }) };
  };
  const looksAtDestination = /"(prefix_ranges|destination_port|source_prefix_ranges|source_ports|source_type)"/.test(JSON.stringify(listAt(listener, "filter_chains")));
  const inspectors = listAt(listener, "listener_filters").filter((filter) => keptInspectors.has(textAt(filter, "name")));
  const proxyProtocol = { name: "proxy_protocol", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol" } };
  const fallback = chain(at(listener, "default_filter_chain"));
  return {
    clusters,
    routes,
    looksAtDestination,
    listener: {
      "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
      name: naming.prefix,
      address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
      filter_chains: listAt(listener, "filter_chains").map(chain),
      ...(fallback === undefined ? {} : { default_filter_chain: fallback }),
      listener_filters: [...(looksAtDestination ? [proxyProtocol] : []), ...inspectors],
      listener_filters_timeout: "2s",
      continue_on_listener_filters_timeout: true,
      traffic_direction: at(listener, "traffic_direction"),
    },
  };
}

interface Target {
  readonly naming: Naming;
  readonly clusters: Set<string>;
  readonly routes: Map<string, JsonObject>;
}

function connectionManager(config: JsonObject, tables: readonly Json[], target: Target): JsonObject {
  const { rds, tracing: _tracing, access_log: _log, http_filters: filters, route_config: inline, ...rest } = config;
  const name = textAt(rds, "route_config_name");
  const table = inline ?? tables.find((candidate) => textAt(candidate, "name") === name);
  return {
    ...rest,
    // A connection that is over is closed at once: the client waits for it.
    delayed_close_timeout: "0s",
    http_filters: (Array.isArray(filters) ? filters : []).filter((filter) => keptFilters.has(textAt(filter, "name"))),
    route_config: isObject(table) ? routeTable(table, target) : { name: "absent", virtual_hosts: [] },
    local_reply_config: { mappers: [{ filter: { status_code_filter: { comparison: { op: "GE", value: { default_value: 0, runtime_key: "oracle.never" } } } }, headers_to_add: [told(ORACLE.details, "%RESPONSE_CODE_DETAILS%"), told(ORACLE.route, "%ROUTE_NAME%")] }] },
  };
}

function routeTable(table: JsonObject, { naming, clusters, routes }: Target): JsonObject {
  const { virtual_hosts: hosts, ...rest } = table;
  return {
    ...rest,
    validate_clusters: false,
    response_headers_to_add: [...listAt(table, "response_headers_to_add"), told(ORACLE.route, "%ROUTE_NAME%"), told(ORACLE.cluster, "%UPSTREAM_CLUSTER_RAW%")],
    virtual_hosts: (Array.isArray(hosts) ? hosts : []).map((host: Json, index) => ({
      ...(isObject(host) ? host : {}),
      routes: listAt(host, "routes").map((route) => {
        const generated = isObject(route) ? route : {};
        const name = `h${index}.${routes.size}`;
        routes.set(name, generated);
        const filters = generated["typed_per_filter_config"];
        return { ...generated, name, ...(isObject(filters) ? { typed_per_filter_config: withoutChance(filters) } : {}), ...(isObject(generated["route"]) ? { route: routeAction(generated["route"], naming, clusters) } : {}) };
      }),
    })),
  };
}

const FAULT = "envoy.filters.http.fault";
const wholes: ReadonlyMap<string, number> = new Map([["HUNDRED", 100], ["TEN_THOUSAND", 10_000], ["MILLION", 1_000_000]]);

/** Aborts of a share of the requests happen by chance: they are compared as they were generated, and never happen. Those of all requests stay. */
function withoutChance(filters: JsonObject): JsonObject {
  const fault = objectAt(filters, FAULT);
  const share = objectAt(objectAt(fault, "abort"), "percentage");
  if (numberAt(share, "numerator") >= (wholes.get(textAt(share, "denominator") || "HUNDRED") ?? 0)) return filters;
  const { abort: _abort, ...rest } = fault;
  return FAULT in filters ? { ...filters, [FAULT]: { ...rest, abort: { http_status: 500, percentage: { numerator: 0 } } } } : filters;
}

function routeAction(action: JsonObject, naming: Naming, clusters: Set<string>): JsonObject {
  const named = (cluster: string): string => {
    clusters.add(cluster);
    return `${naming.prefix}${cluster}`;
  };
  const { cluster, weighted_clusters: weighted, request_mirror_policies: mirrors, timeout: _timeout, retry_policy: _retries, ...rest } = action;
  return {
    ...rest,
    // A busy machine must not look like a route: timeouts and retries are compared as they were generated.
    timeout: "0s",
    ...(typeof cluster === "string" ? { cluster: named(cluster) } : {}),
    ...(isObject(weighted)
      ? { weighted_clusters: { ...weighted, header_name: ORACLE.random, clusters: listAt(weighted, "clusters").map((share) => ({ ...(isObject(share) ? share : {}), name: named(textAt(share, "name")) })) } }
      : {}),
    // Mirrored requests would come out of order; their policies are compared as they were generated.
    ...(Array.isArray(mirrors) ? { request_mirror_policies: [] } : {}),
  };
}

function tcpProxy(config: JsonObject, naming: Naming, clusters: Set<string>): JsonObject {
  const named = (cluster: string): string => {
    clusters.add(cluster);
    return `tcp.${naming.prefix}${cluster}`;
  };
  const { cluster, weighted_clusters: weighted, access_log: _log, ...rest } = config;
  return {
    ...rest,
    ...(typeof cluster === "string" ? { cluster: named(cluster) } : {}),
    ...(isObject(weighted) ? { weighted_clusters: { clusters: listAt(weighted, "clusters").map((share) => ({ ...(isObject(share) ? share : {}), name: named(textAt(share, "name")) })) } } : {}),
  };
}

function ownCertificate({ certificate }: Naming): JsonObject {
  return {
    name: "tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      common_tls_context: {
        alpn_protocols: ["h2", "http/1.1"],
        tls_certificates: [{ certificate_chain: { filename: certificate.cert }, private_key: { filename: certificate.key } }],
      },
    },
  };
}

function told(key: string, value: string): JsonObject {
  return { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };
}
