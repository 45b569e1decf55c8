import { describe, expect, it } from "vitest";
import { networkOf } from "../../../clients/registry/addresses.ts";

const cases: readonly (readonly [address: string, network: string, why: string])[] = [
  ["93.184.216.34", "public", "an address of the internet"],
  ["2606:2800:220:1::1", "public", "one in IPv6"],
  ["10.1.2.3", "private", "RFC 1918"],
  ["192.168.0.1", "private", "RFC 1918"],
  ["172.31.255.255", "private", "RFC 1918"],
  ["100.64.0.1", "private", "shared between customers of a carrier"],
  ["127.0.0.1", "private", "this machine"],
  ["::1", "private", "this machine"],
  ["fd12:3456::1", "private", "unique local"],
  ["169.254.169.254", "never", "metadata of nearly every cloud"],
  ["169.254.170.23", "never", "credentials of pods on EKS"],
  ["fd00:ec2::254", "never", "metadata of AWS over IPv6"],
  ["fd20:ce::254", "never", "metadata of Google over IPv6"],
  ["100.100.100.200", "never", "metadata of Alibaba"],
  ["168.63.129.16", "never", "the wire server of Azure"],
  ["192.0.0.192", "never", "metadata of Oracle"],
  ["fe80::1", "never", "link-local"],
  ["0.0.0.0", "never", "reaches this machine on Linux"],
  ["::", "never", "reaches this machine on Linux"],
  ["224.0.0.1", "never", "no server"],
  ["255.255.255.255", "never", "no server"],
  ["::ffff:169.254.169.254", "never", "IPv4 inside IPv6"],
  ["::ffff:10.0.0.1", "private", "IPv4 inside IPv6"],
  ["::ffff:93.184.216.34", "public", "IPv4 inside IPv6"],
  ["64:ff9b::a9fe:a9fe", "never", "metadata behind NAT64"],
  ["64:ff9b::5db8:d822", "public", "the internet behind NAT64"],
  ["2002:a9fe:a9fe::1", "never", "metadata behind 6to4"],
  ["::a9fe:a9fe", "never", "the old way to write IPv4 in IPv6"],
  ["not an address", "never", "no address"],
];

describe("the network of an address", () => {
  for (const [address, network, why] of cases) it(`of ${address} is ${network}: ${why}`, () => expect(networkOf(address)).toBe(network));
});
