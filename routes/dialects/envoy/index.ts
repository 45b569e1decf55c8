import type { Assumption, Chain, HttpReading, Listener, Reading, RouteWorld, Unmodelled, View } from "../../decide/model.ts";
import type { Json } from "../istio/json.ts";
import { versionReadings } from "../istio/versions.ts";
import { type ClusterReading, indexClusters } from "./clusters.ts";
import { text } from "./fields.ts";
import { type Loaded, type ProxyNode, takeApart } from "./dump.ts";
import { chainsAt, type ReadListener, readListener, type UnreadChain } from "./listeners.ts";
import { DumpMemory } from "./memory.ts";
import { tableOf, usesOf } from "./tables.ts";

export { isDump } from "./dump.ts";
export type { ProxyNode } from "./dump.ts";

/** What one Envoy has loaded, or a part of it. */
export interface EnvoyPlace {
  /** Name of the place in reports. */
  readonly place: string;
  /** A dump in any form that {@link isDump} knows, parsed. */
  readonly dump: Json;
  /** Release of Envoy; left out: as the dump says. */
  readonly envoy?: string;
  /** Clusters count with all that they are configured with; left out: by name, as objects of a control plane name them. */
  readonly withPolicies?: boolean;
}

/** The routing of one proxy. */
export interface EnvoyWorld extends RouteWorld {
  /** Who the proxy is; left out: the input does not tell. */
  readonly proxy?: ProxyNode;
  /** The input holds clusters: what they are configured with can be compared. */
  readonly hasClusters: boolean;
}

/**
 * The routing that an Envoy has loaded.
 *
 * Guarantees:
 *
 * 1. Nothing in the input makes it throw; a field that is not known and set becomes {@link Unmodelled} with its path.
 * 2. Where the release of Envoy decides and is not known, a view has one reading for each possibility.
 * 3. The result depends on what the dump says, not on the order of its parts.
 *
 * The views of a sidecar are one for each port, for the client that it is; those of any other proxy one for each listener, plain and
 * TLS apart. Cost is linear in the dump.
 */
export function envoyWorld(input: EnvoyPlace): EnvoyWorld {
  return worldOf(input, new DumpMemory());
}

/** Reads proxies one after another, each as {@link envoyWorld} does. What a dump has in common with the one before is read once. */
export function envoyReader(): (input: EnvoyPlace) => EnvoyWorld {
  const memory = new DumpMemory();
  return (input) => worldOf(input, memory);
}

/** What several proxies have loaded; see {@link envoyReader}. */
export function envoyWorlds(inputs: readonly EnvoyPlace[]): readonly EnvoyWorld[] {
  const read = envoyReader();
  return inputs.map((input) => read(input));
}

/** Whether a dump tells of clusters, so that what they are configured with can be compared. */
export function hasClusters(dump: Json): boolean {
  return takeApart(dump).clusters !== undefined;
}

function worldOf(input: EnvoyPlace, memory: DumpMemory): EnvoyWorld {
  const loaded = takeApart(input.dump);
  const { node } = loaded;
  const clusters: ClusterReading = { clusters: loaded.clusters === undefined ? undefined : indexClusters(loaded.clusters), withPolicies: input.withPolicies ?? false, plain: new Map(), texts: new Map(), asked: [] };
  memory.begin(clusters.clusters);
  const resources = { routes: loaded.routes, extensions: loaded.extensions, clusters, memory };
  const isInMesh = isIstio(node) || (node === undefined && loaded.listeners.some((listener) => /^virtual(?:In|Out)bound$/.test(text(listener, "name"))));
  const listeners = [...loaded.listeners, ...(isIstio(node) ? [] : loaded.ownListeners)].map((listener) => readListener(listener, resources)).concat(loaded.warming.map((listener) => readListener(listener, resources, true))).filter(({ isInbound }) => !(isInbound && isInMesh));
  const drafts = listeners.length === 0 ? ofRoutes(loaded, clusters, memory) : node?.role === "sidecar" || listeners.some(({ isCatchAll }) => isCatchAll) ? ofSidecar(node, listeners) : listeners.flatMap((listener) => ofListener(node, listener));
  const envoy = input.envoy ?? node?.envoy;
  const views = drafts.map(({ view, listen, listener }) => ({ view, ...(listen === undefined ? {} : { listen }), readings: readingsOf(listener, envoy) }));
  return { place: input.place, views: views.sort((a, b) => (key(a.view) < key(b.view) ? -1 : 1)), ...(node === undefined ? {} : { proxy: node }), hasClusters: loaded.clusters !== undefined, assumptions: assumptionsOf(loaded), unmodelled: leftOut(loaded, listeners) };
}

