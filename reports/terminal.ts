import { styleText } from "node:util";
import type { Report, ReportCluster, ReportFinding, ReportGap, ReportTable, Result } from "#engine";
import { columns, count, digits, wrap } from "./layout.ts";
import { plain } from "./plain.ts";
import { defineReporter, type RenderOptions } from "./reporter.ts";
import { listLines, tableLines, type CellState } from "./table.ts";

type Style = Parameters<typeof styleText>[0];

/** What the parts of one report share: how to colour, how far to go. */
interface Page {
  readonly width: number;
  readonly all: boolean;
  paint(style: Style, text: string): string;
}

/** Where a list is cut unless everything was asked for. What decides the verdict has the longest ones. */
const LIMITS = { findings: 10, evidence: 6, gaps: 10, infos: 4, assumptions: 4, clusters: 30, rows: 40 };

const MARKS = { holds: "✓", violated: "✗", undecided: "?" } as const;
const STYLES = { holds: "green", violated: "red", undecided: "yellow" } as const;
const OUTCOME_MARKS = { fault: "✗", undecided: "?", info: "i" } as const;
const OUTCOME_STYLES = { fault: "red", undecided: "yellow", info: "cyan" } as const;

export default defineReporter({
  name: "terminal",
  summary: "for people: the verdict first, then why, then what to do",
  render: (report, options) => `${blocks(report, options).join("\n\n")}\n`,
});

function blocks(report: Report, options: RenderOptions): readonly string[] {
  const page: Page = { width: Math.max(options.width, 40), all: options.all, paint: painter(options.color) };
  const results = report.results.toSorted((a, b) => urgency(a) - urgency(b));
  return [
    headline(report, page),
    ...(report.notes.length === 0 ? [] : [report.notes.map((note) => wrap(plain(note), page.width, "note: ")).join("\n")]),
    ...(report.clusters.length === 0 ? [] : [clusters(report.clusters, page)]),
    ...results.map((result) => assertion(result, page)),
    lastLines(report, options, page),
  ];
}

function painter(color: boolean): Page["paint"] {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}

/** Violated before undecided before holds; inside each, what can fail a build comes first. */
function urgency({ verdict, severity }: Result): number {
  return { violated: 0, undecided: 10, holds: 20 }[verdict] + { error: 0, warning: 1, info: 2 }[severity];
}

function headline({ verdict, summary, results }: Report, page: Page): string {
  const total = results.length;
  const [first, ...others] = VERDICTS.filter((word) => summary[word] > 0);
  const lenient = verdict === "holds" && summary.holds < total ? "; none of severity error fails" : "";
  const words = first === undefined ? "nothing was judged" : [tally(first, summary[first], total), ...others.map((word) => `${summary[word]} ${saying(word, summary[word])}`)].join(", ");
  return `${page.paint(["bold", STYLES[verdict]], `${MARKS[verdict]} ${verdict.toUpperCase()}`)}  ${words}${lenient}`;
}

const VERDICTS = ["violated", "undecided", "holds"] as const;

/** `the assertion holds`, `all 3 assertions hold`, `1 of 3 assertions is violated`. */
function tally(verdict: keyof typeof MARKS, number: number, total: number): string {
  const who = total === 1 ? "the assertion" : number === total ? `all ${total} assertions` : `${number} of ${total} assertions`;
  return `${who} ${saying(verdict, number)}`;
}

function saying(verdict: keyof typeof MARKS, number: number): string {
  if (verdict === "holds") return number === 1 ? "holds" : "hold";
  return `${number === 1 ? "is" : "are"} ${verdict}`;
}

