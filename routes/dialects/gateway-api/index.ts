import type { Assumption, Unmodelled } from "../../decide/model.ts";
import { at, canonical, type Json, labelsAt, listAt, objectAt, textAt } from "../istio/json.ts";
import type { Memory } from "../istio/memory.ts";
import { creation, type KubeObject, type Named, type Service } from "../istio/registry.ts";
import type { VirtualService } from "../istio/virtual-services.ts";
import type { WaypointObjects } from "../istio/waypoints.ts";
import { connectionRoutes } from "./connections.ts";
import { type AbsentParents, absentParents, type ApiListener, listenersOf, programmerOf, serverOf } from "./listeners.ts";
import { type Bases, basesOf, istiodRoutes, readRoutes, type Told } from "./merged.ts";
import { type ApiObjects, type ApiReading, byAgeAndName, GROUP, problemsOf } from "./objects.ts";
import { meshRoutes } from "./mesh.ts";
import { specifiedRoutes } from "./specified.ts";

export type { ApiReading } from "./objects.ts";

/** What the dialect of Istio gives to read the objects of Gateway API beside it. */
export interface ApiInput {
  readonly objects: readonly KubeObject[];
  readonly reading: ApiReading;
  readonly domain: string;
  readonly complete: boolean;
  readonly unseen: readonly string[];
  readonly namespaces: ReadonlyMap<string, Named>;
  readonly services: readonly Service[];
  readonly areServicesSeen: boolean;
  /** ServiceEntries were. */
  readonly areEntriesSeen: boolean;
  readonly exportTo: readonly string[];
  readonly memory: Memory;
}

/** The objects of Gateway API as istiod hands them to its generators: Gateways and VirtualServices of its own making. */
export interface Api {
  readonly gateways: readonly Named[];
  readonly virtualServices: readonly VirtualService[];
  /** What concerns waypoints, which are not modelled. */
  readonly waypoints: WaypointObjects;
  /** What policies of Gateway API do to connections with a service, by host. */
  readonly policies: ReadonlyMap<string, Unmodelled>;
  readonly assumptions: readonly Assumption[];
  readonly unmodelled: readonly Unmodelled[];
}

/** Everything that one translation shares. */
export interface Context {
  readonly input: ApiInput;
  readonly objects: ApiObjects;
  readonly absent: AbsentParents;
  readonly listeners: readonly ApiListener[];
  readonly bases: Bases;
  /** Per route, what is told of it. */
  readonly told: ReadonlyMap<Named, Told>;
}

const nothing: Api = { gateways: [], virtualServices: [], waypoints: { isWaypoint: () => false, find: () => undefined, routes: [], grants: [] }, policies: new Map(), assumptions: [], unmodelled: [] };

/** True where some object is of Gateway API: others need not load its reading. */
function hasApi(objects: readonly KubeObject[]): boolean {
  return objects.some(({ object }) => textAt(object, "apiVersion").startsWith(`${GROUP}/`));
}

/**
 * Reads the objects of Gateway API.
 *
 * Guarantees: nothing in the objects makes it throw; what is not modelled is told for the hosts that it touches; the result depends on
 * the objects, not on the order in which they are given.
 */
export function readApi(input: ApiInput): Api {
  if (!hasApi(input.objects)) return nothing;
  const written = sorted(input.objects);
  const told = readRoutes(written.routes, input.memory);
  const objects: ApiObjects = { ...written, routes: [...told.keys()] };
  const kinds = new Set([...objects.gateways, ...objects.listenerSets, ...objects.routes, ...objects.grants].map(({ kind }) => kind));
  const seen = (kind: string): boolean => !input.unseen.includes(kind) && !input.unseen.includes(`${kind} (${GROUP})`) && (input.complete || kinds.has(kind) || (kind === "Namespace" && input.namespaces.size > 0));
  const absent = absentParents(objects, input.complete);
  const listeners = listenersOf({ objects, namespaces: input.namespaces, reading: input.reading, absent, seen });
  const context: Context = { input, objects, absent, listeners, bases: basesOf(input, objects.grants, seen("ReferenceGrant")), told };
  const virtualServices = [...istiodRoutes(context), ...specifiedRoutes(context), ...meshRoutes(context), ...connectionRoutes(context)];
  return {
    gateways: listeners.filter(({ isServed }) => isServed).map(gatewayFor),
    virtualServices,
    waypoints: waypointsIn(objects),
    policies: policiesOf(context),
    assumptions: assumptionsOf(context, seen),
    unmodelled: [...loose(context, virtualServices), ...unknownParents(context), ...unknownEntries(context)],
  };
}

