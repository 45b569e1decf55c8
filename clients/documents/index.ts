import { parseEvents, YAMLException } from "js-yaml";
import type { Position } from "#engine";
import { compose, PARSER_DEPTH, Refusal, tooDeep } from "./compose.ts";
import { DocumentError } from "./errors.ts";
import { isTooDeep, parseJson } from "./json.ts";
import { Lines, Places, type Path } from "./places.ts";
import type { Dialect } from "#values";

export { DocumentError, FileError } from "./errors.ts";
export type { Dialect } from "#values";
export { readBytes, readText } from "./text.ts";

/** One document of a text, as plain JSON. */
export interface Document {
  readonly value: unknown;
  /** Where its content starts. */
  readonly at: Position;
  /** Position of the value at the path, else of the nearest existing ancestor; with "key" of the key. Worked out when asked. */
  positionOf(path: readonly (string | number)[], what?: "key" | "value"): Position;
  /** Position of a character of the text at the path, however the text is quoted or folded. */
  positionIn(path: readonly (string | number)[], index: number): Position;
}

/**
 * Reads YAML (one or many documents) or JSON.
 *
 * 1. Every value is plain JSON: string keys, finite numbers, no cycles, at most 200 levels; empty documents are left out.
 * 2. `kubernetes` reads as kubectl does: the last of two equal keys wins, `yes` is true, `010` is 8, `<<` merges, unknown tags are ignored.
 *    `assert` is YAML 1.2: equal keys, merge keys and unknown tags are refused.
 * 3. Content repeated by aliases is shared and bounded; places cost nothing until they are asked for.
 *
 * Throws {@link DocumentError} with the place of the first mistake.
 */
export function parseDocuments(text: string, file: string, dialect: Dialect): readonly Document[] {
  const lines = new Lines(text, file);
  try {
    return (dialect === "kubernetes" && fromJson(text, lines)) || fromYaml(text, lines, dialect);
  } catch (error) {
    throw explained(error, lines, text);
  }
}

function fromJson(text: string, lines: Lines): readonly Document[] | undefined {
  return parseJson(text)?.map(({ start, end, value }) => {
    if (isTooDeep(value)) throw tooDeep(start);
    const places = new Places(text.slice(start, end), "kubernetes");
    return documentOf(value, start, lines, (path, what) => {
      const offset = places.find(0, path, what);
      return offset === undefined ? undefined : start + offset;
    }, text);
  });
}

function fromYaml(text: string, lines: Lines, dialect: Dialect): readonly Document[] {
  const composed = compose(parseEvents(text, { maxDepth: PARSER_DEPTH }), text, dialect);
  const places = new Places(text, dialect);
  return composed.flatMap(({ value, offset }, index) =>
    value === null || value === undefined ? [] : [documentOf(value, offset, lines, (path, what) => places.find(index, path, what), text)],
  );
}

function documentOf(
  value: unknown,
  start: number,
  lines: Lines,
  find: (path: Path, what: "key" | "value") => number | undefined,
  source: string,
): Document {
  return {
    value,
    get at() {
      return lines.at(start);
    },
    positionOf: (path, what = "value") => lines.at(find(path, what) ?? start),
    positionIn: (path, index) => lines.at(offsetInside(source, find(path, "value") ?? start, String(valueAt(value, path)), index)),
  };
}

/**
 * Follows a text through its source: quotes, escapes, the header of a block and folded line ends take room there that they do not take in the text.
 */
function offsetInside(source: string, start: number, text: string, index: number): number {
  let at = start;
  const header = /^[|>][-+0-9]*[^\S\n]*(?:#[^\n]*)?\n/.exec(source.slice(start, start + 200))?.[0];
  at += header?.length ?? (source[start] === '"' || source[start] === "'" ? 1 : 0);
  for (let done = 0; done < index && at < source.length; ) {
    if (isSpace(text[done])) {
      while (isSpace(text[done]) && done < index) done += 1;
      while (isSpace(source[at])) at += 1;
      continue;
    }
    while (isSpace(source[at])) at += 1;
    at += source[at] === "\\" && source[at] !== text[done] ? 2 : source[at] === "'" && source[at + 1] === "'" && source[start] === "'" ? 2 : 1;
    done += 1;
  }
  while (isSpace(source[at]) && !isSpace(text[index])) at += 1;
  return at;
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && /\s/.test(character);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((here, step) => (typeof here === "object" && here !== null ? (Reflect.get(here, step) as unknown) : undefined), value);
}

function explained(error: unknown, lines: Lines, text: string): unknown {
  if (error instanceof Refusal) return new DocumentError(error.message, { at: lines.at(error.offset), remedy: error.remedy });
  if (!(error instanceof YAMLException)) return error;
  const offset = error.mark?.position ?? 0;
  if (error.reason.includes("maxDepth")) return explained(tooDeep(offset), lines, text);
  // js-yaml sees the tab late and speaks of what it breaks; its own message is kept without its excerpt, which could quote a secret.
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset + 1);
  const reason = /^ *\t/.test(line) ? "a tab stands in the indentation" : error.reason;
  const remedy = REMEDIES.find(([words]) => reason.includes(words))?.[1] ?? "correct the YAML at this place";
  return new DocumentError(`not valid YAML: ${reason}`, { at: lines.at(offset), remedy });
}

const TABS = "indent with spaces; YAML allows no tabs there";

/** What js-yaml says, and what usually helps. */
const REMEDIES: readonly (readonly [words: string, remedy: string])[] = [
  ["a tab ", TABS],
  ["tab characters", TABS],
  ["null byte", "name a text file; this one is binary"],
  ["non-printable", "remove the control character; name a text file if this one is binary"],
  ["document separator", "start a second document with a line `---`, or correct the indentation"],
  ["indentation", "align the line with its neighbours, using spaces"],
  ["colon", "write `key: value`, and put values that contain `: ` in quotes"],
];
