import type { ClaimMatch, Condition, FieldMatch, HeaderMatch, PathMatch, QueryMatch, StringMatch } from "../../decide/model.ts";
import { at, entriesAt, isObject, isSubset, type Json, type JsonObject, labelsAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { byteLength } from "./values.ts";

/** Who looks at a match block: all of it is decided before any request. */
export interface Looker {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `mesh`, or the gateway as `namespace/name`. */
  readonly gateway: string;
  readonly port: number;
}

/** A match block as a condition, with what depends on its form. */
export interface Matched {
  readonly when: Condition;
  /** istiod takes it for a rule that takes everything: the list stops there, and on gateways it moves to the end. */
  readonly catchAll: boolean;
  /** Bytes that a prefix rewrite takes away; undefined: the whole path. */
  readonly prefix: number | undefined;
  /** Envoy refuses a configuration with this. */
  readonly invalid?: string;
}

/** The rule without a match block. */
export const everything: Matched = { when: {}, catchAll: true, prefix: 1 };

/** route.go `TranslateRoute` and `sourceMatchHTTP`: gateways, where given, decide alone. */
export function concerns(match: JsonObject, looker: Looker): boolean {
  const port = numberAt(match, "port");
  if (port !== 0 && port !== looker.port) return false;
  const gateways = textsAt(match, "gateways");
  if (gateways.length > 0) return gateways.includes(looker.gateway);
  const namespace = textAt(match, "sourceNamespace");
  if (at(match, "sourceLabels") === undefined) return namespace === "" || namespace === looker.namespace;
  return isSubset(labelsAt(match, "sourceLabels"), looker.labels) && (namespace === "" || namespace === looker.namespace);
}

const noFields: Fields = { headers: [], claims: [], invalid: undefined };
const noQuery: readonly QueryMatch[] = [];

/** route.go `TranslateRouteMatch`. */
export function matchOf(match: JsonObject): Matched {
  const path = pathOf(match["uri"], match["ignoreUriCase"] === true);
  const { headers, claims, invalid } = fieldsOf(match);
  const query = match["queryParams"] === undefined ? noQuery : entriesAt(match, "queryParams").map(([name, value]): QueryMatch => ({ name, ...fieldOf(value, false) }));
  const isRoot = path === undefined || (path.kind === "prefix" && path.value === "/");
  const form = path?.kind === "prefix" || path?.kind === "separated-prefix" ? byteLength(path.value) : path === undefined ? 1 : undefined;
  const when: Writable<Condition> = isRoot ? {} : { path };
  if (headers.length > 0) when.headers = headers;
  if (query.length > 0) when.query = query;
  if (claims.length > 0) when.claims = claims;
  const isOpen = isRoot || (path.kind === "regex" && path.pattern === ".*");
  const catchAll = isOpen && headers.length + query.length + claims.length === 0;
  return invalid === undefined ? { when, catchAll, prefix: form } : { when, catchAll, prefix: form, invalid };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Fields {
  readonly headers: readonly HeaderMatch[];
  readonly claims: readonly ClaimMatch[];
  readonly invalid: string | undefined;
}

const pseudo = ["method", "authority", "scheme"] as const;

const pseudoNames = { method: ":method", authority: ":authority", scheme: ":scheme" } as const;

/** Most lists have one header, and one that begins empty takes room for many. */
function appended(headers: HeaderMatch[] | undefined, header: HeaderMatch): HeaderMatch[] {
  if (headers === undefined) return [header];
  headers.push(header);
  return headers;
}

const headerKeys = ["headers", "withoutHeaders"] as const;

function headerOf(name: string, value: Json, without: boolean): HeaderMatch {
  const field = fieldOf(value, without);
  return field.invert === undefined ? { name, match: field.match } : { name, ...field };
}

/** The tests of headers, pseudo-headers and claims. */
function fieldsOf(match: JsonObject): Fields {
  const asks = match["headers"] !== undefined || match["withoutHeaders"] !== undefined || match["method"] !== undefined || match["authority"] !== undefined || match["scheme"] !== undefined;
  if (!asks) return noFields;
  let headers: HeaderMatch[] | undefined;
  let claims: ClaimMatch[] | undefined;
  let invalid: string | undefined;
  for (const key of headerKeys) {
    const map = objectAt(match, key);
    const without = key === "withoutHeaders";
    for (const name in map) {
      if (!Object.hasOwn(map, name)) continue;
      const value = map[name];
      const claim = claimPath(name);
      if (claim === undefined) headers = appended(headers, headerOf(name.toLowerCase(), value, without));
      else if (stringOf(value) === undefined || isStar(value)) invalid = `the claim \`${name}\` is matched without a value, which Envoy refuses`;
      else (claims ??= []).push({ path: claim, ...claimField(value, without) });
    }
  }
  for (const field of pseudo) {
    const value = match[field];
    if (isObject(value)) headers = appended(headers, headerOf(pseudoNames[field], value, false));
  }
  return { headers: headers ?? noFields.headers, claims: claims ?? noFields.claims, invalid };
}

function pathOf(uri: Json, ignoreCase: boolean): PathMatch | undefined {
  // Only routes of Gateway API have prefixes of whole segments: a VirtualService that names one is refused by its shape.
  if (!isObject(uri)) return undefined;
  const separated = uri["separated"];
  if (typeof separated === "string") return { kind: "separated-prefix", value: separated };
  const match = stringOf(uri);
  // Envoy's `case_sensitive` has no effect on expressions (config_impl.cc `RegexRouteEntryImpl`).
  return match === undefined || match.kind === "regex" || !ignoreCase ? match : { ...match, ignoreCase };
}

/** The test of a StringMatch, or undefined where none of its forms is set. */
export function stringOf(value: Json): Exclude<StringMatch, { kind: "suffix" | "contains" }> | undefined {
  if (!isObject(value)) return undefined;
  const exact = value["exact"];
  if (typeof exact === "string") return { kind: "exact", value: exact };
  const prefix = value["prefix"];
  if (typeof prefix === "string") return { kind: "prefix", value: prefix };
  const pattern = value["regex"];
  return typeof pattern === "string" ? { kind: "regex", pattern } : undefined;
}

/** `*` alone is no expression: it asks whether the thing is there (route.go `canBeConvertedToPresentMatch`). */
function isStar(value: Json): boolean {
  return textAt(value, "regex") === "*";
}

function fieldOf(value: Json, without: boolean): FieldMatch {
  const match = stringOf(value);
  if (match === undefined || isStar(value)) return without ? { match: { kind: "any" }, invert: true, whenAbsent: true } : { match: { kind: "any" } };
  return without ? { match, invert: true, whenAbsent: "as-empty" } : { match };
}

function claimField(value: Json, without: boolean): FieldMatch {
  const match = stringOf(value) ?? { kind: "any" as const };
  return without ? { match, invert: true, whenAbsent: true } : { match };
}

const claimPrefix = "@request.auth.claims";

/** pkg/jwt/routing.go `ToRoutingClaim`: `.a.b` and `[a][b]` lead to the same claim; without either it is an ordinary header. */
function claimPath(name: string): readonly string[] | undefined {
  if (!name.toLowerCase().startsWith(claimPrefix)) return undefined;
  const rest = name.slice(claimPrefix.length);
  if (rest.startsWith(".") && rest.length > 1) return rest.slice(1).split(".");
  return rest.startsWith("[") && rest.endsWith("]") && rest.length > 2 ? rest.slice(1, -1).split("][") : undefined;
}
