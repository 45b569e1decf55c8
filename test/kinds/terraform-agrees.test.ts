import { describe, expect, it } from "vitest";
import type { ApiServerFact, DeclaredCluster, DeclaredFact, DeclaredMesh, DeclaredPool, DeclaredState, Fact, NodePool } from "#engine";
import kind from "../../kinds/terraform-agrees/kind.ts";
import type { Spec } from "../../kinds/terraform-agrees/spec.ts";
import { clusterOf, gapOf, judge, type Said, type Seen } from "../support/world.ts";

type Facts = readonly Fact[];

const SPEC: Spec = { fields: ["controlPlane.version", "pools[*].arch", "pools[*].version"], poolMapping: {}, maxMinorSkew: 0 };
const LIVE: Spec = { ...SPEC, compare: ["declared-live"] };
const ACROSS: Spec = { ...SPEC, compare: ["across-clusters"] };

let made = 0;
const declared = (cluster: string, data: DeclaredFact): Fact<"declared"> => ({ type: "fact", kind: "declared", cluster, subject: `${data.what} ${++made}`, data, source: { collector: "terraform", locator: `${cluster}.tfstate`, digest: "d" } });

const state = (cluster: string, more: Partial<DeclaredState> = {}) => ({ ...declared(cluster, { what: "state", lineage: cluster, serial: "7", locked: false, empty: false, deposed: [], ...more }), subject: `state ${cluster}.tfstate` });
const at = (cluster: string, address: string) => ({ state: `${cluster}.tfstate`, address });
const declaredCluster = (cluster: string, version: string | undefined, more: Partial<DeclaredCluster> = {}) =>
  declared(cluster, { what: "cluster", ...at(cluster, "x.this"), id: `id-${cluster}`, name: cluster, cloud: "aws", flavour: "eks", mode: "managed", ...(version === undefined ? {} : { version }), ...more });
const declaredPool = (cluster: string, name: string, more: Partial<DeclaredPool> = {}) =>
  declared(cluster, { what: "pool", ...at(cluster, `pool.${name}`), name, arch: "amd64", instanceTypes: ["m7i.large"], version: "1.33", taints: [], size: { min: 1, max: 3 }, origin: "declared", ...more });
const declaredMesh = (cluster: string, more: Partial<DeclaredMesh>) => declared(cluster, { what: "mesh", ...at(cluster, "mesh"), flavour: "istio", ...more });

const live = <K extends "api-server" | "server-version" | "node-pools" | "control-planes">(kindOfFact: K, cluster: string, data: Fact<K>["data"]): Fact<K> => ({ type: "fact", kind: kindOfFact, cluster, subject: `${kindOfFact} ${++made}`, data, source: { collector: "kubernetes", locator: "/x" } });
const server = (cluster: string, version: string) => live("server-version", cluster, { version });
const nodes = (cluster: string, pool: string | undefined, more: Partial<NodePool> = {}) =>
  live("node-pools", cluster, { ...(pool === undefined ? {} : { pool }), arch: "amd64", instanceType: "m7i.large", kubelet: "v1.33.4-eks-1", taints: [], count: 2, example: `${cluster}-node`, ...more });
const plane = (cluster: string, revision: string, image?: string) => live("control-planes", cluster, { flavour: image === undefined ? "csm-managed" : "istio", namespace: "istio-system", revision, ...(image === undefined ? {} : { image }) });

/** A cluster that runs what is declared; what is given comes on top. */
const well = (cluster: string, version = "1.33", running = "v1.33.4-eks-1"): Facts => [state(cluster), declaredCluster(cluster, version), server(cluster, running)];

const told = ({ faults, undecided, infos, gaps }: Said) => ({ faults: faults.map(({ message }) => message), undecided: undecided.map(({ message }) => message), infos: infos.map(({ message }) => message), gaps: gaps.map(({ reason }) => reason) });
const nothing = { faults: [], undecided: [], infos: [], gaps: [] };
const say = (spec: Spec, facts: Facts, more: Partial<Seen> = {}) => judge(kind, spec, { facts, ...more });
const ONE = ["a"];

