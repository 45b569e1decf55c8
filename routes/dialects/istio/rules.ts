import type { Origin, Rule, Unmodelled } from "../../decide/model.ts";
import { type Acted, actionOf, type Circumstances } from "./actions.ts";
import type { Target } from "./destinations.ts";
import { canonical } from "./json.ts";
import { concerns, everything, type Looker, type Matched, matchOf } from "./matches.ts";
import type { Use } from "./memory.ts";
import type { HttpRule, VirtualService } from "./virtual-services.ts";

/** A rule as istiod writes it into a list of routes. */
export interface Route {
  readonly rule: Rule;
  readonly catchAll: boolean;
}

/** What a VirtualService gives to one looker. */
export interface Routes {
  /** Empty: the VirtualService has no say here. */
  readonly list: readonly Route[];
  readonly unmodelled: readonly Unmodelled[];
  /** Blocks that the looker could have met, behind the one that ends the list. */
  readonly untried: readonly Origin[];
  /** Envoy refuses the whole configuration that holds these routes. */
  readonly invalid: string | undefined;
}

/**
 * route.go `BuildHTTPRoutesForVirtualService`: each match block is a route; a rule without a match, and a block that istiod knows to
 * take everything, end the list.
 */
export function routesOf(service: VirtualService, looker: Looker, circumstances: Circumstances): Routes {
  const routes = knownRoutes(service.http, looker, circumstances);
  const left = service.left ?? [];
  if (service.problems.length + left.length === 0) return routes;
  const problems = service.problems.map((problem) => ({ reason: problem.reason, where: { object: service.named.title, path: problem.path } }));
  return { ...routes, unmodelled: [...problems, ...left, ...routes.unmodelled] };
}

/** What the routes of a list of rules rest on. */
interface Grounds {
  readonly uses: readonly Use[];
  /** Some match block asks who looks. */
  readonly asksLooker: boolean;
  /** Some action knows the port or the transport. */
  readonly asksConnection: boolean;
  /** Rules that delegation made are not known again. */
  readonly isWritten: boolean;
}

interface Known {
  readonly key: string;
  readonly targets: readonly Target[];
  readonly routes: Routes;
}

const groundsOf = new WeakMap<readonly HttpRule[], Grounds>();
const knownOf = new WeakMap<readonly HttpRule[], Known[]>();

/** Lists that places share, and clients for whom every destination is the same, have one and the same result. */
function knownRoutes(http: readonly HttpRule[], looker: Looker, circumstances: Circumstances): Routes {
  let grounds = groundsOf.get(http);
  if (grounds === undefined) groundsOf.set(http, (grounds = readGrounds(http)));
  if (!grounds.isWritten) return makeRoutes(http, looker, circumstances, "");
  const key = keyOf(grounds, looker, circumstances);
  const { destinations, port } = circumstances;
  const targets = grounds.uses.map((use) => destinations.of(use, port));
  let known = knownOf.get(http);
  if (known === undefined) knownOf.set(http, (known = []));
  const found = known.find((one) => one.key === key && areSame(one.targets, targets));
  if (found !== undefined) return found.routes;
  const routes = makeRoutes(http, looker, circumstances, key);
  known.push({ key, targets, routes });
  return routes;
}

function keyOf({ asksLooker, asksConnection }: Grounds, looker: Looker, { port, tls, retries, reading }: Circumstances): string {
  const who = asksLooker ? canonical(looker) : "";
  return `${reading.retries503} ${reading.shadowHost} ${asksConnection ? `${port} ${tls}` : ""} ${retries === undefined ? "" : canonical(retries)} ${who}`;
}

