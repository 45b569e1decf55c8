import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, appendFile, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OutputError } from "./errors.ts";

/** A file to write and what it is to hold. */
export interface NewFile {
  readonly path: string;
  /** As the user named it. */
  readonly shown: string;
  readonly text: string;
}

/**
 * Writes files so that nobody ever sees half of one: each is written beside its place, synced and moved there, and none is
 * moved before all are written. What is no plain file, and whatever stands in `/dev` or `/proc` (`/dev/stderr`, a pipe), is written
 * straight. Any other link to a file is replaced, not followed: a stranger's commit may have put it there.
 *
 * Throws {@link OutputError}; what was begun is removed, what was there before stays. An aborted `signal` ends it in the same way.
 */
export async function writeFiles(files: readonly NewFile[], signal: AbortSignal): Promise<void> {
  const begun: { readonly from: string; readonly to: string; readonly shown: string }[] = [];
  try {
    for (const { path, shown, text } of files) {
      signal.throwIfAborted();
      if (await isSpecial(path)) await writeTo(path, "a", text, shown);
      else {
        // no process number: in containers that share a folder all are the same
        const from = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
        begun.push({ from, to: path, shown });
        await writeTo(from, "wx", text, shown);
      }
    }
    signal.throwIfAborted();
    for (const { from, to, shown } of begun) await rename(from, to).catch((error: unknown) => fail(shown, error));
  } catch (error) {
    await Promise.all(begun.map(({ from }) => rm(from, { force: true })));
    throw error;
  }
}

/** Text to add to a file that others write, too. */
export interface Appended {
  readonly path: string;
  readonly shown: string;
  /** Bytes that the file may hold in the end. */
  readonly limit: number;
  /** The text, of at most so many bytes. */
  readonly text: (room: number) => string;
}

/** Adds to a file what fits into it. Throws {@link OutputError}. */
export async function appendTo({ path, shown, limit, text }: Appended): Promise<void> {
  try {
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    const added = text(Math.max(limit - size, 0));
    if (size + Buffer.byteLength(added) <= limit) await appendFile(path, added);
  } catch (error) {
    fail(shown, error);
  }
}

/** A folder that is there afterwards. Throws {@link OutputError}. */
export async function makeFolder(path: string, shown: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => fail(shown, error));
}

/** Can a folder be made there, and files in it? Asked before the work, so that it is not lost afterwards. Throws {@link OutputError}. */
export async function checkFolder(path: string, shown: string): Promise<void> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? undefined : fail(shown, error)));
  if (there === undefined && path !== dirname(path)) return checkFolder(dirname(path), shown);
  if (there?.isDirectory() !== true) throw new OutputError(`\`${shown}\` cannot be a folder: a file is there`, { remedy: "name another place" });
  await access(path, constants.W_OK).catch((error: unknown) => fail(shown, error));
}

/** Can a report be put there? Asked before the work, so that it is not lost afterwards. Throws {@link OutputError}. */
export async function checkPlace(path: string, shown: string): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new OutputError(`\`${shown}\` cannot be written: there is no folder \`${dirname(shown)}\``, { remedy: `make it: \`mkdir -p ${dirname(shown)}\`` });
  }
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new OutputError(`\`${shown}\` cannot be written: it is a folder`, { remedy: "name a file in it" });
  }
  if (await isSpecial(path)) return;
  await access(dirname(path), constants.W_OK).catch((error: unknown) => fail(shown, error));
}

/** `/dev/stderr` is a link to a plain file when the shell sent it to one: replacing the link would take it from everybody. */
const SYSTEM = /^\/(?:dev|proc)\//;

async function isSpecial(path: string): Promise<boolean> {
  if (SYSTEM.test(path)) return true;
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

async function writeTo(path: string, flags: "a" | "wx", text: string, shown: string): Promise<void> {
  try {
    const file = await open(path, flags, 0o644);
    try {
      await file.writeFile(text);
      if (flags === "wx") await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    fail(shown, error);
  }
}

const REASONS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOSPC: ["the disk is full", "make room, or write elsewhere"],
  EDQUOT: ["the quota is used up", "make room, or write elsewhere"],
  EACCES: ["permission denied", "write elsewhere, or correct the permissions of its folder"],
  EROFS: ["the file system is read-only", "write elsewhere"],
  ENOENT: ["its folder is not there", "make the folder first"],
  EFBIG: ["it would be larger than this system allows", "raise the limit (`ulimit -f`), or write elsewhere"],
  EISDIR: ["it is a folder", "name a file in it"],
  ENOTDIR: ["a part of its path is a file", "name another place"],
  EEXIST: ["a file is where a folder should be", "name another place"],
};

function fail(shown: string, error: unknown): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  const [what, remedy] = REASONS[code] ?? [code, "write elsewhere"];
  throw new OutputError(`\`${shown}\` cannot be written: ${what}`, { remedy, cause: error });
}
