import type { Position } from "#engine";
import { isDump } from "#routes";
import { UsageError } from "../errors.ts";

/** Words that every form of what an Envoy has loaded holds at least one of. */
const signs = /"(?:virtual_?[hH]osts|filter_?[cC]hains|static_?[rR]esources)"|"type\.googleapis\.com\/envoy\.|"(?:lb_?[pP]olicy|eds_?[cC]luster_?[cC]onfig)"/;
const yamlSigns = /^[ \t-]*["']?(?:virtual_?[hH]osts|filter_?[cC]hains|static_?[rR]esources|configs)["']?:/m;
const manifest = /^[ \t-]*["']?apiVersion["']?:/m;

/**
 * What an Envoy has loaded, told by its content whatever the file is called; undefined for anything else. JSON that is one but is cut
 * off or broken is a {@link UsageError} with the place.
 */
export function dumpIn(text: string, file: string): unknown {
  if (!signs.test(text)) return undefined;
  const value = parsed(text, file);
  return isDump(value) ? value : undefined;
}

/** The same in YAML, as istioctl prints with `-o yaml` and people write it. */
export async function dumpInYaml(text: string, file: string): Promise<unknown> {
  if (!yamlSigns.test(text) || manifest.test(text)) return undefined;
  const { parseDocuments } = await import("../../clients/documents/index.ts");
  const values = parseDocuments(text, file, "kubernetes").map(({ value }) => value);
  const [value] = values.length === 1 ? values : [values];
  return isDump(value) ? value : undefined;
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text.replace("\u{feff}", ""));
  } catch {
    const wrong = firstWrong(text);
    const isCut = wrong >= text.length;
    // The parser's own words would quote what the file holds.
    throw new UsageError(isCut ? "the dump of an Envoy ends before its JSON does" : "the dump of an Envoy is no valid JSON", {
      at: positionOf(text, Math.min(wrong, text.length), file),
      remedy: isCut ? "take it again: a copy from a terminal or a pod that was cut off lacks its end" : "correct the file at this place, or take the dump again",
    });
  }
}

/** The offset of the first character that cannot stand there: the longest beginning that only lacks its end stops before it. */
function firstWrong(text: string): number {
  let low = 0, high = text.length + 1;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (isBeginning(text.slice(0, middle))) low = middle;
    else high = middle;
  }
  return low;
}

function isBeginning(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    return error instanceof Error && /^(?:Unexpected end|Unterminated)|after property name|double-quoted property name|after (?:array element|property value)/.test(error.message) && isAtEnd(error.message, text);
  }
}

/** Messages that tell a place tell that of what is missing: the end, where only the end lacks. */
function isAtEnd(said: string, text: string): boolean {
  const position = /at position (\d+)/.exec(said)?.[1];
  return position === undefined || Number(position) >= text.length;
}

function positionOf(text: string, offset: number, file: string): Position {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { file, line: before.split("\n").length, column: offset - start + 1 };
}
