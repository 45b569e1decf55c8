import type { Assumption, RouteWorld, Unmodelled } from "../../decide/model.ts";
import { type ApiReading, readApi } from "../gateway-api/index.ts";
import { addressesOf } from "./addresses.ts";
import { unagedRivals } from "./ages.ts";
import { readDestinationRules } from "./destination-rules.ts";
import { gatewayViews } from "./gateways.ts";
import { type Json, listAt, objectAt, textAt } from "./json.ts";
import { Memory } from "./memory.ts";
import { meshViews } from "./mesh-views.ts";
import { byAge } from "./order.ts";
import type { Place } from "./place.ts";
import { type KubeObject, type OneProxy, readRegistry, type Service } from "./registry.ts";
import { objectReading } from "./versions.ts";
import { readVirtualServices } from "./virtual-services.ts";
import { capturedServices } from "./waypoints.ts";

export type { KubeObject, OneProxy } from "./registry.ts";

/** The objects of one place and what is known about it. */
export interface IstioPlace {
  /** Name of the place in reports. */
  readonly place: string;
  /** As an API server lists them; other kinds are passed over. */
  readonly objects: readonly KubeObject[];
  /** The input holds everything: a kind of which there is no object has none. */
  readonly complete?: boolean;
  /** Kinds that were asked for and could not be seen. */
  readonly unseen?: readonly string[];
  /** The mesh configuration (`data.mesh` of the ConfigMap `istio`), parsed. */
  readonly meshConfig?: Json;
  /** Whose reading of Gateway API counts where a Gateway is of Istio's class, and for clients in the mesh; istiod's where it is left out. */
  readonly reading?: ApiReading;
  /** Release of istiod and of the proxies; left out where unknown. */
  readonly istio?: string;
  readonly envoy?: string;
  /** For a comparison of clusters, which give out addresses as they come: a Service has an address that follows from its name. */
  readonly servicesByName?: boolean;
  /** One proxy: only its views. Left out: all clients and gateways. */
  readonly proxy?: OneProxy;
  /** In the words of what proxies load, for a comparison with that: subsets by their names, without what clusters are configured with. */
  readonly asLoaded?: boolean;
  readonly domain?: string;
  readonly rootNamespace?: string;
}

/** Kinds that could matter and that an input may lack without saying so. */
const silent = ["EnvoyFilter", "Sidecar", "WasmPlugin", "DestinationRule", "AuthorizationPolicy"];

/**
 * The routing of a place as its istiod would configure its proxies.
 *
 * Guarantees:
 *
 * 1. Nothing in the objects makes it throw: a value of a wrong type and an unknown field become {@link Unmodelled} with object and path.
 * 2. Where the age of objects or a version decides and is not known, a view has one reading for each possibility.
 * 3. The result depends on the objects, not on the order in which they are given.
 *
 * Cost grows with rules times the views that see them. Several places that are to be compared are better read together:
 * {@link istioWorlds}.
 */
export function istioWorld(input: IstioPlace): RouteWorld {
  return worldOf(input, new Memory());
}

/** The routing of several places, each as {@link istioWorld} reads it. What they have in common is read once. */
export function istioWorlds(inputs: readonly IstioPlace[]): readonly RouteWorld[] {
  const memory = new Memory();
  return inputs.map((input) => worldOf(input, memory));
}

