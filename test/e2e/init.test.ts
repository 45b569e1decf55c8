import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { post, remove } from "../parts/api.ts";
import { asAdmin, startCluster, whilePaused } from "../parts/cluster.ts";
import { freePorts } from "../parts/process.ts";
import { EKS, proxyPod } from "../parts/world.ts";
import { asReader, contexts, desk } from "./assert.ts";
import { onClusters } from "./ground.ts";

/** 20 teams with 3 workloads of 10 replicas; 5 waypoints, 3 gateways, 6 nodes with a ztunnel. */
const FOUND = "600 sidecars, 3 gateways, 5 waypoints, 6 ztunnels";

onClusters("every context that answers and serves Istio, with the cloud and region of its nodes; the others with their reason; and what was written runs", async ({ clusters: { eks, gke, aks }, parts }) => {
  const [port = 0] = await freePorts(1);
  const bare = await startCluster({ name: "bare", gitVersion: "v1.34.6", binaries: parts });
  try {
    const { assert, read, run } = await desk({
      bare: true,
      contexts: [
        ...asReader(eks, gke, aks),
        { name: "eks-again", cluster: eks, login: { identity: "reader" } },
        { name: "bare", cluster: bare, login: { identity: "admin" } },
        { name: "down", cluster: { ...eks, url: `https://127.0.0.1:${port}` }, login: { identity: "reader" } },
        { name: "stranger", cluster: gke, login: { user: { token: "wrong" } } },
      ],
    });
    expect(await assert("init")).toEqual({ code: 0, stdout: "wrote assert.yaml: 3 clusters, 4 contexts left out as comments with the reason\nwrote assertions/suite.yaml\nnext: assert run\n", stderr: "" });

    const fleet = await read("assert.yaml");
    const written = [
      ["aks", "azure", "germanywestcentral"],
      ["eks", "aws", "eu-central-1"],
      ["gke", "gcp", "europe-west3"],
    ];
    for (const [name, cloud, region] of written) expect(fleet).toContain(`    - name: ${name}\n      cloud: ${cloud}\n      region: ${region}\n      kubernetes: { context: ${name} }\n`);
    const left = fleet.split("\n").filter((line) => line.startsWith("    # left out: "));
    expect(left.map((line) => line.split("`")[1])).toEqual(["bare", "down", "eks-again", "stranger"]);
    expect(left[0]).toContain("it answers, and serves no Istio API (`networking.istio.io`)");
    expect(left[1]).toContain("refuses connections");
    expect(left[2]).toContain("it is the same cluster as `eks`");
    expect(left[3]).toMatch(/`stranger`: .+/);
    expect(fleet).not.toContain("wrong");
    expect((await read("assertions/suite.yaml")).split("\n").slice(1, 4)).toEqual(["aks", "eks", "gke"].map((name) => `# ${name}: ${FOUND}`));

    const { code, report, result } = await run();
    // The clusters hold waypoints, and no service that is sent through one.
    expect([code, result("routes-alike").verdict]).toEqual([0, "holds"]);
    expect(report.notes).toEqual([]);
    expect(report.clusters.map(({ name, cloud, region }) => [name, cloud, region])).toEqual(written);
    expect(result("envoy-patch-skew")).toMatchObject({ verdict: "holds", coverage: { clusters: 3, judged: 3 * 608 } });
  } finally {
    await bare.stop();
  }
});

onClusters("the contexts that are named, one of them down: both are written, and a run says what is wrong", async ({ clusters: { eks, gke, aks } }) => {
  const [port = 0] = await freePorts(1);
  const down = { ...gke, url: `https://127.0.0.1:${port}` };
  const { assert, read, run } = await desk({ bare: true, contexts: asReader(eks, down, aks) });
  expect(await assert("init", ...contexts("aks", "gke"))).toMatchObject({ code: 0, stderr: "" });

  const fleet = await read("assert.yaml");
  expect(fleet.match(/^ {4}- name: .*$/gm)).toEqual(["    - name: aks", "    - name: gke"]);
  expect(fleet).toMatch(/# when this was written: .*refuses connections\n {4}- name: gke\n/);
  const { code, result } = await run();
  expect(code).toBe(2);
  expect(result("envoy-patch-skew").gaps.map(({ cluster }) => cluster)).toEqual(["gke"]);
});

onClusters("a context that accepts connections and answers nothing costs its own budget, and is left out with that reason", async ({ clusters: { eks, gke } }) => {
  const { assert, read } = await desk({ bare: true, contexts: asReader(eks, gke) });
  expect((await whilePaused(gke, () => assert("init", "--cluster-timeout", "3s"))).code).toBe(0);
  const fleet = await read("assert.yaml");
  expect(fleet.match(/^ {4}- name: .*$/gm)).toEqual(["    - name: eks"]);
  expect(fleet).toContain("    # left out: `gke`: `gke` took longer than its 3s\n");
});

onClusters("two revisions in one cluster: each is compared with itself, and the suite runs", async ({ clusters: { eks } }) => {
  const canary = proxyPod(EKS, { namespace: "team-03", workload: "canary", replica: 0, role: "sidecar", image: EKS.proxyImage("1.30.1") });
  const pod = { ...canary, metadata: { ...canary.metadata, annotations: { "istio.io/rev": "canary" } } };
  const { assert, read, run } = await desk({ bare: true, contexts: asReader(eks) });
  await asAdmin(eks, async (api) => {
    await post(api, [pod]);
    try {
      expect((await assert("init")).code).toBe(0);
      expect(await read("assertions/suite.yaml")).toContain("# several revisions run (canary, default): a canary is compared with itself\n  per: revision\n");
      expect((await run()).code).toBe(0);
    } finally {
      await remove(api, [pod]);
    }
  });
});

onClusters("files that are there stay as they are, until --force; where nothing answers nothing is written", async ({ clusters: { eks } }) => {
  const { assert, read, folder } = await desk({ bare: true, contexts: asReader(eks), files: { "assert.yaml": "mine\n" } });
  const { code, stdout, stderr } = await assert("init");
  expect([code, stdout]).toEqual([3, ""]);
  expect(stderr).toContain("`assert.yaml` is already here");
  expect(stderr).toContain("--force");
  expect(await read("assert.yaml")).toBe("mine\n");
  expect(existsSync(path.join(folder, "assertions"))).toBe(false);
  expect((await assert("init", "--force")).code).toBe(0);
  expect(await read("assert.yaml")).toContain("- name: eks\n");

  await rm(path.join(folder, "assert.yaml"));
  await rm(path.join(folder, "assertions"), { recursive: true });
  const none = await whilePaused(eks, () => assert("init", "--cluster-timeout", "2s"));
  expect([none.code, none.stdout]).toEqual([3, ""]);
  expect(none.stderr).toContain("no context of the kubeconfig answers and serves Istio (`eks`: `eks` took longer than its 2s)");
  expect([existsSync(path.join(folder, "assert.yaml")), existsSync(path.join(folder, "assertions"))]).toEqual([false, false]);
});
