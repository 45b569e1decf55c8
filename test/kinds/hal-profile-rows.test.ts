import { describe, expect, it } from "vitest";
import type { CiliumOverride, Fact } from "#engine";
import kind from "../../kinds/hal-profile-conforms/kind.ts";
import { agent, answer, arm, cilium, EKS, fact, feature, healedBy, healedByHiding, istiod, judged, kmesh, merbridge, node, offering, ONE, pods, running, runtimeClass, shim, shown, specOf, tableOf, TWO, withoutEvidence, type NodeParts, type Row } from "../support/hal.ts";
import { clusterOf, gapOf, resultOf } from "../support/world.ts";

/** What is known of nodes, data planes, runtimes and cards, row by row; each world shows one of these facts. */
const WORLDS: Row[] = [];
const table = tableOf(WORLDS);

const GKE = clusterOf("gke", { cloud: "gcp" });
const AKS = clusterOf("aks", { cloud: "azure" });
const on = (impl: string, more: object = {}) => ({ mesh: { ebpf: { impl: [impl], ...more } } });
const QUIET = { config: { "bpf-lb-sock-hostns-only": "true" } };
const istioCni = (tag: string, mode?: string) => agent("istio-cni", { image: `docker.io/istio/install-cni${tag}`, ...(mode === undefined ? {} : { mode }) });

