import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { compareWorlds, deadRulesOf, istioWorlds } from "#routes";
import { random, seed } from "../support/seed.ts";

const TRAPS = path.join(import.meta.dirname, "../../fixtures/routes");
const ROUNDS = 1_500;

/** What an API server would refuse, a file can hold and a program trips over. */
const ODD: readonly unknown[] = [
  null, 0, -1, 1e308, "", "*", "*.", ".", "a..b", "1.2.3.4/33", "::", "\0", "é", "(((", "(?i)\\C", "0s", "1e9h", "__proto__", "x".repeat(300), 65_536, true, false,
  [], [null], [[[]]], ["a", 1], {}, { a: null }, { exact: 1 }, { regex: "(" }, { toString: 1, valueOf: 1 }, { length: 3 }, JSON.parse('{"__proto__": {"a": 1}, "constructor": 1, "hasOwnProperty": 1}'),
];

type Spot = readonly [parent: Record<string, unknown>, key: string];

function spotsIn(value: unknown): readonly Spot[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => [[value as Record<string, unknown>, key] as const, ...spotsIn((value as Record<string, unknown>)[key])]);
}

function objectsOf(file: string): readonly unknown[] {
  return loadAll(readFileSync(file, "utf8")).filter((one) => typeof one === "object" && one !== null);
}

describe("whatever objects hold", () => {
  it("they are read and compared without an error", () => {
    const files = readdirSync(TRAPS, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml")).map((name) => path.join(TRAPS, name));
    const sources = files.map(objectsOf).filter((objects) => objects.length > 0);
    expect(sources.length).toBeGreaterThan(100);
    const next = random(seed("hostile objects"));
    const outcomes = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const objects = structuredClone(sources[next(sources.length)] ?? []);
      const other = structuredClone(objects);
      const spots = other.flatMap(spotsIn);
      for (let edit = 0; edit <= next(4); edit++) {
        const [parent, key] = spots[next(spots.length)] ?? [{}, ""];
        if (Array.isArray(parent) && next(4) === 0) parent.splice(Number(key), 1);
        else parent[key] = structuredClone(ODD[next(ODD.length)]);
      }
      const options = { complete: next(2) === 0, servicesByName: next(2) === 0, reading: next(2) === 0 ? ("istiod" as const) : ("specification" as const) };
      const worlds = istioWorlds([objects, other].map((list, index) => ({ place: `p${index}`, objects: list.map((object) => ({ object })), ...options })));
      const { outcome } = compareWorlds(worlds, next(2) === 0 ? { hosts: ["*"] } : {});
      for (const world of worlds) deadRulesOf(world);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    process.stdout.write(`${JSON.stringify([...outcomes])}\n`);
    expect([...outcomes.keys()].toSorted()).toEqual(["different", "equivalent", "undecided"]);
  });
});