describe("inside a cluster, a version agrees as far as it is declared", () => {
  it.each([
    ["1.33", "v1.33.4-eks-113cf36", true],
    ["1.33", "v1.34.0-eks-1", false],
    ["1.33.4", "v1.33.4", true],
    ["1.33.4", "v1.33.5", false],
    ["1.33.3", "v1.33.3-akslts", true],
    ["1.33.5-gke.1162000", "v1.33.5-gke.1162000", true],
    ["1.33.5-gke.1162000", "v1.33.5-gke.1308000", false],
    ["1.33.9", "v1.33.10", false],
    ["1.3", "v1.33.0", false],
  ])("%s and %s: %s", (wanted, running, agrees) => {
    const said = say(LIVE, well("a", wanted, running));
    expect([said.faults.length === 0, said.judged]).toEqual([agrees, 1]);
  });

  it("says which side is newer, and names the channel that moves it", () => {
    const facts = (version: string, running: string, channel?: string) => [state("a"), declaredCluster("a", version, channel === undefined ? {} : { channel }), server("a", running)];
    expect(told(say(LIVE, facts("1.33", "v1.34.1-gke.1", "regular"))).faults).toEqual(["`a` runs Kubernetes v1.34.1-gke.1, and Terraform declares 1.33: what runs is newer (its channel `regular` upgrades it by itself)"]);
    expect(told(say(LIVE, facts("1.34", "v1.33.1-gke.1", "regular"))).faults).toEqual(["`a` runs Kubernetes v1.33.1-gke.1, and Terraform declares 1.34: what runs is older"]);
  });

  it("that cannot be read is a gap on either side", () => {
    expect(told(say(LIVE, [state("a"), declaredCluster("a", undefined), server("a", "v1.33.4")])).gaps).toEqual(["`x.this` in `a.tfstate` declares no version that can be read"]);
    expect(told(say(LIVE, well("a", "1.33", "latest"))).gaps).toEqual(["the API server calls its version `latest`, which is none"]);
  });

  it("that no state declares is a gap, though pools beside it are declared and agree", () => {
    const said = say({ ...LIVE, fields: ["controlPlane.version", "pools[*].version"] }, [state("a"), declaredPool("a", "p"), nodes("a", "p"), server("a", "v1.33.4")]);
    expect(told(said)).toEqual({ ...nothing, gaps: ["no state of `a` declares the cluster itself: `a.tfstate`"] });
  });

  it("is asked of each of two states that manage one cluster, which is told", () => {
    const twice = (version: string, more: Partial<DeclaredCluster> = {}) => told(say(LIVE, [...well("a"), declaredCluster("a", version, { state: "b.tfstate", ...more })]));
    const claim = ["the states `a.tfstate` and `b.tfstate` of `a` manage the cluster `a`: each apply of one undoes the other's, and each is compared with what runs"];
    expect(twice("1.32")).toMatchObject({ faults: [expect.stringMatching(/declares 1\.32/) as string], infos: claim });
    expect(twice("1.33")).toEqual({ ...nothing, infos: claim });
    expect(twice("1.33", { mode: "data" })).toEqual(nothing);
  });
});

