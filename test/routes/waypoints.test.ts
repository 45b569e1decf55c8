import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { compareWorlds, istioWorlds, type IstioPlace, type WorldOptions } from "#routes";

const created = `creationTimestamp: "2026-01-01T00:00:00Z"`;
const shop = (labels = ""): string => `apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio.io/dataplane-mode: ambient${labels} } }`;
const service = (labels = ""): string => `apiVersion: v1\nkind: Service\nmetadata: { name: cart, namespace: shop, ${created}, labels: { x: y${labels} } }\nspec: { clusterIP: 10.0.0.1, ports: [{ name: http, port: 80 }] }`;
const entry = (labels: string): string => `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: pay, namespace: shop, ${created}, labels: { x: y${labels} } }\nspec: { hosts: [pay.example], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }`;
const waypoint = (port = 15008): string => `apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: way, namespace: shop, ${created} }\nspec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: ${port}, protocol: HBONE }] }`;
const http = (path: string): string => `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: cart, namespace: shop, ${created} }\nspec: { parentRefs: [{ group: "", kind: Service, name: cart }], rules: [{ matches: [{ path: { type: PathPrefix, value: ${path} } }], backendRefs: [{ name: cart, port: 80 }] }] }`;
const virtual = (host: string, more: string): string => `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v, namespace: shop, ${created} }\nspec: { hosts: [${host}], ${more} }`;
const policy = (path: string): string => `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: p, namespace: shop, ${created} }\nspec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: way }], rules: [{ to: [{ operation: { paths: [${path}] } }] }] }`;
/** A gateway that routes something, so that there is a view to compare; and a pod of ambient mode, so that no sidecar is assumed. */
const outside = `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: g, namespace: edge, ${created} }\nspec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [a.com] }] }
---
apiVersion: v1\nkind: Pod\nmetadata: { name: i, namespace: edge, labels: { istio: ingress } }\nspec: { containers: [{ name: istio-proxy, args: [proxy, router] }] }
---
apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: out, namespace: edge, ${created} }\nspec: { hosts: [a.com], gateways: [g], http: [{ directResponse: { status: 200 } }] }`;

const OWN = ", istio.io/use-waypoint: way";

type Told = Partial<Pick<IstioPlace, "istio" | "meshConfig">> & { readonly envoy?: string | undefined };

function compared(left: readonly string[], right: readonly string[], options: WorldOptions = {}, told: readonly Told[] = []) {
  const worlds = istioWorlds([left, right].map((documents, index) => ({
    place: `c${index}`,
    objects: loadAll([outside, ...documents].join("\n---\n")).map((object) => ({ object })),
    complete: true, meshConfig: {}, servicesByName: true, istio: "1.31.0", envoy: "1.40.0", ...told[index],
  }) as IstioPlace));
  return compareWorlds(worlds, options);
}

