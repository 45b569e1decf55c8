/**
 * Kinds of connection: those for which every listener chooses the same chain.
 *
 * @module
 */

import { addressRank, bySourceAddress, chainFor, mostSpecific, nameRank, readRange } from "./chains.ts";
import type { Connection } from "./chains.ts";
import type { Action, Chain, ChainMatch, HttpTable, Listener } from "./model.ts";

/** What some listeners do with one kind of connection. */
export interface ConnectionKind {
  readonly connection: Connection;
  /** By listener. */
  readonly then: readonly (HttpTable | Action)[];
  /** No routing object has a say: some listeners have a chain for a service as such, the others none. */
  readonly isImplicit: boolean;
}

/** The kinds of connection of some listeners; two that lead to the same everywhere are one. */
export function connectionKinds(listeners: readonly Listener[], transports: readonly Connection["transport"][]): readonly ConnectionKind[] {
  const kinds: ConnectionKind[] = [];
  const seen = new Map<HttpTable | Action, number>();
  const known = new Set<string>();
  for (const connection of connections(listeners.map(({ chains }) => chains), transports)) {
    const chains = listeners.map((listener) => chainFor(listener, connection));
    const then = listeners.map((listener, index) => chains[index]?.then ?? listener.otherwise);
    const key = then.map((one) => numberOf(seen, one)).join(",");
    if (known.has(key)) continue;
    known.add(key);
    kinds.push({ connection, then, isImplicit: chains.some((chain) => chain !== undefined) && chains.every((chain) => chain === undefined || chain.isImplicit === true) });
  }
  return kinds;
}

function numberOf<T>(numbers: Map<T, number>, value: T): number {
  const known = numbers.get(value) ?? numbers.size;
  numbers.set(value, known);
  return known;
}

/** One connection for every way through the steps of the choice. */
function* connections(lists: readonly (readonly Chain[])[], transports: readonly Connection["transport"][]): Generator<Connection> {
  const ports = new Set(lists.flat().map(({ when }) => when.destinationPort));
  ports.add(undefined);
  for (const port of ports) {
    const byPort = lists.map((chains) => mostSpecific(chains, ({ destinationPort }) => (destinationPort === undefined ? 0 : destinationPort === port ? 1 : -1)));
    for (const address of addressesOf(byPort, ({ destinations }) => destinations)) {
      const byAddress = byPort.map((chains) => mostSpecific(chains, ({ destinations }) => (destinations === undefined ? 0 : addressRank(destinations, address))));
      for (const sni of namesOf(byAddress)) {
        const byName = byAddress.map((chains) => mostSpecific(chains, ({ serverNames }) => (serverNames === undefined ? 0 : nameRank(serverNames, sni))));
        for (const transport of transports) {
          if (sni !== undefined && transport !== "tls") continue;
          for (const source of sourcesOf(byName, transport, address)) yield { port, address, sni, transport, ...source };
        }
      }
    }
  }
}

/** Clients for every way through the last steps: a range of addresses, and a port. Where no chain looks at them they are left out. */
function* sourcesOf(lists: readonly (readonly Chain[])[], transport: Connection["transport"], destination: string | undefined): Generator<Pick<Connection, "source" | "sourcePort">> {
  const byTransport = lists.map((chains) => mostSpecific(chains, ({ transport: wanted }) => (wanted === undefined ? 0 : wanted === transport ? 1 : -1)));
  // Not the address that is asked for: only the proxy's own host has that.
  for (const source of addressesOf(byTransport, ({ sources }) => sources, true)) {
    if (source !== undefined && destination !== undefined && source.includes(":") !== destination.includes(":")) continue;
    const bySource = byTransport.map((chains) => bySourceAddress(chains, source, destination));
    const ports = new Set(bySource.flat().flatMap(({ when }) => when.sourcePorts ?? []));
    for (const sourcePort of ports.size === 0 ? [undefined] : [...ports, otherPort(ports)]) yield { source, sourcePort };
  }
}

function otherPort(ports: ReadonlySet<number>): number {
  for (let port = 40_000; ; port++) if (!ports.has(port)) return port;
}

/** Addresses of nobody, for documentation: the first choice for one outside of all ranges. */
const NOBODY = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];
const NOBODYS_CLIENTS = ["192.0.2.2", "198.51.100.2", "203.0.113.2"];

/** An address for every range, outside all longer ones, and one outside of all. */
function addressesOf(lists: readonly (readonly Chain[])[], rangesOf: (when: ChainMatch) => readonly string[] | undefined, ofClients = false): readonly (string | undefined)[] {
  const ranges = new Set(lists.flat().flatMap(({ when }) => (rangesOf(when) ?? []).map(readRange)).filter((range) => range !== undefined));
  if (ranges.size === 0) return [undefined];
  const sorted = [...ranges].sort();
  const plain = (range: string, longer: readonly string[]): string | undefined => (range === "4" ? (ofClients ? NOBODYS_CLIENTS : NOBODY).find((address) => !longer.some((other) => readRange(address)?.startsWith(other) === true)) : undefined);
  const addresses = ["4", "6", ...sorted].map((range) => {
    const longer = sorted.filter((other) => other !== range && other.startsWith(range));
    return plain(range, longer) ?? addressIn(range, longer, ofClients ? "10" : "01");
  });
  return [...new Set(addresses)].filter((address) => address !== undefined);
}

/** An address that begins with some bits and with none of the longer ranges. */
function addressIn(range: string, longer: readonly string[], end: string): string | undefined {
  const length = range.startsWith("4") ? 33 : 129;
  if (longer.includes(range)) return undefined;
  if (longer.length === 0) return written(range + end.padStart(length - range.length, "0").slice(range.length - length || length));
  if (range.length >= length) return undefined;
  for (const bit of ["0", "1"]) {
    const found = addressIn(range + bit, longer.filter((other) => other.startsWith(range + bit)), end);
    if (found !== undefined) return found;
  }
  return undefined;
}

function written(bits: string): string {
  const size = bits.startsWith("4") ? 8 : 16;
  const groups: string[] = [];
  for (let at = 1; at < bits.length; at += size) groups.push(Number.parseInt(bits.slice(at, at + size), 2).toString(size === 8 ? 10 : 16));
  return groups.join(size === 8 ? "." : ":");
}

const fillings = ["x", "y", "z", "x1", "www", "other", "q-7"];

/** A name for every server name, one that none names, and no name. */
function namesOf(lists: readonly (readonly Chain[])[]): readonly (string | undefined)[] {
  const names = [...new Set(lists.flat().flatMap(({ when }) => when.serverNames ?? []))].sort();
  if (names.length === 0) return [undefined];
  const found: (string | undefined)[] = [];
  for (const name of [...names, "*.example"]) {
    if (!name.startsWith("*")) found.push(name);
    else {
      const others = names.filter((other) => other !== name && (other.startsWith("*") ? other.length > name.length : true));
      found.push(fillings.map((filling) => filling + name.slice(1)).find((member) => nameRank(others, member) < 0));
    }
  }
  return [...new Set([...found.filter((name) => name !== undefined), undefined])];
}
