import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareWorlds } from "#routes";
import { worldIn } from "./dialects/istio/world.ts";

const room = join(import.meta.dirname, "../../fixtures/routes");

describe("compareWorlds", () => {
  for (const name of readdirSync(room)) {
    const expected: { readonly trap: string; readonly verdict: string } = JSON.parse(readFileSync(join(room, name, "expected.json"), "utf8"));
    it(`${expected.trap}: ${name.replaceAll("-", " ")}`, () => {
      const { outcome, undecided } = compareWorlds(["left.yaml", "right.yaml"].map((file) => worldIn(join(room, name, file))));
      expect([outcome, expected.verdict === "equivalent" ? undecided : []]).toEqual([expected.verdict, []]);
    });
  }
});
