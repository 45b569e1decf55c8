import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";
import { type Listener, resolve } from "#routes";
import { seed } from "../../support/seed.ts";

type Text = "utf-8" | "bytes";

/** Whether a header value is in the language of a pattern; undefined where the pattern is refused. */
function matches(pattern: string, value: string, regexText: Text = "utf-8"): boolean | undefined {
  const origin = { object: "r", path: "" };
  const forward = { type: "forward" as const, destinations: [{ host: "x", port: 80, weight: 1 }] };
  const listener: Listener = {
    otherwise: { type: "close" },
    chains: [{ when: {}, origin, then: {
      type: "http", reading: { headerLines: "each", regexText }, pathNormalization: "none", ignorePort: true, scheme: { from: "connection", default: "http" }, otherwise: { type: "notFound" },
      virtualHosts: [{ domains: ["*"], rules: [{ when: { headers: [{ name: "x", match: { kind: "regex", pattern } }] }, action: forward, origin }] }],
    } }],
  };
  const { effect } = resolve(listener, { method: "GET", scheme: "http", authority: "a", path: "/", headers: [["x", value]] });
  return effect.type === "invalid" ? undefined : effect.type === "forward";
}

/** The bytes of a text as characters below U+0100: what RE2 reads in Latin-1 mode. */
const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

function oracle(pattern: string, value: string, text: Text): boolean | undefined {
  const read = text === "bytes" ? latin1 : (plain: string): string => plain;
  try {
    return RE2JS.compile(read(pattern)).matches(read(value));
  } catch {
    return undefined;
  }
}

const patterns = [
  "", "a", "a|b", "(?:a|ab)(?:c|bcd)", "^a$", "a^b", "$", "(^|a)b", "a*", "a+?", "a??b", "(a*)*", "(a|b)*a(a|b){3}", "a{0}", "a{2}", "a{2,}", "a{1,2}?", "a{,2}", "a{02}", "x{", "[ab]", "[^ab]", "[]a]", "[^]a]", "[a-]", "[a\\-z]",
  ".", ".*", "(?s).", "(?i)k", "(?i)[k-l]", "(?i)S", "(?i:a)b", "(?-i)a", "(?i)é", "é", "[é]", "\\x{e9}", "\\xe9", "\\351", "\\d", "\\D", "\\w\\W", "\\s", "\\S", "\\pL", "\\PL", "\\p{Greek}", "\\p{^Greek}", "[\\pL]", "[^\\d]", "[[:alpha:]]", "[[:^alpha:]]", "[[:word:]]",
  "\\Qa.b\\E", "\\Qa", "\\bab\\b", "a\\Bb", "\\Aa\\z", "(?m)^a$", "(?P<n>a)", "(?<n>a)b", "()", "(|a)", "a||b", "\\a", "\\t", "\\.", "\\*", "(?U)a+", "a**", "a{2}{3}", "(", ")", "[", "a\\", "\\Z", "\\h", "(?=a)", "\\1", "[b-a]", "[a-\\d]", "\\p{Letter}", "*a", "a{1001}", "(a{100}){11}", "(?z)", "(?P<n>a)(?P<n>b)",
];
const values = ["", "a", "b", "ab", "abc", "abcd", "aab", "aa", "aaa", "a.b", "A", "k", "K", "\u212a", "s", "\u017f", "é", "É", "aéb", "α", "ω", "1", "_", "-", " ", "\t", "]", "^", "a{,2}", "x{", "a{02}", "日", "😀", "ac", "abcd", "aabb"];

describe("a regex", () => {
  for (const text of ["utf-8", "bytes"] as const) {
    it(`means what RE2 makes of it, read as ${text}`, { timeout: 60_000 }, () => {
      for (const pattern of patterns) for (const value of values) expect([pattern, value, matches(pattern, value, text)]).toEqual([pattern, value, oracle(pattern, value, text)]);
    });
  }

  it("means what RE2 makes of it, for patterns made at random", { timeout: 60_000 }, () => {
    const leaf = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "\\b", "\\B", "^", "$", "é", "(?i:k)", "\\d", "", "[a-c]", "\\W");
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => one + other),
        fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => `(${one}|${other})`),
        fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "*?", "{2}", "{1,2}", "{0,1}")).map(([one, repeat]) => `(?:${one})${repeat}`),
      ),
    }));
    const value = fc.string({ unit: fc.constantFrom("a", "b", "c", "é", "K", "\u212a", "1", "-"), maxLength: 6 });
    fc.assert(fc.property(pattern, value, fc.constantFrom("utf-8" as const, "bytes" as const), (one, subject, text) => matches(one, subject, text) === oracle(one, subject, text)), { numRuns: 3000, seed: seed("regex") });
  });

  const edges = [
    { name: "of `\\C` takes one byte, which C++ knows alone", pattern: "a\\Cb", value: "a\udc80b", wanted: true },
    { name: "of code points takes no stray byte", pattern: "a.b", value: "a\udc80b", wanted: false },
    { name: "of bytes takes a stray byte", pattern: "a.b", value: "a\udc80b", text: "bytes" as const, wanted: true },
  ];
  for (const { name, pattern, value, text, wanted } of edges) it(name, () => expect(matches(pattern, value, text)).toBe(wanted));
});