describe("a pool", () => {
  const pools = (spec: Partial<Spec>, ...facts: Facts) => say({ ...LIVE, fields: ["pools[*].version"], ...spec }, [state("a"), declaredCluster("a", "1.33"), ...facts]);

  it("whose newest kubelet is the declared one is being upgraded, which is no fault", () => {
    expect(told(pools({}, declaredPool("a", "p", { version: "1.33" }), nodes("a", "p", { kubelet: "v1.33.4-eks-1" }), nodes("a", "p", { kubelet: "v1.32.9-eks-1", count: 1 })))).toEqual({ ...nothing, infos: ["the pool `p` in `a` is being upgraded to 1.33: 1 node is older yet"] });
  });

  it("whose newest kubelet is another one is a fault, older or newer, and so is one that is past it", () => {
    expect(told(pools({}, declaredPool("a", "p", { version: "1.33" }), nodes("a", "p", { kubelet: "v1.32.9-eks-1" }))).faults).toEqual(["2 nodes of the pool `p` in `a` run kubelet v1.32.9-eks-1, and Terraform declares 1.33: what runs is older"]);
    expect(told(pools({}, declaredPool("a", "p", { version: "1.33" }), nodes("a", "p", { kubelet: "v1.34.0-eks-1", count: 1 }), nodes("a", "p"))).faults).toEqual(["1 node of the pool `p` in `a` runs kubelet v1.34.0-eks-1, and Terraform declares 1.33: what runs is newer"]);
  });

  it("of two patches that both fulfil what is declared is as declared", () => {
    expect(told(pools({}, declaredPool("a", "p", { version: "1.33" }), nodes("a", "p", { kubelet: "v1.33.1-eks-1" }), nodes("a", "p")))).toEqual(nothing);
  });

  it("with a node of another architecture is a fault that counts those nodes", () => {
    expect(told(pools({ fields: ["pools[*].arch"] }, declaredPool("a", "p"), nodes("a", "p"), nodes("a", "p", { arch: "arm64", count: 1 }))).faults).toEqual(["1 node of the pool `p` in `a` has arch `arm64`, and Terraform declares `amd64`"]);
  });

  it("of which nothing runs is undecided, unless it may be empty", () => {
    const none = (more: Partial<DeclaredPool>) => told(pools({}, declaredPool("a", "p", more)));
    expect(none({ size: { min: 2, max: 2 } }).undecided).toHaveLength(1);
    expect(none({ size: undefined }).undecided).toHaveLength(1);
    expect(none({ size: { min: 0, max: 9 } })).toMatchObject({ undecided: [], infos: [expect.stringMatching(/no node of it runs/) as string] });
    expect(none({ origin: "seen" }).undecided).toEqual([]);
  });

  it("that nobody declares is listed, with the nodes of no pool", () => {
    expect(told(pools({}, declaredPool("a", "p"), nodes("a", "p"), nodes("a", "by-hand"), nodes("a", undefined, { count: 3 }))).infos).toEqual(["`a` runs the pool `by-hand` and 3 nodes of no pool, which no state named for it declares"]);
  });

  it.each(["pools[*].arch", "pools[*].version", "pools[*].taints", "pools[*].nodes"] as const)("whose nodes do not bear its name is listed and never judged: %s", (field) => {
    const unnamed = declaredPool("a", "asg", { arch: undefined, version: undefined, taints: undefined, size: undefined, instanceTypes: [], unnamed: "self-managed" });
    const one = "Terraform declares `asg` in `a` (groups of machines that join by themselves), whose nodes do not bear its name: nothing of it is compared with the";
    expect(told(pools({ fields: [field] }, unnamed, nodes("a", undefined, { count: 3 })))).toEqual({ ...nothing, infos: [`${one} 3 nodes of no pool`] });
    expect(told(pools({ fields: [field] }, unnamed))).toEqual({ ...nothing, infos: [`${one} 0 nodes of no pool`] });
    expect(pools({ fields: [field] }, unnamed, nodes("a", undefined)).judged).toBe(0);
    const [both] = [told(pools({ fields: ["pools[*].version"] }, unnamed, declaredPool("a", "p"), nodes("a", "p"), nodes("a", "by-hand")))];
    expect(both.infos).toEqual([`${one} 0 nodes of no pool`, "`a` runs the pool `by-hand`, which no state named for it declares"]);
  });

  it("whose nodes do not bear its name is compared between clusters as nodes of no pool", () => {
    const facts = (cluster: string, arch: string) => [...well(cluster), declaredPool(cluster, "asg", { arch: undefined, version: undefined, instanceTypes: [], unnamed: "self-managed" }), nodes(cluster, undefined, { arch })];
    const said = (one: string, other: string) => say({ ...ACROSS, fields: ["pools[*].arch"] }, [...facts("a", one), ...facts("b", other)]);
    expect([said("amd64", "amd64").faults, said("amd64", "amd64").undecided, said("amd64", "arm64").faults.length]).toEqual([[], [], 1]);
  });

  it("is not judged on half a list of nodes", () => {
    const facts = [state("a"), declaredCluster("a", "1.33"), declaredPool("a", "p", { version: "1.33" }), nodes("a", "p", { kubelet: "v1.32.9-eks-1" })];
    expect(say({ ...LIVE, fields: ["pools[*].version"] }, facts, { gaps: [gapOf("node-pools", "a")] }).faults).toEqual([]);
  });

  it("bears the declared taints in any order, and no others", () => {
    const taints = (one: readonly string[], other: readonly string[]) => told(pools({ fields: ["pools[*].taints"] }, declaredPool("a", "p", { taints: one }), nodes("a", "p", { taints: other })));
    expect(taints(["x=1:NoSchedule", "y:NoExecute"], ["y:NoExecute", "x=1:NoSchedule"])).toEqual(nothing);
    expect(taints([], ["x=1:NoSchedule"]).faults).toEqual(["2 nodes of the pool `p` in `a` bear `x=1:NoSchedule`, and Terraform declares no taint"]);
  });

  it("has as many nodes as are declared", () => {
    const size = (count: number, most = 3) => told(pools({ fields: ["pools[*].nodes"] }, declaredPool("a", "p", { size: { min: 2, max: most } }), ...(count === 0 ? [] : [nodes("a", "p", { count })])));
    expect([size(2), size(3)]).toEqual([nothing, nothing]);
    expect(size(4).faults).toEqual(["4 nodes of the pool `p` run in `a`, and Terraform declares 2 to 3 nodes"]);
    expect(size(1, 2).faults).toEqual(["1 node of the pool `p` runs in `a`, and Terraform declares 2 nodes"]);
    expect(size(0).faults).toHaveLength(1);
  });

  it("whose states do not tell a field is a gap, not a pass", () => {
    expect(told(pools({ fields: ["pools[*].arch"] }, declaredPool("a", "p", { arch: undefined }), nodes("a", "p"))).gaps).toEqual(["`pool.p` in `a.tfstate` does not tell the arch of the pool `p`"]);
    expect(told(pools({ fields: ["pools[*].arch"] }, declaredPool("a", "p"), nodes("a", "p", { arch: undefined }))).gaps).toEqual(["the node `a-node` does not tell its arch"]);
  });
});

