/**
 * Addresses that stand for the names of services, where places give out addresses as they come.
 *
 * @module
 */

const PRIMES = [0x01000193, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];

/**
 * The address that stands for a service: a unique local one (RFC 4193) made of 112 bits that follow from its host; no cluster gives it out.
 * A service has one, however many addresses its cluster gave it: they are answered alike, and a client that knows its name takes any.
 */
export function standIn(name: string): string {
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
