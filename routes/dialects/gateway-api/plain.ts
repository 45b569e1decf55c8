import type { Condition, HeaderMatch, PathMatch, QueryMatch } from "../../decide/model.ts";
import { isObject, type Json, type JsonObject } from "../istio/json.ts";
import type { Matched } from "../istio/matches.ts";
import { Block } from "../istio/memory.ts";
import { type ApiMatch, httpMatch, orderOf } from "./matches.ts";
import type { ApiReading } from "./objects.ts";

/**
 * Most rules send what they match by path, method, headers and query on to services, perhaps with a timeout, and do nothing else. Such a
 * rule is told in one walk, which finds nothing in it that is unknown or refused, and read without the words of a VirtualService between.
 * What is told here and what is read of it is what `check.ts`, `crd.ts` and `matches.ts` make of it: a property test holds them together.
 *
 * @module
 */

/** True of a rule of an HTTPRoute in `namespace` that is in order and does no more. False says nothing. */
export function isPlain(rule: Json, namespace: string): boolean {
  if (!isObject(rule)) return false;
  let [hasMatches, hasBackends] = [false, false];
  for (const key in rule) {
    const value = rule[key];
    switch (key) {
      case "name": break;
      case "matches":
        if (!isListOf(value, isPlainMatch)) return false;
        hasMatches = true;
        break;
      case "backendRefs":
        if (!arePlainBackends(value, namespace)) return false;
        hasBackends = true;
        break;
      case "timeouts":
        if (!arePlainTimeouts(value)) return false;
        break;
      default: return false;
    }
  }
  return hasMatches && hasBackends;
}

/** More entries than one number tells: see `matches.ts`. */
const MOST = 16;

function isListOf(value: Json, is: (item: Json) => boolean): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  for (let at = 0; at < value.length; at++) if (!is(value[at])) return false;
  return true;
}

const methods: ReadonlySet<Json> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]);

function isPlainMatch(match: Json): boolean {
  if (!isObject(match)) return false;
  let hasPath = false;
  for (const key in match) {
    const value = match[key];
    switch (key) {
      case "path":
        if (!isPlainPath(value)) return false;
        hasPath = true;
        break;
      case "method":
        if (!methods.has(value)) return false;
        break;
      case "headers": case "queryParams":
        if (!arePlainValues(value)) return false;
        break;
      default: return false;
    }
  }
  return hasPath;
}

/** `Exact` or `PathPrefix`, segments of which nothing is refused; all paths (`/`) are told apart elsewhere. */
function isPlainPath(path: Json): boolean {
  if (!isObject(path)) return false;
  for (const key in path) if (key !== "type" && key !== "value") return false;
  const { type, value } = path;
  return (type === "Exact" || type === "PathPrefix") && typeof value === "string" && value.length > 1 && value.length < 1 << 12 && isOfSegments(value);
}

const SLASH = 0x2f, DOT = 0x2e;

function isOfSegments(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let before = 0;
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    // Neither `//` nor a segment that begins with a dot.
    if (code === SLASH || code === DOT ? before === SLASH : !isWordCode(code)) return false;
    before = code;
  }
  return true;
}

/** A letter, a digit, `-` or `_`. */
function isWordCode(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || code === 0x2d || code === 0x5f;
}

/** Exact values by names that are words, each there once in any case. */
function arePlainValues(list: Json): boolean {
  if (!Array.isArray(list) || list.length === 0 || list.length >= MOST) return false;
  for (let at = 0; at < list.length; at++) {
    const entry: Json = list[at];
    if (!isObject(entry)) return false;
    for (const key in entry) if (key !== "type" && key !== "name" && key !== "value") return false;
    const { type, name, value } = entry;
    if ((type !== undefined && type !== "Exact") || typeof name !== "string" || typeof value !== "string" || value === "" || !isWord(name)) return false;
    if (at > 0 && hasName(list, at, name.toLowerCase())) return false;
  }
  return true;
}

/** Names that begin with a digit are keys that objects put first. */
function isWord(name: string): boolean {
  const first = name.charCodeAt(0);
  if (name === "" || (first >= 0x30 && first <= 0x39)) return false;
  for (let at = 0; at < name.length; at++) if (!isWordCode(name.charCodeAt(at))) return false;
  return name !== "__proto__";
}

function hasName(list: readonly Json[], before: number, name: string): boolean {
  for (let at = 0; at < before; at++) if (nameOf(list[at]).toLowerCase() === name) return true;
  return false;
}

function nameOf(entry: Json): string {
  const name = isObject(entry) ? entry["name"] : undefined;
  return typeof name === "string" ? name : "";
}

