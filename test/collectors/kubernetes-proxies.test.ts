import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EnvoyProxies, Fact } from "#engine";
import collector from "../../collectors/kubernetes/collector.ts";
import { clusterOf } from "../support/world.ts";
import { drain, FakeCluster, nodeOf, podOf, type Exchange } from "../support/kubernetes.ts";

const aws = clusterOf("aws");
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

async function collect(exchange: Exchange) {
  const io = new FakeCluster(exchange);
  const { facts, gaps } = await drain(collector.collect(aws, [{ fact: "envoy-proxies" }], io));
  return { io, gaps, facts: facts as readonly Fact<"envoy-proxies">[] };
}

async function proxyOf(...pods: readonly ReturnType<typeof podOf>[]): Promise<EnvoyProxies | undefined> {
  const { facts } = await collect({ lists: { pods } });
  expect(facts.length).toBeLessThan(2);
  return facts[0]?.data;
}

type Row = readonly [name: string, pod: ReturnType<typeof podOf>, expected: Partial<EnvoyProxies> | undefined];

function table(rows: readonly Row[]): void {
  for (const [name, pod, expected] of rows) {
    it(name, async () => {
      const found = await proxyOf(pod);
      if (expected === undefined) expect(found).toBeUndefined();
      else expect(found).toMatchObject(expected);
    });
  }
}

describe("a pod with a proxy", () => {
  table([
    ["is a sidecar when the injector made it", podOf("cart-0"), { role: "sidecar", native: false, workload: "Deployment/cart", running: 1 }],
    ["is a native sidecar when it is a restartable init container", podOf("cart-0", { native: true }), { role: "sidecar", native: true, running: 1 }],
    ["is a native sidecar beside one application, where the arguments are its own", podOf("cart-0", { native: true, args: [], metadata: { annotations: {} } }), { role: "sidecar", native: true }],
    ["is none when the init container of that name ends", podOf("cart-0", { native: true, container: { restartPolicy: undefined } }), undefined],
    ["is a gateway when its proxy is a router", podOf("gw-0", { args: ["proxy", "router"], containers: [] }), { role: "gateway" }],
    ["is a waypoint by its arguments", podOf("wp-0", { args: ["proxy", "waypoint"], containers: [] }), { role: "waypoint" }],
    ["is a ztunnel by its arguments", podOf("zt-x", { args: ["proxy", "ztunnel"], containers: [], owner: ["DaemonSet", "ztunnel"] }), { role: "ztunnel", workload: "DaemonSet/ztunnel" }],
    ["is a waypoint by its class where the arguments are its own", podOf("wp-0", { args: [], containers: [], labels: { "gateway.networking.k8s.io/gateway-class-name": "istio-waypoint" } }), { role: "waypoint" }],
    ["is a gateway by its template where the arguments are its own", podOf("gw-0", { args: [], annotations: { "inject.istio.io/templates": "sidecar,gateway" } }), { role: "gateway" }],
    ["is a gateway when Istio manages it for a Gateway object", podOf("gw-0", { args: [], labels: { "gateway.istio.io/managed": "istio.io-gateway-controller" } }), { role: "gateway" }],
    ["is nothing when only the application is there", { ...podOf("cart-0"), spec: { containers: [{ name: "app" }] } }, undefined],
    ["is nothing when the agent serves gRPC without an Envoy", podOf("cart-0", { container: { env: [{ name: "DISABLE_ENVOY", value: "true" }] } }), undefined],
    ["is nothing when it is no pod at all", { metadata: "x", spec: [1], status: null }, undefined],
  ]);
});

