import pLimit from "p-limit";
import { CollectError, type Io, type KubernetesApi, type PodAddress, type ProxyProbe } from "#engine";
import { envoyVersionOfBuild } from "#values";
import { fieldsIn, textIn } from "../fields.ts";
import { namesRelease, PROXY } from "./pod-proxy.ts";
import type { ProxyGroup } from "./proxy-groups.ts";

/** Images asked in one cluster; a fleet that runs more builds than this has other troubles. */
const MOST_IMAGES = 64;
const AT_ONCE = 4;
/** `server_info` carries the command line and the node's metadata: some 20 kB. */
const SERVER_INFO_BYTES = 1 << 20;
/** The query leaves Envoy one line; what the agent and the application add is not filtered. */
const METRICS_BYTES = 8 << 20;

/**
 * Asks at most one proxy of each image what it is, where the fleet allows it: a version is a function of the bytes.
 * With `admin` every image is asked, for that is the last word on Envoy's number; with `metrics` those whose tags name no release.
 * A proxy that does not answer is recorded in the probe, never thrown.
 */
export async function probeImages(groups: readonly ProxyGroup[], api: KubernetesApi, io: Io): Promise<ReadonlyMap<ProxyGroup, ProxyProbe>> {
  const admin = io.allows("admin");
  if (!admin && !io.allows("metrics")) return new Map();

  const images = [...Map.groupBy(groups.filter(isEnvoy), imageKey).values()];
  const asked = images.filter((image) => image.some(({ running }) => running > 0) && (admin || isNameless(image)));
  const limit = pLimit(AT_ONCE);
  const answers = await Promise.all(
    asked.map((image, index) => limit(async () => [image, index < MOST_IMAGES ? await ask(image, api, io) : tooMany(asked.length)] as const)),
  );
  io.signal.throwIfAborted();
  return new Map(answers.flatMap(([image, answer]) => image.map((group) => [group, answer] as const)));
}

function isEnvoy({ proxy }: ProxyGroup): boolean {
  return proxy.role !== "ztunnel";
}

function imageKey({ proxy }: ProxyGroup): string {
  return proxy.imageId ?? proxy.image;
}

function isNameless(image: readonly ProxyGroup[]): boolean {
  return !image.some(({ proxy }) => namesRelease(proxy.image));
}

function tooMany(images: number): ProxyProbe {
  const reason = `${images} images would have to be asked, and at most ${MOST_IMAGES} are`;
  return { failure: { reason, remedy: "give the images tags that name their Istio release" } };
}

/** The strongest probe that is allowed and answers. */
async function ask(image: readonly ProxyGroup[], api: KubernetesApi, io: Io): Promise<ProxyProbe> {
  const group = image.find(({ running }) => running > 0);
  if (group === undefined) return {};
  const pod = { namespace: group.proxy.namespace, name: group.example.name };
  const told = io.allows("admin") ? await attempt(() => askAdmin(pod, api), io) : undefined;
  if (told !== undefined && told.failure === undefined) return told;
  if (!io.allows("metrics") || !isNameless(image)) return told ?? {};

  const scraped = await attempt(() => askMetrics(pod, api, io), io);
  return scraped.failure !== undefined && told?.failure !== undefined ? { failure: both(told.failure, scraped.failure) } : scraped;
}

type Failure = NonNullable<ProxyProbe["failure"]>;

function both(first: Failure, second: Failure): Failure {
  return { reason: `${first.reason}, and ${second.reason}`, remedy: `${first.remedy}, or ${second.remedy}` };
}

async function attempt(probe: () => Promise<ProxyProbe>, io: Io): Promise<ProxyProbe> {
  io.signal.throwIfAborted();
  try {
    return await probe();
  } catch (error) {
    io.signal.throwIfAborted();
    if (!(error instanceof CollectError)) throw error;
    return { failure: { reason: error.message, remedy: error.remedy } };
  }
}

/** `server_info` of Envoy's admin interface, which listens inside the pod only. */
async function askAdmin(pod: PodAddress, api: KubernetesApi): Promise<ProxyProbe> {
  const text = await api.podExec(pod, PROXY, ["pilot-agent", "request", "GET", "server_info"], SERVER_INFO_BYTES);
  const info = parseServerInfo(text);
  if (info?.envoy === undefined) throw rubbish(pod, "server_info", "`pilot-agent request GET server_info`");
  return { ...info, by: "admin" };
}

/** What `server_info` says: Envoy's own version, and the Istio release in the metadata of its node. */
function parseServerInfo(text: string): { readonly envoy?: string; readonly istio?: string } | undefined {
  let info: unknown;
  try {
    info = JSON.parse(text);
  } catch {
    return undefined;
  }
  const envoy = envoyVersionOfBuild(textIn(info, "version") ?? "");
  const istio = textIn(fieldsIn(fieldsIn(info, "node"), "metadata"), "ISTIO_VERSION", 128);
  return { ...(envoy === undefined ? {} : { envoy }), ...(istio === undefined ? {} : { istio }) };
}

/** The agent's port passes the query on to Envoy and adds what the application serves; Envoy's own port is the fallback. */
const METRIC_PORTS = [15020, 15090];

async function askMetrics(pod: PodAddress, api: KubernetesApi, io: Io): Promise<ProxyProbe> {
  let failure: CollectError | undefined;
  for (const port of METRIC_PORTS) {
    io.signal.throwIfAborted();
    try {
      const istio = parseIstioBuild(await api.podGet(pod, port, "/stats/prometheus?filter=istio_build", METRICS_BYTES));
      if (istio !== undefined) return { istio, by: "metrics" };
    } catch (error) {
      if (!(error instanceof CollectError)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? rubbish(pod, "the metric `istio_build` of the component `proxy`", "telemetry: the metric comes with Istio's stats filter");
}

/**
 * The tag in `istio_build{component="proxy",tag="1.29.2"} 1`. Undefined where there is none, or where two lines
 * disagree: the application behind the agent may print anything.
 */
function parseIstioBuild(metrics: string): string | undefined {
  const tags = new Set<string>();
  for (let at = metrics.indexOf("istio_build{"); at >= 0; at = metrics.indexOf("istio_build{", at + 1)) {
    if (at > 0 && metrics[at - 1] !== "\n") continue;
    const end = metrics.indexOf("\n", at);
    const line = metrics.slice(at, Math.min(end < 0 ? metrics.length : end, at + 1024));
    const tag = /[{,]tag="([^"\\]{1,128})"/.exec(line)?.[1];
    if (tag !== undefined && /[{,]component="proxy"/.test(line)) tags.add(tag);
  }
  return tags.size === 1 ? [...tags][0] : undefined;
}

function rubbish(pod: PodAddress, what: string, where: string): CollectError {
  return new CollectError(`the proxy of \`${pod.namespace}/${pod.name}\` does not tell ${what}`, { remedy: `look at ${where} in that pod` });
}
