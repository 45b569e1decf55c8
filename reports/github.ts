import type { Report } from "#engine";
import { bounded } from "./bounded.ts";
import { isOpen, itemsOf, type Item } from "./items.ts";
import { count } from "./layout.ts";
import { markdownOf } from "./markdown.ts";
import { defineReporter, type RenderOptions } from "./reporter.ts";

/** A step may have ten annotations of a level; what is beyond vanishes without a word. */
const ANNOTATIONS = 10;
/** A job summary of more than 1 MiB is dropped whole. */
const SUMMARY = 1024 * 1024;

export default defineReporter({
  name: "github",
  summary: "annotations of GitHub Actions, the worst ten, and the job summary where there is one",
  render(report: Report): string {
    const open = itemsOf(report).filter(isOpen);
    const shown = open.slice(0, ANNOTATIONS).map(annotation);
    const left = open.length - shown.length;
    const last = left === 0 ? `cloud-assert: ${report.verdict}` : `cloud-assert: ${report.verdict}; ${count(left, "more finding or gap", "more findings and gaps")} in the job summary and the other formats`;
    return `${[...shown, last].join("\n")}\n`;
  },
  appends: {
    variable: "GITHUB_STEP_SUMMARY",
    limit: SUMMARY,
    text: (report: Report, _options: RenderOptions, room: number): string => markdownOf(report, room - 1_024),
  },
});

const COMMANDS = { error: "error", warning: "warning", info: "notice" } as const;

function annotation({ result, outcome, subject, message, remedy, evidence }: Item): string {
  const inFile = evidence.find(({ source }) => source.file !== undefined && isBelow(source.file))?.source;
  const at = inFile === undefined ? result.at : { file: inFile.file ?? "", line: inFile.line ?? 1, column: 1 };
  const word = outcome === "fault" ? "violated" : outcome === "gap" ? "not seen" : "undecided";
  const properties = [
    ...(isBelow(at.file) ? [`file=${property(at.file, 500)}`, `line=${at.line}`, `col=${at.column}`] : []),
    `title=${property(`${result.assertion}: ${word}: ${subject}`, 200)}`,
  ];
  return `::${COMMANDS[result.severity]} ${properties.join(",")}::${data(message, 2_000)}%0Ahelp: ${data(remedy, 1_000)}`;
}

/** Only files of the checkout can be shown beside their text. */
function isBelow(file: string): boolean {
  return !file.startsWith("/") && !file.startsWith("built-in ") && !file.split(/[\\/]/).includes("..");
}

function data(text: string, most: number): string {
  return bounded(text, most).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string, most: number): string {
  return data(text, most).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
