import fc from "fast-check";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { compareWorlds, istioWorld, type IstioPlace, type Listener, resolve, type RouteWorld } from "#routes";
import { answers, like, type Probe, worldOf } from "./world.ts";

const head = (kind: string, name: string, created = "2026-01-01T00:00:00Z", namespace = "default"): string =>
  `apiVersion: ${kind === "Service" ? "v1" : "networking.istio.io/v1"}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace}${created === "" ? "" : `, creationTimestamp: "${created}"`} }\n`;
const service = (name: string, namespace = "default", ports = "[{ name: http, port: 80 }]", more = "type: ClusterIP"): string =>
  `${head("Service", name, undefined, namespace)}spec: { ${more}, ports: ${ports} }`;
const gateway = (name: string, servers: string, created?: string): string => `${head("Gateway", name, created)}spec: { selector: { istio: ingress }, servers: ${servers} }`;
const routes = (name: string, spec: string, created?: string, namespace?: string): string => `${head("VirtualService", name, created, namespace)}spec: { ${spec} }`;
const to = (host: string): string => `route: [{ destination: { host: ${host} } }]`;
const yaml = (...documents: readonly string[]): string => documents.join("\n---\n");

const plain = `[{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]`;
const base = yaml(service("x"), service("y"), service("d"), gateway("g", plain));
const onGateway = like({ gateway: "default/g" });
const inMesh = (namespace = "default", port = 80) => like({ mesh: true, namespace, port });

/** Hosts to which the readings of a view send a request. */
function hostsOf(world: RouteWorld, view: Parameters<typeof answers>[1], probe: Probe): readonly unknown[] {
  return answers(world, view, probe).map((answer) => /"host":"([a-z]+)/.exec(JSON.stringify(answer))?.[1] ?? answer);
}

function listenerOf(world: RouteWorld, view: Parameters<typeof answers>[1]): Listener | undefined {
  return world.views.find((candidate) => view(candidate.view))?.readings[0]?.listener;
}

describe("the age of VirtualServices", () => {
  const pair = (first: string, second: string): string =>
    yaml(base, routes("a", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`, first), routes("b", `hosts: [a.com], gateways: [g], http: [{ ${to("y")} }]`, second));
  const cases = [
    { name: "decides between two that take the same request", world: pair("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), hosts: ["y"] },
    { name: "leaves names to decide where it is the same", world: pair("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), hosts: ["x"] },
    { name: "gives one reading for each that could be the oldest where it is unknown", world: pair("", ""), hosts: ["x", "x", "y"] },
    { name: "gives the reading in which the one of unknown age is older", world: pair("2026-01-01T00:00:00Z", ""), hosts: ["x", "y"] },
  ];
  for (const { name, world, hosts } of cases) it(name, () => expect(hostsOf(worldOf(world), onGateway, {})).toEqual(hosts));

  it("decides which VirtualService owns a host in the mesh", () => {
    const own = (name: string, target: string, created: string): string => routes(name, `hosts: [x], http: [{ ${to(target)} }]`, created);
    const world = worldOf(yaml(base, own("a", "y", "2026-01-02T00:00:00Z"), own("b", "d", "2026-01-01T00:00:00Z")));
    expect(hostsOf(world, inMesh(), { authority: "x" })).toEqual(["d"]);
  });

  it("does not matter between VirtualServices that share no host", () => {
    const world = worldOf(yaml(base, routes("a", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`, ""), routes("b", `hosts: [b.com], gateways: [g], http: [{ ${to("y")} }]`, "")));
    expect(world.views.find(({ view }) => onGateway(view))?.readings.length).toBe(1);
  });
});

