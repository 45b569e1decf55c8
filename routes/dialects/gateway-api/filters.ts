import type { PathRewrite } from "../../decide/model.ts";
import { at, isObject, type Json, type JsonObject, listAt, numberAt, objectAt, textAt, textsAt } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import { byteLength } from "../istio/values.ts";
import { destinationOf } from "./backends.ts";
import type { Conversion } from "./conversion.ts";
import type { ApiMatch } from "./matches.ts";

/** What the filters of a rule do, in the words of a VirtualService; undefined where istiod gives the whole route up. */
export function filtersOf(filters: readonly Json[], path: string, route: Named, conversion: Conversion): JsonObject | undefined {
  const out: Record<string, unknown> = {};
  const headers: Record<string, JsonObject> = {};
  const mirrors: JsonObject[] = [];
  for (const [index, filter] of filters.entries()) {
    const own = `${path}[${index}]`;
    switch (textAt(filter, "type")) {
      case "RequestHeaderModifier":
      case "ResponseHeaderModifier":
        if (!addHeaders(headers, filter, own, route, conversion)) return undefined;
        break;
      case "RequestRedirect":
        out["redirect"] = objectAt(filter, "requestRedirect");
        break;
      case "URLRewrite":
        out["rewrite"] = objectAt(filter, "urlRewrite");
        break;
      case "RequestMirror": {
        const mirror = mirrorOf(at(filter, "requestMirror"), own, route, conversion);
        // A mirror that leads nowhere is left out; a GRPCRoute with one is given up.
        if (mirror !== undefined) mirrors.push(mirror);
        else if (route.kind === "GRPCRoute" && conversion.reading === "istiod") return undefined;
        break;
      }
      case "CORS":
        if (route.kind === "GRPCRoute" && conversion.reading === "istiod") return undefined;
        out["corsPolicy"] = corsOf(objectAt(filter, "cors"));
        break;
      default:
        // istiod knows no other type and drops all rules of the route (conversion.go `InvalidFilter`).
        if (conversion.reading === "istiod") return undefined;
        conversion.leave({ reason: `a filter of the type \`${textAt(filter, "type")}\` is not modelled`, where: { object: route.title, path: own } });
    }
  }
  return { ...out, ...(Object.keys(headers).length === 0 ? {} : { headers }), ...(mirrors.length === 0 ? {} : { mirrors }) };
}

/** The header filters of one backend, which takes no others; undefined where istiod gives the whole route up. */
export function backendHeaders(filters: readonly Json[], path: string, route: Named, conversion: Conversion): JsonObject | undefined {
  const headers: Record<string, JsonObject> = {};
  for (const [index, filter] of filters.entries()) {
    const type = textAt(filter, "type");
    if (type === "RequestHeaderModifier" || type === "ResponseHeaderModifier") {
      if (!addHeaders(headers, filter, `${path}[${index}]`, route, conversion)) return undefined;
    } else if (conversion.reading === "istiod") return undefined;
    else conversion.leave({ reason: `a filter of the type \`${type}\` of one backend is not modelled`, where: { object: route.title, path: `${path}[${index}]` } });
  }
  return headers;
}

