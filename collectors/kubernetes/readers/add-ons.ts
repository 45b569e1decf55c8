import type { Cluster, Fact, Gap, Io } from "#engine";
import { pods } from "../resources.ts";
import { scanPods } from "./pods.ts";
import { ADDONS_NAMESPACE } from "./running-add-ons.ts";

/** One fact for each image of an add-on of EKS that runs: the other clouds do not sell theirs by version. */
export async function* readAddons(cluster: Cluster, io: Io): AsyncIterable<Fact<"add-ons"> | Gap> {
  const api = await io.kubernetes();
  const gap = (reason: string, remedy: string): Gap => ({ type: "gap", kind: "add-ons", cluster: cluster.name, subject: cluster.name, reason, remedy });
  if (await api.unseen(pods)) yield gap("the manifests hold no Pod, so they do not show which add-ons run", "add `kubectl get pods -A -o yaml` of the running cluster to the folder");
  if (api.namespaces?.includes(ADDONS_NAMESPACE) === false) yield gap(`\`${ADDONS_NAMESPACE}\` is not among the namespaces that are listed`, `add it to \`namespaces\` in the fleet file`);
  for (const { name, image, source } of await scanPods(api, io, "addons")) {
    yield { type: "fact", kind: "add-ons", cluster: cluster.name, subject: `${name} ${image}`, data: { name, image }, source: { collector: "kubernetes", ...source } };
  }
}
