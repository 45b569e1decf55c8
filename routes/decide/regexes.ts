import { toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import { pathForms } from "../languages/forms.ts";
import type { Form } from "../languages/forms.ts";
import { isSubstitution, matchesWhole } from "../languages/matcher.ts";
import { compileRegex } from "../languages/program.ts";
import type { Program } from "../languages/program.ts";
import { parseRegex } from "../languages/re2-syntax.ts";
import type { TextReading } from "../languages/re2-syntax.ts";
import type { Action, HttpTable, PathRewrite, Rule, Unmodelled, VirtualHost } from "./model.ts";

/** A compiled expression, with the texts that it stands for as a path where these are few; or why a proxy refuses it; or that it is past what we read, so that its meaning is not known. */
export type Compiled =
  | { readonly ok: true; readonly program: Program; readonly forms: readonly Form[] | undefined }
  | { readonly ok: false; readonly reason: string; readonly isKnown: boolean };

/** Programs by pattern, so that each is compiled once. Cost: linear in the pattern. */
export class Regexes {
  /** What is wrong in a list of rules, as far as it was looked at. */
  private readonly faulty: Record<TextReading, WeakMap<readonly Rule[], readonly Faulty[]>> = { "utf-8": new WeakMap(), bytes: new WeakMap() };
  private readonly byReading: Record<TextReading, Map<string, Compiled>> = { "utf-8": new Map(), bytes: new Map() };

  /** Virtual hosts of the last table in which all is in order. */
  readonly sound: Record<TextReading, readonly VirtualHost[]> = { "utf-8": [], bytes: [] };

  get(pattern: string, reading: TextReading): Compiled {
    const known = this.byReading[reading].get(pattern);
    if (known !== undefined) return known;
    const compiled = compile(pattern, reading);
    this.byReading[reading].set(pattern, compiled);
    return compiled;
  }

  /** The problems of a list of rules, in their order. */
  faultsIn(rules: readonly Rule[], reading: TextReading): readonly Faulty[] {
    let found = this.faulty[reading].get(rules);
    if (found === undefined) {
      const faulty: Faulty[] = [];
      for (const rule of rules) for (const problem of isPlain(rule) ? noProblems : problemsOf(rule, reading, this)) faulty.push({ rule, problem });
      found = faulty.length === 0 ? noFaults : faulty;
      this.faulty[reading].set(rules, found);
    }
    return found;
  }

  /** Whether the whole text is in the language; an expression that is not read matches nothing. */
  matches(pattern: string, reading: TextReading, text: Bytes): boolean {
    const compiled = this.get(pattern, reading);
    return compiled.ok && matchesWhole(compiled.program, text);
  }
}

function compile(pattern: string, reading: TextReading): Compiled {
  const parsed = parseRegex(pattern, reading);
  const shown = pattern.length > 80 ? `${pattern.slice(0, 77)}...` : pattern;
  if (!parsed.ok) {
    const reason = parsed.limit ? `the regex \`${shown}\` is not read: ${parsed.message}` : `the regex \`${shown}\` is not valid: ${parsed.message}, at byte ${parsed.at + 1}`;
    return { ok: false, reason, isKnown: !parsed.limit };
  }
  const program = compileRegex(parsed.regex, reading, parsed.groups);
  if (program === undefined) return { ok: false, reason: `the regex \`${shown}\` is too large to be read`, isKnown: false };
  return { ok: true, program, forms: pathForms(parsed.regex) };
}

/** What is wrong with the regexes of a table. */
export interface Faults {
  /** The proxy refuses the whole table. */
  readonly refused?: { readonly reason: string; readonly rule: Rule };
  /** Rules whose meaning is not known. */
  readonly unread: ReadonlyMap<Rule, Unmodelled>;
}

/** Compiles every regex of a table: one that is not valid makes the proxy refuse all of it. */
export function faultsOf(table: HttpTable, regexes: Regexes): Faults {
  const unread = new Map<Rule, Unmodelled>();
  const reading = table.reading.regexText;
  const { virtualHosts } = table;
  const sound = regexes.sound[reading];
  for (let at = 0; at < virtualHosts.length; at++) {
    const host = virtualHosts[at];
    // Tables of one view, and of several, have most virtual hosts in common.
    if (host === undefined || host === sound[at]) continue;
    const faults = regexes.faultsIn(host.rules, reading);
    if (faults.length > 0) for (const { rule, problem } of faults) {
      if (problem.isKnown) return { refused: { reason: problem.reason, rule }, unread };
      unread.set(rule, { reason: problem.reason, where: { object: rule.origin.object, path: rule.origin.path } });
    }
  }
  if (unread.size === 0) regexes.sound[reading] = virtualHosts;
  return { unread };
}

interface RegexProblem {
  readonly reason: string;
  readonly isKnown: boolean;
}

interface Faulty {
  readonly rule: Rule;
  readonly problem: RegexProblem;
}

const noProblems: readonly RegexProblem[] = [];
const noFaults: readonly Faulty[] = [];

/** Whether a rule has no regex at all, as most have none. */
function isPlain({ when: { path, headers, query, claims }, action }: Rule): boolean {
  if (path?.kind === "regex" || rewriteOf(action)?.kind === "regex" || (action.type === "forward" && action.cors !== undefined)) return false;
  return !hasRegex(headers) && !hasRegex(query) && !hasRegex(claims);
}

function hasRegex(tests: readonly { readonly match: { readonly kind: string } }[] | undefined): boolean {
  if (tests !== undefined) for (const { match } of tests) if (match.kind === "regex") return true;
  return false;
}

function problemsOf(rule: Rule, reading: TextReading, regexes: Regexes): readonly RegexProblem[] {
  const problems: RegexProblem[] = [];
  const look = (match: { readonly kind: string; readonly pattern?: string } | undefined): void => {
    if (match?.kind !== "regex" || match.pattern === undefined) return;
    const compiled = regexes.get(match.pattern, reading);
    if (!compiled.ok) problems.push(compiled);
  };
  const { path, headers, query, claims } = rule.when;
  look(path);
  if (headers !== undefined) for (const { match } of headers) look(match);
  if (query !== undefined) for (const { match } of query) look(match);
  if (claims !== undefined) for (const { match } of claims) look(match);
  if (rule.action.type === "forward" && rule.action.cors !== undefined) for (const origin of rule.action.cors.origins) look(origin);
  const rewrite = rewriteOf(rule.action);
  if (rewrite?.kind === "regex") {
    look(rewrite);
    const compiled = regexes.get(rewrite.pattern, reading);
    if (compiled.ok && !isSubstitution(toBytes(rewrite.substitution), compiled.program.groups)) {
      problems.push({ reason: `the substitution \`${rewrite.substitution}\` names a group that the regex lacks`, isKnown: true });
    }
  }
  return problems;
}

/** How an action rewrites the path. */
export function rewriteOf(action: Action): PathRewrite | undefined {
  return action.type === "forward" ? action.rewritePath : action.type === "redirect" ? action.path : undefined;
}
