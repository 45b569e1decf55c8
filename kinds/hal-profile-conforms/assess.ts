import type { Fact } from "#engine";
import type { Requirement } from "./rules.ts";
import { accepted, unknown, type Seen, type Tier } from "./tiers.ts";
import type { ClusterView, NodeView, PoolFact } from "./view.ts";

/** What one node shows. */
export interface NodeSeen {
  readonly view: NodeView;
  readonly seen: Seen;
}

/** What one cluster shows of one requirement. */
export interface Assessment {
  readonly requirement: Requirement;
  readonly outcome: Seen["outcome"];
  /** Of each node that is judged; empty where it is asked of the cluster. */
  readonly nodes: readonly NodeSeen[];
  /** Where it is asked of the cluster. */
  readonly cluster?: Seen | undefined;
}

/** Looks at every node once a requirement, and where there is none at the pools that are declared. Undefined where there is nothing to look at: nothing is asked of an empty place. */
export function assess(requirement: Requirement, view: ClusterView): Assessment | undefined {
  const { rule, least } = requirement;
  if (view.nodes.length === 0) return assessDeclared(requirement, view.pools);
  if (rule.of === "cluster") {
    const cluster = accepted(rule.see(view), least);
    return { requirement, outcome: cluster.outcome, nodes: [], cluster };
  }
  const nodes = view.nodes.map((node) => ({ view: node, seen: accepted(rule.see(node, view), least) }));
  return { requirement, outcome: worst(nodes), nodes };
}

function assessDeclared(requirement: Requirement, pools: readonly PoolFact[]): Assessment | undefined {
  const { rule, least } = requirement;
  if (pools.length === 0) return undefined;
  if (rule.of === "cluster" || rule.seeDeclared === undefined) {
    return { requirement, outcome: "unknown", nodes: [], cluster: unknown("no node, and what Terraform declares does not tell", "start a node of the pool", { fact: pools[0] }) };
  }
  const { seeDeclared } = rule;
  const nodes = pools.map((fact) => ({ view: standIn(fact), seen: accepted(seeDeclared(fact.data), least) }));
  return { requirement, outcome: worst(nodes), nodes };
}

function standIn(fact: PoolFact): NodeView {
  return { fact, node: { name: fact.data.name, labels: {}, taints: [], cordoned: false }, agents: [], brokenAgents: [], programs: [] };
}

function worst(nodes: readonly NodeSeen[]): Seen["outcome"] {
  if (nodes.some(({ seen }) => seen.outcome === "fail")) return "fail";
  return nodes.some(({ seen }) => seen.outcome === "unknown") ? "unknown" : "pass";
}

/** Equal values with how many nodes show them, those that decide the outcome only; the most frequent first. */
export function valuesOf({ nodes, cluster, outcome }: Assessment): readonly { readonly text: string; readonly tier: Tier | undefined; readonly nodes: readonly NodeSeen[] }[] {
  if (cluster !== undefined) return [{ text: cluster.observed, tier: cluster.tier, nodes: [] }];
  const groups = Map.groupBy(nodes.filter(({ seen }) => seen.outcome === outcome), ({ seen }) => `${seen.tier ?? ""}\0${seen.observed}`);
  return [...groups]
    .map(([key, group]) => ({ key, text: group[0]?.seen.observed ?? "", tier: group[0]?.seen.tier, nodes: group }))
    .toSorted((a, b) => b.nodes.length - a.nodes.length || (a.key < b.key ? -1 : 1));
}

/** The remedy of what decides the outcome. */
export function remedyOf(assessment: Assessment): string {
  const seen = assessment.cluster ?? assessment.nodes.find(({ seen: each }) => each.outcome === assessment.outcome)?.seen;
  return seen?.remedy ?? "look at the nodes";
}

/** Where it was seen: facts besides those of nodes, each once. */
export function factsOf({ nodes, cluster, outcome }: Assessment): readonly Fact[] {
  const seen = cluster === undefined ? nodes.filter(({ seen: each }) => each.outcome === outcome).map((each) => each.seen) : [cluster];
  return [...new Map(seen.flatMap(({ fact }) => (fact === undefined ? [] : [[`${fact.kind}\0${fact.subject}`, fact] as const]))).values()];
}
