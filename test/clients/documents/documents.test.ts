import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { DocumentError, parseDocuments, type Dialect } from "../../../clients/documents/index.ts";

const values = (text: string, dialect: Dialect = "assert") => parseDocuments(text, "x.yaml", dialect).map(({ value }) => value);

function refusal(text: string, dialect: Dialect = "assert"): DocumentError {
  try {
    parseDocuments(text, "x.yaml", dialect);
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error("it was read");
}

describe("our own documents are YAML 1.2", () => {
  const rows: readonly (readonly [claim: string, text: string, value: unknown])[] = [
    ["`yes`, `on` and `y` are text", "[yes, on, y, No]", ["yes", "on", "y", "No"]],
    ["true and false are booleans in three spellings", "[true, True, FALSE]", [true, true, false]],
    ["a leading zero changes nothing", "010", 10],
    ["0o and 0x are octal and hexadecimal", "[0o10, 0x1F]", [8, 31]],
    ["base 60, underscores and dates are text", "[1:30, 1_000, 2026-01-02]", ["1:30", "1_000", "2026-01-02"]],
    ["floats with and without exponent are numbers", "[1.5, .5, 1e3, -1.5E-2]", [1.5, 0.5, 1000, -0.015]],
    ["a version with two dots is text", "1.31.4", "1.31.4"],
    ["what is empty, `~` and `null` is null", "[~, null, '']", [null, null, ""]],
    ["keys are text as written", "{1: a, true: b, 0x10: c}", { 1: "a", true: "b", "0x10": "c" }],
    ["standard tags are applied", "[!!str 1, !!int '3', ! 4]", ["1", 3, "4"]],
    ["anchors share values", "{a: &x [1], b: *x}", { a: [1], b: [1] }],
    ["an alias may be a key", "{a: &x k, *x : 1}", { a: "k", k: 1 }],
    ["Windows line ends are line ends", "a: 1\r\nb: |\r\n  x\r\n  y\r\n", { a: 1, b: "x\ny\n" }],
  ];
  it.each(rows)("%s", (_, text, value) => {
    expect(values(text)).toEqual([value]);
  });

  it("empty documents and comments are left out", () => {
    expect(values("")).toEqual([]);
    expect(values("# nothing\n---\n---\na: 1\n---\n# end\n")).toEqual([{ a: 1 }]);
  });

  it.each(["kubernetes", "assert"] as const)("a key `__proto__` is a key like any other (%s)", (dialect) => {
    for (const text of ["__proto__: {polluted: 1}", '{"__proto__": {"polluted": 1}}']) {
      const [value] = values(text, dialect) as readonly object[];
      expect(Object.keys(value ?? {})).toEqual(["__proto__"]);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect("polluted" in {}).toBe(false);
    }
  });
});

describe("what is no document is refused with its place and a way out", () => {
  const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]", ..."bcdefghi".split("").map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]}, `.repeat(10)}]`)].join("\n");
  const tower = ["a: &a " + deep(90), `b: &b ${"[".repeat(90)}*a${"]".repeat(90)}`, `c: ${"[".repeat(90)}*b${"]".repeat(90)}`].join("\n");
  const rows: readonly (readonly [claim: string, text: string, line: number, column: number, words: RegExp])[] = [
    ["a key written twice", "a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3, /`c` is written twice/],
    ["a key written twice in JSON", '{"a": 1,\n "a": 2}', 2, 2, /`a` is written twice/],
    ["a tab as indentation", "a:\n\tb: 1\n", 2, 1, /tab/],
    ["a tab before the first key", "\ta: 1\n", 1, 3, /tab/],
    ["a merge key", "x: &x {a: 1}\ny:\n  <<: *x\n", 3, 3, /not part of YAML 1.2/],
    ["an unknown tag on text", "a: !secret x\n", 1, 4, /unknown tag `!secret`/],
    ["an unknown tag on a map", "a: !!set {x: }\n", 1, 4, /unknown tag `!!set`/],
    ["a tag that does not fit", "a: !!int x\n", 1, 10, /does not fit the tag `!!int`/],
    ["a list as a key", "? [a]\n: 1\n", 1, 3, /a key is a list or a map/],
    ["an empty key", ": 1\n", 1, 1, /a key is empty/],
    ["a value that contains itself", "a: &a [1, *a]\n", 1, 11, /inside the value that it refers to/],
    ["an alias of nothing", "a: *b\n", 1, 4, /`\*b` refers to nothing/],
    ["an alias bomb", bomb, 5, 36, /aliases repeat content/],
    ["a document deeper than we may follow", deep(201), 1, 201, /more than 200 deep/],
    ["a document made deep by aliases", tower, 3, 94, /more than 200 deep/],
    ["a number that JSON has no word for", "a: .inf\n", 1, 4, /not a finite number/],
    ["a null byte", "a: 1\nb: \0\n", 2, 4, /null byte/],
    ["a list item that lost its space", "- a\n-b\n", 2, 1, /not valid YAML/],
    ["a colon in plain text", "a: b: c\n", 1, 5, /not valid YAML/],
  ];
  it.each(rows)("%s", (_, text, line, column, words) => {
    const error = refusal(text);
    expect(error.message).toMatch(words);
    expect(error.at).toEqual({ file: "x.yaml", line, column });
    expect(error.remedy).not.toBe("");
    expect(error.message).not.toContain("\n");
  });

  it.each(["alias bomb", "deep JSON"])("holds for manifests too: %s", (what) => {
    expect(refusal(what === "deep JSON" ? deep(201) : bomb, "kubernetes").message).toMatch(/aliases repeat|200 deep/);
  });

  it.each(["kubernetes", "assert"] as const)("exactly as deep as we may follow is read (%s)", (dialect) => {
    expect(values(deep(200), dialect)).toHaveLength(1);
    expect(values(deep(200).replaceAll("[", "[ "), dialect)).toHaveLength(1);
    expect(refusal(deep(201), dialect).message).toMatch(/more than 200 deep/);
  });

  it("an anchor used often is no bomb", () => {
    const text = `a: &a {x: 1}\nb:\n${"- *a\n".repeat(5000)}`;
    expect(values(text)).toHaveLength(1);
  });
});

describe("places", () => {
  const text = `# first
---
kind: A
spec:
  - name: one
    "quoted": 'x'
    empty:
    flow: {a: 1, b: [2, 33]}
  - &anchor two
  - *anchor
---
kind: B
`;
  const documents = parseDocuments(text, "x.yaml", "assert");
  const at = (path: readonly (string | number)[], what?: "key" | "value", document = 0) => {
    const { line, column } = documents[document]?.positionOf(path, what) ?? { line: 0, column: 0 };
    return `${line}:${column}`;
  };

  it("a document starts where its content starts, after comments and markers", () => {
    expect(documents.map((document) => document.at)).toEqual([
      { file: "x.yaml", line: 3, column: 1 },
      { file: "x.yaml", line: 12, column: 1 },
    ]);
  });

  const rows: readonly (readonly [claim: string, seen: string, wanted: string])[] = [
    ["a value", at(["kind"]), "3:7"],
    ["its key", at(["kind"], "key"), "3:1"],
    ["a list item", at(["spec", 0]), "5:5"],
    ["a quoted value, at its quote", at(["spec", 0, "quoted"]), "6:15"],
    ["a quoted key, at its quote", at(["spec", 0, "quoted"], "key"), "6:5"],
    ["an empty value is at its key", at(["spec", 0, "empty"]), "7:5"],
    ["a value in a flow list", at(["spec", 0, "flow", "b", 1]), "8:25"],
    ["an anchored item, after the anchor", at(["spec", 1]), "9:13"],
    ["an alias", at(["spec", 2]), "10:5"],
    ["what is not there is at the nearest thing around it", at(["spec", 0, "flow", "c", "d"]), "8:11"],
    ["an index beyond the list", at(["spec", 9]), "5:3"],
    ["a value of the second document", at(["kind"], "value", 1), "12:7"],
  ];
  it.each(rows)("%s", (_, seen, wanted) => {
    expect(seen).toBe(wanted);
  });

  it("JSON has places, one value after the other too", () => {
    const json = '{"a": 1}\n\n{\n  "items": [\n    {"b": 2}\n  ]\n}\n';
    const [, second] = parseDocuments(json, "x.json", "kubernetes");
    expect(second?.at).toEqual({ file: "x.json", line: 3, column: 1 });
    expect(second?.positionOf(["items", 0, "b"])).toEqual({ file: "x.json", line: 5, column: 11 });
  });

  it("manifests are found by the keys that kubectl sees", () => {
    const [document] = parseDocuments("on:\n  010: x\n", "x.yaml", "kubernetes");
    expect(document?.positionOf(["true", "8"])).toEqual({ file: "x.yaml", line: 2, column: 8 });
  });
});

describe("for any JSON value", () => {
  it.each(["kubernetes", "assert"] as const)("its JSON text is read as that value (%s)", (dialect) => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 4, withNullPrototype: false, values: [fc.string({ unit: "binary" }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)], key: fc.string() }), (value) => {
        const text = JSON.stringify(value);
        expect(values(text, dialect)).toEqual([JSON.parse(text)]);
      }),
    );
  });
});
