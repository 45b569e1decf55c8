import { describe, expect, it } from "vitest";
import type { Conversion } from "../../../../routes/dialects/gateway-api/conversion.ts";
import { crdProblems } from "../../../../routes/dialects/gateway-api/crd.ts";
import { type ApiReading, problemsOf } from "../../../../routes/dialects/gateway-api/objects.ts";
import { isPlain } from "../../../../routes/dialects/gateway-api/plain.ts";
import { type ApiRule, rulesOf } from "../../../../routes/dialects/gateway-api/rules.ts";
import { Memory } from "../../../../routes/dialects/istio/memory.ts";
import type { Named } from "../../../../routes/dialects/istio/registry.ts";
import { asksLooker, usesOf } from "../../../../routes/dialects/istio/rules.ts";
import type { VirtualService } from "../../../../routes/dialects/istio/virtual-services.ts";
import { random, seed } from "../../../support/seed.ts";

type Random = (bound: number) => number;

function pick(next: Random, list: readonly unknown[]): unknown {
  return list[next(list.length)];
}

/** An object with each of its fields, most often one of the first values. */
function some(next: Random, fields: Readonly<Record<string, readonly unknown[]>>): object {
  return Object.fromEntries(Object.entries(fields).flatMap(([name, values]) => {
    const value = next(12) === 0 ? pick(next, values) : values[0];
    return value === undefined ? [] : [[name, value]];
  }));
}

/** A rule that is plain but for what goes wrong now and then. */
function ruleOf(next: Random): unknown {
  const many = (least: number, make: () => unknown): readonly unknown[] => Array.from({ length: least + next(3) }, make);
  const values = (): readonly unknown[] => many(1, () => some(next, { name: [pick(next, ["x", "y", "z-1", "x_2"]), "X", "@request.auth.claims.a", "1", "", "a b", "__proto__", undefined], value: ["v", "", "*", 7, undefined], type: [undefined, "Exact", "RegularExpression"], odd: [undefined, undefined, 1] }));
  const path = (): object => some(next, { type: [pick(next, ["Exact", "PathPrefix"]), "RegularExpression", undefined], value: [pick(next, ["/a", "/a/b", "/a/b/", "/v1.2/c"]), "/", "", "a", "/a//b", "/.", "/..", "/a/./b", "/a%2fb", "/ä", "/a.html", "/.well-known", `/${"a".repeat(5_000)}`, 7, undefined], odd: [undefined, undefined, undefined, 1] });
  const match = (): unknown => some(next, { path: [path(), undefined], headers: [undefined, values(), values(), []], queryParams: [undefined, values(), []], method: [undefined, "GET", "CONNECT", "get"], odd: [undefined, undefined, undefined, 1] });
  const backend = (): unknown => some(next, { name: [pick(next, ["s", "t"]), "", "a.b", 7], port: [80, 8080, undefined, "80", 0, 65_536, 1.5], weight: [undefined, 1, 0, 7, 1_000_001, -1, 0.5, "1"], group: [undefined, "", "x"], kind: [undefined, "Service", "Hostname"], namespace: [undefined, "n", "m"], filters: [undefined, undefined, []] });
  return some(next, {
    name: [undefined, "a", 7],
    matches: [many(1, match), [], undefined],
    backendRefs: [many(1, backend), [], undefined],
    timeouts: [undefined, some(next, { request: ["1s", "0s", "10m", "1h30m", "soon", 5, undefined], backendRequest: [undefined, undefined, "1s"] })],
    filters: [undefined, undefined, undefined, [], [{ type: "ResponseHeaderModifier", responseHeaderModifier: { remove: ["x"] } }]],
    odd: [undefined, undefined, undefined, 1],
  });
}

function routeOf(rule: unknown): Named {
  return { kind: "HTTPRoute", namespace: "n", name: "r", title: "HTTPRoute n/r", created: undefined, labels: {}, annotations: {}, spec: { rules: [rule] }, problems: [], written: [] };
}

function conversionOf(reading: ApiReading, left: unknown[]): Conversion {
  return { reading, isMesh: false, domain: "cluster.local", grants: [], areGrantsSeen: true, services: new Map(), memory: new Memory(), isThere: () => true, leave: (one) => void left.push(one) };
}

function shown(rule: ApiRule): unknown {
  const { written: { spec, hasMatches, uses, blocks }, match, path, matchPath } = rule;
  const service: VirtualService = { named: rule.source, hosts: ["*"], gateways: ["mesh"], exportTo: ["*"], http: [rule], problems: [] };
  return { spec, hasMatches, uses: uses.map(({ host, subset, port }) => [host, subset, port]), conditions: blocks.map(({ match: spec, matched: { when, catchAll, prefix, invalid } }) => [spec, when, catchAll, prefix, invalid]), rank: match.rank, order: match.order, segments: match.segments, isRegex: match.isRegex, match: match.spec, path, matchPath, asked: usesOf(service), asksLooker: asksLooker(service) };
}

describe("a plain rule of an HTTPRoute", () => {
  it("is in order, and read in one walk as it is read otherwise", () => {
    const start = seed("plain rules");
    let [plain, other] = [0, 0];
    for (let turn = 0; turn < 20_000; turn++) {
      const rule = ruleOf(random(start + turn));
      if (!isPlain(rule, "n")) {
        other++;
        continue;
      }
      plain++;
      const route = routeOf(rule), where = `seed ${start}, turn ${turn}: ${JSON.stringify(rule).slice(0, 400)}`;
      expect([problemsOf(route), crdProblems(route, [])], where).toEqual([[], []]);
      for (const reading of ["istiod", "specification"] as const) {
        const left: unknown[] = [];
        const read = (isPlainAt: readonly boolean[]) => rulesOf(route, isPlainAt, conversionOf(reading, left))?.map(shown);
        expect(read([true]), where).toEqual(read([]));
        expect(left, where).toEqual([]);
      }
    }
    expect(Math.min(plain, other)).toBeGreaterThan(1_000);
  });
});
