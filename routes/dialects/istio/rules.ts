import type { Origin, Rule, Unmodelled } from "../../decide/model.ts";
import { type Acted, actionOf, type Circumstances } from "./actions.ts";
import type { Target } from "./destinations.ts";
import { canonical, isObject, type JsonObject, listAt, numberAt, textAt } from "./json.ts";
import { concerns, everything, type Looker, type Matched, matchOf } from "./matches.ts";
import type { Block, Use, Written } from "./memory.ts";
import { milliseconds } from "./values.ts";
import { type HttpRule, type Match, PlacedRule, type VirtualService } from "./virtual-services.ts";

/** What a VirtualService gives to one looker. */
export interface Routes {
  /** As istiod writes them into a list of routes, in their order. Empty: the VirtualService has no say here. */
  readonly rules: readonly Rule[];
  /** The last of them takes everything; no other does. */
  readonly endsInCatchAll: boolean;
  readonly unmodelled: readonly Unmodelled[];
  /** Blocks that the looker could have met, behind the one that ends the list. */
  readonly untried: readonly Origin[];
  /** Envoy refuses the whole configuration that holds these routes. */
  readonly invalid: string | undefined;
}

/** What one proxy makes of a rule as it was written; one and the same for all for whom its destinations lead to the same. */
export class Made {
  readonly key: string;
  readonly targets: readonly Target[];
  /** Actions of rules that do nothing else, by timeout, for one status of what is missing: see {@link plainly}. */
  plain: { readonly missing: number; readonly byTimeout: Map<number, Acted> } | undefined = undefined;

  constructor(key: string, targets: readonly Target[]) {
    this.key = key;
    this.targets = targets;
  }
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
export interface Grounds {
  readonly uses: readonly Use[];
  /** Some match block asks who looks. */
  readonly asksLooker: boolean;
  /** Some action knows the port or the transport. */
  readonly asksConnection: boolean;
  /** Rules that delegation made are not known again. */
  readonly isWritten: boolean;
  /** What was made of them so far. */
  readonly known: Known[];
}

/** What the destinations of rules lead to for one key. What was made of a rule on a footing stands as long as the footing does. */
export class Footing {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }
}

/** The footing of before, where every destination leads to the same still. */
function footingOf(uses: readonly Use[], targets: readonly Target[], key: string): Footing {
  const before = uses[0]?.footing;
  let isSame = before?.key === key;
  // INVARIANT: of a use that has been on another footing since, nobody knows where it led on this one.
  for (let at = 0; isSame && at < uses.length; at++) {
    const use = uses[at];
    isSame = use?.footing === undefined || (use.footing === before && use.footingTarget === targets[at]);
  }
  const footing = before === undefined || !isSame ? new Footing(key) : before;
  for (let at = 0; at < uses.length; at++) {
    const use = uses[at];
    if (use === undefined) continue;
    use.footing = footing;
    use.footingTarget = targets[at];
  }
  return footing;
}

interface Known {
  readonly key: string;
  readonly targets: readonly Target[];
  readonly routes: Routes;
}

const groundsOf = new WeakMap<readonly HttpRule[], Grounds>();

/** Lists that places share, and clients for whom every destination is the same, have one and the same result. */
function knownRoutes(http: readonly HttpRule[], looker: Looker, circumstances: Circumstances): Routes {
  const grounds = groundsFor(http);
  if (!grounds.isWritten) return makeRoutes(http, looker, circumstances, undefined);
  const key = keyOf(grounds, looker, circumstances);
  const { destinations, port } = circumstances;
  const { known } = grounds;
  for (let at = 0; at < known.length; at++) {
    const one = known[at];
    if (one !== undefined && one.key === key && leadTo(grounds.uses, one.targets, destinations, port)) return one.routes;
  }
  const targets = targetsOf(grounds.uses, destinations, port);
  const routes = makeRoutes(http, looker, circumstances, footingOf(grounds.uses, targets, key));
  known.push({ key, targets, routes });
  return routes;
}

function groundsFor(http: readonly HttpRule[]): Grounds {
  let grounds = groundsOf.get(http);
  if (grounds === undefined) groundsOf.set(http, (grounds = readGrounds(http)));
  return grounds;
}

