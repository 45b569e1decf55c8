/**
 * Places that normalise paths differently. They are compared on the paths that all leave as they are; on the others they cannot be
 * proven alike, but a path may show that they are not.
 *
 * @module
 */

import { DEAD } from "../languages/automaton.ts";
import type { Automaton } from "../languages/automaton.ts";
import type { PathNormalization, Rule } from "./model.ts";
import { seenPaths } from "./paths.ts";

const strictness: readonly PathNormalization[] = ["none", "base", "merge-slashes", "decode-and-merge-slashes"];

/** The one that changes most: what it leaves as it is, the others do too. */
export function strictest(normalizations: ReadonlySet<PathNormalization>): PathNormalization {
  return [...normalizations].sort((a, b) => strictness.indexOf(b) - strictness.indexOf(a))[0] ?? "base";
}

const PERCENT = 0x25;

/** Paths that no normalisation changes. */
export function plainPaths(normalization: PathNormalization): Automaton {
  const seen = seenPaths(normalization);
  const classes = Uint8Array.from(seen.classes);
  classes[PERCENT] = Math.max(...classes) + 1;
  return { ...seen, classes, step: (state, byte) => (byte === PERCENT ? DEAD : seen.step(state, byte)) };
}

/** Most rules whose paths are tried. */
const MOST_RULES = 200;

/** Paths that some normalisation changes, near those that rules name. */
export function* changedPaths(lists: readonly (readonly Rule[])[]): Generator<string> {
  const texts = new Set(["/a/b"]);
  for (const rules of lists) {
    for (const { when } of rules.slice(0, MOST_RULES)) if (when.path !== undefined && "value" in when.path && when.path.value.startsWith("/")) texts.add(when.path.value);
  }
  for (const text of texts) {
    yield text.replace(/(?<=.)\//, "//");
    yield `${text.replace(/\/$/, "")}//x`;
    yield `${text}/../x`;
    yield `${text}/.`;
    yield `${text}/%2Fx`;
    yield text.replace(/(?<=.)\//, "%2F");
    yield `${text}%41`;
    yield `/%2e${text}`;
  }
}
