import { asDeclared, envoyWorld, istioWorld, type RouteWorld } from "#routes";
import { isObject, type Json, textAt } from "../../../routes/dialects/istio/json.ts";
import { keptOf } from "../../../collectors/kubernetes/readers/loaded-dump.ts";
import type { Generated, Proxy, Translation } from "../../oracles/istiod.ts";
import { type Place, RELEASES } from "./places.ts";
import { type MadeWorld, objectsFor } from "./worlds.ts";

const admin = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}ConfigDump`;

/** How a dump reaches whoever reads it. */
type Spelling = "envoy" | "istioctl" | "snapshot";

/** What istiod generated for a proxy as the proxy would dump it; in Envoy's names of fields, in those of istioctl, or as a snapshot keeps it. */
export function dumpOf(proxy: Proxy, generated: Generated, spelling: Spelling): Json {
  const type = proxy.type === "gateway" ? "router" : "sidecar";
  const dump = {
    configs: [
      {
        "@type": admin("Bootstrap"),
        bootstrap: { node: { id: `${type}~${proxy.ip}~${proxy.id}.${proxy.namespace}~${proxy.namespace}.svc.cluster.local`, metadata: { NAMESPACE: proxy.namespace, LABELS: proxy.labels, ISTIO_VERSION: RELEASES.istio }, user_agent_build_version: { version: { major_number: 1, minor_number: 40 } } } },
      },
      { "@type": admin("Clusters"), dynamic_active_clusters: generated.clusters.map((cluster) => ({ cluster })) },
      { "@type": admin("Listeners"), dynamic_listeners: generated.listeners.map((listener) => ({ name: textAt(listener, "name"), active_state: { listener } })) },
      { "@type": admin("Routes"), dynamic_route_configs: generated.routes.map((routes) => ({ route_config: routes })) },
    ],
  };
  return spelling === "envoy" ? dump : spelling === "istioctl" ? inCamel(dump) : keptOf(dump, `Pod/${proxy.id}`);
}

/** Messages whose keys are names that somebody chose. */
const maps: ReadonlySet<string> = new Set(["typed_per_filter_config", "filter_metadata", "LABELS", "providers", "metadata"]);

function inCamel(value: Json, isMap = false): Json {
  if (Array.isArray(value)) return value.map((item) => inCamel(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [isMap ? name : name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()), inCamel(inner, maps.has(name))]));
}

/** What a proxy has to load by the objects of its place, in the words of what it loads. */
export function declaredWorld(made: MadeWorld, { type, namespace, labels }: Proxy): RouteWorld {
  return istioWorld({ place: "objects", objects: objectsFor(made).map((object) => ({ object })), complete: true, meshConfig: made.meshConfig, proxy: { role: type, namespace, labels }, asLoaded: true, ...RELEASES });
}

/** The only proxy of a made world, with what istiod generated for it, read by the dialect of Envoy. */
export function loadedPlace(made: MadeWorld, translation: Translation, name: string): Place {
  const [proxy] = made.proxies, [generated] = translation.views ?? [];
  if (proxy === undefined || generated === undefined) return { made, world: { place: name, views: [], assumptions: [], unmodelled: [] }, generated: new Map() };
  const spelling = spellings[digits(made.id) % spellings.length] ?? "envoy";
  const world = withPorts(envoyWorld({ place: name, dump: dumpOf(proxy, generated, spelling) }), generated);
  return { made, world: asDeclared(world, declaredWorld(made, proxy)), generated: new Map([[proxy.id, generated]]) };
}

const spellings: readonly Spelling[] = ["envoy", "istioctl", "snapshot"];

function digits(id: string): number {
  return [...id].reduce((sum, character) => sum + character.charCodeAt(0), 0);
}

/** A Service without target ports, which no API server keeps, is served on port 0. */
function withPorts(world: RouteWorld, { servers = [] }: Generated): RouteWorld {
  return { ...world, views: world.views.map((table) => (table.listen === 0 ? { ...table, listen: servers.find(({ listen }) => listen === 0)?.port ?? 0 } : table)) };
}
