import { defineScalarTag, FAILSAFE_SCHEMA, load, mergeTag, NOT_RESOLVED } from "js-yaml";
import { readKubernetes } from "./yaml-words.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const DEEPEST = 100;
const MOST_NODES = 200_000;
const LONGEST = 4 * 1024 * 1024;

/** Words as kubectl reads them: `1:30` and dates stay text. */
const WORDS = FAILSAFE_SCHEMA.withTags(
  mergeTag,
  defineScalarTag("tag:yaml.org,2002:word", {
    implicit: true,
    identify: () => false,
    resolve(word) {
      const value = readKubernetes(word);
      return typeof value === "string" ? NOT_RESOLVED : value;
    },
  }),
);

/**
 * The map or list that a text of YAML or JSON holds, as plain JSON, read as Kubernetes tools do (`yes` is true). Undefined for every other text:
 * a word, a broken document, several documents, one that contains itself or that aliases blow up, one with a whole number that is too large to be kept exactly.
 */
export function parseStructured(text: string): Json | undefined {
  if (text.length > LONGEST || !/[:[{-]/.test(text)) return undefined;
  try {
    const value = load(text, { schema: WORDS, maxDepth: DEEPEST, json: true });
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
