import { readFolder, type PluginFolder } from "./plugins.ts";

/** The plug-ins that come with this release, unopened. */
export interface Builtins {
  readonly kinds: readonly PluginFolder[];
  readonly collectors: readonly PluginFolder[];
}

/**
 * Reads the two rooms of the source tree. The release build puts a module with the same face in this one's place, in which every
 * entry is written out with static imports; see {@link PluginFolder} for what an entry gives.
 */
export async function loadBuiltins(): Promise<Builtins> {
  const root = new URL("../", import.meta.url);
  return {
    kinds: await readFolder(new URL("kinds/", root), "kinds"),
    collectors: await readFolder(new URL("collectors/", root), "collectors"),
  };
}
