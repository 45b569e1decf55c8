import { chmod, mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { BIN, EVEN, fleet, needs, NOW, shell, skew, type Shell } from "./shell.ts";

/** How each kind of file is named in a run; where it lies; and what a good one holds. */
const KINDS = {
  "the fleet": { words: ["run"], file: "assert.yaml", good: fleet("eks", "gke") },
  "an assertion": { words: ["run"], file: "assertions/mesh.yaml", good: skew("close") },
  "a snapshot": { words: ["run", "--snapshots", "saved"], file: "saved/eks.json", good: "" },
} as const;

type KindName = keyof typeof KINDS;
const ALL: readonly KindName[] = ["the fleet", "an assertion", "a snapshot"];
const YAML: readonly KindName[] = ["the fleet", "an assertion"];

const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]", ..."bcdefghi".split("").map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]}, `.repeat(9)}*${"abcdefgh"[index]}]`)].join("\n");

/** What is in place of a good file, for which kinds it is a mistake, and what is said of it. */
const rows: readonly {
  readonly claim: string;
  readonly kinds: readonly KindName[];
  readonly make: (path: string, good: string) => Promise<unknown>;
  readonly says: (file: string) => RegExp;
}[] = [
  { claim: "a directory", kinds: ALL, make: (path) => mkdir(path), says: (file) => new RegExp(`^error\\[file\\]: \`${file}\` is a directory, not a file\\n  help: name a file in it\\n$`) },
  { claim: "100 MB", kinds: YAML, make: async (path) => (await writeFile(path, ""), await truncate(path, 100_000_000)), says: (file) => new RegExp(`^error\\[file\\]: \`${file}\` has 100 MB; at most 16\\.8 MB are read\\n  help: `) },
  { claim: "1 GB", kinds: ["a snapshot"], make: async (path) => (await writeFile(path, ""), await truncate(path, 1_000_000_000)), says: (file) => new RegExp(`^error\\[file\\]: \`${file}\` has 1000 MB; at most 536\\.9 MB are read\\n  help: `) },
  { claim: "an alias bomb", kinds: YAML, make: (path) => writeFile(path, bomb), says: (file) => new RegExp(`aliases repeat content until it is more than 20 times as large as what is written\\n  --> ${file}:\\d+:\\d+\\n  help: write less of it by alias`) },
  { claim: "a key written twice", kinds: YAML, make: (path, good) => writeFile(path, `${good.trimEnd().slice(0, -1)},\n"kind": "x"}\n`), says: (file) => new RegExp(`the key \`kind\` is written twice\\n  --> ${file}:2:1\\n  help: keep one of the two\\n$`) },
  { claim: "a tab", kinds: YAML, make: (path) => writeFile(path, "metadata:\n\tname: x\n"), says: (file) => new RegExp(`not valid YAML: a tab stands in the indentation\\n  --> ${file}:2:1\\n  help: indent with spaces`) },
  { claim: "bytes that are not UTF-8", kinds: ALL, make: (path) => writeFile(path, Buffer.from("kind: \xff\n", "latin1")), says: (file) => new RegExp(`\`${file}\` is not UTF-8 text\\n  --> ${file}:1:7\\n  help: `) },
  { claim: "UTF-16, as some editors of Windows save", kinds: ALL, make: (path, good) => writeFile(path, Buffer.from(`\u{feff}${good}`, "utf16le")), says: (file) => new RegExp(`\`${file}\` is not UTF-8 text`) },
];

describe("bad input ends the run with 3, by the name that the user gave the file", { timeout: 60_000 }, () => {
  const cases = rows.flatMap(({ claim, kinds, make, says }) => kinds.map((kind) => ({ claim, kind, make, says, ...KINDS[kind] })));
  it.each(cases)("$claim in place of $kind", async ({ words, file, good, make, says }) => {
    await using here = await emptyPlace(file);
    await make(join(here.path, file), good);
    const { code, stdout, stderr } = await here.assert(...words);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(says(file));
    expect(stderr).not.toContain(here.path);
  });

  for (const kind of ALL) it(`a file that may not be read in place of ${kind}`, async (context) => {
    const { words, file, good } = KINDS[kind];
    await using here = await emptyPlace(file);
    await writeFile(join(here.path, file), good);
    await chmod(join(here.path, file), 0);
    const { code, stdout, stderr } = await asMortal(here, words, context);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toBe(`error[file]: \`${file}\` may not be read by this user\n  help: give the user that runs this the right to read it\n`);
  });

  it("a folder of assertions that may not be listed", async (context) => {
    await using here = await shell(EVEN);
    await chmod(join(here.path, "assertions"), 0);
    expect(await asMortal(here, ["run"], context)).toEqual({ code: 3, stdout: "", stderr: "error[file]: `assertions` cannot be listed\n  help: give the user that runs this the right to read the folder\n" });
    await chmod(join(here.path, "assertions"), 0o755);
  });

  it("several mistakes in several files are told in one go, each with its place and its way out", async () => {
    await using here = await shell({ ...EVEN, "assertions/mesh.yaml": skew("close", { maxPatchSkw: 1 }), "assertions/more.yaml": `${skew("close")}---\n${skew("x", { severity: "fatal", components: ["sidecr"] })}` });
    const { code, stdout, stderr } = await here.assert("run");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr.match(/^error\[[a-z-]+\]: .*$/gm)).toEqual([
      "error[unknown-field]: unknown field `maxPatchSkw`",
      "error[invalid-field]: `metadata.severity` is `fatal`; it is one of `error`, `warning`, `info`",
      "error[invalid-field]: `spec.components[0]` is `sidecr`; it is one of `sidecar`, `gateway`, `waypoint`",
    ]);
    expect(stderr.match(/^ {2}--> .*?:\d+/gm)).toEqual(["  --> assertions/mesh.yaml:1", "  --> assertions/more.yaml:2", "  --> assertions/more.yaml:2"].map((line) => line.replace("more.yaml:2", "more.yaml:3")));
    expect(stderr).toContain("help: did you mean `maxPatchSkew`?");
    expect(stderr).toContain("help: did you mean `sidecar`?");
  });
});

