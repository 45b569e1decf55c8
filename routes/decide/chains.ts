import type { Chain, ChainMatch, Listener } from "./model.ts";

/** What a listener knows of a connection when it chooses a chain. */
export interface Connection {
  readonly port?: number | undefined;
  readonly address?: string | undefined;
  readonly sni?: string | undefined;
  readonly transport: "tls" | "raw_buffer";
  /** Address and port of the client. */
  readonly source?: string | undefined;
  readonly sourcePort?: number | undefined;
}

/**
 * The chain for a connection, as Envoy chooses: each step keeps the chains whose match is the most specific that fits, and never goes
 * back. Of two chains with one match the first counts.
 */
export function chainFor(listener: Listener, connection: Connection): Chain | undefined {
  const { port, address, sni, transport } = connection;
  const byPort = mostSpecific(listener.chains, ({ destinationPort }) => (destinationPort === undefined ? 0 : destinationPort === port ? 1 : -1));
  const byAddress = mostSpecific(byPort, ({ destinations }) => (destinations === undefined ? 0 : addressRank(destinations, address)));
  const byName = mostSpecific(byAddress, ({ serverNames }) => (serverNames === undefined ? 0 : nameRank(serverNames, sni)));
  const byTransport = mostSpecific(byName, ({ transport: wanted }) => (wanted === undefined ? 0 : wanted === transport ? 1 : -1));
  const bySource = bySourceAddress(byTransport, connection.source, address);
  return mostSpecific(bySource, ({ sourcePorts }) => (sourcePorts === undefined ? 0 : sourcePorts.some((one) => one === connection.sourcePort) ? 1 : -1))[0];
}

/** Chains for clients on the proxy's own host or on others, and of them those whose range of client addresses is the longest. */
export function bySourceAddress(chains: readonly Chain[], source: string | undefined, destination: string | undefined): readonly Chain[] {
  const isOwn = source !== undefined && (source === destination || /^127\.|^(?:0*:)+0*1$/.test(source));
  const byType = mostSpecific(chains, ({ isLocal }) => (isLocal === undefined ? 0 : isLocal === isOwn ? 1 : -1));
  return mostSpecific(byType, ({ sources }) => (sources === undefined ? 0 : addressRank(sources, source)));
}

/** Whether it can matter to the choice of a chain who the client is. */
export function looksAtSource({ chains }: Listener): boolean {
  return chains.some(({ when }) => when.sources !== undefined || when.sourcePorts !== undefined);
}

/** Chains of the highest rank; a negative rank is no match. */
export function mostSpecific(chains: readonly Chain[], rank: (when: ChainMatch) => number): readonly Chain[] {
  let best = -1;
  for (const chain of chains) best = Math.max(best, rank(chain.when));
  return best < 0 ? [] : chains.filter((chain) => rank(chain.when) === best);
}

/** Rank of the longest range that holds the address; -1 for none. A range of length 0 ranks above a chain without ranges, between which Envoy itself finds either: a dialect leaves that open. */
export function addressRank(ranges: readonly string[], address: string | undefined): number {
  const bits = address === undefined ? undefined : addressBits(address);
  if (bits === undefined) return -1;
  let best = -1;
  for (const range of ranges) {
    const parsed = readRange(range);
    if (parsed !== undefined && parsed.length >= best && bits.startsWith(parsed)) best = parsed.length;
  }
  return best < 0 ? -1 : best + 1;
}

/** Rank of the most specific server name that fits; -1 for none. */
export function nameRank(names: readonly string[], sni: string | undefined): number {
  const name = sni?.toLowerCase();
  if (name === undefined || name === "") return -1;
  let best = -1;
  for (const wanted of names) {
    if (wanted === name) best = Math.max(best, 10_000);
    else if (wanted.startsWith("*") && name.length > wanted.length - 1 && name.endsWith(wanted.slice(1))) best = Math.max(best, wanted.length);
  }
  return best;
}

/** The bits of a range such as `10.0.0.0/8`, family first; undefined where it is none. */
export function readRange(range: string): string | undefined {
  const [address = "", length] = range.split("/");
  const bits = addressBits(address);
  if (bits === undefined) return undefined;
  return length === undefined ? bits : bits.slice(0, 1 + Number(length));
}

/** `4` or `6` and the bits of an address; undefined where it is none. */
function addressBits(address: string): string | undefined {
  return address.includes(":") ? bits6(address) : bits4(address);
}

function bits4(address: string): string | undefined {
  const parts = address.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return `4${parts.map((part) => Number(part).toString(2).padStart(8, "0")).join("")}`;
}

function bits6(address: string): string | undefined {
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const [front = [], back = []] = groups;
  const missing = 8 - front.length - back.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...front, ...Array.from({ length: missing }, () => "0"), ...back];
  if (!all.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  return `6${all.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0")).join("")}`;
}
