import type { Unmodelled } from "../../decide/model.ts";
import { isSame } from "../../decide/same.ts";
import { canonical, listAt } from "../istio/json.ts";
import type { Memory } from "../istio/memory.ts";
import type { Named } from "../istio/registry.ts";
import { type Asked, type Grounds, groundsIn, restsOn } from "../istio/rules.ts";
import type { HttpRule, VirtualService } from "../istio/virtual-services.ts";
import { hostnamesOf, parentsOf } from "./attach.ts";
import type { Conversion } from "./conversion.ts";
import { crdProblems } from "./crd.ts";
import type { ApiInput, Context } from "./index.ts";
import { type ApiListener, isOwnHost, siblingsOf } from "./listeners.ts";
import { problemsOf } from "./objects.ts";
import { isPlain } from "./plain.ts";
import { agesMatter, type ApiRule, inOrder, nowhere, rulesOf } from "./rules.ts";

/** Rules for one host of one listener or one service of the mesh, of all routes that have some. */
export interface Pile {
  readonly key: string;
  readonly host: string;
  /** The Gateway that istiod makes of the listener, or `mesh`. */
  readonly gateway: string;
  readonly parts: Part[];
  readonly left: Unmodelled[];
  readonly routes: Named[];
}

/** Rules of one route, with what they rest on. */
export interface Part {
  readonly rules: readonly ApiRule[];
  readonly grounds: Grounds & Asked;
}

/** HTTPRoutes and GRPCRoutes at listeners of Istio's classes, as istiod merges them (route_collections.go `mergeHTTPRoutes`). */
export function istiodRoutes(context: Context): readonly VirtualService[] {
  const piles = new Piles();
  const siblings = new Map(context.listeners.map((listener) => [listener, siblingsOf(listener, context.listeners)]));
  for (const route of context.objects.routes) {
    if (!isHttp(route)) continue;
    for (const parent of parentsOf(route, context.listeners)) {
      if ("listener" in parent && parent.listener.reading === "istiod") addAt(piles, route, parent.listener, siblings.get(parent.listener) ?? [], context);
    }
  }
  return piles.all.flatMap((pile) => virtualServiceOf(pile, context));
}

const toGateways = { reading: "istiod", isMesh: false } as const;

function addAt(piles: Piles, route: Named, listener: ApiListener, siblings: readonly ApiListener[], context: Context): void {
  const part = translated(route, context, toGateways);
  for (const host of hostnamesOf(route)) {
    if (!isOwnHost(host, listener, siblings)) continue;
    const pile = piles.of(listener.internal, host, listener.internal);
    if (part.left.length + listener.left.length > 0) pile.left.push(...part.left, ...listener.left);
    if (part.rules.length === 0) continue;
    pile.parts.push(part);
    pile.routes.push(route);
  }
}

/** Routes of requests, as against routes of connections. */
export function isHttp({ kind }: Named): boolean {
  return kind === "HTTPRoute" || kind === "GRPCRoute";
}

/** The rules of a route, and what of it stays open. */
interface Translated extends Part {
  readonly left: readonly Unmodelled[];
}

/** A translation with all that it rests on beside the text of its route. */
interface Known extends Translated, Pick<Conversion, "reading" | "isMesh"> {
  readonly route: Named;
  readonly bases: Bases;
}

/** What of a route is outside the model, which of its rules are plain ones, and what was made of it. */
export interface Told {
  readonly problems: readonly Unmodelled[];
  readonly isPlainAt: readonly boolean[];
  readonly known: Known[];
}

/** What every translation of a place rests on: one object for places in which it is the same. */
export interface Bases extends Pick<Conversion, "domain" | "grants" | "areGrantsSeen" | "services" | "isThere"> {
  /** The hosts of all services; undefined: unseen. */
  readonly hosts: readonly string[] | undefined;
}

/** What the last of the places that are read together held and made, by title. */
class Last {
  readonly routes = new Map<string, { readonly route: Named; readonly told: Told }>();
  readonly lists = new Map<string, readonly HttpRule[]>();
  bases: Bases | undefined = undefined;
}

const last = new WeakMap<Memory, Last>();

function lastOf(memory: Memory): Last {
  const found = last.get(memory) ?? new Last();
  last.set(memory, found);
  return found;
}

/** The bases of a place. */
export function basesOf({ domain, memory, services, areServicesSeen }: ApiInput, grants: readonly Named[], areGrantsSeen: boolean): Bases {
  const known = lastOf(memory);
  const hosts = areServicesSeen ? services.map(({ host }) => host).sort() : undefined;
  const { bases: before } = known;
  const shown = (list: readonly Named[]): unknown => list.map(({ namespace, spec }) => [namespace, spec]);
  const isKnown = before?.domain === domain && before.areGrantsSeen === areGrantsSeen && isSame(shown(before.grants), shown(grants)) && isSame(before.hosts, hosts);
  if (isKnown) return before;
  const there = new Set(hosts);
  return (known.bases = { domain, grants, areGrantsSeen, services: new Map(), hosts, isThere: (host) => host !== "" && (hosts === undefined || there.has(host)) });
}

