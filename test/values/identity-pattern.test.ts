import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identityPatternFault, identityPatternRisk, matchesIdentity } from "#values";

const RELEASE = "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*";

const matches: readonly (readonly [claim: string, pattern: string, identity: string, fits: boolean])[] = [
  ["a pattern without stars fits itself", "ci@acme.example", "ci@acme.example", true],
  ["the start is fixed", "acme.example/x", "evil/acme.example/x", false],
  ["the end is fixed", "https://acme.example/x", "https://acme.example/x.evil", false],
  ["a dot is a dot", "https://github.com/acme", "https://githubXcom/acme", false],
  ["case counts", "https://github.com/Acme", "https://github.com/acme", false],
  ["a star is any text", RELEASE, "https://github.com/acme/mesh/.github/workflows/release.yml@refs/tags/v1.2.3", true],
  ["a star may be no text", "v*", "v", true],
  ["a star ends at a slash", "https://github.com/acme/*", "https://github.com/acme/mesh/x", false],
  ["a branch of another workflow does not look like a tag of this one", RELEASE, "https://github.com/acme/mesh/.github/workflows/any.yml@refs/heads/release.yml@refs/tags/v1", false],
  ["a branch with the whole path in its name does not either", RELEASE, "https://github.com/acme/mesh/.github/workflows/any.yml@refs/heads/x/.github/workflows/release.yml@refs/tags/v1", false],
  ["two stars go over slashes", "https://github.com/acme/**", "https://github.com/acme/mesh/x", true],
  ["two stars are no stars where nothing stands", "a**b", "ab", true],
  ["three stars are two", "a***b", "a/x/b", true],
  ["a question mark is one character", "v?", "v1", true],
  ["a question mark is not none", "v?", "v", false],
  ["a question mark is no slash", "v?", "v/", false],
  ["a character beyond the first plane is one", "v?", "v😀", true],
  ["a line break is text", "a*c", "a\nc", true],
  ["stars go back where the first try fails", "*ab*ab", "aabxabab", true],
  ["an identity that is too long fits nothing", "**a**", "a".repeat(4097), false],
];

const faults: readonly (readonly [pattern: string, fault: string | undefined])[] = [
  [RELEASE, undefined],
  ["*@acme.example", undefined],
  ["https://github.com/acme/mesh/.github/workflows/release.yml@refs/tags/v1.*", undefined],
  ["ci+wasm@acme.example", undefined],
  ["", "is empty"],
  ["^https://x$", "holds `^`"],
  ["https://x/.*", "holds `.*`"],
  ["https://x/.+", "holds `.+`"],
  ["https://x\\.example", "holds `\\`"],
  ["https://(a|b)", "holds `(`"],
  ["https://**", "fits everybody"],
  ["*", "fits everybody"],
  ["*@*.*", "holds `.*`"],
  ["x".repeat(513), "is longer than 512"],
];

const risks: readonly (readonly [pattern: string, risk: string | undefined])[] = [
  [RELEASE, undefined],
  ["https://github.com/acme/mesh/.github/workflows/release.yml@refs/heads/main", undefined],
  ["*@acme.example", undefined],
  ["https://github.com/acme/mesh/.github/workflows/release.yml@*", "any branch"],
  ["https://github.com/acme/mesh/.github/workflows/*", "any branch"],
  ["https://github.com/acme/mesh/.github/workflows/release.yml@refs/heads/*", "any branch"],
  ["https://github.com/acme/**@refs/tags/*", "fits branches"],
  ["https://gitlab.com/acme/mesh//.gitlab-ci.yml@**", "any branch"],
];

describe("a pattern for identities", () => {
  for (const [claim, pattern, identity, fits] of matches) {
    it(claim, () => {
      expect(matchesIdentity(pattern, identity)).toBe(fits);
    });
  }

  it("answers as a plain reading by words does", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "/", "b"), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "/", "b", "*", "?"), maxLength: 8 });
    fc.assert(fc.property(pattern, text, (written, identity) => matchesIdentity(written, identity) === plainly(written, identity)), { numRuns: 2000 });
  });

  it("costs no more than its length times that of the identity", () => {
    expect(matchesIdentity("**a".repeat(170), "a".repeat(4095) + "b")).toBe(false);
  });

  for (const [pattern, fault] of faults) {
    it(`\`${pattern.slice(0, 40)}\` ${fault === undefined ? "can be used" : `is refused: it ${fault}`}`, () => {
      const found = identityPatternFault(pattern);
      if (fault === undefined) expect(found).toBeUndefined();
      else expect(found).toContain(fault);
    });
  }

  for (const [pattern, risk] of risks) {
    it(`\`${pattern}\` ${risk === undefined ? "lets nobody else sign" : `is told apart: ${risk}`}`, () => {
      const found = identityPatternRisk(pattern);
      if (risk === undefined) expect(found).toBeUndefined();
      else expect(found?.risk).toContain(risk);
    });
  }
});

/** Tries every way. */
function plainly(pattern: string, identity: string): boolean {
  if (pattern === "") return identity === "";
  const [first = "", ...rest] = pattern;
  if (first === "*") {
    const isDouble = pattern.startsWith("**");
    const after = isDouble ? pattern.replace(/^\*+/, "") : rest.join("");
    const most = isDouble || !identity.includes("/") ? identity.length : identity.indexOf("/");
    return Array.from({ length: most + 1 }, (_, length) => identity.slice(length)).some((left) => plainly(after, left));
  }
  if (identity === "" || (first === "?" ? identity.startsWith("/") : !identity.startsWith(first))) return false;
  return plainly(rest.join(""), identity.slice(1));
}
