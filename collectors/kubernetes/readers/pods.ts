import type { Io, KubernetesApi } from "#engine";
import { pods } from "../resources.ts";
import { NodeWork, type NodeWorkSeen } from "./node-work.ts";
import { podProxy } from "./pod-proxy.ts";
import { ProxyGroups, type ProxyGroup } from "./proxy-groups.ts";
import { RoutingPods, type PodsSeen } from "./routing-pods.ts";

/** What the pods of one cluster say to the readers of proxies, of routing and of nodes. */
export interface PodScan {
  readonly groups: readonly ProxyGroup[];
  readonly routing: PodsSeen;
  readonly work: NodeWorkSeen;
}

/** By the look at a cluster: readers run side by side, and a list of pods is the largest there is. */
const scans = new WeakMap<Io, Promise<PodScan>>();

/** Lists all pods, once for all readers of one look; nothing of a pod is kept but its place in a count or group. */
export function scanPods(api: KubernetesApi, io: Io): Promise<PodScan> {
  const scan = scans.get(io) ?? scanOnce(api, io);
  scans.set(io, scan);
  return scan;
}

async function scanOnce(api: KubernetesApi, io: Io): Promise<PodScan> {
  const groups = new ProxyGroups();
  const routing = new RoutingPods();
  const work = new NodeWork();
  let seen = 0;
  for await (const page of api.list(pods)) {
    io.signal.throwIfAborted();
    if (page.restarted) {
      groups.clear();
      routing.clear();
      work.clear();
      seen = 0;
    }
    for (const item of page.items) {
      const proxy = podProxy(item);
      const source = () => page.source(item);
      if (proxy !== undefined) groups.add(proxy, source);
      routing.add(item, proxy, source);
      work.add(item, proxy, source);
    }
    seen += page.items.length;
    // Not for the few of a folder: the first number that is written with commas costs a tenth of a second.
    io.progress(`${seen < 1000 ? seen : seen.toLocaleString("en")} pods`);
  }
  return { groups: groups.sorted(), routing: routing.result(), work: work.result() };
}
