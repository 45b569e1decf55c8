import { expect } from "vitest";
import { apply, pathOf, post, remove, type Api, type Manifest } from "../parts/api.ts";
import { asAdmin, type ClusterAddress } from "../parts/cluster.ts";
import { crdsMissing, HARDWARE_MODULES, postCrds, readCrds } from "../parts/crds.ts";
import { EKS, GKE, AKS, proxyPod, type Cloud } from "../parts/world.ts";
import { asReader, contexts, desk, faultsOf } from "./assert.ts";
import { onClusters, without } from "./ground.ts";

const NOW = ["--now", "2026-11-25T12:00:00Z"];
const NFD = "kube-system";
const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };

interface Machine {
  readonly name: string;
  readonly profile: string;
  readonly arch: string;
  readonly resources?: Readonly<Record<string, string>>;
}

/** A node of a cloud as its kubelet would write it, for one profile. */
function nodeOf(cloud: Cloud, { name, profile, arch, resources = {} }: Machine): Manifest {
  const size = { cpu: "8", memory: "32Gi", pods: "110", ...resources };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/arch": arch, "cloud-assert/profile": profile } },
    spec: { providerID: cloud.providerId(9) },
    status: {
      capacity: size,
      allocatable: size,
      conditions: [{ type: "Ready", status: "True" }],
      nodeInfo: { machineID: name, systemUUID: name, bootID: name, kernelVersion: cloud.kernelVersion, osImage: cloud.osImage, containerRuntimeVersion: "containerd://2.1.5", kubeletVersion: cloud.gitVersion, kubeProxyVersion: "", operatingSystem: "linux", architecture: arch },
    },
  };
}

function podOf(name: string, nodeName: string, image: string, more: { readonly owner?: string; readonly container?: string; readonly runtimeClassName?: string } = {}): Manifest {
  const { owner, container = "app", runtimeClassName } = more;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "kube-system", ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: "apps/v1", kind: "DaemonSet", name: owner, uid: "6f3d2a10-0000-4000-8000-000000000001", controller: true }] }) },
    spec: { nodeName, containers: [{ name: container, image }], ...(runtimeClassName === undefined ? {} : { runtimeClassName }) },
    status: { ...ready, containerStatuses: [{ name: container, image, imageID: `${image.split(":")[0] ?? ""}@sha256:${"a".repeat(64)}`, ready: true, restartCount: 0, state: { running: {} }, lastState: {} }] },
  };
}

function daemonSet(name: string, container: string, image: string): Manifest {
  const labels = { app: name };
  return { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name, namespace: "kube-system" }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: container, image }] } } } };
}

