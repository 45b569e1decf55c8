import { describe, expect, it } from "vitest";
import { checkIdentities, ClusterIdentityError, seal, settle, type ClusterFact, type Snapshot } from "#engine";
import { clusterOf } from "../support/world.ts";

type Signal = ClusterFact["signals"][number];
const signal = (name: Signal["signal"], cloud: string): Signal => ({ signal: name, cloud, example: `${name} of ${cloud}` });

function factOf(signals: readonly Signal[], more: Partial<ClusterFact> = {}): ClusterFact {
  return { signals, ...more };
}

describe("the cloud of a cluster", () => {
  const settled: readonly (readonly [claim: string, declared: string | undefined, fact: ClusterFact | undefined, cloud: string | undefined])[] = [
    ["is what was declared, where nothing was seen", "aws", undefined, "aws"],
    ["is nobody's guess, where nothing was declared and nothing seen", undefined, undefined, undefined],
    ["is what the nodes show, where nothing was declared", undefined, factOf([signal("providerID", "gcp"), signal("labels", "gcp")], { cloud: "gcp" }), "gcp"],
    ["is what was declared, where both signals agree with it", "aws", factOf([signal("providerID", "aws"), signal("labels", "aws")], { cloud: "aws" }), "aws"],
    ["is what was declared, where one signal alone speaks against it", "aws", factOf([signal("providerID", "gcp")], { cloud: "gcp" }), "aws"],
    ["is what was declared, where the signals contradict each other", "aws", factOf([signal("providerID", "gcp"), signal("labels", "azure")]), "aws"],
    ["is what was declared, where the server's version is one of two that speak against it", "on-premises", factOf([signal("providerID", "aws"), signal("serverVersion", "aws")], { cloud: "aws" }), "on-premises"],
    ["may be any word, where no node says more", "on-premises", factOf([]), "on-premises"],
  ];
  it.each(settled)("%s", (_, declared, fact, cloud) => expect(settle(clusterOf("c", { cloud: declared }), fact).cloud).toBe(cloud));

  it("that both signals of the nodes contradict stops the run, with what was seen and two ways out", () => {
    const work = () => settle(clusterOf("prod", { cloud: "aws" }), factOf([signal("providerID", "gcp"), signal("labels", "gcp")]));
    expect(work).toThrow(ClusterIdentityError);
    expect(work).toThrow("`prod` is declared to run on `aws`, but its nodes say `gcp` (providerID `providerID of gcp`, labels `labels of gcp`)");
  });

  it("of which the nodes say two different things stops the run where none was declared", () => {
    expect(() => settle(clusterOf("prod"), factOf([signal("providerID", "gcp"), signal("labels", "aws")]))).toThrow("the nodes of `prod` speak for several clouds");
  });

  it("comes with the region, of which the declared one counts too", () => {
    const fact = factOf([], { region: "eu-west-1" });
    expect(settle(clusterOf("c"), fact).region).toBe("eu-west-1");
    expect(settle(clusterOf("c", { region: "us-east-1" }), fact).region).toBe("us-east-1");
  });
});

describe("the identity of clusters", () => {
  const snapshot = (name: string, kubeSystemUid?: string, apiServerCaSha256?: string): Snapshot =>
    seal({ cluster: clusterOf(name), identity: { kubeSystemUid, apiServerCaSha256 }, reachable: true, takenAt: "2026-11-20T09:00:00Z", asked: [], facts: [], gaps: [] });
  const none = new Map<string, string>();

  const fine: readonly (readonly [claim: string, snapshots: readonly Snapshot[], pins: ReadonlyMap<string, string>])[] = [
    ["two names, two clusters", [snapshot("a", "1"), snapshot("b", "2")], none],
    ["one cluster looked at twice under one name", [snapshot("a", "1"), snapshot("a", "1")], none],
    ["clusters that do not say who they are", [snapshot("a"), snapshot("b")], none],
    ["clusters behind one certificate authority: proxies share one over many", [snapshot("a", "1", "ca"), snapshot("b", "2", "ca")], none],
    ["a cluster that is the one that was pinned", [snapshot("a", "1")], new Map([["a", "1"]])],
    ["a pinned cluster that does not say who it is", [snapshot("a")], new Map([["a", "1"]])],
    ["a pin of a cluster that nobody looked at", [snapshot("a", "1")], new Map([["b", "1"]])],
  ];
  it.each(fine)("is fine for %s", (_, snapshots, pins) => expect(() => checkIdentities(snapshots, pins)).not.toThrow());

  const wrong: readonly (readonly [claim: string, snapshots: readonly Snapshot[], pins: ReadonlyMap<string, string>, message: string])[] = [
    ["two names for one cluster", [snapshot("a", "1"), snapshot("c", "3"), snapshot("b", "1")], none, "`a` and `b` are the same cluster (kube-system UID 1)"],
    ["one name for two clusters", [snapshot("a", "1"), snapshot("a", "2")], none, "`a` names two clusters (kube-system UIDs 1 and 2)"],
    ["another cluster than the pinned one", [snapshot("a", "1")], new Map([["a", "2"]]), "`a` is another cluster than the fleet file pins (kube-system UID 1, pinned 2)"],
  ];
  it.each(wrong)("stops the run for %s", (_, snapshots, pins, message) => {
    expect(() => checkIdentities(snapshots, pins)).toThrow(ClusterIdentityError);
    expect(() => checkIdentities(snapshots, pins)).toThrow(message);
  });
});
