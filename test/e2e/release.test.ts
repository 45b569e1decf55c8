import { spawn } from "node:child_process";
import { chmod, cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../parts/process.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const WORLD = path.join(ROOT, "fixtures/three-clouds");

let home: string;

/** Everything as a user has it: a package from a file, in a folder of its own, and nothing of this tree in reach. */
beforeAll(async () => {
  const built = await scratchFolder("release");
  home = await scratchFolder("installed");
  await must(process.execPath, [path.join(ROOT, "tools/build.ts"), built], ROOT);
  const { stdout } = await must("npm", ["pack", "--silent", "--pack-destination", home], built);
  await writeFile(path.join(home, "package.json"), JSON.stringify({ name: "theirs", private: true, type: "module" }));
  await must("npm", ["install", "--offline", "--no-audit", "--no-fund", "--silent", `./${stdout.trim()}`], home);
  await cp(WORLD, path.join(home, "world"), { recursive: true });
});

describe("the package, packed and installed in an empty folder", () => {
  it("brings no library and no Node beside itself", async () => {
    expect((await readdir(path.join(home, "node_modules"))).filter((name) => !name.startsWith("."))).toEqual(["cloud-assert"]);
  });

  it("judges the example as the source tree does", async () => {
    const words = ["run", "--now", "2026-11-20T09:00:00Z", "-o", "json"];
    const source = await ended(process.execPath, [path.join(ROOT, "cli/bin.mjs"), ...words], path.join(home, "world"));
    const release = await installed(words, "world");
    expect([release.code, release.stderr]).toEqual([1, ""]);
    expect(release.stdout).toBe(source.stdout);
  });

  it("judges by the built-in suite, which is read when the release is built, as the source tree does", async () => {
    const words = ["run", "--fleet", "../world/assert.yaml", "--now", "2026-11-20T09:00:00Z", "-o", "json"];
    await mkdir(path.join(home, "bare"), { recursive: true });
    const source = await ended(process.execPath, [path.join(ROOT, "cli/bin.mjs"), ...words], path.join(home, "bare"));
    const release = await installed(words, "bare");
    expect(source.stdout).toContain("built-in assertions/suite.yaml");
    expect([release.code, release.stderr]).toEqual([source.code, ""]);
    expect(release.stdout).toBe(source.stdout);
  });

  it("writes every format", async () => {
    const formats = ["sarif", "junit", "github", "markdown", "html", "prometheus", "openreports"];
    const { code, stderr } = await installed(["run", "--now", "2026-11-20T09:00:00Z", ...formats.flatMap((name) => ["-o", `${name}=../${name}.out`])], "world");
    expect([code, stderr]).toEqual([1, ""]);
    for (const name of formats) expect((await readFile(path.join(home, `${name}.out`), "utf8")).length, name).toBeGreaterThan(500);
  });

  const rows: readonly (readonly [claim: string, words: readonly string[], code: number, says: string])[] = [
    ["tells its version", ["--version"], 0, "0."],
    ["lists its kinds", ["kinds"], 0, "WasmIdentical"],
    ["explains one", ["explain", "RoutesEquivalent"], 0, "maxProbes"],
    ["compares two places", ["compare", "world/clusters/eks-prod", "world/clusters/aks-prod"], 1, "DIFFERENT"],
    ["follows a request", ["route", "GET http://checkout.example.com/", "--at", "world/clusters/eks-prod"], 0, "checkout"],
    ["writes a completion", ["completion", "bash"], 0, "assert"],
    ["tells a wrong word", ["kindz"], 3, "kinds"],
  ];
  it.each(rows)("%s", async (_claim, words, code, says) => {
    const told = await installed(words, ".");
    expect(`${told.stdout}${told.stderr}`).toContain(says);
    expect(told.code).toBe(code);
  });

  it("is a library: the engine and the routes, one copy for it and for plug-ins", async () => {
    const plugin = path.join(home, "kinds/always-so");
    await mkdir(plugin, { recursive: true });
    await writeFile(path.join(plugin, "kind.js"), `import { defineKind, judged } from "cloud-assert";\nexport default defineKind({ name: "AlwaysSo", summary: "it is so", needs: () => [], *judge() { yield judged(1); } });\n`);
    await writeFile(path.join(plugin, "schema.json"), JSON.stringify({ type: "object", additionalProperties: false, properties: {} }));
    await writeFile(path.join(plugin, "README.md"), "# AlwaysSo\n");
    await writeFile(path.join(home, "so.yaml"), "apiVersion: cloud-assert/v1\nkind: AlwaysSo\nmetadata: { name: so }\n");
    const { code, stderr } = await installed(["run", "../so.yaml", "--plugin", "../kinds"], "world");
    expect([code, stderr]).toEqual([0, ""]);
    const { stdout } = await must(process.execPath, ["-e", `import("cloud-assert/routes").then((routes) => console.log(typeof routes.compare))`], home);
    expect(stdout.trim()).toBe("function");
  });
});

describe("what a command has compiled is kept for its next run", () => {
  const words = ["compare", "world/clusters/eks-prod", "world/clusters/aks-prod", "-o", "json"];
  const told = (cache: string, env: Readonly<Record<string, string>> = {}) => installed(words, ".", { NODE_COMPILE_CACHE: cache, ...env });
  const kept = async (cache: string) => (await readdir(cache, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && entry.parentPath.endsWith(`${path.sep}compare`)).map((entry) => path.join(entry.parentPath, entry.name));
  /** The files, and when each was written. */
  const held = async (cache: string) => Object.fromEntries(await Promise.all((await kept(cache)).map(async (file) => [file, (await stat(file)).mtimeMs] as const)));

  it("in files that only their owner may write, and used as they are", async () => {
    const cache = await scratchFolder("compiled");
    const first = await told(cache);
    const files = await held(cache);
    expect(Object.keys(files).map((file) => path.basename(file))).toEqual(expect.arrayContaining(["cli-process.cjs", "routes-index.cjs"]));
    for (const file of Object.keys(files)) expect((await stat(file)).mode & 0o077).toBe(0);
    expect(await told(cache)).toEqual(first);
    expect(await held(cache)).toEqual(files);
  });

  it("but not what is damaged, or what others could have written: it is compiled again", async () => {
    const cache = await scratchFolder("compiled");
    const first = await told(cache);
    const files = await held(cache);
    const [damaged = "", foreign = ""] = ["routes-index.cjs", "engine-index.cjs"].map((name) => Object.keys(files).find((file) => path.basename(file) === name));
    await writeFile(damaged, "not compiled by anyone");
    await chmod(foreign, 0o666);
    expect(await told(cache)).toEqual(first);
    expect((await readFile(damaged)).length).toBeGreaterThan(10_000);
    expect((await stat(foreign)).mode & 0o077).toBe(0);
  });

  it("nor anywhere where Node is told to keep nothing, or cannot", async () => {
    const cache = await scratchFolder("compiled");
    const first = await told(cache, { NODE_DISABLE_COMPILE_CACHE: "1" });
    expect([first.code, await readdir(cache)]).toEqual([1, []]);
    expect(await told("/dev/null/nowhere")).toEqual(first);
  });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function installed(words: readonly string[], folder: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return ended(process.execPath, [path.join(home, "node_modules/cloud-assert/cli/bin.mjs"), ...words], path.join(home, folder), env);
}

async function must(program: string, words: readonly string[], cwd: string): Promise<Ended> {
  const outcome = await ended(program, words, cwd);
  if (outcome.code !== 0) throw new Error(`${program} ${words.join(" ")} ended with ${outcome.code}:\n${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

function ended(program: string, words: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(program, words, { cwd, env: { PATH: process.env["PATH"], HOME: home, NO_COLOR: "1", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name].setEncoding("utf8").on("data", (text: string) => void (texts[name] += text));
  return new Promise((resolve, reject) => child.on("error", reject).on("close", (code) => resolve({ code, ...texts })));
}