describe("what a waypoint does is compared by what acts there, for the services that it captures", () => {
  const same = [shop(), service(OWN), waypoint(), http("/a")];
  const rows: readonly (readonly [claim: string, left: readonly string[], right: readonly string[], outcome: string])[] = [
    ["the same routes on the same waypoint are the same", same, same, "equivalent"],
    ["other routes on it are open, though no client has a proxy of its own", same, [shop(), service(OWN), waypoint(), http("/b")], "undecided"],
    ["so is a VirtualService for the service", [shop(), service(OWN), waypoint(), virtual("cart", "http: [{ directResponse: { status: 201 } }]")], [shop(), service(OWN), waypoint()], "undecided"],
    ["so is one for its connections", [shop(), service(OWN), waypoint(), virtual("cart", "tcp: [{ route: [{ destination: { host: cart } }] }]")], [shop(), service(OWN), waypoint()], "undecided"],
    ["so is a policy that is aimed at it", [shop(), service(OWN), waypoint(), policy("/a")], [shop(), service(OWN), waypoint(), policy("/b")], "undecided"],
    ["so is the waypoint itself", same, [shop(), service(OWN), waypoint(15009), http("/a")], "undecided"],
    ["the label of the namespace captures as well", [shop(OWN), service(), waypoint(), http("/a")], [shop(OWN), service(), waypoint(), http("/b")], "undecided"],
    ["the service's own label comes first", [shop(OWN), service(", istio.io/use-waypoint: none"), waypoint(), http("/a")], [shop(OWN), service(", istio.io/use-waypoint: none"), waypoint(), http("/b")], "equivalent"],
    ["a service that is captured in one cluster alone is open", same, [shop(), service(), waypoint(), http("/a")], "undecided"],
    ["so is one whose waypoint is not in the input", [shop(), service(OWN), virtual("cart", "http: [{ directResponse: { status: 201 } }]")], [shop(), service(OWN)], "undecided"],
    ["a service that a ServiceEntry declares is captured by its label", [shop(), entry(OWN), waypoint(), virtual("pay.example", "http: [{ directResponse: { status: 201 } }]")], [shop(), entry(OWN), waypoint()], "undecided"],
    ["a waypoint that captures nothing changes nothing", [shop(), service(), waypoint()], [shop(), service(), waypoint(15009)], "equivalent"],
    ["nor does one where nothing acts", [shop(), service(OWN), waypoint()], [shop(), service(OWN), waypoint(15009)], "equivalent"],
  ];
  it.each(rows)("%s", (_, left, right, outcome) => expect(compared(left, right).outcome).toBe(outcome));

  it("names the service, and the object whose label captures it", () => {
    const { undecided } = compared(same, [shop(), service(OWN), waypoint(), http("/b")]);
    expect(undecided).toMatchObject([{ place: "c0", host: "cart.shop.svc.cluster.local", where: { object: "Service shop/cart" } }, { place: "c1" }]);
  });

  it("touches no other hosts and no gateways", () => {
    const other = [shop(), service(OWN), waypoint(), http("/b")];
    expect(compared(same, other, { hosts: ["a.com"] }).outcome).toBe("equivalent");
    expect(compared(same, other, { views: ["gateways"] }).outcome).toBe("equivalent");
  });

  describe("gateways send requests through it where a label says so", () => {
    const out = (options: string): string => `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: in, namespace: shop, ${created} }\nspec: { hosts: [b.com], gateways: [edge/g], http: [{ ${options} }] }`;
    const edge = `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: g, namespace: edge, ${created} }\nspec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [a.com, b.com] }] }`;
    const leads = [edge, out("route: [{ destination: { host: cart, port: { number: 80 } } }]")];
    const place = (label: string, path: string): readonly string[] => [shop(), service(`${OWN}${label}`), waypoint(), http(path), ...leads];
    const INGRESS = ", istio.io/ingress-use-waypoint: ";
    const rows: readonly (readonly [claim: string, left: readonly string[], right: readonly string[], outcome: string])[] = [
      ["the same routes there", place(`${INGRESS}"true"`, "/a"), place(`${INGRESS}"1"`, "/a"), "equivalent"],
      ["other routes there", place(`${INGRESS}"true"`, "/a"), place(`${INGRESS}"true"`, "/b"), "undecided"],
      ["other routes, which gateways pass by", place(`${INGRESS}"yes"`, "/a"), place("", "/b"), "equivalent"],
      ["one place alone sends them there", place(`${INGRESS}"true"`, "/a"), place("", "/a"), "undecided"],
      ["the namespace says it", [shop(`${INGRESS}"true"`), ...place("", "/a").slice(1)], [shop(`${INGRESS}"true"`), ...place("", "/b").slice(1)], "undecided"],
      ["the service's own label comes first", [shop(`${INGRESS}"true"`), ...place(`${INGRESS}"false"`, "/a").slice(1)], [shop(`${INGRESS}"true"`), ...place(`${INGRESS}"false"`, "/b").slice(1)], "equivalent"],
    ];
    it.each(rows)("%s", (_, left, right, outcome) => {
      expect(compared(left, right, { views: ["gateways"] }).outcome).toBe(outcome);
      expect(compared(left, right, { views: ["gateways"], hosts: ["b.com"] }).outcome).toBe(outcome);
      expect(compared(left, right, { views: ["gateways"], hosts: ["a.com"] }).outcome).toBe("equivalent");
    });
  });

  describe("a second waypoint may get a part of the requests", () => {
    const second = (label: string, weight: string): string => service(`${OWN}${label}`).replace("labels:", `annotations: { istio.io/use-waypoint-canary-weight: "${weight}" }, labels:`);
    const CANARY = ", istio.io/use-waypoint-canary: next";
    it.each([
      ["the same part", [second(CANARY, "10")], [second(CANARY, "10")], "equivalent"],
      ["another part", [second(CANARY, "10")], [second(CANARY, "20")], "undecided"],
      ["none in one place", [second(CANARY, "10")], [second("", "10")], "undecided"],
    ])("%s", (_, left, right, outcome) => {
      const place = (own: readonly string[]): readonly string[] => [shop(), ...own, waypoint(), http("/a")];
      expect(compared(place(left), place(right)).outcome).toBe(outcome);
    });
    it("and what a waypoint is for counts", () => {
      const none = waypoint().replace("{ name: way,", "{ name: way, labels: { istio.io/waypoint-for: workload },");
      expect(compared([shop(), service(OWN), waypoint(), http("/a")], [shop(), service(OWN), none, http("/a")]).outcome).toBe("undecided");
    });
  });

  it("is an assumption where it is the same everywhere", () => {
    expect(compared(same, same).assumptions.map(({ text }) => text)).toContain("requests for the service may pass the waypoint `shop/way`, which is not modelled, in every place alike");
  });

  describe("alike is what decides there, not only what stands in the objects for the service", () => {
    const from = (name: string, day: number, hosts: string, more: string): string => `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: ${name}, namespace: shop, creationTimestamp: "2026-01-0${day}T00:00:00Z" }\nspec: { ${hosts === "" ? "" : `hosts: [${hosts}], `}${more} }`;
    const rule = (host: string, version: string): string => `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: ${host}, namespace: shop, ${created} }\nspec: { host: ${host}, subsets: [{ name: v, labels: { version: ${version} } }] }`;
    const stock = `apiVersion: v1\nkind: Service\nmetadata: { name: stock, namespace: shop, ${created} }\nspec: { clusterIP: 10.0.0.2, ports: [{ name: http, port: 80 }] }`;
    const answers = (status: number): string => `http: [{ directResponse: { status: ${status} } }]`;
    const toStock = `http: [{ route: [{ destination: { host: stock, subset: v } }] }]`;
    const delegating = `http: [{ delegate: { name: inner } }]`;
    const base = [shop(), service(OWN), waypoint()];
    const older = [...base, from("a", 1, "cart", answers(201)), from("b", 2, "cart", answers(202))];
    const younger = [...base, from("a", 2, "cart", answers(201)), from("b", 1, "cart", answers(202))];
    const unaged = [...base, ...["a", "b"].map((name) => from(name, 1, "cart", answers(201)).replace(/, creationTimestamp: "[^"]*"/, ""))];
    const led = [...base, stock, rule("stock", "v1"), from("a", 1, "cart", toStock)];
    const rows: readonly (readonly [claim: string, left: readonly string[], right: readonly string[], outcome: string, told?: readonly Told[]])[] = [
      ["two objects in the same order of age", older, older, "equivalent"],
      ["the same two in another order", older, younger, "undecided"],
      ["two objects of an age that nobody knows", unaged, unaged, "undecided"],
      ["the same destination", led, led, "equivalent"],
      ["a subset of the destination that means other pods", led, [...base, stock, rule("stock", "v2"), from("a", 1, "cart", toStock)], "undecided"],
      ["a destination that one place lacks", led, [...base, rule("stock", "v1"), from("a", 1, "cart", toStock)], "undecided"],
      ["a delegate that says something else", [...base, from("a", 1, "cart", delegating), from("inner", 1, "", answers(201))], [...base, from("a", 1, "cart", delegating), from("inner", 1, "", answers(202))], "undecided"],
      ["retries that the mesh gives to rules without any", led, led, "undecided", [{ meshConfig: { defaultHttpRetryPolicy: { attempts: 5 } } }]],
      ["names of objects decide nothing", led, [...led.slice(0, -1), from("z", 1, "cart", toStock)], "equivalent"],
    ];
    it.each(rows.map((row) => ({ claim: row[0], row })))("$claim", ({ row: [, left, right, outcome, told] }) => expect(compared(left, right, {}, told).outcome).toBe(outcome));

    const header = [...base, http("/a").replace("matches: [{", "matches: [{ headers: [{ name: x, value: y }],")];
    it.each([
      ["one release of Envoy reads headers as the other does", "1.40.0", "1.39.1", "equivalent"],
      ["releases that read headers differently", "1.40.0", "1.38.3", "undecided"],
      ["a release that nobody knows", "1.40.0", undefined, "undecided"],
      ["releases that nobody knows are taken for the same one", undefined, undefined, "equivalent"],
    ])("%s", (_, one, other, outcome) => expect(compared(header, header, {}, [{ envoy: one }, { envoy: other }]).outcome).toBe(outcome));
    it("another minor release of istiod may make something else of the same routes", () => {
      expect(compared(led, led, {}, [{ istio: "1.30.1" }, { istio: "1.31.0" }]).outcome).toBe("undecided");
      expect(compared(led, led, {}, [{ istio: "1.31.2" }, { istio: "1.31.0" }]).outcome).toBe("equivalent");
      expect(compared(base, base, {}, [{ istio: "1.30.1" }, { istio: "1.31.0" }]).outcome).toBe("equivalent");
    });
    it("releases of Envoy do not matter where nothing is read differently", () => expect(compared(led, led, {}, [{ envoy: "1.40.0" }, { envoy: "1.39.1" }]).outcome).toBe("equivalent"));
  });
});