describe("what is not modelled", () => {
  const cases = [
    { name: "an unknown field of a rule is named with object and path", spec: `http: [{ ${to("x")}, newThing: 1 }]`, path: "spec.http[0].newThing" },
    { name: "a value of a wrong type is named", spec: `http: [{ ${to("x")}, timeout: 5 }]`, path: "spec.http[0].timeout" },
    { name: "an unknown value of an enumeration is named", spec: `http: [{ redirect: { derivePort: FROM_MOON } }]`, path: "spec.http[0].redirect.derivePort" },
    { name: "two forms of one match are named", spec: `http: [{ match: [{ uri: { exact: /a, prefix: /b } }], ${to("x")} }]`, path: "spec.http[0].match[0].uri" },
    { name: "a header without an object is named", spec: `http: [{ match: [{ headers: { x: null } }], ${to("x")} }]`, path: 'spec.http[0].match[0].headers["x"]' },
  ];
  for (const { name, spec, path } of cases) {
    it(name, () => {
      const listener = listenerOf(worldOf(yaml(base, routes("r", `hosts: [a.com], gateways: [g], ${spec}`), routes("other", `hosts: [b.com], gateways: [g], http: [{ ${to("x")} }]`))), onGateway);
      const table = listener?.chains[0]?.then;
      const hosts = table?.type === "http" ? table.virtualHosts : [];
      const left = new Map(hosts.map((host) => [host.domains[0], host.unmodelled?.map(({ where }) => where)]));
      expect([left.get("a.com"), left.get("b.com")]).toEqual([[{ object: "VirtualService default/r", path }], undefined]);
    });
  }

  it("a filter on the path has the same key wherever the same thing acts, whatever its name", () => {
    const filter = (name: string, value: number): string => `${head("EnvoyFilter", name)}spec: { configPatches: [{ applyTo: HTTP_FILTER, match: { context: GATEWAY }, patch: { value: { v: ${value} } } }] }`;
    const keys = [filter("a", 1), filter("b", 1), filter("a", 2)].map((document) => {
      const table = listenerOf(worldOf(yaml(base, routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`), document)), onGateway)?.chains[0]?.then;
      return table?.type === "http" ? table.virtualHosts[0]?.unmodelled?.[0]?.key : undefined;
    });
    expect(keys[0]).toBeDefined();
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });
});

describe("Envoy refuses a whole table", () => {
  const cases = [
    { name: "with a redirect code that it lacks", rule: "redirect: { redirectCode: 306 }" },
    { name: "with weights that sum to nothing", rule: "route: [{ destination: { host: x }, weight: 0 }, { destination: { host: y }, weight: 0 }]" },
    { name: "with a rule that does nothing", rule: "name: nothing" },
    { name: "with a claim that must only be there", rule: `match: [{ headers: { "@request.auth.claims.a": {} } }], ${to("x")}` },
  ];
  for (const { name, rule } of cases) {
    it(name, () => {
      const world = worldOf(yaml(base, routes("bad", `hosts: [b.com], gateways: [g], http: [{ ${rule} }]`), routes("good", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`)));
      expect(listenerOf(world, onGateway)?.chains[0]?.then.type).toBe("invalid");
    });
  }
});

describe("mesh configuration", () => {
  const ask = (meshConfig: unknown, probe: Probe = {}, documents = routes("r", `hosts: [a.com], gateways: [g, mesh], http: [{ ${to("x")} }]`)): readonly unknown[] =>
    answers(worldOf(yaml(base, documents), { meshConfig }), onGateway, probe);
  it("T53: retries of the mesh count where a rule has none", () => {
    expect(JSON.stringify(ask({ defaultHttpRetryPolicy: { attempts: 0 } }))).not.toContain("retries");
    expect(JSON.stringify(ask({}))).toContain('"attempts":2');
  });
  it("T52: path normalisation is part of the table", () => {
    const world = worldOf(yaml(base, routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`)), { meshConfig: { pathNormalization: { normalization: "DECODE_AND_MERGE_SLASHES" } } });
    const table = listenerOf(world, onGateway)?.chains[0]?.then;
    expect(table?.type === "http" && table.pathNormalization).toBe("decode-and-merge-slashes");
  });
  it("T65: an unknown host is let through, or refused", () => {
    const unknown = (mode: string): readonly unknown[] => answers(worldOf(base, { meshConfig: { outboundTrafficPolicy: { mode } } }), inMesh(), { authority: "nowhere" });
    expect([unknown("ALLOW_ANY"), unknown("REGISTRY_ONLY")]).toMatchObject([[{ type: "passthrough" }], [{ status: 502 }]]);
  });
  it("a setting that is not known is named", () => {
    expect(worldOf(base, { meshConfig: { surprise: 1 } }).unmodelled).toMatchObject([{ where: { object: "mesh config", path: "surprise" } }]);
  });
});

describe("versions", () => {
  const matching = yaml(base, routes("r", `hosts: [a.com], gateways: [g], http: [{ match: [{ headers: { x: { exact: a } } }], ${to("x")} }]`));
  const twice: Probe = { headers: [["x", "a"], ["x", "b"]] };
  it("lines of one header are joined up to Envoy 1.38 and matched one by one from 1.39.0", () => {
    const of = (envoy: string): readonly unknown[] => hostsOf(worldOf(matching, { envoy }), onGateway, twice);
    expect([of("1.38.3"), of("1.39.0")]).toEqual([[{ type: "notFound" }], ["x"]]);
  });
  it("an unknown Envoy is read in every way that the rules can show", () => {
    const world = istioWorld({ place: "p", objects: parsed(matching), complete: true, unseen: ["Pod"], istio: "1.30.0", meshConfig: {} });
    expect(world.views.find(({ view }) => onGateway(view))?.readings.map(({ name }) => name)).toEqual(["Envoy 1.38 or older", "Envoy 1.39.0 or newer"]);
  });
  it("istiod before 1.24 also retries 503, and one before 1.28 marks mirrored hosts", () => {
    const of = (istio: string): string => JSON.stringify(answers(worldOf(yaml(base, routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to("x")}, mirror: { host: y } }]`)), { istio }), onGateway, {}));
    expect([of("1.23.6").includes("503"), of("1.24.0").includes("503"), of("1.27.1").includes("shadowHost"), of("1.28.0").includes("shadowHost")]).toEqual([true, false, true, false]);
  });
});

function parsed(text: string): IstioPlace["objects"] {
  return loadAll(text).map((object) => ({ object }));
}

