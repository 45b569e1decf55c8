import type { Position } from "#engine";
import { FileError, parseDocuments, readText, type Document } from "../../clients/documents/index.ts";
import type { LoadOptions } from "./trust.ts";

const DEFAULT_LIMIT = 16 * 1024 * 1024;

/** A file as the system finds it and as the user knows it. */
interface UserFile {
  readonly path: string;
  readonly shown: string;
  /** Where a document names it; left out for files that a flag names. */
  readonly at?: Position | undefined;
}

/** The documents of a file, in our own dialect. What is wrong with it is told by the name that the user gave it. */
export async function readDocuments({ path, shown, at }: UserFile, { limitBytes }: LoadOptions): Promise<readonly Document[]> {
  return parseDocuments(await readTextOf({ path, shown, at }, limitBytes ?? DEFAULT_LIMIT), shown, "assert");
}

/** The text of a file, UTF-8, at most `limit` bytes. Throws FileError with the name that the user gave it. */
export async function readTextOf({ path, shown, at }: UserFile, limit: number): Promise<string> {
  return readText(path, limit, shown).catch((error: unknown) => {
    throw error instanceof FileError && error.at === undefined && at !== undefined ? new FileError(error.message, { remedy: error.remedy, at }) : error;
  });
}
