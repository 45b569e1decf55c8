import { UserError, type JsonObject } from "#engine";
import type { Document } from "../../clients/documents/index.ts";
import { nearest } from "../near.ts";
import { InvalidFieldError, listed, MissingFieldError, UnknownFieldError } from "./errors.ts";
import type { Violation } from "./schema.ts";
import { exampleAt, namedFields, part, pathOf, schemaOf, valueAt, withoutOtherBranches, type Path } from "./shape.ts";
import { inline } from "./words.ts";

/** What was checked: a value at `base` of a document, against a schema. */
export interface Checked {
  readonly document: Document;
  readonly base: Path;
  readonly value: unknown;
  readonly schema: JsonObject;
  /** Fields that are valid at `base` although this schema does not name them. */
  readonly alsoKnown?: readonly string[];
}

/** Violations as a user should read them: the words of the document, the place, the way out. One for each mistake. */
export function problemsOf(violations: readonly Violation[], checked: Checked): readonly UserError[] {
  const told = new Set<string>();
  return withoutOtherBranches(violations, checked.schema, checked.value).flatMap((violation) => {
    const error = problemOf(violation, violations, checked);
    const key = `${error.at?.line}:${error.at?.column} ${error.message}`;
    if (told.has(key)) return [];
    told.add(key);
    return [error];
  });
}

function problemOf(violation: Violation, all: readonly Violation[], checked: Checked): UserError {
  const { document, base } = checked;
  const own = pathOf(violation.instancePath, checked.value);
  const path = [...base, ...own];
  const schema = schemaOf(violation, all, checked.schema, own);
  const field = path.length === 0 ? "the document" : `\`${shownPath(path)}\``;
  const at = document.positionOf(path);
  const example = exampleAt(checked.schema, own);
  const { params } = violation;

  switch (violation.keyword) {
    case "additionalProperties": {
      const name = String(params["additionalProperty"]);
      const known = [...Object.keys(part(schema, "properties")), ...(own.length === 0 ? (checked.alsoKnown ?? []) : [])];
      return new UnknownFieldError(name, known, document.positionOf([...path, name], "key"));
    }
    case "required":
    case "dependentRequired": {
      const name = String(params["missingProperty"]);
      const because = violation.keyword === "required" ? "" : `, which \`${String(params["property"])}\` needs`;
      const sample = exampleAt(checked.schema, [...own, name]);
      const where = path.length === 0 ? "the document" : field;
      return new MissingFieldError(`${where} lacks \`${name}\`${because}`, { at, remedy: `add it, for example ${sample ?? `\`${name}: …\``}` });
    }
    case "enum": {
      const allowed = (params["allowedValues"] as readonly unknown[]).map(String);
      const seen = valueAt(checked.value, own);
      const near = typeof seen === "string" ? nearest(seen, allowed) : undefined;
      const remedy = near !== undefined ? `did you mean \`${near}\`?` : `write ${example ?? `\`${allowed[0]}\``}`;
      return new InvalidFieldError(`${field} is ${shownValue(seen)}; it is one of ${listed(allowed)}`, { at, remedy });
    }
    case "const": {
      const wanted = inline(params["allowedValue"]);
      return new InvalidFieldError(`${field} is ${shownValue(valueAt(checked.value, own))}; it can only be \`${wanted}\``, {
        at,
        remedy: `write \`${lastName(path)}: ${wanted}\`, or leave it out where it is optional`,
      });
    }
    case "type":
      return new InvalidFieldError(`${field} is ${typeName(valueAt(checked.value, own))}; it must be ${typeWords(params["type"])}`, {
        at,
        remedy: written(example),
      });
    case "oneOf":
    case "anyOf": {
      const names = namedFields(schema[violation.keyword]);
      if (names.length === 0) return new InvalidFieldError(`${field} has none of the forms that it may have`, { at, remedy: written(example) });
      const seen = names.filter((name) => Object.hasOwn(Object(valueAt(checked.value, own)), name));
      const what = seen.length === 0 ? `names none of ${listed(names)}` : `names ${listed(seen)} at once; they exclude each other`;
      return new InvalidFieldError(`${field} ${what}`, { at, remedy: seen.length === 0 ? written(example) : "keep one of them" });
    }
    default:
      return new InvalidFieldError(`${field} ${limitWords(violation, valueAt(checked.value, own))}`, { at, remedy: written(example) });
  }
}

function written(example: string | undefined): string {
  return example === undefined ? "`assert explain KIND` tells what may stand here" : `write for example ${example}`;
}

function limitWords({ keyword, params }: Violation, value: unknown): string {
  const limit = String(params["limit"]);
  const size = Array.isArray(value) ? value.length : typeof value === "object" && value !== null ? Object.keys(value).length : 0;
  switch (keyword) {
    case "minimum":
      return `is ${shownValue(value)}; it must be at least ${limit}`;
    case "maximum":
      return `is ${shownValue(value)}; it must be at most ${limit}`;
    case "exclusiveMinimum":
      return `is ${shownValue(value)}; it must be more than ${limit}`;
    case "exclusiveMaximum":
      return `is ${shownValue(value)}; it must be less than ${limit}`;
    case "minLength":
      return value === "" ? "is empty" : `is shorter than ${limit} characters`;
    case "maxLength":
      return `is longer than ${limit} characters`;
    case "minItems":
    case "minProperties":
      return `has ${size} ${size === 1 ? "entry" : "entries"}; it needs at least ${limit}`;
    case "maxItems":
    case "maxProperties":
      return `has ${size} entries; it may have ${limit}`;
    case "uniqueItems":
      return `names ${shownEntry((value as readonly unknown[])[Number(params["j"])], Number(params["i"]))} twice`;
    case "pattern":
      return `is ${shownValue(value)}, which is not of the form that it must have`;
    default:
      return `breaks the rule \`${keyword}\` of its schema`;
  }
}

function shownPath(path: Path): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

function lastName(path: Path): string {
  return String(path.findLast((step) => typeof step === "string") ?? "value");
}

/** The value seen, cut to what a line can hold; the user and password of a URL are nobody's business. */
function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  const text = (typeof value === "string" ? value : inline(value)).replace(/\/\/[^/\s]*@/g, "//…@");
  return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\``;
}

/** A whole entry is told by its number: it may hold the words of a command. */
function shownEntry(value: unknown, index: number): string {
  return typeof value === "object" && value !== null ? `its entry ${index + 1}` : shownValue(value);
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  const kind = typeof value === "string" ? "text" : typeof value === "boolean" ? "a boolean" : "a number";
  return `${kind} (${shownValue(value)})`;
}

function typeWords(type: unknown): string {
  const types = Array.isArray(type) ? type.map(String) : [String(type)];
  return types.map((each) => TYPES.get(each) ?? each).join(" or ");
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ["string", "text"],
  ["integer", "a whole number"],
  ["number", "a number"],
  ["boolean", "`true` or `false`"],
  ["array", "a list"],
  ["object", "a map"],
  ["null", "empty"],
]);
