import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject, SchemaNode } from "#engine";
import { differences } from "../../kinds/objects-agree/compare.ts";
import { seed } from "../support/seed.ts";

/** A schema, and a value that it describes. Each is what a user or an API server may write. */
interface Case {
  readonly schema: SchemaNode;
  readonly value: unknown;
}

const word = fc.constantFrom("a", "b", "c");
/** Some ways to write a number, those of one row the same. */
const QUANTITIES = [["1", "1000m", 1], ["2", "2000m"], ["1Ki", "1024", 1024], ["500m", "0.5"]] as const;

function schemas(depth: number): fc.Arbitrary<SchemaNode> {
  const leaf = fc.oneof({ weight: 2, arbitrary: fc.constant<SchemaNode>({}) }, fc.constant<SchemaNode>({ reading: "quantity" }), fc.constant<SchemaNode>({ list: "set" }), fc.constant<SchemaNode>({ default: "a" }));
  if (depth === 0) return leaf;
  const inner = schemas(depth - 1);
  const map = fc.record({ p: inner, name: inner, r: inner }).map((fields): SchemaNode => ({ fields }));
  const keyed = fc.record({ p: inner, name: inner }).map((fields): SchemaNode => ({ list: "map", keys: ["r"], items: { fields: { ...fields, r: {} } } }));
  const list = inner.map((items): SchemaNode => ({ items }));
  return fc.oneof(leaf, { weight: 3, arbitrary: map }, keyed, list);
}

function valuesOf(schema: SchemaNode): fc.Arbitrary<unknown> {
  const { fields, items = {}, list, reading } = schema;
  if (fields !== undefined) return fc.record(Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, valuesOf(each)])), { requiredKeys: [] });
  if (list === "map") {
    const entry = fc.record(Object.fromEntries(Object.entries(items.fields ?? {}).map(([key, each]) => [key, key === "r" ? word : valuesOf(each)])), { requiredKeys: ["r"] });
    return fc.uniqueArray(entry, { maxLength: 3, selector: (each) => (each as { readonly r: string }).r });
  }
  if (list === "set") return fc.uniqueArray(word, { maxLength: 3 });
  if (reading === "quantity") return fc.constantFrom(...QUANTITIES.flat());
  if (schema.items !== undefined) return fc.array(valuesOf(items), { maxLength: 3 });
  return word;
}

const cases: fc.Arbitrary<Case> = schemas(2).chain((schema) => valuesOf(schema).map((value) => ({ schema, value })));

/** What a value means, written down in one way: the slow and obvious form of the comparison. */
function normal(value: unknown, schema: SchemaNode): unknown {
  if (value === undefined) return schema.default;
  const { fields, items = {}, list, reading } = schema;
  if (fields !== undefined) return Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, normal((value as JsonObject)[key], each)]).filter(([, each]) => each !== undefined));
  if (Array.isArray(value)) {
    const entries = value.map((each) => normal(each, items));
    return list === undefined ? entries : entries.map((each) => JSON.stringify(each)).toSorted();
  }
  if (reading === "quantity") return QUANTITIES.findIndex((row) => (row as readonly unknown[]).includes(value));
  return value;
}

/** Another way to write what means the same. */
function rewritten(value: unknown, schema: SchemaNode): fc.Arbitrary<unknown> {
  const { fields, items = {}, list, reading } = schema;
  if (fields !== undefined) {
    const written = Object.entries(fields).flatMap(([key, each]): [string, fc.Arbitrary<unknown>][] => {
      const field = (value as JsonObject)[key];
      const withDefault = each.default !== undefined && (field === undefined || field === each.default);
      return withDefault ? [[key, fc.constantFrom<unknown>(undefined, null, each.default)]] : field === undefined ? [] : [[key, rewritten(field, each)]];
    });
    return fc.record(Object.fromEntries(written)).map((record) => Object.fromEntries(Object.entries(record).filter(([, each]) => each !== undefined).toReversed()));
  }
  if (Array.isArray(value)) {
    const entries = fc.tuple(...value.map((each) => rewritten(each, items)));
    return list === undefined ? entries : entries.chain((each) => fc.shuffledSubarray(each, { minLength: each.length }));
  }
  if (reading === "quantity") return fc.constantFrom(...(QUANTITIES.find((row) => (row as readonly unknown[]).includes(value)) ?? []));
  return fc.constant(value);
}

const RULES = { group: "x.example", kind: "Thing", compare: undefined, ignore: [], unordered: [] };

function found(schema: SchemaNode, ...values: readonly unknown[]) {
  const whole: SchemaNode = { fields: { spec: schema } };
  return differences(values.map((value) => ({ value: value === undefined ? {} : { spec: value }, schema: whole, written: true })), RULES);
}

describe("values that a schema describes", () => {
  it("agree however they are written", () => {
    fc.assert(
      fc.property(cases.chain(({ schema, value }) => fc.tuple(fc.constant(schema), fc.constant(value), rewritten(value, schema), rewritten(value, schema))), ([schema, value, one, two]) => {
        expect(found(schema, value, one, two)).toEqual([]);
      }),
      { seed: seed("values in other words"), numRuns: 3000 },
    );
  });

  it("differ where, and only where, their plainest forms differ, and never only maybe", () => {
    const counts = { same: 0, different: 0 };
    fc.assert(
      fc.property(schemas(2).chain((schema) => fc.tuple(fc.constant(schema), valuesOf(schema), valuesOf(schema))), ([schema, left, right]) => {
        const same = JSON.stringify(normal(left, schema)) === JSON.stringify(normal(right, schema));
        counts[same ? "same" : "different"] += 1;
        const all = found(schema, left, right);
        expect([schema, left, right, all.length === 0, all.filter(({ unless }) => unless !== undefined)]).toEqual([schema, left, right, same, []]);
      }),
      { seed: seed("values and their plainest forms"), numRuns: 5000 },
    );
    expect(Math.min(counts.same, counts.different)).toBeGreaterThan(300);
  });

  it("without any schema are never told to agree where they differ with one, nor to differ for certain where one might make them agree", () => {
    fc.assert(
      fc.property(schemas(2).chain((schema) => fc.tuple(fc.constant(schema), valuesOf(schema), valuesOf(schema))), ([schema, left, right]) => {
        const same = JSON.stringify(normal(left, schema)) === JSON.stringify(normal(right, schema));
        const blind = differences([left, right].map((value) => ({ value: { spec: value }, schema: undefined, written: false })), RULES);
        if (!same) expect([schema, left, right, blind.length]).not.toEqual([schema, left, right, 0]);
        else expect([schema, left, right, blind.filter(({ unless }) => unless === undefined)]).toEqual([schema, left, right, []]);
      }),
      { seed: seed("values without a schema"), numRuns: 5000 },
    );
  });
});
