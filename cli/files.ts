import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OutputError } from "./errors.ts";

/** A file to write and what it is to hold. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Writes files so that nobody ever sees half of one: each is written beside its place, synced and moved there, and none is
 * moved before all are written. What is no plain file (`/dev/stderr`, a pipe) is written straight.
 *
 * Throws {@link OutputError}; what was begun is removed, what was there before stays. An aborted `signal` ends it in the same way.
 */
export async function writeFiles(files: readonly NewFile[], signal: AbortSignal): Promise<void> {
  const begun: { readonly from: string; readonly to: string }[] = [];
  try {
    for (const { path, text } of files) {
      signal.throwIfAborted();
      if (await isSpecial(path)) await writeTo(path, "w", text, path);
      else {
        const from = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
        begun.push({ from, to: path });
        await writeTo(from, "wx", text, path);
      }
    }
    signal.throwIfAborted();
    for (const { from, to } of begun) await rename(from, to).catch((error: unknown) => fail(to, error));
  } catch (error) {
    await Promise.all(begun.map(({ from }) => rm(from, { force: true })));
    throw error;
  }
}

/** A folder that is there afterwards. Throws {@link OutputError}. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => fail(path, error));
}

/** Can a report be put there? Asked before the work, so that it is not lost afterwards. Throws {@link OutputError}. */
export async function checkPlace(path: string): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new OutputError(`\`${path}\` cannot be written: there is no folder \`${dirname(path)}\``, { remedy: `make it: \`mkdir -p ${dirname(path)}\`` });
  }
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new OutputError(`\`${path}\` cannot be written: it is a folder`, { remedy: "name a file in it" });
  }
}

async function isSpecial(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

async function writeTo(path: string, flags: "w" | "wx", text: string, named: string): Promise<void> {
  try {
    const file = await open(path, flags, 0o644);
    try {
      await file.writeFile(text);
      if (flags === "wx") await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    fail(named, error);
  }
}

const REASONS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOSPC: ["the disk is full", "make room, or write elsewhere"],
  EDQUOT: ["the quota is used up", "make room, or write elsewhere"],
  EACCES: ["permission denied", "write elsewhere, or correct the permissions of its folder"],
  EROFS: ["the file system is read-only", "write elsewhere"],
  ENOENT: ["its folder is not there", "make the folder first"],
  EISDIR: ["it is a folder", "name a file in it"],
  ENOTDIR: ["a part of its path is a file", "name another place"],
  EEXIST: ["a file is where a folder should be, or another run is writing there", "name another place"],
};

function fail(path: string, error: unknown): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  const [what, remedy] = REASONS[code] ?? [code, "write elsewhere"];
  throw new OutputError(`\`${path}\` cannot be written: ${what}`, { remedy, cause: error });
}
