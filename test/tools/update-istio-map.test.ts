import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { istioMapEntriesOf } from "#values";
import { envoyOf, isCovered, mapText, type Read } from "../../tools/update-istio-map.ts";
import { root } from "../support/room.ts";

const proxy = "1".repeat(40);
const envoy = "2".repeat(40);
const files: Readonly<Record<string, string>> = {
  "istio/istio 1.31.0 istio.deps": JSON.stringify([{ name: "TOOLS" }, { name: "PROXY_REPO_SHA", lastStableSHA: proxy }]),
  [`istio/proxy ${proxy} WORKSPACE`]: `# ENVOY_SHA = "no"\nENVOY_SHA = "${envoy}"\n\nENVOY_ORG = "istio"\n`,
  [`istio/envoy ${envoy} VERSION.txt`]: "1.39.2-dev\n",
};

function reading(changes: Readonly<Record<string, string | undefined>> = {}): Read {
  const all: Readonly<Record<string, string | undefined>> = { ...files, ...changes };
  return (repository, revision, path) => Promise.resolve(all[`${repository} ${revision} ${path}`]);
}

describe("the row of an Istio release", () => {
  it("is found by following the commits that its build pins, in the fork that it names", async () => {
    expect(await envoyOf("1.31.0", reading())).toBe("1.39.2");
  });

  const broken: readonly (readonly [name: string, changes: Readonly<Record<string, string | undefined>>, words: RegExp])[] = [
    ["the tag has no istio.deps", { "istio/istio 1.31.0 istio.deps": undefined }, /istio\/istio has no istio\.deps at 1\.31\.0/],
    ["istio.deps pins no proxy", { "istio/istio 1.31.0 istio.deps": "[]" }, /names no PROXY_REPO_SHA/],
    ["WORKSPACE pins no Envoy", { [`istio/proxy ${proxy} WORKSPACE`]: 'ENVOY_SHA = "main"' }, /names no ENVOY_SHA/],
    ["Envoy names no release", { [`istio/envoy ${envoy} VERSION.txt`]: "soon" }, /says `soon`, which is no release/],
  ];
  for (const [name, changes, words] of broken) {
    it(`is not guessed where ${name}`, async () => {
      await expect(envoyOf("1.31.0", reading(changes))).rejects.toThrow(words);
    });
  }
});

describe("values/istio-envoy-map.json", () => {
  it("stands as the update writes it", () => {
    const text = readFileSync(join(root, "values/istio-envoy-map.json"), "utf8");
    expect(mapText(new Map(istioMapEntriesOf(JSON.parse(text)).map(({ istio, envoy: numbers }) => [istio, numbers])))).toBe(text);
  });

  it("covers releases and late pre-releases of Istio since 1.18", () => {
    const tags = ["1.18.0", "1.31.0-rc.0", "1.17.8", "1.31.0-alpha.1", "v1.31.0", "1.31.0-asm.1", "1.31-dev"];
    expect(tags.filter(isCovered)).toEqual(["1.18.0", "1.31.0-rc.0"]);
  });
});
