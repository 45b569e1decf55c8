import { curlText, effectText, listText, requestText, ruleText, sidesOf, viewText } from "../../kinds/routes-equivalent/words.ts";
import { bounded } from "../../reports/bounded.ts";
import { count } from "../../reports/layout.ts";
import { COMMENT, MarkdownPage } from "../../reports/markdown-page.ts";
import { fenced, markdownText } from "../../reports/markup.ts";
import type { WorldDifference } from "#routes";
import { assumptionText } from "./answer.ts";
import { wordsOf, type Compared } from "./compare.ts";

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
  for (const { reason, where, place, host } of undecided) {
    const object = where === undefined ? "" : ` (${where.object}${where.path === undefined ? "" : ` ${where.path}`})`;
    page.add(text(`cannot be decided${place === undefined ? "" : ` in \`${place}\``}: ${reason}${object}${host === undefined ? "" : `, for \`${host}\``}`), "open question");
  }
  const assumed = assumptions.slice(0, LIMITS.assumptions).map((each) => `- assumes: ${text(assumptionText(each))}`);
  const more = assumptions.length > assumed.length ? [`- … and ${count(assumptions.length - assumed.length, "more assumption")}`] : [];
  if (assumed.length > 0) page.add([...assumed, ...more].join("\n"), "list of assumptions");
  return `${page.text()}\n`;
}

function text(words: string): string {
  return markdownText(words, LIMITS.text);
}

function differenceOf(difference: WorldDifference): string {
  const { request, view, answers, alsoFor, alsoIn, missing, more } = difference;
  const effects = answers.map(({ effect }) => effect);
  const sides = sidesOf(difference).flatMap((side) => {
    const [first] = side;
    if (first === undefined) return [];
    const where = listText(side.map(({ place }) => place));
    if (missing.includes(first.place)) return [text(`in ${where}: there is no such ${"gateway" in view ? "gateway" : "client"}`)];
    return [text(`in ${where} it ${effectText(first.effect, effects)}, ${ruleText(first.rule)}`)];
  });
  const also = [
    ...(alsoFor.length === 0 ? [] : [`also for ${listed(alsoFor, "more host")}`]),
    ...(alsoIn.length === 0 ? [] : [`also at ${listed(alsoIn.map(viewText), "more view")}`]),
    ...(more === true ? ["more requests for this host may differ"] : []),
  ];
  return [`### ${text(requestText(request))}`, text(`at ${viewText(view)}`), [...sides, ...also.map(text)].map((line) => `- ${line}`).join("\n"), fenced([bounded(curlText(request, view), LIMITS.curl)], "sh")].join("\n\n");
}

function listed(names: readonly string[], noun: string): string {
  const rest = names.length - LIMITS.names;
  return `${names.slice(0, LIMITS.names).join(", ")}${rest > 0 ? ` and ${count(rest, noun)}` : ""}`;
}
