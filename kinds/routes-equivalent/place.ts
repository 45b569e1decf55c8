import { byText, digestOf, type Fact, type RoutingObject, type RoutingPlace } from "#engine";
import { istioWorlds, type ApiReading, type Assumption, type IstioPlace, type OneProxy, type Reading, type RouteWorld, type Unmodelled, type ViewTable } from "#routes";
import { envoyNumbersOf, istioReleaseText, parseImage, parseIstioRelease, releaseText, type IstioMap } from "#values";

type RoutingFact = Fact<"routing">;

/** The routing of one place as facts, and the releases that somebody says it has. */
export interface SeenPlace {
  readonly name: string;
  readonly facts: readonly RoutingFact[];
  /** Release of istiod; left out: as its pods show. */
  readonly istio?: string | undefined;
  /** Release of the proxies; left out: as their images show. */
  readonly envoy?: string | undefined;
  /** Release of the one proxy that the objects are read for, as it tells itself: it counts where the place shows none. */
  readonly told?: string | undefined;
  /** Whose reading of Gateway API counts; left out: istiod's. */
  readonly reading?: ApiReading | undefined;
  /** Read for this proxy alone. */
  readonly proxy?: OneProxy | undefined;
  /** In the words of what proxies load, for a comparison with that. */
  readonly asLoaded?: boolean | undefined;
  /** Services are told apart by name, not by the address that their cluster gave them: for comparisons. */
  readonly servicesByName?: true;
}

/** More releases than this in one place count as unknown. */
const MOST_RELEASES = 6;

/**
 * The routing of places, each as its own control plane would configure its proxies; what they have in common is read once.
 * The map from Istio to Envoy is asked for only where images tell a release. Where a place runs several releases, each of its views has the readings of all of them: an answer counts only where they agree.
 */
export function routeWorldsOf(places: readonly SeenPlace[], map: () => IstioMap): readonly RouteWorld[] {
  const readings = places.map((seen) => readingsOf(seen, map));
  const worlds = istioWorlds(readings.flatMap(({ inputs }) => inputs));
  let from = 0;
  return readings.map(({ inputs, assumptions, unmodelled }) => {
    const combined = combine(worlds.slice(from, (from += inputs.length)));
    return { ...combined, assumptions: [...combined.assumptions, ...assumptions], unmodelled: [...combined.unmodelled, ...unmodelled] };
  });
}

/** A place once for each pair of releases that it may run, and what is known of it beside its objects. */
interface Readings {
  readonly inputs: readonly IstioPlace[];
  readonly assumptions: readonly Assumption[];
  readonly unmodelled: readonly Unmodelled[];
}

function readingsOf(seen: SeenPlace, map: () => IstioMap): Readings {
  const place = placeOf(seen.facts);
  const objects = seen.facts.flatMap((fact) => (fact.data.type === "object" ? [{ fact, object: fact.data }] : []));
  const istio = seen.istio === undefined ? istioReleases(place) : [seen.istio];
  const shown = seen.envoy === undefined ? envoyReleases(place, map) : [seen.envoy];
  const isTold = seen.told !== undefined && shown.every((release) => release === undefined);
  const envoy = isTold ? [seen.told] : shown;
  const [mesh, ...others] = place.meshConfigs;
  const rootNamespace = mesh?.namespace;
  const input: IstioPlace = {
    place: seen.name,
    objects: objects.map(({ fact, object }) => ({ object: kubeObject(object), file: fact.source.file, line: fact.source.line })),
    complete: place.complete,
    unseen: place.unseen,
    servicesByName: seen.servicesByName ?? false,
    reading: seen.reading ?? "istiod",
    asLoaded: seen.asLoaded ?? false,
    ...(seen.proxy === undefined ? {} : { proxy: seen.proxy }),
    ...(mesh === undefined ? {} : { meshConfig: mesh.config }),
    ...(rootNamespace === undefined ? {} : { rootNamespace }),
  };
  const differing = others.filter(({ config }) => digestOf(config) !== digestOf(mesh?.config));
  return {
    inputs: istio.flatMap((control) => envoy.map((proxy) => ({ ...input, ...(control === undefined ? {} : { istio: control }), ...(proxy === undefined ? {} : { envoy: proxy }) }))),
    assumptions: [
      ...assumptionsOf(place),
      ...(isTold ? [{ text: `the objects do not tell the release of their proxies: Envoy ${seen.told} is taken, which the dump tells` }] : []),
    ],
    unmodelled: differing.map(({ namespace, name }) => ({
      reason: `its control planes read mesh configurations that differ, \`${mesh?.namespace}/${mesh?.name}\` and \`${namespace}/${name}\`, and which proxy follows which is not modelled`,
      where: { object: `ConfigMap ${namespace}/${name}`, path: "data.mesh" },
    })),
  };
}

