import { byText, cite, fault, info, undecided, type Evidence, type Finding } from "#engine";
import { factsOf, remedyOf, valuesOf, type Assessment } from "./assess.ts";
import { exemptionText } from "./exemptions.ts";
import type { ClusterResult, Line } from "./result.ts";
import { named } from "./rules.ts";
import { daysLeft, structuralOf } from "./structural.ts";
import type { ClusterView } from "./view.ts";

/** What the words of findings need to know beside a line. */
export interface Telling {
  readonly profile: string;
  readonly now: string;
  readonly mode: "all" | "atLeast";
  readonly minNodes: number;
}

const MOST_CITED = 10;

/** Everything that is to be said of one cluster. */
export function* clusterFindings({ view, nodes, lines }: ClusterResult, telling: Telling): Iterable<Finding> {
  yield* nodesFindings(view, nodes, lines, telling);
  for (const line of lines) {
    // with `atLeast` what single nodes lack counts only in the number of nodes
    const countsAlone = telling.mode === "all" || line.assessment?.cluster !== undefined;
    if (line.active !== undefined) yield* exempted(line, view, telling);
    else if (countsAlone) yield* judgedLine(line, view, telling);
    if (line.active === undefined && line.outcome === "pass" && line.expired !== undefined) yield endedUnneeded(line, view, telling);
  }
  yield* endingSoon(view, lines, telling);
}

function* judgedLine(line: Line, view: ClusterView, telling: Telling): Iterable<Finding> {
  const { assessment, outcome, id, wanted } = line;
  if (assessment === undefined || outcome === "pass" || outcome === "none") return;
  const structural = structuralOf(id, view.cloud);
  const why = structural !== undefined && outcome === "fail" ? `; ${structural.text}` : "";
  const said = outcome === "fail" ? "is not met" : "cannot be decided";
  const words = {
    subject: `${view.cluster.name}/${id}`,
    cause: `${telling.profile} ${id} ${valuesOf(assessment).map(({ text }) => text).toSorted(byText).join("|")}`,
    message: `\`${id}\` of \`${telling.profile}\` ${said} in \`${view.cluster.name}\`: ${shownBy(assessment)}, wanted: ${wanted}${why}${endedText(line)}`,
    remedy: structural !== undefined && outcome === "fail" ? `exempt \`${id}\` there, with a reason, an owner and an end (\`exemptions\`), or take the cluster out of the assertion` : remedyOf(assessment),
    evidence: evidenceOf(assessment, view, id),
  };
  yield outcome === "fail" ? fault(words) : undecided(words);
}

function endedText({ expired }: Line): string {
  return expired === undefined ? "" : `; the exemption of ${expired.owner} ended on ${expired.expires}`;
}

/** `2 of 5 nodes show 5.4.0-1 (T1)`. */
function shownBy(assessment: Assessment): string {
  const values = valuesOf(assessment);
  const shown = values.slice(0, 3).map(({ text, tier, nodes }) => {
    const seen = `${text}${tier === undefined ? "" : ` (${tier})`}`;
    return assessment.cluster === undefined ? `${nodes.length} of ${assessment.nodes.length} ${thing(assessment)}${assessment.nodes.length === 1 ? " shows" : "s show"} ${seen}` : seen;
  });
  const rest = values.length - shown.length;
  return `${shown.join("; ")}${rest > 0 ? `; and ${rest} more values` : ""}`;
}

function thing({ nodes }: Assessment): string {
  return nodes[0]?.view.fact.kind === "declared" ? "declared pool" : "node";
}

function evidenceOf(assessment: Assessment, view: ClusterView, id: string): readonly Evidence[] {
  const values = valuesOf(assessment);
  const cited = values.flatMap(({ text, tier, nodes }) => nodes.map(({ view: node }) => cite(node.fact, `${id} of ${node.node.name}`, tier === undefined ? text : `${text} (${tier})`)));
  const facts = factsOf(assessment).map((fact) => cite(fact, `${id}, ${fact.subject}`, values[0]?.text ?? ""));
  const all = [...cited.slice(0, MOST_CITED), ...facts.slice(0, MOST_CITED)];
  const [fact] = [...view.nodes.map((node) => node.fact), ...view.pools];
  return all.length > 0 || fact === undefined ? all : [cite(fact, `${id} of ${view.cluster.name}`, values[0]?.text ?? "")];
}

