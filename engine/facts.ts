import type { AddonFact, ApiServerFact, ControlPlaneFact, DeclaredFact, NodePool, ServerVersion } from "./declared.ts";
import type { BpfApplication, NodeAgent, NodeFact, NodeFeatureFact, NodePods, RuntimeAnswer, RuntimeClassFact } from "./hardware.ts";
import type { JsonObject } from "./json.ts";
import type { ObjectsFact } from "./objects.ts";
import type { WasmImage, WasmLoadedFact, WasmModulesFact } from "./wasm.ts";

/**
 * Every kind of fact there is, on one page. A plug-in adds its own by declaration merging:
 *
 * ```ts
 * declare module "cloud-assert" {
 *   interface FactTypes { "kernel-modules": { readonly names: readonly string[] } }
 * }
 * ```
 */
export interface FactTypes {
  /** Add-ons of the cloud that run, each image of its own. */
  "add-ons": AddonFact;
  /** Who and where a cluster is. Asked of every cluster, before anything else. */
  cluster: ClusterFact;
  /** Control planes of the mesh that run, each revision and image of its own. */
  "control-planes": ControlPlaneFact;
  /** What Terraform states say of the cluster. */
  declared: DeclaredFact;
  /** Running proxies of one workload that run the same image. */
  "envoy-proxies": EnvoyProxies;
  /** Nodes of one pool that are alike. */
  "node-pools": NodePool;
  /** Objects of any kind that an assertion selects, and what the cluster knows of that kind. */
  objects: ObjectsFact;
  /** What routes requests in one cluster: its objects, and one fact about the place that holds them. */
  routing: RoutingObject | RoutingPlace;
  /** Each node, as its own object tells. */
  nodes: NodeFact;
  /** What Node Feature Discovery saw on nodes. */
  "node-features": NodeFeatureFact;
  /** Programs that make nodes what they are, pods that show what nodes can do, and where both run. */
  "node-agents": NodeAgent | NodePods;
  /** Runtime classes, and what installs their runtimes. */
  "runtime-classes": RuntimeClassFact;
  /** What runtimes behind runtime classes answer over HTTP. */
  "runtime-answers": RuntimeAnswer;
  /** What bpfman loaded on nodes. */
  "bpf-applications": BpfApplication;
  /** By which address and authority the API server is reached, as digests. */
  "api-server": ApiServerFact;
  /** The version of the API server. */
  "server-version": ServerVersion;
  /** What routes requests in proxies of one workload that have loaded the same. Asked of the proxies themselves. */
  "loaded-routes": LoadedRoutes;
  /** Wasm modules that a cluster declares. */
  "wasm-modules": WasmModulesFact;
  /** What the references of Wasm modules resolve to: digests, bytes, signatures. */
  "wasm-images": WasmImage;
  /** Wasm modules that proxies have loaded. */
  "wasm-loaded": WasmLoadedFact;
}

export type FactKind = Extract<keyof FactTypes, string>;

export interface ClusterFact {
  readonly kubeSystemUid?: string | undefined;
  /** SHA-256 of the certificate authority that the API server's certificate was checked against: evidence, not identity. */
  readonly apiServerCaSha256?: string | undefined;
  /** `gitVersion` of `/version`, as it stands. */
  readonly serverVersion?: string | undefined;
  readonly cloud?: string | undefined;
  readonly region?: string | undefined;
  /** `eks`, `gke`, `gke-autopilot`, `aks`, `eks-fargate` … where it shows. */
  readonly flavour?: string | undefined;
  /** What was seen that speaks for a cloud, one line a signal. */
  readonly signals: readonly CloudSignal[];
}

export interface CloudSignal {
  /** `providerID` and `labels` are the two signals of the nodes. */
  readonly signal: "providerID" | "labels" | "serverVersion";
  readonly cloud: string;
  /** An example of what was seen. */
  readonly example: string;
}

export type ProxyRole = "sidecar" | "gateway" | "waypoint" | "ztunnel";

export interface EnvoyProxies {
  readonly role: ProxyRole;
  readonly namespace: string;
  /** `Deployment/cart`; `Pod/x` for a bare pod. */
  readonly workload: string;
  /** A sidecar that runs as a restartable init container. */
  readonly native: boolean;
  /** The value of `istio.io/rev` that injected it. */
  readonly revision?: string | undefined;
  /** As in the pod's status, else as in its spec. */
  readonly image: string;
  /** Digest that the kubelet reports it runs. */
  readonly imageId?: string | undefined;
  /** Pods whose proxy runs now: these are judged. */
  readonly running: number;
  /** Pods whose proxy does not run now, by reason; listed, never judged. */
  readonly idle: Readonly<Record<IdleReason, number>>;
  /** A running pod where there is one. */
  readonly example: string;
  /** What a probe of one pod of this digest said, or why none did. */
  readonly probe: ProxyProbe;
}

export type IdleReason = "failed" | "finished" | "terminating" | "pending";

export interface ProxyProbe {
  /** Istio release that the proxy reports of itself (`istio_build`), as it stands. */
  readonly istio?: string | undefined;
  /** Envoy release that the proxy reports (`server_info`), as it stands: `1.37.2-dev`. */
  readonly envoy?: string | undefined;
  /** The probe that answered. */
  readonly by?: "metrics" | "admin" | undefined;
  /** Why a probe that was allowed gave nothing, and what to do. */
  readonly failure?: { readonly reason: string; readonly remedy: string } | undefined;
}

/** One object that routes requests, or that acts on their path. */
export interface RoutingObject {
  readonly type: "object";
  readonly apiVersion: string;
  readonly kind: string;
  /** "" for an object of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
  /** `creationTimestamp` as it stands; left out where it was never told. */
  readonly created?: string | undefined;
  /** Of pods and namespaces: those that objects select by. Pods that are alike are one object, under the name that comes first. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Whole for objects that route; of filters, policies and plug-ins, what they are configured with is a digest. */
  readonly spec: JsonObject;
}

/** What is known of a place that holds routing objects. */
export interface RoutingPlace {
  readonly type: "place";
  /** A kind of which no object was seen has none. False for a folder of manifests that does not claim to be a whole dump. */
  readonly complete: boolean;
  /** Kinds of which such a folder holds no object. */
  readonly unseen: readonly string[];
  /** The namespaces that were looked at; left out: all. */
  readonly namespaces?: readonly string[] | undefined;
  /** Images of the control planes that run. */
  readonly controlPlanes: readonly string[];
  /** Images of the sidecars and gateways that run. */
  readonly proxies: readonly string[];
  /** Mesh configurations that control planes read, by `namespace/name`; settings that do not route are digests. */
  readonly meshConfigs: readonly MeshConfig[];
}

/** Proxies of one workload that have loaded the same. */
export interface LoadedRoutes {
  readonly role: "sidecar" | "gateway";
  readonly namespace: string;
  /** `Deployment/cart`. */
  readonly workload: string;
  /** Those that its pods have in common: what istiod goes by. */
  readonly labels: Readonly<Record<string, string>>;
  /** Pods that have loaded this. */
  readonly pods: number;
  /** One of them. */
  readonly example: string;
  /**
   * The dump of Envoy's admin interface, of which what routes is kept: listeners and route tables without certificates, filters of which
   * nobody reads more as digests, and of clusters their names.
   */
  readonly dump: JsonObject;
}

export interface MeshConfig {
  readonly namespace: string;
  readonly name: string;
  readonly config: JsonObject;
}