describe("states of another cluster", () => {
  it.each([
    ["cloud", { cloud: "gcp" }, { cloud: "aws" }],
    ["region", { region: "eu-west-1" }, { region: "us-east-1" }],
    ["account", { account: "one" }, { account: "two" }],
    ["group", { nodeGroup: "mc_g_one_westeurope" }, { group: "mc_g_two_westeurope" }],
  ] as const)("show by their %s, and nothing else of them is compared", (what, wanted, running) => {
    const said = say(LIVE, [state("a"), declaredCluster("a", "1.20", wanted), server("a", "v1.33.4"), nodes("a", "p", running)]);
    expect(said.faults.map(({ subject }) => subject)).toEqual([`a/${what}`]);
  });

  it("are not shown by what differs in case alone, or is told by nobody", () => {
    expect(say(LIVE, [state("a"), declaredCluster("a", "1.33", { region: "WestEurope", cloud: "azure", account: "A" }), server("a", "v1.33.4"), nodes("a", "p", { region: "westeurope", cloud: "azure", account: "a" })]).faults).toEqual([]);
    expect(say(LIVE, [state("a"), declaredCluster("a", "1.33", { region: "x", account: "y" }), server("a", "v1.33.4"), nodes("a", "p")]).faults).toEqual([]);
  });

  it("are not shown by the number of a project, of which nodes have the name", () => {
    const facts = (account: string) => [state("a"), declaredCluster("a", "1.33", { cloud: "gcp", account }), server("a", "v1.33.4"), nodes("a", "p", { cloud: "gcp", account: "payments" })];
    expect([say(LIVE, facts("123456789")).faults.length, say(LIVE, facts("other")).faults.length]).toEqual([0, 1]);
  });

  it("are not shown by the user's own word for a cloud or a region", () => {
    const facts = [state("a"), declaredCluster("a", "1.33", { region: "eu-west-1", cloud: "aws" }), server("a", "v1.33.4")];
    expect(say(LIVE, facts, { clusters: [clusterOf("a", { cloud: "amazon", region: "Ireland" })] }).faults).toEqual([]);
    expect(say(LIVE, facts, { clusters: [clusterOf("a", { cloud: "azure" })] }).faults.map(({ subject }) => subject)).toEqual(["a/cloud"]);
  });

  const reached = (api: Partial<ApiServerFact>, declaredOf: Partial<DeclaredCluster> = {}) => {
    const data: ApiServerFact = { hostSha256: "host-1", named: "other", ...api };
    const said = say(LIVE, [state("a"), declaredCluster("a", "1.20", { hostsSha256: ["host-2"], caSha256: "ca-2", ...declaredOf }), server("a", "v1.33.4"), live("api-server", "a", data)]);
    return [...said.faults, ...said.undecided].map(({ outcome, subject }) => `${outcome} ${subject}`).concat(said.assumptions.map(() => "assumed"));
  };
  const compared = "fault a/controlPlane.version";
  it.each([
    ["the same host", { hostSha256: "host-2", named: "eks", caSha256: "ca-1" }, [compared]],
    ["the same authority through a tunnel", { named: "address", caSha256: "ca-2" }, [compared]],
    ["a name that its cloud gives once", { named: "eks", caSha256: "ca-1" }, ["fault a/api-server"]],
    ["the same without an authority", { named: "eks" }, ["fault a/api-server"]],
    ["a name of a cloud that may give two", { named: "aks" }, ["undecided a/api-server"]],
    ["an address with another authority", { named: "address", caSha256: "ca-1" }, ["undecided a/api-server"]],
    ["the name inside the cluster with another authority", { named: "inside", caSha256: "ca-1" }, ["undecided a/api-server"]],
    ["a name that may be a proxy's", { named: "other", caSha256: "ca-1" }, [compared, "assumed"]],
    ["an address, and the system's authorities", { named: "address" }, [compared]],
  ] as const)("show by how the API server is reached: %s", (_, api, said) => {
    expect(reached(api)).toEqual(said);
  });

  it("are not shown by a name where the nodes are in the group that is declared", () => {
    const facts = (group: string) => [state("a"), declaredCluster("a", "1.33", { hostsSha256: ["h"], nodeGroup: "mc_a" }), server("a", "v1.33.4"), live("api-server", "a", { hostSha256: "other", named: "aks" }), nodes("a", "p", { group })];
    const said = (group: string) => told(say({ ...LIVE, fields: ["controlPlane.version", "pools[*].version"] }, facts(group)));
    expect([said("mc_a").undecided, said("mc_a").faults, said("mc_b").faults.length]).toEqual([[], [], 1]);
  });

  it("are not shown by what the state does not tell of the API server", () => {
    const silent = { hostsSha256: undefined, caSha256: undefined };
    for (const named of ["eks", "aks", "address", "inside", "other"] as const) expect(reached({ named, caSha256: "ca-1" }, silent)).toEqual([compared]);
    expect(reached({ named: "eks", caSha256: "ca-1" }, { hostsSha256: undefined })).toEqual(["undecided a/api-server"]);
  });

  it("that two clusters of the fleet share are undecided", () => {
    const said = say(ACROSS, [...well("a"), ...well("b").map((fact) => (fact.kind === "declared" && (fact.data as DeclaredFact).what === "cluster" ? declaredCluster("b", "1.33", { id: "ID-A" }) : fact))]);
    expect(told(said).undecided).toEqual(["the states of `a` and `b` declare the same cluster, `a`"]);
  });
});