describe("servers of Gateways", () => {
  const https = (name: string, host: string): string => `{ port: { number: 443, name: ${name}, protocol: HTTPS }, hosts: [${host}], tls: { mode: SIMPLE, credentialName: c } }`;
  it("of HTTPS have a chain each, chosen by server name", () => {
    const world = worldOf(yaml(service("x"), gateway("g", `[${https("a", "a.com")}, ${https("b", '"*.b.com"')}]`), routes("r", `hosts: ["*"], gateways: [g], http: [{ ${to("x")} }]`)));
    expect(listenerOf(world, like({ gateway: "default/g", tls: true }))?.chains.map(({ when }) => when)).toEqual([
      { serverNames: ["a.com"], transport: "tls" },
      { serverNames: ["*.b.com"], transport: "tls" },
    ]);
  });
  it("with a host that an older server has are dropped as a whole", () => {
    const world = worldOf(yaml(gateway("g", `[${https("a", "a.com")}]`), gateway("h", `[${https("b", "a.com, b.com")}]`, "2026-02-01T00:00:00Z")));
    expect(world.views.map(({ view }) => view)).toEqual([{ gateway: "default/g", port: 443, tls: true }]);
  });
  it("with a host that an older server has under the name of a namespace meet no listener, for Envoy refuses it", () => {
    const both = (second: string): readonly unknown[] => {
      const world = worldOf(yaml(gateway("g", `[${https("a", "a.com")}]`), gateway("h", `[${https("b", second)}]`, "2026-02-01T00:00:00Z")));
      return ["default/g", "default/h"].map((name) => answers(world, like({ gateway: name }), { scheme: "https", sni: "q.com" })[0]);
    };
    expect(both("other/a.com")).toMatchObject([{ type: "invalid" }, { type: "invalid" }]);
    expect(both("other/b.com")).toMatchObject([{ type: "close" }, { type: "close" }]);
  });
  it("share virtual hosts on a port, and each VirtualService stays with its own Gateway", () => {
    const world = worldOf(yaml(base, gateway("h", plain, "2026-02-01T00:00:00Z"), routes("r", `hosts: [a.com], gateways: [h], http: [{ ${to("y")} }]`)));
    expect([hostsOf(world, onGateway, {}), hostsOf(world, like({ gateway: "default/h" }), {})]).toEqual([["y"], ["y"]]);
  });
  it("whose ports end in one target port use the first server's port for matches", () => {
    const two = `[{ port: { number: 80, name: a, protocol: HTTP }, hosts: ["*"] }, { port: { number: 8080, name: b, protocol: HTTP }, hosts: ["*"] }]`;
    const pods = service("pods", "default", "[{ name: http, port: 80, targetPort: 8080 }]", "clusterIP: 10.0.0.9, selector: { istio: ingress }");
    const world = worldOf(yaml(service("x"), service("y"), pods, gateway("g", two), routes("r", `hosts: [a.com], gateways: [g], http: [{ match: [{ port: 8080 }], ${to("x")} }, { ${to("y")} }]`)));
    expect(hostsOf(world, like({ gateway: "default/g", port: 8080 }), {})).toEqual(["y"]);
  });
  it("that the input does not hold are assumed, unless it is whole", () => {
    const text = yaml(service("x"), routes("r", `hosts: [a.com], gateways: [far/away], http: [{ ${to("x")} }]`));
    const world = worldOf(text, { complete: false });
    expect(hostsOf(world, like({ gateway: "far/away", port: 80 }), {})).toEqual(["x"]);
    expect(world.assumptions.some(({ where }) => where === "Gateway far/away")).toBe(true);
    expect(worldOf(text).views.some(({ view }) => "gateway" in view)).toBe(false);
  });
  it("bind no VirtualService that is exported to another namespace alone", () => {
    const world = worldOf(yaml(base, routes("r", `hosts: [a.com], gateways: [default/g], exportTo: ["."], http: [{ ${to("x.default.svc.cluster.local")} }]`, undefined, "apps")));
    expect(answers(world, onGateway, {})).toEqual([{ type: "notFound" }]);
  });
  it("compare hosts with their case when they bind", () => {
    const server = `[{ port: { number: 80, name: http, protocol: HTTP }, hosts: [A.com] }]`;
    const bound = (host: string): readonly unknown[] => hostsOf(worldOf(yaml(service("x"), gateway("g", server), routes("r", `hosts: [${host}], gateways: [g], http: [{ ${to("x")} }]`))), onGateway, {});
    expect([bound("a.com"), bound("A.com")]).toEqual([[{ type: "notFound" }], ["x"]]);
  });
});

describe("a sidecar", () => {
  it("knows a service by the short names of its own namespace only", () => {
    const world = worldOf(yaml(base, service("z", "other")));
    expect([hostsOf(world, inMesh("default"), { authority: "x" }), hostsOf(world, inMesh("other"), { authority: "x" }), hostsOf(world, inMesh("other"), { authority: "x.default" })]).toEqual([
      ["x"], [{ type: "passthrough" }], ["x"],
    ]);
  });
  it("sees what its Sidecar lets in", () => {
    const scope = `${head("Sidecar", "s")}spec: { egress: [{ hosts: ["./x.default.svc.cluster.local"] }] }`;
    const world = worldOf(yaml(base, scope));
    expect([hostsOf(world, inMesh(), { authority: "x" }), hostsOf(world, inMesh(), { authority: "y" })]).toEqual([["x"], [{ type: "passthrough" }]]);
  });
  it("has clusters for destinations of VirtualServices that its Sidecar lets in, but no virtual host", () => {
    const scope = `${head("Sidecar", "s")}spec: { egress: [{ hosts: ["./x.default.svc.cluster.local"] }] }`;
    const world = worldOf(yaml(base, scope, routes("r", `hosts: [x], http: [{ ${to("y")} }]`)));
    expect([hostsOf(world, inMesh(), { authority: "x" }), hostsOf(world, inMesh(), { authority: "y" })]).toEqual([["y"], [{ type: "passthrough" }]]);
  });
  it("has clusters for all ports of a service that several VirtualServices send to, one port each", () => {
    const scope = `${head("Sidecar", "s")}spec: { egress: [{ hosts: ["./x.default.svc.cluster.local"] }] }`;
    const two = service("z", "default", "[{ name: http, port: 80 }, { name: http-b, port: 8080 }]");
    const at = (port: number): string => `route: [{ destination: { host: z, port: { number: ${port} } } }]`;
    const world = worldOf(yaml(base, two, scope, routes("r", `hosts: [x], http: [{ match: [{ uri: { exact: /a } }], ${at(80)} }, { ${at(8080)} }]`), routes("s", `hosts: [x], http: [{ ${at(80)} }]`, "2026-02-01T00:00:00Z")));
    expect([{ path: "/a" }, { path: "/" }].map((probe) => hostsOf(world, inMesh(), { authority: "x", ...probe }))).toEqual([["z"], ["z"]]);
    const apart = worldOf(yaml(base, two, scope, routes("r", `hosts: [x], http: [{ ${at(8080)} }]`), routes("s", `hosts: ["x.default.svc.cluster.local", q.com], http: [{ ${at(80)} }]`, "2026-02-01T00:00:00Z")));
    expect([hostsOf(apart, inMesh(), { authority: "x" }), hostsOf(apart, inMesh(), { authority: "q.com" })]).toEqual([["z"], ["z"]]);
  });
  it("answers 503 for a destination whose one port is not the listener's", () => {
    const world = worldOf(yaml(base, service("z", "default", "[{ name: http, port: 9080 }]"), routes("r", `hosts: [x], http: [{ ${to("z")} }]`)));
    expect(answers(world, inMesh(), { authority: "x" })).toMatchObject([{ destinations: [{ invalid: true, status: 503 }] }]);
  });
  it("is not there in a namespace in ambient mode", () => {
    const ambient = `apiVersion: v1\nkind: Namespace\nmetadata: { name: default, labels: { istio.io/dataplane-mode: ambient } }`;
    const world = worldOf(yaml(base, ambient, routes("r", `hosts: [x], http: [{ ${to("y")} }]`)));
    expect(world.views.some(({ view }) => inMesh()(view))).toBe(false);
  });
  it("is looked at with the labels that rules ask of it", () => {
    const world = worldOf(yaml(base, routes("r", `hosts: [x], http: [{ match: [{ sourceLabels: { app: a } }], ${to("y")} }, { ${to("d")} }]`)));
    const of = (labels: string): readonly unknown[] => hostsOf(world, (view) => inMesh()(view) && "labels" in view && JSON.stringify(view.labels) === labels, { authority: "x" });
    expect([of("{}"), of('{"app":"a"}')]).toEqual([["d"], ["y"]]);
  });
});

