import { imageDigest, parseImage, parseIstioRelease } from "#values";
import type { FieldMask, IdleReason, KubeObject, ProxyRole } from "#engine";
import { fieldsIn, listIn, namedIn, textIn, type Fields } from "../fields.ts";

/** The name that Istio gives the container of every proxy: sidecar, gateway, waypoint, ztunnel. */
export const PROXY = "istio-proxy";

/** The proxy of one pod. */
export interface PodProxy {
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  readonly role: ProxyRole;
  readonly native: boolean;
  readonly revision?: string | undefined;
  readonly image: string;
  readonly imageId?: string | undefined;
  /** `running`, or why it does not run now. */
  readonly state: "running" | IdleReason;
}

const CONTAINER: FieldMask = { name: true, image: true, restartPolicy: true, command: true, args: true, env: { name: true, value: true } };
const STATUS: FieldMask = { name: true, image: true, imageID: true, state: { running: {}, terminated: { exitCode: true } }, lastState: { terminated: {} } };

/** All that {@link podProxy} looks at. */
export const proxyFields: FieldMask = {
  metadata: {
    name: true,
    namespace: true,
    generateName: true,
    deletionTimestamp: true,
    labels: true,
    annotations: { "inject.istio.io/templates": true, "sidecar.istio.io/status": true, "istio.io/rev": true },
    ownerReferences: { controller: true, kind: true, name: true },
  },
  spec: { initContainers: CONTAINER, containers: CONTAINER },
  status: { phase: true, initContainerStatuses: STATUS, containerStatuses: STATUS },
};

/** Reads the proxy out of a pod. Undefined for a pod without one, and for Istio's agent for gRPC, which starts no Envoy. */
export function podProxy(pod: KubeObject): PodProxy | undefined {
  const spec = fieldsIn(pod, "spec");
  const init = namedIn(spec, "initContainers", PROXY);
  const native = init !== undefined && textIn(init, "restartPolicy") === "Always";
  const container = native ? init : namedIn(spec, "containers", PROXY);
  const metadata = fieldsIn(pod, "metadata");
  const name = textIn(metadata, "name");
  if (container === undefined || name === undefined || startsNoEnvoy(container)) return undefined;

  const status = namedIn(fieldsIn(pod, "status"), native ? "initContainerStatuses" : "containerStatuses", PROXY);
  return {
    name,
    namespace: textIn(metadata, "namespace") ?? "default",
    workload: workloadOf(metadata, name),
    role: roleOf(container, metadata, native ? 2 : listIn(spec, "containers").length),
    native,
    revision: revisionOf(metadata),
    image: imageOf(container, status),
    imageId: imageDigest(textIn(status, "imageID") ?? ""),
    state: stateOf(pod, status),
  };
}

/** The template `grpc-agent` runs the same container with `DISABLE_ENVOY`: the application's own gRPC library is the proxy. */
function startsNoEnvoy(container: Fields): boolean {
  const value = textIn(namedIn(container, "env", "DISABLE_ENVOY"), "value");
  return value !== undefined && ["1", "t", "true"].includes(value.toLowerCase());
}

const ROLES: ReadonlyMap<string, ProxyRole> = new Map([
  ["sidecar", "sidecar"],
  ["router", "gateway"],
  ["waypoint", "waypoint"],
  ["ztunnel", "ztunnel"],
]);

/** The arguments say it in all of Istio's own templates; labels and annotations speak where an image brings its own arguments. */
function roleOf(container: Fields, metadata: Fields, containers: number): ProxyRole {
  const args = [...listIn(container, "command"), ...listIn(container, "args")];
  const said = args[args.indexOf("proxy") + 1];
  const role = args.includes("proxy") && typeof said === "string" ? ROLES.get(said) : undefined;
  if (role !== undefined) return role;

  const labels = fieldsIn(metadata, "labels");
  const annotations = fieldsIn(metadata, "annotations");
  if (textIn(labels, "gateway.networking.k8s.io/gateway-class-name") === "istio-waypoint") return "waypoint";
  if (textIn(labels, "gateway.istio.io/managed") === "istio.io-mesh-controller") return "waypoint";
  if (textIn(labels, "app") === "ztunnel") return "ztunnel";
  if (textIn(labels, "gateway.istio.io/managed") !== undefined) return "gateway";
  if (textIn(annotations, "inject.istio.io/templates")?.split(",").some((template) => template.trim() === "gateway")) return "gateway";
  if (textIn(annotations, "sidecar.istio.io/status") !== undefined) return "sidecar";
  return containers > 1 ? "sidecar" : "gateway";
}

