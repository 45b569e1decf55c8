/** One node, with what it offers. Labels are kept whole: profiles select by them, and Node Feature Discovery writes what it finds as labels. */
export interface NodeSeen {
  readonly name: string;
  /** `status.nodeInfo`, as it stands; "" where the node does not tell. */
  readonly arch: string;
  readonly system: string;
  readonly kernel: string;
  readonly osImage: string;
  readonly runtime: string;
  readonly kubelet: string;
  /** Type of machine, as the cloud calls it. */
  readonly machine?: string | undefined;
  /** Node pool or node group, by the label of its cloud. */
  readonly pool?: string | undefined;
  readonly region?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** Condition `Ready`; left out: the node has no such condition, or it is `Unknown`. */
  readonly ready?: boolean | undefined;
  readonly cordoned: boolean;
  /** No machine of the cluster's own stands behind it: `Fargate`, `virtual kubelet`. What it says of kernel and hardware means nothing. */
  readonly virtual?: string | undefined;
  /** Extended resources by name, as the node writes their numbers. */
  readonly resources: Readonly<Record<string, NodeResource>>;
  /** Names of handlers that the kubelet reports (`status.runtimeHandlers`); left out: it reports none at all, which says nothing. */
  readonly handlers?: readonly string[] | undefined;
  /** What the NodeFeature objects of Node Feature Discovery add to labels: options of the kernel. Left out: there is no such object for the node. */
  readonly kernelConfig?: Readonly<Record<string, string>> | undefined;
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

export interface NodeResource {
  readonly capacity?: string | undefined;
  readonly allocatable?: string | undefined;
}

/** What runs on nodes and matters to hardware: groups of pods that are alike. */
export type NodeWorkload = NodeAgent | MeshOnNodes | RuntimePods;

/** Pods of one DaemonSet that run one image of an agent that is known. */
export interface NodeAgent {
  readonly what: "agent";
  readonly agent: AgentName;
  readonly namespace: string;
  /** Of the DaemonSet. */
  readonly name: string;
  readonly image: string;
  /** `sha256:…`, as the kubelet reports it. */
  readonly imageId?: string | undefined;
  /** What its arguments say of its mode, where that matters: Kmesh. */
  readonly mode?: string | undefined;
  /** Nodes on which its pod is Ready, sorted. */
  readonly ready: readonly string[];
  /** Nodes on which its pod is not. */
  readonly notReady: readonly string[];
}

/** Cilium under its own name and as GKE's Dataplane V2; the others are what their DaemonSets are called. */
export type AgentName = "cilium" | "bpfman" | "kmesh" | "merbridge" | "aws-network-policy" | "istio-cni" | "ztunnel" | "nfd-worker";

/** Nodes on which pods of the mesh run whose traffic is redirected in this way. */
export interface MeshOnNodes {
  readonly what: "mesh";
  readonly dataplane: "sidecar" | "ambient" | "kmesh";
  readonly nodes: readonly string[];
  /** `namespace/name` of the first of them. */
  readonly example: string;
}

/** Containers of one image in pods of one runtime class. */
export interface RuntimePods {
  readonly what: "runtime";
  readonly runtimeClass: string;
  /** As in the pod's spec. */
  readonly image: string;
  /** `sha256:…`, as the kubelet reports it. */
  readonly imageId?: string | undefined;
  /** Nodes on which such a container is ready, sorted. */
  readonly ready: readonly string[];
  /** How many are not. */
  readonly notReady: number;
  /** True where a sidecar of the mesh stands in the same pods. */
  readonly sidecar: boolean;
  /** Labels and annotations of the mesh and of Wasm handlers, by key. */
  readonly marks: Readonly<Record<string, string>>;
  readonly example: string;
}
