import { at, canonical, isObject, type Json, type JsonObject, listAt, numberAt, objectAt, textAt } from "../istio/json.ts";
import { Block, type Use, Written } from "../istio/memory.ts";
import type { Named } from "../istio/registry.ts";
import type { Asked } from "../istio/rules.ts";
import { milliseconds } from "../istio/values.ts";
import { type HttpRule, PlacedRule } from "../istio/virtual-services.ts";
import { serviceFor, sharesOf } from "./backends.ts";
import type { Conversion, Doing } from "./conversion.ts";
import { REDIRECTS } from "./crd.ts";
import { backendHeaders, filtersOf, rewritten } from "./filters.ts";
import { rulePath } from "./objects.ts";
import { type ApiMatch, areDisjoint, grpcMatches, httpMatches } from "./matches.ts";
import { PlainBlock } from "./plain.ts";

/** One rule for one match, in the words of a VirtualService; the same in every place that holds its route alike. */
export class WrittenForMatch extends Written {
  readonly match: ApiMatch;
  /** Where the rule stands in its route. */
  readonly index: number;
  /** Where the match stands in the rule; undefined: the rule has none. */
  readonly block: number | undefined;

  constructor(spec: JsonObject, uses: readonly Use[], blocks: readonly Block[], match: ApiMatch, index: number, block: number | undefined) {
    super(spec, uses, blocks);
    this.match = match;
    this.index = index;
    this.block = block;
  }
}

/** A rule for one match as it stands in its route: rules of routes take the place of those of a VirtualService. */
export class ApiRule extends PlacedRule<WrittenForMatch> {
  /** That of its match. */
  readonly order: number | undefined;

  constructor(written: WrittenForMatch, route: Named) {
    super(written, route, written.index);
    this.order = written.match.order;
  }

  get match(): ApiMatch {
    return this.written.match;
  }

  override get path(): string {
    return rulePath(this.index);
  }

  override pathAt(): string {
    return this.matchPath;
  }

  get matchPath(): string {
    const { index, block } = this.written;
    return block === undefined ? this.path : block === 0 ? (firstPaths[index] ??= `${this.path}.matches[0]`) : `${this.path}.matches[${block}]`;
  }

  /** The rule of a route of another place that is the same but for its age and where it was written. */
  inNameOf(route: Named): ApiRule {
    return new ApiRule(this.written, route);
  }

  /** The rule for clients that call one port (conversion.go `augmentPortMatch`). */
  atPort(port: number): ApiRule {
    const { spec, uses, blocks, hasMatches, match, index, block } = this.written;
    // The match is that of the rule, which may take only some of what the route's match takes.
    const own = hasMatches ? blocks[0]?.match : undefined;
    return new ApiRule(new WrittenForMatch(spec, uses, [new Block({ ...own, port })], match, index, block), this.source);
  }
}

/** The rule of a listener that no route has a rule for: nothing is there. */
export function nowhere(listener: Named, path: string): HttpRule {
  const { namespace } = listener;
  return { spec: { directResponse: { status: 404 } }, written: undefined, source: listener, path, matches: [], namespace, mirrorNamespace: namespace, mirrorsNamespace: namespace };
}

/** The rules of an HTTPRoute or a GRPCRoute; undefined where istiod makes none of them because one cannot be said. */
export function rulesOf(route: Named, isPlainAt: readonly boolean[], conversion: Conversion): readonly ApiRule[] | undefined {
  const out: ApiRule[] = [];
  const written = at(route.spec, "rules");
  // The CRD fills in one rule that takes everything where none is written.
  const rules: readonly Json[] = written === undefined && route.kind === "HTTPRoute" ? [{}] : listAt(route.spec, "rules");
  for (let index = 0; index < rules.length; index++) {
    if (isPlainAt[index] === true) addPlain(out, rules[index], index, route, conversion);
    else if (!addAny(out, rules[index], index, route, conversion)) return undefined;
  }
  return out;
}

function addPlain(out: ApiRule[], rule: Json, index: number, route: Named, conversion: Conversion): void {
  const { spec, uses } = plainly(rule, route, conversion);
  const matches = listAt(rule, "matches");
  for (let block = 0; block < matches.length; block++) {
    const match = matches[block];
    if (!isObject(match)) continue;
    const one = new PlainBlock(match, conversion.reading);
    const written = new WrittenForMatch(spec, uses, [one], one, index, block);
    written.asked = one.hasHeaders ? asksHeaders : asksNothing;
    written.asksLooker = false;
    out.push(new ApiRule(written, route));
  }
}

/** False where istiod makes nothing of the route. */
function addAny(out: ApiRule[], rule: Json, index: number, route: Named, conversion: Conversion): boolean {
  const action = actionOf(rule, rulePath(index), route, conversion);
  if (action === undefined) return false;
  const matches = route.kind === "GRPCRoute" ? grpcMatches(rule, conversion.reading) : httpMatches(rule, conversion.reading);
  const isWritten = listAt(rule, "matches").length > 0;
  const uses = conversion.memory.usesOf(action, route.namespace, conversion.domain);
  for (const [block, match] of matches.entries()) {
    for (const { spec, when } of withMatch(action, match, conversion)) {
      out.push(new ApiRule(new WrittenForMatch(spec, uses, when === undefined ? [] : [new Block(when)], match, index, isWritten ? block : undefined), route));
    }
  }
  return true;
}

