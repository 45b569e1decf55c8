/**
 * The vocabulary in which the tables of one kind of host are compared: parts, predicates, actions and entries, each known once.
 *
 * @module
 */

import { ALL, beginningOf, DEAD, determinize, everything, includes, literal, OutOfBudget, separated } from "../languages/automaton.ts";
import type { Automaton } from "../languages/automaton.ts";
import { lowerAscii, toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import type { Form } from "../languages/forms.ts";
import { parameterOfTarget, pathOfTarget, targets } from "../languages/lines.ts";
import { compileRegex } from "../languages/program.ts";
import type { Regex, TextReading } from "../languages/re2-syntax.ts";
import { areSeenApart, EXTENSIONS, WORD } from "../languages/search.ts";
import type { Meter } from "../languages/search.ts";
import { queries } from "./alphabets.ts";
import type { Action, FieldMatch, PathMatch, PathNormalization, StringMatch } from "./model.ts";
import { seenPaths } from "./paths.ts";
import { authorityPart, claimPart, headerPart, holdsAll, methodPart, ParameterPart, PathPart, targetPart } from "./predicates.ts";
import type { HostKind, Part, Predicate, PredicateKind } from "./predicates.ts";
import type { Regexes } from "./regexes.ts";
import type { Setting } from "./seen.ts";

/** A predicate (`2 * id`) or its negation (`2 * id + 1`). */
export type Literal = number;

/** The literal that holds when the given one does not. */
export function opposite(literal: Literal): Literal {
  return literal ^ 1;
}

/** An action as one table would do it. */
export interface Deed {
  readonly action: Action;
  readonly setting: Setting;
}

/** Most states of one automaton. */
const MAX_STATES = 20_000;

/** Automata by what they are made from; shared by all scopes of a comparison. */
export class Languages {
  private readonly regexes: Regexes;
  private readonly known = new Map<string, Automaton>();

  constructor(regexes: Regexes) {
    this.regexes = regexes;
  }

  /** The language of a test. An expression that was not read has none; such rules are never lowered. */
  of(match: PathMatch, reading: TextReading): Automaton {
    if (match.kind === "regex") return this.remember(`${reading} ${match.pattern}`, () => this.regex(match.pattern, reading));
    const ignoreCase = match.ignoreCase === true;
    const value = toBytes(match.value);
    switch (match.kind) {
      case "exact":
        return literal(value, "end", ignoreCase);
      case "prefix":
        return literal(value, "anything", ignoreCase);
      case "separated-prefix":
        return separated(value, ignoreCase);
      default:
        return this.remember(`${match.kind} ${ignoreCase} ${value}`, () => around(match.kind === "contains", value, ignoreCase));
    }
  }

  /** The texts and beginnings of texts that an expression stands for as a path, where these are all. */
  forms(pattern: string, reading: TextReading): readonly Form[] | undefined {
    const compiled = this.regexes.get(pattern, reading);
    return compiled.ok ? compiled.forms : undefined;
  }

  private regex(pattern: string, reading: TextReading): Automaton {
    const compiled = this.regexes.get(pattern, reading);
    if (!compiled.ok) throw new Error(`the regex \`${pattern}\` was not read`);
    return determinize(compiled.program, `the regex \`${pattern.length > 60 ? `${pattern.slice(0, 57)}...` : pattern}\``, MAX_STATES);
  }

  /** What was made for a key before, or is made now. */
  remember(key: string, make: () => Automaton): Automaton {
    const known = this.known.get(key) ?? make();
    this.known.set(key, known);
    return known;
  }
}

const anyBytes: Regex = { type: "repeat", part: { type: "byte" }, min: 0, max: Infinity, greedy: true };

function spelled(value: Bytes, ignoreCase: boolean): readonly Regex[] {
  return Array.from(ignoreCase ? lowerAscii(value) : value, (character): Regex => {
    const code = character.charCodeAt(0);
    const isLetter = ignoreCase && code >= 0x61 && code <= 0x7a;
    return { type: "set", set: isLetter ? [code - 32, code - 32, code, code] : [code, code] };
  });
}

/** Words that end in a value, or hold it anywhere. */
function around(anywhere: boolean, value: Bytes, ignoreCase: boolean): Automaton {
  return fromRegex({ type: "concat", parts: [anyBytes, ...spelled(value, ignoreCase), ...(anywhere ? [anyBytes] : [])] }, value);
}

/** Words with a text at a place: `skip` bytes, the text, and then the end or anything. */
export function textAt(skip: number, value: Bytes, then: "end" | "anything"): Automaton {
  const skipped = Array.from({ length: skip }, (): Regex => ({ type: "byte" }));
  return fromRegex({ type: "concat", parts: [...skipped, ...spelled(value, false), ...(then === "anything" ? [anyBytes] : [])] }, value);
}

/** Words that end in a text. */
export function endingIn(value: Bytes): Automaton {
  return around(false, value, false);
}

function fromRegex(regex: Regex, text: string): Automaton {
  const program = compileRegex(regex, "bytes");
  if (program === undefined) throw new Error("a text too long to compare");
  return determinize(program, `\`${text}\``, 4 * MAX_STATES);
}

/** What the entries of a list are made of. */
export interface Entry {
  readonly pattern: number;
  /** Sorted. */
  readonly literals: readonly Literal[];
  readonly action: number;
}

/** Kinds of predicates that read all of a part as one string. */
const AS_ONE: ReadonlySet<PredicateKind> = new Set<PredicateKind>(["string", "joined", "list"]);

/** Most pairs of tests that are looked at for whether they exclude each other. */
const MOST_PAIRS = 50_000;

/** No pattern: any path. */
export const ANY_PATH = -1;

/** See the module. */
export class Scope {
  readonly predicates: Predicate[] = [];
  readonly deeds: Deed[] = [];
  readonly entries: Entry[] = [];
  readonly patternTexts: Bytes[] = [];
  readonly patternIsPrefix: boolean[] = [];
  /** All patterns of paths, sorted; complete after {@link sortPatterns}. */
  readonly patterns: { words: Bytes[]; flags: number[] } = { words: [], flags: [] };
  readonly path: Part;
  readonly method: Part;
  readonly authority: Part;
  readonly isCoupled: boolean;
  /** Whether any part has rivals. */
  hasRivals = false;
  readonly languages: Languages;
  private readonly parts = new Map<string, Part>();
  private readonly claims = new Map<Part, readonly string[]>();
  private readonly rivals = new Map<Part, readonly Part[]>();
  private readonly numbers = new Map<Part, number>();
  private readonly byKey = new Map<string, number>();
  private readonly entryIds = new Map<string, number>();
  private readonly actionIds = new Map<string, number>();
  /** By what tells settings apart. */
  private readonly byAction: Map<Action, number>[] = [];
  /** By table. */
  private readonly refused: Map<Action, number>[] = [];
  private readonly patternIds = new Map<Bytes, number>();
  private readonly apart = new Map<number, boolean>();
  /** By predicate, what every word of its language begins with. */
  private readonly beginnings: Bytes[] = [];
  private readonly behind = new Map<Bytes, { readonly is: boolean | undefined }[]>();
  private readonly meter: Meter;

  constructor(options: {
    readonly languages: Languages;
    readonly meter: Meter;
    readonly paths: Automaton | undefined;
    readonly normalization: PathNormalization;
    /** Some predicate looks at path and query together. */
    readonly isCoupled: boolean;
    readonly host: HostKind;
  }) {
    const { meter } = options;
    this.languages = options.languages;
    this.meter = meter;
    this.isCoupled = options.isCoupled;
    const paths = options.paths ?? seenPaths(options.normalization);
    this.path = options.isCoupled
      ? targetPart({ possible: targets(paths, queries.possible), sure: targets(paths, queries.sure) }, meter)
      : new PathPart(paths, this.patterns, meter);
    this.method = methodPart(meter);
    this.authority = authorityPart(options.host, meter);
  }

  /** The part that a header test looks at. */
  headerPart(name: string): Part {
    switch (name) {
      case ":method":
        return this.method;
      case ":authority":
      case "host":
        return this.authority;
      case ":path":
        return this.path;
      default:
        return this.part(`h ${name}`, () => headerPart(name, this.meter));
    }
  }

  parameterPart(name: Bytes): Part {
    return this.isCoupled ? this.path : this.part(`q ${name}`, () => new ParameterPart(name, this.meter));
  }

  claimPart(path: readonly string[]): Part {
    return this.part(`c ${JSON.stringify(path)}`, () => {
      const made = claimPart(path, this.meter);
      const rivals = [...this.claims].filter(([, other]) => isWithin(path, other) || isWithin(other, path)).map(([part]) => part);
      this.hasRivals ||= rivals.length > 0;
      for (const rival of rivals) this.rivals.set(rival, [...this.rivalsOf(rival), made]);
      this.claims.set(made, path);
      this.rivals.set(made, rivals);
      return made;
    });
  }

  /**
   * Parts of which none can be there when the given one is, the one exception to their independence: a claim is a text or an object of
   * claims, so that `a` and `a.b` are never both there.
   */
  rivalsOf(part: Part): readonly Part[] {
    return this.rivals.get(part) ?? noParts;
  }

  /** A number for each part that was seen. */
  numberOf(part: Part): number {
    const known = this.numbers.get(part) ?? this.numbers.size;
    this.numbers.set(part, known);
    return known;
  }

  private part(key: string, make: () => Part): Part {
    const known = this.parts.get(key) ?? make();
    this.parts.set(key, known);
    return known;
  }

  /** The predicate for a key, made once. */
  predicate(part: Part, kind: PredicateKind, key: string, whenAbsent: boolean, make: () => { readonly language: Automaton; readonly word?: Bytes | undefined; readonly text: string }): Literal {
    const whole = `${this.numberOf(part)} ${kind} ${whenAbsent} ${key}`;
    const known = this.byKey.get(whole);
    if (known !== undefined) return 2 * known;
    const id = this.predicates.length;
    this.predicates.push({ id, part, kind, whenAbsent, ...make() });
    this.byKey.set(whole, id);
    return 2 * id;
  }

  /** The literal for a test of a thing that can be absent, or what the test always says. */
  field(part: Part, kind: PredicateKind, match: FieldMatch, reading: TextReading): Literal | boolean {
    const isInverted = match.invert === true;
    const language = match.match.kind === "any" ? everything : this.languages.of(match.match, reading);
    const isEmptyIn = (): boolean => includes(language, "");
    const whenAbsent = match.whenAbsent === "as-empty" ? isEmptyIn() : (match.whenAbsent === true) !== isInverted;
    if (holdsAll(language) && whenAbsent) return !isInverted;
    const isPresence = holdsAll(language) && kind !== "string";
    const literal = this.predicate(part, isPresence ? "any" : kind, isPresence ? "" : matchKey(match.match, reading), whenAbsent, () => ({
      language,
      word: match.match.kind === "exact" && match.match.ignoreCase !== true ? toBytes(match.match.value) : undefined,
      text: `${part.name} ${matchText(match.match)}`,
    }));
    return isInverted ? opposite(literal) : literal;
  }

  /** The literal for a parameter where path and query are one part. */
  coupledField(name: Bytes, match: FieldMatch, reading: TextReading): Literal | boolean {
    const isInverted = match.invert === true;
    const language = match.match.kind === "any" ? everything : this.languages.of(match.match, reading);
    const whenAbsent = match.whenAbsent === "as-empty" ? includes(language, "") : (match.whenAbsent === true) !== isInverted;
    if (holdsAll(language) && whenAbsent) return !isInverted;
    const literal = this.predicate(this.path, "string", `q ${JSON.stringify(name)} ${whenAbsent} ${matchKey(match.match, reading)}`, false, () => ({
      language: parameterOfTarget(name, language, whenAbsent),
      text: `parameter ${name} ${matchText(match.match)}`,
    }));
    return isInverted ? opposite(literal) : literal;
  }

  /** The literal for a test of the path without query, where no pattern stands for it. */
  pathLiteral(match: PathMatch, reading: TextReading): Literal {
    return this.predicate(this.path, "string", `p ${matchKey(match, reading)}`, false, () => {
      const language = this.languages.of(match, reading);
      return { language: this.isCoupled ? pathOfTarget(language) : language, text: `path ${matchText(match)}` };
    });
  }

  /** What a test of the path says of all that begin with a text; undefined where that depends on what follows. */
  truthBehind(start: Bytes, { id, language }: Predicate): boolean | undefined {
    let known = this.behind.get(start);
    if (known === undefined) this.behind.set(start, (known = []));
    return (known[id] ??= { is: truthBehind(start, language) }).is;
  }

  private beginningOf({ id, language }: Predicate): Bytes {
    return (this.beginnings[id] ??= beginningOf(language));
  }

  /** Whether two tests of one part are seen to exclude each other. False says nothing. */
  excludeEachOther(one: Predicate, other: Predicate): boolean {
    if (one.part !== other.part || one.kind !== other.kind || !AS_ONE.has(one.kind) || one.whenAbsent || other.whenAbsent || one === other) return false;
    const [begins, otherBegins] = [this.beginningOf(one), this.beginningOf(other)];
    if (!begins.startsWith(otherBegins) && !otherBegins.startsWith(begins)) return true;
    const pair = Math.min(one.id, other.id) * 2 ** 26 + Math.max(one.id, other.id);
    let known = this.apart.get(pair);
    if (known === undefined && this.apart.size < MOST_PAIRS) {
      known = one.word !== undefined ? !includes(other.language, one.word) : other.word !== undefined ? !includes(one.language, other.word) : areSeenApart(one.language, other.language);
      this.apart.set(pair, known);
    }
    return known === true;
  }

  /** A pattern of paths. */
  pattern(text: Bytes, isPrefix: boolean): number {
    const key = (isPrefix ? "p" : "e") + text;
    const known = this.patternIds.get(key);
    if (known !== undefined) return known;
    const id = this.patternTexts.length;
    this.patternTexts.push(text);
    this.patternIsPrefix.push(isPrefix);
    this.patternIds.set(key, id);
    return id;
  }

  /** The pattern that was interned, if it was. */
  patternFor(text: Bytes, isPrefix: boolean): number | undefined {
    return this.patternIds.get((isPrefix ? "p" : "e") + text);
  }

  /** The longest prefix among the patterns, `/` where there is none; undefined for a path that a pattern names. */
  classOf(path: Bytes): Bytes | undefined {
    if (this.patternFor(path, false) !== undefined) return undefined;
    for (let length = path.length; length > 0; length--) if (this.patternFor(path.slice(0, length), true) !== undefined) return path.slice(0, length);
    return "/";
  }

  /** To be called when all patterns are known. */
  sortPatterns(): void {
    const flags = new Map<Bytes, number>();
    this.patternTexts.forEach((text, id) => flags.set(text, (flags.get(text) ?? 0) | (this.patternIsPrefix[id] === true ? EXTENSIONS : WORD)));
    this.patterns.words = [...flags.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.patterns.flags = this.patterns.words.map((word) => flags.get(word) ?? 0);
  }

  /** The number of an action; equal numbers do the same. `apart` tells tables apart whose settings differ. */
  action(action: Action, setting: Setting, apart: number, table: number): number {
    const ids = action.type === "invalid" ? (this.refused[table] ??= new Map()) : (this.byAction[apart] ??= new Map());
    const known = ids.get(action);
    if (known !== undefined) return known;
    // What Envoy refuses equals nothing, not even itself elsewhere.
    const key = action.type === "invalid" ? `invalid ${table}` : `${apart} ${JSON.stringify(action)}`;
    const id = this.actionIds.get(key) ?? this.deeds.push({ action, setting }) - 1;
    this.actionIds.set(key, id);
    ids.set(action, id);
    return id;
  }

  entry(pattern: number, literals: readonly Literal[], action: number): number {
    const key = `${pattern} ${action} ${literals.join(",")}`;
    const known = this.entryIds.get(key);
    if (known !== undefined) return known;
    const id = this.entries.push({ pattern, literals, action }) - 1;
    this.entryIds.set(key, id);
    return id;
  }
}

const noParts: readonly Part[] = [];

function truthBehind(start: Bytes, language: Automaton): boolean | undefined {
  let state = language.start;
  try {
    for (let at = 0; at < start.length && state !== DEAD && state !== ALL; at++) state = language.step(state, start.charCodeAt(at));
  } catch (fault) {
    // Too large to follow: whoever must know will ask again.
    if (fault instanceof OutOfBudget) return undefined;
    throw fault;
  }
  return state === DEAD ? false : state === ALL ? true : undefined;
}

/** Whether one path of claims leads through another. */
function isWithin(path: readonly string[], outer: readonly string[]): boolean {
  return path.length > outer.length && outer.every((step, index) => path[index] === step);
}

function matchKey(match: PathMatch | { readonly kind: "any" }, reading: TextReading): string {
  if (match.kind === "any") return "any";
  if (match.kind === "regex") return `${reading} ${match.pattern}`;
  return `${match.kind} ${match.ignoreCase === true} ${match.value}`;
}

/** A test for people. */
function matchText(match: PathMatch | StringMatch | { readonly kind: "any" }): string {
  if (match.kind === "any") return "there";
  return `${match.kind} \`${match.kind === "regex" ? match.pattern : match.value}\``;
}
