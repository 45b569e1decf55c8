import type { JsonObject } from "../../engine/index.ts";

/** What a page of the reference is made of: words of a README, and the documents whose fields it lists. */
export interface Page {
  readonly title: string;
  /** Without its first heading; left out: the description of the first document. */
  readonly readme?: string | undefined;
  /** Each with its schema; `under` stands before the paths of its fields, unless it is empty. */
  readonly documents: readonly { readonly name: string; readonly under: string; readonly schema: JsonObject }[];
}

const NOTE = "<!-- generated from the schema and the README of the kind by `npm run generate`; do not edit -->";

/** A page of the reference, as Markdown. */
export function referencePage({ title, readme, documents }: Page): string {
  const words = readme?.replace(/^# .*\n+/, "").replaceAll("](../../docs/", "](../").trim() ?? String(documents[0]?.schema["description"] ?? "");
  const tables = documents.flatMap(({ name, under, schema }) => [name !== title ? `## Fields of a \`${name}\`` : under === "" ? "## Fields" : `## Fields of \`${under}\``, ...(name === title ? [] : [String(schema["description"] ?? "")]), tableOf(schema, under)]);
  return `${[`# ${title}`, NOTE, words, ...tables].join("\n\n")}\n`;
}

/** The list of all pages. */
export function referenceIndex(pages: ReadonlyMap<string, Page>, summaries: ReadonlyMap<string, string>): string {
  const rows = [...pages].map(([file, { title }]) => `| [${title}](${file}) | ${cell(summaries.get(title) ?? "")} |`);
  return `${["# Reference", NOTE, "Every document that a user writes, field by field. `assert explain KIND` prints the same in a terminal, and [the schema](../schema/cloud-assert.json) tells it to an editor.", ["| document | what it says |", "| --- | --- |", ...rows].join("\n")].join("\n\n")}\n`;
}

function tableOf(schema: JsonObject, under: string): string {
  const rows = rowsOf(schema, under, schema, new Set()).map(({ path, type, without, words }) => `| \`${path}\` | ${cell(type)} | ${without === "" ? "" : without === "required" ? without : `\`${cell(without)}\``} | ${cell(words)} |`);
  return ["| field | type | default | what it is |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

interface Row {
  readonly path: string;
  readonly type: string;
  readonly without: string;
  readonly words: string;
}

/** The fields below a schema, each once, whatever branches name it. */
function rowsOf(schema: JsonObject, path: string, root: JsonObject, above: ReadonlySet<JsonObject>): readonly Row[] {
  const { schema: own } = resolved(schema, root);
  if (above.has(own)) return [];
  const inside = new Set([...above, own]);
  const required = new Set(Array.isArray(own["required"]) ? own["required"] : []);
  const rows = new Map<string, Row>();
  const add = (more: readonly Row[]): void => {
    for (const row of more) if (!rows.has(row.path)) rows.set(row.path, row);
  };
  for (const [name, value] of Object.entries(objectOf(own["properties"]))) {
    const at = path === "" ? name : `${path}.${name}`;
    const { schema: field, words } = resolved(objectOf(value), root);
    const fallback = field["default"] ?? objectOf(value)["default"];
    add([{ path: at, type: typeOf(field, root), without: fallback === undefined ? (required.has(name) ? "required" : "") : JSON.stringify(fallback), words }]);
    add(rowsOf(field, at, root, inside));
  }
  if (own["items"] !== undefined) add(rowsOf(objectOf(own["items"]), `${path}[]`, root, inside));
  if (isObject(own["additionalProperties"])) add(rowsOf(own["additionalProperties"], `${path}.<key>`, root, inside));
  const told = new Set<JsonObject>();
  for (const branch of branchesOf(own)) {
    // one thing or a list of such things: their fields are told once
    const one = resolved(branch["items"] === undefined ? branch : objectOf(branch["items"]), root).schema;
    if (!told.has(one)) add(rowsOf(branch, path, root, inside));
    told.add(one);
  }
  return [...rows.values()];
}

/** The definition behind a reference; words beside the reference win over its own. */
function resolved(schema: JsonObject, root: JsonObject): { readonly schema: JsonObject; readonly words: string } {
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].replace("#/$defs/", "") : undefined;
  const target = name === undefined ? schema : objectOf(objectOf(root["$defs"])[name]);
  return { schema: target, words: String(schema["description"] ?? target["description"] ?? "") };
}

function branchesOf(schema: JsonObject): readonly JsonObject[] {
  return (["oneOf", "anyOf", "allOf"] as const).flatMap((word) => (Array.isArray(schema[word]) ? schema[word].map(objectOf) : []));
}

function typeOf(schema: JsonObject, root: JsonObject): string {
  const own = resolved(schema, root).schema;
  if (own["x-file"] !== undefined) return "path of a file";
  if (own["x-document"] !== undefined) return "name of a document";
  if (Array.isArray(own["enum"])) return own["enum"].map((word) => `\`${String(word)}\``).join(" or ");
  if (own["const"] !== undefined) return `\`${String(own["const"])}\``;
  const branches = [...new Set(branchesOf(own).filter((branch) => branch["required"] === undefined || branch["properties"] !== undefined).map((branch) => typeOf(branch, root)))].filter((type) => type !== "any");
  if (own["type"] === undefined && branches.length > 0) return branches.join(" or ");
  if (own["type"] === "array") return `list of ${typeOf(objectOf(own["items"]), root)}`;
  if (own["type"] === "object") return isObject(own["additionalProperties"]) ? `map to ${typeOf(own["additionalProperties"], root)}` : "object";
  if (own["type"] === "string") return "text";
  return Array.isArray(own["type"]) ? own["type"].join(" or ") : String(own["type"] ?? "any");
}

/** Text inside a table: one line, and no bar ends the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
