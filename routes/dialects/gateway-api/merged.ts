import type { Unmodelled } from "../../decide/model.ts";
import { isSame } from "../../decide/same.ts";
import { canonical, listAt } from "../istio/json.ts";
import type { Memory } from "../istio/memory.ts";
import type { Named } from "../istio/registry.ts";
import type { HttpRule, VirtualService } from "../istio/virtual-services.ts";
import { hostnamesOf, parentsOf } from "./attach.ts";
import type { Conversion, ServiceDestination } from "./conversion.ts";
import { crdProblems } from "./crd.ts";
import type { ApiInput, Context } from "./index.ts";
import { isOwnHost, siblingsOf } from "./listeners.ts";
import { problemsOf } from "./objects.ts";
import { isPlain } from "./plain.ts";
import { agesMatter, type ApiRule, inOrder, nowhere, rulesOf } from "./rules.ts";

/** Rules for one host of one listener or one service of the mesh, of all routes that have some. */
export interface Pile {
  readonly host: string;
  /** The Gateway that istiod makes of the listener, or `mesh`. */
  readonly gateway: string;
  readonly rules: ApiRule[];
  readonly left: Unmodelled[];
  readonly routes: Named[];
}

/** HTTPRoutes and GRPCRoutes at listeners of Istio's classes, as istiod merges them (route_collections.go `mergeHTTPRoutes`). */
export function istiodRoutes(context: Context): readonly VirtualService[] {
  const piles = new Map<string, Pile>();
  for (const route of context.objects.routes.filter(isHttp)) {
    const listeners = parentsOf(route, context.listeners).flatMap((parent) => ("listener" in parent && parent.listener.reading === "istiod" ? [parent.listener] : []));
    if (listeners.length === 0) continue;
    const { rules, left } = translated(route, context, { reading: "istiod", isMesh: false });
    for (const listener of listeners) {
      const siblings = siblingsOf(listener, context.listeners);
      for (const host of hostnamesOf(route)) {
        if (!isOwnHost(host, listener, siblings)) continue;
        const pile = pileOf(piles, `${listener.internal}/${host}`, host, listener.internal);
        pile.left.push(...left, ...listener.left);
        if (rules.length === 0) continue;
        pile.rules.push(...rules);
        pile.routes.push(route);
      }
    }
  }
  return [...piles].flatMap(([key, pile]) => virtualServiceOf(key, pile, context));
}

/** Routes of requests, as against routes of connections. */
export function isHttp({ kind }: Named): boolean {
  return kind === "HTTPRoute" || kind === "GRPCRoute";
}

/** The rules of a route, and what of it stays open. */
interface Translated {
  readonly rules: readonly ApiRule[];
  readonly left: readonly Unmodelled[];
}

/** A route of the last place, with all that its translation rests on. */
interface Known extends Translated {
  readonly route: Named;
  readonly rest: readonly unknown[];
}

/** What of a route is outside the model, and which of its rules are plain ones. */
export interface Told {
  readonly problems: readonly Unmodelled[];
  readonly isPlainAt: readonly boolean[];
}

/** What the last of the places that are read together held and made, by title. */
class Last {
  readonly translated = new Map<string, Known>();
  readonly routes = new Map<string, { readonly route: Named; readonly told: Told }>();
  readonly lists = new Map<string, readonly HttpRule[]>();
  readonly services = new Map<string, ServiceDestination[]>();
}

const last = new WeakMap<Memory, Last>();

function lastOf(memory: Memory): Last {
  const found = last.get(memory) ?? new Last();
  last.set(memory, found);
  return found;
}

