import fc from "fast-check";
import { describe, expect, it } from "vitest";
import json, { jsonText } from "../../reports/json.ts";
import { columns, count, digits, wrap } from "../../reports/layout.ts";
import { plain, plainJson } from "../../reports/plain.ts";
import { RAW } from "../support/escapes.ts";
import { fullReport } from "../support/report.ts";
import { seed } from "../support/seed.ts";

describe("wrap", () => {
  const rows: readonly (readonly [claim: string, text: string, width: number, prefix: string, indent: string | undefined, lines: readonly string[]])[] = [
    ["leaves what fits on one line", "one two", 7, "", undefined, ["one two"]],
    ["breaks at the space before the word that does not fit", "one two", 6, "", undefined, ["one", "two"]],
    ["indents every line but the first as deep as the prefix", "one two three", 9, "  * ", undefined, ["  * one", "    two", "    three"]],
    ["or as deep as it is told", "one two", 6, "help: ", "  ", ["help: one", "  two"]],
    ["keeps a word whole that is longer than the line", "a looooooong b", 5, "", undefined, ["a", "looooooong", "b"]],
    ["counts characters, not UTF-16 units", "😀😀 😀😀", 5, "", undefined, ["😀😀 😀😀"]],
    ["gives the prefix alone for nothing", "", 10, "- ", undefined, ["- "]],
  ];
  it.each(rows)("%s", (_, text, width, prefix, indent, lines) => expect(wrap(text, width, prefix, indent).split("\n")).toEqual(lines));

  it("loses and adds no word, and no line is longer than the width unless one word is", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "ü", "😀"), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), fc.integer({ min: 5, max: 40 }), (words, width) => {
        const lines = wrap(words.join(" "), width, "  ").split("\n");
        expect(lines.flatMap((line) => line.trim().split(" "))).toEqual(words);
        for (const line of lines) expect([...line].length <= width || !line.trim().includes(" ")).toBe(true);
      }),
      { seed: seed("wrap") },
    );
  });
});

describe("columns", () => {
  it("are as wide as their widest cell, two spaces apart, nothing behind the last", () => {
    expect(columns([["a", "bb", "c"], ["aaa", "b", ""]], "  ")).toEqual(["  a    bb  c", "  aaa  b"]);
  });

  it("stay in line whatever the cells hold", () => {
    expect(columns([["a\u001b[31m", "x"], ["b", "y"]], "")).toEqual(["a\\x1b[31m  x", "b          y"]);
  });

  it("of rows of several lengths are no trouble", () => {
    expect(columns([["a"], ["b", "c"]], "")).toEqual(["a", "b  c"]);
    expect(columns([], "")).toEqual([]);
  });
});

describe("counts", () => {
  it.each([
    [0, "0 clusters"],
    [1, "1 cluster"],
    [2, "2 clusters"],
    [999, "999 clusters"],
    [12_000, "12,000 clusters"],
    [1_234_567, "1,234,567 clusters"],
  ])("%d", (number, text) => {
    expect(count(number, "cluster")).toBe(text);
    expect(`${digits(number)} `).toBe(text.slice(0, text.indexOf(" ") + 1));
  });
});

describe("plain text", () => {
  const rows: readonly (readonly [claim: string, text: string, shown: string])[] = [
    ["words, umlauts, ideographs and emoji stay", "a ü 漢 😀 ✓", "a ü 漢 😀 ✓"],
    ["an escape sequence is shown, not obeyed", "\u001b[31m", "\\x1b[31m"],
    ["so is its one-byte form", "\u009b31m", "\\x9b31m"],
    ["a line end is no end of the line", "a\nb\rc", "a\\x0ab\\x0dc"],
    ["a tab and a null byte", "\t\0", "\\x09\\x00"],
    ["delete", "\u007f", "\\x7f"],
    ["what turns the direction of text", "\u202eabc\u2066", "\\u202eabc\\u2066"],
    ["what has no width", "a\u200bb\ufeffc\u00add", "a\\u200bb\\ufeffc\\xadd"],
    ["line and paragraph separators", "\u2028\u2029", "\\u2028\\u2029"],
    ["half of a surrogate pair becomes the sign for that", "a\ud800b", "a\ufffdb"],
  ];
  it.each(rows)("%s", (_, text, shown) => expect(plain(text)).toBe(shown));

  it("in JSON is the same value, with line ends where JSON puts them", () => {
    for (const [, text] of rows) {
      const safe = plainJson(JSON.stringify({ text }, undefined, 2));
      expect(JSON.parse(safe)).toEqual({ text });
      expect(safe.split("\n")).toHaveLength(3);
      expect(safe).not.toMatch(RAW);
    }
  });
});

describe("the JSON report", () => {
  it("is the verdict object, neither more nor less", () => {
    expect(JSON.parse(json.render(fullReport()))).toEqual(JSON.parse(JSON.stringify(fullReport())));
  });

  it("is in the order in which it is read, whatever order it was made in", () => {
    const text = jsonText({ zebra: 1, findings: [], verdict: "holds", ant: 2, schema: "s", assertion: "a" });
    expect(Object.keys(JSON.parse(text) as object)).toEqual(["schema", "verdict", "assertion", "findings", "ant", "zebra"]);
    expect(jsonText({ ant: 2, assertion: "a", schema: "s", verdict: "holds", zebra: 1, findings: [] })).toBe(text);
  });

  it("keeps the order of lists, and what is null, false or empty", () => {
    expect(JSON.parse(jsonText({ facts: [3, 1, 2], of: null, judged: false, at: "", source: {} }))).toEqual({ facts: [3, 1, 2], of: null, judged: false, at: "", source: {} });
  });

  it("takes a key that every object has for a key like any other", () => {
    expect(jsonText(JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'))).toContain('"constructor": 2');
  });
});
