import { createHash } from "node:crypto";
import { digestOf, UserError, type JsonObject, type Position } from "#engine";
import { readBytes, type Document } from "../../clients/documents/index.ts";
import { nearest } from "../near.ts";
import { InvalidFieldError, listed } from "./errors.ts";
import { must, pathFrom, refusedPath, type LoadOptions } from "./trust.ts";

/** Documents that kinds own, by kind and name. */
export type OwnedDocuments = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

interface Place {
  readonly file: string;
  readonly document: Document;
  readonly options: LoadOptions;
  readonly owned: OwnedDocuments;
  /** Those of the release: what the run's own files hold counts more. */
  readonly builtIn: OwnedDocuments;
}

/** A file that a spec names holds at most this much. */
const FILE_LIMIT = 1024 * 1024;

type Path = readonly (string | number)[];
type Put = (path: Path, content: unknown) => void;

/**
 * Puts content where a spec names it: a path that the schema marks `x-file` becomes `{ path, sha256, content }` (text; base64 where the mark
 * is `"bytes"`), a name marked `x-document: KIND` becomes `{ name, sha256, content }` of the document of that kind.
 * So a kind and a collector see content and touch nothing. Changes `spec`; gives what went wrong.
 */
export async function putContents(spec: object, schema: JsonObject, place: Place): Promise<readonly UserError[]> {
  const problems: UserError[] = [];
  for (const { schema: marked, value, path, put } of marks(schema, spec, schema)) {
    const at = place.document.positionOf(["spec", ...path]);
    try {
      put(path, marked["x-file"] === undefined ? documentNamed(value, String(marked["x-document"]), at, place) : await fileNamed(value, marked["x-file"] === "bytes", at, place));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error);
    }
  }
  return problems;
}

async function fileNamed(named: string, asBytes: boolean, at: Position, { file, options }: Place): Promise<object> {
  const path = pathFrom(file, named, options);
  must(await refusedPath(file, named, path, options), at);
  const bytes = await readBytes(path, FILE_LIMIT, named).catch((error: unknown) => {
    if (error instanceof UserError) throw new InvalidFieldError(error.message, { at, remedy: error.remedy });
    throw error;
  });
  return { path: named, sha256: createHash("sha256").update(bytes).digest("hex"), content: bytes.toString(asBytes ? "base64" : "utf8") };
}

/** The documents that a spec names, each with its kind. */
export function documentsNamed(spec: object, schema: JsonObject): readonly { readonly kind: string; readonly name: string }[] {
  return [...marks(schema, spec, schema)].flatMap(({ schema: marked, value }) => (marked["x-document"] === undefined ? [] : [{ kind: String(marked["x-document"]), name: value }]));
}

function documentNamed(name: string, kind: string, at: Position, { owned, builtIn }: Place): object {
  const documents = new Map([...(builtIn.get(kind) ?? []), ...(owned.get(kind) ?? [])]);
  if (!documents.has(name)) {
    const names = [...documents.keys()];
    const near = nearest(name, names);
    throw new InvalidFieldError(`there is no ${kind} named \`${name}\``, {
      at,
      remedy: near !== undefined ? `did you mean \`${near}\`?` : names.length > 0 ? `use one of ${listed(names)}` : `give the run a file with a document of kind ${kind}`,
    });
  }
  const content = documents.get(name);
  return { name, sha256: digestOf(content), content };
}

interface Mark {
  readonly schema: JsonObject;
  readonly value: string;
  readonly path: Path;
  readonly put: Put;
}

/** Every text in `value` that the schema marks. */
function* marks(schema: JsonObject, value: unknown, root: JsonObject, path: Path = [], put: Put = () => {}): Generator<Mark> {
  const { $ref } = schema;
  if (typeof $ref === "string") yield* marks(definition($ref, root), value, root, path, put);
  if (typeof value === "string" && (schema["x-file"] !== undefined || schema["x-document"] !== undefined)) yield { schema, value, path, put };
  for (const choice of ["oneOf", "anyOf", "allOf"]) {
    const branches = schema[choice];
    if (Array.isArray(branches)) for (const branch of branches as readonly JsonObject[]) yield* marks(branch, value, root, path, put);
  }
  if (Array.isArray(value) && isSchema(schema["items"])) {
    for (const [index, item] of value.entries()) {
      yield* marks(schema["items"], item, root, [...path, index], (_, content) => void (value[index] = content));
    }
  } else if (typeof value === "object" && value !== null) {
    const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
    for (const [key, field] of Object.entries(value)) {
      const inside = Object.hasOwn(properties, key) ? properties[key] : schema["additionalProperties"];
      if (isSchema(inside)) yield* marks(inside, field, root, [...path, key], (_, content) => void Object.assign(value, { [key]: content }));
    }
  }
}

function definition(ref: string, root: JsonObject): JsonObject {
  const name = /^#\/\$defs\/([^/]+)$/.exec(ref)?.[1];
  const found = isSchema(root["$defs"]) && name !== undefined ? root["$defs"][name] : undefined;
  return isSchema(found) ? found : {};
}

function isSchema(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

