import pLimit from "p-limit";
import { byText, canonical, CollectError, type Cluster, type Fact, type Gap, type Io, type KubernetesApi, type LoadedRoutes, type Request } from "#engine";
import { keptOf } from "./loaded-dump.ts";
import { PROXY } from "./pod-proxy.ts";
import { scanPods, type RunningProxy } from "./pods.ts";

/** Proxies that are asked in one cluster, where nobody says otherwise. */
const MOST_PROXIES = 500;
const AT_ONCE = 6;
/** The dump of a proxy that sees ten thousand services. */
const DUMP_BYTES = 128 << 20;
/** Proxies that did not answer and are told one by one. */
const MOST_FAILURES = 20;

/**
 * What the running sidecars and gateways of a cluster have loaded, each asked through its admin interface.
 *
 * Guarantees:
 *
 * 1. Nothing is asked unless the fleet allows the probe `admin`; that is a gap.
 * 2. A proxy that does not answer is a gap, and those beyond the limit are one gap with their number. Every workload is asked first.
 * 3. Proxies of one workload with the same labels that have loaded the same are one fact. Of their dumps what routes is kept, no secret.
 */
export async function* readLoadedRoutes(cluster: Cluster, request: Pick<Request, "options">, io: Io): AsyncIterable<Fact<"loaded-routes"> | Gap> {
  const api = await io.kubernetes();
  const about = { type: "gap", kind: "loaded-routes", cluster: cluster.name, subject: `${cluster.name}/proxies` } as const;
  if (api.place !== "live") return yield { ...about, reason: "a folder of manifests does not tell what proxies have loaded", remedy: "name the live cluster, and allow the probe `admin`" };
  if (!io.allows("admin")) return yield { ...about, reason: "what proxies have loaded was not asked: the probe `admin` is not allowed", remedy: "allow the probe `admin` (permissions `get` and `create` on `pods/exec`)" };

  const running = await scanPods(api, io, "askable");
  const most = limitOf(request);
  const asked = everyWorkloadFirst(running).slice(0, most);
  const limit = pLimit(AT_ONCE);
  const [one, ...others] = asked;
  if (one === undefined) return;
  // What has nothing to do with the pod, a right that lacks say, is the same for all.
  const first = await ask(one, api, io);
  if ("reason" in first && !first.reason.includes(one.name)) return yield { ...about, reason: first.reason, remedy: first.remedy };
  const answers = [first, ...(await Promise.all(others.map((proxy) => limit(() => ask(proxy, api, io)))))];
  io.signal.throwIfAborted();
  const failures = answers.filter((answer): answer is Failure => "reason" in answer);
  for (const { proxy, reason, remedy } of failures.slice(0, MOST_FAILURES)) yield { ...about, subject: `${proxy.namespace}/${proxy.name}`, reason, remedy };
  if (failures.length > MOST_FAILURES) yield { ...about, reason: `${failures.length - MOST_FAILURES} more proxies did not tell what they have loaded`, remedy: "repair what the other gaps name first" };
  if (running.length > most) yield { ...about, subject: `${cluster.name}/more proxies`, reason: `${running.length} proxies run and at most ${most} are asked: ${running.length - most} were not`, remedy: "raise `maxProbes`, or narrow `namespaces`" };
  yield* factsOf(cluster, answers.filter((answer): answer is Told => "dump" in answer));
}

function limitOf({ options }: Pick<Request, "options">): number {
  const most = options?.["maxProbes"];
  return typeof most === "number" ? most : MOST_PROXIES;
}

/** One of each workload, then a second of each, and so on. */
function everyWorkloadFirst(running: readonly RunningProxy[]): readonly RunningProxy[] {
  const groups = [...Map.groupBy(running, ({ namespace, workload }) => `${namespace}/${workload}`)].toSorted(([a], [b]) => byText(a, b)).map(([, own]) => own.toSorted((a, b) => byText(a.name, b.name)));
  const rounds = Math.max(0, ...groups.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => groups.flatMap((group) => group[round] ?? [])).flat();
}

interface Told {
  readonly proxy: RunningProxy;
  readonly dump: LoadedRoutes["dump"];
}

interface Failure {
  readonly proxy: RunningProxy;
  readonly reason: string;
  readonly remedy: string;
}

async function ask(proxy: RunningProxy, api: KubernetesApi, io: Io): Promise<Told | Failure> {
  io.signal.throwIfAborted();
  try {
    const text = await api.podExec({ namespace: proxy.namespace, name: proxy.name }, PROXY, ["pilot-agent", "request", "GET", "config_dump"], DUMP_BYTES);
    const dump = parse(text);
    if (dump === undefined) return { proxy, reason: `the proxy of \`${proxy.namespace}/${proxy.name}\` does not tell what it has loaded`, remedy: "look at `pilot-agent request GET config_dump` in that pod" };
    return { proxy, dump: keptOf(dump, proxy.workload) };
  } catch (error) {
    io.signal.throwIfAborted();
    if (!(error instanceof CollectError) || error.unreachable) throw error;
    return { proxy, reason: error.message, remedy: error.remedy };
  }
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "configs" in value ? value : undefined;
  } catch {
    // told by the caller: the parser's words would quote the dump
    return undefined;
  }
}

function* factsOf(cluster: Cluster, answers: readonly Told[]): Iterable<Fact<"loaded-routes">> {
  const groups = Map.groupBy(answers, ({ proxy: { namespace, workload, role, labels }, dump }) => canonical({ namespace, workload, role, labels, dump }));
  const numbers = new Map<string, number>();
  for (const [, group] of [...groups].toSorted(([a], [b]) => byText(a, b))) {
    const proxies = group.map(({ proxy }) => proxy).toSorted((a, b) => byText(a.name, b.name));
    const [first] = proxies, [told] = group;
    if (first === undefined || told === undefined) continue;
    const { namespace, workload, role, labels, name, source } = first;
    const subject = `${namespace}/${workload} ${role}`;
    const number = (numbers.get(subject) ?? 0) + 1;
    numbers.set(subject, number);
    yield {
      type: "fact", kind: "loaded-routes", cluster: cluster.name, subject: number === 1 ? subject : `${subject} ${number}`,
      data: { role, namespace, workload, labels, pods: proxies.length, example: name, dump: told.dump },
      source: { collector: "kubernetes", ...source },
    };
  }
}
