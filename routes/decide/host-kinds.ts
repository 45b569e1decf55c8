/**
 * Kinds of host: authorities for which every table chooses the same virtual host.
 *
 * @module
 */

import { ALL, DEAD, determinize, literal } from "../languages/automaton.ts";
import type { Automaton } from "../languages/automaton.ts";
import { lowerAscii, toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import { compileRegex } from "../languages/program.ts";
import type { Regex } from "../languages/re2-syntax.ts";
import { shortestWord } from "../languages/search.ts";
import type { Meter } from "../languages/search.ts";
import { authorities } from "./alphabets.ts";
import { precedence, readDomain, takes } from "./hosts.ts";
import type { HttpTable, VirtualHost } from "./model.ts";
import type { HostKind } from "./predicates.ts";

/** The virtual hosts that the tables choose for one kind of host. */
export interface Chosen {
  /** For people: a domain, or `other hosts`. */
  readonly name: string;
  readonly kind: HostKind;
  /** By table; undefined where none takes the host. */
  readonly hosts: readonly (VirtualHost | undefined)[];
}

/** The domains of one table, for quick choice. */
class Domains {
  private readonly exact = new Map<string, VirtualHost>();
  private readonly suffixes = new Map<string, VirtualHost>();
  private readonly prefixes = new Map<string, VirtualHost>();
  private all: VirtualHost | undefined;

  constructor(table: HttpTable) {
    for (const host of table.virtualHosts) {
      for (const domain of host.domains) {
        const [kind, text] = readDomain(domain);
        if (kind === "all") this.all ??= host;
        else {
          const own = kind === "exact" ? this.exact : kind === "suffix" ? this.suffixes : this.prefixes;
          if (!own.has(text)) own.set(text, host);
        }
      }
    }
  }

  find(host: Bytes): VirtualHost | undefined {
    const exact = this.exact.get(host);
    if (exact !== undefined) return exact;
    if (this.suffixes.size > 0) {
      for (let at = 1; at <= host.length; at++) {
        const found = this.suffixes.get(host.slice(at));
        if (found !== undefined) return found;
      }
    }
    if (this.prefixes.size > 0) {
      for (let length = host.length - 1; length >= 0; length--) {
        const found = this.prefixes.get(host.slice(0, length));
        if (found !== undefined) return found;
      }
    }
    return this.all;
  }
}

/**
 * All kinds of host of some tables, none empty. Exact domains come first, then stars, and last the hosts that no domain names.
 *
 * Every host falls into the kind of its exact domain, or of the longest suffix and longest prefix among those of all tables; for all of
 * a kind each table makes the same choice. `cuts` are domains that kinds must not cross, though no table has them.
 */
export function hostKinds(tables: readonly HttpTable[], ignorePort: boolean, meter: Meter, cuts: readonly string[] = []): readonly Chosen[] {
  const indices = tables.map((table) => new Domains(table));
  const named = tables.flatMap((table) => table.virtualHosts.flatMap((host) => host.domains));
  const domains = [...new Set([...named, ...cuts].map((domain) => lowerAscii(domain)))];
  const of = (wanted: string): readonly string[] => domains.filter((domain) => readDomain(domain)[0] === wanted);
  const [exact, suffixes, prefixes] = [of("exact"), of("suffix"), of("prefix")];
  const chosen: Chosen[] = [];
  const choose = (name: string, host: Bytes, languages: HostKind["languages"]): void => {
    chosen.push({ name, kind: { common: [...new Set(forms(host, ignorePort))], languages }, hosts: indices.map((index) => index.find(host)) });
  };
  for (const domain of exact) {
    if (isHost(domain)) choose(domain, domain, () => ({ within: [domainLanguage(domain, ignorePort)], outside: [] }));
  }
  for (const suffix of [...suffixes, undefined]) {
    for (const prefix of [...prefixes, undefined]) {
      const wanted = [suffix, prefix].filter((domain) => domain !== undefined);
      const others = [...exact, ...suffixes, ...prefixes].filter((domain) => !wanted.includes(domain) && isRival(domain, wanted));
      const languages = (): ReturnType<HostKind["languages"]> => ({
        within: wanted.map((domain) => domainLanguage(domain, ignorePort)),
        outside: others.map((domain) => domainLanguage(domain, ignorePort)),
      });
      const host = memberOf(wanted, others, languages, meter);
      if (host !== undefined) choose(wanted.join(" and ") || "other hosts", host, languages);
    }
  }
  return chosen;
}

/**
 * The kinds of some virtual hosts of tables that have the same domains in the same places; undefined where a domain has a star or is
 * there twice.
 */
export function kindsAt(tables: readonly HttpTable[], places: readonly number[], ignorePort: boolean): readonly Chosen[] | undefined {
  const all = (tables[0]?.virtualHosts ?? []).flatMap(({ domains }) => domains.map(lowerAscii));
  if (new Set(all).size < all.length) return undefined;
  const chosen: Chosen[] = [];
  for (const place of places) {
    const hosts = tables.map((table) => table.virtualHosts[place]);
    for (const domain of hosts[0]?.domains ?? []) {
      const [kind, name] = readDomain(domain);
      if (kind !== "exact") return undefined;
      const languages = (): ReturnType<HostKind["languages"]> => ({ within: [domainLanguage(name, ignorePort)], outside: [] });
      if (isHost(name)) chosen.push({ name, kind: { common: [...new Set(forms(name, ignorePort))], languages }, hosts });
    }
  }
  return chosen;
}

/** Whether some authority can have that name. */
function isHost(domain: string): boolean {
  return /^[0-9a-z._~%!$&'()*+,;=-]+$|^\[[0-9a-f:.]+\]$/.test(domain) || /^[0-9a-z._~%!$&'()*+,;=-]+:[0-9]*$/.test(domain);
}

/** Whether a domain takes hosts away from those that the wanted ones describe. */
function isRival(domain: string, wanted: readonly string[]): boolean {
  const [kind, text] = readDomain(domain);
  if (kind === "exact") return wanted.every((one) => takes(one, text));
  const same = wanted.find((one) => readDomain(one)[0] === kind);
  if (same === undefined) return true;
  const shorter = readDomain(same)[1];
  return precedence(domain, same) > 0 && (kind === "suffix" ? text.endsWith(shorter) : text.startsWith(shorter));
}

const fillings = ["x", "www", "a", "b", "y", "z", "x1", "other", "q-7"];

function memberOf(wanted: readonly string[], others: readonly string[], languages: HostKind["languages"], meter: Meter): Bytes | undefined {
  const suffix = wanted.find((domain) => readDomain(domain)[0] === "suffix");
  const prefix = wanted.find((domain) => readDomain(domain)[0] === "prefix");
  const tail = suffix === undefined ? (prefix === undefined ? ".example" : "") : readDomain(suffix)[1];
  const head = prefix === undefined ? "" : readDomain(prefix)[1];
  for (const filling of fillings) {
    const host = head + filling + tail;
    if (isHost(host) && !others.some((domain) => takes(domain, host))) return host;
  }
  const { within, outside } = languages();
  const word = shortestWord({ within: [authorities.possible, ...within], outside }, meter);
  return word === undefined ? undefined : lowerAscii(word.replace(/:[0-9]*$/, ""));
}

/** Authorities of one host, as clients write them. */
function* forms(host: Bytes, ignorePort: boolean): Generator<Bytes> {
  yield host;
  if (!ignorePort) return;
  yield `${host}:8080`;
  yield `${host}:80`;
  yield `${host}:443`;
  if (host !== "") yield host.charAt(0).toUpperCase() + host.slice(1);
}

const COLON = 0x3a;

/** Authorities that a domain takes, in any case and with any port. */
function domainLanguage(domain: string, ignorePort: boolean): Automaton {
  const [kind, unread] = readDomain(domain);
  const text = toBytes(unread);
  if (kind === "prefix") return longerThan(literal(text, "end", true), text.length);
  const port: Regex = { type: "repeat", part: { type: "set", set: [0x30, 0x39] }, min: 0, max: Infinity, greedy: true };
  const ending: readonly Regex[] = ignorePort ? [{ type: "repeat", part: { type: "concat", parts: [{ type: "set", set: [COLON, COLON] }, port] }, min: 0, max: 1, greedy: true }] : [];
  const some: Regex = { type: "repeat", part: { type: "byte" }, min: 1, max: Infinity, greedy: true };
  const spelled = Array.from(text, (character): Regex => {
    const code = character.charCodeAt(0);
    return { type: "set", set: code >= 0x61 && code <= 0x7a ? [code - 32, code - 32, code, code] : [code, code] };
  });
  const program = compileRegex({ type: "concat", parts: [...(kind === "exact" ? [] : [some]), ...spelled, ...ending] }, "bytes");
  if (program === undefined) throw new Error("a domain too long to compare");
  return determinize(program, `the domain \`${domain}\``, 10_000);
}

/** Words that continue the only word of a language by a byte that is no colon. */
function longerThan(text: Automaton, length: number): Automaton {
  return {
    ...text,
    accepts: () => false,
    isNarrow: (state) => state < length,
    specials: (state) => (state < length ? text.specials(state) : [COLON]),
    step: (state, byte) => (state < length ? text.step(state, byte) : byte === COLON ? DEAD : ALL),
  };
}
