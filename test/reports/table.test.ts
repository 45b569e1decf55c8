import { describe, expect, it } from "vitest";
import type { ReportTable } from "#engine";
import { listLines, tableLines } from "../../reports/table.ts";

const cell = (state: ReportTable["rows"][number]["cells"][number]["state"], text: string) => ({ state, text });
const table = (...rows: ReportTable["rows"][number][]): ReportTable => ({ title: "t", columns: ["aws", "gcp"], rows });
const lines = (of: ReportTable, width: number) => tableLines(of, width, "  ", (_, text) => text);

describe("a table on a terminal", () => {
  it("is columns under their heads, a mark in each cell", () => {
    expect(lines(table({ head: "arch", cells: [cell("pass", "arm64"), cell("fail", "amd64")] }), 80)).toEqual([
      "        aws      gcp",
      "  arch  ✓ arm64  ✗ amd64",
    ]);
  });

  it("breaks long cells at blanks and long words anywhere, hanging in by two, and loses no character", () => {
    // 2 of indent and 1 of head leave 15 a column, of which 2 stand between
    expect(lines(table({ head: "k", cells: [cell("pass", "a kernel of 0123456789abcdefghijklm"), cell("exempt", "")] }), 33)).toEqual([
      "     aws            gcp",
      "  k  ✓ a kernel     ~",
      "       of",
      "       0123456789a",
      "       bcdefghijkl",
      "       m",
    ]);
  });

  it("is none where there is no room for columns; then it is one line a cell", () => {
    const narrow = table({ head: "a requirement with a long name", cells: [cell("unknown", "nothing"), cell("none", "")] });
    expect(lines(narrow, 40)).toBeUndefined();
    expect(listLines(narrow, "  ")).toEqual(["  a requirement with a long name", "    aws: ? nothing", "    gcp: -"]);
  });

  it("shows control characters of a stranger as text", () => {
    expect(lines(table({ head: "k", cells: [cell("pass", "a\u001b[31mb"), cell("none", "")] }), 80)?.join("\n")).not.toContain("\u001b");
  });
});
