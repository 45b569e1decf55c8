import { byText, canonical, type Cluster, type Fact, type Gap, type Io, type KubeObject, type KubernetesApi, type NodePool, type Source } from "#engine";
import { fieldsIn, listIn, textIn, type Fields } from "../fields.ts";
import { nodes } from "../resources.ts";
import { providerOf } from "./cluster.ts";

/**
 * Nodes in groups that nothing here tells apart: pool, architecture, type of machine, kubelet, taints and place.
 * Memory grows with the groups. A folder that holds no node shows none: that is a gap.
 */
export async function* readNodePools(cluster: Cluster, io: Io): AsyncIterable<Fact<"node-pools"> | Gap> {
  const api = await io.kubernetes();
  if (await api.unseen(nodes)) {
    return yield { type: "gap", kind: "node-pools", cluster: cluster.name, subject: cluster.name, reason: "the manifests hold no Node, so they do not show which nodes run", remedy: "add `kubectl get nodes -o yaml` of the running cluster to the folder" };
  }
  const groups = await groupsOf(api, io);
  for (const [key, { data, source }] of [...groups].toSorted(([a], [b]) => byText(a, b))) {
    yield { type: "fact", kind: "node-pools", cluster: cluster.name, subject: key, data, source: { collector: "kubernetes", ...source } };
  }
}

interface Group {
  data: NodePool;
  source: Omit<Source, "collector">;
}

async function groupsOf(api: KubernetesApi, io: Io): Promise<ReadonlyMap<string, Group>> {
  const groups = new Map<string, Group>();
  for await (const page of api.list(nodes)) {
    io.signal.throwIfAborted();
    if (page.restarted) groups.clear();
    for (const node of page.items) add(groups, node, () => page.source(node));
  }
  return groups;
}

function add(groups: Map<string, Group>, node: KubeObject, source: () => Group["source"]): void {
  const metadata = fieldsIn(node, "metadata");
  const name = textIn(metadata, "name");
  const labels = fieldsIn(metadata, "labels");
  // A virtual kubelet is no machine: it has a version of its own and no pool.
  if (name === undefined || textIn(labels, "type") === "virtual-kubelet") return;
  const alike = alikeOf(node, labels);
  const { pool, ...rest } = alike;
  const key = `${pool ?? "(no pool)"} ${canonical(rest)}`;
  const known = groups.get(key);
  const first = known === undefined || name < known.data.example;
  groups.set(key, { data: { ...alike, count: (known?.data.count ?? 0) + 1, example: first ? name : known.data.example }, source: first ? source() : known.source });
}

/** Which pool a node belongs to, as the cloud that made it says. */
const POOLS = ["eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "agentpool"];

function alikeOf(node: KubeObject, labels: Fields): Omit<NodePool, "count" | "example"> {
  const spec = fieldsIn(node, "spec");
  const info = fieldsIn(fieldsIn(node, "status"), "nodeInfo");
  const id = textIn(spec, "providerID") ?? "";
  const fields = {
    pool: POOLS.map((label) => textIn(labels, label, 128)).find((found) => found !== undefined),
    arch: textIn(info, "architecture", 32) ?? textIn(labels, "kubernetes.io/arch", 32),
    instanceType: textIn(labels, "node.kubernetes.io/instance-type", 128) ?? textIn(labels, "beta.kubernetes.io/instance-type", 128),
    kubelet: textIn(info, "kubeletVersion", 100),
    cloud: providerOf(id),
    region: textIn(labels, "topology.kubernetes.io/region", 128),
    account: /^azure:\/\/\/subscriptions\/([0-9a-f-]{36})\//i.exec(id)?.[1]?.toLowerCase() ?? /^gce:\/\/([\w.:-]{1,128})\//.exec(id)?.[1],
    group: /^azure:\/\/\/subscriptions\/[^/]+\/resourceGroups\/([^/]{1,90})\//i.exec(id)?.[1]?.toLowerCase(),
    taints: listIn(spec, "taints").flatMap(taintOf).toSorted(),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as typeof fields;
}

/** Taints of nodes that start, stop or are cordoned: they come and go by themselves. */
const PASSING = [
  "node.kubernetes.io/",
  "node.cloudprovider.kubernetes.io/",
  "node.cilium.io/",
  "node.cluster.x-k8s.io/",
  "ToBeDeletedByClusterAutoscaler",
  "DeletionCandidateOfClusterAutoscaler",
  "cloud.google.com/impending-node-termination",
  "karpenter.sh/disrupted",
  "karpenter.sh/unregistered",
];

function taintOf(taint: unknown): readonly string[] {
  const key = textIn(taint, "key", 317);
  const value = textIn(taint, "value", 63);
  if (key === undefined || PASSING.some((prefix) => key.startsWith(prefix)) || key.endsWith("/agent-not-ready")) return [];
  return [`${key}${value === undefined ? "" : `=${value}`}:${textIn(taint, "effect", 32) ?? ""}`];
}
