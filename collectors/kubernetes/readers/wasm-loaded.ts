import pLimit from "p-limit";
import { byText, CollectError, canonical, digestOf, type Cluster, type Fact, type Gap, type Io, type KubernetesApi, type PodAddress, type Request, type WasmLoaded, type WasmLoadedFact } from "#engine";
import { PROXY } from "./pod-proxy.ts";
import { scanPods } from "./pods.ts";
import { loadedModules, moduleOf, type LoadedModule } from "./wasm-dump.ts";

const AT_ONCE = 8;
/** Configurations of extensions alone; one that embeds modules is larger than any that names files. */
const DUMP_BYTES = 32 << 20;
const MOST_PROBES = 500;

/**
 * What proxies have loaded, where the fleet allows the probe `admin`: one fact for each module and state, and one about how many were asked.
 *
 * Guarantees:
 *
 * 1. Every running proxy but ztunnel is asked, up to `maxProbes` in the order of their names; those beyond it, and those that do not answer, are gaps.
 * 2. Of a dump only names, files and digests are kept: environments of machines hold pull secrets.
 */
export async function* readWasmLoaded(cluster: Cluster, { options, selector }: Request<"wasm-loaded">, io: Io): AsyncIterable<Fact<"wasm-loaded"> | Gap> {
  const about = { type: "gap", kind: "wasm-loaded", cluster: cluster.name, ...(selector === undefined ? {} : { selector }) } as const;
  if (!io.allows("admin")) {
    return yield { ...about, subject: cluster.name, reason: "what proxies have loaded only they can tell, and nobody may ask them", remedy: "allow the probe `admin` for this cluster (`probes: [admin]`, or `--probe admin`; permission `get` and `create` on `pods/exec`), or leave out `loaded`" };
  }
  const api = await io.kubernetes();
  if (api.place === "manifests") {
    return yield { ...about, subject: cluster.name, reason: "manifests do not show what proxies have loaded", remedy: "ask the cluster itself, or leave out `loaded`" };
  }
  const most = typeof options?.["maxProbes"] === "number" ? options["maxProbes"] : MOST_PROBES;
  const running = await scanPods(api, io, "running");
  const asked = running.slice(0, most);
  const limit = pLimit(AT_ONCE);
  const answers = await Promise.all(asked.map((pod) => limit(() => ask(pod, api, io))));
  io.signal.throwIfAborted();

  const failed = answers.flatMap((answer) => ("reason" in answer ? [answer] : []));
  for (const [reason, pods] of Map.groupBy(failed, (failure) => failure.reason)) {
    const first = pods[0];
    if (first !== undefined) yield { ...about, subject: `${cluster.name}/${first.pod}`, reason: `${pods.length} of ${running.length} proxies did not tell what they have loaded, \`${first.pod}\` the first of them: ${reason}`, remedy: first.remedy };
  }
  if (running.length > asked.length) {
    yield { ...about, subject: `${cluster.name}/not asked`, reason: `${running.length - asked.length} of ${running.length} proxies were not asked: at most ${most} are`, remedy: `raise \`maxProbes\` to ${running.length}` };
  }
  const facts: readonly WasmLoadedFact[] = [...groupsOf(answers), { type: "asked", answered: asked.length - failed.length, running: running.length }];
  for (const data of facts) yield { ...about, type: "fact", subject: data.type === "asked" ? "asked" : `${data.module} ${digestOf([data.resource, data.state]).slice(0, 8)}`, data, source: SOURCE };
}

const SOURCE = { collector: "kubernetes", locator: "pods/exec pilot-agent request GET config_dump" };

interface Told {
  readonly pod: string;
  readonly modules: readonly LoadedModule[];
}

function groupsOf(answers: readonly (Told | Failure)[]): readonly WasmLoaded[] {
  const groups = new Map<string, WasmLoaded>();
  for (const answer of answers) {
    for (const module of "modules" in answer ? answer.modules : []) {
      const known = groups.get(canonical(module));
      groups.set(canonical(module), { type: "loaded", module: moduleOf(module.resource), ...module, proxies: (known?.proxies ?? 0) + 1, example: known?.example ?? answer.pod });
    }
  }
  return [...groups].toSorted(([a], [b]) => byText(a, b)).map(([, group]) => group);
}

interface Failure {
  readonly pod: string;
  readonly reason: string;
  readonly remedy: string;
}

async function ask(pod: PodAddress, api: KubernetesApi, io: Io): Promise<Told | Failure> {
  const name = `${pod.namespace}/${pod.name}`;
  io.signal.throwIfAborted();
  try {
    return { pod: name, modules: await modulesIn(pod, api) };
  } catch (error) {
    io.signal.throwIfAborted();
    if (!(error instanceof CollectError)) throw error;
    return { pod: name, reason: error.message, remedy: error.remedy };
  }
}

/**
 * Envoy keeps one list of extensions for each kind of filter. Asked for the resource it gives the first list only, asked with a mask all of them,
 * but with a mask that fits nothing it answers 400, which `pilot-agent request` reports as a failure: so it is asked for the resource first.
 */
async function modulesIn(pod: PodAddress, api: KubernetesApi): Promise<readonly LoadedModule[]> {
  const request = (query: string) => api.podExec(pod, PROXY, ["pilot-agent", "request", "GET", `config_dump?${query}`], DUMP_BYTES);
  if ((await request("resource=ecds_filters")).startsWith("ecds_filters not found")) return [];
  const modules = loadedModules(await request("mask=ecds_filters"));
  if (modules !== undefined) return modules;
  throw new CollectError("what it answers to `config_dump` is no dump of Envoy", { remedy: "look at `pilot-agent request GET 'config_dump?mask=ecds_filters'` in that pod" });
}
