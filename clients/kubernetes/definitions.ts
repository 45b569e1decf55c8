import type { FoundKind, Resource } from "#engine";
import { foreignText } from "#values";
import type { Manifest } from "./folder.ts";

/** What a folder holds, as far as kinds are concerned. */
interface Kinds {
  all(): Iterable<readonly Manifest[]>;
  find(group: string, kind: string): readonly Manifest[];
}

/** What a CustomResourceDefinition says of its kind. */
interface Definition {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly versions: readonly { readonly name: string; readonly schema: unknown }[];
}

/** Kinds of the API server itself that are in no namespace; of others their definition or their objects tell. */
const clusterScoped: ReadonlySet<string> = new Set([
  "/ComponentStatus",
  "/Namespace",
  "/Node",
  "/PersistentVolume",
  "admissionregistration.k8s.io/MutatingWebhookConfiguration",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
  "apiextensions.k8s.io/CustomResourceDefinition",
  "apiregistration.k8s.io/APIService",
  "certificates.k8s.io/CertificateSigningRequest",
  "flowcontrol.apiserver.k8s.io/FlowSchema",
  "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration",
  "gateway.networking.k8s.io/GatewayClass",
  "networking.k8s.io/IngressClass",
  "node.k8s.io/RuntimeClass",
  "rbac.authorization.k8s.io/ClusterRole",
  "rbac.authorization.k8s.io/ClusterRoleBinding",
  "resource.k8s.io/DeviceClass",
  "resource.k8s.io/ResourceSlice",
  "scheduling.k8s.io/PriorityClass",
  "storage.k8s.io/CSIDriver",
  "storage.k8s.io/CSINode",
  "storage.k8s.io/StorageClass",
  "storage.k8s.io/VolumeAttachment",
]);

/** What a folder can say of a kind. An API server has the groups without a dot, and those of `k8s.io` that are not in a definition. */
export function findKind(kinds: Kinds, apiVersion: string, kind: string): FoundKind {
  const slash = apiVersion.indexOf("/");
  const group = slash === -1 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const definition = definitionOf(kinds, { group, kind });
  const objects = kinds.find(group, kind);
  const builtIn = !group.includes(".") || clusterScoped.has(`${group}/${kind}`);
  const versions = new Set([...(definition?.versions.map(({ name }) => name) ?? []), ...objects.map((object) => object.version), ...(builtIn && objects.length === 0 && definition === undefined ? [version] : [])]);
  const served = versions.has(version);
  const namespaced = definition?.namespaced ?? !clusterScoped.has(`${group}/${kind}`);
  const resource = { group, versions: [version], plural: definition?.plural ?? `${kind.toLowerCase()}s`, kind, namespaced };
  return { ...(served ? { resource } : {}), versions: [...versions].sort(), kinds: kindsOf(kinds, group) };
}

function kindsOf(kinds: Kinds, group: string): readonly string[] {
  const named = [...kinds.all()].flatMap(([first]) => (first?.group === group ? [first.kind] : []));
  const defined = definitions(kinds).filter((definition) => definition.group === group).map(({ kind }) => kind);
  return [...new Set([...named, ...defined])].sort();
}

/** The definition of a kind, where the folder holds it. */
export function definitionOf(kinds: Kinds, { group, kind }: Pick<Resource, "group" | "kind">): Definition | undefined {
  return definitions(kinds).find((definition) => definition.group === group && definition.kind === kind);
}

const known = new WeakMap<Kinds, readonly Definition[]>();

function definitions(kinds: Kinds): readonly Definition[] {
  const found = known.get(kinds) ?? kinds.find("apiextensions.k8s.io", "CustomResourceDefinition").flatMap(({ object }) => toDefinition(object["spec"]));
  known.set(kinds, found);
  return found;
}

function toDefinition(spec: unknown): readonly Definition[] {
  const [group, names, scope, versions] = ["group", "names", "scope", "versions"].map((key) => inside(spec, key));
  const [kind, plural] = [inside(names, "kind"), inside(names, "plural")];
  if (typeof group !== "string" || typeof kind !== "string" || typeof plural !== "string" || !Array.isArray(versions)) return [];
  const served = versions.filter((version: unknown) => inside(version, "served") !== false);
  return [
    {
      group,
      kind,
      plural,
      namespaced: scope !== "Cluster",
      versions: served.map((version: unknown) => ({ name: foreignText(inside(version, "name")), schema: inside(inside(version, "schema"), "openAPIV3Schema") })),
    },
  ];
}

function inside(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (Reflect.get(value, key) as unknown) : undefined;
}
