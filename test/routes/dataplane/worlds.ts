import { createHmac } from "node:crypto";
import type { Json, JsonObject } from "../../../routes/dialects/istio/json.ts";
import type { Proxy } from "../../oracles/istiod.ts";
import { random } from "../../support/seed.ts";

/** One place as a test makes it: objects of an API server, and the proxies that look at them. */
export interface MadeWorld {
  readonly id: string;
  readonly objects: readonly JsonObject[];
  readonly meshConfig: JsonObject;
  readonly proxies: readonly Proxy[];
}

const API = "networking.istio.io/v1";
const namespaces = ["a", "b"] as const;
const gateways = ["a/g", "b/h"] as const;

/** Hosts that gateways serve and that VirtualServices of gateways name. */
const outerHosts = ["s.com", "t.com", "*.com", "*", "S.com", "u.s.com", "*.s.com"] as const;
const meshHosts = ["x", "y.a.svc.cluster.local", "x.b.svc.cluster.local", "ext.com", "*.ext.com", "*.cluster.local", "none.com", "*.b.svc.cluster.local", "X.a.svc.cluster.local", "z"] as const;

/** Regexes and words at their edges. */
export const edges: Readonly<Record<string, readonly string[]>> = {
  ".*": [""], "/a.*": ["/a", "/ab", "/b"], "/(a|b)": ["/a", "/b", "/c"], "/a|/b": ["/a", "/b", "/ax", "/a/b"], "/[a-c]+/\\d{1,2}": ["/a/1", "/abc/12", "/a/123", "/d/1"],
  "/A": ["/A", "/a"], "(?i)/a/b": ["/A/b", "/a/B", "/a/c"], ".+": ["", "x"], "v.*": ["v", "vw", "w"], "[vw]+": ["v", "wv", "x", ""], "a.c": ["abc", "aéc", "a\udcffc", "ac"], "[^a]": ["b", "a", "é", "\udcff"],
  "(?i)k": ["k", "K", "\u212a"], "a,b": ["a,b", "a", "b"], "^v$": ["v", "vv"], "/x\\.y/\\w*": ["/x.y/", "/xzy/", "/x.y/a_1", "/x.y/a-1"],
};
const pathRegexes = [".*", "/a.*", "/(a|b)", "/a|/b", "/[a-c]+/\\d{1,2}", "/A", "(?i)/a/b", "/x\\.y/\\w*"] as const;
const valueRegexes = [".+", "v.*", "[vw]+", "a.c", "[^a]", "(?i)k", "a,b", "^v$", ".*"] as const;

const KEY = Buffer.from("a key that is no secret, of 32 B");
const ISSUER = "test@cloud-assert";

/** A token that the gateways of a made world take. */
export function tokenOf(claims: Json): string {
  const part = (value: Json): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", kid: "k" })}.${part({ iss: ISSUER, sub: "s", ...(typeof claims === "object" ? claims : {}) })}`;
  return `${signed}.${createHmac("sha256", KEY).update(signed).digest("base64url")}`;
}

/** A world of every construct that the dialect knows; the same for the same seed. */
export function worldOf(seed: number, id: string): MadeWorld {
  return new Maker(random(seed)).world(id);
}

/** Draws the parts of one world. */
class Maker {
  readonly #next: (bound: number) => number;
  readonly #objects: JsonObject[] = [];

  constructor(next: (bound: number) => number) {
    this.#next = next;
  }

