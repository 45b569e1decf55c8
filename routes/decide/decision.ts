/**
 * The exact decision for one kind of host: some lists of rules, tried in order, over all requests at once.
 *
 * Why the answer is exact:
 *
 * 1. An entry is a conjunction of literals; a literal says that one part of the request is, or is not, in a regular language. Parts are
 *    independent, so that a set of literals can be satisfied exactly when those of each part can, which a search in automata decides. The
 *    one exception, claims inside a claim, is looked after by {@link Store.with}.
 * 2. Requests that satisfy no entry outside a common subsequence of all lists meet the same entries in the same order everywhere. Only
 *    the others are looked at ({@link differing}).
 * 3. Paths fall into classes: the path that a pattern names, or the paths whose longest prefix among all patterns is a given one. In a
 *    class every pattern holds for all paths or for none, and lists shrink to the entries that hold.
 * 4. Within a class the set of requests is split by the literals of the first entries that differ, until every list begins with an entry
 *    that takes all that is left. What is empty is dropped.
 * 5. There the actions are compared as functions: the set is split further until one request speaks for all ({@link agreementOf}).
 *
 * @module
 */

import { OutOfBudget } from "../languages/automaton.ts";
import { toBytes, toText } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import { WORD } from "../languages/search.ts";
import type { Meter } from "../languages/search.ts";
import { agreementOf, partsOf } from "./agreement.ts";
import type { Agreement } from "./agreement.ts";
import { effectKey, effectOf } from "./effect.ts";
import type { Effect } from "./effect.ts";
import { withoutCommands } from "./effect.ts";
import type { Judge } from "./judge.ts";
import { differing, sameList } from "./lists.ts";
import { Lowering } from "./lower.ts";
import type { Action, Request, Rule } from "./model.ts";
import { normalizePath } from "./paths.ts";
import type { Part, PathClass } from "./predicates.ts";
import type { Regexes } from "./regexes.ts";
import { requestFrom } from "./request.ts";
import type { Defaults } from "./request.ts";
import { ANY_PATH } from "./scope.ts";
import type { Deed, Entry, Literal, Scope } from "./scope.ts";
import { seenBy } from "./seen.ts";
import type { Setting } from "./seen.ts";
import { classKey, Store } from "./store.ts";

/** One list of rules, with what its meaning rests on. */
export interface Side {
  readonly rules: readonly Rule[];
  readonly setting: Setting;
}

/** What a decision tells while it runs. */
export interface Listener {
  /** A request that the sides answer differently, with the actions that they take, by side. False: enough. */
  difference(request: Request, actions: readonly Action[]): boolean;
  /** A question that stays open, and why. */
  open(reason: string): void;
  /** A request whose answer depends on how a place is read. */
  depends(request: Request): void;
}

/** A set of requests that has yet to be looked at: those of a store, or the half of them that satisfies a literal. */
interface Half {
  readonly lists: readonly (readonly number[])[];
  readonly store: Store;
  readonly literal?: Literal;
}

/** A set that was looked at, and how many differences were known before. */
interface Seen {
  readonly key: string;
  readonly before: number;
}

/** Enough differences were found. */
class Enough extends Error {}

/** Most header-only differences that are split off before the paths are looked at. */
const MOST_FREE = 8;

/** Parts that every request has once. */
const SINGLE: ReadonlySet<string> = new Set(["path", "target", "method", "authority"]);

/** Most requests that are tried where a rewrite by a regex is compared with another. */
const MOST_TRIED = 40;

/** See the module. */
export class Decision {
  /** Sets of requests that were looked at. */
  classes = 0;
  private readonly scope: Scope;
  private readonly sides: readonly Side[];
  private readonly judge: Judge;
  private readonly defaults: Defaults;
  private readonly regexes: Regexes;
  private readonly meter: Meter;
  private readonly listener: Listener;
  private readonly visited = new Set<string>();
  /** Those of the visited that held a difference. */
  private readonly differs = new Set<string>();
  private reports = 0;
  private readonly agreements = new Map<string, Agreement>();
  private readonly partsOfDeeds: (readonly Part[] | undefined)[] = [];
  private readonly residuals: number[] = [];
  private prefixLengths: readonly number[] = [];

  constructor(options: {
    readonly scope: Scope;
    readonly sides: readonly Side[];
    readonly judge: Judge;
    readonly defaults: Defaults;
    readonly regexes: Regexes;
    readonly meter: Meter;
    readonly listener: Listener;
  }) {
    this.scope = options.scope;
    this.sides = options.sides;
    this.judge = options.judge;
    this.defaults = options.defaults;
    this.regexes = options.regexes;
    this.meter = options.meter;
    this.listener = options.listener;
  }

