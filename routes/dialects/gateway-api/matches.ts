import { at, entriesAt, isObject, type Json, type JsonObject, listAt, textAt } from "../istio/json.ts";
import { byteLength } from "../istio/values.ts";
import type { ApiReading } from "./objects.ts";

/** One match of a route in the words of a VirtualService, where `uri.separated` is a prefix of whole segments; and how early it is tried. */
export interface ApiMatch {
  /** Undefined: the rule has no match. */
  readonly spec: JsonObject | undefined;
  /** Compared one by one, larger first. */
  readonly rank: readonly number[];
  /** Ranks that have one compare as these numbers do; undefined: not told by one number. */
  readonly order: number | undefined;
  /** The prefix of whole segments, without a slash at its end; `/` for all paths. */
  readonly segments: string | undefined;
  readonly isRegex: boolean;
}

/** The matches of a rule of an HTTPRoute. The CRD fills in a prefix `/` where none is written. */
export function httpMatches(rule: Json, reading: ApiReading): readonly ApiMatch[] {
  const written = at(rule, "matches");
  if (Array.isArray(written) && written.length === 0) return [nothing(reading)];
  return (written === undefined ? [{}] : listAt(rule, "matches")).map((match) => httpMatch(match, reading));
}

/** Without a match a rule comes last (conversion.go `sortHTTPRoutes`); to the specification it is one of the prefix `/`. */
function nothing(reading: ApiReading): ApiMatch {
  return { spec: undefined, ...(reading === "istiod" ? last : ranked([2, 1, 0, 0, 0])), segments: "/", isRegex: false };
}

/** Below every other. */
const last: Pick<ApiMatch, "rank" | "order"> = { rank: [-9], order: -9 };

function ranked(rank: readonly number[]): Pick<ApiMatch, "rank" | "order"> {
  const [form = 0, length = 0, method = 0, headers = 0, query] = rank;
  return { rank, order: query === undefined ? undefined : orderOf(form, length, method, headers, query) };
}

/** A length below 2^12 and counts below 2^4 fit into a small number: beyond there is none. */
export function orderOf(form: number, length: number, method: number, headers: number, query: number): number | undefined {
  const isInside = form >= 0 && form < 4 && length < 1 << 12 && method < 2 && headers < 16 && query < 16;
  return isInside ? (((form * (1 << 12) + length) * 2 + method) * 16 + headers) * 16 + query : undefined;
}

/** conversion.go `createURIMatch` and its like, `getURIRank`. */
export function httpMatch(match: Json, reading: ApiReading): ApiMatch {
  const path = at(match, "path");
  const kind = textAt(path, "type") || "PathPrefix";
  const value = isObject(path) && at(path, "value") !== undefined ? textAt(path, "value") : "/";
  const trimmed = value === "/" ? value : value.endsWith("/") ? value.slice(0, -1) : value;
  const uri = kind === "Exact" ? { exact: value } : kind === "RegularExpression" ? { regex: value } : prefixMatch(trimmed);
  const headers = valuesOf(listAt(match, "headers"), reading === "specification"), query = valuesOf(listAt(match, "queryParams"), false, reading === "specification");
  const method = textAt(match, "method");
  const form = kind === "Exact" ? 3 : kind === "RegularExpression" ? 1 : 2;
  const spec: Record<string, Json> = { uri };
  if (method !== "") spec["method"] = { exact: method };
  if (headers !== noValues) spec["headers"] = headers;
  if (query !== noValues) spec["queryParams"] = query;
  return {
    spec,
    ...ranked([form, byteLength(kind === "PathPrefix" ? trimmed : value), method === "" ? 0 : 1, headers === noValues ? 0 : Object.keys(headers).length, query === noValues ? 0 : Object.keys(query).length]),
    segments: kind === "PathPrefix" ? trimmed : undefined,
    isRegex: kind === "RegularExpression",
  };
}

/** route.go `TranslateRouteMatch` with gateway semantics: `/` stays a plain prefix, and one more slash goes. */
function prefixMatch(trimmed: string): JsonObject {
  if (trimmed === "/") return { prefix: "/" };
  const value = trimmed.endsWith("/") ? trimmed.slice(0, -1) : trimmed;
  return value === "" ? { prefix: "/" } : { separated: value };
}

