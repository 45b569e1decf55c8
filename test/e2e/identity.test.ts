import { expect } from "vitest";
import { asReader, contexts, desk, fleet, skew } from "./assert.ts";
import { onClusters } from "./ground.ts";

const OTHER_UID = "3f0d2c9e-6b1a-4f57-9a52-0d6f6a1f4c11";

onClusters("two contexts that lead to one cluster: could not run, 3, both named, no report", async ({ clusters: { eks, gke } }) => {
  const { assert } = await desk({ contexts: [...asReader(eks, gke), { name: "eks-again", cluster: eks, login: { identity: "reader" } }] });
  const { code, stdout, stderr } = await assert("run", "-o", "json", ...contexts("eks", "gke", "eks-again"));

  expect(code).toBe(3);
  expect(stdout).toBe("");
  expect(stderr).toContain("`eks` and `eks-again` are the same cluster");
});

onClusters("a cluster that is another one than the fleet pins: could not run, 3, both UIDs named", async ({ clusters: { eks, gke } }) => {
  const clusters = (uid: string) => fleet(
    { name: "eks", kubernetes: { context: "eks" }, identity: { kubeSystemUid: uid } },
    { name: "gke", kubernetes: { context: "gke" } },
  );
  const { assert, run, write } = await desk({ contexts: asReader(eks, gke), files: { "assert.yaml": clusters(OTHER_UID) } });
  const { code, stdout, stderr } = await assert("run", "-o", "json");
  expect([code, stdout]).toEqual([3, ""]);
  expect(stderr).toContain(OTHER_UID);

  const { report } = await run(...contexts("eks"));
  const uid = report.clusters[0]?.identity.kubeSystemUid ?? "";
  expect(stderr).toContain(uid);
  await write("assert.yaml", clusters(uid));
  expect((await run()).code).toBe(0);
});

onClusters("a declared cloud that two signals of the nodes contradict: could not run, 3, with what the nodes say", async ({ clusters: { eks } }) => {
  const { assert } = await desk({
    contexts: asReader(eks),
    files: { "assert.yaml": fleet({ name: "eks", cloud: "gcp", kubernetes: { context: "eks" } }), "clouds.yaml": skew("clouds", { clusters: { clouds: ["gcp"] } }) },
  });
  const { code, stdout, stderr } = await assert("run", "-o", "json", "clouds.yaml");

  expect([code, stdout]).toEqual([3, ""]);
  expect(stderr).toContain("declared to run on `gcp`, but its nodes say `aws`");
  expect(stderr).toContain("aws://");
});

onClusters("an unknown context: a gap with the contexts that are there, the other cluster is judged", async ({ clusters: { eks, gke } }) => {
  const { run } = await desk({ contexts: asReader(eks, gke) });
  const { code, result } = await run(...contexts("eks-prod", "gke"));

  expect(code).toBe(2);
  expect(result().gaps.map(({ cluster }) => cluster)).toEqual(["eks-prod"]);
  expect(result().gaps[0]?.reason).toContain("`eks-prod`");
  expect(`${result().gaps[0]?.reason}; ${result().gaps[0]?.remedy}`).toContain("`eks`");
});
