import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareWorlds, istioWorld, istioWorlds, type KubeObject, Resolver, type RouteWorld } from "#routes";
import { root } from "../../../support/room.ts";
import { answered, api, ask, type Asked, client, deviations, gateway, ground, path, redirect, rewrite, route, said, service, to, worldOf } from "./deviations.ts";

describe("istiod and the specification answer differently", () => {
  it.each(deviations)("$claim", (row) => {
    expect([answered(row, "istiod"), answered(row, "specification")]).toEqual([row.istiod, row.specification]);
  });

  it("an expression whose rank is open is told where it stands (T44)", () => {
    const objects = [gateway(), route([{ ...path("/a.*", "RegularExpression"), ...to("x") }, { ...path("/"), ...to("y") }])];
    expect(ask(worldOf(objects, "specification"), { path: "/a" }).unmodelled.map(({ where }) => where)).toEqual([{ object: "HTTPRoute a/r", path: "spec.rules[0].matches[0]" }]);
  });

  it("with a row for every line of the README's table", () => {
    const readme = readFileSync(join(root, "routes/dialects/gateway-api/README.md"), "utf8");
    expect(deviations.length).toBeGreaterThanOrEqual(readme.split("\n").filter((line) => line.startsWith("| ")).length - 2);
  });
});

interface Same { readonly claim: string; readonly objects: readonly KubeObject[]; readonly asked: Asked; readonly answer: string }

describe("both readings answer alike", () => {
  const foreign = (more: object = {}): readonly KubeObject[] => [gateway(), service("z", "b"), route([to("z", { namespace: "b", ...more })])];
  const grant = (from: string): KubeObject => api("ReferenceGrant", "grant", { from: [{ group: "gateway.networking.k8s.io", kind: from, namespace: "a" }], to: [{ group: "", kind: "Service" }] }, "b");
  const rows: readonly Same[] = [
    { claim: "a prefix is of whole segments (T01)", objects: [gateway(), route([{ ...path("/foo"), ...to("x") }])], asked: { path: "/foobar" }, answer: "notFound" },
    { claim: "a slash at the end of a prefix does not count (E14)", objects: [gateway(), route([{ ...path("/foo/"), ...to("x") }])], asked: { path: "/foo" }, answer: "x" },
    { claim: "a redirect without a code is 302 (T29)", objects: [gateway(), route([redirect({ hostname: "b.com" })])], asked: {}, answer: "302 http://b.com/" },
    { claim: "a redirect names the port of a listener that is not its scheme's own", objects: [gateway([{ name: "web", port: 8080, protocol: "HTTP" }]), route([redirect({ statusCode: 301 })])], asked: { port: 8080, authority: "a.com:9" }, answer: "301 http://a.com:8080/" },
    { claim: "no backend is 500 (T46)", objects: [gateway(), route([path("/")])], asked: {}, answer: "500" },
    { claim: "backends without weight are 500", objects: [gateway(), route([to("x", { weight: 0 })])], asked: {}, answer: "500" },
    { claim: "a backend that is not there has its share of 500 (T47)", objects: [gateway(), route([{ backendRefs: [{ name: "x", port: 80 }, { name: "gone", port: 80 }] }])], asked: {}, answer: "x+500" },
    { claim: "a reference without a grant is 500", objects: foreign(), asked: {}, answer: "500" },
    { claim: "a grant to another kind is none", objects: [...foreign(), grant("GRPCRoute")], asked: {}, answer: "500" },
    { claim: "a reference with a grant leads there", objects: [...foreign(), grant("HTTPRoute")], asked: {}, answer: "z" },
    { claim: "a prefix that is taken away leaves a slash", objects: [gateway(), route([{ ...path("/foo"), ...rewrite("/"), ...to("x") }])], asked: { path: "/foo?q" }, answer: "x /?q" },
    { claim: "and what is below it", objects: [gateway(), route([{ ...path("/foo"), ...rewrite(""), ...to("x") }])], asked: { path: "/foo/b" }, answer: "x /b" },
    { claim: "an exact path is tried before a longer prefix, whatever the order", objects: [gateway(), route([{ ...path("/a"), ...to("x") }, { ...path("/a", "Exact"), ...to("y") }])], asked: { path: "/a" }, answer: "y" },
    { claim: "the path of a redirect begins with a slash, whoever wrote it", objects: [gateway(), route([redirect({ path: { type: "ReplaceFullPath", replaceFullPath: "b" } })])], asked: { path: "/a?q" }, answer: "302 http://a.com/b?q" },
    { claim: "and so does what takes the place of a prefix", objects: [gateway(), route([{ ...path("/foo"), ...redirect({ path: { type: "ReplacePrefixMatch", replacePrefixMatch: "b" } }) }])], asked: { path: "/foo/x" }, answer: "302 http://a.com/b/x" },
    { claim: "of equal matches the older route's comes first", objects: [gateway(), route([to("x")], {}, "z", "2026-01-01T00:00:00Z"), route([to("y")], {}, "a", "2026-01-02T00:00:00Z")], asked: {}, answer: "x" },
    { claim: "a host that listener and route do not share is nowhere", objects: [gateway([{ name: "web", port: 80, protocol: "HTTP", hostname: "*.b.com" }]), route([to("x")], { hostnames: ["a.com"] })], asked: {}, answer: "notFound" },
    { claim: "a section that is not there attaches nothing", objects: [gateway(), route([to("x")], { parentRefs: [{ name: "g", sectionName: "other" }] })], asked: {}, answer: "notFound" },
    { claim: "a listener takes routes of its own namespace only", objects: [gateway(), api("HTTPRoute", "r", { parentRefs: [{ name: "g", namespace: "a" }], rules: [to("x", { namespace: "a" })] }, "b")], asked: {}, answer: "notFound" },
    { claim: "a ListenerSet that is not allowed brings nothing", objects: [gateway(), api("ListenerSet", "s", { parentRef: { name: "g" }, listeners: [{ name: "more", port: 81, protocol: "HTTP" }] })], asked: { port: 81 }, answer: "no view" },
    { claim: "one that is allowed brings its listener to the Gateway", objects: [gateway(undefined, { allowedListeners: { namespaces: { from: "Same" } } }), api("ListenerSet", "s", { parentRef: { name: "g" }, listeners: [{ name: "more", port: 81, protocol: "HTTP" }] }), route([to("x")], { parentRefs: [{ group: "gateway.networking.k8s.io", kind: "ListenerSet", name: "s" }] })], asked: { port: 81 }, answer: "x" },
  ];
  it.each(rows)("$claim", ({ objects, asked, answer }) => {
    for (const reading of ["istiod", "specification"] as const) expect([reading, said(ask(worldOf(objects, reading), asked).effect)]).toEqual([reading, answer]);
  });
});

