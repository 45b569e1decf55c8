import { describe, expect, it } from "vitest";
import { compareWorlds, type RouteWorld } from "#routes";
import { answers, like, worldOf } from "./world.ts";

const document = (kind: string, name: string, namespace: string, rest: string): string =>
  `apiVersion: ${["Service", "Pod"].includes(kind) ? "v1" : "networking.istio.io/v1"}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: "2026-01-01T00:00:00Z"${rest}\n---\n`;
const service = document("Service", "x", "default", " }\nspec: { clusterIP: 10.0.0.1, ports: [{ name: http, port: 80 }] }");
const server = "servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]";
const gateway = (namespace: string): string => document("Gateway", "g", namespace, ` }\nspec: { selector: { app: edge }, ${server} }`);
const routes = (gateways: string, destination: string): string => document("VirtualService", "r", "default", ` }\nspec: { hosts: [a.com], gateways: [${gateways}], http: [{ route: [{ destination: ${destination} }] }] }`);

describe("DestinationRules of one host that are not exported alike", () => {
  const rule = (name: string, exportTo: string, subset: string): string => document("DestinationRule", name, "default", ` }\nspec: { host: x.default.svc.cluster.local, exportTo: ${exportTo}, subsets: [{ name: ${subset}, labels: { v: ${subset} } }] }`);
  const yaml = service + gateway("default") + routes("g", "{ host: x, subset: two }") + rule("a", '["*"]', "one") + rule("b", '[".", other]', "two");
  const cases = [
    { name: "are one up to istiod 1.23, with the subsets of both", istio: "1.23.4", wanted: { v: "two" } },
    { name: "are two from 1.24 on, and the last one that a client sees counts", istio: "1.24.0", wanted: { v: "two" } },
  ];
  for (const { name, istio, wanted } of cases) {
    it(name, () => expect(answers(worldOf(yaml, { istio }), like({ gateway: "default/g" }), {})).toMatchObject([{ destinations: [{ subset: wanted }] }]));
  }

  it("give a subset of the first to the client up to istiod 1.23 only", () => {
    const first = service + gateway("default") + routes("g", "{ host: x, subset: one }") + rule("a", '["*"]', "one") + rule("b", '[".", other]', "two");
    const [old, recent] = ["1.23.4", "1.24.0"].map((istio) => worldOf(first, { istio }));
    if (old === undefined || recent === undefined) throw new Error("two worlds");
    expect(answers(old, like({ gateway: "default/g" }), {})).toMatchObject([{ destinations: [{ subset: { v: "one" } }] }]);
    expect(answers(recent, like({ gateway: "default/g" }), {})).toMatchObject([{ destinations: [{ invalid: true, status: 503 }] }]);
    expect(compareWorlds([old, recent]).outcome).toBe("different");
  });
});

describe("a Gateway that selects the proxies of a Gateway of Gateway API in another namespace", () => {
  const pod = document("Pod", "edge-1", "edge", `, labels: { app: edge, gateway.networking.k8s.io/gateway-name: edge } }\nspec: { containers: [{ name: istio-proxy, args: [proxy, router] }] }`);
  const world = (istio: string | undefined, namespace: string): RouteWorld => {
    const yaml = service + gateway(namespace) + pod + routes(`${namespace}/g`, "{ host: x.default.svc.cluster.local }");
    return worldOf(yaml, { unseen: [], istio: istio ?? "unknown" });
  };
  const shown = (istio: string | undefined, namespace: string): readonly unknown[] => answers(world(istio, namespace), like({ gateway: `${namespace}/g` }), {}).map((answer) => (typeof answer === "string" ? answer : answer.type));

  it("is served up to istiod 1.30", () => expect(shown("1.30.2", "default")).toEqual(["forward"]));
  it("is not from 1.31 on", () => expect(shown("1.31.0", "default")).toEqual(["no such view"]));
  it("is where it is of their namespace", () => expect(shown("1.31.0", "edge")).toEqual(["forward"]));
  it("leaves the answer open where the release is not known", () => {
    expect(world(undefined, "default").unmodelled.map(({ where }) => where?.object)).toEqual(["Gateway default/g"]);
  });
});

describe("a VirtualService that istiod marked as translated", () => {
  it("is not read as if somebody had written it", () => {
    const marked = document("VirtualService", "r", "default", `, annotations: { internal.istio.io/route-semantics: gateway } }\nspec: { hosts: [a.com], gateways: [g], http: [{ match: [{ uri: { prefix: /a } }], route: [{ destination: { host: x } }] }] }`);
    const { outcome, undecided } = compareWorlds([marked, marked.replace("/a", "/a/")].map((yaml) => worldOf(service + gateway("default") + yaml)));
    expect([outcome, undecided.map(({ where }) => where?.path)]).toEqual(["undecided", ['metadata.annotations["internal.istio.io/route-semantics"]']]);
  });
});