function isIstio(node: ProxyNode | undefined): boolean {
  return node !== undefined && node.role !== "other";
}

function key(view: View): string {
  return JSON.stringify(view);
}

/** A view before it is read as some release of Envoy does. */
interface Draft {
  readonly view: View;
  /** The port on which the proxy listens. */
  readonly listen?: number;
  readonly listener: { readonly chains: readonly UnreadChain[]; readonly otherwise: UnreadChain["then"] };
}

/** Views of a gateway, or of an Envoy that is nobody's sidecar: one for each listener. */
function ofListener(node: ProxyNode | undefined, { name, port, chains, fallback }: ReadListener): readonly Draft[] {
  const gateway = node === undefined || node.namespace === "" ? `envoy/${name || port}` : `${node.namespace}/${node.name}`;
  const of = (tls: boolean): readonly UnreadChain[] => [...chains, ...(fallback === undefined ? [] : [fallback])].filter(({ when }) => when.transport === undefined || (when.transport === "tls") === tls);
  return [false, true].flatMap((tls) => {
    // Plain connections to a port for TLS, and TLS to a plain one, are nothing that somebody offers.
    const isOffered = of(tls).some(({ when }) => when.transport !== undefined || !tls);
    // A chain for the other transport still takes connections away from those with a wider address.
    return isOffered ? [{ view: { gateway, port, tls }, listen: port, listener: { chains, otherwise: otherwiseOf(fallback, tls) } }] : [];
  });
}

/** Where connections go that no chain takes; TLS that a default chain does not end, and plain bytes where it ends TLS, find nothing there. */
function otherwiseOf(fallback: UnreadChain | undefined, tls: boolean): UnreadChain["then"] {
  const transport = fallback?.when.transport;
  return fallback === undefined || (transport !== undefined && (transport === "tls") !== tls) ? { type: "close" } : fallback.then;
}

/** Views of a client: its connections to a port reach the listener on their address, else the one for all addresses, else the catch-all. */
function ofSidecar(node: ProxyNode | undefined, listeners: readonly ReadListener[]): readonly Draft[] {
  const catchAll = listeners.find(({ isCatchAll }) => isCatchAll);
  const outside = catchAll?.chains.find(({ when }) => when.destinationPort === undefined)?.then ?? { type: "close" as const };
  const own = listeners.filter((listener) => listener !== catchAll && listener.port !== 0);
  const ports = [...new Set(own.map(({ port }) => port))].sort((a, b) => a - b);
  return ports.map((port): Draft => {
    const at = own.filter((listener) => listener.port === port);
    const isWide = ({ address }: ReadListener): boolean => address === "0.0.0.0" || address === "::";
    const wide = at.find(isWide);
    const chains = [...at.filter((listener) => !isWide(listener)).flatMap(chainsAt), ...(wide?.chains ?? [])];
    return {
      view: { mesh: true, namespace: node?.namespace ?? "", labels: {}, port },
      listener: { chains, otherwise: wide?.fallback?.then ?? outside },
    };
  });
}

const istioGateway = /^(https?)\.(\d{1,5})(?:\.([^.]*)\.([^.]+)\.([^.]+))?(?:\.|$)/;

