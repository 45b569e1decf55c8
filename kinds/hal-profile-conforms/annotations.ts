import { POD_MARKS, type SpecFault } from "#engine";
import type { HalProfile } from "./profile.ts";
import { onCluster, type Draft } from "./rules.ts";
import { fail, noneThere, pass, unknown, type Seen } from "./tiers.ts";
import type { ClusterView } from "./view.ts";

type Annotations = NonNullable<NonNullable<HalProfile["mesh"]>["annotations"]>;

/** What a profile asks of the annotations of the pods of its class. */
export function annotationRule({ required, forbidden }: Annotations, runtimeClass: string | undefined): Draft {
  const wanted = [...Object.entries(required).map(textOf), ...Object.entries(forbidden).map((entry) => `no ${textOf(entry)}`)];
  return { id: "mesh.annotations", wanted: `pods of the class with ${wanted.join(", ")}`, rule: onCluster((view) => seeAnnotations(view, { required, forbidden }, runtimeClass)) };
}

function textOf([key, value]: readonly [string, string]): string {
  return `${key}=${value}`;
}

function seeAnnotations(view: ClusterView, { required, forbidden }: Annotations, runtimeClass: string | undefined): Seen {
  const fact = view.pods.find(({ fact: { data } }) => data.type === "class-pods" && data.name === runtimeClass)?.fact;
  if (fact === undefined) {
    if (!view.complete("node-agents")) return unknown("pods were not all seen", "repair what the gap names");
    return Object.keys(required).length === 0 ? noneThere("no pod of the class") : unknown("no pod of the class", "start one, so that there is something to see");
  }
  const { pods, marks } = fact.data;
  if (pods === undefined || marks === undefined) return unknown("pods whose annotations were not kept", "look again", { fact });
  const withValue = ([key, value]: readonly [string, string]): number => {
    const values = Object.entries(Object.hasOwn(marks, key) ? (marks[key] ?? {}) : {});
    return values.reduce((sum, [each, count]) => sum + (value === "*" || value === each ? count : 0), 0);
  };
  const lacking = Object.entries(required).filter((entry) => withValue(entry) < pods);
  const bearing = Object.entries(forbidden).filter((entry) => withValue(entry) > 0);
  const said = [...lacking.map((entry) => `${pods - withValue(entry)} of ${pods} pods without ${textOf(entry)}`), ...bearing.map((entry) => `${withValue(entry)} of ${pods} pods with ${textOf(entry)}`)];
  if (said.length === 0) return pass("T3", `${pods} ${pods === 1 ? "pod" : "pods"} as wanted`, { fact });
  return fail("T3", said.join(", "), "write it into the template of these pods, or into their namespace's own defaults", { fact });
}

/** Annotations that nobody looks at, and a question about no pods. */
export function* faultsOfAnnotations({ mesh, runtime }: HalProfile): Iterable<SpecFault> {
  const annotations = mesh?.annotations;
  if (annotations === undefined) return;
  if (runtime?.runtimeClass === undefined) yield { path: ["mesh", "annotations"], message: "annotations of pods of `runtime.runtimeClass`, which the profile does not name", remedy: "name the class of the pods, or take `annotations` out" };
  for (const list of ["required", "forbidden"] as const) {
    for (const key of Object.keys(annotations[list])) {
      if (!(POD_MARKS as readonly string[]).includes(key)) yield { path: ["mesh", "annotations", list, key], message: `\`${key}\` is no annotation that is looked at`, remedy: `use one of ${POD_MARKS.join(", ")}` };
    }
  }
}
