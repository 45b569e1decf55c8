import { describe, expect, it } from "vitest";
import type { Fact, Gap } from "#engine";
import { compareWorlds, envoyWorld } from "#routes";
import { keptOf } from "../../collectors/kubernetes/readers/loaded-dump.ts";
import { readLoadedRoutes } from "../../collectors/kubernetes/readers/loaded-routes.ts";
import { drain, FakeCluster, podOf, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

const any = (type: string): string => `type.googleapis.com/${type}`;
const filter = (name: string, more: object = {}): object => ({ name, typed_config: { "@type": any(`envoy.extensions.filters.http.${name}`), ...more } });
const SECRET = "canary-that-nobody-may-see";

interface Parts {
  readonly cluster?: string;
  readonly id?: string;
  /** Stands wherever a dump may hold something that is nobody's business. */
  readonly secret?: string;
}

/** The dump of a gateway's Envoy. */
function dump({ cluster = "outbound|80||cart.shop.svc.cluster.local", id = "gw-1", secret = SECRET }: Parts = {}): object {
  const tls = { name: "tls", typed_config: { "@type": any("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"), common_tls_context: { tls_certificates: [{ private_key: { inline_string: secret } }] } } };
  const manager = {
    "@type": any("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"), normalize_path: true, access_log: [{ path: secret }], tracing: { custom_tags: [secret] }, rds: { route_config_name: "http.8080", config_source: { token: secret } }, later_field: { secret },
    http_filters: [filter("lua.v3.Lua", { default_source_code: { inline_string: secret } }), filter("jwt_authn.v3.JwtAuthentication", { providers: { p: { local_jwks: { inline_string: secret } } } }), filter("cors.v3.Cors"), filter("fault.v3.HTTPFault"), filter("router.v3.Router")],
  };
  const table = {
    name: "http.8080",
    virtual_hosts: [{
      name: "shop.example:80", domains: ["shop.example"], metadata: { secret },
      routes: [{
        match: { prefix: "/" }, route: { cluster, timeout: "0s", inline_cluster_specifier_plugin: { secret } }, metadata: { filter_metadata: { istio: { config: "/apis/x" }, other: { secret } } }, decorator: { operation: secret },
        typed_per_filter_config: { "lua.v3.Lua": { "@type": any("envoy.extensions.filters.http.lua.v3.LuaPerRoute"), source_code: { inline_string: secret } } },
      }],
    }],
  };
  return {
    configs: [
      { "@type": any("envoy.admin.v3.BootstrapConfigDump"), bootstrap: { node: { id: `router~10.1.0.1~${id}.ingress~ingress.svc.cluster.local`, metadata: { NAMESPACE: "ingress", LABELS: { istio: "ingress" }, TOKEN: secret, INSTANCE_IPS: "10.1.0.1" }, user_agent_build_version: { version: { major_number: 1, minor_number: 37, patch: 2 } } }, admin: { secret } } },
      { "@type": any("envoy.admin.v3.ClustersConfigDump"), dynamic_active_clusters: [{ last_updated: "now", cluster: { name: cluster, transport_socket: tls } }] },
      { "@type": any("envoy.admin.v3.ListenersConfigDump"), dynamic_listeners: [{ active_state: { version_info: "7", listener: { name: "0.0.0.0_8080", address: { socket_address: { address: "0.0.0.0", port_value: 8080 } }, traffic_direction: "OUTBOUND", metadata: { secret }, filter_chains: [{ filters: [{ name: "http", typed_config: manager }], transport_socket: tls }] } } }, { name: "broken", error_state: { details: secret, failed_configuration: { secret } } }] },
      { "@type": any("envoy.admin.v3.RoutesConfigDump"), dynamic_route_configs: [{ route_config: table }] },
      { "@type": any("envoy.admin.v3.SecretsConfigDump"), dynamic_active_secrets: [{ name: "c", secret: { generic_secret: { secret } } }] },
    ],
  };
}

const gateway = (name: string, more: Parameters<typeof podOf>[1] = {}): ReturnType<typeof podOf> => podOf(name, { namespace: "ingress", args: ["proxy", "router"], labels: { istio: "ingress", "pod-template-hash": "5d4f8" }, owner: ["ReplicaSet", "gw-5d4f8"], ...more });

async function read(exchange: Exchange, options?: { readonly maxProbes: number }): Promise<{ readonly facts: readonly Fact[]; readonly gaps: readonly Gap[]; readonly calls: readonly string[] }> {
  const io = new FakeCluster({ probes: ["admin"], ...exchange });
  return { ...(await drain(readLoadedRoutes(clusterOf("eks"), options === undefined ? {} : { options }, io))), calls: io.calls };
}

describe("what proxies have loaded", () => {
  it("is kept without a word that is nobody's business, and means the same", () => {
    const kept = keptOf(dump(), "Deployment/gw");
    expect(JSON.stringify(dump())).toContain(SECRET);
    expect(JSON.stringify(kept)).not.toContain(SECRET);
    const worlds = [dump(), kept].map((one, index) => envoyWorld({ place: `${index}`, dump: one }));
    expect(worlds[1]?.views.map(({ view, listen }) => [view, listen])).toEqual([[{ gateway: "ingress/gw", port: 8080, tls: true }, 8080]]);
    expect(worlds[1]?.proxy).toMatchObject({ role: "gateway", namespace: "ingress", envoy: "1.37.2" });
    expect(worlds[1]?.assumptions).toEqual(worlds[0]?.assumptions);
  });

  it("of the same configuration with another secret differs by digests, so that filters are told apart", () => {
    const worlds = [SECRET, SECRET, "another"].map((secret, index) => envoyWorld({ place: `${index}`, dump: keptOf(dump({ secret }), "Deployment/gw") }));
    const outcomes = [[0, 1], [0, 2]].map((pair) => compareWorlds(pair.flatMap((index) => worlds[index] ?? [])).outcome);
    expect(outcomes).toEqual(["equivalent", "undecided"]);
  });

  it("is one fact for all pods of a workload that have loaded the same, with one of them by name", async () => {
    const { facts, gaps } = await read({ lists: { pods: ["gw-b", "gw-a", "gw-c"].map((name) => gateway(name)) }, commands: { "gw-a": JSON.stringify(dump({ id: "gw-a" })), "gw-b": JSON.stringify(dump({ id: "gw-b" })), "gw-c": JSON.stringify(dump({ cluster: "outbound|80||web.shop.svc.cluster.local" })) } });
    expect(gaps).toEqual([]);
    expect(facts.map(({ subject, data }) => [subject, data])).toMatchObject([
      ["ingress/Deployment/gw gateway", { pods: 2, example: "gw-a", labels: { istio: "ingress" }, role: "gateway", namespace: "ingress", workload: "Deployment/gw" }],
      ["ingress/Deployment/gw gateway 2", { pods: 1, example: "gw-c" }],
    ]);
  });

  const pods = ["a-1", "a-2", "b-1"].map((name) => podOf(name, { namespace: "shop" }));
  const answers = Object.fromEntries(["a-1", "a-2", "b-1"].map((name) => [name, JSON.stringify(dump())]));
  const rows: readonly (readonly [claim: string, exchange: Exchange, options: { readonly maxProbes: number } | undefined, facts: number, gaps: readonly string[]])[] = [
    ["without the probe nobody is asked", { lists: { pods }, probes: [] }, undefined, 0, ["what proxies have loaded was not asked: the probe `admin` is not allowed"]],
    ["a folder cannot tell", { place: "manifests", lists: { pods } }, undefined, 0, ["a folder of manifests does not tell what proxies have loaded"]],
    ["a right that lacks is told once", { lists: { pods }, commands: answers, forbidden: ["create pods/exec"] }, undefined, 0, ["`auditor` may not create `pods/exec`"]],
    ["a proxy that does not answer is a gap, and the others are there", { lists: { pods }, commands: { ...answers, "a-2": "no JSON" } }, undefined, 2, ["the proxy of `shop/a-2` does not tell what it has loaded"]],
    ["what is beyond the limit is one gap with its number, and every workload is asked first", { lists: { pods }, commands: answers }, { maxProbes: 2 }, 2, ["3 proxies run and at most 2 are asked: 1 were not"]],
    ["a cluster without proxies has none", { lists: { pods: [] } }, undefined, 0, []],
    ["proxies that do not run are not asked", { lists: { pods: [podOf("a-1", { namespace: "shop", phase: "Failed" })] } }, undefined, 0, []],
  ];
  it.each(rows)("%s", async (_, exchange, options, facts, gaps) => {
    const found = await read(exchange, options);
    expect([found.facts.length, found.gaps.map(({ reason }) => reason)]).toEqual([facts, gaps]);
    expect(found.gaps.every(({ kind, cluster }) => kind === "loaded-routes" && cluster === "eks")).toBe(true);
  });

  it("is asked through `pilot-agent request GET config_dump` in the proxy's container", async () => {
    const { calls } = await read({ lists: { pods: [gateway("gw-a")] }, commands: { "gw-a": JSON.stringify(dump()) } });
    expect(calls.filter((call) => call.startsWith("podExec"))).toEqual(["podExec gw-a istio-proxy pilot-agent request GET config_dump"]);
  });
});