describe("the mesh inside a cluster", () => {
  const mesh = (fields: Spec["fields"], ...facts: Facts) => told(say({ ...LIVE, fields }, [state("a"), declaredCluster("a", "1.33"), ...facts]));
  it("runs the revisions that are declared, no more and no less", () => {
    const add = (declaredRevisions: readonly string[], running: readonly string[]) => mesh(["mesh.revisions"], declaredMesh("a", { flavour: "aks-addon", revisions: declaredRevisions }), ...running.map((revision) => plane("a", revision, "x/pilot:1.29.5")));
    expect(add(["asm-1-29"], ["asm-1-29"])).toEqual(nothing);
    expect(add(["asm-1-30"], ["asm-1-29"]).faults).toEqual(["revisions of the mesh in `a`: `asm-1-30` is declared and does not run, `asm-1-29` runs and is not declared: what runs is older"]);
    expect(add(["asm-1-29", "asm-1-30"], ["asm-1-29"]).faults).toEqual(["revisions of the mesh in `a`: `asm-1-30` is declared and does not run"]);
    expect(add(["stable"], ["stable", "canary"]).faults).toEqual(["revisions of the mesh in `a`: `canary` runs and is not declared"]);
  });
  it("that a cloud manages by itself names no revision in Terraform, so none can be missing", () => {
    expect(mesh(["mesh.revisions"], declaredMesh("a", { flavour: "csm-managed" }), plane("a", "asm-managed"))).toEqual(nothing);
  });
  it("that a cloud is to manage and does not show is undecided, and one beside it that nobody declares a fault", () => {
    const managed = declaredMesh("a", { flavour: "csm-managed" });
    const unseen = ["Terraform has the mesh of `a` managed by Google, and no control plane of Google's shows in the cluster: there is nothing to compare"];
    const undeclared = ["revisions of the mesh in `a`: `default` runs and is not declared"];
    expect(mesh(["mesh.revisions"], managed)).toEqual({ ...nothing, undecided: unseen });
    expect(mesh(["mesh.revisions"], managed, plane("a", "asm-managed"), plane("a", "default", "x/pilot:1.29.5"))).toEqual({ ...nothing, faults: undeclared });
    expect(mesh(["mesh.revisions"], managed, plane("a", "default", "x/pilot:1.29.5"))).toEqual({ ...nothing, faults: undeclared, undecided: unseen });
  });
  it("runs the version that is declared; an older one beside it is an upgrade", () => {
    const run = (...images: readonly string[]) => mesh(["mesh.version"], declaredMesh("a", { revisions: ["default"], version: "1.29.5" }), ...images.map((image) => plane("a", "default", image)));
    expect(run("x/pilot:1.29.5-distroless")).toEqual(nothing);
    expect(run("x/pilot:1.29.4").faults).toEqual(["the control plane of the mesh in `a` runs 1.29.4, and Terraform declares 1.29.5: what runs is older"]);
    expect(run("x/pilot:1.29.5", "x/pilot:1.29.4")).toEqual({ ...nothing, infos: ["the mesh in `a` is being upgraded to 1.29.5: 1.29.4 still runs"] });
    expect(run("x/pilot:latest").gaps).toHaveLength(1);
    expect(run().undecided).toHaveLength(1);
  });
  it("that runs undeclared is listed", () => {
    expect(mesh(["mesh.revisions"], plane("a", "default", "x/pilot:1.29.5")).infos).toEqual(["a mesh runs in `a` (`default`), which no state named for it declares"]);
  });
});

describe("add-ons", () => {
  const addons = (wanted: string, ...tags: readonly string[]) =>
    told(say({ ...LIVE, fields: ["addons[*].version"] }, [state("a"), declaredCluster("a", "1.33"), declared("a", { what: "addon", ...at("a", "addon"), name: "kube-proxy", version: wanted }), ...tags.map((tag) => ({ ...live("server-version", "a", { version: "" }), kind: "add-ons" as const, data: { name: "kube-proxy", image: `602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:${tag}` } }))]));
  it("run the version that is declared, as their images write it", () => {
    expect(addons("v1.33.3-eksbuild.4", "v1.33.3-minimal-eksbuild.4")).toEqual(nothing);
    expect(addons("v1.33.3-eksbuild.4", "v1.33.3")).toEqual(nothing);
    expect(addons("v1.33.3-eksbuild.4", "v1.33.3-minimal-eksbuild.6").faults).toEqual(["the add-on `kube-proxy` in `a` runs v1.33.3-minimal-eksbuild.6, and Terraform declares v1.33.3-eksbuild.4"]);
    expect(addons("v1.33.3-eksbuild.4", "v1.32.0-minimal-eksbuild.4", "v1.33.3-minimal-eksbuild.4")).toMatchObject({ faults: [], infos: [expect.stringMatching(/is being changed to v1.33.3-eksbuild.4/) as string] });
    expect(addons("v1.33.3-eksbuild.4", "latest").gaps).toHaveLength(1);
    expect(addons("v1.33.3-eksbuild.4")).toMatchObject({ faults: [], infos: [expect.stringMatching(/`kube-proxy` of `a` is declared, and no image that runs tells its version: not compared/) as string] });
  });
});

