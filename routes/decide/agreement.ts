/**
 * Where actions agree.
 *
 * An action is a function of the request. For some actions this gives literals such that within a set of requests in which all of them
 * are settled, any two of the actions agree on all requests or on none: then one request speaks for all.
 *
 * @module
 */

import { determinize, literal } from "../languages/automaton.ts";
import type { Automaton } from "../languages/automaton.ts";
import { toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import { pathOfTarget } from "../languages/lines.ts";
import { compileRegex } from "../languages/program.ts";
import { parseRegex } from "../languages/re2-syntax.ts";
import { askedFor, givesBack, isFormatted, lineChanges, plain, withSlash } from "./effect.ts";
import type { LineChange } from "./effect.ts";
import { withoutPort } from "./hosts.ts";
import { schemeLiteral } from "./lower.ts";
import type { Action, HeaderOperation, PathRewrite } from "./model.ts";
import { listLanguage } from "./predicates.ts";
import type { Part } from "./predicates.ts";
import { rewriteOf } from "./regexes.ts";
import { endingIn, textAt } from "./scope.ts";
import type { Deed, Literal, Scope } from "./scope.ts";

/** See the module. */
export interface Agreement {
  readonly literals: readonly Literal[];
  /** Why the literals do not suffice; then a request still shows a difference, but none shows that there is none. */
  readonly open: string | undefined;
  /** Header values hold commands whose outcome is not modelled, and not the same ones. */
  readonly isFormatted: boolean;
  /** Some action looks at the query as a whole: one more parameter must be tried too. */
  readonly queryVaries: boolean;
}

/** The literals for some actions. */
export function agreementOf(deeds: readonly Deed[], scope: Scope): Agreement {
  const literals = new Set<Literal>();
  const take = (literal: Literal | boolean | undefined): void => {
    if (typeof literal === "number") literals.add(literal & ~1);
  };
  const open = pathLiterals(deeds, scope, take);
  authorityLiterals(deeds, scope, take);
  for (const { action, setting } of deeds) if (action.type === "redirect" && setting.scheme.from === "x-forwarded-proto") take(schemeLiteral(scope, setting.scheme.default === "http" ? "https" : "http", setting));
  protocolLiterals(deeds, scope, take);
  headerLiterals(deeds, scope, take);
  corsLiterals(deeds, scope, take);
  const commands = new Set(deeds.map(({ action }) => commandsOf(action)));
  return { literals: [...literals], open, isFormatted: commands.size > 1, queryVaries: deeds.some(({ action }) => looksAtQuery(action)) };
}

/** The parts on which the effect of an action rests. */
export function partsOf({ action, setting }: Deed, scope: Scope): readonly Part[] {
  const parts: Part[] = [];
  if (rewriteOf(action) !== undefined || action.type === "redirect") parts.push(scope.path);
  if (action.type === "redirect") {
    parts.push(scope.authority);
    if (setting.scheme.from === "x-forwarded-proto") parts.push(scope.headerPart("x-forwarded-proto"));
  }
  if (action.type !== "forward") return parts;
  for (const destination of action.destinations) {
    if ("invalid" in destination) continue;
    if (destination.authority !== undefined) parts.push(scope.authority);
    for (const { name } of destination.request ?? []) parts.push(scope.headerPart(name));
  }
  if (action.cors !== undefined) parts.push(scope.method, scope.headerPart("origin"), scope.headerPart(askedFor.methods));
  if (givesBack(action.cors?.headers)) parts.push(scope.headerPart(askedFor.headers));
  return parts;
}

/** `length` bytes give way to the value; or the value stands for the whole path; or an expression does something. */
type PathFunction =
  | { readonly kind: "shift"; readonly length: number; readonly value: Bytes }
  | { readonly kind: "constant"; readonly value: Bytes }
  | { readonly kind: "regex"; readonly key: string };

const whole = new Set([".*", "/.*", "^.*$", "^/.*$", ".+", "^/.*", "/.*$"]);

function pathFunction(rewrite: PathRewrite | undefined, deed: Deed): PathFunction {
  if (rewrite === undefined) return { kind: "shift", length: 0, value: "" };
  // What a prefix that goes without another leaves begins with a slash: only prefixes of whole segments go so.
  const valueOf = (value: Bytes): Bytes => (deed.action.type === "redirect" && value !== "" ? withSlash(value) : value);
  if (rewrite.kind === "prefix") return { kind: "shift", length: rewrite.length, value: valueOf(toBytes(rewrite.value)) };
  if (rewrite.kind === "replace") return { kind: "constant", value: valueOf(toBytes(rewrite.value)) };
  if (whole.has(rewrite.pattern) && rewrite.substitution !== "" && !rewrite.substitution.includes("\\")) {
    return { kind: "constant", value: toBytes(rewrite.substitution) };
  }
  return { kind: "regex", key: JSON.stringify([rewrite.pattern, rewrite.substitution, deed.setting.regexText]) };
}

function pathLiterals(deeds: readonly Deed[], scope: Scope, take: (literal: Literal) => void): string | undefined {
  const functions = new Map<string, PathFunction>();
  for (const deed of deeds) {
    if (deed.action.type !== "forward" && deed.action.type !== "redirect") continue;
    const made = pathFunction(rewriteOf(deed.action), deed);
    functions.set(JSON.stringify(made), made);
  }
  const all = [...functions.values()];
  if (all.length > 1 && all.some(({ kind }) => kind === "regex")) return "a rewrite by a regex is compared with another rewrite";
  for (const [index, one] of all.entries()) {
    for (const other of all.slice(index + 1)) {
      const agreed = agreedPaths(one, other);
      if (agreed === undefined) continue;
      const { skip, text, then } = agreed;
      take(scope.predicate(scope.path, "string", `a ${skip} ${then} ${text}`, false, () => {
        const language = textAt(skip, text, then);
        return { language: scope.isCoupled ? pathOfTarget(language) : language, text: `path with \`${text}\` behind ${skip} bytes` };
      }));
    }
  }
  return undefined;
}

/** The paths on which two functions agree: those with a text at a place. Undefined: none, or all. */
function agreedPaths(one: PathFunction, other: PathFunction): { readonly skip: number; readonly text: Bytes; readonly then: "end" | "anything" } | undefined {
  if (one.kind === "regex" || other.kind === "regex" || (one.kind === "constant" && other.kind === "constant")) return undefined;
  if (one.kind === "constant") return agreedPaths(other, one);
  if (other.kind === "constant") {
    return other.value.startsWith(one.value) ? { skip: one.length, text: other.value.slice(one.value.length), then: "end" } : undefined;
  }
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  // Results of unlike length are never equal.
  const between = long.length - short.length;
  if (between === 0 || short.value.length + between !== long.value.length || !long.value.startsWith(short.value)) return undefined;
  return { skip: short.length, text: long.value.slice(short.value.length), then: "anything" };
}

function looksAtQuery(action: Action): boolean {
  return action.type === "redirect" && (action.stripQuery === true || (action.path?.kind === "replace" && action.path.value.includes("?")));
}

let portLanguage: Automaton | undefined;

function anyPort(): Automaton {
  if (portLanguage !== undefined) return portLanguage;
  const parsed = parseRegex("(?s).*:[0-9]*", "bytes");
  const program = parsed.ok ? compileRegex(parsed.regex, "bytes") : undefined;
  if (program === undefined) throw new Error("the expression of a port");
  return (portLanguage = determinize(program, "a port", 100));
}

function authorityLiterals(deeds: readonly Deed[], scope: Scope, take: (literal: Literal) => void): void {
  const add = (key: string, make: () => Automaton, word?: Bytes): void =>
    take(scope.predicate(scope.authority, "string", `a ${key}`, false, () => ({ language: make(), word, text: `authority ${key}` })));
  const exact = (text: Bytes): void => add(`is ${text}`, () => literal(text, "end"), text);
  for (const { action } of deeds) {
    if (action.type === "forward") {
      for (const destination of action.destinations) if (!("invalid" in destination) && destination.authority !== undefined) exact(toBytes(destination.authority));
    }
    if (action.type !== "redirect") continue;
    const port = action.port === undefined ? "" : `:${action.port}`;
    if (action.authority !== undefined) {
      const constant = toBytes(action.authority) + port;
      const host = withoutPort(constant);
      exact(constant);
      exact(host);
      add(`has host ${host}`, () => literal(`${host}:`, "anything"));
    }
    for (const text of [":80", ":443", port]) if (text !== "") add(`ends in ${text}`, () => endingIn(text));
    add("has a port", anyPort);
  }
}

/** Redirects that treat the port alike agree, whatever the client wrote of its protocol, as soon as their schemes do. */
function protocolLiterals(deeds: readonly Deed[], scope: Scope, take: (literal: Literal | boolean) => void): void {
  const redirects = deeds.filter(({ action }) => action.type === "redirect");
  const ways = new Set(redirects.map(({ action, setting }) => (action.type === "redirect" ? JSON.stringify([action.authority, action.port, action.keepPort, setting.scheme]) : "")));
  if (ways.size < 2) return;
  const part = scope.headerPart("x-forwarded-proto");
  take(scope.field(part, "joined", { match: { kind: "any" } }, "bytes"));
  for (const value of ["http", "https"]) for (const ignoreCase of [false, true]) take(scope.field(part, "joined", { match: { kind: "exact", value, ignoreCase } }, "bytes"));
}

function headerLiterals(deeds: readonly Deed[], scope: Scope, take: (literal: Literal | boolean) => void): void {
  const shares = deeds.flatMap(({ action }) => (action.type === "forward" ? action.destinations : []));
  const lists = shares.map((share) => ("invalid" in share ? undefined : lineChanges(share.request ?? none)));
  const names = new Set(lists.flatMap((changes) => [...(changes?.keys() ?? [])]));
  for (const name of names) {
    const changes = lists.map((list) => list?.get(name) ?? untouched);
    for (const kept of changes.filter(({ keep }) => keep)) {
      for (const set of changes.filter(({ keep }) => !keep)) headerAgreement(name, kept, set, scope, take);
    }
  }
}

const none: readonly HeaderOperation[] = [];
const untouched: LineChange = { keep: true, lines: [] };

/** Lines to which some more are added are certain lines exactly when they are the first of those. */
function headerAgreement(name: string, kept: LineChange, set: LineChange, scope: Scope, take: (literal: Literal | boolean) => void): void {
  const count = set.lines.length - kept.lines.length;
  if (count < 0 || kept.lines.some((line, index) => line !== set.lines[count + index])) return;
  const lines = set.lines.slice(0, count);
  if (lines.some(isFormatted)) return;
  const part = scope.headerPart(name);
  if (lines.length === 0) return take(scope.field(part, "each", { match: { kind: "any" } }, "bytes"));
  const bytes = lines.map((line) => toBytes(plain(line)));
  take(scope.predicate(part, "list", `a ${JSON.stringify(bytes)}`, false, () => ({ language: listLanguage(bytes), text: `header ${name}: ${bytes.join(", ")}` })));
}

function corsLiterals(deeds: readonly Deed[], scope: Scope, take: (literal: Literal | boolean) => void): void {
  for (const { action, setting } of deeds) {
    if (action.type !== "forward" || action.cors === undefined) continue;
    const origin = scope.headerPart("origin");
    const asked = scope.headerPart("access-control-request-method");
    const empty = { match: { kind: "exact", value: "" } } as const;
    for (const part of [origin, asked]) {
      take(scope.field(part, "joined", { match: { kind: "any" } }, "bytes"));
      take(scope.field(part, "joined", empty, "bytes"));
    }
    for (const match of action.cors.origins) take(scope.field(origin, "joined", { match }, setting.regexText));
    take(scope.field(scope.method, "string", { match: { kind: "exact", value: "OPTIONS" } }, "bytes"));
  }
  for (const name of ["methods", "headers"] as const) givenBack(name, deeds, scope, take);
}

/** Who gives back what is asked for agrees with who names one thing where that is asked for, and with who names none where nothing is. */
function givenBack(name: "methods" | "headers", deeds: readonly Deed[], scope: Scope, take: (literal: Literal | boolean) => void): void {
  const lists = deeds.flatMap(({ action }) => (action.type === "forward" && action.cors !== undefined ? [action.cors[name] ?? []] : []));
  if (!lists.some(givesBack) || lists.every(givesBack)) return;
  const asked = scope.headerPart(askedFor[name]);
  take(scope.field(asked, "joined", { match: { kind: "any" } }, "bytes"));
  const words = new Set(lists.filter((list) => !givesBack(list) && new Set(list).size < 2).map(([word = ""]) => word));
  for (const value of ["", ...words]) take(scope.field(asked, "joined", { match: { kind: "exact", value } }, "bytes"));
}

/** The operations of an action that hold commands, with all others, as their order may matter. */
function commandsOf(action: Action): string {
  if (action.type === "redirect" || action.type === "respond") return hasCommand(action.response) ? JSON.stringify(action.response) : "";
  if (action.type !== "forward") return "";
  const has = action.destinations.some((share) => hasCommand(share.response) || (!("invalid" in share) && hasCommand(share.request)));
  return has ? JSON.stringify(action.destinations) : "";
}

function hasCommand(operations: readonly HeaderOperation[] | undefined): boolean {
  return operations?.some((operation) => operation.op !== "remove" && isFormatted(operation.value)) === true;
}