/** What a list rests on and what versions read differently in it, known of the lists that it was put together of. */
export function restsOn(http: readonly HttpRule[], parts: readonly (Grounds & Asked)[]): void {
  const uses: Use[] = [];
  for (const part of parts) addUses(uses, part.uses, http);
  const some = (is: (part: Grounds & Asked) => boolean): boolean => parts.some(is);
  groundsOf.set(http, { uses, asksLooker: some((part) => part.asksLooker), asksConnection: some((part) => part.asksConnection), isWritten: parts.every((part) => part.isWritten), known: [] });
  asked.set(http, { headers: some((part) => part.headers), regexes: some((part) => part.regexes), mirrors: some((part) => part.mirrors) });
}

/** The same of a list that is looked at for the first time. */
export function groundsIn(http: readonly HttpRule[]): Grounds & Asked {
  return { ...readGrounds(http), ...readAsked(http) };
}

/** Whether what a VirtualService gives depends on who looks. */
export function asksLooker(service: VirtualService): boolean {
  return groundsFor(service.http).asksLooker;
}

/** Keys of circumstances, by what is asked of them: many rules ask for few. */
const keysOf = new WeakMap<Circumstances, (string | undefined)[]>();

function keyOf({ asksLooker: asks, asksConnection }: Grounds, looker: Looker, circumstances: Circumstances): string {
  let keys = keysOf.get(circumstances);
  if (keys === undefined) keysOf.set(circumstances, (keys = []));
  const { port, tls, retries, reading } = circumstances;
  const base = (keys[Number(asksConnection)] ??= `${reading.retries503} ${reading.shadowHost} ${asksConnection ? `${port} ${tls}` : ""} ${retries === undefined ? "" : canonical(retries)} `);
  return asks ? base + canonical(looker) : base;
}

/** Whether destinations lead a proxy to these targets. */
function leadTo(uses: readonly Use[], targets: readonly Target[], destinations: Circumstances["destinations"], port: number): boolean {
  for (let at = 0; at < uses.length; at++) {
    const use = uses[at];
    if (use === undefined || destinations.of(use, port) !== targets[at]) return false;
  }
  return true;
}

function isStatic(match: JsonObject): boolean {
  return match["port"] !== undefined || match["gateways"] !== undefined || match["sourceLabels"] !== undefined || match["sourceNamespace"] !== undefined;
}

function asksWho({ match }: Block): boolean {
  return isStatic(match);
}

function readGrounds(http: readonly HttpRule[]): Grounds {
  const uses: Use[] = [];
  let asks = false, asksConnection = false, isWritten = true;
  // Lists are long and walked once each: an iterator would make an object for every step.
  for (let index = 0; index < http.length; index++) {
    const rule = http[index];
    if (rule === undefined) continue;
    const { written } = rule;
    if (written === undefined) {
      for (const match of rule.matches) asks ||= isStatic(match.spec);
      isWritten = false;
      continue;
    }
    asks ||= (written.asksLooker ??= written.blocks.some(asksWho));
    addUses(uses, written.uses, http);
    asksConnection ||= written.spec["redirect"] !== undefined;
  }
  return { uses, asksLooker: asks, asksConnection, isWritten, known: [] };
}

/** Those that the list has not had yet. */
function addUses(uses: Use[], more: readonly Use[], http: readonly HttpRule[]): void {
  for (let at = 0; at < more.length; at++) {
    const use = more[at];
    if (use === undefined || use.listed === http) continue;
    use.listed = http;
    uses.push(use);
  }
}

const noMatches: readonly Match[] = [];

