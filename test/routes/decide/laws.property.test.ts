import { describe, expect, it } from "vitest";
import type { Action, Condition, HttpTable, Rule, VirtualHost } from "#routes";
import { random, seed } from "../../support/seed.ts";
import { edited, type Random, rule, table } from "../../support/tables.ts";
import { compared, type Count, Trial } from "./checks.ts";

type Rules = readonly Rule[];

/** The table with the rules of one of its virtual hosts exchanged. */
function withRules(random: Random, from: HttpTable, change: (rules: Rules) => Rules): HttpTable {
  const at = random(from.virtualHosts.length);
  return { ...from, virtualHosts: from.virtualHosts.map((host, index): VirtualHost => (index === at ? { ...host, rules: change(host.rules) } : host)) };
}

function place(random: Random, rules: Rules): readonly [before: Rules, one: Rule, after: Rules] {
  const at = random(Math.max(rules.length, 1));
  return [rules.slice(0, at), rules[at] ?? rule(random), rules.slice(at + 1)];
}

/** A condition that asks for more than another one. */
function narrower(random: Random, when: Condition): Condition {
  const more = rule(random).when;
  return {
    ...when,
    ...(when.path === undefined && more.path !== undefined ? { path: more.path } : {}),
    headers: [...(when.headers ?? []), ...(more.headers ?? [])],
    query: [...(when.query ?? []), ...(more.query ?? [])],
    claims: [...(when.claims ?? []), ...(more.claims ?? [])],
  };
}

const method = (value: string): Condition => ({ headers: [{ name: ":method", match: { kind: "exact", value } }] });

function both(one: Condition, other: Condition): Condition {
  return { ...one, headers: [...(one.headers ?? []), ...(other.headers ?? [])] };
}

function scaled(action: Action, factor: number): Action {
  return action.type === "forward" ? { ...action, destinations: action.destinations.map((share) => ({ ...share, weight: share.weight * factor })) } : action;
}

function renamed(from: HttpTable, names: ReadonlyMap<string, string>): HttpTable {
  const rename = (action: Action): Action =>
    action.type !== "forward" ? action : { ...action, destinations: action.destinations.map((share) => ("invalid" in share ? share : { ...share, host: names.get(share.host) ?? share.host })) };
  return { ...from, virtualHosts: from.virtualHosts.map((host) => ({ ...host, rules: host.rules.map((one) => ({ ...one, action: rename(one.action) })) })) };
}

/** Changes that no request can see. */
const keeping: readonly { readonly name: string; readonly change: (random: Random, from: HttpTable) => readonly [HttpTable, HttpTable] }[] = [
  { name: "a table and its copy", change: (_, from) => [from, structuredClone(from)] },
  {
    name: "a rule and the same rule in two: with a header, and without it",
    change: (random, from) => [
      from,
      withRules(random, from, (rules) => {
        const [before, one, after] = place(random, rules);
        if (!rules.includes(one)) return rules;
        const there = both(one.when, { headers: [{ name: "z", match: { kind: "any" } }] });
        const gone = both(one.when, { headers: [{ name: "z", match: { kind: "any" }, invert: true, whenAbsent: true }] });
        const halves = [{ ...one, when: there }, { ...one, when: gone }];
        return [...before, ...(random(2) === 0 ? halves : halves.reverse()), ...after];
      }),
    ],
  },
  {
    name: "a rule and a narrower one with its action in front",
    change: (random, from) => [
      from,
      withRules(random, from, (rules) => {
        const [before, one, after] = place(random, rules);
        return rules.includes(one) ? [...before, { ...one, when: narrower(random, one.when) }, one, ...after] : rules;
      }),
    ],
  },
  {
    name: "weights and a multiple of them",
    change: (random, from) => {
      const factor = 2 + random(50);
      return [from, withRules(random, from, (rules) => rules.map((one) => ({ ...one, action: scaled(one.action, factor) })))];
    },
  },
  {
    name: "a rule behind one that takes as much",
    change: (random, from) => [
      from,
      withRules(random, from, (rules) => {
        const [before, one, after] = place(random, rules);
        if (!rules.includes(one)) return rules;
        const behind = random(after.length + 1);
        return [...before, one, ...after.slice(0, behind), { ...rule(random), when: narrower(random, one.when) }, ...after.slice(behind)];
      }),
    ],
  },
  {
    name: "two rules that no request satisfies both, the other way round",
    change: (random, from) => {
      const [one, other] = [rule(random), rule(random)];
      const pair = [{ ...one, when: both(one.when, method("GET")) }, { ...other, when: both(other.when, method("PUT")) }];
      const at = random(5);
      const host = random(from.virtualHosts.length);
      const put = (added: Rules): HttpTable => ({
        ...from,
        virtualHosts: from.virtualHosts.map((own, index) => (index === host ? { ...own, rules: [...own.rules.slice(0, at), ...added, ...own.rules.slice(at)] } : own)),
      });
      return [put(pair), put([...pair].reverse())];
    },
  },
  {
    name: "a rule that nothing can satisfy",
    change: (random, from) => [
      from,
      withRules(random, from, (rules) => {
        const [before, one, after] = place(random, rules);
        const never = both(both(rule(random).when, method("GET")), method("PUT"));
        return rules.includes(one) ? [...before, { ...one, when: never, action: rule(random).action }, one, ...after] : [{ ...one, when: never }];
      }),
    ],
  },
];

