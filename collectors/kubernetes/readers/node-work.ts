import { canonical, type KubeObject, type NodeImage, type NodePods, type Source } from "#engine";
import { imageDigest } from "#values";
import { fieldsIn, listIn, namedIn, textIn } from "../fields.ts";
import { productOf, type Known } from "./agent-products.ts";
import { PROXY, type PodProxy } from "./pod-proxy.ts";

type Place = Omit<Source, "collector">;

/** Pods of one DaemonSet with one image. */
export interface AgentPods extends Known {
  readonly namespace: string;
  readonly name: string;
  readonly digest?: string | undefined;
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

interface PodGroup extends Group {
  readonly type: NodePods["type"];
  readonly class: string;
  readonly images: Map<string, NodeImage>;
  withSidecar: number;
}

/** Images of one runtime class that are kept. */
const IMAGES = 200;

/** Gathers from pods, one by one, where known programs run; memory grows with programs times nodes. */
export class NodeWork {
  readonly #agents = new Map<string, Group & Known & { readonly namespace: string; readonly daemonSet: string; readonly digest?: string }>();
  readonly #pods = new Map<string, PodGroup>();

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
    if (runtimeClass !== undefined) {
      const group = this.#note("class-pods", runtimeClass, node, ready, name, source);
      if (proxy !== undefined) group.withSidecar++;
      for (const image of imagesOf(pod)) if (group.images.size < IMAGES) group.images.set(canonical(image), image);
    }

    const daemonSet = listIn(metadata, "ownerReferences").find((owner) => textIn(owner, "kind") === "DaemonSet");
    const known = daemonSet === undefined ? undefined : productOf(spec);
    if (known === undefined || daemonSet === undefined) return;
    const namespace = textIn(metadata, "namespace") ?? "default";
    const status = namedIn(fieldsIn(pod, "status"), "containerStatuses", known.container);
    const image = textIn(status, "image", 512) ?? known.image;
    const digest = imageDigest(textIn(status, "imageID") ?? "");
    const owner = textIn(daemonSet, "name", 253) ?? "";
    const key = JSON.stringify([namespace, owner, image, digest, known.mode]);
    const group = this.#agents.get(key) ?? { ...known, image, ...(digest === undefined ? {} : { digest }), namespace, daemonSet: owner, ...emptyGroup(name, source) };
    put(group, node, ready, name, source);
    this.#agents.set(key, group);
  }

  #note(type: NodePods["type"], name: string, node: string, runs: boolean, pod: string, source: () => Place): PodGroup {
    const key = JSON.stringify([type, name]);
    const group = this.#pods.get(key) ?? { type, class: name, images: new Map<string, NodeImage>(), withSidecar: 0, ...emptyGroup(pod, source) };
    put(group, node, runs, pod, source);
    this.#pods.set(key, group);
    return group;
  }

  result(): NodeWorkSeen {
    return {
      agents: inOrder(this.#agents).map(({ on, off, first, daemonSet, ...rest }) => ({ ...rest, name: daemonSet, readyOn: on, notReadyOn: off, source: first.source })),
      pods: inOrder(this.#pods).map((group) => ({ data: podsOf(group), source: group.first.source })),
    };
  }
}

function podsOf({ type, class: name, on, off, images, withSidecar }: PodGroup): NodePods {
  const where = { type, name, runningOn: [...on].toSorted(), failingOn: [...off].filter((node) => !on.has(node)).toSorted() };
  return type === "sidecars" ? where : { ...where, images: inOrder(images), withSidecar };
}

/** What the containers of a pod run, but for the proxy of the mesh. */
function imagesOf(pod: KubeObject): readonly NodeImage[] {
  const statuses = fieldsIn(pod, "status");
  return listIn(fieldsIn(pod, "spec"), "containers").flatMap((container) => {
    const [name, image] = [textIn(container, "name", 63) ?? "", textIn(container, "image", 512)];
    const digest = imageDigest(textIn(namedIn(statuses, "containerStatuses", name), "imageID") ?? "");
    return image === undefined || name === PROXY ? [] : [{ image, ...(digest === undefined ? {} : { digest }) }];
  });
}

function emptyGroup(name: string, source: () => Place): Group {
  return { on: new Set(), off: new Set(), first: { name, source: source() } };
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
