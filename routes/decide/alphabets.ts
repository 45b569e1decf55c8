/**
 * Which strings can stand where in a request. A difference that only other strings would show is none.
 *
 * Of some places two languages are given: what may be sent perhaps, and what surely can be. Equality is proven over the first; a
 * difference counts when a request of the second shows it.
 *
 * @module
 */

import { DEAD, determinize, literal } from "../languages/automaton.ts";
import type { Automaton } from "../languages/automaton.ts";
import { compileRegex } from "../languages/program.ts";
import { parseRegex } from "../languages/re2-syntax.ts";

/** What may stand in a place, and what surely can. */
export interface Alphabet {
  readonly possible: Automaton;
  readonly sure: Automaton;
}

/** Automata are made when they are first asked for: most runs decide nothing that needs all of them. */
class Languages implements Alphabet {
  readonly #patterns: Readonly<Record<keyof Alphabet, string>>;
  #possible: Automaton | undefined;
  #sure: Automaton | undefined;

  constructor(possible: string, sure = possible) {
    this.#patterns = { possible, sure };
  }

  get possible(): Automaton {
    return (this.#possible ??= language(this.#patterns.possible));
  }

  get sure(): Automaton {
    return (this.#sure ??= language(this.#patterns.sure));
  }
}

/** The same for a language that stands alone. */
function once(make: () => Automaton): () => Automaton {
  let made: Automaton | undefined;
  return () => (made ??= make());
}

function language(pattern: string, reading: "bytes" | "utf-8" = "bytes"): Automaton {
  const parsed = parseRegex(pattern, reading);
  const program = parsed.ok ? compileRegex(parsed.regex, reading) : undefined;
  if (program === undefined) throw new Error(`\`${pattern}\` is no expression`);
  return determinize(program, pattern, 1000);
}

/** Every word but the empty one. */
export const notEmpty = once(() => language("(?s).+"));

/** An HTTP token. HTTP/1.1 refuses unknown methods, HTTP/2 lets any token through. CONNECT has no path and is not modelled. */
export const methods: Alphabet = new Languages("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

/** The method that is no part of the model. */
export const connect: Automaton = literal("CONNECT", "end");

/** A host in any case and a port: the second is what every client can send. */
export const authorities: Alphabet = new Languages("(?:[0-9A-Za-z._~%!$&'()*+,;=-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]*)?", "(?:[0-9A-Za-z._-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?");

/** A value of a parameter. Blanks and bytes from 0x80 pass in HTTP/2 only. */
export const parameters: Alphabet = new Languages("[ !\"$%'-~\\x80-\\xff]*", "[!\"$%'-~]*");

/** A whole query behind its `?`. */
export const queries: Alphabet = new Languages("[ -\"$-~\\x80-\\xff]*", "[!\"$-~]*");

/** A string in a claim: valid UTF-8. */
export const claimTexts = once(() => language("(?s).*", "utf-8"));

const EMPTY = 0;
const VISIBLE = 1;
const BLANK = 2;

/** A header line: no control character but the tab, and no blank around it. Bytes from 0x80 pass, valid UTF-8 or not. */
export const headerLine: Automaton = {
  start: EMPTY,
  classes: Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0x20 || byte === 0x09 ? 2 : byte > 0x20 && byte !== 0x7f ? 1 : 0)),
  specials: () => [],
  isNarrow: () => false,
  accepts: (state) => state !== BLANK,
  step(state, byte) {
    const letter = headerLine.classes[byte] ?? 0;
    if (letter === 0 || (letter === 2 && state === EMPTY)) return DEAD;
    return letter === 2 ? BLANK : VISIBLE;
  },
};

/** Headers that proxies write or take away themselves; what a table sees of them is not what the client sent. */
const written = new Set([
  "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-client-cert", "x-real-ip", "x-request-id", "forwarded", "via",
  "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "content-length", "expect", "trailer",
  "traceparent", "tracestate", "x-ot-span-context", "x-datadog-trace-id", "b3", "x-istio-attributes",
]);

/** Whether a client can send a header as it likes. */
export function isFree(name: string): boolean {
  return !written.has(name) && !name.startsWith("x-envoy-") && !name.startsWith("x-b3-") && !name.startsWith(":");
}

/** Headers of which Envoy keeps one line (its inline headers, header_map.h): it joins several with `,` before anything looks at them. */
const joined = new Set([
  "accept", "accept-encoding", "access-control-request-headers", "access-control-request-method", "access-control-request-private-network",
  "authorization", "cache-control", "content-encoding", "content-type", "grpc-accept-encoding", "grpc-timeout", "if-match", "if-modified-since",
  "if-none-match", "if-range", "if-unmodified-since", "origin", "pragma", "referer", "user-agent", "via", "x-client-trace-id",
  "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-request-id",
]);

/** Whether Envoy makes one line of several, whatever its release. */
export function isJoined(name: string): boolean {
  return joined.has(name);
}

/** Whether several lines of a header can arrive as several. */
export type Repeats = "never" | "perhaps" | "surely";

/** Of `cookie` HTTP/2 joins them, and HTTP/1 does not. */
export function repeatsOf(name: string): Repeats {
  return joined.has(name) ? "never" : name === "cookie" ? "perhaps" : "surely";
}
