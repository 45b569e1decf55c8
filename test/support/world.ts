import {
  evaluate,
  reportOn,
  seal,
  waive,
  worldOf,
  type AnyKind,
  type Assertion,
  type Assumption,
  type Cluster,
  type EnvoyProxies,
  type Fact,
  type FactKind,
  type FactTypes,
  type Finding,
  type Gap,
  type Judgement,
  type Kind,
  type Request,
  type Result,
  type Snapshot,
  type World,
} from "#engine";
import { istioMap, type IstioMap } from "#values";

/** What a test lets be seen. */
export interface Seen {
  readonly facts: readonly Fact[];
  readonly gaps?: readonly Gap[];
  /** Left out: those that the facts and gaps name. */
  readonly clusters?: readonly Cluster[];
  readonly istioMap?: IstioMap;
}

export function clusterOf(name: string, more: Partial<Cluster> = {}): Cluster {
  return { name, labels: {}, ...more };
}

function factOf<K extends FactKind>(kind: K, cluster: string, subject: string, data: FactTypes[K]): Fact<K> {
  return { type: "fact", kind, cluster, subject, data, source: { collector: "test", locator: `/${cluster}/${subject}` } };
}

export function gapOf(kind: FactKind | undefined, cluster: string, reason = "not seen"): Gap {
  return { type: "gap", ...(kind === undefined ? {} : { kind }), cluster, subject: cluster, reason, remedy: "look again" };
}

type ProxyParts = Partial<Omit<EnvoyProxies, "idle">> & { readonly tag?: string; readonly idle?: Partial<EnvoyProxies["idle"]> };

let made = 0;

/**
 * Sidecars of one workload. `place` is `cluster/workload` or `cluster/namespace/workload`; a text in place of the parts is the image tag.
 */
export function proxies(place: string, parts: string | ProxyParts): Fact<"envoy-proxies"> {
  const { tag, idle, ...data } = typeof parts === "string" ? { tag: parts } : parts;
  const [cluster = "", namespace = "", name] = place.split("/");
  const full: EnvoyProxies = {
    role: "sidecar",
    namespace: name === undefined ? "shop" : namespace,
    workload: `Deployment/${name ?? namespace}`,
    native: false,
    image: `docker.io/istio/proxyv2:${tag ?? "1.29.2"}`,
    running: 1,
    example: `${name ?? namespace}-0`,
    probe: {},
    ...data,
    idle: { failed: 0, finished: 0, terminating: 0, pending: 0, ...idle },
  };
  return factOf("envoy-proxies", cluster, `${full.namespace}/${full.workload} ${full.role} ${++made}`, full);
}

function clustersOf({ clusters, facts, gaps }: Seen): readonly Cluster[] {
  const names = new Set([...facts, ...(gaps ?? [])].flatMap(({ cluster }) => cluster ?? []));
  return clusters ?? [...names].map((name) => clusterOf(name));
}

/** Snapshots of what is seen, all asked for these requests. */
function snapshotsOf(seen: Seen, requests: readonly Request[]): ReadonlyMap<string, Snapshot> {
  return new Map(
    clustersOf(seen).map((cluster) => [
      cluster.name,
      seal({
        cluster,
        identity: {},
        reachable: true,
        takenAt: NOW,
        asked: requests,
        facts: seen.facts.filter((fact) => fact.cluster === cluster.name),
        gaps: (seen.gaps ?? []).filter((gap) => gap.cluster === cluster.name),
      }),
    ]),
  );
}

const NOW = "2026-11-23T10:00:00Z";

/** The world in which a kind judges what is seen. */
function worldWith(seen: Seen, requests: readonly Request[]): World {
  const snapshots = snapshotsOf(seen, requests);
  return worldOf({ clusters: clustersOf(seen), snapshots, requests, gaps: seen.gaps ?? [], now: NOW, istioMap: seen.istioMap ?? istioMap() });
}

/** All that a kind says, sorted by what it is. */
export interface Said {
  readonly faults: readonly Finding[];
  readonly undecided: readonly Finding[];
  readonly infos: readonly Finding[];
  readonly gaps: readonly Gap[];
  readonly assumptions: readonly Assumption[];
  readonly judged: number;
}

export function judge<Spec, K extends FactKind>(kind: Kind<Spec, K>, spec: Spec, seen: Seen): Said {
  const items: Judgement[] = [...kind.judge(spec, worldWith(seen, kind.needs(spec)))];
  const findings = items.filter((item) => item.type === "finding");
  const outcome = (wanted: Finding["outcome"]) => findings.filter((item) => item.outcome === wanted);
  return {
    faults: outcome("fault"),
    undecided: outcome("undecided"),
    infos: outcome("info"),
    gaps: items.filter((item) => item.type === "gap"),
    assumptions: items.filter((item) => item.type === "assumption"),
    judged: items.reduce((sum, item) => sum + (item.type === "judged" ? item.count : 0), 0),
  };
}

type AssertionParts = Partial<Omit<Assertion, "kind" | "spec">>;

/** The whole way from snapshots to a result in the report, as the command line goes it. */
export function resultOf<Spec, K extends FactKind>(kind: Kind<Spec, K>, spec: Spec, seen: Seen, parts: AssertionParts = {}): Result {
  const assertion: Assertion = {
    name: "under-test",
    severity: "error",
    clusters: {},
    allowEmpty: false,
    strict: false,
    at: { file: "assertion.yaml", line: 1, column: 1 },
    ...parts,
    kind: kind.name,
    spec,
  };
  const fleet = clustersOf(seen);
  const snapshots = snapshotsOf(seen, kind.needs(spec));
  const evaluations = evaluate(new Map([[kind.name, kind as unknown as AnyKind]]), [assertion], { fleet, snapshots, now: NOW, istioMap: seen.istioMap ?? istioMap() });
  const [result] = reportOn(waive(evaluations, [], NOW), fleet, snapshots).results;
  if (result === undefined) throw new Error("the engine reported no result");
  return result;
}