function makeRoutes(http: readonly HttpRule[], looker: Looker, circumstances: Circumstances, footing: Footing | undefined): Routes {
  // Lists that grow take more room than they need, and these are long; most rules are one in the end.
  const rules: Rule[] = [];
  rules.length = http.length;
  let count = 0;
  const unmodelled: Unmodelled[] = [];
  let invalid: string | undefined;
  const push = (rule: HttpRule, block: number, matched: Matched, path: string): void => {
    const { written } = rule;
    const kept = written === undefined || footing === undefined ? undefined : keptFor(written, block, circumstances, footing.key);
    const { action, unmodelled: left } = kept === undefined ? actionOf(rule, matched, circumstances) : (kept.acted ??= actedBy(kept, rule, matched, circumstances));
    if (left.length > 0) unmodelled.push(...left);
    const reason = matched.invalid ?? (action.type === "invalid" ? action.reason : undefined);
    if (reason !== undefined) invalid ??= `${rule.source.title} ${path}: ${reason}`;
    if (kept === undefined) return void (rules[count++] = { when: matched.when, action, origin: originOf(rule, path) });
    if (kept.rule === undefined || kept.placed !== rule) {
      kept.rule = { when: matched.when, action, origin: originOf(rule, path) };
      kept.placed = rule;
    }
    rules[count++] = kept.rule;
    const stands = rule instanceof PlacedRule && rule.written.blocks.length === 1 && rule.written.asksLooker === false && !matched.catchAll && left.length === 0 && reason === undefined;
    if (stands && footing !== undefined) rule.stands(kept.rule, footing);
  };
  const untried: Origin[] = [];
  let isOver = false;
  for (let index = 0; index < http.length; index++) {
    const rule = http[index];
    if (rule === undefined) continue;
    const placed = rule instanceof PlacedRule ? rule : undefined;
    const standing = isOver || footing === undefined ? undefined : placed?.standingOn(footing);
    if (standing !== undefined) {
      rules[count++] = standing;
      continue;
    }
    const matches = placed === undefined ? rule.matches : noMatches;
    const blocks = placed === undefined ? matches.length : placed.written.hasMatches ? placed.written.blocks.length : 0;
    if (blocks === 0) {
      if (isOver) untried.push(originOf(rule, rule.path));
      else push(rule, 0, everything, rule.path);
      isOver = true;
    }
    for (let block = 0; block < blocks; block++) {
      if (rule.written?.asksLooker !== false && !concerns(placed?.matchAt(block) ?? matches[block]?.spec ?? {}, looker)) continue;
      const path = placed?.pathAt(block) ?? matches[block]?.path ?? rule.path;
      if (isOver) {
        untried.push(originOf(rule, path));
        continue;
      }
      const matched = rule.written?.blocks[block]?.matched ?? matchOf(matches[block]?.spec ?? {});
      push(rule, block, matched, path);
      isOver = matched.catchAll;
    }
  }
  rules.length = count;
  return { rules, endsInCatchAll: isOver, unmodelled, untried, invalid };
}

