import { collect, plan, requestKey, stages, type AnyCollector, type AnyKind, type Assertion, type Io, type Plan, type Request, type Snapshot } from "#engine";
import { openRegistries } from "../clients/registry/index.ts";
import { openSignatures } from "../clients/signatures/index.ts";
import { openStates } from "../clients/states/index.ts";
import type { Flags } from "./flags.ts";
import type { Fleet, FleetCluster } from "./load/index.ts";
import { adopt, readSnapshot } from "./snapshots.ts";
import { innerYaml } from "./inner-yaml.ts";
import { stateTurns } from "./state-turns.ts";
import type { Terminal } from "./terminal.ts";
import { visitAll, type Visit } from "./visit.ts";

/** What to look for, and how. */
export interface Looking {
  readonly fleet: Fleet;
  readonly assertions: readonly Assertion[];
  readonly kinds: ReadonlyMap<string, AnyKind>;
  readonly collectors: readonly AnyCollector[];
  /** Only these clusters; left out: the whole fleet. */
  readonly only?: ReadonlySet<string>;
  /** List the nodes to infer the cloud; left out: where an assertion selects by it, and with `--all`. */
  readonly inferCloud?: boolean;
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
  const turn = stateTurns(clusters.flatMap(({ terraform }) => terraform.map(({ place }) => place)), flags.concurrency);
  const registries = openRegistries({ env: terminal.env, home: terminal.home, untrusted: flags.untrusted });
  const shared: Shared = { turn, registries, signatures: openSignatures() };
  const snapshots = await visitAll(clusters, { flags, terminal }, (target, visit) => lookAt(target, visit, { ...looking, ...shared }, { flags, terminal }));
  return new Map(snapshots.map((snapshot) => [snapshot.cluster.name, snapshot]));
}

/** What the clusters of one look have in common. */
interface Shared {
  readonly turn: ReturnType<typeof stateTurns>;
  readonly registries: ReturnType<typeof openRegistries>;
  readonly signatures: ReturnType<typeof openSignatures>;
}

/** Collects from the one cluster that is visited. */
async function lookAt(
  target: FleetCluster,
  visit: Visit,
  looking: Looking & Shared,
  { flags, terminal }: { readonly flags: Flags; readonly terminal: Terminal },
): Promise<Snapshot> {
  const { cluster, kubernetes } = target;
  const { fleet } = looking;
  if (kubernetes?.form === "snapshot") {
    visit.done(true);
    return adopt(await readSnapshot(kubernetes.shown, kubernetes.file), cluster);
  }
  const snapshot = await collect(cluster, {
    collectors: looking.collectors,
    inferCloud: looking.inferCloud ?? (flags.all || looking.assertions.some((assertion) => assertion.clusters.clouds !== undefined)),
    plan: (settled) => (flags.all ? everything(looking, target) : plan(settled, looking.assertions, looking.kinds, looking.collectors)),
    open: (_collector, facts): Io => ({
      signal: visit.signal,
      kubernetes: visit.open,
      allows: (probe) => flags.probe.includes(probe) || target.probes.includes(probe),
      facts,
      yaml: innerYaml,
      states: () => openStates(target.terraform, { env: terminal.env, home: terminal.home, signal: visit.signal, within: fleet.within, kubernetes: visit.open, turn: looking.turn }),
      registry: () => looking.registries.visit({ settings: target.registry, signal: visit.signal, kubernetes: visit.open }),
      signatures: () => looking.signatures,
      progress: visit.say,
    }),
    signal: terminal.signal,
    takenAt: () => (kubernetes?.form === "manifests" ? looking.now : terminal.now()),
    onBug: (collector, error) => {
      if (flags.verbose) void terminal.stderr.write(`collector ${collector}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    },
  });
  visit.done(snapshot.reachable);
  return snapshot;
}

/** What `--all` asks: what each collector can read without being told more, and what the assertions need besides. Of states only those that there are. */
function everything({ collectors, fleet, assertions, kinds }: Looking, { terraform }: FleetCluster): Plan {
  const readable = collectors.flatMap((collector): readonly Request[] => collector.everything?.() ?? (collector.provides as readonly Request["fact"][]).map((fact) => ({ fact })));
  const plain = readable.filter(({ fact }) => fact !== "declared" || terraform.length > 0);
  const needed = fleet.clusters.flatMap(({ cluster }) => plan(cluster, assertions, kinds, collectors).flat().flatMap((step) => step.requests));
  // who a cluster is has been asked before any plan
  const all = new Map([...plain, ...needed].filter(({ fact }) => fact !== "cluster").map((request) => [requestKey(request), request]));
  return stages([...all.values()], collectors);
}
