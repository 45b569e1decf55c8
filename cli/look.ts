import pLimit from "p-limit";
import { collect, CollectError, plan, requestKey, stages, type AnyCollector, type AnyKind, type Assertion, type Io, type KubernetesApi, type Plan, type Request, type Snapshot } from "#engine";
import { openKubernetes } from "../clients/kubernetes/index.ts";
import type { Flags } from "./flags.ts";
import type { Fleet, FleetCluster } from "./load/index.ts";
import { openProgress, type Progress } from "./progress.ts";
import { adopt, readSnapshot } from "./snapshots.ts";
import type { Terminal } from "./terminal.ts";

/** What to look for, and how. */
export interface Looking {
  readonly fleet: Fleet;
  readonly assertions: readonly Assertion[];
  readonly kinds: ReadonlyMap<string, AnyKind>;
  readonly collectors: readonly AnyCollector[];
  /** Only these clusters; left out: the whole fleet. */
  readonly only?: ReadonlySet<string>;
  /** Time of the run: what files hold is as old as that. */
  readonly now: string;
}

/** Saved snapshots as those of the fleet's clusters. What nobody saved is left out, and becomes a gap. */
export function adoptAll(saved: ReadonlyMap<string, Snapshot>, fleet: Fleet): ReadonlyMap<string, Snapshot> {
  return new Map(
    fleet.clusters.flatMap(({ cluster }) => {
      const snapshot = saved.get(cluster.name);
      return snapshot === undefined ? [] : [[cluster.name, adopt(snapshot, cluster)] as const];
    }),
  );
}

/**
 * Collects from all clusters side by side, each with a budget of its own. What cannot be read is in the snapshots as gaps.
 * Throws for what must stop a run: an interruption, a contradiction of clouds, a fault of a plug-in.
 */
export async function look(looking: Looking, flags: Flags, terminal: Terminal): Promise<ReadonlyMap<string, Snapshot>> {
  const { fleet, only } = looking;
  const clusters = fleet.clusters.filter(({ cluster }) => only === undefined || only.has(cluster.name));
  const progress = await openProgress(
    clusters.map(({ cluster }) => cluster.name),
    flags,
    terminal,
  );
  const stop = new AbortController();
  const whole = timer(flags.timeoutMs, "the run took longer than its", "--timeout");
  const signals = [terminal.signal, stop.signal, ...(whole ? [whole.signal] : [])];
  const limit = pLimit(flags.concurrency);
  try {
    const snapshots = await Promise.all(
      clusters.map((cluster) =>
        limit(async () => [cluster.cluster.name, await lookAt(cluster, looking, { flags, terminal, progress, signals })] as const),
      ),
    );
    return new Map(snapshots);
  } finally {
    // when one look ends the run, the others must not go on behind it
    stop.abort(new DOMException("the run has ended", "AbortError"));
    whole?.clear();
    await progress.close();
  }
}

interface Around {
  readonly flags: Flags;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly signals: readonly AbortSignal[];
}

async function lookAt(target: FleetCluster, looking: Looking, { flags, terminal, progress, signals }: Around): Promise<Snapshot> {
  const { cluster, kubernetes } = target;
  if (kubernetes?.form === "snapshot") return adopt(await readSnapshot(kubernetes.file), cluster);

  const budget = timer(flags.clusterTimeoutMs, `\`${cluster.name}\` took longer than its`, "--cluster-timeout");
  const signal = AbortSignal.any([...signals, ...(budget ? [budget.signal] : [])]);
  let api: Promise<KubernetesApi> | undefined;
  const open = (): Promise<KubernetesApi> => (api ??= openPlace(target, { flags, terminal, signal }));
  try {
    const snapshot = await collect(cluster, {
      collectors: looking.collectors,
      inferCloud: flags.all || looking.assertions.some((assertion) => assertion.clusters.clouds !== undefined),
      plan: (settled) => (flags.all ? everything(looking) : plan(settled, looking.assertions, looking.kinds, looking.collectors)),
      open: (_collector, facts): Io => ({
        signal,
        kubernetes: open,
        allows: (probe) => flags.probe.includes(probe) || target.probes.includes(probe),
        facts,
        progress: (text) => progress.say(cluster.name, text),
      }),
      signal: terminal.signal,
      takenAt: () => (kubernetes?.form === "manifests" ? looking.now : terminal.now()),
      onBug: (collector, error) => {
        if (flags.verbose) void terminal.stderr.write(`collector ${collector}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      },
    });
    progress.done(cluster.name, snapshot.reachable);
    return snapshot;
  } finally {
    budget?.clear();
  }
}

/** What `--all` asks: what each collector can read without being told more, and what the assertions need besides. */
function everything({ collectors, fleet, assertions, kinds }: Looking): Plan {
  const plain = collectors.flatMap((collector): readonly Request[] => collector.everything?.() ?? (collector.provides as readonly Request["fact"][]).map((fact) => ({ fact })));
  const needed = fleet.clusters.flatMap(({ cluster }) => plan(cluster, assertions, kinds, collectors).flat().flatMap((step) => step.requests));
  // who a cluster is has been asked before any plan
  const all = new Map([...plain, ...needed].filter(({ fact }) => fact !== "cluster").map((request) => [requestKey(request), request]));
  return stages([...all.values()], collectors);
}

async function openPlace(
  { cluster, kubernetes, refused }: FleetCluster,
  { flags, terminal, signal }: Pick<Around, "flags" | "terminal"> & { readonly signal: AbortSignal },
): Promise<KubernetesApi> {
  if (refused !== undefined) throw new CollectError(refused.reason, { remedy: refused.remedy, unreachable: true });
  if (kubernetes === undefined || kubernetes.form === "snapshot") {
    throw new CollectError(`the fleet names no Kubernetes API for \`${cluster.name}\``, {
      remedy: `add \`kubernetes:\` to \`${cluster.name}\` in the fleet file`,
      unreachable: true,
    });
  }
  return openKubernetes(kubernetes, { env: terminal.env, home: terminal.home, signal, allowExec: !flags.untrusted });
}

/** A budget: its signal aborts with the words of the gap that follows. */
function timer(ms: number | undefined, what: string, flag: string): { readonly signal: AbortSignal; clear(): void } | undefined {
  if (ms === undefined) return undefined;
  const controller = new AbortController();
  const handle = setTimeout(() => {
    controller.abort(new CollectError(`${what} ${ms < 1000 ? `${ms}ms` : `${ms / 1000}s`}`, { remedy: `give it more time with ${flag}, or see why it is slow`, unreachable: true }));
  }, ms);
  return { signal: controller.signal, clear: () => clearTimeout(handle) };
}
