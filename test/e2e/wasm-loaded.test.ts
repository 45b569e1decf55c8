import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import type { Snapshot } from "#engine";
import { post, type Manifest } from "../parts/api.ts";
import { asAdmin, startCluster, type Cluster } from "../parts/cluster.ts";
import { postCrds, readCrds } from "../parts/crds.ts";
import { PULL_SECRET, startEnvoy, type Envoy } from "../parts/envoy.ts";
import { nodeWithKubelet, startKubelet, type Kubelet } from "../parts/kubelet.ts";
import { ownAddress, scratchFolder } from "../parts/process.ts";
import { startDistribution, type RunningRegistry } from "../parts/registries.ts";
import { admitReader, bind, untilMay } from "../parts/seed.ts";
import { EKS, namespaceOf, proxyPod } from "../parts/world.ts";
import { layouts, push } from "../support/images.ts";
import { hex, loadableModule } from "../support/wasm.ts";
import { asReader, desk, faultsOf, fleet } from "./assert.ts";
import { onClusters, without } from "./ground.ts";

const module = loadableModule();
const image = layouts.oci(module);

/**
 * What is real here: the API server with its exec and its WasmPlugin, an Envoy that has loaded a module as an extension configuration, its dump, and the
 * registry. What is shaped: no agent runs, so that the test puts the file where the agent keeps it; see `probes.test.ts` for the pod and its kubelet.
 */
