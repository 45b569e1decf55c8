import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keepFields, listRules } from "../../../clients/kubernetes/kept-fields.ts";
import type { FieldMask } from "#engine";

const kept = (text: string, mask: FieldMask): string => keepFields(Buffer.from(text), listRules(mask)).toString("utf8");
const list = (...items: readonly string[]) => `{"kind":"PodList","apiVersion":"v1","items":[${items.join(",")}],"metadata":{"continue":"x"}}`;

describe("of a list only those fields are kept that somebody reads", () => {
  const rows: readonly (readonly [name: string, mask: FieldMask, item: string, expected: string])[] = [
    ["the first of an object goes with the comma behind it", { b: true }, `{"a":1,"b":2}`, `{"b":2}`],
    ["the last goes with the comma before it", { a: true }, `{"a":1,"b":2}`, `{"a":1}`],
    ["one in the middle leaves its neighbours with one comma", { a: true, c: true }, `{"a":1,"b":[{"x":"}]"}],"c":3}`, `{"a":1,"c":3}`],
    ["nothing kept leaves an empty object", {}, `{"a":1,"b":{"c":[]}}`, `{}`],
    ["a mask goes into each object of a list, and leaves what is no object", { a: { b: true } }, `{"a":[{"b":1,"c":2},"x",null,[{"c":3}],{"c":4}]}`, `{"a":[{"b":1},"x",null,[{"c":3}],{}]}`],
    ["an empty mask shows that the object is there", { a: {} }, `{"a":{"b":1},"c":{}}`, `{"a":{}}`],
    ["a value where an object was expected stays", { a: { b: true } }, `{"a":"text"}`, `{"a":"text"}`],
    ["names of one length are told apart", { ab: true }, `{"aa":1,"ab":2,"ac":3}`, `{"ab":2}`],
    ["what identifies an object is always kept", {}, `{"kind":"Pod","metadata":{"name":"n","labels":{"a":"b"},"namespace":"s","uid":"u","resourceVersion":"7"}}`, `{"kind":"Pod","metadata":{"name":"n","namespace":"s","resourceVersion":"7"}}`],
    ["text with quotes and backslashes ends where it ends", { b: true }, `{"a":"\\\\\\"}","b":"\\"{"}`, `{"b":"\\"{"}`],
    ["a key written with escapes may be any, and stays", { a: true }, `{"\\u0061":1,"c":2}`, `{"\\u0061":1}`],
    ["white space does not count", { a: true }, `{ "b" : 1 ,\n "a" : 2 , "c" : 3 }`, `{"a":2}`],
  ];
  it.each(rows)("%s", (_name, mask, item, expected) => {
    expect(JSON.parse(kept(list(item), mask))).toEqual(JSON.parse(list(expected)));
    expect(JSON.parse(kept(list(item, "{}", item), mask))).toEqual(JSON.parse(list(expected, "{}", expected)));
  });

  it("beside the items all stays", () => {
    expect(JSON.parse(kept(`{"x":{"y":1},"items":[{"a":1}],"z":[2]}`, {}))).toEqual({ x: { y: 1 }, items: [{}], z: [2] });
    expect(kept(`{"kind":"Status","reason":"Forbidden","details":{"kind":"pods"}}`, { a: true })).toBe(`{"kind":"Status","reason":"Forbidden","details":{"kind":"pods"}}`);
  });
});