/** The routes of a place with what is told of each. One that the last place held alike has its very spec. */
export function readRoutes(routes: readonly Named[], memory: Memory): ReadonlyMap<Named, Told> {
  const { routes: before } = lastOf(memory);
  const out = new Map<Named, Told>();
  for (const route of routes) {
    const known = before.get(route.title);
    if (known !== undefined && isSame(known.route.spec, route.spec) && isSame(known.route.problems, route.problems)) {
      const { created, file, line, labels, annotations } = known.route;
      const isAll = created === route.created && file === route.file && line === route.line && isSame(labels, route.labels) && isSame(annotations, route.annotations);
      out.set(isAll ? known.route : { ...route, spec: known.route.spec }, known.told);
      continue;
    }
    const isPlainAt = route.kind === "HTTPRoute" ? listAt(route.spec, "rules").map((rule) => isPlain(rule, route.namespace)) : [];
    const told = { problems: [...problemsOf(route, isPlainAt), ...crdProblems(route, isPlainAt)], isPlainAt, known: [] };
    before.set(route.title, { route, told });
    out.set(route, told);
  }
  return out;
}

/**
 * The rules of a route; where it cannot be said they are none, as istiod drops them. A route that the last place held alike, under
 * the same grants, is not read again: its rules are the very same, in the name of this one where it was written elsewhere.
 */
export function translated(route: Named, { input, bases, told }: Context, how: Pick<Conversion, "reading" | "isMesh">): Translated {
  const { problems, isPlainAt, known } = told.get(route) ?? { problems: [], isPlainAt: [], known: [] };
  let before: Known | undefined;
  for (const one of known) if (one.bases === bases && one.reading === how.reading && one.isMesh === how.isMesh) before ??= one;
  // Of what a rule keeps of its route, the place where it was written alone differs between places; who asks for ages has the routes.
  if (before !== undefined) return before.route.file === route.file && before.route.line === route.line ? before : { rules: before.rules.map((rule) => rule.inNameOf(route)), grounds: before.grounds, left: before.left };
  const left: Unmodelled[] = [...problems];
  const rules = rulesOf(route, isPlainAt, { ...how, ...bases, memory: input.memory, leave: (one) => void left.push(one) }) ?? [];
  const made: Known = { ...how, rules, grounds: groundsIn(rules), left, route, bases };
  known.push(made);
  return made;
}

/** Piles by what they are for and their host, in the order in which they were asked for. */
export class Piles {
  readonly all: Pile[] = [];
  private readonly known = new Map<string, Map<string, Pile>>();

  /** The pile of a host for a purpose. */
  of(purpose: string, host: string, gateway: string): Pile {
    let own = this.known.get(purpose);
    if (own === undefined) this.known.set(purpose, (own = new Map()));
    let pile = own.get(host);
    if (pile === undefined) {
      own.set(host, (pile = { key: `${purpose}/${host}`, host, gateway, parts: [], left: [], routes: [] }));
      this.all.push(pile);
    }
    return pile;
  }
}

/** One VirtualService of a pile, with the rules of all its routes in the order of istiod; none where no route has a rule. */
export function virtualServiceOf(pile: Pile, context: Context): readonly VirtualService[] {
  const { key } = pile;
  const left = new Map(pile.left.map((one) => [canonical(one), one]));
  const lists = pile.parts.map(({ rules }) => rules);
  const unaged = agesMatter(pile.routes, lists);
  if (unaged !== undefined) {
    const [one, other] = unaged.map(({ title }) => title);
    const reason = `the age of ${one} and ${other}, which decides between their rules, is not known`;
    left.set(reason, { reason, where: { object: one ?? "", path: "metadata.creationTimestamp" }, key: `${reason} ${canonical(pile.routes.map(({ spec }) => spec))}` });
  }
  const [base] = pile.routes;
  if (base === undefined) return left.size === 0 ? [] : [unknown(key, pile, [...left.values()])];
  return [virtualService(key, { ...pile, left: [...left.values()] }, base, inOrder(lists), context, pile.parts)];
}

/** A host of which nothing is known but that something acts there. */
function unknown(key: string, { host, gateway }: Pile, left: readonly Unmodelled[]): VirtualService {
  const [first] = left;
  const [kind = "", full = ""] = (first?.where?.object ?? "").split(" ");
  const [namespace = "", name = ""] = full.split("/");
  const source: Named = { kind, namespace, name: key.replaceAll("/", "~"), title: first?.where?.object ?? name, created: "", labels: {}, annotations: {}, spec: {}, problems: [], written: [] };
  return { named: source, hosts: [host], gateways: [gateway], exportTo: ["*"], http: [nowhere(source, "spec")], problems: [], left, isOfApi: true };
}

/** Where all rules are the last place's, so is their list. */
function sameList(key: string, rules: readonly HttpRule[], { memory }: ApiInput): readonly HttpRule[] {
  const { lists } = lastOf(memory);
  const before = lists.get(key);
  if (before?.length === rules.length && before.every((rule, index) => rule === rules[index])) return before;
  lists.set(key, rules);
  return rules;
}

/** The VirtualService as the dialect of Istio reads it; its rules keep the objects that they come from. */
export function virtualService(key: string, pile: Pick<Pile, "host" | "gateway" | "left">, base: Named, rules: readonly HttpRule[], { input }: Context, parts: readonly Part[]): VirtualService {
  const name = key.replaceAll("/", "~");
  const http = sameList(key, rules, input);
  if (http === rules && parts.length > 0) restsOn(http, parts.map(({ grounds }) => grounds));
  return {
    named: { ...base, name, problems: [], written: [] }, hosts: [pile.host], gateways: [pile.gateway],
    exportTo: input.exportTo.map((target) => (target === "." ? base.namespace : target)),
    http, problems: [], left: pile.left, isOfApi: true,
  };
}
