import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { byText, type Verdict } from "#engine";
import { parseDocuments, readText } from "../clients/documents/index.ts";
import { NothingToRunError } from "./errors.ts";
import { InvalidDocumentError } from "./load/errors.ts";

/** A folder with objects of each cluster, and the verdicts that are expected of assertions on them. */
export interface TestWorld {
  /** As the user would name it. */
  readonly name: string;
  readonly dir: string;
  /** The assertion file, as the user would name it. */
  readonly assertions: string;
  readonly clusters: readonly { readonly name: string; readonly dir: string; readonly shown: string }[];
  /** Kinds of object that nobody may list in this world. */
  readonly unseen: readonly string[];
  readonly expect: ReadonlyMap<string, Expectation>;
}

export interface Expectation {
  readonly verdict: Verdict;
  /** Subjects of all faults and undecided findings; left out: not looked at. */
  readonly subjects?: readonly string[] | undefined;
}

const EXPECTED = "expected.yaml";
const LIMIT = 1024 * 1024;
const DEEPEST = 8;
const EXAMPLE = "expect: { mtls-strict: { verdict: violated, subjects: [istio-system/default] } }";

/** Every world at or below a folder, sorted. Throws UserErrors for one that is not whole. */
export async function findWorlds(dir: string, cwd: string): Promise<readonly TestWorld[]> {
  const folders = await foldersWith(EXPECTED, resolve(cwd, dir), 0);
  if (folders.length === 0) {
    throw new NothingToRunError(`\`${dir}\` holds no \`${EXPECTED}\``, { remedy: `a world is a folder with \`assertions.yaml\`, \`clusters/NAME/*.yaml\` and \`${EXPECTED}\`: \`${EXAMPLE}\`` });
  }
  return Promise.all(folders.map((folder) => readWorld(folder, join(dir, relative(resolve(cwd, dir), folder)), cwd)));
}

async function foldersWith(file: string, dir: string, depth: number): Promise<readonly string[]> {
  if (depth > DEEPEST) return [];
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: unknown) => {
    throw new NothingToRunError(`\`${dir}\` is no folder that can be read`, { remedy: "name a folder that holds worlds", cause });
  });
  if (entries.some((entry) => entry.isFile() && entry.name === file)) return [dir];
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules").sort((a, b) => byText(a.name, b.name));
  return (await Promise.all(below.map((entry) => foldersWith(file, join(dir, entry.name), depth + 1)))).flat();
}

async function readWorld(dir: string, name: string, cwd: string): Promise<TestWorld> {
  const shown = join(name, EXPECTED);
  const [document] = parseDocuments(await readText(join(dir, EXPECTED), LIMIT), shown, "assert");
  const wrong = (message: string, path: readonly string[] = []) => new InvalidDocumentError(message, { at: document?.positionOf(path) ?? { file: shown, line: 1, column: 1 }, remedy: `write for example \`${EXAMPLE}\`` });
  if (!isMap(document?.value)) throw wrong("the file holds no expectation");
  const { uses, unseen = [], expect, ...others } = document.value;
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) throw wrong(`unknown field \`${stranger}\`; known are \`uses\`, \`unseen\` and \`expect\``, [stranger]);
  if (uses !== undefined && typeof uses !== "string") throw wrong("`uses` is no path", ["uses"]);
  if (!Array.isArray(unseen) || !unseen.every((kind) => typeof kind === "string")) throw wrong("`unseen` is no list of kinds", ["unseen"]);
  if (!isMap(expect) || Object.keys(expect).length === 0) throw wrong("`expect` names no assertion", ["expect"]);
  const expected = Object.entries(expect).map(([assertion, value]) => {
    const found = expectationOf(value);
    if (found === undefined) throw wrong(`\`expect.${assertion}\` needs a \`verdict\` (holds, violated or undecided) and may have \`subjects\``, ["expect", assertion]);
    return [assertion, found] as const;
  });
  const assertions = uses === undefined ? join(name, "assertions.yaml") : relative(cwd, resolve(dir, uses));
  return { name, dir, assertions, clusters: await clustersOf(dir, name), unseen, expect: new Map(expected) };
}

function expectationOf(value: unknown): Expectation | undefined {
  if (!isMap(value)) return undefined;
  const { verdict, subjects, ...others } = value;
  if (Object.keys(others).length > 0 || (verdict !== "holds" && verdict !== "violated" && verdict !== "undecided")) return undefined;
  if (subjects === undefined) return { verdict };
  return Array.isArray(subjects) && subjects.every((subject) => typeof subject === "string") ? { verdict, subjects } : undefined;
}

async function clustersOf(dir: string, name: string): Promise<TestWorld["clusters"]> {
  const root = join(dir, "clusters");
  if (!(await stat(root).catch(() => undefined))?.isDirectory()) {
    throw new InvalidDocumentError(`\`${name}\` has no folder \`clusters\``, { at: { file: join(name, EXPECTED), line: 1, column: 1 }, remedy: "put the objects of each cluster into `clusters/NAME/*.yaml`" });
  }
  const entries = await readdir(root, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ name: basename(entry.name), dir: join(root, entry.name), shown: join(name, "clusters", entry.name) }))
    .sort((a, b) => byText(a.name, b.name));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

