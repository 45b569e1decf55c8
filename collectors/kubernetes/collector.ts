import { defineCollector, objectsRequest, type Cluster, type Fact, type Gap, type Io, type Request } from "#engine";
import { bpfStates, CILIUM_CONFIG, configMaps, daemonSets, ISTIO_SYSTEM, KUBE_SYSTEM, managedRevisions, namespaces, nodeFeatures, nodes, pods, probeRights, right, routing, runtimeClasses, shims } from "./resources.ts";
import { readBpfApplications } from "./readers/bpf-applications.ts";
import { readCluster } from "./readers/cluster.ts";
import { readControlPlanes } from "./readers/control-planes.ts";
import { readNodeAgents } from "./readers/node-agents.ts";
import { readNodeFeatures } from "./readers/node-features.ts";
import { readNodePools } from "./readers/node-pools.ts";
import { readNodes } from "./readers/nodes.ts";
import { readObjects } from "./readers/objects.ts";
import { readProxies } from "./readers/proxies.ts";
import { readRouting } from "./readers/routing.ts";
import { readRuntimeClasses } from "./readers/runtime-classes.ts";
import { readServerVersion } from "./readers/server-version.ts";

/** What nodes offer: asked where a hardware profile needs it. */
const HARDWARE = ["bpf-applications", "node-agents", "node-features", "nodes", "runtime-classes"] as const;

type Provided = (typeof HARDWARE)[number] | "cluster" | "control-planes" | "envoy-proxies" | "node-pools" | "objects" | "routing" | "server-version";

export default defineCollector<Provided>({
  name: "kubernetes",
  summary: "who a cluster is, what its nodes offer, which control planes and proxies run in it and what routes their requests, as its API server tells",
  provides: [...HARDWARE, "cluster", "control-planes", "envoy-proxies", "node-pools", "objects", "routing", "server-version"],

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
      case "server-version":
        // `/version` is open to everybody who is known.
        return [];
      case "node-pools":
      case "nodes":
        return [right("list", nodes)];
      case "control-planes":
        return [right("list", pods), right("list", managedRevisions)];
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

  everything: () => [{ fact: "cluster", options: { nodes: true } }, { fact: "control-planes" }, { fact: "envoy-proxies" }, { fact: "node-pools" }, { fact: "routing" }, { fact: "server-version" }, ...HARDWARE.map((fact) => ({ fact })), objectsRequest({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" }, { only: true, paths: [["metadata", "labels"], ["metadata", "annotations"]] })],
});

function read(cluster: Cluster, request: Request<Provided>, io: Io): AsyncIterable<Fact<Provided> | Gap> {
  switch (request.fact) {
    case "cluster":
      return readCluster(cluster, request, io);
    case "control-planes":
      return readControlPlanes(cluster, io);
    case "envoy-proxies":
      return readProxies(cluster, io);
    case "node-pools":
      return readNodePools(cluster, io);
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
    case "server-version":
      return readServerVersion(cluster, io);
    default:
      return request.fact satisfies never;
  }
}

/** All requests for objects are answered together. */
async function* nothing(): AsyncIterable<never> {}
