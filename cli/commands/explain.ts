import { byText, type JsonObject } from "#engine";
import { wrap } from "../../reports/layout.ts";
import { discover, type DiscoveredKind } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { renderMarkdown } from "../markdown.ts";
import { nearest } from "../near.ts";
import { mayColor, widthOf, type Terminal } from "../terminal.ts";

/** Prints what a kind claims, its fields, an example, and its README. */
export default async function explain(flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { kinds } = await discover(flags.plugin, terminal.cwd);
  const kind = find(words[0] ?? "", kinds);
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

function find(word: string, kinds: ReadonlyMap<string, DiscoveredKind>): DiscoveredKind {
  const names = [...kinds.keys()].sort(byText);
  const folder = (name: string) => name.replaceAll("-", "").toLowerCase();
  const found = kinds.get(word) ?? kinds.get(names.find((name) => folder(name) === folder(word)) ?? "");
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
      const fallback = field["default"] === undefined ? (required.has(name) ? ", required" : "") : `, default ${JSON.stringify(field["default"])}`;
      return `  ${name}  (${typeOf(field)}${fallback})\n${wrap(String(field["description"] ?? ""), width, "      ")}`;
    })
    .join("\n");
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

function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
