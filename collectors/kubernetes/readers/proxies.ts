import { byText, digestOf, type Cluster, type Fact, type Gap, type IdleReason, type Io, type KubernetesApi, type ProxyProbe, type Source } from "#engine";
import { namespaces, nodes, pods } from "../resources.ts";
import { podProxy, type PodProxy } from "./pod-proxy.ts";
import { probeImages } from "./probes.ts";

/** Pods of one workload that run the same image; all that is kept of them. */
export interface ProxyGroup {
  /** The proxy of the first pod that was seen; all of the group are alike but for name and state. */
  readonly proxy: PodProxy;
  running: number;
  readonly idle: Record<IdleReason, number>;
  /** The running pod that comes first by name; while none runs, the first of the others. */
  example: { readonly name: string; readonly runs: boolean; readonly source: Omit<Source, "collector"> };
}

/**
 * One fact for each workload, role, revision and image; never one for each pod.
 *
 * Guarantees:
 *
 * 1. Memory grows with the groups, not with the pods.
 * 2. The facts do not depend on the order in which the API server lists pods.
 * 3. A cluster without pods of the mesh yields nothing; a folder that cannot show pods yields a gap.
 */
export async function* readProxies(cluster: Cluster, io: Io): AsyncIterable<Fact<"envoy-proxies"> | Gap> {
  const api = await io.kubernetes();
  const blind = await unseenPods(api, cluster);
  if (blind !== undefined) return yield blind;

  const groups = await groupPods(api, io);
  const probes = await probeImages(groups, api, io);
  for (const group of groups) yield factOf(group, cluster, probes.get(group) ?? {});
}

async function groupPods(api: KubernetesApi, io: Io): Promise<readonly ProxyGroup[]> {
  const groups = new Map<string, ProxyGroup>();
  let seen = 0;
  for await (const page of api.list(pods)) {
    io.signal.throwIfAborted();
    if (page.restarted) {
      groups.clear();
      seen = 0;
    }
    for (const item of page.items) {
      const found = podProxy(item);
      if (found !== undefined) add(groups, found, () => page.source(item));
    }
    seen += page.items.length;
    io.progress(`${seen.toLocaleString("en")} pods`);
  }
  return [...groups].toSorted(([a], [b]) => byText(a, b)).map(([, group]) => group);
}

function add(groups: Map<string, ProxyGroup>, proxy: PodProxy, source: () => Omit<Source, "collector">): void {
  const { name, state } = proxy;
  const key = JSON.stringify([proxy.namespace, proxy.workload, proxy.role, proxy.native, proxy.revision, proxy.image, proxy.imageId]);
  const runs = state === "running";
  let group = groups.get(key);
  if (group === undefined) {
    group = { proxy, running: 0, idle: { failed: 0, finished: 0, terminating: 0, pending: 0 }, example: { name, runs, source: source() } };
    groups.set(key, group);
  }
  if (runs) group.running++;
  else group.idle[state]++;
  const { example } = group;
  if (runs === example.runs ? name < example.name : runs) group.example = { name, runs, source: source() };
}

function factOf({ proxy: first, running, idle, example }: ProxyGroup, cluster: Cluster, probe: ProxyProbe): Fact<"envoy-proxies"> {
  const { name: _, state: __, ...proxy } = first;
  const { revision, imageId, ...always } = proxy;
  // Two groups of one workload differ in revision or image: a digest of the whole keeps their names apart.
  const mark = digestOf(proxy).slice(0, 8);
  return {
    type: "fact",
    kind: "envoy-proxies",
    cluster: cluster.name,
    subject: `${proxy.namespace}/${proxy.workload} ${proxy.role} ${mark}`,
    data: {
      ...always,
      ...(revision === undefined ? {} : { revision }),
      ...(imageId === undefined ? {} : { imageId }),
      running,
      idle: { ...idle },
      example: example.name,
      probe,
    },
    source: { collector: "kubernetes", ...example.source },
  };
}

/** A folder says nothing of running things when it holds no pod, or nothing that shows it to be the dump of a cluster. */
async function unseenPods(api: KubernetesApi, cluster: Cluster): Promise<Gap | undefined> {
  if (api.place === "live") return undefined;
  const about = { type: "gap", kind: "envoy-proxies", cluster: cluster.name, subject: cluster.name } as const;
  if (await api.unseen(pods)) {
    return { ...about, reason: "the manifests hold no Pod, so they do not show which proxies run", remedy: DUMP };
  }
  if ((await api.unseen(nodes)) && (await api.unseen(namespaces))) {
    return { ...about, reason: "the manifests hold neither a Node nor a Namespace, so nothing shows that they are the dump of a running cluster", remedy: DUMP };
  }
  return undefined;
}

const DUMP = "add `kubectl get pods,nodes,namespaces -A -o yaml` of the running cluster to the folder; write `complete: true` if the folder is the whole dump";
