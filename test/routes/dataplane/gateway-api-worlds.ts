import { at, isObject, type Json, type JsonObject, listAt, objectAt } from "../../../routes/dialects/istio/json.ts";
import type { Proxy } from "../../oracles/istiod.ts";
import { random } from "../../support/seed.ts";
import type { Random } from "../../support/tables.ts";
import type { MadeWorld } from "./worlds.ts";

const API = "gateway.networking.k8s.io/v1";
const namespaces = ["a", "b"] as const;
const hosts = ["s.com", "t.com", "*.com", "u.s.com", "*.s.com"] as const;
const pathRegexes = [".*", "/a.*", "/(a|b)", "/[a-c]+/\\d{1,2}", "/x\\.y/\\w*"] as const;
const valueRegexes = [".+", "v.*", "[vw]+", "a,b", ".*"] as const;

/** A world of Gateway API under istiod, with VirtualServices beside it; the same for the same seed. */
export function apiWorldOf(seed: number, id: string): MadeWorld {
  const next = random(seed);
  for (let skipped = 0; skipped < 5; skipped++) next(9);
  return new Maker(next).world(id);
}

/** The same world with a few rules moved, changed or left out. */
export function editedApiWorld(world: MadeWorld, next: Random): MadeWorld {
  let out = world;
  for (let left = next(4); left > 0; left--) out = editedOnce(out, next);
  return out;
}

function editedOnce(world: MadeWorld, next: Random): MadeWorld {
  const routes = world.objects.filter((object) => at(object, "kind") === "HTTPRoute");
  const chosen = routes[next(Math.max(1, routes.length))];
  if (chosen === undefined) return world;
  const spec = objectAt(chosen, "spec"), rules = listAt(spec, "rules").filter(isObject);
  const at_ = next(Math.max(1, rules.length));
  const changed = [
    [...rules].reverse(),
    rules.filter((_, index) => index !== at_ || rules.length === 1),
    rules.map((rule, index) => (index === at_ && listAt(rule, "filters").length === 0 ? { ...rule, backendRefs: [{ name: "y", port: 80 }] } : rule)),
    rules.map((rule) => ({ ...rule, ...(Array.isArray(at(rule, "matches")) ? { matches: [...listAt(rule, "matches")].reverse() } : {}) })),
  ][next(4)] ?? rules;
  return { ...world, objects: world.objects.map((object) => (object === chosen ? { ...object, spec: { ...spec, rules: changed } } : object)) };
}

class Maker {
  readonly #next: Random;
  readonly #objects: JsonObject[] = [];

  constructor(next: Random) {
    this.#next = next;
  }

