import type { Request } from "#engine";
import type { Spec } from "./spec.ts";

/** A path of the model that all clouds share. */
export type Field = Spec["fields"][number];

/** Kinds of fact that this kind looks at. */
export type Needed = "declared" | "api-server" | "server-version" | "node-pools" | "control-planes" | "add-ons";

/** What must be seen to compare these fields. The cluster itself always: it says whether the states are this cluster's at all. */
export function requestsOf({ fields, maxStateAge, compare = ["declared-live"] }: Spec): readonly Request<Needed>[] {
  const about = (part: string) => fields.some((field) => field.startsWith(part));
  return [
    { fact: "declared", selector: "cluster", ...(maxStateAge === undefined ? {} : { options: { age: true } }) },
    ...(compare.includes("declared-live") ? ([{ fact: "api-server" }] as const) : []),
    ...(about("pools") ? ([{ fact: "declared", selector: "pools" }, { fact: "node-pools" }] as const) : []),
    ...(about("mesh") ? ([{ fact: "declared", selector: "mesh" }, { fact: "control-planes" }] as const) : []),
    ...(about("addons") ? ([{ fact: "declared", selector: "addons" }, { fact: "add-ons" }] as const) : []),
    ...(fields.includes("controlPlane.version") ? ([{ fact: "server-version" }] as const) : []),
  ];
}

/** Is it compared between clusters, and between which? */
export function reach(field: Field): "all" | "one cloud" | "none" {
  switch (field) {
    case "controlPlane.version":
    case "pools[*].arch":
    case "pools[*].version":
    case "pools[*].taints":
    case "mesh.version":
      return "all";
    case "pools[*].instanceTypes":
    case "mesh.revisions":
      return "one cloud";
    case "pools[*].nodes":
    case "addons[*].version":
      return "none";
    default:
      return field satisfies never;
  }
}
