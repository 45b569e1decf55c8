import { describe, expect, it } from "vitest";
import { runtimeAnswersRequest, type Request } from "#engine";
import kubernetes from "../../collectors/kubernetes/collector.ts";
import { drain, FakeCluster, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

const ASKED = runtimeAnswersRequest({ runtimeClass: "wasm", port: 8080, health: "/healthz", info: "/info" });
const pod = (name: string, nodeName: string, more: { readonly runtimeClassName?: string; readonly ready?: string } = {}) => ({
  apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "edge" },
  spec: { nodeName, runtimeClassName: more.runtimeClassName ?? "wasm" },
  status: { phase: "Running", conditions: [{ type: "Ready", status: more.ready ?? "True" }] },
});
const ANSWERS = { "a:8080/healthz": "ok", "a:8080/info": JSON.stringify({ runtime: "wasmedge", version: "0.14.1", arch: "arm64", token: "s3cret", modules: [] }) };

async function read(exchange: Exchange, request: Request<"runtime-answers"> = ASKED) {
  const io = new FakeCluster({ probes: ["nodes"], ...exchange });
  const { facts, gaps } = await drain(kubernetes.collect(clusterOf("eks"), [request], io));
  return { data: facts.map(({ data }) => data), gaps: gaps.map(({ reason }) => reason), calls: io.calls, facts };
}

describe("runtimes are asked over HTTP", () => {
  it("only where the probe is allowed; a folder of manifests has none", async () => {
    for (const [exchange, words] of [[{ probes: [] }, "the probe `nodes` is not allowed"], [{ probes: ["metrics", "admin"] }, "not allowed"], [{ place: "manifests" }, "does not tell what runtimes answer"]] as const) {
      const { gaps, calls, data } = await read({ lists: { pods: [pod("a", "n1")] }, metrics: ANSWERS, ...exchange });
      expect([data, gaps.length, gaps[0], calls.filter((call) => call.startsWith("podGet"))]).toEqual([[], 1, expect.stringContaining(words), []]);
    }
  });

  it("one ready pod of the class on each node; of what it says only names and versions are kept", async () => {
    const pods = [pod("b", "n1"), pod("a", "n1"), pod("c", "n2", { ready: "False" }), pod("d", "n3", { runtimeClassName: "other" })];
    const { data, calls, facts } = await read({ lists: { pods }, metrics: ANSWERS });
    expect(data).toEqual([{ node: "n1", pod: "edge/a", healthy: true, runtime: "wasmedge", version: "0.14.1", arch: "arm64" }]);
    expect(calls.filter((call) => call.startsWith("podGet"))).toEqual(["podGet a:8080/healthz", "podGet a:8080/info"]);
    expect([facts[0]?.selector, JSON.stringify(facts)]).toEqual([ASKED.selector, expect.not.stringContaining("s3cret")]);
  });

  it("and one that does not answer, or not in plain words, is told as that", async () => {
    const of = async (metrics: Readonly<Record<string, string>>) => (await read({ lists: { pods: [pod("a", "n1")] }, metrics })).data;
    expect(await of({})).toEqual([{ node: "n1", pod: "edge/a", healthy: false, failure: { reason: "nothing answers for `a:8080`", remedy: "look at the pod" } }]);
    for (const info of ["<html>", "[]", JSON.stringify({ runtime: "a b", version: "\u001b[31m", arch: 7 }), JSON.stringify({ runtime: "x".repeat(65) })]) {
      expect(await of({ "a:8080/healthz": "", "a:8080/info": info })).toEqual([{ node: "n1", pod: "edge/a", healthy: true }]);
    }
    expect(await of({ "a:8080/healthz": "" })).toEqual([{ node: "n1", pod: "edge/a", healthy: true }]);
  });

  it("and one that says itself that it does not work, with the status that it gives", async () => {
    const { data } = await read({ lists: { pods: [pod("a", "n1")] }, refused: { "a:8080/healthz": 503 } });
    expect(data).toEqual([{ node: "n1", pod: "edge/a", healthy: false, status: 503, failure: { reason: "the pod answered 503", remedy: "look at the pod" } }]);
  });

  it("at most fifty of them, and nobody without a question", async () => {
    const pods = Array.from({ length: 60 }, (_, index) => pod(`p${index}`, `n${index}`));
    const { data, gaps } = await read({ lists: { pods }, metrics: {} });
    expect([data.length, gaps]).toEqual([50, ["pods of the class `wasm` run on 60 nodes, and at most 50 are asked"]]);
    expect(await read({ lists: { pods }, metrics: {} }, { fact: "runtime-answers" })).toMatchObject({ data: [], gaps: [] });
  });

  it("with the right to the pod proxy, where it is allowed", () => {
    const rights = (probes: readonly "nodes"[]) => (kubernetes.permissions?.(ASKED, probes) ?? []).map(({ verb, resource }) => `${verb} ${resource}`);
    expect([rights([]), rights(["nodes"])]).toEqual([["list pods"], ["list pods", "get pods/proxy"]]);
  });
});
