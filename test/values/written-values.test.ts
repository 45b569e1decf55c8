import { describe, expect, it } from "vitest";
import { isBelow, matchesGlob, objectPathText, parseDuration, parseObjectPath, parseQuantity, parseStructured, quantityText } from "#values";

describe("a quantity", () => {
  const same = [
    ["1000m", "1"],
    ["1", 1],
    ["0.5", "500m"],
    ["1Gi", "1073741824"],
    ["1Gi", "1048576Ki"],
    ["1e3", "1k"],
    ["1E", "1000P"],
    ["0", "0Gi"],
    ["1.50", "1500m"],
    ["-1", "-1000m"],
    [".5", "500m"],
  ] as const;
  for (const [left, right] of same) {
    it(`is one number as \`${left}\` and \`${right}\``, () => {
      const [a, b] = [parseQuantity(left), parseQuantity(right)];
      expect(a && quantityText(a)).toBeDefined();
      expect(a && quantityText(a)).toBe(b && quantityText(b));
    });
  }

  const different = [["1G", "1Gi"], ["1m", "1M"], ["1", "1.0000000001"]] as const;
  for (const [left, right] of different) {
    it(`is two numbers as \`${left}\` and \`${right}\``, () => {
      const [a, b] = [parseQuantity(left), parseQuantity(right)];
      expect(a && quantityText(a)).not.toBe(b && quantityText(b));
    });
  }

  for (const text of ["", "m", "1x", "1mm", "1 Gi", "0x10", "1e9999", "1.2.3", "NaN", "Infinity", `${"9".repeat(65)}`]) {
    it(`is not \`${text}\``, () => expect(parseQuantity(text)).toBeUndefined());
  }
});

describe("a duration", () => {
  const rows = [
    ["60s", 60_000_000_000n],
    ["1m", 60_000_000_000n],
    ["1h30m", 5_400_000_000_000n],
    ["1.5s", 1_500_000_000n],
    ["0", 0n],
    ["100ms", 100_000_000n],
    ["-2s", -2_000_000_000n],
    ["1µs", 1000n],
    ["60", undefined],
    ["1d", undefined],
    ["s", undefined],
    ["1 s", undefined],
    ["", undefined],
  ] as const;
  for (const [text, wanted] of rows) it(`\`${text}\` is ${wanted === undefined ? "none" : `${wanted} ns`}`, () => expect(parseDuration(text)).toBe(wanted));
});

describe("a glob", () => {
  const rows = [
    ["*", "", true],
    ["istio-*", "istio-system", true],
    ["istio-*", "kube-system", false],
    ["*.istio.io", "a.istio.io", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a*b*c", "a--b--b--c", true],
    ["a.c", "abc", false],
    ["[ab]", "a", false],
  ] as const;
  for (const [pattern, text, wanted] of rows) it(`\`${pattern}\` ${wanted ? "matches" : "does not match"} \`${text}\``, () => expect(matchesGlob(pattern, text)).toBe(wanted));
});

describe("a path into an object", () => {
  const rows = [
    ["spec.mtls.mode", ["spec", "mtls", "mode"]],
    ["spec.servers[*].hosts", ["spec", "servers", "*", "hosts"]],
    ["spec.http[0]", ["spec", "http", "0"]],
    ['metadata.annotations["a.b/c"]', ["metadata", "annotations", "a.b/c"]],
    ["data['root-cert.pem']", ["data", "root-cert.pem"]],
    ["", undefined],
    [".spec", undefined],
    ["spec.", undefined],
    ["spec..a", undefined],
    ["spec[", undefined],
    ["spec[a]", undefined],
    ["a b", undefined],
  ] as const;
  for (const [text, wanted] of rows) {
    it(`\`${text}\` ${wanted === undefined ? "is refused" : "is read, and written the same"}`, () => {
      expect(parseObjectPath(text)).toEqual(wanted);
      if (wanted !== undefined) expect(parseObjectPath(objectPathText(wanted))).toEqual(wanted);
    });
  }

  it("lies below a pattern whose stars stand for its keys", () => {
    expect(isBelow(["spec", "*", "image"], ["spec", "3", "image"])).toBe(true);
    expect(isBelow(["spec"], ["spec", "a"])).toBe(true);
    expect(isBelow(["spec", "a"], ["spec"])).toBe(false);
  });
});

describe("a text that holds YAML or JSON", () => {
  it("is read as Kubernetes tools do", () => expect(parseStructured("a: yes\nb: [1, '1']\n")).toEqual({ a: true, b: [1, "1"] }));
  for (const [word, value] of [["1:30", "1:30"], ["2020-01-01", "2020-01-01"], ["010", 8], ["1e3", 1000], ["0x1F", 31], ["1_000", 1000], ["NO", false], ["~", null], ["'1'", "1"], ["1.10", 1.1]] as const) {
    it(`reads \`${word}\` as ${JSON.stringify(value)}, as kubectl does`, () => expect(parseStructured(`a: ${word}\n`)).toEqual({ a: value }));
  }
  for (const [word, value] of [["yes", "yes"], ["on", "on"], ["true", true], ["True", true], ["010", "010"], ["1.10", "1.10"], ["1.1", 1.1], ["1e3", "1e3"], ["7", 7], ["~", null], ["1:30", "1:30"]] as const) {
    it(`leaves \`${word}\` as ${JSON.stringify(value)} where nobody knows who reads it`, () => expect(parseStructured(`a: ${word}\n`, "unknown")).toEqual({ a: value }));
  }
  it("may repeat what it named", () => expect(parseStructured("a: &x { b: 1 }\nc: *x\n")).toEqual({ a: { b: 1 }, c: { b: 1 } }));
  for (const [what, text] of [
    ["a word", "hello"],
    ["a document that contains itself", "&a [*a]"],
    ["a broken one", "a: [1"],
    ["two documents", "a: 1\n---\nb: 2\n"],
    ["one that is not finite", "a: .inf"],
    ["one that aliases blow up", `${"abcdefghijk".split("").map((key, index, keys) => `${key}: &${key} [${index === 0 ? "1" : Array(9).fill(`*${keys[index - 1]}`).join(",")}]`).join("\n")}\n`],
  ] as const) {
    it(`is not ${what}`, () => expect(parseStructured(text)).toBeUndefined());
  }
});
