import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { CollectError } from "./errors.ts";

/** Whatever survives `JSON.stringify` unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Canonical JSON (RFC 8785): equal values give equal text. Throws on what JSON cannot say (a function, `NaN`, a cycle). */
export function canonical(value: unknown): string {
  const text = canonicalText(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return text;
}

function canonicalText(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch (error) {
    if (isUnicode(value)) throw error;
    throw new CollectError("an object holds text that is no Unicode (half of a surrogate pair)", { remedy: "find the object, and correct it" });
  }
}

/** Whether every text in a value, keys included, has a form in UTF-8. Servers of Kubernetes refuse others; a stranger's file may hold them. */
export function isUnicode(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isUnicode);
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && isUnicode(item));
}

/** Lower-case hexadecimal SHA-256 of UTF-8 text, whole or in parts that follow each other and split no character. */
export function sha256(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** SHA-256 and length of bytes that stand in base64, whatever its alphabet; undefined where it is none. */
export function digestOfBase64(text: string): { readonly sha256: string; readonly size: number } | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
}

/** SHA-256 of the canonical JSON of a value. */
export function digestOf(value: unknown): string {
  return sha256(canonical(value));
}

/** Byte order of the UTF-16 units: the one order used wherever output is sorted (never the locale's). */
export function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
