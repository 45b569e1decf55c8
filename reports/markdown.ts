import type { Report, ReportTable, Result } from "#engine";
import { bounded } from "./bounded.ts";
import { byUrgency, isOpen, itemsOfResult, type Item } from "./items.ts";
import { count } from "./layout.ts";
import { COMMENT, MarkdownPage } from "./markdown-page.ts";
import { code, fenced, markdownText } from "./markup.ts";
import { defineReporter } from "./reporter.ts";
import { CELL_MARKS } from "./table.ts";

/** The line by which a later run finds its own comment again. */
export const MARKER = "<!-- cloud-assert -->";

const LIMITS = { name: 200, message: 2_000, evidence: 6, value: 500, assumptions: 5, table: 200, rows: 60, columns: 20, cell: 300 };

const MARKS = { holds: "✅", violated: "❌", undecided: "❔" } as const;

export default defineReporter({
  name: "markdown",
  summary: "a comment on a pull request: under 64 kB, with a marker by which it is found again",
  render: (report: Report): string => markdownOf(report, COMMENT),
});

/** The report as Markdown of at most `most` bytes; what does not fit is counted at its end. */
export function markdownOf(report: Report, most: number): string {
  const page = new MarkdownPage(most);
  page.add(headOf(report));
  for (const note of report.notes) page.add(`> ${markdownText(note, LIMITS.message)}`, "note");
  if (report.results.length > 0) page.add(tableOf(report.results));
  for (const result of byUrgency(report.results)) addResult(page, result);
  return `${page.text()}\n`;
}

function headOf({ verdict, summary }: Report): string {
  const parts = (["violated", "undecided", "holds"] as const).filter((word) => summary[word] > 0).map((word) => `${summary[word]} ${word}`);
  return `${MARKER}\n## ${MARKS[verdict]} cloud-assert: ${verdict}\n\n${count(summary.holds + summary.violated + summary.undecided, "assertion")}: ${parts.join(", ") || "none"}`;
}

function tableOf(results: readonly Result[]): string {
  const shown = byUrgency(results).slice(0, LIMITS.table);
  const rows = shown.map(({ assertion, kind, severity, verdict, coverage }) => {
    const { judged, of, clusters } = coverage;
    return `| ${MARKS[verdict]} ${verdict} | ${code(bounded(assertion, LIMITS.name), true)} | ${code(bounded(kind, LIMITS.name), true)} | ${severity} | ${judged} ${code(bounded(of, 60), true)} in ${count(clusters, "cluster")} |`;
  });
  const more = results.length > shown.length ? [`| | … and ${count(results.length - shown.length, "more assertion")} | | | |`] : [];
  return ["| verdict | assertion | kind | severity | judged |", "| --- | --- | --- | --- | --- |", ...rows, ...more].join("\n");
}

/** What a kind compared: columns and rows beyond a limit are counted. */
function comparedOf({ title, columns, rows }: ReportTable): string {
  const [places, claims] = [columns.slice(0, LIMITS.columns), rows.slice(0, LIMITS.rows)];
  const inCell = (text: string) => markdownText(text, LIMITS.cell);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const body = claims.map(({ head, cells }) => line([inCell(head), ...places.map((_, index) => { const cell = cells[index]; return cell === undefined ? "" : `${CELL_MARKS[cell.state]} ${inCell(cell.text)}`.trimEnd(); })]));
  const left = [...(columns.length > places.length ? [count(columns.length - places.length, "more column")] : []), ...(rows.length > claims.length ? [count(rows.length - claims.length, "more row")] : [])];
  return [`${inCell(title)}${left.length === 0 ? "" : ` (not shown: ${left.join(", ")})`}`, "", line(["", ...places.map(inCell)]), line(["---", ...places.map(() => "---")]), ...body].join("\n");
}

function addResult(page: MarkdownPage, result: Result): void {
  const items = itemsOfResult(result).filter((item) => item.outcome !== "info");
  const open = items.filter(isOpen);
  const accepted = items.filter((item) => !isOpen(item));
  const tables = result.tables ?? [];
  if (items.length === 0 && tables.length === 0 && result.verdict === "holds") return;
  if (page.isFull) {
    for (const { outcome } of items) page.leave(nounOf(outcome));
    return;
  }
  page.add(`### ${MARKS[result.verdict]} ${code(bounded(result.assertion, LIMITS.name))} ${result.verdict}\n\n${code(bounded(`${result.at.file}:${result.at.line}`, LIMITS.name))}${result.severity === "error" ? "" : ` · severity ${result.severity}: never fails the run`}`);
  for (const table of tables) page.add(comparedOf(table), "table");
  for (const item of [...open, ...accepted]) {
    if (page.isFull) page.leave(nounOf(item.outcome));
    else page.add(isOpen(item) ? itemOf(item) : acceptedOf(item), nounOf(item.outcome));
  }
  const assumptions = result.assumptions.slice(0, LIMITS.assumptions).map(({ text, where }) => `- assumes: ${markdownText(`${text} (${where})`, LIMITS.message)}`);
  const more = result.assumptions.length > assumptions.length ? [`- … and ${count(result.assumptions.length - assumptions.length, "more assumption")}`] : [];
  if (assumptions.length > 0) page.add([...assumptions, ...more].join("\n"), "list of assumptions");
}

function nounOf(outcome: Item["outcome"]): string {
  return outcome === "gap" ? "gap" : "finding";
}

function itemOf(item: Item): string {
  const { outcome, subject, message, remedy, evidence, fingerprint } = item;
  const word = outcome === "gap" ? "not seen" : outcome;
  return [
    `**${word}** ${code(bounded(subject, LIMITS.name))}: ${markdownText(message, LIMITS.message)}`,
    `_help:_ ${markdownText(remedy, LIMITS.message)}`,
    ...evidenceOf(evidence),
    `<sub>fingerprint ${code(fingerprint)}</sub>`,
  ].join("\n\n");
}

/** What was seen in a block of its own; a request that can be repeated in one that can be copied. */
function evidenceOf(evidence: Item["evidence"]): readonly string[] {
  const shown = evidence.slice(0, LIMITS.evidence);
  const [commands, others] = [shown.filter(({ value }) => value.startsWith("curl ")), shown.filter(({ value }) => !value.startsWith("curl "))];
  const lines = others.map(({ cluster, label, value, source }) => {
    const where = source.file === undefined ? source.locator : `${source.file}:${source.line ?? 1}`;
    return `${bounded(cluster, LIMITS.name)}  ${bounded(label, LIMITS.name)}: ${bounded(value, LIMITS.value)}  (${bounded(where, LIMITS.value)})`;
  });
  const more = evidence.length > shown.length ? [`… and ${evidence.length - shown.length} more`] : [];
  const curls = [...new Set(commands.map(({ value }) => bounded(value, LIMITS.message)))];
  return [...(curls.length === 0 ? [] : [fenced(curls, "sh")]), ...(lines.length + more.length === 0 ? [] : [fenced([...lines, ...more], "text")])];
}

function acceptedOf({ subject, message, waived }: Item): string {
  const until = waived?.expires === undefined ? "" : ` until ${waived.expires}`;
  return `_accepted by_ ${markdownText(`${waived?.owner ?? ""}`, LIMITS.name)}${until}: ${code(bounded(subject, LIMITS.name))}: ${markdownText(message, LIMITS.message)} _(${markdownText(waived?.reason ?? "", LIMITS.message)})_`;
}