describe("implementations of an eBPF data plane", () => {
  table([
    ["Cilium of one's own: ready, of a release, quiet in the sockets of pods", on("cilium", { ...QUIET, minVersion: { cilium: "1.16" } }), [node(), cilium()], {}],
    ["Cilium on ARM64", on("cilium", QUIET), [arm(), cilium()], {}],
    ["Cilium with a CNI of Istio beside it, which it must not push out", on("cilium", { config: { "cni-exclusive": "false" } }), [node(), cilium({ "cni-exclusive": "true" })], { faults: ["eks/mesh.ebpf.config"] }],
    ["GKE Dataplane V2: `anetd` is Cilium", on("cilium"), [node(), agent("cilium", { name: "anetd", image: "gke.gcr.io/cilium/cilium:v1.15.14-gke.30" })], {}],
    ["GKE Dataplane V2: a tag of its own image is no release of Cilium", on("cilium", { minVersion: { cilium: "1.0" } }), [node(), agent("cilium", { name: "anetd", image: "gke.gcr.io/gke/anetd:1.2" })], { undecided: ["eks/mesh.ebpf.version"] }],
    ["GKE Dataplane V2: settings that nobody shows are undecided", on("cilium", QUIET), [node(), agent("cilium", { name: "anetd", image: "gke.gcr.io/cilium/cilium:v1.15.14-gke.30" })], { undecided: ["eks/mesh.ebpf.config"] }],
    ["AKS: its tag names a release and a build", on("cilium", { minVersion: { cilium: "1.18.11" } }), [node(), cilium({}, { image: "mcr.microsoft.com/containernetworking/cilium:v1.18.11-260622" })], {}],
    ["AKS: the label of its data plane is no agent", on("cilium"), [node({ labels: { "kubernetes.azure.com/ebpf-dataplane": "cilium" } })], { faults: ["eks/mesh.ebpf"] }],
    ["EKS: the agent for network policies of the VPC CNI carries no mesh", on("cilium"), [node(), agent("aws-network-policy")], { faults: ["eks/mesh.ebpf"] }],
    ["EKS: and is in nobody's way", on("cilium"), [node(), agent("aws-network-policy"), cilium()], {}],
    ["Istio ambient: redirected in the pod, without eBPF", { mesh: { dataplane: ["ambient"] } }, [node(), agent("ztunnel"), istioCni(":1.29.5"), pods("ambient")], {}],
    ["Istio ambient: nobody is in it", { mesh: { dataplane: ["ambient"] } }, [node(), agent("ztunnel"), istioCni(":1.29.5", "ambient")], { undecided: ["eks/mesh.dataplane"] }],
    ["Istio ambient of 1.20, told to redirect by eBPF", on("istio-cni"), [node(), agent("ztunnel"), istioCni(":1.20.8", "ambient-ebpf")], {}],
    ["Istio ambient of 1.20, not told so", on("istio-cni"), [node(), agent("ztunnel"), istioCni(":1.20.8", "ambient")], { faults: ["eks/mesh.ebpf"] }],
    ["Istio ambient of 1.21, told so in vain: it was taken out", on("istio-cni"), [node(), agent("ztunnel"), istioCni(":1.21.0", "ambient-ebpf")], { faults: ["eks/mesh.ebpf"] }],
    ["Istio ambient of a release that its tag does not name", on("istio-cni"), [node(), agent("ztunnel"), istioCni(":latest", "ambient-ebpf")], { undecided: ["eks/mesh.ebpf"] }],
    ["a CNI of Istio that serves sidecars is no rival of Cilium", { mesh: { ebpf: { impl: ["cilium", "istio-cni"] } } }, [node(), istioCni(":1.29.5"), cilium()], {}],
    ["Merbridge, named by a digest", on("merbridge"), [node(), merbridge()], {}],
    ["Merbridge, named by a tag: nobody releases it any more, and `latest` is what its manifests say", on("merbridge"), [node(), merbridge({ pinned: undefined })], { faults: ["eks/mesh.ebpf"] }],
    ["Merbridge on a kernel older than 5.7", { node: { kernel: { min: "5.7" } }, ...on("merbridge") }, [node({ kernel: "5.4.0-1" }), merbridge()], { faults: ["eks/node.kernel"] }],
    ["Kmesh 1.1 with Istio 1.25, for which it is", on("kmesh"), [node(), kmesh(), istiod("1.25.2")], {}],
    ["Kmesh 1.1 with Istio 1.26, for which it is not", on("kmesh"), [node(), kmesh(), istiod("1.26.0")], { faults: ["eks/mesh.istio"] }],
    ["Kmesh 1.1 with Istio 1.22, which it left behind", on("kmesh"), [node(), kmesh(), istiod("1.22.8")], { faults: ["eks/mesh.istio"] }],
    ["Kmesh 1.1 in its kernel-native mode with Istio 1.22: it may do", on("kmesh"), [node(), kmesh({ mode: "kernel-native" }), istiod("1.22.8")], { undecided: ["eks/mesh.istio"] }],
    ["Kmesh 1.1 in its kernel-native mode with an Istio that is too new", on("kmesh"), [node(), kmesh({ mode: "kernel-native" }), istiod("1.26.0")], { faults: ["eks/mesh.istio"] }],
    ["Kmesh 1.0 with Istio 1.22", on("kmesh"), [node(), kmesh({ image: "ghcr.io/kmesh-net/kmesh:v1.0.0" }), istiod("1.22.8")], {}],
    ["Kmesh 1.2 with Istio 1.26, with which it is tested", on("kmesh"), [node(), kmesh({ image: "ghcr.io/kmesh-net/kmesh:v1.2.0" }), istiod("1.26.4")], {}],
    ["Kmesh 1.2 with Istio 1.27", on("kmesh"), [node(), kmesh({ image: "ghcr.io/kmesh-net/kmesh:v1.2.0" }), istiod("1.27.0")], { faults: ["eks/mesh.istio"] }],
    ["Kmesh of a release that nobody knows", on("kmesh"), [node(), kmesh({ image: "ghcr.io/kmesh-net/kmesh:latest" }), istiod("1.25.2")], { undecided: ["eks/mesh.istio"] }],
    ["Kmesh with a control plane whose release its tag does not name", on("kmesh"), [node(), kmesh(), istiod("latest")], { undecided: ["eks/mesh.istio"] }],
    ["Kmesh and no control plane that was seen", on("kmesh"), [node(), kmesh()], { undecided: ["eks/mesh.istio"] }],
    ["Kmesh with two control planes, one of them too new", on("kmesh"), [node(), kmesh(), istiod("1.25.2"), istiod("1.29.1")], { undecided: ["eks/mesh.istio"] }],
    ["two releases of Kmesh on two nodes, one of which is not for the Istio that runs", on("kmesh"), [node(), node({ name: "n2" }), kmesh(), { ...kmesh({ image: "ghcr.io/kmesh-net/kmesh:v1.2.0", readyOn: ["n2"] }), subject: "kube-system/kmesh 2" }, istiod("1.26.0")], { faults: ["eks/mesh.istio"] }],
    ["Kmesh with two control planes, both of them too new", on("kmesh"), [node(), kmesh(), istiod("1.28.0"), istiod("1.29.1")], { faults: ["eks/mesh.istio"] }],
    ["where Kmesh may be and is not, no release of Istio is wrong", { mesh: { ebpf: { impl: ["cilium", "kmesh"] } } }, [node(), cilium(), istiod("1.29.1")], {}],
    ["pods that Kmesh redirects, in the mode that is wanted", { mesh: { dataplane: ["kmesh"] } }, [node(), kmesh(), istiod("1.24.0"), pods("kmesh")], {}],
    ["bpfman, with what it loaded", on("bpfman"), [node(), agent("bpfman"), fact("bpf-applications", "eks", "tracer", { node: "n1", application: "tracer", status: "LoadSuccess", programs: ["Fentry"] })], {}],
    ["sidecars alone", { mesh: { dataplane: ["sidecar"] } }, [node(), pods("sidecars")], {}],
  ]);

  it("Kmesh: a control plane that is too new is no fault while others were not seen", () => {
    const seen = (release: string) => resultOf(kind, specOf(on("kmesh")), { clusters: [EKS], facts: [node(), kmesh(), istiod(release)], gaps: [gapOf("control-planes", "eks")] });
    expect(shown(seen("1.26.0"))).toMatchObject({ faults: [], undecided: ["eks/mesh.istio"] });
    expect(shown(seen("1.25.0"))).toMatchObject({ faults: [], undecided: ["eks/mesh.istio"] });
  });

  it("AKS: the release follows Kubernetes, so that it is not that of the others", () => {
    const profile = { ...on("cilium"), parity: { across: ["cloud"], compare: ["ebpfVersion"] } };
    const facts = [node(), cilium(), node({ on: "aks" }), cilium({}, { on: "aks", image: "mcr.microsoft.com/containernetworking/cilium:v1.18.11-260622" })];
    expect(shown(judged(specOf(profile), facts, [EKS, AKS])).faults).toEqual(["parity/ebpfVersion"]);
  });
});

const override = (settings: Readonly<Record<string, string>>, nodeSelector: Partial<CiliumOverride["nodeSelector"]> = {}, name = "a"): CiliumOverride => ({ name, nodeSelector: { matchLabels: {}, matchExpressions: [], ...nodeSelector }, settings });
const LOUD = { "bpf-lb-sock-hostns-only": "false" };
const SILENT = { "bpf-lb-sock-hostns-only": "true" };
const canary = node({ name: "n1", labels: { canary: "yes" } });
const overridden = (settings: Readonly<Record<string, string>>, ...overrides: readonly CiliumOverride[]) => cilium(settings, { overrides });
const matching = (operator: string, values: readonly string[] = []) => ({ matchExpressions: [{ key: "canary", operator, values }] });

