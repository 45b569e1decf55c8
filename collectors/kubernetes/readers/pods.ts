import { byText, mergedMask, type Io, type KubernetesApi, type PodAddress, type Source } from "#engine";
import { fieldsIn } from "../fields.ts";
import { pods } from "../resources.ts";
import { NodeWork, nodeWorkFields, type NodeWorkSeen } from "./node-work.ts";
import { podProxy, proxyFields } from "./pod-proxy.ts";
import { ProxyGroups, type ProxyGroup } from "./proxy-groups.ts";
import { RoutingPods, routingFields, stableOf, type PodsSeen } from "./routing-pods.ts";
import { addonFields, Addons, type Addon } from "./running-add-ons.ts";

/** What the pods of one cluster say to the readers of proxies, of routing and of nodes. */
export interface PodScan {
  readonly groups: readonly ProxyGroup[];
  readonly routing: PodsSeen;
  readonly addons: readonly Addon[];
  /** Pods whose Envoy runs now, by name. */
  readonly running: readonly PodAddress[];
  /** Of those the sidecars and gateways, with what routing goes by; empty where nobody may ask them anything. */
  readonly askable: readonly RunningProxy[];
  readonly work: NodeWorkSeen;
}

/** A proxy that can be asked. */
export interface RunningProxy {
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  readonly role: "sidecar" | "gateway";
  /** Those that do not differ from pod to pod. */
  readonly labels: Readonly<Record<string, string>>;
  readonly source: Omit<Source, "collector">;
}

/** All that anybody below looks at in a pod. */
const fields = mergedMask(proxyFields, routingFields, addonFields, nodeWorkFields);

/** By the look at a cluster: readers run side by side, and a list of pods is the largest there is. */
const scans = new WeakMap<Io, Promise<PodScan>>();

/** Lists all pods, once for all readers of one look; nothing of a pod is kept but its place in a count or group, and the name of one whose proxy runs. */
export function scanPods(api: KubernetesApi, io: Io): Promise<PodScan> {
  const scan = scans.get(io) ?? scanOnce(api, io);
  scans.set(io, scan);
  return scan;
}

async function scanOnce(api: KubernetesApi, io: Io): Promise<PodScan> {
  const groups = new ProxyGroups();
  const routing = new RoutingPods();
  const addons = new Addons();
  let running: PodAddress[] = [];
  let askable: RunningProxy[] = [];
  const work = new NodeWork();
  let seen = 0;
  for await (const page of api.list(pods, { fields })) {
    io.signal.throwIfAborted();
    if (page.restarted) {
      groups.clear();
      routing.clear();
      addons.clear();
      running = [];
      askable = [];
      work.clear();
      seen = 0;
    }
    for (const item of page.items) {
      const proxy = podProxy(item);
      const source = () => page.source(item);
      if (proxy !== undefined) groups.add(proxy, source);
      if (proxy?.state === "running" && proxy.role !== "ztunnel") running.push({ namespace: proxy.namespace, name: proxy.name });
      routing.add(item, proxy, source);
      addons.add(item, source);
      if (io.allows("admin") && proxy?.state === "running" && (proxy.role === "sidecar" || proxy.role === "gateway")) {
        const { name, namespace, workload, role } = proxy;
        askable.push({ name, namespace, workload, role, labels: Object.fromEntries(stableOf(fieldsIn(fieldsIn(item, "metadata"), "labels"))), source: source() });
      }
      work.add(item, proxy, source);
    }
    seen += page.items.length;
    // Not for the few of a folder: the first number that is written with commas costs a tenth of a second.
    io.progress(`${seen < 1000 ? seen : seen.toLocaleString("en")} pods`);
  }
  return { groups: groups.sorted(), routing: routing.result(), addons: addons.sorted(), work: work.result(), askable, running: running.toSorted((a, b) => byText(a.namespace, b.namespace) || byText(a.name, b.name)) };
}
