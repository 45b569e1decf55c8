import { defineScalarTag, FAILSAFE_SCHEMA, load, mergeTag, NOT_RESOLVED, type Schema } from "js-yaml";
import { readCore, readKubernetes } from "./yaml-words.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const DEEPEST = 100;
const MOST_NODES = 200_000;
const LONGEST = 4 * 1024 * 1024;

/**
 * Who reads the text: `kubectl`, as all that is written in Go for Kubernetes does (`yes` is true, `1:30` and dates are text), or nobody knows who:
 * then words that readers take for different things, or write in another way (`yes`, `010`, `1.10`), stay the text that they are.
 */
export type TextReader = "kubectl" | "unknown";

const SCHEMAS: Readonly<Record<TextReader, Schema>> = {
  kubectl: wordsBy(readKubernetes),
  unknown: wordsBy((word) => {
    const value = readKubernetes(word);
    return value === readCore(word) && (typeof value !== "number" || String(value) === word) ? value : word;
  }),
};

function wordsBy(read: (word: string) => unknown): Schema {
  const words = defineScalarTag("tag:yaml.org,2002:word", {
    implicit: true,
    identify: () => false,
    resolve(word) {
      const value = read(word);
      return typeof value === "string" ? NOT_RESOLVED : value;
    },
  });
  return FAILSAFE_SCHEMA.withTags(mergeTag, words);
}

/**
 * The map or list that a text of YAML or JSON holds, as plain JSON. Undefined for every other text:
 * a word, a broken document, several documents, one that contains itself or that aliases blow up, one with a whole number that is too large to be kept exactly.
 */
export function parseStructured(text: string, reader: TextReader = "kubectl"): Json | undefined {
  if (text.length > LONGEST || !/[:[{-]/.test(text)) return undefined;
  try {
    const value = load(text, { schema: SCHEMAS[reader], maxDepth: DEEPEST, json: true });
    return typeof value === "object" && value !== null ? plain(value, { left: MOST_NODES }, 0) : undefined;
  } catch {
    return undefined;
  }
}

class NotPlain extends Error {}

function plain(value: unknown, nodes: { left: number }, depth: number): Json {
  nodes.left -= 1;
  if (nodes.left < 0 || depth > DEEPEST) throw new NotPlain();
  if (Array.isArray(value)) return value.map((item) => plain(item, nodes, depth + 1));
  if (typeof value === "object" && value !== null) {
    const object: Record<string, Json> = Object.create(null) as Record<string, Json>;
    for (const [key, field] of Object.entries(value)) object[key] = plain(field, nodes, depth + 1);
    return object;
  }
  if (typeof value === "number" && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))) throw new NotPlain();
  if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  throw new NotPlain();
}
