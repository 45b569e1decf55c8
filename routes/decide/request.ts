import { toText } from "../languages/bytes.ts";
import type { HeaderLine, PathNormalization, Request } from "./model.ts";
import { rawPath, splitQuery } from "./paths.ts";
import type { Content, Part } from "./predicates.ts";
import type { Scope } from "./scope.ts";
import type { Store } from "./store.ts";

/** What a request is made of where nothing is asked. */
export interface Defaults {
  readonly request: Omit<Request, "method" | "path" | "headers">;
  readonly normalization: PathNormalization;
}

/**
 * A request of a store, as a client sends it; undefined where there is none, or none of that certainty. Headers and parameters of which
 * nothing is asked are absent.
 */
export function requestFrom(store: Store, scope: Scope, defaults: Defaults, certainty: "sure" | "possible"): Request | undefined {
  const contents: (readonly [Part, Content])[] = [];
  for (const part of new Set([...store.parts(), scope.path])) {
    const found = store.find(part, certainty);
    if (found === undefined) return undefined;
    contents.push([part, found.content]);
  }
  const made: Making = { method: "GET", authority: defaults.request.authority, path: "/", parameters: [], headers: [], claims: {} };
  for (const [part, content] of contents) if (content !== undefined && !put(made, part, content)) return undefined;
  const [path, query] = splitQuery(made.path);
  const raw = rawPath(path, defaults.normalization);
  if (raw === undefined) return undefined;
  const parameters = made.parameters.sort().join("&");
  return {
    ...defaults.request,
    method: made.method,
    authority: made.authority,
    path: toText(raw + query + (parameters === "" ? "" : `?${parameters}`)),
    headers: made.headers.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    ...(Object.keys(made.claims).length === 0 ? {} : { claims: made.claims }),
  };
}

/** A request on the way. */
interface Making {
  method: string;
  authority: string;
  path: string;
  readonly parameters: string[];
  readonly headers: HeaderLine[];
  readonly claims: MutableClaims;
}

interface MutableClaims {
  [name: string]: string | readonly string[] | MutableClaims;
}

/** False where the content does not go with what is there: a claim that would have to be a text and an object. */
function put(made: Making, { place }: Part, content: readonly string[]): boolean {
  const [value = ""] = content;
  switch (place.type) {
    case "method":
      made.method = value;
      return true;
    case "authority":
      made.authority = toText(value);
      return true;
    case "path":
    case "target":
      made.path = value;
      return true;
    case "parameter":
      made.parameters.push(`${place.name}=${value}`);
      return true;
    case "header":
      for (const line of content) made.headers.push([place.name, toText(line)]);
      return true;
    case "claim":
      return putClaim(made.claims, place.path, content.map(toText));
  }
}

function putClaim(claims: MutableClaims, path: readonly string[], texts: readonly string[]): boolean {
  let at: MutableClaims = claims;
  for (const [index, step] of path.entries()) {
    const known = Object.hasOwn(at, step) ? at[step] : undefined;
    if (index === path.length - 1) {
      if (known !== undefined) return false;
      define(at, step, texts.length === 1 ? (texts[0] ?? "") : texts);
      return true;
    }
    if (known === undefined) at = define(at, step, {});
    else if (isObject(known)) at = known;
    else return false;
  }
  return false;
}

/** Sets a key whatever its name is. */
function define<T>(object: object, name: string, value: T): T {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  return value;
}

function isObject(value: MutableClaims[string]): value is MutableClaims {
  return typeof value === "object" && !Array.isArray(value);
}

