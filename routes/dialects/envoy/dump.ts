import { isObject, type Json } from "../istio/json.ts";
import { entry, field, list, message, number, text, typeOf } from "./fields.ts";

/** What a dump says of its proxy. */
export interface ProxyNode {
  readonly role: "sidecar" | "gateway" | "waypoint" | "other";
  readonly namespace: string;
  /** Name of its workload, else of its pod. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `1.40.0`, and Istio's own release. */
  readonly envoy?: string;
  readonly istio?: string;
}

/** A dump, taken apart. */
export interface Loaded {
  readonly node?: ProxyNode;
  readonly listeners: readonly Json[];
  /** Listeners that only the bootstrap names: the proxy's own. */
  readonly ownListeners: readonly Json[];
  /** Listeners that the proxy was sent and does not serve yet. */
  readonly warming: readonly Json[];
  readonly routes: ReadonlyMap<string, Json>;
  /** Configurations of filters that are fetched by themselves (ECDS), by name. */
  readonly extensions: ReadonlyMap<string, Json>;
  /** Undefined: no cluster is in the input, so that any may be there. */
  readonly clusters?: readonly Json[];
  /** Configurations that the proxy was sent and refused: it still runs what it had before. */
  readonly refused: readonly string[];
}

/** Parts of dumps and of what tools make of them, by what they hold. */
interface Growing {
  node?: ProxyNode;
  readonly listeners: Json[];
  readonly ownListeners: Json[];
  readonly warming: Json[];
  readonly routes: Map<string, Json>;
  readonly extensions: Map<string, Json>;
  clusters: Json[] | undefined;
  readonly refused: string[];
}

/**
 * True of JSON that holds what an Envoy has loaded: `/config_dump`, istiod's dump, what `istioctl proxy-config ... -o json` prints, a
 * RouteConfiguration or listener alone, an answer of xDS, a bootstrap.
 */
export function isDump(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((item) => isRoutes(item) || isListener(item) || isCluster(item));
  if (!isObject(value)) return false;
  if (Array.isArray(value["configs"])) return value["configs"].some((config) => typeOf(config).startsWith("envoy.admin.v3."));
  return isRoutes(value) || isListener(value) || isBootstrap(value) || resourcesOf(value).some((item) => isRoutes(item) || isListener(item));
}

function isRoutes(value: Json): boolean {
  return Array.isArray(field(value, "virtual_hosts")) || typeOf(value).endsWith(".RouteConfiguration");
}

function isListener(value: Json): boolean {
  return typeOf(value) === "envoy.config.listener.v3.Listener" || Array.isArray(field(value, "filter_chains")) || isObject(field(value, "default_filter_chain"));
}

function isCluster(value: Json): boolean {
  if (typeOf(value) === "envoy.config.cluster.v3.Cluster") return true;
  return isObject(value) && typeof value["name"] === "string" && (field(value, "lb_policy") !== undefined || field(value, "eds_cluster_config") !== undefined || field(value, "load_assignment") !== undefined || field(value, "connect_timeout") !== undefined);
}

function isBootstrap(value: Json): boolean {
  return isObject(field(value, "static_resources"));
}

/** The resources of an answer of xDS. */
function resourcesOf(value: Json): readonly Json[] {
  return list(value, "resources");
}

/** Takes a dump apart. What it does not hold is not there; nothing in it makes this throw. */
export function takeApart(value: Json): Loaded {
  const out: Growing = { listeners: [], ownListeners: [], warming: [], routes: new Map(), extensions: new Map(), clusters: undefined, refused: [] };
  for (const part of Array.isArray(value) ? value : isObject(value) && Array.isArray(value["configs"]) ? value["configs"] : [value]) take(part, out);
  return { ...(out.node === undefined ? {} : { node: out.node }), listeners: out.listeners, ownListeners: out.ownListeners, warming: out.warming, routes: out.routes, extensions: out.extensions, ...(out.clusters === undefined ? {} : { clusters: out.clusters }), refused: out.refused };
}