function originOf({ source }: HttpRule, path: string): Origin {
  const { title, file, line } = source;
  if (file === undefined && line === undefined) return { object: title, path };
  return { object: title, path, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

/** What proxies make of one destination, at most; past that it is made anew, which is never wrong. */
const MOST_MADE = 16;

/** One object for all rules that lead to one destination alone. */
function madeFor(uses: readonly Use[], destinations: Circumstances["destinations"], port: number, key: string): Made {
  const use = uses[0];
  if (use === undefined || uses.length > 1) return new Made(key, targetsOf(uses, destinations, port));
  const target = destinations.of(use, port);
  // There are many rules: no iterator and no function is made for each.
  for (let at = 0; at < use.made.length; at++) {
    const known = use.made[at];
    if (known !== undefined && known.targets[0] === target && known.key === key) return known;
  }
  const made = new Made(key, [target]);
  if (use.made.length < MOST_MADE) use.made.push(made);
  return made;
}

function targetsOf(uses: readonly Use[], destinations: Circumstances["destinations"], port: number): readonly Target[] {
  return uses.map((use) => destinations.of(use, port));
}

/** The block of a rule with what was made of it for the proxy that asked last, as far as all is the same for this one. */
function keptFor(written: Written, at: number, { destinations, port }: Circumstances, key: string): Block | undefined {
  const { uses } = written;
  const { made } = written;
  let isSame = made !== undefined && made.key === key;
  for (let use = 0; isSame && use < uses.length; use++) {
    const own = uses[use];
    isSame = own !== undefined && made?.targets[use] === destinations.of(own, port);
  }
  if (!isSame) {
    written.made = madeFor(uses, destinations, port, key);
    // INVARIANT: what is kept of the blocks is what this proxy makes of them.
    for (let block = 0; block < written.blocks.length; block++) written.blocks[block]?.forget();
  }
  return written.blocks[at];
}

/** What a rule does: where that does not depend on the match, the same for all its blocks. */
function actedBy(block: Block, rule: HttpRule, matched: Matched, circumstances: Circumstances): Acted {
  const { written, spec } = rule;
  const first = written?.blocks[0];
  const asksForm = spec["rewrite"] !== undefined || spec["redirect"] !== undefined;
  if (first !== undefined && first !== block && !asksForm && first.acted !== undefined) return first.acted;
  return (written?.made === undefined ? undefined : plainly(written.made, rule, circumstances)) ?? actionOf(rule, matched, circumstances);
}

const plainParts: ReadonlySet<string> = new Set(["match", "name", "route", "timeout", "missingStatus"]);

/**
 * The action of a rule that sends on to one destination, perhaps with a timeout, and does nothing else: all rules that do so have one.
 * Undefined of any other rule.
 */
function plainly(made: Made, rule: HttpRule, circumstances: Circumstances): Acted | undefined {
  const { spec } = rule;
  for (const part in spec) if (!plainParts.has(part)) return undefined;
  const routes = listAt(spec, "route");
  const route = routes[0], target = made.targets[0];
  if (routes.length !== 1 || !isObject(route) || target === undefined) return undefined;
  for (const part in route) if (part !== "destination" && part !== "weight") return undefined;
  const { destination } = route;
  // A short name is read in the namespace of its rule, which need not be that of the object.
  if (!textAt(destination, "host").includes(".") && circumstances.destinations.target(destination, rule.namespace, circumstances.port) !== target) return undefined;
  const timeout = milliseconds(textAt(spec, "timeout")) ?? 0, missing = numberAt(spec, "missingStatus");
  if (made.plain?.missing !== missing) made.plain = { missing, byTimeout: new Map() };
  let acted = made.plain.byTimeout.get(timeout);
  // A lone destination has no weight, and nothing here asks for the match.
  if (acted === undefined) made.plain.byTimeout.set(timeout, (acted = actionOf(rule, everything, circumstances)));
  return acted;
}

const asked = new WeakMap<VirtualService["http"], Asked>();

/** What of rules versions read differently. */
export interface Asked {
  readonly headers: boolean;
  readonly regexes: boolean;
  readonly mirrors: boolean;
}

/** What of a VirtualService versions read differently. */
export function usesOf(service: VirtualService): Asked {
  let known = asked.get(service.http);
  if (known === undefined) asked.set(service.http, (known = readAsked(service.http)));
  return known;
}

function readAsked(http: readonly HttpRule[]): Asked {
  let headers = false, regexes = false, mirrors = false;
  for (let index = 0; index < http.length; index++) {
    const rule = http[index];
    if (rule === undefined) continue;
    const own = rule.written === undefined ? askedBy(rule) : (rule.written.asked ??= askedBy(rule));
    headers ||= own.headers;
    regexes ||= own.regexes;
    mirrors ||= own.mirrors;
  }
  return { headers, regexes, mirrors };
}

function askedBy(rule: HttpRule): Asked {
  const { spec } = rule;
  let headers = false, regexes = mentions(spec["corsPolicy"], "regex") || mentions(spec["rewrite"], "uriRegexRewrite");
  const blocks: readonly { readonly match: JsonObject }[] = rule instanceof PlacedRule ? rule.written.blocks : rule.matches.map((match) => ({ match: match.spec }));
  for (let at = 0; at < blocks.length; at++) {
    const match = blocks[at]?.match ?? spec;
    headers ||= match["headers"] !== undefined || match["withoutHeaders"] !== undefined;
    regexes ||= mentions(match, "regex");
  }
  const mirrors = spec["mirror"] !== undefined || spec["mirrors"] !== undefined;
  return answers[Number(headers) + 2 * Number(regexes) + 4 * Number(mirrors)] ?? { headers, regexes, mirrors };
}

/** Every answer there is, each one object for all rules. */
const answers: readonly Asked[] = Array.from({ length: 8 }, (_, bits) => ({ headers: (bits & 1) !== 0, regexes: (bits & 2) !== 0, mirrors: (bits & 4) !== 0 }));

function mentions(value: unknown, key: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (const name in value) if (Object.hasOwn(value, name) && (name === key || mentions((value as Readonly<Record<string, unknown>>)[name], key))) return true;
  return false;
}
