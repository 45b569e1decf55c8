/**
 * Do several places route every request alike?
 *
 * The answer is exact because nothing is sampled: all connections, hosts and requests are divided into finitely many sets, and in each
 * set every table does one thing. From the outside in:
 *
 * 1. *Connections.* A listener chooses a chain by port, address, server name, transport and client. {@link connectionKinds} gives one connection
 *    for every way through that choice, in all listeners at once ({@link Run.result}).
 * 2. *Hosts.* A table chooses a virtual host by the authority alone. {@link hostKinds} cuts all authorities into kinds for which every
 *    table makes the same choice. From here on each table is one ordered list of rules ({@link Run.connections}, {@link Run.host}).
 * 3. *What must not be decided* is set aside: what a dialect could not express, and expressions that were not read ({@link Run.host}).
 * 4. *Requests.* Rules become entries: conjunctions of literals, each of which says that one part of the request (path, method, a header,
 *    a parameter, ...) is or is not in a regular language. Parts are independent of each other, so that automata decide exactly whether
 *    some request satisfies a set of literals. {@link Decision} splits the set of all requests by literals until every list begins with
 *    an entry that takes all that is left, and drops what is empty; its head says why that covers every request ({@link Run.decide}).
 * 5. *Actions* are functions of the request. The set is split further until one request speaks for all of it (agreement.ts); that one is
 *    made, and its effects are compared.
 *
 * So "equivalent" means that no set was left out. "Different" needs no trust in any of this: each difference is a request that the plain
 * interpreter ({@link Resolver}, which shares nothing with the search but the meaning of single tests and actions) has answered in every
 * table, and that the answers differ ({@link Run.replay}, telling.ts). Whatever is neither, for want of steps or of a model, is told as
 * open with its reason, and never counts as agreement.
 *
 * Where the version of a proxy or the age of objects is not known, a place has several tables, one for each reading; a difference counts
 * when it stands whichever of them hold at once, and agreement too (judge.ts).
 *
 * @module
 */

import type { Connection } from "./chains.ts";
import { connectionKinds } from "./connection-kinds.ts";
import { Decision } from "./decision.ts";
import type { Side } from "./decision.ts";
import { effectKey } from "./effect.ts";
import { Decided } from "./decided.ts";
import { hostKinds, kindsAt } from "./host-kinds.ts";
import type { Chosen } from "./host-kinds.ts";
import { Judge } from "./judge.ts";
import { isCoupling } from "./lower.ts";
import type { Action, Assumption, Destination, HeaderMatch, HttpTable, Origin, PathNormalization, Reading, Request, Rule, Unmodelled, VirtualHost } from "./model.ts";
import { areAllAlike, narrowed } from "./narrow.ts";
import type { Groups } from "./narrow.ts";
import { changedPaths, plainPaths, strictest } from "./normalizations.ts";
import { isSame } from "./same.ts";
import { faultsOf, Regexes } from "./regexes.ts";
import type { Faults } from "./regexes.ts";
import { Resolver } from "./resolve.ts";
import type { Answer } from "./resolve.ts";
import { Languages, Scope } from "./scope.ts";
import { settingOf } from "./seen.ts";
import { Steps } from "./steps.ts";
import { Telling } from "./telling.ts";
import type { Audience, Replayed } from "./telling.ts";

/** How much may be spent. All counts are the same on every machine. */
export interface Budget {
  /** Steps for one kind of host: positions in searches, and sets of requests looked at. Past it the rest is undecided. */
  readonly steps?: number;
  /** Differences told for one kind of host, each with another pair of deciding rules. */
  readonly differences?: number;
}

/** What is compared, and how far. */
export interface CompareOptions {
  /** Which connections there are; left out: both. */
  /** Leaves out connections of which no routing object speaks: to a service as such. */
  readonly leavesImplicit?: boolean;
  readonly transports?: readonly Connection["transport"][];
  /** Domains at which kinds of host are cut, so that `isWanted` can choose between them. */
  readonly cuts?: readonly string[];
  /** Which kinds of host to look at, by one of their hosts and what each table chooses for them. */
  readonly isWanted?: (host: string, chosen: readonly (VirtualHost | undefined)[]) => boolean;
  readonly budget?: Budget;
  /** What comparisons of other views found; this one adds to it. */
  readonly decided?: Decided;
}