it.each([["", undefined], ["at one port", 80]] as const)("for clients in the mesh%s, what is below a prefix that is taken away stays", (_, port) => {
  const parent = { group: "", kind: "Service", name: "x", ...(port === undefined ? {} : { port }) };
  const world = worldOf([client, api("HTTPRoute", "r", { parentRefs: [parent], rules: [{ ...path("/foo"), ...rewrite("/"), ...to("y") }] })]);
  const listener = world.views.find(({ view }) => "mesh" in view && view.port === 80)?.readings[0]?.listener;
  const answers = ["/foo", "/foo/b"].map((target) => listener && said(new Resolver(listener).answer({ method: "GET", scheme: "http", authority: "x.a.svc.cluster.local", path: target, headers: [], destination: { port: 80, address: "10.0.0.1" } }, "raw_buffer").effect));
  expect(answers).toEqual(["y /", "y /b"]);
});

it("a redirect to a path without a slash at its front is the one to the path with it", () => {
  const to = (modifier: object): RouteWorld => worldOf([gateway(), route([{ ...path("/foo"), ...redirect({ path: modifier }) }])]);
  for (const field of ["replaceFullPath", "replacePrefixMatch"]) {
    const type = field === "replaceFullPath" ? "ReplaceFullPath" : "ReplacePrefixMatch";
    expect(compareWorlds([to({ type, [field]: "b" }), to({ type, [field]: "/b" })]).outcome).toBe("equivalent");
    expect(compareWorlds([to({ type, [field]: "b" }), to({ type, [field]: "/c" })]).outcome).toBe("different");
  }
});

