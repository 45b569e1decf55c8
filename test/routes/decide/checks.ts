import { expect } from "vitest";
import { compare, type Comparison, type HttpTable, type Request, Resolver } from "#routes";
import { aimed, boundariesOf } from "../../support/boundaries.ts";
import { random } from "../../support/seed.ts";
import { edited, listenerOf, type Random, request, table } from "../../support/tables.ts";

/** Compares tables that listen to plain connections. */
export function compared(tables: readonly HttpTable[], steps = 300_000): Comparison {
  return compare(tables.map((http) => ({ readings: [{ name: "", listener: listenerOf(http) }] })), { transports: ["raw_buffer"], budget: { steps } });
}

/** What was looked at. */
export interface Count {
  pairs: number;
  checks: number;
  undecided: number;
  different: number;
}

const isSame = (keys: readonly string[]): boolean => keys.every((key) => key === keys[0]);

/** Some tables whose outcome is held against the plain interpreter. */
export class Trial {
  readonly tables: readonly HttpTable[];
  private readonly about: string;
  private readonly resolvers: readonly Resolver[];

  constructor(tables: readonly HttpTable[], about: string) {
    this.tables = tables;
    this.about = about;
    this.resolvers = tables.map((http) => new Resolver(listenerOf(http)));
  }

  answers(one: Request): readonly string[] {
    return this.resolvers.map((resolver) => JSON.stringify(resolver.answer(one).effect));
  }

  /** Every witness is answered differently; where there is none, no request aimed at a boundary is. */
  check(count: Count, next: Random, requests: number): Comparison["outcome"] {
    const { outcome, differences, undecided } = compared(this.tables);
    const shown = (): string => `${this.about}\n${undecided.map(({ reason }) => reason).join("\n")}\n${JSON.stringify(this.tables)}`;
    count.pairs++;
    if (outcome === "undecided") count.undecided++;
    if (outcome === "different") count.different++;
    for (const { request: witness } of differences) {
      count.checks++;
      if (isSame(this.answers(witness))) expect.fail(`a witness that is none: ${JSON.stringify(witness)} ${shown()}`);
    }
    for (const { reason } of undecided) expect(reason, shown()).not.toContain("interpreter");
    if (outcome === "equivalent") this.agree(count, next, requests, shown);
    return outcome;
  }

  private agree(count: Count, next: Random, requests: number, shown: () => string): void {
    const boundaries = boundariesOf(this.tables, next);
    for (let at = 0; at < requests; at++) {
      const one = at % 4 === 0 ? request(next) : aimed(boundaries, next);
      count.checks++;
      const keys = this.answers(one);
      if (!isSame(keys)) expect.fail(`equivalent, but ${JSON.stringify(one)} is answered ${keys.join(" and ")} ${shown()}`);
    }
  }
}

/** Pairs from edits that keep the meaning or change it, until so many requests have been checked. */
export function checkEdits(start: number, wanted: number): Count {
  const count: Count = { pairs: 0, checks: 0, undecided: 0, different: 0 };
  for (let at = 0; count.checks < wanted; at++) {
    const seed = start + at * 7919;
    const next = random(seed);
    const coupled = next(8) === 0;
    const left = table(next, { coupled, most: 6 });
    const right = edited(next, left, next(4));
    const tables = next(6) === 0 ? [left, right, edited(next, left, 1)] : [left, right];
    new Trial(tables, `SEED=${seed}`).check(count, next, 200);
  }
  process.stdout.write(`${count.pairs} comparisons, ${count.checks} checks, ${count.different} different, ${count.undecided} undecided\n`);
  expect(count.undecided / count.pairs).toBeLessThan(0.05);
  expect(count.different / count.pairs).toBeGreaterThan(0.2);
  return count;
}
