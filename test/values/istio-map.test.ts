import { describe, expect, it } from "vitest";
import { envoyNumbersOf, envoyVersionOfBuild, istioMap, istioMapEntriesOf, newestOf, parseEnvoyVersion, parseIstioRelease, parseReleaseNumber, releaseText, type IstioMap } from "#values";

function row(istio: string, ...envoy: readonly string[]) {
  return { istio, envoy };
}

function numbers(tag: string, map: IstioMap): string | undefined {
  const release = parseIstioRelease(tag);
  const found = release && envoyNumbersOf(release, map);
  return found && `${found.numbers.map(releaseText).join(" or ")}${found.upstream ? " (upstream)" : ""}`;
}

describe("the map from Istio to Envoy", () => {
  const own: readonly (readonly [tag: string, expected: string | undefined])[] = [
    ["1.27.1", "1.35.2"],
    ["v1.29.2", "1.37.2"],
    ["1.29.2-distroless", "1.37.2"],
    ["1.24.0", "1.32.1 or 1.32.2"],
    ["1.28.5-asm.9", "1.36.5 (upstream)"],
    ["v1.29.2-1", "1.37.2 (upstream)"],
    ["1.31.0-rc.0", "1.39.1"],
    ["1.31.0", undefined],
    ["1.18.4", undefined],
  ];
  for (const [tag, expected] of own) {
    it(`gives ${expected ?? "nothing"} for \`${tag}\``, () => {
      expect(numbers(tag, istioMap())).toBe(expected);
    });
  }

  it("holds to the line rule: an Envoy minor is the Istio minor plus eight", () => {
    for (const [istio, { envoy }] of istioMap()) {
      for (const number of envoy) expect([istio, parseReleaseNumber(number)?.minor]).toEqual([istio, (parseIstioRelease(istio)?.minor ?? 0) + 8]);
    }
  });

  it("lets a row of the fleet settle an open one, add a release, and name a vendor's own number", () => {
    const map = istioMap(istioMapEntriesOf([row("1.24.0", "1.32.2"), row("1.31.0", "1.39.1-dev"), row("v1.28.5-asm.9", "1.36.6")]));
    expect(["1.24.0", "1.31.0", "1.28.5-asm.9", "1.28.5-asm.4"].map((tag) => numbers(tag, map))).toEqual(["1.32.2", "1.39.1", "1.36.6", "1.36.5 (upstream)"]);
  });

  it("knows its newest release, and does not take a pre-release for one", () => {
    expect(newestOf(istioMap())).toBe("1.30.3");
  });

  const refused: readonly (readonly [value: unknown, words: RegExp])[] = [
    [{}, /no list/],
    ["x", /no list/],
    [null, /no list/],
    [["1.29.2"], /no `istio`, or no list `envoy`; write rows such as/],
    [[{ istio: "1.29.2", envoy: "1.37.2" }], /no list `envoy`/],
    [[{ istio: 1.29, envoy: ["1.37.2"] }], /no `istio`/],
    [[row("latest", "1.37.2")], /`latest` is no Istio release/],
    [[row("1.29.2", "1.37")], /`1.29.2` names an Envoy that is no release/],
    [[{ istio: "1.29.2", envoy: [137] }], /`1.29.2` names an Envoy that is no release/],
    [[row("1.29.2")], /has 0 Envoy numbers/],
    [[row("1.29.2", "1.37.2", "1.38.0")], /lines 1.37 and 1.38/],
    [[row("1.29.2", "1.37.2"), row("v1.29.2", "1.37.3")], /`1.29.2` stands in the file twice/],
  ];
  for (const [value, words] of refused) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      expect(() => istioMapEntriesOf(value)).toThrow(words);
    });
  }
});

describe("what an Envoy says of itself", () => {
  it("is read with and without `-dev`, which count as the same number", () => {
    expect(parseEnvoyVersion("1.37.2-dev")).toEqual({ major: 1, minor: 37, patch: 2, dev: true });
    expect(parseEnvoyVersion("1.37.2")).toEqual({ major: 1, minor: 37, patch: 2, dev: false });
    expect(parseEnvoyVersion("1.37.2-rc1")).toBeUndefined();
  });

  const builds: readonly (readonly [build: string, version: string | undefined])[] = [
    ["af30be60b7bba3ea/1.37.2-dev/Clean/RELEASE/BoringSSL", "1.37.2-dev"],
    ["af30be60b7bba3ea/1.37.2/Clean/RELEASE/BoringSSL-FIPS", "1.37.2"],
    ["1.37.2-dev", undefined],
    ["af30/oops/Clean/RELEASE/BoringSSL", undefined],
    ["", undefined],
  ];
  for (const [build, version] of builds) {
    it(`is ${version ?? "unknown"} for the build \`${build}\``, () => {
      expect(envoyVersionOfBuild(build)).toBe(version);
    });
  }
});
