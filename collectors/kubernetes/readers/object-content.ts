import { byText, CollectError, digestOf, sha256, type HiddenValue, type JsonObject, type KubeObject } from "#engine";
import { isBelow, parseDuration, parseQuantity, parseStructured, quantityText, type ObjectPath } from "#values";
import { fieldsIn, type Fields } from "../fields.ts";

/** How much of an object is kept. */
export interface Keeping {
  /** Paths that some assertion looks at: what may be secret is kept in clear only there. */
  readonly clear: readonly ObjectPath[];
  /** Only those paths are kept at all. */
  readonly only: boolean;
}

export interface Content {
  readonly content: JsonObject;
  readonly hidden: Readonly<Record<string, HiddenValue>>;
}

/** Places of one kind whose values may be secret, or are large and of no use to a reader. The last key of `data` must be named, not starred. */
const SENSITIVE: ReadonlyMap<string, readonly ObjectPath[]> = new Map([
  ["/ConfigMap", [["data", "*"], ["binaryData", "*"]]],
  ["extensions.istio.io/WasmPlugin", [["spec", "pluginConfig"], ["spec", "vmConfig", "env", "*", "value"]]],
  ["extensions.istio.io/TrafficExtension", [["spec", "wasm", "pluginConfig"], ["spec", "wasm", "vmConfig", "env", "*", "value"], ["spec", "lua"]]],
  ["networking.istio.io/ProxyConfig", [["spec", "environmentVariables", "*"]]],
  ["helm.toolkit.fluxcd.io/HelmRelease", [["spec", "values"]]],
  ["argoproj.io/Application", [["spec", "source", "helm"], ["spec", "sources", "*", "helm"]]],
  ["networking.istio.io/EnvoyFilter", [["spec", "configPatches", "*", "patch", "value"]]],
]);

/** Bookkeeping that no comparison needs, that changes by itself, or that repeats what is cut out elsewhere. */
const DROPPED: ReadonlySet<string> = new Set(["managedFields", "resourceVersion"]);
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const DEEPEST = 200;
const MOST_LEAVES = 5000;

/**
 * What is kept of an object: everything, or the paths that are looked at; values that may be secret are cut out and leave a digest,
 * unless an assertion looks at them by name. Texts that hold YAML or JSON leave a digest for each value inside.
 */
export function contentOf(object: KubeObject, group: string, kind: string, { clear, only }: Keeping): Content {
  const whole = { ...object, metadata: metadataOf(object) };
  const { status, ...wanted } = whole as Fields;
  // What changes by itself is kept where somebody looks at it, whoever else asks for the whole object.
  const seen = pick({ status }, clear.filter(([first]) => first === undefined || first === "*" || first === "status"));
  const kept = (only ? pick(whole, [...clear, ["metadata", "name"], ["metadata", "namespace"]]) : { ...wanted, ...(seen as Fields) }) as JsonObject;
  const hiding = new Hiding(SENSITIVE.get(`${group}/${kind}`) ?? [], clear);
  const content = hiding.cut(kept, []) as JsonObject;
  return { content, hidden: Object.fromEntries(hiding.hidden.sort(([a], [b]) => byText(a, b))) };
}

function metadataOf(object: KubeObject): Fields {
  const metadata = Object.entries(fieldsIn(object, "metadata")).filter(([key]) => !DROPPED.has(key));
  return Object.fromEntries(metadata.map(([key, value]) => (key === "annotations" ? [key, Object.fromEntries(Object.entries(fieldsIn(object.metadata, key)).filter(([name]) => name !== LAST_APPLIED))] : [key, value])));
}

/** The parts of a value that the paths lead to. */
function pick(value: unknown, paths: readonly ObjectPath[]): unknown {
  if (paths.some((path) => path.length === 0) || typeof value !== "object" || value === null) return value;
  const entries = Array.isArray(value) ? value.map((item, index) => [String(index), item as unknown] as const) : Object.entries(value);
  const picked = entries.flatMap(([key, field]): [string, unknown][] => {
    const deeper = paths.filter(([step]) => step === "*" || step === key).map((path) => path.slice(1));
    return deeper.length === 0 ? [] : [[key, pick(field, deeper)]];
  });
  // A list keeps its length, so that places in it stay what they are.
  if (Array.isArray(value)) return value.map((_, index) => picked.find(([key]) => key === String(index))?.[1] ?? null);
  return Object.fromEntries(picked);
}