/**
 * The revision that injected it. The injector writes its own name into the annotations; the label of the same name
 * is what the user asked for, and may name a tag (`prod-stable`) in place of a revision.
 */
function revisionOf(metadata: Fields): string | undefined {
  const annotations = fieldsIn(metadata, "annotations");
  return textIn(annotations, "istio.io/rev") ?? injectedBy(textIn(annotations, "sidecar.istio.io/status", 64_000)) ?? textIn(fieldsIn(metadata, "labels"), "istio.io/rev");
}

function injectedBy(status: string | undefined): string | undefined {
  if (status === undefined) return undefined;
  try {
    return textIn(JSON.parse(status), "revision");
  } catch {
    return undefined;
  }
}

/** The pod's owner as people know it: the Deployment behind a ReplicaSet, one name for all runs of a CronJob and for pods that are made by prefix. */
function workloadOf(metadata: Fields, name: string): string {
  const owners = listIn(metadata, "ownerReferences");
  const owner = owners.find((entry) => fieldsIn({ entry }, "entry")["controller"] === true) ?? owners[0];
  const kind = textIn(owner, "kind");
  const owned = textIn(owner, "name");
  if (kind === undefined || owned === undefined) {
    const prefix = textIn(metadata, "generateName");
    return `Pod/${prefix === undefined ? name : `${prefix}*`}`;
  }
  const labels = fieldsIn(metadata, "labels");
  const hash = textIn(labels, "pod-template-hash");
  if (kind === "ReplicaSet" && hash !== undefined && owned.endsWith(`-${hash}`)) return `Deployment/${owned.slice(0, -hash.length - 1)}`;
  const rollout = textIn(labels, "rollouts-pod-template-hash");
  if (kind === "ReplicaSet" && rollout !== undefined && owned.endsWith(`-${rollout}`)) return `Rollout/${owned.slice(0, -rollout.length - 1)}`;
  // CronJobs name a run after its minute since 1970; the pod does not name the CronJob.
  if (kind === "Job") return `Job/${owned.replace(/-\d{8}$/, "-*")}`;
  return `${kind}/${owned}`;
}

/**
 * The status names what runs, the spec what was asked for (`image: auto` in gateways). Where the status has lost
 * the release, as runtimes do for images without a tag of their own, the spec may still have it.
 */
function imageOf(container: Fields, status: Fields | undefined): string {
  const runs = textIn(status, "image");
  const asked = textIn(container, "image") ?? "";
  if (runs === undefined || runs === asked) return asked;
  return namesRelease(runs) || !namesRelease(asked) ? runs : asked;
}

/** Does the tag name an Istio release? */
export function namesRelease(image: string): boolean {
  const tag = parseImage(image)?.tag;
  return tag !== undefined && parseIstioRelease(tag) !== undefined;
}

/**
 * Does the proxy run now? A container that waits after it ended before (CrashLoopBackOff) counts as failed, and a pod in phase
 * Running of which a trimmed dump holds no container status counts as running.
 */
function stateOf(pod: KubeObject, status: Fields | undefined): "running" | IdleReason {
  const phase = textIn(fieldsIn(pod, "status"), "phase");
  if (fieldsIn(pod, "metadata")["deletionTimestamp"] !== undefined) return "terminating";
  if (phase === "Succeeded") return "finished";
  if (phase === "Failed") return "failed";
  if (status === undefined) return phase === "Running" && !hasStatuses(pod) ? "running" : "pending";

  const state = fieldsIn(status, "state");
  if (Object.hasOwn(state, "running")) return "running";
  if (Object.hasOwn(state, "terminated")) return fieldsIn(state, "terminated")["exitCode"] === 0 ? "finished" : "failed";
  return Object.hasOwn(fieldsIn(status, "lastState"), "terminated") ? "failed" : "pending";
}

function hasStatuses(pod: KubeObject): boolean {
  const status = fieldsIn(pod, "status");
  return listIn(status, "containerStatuses").length > 0 || listIn(status, "initContainerStatuses").length > 0;
}