const asksNothing: Asked = { headers: false, regexes: false, mirrors: false };
const asksHeaders: Asked = { headers: true, regexes: false, mirrors: false };

/** By rule. */
const firstPaths: string[] = [];

/** What a plain rule does: one object for all that lead to one service alone, whatever they match. */
function plainly(rule: Json, route: Named, conversion: Conversion): Doing {
  const references = listAt(rule, "backendRefs");
  const [reference] = references;
  const service = references.length === 1 && at(reference, "weight") === undefined ? serviceFor(textAt(reference, "name"), route.namespace, numberAt(reference, "port"), conversion) : undefined;
  const timeout = textAt(at(rule, "timeouts"), "request");
  const doings = service?.doings ?? none;
  for (const known of doings) if (known.timeout === timeout && known.reading === conversion.reading) return known;
  const spec = actionOf(rule, "", route, conversion) ?? {};
  const doing: Doing = { reading: conversion.reading, timeout, spec, uses: conversion.memory.usesOf(spec, route.namespace, conversion.domain) };
  if (doings.length < MOST_DOINGS) service?.doings.push(doing);
  return doing;
}

const none: readonly Doing[] = [];

/** Of one service, at most; what is past that is made anew, which is never wrong. */
const MOST_DOINGS = 32;

/** conversion.go `convertHTTPRoute` below the match. */
function actionOf(rule: Json, path: string, route: Named, conversion: Conversion): JsonObject | undefined {
  const written = listAt(rule, "filters");
  const filters = written.length === 0 ? asIs : filtersOf(written, `${path}.filters`, route, conversion);
  const shares = sharesOf(rule, path, route, conversion, (list, own) => backendHeaders(list, own, route, conversion));
  if (filters === undefined || shares === undefined) return undefined;
  if (isObject(at(rule, "sessionPersistence")) && conversion.reading === "specification") {
    conversion.leave({ reason: "the persistence of sessions is not modelled", where: { object: route.title, path: `${path}.sessionPersistence` } });
  }
  const answersItself = shares.length === 0 && filters["redirect"] === undefined;
  const times = timesOf(rule, conversion);
  // Most send on and do nothing else.
  if (filters === asIs && times === asIs && !answersItself) return { missingStatus: 500, route: shares };
  return { ...filters, ...times, missingStatus: 500, ...(answersItself ? { directResponse: { status: 500 } } : { route: shares }) };
}

const asIs: JsonObject = {};
const triedOnce: JsonObject = { retries: { attempts: 0 } };
const connectionErrors = "connect-failure,refused-stream,unavailable,cancelled";

/** Timeouts and retries. To the specification a rule without `retry` is tried once. */
function timesOf(rule: Json, { reading }: Conversion): JsonObject {
  const retry = at(rule, "retry"), timeouts = objectAt(rule, "timeouts");
  if (retry === undefined && at(rule, "timeouts") === undefined) return reading === "istiod" ? asIs : triedOnce;
  const given = (key: string): string | undefined => ((milliseconds(textAt(timeouts, key)) ?? 0) === 0 ? undefined : textAt(timeouts, key));
  const request = given("request"), backend = given("backendRequest");
  if (!isObject(retry)) {
    const timeout = backend ?? request;
    return { ...(timeout === undefined ? {} : { timeout }), ...(reading === "istiod" ? asIs : triedOnce) };
  }
  const attempts = typeof at(retry, "attempts") === "number" ? Number(at(retry, "attempts")) : 2;
  const codes = listAt(retry, "codes").filter((code) => typeof code === "number");
  const backoff = textAt(retry, "backoff");
  // With no attempt the timeout of one goes with the policy that istiod drops.
  const timeout = attempts <= 0 && reading === "specification" ? (backend ?? request) : request;
  return {
    ...(timeout === undefined ? {} : { timeout }),
    retries: {
      attempts,
      retryOn: attempts === 0 ? "" : [connectionErrors, ...codes].join(","),
      ...(backend === undefined ? {} : { perTryTimeout: backend }),
      ...(backoff === "" ? {} : { backoff }),
    },
  };
}

/** What a rule does to the requests of a match. */
interface ForMatch {
  readonly spec: JsonObject;
  readonly when: JsonObject | undefined;
}

