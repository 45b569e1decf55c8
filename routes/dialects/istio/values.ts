import { type Json, numberAt } from "./json.ts";

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, "μs": 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const step = /([0-9]*\.?[0-9]+|[0-9]+\.)(ns|us|µs|μs|ms|s|m|h)/y;

/** Most durations are a few digits and an `s`. */
function wholeSeconds(text: string): number | undefined {
  const last = text.length - 1;
  if (last < 1 || last > 6 || text.charCodeAt(last) !== 0x73) return undefined;
  let seconds = 0;
  for (let at = 0; at < last; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    seconds = seconds * 10 + digit;
  }
  return seconds * 1000;
}

/** Milliseconds of a duration as Go writes it (`1h2m3.5s`), or undefined when it is none. */
export function milliseconds(text: string): number | undefined {
  if (text === "") return undefined;
  const few = wholeSeconds(text);
  if (few !== undefined) return few;
  const sign = text.startsWith("-") ? -1 : 1;
  let from = /^[-+]/.test(text) ? 1 : 0;
  if (text.slice(from) === "0") return 0;
  if (from === text.length) return undefined;
  let total = 0;
  while (from < text.length) {
    step.lastIndex = from;
    const part = step.exec(text);
    if (part === null) return undefined;
    total += Number(part[1]) * (units[part[2] ?? ""] ?? 0);
    from = step.lastIndex;
  }
  // Nanoseconds are the smallest unit; sums of halves and thirds must not differ by a rounding error.
  return (sign * Math.round(total * 1e6)) / 1e6;
}

/** Millionths of a `Percent`, cut off as istiod does it (networking/core/route/route.go `translatePercentToFractionalPercent`). */
export function millionths(percent: Json): number {
  return Math.trunc(numberAt(percent, "value") * 10_000);
}

/** Bytes of a text in UTF-8; a lone surrogate stands for one byte. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 || (code >= 0xdc80 && code <= 0xdcff) ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The bytes of base64 text, standard or for URLs, each as a number. */
export function fromBase64(text: string): readonly number[] {
  const out: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text.replaceAll("-", "+").replaceAll("_", "/")) {
    const value = base64.indexOf(character);
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) out.push((held >> (bits -= 8)) & 0xff);
  }
  return out;
}

/** Bytes as the model writes them: valid UTF-8 as text, any other byte as a lone surrogate. */
export function toText(bytes: readonly number[]): string {
  let out = "";
  for (let i = 0; i < bytes.length; ) {
    const size = sequenceLength(bytes, i);
    if (size === 0) {
      out += String.fromCharCode(0xdc00 + (bytes[i++] ?? 0));
      continue;
    }
    let code = size === 1 ? (bytes[i] ?? 0) : (bytes[i] ?? 0) & (0xff >> (size + 1));
    for (let k = 1; k < size; k++) code = (code << 6) | ((bytes[i + k] ?? 0) & 0x3f);
    out += String.fromCodePoint(code);
    i += size;
  }
  return out;
}

/** Length of the valid UTF-8 sequence at `i`, or 0. */
function sequenceLength(bytes: readonly number[], i: number): number {
  const first = bytes[i] ?? 0;
  if (first < 0x80) return 1;
  const size = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
  for (let k = 1; k < size; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1] ?? 0;
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0;
  if ((first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0;
  return size;
}
