/**
 * A second exact decision for small tables, written without any part of the engine: languages by derivatives, and tables as canonical
 * decision diagrams over what can be told apart in each part of a request. Two tables are the same function exactly when their diagrams
 * are the same node.
 *
 * @module
 */

/** A language over characters. `set` lists characters, or all others. */
export type Language =
  | { readonly type: "nothing" }
  | { readonly type: "empty" }
  | { readonly type: "set"; readonly characters: string; readonly others: boolean }
  | { readonly type: "concat"; readonly first: Language; readonly then: Language }
  | { readonly type: "star"; readonly of: Language }
  | { readonly type: "or"; readonly of: readonly Language[] };

const nothing: Language = { type: "nothing" };
export const empty: Language = { type: "empty" };
export const any: Language = { type: "set", characters: "", others: true };

export function concat(first: Language, then: Language): Language {
  if (first.type === "nothing" || then.type === "nothing") return nothing;
  if (first.type === "empty") return then;
  if (then.type === "empty") return first;
  return first.type === "concat" ? { type: "concat", first: first.first, then: concat(first.then, then) } : { type: "concat", first, then };
}

export function star(of: Language): Language {
  return of.type === "nothing" || of.type === "empty" ? empty : of.type === "star" ? of : { type: "star", of };
}

/** Alternatives flat, sorted and without repetition: without that, derivatives need not be finitely many. */
export function or(...of: readonly Language[]): Language {
  const flat = of.flatMap((one) => (one.type === "or" ? one.of : one.type === "nothing" ? [] : [one]));
  const known = new Map(flat.map((one) => [JSON.stringify(one), one] as const));
  const sorted = [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  const [only] = sorted;
  return only === undefined ? nothing : sorted.length === 1 ? only : { type: "or", of: sorted };
}

export function word(text: string): Language {
  return [...text].reduceRight<Language>((rest, character) => concat({ type: "set", characters: character, others: false }, rest), empty);
}

function hasEmpty(language: Language): boolean {
  switch (language.type) {
    case "nothing":
    case "set":
      return false;
    case "empty":
    case "star":
      return true;
    case "concat":
      return hasEmpty(language.first) && hasEmpty(language.then);
    case "or":
      return language.of.some(hasEmpty);
  }
}

/** What may follow a character. */
function derivative(language: Language, character: string): Language {
  switch (language.type) {
    case "nothing":
    case "empty":
      return nothing;
    case "set":
      return language.characters.includes(character) !== language.others ? empty : nothing;
    case "concat": {
      const behind = concat(derivative(language.first, character), language.then);
      return hasEmpty(language.first) ? or(behind, derivative(language.then, character)) : behind;
    }
    case "star":
      return concat(derivative(language.of, character), language);
    case "or":
      return or(...language.of.map((one) => derivative(one, character)));
  }
}

/** Everything that some languages tell apart among the words of a domain: which of them a word is in, and a shortest such word. */
export function atomsOf(domain: Language, languages: readonly Language[], alphabet: string): ReadonlyMap<string, string> {
  const atoms = new Map<string, string>();
  const seen = new Set<string>();
  let level: { readonly states: readonly Language[]; readonly text: string }[] = [{ states: [domain, ...languages], text: "" }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { states, text } of level) {
      const key = JSON.stringify(states);
      if (states[0]?.type === "nothing" || seen.has(key)) continue;
      seen.add(key);
      const [inside, ...members] = states.map(hasEmpty);
      const atom = members.map((member) => (member ? "1" : "0")).join("");
      if (inside === true && !atoms.has(atom)) atoms.set(atom, text);
      for (const character of alphabet) next.push({ states: states.map((state) => derivative(state, character)), text: text + character });
    }
    level = next;
  }
  return atoms;
}

/** For each part of a request, the contents that matter, as answers to the tests of that part: one answer a test. */
export type Contents = readonly (readonly (readonly boolean[])[])[];

/** A rule: tests that must hold, by part, as indices and the answer wanted; and what it does. */
export interface Line {
  readonly asks: readonly (readonly (readonly [test: number, wanted: boolean])[])[];
  readonly action: string;
}

/** Makes diagrams that are the same number exactly when they are the same function. */
export class Diagrams {
  private readonly contents: Contents;
  private readonly nodes = new Map<string, number>();

  constructor(contents: Contents) {
    this.contents = contents;
  }

  of(lines: readonly Line[], part = 0, memo = new Map<string, number>()): number {
    const key = `${part}: ${lines.map((line) => JSON.stringify([line.asks.slice(part), line.action])).join(" ")}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const contents = this.contents[part];
    const node =
      contents === undefined
        ? this.intern(`leaf ${lines[0]?.action ?? "none"}`)
        : this.intern(`${part} ${contents.map((answers) => this.of(lines.filter((line) => (line.asks[part] ?? []).every(([test, wanted]) => answers[test] === wanted)), part + 1, memo)).join(" ")}`);
    memo.set(key, node);
    return node;
  }

  private intern(key: string): number {
    const known = this.nodes.get(key) ?? this.nodes.size;
    this.nodes.set(key, known);
    return known;
  }
}
