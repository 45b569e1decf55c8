import type { WorldDifference } from "#routes";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { ANSWERS, outputsOf, writeOutputs } from "../output.ts";
import { compareJson, compareSeen, type Compared } from "../routes/compare.ts";
import { readPlace, type Seen } from "../routes/place.ts";
import type { Terminal } from "../terminal.ts";
import { checkTrustedFlags } from "../trusted-flags.ts";

const CODES = { equivalent: exitCodes.holds, different: exitCodes.violated, undecided: exitCodes.undecided } as const;

/** Are the routes of two places equivalent? */
export default async function compare(flags: Flags, [left = "", right = ""]: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await checkTrustedFlags(flags, terminal.cwd);
  const outputs = await outputsOf(flags, terminal.cwd, [...ANSWERS, "markdown"]);
  const places = left === right ? ([`${left} (left)`, `${right} (right)`] as const) : ([left, right] as const);
  const seen = await Promise.all([readPlace(left, places[0], flags, terminal), readPlace(right, places[1], flags, terminal)]);
  const compared = await withLines(compareSeen(places, seen, flags), seen);
  await writeOutputs(outputs, flags, terminal, async (format, looks) => {
    if (format === "json") return `${(await import("../../reports/json.ts")).jsonText(compareJson(compared))}\n`;
    if (format === "markdown") return (await import("../routes/compare-markdown.ts")).compareMarkdown(compared);
    return (await import("../routes/compare-text.ts")).compareText(compared, looks);
  });
  return CODES[compared.verdict];
}

/** With the lines of the rules that decide: only now is it known which they are. */
async function withLines(compared: Compared, seen: readonly Seen[]): Promise<Compared> {
  const differences = await Promise.all(
    compared.differences.map(async (difference): Promise<WorldDifference> => {
      const answers = difference.answers.map(async (answer, index) => {
        const lines = seen[index]?.lines;
        return answer.rule === undefined || lines === undefined ? answer : { ...answer, rule: await lines.find(answer.rule) };
      });
      return { ...difference, answers: await Promise.all(answers) };
    }),
  );
  return { ...compared, differences };
}
