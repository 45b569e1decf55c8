import { describe, expect, it } from "vitest";
import { CollectError, type Fact, type FactTypes, type KubeObject } from "#engine";
import collector from "../../collectors/kubernetes/collector.ts";
import { drain, FakeCluster, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

type Hardware = "bpf-applications" | "node-agents" | "node-features" | "nodes" | "runtime-classes";

async function read<K extends Hardware>(fact: K, exchange: Exchange) {
  const { facts, gaps } = await drain(collector.collect(clusterOf("eks"), [{ fact }], new FakeCluster(exchange)));
  return { data: facts.map((found: Fact) => found.data as FactTypes[K]), subjects: facts.map(({ subject }) => subject), gaps };
}

const node = (name: string, parts: { readonly metadata?: object; readonly spec?: object; readonly status?: object } = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, ...parts.metadata },
  spec: { ...parts.spec },
  status: { ...parts.status },
});
const said = (status: string) => ({ conditions: [{ type: "Ready", status }] });

describe("what is read of a node", () => {
  const rows: readonly { readonly name: string; readonly node: KubeObject; readonly shows: object }[] = [
    { name: "that is ready", node: node("n", { status: said("True") }), shows: { ready: true, cordoned: false } },
    { name: "that is not", node: node("n", { status: said("False") }), shows: { ready: false } },
    { name: "whose kubelet is silent", node: node("n", { status: said("Unknown") }), shows: { ready: false } },
    { name: "of which no condition tells", node: node("n"), shows: { ready: undefined, capacity: undefined, allocatable: undefined, handlers: undefined, kernel: undefined, arch: undefined } },
    { name: "that is cordoned", node: node("n", { spec: { unschedulable: true } }), shows: { cordoned: true } },
    { name: "of Fargate by its label", node: node("n", { metadata: { labels: { "eks.amazonaws.com/compute-type": "fargate" } } }), shows: { virtual: "fargate" } },
    { name: "of Fargate by its provider's id", node: node("n", { spec: { providerID: "aws:///eu-west-1a/e2c5/fargate-ip-10-0-4-4.eu-west-1.compute.internal" } }), shows: { virtual: "fargate", provider: "aws" } },
    { name: "of a machine whose name only sounds like Fargate", node: node("fargate-ip-10-0-4-4", { spec: { providerID: "aws:///eu-west-1a/i-0123" } }), shows: { virtual: undefined } },
    { name: "of a virtual kubelet", node: node("n", { metadata: { labels: { type: "virtual-kubelet" } } }), shows: { virtual: "virtual-kubelet" } },
    { name: "without a provider", node: node("n", { spec: { providerID: "i-0123" } }), shows: { provider: undefined } },
    {
      name: "with resources: those with a domain that is not Kubernetes' own",
      node: node("n", { status: { capacity: { cpu: "4", "nvidia.com/gpu": 2, "hugepages-1Gi": "0", "attachable.kubernetes.io/x": "1" }, allocatable: {} } }),
      shows: { capacity: { "nvidia.com/gpu": "2" }, allocatable: {} },
    },
    { name: "whose runtime has no handler but the default one", node: node("n", { status: { runtimeHandlers: [{ name: "", features: {} }] } }), shows: { handlers: [""] } },
    { name: "with handlers, in order and once", node: node("n", { status: { runtimeHandlers: [{ name: "wasmtime" }, { name: "" }, { name: "runc" }, { name: "runc" }] } }), shows: { handlers: ["", "runc", "wasmtime"] } },
    { name: "whose fields have other types than they should", node: node("n", { metadata: { labels: ["a"] }, spec: { taints: "x", providerID: 7 }, status: { nodeInfo: "x", conditions: {}, capacity: 3, runtimeHandlers: {} } }), shows: { labels: {}, taints: [], ready: undefined, capacity: {}, handlers: undefined } },
    { name: "with a kernel that nobody would write", node: node("n", { status: { nodeInfo: { kernelVersion: "x".repeat(5000) } } }), shows: { kernel: "x".repeat(256) } },
  ];
  for (const { name, node: object, shows } of rows) {
    it(name, async () => {
      const [data] = (await read("nodes", { lists: { nodes: [object] } })).data;
      expect(data).toBeDefined();
      for (const [key, value] of Object.entries(shows)) expect([key, (data as unknown as Record<string, unknown>)[key]]).toEqual([key, value]);
    });
  }

  it("keeps no address, no annotation and no image", async () => {
    const { data } = await read("nodes", { lists: { nodes: [node("n", { metadata: { annotations: { a: "s3cret" } }, status: { addresses: [{ address: "10.0.0.7" }], images: [{ names: ["s3cret"] }], nodeInfo: { machineID: "s3cret" } } })] } });
    expect(JSON.stringify(data)).not.toMatch(/s3cret|10\.0\.0\.7/);
  });

  it("forgets what it saw when the API server starts the list again", async () => {
    const { subjects } = await read("nodes", { lists: { nodes: [[node("old")], [node("new")]] }, restartsAt: [1] });
    expect(subjects).toEqual(["new"]);
  });
});

