import type { Unmodelled } from "../../decide/model.ts";
import { addressesOf, commonAddresses, rangesOf } from "./addresses.ts";
import { check, fits, type Problem, type Shape } from "./check.ts";
import { fullName } from "./hosts.ts";
import { at, isObject, type Json, type JsonObject, labelsAt, listAt, numberAt, objectAt, textAt, textsAt, withOne } from "./json.ts";
import type { Memory, Written } from "./memory.ts";
import { type Mesh, parseMesh } from "./mesh.ts";
import { byAge } from "./order.ts";
import * as shapes from "./shapes.ts";
import type { Captured } from "./waypoints.ts";

/** An object as an API server lists it, and where it was read. */
export interface KubeObject {
  readonly object: Json;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** An object of a kind that this dialect reads. */
export interface Named {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `VirtualService prod/api`. */
  readonly title: string;
  /** Seconds as the API server writes them (`2026-01-01T00:00:00Z`), which sort as text; undefined where it was never told. */
  readonly created: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
  /** Fields that are not modelled or of a wrong type. */
  readonly problems: readonly Problem[];
  /** The `http` rules of a VirtualService. */
  readonly written: readonly Written[];
  /** Of a Gateway that istiod makes of a listener of Gateway API: whose it is. */
  readonly listener?: FromListener;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** The listener of Gateway API that a Gateway was made of. */
interface FromListener {
  /** The Gateway of Gateway API whose proxies serve it. */
  readonly namespace: string;
  readonly name: string;
  /** Where the listener stands in its object. */
  readonly path: string;
  /** Another control plane than istiod programs it. */
  readonly isForeign: boolean;
  /** Services whose pods serve it; undefined: those that its control plane deploys for it. */
  readonly services: readonly string[] | undefined;
}

/** How a port of a service is served: `auto` looks at the first bytes of a connection. */
export type Protocol = "http" | "tls" | "tcp" | "auto";

interface ServicePort {
  readonly number: number;
  readonly protocol: Protocol;
  readonly targetPort: number | string | undefined;
}

/** What istiod's service registry holds of one host in one namespace: from a Service, or from one host of a ServiceEntry. */
export interface Service {
  readonly host: string;
  readonly namespace: string;
  readonly kubernetes: boolean;
  readonly ports: readonly ServicePort[];
  /** It has ports of UDP too: none of the others is its only one. */
  readonly hasDatagrams?: true;
  /** Virtual addresses; none for headless services. */
  readonly addresses: readonly string[];
  /** The addresses follow from the name of the service: no client can know them. */
  readonly isByName: boolean;
  /** A sidecar passes connections on to the address that the client asked for: headless Services, ServiceEntries that resolve nothing. */
  readonly passesOn: boolean;
  readonly exportTo: readonly string[];
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** The host that an ExternalName leads to. */
  readonly alias: string | undefined;
  readonly source: Named;
}

/** One proxy, by what its control plane goes by. */
export interface OneProxy {
  readonly role: "gateway" | "sidecar";
  readonly namespace: string;
  /** All labels of its pod. */
  readonly labels: Readonly<Record<string, string>>;
}

/** All objects of one place, sorted out. */
export interface Registry {
  /** The place is read for this proxy alone. */
  readonly proxy: OneProxy | undefined;
  /** In the words of what proxies load: subsets by their names, without what clusters are configured with. */
  readonly asLoaded: boolean;
  readonly domain: string;
  readonly mesh: Mesh;
  readonly virtualServices: readonly Named[];
  readonly gateways: readonly Named[];
  readonly destinationRules: readonly Named[];
  readonly sidecars: readonly Named[];
  readonly services: readonly Service[];
  readonly pods: readonly Named[];
  readonly namespaces: ReadonlyMap<string, Named>;
  /** Objects that act on the path of a request beside its routes. */
  readonly filters: readonly Named[];
  /** What waypoints do to requests for a service, by host. */
  readonly captured: ReadonlyMap<string, Captured>;
  /** What policies of other APIs do to connections with a service, by host. */
  readonly policies: ReadonlyMap<string, Unmodelled>;
  /** False of a kind of which nothing was seen in a place that does not claim to be whole. */
  seen(kind: string): boolean;
  /** A mesh of several clusters: services of others may be known here. */
  readonly shared: string | undefined;
  /** Objects that could not be read at all. */
  readonly broken: readonly Problem[];
}

export interface RegistryOptions {
  readonly complete: boolean;
  /** Kinds that were asked for and could not be seen. */
  readonly unseen: readonly string[];
  readonly meshConfig: Json;
  readonly domain: string;
  readonly rootNamespace: string;
  readonly memory: Memory;
  /** Services have the address that follows from their name, not the one of their cluster. */
  readonly byName: boolean;
  /** The only proxy of interest, where there is one. */
  readonly proxy: OneProxy | undefined;
  readonly asLoaded: boolean;
}

const shapeOf: ReadonlyMap<string, Shape> = new Map([
  ["VirtualService", shapes.virtualService],
  ["Gateway", shapes.gateway],
  ["DestinationRule", shapes.destinationRule],
  ["Sidecar", shapes.sidecar],
  ["ServiceEntry", shapes.serviceEntry],
]);

const filterKinds: ReadonlySet<string> = new Set(["EnvoyFilter", "WasmPlugin", "TrafficExtension", "AuthorizationPolicy", "RequestAuthentication"]);

/** Sorts the objects of a place out by kind. Kinds that do not concern this dialect are passed over. */
export function readRegistry(objects: readonly KubeObject[], options: RegistryOptions): Registry {
  const byKind = new Map<string, Named[]>();
  const broken: Problem[] = [];
  const kinds = new Set<string>();
  for (const entry of objects) {
    const kind = kindOf(textAt(entry.object, "apiVersion"), textAt(entry.object, "kind"));
    if (kind === undefined) continue;
    kinds.add(kind);
    const named = read(kind, entry, options);
    if (named.name === "") broken.push({ path: `${kind}${entry.file === undefined ? "" : ` in ${entry.file}`}`, reason: `a ${kind} has no name` });
    else add(byKind, kind, named);
  }
  const of = (kind: string): readonly Named[] => byKind.get(kind) ?? [];
  const mesh = parseMesh(options.meshConfig, options.rootNamespace);
  const spokenOf = options.byName ? rangesOf(of("VirtualService").map(({ spec }) => spec)) : [];
  const addressesIn = ({ spec, namespace, name }: Named): Pick<Service, "addresses" | "isByName"> => {
    const common = options.byName ? commonAddresses(addressesOf(spec), fullName(name, namespace, options.domain), spokenOf) : undefined;
    return common === undefined ? { addresses: addressesOf(spec), isByName: false } : { addresses: common, isByName: true };
  };
  const services = [
    ...of("Service").map((named) => fromService(named, options.domain, mesh.serviceExportTo, addressesIn(named))),
    ...of("ServiceEntry").flatMap((named) => fromServiceEntry(named, mesh.serviceExportTo)),
  ].sort((a, b) => byAge(a.source, b.source));
  return {
    proxy: options.proxy,
    asLoaded: options.asLoaded,
    domain: options.domain,
    mesh,
    virtualServices: of("VirtualService"),
    gateways: of("Gateway"),
    destinationRules: of("DestinationRule"),
    sidecars: of("Sidecar"),
    services,
    pods: of("Pod"),
    namespaces: new Map(of("Namespace").map((named) => [named.name, named])),
    filters: [...filterKinds].flatMap((kind) => of(kind)),
    captured: new Map(),
    policies: new Map(),
    seen: (kind) => !options.unseen.includes(kind) && (options.complete || kinds.has(kind)),
    shared: sharedMesh(mesh, of("Gateway"), of("Namespace")),
    broken,
  };
}

/** The kind under which an object is filed; those of Gateway API are another dialect's. */
function kindOf(version: string, kind: string): string | undefined {
  const slash = version.indexOf("/");
  const group = slash < 0 ? version : version.slice(0, slash);
  if (group === "networking.istio.io" && (shapeOf.has(kind) || kind === "EnvoyFilter")) return kind;
  if (group === "v1" && (kind === "Service" || kind === "Pod" || kind === "Namespace")) return kind;
  if (group.endsWith(".istio.io") && filterKinds.has(kind)) return kind;
  return undefined;
}

function read(kind: string, entry: KubeObject, { domain, memory }: RegistryOptions): Named {
  const metadata = objectAt(entry.object, "metadata");
  const namespace = textAt(metadata, "namespace") || (kind === "Namespace" ? "" : "default");
  const name = textAt(metadata, "name");
  const title = kind === "Namespace" ? `Namespace ${name}` : `${kind} ${namespace}/${name}`;
  const spec = at(entry.object, "spec");
  const written = kind === "VirtualService" ? memory.rules(listAt(spec, "http"), title, namespace, domain) : none;
  return {
    kind,
    namespace,
    name,
    title,
    created: creation(at(metadata, "creationTimestamp")),
    labels: labelsAt(metadata, "labels"),
    annotations: labelsAt(metadata, "annotations"),
    spec: isObject(spec) ? spec : {},
    problems: kind === "VirtualService" ? [...problemsOf(kind, spec ?? {}, written), ...semanticsOf(labelsAt(metadata, "annotations"))] : problemsOf(kind, spec ?? {}, written),
    written,
    file: entry.file,
    line: entry.line,
  };
}

const none: readonly Written[] = [];
const noProblems: readonly Problem[] = [];

function problemsOf(kind: string, spec: Json, written: readonly Written[]): readonly Problem[] {
  const shape = shapeOf.get(kind);
  if (shape === undefined) return noProblems;
  const isInOrder = kind === "VirtualService" && Array.isArray(at(spec, "http")) && fits(spec, shapes.virtualServiceFrame) && written.every((rule) => rule.isInOrder);
  return isInOrder ? noProblems : check(spec, shape, "spec");
}

/** An annotation with which istiod marks what it translated from Ingress or Gateway API: prefixes are segments then, and more. */
function semanticsOf(annotations: Readonly<Record<string, string>>): readonly Problem[] {
  const name = "internal.istio.io/route-semantics";
  const value = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  return value === "ingress" || value === "gateway" ? [{ path: `metadata.annotations["${name}"]`, reason: `the annotation \`${name}: ${value}\` gives routes another meaning, which is not modelled` }] : [];
}

const seconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** The API server keeps seconds, in UTC; anything else was not written by one. */
export function creation(value: Json): string | undefined {
  return typeof value === "string" && seconds.test(value) ? value.slice(0, 19) : undefined;
}

/** Ports that are TCP unless they say otherwise; on every other one the proxy finds out (pkg/config/kube/conversion.go `wellKnownPorts`). */
const wellKnownTcp: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/** istiod: pkg/config/kube/conversion.go `ConvertProtocol` and pkg/config/protocol/instance.go `Parse`. */
export function protocolOf(name: string): Protocol {
  const word = name.toLowerCase();
  if (word.startsWith("grpc-web")) return "http";
  switch (word) {
    case "http": case "http2": case "grpc": case "http_proxy": return "http";
    case "https": case "tls": return "tls";
    case "tcp": case "mongo": case "redis": case "mysql": return "tcp";
    default: return "auto";
  }
}

function portProtocol(port: Json): Protocol {
  const application = textAt(port, "appProtocol");
  if (application === "kubernetes.io/h2c" || application === "kubernetes.io/ws") return "http";
  if (application === "kubernetes.io/wss") return "tls";
  const name = application || textAt(port, "name");
  const protocol = protocolOf(name.toLowerCase().startsWith("grpc-web") ? name : (name.split("-")[0] ?? ""));
  return protocol === "auto" && wellKnownTcp.has(numberAt(port, "port")) ? "tcp" : protocol;
}

function fromService(named: Named, domain: string, exportTo: readonly string[], addresses: Pick<Service, "addresses" | "isByName">): Service {
  const { spec } = named;
  const own = targetsIn(named.annotations["networking.istio.io/exportTo"]);
  const ports = portsOf(spec);
  return {
    host: fullName(named.name, named.namespace, domain),
    namespace: named.namespace,
    kubernetes: true,
    ports,
    ...(ports.length === listAt(spec, "ports").length ? {} : { hasDatagrams: true as const }),
    ...addresses,
    passesOn: textAt(spec, "clusterIP") === "None" && textAt(spec, "type") !== "ExternalName",
    exportTo: own.length > 0 ? own : exportTo,
    selector: isObject(at(spec, "selector")) ? labelsAt(spec, "selector") : undefined,
    alias: textAt(spec, "type") === "ExternalName" ? textAt(spec, "externalName") : undefined,
    source: named,
  };
}

const noTargets: readonly string[] = [];

function targetsIn(exportTo: string | undefined): readonly string[] {
  return exportTo === undefined ? noTargets : exportTo.split(",").map((text) => text.trim()).filter((text) => text !== "");
}

const noPorts: readonly ServicePort[] = [];

function portsOf(spec: JsonObject): readonly ServicePort[] {
  let out: readonly ServicePort[] = noPorts;
  for (const port of listAt(spec, "ports")) {
    if (textAt(port, "protocol") === "UDP") continue;
    const number = numberAt(port, "port");
    out = withOne(out, { number, protocol: portProtocol(port), targetPort: targetPort(at(port, "targetPort")) ?? number });
  }
  return out;
}

function targetPort(value: Json): number | string | undefined {
  return typeof value === "number" || typeof value === "string" ? value : undefined;
}

function fromServiceEntry(named: Named, exportTo: readonly string[]): readonly Service[] {
  const { spec } = named;
  const own = textsAt(spec, "exportTo");
  const ports = listAt(spec, "ports").map((port) => ({
    number: numberAt(port, "number"),
    protocol: protocolOf(textAt(port, "protocol")),
    targetPort: undefined,
  }));
  return textsAt(spec, "hosts").map((host) => ({
    host: host.toLowerCase(),
    namespace: named.namespace,
    kubernetes: false,
    ports,
    addresses: textsAt(spec, "addresses"),
    isByName: false,
    passesOn: ["", "NONE"].includes(textAt(spec, "resolution")),
    exportTo: own.length > 0 ? own : exportTo,
    selector: undefined,
    alias: undefined,
    source: named,
  }));
}

/** Why services of other clusters may be known here, or undefined. */
function sharedMesh(mesh: Mesh, gateways: readonly Named[], namespaces: readonly Named[]): string | undefined {
  if (mesh.networks) return "mesh config names networks";
  const eastWest = gateways.find((gateway) => listAt(gateway.spec, "servers").some((server) => textAt(objectAt(server, "tls"), "mode") === "AUTO_PASSTHROUGH"));
  if (eastWest !== undefined) return `${eastWest.title} is an east-west gateway`;
  const labelled = namespaces.find((namespace) => Object.hasOwn(namespace.labels, "topology.istio.io/network"));
  return labelled === undefined ? undefined : `${labelled.title} names a network`;
}

/** True where an object exported to `exportTo` from `owner` is visible in `namespace`. */
export function isVisible(exportTo: readonly string[], owner: string, namespace: string): boolean {
  return exportTo.includes("*") || (exportTo.includes(".") && owner === namespace) || exportTo.includes(namespace);
}

/** Adds to the list under a key. */
export function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