/** One place: the readings of one of its views. */
export interface Candidate {
  readonly readings: readonly Reading[];
}

/** A request that places answer differently. */
export interface Difference {
  readonly request: Request;
  /** The domain that took it, or `other hosts`. */
  readonly host: string;
  /** By place, in the first reading of each: as `resolve` answers. */
  readonly answers: readonly Answer[];
  /** There may be more differences of this kind of host than were told. */
  readonly more?: true;
}

/** A question that stays open. */
export interface Open extends Unmodelled {
  readonly host?: string;
}

/** The outcome of a comparison. */
export interface Comparison {
  readonly outcome: "equivalent" | "different" | "undecided";
  readonly differences: readonly Difference[];
  readonly undecided: readonly Open[];
  readonly assumptions: readonly Assumption[];
  /** Kinds of host and sets of requests that were looked at. */
  readonly size: { readonly hosts: number; readonly classes: number };
}

const DEFAULT_STEPS = 2_000_000;
const DEFAULT_DIFFERENCES = 5;

/**
 * Decides whether several places answer every request alike.
 *
 * Guarantees:
 *
 * 1. `different` carries requests that {@link Resolver} answered differently for every reading that can hold.
 * 2. `equivalent` is a proof over all connections and requests of the alphabets that the README of this folder tells.
 * 3. Past the budget, and wherever something is not modelled, the answer is `undecided`, unless a request shows a difference.
 * 4. The same input gives the same answer on every machine.
 *
 * Cost grows with the entries in which the lists differ; reading them is linear in their size.
 */
export function compare(candidates: readonly Candidate[], options: CompareOptions = {}): Comparison {
  return new Run(candidates, options).result();
}

/** One comparison. The methods stand in the order of the steps above. */
class Run implements Audience {
  private readonly tables: readonly { readonly place: number; readonly reading: Reading }[];
  private readonly judge: Judge;
  private readonly regexes: Regexes;
  private readonly languages: Languages;
  private readonly resolvers: readonly Resolver[];
  private readonly options: CompareOptions;
  private readonly faults = new Map<HttpTable, Faults>();
  private readonly differences: Difference[] = [];
  private readonly undecided = new Map<string, Open>();
  private readonly assumptions = new Map<string, Assumption>();
  /** How often something was told, even if it was known. */
  private told = 0;
  private hosts = 0;
  private classes = 0;

  constructor(candidates: readonly Candidate[], options: CompareOptions) {
    this.options = options;
    this.regexes = options.decided?.regexes ?? new Regexes();
    this.languages = new Languages(this.regexes);
    this.tables = candidates.flatMap(({ readings }, place) => readings.map((reading) => ({ place, reading })));
    this.judge = new Judge(this.tables.map(({ place, reading }) => ({ place, versions: reading.versions })));
    this.resolvers = this.tables.map(({ reading }) => new Resolver(reading.listener, this.regexes));
  }

  result(): Comparison {
    const listeners = this.tables.map(({ reading }) => reading.listener);
    for (const { connection, then, isImplicit } of connectionKinds(listeners, this.options.transports ?? ["raw_buffer", "tls"])) {
      if (!isImplicit || this.options.leavesImplicit !== true) this.connections(connection, then);
    }
    const { differences } = this;
    const undecided = [...this.undecided.values()];
    const outcome = differences.length > 0 ? "different" : undecided.length > 0 ? "undecided" : "equivalent";
    return { outcome, differences, undecided, assumptions: [...this.assumptions.values()], size: { hosts: this.hosts, classes: this.classes } };
  }

  /** One kind of connection: bytes that are passed on, or HTTP. */
  private connections(connection: Connection, then: readonly (HttpTable | Action)[]): void {
    const http = then.filter((one) => one.type === "http");
    const tables = then.map((one) => this.asTable(one, http[0]?.pathNormalization ?? "none"));
    const ignorePort = http[0]?.ignorePort ?? true;
    const strips = JSON.stringify(http[0]?.strips ?? {});
    if (http.some((table) => table.ignorePort !== ignorePort || JSON.stringify(table.strips ?? {}) !== strips)) return this.open("the places treat the port or the end of an authority differently, which is not modelled");
    const meter = new Steps(this.options.budget?.steps ?? DEFAULT_STEPS);
    const seen = new Set<string>();
    const numbers = new Map<object | undefined, number>();
    const groups = this.groupsOf(tables);
    for (const kind of this.oddKinds(tables, groups, ignorePort) ?? hostKinds(tables, ignorePort, meter, this.options.cuts)) {
      const [host = ""] = kind.kind.common;
      if (this.options.isWanted !== undefined && !this.options.isWanted(host, kind.hosts)) continue;
      this.hosts++;
      const key = kind.hosts.map((one) => numberOf(numbers, one)).join(",");
      if (seen.has(key) && !kind.hosts.some((one) => one !== undefined && looksAtAuthority(one))) continue;
      seen.add(key);
      this.host(connection, tables, groups, kind);
    }
  }

