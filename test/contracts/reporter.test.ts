import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Report, Result, Verdict } from "#engine";
import { laterFormats, reporters, type RenderOptions, type Reporter } from "../../reports/index.ts";
import { RAW, withoutColors } from "../support/escapes.ts";
import { pluginIn, root } from "../support/room.ts";
import { findingIn, fullReport, gapIn, reportIn, resultIn } from "../support/report.ts";

const room = join(root, "reports");
const found = await Promise.all(
  readdirSync(room)
    .filter((file) => file.endsWith(".ts"))
    .map(async (file) => ({ file, reporter: await pluginIn<Reporter | undefined>(room, file) })),
);
const discovered = found.flatMap(({ file, reporter }) => (reporter === undefined ? [] : [{ file, reporter }]));

const LOOKS: RenderOptions = { width: 80, color: false, all: true, exitCode: 1 };

/** Everything that could move a cursor, hide text or end a line, in every text of a report. */
const HOSTILE = "\u001b[2J\u001b]0;x\u0007\u009b31m\u202e\u2028\u200b\ufeff\r\n\t";

describe("the room of reports", () => {
  it("holds the formats that the command line offers, each loaded from its own file, and no other", async () => {
    const offered = await Promise.all(Object.entries(reporters).map(async ([name, load]) => [name, await load()] as const));
    expect(Object.fromEntries(offered)).toEqual(Object.fromEntries(discovered.map(({ reporter }) => [reporter.name, reporter])));
    expect(discovered.length).toBeGreaterThan(0);
  });

  it("offers nothing that it announces for later", () => {
    expect(laterFormats.filter((format) => Object.hasOwn(reporters, format))).toEqual([]);
  });
});

/** Formats for platforms show what their limits let through; `test/reports` holds what they claim. */
const WHOLE = ["terminal", "json"];

for (const { file, reporter } of discovered.filter((each) => WHOLE.includes(each.reporter.name))) {
  const render = (report: Report, looks: Partial<RenderOptions> = {}): string => {
    const text = reporter.render(report, { ...LOOKS, ...looks });
    if (typeof text !== "string") throw new TypeError(`${file} renders later`);
    return text;
  };

  describe(`the reporter in reports/${file}`, () => {
    it("is called like its file and says in one line what it is for", () => {
      expect(reporter.name).toBe(basename(file, ".ts"));
      expect(reporter.summary).toMatch(/^[a-z][^\n]*[^.\n]$/);
    });

    it("gives the same bytes for the same report", () => {
      expect(render(fullReport())).toBe(render(fullReport()));
    });

    it("leaves the report as it was", () => {
      const report = deepFrozen(fullReport());
      render(report);
      expect(report).toEqual(fullReport());
    });

    it("ends with one line end", () => {
      for (const report of [fullReport(), reportIn([])]) expect(render(report)).toMatch(/[^\n]\n$/);
    });

    it("has something to say about a run without clusters and without results", () => {
      expect(render(reportIn([], { clusters: [] })).trim()).not.toBe("");
    });

    it("names every assertion", () => {
      const text = render(fullReport());
      for (const { assertion } of fullReport().results) expect(text).toContain(assertion);
    });

    it("tells the three verdicts apart, of the run and of one assertion", () => {
      const verdicts: readonly Verdict[] = ["holds", "violated", "undecided"];
      const runs = verdicts.map((verdict) => render(reportIn([resultIn("a", "holds")], { verdict })));
      const results = verdicts.map((verdict) => render(reportIn([resultIn("a", verdict, { severity: "warning" })], { verdict: "holds", summary: { holds: 1, violated: 0, undecided: 0 } })));
      expect(new Set(runs).size).toBe(3);
      expect(new Set(results).size).toBe(3);
    });

    it("hides no fault and no gap, however many there are, where everything is asked for", () => {
      const many = (number: number) => reportIn([resultIn("a", "violated", { findings: numbered(number, (name) => findingIn("fault", name)), gaps: numbered(number, (name) => gapIn(name)) })]);
      const texts = [1, 2, 30, 31].map((number) => render(many(number)));
      expect(new Set(texts).size).toBe(4);
    });

    it("lets nothing through that could move a cursor, hide text or break a line", () => {
      const hostile = render(poisoned(fullReport()));
      expect(hostile).not.toMatch(RAW);
      expect(hostile).not.toContain("\u001b");
    });

    it("adds with colours nothing but colours, and only where it was told to", () => {
      for (const report of [fullReport(), poisoned(fullReport())]) {
        const colored = render(report, { color: true });
        expect(withoutColors(colored)).toBe(render(report));
      }
    });

    it("says the same in every width", () => {
      const words = (width: number) => render(fullReport(), { width }).split(/\s+/);
      expect(words(1)).toEqual(words(80));
      expect(words(10_000)).toEqual(words(80));
    });

    it("says at most what is asked for: with `all` at least as much as without", () => {
      expect(render(fullReport(), { all: true }).length).toBeGreaterThanOrEqual(render(fullReport(), { all: false }).length);
    });
  });
}

function numbered<T>(number: number, make: (name: string) => T): readonly T[] {
  return Array.from({ length: number }, (_, index) => make(`number ${index}`));
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFrozen);
    Object.freeze(value);
  }
  return value;
}

/** The report with hostile text in every text that comes from a cluster or a file. */
function poisoned(report: Report): Report {
  const words = new Set<unknown>(["violated", "undecided", "holds", "error", "warning", "info", "fault", report.schema]);
  const poison = (value: unknown): unknown => {
    if (typeof value === "string") return words.has(value) ? value : `${value}${HOSTILE}x`;
    if (Array.isArray(value)) return value.map(poison);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, poison(field)]));
  };
  const { results, clusters, notes } = poison({ results: report.results, clusters: report.clusters, notes: report.notes }) as { results: Result[]; clusters: Report["clusters"]; notes: string[] };
  return { ...report, results, clusters, notes };
}