function* nodesFindings(view: ClusterView, nodes: ClusterResult["nodes"], lines: readonly Line[], telling: Telling): Iterable<Finding> {
  const aside = (Object.keys(view.aside) as (keyof ClusterView["aside"])[]).filter((why) => view.aside[why].length > 0);
  const beside = aside.map((why) => `${view.aside[why].length} ${why} (${named(view.aside[why].map(({ data }) => data.name).toSorted(byText), 3)})`).join(", ");
  const name = view.cluster.name;
  const evidence = [
    { cluster: name, label: "nodes", value: `${view.nodes.length} judged${beside === "" ? "" : `, ${beside.replaceAll("`", "")}`}`, source: { collector: "kubernetes", locator: "/api/v1/nodes" } },
    ...aside.flatMap((why) => view.aside[why].slice(0, 3).map((fact) => cite(fact, why, fact.data.name))),
  ];
  const about = { subject: `${name}/nodes`, cause: `${telling.profile} nodes ${nodes.text}`, evidence };
  if (nodes.active !== undefined) {
    const stale = nodes.outcome === "pass";
    yield info({ ...about, message: `\`${name}\` is exempt from \`nodes\` of \`${telling.profile}\` by ${exemptionText(nodes.active, telling.now)}${stale ? "; it has enough nodes, so that the exemption is stale" : ""}`, remedy: stale ? "delete the exemption" : "provide the nodes before the exemption ends" });
  } else if (nodes.outcome === "fail" || (nodes.outcome === "unknown" && view.complete("nodes") && view.isSelectable)) {
    const lacking = telling.mode === "all" ? "" : `; ${lackingText(lines)}`;
    const words = {
      ...about,
      message: `\`${name}\` has ${nodes.text} nodes of the profile \`${telling.profile}\`, wanted: ${telling.minNodes} or more${beside === "" ? "" : `; not judged: ${beside}`}${lacking}${endedText(nodes)}`,
      remedy: view.nodes.length === 0 && beside === "" ? "give nodes what the profile's selector looks for, correct the selector with `nodes`, or exempt the cluster from `nodes`" : view.nodes.length >= telling.minNodes && telling.mode === "all" ? "look at their conditions with `kubectl get node -o yaml`: of a folder of manifests keep `status`" : "repair the nodes, or lower `minNodes`",
    };
    yield nodes.outcome === "fail" ? fault(words) : undecided(words);
  } else if (view.nodes.length === 0 && nodes.outcome === "pass") {
    yield info({ ...about, message: `\`${name}\` has no node of the profile \`${telling.profile}\`, which \`minNodes: 0\` allows${view.pools.length === 0 ? "" : `; judged is what Terraform declares of ${named(view.pools.map(({ data }) => data.name).toSorted(byText), 3)}`}`, remedy: "nothing is to be done; write `minNodes: 1` where every cluster must have some" });
  } else if (beside !== "") {
    yield info({ ...about, subject: `${name}/nodes aside`, message: `\`${name}\`: selected nodes that are not judged: ${beside}`, remedy: "they prove nothing of what pods get: bring them back, or remove them" });
  }
}

function lackingText(lines: readonly Line[]): string {
  const parts = lines.flatMap(({ id, assessment, active }) => {
    const bad = active === undefined ? (assessment?.nodes.filter(({ seen }) => seen.outcome !== "pass").length ?? 0) : 0;
    return bad === 0 ? [] : [`${bad} not by \`${id}\``];
  });
  return parts.join(", ") || "the others meet everything";
}

function* exempted(line: Line, view: ClusterView, telling: Telling): Iterable<Finding> {
  const { active, id, assessment, outcome } = line;
  if (active === undefined) return;
  const name = view.cluster.name;
  const stale = outcome === "pass";
  yield info({
    subject: `${name}/${id}`,
    cause: `${telling.profile} ${id} exempt`,
    message: stale
      ? `\`${name}\` meets \`${id}\` of \`${telling.profile}\`, so that the exemption of ${active.owner} is stale`
      : `\`${name}\` is exempt from \`${id}\` of \`${telling.profile}\` by ${exemptionText(active, telling.now)}${assessment === undefined ? "" : `; seen: ${shownBy(assessment)}`}`,
    remedy: stale ? "delete the exemption" : `meet it before the exemption ends${active.fallback === undefined ? "" : `; until then the fallback \`${active.fallback}\` has to be there`}`,
    evidence: assessment === undefined ? [] : evidenceOf(assessment, view, id),
  });
  if (stale) return;
  for (const each of line.fallback) {
    if (each.outcome === "none") {
      yield fault({ subject: `${name}/${each.id}`, cause: `${telling.profile} ${each.id} no node`, message: `\`${name}\` is exempt from \`${id}\` and has no node on which \`${each.id}\` could stand in`, remedy: "provide nodes with the fallback, or take the cluster out of the assertion", evidence: [{ cluster: name, label: "nodes", value: "none judged", source: { collector: "kubernetes", locator: "/api/v1/nodes" } }] });
    } else yield* judgedLine(each, view, telling);
  }
}

function endedUnneeded({ expired, id }: Line, view: ClusterView, { profile }: Telling): Finding {
  return info({ subject: `${view.cluster.name}/${id} exemption`, cause: `${profile} ${id} ended`, message: `the exemption of \`${view.cluster.name}\` from \`${id}\` ended on ${expired?.expires ?? ""} and is not needed`, remedy: "delete it", evidence: [] });
}

/** What a cloud is about to take away. */
function* endingSoon(view: ClusterView, lines: readonly Line[], { now, profile }: Telling): Iterable<Finding> {
  for (const { id, outcome } of lines) {
    const structural = structuralOf(id, view.cloud);
    if (structural?.until === undefined || outcome === "none") continue;
    const left = daysLeft(now, structural.until);
    if (left < 0) continue;
    yield info({ subject: `${view.cluster.name}/${id} ends`, cause: `${profile} ${id} ends`, message: `${structural.text}, in ${left === 1 ? "1 day" : `${left} days`}: from then on \`${view.cluster.name}\` cannot meet \`${id}\``, remedy: "plan an exemption with a fallback, or other machines", evidence: [] });
  }
}