interface PodParts {
  readonly namespace?: string;
  readonly node?: string;
  readonly owner?: string;
  readonly image?: string;
  readonly container?: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly object[];
  readonly runtimeClassName?: string;
  readonly status?: object;
  readonly metadata?: object;
}

const podOn = (name: string, { namespace = "kube-system", node: nodeName = "n1", owner = "agent", status, metadata, runtimeClassName, container = "main", ...rest }: PodParts): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, ownerReferences: [{ kind: "DaemonSet", name: owner, controller: true }], ...metadata },
  spec: { nodeName, containers: [{ name: container, image: "x/y:1", ...rest }], ...(runtimeClassName === undefined ? {} : { runtimeClassName }) },
  status: status ?? { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
});
const agents = async (...pods: readonly KubeObject[]) => (await read("node-agents", { lists: { pods } })).data;

describe("programs on nodes", () => {
  const known: readonly { readonly name: string; readonly pod: PodParts; readonly is: string | undefined; readonly mode?: string }[] = [
    { name: "Cilium of its own charts", pod: { container: "cilium-agent", image: "quay.io/cilium/cilium:v1.17.6" }, is: "cilium" },
    { name: "Cilium as GKE runs it, under another name", pod: { owner: "anetd", container: "cilium-agent", image: "gke.gcr.io/gke/anetd:1.2" }, is: "cilium" },
    { name: "Cilium from a mirror", pod: { container: "agent", image: "registry.example:5000/mirror/quay.io/cilium/cilium@sha256:" + "a".repeat(64) }, is: "cilium" },
    { name: "the operator of Cilium", pod: { container: "cilium-operator", image: "quay.io/cilium/operator-generic:v1.17.6" }, is: undefined },
    { name: "Kmesh and its mode", pod: { container: "kmesh", image: "ghcr.io/kmesh-net/kmesh:v1.1.0", args: ["./start_kmesh.sh --mode=dual-engine --enable-bypass=false"] }, is: "kmesh", mode: "dual-engine" },
    { name: "Kmesh without a mode", pod: { container: "kmesh", image: "ghcr.io/kmesh-net/kmesh:v1.1.0" }, is: "kmesh" },
    { name: "Merbridge", pod: { container: "merbridge", image: "ghcr.io/merbridge/merbridge:latest" }, is: "merbridge" },
    { name: "bpfman", pod: { container: "bpfman", image: "quay.io/bpfman/bpfman:v0.5.6" }, is: "bpfman" },
    { name: "Istio CNI", pod: { container: "install-cni", image: "docker.io/istio/install-cni:1.29.5" }, is: "istio-cni" },
    { name: "Istio CNI of the ambient mesh", pod: { container: "install-cni", image: "docker.io/istio/install-cni:1.29.5", env: [{ name: "AMBIENT_ENABLED", value: "true" }] }, is: "istio-cni", mode: "ambient" },
    { name: "Istio CNI of the ambient mesh, told to redirect by eBPF as up to 1.20", pod: { container: "install-cni", image: "docker.io/istio/install-cni:1.20.8", env: [{ name: "AMBIENT_ENABLED", value: "true" }, { name: "EBPF_ENABLED", value: "true" }] }, is: "istio-cni", mode: "ambient-ebpf" },
    { name: "ztunnel", pod: { container: "istio-proxy", image: "docker.io/istio/ztunnel:1.29.5", args: ["proxy", "ztunnel"] }, is: "ztunnel" },
    { name: "a gateway that runs as a DaemonSet", pod: { container: "istio-proxy", image: "docker.io/istio/proxyv2:1.29.5", args: ["proxy", "router"] }, is: undefined },
    { name: "the worker of Node Feature Discovery", pod: { image: "registry.k8s.io/nfd/node-feature-discovery:v0.18.1", command: ["nfd-worker"] }, is: "nfd" },
    { name: "its collector of topologies, which finds no features", pod: { image: "registry.k8s.io/nfd/node-feature-discovery:v0.18.1", command: ["nfd-topology-updater"] }, is: undefined },
    { name: "the network policy agent of EKS", pod: { container: "aws-eks-nodeagent", image: "602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon/aws-network-policy-agent:v1.2.1" }, is: "aws-network-policy" },
    { name: "something that is called like Kmesh and is not", pod: { owner: "kmesh", image: "shop/kmesh-dashboard:1" }, is: undefined },
  ];
  for (const { name, pod, is, mode } of known) {
    it(`tells: ${name}`, async () => {
      const found = (await agents(podOn("p", pod))).filter((data) => data.type === "agent");
      expect(found.map((agent) => [agent.product, agent.mode])).toEqual(is === undefined ? [] : [[is, mode]]);
    });
  }

  it("a pod that no DaemonSet owns is none of them", async () => {
    expect(await agents(podOn("p", { container: "cilium-agent", image: "quay.io/cilium/cilium:v1", metadata: { ownerReferences: [{ kind: "ReplicaSet", name: "x" }] } }))).toEqual([]);
  });

  it("counts a node once, as ready where one pod of the same image is, and forgets pods that ended", async () => {
    const cilium = { container: "cilium-agent", image: "quay.io/cilium/cilium:v1.17.6" };
    const notReady = { phase: "Running", conditions: [{ type: "Ready", status: "False" }] };
    const found = await agents(
      podOn("a", { ...cilium, node: "n2", status: notReady }),
      podOn("b", { ...cilium, node: "n1" }),
      podOn("c", { ...cilium, node: "n1", status: notReady }),
      podOn("d", { ...cilium, node: "n3", status: { phase: "Failed" } }),
      podOn("e", { ...cilium, node: "n4", metadata: { deletionTimestamp: "2026-11-20T09:00:00Z", ownerReferences: [{ kind: "DaemonSet", name: "agent" }] } }),
    );
    expect(found).toMatchObject([{ readyOn: ["n1"], notReadyOn: ["n2"] }]);
    expect(found).toHaveLength(1);
  });

  it("two images of one DaemonSet are two facts", async () => {
    const found = await agents(podOn("a", { node: "n1", container: "cilium-agent", image: "quay.io/cilium/cilium:v1.17.6" }), podOn("b", { node: "n2", container: "cilium-agent", image: "quay.io/cilium/cilium:v1.17.5" }));
    expect(found.map((data) => data.type === "agent" && [data.image, data.readyOn])).toEqual([["quay.io/cilium/cilium:v1.17.5", ["n2"]], ["quay.io/cilium/cilium:v1.17.6", ["n1"]]]);
  });

  it("tells whether pods ask for an image by a digest, whatever their kubelet says of it", async () => {
    const [digest, merbridge] = [`sha256:${"c".repeat(64)}`, "ghcr.io/merbridge/merbridge:latest"];
    const status = { phase: "Running", containerStatuses: [{ name: "merbridge", image: merbridge, imageID: `ghcr.io/merbridge/merbridge@${digest}`, ready: true }] };
    const pinnedAs = async (image: string) => (await agents(podOn("a", { container: "merbridge", image, status }))).map((data) => data.type === "agent" && data.pinned);
    expect([await pinnedAs(merbridge), await pinnedAs(`${merbridge}@${digest}`)]).toEqual([[undefined], [true]]);
  });

  describe("what a CiliumNodeConfig sets for some nodes", () => {
    const config = (name: string, spec: object, namespace = "kube-system"): KubeObject => ({ apiVersion: "cilium.io/v2", kind: "CiliumNodeConfig", metadata: { name, namespace }, spec });
    const pod = podOn("p", { owner: "cilium", container: "cilium-agent", image: "quay.io/cilium/cilium:v1.18.4" });
    const seen = async (exchange: Exchange) => {
      const { data, gaps } = await read("node-agents", { ...exchange, lists: { pods: [pod], ...exchange.lists } });
      return { overrides: data.flatMap((each) => (each.type === "agent" ? [each.overrides] : [])), gaps: gaps.map(({ subject }) => subject) };
    };
    const loud = { "bpf-lb-sock-hostns-only": "false" };
    const everywhere = { matchLabels: {}, matchExpressions: [] };

    it("is kept in the order of names, known settings alone, of Cilium's own namespace", async () => {
      const matchExpressions = [{ key: "a", operator: "In", values: ["b"] }];
      const objects = [config("b", { nodeSelector: {}, defaults: { ...loud, "some-key": "s3cret" } }), config("a", { nodeSelector: { matchLabels: { x: "y" }, matchExpressions }, defaults: loud }), config("c", { nodeSelector: {}, defaults: loud }, "elsewhere")];
      expect(await seen({ lists: { ciliumnodeconfigs: objects } })).toEqual({ overrides: [[{ name: "a", nodeSelector: { matchLabels: { x: "y" }, matchExpressions }, settings: loud }, { name: "b", nodeSelector: everywhere, settings: loud }]], gaps: [] });
    });
    it("is nothing where it sets nothing that is known, or names no nodes", async () => {
      expect(await seen({ lists: { ciliumnodeconfigs: [config("a", { nodeSelector: {}, defaults: { "some-key": "1" } }), config("b", { defaults: loud }), config("c", { nodeSelector: null, defaults: loud })] } })).toEqual({ overrides: [[]], gaps: [] });
    });
    it("is not known where nobody may list it: Cilium's own fact says so, and what else was seen has no gap", async () => {
      expect(await seen({ forbidden: ["list ciliumnodeconfigs"] })).toEqual({ overrides: [undefined], gaps: [] });
      for (const right of ["list ciliumnodeconfigs", "get configmaps"]) {
        const { data, gaps } = await read("node-agents", { lists: { pods: [pod] }, forbidden: [right] });
        expect([gaps, data]).toEqual([[], [expect.objectContaining({ product: "cilium", unread: { reason: expect.stringContaining(`may not ${right.replace(" ", " `")}`), remedy: expect.stringMatching(/./) } })]]);
      }
    });
    it("is not known of a folder that holds none", async () => {
      expect((await seen({ place: "manifests" })).overrides).toEqual([undefined]);
    });
  });

  it("tells pods that are in the mesh in two ways at once, each sort by a name of its own", async () => {
    const both = { "ambient.istio.io/redirection": "enabled", "kmesh.net/redirection": "enabled" };
    const { subjects, data } = await read("node-agents", { lists: { pods: [podOn("a", { namespace: "shop", metadata: { annotations: both } })] } });
    expect(subjects).toEqual(["pods of the ambient mesh", "pods of Kmesh", "pods in the mesh in several ways"]);
    expect(data.map(({ type }) => type)).toEqual(["ambient", "kmesh", "several"]);
  });

  it("tells known annotations and labels of pods of a runtime class, with how many bear them; a label counts more", async () => {
    const marked = (name: string, metadata: object) => podOn(name, { namespace: "edge", runtimeClassName: "wasm", metadata });
    const found = await agents(
      marked("a", { annotations: { "run.oci.handler": "wasm", "sidecar.istio.io/inject": "true", "acme.example/token": "s3cret" }, labels: { "sidecar.istio.io/inject": "false" } }),
      marked("b", { annotations: { "run.oci.handler": "wasm-smart" } }),
      marked("c", { annotations: { "run.oci.handler": "wasm" } }),
    );
    expect(found.find((data) => data.type === "class-pods")).toMatchObject({ pods: 3, marks: { "run.oci.handler": { wasm: 2, "wasm-smart": 1 }, "sidecar.istio.io/inject": { false: 1 } } });
    expect(JSON.stringify(found)).not.toContain("s3cret");
  });

  it("counts sidecars of a runtime class, and those that do not run", async () => {
    const sidecar = (name: string, state: object) => {
      const pod = podOn(name, { namespace: "edge", runtimeClassName: "wasm", image: "r.example/app:1", container: "app", status: { phase: "Running", containerStatuses: [{ name: "istio-proxy", state }] } });
      return { ...pod, spec: { ...(pod["spec"] as object), containers: [{ name: "app", image: "r.example/app:1" }, { name: "istio-proxy", image: "docker.io/istio/proxyv2:1.29.5", args: ["proxy", "sidecar"] }] } };
    };
    const found = await agents(sidecar("a", { running: {} }), sidecar("b", { waiting: { reason: "CrashLoopBackOff" } }), podOn("c", { namespace: "edge", runtimeClassName: "wasm", image: "r.example/app:1" }));
    expect(found.find((data) => data.type === "class-pods")).toMatchObject({ withSidecar: 2, sidecarsDown: 1 });
  });

  it("tells pods of runtime classes, of the ambient mesh and of Kmesh, and the nodes where they run", async () => {
    const found = await agents(
      podOn("a", { namespace: "edge", runtimeClassName: "wasm", image: "r.example/signer:1", container: "app", status: { phase: "Running", containerStatuses: [{ name: "app", ready: true, imageID: `r.example/signer@sha256:${"b".repeat(64)}` }] } }),
      podOn("b", { namespace: "edge", node: "n2", runtimeClassName: "wasm", image: "r.example/signer:1", args: ["--other"], status: { phase: "Pending" } }),
      podOn("c", { namespace: "shop", metadata: { annotations: { "ambient.istio.io/redirection": "enabled" } } }),
      podOn("d", { namespace: "shop", node: "n2", metadata: { annotations: { "kmesh.net/redirection": "enabled" } } }),
      podOn("e", { namespace: "shop", node: "n3", metadata: { annotations: { "kmesh.net/redirection": "disabled" } } }),
    );
    expect(found).toEqual([
      { type: "ambient", name: "", runningOn: ["n1"], failingOn: [] },
      {
        type: "class-pods",
        name: "wasm",
        runningOn: ["n1"],
        failingOn: ["n2"],
        images: [{ image: "r.example/signer:1", imageId: `sha256:${"b".repeat(64)}`, asBuilt: true, ready: 1, notReady: 0 }, { image: "r.example/signer:1", ownArguments: true, ready: 0, notReady: 1 }],
        pods: 2,
        marks: {},
        withSidecar: 0,
        sidecarsDown: 0,
      },
      { type: "kmesh", name: "", runningOn: ["n2"], failingOn: [] },
    ]);
  });

  it("a pod without the condition counts by its containers, and in a dump that kept the phase only by that", async () => {
    const cilium = { container: "cilium-agent", image: "quay.io/cilium/cilium:v1.17.6" };
    const states = [{ phase: "Running", containerStatuses: [{ name: "cilium-agent", ready: false }] }, { phase: "Running" }, { phase: "Pending" }, {}];
    for (const [index, status] of states.entries()) expect(await agents(podOn("a", { ...cilium, status }))).toMatchObject([index === 1 ? { readyOn: ["n1"] } : { readyOn: [], notReadyOn: ["n1"] }]);
  });
});

describe("what is read of a Shim", () => {
  it("its platforms, whatever words it has for their architectures", async () => {
    const platforms = ["amd64", "x86_64", "arm64", "aarch64", "riscv64"].map((arch) => ({ os: "linux", arch, location: "https://shims.example/a", sha256: "a".repeat(64) }));
    const { data } = await read("runtime-classes", { lists: { shims: [{ apiVersion: "runtime.spinkube.dev/v1alpha1", kind: "Shim", metadata: { name: "spin" }, spec: { runtimeClass: { name: "wasm", handler: "spin" }, fetchStrategy: { platforms } } }] } });
    expect(data.map((each) => each.type === "shim" && each.platforms.map(({ os, arch }) => `${os}/${arch}`))).toEqual([["linux/amd64", "linux/amd64", "linux/arm64", "linux/arm64", "linux/riscv64"]]);
  });
});

describe("what bpfman says of an application on a node", () => {
  const state = (status: object): KubeObject => ({ apiVersion: "bpfman.io/v1alpha1", kind: "ClusterBpfApplicationState", metadata: { name: "tracer-1", labels: { "bpfman.io/ownedByProgram": "tracer" } }, status: { node: "n1", ...status } });
  const rows: readonly (readonly [claim: string, status: object, read: string])[] = [
    ["loaded and attached", { appLoadStatus: "LoadSuccess", conditions: [{ type: "Success", status: "True" }] }, "LoadSuccess"],
    ["loaded, of a release without conditions", { appLoadStatus: "LoadSuccess" }, "LoadSuccess"],
    ["loaded and not attached", { appLoadStatus: "LoadSuccess", conditions: [{ type: "Error", status: "True" }] }, "Error"],
    ["loaded and not yet attached", { appLoadStatus: "LoadSuccess", conditions: [{ type: "Pending", status: "True" }] }, "Pending"],
    ["not loaded", { appLoadStatus: "LoadError", conditions: [{ type: "Success", status: "True" }] }, "LoadError"],
    ["nothing", {}, ""],
  ];
  it.each(rows)("%s", async (_claim, status, expected) => {
    const { data } = await read("bpf-applications", { lists: { clusterbpfapplicationstates: [state(status)] } });
    expect(data.map((each) => [each.node, each.application, each.status])).toEqual([["n1", "tracer", expected]]);
  });
});

describe("not seen is not absent", () => {
  const list = (kind: string, apiVersion: string, name: string): KubeObject => ({ apiVersion, kind, metadata: { name } });
  const daemonSet = { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "cilium", namespace: "kube-system" }, spec: { template: { spec: { containers: [{ name: "cilium-agent", image: "quay.io/cilium/cilium:v1" }] } } } };
  const rows: readonly { readonly fact: Hardware; readonly lists: Exchange["lists"]; readonly lacks: string }[] = [
    { fact: "nodes", lists: {}, lacks: "the manifests hold no Node," },
    { fact: "node-features", lists: {}, lacks: "the manifests hold no NodeFeature," },
    { fact: "node-agents", lists: { daemonsets: [daemonSet] }, lacks: "the manifests hold no Pod," },
    { fact: "runtime-classes", lists: { runtimeclasses: [list("RuntimeClass", "node.k8s.io/v1", "wasm")] }, lacks: "the manifests hold no Shim," },
    { fact: "bpf-applications", lists: {}, lacks: "the manifests hold no ClusterBpfApplicationState," },
  ];
  for (const { fact, lists = {}, lacks } of rows) {
    it(`a folder that holds none: ${lacks} is a gap of \`${fact}\` with the way out`, async () => {
      const { gaps, data } = await read(fact, { place: "manifests", lists });
      expect(gaps.map(({ reason }) => reason)).toEqual([expect.stringContaining(lacks)]);
      expect(gaps.every(({ remedy, kind }) => kind === fact && remedy.includes("complete: true"))).toBe(true);
      expect(data.length).toBe(fact === "runtime-classes" ? 1 : 0);
    });

    it(`an API server that serves none: no gap of \`${fact}\``, async () => {
      expect((await read(fact, { lists })).gaps).toEqual([]);
    });
  }

  it("a DaemonSet without pods is there with no node; where pods may not be listed it is not claimed to have none", async () => {
    expect((await read("node-agents", { lists: { daemonsets: [daemonSet] } })).data).toMatchObject([{ product: "cilium", readyOn: [], notReadyOn: [] }]);
    const { data, gaps } = await read("node-agents", { lists: { daemonsets: [daemonSet] }, forbidden: ["list pods"] });
    expect([data, gaps.length]).toEqual([[], 1]);
  });

  it("an identity that lists some namespaces only does not see what runs in the others: a gap that names them", async () => {
    for (const fact of ["node-agents", "node-features", "bpf-applications"] as const) {
      const some = new FakeCluster({});
      const whole = await some.kubernetes();
      Object.assign(some, { kubernetes: () => Promise.resolve({ ...whole, namespaces: ["shop"] }) });
      const { gaps } = await drain(collector.collect(clusterOf("eks"), [{ fact }], some));
      expect(gaps.map(({ kind, reason }) => [kind, reason.startsWith("only `shop` is listed, and ")])).toEqual([[fact, true]]);
    }
  });

  it("a cluster that is not reached ends the reading, and is no missing permission", async () => {
    const away = new FakeCluster({});
    Object.assign(away, { kubernetes: () => Promise.reject(new CollectError("nobody answers", { remedy: "look", unreachable: true })) });
    await expect(drain(collector.collect(clusterOf("eks"), [{ fact: "node-agents" }], away))).rejects.toThrow("nobody answers");
  });
});
