import { digestOf, type Cluster, type Fact, type Gap, type Io, type NodeWorkload } from "#engine";
import { nodes, pods } from "../resources.ts";
import { scanPods } from "./pods.ts";

/** Agents, proxies and pods of runtime classes, each with the nodes that they run on. A folder that holds no pod shows none: that is a gap. */
export async function* readNodeWorkloads(cluster: Cluster, io: Io): AsyncIterable<Fact<"node-workloads"> | Gap> {
  const api = await io.kubernetes();
  if (api.place !== "live" && ((await api.unseen(pods)) || (await api.unseen(nodes)))) {
    return yield { type: "gap", kind: "node-workloads", cluster: cluster.name, subject: cluster.name, reason: "the manifests hold no Pod, or no Node, so they do not show what runs on nodes", remedy: "add `kubectl get pods,nodes -A -o yaml` of the running cluster to the folder; write `complete: true` if the folder is the whole dump" };
  }
  const { onNodes } = await scanPods(api, io);
  for (const { data, source } of onNodes) yield { type: "fact", kind: "node-workloads", cluster: cluster.name, subject: subjectOf(data), data, source: { collector: "kubernetes", ...source } };
}

function subjectOf(data: NodeWorkload): string {
  switch (data.what) {
    case "agent":
      return `agent ${data.agent} ${data.namespace}/${data.name} ${mark(data.image, data.imageId, data.mode)}`;
    case "mesh":
      return `mesh ${data.dataplane}`;
    case "runtime":
      return `runtime class ${data.runtimeClass} ${mark(data.image, data.imageId, data.sidecar, data.marks)}`;
    default:
      return data satisfies never;
  }
}

/** Tells groups of one name apart. */
function mark(...parts: readonly unknown[]): string {
  return digestOf(parts.map((part) => part ?? null)).slice(0, 8);
}
