import { byText, type EnvoyProxies, type Fact } from "#engine";
import {
  compareReleases,
  envoyNumbersOf,
  imageDigest,
  istioBuildText,
  istioReleaseText,
  parseEnvoyVersion,
  parseImage,
  parseIstioRelease,
  releaseText,
  type IstioMap,
  type IstioRelease,
  type ReleaseNumber,
} from "#values";
import type { Numbered } from "./skew.ts";

/** Over a WebSocket every API server asks for `get`, and from Kubernetes 1.35 on also for `create`. */
export const ADMIN = "allow the probe `admin` (permissions `get` and `create` on `pods/exec`)";
export const METRICS = "allow the probe `metrics` (permission `get` on `pods/proxy`)";

export type ProxyFact = Fact<"envoy-proxies">;
export type Basis = "envoy" | "istio";

/** A group of proxies whose number is known, or open between a few. */
export interface Known extends Numbered {
  readonly known: true;
  readonly fact: ProxyFact;
  /** The Istio build, where the tag, the digest or the proxy itself says it. */
  readonly release?: IstioRelease | undefined;
  /** Envoy's own words, where a proxy was asked. */
  readonly asked?: string | undefined;
  /** The number is that of the upstream release, and a vendor built this one. */
  readonly assumed: boolean;
}

/** A group of proxies of which nobody can say what they run. */
export interface Unknown {
  readonly known: false;
  readonly fact: ProxyFact;
  readonly why:
    | { readonly kind: "unread" }
    | { readonly kind: "failed"; readonly reason: string; readonly remedy: string }
    | { readonly kind: "contradiction"; readonly says: readonly string[] }
    | { readonly kind: "unmapped"; readonly release: IstioRelease };
}

export type Reading = Known | Unknown;

/**
 * Reads what every group of proxies runs, by the strongest evidence there is: what a proxy of these bytes said of itself,
 * then the tag of its image, then another tag of the same digest. Evidence counts in all clusters: equal digests are equal bytes.
 */
export function readingsOf(facts: readonly ProxyFact[], basis: Basis, map: IstioMap): readonly Reading[] {
  // a fleet runs few images in many workloads: what says the same is read once
  const words = facts.map(wordsOf);
  const firsts = new Map(words.map((text, index) => [text, index]));
  const distinct = distinctReadings([...firsts.values()].flatMap((index) => facts[index] ?? []), basis, map);
  const byWords = new Map([...firsts.keys()].map((text, index) => [text, distinct[index]]));
  return facts.flatMap((fact, index) => {
    const reading = byWords.get(words[index] ?? "");
    return reading === undefined ? [] : [{ ...reading, fact }];
  });
}

/** All that a reading depends on, as one text. Most proxies were asked nothing: for them there is a cheaper one, which no list of JSON is. */
function wordsOf({ data: { image, imageId = "", probe } }: ProxyFact): string {
  const { envoy, istio, by, failure } = probe;
  if (envoy === undefined && istio === undefined && by === undefined && failure === undefined) return `${image.length} ${image}${imageId}`;
  return JSON.stringify([image, imageId, envoy, istio, by, failure]);
}

function distinctReadings(facts: readonly ProxyFact[], basis: Basis, map: IstioMap): readonly Reading[] {
  const byDigest = new Evidence(facts, (fact) => digestOf(fact.data));
  const releases = new Map(facts.map((fact) => [fact, releasesOf(fact, byDigest.of(fact))]));
  const byBuild = new Evidence(facts, (fact) => {
    const [release, ...others] = releases.get(fact) ?? [];
    return release && others.length === 0 ? istioBuildText(release) : undefined;
  });
  return facts.map((fact) => read(fact, releases.get(fact) ?? [], basis, map, [byDigest.of(fact).envoys, byBuild.of(fact).envoys]));
}

