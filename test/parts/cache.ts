import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { partOf, type Part, type PartName } from "./parts.ts";

/** Where built parts are kept: outside the repository, so that a fresh clone finds them. */
export function cacheFolder(): string {
  const chosen = process.env["CLOUD_ASSERT_PARTS"];
  if (chosen !== undefined && chosen !== "") return path.resolve(chosen);
  return path.join(process.env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache"), "cloud-assert", "parts");
}

/** What of a part is in the cache. */
export type Found =
  | { readonly state: "here"; readonly file: string; readonly bytes: number }
  | { readonly state: "missing"; readonly reason: string; readonly folder: string };

/** Looks a part up; a file that is not the one that was built counts as missing. Never builds. */
export async function find(part: Part): Promise<Found> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (part.envtest === true && assets !== undefined && assets !== "") return inAssets(part, assets);
  const folder = path.join(cacheFolder(), `${part.name}-${part.version}-${keyOf(part)}`);
  const file = path.join(folder, part.name);
  const missing = (reason: string): Found => ({ state: "missing", folder, reason: `${part.name} ${part.version} ${reason}` });
  try {
    const [bytes, digest] = readFileSync(path.join(folder, "sum"), "utf8").trim().split(" ");
    if (statSync(file).size !== Number(bytes) || (await digestOf(file)) !== digest) {
      return missing("in the cache was changed after it was built");
    }
    return { state: "here", file, bytes: Number(bytes) };
  } catch {
    return missing(`is not in ${cacheFolder()}`);
  }
}

/** The files of parts by name, or why the first missing one is missing. */
export async function findAll<Name extends PartName>(names: readonly Name[]): Promise<Readonly<Record<Name, string>> | { readonly missing: string }> {
  const files = Object.create(null) as Record<Name, string>;
  for (const name of names) {
    const found = await find(partOf(name));
    if (found.state === "missing") return { missing: found.reason };
    files[name] = found.file;
  }
  return files;
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** Changes whenever the built file could: recipe, sources, compiler. */
function keyOf(part: Part): string {
  const hash = createHash("sha256").update(JSON.stringify(part));
  if (part.recipe.by === "go") {
    hash.update(compiler());
    for (const file of sourcesOf(part.recipe.folder)) hash.update(`\0${file.name}\0`).update(readFileSync(file.path));
  }
  return hash.update(`${process.platform} ${process.arch}`).digest("hex").slice(0, 16);
}

export function sourceFolder(folder: string): string {
  return path.join(import.meta.dirname, folder);
}

function sourcesOf(folder: string): { readonly name: string; readonly path: string }[] {
  const root = sourceFolder(folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ name: path.relative(root, file), path: file }));
}

let knownCompiler: string | undefined;

function compiler(): string {
  try {
    knownCompiler ??= execFileSync("go", ["version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    knownCompiler = "no go";
  }
  return knownCompiler;
}

function inAssets(part: Part, assets: string): Found {
  const file = path.join(assets, part.name);
  try {
    return { state: "here", file, bytes: statSync(file).size };
  } catch {
    return { state: "missing", folder: assets, reason: `${part.name} is not in the folder that KUBEBUILDER_ASSETS names (${assets})` };
  }
}
