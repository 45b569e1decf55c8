import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { kebab, pascal } from "../cli/discover.ts";

const root = join(import.meta.dirname, "..");
const template = join(import.meta.dirname, "templates", "kind", "template-kind");

/** A name that cannot be used; the message says what to write. */
class NameError extends Error {
  override readonly name = "NameError";
}

/** `ImageParity` and `image-parity` are the two forms of one name. */
export function kindNames(name: string): { readonly word: string; readonly folder: string } {
  const folder = /^[A-Z]/.test(name) ? kebab(name) : name;
  const word = pascal(folder);
  if (!/^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(folder) || folder.length > 60 || ![word, folder].includes(name)) {
    throw new NameError(`\`${name}\` is no name for a kind; write it as \`ImageParity\` or \`image-parity\``);
  }
  return { word, folder };
}

/**
 * Writes a new kind from the template, which is itself compiled and tested, and returns its folder.
 * Throws {@link NameError} for a bad name and for one that is taken; leaves nothing half written.
 */
export function newKind(name: string, kinds: string): string {
  const names = kindNames(name);
  const folder = join(kinds, names.folder);
  if (existsSync(folder)) throw new NameError(`\`${relative(root, folder)}\` is there already; choose another name, or change that one`);

  const draft = mkdtempSync(join(kinds, "..", ".new-kind-"));
  try {
    const made = join(draft, names.folder);
    cpSync(template, made, { recursive: true });
    for (const file of filesOf(made)) {
      writeFileSync(file, readFileSync(file, "utf8").replaceAll("TemplateKind", names.word).replaceAll("template-kind", names.folder));
    }
    renameSync(made, folder);
  } finally {
    rmSync(draft, { recursive: true });
  }
  return folder;
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const USAGE = "npm run new kind NAME, for example: npm run new kind ImageParity";

function main(): void {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [what, name, ...more] = positionals;
  if (what !== "kind" || name === undefined || more.length > 0) throw new NameError(`nothing to make; write: ${USAGE}`);
  const folder = relative(process.cwd(), newKind(name, join(root, "kinds")));
  execFileSync(process.execPath, [join(import.meta.dirname, "generate.ts")], { stdio: "inherit" });
  console.log(`wrote ${folder}/; now change schema.json, kind.ts, README.md and the three examples, then: npm run generate && npx vitest run test/contracts`);
}

if (import.meta.main) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(error instanceof NameError ? `error: ${error.message}` : error);
    process.exitCode = 3;
  }
}
