import { describe, expect, it } from "vitest";
import { type Condition, type DeadRules, deadRules, type HttpTable, Resolver, type Rule } from "#routes";
import { aimed, boundariesOf } from "../../support/boundaries.ts";
import { random, seed } from "../../support/seed.ts";
import { listenerOf, request, table } from "../../support/tables.ts";

const origin = (path: string): Rule["origin"] => ({ object: "VirtualService prod/shop", path });

function tableOf(conditions: readonly Condition[], domains: readonly string[] = ["a.com"]): HttpTable {
  const rules = conditions.map((when, index): Rule => ({ when, action: { type: "forward", destinations: [{ host: "x", port: 80, weight: 1 }] }, origin: origin(String(index)) }));
  return {
    type: "http", reading: { headerLines: "each", regexText: "bytes" }, pathNormalization: "base", ignorePort: true,
    scheme: { from: "connection", default: "http" }, virtualHosts: [{ domains, rules }], otherwise: { type: "notFound" },
  };
}

const paths = ({ dead, open }: DeadRules): readonly (readonly string[])[] => [dead, open].map((list) => list.map(({ path }) => path));
const exact = (value: string): Condition => ({ path: { kind: "exact", value } });
const prefix = (value: string): Condition => ({ path: { kind: "prefix", value } });
const regex = (pattern: string): Condition => ({ path: { kind: "regex", pattern } });
const header = (value: string, name = "x"): Condition => ({ headers: [{ name, match: { kind: "exact", value } }] });
const there: Condition = { headers: [{ name: "x", match: { kind: "any" } }] };
const gone: Condition = { headers: [{ name: "x", match: { kind: "any" }, invert: true, whenAbsent: true }] };

const rows: readonly { readonly name: string; readonly table: HttpTable; readonly dead: readonly string[]; readonly open?: readonly string[]; readonly steps?: number }[] = [
  { name: "none where each has requests of its own", table: tableOf([exact("/a"), prefix("/a"), header("1"), {}]), dead: [] },
  { name: "one behind a wider one", table: tableOf([prefix("/a"), exact("/a/b"), {}]), dead: ["1"] },
  { name: "one behind several that take its requests together", table: tableOf([there, gone, exact("/a"), {}]), dead: ["2", "3"] },
  { name: "one behind expressions that take its requests together", table: tableOf([regex("/[a-m].*"), regex("/[^a-m].*"), exact("/"), prefix("/q"), {}]), dead: ["3", "4"] },
  { name: "one that contradicts itself", table: tableOf([{ headers: [...(header("1").headers ?? []), ...(gone.headers ?? [])] }, {}]), dead: ["0"] },
  { name: "not one that two lines of a header reach", table: tableOf([{ headers: [...(header("1").headers ?? []), ...(header("2").headers ?? [])] }, {}]), dead: [] },
  // Who writes that header is the proxy: whether it takes all requests or none away from the others is not known.
  { name: "one behind a wider one, though a header that the proxy writes leaves the others open", table: tableOf([header("1", "x-request-id"), prefix("/a"), exact("/a"), {}]), dead: ["2"], open: ["0", "1", "3"] },
  { name: "those of a domain that no request can name", table: tableOf([{}], ["ns/a.com"]), dead: ["0"] },
  { name: "not one that an expression past all limits may leave something", table: tableOf([regex(`/${"a".repeat(70_000)}`), exact("/b"), prefix("/b"), exact("/b/c")]), dead: ["3"], open: ["0"] },
  { name: "none past the budget", table: tableOf([regex("/(a|b)*a"), regex("/(a|b)*b"), prefix("/a"), prefix("/aa")]), dead: [], open: ["0", "1", "2", "3"], steps: 2 },
];

describe("dead rules are", () => {
  for (const { name, table: one, dead, open, steps } of rows) it(name, () => expect(paths(deadRules(one, steps === undefined ? {} : { steps }))).toEqual([dead, open ?? []]));

  it("none of the rules that some request reaches", { timeout: 120_000 }, () => {
    const start = seed("dead rules");
    let dead = 0;
    for (let at = 0; at < 120; at++) {
      const next = random(start + at * 7919);
      const made = table(next, { most: 8, coupled: next(8) === 0 });
      const numbered = { ...made, virtualHosts: made.virtualHosts.map((host, index) => ({ ...host, rules: host.rules.map((rule, place) => ({ ...rule, origin: origin(`${index}.${place}`) })) })) };
      const found = new Set(deadRules(numbered).dead.map(({ path }) => path));
      dead += found.size;
      const resolver = new Resolver(listenerOf(numbered));
      const boundaries = boundariesOf([numbered], next);
      for (let turn = 0; turn < 200; turn++) {
        const one = turn % 4 === 0 ? request(next) : aimed(boundaries, next);
        const path = resolver.answer(one).rule?.path ?? "";
        if (found.has(path)) expect.fail(`SEED=${start + at * 7919}: rule ${path} is not dead, as ${JSON.stringify(one)} shows`);
      }
    }
    expect(dead).toBeGreaterThan(20);
  });
});
