/**
 * Strings of bytes.
 *
 * Proxies route on bytes, so the languages of this folder are sets of byte strings. A byte string is held as a JavaScript string whose
 * characters are all below U+0100: for ASCII text that is the text itself, and V8 stores it in one byte a character.
 *
 * @module
 */

/** A string of characters below U+0100, one for each byte. */
export type Bytes = string;

const SMUGGLED = 0xdc00;

/** The bytes of a text: UTF-8, with the lone surrogates U+DC80 to U+DCFF standing for the single bytes 0x80 to 0xFF. */
export function toBytes(text: string): Bytes {
  if (isAscii(text)) return text;
  let bytes = "";
  for (const character of text) bytes += encode(character.codePointAt(0) ?? 0);
  return bytes;
}

/** The text of some bytes; the inverse of {@link toBytes}. */
export function toText(bytes: Bytes): string {
  if (isAscii(bytes)) return bytes;
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(SMUGGLED + bytes.charCodeAt(at));
      at += 1;
    } else {
      text += String.fromCodePoint(decode(bytes, at, length));
      at += length;
    }
  }
  return text;
}

/** The code points of some bytes, or undefined where they are not valid UTF-8. */
export function codePointsOf(bytes: Bytes): number[] | undefined {
  const points: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return undefined;
    points.push(decode(bytes, at, length));
    at += length;
  }
  return points;
}

/** UTF-8 of one code point. Surrogates that stand for no byte get the three bytes they would have in generalised UTF-8. */
function encode(point: number): Bytes {
  if (point < 0x80) return String.fromCharCode(point);
  if (point > SMUGGLED + 0x7f && point <= SMUGGLED + 0xff) return String.fromCharCode(point - SMUGGLED);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), tail(point));
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), tail(point >> 6), tail(point));
  return String.fromCharCode(0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point));
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** Length of the valid UTF-8 sequence at `at`, 0 where there is none. Overlong forms, surrogates and points above U+10FFFF are not valid. */
function sequenceLength(bytes: Bytes, at: number): number {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0;
  for (let offset = 1; offset < length; offset++) {
    if ((bytes.charCodeAt(at + offset) & 0xc0) !== 0x80) return 0;
  }
  const point = decode(bytes, at, length);
  const smallest = length === 4 ? 0x10000 : length === 3 ? 0x800 : 0x80;
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return point < smallest || point > 0x10ffff || isSurrogate ? 0 : length;
}

function decode(bytes: Bytes, at: number, length: number): number {
  const first = bytes.charCodeAt(at);
  if (length === 1) return first;
  let point = first & (0xff >> (length + 1));
  for (let offset = 1; offset < length; offset++) point = (point << 6) | (bytes.charCodeAt(at + offset) & 0x3f);
  return point;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** ASCII letters in lower case, everything else as it is. */
export function lowerAscii(bytes: Bytes): Bytes {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes.charCodeAt(at);
    if (byte >= 0x41 && byte <= 0x5a) return lowerFrom(bytes, at);
  }
  return bytes;
}

function lowerFrom(bytes: Bytes, start: number): Bytes {
  let lower = bytes.slice(0, start);
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes.charCodeAt(at);
    lower += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte);
  }
  return lower;
}
