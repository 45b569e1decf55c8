import { POD_MARKS, type ClassImage, type FieldMask, type KubeObject, type NodePods, type Source } from "#engine";
import { imageDigest, parseImage } from "#values";
import { fieldsIn, listIn, namedIn, textIn, type Fields } from "../fields.ts";
import { productFields, productOf, type Known } from "./agent-products.ts";
import { PROXY, type PodProxy } from "./pod-proxy.ts";

type Place = Omit<Source, "collector">;

/** Pods of one DaemonSet with one image. */
export interface AgentPods extends Known {
  readonly namespace: string;
  readonly name: string;
  readonly imageId?: string | undefined;
  readonly pinned: boolean;
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

interface AgentGroup extends Group, Known {
  readonly namespace: string;
  readonly daemonSet: string;
  readonly imageId: string | undefined;
  readonly pinned: boolean;
}

interface PodGroup extends Group {
  readonly type: NodePods["type"];
  readonly class: string;
  readonly images: Map<string, ClassImage>;
  readonly marks: Map<string, Map<string, number>>;
  pods: number;
  withSidecar: number;
  sidecarsDown: number;
}

/** Annotations that agents write into pods whose traffic they redirect. */
const REDIRECTED = [
  ["ambient", "ambient.istio.io/redirection"],
  ["kmesh", "kmesh.net/redirection"],
] as const;

const MARKS: FieldMask = Object.fromEntries(POD_MARKS.map((mark) => [mark, true]));

/** All that {@link NodeWork} looks at. */
export const nodeWorkFields: FieldMask = {
  metadata: { name: true, namespace: true, deletionTimestamp: true, annotations: MARKS, labels: MARKS, ownerReferences: { kind: true, name: true } },
  spec: { ...productFields, nodeName: true, runtimeClassName: true },
  status: { phase: true, conditions: { type: true, status: true }, containerStatuses: { name: true, image: true, imageID: true, ready: true } },
};

/** Gathers from pods, one by one, where known programs run; memory grows with programs times nodes. */
export class NodeWork {
  readonly #agents = new Map<string, AgentGroup>();
  readonly #pods = new Map<string, PodGroup>();

  /** Forgets all, for a list that starts again. */
  clear(): void {
    this.#agents.clear();
    this.#pods.clear();
  }