describe("what a proxy has loaded", () => {
  interface Place {
    readonly cluster: Cluster;
    readonly envoy: Envoy;
    readonly kubelet: Kubelet;
    readonly registry: RunningRegistry;
  }
  let place: Place | { readonly lacking: string } | undefined;

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
    const [registry, cluster] = await Promise.all([startDistribution(parts.distribution), startCluster({ name: "loaded", gitVersion: EKS.gitVersion, binaries: parts })]);
    await push(registry.url, "wasm/authz", "v1", image);
    const envoy = await startEnvoy({ binary: parts.envoy, modules: { "extensions.istio.io/wasmplugin/shop.authz": await agentFile(registry), "extensions.istio.io/wasmplugin/shop.limits": { failed: "allow" }, "extensions.istio.io/wasmplugin/shop.quota": { failed: "deny" } } });
    const kubelet = await startKubelet(parts.kubelet, envoy.admin);
    place = { cluster, envoy, kubelet, registry };
    await admitReader(cluster);
    const pod = proxyPod(EKS, { namespace: "shop", workload: "api", replica: 0, role: "sidecar", image: "docker.io/istio/proxyv2:1.29.6", podIp: address, nodeName: "worker" });
    await asAdmin(cluster, async (api) => {
      await postCrds(api, (await readCrds()).filter(({ metadata }) => metadata.name === "wasmplugins.extensions.istio.io"));
      await post(api, [namespaceOf("shop"), nodeWithKubelet("worker", kubelet)]);
      await post(api, [pod, ...["authz", "limits"].map((name) => plugin(name, `oci://${registry.host}/wasm/authz:v1`))]);
      await bind(api, "reader", ["cloud-assert-probe-admin"]);
    });
    await untilMay(cluster, "reader", { verb: "create", resource: "pods/exec" });
  });

  afterAll(async () => {
    if (place === undefined || "lacking" in place) return;
    await place.cluster.stop();
    await Promise.all([place.envoy.stop(), place.kubelet.stop(), place.registry.stop()]);
  });

  function onProxy(claim: string, body: (here: Place) => Promise<void>): void {
    onClusters(claim, async (_here, context) => {
      if (place === undefined) throw new Error("the place of this file was not set up");
      if ("lacking" in place) return without(place.lacking, context);
      await body(place);
    });
  }

  async function at({ cluster, registry }: Place, probes: readonly string[], spec: object = { names: ["shop/authz"] }) {
    const declared = { name: "eks", kubernetes: { context: "loaded", probes }, registry: { plainHttp: [registry.host], privateHosts: [registry.host] } };
    return desk({ contexts: asReader(cluster), bare: true, files: { "assert.yaml": fleet(declared), "wasm.yaml": JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "WasmIdentical", metadata: { name: "wasm" }, spec: { loaded: true, ...spec } }) } });
  }

  onProxy("is in its own dump: the image behind the file is found in the registry, and nothing secret of the dump is kept", async (here) => {
    const { assert, read } = await at(here, ["admin"]);
    expect((await assert("collect", "wasm.yaml", "--out", "snapshots")).code).toBe(0);
    const text = await read("snapshots/eks.json");
    expect(text).not.toContain(PULL_SECRET);
    const { facts, gaps } = JSON.parse(text) as Snapshot;
    expect(gaps).toEqual([]);
    const data = (kind: string) => facts.flatMap((fact) => (fact.kind === kind ? [fact.data] : []));
    expect(data("wasm-loaded")).toEqual(expect.arrayContaining([
      { type: "asked", answered: 1, running: 1 },
      { type: "loaded", module: "shop.authz", resource: "extensions.istio.io/wasmplugin/shop.authz", state: { state: "loaded", folder: folderOf(here.registry), checksum: image.digest.slice(7), runtime: "envoy.wasm.runtime.v8" }, proxies: 1, example: expect.stringMatching(/^shop\/api-/) },
    ]));
    expect(data("wasm-images")).toEqual(expect.arrayContaining([expect.objectContaining({ manifestDigest: image.digest, module: expect.objectContaining({ wasmSha256: hex(module), abi: "0.2.1" }) })]));
  });

  onProxy("may be a filter in the place of a module that could not be fetched; and what nothing declares is told", async (here) => {
    const { run } = await at(here, ["admin"], {});
    const { code, result } = await run("wasm.yaml");
    expect([code, faultsOf(result()).map(({ message }) => message)]).toEqual([1, [expect.stringMatching(/^1 proxy in `eks` .* could not fetch `shop\/limits` and has a filter in its place that lets every request pass/)]]);
    const [undeclared, ...others] = result().findings.filter(({ outcome }) => outcome === "undecided");
    expect([undeclared?.message, undeclared?.evidence[0]?.value, others]).toEqual([expect.stringContaining("has the module `shop/quota`, which nothing in `eks` declares"), "an RBAC filter, wasm-default-deny", []]);
  });

  onProxy("is not asked without the probe: a gap names it", async (here) => {
    const { run } = await at(here, []);
    const { code, result } = await run("wasm.yaml");
    expect([code, JSON.stringify(result().gaps)]).toEqual([2, expect.stringContaining("allow the probe `admin`")]);
  });

  onProxy("is another module than the tag names once somebody has moved the tag", async (here) => {
    const { run } = await at(here, ["admin"]);
    // One cluster compares with nobody: undecided, and no fault.
    const before = await run("wasm.yaml");
    expect([before.code, faultsOf(before.result())]).toEqual([2, []]);
    await push(here.registry.url, "wasm/authz", "v1", layouts.oci(loadableModule("2")));
    const after = await run("wasm.yaml");
    expect([after.code, faultsOf(after.result()).map(({ message }) => message).join()]).toEqual([1, expect.stringContaining(`the tag was moved, and the proxies kept the module ${hex(module).slice(0, 12)}`)]);
  });
});

/** The file as Istio's agent names it. */
async function agentFile(registry: RunningRegistry): Promise<string> {
  const folder = path.join(await scratchFolder("agent"), folderOf(registry));
  await mkdir(folder);
  const file = path.join(folder, `${image.digest.slice(7)}.wasm`);
  await writeFile(file, module);
  return file;
}

function folderOf({ host }: RunningRegistry): string {
  return createHash("sha256").update(`oci://${host}/wasm/authz`).digest("hex");
}

function plugin(name: string, url: string): Manifest {
  return { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name, namespace: "shop" }, spec: { url } };
}
