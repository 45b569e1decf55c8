import type { JsonObject } from "#engine";
import type { Violation } from "./schema.ts";
import { inline } from "./words.ts";

export type Path = readonly (string | number)[];

/**
 * The schemas that speak about the value at a path, references followed and choices spread out. ajv's own `schemaPath` ends at
 * references, so they are found by walking the schema along the path of the value.
 */
function schemasAt(root: JsonObject, path: Path): readonly JsonObject[] {
  return walk([root], path, root);
}

/**
 * The schema at the path that has the keyword which objected. Of choices within choices about one value ajv reports the innermost
 * first, while the walk finds the outermost first.
 */
export function schemaOf(violation: Violation, all: readonly Violation[], root: JsonObject, path: Path): JsonObject {
  const { keyword, params } = violation;
  const same = all.filter((other) => other.keyword === keyword && other.instancePath === violation.instancePath);
  const rank = keyword === "oneOf" || keyword === "anyOf" ? same.length - 1 - same.indexOf(violation) : 0;
  const schemas = schemasAt(root, path);
  const able = schemas.filter((schema) => schema[keyword] !== undefined && (keyword !== "type" || inline(schema["type"]) === inline(params["type"])));
  return able[rank] ?? able[0] ?? schemas[0] ?? {};
}

/**
 * What a choice (`oneOf`, `anyOf`) reports of the branch that was meant, in place of a word about every branch. A branch was meant
 * when it is the only one whose type fits the value. A choice between fields stays one report.
 */
export function withoutOtherBranches(violations: readonly Violation[], root: JsonObject, value: unknown): readonly Violation[] {
  const dropped = new Set<Violation>(violations.filter(({ keyword }) => keyword === "if"));
  for (const choice of violations) {
    if (choice.keyword !== "oneOf" && choice.keyword !== "anyOf") continue;
    const path = pathOf(choice.instancePath, value);
    const branches = schemaOf(choice, violations, root, path)[choice.keyword] as readonly JsonObject[];
    const below = violations.filter((other) => other !== choice && `${other.instancePath}/`.startsWith(`${choice.instancePath}/`));
    const within = (branch: JsonObject) => below.filter((other) => objects(branch, other, pathOf(other.instancePath, value).slice(path.length), root));
    const meant = branches.filter((branch) => typeFits(branch, valueAt(value, path), root));
    const told = meant.length === 1 && namedFields(branches).length === 0 ? new Set(within(meant[0] as JsonObject)) : undefined;
    if (told) dropped.add(choice);
    for (const other of branches.flatMap(within)) if (!told?.has(other)) dropped.add(other);
  }
  return violations.filter((violation) => !dropped.has(violation));
}

/** Fields among which a choice of the form `oneOf: [{ required: [a] }, { required: [b] }]` lets one be. */
export function namedFields(branches: unknown): readonly string[] {
  if (!Array.isArray(branches)) return [];
  const names = branches.flatMap((branch: JsonObject) => [...((branch["required"] ?? []) as readonly string[]), ...namedFields(branch["anyOf"])]);
  return [...new Set(names)];
}

/** An example of the value at the path as one line of YAML, with its field's name; of what it stands in where it has none itself. */
export function exampleAt(root: JsonObject, path: Path): string | undefined {
  for (let length = path.length; length > 0 && length > path.length - 3; length--) {
    const here = path.slice(0, length);
    const sample = schemasAt(root, here).map(sampleOf).find((found) => found !== undefined);
    const field = here.at(-1);
    if (sample !== undefined && typeof field === "string") return `\`${field}: ${inline(sample)}\``;
  }
  return undefined;
}

/** JSON pointer to path: a number where the value is a list. */
export function pathOf(pointer: string, value: unknown): Path {
  const path: (string | number)[] = [];
  for (const step of pointer.split("/").slice(1)) {
    const here = valueAt(value, path);
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    path.push(Array.isArray(here) ? Number(name) : name);
  }
  return path;
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((here, step) => {
    if (Array.isArray(here)) return here[Number(step)] as unknown;
    return typeof here === "object" && here !== null && Object.hasOwn(here, step) ? (here as Record<string, unknown>)[String(step)] : undefined;
  }, value);
}

/** A field of a schema that is itself a schema or a map of them. */
export function part(schema: JsonObject, key: string): JsonObject {
  const found = Object.hasOwn(schema, key) ? schema[key] : undefined;
  return isSchema(found) ? found : {};
}

function walk(schemas: readonly JsonObject[], path: Path, root: JsonObject): readonly JsonObject[] {
  return path.reduce<readonly JsonObject[]>((here, step) => spread(here.flatMap((schema) => inside(schema, step)), root), spread(schemas, root));
}

function inside(schema: JsonObject, step: string | number): readonly JsonObject[] {
  if (typeof step === "number") return isSchema(schema["items"]) ? [schema["items"]] : [];
  const properties = part(schema, "properties");
  const found = Object.hasOwn(properties, step) ? properties[step] : schema["additionalProperties"];
  return isSchema(found) ? [found] : [];
}

/** Each schema with what it refers to and the branches of its choices; words beside a reference win. */
function spread(schemas: readonly JsonObject[], root: JsonObject): readonly JsonObject[] {
  return schemas.flatMap((schema) => {
    const whole = resolved(schema, root);
    const branches = ["oneOf", "anyOf", "allOf"].flatMap((choice) => (Array.isArray(whole[choice]) ? (whole[choice] as readonly JsonObject[]) : []));
    return [whole, ...spread(branches, root)];
  });
}

function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  const name = typeof schema["$ref"] === "string" ? /^#\/\$defs\/([^/]+)$/.exec(schema["$ref"])?.[1] : undefined;
  return name === undefined ? schema : { ...resolved(part(part(root, "$defs"), name), root), ...schema };
}

/** Could this branch be what says so? */
function objects(branch: JsonObject, { keyword, params }: Violation, path: Path, root: JsonObject): boolean {
  return walk([branch], path, root).some(
    (schema) => schema[keyword] !== undefined && (keyword !== "type" || inline(schema["type"]) === inline(params["type"])),
  );
}

function typeFits(branch: JsonObject, value: unknown, root: JsonObject): boolean {
  const { type } = resolved(branch, root);
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  const seen = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return types.length === 0 || types.includes(seen) || (seen === "number" && types.includes("integer"));
}

function sampleOf(schema: JsonObject): unknown {
  const { examples, enum: words } = schema;
  if (Array.isArray(examples)) return examples[0];
  return schema["default"] ?? (Array.isArray(words) ? words[0] : schema["const"]);
}

function isSchema(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