  /**
   * Tables that are read alike, by their numbers, in groups of which all that can hold at once are in one: places agree where the tables
   * of every group do. Undefined where tables that can hold at once are read differently.
   */
  private groupsOf(tables: readonly HttpTable[]): Groups | undefined {
    const settings = tables.map((table) => JSON.stringify(settingOf(table)));
    // Readings of one release first: they need not agree with those of another.
    const byRelease = settings.map((setting, table) => setting + JSON.stringify(this.tables[table]?.reading.versions ?? {}));
    const keys = [byRelease, settings].find((some) => this.judge.areApart(some));
    return keys === undefined ? undefined : [...Map.groupBy(keys.keys(), (table) => keys[table] ?? "").values()];
  }

  /**
   * Tables with the same domains in the same places choose virtual hosts of one place for every authority: the kinds of those places
   * where more than a look is needed. Undefined: all kinds must be gone through.
   */
  private oddKinds(tables: readonly HttpTable[], groups: Groups | undefined, ignorePort: boolean): readonly Chosen[] | undefined {
    const [first, ...others] = tables;
    if (first === undefined || groups === undefined || this.options.cuts !== undefined || first.virtualHosts.length === 0 || !others.every((table) => areLaidOutAlike(first, table))) return undefined;
    if (!others.every((table) => isSame(table.otherwise, first.otherwise))) return undefined;
    const ground = this.ground(tables);
    const odd: number[] = [];
    for (let place = 0; place < first.virtualHosts.length; place++) {
      const one = first.virtualHosts[place];
      if (one !== undefined && haveAll(others, place, one) && this.options.decided?.isSettled(one) === true) continue;
      const hosts = tables.map((table) => table.virtualHosts[place]);
      const lists = hosts.map((host) => host?.rules ?? []);
      const isPlain = hosts.every((host) => host?.unmodelled === undefined);
      if (!isPlain || !(areIdentical(groups, lists) || this.options.decided?.has(ground, lists) === true)) odd.push(place);
    }
    this.hosts += first.virtualHosts.length - odd.length;
    return odd.length === 0 ? [] : kindsAt(tables, odd, ignorePort);
  }

  /** What an equivalence of lists rests on beside them. */
  private ground(tables: readonly HttpTable[]): string {
    return JSON.stringify([tables.map(settingOf), this.tables.map(({ place, reading }) => [place, reading.versions])]);
  }

  /** What passes bytes on is a table without virtual hosts. */
  private asTable(then: HttpTable | Action, normalization: PathNormalization): HttpTable {
    if (then.type !== "http") return bare(then, normalization);
    const faults = this.faults.get(then) ?? faultsOf(then, this.regexes);
    this.faults.set(then, faults);
    return faults.refused === undefined ? then : { ...then, virtualHosts: [], otherwise: { type: "invalid", reason: faults.refused.reason } };
  }

  private host(connection: Connection, tables: readonly HttpTable[], groups: Groups | undefined, { name, kind, hosts }: Chosen): void {
    if (!this.isExpressed(hosts, name)) return;
    const lists = tables.map((table, index) => rulesOf(table, hosts[index]));
    if (groups !== undefined && areIdentical(groups, lists)) return;
    const unread = this.unreadOf(tables, hosts);
    if (unread !== undefined) return this.open({ ...unread, host: name });
    const before = this.told;
    const fewer = groups === undefined ? lists : narrowed(groups, lists);
    this.decide(connection, tables, tables.map((table, index): Side => ({ rules: fewer[index] ?? [], setting: settingOf(table) })), name, kind);
    const isEquivalent = groups !== undefined && before === this.told && !hosts.some((host) => host !== undefined && looksAtAuthority(host));
    if (isEquivalent) this.options.decided?.add(this.ground(tables), lists);
  }

