import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** Whatever survives `JSON.stringify` unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Canonical JSON (RFC 8785): equal values give equal text. Throws on what JSON cannot say (a function, `NaN`, a cycle). */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return text;
}

/** Lower-case hexadecimal SHA-256 of UTF-8 text. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** SHA-256 of the canonical JSON of a value. */
export function digestOf(value: unknown): string {
  return sha256(canonical(value));
}

/** Byte order of the UTF-16 units: the one order used wherever output is sorted (never the locale's). */
export function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
