import { describe, expect, it } from "vitest";
import {
  evaluate,
  PluginError,
  seal,
  type AnyKind,
  type Assertion,
  type Cluster,
  type Evaluation,
  type Fact,
  type Gap,
  type Judgement,
  type Kind,
  type Request,
  type Snapshot,
} from "#engine";
import { istioMap } from "#values";
import { clusterOf, gapOf, proxies } from "../support/world.ts";

type Judge = Kind<object, "envoy-proxies">["judge"];
const PROXIES: Request<"envoy-proxies"> = { fact: "envoy-proxies" };

/** Counts the facts it sees, unless it is told to do otherwise. */
function kindOf(parts: Partial<Kind<object, "envoy-proxies">> = {}): AnyKind {
  const judge: Judge = function* (_, world) {
    yield { type: "judged", count: world.facts("envoy-proxies").length };
  };
  const kind: Kind<object, "envoy-proxies"> = { name: "Counted", summary: "s", needs: () => [PROXIES], judge, ...parts };
  return kind as unknown as AnyKind;
}

function assertionOf(parts: Partial<Assertion> = {}): Assertion {
  return { name: "under-test", kind: "Counted", severity: "error", clusters: {}, allowEmpty: false, strict: false, spec: {}, at: { file: "a.yaml", line: 1, column: 1 }, ...parts };
}

interface Saved {
  readonly facts?: readonly Fact[];
  readonly gaps?: readonly Gap[];
  readonly asked?: readonly Request[];
}

function snapshotOf(cluster: Cluster, { facts = [], gaps = [], asked = [PROXIES] }: Saved): Snapshot {
  return seal({ cluster, identity: {}, reachable: true, takenAt: "2026-11-20T09:00:00Z", asked, facts, gaps });
}

/** Judges by one kind what is saved of each cluster; `undefined` stands for a cluster without snapshot. */
function judged(saved: Readonly<Record<string, Saved | undefined>>, parts: { readonly kind?: AnyKind; readonly assertion?: Partial<Assertion>; readonly fleet?: readonly Cluster[] } = {}): Evaluation {
  const fleet = parts.fleet ?? Object.keys(saved).map((name) => clusterOf(name));
  const snapshots = new Map(fleet.flatMap((cluster) => {
    const content = saved[cluster.name];
    return content === undefined ? [] : [[cluster.name, snapshotOf(cluster, content)] as const];
  }));
  const [only] = evaluate(new Map([["Counted", parts.kind ?? kindOf()]]), [assertionOf(parts.assertion)], { fleet, snapshots, now: "2026-11-20T09:00:00Z", istioMap: istioMap() });
  if (only === undefined) throw new Error("nothing was evaluated");
  return only;
}

const reasons = ({ gaps }: Evaluation) => gaps.map(({ cluster, reason }) => `${cluster ?? "-"}: ${reason}`);
const one = (cluster: string): Saved => ({ facts: [proxies(`${cluster}/cart`, "1.29.2")] });

describe("what a kind sees", () => {
  it("are the facts of the clusters that its assertion selects, and no others", () => {
    const saved = { eks: one("eks"), gke: { facts: [proxies("gke/cart", "1.29.2"), proxies("gke/shop", "1.29.2")] }, aks: one("aks") };
    const fleet = [clusterOf("eks", { cloud: "aws", labels: { tier: "prod" } }), clusterOf("gke", { cloud: "gcp", labels: { tier: "prod" } }), clusterOf("aks", { cloud: "azure" })];
    const rows: readonly (readonly [clusters: Assertion["clusters"], names: readonly string[], count: number])[] = [
      [{}, ["aks", "eks", "gke"], 4],
      [{ names: ["gke", "eks"] }, ["eks", "gke"], 3],
      [{ clouds: ["azure"] }, ["aks"], 1],
      [{ matchLabels: { tier: "prod" } }, ["eks", "gke"], 3],
      [{ matchLabels: { tier: "prod" }, clouds: ["aws", "azure"] }, ["eks"], 1],
      [{ names: [] }, [], 0],
    ];
    for (const [clusters, names, count] of rows) {
      const { clusters: seen, judged: number, facts } = judged(saved, { fleet, assertion: { clusters } });
      expect(seen.map(({ name }) => name)).toEqual(names);
      expect([number, facts]).toEqual([count, count]);
    }
  });

  it("does not depend on the order of the fleet or of the facts", () => {
    const seen: string[][] = [];
    const judge: Judge = (_, world) => {
      seen.push(world.facts("envoy-proxies").map(({ cluster, data }) => `${cluster}/${data.workload}`));
      return [];
    };
    const facts = [proxies("gke/b", "1"), proxies("gke/a", "1")].map((fact, index): Fact<"envoy-proxies"> => ({ ...fact, subject: `s${index}` }));
    judged({ gke: { facts }, eks: one("eks") }, { kind: kindOf({ judge }) });
    judged({ eks: one("eks"), gke: { facts: facts.toReversed() } }, { kind: kindOf({ judge }) });
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).toEqual(["eks/Deployment/cart", "gke/Deployment/b", "gke/Deployment/a"]);
  });

  it("is nothing that it did not ask for: reading it is a fault of the kind, with its name", () => {
    const judge: Judge = function* (_, world) {
      yield { type: "judged", count: world.facts("cluster" as "envoy-proxies").length };
    };
    expect(() => judged({ eks: one("eks") }, { kind: kindOf({ judge }) })).toThrow(PluginError);
    expect(() => judged({ eks: one("eks") }, { kind: kindOf({ judge }) })).toThrow("the kind `Counted` failed: `cluster` was not asked for: name it in `needs`");
  });

  it("are facts of its own selector only, where it asked with one", () => {
    const answering = (selector: string | undefined): Fact<"envoy-proxies"> => ({ ...proxies("eks/cart", "1"), ...(selector === undefined ? {} : { selector }) });
    const asked = [{ ...PROXIES, selector: "a" }];
    const { judged: count } = judged({ eks: { facts: [answering("a"), answering("b"), answering(undefined)], asked } }, { kind: kindOf({ needs: () => asked }) });
    expect(count).toBe(2);
  });

  it("is complete where nothing of it is missing, and says so for each cluster apart", () => {
    const told: boolean[] = [];
    const judge: Judge = (_, world) => {
      told.push(...["eks", "gke", "aks"].map((name) => world.complete("envoy-proxies", name)));
      return [];
    };
    judged({ eks: one("eks"), gke: { ...one("gke"), gaps: [gapOf("envoy-proxies", "gke")] }, aks: undefined }, { kind: kindOf({ judge }) });
    expect(told).toEqual([true, false, false]);
  });
});

