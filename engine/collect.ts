import { askedOf } from "./asked.ts";
import type { AnyCollector, Collector } from "./define.ts";
import { CollectError } from "./errors.ts";
import type { ClusterFact, FactKind } from "./facts.ts";
import type { Io } from "./io.ts";
import type { Cluster, Fact, Gap, Request, Snapshot } from "./model.ts";
import { settle } from "./identity.ts";
import { isUnicode } from "./json.ts";
import { stages, type Plan, type Step } from "./plan.ts";
import { seal } from "./snapshot.ts";

export interface Collecting {
  readonly collectors: readonly AnyCollector[];
  /** What to ask once the cluster's cloud is known as well as it can be. */
  readonly plan: (cluster: Cluster) => Plan;
  /** List the nodes to infer the cloud. */
  readonly inferCloud: boolean;
  /** What one collector may touch of this cluster. `facts` gives what earlier stages found. */
  readonly open: (collector: AnyCollector, facts: Io["facts"]) => Io;
  /** Ends the run; a cluster's own budget is in the signal of its `Io`, with a CollectError as its reason. */
  readonly signal: AbortSignal;
  readonly takenAt: () => string;
  /** Told of errors that are no CollectError: faults of a collector. */
  readonly onBug?: (collector: string, error: unknown) => void;
}

/**
 * Runs the plan against one cluster, stage by stage.
 *
 * Guarantees:
 *
 * 1. Whatever goes wrong in a collector becomes a gap of the kind of fact it was reading; other kinds go on.
 * 2. Once a place is unreachable it is not tried again, and costs one budget, not one for every request.
 * 3. A collector that ignores its signal is left behind, not waited for.
 *
 * Throws {@link ClusterIdentityError} where the nodes contradict the declared cloud, and the run signal's reason when it ends.
 */
export async function collect(cluster: Cluster, collecting: Collecting): Promise<Snapshot> {
  const found: (Fact | Gap)[] = [];
  const asked: Request[] = [];
  const dead = new Map<AnyCollector, CollectError>();
  const reached = new Set<AnyCollector>();
  const ios = new Map<AnyCollector, Io>();

  const factsSoFar = <K extends FactKind>(kind: K) =>
    found.filter((item): item is Fact<K> => item.type === "fact" && item.kind === kind);

  function ioOf(collector: AnyCollector): Io {
    const io = ios.get(collector) ?? collecting.open(collector, factsSoFar);
    ios.set(collector, io);
    return io;
  }

  async function runStep(step: Step): Promise<void> {
    asked.push(...step.requests.map(askedOf));
    const error = dead.get(step.collector) ?? (await readInto(found, step, cluster, ioOf(step.collector), collecting));
    collecting.signal.throwIfAborted();
    if (error === undefined) return void reached.add(step.collector);
    if (error.unreachable) dead.set(step.collector, error);
    else reached.add(step.collector);
    found.push(gapOf(error, step, cluster));
  }

  for (const step of firstPlan(collecting).flat()) await runStep(step);
  const settled = settle(cluster, factsSoFar("cluster")[0]?.data);
  for (const stage of collecting.plan(settled)) await Promise.all(stage.map(runStep));

  return seal({
    cluster: settled,
    identity: identityOf(factsSoFar("cluster")[0]?.data),
    reachable: reached.size > 0 || ios.size === 0,
    takenAt: collecting.takenAt(),
    asked,
    facts: found.filter((item) => item.type === "fact"),
    gaps: found.filter((item) => item.type === "gap"),
  });
}

/** Who is it? is asked before everything else, if any collector can tell. */
function firstPlan({ collectors, inferCloud }: Collecting): Plan {
  const canTell = collectors.some((collector) => (collector.provides as readonly string[]).includes("cluster"));
  return canTell ? stages([{ fact: "cluster", options: { nodes: inferCloud } }], collectors) : [];
}

function identityOf(fact: ClusterFact | undefined) {
  return {
    ...(fact?.kubeSystemUid === undefined ? {} : { kubeSystemUid: fact.kubeSystemUid }),
    ...(fact?.apiServerCaSha256 === undefined ? {} : { apiServerCaSha256: fact.apiServerCaSha256 }),
  };
}

async function readInto(
  found: (Fact | Gap)[],
  { collector, requests }: Step,
  cluster: Cluster,
  io: Io,
  { onBug }: Collecting,
): Promise<CollectError | undefined> {
  try {
    const items = (collector as Collector).collect(cluster, requests, io)[Symbol.asyncIterator]();
    for (;;) {
      const next = await orAborted(items.next(), io.signal);
      if (next.done) return undefined;
      if (!isUnicode(next.value)) throw notUnicode(next.value.subject);
      found.push(next.value);
    }
  } catch (error) {
    if (error instanceof CollectError) return error;
    if (io.signal.aborted && io.signal.reason instanceof CollectError) return io.signal.reason;
    onBug?.(collector.name, error);
    return new CollectError(`the collector \`${collector.name}\` failed (${error instanceof Error ? error.name : typeof error})`, {
      remedy: `this is a fault of the collector \`${collector.name}\`, not of the cluster: run again with -v and report what it prints`,
    });
  }
}

function notUnicode(subject: string): CollectError {
  return new CollectError(`\`${subject.toWellFormed()}\` holds text that is no Unicode (half of a surrogate pair)`, { remedy: "correct the object" });
}

function orAborted<T>(wait: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([wait, promise]).finally(() => signal.removeEventListener("abort", abort));
}

function gapOf(error: CollectError, step: Step, cluster: Cluster): Gap {
  return {
    type: "gap",
    kind: step.fact,
    cluster: cluster.name,
    subject: cluster.name,
    reason: error.message,
    remedy: error.remedy,
  };
}
