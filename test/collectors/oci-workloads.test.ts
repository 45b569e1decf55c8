import { expect, it } from "vitest";
import { wasmWorkloadsRequest, type Fact, type NodePods } from "#engine";
import oci from "../../collectors/oci/collector.ts";
import { drain, FakeCluster } from "../support/kubernetes.ts";
import { h, module as declared } from "../support/wasm-facts.ts";
import { clusterOf } from "../support/world.ts";

const D = `sha256:${h("a")}`;
const BY_DIGEST = `oci://registry.example/signer@${D}`;
const pods = (images: NodePods["images"]): Fact<"node-agents"> => ({
  type: "fact", kind: "node-agents", cluster: "eks", subject: "pods", data: { type: "class-pods", name: "wasm", runningOn: ["n1"], failingOn: [], images }, source: { collector: "kubernetes", locator: "/api/v1/pods" },
});

it("images of one repository are read for whoever loads them, each once; other repositories and what no kubelet reports are not asked for", async () => {
  const seen = [{ image: "registry.example/signer:1", imageId: D, ready: 1, notReady: 0 }, { image: "registry.example/signer:2", ready: 1, notReady: 0 }, { image: "registry.example/other:1", imageId: D, ready: 1, notReady: 0 }];
  const earlier = [pods(seen), declared("eks", "shop/signer", BY_DIGEST), declared("eks", "shop/tagged", "oci://registry.example/signer:3"), declared("eks", "shop/other", "oci://registry.example/other:1")];
  const io = new FakeCluster({ earlier, modules: [{ reference: BY_DIGEST, topDigest: D, manifestDigest: D }] });
  const { facts } = await drain(oci.collect(clusterOf("eks"), [wasmWorkloadsRequest("registry.example/signer")], io));
  expect(facts.map(({ subject, data }) => [subject, "readAs" in data ? data.readAs : undefined])).toEqual([
    ["oci://registry.example/signer:3 (proxy)", "proxy"],
    [`${BY_DIGEST} (proxy)`, "proxy"],
    [`${BY_DIGEST} (runtime)`, "runtime"],
  ]);
  expect(io.calls.toSorted()).toEqual(["resolve oci://registry.example/signer:3", `resolve ${BY_DIGEST}`, `resolve ${BY_DIGEST} as a runtime`]);
});