describe("what is no whole JSON object is left to the parser", () => {
  const whole = list(`{"a":{"b":[1,{"c":"x"}]},"d":"\\"e"}`);
  it("wherever it breaks off", () => {
    for (let length = 0; length < whole.length; length++) expect(kept(whole.slice(0, length), { a: { b: true } })).toBe(whole.slice(0, length));
  });
  it.each(["", " ", "null", "[]", `"x"`, "<html>", `{"items":[{"a" 1}]}`, `{"items":[{a:1}]}`, `{"items":[{"a":1 "b":2}]}`, `{"items":[{"a":1},,{}]}`, `{"items":[{"a":}]}`])("%j", (text) => {
    expect(() => JSON.parse(kept(text, { b: true })) as unknown).toSatisfy((parse: () => unknown) => sameOutcome(parse, () => JSON.parse(text) as unknown));
  });
  it("nesting of a hundred thousand is passed without a deep stack", () => {
    const deep = list(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)},"b":1}`);
    expect(JSON.parse(kept(deep, { b: true }))).toEqual(JSON.parse(list(`{"b":1}`)));
  });
});

function sameOutcome(a: () => unknown, b: () => unknown): boolean {
  const outcome = (run: () => unknown) => {
    try {
      return JSON.stringify(run());
    } catch {
      return "refused";
    }
  };
  return outcome(a) === outcome(b);
}

/** JSON as it is written, so that doubled and escaped keys and white space can be had. */
type Written = string | { readonly list: readonly Written[] } | { readonly members: readonly (readonly [key: string, value: Written])[] };

const field = fc.constantFrom("a", "b", "ab", "ba", "kind", "metadata", "name", "é", "");
const key = fc.oneof({ arbitrary: field, weight: 8 }, { arbitrary: fc.constant("\\u0061"), weight: 1 });
const scalar = fc.oneof(fc.constantFrom("1", "-0.5e3", "true", "null"), fc.string({ unit: "binary", maxLength: 6 }).map((text) => JSON.stringify(text)));
const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.record({ list: fc.array(tie("written"), { maxLength: 3 }) }),
    fc.record({ members: fc.array(fc.tuple(key, tie("written")), { maxLength: 4 }) }),
  ),
}));
const { mask } = fc.letrec<{ mask: FieldMask }>((tie) => ({
  mask: fc.dictionary(field, fc.oneof({ depthSize: "small" }, fc.constant<true>(true), tie("mask")), { maxKeys: 3 }),
}));

function textOf(value: Written, space: string): string {
  if (typeof value === "string") return value;
  const [open, entries, close] = "list" in value ? ["[", value.list.map((entry) => textOf(entry, space)), "]"] : ["{", value.members.map(([name, entry]) => `"${name}"${space}:${space}${textOf(entry, space)}`), "}"];
  return `${open}${space}${entries.join(`${space},${space}`)}${space}${close}`;
}

/** The plain way: what a mask keeps of a value. */
function picked(value: Written, rule: true | FieldMask): Written {
  if (rule === true || typeof value === "string") return value;
  if ("list" in value) return { list: value.list.map((entry) => (typeof entry === "object" && "members" in entry ? picked(entry, rule) : entry)) };
  return { members: value.members.flatMap(([name, entry]) => (name.includes("\\") ? [[name, entry] as const] : Object.hasOwn(rule, name) ? [[name, picked(entry, rule[name] ?? true)] as const] : [])) };
}

describe("compared with the plain way", () => {
  it("any list gives the same objects", () => {
    const identity: FieldMask = { apiVersion: true, kind: true, metadata: { name: true, namespace: true, resourceVersion: true } };
    fc.assert(
      fc.property(fc.array(written, { maxLength: 3 }), mask, fc.constantFrom("", " ", "\n\t"), (items, wanted, space) => {
        const plain = merged(identity, wanted);
        const text = (each: readonly Written[]) => `{"items":${textOf({ list: each }, space)}}`;
        const expected = items.map((item) => (typeof item === "object" && "members" in item ? picked(item, plain) : item));
        expect(JSON.parse(kept(text(items), wanted))).toEqual(JSON.parse(text(expected)));
      }),
      { numRuns: 3000 },
    );
  });
});

function merged(a: FieldMask, b: FieldMask): FieldMask {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const rule = (x: true | FieldMask | undefined, y: true | FieldMask | undefined): true | FieldMask => (x === true || y === true ? true : merged(x ?? {}, y ?? {}));
  return Object.fromEntries(keys.map((name) => [name, rule(Object.hasOwn(a, name) ? a[name] : undefined, Object.hasOwn(b, name) ? b[name] : undefined)]));
}