describe("a DestinationRule", () => {
  const rule = (name: string, spec: string, namespace = "default", created?: string): string => `${head("DestinationRule", name, created, namespace)}spec: { ${spec} }`;
  const balancer = (name: string): string => `trafficPolicy: { loadBalancer: { simple: ${name} } }`;
  const ask = (...rules: readonly string[]): unknown => {
    const world = worldOf(yaml(base, service("c", "third"), ...rules));
    const text = JSON.stringify(answers(world, inMesh("third"), { authority: "x.default" }));
    return /simple[^A-Z]*([A-Z_]+)/.exec(text)?.[1];
  };
  const cases = [
    { name: "of the client's namespace comes first", rules: [rule("a", `host: x.default.svc.cluster.local, ${balancer("RANDOM")}`, "third"), rule("b", `host: x, ${balancer("ROUND_ROBIN")}`)], policy: "RANDOM" },
    { name: "of the service's namespace comes before that of the root namespace", rules: [rule("a", `host: x.default.svc.cluster.local, ${balancer("RANDOM")}`, "istio-system"), rule("b", `host: x, ${balancer("ROUND_ROBIN")}`)], policy: "ROUND_ROBIN" },
    { name: "that is not exported to the client does not act, and hides a wildcard of its level", rules: [rule("a", `host: "*.svc.cluster.local", ${balancer("RANDOM")}`), rule("b", `host: x, exportTo: [elsewhere], ${balancer("ROUND_ROBIN")}`)], policy: undefined },
    { name: "exported to its own namespace alone hides nothing", rules: [rule("a", `host: "*.svc.cluster.local", ${balancer("RANDOM")}`), rule("b", `host: x, exportTo: ["."], ${balancer("ROUND_ROBIN")}`)], policy: "RANDOM" },
    { name: "gives its policy to a younger one of the same host", rules: [rule("a", `host: x, ${balancer("RANDOM")}`, "default", "2026-03-01T00:00:00Z"), rule("b", `host: x, ${balancer("ROUND_ROBIN")}`)], policy: "ROUND_ROBIN" },
  ];
  for (const { name, rules, policy } of cases) it(name, () => expect(ask(...rules)).toBe(policy));
  it("with a hash leaves retries to a host without service as they are", () => {
    const hashed = rule("a", `host: "*.default.svc.cluster.local", trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: x } } }`);
    const retries = (host: string): unknown => answers(worldOf(yaml(base, hashed, routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to(host)} }]`))), onGateway, {}).map((effect) => JSON.stringify(effect).includes("otherHosts"));
    expect([retries("nope"), retries("x")]).toEqual([[true], [false]]);
  });
});

describe("a service whose clients choose the address", () => {
  const rule = (spec: string): string => `${head("DestinationRule", "h")}spec: { host: h, ${spec} }`;
  const parts = "subsets: [{ name: one, labels: { version: v1 } }, { name: two, labels: { version: v2 } }]";
  const headless = service("h", undefined, undefined, "clusterIP: None");
  const plain = service("h");
  const outside = (resolution: string): string => `${head("ServiceEntry", "h")}spec: { hosts: [h.default.svc.cluster.local], ports: [{ number: 80, name: http, protocol: HTTP }]${resolution} }`;
  const by = (subset: string): string => routes("r", `hosts: [x], gateways: [mesh, g], http: [{ route: [{ destination: { host: h, port: { number: 80 }${subset === "" ? "" : `, subset: ${subset}`} } }] }]`);
  const answer = (view: Parameters<typeof answers>[1], subset: string, ...objects: readonly string[]): string => JSON.stringify(answers(worldOf(yaml(base, by(subset), ...objects)), view, { authority: "x.default.svc.cluster.local" }));
  const mesh = inMesh("default");
  const balanced = rule("trafficPolicy: { loadBalancer: { simple: RANDOM } }");
  const hashed = rule("trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: x } } }");
  const passing = rule(`trafficPolicy: { loadBalancer: { simple: PASSTHROUGH } }, ${parts}`);
  const rows: readonly (readonly [claim: string, one: string, other: string, same: boolean])[] = [
    ["a headless Service has no balancer to a sidecar", answer(mesh, "", headless, balanced), answer(mesh, "", headless), true],
    ["any other Service has one", answer(mesh, "", plain, balanced), answer(mesh, "", plain), false],
    ["a hash of a headless Service shows in its retries alone", answer(mesh, "", headless, hashed).replace(/"retries":\{.*?\}/, ""), answer(mesh, "", headless).replace(/"retries":\{.*?\}/, ""), true],
    ["a subset of a headless Service chooses no pods", answer(mesh, "one", headless, rule(parts)), answer(mesh, "two", headless, rule(parts)), true],
    ["a subset of any other Service does", answer(mesh, "one", plain, rule(parts)), answer(mesh, "two", plain, rule(parts)), false],
    ["a subset that a headless Service lacks is still an error", answer(mesh, "none", headless, rule(parts)), answer(mesh, "one", headless, rule(parts)), false],
    ["a ServiceEntry resolves nothing unless it says so", answer(mesh, "one", outside(""), rule(parts)), answer(mesh, "two", outside(""), rule(parts)), true],
    ["a ServiceEntry that resolves names has subsets", answer(mesh, "one", outside(", resolution: DNS"), rule(parts)), answer(mesh, "two", outside(", resolution: DNS"), rule(parts)), false],
    ["the policy PASSTHROUGH makes subsets of every Service one", answer(mesh, "one", plain, passing), answer(mesh, "two", plain, passing), true],
    ["the policy PASSTHROUGH itself is a difference", answer(mesh, "one", plain, passing), answer(mesh, "one", plain, rule(parts)), false],
  ];
  it.each(rows)("%s", (_, one, other, same) => expect(one === other).toBe(same));
  it("leaves open what a rule that turns TLS off changes, for that depends on what is required", () => {
    const off = rule("trafficPolicy: { tls: { mode: DISABLE } }");
    const outcome = (left: string, right: string): unknown => {
      const [one, other] = [left, right].map((more) => worldOf(yaml(base, by(""), headless, ...(more === "" ? [] : [more]))));
      return one === undefined || other === undefined ? undefined : compareWorlds([one, { ...other, place: "other" }], { views: ["mesh"] }).outcome;
    };
    expect([outcome(off, ""), outcome(off, off), outcome("", "")]).toEqual(["undecided", "equivalent", "equivalent"]);
    expect(answer(mesh, "", headless, off)).toBe(answer(mesh, "", headless));
    expect(answer(mesh, "", plain, off)).not.toBe(answer(mesh, "", plain));
  });
  it("is balanced by gateways, which know its pods", () => {
    expect(answer(onGateway, "", headless, balanced)).not.toBe(answer(onGateway, "", headless));
    expect(answer(onGateway, "one", headless, rule(parts))).not.toBe(answer(onGateway, "two", headless, rule(parts)));
  });
});

describe("connections", () => {
  const secure = service("s", "default", "[{ name: tls, port: 443 }]");
  const tls = (first: string, second: string): Listener | undefined =>
    listenerOf(worldOf(yaml(secure, service("x", "default", "[{ name: tls, port: 443 }]"), routes("r", `hosts: [s], tls: [{ match: [${first}], ${to("x")} }, { match: [${second}], ${to("s")} }]`))), inMesh("default", 443));
  it("T16: every static part of a match counts, beside gateways too", () => {
    const listener = tls("{ sniHosts: [s], gateways: [mesh], sourceLabels: { app: a } }", "{ sniHosts: [t] }");
    expect(listener?.chains.map(({ when }) => when.serverNames)).not.toContainEqual(["s"]);
  });
  it("T59: subnets of one block stay for the next that has none", () => {
    const listener = tls('{ sniHosts: [s], destinationSubnets: ["10.0.0.0/8"] }', "{ sniHosts: [t] }");
    expect(listener?.chains.filter(({ when }) => when.serverNames?.[0] === "t").map(({ when }) => when.destinations)).toEqual([["10.0.0.0/8"]]);
    const turned = tls("{ sniHosts: [t] }", '{ sniHosts: [s], destinationSubnets: ["10.0.0.0/8"] }');
    expect(turned?.chains.filter(({ when }) => when.serverNames?.[0] === "t").map(({ when }) => when.destinations)).toEqual([undefined]);
  });
  describe("to a service with an address of its own", () => {
    const object = (kind: string, name: string, spec: unknown, apiVersion = "networking.istio.io/v1"): { object: unknown } => ({ object: { apiVersion, kind, metadata: { name, namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" }, spec } });
    const answered = (port: { name: string; port: number }, spec: unknown, sni?: string): unknown => {
      const objects = [object("Service", "s", { clusterIP: "10.1.0.1", ports: [port] }, "v1"), ...(spec === undefined ? [] : [object("VirtualService", "r", spec)])];
      const world = istioWorld({ place: "p", objects, complete: true, unseen: ["Pod"], istio: "1.31.0", envoy: "1.40.0", meshConfig: { outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } } });
      const listener = world.views.find(({ view }) => "mesh" in view && view.namespace === "default" && view.port === port.port)?.readings[0]?.listener;
      const request = { method: "GET", scheme: "http" as const, authority: "s", path: "/", headers: [], destination: { address: "10.1.0.1", port: port.port }, ...(sni === undefined ? {} : { sni }) };
      return listener === undefined ? "no listener" : resolve(listener, request).effect.type;
    };
    const host = "s.default.svc.cluster.local", tls = { name: "tls", port: 443 }, tcp = { name: "tcp", port: 3306 };
    const named = { hosts: [host], tls: [{ match: [{ sniHosts: [host] }], route: [{ destination: { host } }] }] };
    const subnet = (range: string): object => ({ match: [{ destinationSubnets: [range] }], route: [{ destination: { host: "none" } }] });
    it("need no TLS where no rule asks for a name", () => expect(answered(tls, undefined)).toBe("forward"));
    it("go where unknown ones go when no rule takes them", () => expect([answered(tls, named, host), answered(tls, named, "t.com"), answered(tls, named)]).toEqual(["forward", "close", "close"]));
    it("are ruled by a range around the address before the service itself", () => expect([answered(tcp, { hosts: [host], tcp: [subnet("10.0.0.0/8")] }), answered(tcp, { hosts: [host], tcp: [subnet("11.0.0.0/8")] })]).toEqual(["close", "forward"]));
    it("meet no listener where two rules have one range, for Envoy refuses it", () => expect(answered(tcp, { hosts: [host], tcp: [subnet("10.0.0.0/8"), subnet("10.0.0.0/8")] })).toBe("invalid"));
  });
  it("of a gateway take the first TCP rule that fits, whatever subnets it names", () => {
    const server = `[{ port: { number: 3306, name: tcp, protocol: TCP }, hosts: ["*"] }]`;
    const world = worldOf(yaml(service("x"), gateway("g", server), routes("r", `hosts: ["*"], gateways: [g], tcp: [{ match: [{ port: 1 }], ${to("x")} }, { match: [{ destinationSubnets: ["10.0.0.0/8"] }], route: [{ destination: { host: x, port: { number: 80 } } }] }]`)));
    expect(listenerOf(world, onGateway)?.chains).toMatchObject([{ when: {}, then: { type: "forward", destinations: [{ port: 80 }] }, origin: { path: "spec.tcp[1]" } }]);
  });
});

describe("protocols of ports", () => {
  const spoken = (port: string): unknown => listenerOf(worldOf(service("s", "default", `[${port}]`, "clusterIP: 10.0.0.5")), (view) => "mesh" in view)?.chains.some(({ then }) => then.type === "http");
  it("are found out where neither a name tells nor the number is one of the four that istiod knows", () => {
    expect([5432, 6379, 22, 853, 9042, 21].map((port) => spoken(`{ port: ${port} }`))).toEqual([true, true, true, true, true, true]);
    expect([25, 53, 3306, 27017].map((port) => spoken(`{ port: ${port} }`))).toEqual([false, false, false, false]);
    expect(spoken("{ port: 6379, name: tcp-redis }")).toBe(false);
  });
  it("of UDP count where a gateway asks for the only port of a service", () => {
    const answer = (ports: string): unknown => answers(worldOf(yaml(gateway("g", plain), service("z", "default", ports), routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to("z")} }]`))), onGateway, {});
    expect(answer("[{ port: 8080, name: http }]")).toMatchObject([{ destinations: [{ host: "z.default.svc.cluster.local", port: 8080 }] }]);
    expect(answer("[{ port: 8080, name: http }, { port: 8443, name: quic, protocol: UDP }]")).toMatchObject([{ destinations: [{ invalid: true, status: 503 }] }]);
  });
});

