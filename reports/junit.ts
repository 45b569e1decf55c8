import { create } from "xmlbuilder2";
import type { Report, Result } from "#engine";
import { bounded } from "./bounded.ts";
import { isOpen, itemsOfResult, type Item } from "./items.ts";
import { defineReporter } from "./reporter.ts";

const LIMITS = { name: 300, message: 1_000, detail: 8_000 };

/** How a test case ends. */
type Ending = "failure" | "error" | "skipped" | "passed";

interface Case {
  readonly name: string;
  readonly ending: Ending;
  readonly type: string;
  readonly message: string;
  readonly text: string;
}

export default defineReporter({
  name: "junit",
  summary: "JUnit XML, for the test tab of CI servers: a suite an assertion, a case a finding",
  render(report: Report): string {
    const suites = report.results.map((result) => ({ result, cases: casesOf(result) }));
    const root = create({ version: "1.0", encoding: "UTF-8" }).ele("testsuites", { name: "cloud-assert", ...totals(suites.flatMap(({ cases }) => cases), false) });
    for (const { result, cases } of suites) {
      const name = xml(result.assertion, LIMITS.name);
      const suite = root.ele("testsuite", { name, ...totals(cases, true) });
      for (const each of cases) {
        const element = suite.ele("testcase", { classname: name, name: each.name });
        if (each.ending !== "passed") element.ele(each.ending, { type: each.type, message: each.message }).txt(each.text);
      }
    }
    return `${root.end({ prettyPrint: true })}\n`;
  },
});

function totals(cases: readonly Case[], withSkipped: boolean) {
  const number = (ending: Ending) => String(cases.reduce((sum, each) => sum + (each.ending === ending ? 1 : 0), 0));
  return { tests: String(cases.length), failures: number("failure"), errors: number("error"), ...(withSkipped ? { skipped: number("skipped") } : {}) };
}

/** One case a finding or gap; one that passes for an assertion of which nothing is to be said. */
function casesOf(result: Result): readonly Case[] {
  const items = itemsOfResult(result).filter(({ outcome }) => outcome !== "info");
  const bySubject = Map.groupBy(items, ({ subject }) => subject);
  const cases = items.map((item) => caseOf(item, (bySubject.get(item.subject)?.length ?? 0) > 1));
  if (items.some(isOpen)) return cases;
  const { judged, of } = result.coverage;
  return [{ name: `${xml(result.kind, LIMITS.name)} holds: ${judged} ${xml(of, 100)} judged`, ending: "passed", type: "", message: "", text: "" }, ...cases];
}

function caseOf(item: Item, isOneOfSeveral: boolean): Case {
  const { result, outcome, subject, message, fingerprint, waived } = item;
  const said = outcome === "gap" ? `not seen: ${message}` : message;
  const soft = result.severity === "error" ? "" : `${result.severity} (never fails the run): `;
  const accepted = waived === undefined ? "" : `accepted by ${waived.owner}${waived.expires === undefined ? "" : ` until ${waived.expires}`} (${waived.reason}): `;
  return {
    name: xml(subject, LIMITS.name) + (isOneOfSeveral ? ` #${fingerprint.slice(0, 8)}` : ""),
    ending: waived !== undefined || result.severity !== "error" ? "skipped" : outcome === "fault" ? "failure" : "error",
    type: outcome,
    message: xml(`${accepted}${soft}${said}`, LIMITS.message),
    text: detailOf(item),
  };
}

function detailOf({ result, message, remedy, evidence, fingerprint }: Item): string {
  const lines = [message, `help: ${remedy}`, ...evidence.slice(0, 20).map(({ cluster, label, value, source }) => `${cluster} ${label}: ${value} (${source.file === undefined ? source.locator : `${source.file}:${source.line ?? 1}`})`)];
  const more = evidence.length > 20 ? [`… and ${evidence.length - 20} more pieces of evidence`] : [];
  const each = Math.floor(LIMITS.detail / (lines.length + 1));
  return [...lines.map((line) => xml(line, Math.max(each, 300))), ...more, `${xml(result.at.file, LIMITS.name)}:${result.at.line}:${result.at.column}`, `fingerprint: ${fingerprint}`].join("\n");
}

/** Text that XML 1.0 can hold: what `plain` leaves, but for the two code points that are no characters. */
function xml(text: string, most: number): string {
  return bounded(text, most).replace(/[\ufffe\uffff]/g, "\ufffd");
}