function sorted(objects: readonly KubeObject[]): ApiObjects {
  const own: Named[] = [];
  for (const entry of objects) {
    if (!textAt(entry.object, "apiVersion").startsWith(ANY_VERSION)) continue;
    const one = named(entry);
    if (one.name !== "") own.push(one);
  }
  own.sort(byAgeAndName);
  const of = (...kinds: readonly string[]): readonly Named[] => own.filter(({ kind }) => kinds.includes(kind));
  return {
    gateways: of("Gateway"),
    listenerSets: of("ListenerSet"),
    routes: of("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"),
    grants: of("ReferenceGrant"),
    classes: new Map(of("GatewayClass").map(({ name, spec }) => [name, textAt(spec, "controllerName")])),
    backendPolicies: of("BackendTLSPolicy"),
  };
}

const ANY_VERSION = `${GROUP}/`;
const noAnnotations: Named["annotations"] = {};
const noProblems: Named["problems"] = [];
const noRules: Named["written"] = [];

function named({ object, file, line }: KubeObject): Named {
  const metadata = objectAt(object, "metadata");
  const kind = textAt(object, "kind"), name = textAt(metadata, "name"), namespace = textAt(metadata, "namespace") || "default";
  const created = creation(at(metadata, "creationTimestamp"));
  return { kind, namespace, name, title: `${kind} ${namespace}/${name}`, created, labels: labelsAt(metadata, "labels"), annotations: noAnnotations, spec: objectAt(object, "spec"), problems: noProblems, written: noRules, file, line };
}

/** The Istio Gateway of one listener (gateway_collection.go: one server each). */
function gatewayFor(listener: ApiListener): Named {
  const { owner, gateway, path, isForeign } = listener;
  const [, name = ""] = listener.internal.split("/");
  return {
    ...owner, kind: "Gateway", name, problems: [], spec: { servers: [serverOf(listener)] },
    listener: { namespace: gateway.namespace, name: gateway.name, path, isForeign, services: servicesOf(gateway) },
  };
}

/** The services whose pods serve a Gateway that istiod does not deploy itself (gatewaycommon `IsManaged`); undefined: its own. */
function servicesOf(gateway: Named): readonly string[] | undefined {
  const addresses = listAt(gateway.spec, "addresses");
  const isHostname = (address: Json): boolean => textAt(address, "type") === "Hostname";
  if (addresses.length === 0 || (addresses.length === 1 && !isHostname(addresses[0]))) return undefined;
  return addresses.filter(isHostname).map((address) => textAt(address, "value")).map((host) => (host.includes(".") ? host : `${host}.${gateway.namespace}.svc`));
}

/** Problems of listeners and routes that no table holds: nobody else would tell them. */
function loose({ listeners, objects, told }: Context, virtualServices: readonly VirtualService[]): readonly Unmodelled[] {
  const held = new Set(virtualServices.flatMap(({ left }) => left ?? []).map((one) => canonical(one)));
  const ofRoutes = objects.routes.flatMap((route) => told.get(route)?.problems ?? []);
  return [...listeners.flatMap(({ left }) => left), ...ofRoutes, ...objects.grants.flatMap((grant) => problemsOf(grant))].filter((one) => !held.has(canonical(one)));
}

