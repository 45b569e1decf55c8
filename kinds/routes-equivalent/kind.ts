import { assume, byText, defineKind, gap, info, judged, type Assumption, type Cluster, type Fact, type Gap, type World } from "#engine";
import { compareWorlds, type Listed, type Mapping, type RouteWorld, type WorldComparison, type WorldOptions } from "#routes";
import { deadRules } from "./dead.ts";
import { Evidences } from "./evidence.ts";
import { deadFindings, differenceFindings, openFindings } from "./findings.ts";
import { routeWorldsOf } from "./place.ts";
import { judgeProxies } from "./proxies.ts";
import type { Spec } from "./spec.ts";
import { listText, viewText } from "./words.ts";

export default defineKind({
  name: "RoutesEquivalent",
  summary: "every request is routed alike in every cluster",
  judges: ["kind of host", "kinds of host"],
  needs: ({ against, maxProbes }: Spec) => [{ fact: "routing" }, ...(against === "proxies" ? [{ fact: "loaded-routes" as const, options: { maxProbes } }] : [])],

  *judge(spec: Spec, world: World<"routing" | "loaded-routes">) {
    if (spec.against === "proxies") return yield* judgeProxies(spec, world);
    yield* tooFew(world.clusters);
    yield* strangers(spec, world.clusters);
    // What a cluster hides could change any answer: it is compared with nobody, and its gaps say why.
    const seen = world.clusters.filter(({ name }) => world.complete("routing", name) && world.facts("routing", name).length > 0);
    if (seen.length < 2 || seen.every(({ name }) => hasOnlyClients(world.facts("routing", name)))) return;

    const facts = new Map(seen.map(({ name }) => [name, world.facts("routing", name)] as const));
    const worlds = routeWorldsOf(seen.map(({ name }) => ({ name, facts: facts.get(name) ?? [], servicesByName: true, reading: spec.reading })), () => world.istioMap);
    const comparison = compareWorlds(worlds, optionsOf(spec));
    const evidences = new Evidences(facts);
    yield judged(comparison.size.hosts);
    yield* conflicts(comparison);
    yield* differenceFindings(comparison, evidences);
    yield* openFindings(comparison, evidences);
    yield* listedNotes(comparison.listed, evidences);
    yield* deadFindings(deadRules(worlds), evidences);
    yield* assumptions(comparison, worlds);
  },
});

/** Kinds that send requests and of which none is sent one by name: a place of nothing else has no host to judge, and the engine is not asked. */
const CLIENTS: ReadonlySet<string> = new Set(["Pod", "Namespace"]);

function hasOnlyClients(facts: readonly Fact<"routing">[]): boolean {
  return facts.every(({ data }) => (data.type === "object" ? CLIENTS.has(data.kind) : data.meshConfigs.length < 2));
}

function optionsOf(spec: Spec): WorldOptions {
  const clusters = new Set([...Object.keys(spec.hostMapping), ...Object.keys(spec.gatewayMapping)]);
  const mappings = [...clusters].map((name): readonly [string, Mapping] => [name, { hosts: own(spec.hostMapping, name), gateways: own(spec.gatewayMapping, name) }]);
  return {
    ...(spec.hosts.length === 0 ? {} : { hosts: spec.hosts }),
    ...(spec.namespaces.length === 0 ? {} : { namespaces: spec.namespaces }),
    presence: spec.presence,
    views: spec.views,
    mappings: Object.fromEntries(mappings),
    ignore: spec.ignore,
    budget: { steps: spec.budget },
  };
}

function own<T>(map: Readonly<Record<string, Readonly<Record<string, T>>>>, name: string): Readonly<Record<string, T>> {
  return Object.hasOwn(map, name) ? (map[name] ?? {}) : {};
}

function* tooFew(clusters: readonly Cluster[]): Iterable<Gap> {
  const [only] = clusters;
  if (clusters.length !== 1 || only === undefined) return;
  yield gap({
    subject: only.name,
    reason: `the assertion selects one cluster, \`${only.name}\`; routes are compared between two or more`,
    remedy: "select more clusters in `spec.clusters`, or add them to the fleet",
  });
}

/** A mapping for a cluster that is not compared would be lost in silence. */
function* strangers(spec: Spec, clusters: readonly Cluster[]): Iterable<Gap> {
  const known = new Set(clusters.map(({ name }) => name));
  for (const field of ["hostMapping", "gatewayMapping"] as const) {
    for (const name of Object.keys(spec[field]).filter((each) => !known.has(each))) {
      yield gap({
        subject: `${field}/${name}`,
        reason: `\`${field}\` names the cluster \`${name}\`, and the assertion selects none of that name`,
        remedy: `correct the name in \`spec.${field}\`, or select \`${name}\``,
      });
    }
  }
}

function* conflicts({ conflicts: found }: WorldComparison): Iterable<Gap> {
  for (const { place, names, common } of found) {
    yield gap({
      kind: "routing",
      cluster: place,
      subject: `${place}/${common}`,
      reason: `the mapping makes \`${names[0]}\` and \`${names[1]}\` of \`${place}\` one, \`${common}\`: nothing was compared`,
      remedy: "give each of the two a common name of its own in `hostMapping` or `gatewayMapping`",
    });
  }
}

const MOST_NAMES = 6;

/** What only some clusters have, where that is no difference. */
function* listedNotes(listed: readonly Listed[], evidences: Evidences) {
  const groups = Map.groupBy(listed, ({ missing }) => JSON.stringify(missing.toSorted(byText)));
  for (const [key, group] of [...groups].toSorted(([a], [b]) => byText(a, b))) {
    const missing = JSON.parse(key) as readonly string[];
    const names = [...new Set(group.map(({ host, view }) => (host === undefined ? viewText(view) : `\`${host}\``)))].toSorted(byText);
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
    yield info({
      subject: `not in ${missing.join(", ")}`,
      cause: `missing ${key}`,
      message: `${listText(missing)} ${missing.length === 1 ? "lacks" : "lack"} ${names.slice(0, MOST_NAMES).join(", ")}${more}, which others have; under \`presence: shared\` that is no difference`,
      remedy: "nothing to do if that is meant; `presence: everywhere` makes it a fault",
      evidence: missing.flatMap((name) => evidences.ofPlace(name, "what was read", "no such host or gateway")),
    });
  }
}

function* assumptions({ assumptions: found }: Pick<WorldComparison, "assumptions">, worlds: readonly RouteWorld[]): Iterable<Assumption> {
  for (const { text, where } of found) {
    const places = worlds.filter((world) => world.assumptions.some((each) => each.text === text && each.where === where)).map(({ place }) => `\`${place}\``);
    const clusters = (places.length === 0 ? worlds.map(({ place }) => `\`${place}\``) : places).join(", ");
    yield assume(text, where === undefined ? clusters : `${where} in ${clusters}`);
  }
}
