/**
 * The plain interpreter: what one listener does with one request. First match wins; nothing here is clever.
 *
 * It is the meaning of the model. `compare` must agree with it, and replays every difference through it before it is told.
 *
 * @module
 */

import { toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import { chainFor, looksAtSource } from "./chains.ts";
import { effectOf, satisfies } from "./effect.ts";
import type { Effect, SeenRequest } from "./effect.ts";
import { hostOf, virtualHostFor } from "./hosts.ts";
import type { Action, ClaimMatch, Claims, Condition, FieldMatch, HttpTable, Listener, Origin, PathMatch, Request, Unmodelled } from "./model.ts";
import { normalizePath, splitQuery } from "./paths.ts";
import { faultsOf, Regexes } from "./regexes.ts";
import type { Faults } from "./regexes.ts";
import { seenBy, settingOf } from "./seen.ts";

/** What happens to a request, and which rule decided. */
export interface Answer {
  readonly effect: Effect;
  /** The match block or chain that took the request; undefined where none did. */
  readonly rule: Origin | undefined;
  /** What acts on this request and is not expressed in the table. Where it is not empty, `effect` is what the routes alone say. */
  readonly unmodelled: readonly Unmodelled[];
}

/** Answers requests on one listener. What can be prepared for many requests is prepared once. */
export class Resolver {
  private readonly listener: Listener;
  private readonly regexes: Regexes;
  private readonly faults = new Map<HttpTable, Faults>();

  constructor(listener: Listener, regexes = new Regexes()) {
    this.listener = listener;
    this.regexes = regexes;
  }

  /** What the listener does with a request. A request with a server name is one over TLS. */
  answer(request: Request, transport: "tls" | "raw_buffer" = request.sni === undefined ? "raw_buffer" : "tls"): Answer {
    const { port, address } = request.destination ?? {};
    const { source } = request;
    const chain = chainFor(this.listener, { port, address, sni: request.sni, transport, source: source?.address, sourcePort: source?.port });
    const then = chain?.then ?? this.listener.otherwise;
    const answer = then.type === "http" ? this.answerHttp(then, request) : this.act(then, chain?.origin, seenBy(undefined, request, toBytes(request.path)), []);
    return source === undefined && looksAtSource(this.listener) ? { ...answer, unmodelled: [...answer.unmodelled, { reason: "the listener looks at the address of the client, which the request does not tell" }] } : answer;
  }

  private answerHttp(table: HttpTable, request: Request): Answer {
    const target = normalizePath(toBytes(request.path), table.pathNormalization);
    if (target === undefined) return { effect: { type: "respond", status: 400, body: "" }, rule: undefined, unmodelled: [] };
    const { refused, unread } = this.faultsIn(table);
    if (refused !== undefined) return { effect: { type: "invalid", reason: refused.reason }, rule: refused.rule.origin, unmodelled: [] };
    const seen = seenBy(settingOf(table), request, target);
    const host = virtualHostFor(table, hostOf(seen.authority, table.ignorePort));
    if (host === undefined) return this.act(table.otherwise, undefined, seen, []);
    const unmodelled = [...(host.unmodelled ?? [])];
    for (const rule of host.rules) {
      const problem = unread.get(rule);
      if (problem !== undefined) unmodelled.push(problem);
      if (this.holds(rule.when, seen, table, request.claims)) return this.act(rule.action, rule.origin, seen, unmodelled);
    }
    return { effect: { type: "notFound" }, rule: undefined, unmodelled };
  }

  private act(action: Action, rule: Origin | undefined, seen: SeenRequest, unmodelled: readonly Unmodelled[]): Answer {
    return { effect: effectOf(action, seen, this.regexes), rule, unmodelled };
  }

  private faultsIn(table: HttpTable): Faults {
    const known = this.faults.get(table) ?? faultsOf(table, this.regexes);
    this.faults.set(table, known);
    return known;
  }

  private holds(when: Condition, seen: SeenRequest, table: HttpTable, claims: Claims | undefined): boolean {
    const [path, query] = splitQuery(seen.target);
    if (when.path !== undefined && !this.fitsPath(when.path, path, seen)) return false;
    for (const header of when.headers ?? []) {
      const lines = linesOf(header.name, seen);
      const isJoined = table.reading.headerLines === "joined" && lines !== undefined;
      if (!this.fitsField(header, isJoined ? [lines.join(",")] : lines, seen)) return false;
    }
    for (const parameter of when.query ?? []) if (!this.fitsField(parameter, firstParameter(query, parameter.name), seen)) return false;
    for (const claim of when.claims ?? []) if (!this.fitsField(claim, claimAt(claims, claim), seen)) return false;
    return true;
  }

  private fitsPath(match: PathMatch, path: Bytes, seen: SeenRequest): boolean {
    if (match.kind !== "separated-prefix") return satisfies(match, path, seen.regexText, this.regexes);
    const { value, ignoreCase } = match;
    const options = ignoreCase === undefined ? {} : { ignoreCase };
    return (
      satisfies({ kind: "exact", value, ...options }, path, seen.regexText, this.regexes) ||
      satisfies({ kind: "prefix", value: `${value}/`, ...options }, path, seen.regexText, this.regexes)
    );
  }

  /** `values` undefined: the thing is absent. */
  private fitsField(match: FieldMatch, values: readonly Bytes[] | undefined, seen: SeenRequest): boolean {
    const isInverted = match.invert === true;
    const test = (value: Bytes): boolean => match.match.kind === "any" || satisfies(match.match, value, seen.regexText, this.regexes);
    if (values !== undefined) return values.some(test) !== isInverted;
    return match.whenAbsent === "as-empty" ? test("") !== isInverted : match.whenAbsent === true;
  }
}

/** What one listener does with one request. */
export function resolve(listener: Listener, request: Request): Answer {
  return new Resolver(listener).answer(request);
}

/** The lines of a header, pseudo-headers included. */
function linesOf(name: string, seen: SeenRequest): readonly Bytes[] | undefined {
  switch (name) {
    case ":method":
      return [seen.method];
    case ":scheme":
      return [seen.scheme];
    case ":authority":
    case "host":
      return [seen.authority];
    case ":path":
      return [seen.target];
    default:
      return seen.headers.get(name);
  }
}

/** The value of the first parameter of that name, raw; a parameter without `=` has the empty value. */
function firstParameter(query: Bytes, name: string): readonly Bytes[] | undefined {
  if (query.length <= 1) return undefined;
  const wanted = toBytes(name);
  // Envoy reads no empty parameter behind a last `&`.
  for (const parameter of query.slice(1).replace(/&$/, "").split("&")) {
    const equals = parameter.indexOf("=");
    if ((equals < 0 ? parameter : parameter.slice(0, equals)) === wanted) return [equals < 0 ? "" : parameter.slice(equals + 1)];
  }
  return undefined;
}

/** The strings of a claim; a list without one is as good as absent. */
function claimAt(claims: Claims | undefined, { path }: ClaimMatch): readonly Bytes[] | undefined {
  let found: Claims[string] | undefined = claims;
  for (const step of path) {
    if (typeof found !== "object" || !isClaims(found) || !Object.hasOwn(found, step)) return undefined;
    found = found[step];
  }
  if (typeof found === "string") return [toBytes(found)];
  return Array.isArray(found) && found.length > 0 ? found.map((item) => toBytes(String(item))) : undefined;
}

function isClaims(value: Claims[string]): value is Claims {
  return typeof value === "object" && !Array.isArray(value);
}

