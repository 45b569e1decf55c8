import type { ReportTable } from "#engine";
import { wrap } from "./layout.ts";
import { plain } from "./plain.ts";

export type CellState = ReportTable["rows"][number]["cells"][number]["state"];

/** One character a state, so that a table reads without colours. */
export const CELL_MARKS: Readonly<Record<CellState, string>> = { pass: "✓", fail: "✗", unknown: "?", exempt: "~", none: "-" };

/** A state in a word, for readers that do not see marks. */
export const CELL_WORDS: Readonly<Record<CellState, string>> = { pass: "as wanted", fail: "not as wanted", unknown: "undecided", exempt: "exempt", none: "not asked" };

/** Below this a cell is read word by word. */
const NARROWEST = 12;
const HANGING = "  ";

/**
 * A table for a place that is `width` columns wide; `paint` colours the lines of a cell. Long cells go over several lines, and nothing is cut but words
 * that are longer than their column. Undefined where there is no room for columns: then it is to be told as a list.
 */
export function tableLines({ columns, rows }: ReportTable, width: number, indent: string, paint: (state: CellState, text: string) => string): readonly string[] | undefined {
  const heads = Math.max(...rows.map(({ head }) => lengthOf(plain(head))), 0);
  const room = Math.floor((width - indent.length - heads) / Math.max(columns.length, 1)) - 2;
  if (room < NARROWEST) return undefined;
  const widths = columns.map((column, index) => Math.min(room, Math.max(lengthOf(plain(column)), ...rows.map(({ cells }) => lengthOf(cellText(cells[index]))))));
  const line = (head: string, cells: readonly string[]) => `${indent}${padded(head, heads)}${cells.map((cell, index) => `  ${padded(cell, widths[index] ?? 0)}`).join("")}`.trimEnd();
  const body = rows.flatMap(({ head, cells }) => {
    const parts = cells.map((cell, index) => broken(cellText(cell), widths[index] ?? room));
    const height = Math.max(1, ...parts.map((part) => part.length));
    return Array.from({ length: height }, (_, row) => {
      const painted = parts.map((part, index) => `  ${paint(cells[index]?.state ?? "none", padded(part[row] ?? "", widths[index] ?? 0))}`);
      return `${indent}${padded(row === 0 ? plain(head) : "", heads)}${painted.join("")}`.trimEnd();
    });
  });
  return [line("", columns.map(plain)), ...body];
}

/** A table as one line a cell. */
export function listLines({ columns, rows }: ReportTable, indent: string): readonly string[] {
  return rows.flatMap(({ head, cells }) => [`${indent}${plain(head)}`, ...cells.map((cell, index) => `${indent}  ${plain(columns[index] ?? "")}: ${cellText(cell)}`)]);
}

function cellText(cell: ReportTable["rows"][number]["cells"][number] | undefined): string {
  return cell === undefined ? "" : `${CELL_MARKS[cell.state]} ${plain(cell.text)}`.trimEnd();
}

function broken(text: string, width: number): readonly string[] {
  if (lengthOf(text) <= width) return [text];
  return wrap(text, width, "", HANGING).split("\n").flatMap((line) => pieces(line, width));
}

/** A line that is too long for its column, in pieces; all but the first of a cell hang in by two. */
function pieces(text: string, width: number): readonly string[] {
  const characters = [...text];
  if (characters.length <= width) return [text];
  return [characters.slice(0, width).join(""), ...pieces(`${HANGING}${characters.slice(width).join("")}`, width)];
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - lengthOf(text)));
}

function lengthOf(text: string): number {
  return [...text].length;
}
