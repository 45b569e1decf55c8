import { resolve } from "node:path";
import { byText, checkIdentities } from "#engine";
import { columns, count } from "../../reports/layout.ts";
import { assertionsOf } from "../assertions.ts";
import { discover } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { checkFolder } from "../files.ts";
import type { Flags } from "../flags.ts";
import { fleetOf } from "../fleet.ts";
import { look } from "../look.ts";
import { writeSnapshots } from "../snapshots.ts";
import { fitted } from "../suite.ts";
import type { Terminal } from "../terminal.ts";
import { checkTrustedFlags } from "../trusted-flags.ts";

/** Writes one snapshot per cluster and judges nothing: 0 when the files are there, whatever gaps they hold. */
export default async function collectSnapshots(flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await checkTrustedFlags(flags, terminal.cwd);
  if (flags.out === undefined) throw new UsageError("`assert collect` does not know where to write", { remedy: "name a folder: `assert collect --out snapshots`" });
  if (flags.snapshots !== undefined) throw new UsageError("--snapshots contacts no cluster, and `assert collect` does nothing else", { remedy: "leave --snapshots out" });
  await checkFolder(resolve(terminal.cwd, flags.out), flags.out);
  const plugins = await discover(flags.plugin, terminal.cwd);
  const loaded = await assertionsOf(words, flags, plugins, terminal);
  const fleet = await fleetOf(flags, terminal);
  const { assertions, kinds } = fitted(loaded, fleet, flags);
  const now = flags.now ?? terminal.now();

  const snapshots = [...(await look({ fleet, assertions, kinds, collectors: await plugins.collectors(), now }, flags, terminal)).values()];
  checkIdentities(snapshots, new Map(fleet.clusters.flatMap(({ cluster, pin }) => (pin === undefined ? [] : [[cluster.name, pin] as const]))));
  const sorted = snapshots.sort((a, b) => byText(a.cluster.name, b.cluster.name));
  const files = await writeSnapshots(sorted, flags.out, terminal);

  const rows = sorted.map(({ cluster, facts, gaps, sha256 }, index) => [
    cluster.name,
    count(facts.length, "fact"),
    count(gaps.length, "gap"),
    sha256.slice(0, 12),
    files[index] ?? "",
  ]);
  if (!flags.quiet) await terminal.stdout.write(`${columns(rows, "").join("\n")}\n`);
  return exitCodes.holds;
}
