import { styleText } from "node:util";
import { curlText, requestText, viewText } from "../../kinds/routes-equivalent/words.ts";
import { count, wrap } from "../../reports/layout.ts";
import { plain } from "../../reports/plain.ts";
import type { WorldDifference } from "#routes";
import { assumptionText } from "./answer.ts";
import { alsoText, openText, sidesText, wordsOf, type Compared, type Verdict } from "./compare.ts";

interface Looks {
  readonly width: number;
  readonly color: boolean;
  readonly all: boolean;
}

const MARKS = { equivalent: "✓", different: "✗", undecided: "?" } as const;
const STYLES = { equivalent: "green", different: "red", undecided: "yellow" } as const;
const MOST = { differences: 10, undecided: 10, assumptions: 6, names: 4 };

/** The comparison for people: the answer first, then requests that show it. */
export function compareText(compared: Compared, looks: Looks): string {
  const { verdict, differences, undecided, assumptions, size } = compared;
  const cut = <T>(items: readonly T[], most: number) => (looks.all ? items : items.slice(0, most));
  const more = (all: readonly unknown[], most: number, noun: string) => (looks.all || all.length <= most ? [] : [`  … and ${all.length - most} more ${noun} (-v shows all)`]);
  const head = looks.color ? styleText(["bold", STYLES[verdict]], headOf(verdict), { validateStream: false }) : headOf(verdict);
  return `${[
    `${head}  ${wordsOf(compared, plain)}`,
    ...cut(differences, MOST.differences).map((each) => differenceText(each, looks.width)),
    ...more(differences, MOST.differences, "differences"),
    ...cut(undecided, MOST.undecided).map((each) => wrap(plain(openText(each)), looks.width, "  ? ", "    ")),
    ...more(undecided, MOST.undecided, "open questions"),
    ...cut(assumptions, MOST.assumptions).map((each) => wrap(plain(assumptionText(each)), looks.width, "  assumes: ", "    ")),
    ...more(assumptions, MOST.assumptions, "assumptions"),
    `${count(size.views, "view")}, ${count(size.hosts, "kind")} of host, ${count(size.classes, "class", "classes")} of requests looked at`,
  ].join("\n")}\n`;
}

function headOf(verdict: Verdict): string {
  return `${MARKS[verdict]} ${verdict.toUpperCase()}`;
}

function differenceText(difference: WorldDifference, width: number): string {
  const { request, view } = difference;
  const lines = (text: string, indent: string, next: string) => wrap(plain(text), width, indent, next);
  return [
    lines(`${requestText(request)} at ${viewText(view)}`, "  ✗ ", "    "),
    ...sidesText(difference).flatMap(({ where, rule }) => [lines(where, "    ", "      "), ...(rule === undefined ? [] : [lines(rule, "      ", "      ")])]),
    ...alsoText(difference, MOST.names).map((text) => lines(text, "    ", "      ")),
    `    ${plain(curlText(request, view))}`,
  ].join("\n");
}
