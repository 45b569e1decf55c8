import { describe, expect, it } from "vitest";
import { reporters } from "../../reports/index.ts";
import { hostile, HOSTILE, manyFaults, oneOfEach, OPTIONS, reportWith } from "./many.ts";

/** What may stand in no output: it would move a cursor, hide, reorder, or end a line where none ends. */
const INVISIBLE = /(?!\n)\p{Cc}|[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;

const formats = Object.keys(reporters);

async function render(format: string, report = oneOfEach()) {
  const reporter = await reporters[format]?.();
  if (reporter === undefined) throw new Error(`no reporter ${format}`);
  return reporter.render(report, OPTIONS);
}

describe.each(formats)("%s", (format) => {
  it("is known by the name of its file", async () => expect((await reporters[format]?.())?.name).toBe(format));

  it("ends with one line end, and is the same each time", async () => {
    const text = await render(format);
    expect(text).toMatch(/[^\n]\n$/);
    expect(await render(format)).toBe(text);
  });

  it.each(HOSTILE)("lets nothing out of %s", async (_, text) => {
    const written = await render(format, hostile(text));
    expect(INVISIBLE.exec(written)?.[0]).toBeUndefined();
    if (format !== "json" && format !== "terminal") expect(written.length).toBeLessThan(400_000);
  });

  it("says something of a run without assertions", async () => expect(await render(format, reportWith([]))).not.toBe("\n"));

  it("writes 100,000 findings", { timeout: 120_000 }, async () => {
    const written = await render(format, manyFaults(100_000));
    expect(written.length).toBeGreaterThan(1_000);
  });
});
