import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { FactKind, KubernetesApi } from "#engine";
import collector from "../../collectors/kubernetes/collector.ts";
import { drain, FakeCluster, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

class Restricted extends FakeCluster {
  override async kubernetes(): Promise<KubernetesApi> {
    return { ...(await super.kubernetes()), namespaces: ["shop"] };
  }
}

async function read(fact: FactKind & ("add-ons" | "api-server" | "node-pools" | "control-planes" | "server-version"), exchange: Exchange, io = new FakeCluster(exchange)) {
  const { facts, gaps } = await drain(collector.collect(clusterOf("c"), [{ fact }], io));
  return { data: facts.map((each) => each.data), gaps: gaps.map(({ reason }) => reason), facts };
}

const node = (name: string, labels: object, more: { readonly spec?: object; readonly info?: object } = {}) => ({ apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: more.spec ?? {}, status: { nodeInfo: { architecture: "amd64", kubeletVersion: "v1.33.4", ...more.info } } });
const istiod = (name: string, namespace: string, image: string, labels: object = {}) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels: { app: "istiod", ...labels } }, spec: { containers: [{ name: "discovery", image }] }, status: { phase: "Running" } });

describe("pools of nodes", () => {
  it.each([
    ["eks.amazonaws.com/nodegroup", "a"],
    ["cloud.google.com/gke-nodepool", "a"],
    ["kubernetes.azure.com/agentpool", "a"],
    ["karpenter.sh/nodepool", undefined],
  ])("are what `%s` names: %s", async (label, pool) => {
    const { data } = await read("node-pools", { lists: { nodes: [node("n", { [label]: "a" })] } });
    expect(data[0]).toMatchObject({ count: 1, ...(pool === undefined ? {} : { pool }) });
    expect(Object.hasOwn(data[0] ?? {}, "pool")).toBe(pool !== undefined);
  });

  it("count alike nodes once, whatever their order, and forget them when the list begins anew", async () => {
    const nodes = ["c", "a", "b"].map((name) => node(name, { agentpool: "p" }));
    const page = await read("node-pools", { lists: { nodes } });
    expect(page.data).toMatchObject([{ pool: "p", count: 3, example: "a" }]);
    expect((await read("node-pools", { lists: { nodes: nodes.toReversed() } })).data).toEqual(page.data);
    expect((await read("node-pools", { lists: { nodes: [nodes.slice(0, 2), nodes] }, restartsAt: [1] })).data).toMatchObject([{ count: 3 }]);
  });

  it("tell apart kubelets, architectures and taints, but not what comes and goes", async () => {
    const taint = (key: string) => ({ spec: { taints: [{ key, effect: "NoSchedule" }] } });
    const { data } = await read("node-pools", { lists: { nodes: [node("a", {}), node("b", {}, taint("node.kubernetes.io/not-ready")), node("c", {}, taint("ToBeDeletedByClusterAutoscaler")), node("d", {}, taint("dedicated")), node("e", {}, { info: { kubeletVersion: "v1.32.9" } }), node("f", {}, { info: { architecture: "arm64" } })] } });
    expect(data.map((each) => ("count" in each ? each.count : 0)).toSorted()).toEqual([1, 1, 1, 3]);
  });

  it("leave virtual kubelets out, which are no machines", async () => {
    expect((await read("node-pools", { lists: { nodes: [node("virtual-node-aci-linux", { type: "virtual-kubelet" })] } })).data).toEqual([]);
  });

  it("say whose subscription or project they are in", async () => {
    const at = async (providerID: string) => (await read("node-pools", { lists: { nodes: [node("n", {}, { spec: { providerID } })] } })).data[0];
    expect(await at("azure:///subscriptions/0000000A-0000-4000-8000-000000000000/resourceGroups/x/providers/y")).toMatchObject({ cloud: "azure", account: "0000000a-0000-4000-8000-000000000000", group: "x" });
    expect(await at("gce://payments/europe-west1-b/n")).toMatchObject({ cloud: "gcp", account: "payments" });
    expect(await at("aws:///eu-west-1a/i-1")).toMatchObject({ cloud: "aws" });
  });

  it.each([
    ["abc.gr7.eu-west-1.eks.amazonaws.com", "eks"],
    ["shop-dns-1.hcp.westeurope.azmk8s.io", "aks"],
    ["shop-1.2.privatelink.westeurope.azmk8s.io", "aks"],
    ["34.90.1.2", "address"],
    ["[fd00::1]", "address"],
    ["kubernetes.default.svc", "inside"],
    ["gke-1.europe-west1.gke.goog", "other"],
    ["eks.amazonaws.com.example.org", "other"],
  ])("the API server at %s is reached by the name of: %s", async (host, named) => {
    expect((await read("api-server", { host, caSha256: "ab" })).data).toEqual([{ hostSha256: createHash("sha256").update(host).digest("hex"), caSha256: "ab", named }]);
  });

  it("the API server of a folder is none, and nothing is missing", async () => {
    expect(await read("api-server", { place: "manifests" })).toEqual({ data: [], gaps: [], facts: [] });
  });

  it("of a folder without a node are a gap, as is the version of one that does not hold it", async () => {
    expect((await read("node-pools", { place: "manifests" })).gaps).toEqual(["the manifests hold no Node, so they do not show which nodes run"]);
    expect((await read("server-version", { place: "manifests" })).gaps).toEqual(["the manifests do not hold the version of the API server"]);
  });
});

