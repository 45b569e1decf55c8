import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { digestOf, PluginError } from "#engine";
import { discover, kebab, pascal } from "../../cli/discover.ts";
import { folderOf, FRUIT, FRUIT_SCHEMA } from "./load/world.ts";

const none = { kinds: [], collectors: [] };
const kind = (name: string) => `export default { name: "${name}", summary: "s", needs: () => [], *judge() {} };`;
const collector = (name: string, fact: string) => `export default { name: "${name}", summary: "s", provides: ["${fact}"], async *collect() {} };`;

async function find(files: Readonly<Record<string, string>>, dirs: readonly string[]) {
  const folder = await folderOf(files);
  const leave = () => folder[Symbol.asyncDispose]();
  try {
    return { plugins: await discover(dirs, folder.path, none), [Symbol.asyncDispose]: leave };
  } catch (error) {
    await leave();
    throw error;
  }
}

describe("the names of kinds and of their folders", () => {
  it.each([
    ["EnvoyVersionSkew", "envoy-version-skew"],
    ["Expression", "expression"],
    ["HalProfileConforms", "hal-profile-conforms"],
    ["Http2Ready", "http2-ready"],
  ])("%s lives in %s", (name, folder) => {
    expect(kebab(name)).toBe(folder);
    expect(pascal(folder)).toBe(name);
  });
});

describe("built-in plug-ins", async () => {
  const plugins = await discover([]);

  it.each([...plugins.kinds.values()].map((found) => [found.name, found] as const))("%s can be loaded, has a schema that accepts an empty spec's defaults, and a README", async (name, found) => {
    expect((await found.kind()).name).toBe(name);
    expect((await found.schema())["additionalProperties"]).toBe(false);
    expect(await found.readme()).not.toBe("");
  });
});

describe("plug-ins of others", () => {
  it("a folder of plug-ins gives kinds and collectors", async () => {
    await using found = await find({ ...FRUIT, "kinds/README.md": "", "kinds/thermometer/collector.js": collector("thermometer", "heat") }, ["kinds"]);
    const { kinds, collectors } = found.plugins;
    expect([...kinds.keys()]).toEqual(["FruitFresh"]);
    expect((await kinds.get("FruitFresh")?.kind())?.summary).toBe("every fruit is fresh");
    expect(await kinds.get("FruitFresh")?.readme()).toBe("# FruitFresh\n");
    expect((await collectors()).map(({ name }) => name)).toEqual(["thermometer"]);
  });

  it("the folder of one plug-in may be named itself", async () => {
    await using found = await find(FRUIT, ["kinds/fruit-fresh"]);
    expect([...found.plugins.kinds.keys()]).toEqual(["FruitFresh"]);
    expect(found.plugins.kinds.get("FruitFresh")?.folder).toBe("kinds/fruit-fresh");
  });

  it("nothing is loaded before it is asked for", async () => {
    await using found = await find({ "kinds/sour/kind.js": "throw new Error('loaded')", "kinds/sour/schema.json": "{}" }, ["kinds"]);
    await expect(found.plugins.kinds.get("Sour")?.kind()).rejects.toThrow("`kinds/sour/kind.js` cannot be loaded: loaded");
  });

  const refused: readonly (readonly [claim: string, files: Readonly<Record<string, string>>, dirs: readonly string[], words: RegExp])[] = [
    ["a folder that is not there", {}, ["no"], /^`no` is no folder/],
    ["a file", { no: "" }, ["no"], /^`no` is no folder/],
    ["a stray file among plug-ins", { ...FRUIT, "kinds/notes.txt": "" }, ["kinds"], /^`kinds\/notes\.txt` is no plug-in/],
    ["a folder that is no plug-in", { ...FRUIT, "kinds/half/schema.json": "{}" }, ["kinds"], /^`kinds\/half` is no plug-in/],
    ["an empty folder", { "kinds/README.md": "" }, ["kinds"], /^`kinds` is no plug-in/],
    ["two kinds of one name", { "a/sour/kind.js": kind("Sour"), "b/sour/kind.js": kind("Sour") }, ["a", "b"], /^the kind `Sour` is provided twice: by `a\/sour` and by `b\/sour`/],
    ["a folder named otherwise than its kind", { "kinds/sour/kind.js": kind("Sweet") }, ["kinds"], /^`kinds\/sour` exports the kind `Sweet`, but its folder is named `sour` \(`sweet` is wanted\)/],
    ["a module without default export", { "kinds/sour/kind.js": "export const x = 1;" }, ["kinds"], /^`kinds\/sour` has no default export made with `defineKind`/],
    ["a kind that cannot judge", { "kinds/sour/kind.js": `export default { name: "Sour", summary: "", needs() {} };` }, ["kinds"], /^`kinds\/sour` exports a kind without `needs` or `judge`/],
    ["a collector that provides nothing", { "c/x/collector.js": `export default { name: "x", summary: "", collect() {} };` }, ["c"], /^`c\/x` exports a collector without `provides` or `collect`/],
    ["a collector of another name", { "c/x/collector.js": collector("y", "heat") }, ["c"], /^`c\/x` exports the collector `y`, but its folder is named `x`/],
    ["two collectors for one fact", { "c/x/collector.js": collector("x", "heat"), "c/y/collector.js": collector("y", "heat") }, ["c"], /^the fact `heat` is provided twice: by `c\/x` and by `c\/y`/],
    ["a schema that is no JSON", { "kinds/sour/kind.js": kind("Sour"), "kinds/sour/schema.json": "{" }, ["kinds"], /^`kinds\/sour\/schema\.json` is not JSON/],
    ["a schema that is no schema", { "kinds/sour/kind.js": kind("Sour"), "kinds/sour/schema.json": '{"type": "fruit"}' }, ["kinds"], /^a schema cannot be used/],
    ["a kind without schema", { "kinds/sour/kind.js": kind("Sour") }, ["kinds"], /^`kinds\/sour` has no readable `schema\.json`/],
  ];
  it.each(refused)("%s is refused", async (_, files, dirs, words) => {
    const error = await (async () => {
      await using found = await find(files, dirs);
      await found.plugins.collectors();
      for (const each of found.plugins.kinds.values()) {
        await each.kind();
        await each.validate({});
      }
      return undefined;
    })().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PluginError);
    expect((error as PluginError).message).toMatch(words);
    expect((error as PluginError).remedy).not.toBe("");
  });
});

/** A validator that finds nothing wrong, made for the schema of this digest. */
const lenient = (sha256: string) => `export const schemaSha256 = "${sha256}"; export default () => true;`;

describe("validators compiled ahead", () => {
  it("are used where they belong to the schema", async () => {
    await using found = await find({ ...FRUIT, "kinds/fruit-fresh/validate.generated.js": lenient(digestOf(FRUIT_SCHEMA)) }, ["kinds"]);
    expect(await found.plugins.kinds.get("FruitFresh")?.validate({ ripeness: "no" })).toEqual([]);
  });

  it("are not used for another schema than the one they were made for", async () => {
    await using found = await find({ ...FRUIT, "kinds/fruit-fresh/validate.generated.js": lenient(digestOf({})) }, ["kinds"]);
    expect(await found.plugins.kinds.get("FruitFresh")?.validate({ ripeness: "no" })).toHaveLength(1);
  });

  it("and all else that is generated is as `npm run generate` writes it", async () => {
    const root = join(import.meta.dirname, "../..");
    await expect(promisify(execFile)(process.execPath, [join(root, "tools/generate.ts"), "--check"], { cwd: root })).resolves.toBeDefined();
  }, 60_000);
});
