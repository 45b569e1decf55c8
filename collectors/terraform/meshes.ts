import { block, blocks, flag, text } from "./picked.ts";
import type { Resource } from "./state.ts";
import { at, defined, lacks, type Thing, type Unread } from "./things.ts";

/** Meshes that are declared beside a cluster: by Helm, by a manifest. Those that are part of a cluster stand with it, and those of a fleet of Google in fleets.ts. */
export function meshThings(resources: readonly Resource[]): readonly (Thing | Unread)[] {
  return [...resources.flatMap(byHelm), ...resources.flatMap(byManifest)];
}

/** The chart that holds the control plane of Istio; the others hold parts of its data plane, or point to a control plane elsewhere (`istiod-remote`). */
const CONTROL_PLANE = /(?:^|\/)istiod$/;
/** The chart that holds all of ambient mode, the control plane as one of its parts; its name alone is not Istio's. */
const AMBIENT = /(?:^|\/)ambient$/;

function byHelm(resource: Resource): readonly (Thing | Unread)[] {
  const { attributes, type } = resource;
  const chart = text(attributes, "chart");
  if (type !== "helm_release" || chart === undefined) return [];
  const name = chart.replace(/\.tgz$/, "");
  const isWhole = AMBIENT.test(name) && (name.includes("istio") || text(attributes, "repository")?.includes("istio") === true);
  if (!isWhole && !CONTROL_PLANE.test(name)) return [];
  const all = block(attributes, "metadata", "values");
  const values = isWhole ? { ...block(all, "istiod"), ...(blocks(all, "global").length === 0 ? {} : { global: blocks(all, "global") }) } : all;
  // The same chart installs what points to a control plane in another cluster.
  if (text(values, "profile") === "remote" || flag(block(values, "istiodRemote"), "enabled")) return [];
  const version = text(block(values, "pilot"), "tag") ?? text(block(values, "global"), "tag") ?? text(block(attributes, "metadata"), "app_version") ?? text(attributes, "version");
  if (version === undefined) return [lacks(resource, "mesh", "version")];
  return [{ of: "mesh", owner: {}, data: { what: "mesh", ...at(resource), flavour: "istio", revisions: [text(values, "revision") ?? DEFAULT], version } }];
}

const DEFAULT = "default";

/** Objects of operators that stand for a control plane: kind, and the field that says its version. */
const OPERATED: ReadonlyMap<string, "version" | "tag"> = new Map([
  ["sailoperator.io/Istio", "version"],
  ["sailoperator.io/IstioRevision", "version"],
  ["install.istio.io/IstioOperator", "tag"],
]);
const MANAGED = "mesh.cloud.google.com/ControlPlaneRevision";

function byManifest(resource: Resource): readonly (Thing | Unread)[] {
  if (resource.type === "kubectl_manifest") return byText(resource);
  if (resource.type !== "kubernetes_manifest") return [];
  const manifest = block(resource.attributes, "manifest", "value");
  const kind = kindOf(text(manifest, "apiVersion"), text(manifest, "kind"));
  const name = text(block(manifest, "metadata"), "name");
  if (kind === MANAGED && name !== undefined) return [managed(resource, name)];
  const field = OPERATED.get(kind);
  if (field === undefined) return [];
  const spec = block(manifest, "spec");
  const version = text(spec, field);
  // An IstioRevision is what a control plane of its own name is; the others say their revision, or have none.
  const revision = kind.endsWith("/IstioRevision") ? name : text(spec, "revision");
  return [{ of: "mesh", owner: {}, data: defined({ what: "mesh" as const, ...at(resource), flavour: "istio" as const, revisions: kind === "sailoperator.io/Istio" ? undefined : [revision ?? DEFAULT], version }) }];
}

/** This provider keeps the manifest as a text, which may hold anything and is not read. */
function byText(resource: Resource): readonly (Thing | Unread)[] {
  const { attributes } = resource;
  const kind = kindOf(text(attributes, "api_version"), text(attributes, "kind"));
  const name = text(attributes, "name");
  if (kind === MANAGED && name !== undefined) return [managed(resource, name)];
  return OPERATED.has(kind) ? [{ of: "mesh", owner: {}, data: { what: "mesh", ...at(resource), flavour: "istio" } }] : [];
}

function kindOf(apiVersion: string | undefined, kind: string | undefined): string {
  return `${apiVersion?.split("/")[0] ?? ""}/${kind ?? ""}`;
}

function managed(resource: Resource, revision: string): Thing {
  return { of: "mesh", owner: {}, data: { what: "mesh", ...at(resource), flavour: "csm-managed", revisions: [revision] } };
}
