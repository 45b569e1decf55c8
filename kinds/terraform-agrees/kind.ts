import { defineKind, gap, info, type SpecFault } from "#engine";
import { parseDuration } from "#values";
import { across } from "./across.ts";
import { reach, requestsOf } from "./fields.ts";
import type { Spec } from "./spec.ts";
import { stateNotes } from "./states.ts";
import { viewsOf } from "./view.ts";
import { mistaken, within } from "./within.ts";

export default defineKind({
  name: "TerraformAgrees",
  summary: "what Terraform declares, what runs and what the other clusters run agree",
  judges: ["comparison", "comparisons"],
  needs: requestsOf,
  check: faultsIn,

  *judge(spec: Spec, world) {
    const views = viewsOf(world, spec);
    const { compare = ["declared-live", "across-clusters"] } = spec;
    for (const view of views) yield* stateNotes(view, spec, world.now);
    if (compare.includes("declared-live")) for (const view of views) yield* within(view, spec);
    if (!compare.includes("across-clusters")) return;
    if (views.length > 1) {
      yield* mistaken(views);
      yield* across(views, spec);
    } else if (spec.compare === undefined) yield alone(views[0]?.name ?? "");
    else yield needsTwo(views[0]?.name);
  },
});

function alone(cluster: string) {
  return info({ subject: cluster, cause: "one cluster", message: `the assertion selects one cluster, \`${cluster}\`: it is compared with its states alone`, remedy: "select two clusters or more to compare them with each other", evidence: [] });
}

function needsTwo(cluster: string | undefined) {
  return gap({
    subject: cluster ?? "the fleet",
    reason: `\`across-clusters\` compares clusters with each other, and the assertion selects ${cluster === undefined ? "none" : `only \`${cluster}\``}`,
    remedy: "select two clusters or more in `spec.clusters`, or write `compare: [declared-live]`",
  });
}

function* faultsIn(spec: Spec): Iterable<SpecFault> {
  const { maxStateAge, compare = [], fields, poolMapping } = spec;
  const age = maxStateAge === undefined ? 1n : parseDuration(maxStateAge);
  if (age === undefined || age <= 0n) yield { path: ["maxStateAge"], message: `\`${maxStateAge ?? ""}\` is no span of time`, remedy: "write hours and minutes, such as `168h` for a week" };
  for (const [index, field] of fields.entries()) {
    if (reach(field) === "none" && compare.length === 1 && compare[0] === "across-clusters") yield { path: ["fields", index], message: `\`${field}\` is not compared between clusters`, remedy: "leave it out, or add `declared-live` to `compare`" };
  }
  for (const [cluster, names] of Object.entries(poolMapping)) {
    const common = Object.values(names);
    const twice = common.find((name, index) => common.indexOf(name) !== index);
    if (twice !== undefined) yield { path: ["poolMapping", cluster], message: `two pools of \`${cluster}\` stand for \`${twice}\``, remedy: "one pool of a cluster stands for one of the others" };
  }
}
