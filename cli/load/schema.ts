import { digestOf, type JsonObject } from "#engine";

/** One thing that is wrong with a value, as its schema sees it. */
export interface Violation {
  /** JSON pointer to the value. */
  readonly instancePath: string;
  /** JSON pointer, after `#`, to the keyword of the schema that objects. */
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Says what is wrong with a value, and fills the defaults of its schema in. */
export type Validate = (value: unknown) => readonly Violation[];

/** What ajv makes of a schema, at run time or ahead. */
interface Compiled {
  (value: unknown): boolean;
  readonly errors?: readonly Violation[] | null | undefined;
}

/**
 * The validator of a schema. One compiled ahead (`npm run generate`) is used where its digest says that it belongs to this schema;
 * else the schema is compiled now, which costs about a hundred milliseconds for the first one.
 */
export async function validatorOf(schema: JsonObject, ahead: unknown): Promise<Validate> {
  const module = ahead as { readonly default?: unknown; readonly schemaSha256?: unknown } | undefined;
  const usable = typeof module?.default === "function" && module.schemaSha256 === digestOf(schema);
  const compiled = (usable ? module.default : (await import("./ajv.ts")).compile(schema)) as Compiled;
  return (value) => (compiled(value) ? [] : [...(compiled.errors ?? [])]);
}