describe("what is missing becomes a gap", () => {
  const rows: readonly (readonly [claim: string, saved: Parameters<typeof judged>[0], parts: Parameters<typeof judged>[1], expected: readonly string[]])[] = [
    ["nothing is, where everything was seen", { eks: one("eks") }, {}, []],
    ["a cluster without snapshot", { eks: one("eks"), gke: undefined }, {}, ["gke: there is no snapshot of this cluster"]],
    ["a collection that failed", { eks: { ...one("eks"), gaps: [gapOf("envoy-proxies", "eks", "refused")] } }, {}, ["eks: refused"]],
    ["a whole cluster that could not be read", { eks: { gaps: [gapOf(undefined, "eks", "no answer")], asked: [] } }, {}, ["eks: no answer"]],
    ["not what failed for other assertions", { eks: { ...one("eks"), gaps: [gapOf("cluster", "eks", "nodes are hidden")] } }, {}, []],
    ["a question that the snapshot was not asked", { eks: { ...one("eks"), asked: [] } }, {}, ["eks: the snapshot was not asked for `envoy-proxies` in the way this assertion needs it"]],
    ["a question that was asked in another way", { eks: { ...one("eks"), asked: [{ ...PROXIES, options: { deep: true } }] } }, {}, ["eks: the snapshot was not asked for `envoy-proxies` in the way this assertion needs it"]],
    ["one cluster of several names that nobody bears", { eks: one("eks") }, { assertion: { clusters: { names: ["eks", "ekz"] } } }, ["-: the assertion selects the cluster `ekz`, and the fleet has none of that name"]],
    [
      "a cloud that nobody knows, where the assertion selects by it",
      { eks: one("eks"), dark: one("dark") },
      { assertion: { clusters: { clouds: ["aws"] } }, fleet: [clusterOf("eks", { cloud: "aws" }), clusterOf("dark")] },
      ["dark: the assertion selects by `clouds`, and the nodes do not say on which cloud this cluster runs"],
    ],
    [
      "the same, with the reason why the nodes could not be seen",
      { eks: one("eks"), dark: { ...one("dark"), gaps: [{ ...gapOf("cluster", "dark", "may not list `nodes`"), subject: "nodes" }] } },
      { assertion: { clusters: { clouds: ["aws"] } }, fleet: [clusterOf("eks", { cloud: "aws" }), clusterOf("dark")] },
      ["dark: the assertion selects by `clouds`, and on which cloud this cluster runs cannot be seen: may not list `nodes`"],
    ],
    [
      "not the cloud of a cluster that its labels leave out",
      { eks: one("eks"), dark: one("dark") },
      { assertion: { clusters: { clouds: ["aws"], matchLabels: { tier: "prod" } } }, fleet: [clusterOf("eks", { cloud: "aws", labels: { tier: "prod" } }), clusterOf("dark")] },
      [],
    ],
    ["nothing seen in complete lists", { eks: {}, gke: {} }, {}, ["-: nothing to judge in `eks`, `gke`: the lists are complete and hold nothing this assertion is about"]],
    ["not that, where it is allowed", { eks: {} }, { assertion: { allowEmpty: true } }, []],
    ["nothing seen where something failed is told by what failed", { eks: { gaps: [gapOf("envoy-proxies", "eks", "refused")] } }, {}, ["eks: refused"]],
    ["what failed, although empty lists are allowed", { eks: { gaps: [gapOf("envoy-proxies", "eks", "refused")] } }, { assertion: { allowEmpty: true } }, ["eks: refused"]],
    ["a selection of no cluster", { eks: one("eks") }, { assertion: { clusters: { matchLabels: { tier: "no" } } } }, ["-: the assertion selects no cluster of the fleet"]],
  ];
  it.each(rows)("%s", (_, saved, parts, expected) => {
    const evaluation = judged(saved, parts);
    expect(reasons(evaluation)).toEqual(expected);
    expect(evaluation.gaps.every(({ remedy }) => remedy !== "")).toBe(true);
  });

  it("a cluster whose cloud nobody knows is not judged by an assertion that selects by clouds", () => {
    const fleet = [clusterOf("eks", { cloud: "aws" }), clusterOf("dark")];
    const { clusters, judged: count } = judged({ eks: one("eks"), dark: one("dark") }, { assertion: { clusters: { clouds: ["aws"] } }, fleet });
    expect([clusters.map(({ name }) => name), count]).toEqual([["eks"], 1]);
  });

  it("a missing snapshot is one gap, not one for every question", () => {
    const needs = () => [PROXIES, { ...PROXIES, selector: "a" }, { ...PROXIES, selector: "b" }];
    expect(judged({ eks: undefined }, { kind: kindOf({ needs }) }).gaps).toHaveLength(1);
  });

  it("an unasked kind of fact is one gap, however many ways of asking are missing", () => {
    const needs = () => [{ ...PROXIES, selector: "a" }, { ...PROXIES, selector: "b" }];
    expect(judged({ eks: { asked: [] } }, { kind: kindOf({ needs }) }).gaps).toHaveLength(1);
  });
});

