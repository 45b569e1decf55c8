import type { Unmodelled } from "../../decide/model.ts";
import { canonical, type JsonObject, listAt } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import type { VirtualService } from "../istio/virtual-services.ts";
import { intersection, overlap } from "../istio/hosts.ts";
import { hostnamesOf, parentsOf } from "./attach.ts";
import { sharesOf } from "./backends.ts";
import type { Conversion } from "./conversion.ts";
import type { Context } from "./index.ts";
import type { ApiListener } from "./listeners.ts";
import { hostsOf } from "./mesh.ts";

/** TLSRoutes and TCPRoutes as `tls` and `tcp` of VirtualServices (route_collections.go `TLSRouteCollection`, `TCPRouteCollection`). */
export function connectionRoutes(context: Context): readonly VirtualService[] {
  return context.objects.routes.filter(({ kind }) => kind === "TLSRoute" || kind === "TCPRoute").flatMap((route) => {
    let count = 0;
    return parentsOf(route, context.listeners).flatMap((parent): readonly VirtualService[] => {
      const isMesh = !("listener" in parent);
      const left: Unmodelled[] = [...(context.told.get(route)?.problems ?? [])];
      const reading = isMesh ? context.input.reading : parent.listener.reading;
      const conversion: Conversion = { reading, isMesh, ...context.bases, memory: context.input.memory, leave: (one) => void left.push(one) };
      const routes = listAt(route.spec, "rules").map((rule, index) => routeOf(rule, `spec.rules[${index}]`, route, conversion));
      if (routes.includes(undefined)) return [];
      const lists = routes.filter((one) => one !== undefined);
      if ("listener" in parent) {
        left.push(...parent.listener.left, ...openAt(parent.listener, route, context));
        return hostsAt(parent.listener, route).map((host) => made(route, count++, host, parent.listener.internal, { lists, names: namesAt(parent.listener, route), left }, context));
      }
      return hostsOf(parent, context).map((host) => made(route, count++, host, "mesh", { lists, names: namesInMesh(route, host), left, ...(parent.port === undefined ? {} : { port: parent.port }) }, context));
    });
  });
}

/** The shares of a rule; without any the connection is refused. */
function routeOf(rule: unknown, path: string, route: Named, conversion: Conversion): readonly JsonObject[] | undefined {
  const shares = sharesOf(rule, path, route, conversion, () => ({}));
  return shares?.length === 0 ? [{ destination: {} }] : shares;
}

/** What stays open of a route at a listener. */
function openAt(listener: ApiListener, route: Named, { objects, listeners }: Context): readonly Unmodelled[] {
  const where = { object: route.title, path: "spec" };
  if (route.kind === "TLSRoute" && listener.tls === "Terminate") return [{ reason: "a TLSRoute at a listener that ends TLS is not modelled", where }];
  if (listener.reading === "istiod" && route.created !== undefined) return [];
  const rivals = objects.routes.filter((other) => other !== route && other.kind === route.kind && (other.created === undefined || route.created === undefined) &&
    parentsOf(other, listeners).some((parent) => "listener" in parent && parent.listener === listener) &&
    hostnamesOf(other).some((one) => hostnamesOf(route).some((two) => overlap(one, two))));
  const [rival] = rivals;
  if (rival === undefined) return [];
  return [{ reason: `${route.title} and ${rival.title} share a listener and hosts, and their age, which decides, is not known`, where, key: `age ${canonical([route.spec, ...rivals.map(({ spec }) => spec)])}` }];
}

function hostsAt(listener: ApiListener, route: Named): readonly string[] {
  if (route.kind === "TCPRoute") return ["*"];
  return listener.hostname === "" ? hostnamesOf(route) : intersection(hostnamesOf(route), [listener.hostname]);
}

/** conversion.go `constrainTLSRoutesToListenerHost`. */
function namesAt(listener: ApiListener, route: Named): readonly string[] {
  return listener.hostname === "" ? hostnamesOf(route) : intersection(hostnamesOf(route), [listener.hostname]);
}

/** conversion.go `augmentTLSPortMatch`, `compatibleRoutesForHost`: without hostnames the names are those of the service. */
function namesInMesh(route: Named, host: string): readonly string[] {
  const own = hostnamesOf(route);
  if (own.length === 1 && own[0] === "*") return [host];
  return own.length > 1 ? own.filter((name) => overlap(host, name)) : own;
}

interface Connection {
  readonly lists: readonly (readonly JsonObject[])[];
  readonly names: readonly string[];
  readonly left: readonly Unmodelled[];
  readonly port?: number;
}

function made(route: Named, count: number, host: string, gateway: string, { lists, names, left, port }: Connection, { input }: Context): VirtualService {
  const isTls = route.kind === "TLSRoute";
  const match = { ...(isTls ? { sniHosts: names } : {}), ...(port === undefined ? {} : { port }) };
  const rules = lists.map((list) => ({ ...(isTls || port !== undefined ? { match: [match] } : {}), route: list.length === 1 ? list.map(({ destination }) => ({ destination })) : list }));
  const spec = { hosts: [host], gateways: [gateway], ...(isTls ? { tls: rules } : { tcp: rules }) };
  return {
    named: { ...route, name: `${route.name}~${isTls ? "tls" : "tcp"}~${count}~istio-autogenerated-k8s-gateway`, spec, problems: [] },
    hosts: [host], gateways: [gateway], exportTo: input.exportTo.map((target) => (target === "." ? route.namespace : target)), http: [], problems: [], left, isOfApi: true,
  };
}
