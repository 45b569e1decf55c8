import { byText, cite, info, type Finding, type World } from "#engine";
import { istioBuildText, istioReleaseText, releaseText, type IstioRelease } from "#values";
import { isFips, type Basis, type Known, type ProxyFact } from "./reading.ts";
import type { Spec } from "./spec.ts";
import { count, proxiesOf, running, several, workloadsOf } from "./words.ts";

const NOTHING_TO_DO = "nothing to do for this assertion: it is listed so that nobody overlooks it";

/** What the numbers hide: builds that count as equal and are not the same bytes. Changes no verdict. */
export function* buildNotes(known: readonly Known[], basis: Basis): Iterable<Finding> {
  yield* preReleases(known);
  yield* vendorBuilds(known);
  if (basis === "envoy") yield* developmentBuilds(known);
  yield* fipsMix(known);
  yield* debugImages(known);
}

function* preReleases(known: readonly Known[]): Iterable<Finding> {
  for (const [build, group] of byRelease(known, (release) => (release.pre === undefined ? undefined : istioBuildText(release)))) {
    yield note(`pre-release ${build}`, `${where(group)} ${running(group)} the pre-release Istio ${build}; it counts as the number it names`, group, build, "move them to a release");
  }
}

function* vendorBuilds(known: readonly Known[]): Iterable<Finding> {
  for (const [release, group] of byRelease(known, istioReleaseText)) {
    const builds = byRelease(group, istioBuildText);
    if (builds.length < 2) continue;
    const told = builds.map(([build, items]) => `\`${build}\` in ${clustersOf(items)}`).join(", ");
    const remedy = "compare the vendors' security bulletins: equal numbers do not prove equal fixes";
    yield note(`builds of ${release}`, `Istio ${release} runs in ${builds.length} builds that count as equal: ${told}`, firsts(builds), release, remedy);
  }
}

function* developmentBuilds(known: readonly Known[]): Iterable<Finding> {
  for (const [number, group] of sortedBy(known, (item) => (item.asked === undefined ? undefined : item.numbers.map(releaseText).join()))) {
    const texts = sortedBy(group, ({ asked }) => asked);
    if (texts.length < 2) continue;
    const told = texts.map(([text, items]) => `\`${text}\` in ${clustersOf(items)}`).join(", ");
    yield note(`development build of ${number}`, `Envoy ${number} runs as a release and as a build before it, which count as equal: ${told}`, firsts(texts), number, NOTHING_TO_DO);
  }
}

function* fipsMix(known: readonly Known[]): Iterable<Finding> {
  const { true: fips = [], false: plain = [] } = Object.groupBy(known, (item) => (isFips(item) ? "true" : "false"));
  if (fips.length === 0 || plain.length === 0) return;
  const told = `${count(proxiesOf(fips), "proxy")} in ${clustersOf(fips)} ${running(fips)} a FIPS build, ${count(proxiesOf(plain), "proxy")} in ${clustersOf(plain)} ${proxiesOf(plain) === 1 ? "does" : "do"} not`;
  yield note("fips", told, [...fips.slice(0, 1), ...plain.slice(0, 1)], "FIPS or not", "if FIPS is a duty, use the FIPS image everywhere");
}

function* debugImages(known: readonly Known[]): Iterable<Finding> {
  const debug = known.filter(({ release }) => release?.variants.includes("debug") === true);
  for (const [cluster, group] of sortedBy(debug, ({ fact }) => fact.cluster)) {
    yield note(`${cluster}/debug images`, `${where(group)} ${running(group)} a debug image`, group, "debug image", "use the plain or the distroless image");
  }
}