  /** Decides. What is found goes to the listener. */
  run(): void {
    try {
      const settings = this.sides.map(({ setting }) => JSON.stringify([setting.pathNormalization, setting.scheme, setting.overwritten, setting.regexText]));
      const lists = this.sides.map(({ rules, setting }, table) => new Lowering(this.scope, setting, settings.indexOf(settings[table] ?? ""), table).list(rules));
      this.scope.sortPatterns();
      const lengths = new Set(this.scope.patternTexts.filter((_, id) => this.scope.patternIsPrefix[id] === true).map((text) => text.length));
      this.prefixLengths = [...lengths].sort((a, b) => a - b);
      this.top(lists, new Store(this.scope, undefined, new Map()));
    } catch (fault) {
      if (fault instanceof OutOfBudget) this.listener.open(fault.message);
      else if (!(fault instanceof Enough)) throw fault;
    }
  }

  /** Lists with patterns of paths, all requests of a store. */
  private top(unread: readonly (readonly number[])[], store: Store): void {
    const lists = unread.map((list) => this.simplify(list, store));
    this.spend(lists);
    const [first = []] = lists;
    if (lists.every((list) => sameList(list, first))) return;
    if (this.scope.isCoupled || lists.every((list) => list.every((entry) => this.entry(entry).pattern === ANY_PATH))) return this.guarded(lists, store);
    const rest = new Set(lists.slice(1).flatMap((list) => differing(first, list)));
    const free = [...rest].filter((entry) => this.entry(entry).pattern === ANY_PATH);
    const conditional = free.filter((entry) => this.entry(entry).literals.length > 0);
    const [chosen] = conditional;
    if (chosen !== undefined && conditional.length <= MOST_FREE) {
      const literal = this.entry(chosen).literals[0] ?? 0;
      for (const sign of [literal, literal ^ 1]) {
        const next = store.with(sign);
        if (next !== undefined) this.top(lists, next);
      }
      return;
    }
    this.visitClasses(lists, store, free.length > 0 ? undefined : [...rest]);
  }

  /** The classes of paths that some entries touch; undefined: all classes. */
  private visitClasses(lists: readonly (readonly number[])[], store: Store, rest: readonly number[] | undefined): void {
    const indices = lists.map((list) => this.indexOf(list));
    for (const within of this.classesOf(rest)) {
      const inside = store.inClass(within);
      if (inside === undefined) continue;
      this.guarded(indices.map((index) => this.inClass(index, within)), inside);
    }
  }

  /** A question that is too expensive leaves the others as they are. */
  private guarded(lists: readonly (readonly number[])[], store: Store): void {
    try {
      this.solve(lists, store);
    } catch (fault) {
      if (!(fault instanceof OutOfBudget)) throw fault;
      this.listener.open(fault.message);
      if (this.meter.isEmpty) throw new Enough();
    }
  }

  private *classesOf(rest: readonly number[] | undefined): Generator<PathClass> {
    const { words, flags } = this.scope.patterns;
    const seen = new Set<string>();
    const fresh = (within: PathClass): boolean => seen.size < seen.add(classKey(within)).size;
    const from = function* (start: number, prefix: Bytes): Generator<PathClass> {
      for (let at = start; at < words.length; at++) {
        const path = words[at] ?? "";
        if (!path.startsWith(prefix)) return;
        for (const within of ((flags[at] ?? 0) & WORD) === 0 ? [{ start: path }] : flags[at] === WORD ? [{ path }] : [{ path }, { start: path }]) if (fresh(within)) yield within;
      }
    };
    if (rest === undefined) {
      if (fresh({ start: "/" })) yield { start: "/" };
      yield* from(0, "");
      return;
    }
    for (const entry of rest) {
      const { pattern } = this.entry(entry);
      const text = this.scope.patternTexts[pattern] ?? "";
      if (this.scope.patternIsPrefix[pattern] === true) yield* from(this.placeOf(text), text);
      else if (fresh({ path: text })) yield { path: text };
    }
  }

