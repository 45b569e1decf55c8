import { byText, canonical, type Io, type JsonObject, type KubeObject, type KubernetesApi, type RoutingObject, type Source } from "#engine";
import { fieldsIn, listIn, namedIn, textIn, type Fields } from "../fields.ts";
import { pods } from "../resources.ts";
import { podProxy, PROXY, type PodProxy } from "./pod-proxy.ts";

/** A control plane that runs, and where it reads the mesh configuration. */
export interface ControlPlane {
  readonly namespace: string;
  readonly image: string;
  /** Its revision; "" for the one without a name. */
  readonly revision: string;
  /** The ConfigMap that it reads besides its own, where there is one. */
  readonly shared: string | undefined;
}

/** What the pods of a cluster say about its routing. */
export interface PodsSeen {
  /** One for each set of clients or gateways that nothing tells apart. */
  readonly objects: readonly { readonly data: RoutingObject; readonly source: Omit<Source, "collector"> }[];
  readonly controlPlanes: readonly ControlPlane[];
  /** Images of the proxies. */
  readonly proxies: readonly string[];
}

/** Reads all pods once. */
export async function seePods(api: KubernetesApi, io: Io): Promise<PodsSeen> {
  let groups = new Map<string, PodsSeen["objects"][number]>();
  let planes = new Map<string, ControlPlane>();
  let proxies = new Set<string>();
  for await (const page of api.list(pods)) {
    io.signal.throwIfAborted();
    if (page.restarted) [groups, planes, proxies] = [new Map(), new Map(), new Set()];
    for (const pod of page.items) {
      const plane = controlPlane(pod);
      if (plane !== undefined) planes.set(canonical(plane), plane);
      const proxy = podProxy(pod);
      if (proxy === undefined || !routes(proxy)) continue;
      proxies.add(proxy.image);
      const data = clientOf(proxy, fieldsIn(fieldsIn(pod, "metadata"), "labels"));
      const key = canonical({ ...data, name: "" });
      const known = groups.get(key);
      if (known === undefined || data.name < known.data.name) groups.set(key, { data, source: page.source(pod) });
    }
  }
  const inOrder = <T>(map: ReadonlyMap<string, T>) => [...map].toSorted(([a], [b]) => byText(a, b)).map(([, value]) => value);
  return { objects: inOrder(groups), controlPlanes: inOrder(planes), proxies: [...proxies].toSorted() };
}

/** A sidecar or gateway that runs or will run: what ended routes nothing. */
function routes({ role, state }: PodProxy): boolean {
  return (role === "sidecar" || role === "gateway") && (state === "running" || state === "pending");
}

/** A pod with nothing but what routing looks at: labels, and that its proxy is a sidecar or a gateway. */
function clientOf({ name, namespace, role }: PodProxy, labels: Fields): RoutingObject {
  const stable = Object.keys(labels).filter((key) => !UNSTABLE.has(key)).toSorted();
  const spec: JsonObject = { containers: [{ name: PROXY, args: ["proxy", role === "gateway" ? "router" : "sidecar"] }] };
  return { type: "object", apiVersion: "v1", kind: "Pod", namespace, name, labels: Object.fromEntries(stable.map((key) => [key, textIn(labels, key) ?? ""])), spec };
}

/** Labels that differ from pod to pod, or from rollout to rollout: nobody routes by them. */
const UNSTABLE: ReadonlySet<string> = new Set([
  "pod-template-hash",
  "rollouts-pod-template-hash",
  "pod-template-generation",
  "controller-revision-hash",
  "controller-uid",
  "job-name",
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-name",
  "batch.kubernetes.io/job-completion-index",
  "statefulset.kubernetes.io/pod-name",
  "apps.kubernetes.io/pod-index",
]);

/** istiod, under the labels and the container name that all of its charts give it. */
function controlPlane(pod: KubeObject): ControlPlane | undefined {
  const metadata = fieldsIn(pod, "metadata");
  const labels = fieldsIn(metadata, "labels");
  const container = namedIn(fieldsIn(pod, "spec"), "containers", "discovery");
  const phase = textIn(fieldsIn(pod, "status"), "phase");
  if (textIn(labels, "app") !== "istiod" || container === undefined || phase === "Succeeded" || phase === "Failed" || metadata["deletionTimestamp"] !== undefined) return undefined;
  const revision = textIn(labels, "istio.io/rev") ?? "";
  const shared = listIn(container, "env").find((entry) => textIn(entry, "name") === "SHARED_MESH_CONFIG");
  return {
    namespace: textIn(metadata, "namespace") ?? "default",
    image: textIn(container, "image") ?? "",
    revision: revision === "default" ? "" : revision,
    shared: textIn(shared, "value", 253),
  };
}
