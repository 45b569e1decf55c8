import { describe, expect, it } from "vitest";
import type { Fact, RoutingObject } from "#engine";
import collector from "../../collectors/kubernetes/collector.ts";
import { drain, FakeCluster, podOf, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

async function routed(lists: NonNullable<Exchange["lists"]>): Promise<readonly RoutingObject[]> {
  const { facts } = await drain(collector.collect(clusterOf("aws"), [{ fact: "routing" }], new FakeCluster({ lists })));
  return (facts as readonly Fact<"routing">[]).map(({ data }) => data).filter((data) => data.type === "object");
}

describe("a gateway's pod", () => {
  const pod = (name: string, config: string, role = "router"): ReturnType<typeof podOf> => podOf(name, { containers: [], args: ["proxy", role], labels: { istio: "ingress" }, container: { env: [{ name: "PROXY_CONFIG", value: config }] } });
  const kept = async (...pods: readonly ReturnType<typeof podOf>[]): Promise<unknown> => (await routed({ pods })).filter(({ kind }) => kind === "Pod").map(({ spec }) => spec);
  const plain = { containers: [{ name: "istio-proxy", args: ["proxy", "router"] }] };
  it("keeps of its proxy's configuration how many proxies it trusts, and nothing else", async () => {
    const secret = '{"proxyMetadata":{"TOKEN":"s3cret"},"gatewayTopology":{"numTrustedProxies":2}}';
    expect(await kept(pod("a", secret))).toEqual([{ containers: [{ ...plain.containers[0], env: [{ name: "PROXY_CONFIG", value: '{"gatewayTopology":{"numTrustedProxies":2}}' }] }] }]);
    expect(await kept(pod("a", "{}"), pod("b", '{"gatewayTopology":{}}'), pod("c", "no JSON"), pod("d", "null"))).toEqual([plain]);
  });
  it("is told apart from one that trusts others, and a sidecar is not", async () => {
    const of = (count: number): string => `{"gatewayTopology":{"numTrustedProxies":${count}}}`;
    expect(await kept(pod("a", of(1)), pod("b", of(2)), pod("c", of(1)))).toHaveLength(2);
    expect(await kept(pod("a", of(1), "sidecar"), pod("b", of(2), "sidecar"))).toHaveLength(1);
  });
});

it("a Service keeps the label with which its ports say nothing of Gateways", async () => {
  const labels = { "experimental.istio.io/disable-gateway-port-translation": "true", app: "x" };
  const services = await routed({ services: [{ apiVersion: "v1", kind: "Service", metadata: { name: "local", namespace: "istio-system", labels }, spec: { ports: [{ port: 80 }] } }] });
  expect(services.map((service) => service.labels)).toEqual([{ "experimental.istio.io/disable-gateway-port-translation": "true" }]);
});
