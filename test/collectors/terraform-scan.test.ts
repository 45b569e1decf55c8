import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scan } from "../../collectors/terraform/scan.ts";
import { seed } from "../support/seed.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const wants = (type: string) => type === "wanted" || type === "ünlike";
const resourcesIn = (text: string) => scan(bytesOf(text), wants).resources;

/** The slow obvious way: all of it as JSON, and then what is wanted. */
function plain(text: string): { readonly resources: readonly unknown[]; readonly names: readonly string[] } {
  const root = JSON.parse(text) as Record<string, unknown>;
  const listed = Object.hasOwn(root, "resources") && Array.isArray(root["resources"]) ? (root["resources"] as readonly unknown[]) : [];
  const type = (value: unknown) => (typeof value === "object" && value !== null && Object.hasOwn(value, "type") ? (value as { readonly type: unknown }).type : undefined);
  return { resources: listed.filter((each) => typeof type(each) === "string" && wants(type(each) as string)), names: Object.keys(root) };
}

const texts = fc.oneof(fc.constantFrom("wanted", "unwanted", "ünlike", "type", 'a"b', "a\\", "\\\"", "]}", "{[", ",:", ""), fc.string({ unit: "grapheme", maxLength: 8 }));
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, texts, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null), fc.array(tie("value"), { maxLength: 4 }), fc.dictionary(texts, tie("value"), { maxKeys: 4 })),
})).value;
const resource = fc.oneof(values, fc.record({ type: fc.oneof(texts, values), instances: values, module: texts }, { requiredKeys: [] }));
const states = fc.record({ version: fc.integer(), resources: fc.oneof(fc.array(resource, { maxLength: 6 }), values), outputs: values, ["a\\\"b"]: values }, { requiredKeys: [] });
const written = fc.tuple(states, fc.constantFrom(undefined, 2, "\t")).map(([state, space]) => JSON.stringify(state, undefined, space));

describe("a state that is gone over once", () => {
  it("gives what `JSON.parse` gives of what is wanted, whatever stands around it", () => {
    fc.assert(
      fc.property(written, (text) => {
        const { members, resources } = scan(bytesOf(text), wants);
        const expected = plain(text);
        // A text with escapes is parsed to be sure: there may be more than is wanted, never less.
        expect(resources.filter((each) => expected.resources.some((other) => JSON.stringify(other) === JSON.stringify(each)))).toEqual(expected.resources);
        expect(resources.length).toBeLessThanOrEqual(text.includes("\\") ? Number.POSITIVE_INFINITY : expected.resources.length);
        expect([...members.keys()].toSorted()).toEqual(expected.names.toSorted());
      }),
      { seed: seed("states that are scanned"), numRuns: 2000 },
    );
  });

  it("is refused when it ends anywhere before its end", () => {
    fc.assert(
      fc.property(written, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (text, where) => {
        const bytes = bytesOf(text);
        expect(() => scan(bytes.subarray(0, Math.floor(where * bytes.length)), wants)).toThrow();
      }),
      { seed: seed("states that end early"), numRuns: 2000 },
    );
  });

  it("keeps numbers of its own as they stand", () => {
    const { members } = scan(bytesOf('{"version":4 ,\n"serial": 18446744073709551615, "x": -1.50e+3, "l": null, "t": "a\\u0062"}'), wants);
    expect([...members]).toEqual([["version", { is: "number", digits: "4" }], ["serial", { is: "number", digits: "18446744073709551615" }], ["x", { is: "number", digits: "-1.50e+3" }], ["l", { is: "other" }], ["t", { is: "text", text: "ab" }]]);
  });

  it.each([
    ["a name that is written with an escape", '{"resources":[{"t\\u0079pe":"wanted"}]}', [{ type: "wanted" }]],
    ["a type that is written with an escape", '{"resources":[{"type":"w\\u0061nted"}]}', [{ type: "wanted" }]],
    ["the last of two types", '{"resources":[{"type":"wanted","type":"x"},{"type":"x","type":"wanted"}]}', [{ type: "wanted" }]],
    ["not what stands deeper", '{"resources":[{"a":{"type":"wanted"}},{"a":["type","wanted"]},["type","wanted"],"wanted"]}', []],
    ["the last of two lists", '{"resources":[{"type":"wanted"}],"resources":[]}', []],
    ["nothing outside of the list", '{"outputs":{"resources":[{"type":"wanted"}]},"resources":[]}', []],
  ])("sees %s", (_, text, found) => {
    expect(resourcesIn(text)).toEqual(found);
  });

  it.each(["", " ", "[]", "1", "{", "{}{}", "{} x", '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1 "b":2}', '{"a":[}', '{"a":[1}]', '{"a":{"b":]}', '{"resources":[{"type":"wanted",}]}', '{"resources":[{"type":"wanted"},]}', '{"resources":[1 2]}', '{"a":{\u0000}}', '{"a":{b}}', `{"a":${"[".repeat(100_000)}`])("is refused: %j", (text) => {
    expect(() => scan(bytesOf(text), wants)).toThrow();
  });
});
