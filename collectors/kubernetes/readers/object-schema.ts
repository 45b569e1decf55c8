import { byText, type Json, type SchemaNode } from "#engine";
import { fieldsIn, listIn, textIn, type Fields } from "../fields.ts";

const DEEPEST = 40;
const MOST_NODES = 50_000;
const LARGEST_DEFAULT = 4096;

/**
 * What of an OpenAPI schema a comparison of objects must know: defaults, how entries of lists are told apart, texts that are numbers or times.
 * Undefined where there is nothing of the kind. A schema that contains itself is followed once; one of a stranger's making is bounded.
 */
export function markersOf(root: unknown, document: unknown): SchemaNode | undefined {
  return new Reader(document).node(root, [], 0);
}

class Reader {
  readonly #schemas: Fields;
  #left = MOST_NODES;

  constructor(document: unknown) {
    this.#schemas = fieldsIn(fieldsIn(document, "components"), "schemas");
  }

  node(schema: unknown, following: readonly string[], depth: number): SchemaNode | undefined {
    this.#left -= 1;
    if (depth > DEEPEST || this.#left < 0 || typeof schema !== "object" || schema === null) return undefined;
    const merged = new Map<string, unknown>(Object.entries(schema));
    const followed = [...following];
    for (const part of [schema, ...listIn(schema, "allOf")]) {
      const name = textIn(part, "$ref")?.replace("#/components/schemas/", "");
      if (name === undefined) continue;
      if (name.endsWith(".resource.Quantity")) return { reading: "quantity", ...defaultOf(merged.get("default")) };
      if (followed.includes(name)) return undefined;
      followed.push(name);
      for (const [key, value] of Object.entries(fieldsIn(this.#schemas, name))) if (!merged.has(key)) merged.set(key, value);
    }
    const whole = Object.fromEntries(merged);
    const node = { ...defaultOf(whole["default"]), ...readingOf(whole), ...listOf(whole), ...this.#children(whole, followed, depth + 1) };
    return Object.keys(node).length === 0 ? undefined : node;
  }

  #children(schema: Fields, following: readonly string[], depth: number): SchemaNode {
    const fields: [string, SchemaNode][] = [];
    for (const [key, property] of Object.entries(fieldsIn(schema, "properties"))) {
      const node = depth === 1 && NOT_COMPARED.has(key) ? undefined : this.node(property, following, depth);
      if (node !== undefined) fields.push([key, node]);
    }
    const items = this.node(schema["items"], following, depth);
    const values = this.node(schema["additionalProperties"], following, depth);
    return {
      ...(fields.length === 0 ? {} : { fields: Object.fromEntries(fields.sort(([a], [b]) => byText(a, b))) }),
      ...(items === undefined ? {} : { items }),
      ...(values === undefined ? {} : { values }),
    };
  }
}

const NOT_COMPARED: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "status"]);

function defaultOf(value: unknown): SchemaNode {
  if (value === undefined || value === null || JSON.stringify(value).length > LARGEST_DEFAULT) return {};
  return { default: value as Json };
}

/** Patterns and rules by which schemas of CRDs say what `type: string` hides. */
function readingOf(schema: Fields): SchemaNode {
  const pattern = textIn(schema, "pattern") ?? "";
  if (pattern.includes("(([KMGTPE]i)|[numkMGTPE]|([eE]")) return { reading: "quantity" };
  if (pattern.includes("(h|m|s|ms)")) return { reading: "duration" };
  if (listIn(schema, "x-kubernetes-validations").some((rule) => textIn(rule, "rule")?.includes("duration(self)") === true)) return { reading: "duration" };
  if (schema["x-kubernetes-int-or-string"] === true || textIn(schema, "format") === "int-or-string") return { reading: "int-or-string" };
  return {};
}

function listOf(schema: Fields): SchemaNode {
  const type = textIn(schema, "x-kubernetes-list-type");
  if (type === "set") return { list: "set" };
  if (type !== "map") return {};
  const keys = listIn(schema, "x-kubernetes-list-map-keys").filter((key) => typeof key === "string");
  return keys.length === 0 ? {} : { list: "map", keys };
}
