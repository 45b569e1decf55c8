import { celFunc, celList, celMap, celMethod, CelScalar, isCelList, isCelMap, isCelUint, listType, mapType, type CelFunc, type CelInput, type CelList, type CelMap, type CelValue } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { canonical, sha256 } from "#engine";
import { parseImage, parseQuantity, parseStructured, quantityNumber } from "#values";
import type { Meter } from "./meter.ts";
import { sizeOf, toCel } from "./values.ts";

const { DYN, STRING, BOOL, INT } = CelScalar;
const MAP = mapType(DYN, DYN);
const LIST = listType(DYN);
const LONGEST_PATTERN = 4096;

/**
 * The functions of this project, and those of the library that can build something large, which are told to the meter before they do.
 * Names that start with `@` cannot be written by users.
 */
export function functionsFor(meter: Meter): CelFunc[] {
  return [...strings.filter(({ name }) => name !== "replace" && name !== "join"), ...bounded(meter), ...domain(meter), ...counting(meter), ...comparisons()];
}

function domain(meter: Meter): CelFunc[] {
  return [
    celFunc("version", [STRING], MAP, (text) => versionOf(text)),
    celFunc("quantity", [DYN], DYN, quantityOf),
    celFunc("image", [STRING], MAP, imageOf),
    celFunc("sha256", [STRING], STRING, (text) => {
      meter.charge(1 + (text.length >> 6));
      return sha256(text);
    }),
    celFunc("yaml", [STRING], DYN, (text) => {
      meter.charge(1 + (text.length >> 4));
      const value = parseStructured(text);
      if (value === undefined) throw new Error("the text is no map or list of YAML or JSON");
      return toCel(value);
    }),
    celFunc("distinct", [LIST], LIST, (list) => distinct(list, meter)),
  ] as CelFunc[];
}

function bounded(meter: Meter): CelFunc[] {
  const replaced = (text: string, from: string, to: string, most: bigint | undefined) => {
    const times = Math.min(from === "" ? text.length + 1 : Math.floor(text.length / from.length), most === undefined || most < 0n ? Number.MAX_SAFE_INTEGER : Number(most));
    meter.charge((text.length + times * to.length) / 8);
    let left = times;
    return from === "" ? text : text.replaceAll(from, (found) => (left-- > 0 ? to : found));
  };
  const joined = (list: CelList, separator: string) => {
    const items = [...list].map((item) => {
      if (typeof item !== "string") throw new Error("`join` needs a list of texts");
      return item;
    });
    meter.charge(items.reduce((sum, item) => sum + item.length + separator.length, 0) / 8);
    return items.join(separator);
  };
  // In place of the library's own, which looks at every letter; lists and maps know their size.
  const sizeOfText = (text: string) => {
    meter.charge(text.length >> 6);
    let size = 0n;
    for (const _ of text) size += 1n;
    return size;
  };
  return [
    celFunc("size", [STRING], INT, sizeOfText),
    celMethod("size", STRING, [], INT, function () {
      return sizeOfText(String(this));
    }),
    celMethod("replace", STRING, [STRING, STRING], STRING, function (from, to) {
      return replaced(String(this), from, to, undefined);
    }),
    celMethod("replace", STRING, [STRING, STRING, INT], STRING, function (from, to, most) {
      return replaced(String(this), from, to, most);
    }),
    celMethod("join", LIST, [], STRING, function () {
      return joined(this, "");
    }),
    celMethod("join", LIST, [STRING], STRING, function (separator) {
      return joined(this, separator);
    }),
  ] as CelFunc[];
}

/** What the bounded form of an expression calls; see bounded.ts. */
function counting(meter: Meter): CelFunc[] {
  const arrays = new WeakMap<object, CelInput[]>();
  return [
    celFunc("@range", [DYN], DYN, (value) => {
      meter.charge(isCelList(value) || isCelMap(value) ? 1 + value.size : 1);
      return value;
    }),
    celFunc("@built", [DYN], DYN, (value) => {
      meter.charge(typeof value === "string" ? 1 + (value.length >> 3) : isCelList(value) ? 1 + value.size : 1);
      return value;
    }),
    celFunc("@read", [DYN], DYN, (value) => {
      if (typeof value === "string") meter.charge(value.length >> 6);
      return value;
    }),
    // A regular expression looks at each letter many times.
    celFunc("@scanned", [DYN], DYN, (value) => {
      if (typeof value === "string") meter.charge(1 + (value.length >> 4));
      return value;
    }),
    // Building the machine of a long pattern costs more than its length.
    celFunc("@pattern", [DYN], DYN, (value) => {
      if (typeof value !== "string") return value;
      if (value.length > LONGEST_PATTERN) throw new Error(`a pattern has ${value.length} characters; at most ${LONGEST_PATTERN} are read`);
      meter.charge(1 + value.length * 4);
      return value;
    }),
    celFunc("@within", [DYN], DYN, (value) => {
      meter.charge(1 + (isCelList(value) || isCelMap(value) ? value.size : 0));
      if (isCelList(value)) for (const item of value) if (typeof item === "string") meter.charge(item.length >> 6);
      return value;
    }),
    celFunc("@seen", [DYN], DYN, (value) => {
      meter.charge(sizeOf(value));
      return value;
    }),
    celFunc("@list", [], DYN, () => {
      const items: CelInput[] = [];
      const list = celList(items);
      arrays.set(list, items);
      return list;
    }),
    celFunc("@append", [DYN, DYN], DYN, (list, item) => {
      meter.charge(1);
      arrays.get(list as object)?.push(item);
      return list;
    }),
  ] as CelFunc[];
}