function areSame<T>(one: readonly T[], other: readonly T[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

const staticFields = ["port", "gateways", "sourceLabels", "sourceNamespace"] as const;

function readGrounds(http: readonly HttpRule[]): Grounds {
  const uses = new Set<Use>();
  let asksLooker = false, asksConnection = false, isWritten = true;
  for (const { written, spec } of http) {
    if (written === undefined) {
      isWritten = false;
      continue;
    }
    for (const use of written.uses) uses.add(use);
    asksConnection ||= spec["redirect"] !== undefined;
    for (const match of written.matches) asksLooker ||= staticFields.some((field) => match[field] !== undefined);
  }
  return { uses: [...uses], asksLooker, asksConnection, isWritten };
}

function makeRoutes(http: readonly HttpRule[], looker: Looker, circumstances: Circumstances, key: string): Routes {
  const list: Route[] = [];
  const unmodelled: Unmodelled[] = [];
  let invalid: string | undefined;
  const push = (rule: HttpRule, block: number, matched: Matched, path: string): void => {
    const { action, unmodelled: left } = actedBy(rule, block, matched, circumstances, key);
    for (const one of left) unmodelled.push(one);
    const reason = matched.invalid ?? (action.type === "invalid" ? action.reason : undefined);
    if (reason !== undefined) invalid ??= `${rule.source.title} ${path}: ${reason}`;
    list.push({ rule: { when: matched.when, action, origin: originOf(rule, path) }, catchAll: matched.catchAll });
  };
  const untried: Origin[] = [];
  let isOver = false;
  for (const rule of http) {
    const { matches } = rule;
    if (matches.length === 0) {
      if (isOver) untried.push(originOf(rule, rule.path));
      else push(rule, 0, everything, rule.path);
      isOver = true;
    }
    for (let block = 0; block < matches.length; block++) {
      const match = matches[block];
      if (match === undefined || !concerns(match.spec, looker)) continue;
      if (isOver) {
        untried.push(originOf(rule, match.path));
        continue;
      }
      const matched = rule.written === undefined ? matchOf(match.spec) : rule.written.matched(block);
      push(rule, block, matched, match.path);
      isOver = matched.catchAll;
    }
  }
  return { list, unmodelled, untried, invalid };
}

function originOf({ source }: HttpRule, path: string): Origin {
  const { file, line } = source;
  return { object: source.title, path, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

/** What a rule does; the same object as for the proxy that asked last where all is the same. */
function actedBy(rule: HttpRule, block: number, matched: Matched, circumstances: Circumstances, key: string): Acted {
  const { written } = rule;
  if (written === undefined || key === "") return actionOf(rule, matched, circumstances);
  const { destinations, port } = circumstances;
  const { uses } = written;
  let acted = written.acted;
  let isSame = acted !== undefined && acted.key === key;
  for (let at = 0; isSame && at < uses.length; at++) {
    const use = uses[at];
    isSame = use !== undefined && acted?.targets[at] === destinations.of(use, port);
  }
  if (acted === undefined || !isSame) written.acted = acted = { key, targets: uses.map((use) => destinations.of(use, port)), byMatch: [] };
  const asksForm = rule.spec["rewrite"] !== undefined || rule.spec["redirect"] !== undefined;
  return (acted.byMatch[asksForm ? block : 0] ??= actionOf(rule, matched, circumstances));
}

const rulesOf = new WeakMap<Routes, readonly Rule[]>();

/** The rules in their order; one list for one result. */
export function rulesIn(routes: Routes): readonly Rule[] {
  const known = rulesOf.get(routes) ?? routes.list.map((route) => route.rule);
  rulesOf.set(routes, known);
  return known;
}

/** Catch-alls behind all others, each in its order (route.go `SortVHostRoutes`). */
export function catchAllsLast(routes: readonly Route[]): readonly Rule[] {
  return [...routes.filter((route) => !route.catchAll), ...routes.filter((route) => route.catchAll)].map((route) => route.rule);
}

const folded = new WeakMap<VirtualService, { headers: boolean; regexes: boolean; mirrors: boolean }>();

/** What of a VirtualService versions read differently. */
export function usesOf(service: VirtualService): { readonly headers: boolean; readonly regexes: boolean; readonly mirrors: boolean } {
  let uses = folded.get(service);
  if (uses === undefined) {
    uses = { headers: false, regexes: false, mirrors: false };
    for (const rule of service.http) {
      uses.mirrors ||= rule.spec["mirror"] !== undefined || rule.spec["mirrors"] !== undefined;
      uses.headers ||= rule.matches.some((match) => match.spec["headers"] !== undefined || match.spec["withoutHeaders"] !== undefined);
      uses.regexes ||= rule.matches.some((match) => mentions(match.spec, "regex")) || mentions(rule.spec["corsPolicy"], "regex") || mentions(rule.spec["rewrite"], "uriRegexRewrite");
    }
    folded.set(service, uses);
  }
  return uses;
}

function mentions(value: unknown, key: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (const name of Object.keys(value)) if (name === key || mentions((value as Readonly<Record<string, unknown>>)[name], key)) return true;
  return false;
}
