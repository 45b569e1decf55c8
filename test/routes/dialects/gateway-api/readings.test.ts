import { describe, expect, it } from "vitest";
import { type ApiReading, type Effect, istioWorld, type KubeObject, Resolver, type RouteWorld } from "#routes";

const made = (apiVersion: string, kind: string, name: string, spec: object, namespace = "a", created = "2026-01-02T00:00:00Z"): KubeObject => ({ object: { apiVersion, kind, metadata: { name, namespace, ...(created === "" ? {} : { creationTimestamp: created }) }, spec } });
const api = (kind: string, name: string, spec: object, namespace = "a", created = "2026-01-02T00:00:00Z"): KubeObject => made("gateway.networking.k8s.io/v1", kind, name, spec, namespace, created);
const service = (name: string, namespace = "a"): KubeObject => made("v1", "Service", name, { clusterIP: "10.0.0.1", ports: [{ name: "http", port: 80 }] }, namespace);
const gateway = (listeners: readonly object[] = [{ name: "web", port: 80, protocol: "HTTP" }], more: object = {}): KubeObject => api("Gateway", "g", { gatewayClassName: "istio", listeners, ...more });
const to = (name: string, more: object = {}): object => ({ backendRefs: [{ name, port: 80, ...more }] });
const route = (rules: readonly object[], more: object = {}, name = "r", created = "2026-01-02T00:00:00Z"): KubeObject => api("HTTPRoute", name, { parentRefs: [{ name: "g" }], rules, ...more }, "a", created);
const path = (value: string, type = "PathPrefix"): object => ({ matches: [{ path: { type, value } }] });

function worldOf(objects: readonly KubeObject[], reading: ApiReading = "istiod"): RouteWorld {
  return istioWorld({ place: "p", objects: [service("x"), service("y"), ...objects], complete: true, reading, istio: "1.31.0", envoy: "1.40.0" });
}

interface Asked { readonly path?: string; readonly authority?: string; readonly headers?: readonly (readonly [string, string])[]; readonly port?: number }

function ask(world: RouteWorld, { path: target = "/", authority = "a.com", headers = [], port = 80 }: Asked) {
  const table = world.views.find(({ view }) => "gateway" in view && view.port === port);
  const [reading] = table?.readings ?? [];
  if (reading === undefined) return { effect: { type: "no view" } as const, unmodelled: [] };
  const { effect, unmodelled } = new Resolver(reading.listener).answer({ method: "GET", scheme: "http", authority, path: target, headers }, "raw_buffer");
  return { effect, unmodelled };
}

/** What an answer is about, in a word or two. */
function said(effect: Effect | { readonly type: "no view" }): string {
  if (effect.type === "redirect") return `${effect.status} ${effect.location}`;
  if (effect.type === "respond") return String(effect.status);
  if (effect.type !== "forward") return effect.type;
  const shares = effect.destinations.map((share) => ("invalid" in share ? String(share.status) : (share.host.split(".")[0] ?? "")));
  return [shares.join("+"), effect.rewrite?.path].filter((part) => part !== undefined).join(" ");
}

const redirect = (filter: object): object => ({ filters: [{ type: "RequestRedirect", requestRedirect: filter }] });
const prefix = (value: string): object => ({ path: { type: "ReplacePrefixMatch", replacePrefixMatch: value } });
const rewrite = (value: string): object => ({ filters: [{ type: "URLRewrite", urlRewrite: prefix(value) }] });

interface Deviation { readonly claim: string; readonly objects: readonly KubeObject[]; readonly asked: Asked; readonly istiod: string; readonly specification: string }

