import { type ApiReading, type Effect, istioWorld, type KubeObject, Resolver, type RouteWorld } from "#routes";

/** Worlds of Gateway API in a few words, and those on which istiod and the specification part. */

const made = (apiVersion: string, kind: string, name: string, spec: object, namespace = "a", created = "2026-01-02T00:00:00Z"): KubeObject => ({ object: { apiVersion, kind, metadata: { name, namespace, ...(created === "" ? {} : { creationTimestamp: created }) }, spec } });
export const api = (kind: string, name: string, spec: object, namespace = "a", created = "2026-01-02T00:00:00Z"): KubeObject => made("gateway.networking.k8s.io/v1", kind, name, spec, namespace, created);
export const service = (name: string, namespace = "a"): KubeObject => made("v1", "Service", name, { clusterIP: "10.0.0.1", ports: [{ name: "http", port: 80 }] }, namespace);
export const gateway = (listeners: readonly object[] = [{ name: "web", port: 80, protocol: "HTTP" }], more: object = {}): KubeObject => api("Gateway", "g", { gatewayClassName: "istio", listeners, ...more });
export const to = (name: string, more: object = {}): object => ({ backendRefs: [{ name, port: 80, ...more }] });
export const route = (rules: readonly object[], more: object = {}, name = "r", created = "2026-01-02T00:00:00Z"): KubeObject => api("HTTPRoute", name, { parentRefs: [{ name: "g" }], rules, ...more }, "a", created);
export const path = (value: string, type = "PathPrefix"): object => ({ matches: [{ path: { type, value } }] });

/** Services of every row. */
export const ground: readonly KubeObject[] = [service("x"), service("y")];

export function worldOf(objects: readonly KubeObject[], reading: ApiReading = "istiod"): RouteWorld {
  return istioWorld({ place: "p", objects: [...ground, ...objects], complete: true, reading, istio: "1.31.0", envoy: "1.40.0" });
}

export interface Asked { readonly path?: string; readonly authority?: string; readonly headers?: readonly (readonly [string, string])[]; readonly port?: number; readonly isMesh?: true; readonly tells?: "tries" | "headers" }

export function ask(world: RouteWorld, { path: target = "/", authority = "a.com", headers = [], port = 80, isMesh }: Asked) {
  const table = world.views.find(({ view }) => (isMesh === true ? "mesh" : "gateway") in view && view.port === port);
  const [reading] = table?.readings ?? [];
  if (reading === undefined) return { effect: { type: "no view" } as const, unmodelled: [] };
  const { effect, unmodelled } = new Resolver(reading.listener).answer({ method: "GET", scheme: "http", authority, path: target, headers }, "raw_buffer");
  return { effect, unmodelled };
}

/** What an answer is about, in a word or two. */
export function said(effect: Effect | { readonly type: "no view" }): string {
  if (effect.type === "redirect") return `${effect.status} ${effect.location}`;
  if (effect.type === "respond") return String(effect.status);
  if (effect.type !== "forward") return effect.type;
  const shares = effect.destinations.map((share) => ("invalid" in share ? String(share.status) : (share.host.split(".")[0] ?? "")));
  return [shares.join("+"), effect.rewrite?.path].filter((part) => part !== undefined).join(" ");
}

export const redirect = (filter: object): object => ({ filters: [{ type: "RequestRedirect", requestRedirect: filter }] });
const prefix = (value: string): object => ({ path: { type: "ReplacePrefixMatch", replacePrefixMatch: value } });
export const rewrite = (value: string): object => ({ filters: [{ type: "URLRewrite", urlRewrite: prefix(value) }] });

/** A world on a request of which the readings part. */
export interface Deviation {
  readonly claim: string;
  readonly objects: readonly KubeObject[];
  readonly asked: Asked;
  /** In words of {@link answered}; `open` where what happens is left to implementations. */
  readonly istiod: string;
  readonly specification: string;
}

