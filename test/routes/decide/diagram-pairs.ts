import { expect } from "vitest";
import type { Condition, FieldMatch, HttpTable, PathMatch, Rule, StringMatch } from "#routes";
import { any, atomsOf, concat, Diagrams, empty, type Language, type Line, or, star, word } from "../../support/diagram.ts";
import { random } from "../../support/seed.ts";
import type { Random } from "../../support/tables.ts";
import { compared } from "./checks.ts";

/** A test in both forms: as the engine reads it, and as a language. */
interface Tested<T> {
  readonly match: T;
  readonly language: Language;
}

const pick = <T>(random: Random, list: readonly T[]): T => {
  const item = list[random(list.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
};

/** A character of a test, `q` stands for all that no test names. */
const letters = "abA,";

function folded(text: string): Language {
  return [...text].reduceRight<Language>((rest, character) => concat({ type: "set", characters: character.toLowerCase() + character.toUpperCase(), others: false }, rest), empty);
}

/** An expression made at random, and its language. */
function expression(random: Random, depth: number): { readonly pattern: string; readonly language: Language } {
  const leaf = random(7);
  if (depth === 0 || leaf < 3) {
    const one = pick(random, [...letters]);
    if (leaf === 0) return { pattern: ".", language: any };
    if (leaf === 1) return { pattern: `[^${one}]`, language: { type: "set", characters: one, others: true } };
    return { pattern: one, language: word(one) };
  }
  const inner = expression(random, depth - 1);
  const other = expression(random, depth - 1);
  switch (random(6)) {
    case 0:
      return { pattern: `(${inner.pattern})*`, language: star(inner.language) };
    case 1:
      return { pattern: `(${inner.pattern})?`, language: or(inner.language, empty) };
    case 2:
      return { pattern: `(?:${inner.pattern}|${other.pattern})`, language: or(inner.language, other.language) };
    case 3:
      return { pattern: `(${inner.pattern}){2}`, language: concat(inner.language, inner.language) };
    case 4:
      return { pattern: `(${inner.pattern})+`, language: concat(inner.language, star(inner.language)) };
    default:
      return { pattern: inner.pattern + other.pattern, language: concat(inner.language, other.language) };
  }
}

function text(random: Random, most: number): string {
  return Array.from({ length: random(most + 1) }, () => pick(random, [...letters])).join("");
}

function stringTest(random: Random, start: string): Tested<StringMatch> {
  const value = start + text(random, 3);
  const ignoreCase = random(4) === 0;
  const spelled = ignoreCase ? folded(value) : word(value);
  const options = ignoreCase ? { ignoreCase } : {};
  switch (random(6)) {
    case 0:
      return { match: { kind: "prefix", value, ...options }, language: concat(spelled, star(any)) };
    case 1:
      return { match: { kind: "suffix", value, ...options }, language: concat(star(any), spelled) };
    case 2:
      return { match: { kind: "contains", value, ...options }, language: concat(star(any), concat(spelled, star(any))) };
    case 3:
    case 4: {
      const { pattern, language } = expression(random, 2);
      return { match: { kind: "regex", pattern: start + pattern }, language: concat(word(start), language) };
    }
    default:
      return { match: { kind: "exact", value, ...options }, language: spelled };
  }
}

function pathTest(random: Random): Tested<PathMatch> {
  if (random(6) > 0) return stringTest(random, "/");
  const value = `/${text(random, 2)}`;
  if (value === "/") return { match: { kind: "prefix", value }, language: concat(word(value), star(any)) };
  return { match: { kind: "separated-prefix", value }, language: or(word(value), concat(word(`${value}/`), star(any))) };
}

/** What may stand in each part: of the path no blank, question mark or hash; around a header line no blank. */
const blank: Language = { type: "set", characters: " ", others: false };
const visible: Language = { type: "set", characters: " ", others: true };
const domains = {
  path: concat(word("/"), star({ type: "set", characters: " ÿ", others: true })),
  line: or(empty, visible, concat(visible, concat(star(or(visible, blank)), visible))),
  value: star(any),
};

/** The tests of a field: those of its content, and for each how it answers when the field is absent. */
interface Field {
  readonly languages: Language[];
  readonly tests: { readonly language: number | "any"; readonly absent: boolean }[];
}

function fieldTest(random: Random, field: Field): { readonly match: FieldMatch; readonly ask: readonly [number, boolean] } {
  const tested = random(4) === 0 ? undefined : stringTest(random, "");
  const invert = random(3) === 0;
  const whenAbsent = pick(random, ["left out", true, false, "as-empty"] as const);
  const match: FieldMatch = { match: tested?.match ?? { kind: "any" }, ...(invert ? { invert } : {}), ...(whenAbsent === "left out" ? {} : { whenAbsent }) };
  const emptyHolds = tested === undefined || atomsOf(empty, [tested.language], "").has("1");
  const absent = whenAbsent === "as-empty" ? emptyHolds !== invert : whenAbsent === true;
  const language = tested === undefined ? "any" : field.languages.push(tested.language) - 1;
  // The test is noted without its inversion: inverted, it must fail.
  const test = field.tests.push({ language, absent: absent !== invert }) - 1;
  return { match, ask: [test, !invert] };
}

/** Contents of a field of one string, or absent. */
function single(field: Field, domain: Language): readonly (readonly boolean[])[] {
  const atoms = [...atomsOf(domain, field.languages, "abAB,q/ÿ ").keys()];
  return [field.tests.map(({ absent }) => absent), ...atoms.map((atom) => field.tests.map(({ language }) => language === "any" || atom[language] === "1"))];
}

/** Contents of a header whose lines are matched one by one: any set of kinds of line, or none. */
function lineByLine(field: Field): readonly (readonly boolean[])[] {
  const [absent = [], ...kinds] = single(field, domains.line);
  const sets = new Map<string, readonly boolean[]>();
  for (const kind of kinds) {
    for (const known of [...sets.values(), kind]) {
      const together = known.map((holds, index) => holds || kind[index] === true);
      sets.set(JSON.stringify(together), together);
    }
    sets.set(JSON.stringify(kind), kind);
  }
  return [absent, ...sets.values()];
}

/** Two small tables in both forms: for the engine, and as lines of a diagram. */
function pair(random: Random): { readonly tables: readonly [HttpTable, HttpTable]; readonly isSame: boolean } {
  const headerLines = pick(random, ["each", "joined"] as const);
  const paths: Language[] = [];
  const methods = ["GET", "PUT", "get"];
  const [x, y, q]: readonly Field[] = Array.from({ length: 3 }, () => ({ languages: [], tests: [] }));
  if (x === undefined || y === undefined || q === undefined) throw new Error("three fields");
  const known: { readonly when: Condition; readonly asks: Line["asks"] }[] = [];
  const condition = (): (typeof known)[number] => {
    const asks: (readonly [number, boolean])[][] = [[], [], [], [], []];
    const headers: NonNullable<Condition["headers"]>[number][] = [];
    const when: { -readonly [K in keyof Condition]: Condition[K] } = {};
    if (random(3) > 0) {
      const { match, language } = pathTest(random);
      when.path = match;
      asks[0]?.push([paths.push(language) - 1, true]);
    }
    if (random(4) === 0) {
      const index = random(methods.length);
      headers.push({ name: ":method", match: { kind: "exact", value: methods[index] ?? "" } });
      asks[1]?.push([index, true]);
    }
    for (const [name, field, at] of [["x", x, 2], ["x", x, 2], ["y", y, 3]] as const) {
      if (random(3) > 0) continue;
      const { match, ask } = fieldTest(random, field);
      headers.push({ name, ...match });
      asks[at]?.push(ask);
    }
    if (random(5) === 0) {
      const { match, ask } = fieldTest(random, q);
      when.query = [{ name: "q", ...match }];
      asks[4]?.push(ask);
    }
    if (headers.length > 0) when.headers = headers;
    return { when, asks };
  };
  for (let count = 2 + random(3); count > 0; count--) known.push(condition());
  const list = (): { readonly rules: readonly Rule[]; readonly lines: readonly Line[] } => {
    const chosen = Array.from({ length: 1 + random(4) }, () => ({ ...pick(random, known), action: pick(random, ["x", "y"]) }));
    return {
      rules: chosen.map(({ when, action }, index) => ({ when, action: { type: "forward", destinations: [{ host: action, port: 80, weight: 1 }] }, origin: { object: "r", path: String(index) } })),
      lines: chosen.map(({ asks, action }) => ({ asks, action })),
    };
  };
  const [left, right] = [list(), list()];
  const close = random(2) === 0;
  const [lastLeft, lastRight] = [left, close ? swapped(random, left) : right];
  const contents = [
    [...atomsOf(domains.path, paths, "abAB,q/").keys()].map((atom) => [...atom].map((digit) => digit === "1")),
    [...methods, "other"].map((one) => methods.map((method) => method === one)),
    headerLines === "each" ? lineByLine(x) : single(x, domains.line),
    headerLines === "each" ? lineByLine(y) : single(y, domains.line),
    single(q, domains.value),
  ];
  const diagrams = new Diagrams(contents);
  const table = (rules: readonly Rule[]): HttpTable => ({
    type: "http",
    reading: { headerLines, regexText: "bytes" },
    pathNormalization: "none",
    ignorePort: true,
    scheme: { from: "connection", default: "http" },
    virtualHosts: [{ domains: ["a.com"], rules }],
    otherwise: { type: "notFound" },
  });
  return { tables: [table(lastLeft.rules), table(lastRight.rules)], isSame: diagrams.of(lastLeft.lines) === diagrams.of(lastRight.lines) };
}

/** The same rules, two of them exchanged: nearly always a close question. */
function swapped<T extends { readonly rules: readonly Rule[]; readonly lines: readonly Line[] }>(random: Random, { rules, lines }: T): { readonly rules: readonly Rule[]; readonly lines: readonly Line[] } {
  const at = random(Math.max(rules.length - 1, 1));
  const swap = <U>(list: readonly U[]): readonly U[] => [...list.slice(0, at), ...list.slice(at, at + 2).reverse(), ...list.slice(at + 2)];
  return { rules: swap(rules), lines: swap(lines) };
}

/** Holds the engine against the diagrams; what it may leave undecided is nothing. */
export function checkDiagrams(start: number, pairs: number): void {
  const count = { equivalent: 0, different: 0 };
  for (let at = 0; at < pairs; at++) {
    const { tables, isSame } = pair(random(start + at * 7919));
    const outcome = compared(tables).outcome;
    const wanted = isSame ? "equivalent" : "different";
    count[wanted]++;
    if (outcome !== wanted) expect.fail(`SEED=${start + at * 7919}: ${outcome}, the diagrams say ${wanted} ${JSON.stringify(tables)}`);
  }
  process.stdout.write(`${pairs} pairs against diagrams: ${count.equivalent} equivalent, ${count.different} different\n`);
  expect(Math.min(count.equivalent, count.different)).toBeGreaterThan(pairs / 10);
}