  /** A pod that ended, or that is being deleted, says nothing about its node. */
  add(pod: KubeObject, proxy: PodProxy | undefined, source: () => Place): void {
    const [metadata, spec] = [fieldsIn(pod, "metadata"), fieldsIn(pod, "spec")];
    const node = textIn(spec, "nodeName", 253);
    const phase = textIn(fieldsIn(pod, "status"), "phase");
    if (node === undefined || phase === "Succeeded" || phase === "Failed" || metadata["deletionTimestamp"] !== undefined) return;

    const seen: Seen = { node, ready: isReady(pod), name: textIn(metadata, "name") ?? "", source };
    const redirected = REDIRECTED.filter(([, annotation]) => textIn(fieldsIn(metadata, "annotations"), annotation) === "enabled");
    if (proxy?.role === "sidecar") this.#note("sidecars", "", { ...seen, ready: proxy.state === "running" });
    for (const [type] of redirected) this.#note(type, "", seen);
    if (redirected.length + (proxy?.role === "sidecar" ? 1 : 0) > 1) this.#note("several", "", seen);
    const runtimeClass = textIn(spec, "runtimeClassName", 253);
    if (runtimeClass !== undefined) addClassPod(this.#note("class-pods", runtimeClass, seen), pod, proxy);
    const owner = listIn(metadata, "ownerReferences").find((each) => textIn(each, "kind") === "DaemonSet");
    const known = owner === undefined ? undefined : productOf(spec);
    if (known !== undefined) this.#agent(known, textIn(owner, "name", 253) ?? "", pod, seen);
  }

  #agent(known: Known, daemonSet: string, pod: KubeObject, seen: Seen): void {
    const namespace = textIn(fieldsIn(pod, "metadata"), "namespace") ?? "default";
    const status = namedIn(fieldsIn(pod, "status"), "containerStatuses", known.container);
    const image = textIn(status, "image", 512) ?? known.image;
    const imageId = imageDigest(textIn(status, "imageID") ?? "");
    const pinned = isPinned(known.image);
    const key = JSON.stringify([namespace, daemonSet, image, imageId, known.mode, pinned]);
    put(this.#agents, key, seen, () => ({ ...known, image, imageId, pinned, namespace, daemonSet, ...emptyGroup(seen) }));
  }

  #note(type: NodePods["type"], name: string, seen: Seen): PodGroup {
    return put(this.#pods, JSON.stringify([type, name]), seen, () => ({ type, class: name, images: new Map<string, ClassImage>(), marks: new Map<string, Map<string, number>>(), pods: 0, withSidecar: 0, sidecarsDown: 0, ...emptyGroup(seen) }));
  }

  result(): NodeWorkSeen {
    return {
      agents: inOrder(this.#agents).map(({ on, off, first, daemonSet, ...rest }) => ({ ...rest, name: daemonSet, readyOn: on, notReadyOn: off, source: first.source })),
      pods: inOrder(this.#pods).map((group) => ({ data: podsOf(group), source: group.first.source })),
    };
  }
}

/** One pod on its node. */
interface Seen {
  readonly node: string;
  readonly ready: boolean;
  readonly name: string;
  readonly source: () => Place;
}

function emptyGroup({ name, source }: Seen): Group {
  return { on: new Set(), off: new Set(), first: { name, source: source() } };
}

function put<T extends Group>(groups: Map<string, T>, key: string, seen: Seen, make: () => T): T {
  const group = groups.get(key) ?? make();
  (seen.ready ? group.on : group.off).add(seen.node);
  if (seen.name < group.first.name) group.first = { name: seen.name, source: seen.source() };
  groups.set(key, group);
  return group;
}

function podsOf({ type, class: name, on, off, images, marks, pods, withSidecar, sidecarsDown }: PodGroup): NodePods {
  const where = { type, name, runningOn: [...on].toSorted(), failingOn: [...off].filter((node) => !on.has(node)).toSorted() };
  return type === "class-pods" ? { ...where, images: inOrder(images), pods, marks: Object.fromEntries([...marks].toSorted(byKey).map(([mark, values]) => [mark, Object.fromEntries([...values].toSorted(byKey))])), withSidecar, sidecarsDown } : where;
}

/** What the containers of a pod run, but for the proxy of the mesh, which may run as an ordinary container beside them. */
function addClassPod(group: PodGroup, pod: KubeObject, proxy: PodProxy | undefined): void {
  const metadata = fieldsIn(pod, "metadata");
  group.pods++;
  for (const mark of POD_MARKS) {
    const value = textIn(fieldsIn(metadata, "labels"), mark, 63) ?? textIn(fieldsIn(metadata, "annotations"), mark, 63);
    if (value === undefined) continue;
    const values = group.marks.get(mark) ?? new Map<string, number>();
    group.marks.set(mark, values.set(value, (values.get(value) ?? 0) + 1));
  }
  if (proxy !== undefined) group.withSidecar++;
  if (proxy !== undefined && proxy.state !== "running") group.sidecarsDown++;
  const statuses = fieldsIn(pod, "status");
  for (const container of listIn(fieldsIn(pod, "spec"), "containers")) {
    const [name, image] = [textIn(container, "name", 63) ?? "", textIn(container, "image", 512)];
    if (image === undefined || name === PROXY) continue;
    const status: Fields | undefined = namedIn(statuses, "containerStatuses", name);
    const imageId = imageDigest(textIn(status, "imageID") ?? "");
    const words = listIn(container, "command").length > 0 ? {} : listIn(container, "args").length > 0 ? ({ ownArguments: true } as const) : ({ asBuilt: true } as const);
    const key = JSON.stringify([image, imageId, words]);
    const known = group.images.get(key) ?? { image, ...(imageId === undefined ? {} : { imageId }), ...words, ready: 0, notReady: 0 };
    const isUp = status?.["ready"] === true;
    group.images.set(key, { ...known, ready: known.ready + (isUp ? 1 : 0), notReady: known.notReady + (isUp ? 0 : 1) });
  }
}

/** The condition counts; a dump that kept only the phase shows as much as it can. */
function isReady(pod: KubeObject): boolean {
  const status = fieldsIn(pod, "status");
  const condition = listIn(status, "conditions").find((each) => textIn(each, "type") === "Ready");
  if (condition !== undefined) return textIn(condition, "status") === "True";
  const statuses = listIn(status, "containerStatuses");
  return statuses.length === 0 ? textIn(status, "phase") === "Running" : statuses.every((each) => fieldsIn({ each }, "each")["ready"] === true);
}

/** Does this reference name one image for ever? */
export function isPinned(image: string): boolean {
  return parseImage(image)?.digest !== undefined;
}

function inOrder<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].toSorted(byKey).map(([, value]) => value);
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
