import { canonical, type Json, type JsonObject } from "./json.ts";
import type { Request } from "./model.ts";

/**
 * A request as a snapshot records it: a file that a spec names (`{ path, sha256, content }`) is reduced to its digest,
 * so that neither its text nor where somebody keeps it is stored.
 */
export function askedOf(request: Request): Request {
  return {
    fact: request.fact,
    ...(request.selector === undefined ? {} : { selector: request.selector }),
    ...(request.options === undefined ? {} : { options: withoutContents(request.options) as JsonObject }),
  };
}

const keys = new WeakMap<Request, string>();

/** Equal for requests that ask the same. */
export function requestKey(request: Request): string {
  const known = keys.get(request) ?? canonical(askedOf(request));
  keys.set(request, known);
  return known;
}

function withoutContents(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutContents);
  if (value === null || typeof value !== "object") return value;
  const object = value as JsonObject;
  if (typeof object["sha256"] === "string" && typeof object["content"] === "string") return { sha256: object["sha256"] };
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, field]) => (field === undefined ? [] : [[key, withoutContents(field)]])),
  );
}
