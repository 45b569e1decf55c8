import { distance } from "fastest-levenshtein";

/** The known word that was most likely meant, or undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const [best] = ranked;
  if (best === undefined) return undefined;
  const near = best.far <= Math.max(1, Math.floor(word.length / 3)) || (best.far === 2 && letters(best.candidate) === letters(word));
  return near ? best.candidate : undefined;
}

/** Equal for words with two letters swapped (`sepc`), the commonest slip, which counts as two changes. */
function letters(word: string): string {
  return [...word.toLowerCase()].sort().join("");
}
