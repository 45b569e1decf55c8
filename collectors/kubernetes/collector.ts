import { defineCollector, isSecretKind, objectsRequest, type Cluster, type Fact, type Gap, type Io, type Request } from "#engine";
import { bpfStates, CILIUM_CONFIG, ciliumNodeConfigs, configMaps, daemonSets, ISTIO_SYSTEM, KUBE_SYSTEM, managedRevisions, namespaces, nodeFeatures, nodes, pods, probeRights, right, routing, runtimeClasses, shims, wasmDeclaring } from "./resources.ts";
import { readAddons } from "./readers/add-ons.ts";
import { readApiServer } from "./readers/api-server.ts";
import { readBpfApplications } from "./readers/bpf-applications.ts";
import { readCluster } from "./readers/cluster.ts";
import { readControlPlanes } from "./readers/control-planes.ts";
import { readLoadedRoutes } from "./readers/loaded-routes.ts";
import { readNodeAgents } from "./readers/node-agents.ts";
import { readNodeFeatures } from "./readers/node-features.ts";
import { readNodePools } from "./readers/node-pools.ts";
import { readNodes } from "./readers/nodes.ts";
import { readObjects } from "./readers/objects.ts";
import { expectPods } from "./readers/pods.ts";
import { readProxies } from "./readers/proxies.ts";
import { readRouting } from "./readers/routing.ts";
import { readRuntimeAnswers } from "./readers/runtime-answers.ts";
import { readRuntimeClasses } from "./readers/runtime-classes.ts";
import { readServerVersion } from "./readers/server-version.ts";
import { readWasmLoaded } from "./readers/wasm-loaded.ts";
import { readWasmModules } from "./readers/wasm-modules.ts";

/** What nodes offer: asked where a hardware profile needs it. */
const HARDWARE = ["bpf-applications", "node-agents", "node-features", "nodes", "runtime-classes"] as const;

type Provided = (typeof HARDWARE)[number] | "runtime-answers" | "add-ons" | "api-server" | "cluster" | "control-planes" | "envoy-proxies" | "loaded-routes" | "node-pools" | "objects" | "routing" | "server-version" | "wasm-loaded" | "wasm-modules";

export default defineCollector<Provided>({
  name: "kubernetes",
  summary: "who a cluster is, what its nodes offer, which control planes and proxies run in it, what routes their requests and what of it proxies have loaded, as its API server tells",
  provides: [...HARDWARE, "runtime-answers", "add-ons", "api-server", "cluster", "control-planes", "envoy-proxies", "loaded-routes", "node-pools", "objects", "routing", "server-version", "wasm-loaded", "wasm-modules"],

  async *collect(cluster, requests, io) {
    for (const { fact } of requests) expectPods(io, fact);
    const objects = requests.filter(({ fact }) => fact === "objects");
    if (objects.length > 0) yield* readObjects(cluster, objects, io);
    for (const request of requests) yield* read(cluster, request, io);
  },

  permissions({ fact, options }, probes) {
    switch (fact) {
      case "objects":
        // Which resource a kind is, only the API itself knows: see `lists`.
        return [];
      case "add-ons":
        return [right("list", pods)];
      case "envoy-proxies":
        return [right("list", pods), ...probeRights(probes)];
      case "loaded-routes":
      case "wasm-loaded":
        return [right("list", pods), ...probeRights(probes.filter((probe) => probe === "admin"))];
      case "wasm-modules":
        return wasmDeclaring.map((resource) => right("list", resource));
      case "routing":
        return [...routing.map((resource) => right("list", resource)), right("list", pods), { ...right("get", configMaps), namespace: ISTIO_SYSTEM, name: "istio" }];
      case "api-server":
      case "server-version":
        // The one asks nothing, and `/version` is open to everybody who is known.
        return [];
      case "node-pools":
      case "nodes":
        return [right("list", nodes)];
      case "control-planes":
        return [right("list", pods), right("list", managedRevisions)];
      case "node-features":
        return [right("list", nodeFeatures)];
      case "node-agents":
        return [right("list", pods), right("list", daemonSets), right("list", ciliumNodeConfigs), { ...right("get", configMaps), namespace: KUBE_SYSTEM, name: CILIUM_CONFIG }];
      case "runtime-classes":
        return [right("list", runtimeClasses), right("list", shims)];
      case "runtime-answers":
        return [right("list", pods), ...probeRights(probes.includes("nodes") ? ["metrics"] : [])];
      case "bpf-applications":
        return bpfStates.map((resource) => right("list", resource));
      case "cluster":
        return [{ ...right("get", namespaces), name: KUBE_SYSTEM }, ...(options?.["nodes"] === true ? [right("list", nodes)] : [])];
      default:
        return fact satisfies never;
    }
  },

  lists: ({ fact, options }) => (fact === "objects" ? listedKind(options) : undefined),

  everything: () => [{ fact: "cluster", options: { nodes: true } }, { fact: "add-ons" }, { fact: "api-server" }, { fact: "control-planes" }, { fact: "envoy-proxies" }, { fact: "loaded-routes" }, { fact: "node-pools" }, { fact: "routing" }, { fact: "runtime-answers" }, { fact: "server-version" }, { fact: "wasm-modules" }, { fact: "wasm-loaded" }, ...HARDWARE.map((fact) => ({ fact })), objectsRequest({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" }, { only: true, paths: [["metadata", "labels"], ["metadata", "annotations"]] })],
});

function read(cluster: Cluster, request: Request<Provided>, io: Io): AsyncIterable<Fact<Provided> | Gap> {
  switch (request.fact) {
    case "cluster":
      return readCluster(cluster, request, io);
    case "add-ons":
      return readAddons(cluster, io);
    case "api-server":
      return readApiServer(cluster, io);
    case "control-planes":
      return readControlPlanes(cluster, io);
    case "envoy-proxies":
      return readProxies(cluster, io);
    case "loaded-routes":
      return readLoadedRoutes(cluster, request, io);
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
    case "runtime-answers":
      return readRuntimeAnswers(cluster, request, io);
    case "server-version":
      return readServerVersion(cluster, io);
    case "wasm-loaded":
      return readWasmLoaded(cluster, { ...request, fact: "wasm-loaded" }, io);
    case "wasm-modules":
      return readWasmModules(cluster, io);
    default:
      return request.fact satisfies never;
  }
}

function listedKind(options: Request["options"]): { readonly apiVersion: string; readonly kind: string } | undefined {
  const { apiVersion, kind } = options ?? {};
  return typeof apiVersion !== "string" || typeof kind !== "string" || isSecretKind({ apiVersion, kind }) ? undefined : { apiVersion, kind };
}

/** All requests for objects are answered together. */
async function* nothing(): AsyncIterable<never> {}
