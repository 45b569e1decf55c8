import { describe, expect, it } from "vitest";
import { compare, type Comparison, type HttpTable, type Reading } from "#routes";
import { random, seed } from "../../support/seed.ts";
import { edited, listenerOf, type Random, table } from "../../support/tables.ts";

const ROUNDS = 150;
const RELEASES = ["old", "new"];

/** A place of one known release, or one that may be of either; now and then the releases make other rules of it too. */
function place(next: Random, from: HttpTable): readonly Reading[] {
  const lines = ["joined", "each"] as const;
  const read = (at: number): HttpTable => ({ ...from, reading: { headerLines: lines[at] ?? "each", regexText: "bytes" } });
  if (next(4) === 0) return [{ name: "", listener: listenerOf(read(next(2))) }];
  return RELEASES.map((release, at) => ({ name: release, versions: { envoy: [release] }, listener: listenerOf(next(6) === 0 ? edited(next, read(at), 1) : read(at)) }));
}

/** Every choice of a reading for each place that can hold at once, each as a comparison of its own. */
function oneByOne(left: readonly Reading[], right: readonly Reading[]): readonly Comparison["outcome"][] {
  return left.flatMap((one) =>
    right.flatMap((other) => {
      const [ours, theirs] = [one.versions?.["envoy"]?.[0], other.versions?.["envoy"]?.[0]];
      return ours === undefined || theirs === undefined || ours === theirs ? [outcomeOf([one], [other])] : [];
    }),
  );
}

function outcomeOf(...places: readonly (readonly Reading[])[]): Comparison["outcome"] {
  return compare(places.map((readings) => ({ readings })), { transports: ["raw_buffer"], budget: { steps: 300_000 } }).outcome;
}

describe("places that may be read in several ways", () => {
  it("agree exactly where every choice of readings that can hold at once does", { timeout: 300_000 }, () => {
    const start = seed("readings");
    const seen = { equivalent: 0, different: 0, undecided: 0 };
    for (let at = 0; at < ROUNDS; at++) {
      const next = random(start + at * 7919);
      const from = table(next, { normalization: "base", most: next(8) === 0 ? 25 : 6 });
      const places = [place(next, from), place(next, edited(next, from, next(3)))] as const;
      const single = oneByOne(...places);
      if (single.includes("undecided")) continue;
      const outcome = outcomeOf(...places);
      seen[outcome]++;
      const about = `SEED=${start + at * 7919} ${single.join(", ")}`;
      if (outcome !== "different") expect(outcome === "equivalent", about).toBe(single.every((one) => one === "equivalent"));
      // What differs under each reading need not be one request that differs under all.
      else expect(single, about).not.toContain("equivalent");
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(ROUNDS / 20);
  });
});
