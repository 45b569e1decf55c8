import type { BpfApplication, Cluster, DeclaredPool, Fact, NodeAgent, NodeFact, NodeFeatureFact, NodePods, RuntimeClass, RuntimeShim, WasmModule, WasmPlace, World } from "#engine";
import { matchesGlob } from "#values";
import type { HalProfile } from "./profile.ts";

/** Kinds of fact that this kind may ask for. */
export type Needed = "bpf-applications" | "control-planes" | "declared" | "node-agents" | "node-features" | "nodes" | "runtime-answers" | "runtime-classes" | "wasm-images" | "wasm-modules";
export type HalWorld = World<Needed>;
export type Selector = HalProfile["selector"];

/** A pool that a Terraform state declares. */
export type PoolFact = Fact<"declared"> & { readonly data: DeclaredPool };

/** A ready node that the profile is about, or a declared pool that stands for nodes that are not there. */
export interface NodeView {
  readonly fact: Fact<"nodes"> | PoolFact;
  readonly node: NodeFact;
  /** Agents that are ready on it, and those that are there and not ready. */
  readonly agents: readonly AgentFact[];
  readonly brokenAgents: readonly AgentFact[];
  readonly features?: Fact<"node-features"> | undefined;
  /** Other nodes have objects of Node Feature Discovery, and this one has none: nobody stands behind its labels. */
  readonly isUnwatched?: boolean | undefined;
  readonly programs: readonly BpfApplication[];
}

export type AgentFact = Fact<"node-agents"> & { readonly data: NodeAgent };
type PodsFact = Fact<"node-agents"> & { readonly data: NodePods };

/** Pods of one sort, and where they run: asked of every node. */
interface PodsView {
  readonly fact: PodsFact;
  readonly runningOn: ReadonlySet<string>;
  readonly failingOn: ReadonlySet<string>;
}

type MeshModuleFact = Fact<"wasm-modules"> & { readonly data: WasmModule };

type ClassFact = Fact<"runtime-classes"> & { readonly data: RuntimeClass };
export type ShimFact = Fact<"runtime-classes"> & { readonly data: RuntimeShim };

/** One cluster as a profile sees it. */
export interface ClusterView {
  readonly cluster: Cluster;
  /** The cluster's, else what all of its nodes' ids say. */
  readonly cloud: string | undefined;
  /** False: nodes are selected by their type of machine in a cloud, and nobody knows which cloud this is. */
  readonly isSelectable: boolean;
  /** Nodes that are judged. */
  readonly nodes: readonly NodeView[];
  /** Declared pools that the profile is about, where no live node is: asked for only where a profile accepts what Terraform declares. */
  readonly pools: readonly PoolFact[];
  /** Selected nodes that prove nothing, by why. */
  readonly aside: Readonly<Record<"not ready" | "readiness unknown" | "cordoned" | "virtual", readonly Fact<"nodes">[]>>;
  readonly pods: readonly PodsView[];
  readonly classes: readonly ClassFact[];
  readonly shims: readonly ShimFact[];
  /** Control planes of the mesh. */
  readonly controlPlanes: readonly Fact<"control-planes">[];
  /** What runtimes answered, by node. */
  readonly answers: ReadonlyMap<string, Fact<"runtime-answers">>;
  /** Wasm modules that objects of the mesh declare. */
  readonly meshModules: readonly MeshModuleFact[];
  /** Kinds of such objects of which a folder of manifests holds none, which does not show that the cluster has none. */
  readonly unseenMeshKinds: readonly string[];
  /** Images, those of each request by its selector. */
  readonly images: readonly Fact<"wasm-images">[];
  /** Was everything of this kind of fact seen? Then what is not there is not there. */
  complete(kind: Needed): boolean;
}

const CLOUDS: Readonly<Record<string, string>> = { aws: "aws", gce: "gcp", azure: "azure", alicloud: "alibaba", digitalocean: "digitalocean", openstack: "openstack" };

