import { fullName, isWildcard, mostSpecific, namespaceOf } from "./hosts.ts";
import { at, canonical, isObject, isSubset, type Json, type JsonObject, labelsAt, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { byAge } from "./order.ts";
import { add, type Named, type Registry } from "./registry.ts";
import type { ObjectReading } from "./versions.ts";

/** DestinationRules of one host and namespace that istiod made into one. */
export interface MergedRule {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly exportTo: ReadonlySet<string>;
  readonly subsets: readonly JsonObject[];
  readonly trafficPolicy: JsonObject | undefined;
  readonly sources: readonly Named[];
}

type ByHost = Map<string, MergedRule[]>;

/** The three indices in which istiod looks a DestinationRule up. */
export interface DestinationRules {
  readonly local: ReadonlyMap<string, ByHost>;
  readonly exported: ReadonlyMap<string, ByHost>;
  readonly rootLocal: ByHost;
}

/** push_context.go `setDestinationRules`. */
export function readDestinationRules(registry: Registry, { mergesByExport }: ObjectReading): DestinationRules {
  const local = new Map<string, ByHost>(), exported = new Map<string, ByHost>();
  const rootLocal: ByHost = new Map();
  for (const named of [...registry.destinationRules].sort((a, b) => Number(selectorOf(a) === undefined) - Number(selectorOf(b) === undefined) || byAge(a, b))) {
    const host = fullName(textAt(named.spec, "host"), named.namespace, registry.domain);
    const exportTo = new Set(selectorOf(named) === undefined ? textsAt(named.spec, "exportTo") : ["."]);
    const own = exportTo.size === 0 || exportTo.has("*") || exportTo.has(".") || exportTo.has(named.namespace);
    if (own) merge(indexOf(local, named.namespace), host, named, exportTo, mergesByExport);
    const alone = exportTo.size === 1 && (exportTo.has(".") || exportTo.has(named.namespace));
    const isPrivate = exportTo.size === 0 ? registry.mesh.destinationRuleExportTo.includes(".") : alone;
    if (!isPrivate) merge(indexOf(exported, named.namespace), host, named, exportTo, mergesByExport);
    else if (named.namespace === registry.mesh.rootNamespace) merge(rootLocal, host, named, exportTo, mergesByExport);
  }
  return { local, exported, rootLocal };
}

function indexOf(indices: Map<string, ByHost>, namespace: string): ByHost {
  const found = indices.get(namespace);
  if (found !== undefined) return found;
  const made: ByHost = new Map();
  indices.set(namespace, made);
  return made;
}

function selectorOf(named: Named): Readonly<Record<string, string>> | undefined {
  return isObject(at(named.spec, "workloadSelector")) ? labelsAt(objectAt(named.spec, "workloadSelector"), "matchLabels") : undefined;
}

/** destination_rule.go `mergeDestinationRule`; what is merged keeps the `exportTo` of the first. */
function merge(index: ByHost, host: string, named: Named, exportTo: ReadonlySet<string>, byExport: boolean): void {
  const selector = selectorOf(named);
  const policy = at(named.spec, "trafficPolicy");
  const fresh: MergedRule = {
    namespace: named.namespace, selector, exportTo,
    subsets: listAt(named.spec, "subsets").filter(isObject), trafficPolicy: isObject(policy) ? policy : undefined, sources: [named],
  };
  const list = index.get(host);
  if (list === undefined) return void index.set(host, [fresh]);
  let separate = true;
  list.forEach((existing, position) => {
    if (!byExport || sameSet(exportTo, existing.exportTo)) separate = !byExport && separate;
    else if (existing.exportTo.size > 0 && [...existing.exportTo].every((target) => exportTo.has(target))) separate = true;
    else return void (separate = true);
    const both = existing.selector !== undefined && selector !== undefined;
    const same = canonical(existing.selector ?? {}) === canonical(selector ?? {});
    if (both && !same) return void (separate = true);
    if (both || (existing.selector === undefined && selector === undefined)) separate = false;
    const names = new Set(existing.subsets.map((subset) => textAt(subset, "name")));
    list[position] = {
      ...existing,
      subsets: [...existing.subsets, ...fresh.subsets.filter((subset) => !names.has(textAt(subset, "name")))],
      trafficPolicy: existing.trafficPolicy ?? fresh.trafficPolicy,
      sources: [...existing.sources, named],
    };
  });
  if (separate) list.push(fresh);
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}

/** A client of services. */
export interface Client {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The DestinationRule for a host as a client sees it: push_context.go `destinationRule`, then sidecar.go `DestinationRule`. */
export function ruleFor(rules: DestinationRules, registry: Registry, client: Client, host: string, owner: string): MergedRule | undefined {
  const found = listFor(rules, registry, client.namespace, host, owner);
  let other: MergedRule | undefined;
  for (const rule of found) {
    if (rule.selector === undefined) other = rule;
    else if (rule.namespace === client.namespace && isSubset(rule.selector, client.labels)) return rule;
  }
  return other;
}

/**
 * Clients of one mark find the same rule for every host that they look up: a host is looked up with the namespace of its services, or
 * with the one in its name. The mark is empty for clients who see what all the world sees, and else tells who they are.
 */
export function markOf(rules: DestinationRules, registry: Registry, client: Client): string {
  let marks = marksOf.get(rules);
  if (marks === undefined) marksOf.set(rules, (marks = { isByClient: asksClient(rules), byNamespace: new Map() }));
  if (marks.isByClient) return `${client.namespace} ${canonical(client.labels)}`;
  const { namespace } = client;
  const known = marks.byNamespace.get(namespace) ?? (seesWhatAllSee(rules, registry, namespace) ? "" : namespace);
  marks.byNamespace.set(namespace, known);
  return known;
}

interface Marks {
  readonly isByClient: boolean;
  readonly byNamespace: Map<string, string>;
}

/** Rules belong to one place. */
const marksOf = new WeakMap<DestinationRules, Marks>();

/** Whether some rule is for some clients only, beside those of its namespace. */
function asksClient({ local, exported, rootLocal }: DestinationRules): boolean {
  const isFor = ({ selector }: MergedRule): boolean => selector !== undefined;
  const isOpen = ({ exportTo }: MergedRule): boolean => exportTo.size === 0 || exportTo.has("*");
  const all = (index: ByHost): readonly MergedRule[] => [...index.values()].flat();
  const out = [...exported.values()].flatMap(all);
  return out.some((rule) => isFor(rule) || !isOpen(rule)) || [...local.values(), rootLocal].flatMap(all).some(isFor);
}

/** Whether the own rules of a namespace are for its own services alone, by their whole names, and are the very ones that others find. */
function seesWhatAllSee(rules: DestinationRules, registry: Registry, namespace: string): boolean {
  if (namespace === registry.mesh.rootNamespace) return rules.rootLocal.size === 0;
  const own = rules.local.get(namespace);
  if (own === undefined) return true;
  const out = rules.exported.get(namespace);
  const owners = ownersIn(registry.services);
  return [...own].every(([host, list]) => {
    const others = out?.get(host);
    const isOwned = owners.get(host)?.every((owner) => owner === namespace) ?? namespaceOf(host, registry.domain) === namespace;
    return !isWildcard(host) && isOwned && others?.length === list.length && list.every(({ sources }, at) => isSameList(sources, others[at]?.sources ?? []));
  });
}

function isSameList(one: readonly Named[], other: readonly Named[]): boolean {
  return one.length === other.length && one.every((named, at) => named === other[at]);
}

const ownersOf = new WeakMap<Registry["services"], ReadonlyMap<string, readonly string[]>>();

function ownersIn(services: Registry["services"]): ReadonlyMap<string, readonly string[]> {
  let owners = ownersOf.get(services);
  if (owners === undefined) {
    const made = new Map<string, string[]>();
    for (const { host, namespace } of services) add(made, host, namespace);
    ownersOf.set(services, (owners = made));
  }
  return owners;
}

function listFor(rules: DestinationRules, registry: Registry, client: string, host: string, owner: string): readonly MergedRule[] {
  const { rootNamespace } = registry.mesh;
  const own = specificIn(client === rootNamespace ? rules.rootLocal : rules.local.get(client), host);
  if (own !== undefined) return own;
  for (const namespace of [owner, rootNamespace]) {
    // The most specific host is chosen before the export is looked at: one that is exported elsewhere hides a wildcard.
    const listed = specificIn(rules.exported.get(namespace), host);
    if (listed === undefined) continue;
    const open = listed.filter((rule) => rule.exportTo.size === 0 || rule.exportTo.has("*") || rule.exportTo.has(client));
    if (open.length > 0) return open;
  }
  return [];
}

function specificIn(index: ByHost | undefined, host: string): readonly MergedRule[] | undefined {
  return index === undefined || index.size === 0 ? undefined : mostSpecific(host, index);
}

/** The subset of that name, if the rule has it. */
export function subsetOf(rule: MergedRule | undefined, name: string): JsonObject | undefined {
  return rule?.subsets.find((subset) => textAt(subset, "name") === name);
}

const merged = ["connectionPool", "loadBalancer", "outlierDetection", "tls", "tunnel", "proxyProtocol", "retryBudget"] as const;

/**
 * The traffic policy of a rule at a port, with that of a subset: a port's entry replaces the whole policy, then the subset's fields replace those of the rule
 * (networking/util/util.go `MergeSubsetTrafficPolicy`, destination_rule.go `MergeTrafficPolicy`).
 */
export function policyAt(whole: JsonObject | undefined, own: Json, port: number): JsonObject {
  const [top] = atPort(whole, port);
  if (!isObject(own)) return top ?? {};
  const [inner, byPort] = atPort(own, port);
  if (top === undefined) return inner ?? {};
  const out: Record<string, Json> = { ...top };
  for (const key of merged) {
    const value = at(inner, key);
    if (value !== undefined) out[key] = value;
    else if (byPort && key !== "tunnel" && key !== "proxyProtocol" && key !== "retryBudget") delete out[key];
  }
  return out;
}

function atPort(policy: Json, port: number): readonly [JsonObject | undefined, boolean] {
  if (!isObject(policy)) return [undefined, false];
  const own = listAt(policy, "portLevelSettings").find((entry) => numberAt(objectAt(entry, "port"), "number") === port);
  const from = isObject(own) ? own : policy;
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(from)) if (key !== "port" && key !== "portLevelSettings") out[key] = value;
  return [out, isObject(own)];
}

/**
 * The consistent hash of a route's destination. A port's entry counts only where the destination names the port
 * (networking/core/route/route.go `HashForHTTPDestination`).
 */
export function hashFor(whole: JsonObject | undefined, own: Json, port: number | undefined): Json {
  const of = (policy: Json): Json => at(objectAt(policy, "loadBalancer"), "consistentHash");
  const ofPort = (policy: Json): Json =>
    port === undefined ? undefined : of(listAt(policy, "portLevelSettings").find((entry) => numberAt(objectAt(entry, "port"), "number") === port));
  return ofPort(own) ?? of(own) ?? ofPort(whole) ?? of(whole);
}

/** A policy as text by part; what equals Istio's default is left out. */
export function policyText(policy: JsonObject): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(policy)) {
    if (value === undefined || value === null || (isObject(value) && Object.keys(value).length === 0)) continue;
    const text = canonical(value);
    if (key === "loadBalancer" && (text === '{"simple":"LEAST_REQUEST"}' || text === '{"simple":"UNSPECIFIED"}')) continue;
    out[key] = text;
  }
  return out;
}
