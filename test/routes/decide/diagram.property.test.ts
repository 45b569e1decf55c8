import { describe, it } from "vitest";
import { seed } from "../../support/seed.ts";
import { checkDiagrams } from "./diagram-pairs.ts";

describe("compare", () => {
  it("agrees with canonical decision diagrams on small tables", { timeout: 600_000 }, () => checkDiagrams(seed("diagrams"), 1000));
});
