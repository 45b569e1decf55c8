import { byText, mergedMask, type FactKind, type FieldMask, type Io, type KubeObject, type KubernetesApi, type Page, type PodAddress, type Source } from "#engine";
import { fieldsIn } from "../fields.ts";
import { pods } from "../resources.ts";
import { NodeWork, nodeWorkFields, type NodeWorkSeen } from "./node-work.ts";
import { podProxy, proxyFields, type PodProxy } from "./pod-proxy.ts";
import { ProxyGroups, type ProxyGroup } from "./proxy-groups.ts";
import { RoutingPods, routingFields, stableOf, type PodsSeen } from "./routing-pods.ts";
import { addonFields, Addons, type Addon } from "./running-add-ons.ts";

/** What the pods of one cluster say, in parts: one for each that asks. */
interface PodScan {
  readonly groups: readonly ProxyGroup[];
  readonly routing: PodsSeen;
  readonly addons: readonly Addon[];
  readonly work: NodeWorkSeen;
  /** Pods whose Envoy runs now, by name. */
  readonly running: readonly PodAddress[];
  /** Of those the sidecars and gateways, with what routing goes by; empty where nobody may ask them anything. */
  readonly askable: readonly RunningProxy[];
}

type Part = keyof PodScan;

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

/** Looks at pods one by one and keeps little of them. */
interface Gatherer<T> {
  /** What it looks at beside the proxy. */
  readonly fields: FieldMask;
  add(pod: KubeObject, proxy: PodProxy | undefined, source: () => Omit<Source, "collector">): void;
  /** Forgets all, for a list that starts again. */
  clear(): void;
  result(): T;
}

const GATHERERS: { readonly [P in Part]: (io: Io) => Gatherer<PodScan[P]> } = {
  groups: () => {
    const groups = new ProxyGroups();
    return { fields: {}, add: (_, proxy, source) => proxy && groups.add(proxy, source), clear: () => groups.clear(), result: () => groups.sorted() };
  },
  routing: () => Object.assign(new RoutingPods(), { fields: routingFields }),
  addons: () => {
    const addons = new Addons();
    return { fields: addonFields, add: (pod, _, source) => addons.add(pod, source), clear: () => addons.clear(), result: () => addons.sorted() };
  },
  work: () => Object.assign(new NodeWork(), { fields: nodeWorkFields }),
  running: () => kept((_, proxy) => (proxy?.state === "running" && proxy.role !== "ztunnel" ? { namespace: proxy.namespace, name: proxy.name } : undefined), byPlace),
  askable: (io) => kept((pod, proxy, source) => (io.allows("admin") ? askableOf(pod, proxy, source) : undefined)),
};

/** All for which `of` has something to say, in the order given or as they come. */
function kept<T>(of: (...seen: Parameters<Gatherer<unknown>["add"]>) => T | undefined, order?: (a: T, b: T) => number): Gatherer<readonly T[]> {
  let all: T[] = [];
  return {
    fields: { metadata: { labels: true } },
    add(...seen) {
      const one = of(...seen);
      if (one !== undefined) all.push(one);
    },
    clear: () => void (all = []),
    result: () => (order === undefined ? all : all.toSorted(order)),
  };
}

function byPlace(a: PodAddress, b: PodAddress): number {
  return byText(a.namespace, b.namespace) || byText(a.name, b.name);
}

function askableOf(pod: KubeObject, proxy: PodProxy | undefined, source: () => Omit<Source, "collector">): RunningProxy | undefined {
  if (proxy?.state !== "running" || (proxy.role !== "sidecar" && proxy.role !== "gateway")) return undefined;
  const { name, namespace, workload, role } = proxy;
  return { name, namespace, workload, role, labels: Object.fromEntries(stableOf(fieldsIn(fieldsIn(pod, "metadata"), "labels"))), source: source() };
}

/** Which part the readers of a kind of fact ask for. */
const NEEDED: Partial<Record<FactKind, Part>> = { "add-ons": "addons", "control-planes": "routing", "envoy-proxies": "groups", "loaded-routes": "askable", "node-agents": "work", routing: "routing", "wasm-loaded": "running" };

/** By the look at a cluster: readers run side by side, and a list of pods is the largest there is. */
const expected = new WeakMap<Io, Set<Part>>();
const scans = new WeakMap<Io, Map<Part, Promise<Partial<PodScan>>>>();

/** Says that a kind of fact will be read in this look, so that the first reader who lists pods lists them for all. To be called before anybody waits. */
export function expectPods(io: Io, fact: FactKind): void {
  const part = NEEDED[fact];
  if (part === undefined) return;
  const parts = expected.get(io) ?? new Set();
  expected.set(io, parts.add(part));
}

/**
 * What the pods say, one part of it. They are listed once for all parts that are expected by then; nothing of a pod is kept but its place in a
 * count or group, and the name of one whose proxy runs.
 */
export async function scanPods<P extends Part>(api: KubernetesApi, io: Io, part: P): Promise<PodScan[P]> {
  const known = scans.get(io) ?? new Map<Part, Promise<Partial<PodScan>>>();
  scans.set(io, known);
  if (!known.has(part)) {
    const parts = new Set([part, ...[...(expected.get(io) ?? [])].filter((each) => !known.has(each))]);
    const scan = scanOnce(api, io, parts);
    for (const each of parts) known.set(each, scan);
  }
  const found = (await known.get(part))?.[part];
  if (found === undefined) throw new TypeError(`the pods were listed without \`${part}\``);
  return found;
}

async function scanOnce(api: KubernetesApi, io: Io, parts: ReadonlySet<Part>): Promise<Partial<PodScan>> {
  const gatherers = new Map([...parts].map((part) => [part, GATHERERS[part](io) as Gatherer<PodScan[Part]>] as const));
  const all = [...gatherers.values()];
  const fields = mergedMask(proxyFields, ...all.map((gatherer) => gatherer.fields));
  let seen = 0;
  for await (const page of api.list(pods, { fields })) {
    io.signal.throwIfAborted();
    if (page.restarted) {
      for (const gatherer of all) gatherer.clear();
      seen = 0;
    }
    for (const item of page.items) addTo(all, item, page);
    seen += page.items.length;
    // Not for the few of a folder: the first number that is written with commas costs a tenth of a second.
    io.progress(`${seen < 1000 ? seen : seen.toLocaleString("en")} pods`);
  }
  return Object.fromEntries([...gatherers].map(([part, gatherer]) => [part, gatherer.result()]));
}

function addTo(gatherers: readonly Gatherer<unknown>[], item: KubeObject, page: Page): void {
  const proxy = podProxy(item);
  const source = () => page.source(item);
  for (const gatherer of gatherers) gatherer.add(item, proxy, source);
}