/** What Node Feature Discovery's worker writes of a node, in its own object. */
function featuresOf(node: string): Manifest {
  return {
    apiVersion: "nfd.k8s-sigs.io/v1alpha1",
    kind: "NodeFeature",
    metadata: { name: node, namespace: NFD, labels: { "nfd.node.kubernetes.io/node-name": node } },
    spec: { labels: { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" }, features: { attributes: { "kernel.config": { elements: { DEBUG_INFO_BTF: "y" } }, "kernel.version": { elements: { full: EKS.kernelVersion } } }, flags: {}, instances: {} } },
  };
}

const PARTS: Readonly<Record<string, { readonly cloud: Cloud; readonly fpga: Readonly<Record<string, string>>; readonly edge: string }>> = {
  eks: { cloud: EKS, fpga: { "aws.amazon.com/fpga": "1" }, edge: "arm64" },
  gke: { cloud: GKE, fpga: {}, edge: "arm64" },
  // the plug-in's name of the same card, and a pool of the wrong architecture
  aks: { cloud: AKS, fpga: { "xilinx.com/fpga-xilinx_u250_gen3x16_xdma_shell_2_1-0": "1" }, edge: "amd64" },
};

function objectsOf(name: string): readonly Manifest[] {
  const { cloud, fpga, edge } = PARTS[name] ?? { cloud: EKS, fpga: {}, edge: "arm64" };
  const cilium = "quay.io/cilium/cilium:v1.18.4";
  return [
    nodeOf(cloud, { name: "hal-ebpf", profile: "ebpf-sidecar", arch: "amd64" }),
    nodeOf(cloud, { name: "hal-edge", profile: "wasm-edge", arch: edge }),
    nodeOf(cloud, { name: "hal-fpga", profile: "fpga-node", arch: "amd64", resources: fpga }),
    featuresOf("hal-ebpf"),
    featuresOf("hal-fpga"),
    daemonSet("cilium", "cilium-agent", cilium),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cilium-config", namespace: "kube-system" }, data: { "bpf-lb-sock-hostns-only": "true", "hubble-tls-key": "s3cret" } },
    podOf("cilium-x", "hal-ebpf", cilium, { owner: "cilium", container: "cilium-agent" }),
    proxyPod(cloud, { namespace: "team-00", workload: "hal", replica: 0, role: "sidecar", image: cloud.proxyImage("1.29.6"), nodeName: "hal-ebpf" }),
    { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "wasm-edge" }, handler: "wasmtime", scheduling: { nodeSelector: { "kubernetes.io/arch": "arm64" } } },
    podOf("wasm-x", "hal-edge", "registry.example/edge/signer:1", { runtimeClassName: "wasm-edge" }),
  ];
}

/** The state of an application of bpfman on a node, with its status. */
async function putState(api: Api, node: string, appLoadStatus: string): Promise<void> {
  const state: Manifest = { apiVersion: "bpfman.io/v1alpha1", kind: "ClusterBpfApplicationState", metadata: { name: `tracer-${node}`, labels: { "bpfman.io/ownedByProgram": "tracer", "kubernetes.io/hostname": node } } };
  await apply(api, [state]);
  await api.must("PATCH", `${pathOf(state, { named: true })}/status`, { status: { node, appLoadStatus, updateCount: 1, programs: [] } }, "application/merge-patch+json");
}

const RULES = `${[
  { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "ebpf" }, spec: { profile: "ebpf-sidecar" } },
  { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "edge" }, spec: { profile: "wasm-edge" } },
  { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "fpga" }, spec: { profile: "fpga-node", exemptions: [{ cloud: "gcp", requirement: "resources.fpga", reason: "no machines", owner: "team-x", expires: "2027-03-31", fallback: "software-crypto" }] } },
  { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "traced" }, spec: { profile: "traced" } },
  { apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "traced" }, spec: { selector: { labels: { "cloud-assert/profile": "ebpf-sidecar" } }, mesh: { ebpf: { impl: ["bpfman"] } } } },
].map((document) => JSON.stringify(document)).join("\n---\n")}\n`;

const BPFMAN = [daemonSet("bpfman-daemon", "bpfman", "quay.io/bpfman/bpfman:v0.6.0"), podOf("bpfman-x", "hal-ebpf", "quay.io/bpfman/bpfman:v0.6.0", { owner: "bpfman-daemon", container: "bpfman" })] as const;

onClusters("three profiles on three clouds: NFD, Cilium, bpfman and runtime classes as their own definitions let them be written, read by the reader and nobody else", async ({ clusters: { eks, gke, aks } }, context) => {
  const lacking = await crdsMissing(HARDWARE_MODULES);
  if (lacking !== undefined) return without(lacking, context);
  const crds = (await readCrds(HARDWARE_MODULES)).filter(({ metadata }) => /^(nodefeatures\.nfd|clusterbpfapplicationstates|bpfapplicationstates)/.test(metadata.name));
  expect(crds.length).toBe(3);
  const clusters: readonly ClusterAddress[] = [eks, gke, aks];
  try {
    for (const cluster of clusters) {
      await asAdmin(cluster, async (api) => {
        await postCrds(api, crds);
        // objects are posted side by side, and the server refuses a pod whose runtime class it does not know
        const objects = [...objectsOf(cluster.name), ...BPFMAN];
        await post(api, objects.filter(({ kind }) => kind !== "Pod"));
        await post(api, objects.filter(({ kind }) => kind === "Pod"));
        await putState(api, "hal-ebpf", cluster === gke ? "LoadError" : "LoadSuccess");
      });
    }
    const { run, assert, read } = await desk({ contexts: asReader(eks, gke, aks), files: { "rules.yaml": RULES } });
    const { code, result } = await run("rules.yaml", ...NOW, ...contexts("eks", "gke", "aks"));
    expect(code).toBe(1);

    // the kernels of the world are of 2026 and Node Feature Discovery tells of BTF everywhere
    expect([result("ebpf").verdict, result("ebpf").coverage.judged, result("ebpf").gaps, faultsOf(result("ebpf"))]).toEqual(["holds", 3, [], []]);
    expect(result("ebpf").tables?.[0]?.rows.find(({ head }) => head === "mesh.ebpf")?.cells.map(({ text }) => text)).toEqual(["T3 cilium v1.18.4", "T3 cilium v1.18.4", "T3 cilium v1.18.4"]);

    expect(faultsOf(result("edge")).map(({ subject }) => subject)).toEqual(["aks/node.arch"]);

    expect([result("fpga").verdict, faultsOf(result("fpga"))]).toEqual(["holds", []]);
    expect(result("fpga").tables?.[0]?.rows.find(({ head }) => head === "resources.fpga")?.cells.map(({ state }) => state)).toEqual(["pass", "pass", "exempt"]);

    expect(faultsOf(result("traced")).map(({ subject, message }) => `${subject}: ${message}`)).toEqual([expect.stringMatching(/^gke\/mesh\.ebpf: .*could not load `tracer` \(LoadError\)/)]);

    await assert("collect", "rules.yaml", "--out", "saved", ...contexts("eks"));
    expect(await read("saved/eks.json")).not.toContain("s3cret");
  } finally {
    for (const cluster of clusters) {
      await asAdmin(cluster, async (api) => {
        await remove(api, [...objectsOf(cluster.name), ...BPFMAN]);
        await remove(api, crds);
      });
    }
  }
});
