import { assess, type Assessment } from "./assess.ts";
import { standing, type Exemption, type Standing } from "./exemptions.ts";
import type { HalProfile } from "./profile.ts";
import { fallbackOf, NODES } from "./requirements.ts";
import type { Requirement } from "./rules.ts";
import type { ClusterView, NodeView } from "./view.ts";

/** One requirement in one cluster, with what exemptions say of it. */
export interface Line extends Standing {
  readonly id: string;
  readonly wanted: string;
  /** `none`: there is no node to ask. */
  readonly outcome: Assessment["outcome"] | "none";
  readonly assessment?: Assessment | undefined;
  /** Of an active exemption: what has to be there instead. */
  readonly fallback: readonly Line[];
}

/** One cluster, judged. */
export interface ClusterResult {
  readonly view: ClusterView;
  /** Are there enough nodes? With `mode: atLeast`: enough that are as the profile asks. */
  readonly nodes: Line & { readonly text: string };
  readonly lines: readonly Line[];
}

export interface Judging {
  readonly profile: HalProfile;
  readonly mode: "all" | "atLeast";
  readonly requirements: readonly Requirement[];
  readonly exemptions: readonly Exemption[];
  readonly now: string;
}

/** Judges one cluster: every requirement once, on every node once. */
export function resultOf(view: ClusterView, judging: Judging): ClusterResult {
  const { requirements, mode, profile } = judging;
  const lines = requirements.map((requirement) => lineOf(requirement, view, judging));
  const least = profile.minNodes;
  const settled = lines.map((line) => (mode === "atLeast" ? counted(line, least) : line));
  return { view, nodes: nodesLine(view, lines, judging), lines: settled };
}

function lineOf(requirement: Requirement, view: ClusterView, judging: Judging): Line {
  const { id, wanted } = requirement;
  const assessment = assess(requirement, view);
  const { active, expired } = standing(judging.exemptions, id, view, judging.now);
  const fallback = active?.fallback === undefined ? [] : fallbackOf(active.fallback, judging.profile).map((each) => instead(each, view));
  return { id, wanted, outcome: assessment?.outcome ?? "none", assessment, active, expired, fallback };
}

function instead(requirement: Requirement, view: ClusterView): Line {
  const assessment = assess(requirement, view);
  return { id: requirement.id, wanted: requirement.wanted, outcome: assessment?.outcome ?? "none", assessment, fallback: [] };
}

/** With `mode: atLeast` a requirement of nodes is met where enough nodes meet it. */
function counted(line: Line, least: number): Line {
  const { assessment } = line;
  if (assessment === undefined || assessment.cluster !== undefined) return line;
  const outcome = enough(assessment.nodes.map(({ seen }) => seen.outcome), least);
  return { ...line, outcome, assessment: { ...assessment, outcome } };
}

function enough(outcomes: readonly Assessment["outcome"][], least: number): Assessment["outcome"] {
  const passed = outcomes.filter((outcome) => outcome === "pass").length;
  const open = outcomes.filter((outcome) => outcome === "unknown").length;
  return passed >= least ? "pass" : passed + open >= least ? "unknown" : "fail";
}

function nodesLine(view: ClusterView, lines: readonly Line[], { profile, mode, exemptions, now }: Judging): ClusterResult["nodes"] {
  const { minNodes } = profile;
  const doubtful = view.complete("nodes") && view.isSelectable ? view.aside["readiness unknown"].length : Number.POSITIVE_INFINITY;
  const outcomes = [...(mode === "atLeast" ? combined(view.nodes, lines) : view.nodes.map(() => "pass" as const))];
  const passed = outcomes.filter((outcome) => outcome === "pass").length;
  const open = outcomes.filter((outcome) => outcome === "unknown").length + doubtful;
  // of a node that may be ready it is not known whether it is as the profile asks: with `all` that counts
  const untold = mode === "all" && view.aside["readiness unknown"].length > 0;
  const outcome = passed >= minNodes ? (untold ? "unknown" : "pass") : passed + open >= minNodes ? "unknown" : "fail";
  const what = mode === "atLeast" ? `of ${view.nodes.length} as wanted` : "ready";
  return { id: NODES, wanted: `${minNodes} or more nodes`, outcome, ...standing(exemptions, NODES, view, now), fallback: [], text: `${passed} ${what}` };
}

/** What each node is worth over all requirements of nodes from which the cluster is not exempt. */
function combined(nodes: readonly NodeView[], lines: readonly Line[]): readonly Assessment["outcome"][] {
  const asked = lines.filter(({ active, assessment }) => active === undefined && assessment !== undefined && assessment.cluster === undefined);
  return nodes.map((_, index) => {
    const outcomes = asked.map(({ assessment }) => assessment?.nodes[index]?.seen.outcome);
    return outcomes.includes("fail") ? "fail" : outcomes.includes("unknown") ? "unknown" : "pass";
  });
}
