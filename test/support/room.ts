import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export const root = join(import.meta.dirname, "..", "..");

/** What stands in a room of plug-ins: its folders, and everything else. */
export function roomOf(path: string): { readonly folders: readonly string[]; readonly others: readonly string[] } {
  const entries = readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    folders: entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name)),
    others: entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
  };
}

/** The default export of a plug-in's main file. */
export async function pluginIn<T>(folder: string, file: string): Promise<T> {
  const module = (await import(pathToFileURL(join(folder, file)).href)) as { readonly default: T };
  return module.default;
}
