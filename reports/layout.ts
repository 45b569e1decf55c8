import { plain } from "./plain.ts";

/**
 * Breaks text at spaces so that no line is longer than `width`, `indent` in front of every line but the first, whose
 * prefix `first` takes its place. A word that is longer stays whole: names must survive being copied.
 */
export function wrap(text: string, width: number, first: string, indent = " ".repeat(lengthOf(first))): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const room = width - indent.length;
    if (line !== "" && lengthOf(line) + 1 + lengthOf(word) > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each, index) => (index === 0 ? first : indent) + each).join("\n");
}

/** Rows in columns two spaces apart; the last cell is not padded. Cells are made safe. */
export function columns(rows: readonly (readonly string[])[], indent: string): readonly string[] {
  const safe = rows.map((row) => row.map(plain));
  const widths: number[] = [];
  for (const row of safe) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, lengthOf(cell))));
  return safe.map((row) => (indent + row.map((cell, index) => cell + " ".repeat((widths[index] ?? 0) - lengthOf(cell))).join("  ")).trimEnd());
}

/** Characters as a reader counts them, not UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}

/** `1 cluster`, `2 clusters`, `12,000 pods`. */
export function count(number: number, noun: string): string {
  return `${digits(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A whole number as people read it: `12,000`. */
export function digits(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}
