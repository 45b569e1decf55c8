import { describe, expect, it } from "vitest";
import { compareWorlds, envoyWorld, istioWorld, Resolver, type Rule, type RouteWorld } from "#routes";
import { random, seed } from "../support/seed.ts";
import { listenerOf } from "../support/tables.ts";
import { asEnvoy, asHttpRoutes, asVirtualServices, mutated, neutralRules, neutralTable } from "../support/written.ts";

const TABLES = process.env["CLOUD_ASSERT_DEEP"] === "1" ? 5_000 : 300;

function neutralWorld(rules: readonly Rule[], place = "neutral"): RouteWorld {
  return { place, views: [{ view: { gateway: "a/g", port: 80, tls: false }, readings: [{ name: "", listener: listenerOf(neutralTable(rules)) }] }], assumptions: [], unmodelled: [] };
}

/** The same rules, written in each language that can say them and read again. */
function readBack(rules: readonly Rule[]): ReadonlyMap<string, RouteWorld> {
  const objects = (place: string, list: readonly object[]): RouteWorld => istioWorld({ place, objects: list.map((object) => ({ object })), complete: true, istio: "1.31.0", envoy: "1.40.0" });
  const api = asHttpRoutes(rules);
  return new Map([
    ["VirtualServices", objects("VirtualServices", asVirtualServices(rules))],
    ["Envoy", envoyWorld({ place: "Envoy", dump: asEnvoy(rules), envoy: "1.40.0" })],
    ...(api === undefined ? [] : [["HTTPRoutes", objects("HTTPRoutes", api)] as const]),
  ]);
}

const views = { views: ["gateways"] as const };

describe("a table that is written out and read back", { timeout: 600_000 }, () => {
  const start = seed("round trips");
  const tables = Array.from({ length: TABLES }, (_, index) => {
    const next = random(start + index), isOfApi = index % 2 === 0;
    const rules = neutralRules(next, isOfApi);
    return { rules, other: mutated(rules, next, isOfApi), isOfApi };
  });

  it("is the same in every language that can say it, and the languages are of each other", () => {
    const seen = { pairs: 0, api: 0 };
    for (const { rules, isOfApi } of tables) {
      const worlds = [neutralWorld(rules), ...readBack(rules).values()];
      if (isOfApi) expect(worlds).toHaveLength(4);
      if (worlds.length === 4) seen.api++;
      for (const [index, left] of worlds.entries()) {
        for (const right of worlds.slice(index + 1)) {
          const { outcome, undecided, differences } = compareWorlds([left, right], views);
          expect([left.place, right.place, outcome, undecided, differences.slice(0, 1), outcome === "equivalent" ? "" : JSON.stringify(rules)]).toEqual([left.place, right.place, "equivalent", [], [], ""]);
          seen.pairs++;
        }
      }
    }
    expect(seen.pairs).toBe(3 * TABLES + 3 * seen.api);
  });

  it("differs after one mutation wherever the tables themselves do, with a request that shows it in both of them", () => {
    const seen = { different: 0, same: 0, witnesses: 0 };
    for (const { rules, other } of tables) {
      const truth = compareWorlds([neutralWorld(rules), neutralWorld(other, "mutated")], views).outcome;
      expect(truth).not.toBe("undecided");
      seen[truth === "different" ? "different" : "same"]++;
      const resolvers = [rules, other].map((own) => new Resolver(listenerOf(neutralTable(own))));
      const [before, after] = [readBack(rules), readBack(other)];
      for (const [one, left] of before) {
        for (const [two, right] of after) {
          const { outcome, differences } = compareWorlds([left, { ...right, place: `${two}, mutated` }], views);
          expect([one, two, outcome, outcome === truth ? "" : JSON.stringify([rules, other])]).toEqual([one, two, truth, ""]);
          for (const { request, answers } of differences) {
            const effects = resolvers.map((resolver) => resolver.answer(request).effect);
            expect([request, answers.map(({ effect }) => JSON.stringify(effect))]).toEqual([request, effects.map((effect) => JSON.stringify(effect))]);
            expect(JSON.stringify(effects[0])).not.toBe(JSON.stringify(effects[1]));
            seen.witnesses++;
          }
        }
      }
    }
    expect(seen.different).toBeGreaterThan(TABLES / 3);
    expect(seen.witnesses).toBeGreaterThan(seen.different);
  });
});
