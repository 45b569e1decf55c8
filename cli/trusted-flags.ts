import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { UsageError } from "./errors.ts";
import type { Flags } from "./flags.ts";

/** Under `--untrusted` no code is loaded from the checkout, whoever named it. Throws {@link UsageError}. */
export async function checkTrustedFlags({ untrusted, plugin }: Pick<Flags, "untrusted" | "plugin">, cwd: string): Promise<void> {
  if (!untrusted) return;
  const checkout = await realpath(cwd);
  for (const dir of plugin) {
    const path = await realpath(resolve(cwd, dir)).catch(() => resolve(cwd, dir));
    if (path === checkout || path.startsWith(checkout + sep)) {
      throw new UsageError(`--untrusted: \`--plugin ${dir}\` lies in the checkout, and its code would be run`, {
        remedy: "load plug-ins from a place that the commit cannot change",
      });
    }
  }
}