class Hiding {
  readonly hidden: [string, HiddenValue][] = [];
  readonly #places: readonly ObjectPath[];
  readonly #clear: readonly ObjectPath[];

  constructor(places: readonly ObjectPath[], clear: readonly ObjectPath[]) {
    this.#places = places;
    this.#clear = clear;
  }

  /** The value without what may be secret in it; undefined where nothing is left. */
  cut(value: unknown, path: ObjectPath): unknown {
    if (value === null || value === undefined) return undefined;
    if (path.length > DEEPEST) throw new CollectError(`an object nests more than ${DEEPEST} levels deep`, { remedy: "select objects that people write; nobody reads one of that depth" });
    const place = this.#places.find((each) => each.length === path.length && isBelow(each, path));
    if (place !== undefined || isEnvironment(path)) return this.#sensitive(value, path);
    if (Array.isArray(value)) return value.map((item, index) => this.cut(item, [...path, String(index)]) ?? null);
    if (typeof value !== "object") return value;
    return fromEntries(Object.entries(value).map(([key, field]) => [key, this.cut(field, [...path, key])]));
  }

  #sensitive(value: unknown, path: ObjectPath): unknown {
    if (this.#clear.some((each) => named(each, path) && isBelow(each, path))) return value;
    const inside = this.#clear.filter((each) => named(each, path) && each.length > path.length && isBelow(each.slice(0, path.length), path));
    const structured = typeof value === "string" ? parseStructured(value, path[0] === "data" && path[1] === "mesh" ? "kubectl" : "unknown") : value;
    if (structured === undefined || typeof structured !== "object") return this.#hide(value, path);
    // Where a path leads inside, a digest of the whole would say nothing of the place.
    if (inside.length === 0 && leavesOf(structured) > MOST_LEAVES) return this.#hide(structured, path);
    return this.#leaves(structured, path, inside);
  }

  /** Digests in place of every value, except where a path leads. */
  #leaves(value: unknown, path: ObjectPath, clear: readonly ObjectPath[]): unknown {
    if (clear.some((each) => isBelow(each, path))) return value;
    if (typeof value !== "object" || value === null) return this.#hide(value, path);
    if (Array.isArray(value)) return value.map((item, index) => this.#leaves(item, [...path, String(index)], clear) ?? null);
    return fromEntries(Object.entries(value).map(([key, field]) => [key, this.#leaves(field, [...path, key], clear)]));
  }

  #hide(value: unknown, path: ObjectPath): undefined {
    const text = typeof value === "string" || typeof value === "number" ? value : "";
    const duration = typeof text === "string" ? parseDuration(text) : undefined;
    const quantity = parseQuantity(text);
    const time = duration === undefined ? {} : { time: sha256(`time ${duration}`) };
    const number = quantity === undefined ? {} : { number: sha256(`number ${quantityText(quantity)}`) };
    this.hidden.push([JSON.stringify(path), { sha256: typeof value === "string" ? sha256(value) : digestOf(value), ...time, ...number }]);
  }
}

/** Without what is undefined; `__proto__` is a key like any other. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): JsonObject {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonObject;
}

/** A path names a value that may be secret by its last key; one that ends above it, or has a star there, does not, unless the star stands for a place in a list. */
function named(path: ObjectPath, place: ObjectPath): boolean {
  const last = place.length - 1;
  return path.length > last && (path[last] !== "*" || /^\d+$/.test(place[last] ?? ""));
}

/** `env[*].value` of a container, or of anything else that takes an environment. */
function isEnvironment(path: ObjectPath): boolean {
  return path.at(-1) === "value" && path.at(-3) === "env";
}

function leavesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  let sum = 0;
  for (const field of Object.values(value)) {
    sum += leavesOf(field);
    if (sum > MOST_LEAVES) return sum;
  }
  return sum;
}