/** What is seen and not judged, per cluster: proxies that do not run now, ztunnel, clusters without a proxy. */
export function* quietNotes(world: World<"envoy-proxies">, facts: readonly ProxyFact[], components: Spec["components"]): Iterable<Finding> {
  for (const { name } of world.clusters) {
    const here = facts.filter((fact) => fact.cluster === name).map((fact) => ({ fact }));
    const asked = here.filter(({ fact }) => components.some((component) => component === fact.data.role));
    yield* idleNote(name, asked);
    yield* ztunnelNote(name, here.filter(({ fact }) => fact.data.role === "ztunnel"));
    if (proxiesOf(asked) === 0 && world.complete("envoy-proxies", name)) {
      yield info({
        subject: name,
        cause: "no proxies",
        message: `no ${components.join(", ")} proxy runs in \`${name}\``,
        remedy: "if there should be one, check that injection is on; else leave the cluster out with `clusters`",
        evidence: [],
      });
    }
  }
}

const IDLE = ["failed", "finished", "terminating", "pending"] as const;

function* idleNote(cluster: string, asked: readonly { readonly fact: ProxyFact }[]): Iterable<Finding> {
  const idle = asked.filter(({ fact: { data } }) => IDLE.some((reason) => data.idle[reason] > 0));
  const first = idle[0]?.fact;
  if (first === undefined) return;
  const reasons = IDLE.flatMap((reason) => {
    const pods = idle.reduce((sum, { fact }) => sum + fact.data.idle[reason], 0);
    return pods === 0 ? [] : [`${count(pods, "pod")} ${reason}`];
  });
  yield info({
    subject: `${cluster}/not running`,
    cause: "not running",
    message: `in \`${cluster}\` these are not judged, because their proxy does not run now: ${reasons.join(", ")} (${several(workloadsOf(idle), 3)})`,
    remedy: NOTHING_TO_DO,
    evidence: [cite(first, "for example", first.data.example)],
  });
}

function* ztunnelNote(cluster: string, tunnels: readonly { readonly fact: ProxyFact }[]): Iterable<Finding> {
  const first = tunnels[0]?.fact;
  if (first === undefined) return;
  const images = several([...new Set(tunnels.map(({ fact }) => fact.data.image))].toSorted(byText), 3);
  yield info({
    subject: `${cluster}/ztunnel`,
    cause: "ztunnel",
    message: `${count(proxiesOf(tunnels), "ztunnel")} of \`${cluster}\` are not judged: ztunnel is no Envoy (${images})`,
    remedy: NOTHING_TO_DO,
    evidence: [cite(first, "for example", first.data.image)],
  });
}

function note(subject: string, message: string, group: readonly Known[], value: string, remedy: string): Finding {
  const evidence = group.slice(0, 4).map(({ fact }) => cite(fact, "for example", `${value}: \`${fact.data.image}\``));
  return info({ subject, cause: subject, message, remedy, evidence });
}

function where(group: readonly Known[]): string {
  return `${count(proxiesOf(group), "proxy")} in ${clustersOf(group)}`;
}

function clustersOf(items: readonly Known[]): string {
  return several([...new Set(items.map(({ fact }) => fact.cluster))].toSorted(byText), 4);
}

function firsts(groups: readonly (readonly [string, readonly Known[]])[]): readonly Known[] {
  return groups.flatMap(([, items]) => items.slice(0, 1));
}

/** The same by a text of the release. Most proxies share one, as an object too, whose text is made once. */
function byRelease(items: readonly Known[], textOf: (release: IstioRelease) => string | undefined): readonly (readonly [string, readonly Known[]])[] {
  const texts = new Map<IstioRelease | undefined, string | undefined>();
  return sortedBy(items, ({ release }) => {
    if (release !== undefined && !texts.has(release)) texts.set(release, textOf(release));
    return texts.get(release);
  });
}

/** Groups by a text, in its order; without those that have none. */
function sortedBy<T>(items: readonly T[], key: (item: T) => string | undefined): readonly (readonly [string, readonly T[]])[] {
  return [...Map.groupBy(items, key)].flatMap(([text, group]) => (text === undefined ? [] : [[text, group] as const])).toSorted(([a], [b]) => byText(a, b));
}
