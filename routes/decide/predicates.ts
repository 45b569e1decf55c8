/**
 * Predicates: each asks one thing of one part of a request, as a language.
 *
 * A part is a string that is always there (method, authority, path), or one that can be absent (parameter), or several strings
 * (the lines of a header, the elements of a claim). All parts are independent of each other, so that a set of literals can be satisfied
 * exactly when the literals of each part can.
 *
 * @module
 */

import { accepting, includes, literal } from "../languages/automaton.ts";
import type { Automaton } from "../languages/automaton.ts";
import type { Bytes } from "../languages/bytes.ts";
import { joinedLines, LINE_END, manyLines, someLine } from "../languages/lines.ts";
import { shortestWord, WORD } from "../languages/search.ts";
import type { Avoided, Meter, Question } from "../languages/search.ts";
import { authorities, claimTexts, connect, headerLine, isFree, methods, notEmpty, parameters, type Repeats, repeatsOf } from "./alphabets.ts";
import type { Alphabet } from "./alphabets.ts";

/**
 * What a predicate compares: the one `string` there is; `any`, whether something is there; `each`, some line or element; `joined`, all
 * lines with commas between them; `list`, the very list of lines.
 */
export type PredicateKind = "string" | "any" | "each" | "joined" | "list";

/** A test of one part. */
export interface Predicate {
  readonly id: number;
  readonly part: Part;
  readonly kind: PredicateKind;
  readonly language: Automaton;
  /** The only word of the language, where it has one only. */
  readonly word?: Bytes | undefined;
  /** The answer when the part is absent. */
  readonly whenAbsent: boolean;
  /** For people. */
  readonly text: string;
}

/** The content of a part; undefined: absent. */
export type Content = readonly Bytes[] | undefined;

/** A set of paths: one, or those that begin so and with none of the longer patterns. */
export type PathClass = { readonly path: Bytes } | { readonly start: Bytes };

/** What is asked of a part: these predicates hold, those do not. */
export interface Wish {
  readonly yes: readonly Predicate[];
  readonly no: readonly Predicate[];
}

/** Where a part stands in a request. */
export type Place =
  | { readonly type: "method" | "authority" | "path" | "target" }
  | { readonly type: "header" | "parameter"; readonly name: string }
  | { readonly type: "claim"; readonly path: readonly string[] };

/** One part of a request. */
export interface Part {
  readonly place: Place;
  /** For people, and to tell parts apart: `header x`. */
  readonly name: string;
  /** A content that fulfils a wish: one that surely can be sent, or any that is possible. May throw OutOfBudget. */
  find(wish: Wish, certainty: "sure" | "possible", within?: PathClass): { readonly content: Content } | undefined;
}

/** Whether a content satisfies a predicate. */
export function satisfiedBy(predicate: Predicate, content: Content): boolean {
  if (content === undefined) return predicate.whenAbsent;
  switch (predicate.kind) {
    case "any":
      return true;
    case "string":
    case "each":
      return content.some((line) => includes(predicate.language, line));
    case "joined":
      return includes(predicate.language, content.join(","));
    case "list":
      return includes(predicate.language, content.join("\n"));
  }
}

function fulfils({ yes, no }: Wish, content: Content): boolean {
  return yes.every((predicate) => satisfiedBy(predicate, content)) && !no.some((predicate) => satisfiedBy(predicate, content));
}

/** Above this many words that are not wanted they are kept sorted, below they are languages like others. */
const FEW = 4;

function question(domain: Automaton, wish: Wish, asWords: (predicate: Predicate) => Automaton): Question {
  const outside: Automaton[] = [];
  const words: Bytes[] = [];
  const isMany = wish.no.length > FEW;
  for (const predicate of wish.no) {
    if (isMany && predicate.word !== undefined) words.push(predicate.word);
    else outside.push(asWords(predicate));
  }
  const within = [domain, ...wish.yes.map(asWords)];
  if (words.length === 0) return { within, outside };
  words.sort(byBytes);
  const avoided: Avoided = { words, flags: words.map(() => WORD) };
  return { within, outside, avoided };
}

const byBytes = (a: Bytes, b: Bytes): number => (a < b ? -1 : a > b ? 1 : 0);

