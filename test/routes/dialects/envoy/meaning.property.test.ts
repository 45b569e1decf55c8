import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { meaning, meaningLike } from "../../../../routes/dialects/envoy/fields.ts";
import { seed } from "../../../support/seed.ts";

const SECRET = /^(?:private_?key|password)$/i;
const name = fc.constantFrom("a", "b", "lb_policy", "lbPolicy", "privateKey", "private_key", "sni", "__proto__", "0");
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, fc.constantFrom(null, undefined, true, 0, 1.5, "", "x", 'a"b'), fc.array(tie("any"), { maxLength: 3 }), fc.dictionary(name, tie("any"), { maxKeys: 4 })),
})).any;

describe("the meaning of a message", () => {
  it("is the same whichever values came before it", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 5 }), (values) => {
        let before: ReturnType<typeof meaningLike> | undefined;
        for (const one of values) {
          before = meaningLike(before, one, SECRET);
          expect(before.text).toBe(meaning(one, SECRET));
        }
      }),
      { seed: seed("meanings"), numRuns: 3_000 },
    );
  });

  it("has one text for both names of a field and any order of fields, and tells no secret", () => {
    expect(meaning({ lbPolicy: 1, a: [{ privateKey: "k" }] }, SECRET)).toBe(meaning({ a: [{ private_key: "other" }], lb_policy: 1 }, SECRET));
    expect(meaning({ privateKey: "k" }, SECRET)).toBe('{"private_key":"not told"}');
    expect(meaning({ a: 1, b: undefined, c: null })).toBe('{"a":1,"c":null}');
  });
});
