import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BLIND, EVEN, fleet, NOW, pods, shell, SKEWED, skew, type Shell } from "./shell.ts";

const COLLECT = ["collect", "--out", "saved", ...NOW];
const JUDGE = ["run", "--snapshots", "saved", ...NOW];

/** All files of a folder with their texts. */
async function textsIn(here: Shell, folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(join(here.path, folder))).toSorted();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await here.read(join(folder, name))] as const)));
}

describe("looking now and judging later", { timeout: 60_000 }, () => {
  it.each([
    ["holds", EVEN, 0],
    ["is violated", SKEWED, 1],
    ["is undecided", BLIND, 2],
  ] as const)("a fleet that %s: the saved look gives the report of the live one, byte for byte, in every format", async (_, files, code) => {
    await using here = await shell(files);
    expect(await here.assert(...COLLECT)).toMatchObject({ code: 0, stderr: "" });
    for (const format of ["json", "terminal"]) {
      const live = await here.assert("run", "-v", "-o", format, ...NOW);
      const saved = await here.assert(...JUDGE, "-v", "-o", format);
      expect(live.code).toBe(code);
      expect(saved).toEqual(live);
    }
  });

  it("the saved look needs no cluster and no fleet file: names, labels and clouds are in it", async () => {
    const tiered = { name: "eks", cloud: "aws", region: "eu-west-1", labels: { tier: "prod" }, kubernetes: { manifests: "clusters/eks", complete: true } };
    await using here = await shell({ ...EVEN, "assert.yaml": fleet(tiered, "gke"), "assertions/mesh.yaml": skew("prod", { clusters: { matchLabels: { tier: "prod" }, clouds: ["aws"] } }) });
    await here.assert(...COLLECT);
    const saved = await here.program("sh", ["-c", `rm -r clusters assert.yaml && $ASSERT ${JUDGE.join(" ")} -o json`]).ended;
    expect(saved.code).toBe(0);
    expect(JSON.parse(saved.stdout)).toMatchObject({
      clusters: [{ name: "eks", cloud: "aws", region: "eu-west-1" }, { name: "gke" }],
      results: [{ assertion: "prod", coverage: { clusters: 1, judged: 1 } }],
    });
  });

  it("the same state gives the same bytes, and another state another digest", async () => {
    await using here = await shell(EVEN);
    await here.assert(...COLLECT);
    const first = await textsIn(here, "saved");
    expect(Object.keys(first)).toEqual(["eks.json", "gke.json"]);
    await here.assert(...COLLECT);
    expect(await textsIn(here, "saved")).toEqual(first);

    await here.write({ "clusters/gke/pods.json": pods({ "shop/cart": "1.29.4" }) });
    await here.assert(...COLLECT);
    const second = await textsIn(here, "saved");
    expect(second["eks.json"]).toBe(first["eks.json"]);
    expect(digestIn(second["gke.json"])).not.toBe(digestIn(first["gke.json"]));
  });

  it("the digest covers the state, not when it was looked at nor the order of the files", async () => {
    const both = pods({ "shop/cart": "1.29.5", "shop/old": "1.29.2" });
    await using here = await shell({ ...EVEN, "assert.yaml": fleet("eks"), "clusters/eks/pods.json": both });
    await here.assert("collect", "--out", "saved", "--now", "2026-11-20T09:00:00Z");
    const before = await here.read("saved/eks.json");
    await here.write({ "clusters/eks/pods.json": JSON.stringify({ ...JSON.parse(both), items: (JSON.parse(both) as { items: unknown[] }).items.toReversed() }) });
    await here.assert("collect", "--out", "saved", "--now", "2026-11-21T09:00:00Z");
    const after = await here.read("saved/eks.json");
    expect(digestIn(after)).toBe(digestIn(before));
    expect(after).not.toBe(before);
  });

  it("a table on stdout says what was written where; --quiet leaves it out", async () => {
    await using here = await shell(EVEN);
    const { stdout } = await here.assert(...COLLECT);
    expect(stdout.trimEnd().split("\n").map((line) => line.replace(/[0-9a-f]{12}/, "DIGEST"))).toEqual([
      "eks  2 facts  0 gaps  DIGEST  saved/eks.json",
      "gke  2 facts  0 gaps  DIGEST  saved/gke.json",
    ]);
    expect(stdout).toContain(digestIn(await here.read("saved/eks.json")).slice(0, 12));
    expect(await here.assert(...COLLECT, "--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("a cluster that could not be read is saved too: the gap is the same later", async () => {
    await using here = await shell({ ...EVEN, "assert.yaml": fleet("eks", "nowhere") });
    expect((await here.assert(...COLLECT)).code).toBe(0);
    const live = await here.assert("run", "-o", "json", ...NOW);
    expect(live.code).toBe(2);
    expect(await here.assert(...JUDGE, "-o", "json")).toEqual(live);
  });

  it("names that are no file names become some, and two names never one", async () => {
    const context = "arn:aws:eks:eu-west-1:1:cluster/Prod";
    const place = { manifests: "clusters/eks", complete: true };
    await using here = await shell({ ...EVEN, "assert.yaml": fleet(...[context, context.toLowerCase(), "..", ".hidden"].map((name) => ({ name, kubernetes: place }))) });
    const { code, stderr } = await here.assert(...COLLECT);
    expect([code, stderr]).toEqual([0, ""]);
    expect((await readdir(join(here.path, "saved"))).toSorted()).toEqual(["%2e..json", "%2ehidden.json", "arn%3aaws%3aeks%3aeu-west-1%3a1%3acluster%2f%50rod.json", "arn%3aaws%3aeks%3aeu-west-1%3a1%3acluster%2fprod.json"]);
    const { stdout } = await here.assert(...JUDGE, "-o", "json");
    expect((JSON.parse(stdout) as { clusters: { name: string }[] }).clusters.map(({ name }) => name)).toEqual(["..", ".hidden", context, context.toLowerCase()]);
  });

  it("what the saved look was not asked for is a gap, never an empty list", async () => {
    const plugin = {
      "mine/many-pods/kind.js": "export default { name: 'ManyPods', summary: 's', needs: () => [{ fact: 'envoy-proxies', selector: 'other' }], *judge() { yield { type: 'judged', count: 1 }; } };",
      "mine/many-pods/schema.json": '{"type":"object","additionalProperties":false,"properties":{}}',
      "mine/many-pods/README.md": "# ManyPods\n",
      "other.yaml": skew("other").replace("EnvoyVersionSkew", "ManyPods"),
    };
    await using here = await shell({ ...EVEN, ...plugin });
    await here.assert(...COLLECT);
    const { code, stdout } = await here.assert(...JUDGE, "-o", "json", "--plugin", "mine", "other.yaml");
    expect(code).toBe(2);
    expect((JSON.parse(stdout) as { results: { gaps: { cluster: string; reason: string }[] }[] }).results[0]?.gaps.map(({ cluster, reason }) => `${cluster}: ${reason}`)).toEqual([
      "eks: the snapshot was not asked for `envoy-proxies` in the way this assertion needs it",
      "gke: the snapshot was not asked for `envoy-proxies` in the way this assertion needs it",
    ]);
  });

  it("a cluster of the fleet without a snapshot is a gap, and a snapshot without a cluster of the fleet is not judged", async () => {
    await using here = await shell(EVEN);
    await here.assert(...COLLECT);
    await here.write({ "assert.yaml": fleet("eks", "aks") });
    const { code, stdout } = await here.assert(...JUDGE, "-o", "json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      clusters: [{ name: "aks", reachable: false }, { name: "eks", reachable: true }],
      results: [{ gaps: [{ cluster: "aks", reason: "there is no snapshot of this cluster" }], coverage: { judged: 1 } }],
    });
  });

  it("a cluster of the fleet may be a snapshot, under another name than it was taken", async () => {
    await using here = await shell(SKEWED);
    await here.assert(...COLLECT);
    await here.write({ "assert.yaml": fleet("eks", { name: "gke-then", kubernetes: { snapshot: "saved/gke.json" } }) });
    const { code, stdout } = await here.assert("run", "-o", "json", ...NOW);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as { results: { findings: { subject: string; evidence: { cluster: string }[] }[] }[] }).results[0]?.findings[0]).toMatchObject({
      subject: "gke-then/1.37.2",
      evidence: [{ cluster: "gke-then" }, { cluster: "gke-then" }],
    });
  });
});

