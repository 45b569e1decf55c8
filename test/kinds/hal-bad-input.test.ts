import { describe, expect, it } from "vitest";
import type { Cluster, Fact } from "#engine";
import { discover } from "../../cli/discover.ts";
import { loadAssertions } from "../../cli/load/index.ts";
import { folderOf, told } from "../cli/load/world.ts";
import { agent, cilium, EKS, fact, feature, judged, kmesh, merbridge, node, istiod, offering, pods, shown, specOf, type Expected } from "../support/hal.ts";
import { clusterOf } from "../support/world.ts";

const GKE = clusterOf("gke", { cloud: "gcp" });
const AESNI = "feature.node.kubernetes.io/cpu-cpuid.AESNI";
const ARCH = { node: { arch: ["amd64"] } };
const KERNEL = { node: { kernel: { min: "5.10" } } };
const AES = { node: { features: [{ id: "aes", any: [{ nfd: "cpu-cpuid.AESNI" }] }] } };
const FPGA = { node: { resources: [{ class: "fpga", min: 1 }] } };
const on = (...impl: readonly string[]) => ({ mesh: { ebpf: { impl } } });

interface World {
  readonly profile: object;
  readonly facts: readonly Fact[];
  readonly clusters?: readonly Cluster[];
  readonly is: Expected;
}

/** What somebody writes, and the line that tells what is wrong with it. */
interface Written {
  readonly profile: object;
  readonly says: string;
}

const exempt = (more: object) => ({ ...ARCH, fallbackRequired: false, exemptions: [{ cloud: "gcp", requirement: "node.arch", reason: "r", owner: "o", ...more }] });
const nodes = { gaps: ["under-test"], faults: ["eks/nodes"] };

