import type { IstioMap } from "#values";
import type { FactKind } from "./facts.ts";
import { byText } from "./json.ts";
import type { Cluster, Fact, Gap, Request, Snapshot } from "./model.ts";

/** The read-only view a kind judges: the selected clusters, and the facts its assertion asked for. */
export interface World<K extends FactKind = FactKind> {
  /** Selected clusters, by name. Those that could not be read are among them. */
  readonly clusters: readonly Cluster[];
  /** The time of the run, ISO 8601 in UTC: for ages and expiries. */
  readonly now: string;
  /** From Istio releases to Envoy numbers: the release's own rows and the fleet's. */
  readonly istioMap: IstioMap;
  /** Facts of one kind, of all selected clusters or of one, by cluster and subject. */
  facts<F extends K>(kind: F, cluster?: string): readonly Fact<F>[];
  /** True when the cluster was asked and nothing of this kind of fact is missing. */
  complete(kind: K, cluster: string): boolean;
}

interface WorldParts {
  readonly clusters: readonly Cluster[];
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  readonly requests: readonly Request[];
  readonly gaps: readonly Gap[];
  readonly now: string;
  readonly istioMap: IstioMap;
}

/** Facts that answer `requests`, per kind; reading another kind gives an error, not an empty list. */
export function worldOf({ clusters, snapshots, requests, gaps, now, istioMap }: WorldParts): World {
  const asked = new Set(requests.map((request) => request.fact));
  const byKind = new Map([...asked].map((kind) => [kind, factsOf(kind)] as const));

  function factsOf(kind: FactKind): readonly Fact[] {
    const mine = requests.filter((request) => request.fact === kind);
    return clusters
      .flatMap((cluster) => snapshots.get(cluster.name)?.facts ?? [])
      .filter((fact) => mine.some((request) => answers(fact, request)))
      .sort((a, b) => byText(a.cluster, b.cluster) || byText(a.subject, b.subject));
  }

  return {
    clusters,
    now,
    istioMap,
    facts<F extends FactKind>(kind: F, cluster?: string) {
      const facts = byKind.get(kind);
      if (facts === undefined) throw new TypeError(`\`${kind}\` was not asked for: name it in \`needs\``);
      return (cluster === undefined ? facts : facts.filter((fact) => fact.cluster === cluster)) as readonly Fact<F>[];
    },
    complete(kind, cluster) {
      return !gaps.some((gap) => gap.cluster === cluster && (gap.kind === undefined || gap.kind === kind));
    },
  };
}

/** Does a fact or a gap belong to what was asked? */
export function answers(item: { readonly kind?: string | undefined; readonly selector?: string | undefined }, request: Request): boolean {
  if (item.kind !== undefined && item.kind !== request.fact) return false;
  return item.selector === undefined || item.selector === request.selector;
}
