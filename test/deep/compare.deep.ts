import { describe, it } from "vitest";
import { checkEdits } from "../routes/decide/checks.ts";
import { checkDiagrams } from "../routes/decide/diagram-pairs.ts";
import { seed } from "../support/seed.ts";

describe("compare", () => {
  for (let part = 1; part <= 10; part++) {
    it(`agrees with the plain interpreter on tables that were edited, part ${part} of 10`, () => void checkEdits(seed(`compare, part ${part}`), 100_000));
  }

  it("agrees with canonical decision diagrams on small tables", () => checkDiagrams(seed("diagrams"), 40_000));
});
