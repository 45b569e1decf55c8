import { isSame } from "../../decide/same.ts";
import { isObject, type Json } from "../istio/json.ts";

/**
 * Envoy's messages as JSON. Its own dump writes `virtual_hosts`, istiod and istioctl write `virtualHosts`: both are read, as protobuf
 * demands of every reader.
 *
 * @module
 */

const nothing: Readonly<Record<string, unknown>> = Object.freeze({});
const none: readonly unknown[] = Object.freeze([]);

const camels = new Map<string, string>();

function camelOf(name: string): string {
  let camel = camels.get(name);
  if (camel === undefined) camels.set(name, (camel = name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())));
  return camel;
}

/** A field by its name in the `.proto`, none of which any object has by nature; null counts as absent. */
export function field(value: Json, name: string): Json {
  if (!isObject(value)) return undefined;
  const found = value[name];
  if (found !== undefined) return found ?? undefined;
  const camel = camelOf(name);
  return camel === name ? undefined : (value[camel] ?? undefined);
}

/** The message in a field, or an empty one. */
export function message(value: Json, name: string): Readonly<Record<string, unknown>> {
  const found = field(value, name);
  return isObject(found) ? found : nothing;
}

/** The repeated field, or an empty list. */
export function list(value: Json, name: string): readonly unknown[] {
  const found = field(value, name);
  return Array.isArray(found) ? found : none;
}

/** The text in a field, or the empty one: protobuf does not tell them apart. */
export function text(value: Json, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}

/** The texts of a repeated field. */
export function texts(value: Json, name: string): readonly string[] {
  return list(value, name).filter((item) => typeof item === "string");
}

/** The number in a field; numbers of 64 bits are written as text. Undefined where there is none. */
export function number(value: Json, name: string): number | undefined {
  const found = field(value, name);
  if (typeof found === "number") return found;
  return typeof found === "string" && /^-?\d{1,19}$/.test(found) ? Number(found) : undefined;
}

/** True where the field is. */
export function flag(value: Json, name: string): boolean {
  return field(value, name) === true;
}

/** A map, as entries. Its keys are names that somebody chose. */
export function entries(value: Json, name: string): readonly (readonly [string, Json])[] {
  return Object.entries(message(value, name));
}

/** The value of a map. */
export function entry(map: Json, key: string): Json {
  return isObject(map) && Object.hasOwn(map, key) ? (map[key] ?? undefined) : undefined;
}

const TYPED_STRUCT = /^(?:udpa|xds)\.type\.v[13]\.TypedStruct$/;

/** The name of the message in an `Any`, without its host: `envoy.extensions.filters.http.cors.v3.Cors`. */
export function typeOf(any: Json): string {
  const type = nameIn(entry(any, "@type"));
  return TYPED_STRUCT.test(type) ? nameIn(field(any, "type_url")) : type;
}

function nameIn(url: Json): string {
  return typeof url === "string" ? url.slice(url.lastIndexOf("/") + 1) : "";
}

/** Fields of a message by what this dialect makes of them. */
export interface Known {
  /** Read, or without any say in where a request goes. */
  readonly fields: ReadonlySet<string>;
}

/** The fields of a message that this dialect reads, and those that have no say; each under both of its names. */
export function known(...names: readonly string[]): Known {
  return { fields: new Set(names.flatMap((list) => list.trim().split(/\s+/)).flatMap((name) => [name, camelOf(name)])) };
}

/** Fields of a message that are set and not known, with their values. What holds the default of its type is not set. */
export function unknownIn(value: Json, { fields }: Known): readonly (readonly [name: string, value: Json])[] {
  if (!isObject(value)) return [];
  let found: (readonly [string, Json])[] | undefined;
  for (const name in value) {
    if (fields.has(name) || name === "@type" || !Object.hasOwn(value, name) || isDefault(value[name])) continue;
    (found ??= []).push([name, value[name]]);
  }
  return found ?? [];
}