/** Everything of one cluster, each fact looked at once: cost grows with its facts, whatever the number of requirements. */
export function viewOf(cluster: Cluster, selector: Selector, world: HalWorld, asked: ReadonlySet<Needed>): ClusterView {
  const facts = <K extends Needed>(kind: K): readonly Fact<K>[] => (asked.has(kind) ? world.facts(kind, cluster.name) : []);
  const all = facts("nodes");
  const cloud = cluster.cloud ?? cloudOf(all);
  const selected = all.filter(({ data }) => isSelected(data, selector, cloud));
  const seen = facts("node-agents");
  const agents = seen.filter((fact): fact is AgentFact => fact.data.type === "agent");
  const ready = byNode(agents, ({ data }) => data.readyOn);
  const broken = byNode(agents, ({ data }) => data.notReadyOn);
  const features = mergedFeatures(facts("node-features"));
  const programs = Map.groupBy(facts("bpf-applications").map(({ data }) => data), ({ node }) => node);
  const classes = facts("runtime-classes");
  const declared = facts("wasm-modules");
  const place = declared.map(({ data }) => data).find((data): data is WasmPlace => data.type === "place");
  const pools = facts("declared").filter((fact): fact is PoolFact => fact.data.what === "pool");
  const aside: Record<keyof ClusterView["aside"], Fact<"nodes">[]> = { "not ready": [], "readiness unknown": [], cordoned: [], virtual: [] };
  const nodes: NodeView[] = [];
  for (const fact of selected) {
    const why = asideOf(fact.data);
    if (why !== undefined) aside[why].push(fact);
    else nodes.push({ fact, node: fact.data, isUnwatched: features.size > 0 && !features.has(fact.data.name), agents: ready.get(fact.data.name) ?? [], brokenAgents: broken.get(fact.data.name) ?? [], features: features.get(fact.data.name), programs: programs.get(fact.data.name) ?? [] });
  }
  return {
    cluster,
    cloud,
    isSelectable: selector.instanceTypes === undefined || cloud !== undefined || all.length === 0,
    nodes,
    // live nodes say more than what is declared, also those that prove nothing
    pools: selected.length > 0 ? [] : pools.filter(({ data }) => data.instanceTypes.length === 0 ? isPoolSelected(data, undefined, selector, cloud) : data.instanceTypes.some((type) => isPoolSelected(data, type, selector, cloud))),
    aside,
    pods: seen.filter((fact): fact is PodsFact => fact.data.type !== "agent").map((fact) => ({ fact, runningOn: new Set(fact.data.runningOn), failingOn: new Set(fact.data.failingOn) })),
    classes: classes.filter((fact): fact is ClassFact => fact.data.type === "class"),
    shims: classes.filter((fact): fact is ShimFact => fact.data.type === "shim"),
    controlPlanes: facts("control-planes"),
    answers: new Map(facts("runtime-answers").map((fact) => [fact.data.node, fact])),
    meshModules: declared.filter((fact): fact is MeshModuleFact => fact.data.type === "module"),
    unseenMeshKinds: place === undefined || place.complete ? [] : place.unseen,
    images: facts("wasm-images"),
    complete: (kind) => asked.has(kind) && world.complete(kind, cluster.name),
  };
}

/** What labels its nodes will bear a state does not tell: a selector by labels selects no declared pool. */
function isPoolSelected({ name }: DeclaredPool, instanceType: string | undefined, selector: Selector, cloud: string | undefined): boolean {
  return isSelected({ name, pool: name, instanceType, labels: {}, taints: [], cordoned: false }, selector, cloud);
}

/** Did the worker of its node write it? Then it bears the node's name; others add what they know. */
export function isOfWorker({ subject, data }: Fact<"node-features">): boolean {
  return subject.endsWith(`/${data.node}`);
}

/** A node may have several objects of Node Feature Discovery: its worker's own counts, and others add labels to it. */
function mergedFeatures(all: readonly Fact<"node-features">[]): ReadonlyMap<string, Fact<"node-features">> {
  const merged = new Map<string, Fact<"node-features">>();
  for (const fact of all) {
    const before = merged.get(fact.data.node);
    if (before === undefined) merged.set(fact.data.node, fact);
    else {
      const [less, more] = isOfWorker(before) ? [fact, before] : [before, fact];
      const data: NodeFeatureFact = { ...(isOfWorker(more) ? {} : less.data), ...more.data, labels: { ...less.data.labels, ...more.data.labels } };
      merged.set(fact.data.node, { ...more, data });
    }
  }
  return merged;
}

function byNode(agents: readonly AgentFact[], nodesOf: (fact: AgentFact) => readonly string[]): ReadonlyMap<string, readonly AgentFact[]> {
  const found = new Map<string, AgentFact[]>();
  for (const fact of agents) {
    for (const node of nodesOf(fact)) {
      const there = found.get(node);
      if (there === undefined) found.set(node, [fact]);
      else there.push(fact);
    }
  }
  return found;
}

/** The cloud that the nodes' ids name, where all that name one agree. */
function cloudOf(nodes: readonly Fact<"nodes">[]): string | undefined {
  const named = new Set(nodes.flatMap(({ data }) => (data.provider === undefined ? [] : [CLOUDS[data.provider] ?? data.provider])));
  const [only, second] = [...named];
  return second === undefined ? only : undefined;
}

/** A virtual node has no hardware of its own; one that is not ready or cordoned proves nothing of what pods get. */
function asideOf({ virtual, ready, cordoned }: NodeFact): keyof ClusterView["aside"] | undefined {
  if (virtual !== undefined) return "virtual";
  if (ready === undefined) return "readiness unknown";
  if (!ready) return "not ready";
  return cordoned ? "cordoned" : undefined;
}

function isSelected(node: NodeFact, { labels, pools, instanceTypes }: Selector, cloud: string | undefined): boolean {
  if (labels !== undefined && !Object.entries(labels).every(([key, value]) => Object.hasOwn(node.labels, key) && node.labels[key] === value)) return false;
  if (pools !== undefined && !pools.some((glob) => node.pool !== undefined && matchesGlob(glob, node.pool))) return false;
  if (instanceTypes === undefined) return true;
  const globs = cloud !== undefined && Object.hasOwn(instanceTypes, cloud) ? (instanceTypes[cloud] ?? []) : [];
  return globs.some((glob) => node.instanceType !== undefined && matchesGlob(glob, node.instanceType));
}
