import type { Content, Part, PathClass, Predicate, Wish } from "./predicates.ts";
import { satisfiedBy } from "./predicates.ts";
import type { Bytes } from "../languages/bytes.ts";
import type { Literal, Scope } from "./scope.ts";

/** What is asked of one part, and the content that is the only one left, where that is known. */
interface Asked {
  /** Sorted. */
  readonly literals: readonly Literal[];
  readonly key: string;
  readonly only?: { readonly content: Content; readonly readAs: "any kind" | "one string" };
  /** A content of the part that fulfils all of it, which shows that there is one. */
  readonly example: Example;
}

interface Example {
  readonly content: Content;
}

/** Answers of the parts, kept over all stores of a scope; null: there is no such content. */
export type Memo = Map<string, Example | null>;

/**
 * A set of requests: those that satisfy some literals, with a path of one class. Never empty, as far as the parts can tell.
 *
 * What follows from what is asked already is not asked again: a test of which every path of the class, or none, is known to pass, and one that
 * excludes a test which holds. So rules that have no request in common cost one look at each pair, and no sets of their own.
 */
export class Store {
  readonly within: PathClass | undefined;
  private readonly scope: Scope;
  private readonly asked: ReadonlyMap<Part, Asked>;
  private readonly memo: Memo;

  constructor(scope: Scope, within: PathClass | undefined, memo: Memo, asked: ReadonlyMap<Part, Asked> = new Map()) {
    this.scope = scope;
    this.within = within;
    this.memo = memo;
    this.asked = asked;
  }

  /** What the predicate of a literal says of every request in the set; undefined where it is open, or not known to be settled. */
  truth(literal: Literal): boolean | undefined {
    const predicate = this.predicate(literal);
    const isNegated = (literal & 1) === 1;
    if (this.within !== undefined && predicate.part === this.scope.path) {
      const settled = "path" in this.within ? satisfiedBy(predicate, [this.within.path]) : this.scope.truthBehind(this.within.start, predicate);
      if (settled !== undefined) return settled !== isNegated;
    }
    const asked = this.asked.get(predicate.part);
    if (asked === undefined) return undefined;
    if (asked.literals.includes(literal)) return true;
    if (asked.literals.includes(literal ^ 1)) return false;
    if (this.isExcluded(asked, predicate)) return isNegated;
    const { only } = asked;
    if (only === undefined || (only.readAs === "one string" && predicate.kind !== "string" && predicate.kind !== "joined" && predicate.kind !== "any")) return undefined;
    return satisfiedBy(predicate, only.content) !== isNegated;
  }

  /** Whether something holds of the part that a predicate excludes. */
  private isExcluded({ literals }: Asked, predicate: Predicate): boolean {
    return literals.some((other) => (other & 1) === 0 && this.scope.excludeEachOther(this.predicate(other), predicate));
  }

  /** The requests of the set that satisfy a literal; undefined where there are none. May throw OutOfBudget. */
  with(literal: Literal): Store | undefined {
    const known = this.truth(literal);
    if (known !== undefined) return known ? this : undefined;
    const predicate = this.predicate(literal);
    const { part } = predicate;
    const before = this.asked.get(part);
    // What excludes what holds need not be asked any more.
    const others = before?.literals.filter((other) => (literal & 1) === 1 || (other & 1) === 0 || !this.scope.excludeEachOther(this.predicate(other), predicate)) ?? [];
    const literals = [...others, literal].sort((a, b) => a - b);
    const key = literals.join(",");
    // What shows that the set is not empty often shows it of the half, too.
    const isKept = before !== undefined && satisfiedBy(predicate, before.example.content) === ((literal & 1) === 0);
    const example = isKept ? before.example : this.exampleOf(part, literals, key);
    if (example === null || this.isCrowdedOut(part, literals)) return undefined;
    const only = before?.only ?? onlyContent(predicate, (literal & 1) === 0);
    const asked: Asked = { literals, key, ...(only === undefined ? {} : { only }), example };
    return new Store(this.scope, this.within, this.memo, new Map(this.asked).set(part, asked));
  }