describe("an age that decides and is not known leaves the place open", () => {
  const entry = (namespace: string, port: number, created: string, exportTo = ""): string => `${head("ServiceEntry", "e", created, namespace)}spec: { hosts: [ext.com], resolution: DNS, ports: [{ number: ${port}, name: http, protocol: HTTP }]${exportTo} }`;
  const scope = (name: string, created: string, host: string): string => `${head("Sidecar", name, created)}spec: { egress: [{ hosts: ["./${host}.default.svc.cluster.local"] }] }`;
  const rule = (name: string, created: string, key: string, policy: string): string => `${head("DestinationRule", name, created)}spec: { host: x, workloadSelector: { matchLabels: { ${key} } }, trafficPolicy: { loadBalancer: { simple: ${policy} } } }`;
  const pods = (name: string, created: string, target: number): string => `${head("Service", name, created)}spec: { selector: { istio: ingress }, ports: [{ name: http, port: 80, targetPort: ${target} }] }`;
  const old = "2026-01-01T00:00:00Z", young = "2026-02-01T00:00:00Z";
  const rows: readonly (readonly [claim: string, isOpen: boolean, ...objects: readonly string[]])[] = [
    ["ServiceEntries of two namespaces with one host and other ports", true, entry("a", 80, ""), entry("b", 8080, old)],
    ["not with the same ports", false, entry("a", 80, ""), entry("b", 80, "")],
    ["not where they are told", false, entry("a", 80, young), entry("b", 8080, old)],
    ["not where one is for its namespace alone", false, entry("a", 80, "", ', exportTo: ["."]'), entry("b", 8080, "")],
    ["two Sidecars of a namespace", true, scope("s", "", "x"), scope("t", "", "y")],
    ["not two that say the same", false, scope("s", "", "x"), scope("t", "", "x")],
    ["not two that are told", false, scope("s", old, "x"), scope("t", young, "y")],
    ["rules for clients that can be the same", true, rule("p", "", "app: a", "RANDOM"), rule("q", "", "tier: b", "ROUND_ROBIN")],
    ["not for clients that cannot", false, rule("p", "", "app: a", "RANDOM"), rule("q", "", "app: b", "ROUND_ROBIN")],
    ["Services that lead a port of a gateway to two ports", true, pods("i", "", 8080), pods("j", "", 8081)],
    ["not to one", false, pods("i", "", 8080), pods("j", "", 8080)],
    ["not where they are told", false, pods("i", old, 8080), pods("j", young, 8081)],
  ];
  it.each(rows)("%s", (_, isOpen, ...objects) => expect(worldOf(yaml(base, ...objects.map(String))).unmodelled.some(({ reason }) => reason.includes("age"))).toBe(isOpen));
  it("and a Service can say that its ports say nothing of gateways", () => {
    const silent = pods("i", old, 8081).replace("namespace: default", "namespace: default, labels: { experimental.istio.io/disable-gateway-port-translation: \"\" }");
    const two = `[{ port: { number: 80, name: a, protocol: HTTP }, hosts: [b.com] }, { port: { number: 8081, name: b, protocol: HTTP }, hosts: [a.com] }]`;
    const ask = (pod: string): unknown => hostsOf(worldOf(yaml(service("x"), pod, gateway("g", two), routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`))), like({ gateway: "default/g", port: 80 }), {});
    expect([ask(silent), ask(pods("i", old, 8081))]).toEqual([[{ type: "notFound" }], ["x"]]);
  });
});

describe("proxies that a gateway trusts", () => {
  const pod = (config: string): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: default, labels: { istio: ingress } }\nspec: { containers: [{ name: istio-proxy, args: [proxy, router], env: [{ name: PROXY_CONFIG, value: '${config}' }] }] }`;
  const redirecting = `[{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"], tls: { httpsRedirect: true } }]`;
  const ask = (config: string, meshConfig: unknown = {}, options: Partial<IstioPlace> = {}): unknown => {
    const text = yaml(service("x"), gateway("g", redirecting), pod(config), routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`));
    return answers(worldOf(text, { meshConfig, unseen: [], ...options }), onGateway, { headers: [["x-forwarded-proto", "https"]] }).map((answer) => (typeof answer === "string" ? answer : answer.type));
  };
  const trusting = { defaultConfig: { gatewayTopology: { numTrustedProxies: 1 } } };
  it("are those of its pods before those of the mesh", () => {
    expect([ask("{}"), ask('{"gatewayTopology":{"numTrustedProxies":2}}'), ask("{}", trusting), ask('{"gatewayTopology":{"numTrustedProxies":0}}', trusting), ask("no JSON")]).toEqual([["redirect"], ["forward"], ["forward"], ["redirect"], ["redirect"]]);
  });
  it("have to be the same for all pods that routing does not tell apart", () => {
    const said = (...counts: readonly number[]): readonly string[] => {
      const text = yaml(service("x"), gateway("g", redirecting), ...counts.map((count, at) => pod(`{"gatewayTopology":{"numTrustedProxies":${count}}}`).replace("name: p,", `name: p${at},`)), routes("r", `hosts: [a.com], gateways: [g], http: [{ ${to("x")} }]`));
      return worldOf(text, { meshConfig: {}, unseen: [] }).unmodelled.map(({ reason }) => reason);
    };
    expect([said(1, 1), said(1, 0)]).toEqual([[], ["pods of one gateway trust 1 and 0 proxies in front (`numTrustedProxies`); a restart of all of them gives them one configuration"]]);
  });
  it("are known of a proxy by itself, too", () => {
    const trusted = '{"gatewayTopology":{"numTrustedProxies":2}}';
    const by = (labels: Readonly<Record<string, string>>): unknown => ask(trusted, {}, { proxy: { role: "gateway", namespace: "default", labels } });
    expect([by({ istio: "ingress", "pod-template-hash": "5d4f8" }), by({ istio: "ingress", app: "other" })]).toEqual([["forward"], ["redirect"]]);
  });
});

describe("a destination that several namespaces have", () => {
  const entry = (namespace: string, port: number): string => `${head("ServiceEntry", "e", namespace === "a" ? "2026-02-01T00:00:00Z" : undefined, namespace)}spec: { hosts: [ext.com], resolution: DNS, ports: [{ number: ${port}, name: http, protocol: HTTP }] }`;
  const scope = `${head("Sidecar", "s")}spec: { egress: [{ hosts: ["./*"] }] }`;
  const ask = (istio: string): unknown => {
    const rule = routes("r", "hosts: [x], http: [{ route: [{ destination: { host: ext.com, port: { number: 8080 } } }] }]");
    return hostsOf(worldOf(yaml(base, scope, entry("a", 80), entry("b", 8080), rule), { istio }), inMesh(), { authority: "x" })[0];
  };
  it("is the oldest from istiod 1.30 on, and that of the first namespace before", () => expect([ask("1.30.0"), ask("1.29.4")]).toMatchObject(["ext", { destinations: [{ invalid: true }] }]));
  it("is an assumption where the release is not known", () => {
    const isSaid = (istio: string | undefined, ...namespaces: readonly string[]): boolean => istioWorld({ place: "p", objects: parsed(yaml(...namespaces.map((namespace) => entry(namespace, 80)))), complete: true, envoy: "1.39.1", meshConfig: {}, ...(istio === undefined ? {} : { istio }) }).assumptions.some(({ text }) => text.includes("several namespaces have `ext.com`"));
    expect([isSaid(undefined, "a", "b"), isSaid(undefined, "a"), isSaid("1.29.4", "a", "b")]).toEqual([true, false, false]);
  });
});

describe("what older releases do not know", () => {
  const redirecting = routes("r", "hosts: [a.com], gateways: [g], http: [{ redirect: { prefixRewrite: /b } }]");
  const world = (istio?: string): RouteWorld => istioWorld({ place: "p", objects: parsed(yaml(base, redirecting)), complete: true, unseen: ["Pod"], envoy: "1.39.1", meshConfig: {}, ...(istio === undefined ? {} : { istio }) });
  it("of a redirect is left open", () => {
    const isOpen = (istio?: string): boolean => world(istio).unmodelled.some(({ where }) => where?.path === "spec.http[0].redirect.prefixRewrite");
    expect([isOpen("1.30.2"), isOpen("1.31.0"), isOpen()]).toEqual([true, false, false]);
  });
  it("of names that end in a dot is an assumption", () => {
    const isSaid = (istio?: string): boolean => world(istio).assumptions.some(({ text }) => text.includes("dot"));
    expect([isSaid("1.26.1"), isSaid("1.27.0"), isSaid()]).toEqual([true, false, false]);
  });
});

describe("hosts that a Sidecar takes away", () => {
  const scoped = (hosts: string, istio?: string): RouteWorld => {
    const world = yaml(base, service("z", "other"), `${head("Sidecar", "s")}spec: { egress: [{ hosts: [${hosts}] }] }`);
    return istioWorld({ place: "p", objects: parsed(world), complete: true, unseen: ["Pod"], envoy: "1.39.1", meshConfig: {}, ...(istio === undefined ? {} : { istio }) });
  };
  const both = '"*/*", "~other/*"';
  const ask = (hosts: string, istio?: string): unknown => hostsOf(scoped(hosts, istio), inMesh(), { authority: "z.other" })[0];
  it("are gone from 1.31 on", () => expect([ask(both, "1.31.0"), ask(both, "1.30.2"), ask('"./*"', "1.30.2")]).toEqual([{ type: "passthrough" }, "z", { type: "passthrough" }]));
  it("are none before where nothing else is let in", () => expect([ask('"~/*"', "1.30.2"), ask('"~/*"', "1.31.0")]).toEqual(["no such view", "no such view"]));
  it("are left open where the release is not known and it matters", () => {
    const isOpen = (hosts: string, istio?: string): boolean => scoped(hosts, istio).unmodelled.some(({ where }) => where?.path === "spec.egress[0].hosts");
    expect([isOpen(both), isOpen('"~/*"'), isOpen(both, "1.30.0"), isOpen(both, "1.31.0")]).toEqual([true, false, false, false]);
  });
});

describe("an egress listener on a port", () => {
  const ask = (protocol: string, name: string): boolean => worldOf(yaml(service("z", "default", `[{ name: ${name}, port: 9000 }]`), `${head("Sidecar", "s")}spec: { egress: [{ port: { number: 9000, name: p, protocol: ${protocol} }, hosts: ["*/*"] }] }`)).unmodelled.some(({ where }) => where?.path === "spec.egress[0].port.protocol");
  it("of another protocol than its services is not modelled", () => expect([ask("TCP", "http"), ask("HTTP", "tcp"), ask("HTTP", "http"), ask("TCP", "mongo"), ask("HTTP", "zone")]).toEqual([true, true, false, false, false]));
});

describe("a world from anything", () => {
  const keys = fc.constantFrom("hosts", "http", "match", "route", "uri", "exact", "prefix", "headers", "destination", "host", "port", "number", "servers", "tls", "spec", "metadata", "name", "__proto__", "constructor", "delegate", "gateways");
  const anything = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: "small", withCrossShrink: true }, fc.constantFrom(null, "", "*", "a.com", "mesh", "g", "/", 0, 80, -1, true, 1e300), fc.array(tie("value"), { maxLength: 3 }), fc.array(fc.tuple(keys, tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries))),
  })).value;
  it("never throws, and is plain data", () => {
    const kinds = fc.constantFrom("VirtualService", "Gateway", "DestinationRule", "Sidecar", "ServiceEntry", "Service", "Pod", "EnvoyFilter", "Namespace");
    const object = fc.record({ kind: kinds, metadata: fc.oneof(anything, fc.record({ name: fc.constantFrom("a", "b"), namespace: fc.constantFrom("n", "m") })), spec: anything }).map((parts) => ({ apiVersion: ["Service", "Pod", "Namespace"].includes(parts.kind) ? "v1" : "networking.istio.io/v1", ...parts }));
    fc.assert(fc.property(fc.array(object, { maxLength: 6 }), fc.boolean(), anything, (objects, complete, meshConfig) => {
      const world = istioWorld({ place: "p", objects: objects.map((one) => ({ object: one })), complete, meshConfig });
      JSON.stringify(world);
    }), { numRuns: 500 });
  });
  it("does not depend on the order in which objects are given", () => {
    const objects = parsed(yaml(base, gateway("h", plain, "2026-02-01T00:00:00Z"), routes("r", `hosts: [a.com], gateways: [g, h], http: [{ ${to("x")} }]`), routes("s", `hosts: [a.com, x], gateways: [g, mesh], http: [{ ${to("y")} }]`)));
    const of = (list: typeof objects): string => JSON.stringify(istioWorld({ place: "p", objects: list, complete: true, unseen: ["Pod"], meshConfig: {} }));
    fc.assert(fc.property(fc.shuffledSubarray([...objects], { minLength: objects.length }), (shuffled) => of(shuffled) === of(objects)), { numRuns: 50 });
  });
});
