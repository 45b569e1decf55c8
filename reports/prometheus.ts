import { Gauge, Registry } from "prom-client";
import type { Report, Verdict } from "#engine";
import { bounded } from "./bounded.ts";
import { isOpen, itemsOfResult } from "./items.ts";
import { defineReporter, type RenderOptions } from "./reporter.ts";

const VERDICTS: readonly Verdict[] = ["holds", "violated", "undecided"];

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export default defineReporter({
  name: "prometheus",
  summary: "metrics as a text file, for a textfile collector or a push gateway",
  rereads: true,
  async render(report: Report, options: RenderOptions): Promise<string> {
    const registry = new Registry();
    for (const [name, help, samples] of metricsOf(report, options)) {
      if (samples.length === 0) continue;
      const gauge = new Gauge({ name, help, labelNames: Object.keys(samples[0]?.[0] ?? {}), registers: [registry] });
      for (const [labels, value] of samples) gauge.set(labels, value);
    }
    return registry.metrics();
  },
});

/** No series for a single object: their number would grow with the clusters. */
function metricsOf(report: Report, options: RenderOptions): readonly (readonly [name: string, help: string, samples: readonly Sample[]])[] {
  const { results, clusters, waivers = [], verdict } = report;
  const now = options.now === undefined ? undefined : seconds(options.now);
  const success = verdict === "undecided" ? lastSuccess(options.before) : now;
  const counts = results.map((result) => {
    const items = itemsOfResult(result);
    const number = (test: (item: (typeof items)[number]) => boolean) => items.reduce((sum, item) => sum + (test(item) ? 1 : 0), 0);
    const labels = { assertion: label(result.assertion), severity: result.severity };
    return {
      labels,
      violations: number((item) => isOpen(item) && item.outcome === "fault"),
      undecided: number((item) => isOpen(item) && item.outcome !== "fault"),
      waived: number((item) => item.waived !== undefined),
    };
  });
  return [
    ["assert_verdict", "1 for the verdict of the last run, over assertions of severity error", VERDICTS.map((each) => [{ verdict: each }, each === verdict ? 1 : 0])],
    ["assert_assertion_status", "1 for the verdict of the assertion", results.flatMap(({ assertion, severity, verdict: is }) => VERDICTS.map((each): Sample => [{ assertion: label(assertion), severity, verdict: each }, each === is ? 1 : 0]))],
    ["assert_violations", "faults that nobody accepted", counts.map(({ labels, violations }) => [labels, violations])],
    ["assert_undecided", "gaps and undecided findings that nobody accepted", counts.map(({ labels, undecided }) => [labels, undecided])],
    ["assert_waived", "findings and gaps that a waiver or the baseline accepts", counts.map(({ labels, waived }) => [labels, waived])],
    ["assert_waivers", "waivers by what became of them", waiverStates(waivers.map(({ state }) => state))],
    ["assert_waivers_expiring", "waivers in use that end within so many days", [7, 14].map((days) => [{ days: String(days) }, waivers.filter(({ state, daysLeft }) => state === "expiring" && daysLeft <= days).length])],
    ["assert_cluster_reachable", "1 where the cluster was reached", clusters.map(({ name, reachable }) => [{ cluster: label(name) }, reachable ? 1 : 0])],
    ["assert_evidence_age_seconds", "age of what was seen of the cluster, at the time of the run", now === undefined ? [] : clusters.flatMap(({ name, takenAt }): readonly Sample[] => (takenAt === undefined ? [] : [[{ cluster: label(name) }, Math.max(0, now - seconds(takenAt))]]))],
    ["assert_last_run_timestamp_seconds", "when the last run took place", now === undefined ? [] : [[{}, now]]],
    ["assert_last_success_timestamp_seconds", "when a run last saw enough to decide; alert on its age", success === undefined ? [] : [[{}, success]]],
    ["assert_run_duration_seconds", "how long collecting and judging took", options.seconds === undefined ? [] : [[{}, options.seconds]]],
  ];
}

function waiverStates(states: readonly string[]): readonly Sample[] {
  return [...Map.groupBy(states, (state) => state)].map(([state, all]) => [{ state }, all.length]);
}

/** A run that could not decide keeps the time of the last one that could. */
function lastSuccess(before: string | undefined): number | undefined {
  const found = /^assert_last_success_timestamp_seconds (\d{1,12}(?:\.\d{1,3})?)$/m.exec(before ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

function label(text: string): string {
  return bounded(text, 200);
}

function seconds(time: string): number {
  return Date.parse(time) / 1000;
}
