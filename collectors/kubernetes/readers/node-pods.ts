import { byText, canonical, type AgentName, type KubeObject, type MeshOnNodes, type NodeAgent, type NodeWorkload, type RuntimePods, type Source } from "#engine";
import { imageDigest } from "#values";
import { fieldsIn, listIn, textIn, type Fields } from "../fields.ts";
import { PROXY, type PodProxy } from "./pod-proxy.ts";

/** What pods say about the nodes that they run on. */
export interface NodeGroup {
  readonly data: NodeWorkload;
  readonly source: Omit<Source, "collector">;
}

/** The containers by which agents are known, whatever their DaemonSets are called. */
const AGENTS: ReadonlyMap<string, AgentName> = new Map([
  ["cilium-agent", "cilium"],
  ["bpfman", "bpfman"],
  ["bpfman-agent", "bpfman"],
  ["kmesh", "kmesh"],
  ["merbridge", "merbridge"],
  ["aws-eks-nodeagent", "aws-network-policy"],
  ["install-cni", "istio-cni"],
  ["nfd-worker", "nfd-worker"],
]);
/** Some agents have containers with names that others have too: then the DaemonSet has to bear this name. */
const NAMED: Partial<Record<AgentName, string>> = { "istio-cni": "istio-cni", merbridge: "merbridge", kmesh: "kmesh" };

type Open<T> = { -readonly [K in keyof T]: T[K] extends readonly string[] ? Set<string> : T[K] };

interface Group<T> {
  readonly data: Open<T>;
  source: Omit<Source, "collector">;
  /** `namespace/name` of the pod that stands for the group: the first by name. */
  first: string;
}

/** Gathers agents, proxies and pods of runtime classes by the nodes that they run on; memory grows with agents times nodes, never with applications. */
export class NodePods {
  readonly #agents = new Map<string, Group<NodeAgent>>();
  readonly #mesh = new Map<string, Group<MeshOnNodes>>();
  readonly #runtimes = new Map<string, Group<RuntimePods>>();

  /** Forgets all, for a list that starts again. */
  clear(): void {
    this.#agents.clear();
    this.#mesh.clear();
    this.#runtimes.clear();
  }

  add(pod: KubeObject, proxy: PodProxy | undefined, source: () => Omit<Source, "collector">): void {
    const spec = fieldsIn(pod, "spec");
    const node = textIn(spec, "nodeName", 253);
    const status = fieldsIn(pod, "status");
    const phase = textIn(status, "phase", 32);
    const metadata = fieldsIn(pod, "metadata");
    if (node === undefined || phase === "Succeeded" || phase === "Failed" || metadata["deletionTimestamp"] !== undefined) return;
    const seen: Pod = { spec, status, metadata, node, name: `${textIn(metadata, "namespace", 253) ?? "default"}/${textIn(metadata, "name", 253) ?? ""}` };
    this.#addAgent(seen, proxy, source);
    this.#addMesh(seen, proxy, source);
    this.#addRuntime(seen, proxy, source);
  }

