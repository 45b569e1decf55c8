import { assume, byText, cite, defineKind, fault, gap, judged, undecided, type Assumption, type Finding, type Gap } from "#engine";
import { istioBuildText, istioReleaseText, newestOf, parseImage, releaseText, type IstioMap } from "#values";
import { buildNotes, quietNotes } from "./notes.ts";
import { ADMIN, METRICS, readingsOf, type Known, type Unknown } from "./reading.ts";
import { lags, type Lag } from "./skew.ts";
import type { Spec } from "./spec.ts";
import { asking, behind, count, numberText, proxiesOf, releasesText, running, several, workloadsOf } from "./words.ts";

export default defineKind({
  name: "EnvoyVersionSkew",
  summary: "every Envoy proxy is within N patch releases of the newest one",
  judges: ["proxy", "proxies"],
  needs: () => [{ fact: "envoy-proxies" }],

  *judge(spec: Spec, world) {
    const facts = world.facts("envoy-proxies");
    const readings = readingsOf(facts, spec.basis, world.istioMap).filter(({ fact }) => counts(fact.data, spec));
    const known = readings.filter((reading) => reading.known);
    const unknown = readings.filter((reading) => !reading.known);
    yield judged(proxiesOf(known));

    for (const [revision, population] of populations(known, spec)) {
      for (const group of grouped(lags(population, spec), (lag) => `${lag.item.fact.cluster}\0${numberText(lag.item)}\0${lag.part}\0${lag.certain}`)) {
        yield finding(nearest(group, population), spec, revision);
      }
    }
    for (const group of grouped(unknown, (reading) => `${reading.fact.cluster}\0${placeOfGap(reading)}`)) yield gapOf(group, spec, world.istioMap);
    for (const group of grouped(known.filter(({ assumed }) => assumed), buildKey)) yield assumption(group);

    yield* buildNotes(known, spec.basis);
    yield* quietNotes(world, facts, spec.components);
  },
});

/** A proxy of the components asked for, of which a pod runs now. */
function counts(data: Known["fact"]["data"], { components }: Spec): boolean {
  return data.running > 0 && components.some((component) => component === data.role);
}

function populations(known: readonly Known[], { per }: Spec): ReadonlyMap<string | undefined, readonly Known[]> {
  if (per === "fleet") return new Map([[undefined, known]]);
  return Map.groupBy(known, ({ fact }) => fact.data.revision ?? "(none)");
}

type Group<T> = readonly [T, ...T[]];

/** Groups in the order of their keys, so that the order of facts does not show. */
function grouped<T>(items: readonly T[], key: (item: T) => string): readonly Group<T>[] {
  const groups = [...Map.groupBy(items, key)].toSorted(([a], [b]) => byText(a, b));
  return groups.flatMap(([, [first, ...rest]]) => (first === undefined ? [] : [[first, ...rest] as const]));
}

/** Names a proxy of the same cluster as the newest one where there is one as new: then a restart is all it takes. */
function nearest([first, ...rest]: Group<Lag<Known>>, population: readonly Known[]): Group<Lag<Known>> {
  const { choice } = first.newest;
  const newest = population.find((item) => item.choice === choice && item.fact.cluster === first.item.fact.cluster) ?? first.newest;
  return [{ ...first, newest }, ...rest];
}

function finding(group: Group<Lag<Known>>, spec: Spec, revision: string | undefined): Finding {
  const [lag] = group;
  const { cluster } = lag.item.fact;
  const items = group.map(({ item }) => item);
  const number = numberText(lag.item);
  const where = revision === undefined ? "" : ` (revision ${revision})`;
  const product = spec.basis === "envoy" ? "Envoy" : "Istio";
  const seen = `${count(proxiesOf(items), "proxy")} of ${count(workloadsOf(items).length, "workload")} in \`${cluster}\`${where} ${running(items)} ${product} ${number}${releasesText(items, spec.basis)}`;
  const wanted = `${numberText(lag.newest)} in \`${lag.newest.fact.cluster}\`${releasesText([lag.newest], spec.basis)}`;
  const largest = items.toSorted((a, b) => b.fact.data.running - a.fact.data.running)[0] ?? lag.item;

  return (lag.certain ? fault : undecided)({
    subject: `${cluster}/${number}${where}`,
    cause: `${cluster} ${number}${where}`,
    message: `${seen}, ${behind(lag, wanted)}; allowed: ${lag.part === "patch" ? spec.maxPatchSkew : spec.maxMinorSkew}`,
    remedy: lag.certain ? repair(lag, items) : settle([lag.item, lag.newest]),
    evidence: [
      cite(largest.fact, "this proxy", evidenceText(largest, product)),
      cite(lag.newest.fact, "newest proxy", evidenceText(lag.newest, product)),
    ],
  });
}