/** Views of tables without listeners, by the names that istiod gives to tables; every other table is one for itself. */
function ofRoutes({ routes }: Loaded, clusters: ClusterReading, memory: DumpMemory): readonly Draft[] {
  return [...routes].filter(([name]) => !name.startsWith("inbound|") && name !== "InboundPassthroughCluster").map(([name, table]): Draft => {
    const [, scheme = "", digits = "", , gateway, namespace] = istioGateway.exec(name) ?? [];
    const isSecure = scheme === "https";
    const port = Number(digits || /^(\d{1,5})$/.exec(name)?.[1] || (/:(\d{1,5})$/.exec(name)?.[1] ?? 0));
    const where = { object: `RouteConfiguration ${name.slice(0, 160)}`, path: "" };
    const isGateway = scheme !== "";
    // What istiod writes where nobody says otherwise.
    const config = { normalize_path: true, use_remote_address: isGateway, http_filters: assumedFilters };
    const then = tableOf({ manager: { config, isSecure, where }, routes: table, clusters, memory });
    const view: View = isGateway || !/^\d{1,5}$/.test(name) ? { gateway: gateway === undefined || namespace === undefined ? `routes/${name || "default"}` : `${namespace}/${gateway}`, port, tls: isSecure } : { mesh: true, namespace: "", labels: {}, port };
    return { view, ...(scheme === "http" ? { listen: port } : {}), listener: { chains: [{ when: {}, then, origin: where }], otherwise: { type: "close" } } };
  });
}

const assumedFilters = [
  { name: "envoy.filters.http.fault", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault" } },
  { name: "envoy.filters.http.cors", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" } },
  { name: "envoy.filters.http.router", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } },
];

function readingsOf({ chains, otherwise }: Draft["listener"], envoy: string | undefined): readonly Reading[] {
  const tables = [...chains.map(({ then }) => then), otherwise].flatMap((then) => (then.type === "http" ? [usesOf(then)] : []));
  const uses = { headers: tables.some(({ headers }) => headers), regexes: tables.some(({ regexes }) => regexes), mirrors: false };
  return versionReadings("1.31.0", envoy, uses).map(({ name, versions, http }) => ({ name, ...(Object.keys(versions).length === 0 ? {} : { versions }), listener: listenerAs(chains, otherwise, http) }));
}

function listenerAs(chains: readonly UnreadChain[], otherwise: UnreadChain["then"], reading: HttpReading): Listener {
  const as = (then: UnreadChain["then"]): Chain["then"] => (then.type === "http" ? { ...then, reading } : then);
  return { chains: chains.map((chain): Chain => ({ ...chain, then: as(chain.then) })), otherwise: as(otherwise) };
}

function assumptionsOf({ clusters, listeners, routes, refused, node }: Loaded): readonly Assumption[] {
  return [
    ...(clusters === undefined ? [{ text: "clusters are not in the input: every one that a route names is taken to be there" }] : []),
    ...(listeners.length === 0 && routes.size > 0 ? [{ text: "listeners are not in the input: the tables are taken to be served as istiod does by default" }] : []),
    ...(node === undefined ? [{ text: "the input does not tell which proxy has loaded it" }] : []),
    ...refused.map((name) => ({ text: "the proxy refused a newer configuration and runs what it had before", where: name.slice(0, 160) })),
  ];
}

/** What touches all of the proxy. */
function leftOut({ node }: Loaded, listeners: readonly ReadListener[]): readonly Unmodelled[] {
  const found = listeners.flatMap(({ unmodelled }) => unmodelled);
  const waypoint: readonly Unmodelled[] = node?.role === "waypoint" ? [{ reason: "what a waypoint has loaded is not modelled", where: { object: `${node.namespace}/${node.name}` }, mayRoute: true }] : [];
  return [...found, ...waypoint];
}