  /** The requests of the set whose path is of a class; undefined where there are none. */
  inClass(within: PathClass): Store | undefined {
    const { path } = this.scope;
    const asked = this.asked.get(path);
    const example = this.exampleOf(path, asked?.literals ?? [], asked?.key ?? "", within);
    if (example === null) return undefined;
    return new Store(this.scope, within, this.memo, asked === undefined ? this.asked : new Map(this.asked).set(path, { ...asked, example }));
  }

  /** A content of a part. */
  find(part: Part, certainty: "sure" | "possible"): { readonly content: Content } | undefined {
    return part.find(this.wish(this.asked.get(part)?.literals ?? []), certainty, part === this.scope.path ? this.within : undefined);
  }

  /** Whether a path, with query, is one of the set. */
  holds(target: Bytes): boolean {
    const { path } = this.scope;
    const { yes, no } = this.wish(this.asked.get(path)?.literals ?? []);
    const plain = this.scope.isCoupled ? target : (target.split("?")[0] ?? "");
    const isInside = this.within === undefined || ("path" in this.within ? this.within.path === plain : this.scope.classOf(plain) === this.within.start);
    return isInside && path.find({ yes: [...yes], no: [...no] }, "possible", { path: plain }) !== undefined;
  }

  /** The parts of which something is asked. */
  parts(): Iterable<Part> {
    return this.asked.keys();
  }

  /** One text for what is asked of some parts, and of the path where it is among them. */
  keyOf(parts: ReadonlySet<Part>): string {
    const texts: string[] = [];
    for (const [part, { key }] of this.asked) if (parts.has(part)) texts.push(`${this.scope.numberOf(part)}:${key}`);
    return `${parts.has(this.scope.path) ? classKey(this.within) : ""};${texts.sort().join(";")}`;
  }

  private exampleOf(part: Part, literals: readonly Literal[], key: string, within = this.within): Example | null {
    const whole = `${this.scope.numberOf(part)};${part === this.scope.path ? classKey(within) : ""};${key}`;
    const known = this.memo.get(whole);
    if (known !== undefined) return known;
    const found = part.find(this.wish(literals), "possible", part === this.scope.path ? within : undefined) ?? null;
    this.memo.set(whole, found);
    return found;
  }

  /** Whether a part would have to be there together with one that keeps it out. */
  private isCrowdedOut(part: Part, literals: readonly Literal[]): boolean {
    const rivals = this.scope.rivalsOf(part);
    return rivals.length > 0 && this.mustBeThere(literals) && rivals.some((rival) => this.mustBeThere(this.asked.get(rival)?.literals ?? []));
  }

  private mustBeThere(literals: readonly Literal[]): boolean {
    return literals.some((literal) => this.predicate(literal).whenAbsent === ((literal & 1) === 1));
  }

  private wish(literals: readonly Literal[]): Wish {
    const yes: Predicate[] = [];
    const no: Predicate[] = [];
    for (const literal of literals) ((literal & 1) === 0 ? yes : no).push(this.predicate(literal));
    return { yes, no };
  }

  private predicate(literal: Literal): Predicate {
    const predicate = this.scope.predicates[literal >> 1];
    if (predicate === undefined) throw new Error("a literal without predicate");
    return predicate;
  }
}

/** The content that a literal leaves as the only one. */
function onlyContent(predicate: Predicate, holds: boolean): Asked["only"] {
  const { word, kind, whenAbsent } = predicate;
  if (!holds && kind === "any" && !whenAbsent) return { content: undefined, readAs: "any kind" };
  if (holds && !whenAbsent && word !== undefined && (kind === "string" || kind === "joined")) return { content: [word], readAs: "one string" };
  return undefined;
}

/** A class of paths as text. */
export function classKey(within: PathClass | undefined): string {
  return within === undefined ? "" : "path" in within ? `=${within.path}` : `^${within.start}`;
}