  sorted(): readonly NodeGroup[] {
    const groups = [...this.#agents, ...this.#mesh, ...this.#runtimes].toSorted(([a], [b]) => byText(a, b));
    return groups.map(([, { data, source }]) => ({ data: closed(data), source }));
  }

  #addAgent(pod: Pod, proxy: PodProxy | undefined, source: () => Omit<Source, "collector">): void {
    const owner = listIn(pod.metadata, "ownerReferences").find((entry) => textIn(entry, "kind") === "DaemonSet");
    const name = textIn(owner, "name", 253);
    if (name === undefined) return;
    const container = listIn(pod.spec, "containers").find((entry) => agentOf(entry, name, proxy) !== undefined);
    const agent = agentOf(container, name, proxy);
    if (agent === undefined) return;
    const running = statusOf(pod, textIn(container, "name") ?? "");
    const image = textIn(container, "image", 512) ?? "";
    const imageId = imageDigest(textIn(running, "imageID") ?? "");
    const mode = agent === "kmesh" ? modeOf(container) : undefined;
    const [namespace = ""] = pod.name.split("/");
    const about = { what: "agent" as const, agent, namespace, name, image, ...(imageId === undefined ? {} : { imageId }), ...(mode === undefined ? {} : { mode }) };
    const group = groupIn(this.#agents, `agent ${canonical(about)}`, pod, source, () => ({ ...about, ready: new Set<string>(), notReady: new Set<string>() }));
    (running?.["ready"] === true ? group.data.ready : group.data.notReady).add(pod.node);
  }

  #addMesh(pod: Pod, proxy: PodProxy | undefined, source: () => Omit<Source, "collector">): void {
    const annotations = fieldsIn(pod.metadata, "annotations");
    const dataplanes: readonly (readonly [MeshOnNodes["dataplane"], boolean])[] = [
      ["sidecar", proxy?.role === "sidecar" && proxy.state === "running"],
      ["ambient", textIn(annotations, "ambient.istio.io/redirection") === "enabled"],
      ["kmesh", textIn(annotations, "kmesh.net/redirection") === "enabled"],
    ];
    for (const [dataplane, is] of dataplanes) {
      if (!is) continue;
      const group = groupIn(this.#mesh, `mesh ${dataplane}`, pod, source, () => ({ what: "mesh" as const, dataplane, nodes: new Set<string>(), example: pod.name }));
      group.data.nodes.add(pod.node);
      group.data.example = group.first;
    }
  }

  #addRuntime(pod: Pod, proxy: PodProxy | undefined, source: () => Omit<Source, "collector">): void {
    const runtimeClass = textIn(pod.spec, "runtimeClassName", 253);
    if (runtimeClass === undefined) return;
    for (const container of listIn(pod.spec, "containers")) {
      const name = textIn(container, "name") ?? "";
      if (name === PROXY) continue;
      const running = statusOf(pod, name);
      const imageId = imageDigest(textIn(running, "imageID") ?? "");
      const about = { what: "runtime" as const, runtimeClass, image: textIn(container, "image", 512) ?? "", ...(imageId === undefined ? {} : { imageId }), sidecar: proxy !== undefined, marks: marksOf(pod.metadata) };
      const group = groupIn(this.#runtimes, `runtime ${canonical(about)}`, pod, source, () => ({ ...about, ready: new Set<string>(), notReady: 0, example: pod.name }));
      if (running?.["ready"] === true) group.data.ready.add(pod.node);
      else group.data.notReady += 1;
      group.data.example = group.first;
    }
  }
}

interface Pod {
  readonly spec: Fields;
  readonly status: Fields;
  readonly metadata: Fields;
  readonly node: string;
  readonly name: string;
}

function groupIn<T>(groups: Map<string, Group<T>>, key: string, { name }: Pod, source: () => Omit<Source, "collector">, make: () => Open<T>): Group<T> {
  let group = groups.get(key);
  if (group === undefined) {
    group = { data: make(), source: source(), first: name };
    groups.set(key, group);
  } else if (name < group.first) {
    group.first = name;
    group.source = source();
  }
  return group;
}

function closed(data: Open<NodeAgent> | Open<MeshOnNodes> | Open<RuntimePods>): NodeWorkload {
  switch (data.what) {
    case "agent":
      return { ...data, ready: [...data.ready].toSorted(), notReady: [...data.notReady].toSorted() };
    case "mesh":
      return { ...data, nodes: [...data.nodes].toSorted() };
    case "runtime":
      return { ...data, ready: [...data.ready].toSorted() };
    default:
      return data satisfies never;
  }
}

function agentOf(container: unknown, daemonSet: string, proxy: PodProxy | undefined): AgentName | undefined {
  const name = textIn(container, "name");
  if (name === PROXY && proxy?.role === "ztunnel") return "ztunnel";
  const agent = name === undefined ? undefined : AGENTS.get(name);
  const wanted = agent === undefined ? undefined : NAMED[agent];
  return wanted === undefined || daemonSet.startsWith(wanted) ? agent : undefined;
}

function statusOf({ status }: Pod, container: string): Fields | undefined {
  return listIn(status, "containerStatuses").find((entry): entry is Fields => textIn(entry, "name") === container);
}

/** `--mode=dual-engine`, the one argument that is looked at. */
function modeOf(container: unknown): string | undefined {
  const words = [...listIn(container, "command"), ...listIn(container, "args")].filter((word): word is string => typeof word === "string").join(" ");
  return /--mode[= ]["']?(dual-engine|kernel-native|ads|workload)\b/.exec(words.slice(0, 16_384))?.[1];
}

/** What says how the mesh and Wasm handlers treat a pod. */
const MARKS = ["sidecar.istio.io/inject", "istio.io/dataplane-mode", "ambient.istio.io/redirection", "run.oci.handler", "module.wasm.image/variant"];

function marksOf(metadata: Fields): Readonly<Record<string, string>> {
  const [labels, annotations] = [fieldsIn(metadata, "labels"), fieldsIn(metadata, "annotations")];
  return Object.fromEntries(MARKS.flatMap((key) => Object.entries({ [key]: textIn(labels, key, 63) ?? textIn(annotations, key, 63) }).filter((entry): entry is [string, string] => entry[1] !== undefined)));
}
