/**
 * Places of the size that the route engine is measured with, as API servers hold them. Everything is counted out, nothing is random:
 * the same numbers give the same objects on every machine.
 *
 * @module
 */

type Plain = Readonly<Record<string, unknown>>;

/** A rule before it is written; edits work on these. */
export interface PlainRule {
  readonly match?: readonly Plain[];
  readonly route: readonly Plain[];
  readonly timeout?: string;
  readonly headers?: Plain;
}

const words = ["payments", "orders", "cart", "search", "users", "media", "billing", "stock", "reviews", "login"];
const methods = ["GET", "POST", "PUT", "DELETE"];
const BACKENDS = 200;

function backend(index: number): string {
  return `${words[index % words.length] ?? ""}-${index % BACKENDS}.shop.svc.cluster.local`;
}

function routeTo(index: number): readonly Plain[] {
  const destination = { host: backend(index), port: { number: 8080 } };
  if (index % 23 === 0) return [{ destination: { ...destination, subset: "v1" }, weight: 90 }, { destination: { ...destination, subset: "v2" }, weight: 10 }];
  return [{ destination: index % 7 === 0 ? { ...destination, subset: "v1" } : destination }];
}

/** `count` rules of one host: prefixes and whole paths on several levels, every fifth with a header before its plain twin. */
export function rulesOf(count: number, regexes = 0): readonly PlainRule[] {
  const spacing = regexes === 0 ? Infinity : Math.floor(count / regexes);
  return Array.from({ length: count }, (_, index): PlainRule => {
    const twin = index % 5 === 3 ? index + 1 : index;
    const word = words[twin % words.length] ?? "";
    const base = `/api/v${1 + (twin % 3)}/${word}-${Math.floor(twin / 3)}`;
    const uri =
      index % spacing === 1 ? { regex: `/api/v[0-9]+/${word}-${index}/[^/]+/(items|lines)(/.*)?` } : twin % 3 === 0 ? { prefix: `${base}/` } : twin % 3 === 1 ? { exact: `${base}/status` } : { prefix: `${base}/${word}/` };
    const block = {
      uri,
      ...(twin !== index ? { headers: { "x-canary": { exact: `ring-${index % 4}` } } } : {}),
      ...(index % 7 === 2 ? { method: { exact: methods[index % 4] ?? "" } } : {}),
    };
    const match = index % 10 === 6 ? [block, { uri: { exact: `${base}/also` } }] : [block];
    return { match, route: routeTo(index), ...(index % 4 === 0 ? { timeout: `${1 + (index % 9)}s` } : {}), ...(index % 31 === 0 ? { headers: { request: { set: { "x-from": `edge-${index % 8}` } } } } : {}) };
  });
}

/** As many rules that answer every request as before: neighbours that change places, blocks that become rules, copies that never decide. */
export function editedAlike(rules: readonly PlainRule[], edits: number, turn: number): readonly PlainRule[] {
  const out = [...rules];
  for (let edit = 0; edit < edits; edit++) {
    const at = Math.floor(((edit + 0.3 + 0.2 * turn) * out.length) / edits);
    if (edit % 3 === 0) {
      // Two whole paths, or a whole path and a prefix of another branch, never take the same request.
      const from = out.findIndex((rule, index) => index >= at && areApart(rule, out[index + 1]));
      const [first, second] = [out[from], out[from + 1]];
      if (first !== undefined && second !== undefined) out.splice(from, 2, second, first);
    } else if (edit % 3 === 1) {
      const from = out.findIndex((rule, index) => index >= at && rule.match?.length === 2);
      const rule = out[from];
      if (rule?.match !== undefined) out.splice(from, 1, ...rule.match.map((block) => ({ ...rule, match: [block] })));
    } else {
      const rule = out[at];
      if (rule !== undefined) out.splice(Math.min(out.length, at + 50), 0, rule);
    }
  }
  return out;
}

function areApart(one: PlainRule, other: PlainRule | undefined): boolean {
  const text = (rule: PlainRule | undefined): string => JSON.stringify(rule?.match?.map(({ uri }) => uri));
  return other !== undefined && /exact/.test(text(one)) && /exact|prefix/.test(text(other)) && !/regex/.test(text(other)) && text(one) !== text(other) && !text(one).includes("also") && !text(other).includes("also");
}