/** @param asked what Envoys of the same digest, and of the same Istio build, said of themselves */
function read(fact: ProxyFact, releases: readonly IstioRelease[], basis: Basis, map: IstioMap, asked: readonly (readonly string[])[]): Reading {
  const [release, ...others] = releases;
  const envoys = asked.find((texts) => texts.length > 0) ?? [];
  const about = { fact, known: true, ...(release === undefined || others.length > 0 ? {} : { release }) } as const;

  if (basis === "envoy" && envoys.length > 0) {
    const numbers = distinct(envoys.flatMap((text) => parseEnvoyVersion(text) ?? []));
    if (numbers.length > 1) return { known: false, fact, why: { kind: "contradiction", says: numbers.map((number) => `Envoy ${releaseText(number)}`) } };
    return { ...about, ...numbered(numbers, ""), asked: envoys[0], assumed: false };
  }
  if (release === undefined) return { known: false, fact, why: whyUnread(fact.data.probe, basis) };
  if (others.length > 0) return { known: false, fact, why: { kind: "contradiction", says: releases.map((one) => `Istio ${istioReleaseText(one)}`) } };
  if (basis === "istio") return { ...about, ...numbered([release], ""), assumed: false };

  const mapped = envoyNumbersOf(release, map);
  if (mapped === undefined || new Set(mapped.numbers.map(({ major, minor }) => `${major}.${minor}`)).size > 1) {
    return { known: false, fact, why: { kind: "unmapped", release } };
  }
  return { ...about, ...numbered(mapped.numbers, mapped.row), assumed: mapped.upstream };
}

function whyUnread({ failure, by, istio }: EnvoyProxies["probe"], basis: Basis): Unknown["why"] {
  if (failure !== undefined) return { kind: "failed", ...failure };
  if (by === undefined) return { kind: "unread" };
  const told = istio === undefined ? "it names no Istio release" : `it names its Istio release \`${istio}\``;
  return { kind: "failed", reason: told, remedy: basis === "envoy" && by === "metrics" ? ADMIN : "run a build that names the release it is made from" };
}

/** One number is a choice of its own; several are the choice of their row. */
function numbered(numbers: readonly ReleaseNumber[], row: string): Numbered {
  return { numbers, choice: numbers.length === 1 ? numbers.map(releaseText).join() : row };
}

/** What a few facts say together; each text and release once. */
interface Saying {
  /** Envoy's words of itself. */
  readonly envoys: readonly string[];
  /** The Istio release in a proxy's words of itself. */
  readonly said: readonly IstioRelease[];
  readonly tagged: readonly IstioRelease[];
}

/** What the facts of one key say together, worked out once for each key. */
class Evidence {
  readonly #byKey: ReadonlyMap<string, Saying>;
  readonly #key: (fact: ProxyFact) => string | undefined;

  constructor(facts: readonly ProxyFact[], key: (fact: ProxyFact) => string | undefined) {
    this.#key = key;
    const groups = Map.groupBy(facts, key);
    this.#byKey = new Map([...groups].flatMap(([text, group]) => (text === undefined ? [] : [[text, sayingOf(group)]])));
  }

  of(fact: ProxyFact): Saying {
    return this.#byKey.get(this.#key(fact) ?? "") ?? sayingOf([fact]);
  }
}

function sayingOf(facts: readonly ProxyFact[]): Saying {
  const envoys = new Set(facts.flatMap(({ data }) => (data.probe.envoy !== undefined && parseEnvoyVersion(data.probe.envoy) ? [data.probe.envoy] : [])));
  return {
    envoys: [...envoys].toSorted(byText),
    said: releasesIn(facts.map(({ data }) => data.probe.istio)),
    tagged: releasesIn(facts.map(({ data }) => parseImage(data.image)?.tag)),
  };
}

/** The Istio build that the strongest evidence names; several of different releases where it contradicts itself. */
function releasesOf(fact: ProxyFact, same: Saying): readonly IstioRelease[] {
  const own = releasesIn([parseImage(fact.data.image)?.tag]);
  const strongest = same.said.length > 0 ? same.said : [...own, ...same.tagged];
  const byRelease = new Map(strongest.toReversed().map((release) => [istioReleaseText(release), release]));
  return [...byRelease.values()].toSorted((a, b) => compareReleases(a, b) || byText(istioBuildText(a), istioBuildText(b)));
}

/** By build, so that the order of facts does not matter. */
function releasesIn(tags: readonly (string | undefined)[]): readonly IstioRelease[] {
  const texts = [...new Set(tags)].filter((tag) => tag !== undefined).toSorted(byText);
  return texts.flatMap((tag) => parseIstioRelease(tag) ?? []);
}

function digestOf({ imageId, image }: EnvoyProxies): string | undefined {
  return imageDigest(imageId ?? "") ?? parseImage(image)?.digest;
}

function distinct(numbers: readonly ReleaseNumber[]): readonly ReleaseNumber[] {
  return [...new Map(numbers.map((number) => [releaseText(number), number])).values()].toSorted(compareReleases);
}

/** Built with the FIPS form of its crypto library, as far as names tell. */
export function isFips({ fact, release }: Known): boolean {
  return release?.fips === true || parseImage(fact.data.image)?.repository.endsWith("-fips") === true;
}
