import { CollectError, type Cluster, type Fact, type Gap, type Io, type KubeObject, type KubernetesApi, type NodeResource, type NodeSeen, type NodeTaint, type Source } from "#engine";
import { fieldsIn, listIn, textIn, type Fields } from "../fields.ts";
import { nodeFeatures, nodes } from "../resources.ts";

/**
 * One fact for each node, with what it offers.
 *
 * Guarantees:
 *
 * 1. Nothing is kept of a node but what stands in {@link NodeSeen}: no address, no image list, no annotation.
 * 2. Without the right to list NodeFeature objects the nodes are there all the same, and the gap names the right.
 * 3. A folder that holds no node shows none: that is a gap.
 */
export async function* readNodes(cluster: Cluster, io: Io): AsyncIterable<Fact<"nodes"> | Gap> {
  const api = await io.kubernetes();
  if (await api.unseen(nodes)) {
    return yield { type: "gap", kind: "nodes", cluster: cluster.name, subject: cluster.name, reason: "the manifests hold no Node, so they do not show what nodes offer", remedy: "add `kubectl get nodes -o yaml` of the running cluster to the folder" };
  }
  const [seen, options] = await Promise.all([listedNodes(api, io), kernelOptions(api, io)]);
  if (options instanceof CollectError) yield { type: "gap", kind: "nodes", cluster: cluster.name, subject: `${cluster.name}/nodefeatures`, reason: options.message, remedy: options.remedy };
  const kernels = options instanceof CollectError ? new Map<string, Readonly<Record<string, string>>>() : options;
  for (const { node, source } of seen) {
    const kernelConfig = kernels.get(node.name);
    yield { type: "fact", kind: "nodes", cluster: cluster.name, subject: node.name, data: { ...node, ...(kernelConfig === undefined ? {} : { kernelConfig }) }, source: { collector: "kubernetes", ...source } };
  }
}

interface Listed {
  readonly node: NodeSeen;
  readonly source: Omit<Source, "collector">;
}

async function listedNodes(api: KubernetesApi, io: Io): Promise<readonly Listed[]> {
  let found: Listed[] = [];
  for await (const page of api.list(nodes)) {
    io.signal.throwIfAborted();
    if (page.restarted) found = [];
    for (const item of page.items) {
      const node = nodeOf(item);
      if (node !== undefined) found.push({ node, source: page.source(item) });
    }
    io.progress(`${found.length} nodes`);
  }
  return found;
}

/** Kernel options by node. A cluster without Node Feature Discovery serves no such kind, which is an empty list. */
async function kernelOptions(api: KubernetesApi, io: Io): Promise<ReadonlyMap<string, Readonly<Record<string, string>>> | CollectError> {
  try {
    const found = new Map<string, Readonly<Record<string, string>>>();
    for await (const page of api.list(nodeFeatures)) {
      io.signal.throwIfAborted();
      if (page.restarted) found.clear();
      for (const item of page.items) {
        const metadata = fieldsIn(item, "metadata");
        const node = textIn(fieldsIn(metadata, "labels"), "nfd.node.kubernetes.io/node-name", 253) ?? textIn(metadata, "name", 253);
        const elements = fieldsIn(fieldsIn(fieldsIn(fieldsIn(fieldsIn(item, "spec"), "features"), "attributes"), "kernel.config"), "elements");
        if (node !== undefined) found.set(node, Object.fromEntries(KERNEL_OPTIONS.flatMap((name) => Object.entries({ [name]: textIn(elements, name, 16) }).filter((entry): entry is [string, string] => entry[1] !== undefined))));
      }
    }
    return found;
  } catch (error) {
    if (error instanceof CollectError && error.unreachable !== true) return error;
    throw error;
  }
}

/** Options of the kernel that programs in it need; the whole configuration has thousands. */
const KERNEL_OPTIONS = ["BPF", "BPF_SYSCALL", "BPF_JIT", "BPF_LSM", "CGROUP_BPF", "DEBUG_INFO_BTF", "NET_CLS_BPF", "NET_CLS_ACT", "NET_SCH_INGRESS", "XDP_SOCKETS", "BPF_STREAM_PARSER", "FPGA", "FPGA_DFL"];