  private decide(connection: Connection, tables: readonly HttpTable[], sides: readonly Side[], name: string, kind: Chosen["kind"]): void {
    const meter = new Steps(this.options.budget?.steps ?? DEFAULT_STEPS);
    const [host = ""] = kind.common;
    const normalizations = new Set(sides.map(({ setting }) => setting.pathNormalization));
    const normalization = strictest(normalizations);
    const scope = new Scope({
      languages: this.languages,
      meter,
      paths: normalizations.size > 1 ? plainPaths(normalization) : undefined,
      normalization,
      isCoupled: sides.some(({ rules }) => rules.some(({ when }) => isCoupling(when))),
      host: kind,
    });
    const defaults = { request: this.defaultRequest(connection, tables, host), normalization };
    const told = new Telling(this, name, host, meter);
    const decision = new Decision({ scope, sides, judge: this.judge, defaults, regexes: this.regexes, meter, listener: told });
    decision.run();
    this.classes += decision.classes;
    if (normalizations.size > 1 && told.count === 0) this.tryChangedPaths(sides, defaults.request, told, name);
  }

  private defaultRequest(connection: Connection, tables: readonly HttpTable[], authority: string): Omit<Request, "method" | "path" | "headers"> {
    const { port, address, sni } = connection;
    const source = { ...(connection.source === undefined ? {} : { address: connection.source }), ...(connection.sourcePort === undefined ? {} : { port: connection.sourcePort }) };
    const isKnown = tables.every((table) => table.scheme.default === tables[0]?.scheme.default);
    const destination = { ...(port === undefined ? {} : { port }), ...(address === undefined ? {} : { address }) };
    return {
      scheme: connection.transport === "tls" ? "https" : isKnown ? (tables[0]?.scheme.default ?? "http") : "http",
      authority,
      ...(sni === undefined ? {} : { sni }),
      ...(Object.keys(source).length === 0 ? {} : { source }),
      ...(Object.keys(destination).length === 0 ? {} : { destination }),
    };
  }

  /** What lies outside the model: the same everywhere is an assumption, anything else leaves the host open. */
  private isExpressed(hosts: readonly (VirtualHost | undefined)[], name: string): boolean {
    const lists = hosts.map((host) => host?.unmodelled ?? []);
    if (lists.every((list) => list.length === 0)) return true;
    const keys = lists.map((list) => list.map(({ key }) => key ?? "").sort().join("\n"));
    const isSame = keys.every((key) => key === keys[0]) && lists.every((list) => list.every(({ key }) => key !== undefined));
    for (const list of lists) {
      for (const unmodelled of list) {
        if (!isSame) this.open({ ...unmodelled, host: name });
        else this.assume({ text: `${unmodelled.reason}, in every place alike`, ...(unmodelled.where === undefined ? {} : { where: unmodelled.where.object }) });
      }
    }
    return isSame;
  }

  private unreadOf(tables: readonly HttpTable[], hosts: readonly (VirtualHost | undefined)[]): Unmodelled | undefined {
    for (const [index, host] of hosts.entries()) {
      const table = tables[index];
      const unread = table === undefined ? undefined : this.faults.get(table)?.unread;
      if (unread === undefined || unread.size === 0) continue;
      for (const rule of host?.rules ?? []) {
        const problem = unread.get(rule);
        if (problem !== undefined) return problem;
      }
    }
    return undefined;
  }

  /** Places that normalise paths differently agree on plain paths. Others are tried; where none shows a difference the question is open. */
  private tryChangedPaths(sides: readonly Side[], base: Omit<Request, "method" | "path" | "headers">, told: Telling, host: string): void {
    for (const path of changedPaths(sides.map(({ rules }) => rules))) {
      const request: Request = { ...base, method: "GET", path, headers: [] };
      if (this.replay(request).judgement === "different") return void told.difference(request);
    }
    this.open("the places normalise paths differently, and no path was found that shows it", host);
  }

  /** What the plain interpreter answers in all tables, judged. */
  replay(request: Request): Replayed {
    const answers = this.answers(request);
    const keys = answers.map(({ effect }, table) => (effect.type === "invalid" ? `invalid ${table}` : effectKey(effect)));
    return { judgement: this.judge.judge(keys), answers: this.judge.shown.flatMap((table) => answers[table] ?? []) };
  }

