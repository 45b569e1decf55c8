import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "#engine";
import { discover, type Plugins } from "../../../cli/discover.ts";
import { UserErrors } from "../../../cli/errors.ts";
import type { LoadOptions } from "../../../cli/load/index.ts";

/** A folder of its own with these files; `content` is text, or bytes. */
export async function folderOf(files: Readonly<Record<string, string | Buffer>>): Promise<AsyncDisposable & { readonly path: string; readonly options: LoadOptions }> {
  const path = await mkdtemp(join(tmpdir(), "load-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return { path, options: { cwd: path, home: "/home/somebody", untrusted: false }, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A kind of our own that uses what a schema may say: limits, choices, lists of maps, files, documents. */
export const FRUIT_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    ripeness: { type: "integer", minimum: 0, maximum: 10, default: 5, examples: [7] },
    colour: { enum: ["red", "green"], default: "red" },
    keys: { type: "array", items: { type: "string", "x-file": true }, examples: [["cosign.pub"]] },
    photo: { type: "string", "x-file": "bytes", examples: ["fruit.png"] },
    basket: { type: "string", "x-document": "Basket", examples: ["picnic"] },
    rules: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name"],
        properties: { name: { type: "string", minLength: 1, examples: ["sweet"] }, weight: { type: "number", exclusiveMinimum: 0, examples: [1.5] } },
      },
      examples: [[{ name: "sweet" }]],
    },
    either: { oneOf: [{ type: "string" }, { type: "array", items: { type: "string" }, minItems: 1 }], examples: ["one"] },
  },
  examples: [{ ripeness: 7 }],
};

const KIND = `export default {
  name: "FruitFresh", summary: "every fruit is fresh", needs: () => [], *judge() {},
  documents: { Basket: { type: "object", additionalProperties: false, required: ["size"], properties: { size: { type: "integer" }, seals: { type: "object", additionalProperties: { type: "array", items: { type: "string", "x-file": true } } } } } },
};`;

export const FRUIT = { "kinds/fruit-fresh/kind.js": KIND, "kinds/fruit-fresh/schema.json": JSON.stringify(FRUIT_SCHEMA), "kinds/fruit-fresh/README.md": "# FruitFresh\n" };

export function fruitPlugins(cwd: string): Promise<Plugins> {
  return discover(["kinds"], cwd, { kinds: [], collectors: [] });
}

/** What a user would be told: `line:column message | remedy`, one entry a mistake. */
export async function told(work: Promise<unknown>): Promise<readonly string[]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const errors = error instanceof UserErrors ? error.errors : error instanceof UserError ? [error] : [];
  if (errors.length === 0) throw error ?? new Error("nothing was refused");
  return errors.map(({ message, remedy, at }) => `${at === undefined ? "" : `${at.file}:${at.line}:${at.column} `}${message} | ${remedy}`);
}
