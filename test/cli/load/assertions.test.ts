import { execFileSync } from "node:child_process";
import { mkdir, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "#engine";
import { loadAssertions, type LoadOptions } from "../../../cli/load/index.ts";
import { folderOf, FRUIT, fruitPlugins, told } from "./world.ts";

const head = (name: string) => `apiVersion: cloud-assert/v1\nkind: FruitFresh\nmetadata: { name: ${name} }\n`;

/** Loads `a.yaml` with this text. */
async function load(text: string | Buffer, files: Readonly<Record<string, string | Buffer>> = {}, change: Partial<LoadOptions> = {}) {
  await using folder = await folderOf({ ...FRUIT, ...files, "a.yaml": text });
  return await loadAssertions(["a.yaml"], await fruitPlugins(folder.path), { ...folder.options, ...change });
}

describe("an assertion", () => {
  it("has its defaults filled in and knows where it was written", async () => {
    const { assertions, kinds } = await load(`# mesh\n---\n${head("fresh")}`);
    expect(assertions).toEqual([
      {
        name: "fresh",
        kind: "FruitFresh",
        severity: "error",
        clusters: {},
        allowEmpty: false,
        strict: false,
        spec: { ripeness: 5, colour: "red" },
        at: { file: "a.yaml", line: 3, column: 1 },
      },
    ]);
    expect([...kinds.keys()]).toEqual(["FruitFresh"]);
  });

  it("keeps the common fields apart from the kind's own", async () => {
    const text = `${head("fresh")}spec:\n  clusters: { names: [a], clouds: [aws], matchLabels: { tier: prod } }\n  allowEmpty: true\n  strict: true\n  ripeness: 7\n`;
    const { assertions } = await load(text);
    expect(assertions[0]).toMatchObject({
      clusters: { names: ["a"], clouds: ["aws"], matchLabels: { tier: "prod" } },
      allowEmpty: true,
      strict: true,
      spec: { ripeness: 7, colour: "red" },
    });
  });

  it("carries the content of files that it names, and of documents, wherever these stand", async () => {
    const text = `${head("fresh")}spec:\n  keys: [keys/a.pub]\n  photo: fruit.png\n  basket: picnic\n---\napiVersion: cloud-assert/v1\nkind: Basket\nmetadata: { name: picnic }\nspec: { size: 3 }\n`;
    const bytes = Buffer.from([0, 255, 1]);
    const { assertions } = await load(text, { "keys/a.pub": "a key\n", "fruit.png": bytes });
    expect(assertions[0]?.spec).toMatchObject({
      keys: [{ path: "keys/a.pub", sha256: sha256("a key\n"), content: "a key\n" }],
      photo: { path: "fruit.png", content: bytes.toString("base64") },
      basket: { name: "picnic", sha256: sha256('{"size":3}'), content: { size: 3 } },
    });
  });
});

describe("a document that a kind owns", () => {
  const basket = (seal: string) => `apiVersion: cloud-assert/v1\nkind: Basket\nmetadata: { name: picnic }\nspec:\n  size: 3\n  seals:\n    a: ["${seal}"]\n`;
  async function loadBoth(seal: string, change: Partial<LoadOptions> = {}) {
    await using folder = await folderOf({ ...FRUIT, "a.yaml": `${head("fresh")}spec: { basket: picnic }\n`, "baskets/b.yaml": basket(seal), "baskets/seal.pem": "a seal\n" });
    return await loadAssertions(["a.yaml", "baskets/b.yaml"], await fruitPlugins(folder.path), { ...folder.options, ...change });
  }

  it("carries the content of files that it names, by paths from its own file", async () => {
    const seal = { path: "seal.pem", sha256: sha256("a seal\n"), content: "a seal\n" };
    for (const untrusted of [false, true]) expect((await loadBoth("seal.pem", { untrusted })).assertions[0]?.spec).toMatchObject({ basket: { content: { size: 3, seals: { a: [seal] } } } });
  });
  it("whose file is not there is a mistake, with its place", async () => {
    expect(await told(loadBoth("seal.pub"))).toEqual(["baskets/b.yaml:7:9 `seal.pub` does not exist | check the spelling; relative paths start at the file that holds them, or at the working directory for flags"]);
  });
  it("of a stranger names no file outside of its folder", async () => {
    expect(await told(loadBoth("../a.yaml", { untrusted: true }))).toEqual(["baskets/b.yaml:7:9 --untrusted: `../a.yaml` leads out of the folder of `baskets/b.yaml` | put what it names beside the file, or run without --untrusted after reading the change"]);
  });
});

describe("files and folders", () => {
  it("a folder gives the YAML files at its top, by name; a file named twice counts once", async () => {
    await using folder = await folderOf({
      ...FRUIT,
      "all/b.yml": head("b"),
      "all/a.yaml": `${head("a")}---\n${head("a2")}`,
      "all/notes.txt": "no YAML: [",
      "all/.hidden.yaml": "no YAML: [",
      "all/deeper/c.yaml": head("c"),
    });
    const { assertions } = await loadAssertions(["all", "all/a.yaml"], await fruitPlugins(folder.path), folder.options);
    expect(assertions.map(({ name, at }) => `${name} ${at.file}`)).toEqual(["a all/a.yaml", "a2 all/a.yaml", "b all/b.yml"]);
  });

  it("mistakes of all files are told in one go", async () => {
    await using folder = await folderOf({ ...FRUIT, "all/a.yaml": "a: [", "all/b.yaml": `${head("b")}spce: {}\n`, "all/c.yaml": head("c") });
    const lines = await told(loadAssertions(["all", "nope.yaml"], await fruitPlugins(folder.path), folder.options));
    expect(lines.map((line) => line.split(" ", 1)[0])).toEqual(["all/a.yaml:1:5", "all/b.yaml:4:1", "`nope.yaml`"]);
  });

  it("one name for two assertions is refused with both places", async () => {
    await using folder = await folderOf({ ...FRUIT, "a.yaml": head("same"), "b.yaml": `# other\n${head("same")}` });
    expect(await told(loadAssertions(["a.yaml", "b.yaml"], await fruitPlugins(folder.path), folder.options))).toEqual([
      "b.yaml:2:1 two assertions are named `same` | rename one of them; the first is at a.yaml:1:1",
    ]);
  });

  const unusable: readonly (readonly [claim: string, path: string, make: (path: string) => Promise<unknown>, words: RegExp])[] = [
    ["a missing file", "no.yaml", async () => {}, /^`no\.yaml` does not exist \| check the spelling/],
    ["a folder without YAML", "empty", (path) => mkdir(path), /^`empty` holds no assertion file \| name a folder with/],
    ["a folder that looks like a file inside a folder", "dir", (path) => mkdir(join(path, "x.yaml"), { recursive: true }), /^`dir\/x\.yaml` is a directory/],
    ["a pipe", "pipe.yaml", async (path) => execFileSync("mkfifo", [path]), /^`pipe\.yaml` is neither a file nor a directory/],
    ["a link to itself", "loop.yaml", (path) => symlink(path, path), /^`loop\.yaml` is a link that leads back to itself/],
    ["a file that opens but cannot be read", "mem.yaml", (path) => symlink("/proc/self/mem", path), /^`mem\.yaml` cannot be read \(EIO\)/],
    ["100 MB", "big.yaml", async (path) => (await import("node:fs/promises").then(({ writeFile }) => writeFile(path, "")), await truncate(path, 100_000_000)), /^`big\.yaml` has 100 MB; at most 16\.8 MB are read/],
  ];
  it.each(unusable)("%s is refused by its own name", async (_, name, make, words) => {
    await using folder = await folderOf(FRUIT);
    await make(join(folder.path, name));
    const [line, ...others] = await told(loadAssertions([name], await fruitPlugins(folder.path), folder.options));
    expect(others).toEqual([]);
    expect(line).toMatch(words);
    expect(line).not.toContain(folder.path);
  });
});

describe("a mistake in a document is told with its place, the nearest valid word and an example", () => {
  const spec = (text: string) => `${head("x")}spec:\n${text}`;
  const bomb = ["x: &a [1,1,1,1,1,1,1,1,1,1]", ..."bcdefg".split("").map((name, index) => `${name}: &${name} [${"*".concat("abcdef"[index] ?? "", ",").repeat(10)}]`)].join("\n");
  const rows: readonly (readonly [claim: string, text: string | Buffer, expected: readonly string[]])[] = [
    ["an empty file", "", ["a.yaml:1:1 `a.yaml` holds no document | write one, for example `{ apiVersion: cloud-assert/v1, kind: EnvoyVersionSkew, metadata: { name: envoy-patch-skew } }`"]],
    ["comments only", "# later\n---\n", ["a.yaml:1:1 `a.yaml` holds no document | write one, for example `{ apiVersion: cloud-assert/v1, kind: EnvoyVersionSkew, metadata: { name: envoy-patch-skew } }`"]],
    ["an unknown kind", "apiVersion: cloud-assert/v1\nkind: FruitFrsh\nmetadata: { name: x }\n", ["a.yaml:2:7 unknown kind `FruitFrsh` | did you mean `FruitFresh`?"]],
    ["a kind that resembles nothing", "apiVersion: cloud-assert/v1\nkind: Gate\nmetadata: { name: x }\n", ["a.yaml:2:7 unknown kind `Gate` | use one of `Basket`, `FruitFresh`, or load your own with --plugin DIR"]],
    ["no kind", "apiVersion: cloud-assert/v1\n", ["a.yaml:1:1 the document has no `kind` | add one, for example `kind: EnvoyVersionSkew`; `assert kinds` lists them"]],
    ["another apiVersion", "apiVersion: v1\nkind: Pod\n", ["a.yaml:1:13 the document has the apiVersion `v1`; this release reads `cloud-assert/v1` | write `apiVersion: cloud-assert/v1`; objects of Kubernetes belong into a folder that the fleet names as `manifests`"]],
    ["a fleet among the assertions", "apiVersion: cloud-assert/v1\nkind: Fleet\n", ["a.yaml:2:7 a document of kind `Fleet` is no assertion | move it out of `a.yaml` into a file of its own, and name that file with --fleet"]],
    ["waivers among the assertions", "apiVersion: cloud-assert/v1\nkind: Waivers\n", ["a.yaml:2:7 a document of kind `Waivers` is no assertion | move it out of `a.yaml` into a file of its own, and name that file with --waivers"]],
    ["a list", "- 1\n", ["a.yaml:1:1 the document is a list, not a map | write for example `{ apiVersion: cloud-assert/v1, kind: EnvoyVersionSkew, metadata: { name: envoy-patch-skew } }`"]],
    ["an unknown field of the document", `${head("x")}sepc: {}\n`, ["a.yaml:4:1 unknown field `sepc` | did you mean `spec`?"]],
    ["an unknown field of the spec", spec("  ripness: 1\n"), ["a.yaml:5:3 unknown field `ripness` | did you mean `ripeness`?"]],
    ["a common field misspelled", spec("  alowEmpty: true\n"), ["a.yaml:5:3 unknown field `alowEmpty` | did you mean `allowEmpty`?"]],
    ["a field that resembles nothing", spec("  zzzzzz: 1\n"), ["a.yaml:5:3 unknown field `zzzzzz` | use one of `ripeness`, `colour`, `keys`, `photo`, `basket`, `rules`, `either`, `clusters`, `allowEmpty`, `strict`"]],
    ["a wrong word", spec("  colour: gren\n"), ["a.yaml:5:11 `spec.colour` is `gren`; it is one of `red`, `green` | did you mean `green`?"]],
    ["a severity that is none", "apiVersion: cloud-assert/v1\nkind: FruitFresh\nmetadata: { name: x, severity: fatal }\n", ["a.yaml:3:32 `metadata.severity` is `fatal`; it is one of `error`, `warning`, `info` | write `severity: error`"]],
    ["no name", "apiVersion: cloud-assert/v1\nkind: FruitFresh\nmetadata: {}\n", ["a.yaml:3:11 `metadata` lacks `name` | add it, for example `name: envoy-patch-skew`"]],
    ["a name with a blank", "apiVersion: cloud-assert/v1\nkind: FruitFresh\nmetadata: { name: a b }\n", ["a.yaml:3:19 `metadata.name` is `a b`, which is not of the form that it must have | write for example `name: envoy-patch-skew`"]],
    ["text for a number", spec("  ripeness: lots\n"), ["a.yaml:5:13 `spec.ripeness` is text (`lots`); it must be a whole number | write for example `ripeness: 7`"]],
    ["a broken number", spec("  ripeness: 1.5\n"), ["a.yaml:5:13 `spec.ripeness` is a number (`1.5`); it must be a whole number | write for example `ripeness: 7`"]],
    ["a number too large", spec("  ripeness: 11\n"), ["a.yaml:5:13 `spec.ripeness` is `11`; it must be at most 10 | write for example `ripeness: 7`"]],
    ["nothing where something is due", spec("  ripeness:\n"), ["a.yaml:5:3 `spec.ripeness` is empty; it must be a whole number | write for example `ripeness: 7`"]],
    ["YAML 1.1's yes", spec("  strict: yes\n"), ["a.yaml:5:11 `spec.strict` is text (`yes`); it must be `true` or `false` | write for example `strict: true`"]],
    [
      "mistakes deep inside lists",
      spec("  rules:\n    - name: sweet\n      weight: 0\n    - { name: '', wieght: 1 }\n    - weight: 2\n"),
      [
        "a.yaml:7:15 `spec.rules[0].weight` is `0`; it must be more than 0 | write for example `weight: 1.5`",
        "a.yaml:8:19 unknown field `wieght` | did you mean `weight`?",
        "a.yaml:8:15 `spec.rules[1].name` is empty | write for example `name: sweet`",
        "a.yaml:9:7 `spec.rules[2]` lacks `name` | add it, for example `name: sweet`",
      ],
    ],
    ["a choice: the branch that was meant is told", spec("  either: [1]\n"), ["a.yaml:5:12 `spec.either[0]` is a number (`1`); it must be text | write for example `either: one`"]],
    ["a choice: no branch fits", spec("  either: 1\n"), ["a.yaml:5:11 `spec.either` has none of the forms that it may have | write for example `either: one`"]],
    ["a cluster selector that is no list", spec("  clusters: { names: a }\n"), ["a.yaml:5:22 `spec.clusters.names` is text (`a`); it must be a list | write for example `names: [eks-prod, gke-prod]`"]],
    ["a spec that is text", `${head("x")}spec: none\n`, ["a.yaml:4:7 `spec` is text (`none`); it must be a map | write for example `spec: { clusters: { matchLabels: { tier: prod } } }`"]],
    ["a duplicate key", `${head("x")}spec: {}\nspec: {}\n`, ["a.yaml:5:1 the key `spec` is written twice | keep one of the two"]],
    ["a tab", `${head("x")}spec:\n\tripeness: 1\n`, ["a.yaml:5:1 not valid YAML: a tab stands in the indentation | indent with spaces; YAML allows no tabs there"]],
    ["an alias bomb", bomb, ["a.yaml:5:29 aliases repeat content until it is more than 20 times as large as what is written | write less of it by alias, or split the file"]],
    ["a byte that is not UTF-8", Buffer.from("a: \xff\n", "latin1"), ["a.yaml:1:4 `a.yaml` is not UTF-8 text | save it as UTF-8, or name the text file that was meant"]],
    ["a file that is not there", spec("  keys:\n    - a.pub\n"), ["a.yaml:6:7 `a.pub` does not exist | check the spelling; relative paths start at the file that holds them, or at the working directory for flags"]],
    ["a document that is not there", spec("  basket: picnic\n"), ["a.yaml:5:11 there is no Basket named `picnic` | give the run a file with a document of kind Basket"]],
    ["a mistake in a document that a kind owns", "apiVersion: cloud-assert/v1\nkind: Basket\nmetadata: { name: x }\nspec: { size: big }\n", ["a.yaml:4:15 `spec.size` is text (`big`); it must be a whole number | `assert explain KIND` tells what may stand here"]],
  ];
  it.each(rows)("%s", async (_, text, expected) => {
    expect(await told(load(text))).toEqual(expected);
  });

  it("a byte order mark is no mistake", async () => {
    expect((await load(`\u{feff}${head("x")}`)).assertions).toHaveLength(1);
  });

  it("a hundred mistakes are not all told", async () => {
    const lines = await told(load(spec(Array.from({ length: 100 }, (_, index) => `  zz${index}: 1\n`).join(""))));
    expect(lines).toHaveLength(50);
  });
});

describe("--untrusted", () => {
  it.each([
    ["a path out of the folder", "../secret"],
    ["an absolute path", "/etc/hostname"],
    ["a path below the home", "~/secret"],
    ["a link out of the folder", "link"],
    ["a link that leads nowhere yet, out of the folder", "dangling"],
  ])("%s in a spec ends the run", async (_, named) => {
    await using outside = await folderOf({ secret: "secret" });
    await using folder = await folderOf({ ...FRUIT, "in/a.yaml": `${head("x")}spec: { keys: ["${named}"] }\n`, secret: "secret" });
    await symlink(join(outside.path, "secret"), join(folder.path, "in/link"));
    await symlink(join(outside.path, "later"), join(folder.path, "in/dangling"));
    const lines = await told(loadAssertions(["in/a.yaml"], await fruitPlugins(folder.path), { ...folder.options, untrusted: true }));
    expect(lines).toEqual([`in/a.yaml:4:16 --untrusted: \`${named}\` leads out of the folder of \`in/a.yaml\` | put what it names beside the file, or run without --untrusted after reading the change`]);
  });

  it("a file beside the assertion is read", async () => {
    const { assertions } = await load(`${head("x")}spec: { keys: [keys/a.pub] }\n`, { "keys/a.pub": "k" }, { untrusted: true });
    expect(assertions).toHaveLength(1);
  });

  it("an assertion file, or its folder, that is a link out is not read", async () => {
    await using outside = await folderOf({ "x.yaml": "password: [" });
    await using folder = await folderOf({ ...FRUIT, "all/a.yaml": head("a") });
    await symlink(join(outside.path, "x.yaml"), join(folder.path, "all/x.yaml"));
    await symlink(outside.path, join(folder.path, "linked"));
    const plugins = await fruitPlugins(folder.path);
    for (const path of ["all", "linked"]) {
      const lines = await told(loadAssertions([path], plugins, { ...folder.options, untrusted: true }));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/--untrusted: `(?:all\/x\.yaml|linked)` is a link that leads out of its folder/);
    }
  });
});
