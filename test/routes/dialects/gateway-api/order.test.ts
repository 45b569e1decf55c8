import { describe, expect, it } from "vitest";
import { type ApiMatch, httpMatches } from "../../../../routes/dialects/gateway-api/matches.ts";
import { ApiRule, inOrder, WrittenForMatch } from "../../../../routes/dialects/gateway-api/rules.ts";
import type { Named } from "../../../../routes/dialects/istio/registry.ts";
import { random, seed } from "../../../support/seed.ts";

const route: Named = { kind: "HTTPRoute", namespace: "n", name: "r", title: "HTTPRoute n/r", created: undefined, labels: {}, annotations: {}, spec: {}, problems: [], written: [] };

const many = (count: number): readonly object[] => Array.from({ length: count }, (_, index) => ({ name: `x${index}`, value: "a" }));

/** A rule with one match; some have longer paths and more headers than one number tells. */
function rule(next: (bound: number) => number, index: number): ApiRule {
  const isOdd = next(40) === 0;
  const path = { type: ["Exact", "PathPrefix", "RegularExpression"][next(3)], value: `/${"a".repeat(isOdd ? 4096 : next(4))}` };
  const written = next(9) === 0 ? [] : [{ path, ...(next(2) === 0 ? { method: "GET" } : {}), headers: many(isOdd ? 20 : next(3)), queryParams: many(next(3)) }];
  const [match] = httpMatches({ matches: written }, "istiod");
  if (match === undefined) throw new Error("a rule without match");
  return ruleOf(match, index);
}

function ruleOf(match: ApiMatch, index: number): ApiRule {
  return new ApiRule(new WrittenForMatch({}, [], [], match, index, undefined), route);
}

describe("the order of rules", () => {
  it("is by rank, told by one number or one by one, and within a rank as they are given", () => {
    const start = seed("order of rules");
    let numbered = 0;
    for (let at = 0; at < 200; at++) {
      const next = random(start + at * 7919);
      const rules = Array.from({ length: 30 }, (_, index) => rule(next, index));
      if (rules.every(({ match }) => match.order !== undefined)) numbered++;
      const plain = rules.map((one) => ruleOf({ ...one.match, order: undefined }, one.index));
      expect(inOrder([rules.slice(0, 9), rules.slice(9)]).map(({ path }) => path)).toEqual(inOrder([plain]).map(({ path }) => path));
    }
    expect(numbered).toBeGreaterThan(50);
    expect(numbered).toBeLessThan(150);
  });
});
