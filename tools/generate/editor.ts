import type { JsonObject } from "../../engine/index.ts";

const COMMON = ["clusters", "allowEmpty", "strict"] as const;

/**
 * One schema for editors: every document that a user may write, told apart by `kind`. Definitions of each part get a prefix,
 * so that those of two kinds never meet.
 */
export function editorSchema(assertion: JsonObject, others: Readonly<Record<string, JsonObject>>, kinds: ReadonlyMap<string, JsonObject>, owned: readonly JsonObject[] = []): JsonObject {
  const definitions: Record<string, unknown> = {};
  const documents = [
    ...[...kinds].map(([name, spec]) => [name, assertionOf(name, assertion, spec)] as const),
    ...owned.map((spec) => [String(spec["title"]), documentOf(String(spec["title"]), assertion, spec)] as const),
    ...Object.entries(others).map(([name, schema]) => [name, prefixed(schema, name)] as const),
  ];
  for (const [name, document] of documents) {
    const { $defs, $schema: _, ...rest } = document;
    definitions[name] = rest;
    Object.assign(definitions, $defs);
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "cloud-assert",
    description: "Assertions, the fleet they are about, and what is accepted.",
    type: "object",
    required: ["kind"],
    properties: { kind: { description: "What the document is.", enum: documents.map(([name]) => name) } },
    oneOf: documents.map(([name]) => ({ $ref: `#/definitions/${name}` })),
    definitions,
  } as JsonObject;
}

/** The envelope of a document that is no assertion: nothing in its spec but its own. */
function documentOf(name: string, assertion: JsonObject, spec: JsonObject): JsonObject {
  return envelopeOf(name, assertion, spec, []);
}

/** The envelope with this kind's name and its spec beside the common fields. */
function assertionOf(name: string, assertion: JsonObject, spec: JsonObject): JsonObject {
  return envelopeOf(name, assertion, spec, COMMON);
}

function envelopeOf(name: string, assertion: JsonObject, spec: JsonObject, commonFields: readonly string[]): JsonObject {
  const envelope = structuredClone(prefixed(assertion, name)) as unknown as Schema;
  const own = structuredClone(prefixed(spec, `${name}Spec`)) as unknown as Schema;
  const common = envelope.properties["spec"]?.properties ?? {};
  const { $defs, $schema: _, title: __, properties, examples: ___, ...limits } = own;
  const example = own.examples?.[0];
  return {
    ...envelope,
    title: name,
    description: own.description,
    properties: {
      ...envelope.properties,
      kind: { description: own.description, const: name },
      spec: { ...limits, properties: { ...Object.fromEntries(commonFields.map((field) => [field, common[field]])), ...properties } },
    },
    examples: [{ apiVersion: "cloud-assert/v1", kind: name, metadata: { name: "a-name" }, ...(example === undefined ? {} : { spec: example }) }],
    $defs: { ...envelope.$defs, ...$defs },
  } as unknown as JsonObject;
}

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, unknown>>;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

function prefixed(schema: JsonObject, prefix: string): JsonObject {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', `"#/definitions/${prefix}_`);
  const parsed = JSON.parse(text) as JsonObject & { $defs?: Record<string, unknown> };
  const $defs = Object.fromEntries(Object.entries(parsed.$defs ?? {}).map(([name, value]) => [`${prefix}_${name}`, value]));
  return { ...parsed, $defs } as JsonObject;
}