describe("the workload of a proxy", () => {
  table([
    ["is the Deployment behind a ReplicaSet", podOf("cart-0", { owner: ["ReplicaSet", "cart-5d4f8"] }), { workload: "Deployment/cart" }],
    ["is the ReplicaSet where no Deployment made it", podOf("cart-0", { owner: ["ReplicaSet", "cart"] }), { workload: "ReplicaSet/cart" }],
    ["is the Rollout behind a ReplicaSet", podOf("c-0", { owner: ["ReplicaSet", "cart-77"], labels: { "rollouts-pod-template-hash": "77" } }), { workload: "Rollout/cart" }],
    ["is one for all runs of a CronJob", podOf("b-0", { owner: ["Job", "backup-29412345"] }), { workload: "Job/backup-*" }],
    ["is the StatefulSet itself", podOf("db-0", { owner: ["StatefulSet", "db"] }), { workload: "StatefulSet/db" }],
    ["is one for all pods made by prefix", podOf("run-8fj2k", { metadata: { ownerReferences: [], generateName: "run-" } }), { workload: "Pod/run-*" }],
    ["is the pod when nothing owns it", podOf("debug", { metadata: { ownerReferences: [] } }), { workload: "Pod/debug" }],
  ]);
});

describe("the revision of a proxy", () => {
  table([
    ["is what the injector wrote", podOf("a-0", { annotations: { "istio.io/rev": "asm-1-29" }, labels: { "istio.io/rev": "prod-stable" } }), { revision: "asm-1-29" }],
    ["is in the injector's status for older ones", podOf("a-0", { annotations: { "sidecar.istio.io/status": '{"revision":"1-18"}' }, labels: { "istio.io/rev": "tag" } }), { revision: "1-18" }],
    ["is the label where nothing else says it", podOf("a-0", { annotations: { "sidecar.istio.io/status": "not json" }, labels: { "istio.io/rev": "canary" } }), { revision: "canary" }],
  ]);
});

describe("the image of a proxy", () => {
  table([
    ["is what the status says, for gateways ask for `auto`", podOf("gw-0", { image: "auto", runs: "docker.io/istio/proxyv2:1.29.2" }), { image: "docker.io/istio/proxyv2:1.29.2" }],
    ["is what was asked for where the status lost the release", podOf("a-0", { image: "istio/proxyv2:1.29.2", runs: digest("a") }), { image: "istio/proxyv2:1.29.2" }],
    ["comes with the digest that runs", podOf("a-0", { imageID: `docker.io/istio/proxyv2@${digest("b")}` }), { imageId: digest("b") }],
  ]);

  it("has no digest while nothing runs", async () => {
    expect(await proxyOf(podOf("a-0", { imageID: "" }))).not.toHaveProperty("imageId");
  });
});

describe("a proxy that does not run now", () => {
  const idle = (reason: string) => ({ running: 0, idle: { failed: 0, finished: 0, terminating: 0, pending: 0, [reason]: 1 } });
  table([
    ["is terminating once it is deleted, although it still runs", podOf("a-0", { metadata: { deletionTimestamp: "2026-11-23T10:00:00Z" } }), idle("terminating")],
    ["has finished when its pod has", podOf("a-0", { phase: "Succeeded", state: { terminated: { exitCode: 0 } } }), idle("finished")],
    ["has failed when its pod has", podOf("a-0", { phase: "Failed", state: { running: {} } }), idle("failed")],
    ["is pending before it starts", podOf("a-0", { phase: "Pending", state: { waiting: { reason: "PodInitializing" } } }), idle("pending")],
    ["is pending without any status", podOf("a-0", { status: {} }), idle("pending")],
    ["has failed while it loops in crashes", podOf("a-0", { status: { phase: "Running", containerStatuses: [{ name: "istio-proxy", state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated: { exitCode: 1 } } }] } }), idle("failed")],
    ["has finished when its container ended well", podOf("a-0", { state: { terminated: { exitCode: 0 } } }), idle("finished")],
    ["runs while the rest of its pod still starts, as native sidecars do", podOf("a-0", { native: true, phase: "Pending" }), { running: 1 }],
    ["runs in a trimmed dump that kept only the phase", podOf("a-0", { status: { phase: "Running" } }), { running: 1 }],
  ]);
});