  world(id: string): MadeWorld {
    this.#services();
    this.#gateways();
    const gatewayClient: Proxy = { id: "gw-1", type: "gateway", namespace: "istio-system", labels: { istio: "ingress" }, ip: "10.1.0.1", serviceAccount: "default" };
    const clients: readonly Proxy[] = [
      gatewayClient,
      { id: "plain-a", type: "sidecar", namespace: "a", labels: { app: "p" }, ip: "10.1.0.2" },
      { id: "app-a", type: "sidecar", namespace: "a", labels: { app: "a" }, ip: "10.1.0.3" },
      { id: "plain-b", type: "sidecar", namespace: "b", labels: { app: "p" }, ip: "10.1.0.4" },
    ];
    for (const { id: name, namespace, labels, ip, type } of clients) this.#pod(name, namespace, labels, ip, type === "gateway" ? "router" : "sidecar");
    const virtual = this.#between(3, 6);
    for (let at = 0; at < virtual; at++) this.#virtualService(`v${at}`);
    for (const name of ["d1", "d2"]) if (this.#chance(60)) this.#put("VirtualService", name, this.#pick(namespaces), { ...(this.#chance(15) ? { exportTo: ["."] } : {}), http: this.#many(1, 2, () => this.#rule("leaf")) });
    for (let at = this.#between(0, 3); at > 0; at--) this.#destinationRule(`r${at}`);
    for (let at = this.#between(0, 2); at > 0; at--) if (this.#chance(40)) this.#sidecar(`s${at}`);
    return { id, objects: this.#objects, meshConfig: this.#meshConfig(), proxies: clients };
  }

  #chance(percent: number): boolean {
    return this.#next(100) < percent;
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[this.#next(list.length)];
    if (found === undefined) throw new RangeError("nothing to pick from");
    return found;
  }

  #between(min: number, max: number): number {
    return min + this.#next(max - min + 1);
  }

  #many<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: this.#between(min, max) }, make);
  }

  /** Fields that are there with a chance each. */
  #some(fields: Readonly<Record<string, readonly [chance: number, make: () => Json]>>): JsonObject {
    const out: Record<string, Json> = {};
    for (const [name, [chance, make]] of Object.entries(fields)) if (this.#chance(chance)) out[name] = make();
    return out;
  }

  #put(kind: string, name: string, namespace: string, spec: Json, apiVersion = API): void {
    this.#objects.push({ apiVersion, kind, metadata: { name, namespace, creationTimestamp: `2026-01-0${this.#between(1, 4)}T00:00:00Z` }, spec });
  }

  #pod(name: string, namespace: string, labels: Readonly<Record<string, string>>, ip: string, role: "router" | "sidecar"): void {
    this.#objects.push({
      apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels },
      spec: { serviceAccountName: "default", containers: [{ name: "istio-proxy", image: "proxy", args: ["proxy", role] }] },
      status: { podIP: ip, phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    });
  }

  #services(): void {
    let address = 1;
    for (const [name, namespace] of [["x", "a"], ["y", "a"], ["x", "b"], ["z", "b"]] as const) {
      if (!this.#chance(85)) continue;
      const ports = [...(this.#chance(90) ? [{ name: "http", port: 80, targetPort: 8000 }] : []), ...(this.#chance(45) ? [{ name: "http-b", port: 8080, targetPort: 8001 }] : [])];
      if (ports.length === 0) ports.push({ name: "http-c", port: 9080, targetPort: 8000 });
      const exported = this.#chance(10) ? { annotations: { "networking.istio.io/exportTo": "." } } : {};
      const clusterIP = this.#chance(15) ? "None" : `10.0.0.${address++}`;
      this.#objects.push({ apiVersion: "v1", kind: "Service", metadata: { name, namespace, creationTimestamp: "2026-01-01T00:00:00Z", ...exported }, spec: { clusterIP, selector: { app: name }, ports } });
      this.#workload(name, namespace, ports, address);
    }
    for (const [name, port] of [["s", { name: "tls", port: 443 }], ["c", { name: "tcp-db", port: 3306 }]] as const) {
      if (this.#chance(50)) this.#objects.push({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "a", creationTimestamp: "2026-01-01T00:00:00Z" }, spec: { clusterIP: `10.0.1.${address++}`, ports: [port] } });
    }
    if (this.#chance(60)) {
      this.#put("ServiceEntry", "ext", this.#pick(namespaces), {
        hosts: ["ext.com", ...(this.#chance(30) ? ["q.ext.com"] : [])], location: "MESH_EXTERNAL", resolution: "NONE",
        ports: [{ number: this.#pick([80, 8080]), name: "http", protocol: "HTTP" }], ...(this.#chance(15) ? { exportTo: ["."] } : {}),
      });
    }
    this.#objects.push({
      apiVersion: "v1", kind: "Service", metadata: { name: "ingress", namespace: "istio-system", creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: { clusterIP: "10.0.2.1", selector: { istio: "ingress" }, ports: [{ name: "http", port: 80, ...(this.#chance(50) ? { targetPort: 8080 } : {}) }, { name: "https", port: 443, targetPort: 8443 }] },
    });
  }

  /** Two versions behind a service, so that subsets are something. */
  #workload(name: string, namespace: string, ports: readonly { readonly name: string; readonly targetPort: number }[], number: number): void {
    const endpoints = ["1", "2"].map((version) => {
      const ip = `10.2.${number}.${version}`, pod = `${name}-${version}`;
      this.#objects.push({
        apiVersion: "v1", kind: "Pod", metadata: { name: pod, namespace, labels: { app: name, v: version } },
        spec: { containers: [{ name: "app", image: "app" }] }, status: { podIP: ip, phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
      });
      return { addresses: [ip], conditions: { ready: true }, targetRef: { kind: "Pod", name: pod, namespace } };
    });
    this.#objects.push({
      apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } }, addressType: "IPv4",
      ports: ports.map((port) => ({ name: port.name, port: port.targetPort, protocol: "TCP" })), endpoints,
    });
  }

  #gateways(): void {
    for (const full of gateways) {
      if (!this.#chance(85)) continue;
      const [namespace = "", name = ""] = full.split("/");
      const hosts = (): Json => this.#many(1, 2, () => this.#pick(["*", "s.com", "a/*", "./*", "*/t.com", "b/s.com", "*.com", "a/S.com"]));
      const http = { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: hosts(), ...(this.#chance(20) ? { tls: { httpsRedirect: true } } : {}) };
      const more: readonly (readonly [number, () => Json])[] = [
        [30, () => ({ port: { number: 8080, name: "http-b", protocol: this.#pick(["HTTP", "HTTP2", "GRPC"]) }, hosts: ["*"] })],
        [25, () => ({ port: { number: 443, name: "https", protocol: "HTTPS" }, hosts: this.#pick([["s.com"], ["*.com"], ["t.com", "u.s.com"], ["a/s.com"], ["*"]]), tls: { mode: "SIMPLE", credentialName: "c" } })],
        [15, () => ({ port: { number: 443, name: "https-b", protocol: "HTTPS" }, hosts: this.#pick([["t.com"], ["*.s.com"]]), tls: { mode: "SIMPLE", credentialName: "c" } })],
        [20, () => ({ port: { number: 9443, name: "tls", protocol: "TLS" }, hosts: this.#pick([["*"], ["s.com"], ["*.com"]]), tls: { mode: "PASSTHROUGH" } })],
        [15, () => ({ port: { number: 3306, name: "tcp", protocol: "TCP" }, hosts: ["*"] })],
      ];
      this.#put("Gateway", name, namespace, { selector: { istio: "ingress" }, servers: [...(this.#chance(90) ? [http] : []), ...more.flatMap(([chance, make]) => (this.#chance(chance) ? [make()] : []))] });
      const last = this.#objects.at(-1);
      if (JSON.stringify(last).includes('"servers":[]')) this.#objects.pop();
    }
  }

  #virtualService(name: string): void {
    const bound = this.#chance(50) ? [this.#pick(gateways)] : this.#chance(25) ? [this.#pick(gateways), "mesh"] : [];
    const pool: readonly string[] = bound.length === 0 ? meshHosts : bound.includes("mesh") ? [...outerHosts.filter((host) => host !== "*"), ...meshHosts] : outerHosts;
    const connections = this.#some({
      tls: [12, () => this.#many(1, 2, () => ({ match: this.#many(1, 2, () => ({ sniHosts: [this.#pick(["s.com", "*.com", "s.a.svc.cluster.local"])], ...this.#l4() })), route: this.#shares() }))],
      tcp: [12, () => this.#many(1, 2, () => ({ ...(this.#chance(60) ? { match: [this.#l4()] } : {}), route: this.#shares() }))],
    });
    const hosts = [...new Set([...this.#many(1, 2, () => this.#pick(pool)), ...(Object.keys(connections).length > 0 ? [bound.length === 0 ? this.#pick(["s.a.svc.cluster.local", "c.a.svc.cluster.local"]) : "s.com"] : [])])];
    const tls = "tls" in connections ? { ...connections, tls: withCoveredNames(connections["tls"], hosts) } : connections;
    const http = this.#many(1, 4, () => this.#rule("root", bound.length > 0 && !bound.includes("mesh")));
    this.#put("VirtualService", name, this.#pick(namespaces), {
      hosts: hosts.filter((host, index) => !hosts.some((other, at) => covers(other, host) && (at < index || !covers(host, other)) && other !== host)), ...(bound.length === 0 ? {} : { gateways: bound }),
      ...this.#some({ exportTo: [20, () => [this.#pick([".", "*", "a", "b", "istio-system"])]] }), ...tls, http,
    });
  }

  #l4(): JsonObject {
    return this.#some({
      destinationSubnets: [30, () => [this.#pick(["10.0.0.0/8", "10.0.1.0/24", "192.168.0.0/16"])]], port: [25, () => this.#pick([443, 3306, 9443])],
      sourceLabels: [15, () => ({ app: "a" })], gateways: [15, () => [this.#pick([...gateways, "mesh"])]],
    });
  }

  #shares(): Json {
    const target = (): JsonObject => ({ destination: { host: this.#pick(["x.a.svc.cluster.local", "s.a.svc.cluster.local", "c.a.svc.cluster.local"]), port: { number: this.#pick([80, 443, 3306]) } } });
    return this.#chance(70) ? [target()] : [{ ...target(), weight: 1 }, { ...target(), weight: this.#pick([0, 3]) }];
  }

  #stringMatch(values: readonly string[], regexes: readonly string[], empty: boolean): Json {
    const kind = this.#pick(empty ? (["exact", "prefix", "regex", "present"] as const) : (["exact", "prefix", "regex"] as const));
    if (kind === "present") return {};
    return kind === "regex" ? { regex: this.#pick(regexes) } : { [kind]: this.#pick(values.filter((value) => value !== "" || kind === "exact")) };
  }

  #uri(): Json {
    return this.#pick(["exact", "prefix", "prefix", "regex"]) === "regex"
      ? { regex: this.#pick(pathRegexes) }
      : this.#chance(40) ? { exact: this.#pick(["/a", "/a/b", "/A", "/x.y", "/a%20b", "/a//b"]) } : { prefix: this.#pick(["/", "/a", "/a/", "/b", "", "/A", "/a//", "/a%2Fb"]) };
  }

  #match(claims: boolean): JsonObject {
    const value = (): Json => this.#stringMatch(["v", "w", "", "vw", "a,b", "é"], valueRegexes, true);
    const name = (): string => this.#pick(["x", "k", "X", "cookie"]);
    return this.#some({
      uri: [70, () => this.#uri()],
      headers: [30, () => ({ [this.#chance(10) ? this.#pick([":path", ":method", ":authority"]) : name()]: value(), ...(claims && this.#chance(30) ? { [this.#pick(["@request.auth.claims.g", "@request.auth.claims[o][i]"])]: { exact: "v" } } : {}) })],
      withoutHeaders: [15, () => ({ [name()]: value(), ...(claims && this.#chance(15) ? { "@request.auth.claims.g": { exact: "v" } } : {}) })],
      method: [12, () => ({ exact: this.#pick(["GET", "POST", "get"]) })],
      authority: [10, () => this.#stringMatch(["s", "s.com", "s.com:8080", "x"], ["s.*", ".*:80"], false)],
      scheme: [6, () => ({ exact: this.#pick(["http", "https"]) })],
      queryParams: [15, () => ({ [this.#pick(["q", "r"])]: this.#stringMatch(["1", "a%20b", ""], [".*", "[0-9]+"], true) })],
      ignoreUriCase: [12, () => true],
      port: [10, () => this.#pick([80, 8080, 443])],
      gateways: [10, () => [this.#pick([...gateways, "mesh"])]],
      sourceLabels: [10, () => ({ app: this.#pick(["a", "q"]) })],
      sourceNamespace: [10, () => this.#pick(namespaces)],
    });
  }

  #destination(): JsonObject {
    return {
      host: this.#pick(["x", "y", "x.b.svc.cluster.local", "y.a.svc.cluster.local", "x.a.svc.cluster.local", "ext.com", "nope", "x.b"]),
      ...this.#some({ port: [40, () => ({ number: this.#pick([80, 8080, 9080, 9]) })], subset: [30, () => this.#pick(["v1", "v2"])] }),
    };
  }

  #operations(): JsonObject {
    const names = ["x", "z", "X", "k"] as const;
    const one = (): JsonObject => this.#some({ set: [60, () => ({ [this.#pick([...names, "Host"])]: this.#pick(["1", "100%%"]) })], add: [50, () => ({ [this.#pick(names)]: "2" })], remove: [40, () => [this.#pick(names)]] });
    return this.#some({ request: [65, one], response: [50, () => this.#some({ set: [50, () => ({ [this.#pick(names)]: "r1" })], add: [40, () => ({ [this.#pick(names)]: "r2" })], remove: [40, () => [this.#pick(names)]] })] });
  }

  #percentage(): Json {
    return { value: this.#pick([100, 100, 0, 50, 0.57, 0.1]) };
  }

  #rule(level: "root" | "leaf", claims = false): JsonObject {
    const match = this.#chance(82) ? { match: this.#many(1, 3, () => this.#match(claims)).filter((one) => Object.keys(one).length > 0) } : {};
    const when = match.match?.length === 0 ? {} : match;
    const named = this.#chance(30) ? { name: this.#pick(["one", "two"]) } : {};
    if (level === "root" && this.#chance(18)) {
      return { ...when, ...named, delegate: { name: this.#pick(["d1", "d2", "d9"]), ...(this.#chance(60) ? { namespace: this.#pick(namespaces) } : {}) }, ...this.#some({ timeout: [20, () => "2s"], headers: [15, () => this.#operations()], retries: [10, () => ({ attempts: 1 })] }) };
    }
    const headers = this.#some({ headers: [20, () => this.#operations()] });
    const kind = this.#between(0, 9);
    if (kind === 0) return { ...when, ...named, ...headers, redirect: this.#redirect(!/"uri":\{"(exact|regex)/.test(JSON.stringify(when))) };
    if (kind === 1) return { ...when, ...named, ...headers, directResponse: { status: this.#pick([200, 204, 404, 418, 503]), ...(this.#chance(60) ? { body: this.#pick([{ string: "t" }, { bytes: "/wB4" }]) } : {}) } };
    const share = (weight?: number): JsonObject => ({ destination: this.#destination(), ...(weight === undefined ? {} : { weight }), ...this.#some({ headers: [25, () => this.#operations()] }) });
    const route = this.#chance(60) ? [share()] : [share(this.#pick([1, 30, 2])), share(this.#pick([0, 70, 2])), ...(this.#chance(20) ? [share(5)] : [])];
    return { ...when, ...named, ...headers, route, ...this.#extras() };
  }

  #extras(): JsonObject {
    return this.#some({
      rewrite: [18, () => this.#pick<Json>([{ uri: "/w" }, { uri: "/" }, { uri: "/w/" }, { authority: "w.com" }, { uri: "/w", authority: "w.com:81" }, { uriRegexRewrite: { match: "a", rewrite: "b" } }, { uriRegexRewrite: { match: "^/([^/]+)/(.*)$", rewrite: "/\\2/\\1" } }, { uriRegexRewrite: { match: ".*", rewrite: "/all" } }])],
      timeout: [15, () => this.#pick(["3s", "1.5s", "2m"])],
      retries: [18, () => this.#retries()],
      ...(this.#chance(50) ? { mirror: [14, () => this.#destination()] as const } : { mirrors: [14, () => this.#many(1, 2, () => ({ destination: this.#destination(), ...(this.#chance(50) ? { percentage: this.#percentage() } : {}) }))] as const }),
      fault: [10, () => this.#pick<Json>([
        { abort: { httpStatus: 503, percentage: this.#percentage() } }, { abort: { httpStatus: 418, percentage: { value: 100 } } }, { abort: { httpStatus: 500, percentage: { value: 50 } } },
        { delay: { fixedDelay: "0.001s", percentage: { value: 100 } } }, { delay: { fixedDelay: "0.002s", percentage: { value: 0.57 } }, abort: { httpStatus: 429, percentage: { value: 0 } } }, { abort: { grpcStatus: "UNAVAILABLE", percentage: { value: 100 } } },
      ])],
      corsPolicy: [12, () => ({
        ...this.#some({ allowOrigins: [85, () => [this.#pick<Json>([{ exact: "http://o.com" }, { prefix: "http://" }, { regex: "http://.*\\.com" }])]], allowMethods: [50, () => ["GET", "POST"]], allowHeaders: [30, () => ["x"]], exposeHeaders: [30, () => ["e", "f"]], maxAge: [30, () => "60s"], allowCredentials: [30, () => true], unmatchedPreflights: [30, () => this.#pick(["FORWARD", "IGNORE"])] }),
      })],
    });
  }

  #retries(): JsonObject {
    const attempts = this.#between(0, 3);
    if (attempts === 0) return { attempts };
    return {
      attempts,
      ...this.#some({
        retryOn: [50, () => this.#pick(["5xx,503,reset", "gateway-error", "connect-failure,refused-stream,503", "retriable-4xx,cancelled"])],
        perTryTimeout: [30, () => this.#pick(["1s", "0.5s"])], backoff: [20, () => "0.1s"], retryRemoteLocalities: [15, () => true], retryIgnorePreviousHosts: [15, () => false],
      }),
    };
  }

  #redirect(prefixes: boolean): JsonObject {
    return {
      ...this.#pick<JsonObject>([{ uri: "/r" }, { authority: "r.com" }, { uri: "/r?k=1" }, ...(prefixes ? [{ prefixRewrite: "/p" }] : []), { uri: "/r", authority: "r.com:99" }, { scheme: "https" }]),
      ...this.#some({ scheme: [35, () => this.#pick(["https", "http"])], redirectCode: [40, () => this.#pick([302, 303, 307, 308, 301, 301, 302, 302, ...(this.#chance(12) ? [304] : [])])] }),
      ...(this.#chance(30) ? { port: this.#pick([80, 443, 81]) } : this.#chance(30) ? { derivePort: this.#pick(["FROM_REQUEST_PORT", "FROM_PROTOCOL_DEFAULT"]) } : {}),
    };
  }

  #destinationRule(name: string): void {
    const hash = { loadBalancer: { consistentHash: { httpHeaderName: "x" } } };
    this.#put("DestinationRule", name, this.#pick([...namespaces, "istio-system"]), {
      host: this.#pick(["x", "y", "x.a.svc.cluster.local", "*.svc.cluster.local", "x.b.svc.cluster.local", "ext.com", "*.a.svc.cluster.local"]),
      ...(this.#chance(20) ? { workloadSelector: { matchLabels: { app: "a" } } } : this.#some({ exportTo: [30, () => [this.#pick([".", "*", "b"])]] })),
      ...this.#some({ trafficPolicy: [30, () => this.#pick<Json>([hash, { portLevelSettings: [{ port: { number: 80 }, ...hash }] }, { tls: { mode: "DISABLE" } }])] }),
      subsets: [{ name: this.#pick(["v1", "v2"]), labels: { v: this.#pick(["1", "2"]) }, ...(this.#chance(15) ? { trafficPolicy: hash } : {}) }, ...(this.#chance(30) ? [{ name: "v1", labels: { v: "1" } }] : [])].filter((subset, index, all) => all.findIndex((other) => other.name === subset.name) === index),
    });
  }

  #sidecar(name: string): void {
    this.#put("Sidecar", name, this.#pick([...namespaces, "istio-system"]), {
      ...this.#some({ workloadSelector: [30, () => ({ labels: { app: "a" } })], outboundTrafficPolicy: [20, () => ({ mode: this.#pick(["ALLOW_ANY", "REGISTRY_ONLY"]) })] }),
      egress: [
        ...(this.#chance(30) ? [{ port: { number: 8080, name: "http", protocol: "HTTP" }, hosts: [this.#pick(["*/*", "a/*"])] }] : []),
        { hosts: [...new Set(this.#many(1, 2, () => this.#pick(["./*", "*/*", "b/*", "a/x.a.svc.cluster.local", "*/ext.com", "~/*"])))] },
      ],
    });
  }

  #meshConfig(): JsonObject {
    return this.#some({
      pathNormalization: [40, () => ({ normalization: this.#pick(["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]) })],
      outboundTrafficPolicy: [25, () => ({ mode: "REGISTRY_ONLY" })],
      defaultHttpRetryPolicy: [15, () => ({ attempts: this.#pick([0, 3]) })],
      defaultVirtualServiceExportTo: [8, () => ["."]],
      defaultConfig: [10, () => ({ gatewayTopology: { numTrustedProxies: 1 } })],
    });
  }
}

/** The webhook wants no host of a VirtualService to cover another. */
function covers(wide: string, narrow: string): boolean {
  return wide === "*" || wide.toLowerCase() === narrow.toLowerCase() || (wide.startsWith("*.") && narrow.toLowerCase().endsWith(wide.slice(1).toLowerCase()));
}

/** The webhook wants every server name to be one of the hosts. */
function withCoveredNames(blocks: Json, hosts: readonly string[]): Json {
  const covered = (name: string): boolean => hosts.some((host) => host === "*" || host === name || (host.startsWith("*.") && name.endsWith(host.slice(1))));
  if (!Array.isArray(blocks)) return blocks;
  return blocks.map((block: { match: readonly { sniHosts: readonly string[] }[] }) => ({ ...block, match: block.match.map((match) => ({ ...match, sniHosts: match.sniHosts.map((name) => (covered(name) ? name : (hosts.find((host) => !host.startsWith("*") && host.includes(".")) ?? "s.com"))) })) }));
}

/** What accepts the tokens of {@link tokenOf} at the gateways. */
export const authentication: JsonObject = {
  apiVersion: "security.istio.io/v1", kind: "RequestAuthentication", metadata: { name: "jwt", namespace: "istio-system" },
  spec: { selector: { matchLabels: { istio: "ingress" } }, jwtRules: [{ issuer: ISSUER, forwardOriginalToken: true, jwks: JSON.stringify({ keys: [{ kty: "oct", kid: "k", alg: "HS256", k: KEY.toString("base64url") }] }) }] },
};

/** Everything that an istiod reads of a world. */
export function objectsFor(world: MadeWorld): readonly Json[] {
  const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace: "istio-system" }, data: { mesh: JSON.stringify(world.meshConfig) } };
  return [...world.objects, authentication, config];
}