function clusters(all: readonly ReportCluster[], page: Page): string {
  const bad = all.filter((cluster) => !cluster.reachable);
  const shown = cut([...bad, ...all.filter((cluster) => cluster.reachable)], LIMITS.clusters, page);
  const rows = columns(
    shown.items.map((cluster) => [cluster.name, cluster.cloud ?? "-", cluster.region ?? "-", stateOf(cluster)]),
    "  ",
  );
  const lines = rows.map((row, index) => (shown.items[index]?.reachable ? row : page.paint("yellow", row)));
  return [page.paint("bold", count(all.length, "cluster")), ...lines, ...more(shown.left, "cluster", "  ", page)].join("\n");
}

function stateOf({ reachable, takenAt }: ReportCluster): string {
  if (takenAt === undefined) return "not seen: no snapshot";
  return `${reachable ? "seen" : "NOT REACHED"} ${takenAt}`;
}

function assertion(result: Result, page: Page): string {
  const { findings, gaps, assumptions } = result;
  const decisive = findings.filter(({ outcome }) => outcome !== "info");
  const infos = findings.filter(({ outcome }) => outcome === "info");
  const isQuiet = result.verdict === "holds" && !page.all && infos.length > 0;
  return [
    title(result, page),
    ...(result.tables ?? []).map((table) => tableOf(table, page)),
    ...list(decisive, LIMITS.findings, "finding", page, (each) => finding(each, page)),
    ...list(gaps, LIMITS.gaps, "gap", page, (each) => gap(each, page)),
    ...(isQuiet ? [page.paint("dim", `  ${count(infos.length, "more observation")} (-v shows ${infos.length === 1 ? "it" : "them"})`)] : []),
    ...list(isQuiet ? [] : infos, LIMITS.infos, "observation", page, (each) => (page.all ? finding(each, page) : remark(each, page))),
    ...list(assumptions, LIMITS.assumptions, "assumption", page, ({ text, where }) =>
      wrap(plain(`${text} (${where})`), page.width, "  assumes: ", "    "),
    ),
  ].join("\n");
}

function title(result: Result, page: Page): string {
  const { verdict, severity, at, coverage } = result;
  const style = STYLES[verdict];
  const head = `${page.paint(["bold", style], `${MARKS[verdict]} ${plain(result.assertion)}`)}  ${page.paint(style, verdict)}`;
  const soft = severity === "error" ? "" : ` (${severity}: never fails the run)`;
  const about = plain(`${result.kind}, ${at.file}:${at.line}; ${digits(coverage.judged)} ${coverage.of} judged in ${count(coverage.clusters, "cluster")}`);
  return `${head}${soft}\n${page.paint("dim", wrap(about, page.width, "  "))}`;
}

const CELL_STYLES: Readonly<Record<CellState, Style>> = { pass: "green", fail: "red", unknown: "yellow", exempt: "cyan", none: "dim" };

/** A table as columns; on a narrow terminal as a list. */
function tableOf(table: ReportTable, page: Page): string {
  const { items, left } = cut(table.rows, LIMITS.rows, page);
  const shown = { ...table, rows: items };
  const lines = tableLines(shown, page.width, "    ", (state, text) => page.paint(CELL_STYLES[state], text)) ?? listLines(shown, "    ");
  return [page.paint("dim", `  ${plain(table.title)}`), ...lines, ...more(left, "row", "    ", page)].join("\n");
}

function finding(each: ReportFinding, page: Page): string {
  const { outcome, waived } = each;
  const mark = waived ? page.paint("dim", "~") : page.paint(OUTCOME_STYLES[outcome], OUTCOME_MARKS[outcome]);
  const cited = cut(each.evidence, LIMITS.evidence, page);
  return [
    wrap(plain(each.message), page.width, `  ${mark} `, "    "),
    ...waiver(each, page),
    ...evidence(cited.items, page),
    ...more(cited.left, "piece of evidence", "      ", page, "pieces of evidence"),
    ...(waived ? [] : [help(each.remedy, page)]),
    ...fingerprint(each, page),
  ].join("\n");
}

