import { curlText, requestText, viewText } from "../../kinds/routes-equivalent/words.ts";
import { bounded } from "../../reports/bounded.ts";
import { count } from "../../reports/layout.ts";
import { COMMENT, MarkdownPage } from "../../reports/markdown-page.ts";
import { fenced, markdownText } from "../../reports/markup.ts";
import type { WorldDifference } from "#routes";
import { assumptionText } from "./answer.ts";
import { alsoText, openText, sidesText, wordsOf, type Compared } from "./compare.ts";

/** The line by which a later comparison finds its own comment again; a report of assertions has another one. */
export const COMPARE_MARKER = "<!-- cloud-assert-compare -->";

const MARKS = { equivalent: "✅", different: "❌", undecided: "❔" } as const;
const LIMITS = { text: 2_000, curl: 8_000, names: 8, assumptions: 5 };

/** The comparison as a comment on a pull request: under 64 kB, what does not fit is counted. */
export function compareMarkdown(compared: Compared): string {
  const { verdict, differences, undecided, assumptions } = compared;
  const page = new MarkdownPage(COMMENT);
  page.add(`${COMPARE_MARKER}\n## ${MARKS[verdict]} routes: ${verdict}\n\n${text(wordsOf(compared, (place) => `\`${place}\``))}`);
  for (const each of differences) page.add(differenceOf(each), "difference");
  for (const each of undecided) page.add(text(openText(each)), "open question");
  const assumed = assumptions.slice(0, LIMITS.assumptions).map((each) => `- assumes: ${text(assumptionText(each))}`);
  const more = assumptions.length > assumed.length ? [`- … and ${count(assumptions.length - assumed.length, "more assumption")}`] : [];
  if (assumed.length > 0) page.add([...assumed, ...more].join("\n"), "list of assumptions");
  return `${page.text()}\n`;
}

function text(words: string): string {
  return markdownText(words, LIMITS.text);
}

function differenceOf(difference: WorldDifference): string {
  const { request, view } = difference;
  const sides = sidesText(difference).map(({ where, rule }) => (rule === undefined ? where : `${where}, ${rule}`));
  const lines = [...sides, ...alsoText(difference, LIMITS.names)].map((line) => `- ${text(line)}`);
  return [`### ${text(requestText(request))}`, text(`at ${viewText(view)}`), lines.join("\n"), fenced([bounded(curlText(request, view), LIMITS.curl)], "sh")].join("\n\n");
}