/** What a header filter does; false where istiod gives the whole route up for a value that no header has (conversion.go `isValidHeaderValue`). */
function addHeaders(headers: Record<string, JsonObject>, filter: Json, path: string, route: Named, conversion: Conversion): boolean {
  const [side, field] = textAt(filter, "type") === "RequestHeaderModifier" ? ["request", "requestHeaderModifier"] : ["response", "responseHeaderModifier"];
  const modifier = at(filter, field);
  const isOdd = [...listAt(modifier, "set"), ...listAt(modifier, "add")].some((entry) => hasControl(textAt(entry, "value")));
  if (isOdd && conversion.reading === "istiod") return false;
  if (isOdd) conversion.leave({ reason: "the value of a header holds a control character", where: { object: route.title, path: `${path}.${field}` } });
  headers[side] = operations(modifier, conversion);
  return true;
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

/** conversion.go `createHeadersFilter`: of equivalent names the first counts. A specification knows no formats in values, Envoy does. */
function operations(filter: Json, { reading }: Conversion): JsonObject {
  const map = (key: string): JsonObject => {
    const out = new Map<string, string>();
    for (const entry of listAt(filter, key)) {
      const name = textAt(entry, "name").toLowerCase(), value = textAt(entry, "value");
      if (!out.has(name)) out.set(name, reading === "istiod" ? value : value.replaceAll("%", "%%"));
    }
    return Object.fromEntries(out);
  };
  return { set: map("set"), add: map("add"), remove: textsAt(filter, "remove") };
}

/** conversion.go `createMirrorFilter`; a reference that is not granted, and one to a service that is not there, is left out. */
function mirrorOf(mirror: Json, path: string, route: Named, conversion: Conversion): JsonObject | undefined {
  const destination = destinationOf(at(mirror, "backendRef"), `${path}.requestMirror.backendRef`, route, conversion);
  if (destination === undefined || !conversion.isThere(textAt(destination, "host"))) return undefined;
  const fraction = at(mirror, "fraction"), percent = at(mirror, "percent");
  const share = isObject(fraction) ? (100 * numberAt(fraction, "numerator")) / (at(fraction, "denominator") === undefined ? 100 : numberAt(fraction, "denominator")) : typeof percent === "number" ? percent : undefined;
  return { destination, ...(share === undefined ? {} : { percentage: { value: share } }) };
}

/** conversion.go `createCorsFilter`. */
function corsOf(cors: JsonObject): JsonObject {
  // The CRD fills in five seconds.
  const age = at(cors, "maxAge") === undefined ? 5 : numberAt(cors, "maxAge");
  return {
    allowOrigins: textsAt(cors, "allowOrigins").filter((origin) => origin !== "").map(originOf),
    allowMethods: textsAt(cors, "allowMethods"), allowHeaders: textsAt(cors, "allowHeaders"), exposeHeaders: textsAt(cors, "exposeHeaders"),
    ...(at(cors, "allowCredentials") === true ? { allowCredentials: true } : {}),
    ...(age > 0 ? { maxAge: `${age}s` } : {}),
    unmatchedPreflights: "IGNORE",
  };
}

function originOf(origin: string): JsonObject {
  if (origin === "*") return { regex: "^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\\s?#]+$" };
  if (!origin.includes("*")) return { exact: origin };
  if (origin.indexOf("*") === origin.length - 1) return { prefix: origin.slice(0, -1) };
  return { regex: `^${origin.replaceAll(/[\\.+*?()|[\]{}^$]/g, "\\$&").replaceAll("\\*", ".*")}$` };
}

/** A rule for one match, and how the path of what it takes changes. A replaced prefix can make two rules of one. */
export interface Written {
  readonly match: JsonObject | undefined;
  readonly path: PathRewrite | undefined;
}

/**
 * What `path` of a redirect or rewrite makes of a match.
 *
 * A prefix of whole segments that is taken away leaves `/` of itself and the rest of everything below it: two rules say that exactly.
 */
export function rewritten(modifier: Json, match: ApiMatch, by: "redirect" | "rewrite", reading: Conversion["reading"]): readonly Written[] {
  const one = (path: PathRewrite | undefined): readonly Written[] => [{ match: match.spec, path }];
  if (!isObject(modifier)) return one(undefined);
  if (textAt(modifier, "type") === "ReplaceFullPath") return one(fullPath(textAt(modifier, "replaceFullPath"), by, reading));
  const value = textAt(modifier, "replacePrefixMatch");
  const { segments: prefix } = match;
  if (prefix === undefined) return one(undefined);
  const length = byteLength(prefix);
  const isPlain = at(at(match.spec, "uri"), "separated") === undefined;
  // istiod hands the value of a redirect on as it is, and an empty one is none (conversion.go `createRedirectFilter`).
  if (by === "redirect" && reading === "istiod") return one(value === "" ? undefined : { kind: "prefix", length, value });
  const trimmed = value.endsWith("/") ? value.slice(0, -1) : value;
  if (isPlain) {
    if (trimmed === "") return one(undefined);
    return one({ kind: "prefix", length: reading === "istiod" ? 1 : 0, value: trimmed });
  }
  if (trimmed !== "") return one({ kind: "prefix", length, value: trimmed });
  return [
    { match: { ...match.spec, uri: { exact: prefix } }, path: { kind: "replace", value: "/" } },
    { match: match.spec, path: { kind: "prefix", length, value: "" } },
  ];
}

/** istiod writes a rewrite of the whole path as an expression over `/.*`, in whose result a backslash and an empty text mean something. */
function fullPath(value: string, by: "redirect" | "rewrite", reading: Conversion["reading"]): PathRewrite | undefined {
  if (by === "redirect") return value === "" && reading === "istiod" ? undefined : { kind: "replace", value: value === "" ? "/" : value };
  if (reading === "istiod" && (value === "" || /[\\?]/.test(value))) return { kind: "regex", pattern: "/.*", substitution: value };
  return { kind: "replace", value: value === "" ? "/" : value };
}
