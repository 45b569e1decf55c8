import { parse } from "@bufbuild/cel";

/** A parsed expression, as the library builds it. */
export type Parsed = ReturnType<typeof parse>;
export type Expr = Parsed["expr"];
export type Comprehension = Extract<Expr["exprKind"], { readonly case: "comprehensionExpr" }>["value"];

/** What is wrong with an expression, and at which character of its text. */
export interface Mistake {
  readonly offset: number;
  readonly message: string;
  readonly remedy: string;
}

const LONGEST = 16 * 1024;
export const DEEPEST = 4;

/** Parses an expression; what it must not be is a mistake with its place. Costs time in proportion to the text. */
export function parseExpression(text: string): Parsed | Mistake {
  if (new TextEncoder().encode(text).length > LONGEST) {
    return { offset: 0, message: `the expression has ${text.length} characters; at most ${LONGEST} bytes are read`, remedy: "split the rule into several assertions" };
  }
  const open = unbalanced(text);
  if (open !== undefined) return open;
  try {
    return parse(text);
  } catch (error) {
    const offset = offsetIn(error);
    if (offset === undefined) return { offset: 0, message: "the expression nests too deeply to be read", remedy: "split the rule into several assertions" };
    const seen = offset >= text.length ? "its end" : `\`${text.slice(offset).trimStart().split(/\s/, 1)[0]?.slice(0, 20) ?? ""}\``;
    return { offset, message: `the expression cannot be read at ${seen}`, remedy: hint(text, offset) };
  }
}

export function isMistake(value: Parsed | Mistake): value is Mistake {
  return "message" in value;
}

function offsetIn(error: unknown): number | undefined {
  const location: unknown = error instanceof Error && "location" in error ? error.location : undefined;
  const start: unknown = typeof location === "object" && location !== null && "start" in location ? location.start : undefined;
  return typeof start === "object" && start !== null && "offset" in start && typeof start.offset === "number" ? start.offset : undefined;
}

function hint(text: string, offset: number): string {
  const rest = text.slice(offset).trimStart();
  if (/^=[^=]/.test(rest)) return "compare with `==`";
  if (/^(and|or|not)\b/.test(rest)) return "write `&&`, `||` and `!`";
  if (rest.startsWith("`")) return 'write keys with dots or slashes in brackets: `o.metadata.labels["example.com/owner"]`';
  return "see the page on expressions: `assert explain Expression`";
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

const SINGLE: ReadonlySet<string> = new Set(["=", "&", "|"]);

/** A bracket or quote without its partner: what the parser would report somewhere else. */
function unbalanced(text: string): Mistake | undefined {
  const open: { readonly at: number; readonly char: string }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (char === "'" || char === '"') {
      const end = endOfText(text, at);
      if (end === undefined) return { offset: at, message: `the quote \`${char}\` is never closed`, remedy: "close it, or put a backslash before a quote inside" };
      at = end;
    } else if (char === "/" && text[at + 1] === "/") {
      const line = text.indexOf("\n", at);
      if (line < 0) break;
      at = line;
    } else if (SINGLE.has(char) && text[at + 1] !== "=" && text[at + 1] !== char && !"=!<>&|".includes(text[at - 1] ?? " ")) {
      return { offset: at, message: `a single \`${char}\` means nothing`, remedy: `write \`${char}${char}\`` };
    } else if (CLOSING[char] !== undefined) open.push({ at, char });
    else if (char === ")" || char === "]" || char === "}") {
      const last = open.pop();
      if (last === undefined || CLOSING[last.char] !== char) return { offset: at, message: `\`${char}\` closes no bracket`, remedy: "remove it, or add the bracket that it should close" };
    }
  }
  const last = open.at(-1);
  return last === undefined ? undefined : { offset: last.at, message: `the bracket \`${last.char}\` is never closed`, remedy: `add the \`${CLOSING[last.char] ?? ""}\` that is missing` };
}

function endOfText(text: string, start: number): number | undefined {
  const quote = text[start] ?? "";
  const long = text.startsWith(quote.repeat(3), start);
  const end = long ? quote.repeat(3) : quote;
  const raw = /[rR]/.test(text[start - 1] ?? "") && !/\w[rR]$/.test(text.slice(Math.max(0, start - 3), start));
  for (let at = start + end.length; at < text.length; at += 1) {
    if (!raw && text[at] === "\\") at += 1;
    else if (text.startsWith(end, at)) return at + end.length - 1;
    else if (!long && text[at] === "\n") return undefined;
  }
  return undefined;
}

/** The parts of an expression. */
export function partsOf({ exprKind }: Expr): readonly Expr[] {
  switch (exprKind.case) {
    case "callExpr":
      return [...(exprKind.value.target === undefined ? [] : [exprKind.value.target]), ...exprKind.value.args];
    case "selectExpr":
      return exprKind.value.operand === undefined ? [] : [exprKind.value.operand];
    case "listExpr":
      return exprKind.value.elements;
    case "structExpr":
      return exprKind.value.entries.flatMap(({ keyKind, value }) => [...(keyKind.case === "mapKey" ? [keyKind.value] : []), ...(value === undefined ? [] : [value])]);
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
      return [iterRange, accuInit, loopCondition, loopStep, result].filter((part) => part !== undefined);
    }
    default:
      return [];
  }
}

/** How deep comprehensions nest; the range of one lies beside it, not within. */
export function depthOf(expr: Expr): number {
  if (expr.exprKind.case !== "comprehensionExpr") return Math.max(0, ...partsOf(expr).map(depthOf));
  const { iterRange, loopStep, loopCondition } = expr.exprKind.value;
  const within = [loopStep, loopCondition].map((part) => (part === undefined ? 0 : depthOf(part)));
  return Math.max(iterRange === undefined ? 0 : depthOf(iterRange), 1 + Math.max(...within));
}

/** Where a part begins in the text. */
export function offsetOf({ sourceInfo }: Parsed, { id }: Expr): number {
  const positions: unknown = sourceInfo?.positions;
  const at: unknown = typeof positions === "object" && positions !== null ? Reflect.get(positions, String(id)) : undefined;
  return typeof at === "number" ? at : 0;
}