/** The same rules, and one in the middle leads elsewhere. */
export function broken(rules: readonly PlainRule[]): readonly PlainRule[] {
  return rules.map((rule, index) => (index === Math.floor(rules.length / 2) ? { ...rule, route: [{ destination: { host: backend(index + 1), port: { number: 8080 } } }] } : rule));
}

function metadata(cluster: number, name: string, namespace: string, index: number): Plain {
  const day = 1 + (index % 28);
  return {
    name,
    namespace,
    uid: `00000000-${String(cluster).padStart(4, "0")}-4000-8000-${String(index).padStart(12, "0")}`,
    resourceVersion: String(1_000_000 + cluster * 7_919 + index),
    generation: 3,
    creationTimestamp: `2026-${String(1 + (Math.floor(index / 28) % 12)).padStart(2, "0")}-${String(day).padStart(2, "0")}T00:00:00Z`,
    labels: { "app.kubernetes.io/managed-by": "argocd", "argocd.argoproj.io/instance": "shop" },
    managedFields: [
      { manager: "argocd-controller", operation: "Apply", apiVersion: "networking.istio.io/v1", time: "2026-06-01T00:00:00Z", fieldsType: "FieldsV1", fieldsV1: { "f:metadata": { "f:labels": { "f:argocd.argoproj.io/instance": {} } }, "f:spec": { "f:gateways": {}, "f:hosts": {}, "f:http": {} } } },
    ],
  };
}

function istio(kind: string, meta: Plain, spec: Plain): Plain {
  return { apiVersion: "networking.istio.io/v1", kind, metadata: meta, spec };
}

function service(cluster: number, name: string, namespace: string, index: number, port: number): Plain {
  const spec = { clusterIP: `10.96.${Math.floor(index / 250)}.${1 + (index % 250)}`, clusterIPs: [`10.96.${Math.floor(index / 250)}.${1 + (index % 250)}`], ports: [{ name: "http", port, protocol: "TCP", targetPort: 8080 }], selector: { app: name }, type: "ClusterIP", sessionAffinity: "None" };
  return { apiVersion: "v1", kind: "Service", metadata: metadata(cluster, name, namespace, index), spec };
}

function backends(cluster: number): readonly Plain[] {
  return Array.from({ length: BACKENDS }, (_, index) => {
    const name = `${words[index % words.length] ?? ""}-${index}`;
    return [
      service(cluster, name, "shop", index, 8080),
      istio("DestinationRule", metadata(cluster, name, "shop", index), {
        host: `${name}.shop.svc.cluster.local`,
        trafficPolicy: { connectionPool: { http: { http2MaxRequests: 100 + (index % 5) } } },
        subsets: [{ name: "v1", labels: { version: "v1" } }, { name: "v2", labels: { version: "v2" } }],
      }),
    ];
  }).flat();
}

function ingress(cluster: number): readonly Plain[] {
  return [
    istio("Gateway", metadata(cluster, "main", "edge", 0), { selector: { istio: "ingress" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] }),
    { apiVersion: "v1", kind: "Pod", metadata: { ...metadata(cluster, "ingress-0", "edge", 1), labels: { istio: "ingress" } }, spec: { containers: [{ name: "istio-proxy", args: ["proxy", "router"] }] } },
  ];
}

const MOST_RULES = 3_000;

/** One host on a gateway: its rules in at least 20 VirtualServices, none above 1 MB. The last has the rule for all the rest. */
export function oneHost(cluster: number, rules: readonly PlainRule[]): readonly Plain[] {
  const parts = Math.max(20, Math.ceil(rules.length / MOST_RULES));
  const size = Math.ceil(rules.length / parts);
  const services = Array.from({ length: parts }, (_, part) => {
    const http = [...rules.slice(part * size, (part + 1) * size), ...(part === parts - 1 ? [{ route: routeTo(0) }] : [])];
    return istio("VirtualService", metadata(cluster, `api-${String(part).padStart(3, "0")}`, "shop", part), { hosts: ["api.example.com"], gateways: ["edge/main"], http });
  });
  return [...ingress(cluster), ...backends(cluster), ...services];
}

/** Rules of one HTTPRoute; the CRD lets it have 16. */
const API_RULES = 14;

/**
 * The same host and rules as HTTPRoutes; a subset is a service of its own. The last has the rule for all the rest. Of `edits` routes the
 * rules are edited so that they answer as before.
 */
