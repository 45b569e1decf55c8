import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PluginError } from "#engine";

/** One folder of a plug-in, found but not opened: what a run does not use costs nothing. */
export interface PluginFolder {
  readonly type: "kind" | "collector";
  /** As messages name it: `kinds/envoy-version-skew`, or the path that `--plugin` gave. */
  readonly folder: string;
  /** The folder's own name, the kebab form of the kind. */
  readonly name: string;
  /** The module `kind.ts` or `collector.ts`. */
  load(): Promise<{ readonly default?: unknown }>;
  /** Text of `schema.json`; only of kinds. */
  schema(): Promise<string>;
  /** The validator compiled ahead, `validate.generated.js`, where there is one. */
  validator(): Promise<unknown>;
  /** Text of `README.md`. */
  readme(): Promise<string>;
}

/** Files that a room of plug-ins may hold beside their folders. */
const LOOSE_FILES = new Set(["README.md", "package.json", "package-lock.json", "tsconfig.json", "LICENSE"]);
const LOOSE_FOLDERS = new Set(["node_modules"]);

/**
 * The plug-ins of a room of folders. Anything else in it is refused: a folder that was misnamed or half built must not be skipped in silence.
 * A room that is not there is empty. Throws {@link PluginError}.
 */
export async function readFolder(room: string | URL, shown: string): Promise<readonly PluginFolder[]> {
  const path = typeof room === "string" ? room : fileURLToPath(room);
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const found: PluginFolder[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || LOOSE_FILES.has(entry.name) || LOOSE_FOLDERS.has(entry.name)) continue;
    const plugin = await pluginAt(join(path, entry.name), `${shown}/${entry.name}`);
    if (plugin === undefined) throw stranger(`${shown}/${entry.name}`);
    found.push(plugin);
  }
  return found;
}

/** What `--plugin DIR` names: one plug-in's folder, or a room of them. Throws {@link PluginError}. */
export async function readPluginDir(path: string, shown: string): Promise<readonly PluginFolder[]> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new PluginError(`\`${shown}\` is no folder`, { remedy: "name the folder of a plug-in, or a folder that holds such folders, after --plugin" });
  }
  const one = await pluginAt(path, shown);
  if (one) return [one];
  const room = await readFolder(path, shown);
  if (room.length === 0) throw stranger(shown);
  return room;
}

async function pluginAt(path: string, shown: string): Promise<PluginFolder | undefined> {
  const files = new Set(await readdir(path).catch(() => []));
  for (const type of ["kind", "collector"] as const) {
    const main = [`${type}.ts`, `${type}.js`, `${type}.mjs`].find((file) => files.has(file));
    if (main === undefined) continue;
    return {
      type,
      folder: shown,
      name: basename(path),
      load: () => importFrom(join(path, main), shown),
      schema: () => text(path, shown, "schema.json"),
      validator: async () => (files.has("validate.generated.js") ? importFrom(join(path, "validate.generated.js"), shown) : undefined),
      readme: () => text(path, shown, "README.md"),
    };
  }
  return undefined;
}

async function importFrom(path: string, shown: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  } catch (cause) {
    throw new PluginError(`\`${shown}/${basename(path)}\` cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      remedy: "this is a fault of the plug-in: see that it is built and that its dependencies are installed",
      cause,
    });
  }
}

async function text(path: string, shown: string, file: string): Promise<string> {
  try {
    return await readFile(join(path, file), "utf8");
  } catch (cause) {
    throw new PluginError(`\`${shown}\` has no readable \`${file}\``, { remedy: `add \`${file}\`: every kind has one`, cause });
  }
}

function stranger(shown: string): PluginError {
  return new PluginError(`\`${shown}\` is no plug-in: it holds neither \`kind.ts\` nor \`collector.ts\` (nor one of them built to \`.js\`)`, {
    remedy: "move it out of the folder of plug-ins, or add the missing file",
  });
}
