import { isObject, type Json } from "./json.ts";
import { milliseconds } from "./values.ts";

/**
 * The shape of a part of an object. What a shape does not name is unknown to this dialect, and so could change an answer.
 * `ignored` takes anything and says that it never does.
 */
export type Shape =
  | "string" | "number" | "weight" | "boolean" | "duration" | "ignored"
  | { readonly oneOf: readonly string[] }
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly choice?: readonly string[] };

/** Something in an object that is not modelled, or that an API server would refuse. */
export interface Problem {
  readonly path: string;
  readonly reason: string;
}

/** The largest `int32`, the type of weights. */
const maxWeight = 2_147_483_647;

function isWeight(value: Json): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxWeight;
}

/** Objects below this depth do not exist in Istio's types: what does comes from somebody else. */
const maxDepth = 40;

/**
 * Walks an object along a shape and reports every field that the shape does not know, and every value of a wrong type.
 * At most 50 problems: more say nothing new.
 */
export function check(value: Json, shape: Shape, path: string): readonly Problem[] {
  // Nearly every object is in order, and paths cost more than the walk.
  return fits(value, shape, 0) ? [] : report(value, shape, path, [], 0);
}

/** The walk of `report` without words. */
function fits(value: Json, shape: Shape, depth: number): boolean {
  if (shape === "ignored") return true;
  if (depth > maxDepth) return false;
  if (shape === "duration") return typeof value === "string" && milliseconds(value) !== undefined;
  if (shape === "weight") return isWeight(value);
  if (typeof shape === "string") return typeof value === shape;
  if ("oneOf" in shape) return typeof value === "string" && shape.oneOf.includes(value);
  if ("list" in shape) {
    if (!Array.isArray(value)) return false;
    for (const item of value) if (!fits(item, shape.list, depth + 1)) return false;
    return true;
  }
  if (!isObject(value)) return false;
  let chosen = 0;
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    const inner = "map" in shape ? shape.map : Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    if (inner === undefined || !fits(value[key], inner, depth + 1)) return false;
    if (!("map" in shape) && shape.choice?.includes(key)) chosen++;
  }
  return chosen <= 1;
}

function report(value: Json, shape: Shape, path: string, found: Problem[], depth: number): readonly Problem[] {
  if (found.length >= 50) return found;
  const wrong = (wanted: string): void => void found.push({ path, reason: `\`${path}\` is ${kindOf(value)}, not ${wanted}` });
  if (shape === "ignored") return found;
  if (depth > maxDepth) wrong("a value of sensible depth");
  else if (shape === "duration") {
    if (typeof value !== "string" || milliseconds(value) === undefined) wrong("a duration such as `1.5s`");
  } else if (shape === "weight") {
    if (!isWeight(value)) found.push({ path, reason: `\`${path}\` is ${typeof value === "number" ? `\`${value}\`` : kindOf(value)}, not a whole number from 0 to ${maxWeight}` });
  } else if (typeof shape === "string") {
    if (typeof value !== shape) wrong(`a ${shape}`);
  } else if ("oneOf" in shape) {
    if (typeof value !== "string" || !shape.oneOf.includes(value)) {
      found.push({ path, reason: `\`${path}\` is ${typeof value === "string" ? `\`${value.slice(0, 60)}\`` : kindOf(value)}, not one of ${shape.oneOf.join(", ")}` });
    }
  } else if ("list" in shape) {
    if (!Array.isArray(value)) wrong("a list");
    else for (let i = 0; i < value.length; i++) report(value[i], shape.list, `${path}[${i}]`, found, depth + 1);
  } else if (!isObject(value)) wrong("an object");
  else if ("map" in shape) for (const key of Object.keys(value)) report(value[key], shape.map, `${path}[${JSON.stringify(key)}]`, found, depth + 1);
  else checkFields(value, shape, path, found, depth);
  return found;
}

function checkFields(value: Readonly<Record<string, Json>>, shape: Extract<Shape, { fields: object }>, path: string, found: Problem[], depth: number): void {
  let chosen = 0;
  for (const key of Object.keys(value)) {
    const inner = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    const field = path === "" ? key : `${path}.${key}`;
    if (inner === undefined) found.push({ path: field, reason: `the field \`${field}\` is not known` });
    else report(value[key], inner, field, found, depth + 1);
    if (shape.choice?.includes(key)) chosen++;
  }
  if (chosen > 1) found.push({ path, reason: `\`${path}\` has ${chosen} of ${shape.choice?.join(", ")}, where one is allowed` });
}

function kindOf(value: Json): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : `a${typeof value === "object" ? "n" : ""} ${typeof value}`;
}
