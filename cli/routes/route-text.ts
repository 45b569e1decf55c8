import { effectText, requestText, ruleText, viewText } from "../../kinds/routes-equivalent/words.ts";
import { wrap } from "../../reports/layout.ts";
import { plain } from "../../reports/plain.ts";
import { assumptionText } from "./answer.ts";
import type { Routed } from "./route.ts";

/** One answer for people. */
export function routeText({ view, request, action, rule, assumptions }: Routed, width: number): string {
  const at = wrap(plain(`${requestText(request)}${view === undefined ? "" : ` at ${viewText(view)}`}`), width, "");
  const answer =
    action.type === "undecided"
      ? wrap(plain(`cannot be decided: ${action.reason}${action.where === undefined ? "" : ` (${action.where.object}${action.where.path === undefined ? "" : ` ${action.where.path}`})`}`), width, "  ? ", "    ")
      : [wrap(plain(effectText(action)), width, "  ", "    "), wrap(plain(ruleText(rule)), width, "  ", "    ")].join("\n");
  return `${[at, answer, ...assumptions.map((each) => wrap(plain(assumptionText(each)), width, "  assumes: ", "    "))].join("\n")}\n`;
}
