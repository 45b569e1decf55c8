/**
 * `npm run generate`: writes what follows from the JSON Schemas: the type of each kind's spec, validators compiled ahead,
 * and one schema for editors. With `--check` it writes nothing and fails where a file is not as it should be.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import standalone from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { compile as typesOf } from "json-schema-to-typescript";
import { pascal } from "../cli/discover.ts";
import { newAjv } from "../cli/load/ajv.ts";
import { digestOf, type JsonObject } from "../engine/index.ts";
import { editorSchema } from "./generate/editor.ts";
import { referenceIndex, referencePage, type Page } from "./generate/reference.ts";

const root = join(import.meta.dirname, "..");
const HEADER = "generated from SCHEMA by `npm run generate`; do not edit";

/** Every generated file, by its path from the root. */
async function generate(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const own = await schemasIn("cli/schemas", (name) => (name.endsWith(".json") ? `cli/schemas/${name}` : undefined));
  for (const [path, schema] of own) files.set(path.replace(/\.json$/, ".generated.js"), await validator(schema, path));
  const fleet = schemaAt(own, "cli/schemas/fleet.json");
  files.set("cli/schemas/fleet.generated.ts", await types(fleet, "FleetDocument", "cli/schemas/fleet.json"));

  const kinds = await schemasIn("kinds", (name) => (existsSync(join(root, "kinds", name, "schema.json")) ? `kinds/${name}/schema.json` : undefined));
  for (const [path, schema] of kinds) {
    files.set(join(dirname(path), "spec.ts"), await types(schema, "Spec", "schema.json"));
    files.set(join(dirname(path), "validate.generated.js"), await validator(schema, path));
  }
  // A kind that owns a document has its schema beside its own: `profile.json`, of which the title is the document's kind.
  const documents = new Map([...kinds.keys()].flatMap((path) => documentsBeside(path)));
  for (const [path, schema] of documents) {
    files.set(path.replace(/\.json$/, ".ts"), await types(schema, String(schema["title"]), basename(path)));
    files.set(path.replace(/\.json$/, ".generated.js"), await validator(schema, path));
  }
  const byName = new Map([...kinds].map(([path, schema]) => [pascal(path.split("/")[1] ?? ""), schema]));
  files.set("docs/schema/cloud-assert.json", `${JSON.stringify(editorSchema(schemaAt(own, "cli/schemas/assertion.json"), { Fleet: fleet, Waivers: schemaAt(own, "cli/schemas/waivers.json") }, byName, [...documents.values()]), null, 2)}\n`);
  for (const [path, text] of await reference(kinds, documents, { Fleet: fleet, Waivers: schemaAt(own, "cli/schemas/waivers.json") }, schemaAt(own, "cli/schemas/assertion.json"))) files.set(path, text);
  return files;
}

type Schemas = ReadonlyMap<string, JsonObject>;

/** `docs/reference`: a page for each kind, with the documents it owns, and one for each document that is no assertion. */
async function reference(kinds: Schemas, documents: Schemas, others: Readonly<Record<string, JsonObject>>, assertion: JsonObject): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, Page>();
  for (const [path, schema] of kinds) {
    const folder = dirname(path);
    const name = pascal(basename(folder));
    const readme = await readFile(join(root, folder, "README.md"), "utf8");
    const owned = [...documents].filter(([file]) => dirname(file) === folder).map(([, each]) => ({ name: String(each["title"]), under: "spec", schema: each }));
    pages.set(`${basename(folder)}.md`, { title: name, readme, documents: [{ name, under: "spec", schema }, ...owned] });
  }
  pages.set("every-assertion.md", { title: "Every assertion", documents: [{ name: "Every assertion", under: "", schema: assertion }] });
  for (const [name, schema] of Object.entries(others)) pages.set(`${name.toLowerCase()}.md`, { title: name, documents: [{ name, under: "", schema }] });
  const summaries = new Map([...pages.values()].map(({ title, documents: [first] }) => [title, String(first?.schema["description"] ?? "")]));
  return new Map([["docs/reference/README.md", referenceIndex(pages, summaries)], ...[...pages].map(([file, page]) => [`docs/reference/${file}`, referencePage(page)] as const)]);
}

function documentsBeside(path: string): readonly (readonly [path: string, schema: JsonObject])[] {
  const folder = dirname(path);
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(".json") && name !== "schema.json");
  return names.toSorted().map((name) => [`${folder}/${name}`, JSON.parse(readFileSync(join(root, folder, name), "utf8")) as JsonObject]);
}

