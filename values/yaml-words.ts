/** How untagged words and explicit tags are read. */
export type Dialect = "kubernetes" | "assert";

export type Scalar = string | number | boolean | null;

/** What a plain (unquoted) word means. */
export type ReadPlain = (word: string) => Scalar;

/**
 * YAML 1.2 core: what the documents of this project are written in. `yes` and `010` are the text and the number that they look like.
 */
export function readCore(word: string): Scalar {
  if (mayBeWord(word) && CORE_WORDS.has(word)) return CORE_WORDS.get(word) as Scalar;
  if (!mayBeNumber(word)) return word;
  if (/^[-+]?[0-9]+$/.test(word)) return Number.parseInt(word, 10);
  if (/^0o[0-7]+$/.test(word)) return Number.parseInt(word.slice(2), 8);
  if (/^0x[0-9a-fA-F]+$/.test(word)) return Number.parseInt(word.slice(2), 16);
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(word)) return finite(word, word);
  return word;
}

/**
 * As kubectl reads manifests (sigs.k8s.io/yaml over go.yaml.in/yaml/v2): YAML 1.1 words for booleans, octals with a leading zero,
 * underscores in numbers, no base 60, dates stay text.
 */
export function readKubernetes(word: string): Scalar {
  if (mayBeWord(word) && KUBERNETES_WORDS.has(word)) return KUBERNETES_WORDS.get(word) as Scalar;
  if (!mayBeNumber(word)) return word;
  if (word.startsWith(".")) return /^\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?$/.test(word) ? finite(word.replaceAll("_", ""), word) : word;
  const plain = word.replaceAll("_", "");
  return integer(plain, word) ?? float(plain, word);
}

function integer(plain: string, word: string): Scalar | undefined {
  const [, sign, prefix, digits] = /^([-+]?)(0[xX]|0[oO]|0[bB]|0(?=[0-7]))?([0-9a-fA-F]+)$/.exec(plain) ?? [];
  if (digits === undefined) return undefined;
  const base = BASES.get((prefix ?? "").toLowerCase()) ?? 10;
  if (!DIGITS[base]?.test(digits)) return undefined;
  const value = base === 10 ? Number(digits) : Number(BigInt(`${PREFIXES[base]}${digits}`));
  // Go falls back to a decimal reading (leading zero) or to text where a number in another base does not fit 64 bits.
  if (base !== 10 && value >= 2 ** 64) return base === 8 && /^[-+]?0[0-9]/.test(plain) ? Number(plain) : word;
  return sign === "-" ? 0 - value : value;
}

function float(plain: string, word: string): Scalar {
  return /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(plain) ? finite(plain, word) : word;
}

function finite(text: string, word: string): Scalar {
  const value = Number(text);
  return Number.isFinite(value) ? value : word;
}

/** Cheap, and true for every word of the tables: most words of a manifest need no look-up then. */
function mayBeWord(word: string): boolean {
  return word.length <= 5 && (word === "" || "~.+-nNyYtTfFoO".includes(word[0] as string));
}

function mayBeNumber(word: string): boolean {
  const first = word.charCodeAt(0);
  return (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
}

const BASES: ReadonlyMap<string, number> = new Map([
  ["0x", 16],
  ["0o", 8],
  ["0b", 2],
  ["0", 8],
]);
const DIGITS: Readonly<Record<number, RegExp>> = { 2: /^[01]+$/, 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^[0-9a-fA-F]+$/ };
const PREFIXES: Readonly<Record<number, string>> = { 2: "0b", 8: "0o", 16: "0x" };

const NULLS = ["", "~", "null", "Null", "NULL"];
const NOT_FINITE = [".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"];
const TRUE = ["true", "True", "TRUE"];
const FALSE = ["false", "False", "FALSE"];

/** Not a finite number: JSON has no word for it, so whoever reads it refuses it. */
const notFinite = Number.NaN;

const CORE_WORDS: ReadonlyMap<string, Scalar> = wordTable(TRUE, FALSE);
const KUBERNETES_WORDS: ReadonlyMap<string, Scalar> = wordTable(
  [...TRUE, "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"],
  [...FALSE, "n", "N", "no", "No", "NO", "off", "Off", "OFF"],
);

function wordTable(yes: readonly string[], no: readonly string[]): ReadonlyMap<string, Scalar> {
  const rows = (words: readonly string[], value: Scalar) => words.map((word) => [word, value] as const);
  return new Map([...rows(NULLS, null), ...rows(NOT_FINITE, notFinite), ...rows(yes, true), ...rows(no, false)]);
}
