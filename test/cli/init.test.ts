import { readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadAssertions, loadFleet } from "../../cli/load/index.ts";
import { discover } from "../../cli/discover.ts";
import { main } from "../../cli/main.ts";
import { fakeTerminal } from "../support/terminal.ts";
import { pods, shell, type Shell } from "./shell.ts";

/** What one made-up cluster is. */
interface Cluster {
  /** Left out: it serves Istio. */
  readonly istio?: false;
  /** UID of kube-system; left out: its own. */
  readonly uid?: string;
  /** Items of the list of pods; left out: one sidecar. */
  readonly pods?: readonly object[];
  readonly nodes?: readonly object[];
  /** Paths that are refused. */
  readonly forbidden?: readonly string[];
}

const sidecars = (...tags: readonly string[]) => (JSON.parse(pods(Object.fromEntries(tags.map((tag, index) => [`shop/app-${index}`, tag])))) as { items: object[] }).items;

/** The API servers of several clusters behind one port, each below `/NAME`, as far as `init` asks them. */
async function servers(clusters: Readonly<Record<string, Cluster>>): Promise<AsyncDisposable & { readonly url: string }> {
  const group = { kind: "APIGroup", versions: [{ version: "v1" }] };
  const resources = { kind: "APIResourceList", resources: [{ name: "virtualservices" }] };
  const list = (kind: string, items: readonly object[]) => ({ kind, apiVersion: "v1", metadata: {}, items });
  const answer = (name: string, path: string): unknown => {
    const cluster = clusters[name];
    const istio = cluster?.istio !== false;
    const answers: Readonly<Record<string, unknown>> = {
      "/version": { gitVersion: "v1.34.6" },
      "/api/v1/namespaces/kube-system": { kind: "Namespace", apiVersion: "v1", metadata: { name: "kube-system", uid: cluster?.uid ?? `uid-of-${name}` } },
      "/api/v1/pods": list("PodList", cluster?.pods ?? sidecars("1.29.5")),
      "/api/v1/nodes": list("NodeList", cluster?.nodes ?? []),
      ...(istio ? { "/apis/networking.istio.io": group, "/apis/networking.istio.io/v1": resources } : {}),
    };
    return cluster === undefined ? undefined : answers[path];
  };
  const server = createServer((request, response) => {
    const [, name = "", path = ""] = /^\/([^/]+)(\/[^?]*)/.exec(request.url ?? "") ?? [];
    const isForbidden = clusters[name]?.forbidden?.includes(path) === true;
    const body = isForbidden ? undefined : answer(name, path);
    const code = isForbidden ? 403 : body === undefined ? 404 : 200;
    response.writeHead(code, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? { kind: "Status", apiVersion: "v1", status: "Failure", code, reason: code === 403 ? "Forbidden" : "NotFound" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A kubeconfig with one context for each path. */
function kubeconfig(places: Readonly<Record<string, string>>): string {
  const names = Object.keys(places);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: names.map((name) => ({ name, cluster: { server: places[name] } })),
    users: [{ name: "u", user: { token: "t" } }],
    contexts: names.map((name) => ({ name, context: { cluster: name, user: "u" } })),
  });
}

const EC2 = { apiVersion: "v1", kind: "Node", metadata: { name: "n", labels: { "topology.kubernetes.io/region": "eu-west-1", "eks.amazonaws.com/nodegroup": "g" } }, spec: { providerID: "aws:///eu-west-1a/i-0a1b2c3d4e5f6a7b8" } };

async function init(here: Shell, ...words: readonly string[]) {
  const terminal = fakeTerminal({ cwd: here.path });
  return { code: await main(["init", ...words], terminal), ...terminal.said };
}

/** Contexts of these clusters, under their names. */
async function placeWith(clusters: Readonly<Record<string, Cluster>>, files: Readonly<Record<string, string>> = {}, more: Readonly<Record<string, string>> = {}) {
  const running = await servers(clusters);
  const places = Object.fromEntries(Object.keys(clusters).map((name) => [name, `${running.url}/${name}`]));
  const here = await shell({ ".kube/config": kubeconfig({ ...places, ...more }), ...files });
  return {
    here,
    async [Symbol.asyncDispose]() {
      await here[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
    },
  };
}

/** What the loader of a run makes of what was written. */
async function loaded(here: Shell) {
  const options = { cwd: here.path, home: here.path, untrusted: false };
  const [fleet, { assertions }] = await Promise.all([loadFleet("assert.yaml", options), loadAssertions(["assertions"], await discover([]), options)]);
  return { clusters: fleet.clusters.map(({ cluster }) => cluster.name), name: fleet.name, assertions };
}

const DEAD = { dead: "http://127.0.0.1:1/dead" };

describe("assert init", { timeout: 60_000 }, () => {
  it("writes every context that answers and serves Istio; the others are comments with the reason", async () => {
    await using place = await placeWith({ eks: { nodes: [EC2] }, gke: {}, plain: { istio: false } }, {}, DEAD);
    const { here } = place;
    expect(await init(here)).toEqual({ code: 0, stdout: "wrote assert.yaml: 2 clusters, 2 contexts left out as comments with the reason\nwrote assertions/suite.yaml\nnext: assert run\n", stderr: "" });
    const [title, version, kind, , ...lines] = (await here.read("assert.yaml")).split("\n");
    expect([title, version, kind]).toEqual(["# The clusters that must agree.", "apiVersion: cloud-assert/v1", "kind: Fleet"]);
    expect(lines).toEqual([
      "spec:",
      "  clusters:",
      "    - name: eks",
      "      cloud: aws",
      "      region: eu-west-1",
      "      kubernetes: { context: eks }",
      "    - name: gke",
      "      kubernetes: { context: gke }",
      "    # left out: `dead`: the API server `http://127.0.0.1:1/dead` refuses connections",
      "    # left out: `plain`: it answers, and serves no Istio API (`networking.istio.io`)",
      "",
    ]);
    expect(await loaded(here)).toMatchObject({ clusters: ["eks", "gke"], assertions: [{ name: "envoy-patch-skew", kind: "EnvoyVersionSkew", spec: { maxPatchSkew: 1, per: "fleet" } }, { name: "routes-alike", kind: "RoutesEquivalent" }, { name: "wasm-identical", kind: "WasmIdentical" }] });
  });

  it("writes the contexts that are named, whatever they answer, and no others", async () => {
    await using place = await placeWith({ eks: {}, gke: {}, plain: { istio: false } }, {}, DEAD);
    const { here } = place;
    expect((await init(here, "--context", "gke", "--context", "plain", "--context", "dead")).stdout).toMatch(/^wrote assert\.yaml: 3 clusters\n/);
    expect((await here.read("assert.yaml")).split("\n").slice(6)).toEqual([
      "    - name: gke",
      "      kubernetes: { context: gke }",
      "    # when this was written: it answers, and serves no Istio API (`networking.istio.io`)",
      "    - name: plain",
      "      kubernetes: { context: plain }",
      "    # when this was written: the API server `http://127.0.0.1:1/dead` refuses connections",
      "    - name: dead",
      "      kubernetes: { context: dead }",
      "",
    ]);
    expect((await loaded(here)).clusters).toEqual(["gke", "plain", "dead"]);
  });

  it("keeps the kubeconfig that a flag names, relative where it lies below", async () => {
    await using place = await placeWith({ eks: {} });
    const { here } = place;
    await here.write({ "conf/kube.json": await here.read(".kube/config") });
    await init(here, "--kubeconfig", "conf/kube.json");
    expect(await here.read("assert.yaml")).toContain('      kubernetes: { kubeconfig: "conf/kube.json", context: eks }\n');
    await init(here, "--force", "--cluster", `prod=${here.path}/conf/kube.json:eks`);
    expect(await here.read("assert.yaml")).toContain('    - name: prod\n      kubernetes: { kubeconfig: "conf/kube.json", context: eks }\n');
  });

  it("names a cluster once: the second context that leads to it is left out, with the name of the first", async () => {
    await using place = await placeWith({ eks: { uid: "one" }, "eks-again": { uid: "one" }, gke: {} });
    const { here } = place;
    expect((await init(here)).stdout).toContain("2 clusters, 1 context left out");
    expect(await here.read("assert.yaml")).toContain("    # left out: `eks-again`: it is the same cluster as `eks`\n");
    expect((await loaded(here)).clusters).toEqual(["eks", "gke"]);
  });

  it("takes a cluster whose pods it may not list: it answers and serves Istio", async () => {
    await using place = await placeWith({ eks: { forbidden: ["/api/v1/pods", "/api/v1/nodes", "/api/v1/namespaces/kube-system"] } });
    expect((await init(place.here)).code).toBe(0);
    expect((await loaded(place.here)).clusters).toEqual(["eks"]);
    expect(await place.here.read("assertions/suite.yaml")).toContain("# eks: no proxy seen\n");
  });

  it("says above the suite what runs in each cluster", async () => {
    await using place = await placeWith({ eks: { pods: sidecars("1.29.5", "1.29.4") }, gke: { pods: [] } });
    await init(place.here);
    const text = await place.here.read("assertions/suite.yaml");
    expect(text.split("\n").slice(0, 4)).toEqual(["# What applies to every fleet. Found when this was written:", "# eks: 2 sidecars", "# gke: no proxy seen", "apiVersion: cloud-assert/v1"]);
  });

  it("says which probe would tell what an image without a release carries, at the cluster that has one", async () => {
    await using place = await placeWith({ eks: { pods: sidecars("latest") }, gke: {} });
    await init(place.here);
    const text = await place.here.read("assert.yaml");
    expect(text.match(/probes: \[metrics\]/g)).toHaveLength(1);
    expect(text.indexOf("probes: [metrics]")).toBeLessThan(text.indexOf("name: gke"));
    expect((await loaded(place.here)).clusters).toEqual(["eks", "gke"]);
  });

  it("compares a canary with itself where several revisions run, and only there", async () => {
    const canary = sidecars("1.29.5", "1.30.1").map((pod, index) => ({ ...pod, metadata: { ...Reflect.get(pod, "metadata"), annotations: { "istio.io/rev": index === 0 ? "stable" : "canary" } } }));
    await using place = await placeWith({ eks: { pods: canary } });
    await init(place.here);
    expect(await place.here.read("assertions/suite.yaml")).toContain("  # several revisions run (canary, stable): a canary is compared with itself\n  per: revision\n");
    expect((await loaded(place.here)).assertions).toMatchObject([{ spec: { per: "revision", maxPatchSkew: 1 } }]);
    // one cluster has nothing to be compared with
    expect(await place.here.read("assertions/suite.yaml")).toContain("# with a second cluster:\n# apiVersion: cloud-assert/v1\n# kind: RoutesEquivalent\n");
    expect(await place.here.read("assertions/suite.yaml")).toContain("# with a second cluster:\n# apiVersion: cloud-assert/v1\n# kind: WasmIdentical\n");

    await using single = await placeWith({ eks: { pods: canary.slice(1) } });
    await init(single.here);
    expect((await loaded(single.here)).assertions).toMatchObject([{ spec: { per: "fleet" } }]);
  });

  it("writes names that YAML or a terminal could misread so that they are read as they are", async () => {
    const names = ["yes", "1.10", "arn:aws:eks:eu-west-1:1:cluster/prod", "a # b", 'a"b', "a\u0085\u2028b", "null", "- x"];
    await using place = await placeWith({});
    await using running = await servers({ all: {} });
    await place.here.write({ ".kube/config": kubeconfig(Object.fromEntries(names.map((name) => [name, `${running.url}/all`]))) });
    await init(place.here, ...names.flatMap((name) => ["--context", name]));
    expect(await place.here.read("assert.yaml")).not.toMatch(/[\u0085\u2028]/);
    expect((await loaded(place.here)).clusters).toEqual(names);
  });

  it("writes no line that a cluster could have put there", async () => {
    const evil = "x\n    - name: evil";
    await using place = await placeWith({}, { ".kube/config": kubeconfig({ [evil]: "http://127.0.0.1:1", eks: "http://127.0.0.1:1" }) });
    await init(place.here, "--context", "eks", "--context", evil);
    expect((await place.here.read("assert.yaml")).match(/^ {4}- name: .*$/gm)).toEqual(["    - name: eks", '    - name: "x\\n    - name: evil"']);

    // nor in a comment about what was left out
    await using other = await placeWith({ eks: {} }, {}, { [evil]: "http://127.0.0.1:1" });
    await init(other.here);
    const text = await other.here.read("assert.yaml");
    expect(text.match(/^ {4}- name: .*$/gm)).toEqual(["    - name: eks"]);
    expect(text).toContain("    # left out: `x\\x0a    - name: evil`: ");
  });

  it("names the fleet after its folder, as far as a name may be like it", async () => {
    await using place = await placeWith({ eks: {} });
    for (const [folder, name] of [["Mein Netz (prod)", "Mein-Netz-prod"], ["сетка", "fleet"], [".mesh.", "mesh"]] as const) {
      await place.here.write({ [`${folder}/.keep`]: "" });
      const terminal = fakeTerminal({ cwd: join(place.here.path, folder), home: place.here.path });
      expect(await main(["init"], terminal)).toBe(0);
      expect((await loadFleet("assert.yaml", { cwd: terminal.cwd, home: terminal.home, untrusted: false })).name).toBe(name);
    }
  });
});

describe("assert init writes all or nothing", { timeout: 60_000 }, () => {
  it.each(["assert.yaml", "assertions/suite.yaml"])("not over `%s`, unless it is told to", async (file) => {
    await using place = await placeWith({ eks: {} }, { [file]: "mine\n" });
    const { here } = place;
    expect(await init(here)).toEqual({ code: 3, stdout: "", stderr: `error[output]: \`${file}\` is already here\n  help: work in another folder, or overwrite it with --force\n` });
    expect(await here.read(file)).toBe("mine\n");
    expect(await readdir(here.path)).toEqual([".kube", file.split("/")[0]]);

    expect((await init(here, "--force")).code).toBe(0);
    expect((await loaded(here)).clusters).toEqual(["eks"]);
  });

  it("and leaves other files of the folder alone", async () => {
    await using place = await placeWith({ eks: {} }, { "assertions/mine.yaml": "mine\n" });
    expect((await init(place.here)).code).toBe(0);
    expect(await place.here.read("assertions/mine.yaml")).toBe("mine\n");
    expect((await readdir(join(place.here.path, "assertions"))).toSorted()).toEqual(["mine.yaml", "suite.yaml"]);
  });

  it("nothing where no context answers and serves Istio: each reason, and the way out", async () => {
    await using place = await placeWith({ plain: { istio: false } }, {}, DEAD);
    expect(await init(place.here)).toEqual({
      code: 3,
      stdout: "",
      stderr: "error[nothing-to-run]: no context of the kubeconfig answers and serves Istio (`dead`: the API server `http://127.0.0.1:1/dead` refuses connections; `plain`: it answers, and serves no Istio API (`networking.istio.io`))\n  help: name the contexts you want with --context: they are written whatever they answer\n",
    });
    expect(await readdir(place.here.path)).toEqual([".kube"]);
  });

  it("nothing where there is no kubeconfig, or none with a context", async () => {
    await using none = await shell();
    const { code, stderr } = await init(none);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error\[nothing-to-run\]: no kubeconfig: `.*\.kube\/config` does not exist\n {2}help: /);
    await using empty = await shell({ ".kube/config": kubeconfig({}) });
    expect(await init(empty)).toMatchObject({ code: 3, stdout: "", stderr: expect.stringMatching(/^error\[nothing-to-run\]: the kubeconfig holds no context\n {2}help: /) });
    expect(await readdir(empty.path)).toEqual([".kube"]);
  });

  it("nothing where `assertions` is a file, which is said before any cluster is asked", async () => {
    await using here = await shell({ assertions: "mine\n", ".kube/config": kubeconfig(DEAD) });
    expect(await init(here)).toEqual({ code: 3, stdout: "", stderr: "error[output]: `assertions` cannot be a folder: a file is there\n  help: name another place\n" });
  });
});