it("an age of CORS that is left out is five seconds, as an API server fills it in", () => {
  const cors = (more: object): RouteWorld => worldOf([gateway(), route([{ filters: [{ type: "CORS", cors: { allowOrigins: ["http://o.com"], ...more } }], ...to("x") }])]);
  expect(compareWorlds([cors({}), cors({ maxAge: 5 })]).outcome).toBe("equivalent");
  expect(compareWorlds([cors({}), cors({ maxAge: 6 })]).outcome).toBe("different");
});

describe("a star in what CORS allows gives back what is asked for", () => {
  // This Envoy joins the lines of a header before it looks at them.
  const cors = (rules: object, asked: readonly object[] = []): RouteWorld => istioWorld({ place: "p", objects: [...ground, gateway(), route([{ matches: [{ headers: [{ name: "origin", value: "http://o.com" }, ...asked] }], filters: [{ type: "CORS", cors: { allowOrigins: ["http://o.com"], ...rules } }], ...to("x") }])], complete: true, istio: "1.30.0", envoy: "1.38.0" });

  it.each([
    ["methods", { allowMethods: ["*"] }, { allowMethods: ["GET"] }, "access-control-request-method", "GET"],
    ["headers", { allowHeaders: ["*"] }, { allowHeaders: ["x-a"] }, "access-control-request-headers", "x-a"],
  ] as const)("so that for %s it is another thing than a list of one, but where that is asked for", (_, star, one, name, value) => {
    const { outcome, differences: [difference] } = compareWorlds([cors(star), cors(one)]);
    expect(outcome).toBe("different");
    expect(difference?.request.headers.filter(([header]) => header === name).map(([, line]) => line)).not.toEqual([value]);
    expect(compareWorlds([cors(star, [{ name, value }]), cors(one, [{ name, value }])]).outcome).toBe("equivalent");
  });

  it("so that it is another thing than nothing said, but where no header is asked for", () => {
    expect(compareWorlds([cors({ allowHeaders: ["*"] }), cors({})]).outcome).toBe("different");
  });
});

