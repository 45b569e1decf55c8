import { checkIdentities, confirmed, evaluate, recheckOf, reportOn, waive, type Assertion, type Snapshot, type Waived } from "#engine";
import { istioMap } from "#values";
import { acceptanceOf, reviewOf, writeBaseline, type Acceptance } from "../acceptance.ts";
import { assertionsOf } from "../assertions.ts";
import { discover } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { exitCode, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { fleetOf } from "../fleet.ts";
import type { Fleet } from "../load/index.ts";
import { adoptAll, look, type Looking } from "../look.ts";
import { outputsOf, writeReports } from "../output.ts";
import { readSnapshots } from "../snapshots.ts";
import { fitted } from "../suite.ts";
import type { Terminal } from "../terminal.ts";
import { checkTrustedFlags } from "../trusted-flags.ts";

/** Collects what the assertions need, judges them, and reports. */
export default async function run(flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await checkTrustedFlags(flags, terminal.cwd);
  const outputs = await outputsOf(flags, terminal.cwd);
  const plugins = await discover(flags.plugin, terminal.cwd);
  const loaded = await assertionsOf(words, flags, plugins, terminal);
  const saved = flags.snapshots === undefined ? undefined : await readSnapshots(flags.snapshots, terminal);
  if (saved !== undefined && flags.confirm > 0) {
    throw new UsageError("--confirm looks again at clusters, and --snapshots contacts none", { remedy: "leave one of the two out" });
  }
  const fleet = await fleetOf(flags, terminal, saved);
  const { assertions, kinds, notes } = fitted(loaded, fleet, flags, saved);
  const started = terminal.now();
  const now = flags.now ?? started;
  const acceptance = await acceptanceOf(flags, fleet, terminal);
  const judge = judgement(fleet, kinds, acceptance, now);

  // saved snapshots need no collector: their code is not even loaded
  const looking: Looking = { fleet, assertions, kinds, collectors: saved === undefined ? await plugins.collectors() : [], now };
  const snapshots = saved === undefined ? await look(looking, flags, terminal) : adoptAll(saved, fleet);
  checkIdentities([...snapshots.values()], pinsOf(fleet));

  const judged = await confirm(judge(assertions, snapshots), snapshots, { looking, judge, flags, terminal });
  const review = reviewOf(acceptance, judged, now);
  const report = reportOn(judged, clustersOf(fleet, snapshots), snapshots, [...notes, ...fleet.notes, ...warnings(snapshots), ...review.notes], review.waivers);
  await writeReports(report, outputs, flags, terminal, { now, seconds: (Date.parse(terminal.now()) - Date.parse(started)) / 1000 });
  await writeBaseline(judged, flags, terminal);
  return exitCode(report);
}

type Judge = (assertions: readonly Assertion[], snapshots: ReadonlyMap<string, Snapshot>) => readonly Waived[];

function judgement(fleet: Fleet, kinds: Looking["kinds"], { waivers, baseline }: Acceptance, now: string): Judge {
  const map = istioMap(fleet.istioMap);
  return (assertions, snapshots) => waive(evaluate(kinds, assertions, { fleet: clustersOf(fleet, snapshots), snapshots, now, istioMap: map }), waivers, now, baseline);
}

/** Looks again, as often as `--confirm` says, at what the faults rest on. */
async function confirm(
  first: readonly Waived[],
  snapshots: ReadonlyMap<string, Snapshot>,
  { looking, judge, flags, terminal }: { readonly looking: Looking; readonly judge: Judge; readonly flags: Flags; readonly terminal: Terminal },
): Promise<readonly Waived[]> {
  const looks = [first];
  const { assertions, clusters } = recheckOf(first);
  for (let times = 0; times < flags.confirm && assertions.length > 0; times += 1) {
    const again = await look({ ...looking, assertions, only: clusters }, flags, terminal);
    looks.push(judge(assertions, new Map([...snapshots, ...again])));
  }
  return confirmed(looks);
}

/** The fleet, with what the nodes say of each cluster where the file says nothing. */
function clustersOf(fleet: Fleet, snapshots: ReadonlyMap<string, Snapshot>) {
  return fleet.clusters.map(({ cluster }) => snapshots.get(cluster.name)?.cluster ?? cluster);
}

function pinsOf(fleet: Fleet): ReadonlyMap<string, string> {
  return new Map(fleet.clusters.flatMap(({ cluster, pin }) => (pin === undefined ? [] : [[cluster.name, pin] as const])));
}

/** What nobody asked for as a fact, but a reader should know: a cluster that may not say who it is could be another one. */
function warnings(snapshots: ReadonlyMap<string, Snapshot>): readonly string[] {
  return [...snapshots.values()]
    .filter((snapshot) => snapshot.reachable)
    .flatMap(({ cluster, gaps }) => gaps.filter((gap) => gap.kind === "cluster").map((gap) => `\`${cluster.name}\`: ${gap.reason}; ${gap.remedy}`));
}
