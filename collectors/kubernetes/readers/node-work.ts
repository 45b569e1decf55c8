import type { KubeObject, NodePods, Source } from "#engine";
import { fieldsIn, listIn, namedIn, textIn } from "../fields.ts";
import { productOf, type Known } from "./agent-products.ts";
import type { PodProxy } from "./pod-proxy.ts";

type Place = Omit<Source, "collector">;

/** Pods of one DaemonSet with one image. */
export interface AgentPods extends Known {
  readonly namespace: string;
  readonly name: string;
  readonly readyOn: ReadonlySet<string>;
  readonly notReadyOn: ReadonlySet<string>;
  readonly source: Place;
}

/** What the pods of a cluster say about its nodes. */
export interface NodeWorkSeen {
  readonly agents: readonly AgentPods[];
  readonly pods: readonly { readonly data: NodePods; readonly source: Place }[];
}

interface Group {
  readonly on: Set<string>;
  readonly off: Set<string>;
  /** The pod whose name comes first, so that the order of pods does not show. */
  first: { readonly name: string; readonly source: Place };
}

/** Gathers from pods, one by one, where known programs run; memory grows with programs times nodes. */
export class NodeWork {
  readonly #agents = new Map<string, Group & Known & { readonly namespace: string; readonly daemonSet: string }>();
  readonly #pods = new Map<string, Group & { readonly type: NodePods["type"]; readonly class: string }>();

  /** Forgets all, for a list that starts again. */
  clear(): void {
    this.#agents.clear();
    this.#pods.clear();
  }

  add(pod: KubeObject, proxy: PodProxy | undefined, source: () => Place): void {
    const metadata = fieldsIn(pod, "metadata");
    const spec = fieldsIn(pod, "spec");
    const node = textIn(spec, "nodeName", 253);
    const name = textIn(metadata, "name") ?? "";
    const ended = ["Succeeded", "Failed"].includes(textIn(fieldsIn(pod, "status"), "phase") ?? "") || metadata["deletionTimestamp"] !== undefined;
    if (node === undefined || ended) return;
    const ready = isReady(pod);
    if (proxy?.role === "sidecar") this.#note("sidecars", "", node, proxy.state === "running", name, source);
    const runtimeClass = textIn(spec, "runtimeClassName", 253);
    if (runtimeClass !== undefined) this.#note("class-pods", runtimeClass, node, ready, name, source);

    const daemonSet = listIn(metadata, "ownerReferences").find((owner) => textIn(owner, "kind") === "DaemonSet");
    const known = daemonSet === undefined ? undefined : productOf(spec);
    if (known === undefined || daemonSet === undefined) return;
    const namespace = textIn(metadata, "namespace") ?? "default";
    const image = textIn(namedIn(fieldsIn(pod, "status"), "containerStatuses", known.container), "image", 512) ?? known.image;
    const owner = textIn(daemonSet, "name", 253) ?? "";
    const key = JSON.stringify([namespace, owner, image, known.mode]);
    const group = this.#agents.get(key) ?? { ...known, image, namespace, daemonSet: owner, on: new Set<string>(), off: new Set<string>(), first: { name, source: source() } };
    put(group, node, ready, name, source);
    this.#agents.set(key, group);
  }

  #note(type: NodePods["type"], name: string, node: string, runs: boolean, pod: string, source: () => Place): void {
    const key = JSON.stringify([type, name]);
    const group = this.#pods.get(key) ?? { type, class: name, on: new Set<string>(), off: new Set<string>(), first: { name: pod, source: source() } };
    put(group, node, runs, pod, source);
    this.#pods.set(key, group);
  }

  result(): NodeWorkSeen {
    return {
      agents: inOrder(this.#agents).map(({ on, off, first, daemonSet, ...rest }) => ({ ...rest, name: daemonSet, readyOn: on, notReadyOn: off, source: first.source })),
      pods: inOrder(this.#pods).map(({ type, class: name, on, off, first }) => ({
        data: { type, name, runningOn: [...on].toSorted(), failingOn: [...off].filter((node) => !on.has(node)).toSorted() },
        source: first.source,
      })),
    };
  }
}

function put(group: Group, node: string, good: boolean, name: string, source: () => Place): void {
  (good ? group.on : group.off).add(node);
  if (name < group.first.name) group.first = { name, source: source() };
}

/** The condition counts; a dump that kept only the phase shows as much as it can. */
function isReady(pod: KubeObject): boolean {
  const status = fieldsIn(pod, "status");
  const condition = listIn(status, "conditions").find((each) => textIn(each, "type") === "Ready");
  if (condition !== undefined) return textIn(condition, "status") === "True";
  const statuses = listIn(status, "containerStatuses");
  return statuses.length === 0 ? textIn(status, "phase") === "Running" : statuses.every((each) => fieldsIn({ each }, "each")["ready"] === true);
}

function inOrder<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
