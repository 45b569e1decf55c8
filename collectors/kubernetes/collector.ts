import { defineCollector, objectsRequest, type Cluster, type Fact, type Gap, type Io, type Request } from "#engine";
import { bpfStates, CILIUM_CONFIG, configMaps, daemonSets, ISTIO_SYSTEM, KUBE_SYSTEM, namespaces, nodeFeatures, nodes, pods, probeRights, right, routing, runtimeClasses, shims } from "./resources.ts";
import { readBpfApplications } from "./readers/bpf-applications.ts";
import { readCluster } from "./readers/cluster.ts";
import { readNodeAgents } from "./readers/node-agents.ts";
import { readNodeFeatures } from "./readers/node-features.ts";
import { readNodes } from "./readers/nodes.ts";
import { readObjects } from "./readers/objects.ts";
import { readProxies } from "./readers/proxies.ts";
import { readRouting } from "./readers/routing.ts";
import { readRuntimeClasses } from "./readers/runtime-classes.ts";

type Provided = "bpf-applications" | "cluster" | "envoy-proxies" | "node-agents" | "node-features" | "nodes" | "objects" | "routing" | "runtime-classes";

export default defineCollector<Provided>({
  name: "kubernetes",
  summary: "who a cluster is, what its nodes offer, which proxies run in it and what routes their requests, as its API server tells",
  provides: ["bpf-applications", "cluster", "envoy-proxies", "node-agents", "node-features", "nodes", "objects", "routing", "runtime-classes"],

  async *collect(cluster, requests, io) {
    const objects = requests.filter(({ fact }) => fact === "objects");
    if (objects.length > 0) yield* readObjects(cluster, objects, io);
    for (const request of requests) yield* read(cluster, request, io);
  },

  permissions({ fact, options }, probes) {
    switch (fact) {
      case "objects":
        // Which resource a kind is, only the API itself knows: what a list lacks is told when it is refused.
        return [];
      case "envoy-proxies":
        return [right("list", pods), ...probeRights(probes)];
      case "routing":
        return [...routing.map((resource) => right("list", resource)), right("list", pods), { ...right("get", configMaps), namespace: ISTIO_SYSTEM, name: "istio" }];
      case "nodes":
        return [right("list", nodes)];
      case "node-features":
        return [right("list", nodeFeatures)];
      case "node-agents":
        return [right("list", pods), right("list", daemonSets), { ...right("get", configMaps), namespace: KUBE_SYSTEM, name: CILIUM_CONFIG }];
      case "runtime-classes":
        return [right("list", runtimeClasses), right("list", shims)];
      case "bpf-applications":
        return bpfStates.map((resource) => right("list", resource));
      case "cluster":
        return [{ ...right("get", namespaces), name: KUBE_SYSTEM }, ...(options?.["nodes"] === true ? [right("list", nodes)] : [])];
      default:
        return fact satisfies never;
    }
  },

  everything: () => [{ fact: "cluster", options: { nodes: true } }, { fact: "envoy-proxies" }, { fact: "routing" }, ...HARDWARE.map((fact) => ({ fact })), objectsRequest({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" }, { only: true, paths: [["metadata", "labels"], ["metadata", "annotations"]] })],
});

/** What nodes offer: asked where a hardware profile needs it. */
const HARDWARE = ["bpf-applications", "node-agents", "node-features", "nodes", "runtime-classes"] as const;

function read(cluster: Cluster, request: Request<Provided>, io: Io): AsyncIterable<Fact<Provided> | Gap> {
  switch (request.fact) {
    case "cluster":
      return readCluster(cluster, request, io);
    case "envoy-proxies":
      return readProxies(cluster, io);
    case "objects":
      return nothing();
    case "routing":
      return readRouting(cluster, io);
    case "nodes":
      return readNodes(cluster, io);
    case "node-features":
      return readNodeFeatures(cluster, io);
    case "node-agents":
      return readNodeAgents(cluster, io);
    case "runtime-classes":
      return readRuntimeClasses(cluster, io);
    case "bpf-applications":
      return readBpfApplications(cluster, io);
    default:
      return request.fact satisfies never;
  }
}

/** All requests for objects are answered together. */
async function* nothing(): AsyncIterable<never> {}
