import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { Unreadable } from "./unreadable.ts";

/**
 * What kind of network an address lies in.
 *
 * - `never`: link-local, metadata services, and ranges in which no server can be;
 * - `private`: this machine and networks that are not the internet.
 *
 * IPv6 addresses that stand for an IPv4 address are what that address is.
 */
export function networkOf(address: string): "public" | "private" | "never" {
  if (!ipaddr.isValid(address)) return "never";
  const parsed = ipaddr.parse(address);
  const inner = parsed instanceof ipaddr.IPv6 ? embedded(parsed) : undefined;
  if (inner !== undefined) return networkOf(inner.toString());
  if (METADATA.some((known) => parsed.kind() === known[0].kind() && parsed.match(known[0], known[1]))) return "never";
  const range = parsed.range();
  if (range === "unicast") return "public";
  return PRIVATE.has(range) ? "private" : "never";
}

const PRIVATE: ReadonlySet<string> = new Set(["private", "uniqueLocal", "loopback", "carrierGradeNat"]);

/** Those that are not link-local: AWS over IPv6, Google over IPv6, Alibaba, Azure. */
const METADATA = ["fd00:ec2::/32", "fd20:ce::254/128", "100.100.100.200/32", "168.63.129.16/32"].map((range) => ipaddr.parseCIDR(range));

/** Mapped, compatible, NAT64 and 6to4: connections may end at the IPv4 address inside. */
function embedded(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  const at = (from: number) => new ipaddr.IPv4(bytes.slice(from, from + 4));
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (address.range() === "rfc6052" || address.range() === "rfc6145") return at(12);
  if (address.range() === "6to4") return at(2);
  const isCompatible = bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12).some((byte) => byte !== 0) && address.toString() !== "::1";
  return isCompatible ? at(12) : undefined;
}

/** Throws where a host with this address may not be contacted. `isNamed`: the fleet allows it a private one. */
export function checkAddress(host: string, address: string, isNamed: boolean): void {
  const network = networkOf(address);
  if (network === "public" || (network === "private" && isNamed)) return;
  if (network === "never") {
    throw new Unreadable("refused", `\`${host}\` has the address ${address}, which belongs to this network link or to a metadata service`, "correct the reference: such addresses are never contacted");
  }
  throw new Unreadable("refused", `\`${host}\` has the private address ${address}`, `name the host in \`registry.privateHosts\` of the cluster if it is a registry of yours`);
}

/** Resolves a name for a connection, which then goes to an address that was checked here, whatever the name says a moment later. */
export function checkedLookup(isNamed: boolean): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      const [first] = found ?? [];
      if (error !== null || first === undefined) return done(error ?? new Error("no address"), "", 0);
      try {
        for (const { address } of found) checkAddress(host, address, isNamed);
      } catch (refusal) {
        return done(refusal instanceof Error ? refusal : new Error(String(refusal)), "", 0);
      }
      if (options.all === true) done(null, found);
      else done(null, first.address, first.family);
    });
  };
}