function evidenceText(item: Known, product: string): string {
  const { data } = item.fact;
  return `${product} ${numberText(item)}: ${count(data.running, "pod")} of \`${data.namespace}/${data.workload}\`, image \`${data.image}\``;
}

function repair({ part, item, newest, most }: Lag<Known>, items: readonly Known[]): string {
  const restart = `restart ${several(workloadsOf(items), 3)}`;
  const { cluster } = item.fact;
  const upgrade = cluster === newest.fact.cluster ? restart : `upgrade the mesh of \`${cluster}\` to the release of \`${newest.fact.cluster}\`, then ${restart}`;
  if (part === "major") return upgrade;
  const knob = part === "patch" ? "maxPatchSkew" : "maxMinorSkew";
  return `${upgrade}; or allow it with \`${knob}: ${most}\``;
}

/** Where the map leaves a number open, asking one proxy or one row of the fleet's own map closes it. */
function settle(items: readonly Known[]): string {
  const open = [...new Map(items.filter(({ numbers }) => numbers.length > 1).map((item) => [item.choice, item])).values()];
  const rows = open.flatMap(({ choice, numbers }) => numbers.map((number) => rowText(choice, releaseText(number))));
  const releases = open.map(({ choice }) => `Istio ${choice}`).toSorted(byText);
  return `settle which Envoy ${releases.join(" and ")} carries: ${asking(open[0]?.fact)}, or write the right row into the fleet's \`istioMap\`: ${rows.join(" or ")}`;
}

function rowText(istio: string, envoy: string): string {
  return `{ istio: ${istio}, envoy: ["${envoy}"] }`;
}

/** Stable per cluster and reason; the release where the map is what is missing. */
function placeOfGap({ why }: Unknown): string {
  if (why.kind === "unmapped") return `Istio ${istioBuildText(why.release)}`;
  return why.kind === "failed" ? `not told: ${why.reason}` : why.kind;
}

function gapOf(group: Group<Unknown>, spec: Spec, map: IstioMap): Gap {
  const [{ fact, why }] = group;
  const facts = group.map((reading) => reading.fact);
  const proxies = `${count(proxiesOf(group), "proxy")} of ${count(workloadsOf(group).length, "workload")}`;
  const images = several([...new Set(facts.map(({ data }) => data.image))].toSorted(byText), 3);
  const about = { kind: "envoy-proxies", cluster: fact.cluster } as const;

  switch (why.kind) {
    case "unread":
      return gap({
        ...about,
        subject: `${fact.cluster}/images without a release`,
        reason: `${proxies} ${running(group)} images whose tag names no Istio release (${images})`,
        remedy: unreadRemedy(spec),
      });
    case "failed":
      return gap({
        ...about,
        subject: `${fact.cluster}/probe`,
        reason: `${proxies} ${running(group)} images whose tag names no Istio release (${images}), and the probe did not tell: ${why.reason}`,
        remedy: why.remedy,
      });
    case "contradiction":
      return gap({
        ...about,
        subject: `${fact.cluster}/contradiction`,
        reason: `${proxies} ${running(group)} the same bytes under names that contradict each other: ${why.says.join(" and ")} (${images})`,
        remedy: `correct the tags in your registry, or ${ADMIN}: what a proxy says of itself counts more than its tag`,
      });
    case "unmapped":
      return gap({
        ...about,
        subject: `${fact.cluster}/Istio ${istioBuildText(why.release)}`,
        reason: `${proxies} ${running(group)} Istio ${istioReleaseText(why.release)} (${images}), and the map from Istio to Envoy has no row for it; its newest is ${newestOf(map) ?? "none"}`,
        remedy: `${asking(fact)}, or write its row into the fleet's \`istioMap\`: ${rowText(istioReleaseText(why.release), `1.${why.release.minor + 8}.N`)}`,
      });
    default:
      return why satisfies never;
  }
}

function unreadRemedy({ basis }: Spec): string {
  return basis === "envoy" ? `${METRICS}, or for Envoy's own number: ${ADMIN}` : `${METRICS}: it asks one proxy of each image`;
}

function buildKey({ fact, release }: Known): string {
  return `${release === undefined ? "" : istioBuildText(release)}\0${parseImage(fact.data.image)?.repository ?? ""}`;
}

function assumption(group: Group<Known>): Assumption {
  const [first] = group;
  const build = first.release === undefined ? "" : istioBuildText(first.release);
  const upstream = first.release === undefined ? "" : istioReleaseText(first.release);
  const clusters = [...new Set(group.map(({ fact }) => fact.cluster))].toSorted(byText);
  return assume(
    `\`${build}\` (\`${parseImage(first.fact.data.image)?.repository ?? first.fact.data.image}\`) carries Envoy ${numberText(first)}, as the upstream release Istio ${upstream} that it is built from`,
    clusters.map((cluster) => `\`${cluster}\``).join(", "),
  );
}