describe("what a CiliumNodeConfig sets for some nodes counts more than the ConfigMap", () => {
  const CONFIG = ["eks/mesh.ebpf.config"];
  table([
    ["for all nodes", on("cilium", QUIET), [node(), overridden(SILENT, override(LOUD))], { faults: CONFIG }],
    ["as wanted, where the ConfigMap is not", on("cilium", QUIET), [node(), overridden(LOUD, override(SILENT))], {}],
    ["for other nodes", on("cilium", QUIET), [node(), overridden(SILENT, override(LOUD, { matchLabels: { canary: "yes" } }))], {}],
    ["for this node, by its label", on("cilium", QUIET), [canary, overridden(SILENT, override(LOUD, { matchLabels: { canary: "yes" } }))], { faults: CONFIG }],
    ["`In`", on("cilium", QUIET), [canary, overridden(SILENT, override(LOUD, matching("In", ["no", "yes"])))], { faults: CONFIG }],
    ["`NotIn`", on("cilium", QUIET), [canary, overridden(SILENT, override(LOUD, matching("NotIn", ["yes"])))], {}],
    ["`NotIn`, and no such label", on("cilium", QUIET), [node(), overridden(SILENT, override(LOUD, matching("NotIn", ["yes"])))], { faults: CONFIG }],
    ["an operator that nobody knows", on("cilium", QUIET), [canary, overridden(SILENT, override(LOUD, matching("Gt", ["1"])))], {}],
    ["two Ciliums on one node: whose settings count is not known", on("cilium", QUIET), [node(), cilium(), { ...cilium(), subject: "other/cilium" }], { undecided: CONFIG }],
    ["`Exists`", on("cilium", QUIET), [node(), overridden(SILENT, override(LOUD, matching("Exists")))], {}],
    ["`DoesNotExist`", on("cilium", QUIET), [node(), overridden(SILENT, override(LOUD, matching("DoesNotExist")))], { faults: CONFIG }],
    ["another setting", on("cilium", QUIET), [node(), overridden(SILENT, override({ "enable-wireguard": "true" }))], {}],
    ["of two the one whose name comes later", on("cilium", QUIET), [node(), overridden(SILENT, override(LOUD, {}, "a"), override(SILENT, {}, "b"))], {}],
    ["where somebody may not read it", on("cilium", QUIET), [node(), cilium({}, { overrides: undefined, unread: { reason: "may not list `ciliumnodeconfigs`", remedy: "allow it" } })], { undecided: CONFIG }],
    ["where nobody saw whether there are any", on("cilium", QUIET), [node(), cilium({}, { overrides: undefined })], { undecided: CONFIG }],
    ["one of two nodes is set otherwise", on("cilium", QUIET), [canary, node({ name: "n2" }), cilium({}, { readyOn: ["n1", "n2"], overrides: [override(LOUD, { matchLabels: { canary: "yes" } })] })], { faults: CONFIG }],
    ["Kmesh beside a Cilium that translates in the sockets of pods on this node only", on("kmesh"), [canary, kmesh(), istiod("1.25.2"), overridden(SILENT, override(LOUD, { matchLabels: { canary: "yes" } }))], { undecided: ["eks/mesh.ebpf"] }],
  ]);
});