/** What is known of the place itself; where nothing tells, nothing is claimed. */
function placeOf(facts: readonly RoutingFact[]): RoutingPlace {
  const data = facts.map((fact) => fact.data).find((one) => one.type === "place");
  return data ?? { type: "place", complete: false, unseen: [], controlPlanes: [], proxies: [], meshConfigs: [] };
}

function kubeObject({ apiVersion, kind, namespace, name, created, labels, annotations, spec }: RoutingObject): object {
  return { apiVersion, kind, metadata: { name, namespace, creationTimestamp: created, labels, annotations }, spec };
}

type Releases = readonly (string | undefined)[];

function istioReleases({ controlPlanes }: RoutingPlace): Releases {
  return distinct(controlPlanes.map((image) => releaseOf(image)).map((release) => (release === undefined ? undefined : istioReleaseText(release))));
}

function envoyReleases({ proxies }: RoutingPlace, map: () => IstioMap): Releases {
  return distinct(
    proxies.flatMap((image): Releases => {
      const release = releaseOf(image);
      const numbers = release === undefined ? undefined : envoyNumbersOf(release, map())?.numbers;
      return numbers === undefined ? [undefined] : numbers.map(releaseText);
    }),
  );
}

function releaseOf(image: string) {
  const tag = parseImage(image)?.tag;
  return tag === undefined ? undefined : parseIstioRelease(tag);
}

/** At least one; one that is unknown stands for all that may be. */
function distinct(releases: Releases): Releases {
  const all = [...new Set(releases)];
  return all.length === 0 || all.length > MOST_RELEASES ? [undefined] : all.toSorted((a, b) => byText(a ?? "", b ?? ""));
}

function assumptionsOf(place: RoutingPlace): readonly Assumption[] {
  const foreign = place.complete && place.controlPlanes.length === 0 && place.proxies.length > 0;
  return [
    ...(foreign ? [{ text: "proxies run and no istiod does: whatever controls them is taken to translate as istiod" }] : []),
    ...(place.namespaces === undefined ? [] : [{ text: `only objects of the namespaces ${place.namespaces.map((name) => `\`${name}\``).join(", ")} were looked at` }]),
  ];
}

function combine(worlds: readonly RouteWorld[]): RouteWorld {
  const [first, ...rest] = worlds;
  if (first === undefined) throw new TypeError("a place has at least one reading");
  if (rest.length === 0) return first;
  const tables = new Map<string, ViewTable>();
  for (const { views } of worlds) {
    for (const table of views) {
      const key = JSON.stringify(table.view);
      const known = tables.get(key);
      tables.set(key, known === undefined ? table : { ...known, readings: withOthers(known.readings, table.readings) });
    }
  }
  const merged = <T>(lists: readonly (readonly T[])[]) => [...new Map(lists.flat().map((item) => [JSON.stringify(item), item])).values()];
  return {
    ...first,
    views: [...tables.values()],
    assumptions: merged(worlds.map(({ assumptions }) => assumptions)),
    unmodelled: merged(worlds.map(({ unmodelled }) => unmodelled)),
  };
}

function withOthers(known: readonly Reading[], more: readonly Reading[]): readonly Reading[] {
  const seen = new Set(known.map(({ listener }) => JSON.stringify(listener)));
  return [...known, ...more.filter(({ listener }) => !seen.has(JSON.stringify(listener)))];
}