describe("across clusters", () => {
  const three = (a: string, b: string, c: string): Facts => [...well("a", "1.33", a), ...well("b", "1.33", b), ...well("c", "1.33", c)];

  it("a version is compared by minor only", () => {
    expect(told(say(ACROSS, three("v1.33.1-eks-1", "v1.33.9-gke.1", "v1.33.3")))).toEqual(nothing);
  });

  it("who lags behind the newest by more than is allowed is a fault", () => {
    expect(told(say(ACROSS, three("v1.33.1", "v1.34.0", "v1.32.9"))).faults).toEqual(["`a` runs Kubernetes v1.33.1, 1 minor release behind v1.34.0 in `b`; allowed: 0", "`c` runs Kubernetes v1.32.9, 2 minor releases behind v1.34.0 in `b`; allowed: 0"]);
    expect(told(say({ ...ACROSS, maxMinorSkew: 1 }, three("v1.33.1", "v1.34.0", "v1.32.9"))).faults).toEqual(["`c` runs Kubernetes v1.32.9, 2 minor releases behind v1.34.0 in `b`; allowed: 1"]);
    expect(told(say({ ...ACROSS, maxMinorSkew: 9 }, three("v1.33.1", "v2.0.0", "v2.0.1"))).faults).toEqual(["`a` runs Kubernetes v1.33.1, a major release behind v2.0.1 in `c`; allowed: 9"]);
  });

  it("what is declared must agree too, where what runs does", () => {
    expect(told(say(ACROSS, [...well("a", "1.33", "v1.33.1"), ...well("b", "1.34", "v1.33.1")])).faults).toEqual(["`a` is declared with Kubernetes 1.33, 1 minor release behind 1.34 in `b`; allowed: 0"]);
  });

  it("needs two clusters, and says so where only one is there", () => {
    expect(told(say(ACROSS, well("a"))).gaps).toEqual(["`across-clusters` compares clusters with each other, and the assertion selects only `a`"]);
    expect(told(say(SPEC, well("a")))).toEqual({ ...nothing, infos: ["the assertion selects one cluster, `a`: it is compared with its states alone"] });
  });

  const arches = (parts: Readonly<Record<string, Readonly<Record<string, string>>>>, spec: Partial<Spec> = {}) =>
    told(say({ ...ACROSS, fields: ["pools[*].arch"], ...spec }, Object.entries(parts).flatMap(([cluster, pools]) => [state(cluster), declaredCluster(cluster, "1.33"), ...Object.entries(pools).flatMap(([name, arch]) => [declaredPool(cluster, name, { arch }), nodes(cluster, name, { arch })])])));

  it("pools of one name must be alike", () => {
    expect(arches({ a: { edge: "arm64" }, b: { edge: "arm64" }, c: { edge: "amd64" } })).toEqual({ ...nothing, faults: ["the pool `edge`: arch is arm64 in `a` and `b` (the majority), amd64 in `c`"] });
    expect(arches({ a: { edge: "arm64" }, b: { edge: "arm64" } })).toEqual(nothing);
  });

  it("pools pair by the mapping before they pair by name", () => {
    expect(arches({ a: { general: "amd64" }, b: { system: "arm64" } }, { poolMapping: { b: { system: "general" } } }).faults).toEqual(["the pool `general`: arch is amd64 in `a`, arm64 in `b`"]);
    expect(arches({ a: { x: "amd64", y: "arm64" }, b: { x: "arm64", y: "amd64" } }, { poolMapping: { b: { x: "y", y: "x" } } })).toEqual(nothing);
  });

  it("pools without a partner are compared as sets, and listed with the mapping to write", () => {
    expect(arches({ a: { one: "amd64" }, b: { two: "amd64" } })).toMatchObject({ faults: [], infos: ["2 pools pair with none by name: `one` of `a`, `two` of `b`"] });
    expect(arches({ a: { one: "amd64" }, b: { two: "arm64" } }).faults).toEqual(["pools without a partner: arch is amd64 in `a`, arm64 in `b`"]);
    const said = say({ ...ACROSS, fields: ["pools[*].arch"] }, [["a", "m", "amd64"], ["a", "e", "arm64"], ["b", "x", "arm64"], ["b", "y", "amd64"]].flatMap(([cluster = "", name = "", arch = ""]) => [declaredPool(cluster, name, { arch }), nodes(cluster, name, { arch })]));
    expect(said.infos[0]?.remedy).toContain("`poolMapping: { b: { x: e, y: m } }`");
  });

  it("a pool that one cluster has alone must be like what the others have", () => {
    expect(arches({ a: { general: "amd64", extra: "amd64" }, b: { general: "amd64" } }).faults).toEqual([]);
    expect(arches({ a: { general: "amd64", extra: "arm64" }, b: { general: "amd64" } }).faults).toEqual(["pools without a partner: arch is amd64 in `b`, arm64 in `a`"]);
    expect(arches({ a: { general: "amd64", edge: "arm64", extra: "arm64" }, b: { general: "amd64", edge: "arm64" } }).faults).toEqual([]);
    expect(arches({ a: { general: "amd64", arm: "arm64", x: "amd64" }, b: { general: "amd64", arm: "arm64", y: "arm64" } }).faults).toHaveLength(1);
  });

  it("nodes of no pool count as a pool without a partner", () => {
    const facts = ["a", "b"].flatMap((cluster) => [declaredPool(cluster, "p"), nodes(cluster, "p")]);
    expect(told(say({ ...ACROSS, fields: ["pools[*].arch"] }, [...facts, nodes("a", undefined, { arch: "arm64" })])).faults).toHaveLength(1);
  });

  it("two pools that stand for one are undecided", () => {
    expect(arches({ a: { general: "amd64", other: "amd64" }, b: { general: "amd64" } }, { poolMapping: { a: { other: "general" } } }).undecided).toEqual(["the pools `general` and `other` of `a` both stand for `general`"]);
  });

  it("a pool without nodes is what it is declared; one of which nothing is known is undecided", () => {
    const two = (arch: string | undefined) => told(say({ ...ACROSS, fields: ["pools[*].arch"] }, [declaredPool("a", "p", { arch }), declaredPool("b", "p"), nodes("b", "p")]));
    expect(two("arm64").faults).toHaveLength(1);
    expect(two("amd64")).toEqual(nothing);
    expect(two(undefined).undecided).toHaveLength(1);
  });

  const kubelets = (spec: Partial<Spec>, parts: Readonly<Record<string, Readonly<Record<string, string>>>>) =>
    told(say({ ...ACROSS, fields: ["pools[*].version"], ...spec }, Object.entries(parts).flatMap(([cluster, pools]) => Object.entries(pools).map(([name, kubelet]) => nodes(cluster, name, { kubelet }))))).faults;

  it("versions of pools are compared by minor, in sets as in pairs", () => {
    expect(kubelets({}, { a: { p: "v1.33.1" }, b: { p: "v1.33.9" } })).toEqual([]);
    expect(kubelets({}, { a: { p: "v1.32.1" }, b: { p: "v1.33.9" } })).toEqual(["`a` has the pool `p` on Kubernetes v1.32.1, 1 minor release behind v1.33.9 in `b`; allowed: 0"]);
    expect(kubelets({}, { a: { x: "v1.33.1", y: "v1.34.0" }, b: { z: "v1.33.9" } })).toEqual(["`b` has a pool without a partner on Kubernetes v1.33.9, 1 minor release behind v1.34.0 in `a`; allowed: 0"]);
    expect(kubelets({}, { a: { x: "v1.33.1", y: "v1.34.0" }, b: { z: "v1.33.9", w: "v1.34.2" } })).toEqual([]);
    expect(kubelets({}, { a: { p: "v1.33.1", q: "v1.32.1", extra: "v1.33.2" }, b: { p: "v1.33.9", q: "v1.32.0" } })).toEqual([]);
    expect(kubelets({ maxMinorSkew: 1 }, { a: { x: "v1.33.1", y: "v1.34.0" }, b: { z: "v1.33.9" } })).toEqual([]);
  });

  it("of a cluster whose lists are not whole no difference is told", () => {
    const facts = [declaredPool("a", "p", { arch: "arm64" }), declaredPool("b", "p"), nodes("b", "p")];
    expect(say({ ...ACROSS, fields: ["pools[*].arch"] }, facts, { gaps: [gapOf("node-pools", "a")] }).faults).toEqual([]);
  });

  it("names of revisions are never compared across clouds, and are among clusters of one", () => {
    const clusters = (one: string, other: string) => [clusterOf("a", { cloud: one }), clusterOf("b", { cloud: other })];
    const facts = [plane("a", "asm-1-29", "x/pilot:1.29.5"), plane("b", "asm-1-30", "x/pilot:1.30.1")];
    const revisions = (one: string, other: string) => say({ ...ACROSS, fields: ["mesh.revisions"] }, facts, { clusters: clusters(one, other) });
    expect(say({ ...ACROSS, fields: ["mesh.revisions"] }, facts, { clusters: [clusterOf("a"), clusterOf("b")] }).judged).toBe(0);
    expect([revisions("aws", "azure").faults, revisions("aws", "azure").judged]).toEqual([[], 0]);
    expect(told(revisions("azure", "azure")).faults).toEqual(["the clusters on `azure` run other revisions of the mesh: `asm-1-29` in `a`, `asm-1-30` in `b`"]);
  });

  it("versions of meshes are compared by minor; one that nobody tells is undecided, none at all is listed", () => {
    const version = (...facts: Facts) => told(say({ ...ACROSS, fields: ["mesh.version"] }, facts, { clusters: [clusterOf("a"), clusterOf("b")] }));
    expect(version(plane("a", "x", "x/pilot:1.29.5"), plane("b", "y", "y/pilot:v1.29.1-2"))).toEqual(nothing);
    expect(version(plane("a", "x", "x/pilot:1.29.5"), plane("b", "y", "y/pilot:1.30.1")).faults).toEqual(["`a` runs Istio 1.29.5, 1 minor release behind 1.30.1 in `b`; allowed: 0"]);
    expect(version(plane("a", "x", "x/pilot:1.29.5"), plane("b", "asm-managed")).undecided).toHaveLength(1);
    expect(version(plane("a", "x", "x/pilot:1.29.5")).infos).toHaveLength(1);
  });
});