  private placeOf(text: Bytes): number {
    const { words } = this.scope.patterns;
    let low = 0;
    let high = words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((words[middle] ?? "") < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The places of each pattern in a list. */
  private indexOf(list: readonly number[]): Index {
    const places = new Map<number, number[]>();
    for (let at = 0; at < list.length; at++) {
      const { pattern } = this.entry(list[at] ?? 0);
      const own = places.get(pattern);
      if (own === undefined) places.set(pattern, [at]);
      else own.push(at);
    }
    return { list, places };
  }

  /** The entries of a list that can hold in a class, without their patterns. */
  private inClass({ list, places }: Index, within: PathClass): readonly number[] {
    const text = "path" in within ? within.path : within.start;
    const found: number[] = [...(places.get(ANY_PATH) ?? [])];
    const take = (pattern: number | undefined): void => {
      const own = pattern === undefined ? undefined : places.get(pattern);
      if (own !== undefined) for (const at of own) found.push(at);
    };
    for (const length of this.prefixLengths) {
      if (length > text.length) break;
      take(this.scope.patternFor(text.slice(0, length), true));
    }
    if ("path" in within) take(this.scope.patternFor(text, false));
    found.sort((a, b) => a - b);
    const entries: number[] = [];
    for (const at of found) {
      const entry = this.residual(list[at] ?? 0);
      entries.push(entry);
      if (this.entry(entry).literals.length === 0) break;
    }
    return entries;
  }

  private residual(entry: number): number {
    const known = this.residuals[entry];
    if (known !== undefined) return known;
    const { pattern, literals, action } = this.entry(entry);
    return (this.residuals[entry] = pattern === ANY_PATH ? entry : this.scope.entry(ANY_PATH, literals, action));
  }

  /** Lists without patterns: splits until every list begins with an entry that takes all. Depth first, with a stack of its own: halves of halves may be thousands deep. */
  private solve(lists: readonly (readonly number[])[], store: Store): void {
    const pending: (Half | Seen)[] = [{ lists, store }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if ("key" in next) {
        if (this.reports > next.before) this.differs.add(next.key);
        continue;
      }
      const within = next.literal === undefined ? next.store : next.store.with(next.literal);
      if (within !== undefined) this.look(next.lists, within, pending);
    }
  }

  /** One set of requests; what is to be looked at next goes on top of what is pending. */
  private look(unread: readonly (readonly number[])[], store: Store, pending: (Half | Seen)[]): void {
    const lists = unread.map((list) => this.simplify(list, store));
    this.spend(lists);
    const [first = []] = lists;
    if (lists.every((list) => sameList(list, first))) return;
    const key = `${lists.map((list) => list.join(",")).join("|")}#${store.keyOf(this.partsIn(lists))}`;
    // What was looked at before is done, unless it held a difference: here other rules may stand behind it.
    if (this.visited.has(key) && !this.differs.has(key)) return;
    this.visited.add(key);
    this.classes++;
    pending.push({ key, before: this.reports });
    const [one, other] = this.divide(lists, store);
    if (other !== undefined) pending.push({ lists, store, literal: other });
    if (one !== undefined) pending.push({ lists, store, literal: one });
  }

  /** Lists that differ: a leaf where all begin with an entry that takes all, else the literals of the two halves by what the first that differ ask. */
  private divide(lists: readonly (readonly number[])[], store: Store): readonly Literal[] {
    const [first = []] = lists;
    let at = 0;
    while (lists.every((list) => list[at] === first[at])) at++;
    const heads = lists.map((list) => this.entry(list[at] ?? 0));
    const literal = this.tellingMost(heads);
    if (literal !== undefined) return [literal, literal ^ 1];
    const actions = heads.map(({ action }) => action);
    // Perhaps the actions agree on all of the set; else what the entries before take is split off first.
    if (this.leaf(actions, store, at === 0) || at === 0) return [];
    const before = this.tellingMost([this.entry(first[0] ?? 0)]) ?? 0;
    return [before ^ 1, before];
  }

  /**
   * The literal of some entries to split by. One of a part that is there once first: two of its languages have little in common as a rule,
   * so that the half where one holds is rid of most entries, while lines of a header may satisfy any number of tests at once.
   */
  private tellingMost(entries: readonly Entry[]): Literal | undefined {
    let found: Literal | undefined;
    for (const { literals } of entries) {
      for (const literal of literals) {
        if (SINGLE.has(this.scope.predicates[literal >> 1]?.part.place.type ?? "")) return literal;
        found ??= literal;
      }
    }
    return found;
  }

  /**
   * A list in a store: what cannot hold is gone, what holds is not asked again, and nothing stands behind an entry that takes all.
   * Neighbours with one action are sorted, as their order does not matter.
   */
  private simplify(list: readonly number[], store: Store): readonly number[] {
    const entries: number[] = [];
    const seen = new Set<number>();
    let from = 0;
    let action = -1;
    const closeRun = (): void => {
      if (entries.length - from > 1) entries.splice(from, entries.length - from, ...entries.slice(from).sort((a, b) => a - b));
      from = entries.length;
    };
    for (const unread of list) {
      const entry = this.inStore(unread, store);
      if (entry === undefined || seen.has(entry)) continue;
      seen.add(entry);
      const read = this.entry(entry);
      const takesAll = read.pattern === ANY_PATH && read.literals.length === 0;
      if (read.action !== action) closeRun();
      action = read.action;
      // Before an entry that takes all, others with its action change nothing.
      if (takesAll) entries.length = from;
      entries.push(entry);
      if (takesAll) return entries;
    }
    closeRun();
    return entries;
  }

  private inStore(entry: number, store: Store): number | undefined {
    const { pattern, literals, action } = this.entry(entry);
    let open: Literal[] | undefined;
    for (let at = 0; at < literals.length; at++) {
      const literal = literals[at] ?? 0;
      const truth = store.truth(literal);
      if (truth === false) return undefined;
      if (truth === true) open ??= literals.slice(0, at);
      else open?.push(literal);
    }
    return open === undefined ? entry : this.scope.entry(pattern, open, action);
  }

  private partsIn(lists: readonly (readonly number[])[]): ReadonlySet<Part> {
    const parts = new Set<Part>();
    for (const list of lists) {
      for (const id of list) {
        const { literals, action } = this.entry(id);
        for (const literal of literals) {
          const part = this.scope.predicates[literal >> 1]?.part;
          if (part !== undefined) parts.add(part);
        }
        for (const part of this.partsOfDeed(action)) parts.add(part);
      }
    }
    for (const part of this.scope.hasRivals ? [...parts] : []) for (const rival of this.scope.rivalsOf(part)) parts.add(rival);
    return parts;
  }

  private partsOfDeed(action: number): readonly Part[] {
    return (this.partsOfDeeds[action] ??= partsOf(this.deed(action), this.scope));
  }

  /**
   * Compares actions on all requests of a store. True: they agree on each. With `isWhole` the store is exactly what is left, so that a
   * difference counts.
   */
  private leaf(actions: readonly number[], store: Store, isWhole: boolean): boolean {
    if (actions.every((action) => action === actions[0])) return true;
    const key = [...new Set(actions)].join(",");
    const agreement = this.agreements.get(key) ?? agreementOf([...new Set(actions)].map((action) => this.deed(action)), this.scope);
    this.agreements.set(key, agreement);
    const finding = new Leaf(this, agreement, actions.map((action) => this.deed(action)), isWhole);
    return finding.holdsIn(store);
  }

  /** What the actions do to a request. */
  effects(deeds: readonly Deed[], request: Request): readonly Effect[] {
    return deeds.map(({ action, setting }) => {
      const target = normalizePath(toBytes(request.path), setting.pathNormalization);
      return effectOf(action, seenBy(setting, request, target ?? ""), this.regexes);
    });
  }

  /** The judgement over effects; those that Envoy refuses are equal to none. */
  judgement(effects: readonly Effect[], keyOf: (effect: Effect) => string): ReturnType<Judge["judge"]> {
    return this.judge.judge(effects.map((effect, table) => (effect.type === "invalid" ? `invalid ${table}` : keyOf(effect))));
  }

  request(store: Store, certainty: "sure" | "possible"): Request | undefined {
    return requestFrom(store, this.scope, this.defaults, certainty);
  }

  open(reason: string): void {
    this.listener.open(reason);
  }

  depends(request: Request): void {
    this.listener.depends(request);
  }

  report(request: Request, deeds: readonly Deed[]): void {
    this.reports++;
    if (!this.listener.difference(request, deeds.map(({ action }) => action))) throw new Enough();
  }

  private spend(lists: readonly (readonly number[])[]): void {
    let entries = 0;
    for (const list of lists) entries += list.length;
    this.meter.spend(1 + (entries >> 4));
  }

  private entry(id: number): Entry {
    const entry = this.scope.entries[id];
    if (entry === undefined) throw new Error("an entry that was never made");
    return entry;
  }

  private deed(id: number): Deed {
    const deed = this.scope.deeds[id];
    if (deed === undefined) throw new Error("an action that was never made");
    return deed;
  }
}

interface Index {
  readonly list: readonly number[];
  readonly places: ReadonlyMap<number, readonly number[]>;
}

/** The comparison of some actions on the requests of one store. */
class Leaf {
  private readonly decision: Decision;
  private readonly agreement: Agreement;
  private readonly deeds: readonly Deed[];
  private readonly isWhole: boolean;

  constructor(decision: Decision, agreement: Agreement, deeds: readonly Deed[], isWhole: boolean) {
    this.decision = decision;
    this.agreement = agreement;
    this.deeds = deeds;
    this.isWhole = isWhole;
  }

  /** True when the actions agree on every request. Otherwise, where the store is whole, what differs or stays open has been told. */
  holdsIn(store: Store): boolean {
    const first = this.decision.request(store, "sure");
    if (first !== undefined && this.verdict(first) === "different") return this.told(first);
    const verdict = this.walk(store, 0);
    if (verdict !== "same" || this.agreement.open === undefined) return verdict === "same";
    return this.tryPaths(store, this.agreement.open);
  }

  /** Splits by what is left of the literals; one request speaks for each part. */
  private walk(store: Store, from: number): "same" | "other" {
    const literal = this.agreement.literals[from];
    if (literal === undefined) return this.speaksFor(store);
    for (const sign of [literal ^ 1, literal]) {
      const next = store.with(sign);
      if (next !== undefined && this.walk(next, from + 1) === "other") return "other";
    }
    return "same";
  }

  private speaksFor(store: Store): "same" | "other" {
    const sure = this.decision.request(store, "sure");
    const request = sure ?? this.decision.request(store, "possible");
    if (request === undefined) return "same";
    const verdict = this.verdict(request);
    if (verdict === "same") return "same";
    if (verdict === "different" && sure !== undefined) this.told(request);
    else if (this.isWhole) this.leaveOpen(verdict, request);
    return "other";
  }

  private leaveOpen(verdict: "different" | "open", request: Request): void {
    if (verdict === "different") this.decision.open(`only a request that may not reach the proxy as it is tells the rules apart: ${shown(request)}`);
    else if (this.agreement.isFormatted) this.decision.open("header values with commands are not modelled, and they are not the same");
    else this.decision.depends(request);
  }

  private verdict(request: Request): "same" | "different" | "open" {
    let verdict = this.plainVerdict(request);
    if (verdict === "same" && this.agreement.queryVaries) {
      const other = { ...request, path: `${request.path}${request.path.includes("?") ? "&" : "?"}x=x` };
      verdict = this.plainVerdict(other);
    }
    return verdict;
  }

  private plainVerdict(request: Request): "same" | "different" | "open" {
    const effects = this.decision.effects(this.deeds, request);
    const verdict = this.decision.judgement(effects, effectKey);
    if (!this.agreement.isFormatted) return verdict;
    return this.decision.judgement(effects, (effect) => effectKey(withoutCommands(effect))) === "different" ? "different" : "open";
  }

  private told(request: Request): false {
    if (this.isWhole) this.decision.report(this.plainVerdict(request) === "different" ? request : { ...request, path: `${request.path}${request.path.includes("?") ? "&" : "?"}x=x` }, this.deeds);
    return false;
  }

  /** Rewrites by regexes: some paths are tried, and if none shows a difference the question stays open. */
  private tryPaths(store: Store, reason: string): boolean {
    const first = this.decision.request(store, "possible");
    for (let count = 0; first !== undefined && count < MOST_TRIED; count++) {
      const request = { ...first, path: toText(variant(toBytes(first.path), count)) };
      if (store.holds(request.path) && this.verdict(request) === "different") return this.told(request);
    }
    if (this.isWhole) this.decision.open(reason);
    return false;
  }
}

const endings = ["", "x", "/", "/x", "/x/y", "xx", "1", "-x", "/x/", "/1", "x/x", ".x", "/x.x", "%20", "/a/b/c", "A"];

/** Paths near a given one. */
function variant(path: Bytes, count: number): Bytes {
  const [plain = "", query] = path.split("?");
  const ending = endings[count % endings.length] ?? "";
  const middle = Math.floor(count / endings.length);
  const changed = middle === 0 ? plain + ending : plain.slice(0, -middle) + ending;
  return query === undefined ? changed : `${changed}?${query}`;
}

function shown({ method, authority, path }: Request): string {
  return `\`${method} ${authority}${path}\``;
}