/** A shortest word of a domain; one that is not empty where there is one. */
function readableWord(domain: Automaton, wish: Wish, asWords: (predicate: Predicate) => Automaton, meter: Meter): Bytes | undefined {
  const only = wish.yes.find(({ word }) => word !== undefined)?.word;
  if (only !== undefined) {
    const isIn = (language: Automaton): boolean => includes(language, only);
    return isIn(domain) && wish.yes.every((predicate) => isIn(asWords(predicate))) && !wish.no.some((predicate) => isIn(asWords(predicate))) ? only : undefined;
  }
  const asked = question(domain, wish, asWords);
  return shortestWord({ ...asked, within: [...asked.within, notEmpty()] }, meter) ?? shortestWord(asked, meter);
}

const itself = ({ language }: Predicate): Automaton => language;

/** A string that is always there. Common values are tried before a search. */
class StringPart implements Part {
  readonly name: string;
  readonly place: Place;
  private readonly alphabet: Alphabet;
  private readonly common: readonly Bytes[];
  private readonly excluded: readonly Automaton[];
  private readonly meter: Meter;

  constructor(type: "method" | "authority" | "target", name: string, alphabet: Alphabet, common: readonly Bytes[], excluded: readonly Automaton[], meter: Meter) {
    this.name = name;
    this.place = { type };
    this.alphabet = alphabet;
    this.common = common;
    this.excluded = excluded;
    this.meter = meter;
  }

  find(wish: Wish, certainty: "sure" | "possible"): { readonly content: Content } | undefined {
    for (const value of this.common) if (fulfils(wish, [value])) return { content: [value] };
    const asked = question(this.alphabet[certainty], wish, itself);
    const word = shortestWord({ ...asked, outside: [...asked.outside, ...this.excluded] }, this.meter);
    return word === undefined ? undefined : { content: [word] };
  }
}

