import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText } from "../../reports/json.ts";
import { seed } from "../support/seed.ts";

describe("the text of the verdict object", () => {
  it("reads back as the value it was written from, whatever is in it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: seed("json") },
    );
  });

  it("is laid out as JSON.stringify does with two spaces, where keys are in order and all can be seen", () => {
    const visible = fc.string({ unit: fc.constantFrom("a", "é", '"', "\\", "/", "日", "😀") });
    fc.assert(
      fc.property(fc.array(fc.oneof(visible, fc.integer(), fc.boolean(), fc.constant(null), fc.constant([]), fc.constant({}), fc.array(visible), fc.record({ a: visible, b: fc.array(fc.integer()) }))), (value) => {
        expect(jsonText(value)).toBe(JSON.stringify(value, undefined, 2));
      }),
      { seed: seed("layout") },
    );
  });

  const rows: readonly (readonly [what: string, value: unknown, text: string])[] = [
    ["known keys in reading order, others last, by name", { zebra: 1, message: "m", apple: 2, verdict: "holds" }, '{\n  "verdict": "holds",\n  "message": "m",\n  "apple": 2,\n  "zebra": 1\n}'],
    ["a key that is left out", { a: undefined, b: 1 }, '{\n  "b": 1\n}'],
    ["a key of prototypes", JSON.parse('{"__proto__":{"a":1}}'), '{\n  "__proto__": {\n    "a": 1\n  }\n}'],
    ["what cannot be seen, in a text and in a key", { "a\u202eb": "\u0000\u200b\n" }, '{\n  "a\\u202eb": "\\u0000\\u200b\\n"\n}'],
    ["half a character", ["\ud800"], '[\n  "\\ud800"\n]'],
    ["keys that look like two", [{ "a\nb": 1, c: 2 }, { a: 1, "b\nc": 2 }], '[\n  {\n    "a\\nb": 1,\n    "c": 2\n  },\n  {\n    "a": 1,\n    "b\\nc": 2\n  }\n]'],
  ];
  it.each(rows)("%s", (_, value, text) => expect(jsonText(value)).toBe(text));
});
