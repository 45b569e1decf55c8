import pLimit from "p-limit";
import { CollectError, type KubernetesApi } from "#engine";
import { openKubernetes } from "../clients/kubernetes/index.ts";
import type { Flags } from "./flags.ts";
import type { FleetCluster } from "./load/index.ts";
import { openProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** One cluster's turn: what whoever visits it may use of it. */
export interface Visit {
  /** Ends with the run or with this cluster's budget; then its reason says which. */
  readonly signal: AbortSignal;
  /** The cluster's API, opened once. Throws CollectError. */
  open(): Promise<KubernetesApi>;
  /** A short line for somebody who waits. */
  say(text: string): void;
  /** How it went, for the same reader. */
  done(reachable: boolean): void;
}

const BUDGET_MS = 300_000;

/**
 * Visits all clusters side by side, each with a budget of its own (`--cluster-timeout`, else `budgetMs`), so that a dead one costs nobody else.
 * Answers come in the order of the clusters. What a visit throws ends all of them.
 */
export async function visitAll<T>(
  clusters: readonly FleetCluster[],
  { flags, terminal, budgetMs = BUDGET_MS }: { readonly flags: Flags; readonly terminal: Terminal; readonly budgetMs?: number },
  visit: (target: FleetCluster, visit: Visit) => Promise<T>,
): Promise<readonly T[]> {
  const progress = await openProgress(
    clusters.map(({ cluster }) => cluster.name),
    flags,
    terminal,
  );
  const stop = new AbortController();
  const whole = flags.timeoutMs === undefined ? undefined : timer(flags.timeoutMs, "the run took longer than its", "--timeout");
  const ends = [terminal.signal, stop.signal, ...(whole ? [whole.signal] : [])];
  const limit = pLimit(flags.concurrency);

  const turn = async (target: FleetCluster): Promise<T> => {
    const { name } = target.cluster;
    const budget = timer(flags.clusterTimeoutMs ?? budgetMs, `\`${name}\` took longer than its`, "--cluster-timeout");
    const signal = AbortSignal.any([...ends, budget.signal]);
    let api: Promise<KubernetesApi> | undefined;
    try {
      return await visit(target, {
        signal,
        open: () => (api ??= openPlace(target, { flags, terminal, signal })),
        say: (text) => progress.say(name, text),
        done: (reachable) => progress.done(name, reachable),
      });
    } finally {
      budget.clear();
    }
  };

  try {
    return await Promise.all(clusters.map((target) => limit(turn, target)));
  } finally {
    // when one visit ends the run, the others must not go on behind it
    stop.abort(new DOMException("the run has ended", "AbortError"));
    whole?.clear();
    await progress.close();
  }
}

async function openPlace(
  { cluster, kubernetes, refused }: FleetCluster,
  { flags, terminal, signal }: { readonly flags: Flags; readonly terminal: Terminal; readonly signal: AbortSignal },
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
function timer(ms: number, what: string, flag: string): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const handle = setTimeout(() => {
    controller.abort(new CollectError(`${what} ${ms < 1000 ? `${ms}ms` : `${ms / 1000}s`}`, { remedy: `give it more time with ${flag}, or see why it is slow`, unreachable: true }));
  }, ms);
  return { signal: controller.signal, clear: () => clearTimeout(handle) };
}