/** The methods, the common ones first. */
export function methodPart(meter: Meter): Part {
  return new StringPart("method", "method", methods, ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"], [connect], meter);
}

/** What makes an authority one of a kind of host: languages that it is in, and others that it is not in. */
export interface HostKind {
  /** Authorities of the kind, the readable ones first. */
  readonly common: readonly Bytes[];
  /** Made when somebody asks. */
  languages(): { readonly within: readonly Automaton[]; readonly outside: readonly Automaton[] };
}

/** The authority of requests to one kind of host. */
export function authorityPart(host: HostKind, meter: Meter): Part {
  let kind: readonly Predicate[] | undefined;
  let part: StringPart | undefined;
  return {
    name: "authority",
    place: { type: "authority" },
    find(wish, certainty) {
      for (const value of host.common) if (fulfils(wish, [value])) return { content: [value] };
      const { within, outside } = host.languages();
      const made = (part ??= new StringPart("authority", "authority", authorities, [], outside, meter));
      kind ??= within.map((language, id): Predicate => ({ id: -1 - id, part: made, kind: "string", language, whenAbsent: false, text: "" }));
      return made.find({ yes: [...kind, ...wish.yes], no: wish.no }, certainty);
    },
  };
}

/** The path without query: of a class of paths, beyond the patterns that the class excludes. */
export class PathPart implements Part {
  readonly name = "path";
  readonly place = { type: "path" } as const;
  private readonly domain: Automaton;
  private readonly patterns: Avoided;
  private readonly meter: Meter;

  constructor(domain: Automaton, patterns: Avoided, meter: Meter) {
    this.domain = domain;
    this.patterns = patterns;
    this.meter = meter;
  }

  find(wish: Wish, _certainty: "sure" | "possible", within?: PathClass): { readonly content: Content } | undefined {
    if (within !== undefined && "path" in within) return includes(this.domain, within.path) && fulfils(wish, [within.path]) ? { content: [within.path] } : undefined;
    const word = shortestWord(
      { within: [this.domain, ...wish.yes.map(itself)], outside: wish.no.map(itself), ...(within === undefined ? {} : { start: within.start, avoided: this.patterns }) },
      this.meter,
    );
    return word === undefined ? undefined : { content: [word] };
  }
}

/** Path and query as one string: where a predicate looks at both. */
export function targetPart(domain: Alphabet, meter: Meter): Part {
  return new StringPart("target", "path and query", domain, ["/"], [], meter);
}

/** A parameter of the query. */
export class ParameterPart implements Part {
  readonly name: string;
  readonly place: Place;
  private readonly isPossible: boolean;
  private readonly isSure: boolean;
  private readonly meter: Meter;

  constructor(parameter: Bytes, meter: Meter) {
    this.name = `parameter ${parameter}`;
    this.place = { type: "parameter", name: parameter };
    this.isPossible = includes(parameters.possible, parameter) && !parameter.includes("=");
    this.isSure = this.isPossible && includes(parameters.sure, parameter);
    this.meter = meter;
  }

  find(wish: Wish, certainty: "sure" | "possible"): { readonly content: Content } | undefined {
    if (fulfils(wish, undefined)) return { content: undefined };
    if (!(certainty === "sure" ? this.isSure : this.isPossible)) return undefined;
    const word = readableWord(parameters[certainty], wish, itself, this.meter);
    return word === undefined ? undefined : { content: [word] };
  }
}

/** Several strings of one kind: the lines of a header, or the elements of a claim. */
class LinesPart implements Part {
  readonly name: string;
  readonly place: Place;
  private readonly line: Automaton;
  private readonly presence: "never" | "perhaps" | "surely";
  private readonly repeats: Repeats;
  private readonly meter: Meter;

  constructor(name: string, place: Place, line: Automaton, presence: "never" | "perhaps" | "surely", repeats: Repeats, meter: Meter) {
    this.name = name;
    this.place = place;
    this.line = line;
    this.presence = presence;
    this.repeats = repeats;
    this.meter = meter;
  }

  find(wish: Wish, certainty: "sure" | "possible"): { readonly content: Content } | undefined {
    // What the proxy writes itself is not even surely absent.
    if (certainty === "sure" && this.presence === "perhaps") return undefined;
    if (fulfils(wish, undefined)) return { content: undefined };
    if (this.presence === "never") return undefined;
    const content = this.lines(wish, certainty);
    return content === undefined ? undefined : { content };
  }

  private lines(wish: Wish, certainty: "sure" | "possible"): readonly Bytes[] | undefined {
    const kinds = new Set([...wish.yes, ...wish.no].map(({ kind }) => kind));
    kinds.delete("any");
    const single = this.single(wish);
    if (single !== undefined || (!kinds.has("each") && !kinds.has("list"))) return single;
    if (this.repeats === "never" || (certainty === "sure" && this.repeats === "perhaps")) return undefined;
    return kinds.size === 1 && kinds.has("each") ? this.lineByLine(wish) : this.together(wish);
  }

  /** One line for all wishes: whole, joined and by itself it is the same. */
  private single(wish: Wish): readonly Bytes[] | undefined {
    const word = readableWord(this.line, wish, itself, this.meter);
    return word === undefined ? undefined : [word];
  }

  /** Line by line nothing but the refusals ties lines together: each wish may have a line of its own. */
  private lineByLine({ yes, no }: Wish): readonly Bytes[] | undefined {
    const lines = new Set<Bytes>();
    for (const predicate of yes) {
      const word = readableWord(this.line, { yes: [predicate], no }, itself, this.meter);
      if (word === undefined) return undefined;
      lines.add(word);
    }
    return lines.size > 0 ? [...lines].sort(byBytes) : undefined;
  }

  /** All lines as one string. */
  private together(wish: Wish): readonly Bytes[] | undefined {
    const asWords = ({ kind, language }: Predicate): Automaton =>
      kind === "each" ? someLine(language) : kind === "joined" ? joinedLines(language) : language;
    const word = shortestWord({ within: [manyLines(this.line), ...wish.yes.map(asWords)], outside: wish.no.map(asWords) }, this.meter);
    return word?.split(String.fromCharCode(LINE_END));
  }
}

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** The lines of a header. */
export function headerPart(name: string, meter: Meter): Part {
  const presence = !token.test(name) ? "never" : isFree(name) ? "surely" : "perhaps";
  return new LinesPart(`header ${name}`, { type: "header", name }, headerLine, presence, repeatsOf(name), meter);
}

/** The strings of a claim. */
export function claimPart(path: readonly string[], meter: Meter): Part {
  return new LinesPart(`claim ${path.join(".")}`, { type: "claim", path }, claimTexts(), "surely", "surely", meter);
}

/** The language of exactly one list of lines. */
export function listLanguage(lines: readonly Bytes[]): Automaton {
  return literal(lines.join("\n"), "end");
}

/** Whether a language is known to hold every word. */
export function holdsAll(language: Automaton): boolean {
  return language.start < 0 && accepting(language, language.start);
}