/** Routes at parents of which the input tells nothing: the same where the same routes are bound to them in one order. */
function unknownParents({ absent }: Context): readonly Unmodelled[] {
  return absent.open.map(({ route, path, parent, reference }, index) => {
    const section = textAt(reference, "sectionName");
    const what = section === "" ? `the ${parent}` : `the section \`${section.slice(0, 80)}\` of the ${parent}`;
    return { reason: `the route is bound to ${what}, which is not in the input`, where: { object: route.title, path }, key: `parent ${index} ${canonical([route.title, route.spec])}` };
  });
}

/** Routes at ServiceEntries, where none was seen: their hosts are not known. */
function unknownEntries({ objects, input }: Context): readonly Unmodelled[] {
  if (input.areEntriesSeen) return [];
  return objects.routes.flatMap((route) => listAt(route.spec, "parentRefs").flatMap((reference, index): readonly Unmodelled[] => {
    if (textAt(reference, "kind") !== "ServiceEntry" || textAt(reference, "group") !== "networking.istio.io") return [];
    const parent = `ServiceEntry ${textAt(reference, "namespace") || route.namespace}/${textAt(reference, "name")}`;
    return [{ reason: `the route is bound to the ${parent}, which is not in the input`, where: { object: route.title, path: `spec.parentRefs[${index}]` }, key: `parent ${canonical([route.title, route.spec])}` }];
  }));
}

function assumptionsOf({ objects, listeners, absent }: Context, seen: (kind: string) => boolean): readonly Assumption[] {
  const out: Assumption[] = [];
  for (const gateway of new Set(listeners.filter(({ isForeign }) => isForeign).map((listener) => listener.gateway))) {
    out.push({ text: `the class \`${textAt(gateway.spec, "gatewayClassName").slice(0, 80)}\` is not Istio's: its controller is taken to follow the specification of Gateway API, and its proxies to read requests as Envoy does`, where: gateway.title });
  }
  for (const { title } of absent.assumed) {
    out.push({ text: `the ${title} is not in the input; plaintext listeners of Istio's class on port 80 and on the ports that routes name are assumed, which take every route`, where: title });
  }
  const own = listeners.filter(({ isForeign }) => !isForeign);
  if (own.some(({ reading }) => reading === "specification")) out.push({ text: "Gateway API is read as its specification says, not as istiod does" });
  else if (own.length > 0 || objects.routes.length > 0) out.push({ text: "Gateway API is read as istiod 1.31 does" });
  if (!seen("ReferenceGrant") && objects.routes.length > 0 && objects.grants.length === 0) out.push({ text: "no ReferenceGrant is in the input: what needs one is left open" });
  return out;
}

/** What the BackendTLSPolicies of a service make of connections with it: compared by their whole text. */
function policiesOf({ objects, input }: Context): ReadonlyMap<string, Unmodelled> {
  const out = new Map<string, Unmodelled>();
  for (const policy of objects.backendPolicies) {
    for (const target of listAt(policy.spec, "targetRefs")) {
      if (textAt(target, "kind") !== "Service") continue;
      const host = `${textAt(target, "name")}.${policy.namespace}.svc.${input.domain}`;
      const before = out.get(host)?.key ?? "";
      out.set(host, { reason: `${policy.title} decides how the service is connected with, which is compared by its text`, where: { object: policy.title, path: "spec" }, key: `${before} BackendTLSPolicy ${canonical(policy.spec)}` });
    }
  }
  return out;
}

function waypointsIn({ gateways, classes, routes, grants }: ApiObjects): WaypointObjects {
  const find = (namespace: string, name: string): Named | undefined => gateways.find((gateway) => gateway.name === name && gateway.namespace === namespace);
  return {
    isWaypoint: (gateway) => programmerOf(gateway, classes) === "waypoint",
    find,
    routes,
    grants,
  };
}
