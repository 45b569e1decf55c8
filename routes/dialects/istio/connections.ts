import type { Action, Chain, Destination } from "../../decide/model.ts";
import type { Destinations } from "./destinations.ts";
import { gatewayName } from "./hosts.ts";
import { at, isSubset, type Json, labelsAt, listAt, numberAt, textAt, textsAt } from "./json.ts";
import type { Looker } from "./matches.ts";
import type { VirtualService } from "./virtual-services.ts";

/**
 * Routes of connections: `tcp` and `tls` of a VirtualService.
 *
 * @module
 */

/** Where a connection goes; a zero weight beside others is skipped (networkfilter.go `buildOutboundNetworkFilters`). */
export function connectionAction(routes: readonly Json[], namespace: string, port: number, destinations: Destinations): Action {
  const single = routes.length === 1;
  const taken = single ? routes : routes.filter((route) => numberAt(route, "weight") > 0);
  const shares = taken.map((route): Destination => {
    const target = destinations.target(at(route, "destination"), namespace, port);
    const weight = single ? 1 : numberAt(route, "weight");
    if (target.missing) return { invalid: true, status: 503, weight };
    const { host, port: at_, subset, policy } = target;
    return { host, port: at_, weight, ...(subset === undefined ? {} : { subset }), ...(policy === undefined ? {} : { policy }) };
  });
  if (shares.length === 0) return { type: "invalid", reason: "a route of connections without any destination" };
  return shares.every((share) => "invalid" in share) ? { type: "close" } : { type: "forward", destinations: shares };
}

/** Static parts of an L4 match in the mesh: all of them count (tls.go `matchTLS`, `matchTCP`). */
export function concernsConnection(match: Json, looker: Looker, namespace: string): boolean {
  const port = numberAt(match, "port"), source = textAt(match, "sourceNamespace");
  return (
    namesGateway(match, looker.gateway, namespace) &&
    (port === 0 || port === looker.port) &&
    isSubset(labelsAt(match, "sourceLabels"), looker.labels) &&
    (source === "" || source === looker.namespace)
  );
}

function namesGateway(match: Json, gateway: string, namespace: string): boolean {
  const gateways = textsAt(match, "gateways");
  return gateways.length === 0 || gateways.some((name) => gatewayName(name, namespace) === gateway);
}

/** On gateways only the port and the gateways of an L4 match are looked at (gateway.go `l4SingleMatch`). */
function concernsServer(match: Json, looker: Looker, namespace: string): boolean {
  const port = numberAt(match, "port");
  return (port === 0 || port === looker.port) && namesGateway(match, looker.gateway, namespace);
}

export function originOf(service: VirtualService, path: string): Chain["origin"] {
  const { title, file, line } = service.named;
  // The lists of a route of Gateway API have one name for all protocols.
  const own = service.isOfApi === true ? path.replace(/^spec\.(?:tls|tcp)(\[\d+\]).*$/, "spec.rules$1") : path;
  return { object: title, path: own, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

/** The one chain of a TCP server: the first rule that fits, of the first VirtualService that has one (gateway.go `buildGatewayNetworkFiltersFromTCPRoutes`). */
export function gatewayTcp(services: readonly VirtualService[], looker: Looker, destinations: Destinations): { readonly action: Action; readonly origin: Chain["origin"] } | undefined {
  for (const service of services) {
    const { namespace } = service.named;
    for (const [index, rule] of listAt(service.named.spec, "tcp").entries()) {
      const matches = listAt(rule, "match"), routes = listAt(rule, "route");
      if (routes.length === 0 || (matches.length > 0 && !matches.some((match) => concernsServer(match, looker, namespace)))) continue;
      return { action: connectionAction(routes, namespace, looker.port, destinations), origin: originOf(service, `spec.tcp[${index}]`) };
    }
  }
  return undefined;
}

/** The chains of a passthrough server; a server name that the port has already is skipped with its block (gateway.go `buildGatewayNetworkFiltersFromTLSRoutes`). */
export function gatewayTls(services: readonly VirtualService[], looker: Looker, destinations: Destinations, taken: Map<string, string>, bind: string): readonly Chain[] {
  const out: Chain[] = [];
  for (const service of services) {
    const { namespace } = service.named;
    for (const [index, rule] of listAt(service.named.spec, "tls").entries()) {
      const routes = listAt(rule, "route");
      if (routes.length === 0) continue;
      for (const [block, match] of listAt(rule, "match").entries()) {
        const names = textsAt(match, "sniHosts");
        if (!concernsServer(match, looker, namespace) || !claimHosts(names, bind, taken)) continue;
        out.push({
          when: serverNames(names),
          then: connectionAction(routes, namespace, looker.port, destinations),
          origin: originOf(service, `spec.tls[${index}].match[${block}]`),
        });
      }
    }
  }
  return out;
}

/** Takes the hosts, unless one is taken on the same address already (model/gateway.go `CheckDuplicates`). */
export function claimHosts(hosts: readonly string[], bind: string, taken: Map<string, string>): boolean {
  if (hosts.some((host) => taken.get(host) === bind)) return false;
  for (const host of hosts) taken.set(host, bind);
  return true;
}

/** `*` among the names takes every connection, also one without a name (listener.go `toFilterChainMatch`). */
export function serverNames(names: readonly string[]): { readonly serverNames?: readonly string[] } {
  return names.length === 0 || names.includes("*") ? {} : { serverNames: names.map((name) => name.toLowerCase()) };
}