describe("istiod and the specification answer differently", () => {
  const rows: readonly Deviation[] = [
    { claim: "a redirect to a scheme keeps the port of Host", objects: [gateway(), route([redirect({ scheme: "https" })])], asked: { authority: "a.com:8080" }, istiod: "302 https://a.com:8080/", specification: "302 https://a.com/" },
    { claim: "a redirect without scheme on port 80 keeps the port of Host", objects: [gateway(), route([redirect({ statusCode: 301 })])], asked: { authority: "a.com:8080" }, istiod: "301 http://a.com:8080/", specification: "301 http://a.com/" },
    { claim: "a replaced prefix of a redirect keeps its slash", objects: [gateway(), route([{ ...path("/foo"), ...redirect(prefix("/xyz/")) }])], asked: { path: "/foo/bar" }, istiod: "302 http://a.com/xyz//bar", specification: "302 http://a.com/xyz/bar" },
    { claim: "an empty prefix of a redirect is none (T73)", objects: [gateway(), route([{ ...path("/foo"), ...redirect(prefix("")) }])], asked: { path: "/foo/bar" }, istiod: "302 http://a.com/foo/bar", specification: "302 http://a.com/bar" },
    { claim: "the root is rewritten without a slash between (T74)", objects: [gateway(), route([{ ...path("/"), ...rewrite("/xyz"), ...to("x") }])], asked: { path: "/bar" }, istiod: "x /xyzbar", specification: "x /xyz/bar" },
    { claim: "a listener without routes leaves its host to a wider one", objects: [gateway([{ name: "web", port: 80, protocol: "HTTP" }, { name: "own", port: 80, protocol: "HTTP", hostname: "b.com" }]), route([to("x")], { parentRefs: [{ name: "g", sectionName: "web" }] })], asked: { authority: "b.com" }, istiod: "x", specification: "notFound" },
    { claim: "two spellings of a header are two tests", objects: [gateway(), route([{ matches: [{ headers: [{ name: "Foo", value: "1" }, { name: "foo", value: "2" }] }], ...to("x") }])], asked: { headers: [["foo", "1"]] }, istiod: "notFound", specification: "x" },
    { claim: "a service of gRPC alone takes its own name", objects: [gateway(), api("GRPCRoute", "r", { parentRefs: [{ name: "g" }], rules: [{ matches: [{ method: { service: "s" } }], ...to("x") }] })], asked: { path: "/s" }, istiod: "x", specification: "notFound" },
    { claim: "the older of two kinds has a host", objects: [gateway(), route([{ ...path("/a"), ...to("x") }], {}, "r", "2026-01-01T00:00:00Z"), api("GRPCRoute", "q", { parentRefs: [{ name: "g" }], rules: [to("y")] })], asked: { path: "/b" }, istiod: "y", specification: "notFound" },
    { claim: "a route of the listener's own host is tried first", objects: [gateway([{ name: "web", port: 80, protocol: "HTTP", hostname: "a.com" }]), route([{ ...path("/a"), ...to("x") }]), route([to("y")], { hostnames: ["a.com"] }, "q")], asked: { path: "/a" }, istiod: "x", specification: "y" },
  ];
  it.each(rows)("$claim", ({ objects, asked, istiod, specification }) => {
    expect([said(ask(worldOf(objects), asked).effect), said(ask(worldOf(objects, "specification"), asked).effect)]).toEqual([istiod, specification]);
  });

  it("an expression stands behind every prefix, or its rank is open (T44)", () => {
    const objects = [gateway(), route([{ ...path("/a.*", "RegularExpression"), ...to("x") }, { ...path("/"), ...to("y") }])];
    expect(said(ask(worldOf(objects), { path: "/a" }).effect)).toBe("y");
    expect(ask(worldOf(objects, "specification"), { path: "/a" }).unmodelled.map(({ where }) => where)).toEqual([{ object: "HTTPRoute a/r", path: "spec.rules[0].matches[0]" }]);
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
    { claim: "no backend is 500 (T46)", objects: [gateway(), route([path("/")])], asked: {}, answer: "500" },
    { claim: "backends without weight are 500", objects: [gateway(), route([to("x", { weight: 0 })])], asked: {}, answer: "500" },
    { claim: "a backend that is not there has its share of 500 (T47)", objects: [gateway(), route([{ backendRefs: [{ name: "x", port: 80 }, { name: "gone", port: 80 }] }])], asked: {}, answer: "x+500" },
    { claim: "a reference without a grant is 500", objects: foreign(), asked: {}, answer: "500" },
    { claim: "a grant to another kind is none", objects: [...foreign(), grant("GRPCRoute")], asked: {}, answer: "500" },
    { claim: "a reference with a grant leads there", objects: [...foreign(), grant("HTTPRoute")], asked: {}, answer: "z" },
    { claim: "a prefix that is taken away leaves a slash", objects: [gateway(), route([{ ...path("/foo"), ...rewrite("/"), ...to("x") }])], asked: { path: "/foo?q" }, answer: "x /?q" },
    { claim: "and what is below it", objects: [gateway(), route([{ ...path("/foo"), ...rewrite(""), ...to("x") }])], asked: { path: "/foo/b" }, answer: "x /b" },
    { claim: "an exact path is tried before a longer prefix, whatever the order", objects: [gateway(), route([{ ...path("/a"), ...to("x") }, { ...path("/a", "Exact"), ...to("y") }])], asked: { path: "/a" }, answer: "y" },
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
  const own: KubeObject = { object: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "a", labels: {} }, spec: { containers: [{ name: "istio-proxy" }] }, status: { phase: "Running" } } };
  const parent = { group: "", kind: "Service", name: "x", ...(port === undefined ? {} : { port }) };
  const world = worldOf([own, api("HTTPRoute", "r", { parentRefs: [parent], rules: [{ ...path("/foo"), ...rewrite("/"), ...to("y") }] })]);
  const listener = world.views.find(({ view }) => "mesh" in view && view.port === 80)?.readings[0]?.listener;
  const answers = ["/foo", "/foo/b"].map((target) => listener && said(new Resolver(listener).answer({ method: "GET", scheme: "http", authority: "x.a.svc.cluster.local", path: target, headers: [], destination: { port: 80, address: "10.0.0.1" } }, "raw_buffer").effect));
  expect(answers).toEqual(["y /", "y /b"]);
});

