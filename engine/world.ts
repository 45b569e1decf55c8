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
    // A fact without a selector answers every request of its kind.
    const selectors = [...new Set([undefined, ...requests.filter((request) => request.fact === kind).map(({ selector }) => selector)])];
    return clusters.toSorted((a, b) => byText(a.name, b.name)).flatMap(({ name }) => {
      const snapshot = snapshots.get(name);
      if (snapshot === undefined) return [];
      const bySelector = indexOf(snapshot).get(kind);
      const lists = selectors.flatMap((selector) => [bySelector?.get(selector) ?? []].filter(({ length }) => length > 0));
      const [only = []] = lists;
      return lists.length < 2 ? only : lists.flat().sort(bySubject);
    });
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

type Index = ReadonlyMap<FactKind, ReadonlyMap<string | undefined, readonly Fact[]>>;

const indices = new WeakMap<Snapshot, Index>();

/** The facts of a snapshot by kind and selector, each list by subject; made once, however many assertions look. */
function indexOf(snapshot: Snapshot): Index {
  const known = indices.get(snapshot);
  if (known !== undefined) return known;
  const index = new Map([...Map.groupBy(snapshot.facts, ({ kind }) => kind)].map(([kind, facts]) => {
    const bySelector = Map.groupBy(facts, ({ selector }) => selector);
    for (const list of bySelector.values()) list.sort(bySubject);
    return [kind, bySelector] as const;
  }));
  indices.set(snapshot, index);
  return index;
}

function bySubject(a: Fact, b: Fact): number {
  return byText(a.subject, b.subject);
}

/** Does a fact or a gap belong to what was asked? */
export function answers(item: { readonly kind?: string | undefined; readonly selector?: string | undefined }, request: Request): boolean {
  if (item.kind !== undefined && item.kind !== request.fact) return false;
  return item.selector === undefined || item.selector === request.selector;
}