describe("proxies of many pods", () => {
  it("are one fact for each workload and image, with counts and a running example", async () => {
    const pods = [podOf("cart-c", { phase: "Pending", state: {} }), podOf("cart-b"), podOf("cart-a"), podOf("cart-d", { image: "docker.io/istio/proxyv2:1.29.1" })];
    const { facts } = await collect({ lists: { pods } });
    expect(facts.map(({ data }) => [data.image.split(":")[1], data.running, data.idle.pending, data.example])).toEqual([
      ["1.29.1", 1, 0, "cart-d"],
      ["1.29.2", 2, 1, "cart-a"],
    ]);
    expect(new Set(facts.map(({ subject }) => subject)).size).toBe(2);
    expect(facts[1]?.source).toEqual({ collector: "kubernetes", locator: "/api/v1/namespaces/shop/pods/cart-a" });
  });

  it("are the same facts in whatever order and pages the pods come", async () => {
    const pods = Array.from({ length: 12 }, (_, index) => podOf(`w${index % 4}-${index}`, { image: `istio/proxyv2:1.29.${index % 3}`, phase: index % 5 === 0 ? "Failed" : "Running" }));
    const expected = (await collect({ lists: { pods } })).facts;
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(pods, { minLength: pods.length }), fc.integer({ min: 1, max: 12 }), async (shuffled, size) => {
        const pages = Array.from({ length: Math.ceil(shuffled.length / size) }, (_, page) => shuffled.slice(page * size, (page + 1) * size));
        expect((await collect({ lists: { pods: pages } })).facts).toEqual(expected);
      }),
      { numRuns: 50, verbose: true },
    );
  });

  it("forget what they saw when the list begins anew", async () => {
    const { facts } = await collect({ lists: { pods: [[podOf("cart-a"), podOf("old-a")], [podOf("cart-a")], [podOf("cart-b")]] }, restartsAt: [1] });
    expect(facts.map(({ data }) => [data.workload, data.running])).toEqual([["Deployment/cart", 2]]);
  });
});

describe("pods that a stranger wrote", () => {
  it("never make the collector fail, whatever stands in their fields", async () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom("Running", "istio-proxy", "sidecar"));
    const container = fc.record({ name: fc.constant("istio-proxy"), image: field, args: field, env: field, restartPolicy: field });
    const pod = fc.record({
      metadata: fc.oneof(field, fc.record({ name: fc.constantFrom("a", "__proto__", "constructor"), namespace: field, labels: field, annotations: fc.record({ "sidecar.istio.io/status": field }), ownerReferences: fc.array(fc.oneof(field, fc.record({ kind: field, name: field }))) }, { requiredKeys: ["name"] })),
      spec: fc.oneof(field, fc.record({ containers: fc.array(container, { maxLength: 2 }) }), fc.record({ initContainers: field })),
      status: fc.oneof(field, fc.record({ phase: field, containerStatuses: fc.array(fc.record({ name: fc.constant("istio-proxy"), image: field, imageID: field, state: field })) })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(pod, { maxLength: 4 }), async (pods) => {
        const { facts, gaps } = await collect({ lists: { pods: [pods] } });
        expect(gaps).toEqual([]);
        expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
      }),
      { numRuns: 300, verbose: true },
    );
  });
});

describe("a folder of manifests", () => {
  const rows: readonly (readonly [name: string, lists: Exchange["lists"], reason: RegExp | undefined])[] = [
    ["without pods does not show which proxies run", { nodes: [nodeOf("n", "aws:///x", {})] }, /hold no Pod/],
    ["without nodes and namespaces is no running cluster", { pods: [podOf("a-0")] }, /neither a Node nor a Namespace/],
    ["with pods and nodes is as good as the API server", { pods: [podOf("a-0")], nodes: [nodeOf("n", "aws:///x", {})] }, undefined],
  ];
  for (const [name, lists, reason] of rows) {
    it(name, async () => {
      const { facts, gaps } = await collect({ place: "manifests", ...(lists === undefined ? {} : { lists }) });
      expect(facts).toHaveLength(reason === undefined ? 1 : 0);
      expect(gaps).toMatchObject(reason === undefined ? [] : [{ kind: "envoy-proxies", cluster: "aws", reason: expect.stringMatching(reason), remedy: expect.stringMatching(/kubectl get pods/) }]);
    });
  }
});