describe("the states themselves", () => {
  const notes = (more: Partial<DeclaredState>, spec: Partial<Spec> = {}) => told(say({ ...LIVE, ...spec }, [state("a", more), declaredCluster("a", "1.33"), server("a", "v1.33.4")]));
  it("may be as old as is allowed, and an unknown age is a gap only then", () => {
    expect(notes({ modified: "2026-11-01T00:00:00.000Z" })).toEqual(nothing);
    expect(notes({ modified: "2026-11-22T10:00:00.000Z" }, { maxStateAge: "24h" })).toEqual(nothing);
    expect(notes({ modified: "2026-11-22T09:59:59.000Z" }, { maxStateAge: "24h" }).faults).toEqual(["the state `a.tfstate` of `a` was written 24 h ago; allowed: 24h"]);
    expect(notes({}, { maxStateAge: "24h" }).gaps).toEqual(["the backend of the state `a.tfstate` does not tell when it was written last"]);
  });
  it("that are locked, not written yet, or hold what is left over are listed", () => {
    expect(notes({ locked: true, deposed: ["x.y"] }).infos).toEqual(["the state `a.tfstate` of `a` was locked while it was read: somebody may be applying", "`x.y` in the state `a.tfstate` of `a` is left from a replacement, and count for nothing"]);
  });
  it("that are one and the same are listed", () => {
    expect(told(say(LIVE, [...well("a"), { ...state("a", { serial: "9" }), subject: "state copy" }])).infos).toEqual(["`a.tfstate` (serial 7) and `copy` (serial 9) of `a` are one state: the later serial was read"]);
  });
});

