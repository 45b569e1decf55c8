import type { JsonObject } from "#engine";

/** One field of a document. */
export interface DocumentField {
  /** From its `spec`: `node.kernel.equivalents[].match`. */
  readonly path: string;
  readonly field: JsonObject;
  readonly isRequired: boolean;
  readonly words: string;
}

/** Every field below a schema, in its order; what a definition holds is told once, and then named by the path where it was. */
export function documentFields(root: JsonObject): readonly DocumentField[] {
  return fieldsBelow(root, "", root, new Map());
}

function fieldsBelow(schema: JsonObject, path: string, root: JsonObject, told: Map<JsonObject, string>): readonly DocumentField[] {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const own = Object.entries(objectOf(schema["properties"])).flatMap(([name, value]): readonly DocumentField[] => {
    const at = path === "" ? name : `${path}.${name}`;
    const field = definitionOf(objectOf(value), root);
    const before = told.get(field);
    const words = String(objectOf(value)["description"] ?? field["description"] ?? "");
    if (before !== undefined) return [{ path: at, field, isRequired: required.includes(name), words: `As \`${before}\`.` }];
    told.set(field, at);
    return [{ path: at, field, isRequired: required.includes(name), words }, ...fieldsBelow(field, at, root, told)];
  });
  const inside = [["items", `${path}[]`], ["additionalProperties", `${path}.<key>`]] as const;
  return [...own, ...inside.flatMap(([key, at]) => (typeof schema[key] === "object" ? fieldsBelow(definitionOf(objectOf(schema[key]), root), at, root, told) : []))];
}

function definitionOf(schema: JsonObject, root: JsonObject): JsonObject {
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].replace("#/$defs/", "") : undefined;
  return name === undefined ? schema : objectOf(objectOf(root["$defs"])[name]);
}

export function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