const nameless = (name: string, letter: string) => podOf(name, { image: `r.example/proxyv2@${digest(letter)}`, imageID: digest(letter) });
const tagged = (name: string, letter: string) => podOf(name, { imageID: digest(letter) });
const build = (tag: string) => `# TYPE istio_build gauge\nistio_build{component="proxy",tag="${tag}"} 1\n`;
const info = (envoy: string) => JSON.stringify({ version: `abc/${envoy}/Clean/RELEASE/BoringSSL`, node: { metadata: { ISTIO_VERSION: "1.29.2" } } });

async function probed(exchange: Exchange) {
  const { io, facts } = await collect(exchange);
  return { calls: io.calls.filter((call) => call.startsWith("pod")), probes: Object.fromEntries(facts.map(({ data }) => [data.workload.split("/")[1] ?? "", data.probe])) };
}

describe("the probe `metrics`", () => {
  it("is not used where the fleet does not allow it", async () => {
    expect(await probed({ lists: { pods: [nameless("a-0", "a")] } })).toEqual({ calls: [], probes: { a: {} } });
  });

  it("asks one running pod of each image whose tag names no release", async () => {
    const pods = [nameless("a-0", "a"), nameless("b-0", "a"), nameless("b-1", "a"), tagged("c-0", "c"), podOf("zt-0", { args: ["proxy", "ztunnel"], image: "r.example/ztunnel:x" })];
    expect(await probed({ lists: { pods }, probes: ["metrics"], metrics: { "a-0:15020": build("1.29.2") } })).toEqual({
      calls: ["podGet a-0:15020/stats/prometheus?filter=istio_build"],
      probes: { a: { istio: "1.29.2", by: "metrics" }, b: { istio: "1.29.2", by: "metrics" }, c: {}, zt: {} },
    });
  });

  it("is not needed where another tag of the same digest names the release", async () => {
    expect((await probed({ lists: { pods: [nameless("a-0", "a"), tagged("b-0", "a")] }, probes: ["metrics"] })).calls).toEqual([]);
  });

  it("asks nothing of an image of which no pod runs", async () => {
    const pod = podOf("a-0", { image: "r.example/p:x", phase: "Failed" });
    expect((await probed({ lists: { pods: [pod] }, probes: ["metrics"] })).calls).toEqual([]);
  });

  it("turns to Envoy's own port where the agent's tells nothing, or the application says otherwise", async () => {
    const metrics = { "a-0:15020": `${build("1.29.2")}${build("9.9.9")}`, "a-0:15090": build("1.29.2") };
    expect((await probed({ lists: { pods: [nameless("a-0", "a")] }, probes: ["metrics"], metrics })).probes).toEqual({ a: { istio: "1.29.2", by: "metrics" } });
  });

  it("that fails is told with its reason, never thrown", async () => {
    const { probes } = await probed({ lists: { pods: [nameless("a-0", "a")] }, probes: ["metrics"], forbidden: ["get pods/proxy"] });
    expect(probes["a"]).toEqual({ failure: { reason: "`auditor` may not get `pods/proxy`", remedy: 'add { resources: ["pods/proxy"], verbs: ["get"] }' } });
  });

  for (const text of ["", "istio_build{component=\"agent\",tag=\"1.29.2\"} 1\n", "x_istio_build{component=\"proxy\",tag=\"1.29.2\"} 1\n", `istio_build{component="proxy",x="${"y".repeat(2000)}",tag="1.29.2"} 1`]) {
    it(`reads no release out of ${JSON.stringify(text.slice(0, 60))}`, async () => {
      const { probes } = await probed({ lists: { pods: [nameless("a-0", "a")] }, probes: ["metrics"], metrics: { "a-0:15020": text, "a-0:15090": text } });
      expect(probes["a"]?.failure?.reason).toMatch(/does not tell the metric `istio_build`/);
    });
  }
});

