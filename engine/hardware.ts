import type { Request } from "./model.ts";

/** One node, as its own object tells: its kubelet wrote the status, anybody with the right may have written the labels. */
export interface NodeFact {
  readonly name: string;
  /** `amd64`, `arm64`, as the kubelet says it. */
  readonly arch?: string | undefined;
  readonly operatingSystem?: string | undefined;
  /** As it stands: `6.1.141-155.222.amzn2023.x86_64`. */
  readonly kernel?: string | undefined;
  readonly osImage?: string | undefined;
  /** `containerd://2.1.4`. */
  readonly runtime?: string | undefined;
  readonly kubelet?: string | undefined;
  /** The scheme of `spec.providerID`. */
  readonly provider?: string | undefined;
  readonly instanceType?: string | undefined;
  /** The name that its cloud gives the pool. */
  readonly pool?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** Extended resources only (those with a domain), as they stand. Left out: the status has no such list. */
  readonly capacity?: Readonly<Record<string, string>> | undefined;
  readonly allocatable?: Readonly<Record<string, string>> | undefined;
  /** `status.runtimeHandlers`, by name; left out where the kubelet does not tell them. */
  readonly handlers?: readonly string[] | undefined;
  /** False also where its kubelet is silent (`Unknown`), as kubectl shows it; left out: no condition tells. */
  readonly ready?: boolean | undefined;
  readonly cordoned: boolean;
  /** No machine of the cluster's own stands behind it (`fargate`, `virtual-kubelet`): kernel and resources say nothing. */
  readonly virtual?: string | undefined;
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

/** What Node Feature Discovery saw on a node: one `NodeFeature` object. */
export interface NodeFeatureFact {
  readonly node: string;
  /** Labels that its worker asks for, with their prefix. */
  readonly labels: Readonly<Record<string, string>>;
  readonly kernel?: string | undefined;
  /** Of {@link KERNEL_OPTIONS} those that are set; left out: its worker did not read the configuration. */
  readonly kernelConfig?: Readonly<Record<string, string>> | undefined;
  /** Of {@link KERNEL_MODULES} those that are loaded; left out: not read. */
  readonly modules?: readonly string[] | undefined;
  /** Processing accelerators (PCI class 12) and devices of makers of FPGAs, as `1200_10ee`; left out: not read. */
  readonly pci?: readonly string[] | undefined;
}

/** Options of the kernel that profiles ask for: a whole configuration has thousands. */
export const KERNEL_OPTIONS = [
  "BPF", "BPF_EVENTS", "BPF_JIT", "BPF_JIT_ALWAYS_ON", "BPF_LSM", "BPF_STREAM_PARSER", "BPF_SYSCALL", "CGROUPS", "CGROUP_BPF", "DEBUG_INFO_BTF", "DEBUG_INFO_BTF_MODULES", "FPGA", "FPGA_DFL",
  "FTRACE_SYSCALLS", "KPROBES", "NETKIT", "NET_ACT_BPF", "NET_CLS_BPF", "NET_SCH_INGRESS", "NET_SOCK_MSG", "UPROBES", "XDP_SOCKETS",
] as const;

/** Modules of the kernel that profiles ask for. */
export const KERNEL_MODULES = ["dfl_pci", "dfl_fme", "intel_fpga_pci", "xclmgmt", "xocl", "kvm"] as const;

/** Settings of Cilium that profiles ask for: all that is kept of its ConfigMap. */
export const CILIUM_SETTINGS = [
  "bpf-lb-sock", "bpf-lb-sock-hostns-only", "bpf-lb-sock-terminate-pod-connections", "cni-chaining-mode", "cni-exclusive", "datapath-mode", "enable-bpf-masquerade", "enable-envoy-config", "enable-host-legacy-routing",
  "enable-ipv4", "enable-ipv6", "enable-l7-proxy", "enable-policy", "enable-wireguard", "external-envoy-proxy", "kube-proxy-replacement", "routing-mode", "tunnel-protocol",
] as const;

/** Annotations of pods, or labels of the same name, that profiles ask for: how a pod is in the mesh, and what runs it. */
export const POD_MARKS = ["sidecar.istio.io/inject", "ambient.istio.io/redirection", "istio.io/dataplane-mode", "kmesh.net/redirection", "module.wasm.image/variant", "run.oci.handler"] as const;

/** Programs on nodes that are known by their containers. */
export type AgentProduct = "cilium" | "kmesh" | "merbridge" | "bpfman" | "istio-cni" | "ztunnel" | "aws-network-policy" | "nfd" | "device-plugin";

/** A DaemonSet that makes nodes what they are, and where its pods are ready; one for each image of it. */
export interface NodeAgent {
  readonly type: "agent";
  readonly product: AgentProduct;
  readonly namespace: string;
  readonly name: string;
  /** As in the pods' status, else as the DaemonSet asks for. */
  readonly image: string;
  /** `sha256:…`, as the kubelet reports it. */
  readonly imageId?: string | undefined;
  /** Of Kmesh its mode. Of istio-cni `ambient-ebpf` where it was told to redirect by eBPF, else `ambient` where its environment says so (up to 1.22). */
  readonly mode?: string | undefined;
  /** Its pods ask for the image by a digest. */
  readonly pinned?: true | undefined;
  /** Nodes on which its pod runs and is ready. */
  readonly readyOn: readonly string[];
  /** Nodes on which a pod of it is there and not ready. */
  readonly notReadyOn: readonly string[];
  /** Of {@link CILIUM_SETTINGS} those that are set; left out: not Cilium, or its ConfigMap is not there. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** What `CiliumNodeConfig` objects set otherwise on some nodes, the one that counts more later; left out: not Cilium, or not seen. */
  readonly overrides?: readonly CiliumOverride[] | undefined;
  /** Why `settings` or `overrides` are left out, where they could not be read: whoever asks for neither misses nothing. */
  readonly unread?: { readonly reason: string; readonly remedy: string } | undefined;
}

/** A `CiliumNodeConfig` beside Cilium that sets one of {@link CILIUM_SETTINGS}. */
export interface CiliumOverride {
  readonly name: string;
  readonly nodeSelector: NodeSelector;
  readonly settings: Readonly<Record<string, string>>;
}

/** A label selector: every part must match, and an empty one takes all nodes. */
export interface NodeSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly { readonly key: string; readonly operator: string; readonly values: readonly string[] }[];
}

