import { describe, expect, it } from "vitest";
import { EVEN, fleet, NOW, shell } from "./shell.ts";

describe("assert doctor, where there is no API server to ask", { timeout: 60_000 }, () => {
  it("a fleet of files needs no permission: 0, and so it says", async () => {
    await using here = await shell(EVEN);
    expect(await here.assert("doctor")).toEqual({
      code: 0,
      stdout: [
        "CLUSTER  REACHED    IDENTITY  STATE",
        "eks      manifests  -         needs no permission",
        "gke      manifests  -         needs no permission",
        "",
        "2 clusters: nothing is missing for these assertions",
        "exit code 0: `assert run` can read all it needs",
        "",
      ].join("\n"),
      stderr: "",
    });
  });

  it("saved looks need none either", async () => {
    await using here = await shell(EVEN);
    await here.assert("collect", "--out", "saved", ...NOW);
    await here.write({ "assert.yaml": fleet({ name: "eks", kubernetes: { snapshot: "saved/eks.json" } }) });
    const { code, stdout } = await here.assert("doctor");
    expect(code).toBe(0);
    expect(stdout).toContain("eks      snapshot  -         needs no permission\n");
  });

  it("a cluster that cannot be reached: 2, with the reason, the way out, and what that means for a run", async () => {
    await using here = await shell({ ...EVEN, "assert.yaml": fleet("eks", { name: "gke" }) });
    const { code, stdout, stderr } = await here.assert("doctor");
    expect([code, stderr]).toEqual([2, ""]);
    expect(stdout).toBe(
      [
        "CLUSTER  REACHED    IDENTITY  STATE",
        "eks      manifests  -         needs no permission",
        "gke      NO         -         nothing can be read",
        "",
        "gke",
        "  ✗ the fleet names no Kubernetes API for `gke`",
        "    help: add `kubernetes:` to `gke` in the fleet file",
        "",
        "2 clusters: 1 ready, 0 with something missing, 1 not reached",
        "exit code 2: what is missing becomes gaps, and the assertions that need it undecided",
        "",
      ].join("\n"),
    );
  });

  it("a folder of manifests that is not there, and one with a broken file, are not ready: a run could not read them either", async () => {
    await using here = await shell({ ...EVEN, "assert.yaml": fleet("eks", "nowhere", "gke"), "clusters/gke/more.yaml": "kind: {" });
    const { code, stdout } = await here.assert("doctor", "-o", "json");
    expect(code).toBe(2);
    const { clusters } = JSON.parse(stdout) as { clusters: { cluster: string; reachable: boolean; problems: { reason: string }[] }[] };
    expect(clusters.map(({ cluster, reachable }) => [cluster, reachable])).toEqual([["eks", true], ["gke", false], ["nowhere", false]]);
    expect(clusters[1]?.problems[0]?.reason).toContain("clusters/gke/more.yaml");
    expect(clusters[2]?.problems[0]?.reason).toContain("clusters/nowhere");
  });

  it("a saved look that was changed stops it, as it stops a run: 3", async () => {
    await using here = await shell({ ...EVEN, "assert.yaml": fleet({ name: "eks", kubernetes: { snapshot: "saved.json" } }), "saved.json": "{}" });
    const { code, stdout, stderr } = await here.assert("doctor");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^error\[snapshot\]: not a snapshot of this version.*\n {2}--> saved\.json:1:1\n/);
  });

  it("says the same as JSON, in a file too, with the same code", async () => {
    await using here = await shell({ ...EVEN, "assert.yaml": fleet("eks", { name: "gke" }) });
    const { code, stdout } = await here.assert("doctor", "-o", "json", "-o", "json=doctor.json");
    expect(code).toBe(2);
    expect(await here.read("doctor.json")).toBe(stdout);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "cloud-assert/doctor/v1",
      clusters: [
        { cluster: "eks", place: "manifests", reachable: true, problems: [] },
        { cluster: "gke", reachable: false, problems: [{ reason: "the fleet names no Kubernetes API for `gke`" }] },
      ],
    });
  });
});
