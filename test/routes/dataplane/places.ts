import { type IstioPlace, istioWorld, type Request, type RouteWorld, type View } from "#routes";
import { at, type Json, type JsonObject, labelsAt, listAt, numberAt, objectAt, textAt } from "../../../routes/dialects/istio/json.ts";
import type { Asked } from "../../oracles/envoy/serve.ts";
import type { Generated, Translation } from "../../oracles/istiod.ts";
import { type MadeWorld, objectsFor, tokenOf } from "./worlds.ts";

/** One place as both sides see it: the tables of the engine, and what istiod made for each proxy. */
export interface Place {
  readonly made: MadeWorld;
  readonly world: RouteWorld;
  readonly generated: ReadonlyMap<string, Generated>;
}

/** Releases of the real parts. */
export const RELEASES = { istio: "1.31.0", envoy: "1.40.0" } as const;

/** Both sides of one place. */
export function placeOf(made: MadeWorld, translation: Translation, name: string): Place {
  const objects = objectsFor(made).map((object) => ({ object }));
  const input: IstioPlace = { place: name, objects, complete: true, meshConfig: made.meshConfig, ...RELEASES };
  return { made, world: istioWorld(input), generated: new Map((translation.views ?? []).map((view) => [view.id, view])) };
}

/** The proxies that a view stands for. */
export function proxiesOf(place: Place, view: View): readonly Generated[] {
  return place.made.proxies.flatMap((proxy) => {
    const generated = place.generated.get(proxy.id);
    if (generated === undefined) return [];
    if (!("mesh" in view)) return generated.servers?.some(({ gateway }) => gateway === view.gateway) === true ? [generated] : [];
    const fits = proxy.type === "sidecar" && proxy.namespace === view.namespace && Object.entries(view.labels).every(([key, value]) => proxy.labels[key] === value);
    return fits ? [generated] : [];
  });
}

/** The listener of a proxy that takes a connection of a view: on the very address, else on the port, else the one for all others. */
export function listenerFor(generated: Generated, view: View, request: Request): string | undefined {
  if (!("mesh" in view)) {
    // A ListenerSet brings servers of its own name to the proxies of its Gateway.
    const server = generated.servers?.find(({ gateway, port }) => gateway === view.gateway && port === view.port) ?? generated.servers?.find(({ port }) => port === view.port);
    return generated.listeners.map((listener) => [textAt(listener, "name"), addressOf(listener)] as const).find(([, address]) => address.port === server?.listen)?.[0];
  }
  const names = new Set(generated.listeners.map((listener) => textAt(listener, "name")));
  const { address = "", port = view.port } = request.destination ?? {};
  return [`${address}_${port}`, `0.0.0.0_${port}`, "virtualOutbound"].find((name) => names.has(name));
}

function addressOf(listener: Json): { readonly address: string; readonly port: number } {
  const socket = objectAt(objectAt(listener, "address"), "socket_address");
  return { address: textAt(socket, "address"), port: numberAt(socket, "port_value") };
}

/** A request as it is sent to a listener of a view. `http` tells bytes of HTTP from others. */
export function askedOf(listener: string, view: View, request: Request, { http, random, transport }: { readonly http: boolean; readonly random: number; readonly transport: "tls" | "raw_buffer" }): Asked {
  const { address, port = view.port } = request.destination ?? {};
  const token = request.claims === undefined ? [] : [["authorization", `Bearer ${tokenOf(request.claims)}`] as const];
  return {
    listener,
    ...(transport === "tls" ? { tls: request.sni === undefined ? {} : { serverName: request.sni } } : {}),
    ...(address === undefined ? {} : { destination: { address, port } }),
    ...(http ? { request: { method: request.method, path: request.path, authority: request.authority, headers: [...request.headers, ...token] }, random } : {}),
  };
}

/** Addresses of the pods that a service's labels select. */
export function addressesOf(made: MadeWorld, host: string, subset: Readonly<Record<string, string>>): readonly string[] | undefined {
  const [name, namespace, svc] = host.split(".");
  const service = made.objects.find((object) => svc === "svc" && at(object, "kind") === "Service" && nameOf(object) === `${namespace}/${name}`);
  if (service === undefined) return undefined;
  const wanted = { ...labelsAt(objectAt(service, "spec"), "selector"), ...subset };
  if (Object.keys(wanted).length === 0) return undefined;
  return made.objects.filter((object) => {
    const labels = labelsAt(objectAt(object, "metadata"), "labels");
    return at(object, "kind") === "Pod" && textAt(objectAt(object, "metadata"), "namespace") === namespace && Object.entries(wanted).every(([key, value]) => labels[key] === value);
  }).map((pod) => textAt(objectAt(pod, "status"), "podIP")).sort();
}

function nameOf(object: JsonObject): string {
  const metadata = objectAt(object, "metadata");
  return `${textAt(metadata, "namespace")}/${textAt(metadata, "name")}`;
}

/** Ports on which a proxy serves HTTP for others, by what istiod made. */
export function httpPortsOf(generated: Generated): readonly number[] {
  return generated.listeners.flatMap((listener) => {
    const { address, port } = addressOf(listener);
    const isHttp = listAt(listener, "filter_chains").some((chain) => listAt(chain, "filters").some((filter) => textAt(filter, "name").includes("http_connection_manager")));
    return isHttp && address === "0.0.0.0" && port < 15_000 ? [port] : [];
  });
}