describe("what is not modelled is told where it stands", () => {
  const rows: readonly (readonly [claim: string, object: KubeObject, object: string, path: string])[] = [
    ["an unknown field", route([{ ...to("x"), newer: true }]), "HTTPRoute a/r", "spec.rules[0].newer"],
    ["a path that an API server refuses", route([{ ...path("/a//b"), ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].matches[0].path.value"],
    ["a redirect and a rewrite", route([{ filters: [{ type: "RequestRedirect", requestRedirect: {} }, { type: "URLRewrite", urlRewrite: {} }] }]), "HTTPRoute a/r", "spec.rules[0].filters"],
    ["a replaced prefix of an exact path", route([{ ...path("/a", "Exact"), ...rewrite("/b"), ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters[0]"],
    ["a weight beyond the limit", route([to("x", { weight: 1_000_001 })]), "HTTPRoute a/r", "spec.rules[0].backendRefs[0].weight"],
    ["a filter that is there twice", route([{ filters: [{ type: "URLRewrite", urlRewrite: { hostname: "b.com" } }, { type: "URLRewrite", urlRewrite: { hostname: "c.com" } }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters"],
    ["a redirect with backends", route([{ ...redirect({ hostname: "b.com" }), ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].backendRefs"],
    ["a header that is asked for twice", route([{ matches: [{ headers: [{ name: "x", value: "1" }, { name: "x", value: "2" }] }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].matches[0].headers[1].name"],
    ["a status that no redirect has", route([redirect({ statusCode: 304 })]), "HTTPRoute a/r", "spec.rules[0].filters[0].requestRedirect.statusCode"],
    ["a timeout that is no duration", route([{ ...to("x"), timeouts: { request: "1d" } }]), "HTTPRoute a/r", "spec.rules[0].timeouts.request"],
    ["a timeout of a try that is longer than all", route([{ ...to("x"), timeouts: { request: "1s", backendRequest: "2s" } }]), "HTTPRoute a/r", "spec.rules[0].timeouts"],
    ["a mirror of more than all requests", route([{ filters: [{ type: "RequestMirror", requestMirror: { backendRef: { name: "y", port: 80 }, percent: 101 } }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters[0].requestMirror.percent"],
    ["a redirect that says nothing", route([{ filters: [{ type: "RequestRedirect" }] }]), "HTTPRoute a/r", "spec.rules[0].filters[0].requestRedirect"],
    ["a filter with what belongs to another", route([{ filters: [{ type: "CORS", cors: { allowOrigins: ["*"] }, urlRewrite: { hostname: "b.com" } }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters[0].urlRewrite"],
    ["a path that is replaced by nothing said", route([{ filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath" } } }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters[0].urlRewrite.path"],
    ["a host of a redirect with a star", route([redirect({ hostname: "*.b.com" })]), "HTTPRoute a/r", "spec.rules[0].filters[0].requestRedirect.hostname"],
    ["a port that is none", route([redirect({ port: 65_536 })]), "HTTPRoute a/r", "spec.rules[0].filters[0].requestRedirect.port"],
    ["a mirror with a percentage and a fraction", route([{ filters: [{ type: "RequestMirror", requestMirror: { backendRef: { name: "y", port: 80 }, percent: 1, fraction: { numerator: 1 } } }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters[0].requestMirror"],
    ["a service without a port", route([{ backendRefs: [{ name: "x" }] }]), "HTTPRoute a/r", "spec.rules[0].backendRefs[0].port"],
    ["a port of a service that is none", route([to("x", { port: 0 })]), "HTTPRoute a/r", "spec.rules[0].backendRefs[0].port"],
    ["an empty value of a header", route([{ matches: [{ headers: [{ name: "x", value: "" }] }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].matches[0].headers[0].value"],
    ["a name that no header has", route([{ matches: [{ headers: [{ name: ":path", value: "/a" }] }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].matches[0].headers[0].name"],
    ["a name with a blank in what is set", route([{ filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "a b", value: "c" }] } }], ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters[0].requestHeaderModifier.set[0].name"],
    ["a code that is not tried again", route([{ retry: { codes: [200] }, ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].retry.codes[0]"],
    ["one parent twice", route([to("x")], { parentRefs: [{ name: "g" }, { name: "g", sectionName: "web" }] }), "HTTPRoute a/r", "spec.parentRefs[1]"],
    ["a service of gRPC with a slash", api("GRPCRoute", "r", { parentRefs: [{ name: "g" }], rules: [{ matches: [{ method: { service: "a/b" } }], ...to("x") }] }), "GRPCRoute a/r", "spec.rules[0].matches[0].method.service"],
    ["rules of a wrong type", route("none" as unknown as readonly object[]), "HTTPRoute a/r", "spec.rules"],
    ["a host with a port", route([to("x")], { hostnames: ["a.com:80"] }), "HTTPRoute a/r", "spec.hostnames[0]"],
  ];
  it.each(rows)("%s", (_, object, title, at) => {
    const world = worldOf([gateway(), object]);
    const told = [...world.unmodelled, ...world.views.flatMap(({ readings }) => readings.flatMap(({ listener }) => listener.chains.flatMap(({ then }) => (then.type === "http" ? then.virtualHosts.flatMap(({ unmodelled }) => unmodelled ?? []) : []))))];
    expect(told.map(({ where }) => where)).toContainEqual({ object: title, path: at });
  });

  // Of other hosts than the one that is none nothing is open.
  it.each(rows.filter(([claim]) => claim !== "a host with a port"))("%s: undecided against a route that is whole, in both readings, with object and path", (_, object, title, at) => {
    for (const reading of ["istiod", "specification"] as const) {
      const { outcome, undecided, differences } = compareWorlds([worldOf([gateway(), object], reading), worldOf([gateway(), route([to("y")])], reading)]);
      expect([reading, outcome, differences.map(({ request, answers }) => [request, answers.map(({ effect }) => effect)])]).toEqual([reading, "undecided", []]);
      expect(undecided.map(({ where }) => where)).toContainEqual({ object: title, path: at });
    }
  });

  it("a reference into another namespace where no ReferenceGrant is in an input that is not whole", () => {
    const objects = [gateway(), service("z", "b"), route([to("z", { namespace: "b" })])].map(({ object }) => ({ object }));
    const of = (complete: boolean) => istioWorld({ place: complete ? "whole" : "part", objects: [...ground, ...objects], complete, istio: "1.31.0", envoy: "1.40.0" });
    const { outcome, undecided } = compareWorlds([of(false), of(true)], { views: ["gateways"] });
    expect([outcome, undecided.map(({ reason, where }) => [reason, where])]).toEqual(["undecided", [["the reference to `b/z` needs a ReferenceGrant, and none is in the input", { object: "HTTPRoute a/r", path: "spec.rules[0].backendRefs[0]" }]]]);
    expect(compareWorlds([of(true), worldOf([gateway(), route([path("/")])])], { views: ["gateways"] }).outcome).toBe("equivalent");
  });

  it("the age of routes, where it decides, and not where it does not", () => {
    const two = (other: object): readonly KubeObject[] => [gateway(), route([{ ...path("/a"), ...to("x") }], {}, "r", ""), route([{ ...other, ...to("y") }], {}, "q", "")];
    expect(ask(worldOf(two(path("/a"))), { path: "/a" }).unmodelled.map(({ where }) => where?.path)).toEqual(["metadata.creationTimestamp"]);
    expect(ask(worldOf(two(path("/b"))), { path: "/a" }).unmodelled).toEqual([]);
  });

  it.each([["first", ["2026-01-01T00:00:00Z", ""]], ["last", ["", "2026-01-01T00:00:00Z"]]] as const)("the age of routes that another place knows, the one that does read %s", (_, ages) => {
    const two = (age: string): readonly KubeObject[] => [gateway(), route([{ ...path("/a"), ...to("x") }], {}, "r", age), route([{ ...path("/a"), ...to("y") }], {}, "q", age)].map(({ object }) => ({ object }));
    const worlds = istioWorlds(ages.map((age, at) => ({ place: `place ${at}`, objects: [...ground, ...two(age)], complete: true, istio: "1.31.0", envoy: "1.40.0" })));
    expect(worlds.map((world) => ask(world, { path: "/a" }).unmodelled.length)).toEqual(ages.map((age) => (age === "" ? 1 : 0)));
    expect(compareWorlds(worlds, { views: ["gateways"] }).outcome).toBe("undecided");
  });

  it("of two listeners in conflict istiod serves the first, and the specification leaves it open", () => {
    const objects = [gateway([{ name: "web", port: 80, protocol: "HTTP" }, { name: "two", port: 80, protocol: "HTTP" }]), route([to("x")], { parentRefs: [{ name: "g", sectionName: "web" }] }), route([{ ...path("/b"), ...to("y") }], { parentRefs: [{ name: "g", sectionName: "two" }] }, "q")];
    expect([said(ask(worldOf(objects), { path: "/b" }).effect), ask(worldOf(objects), {}).unmodelled]).toEqual(["x", []]);
    expect(ask(worldOf(objects, "specification"), {}).unmodelled.length).toBeGreaterThan(0);
  });

  it("of two ListenerSets of one age in conflict the first by namespace and name as one text has the listener", () => {
    const more = (namespace: string): KubeObject => api("ListenerSet", "s", { parentRef: { name: "g", namespace: "a" }, listeners: [{ name: "more", port: 81, protocol: "HTTP" }] }, namespace);
    const bound = (namespace: string, backend: string): KubeObject => api("HTTPRoute", "r", { parentRefs: [{ group: "gateway.networking.k8s.io", kind: "ListenerSet", name: "s" }], rules: [to(backend)] }, namespace);
    const objects = [gateway(undefined, { allowedListeners: { namespaces: { from: "All" } } }), service("t", "team"), service("u", "team-a"), more("team"), more("team-a"), bound("team", "t"), bound("team-a", "u")];
    for (const reading of ["istiod", "specification"] as const) expect(said(ask(worldOf(objects, reading), { port: 81 }).effect)).toBe("u");
  });

  it("to istiod a listener of TLS that does not say how is none, and leaves its host to a wider one", () => {
    const tls = { mode: "Terminate", certificateRefs: [{ name: "c" }] };
    const wide = { name: "wide", port: 443, protocol: "HTTPS", tls }, own = { name: "own", port: 443, protocol: "HTTPS", hostname: "a.com" };
    const worlds = [[wide, own], [wide]].map((listeners) => worldOf([gateway(listeners), route([to("x")], { hostnames: ["a.com"] })]));
    expect(compareWorlds(worlds, { views: ["gateways"] }).outcome).toBe("equivalent");
  });

  it("a listener of a protocol outside the standard is in conflict with none of another protocol (listener_conflict.go)", () => {
    const listeners = [{ name: "odd", port: 80, protocol: "example.com/odd" }, { name: "web", port: 80, protocol: "HTTP" }];
    const world = worldOf([gateway(listeners), route([to("x")], { parentRefs: [{ name: "g", sectionName: "web" }] })]);
    expect(said(ask(world, {}).effect)).toBe("x");
  });

  it("a backend of a kind that istiod takes where it is told to is open", () => {
    const objects = [gateway(), route([to("x", { group: "gateway.networking.x-k8s.io", kind: "XBackend" })])];
    expect(ask(worldOf(objects), {}).unmodelled.map(({ where }) => where?.path)).toEqual(["spec.rules[0].backendRefs[0]"]);
  });

  it("a Gateway of a foreign class is read as the specification says, and the answer says so", () => {
    const world = worldOf([api("Gateway", "g", { gatewayClassName: "other", listeners: [{ name: "web", port: 80, protocol: "HTTP" }] }), route([redirect({ scheme: "https" })])]);
    expect(said(ask(world, { authority: "a.com:8080" }).effect)).toBe("302 https://a.com/");
    expect(world.assumptions.find(({ where }) => where === "Gateway a/g")?.text).toContain("`other`");
  });
});

describe("a parent that the input does not hold", () => {
  const part = (objects: readonly KubeObject[], complete = false): RouteWorld => istioWorld({ place: "part", objects: [...ground, ...objects], complete, istio: "1.31.0", envoy: "1.40.0" });
  const bound = (parent: object, hostnames: readonly string[] = ["a.com"], kind = "HTTPRoute"): KubeObject => api(kind, "r", { parentRefs: [{ name: "away", namespace: "edge", ...parent }], hostnames, rules: [to("x")] });

  it("is taken to have a plain listener, as for a VirtualService", () => {
    const world = part([bound({}), service("x")]);
    expect(said(ask(world, {}).effect)).toBe("x");
    expect(world.assumptions.filter(({ where }) => where === "Gateway edge/away")).toHaveLength(1);
    expect(compareWorlds([world, part([bound({}, ["b.com"]), service("x")])]).outcome).toBe("different");
    const asVirtualService: KubeObject = { object: { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name: "r", namespace: "a" }, spec: { hosts: ["a.com"], gateways: ["edge/away"], http: [{ route: [{ destination: { host: "x", port: { number: 80 } } }] }] } } };
    expect(compareWorlds([world, part([asVirtualService, service("x")])]).outcome).toBe("equivalent");
  });

  it("has it on the port that a route names", () => expect(said(ask(part([bound({ port: 8080 }), service("x")]), { port: 8080 }).effect)).toBe("x"));

  it.each([
    ["by a section of it", {}, { sectionName: "https" }, "HTTPRoute"],
    ["that is a ListenerSet", {}, { kind: "ListenerSet" }, "HTTPRoute"],
    ["that is a ServiceEntry", {}, { group: "networking.istio.io", kind: "ServiceEntry" }, "HTTPRoute"],
    ["for connections", {}, {}, "TLSRoute"],
  ] as const)("is open where it is named %s, and an assumption where the routes are the same", (_, __, parent, kind) => {
    const [one, other] = [bound(parent, ["a.com"], kind), bound(parent, ["b.com"], kind)];
    const { outcome, undecided } = compareWorlds([part([one]), part([other])]);
    expect([outcome, undecided[0]?.where]).toEqual(["undecided", { object: `${kind} a/r`, path: "spec.parentRefs[0]" }]);
    const alike = compareWorlds([part([one]), part([one])]);
    expect([alike.outcome, alike.assumptions.some(({ where }) => where === `${kind} a/r`)]).toEqual(["equivalent", true]);
  });

  it("is nowhere where the input is whole", () => {
    const { views, unmodelled } = part([bound({ sectionName: "https" }), bound({})], true);
    expect([views.filter(({ view }) => "gateway" in view), unmodelled]).toEqual([[], []]);
  });
});
