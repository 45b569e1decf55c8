import { byText, type IdleReason, type Source } from "#engine";
import type { PodProxy } from "./pod-proxy.ts";

/** Pods of one workload that run the same image; all that is kept of them. */
export interface ProxyGroup {
  /** The proxy of the first pod that was seen; all of the group are alike but for name and state. */
  readonly proxy: PodProxy;
  running: number;
  readonly idle: Record<IdleReason, number>;
  /** The running pod that comes first by name; while none runs, the first of the others. */
  example: { readonly name: string; readonly runs: boolean; readonly source: Omit<Source, "collector"> };
}

/** All proxies of a cluster in groups; memory grows with the groups. */
export class ProxyGroups {
  readonly #groups = new Map<string, ProxyGroup>();

  /** Forgets all, for a list that starts again. */
  clear(): void {
    this.#groups.clear();
  }

  add(proxy: PodProxy, source: () => Omit<Source, "collector">): void {
    add(this.#groups, proxy, source);
  }

  sorted(): readonly ProxyGroup[] {
    return [...this.#groups].toSorted(([a], [b]) => byText(a, b)).map(([, group]) => group);
  }
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
