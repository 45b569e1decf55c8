import { describe, expect, it } from "vitest";
import type { Fact } from "#engine";
import { istioMap } from "#values";
import kind from "../../kinds/routes-equivalent/kind.ts";
import type { Spec } from "../../kinds/routes-equivalent/spec.ts";
import { loadedBy, routeTo } from "../support/loaded.ts";
import { ground, routing, to, virtualService } from "../support/routing.ts";
import { clusterOf, gapOf, judge, resultOf, type Said } from "../support/world.ts";

const plain: Spec = {
  hosts: [],
  presence: "everywhere",
  views: ["gateways", "mesh"],
  namespaces: [],
  hostMapping: {},
  gatewayMapping: {},
  against: "clusters",
  ignore: [],
  reading: "istiod",
  budget: 2_000_000,
  maxProbes: 500,
};

function said(facts: readonly (readonly Fact<"routing">[])[], spec: Partial<Spec> = {}): Said {
  return judge(kind, { ...plain, ...spec }, { facts: facts.flat() });
}

const cartFirst = `[{ match: [{ uri: { prefix: /cart } }], ${to("cart")} }, { ${to("web")} }]`;
const allToWeb = `[{ ${to("web")} }]`;

describe("routes-equivalent", () => {
  const pairs: readonly { readonly name: string; readonly left: string; readonly right: string; readonly spec?: Partial<Spec>; readonly faults: readonly string[] }[] = [
    { name: "finds nothing between two clusters with the same objects", left: virtualService({ http: cartFirst }), right: virtualService({ http: cartFirst, day: 9 }), faults: [] },
    { name: "finds nothing where other words mean the same", left: virtualService({ http: allToWeb }), right: virtualService({ http: `[{ match: [{ uri: { regex: ".*" } }], ${to("web")} }]` }), faults: [] },
    {
      name: "names both destinations of a request that is routed differently",
      left: virtualService({ http: cartFirst }),
      right: virtualService({ http: allToWeb }),
      faults: ["`cart.shop.svc.cluster.local:80` by rule `VirtualService shop/shop` spec.http[0].match[0] (aks.yaml:"],
    },
    { name: "ignores a timeout when told to", left: virtualService({ http: `[{ timeout: 1s, ${to("web")} }]` }), right: virtualService({ http: allToWeb }), spec: { ignore: ["timeout"] }, faults: [] },
    {
      name: "tells the timeout where it alone differs",
      left: virtualService({ http: `[{ timeout: 1s, ${to("web")} }]` }),
      right: virtualService({ http: allToWeb }),
      faults: ["with timeout 1000 ms by rule"],
    },
    { name: "looks at the hosts that are asked for only", left: virtualService({ http: cartFirst }), right: virtualService({ http: allToWeb }), spec: { hosts: ["other.example"] }, faults: [] },
    { name: "looks at the views that are asked for only", left: virtualService({ http: cartFirst }), right: virtualService({ http: allToWeb }), spec: { views: ["mesh"] }, faults: [] },
    {
      name: "maps the hosts of one cluster to the common ones",
      left: virtualService({ http: allToWeb }),
      right: virtualService({ http: allToWeb, hosts: "shop.azure.example" }),
      spec: { hostMapping: { eks: { ".azure.example": ".example" } } },
      faults: [],
    },
    { name: "finds the host that one cluster lacks", left: virtualService({ http: allToWeb }), right: "", faults: ["in `eks` it is answered with 404 for no rule takes it"] },
  ];
  for (const { name, left, right, spec, faults } of pairs) {
    it(name, () => {
      const found = said([routing("aks", ground + left), routing("eks", ground + right)], spec);
      expect(found.gaps).toEqual([]);
      expect(found.undecided).toEqual([]);
      expect(found.faults.map(({ message }) => message)).toEqual(faults.map((text) => expect.stringContaining(text)));
      for (const { evidence } of found.faults) expect(new Set(evidence.map(({ cluster }) => cluster))).toEqual(new Set(["aks", "eks"]));
    });
  }

  it("shows with curl what a gateway answers, and nothing of a path is read by the shell", () => {
    const right = virtualService({ http: `[{ match: [{ uri: { exact: "/it's;$x" } }], ${to("cart")} }, { ${to("web")} }]` });
    const [fault] = said([routing("aks", ground + virtualService({ http: allToWeb })), routing("eks", ground + right)]).faults;
    const curl = fault?.evidence.find(({ label }) => label === "to see it");
    expect(curl?.value).toBe(`curl -sv --path-as-is --connect-to "::$GATEWAY:80" 'http://shop.example/it'\\''s;$x'`);
  });

  it("lists under `presence: shared` what one cluster lacks, and judges the rest", () => {
    const more = virtualService({ name: "more", hosts: "more.example", http: allToWeb });
    const both = virtualService({ http: allToWeb });
    const found = said([routing("aks", ground + both + more), routing("eks", ground + both)], { presence: "shared", views: ["gateways"] });
    expect(found.faults).toEqual([]);
    expect(found.infos.map(({ message }) => message)).toEqual([expect.stringContaining("`eks` lacks `more.example`")]);
  });

  it("groups clusters that answer alike in one sentence", () => {
    const worlds = ["aks", "eks", "gke"].map((name) => routing(name, ground + virtualService({ http: name === "gke" ? allToWeb : cartFirst })));
    const [fault, ...others] = said(worlds).faults;
    expect(others).toEqual([]);
    expect(fault?.message).toContain("in `aks` and `eks` it goes to `cart.shop.svc.cluster.local:80`");
    expect(fault?.message).toContain("in `gke` it goes to `web.shop.svc.cluster.local:80`");
  });

  it("tells thousands of requests that one rule causes once", () => {
    const canary = `{ match: [{ uri: { prefix: /cart }, headers: { x-canary: { regex: "[a-z]{1,40}" } } }], ${to("cart")} }`;
    const found = said([routing("aks", ground + virtualService({ http: `[${canary}, { ${to("web")} }]` })), routing("eks", ground + virtualService({ http: allToWeb }))]);
    expect(found.faults).toHaveLength(1);
    expect(found.faults[0]?.message).toContain("with `x-canary: ");
  });

  it("tells five differences of a host and counts the others", () => {
    const rules = (seconds: number) => Array.from({ length: 9 }, (_, index) => `{ match: [{ uri: { prefix: /${index} } }], timeout: ${index + seconds}s, ${to("web")} }`).join(", ");
    const found = said([routing("aks", ground + virtualService({ http: `[${rules(10)}]` })), routing("eks", ground + virtualService({ http: `[${rules(30)}]` }))]);
    expect(found.faults).toHaveLength(5);
    expect(found.faults.at(-1)?.message).toContain("more requests for this host may differ");
  });

  it("says that a rule is never reached, and which one takes its requests", () => {
    const dead = virtualService({ http: `[{ match: [{ uri: { prefix: /a } }], ${to("web")} }, { match: [{ uri: { exact: /a/b } }], ${to("cart")} }, { ${to("web")} }]` });
    const found = said([routing("aks", ground + dead), routing("eks", ground + dead)]);
    expect(found.faults).toEqual([]);
    expect(found.infos.map(({ message }) => message)).toEqual(["in `aks` and `eks` no request ever reaches spec.http[1].match[0] (spec.http[0].match[0] takes all of its requests) of `VirtualService shop/shop`"]);
  });

  it("reads lines of one header as the Envoy of each cluster does", () => {
    const exact = virtualService({ http: `[{ match: [{ headers: { x-a: { exact: "1" } } }], ${to("cart")} }, { ${to("web")} }]` });
    const facts = [...routing("new", ground + exact, { proxies: ["proxyv2:1.31.0"] }), ...routing("old", ground + exact, { proxies: ["proxyv2:1.29.5"] })];
    const [fault] = judge(kind, plain, { facts, istioMap: istioMap([{ istio: "1.31.0", envoy: ["1.39.0"] }]) }).faults;
    // Two lines of the header: joined up to Envoy 1.38, one by one from 1.39 on.
    expect(fault?.message.match(/`x-a: /g)).toHaveLength(2);
  });

  it("is undecided where one cluster runs proxies that read a request differently", () => {
    const exact = virtualService({ http: `[{ match: [{ headers: { x-a: { exact: "1" } } }], ${to("cart")} }, { ${to("web")} }]` });
    const facts = [...routing("both", ground + exact, { proxies: ["proxyv2:1.29.5", "proxyv2:1.31.0"] }), ...routing("old", ground + exact, { proxies: ["proxyv2:1.29.5"] })];
    const found = judge(kind, plain, { facts, istioMap: istioMap([{ istio: "1.31.0", envoy: ["1.39.0"] }]) });
    expect(found.faults).toEqual([]);
    expect(found.undecided.length).toBeGreaterThan(0);
  });

  it("is undecided where control planes of one cluster read meshes that differ", () => {
    const mesh = (mode: string, name: string) => ({ namespace: "istio-system", name, config: { outboundTrafficPolicy: { mode } } });
    const same = ground + virtualService({ http: allToWeb });
    const found = said([routing("aks", same, { meshConfigs: [mesh("ALLOW_ANY", "istio"), mesh("REGISTRY_ONLY", "istio-canary")] }), routing("eks", same)]);
    expect(found.undecided.map(({ message }) => message)).toEqual([expect.stringContaining("`istio-system/istio-canary`")]);
  });

  it("compares routes of Gateway API, says whose reading it took, and reads as it is told", () => {
    const route = (filter: string) => `\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: edge, namespace: shop }\nspec: { gatewayClassName: istio, listeners: [{ name: web, port: 81, protocol: HTTP }] }\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: r, namespace: shop }\nspec: { parentRefs: [{ name: edge }], rules: [{ filters: [{ type: RequestRedirect, requestRedirect: { ${filter} } }] }] }\n`;
    const base = ground + virtualService({ http: allToWeb });
    const both = (spec: Spec) => judge(kind, spec, { facts: [...routing("aks", base + route("scheme: https")), ...routing("eks", base + route("scheme: https, port: 443"))] });
    const istiod = both(plain), specified = both({ ...plain, reading: "specification" });
    expect([istiod.faults.length, istiod.undecided, specified.faults.length, specified.undecided]).toEqual([0, [], 0, []]);
    expect([istiod, specified].map(({ assumptions }) => assumptions.map(({ text }) => text).filter((text) => text.startsWith("Gateway API is read")))).toEqual([["Gateway API is read as istiod 1.31 does"], ["Gateway API is read as its specification says, not as istiod does"]]);
    const other = judge(kind, plain, { facts: [...routing("aks", base + route("scheme: https")), ...routing("eks", base + route("scheme: http"))] });
    expect(other.faults).toHaveLength(1);
  });

  it("compares a cluster that hides something with nobody, and still compares the others", () => {
    const facts = ["aks", "eks", "gke"].flatMap((name) => routing(name, ground + virtualService({ http: name === "gke" ? allToWeb : cartFirst })));
    const hidden = judge(kind, plain, { facts, gaps: [gapOf("routing", "gke")] });
    expect(hidden.faults).toEqual([]);
    expect(hidden.judged).toBeGreaterThan(0);
    expect(judge(kind, plain, { facts, gaps: [gapOf("routing", "aks")] }).faults).toHaveLength(1);
  });

  it("needs two clusters", () => {
    const result = resultOf(kind, plain, { facts: routing("aks", ground + virtualService({ http: allToWeb })) });
    expect([result.verdict, result.gaps.map(({ reason }) => reason)]).toEqual(["undecided", [expect.stringContaining("one cluster, `aks`")]]);
  });

  it("holds over clusters without any route only where the assertion allows it", () => {
    const facts = ["aks", "eks"].flatMap((name) => routing(name, ""));
    expect(resultOf(kind, plain, { facts }).verdict).toBe("undecided");
    expect(resultOf(kind, plain, { facts }, { allowEmpty: true }).verdict).toBe("holds");
  });

  it("has a gap for a mapping whose cluster is not selected, and for one that makes two hosts one", () => {
    const facts = [...routing("aks", ground + virtualService({ hosts: "a.example, b.example", http: allToWeb })), ...routing("eks", ground + virtualService({ hosts: "a.example", http: allToWeb }))];
    const stranger = judge(kind, { ...plain, hostMapping: { ask: { "a.example": "x.example" } } }, { facts });
    expect(stranger.gaps.map(({ reason }) => reason)).toEqual(["`hostMapping` names the cluster `ask`, and the assertion selects none of that name"]);
    const conflict = judge(kind, { ...plain, hostMapping: { aks: { "b.example": "a.example" } } }, { facts });
    expect(conflict.gaps.map(({ reason }) => reason)).toEqual([expect.stringContaining("`a.example` and `b.example` of `aks` one, `a.example`")]);
  });

  it("gives a finding the same fingerprint when its objects are listed in another order", () => {
    const facts = [...routing("aks", ground + virtualService({ http: cartFirst })), ...routing("eks", ground + virtualService({ http: allToWeb }))];
    const clusters = [clusterOf("aks"), clusterOf("eks")];
    expect(resultOf(kind, plain, { facts: facts.toReversed(), clusters })).toEqual(resultOf(kind, plain, { facts, clusters }));
  });
});

describe("routes-equivalent against proxies", () => {
  const objects = ground + virtualService({ http: cartFirst });
  const same = [routeTo("cart", { prefix: "/cart", case_sensitive: true }), routeTo("web")];
  const lua = { name: "lua", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua" } };
  const judged = (loaded: readonly Fact<"loaded-routes">[], yaml = objects, spec: Partial<Spec> = {}): Said => judge(kind, { ...plain, against: "proxies", ...spec }, { facts: [...routing("eks", yaml), ...loaded] });

  it("finds nothing where a proxy runs what its objects declare, in one cluster alone", () => {
    const { faults, undecided, gaps, judged: count } = judged([loadedBy("eks", { routes: same })]);
    expect([faults, undecided, gaps, count > 0]).toEqual([[], [], [], true]);
  });

  it("tells a request that a proxy answers otherwise, once for all proxies that do, with both rules and how to go on", () => {
    const old = [routeTo("web")];
    const { faults, undecided } = judged([loadedBy("eks", { routes: old }), loadedBy("eks", { routes: old, workload: "Deployment/second" }), loadedBy("eks", { routes: same, workload: "Deployment/third" })]);
    expect(undecided).toEqual([]);
    expect(faults).toHaveLength(1);
    const [fault] = faults;
    expect(fault?.subject).toBe("eks/ingress/Deployment/public gateway/shop.example");
    expect(fault?.message).toContain("in `eks` it goes to `cart.shop.svc.cluster.local:80` by rule `VirtualService shop/shop` spec.http[0].match[0] (eks.yaml:");
    expect(fault?.message).toContain("in `ingress/Deployment/public gateway` it goes to `web.shop.svc.cluster.local:80` by rule `RouteConfiguration http.80` virtual_hosts[0].routes[0]");
    expect(fault?.message).toContain("so it is in 1 more: `ingress/Deployment/second gateway`");
    expect(fault?.remedy).toContain("istioctl proxy-status");
    expect(fault?.evidence.map(({ cluster }) => cluster)).toEqual(["eks", "eks", "eks"]);
  });

  it("sees a service that was taken away from under a proxy, and one that it was not told of", () => {
    expect(judged([loadedBy("eks", { routes: same, services: ["web"] })]).faults.map(({ message }) => message)).toEqual([expect.stringContaining("a backend that does not exist (status 503)")]);
  });

  it("leaves open what a filter does that the objects do not show, and is not silent of a listener that they do not have", () => {
    const { faults, undecided } = judged([loadedBy("eks", { routes: same, filters: [lua] })]);
    expect([faults, undecided.map(({ message }) => message)]).toEqual([[], [expect.stringContaining("the filter `lua` acts on the path of requests")]]);
    expect(judged([loadedBy("eks", { routes: same, port: 8080 })]).faults.length).toBeGreaterThan(0);
  });

  it("looks at the views that are asked for, and judges nothing without proxies", () => {
    expect(judged([loadedBy("eks", { routes: [] })], objects, { views: ["mesh"] })).toMatchObject({ faults: [], judged: 0 });
    expect(judged([])).toMatchObject({ faults: [], undecided: [], judged: 0 });
  });

  it("asks proxies only where they are judged, with the number that may be asked", () => {
    expect(kind.needs({ ...plain, against: "proxies", maxProbes: 7 })).toEqual([{ fact: "routing" }, { fact: "loaded-routes", options: { maxProbes: 7 } }]);
    expect(kind.needs(plain)).toEqual([{ fact: "routing" }]);
  });

  it("never holds where a proxy could not be asked", () => {
    const result = resultOf(kind, { ...plain, against: "proxies" }, { facts: [...routing("eks", objects), loadedBy("eks", { routes: same })], gaps: [gapOf("loaded-routes", "eks")] });
    expect(result.verdict).toBe("undecided");
  });
});