/**
 * Tests of values by name. istiod keeps names as they are written, so that `Foo` and `foo` are both asked for, and of equal names the
 * last; to the specification only the first of equivalent names counts.
 */
function valuesOf(list: readonly Json[], ignoresCase: boolean, isFirst = ignoresCase): JsonObject {
  if (list.length === 0) return noValues;
  const out = new Map<string, JsonObject>();
  for (const entry of list) {
    const name = textAt(entry, "name"), key = ignoresCase ? name.toLowerCase() : name;
    if (isFirst && out.has(key)) continue;
    out.set(key, textAt(entry, "type") === "RegularExpression" ? { regex: textAt(entry, "value") } : { exact: textAt(entry, "value") });
  }
  return Object.fromEntries(out);
}

const noValues: JsonObject = {};

/** The matches of a rule of a GRPCRoute; without one it takes every call. */
export function grpcMatches(rule: Json, reading: ApiReading): readonly ApiMatch[] {
  const list = listAt(rule, "matches");
  if (list.length === 0) return [{ spec: undefined, ...(reading === "istiod" ? last : ranked([0, 0, 0])), segments: "/", isRegex: false }];
  return list.map((match) => grpcMatch(match, reading));
}

/** conversion.go `createGRPCURIMatch`. */
function grpcMatch(match: Json, reading: ApiReading): ApiMatch {
  const method = at(match, "method");
  const service = textAt(method, "service"), name = textAt(method, "method");
  const isRegex = textAt(method, "type") === "RegularExpression";
  const headers = valuesOf(listAt(match, "headers"), reading === "specification");
  const uri = !isObject(method) || (service === "" && name === "") ? undefined : grpcPath(service, name, isRegex, reading);
  const text = uri === undefined ? "" : String(Object.values(uri)[0]);
  const rank = uri === undefined ? -1 : "exact" in uri ? 3 : "regex" in uri ? 1 : 2;
  // What istiod sorts by is the prefix with its slash, before it becomes one of whole segments.
  const length = byteLength(text) + (uri !== undefined && "separated" in uri ? 1 : 0);
  const count = Object.keys(headers).length;
  return {
    spec: { ...(uri === undefined ? {} : { uri }), ...(count === 0 ? {} : { headers }) },
    ...ranked(reading === "istiod" ? [rank, length, 0, count, 0] : [byteLength(service), byteLength(name), count]),
    segments: undefined,
    isRegex: uri !== undefined && "regex" in uri && isRegex,
  };
}

function grpcPath(service: string, name: string, isRegex: boolean, reading: ApiReading): JsonObject {
  if (isRegex) return { regex: name === "" ? `/${service}/.+` : service === "" ? `/[^/]+/${name}` : `/${service}/${name}` };
  if (service === "") return { regex: `/[^/]+/${reading === "istiod" ? name : quoted(name)}` };
  if (name !== "") return { exact: `/${service}/${name}` };
  // istiod's prefix of whole segments takes the service without any method too.
  return reading === "istiod" ? { separated: `/${service}` } : { prefix: `/${service}/` };
}

function quoted(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

/** True where no request satisfies both: paths or methods that exclude each other. */
export function areDisjoint(one: ApiMatch, other: ApiMatch): boolean {
  const a = at(one.spec, "uri"), b = at(other.spec, "uri");
  for (const key of ["exact", "separated"]) {
    const left = at(a, key), right = at(b, key);
    // Of equal rank, prefixes have one length: two that differ share no path.
    if (typeof left === "string" && typeof right === "string" && left !== right && left.length === right.length) return true;
  }
  if (typeof at(a, "exact") === "string" && typeof at(b, "exact") === "string" && at(a, "exact") !== at(b, "exact")) return true;
  const method = textAt(at(one.spec, "method"), "exact"), second = textAt(at(other.spec, "method"), "exact");
  if (method !== "" && second !== "" && method !== second) return true;
  return entriesAt(one.spec, "queryParams").some(([name, value]) => {
    const left = textAt(value, "exact"), right = textAt(at(at(other.spec, "queryParams"), name), "exact");
    return left !== "" && right !== "" && left !== right;
  });
}
