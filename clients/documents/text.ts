import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { FileError } from "./errors.ts";

/**
 * The whole text of a file, without a byte order mark.
 *
 * 1. Never holds more than `limitBytes` (and one chunk) of it, whatever the file system says about its size.
 * 2. Refuses what is no plain file, so that a pipe nobody writes to cannot stop a run; `/dev/` is exempt for `/dev/stdin` and `<(...)`.
 * 3. Throws {@link FileError} for everything that goes wrong, with the place of the first byte that is not UTF-8, under the name `shown`.
 */
export async function readText(path: string, limitBytes: number, shown = path): Promise<string> {
  return decode(await readBytes(path, limitBytes, shown), shown);
}

/**
 * The bytes of a file, within the same limits as {@link readText}. A plain file is read at once: the threads that Node starts for
 * reading beside other work cost more than most files. What waits for its writer never stops the process.
 */
export async function readBytes(path: string, limitBytes: number, shown = path): Promise<Buffer> {
  try {
    const source = isPlain(path, shown) ? plainFile(path) : await pipe(path);
    try {
      return await bytesOf(source, limitBytes, shown);
    } finally {
      await source.close();
    }
  } catch (error) {
    throw error instanceof FileError ? error : unreadable(shown, error);
  }
}

/** Something that is open, whose bytes are read one after the other. */
interface Source {
  readonly size: number;
  /** How many bytes it put into the buffer; 0 at the end. */
  read(into: Buffer): number | Promise<number>;
  close(): void | Promise<void>;
}

function isPlain(path: string, shown: string): boolean {
  const found = statSync(path);
  if (found.isDirectory()) throw notAFile(shown, "is a directory, not a file", "name a file in it");
  // An interactive pipe is opened only below /dev/: opening a named pipe waits for its writer.
  if (found.isFile() || path.startsWith("/dev/")) return found.isFile();
  throw notAFile(shown, "is neither a file nor a directory", "name a plain file, or `/dev/stdin` for what is piped in");
}

function plainFile(path: string): Source {
  const file = openSync(path, "r");
  return { size: fstatSync(file).size, read: (into) => readSync(file, into), close: () => closeSync(file) };
}

async function pipe(path: string): Promise<Source> {
  const handle = await open(path);
  return { size: 0, read: async (into) => (await handle.read(into)).bytesRead, close: () => handle.close() };
}

async function bytesOf(source: Source, limitBytes: number, shown: string): Promise<Buffer> {
  const { size } = source;
  if (size > limitBytes) throw tooLarge(shown, `has ${megabytes(size)}`, limitBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  // one more than its size: a plain file is read at once, and what follows tells that it was all
  let room = Math.max(size + 1, CHUNK);
  for (;;) {
    const buffer = Buffer.allocUnsafe(room);
    const bytesRead = await source.read(buffer);
    // a file in one piece is not held twice
    if (bytesRead === 0) return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    room = CHUNK;
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
    if (length > limitBytes) throw tooLarge(shown, `has more than ${megabytes(limitBytes)}`, limitBytes);
  }
}

const CHUNK = 64 * 1024;

function decode(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const wide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const before = new TextDecoder().decode(bytes).split("\u{fffd}", 1)[0] ?? "";
    const line = before.split("\n").length;
    throw new FileError(`\`${shown}\` is not UTF-8 text${wide ? " but UTF-16" : ""}`, {
      at: { file: shown, line, column: before.length - before.lastIndexOf("\n") },
      remedy: wide ? "save it as UTF-8 (PowerShell: `Out-File -Encoding utf8`)" : "save it as UTF-8, or name the text file that was meant",
    });
  }
}

function notAFile(shown: string, what: string, remedy: string): FileError {
  return new FileError(`\`${shown}\` ${what}`, { remedy });
}

function tooLarge(shown: string, what: string, limitBytes: number): FileError {
  return new FileError(`\`${shown}\` ${what}; at most ${megabytes(limitBytes)} are read`, {
    remedy: "check that this is the file that was meant, or split it",
  });
}

function megabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${bytes} bytes` : `${Math.round(bytes / 100_000) / 10} MB`;
}

function unreadable(shown: string, cause: unknown): FileError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const { what, remedy } = FAILURES.get(code) ?? { what: `cannot be read (${code})`, remedy: "check the disk and the path" };
  return new FileError(`\`${shown}\` ${what}`, { remedy, cause });
}

const FAILURES: ReadonlyMap<string, { readonly what: string; readonly remedy: string }> = new Map([
  ["ENOENT", { what: "does not exist", remedy: "check the spelling; relative paths start at the file that holds them, or at the working directory for flags" }],
  ["ENOTDIR", { what: "does not exist: a part of the path is a file", remedy: "check the spelling of the path" }],
  ["EISDIR", { what: "is a directory, not a file", remedy: "name a file in it" }],
  ["EACCES", { what: "may not be read by this user", remedy: "give the user that runs this the right to read it" }],
  ["EPERM", { what: "may not be read by this user", remedy: "give the user that runs this the right to read it" }],
  ["ELOOP", { what: "is a link that leads back to itself", remedy: "correct the link" }],
  ["ENAMETOOLONG", { what: "is too long for a path", remedy: "check that this is a path and not the content of a file" }],
  ["ERR_INVALID_ARG_VALUE", { what: "is no path", remedy: "remove the null byte from it" }],
  ["EMFILE", { what: "cannot be read: too many files are open", remedy: "raise the limit (`ulimit -n`)" }],
]);
