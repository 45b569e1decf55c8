import { expect } from "vitest";
import { post, remove } from "../parts/api.ts";
import { asAdmin, whilePaused } from "../parts/cluster.ts";
import { freePorts } from "../parts/process.ts";
import { AKS, OLDER_ISTIO, proxyPod } from "../parts/world.ts";
import { asReader, clustersOf, contexts, desk, faultsOf, skew } from "./assert.ts";
import { onClusters } from "./ground.ts";

const ALL = contexts("eks", "gke", "aks");
/** 20 teams with 3 workloads of 10 replicas, 5 waypoints, 3 gateways. */
const PROXIES = 20 * 3 * 10 + 5 + 3;

onClusters("three clusters whose proxies run one release: holds, 0, every proxy counted", async ({ clusters }) => {
  const { run } = await desk({ contexts: asReader(clusters.eks, clusters.gke, clusters.aks) });
  const { code, report, result } = await run(...ALL);

  expect(code).toBe(0);
  expect(report.verdict).toBe("holds");
  expect(report.clusters.map(({ name, reachable }) => [name, reachable])).toEqual([["aks", true], ["eks", true], ["gke", true]]);
  expect(new Set(report.clusters.map(({ identity }) => identity.kubeSystemUid)).size).toBe(3);
  expect(result().coverage).toMatchObject({ clusters: 3, judged: 3 * PROXIES });
  expect(result().gaps).toEqual([]);
});

onClusters("the cloud and the region of each cluster are what its nodes say, where an assertion selects by clouds", async ({ clusters }) => {
  const { run } = await desk({ contexts: asReader(clusters.eks, clusters.gke, clusters.aks), files: { "clouds.yaml": skew("clouds", { clusters: { clouds: ["aws", "gcp"] } }) } });
  const { code, report, result } = await run("clouds.yaml", ...ALL);

  expect(code).toBe(0);
  expect(report.clusters.map(({ name, cloud, region }) => [name, cloud, region])).toEqual([
    ["aks", "azure", "germanywestcentral"],
    ["eks", "aws", "eu-central-1"],
    ["gke", "gcp", "europe-west3"],
  ]);
  expect(result().coverage).toMatchObject({ clusters: 2, judged: 2 * PROXIES });
});

onClusters("a workload that lags four patches in one cluster: violated, 1, cluster, versions and workload named", async ({ clusters }) => {
  const lagging = proxyPod(AKS, { namespace: "team-03", workload: "legacy", replica: 0, role: "sidecar", image: AKS.proxyImage(OLDER_ISTIO) });
  const { run } = await desk({ contexts: asReader(clusters.eks, clusters.gke, clusters.aks) });

  await asAdmin(clusters.aks, async (api) => {
    await post(api, [lagging]);
    try {
      const { code, result } = await run(...ALL);
      const faults = faultsOf(result());

      expect(code).toBe(1);
      expect(faults).toHaveLength(1);
      expect(faults[0]?.subject).toContain("aks");
      expect(faults[0]?.message).toContain("4 patch releases behind");
      expect(faults[0]?.message).toContain("1.37.2");
      expect(faults[0]?.message).toContain("1.37.6");
      expect(faults[0]?.remedy).toContain("legacy");
      expect(faults[0]?.remedy).toContain("team-03");
      expect(faults[0]?.evidence.some(({ cluster }) => cluster === "aks")).toBe(true);
    } finally {
      await remove(api, [lagging]);
    }
  });
});

onClusters("what one assertion minds another allows: each has its own verdict, and the worst decides", async ({ clusters }) => {
  const lagging = proxyPod(AKS, { namespace: "team-03", workload: "legacy", replica: 0, role: "sidecar", image: AKS.proxyImage(OLDER_ISTIO) });
  const files = { "mesh.yaml": `${skew("strict", { maxPatchSkew: 1 })}---\n${skew("lax", { maxPatchSkew: 4 })}---\n${skew("gateways", { components: ["gateway"], maxPatchSkew: 0 })}` };
  const { run } = await desk({ contexts: asReader(clusters.eks, clusters.gke, clusters.aks), files });

  await asAdmin(clusters.aks, async (api) => {
    await post(api, [lagging]);
    try {
      const { code, result, report } = await run("mesh.yaml", ...ALL);
      expect(code).toBe(1);
      expect(report.summary).toEqual({ holds: 2, violated: 1, undecided: 0 });
      expect([result("strict").verdict, result("lax").verdict, result("gateways").verdict]).toEqual(["violated", "holds", "holds"]);
    } finally {
      await remove(api, [lagging]);
    }
  });
});

onClusters("one cluster is down: 2 with a gap that names it, the others are judged", async ({ clusters }) => {
  const [port = 0] = await freePorts(1);
  const down = { ...clusters.gke, url: `https://127.0.0.1:${port}` };
  const { run } = await desk({ contexts: asReader(clusters.eks, down, clusters.aks) });
  const { code, report, result } = await run(...ALL);

  expect(code).toBe(2);
  expect(report.clusters.map(({ name, reachable }) => [name, reachable])).toEqual([["aks", true], ["eks", true], ["gke", false]]);
  expect(clustersOf(result().gaps)).toEqual(["gke"]);
  expect(result().gaps[0]?.reason).toContain("refuses connections");
  expect(result().coverage).toMatchObject({ judged: 2 * PROXIES });
});

onClusters("one cluster is down and another one skewed: what is seen to be wrong decides, 1", async ({ clusters }) => {
  const [port = 0] = await freePorts(1);
  const down = { ...clusters.gke, url: `https://127.0.0.1:${port}` };
  const lagging = proxyPod(AKS, { namespace: "team-03", workload: "legacy", replica: 0, role: "sidecar", image: AKS.proxyImage(OLDER_ISTIO) });
  const { run } = await desk({ contexts: asReader(clusters.eks, down, clusters.aks) });

  await asAdmin(clusters.aks, async (api) => {
    await post(api, [lagging]);
    try {
      const { code, result } = await run(...ALL);
      expect(code).toBe(1);
      expect(clustersOf(result().gaps)).toEqual(["gke"]);
    } finally {
      await remove(api, [lagging]);
    }
  });
});

onClusters("one cluster accepts connections and answers nothing: its budget ends, the others are judged", async ({ clusters }) => {
  const { run } = await desk({ contexts: asReader(clusters.eks, clusters.gke, clusters.aks) });
  const { code, report, result } = await whilePaused(clusters.eks, () => run("--cluster-timeout", "4s", ...ALL));

  expect(code).toBe(2);
  expect(report.clusters.filter(({ reachable }) => !reachable).map(({ name }) => name)).toEqual(["eks"]);
  expect(clustersOf(result().gaps)).toEqual(["eks"]);
  expect(result().gaps[0]?.reason).toContain("4s");
  expect(result().gaps[0]?.remedy).toContain("--cluster-timeout");
  expect(result().coverage).toMatchObject({ judged: 2 * PROXIES });
});
