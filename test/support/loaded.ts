import type { Fact, JsonObject, LoadedRoutes } from "#engine";

/** What istiod writes where nobody says otherwise. */
const USUAL = { timeout: "0s", retry_policy: { retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes", num_retries: 2, retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts", typed_config: { "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate" } }], host_selection_retry_max_attempts: 5 } };

/** A route to a service of the namespace `shop`, as istiod writes it. */
export function routeTo(service: string, match: object = { prefix: "/" }): object {
  return { match, route: { ...USUAL, cluster: clusterFor(service) }, metadata: { filter_metadata: { istio: { config: "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/shop" } } } };
}

function clusterFor(service: string): string {
  return `outbound|80||${service}.shop.svc.cluster.local`;
}

interface GatewayParts {
  readonly routes: readonly object[];
  /** HTTP filters before those that are always there. */
  readonly filters?: readonly object[];
  readonly port?: number;
  readonly bind?: boolean;
}

/** A listener of a gateway for `shop.example`, as istiod makes it. */
export function gatewayListener({ routes, filters = [], port = 80, bind = true }: GatewayParts): object {
  const known = ["fault.v3.HTTPFault", "cors.v3.Cors", "router.v3.Router"].map((name) => ({ name: `envoy.filters.http.${name.split(".")[0]}`, typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${name}` } }));
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix: `outbound_0.0.0.0_${port}`, normalize_path: true, use_remote_address: true,
    route_config: { name: `http.${port}`, ignore_port_in_host_matching: true, validate_clusters: false, virtual_hosts: [{ name: "shop.example:80", domains: ["shop.example"], routes }] },
    http_filters: [...filters, ...known],
  };
  return {
    name: `0.0.0.0_${port}`, address: { socket_address: { address: "0.0.0.0", port_value: port } }, traffic_direction: "OUTBOUND", ...(bind ? {} : { bind_to_port: false }),
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
  };
}

interface LoadedParts extends GatewayParts {
  readonly workload?: string;
  readonly services?: readonly string[];
}

/** What a gateway of the namespace `ingress` has loaded. */
export function loadedBy(cluster: string, { workload = "Deployment/public", services = ["cart", "web"], ...parts }: LoadedParts): Fact<"loaded-routes"> {
  const admin = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}ConfigDump`;
  const dump = {
    configs: [
      { "@type": admin("Bootstrap"), bootstrap: { node: { id: "router~~public.ingress~", metadata: { NAMESPACE: "ingress" }, user_agent_build_version: { version: { major_number: 1, minor_number: 40 } } } } },
      { "@type": admin("Clusters"), dynamic_active_clusters: services.map((service) => ({ cluster: { name: clusterFor(service) } })) },
      { "@type": admin("Listeners"), dynamic_listeners: [{ active_state: { listener: gatewayListener(parts) } }] },
    ],
  };
  const data: LoadedRoutes = { role: "gateway", namespace: "ingress", workload, labels: { istio: "ingress" }, pods: 1, example: "public-0", dump: JSON.parse(JSON.stringify(dump)) as JsonObject };
  return { type: "fact", kind: "loaded-routes", cluster, subject: `ingress/${workload} gateway`, data, source: { collector: "test", locator: `/${cluster}/${workload}` } };
}
