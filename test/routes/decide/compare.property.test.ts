import { describe, expect, it } from "vitest";
import { compare, type HttpTable, type Request, Resolver } from "#routes";
import { random, seed } from "../../support/seed.ts";
import { edited, listenerOf, type Random, request, table } from "../../support/tables.ts";

const budget = { steps: 300_000 };

function compared(tables: readonly HttpTable[]): ReturnType<typeof compare> {
  return compare(tables.map((http) => ({ readings: [{ name: "", listener: listenerOf(http) }] })), { transports: ["raw_buffer"], budget });
}

/** What the plain interpreter answers. */
function answersOf(tables: readonly HttpTable[], one: Request): readonly string[] {
  return tables.map((http) => JSON.stringify(new Resolver(listenerOf(http)).answer(one).effect));
}

const isSame = (keys: readonly string[]): boolean => keys.every((key) => key === keys[0]);

interface Count {
  pairs: number;
  checks: number;
  undecided: number;
  different: number;
}

/** Compares tables, and checks the outcome on requests aimed at boundaries and on every witness. */
function check(count: Count, next: Random, tables: readonly HttpTable[], requests: number, about: string): void {
  const { outcome, differences, undecided } = compared(tables);
  count.pairs++;
  if (outcome === "undecided") count.undecided++;
  if (outcome === "different") count.different++;
  const shown = (): string => `${about}\n${undecided.map(({ reason }) => reason).join("\n")}\n${JSON.stringify(tables)}`;
  for (const { request: witness } of differences) {
    count.checks++;
    expect(isSame(answersOf(tables, witness)), `a witness that is none: ${JSON.stringify(witness)} ${shown()}`).toBe(false);
  }
  for (const { reason } of undecided) expect(reason, shown()).not.toContain("interpreter");
  if (outcome !== "equivalent") return;
  const resolvers = tables.map((http) => new Resolver(listenerOf(http)));
  for (let at = 0; at < requests; at++) {
    const one = request(next);
    count.checks++;
    const keys = resolvers.map((resolver) => JSON.stringify(resolver.answer(one).effect));
    if (!isSame(keys)) expect.fail(`equivalent, but ${JSON.stringify(one)} is answered ${keys.join(" and ")} ${shown()}`);
  }
}

const scale = Number(process.env["ROUTE_CHECKS"] ?? 1);

describe("compare", () => {
  it("agrees with the plain interpreter on tables that were edited", { timeout: 600_000 }, () => {
    const start = seed("compare");
    const count: Count = { pairs: 0, checks: 0, undecided: 0, different: 0 };
    const wanted = 100_000 * scale;
    for (let at = 0; count.checks < wanted; at++) {
      const next = random(start + at * 7919);
      const coupled = next(8) === 0;
      const left = table(next, { coupled, most: 6 });
      const right = edited(next, left, next(4));
      const tables = next(6) === 0 ? [left, right, edited(next, left, 1)] : [left, right];
      check(count, next, tables, 150, `SEED=${start + at * 7919}`);
    }
    process.stdout.write(`${count.pairs} comparisons, ${count.checks} checks, ${count.different} different, ${count.undecided} undecided\n`);
    expect(count.undecided / count.pairs).toBeLessThan(0.05);
  });
});
