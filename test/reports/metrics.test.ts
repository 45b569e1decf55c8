import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import prometheus from "../../reports/prometheus.ts";
import { hostile, HOSTILE, oneOfEach, OPTIONS, reportWith, resultWith } from "./many.ts";

/** Reads the text format as a scraper does; throws where it is not of that format. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || /^# (HELP|TYPE) [a-z_]+ /.test(line)) continue;
    const found = /^([a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line);
    if (found === null) throw new Error(`no sample: ${line}`);
    samples.set(found[1] ?? "", Number(found[2]));
  }
  return samples;
}

const render = async (report: Report, options: Partial<typeof OPTIONS> = {}) => samplesOf(await prometheus.render(report, { ...OPTIONS, ...options }));
const undecided = reportWith([resultWith("a", [], { verdict: "undecided" })]);

describe("metrics", () => {
  it("count what is open and what is accepted, and say how old everything is", async () => {
    const samples = await render(oneOfEach());
    expect(Object.fromEntries(samples)).toMatchObject({
      'assert_verdict{verdict="violated"}': 1,
      'assert_verdict{verdict="holds"}': 0,
      'assert_assertion_status{assertion="unclear",severity="error",verdict="undecided"}': 1,
      'assert_violations{assertion="skew",severity="error"}': 1,
      'assert_undecided{assertion="unclear",severity="error"}': 2,
      'assert_waived{assertion="skew",severity="error"}': 2,
      'assert_waivers{state="unused"}': 1,
      'assert_waivers_expiring{days="7"}': 1,
      'assert_cluster_reachable{cluster="aks-prod"}': 1,
      'assert_evidence_age_seconds{cluster="aks-prod"}': 120,
      assert_last_run_timestamp_seconds: Date.parse("2026-11-26T10:00:00Z") / 1000,
      assert_last_success_timestamp_seconds: Date.parse("2026-11-26T10:00:00Z") / 1000,
      assert_run_duration_seconds: 12,
    });
  });

  it("a run that could not decide keeps the time of the last one that could", async () => {
    const before = await prometheus.render(oneOfEach(), { ...OPTIONS, now: "2026-11-20T00:00:00Z" });
    expect((await render(undecided, { before })).get("assert_last_success_timestamp_seconds")).toBe(Date.parse("2026-11-20T00:00:00Z") / 1000);
    expect((await render(undecided)).has("assert_last_success_timestamp_seconds")).toBe(false);
    expect((await render(undecided, { before: "assert_last_success_timestamp_seconds 1e999\nx" })).has("assert_last_success_timestamp_seconds")).toBe(false);
  });

  it.each(HOSTILE)("are of their format with %s", async (_, text) => expect((await render(hostile(text))).size).toBeGreaterThan(5));
});
