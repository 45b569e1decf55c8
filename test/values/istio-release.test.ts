import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareReleases, istioBuildText, parseIstioRelease, parseReleaseNumber } from "#values";

const release = { major: 1, minor: 28, patch: 5, variants: [], fips: false };

const tags: readonly (readonly [tag: string, parts: object, build: string])[] = [
  ["1.28.5", {}, "1.28.5"],
  ["v1.28.5", {}, "1.28.5"],
  ["1.28.5-distroless", { variants: ["distroless"] }, "1.28.5"],
  ["1.28.5-debug", { variants: ["debug"] }, "1.28.5"],
  ["1.28.5-fips-distroless", { variants: ["distroless"], fips: true }, "1.28.5"],
  ["1.28.5-alpha.1", { pre: "alpha.1" }, "1.28.5-alpha.1"],
  ["1.28.5-rc.0-distroless", { pre: "rc.0", variants: ["distroless"] }, "1.28.5-rc.0"],
  ["1.28.5-dev", { pre: "dev" }, "1.28.5-dev"],
  ["1.28.5-asm.9", { vendor: "asm", build: "9" }, "1.28.5-asm.9"],
  ["1.28.5-asm.9-distroless", { vendor: "asm", build: "9", variants: ["distroless"] }, "1.28.5-asm.9"],
  ["v1.28.5-2", { vendor: "packaging", build: "2" }, "1.28.5-2"],
  ["v1.28.5-hotfix.20240626", { vendor: "hotfix", build: "20240626" }, "1.28.5-hotfix.20240626"],
  ["1.28.5-tetrate-v0", { vendor: "tetrate", build: "v0" }, "1.28.5-tetrate.v0"],
  ["1.28.5-tetratefips-v0", { vendor: "tetratefips", build: "v0", fips: true }, "1.28.5-tetratefips.v0"],
  ["1.28.5-solo", { vendor: "solo" }, "1.28.5-solo"],
  ["1.28.5-solo-fips-distroless", { vendor: "solo", fips: true, variants: ["distroless"] }, "1.28.5-solo"],
];

const foreign = [
  "", "latest", "auto", "1.28", "1.28.5.1", "v", "01.28.5", "1.28.05", "1.28.5-", "-1.28.5", "1.28.5--1", "1.28.5-mycorp.3", "1.28.5-rc", "1.28.5-rc.x",
  "1.28.5-distroless-1", "1.28.5-asm.9.1.2.3", "1.28-alpha.0123456789abcdef", "1.28.5+build", " 1.28.5", "1.28.5\n", "1.28.5-asm.", "1234567.1.1", "main-20260101",
];

describe("the tag of an Istio proxy image", () => {
  for (const [tag, parts, build] of tags) {
    it(`\`${tag}\` is read as its release, vendor and variant`, () => {
      const read = parseIstioRelease(tag);
      expect(read).toEqual({ ...release, ...parts });
      expect(read && istioBuildText(read)).toBe(build);
    });
  }

  for (const tag of foreign) {
    it(`${JSON.stringify(tag)} names no release, and none is guessed`, () => {
      expect(parseIstioRelease(tag)).toBeUndefined();
    });
  }

  it("of a rebuild is as old as its release, not older as semver has it", () => {
    const plain = parseReleaseNumber("1.28.5");
    for (const tag of ["1.28.5-asm.9", "v1.28.5-1"]) {
      const rebuilt = parseIstioRelease(tag);
      expect(plain && rebuilt && compareReleases(plain, rebuilt)).toBe(0);
    }
  });

  it("keeps its build and its meaning when the build text is read again", () => {
    for (const [tag] of tags) {
      const read = parseIstioRelease(tag);
      const again = read && parseIstioRelease(istioBuildText(read));
      expect(again && istioBuildText(again)).toBe(read && istioBuildText(read));
    }
  });

  it("never throws and never reads a number that does not stand in it", () => {
    const part = fc.constantFrom("1", "28", "5", ".", "-", "v", "asm", "rc", "tetrate", "fips", "distroless", "0", "\n", "é");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }).map((parts) => parts.join("")), (tag) => {
        const read = parseIstioRelease(tag);
        if (read !== undefined) expect(tag.replace(/^v/, "")).toMatch(new RegExp(`^${read.major}[.]${read.minor}[.]${read.patch}(-|$)`));
      }),
      { verbose: true },
    );
  });
});

describe("release numbers", () => {
  const older: readonly (readonly [string, string])[] = [
    ["1.31.9", "1.31.10"],
    ["1.9.0", "1.10.0"],
    ["1.99.99", "2.0.0"],
    ["1.37.9", "1.38.0"],
  ];
  for (const [left, right] of older) {
    it(`${left} is older than ${right}`, () => {
      const [a, b] = [parseReleaseNumber(left), parseReleaseNumber(right)];
      expect(a && b && compareReleases(a, b)).toBeLessThan(0);
      expect(a && b && compareReleases(b, a)).toBeGreaterThan(0);
    });
  }
});