/** Services of the route's own namespace, at least one of which has a weight. */
function arePlainBackends(list: Json, namespace: string): boolean {
  if (!Array.isArray(list)) return false;
  let total = 0;
  for (let at = 0; at < list.length; at++) {
    const weight = plainWeight(list[at], namespace);
    if (weight === undefined) return false;
    total += weight;
  }
  return total > 0;
}

function plainWeight(reference: Json, namespace: string): number | undefined {
  if (!isObject(reference)) return undefined;
  let weight = 1;
  let [hasName, hasPort] = [false, false];
  for (const key in reference) {
    const value = reference[key];
    switch (key) {
      case "name":
        if (typeof value !== "string" || value === "" || value.includes(".")) return undefined;
        hasName = true;
        break;
      case "port":
        if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 65_535) return undefined;
        hasPort = true;
        break;
      case "weight":
        if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 1_000_000) return undefined;
        weight = value;
        break;
      case "group":
        if (value !== "") return undefined;
        break;
      case "kind":
        if (value !== "Service") return undefined;
        break;
      case "namespace":
        if (value !== namespace) return undefined;
        break;
      default: return undefined;
    }
  }
  return hasName && hasPort ? weight : undefined;
}

const duration = /^[0-9]{1,5}(?:h|m|s|ms)$/;

function arePlainTimeouts(timeouts: Json): boolean {
  if (!isObject(timeouts)) return false;
  for (const key in timeouts) if (key !== "request") return false;
  const { request } = timeouts;
  return typeof request === "string" && duration.test(request);
}

/** A match of a plain rule: its condition, and its words for VirtualServices where somebody asks for them. */
export class PlainBlock extends Block implements ApiMatch, Matched {
  readonly when: Condition;
  readonly order: number | undefined;
  private readonly reading: ApiReading;
  private said: ApiMatch | undefined = undefined;

  constructor(raw: JsonObject, reading: ApiReading) {
    const path = pathOf(raw["path"]);
    const headers = headersOf(raw), query = queryOf(raw["queryParams"]);
    const isExact = path.kind === "exact", { length } = path.value;
    super(raw);
    this.when = conditionOf(path, headers, query);
    const named = raw["method"] === undefined ? 0 : 1;
    this.order = orderOf(isExact ? 3 : 2, length, named, headers.length - named, query.length);
    this.reading = reading;
  }

  override get match(): JsonObject {
    return this.full.spec ?? this.raw;
  }

  override get matched(): Matched {
    return this;
  }

  get catchAll(): boolean {
    return false;
  }

  get prefix(): number | undefined {
    const { path } = this.when;
    return path?.kind === "separated-prefix" ? path.value.length : undefined;
  }

  get isRegex(): boolean {
    return false;
  }

  get spec(): JsonObject | undefined {
    return this.full.spec;
  }

  get rank(): readonly number[] {
    return this.full.rank;
  }

  get segments(): string | undefined {
    return this.full.segments;
  }

  get hasHeaders(): boolean {
    return this.raw["headers"] !== undefined;
  }

  private get raw(): JsonObject {
    return super.match;
  }

  private get full(): ApiMatch {
    return (this.said ??= httpMatch(this.raw, this.reading));
  }
}

function conditionOf(path: PathMatch, headers: readonly HeaderMatch[], query: readonly QueryMatch[]): Condition {
  return headers.length === 0 ? (query.length === 0 ? { path } : { path, query }) : query.length === 0 ? { path, headers } : { path, headers, query };
}

type PlainPath = { readonly kind: "exact" | "separated-prefix"; readonly value: string };

function pathOf(path: Json): PlainPath {
  const value = textOf(path, "value");
  if (textOf(path, "type") === "Exact") return { kind: "exact", value };
  return { kind: "separated-prefix", value: value.charCodeAt(value.length - 1) === SLASH ? value.slice(0, -1) : value };
}

function textOf(object: Json, key: string): string {
  const value = isObject(object) ? object[key] : undefined;
  return typeof value === "string" ? value : "";
}

const noHeaders: readonly HeaderMatch[] = [];
const noQuery: readonly QueryMatch[] = [];

function headersOf({ headers, method }: JsonObject): readonly HeaderMatch[] {
  if (headers === undefined && method === undefined) return noHeaders;
  const own = Array.isArray(headers) ? headers.map((entry: Json): HeaderMatch => ({ name: textOf(entry, "name").toLowerCase(), match: { kind: "exact", value: textOf(entry, "value") } })) : [];
  if (typeof method === "string") own.push({ name: ":method", match: { kind: "exact", value: method } });
  return own;
}

function queryOf(list: Json): readonly QueryMatch[] {
  if (!Array.isArray(list)) return noQuery;
  return list.map((entry: Json): QueryMatch => ({ name: textOf(entry, "name"), match: { kind: "exact", value: textOf(entry, "value") } }));
}