  world(id: string): MadeWorld {
    const gatewayOf = (name: string, namespace: string, ip: string): Proxy => ({ id: `${name}-1`, type: "gateway", namespace, labels: { "gateway.networking.k8s.io/gateway-name": name }, ip, serviceAccount: `${name}-istio` });
    const proxies: readonly Proxy[] = [
      gatewayOf("g", "a", "10.1.0.1"), gatewayOf("h", "b", "10.1.0.2"),
      { id: "plain-a", type: "sidecar", namespace: "a", labels: { app: "p" }, ip: "10.1.0.3" },
      { id: "plain-b", type: "sidecar", namespace: "b", labels: { app: "p" }, ip: "10.1.0.4" },
    ];
    for (const { id: name, namespace, labels, ip, type } of proxies) this.#pod(name, namespace, labels, ip, type === "gateway" ? "router" : "sidecar");
    this.#services();
    for (const namespace of namespaces) this.#objects.push({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { team: namespace } } });
    this.#gateway("g", "a");
    this.#gateway("h", "b");
    if (this.#chance(30)) this.#listenerSet();
    for (let left = 2 + this.#next(4), at_ = 0; at_ < left; at_++) this.#httpRoute(`r${at_}`);
    if (this.#chance(35)) this.#grpcRoute();
    if (this.#chance(35)) this.#tcpRoute();
    if (this.#chance(35)) this.#tlsRoute();
    for (const from of ["HTTPRoute", "GRPCRoute"]) {
      if (this.#chance(50)) this.#put("ReferenceGrant", `grant-${from.toLowerCase()}`, "b", { from: [{ group: "gateway.networking.k8s.io", kind: from, namespace: "a" }], to: [{ group: "", kind: "Service", ...(this.#chance(40) ? { name: "z" } : {}) }] }, "gateway.networking.k8s.io/v1beta1");
    }
    if (this.#chance(50)) this.#virtualService();
    return { id, objects: this.#objects, meshConfig: this.#chance(25) ? { pathNormalization: { normalization: this.#pick(["NONE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]) } } : {}, proxies };
  }

  #chance(percent: number): boolean {
    return this.#next(100) < percent;
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[this.#next(list.length)];
    if (found === undefined) throw new RangeError("nothing to pick from");
    return found;
  }

  #put(kind: string, name: string, namespace: string, spec: Json, apiVersion = API): void {
    this.#objects.push({ apiVersion, kind, metadata: { name, namespace, creationTimestamp: `2026-01-0${1 + this.#next(4)}T00:00:00Z` }, spec });
  }

  #pod(name: string, namespace: string, labels: Readonly<Record<string, string>>, ip: string, role: "router" | "sidecar"): void {
    this.#objects.push({
      apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels },
      spec: { serviceAccountName: "default", containers: [{ name: "istio-proxy", image: "proxy", args: ["proxy", role] }] },
      status: { podIP: ip, phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    });
  }

  #services(): void {
    const made = { creationTimestamp: "2026-01-01T00:00:00Z" };
    for (const [index, [name, namespace]] of ([["x", "a"], ["y", "a"], ["x", "b"], ["z", "b"]] as const).entries()) {
      const ports = [{ name: "http", port: 80, targetPort: 80 }, ...(this.#chance(40) ? [{ name: "http-b", port: 8080, targetPort: 8080 }] : [])];
      this.#objects.push({ apiVersion: "v1", kind: "Service", metadata: { name, namespace, ...made }, spec: { clusterIP: `10.0.0.${index + 1}`, selector: { app: name }, ports } });
    }
    this.#objects.push({ apiVersion: "v1", kind: "Service", metadata: { name: "c", namespace: "a", ...made }, spec: { clusterIP: "10.0.1.1", ports: [{ name: "tcp-db", port: 3306 }] } });
    for (const [name, namespace] of [["g", "a"], ["h", "b"]] as const) {
      this.#objects.push({ apiVersion: "v1", kind: "Service", metadata: { name: `${name}-istio`, namespace, ...made, annotations: { "networking.istio.io/exportTo": "~" } }, spec: { clusterIP: name === "g" ? "10.0.2.1" : "10.0.2.2", selector: { "gateway.networking.k8s.io/gateway-name": name }, ports: [80, 8080, 443, 8443, 9000].map((port) => ({ name: `p-${port}`, port, targetPort: port })) } });
    }
  }

  #allowed(): JsonObject {
    return { namespaces: this.#pick<JsonObject>([{ from: "All" }, { from: "All" }, { from: "All" }, { from: "All" }, { from: "Same" }, { from: "Selector", selector: { matchLabels: { team: "b" } } }, { from: "Selector", selector: { matchExpressions: [{ key: "team", operator: "In", values: ["a", "b"] }] } }]) };
  }

  #listener(name: string, port: number, protocol: string): JsonObject {
    const tls = protocol === "HTTPS" ? { tls: { mode: "Terminate", options: { "gateway.istio.io/tls-terminate-mode": "ISTIO_SIMPLE" } } } : protocol === "TLS" ? { tls: { mode: "Passthrough" } } : {};
    const needsHost = protocol === "HTTPS" || protocol === "TLS";
    return { name, port, protocol, ...(protocol !== "TCP" && (needsHost || this.#chance(35)) ? { hostname: this.#pick(hosts) } : {}), ...tls, ...(this.#chance(80) ? { allowedRoutes: this.#allowed() } : {}) };
  }

  #gateway(name: string, namespace: string): void {
    const listeners = [
      this.#listener("web", 80, "HTTP"),
      ...(this.#chance(50) ? [this.#listener("web-two", 80, "HTTP")] : []),
      ...(this.#chance(40) ? [this.#listener("alt", 8080, "HTTP")] : []),
      ...(this.#chance(40) ? [this.#listener("secure", 443, "HTTPS")] : []),
      ...(this.#chance(25) ? [this.#listener("secure-two", 443, "HTTPS")] : []),
      ...(this.#chance(40) ? [this.#listener("pass", 8443, "TLS")] : []),
      ...(this.#chance(40) ? [this.#listener("raw", 9000, "TCP")] : []),
    ];
    this.#put("Gateway", name, namespace, { gatewayClassName: "istio", listeners, ...(this.#chance(60) ? { allowedListeners: { namespaces: { from: this.#pick(["All", "Same"]) } } } : {}) });
  }

  #listenerSet(): void {
    this.#put("ListenerSet", "set", this.#pick(namespaces), { parentRef: { name: "g", namespace: "a" }, listeners: [this.#listener("more", this.#pick([80, 8080]), "HTTP")] });
  }

  #parents(section: readonly string[]): Json {
    const gateway = (): JsonObject => {
      const [name, namespace] = this.#pick([["g", "a"], ["g", "a"], ["h", "b"]] as const);
      return { name, namespace, ...(this.#chance(25) ? { sectionName: this.#pick(section) } : {}), ...(this.#chance(10) ? { port: this.#pick([80, 8080]) } : {}) };
    };
    const service = (): JsonObject => ({ group: "", kind: "Service", ...this.#pick([{ name: "x", namespace: "a" }, { name: "y", namespace: "a" }, { name: "x", namespace: "b" }]), ...(this.#chance(30) ? { port: this.#pick([80, 8080]) } : {}) });
    const set: JsonObject = { group: "gateway.networking.k8s.io", kind: "ListenerSet", name: "set", namespace: this.#pick(namespaces) };
    return [gateway(), ...(this.#chance(45) ? [service()] : []), ...(this.#chance(15) ? [set] : [])];
  }

  #backends(): Json {
    const one = (): JsonObject => ({
      ...this.#pick<JsonObject>([{ name: "x" }, { name: "y" }, { name: "x", namespace: "b" }, { name: "z", namespace: "b" }, { name: "none" }, { name: "x", namespace: "a" }, { name: "k", kind: "Other", group: "o.example" }]),
      port: this.#pick([80, 80, 80, 8080, 81]), ...(this.#chance(45) ? { weight: this.#pick([0, 1, 2, 30]) } : {}),
      ...(this.#chance(15) ? { filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: this.#headers() }] } : {}),
    });
    return Array.from({ length: this.#pick([1, 1, 1, 2, 3]) }, one);
  }

  #headers(): JsonObject {
    return { ...(this.#chance(60) ? { set: [{ name: "X-Set", value: this.#pick(["s", "t"]) }] } : {}), ...(this.#chance(50) ? { add: [{ name: "x-add", value: "a" }] } : {}), ...(this.#chance(40) ? { remove: ["x-gone"] } : {}) };
  }

  #match(prefixOnly: boolean): JsonObject {
    const kind = prefixOnly ? "PathPrefix" : this.#pick(["PathPrefix", "PathPrefix", "Exact", "RegularExpression"]);
    const value = kind === "RegularExpression" ? this.#pick(pathRegexes) : this.#pick(["/", "/a", "/a/", "/a/b", "/b", "/x.y/", "/A", "/ab"]);
    const named = (name: string): JsonObject => (this.#chance(60) ? { name, value: this.#pick(["v", "w", "1"]) } : { name, type: "RegularExpression", value: this.#pick(valueRegexes) });
    return {
      ...(this.#chance(85) ? { path: { type: kind, value } } : {}),
      ...(this.#chance(25) ? { headers: [named("x-h"), ...(this.#chance(25) ? [named(this.#pick(["X-H", "x-other"]))] : [])] } : {}),
      ...(this.#chance(20) ? { queryParams: [named("q")] } : {}),
      ...(this.#chance(20) ? { method: this.#pick(["GET", "POST"]) } : {}),
    };
  }

  #path(): JsonObject {
    return this.#chance(65) ? { type: "ReplacePrefixMatch", replacePrefixMatch: this.#pick(["/", "", "/n", "/n/", "/n/m"]) } : { type: "ReplaceFullPath", replaceFullPath: this.#pick(["/full", "/full?x=1", ""]) };
  }

  #rule(): JsonObject {
    const kind = this.#pick(["plain", "plain", "plain", "redirect", "rewrite", "nothing"]);
    const rewritesPrefix = kind === "redirect" || kind === "rewrite";
    const matches = rewritesPrefix ? [this.#match(true)] : Array.from({ length: this.#pick([1, 1, 2]) }, () => this.#match(false));
    const base = this.#chance(8) ? {} : { matches };
    const host = this.#chance(40) ? { hostname: "n.example" } : {};
    const path = this.#chance(70) ? { path: this.#path() } : {};
    if (kind === "redirect") return { ...base, filters: [{ type: "RequestRedirect", requestRedirect: { ...host, ...path, ...(this.#chance(40) ? { scheme: this.#pick(["http", "https"]) } : {}), ...(this.#chance(40) ? { port: this.#pick([80, 443, 8080]) } : {}), ...(this.#chance(40) ? { statusCode: this.#pick([301, 302]) } : {}) } }] };
    if (kind === "nothing") return { ...base, ...(this.#chance(50) ? { backendRefs: [{ name: "x", port: 80, weight: 0 }] } : {}) };
    const filters = [
      ...(kind === "rewrite" ? [{ type: "URLRewrite", urlRewrite: { ...host, ...path } }] : []),
      ...(this.#chance(20) ? [{ type: "RequestHeaderModifier", requestHeaderModifier: this.#headers() }] : []),
      ...(this.#chance(20) ? [{ type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-answer", value: "r" }] } }] : []),
      ...(this.#chance(12) ? [{ type: "RequestMirror", requestMirror: { backendRef: { name: this.#pick(["y", "none"]), port: 80 }, ...(this.#chance(50) ? { percent: 50 } : { fraction: { numerator: 1, denominator: 3 } }) } }] : []),
      ...(this.#chance(15) ? [{ type: "CORS", cors: { allowOrigins: [this.#pick(["http://o.com", "*", "http://*", "https://*.com"])], allowMethods: ["GET"], maxAge: 5 } }] : []),
      ...(this.#chance(3) ? [{ type: "ExtensionRef", extensionRef: { group: "o.example", kind: "K", name: "k" } }] : []),
    ];
    const timeouts = this.#pick<JsonObject>([{ request: "5s" }, { request: "0s" }, { request: "5s", backendRequest: "2s" }, { backendRequest: "2s" }]);
    return {
      ...base, backendRefs: this.#backends(), ...(filters.length === 0 ? {} : { filters }),
      ...(this.#chance(15) ? { timeouts } : {}), ...(this.#chance(12) ? { retry: { codes: [503], attempts: this.#pick([1, 3]), backoff: "100ms" } } : {}),
    };
  }

  #hostnames(): JsonObject {
    return this.#chance(50) ? { hostnames: [...new Set(Array.from({ length: this.#pick([1, 1, 2]) }, () => this.#pick(hosts)))] } : {};
  }

  #httpRoute(name: string): void {
    this.#put("HTTPRoute", name, this.#pick(namespaces), { parentRefs: this.#parents(["web", "web-two", "alt", "secure"]), ...this.#hostnames(), rules: Array.from({ length: 1 + this.#next(3) }, () => this.#rule()) });
  }

  #grpcRoute(): void {
    const method = (): JsonObject => this.#pick<JsonObject>([{ service: "a" }, { service: "a", method: "b" }, { method: "b" }, { type: "RegularExpression", service: "[a-c]+" }]);
    this.#put("GRPCRoute", "grpc", this.#pick(namespaces), { parentRefs: this.#parents(["web", "secure"]), ...this.#hostnames(), rules: [{ ...(this.#chance(85) ? { matches: [{ method: method(), ...(this.#chance(30) ? { headers: [{ name: "x-h", value: "v" }] } : {}) }] } : {}), backendRefs: [{ name: "y", namespace: "a", port: 80 }] }] });
  }

  #tcpRoute(): void {
    this.#put("TCPRoute", "tcp", "a", { parentRefs: [{ name: "g", namespace: "a", sectionName: "raw" }, ...(this.#chance(50) ? [{ group: "", kind: "Service", name: "c", namespace: "a" }] : [])], rules: [{ backendRefs: this.#pick<Json>([[{ name: "c", port: 3306 }], [{ name: "c", port: 3306, weight: 0 }], [{ name: "c", port: 3306 }, { name: "x", port: 80, weight: 2 }]]) }] });
  }

  #tlsRoute(): void {
    this.#put("TLSRoute", "tls", "a", { parentRefs: [{ name: "g", namespace: "a", sectionName: "pass" }], hostnames: [this.#pick(hosts)], rules: [{ backendRefs: [{ name: "x", port: 80 }] }] });
  }

  #virtualService(): void {
    this.#put("VirtualService", "v", this.#pick(namespaces), { hosts: [this.#pick(["x.a.svc.cluster.local", "*.a.svc.cluster.local", "y.a.svc.cluster.local"])], http: [{ match: [{ uri: { prefix: "/a" } }], route: [{ destination: { host: "z.b.svc.cluster.local" } }] }, { route: [{ destination: { host: "y.a.svc.cluster.local" } }] }] }, "networking.istio.io/v1");
  }
}
