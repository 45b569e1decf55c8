import { addressRank } from "../../decide/chains.ts";
import { standIn } from "../../decide/stand-ins.ts";
import { type JsonObject, listAt, textAt, textsAt } from "./json.ts";

/** The virtual addresses of a Service, as its cluster gave them out; none for headless ones. */
export function addressesOf(service: JsonObject): readonly string[] {
  const address = textAt(service, "clusterIP");
  if (address === "" || address === "None") return [];
  const all = textsAt(service, "clusterIPs");
  return all.length > 0 ? all : [address];
}

/**
 * An address that is the same in every cluster for Services of one host: clusters give out addresses as they come, of one family or of
 * both, and clients find them by name. Undefined where a routing object speaks of one of them by number: such addresses stay what they are.
 */
export function commonAddresses(own: readonly string[], host: string, spokenOf: readonly string[]): readonly string[] | undefined {
  if (own.some((address) => addressRank(spokenOf, address) >= 0)) return undefined;
  return own.length === 0 ? [] : [standIn(host)];
}

/** The ranges of which the VirtualServices of a place speak. */
export function rangesOf(virtualServices: readonly JsonObject[]): readonly string[] {
  return virtualServices.flatMap((spec) =>
    ["tls", "tcp"].flatMap((field) => listAt(spec, field).flatMap((rule) => listAt(rule, "match").flatMap((match) => textsAt(match, "destinationSubnets")))),
  );
}
