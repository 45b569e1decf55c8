// generated from profile.json by `npm run generate`; do not edit

/**
 * Wasm modules that must run. Each is looked for in containers of pods of the runtime class that are ready on these nodes (T3), and in Wasm objects of the mesh (T1).
 *
 * Items: One module.
 */
export type Modules = {
  /** Its name; reports and exemptions call the requirement `modules.NAME`. */
  readonly name: string;
  /** The repository that holds it, without tag and digest: looked for in containers of pods of the profile's runtime class, and in Wasm objects of the mesh. */
  readonly image: string;
  /** Digest of its manifest, or of the index that its tag names. Left out: any, and `parity` may ask for the same one everywhere. */
  readonly digest?: string;
  /** SHA-256 of its bytes, whatever wraps them, as the registry gives them. Left out: not asked. */
  readonly sha256?: string;
  /** Modules that it must import from, as its bytes say (`wasm-tools print` shows them). Left out: not asked. */
  readonly requiredImports?: readonly string[];
  /** Modules that it must not import from, as its bytes say. Left out: not asked. */
  readonly forbiddenImports?: readonly string[];
  /** Who must have signed it: an identity in a certificate of Sigstore (`issuer` with `identity` or `identityPattern`), or who holds one of `keys`. One valid signature suffices; it may be on the image or on the index that its tag names. Left out: not asked. */
  readonly signer?: {
    /** The issuer of the identity, exactly. Left out: certificates do not count. */
    readonly issuer?: string;
    /** The identity, exactly. */
    readonly identity?: string;
    /** In place of `identity` a pattern that the whole identity must fit, in the same case: `*` is any text without `/`, `**` any text, `?` one character but `/`. No regular expression. */
    readonly identityPattern?: string;
    /** Public keys in PEM files, by paths from the file that holds the profile. Left out: keys do not count. */
    readonly keys?: {readonly path: string; readonly sha256: string; readonly content: string}[];
    /** A `trusted_root.json` of Sigstore, by its path from the file that holds the profile. Left out: that of the public instance, as it was when this release was made. */
    readonly trustedRoot?: {readonly path: string; readonly sha256: string; readonly content: string};
    /** True: a signature counts with an entry in a transparency log of the trusted root only. False: also without one; a certificate then needs a time stamp. Left out: certificates need an entry where the trusted root names a log, keys do not. */
    readonly log?: boolean;
    /** Where signatures are, if they are not beside the image: `host/repository`. Left out: beside the image. */
    readonly repository?: string;
  };
}[];

