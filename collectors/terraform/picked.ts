import { digestOfBase64, sha256 } from "#engine";
import type { Allowed, InnerJson, Leaf } from "./allowed.ts";

/** What may be known of one object: a copy that holds nothing but allowed values of their own types. */
export type Picked = { readonly [attribute: string]: PickedValue };
type PickedValue = string | number | boolean | readonly string[] | readonly Picked[];

const NONE: Picked = Object.freeze({});
const LONGEST = 512;
const MOST = 1000;
const LARGEST_JSON = 4 << 20;

/**
 * Copies what is allowed. Blocks come as lists of objects, for Terraform keeps a single block as a list of one, as an object or not at all,
 * as the provider likes. A value of another type than expected is left out, as one that looks like a credential is.
 */
export function pick(attributes: unknown, allowed: Allowed): Picked {
  const picked: Record<string, PickedValue> = {};
  for (const [attribute, wanted] of Object.entries(allowed)) {
    const value = own(attributes, attribute);
    const found = value === undefined || value === null ? undefined : pickOne(value, wanted);
    if (found !== undefined) picked[attribute] = found;
  }
  return picked;
}

function pickOne(value: unknown, wanted: Leaf | Allowed): PickedValue | undefined {
  if (wanted === "text") return textOf(value);
  if (wanted === "number") return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
  if (wanted === "flag") return typeof value === "boolean" ? value : undefined;
  if (wanted === "host") return hostDigest(value);
  if (wanted === "certificate") return certificateDigest(value);
  if (wanted === "texts") return Array.isArray(value) ? value.slice(0, MOST).flatMap((item) => textOf(item) ?? []) : undefined;
  if (isInnerJson(wanted)) return [pick(parsed(value), wanted.json)];
  const blocks: readonly unknown[] = Array.isArray(value) ? value.slice(0, MOST) : [value];
  return blocks.filter((block) => typeof block === "object" && block !== null).map((block) => pick(block, wanted));
}

function isInnerJson(wanted: Allowed | InnerJson): wanted is InnerJson {
  return Object.hasOwn(wanted, "json");
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || value.length > LARGEST_JSON) return undefined;
  try {
    return JSON.parse(value);
  } catch {
    // Values of a chart may be cut or masked; the parser's words would quote them.
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= LONGEST && PLAIN.test(value) && !isCredential(value) ? value : undefined;
}

function hostDigest(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "" || value.length > LONGEST) return undefined;
  const host = value.includes("://") ? URL.parse(value)?.hostname : value;
  return host === undefined || host === "" ? undefined : sha256(host.toLowerCase());
}

const LONGEST_CERTIFICATE = 1 << 16;

/** Of exactly one certificate, in base64 around its own text form. */
function certificateDigest(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > LONGEST_CERTIFICATE || !/^[A-Za-z0-9+/\s]+=*\s*$/.test(value)) return undefined;
  const [, body, ...more] = Buffer.from(value, "base64").toString("latin1").split(/-----(?:BEGIN|END) CERTIFICATE-----/);
  const digest = body === undefined || more.length !== 1 ? undefined : digestOfBase64(body.replaceAll(/\s/g, ""));
  return digest === undefined || digest.size === 0 ? undefined : digest.sha256;
}

/** Names, versions and paths: no control characters, no lines, none of the marks in which messages quote them. */
const PLAIN = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}`]+$/u;

const CREDENTIALS: readonly RegExp[] = [/-----BEGIN /, /\beyJ[\w-]{10,}\./, /\b(?:AKIA|ASIA)[0-9A-Z]{16}/, /\bya29\./, /k8s-aws-v1\./, /client-key-data:/];

/** The second line of defence: a credential in an attribute that is none's place. */
function isCredential(text: string): boolean {
  return CREDENTIALS.some((pattern) => pattern.test(text));
}

/** The text under an attribute. */
export function text(picked: Picked, attribute: string): string | undefined {
  const value = picked[attribute];
  return typeof value === "string" ? value : undefined;
}

/** The number under an attribute. */
export function number(picked: Picked, attribute: string): number | undefined {
  const value = picked[attribute];
  return typeof value === "number" ? value : undefined;
}

/** True where the attribute says so. */
export function flag(picked: Picked, attribute: string): boolean {
  return picked[attribute] === true;
}

/** The texts under an attribute; undefined where there is no list at all. */
export function texts(picked: Picked, attribute: string): readonly string[] | undefined {
  const value = picked[attribute];
  return Array.isArray(value) ? value.filter((item: unknown) => typeof item === "string") : undefined;
}

/** The blocks under an attribute. */
export function blocks(picked: Picked, attribute: string): readonly Picked[] {
  const value = picked[attribute];
  return Array.isArray(value) ? value.filter((item: unknown): item is Picked => typeof item === "object") : [];
}

/** The first block under a path of attributes; an empty one where there is none. */
export function block(picked: Picked, ...path: readonly string[]): Picked {
  return path.reduce((here, attribute) => blocks(here, attribute)[0] ?? NONE, picked);
}

function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
