import { describe, expect, it } from "vitest";
import { compareWorlds, type RouteWorld } from "#routes";
import { worldOf } from "./dialects/istio/world.ts";

const ground = ["x", "y"]
  .map((name) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { clusterIP: 10.0.0.1, ports: [{ name: http, port: 80 }] }
---`)
  .join("");

const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: g, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
---`;

function service(name: string, spec: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: default, creationTimestamp: "2026-01-02T00:00:00Z" }
spec: ${spec}
---`;
}

const toX = "route: [{ destination: { host: x } }]";
const toY = "route: [{ destination: { host: y } }]";
/** A rule with one match block. */
const rule = (match: string, action = toX): string => `{ match: [${match}], ${action} }`;
const last = `{ ${toY} }`;

/** The place whose one VirtualService has these rules. */
function place(rules: readonly string[], more = ""): RouteWorld {
  return worldOf(ground + gateway + service("r", `{ hosts: [a.com], gateways: [g], http: [${rules.join(", ")}] }`) + more);
}

const delegate = (name: string, to: string): string => service(name, `{ http: [{ delegate: { name: ${to} } }] }`);
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const headerOnly = (index: number): string => rule(`{ headers: { h${index}: { exact: v } } }`, index % 2 === 0 ? toX : toY);
const thousand = numbers(1000).map(headerOnly);
const megabyte = "a".repeat(2 ** 20);
/** Rules of an expression and a header each: no path fits two of them, though one request may have all of these headers. */
const apart = numbers(100).map((index) => rule(`{ uri: { regex: '/item${index}/[0-9]+/[a-z]+' }, headers: { version: { exact: v${index} } } }`, index % 2 === 0 ? toX : toY));
const farApart = numbers(1000).map((index) => rule(`{ uri: { regex: '/item${index}/[0-9]+' }, headers: { version: { exact: v${index} } } }`, index % 2 === 0 ? toX : toY));
const overlapping = [rule("{ uri: { regex: '/item7/[0-9]+/a.*' } }", toX), ...apart];

/** What a comparison must say: an outcome, and words of the reason where it is left open or a configuration is refused. */
interface Row {
  readonly name: string;
  readonly left: RouteWorld;
  readonly right: RouteWorld;
  readonly outcome: "equivalent" | "different" | "undecided";
  readonly says?: readonly string[];
  readonly steps?: number;
}

const rows: readonly Row[] = [
  {
    name: "an expression that is not valid is refused, with the place and the byte",
    left: place([rule("{ uri: { regex: '/(' } }")]), right: place([last]), outcome: "different", says: ["regex `/(` is not valid", "at byte 2", "spec.http[0].match[0]"],
  },
  {
    name: "an expression that is not valid equals nothing, not even itself",
    left: place([rule("{ uri: { regex: '/(' } }")]), right: place([rule("{ uri: { regex: '/(' } }")]), outcome: "different", says: ["is not valid"],
  },
  {
    name: "an expression with lookahead is refused like any other mistake",
    left: place([rule("{ headers: { x: { regex: '(?=a)' } } }")]), right: place([last]), outcome: "different", says: ["(?=a)"],
  },
  {
    name: "an expression longer than Istio admits means what Envoy makes of it",
    left: place([rule(`{ uri: { regex: '/${"a".repeat(1100)}' } }`)]), right: place([rule(`{ uri: { exact: '/${"a".repeat(1100)}' } }`)]), outcome: "equivalent",
  },
  {
    name: "repeats of repeats beyond RE2's limit are refused",
    left: place([rule("{ uri: { regex: '/((a{10}){10}){11}' } }")]), right: place([last]), outcome: "different", says: ["multiply to more than 1000"],
  },
  {
    name: "an expression of a megabyte is not read, and the answer stays open",
    left: place([rule(`{ uri: { regex: '/${megabyte}' } }`)]), right: place([last]), outcome: "undecided", says: ["1048577 bytes", "65536", "spec.http[0].match[0]"],
  },
  {
    name: "a hundred thousand brackets are not read",
    left: place([rule(`{ uri: { regex: '${"(".repeat(100_000)}${")".repeat(100_000)}' } }`)]), right: place([last]), outcome: "undecided", says: ["200000 bytes"],
  },
  {
    name: "brackets nested deeper than Go admits are refused",
    left: place([rule(`{ uri: { regex: '/${"(".repeat(1100)}a${")".repeat(1100)}' } }`)]), right: place([last]), outcome: "different", says: ["is not valid", "nest"],
  },
  {
    name: "a path of a megabyte is a path",
    left: place([rule(`{ uri: { exact: '/${megabyte}' } }`), last]), right: place([last]), outcome: "different",
  },
  {
    name: "an expression whose automaton explodes leaves the answer open, with its name and the budget",
    left: place([rule("{ uri: { regex: '/(a|b)*a(a|b){24}' } }"), last]), right: place([rule("{ uri: { regex: '/[ab]*a[ab]{24}' } }"), last]), outcome: "undecided",
    says: ["more than 20000 states for the regex", "{24}`"],
  },
  {
    name: "an expression whose automaton explodes, on a header",
    left: place([rule("{ headers: { x: { regex: '(a|b)*a(a|b){24}' } } }"), last]), right: place([rule("{ headers: { x: { regex: '[ab]*a[ab]{24}' } } }"), last]), outcome: "undecided",
    says: ["more than 20000 states for the regex", "{24}`"],
  },
  {
    name: "an expression whose automaton explodes, and a shorter one: a word of one of them shows it",
    left: place([rule("{ uri: { regex: '/(a|b)*a(a|b){24}' } }"), last]), right: place([rule("{ uri: { regex: '/[ab]*a[ab]{23}' } }"), last]), outcome: "different",
  },
  {
    name: "an expression whose automaton explodes, and none: a word of it shows it",
    left: place([rule("{ headers: { x: { regex: '(a|b)*a(a|b){24}' } } }"), last]), right: place([last]), outcome: "different",
  },
  {
    name: "the same exploding expression on both sides costs nothing",
    left: place([rule("{ uri: { regex: '/(a|b)*a(a|b){24}' } }"), rule("{ uri: { exact: /c } }"), last]),
    right: place([rule("{ uri: { exact: /c } }"), rule("{ uri: { regex: '/(a|b)*a(a|b){24}' } }"), last]), outcome: "equivalent",
  },
  {
    name: "a test without any form asks for nothing",
    left: place([rule("{ uri: {} }")]), right: place([rule("{}")]), outcome: "equivalent",
  },
  {
    name: "a test with two forms is open",
    left: place([rule("{ uri: { exact: /a, prefix: /b } }")]), right: place([last]), outcome: "undecided", says: ["2 of exact, prefix, regex", "spec.http[0].match[0].uri"],
  },
  {
    name: "a block that contradicts itself takes no request",
    left: place([rule("{ headers: { x: { exact: a } }, withoutHeaders: { x: {} } }"), last]), right: place([last]), outcome: "equivalent",
  },
  {
    name: "a path that does not begin with a slash takes no request",
    left: place([rule("{ uri: { exact: a } }"), rule("{ uri: { prefix: '?' } }"), last]), right: place([last]), outcome: "equivalent",
  },
  {
    name: "a value that an enumeration lacks is open, with the ones it has",
    left: place(["{ redirect: { uri: /x, derivePort: FROM_MOON } }"]), right: place(["{ redirect: { uri: /x } }"]), outcome: "undecided", says: ["FROM_MOON", "FROM_REQUEST_PORT"],
  },
  {
    name: "a field that nobody knows is open",
    left: place([`{ ${toX}, teleport: true }`]), right: place([`{ ${toX} }`]), outcome: "undecided", says: ["spec.http[0].teleport"],
  },
  {
    name: "both forms of a mirror are two mirrors",
    left: place([`{ ${toX}, mirror: { host: y }, mirrors: [{ destination: { host: y }, percentage: { value: 50 } }] }`]),
    right: place([`{ ${toX}, mirrors: [{ destination: { host: y } }, { destination: { host: y }, percentage: { value: 50 } }] }`]), outcome: "equivalent",
  },
  {
    name: "weights that sum to nothing are refused by Envoy",
    left: place(["{ route: [{ destination: { host: x }, weight: 0 }, { destination: { host: y }, weight: 0 }] }"]), right: place([last]), outcome: "different", says: ["without any destination"],
  },
  {
    name: "weights that sum to more than Envoy counts are refused by it",
    left: place([`{ route: [${["x", "y", "x"].map((host) => `{ destination: { host: ${host} }, weight: 2147483647 }`).join(", ")}] }`]), right: place([last]), outcome: "different", says: ["6442450941", "4294967295"],
  },
  {
    name: "a weight below nothing is open",
    left: place(["{ route: [{ destination: { host: x }, weight: -1 }, { destination: { host: y }, weight: 2 }] }"]), right: place([last]), outcome: "undecided", says: ["spec.http[0].route[0].weight", "`-1`"],
  },
  {
    name: "a rule that does nothing is refused by Envoy",
    left: place(["{ match: [{ uri: { exact: /a } }] }", last]), right: place([last]), outcome: "different", says: ["without any destination"],
  },
  {
    name: "delegates that lead round in a circle are followed one step, and Envoy refuses what is left",
    left: place(["{ delegate: { name: a } }"], delegate("a", "b") + delegate("b", "a")), right: place([last]), outcome: "different", says: ["without any destination"],
  },
  {
    name: "a delegate that owns hosts is none, so that its rule is gone",
    left: place(["{ delegate: { name: r } }", rule("{ uri: { exact: /a } }")]), right: place([rule("{ uri: { exact: /a } }")]), outcome: "equivalent",
  },
  {
    name: "a gateway that is not there has no rules",
    left: place([rule("{ gateways: [nowhere] }"), last]), right: place([last]), outcome: "equivalent",
  },
  {
    name: "a subset that is not there answers 503, whatever its name",
    left: place(["{ route: [{ destination: { host: x, subset: one } }] }"]), right: place(["{ route: [{ destination: { host: y, subset: other } }] }"]), outcome: "equivalent",
  },
  {
    name: "a thousand rules with a header each, two neighbours exchanged",
    left: place(thousand), right: place([...thousand.slice(0, 500), ...thousand.slice(500, 502).reverse(), ...thousand.slice(502)]), outcome: "different",
  },
  {
    name: "a thousand rules with a header each, all the other way round",
    left: place(thousand), right: place([...thousand].reverse()), outcome: "different",
  },
  {
    name: "a thousand rules with a header each and one action, all the other way round",
    left: place(numbers(1000).map((index) => headerOnly(2 * index))), right: place(numbers(1000).map((index) => headerOnly(2 * index)).reverse()), outcome: "equivalent",
  },
  { name: "a hundred rules of an expression and a header, all the other way round, takes few steps", left: place([...apart, last]), right: place([...apart.toReversed(), last]), outcome: "equivalent", steps: 20_000 },
  { name: "a thousand of them are as little trouble", left: place([...farApart, last]), right: place([...farApart.toReversed(), last]), outcome: "equivalent", steps: 100_000 },
  { name: "the same with one expression that overlaps another finds the request, in few steps", left: place([...overlapping, last]), right: place([...overlapping.toReversed(), last]), outcome: "different", steps: 20_000 },
  {
    name: "steps that run out leave the answer open, with their number",
    left: place([...thousand, last]), right: place([...thousand.map((text, index) => (index === 500 ? headerOnly(501) : text)), last]), outcome: "undecided", says: ["more than 500 steps"], steps: 500,
  },
];

