import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { CollectError } from "#engine";
import { FileError, readBytes } from "../documents/index.ts";
import { DEFAULT_WORKSPACE, type FilePlace, type Reading } from "./place.ts";
import type { Found } from "./read.ts";

/** Where Terraform's backend `local` keeps the states of other workspaces, beside that of the default one. */
const WORKSPACES = "terraform.tfstate.d";

/** The file that holds the state of a workspace. Source: `StatePaths` in Terraform's internal/backend/local. */
export function fileOf({ file, shown, workspace = DEFAULT_WORKSPACE }: FilePlace): { readonly file: string; readonly shown: string } {
  if (workspace === DEFAULT_WORKSPACE) return { file, shown };
  const below = [WORKSPACES, workspace, "terraform.tfstate"] as const;
  return { file: path.join(path.dirname(file), ...below), shown: path.join(path.dirname(shown), ...below) };
}

/** Reads a state file. Throws CollectError. */
export async function readStateFile(place: FilePlace, { limits, within, home }: Pick<Reading, "limits" | "within" | "home">): Promise<Found> {
  const { file: named, shown } = fileOf(place);
  const file = atHome(named, home);
  await staysWithin(file, shown, within);
  const before = await stat(file).catch((error: unknown) => {
    if (isMissing(error)) throw missing(place, shown);
    return undefined;
  });
  if (before?.isDirectory() === true) throw directory(shown);
  const bytes = await readFileBytes(file, limits.stateBytes, shown);
  const after = await stat(file).catch(() => undefined);
  if (before?.isFile() === true && (after?.mtimeMs !== before.mtimeMs || after.ino !== before.ino)) throw changing(shown);
  return { bytes, locator: shown, modified: before?.mtime, locked: await isThere(lockOf(file)) };
}

/** The bytes of a file; what is wrong with it is a CollectError. */
export async function readFileBytes(file: string, limit: number, shown: string): Promise<Buffer> {
  return readBytes(file, limit, shown).catch((error: unknown) => {
    throw error instanceof FileError ? new CollectError(error.message, { remedy: error.remedy }) : error;
  });
}

/** A path whose `~/` stands for the home. */
export function atHome(file: string, home: string): string {
  return file.startsWith("~/") ? path.join(home, file.slice(2)) : file;
}

/** Throws CollectError where a path leads out of the folder that a stranger's files may not leave, links followed. */
export async function staysWithin(file: string, shown: string, within: string | undefined): Promise<void> {
  if (within === undefined) return;
  const [root, real] = await Promise.all([realpath(within), realOf(file)]);
  if (real === root || real.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) return;
  throw new CollectError(`--untrusted: \`${shown}\` leads out of the folder of the fleet file`, {
    remedy: "put what it names beside the file, or run without --untrusted after reading the change",
  });
}

/** Of what is not there yet: where its folder leads. */
async function realOf(file: string): Promise<string> {
  const real = await realpath(file).catch(() => undefined);
  if (real !== undefined || path.dirname(file) === file) return real ?? file;
  return path.join(await realOf(path.dirname(file)), path.basename(file));
}

/** Terraform's own name for it, beside the state. */
function lockOf(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.lock.info`);
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

function missing({ workspace = DEFAULT_WORKSPACE }: FilePlace, shown: string): CollectError {
  return new CollectError(`there is no state \`${shown}\``, {
    remedy:
      workspace === DEFAULT_WORKSPACE
        ? "check the path; a state that is kept elsewhere is named by its backend (`s3`, `gcs`, …) or by the folder of its configuration (`dir`)"
        : "check the name of the workspace; `terraform workspace list` tells those that there are",
  });
}

function directory(shown: string): CollectError {
  return new CollectError(`the state \`${shown}\` is a directory, not a file`, { remedy: "name the state file in it, or write `dir:` for a folder of configuration" });
}

function changing(shown: string): CollectError {
  return new CollectError(`the state \`${shown}\` was written while it was read`, { remedy: "run again when `terraform apply` has ended" });
}