const ROUNDS = 60;

describe("a comparison finds no difference between", () => {
  for (const { name, change } of keeping) {
    it(name, { timeout: 300_000 }, () => {
      const start = seed(name);
      const count: Count = { pairs: 0, checks: 0, undecided: 0, different: 0 };
      for (let at = 0; at < ROUNDS; at++) {
        const next = random(start + at * 7919);
        const tables = change(next, table(next, { coupled: next(8) === 0 }));
        const outcome = new Trial(tables, `SEED=${start + at * 7919}`).check(count, next, 60);
        expect(outcome, `SEED=${start + at * 7919} ${JSON.stringify(tables)}`).not.toBe("different");
      }
      expect(count.undecided).toBeLessThan(ROUNDS / 10);
    });
  }
});

describe("the outcome of a comparison", () => {
  const laws: readonly { readonly name: string; readonly outcomes: (next: Random, left: HttpTable, right: HttpTable) => readonly [string, string] }[] = [
    { name: "is the same from either side", outcomes: (_, left, right) => [compared([left, right]).outcome, compared([right, left]).outcome] },
    {
      name: "is the same under other names of the destinations",
      outcomes(_, left, right) {
        const names = new Map([["x", "third"], ["y", "x"], ["z", "first"]]);
        return [compared([left, right]).outcome, compared([renamed(left, names), renamed(right, names)]).outcome];
      },
    },
    {
      name: "of three places is different where that of two of them is",
      outcomes(next, left, right) {
        const third = edited(next, next(2) === 0 ? left : right, 1);
        const pairs = [[left, right], [right, third], [left, third]].map((pair) => compared(pair).outcome);
        const wanted = pairs.includes("undecided") ? "undecided" : pairs.includes("different") ? "different" : "equivalent";
        return [compared([left, right, third]).outcome, wanted];
      },
    },
    {
      name: "does not change when places are told twice",
      outcomes: (_, left, right) => [compared([left, right, left, right]).outcome, compared([left, right]).outcome],
    },
  ];
  for (const { name, outcomes } of laws) {
    it(name, { timeout: 300_000 }, () => {
      const start = seed(name);
      for (let at = 0; at < ROUNDS; at++) {
        const next = random(start + at * 7919);
        const left = table(next, { coupled: next(8) === 0 });
        const [one, other] = outcomes(next, left, edited(next, left, next(3)));
        if (one === "undecided" || other === "undecided") continue;
        expect(one, `SEED=${start + at * 7919}`).toBe(other);
      }
    });
  }
});
