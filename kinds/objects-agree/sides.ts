import { fullName, type Fact, type KindSeen, type ObjectSeen } from "#engine";
import { type ObjectPath } from "#values";
import { Hidden, isMap } from "./meaning.ts";

/** One object as a fact. */
export type ObjectFact = Fact<"objects"> & { readonly data: ObjectSeen };
export type KindFact = Fact<"objects"> & { readonly data: KindSeen };

export function isObjectFact(fact: Fact<"objects">): fact is ObjectFact {
  return fact.data.what === "object";
}

export function isKindFact(fact: Fact<"objects">): fact is KindFact {
  return fact.data.what === "kind";
}

/** Annotations of tools and controllers that write what they did, not what is wanted. */
const TOOLS = ["kubectl.kubernetes.io/", "meta.helm.sh/", "argocd.argoproj.io/", "deployment.kubernetes.io/", "endpoints.kubernetes.io/last-change-trigger-time"];
/** What each cluster hands out by itself. */
const ASSIGNED: ReadonlyMap<string, readonly ObjectPath[]> = new Map([
  ["/Service", [["spec", "clusterIPs"], ["spec", "healthCheckNodePort"], ["spec", "ports", "*", "nodePort"]]],
  ["/Namespace", [["spec", "finalizers"]]],
  ["/ServiceAccount", [["secrets"]]],
  ["/PersistentVolume", [["spec", "claimRef"]]],
  ["batch/Job", [["spec", "selector"], ["spec", "template", "metadata", "labels", "controller-uid"], ["spec", "template", "metadata", "labels", "batch.kubernetes.io/controller-uid"]]],
  ["apiregistration.k8s.io/APIService", [["spec", "caBundle"]]],
  ["/PersistentVolumeClaim", [["spec", "volumeName"]]],
  ["apiextensions.k8s.io/CustomResourceDefinition", [["spec", "conversion", "webhook", "clientConfig", "caBundle"]]],
  ["admissionregistration.k8s.io/MutatingWebhookConfiguration", [["webhooks", "*", "clientConfig", "caBundle"]]],
  ["admissionregistration.k8s.io/ValidatingWebhookConfiguration", [["webhooks", "*", "clientConfig", "caBundle"]]],
]);

/** Fields of a kind that a cluster assigns, so that two clusters never have the same; without those that a path to compare names. */
export function assignedPaths(group: string, kind: string, compare: readonly ObjectPath[] = []): readonly ObjectPath[] {
  return (ASSIGNED.get(`${group}/${kind}`) ?? []).filter((path) => !compare.some((pattern) => pattern.length >= path.length && path.every((step, index) => step === "*" || pattern[index] === step)));
}

/** That a Service has no address says something; which address it has does not. */
function withoutAddress(content: Readonly<Record<string, unknown>>, compare: readonly ObjectPath[]): Readonly<Record<string, unknown>> {
  const { apiVersion, kind, spec } = content;
  if (apiVersion !== "v1" || kind !== "Service" || !isMap(spec) || typeof spec["clusterIP"] !== "string" || spec["clusterIP"] === "None") return content;
  if (compare.some(([first, second]) => first === "spec" && second === "clusterIP")) return content;
  const { clusterIP: _clusterIP, ...rest } = spec;
  return { ...content, spec: rest };
}

/** Is it an annotation that a tool writes for itself, of the object or of a template in it? */
export function isBookkeeping(path: ObjectPath): boolean {
  const key = path.at(-1) ?? "";
  return path.at(-2) === "annotations" && path.at(-3) === "metadata" && TOOLS.some((tool) => key.startsWith(tool));
}

/**
 * What of an object is compared: all but `status` and bookkeeping. Of `metadata` labels and annotations, without those that kubectl, helm and
 * Argo CD write for themselves; name and namespace agree, for by them objects pair. What a path in `compare` names is compared all the same.
 */
export function comparedOf({ content, hidden }: ObjectSeen, compare: readonly ObjectPath[] = []): Readonly<Record<string, unknown>> {
  const { status, metadata, apiVersion: _apiVersion, kind: _kind, ...rest } = withoutAddress(withHidden(content, hidden) as Readonly<Record<string, unknown>>, compare);
  const fields = isMap(metadata) ? metadata : {};
  const isNamed = (...place: ObjectPath) => compare.some((path) => place.every((step, index) => path[index] === step));
  const { labels, annotations } = fields;
  const own = Object.entries(isMap(annotations) ? annotations : {}).filter(([key]) => !TOOLS.some((tool) => key.startsWith(tool)) || isNamed("metadata", "annotations", key));
  const named = Object.entries(fields).filter(([key]) => key !== "labels" && key !== "annotations" && isNamed("metadata", key));
  const kept = { ...Object.fromEntries(named), ...(isMap(labels) && Object.keys(labels).length > 0 ? { labels } : {}), ...(own.length === 0 ? {} : { annotations: Object.fromEntries(own) }) };
  return { ...rest, ...(Object.keys(kept).length === 0 ? {} : { metadata: kept }), ...(isNamed("status") ? { status } : {}) };
}

function withHidden(content: unknown, hidden: ObjectSeen["hidden"]): unknown {
  const marks = Object.entries(hidden);
  if (marks.length === 0) return content;
  const root: unknown = structuredClone(content);
  for (const [key, mark] of marks) put(root, JSON.parse(key) as ObjectPath, new Hidden(mark));
  return root;
}

function put(root: unknown, path: ObjectPath, mark: Hidden): void {
  let here = root;
  for (const [index, step] of path.entries()) {
    if (typeof here !== "object" || here === null) return;
    const last = index === path.length - 1;
    const next: unknown = Object.hasOwn(here, step) ? Reflect.get(here, step) : undefined;
    if (last) Object.defineProperty(here, step, { value: mark, enumerable: true, configurable: true, writable: true });
    else if (typeof next !== "object" || next === null) Object.defineProperty(here, step, { value: {}, enumerable: true, configurable: true, writable: true });
    here = Reflect.get(here, step);
  }
}

/** The name under which an object pairs with those of other clusters. */
export function commonName(fact: ObjectFact, mapping: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const own = fullName(fact.data);
  const names = Object.hasOwn(mapping, fact.cluster) ? mapping[fact.cluster] : undefined;
  return names !== undefined && Object.hasOwn(names, own) ? (names[own] ?? own) : own;
}