describe("control planes", () => {
  it("are those of each namespace, revision and image; what serves the ingress of AKS is none", async () => {
    const pods = [istiod("a", "istio-system", "x/pilot:1.29.5"), istiod("b", "istio-system", "x/pilot:1.29.5"), istiod("c", "istio-system", "gke.gcr.io/asm/pilot:1.29.4-asm.3", { "istio.io/rev": "asm-1294-3" }), istiod("d", "aks-istio-system", "mcr/pilot:v1.29.5-2", { "istio.io/rev": "asm-1-29" }), istiod("e", "app-routing-system", "mcr/pilot:v1.29.5-2")];
    const { data } = await read("control-planes", { lists: { pods } });
    expect(data.map((each) => ("revision" in each && "flavour" in each ? `${each.flavour} ${each.revision ?? ""}` : "")).toSorted()).toEqual(["aks-addon asm-1-29", "csm-in-cluster asm-1294-3", "istio default"]);
  });

  it("in namespaces that are not listed may be there: that is a gap", async () => {
    const exchange = { lists: { pods: [istiod("a", "shop", "x/pilot:1.29.5")] } };
    const { data, gaps } = await read("control-planes", exchange, new Restricted(exchange));
    expect(data).toHaveLength(1);
    expect(gaps).toEqual(["only one namespace is listed, and a control plane may run in another one"]);
  });

  it("that Google runs are seen where pods may not be listed", async () => {
    const { data, gaps } = await read("control-planes", { forbidden: ["list pods"], lists: { controlplanerevisions: [{ apiVersion: "mesh.cloud.google.com/v1beta1", kind: "ControlPlaneRevision", metadata: { name: "asm-managed", namespace: "istio-system" }, spec: { channel: "REGULAR" } }] } });
    expect(data).toEqual([{ flavour: "csm-managed", namespace: "istio-system", revision: "asm-managed", channel: "regular" }]);
    expect(gaps).toHaveLength(1);
  });
});

describe("add-ons of EKS", () => {
  const pod = (name: string, image: string, namespace = "kube-system", more: object = {}) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, ...more }, spec: { containers: [{ name: "x", image: "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/aws-network-policy-agent:v1.2.3" }, { name: "y", image }] }, status: { phase: "Running" } });
  const ECR = "602401143452.dkr.ecr.eu-west-1.amazonaws.com";

  it("are told by their images in kube-system, each image once", async () => {
    const pods = [pod("a", `${ECR}/amazon-k8s-cni:v1.20.1-eksbuild.3`), pod("b", `${ECR}/amazon-k8s-cni:v1.20.1-eksbuild.3`), pod("c", `${ECR}/eks/kube-proxy:v1.33.3-minimal-eksbuild.4`), pod("d", `${ECR}/eks/coredns:v1`, "shop"), pod("e", `${ECR}/eks/coredns:v2`, "kube-system", { deletionTimestamp: "2026-01-01T00:00:00Z" })];
    expect((await read("add-ons", { lists: { pods } })).data).toEqual([{ name: "kube-proxy", image: `${ECR}/eks/kube-proxy:v1.33.3-minimal-eksbuild.4` }, { name: "vpc-cni", image: `${ECR}/amazon-k8s-cni:v1.20.1-eksbuild.3` }]);
  });

  it("are not known where their namespace is not listed", async () => {
    const exchange = { lists: { pods: [] } };
    expect((await read("add-ons", exchange, new Restricted(exchange))).gaps).toEqual(["`kube-system` is not among the namespaces that are listed"]);
  });
});