/** A message that is there counts, empty or not. */
function isDefault(value: Json): boolean {
  return value === undefined || value === null || value === false || value === "" || value === 0 || (Array.isArray(value) && value.length === 0);
}

/** A value in one text for one meaning, and so each of its parts. */
export interface Meaning {
  readonly value: Json;
  readonly text: string;
  readonly parts: readonly Meaning[];
}

/** One text for one meaning, whichever names fields have; values under `hidden` names do not show. */
export function meaning(value: Json, hidden?: RegExp): string {
  return meaningLike(undefined, value, hidden).text;
}

/** The same for one of many values that are much alike: what it has in common with the one of before is not written again. */
export function meaningLike(before: Meaning | undefined, value: Json, hidden?: RegExp): Meaning {
  return written(value, before, 0, hidden === undefined ? plainKeys : keysFor(hidden));
}

/** The keys of fields as they are written, by their names; with the value where that does not show. */
interface Keys {
  readonly hidden: RegExp | undefined;
  readonly known: Map<string, Key>;
}

interface Key {
  readonly text: string;
  readonly isHidden: boolean;
}

const plainKeys: Keys = { hidden: undefined, known: new Map() };
const hidingKeys = new WeakMap<RegExp, Keys>();

function keysFor(hidden: RegExp): Keys {
  let own = hidingKeys.get(hidden);
  if (own === undefined) hidingKeys.set(hidden, (own = { hidden, known: new Map() }));
  return own;
}

/** Messages below this depth do not exist. */
const DEEPEST = 60;

const noParts: readonly Meaning[] = [];

function written(value: Json, before: Meaning | undefined, depth: number, keys: Keys): Meaning {
  if (before !== undefined && isSame(before.value, value)) return before;
  if (value === undefined || value === null || depth > DEEPEST) return { value, text: "null", parts: noParts };
  if (typeof value !== "object") return { value, text: JSON.stringify(value), parts: noParts };
  const parts: Meaning[] = [];
  const part = (inner: Json): string => {
    const made = written(inner, before?.parts[parts.length], depth + 1, keys);
    parts.push(made);
    return made.text;
  };
  if (Array.isArray(value)) return { value, text: `[${value.map(part).join(",")}]`, parts };
  const fields: string[] = [];
  let isSorted = true;
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const key = keys.known.get(name) ?? keyOf(name, keys);
    const field = key.text + (key.isHidden ? '"not told"' : part(inner));
    isSorted &&= fields.length === 0 || (fields[fields.length - 1] ?? "") < field;
    fields.push(field);
  }
  return { value, text: `{${(isSorted ? fields : fields.sort()).join(",")}}`, parts };
}

/** Names that are kept; maps have names that somebody chose. */
const MOST_NAMES = 5_000;

function keyOf(name: string, { hidden, known }: Keys): Key {
  const snake = /^[a-z]+(?:[A-Z][a-z0-9]*)+$/.test(name) ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name;
  const key = { text: `${JSON.stringify(snake)}:`, isHidden: hidden?.test(name) === true };
  if (known.size < MOST_NAMES) known.set(name, key);
  return key;
}

const scales: ReadonlyMap<string, number> = new Map([["HUNDRED", 10_000], ["TEN_THOUSAND", 100], ["MILLION", 1]]);

/** Millionths of a `FractionalPercent`. */
export function millionthsOf(fraction: Json): number {
  return Math.min(1_000_000, (number(fraction, "numerator") ?? 0) * (scales.get(text(fraction, "denominator") || "HUNDRED") ?? 0));
}

const duration = /^(-?\d{1,12})(?:\.(\d{1,9}))?s$/;

/** Milliseconds of a duration (`1.500s`); undefined where there is none. */
export function millisecondsOf(value: Json): number | undefined {
  const found = typeof value === "string" ? duration.exec(value) : null;
  return found === null ? undefined : Number(found[1]) * 1000 + Number((found[2] ?? "").padEnd(9, "0")) / 1e6;
}
