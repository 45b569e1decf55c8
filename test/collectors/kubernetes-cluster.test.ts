import { describe, expect, it } from "vitest";
import type { ClusterFact } from "#engine";
import collector from "../../collectors/kubernetes/collector.ts";
import { drain, FakeCluster, namespaceOf, nodeOf, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

const kubeSystem = namespaceOf("kube-system", "3f1c");
const region = (name: string) => ({ "topology.kubernetes.io/region": name });
const eks = (name: string, more: object = {}) => nodeOf(name, "aws:///eu-west-1a/i-0", { "eks.amazonaws.com/nodegroup": "a", ...region("eu-west-1"), ...more });
const gke = (name: string) => nodeOf(name, "gce://p/z/n", { "cloud.google.com/gke-nodepool": "a", ...region("europe-west1") });
const aks = (name: string) => nodeOf(name, "azure:///subscriptions/s", { "kubernetes.azure.com/agentpool": "a", ...region("westeurope") });

async function collect(exchange: Exchange, nodes = true) {
  const io = new FakeCluster(exchange);
  const { facts, gaps } = await drain(collector.collect(clusterOf("c"), [{ fact: "cluster", options: { nodes } }], io));
  expect(facts).toHaveLength(1);
  return { data: facts[0]?.data as ClusterFact, gaps, calls: io.calls };
}

describe("who a cluster is", () => {
  it("is told by kube-system, the certificate authority and the version; nodes are listed only when asked", async () => {
    const { data, gaps, calls } = await collect({ caSha256: "ab", serverVersion: "v1.33.4", lists: { namespaces: [kubeSystem], nodes: [eks("n")] } }, false);
    expect(data).toEqual({ kubeSystemUid: "3f1c", apiServerCaSha256: "ab", serverVersion: "v1.33.4", signals: [] });
    expect(gaps).toEqual([]);
    expect(calls).toEqual(["get namespaces kube-system"]);
  });

  for (const [permission, missing] of [["get namespaces", "kubeSystemUid"], ["list nodes", "cloud"]] as const) {
    it(`lacks \`${missing}\` without the right to ${permission}, which is a gap beside the fact`, async () => {
      const { data, gaps } = await collect({ serverVersion: "v1.33.4", lists: { namespaces: [kubeSystem], nodes: [eks("n")] }, forbidden: [permission] });
      expect(data).not.toHaveProperty(missing);
      expect(data.serverVersion).toBe("v1.33.4");
      expect(gaps).toMatchObject([{ kind: "cluster", cluster: "c", reason: expect.stringContaining(`may not ${permission.split(" ")[0]}`), remedy: expect.stringContaining(permission.split(" ")[1] ?? "") }]);
    });
  }

  it("is not told by a folder of manifests, but its cloud is", async () => {
    const { data } = await collect({ place: "manifests", lists: { namespaces: [kubeSystem], nodes: [aks("n")] } });
    expect(data).toMatchObject({ cloud: "azure" });
    expect(data).not.toHaveProperty("kubeSystemUid");
  });
});

describe("the cloud of a cluster", () => {
  type Row = readonly [name: string, exchange: Exchange, expected: Pick<ClusterFact, "cloud" | "region" | "flavour">];
  const rows: readonly Row[] = [
    ["is aws where provider and labels agree", { lists: { nodes: [eks("a"), eks("b")] } }, { cloud: "aws", region: "eu-west-1", flavour: "eks" }],
    ["is gcp likewise", { lists: { nodes: [gke("gke-a")] } }, { cloud: "gcp", region: "europe-west1", flavour: "gke" }],
    ["is azure likewise", { lists: { nodes: [aks("a")] } }, { cloud: "azure", region: "westeurope", flavour: "aks" }],
    ["shows an Autopilot by the names of its nodes", { lists: { nodes: [gke("gk3-a"), gke("gk3-b")] } }, { cloud: "gcp", region: "europe-west1", flavour: "gke-autopilot" }],
    ["shows Fargate where all nodes are", { lists: { nodes: [eks("a", { "eks.amazonaws.com/compute-type": "fargate" })] } }, { cloud: "aws", region: "eu-west-1", flavour: "eks-fargate" }],
    ["is unknown by one signal alone", { lists: { nodes: [nodeOf("a", "aws:///x", {})] } }, {}],
    ["is known by one signal of the nodes and the version", { serverVersion: "v1.33.4-eks-1a2b", lists: { nodes: [nodeOf("a", "aws:///x", {})] } }, { cloud: "aws", flavour: "eks" }],
    ["is unknown where the signals differ", { lists: { nodes: [nodeOf("a", "aws:///x", { "cloud.google.com/gke-nodepool": "a" })] } }, {}],
    ["is unknown where the version differs from the nodes", { serverVersion: "v1.33.5-gke.116", lists: { nodes: [eks("a")] } }, { region: "eu-west-1" }],
    ["is unknown on nodes of nobody", { serverVersion: "v1.33.4", lists: { nodes: [nodeOf("a", "kind://docker/x", {})] } }, {}],
    ["has no region where nodes are in several", { lists: { nodes: [eks("a"), eks("b", region("eu-west-2"))] } }, { cloud: "aws", flavour: "eks" }],
    ["is unknown without nodes", { lists: {} }, {}],
  ];
  for (const [name, exchange, expected] of rows) {
    it(name, async () => {
      const { cloud, region: where, flavour } = (await collect(exchange)).data;
      expect({ cloud, region: where, flavour }).toEqual({ cloud: undefined, region: undefined, flavour: undefined, ...expected });
    });
  }

  it("lists each signal once with an example that does not depend on the order of nodes", async () => {
    const nodes = [eks("b"), nodeOf("a", "eks-hybrid:///x", { "eks.amazonaws.com/compute-type": "hybrid" }), gke("g")];
    const { data } = await collect({ lists: { nodes } });
    expect(data.signals.map(({ signal, cloud, example }) => `${signal} ${cloud} ${example}`)).toEqual([
      "labels aws eks.amazonaws.com/compute-type",
      "labels gcp cloud.google.com/gke-nodepool",
      "providerID aws aws://",
      "providerID gcp gce://",
    ]);
    expect((await collect({ lists: { nodes: nodes.toReversed() } })).data).toEqual(data);
  });

  it("forgets nodes when their list begins anew", async () => {
    const { data } = await collect({ lists: { nodes: [[gke("g")], [eks("a")]] }, restartsAt: [1] });
    expect(data.cloud).toBe("aws");
  });
});
