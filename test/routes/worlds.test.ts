import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asDeclared, compareWorlds, envoyWorld, istioWorld } from "#routes";
import { worldIn } from "./dialects/istio/world.ts";

const room = join(import.meta.dirname, "../../fixtures/routes");

const pod = { object: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "a", labels: {} }, spec: { containers: [{ name: "istio-proxy", args: ["proxy", "sidecar"] }] }, status: { phase: "Running" } } };
const service = (name: string, namespace: string) => ({ object: { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { clusterIP: "10.0.0.1", ports: [{ name: "http", port: 80 }] } } });
const virtual = (namespace: string, to: string) => ({ object: { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name: "v", namespace, creationTimestamp: "2026-01-01T00:00:00Z" }, spec: { hosts: ["x.a.svc.cluster.local"], exportTo: ["."], http: [{ route: [{ destination: { host: to } }] }] } } });
const place = (name: string, isSeen: boolean, to: string) => istioWorld({ place: name, objects: [service("x", "a"), service("y", "a"), service("z", "b"), virtual("a", to), ...(isSeen ? [pod] : [])], complete: false, istio: "1.31.0", envoy: "1.40.0" });

describe("clients in the mesh", () => {
  it("that one place knows are those that are compared, where another was only taken to have some", () => {
    const { outcome, differences, undecided, assumptions } = compareWorlds([place("known", true, "x"), place("assumed", false, "x")]);
    expect([outcome, differences, undecided]).toEqual(["equivalent", [], []]);
    expect(assumptions.map(({ text }) => text)).toContain("which clients `assumed` has is not known: those of the other places are looked at");
  });

  it("and where such a client is answered otherwise, the places differ", () => {
    const { outcome, differences } = compareWorlds([place("known", true, "x"), place("assumed", false, "y")]);
    expect([outcome, differences.map(({ view, missing }) => ["mesh" in view && view.namespace, missing])]).toEqual(["different", [["a", []]]]);
  });

  it("that one proxy is are not taken to be there: a port that it has not loaded is a difference", () => {
    const proxy = { role: "sidecar" as const, namespace: "a", labels: {} };
    const declared = istioWorld({ place: "declared", objects: [service("x", "a"), virtual("a", "x")], complete: false, istio: "1.31.0", envoy: "1.40.0", proxy, asLoaded: true });
    const passthrough = { name: "virtualOutbound", use_original_dst: true, address: { socket_address: { address: "0.0.0.0", port_value: 15_001 } }, filter_chains: [{ filters: [{ name: "tcp", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", cluster: "PassthroughCluster" } }] }] };
    const loaded = asDeclared(envoyWorld({ place: "loaded", dump: [passthrough], envoy: "1.40.0" }), declared);
    expect(declared.views.map(({ view }) => view.port)).toEqual([80]);
    expect(compareWorlds([declared, loaded]).outcome).toBe("different");
  });

  it("that only places without pods may have are compared between those places", () => {
    const inB = (name: string, to: string) => istioWorld({ place: name, objects: [service("x", "a"), service("y", "a"), service("z", "b"), virtual("b", to)], complete: false, istio: "1.31.0", envoy: "1.40.0" });
    const known = istioWorld({ place: "known", objects: [service("x", "a"), service("y", "a"), service("z", "b"), pod], complete: false, istio: "1.31.0", envoy: "1.40.0" });
    const { outcome, differences } = compareWorlds([known, inB("one", "x.a.svc.cluster.local"), inB("other", "y.a.svc.cluster.local")]);
    expect([outcome, differences.map(({ view, answers }) => ["mesh" in view && view.namespace, answers.map(({ place: of }) => of)])]).toEqual(["different", [["b", ["one", "other"]]]]);
    expect(compareWorlds([known, inB("one", "x.a.svc.cluster.local"), inB("other", "x.a.svc.cluster.local")]).outcome).toBe("equivalent");
  });

  it("that every place was taken to have are compared", () => {
    expect(compareWorlds([place("one", false, "x"), place("other", false, "y")]).outcome).toBe("different");
  });
});

describe("compareWorlds", () => {
  for (const name of readdirSync(room)) {
    const expected: { readonly trap: string; readonly verdict: string } = JSON.parse(readFileSync(join(room, name, "expected.json"), "utf8"));
    it(`${expected.trap}: ${name.replaceAll("-", " ")}`, () => {
      const { outcome, undecided } = compareWorlds(["left.yaml", "right.yaml"].map((file) => worldIn(join(room, name, file))));
      expect([outcome, expected.verdict === "equivalent" ? undecided : []]).toEqual([expected.verdict, []]);
    });
  }
});
