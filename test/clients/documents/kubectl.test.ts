import { describe, expect, it } from "vitest";
import { DocumentError, parseDocuments } from "../../../clients/documents/index.ts";
import { kubectl } from "./kubectl.ts";

/** Inputs that kubectl refuses and we read: each means one thing only, and a newer parser reads it so too. */
const lenient: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["--- {a: 1}\n", { a: 1 }],
  ["%YAML 1.1\n---\na: 1\n", { a: 1 }],
  ["%YAML 1.2\n---\na: 1\n", { a: 1 }],
  ['a: "\\/"\n', { a: "/" }],
  ["a: x\u0085y\n", { a: "x\u0085y" }],
  ["a: x\u2028y\n", { a: "x\u2028y" }],
]);

/** An input that kubectl reads and js-yaml's grammar refuses: a tab inside a list of several lines. Refused loudly, never read otherwise. */
const refused: ReadonlySet<string> = new Set(["a: [\n\t1]\n"]);

function read(text: string): readonly unknown[] | undefined {
  try {
    return parseDocuments(text, "x.yaml", "kubernetes").map((document) => document.value);
  } catch (error) {
    expect(error).toBeInstanceOf(DocumentError);
    return undefined;
  }
}

describe("manifests are read as kubectl reads them", () => {
  it.each(kubectl.map(([input, documents]) => [JSON.stringify(input), input, documents] as const))("%s", (_, input, documents) => {
    const expected = refused.has(input) ? undefined : lenient.has(input) ? [lenient.get(input)] : documents;
    expect(read(input)).toEqual(expected);
  });
});