/** What nodes of one kind must offer, in words that hold on every cloud. All of it is optional but `selector`: what is left out is not asked. Each part below asks for one requirement or several; the id in brackets is how reports, `minTiers` and `exemptions` name it, and `nodes` is the one that every profile has. */
export interface HalProfile {
  /** What the profile is for. Left out: nothing is said. */
  readonly description?: string;
  /** Which nodes the profile is about; one part at least, and every part that is given must match. An assertion may name others with `nodes`. */
  readonly selector: {
    /** Labels that a node must bear. A label selects and proves nothing. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Node pools or node groups by the name that their cloud gives them, with `*` and `?` as wildcards. */
    readonly pools?: readonly string[];
    /** For each cloud (`aws`, `gcp`, `azure`, or the word that the fleet file has) the types of machine, with `*` and `?` as wildcards. A cloud that is not named has none. */
    readonly instanceTypes?: {
      readonly [k: string]: readonly string[];
    };
  };
  /** How many ready nodes each cluster must have (requirement `nodes`); 0: if it has any, they must conform. */
  readonly minNodes: number;
  /** The least tier of evidence that is accepted: T0 declared by Terraform (every cluster then needs `terraform` in the fleet; pools are looked at where no node is, by `pools` and `instanceTypes` of the selector, for `node.arch` and `node.taints`), T1 the node's or another object of the API, T2 Node Feature Discovery, T3 an agent or a pod that runs, T4 a probe. What is only seen below it is undecided. */
  readonly minTier: "T0" | "T1" | "T2" | "T3" | "T4";
  /** The least tier for single requirements, by their ids, in place of `minTier`. An id that the profile does not ask for is refused, with those that it does. */
  readonly minTiers: {
    readonly [k: string]: "T0" | "T1" | "T2" | "T3" | "T4";
  };
  readonly node?: Node;
  /** The runtime that pods of the profile run in. */
  readonly runtime?: {
    /** The RuntimeClass (requirement `runtime.class`, T1); that its handler works on each node (`runtime.handler`): a pod of the class that runs there (T3), or the kubelet's own list (T1); and that no pod of the class waits for a sidecar that its runtime does not start (`runtime.sidecars`, T3). */
    readonly runtimeClass?: {
      /** Its name. */
      readonly name: string;
      /** Handlers that it may name, any of them: `wasmtime`, `spin` … A handler is only a key in a file on the node, and names no program. Left out: any. */
      readonly handlers?: readonly string[];
      /** What its `scheduling.nodeSelector` must hold at least. */
      readonly nodeSelector: {
        readonly [k: string]: string;
      };
    };
    /** The shim behind the class, as a `Shim` object of SpinKube's runtime-class-manager names it (requirement `runtime.shim`, T3). A handler's name says nothing of what runs. */
    readonly shim?: {
      /** By platform (`OS/ARCH`, as `linux/arm64`) the SHA-256 of its archive, as the Shim object has it; for the platform of each node one must be there. A digest that is changed in the object later is not installed again on nodes that have the shim. */
      readonly sha256: {
        readonly [k: string]: string;
      };
    };
    /** What the runtime answers over HTTP (requirement `runtime.http`, T4), asked through the API server of one ready pod of `runtimeClass` on each node, where the fleet allows the probe `nodes`. No standard says so: these are paths that your own modules serve. */
    readonly http?: {
      /** The port of the pod. */
      readonly port: number;
      /** The path that answers 200, or another status of success, while the runtime works. Any other answer of its own is a fault; no answer is undecided. */
      readonly health: string;
      /** The path that answers JSON with `runtime`, `version` and `arch`, as texts. Only `version` is judged, where `minVersion` is given. */
      readonly info: string;
      /** The least version. Left out: any. */
      readonly minVersion?: string;
    };
  };
  /** The mesh on these nodes. */
  readonly mesh?: {
    /** How pods on these nodes may be in the mesh, any of these (requirement `mesh.dataplane`, T3): with a sidecar, redirected to a ztunnel (`ambient`) or by Kmesh, or not at all (`none`). Looked at are pods that run; without one it is undecided, unless `none` is allowed. */
    readonly dataplane?: readonly ("sidecar" | "ambient" | "kmesh" | "none")[];
    /** Annotations, or labels of the same name, of all pods of `runtime.runtimeClass` (requirement `mesh.annotations`, T3). Looked at are `sidecar.istio.io/inject`, `ambient.istio.io/redirection`, `istio.io/dataplane-mode`, `kmesh.net/redirection`, `module.wasm.image/variant`, `run.oci.handler`. */
    readonly annotations?: {
      /** What each pod must bear, with this value, or with any where it is `*`. */
      readonly required: {
        readonly [k: string]: string;
      };
      /** What no pod may bear, with this value, or with any where it is `*`. */
      readonly forbidden: {
        readonly [k: string]: string;
      };
    };
    /** The eBPF implementation (requirement `mesh.ebpf`, T3): exactly one of these is ready on each node, the same on all nodes of the profile in a cluster. Where Kmesh is allowed its control plane is looked at, too: a release of Istio that it is for (`mesh.istio`, T3). */
    readonly ebpf?: {
      /** Implementations, any of them: `cilium`, `kmesh`, `merbridge` (whose image has to be named by a digest), `bpfman` (which loads programs of your own), `istio-cni` (the ambient mesh redirected by eBPF, which Istio had from 1.18 to 1.20). */
      readonly impl: readonly ("cilium" | "kmesh" | "merbridge" | "bpfman" | "istio-cni")[];
      /** For each implementation the least release, by the tag of its image (requirement `mesh.ebpf.version`, T3). */
      readonly minVersion: {
        /** The least release of cilium. Left out: any. */
        readonly cilium?: string;
        /** The least release of kmesh. Left out: any. */
        readonly kmesh?: string;
        /** The least release of merbridge. Left out: any. */
        readonly merbridge?: string;
        /** The least release of bpfman. Left out: any. */
        readonly bpfman?: string;
        /** The least release of Istio. Left out: any. */
        readonly "istio-cni"?: string;
      };
      /** Settings of Cilium that must have these values on each node (requirement `mesh.ebpf.config`, T3), as its ConfigMap names them and `CiliumNodeConfig` objects change them. One that is set nowhere is undecided. Looked at are `bpf-lb-sock`, `bpf-lb-sock-hostns-only`, `bpf-lb-sock-terminate-pod-connections`, `cni-chaining-mode`, `cni-exclusive`, `datapath-mode`, `enable-bpf-masquerade`, `enable-envoy-config`, `enable-host-legacy-routing`, `enable-ipv4`, `enable-ipv6`, `enable-l7-proxy`, `enable-policy`, `enable-wireguard`, `external-envoy-proxy`, `kube-proxy-replacement`, `routing-mode`, `tunnel-protocol`. */
      readonly config: {
        readonly [k: string]: string;
      };
      /** Hooks of the kernel that it needs (requirement `mesh.ebpf.hooks`); each has a least kernel that is built in here, on arm64 sometimes another. A kernel of a distribution that carries features back is undecided below that, unless `node.kernel.equivalents` says what it stands for. */
      readonly hooks: readonly (
        | "jit"
        | "tc"
        | "tc_direct_action"
        | "clsact"
        | "xdp"
        | "af_xdp"
        | "sock_ops"
        | "sockmap"
        | "sockhash"
        | "sk_msg"
        | "cgroup_bind4"
        | "cgroup_bind6"
        | "cgroup_connect4"
        | "cgroup_connect6"
        | "cgroup_sendmsg4"
        | "cgroup_sendmsg6"
        | "cgroup_recvmsg4"
        | "cgroup_recvmsg6"
        | "cgroup_getsockopt"
        | "cgroup_setsockopt"
        | "btf"
        | "cgroup_link"
        | "xdp_link"
        | "lsm"
        | "fentry"
        | "ringbuf"
        | "cap_bpf"
        | "sk_lookup"
        | "host_routing"
        | "multicast"
        | "tcx"
        | "netkit"
      )[];
    };
  };
  readonly modules?: Modules;
  /** What is loaded into the accelerators of each node (requirement `accelerator.bitstreams`). No object of Kubernetes tells it of a card of AMD; of Intel the device plug-in does. */
  readonly accelerator?: {
    /** Which designs may be loaded, and which of them are one design built for several clouds. */
    readonly bitstreams: {
      /** Each entry is one design: by cloud the id under which it is loaded there (`agfi-…` on AWS, the UUID of the xclbin elsewhere, `afu:` and 32 digits of Intel). A cloud that no entry names is undecided. */
      readonly equivalence: {
        readonly [k: string]: string;
      }[];
      /** The label in which a program of yours on the node writes the id of what is loaded, without `feature.node.kubernetes.io/`, or a whole key (tier T2). Left out: only what Intel's device plug-in tells counts (tier T1). */
      readonly nfd?: string;
    };
  };
  /** What must be the same in every place that runs the profile. Left out: each cluster is judged by itself. */
  readonly parity?: {
    /** What a place is: all clusters of a cloud, of a region, or each cluster. One of these. */
    readonly across: readonly ("cloud" | "cluster" | "region")[];
    /** What must have one value in all places. Each word needs a part of the profile that shows its value: `arch` (`node.arch`), `os` (`node.os`), `handlers` (`runtime.runtimeClass`), `shim` (`runtime.shim`), `ebpf` and `ebpfVersion` (`mesh.ebpf`), `ebpfConfig` (`mesh.ebpf.config`), `hooks` (`mesh.ebpf.hooks`), `dataplane` (`mesh.dataplane`), `moduleDigest` (`modules`; the bytes where they were read), `signer` (`modules[].signer`), `vendor`, `family` and `shell` (`node.resources`), `bitstream` (`accelerator`). */
    readonly compare: readonly (
      | "arch"
      | "os"
      | "handlers"
      | "shim"
      | "ebpf"
      | "ebpfVersion"
      | "ebpfConfig"
      | "hooks"
      | "moduleDigest"
      | "signer"
      | "vendor"
      | "family"
      | "shell"
      | "bitstream"
      | "dataplane"
    )[];
    /** Floors of the profile of which the report shows the least value of each place: `kernel.min` (`node.kernel`), `fpga.count` (`node.resources`), `ebpf.version` (`mesh.ebpf.minVersion`). They are judged with and without this. */
    readonly atLeast: readonly ("kernel.min" | "fpga.count" | "ebpf.version")[];
    /** What differs and is fine, for readers of the profile; nothing of it may stand in `compare`. */
    readonly ignore: readonly ("kernel" | "resourceName" | "taintKeys" | "os" | "shell" | "family" | "vendor" | "ebpfVersion")[];
  };
  /** What an exempt place must offer instead, by the name that an exemption gives. Its requirements are called `fallback.NAME.` and then as above. */
  readonly fallbacks: {
    readonly [k: string]: {
      readonly node?: Node;
      readonly modules?: Modules;
    };
  };
  /** Must every exemption name a fallback? */
  readonly fallbackRequired: boolean;
  /** What a cloud or a cluster need not offer, for a time. */
  readonly exemptions: {
    /** The cloud that is exempt: `aws`, `gcp`, `azure`, or the word that the fleet file has. One of `cloud` and `cluster`. */
    readonly cloud?: string;
    /** The cluster that is exempt, by its name in the fleet file. */
    readonly cluster?: string;
    /** Id of the requirement, as the report and the fields above name it. */
    readonly requirement: string;
    /** Why. */
    readonly reason: string;
    /** Who answers for it. */
    readonly owner: string;
    /** Where it is tracked. Left out: nowhere. */
    readonly ticket?: string;
    /** The last day on which it counts, UTC; at most 366 days ahead. */
    readonly expires: string;
    /** Name of the fallback of the profile that has to be there instead. Left out: none, which the profile must allow with `fallbackRequired: false`. */
    readonly fallback?: string;
  }[];
}
/** What each node must be. */
export interface Node {
  /** Architectures, any of them, as the kubelet reports them: `amd64`, `arm64` (requirement `node.arch`, T1; of a declared pool T0). */
  readonly arch?: readonly string[];
  /** Operating system, by the image that the kubelet reports (requirement `node.os`, T1). */
  readonly os?: {
    /** Families of images, any of them: `al2`, `al2023`, `azurelinux`, `bottlerocket`, `cos`, `debian`, `flatcar`, `openeuler`, `rhel`, `talos`, `ubuntu`. */
    readonly families: readonly string[];
  };
  /** The least release of the kernel, by the numbers that its text starts with (requirement `node.kernel`, T1; T2 where Node Feature Discovery says the same). Distributions carry newer features back into older kernels, so this is a floor and never an equality. */
  readonly kernel?: {
    /** The least release. */
    readonly min: string;
    /**
     * Kernels of distributions that carry what `min` stands for: where the kernel's own text holds `match`, `min` of this entry counts instead.
     *
     * Items: A kernel of a distribution.
     */
    readonly equivalents: {
      /** A part of the text that the kubelet reports, as it stands; no pattern. */
      readonly match: string;
      /** The least release of such a kernel. */
      readonly min: string;
    }[];
  };
  /**
   * What a node must be able to do, each by one evidence or several.
   *
   * Items: One feature.
   */
  readonly features?: {
    /** Its name; reports and exemptions call the requirement `features.ID`. */
    readonly id: string;
    /**
     * Evidences. The strongest that says anything decides (T2 before T1); of several as strong one that shows the feature suffices, and it is a fault only if each of them speaks against it.
     *
     * Items: One evidence: one of `nfd`, `os`, `osAllowlist` and `kernel`.
     */
    readonly any: {
      /** A label of Node Feature Discovery without `feature.node.kubernetes.io/`, or any label by its whole key; it must be there and be neither `false` nor `n`. `kernel-config.OPTION` is looked up in NodeFeature objects too (tier T2). */
      readonly nfd?: string;
      /** Families of images that are known to have it, of those that `node.os` may name (tier T1). */
      readonly os?: readonly string[];
      /** True: the families that `node.os` names are known to have it (tier T1). */
      readonly osAllowlist?: true;
      /** The least kernel that has it (tier T1). */
      readonly kernel?: string;
    }[];
    /** The least tier of evidence that is accepted. Left out: the profile's. */
    readonly minTier?: "T0" | "T1" | "T2" | "T3" | "T4";
  }[];
  /** Taints that keep other pods away (requirement `node.taints`, T1; of a declared pool T0). The runtime class of the profile, if it has one, must tolerate them. */
  readonly taints?: {
    /**
     * Taints that a node must bear.
     *
     * Items: One taint.
     */
    readonly required: {
      /** Its key. */
      readonly key: string;
      /** Its value. Left out: any. */
      readonly value?: string;
      /** Its effect. */
      readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
    }[];
    /** `effective`: other taints are fine, for clouds set their own; `exact`: no other that keeps pods away. */
    readonly mode: "effective" | "exact";
  };
  /**
   * Accelerators that a node must offer (T1). Names of resources differ from cloud to cloud and from plug-in to plug-in; they are read as maker, family, shell and number: `amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0` is of `amd`, the family `xilinx_u250`, with the shell `gen3x16_xdma_shell_3_1`.
   *
   * Items: One class of accelerators.
   */
  readonly resources?: {
    /** The class; reports and exemptions call the requirement `resources.CLASS`. */
    readonly class: "fpga";
    /** Makers, any of them. Left out: any. */
    readonly vendors?: readonly ("amd" | "intel")[];
    /** Families of cards, any of them, as the resource names them; names of Intel tell none. Left out: any. */
    readonly families?: readonly string[];
    /** Shells of the cards, any of them, as the resource names them; names of Intel tell none. Left out: any. */
    readonly shells?: readonly string[];
    /** How many a node must offer. */
    readonly min: number;
    /** True, and nothing else: what a node only has capacity for, no pod can use. */
    readonly allocatable: true;
    /**
     * Names of resources that a plug-in of your own gives, and what they stand for.
     *
     * Items: One name.
     */
    readonly aliases: {
      /** The whole name. */
      readonly name: string;
      /** The maker. */
      readonly vendor: "amd" | "intel";
      /** The family. Left out: not known. */
      readonly family?: string;
      /** The shell. Left out: not known. */
      readonly shell?: string;
    }[];
  }[];
  /** Handlers that the container runtime of a node must have, all of them, as newer kubelets list them (requirement `node.runtimeHandlers`, T1). Without such a list it is undecided: `runtime.runtimeClass` is then the better question. */
  readonly runtimeHandlers?: readonly string[];
}