  private answers(request: Request): readonly Answer[] {
    const [only, other] = this.options.transports ?? [];
    const transport = only !== undefined && other === undefined ? only : request.sni === undefined && request.scheme === "http" ? "raw_buffer" : "tls";
    return this.resolvers.map((resolver) => resolver.answer(request, transport));
  }

  get mostDifferences(): number {
    return this.options.budget?.differences ?? DEFAULT_DIFFERENCES;
  }

  tell(request: Request, answers: readonly Answer[], host: string): void {
    this.told++;
    this.differences.push({ request, host, answers });
  }

  tellMore(): void {
    const last = this.differences.pop();
    if (last !== undefined) this.differences.push({ ...last, more: true });
  }

  open(what: string | Open, host?: string): void {
    this.told++;
    const open: Open = typeof what !== "string" ? what : host === undefined ? { reason: what } : { reason: what, host };
    const key = `${open.host ?? ""}\n${open.reason.replace(/`[^`]*`/g, "")}\n${JSON.stringify(open.where)}`;
    if (!this.undecided.has(key)) this.undecided.set(key, open);
  }

  depends(request: Request, host: string): void {
    const keys = this.answers(request).map(({ effect }) => effectKey(effect));
    const names = new Set<string>();
    for (const place of new Set(this.tables.map((table) => table.place))) {
      const own = this.tables.flatMap((table, index) => (table.place === place ? [{ name: table.reading.name, key: keys[index] }] : []));
      if (own.some(({ key }) => key !== own[0]?.key)) for (const { name } of own) names.add(name);
    }
    const shown = [...names].filter((name) => name !== "").sort();
    const { method, authority, path } = request;
    this.open(`whether the places agree depends on what is not known of them (${shown.join("; ")}), as \`${method} ${authority}${path}\` shows`, host);
  }

  private assume(assumption: Assumption): void {
    this.assumptions.set(`${assumption.text}\n${assumption.where ?? ""}`, assumption);
  }
}

function numberOf<T>(numbers: Map<T, number>, value: T): number {
  const known = numbers.get(value) ?? numbers.size;
  numbers.set(value, known);
  return known;
}

function bare(otherwise: Action, pathNormalization: PathNormalization): HttpTable {
  return {
    type: "http",
    reading: { headerLines: "each", regexText: "bytes" },
    pathNormalization,
    ignorePort: true,
    scheme: { from: "connection", default: "http" },
    virtualHosts: [],
    otherwise,
  };
}

const nowhere: Origin = { object: "", path: "" };

function rulesOf(table: HttpTable, host: VirtualHost | undefined): readonly Rule[] {
  return host?.rules ?? [{ when: {}, action: table.otherwise, origin: nowhere }];
}

function haveAll(tables: readonly HttpTable[], place: number, host: VirtualHost): boolean {
  for (let at = 0; at < tables.length; at++) if (tables[at]?.virtualHosts[place] !== host) return false;
  return true;
}

function areLaidOutAlike(one: HttpTable, other: HttpTable): boolean {
  if (one.virtualHosts.length !== other.virtualHosts.length) return false;
  for (let place = 0; place < one.virtualHosts.length; place++) {
    const left = one.virtualHosts[place]?.domains ?? [], right = other.virtualHosts[place]?.domains ?? [];
    if (left === right) continue;
    if (left.length !== right.length) return false;
    for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  }
  return true;
}

/** Whether the rules of each group are the same text, so that nothing need be decided. A rule that is refused equals none. */
function areIdentical(groups: Groups, lists: readonly (readonly Rule[])[]): boolean {
  return groups.every(([first = 0, ...others]) => others.every((table) => areAllAlike(lists[first] ?? [], lists[table] ?? [])));
}

/** Whether rules of a virtual host look at the authority beyond the choice of it, or send it somewhere. */
function looksAtAuthority(host: VirtualHost): boolean {
  return host.rules.some(asksAuthority);
}

function asksAuthority({ when: { headers }, action }: Rule): boolean {
  if (headers !== undefined && headers.some(isAuthority)) return true;
  return action.type === "redirect" || (action.type === "forward" && action.destinations.some(setsAuthority));
}

function isAuthority({ name }: HeaderMatch): boolean {
  return name === ":authority" || name === "host";
}

function setsAuthority(share: Destination): boolean {
  return !("invalid" in share) && share.authority !== undefined;
}