/** A sidecar in the namespace of the routes. */
export const client: KubeObject = { object: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "a", labels: { app: "p" } }, spec: { containers: [{ name: "istio-proxy", args: ["proxy", "sidecar"] }] }, status: { phase: "Running", podIP: "10.1.0.3" } } };

/** What happens to the request of a row in a reading, in a word or two. */
export function answered({ objects, asked }: Pick<Deviation, "objects" | "asked">, reading: ApiReading): string {
  const { effect, unmodelled } = ask(worldOf(objects, reading), asked);
  return unmodelled.length > 0 ? "open" : `${said(effect)}${asked.tells === undefined || effect.type !== "forward" ? "" : ` ${asked.tells === "tries" ? 1 + (effect.retries?.attempts ?? 0) : JSON.stringify(effect.destinations.map((share) => share.headers?.request ?? {}))}`}`;
}

/** Every line of the table in the README of the dialect. */
export const deviations: readonly Deviation[] = [
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
  { claim: "a rule without retry", objects: [gateway(), route([to("x")])], asked: { tells: "tries" }, istiod: "x 3", specification: "x 1" },
  { claim: "a reference into another namespace in the mesh needs no grant", objects: [client, service("z", "b"), api("HTTPRoute", "r", { parentRefs: [{ group: "", kind: "Service", name: "x" }], rules: [to("z", { namespace: "b" })] })], asked: { isMesh: true, authority: "x.a.svc.cluster.local" }, istiod: "z", specification: "500" },
  { claim: "a percent sign in a header is a format", objects: [gateway(), route([{ filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "x", value: "%%" }] } }], ...to("x") }])], asked: { tells: "headers" }, istiod: 'x [{"x":["%"]}]', specification: 'x [{"x":["%%"]}]' },
  { claim: "a filter that is not known", objects: [gateway(), route([{ filters: [{ type: "ExtensionRef", extensionRef: { group: "g", kind: "K", name: "n" } }], ...to("x") }, { ...path("/b"), ...to("y") }])], asked: { path: "/b" }, istiod: "notFound", specification: "open" },
  { claim: "a mirror of a GRPCRoute to a service that is not there", objects: [gateway(), api("GRPCRoute", "r", { parentRefs: [{ name: "g" }], rules: [{ filters: [{ type: "RequestMirror", requestMirror: { backendRef: { name: "gone", port: 80 } } }], ...to("x") }] })], asked: { path: "/s/m" }, istiod: "notFound", specification: "x" },
  { claim: "a control character in the value of a header", objects: [gateway(), route([{ filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "x", value: "a\u0001" }] } }], ...to("x") }, { ...path("/b"), ...to("y") }])], asked: { path: "/b" }, istiod: "notFound", specification: "open" },
  { claim: "two listeners in conflict", objects: [gateway([{ name: "web", port: 80, protocol: "HTTP" }, { name: "two", port: 80, protocol: "HTTP" }]), route([to("x")], { parentRefs: [{ name: "g", sectionName: "web" }] }), route([{ ...path("/b"), ...to("y") }], { parentRefs: [{ name: "g", sectionName: "two" }] }, "q")], asked: { path: "/b" }, istiod: "x", specification: "open" },
  {
    claim: "of routes of one age the first by namespace, or by namespace and name as one text",
    objects: [
      gateway([{ name: "web", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } }]), service("t", "team"), service("u", "team-a"),
      ...[["team", "t"], ["team-a", "u"]].map(([namespace = "", backend = ""]) => api("HTTPRoute", "r", { parentRefs: [{ name: "g", namespace: "a" }], rules: [to(backend)] }, namespace)),
    ],
    asked: {}, istiod: "t", specification: "u",
  },
  { claim: "an expression beside a prefix (T44)", objects: [gateway(), route([{ ...path("/a.*", "RegularExpression"), ...to("x") }, { ...path("/"), ...to("y") }])], asked: { path: "/a" }, istiod: "y", specification: "open" },
];