async function schemasIn(room: string, pathOf: (name: string) => string | undefined): Promise<ReadonlyMap<string, JsonObject>> {
  const names = (await readdir(join(root, room)).catch(() => [])).toSorted();
  const paths = names.map(pathOf).filter((path) => path !== undefined);
  return new Map(await Promise.all(paths.map(async (path) => [path, JSON.parse(await readFile(join(root, path), "utf8")) as JsonObject] as const)));
}

function schemaAt(schemas: ReadonlyMap<string, JsonObject>, path: string): JsonObject {
  const schema = schemas.get(path);
  if (schema === undefined) throw new Error(`${path} is missing`);
  return schema;
}

/** A validator that needs nothing at run time: ajv's own output still asks for parts of ajv, which are put in here. */
async function validator(schema: JsonObject, path: string): Promise<string> {
  const ajv = newAjv({ esm: true, source: true });
  // The package is CommonJS whose default export is also its module.
  const toCode = "default" in standalone ? (standalone.default as unknown as typeof standalone) : standalone;
  const code = (toCode as unknown as (ajv: unknown, validate: unknown) => string)(ajv, ajv.compile(schema));
  const bundled = await build({
    stdin: { contents: code, resolveDir: root, loader: "js" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["main"],
    write: false,
    legalComments: "none",
    minifySyntax: true,
    minifyWhitespace: true,
  });
  const head = `// ${HEADER.replace("SCHEMA", basename(path))}`;
  return `${head}\nexport const schemaSha256 = "${digestOf(schema)}";\n${bundled.outputFiles[0]?.text ?? ""}`;
}

/** The type of what is left after defaults are filled in: readonly, and what has a default is there. */
async function types(schema: JsonObject, name: string, path: string): Promise<string> {
  const { title: _, ...untitled } = filledIn(schema);
  const text = await typesOf(untitled, name, {
    bannerComment: `// ${HEADER.replace("SCHEMA", path)}`,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    format: true,
    style: { printWidth: 140, semi: true, singleQuote: false },
  });
  return text
    .replace(/^\/\*\*\n \* (.*)\n \*\/$/gm, "/** $1 */")
    .replace(/^( +)\/\*\*\n +\* (.*)\n +\*\/$/gm, "$1/** $2 */")
    .replace(/^( +)(?!readonly )((?:[\w$]+|"[^"]+"|\[k: string\])\??: )/gm, "$1readonly $2")
    .replace(/(?<=[:|=] )((?:\([^()]*\)|[\w$]+)\[\])/g, "readonly $1");
}

/** Marks with a default as always there, and what stands for a file or a document as what the loader puts in its place. */
function filledIn(schema: JsonObject): JsonObject {
  const filled: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) filled[key] = filledValue(value);
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, JsonObject>);
  if (properties.length > 0) {
    const given = properties.filter(([, property]) => property["default"] !== undefined).map(([name]) => name);
    filled["required"] = [...new Set([...((schema["required"] ?? []) as string[]), ...given])];
  }
  if (schema["x-file"] !== undefined) filled["tsType"] = "{ readonly path: string; readonly sha256: string; readonly content: string }";
  if (schema["x-document"] !== undefined) filled["tsType"] = "{ readonly name: string; readonly sha256: string; readonly content: unknown }";
  for (const keyword of SAYS_NOTHING_OF_TYPES) delete filled[keyword];
  if (Array.isArray(schema["oneOf"]) && schema["oneOf"].every(namesFieldsOnly)) delete filled["oneOf"];
  // Words beside a reference would make a copy of the type it names.
  return (schema["$ref"] === undefined ? filled : { $ref: schema["$ref"] }) as JsonObject;
}

const SAYS_NOTHING_OF_TYPES = ["examples", "default", "minItems", "maxItems", "dependentRequired"];

function namesFieldsOnly(branch: unknown): boolean {
  return typeof branch === "object" && branch !== null && Object.keys(branch).every((key) => key === "required" || key === "anyOf");
}

function filledValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filledValue);
  return typeof value === "object" && value !== null ? filledIn(value as JsonObject) : value;
}

async function write(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

async function changed(files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const compared = await Promise.all([...files].map(async ([path, text]) => [path, (await readFile(join(root, path), "utf8").catch(() => "")) !== text] as const));
  return compared.filter(([, differs]) => differs).map(([path]) => path);
}

const files = await generate();
const stale = await changed(files);
if (!process.argv.includes("--check")) {
  await write(new Map([...files].filter(([path]) => stale.includes(path))));
  process.stdout.write(stale.length === 0 ? "everything generated is as it should be\n" : `wrote ${stale.join(", ")}\n`);
} else if (stale.length > 0) {
  process.stderr.write(`not as generated: ${stale.join(", ")}\n  help: run \`npm run generate\` and commit what it writes\n`);
  process.exitCode = 1;
}