export function oneApiHost(cluster: number, rules: readonly PlainRule[], edits = 0): readonly Plain[] {
  const gateway = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata: metadata(cluster, "main", "edge", 0), spec: { gatewayClassName: "istio", listeners: [{ name: "web", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } }] } };
  const parts = Math.ceil(rules.length / API_RULES);
  const edited = new Set(Array.from({ length: edits }, (_, edit) => Math.floor(((edit + 0.3 + 0.2 * cluster) * parts) / edits)));
  const routes = Array.from({ length: parts }, (_, part) => {
    const own = rules.slice(part * API_RULES, (part + 1) * API_RULES);
    return {
      apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata: metadata(cluster, `api-${String(part).padStart(5, "0")}`, "shop", part),
      spec: { parentRefs: [{ name: "main", namespace: "edge" }], hostnames: ["api.example.com"], rules: [...(edited.has(part) ? editedAlike(own, 1, cluster).toReversed() : own).map(apiRule), ...(part === parts - 1 ? [{ backendRefs: backendRefs(routeTo(0)) }] : [])] },
    };
  });
  const services = Array.from({ length: BACKENDS }, (_, index) => ["", "-v1", "-v2"].map((version) => service(cluster, `${words[index % words.length] ?? ""}-${index}${version}`, "shop", index, 8080))).flat();
  return [gateway, ...services, ...routes];
}

function apiRule({ match = [], route, timeout, headers }: PlainRule): Plain {
  const set = Object.entries(objectOf(objectOf(headers?.["request"])["set"])).map(([name, value]) => ({ name, value }));
  return {
    matches: match.map((block) => {
      const uri = objectOf(block["uri"]), method = objectOf(block["method"])["exact"];
      const [kind = ""] = Object.keys(uri), value = uri[kind];
      return {
        path: kind === "prefix" ? { type: "PathPrefix", value: String(value).replace(/\/$/, "") } : { type: kind === "exact" ? "Exact" : "RegularExpression", value },
        ...(method === undefined ? {} : { method }),
        ...(block["headers"] === undefined ? {} : { headers: Object.entries(objectOf(block["headers"])).map(([name, test]) => ({ name, value: objectOf(test)["exact"] })) }),
      };
    }),
    ...(set.length === 0 ? {} : { filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set } }] }),
    ...(timeout === undefined ? {} : { timeouts: { request: timeout } }),
    backendRefs: backendRefs(route),
  };
}

function backendRefs(route: readonly Plain[]): readonly Plain[] {
  return route.map(({ destination, weight }) => {
    const { host, subset } = objectOf(destination);
    return { name: `${String(host).split(".")[0] ?? ""}${subset === undefined ? "" : `-${String(subset)}`}`, port: 8080, ...(weight === undefined ? {} : { weight }) };
  });
}

