/**
 * From rules to entries: conditions become literals, and tests of the path that are prefixes or whole paths become patterns.
 *
 * @module
 */

import { includes } from "../languages/automaton.ts";
import { lowerAscii, toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import { isJoined } from "./alphabets.ts";
import type { Condition, FieldMatch, HeaderMatch, PathMatch, Rule } from "./model.ts";
import { ANY_PATH, opposite } from "./scope.ts";
import type { Literal, Scope } from "./scope.ts";
import type { Setting } from "./seen.ts";

/** One way in which a path can satisfy a test: by a pattern, or by a literal. */
interface Way {
  readonly pattern: number;
  readonly literal?: Literal;
}

const anyWay: readonly Way[] = [{ pattern: ANY_PATH }];

/** Whether a condition looks at path and query together. */
export function isCoupling(when: Condition): boolean {
  return when.headers?.some(({ name }) => name === ":path") === true;
}

/** Reads the rules of one table. */
export class Lowering {
  private readonly scope: Scope;
  private readonly setting: Setting;
  private readonly apart: number;
  private readonly table: number;
  private readonly forms = new Map<string, readonly Way[]>();

  /** `apart` is the same for tables whose settings are the same. */
  constructor(scope: Scope, setting: Setting, apart: number, table: number) {
    this.scope = scope;
    this.setting = setting;
    this.apart = apart;
    this.table = table;
  }

  /** The entries of a list of rules in their order, with one at the end for requests that no rule takes. */
  list(rules: readonly Rule[]): readonly number[] {
    const entries: number[] = [];
    for (const rule of rules) if (this.add(rule, entries)) return entries;
    entries.push(this.scope.entry(ANY_PATH, [], this.action({ type: "notFound" })));
    return entries;
  }

  /** The number of an action of this table. */
  action(action: Rule["action"]): number {
    return this.scope.action(action, this.setting, this.apart, this.table);
  }

  /** True when the rule takes everything, so that the list ends. */
  private add(rule: Rule, entries: number[]): boolean {
    const literals = this.literals(rule.when);
    if (literals === undefined) return false;
    const action = this.action(rule.action);
    const ways = rule.when.path === undefined ? anyWay : this.ways(rule.when.path);
    for (const { pattern, literal } of ways) {
      const all = literal === undefined ? literals : withLiteral(literals, literal);
      if (all === undefined) continue;
      entries.push(this.scope.entry(pattern, all, action));
      if (pattern === ANY_PATH && all.length === 0) return true;
    }
    return false;
  }

  /** The literals of everything but the path, sorted; undefined where they can never hold together. */
  private literals(when: Condition): readonly Literal[] | undefined {
    let literals: readonly Literal[] | undefined = none;
    const take = (literal: Literal | boolean): void => {
      if (literal === true || literals === undefined) return;
      literals = literal === false ? undefined : withLiteral(literals, literal);
    };
    if (when.headers !== undefined) for (const header of when.headers) take(this.header(header));
    if (when.query !== undefined) {
      for (const parameter of when.query) {
        const name = toBytes(parameter.name);
        const { regexText } = this.setting;
        take(this.scope.isCoupled ? this.scope.coupledField(name, parameter, regexText) : this.scope.field(this.scope.parameterPart(name), "string", parameter, regexText));
      }
    }
    if (when.claims !== undefined) for (const claim of when.claims) take(this.scope.field(this.scope.claimPart(claim.path), "each", claim, this.setting.regexText));
    return literals;
  }

  private header(header: HeaderMatch): Literal | boolean {
    const { name } = header;
    const { regexText, headerLines, overwritten } = this.setting;
    const fixed = Object.hasOwn(overwritten, name) ? overwritten[name] : undefined;
    if (fixed !== undefined) return this.holdsOn(header, toBytes(fixed));
    if (name === ":scheme") return this.scheme(header);
    const isSingle = name.startsWith(":") || name === "host";
    return this.scope.field(this.scope.headerPart(name), isSingle ? "string" : isJoined(name) ? "joined" : headerLines, header, regexText);
  }

  private holdsOn(match: FieldMatch, value: Bytes): boolean {
    const holds = match.match.kind === "any" || includes(this.scope.languages.of(match.match, this.setting.regexText), value);
    return holds !== (match.invert === true);
  }

  /** The scheme is that of the connection, or what `x-forwarded-proto` says. */
  private scheme(match: FieldMatch): Literal | boolean {
    const { from, default: usual } = this.setting.scheme;
    const other = usual === "http" ? "https" : "http";
    const [asUsual, otherwise] = [this.holdsOn(match, usual), this.holdsOn(match, other)];
    if (from === "connection" || asUsual === otherwise) return asUsual;
    const literal = schemeLiteral(this.scope, other, this.setting);
    return typeof literal === "boolean" ? literal === otherwise : otherwise ? literal : opposite(literal);
  }

  private ways(path: PathMatch): readonly Way[] {
    const key = `${path.kind} ${path.kind !== "regex" && path.ignoreCase === true} ${path.kind === "regex" ? path.pattern : path.value}`;
    const known = this.forms.get(key) ?? this.readWays(path);
    this.forms.set(key, known);
    return known;
  }

  private readWays(path: PathMatch): readonly Way[] {
    const ignoreCase = path.kind !== "regex" && path.ignoreCase === true;
    const isAll = (value: Bytes): boolean => value === "" || value === "/";
    if (path.kind === "prefix" && isAll(toBytes(path.value))) return anyWay;
    if (!this.scope.isCoupled && !ignoreCase) {
      switch (path.kind) {
        case "exact":
          return this.patterns([[toBytes(path.value), false]]);
        case "prefix":
          return this.patterns([[toBytes(path.value), true]]);
        case "separated-prefix":
          return this.patterns([[toBytes(path.value), false], [`${toBytes(path.value)}/`, true]]);
        case "regex": {
          const forms = this.scope.languages.forms(path.pattern, this.setting.regexText);
          if (forms !== undefined) return this.patterns(forms.map(({ text, isOpen }) => [text, isOpen]));
        }
      }
    }
    return [{ pattern: ANY_PATH, literal: this.scope.pathLiteral(path, this.setting.regexText) }];
  }

  /** Patterns that cannot begin a path never hold. */
  private patterns(forms: readonly (readonly [Bytes, boolean])[]): readonly Way[] {
    if (forms.some(([text, isPrefix]) => isPrefix && (text === "" || text === "/"))) return anyWay;
    return forms.filter(([text]) => text.startsWith("/")).map(([text, isPrefix]) => ({ pattern: this.scope.pattern(text, isPrefix) }));
  }
}

const none: readonly Literal[] = [];

function withLiteral(literals: readonly Literal[], literal: Literal): readonly Literal[] | undefined {
  if (literals.includes(opposite(literal))) return undefined;
  if (literals.includes(literal)) return literals;
  return [...literals, literal].sort((a, b) => a - b);
}

/** Whether the scheme is the given one, which is not the default: exactly one line of `x-forwarded-proto` says so. */
export function schemeLiteral(scope: Scope, scheme: string, { overwritten }: Setting): Literal | boolean {
  const fixed = Object.hasOwn(overwritten, "x-forwarded-proto") ? overwritten["x-forwarded-proto"] : undefined;
  if (fixed !== undefined) return lowerAscii(toBytes(fixed)) === scheme;
  const part = scope.headerPart("x-forwarded-proto");
  // Lines that are joined hold a comma, so that the test is one of a single line.
  return scope.field(part, "joined", { match: { kind: "exact", value: scheme, ignoreCase: true } }, "bytes");
}
