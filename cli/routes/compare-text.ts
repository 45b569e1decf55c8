import { styleText } from "node:util";
import { curlText, effectText, listText, requestText, ruleText, sidesOf, viewText } from "../../kinds/routes-equivalent/words.ts";
import { count, wrap } from "../../reports/layout.ts";
import { plain } from "../../reports/plain.ts";
import type { WorldDifference } from "#routes";
import { assumptionText } from "./answer.ts";
import { wordsOf, type Compared, type Verdict } from "./compare.ts";

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
    ...cut(undecided, MOST.undecided).map(({ reason, where, place, host }) => {
      const object = where === undefined ? "" : ` (${where.object}${where.path === undefined ? "" : ` ${where.path}`})`;
      return wrap(plain(`cannot be decided${place === undefined ? "" : ` in ${place}`}: ${reason}${object}${host === undefined ? "" : `, for \`${host}\``}`), looks.width, "  ? ", "    ");
    }),
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
  const { request, view, answers, alsoFor, alsoIn, missing, more } = difference;
  const effects = answers.map(({ effect }) => effect);
  const sides = sidesOf(difference).flatMap((side) => {
    const [first] = side;
    if (first === undefined) return [];
    const where = listText(side.map(({ place }) => place));
    return missing.includes(first.place)
      ? wrap(plain(`in ${where}: there is no such ${"gateway" in view ? "gateway" : "client"}`), width, "    ", "      ")
      : [wrap(plain(`in ${where} it ${effectText(first.effect, effects)}`), width, "    ", "      "), wrap(plain(ruleText(first.rule)), width, "      ", "      ")].join("\n");
  });
  const also = [
    ...(alsoFor.length === 0 ? [] : [`also for ${alsoFor.slice(0, MOST.names).join(", ")}${alsoFor.length > MOST.names ? ` and ${alsoFor.length - MOST.names} more hosts` : ""}`]),
    ...(alsoIn.length === 0 ? [] : [`also at ${alsoIn.slice(0, MOST.names).map(viewText).join(", ")}${alsoIn.length > MOST.names ? ` and ${alsoIn.length - MOST.names} more views` : ""}`]),
    ...(more === true ? ["more requests for this host may differ"] : []),
  ];
  return [wrap(plain(`${requestText(request)} at ${viewText(view)}`), width, "  ✗ ", "    "), ...sides, ...also.map((text) => wrap(plain(text), width, "    ", "      ")), `    ${plain(curlText(request, view))}`].join("\n");
}