describe("bad input is never a pass", () => {
  const rows: readonly (readonly [what: string, input: World | Written])[] = [
    // nodes
    ["an odd kernel: no release in front", { profile: KERNEL, facts: [node({ kernel: "custom-6.1" })], is: { undecided: ["eks/node.kernel"] } }],
    ["an odd kernel: one number", { profile: KERNEL, facts: [node({ kernel: "6" })], is: { undecided: ["eks/node.kernel"] } }],
    ["an odd kernel: numbers beyond reason", { profile: KERNEL, facts: [node({ kernel: "99999999.1.0" })], is: { undecided: ["eks/node.kernel"] } }],
    ["an odd kernel: digits of another script", { profile: KERNEL, facts: [node({ kernel: "٦.١.٠" })], is: { undecided: ["eks/node.kernel"] } }],
    ["an odd kernel: empty", { profile: KERNEL, facts: [node({ kernel: "" })], is: { undecided: ["eks/node.kernel"] } }],
    ["an odd kernel: old, with junk that reads newer", { profile: KERNEL, facts: [node({ kernel: "4.18.0-5.10-6.1" })], is: { faults: ["eks/node.kernel"] } }],
    ["missing labels: nothing tells of a feature", { profile: AES, facts: [node()], is: { undecided: ["eks/features.aes"] } }],
    ["missing labels: nothing selects the node", { profile: { selector: { labels: { pool: "p" } }, ...ARCH }, facts: [node()], is: nodes }],
    ["missing labels: no type of machine", { profile: { selector: { instanceTypes: { aws: ["*"] } }, ...ARCH }, facts: [node()], is: nodes }],
    ["a node without any status", { profile: { ...ARCH, ...KERNEL, node: { ...ARCH.node, ...KERNEL.node, os: { families: ["ubuntu"] }, runtimeHandlers: ["wasmtime"], resources: FPGA.node.resources } }, facts: [node({ arch: undefined, kernel: undefined, osImage: undefined, capacity: undefined, allocatable: undefined })], is: { undecided: ["eks/node.arch", "eks/node.kernel", "eks/node.os", "eks/node.runtimeHandlers", "eks/resources.fpga"] } }],
    ["NotReady", { profile: ARCH, facts: [node({ ready: false })], is: nodes }],
    ["a kubelet that is silent, beside a good node", { profile: { minNodes: 2, ...ARCH }, facts: [node(), node({ name: "n2", ready: false })], is: { faults: ["eks/nodes"] } }],
    ["cordoned", { profile: ARCH, facts: [node({ cordoned: true })], is: nodes }],
    ["virtual: Fargate", { profile: ARCH, facts: [node({ virtual: "fargate" })], is: nodes }],
    ["virtual: a virtual kubelet", { profile: ARCH, facts: [node({ virtual: "virtual-kubelet" })], is: nodes }],
    ["a label set by hand that selects: the node is judged all the same", { profile: { selector: { labels: { "hal/profile": "fpga" } }, ...FPGA }, facts: [node({ labels: { "hal/profile": "fpga" } })], is: { faults: ["eks/resources.fpga"] } }],
    ["a label of Node Feature Discovery set by hand, beside its object", { profile: AES, facts: [node({ labels: { [AESNI]: "true" } }), feature({ labels: { "feature.node.kubernetes.io/cpu-cpuid.AVX": "true" } })], is: { undecided: ["eks/features.aes"] } }],
    ["a label of Node Feature Discovery set by hand, where other nodes have objects", { profile: AES, facts: [node({ labels: { [AESNI]: "true" } }), fact("node-features", "eks", "nfd/n2", { node: "n2", labels: {} })], is: { undecided: ["eks/features.aes"] } }],
    ["capacity without allocatable: 0 of it", { profile: FPGA, facts: offering("amd.com/ama_u30", "0", "1"), is: { faults: ["eks/resources.fpga"] } }],
    ["capacity without allocatable: no such list", { profile: FPGA, facts: [node({ capacity: { "amd.com/ama_u30": "1" }, allocatable: undefined })], is: { faults: ["eks/resources.fpga"] } }],
    ["capacity that is no number", { profile: FPGA, facts: offering("amd.com/ama_u30", "many"), is: { faults: ["eks/resources.fpga"] } }],
    ["less than nothing of it", { profile: FPGA, facts: offering("amd.com/ama_u30", "-1"), is: { faults: ["eks/resources.fpga"] } }],
    ["two eBPF data planes on one node: Kmesh and Merbridge", { profile: on("kmesh", "merbridge"), facts: [node(), kmesh(), merbridge(), istiod("1.25.2")], is: { undecided: ["eks/mesh.ebpf"] } }],
    ["two eBPF data planes on one node: Cilium and Kmesh", { profile: on("cilium", "kmesh"), facts: [node(), kmesh(), cilium(), istiod("1.25.2")], is: { undecided: ["eks/mesh.ebpf"] } }],
    ["two eBPF data planes on one node: Kmesh, and a ztunnel that nobody named", { profile: on("kmesh"), facts: [node(), kmesh(), agent("ztunnel"), istiod("1.25.2")], is: { undecided: ["eks/mesh.ebpf"] } }],
    ["two ways into the mesh on one node", { profile: { mesh: { dataplane: ["sidecar"] } }, facts: [node(), pods("sidecars"), pods("ambient")], is: { faults: ["eks/mesh.dataplane"] } }],
    ["Node Feature Discovery absent on one cloud", { profile: AES, facts: [node({ labels: { [AESNI]: "true" } }), node({ on: "gke" })], clusters: [EKS, GKE], is: { undecided: ["gke/features.aes"] } }],
    // profiles
    ["a field that is not known", { profile: { ...ARCH, nodes: {} }, says: "unknown field `nodes`" }],
    ["a field that is not known, deep inside", { profile: { node: { kernel: { min: "5.10", max: "6.0" } } }, says: "unknown field `max`" }],
    ["contradictory floors: an equivalent above what it stands for", { profile: { node: { kernel: { min: "5.10", equivalents: [{ match: ".el9", min: "5.14" }] } } }, says: "kernels with `.el9` need 5.14, more than the 5.10 that they stand for" }],
    ["contradictory floors: a release of what is not allowed", { profile: { mesh: { ebpf: { impl: ["kmesh"], minVersion: { cilium: "1.16" } } } }, says: "a least release of `cilium`, which `mesh.ebpf.impl` does not allow" }],
    ["contradictory floors: settings of what is not allowed", { profile: { mesh: { ebpf: { impl: ["kmesh"], config: { "cni-exclusive": "false" } } } }, says: "settings of Cilium, which `mesh.ebpf.impl` does not allow" }],
    ["contradictory floors: a release of Istio that has no eBPF", { profile: { mesh: { ebpf: { impl: ["istio-cni"], minVersion: { "istio-cni": "1.22" } } } }, says: "Istio 1.22 redirects no pods by eBPF" }],
    ["contradictory floors: a class for another architecture", { profile: { ...ARCH, runtime: { runtimeClass: { name: "wasm", nodeSelector: { "kubernetes.io/arch": "arm64" } } } }, says: "the runtime class selects nodes of `arm64`, and `node.arch` allows `amd64`" }],
    ["a floor that is none", { profile: { node: { kernel: { min: "new" } } }, says: "`spec.node.kernel.min`" }],
    ["families of cards whose names tell none", { profile: { node: { resources: [{ class: "fpga", vendors: ["intel"], families: ["arria10"] }] } }, says: "`families` of cards of Intel, whose names tell none" }],
    ["a question to nobody", { profile: { runtime: { http: { port: 8080 } } }, says: "nobody to ask: `runtime.http` asks pods of `runtime.runtimeClass`" }],
    ["an exemption without expiry", { profile: exempt({}), says: "`expires`" }],
    ["an exemption until a day that is none", { profile: exempt({ expires: "2027-02-30" }), says: "`2027-02-30` is no day" }],
    ["an exemption of nobody", { profile: { ...ARCH, fallbackRequired: false, exemptions: [{ requirement: "node.arch", reason: "r", owner: "o", expires: "2027-01-31" }] }, says: "`spec.exemptions[0]`" }],
    ["an exemption without a fallback, where one must be", { profile: { ...exempt({ expires: "2027-01-31" }), fallbackRequired: true }, says: "the exemption from `node.arch` names no fallback" }],
  ];

  it("a profile that fits nothing is told once, and the assertion that names it is not judged by it", async () => {
    const documents = [{ apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "x" }, spec: { selector: { pools: ["p"] }, node: 7, fallbacks: { a: 1 } } }, { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "x" }, spec: { profile: "x", exemptions: [{ cloud: "gcp", requirement: "nodes", reason: "r", owner: "o", expires: "2027-01-31" }] } }];
    await using folder = await folderOf({ "a.yaml": documents.map((each) => JSON.stringify(each)).join("\n---\n") });
    const lines = await told(loadAssertions(["a.yaml"], await discover([]), folder.options));
    expect(lines).toEqual([expect.stringContaining("`spec.node`"), expect.stringContaining("`spec.fallbacks.a`")]);
  });

  it.each(rows)("%s", async (_what, input) => {
    if ("says" in input) {
      const text = JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "x" }, spec: { selector: { pools: ["p"] }, ...input.profile } });
      await using folder = await folderOf({ "a.yaml": text });
      const lines = await told(loadAssertions(["a.yaml"], await discover([]), folder.options));
      expect(lines).toEqual([expect.stringContaining(input.says)]);
      // where, and what to do
      expect(lines[0]).toMatch(/^a\.yaml:1:\d+ .* \| \S/);
      return;
    }
    const result = judged(specOf(input.profile), input.facts, input.clusters ?? [EKS]);
    expect(shown(result)).toEqual({ faults: [], undecided: [], gaps: [], ...input.is });
    expect(result.verdict).toBe(input.is.faults === undefined ? "undecided" : "violated");
    expect([...result.findings, ...result.gaps].filter(({ remedy }) => remedy === "")).toEqual([]);
  });
});
