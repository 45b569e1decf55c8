import { CollectError, type Cluster, type ControlPlaneFact, type Fact, type Gap, type Io, type KubernetesApi, type Source } from "#engine";
import { fieldsIn, textIn } from "../fields.ts";
import { managedRevisions, pods } from "../resources.ts";
import { scanPods } from "./pods.ts";
import type { ControlPlane } from "./routing-pods.ts";

/**
 * The control planes of the mesh: those that run in the cluster, and those that Google runs outside of it and represents by an object.
 * A list that may not be read is a gap, and the other one is still there.
 */
export async function* readControlPlanes(cluster: Cluster, io: Io): AsyncIterable<Fact<"control-planes"> | Gap> {
  const api = await io.kubernetes();
  const gap = (subject: string, reason: string, remedy: string): Gap => ({ type: "gap", kind: "control-planes", cluster: cluster.name, subject: `${cluster.name}/${subject}`, reason, remedy });
  if (await api.unseen(pods)) yield gap(pods.plural, "the manifests hold no Pod, so they do not show which control plane runs", "add `kubectl get pods -A -o yaml` of the running cluster to the folder");
  // Elsewhere there may be more: who is asked what does not run must not answer by that.
  if (api.namespaces !== undefined) yield gap("namespaces", `only ${api.namespaces.length === 1 ? "one namespace is" : `${api.namespaces.length} namespaces are`} listed, and a control plane may run in another one`, "let this identity list `pods` in all namespaces and leave `namespaces` out, or do not compare the mesh");
  for (const [subject, read] of [[pods.plural, inCluster], [managedRevisions.plural, managed]] as const) {
    try {
      for (const { name, data, source } of await read(api, io)) yield { type: "fact", kind: "control-planes", cluster: cluster.name, subject: name, data, source: { collector: "kubernetes", ...source } };
    } catch (error) {
      if (!(error instanceof CollectError) || error.unreachable) throw error;
      yield gap(subject, error.message, error.remedy);
    }
  }
}

interface Found {
  readonly name: string;
  readonly data: ControlPlaneFact;
  readonly source: Omit<Source, "collector">;
}

/** Where AKS keeps what serves its ingress: a control plane without a mesh. */
const NO_MESH = "app-routing-system";

async function inCluster(api: KubernetesApi, io: Io): Promise<readonly Found[]> {
  const { controlPlanes } = await scanPods(api, io, "routing");
  const found = controlPlanes.filter(({ namespace }) => namespace !== NO_MESH).map((plane): Found => {
    const revision = plane.revision === "" ? "default" : plane.revision;
    return {
      name: `${plane.namespace}/${revision} ${plane.image}`,
      data: { flavour: flavourOf(plane), namespace: plane.namespace, revision, image: plane.image },
      source: { locator: api.place === "live" ? `/api/v1/namespaces/${plane.namespace}/pods` : "manifests" },
    };
  });
  return [...new Map(found.map((each) => [each.name, each])).values()];
}

function flavourOf({ namespace, image }: ControlPlane): ControlPlaneFact["flavour"] {
  if (namespace === "aks-istio-system") return "aks-addon";
  return image.includes("/asm/") ? "csm-in-cluster" : "istio";
}

async function managed(api: KubernetesApi, io: Io): Promise<readonly Found[]> {
  let found: Found[] = [];
  for await (const page of api.list(managedRevisions)) {
    io.signal.throwIfAborted();
    if (page.restarted) found = [];
    for (const item of page.items) {
      const metadata = fieldsIn(item, "metadata");
      const name = textIn(metadata, "name", 253);
      const namespace = textIn(metadata, "namespace", 63) ?? "istio-system";
      const channel = textIn(fieldsIn(item, "spec"), "channel", 32)?.toLowerCase();
      if (name !== undefined) found.push({ name: `${namespace}/${name} managed`, data: { flavour: "csm-managed", namespace, revision: name, ...(channel === undefined ? {} : { channel }) }, source: page.source(item) });
    }
  }
  return found;
}
