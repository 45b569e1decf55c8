import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import type { Fact, Snapshot } from "#engine";
import { post } from "../parts/api.ts";
import { asAdmin, startCluster, type Cluster } from "../parts/cluster.ts";
import { startEnvoy, type Envoy } from "../parts/envoy.ts";
import { nodeWithKubelet, startKubelet, type Kubelet } from "../parts/kubelet.ts";
import { partOf } from "../parts/parts.ts";
import { ownAddress } from "../parts/process.ts";
import { admitReader, bind, untilMay } from "../parts/seed.ts";
import { EKS, ISTIO, namespaceOf, proxyPod } from "../parts/world.ts";
import { asReader, contexts, desk, fleet } from "./assert.ts";
import { onClusters, without } from "./ground.ts";

/** Names no release: only the proxy itself can tell what it is. */
const NAMELESS = "registry.example/mesh/proxy:stable";

/**
 * What is real here: the API server with its pod proxy and its exec, Envoy 1.40.0 with its admin interface and its metrics, the
 * WebSocket, and the roles. What is shaped: no container runs. The pod's address is one of this machine on which that Envoy
 * listens, the kubelet serves Kubernetes' own exec streams but knows the one command `pilot-agent request`, and the gauge
 * `istio_build`, which Istio compiles into its proxy, is appended to Envoy's answer by a filter.
 */