describe("kernels by the image of the node", () => {
  const images: readonly (readonly [image: string, osImage: string, family: string, kernel: string, min: string])[] = [
    ["Amazon Linux 2023 up to Kubernetes 1.32", "Amazon Linux 2023.8.20250915", "al2023", "6.1.141-155.222.amzn2023.x86_64", "6.1"],
    ["Amazon Linux 2023 from 1.33", "Amazon Linux 2023.9.20260105", "al2023", "6.12.46-66.121.amzn2023.x86_64", "6.12"],
    ["Amazon Linux 2023 from 1.36", "Amazon Linux 2023.11.20260714", "al2023", "6.18.5-9.amzn2023.x86_64", "6.18"],
    ["Amazon Linux 2", "Amazon Linux 2", "al2", "5.10.238-234.956.amzn2.x86_64", "5.10"],
    ["Bottlerocket up to 1.27", "Bottlerocket OS 1.20.0 (aws-k8s-1.27)", "bottlerocket", "5.15.160", "5.15"],
    ["Bottlerocket from 1.28", "Bottlerocket OS 1.44.0 (aws-k8s-1.31)", "bottlerocket", "6.1.141", "6.1"],
    ["Bottlerocket from 1.33", "Bottlerocket OS 1.49.0 (aws-k8s-1.33)", "bottlerocket", "6.12.40", "6.12"],
    ["Ubuntu 22.04 on AKS", "Ubuntu 22.04.5 LTS", "ubuntu", "5.15.0-1116-azure", "5.15"],
    ["Ubuntu 24.04 on AKS", "Ubuntu 24.04.2 LTS", "ubuntu", "6.8.0-1059-azure", "6.8"],
    ["Azure Linux 3", "Microsoft Azure Linux 3.0", "azurelinux", "6.6.143.1-1.azl3", "6.6.143"],
    ["Container-Optimized OS", "Container-Optimized OS from Google", "cos", "6.6.93+", "6.6.93"],
    ["Ubuntu on GKE", "Ubuntu 24.04.2 LTS", "ubuntu", "6.8.0-1035-gke", "6.8"],
  ];
  table(images.map(([image, osImage, family, kernel, min]): Row => [image, { node: { os: { families: [family] }, kernel: { min } } }, [node({ osImage, kernel })], {}]));
  table([
    ["what is new on one of them is not on all: netkit on Container-Optimized OS 6.6", on("cilium", { hooks: ["netkit"] }), [node({ osImage: "Container-Optimized OS from Google", kernel: "6.6.93+" }), cilium()], { faults: ["eks/mesh.ebpf.hooks"] }],
    ["ARM64 with trampolines excludes Ubuntu 22.04 of AKS", on("cilium", { hooks: ["fentry"] }), [arm({ osImage: "Ubuntu 22.04.5 LTS", kernel: "5.15.0-1116-azure" }), cilium()], { faults: ["eks/mesh.ebpf.hooks"] }],
    ["and takes Ubuntu 24.04", on("cilium", { hooks: ["fentry"] }), [arm({ osImage: "Ubuntu 24.04.2 LTS", kernel: "6.8.0-1059-azure" }), cilium()], {}],
    ["on x86-64 the same kernel has them", on("cilium", { hooks: ["fentry"] }), [node({ osImage: "Ubuntu 22.04.5 LTS", kernel: "5.15.0-1116-azure" }), cilium()], {}],
  ]);

  it("images of one moment span many kernels, and a floor holds for all", () => {
    const profile = { node: { kernel: { min: "5.10" } }, parity: { across: ["cloud"], compare: [], atLeast: ["kernel.min"] } };
    const facts = [node(), node({ on: "gke", kernel: "6.6.93+" }), node({ on: "aks", kernel: "5.15.0-1116-azure" })];
    expect(judged(specOf(profile), facts, [EKS, GKE, AKS]).verdict).toBe("holds");
  });
});

const CLASS = { runtime: { runtimeClass: { name: "wasm", handlers: ["wasmtime", "wasmedge", "wasmer", "wamr", "spin", "spin-v2", "crun", "crun-wasm"] } } };
const asked = (annotations: object) => ({ ...CLASS, mesh: { annotations } });
const bears = (marks: Readonly<Record<string, Readonly<Record<string, number>>>>) => pods("class-pods", { name: "wasm", pods: 2, marks });
const spin = (parts: NodeParts) => [arm({ labels: { "kubernetes.azure.com/wasmtime-spin-v2": "true" }, ...parts }), runtimeClass(), running];

