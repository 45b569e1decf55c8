import { it, inject, expect } from "vitest";
it("x", (ctx) => { const f = inject("fleet"); if ("missing" in f) return ctx.skip(f.missing); expect(f.eks.name).toBe("eks"); });
