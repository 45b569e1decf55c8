import { defineCollector, objectsRequest, type Cluster, type Fact, type Gap, type Io, type Request } from "#engine";
import { KUBE_SYSTEM, namespaces, nodes, pods, probeRights, right } from "./resources.ts";
import { readCluster } from "./readers/cluster.ts";
import { readObjects } from "./readers/objects.ts";
import { readProxies } from "./readers/proxies.ts";

type Provided = "cluster" | "envoy-proxies" | "objects";

export default defineCollector<Provided>({
  name: "kubernetes",
  summary: "who a cluster is and which proxies run in it, as its API server tells",
  provides: ["cluster", "envoy-proxies", "objects"],

  async *collect(cluster, requests, io) {
    const objects = requests.filter(({ fact }) => fact === "objects");
    if (objects.length > 0) yield* readObjects(cluster, objects, io);
    for (const request of requests) yield* read(cluster, request, io);
  },

  permissions({ fact, options }, probes) {
    // Which resource a kind is, only the API itself knows: what a list lacks is told when it is refused.
    if (fact === "objects") return [];
    if (fact === "envoy-proxies") return [right("list", pods), ...probeRights(probes)];
    return [{ ...right("get", namespaces), name: KUBE_SYSTEM }, ...(options?.["nodes"] === true ? [right("list", nodes)] : [])];
  },

  everything: () => [{ fact: "cluster", options: { nodes: true } }, { fact: "envoy-proxies" }, objectsRequest({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" }, { only: true, paths: [["metadata", "labels"], ["metadata", "annotations"]] })],
});

function read(cluster: Cluster, request: Request<Provided>, io: Io): AsyncIterable<Fact<Provided> | Gap> {
  switch (request.fact) {
    case "cluster":
      return readCluster(cluster, request, io);
    case "envoy-proxies":
      return readProxies(cluster, io);
    case "objects":
      return nothing();
    default:
      return request.fact satisfies never;
  }
}

/** All requests for objects are answered together. */
async function* nothing(): AsyncIterable<never> {}
