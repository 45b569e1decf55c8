import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";

const MOST_FILES = 20_000;
const LARGEST_FILE = 64 * 1024 * 1024;
const LARGEST_TREE = 512 * 1024 * 1024;

/**
 * Lays the manifests of `git:REV:PATH` out in a folder of their own, hands it over and removes it again.
 * The working tree is not touched, links are left out, and nothing of the repository is run.
 */
export async function withGitFolder<T>(word: string, terminal: Terminal, use: (folder: string) => Promise<T>): Promise<T> {
  const { revision, path } = partsOf(word);
  const folder = await mkdtemp(join(tmpdir(), "cloud-assert-git-")).catch((cause: unknown) => {
    throw new UsageError(`\`${word}\` needs a folder for its files, and \`${tmpdir()}\` cannot be written to`, { remedy: "set TMPDIR to a folder that can", cause });
  });
  try {
    return await use(await layOut(word, revision, path, folder, terminal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The text of one file, by the name that sources give it: `git:REV:PATH/file.yaml`. */
export async function gitText(file: string, terminal: Terminal): Promise<string> {
  const { revision, path } = partsOf(file);
  return (await git(["cat-file", "blob", `${revision}:./${path}`], file, terminal)).toString("utf8");
}

function partsOf(word: string): { readonly revision: string; readonly path: string } {
  const [, revision = "", path = ""] = /^git:([^:]+):(.+)$/s.exec(word) ?? [];
  if (revision !== "" && path !== "" && !revision.startsWith("-")) return { revision, path };
  throw new UsageError(`\`${word}\` names no revision and path`, { remedy: "write `git:REV:PATH`, such as `git:main:deploy/mesh`" });
}

/** Where the files are: the folder for a directory, the file itself for a file. */
async function layOut(word: string, revision: string, path: string, folder: string, terminal: Terminal): Promise<string> {
  const commit = (await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`], word, terminal)).toString("utf8").trim();
  const listed = (await git(["ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--", await fromTop(path, word, terminal)], word, terminal)).toString("utf8");
  const files = listed.split("\0").flatMap((line) => fileOf(line));
  if (files.length === 0) throw new UsageError(`\`${word}\`: \`${revision}\` holds nothing at \`${path}\``, { remedy: "check the path; it is read from the folder in which the command runs" });
  const wanted = files.filter((file) => /\.(ya?ml|json)$/i.test(file.path));
  if (wanted.length > MOST_FILES) throw tooMuch(word, `more than ${MOST_FILES} manifests`);
  if (wanted.some(({ size }) => size > LARGEST_FILE) || wanted.reduce((sum, { size }) => sum + size, 0) > LARGEST_TREE) throw tooMuch(word, `more than ${LARGEST_TREE} bytes of manifests, or a file of more than ${LARGEST_FILE}`);
  const top = await fromTop(path, word, terminal);
  for (const file of wanted) {
    const own = posix.relative(top, file.path) || posix.basename(file.path);
    const to = join(folder, own);
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, await git(["cat-file", "blob", file.object], word, terminal));
    if (file.path === top) return to;
  }
  return folder;
}

function tooMuch(word: string, what: string): UsageError {
  return new UsageError(`\`${word}\` holds ${what}`, { remedy: "name a smaller folder" });
}

interface GitFile {
  readonly object: string;
  readonly size: number;
  readonly path: string;
}

/** A plain file; links and submodules lead elsewhere. */
function fileOf(line: string): readonly GitFile[] {
  const [, object = "", size = "", path = ""] = /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t(.+)$/s.exec(line) ?? [];
  return object === "" ? [] : [{ object, size: Number(size), path }];
}

/** The path from the top of the repository, for one that is meant from where the command runs. */
async function fromTop(path: string, word: string, terminal: Terminal): Promise<string> {
  const prefix = (await git(["rev-parse", "--show-prefix"], word, terminal)).toString("utf8").replace(/\n$/, "");
  const joined = posix.normalize(posix.join(prefix, path)).replace(/\/$/, "");
  if (joined.startsWith("..") || joined.startsWith("/")) throw new UsageError(`\`${word}\` leads out of the repository`, { remedy: "name a path inside it" });
  return joined;
}

async function git(words: readonly string[], word: string, terminal: Terminal): Promise<Buffer> {
  const env = { ...terminal.env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", GIT_LITERAL_PATHSPECS: "1" };
  // A repository can name programs that git would start for these two.
  const child = spawn("git", ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", ...words], { cwd: terminal.cwd, env, stdio: ["ignore", "pipe", "pipe"], signal: terminal.signal });
  const chunks: Buffer[] = [];
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(0, 500)));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject);
  child.on("close", resolve);
  const code = await promise.catch((cause: unknown) => {
    terminal.signal.throwIfAborted();
    throw new UsageError("`git` cannot be started", { remedy: "install git, or name a folder in place of `git:…`", cause });
  });
  terminal.signal.throwIfAborted();
  if (code === 0) return Buffer.concat(chunks);
  const reason = said.trim().split("\n")[0] ?? "";
  throw new UsageError(`\`${word}\` cannot be read from git${reason === "" ? "" : `: ${reason}`}`, { remedy: "check the revision and the path; the command must run inside the repository" });
}
