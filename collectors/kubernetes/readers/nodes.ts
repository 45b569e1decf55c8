import type { Cluster, Fact, Gap, Io, KubeObject, NodeFact, NodeTaint } from "#engine";
import { fieldsIn, listIn, textIn, textsIn, type Fields } from "../fields.ts";
import { nodes } from "../resources.ts";
import { listAll, unseenGap } from "./lists.ts";

/**
 * One fact for each node: what its kubelet reports, its labels and its taints.
 *
 * 1. Of resources only those with a domain are kept; of a node's addresses, images and annotations nothing.
 * 2. A folder without any Node does not show what nodes there are: a gap.
 */
export async function* readNodes(cluster: Cluster, io: Io): AsyncIterable<Fact<"nodes"> | Gap> {
  const api = await io.kubernetes();
  const blind = await unseenGap(api, cluster, "nodes", nodes);
  if (blind !== undefined) return yield blind;
  for (const { item, source } of await listAll(nodes, api, io)) {
    const data = nodeFact(item);
    if (data !== undefined) yield { type: "fact", kind: "nodes", cluster: cluster.name, subject: data.name, data, source: { collector: "kubernetes", ...source } };
  }
}

/** Labels with the name of a node's pool, by the cloud or the program that makes it. */
const POOLS = ["eks.amazonaws.com/nodegroup", "karpenter.sh/nodepool", "cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "agentpool"];
const MACHINES = ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"];

function nodeFact(node: KubeObject): NodeFact | undefined {
  const [metadata, spec, status] = [fieldsIn(node, "metadata"), fieldsIn(node, "spec"), fieldsIn(node, "status")];
  const name = textIn(metadata, "name", 253);
  if (name === undefined) return undefined;
  const labels = textsIn(metadata, "labels");
  const label = (keys: readonly string[]) => keys.map((key) => labels[key]).find((found) => found !== undefined);
  const provider = textIn(spec, "providerID") ?? "";
  const ready = textIn(
    listIn(status, "conditions").find((condition) => textIn(condition, "type") === "Ready"),
    "status",
    16,
  );
  const handlers = listIn(status, "runtimeHandlers");
  return {
    name,
    ...texts({
      ...infoOf(fieldsIn(status, "nodeInfo")),
      provider: provider.includes("://") ? provider.split("://", 1)[0]?.slice(0, 64) : undefined,
      instanceType: label(MACHINES),
      pool: label(POOLS),
      virtual: virtualOf(labels, provider),
    }),
    labels,
    taints: listIn(spec, "taints").slice(0, 100).flatMap(taintOf),
    ...resourcesIn(status, "capacity"),
    ...resourcesIn(status, "allocatable"),
    // The default handler has no name: a list that holds it alone says that there is no other.
    ...(handlers.length === 0 ? {} : { handlers: [...new Set(handlers.map((handler) => textIn(handler, "name", 253) ?? ""))].toSorted() }),
    ...(ready === undefined ? {} : { ready: ready === "True" }),
    cordoned: spec["unschedulable"] === true,
  };
}

function infoOf(info: Fields): Readonly<Record<string, string | undefined>> {
  return {
    arch: textIn(info, "architecture", 64),
    operatingSystem: textIn(info, "operatingSystem", 64),
    kernel: textIn(info, "kernelVersion", 256),
    osImage: textIn(info, "osImage", 256),
    runtime: textIn(info, "containerRuntimeVersion", 256),
    kubelet: textIn(info, "kubeletVersion", 256),
  };
}

/** Fargate of EKS and virtual kubelets show nodes behind which no machine of the cluster stands. */
function virtualOf(labels: Readonly<Record<string, string>>, provider: string): string | undefined {
  if (labels["eks.amazonaws.com/compute-type"] === "fargate" || /^aws:\/\/\/.*\/fargate-[^/]*$/.test(provider)) return "fargate";
  return labels["type"] === "virtual-kubelet" ? "virtual-kubelet" : undefined;
}

function taintOf(taint: unknown): readonly NodeTaint[] {
  const [key, effect, value] = [textIn(taint, "key", 317), textIn(taint, "effect", 64), textIn(taint, "value", 63)];
  return key === undefined || effect === undefined ? [] : [{ key, effect, ...(value === undefined ? {} : { value }) }];
}

/** Extended resources have a domain that is not Kubernetes' own. */
function resourcesIn(status: Fields, list: "capacity" | "allocatable"): Pick<NodeFact, "capacity" | "allocatable"> {
  if (status[list] === undefined) return {};
  const extended = Object.entries(textsIn(status, list, 64)).filter(([name]) => name.includes("/") && !/(?:^|\.)kubernetes\.io\//.test(name));
  return { [list]: Object.fromEntries(extended) };
}

function texts(fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