function take(part: Json, out: Growing): void {
  switch (typeOf(part)) {
    case "envoy.admin.v3.BootstrapConfigDump": {
      const node = nodeOf(message(message(part, "bootstrap"), "node"));
      if (node !== undefined) out.node = node;
      return;
    }
    case "envoy.admin.v3.ClustersConfigDump":
      for (const kind of ["static_clusters", "dynamic_active_clusters"]) for (const cluster of list(part, kind)) (out.clusters ??= []).push(field(cluster, "cluster"));
      out.clusters ??= [];
      return noteRefused(list(part, "dynamic_warming_clusters"), "cluster", out);
    case "envoy.admin.v3.ListenersConfigDump":
      for (const listener of list(part, "static_listeners")) out.ownListeners.push(field(listener, "listener"));
      for (const listener of list(part, "dynamic_listeners")) {
        const active = field(message(listener, "active_state"), "listener");
        const warming = field(message(listener, "warming_state"), "listener");
        if (active !== undefined) out.listeners.push(active);
        else if (warming !== undefined) out.warming.push(warming);
      }
      return noteRefused(list(part, "dynamic_listeners"), "listener", out);
    case "envoy.admin.v3.RoutesConfigDump":
      for (const kind of ["static_route_configs", "dynamic_route_configs"]) for (const routes of list(part, kind)) addRoutes(field(routes, "route_config"), out);
      return noteRefused(list(part, "dynamic_route_configs"), "route_config", out);
    case "envoy.admin.v3.EcdsConfigDump":
      for (const filter of list(part, "ecds_filters")) addExtension(filter, out);
      return noteRefused(list(part, "ecds_filters"), "ecds_filter", out);
    case "envoy.admin.v3.EcdsConfigDump.EcdsFilterConfig":
      return addExtension(part, out);
    // What `/config_dump?resource=...` gives: the items of one list.
    case "envoy.admin.v3.ClustersConfigDump.StaticCluster":
    case "envoy.admin.v3.ClustersConfigDump.DynamicCluster":
      (out.clusters ??= []).push(field(part, "cluster"));
      return;
    case "envoy.admin.v3.ListenersConfigDump.StaticListener":
      return take({ "@type": LISTENERS, static_listeners: [part] }, out);
    case "envoy.admin.v3.ListenersConfigDump.DynamicListener":
      return take({ "@type": LISTENERS, dynamic_listeners: [part] }, out);
    case "envoy.admin.v3.RoutesConfigDump.StaticRouteConfig":
    case "envoy.admin.v3.RoutesConfigDump.DynamicRouteConfig":
      return addRoutes(field(part, "route_config"), out);
    default:
      takeResource(part, out);
  }
}

const LISTENERS = "type.googleapis.com/envoy.admin.v3.ListenersConfigDump";

function takeResource(part: Json, out: Growing): void {
  if (isRoutes(part)) addRoutes(part, out);
  else if (isListener(part)) out.listeners.push(part);
  else if (isCluster(part)) (out.clusters ??= []).push(part);
  else if (isBootstrap(part)) {
    const resources = message(part, "static_resources");
    out.listeners.push(...list(resources, "listeners"));
    (out.clusters ??= []).push(...list(resources, "clusters"));
  } else for (const resource of resourcesOf(part)) if (resource !== part) takeResource(resource, out);
}

function addExtension(filter: Json, out: Growing): void {
  const extension = message(filter, "ecds_filter");
  const config = field(extension, "typed_config");
  if (config !== undefined) out.extensions.set(text(extension, "name"), config);
}

function addRoutes(routes: Json, out: Growing): void {
  if (isObject(routes)) out.routes.set(text(routes, "name"), routes);
}

/** Most refusals that are told. */
const MOST = 20;

function noteRefused(states: readonly Json[], kind: string, out: Growing): void {
  for (const state of states) {
    const error = field(state, "error_state");
    if (error === undefined || out.refused.length >= MOST) continue;
    const failed = message(error, "failed_configuration");
    out.refused.push(text(state, "name") || text(failed, "name") || text(message(failed, kind), "name") || kind);
  }
}

const roles: Readonly<Record<string, ProxyNode["role"]>> = { sidecar: "sidecar", router: "gateway", waypoint: "waypoint" };

/** `sidecar~10.1.0.1~pod.namespace~namespace.svc.cluster.local`, and the metadata that the agent adds. */
function nodeOf(node: Json): ProxyNode | undefined {
  const [type = "", , pod = "", ...rest] = text(node, "id").split("~");
  const metadata = message(node, "metadata");
  const role = rest.length > 0 && Object.hasOwn(roles, type) ? roles[type] : undefined;
  const version = message(message(node, "user_agent_build_version"), "version");
  const numbers = ["major_number", "minor_number", "patch"].map((name) => number(version, name) ?? 0);
  const envoy = Object.keys(version).length === 0 ? {} : { envoy: numbers.join(".") };
  const istio = entry(metadata, "ISTIO_VERSION");
  const labels = entry(metadata, "LABELS");
  const namespace = entry(metadata, "NAMESPACE");
  const workload = entry(metadata, "WORKLOAD_NAME");
  const dot = pod.lastIndexOf(".");
  return {
    role: role ?? "other",
    namespace: typeof namespace === "string" ? namespace : dot < 0 ? "" : pod.slice(dot + 1),
    name: typeof workload === "string" ? workload : dot < 0 ? text(node, "cluster") || "envoy" : pod.slice(0, dot),
    labels: isObject(labels) ? Object.fromEntries(Object.entries(labels).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []))) : {},
    ...envoy,
    ...(typeof istio === "string" ? { istio } : {}),
  };
}