describe("what a kind says", () => {
  const says = (...items: readonly Judgement[]): AnyKind => kindOf({ judge: () => items });
  const words = { subject: "s", cause: "c", message: "m", remedy: "r", evidence: [] };

  it("is sorted into findings, gaps and assumptions, and what it judged is added up", () => {
    const assumption = { type: "assumption", text: "t", where: "w" } as const;
    const gap = gapOf("envoy-proxies", "eks", "odd");
    const evaluation = judged({ eks: one("eks") }, {
      kind: says({ type: "judged", count: 2 }, { type: "finding", outcome: "fault", ...words }, gap, assumption, { type: "judged", count: 3 }, { type: "finding", outcome: "info", ...words }),
    });
    expect(evaluation).toMatchObject({ judged: 5, facts: 1, of: "things", gaps: [gap], assumptions: [assumption] });
    expect(evaluation.findings.map(({ outcome }) => outcome)).toEqual(["fault", "info"]);
  });

  it("counts in its own words, in the number that goes with them", () => {
    const counting = (count: number, judges?: readonly [string, string]) => judged({ eks: one("eks") }, { kind: { ...says({ type: "judged", count }), ...(judges === undefined ? {} : { judges }) } }).of;
    expect([counting(0, ["proxy", "proxies"]), counting(1, ["proxy", "proxies"]), counting(2, ["proxy", "proxies"])]).toEqual(["proxies", "proxy", "proxies"]);
    expect([counting(1), counting(2)]).toEqual(["thing", "things"]);
  });

  it("is a gap where it assumes something and the assertion is strict", () => {
    const kind = says({ type: "judged", count: 1 }, { type: "assumption", text: "builds are alike", where: "eks" });
    expect(reasons(judged({ eks: one("eks") }, { kind }))).toEqual([]);
    const strict = judged({ eks: one("eks") }, { kind, assertion: { strict: true } });
    expect(reasons(strict)).toEqual(["-: strict: builds are alike"]);
    expect(strict.assumptions).toHaveLength(1);
  });

  it("ends the run with the kind's name where it throws, when asked what it needs too", () => {
    const fail = () => {
      throw new RangeError("out of reach");
    };
    for (const kind of [kindOf({ judge: fail }), kindOf({ needs: fail })]) {
      expect(() => judged({ eks: one("eks") }, { kind })).toThrow(PluginError);
      expect(() => judged({ eks: one("eks") }, { kind })).toThrow("the kind `Counted` failed: out of reach");
    }
  });

  it("is said of each assertion apart, in the order of the assertions", () => {
    const fleet = [clusterOf("eks"), clusterOf("gke")];
    const snapshots = new Map(fleet.map((cluster) => [cluster.name, snapshotOf(cluster, one(cluster.name))]));
    const assertions = [assertionOf({ name: "b", clusters: { names: ["gke"] } }), assertionOf({ name: "a" })];
    const evaluations = evaluate(new Map([["Counted", kindOf()]]), assertions, { fleet, snapshots, now: "2026-11-20T09:00:00Z", istioMap: istioMap() });
    expect(evaluations.map(({ assertion, judged: count }) => [assertion.name, count])).toEqual([["b", 1], ["a", 2]]);
  });

  it("may depend on the time of the run, which it is told", () => {
    const judge: Judge = function* (_, world) {
      yield { type: "assumption", text: world.now, where: "-" };
    };
    expect(judged({ eks: one("eks") }, { kind: kindOf({ judge }) }).assumptions[0]?.text).toBe("2026-11-20T09:00:00Z");
  });
});
