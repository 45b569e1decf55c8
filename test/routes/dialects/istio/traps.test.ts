import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { answers, like, type Probe, worldIn } from "./world.ts";

const room = join(import.meta.dirname, "../../../../fixtures/routes");

interface Expected {
  readonly trap: string;
  readonly verdict: "equivalent" | "different" | "undecided";
  readonly view: Readonly<Record<string, unknown>>;
  readonly requests: readonly Probe[];
}

// The requests of an equivalent pair stand at its boundaries, those of a different one are its witnesses.
describe("a trap", () => {
  for (const name of readdirSync(room)) {
    const expected: Expected = JSON.parse(readFileSync(join(room, name, "expected.json"), "utf8"));
    it(`${expected.trap}: ${name.replaceAll("-", " ")}`, () => {
      const [left, right] = ["left.yaml", "right.yaml"].map((file) => worldIn(join(room, name, file)));
      if (left === undefined || right === undefined) throw new Error("two worlds");
      expect([left.unmodelled, right.unmodelled]).toEqual([[], []]);
      for (const request of expected.requests) {
        const pair = [left, right].map((world) => answers(world, like(expected.view), request));
        expect(pair).not.toContainEqual(["no such view"]);
        if (expected.verdict === "equivalent") expect(pair[0], JSON.stringify(request)).toEqual(pair[1]);
        else expect(pair[0], JSON.stringify(request)).not.toEqual(pair[1]);
      }
    });
  }
});