describe("runtimes behind a class", () => {
  table(["wasmtime", "wasmedge", "wasmer", "wamr", "spin", "spin-v2", "crun", "crun-wasm"].map((handler): Row => [`${handler}: a handler that may be there, and a pod that runs`, CLASS, [arm(), runtimeClass({ handler }), running], {}]));
  table([
    ["a name is free: one that nobody allows is none of them, whatever it runs", CLASS, [arm(), runtimeClass({ handler: "wasm" }), running], { faults: ["eks/runtime.class"] }],
    ["SpinKube: the shim's digest for this architecture", { runtime: { ...CLASS.runtime, shim: { sha256: { "linux/arm64": ONE } } } }, [arm(), runtimeClass({ handler: "spin-v2" }), running, shim(ONE)], {}],
    ["SpinKube: the right digest, and a node on which it is not installed yet", { runtime: { ...CLASS.runtime, shim: { sha256: { "linux/arm64": ONE } } } }, [arm({ labels: { spin: "pending" } }), runtimeClass({ handler: "spin-v2" }), running, shim(ONE)], { undecided: ["eks/runtime.shim"] }],
    ["SpinKube: the right digest, and a node that its installer passed by", { runtime: { ...CLASS.runtime, shim: { sha256: { "linux/arm64": ONE } } } }, [arm({ labels: {} }), runtimeClass({ handler: "spin-v2" }), running, shim(ONE)], { undecided: ["eks/runtime.shim"] }],
    ["SpinKube: a digest for another architecture alone", { runtime: { ...CLASS.runtime, shim: { sha256: { "linux/amd64": ONE } } } }, [arm(), runtimeClass({ handler: "spin-v2" }), running, shim(ONE)], { undecided: ["eks/runtime.shim"] }],
    ["KWasm: a class, and nothing that shows that its installer came by", CLASS, [arm(), runtimeClass({ handler: "wasmedge" })], { undecided: ["eks/runtime.handler"] }],
    ["AKS: a WASI node pool is retired, also where pods still run in it", CLASS, spin({ provider: "azure" }), { faults: ["eks/runtime.handler"] }],
    ["AKS: it may be one, where no provider is told", CLASS, spin({}), { undecided: ["eks/runtime.handler"] }],
    ["elsewhere such a label is one of somebody's own", CLASS, spin({ provider: "k3s" }), {}],
    ["AKS: any other pool is not", CLASS, [arm({ provider: "azure", labels: { "kubernetes.azure.com/agentpool": "p" } }), runtimeClass(), running], {}],
    ["the kubelet's own list proves it without a pod", CLASS, [arm({ handlers: ["", "wasmtime"] }), runtimeClass()], {}],
    ["pods of the class without a sidecar", CLASS, [arm(), runtimeClass(), pods("class-pods", { name: "wasm" })], {}],
    ["pods of the class whose sidecars run: this runtime starts ordinary containers, too", CLASS, [arm(), runtimeClass(), pods("class-pods", { name: "wasm", withSidecar: 2 })], {}],
    ["pods of the class with a sidecar that does not run", CLASS, [arm(), runtimeClass(), pods("class-pods", { name: "wasm", withSidecar: 2, sidecarsDown: 1 })], { undecided: ["eks/runtime.sidecars"] }],
    ["pods of the class whose sidecars nobody counted", CLASS, [arm(), runtimeClass(), pods("class-pods", { name: "wasm", withSidecar: undefined, sidecarsDown: undefined })], { undecided: ["eks/runtime.sidecars"] }],
    ["crun: pods that ask for Wasm by its annotation", asked({ required: { "run.oci.handler": "wasm" } }), [arm(), runtimeClass({ handler: "crun" }), bears({ "run.oci.handler": { wasm: 2 } })], {}],
    ["crun: one pod that does not ask, and is run as an ordinary one", asked({ required: { "run.oci.handler": "wasm" } }), [arm(), runtimeClass({ handler: "crun" }), bears({ "run.oci.handler": { wasm: 1 } })], { faults: ["eks/mesh.annotations"] }],
    ["crun: another value", asked({ required: { "run.oci.handler": "wasm" } }), [arm(), runtimeClass({ handler: "crun" }), bears({ "run.oci.handler": { "wasm-smart": 2 } })], { faults: ["eks/mesh.annotations"] }],
    ["crun: any value", asked({ required: { "run.oci.handler": "*" } }), [arm(), runtimeClass({ handler: "crun" }), bears({ "run.oci.handler": { wasm: 1, "wasm-smart": 1 } })], {}],
    ["a pod that lets a sidecar in, which is forbidden", asked({ forbidden: { "sidecar.istio.io/inject": "true" } }), [arm(), runtimeClass(), bears({ "sidecar.istio.io/inject": { false: 1, true: 1 } })], { faults: ["eks/mesh.annotations"] }],
    ["pods that keep it out", asked({ required: { "sidecar.istio.io/inject": "false" } }), [arm(), runtimeClass(), bears({ "sidecar.istio.io/inject": { false: 2 } })], {}],
    ["no pod of the class bears anything", asked({ required: { "sidecar.istio.io/inject": "false" } }), [arm({ handlers: ["wasmtime"] }), runtimeClass()], { undecided: ["eks/mesh.annotations"] }],
    ["pods of the class whose annotations nobody kept", asked({ forbidden: { "sidecar.istio.io/inject": "*" } }), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", pods: undefined, marks: undefined })], { undecided: ["eks/mesh.annotations"] }],
    ["machines with ARM64, by the names of their types", { ...CLASS, selector: { instanceTypes: { aws: ["c7g.*", "c8g.*", "t4g.*"] } } }, [arm({ instanceType: "c8g.large" }), node({ name: "n2", instanceType: "c7i.large" }), runtimeClass(), running], {}],
    ["GKE taints such pools by itself, the others do not: a toleration that does is fine", { ...CLASS, node: { taints: { required: [{ key: "hal/edge", effect: "NoSchedule" }] } } }, [arm({ taints: [{ key: "hal/edge", effect: "NoSchedule" }, { key: "kubernetes.io/arch", value: "arm64", effect: "NoSchedule" }] }), runtimeClass({ tolerations: [{ key: "hal/edge", operator: "Exists" }] }), running], {}],
  ]);
});

const HTTP = { runtime: { runtimeClass: { name: "wasm" }, http: { port: 8080, minVersion: "0.14.0" } } };

describe("what a runtime says of itself", () => {
  table([
    ["its health and a version that is new enough", HTTP, [arm(), runtimeClass(), running, answer()], {}],
    ["at the port that Spin listens on", { runtime: { runtimeClass: { name: "wasm" }, http: { port: 80 } } }, [arm(), runtimeClass(), running, answer({ runtime: "spin", version: "3.4.1" }, 80)], {}],
    ["at another port than the profile names", { runtime: { runtimeClass: { name: "wasm" }, http: { port: 80 } } }, [arm(), runtimeClass(), running, answer()], { undecided: ["eks/runtime.http"] }],
    ["a version that is too old", HTTP, [arm(), runtimeClass(), running, answer({ version: "0.13.5" })], { faults: ["eks/runtime.http"] }],
    ["nobody was asked", HTTP, [arm(), runtimeClass(), running], { undecided: ["eks/runtime.http"] }],
  ]);
});

const FPGA = { node: { resources: [{ class: "fpga", min: 1 }] } };
const RESOURCE = ["eks/resources.fpga"];

describe("cards, by the names of their resources", () => {
  const u250 = (vendor: string) => ({ node: { resources: [{ class: "fpga", vendors: [vendor], families: ["xilinx_u250"], min: 1 }] } });
  table([
    ["Intel: a function", FPGA, offering("fpga.intel.com/af-695.d84.aVKNtusxV3qMNmj5-qCB9thCTcSko8QT-J5DNoP5BAs"), {}],
    ["Intel: a region", FPGA, offering("fpga.intel.com/region-69528db6eb31577a8c3668f9faa081f6"), {}],
    ["Intel: the label of its rule for Arria 10, by its whole key", { node: { features: [{ id: "arria", any: [{ nfd: "intel.feature.node.kubernetes.io/fpga-arria10" }] }] } }, [node({ labels: { "intel.feature.node.kubernetes.io/fpga-arria10": "true" } })], {}],
    ["Intel: no such label, where nothing tells that its rule is there", { node: { features: [{ id: "arria", any: [{ nfd: "intel.feature.node.kubernetes.io/fpga-arria10" }] }] } }, [node(), feature({ kernelConfig: { BPF: "y" } })], { undecided: ["eks/features.arria"] }],
    ["AMD, as its plug-in names it", u250("amd"), offering("amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0"), {}],
    ["AMD, as it named it before", { node: { resources: [{ class: "fpga", families: ["xilinx_u200"], min: 1 }] } }, offering("xilinx.com/fpga-xilinx_u200_xdma_201830_1-1542252769"), {}],
    ["AMD for video", FPGA, offering("amd.com/ama_u30"), {}],
    ["AWS: a name that somebody gave it, which the profile explains", { node: { resources: [{ class: "fpga", vendors: ["amd"], min: 2, aliases: [{ name: "aws.amazon.com/fpga", vendor: "amd", family: "vu47p" }] }] } }, offering("aws.amazon.com/fpga", "2"), {}],
    ["AWS: F2 is a type of machine, Inferentia 2 another", { selector: { instanceTypes: { aws: ["f2.*"] } }, ...FPGA }, [node({ instanceType: "inf2.24xlarge" }), node({ name: "n2", instanceType: "f2.6xlarge", capacity: { "amd.com/ama_u30": "1" }, allocatable: { "amd.com/ama_u30": "1" } })], {}],
    ["Azure NP, as its autoscaler names it", u250("amd"), offering("xilinx.com/fpga-xilinx_u250_gen3x16_xdma_shell_2_1-0"), {}],
    ["Alibaba: its own F2 is no F2 of AWS", { selector: { instanceTypes: { aws: ["f2.*"], alibaba: ["ecs.f3-*"] } }, ...FPGA }, [node({ instanceType: "ecs.f2-c8f1.2xlarge" }), node({ name: "n2", instanceType: "f2.12xlarge", capacity: { "aws.amazon.com/fpga": "2" }, allocatable: { "aws.amazon.com/fpga": "2" } })], { faults: RESOURCE }],
    ["Alibaba: a name that nobody explains", FPGA, offering("aliyun.com/fpga"), { faults: RESOURCE }],
    ["on the PCI bus: an accelerator of Xilinx, as Node Feature Discovery labels it", { node: { features: [{ id: "pci", any: [{ nfd: "pci-1200_10ee.present" }] }] } }, [node({ labels: { "feature.node.kubernetes.io/pci-1200_10ee.present": "true" } })], {}],
    ["a GPU of the same maker", FPGA, offering("amd.com/gpu"), { faults: RESOURCE }],
    ["a pool that keeps others away by a taint of its own", { node: { ...FPGA.node, taints: { required: [{ key: "hal.example.io/fpga", value: "true", effect: "NoSchedule" }] } } }, [node({ taints: [{ key: "hal.example.io/fpga", value: "true", effect: "NoSchedule" }], capacity: { "amd.com/ama_u30": "1" }, allocatable: { "amd.com/ama_u30": "1" } })], {}],
  ]);

  it("GCP has none: the fault says so, and that an exemption is the way", () => {
    const result = judged(specOf(FPGA), [node({ on: "gke" })], [GKE]);
    expect(shown(result).faults).toEqual(["gke/resources.fpga"]);
    expect([result.findings[0]?.message, result.findings[0]?.remedy].join("\n")).toMatch(/Google Cloud has no type of machine with an FPGA[^]*exempt/);
  });
});

const AFU = "fpga.intel.com/af-695.d84.aVKNtusxV3qMNmj5-qCB9thCTcSko8QT-J5DNoP5BAs";
const SHOWN = "feature.node.kubernetes.io/fpga-image";
const designs = (...equivalence: readonly object[]) => ({ accelerator: { bitstreams: { equivalence, nfd: "fpga-image" } } });
const loads = (image: string, more: NodeParts = {}) => node({ capacity: { "amd.com/ama_u30": "1" }, allocatable: { "amd.com/ama_u30": "1" }, labels: { [SHOWN]: image }, ...more });

describe("designs in cards", () => {
  const BITSTREAMS = ["eks/accelerator.bitstreams"];
  const one = { aws: "agfi-0123456789abcdef0", azure: "0123456789abcdef0123456789abcdef" };
  const two = { aws: "agfi-0fedcba9876543210", azure: "fedcba9876543210fedcba9876543210" };
  const intel = { accelerator: { bitstreams: { equivalence: [{ aws: "afu:d8424dc4a4a3c413f89e433683f9040b" }] } } };
  table([
    ["the one that the label names", designs(one), [loads("agfi-0123456789abcdef0")], {}],
    ["another one than any entry names", designs(one), [loads("agfi-0fedcba9876543210")], { faults: BITSTREAMS }],
    ["that of another cloud is none of this one", designs(one), [loads("0123456789abcdef0123456789abcdef")], { faults: BITSTREAMS }],
    ["without a label", designs(one), [loads("", { labels: {} })], { undecided: BITSTREAMS }],
    ["a label, and nobody who named it in the profile", { accelerator: { bitstreams: { equivalence: [one] } } }, [loads("agfi-0123456789abcdef0")], { undecided: BITSTREAMS }],
    ["a cloud that no entry names", designs({ azure: "0123456789abcdef0123456789abcdef" }), [loads("agfi-0123456789abcdef0")], { undecided: BITSTREAMS }],
    ["a label is too weak where a probe is wanted", { minTiers: { "accelerator.bitstreams": "T4" }, ...designs(one) }, [loads("agfi-0123456789abcdef0")], { undecided: BITSTREAMS }],
    ["a function of Intel, as the name of its resource tells", intel, offering(AFU), {}],
    ["another function of Intel", { accelerator: { bitstreams: { equivalence: [{ aws: "afu:00000000000000000000000000000000" }] } } }, offering(AFU), { faults: BITSTREAMS }],
    ["a region of Intel tells no function", intel, offering("fpga.intel.com/region-69528db6eb31577a8c3668f9faa081f6"), { undecided: BITSTREAMS }],
    ["a name of Intel whose digits contradict its bytes", intel, offering(AFU.replace("d84", "d85")), { undecided: BITSTREAMS }],
    ["a name of Intel whose first digits contradict its bytes", intel, offering(AFU.replace("695", "696")), { undecided: BITSTREAMS }],
    ["a label that a source of Node Feature Discovery would have asked for", { accelerator: { bitstreams: { equivalence: [one], nfd: "pci-fpga.image" } } }, [loads("", { labels: { "feature.node.kubernetes.io/pci-fpga.image": "agfi-0123456789abcdef0" } }), feature({ kernelConfig: { BPF: "y" } })], { undecided: BITSTREAMS }],
    ["a function of Intel, and beside it a card that tells nothing", intel, [node({ capacity: { [AFU]: "1", "amd.com/ama_u30": "1" }, allocatable: { [AFU]: "1", "amd.com/ama_u30": "1" } })], { undecided: BITSTREAMS }],
    ["a label of a key of one's own", { accelerator: { bitstreams: { equivalence: [one], nfd: "acme.example/fpga-image" } } }, [loads("", { labels: { "acme.example/fpga-image": "agfi-0123456789abcdef0" } })], {}],
  ]);

  it("of a cloud that nobody knows are undecided", () => {
    const bare = clusterOf("eks");
    expect(shown(judged(specOf(designs(one)), [loads(one.aws)], [bare])).undecided).toEqual(BITSTREAMS);
  });

  it("that count as one are the same across clouds, and others are not", () => {
    const profile = { ...designs(one, two), parity: { across: ["cloud"], compare: ["bitstream"] } };
    const azure = (image: string) => loads(image, { on: "aks" });
    const across = (facts: readonly Fact[]) => judged(specOf(profile), facts, [EKS, AKS]);
    expect(across([loads(one.aws), azure(one.azure)]).verdict).toBe("holds");
    expect(shown(across([loads(one.aws), azure(two.azure)])).faults).toEqual(["parity/bitstream"]);
    expect(shown(across([loads(one.aws), loads("", { on: "aks", labels: {} })])).undecided).toEqual(["aks/accelerator.bitstreams", "parity/bitstream"]);
  });
});

describe("clouds that each conform and are not alike", () => {
  const BOTH = [EKS, GKE];
  const same = (compare: string, more: object) => ({ ...more, parity: { across: ["cloud"], compare: [compare] } });
  const onGke = (each: Fact): Fact => ({ ...each, cluster: "gke" });
  const offer = (cluster: string, resource: string) => node({ on: cluster, capacity: { [resource]: "1" }, allocatable: { [resource]: "1" } });
  table([
    ["of two architectures", same("arch", { node: { arch: ["amd64", "arm64"] } }), [node(), node({ on: "gke", arch: "arm64" })], { faults: ["parity/arch"] }, BOTH],
    ["of two systems", same("os", { node: { os: { families: ["al2023", "cos"] } } }), [node(), node({ on: "gke", osImage: "Container-Optimized OS from Google" })], { faults: ["parity/os"] }, BOTH],
    ["with two handlers", same("handlers", CLASS), [arm(), runtimeClass(), running, arm({ on: "gke" }), onGke(runtimeClass({ handler: "wasmedge" })), onGke(running)], { faults: ["parity/handlers"] }, BOTH],
    ["with two releases of Cilium", same("ebpfVersion", on("cilium")), [node(), cilium(), node({ on: "gke" }), cilium({}, { on: "gke", image: "quay.io/cilium/cilium:v1.18.2" })], { faults: ["parity/ebpfVersion"] }, BOTH],
    ["with two data planes", same("dataplane", { mesh: { dataplane: ["sidecar", "ambient"] } }), [node(), pods("sidecars"), node({ on: "gke" }), pods("ambient", { on: "gke" })], { faults: ["parity/dataplane"] }, BOTH],
    ["with cards of two makers", same("vendor", FPGA), [offer("eks", "amd.com/ama_u30"), offer("gke", "fpga.intel.com/region-69528db6eb31577a8c3668f9faa081f6")], { faults: ["parity/vendor"] }, BOTH],
    ["with two shells", same("shell", FPGA), [offer("eks", "amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0"), offer("gke", "amd.com/xilinx_u250_gen3x16_xdma_shell_2_1-0")], { faults: ["parity/shell"] }, BOTH],
    ["of one maker, of which one name tells no family", same("family", FPGA), [offer("eks", "amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0"), offer("gke", "fpga.intel.com/region-69528db6eb31577a8c3668f9faa081f6")], { undecided: ["parity/family"] }, BOTH],
    ["on two kernels above one floor: a floor is no equality", { node: { kernel: { min: "5.10" } }, parity: { across: ["cloud"], compare: [], atLeast: ["kernel.min"] } }, [node(), node({ on: "gke", kernel: "5.15.0-1" })], {}, BOTH],
  ]);
});

describe("traps", () => {
  const SHIMMED = { runtime: { runtimeClass: { name: "wasm" }, shim: { sha256: { "linux/arm64": ONE } } } };
  table([
    ["equal handlers, different shims: the digest decides", SHIMMED, [arm(), runtimeClass(), running, shim(TWO)], { faults: ["eks/runtime.shim"] }],
    ["capacity without anything to allocate: the plug-in is dead", FPGA, offering("amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0", "0", "1"), { faults: RESOURCE }],
    ["a label set by hand on the wrong node", { selector: { labels: { "hal/profile": "fpga" } }, ...FPGA }, [node({ labels: { "hal/profile": "fpga" } })], { faults: RESOURCE }],
    ["a virtual node: its kernel says nothing", { node: { kernel: { min: "5.10" } } }, [node(), node({ name: "n2", virtual: "fargate", kernel: "5.4.0" })], {}],
    ["Kmesh, Merbridge and ambient together", { mesh: { ebpf: { impl: ["kmesh", "merbridge"] } } }, [node(), kmesh(), merbridge(), agent("ztunnel"), istiod("1.25.2")], { undecided: ["eks/mesh.ebpf"] }],
    ["Kmesh and ambient on one pod", { mesh: { dataplane: ["kmesh", "ambient"] } }, [node(), kmesh(), istiod("1.25.2"), pods("kmesh"), pods("ambient"), pods("several")], { faults: ["eks/mesh.dataplane"] }],
    ["Kmesh and ambient on one pod of another node", { mesh: { dataplane: ["kmesh", "ambient"] } }, [node(), kmesh(), istiod("1.25.2"), pods("kmesh"), pods("several", { runningOn: ["n2"] })], {}],
    ["a sidecar and ambient on one pod that is not ready", { mesh: { dataplane: ["sidecar", "ambient"] } }, [node(), pods("sidecars"), pods("several", { runningOn: [], failingOn: ["n1"] })], { faults: ["eks/mesh.dataplane"] }],
    ["programs in sockets: one implementation a cluster", { mesh: { ebpf: { impl: ["cilium", "merbridge"] } } }, [node(), node({ name: "n2" }), cilium(), merbridge({ readyOn: ["n2"] })], { faults: ["eks/mesh.ebpf"] }],
    ["a card that was programmed past everybody: what is loaded is not known", { accelerator: { bitstreams: { equivalence: [{ aws: "agfi-0123456789abcdef0" }] } } }, offering("amd.com/ama_u30"), { undecided: ["eks/accelerator.bitstreams"] }],
  ]);

  it("one card, two names after an upgrade of the plug-in: one family everywhere", () => {
    const profile = { ...FPGA, parity: { across: ["cloud"], compare: ["vendor", "family"] } };
    const offer = (cluster: string, resource: string) => node({ on: cluster, capacity: { [resource]: "1" }, allocatable: { [resource]: "1" } });
    expect(judged(specOf(profile), [offer("eks", "amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0"), offer("aks", "xilinx.com/fpga-xilinx_u250_gen3x16_xdma_shell_2_1-0")], [EKS, AKS]).verdict).toBe("holds");
  });

  it("Node Feature Discovery is absent on one cloud: not known there, with another evidence as the way out", () => {
    const profile = { node: { features: [{ id: "aes", any: [{ nfd: "cpu-cpuid.AESNI" }] }] } };
    const facts: readonly Fact[] = [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" } }), node({ on: "gke" })];
    const result = judged(specOf(profile), facts, [EKS, GKE]);
    expect(shown(result)).toMatchObject({ faults: [], undecided: ["gke/features.aes"] });
    expect(result.findings.find(({ outcome }) => outcome === "undecided")?.remedy).toContain("add an evidence that needs none");
  });
});

describe("what nobody shows", () => {
  it("heals none of these worlds, field by field", () => {
    const { healed, looked } = healedByHiding(WORLDS);
    expect(healed).toEqual([]);
    expect(looked).toBeGreaterThan(300);
  });

  it("nor a fact or a whole kind of facts behind a gap", () => {
    expect(withoutEvidence(WORLDS, "behind a gap").filter(({ verdict }) => verdict === "holds")).toEqual([]);
  });

  it("taken out of lists that are whole, only what was itself the trouble does", () => {
    expect(healedBy(withoutEvidence(WORLDS, "from whole lists"))).toEqual({
      "two Ciliums on one node: whose settings count is not known": ["one of node-agents (kube-system/cilium)", "one of node-agents (other/cilium)"],
      "a label that a source of Node Feature Discovery would have asked for": ["all node-features", "one of node-features (nfd/n1)"],
      "Kmesh and ambient on one pod": ["one of node-agents (pods several)"],
      "a sidecar and ambient on one pod that is not ready": ["one of node-agents (pods several)"],
      "two releases of Kmesh on two nodes, one of which is not for the Istio that runs": ["one of nodes (n1)"],
      "Kmesh with two control planes, one of them too new": ["one of control-planes (istio-system/default 1.29.1)"],
      "one of two nodes is set otherwise": ["one of nodes (n1)"],
      "Kmesh beside a Cilium that translates in the sockets of pods on this node only": ["one of node-agents (kube-system/cilium)"],
      "programs in sockets: one implementation a cluster": ["one of nodes (n1)", "one of nodes (n2)"],
    });
  });
});
