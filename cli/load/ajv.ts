import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { PluginError, type JsonObject } from "#engine";

/** The dialect of all our schemas: draft 2020-12, plus marks that say what a word in a document stands for. */
export function newAjv(code?: { readonly esm: true; readonly source: true }): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    strict: true,
    strictRequired: false,
    strictTypes: false,
    ...(code === undefined ? {} : { code }),
  });
  for (const keyword of MARKS) ajv.addKeyword(keyword);
  return ajv;
}

/** `x-file`: the value is a path; `x-document`: the name of a document of that kind. The loader acts on them. */
const MARKS = ["x-file", "x-document"];

/** Throws PluginError where the schema itself is wrong. */
export function compile(schema: JsonObject): ValidateFunction {
  try {
    return newAjv().compile(schema);
  } catch (cause) {
    throw new PluginError(`a schema cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, {
      remedy: "correct the schema.json of the plug-in; it is JSON Schema, draft 2020-12",
      cause,
    });
  }
}
