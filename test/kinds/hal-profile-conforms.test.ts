import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CILIUM_SETTINGS, POD_MARKS, type Cluster, type Fact, type Result, type WasmImage, type WasmPlace, type WasmSignatures } from "#engine";
import kind from "../../kinds/hal-profile-conforms/kind.ts";
import schema from "../../kinds/hal-profile-conforms/profile.json" with { type: "json" };
import { moduleRequest } from "../../kinds/hal-profile-conforms/module-rules.ts";
import { idsOf } from "../../kinds/hal-profile-conforms/requirements.ts";
import type { Spec } from "../../kinds/hal-profile-conforms/spec.ts";
import { agent, answer, arm, cilium, EKS, fact, feature, fill, healedBy, healedByHiding, istiod, judged, kmesh, merbridge, node, offering, ONE, pods, pool, running, runtimeClass, shim, shown, specOf, tableOf, TWO, withoutEvidence, type Expected, type NodeParts, type Row } from "../support/hal.ts";
import { clusterOf, gapOf, resultOf } from "../support/world.ts";

type Exemption = Spec["exemptions"][number];

/** Every row of every table, for the properties at the end. */
const WORLDS: Row[] = [];
const table = tableOf(WORLDS);

const ARCH = { node: { arch: ["amd64"] } };

describe("which nodes are judged", () => {
  table([
    ["a cluster with a ready node of the profile holds", ARCH, [node()], {}],
    ["no node: the cluster lacks what the profile is about", ARCH, [node({ pool: "other" })], { faults: ["eks/nodes"], gaps: ["under-test"] }],
    ["`minNodes: 0`: no node is fine, where all were seen; but then nothing was judged", { ...ARCH, minNodes: 0 }, [node({ pool: "other" })], { gaps: ["under-test"] }],
    ["a node that is not ready proves nothing", ARCH, [node({ ready: false })], { faults: ["eks/nodes"], gaps: ["under-test"] }],
    ["a node whose readiness nobody tells may be one", ARCH, [node({ ready: undefined })], { undecided: ["eks/nodes"], gaps: ["under-test"] }],
    ["nor is it known whether such a node is as the profile asks, beside one that is", ARCH, [node(), node({ name: "n2", ready: undefined })], { undecided: ["eks/nodes"] }],
    ["a cordoned node proves nothing", ARCH, [node({ cordoned: true })], { faults: ["eks/nodes"], gaps: ["under-test"] }],
    ["a virtual node (Fargate) has no hardware of its own", ARCH, [node({ virtual: "fargate" })], { faults: ["eks/nodes"], gaps: ["under-test"] }],
    ["a bad node aside does not fail a good one", ARCH, [node(), node({ name: "n2", ready: false, arch: "arm64" })], {}],
    ["every node counts: one of two is of the wrong architecture", ARCH, [node(), node({ name: "n2", arch: "arm64" })], { faults: ["eks/node.arch"] }],
    ["a label selects and proves nothing", { selector: { labels: { hw: "x" } }, ...ARCH }, [node({ labels: { hw: "x" }, arch: "arm64" })], { faults: ["eks/node.arch"] }],
    ["types of machine are told by cloud, and a cloud that is not named has none", { selector: { instanceTypes: { aws: ["f2.*"] } }, ...ARCH }, [node({ instanceType: "f2.6xlarge" }), node({ name: "n2", instanceType: "inf2.xlarge", arch: "arm64" })], {}],
  ]);

  it("types of machine of a cloud that nobody knows are a gap, never an absence", () => {
    const bare = clusterOf("eks");
    const spec = specOf({ selector: { instanceTypes: { aws: ["f2.*"] } }, ...ARCH });
    const result = judged(spec, [node({ instanceType: "f2.6xlarge" })], [bare]);
    expect([result.verdict, shown(result)]).toEqual(["undecided", { faults: [], undecided: [], gaps: ["eks/cloud"] }]);
    expect(judged(spec, [node({ instanceType: "f2.6xlarge", provider: "aws" })], [bare]).verdict).toBe("holds");
  });

  it("a node that no one could list is a gap, never an absence", () => {
    const { verdict, findings } = resultOf(kind, specOf(ARCH), { clusters: [EKS], facts: [], gaps: [gapOf("nodes", "eks")] });
    expect([verdict, findings]).toEqual(["undecided", []]);
  });

  it("`atLeast` counts nodes that meet everything, and lets others be", () => {
    const facts = [node(), node({ name: "n2", arch: "arm64" }), node({ name: "n3" })];
    expect(judged(specOf({ ...ARCH, minNodes: 2 }, { mode: "atLeast" }), facts).verdict).toBe("holds");
    expect(shown(judged(specOf({ ...ARCH, minNodes: 3 }, { mode: "atLeast" }), facts)).faults).toEqual(["eks/nodes"]);
    const open = [node(), node({ name: "n2", arch: undefined })];
    expect(judged(specOf({ ...ARCH, minNodes: 2 }, { mode: "atLeast" }), open).verdict).toBe("undecided");
  });
});

describe("what Terraform declares is the weakest evidence, for pools without a node", () => {
  const declared = { minTier: "T0", minNodes: 0, ...ARCH };
  const taint = { minTier: "T0", minNodes: 0, node: { taints: { required: [{ key: "hal/fpga", value: "yes", effect: "NoSchedule" }] } } };
  table([
    ["a pool of the architecture that is wanted", declared, [pool()], {}],
    ["a pool of another architecture", declared, [pool({ arch: "arm64" })], { faults: ["eks/node.arch"] }],
    ["a pool whose architecture nothing tells", declared, [pool({ arch: undefined })], { undecided: ["eks/node.arch"] }],
    ["a pool that the selector does not pick", declared, [pool({ name: "q" })], { gaps: ["under-test"] }],
    ["a selector by labels picks none: a state does not tell them", { ...declared, selector: { labels: { a: "b" } } }, [pool()], { gaps: ["under-test"] }],
    ["a selector by types of machine", { ...declared, selector: { instanceTypes: { aws: ["c7*"] } } }, [pool(), pool({ name: "q", instanceTypes: ["m7g.large"], arch: "arm64" })], {}],
    ["where T0 is not accepted nothing is asked of states", { ...declared, minTier: "T1" }, [pool()], { gaps: ["under-test"] }],
    ["where T0 is accepted of another requirement only, it is undecided", { ...declared, minTier: "T1", minTiers: { nodes: "T0" } }, [pool()], { undecided: ["eks/node.arch"] }],
    ["a pool is no node: `minNodes` asks for live ones", { ...declared, minNodes: 1 }, [pool()], { faults: ["eks/nodes"] }],
    ["a live node counts more than its pool", declared, [node({ arch: "arm64" }), pool()], { faults: ["eks/node.arch"] }],
    ["a live node that does not tell is not helped by its pool", declared, [node({ arch: undefined }), pool()], { undecided: ["eks/node.arch"] }],
    ["a node that is not ready is there: its pool does not stand in for it", declared, [node({ ready: false }), pool()], { gaps: ["under-test"] }],
    ["taints of a pool", taint, [pool()], {}],
    ["other taints of a pool", taint, [pool({ taints: ["hal/fpga=no:NoSchedule"] })], { faults: ["eks/node.taints"] }],
    ["taints of which the state says nothing", taint, [pool({ taints: undefined })], { undecided: ["eks/node.taints"] }],
    ["a kernel no state tells", { minTier: "T0", minNodes: 0, node: { kernel: { min: "5.10" } } }, [pool()], { undecided: ["eks/node.kernel"] }],
    ["nor who carries traffic", { minTier: "T0", minNodes: 0, mesh: { dataplane: ["none"], ebpf: { impl: ["cilium"] } } }, [pool()], { undecided: ["eks/mesh.dataplane", "eks/mesh.ebpf"] }],
  ]);

  it("is named with its tier, and the state asked only where it counts", () => {
    expect(judged(specOf(declared), [pool()]).tables?.[0]?.rows.find(({ head }) => head === "node.arch")?.cells).toEqual([{ state: "pass", text: "T0 amd64" }]);
    const asks = (profile: object) => kind.needs(specOf(profile)).some(({ fact: of }) => of === "declared");
    expect([declared, { ...ARCH, minTiers: { "node.arch": "T0" } }, ARCH].map(asks)).toEqual([true, true, false]);
  });

  it("nodes that nobody could list are still a gap", () => {
    expect(resultOf(kind, specOf(declared), { clusters: [EKS], facts: [pool()], gaps: [gapOf("nodes", "eks")] }).verdict).toBe("undecided");
  });
});

const KERNEL = { node: { kernel: { min: "5.10" } } };
const RHEL = { node: { kernel: { min: "5.10", equivalents: [{ match: ".el8_10", min: "4.18" }] } } };

describe("the kernel is a floor", () => {
  const at = (kernel: string | undefined) => [node({ kernel })];
  table([
    ["of Amazon Linux", KERNEL, at("6.1.141-155.222.amzn2023.x86_64"), {}],
    ["of Ubuntu on Azure", KERNEL, at("5.15.0-1116-azure"), {}],
    ["of Azure Linux", KERNEL, at("6.6.143.1-1.azl3"), {}],
    ["of Container-Optimized OS", KERNEL, at("6.6.93+"), {}],
    ["exactly the floor", KERNEL, at("5.10.0"), {}],
    ["5.9 is older than 5.10", KERNEL, at("5.9.16"), { faults: ["eks/node.kernel"] }],
    ["4.18 of Red Hat is older, unless the profile says what it stands for", KERNEL, at("4.18.0-553.el8_10.x86_64"), { faults: ["eks/node.kernel"] }],
    ["4.18 of Red Hat, with an equivalent", RHEL, at("4.18.0-553.el8_10.x86_64"), {}],
    ["an equivalent counts for its own kernels only", RHEL, at("4.18.0-20-generic"), { faults: ["eks/node.kernel"] }],
    ["a text that starts with no release is undecided", KERNEL, at("custom-6.1"), { undecided: ["eks/node.kernel"] }],
    ["no text is undecided", KERNEL, at(undefined), { undecided: ["eks/node.kernel"] }],
  ]);
});

