import pLimit from "p-limit";
import { byText, CollectError, type Cluster, type Fact, type FieldMask, type Gap, type Io, type KubernetesApi, type KubeObject, type Request, type RuntimeAnswer, type RuntimeAsked } from "#engine";
import { fieldsIn, listIn, textIn } from "../fields.ts";
import { pods } from "../resources.ts";

/** Pods that are asked in one cluster, one on a node. */
const MOST_PODS = 50;
const AT_ONCE = 8;
const ANSWER_BYTES = 64 << 10;
/** A runtime that works answers at once; a whole fleet of those that hang must not keep the run waiting. */
const ANSWER_MS = 2_000;

const FIELDS: FieldMask = { metadata: { name: true, namespace: true, deletionTimestamp: true }, spec: { nodeName: true, runtimeClassName: true }, status: { phase: true, conditions: { type: true, status: true } } };

/**
 * What runtimes answer over HTTP, where the fleet allows the probe `nodes`: one ready pod of the class on each node is asked, through the API server's pod proxy.
 *
 * Guarantees:
 *
 * 1. Nothing is asked unless the probe is allowed; that is a gap. Nodes beyond the limit are one gap with their number.
 * 2. Each answer is waited for two seconds, and asked for twice at most.
 * 3. Of an answer a runtime's name, version and architecture are kept, and nothing else. What does not answer is a fact that says so.
 */
export async function* readRuntimeAnswers(cluster: Cluster, { options, selector }: Pick<Request, "options" | "selector">, io: Io): AsyncIterable<Fact<"runtime-answers"> | Gap> {
  const asked = askedIn(options);
  if (asked === undefined) return;
  const about = { type: "gap", kind: "runtime-answers", cluster: cluster.name, subject: `${cluster.name}/runtimes`, ...(selector === undefined ? {} : { selector }) } as const;
  const api = await io.kubernetes();
  if (api.place !== "live") return yield { ...about, reason: "a folder of manifests does not tell what runtimes answer", remedy: "name the live cluster and allow the probe `nodes`, or leave `runtime.http` out" };
  if (!io.allows("nodes")) return yield { ...about, reason: "what runtimes answer was not asked: the probe `nodes` is not allowed", remedy: "allow the probe `nodes` for this cluster (`probes: [nodes]`, or `--probe nodes`; permission `get` on `pods/proxy`), or leave `runtime.http` out" };

  const found = await onePerNode(api, asked, io);
  const limit = pLimit(AT_ONCE);
  const answers = await Promise.all(found.slice(0, MOST_PODS).map((pod) => limit(() => ask(api, pod, asked, io))));
  io.signal.throwIfAborted();
  if (found.length > MOST_PODS) yield { ...about, reason: `pods of the class \`${asked.runtimeClass}\` run on ${found.length} nodes, and at most ${MOST_PODS} are asked`, remedy: "give the profile a selector that takes fewer nodes" };
  for (const data of answers) {
    yield { ...about, type: "fact", subject: data.node, data, source: { collector: "kubernetes", locator: `/api/v1/namespaces/${data.pod.split("/")[0] ?? ""}/pods/${data.pod.split("/")[1] ?? ""}:${asked.port}/proxy${asked.health}` } };
  }
}

function askedIn(options: Request["options"]): RuntimeAsked | undefined {
  const { runtimeClass, port, health, info } = options ?? {};
  return typeof runtimeClass === "string" && typeof port === "number" && typeof health === "string" && typeof info === "string" ? { runtimeClass, port, health, info } : undefined;
}

interface ClassPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
}

/** Of each node the ready pod whose name comes first. */
async function onePerNode(api: KubernetesApi, { runtimeClass }: RuntimeAsked, io: Io): Promise<readonly ClassPod[]> {
  let found = new Map<string, ClassPod>();
  for await (const page of api.list(pods, { fields: FIELDS })) {
    io.signal.throwIfAborted();
    if (page.restarted) found = new Map();
    for (const item of page.items) {
      const pod = podOf(item, runtimeClass);
      const before = pod === undefined ? undefined : found.get(pod.node);
      if (pod !== undefined && (before === undefined || byText(nameOf(pod), nameOf(before)) < 0)) found.set(pod.node, pod);
    }
  }
  return [...found.values()].toSorted((a, b) => byText(a.node, b.node));
}

function nameOf({ namespace, name }: ClassPod): string {
  return `${namespace}/${name}`;
}

function podOf(item: KubeObject, runtimeClass: string): ClassPod | undefined {
  const [metadata, spec, status] = [fieldsIn(item, "metadata"), fieldsIn(item, "spec"), fieldsIn(item, "status")];
  const [namespace, name, node] = [textIn(metadata, "namespace"), textIn(metadata, "name"), textIn(spec, "nodeName", 253)];
  if (namespace === undefined || name === undefined || node === undefined || textIn(spec, "runtimeClassName", 253) !== runtimeClass || metadata["deletionTimestamp"] !== undefined) return undefined;
  return listIn(status, "conditions").some((each) => textIn(each, "type") === "Ready" && textIn(each, "status") === "True") ? { namespace, name, node } : undefined;
}

async function ask(api: KubernetesApi, pod: ClassPod, { port, health, info }: RuntimeAsked, io: Io): Promise<RuntimeAnswer> {
  const about = { node: pod.node, pod: nameOf(pod) };
  io.signal.throwIfAborted();
  const answer = async (path: string): Promise<string | CollectError> => {
    try {
      return await api.podGet(pod, port, path, ANSWER_BYTES, ANSWER_MS);
    } catch (error) {
      io.signal.throwIfAborted();
      if (!(error instanceof CollectError) || error.unreachable) throw error;
      return error;
    }
  };
  const works = await answer(health);
  if (typeof works !== "string") return { ...about, healthy: false, ...(works.answered === undefined ? {} : { status: works.answered }), failure: { reason: works.message, remedy: works.remedy } };
  const told = await answer(info);
  return { ...about, healthy: true, ...(typeof told === "string" ? infoIn(told) : {}) };
}

/** Names and versions are short and plain; whatever else stands there is not kept. */
const WORD = /^[\w.+-]{1,64}$/;

function infoIn(text: string): Pick<RuntimeAnswer, "runtime" | "version" | "arch"> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return {};
  }
  const fields = fieldsIn({ document }, "document");
  const told = (key: string): string | undefined => [textIn(fields, key, 256)].find((value) => value !== undefined && WORD.test(value));
  const [runtime, version, arch] = [told("runtime"), told("version"), told("arch")];
  return { ...(runtime === undefined ? {} : { runtime }), ...(version === undefined ? {} : { version }), ...(arch === undefined ? {} : { arch }) };
}
