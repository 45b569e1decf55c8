import { CollectError, type Cluster, type Fact, type Gap, type Io, type JsonObject, type KubeObject, type KubernetesApi, type Resource, type RoutingObject, type Source } from "#engine";
import { fieldsIn, textIn, type Fields } from "../fields.ts";
import { pods, routing } from "../resources.ts";
import { readMeshConfigs } from "./mesh-config.ts";
import { scanPods } from "./pods.ts";
import type { PodsSeen } from "./routing-pods.ts";
import { specOf } from "./routing-spec.ts";

interface Found {
  readonly data: RoutingObject;
  readonly source: Omit<Source, "collector">;
}

/**
 * The objects that route requests, and one fact about the place that holds them.
 *
 * Guarantees:
 *
 * 1. What routes is kept whole; of what else acts on requests only a digest of its configuration is kept.
 * 2. A list that may not be read is a gap that names it, and the others are still there.
 * 3. Pods that routing cannot tell apart are one object: memory grows with workloads.
 */
export async function* readRouting(cluster: Cluster, io: Io): AsyncIterable<Fact<"routing"> | Gap> {
  const api = await io.kubernetes();
  const gaps: Gap[] = [];
  const orGap = async <T>(subject: string, otherwise: T, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof CollectError) || error.unreachable) throw error;
      gaps.push({ type: "gap", kind: "routing", cluster: cluster.name, subject: `${cluster.name}/${subject}`, reason: error.message, remedy: error.remedy });
      return otherwise;
    }
  };
  const nothing: PodsSeen = { objects: [], controlPlanes: [], proxies: [] };
  const [lists, seen] = await Promise.all([
    Promise.all(routing.map((resource) => orGap(resource.plural, [], () => listed(resource, api, io)))),
    orGap(pods.plural, nothing, () => scanPods(api, io, "routing")),
  ]);
  const meshConfigs = await orGap("configmaps", [], () => readMeshConfigs(seen.controlPlanes, api, io));
  const unseen = await unseenKinds(api);
  io.signal.throwIfAborted();

  yield* gaps;
  for (const { data, source } of [...lists.flat(), ...seen.objects]) yield factOf(cluster, subjectOf(data), data, source);
  yield factOf(
    cluster,
    "place",
    {
      type: "place",
      complete: api.place === "live" || api.complete === true,
      unseen,
      ...(api.namespaces === undefined ? {} : { namespaces: api.namespaces }),
      controlPlanes: [...new Set(seen.controlPlanes.map(({ image }) => image))].toSorted(),
      proxies: seen.proxies,
      meshConfigs,
    },
    { locator: api.place === "live" ? "/apis" : "manifests" },
  );
}

function factOf(cluster: Cluster, subject: string, data: Fact<"routing">["data"], source: Omit<Source, "collector">): Fact<"routing"> {
  return { type: "fact", kind: "routing", cluster: cluster.name, subject, data, source: { collector: "kubernetes", ...source } };
}

/** Two groups have a kind `Gateway`. */
function subjectOf({ apiVersion, kind, namespace, name }: RoutingObject): string {
  const group = apiVersion.includes("/") ? ` (${apiVersion.split("/")[0] ?? ""})` : "";
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}${group}`;
}

async function listed(resource: Resource, api: KubernetesApi, io: Io): Promise<readonly Found[]> {
  let found: Found[] = [];
  for await (const page of api.list(resource)) {
    io.signal.throwIfAborted();
    if (page.restarted) found = [];
    for (const item of page.items) {
      const data = objectOf(item, resource);
      if (data !== undefined) found.push({ data, source: page.source(item) });
    }
    io.progress(`${found.length} ${resource.plural}`);
  }
  return found;
}

/** Annotations that route requests: who sees a service, and how much of its traffic a second waypoint gets. */
const ROUTING_ANNOTATIONS = ["istio.io/use-waypoint-canary-weight", "networking.istio.io/exportTo"];

function objectOf(item: KubeObject, { kind, namespaced }: Resource): RoutingObject | undefined {
  const metadata = fieldsIn(item, "metadata");
  const name = textIn(metadata, "name");
  if (name === undefined) return undefined;
  const created = textIn(metadata, "creationTimestamp", 64);
  const annotations = ROUTING_ANNOTATIONS.flatMap((key) => {
    const value = textIn(fieldsIn(metadata, "annotations"), key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    type: "object",
    apiVersion: textIn(item, "apiVersion", 256) ?? "",
    kind,
    namespace: namespaced ? (textIn(metadata, "namespace") ?? "default") : "",
    name,
    ...(created === undefined ? {} : { created }),
    ...(kind === "Namespace" ? { labels: labelsOf(metadata) } : ["Service", "ServiceEntry", "Gateway"].includes(kind) ? captureOf(metadata) : {}),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    spec: specOf(kind, fieldsIn(item, "spec") as JsonObject),
  };
}

/** Of a namespace: whether it is in the mesh, how, and in which network; listeners of Gateway API select by any other. */
function labelsOf(metadata: Fields): Readonly<Record<string, string>> {
  const labels = fieldsIn(metadata, "labels");
  return Object.fromEntries(Object.keys(labels).toSorted().map((key) => [key, textIn(labels, key) ?? ""]));
}

/** Of a service, whoever declares it: the waypoint that captures it, and what its ports say of Gateways. Of a waypoint: what it is for. */
function captureOf(metadata: Fields): Pick<RoutingObject, "labels"> {
  const own = Object.entries(labelsOf(metadata)).filter(([key]) => key.startsWith("istio.io/") || key === "experimental.istio.io/disable-gateway-port-translation");
  return own.length === 0 ? {} : { labels: Object.fromEntries(own) };
}

async function unseenKinds(api: KubernetesApi): Promise<readonly string[]> {
  if (api.place === "live") return [];
  const asked = await Promise.all([...routing, pods].map(async (resource) => ({ name: nameOf(resource), unseen: await api.unseen(resource) })));
  return [...new Set(asked.filter(({ unseen }) => unseen).map(({ name }) => name))].toSorted();
}

function nameOf({ group, kind }: Resource): string {
  return group === "gateway.networking.k8s.io" ? `${kind} (${group})` : kind;
}
