import { lowerAscii } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import type { HttpTable, VirtualHost } from "./model.ts";

/** Where the port begins in an authority, its colon included; -1 without one. The colons of `[::1]` are none. */
export function portStart(authority: Bytes): number {
  const colon = authority.lastIndexOf(":");
  return colon >= 0 && authority.lastIndexOf("]") < colon ? colon : -1;
}

/** The authority without its port. */
export function withoutPort(authority: Bytes): Bytes {
  const start = portStart(authority);
  return start < 0 ? authority : authority.slice(0, start);
}

/** The name by which a table looks for a virtual host. */
export function hostOf(authority: Bytes, ignorePort: boolean): Bytes {
  return lowerAscii(ignorePort ? withoutPort(authority) : authority);
}

/** What a domain takes: one name, names that end so, names that begin so, or all. */
export type DomainKind = "exact" | "suffix" | "prefix" | "all";

/** The kind of a domain, and its text without the star, in lower case. */
export function readDomain(domain: string): readonly [kind: DomainKind, text: string] {
  const text = lowerAscii(domain);
  if (text === "*") return ["all", ""];
  if (text.startsWith("*")) return ["suffix", text.slice(1)];
  return text.endsWith("*") ? ["prefix", text.slice(0, -1)] : ["exact", text];
}

/** Whether a domain takes a name. A star stands for one character or more. */
export function takes(domain: string, host: Bytes): boolean {
  const [kind, text] = readDomain(domain);
  if (kind === "all") return true;
  if (kind === "exact") return host === text;
  return host.length > text.length && (kind === "suffix" ? host.endsWith(text) : host.startsWith(text));
}

const ranks: Readonly<Record<DomainKind, number>> = { exact: 3, suffix: 2, prefix: 1, all: 0 };

/** Which of two domains that take one name comes first: positive for the first. */
export function precedence(one: string, other: string): number {
  const [first, firstText] = readDomain(one);
  const [second, secondText] = readDomain(other);
  return ranks[first] - ranks[second] || firstText.length - secondText.length;
}

/** The virtual host that takes a name: exact domain, then longest suffix, then longest prefix, then `*`. */
export function virtualHostFor(table: HttpTable, host: Bytes): VirtualHost | undefined {
  let best: VirtualHost | undefined;
  let bestDomain: string | undefined;
  for (const virtual of table.virtualHosts) {
    for (const domain of virtual.domains) {
      if (!takes(domain, host) || (bestDomain !== undefined && precedence(domain, bestDomain) <= 0)) continue;
      best = virtual;
      bestDomain = domain;
    }
  }
  return best;
}
