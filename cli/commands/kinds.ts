import { byText } from "#engine";
import { columns } from "../../reports/layout.ts";
import { discover } from "../discover.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import type { Terminal } from "../terminal.ts";

/** Lists what can be asserted, ours and what --plugin brings. */
export default async function listKinds(flags: Flags, _words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { kinds } = await discover(flags.plugin, terminal.cwd);
  const loaded = await Promise.all(kinds.values().map((kind) => kind.kind()));
  const rows = loaded.toSorted((a, b) => byText(a.name, b.name)).map((kind) => [kind.name, kind.summary]);
  await terminal.stdout.write(`${columns(rows, "").join("\n")}\n\n\`assert explain KIND\` tells more about one of them\n`);
  return exitCodes.holds;
}
