import { fieldsIn, type Fields } from "../fields.ts";

const DEEPEST = 64;
/** Stands for what lies deeper than anybody looks: a machine whose code is not known, so that nothing is hidden there in silence. */
const TOO_DEEP: Fields = Object.freeze({ code: Object.freeze({}) });

/** A field by its name in JSON or, as people write EnvoyFilters and Envoy writes its dumps, in the protocol's own spelling. */
export function either(fields: Fields, camel: string, snake: string): unknown {
  return Object.hasOwn(fields, camel) ? fields[camel] : Object.hasOwn(fields, snake) ? fields[snake] : undefined;
}

/** The object under such a field; an empty one where there is none. */
export function eitherIn(fields: Fields, camel: string, snake: string): Fields {
  return fieldsIn({ value: either(fields, camel, snake) }, "value");
}

/** Machines that somebody configures: objects with `code`, under a field called `vm_config`. The path to them does not matter: there are many places for them, and new releases add some. */
export function wasmIn(value: unknown, depth = 0): readonly Fields[] {
  if (typeof value !== "object" || value === null) return [];
  if (depth > DEEPEST) return [TOO_DEEP];
  if (Array.isArray(value)) return value.flatMap((item) => wasmIn(item, depth + 1));
  const fields = value as Fields;
  const machine = eitherIn(fields, "vmConfig", "vm_config");
  const rest = Object.entries(fields).filter(([key]) => key !== "vmConfig" && key !== "vm_config");
  return [...(Object.hasOwn(machine, "code") ? [machine] : []), ...rest.flatMap(([, field]) => wasmIn(field, depth + 1))];
}