/** The rule for one match: rewrites and redirects follow its form. */
function withMatch(action: JsonObject, match: ApiMatch, { reading }: Conversion): readonly ForMatch[] {
  const redirect = action["redirect"], rewrite = action["rewrite"];
  if (redirect === undefined && rewrite === undefined) return [{ spec: action, when: match.spec }];
  const by = isObject(redirect) ? "redirect" : "rewrite";
  const modifier = at(by === "redirect" ? redirect : rewrite, "path");
  return rewritten(modifier, match, by, reading).map((written): ForMatch => ({
    when: written.match,
    spec: {
      ...action,
      ...(isObject(redirect) ? { redirect: redirectOf(redirect, written.path, reading) } : {}),
      ...(isObject(rewrite) ? { rewrite: { ...(textAt(rewrite, "hostname") === "" ? {} : { authority: textAt(rewrite, "hostname") }), ...(written.path === undefined ? {} : { path: written.path }) } } : {}),
    },
  }));
}

/** conversion.go `createRedirectFilter`; 302 is the default of the CRD. */
function redirectOf(redirect: JsonObject, path: unknown, reading: Conversion["reading"]): JsonObject {
  const scheme = textAt(redirect, "scheme"), port = at(redirect, "port");
  const derived = reading === "specification" ? "SPECIFICATION" : scheme === "" ? "FROM_REQUEST_PORT" : "FROM_PROTOCOL_DEFAULT";
  return {
    redirectCode: REDIRECTS.find((status) => status === at(redirect, "statusCode")) ?? 302,
    ...(textAt(redirect, "hostname") === "" ? {} : { authority: textAt(redirect, "hostname") }),
    ...(scheme === "" ? {} : { scheme }),
    ...(typeof port === "number" ? { port } : {}),
    ...(typeof port === "number" && reading === "istiod" ? {} : { derivePort: derived }),
    ...(path === undefined ? {} : { path }),
  };
}

/** Rules of several lists in the order in which they are tried, those of one rank as they are given (conversion.go `sortHTTPRoutes`). */
export function inOrder(lists: readonly (readonly ApiRule[])[]): readonly ApiRule[] {
  // There are few ranks, and within each the rules stay as they are: each is counted, and then has its place.
  const ranks = new Map<number, { order: number; count: number; next: number }>();
  let total = 0;
  for (const list of lists) {
    total += list.length;
    for (let index = 0; index < list.length; index++) {
      const order = list[index]?.order;
      if (order === undefined) return lists.flat().sort((a, b) => compareRanks(a.match.rank, b.match.rank));
      const rank = ranks.get(order);
      if (rank === undefined) ranks.set(order, { order, count: 1, next: 0 });
      else rank.count++;
    }
  }
  let next = 0;
  for (const rank of [...ranks.values()].sort((a, b) => b.order - a.order)) {
    rank.next = next;
    next += rank.count;
  }
  const out: ApiRule[] = [];
  out.length = total;
  for (const list of lists) {
    for (let index = 0; index < list.length; index++) {
      const rule = list[index], rank = rule?.order === undefined ? undefined : ranks.get(rule.order);
      if (rule !== undefined && rank !== undefined) out[rank.next++] = rule;
    }
  }
  return out;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index++) {
    const one = a[index] ?? 0, other = b[index];
    if (other === undefined) return -1;
    if (one !== other) return other - one;
  }
  return 0;
}

/** Two rules of two routes of one rank that share requests and answer them differently, so that the age of the routes decides. */
export function agesMatter(routes: readonly Named[], lists: readonly (readonly ApiRule[])[]): readonly [Named, Named] | undefined {
  if (routes.every(({ created }) => created !== undefined) || routes.every((route) => route === routes[0])) return undefined;
  const rules = lists.flat();
  // Places share their rules, and so a rule does not know the age of its route in this one.
  const byTitle = new Map(routes.map((route) => [route.title, route]));
  const routeOf = ({ source }: ApiRule): Named => byTitle.get(source.title) ?? source;
  // Rules of one rank with different paths exclude each other; only expressions may meet.
  const alike = Map.groupBy(rules, ({ match }) => `${match.rank.join(" ")} ${textAt(at(match.spec, "uri"), "regex") === "" ? canonical(at(match.spec, "uri")) : ""}`);
  for (const group of alike.values()) {
    const [first] = group;
    for (const [index, one] of group.entries()) {
      const route = routeOf(one);
      for (const other of group.slice(0, Math.min(index, MOST_ALIKE))) {
        const rival = routeOf(other);
        if (rival === route || (rival.created !== undefined && route.created !== undefined)) continue;
        if (!areDisjoint(one.match, other.match) && canonical(one.spec) !== canonical(other.spec)) return [rival, route];
      }
      if (index >= MOST_ALIKE && first !== undefined && group.some((other) => routeOf(other) !== route)) return [routeOf(first), route];
    }
  }
  return undefined;
}

/** Of more rules with one path and rank the age is taken to matter. */
const MOST_ALIKE = 100;

/** Whether an expression of a path meets other rules: the specification leaves open which is tried first. */
export function hasOpenRegex(rules: readonly ApiRule[]): ApiRule | undefined {
  const regex = rules.find(({ match }) => match.isRegex);
  if (regex === undefined) return undefined;
  return rules.some((other) => other !== regex && !areDisjoint(other.match, regex.match) && canonical(other.spec) !== canonical(regex.spec)) ? regex : undefined;
}