describe("a spec that makes no sense is refused when it is loaded", () => {
  const faults = (spec: Partial<Spec>) => [...(kind.check?.({ ...SPEC, ...spec }) ?? [])].map(({ path, message }) => `${path.join(".")}: ${message}`);
  it.each([
    [{ maxStateAge: "7 days" }, ["maxStateAge: `7 days` is no span of time"]],
    [{ maxStateAge: "0h" }, ["maxStateAge: `0h` is no span of time"]],
    [{ maxStateAge: "168h" }, []],
    [{ compare: ["across-clusters"], fields: ["pools[*].nodes"] }, ["fields.0: `pools[*].nodes` is not compared between clusters"]],
    [{ poolMapping: { a: { x: "p", y: "p" } } }, ["poolMapping.a: two pools of `a` stand for `p`"]],
  ] as const)("%j", (spec, wanted) => {
    expect(faults(spec as Partial<Spec>)).toEqual(wanted);
  });
});

describe("what is asked for", () => {
  it("is what the fields need, and no more", () => {
    const facts = (fields: Spec["fields"]) => kind.needs({ ...SPEC, fields }).map(({ fact, selector }) => (selector === undefined ? fact : `${fact} ${selector}`));
    expect(kind.needs({ ...SPEC, maxStateAge: "1h" })[0]).toEqual({ fact: "declared", selector: "cluster", options: { age: true } });
    expect(facts(["controlPlane.version"])).toEqual(["declared cluster", "api-server", "server-version"]);
    expect(facts(["mesh.version"])).toEqual(["declared cluster", "api-server", "declared mesh", "control-planes"]);
    expect(facts(["pools[*].arch"])).toEqual(["declared cluster", "api-server", "declared pools", "node-pools"]);
  });
  it("judges nothing of a cluster of which nothing was seen", () => {
    expect(say(SPEC, [], { clusters: ONE.map((name) => clusterOf(name)) }).judged).toBe(0);
  });
});