function objectOf(value: unknown): Plain {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** The `/config_dump` of a gateway with that many routes on hosts of a few each, as istiod writes them, and a cluster for each backend. */
export function dumpOf(routes: number, edited = -1): Plain {
  const admin = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}ConfigDump`;
  const PER_HOST = 40;
  const rules = rulesOf(routes, 0);
  const cluster = (index: number): string => `outbound|8080||${backend(index)}`;
  const retry = {
    retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes", num_retries: 2, retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts", typed_config: { "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate" } }],
    host_selection_retry_max_attempts: "5",
  };
  const made = rules.flatMap(({ match = [], timeout }, index) => match.map((block) => {
    const uri = objectOf(block["uri"]), method = objectOf(block["method"])["exact"];
    const headers = [...Object.entries(objectOf(block["headers"])).map(([name, test]) => ({ name, string_match: test })), ...(method === undefined ? [] : [{ name: ":method", string_match: { exact: method } }])];
    const host = Math.floor(index / PER_HOST);
    return {
      host,
      route: {
        match: { ...(uri["exact"] === undefined ? { prefix: uri["prefix"] } : { path: uri["exact"] }), case_sensitive: true, ...(headers.length === 0 ? {} : { headers }) },
        route: { cluster: cluster(index === edited ? index + 1 : index), timeout: timeout ?? "0s", retry_policy: retry, max_grpc_timeout: timeout ?? "0s" },
        metadata: { filter_metadata: { istio: { config: `/apis/networking.istio.io/v1/namespaces/shop/virtual-service/host-${host}` } } },
        decorator: { operation: `${backend(index)}:8080/*` },
        ...(index % 31 === 0 ? { request_headers_to_add: [{ header: { key: "x-from", value: `edge-${index % 8}` }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" }] } : {}),
      },
    };
  }));
  const byHost = Map.groupBy(made, ({ host }) => host);
  const filters = ["fault.v3.HTTPFault", "cors.v3.Cors", "router.v3.Router"].map((type) => ({ name: `envoy.filters.http.${type.split(".")[0] ?? ""}`, typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}` } }));
  const listener = {
    "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", name: "0.0.0.0_8080", address: { socket_address: { address: "0.0.0.0", port_value: 8080 } }, traffic_direction: "OUTBOUND",
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix: "outbound_0.0.0.0_8080", rds: { route_config_name: "http.8080" }, http_filters: filters, use_remote_address: true, normalize_path: true } }] }],
  };
  const table = {
    "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", name: "http.8080", ignore_port_in_host_matching: true, validate_clusters: false,
    virtual_hosts: [...byHost].map(([host, own]) => ({ name: `host-${host}.example.com:80`, domains: [`host-${host}.example.com`], routes: own.map(({ route }) => route), include_request_attempt_count: true })),
  };
  const clusters = Array.from({ length: BACKENDS }, (_, index) => ({
    "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", name: cluster(index), type: "EDS", eds_cluster_config: { eds_config: { ads: {}, resource_api_version: "V3" }, service_name: cluster(index) }, connect_timeout: "10s", lb_policy: "LEAST_REQUEST",
    circuit_breakers: { thresholds: [{ max_connections: 4_294_967_295, max_pending_requests: 4_294_967_295, max_requests: 4_294_967_295, max_retries: 4_294_967_295, track_remaining: true }] },
  }));
  return {
    configs: [
      { "@type": admin("Bootstrap"), bootstrap: { node: { id: "router~10.0.0.1~gw-1.edge~edge.svc.cluster.local", metadata: { NAMESPACE: "edge", LABELS: { istio: "ingress" } }, user_agent_build_version: { version: { major_number: 1, minor_number: 40 } } } } },
      { "@type": admin("Clusters"), dynamic_active_clusters: clusters.map((one) => ({ version_info: "2026-11-01T00:00:00Z/1", cluster: one, last_updated: "2026-11-01T00:00:00.000Z" })) },
      { "@type": admin("Listeners"), dynamic_listeners: [{ name: "0.0.0.0_8080", active_state: { version_info: "1", listener, last_updated: "2026-11-01T00:00:00.000Z" } }] },
      { "@type": admin("Routes"), dynamic_route_configs: [{ version_info: "1", route_config: table, last_updated: "2026-11-01T00:00:00.000Z" }] },
    ],
  };
}

/** The `/config_dump` of a sidecar in a mesh of that many services: a cluster and a virtual host each. */
export function sidecarDumpOf(services: number, edited = -1): Plain {
  const { configs } = dumpOf(0) as { readonly configs: readonly Plain[] };
  const [bootstrap] = configs;
  const admin = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}ConfigDump`;
  const host = (index: number): string => `${words[index % words.length] ?? ""}-${index}.team-${index % 60}.svc.cluster.local`;
  const tls = { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", common_tls_context: { alpn_protocols: ["istio-peer-exchange", "istio"], tls_certificate_sds_secret_configs: [{ name: "default", sds_config: { api_config_source: { api_type: "GRPC", grpc_services: [{ envoy_grpc: { cluster_name: "sds-grpc" } }], set_node_on_first_message_only: true, transport_api_version: "V3" }, initial_fetch_timeout: "0s", resource_api_version: "V3" } }] } };
  const clusters = Array.from({ length: services }, (_, index) => ({
    "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", name: `outbound|80||${host(index)}`, type: "EDS", eds_cluster_config: { eds_config: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" }, service_name: `outbound|80||${host(index)}` },
    connect_timeout: "10s", lb_policy: "LEAST_REQUEST", circuit_breakers: { thresholds: [{ max_connections: 4_294_967_295, max_pending_requests: 4_294_967_295, max_requests: 4_294_967_295, max_retries: 4_294_967_295, track_remaining: true }] },
    common_lb_config: { locality_weighted_lb_config: {} }, metadata: { filter_metadata: { istio: { default_original_port: 80, services: [{ host: host(index), name: host(index).split(".")[0], namespace: `team-${index % 60}` }] } } },
    filters: [{ name: "istio.metadata_exchange", typed_config: { "@type": "type.googleapis.com/udpa.type.v1.TypedStruct", type_url: "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange", value: { enable_discovery: true, protocol: "istio-peer-exchange" } } }],
    transport_socket_matches: [{ name: "tlsMode-istio", match: { tlsMode: "istio" }, transport_socket: { name: "envoy.transport_sockets.tls", typed_config: { ...tls, sni: `outbound_.80_._.${host(index)}` } } }, { name: "tlsMode-disabled", match: {}, transport_socket: { name: "envoy.transport_sockets.raw_buffer", typed_config: { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer" } } }],
  }));
  const virtual_hosts = Array.from({ length: services }, (_, index) => {
    const [name = "", namespace = ""] = host(index).split(".");
    const forms = [host(index), ...(index % 60 === 0 ? [name] : []), `${name}.${namespace}.svc`, `${name}.${namespace}`, `10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`];
    return {
      name: `${host(index)}:80`, domains: forms, include_request_attempt_count: true,
      routes: [{
        name: "default", match: { prefix: "/" }, decorator: { operation: `${host(index)}:80/*` },
        route: { cluster: `outbound|80||${host(index === edited ? index + 1 : index)}`, timeout: "0s", max_grpc_timeout: "0s", retry_policy: { retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes", num_retries: 2, retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts", typed_config: { "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate" } }], host_selection_retry_max_attempts: "5" } },
      }],
    };
  });
  const table = { "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", name: "80", ignore_port_in_host_matching: true, validate_clusters: false, virtual_hosts };
  return { configs: [bootstrap, { "@type": admin("Clusters"), dynamic_active_clusters: clusters.map((cluster) => ({ version_info: "1", cluster, last_updated: "2026-11-01T00:00:00.000Z" })) }, { "@type": admin("Routes"), dynamic_route_configs: [{ version_info: "1", route_config: table, last_updated: "2026-11-01T00:00:00.000Z" }] }] };
}

/** Many hosts on a gateway, each with a VirtualService of its own. In every cluster but the first some hosts have their rules edited. */
export function manyHosts(cluster: number, hosts: number, rules: number): readonly Plain[] {
  const all = rulesOf(hosts * rules);
  const services = Array.from({ length: hosts }, (_, host) => {
    const own = all.slice(host * rules, (host + 1) * rules);
    const http = cluster > 0 && host % 100 === cluster ? editedAlike(own, 3, cluster) : own;
    return istio("VirtualService", metadata(cluster, `host-${host}`, "shop", host), { hosts: [`host-${host}.example.com`], gateways: ["edge/main"], http });
  });
  return [...ingress(cluster), ...backends(cluster), ...services];
}

/** A mesh: every host a service with a VirtualService; the first namespaces have a Sidecar that lets in their own and a neighbour's hosts. */
export function mesh(cluster: number, hosts: number, namespaces: number, sidecars: number, rules: number): readonly Plain[] {
  const all = rulesOf(hosts * rules);
  const place = (host: number): string => `team-${host % namespaces}`;
  const objects = Array.from({ length: hosts }, (_, host) => {
    const own = all.slice(host * rules, (host + 1) * rules).map((rule, index) => ({ ...rule, route: [{ destination: { host: `svc-${(host + index) % hosts}.team-${((host + index) % hosts) % namespaces}.svc.cluster.local`, port: { number: 80 } } }] }));
    const http = cluster > 0 && host % 100 === cluster ? editedAlike(own, 3, cluster) : own;
    const name = `svc-${host}`;
    return [
      service(cluster, name, place(host), host, 80),
      istio("VirtualService", metadata(cluster, name, place(host), host), { hosts: [`${name}.${place(host)}.svc.cluster.local`], http: [...http, { route: [{ destination: { host: `${name}.${place(host)}.svc.cluster.local`, port: { number: 80 } } }] }] }),
    ];
  }).flat();
  const scopes = Array.from({ length: sidecars }, (_, index) =>
    istio("Sidecar", metadata(cluster, "default", `team-${index}`, index), { egress: [{ hosts: ["./*", `team-${(index + 7) % namespaces}/*`, "istio-system/*"] }] }),
  );
  return [...objects, ...scopes];
}
