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
  return fits(value, shape) ? [] : report(value, shape, path, [], 0);
}

/** Whether `check` would find nothing. */
export function fits(value: Json, shape: Shape): boolean {
  return testOf(shape)(value);
}

type Test = (value: Json) => boolean;

const tests = new Map<Shape, Test>();

/** The test for a shape, made once: objects are many, and what a shape asks is the same for all of them. */
function testOf(shape: Shape): Test {
  let test = tests.get(shape);
  if (test === undefined) tests.set(shape, (test = madeTest(shape)));
  return test;
}

function madeTest(shape: Shape): Test {
  if (shape === "ignored") return () => true;
  if (shape === "duration") return (value) => typeof value === "string" && milliseconds(value) !== undefined;
  if (shape === "weight") return isWeight;
  if (shape === "string") return (value) => typeof value === "string";
  if (typeof shape === "string") return (value) => typeof value === shape;
  if ("oneOf" in shape) return (value) => typeof value === "string" && shape.oneOf.includes(value);
  if ("list" in shape) return listTest(testOf(shape.list));
  return "map" in shape ? mapTest(testOf(shape.map)) : fieldsTest(shape);
}

function listTest(test: Test): Test {
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (let at = 0; at < value.length; at++) if (!test(value[at])) return false;
    return true;
  };
}

function mapTest(test: Test): Test {
  return (value) => {
    if (!isObject(value)) return false;
    for (const key in value) if (!test(value[key])) return false;
    return true;
  };
}

function fieldsTest({ fields, choice = [] }: Extract<Shape, { fields: object }>): Test {
  const known = new Map(Object.entries(fields).map(([key, shape]) => [key, { test: testOf(shape), isChoice: choice.includes(key) }]));
  return (value) => {
    if (!isObject(value)) return false;
    let chosen = 0;
    for (const key in value) {
      const field = known.get(key);
      if (field === undefined || !field.test(value[key])) return false;
      if (field.isChoice) chosen++;
    }
    return chosen <= 1;
  };
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
