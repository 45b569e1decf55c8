import { describe, expect, it } from "vitest";
import { foreignText } from "#values";

describe("a value that a stranger wrote, as text", () => {
  const rows: readonly (readonly [value: unknown, text: string])[] = [
    ["plain", "plain"],
    ["", ""],
    [7, "7"],
    [true, "true"],
    [null, "null"],
    [undefined, ""],
    [["a", 1], '["a",1]'],
    [{ a: { b: 1 } }, '{"a":{"b":1}}'],
    // String() throws on this one
    [{ toString: 1, valueOf: 1 }, '{"toString":1,"valueOf":1}'],
    [{ toJSON: 1 }, '{"toJSON":1}'],
  ];
  it.each(rows)("%j", (value, text) => expect(foreignText(value)).toBe(text));
});