const BTF = "feature.node.kubernetes.io/kernel-config.DEBUG_INFO_BTF";
const byLabel = { node: { features: [{ id: "btf", any: [{ nfd: "kernel-config.DEBUG_INFO_BTF" }] }] } };
const byEither = { node: { features: [{ id: "btf", any: [{ nfd: "kernel-config.DEBUG_INFO_BTF" }, { os: ["al2023", "ubuntu"] }] }] } };
const aes = { node: { features: [{ id: "aes", any: [{ nfd: "cpu-cpuid.AESNI" }] }] } };

describe("a feature is what some evidence shows", () => {
  table([
    ["a label of Node Feature Discovery", byLabel, [node({ labels: { [BTF]: "true" } })], {}],
    ["a label that says no", byLabel, [node({ labels: { [BTF]: "false" } })], { faults: ["eks/features.btf"] }],
    ["its own object, where the label is not asked for", byLabel, [node(), feature({ kernelConfig: { DEBUG_INFO_BTF: "y" } })], {}],
    ["its own object, which read the configuration and found nothing", byLabel, [node(), feature({ kernelConfig: { BPF: "y" } })], { faults: ["eks/features.btf"] }],
    ["Node Feature Discovery does not run: nothing follows", byLabel, [node()], { undecided: ["eks/features.btf"] }],
    ["it runs and was not told to read this option: nothing follows", byLabel, [node({ labels: { "feature.node.kubernetes.io/kernel-version.full": "6.1.141-155.222.amzn2023.x86_64" } })], { undecided: ["eks/features.btf"] }],
    ["it does not run, and the image is known to have it", byEither, [node()], {}],
    ["it does not run, and the image is not listed", byEither, [node({ osImage: "Talos (v1.11)" })], { undecided: ["eks/features.btf"] }],
    ["a label that somebody set by hand: the object of Node Feature Discovery says what it found, without it", aes, [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" } }), feature({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AVX": "true" } })], { undecided: ["eks/features.aes"] }],
    ["a label of an option, set by hand: the configuration was read and does not have it", byLabel, [node({ labels: { [BTF]: "true" } }), feature({ kernelConfig: { BPF: "y" } })], { undecided: ["eks/features.btf"] }],
    ["a label that the object asks for, too", aes, [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" } }), feature({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" } })], {}],
    ["a label of a source of which the worker's object has none", aes, [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" } }), feature({ kernelConfig: { BPF: "y" } })], { undecided: ["eks/features.aes"] }],
    ["a label on a node without an object, where another node has one: an old one, or set by hand", aes, [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" } }), fact("node-features", "eks", "nfd/n2", { node: "n2", labels: {} })], { undecided: ["eks/features.aes"] }],
    ["a label of an own rule on such a node", { node: { features: [{ id: "dfl", any: [{ nfd: "fpga-dfl" }] }] } }, [node({ labels: { "feature.node.kubernetes.io/fpga-dfl": "true" } }), fact("node-features", "eks", "nfd/n2", { node: "n2", labels: {} })], {}],
    ["a label beside an object that its worker did not write", aes, [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" } }), { ...feature({ labels: { "acme.example/x": "1" } }), subject: "nfd/acme-n1" }], {}],
    ["an option of the kernel that is not kept: its absence says nothing", { node: { features: [{ id: "hz", any: [{ nfd: "kernel-config.HZ_1000" }] }] } }, [node(), feature({ kernelConfig: { BPF: "y" } })], { undecided: ["eks/features.hz"] }],
    ["two objects of one node: its worker's own counts more, the other adds to it", byLabel, [node(), feature({ kernelConfig: { DEBUG_INFO_BTF: "y" } }), { ...feature({ labels: { "acme.example/x": "1" } }), subject: "nfd/acme-n1" }], {}],
    ["a label of an own rule, which the worker does not ask for", { node: { features: [{ id: "dfl", any: [{ nfd: "fpga-dfl" }] }] } }, [node({ labels: { "feature.node.kubernetes.io/fpga-dfl": "true" } }), feature({ kernelConfig: { BPF: "y" } })], {}],
    ["two objects of one node that contradict each other: its worker's own counts", byLabel, [node(), { ...feature({ kernelConfig: { DEBUG_INFO_BTF: "n" } }), subject: "nfd/n1" }, { ...feature({ kernelConfig: { DEBUG_INFO_BTF: "y" } }), subject: "nfd/acme-n1" }], { faults: ["eks/features.btf"] }],
    ["of processors it writes all it knows: no label is no feature", aes, [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AVX": "true" } })], { faults: ["eks/features.aes"] }],
    ["the object of Node Feature Discovery counts more than what the image is known for", byEither, [node(), feature({ kernelConfig: { BPF: "y" } })], { faults: ["eks/features.btf"] }],
    ["a label that says no counts more than an image of which nothing is known", { node: { features: [{ id: "btf", any: [{ nfd: "kernel-config.DEBUG_INFO_BTF" }, { os: ["ubuntu"] }] }] } }, [node({ labels: { [BTF]: "false" } })], { faults: ["eks/features.btf"] }],
    ["and so does a label that says no", byEither, [node({ labels: { [BTF]: "false" } })], { faults: ["eks/features.btf"] }],
    ["of two labels one that shows it suffices", { node: { features: [{ id: "aes", any: [{ nfd: "cpu-cpuid.AESNI" }, { nfd: "cpu-cpuid.AES" }] }] } }, [node({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AES": "true" } })], {}],
    ["a kernel that is too old, where Node Feature Discovery does not run: it might know better", { node: { features: [{ id: "btf", any: [{ kernel: "6.4" }, { nfd: "kernel-config.DEBUG_INFO_BTF" }] }] } }, [node()], { undecided: ["eks/features.btf"] }],
    ["a kernel that is too old, and a label that shows it", { node: { features: [{ id: "btf", any: [{ kernel: "6.4" }, { nfd: "kernel-config.DEBUG_INFO_BTF" }] }] } }, [node({ labels: { [BTF]: "true" } })], {}],
    ["families that the profile allows anyway are known to have it", { node: { os: { families: ["al2023"] }, features: [{ id: "btf", any: [{ osAllowlist: true }] }] } }, [node()], {}],
    ["a family that the profile does not allow", { node: { os: { families: ["cos"] }, features: [{ id: "btf", any: [{ osAllowlist: true }] }] } }, [node()], { faults: ["eks/node.os"], undecided: ["eks/features.btf"] }],
    ["evidence below the least tier decides nothing", { minTier: "T2", ...byEither }, [node()], { undecided: ["eks/features.btf"] }],
    ["and for one requirement alone", { minTiers: { "node.arch": "T3" }, ...ARCH }, [node()], { undecided: ["eks/node.arch"] }],
  ]);
});

const EBPF = { mesh: { dataplane: ["sidecar"], ebpf: { impl: ["cilium"], minVersion: { cilium: "1.16" }, config: { "bpf-lb-sock-hostns-only": "true" } } } };
const onCilium = { mesh: { ebpf: { impl: ["cilium"] } } };
const hooked = (...hooks: readonly string[]) => ({ mesh: { ebpf: { impl: ["cilium"], hooks } } });

describe("the eBPF data plane", () => {
  table([
    ["is Cilium with sidecars that see addresses first", EBPF, [node(), cilium(), pods("sidecars")], {}],
    ["is not there", EBPF, [node(), pods("sidecars")], { faults: ["eks/mesh.ebpf"], undecided: ["eks/mesh.ebpf.config", "eks/mesh.ebpf.version"] }],
    ["is there and not ready", onCilium, [node(), cilium({}, { readyOn: [], notReadyOn: ["n1"] })], { faults: ["eks/mesh.ebpf"] }],
    ["is ready on another node only", onCilium, [node(), cilium({}, { readyOn: ["n2"] })], { faults: ["eks/mesh.ebpf"] }],
    ["is too old", EBPF, [node(), cilium({}, { image: "quay.io/cilium/cilium:v1.15.9" }), pods("sidecars")], { faults: ["eks/mesh.ebpf.version"] }],
    ["as AKS pins it: a tag with a suffix names its release", EBPF, [node(), cilium({}, { image: "mcr.microsoft.com/containernetworking/cilium:v1.18.11-260622" }), pods("sidecars")], {}],
    ["has an image without a release: undecided", EBPF, [node(), cilium({}, { image: `quay.io/cilium/cilium@sha256:${"a".repeat(64)}` }), pods("sidecars")], { undecided: ["eks/mesh.ebpf.version"] }],
    ["translates in the sockets of pods", EBPF, [node(), cilium({ "bpf-lb-sock-hostns-only": "false" }), pods("sidecars")], { faults: ["eks/mesh.ebpf.config"] }],
    ["has no ConfigMap that can be seen: undecided", EBPF, [node(), agent("cilium"), pods("sidecars")], { undecided: ["eks/mesh.ebpf.config"] }],
    ["no pod of the mesh shows how pods are in the mesh", EBPF, [node(), cilium()], { undecided: ["eks/mesh.dataplane"] }],
    ["pods in ambient mode where sidecars are wanted", EBPF, [node(), cilium(), pods("ambient")], { faults: ["eks/mesh.dataplane"] }],
    ["Kmesh and Merbridge together: which redirects a pod cannot be seen", { mesh: { ebpf: { impl: ["kmesh", "merbridge"] } } }, [node(), kmesh(), istiod("1.25.2"), merbridge()], { undecided: ["eks/mesh.ebpf"] }],
    ["one implementation a cluster: Cilium here and Kmesh there", { mesh: { ebpf: { impl: ["cilium", "kmesh"] } } }, [node(), node({ name: "n2" }), cilium(), kmesh({ readyOn: ["n2"] }), istiod("1.25.2")], { faults: ["eks/mesh.ebpf"] }],
    ["bpfman on some nodes only loads programs there", { mesh: { ebpf: { impl: ["cilium", "bpfman"] } } }, [node(), node({ name: "n2" }), cilium({}, { readyOn: ["n1", "n2"] }), agent("bpfman", { readyOn: ["n2"] })], {}],
    ["Merbridge that is not ready beside Kmesh: its programs stay loaded", { mesh: { ebpf: { impl: ["kmesh", "merbridge"] } } }, [node(), kmesh(), istiod("1.25.2"), merbridge({ readyOn: [], notReadyOn: ["n1"] })], { undecided: ["eks/mesh.ebpf"] }],
    ["pods in ambient mode that are not ready for the moment, where sidecars are wanted", EBPF, [node(), cilium(), pods("sidecars"), pods("ambient", { runningOn: [], failingOn: ["n1"] })], { undecided: ["eks/mesh.dataplane"] }],
    ["Kmesh beside a ztunnel", { mesh: { ebpf: { impl: ["kmesh"] } } }, [node(), kmesh(), istiod("1.25.2"), agent("ztunnel")], { undecided: ["eks/mesh.ebpf"] }],
    ["Kmesh beside a Cilium that translates in the sockets of pods", { mesh: { ebpf: { impl: ["kmesh"] } } }, [node(), kmesh(), istiod("1.25.2"), cilium({ "bpf-lb-sock-hostns-only": "false" })], { undecided: ["eks/mesh.ebpf"] }],
    ["Kmesh beside a Cilium that does not", { mesh: { ebpf: { impl: ["kmesh"] } } }, [node(), kmesh(), istiod("1.25.2"), cilium()], {}],
  ]);

  it("a program that bpfman could not load is a fault", () => {
    const loaded = (status: string) => fact("bpf-applications", "eks", "n1 tracer", { node: "n1", application: "tracer", status, programs: ["TC"] });
    const bpfman = { mesh: { ebpf: { impl: ["bpfman"] } } };
    expect(judged(specOf(bpfman), [node(), agent("bpfman"), loaded("LoadSuccess")]).verdict).toBe("holds");
    expect(shown(judged(specOf(bpfman), [node(), agent("bpfman"), loaded("LoadError")])).faults).toEqual(["eks/mesh.ebpf"]);
    expect(shown(judged(specOf(bpfman), [node(), agent("bpfman"), loaded("UnloadError")])).faults).toEqual(["eks/mesh.ebpf"]);
    for (const status of ["", "NotLoaded", "Pending"]) expect(shown(judged(specOf(bpfman), [node(), agent("bpfman"), loaded(status)])).undecided).toEqual(["eks/mesh.ebpf"]);
    expect(judged(specOf(bpfman), [node(), agent("bpfman"), loaded("NotSelected")]).verdict).toBe("holds");
  });
});

describe("hooks have a least kernel each", () => {
  const floors: readonly (readonly [hook: string, arch: string, least: string, before: string])[] = [
    ["jit", "amd64", "3.16", "3.15"],
    ["jit", "arm64", "3.18", "3.17"],
    ["tc", "amd64", "4.1", "4.0.9"],
    ["tc_direct_action", "amd64", "4.4", "4.3"],
    ["clsact", "amd64", "4.5", "4.4"],
    ["xdp", "amd64", "4.8", "4.7"],
    ["af_xdp", "amd64", "4.18", "4.17"],
    ["sock_ops", "amd64", "4.13", "4.12"],
    ["sockmap", "amd64", "4.14", "4.13"],
    ["sockhash", "amd64", "4.18", "4.17"],
    ["sk_msg", "amd64", "4.17", "4.16"],
    ["cgroup_bind4", "amd64", "4.17", "4.16"],
    ["cgroup_bind6", "amd64", "4.17", "4.16"],
    ["cgroup_connect6", "amd64", "4.17", "4.16"],
    ["cgroup_connect4", "amd64", "4.17", "4.16"],
    ["cgroup_sendmsg4", "amd64", "4.18", "4.17"],
    ["cgroup_sendmsg6", "amd64", "4.18", "4.17"],
    ["cgroup_recvmsg6", "amd64", "5.2", "5.1"],
    ["cgroup_recvmsg4", "amd64", "5.2", "5.1"],
    ["cgroup_getsockopt", "amd64", "5.3", "5.2"],
    ["cgroup_setsockopt", "amd64", "5.3", "5.2"],
    ["btf", "amd64", "5.4", "5.3"],
    ["cgroup_link", "amd64", "5.7", "5.6"],
    ["xdp_link", "amd64", "5.9", "5.8"],
    ["lsm", "amd64", "5.7", "5.6"],
    ["lsm", "arm64", "6.0", "5.15"],
    ["fentry", "amd64", "5.5", "5.4"],
    ["fentry", "arm64", "6.0", "5.15"],
    ["ringbuf", "amd64", "5.8", "5.7"],
    ["cap_bpf", "amd64", "5.8", "5.7"],
    ["sk_lookup", "amd64", "5.9", "5.8"],
    ["host_routing", "amd64", "5.10", "5.9"],
    ["multicast", "amd64", "5.10", "5.9"],
    ["multicast", "arm64", "6.0", "5.15"],
    ["tcx", "amd64", "6.6", "6.5"],
    ["netkit", "amd64", "6.7", "6.6"],
  ];
  it.each(floors)("%s on %s from %s, not at %s", (hook, arch, least, before) => {
    expect(shown(judged(specOf(hooked(hook)), [node({ arch, kernel: `${least}-x` }), cilium()])).faults).toEqual([]);
    expect(shown(judged(specOf(hooked(hook)), [node({ arch, kernel: `${before}-x` }), cilium()])).faults).toEqual(["eks/mesh.ebpf.hooks"]);
  });

  it("each of them", () => {
    const all = schema.properties.mesh.properties.ebpf.properties.hooks.items.enum;
    expect([...new Set(floors.map(([hook]) => hook))].toSorted()).toEqual(all.toSorted());
  });

  table([
    ["a kernel that carries features back may have them", hooked("tcx"), [node({ kernel: "5.14.0-570.el9.x86_64" }), cilium()], { undecided: ["eks/mesh.ebpf.hooks"] }],
    ["an equivalent says what it stands for", { node: { kernel: { min: "5.10", equivalents: [{ match: ".el8_10", min: "4.18" }] } }, ...hooked("host_routing") }, [node({ kernel: "4.18.0-553.el8_10.x86_64" }), cilium()], {}],
  ]);
});

const CLASS = { runtime: { runtimeClass: { name: "wasm", handlers: ["wasmtime"], nodeSelector: { "kubernetes.io/arch": "arm64" } } } };
const shimmed = { runtime: { ...CLASS.runtime, shim: { sha256: { "linux/arm64": ONE } } } };
const tainted = { ...CLASS, node: { taints: { required: [{ key: "hal/wasm", effect: "NoSchedule" }], mode: "effective" } } };
const bearing = arm({ taints: [{ key: "hal/wasm", effect: "NoSchedule" }, { key: "kubernetes.io/arch", value: "arm64", effect: "NoSchedule" }] });

describe("the runtime behind a class", () => {
  table([
    ["a pod of the class runs on the node", CLASS, [arm(), runtimeClass(), running], {}],
    ["the kubelet lists the handler", CLASS, [arm({ handlers: ["", "wasmtime"] }), runtimeClass()], {}],
    ["the kubelet lists others only", CLASS, [arm({ handlers: ["", "runc"] }), runtimeClass()], { faults: ["eks/runtime.handler"] }],
    ["nothing shows that the handler works: the class alone proves nothing", CLASS, [arm(), runtimeClass()], { undecided: ["eks/runtime.handler"] }],
    ["a pod of the class is there and not ready", CLASS, [arm(), runtimeClass(), pods("class-pods", { name: "wasm", runningOn: [], failingOn: ["n1"] })], { undecided: ["eks/runtime.handler"] }],
    ["there is no such class", CLASS, [arm()], { faults: ["eks/runtime.class"], undecided: ["eks/runtime.handler"] }],
    ["the class names a handler that is not allowed", CLASS, [arm(), runtimeClass({ handler: "runsc" }), running], { faults: ["eks/runtime.class"] }],
    ["the class selects no nodes", CLASS, [arm(), runtimeClass({ nodeSelector: {} }), running], { faults: ["eks/runtime.class"] }],
    ["one cloud taints ARM by itself: other taints are fine", tainted, [bearing, runtimeClass({ tolerations: [{ key: "hal/wasm", operator: "Exists" }] }), running], {}],
    ["the profile's taint is tolerated with the value that nodes bear", tainted, [arm({ taints: [{ key: "hal/wasm", value: "yes", effect: "NoSchedule" }] }), runtimeClass({ tolerations: [{ key: "hal/wasm", operator: "Equal", value: "yes" }] }), running], {}],
    ["the profile's taint is tolerated with another value than nodes bear", tainted, [arm({ taints: [{ key: "hal/wasm", value: "yes", effect: "NoSchedule" }] }), runtimeClass({ tolerations: [{ key: "hal/wasm", operator: "Equal", value: "no" }] }), running], { faults: ["eks/runtime.class"] }],
    ["the profile's taint is not tolerated", tainted, [bearing, runtimeClass(), running], { faults: ["eks/runtime.class"] }],
    ["a taint that only asks is tolerated by nobody, and need not be", { ...CLASS, node: { taints: { required: [{ key: "hal/wasm", effect: "PreferNoSchedule" }] } } }, [arm({ taints: [{ key: "hal/wasm", effect: "PreferNoSchedule" }] }), runtimeClass(), running], {}],
    ["the profile's taint is tolerated with another effect than nodes bear", tainted, [bearing, runtimeClass({ tolerations: [{ key: "hal/wasm", operator: "Exists", effect: "NoExecute" }] }), running], { faults: ["eks/runtime.class"] }],
    ["another taint that keeps pods away, where no other may be", { node: { taints: { required: [{ key: "hal/wasm", effect: "NoSchedule" }], mode: "exact" } } }, [bearing], { faults: ["eks/node.taints"] }],
    ["another taint that only asks, where no other may be", { node: { taints: { required: [{ key: "hal/wasm", effect: "NoSchedule" }], mode: "exact" } } }, [arm({ taints: [{ key: "hal/wasm", effect: "NoSchedule" }, { key: "x", effect: "PreferNoSchedule" }] })], {}],
    ["a taint of Kubernetes' own, which passes, where no other may be", { node: { taints: { required: [{ key: "hal/wasm", effect: "NoSchedule" }], mode: "exact" } } }, [arm({ taints: [{ key: "hal/wasm", effect: "NoSchedule" }, { key: "node.kubernetes.io/disk-pressure", effect: "NoSchedule" }] })], {}],
    ["the taint is not there", tainted, [arm(), runtimeClass({ tolerations: [{ operator: "Exists" }] }), running], { faults: ["eks/node.taints"] }],
    ["equal handlers, another shim", shimmed, [arm(), runtimeClass(), running, shim(TWO)], { faults: ["eks/runtime.shim"] }],
    ["the shim that the profile names", shimmed, [arm(), runtimeClass(), running, shim(ONE)], {}],
    ["a shim without a digest", shimmed, [arm(), runtimeClass(), running, shim(undefined)], { undecided: ["eks/runtime.shim"] }],
    ["two objects name a shim for the class", shimmed, [arm(), runtimeClass(), running, shim(ONE), { ...shim(ONE), subject: "shim other" }], { undecided: ["eks/runtime.shim"] }],
    ["no object names the shim", shimmed, [arm(), runtimeClass(), running], { undecided: ["eks/runtime.shim"] }],
  ]);
});

const FPGA = { node: { resources: [{ class: "fpga", vendors: ["amd", "intel"], min: 1 }] } };
const U250 = { node: { resources: [{ class: "fpga", families: ["xilinx_u250"], min: 1 }] } };

describe("an accelerator is what can be allocated", () => {
  table([
    ["of AMD, as the plug-in names it now", FPGA, offering("amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0"), {}],
    ["of AMD, as an older plug-in names the same card", U250, offering("xilinx.com/fpga-xilinx_u250_gen3x16_xdma_shell_2_1-0"), {}],
    ["of AMD, for video", FPGA, offering("amd.com/ama_u30"), {}],
    ["of Intel, a function", FPGA, offering("fpga.intel.com/af-695.d84.aVKNtusxV3qMNmj5-qCB9thCTcSko8QT-J5DNoP5BAs"), {}],
    ["of Intel, a region", FPGA, offering("fpga.intel.com/region-d8424dc4a4a3c413f89e433683f9040b"), {}],
    ["another family than the profile wants", U250, offering("amd.com/xilinx_u200_gen3x16_xdma_shell_1-0"), { faults: ["eks/resources.fpga"] }],
    ["of Intel, where a family is wanted: its name does not tell", U250, offering("fpga.intel.com/region-d8424dc4a4a3c413f89e433683f9040b"), { undecided: ["eks/resources.fpga"] }],
    ["a GPU of AMD is none", FPGA, offering("amd.com/gpu"), { faults: ["eks/resources.fpga"] }],
    ["capacity and nothing to allocate: the plug-in is dead", FPGA, offering("amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0", "0", "1"), { faults: ["eks/resources.fpga"] }],
    ["a name of one's own, which the profile explains", { node: { resources: [{ class: "fpga", min: 1, aliases: [{ name: "aws.amazon.com/fpga", vendor: "amd", family: "vu47p" }] }] } }, offering("aws.amazon.com/fpga"), {}],
    ["a name of one's own, which nobody explains", FPGA, offering("aws.amazon.com/fpga"), { faults: ["eks/resources.fpga"] }],
    ["a part of a card is none", { node: { resources: [{ class: "fpga", min: 2 }] } }, offering("amd.com/ama_u30", "1500m"), { faults: ["eks/resources.fpga"] }],
    ["a node that lists no resources at all", FPGA, [node({ capacity: undefined, allocatable: undefined })], { undecided: ["eks/resources.fpga"] }],
    ["what is loaded into a card, no object tells", { accelerator: { bitstreams: { equivalence: [{ aws: "agfi-1", azure: "sha256:2" }] } } }, [node()], { undecided: ["eks/accelerator.bitstreams"] }],
  ]);
});

const HTTP = { runtime: { runtimeClass: { name: "wasm" }, http: { port: 8080 } } };
const NEWER = { runtime: { ...HTTP.runtime, http: { port: 8080, minVersion: "0.14" } } };
describe("what a runtime answers over HTTP", () => {
  const ran = [arm(), runtimeClass(), running];
  table([
    ["is a pass at T4", HTTP, [...ran, answer()], {}],
    ["is a pass without a word of itself", HTTP, [...ran, answer({ runtime: undefined, version: undefined })], {}],
    ["that nobody asked is undecided", HTTP, ran, { undecided: ["eks/runtime.http"] }],
    ["to another question is no answer to this one", HTTP, [...ran, answer({}, 9090)], { undecided: ["eks/runtime.http"] }],
    ["is undecided where it does not answer", HTTP, [...ran, answer({ healthy: false, failure: { reason: "it answered 503", remedy: "look" } })], { undecided: ["eks/runtime.http"] }],
    ["is a fault where the runtime itself says that it does not work", HTTP, [...ran, answer({ healthy: false, status: 500, failure: { reason: "it answered 500", remedy: "look" } })], { faults: ["eks/runtime.http"] }],
    ["from another node does not count", HTTP, [...ran, answer({ node: "n2" })], { undecided: ["eks/runtime.http"] }],
    ["is new enough", NEWER, [...ran, answer()], {}],
    ["is too old", NEWER, [...ran, answer({ version: "0.13.9" })], { faults: ["eks/runtime.http"] }],
    ["without a version is undecided where one is wanted", NEWER, [...ran, answer({ version: undefined })], { undecided: ["eks/runtime.http"] }],
    ["cannot be asked without a class of pods", { runtime: { http: { port: 8080 } } }, [arm(), answer()], { undecided: ["eks/runtime.http"] }],
  ]);

  it("is asked for by plain paths: none that leads out of the pod's own", () => {
    const isAllowed = (path: string) => fill({ selector: { pools: ["p"] }, runtime: { http: { port: 8080, health: path, info: path } } });
    expect(["/", "/healthz", "/.well-known/wasm-runtime", "/a/b-c_d~e.f"].filter((path) => !isAllowed(path))).toEqual([]);
    expect(["", "healthz", "/..", "/../secrets", "/a/../../b", "/./a", "/a/..", "/%2e%2e/a", "/a?b", "/a#b", "/a\\..\\b", "/a b"].filter(isAllowed)).toEqual([]);
  });

  it("is asked for only where the profile wants it", () => {
    const asked = (profile: object) => kind.needs(specOf(profile)).filter(({ fact: of }) => of === "runtime-answers").map(({ options }) => options);
    expect([asked(HTTP), asked({ runtime: { runtimeClass: { name: "wasm" } } })]).toEqual([[{ runtimeClass: "wasm", port: 8080, health: "/healthz", info: "/.well-known/wasm-runtime" }], []]);
  });
});

const image = (digest: string | undefined) => ({ image: "registry.example/signer:1", ...(digest === undefined ? {} : { imageId: `sha256:${digest}` }), asBuilt: true as const, ready: 1, notReady: 0 });
const withModule = (module: object) => ({ runtime: { runtimeClass: { name: "wasm" } }, modules: [{ name: "signer", image: "registry.example/signer", ...module }] });
const inClass = (...digests: readonly (string | undefined)[]) => [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: digests.map(image) })];

/** What a registry says of the image at a digest, as the request of this module asks. */
function held(module: object, digest: string, parts: Partial<WasmImage> & { readonly bytes?: string; readonly imports?: readonly string[]; readonly on?: string } = {}): Fact<"wasm-images"> {
  const { bytes, imports = ["wasi_ephemeral_crypto_signatures", "wasi_snapshot_preview1"], on = "eks", ...more } = parts;
  const reference = `oci://registry.example/signer@sha256:${digest}`;
  const { selector } = moduleRequest({ name: "signer", image: "registry.example/signer", ...module });
  const data: WasmImage = { readAs: "runtime", reference, topDigest: `sha256:${digest}`, manifestDigest: `sha256:${digest}`, ...(bytes === undefined ? {} : { module: { wasmSha256: bytes, size: 9, model: "core", imports } }), ...more };
  return { ...fact("wasm-images", on, reference, data), ...(selector === undefined ? {} : { selector }) };
}

const inMesh = (reference: string, on = "eks"): Fact<"wasm-modules"> => fact("wasm-modules", on, "WasmPlugin shop/signer", { type: "module", form: "WasmPlugin", namespace: "shop", name: "signer", code: { source: "oci", reference, by: "agent" } });
const meshPlace = (parts: Partial<WasmPlace> = {}): Fact<"wasm-modules"> => fact("wasm-modules", "eks", "place", { type: "place", complete: true, unseen: [], ...parts });
const SIGNER = { issuer: "https://issuer.example", identity: "release@acme.example" };
const fileOf = (path: string, digit: string) => ({ path, sha256: digit.repeat(64), content: path });
/** As the loader hands them in: with the content of files. */
const BY_KEY = { keys: [fileOf("release.pub", "a")] };
const BY_ROOT = { ...SIGNER, trustedRoot: fileOf("root.json", "b") };
const CRYPTO = { requiredImports: ["wasi_ephemeral_crypto_signatures"] };
const throttled = { failure: { kind: "throttled", reason: "`registry.example` is busy", remedy: "wait" } } as const;
const signed = (verdict: WasmSignatures["verdict"], reason = ""): Partial<WasmImage> => ({ signatures: { verdict, found: [], ...(verdict === "valid" ? {} : { reason, remedy: "sign it" }) } });
const withArguments = pods("class-pods", { name: "wasm", images: [{ ...image(ONE), asBuilt: undefined, ownArguments: true }] });
const SUB = ["eks/modules.signer"];

describe("a module is what its pods run, and what the registry holds of that", () => {
  const row = (claim: string, module: object, images: readonly Fact[], expected: Expected): Row => [claim, withModule(module), [...inClass(ONE), ...images], expected];
  table([
    ["at the digest that the profile names", withModule({ digest: `sha256:${ONE}` }), inClass(ONE), {}],
    ["at another digest, where the registry was not read: an index and its image differ, so that nothing follows", withModule({ digest: `sha256:${ONE}` }), inClass(TWO), { undecided: SUB }],
    row("at the digest of the index, which the profile names by its image", { digest: `sha256:${TWO}` }, [held({ digest: `sha256:${TWO}` }, ONE, { manifestDigest: `sha256:${TWO}` })], {}),
    row("at another digest than the profile names", { digest: `sha256:${TWO}` }, [held({ digest: `sha256:${TWO}` }, ONE)], { faults: SUB }),
    ["at two digests", withModule({}), inClass(ONE, TWO), { undecided: SUB }],
    ["at two digests that hold the same bytes", withModule(CRYPTO), [...inClass(ONE, TWO), held(CRYPTO, ONE, { bytes: ONE }), held(CRYPTO, TWO, { bytes: ONE })], {}],
    ["at two digests that hold different bytes", withModule(CRYPTO), [...inClass(ONE, TWO), held(CRYPTO, ONE, { bytes: ONE }), held(CRYPTO, TWO, { bytes: TWO })], { faults: SUB }],
    ["nowhere, where all was seen", withModule({}), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [] })], { faults: SUB }],
    ["nowhere in manifests that hold no Wasm object", withModule({}), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [] }), meshPlace({ complete: false, unseen: ["WasmPlugin"] })], { undecided: SUB }],
    ["in a pod that is not ready", withModule({}), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [{ ...image(ONE), ready: 0, notReady: 1 }] })], { undecided: SUB }],
    ["in pods of the class on other nodes", withModule({}), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", runningOn: ["elsewhere"], images: [image(ONE)] })], { undecided: ["eks/modules.signer", "eks/runtime.handler"] }],
    ["before a kubelet reports it", withModule({}), inClass(undefined), { undecided: SUB }],
    row("whose bytes are those of the profile", { sha256: TWO }, [held({ sha256: TWO }, ONE, { bytes: TWO })], {}),
    row("whose bytes are others", { sha256: TWO }, [held({ sha256: TWO }, ONE, { bytes: ONE })], { faults: SUB }),
    row("whose bytes could not be read", { sha256: TWO }, [held({ sha256: TWO }, ONE, throttled)], { undecided: SUB }),
    row("that imports what it must", CRYPTO, [held(CRYPTO, ONE, { bytes: TWO })], {}),
    row("that does not import what it must", CRYPTO, [held(CRYPTO, ONE, { bytes: TWO, imports: ["wasi_snapshot_preview1"] })], { faults: SUB }),
    row("that imports what it must not", { forbiddenImports: ["wasi_snapshot_preview1"] }, [held({ forbiddenImports: ["wasi_snapshot_preview1"] }, ONE, { bytes: TWO })], { faults: SUB }),
    row("of a component, that imports interfaces", { requiredImports: ["wasi:http/types@0.2.0"] }, [held({ requiredImports: ["wasi:http/types@0.2.0"] }, ONE, { bytes: TWO, imports: ["wasi:http/types@0.2.0"] })], {}),
    row("that stands in for a card and must not ask for one", { forbiddenImports: ["hal_fpga_sign"] }, [held({ forbiddenImports: ["hal_fpga_sign"] }, ONE, { bytes: TWO, imports: ["hal_fpga_sign", "wasi_snapshot_preview1"] })], { faults: SUB }),
    row("whose imports nobody read", CRYPTO, [], { undecided: SUB }),
    row("whose signatures nobody asked for", { signer: SIGNER }, [held({}, ONE, { bytes: TWO })], { undecided: SUB }),
    row("signed by whom the profile names", { signer: SIGNER }, [held({ signer: SIGNER }, ONE, { bytes: TWO, ...signed("valid") })], {}),
    row("not signed", { signer: SIGNER }, [held({ signer: SIGNER }, ONE, { bytes: TWO, ...signed("unsigned") })], { faults: SUB }),
    row("signed by somebody else", { signer: SIGNER }, [held({ signer: SIGNER }, ONE, { bytes: TWO, ...signed("wrong-identity") })], { faults: SUB }),
    row("signed by a key that the profile names", { signer: BY_KEY }, [held({ signer: BY_KEY }, ONE, { bytes: TWO, ...signed("valid") })], {}),
    row("signed by another key", { signer: BY_KEY }, [held({ signer: BY_KEY }, ONE, { bytes: TWO, ...signed("wrong-identity") })], { faults: SUB }),
    row("judged by another trusted root than the profile names", { signer: BY_ROOT }, [held({ signer: SIGNER }, ONE, { bytes: TWO, ...signed("valid") })], { undecided: SUB }),
    row("judged by the trusted root that the profile names", { signer: BY_ROOT }, [held({ signer: BY_ROOT }, ONE, { bytes: TWO, ...signed("valid") })], {}),
    row("whose signatures could not be asked for", { signer: SIGNER }, [held({ signer: SIGNER }, ONE, { bytes: TWO, ...signed("unknown", "busy") })], { undecided: SUB }),
    ["in an object of the mesh alone", withModule(CRYPTO), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [] }), inMesh(`oci://registry.example/signer@sha256:${ONE}`), held(CRYPTO, ONE, { bytes: TWO, readAs: "proxy" })], {}],
    ["in an object of the mesh, where only what a runtime would start of it was read", withModule(CRYPTO), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [] }), inMesh(`oci://registry.example/signer@sha256:${ONE}`), held(CRYPTO, ONE, { bytes: TWO })], { undecided: SUB }],
    ["in a pod, where only what a proxy would load of it was read", withModule(CRYPTO), [...inClass(ONE), held(CRYPTO, ONE, { bytes: TWO, readAs: "proxy" })], { undecided: SUB }],
    ["started with words of the pod's own, so that its image does not tell what runs", withModule(CRYPTO), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [{ ...image(ONE), asBuilt: undefined }] }), held(CRYPTO, ONE, { bytes: TWO })], { undecided: SUB }],
    ["started with arguments of the pod's own, behind an entry point that names the module", withModule(CRYPTO), [arm(), runtimeClass(), withArguments, held(CRYPTO, ONE, { bytes: TWO, namedBy: "entrypoint" })], {}],
    ["started so, where the image is its one module", withModule(CRYPTO), [arm(), runtimeClass(), withArguments, held(CRYPTO, ONE, { bytes: TWO, namedBy: "layer" })], {}],
    ["started so, in place of the command that would name the module", withModule(CRYPTO), [arm(), runtimeClass(), withArguments, held(CRYPTO, ONE, { bytes: TWO, namedBy: "command" })], { undecided: SUB }],
    ["started so, where nobody says what names the module", withModule(CRYPTO), [arm(), runtimeClass(), withArguments, held(CRYPTO, ONE, { bytes: TWO })], { undecided: SUB }],
    ["started so, where nothing is asked of its bytes", withModule({}), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [{ ...image(ONE), asBuilt: undefined }] })], {}],
    ["in an object of the mesh, by a tag that nothing resolved", withModule({}), [arm(), runtimeClass(), pods("class-pods", { name: "wasm", images: [] }), inMesh("oci://registry.example/signer:1")], { undecided: SUB }],
    ["in a pod and, other bytes, in an object of the mesh", withModule(CRYPTO), [...inClass(ONE), inMesh(`oci://registry.example/signer@sha256:${TWO}`), held(CRYPTO, ONE, { bytes: ONE }), held(CRYPTO, TWO, { bytes: TWO, readAs: "proxy" })], { faults: SUB }],
  ]);

  it("is looked for in pods and in the mesh, whatever else a profile asks", () => {
    const needs = kind.needs(specOf({ modules: [{ name: "signer", image: "registry.example/signer" }] })).map(({ fact: of }) => of);
    expect(needs.toSorted()).toEqual(["node-agents", "nodes", "wasm-modules"]);
  });

  it("that is nowhere is no fault where pods, or objects of the mesh, were not all seen", () => {
    for (const hidden of ["node-agents", "wasm-modules"] as const) {
      const result = resultOf(kind, specOf(withModule({})), { clusters: [EKS], facts: [arm({ handlers: ["wasmtime"] }), runtimeClass()], gaps: [gapOf(hidden, "eks")] });
      expect([result.verdict, shown(result).faults]).toEqual(["undecided", []]);
    }
  });

  it("is asked with the words of WasmIdentical: whoever may sign, the trusted root, the log and where signatures are", () => {
    const asked = (signer: object) => kind.needs(specOf({ modules: [{ name: "signer", image: "registry.example/signer", signer }] })).find(({ fact: of }) => of === "wasm-images")?.options?.["signatures"];
    expect(asked(SIGNER)).toEqual({ keyless: [SIGNER] });
    const pattern = { issuer: SIGNER.issuer, identityPattern: "release@*" };
    expect(asked({ ...pattern, ...BY_KEY, trustedRoot: BY_ROOT.trustedRoot, log: true, repository: "registry.example/signatures" })).toEqual({ keyless: [pattern], ...BY_KEY, trustedRoot: BY_ROOT.trustedRoot, log: true, repository: "registry.example/signatures" });
  });

  it("tells of a pattern that lets anybody's branch sign", () => {
    const signer = { issuer: "https://token.actions.githubusercontent.com", identityPattern: "https://github.com/acme/signer/.github/workflows/release.yml@*" };
    const { findings } = judged(specOf(withModule({ signer })), [...inClass(ONE), held({ signer }, ONE, { bytes: TWO, ...signed("valid") })]);
    expect(findings.filter(({ outcome }) => outcome === "info").map(({ message }) => message)).toEqual([expect.stringContaining("lets a workflow of any branch sign")]);
  });

  it("is asked of the registry only where the digest of its kubelet does not say enough", () => {
    const asked = (profile: object) => kind.needs(specOf(profile)).filter(({ fact: of }) => of === "wasm-images").length;
    expect([withModule({}), withModule(CRYPTO), { ...withModule({}), parity: { across: ["cloud"], compare: ["moduleDigest"] } }].map(asked)).toEqual([0, 1, 1]);
  });
});