describe("a comparison of", () => {
  for (const { name, left, right, outcome, says, steps } of rows) {
    it(name, { timeout: 60_000 }, () => {
      const found = compareWorlds([left, right], steps === undefined ? {} : { budget: { steps } });
      expect([found.outcome, found.undecided.map(({ reason }) => reason.slice(0, 200))]).toEqual([outcome, outcome === "undecided" ? expect.anything() : []]);
      const told = JSON.stringify([found.undecided, found.differences.flatMap(({ answers }) => answers.map(({ effect, rule: decided }) => [effect, decided]))]);
      for (const words of says ?? []) expect(told).toContain(words);
    });
  }

  it("a value that no conversion to text survives is one of a wrong type like others", () => {
    const api = (status: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: g, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { gatewayClassName: istio, listeners: [{ name: web, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r, namespace: default, creationTimestamp: "2026-01-02T00:00:00Z" }
spec: { parentRefs: [{ name: g }], rules: [{ filters: [{ type: RequestRedirect, requestRedirect: { statusCode: ${status} } }] }] }
---`;
    const { outcome, undecided } = compareWorlds([worldOf(ground + api("{ toString: 1, valueOf: 1 }")), worldOf(ground + api("{ toString: 1, valueOf: 1 }"))]);
    expect(outcome).toBe("undecided");
    expect(undecided.map(({ where }) => where)).toContainEqual({ object: "HTTPRoute default/r", path: "spec.rules[0].filters[0].requestRedirect.statusCode" });
  });

  it("objects of the wrong form names every place that is wrong", () => {
    const wrong = ["{ http: 1 }", "{ http: [1, [], null] }", "{ hosts: a.com, http: {} }", "{ hosts: [a.com], gateways: [g], http: [{ match: {}, route: [null] }] }", "[]", "a", "null"];
    for (const spec of wrong) {
      const { outcome, undecided } = compareWorlds([worldOf(ground + gateway + service("r", spec)), place([last])]);
      expect([spec, outcome === "equivalent", undecided.length >= 0]).toEqual([spec, false, true]);
    }
  });
});

describe("a hundred thousand rules of one host", () => {
  const table = (odd: number): RouteWorld => {
    const world = place(["{ redirect: { uri: /x } }"]);
    const origin = { object: "r", path: "" };
    const rules = numbers(100_000).map((index) => ({
      when: { path: { kind: "prefix" as const, value: `/api/v${index % 7}/part-${index}` } },
      action: { type: "forward" as const, destinations: [{ host: index % 2 === 0 || index === odd ? "x" : "y", port: 80, weight: 1 }] },
      origin: { ...origin, path: String(index) },
    }));
    const views = world.views.map((view) => ({
      ...view,
      readings: view.readings.map((reading) => ({
        ...reading,
        listener: { ...reading.listener, chains: reading.listener.chains.map((chain) => (chain.then.type === "http" ? { ...chain, then: { ...chain.then, virtualHosts: chain.then.virtualHosts.map((host) => ({ ...host, rules })) } } : chain)) },
      })),
    }));
    return { ...world, views };
  };

  it("are compared within the budget, and one that differs is found", { timeout: 120_000 }, () => {
    const left = table(-1);
    expect(compareWorlds([left, table(-1)], { views: ["gateways"] }).outcome).toBe("equivalent");
    const { outcome, differences } = compareWorlds([left, table(50_001)], { views: ["gateways"] });
    expect([outcome, differences.map(({ request }) => request.path)]).toEqual(["different", ["/api/v0/part-50001"]]);
  });
});