describe("a snapshot that cannot be used ends the run with 3, by its own name", { timeout: 60_000 }, () => {
  const COLLECT_AGAIN = "collect it again with `assert collect`";
  const changed = `error[snapshot]: the snapshot was changed after it was written: its digest does not fit\n  --> saved/gke.json:1:1\n  help: ${COLLECT_AGAIN}; snapshots are evidence and cannot be edited\n`;
  const broken = `error[snapshot]: not a snapshot: the file holds no complete JSON object\n  --> saved/gke.json:1:1\n  help: ${COLLECT_AGAIN}\n`;
  const foreign = (named: string) => `error[snapshot]: not a snapshot of this version${named}; this release reads \`cloud-assert/snapshot/v1\`\n  --> saved/gke.json:1:1\n  help: collect it again with this release: \`assert collect\`\n`;

  const rows: readonly (readonly [claim: string, change: (text: string) => string, stderr: string])[] = [
    ["one byte of a fact", (text) => text.replace("proxyv2:1.29.5", "proxyv2:1.29.4"), changed],
    ["one byte of the time, which the digest of the state leaves out", (text) => text.replace("2026-11-20T09", "2026-11-20T08"), changed],
    ["one byte of its digest", (text) => text.replace(/"sha256":"./, (start) => start.slice(0, -1) + (start.endsWith("0") ? "1" : "0")), changed],
    ["one byte of its seal", (text) => text.replace(/"seal":"./, (start) => start.slice(0, -1) + (start.endsWith("0") ? "1" : "0")), changed],
    ["a blank between two words", (text) => text.replace(",", ", "), changed],
    ["a key said twice", (text) => text.replace("{", '{"schema":"cloud-assert/snapshot/v1",'), changed],
    ["a fact taken out", (text) => text.replace(/"facts":\[.*\],"gaps"/, '"facts":[],"gaps"'), changed],
    ["the last byte cut off", (text) => text.trimEnd().slice(0, -1), broken],
    ["nothing", () => "", broken],
    ["a list", () => "[]\n", broken],
    ["text", () => "proxies: none\n", broken],
    ["another version", (text) => text.replace("snapshot/v1", "snapshot/v2"), foreign(" (its schema is `cloud-assert/snapshot/v2`)")],
    ["other JSON", () => '{"apiVersion":"v1","kind":"List"}\n', foreign("")],
    ["a schema that is no text", () => '{"schema":["cloud-assert/snapshot/v1"]}\n', foreign("")],
  ];
  it.each(rows)("%s", async (_, change, stderr) => {
    await using here = await shell(EVEN);
    await here.assert(...COLLECT);
    const text = await here.read("saved/gke.json");
    await here.write({ "saved/gke.json": change(text) });
    expect(await here.read("saved/gke.json")).not.toBe(text);
    expect(await here.assert(...JUDGE)).toEqual({ code: 3, stdout: "", stderr });
  });

  it("two of one cluster", async () => {
    await using here = await shell(EVEN);
    await here.assert(...COLLECT);
    await here.write({ "saved/later.json": await here.read("saved/gke.json") });
    expect(await here.assert(...JUDGE)).toEqual({ code: 3, stdout: "", stderr: "error[cluster-identity]: two snapshots in `saved` are of `gke`; the second is `later.json`\n  help: remove the older of the two\n" });
  });

  it.each([
    ["a folder that is not there", "nowhere", "error[file]: `nowhere` is no folder that can be read\n  help: write snapshots with `assert collect --out DIR`, and name that folder\n"],
    ["a file", "assert.yaml", "error[file]: `assert.yaml` is no folder that can be read\n  help: write snapshots with `assert collect --out DIR`, and name that folder\n"],
    ["a folder without snapshots", "assertions", "error[nothing-to-run]: `assertions` holds no snapshot\n  help: write snapshots with `assert collect --out DIR`\n"],
  ])("%s in place of the folder", async (_, folder, stderr) => {
    await using here = await shell(EVEN);
    expect(await here.assert("run", "--snapshots", folder)).toEqual({ code: 3, stdout: "", stderr });
  });

  it("one that the fleet names and that is not there is told by its name in the file", async () => {
    await using here = await shell({ ...EVEN, "assert.yaml": fleet("eks", { name: "gke", kubernetes: { snapshot: "saved/gke.json" } }) });
    const { code, stdout, stderr } = await here.assert("run");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^error\[file\]: `saved\/gke\.json` does not exist\n {2}help: /);
  });

  it("looking again is no way for saved looks", async () => {
    await using here = await shell(EVEN);
    await here.assert(...COLLECT);
    expect(await here.assert(...JUDGE, "--confirm", "2")).toEqual({ code: 3, stdout: "", stderr: "error[usage]: --confirm looks again at clusters, and --snapshots contacts none\n  help: leave one of the two out\n" });
  });
});

function digestIn(text = ""): string {
  return (JSON.parse(text) as { sha256: string }).sha256;
}