/** The routes of a place with what is told of each. One that the last place held alike has its very spec. */
export function readRoutes(routes: readonly Named[], memory: Memory): ReadonlyMap<Named, Told> {
  const { routes: before } = lastOf(memory);
  return new Map(routes.map((route) => {
    const known = before.get(route.title);
    if (known !== undefined && isSame(known.route.spec, route.spec) && isSame(known.route.problems, route.problems)) {
      const { created, file, line, labels, annotations } = known.route;
      const isAll = created === route.created && file === route.file && line === route.line && isSame([labels, annotations], [route.labels, route.annotations]);
      return [isAll ? known.route : { ...route, spec: known.route.spec }, known.told];
    }
    const isPlainAt = route.kind === "HTTPRoute" ? listAt(route.spec, "rules").map((rule) => isPlain(rule, route.namespace)) : [];
    const told = { problems: [...problemsOf(route, isPlainAt), ...crdProblems(route, isPlainAt)], isPlainAt };
    before.set(route.title, { route, told });
    return [route, told];
  }));
}

/**
 * The rules of a route; where it cannot be said they are none, as istiod drops them. A route that the last place held alike, under
 * the same grants, is not read again: its rules are the very same, in the name of this one.
 */
export function translated(route: Named, context: Context, how: Pick<Conversion, "reading" | "isMesh">): Translated {
  const { input, objects, isGrantSeen, told } = context;
  const { translated: memory, services } = lastOf(input.memory);
  const key = `${how.reading} ${how.isMesh} ${route.title}`;
  const { problems, isPlainAt } = told.get(route) ?? nothingTold;
  const rest = [input.domain, isGrantSeen, problems, ...objects.grants.map(({ namespace, spec }) => ({ namespace, spec }))];
  const before = memory.get(key);
  if (before !== undefined && isSame(before.route.spec, route.spec) && isSame(before.rest, rest)) return before.route === route ? before : { rules: before.rules.map((rule) => rule.inNameOf(route)), left: before.left };
  const left: Unmodelled[] = [...problems];
  const conversion: Conversion = { ...how, domain: input.domain, grants: objects.grants, areGrantsSeen: isGrantSeen, services, memory: input.memory, leave: (one) => void left.push(one) };
  const rules = rulesOf(route, isPlainAt, conversion) ?? [];
  memory.set(key, { rules, left, route, rest });
  return { rules, left };
}

const nothingTold: Told = { problems: [], isPlainAt: [] };

/** The pile under a key. */
export function pileOf(piles: Map<string, Pile>, key: string, host: string, gateway: string): Pile {
  const known = piles.get(key) ?? { host, gateway, rules: [], left: [], routes: [] };
  piles.set(key, known);
  return known;
}

/** One VirtualService of a pile, with the rules of all its routes in the order of istiod; none where no route has a rule. */
export function virtualServiceOf(key: string, pile: Pile, context: Context): readonly VirtualService[] {
  const left = new Map(pile.left.map((one) => [canonical(one), one]));
  const unaged = agesMatter(pile.rules);
  if (unaged !== undefined) {
    const [one, other] = unaged.map(({ title }) => title);
    const reason = `the age of ${one} and ${other}, which decides between their rules, is not known`;
    left.set(reason, { reason, where: { object: one ?? "", path: "metadata.creationTimestamp" }, key: `${reason} ${canonical(pile.routes.map(({ spec }) => spec))}` });
  }
  const [base] = pile.routes;
  if (base === undefined) return left.size === 0 ? [] : [unknown(key, pile, [...left.values()])];
  return [virtualService(key, { ...pile, left: [...left.values()] }, base, inOrder(pile.rules), context)];
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
export function virtualService(key: string, pile: Pick<Pile, "host" | "gateway" | "left">, base: Named, rules: readonly HttpRule[], { input }: Context): VirtualService {
  const name = key.replaceAll("/", "~");
  return {
    named: { ...base, name, problems: [], written: [] }, hosts: [pile.host], gateways: [pile.gateway],
    exportTo: input.exportTo.map((target) => (target === "." ? base.namespace : target)),
    http: sameList(key, rules, input), problems: [], left: pile.left, isOfApi: true,
  };
}
