import type { Cluster, ClusterSelector } from "./model.ts";

export type Selected = "yes" | "no" | "unknown";

/** Is the cluster meant? `unknown` when only its cloud could tell and nobody knows that. */
export function selects(selector: ClusterSelector, cluster: Cluster): Selected {
  if (selector.names !== undefined && !selector.names.includes(cluster.name)) return "no";
  const labels = Object.entries(selector.matchLabels ?? {});
  if (!labels.every(([key, value]) => cluster.labels[key] === value)) return "no";
  if (selector.clouds === undefined) return "yes";
  if (cluster.cloud === undefined) return "unknown";
  return selector.clouds.includes(cluster.cloud) ? "yes" : "no";
}