describe("input that is unusual and good", { timeout: 60_000 }, () => {
  it("a byte order mark and Windows line ends change nothing", async () => {
    await using plain = await shell(EVEN);
    await using marked = await shell(Object.fromEntries(Object.entries(EVEN).map(([name, text]) => [name, `\u{feff}${text.replaceAll("\n", "\r\n")}`])));
    const wanted = await plain.assert("run", "-o", "json", ...NOW);
    expect(wanted.code).toBe(0);
    expect(withoutDigests((await marked.assert("run", "-o", "json", ...NOW)).stdout)).toBe(withoutDigests(wanted.stdout));
  });

  it("a named pipe given as an assertion is refused, not waited for", async () => {
    await using here = await shell(EVEN);
    const { code, stdout } = await here.program("sh", ["-c", "mkfifo pipe.yaml; $ASSERT run pipe.yaml 2>&1; echo $?"]).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^error\[file\]: `pipe\.yaml` is neither a file nor a directory\n(?:.*\n)*3\n$/);
  });
});

describe("bad manifests are a gap of their cluster alone", { timeout: 60_000 }, () => {
  const manifests: readonly (readonly [claim: string, make: (path: string) => Promise<unknown>, reason: RegExp])[] = [
    ["100 MB", async (path) => (await writeFile(path, ""), await truncate(path, 100_000_000)), /^`clusters\/gke\/pods\.json` has 100 MB; at most /],
    ["half a file", (path) => writeFile(path, EVEN["clusters/gke/pods.json"].slice(0, -10)), /clusters\/gke\/pods\.json:1/],
    ["an alias bomb", (path) => writeFile(path.replace(/json$/, "yaml"), bomb), /clusters\/gke\/pods\.yaml:\d+.*aliases repeat/],
  ];
  it.each(manifests)("%s", async (_, make, reason) => {
    await using here = await shell(EVEN);
    await make(join(here.path, "clusters/gke/pods.json"));
    const ended = await here.assert("run", "-o", "json", ...NOW);
    expect(ended).toMatchObject({ code: 2, stderr: "" });
    expectGapOfGke(ended.stdout, reason);
  });

  it("a file that may not be read", async (context) => {
    await using here = await shell(EVEN);
    await chmod(join(here.path, "clusters/gke/pods.json"), 0);
    const ended = await asMortal(here, ["run", "-o", "json", ...NOW], context);
    expect(ended).toMatchObject({ code: 2, stderr: "" });
    expectGapOfGke(ended.stdout, /^`clusters\/gke\/pods\.json` may not be read by this user$/);
  });
});

function expectGapOfGke(stdout: string, reason: RegExp): void {
  const { results } = JSON.parse(stdout) as { results: { coverage: { judged: number }; gaps: { cluster: string; reason: string; remedy: string }[] }[] };
  expect(results[0]?.coverage.judged).toBe(1);
  expect(results[0]?.gaps.map(({ cluster }) => cluster)).toEqual(["gke"]);
  expect(results[0]?.gaps[0]?.reason).toMatch(reason);
  expect(results[0]?.gaps[0]?.remedy).not.toBe("");
}

/** A good fleet in which this file is missing, and its folder there. */
async function emptyPlace(file: string): Promise<Shell> {
  const files = Object.entries(EVEN).filter(([name]) => name !== file);
  return shell({ ...Object.fromEntries(files), [`${file}/../.keep`]: "" });
}

/** A run in which nobody is above the permissions of files: root gives up the rights to pass them by. */
async function asMortal(here: Shell, words: readonly string[], context: TestContext) {
  if (process.getuid?.() !== 0) return here.assert(...words);
  const mortal = ["--bounding-set=-dac_override,-dac_read_search"];
  await needs("setpriv", [...mortal, "true"], context);
  return here.program("setpriv", [...mortal, process.execPath, BIN, ...words]).ended;
}

function withoutDigests(json: string): string {
  return json.replaceAll(/"(?:snapshotSha256|digest)": "[0-9a-f]+"/g, "");
}
