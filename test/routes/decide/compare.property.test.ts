import { describe, it } from "vitest";
import { seed } from "../../support/seed.ts";
import { checkEdits } from "./checks.ts";

describe("compare", () => {
  it("agrees with the plain interpreter on tables that were edited", { timeout: 600_000 }, () => {
    checkEdits(seed("compare"), 100_000);
  });
});
