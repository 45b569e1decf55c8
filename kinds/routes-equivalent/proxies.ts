import { assume, judged, type Fact, type Finding, type Judgement, type World } from "#engine";
import { asDeclared, compareWorlds, envoyReader, type EnvoyWorld, type RouteWorld, type WorldComparison, type WorldDifference } from "#routes";
import { Evidences, type PlaceFact } from "./evidence.ts";
import { differenceFinding, openFindings } from "./findings.ts";
import { routeWorldsOf } from "./place.ts";
import type { Spec } from "./spec.ts";

type LoadedFact = Fact<"loaded-routes">;

/** Does each proxy of a cluster run what its objects declare? */
export function* judgeProxies(spec: Spec, world: World<"routing" | "loaded-routes">): Iterable<Judgement> {
  for (const { name } of world.clusters) {
    const objects = world.facts("routing", name);
    // What a cluster hides could change any answer: its gaps say why nothing is compared.
    if (!world.complete("routing", name) || objects.length === 0) continue;
    yield* judgeCluster(spec, objects, world.facts("loaded-routes", name).filter((fact) => isWanted(fact, spec)), world, name);
  }
}

function isWanted({ data: { role, namespace } }: LoadedFact, { views, namespaces }: Spec): boolean {
  if (role === "gateway") return views.includes("gateways");
  return views.includes("mesh") && (namespaces.length === 0 || namespaces.includes(namespace));
}

/** What proxies of one cluster have in common is told once. */
function* judgeCluster(spec: Spec, objects: readonly Fact<"routing">[], loaded: readonly LoadedFact[], world: World<"routing">, cluster: string): Iterable<Judgement> {
  const differences = new Map<string, { readonly difference: WorldDifference; readonly evidences: Evidences; readonly proxies: string[] }>();
  const open = new Map<string, { readonly finding: Finding; readonly proxies: string[] }>();
  const assumptions = new Map<string, { readonly text: string; readonly where: string | undefined }>();
  const read = envoyReader();
  let hosts = 0;
  for (const fact of loaded) {
    const proxy = nameOf(fact);
    const comparison = comparedWith(read({ place: proxy, dump: fact.data.dump }), fact, spec, objects, world, cluster);
    hosts += comparison.size.hosts;
    const evidences = new Evidences(new Map<string, readonly PlaceFact[]>([[cluster, objects], [proxy, [fact]]]));
    for (const difference of comparison.differences) {
      const key = keyOf(difference);
      const known = differences.get(key);
      if (known === undefined) differences.set(key, { difference, evidences, proxies: [proxy] });
      else known.proxies.push(proxy);
    }
    for (const finding of openFindings(comparison, evidences)) {
      const key = finding.message.replaceAll(proxy, "");
      const known = open.get(key);
      if (known === undefined) open.set(key, { finding, proxies: [proxy] });
      else known.proxies.push(proxy);
    }
    for (const { text, where } of comparison.assumptions) assumptions.set(`${text}\n${where ?? ""}`, { text, where });
  }
  yield judged(hosts);
  for (const { difference, evidences, proxies } of differences.values()) yield differenceFinding(difference, evidences, tellingOf(difference, proxies, cluster));
  for (const { finding, proxies } of open.values()) yield { ...finding, message: finding.message + others(proxies) };
  for (const { text, where } of assumptions.values()) yield assume(text, where === undefined ? `\`${cluster}\`` : `${where} in \`${cluster}\``);
}

function nameOf({ subject }: LoadedFact): string {
  return subject;
}

/** Objects as they would be loaded by the proxy, and what it has loaded, both as its own Envoy reads them. */
function comparedWith(loaded: EnvoyWorld, fact: LoadedFact, spec: Spec, objects: readonly Fact<"routing">[], world: World<"routing">, cluster: string): WorldComparison {
  const { role, namespace, labels } = fact.data;
  const [declared] = routeWorldsOf([{ name: cluster, facts: objects, reading: spec.reading, proxy: { role, namespace, labels }, asLoaded: true, envoy: loaded.proxy?.envoy }], () => world.istioMap);
  const worlds: readonly RouteWorld[] = declared === undefined ? [] : [declared, asDeclared(loaded, declared)];
  return compareWorlds(worlds, {
    ...(spec.hosts.length === 0 ? {} : { hosts: spec.hosts }),
    presence: spec.presence,
    views: spec.views,
    ignore: spec.ignore,
    budget: { steps: spec.budget },
  });
}

/** Tables of two proxies hold the same route in other places: what it does tells it. */
function keyOf({ host, answers, missing }: WorldDifference): string {
  const [declared, loaded] = answers;
  return JSON.stringify([host, declared?.rule?.object, declared?.rule?.path, declared?.effect, loaded?.effect, missing.map((place) => place === declared?.place)]);
}

function tellingOf({ host, missing }: WorldDifference, proxies: readonly string[], cluster: string): { readonly subject: string; readonly remedy: string; readonly more: string } {
  const [first = ""] = proxies;
  const wait = `wait until istiod has sent it (\`istioctl proxy-status\`), with \`--confirm\` if objects change often`;
  const remedy = missing.length > 0
    ? `${wait}; if it stays, look at why the proxy has no such listener: \`istioctl proxy-config listeners\``
    : `${wait}; if it stays, look for a push that the proxy refused, an EnvoyFilter, or another control plane that it listens to`;
  return { subject: `${cluster}/${first}/${host}`, remedy, more: others(proxies) };
}

const MOST_NAMES = 4;

function others([, ...more]: readonly string[]): string {
  if (more.length === 0) return "";
  const names = more.slice(0, MOST_NAMES).map((name) => `\`${name}\``).join(", ");
  return `; so it is in ${more.length} more: ${names}${more.length > MOST_NAMES ? " ..." : ""}`;
}
