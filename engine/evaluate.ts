import type { IstioMap } from "#values";
import { requestKey } from "./asked.ts";
import type { AnyKind } from "./define.ts";
import { byText } from "./json.ts";
import type { Assertion, Assumption, Cluster, Finding, Gap, Request, Snapshot, Table } from "./model.ts";
import { brokenKind, kindOf, needsOf } from "./plan.ts";
import { selects } from "./selection.ts";
import { answers, worldOf } from "./world.ts";

/** What an assertion's kind has to say about the snapshots; no verdict yet. */
export interface Evaluation {
  readonly assertion: Assertion;
  readonly clusters: readonly Cluster[];
  /** Facts that answered the assertion's requests. */
  readonly facts: number;
  readonly judged: number;
  /** What `judged` counts, in the number that goes with it. */
  readonly of: string;
  readonly findings: readonly Finding[];
  readonly gaps: readonly Gap[];
  readonly assumptions: readonly Assumption[];
  /** Left out: the kind shows none. */
  readonly tables?: readonly Table[] | undefined;
}

export interface Evidences {
  /** The fleet as far as it is known: with the clouds that were inferred. */
  readonly fleet: readonly Cluster[];
  /** By cluster name. A cluster of the fleet without one is a gap. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  readonly now: string;
  readonly istioMap: IstioMap;
}

/**
 * Lets every kind judge its assertions.
 *
 * Guarantees:
 *
 * 1. A kind sees the clusters its assertion selects and the facts its assertion asked for, nothing else.
 * 2. Whatever of that is missing is in `gaps`: failed collection, a question the snapshot was not asked, a missing snapshot,
 *    a cloud nobody knows, and, with `strict`, every assumption.
 * 3. An assertion that judged nothing has a gap that says so, unless `allowEmpty` and everything was seen.
 */
export function evaluate(
  kinds: ReadonlyMap<string, AnyKind>,
  assertions: readonly Assertion[],
  evidences: Evidences,
): readonly Evaluation[] {
  return assertions.map((assertion) => evaluateOne(kindOf(assertion, kinds), assertion, needsOf(assertion, kinds), evidences));
}

function evaluateOne(kind: AnyKind, assertion: Assertion, requests: readonly Request[], evidences: Evidences): Evaluation {
  const clusters = evidences.fleet
    .filter((cluster) => selects(assertion.clusters, cluster) === "yes")
    .toSorted((a, b) => byText(a.name, b.name));
  const seen = [...unknownNames(assertion, evidences.fleet), ...cloudGaps(assertion, evidences), ...clusters.flatMap((cluster) => missing(cluster, requests, evidences))];
  const world = worldOf({ ...evidences, clusters, requests, gaps: seen });

  const findings: Finding[] = [];
  const gaps: Gap[] = [...seen];
  const assumptions: Assumption[] = [];
  const tables: Table[] = [];
  let judged = 0;
  try {
    for (const item of kind.judge(assertion.spec as never, world)) {
      if (item.type === "finding") findings.push(item);
      else if (item.type === "gap") gaps.push(item);
      else if (item.type === "assumption") assumptions.push(item);
      else if (item.type === "table") tables.push(item);
      else judged += item.count;
    }
  } catch (cause) {
    throw brokenKind(kind.name, cause);
  }

  if (assertion.strict) gaps.push(...assumptions.map(asGap));
  if (judged === 0 && gaps.length === 0 && !assertion.allowEmpty) gaps.push(nothingSeen(assertion, clusters));
  const facts = new Set(requests.map((request) => request.fact)).values().reduce((sum, fact) => sum + world.facts(fact).length, 0);
  const [one, many] = kind.judges ?? ["thing", "things"];
  return { assertion, clusters, facts, judged, of: judged === 1 ? one : many, findings, gaps, assumptions, ...(tables.length === 0 ? {} : { tables }) };
}

/** A name that no cluster bears is more likely a slip than a wish: judging the rest in silence would hide it. */
function unknownNames({ clusters, name }: Assertion, fleet: readonly Cluster[]): readonly Gap[] {
  const known = new Set(fleet.map((cluster) => cluster.name));
  return (clusters.names ?? [])
    .filter((each) => !known.has(each))
    .map((each) => ({
      type: "gap",
      subject: name,
      reason: `the assertion selects the cluster \`${each}\`, and the fleet has none of that name`,
      remedy: `correct \`spec.clusters.names\`, or add \`${each}\` to the fleet`,
    }));
}

function cloudGaps(assertion: Assertion, { fleet, snapshots }: Evidences): readonly Gap[] {
  return fleet
    .filter((cluster) => selects(assertion.clusters, cluster) === "unknown")
    .map((cluster) => {
      const hidden = snapshots.get(cluster.name)?.gaps.find((gap) => gap.kind === "cluster" && (gap.subject === "nodes" || gap.subject === cluster.name));
      const why = hidden === undefined ? "the nodes do not say on which cloud this cluster runs" : `on which cloud this cluster runs cannot be seen: ${hidden.reason}`;
      const write = `write \`cloud:\` at \`${cluster.name}\` in the fleet file`;
      return {
        type: "gap",
        cluster: cluster.name,
        subject: cluster.name,
        reason: `the assertion selects by \`clouds\`, and ${why}`,
        remedy: hidden === undefined ? write : `${hidden.remedy}; or ${write}`,
      };
    });
}

function missing(cluster: Cluster, requests: readonly Request[], { snapshots }: Evidences): readonly Gap[] {
  const snapshot = snapshots.get(cluster.name);
  if (snapshot === undefined) {
    return [
      {
        type: "gap",
        cluster: cluster.name,
        subject: cluster.name,
        reason: "there is no snapshot of this cluster",
        remedy: `collect one with \`assert collect\`, or leave \`${cluster.name}\` out of the fleet`,
      },
    ];
  }
  const gaps = snapshot.gaps.filter((gap) => requests.some((request) => answers(gap, request)));
  if (gaps.some((gap) => gap.kind === undefined)) return gaps;
  const asked = new Set(snapshot.asked.map(requestKey));
  const unasked = requests.filter((request) => !asked.has(requestKey(request)));
  return [...gaps, ...new Set(unasked.map((request) => request.fact)).values().map((fact) => notAsked(cluster, fact))];
}

function notAsked(cluster: Cluster, fact: string): Gap {
  return {
    type: "gap",
    kind: fact,
    cluster: cluster.name,
    subject: cluster.name,
    reason: `the snapshot was not asked for \`${fact}\` in the way this assertion needs it`,
    remedy: "collect it again with `assert collect` and this assertion",
  };
}

function nothingSeen(assertion: Assertion, clusters: readonly Cluster[]): Gap {
  if (clusters.length === 0) {
    return {
      type: "gap",
      subject: assertion.name,
      reason: "the assertion selects no cluster of the fleet",
      remedy: "correct `spec.clusters`, or leave it out to select the whole fleet",
    };
  }
  return {
    type: "gap",
    subject: assertion.name,
    reason: `nothing to judge in ${clusters.map((cluster) => `\`${cluster.name}\``).join(", ")}: the lists are complete and hold nothing this assertion is about`,
    remedy: "if that is what you expect, write `allowEmpty: true` in its spec",
  };
}

function asGap(assumption: Assumption): Gap {
  return {
    type: "gap",
    subject: assumption.where,
    reason: `strict: ${assumption.text}`,
    remedy: "settle what is assumed, or leave `strict` out",
  };
}