function gap(each: ReportGap, page: Page): string {
  const mark = page.paint(each.waived ? "dim" : "yellow", each.waived ? "~" : "?");
  return [
    wrap(plain(`${placeOf(each)}${each.reason}`), page.width, `  ${mark} `, "    "),
    ...waiver(each, page),
    ...(each.waived ? [] : [help(each.remedy, page)]),
    ...fingerprint(each, page),
  ].join("\n");
}

/** Where something could not be seen. A subject that only repeats the cluster says nothing more: the reason does. */
function placeOf({ cluster, subject }: ReportGap): string {
  if (cluster === undefined) return "";
  return subject === cluster || subject.startsWith(`${cluster}/`) ? `not seen in ${cluster}: ` : `not seen in ${cluster}, ${subject}: `;
}

function waiver({ waived }: ReportFinding | ReportGap, page: Page): readonly string[] {
  if (waived === undefined) return [];
  return [wrap(plain(`accepted by ${waived.owner}${waived.expires === undefined ? "" : ` until ${waived.expires}`}: ${waived.reason}`), page.width, "      ")];
}

function fingerprint(each: ReportFinding | ReportGap, page: Page): readonly string[] {
  return page.all ? [page.paint("dim", `      subject: ${plain(each.subject)}\n      fingerprint: ${plain(each.fingerprint)}`)] : [];
}

function help(remedy: string, page: Page): string {
  return wrap(plain(remedy), page.width, `      ${page.paint("bold", "help:")} `, "            ");
}

/** What is worth knowing and changes nothing: its evidence and its remedy are for who asks for all. */
function remark(each: ReportFinding, page: Page): string {
  return wrap(plain(each.message), page.width, `  ${page.paint(OUTCOME_STYLES.info, OUTCOME_MARKS.info)} `, "    ");
}

/** One line each, the source below it where the line would be too long. */
function evidence(items: ReportFinding["evidence"], page: Page): readonly string[] {
  const rows = columns(
    items.map(({ cluster, label, value }) => [cluster, label, value]),
    "      ",
  );
  return items.map(({ source }, index) => {
    const where = plain(source.file === undefined ? source.locator : `${source.file}:${source.line ?? 1}`);
    const row = rows[index] ?? "";
    const fits = [...row].length + 2 + where.length <= page.width;
    return fits ? `${row}  ${page.paint("dim", where)}` : `${row}\n        ${page.paint("dim", where)}`;
  });
}

function list<T>(all: readonly T[], limit: number, noun: string, page: Page, render: (item: T) => string): readonly string[] {
  const { items, left } = cut(all, limit, page);
  return [...items.map(render), ...more(left, noun, "  ", page)];
}

function cut<T>(all: readonly T[], limit: number, page: Page): { readonly items: readonly T[]; readonly left: number } {
  // one more line would only say that one line is missing
  const end = page.all || all.length <= limit + 1 ? all.length : limit;
  return { items: all.slice(0, end), left: all.length - end };
}

function more(left: number, noun: string, indent: string, page: Page, nouns?: string): readonly string[] {
  return left === 0 ? [] : [page.paint("dim", `${indent}… and ${nouns === undefined ? count(left, `more ${noun}`) : `${left} more ${nouns}`} (-v shows all)`)];
}

const MEANINGS = {
  holds: "everything of severity error holds",
  violated: "at least one assertion of severity error is violated",
  undecided: "nothing of severity error is violated, but not everything could be decided",
} as const;

function lastLines({ verdict, summary }: Report, { exitCode }: RenderOptions, page: Page): string {
  const total = summary.holds + summary.violated + summary.undecided;
  const parts = VERDICTS.filter((word) => summary[word] > 0).map((word) => `${summary[word]} ${word === "holds" ? saying(word, summary[word]) : word}`);
  const counts = [count(total, "assertion"), parts.join(", ")].filter((part) => part !== "").join(": ");
  return `${page.paint("bold", counts)}\nexit code ${exitCode}: ${MEANINGS[verdict]}`;
}
