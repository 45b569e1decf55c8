import { at, type Json, type JsonObject, listAt, numberAt, textAt, withOne } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import { isGranted } from "./objects.ts";
import type { Conversion, ServiceDestination } from "./conversion.ts";

/** Where a reference leads: `{}` for one that is answered with an error, `undefined` for one that istiod gives the whole route up for. */
export type Destination = JsonObject | undefined;

/** conversion.go `buildDestination`. */
export function destinationOf(reference: Json, path: string, route: Named, conversion: Conversion): Destination {
  const group = textAt(reference, "group"), kind = textAt(reference, "kind") || "Service", name = textAt(reference, "name");
  const namespace = textAt(reference, "namespace") || route.namespace;
  if (!isAllowed({ group, kind, namespace, name }, path, route, conversion)) return {};
  const port = at(reference, "port");
  const to = (host: string): Destination => (typeof port === "number" ? { host, port: { number: port } } : undefined);
  if (group === "" && kind === "Service") return name.includes(".") || typeof port !== "number" ? undefined : serviceFor(name, namespace, port, conversion).destination;
  const leave = (reason: string): void => conversion.leave({ reason, where: { object: route.title, path } });
  if (conversion.reading === "specification") {
    leave(`a backend of the kind \`${kind}\` is not modelled`);
    return {};
  }
  if (group === "networking.istio.io" && kind === "Hostname") return textAt(reference, "namespace") === "" ? to(name) : undefined;
  if (["ServiceImport", "InferencePool", "XBackend"].includes(kind)) leave(`a backend of the kind \`${kind}\` is not modelled`);
  return {};
}

/** One object for a service however many rules lead there. */
export function serviceFor(name: string, namespace: string, port: number, { domain, services }: Conversion): ServiceDestination {
  let known = services.get(name);
  if (known === undefined) services.set(name, (known = []));
  for (const one of known) if (one.port === port && one.namespace === namespace && one.domain === domain) return one;
  const destination = { host: `${name}.${namespace}.svc.${domain}`, port: { number: port } };
  const service: ServiceDestination = { namespace, port, domain, destination, doings: [] };
  known.push(service);
  return service;
}

/** A reference into another namespace needs a grant there; istiod does not ask for one in the mesh. */
function isAllowed(to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string }, path: string, route: Named, conversion: Conversion): boolean {
  if (to.namespace === route.namespace || (conversion.isMesh && conversion.reading === "istiod")) return true;
  if (isGranted(conversion.grants, route, to)) return true;
  if (conversion.areGrantsSeen) return false;
  conversion.leave({ reason: `the reference to \`${to.namespace}/${to.name}\` needs a ReferenceGrant, and none is in the input`, where: { object: route.title, path } });
  return true;
}

function weightOf(reference: Json): number {
  return at(reference, "weight") === undefined ? 1 : numberAt(reference, "weight");
}

const noHeaders: JsonObject = {};
const noShares: readonly JsonObject[] = [];

/** The shares of a rule, those without weight left out; undefined where istiod gives the route up. Empty: nothing takes the requests. */
export function sharesOf(rule: Json, path: string, route: Named, conversion: Conversion, headersOf: (filters: readonly Json[], path: string) => JsonObject | undefined): readonly JsonObject[] | undefined {
  let out: readonly JsonObject[] = noShares;
  const references = listAt(rule, "backendRefs");
  for (let index = 0; index < references.length; index++) {
    const reference = references[index];
    const weight = weightOf(reference);
    if (weight === 0) continue;
    const own = `${path}.backendRefs[${index}]`;
    const destination = destinationOf(reference, own, route, conversion);
    const filters = listAt(reference, "filters");
    const headers = filters.length === 0 ? noHeaders : headersOf(filters, `${own}.filters`);
    if (destination === undefined || headers === undefined) return undefined;
    out = withOne<JsonObject>(out, Object.keys(headers).length === 0 ? { destination, weight } : { destination, weight, headers });
  }
  return out;
}

