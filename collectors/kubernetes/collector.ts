import { defineCollector, type Cluster, type Fact, type Gap, type Io, type Request } from "#engine";
import { KUBE_SYSTEM, namespaces, nodes, pods, probeRights, right } from "./resources.ts";
import { readCluster } from "./readers/cluster.ts";
import { readProxies } from "./readers/proxies.ts";

type Provided = "cluster" | "envoy-proxies";

export default defineCollector<Provided>({
  name: "kubernetes",
  summary: "who a cluster is and which proxies run in it, as its API server tells",
  provides: ["cluster", "envoy-proxies"],

  async *collect(cluster, requests, io) {
    for (const request of requests) yield* read(cluster, request, io);
  },

  permissions({ fact, options }, probes) {
    if (fact === "envoy-proxies") return [right("list", pods), ...probeRights(probes)];
    return [{ ...right("get", namespaces), name: KUBE_SYSTEM }, ...(options?.["nodes"] === true ? [right("list", nodes)] : [])];
  },

  everything: () => [{ fact: "cluster", options: { nodes: true } }, { fact: "envoy-proxies" }],
});

function read(cluster: Cluster, request: Request<Provided>, io: Io): AsyncIterable<Fact<Provided> | Gap> {
  switch (request.fact) {
    case "cluster":
      return readCluster(cluster, request, io);
    case "envoy-proxies":
      return readProxies(cluster, io);
    default:
      return request.fact satisfies never;
  }
}
