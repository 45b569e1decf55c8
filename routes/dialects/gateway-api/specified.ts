import type { Unmodelled } from "../../decide/model.ts";
import { isSubsetOf, overlap } from "../istio/hosts.ts";
import { canonical } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import type { VirtualService } from "../istio/virtual-services.ts";
import { hostnamesOf, narrower, parentsOf } from "./attach.ts";
import type { Context } from "./index.ts";
import { type ApiListener, siblingsOf } from "./listeners.ts";
import { isHttp, type Part, translated, virtualService } from "./merged.ts";
import { byAgeAndPath } from "./objects.ts";
import { agesMatter, hasOpenRegex, inOrder, nowhere } from "./rules.ts";

/** A route at a listener, with the hosts at which it has a say. */
interface Attached extends Part {
  readonly route: Named;
  readonly left: readonly Unmodelled[];
  readonly domains: readonly { readonly domain: string; readonly written: string }[];
}

/** HTTPRoutes and GRPCRoutes at listeners that are read as the specification says. */
export function specifiedRoutes(context: Context): readonly VirtualService[] {
  return context.listeners.filter(({ reading, kinds }) => reading === "specification" && kinds.some((kind) => kind === "HTTPRoute" || kind === "GRPCRoute")).flatMap((listener) => atListener(listener, context));
}

function atListener(listener: ApiListener, context: Context): readonly VirtualService[] {
  const left: Unmodelled[] = [...listener.left];
  const attached = withoutRivals(context.objects.routes.filter(isHttp).sort(byAgeAndPath).flatMap((route): readonly Attached[] => {
    if (!parentsOf(route, context.listeners).some((parent) => "listener" in parent && parent.listener === listener)) return [];
    const domains = hostnamesOf(route).flatMap((written) => {
      const domain = narrower(listener.hostname, written);
      return domain === undefined || !isOfListener(domain, listener, context) ? [] : [{ domain, written: written.toLowerCase() }];
    });
    return [{ ...translated(route, context, { reading: "specification", isMesh: false }), route, domains }];
  }), left);
  // A listener answers for all its hosts, those too that no route of its own names: no less specific listener does.
  const domains = new Set([listener.hostname === "" ? "*" : listener.hostname.toLowerCase(), ...attached.flatMap(({ domains: own }) => own.map(({ domain }) => domain))]);
  return [...domains].sort().map((domain) => ofDomain(domain, listener, attached, left, context));
}

function isOfListener(domain: string, listener: ApiListener, context: Context): boolean {
  return siblingsOf(listener, context.listeners).every(({ hostname }) => hostname === "" || hostname === listener.hostname || !isSubsetOf(domain, hostname.toLowerCase()) || !isNarrower(hostname, listener.hostname));
}

function isNarrower(one: string, other: string): boolean {
  return other === "" || (one !== other && isSubsetOf(one.toLowerCase(), other.toLowerCase()));
}

/** An HTTPRoute and a GRPCRoute do not share hosts at one listener: the older has them. */
function withoutRivals(all: readonly Attached[], left: Unmodelled[]): readonly Attached[] {
  const out: Attached[] = [];
  for (const one of all) {
    const rival = out.find((other) => other.route.kind !== one.route.kind && other.domains.some((a) => one.domains.some((b) => overlap(a.domain, b.domain))));
    if (rival === undefined) out.push(one);
    else if (rival.route.created === undefined || one.route.created === undefined) {
      left.push({ reason: `${rival.route.title} and ${one.route.title} share hosts, which one kind alone may have, and their age, which decides, is not known`, where: { object: one.route.title, path: "spec.hostnames" } });
    }
  }
  return out;
}

/** Rules of the more specific hostname first, then by the form of their matches. */
function ofDomain(domain: string, listener: ApiListener, attached: readonly Attached[], common: readonly Unmodelled[], context: Context): VirtualService {
  const own = attached.filter(({ domains }) => domains.some((one) => one.domain === domain));
  const bySpecificity = Map.groupBy(own, ({ domains }) => Math.max(...domains.filter((one) => one.domain === domain).map(({ written }) => (written.startsWith("*") ? 0 : 1000) + written.length)));
  const groups = [...bySpecificity].sort(([a], [b]) => b - a).map(([, group]) => group);
  const left = [...common, ...own.flatMap((one) => one.left), ...groups.flatMap((group) => openIn(group))];
  const rules = groups.flatMap((group) => inOrder(group.map((one) => one.rules)));
  const base = own[0]?.route ?? listener.owner;
  const made = virtualService(`${listener.internal}/${domain}`, { host: domain, gateway: listener.internal, left }, base, rules.length === 0 ? [nowhere(listener.owner, listener.path)] : rules, context, own);
  return { ...made, exportTo: ["*"], isAnyNamespace: true };
}

function openIn(group: readonly Attached[]): readonly Unmodelled[] {
  const out: Unmodelled[] = [];
  const lists = group.map((one) => one.rules), rules = lists.flat();
  const keyOf = (): string => canonical(rules.map(({ spec, matches, match }) => [spec, matches.map((one) => one.spec), match.rank]));
  const unaged = agesMatter(group.map(({ route }) => route), lists);
  if (unaged !== undefined) out.push({ reason: `the age of ${unaged[0].title} and ${unaged[1].title}, which decides between their rules, is not known`, where: { object: unaged[0].title, path: "metadata.creationTimestamp" }, key: `age ${keyOf()}` });
  const regex = hasOpenRegex(rules);
  if (regex !== undefined) out.push({ reason: "whether an expression or another match comes first is left to implementations by the specification", where: { object: regex.source.title, path: regex.matchPath }, key: `rank ${keyOf()}` });
  return out;
}