function worldOf(input: IstioPlace, memory: Memory): RouteWorld {
  const assumptions = new Map<string, Assumption>();
  const unmodelled = new Map<string, Unmodelled>();
  const assume = (assumption: Assumption): void => void assumptions.set(`${assumption.text} ${assumption.where ?? ""}`, assumption);
  const leaveOut = (left: Unmodelled): void => void unmodelled.set(JSON.stringify(left), left);
  const registry = readRegistry(input.objects, {
    complete: input.complete ?? false,
    unseen: input.unseen ?? [],
    meshConfig: input.meshConfig,
    domain: input.domain ?? "cluster.local",
    rootNamespace: input.rootNamespace ?? "istio-system",
    memory,
    byName: input.servicesByName ?? false,
    proxy: input.proxy,
    asLoaded: input.asLoaded ?? false,
  });
  const api = readApi({
    objects: input.objects,
    reading: input.reading ?? "istiod",
    domain: registry.domain,
    complete: input.complete ?? false,
    unseen: input.unseen ?? [],
    namespaces: registry.namespaces,
    services: registry.services,
    areServicesSeen: registry.seen("Service"),
    areEntriesSeen: registry.seen("ServiceEntry"),
    exportTo: registry.mesh.virtualServiceExportTo,
    memory,
  });
  api.assumptions.forEach(assume);
  api.unmodelled.forEach(leaveOut);
  const captured = capturedServices({ registry, objects: api.waypoints, policies: api.policies, istio: input.istio, envoy: input.envoy });
  const place: Place = {
    registry: { ...registry, gateways: [...registry.gateways, ...api.gateways], captured, policies: api.policies },
    memory,
    virtualServices: [...readVirtualServices(registry, memory), ...api.virtualServices].sort((a, b) => byAge(a.named, b.named)),
    destinationRules: readDestinationRules(registry, objectReading(input.istio)),
    complete: input.complete ?? false,
    istio: input.istio,
    envoy: input.envoy,
    assume,
    leaveOut,
  };
  for (const problem of registry.broken) leaveOut({ reason: problem.reason, where: { object: problem.path } });
  registry.mesh.unmodelled.forEach(leaveOut);
  unagedRivals(registry, place.destinationRules).forEach(leaveOut);
  if (!registry.mesh.seen) assume({ text: "the mesh configuration is not in the input: Istio's defaults are assumed" });
  if (input.istio === undefined) assume({ text: "the release of istiod is not known: 1.24 or newer is assumed" });
  noteRelease(place);
  const missing = silent.filter((kind) => !registry.seen(kind));
  if (missing.length > 0) assume({ text: `no object of ${missing.join(", ")} is in the input: none is assumed` });
  const views = [...gatewayViews(place), ...meshViews(place)];
  const services = Object.fromEntries(registry.services.filter(({ isByName }) => isByName).flatMap(({ addresses, host, source }) => addresses.map((address) => [address, { host, hasBothFamilies: addressesOf(source.spec).length > 1 }])));
  const routedBeside = Object.fromEntries([...captured].filter(([, { mayRoute }]) => mayRoute === true));
  const areClientsAssumed = registry.seen("Pod") || input.proxy !== undefined ? {} : { areClientsAssumed: true as const };
  return { place: input.place, views, ...(Object.keys(services).length === 0 ? {} : { services }), ...(Object.keys(routedBeside).length === 0 ? {} : { routedBeside }), ...areClientsAssumed, assumptions: [...assumptions.values()], unmodelled: [...unmodelled.values()] };
}

/** A service whose host another namespace has, too. */
function sharedHost(services: readonly Service[]): Service | undefined {
  const owners = new Map<string, string>();
  return services.find(({ host, namespace }) => {
    const owner = owners.get(host) ?? namespace;
    owners.set(host, owner);
    return owner !== namespace;
  });
}

/** What releases before the newest do in another way than is modelled, where the place holds it. */
function noteRelease({ istio, virtualServices, registry, assume, leaveOut }: Place): void {
  const { endsInDot, redirectsPrefixes } = objectReading(istio);
  const shared = istio === undefined ? sharedHost(registry.services) : undefined;
  if (shared !== undefined) assume({ text: `several namespaces have \`${shared.host}\`; of such hosts that of Kubernetes counts, then the oldest, as from Istio 1.30 on`, where: shared.source.title });
  if (!endsInDot && registry.services.length > 0) assume({ text: `Istio ${istio} may not know services by names that end in a dot, as 1.27 and newer do: no client is assumed to write them` });
  if (redirectsPrefixes) return;
  for (const { named } of virtualServices) {
    const index = listAt(named.spec, "http").findIndex((rule) => textAt(objectAt(rule, "redirect"), "prefixRewrite") !== "");
    if (index >= 0) leaveOut({ reason: `Istio ${istio} does not know \`prefixRewrite\` of a redirect, which came with 1.31`, where: { object: named.title, path: `spec.http[${index}].redirect.prefixRewrite` } });
  }
}
