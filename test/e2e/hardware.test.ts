import { expect } from "vitest";
import { apply, pathOf, post, remove, type Api, type Manifest } from "../parts/api.ts";
import { asAdmin, type ClusterAddress } from "../parts/cluster.ts";
import { crdsMissing, HARDWARE_MODULES, postCrds, readCrds } from "../parts/crds.ts";
import { eksCluster, eksPool, resource, stateWith } from "../support/states.ts";
import { EKS, GKE, AKS, proxyPod, type Cloud } from "../parts/world.ts";
import { asReader, contexts, desk, faultsOf, fleet } from "./assert.ts";
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

/** Digests of two shims. */
const [SHIM, OTHER_SHIM] = ["1".repeat(64), "2".repeat(64)];

/** A node of a cloud as its kubelet would write it, for one profile. */
function nodeOf(cloud: Cloud, { name, profile, arch, resources = {} }: Machine): Manifest {
  const size = { cpu: "8", memory: "32Gi", pods: "110", ...resources };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/arch": arch, "cloud-assert/profile": profile, spin: "provisioned" } },
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
  { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "pinned" }, spec: { profile: "pinned" } },
  { apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "pinned" }, spec: { selector: { labels: { "cloud-assert/profile": "wasm-edge" } }, runtime: { runtimeClass: { name: "wasm-edge" }, shim: { sha256: { "linux/arm64": SHIM, "linux/amd64": SHIM } } } } },
  { apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "traced" }, spec: { selector: { labels: { "cloud-assert/profile": "ebpf-sidecar" } }, mesh: { ebpf: { impl: ["bpfman"] } } } },
].map((document) => JSON.stringify(document)).join("\n---\n")}\n`;

/** What Cilium writes of a node, which says nothing that a profile asks for. */
const CILIUM_NODE: Manifest = { apiVersion: "cilium.io/v2", kind: "CiliumNode", metadata: { name: "hal-ebpf" }, spec: { addresses: [{ type: "InternalIP", ip: "10.0.0.9" }], ipam: {} } };

/** SpinKube's own definition is in no module that can be had: the least that a server takes. */
const SHIMS: Manifest = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "shims.runtime.spinkube.dev" },
  spec: { group: "runtime.spinkube.dev", scope: "Cluster", names: { kind: "Shim", listKind: "ShimList", plural: "shims", singular: "shim" }, versions: [{ name: "v1alpha1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } } } } }] },
};
function shimOf(sha256: string): Manifest {
  const platforms = ["aarch64", "x86_64"].map((arch) => ({ os: "linux", arch, location: "https://shims.example/spin.tar.gz", sha256 }));
  return { apiVersion: "runtime.spinkube.dev/v1alpha1", kind: "Shim", metadata: { name: "spin" }, spec: { runtimeClass: { name: "wasm-edge", handler: "wasmtime" }, fetchStrategy: { platforms }, rolloutStrategy: { type: "recreate" } } };
}

/** Settings of Cilium for the nodes of one profile. */
function nodeConfig(value: string): Manifest {
  return { apiVersion: "cilium.io/v2", kind: "CiliumNodeConfig", metadata: { name: "sockets", namespace: "kube-system" }, spec: { nodeSelector: { matchLabels: { "cloud-assert/profile": "ebpf-sidecar" } }, defaults: { "bpf-lb-sock-hostns-only": value } } };
}

const BPFMAN = [daemonSet("bpfman-daemon", "bpfman", "quay.io/bpfman/bpfman:v0.6.0"), podOf("bpfman-x", "hal-ebpf", "quay.io/bpfman/bpfman:v0.6.0", { owner: "bpfman-daemon", container: "bpfman" })] as const;

onClusters("three profiles on three clouds: NFD, Cilium, bpfman and runtime classes as their own definitions let them be written, read by the reader and nobody else", async ({ clusters: { eks, gke, aks } }, context) => {
  const lacking = await crdsMissing(HARDWARE_MODULES);
  if (lacking !== undefined) return without(lacking, context);
  const own = (await readCrds(HARDWARE_MODULES)).filter(({ metadata }) => /^(nodefeatures\.nfd|clusterbpfapplicationstates|bpfapplicationstates|ciliumnodeconfigs\.|ciliumnodes\.)/.test(metadata.name));
  expect(own.length).toBe(5);
  const crds = [...own, SHIMS];
  const clusters: readonly ClusterAddress[] = [eks, gke, aks];
  try {
    for (const cluster of clusters) {
      await asAdmin(cluster, async (api) => {
        await postCrds(api, crds);
        // objects are posted side by side, and the server refuses a pod whose runtime class it does not know
        const objects = [...objectsOf(cluster.name), ...BPFMAN];
        await post(api, objects.filter(({ kind }) => kind !== "Pod"));
        await post(api, objects.filter(({ kind }) => kind === "Pod"));
        await post(api, [CILIUM_NODE, shimOf(cluster === gke ? OTHER_SHIM : SHIM)]);
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

    expect(faultsOf(result("pinned")).map(({ subject, message }) => `${subject}: ${message}`)).toEqual([expect.stringMatching(/^gke\/runtime\.shim: .*linux\/arm64 222222222222/)]);

    // what a CiliumNodeConfig sets for these nodes counts more than the ConfigMap
    await asAdmin(aks, (api) => apply(api, [nodeConfig("false")]));
    const changed = await run("rules.yaml", "--only", "ebpf", ...NOW, ...contexts("eks", "gke", "aks"));
    expect([changed.code, faultsOf(changed.result("ebpf")).map(({ subject, message }) => `${subject}: ${message}`)]).toEqual([1, [expect.stringMatching(/^aks\/mesh\.ebpf\.config: .*bpf-lb-sock-hostns-only=false \(by CiliumNodeConfig sockets\)/)]]);
    await asAdmin(aks, (api) => apply(api, [nodeConfig("true")]));
    expect((await run("rules.yaml", "--only", "ebpf", ...NOW, ...contexts("eks", "gke", "aks"))).code).toBe(0);

    await assert("collect", "rules.yaml", "--out", "saved", ...contexts("eks"));
    expect(await read("saved/eks.json")).not.toContain("s3cret");
  } finally {
    for (const cluster of clusters) {
      await asAdmin(cluster, async (api) => {
        await remove(api, [...objectsOf(cluster.name), ...BPFMAN]);
        await remove(api, [CILIUM_NODE, shimOf(SHIM), ...(cluster === aks ? [nodeConfig("true")] : [])]);
        await remove(api, crds);
      });
    }
  }
});

const aksId = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/mesh/providers/Microsoft.ContainerService/managedClusters/aks";
const edge = { name: "hal-edge", taint: [{ key: "hal/edge", value: "yes", effect: "NO_SCHEDULE" }] };

/** States of three clouds, each with a pool that is scaled to nothing; of AKS with this type of machine. */
function states(size: string): Readonly<Record<string, string>> {
  const eks = stateWith([resource("aws_eks_cluster", eksCluster("eks")), resource("aws_eks_node_group", eksPool(edge.name, { ami_type: "AL2023_ARM_64_STANDARD", instance_types: ["c8g.large"], taint: edge.taint, scaling_config: [{ desired_size: 0, max_size: 3, min_size: 0 }] }, "eks"))]);
  const gke = stateWith([
    resource("google_container_cluster", { id: "projects/mesh-project/locations/europe-west3/clusters/gke", name: "gke", project: "mesh-project", location: "europe-west3", master_version: "1.33.5-gke.1162000", node_pool: [] }),
    resource("google_container_node_pool", { name: edge.name, cluster: "gke", location: "europe-west3", project: "mesh-project", version: "1.33.5-gke.1162000", node_count: 0, node_config: [{ machine_type: "c4a-standard-4", taint: edge.taint }] }),
  ]);
  const aks = stateWith([
    resource("azurerm_kubernetes_cluster", { id: aksId, name: "aks", location: "germanywestcentral", kubernetes_version: "1.33.9", default_node_pool: [{ name: "pool1", vm_size: "Standard_D4s_v5", node_count: 6 }] }),
    resource("azurerm_kubernetes_cluster_node_pool", { kubernetes_cluster_id: aksId, name: edge.name.replace("-", ""), vm_size: size, node_count: 0, node_taints: ["hal/edge=yes:NoSchedule"] }),
  ]);
  return { "eks.tfstate": JSON.stringify(eks), "gke.tfstate": JSON.stringify(gke), "aks.tfstate": JSON.stringify(aks) };
}

onClusters("pools that Terraform declares are judged on three clouds where no node of them runs, and a node that runs counts more", async ({ clusters: { eks, gke, aks } }) => {
  const profile = (more: object) => ({ apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "declared" }, spec: { selector: { pools: ["hal-edge", "haledge"] }, minNodes: 0, minTier: "T0", node: { arch: ["arm64"], taints: { required: [{ key: "hal/edge", effect: "NoSchedule" }] } }, parity: { compare: ["arch"] }, ...more } });
  const rules = (more: object = {}) => [profile(more), { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "declared" }, spec: { profile: "declared" } }].map((document) => JSON.stringify(document)).join("\n---\n");
  const [clouds, all] = [{ eks: "aws", gke: "gcp", aks: "azure" }, ["eks", "gke", "aks"] as const];
  const files = { "rules.yaml": rules(), ...states("Standard_D4ps_v6"), "assert.yaml": fleet(...all.map((name) => ({ name, cloud: clouds[name], kubernetes: { context: name }, terraform: { state: `${name}.tfstate` } }))) };
  const { run, write } = await desk({ contexts: asReader(eks, gke, aks), files });
  const cells = async (head: string) => (await run("rules.yaml", ...NOW)).result().tables?.[0]?.rows.find((row) => row.head === head)?.cells.map(({ state, text }) => `${state} ${text}`);

  const good = await run("rules.yaml", ...NOW);
  expect([good.code, good.result().verdict, good.result().coverage.judged, faultsOf(good.result()), good.result().gaps]).toEqual([0, "holds", 3, [], []]);
  expect(await cells("node.arch")).toEqual(["pass T0 arm64", "pass T0 arm64", "pass T0 arm64"]);

  await write("aks.tfstate", states("Standard_D4s_v6")["aks.tfstate"] ?? "");
  const wrong = await run("rules.yaml", ...NOW);
  expect([wrong.code, faultsOf(wrong.result()).map(({ subject }) => subject)]).toEqual([1, ["aks/node.arch"]]);
  await write("aks.tfstate", states("Standard_D4ps_v6")["aks.tfstate"] ?? "");

  // declared is not enough where the profile wants nodes, or another tier
  await write("rules.yaml", rules({ minTier: "T1", minTiers: { "node.taints": "T0" } }));
  expect((await run("rules.yaml", ...NOW)).code).toBe(2);
  await write("rules.yaml", rules({ minNodes: 1 }));
  expect((await run("rules.yaml", ...NOW)).code).toBe(1);
  await write("rules.yaml", rules());

  // a node of the pool that runs and is another one than its pool declares
  const node = nodeOf(EKS, { name: "hal-edge-1", profile: "none", arch: "amd64" });
  const live = { ...node, metadata: { ...node.metadata, labels: { "eks.amazonaws.com/nodegroup": edge.name } } };
  try {
    await asAdmin(eks, (api) => post(api, [live]));
    const seen = await run("rules.yaml", ...NOW);
    expect([seen.code, faultsOf(seen.result()).map(({ subject }) => subject)]).toEqual([1, ["eks/node.arch", "eks/node.taints"]]);
  } finally {
    await asAdmin(eks, (api) => remove(api, [live]));
  }
});