describe("the probe `admin`", () => {
  it("asks one pod of every image, for it is the last word on Envoy's number", async () => {
    const pods = [nameless("a-0", "a"), tagged("b-0", "b"), tagged("c-0", "b")];
    expect(await probed({ lists: { pods }, probes: ["admin"], commands: { "a-0": info("1.37.2-dev"), "b-0": info("1.37.3") } })).toEqual({
      calls: ["podExec a-0 istio-proxy pilot-agent request GET server_info", "podExec b-0 istio-proxy pilot-agent request GET server_info"],
      probes: {
        a: { envoy: "1.37.2-dev", istio: "1.29.2", by: "admin" },
        b: { envoy: "1.37.3", istio: "1.29.2", by: "admin" },
        c: { envoy: "1.37.3", istio: "1.29.2", by: "admin" },
      },
    });
  });

  it("gives way to `metrics` where it does not answer and the tag names no release", async () => {
    const pods = [nameless("a-0", "a"), tagged("b-0", "b")];
    const { probes } = await probed({ lists: { pods }, probes: ["admin", "metrics"], metrics: { "a-0:15020": build("1.29.2") } });
    expect(probes).toEqual({ a: { istio: "1.29.2", by: "metrics" }, b: { failure: { reason: "nothing answers for `b-0`", remedy: "look at the pod" } } });
  });

  for (const rubbish of ["", "{", "null", "[]", '{"version":"1.37.2"}', '{"version":7}', "<html>"]) {
    it(`takes ${JSON.stringify(rubbish)} for no answer`, async () => {
      const { probes } = await probed({ lists: { pods: [tagged("a-0", "a")] }, probes: ["admin"], commands: { "a-0": rubbish } });
      expect(probes["a"]).toEqual({ failure: expect.objectContaining({ reason: expect.stringMatching(/^the proxy of `shop\/a-0` does not tell server_info$/) }) });
    });
  }

  it("stops at 64 images and says so for the others", async () => {
    const pods = Array.from({ length: 66 }, (_, index) => podOf(`w${index}-0`, { image: `istio/proxyv2:1.29.${index}` }));
    const commands = Object.fromEntries(pods.map((_, index) => [`w${index}-0`, info("1.37.2")]));
    const { calls, probes } = await probed({ lists: { pods }, probes: ["admin"], commands });
    expect(calls).toHaveLength(64);
    expect(Object.values(probes).filter((probe) => probe.failure?.reason === "66 images would have to be asked, and at most 64 are")).toHaveLength(2);
  });
});

describe("the list of pods, the largest there is", () => {
  const lists = (io: FakeCluster) => io.calls.filter((call) => call === "list pods").length;
  const asked = (fact: "add-ons" | "control-planes" | "envoy-proxies" | "node-agents" | "wasm-loaded", io: FakeCluster) => drain(collector.collect(aws, [{ fact, ...(fact === "wasm-loaded" ? { options: { maxProbes: 1 } } : {}) }], io));

  it("is listed once for all who ask side by side", async () => {
    const io = new FakeCluster({ lists: { pods: [podOf("cart-0")] } });
    const [proxies] = await Promise.all((["envoy-proxies", "add-ons", "control-planes", "node-agents", "wasm-loaded"] as const).map((fact) => asked(fact, io)));
    expect([lists(io), proxies?.facts.length]).toEqual([1, 1]);
  });

  it("is listed again for one who asks later for what nobody kept, and not for one who asks for the same", async () => {
    const io = new FakeCluster({ lists: { pods: [podOf("cart-0")] } });
    await asked("add-ons", io);
    const { facts } = await asked("envoy-proxies", io);
    expect([lists(io), facts.length]).toEqual([2, 1]);
    await asked("envoy-proxies", io);
    expect(lists(io)).toBe(2);
  });
});
