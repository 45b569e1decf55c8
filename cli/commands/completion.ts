import { readFile } from "node:fs/promises";
import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { nearest } from "../near.ts";
import { ownFile } from "../own.ts";
import type { Terminal } from "../terminal.ts";

/** Shells that have a script in `cli/completion/`. */
const SHELLS: readonly string[] = ["bash", "zsh", "fish"];

/** Prints the completion script of a shell. The scripts ask `assert __complete` what may stand at the cursor. */
export default async function completion(_flags: Flags, words: readonly string[], { stdout }: Terminal): Promise<ExitCode> {
  const [shell = ""] = words;
  if (!SHELLS.includes(shell)) {
    const near = nearest(shell, SHELLS);
    throw new UsageError(`no completion for the shell \`${shell}\``, { remedy: near === undefined ? `use one of ${SHELLS.join(", ")}` : `did you mean \`${near}\`?` });
  }
  await stdout.write(await readFile(ownFile(`cli/completion/assert.${shell}`), "utf8"));
  return exitCodes.holds;
}
