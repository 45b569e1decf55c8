import { describe, it } from "vitest";
import { checkEdits } from "../routes/decide/checks.ts";
import { seed } from "../support/seed.ts";

describe("compare", () => {
  for (let part = 1; part <= 10; part++) {
    it(`agrees with the plain interpreter on tables that were edited, part ${part} of 10`, () => void checkEdits(seed(`compare, part ${part}`), 100_000));
  }
});
