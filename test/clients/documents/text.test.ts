import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileError, readText } from "../../../clients/documents/index.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "text-"));
});
afterAll(() => rm(folder, { recursive: true }));

const LIMIT = 1_000_000;

describe("a file's text", () => {
  it("is read without its byte order mark", async () => {
    await writeFile(join(folder, "bom.yaml"), "\u{feff}a: é\n");
    expect(await readText(join(folder, "bom.yaml"), LIMIT)).toBe("a: é\n");
  });

  it("may be exactly as large as the limit", async () => {
    await writeFile(join(folder, "full"), "12345");
    expect(await readText(join(folder, "full"), 5)).toBe("12345");
    await expect(readText(join(folder, "full"), 4)).rejects.toThrow(/has 5 bytes; at most 4 bytes are read/);
  });

  const rows: readonly (readonly [claim: string, make: (path: string) => Promise<unknown>, words: RegExp])[] = [
    ["is missing", async () => {}, /does not exist/],
    ["is a folder", (path) => import("node:fs/promises").then(({ mkdir }) => mkdir(path)), /is a directory, not a file/],
    ["is a pipe nobody writes to", async (path) => execFileSync("mkfifo", [path]), /is neither a file nor a directory/],
    ["is a link to itself", (path) => symlink(path, path), /is a link that leads back to itself/],
    ["has 100 MB", async (path) => (await writeFile(path, ""), await truncate(path, 100_000_000)), /has 100 MB; at most 1 MB are read/],
    ["is not UTF-8", (path) => writeFile(path, Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x63])), /is not UTF-8 text/],
    ["is UTF-16", (path) => writeFile(path, Buffer.from("\u{feff}a: 1\n", "utf16le")), /not UTF-8 text but UTF-16/],
  ];
  it.each(rows)("that %s is refused with a way out", async (claim, make, words) => {
    const path = join(folder, claim.replaceAll(" ", "-"));
    await make(path);
    const error = await readText(path, LIMIT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).message).toMatch(words);
    expect((error as FileError).message).toContain(path);
    expect((error as FileError).remedy).not.toBe("");
  });

  it("that is not UTF-8 is told the line of the first wrong byte", async () => {
    await writeFile(join(folder, "latin1"), Buffer.from("a: 1\nb: caf\u00e9\n", "latin1"));
    const error = await readText(join(folder, "latin1"), LIMIT).catch((thrown: unknown) => thrown as FileError);
    expect((error as FileError).at).toEqual({ file: join(folder, "latin1"), line: 2, column: 7 });
  });

  // Tests may run as root, whom no permission stops: a file that opens and fails to be read stands for one that may not be read.
  it.runIf(process.platform === "linux")("that opens but cannot be read is refused", async () => {
    await expect(readText("/proc/self/mem", LIMIT)).rejects.toThrow(/`\/proc\/self\/mem` cannot be read \(EIO\)/);
  });

  it.runIf(process.platform === "linux")("is bounded where the file system says it has no size", async () => {
    await expect(readText("/dev/zero", LIMIT)).rejects.toThrow(/has more than 1 MB/);
  });
});