const GKE = clusterOf("gke", { cloud: "gcp" });
const PARITY = { ...ARCH, parity: { across: ["cloud"], compare: ["arch"] } };
const BOTH = { node: { arch: ["amd64", "arm64"] }, parity: { across: ["cloud"], compare: ["arch"] } };

describe("parity of clouds", () => {
  const across = (profile: object, facts: readonly Fact[], clusters: readonly Cluster[] = [EKS, GKE]) => judged(specOf(profile), facts, clusters);

  it("of a module is of its bytes where these were read, else of its digests", () => {
    const profile = { ...withModule({}), parity: { across: ["cloud"], compare: ["moduleDigest"] } };
    const [eks, gke] = [inClass(ONE), [arm({ on: "gke" }), { ...runtimeClass(), cluster: "gke" }, pods("class-pods", { on: "gke", name: "wasm", images: [image(TWO)] })]];
    const read = (one: string, two: string) => [held({}, ONE, { bytes: one }), held({}, TWO, { bytes: two, on: "gke" })];
    expect(shown(across(profile, [...eks, ...gke]))).toMatchObject({ faults: [], undecided: ["parity/moduleDigest of signer"] });
    expect(across(profile, [...eks, ...gke, ...read(ONE, ONE)]).verdict).toBe("holds");
    expect(shown(across(profile, [...eks, ...gke, ...read(ONE, TWO)])).faults).toEqual(["parity/moduleDigest of signer"]);
    expect(shown(across(profile, [...eks, ...gke, held({}, ONE, { bytes: ONE }), held({}, TWO, { ...throttled, on: "gke" })])).undecided).toEqual(["parity/moduleDigest of signer"]);
  });
  it("of who signed a module", () => {
    const signer = { issuer: SIGNER.issuer, identityPattern: "*@acme.example" };
    const profile = { ...withModule({ signer }), parity: { across: ["cloud"], compare: ["signer"] } };
    const by = (identity: string): Partial<WasmImage> => ({ signatures: { verdict: "valid", found: [{ verdict: "valid", on: "manifest", form: "bundle", issuer: SIGNER.issuer, identity }] } });
    const facts = (one: Partial<WasmImage>, two: Partial<WasmImage>) => [...inClass(ONE), arm({ on: "gke" }), { ...runtimeClass(), cluster: "gke" }, pods("class-pods", { on: "gke", name: "wasm", images: [image(ONE)] }), held({ signer }, ONE, one), held({ signer }, ONE, { on: "gke", ...two })];
    expect(across(profile, facts(by("release@acme.example"), by("release@acme.example"))).verdict).toBe("holds");
    expect(shown(across(profile, facts(by("release@acme.example"), by("nightly@acme.example")))).faults).toEqual(["parity/signer of signer"]);
    expect(shown(across(profile, facts(by("release@acme.example"), signed("valid")))).undecided).toEqual(["parity/signer of signer"]);
    // several signatures are told in whatever order the registry has them
    const both = (...identities: readonly string[]): Partial<WasmImage> => ({ signatures: { verdict: "valid", found: identities.map((identity) => ({ verdict: "valid", on: "manifest", form: "bundle", issuer: SIGNER.issuer, identity })) } });
    expect(across(profile, facts(both("nightly@acme.example", "release@acme.example"), both("release@acme.example", "nightly@acme.example"))).verdict).toBe("holds");
  });
  it("holds where the values are equal", () => {
    expect(across(PARITY, [node(), node({ on: "gke" })]).verdict).toBe("holds");
  });
  it("is violated where two clouds conform with different values", () => {
    expect(shown(across(BOTH, [node(), node({ on: "gke", arch: "arm64" })])).faults).toEqual(["parity/arch"]);
  });
  it("of regions: those of the fleet, else those that nodes name where all name one", () => {
    const profile = { ...BOTH, parity: { across: ["region"], compare: ["arch"] } };
    const inRegion = (name: string, region: string, parts: NodeParts = {}) => node({ name, labels: { "topology.kubernetes.io/region": region }, ...parts });
    const other = inRegion("n1", "europe-west1", { on: "gke", arch: "arm64" });
    expect(shown(across(profile, [inRegion("n1", "eu-west-1"), other])).faults).toEqual(["parity/arch"]);
    expect(shown(across(profile, [inRegion("n1", "eu-west-1"), inRegion("n2", "eu-west-2"), other])).gaps).toEqual(["parity of tested"]);
    expect(shown(across(profile, [inRegion("n1", "eu-west-1"), inRegion("n2", "eu-west-2"), other], [clusterOf("eks", { region: "eu-west-1" }), GKE])).faults).toEqual(["parity/arch"]);
  });
  it("a cloud is what all nodes name: two of them are none", () => {
    const profile = { ...ARCH, parity: { across: ["cloud"], compare: ["arch"] } };
    const bare = clusterOf("eks");
    expect(across(profile, [node({ provider: "aws" }), node({ name: "n2" }), node({ on: "gke" })], [bare, GKE]).verdict).toBe("holds");
    expect(shown(across(profile, [node({ provider: "aws" }), node({ name: "n2", provider: "azure" }), node({ on: "gke" })], [bare, GKE])).gaps).toEqual(["parity of tested"]);
  });
  it("needs two places", () => {
    expect(shown(across(PARITY, [node()], [EKS])).gaps).toEqual(["parity of tested"]);
  });
  it("a cluster whose cloud nobody knows is a gap", () => {
    expect(shown(across(PARITY, [node(), node({ on: "gke" })], [EKS, clusterOf("gke")])).gaps).toEqual(["parity of tested"]);
  });
  it("an unknown value keeps it open", () => {
    expect(shown(across(PARITY, [node(), node({ on: "gke", arch: undefined })])).undecided).toEqual(["gke/node.arch", "parity/arch"]);
  });
  it("names of resources that cannot be equal are normalised first: one maker, two names", () => {
    const profile = { ...FPGA, parity: { across: ["cloud"], compare: ["vendor"] } };
    const offer = (on: string, resource: string) => node({ on, capacity: { [resource]: "1" }, allocatable: { [resource]: "1" } });
    expect(across(profile, [offer("eks", "amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0"), offer("gke", "xilinx.com/fpga-xilinx_u250_gen3x16_xdma_shell_2_1-0")]).verdict).toBe("holds");
    expect(shown(across(profile, [offer("eks", "amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0"), offer("gke", "fpga.intel.com/region-d8424dc4a4a3c413f89e433683f9040b")])).faults).toEqual(["parity/vendor"]);
  });
  it("an image without a release says nothing of its version: `latest` is not the same everywhere", () => {
    const profile = { ...onCilium, parity: { across: ["cloud"], compare: ["ebpfVersion"] } };
    const both = (one: string, two = one) => [node(), node({ on: "gke" }), agent("cilium", { image: one }), { ...agent("cilium", { image: two }), cluster: "gke" }];
    expect(across(profile, both("quay.io/cilium/cilium:v1.18.1")).verdict).toBe("holds");
    expect(shown(across(profile, both("quay.io/cilium/cilium:v1.18.1", "quay.io/cilium/cilium:v1.18.2"))).faults).toEqual(["parity/ebpfVersion"]);
    for (const image of ["quay.io/cilium/cilium:latest", "quay.io/cilium/cilium"]) expect(shown(across(profile, both(image))).undecided).toEqual(["parity/ebpfVersion"]);
    expect(across(profile, both(`quay.io/cilium/cilium:latest@sha256:${ONE}`)).verdict).toBe("holds");
  });
  it("a kernel is a floor and has no equality", () => {
    const profile = { ...KERNEL, parity: { across: ["cloud"], compare: [], atLeast: ["kernel.min"] } };
    expect(across(profile, [node({ kernel: "5.15.0-1116-azure" }), node({ on: "gke", kernel: "6.18.1" })]).verdict).toBe("holds");
  });
});