describe("what is not modelled is told where it stands", () => {
  const rows: readonly (readonly [claim: string, object: KubeObject, object: string, path: string])[] = [
    ["an unknown field", route([{ ...to("x"), newer: true }]), "HTTPRoute a/r", "spec.rules[0].newer"],
    ["a path that an API server refuses", route([{ ...path("/a//b"), ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].matches[0].path.value"],
    ["a redirect and a rewrite", route([{ filters: [{ type: "RequestRedirect", requestRedirect: {} }, { type: "URLRewrite", urlRewrite: {} }] }]), "HTTPRoute a/r", "spec.rules[0].filters"],
    ["a replaced prefix of an exact path", route([{ ...path("/a", "Exact"), ...rewrite("/b"), ...to("x") }]), "HTTPRoute a/r", "spec.rules[0].filters[0]"],
    ["a weight beyond the limit", route([to("x", { weight: 1_000_001 })]), "HTTPRoute a/r", "spec.rules[0].backendRefs[0].weight"],
    ["a host with a port", route([to("x")], { hostnames: ["a.com:80"] }), "HTTPRoute a/r", "spec.hostnames[0]"],
  ];
  it.each(rows)("%s", (_, object, title, at) => {
    const world = worldOf([gateway(), object]);
    const told = [...world.unmodelled, ...world.views.flatMap(({ readings }) => readings.flatMap(({ listener }) => listener.chains.flatMap(({ then }) => (then.type === "http" ? then.virtualHosts.flatMap(({ unmodelled }) => unmodelled ?? []) : []))))];
    expect(told.map(({ where }) => where)).toContainEqual({ object: title, path: at });
  });

  it("the age of routes, where it decides, and not where it does not", () => {
    const two = (other: object): readonly KubeObject[] => [gateway(), route([{ ...path("/a"), ...to("x") }], {}, "r", ""), route([{ ...other, ...to("y") }], {}, "q", "")];
    expect(ask(worldOf(two(path("/a"))), { path: "/a" }).unmodelled.map(({ where }) => where?.path)).toEqual(["metadata.creationTimestamp"]);
    expect(ask(worldOf(two(path("/b"))), { path: "/a" }).unmodelled).toEqual([]);
  });

  it("of two listeners in conflict istiod serves the first, and the specification leaves it open", () => {
    const objects = [gateway([{ name: "web", port: 80, protocol: "HTTP" }, { name: "two", port: 80, protocol: "HTTP" }]), route([to("x")], { parentRefs: [{ name: "g", sectionName: "web" }] }), route([{ ...path("/b"), ...to("y") }], { parentRefs: [{ name: "g", sectionName: "two" }] }, "q")];
    expect([said(ask(worldOf(objects), { path: "/b" }).effect), ask(worldOf(objects), {}).unmodelled]).toEqual(["x", []]);
    expect(ask(worldOf(objects, "specification"), {}).unmodelled.length).toBeGreaterThan(0);
  });

  it("a Gateway of a foreign class is read as the specification says, and the answer says so", () => {
    const world = worldOf([api("Gateway", "g", { gatewayClassName: "other", listeners: [{ name: "web", port: 80, protocol: "HTTP" }] }), route([redirect({ scheme: "https" })])]);
    expect(said(ask(world, { authority: "a.com:8080" }).effect)).toBe("302 https://a.com/");
    expect(world.assumptions.find(({ where }) => where === "Gateway a/g")?.text).toContain("`other`");
  });
});