describe("a proxy that is asked what it is", () => {
  let place: { readonly cluster: Cluster; readonly envoy: Envoy; readonly kubelet: Kubelet; readonly address: string } | { readonly lacking: string } | undefined;

  beforeAll(async () => {
    const ground = inject("ground");
    if ("missing" in ground) return;
    const { parts } = ground;
    let address: string;
    try {
      address = await ownAddress();
    } catch {
      place = { lacking: "an address of its own (`ip link add`) needs root" };
      return;
    }
    const [cluster, envoy] = await Promise.all([
      startCluster({ name: "proxies", gitVersion: EKS.gitVersion, binaries: parts }),
      startEnvoy({ binary: parts.envoy, metricsAt: address, istio: ISTIO }),
    ]);
    const kubelet = await startKubelet(parts.kubelet, envoy.admin);
    place = { cluster, envoy, kubelet, address };
    await admitReader(cluster);
    const pods = [0, 1].map((replica) => proxyPod(EKS, { namespace: "shop", workload: "api", replica, role: "sidecar", image: NAMELESS, podIp: address, nodeName: "worker" }));
    await asAdmin(cluster, async (api) => {
      await post(api, [namespaceOf("shop"), nodeWithKubelet("worker", kubelet)]);
      await post(api, pods);
    });
  });

  afterAll(async () => {
    if (place === undefined || "lacking" in place) return;
    const { cluster, envoy, kubelet } = place;
    await cluster.stop();
    await Promise.all([envoy.stop(), kubelet.stop()]);
  });

  function onProxies(claim: string, body: (here: { readonly cluster: Cluster; readonly kubelet: Kubelet; readonly address: string }) => Promise<void>): void {
    onClusters(claim, async (_here, context) => {
      if (place === undefined) throw new Error("the place of this file was not set up");
      if ("lacking" in place) return without(place.lacking, context);
      await body(place);
    });
  }

  onProxies("without a probe: undecided, with the probes that would settle it", async ({ cluster }) => {
    const { run } = await desk({ contexts: asReader(cluster) });
    const { code, result } = await run(...contexts("proxies"));
    expect(code).toBe(2);
    const said = [...result().findings, ...result().gaps].map((each) => `${"message" in each ? each.message : each.reason}; ${each.remedy}`).join("\n");
    expect(said).toContain(NAMELESS);
    expect(said).toContain("allow the probe `metrics` (permission `get` on `pods/proxy`)");
  });

  onProxies("a probe that the role does not allow: undecided, with the permission that is missing", async ({ cluster }) => {
    const { run } = await desk({ contexts: asReader(cluster) });
    for (const [probe, resource] of [["metrics", "pods/proxy"], ["admin", "pods/exec"]] as const) {
      const { code, result } = await run("--probe", probe, ...contexts("proxies"));
      expect(code).toBe(2);
      expect(JSON.stringify(result())).toContain(`\`${resource}\``);
    }
  });

  onProxies("the probe `metrics` reads a real Envoy through the pod proxy of the API server: its Istio release settles the version", async ({ cluster }) => {
    await asAdmin(cluster, (api) => bind(api, "reader", ["cloud-assert-probe-metrics"]));
    await untilMay(cluster, "reader", { verb: "get", resource: "pods/proxy" });
    const { assert, read, run } = await desk({ contexts: asReader(cluster), files: { "assert.yaml": fleet({ name: "eks", kubernetes: { context: "proxies", probes: ["metrics"] } }) } });
    const { code, result } = await run();
    expect([code, result().verdict, result().coverage.judged]).toEqual([0, "holds", 2]);

    expect((await assert("collect", "--out", "snapshots")).code).toBe(0);
    expect(told(await read("snapshots/eks.json"))).toEqual([{ by: "metrics", istio: ISTIO }]);
  });

  onProxies("the probe `nodes` asks what runs behind a runtime class through the pod proxy of the API server", async ({ cluster, address }) => {
    const asked: string[] = [];
    let version = "0.14.1";
    let health = 200;
    const runtime = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.statusCode = request.url === "/healthz" ? health : 200;
      response.end(request.url === "/healthz" ? "" : JSON.stringify({ runtime: "wasmedge", version, token: "s3cret" }));
    });
    await new Promise<void>((resolve) => runtime.listen(0, address, resolve));
    const { port } = runtime.address() as AddressInfo;
    const ready = [{ type: "Ready", status: "True" }];
    await asAdmin(cluster, async (api) => {
      await bind(api, "reader", ["cloud-assert-probe-metrics"]);
      await post(api, [
        { apiVersion: "v1", kind: "Node", metadata: { name: "edge", labels: { edge: "yes" } }, status: { conditions: ready, nodeInfo: { architecture: "arm64", kernelVersion: "6.1.0", kubeletVersion: EKS.gitVersion, machineID: "", systemUUID: "", bootID: "", osImage: "", containerRuntimeVersion: "", kubeProxyVersion: "", operatingSystem: "linux" } } },
        { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "wasm" }, handler: "wasmedge" },
      ]);
      await post(api, [{ apiVersion: "v1", kind: "Pod", metadata: { name: "app", namespace: "shop" }, spec: { nodeName: "edge", runtimeClassName: "wasm", containers: [{ name: "app", image: "registry.example/app:1" }] }, status: { phase: "Running", podIP: address, podIPs: [{ ip: address }], conditions: ready } }]);
    });
    await untilMay(cluster, "reader", { verb: "get", resource: "pods/proxy" });
    const profile = { apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "edge" }, spec: { selector: { labels: { edge: "yes" } }, runtime: { runtimeClass: { name: "wasm" }, http: { port, minVersion: "0.14" } } } };
    const rules = [profile, { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "edge" }, spec: { profile: "edge" } }].map((document) => JSON.stringify(document)).join("\n---\n");
    const { assert, read, run } = await desk({ contexts: asReader(cluster), files: { "edge.yaml": rules } });

    const silent = await run("edge.yaml", ...contexts("proxies"));
    expect([silent.code, asked, JSON.stringify(silent.result().gaps)]).toEqual([2, [], expect.stringContaining("allow the probe `nodes`")]);
    const told = await run("edge.yaml", "--probe", "nodes", ...contexts("proxies"));
    expect([told.code, told.result().verdict, asked]).toEqual([0, "holds", ["/healthz", "/.well-known/wasm-runtime"]]);
    expect(told.result().tables?.[0]?.rows.find(({ head }) => head === "runtime.http")?.cells).toEqual([{ state: "pass", text: "T4 wasmedge 0.14.1 answers" }]);
    expect((await assert("collect", "edge.yaml", "--probe", "nodes", "--out", "snapshots", ...contexts("proxies"))).code).toBe(0);
    expect(await read("snapshots/proxies.json")).not.toContain("s3cret");

    version = "0.13.0";
    const old = await run("edge.yaml", "--probe", "nodes", ...contexts("proxies"));
    expect([old.code, old.result().findings.map(({ subject }) => subject)]).toEqual([1, ["proxies/runtime.http"]]);
    health = 503;
    const sick = await run("edge.yaml", "--probe", "nodes", ...contexts("proxies"));
    expect([sick.code, sick.result().findings.map(({ message }) => message)]).toEqual([1, [expect.stringContaining("503 on /healthz (T4)")]]);
    runtime.closeAllConnections();
    await new Promise((resolve) => runtime.close(resolve));
    const gone = await run("edge.yaml", "--probe", "nodes", ...contexts("proxies"));
    expect([gone.code, gone.result().findings.map(({ outcome }) => outcome)]).toEqual([2, ["undecided"]]);
  });

  onProxies("the probe `admin` asks a real Envoy for its server_info, once for all pods of one image", async ({ cluster, kubelet }) => {
    await asAdmin(cluster, (api) => bind(api, "reader", ["cloud-assert-probe-admin"]));
    await untilMay(cluster, "reader", { verb: "create", resource: "pods/exec" });
    const { assert, read, run } = await desk({ contexts: asReader(cluster) });
    const before = kubelet.log();
    const { code, result } = await run("--probe", "admin", ...contexts("proxies"));
    const asked = kubelet.log().slice(before.length).trim().split("\n");
    expect([code, result().verdict, result().coverage.judged]).toEqual([0, "holds", 2]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('["pilot-agent" "request" "GET" "server_info"]');

    expect((await assert("collect", "--probe", "admin", "--out", "snapshots", ...contexts("proxies"))).code).toBe(0);
    expect(told(await read("snapshots/proxies.json"))).toEqual([{ by: "admin", envoy: partOf("envoy").version }]);
  });
});

/** What the proxies of a snapshot told of themselves. */
function told(snapshot: string): readonly unknown[] {
  const { facts } = JSON.parse(snapshot) as Snapshot;
  return facts.filter((fact): fact is Fact<"envoy-proxies"> => fact.kind === "envoy-proxies").map(({ data }) => data.probe);
}