describe("an exemption", () => {
  // the time of the run is 2026-11-23
  const exempt = (more: Partial<Exemption> = {}): Exemption => ({ cloud: "gcp", requirement: "resources.fpga", reason: "no machines", owner: "team-x", expires: "2027-03-31", fallback: "software", ...more });
  const fallbacks = { software: { node: { features: [{ id: "aes", any: [{ nfd: "cpu-cpuid.AESNI" }] }] } } };
  const AES = { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" };
  const card = offering("amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0");
  const bare = (labels: Readonly<Record<string, string>> = AES) => node({ on: "gke", labels });
  const run = (exemptions: readonly Exemption[], facts: readonly Fact[], profile: object = { ...FPGA, fallbacks }) => judged(specOf(profile, { exemptions: [...exemptions] }), facts, [EKS, GKE]);
  const infos = ({ findings }: Result) => findings.filter(({ outcome }) => outcome === "info").map(({ message }) => message);

  it("that counts takes the fault away, and says for how long", () => {
    const result = run([exempt()], [...card, bare()]);
    expect(result.verdict).toBe("holds");
    expect(infos(result).join("\n")).toContain("`gke` is exempt from `resources.fpga` of `tested` by team-x until 2027-03-31 (128 days left): no machines");
  });
  it("without it the fault is there, and says that Google Cloud has none", () => {
    const result = run([], [...card, bare()]);
    expect(shown(result).faults).toEqual(["gke/resources.fpga"]);
    expect(result.findings[0]?.message).toContain("Google Cloud has no type of machine with an FPGA");
  });
  it("asks for its fallback", () => {
    expect(shown(run([exempt()], [...card, bare({ "feature.node.kubernetes.io/cpu-cpuid.AVX": "true" })])).faults).toEqual(["gke/fallback.software.features.aes"]);
    expect(shown(run([exempt()], [...card, bare({})])).undecided).toEqual(["gke/fallback.software.features.aes"]);
  });
  it("has no fallback where there is no node", () => {
    expect(shown(run([exempt(), exempt({ requirement: "nodes" })], card)).faults).toEqual(["gke/fallback.software.features.aes"]);
  });
  it("counts to the end of its last day, UTC", () => {
    expect(run([exempt({ expires: "2026-11-23" })], [...card, bare()]).verdict).toBe("holds");
    const ended = run([exempt({ expires: "2026-11-22" })], [...card, bare()]);
    expect(shown(ended).faults).toEqual(["gke/resources.fpga"]);
    expect(ended.findings[0]?.message).toContain("the exemption of team-x ended on 2026-11-22");
  });
  it("lasts at most a year", () => {
    expect(run([exempt({ expires: "2027-11-24" })], [...card, bare()]).verdict).toBe("holds");
    expect(shown(run([exempt({ expires: "2027-11-25" })], [...card, bare()])).faults).toEqual(["exemption of gcp from resources.fpga"]);
  });
  it("that nobody needs is stale", () => {
    const facts = [...card, node({ on: "gke", labels: AES, capacity: { "amd.com/ama_u30": "1" }, allocatable: { "amd.com/ama_u30": "1" } })];
    const result = run([exempt()], facts);
    expect(result.verdict).toBe("holds");
    expect(infos(result).join("\n")).toContain("so that the exemption of team-x is stale");
  });
  it("that nobody needs asks for no fallback", () => {
    const facts = [...card, node({ on: "gke", labels: { "feature.node.kubernetes.io/cpu-cpuid.AVX": "true" }, capacity: { "amd.com/ama_u30": "1" }, allocatable: { "amd.com/ama_u30": "1" } })];
    expect(run([exempt()], facts).verdict).toBe("holds");
  });
  it("about nobody is told", () => {
    expect(infos(run([exempt({ cloud: "alibaba" })], [...card, node({ on: "gke", capacity: { "amd.com/ama_u30": "1" }, allocatable: { "amd.com/ama_u30": "1" } })])).join("\n")).toContain("is about no cluster of this assertion");
  });
  it("of every cluster leaves nothing to judge", () => {
    expect(shown(run([exempt(), exempt({ cloud: "aws" })], [node({ labels: AES }), bare()])).undecided).toEqual(["exemptions from resources.fpga"]);
  });
  it("leaves parity with nothing to compare", () => {
    const profile = { ...FPGA, fallbacks, parity: { across: ["cloud"], compare: ["vendor"] } };
    expect(shown(run([exempt()], [...card, bare()], profile)).undecided).toEqual(["parity/vendor"]);
  });
  it("of one cluster is about no other of its cloud", () => {
    const two = clusterOf("gke-2", { cloud: "gcp" });
    const spec = specOf({ ...FPGA, fallbacks }, { exemptions: [exempt({ cloud: undefined as never, cluster: "gke" })] });
    expect(shown(judged(spec, [...card, bare(), node({ on: "gke-2" })], [EKS, GKE, two])).faults).toEqual(["gke-2/resources.fpga"]);
  });
  it("what a cloud takes away soon is told before", () => {
    const result = judged(specOf(FPGA), [...card.map((each) => ({ ...each, cluster: "aks" }))], [clusterOf("aks", { cloud: "azure" })]);
    expect(result.verdict).toBe("holds");
    expect(infos(result).join("\n")).toContain("Azure retires the NP series, its only machines with FPGAs, on 2027-05-31, in 189 days");
  });
});

describe("mistakes in a profile are told when it is loaded", () => {
  const faults = (profile: object): readonly string[] => {
    const content = structuredClone({ selector: { pools: ["p"] }, ...profile });
    if (!fill(content)) return [`schema: ${fill.errors?.[0]?.instancePath ?? ""} ${fill.errors?.[0]?.keyword ?? ""}`];
    return [...(kind.checkDocument?.("HalProfile", content as never) ?? [])].map(({ path, message }) => `${path.join(".")}: ${message}`);
  };
  const rows: readonly (readonly [claim: string, profile: object, expected: string])[] = [
    ["a field that is not known", { node: { cpu: 4 } }, "schema: /node additionalProperties"],
    ["an exemption without an end", { exemptions: [{ cloud: "gcp", requirement: "nodes", reason: "r", owner: "o" }] }, "schema: /exemptions/0 required"],
    ["an equivalent that needs more than what it stands for", { node: { kernel: { min: "5.10", equivalents: [{ match: "el8", min: "5.14" }] } } }, "node.kernel.equivalents.0.min: kernels with `el8` need 5.14, more than the 5.10 that they stand for"],
    ["a class for an architecture that the profile does not allow", { node: { arch: ["amd64"] }, ...CLASS }, "runtime.runtimeClass.nodeSelector.kubernetes.io/arch: the runtime class selects nodes of `arm64`, and `node.arch` allows `amd64`"],
    ["a module that must import and must not", withModule({ requiredImports: ["a"], forbiddenImports: ["a"] }), "modules.0.forbiddenImports: the module `signer` must import from `a` and must not"],
    ["a design that would be two", { accelerator: { bitstreams: { equivalence: [{ aws: "agfi-1" }, { aws: "AGFI-1" }] } } }, "accelerator.bitstreams.equivalence.1.aws: `AGFI-1` stands in two entries for `aws`"],
    ["a design that no label can name", { accelerator: { bitstreams: { nfd: "fpga-image", equivalence: [{ azure: `sha256:${ONE}` }] } } }, `accelerator.bitstreams.equivalence.0.azure: \`sha256:${ONE}\` has more than the 63 characters that a label can hold`],
    ["a signer that is nobody", withModule({ signer: { log: true } }), "modules.0.signer: `signer` names nobody who may sign"],
    ["an issuer alone", withModule({ signer: { issuer: "https://issuer.example" } }), "modules.0.signer: an issuer vouches for many: nobody is named"],
    ["an identity without an issuer", withModule({ signer: { keys: ["a.pub"], identity: "release@acme.example" } }), "modules.0.signer: `signer` has an identity and no issuer that vouches for it"],
    ["an identity in two ways", withModule({ signer: { ...SIGNER, identityPattern: "*@acme.example" } }), "modules.0.signer: `identity` and `identityPattern` are two ways to say one thing"],
    ["a signer of a fallback that is nobody", { ...ARCH, fallbacks: { soft: { modules: [{ name: "signer", image: "r.example/s", signer: { log: true } }] } } }, "fallbacks.soft.modules.0.signer: `signer` names nobody who may sign"],
    ["parity of signers that nobody names", { ...withModule({}), parity: { across: ["cloud"], compare: ["signer"] } }, "parity.compare: `signer` is compared, and the module `signer` names nobody who signs it"],
    ["parity of what is not asked for", { ...ARCH, parity: { across: ["cloud"], compare: ["vendor"] } }, "parity.compare.0: `vendor` is seen by `resources.fpga`, which the profile does not ask for"],
    ["a tier for no requirement", { ...ARCH, minTiers: { "node.arc": "T2" } }, "minTiers.node.arc: the profile has no requirement `node.arc`"],
    ["an exemption from no requirement", { ...ARCH, fallbackRequired: false, exemptions: [{ cloud: "gcp", requirement: "node.arc", reason: "r", owner: "o", expires: "2027-01-31" }] }, "exemptions.0.requirement: the profile has no requirement `node.arc`"],
    ["a day that is none", { ...ARCH, fallbackRequired: false, exemptions: [{ cloud: "gcp", requirement: "node.arch", reason: "r", owner: "o", expires: "2027-02-30" }] }, "exemptions.0.expires: `2027-02-30` is no day"],
    ["an exemption without a fallback, where one is required", { ...ARCH, exemptions: [{ cloud: "gcp", requirement: "node.arch", reason: "r", owner: "o", expires: "2027-01-31" }] }, "exemptions.0: the exemption from `node.arch` names no fallback"],
    ["a family of systems that nobody knows", { node: { os: { families: ["beos"] } } }, "node.os.families.0: `beos` is no family of systems that is known"],
    ["annotations of no pods", { mesh: { annotations: { required: { "run.oci.handler": "wasm" } } } }, "mesh.annotations: annotations of pods of `runtime.runtimeClass`, which the profile does not name"],
    ["an annotation that nobody looks at", { ...CLASS, mesh: { annotations: { forbidden: { "acme.example/x": "*" } } } }, "mesh.annotations.forbidden.acme.example/x: `acme.example/x` is no annotation that is looked at"],
    ["an allow-list without families", { node: { features: [{ id: "btf", any: [{ osAllowlist: true }] }] } }, "node.features.0.any.0.osAllowlist: `osAllowlist` means the families of `node.os`, which the profile does not name"],
    ["such a family as an evidence", { node: { features: [{ id: "btf", any: [{ os: ["cos", "windows"] }] }] } }, "node.features.0.any.0.os.1: `windows` is no family of systems that is known"],
    ["a setting of Cilium that is not looked at", { mesh: { ebpf: { impl: ["cilium"], config: { "bpf-map-dynamic-size-ratio": "1" } } } }, "mesh.ebpf.config.bpf-map-dynamic-size-ratio: `bpf-map-dynamic-size-ratio` is no setting of Cilium that is looked at"],
    ["an Istio that redirects by eBPF, of a release that does not", { mesh: { ebpf: { impl: ["istio-cni"], minVersion: { "istio-cni": "1.21" } } } }, "mesh.ebpf.minVersion.istio-cni: Istio 1.21 redirects no pods by eBPF: it could from 1.18 to 1.20 (`redirectMode: ebpf`), and that was taken out in 1.21"],
    ["ambient pods that Kmesh would redirect too", { mesh: { dataplane: ["ambient"], ebpf: { impl: ["kmesh"] } } }, "mesh.ebpf.impl: `ambient` redirects pods by itself, and `kmesh` would redirect them too"],
  ];
  it.each(rows)("%s", (_claim, profile, expected) => {
    expect(faults(profile)).toEqual([expected]);
  });
  it.each([ARCH, RHEL, byEither, CLASS, FPGA, EBPF, PARITY])("and a good one has none", (profile) => {
    expect(faults(profile)).toEqual([]);
  });
});

describe("the descriptions of the schema are enough to write a profile from", () => {
  interface Field {
    readonly description?: string;
    readonly enum?: readonly string[];
    readonly properties?: Readonly<Record<string, Field>>;
    readonly items?: Field;
    readonly $ref?: string;
    readonly additionalProperties?: Field | boolean;
  }
  const all = JSON.stringify(schema);
  const words = (field: Field): readonly Field[] => [field, ...Object.values(field.properties ?? {}).flatMap(words), ...(field.items === undefined ? [] : words(field.items)), ...(typeof field.additionalProperties === "object" ? words(field.additionalProperties) : [])];

  it("they name every requirement that a profile can have", () => {
    const ids = ["nodes", "node.arch", "node.os", "node.kernel", "features.ID", "node.taints", "resources.CLASS", "node.runtimeHandlers", "mesh.dataplane", "mesh.annotations", "mesh.ebpf", "mesh.ebpf.version", "mesh.ebpf.config", "mesh.ebpf.hooks", "mesh.istio", "runtime.class", "runtime.handler", "runtime.sidecars", "runtime.shim", "runtime.http", "modules.NAME", "accelerator.bitstreams", "fallback.NAME."];
    expect(ids.filter((id) => !all.includes(`\`${id}\``))).toEqual([]);
    const most = { node: { arch: ["amd64"], os: { families: ["cos"] }, kernel: { min: "5.10" }, features: [{ id: "btf", any: [{ kernel: "5.4" }] }], taints: { required: [{ key: "a", effect: "NoSchedule" }] }, resources: [{ class: "fpga" }], runtimeHandlers: ["a"] }, mesh: { dataplane: ["kmesh"], annotations: { required: { "run.oci.handler": "wasm" } }, ebpf: { impl: ["cilium", "kmesh"], minVersion: { cilium: "1.16" }, config: { "cni-exclusive": "false" }, hooks: ["tc"] } }, runtime: { runtimeClass: { name: "w" }, shim: { sha256: { "linux/arm64": ONE } }, http: { port: 1 } }, modules: [{ name: "signer", image: "r.example/s" }], accelerator: { bitstreams: { equivalence: [{ aws: "a" }] } } };
    const known = new Set(ids.map((id) => id.replace(/ID$/, "btf").replace(/CLASS$/, "fpga").replace(/NAME$/, "signer")));
    expect(idsOf(specOf(most).profile.content as never).filter((id) => !known.has(id))).toEqual([]);
  });
  it("each word that `parity` compares stands in its description, and each setting of Cilium in that of `config`", () => {
    const { compare } = schema.properties.parity.properties;
    expect(compare.items.enum.filter((word) => !compare.description.includes(`\`${word}\``))).toEqual([]);
    const { config } = schema.properties.mesh.properties.ebpf.properties;
    expect(CILIUM_SETTINGS.filter((key) => !config.description.includes(`\`${key}\``))).toEqual([]);
    expect(POD_MARKS.filter((key) => !schema.properties.mesh.properties.annotations.description.includes(`\`${key}\``))).toEqual([]);
  });
  it("every field has one, and none only repeats its name", () => {
    const fields = [...words(schema as Field), ...Object.values(schema.$defs as unknown as Readonly<Record<string, Field>>).flatMap(words)].flatMap(({ properties = {} }) => Object.entries(properties));
    expect(fields.length).toBeGreaterThan(80);
    expect(fields.filter(([, { description, $ref }]) => $ref === undefined && (description ?? "").length < 4).map(([name]) => name)).toEqual([]);
  });
});

describe("what nobody shows is no pass", () => {
  const worlds: readonly (readonly [profile: object, facts: readonly Fact[]])[] = [
    [RHEL, [node({ kernel: "4.18.0-553.el8_10.x86_64" })]],
    [byEither, [node({ labels: { [BTF]: "true" } })]],
    [byLabel, [node(), feature({ kernelConfig: { DEBUG_INFO_BTF: "y" } })]],
    [EBPF, [node(), cilium(), pods("sidecars")]],
    [hooked("sk_msg", "host_routing"), [node(), cilium()]],
    [tainted, [bearing, runtimeClass({ tolerations: [{ key: "hal/wasm", operator: "Exists" }] }), running]],
    [shimmed, [arm({ handlers: ["wasmtime"] }), runtimeClass(), shim(ONE)]],
    [U250, offering("amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0")],
    [withModule({ digest: `sha256:${ONE}` }), inClass(ONE)],
  ];

  it("taking any single field out of what was seen never makes a verdict better", () => {
    const seed = Date.now() >>> 0;
    console.log(`seed of fields that are hidden: ${seed}`);
    let worse = 0;
    fc.assert(
      fc.property(fc.constantFrom(...worlds), fc.nat(), fc.nat(), fc.boolean(), ([profile, facts], which, field, spoil) => {
        const spec = specOf(profile);
        const index = which % facts.length;
        const target = facts[index];
        if (target === undefined) return;
        const keys = Object.keys(target.data).filter((key) => !["name", "node", "type", "pool", "taints", "labels", "cordoned", "platforms", "images", "namespace", "readyOn", "notReadyOn", "runningOn", "failingOn", "tolerations", "nodeSelector", "image", "product", "handler"].includes(key));
        const key = keys[field % Math.max(keys.length, 1)];
        if (key === undefined) return;
        // spoiled worlds start violated or undecided: hiding must not heal them
        const start = spoil ? facts.map((each) => (each.kind === "nodes" ? { ...each, data: { ...each.data, arch: "riscv64", kernel: "3.2.0" } } : each)) : facts;
        const { [key]: _, ...rest } = { ...start[index]?.data } as Record<string, unknown>;
        const hidden = start.map((each, at) => (at === index ? ({ ...each, data: rest } as unknown as Fact) : each));
        const [before, after] = [judged(spec, start).verdict, judged(spec, hidden).verdict];
        if (before !== after) worse++;
        if (before !== "holds") expect([key, after]).not.toEqual([key, "holds"]);
      }),
      { numRuns: 400, seed },
    );
    expect(worse).toBeGreaterThan(0);
  });

  it("and so in every world above that is not all well, field by field", () => {
    const { healed, looked } = healedByHiding(WORLDS);
    // a configuration that was not read contradicts no image
    expect(healed).toEqual(["the object of Node Feature Discovery counts more than what the image is known for: without node-features.kernelConfig"]);
    expect(looked).toBeGreaterThan(500);
  });

  it("a fact, or a whole kind of facts, behind a gap heals no world above", () => {
    const all = withoutEvidence(WORLDS, "behind a gap");
    expect(all.filter(({ verdict }) => verdict === "holds")).toEqual([]);
    expect(all.length).toBeGreaterThan(500);
  });

  it("taken out of lists that are whole, only what was itself the trouble heals a world", () => {
    const trouble: Readonly<Record<string, readonly string[]>> = {
      // the node is what is not as wanted, or not known to be
      "nor is it known whether such a node is as the profile asks, beside one that is": ["one of nodes (n2)"],
      "every node counts: one of two is of the wrong architecture": ["one of nodes (n2)"],
      "one implementation a cluster: Cilium here and Kmesh there": ["one of nodes (n1)", "one of nodes (n2)"],
      // without a node its pool is what there is
      "a live node counts more than its pool": ["all nodes", "one of nodes (n1)"],
      "a live node that does not tell is not helped by its pool": ["all nodes", "one of nodes (n1)"],
      "a node that is not ready is there: its pool does not stand in for it": ["all nodes", "one of nodes (n1)"],
      // an older Node Feature Discovery has no objects, and its labels stand alone
      "a label that somebody set by hand: the object of Node Feature Discovery says what it found, without it": ["all node-features", "one of node-features (nfd/n1)"],
      "a label of an option, set by hand: the configuration was read and does not have it": ["all node-features", "one of node-features (nfd/n1)"],
      "a label of a source of which the worker's object has none": ["all node-features", "one of node-features (nfd/n1)"],
      "a label on a node without an object, where another node has one: an old one, or set by hand": ["all node-features", "one of node-features (nfd/n2)"],
      "two objects of one node that contradict each other: its worker's own counts": ["one of node-features (nfd/n1)"],
      // what an image is known for stands alone
      "the object of Node Feature Discovery counts more than what the image is known for": ["all node-features", "one of node-features (nfd/n1)"],
      // one of two that stand in each other's way
      "Kmesh and Merbridge together: which redirects a pod cannot be seen": ["one of node-agents (kube-system/kmesh)", "one of node-agents (kube-system/merbridge)"],
      "Merbridge that is not ready beside Kmesh: its programs stay loaded": ["one of node-agents (kube-system/merbridge)"],
      "pods in ambient mode that are not ready for the moment, where sidecars are wanted": ["one of node-agents (pods ambient)"],
      "Kmesh beside a ztunnel": ["one of node-agents (kube-system/ztunnel)"],
      "Kmesh beside a Cilium that translates in the sockets of pods": ["one of node-agents (kube-system/cilium)"],
      "two objects name a shim for the class": ["one of runtime-classes (shim other)", "one of runtime-classes (shim spin)"],
      // one of two modules that differ
      "in a pod and, other bytes, in an object of the mesh": ["all wasm-modules", "one of wasm-modules (WasmPlugin shop/signer)"],
    };
    expect(healedBy(withoutEvidence(WORLDS, "from whole lists"))).toEqual(trouble);
  });

  it("hiding any fact behind a gap leaves nothing that holds", () => {
    for (const [profile, facts] of worlds) {
      expect(judged(specOf(profile), facts).verdict).toBe("holds");
      for (const hidden of facts) {
        const { verdict } = resultOf(kind, specOf(profile), { clusters: [EKS], facts: facts.filter((each) => each !== hidden), gaps: [gapOf(hidden.kind, "eks")] });
        expect([hidden.subject, verdict]).not.toEqual([hidden.subject, "holds"]);
      }
    }
  });
});

describe("what was not all seen", () => {
  it("shows no mesh to be absent", () => {
    const result = resultOf(kind, specOf({ mesh: { dataplane: ["none"] } }), { clusters: [EKS], facts: [node()], gaps: [gapOf("node-agents", "eks")] });
    expect(shown(result).undecided).toEqual(["eks/mesh.dataplane"]);
  });
});

describe("the table", () => {
  it("shows values that differ as a fault, and with `atLeast` what enough nodes meet as met", () => {
    const rows = (profile: object, facts: readonly Fact[], more: Partial<Spec> = {}) => judged(specOf(profile, more), facts, [EKS, GKE]).tables?.[0]?.rows;
    expect(rows(BOTH, [node(), node({ on: "gke", arch: "arm64" })])?.find(({ head }) => head === "same arch")?.cells.map(({ state }) => state)).toEqual(["fail", "fail"]);
    const two = { ...ARCH, minNodes: 2 };
    const facts = ["eks", "gke"].flatMap((on) => [node({ on }), node({ on, name: "n2" }), node({ on, name: "n3", arch: "arm64" })]);
    expect(rows(two, facts, { mode: "atLeast" })?.find(({ head }) => head === "node.arch")?.cells.map(({ state }) => state)).toEqual(["pass", "pass"]);
  });

  it("has places across and requirements down, with tier and value in each cell", () => {
    const { tables } = judged(specOf(PARITY), [node(), node({ on: "gke", arch: "arm64" })], [EKS, GKE]);
    expect(tables).toEqual([
      {
        title: "profile tested",
        columns: ["aws (eks)", "gcp (gke)"],
        rows: [
          { head: "nodes", cells: [{ state: "pass", text: "T1 1 ready" }, { state: "pass", text: "T1 1 ready" }] },
          { head: "node.arch", cells: [{ state: "pass", text: "T1 amd64" }, { state: "fail", text: "T1 arm64" }] },
          { head: "same arch", cells: [{ state: "pass", text: "amd64" }, { state: "none", text: "nothing conforms" }] },
        ],
      },
    ]);
  });
});
