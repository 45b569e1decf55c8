import type { Origin, Rule, Unmodelled } from "../../decide/model.ts";
import { actionOf, type Circumstances } from "./actions.ts";
import { concerns, everything, type Looker, type Matched, matchOf } from "./matches.ts";
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
  const list: Route[] = [];
  const unmodelled: Unmodelled[] = service.problems.map((problem) => ({ reason: problem.reason, where: { object: service.named.title, path: problem.path } }));
  let invalid: string | undefined;
  const push = (rule: HttpRule, matched: Matched, path: string): void => {
    const { action, unmodelled: left } = actionOf(rule, matched, circumstances);
    unmodelled.push(...left);
    const reason = matched.invalid ?? (action.type === "invalid" ? action.reason : undefined);
    if (reason !== undefined) invalid ??= `${rule.source.title} ${path}: ${reason}`;
    list.push({ rule: { when: matched.when, action, origin: originOf(rule, path) }, catchAll: matched.catchAll });
  };
  const untried: Origin[] = [];
  let isOver = false;
  for (const rule of service.http) {
    if (rule.matches.length === 0) {
      if (isOver) untried.push(originOf(rule, rule.path));
      else push(rule, everything, rule.path);
      isOver = true;
    }
    for (const match of rule.matches) {
      if (!concerns(match.spec, looker)) continue;
      if (isOver) {
        untried.push(originOf(rule, match.path));
        continue;
      }
      const matched = matchOf(match.spec);
      push(rule, matched, match.path);
      isOver = matched.catchAll;
    }
  }
  return { list, unmodelled, untried, invalid };
}

function originOf({ source }: HttpRule, path: string): Origin {
  const { file, line } = source;
  return { object: source.title, path, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
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
