import { byText, type JsonObject } from "#engine";
import { wrap } from "../../reports/layout.ts";
import { discover, type DiscoveredKind } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { documentFields, objectOf } from "./document-fields.ts";
import { renderMarkdown } from "../markdown.ts";
import { nearest } from "../near.ts";
import { mayColor, widthOf, type Terminal } from "../terminal.ts";

/** Prints what a kind claims, its fields, an example, and its README; of a document that a kind owns (`HalProfile`) every field, however deep. */
export default async function explain(flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { kinds } = await discover(flags.plugin, terminal.cwd);
  const documents = kinds.has(words[0] ?? "") ? new Map<string, JsonObject>() : await documentsOf(kinds);
  const document = [...documents].find(([name]) => plain(name) === plain(words[0] ?? ""));
  if (document !== undefined) {
    await terminal.stdout.write(`${documentText(document, { width: widthOf(terminal.stdout), color: mayColor(flags.color, terminal.stdout, terminal.env) })}\n`);
    return exitCodes.holds;
  }
  const kind = find(words[0] ?? "", kinds, [...documents.keys()]);
  const [{ name, summary }, schema, readme] = await Promise.all([kind.kind(), kind.schema(), kind.readme()]);
  const look = { width: widthOf(terminal.stdout), color: mayColor(flags.color, terminal.stdout, terminal.env) };
  const parts = [
    wrap(`${name}: ${summary}`, look.width, "", "  "),
    renderMarkdown(`## Fields of \`spec\``, look),
    fields(schema, look.width),
    renderMarkdown("## Example", look),
    example(kind, schema),
    renderMarkdown(withoutTitle(readme), look),
  ];
  await terminal.stdout.write(`${parts.filter((part) => part !== "").join("\n\n")}\n`);
  return exitCodes.holds;
}

/** Documents that kinds own, by name. */
async function documentsOf(kinds: ReadonlyMap<string, DiscoveredKind>): Promise<ReadonlyMap<string, JsonObject>> {
  const owners = await Promise.all([...kinds.values()].map((each) => each.kind()));
  return new Map(owners.flatMap(({ documents = {} }) => Object.entries(documents)));
}

function documentText([name, schema]: readonly [string, JsonObject], look: { readonly width: number; readonly color: boolean }): string {
  const [sample] = Array.isArray(schema["examples"]) ? schema["examples"] : [];
  const lines = ["apiVersion: cloud-assert/v1", `kind: ${name}`, "metadata: { name: a-name-for-assertions }", ...(sample === undefined ? [] : [`spec: ${JSON.stringify(sample)}`])];
  return [
    wrap(`${name}: ${String(schema["description"] ?? "")}`, look.width, "", "  "),
    renderMarkdown("## Fields of `spec`", look),
    documentFields(schema).map(({ path, field, isRequired, words }) => fieldText(path, field, isRequired, words, look.width)).join("\n"),
    renderMarkdown("## Example", look),
    lines.map((line) => `    ${line}`).join("\n"),
  ].join("\n\n");
}

function plain(name: string): string {
  return name.replaceAll("-", "").toLowerCase();
}

function find(word: string, kinds: ReadonlyMap<string, DiscoveredKind>, documents: readonly string[]): DiscoveredKind {
  const names = [...kinds.keys(), ...documents].sort(byText);
  const found = kinds.get(word) ?? kinds.get(names.find((name) => plain(name) === plain(word)) ?? "");
  if (found !== undefined) return found;
  const near = nearest(word, names);
  throw new UsageError(`unknown kind \`${word}\``, { remedy: near === undefined ? `use one of ${names.join(", ")}` : `did you mean \`${near}\`?` });
}

/** The fields that every kind takes, in the words of a schema. */
const SHARED: Readonly<Record<string, JsonObject>> = {
  clusters: { type: "object", description: "Which clusters: `names: [..]`, `clouds: [..]`, `matchLabels: {..}`. Left out: the whole fleet." },
  allowEmpty: { type: "boolean", default: false, description: "Complete lists that hold nothing to judge are no gap." },
  strict: { type: "boolean", default: false, description: "What a verdict assumes counts as a gap." },
};

function fields(schema: JsonObject, width: number): string {
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const own = Object.entries(objectOf(schema["properties"]));
  return [...own.filter(([name]) => !Object.hasOwn(SHARED, name)), ...Object.entries(SHARED)]
    .map(([name, value]) => {
      const field = objectOf(value);
      return fieldText(name, field, required.has(name), String(field["description"] ?? ""), width);
    })
    .join("\n");
}

function fieldText(path: string, field: JsonObject, isRequired: boolean, words: string, width: number): string {
  const fallback = field["default"] === undefined ? (isRequired ? ", required" : "") : `, default ${JSON.stringify(field["default"])}`;
  return `  ${path}  (${typeOf(field)}${fallback})\n${wrap(words, width, "      ")}`;
}

function typeOf(field: JsonObject): string {
  const words = field["enum"];
  if (Array.isArray(words)) return words.map(String).join(" | ");
  const items = objectOf(field["items"]);
  if (field["type"] === "array") return `list of ${typeOf(items)}`;
  const number = typeof field["minimum"] === "number" ? `, from ${field["minimum"]}` : "";
  return `${Array.isArray(field["type"]) ? field["type"].join(" | ") : String(field["type"] ?? "any")}${number}`;
}

function example({ name }: DiscoveredKind, schema: JsonObject): string {
  const shown = Object.entries(objectOf(schema["properties"])).flatMap(([key, value]) => {
    const field = objectOf(value);
    const one = Array.isArray(field["examples"]) ? field["examples"][0] : field["default"];
    return one === undefined || Object.hasOwn(SHARED, key) ? [] : [`  ${key}: ${JSON.stringify(one)}`];
  });
  const spec = ["  clusters: { matchLabels: { tier: prod } }", ...shown];
  const document = ["apiVersion: cloud-assert/v1", `kind: ${name}`, "metadata: { name: a-name-for-reports, severity: error }", "spec:", ...spec];
  return document.map((line) => `    ${line}`).join("\n");
}

function withoutTitle(readme: string): string {
  return readme.replace(/^# .*\n+/, "");
}
