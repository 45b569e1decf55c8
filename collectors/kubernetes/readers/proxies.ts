import { digestOf, type Cluster, type Fact, type Gap, type Io, type KubernetesApi, type ProxyProbe } from "#engine";
import { namespaces, nodes, pods } from "../resources.ts";
import { probeImages } from "./probes.ts";
import { scanPods } from "./pods.ts";
import type { ProxyGroup } from "./proxy-groups.ts";

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

  const groups = await scanPods(api, io, "groups");
  const probes = await probeImages(groups, api, io);
  for (const group of groups) yield factOf(group, cluster, probes.get(group) ?? {});
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