function comparisons(): CelFunc[] {
  const compare = (name: string, holds: (order: number) => boolean) => celFunc(name, [MAP, MAP], BOOL, (left, right) => holds(compareVersions(left, right)));
  return [compare("_<_", (order) => order < 0), compare("_<=_", (order) => order <= 0), compare("_>_", (order) => order > 0), compare("_>=_", (order) => order >= 0)];
}

const STAGES = ["dev", "alpha", "beta", "pre", "rc"];
const RELEASE = STAGES.length;

/**
 * The first version number in a text: `v1.33.4-eks-1a2b` is 1.33.4. What vendors append says nothing of the order;
 * `-alpha`, `-beta`, `-rc` and `-dev` come before the release.
 */
function versionOf(text: string): CelMap {
  const [, major, minor = "0", patch = "0", stage = "", count = "0"] = /^[^0-9]{0,64}?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-.]?(dev|alpha|beta|pre|rc)[-.]?(\d{1,9})?)?/.exec(text.slice(0, 256)) ?? [];
  if (major === undefined) throw new Error(`\`${text.slice(0, 80)}\` holds no version number`);
  const rank = stage === "" ? RELEASE : STAGES.indexOf(stage);
  return celMap(new Map<string, CelInput>([...Object.entries({ major, minor, patch }).map(([key, digits]): [string, bigint] => [key, BigInt(digits)]), ["stage", BigInt(rank)], ["build", BigInt(stage === "" ? 0 : count)]]));
}

function compareVersions(left: CelMap, right: CelMap): number {
  for (const part of ["major", "minor", "patch", "stage", "build"]) {
    const [mine, other] = [left.get(part), right.get(part)];
    if (typeof mine !== "bigint" || typeof other !== "bigint") throw new Error("maps have no order; `version(…)` gives what has one");
    if (mine !== other) return mine < other ? -1 : 1;
  }
  return 0;
}

function quantityOf(value: CelValue): bigint | number {
  const text = typeof value === "bigint" ? String(value) : value;
  const found = typeof text === "string" || typeof text === "number" ? parseQuantity(text) : undefined;
  if (found === undefined) throw new Error(`\`${typeof value === "string" ? value.slice(0, 80) : typeof value}\` is no quantity`);
  const number = quantityNumber(found);
  return Number.isSafeInteger(number) ? BigInt(number) : number;
}

function imageOf(text: string): CelMap {
  const image = parseImage(text);
  if (image === undefined) throw new Error(`\`${text.slice(0, 80)}\` is no image reference`);
  return celMap(new Map(Object.entries(image).filter((entry): entry is [string, string] => typeof entry[1] === "string")));
}

/** Each value once, in the order in which they come first. */
function distinct(list: CelList, meter: Meter): CelInput {
  const found = new Map<string, CelInput>();
  for (const item of list) {
    meter.charge(sizeOf(item));
    const key = canonical(plain(item));
    if (!found.has(key)) found.set(key, item);
  }
  return celList([...found.values()]);
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : `int ${value}`;
  if (typeof value === "number") return Number.isFinite(value) ? value : `double ${value}`;
  if (isCelUint(value)) return Number(value.value);
  if (isCelList(value)) return [...value].map(plain);
  if (isCelMap(value)) return Object.fromEntries([...value.entries()].map(([key, field]) => [String(plain(key)), plain(field)]));
  if (value instanceof Uint8Array) return `bytes ${[...value].join(",")}`;
  return typeof value === "object" && value !== null ? `other ${String(value)}` : value;
}

/** Functions that users may call, and operators as the library names them. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  ...["_&&_", "_||_", "!_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_", "_%_", "-_", "_[_]", "@in", "@not_strictly_false"],
  ...["size", "startsWith", "endsWith", "contains", "matches", "type", "dyn", "int", "uint", "double", "string", "bytes", "bool", "duration", "timestamp"],
  ...["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"],
  ...strings.map(({ name }) => name),
  ...["version", "quantity", "image", "sha256", "yaml", "distinct"],
]);
