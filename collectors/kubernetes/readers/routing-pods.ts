import { byText, canonical, type FieldMask, type JsonObject, type KubeObject, type RoutingObject, type Source } from "#engine";
import { fieldsIn, listIn, namedIn, textIn, type Fields } from "../fields.ts";
import { PROXY, type PodProxy } from "./pod-proxy.ts";

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

/** All that {@link RoutingPods} looks at. */
export const routingFields: FieldMask = {
  metadata: { namespace: true, labels: true, deletionTimestamp: true },
  spec: { containers: { name: true, image: true, env: { name: true, value: true } } },
  status: { phase: true },
};

/** Gathers what the pods of a cluster say, one by one; memory grows with the sets of labels. */
export class RoutingPods {
  readonly #groups = new Map<string, PodsSeen["objects"][number]>();
  readonly #planes = new Map<string, ControlPlane>();
  readonly #proxies = new Set<string>();

  /** Forgets all, for a list that starts again. */
  clear(): void {
    this.#groups.clear();
    this.#planes.clear();
    this.#proxies.clear();
  }

  add(pod: KubeObject, proxy: PodProxy | undefined, source: () => Omit<Source, "collector">): void {
    const plane = controlPlane(pod);
    if (plane !== undefined) this.#planes.set(canonical(plane), plane);
    if (proxy === undefined || !routes(proxy)) return;
    this.#proxies.add(proxy.image);
    const labels = stableOf(fieldsIn(fieldsIn(pod, "metadata"), "labels"));
    const trusted = proxy.role === "gateway" ? trustedBy(pod) : undefined;
    const key = JSON.stringify([proxy.namespace, proxy.role, labels, trusted]);
    const known = this.#groups.get(key);
    if (known === undefined || proxy.name < known.data.name) this.#groups.set(key, { data: clientOf(proxy, labels, trusted), source: source() });
  }

  result(): PodsSeen {
    return { objects: inOrder(this.#groups), controlPlanes: inOrder(this.#planes), proxies: [...this.#proxies].toSorted() };
  }
}

function inOrder<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].toSorted(([a], [b]) => byText(a, b)).map(([, value]) => value);
}

/** A sidecar or gateway that runs or will run: what ended routes nothing. */
function routes({ role, state }: PodProxy): boolean {
  return (role === "sidecar" || role === "gateway") && (state === "running" || state === "pending");
}

/** A pod with nothing but what routing looks at: labels, that its proxy is a sidecar or a gateway, and how many proxies in front a gateway trusts. */
function clientOf({ name, namespace, role }: PodProxy, labels: readonly (readonly [string, string])[], trusted: number | undefined): RoutingObject {
  const env = trusted === undefined ? {} : { env: [{ name: PROXY_CONFIG, value: JSON.stringify({ gatewayTopology: { numTrustedProxies: trusted } }) }] };
  const spec: JsonObject = { containers: [{ name: PROXY, args: ["proxy", role === "gateway" ? "router" : "sidecar"], ...env }] };
  return { type: "object", apiVersion: "v1", kind: "Pod", namespace, name, labels: Object.fromEntries(labels), spec };
}

/** Where the injector writes what the mesh and the pod's annotations say of its proxy. */
const PROXY_CONFIG = "PROXY_CONFIG";
const LARGEST = 1 << 20;

/** `gatewayTopology.numTrustedProxies` of a pod's own proxy, where it says so. */
function trustedBy(pod: KubeObject): number | undefined {
  const text = textIn(namedIn(namedIn(fieldsIn(pod, "spec"), "containers", PROXY) ?? {}, "env", PROXY_CONFIG), "value", LARGEST);
  if (text === undefined) return undefined;
  try {
    const trusted = fieldsIn(fieldsIn({ value: JSON.parse(text) as unknown }, "value"), "gatewayTopology")["numTrustedProxies"];
    return typeof trusted === "number" ? trusted : undefined;
  } catch {
    return undefined;
  }
}

export function stableOf(labels: Fields): readonly (readonly [string, string])[] {
  const keys = Object.keys(labels).filter((key) => !UNSTABLE.has(key)).toSorted();
  return keys.map((key) => [key, textIn(labels, key) ?? ""]);
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
