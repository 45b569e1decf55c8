import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "#engine";
import { contentOf } from "../../collectors/kubernetes/readers/object-content.ts";
import { lookedAt } from "../../kinds/expression/paths.ts";
import { Program } from "../../kinds/expression/program.ts";
import { isMistake, parseExpression } from "../../kinds/expression/syntax.ts";
import { toCel } from "../../kinds/expression/values.ts";
import { seed } from "../support/seed.ts";

const FIELDS = ["a", "b", "k", "l"] as const;
const field = fc.constantFrom(...FIELDS);

/** Objects whose fields lead on to one another: `a` to a map, `l` to a list of maps, `k` to a word that is a key. Now and then one is absent, or something else. */
function node(depth: number): fc.Arbitrary<unknown> {
  const leaf = fc.constantFrom<unknown>("a", "b", "k", "l", 0, 1, true);
  const inner = depth === 0 ? leaf : fc.oneof({ arbitrary: node(depth - 1), weight: 5 }, { arbitrary: leaf, weight: 1 });
  const fields = { a: inner, b: leaf, k: field, l: fc.array(inner, { minLength: 1, maxLength: 2 }) };
  return fc.oneof({ arbitrary: fc.record(fields), weight: 4 }, { arbitrary: fc.record(fields, { requiredKeys: ["k"] }), weight: 1 });
}
const object = node(2).map((fields): JsonObject => ({ metadata: { name: "x" }, ...(fields as JsonObject) }));

type Texts = fc.Arbitrary<string>;
const or = (...choices: readonly (readonly [number, Texts])[]): Texts => fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const written = (...parts: readonly (string | Texts)[]): Texts => fc.tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part))).map((texts) => texts.join(""));

/** Parts of expressions over `objects` that look at them in every way there is: what is true or false, maps, lists of maps, words. */
interface Parts {
  readonly claim: Texts;
  readonly map: Texts;
  readonly list: Texts;
}

function partsOf(scope: readonly string[], depth: number): Parts {
  const here = fc.constantFrom("objects[0]", ...scope, ...scope);
  const step = fc.constantFrom("", "", ".a", "['a']", ".l[0]", ".a.a");
  const flat = { map: written(here, step), list: or([1, fc.constant("objects")], [3, written(here, ".l")]) };
  const below = depth === 0 ? undefined : partsOf(scope, depth - 1);
  const name = `v${scope.length}`;
  const inner = depth === 0 ? undefined : partsOf([...scope, name], depth - 1);
  const word = written(below?.map ?? flat.map, fc.constantFrom(".b", ".k", "['k']", ".a.b"));
  const claims: (readonly [number, Texts])[] = [[2, written(word, " == ", word)], [1, written(flat.map, " == ", flat.map)], [2, written("has(", flat.map, ".", field, ")")], [1, written(word, " in ", flat.map)], [1, written("size(", flat.list, ") > 1")], [1, written(word, " == 'b'")]];
  if (below === undefined || inner === undefined) return { ...flat, claim: or(...claims) };
  const loops = (loop: string, body: Texts) => written(below.list, `.${loop}(${name}, `, body, ")");
  const choice = (part: Texts, other: Texts) => written("(", below.claim, " ? ", part, " : ", other, ")");
  return {
    map: or([4, flat.map], [1, written(choice(below.map, below.map), step)], [1, written("[", below.map, ", ", below.map, "][1]", step)], [1, written("{'a': ", below.map, "}.a", step)], [1, written("dyn(", below.map, ")", step)], [1, written("(", below.list, " + ", below.list, ")[0]", step)], [1, written(loops("map", inner.map), "[0]", step)], [1, written(loops("filter", inner.claim), "[0]", step)], [1, written(below.map, "[", below.map, ".k]")]),
    list: or([4, flat.list], [1, loops("filter", inner.claim)], [1, loops("map", inner.map)], [1, written("(", below.list, " + ", below.list, ")")], [1, written("distinct(", below.list, ")")], [1, choice(below.list, below.list)]),
    claim: or(...claims, [2, loops("all", inner.claim)], [2, loops("exists", inner.claim)], [1, loops("exists_one", inner.claim)], [2, written("(", below.claim, fc.constantFrom(" && ", " || "), below.claim, ")")], [1, written("!(", below.claim, ")")], [1, written("size(", below.list, ") == 1")], [1, written(below.map, ".all(", name, ", ", name, " != 'k')")], [1, written(below.map, " == ", below.map)]),
  };
}

describe("what is kept of objects for an expression", () => {
  it("is all that it looks at: it gives the same of the objects that are cut down to it as of the whole ones", () => {
    const decided = { value: 0, error: 0, spent: 0 };
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 3 }), partsOf([], 2).claim, (objects, text) => {
        const parsed = parseExpression(text);
        if (isMistake(parsed)) throw new Error(`${text}: ${parsed.message}`);
        const clear = lookedAt(parsed.expr, undefined).map(({ path }) => path);
        const program = new Program(text);
        const of = (seen: readonly JsonObject[]) => program.evaluate({ objects: toCel(seen) });
        const whole = of(objects);
        const cut = of(objects.map((each) => contentOf(each, "", "Thing", { clear, only: true }).content));
        decided[whole.type] += 1;
        expect([text, cut.type, cut.type === "value" ? cut.value : ""]).toEqual([text, whole.type, whole.type === "value" ? whole.value : ""]);
      }),
      { seed: seed("paths of expressions"), numRuns: 3000 },
    );
    expect(decided.value).toBeGreaterThan(1000);
  });
});