/** Which pool a node belongs to, as the cloud that made it says. */
const POOLS = ["eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "agentpool", "karpenter.sh/nodepool"];
const MOST_TAINTS = 100;

function nodeOf(item: KubeObject): NodeSeen | undefined {
  const metadata = fieldsIn(item, "metadata");
  const name = textIn(metadata, "name", 253);
  if (name === undefined) return undefined;
  const [spec, status] = [fieldsIn(item, "spec"), fieldsIn(item, "status")];
  const labels = textsOf(fieldsIn(metadata, "labels"), 63);
  const info = fieldsIn(status, "nodeInfo");
  const label = (...keys: readonly string[]) => keys.map((key) => textIn(labels, key, 253)).find((found) => found !== undefined);
  const optional = {
    machine: label("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"),
    pool: label(...POOLS),
    region: label("topology.kubernetes.io/region"),
    ready: readyOf(status),
    virtual: virtualOf(labels, spec),
    handlers: handlersOf(status),
  };
  return {
    name,
    arch: textIn(info, "architecture", 64) ?? "",
    system: textIn(info, "operatingSystem", 64) ?? "",
    kernel: textIn(info, "kernelVersion", 256) ?? "",
    osImage: textIn(info, "osImage", 256) ?? "",
    runtime: textIn(info, "containerRuntimeVersion", 256) ?? "",
    kubelet: textIn(info, "kubeletVersion", 256) ?? "",
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as typeof optional),
    labels,
    taints: listIn(spec, "taints").slice(0, MOST_TAINTS).flatMap(taintOf),
    cordoned: spec["unschedulable"] === true,
    resources: resourcesOf(status),
  };
}

/** The texts of a map of labels, by key. */
function textsOf(map: Fields, longest: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.keys(map)
      .toSorted()
      .filter((key) => key.length <= 317 && typeof map[key] === "string")
      .map((key) => [key, String(map[key]).slice(0, longest)]),
  );
}

function taintOf(taint: unknown): readonly NodeTaint[] {
  const [key, value, effect] = [textIn(taint, "key", 317), textIn(taint, "value", 63), textIn(taint, "effect", 32)];
  return key === undefined || effect === undefined ? [] : [{ key, ...(value === undefined ? {} : { value }), effect }];
}

/** `True` and `False` of the condition; `Unknown`, or none, is not known. */
function readyOf(status: Fields): boolean | undefined {
  const said = listIn(status, "conditions").find((condition) => textIn(condition, "type") === "Ready");
  const word = textIn(said, "status", 16);
  return word === "True" ? true : word === "False" ? false : undefined;
}

/** Fargate of EKS names its nodes by a label, virtual kubelets by theirs or by the provider's id. */
function virtualOf(labels: Fields, spec: Fields): string | undefined {
  if (textIn(labels, "eks.amazonaws.com/compute-type") === "fargate") return "Fargate";
  const id = textIn(spec, "providerID") ?? "";
  if (/^aws:\/\/\/.*\/fargate-/.test(id)) return "Fargate";
  if (textIn(labels, "type") === "virtual-kubelet" || /^(?:azure|vk|virtual-kubelet):\/\/.*(?:virtual-?kubelet|aci-connector)/i.test(id)) return "virtual kubelet";
  return undefined;
}

function handlersOf(status: Fields): readonly string[] | undefined {
  const told = listIn(status, "runtimeHandlers");
  if (told.length === 0) return undefined;
  return [...new Set(told.map((handler) => textIn(handler, "name", 253) ?? ""))].toSorted();
}

/** Extended resources have a domain in their names; those of Kubernetes itself have its own. */
function resourcesOf(status: Fields): Readonly<Record<string, NodeResource>> {
  const [capacity, allocatable] = [fieldsIn(status, "capacity"), fieldsIn(status, "allocatable")];
  const names = [...new Set([...Object.keys(capacity), ...Object.keys(allocatable)])].filter((name) => name.includes("/") && name.length <= 317 && !/(?:^|\.)kubernetes\.io\//.test(name)).toSorted();
  return Object.fromEntries(names.slice(0, 200).map((name) => [name, { ...numberIn("capacity", capacity[name]), ...numberIn("allocatable", allocatable[name]) }]));
}

function numberIn(key: "capacity" | "allocatable", value: unknown): NodeResource {
  return typeof value === "string" || typeof value === "number" ? { [key]: String(value).slice(0, 64) } : {};
}