/** Pods that show what a node can do because they run there. */
export interface NodePods {
  /** With a sidecar of Istio; of a runtime class; redirected to the ztunnel or to the Kmesh of their node; in the mesh in several of these ways at once. */
  readonly type: "sidecars" | "class-pods" | "ambient" | "kmesh" | "several";
  /** The runtime class; "" for the others. */
  readonly name: string;
  /** Nodes on which at least one of them runs and is ready. */
  readonly runningOn: readonly string[];
  /** Nodes on which one of them is there and none runs. */
  readonly failingOn: readonly string[];
  /** Of a runtime class: what the containers of its pods run, without sidecars of the mesh. */
  readonly images?: readonly ClassImage[] | undefined;
  /** Of a runtime class: how many pods it has. */
  readonly pods?: number | undefined;
  /** Of a runtime class: of {@link POD_MARKS} those that its pods bear, each value with how many; a label counts more than an annotation. */
  readonly marks?: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** Of a runtime class: how many of its pods have a sidecar, which their runtime has to run too. */
  readonly withSidecar?: number | undefined;
  /** Of these, how many have one that does not run. */
  readonly sidecarsDown?: number | undefined;
}

/** One image in containers of pods of a runtime class. */
export interface ClassImage {
  /** As the pod asks for it. */
  readonly image: string;
  /** `sha256:…`, as the kubelet reports what it runs; left out where it does not yet. */
  readonly imageId?: string | undefined;
  /** Its containers start what the image names, with its words. Left out: they have a command or arguments of their own. */
  readonly asBuilt?: true | undefined;
  /** They have arguments of their own and no command: the entry point of the image stays, its command does not. */
  readonly ownArguments?: true | undefined;
  /** Containers that are ready. */
  readonly ready: number;
  readonly notReady: number;
}

/** A runtime class, or what installs the runtime behind one. */
export type RuntimeClassFact = RuntimeClass | RuntimeShim;

export interface RuntimeClass {
  readonly type: "class";
  readonly name: string;
  readonly handler: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly NodeToleration[];
}

export interface NodeToleration {
  /** Left out with `Exists`: every taint. */
  readonly key?: string | undefined;
  readonly operator: string;
  readonly value?: string | undefined;
  /** Left out: every effect. */
  readonly effect?: string | undefined;
}

/** A `Shim` of SpinKube's runtime-class-manager. */
export interface RuntimeShim {
  readonly type: "shim";
  readonly name: string;
  readonly runtimeClass?: string | undefined;
  readonly handler?: string | undefined;
  readonly platforms: readonly { readonly os: string; readonly arch: string; readonly sha256?: string | undefined }[];
}

/** What bpfman says of one application on one node. */
export interface BpfApplication {
  readonly node: string;
  readonly application: string;
  /** `LoadSuccess`, `LoadError` … as it stands; of what is loaded and not attached the condition that says so (`Pending`, `Error`). "": nothing is said. */
  readonly status: string;
  /** Types of its programs: `XDP`, `TC`, `KProbe` … */
  readonly programs: readonly string[];
}

/** What a runtime is asked over HTTP: in pods of this class, at this port, these paths. */
export interface RuntimeAsked {
  readonly runtimeClass: string;
  readonly port: number;
  readonly health: string;
  readonly info: string;
}

/** What the runtime of one pod answered. */
export interface RuntimeAnswer {
  readonly node: string;
  /** `namespace/name` */
  readonly pod: string;
  /** It answered its health path with success. */
  readonly healthy: boolean;
  /** As it says of itself; left out where it does not, or not in plain words. */
  readonly runtime?: string | undefined;
  readonly version?: string | undefined;
  readonly arch?: string | undefined;
  /** The status with which it answered its health path, where that is none of success and nobody else can have answered. */
  readonly status?: number | undefined;
  /** Why it is not healthy. */
  readonly failure?: { readonly reason: string; readonly remedy: string } | undefined;
}

/** The request for what runtimes answer; the selector tells questions apart. */
export function runtimeAnswersRequest({ runtimeClass, port, health, info }: RuntimeAsked): Request<"runtime-answers"> {
  return { fact: "runtime-answers", selector: `${runtimeClass} ${port} ${health} ${info}`, options: { runtimeClass, port, health, info } };
}
