import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { determinize, refine } from "../../../routes/languages/automaton.ts";
import { compileRegex, type Program } from "../../../routes/languages/program.ts";
import { parseRegex } from "../../../routes/languages/re2-syntax.ts";

const WORD = /\w/;

/** The plain way: one set after the other, each splitting what the ones before left together. */
function plainly(program: Program): Uint8Array {
  const sets = program.instructions.flatMap((instruction) => (instruction.op === "bytes" ? [instruction.set] : []));
  const isWord = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x80 && WORD.test(String.fromCharCode(byte)) ? 1 : 0));
  const newline = Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0x0a ? 1 : 0));
  let classes: Uint8Array = new Uint8Array(256);
  for (const set of [...sets, ...(program.hasAssertions ? [isWord, newline] : [])]) classes = refine(classes, set);
  return classes;
}

/** Alike where they put the same bytes together, whatever numbers they give. */
function numbered(classes: Uint8Array): readonly number[] {
  const numbers = new Map<number, number>();
  return [...classes].map((each) => {
    if (!numbers.has(each)) numbers.set(each, numbers.size);
    return numbers.get(each) ?? 0;
  });
}

const set = fc.oneof(
  fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => new Uint8Array(256).fill(1, Math.min(a, b), Math.max(a, b) + 1)),
  fc.nat(255).map((byte) => new Uint8Array(256).fill(1, byte, byte + 1)),
  fc.uint8Array({ minLength: 256, maxLength: 256, max: 1 }),
);

describe("classes of bytes", () => {
  it("are those that no set of a program tells apart, found in one pass as in the plain way", () => {
    const seed = Date.now() >>> 0;
    console.log(`seed of classes: ${seed}`);
    fc.assert(
      fc.property(fc.array(set, { maxLength: 40 }), fc.constantFrom(1, 300), fc.boolean(), (few, times, hasAssertions) => {
        // many sets that split nothing any more
        const sets = Array.from({ length: times }, (_, index) => (times === 1 ? few : few.slice(index % 3, (index % 3) + 1)).map((bytes) => bytes.slice())).flat();
        const instructions: Program["instructions"] = [...sets.map((bytes, index) => ({ op: "bytes" as const, set: bytes, next: index + 1 })), { op: "match" as const }];
        const program: Program = { instructions, start: 0, groups: 0, hasAssertions };
        const { classes } = determinize(program, "sets", 10);
        expect([...classes]).toEqual(numbered(plainly(program)));
      }),
      { numRuns: 400, seed },
    );
  });

  it("never number more than there are bytes, where every byte is alone", () => {
    const instructions: Program["instructions"] = [...Array.from({ length: 256 }, (_, byte) => ({ op: "bytes" as const, set: new Uint8Array(256).fill(1, byte, byte + 1), next: byte + 1 })), { op: "match" as const }];
    expect([...determinize({ instructions, start: 0, groups: 0, hasAssertions: true }, "bytes", 10).classes]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
  });

  it.each(["a", "(?i)k", "[a-f]*b[c-z]", "\\bfoo\\b", "é|[à-ü]+x", "(?s).*", "\\pL\\d", "[^/]+"])("of `%s` are those of its program", (pattern) => {
    for (const reading of ["bytes", "utf-8"] as const) {
      const parsed = parseRegex(pattern, reading);
      const program = parsed.ok ? compileRegex(parsed.regex, reading) : undefined;
      if (program === undefined) throw new Error(`\`${pattern}\` was not read`);
      expect([...determinize(program, pattern, 100).classes]).toEqual(numbered(plainly(program)));
    }
  });
});
