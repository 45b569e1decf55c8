import { addressRank } from "../../decide/chains.ts";
import { type JsonObject, listAt, textAt, textsAt } from "./json.ts";

/** The virtual addresses of a Service, as its cluster gave them out; none for headless ones. */
export function addressesOf(service: JsonObject): readonly string[] {
  const address = textAt(service, "clusterIP");
  if (address === "" || address === "None") return [];
  const all = textsAt(service, "clusterIPs");
  return all.length > 0 ? all : [address];
}

/**
 * Addresses that are the same in every cluster for Services of one name: clusters give out addresses as they come, and clients find them
 * by name. Undefined where a routing object speaks of one of them by number: such addresses stay what they are.
 */
export function commonAddresses(own: readonly string[], name: string, spokenOf: readonly string[]): readonly string[] | undefined {
  if (own.some((address) => addressRank(spokenOf, address) >= 0)) return undefined;
  return own.map((_, index) => addressFor(`${name} ${index}`));
}

/** The ranges of which the VirtualServices of a place speak. */
export function rangesOf(virtualServices: readonly JsonObject[]): readonly string[] {
  return virtualServices.flatMap((spec) =>
    ["tls", "tcp"].flatMap((field) => listAt(spec, field).flatMap((rule) => listAt(rule, "match").flatMap((match) => textsAt(match, "destinationSubnets")))),
  );
}

const PRIMES = [0x01000193, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];

/** A unique local address (RFC 4193) made of 112 bits that follow from the name: no cluster gives it out. */
function addressFor(name: string): string {
  const lanes = [0x811c9dc5, 0x9e3779b9, 0x7f4a7c15, 0x94d049bb];
  for (let at = 0; at < name.length; at++) {
    for (const [lane, prime] of PRIMES.entries()) {
      const mixed = Math.imul((lanes[lane] ?? 0) ^ (name.charCodeAt(at) + lane * 0x100), prime);
      lanes[lane] = (mixed ^ (mixed >>> 15)) >>> 0;
    }
  }
  const groups = lanes.flatMap((lane) => [lane >>> 16, lane & 0xffff]).slice(0, 7);
  return `fdca:${groups.map((group) => group.toString(16)).join(":")}`;
}
