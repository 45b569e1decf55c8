import { at, canonical, isObject, type Json, type JsonObject, listAt, objectAt, textAt } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import { milliseconds } from "../istio/values.ts";
import type { HttpRule } from "../istio/virtual-services.ts";
import { sharesOf } from "./backends.ts";
import { REDIRECTS } from "./crd.ts";
import type { Conversion } from "./conversion.ts";
import { backendHeaders, filtersOf, rewritten } from "./filters.ts";
import { rulePath } from "./objects.ts";
import { type ApiMatch, areDisjoint, grpcMatches, httpMatches } from "./matches.ts";

/** One rule for one match, in the words of a VirtualService, with what the dialect of Istio has no word for beside them. */
export interface ApiRule {
  readonly spec: JsonObject;
  readonly match: ApiMatch;
  readonly route: Named;
  readonly path: string;
  readonly matchPath: string;
  /** The rule as the dialect of Istio reads it, made when it is first asked for: see `merged.ts`. */
  placed: HttpRule | undefined;
}

/** The rules of an HTTPRoute or a GRPCRoute; undefined where istiod makes none of them because one cannot be said. */
export function rulesOf(route: Named, conversion: Conversion): readonly ApiRule[] | undefined {
  const out: ApiRule[] = [];
  const written = at(route.spec, "rules");
  // The CRD fills in one rule that takes everything where none is written.
  const rules: readonly Json[] = written === undefined && route.kind === "HTTPRoute" ? [{}] : listAt(route.spec, "rules");
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index];
    const path = rulePath(index);
    const action = actionOf(rule, path, route, conversion);
    if (action === undefined) return undefined;
    const matches = route.kind === "GRPCRoute" ? grpcMatches(rule, conversion.reading) : httpMatches(rule, conversion.reading);
    const isWritten = listAt(rule, "matches").length > 0;
    for (let block = 0; block < matches.length; block++) {
      const match = matches[block];
      const matchPath = !isWritten ? path : block === 0 ? (firstPaths[index] ??= `${path}.matches[0]`) : `${path}.matches[${block}]`;
      if (match !== undefined) for (const spec of withMatch(action, match, conversion)) out.push({ spec, match, route, path, matchPath, placed: undefined });
    }
  }
  return out;
}

/** By rule. */
const firstPaths: string[] = [];

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

/** The rule for one match: rewrites and redirects follow its form. */
function withMatch(action: JsonObject, match: ApiMatch, { reading }: Conversion): readonly JsonObject[] {
  const redirect = action["redirect"], rewrite = action["rewrite"];
  if (redirect === undefined && rewrite === undefined) return [match.spec === undefined ? action : { ...action, match: [match.spec] }];
  const by = isObject(redirect) ? "redirect" : "rewrite";
  const modifier = at(by === "redirect" ? redirect : rewrite, "path");
  return rewritten(modifier, match, by, reading).map((written): JsonObject => ({
    ...action,
    ...(written.match === undefined ? {} : { match: [written.match] }),
    ...(isObject(redirect) ? { redirect: redirectOf(redirect, written.path, reading) } : {}),
    ...(isObject(rewrite) ? { rewrite: { ...(textAt(rewrite, "hostname") === "" ? {} : { authority: textAt(rewrite, "hostname") }), ...(written.path === undefined ? {} : { path: written.path }) } } : {}),
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

/** Rules in the order in which they are tried, those of one rank as they are given (conversion.go `sortHTTPRoutes`). */
export function inOrder(rules: readonly ApiRule[]): readonly ApiRule[] {
  // There are few ranks, and within each the rules stay as they are.
  const byOrder = new Map<number, ApiRule[]>();
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index], order = rule?.match.order;
    if (rule === undefined || order === undefined) return rules.toSorted((a, b) => compareRanks(a.match.rank, b.match.rank));
    const group = byOrder.get(order);
    if (group === undefined) byOrder.set(order, [rule]);
    else group.push(rule);
  }
  return [...byOrder].sort(([a], [b]) => b - a).flatMap(([, group]) => group);
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
export function agesMatter(rules: readonly ApiRule[]): readonly [Named, Named] | undefined {
  if (rules.every(({ route }) => route.created !== undefined) || rules.every(({ route }) => route === rules[0]?.route)) return undefined;
  // Rules of one rank with different paths exclude each other; only expressions may meet.
  const alike = Map.groupBy(rules, ({ match }) => `${match.rank.join(" ")} ${textAt(at(match.spec, "uri"), "regex") === "" ? canonical(at(match.spec, "uri")) : ""}`);
  for (const group of alike.values()) {
    for (const [index, one] of group.entries()) {
      for (const other of group.slice(0, Math.min(index, MOST_ALIKE))) {
        if (other.route === one.route || (other.route.created !== undefined && one.route.created !== undefined)) continue;
        if (!areDisjoint(one.match, other.match) && canonical(acts(one)) !== canonical(acts(other))) return [other.route, one.route];
      }
      if (index >= MOST_ALIKE && group.some(({ route }) => route !== one.route)) return [group[0]?.route ?? one.route, one.route];
    }
  }
  return undefined;
}

/** Of more rules with one path and rank the age is taken to matter. */
const MOST_ALIKE = 100;

function acts({ spec }: ApiRule): JsonObject {
  const { match: _match, ...rest } = spec;
  return rest;
}

/** Whether an expression of a path meets other rules: the specification leaves open which is tried first. */
export function hasOpenRegex(rules: readonly ApiRule[]): ApiRule | undefined {
  const regex = rules.find(({ match }) => match.isRegex);
  if (regex === undefined) return undefined;
  return rules.some((other) => other !== regex && !areDisjoint(other.match, regex.match) && canonical(acts(other)) !== canonical(acts(regex))) ? regex : undefined;
}
