import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DeclaredFact, Request } from "#engine";
import { ALLOWED, FORMER, type Allowed, type Leaf } from "../../collectors/terraform/allowed.ts";
import collector from "../../collectors/terraform/collector.ts";
import { archOfAks, archOfEks, archOfGke } from "../../collectors/terraform/machines.ts";
import { stateOf } from "../../collectors/terraform/state.ts";
import { drain, FakeCluster, type Exchange } from "../support/kubernetes.ts";
import { eksCluster, eksPool, resource, stateWith } from "../support/states.ts";
import { clusterOf } from "../support/world.ts";

type Source = NonNullable<Exchange["states"]>[number];

/** What is read from these states for the cluster `eks-prod`. */
async function collected(...states: readonly (Omit<Source, "name"> & { readonly name?: string })[]) {
  return asked({ fact: "declared" }, ...states);
}

async function asked(request: Request<"declared">, ...states: readonly (Omit<Source, "name"> & { readonly name?: string })[]) {
  const io = new FakeCluster({ states: states.map((state, index) => ({ name: `s${index}`, ...state })) });
  const { facts, gaps } = await drain(collector.collect(clusterOf("eks-prod"), [request], io));
  const data = facts.flatMap((fact): readonly DeclaredFact[] => (fact.kind === "declared" ? [fact.data as DeclaredFact] : []));
  return { facts, data, gaps, of: <W extends DeclaredFact["what"]>(what: W) => data.filter((each): each is Extract<DeclaredFact, { what: W }> => each.what === what) };
}

const bytes = (text: string | Uint8Array) => ({ bytes: typeof text === "string" ? Buffer.from(text) : text, locator: "x", sha256: "" });

function thrown(text: string | Uint8Array): string {
  try {
    stateOf(bytes(text), "infra/x");
  } catch (error) {
    if (error instanceof Error && "remedy" in error) return `${error.message} | ${String(error.remedy)}`;
    throw error;
  }
  return "read";
}

const CANARY = "canary-9d41c7";

describe("what is no state is told with the way to the one that is read", () => {
  const cases: readonly (readonly [name: string, text: string | Uint8Array, told: RegExp])[] = [
    ["Terraform 0.11", JSON.stringify({ version: 3, serial: 1, modules: [{ path: ["root"], outputs: { x: { value: CANARY } } }] }), /is in format 3, of Terraform 0.11 and older \| .*\[terraform, state, pull\]/],
    ["format 1", '{"version":1}', /format 1/],
    ["a later format", '{"version":5}', /is in format 5, and this release reads format 4 \| update/],
    ["the note of `terraform init`", JSON.stringify({ version: 3, backend: { type: "s3", config: { secret_key: CANARY } } }), /is the note of `terraform init` .* \| .*`dir: DIR`/],
    ["the same of a state store", JSON.stringify({ version: 3, state_store: { type: "x", config: CANARY } }), /is the note of `terraform init`/],
    ["a state that OpenTofu encrypted", JSON.stringify({ serial: 1, lineage: "x", meta: {}, encrypted_data: CANARY, encryption_version: "v0" }), /is encrypted by OpenTofu \| .*\[tofu, state, pull\]/],
    ["`terraform show -json`", JSON.stringify({ format_version: "1.0", values: { outputs: { x: { value: CANARY } } } }), /is what `terraform show -json` prints/],
    ["the same of an empty state", '{"format_version":"1.0"}', /is what `terraform show -json` prints/],
    ["a plan", JSON.stringify({ format_version: "1.2", resource_changes: [], variables: { token: { value: CANARY } } }), /is a plan, not a state/],
    ["half of a state", `{"version":4,"serial":7,"outputs":{"x":{"value":"${CANARY}`, /is no whole JSON object \(\d+ bytes\); it ends in the middle \| run again/],
    ["JSON with a slip", `{"version":4,,"x":"${CANARY}"}`, /is no whole JSON object \(\d+ bytes\) \|/],
    ["text", `error: token ${CANARY} is not valid`, /is no whole JSON/],
    ["a list", `["${CANARY}"]`, /is no whole JSON object \(\d+ bytes\) \|/],
    ["an object of something else", `{"token":"${CANARY}"}`, /is no state: it has no `version`/],
    ["null", "null", /is no whole JSON object/],
    ["bytes", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), /is no whole JSON object/],
    ["a packed state", gzipSync("{}"), /is packed with gzip/],
    ["resources that are no list", JSON.stringify({ version: 4, resources: { secret: CANARY } }), /its `resources` are no list/],
  ];
  for (const [name, text, told] of cases) {
    it(name, () => {
      const line = thrown(text);
      expect(line).toMatch(told);
      expect(line).toMatch(/^the state `infra\/x` [^A-Z]/);
      expect(line).not.toContain(CANARY);
    });
  }

  it("no bytes at all: no state was written yet, which is no cluster either", async () => {
    const { of, gaps } = await collected({ state: "" });
    expect(of("state")).toMatchObject([{ empty: true }]);
    expect(gaps.map(({ reason }) => reason)).toEqual(["no cluster of EKS, GKE or AKS is in the state `s0`"]);
  });
});

describe("a state", () => {
  it("keeps a serial beyond 53 bits as it stands, not one that stands elsewhere", () => {
    const text = `{"version":4,"serial":18446744073709551615,"lineage":"l","resources":[{"type":"x","instances":[{"attributes":{"serial":18446744073709551614}}]}]}`;
    expect(stateOf(bytes(text), "x").serial).toBe("18446744073709551615");
    expect(stateOf(bytes('{"version":4,"serial":9007199254740991}'), "x").serial).toBe("9007199254740991");
  });

  it("may begin with a byte order mark", () => {
    expect(stateOf(bytes(`\uFEFF${JSON.stringify(stateWith([]))}`), "x").empty).toBe(false);
  });

  it("of which things are missing or of another type is read as far as it goes", () => {
    const odd = [{}, null, 1, { type: "aws_eks_cluster" }, { type: "aws_eks_cluster", instances: {} }, { type: "aws_eks_cluster", instances: [null, {}, { attributes: [] }] }, { type: "__proto__", instances: [{}] }, { type: "constructor", instances: [{}] }];
    expect(stateOf(bytes(JSON.stringify({ version: 4, resources: odd })), "x").resources.map(({ attributes }) => attributes)).toEqual([{}, {}, {}]);
  });

  it("with attributes of Terraform 0.11 is a gap that says how to refresh it", async () => {
    const { gaps } = await collected({ state: stateWith([resource("aws_eks_cluster", eksCluster()), { mode: "managed", type: "aws_eks_node_group", name: "old", instances: [{ attributes_flat: { "scaling_config.#": "1" } }] }]) });
    expect(gaps).toMatchObject([{ subject: "aws_eks_node_group.old", reason: expect.stringMatching(/form of Terraform 0.11/) as string }]);
  });

  it("says what was there when it was read: age, lock, what waits to be destroyed", async () => {
    const old = resource("aws_eks_node_group", eksPool("old"), { instance: { deposed: "1a2b3c4d" } });
    const kept = { state: stateWith([resource("aws_eks_cluster", eksCluster()), old]), modified: "2026-11-20T08:00:00.000Z", locked: true };
    const { of } = await asked({ fact: "declared", options: { age: true } }, kept);
    // A file has another time in every checkout: nobody who does not ask is told.
    expect((await collected(kept)).of("state")[0]).not.toHaveProperty("modified");
    expect(of("state")).toEqual([{ what: "state", lineage: "11111111-2222-4333-8444-555555555555", serial: "1", modified: "2026-11-20T08:00:00.000Z", locked: true, empty: false, deposed: ["aws_eks_node_group.this"] }]);
    expect(of("pool")).toEqual([]);
  });
});

describe("a state whose lineage the fleet pins", () => {
  const state = (lineage: string) => stateWith([resource("aws_eks_cluster", eksCluster())], { lineage });
  const read = async (pinned: string, kept: unknown) => {
    const { of, gaps } = await collected({ state: kept, lineage: pinned });
    return [of("cluster").length, ...gaps.map(({ selector, reason }) => `${selector ?? "all"}: ${reason}`)];
  };

  it("is read where it has that one, in either case of its letters", async () => {
    expect(await read("ABCD-1", state("abcd-1"))).toEqual([1]);
  });

  it("is a gap of everything, and nothing of it is read, where it has another one or none", async () => {
    const told = (is: string) => [0, `all: the state \`s0\` ${is}, and the fleet pins \`abcd-1\`: it was made anew, or another one was put in its place`];
    expect(await read("abcd-1", state("abcd-2"))).toEqual(told("has the lineage `abcd-2`"));
    expect(await read("abcd-1", state(""))).toEqual(told("has no lineage"));
    expect(await read("abcd-1", "")).toEqual(told("was not written yet"));
  });

  it("is a gap of its own: a waiver of a state that cannot be read does not cover it", async () => {
    const { gaps } = await collected({ state: state("abcd-2"), lineage: "abcd-1" });
    const { gaps: unread } = await collected({ state: "{", lineage: "abcd-1" });
    expect([gaps[0]?.subject, unread[0]?.subject]).toEqual(["s0 lineage", "s0"]);
  });
});

describe("which cluster is meant", () => {
  const cluster = (name: string, more: object = {}) => resource("aws_eks_cluster", eksCluster(name, "1.33", more), { name });
  const names = async (...states: readonly Omit<Source, "name">[]) => {
    const { of, gaps } = await collected(...states);
    return { clusters: of("cluster").map(({ name, state }) => `${state} ${name}`), gaps: gaps.map(({ reason }) => reason) };
  };

  it("is said by the state where it holds one", async () => {
    expect(await names({ state: stateWith([cluster("other")]) })).toEqual({ clusters: ["s0 other"], gaps: [] });
  });

  it("is open where a state holds several, until the fleet says it, by name or by id", async () => {
    const state = stateWith([cluster("a"), cluster("b")]);
    expect(await names({ state })).toEqual({ clusters: [], gaps: ["the state `s0` holds 2 clusters, and the fleet does not say which is `eks-prod`: `a`, `b`"] });
    expect(await names({ state, cluster: "b" })).toEqual({ clusters: ["s0 b"], gaps: [] });
    expect(await names({ state, cluster: "arn:aws:eks:eu-west-1:111122223333:cluster/a" })).toEqual({ clusters: ["s0 a"], gaps: [] });
  });

  it("is said by another state of the same cluster, too", async () => {
    const shared = stateWith([cluster("a"), cluster("b")], { lineage: "shared" });
    const own = stateWith([resource("aws_eks_cluster", eksCluster("b"), { mode: "data" })], { lineage: "own" });
    expect(await names({ state: shared }, { state: own })).toEqual({ clusters: ["s0 b"], gaps: [] });
  });

  it("is a gap where the fleet names one that the state does not hold, or where two states hold two", async () => {
    expect((await names({ state: stateWith([cluster("a")]), cluster: "z" })).gaps).toEqual(["the state `s0` holds no cluster `z`; it holds `a`"]);
    const two = await names({ state: stateWith([cluster("a")], { lineage: "1" }) }, { state: stateWith([cluster("b")], { lineage: "2" }) });
    expect(two).toEqual({ clusters: [], gaps: ["the states of `eks-prod` hold 2 clusters: `a`, `b`"] });
  });

  it("is said by `cluster` where only pools of it are declared there", async () => {
    const state = stateWith([resource("aws_eks_node_group", eksPool("mine")), resource("aws_eks_node_group", eksPool("others", {}, "eks-stage"), { name: "b" })]);
    const { of, gaps } = await collected({ state, cluster: "eks-prod" });
    expect([of("pool").map(({ name }) => name), gaps]).toEqual([["mine"], []]);
  });

  it("is never one of the same name in another region", async () => {
    const state = stateWith([cluster("eks-prod"), resource("aws_eks_node_group", eksPool("here")), resource("aws_eks_node_group", eksPool("there", {}, "eks-prod", "us-east-1"), { name: "b" })]);
    expect((await collected({ state })).of("pool").map(({ name }) => name)).toEqual(["here"]);
  });

  it("is found for what is declared beside it, by a data source", async () => {
    const addons = stateWith([resource("aws_eks_cluster", eksCluster(), { mode: "data" }), resource("helm_release", { name: "istiod", chart: "istiod", version: "1.29.5", metadata: [{ app_version: "1.29.5", values: "{}" }] })]);
    expect((await collected({ state: addons })).of("mesh")).toMatchObject([{ version: "1.29.5", revisions: ["default"] }]);
  });
});

describe("of two that say the same thing", () => {
  it("and of very many, the ones that count are found in time that grows with their number", async () => {
    const pools = Array.from({ length: 20_000 }, (_, index) => resource("aws_eks_node_group", eksPool(`p${index}`), { name: `n${index}` }));
    expect((await collected({ state: stateWith([resource("aws_eks_cluster", eksCluster()), ...pools]) })).of("pool")).toHaveLength(20_000);
  });

  it("the managed one counts, and two managed ones are both there", async () => {
    const looked = { state: stateWith([resource("aws_eks_cluster", eksCluster("eks-prod", "1.31"), { mode: "data" })], { lineage: "1" }) };
    const managed = (version: string, lineage: string) => ({ state: stateWith([resource("aws_eks_cluster", eksCluster("eks-prod", version))], { lineage }) });
    expect((await collected(looked, managed("1.33", "2"))).of("cluster").map(({ version }) => version)).toEqual(["1.33"]);
    expect((await collected(managed("1.32", "3"), managed("1.33", "2"))).of("cluster").map(({ version }) => version)).toEqual(["1.32", "1.33"]);
  });

  it("the later writing of one state counts, whatever its name", async () => {
    const written = (serial: number, version: string) => ({ state: stateWith([resource("aws_eks_cluster", eksCluster("eks-prod", version))], { serial }) });
    const { of } = await collected(written(9, "1.32"), written(10, "1.33"));
    expect([of("state").length, of("cluster").map(({ version }) => version)]).toEqual([2, ["1.33"]]);
  });

  it("a pool of its own counts more than the list that its cluster saw", async () => {
    const pool = (version: string) => ({ name: "general", version, node_config: [{ machine_type: "n2-standard-4" }] });
    const cluster = resource("google_container_cluster", { id: "x", name: "g", project: "p", location: "europe-west1-b", master_version: "1.33.5-gke.1", node_pool: [pool("1.33.4-gke.1")] });
    const { of } = await collected({ state: stateWith([cluster, resource("google_container_node_pool", { cluster: "g", location: "europe-west1-b", project: "p", ...pool("1.33.5-gke.1") })]) });
    expect(of("pool").map(({ version, origin }) => `${version} ${origin}`)).toEqual(["1.33.5-gke.1 declared"]);
  });
});

describe("attributes by the names of older providers", () => {
  it("are on the list of what is read", () => {
    const at = (path: string) => path.split(".").reduce<Leaf | Allowed | undefined>((here, step) => (typeof here === "object" && Object.hasOwn(here, step) ? (here as Allowed)[step] : undefined), ALLOWED as Allowed);
    expect([...FORMER].filter((path) => at(path) === undefined)).toEqual([]);
  });

  it("say the same of AKS", async () => {
    const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/a";
    const pool = { name: "general", vm_size: "Standard_D4ps_v5", min_count: 1, max_count: 4, node_count: 2, orchestrator_version: "1.33.3", node_taints: ["a=b:NoExecute"] };
    const old = await collected({ state: stateWith([resource("azurerm_kubernetes_cluster", { id, name: "a", location: "West Europe", kubernetes_version: "1.33", automatic_channel_upgrade: "stable", default_node_pool: [{ ...pool, enable_auto_scaling: true }] })]) });
    const now = await collected({ state: stateWith([resource("azurerm_kubernetes_cluster", { id, name: "a", location: "westeurope", kubernetes_version: "1.33", automatic_upgrade_channel: "stable", default_node_pool: [{ ...pool, auto_scaling_enabled: true }] })]) });
    expect(old.data.slice(1)).toEqual(now.data.slice(1));
    expect(old.of("pool")).toMatchObject([{ arch: "arm64", size: { min: 1, max: 4 }, taints: ["a=b:NoExecute"] }]);
  });

  it("say the same of GKE, whose zones and regions were two attributes", async () => {
    const cluster = (place: object) => resource("google_container_cluster", { name: "g", project: "p", master_version: "1.33.5-gke.1", ...place });
    const [old, now] = await Promise.all([collected({ state: stateWith([cluster({ zone: "europe-west1-b" })]) }), collected({ state: stateWith([cluster({ location: "europe-west1-b" })]) })]);
    expect(old.of("cluster")).toEqual(now.of("cluster"));
    expect(now.of("cluster")).toMatchObject([{ region: "europe-west1", id: "projects/p/locations/europe-west1-b/clusters/g" }]);
  });

  it("that are missing are a gap which names them", async () => {
    const { gaps } = await collected({ state: stateWith([resource("aws_eks_cluster", eksCluster()), resource("aws_eks_node_group", { cluster_name: "eks-prod", node_group_label: "x" })]) });
    expect(gaps).toMatchObject([{ selector: "pools", reason: "`aws_eks_node_group.this` in the state `s0` has no `node_group_name` that can be read" }]);
  });
});

describe("numbers of nodes", () => {
  it.each([["a text"], [1.5], [2 ** 60], [null], [{ x: 1 }]])("that are none (%j) are not known", async (min) => {
    const { of } = await collected({ state: stateWith([resource("aws_eks_cluster", eksCluster()), resource("aws_eks_node_group", eksPool("p", { scaling_config: [{ min_size: min, max_size: 3 }] }))]) });
    expect(of("pool")[0]).not.toHaveProperty("size");
  });

  const gke = async (pool: object, cluster: object = { location: "europe-west1", node_locations: ["europe-west1-b", "europe-west1-c", "europe-west1-d"] }) => {
    const { of } = await collected({ state: stateWith([resource("google_container_cluster", { name: "g", project: "p", master_version: "1.33.5-gke.1", ...cluster, node_pool: [{ name: "a", version: "1.33.5-gke.1", node_config: [], ...pool }] })]) });
    return of("pool")[0]?.size;
  };
  it("of GKE are per zone, but for the totals", async () => {
    expect(await gke({ node_count: 2 })).toEqual({ min: 6, max: 6 });
    expect(await gke({ node_count: 2, node_locations: ["europe-west1-b"] })).toEqual({ min: 2, max: 2 });
    expect(await gke({ node_count: 2, autoscaling: [{ min_node_count: 1, max_node_count: 5, total_min_node_count: 0, total_max_node_count: 0 }] })).toEqual({ min: 3, max: 15 });
    expect(await gke({ node_count: 2, autoscaling: [{ min_node_count: 0, max_node_count: 0, total_min_node_count: 4, total_max_node_count: 9 }] })).toEqual({ min: 4, max: 9 });
    expect(await gke({ node_count: 2 }, { location: "europe-west1-b", node_locations: [] })).toEqual({ min: 2, max: 2 });
    expect(await gke({ node_count: 2 }, { location: "europe-west1" })).toBeUndefined();
  });
});

describe("nodes that bear no name of a pool", () => {
  const group = (name: string, keys: readonly string[], more: object = {}) => resource("aws_autoscaling_group", { arn: "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:u:autoScalingGroupName/x", name, tag: keys.map((key) => ({ key, value: CANARY, propagate_at_launch: true })), launch_template: [{ id: "lt-1" }], ...more }, { name });
  it("are declared by groups of machines, by the tag of their cluster, and by profiles of Fargate", async () => {
    const { of, gaps } = await collected({ state: stateWith([
      resource("aws_eks_cluster", eksCluster()),
      group("mine", ["Name", "kubernetes.io/cluster/eks-prod"]),
      group("older", [], { tags: [{ key: "k8s.io/cluster/eks-prod", value: "owned" }] }),
      group("another", ["kubernetes.io/cluster/eks-stage"]),
      group("elsewhere", ["kubernetes.io/cluster/eks-prod"], { arn: "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:u:autoScalingGroupName/x" }),
      group("web", ["Name"]),
      resource("aws_launch_template", { user_data: CANARY }),
      resource("aws_eks_fargate_profile", { arn: "arn:aws:eks:eu-west-1:111122223333:fargateprofile/eks-prod/jobs/1", cluster_name: "eks-prod", fargate_profile_name: "jobs" }),
    ]) });
    expect([of("pool").map(({ name, unnamed, arch, size }) => [name, unnamed, arch, size]), gaps]).toEqual([[["mine", "self-managed", undefined, undefined], ["older", "self-managed", undefined, undefined], ["jobs", "fargate", undefined, undefined]], []]);
  });
});

describe("taints that GKE adds by itself", () => {
  const taints = async (config: object) => {
    const { of } = await collected({ state: stateWith([resource("google_container_cluster", { name: "g", project: "p", location: "europe-west1-b", master_version: "1.33.5-gke.1", node_pool: [{ name: "a", version: "1.33.5-gke.1", node_config: [{ machine_type: "n2-standard-4", taint: [{ key: "own", value: "x", effect: "NO_SCHEDULE" }], ...config }] }] })]) });
    return of("pool")[0]?.taints;
  };
  it("are known where the provider shows them, or of Arm processors; else the state does not tell", async () => {
    expect(await taints({})).toEqual(["own=x:NoSchedule"]);
    expect(await taints({ machine_type: "c4a-standard-4" })).toEqual(["kubernetes.io/arch=arm64:NoSchedule", "own=x:NoSchedule"]);
    expect(await taints({ guest_accelerator: [{ type: "nvidia-l4", count: 1 }], effective_taints: [{ key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" }] })).toEqual(["nvidia.com/gpu=present:NoSchedule"]);
    for (const config of [{ guest_accelerator: [{ type: "nvidia-l4", count: 1 }] }, { sandbox_config: [{ sandbox_type: "gvisor" }] }, { image_type: "WINDOWS_LTSC_CONTAINERD" }, { machine_type: "ct5lp-hightpu-4t" }]) expect(await taints(config)).toBeUndefined();
    expect(await taints({ guest_accelerator: [], sandbox_config: [], effective_taints: [] })).toEqual(["own=x:NoSchedule"]);
  });
});

describe("architectures", () => {
  it.each([
    ["AL2023_x86_64_STANDARD", [], "amd64"],
    ["AL2023_ARM_64_STANDARD", [], "arm64"],
    ["BOTTLEROCKET_ARM_64_NVIDIA", [], "arm64"],
    ["AL2_x86_64_GPU", [], "amd64"],
    ["AL2_ARM_64", [], "arm64"],
    ["WINDOWS_CORE_2022_x86_64", [], "amd64"],
    ["CUSTOM", ["m7g.large"], "arm64"],
    ["CUSTOM", ["m7i.large", "m6a.large", "m7i-flex.large"], "amd64"],
    ["CUSTOM", ["m7i.large", "m7g.large"], undefined],
    ["CUSTOM", [], undefined],
    ["CUSTOM", ["nonsense"], undefined],
    [undefined, ["g4dn.xlarge"], "amd64"],
    [undefined, ["g5.xlarge", "g6.xlarge", "gr6.4xlarge", "p5.48xlarge", "inf2.xlarge", "trn1.2xlarge", "f2.6xlarge"], "amd64"],
    [undefined, ["g5g.xlarge", "a1.large", "t4g.small", "c7gn.large", "im4gn.large", "is4gen.large", "x2gd.large", "hpc7g.4xlarge", "r8gd.large"], "arm64"],
    [undefined, ["u-6tb1.metal", "u7i-12tb.224xlarge"], "amd64"],
  ])("of EKS: %s %j is %s", (ami, types, arch) => {
    expect(archOfEks(ami, types)).toBe(arch);
  });

  it.each([["n2-standard-4", "amd64"], ["t2a-standard-4", "arm64"], ["c4a-highmem-8", "arm64"], ["n4a-standard-2", "arm64"], ["c4-standard-2", "amd64"], ["custom-4-8192", "amd64"], ["ct5lp-hightpu-4t", "amd64"], ["", undefined], [undefined, undefined]])("of GKE: %s is %s", (type, arch) => {
    expect(archOfGke(type)).toBe(arch);
  });

  it.each([
    ["Standard_D4s_v5", "amd64"], ["Standard_D4ps_v5", "arm64"], ["Standard_D4pls_v6", "arm64"], ["Standard_E8pds_v6", "arm64"], ["Standard_B2pts_v2", "arm64"],
    ["Standard_NP10s", "amd64"], ["Standard_D2_v3", "amd64"], ["Standard_NC24ads_A100_v4", "amd64"], ["Standard_E96-24ads_v5", "amd64"], ["Standard_ND128isr_NDR_GB200_v6", "arm64"],
    ["standard_d4ps_v5", "arm64"], ["Basic_A1", "amd64"], ["weird", undefined], [undefined, undefined],
  ])("of AKS: %s is %s", (size, arch) => {
    expect(archOfAks(size)).toBe(arch);
  });
});

describe("a cluster in the words of Azure's own API", () => {
  it("is what the other provider makes of it", async () => {
    const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/a";
    const properties = { kubernetesVersion: "1.33", autoUpgradeProfile: { upgradeChannel: "patch" }, serviceMeshProfile: { mode: "Istio", istio: { revisions: ["asm-1-29"] } }, agentPoolProfiles: [{ name: "p", vmSize: "Standard_D4ps_v5", count: 2, minCount: 1, maxCount: 4, enableAutoScaling: true, orchestratorVersion: "1.33.3", nodeTaints: ["a=b:NoSchedule"] }] };
    const azapi = resource("azapi_resource", { id, type: "Microsoft.ContainerService/managedClusters@2025-01-01", name: "a", location: "westeurope", body: { value: { properties }, type: ["object", {}] } });
    const azurerm = resource("azurerm_kubernetes_cluster", { id, name: "a", location: "westeurope", kubernetes_version: "1.33", automatic_upgrade_channel: "patch", default_node_pool: [{ name: "p", vm_size: "Standard_D4ps_v5", node_count: 2, min_count: 1, max_count: 4, auto_scaling_enabled: true, orchestrator_version: "1.33.3", node_taints: ["a=b:NoSchedule"] }], service_mesh_profile: [{ mode: "Istio", revisions: ["asm-1-29"] }] });
    const without = (data: readonly DeclaredFact[]) => data.slice(1).map((each) => ({ ...each, address: "" }));
    const [one, other] = await Promise.all([collected({ state: stateWith([azapi, resource("azapi_resource", { type: "Microsoft.Network/virtualNetworks@2024-01-01", name: "v", id: "v" })]) }), collected({ state: stateWith([azurerm]) })]);
    expect(without(one.data)).toEqual(without(other.data));
    expect(one.of("pool")).toHaveLength(1);
  });
});

describe("meshes", () => {
  const meshes = async (...resources: readonly object[]) => (await collected({ state: stateWith([resource("aws_eks_cluster", eksCluster()), ...resources]) })).of("mesh").map(({ flavour, revisions, version }) => ({ flavour, revisions, version }));
  const helm = (attributes: object) => resource("helm_release", { name: "istiod", namespace: "istio-system", chart: "istiod", version: "1.29.5", ...attributes }, { name: "h" });

  it("by Helm, in the words of two majors of its provider, with the tag that is set in place of the chart's", async () => {
    const values = JSON.stringify({ revision: "canary", global: { tag: "1.29.6" }, pilot: { env: { X: "y" } } });
    const one = { flavour: "istio", revisions: ["canary"], version: "1.29.6" };
    expect(await meshes(helm({ metadata: [{ app_version: "1.29.5", values }] }))).toEqual([one]);
    expect(await meshes(helm({ metadata: { app_version: "1.29.5", values } }))).toEqual([one]);
    expect(await meshes(helm({ chart: "istio/istiod", metadata: null }))).toEqual([{ flavour: "istio", revisions: ["default"], version: "1.29.5" }]);
    expect(await meshes(helm({ chart: "istiod-remote" }), helm({ metadata: [{ app_version: "1.29.5", values: '{"profile":"remote"}' }] }), helm({ metadata: [{ app_version: "1.29.5", values: '{"istiodRemote":{"enabled":true}}' }] }))).toEqual([]);
    const whole = { chart: "ambient", repository: "https://istio-release.storage.googleapis.com/charts" };
    expect(await meshes(helm({ ...whole, metadata: [{ app_version: "1.29.5", values: "{}" }] }))).toEqual([{ flavour: "istio", revisions: ["default"], version: "1.29.5" }]);
    expect(await meshes(helm({ ...whole, metadata: [{ app_version: "1.29.5", values: '{"istiod":{"revision":"r"},"global":{"tag":"1.29.6"}}' }] }))).toEqual([{ flavour: "istio", revisions: ["r"], version: "1.29.6" }]);
    expect(await meshes(helm({ chart: "ambient", repository: "https://charts.example" }))).toEqual([]);
    expect(await meshes(helm({ chart: "gateway" }), helm({ chart: "base" }), helm({ chart: "my-istiod-dashboard" }))).toEqual([]);
  });

  it("by operators and by Google's objects; a Secret beside them is never looked at", async () => {
    const manifest = (value: object) => resource("kubernetes_manifest", { manifest: { value, type: ["object", {}] } }, { name: "m" });
    expect(await meshes(
      manifest({ apiVersion: "install.istio.io/v1alpha1", kind: "IstioOperator", metadata: { name: "x" }, spec: { revision: "1-29-5", tag: "1.29.5" } }),
      manifest({ apiVersion: "mesh.cloud.google.com/v1beta1", kind: "ControlPlaneRevision", metadata: { name: "asm-managed-rapid" }, spec: { channel: "rapid" } }),
      manifest({ apiVersion: "sailoperator.io/v1", kind: "Istio", metadata: { name: "default" }, spec: { version: "v1.29.5" } }),
      manifest({ apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { version: CANARY } }),
    )).toEqual([
      { flavour: "istio", revisions: ["1-29-5"], version: "1.29.5" },
      { flavour: "csm-managed", revisions: ["asm-managed-rapid"], version: undefined },
      { flavour: "istio", revisions: undefined, version: "v1.29.5" },
    ]);
  });

  it("that vendors sell as add-ons of EKS", async () => {
    expect(await meshes(resource("aws_eks_addon", { cluster_name: "eks-prod", addon_name: "tetrate-io_istio-distro", addon_version: "v1.23.2-eksbuild.1" }))).toEqual([{ flavour: "vendor", revisions: undefined, version: "v1.23.2" }]);
  });
});

describe("a mesh that Google manages for members of a fleet", () => {
  const cluster = (more: object = {}) => resource("google_container_cluster", { id: "projects/p/locations/europe-west1/clusters/g", name: "g", project: "p", location: "europe-west1", master_version: "1.33.5-gke.1", ...more });
  const member = (more: object = {}) => resource("google_gke_hub_membership", { membership_id: "m", project: "p", endpoint: [{ gke_cluster: [{ resource_link: "//container.googleapis.com/projects/p/locations/europe-west1/clusters/g" }] }], ...more });
  const own = (management: string, more: object = {}) => resource("google_gke_hub_feature_membership", { feature: "servicemesh", membership: "m", project: "p", mesh: [{ management }], ...more });
  const fleet = (management: string, more: object = {}) => resource("google_gke_hub_feature", { name: "servicemesh", project: "p", fleet_default_member_config: [{ mesh: [{ management }] }], ...more });
  const [AUTO, MANUAL] = ["MANAGEMENT_AUTOMATIC", "MANAGEMENT_MANUAL"] as const;
  /** `state address` of each mesh, and what is not told. */
  const meshes = async (...states: readonly (readonly object[])[]) => {
    const { of, gaps } = await collected(...states.map((resources, index) => ({ state: stateWith(resources, { lineage: `l${index}` }) })));
    return [...of("mesh").map(({ state, address }) => `${state} ${address}`), ...gaps.map(({ selector, reason }) => `${selector ?? ""}: ${reason}`)];
  };
  const OWN = "google_gke_hub_feature_membership.this";
  const FLEET = "google_gke_hub_feature.this";
  const open = (address: string) => [`mesh: \`${address}\` has the mesh of members of a fleet managed, and no state says whether \`g\` is one of them`];

  it("is found where membership and settings stand in other states", async () => {
    expect(await meshes([cluster(), member()], [own(AUTO)])).toEqual([`s1 ${OWN}`]);
    expect(await meshes([cluster()], [member()], [fleet(AUTO)])).toEqual([`s2 ${FLEET}`]);
  });

  it("is none where the membership says so, whatever its fleet says for all, and wherever that stands", async () => {
    expect(await meshes([cluster(), member(), fleet(AUTO), own(MANUAL)])).toEqual([]);
    expect(await meshes([cluster(), member(), fleet(AUTO)], [own(MANUAL)])).toEqual([]);
    expect(await meshes([cluster(), member(), own(AUTO)], [fleet(MANUAL)])).toEqual([`s0 ${OWN}`]);
  });

  it("is the membership's own: another location, another project or another feature is another's", async () => {
    const other = async (more: object, ofMember: object = {}) => meshes([cluster(), member(ofMember)], [own(AUTO, more)]);
    expect(await other({ membership: "projects/p/locations/us-east1/memberships/m" })).toEqual([]);
    expect(await other({ membership_location: "us-east1" })).toEqual([]);
    expect(await other({ membership_location: "us-east1" }, { location: "us-east1" })).toEqual([`s1 ${OWN}`]);
    expect(await other({ project: "q" })).toEqual([]);
    expect(await other({ membership: "projects/q/locations/global/memberships/m" })).toEqual([]);
    expect(await other({ feature: "configmanagement" })).toEqual([]);
    expect(await other({ feature: "projects/p/locations/global/features/servicemesh", membership: "projects/123/locations/global/memberships/m" })).toEqual([`s1 ${OWN}`]);
    expect(await meshes([cluster(), member(), fleet(AUTO, { project: "q" })])).toEqual([]);
  });

  it("is found by what the cluster itself says of its fleet", async () => {
    const registered = cluster({ fleet: [{ project: "hub", membership: "//gkehub.googleapis.com/projects/hub/locations/europe-west1/memberships/g" }] });
    expect(await meshes([registered, own(AUTO, { project: "hub", membership: "g", membership_location: "europe-west1" })])).toEqual([`s0 ${OWN}`]);
    expect(await meshes([registered], [fleet(AUTO, { project: "hub" })])).toEqual([`s1 ${FLEET}`]);
    expect(await meshes([registered], [fleet(AUTO, { project: "p" })])).toEqual([]);
  });

  it("is a gap where no state says whether the cluster is a member, and only then", async () => {
    expect(await meshes([cluster()], [own(AUTO)])).toEqual(open(OWN));
    expect(await meshes([cluster()], [fleet(AUTO)])).toEqual(open(FLEET));
    expect(await meshes([cluster()], [fleet(MANUAL), own(MANUAL)])).toEqual([]);
    expect(await meshes([cluster(), member()], [own(AUTO, { membership: "other" })])).toEqual([]);
  });
});

describe("by what an API server is reached", () => {
  const sha = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");
  const cluster = async (type: string, attributes: object) => (await collected({ state: stateWith([resource(type, attributes)]) })).of("cluster")[0];
  const pem = (bytes: Buffer) => Buffer.from(`-----BEGIN CERTIFICATE-----\n${bytes.toString("base64").replaceAll(/(.{8})/g, "$1\n")}\n-----END CERTIFICATE-----\n`).toString("base64");
  const der = Buffer.from("not a certificate, which does not matter");

  it("is known by digests alone", async () => {
    expect(await cluster("aws_eks_cluster", eksCluster("e", "1.33", { endpoint: "https://ABC.gr7.eu-west-1.eks.amazonaws.com", certificate_authority: [{ data: pem(der) }] }))).toMatchObject({ hostsSha256: [sha("abc.gr7.eu-west-1.eks.amazonaws.com")], caSha256: sha(der) });
    const gke = { name: "g", project: "p", location: "europe-west1", master_version: "1.33.5-gke.1", endpoint: "34.1.1.1", private_cluster_config: [{ private_endpoint: "10.0.0.2", public_endpoint: "34.1.1.1" }], control_plane_endpoints_config: [{ dns_endpoint_config: [{ endpoint: "gke-1.europe-west1.gke.goog" }] }], master_auth: [{ cluster_ca_certificate: pem(der), client_key: CANARY }] };
    expect(await cluster("google_container_cluster", gke)).toMatchObject({ hostsSha256: ["34.1.1.1", "10.0.0.2", "gke-1.europe-west1.gke.goog"].map(sha).toSorted(), caSha256: sha(der) });
    const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/a";
    expect(await cluster("azurerm_kubernetes_cluster", { id, name: "a", location: "westeurope", kubernetes_version: "1.33", fqdn: "a.hcp.westeurope.azmk8s.io", private_fqdn: "", node_resource_group: "MC_g_a_westeurope" })).toMatchObject({ hostsSha256: [sha("a.hcp.westeurope.azmk8s.io")], nodeGroup: "mc_g_a_westeurope" });
  });

  it.each([[""], [CANARY], [pem(der) + pem(der)], [pem(Buffer.of())], [Buffer.from(`${CANARY}-----BEGIN CERTIFICATE-----`).toString("base64")], [7]])("is not known by what is no certificate (%j)", async (data) => {
    expect(await cluster("aws_eks_cluster", eksCluster("e", "1.33", { certificate_authority: [{ data }] }))).not.toHaveProperty("caSha256");
  });
});

/** Resources with secrets in them, each attribute where providers keep one, marked or not. Those that are read have what makes them read. */
const SECRETS: readonly (readonly [type: string, attributes: object])[] = [
  ["azurerm_kubernetes_cluster", { id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/a", name: "a", location: "westeurope", kubernetes_version: "1.33", kube_config: ["client_key", "client_certificate", "cluster_ca_certificate", "password", "username", "host"].map((key) => ({ [key]: CANARY })), kube_config_raw: CANARY, kube_admin_config: [{ client_key: CANARY, password: CANARY, host: CANARY }], kube_admin_config_raw: CANARY, service_principal: [{ client_id: "x", client_secret: CANARY }], windows_profile: [{ admin_username: "x", admin_password: CANARY }], http_proxy_config: [{ trusted_ca: CANARY }], fqdn: CANARY, default_node_pool: [{ name: "p", vm_size: "Standard_D4s_v5", custom_data: CANARY, node_labels: { token: CANARY } }] }],
  ["google_container_cluster", { name: "g", project: "p", location: "europe-west1", master_version: "1.33.5-gke.1", endpoint: CANARY, master_auth: [{ client_key: CANARY, client_certificate: CANARY, cluster_ca_certificate: CANARY, password: CANARY }], node_pool: [{ name: "p", node_config: [{ machine_type: "n2-standard-4", metadata: { "startup-script": CANARY }, labels: { token: CANARY } }] }] }],
  ["aws_eks_cluster", { ...eksCluster(), certificate_authority: [{ data: CANARY }], endpoint: CANARY }],
  ["aws_eks_node_group", { ...eksPool("p"), remote_access: [{ ec2_ssh_key: CANARY }], labels: { token: CANARY } }],
  ["aws_autoscaling_group", { name: "asg", arn: "arn:aws:autoscaling:eu-west-1:111122223333:x", tag: [{ key: "kubernetes.io/cluster/eks-prod", value: CANARY }], initial_lifecycle_hook: [{ notification_metadata: CANARY }] }],
  ["aws_eks_fargate_profile", { cluster_name: "eks-prod", fargate_profile_name: "f", selector: [{ labels: { token: CANARY } }] }],
  ["aws_eks_addon", { cluster_name: "eks-prod", addon_name: "vpc-cni", addon_version: "v1", configuration_values: CANARY }],
  ["helm_release", { name: "istiod", chart: "istiod", version: "1.29.5", set: [{ name: "x", value: CANARY }], set_sensitive: [{ name: "x", value: CANARY }], values: [CANARY], repository_password: CANARY, manifest: CANARY, metadata: [{ app_version: "1.29.5", notes: CANARY, values: JSON.stringify({ global: { tag: "1.29.5", imagePullSecrets: [CANARY] }, pilot: { env: { TOKEN: CANARY } }, password: CANARY }) }] }],
  ["kubernetes_manifest", { manifest: { value: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { x: CANARY } } }, object: { value: CANARY } }],
  ["kubernetes_manifest", { manifest: { value: { apiVersion: "sailoperator.io/v1", kind: "Istio", metadata: { name: "default", annotations: { x: CANARY } }, spec: { version: "v1.29.5", values: { x: CANARY } } } } }],
  ["kubectl_manifest", { api_version: "sailoperator.io/v1", kind: "Istio", name: "default", yaml_body: CANARY, yaml_body_parsed: CANARY, live_manifest_incluster: CANARY }],
  ["azapi_resource", { id: "/subscriptions/s/x", type: "Microsoft.ContainerService/managedClusters@2025-01-01", name: "z", location: "westeurope", body: { value: { properties: { kubernetesVersion: "1.33", windowsProfile: { adminPassword: CANARY }, servicePrincipalProfile: { secret: CANARY } } } }, output: { value: CANARY } }],
  ["google_gke_hub_membership", { membership_id: "m", endpoint: [{ gke_cluster: [{ resource_link: "//x/projects/p/locations/l/clusters/c" }] }], authority: [{ issuer: CANARY }] }],
  ...[["google_client_config", "access_token"], ["google_service_account_key", "private_key"], ["google_service_account_access_token", "access_token"], ["aws_eks_cluster_auth", "token"], ["azurerm_storage_account", "primary_access_key"], ["azurerm_storage_account", "primary_connection_string"], ["azurerm_linux_virtual_machine", "admin_password"], ["azurerm_log_analytics_workspace", "primary_shared_key"], ["azuread_application_password", "value"], ["aws_iam_access_key", "secret"], ["aws_iam_access_key", "ses_smtp_password_v4"], ["kubernetes_secret", "data"], ["kubernetes_secret_v1", "binary_data"], ["kubernetes_config_map", "data"], ["tls_private_key", "private_key_pem"], ["random_password", "result"], ["random_password", "bcrypt_hash"], ["vault_generic_secret", "data_json"], ["aws_secretsmanager_secret_version", "secret_string"], ["aws_ssm_parameter", "value"], ["azurerm_key_vault_secret", "value"], ["google_secret_manager_secret_version", "secret_data"], ["local_sensitive_file", "content"], ["external", "result"], ["http", "response_body"], ["terraform_remote_state", "outputs"], ["aws_launch_template", "user_data"], ["azurerm_linux_virtual_machine", "custom_data"], ["google_compute_instance", "metadata"], ["terraform_data", "output"]].map(([type = "", attribute = ""]) => [type, { [attribute]: CANARY }] as const),
];

describe("no secret leaves the reader", () => {
  it.each(SECRETS)("that stands in %s, managed or looked up, marked or not", async (type, attributes) => {
    const instance = { private: Buffer.from(CANARY).toString("base64"), identity: { id: CANARY }, sensitive_attributes: [[{ type: "get_attr", value: CANARY }]] };
    for (const mode of ["managed", "data"] as const) {
      const { facts, gaps } = await collected({ state: stateWith([resource(type, attributes, { mode, instance })], { outputs: { x: { value: CANARY, type: "string" } }, check_results: [{ objects: [{ failure_messages: [CANARY] }] }] }) });
      expect(facts.length + gaps.length).toBeGreaterThan(0);
      expect(JSON.stringify({ facts, gaps })).not.toContain(CANARY);
      expect(JSON.stringify({ facts, gaps })).not.toContain(Buffer.from(CANARY).toString("base64"));
    }
  });

  it("wherever it stands in a state", async () => {
    const pem = `-----BEGIN RSA PRIVATE KEY-----${CANARY}`;
    const everywhere = {
      ...eksCluster(), certificate_authority: [{ data: CANARY }], endpoint: CANARY, tags: { a: CANARY }, role_arn: CANARY,
      kube_config_raw: CANARY, kube_admin_config: [{ client_key: pem, password: CANARY }], master_auth: [{ client_key: CANARY }], service_principal: [{ client_secret: CANARY }], user_data: CANARY,
    };
    const state = stateWith(
      [
        resource("aws_eks_cluster", everywhere, { instance: { private: Buffer.from(CANARY).toString("base64"), identity: { x: CANARY }, sensitive_attributes: [[{ type: "get_attr", value: CANARY }]], dependencies: [CANARY] } }),
        resource("aws_eks_node_group", eksPool("general", { version: pem, launch_template: [{ user_data: CANARY }], labels: { token: CANARY }, instance_types: [`eyJhbGciOiJub25lIn0.${CANARY}`, "m7i.xlarge"], taint: [{ key: `AKIAABCDEFGHIJKLMNOP${CANARY}`, value: "x", effect: "NO_SCHEDULE" }] })),
        resource("helm_release", { name: "istiod", chart: "istiod", version: "1.29.5", values: [`password: ${CANARY}`], set_sensitive: [{ name: "x", value: CANARY }], repository_password: CANARY, manifest: CANARY, metadata: [{ app_version: "1.29.5", notes: CANARY, values: JSON.stringify({ revision: "r", global: { tag: "1.29.5", password: CANARY }, password: CANARY }) }] }),
        resource("helm_release", { name: "broken", chart: "istiod", version: "1.29.5", metadata: [{ values: `{"revision": "${CANARY}` }] }, { name: "b" }),
        ...["kubernetes_secret", "tls_private_key", "random_password", "aws_secretsmanager_secret_version", "azurerm_key_vault_secret", "google_service_account_key", "data.aws_eks_cluster_auth", "terraform_remote_state", "external", "http", "local_sensitive_file", "vault_generic_secret"].map((type) => resource(type, { data: { x: CANARY }, result: CANARY, value: CANARY, token: CANARY, outputs: { value: CANARY } }, { name: CANARY })),
        resource("kubernetes_manifest", { manifest: { value: { apiVersion: "v1", kind: "Secret", metadata: { name: CANARY }, data: { x: CANARY } }, type: "dynamic" }, object: { value: CANARY } }),
        resource("kubectl_manifest", { yaml_body: CANARY, yaml_body_parsed: CANARY, api_version: "v1", kind: "Secret", name: CANARY }),
      ],
      { outputs: { kubeconfig: { value: CANARY, type: "string", sensitive: true }, plain: { value: CANARY, type: "string" } }, check_results: [{ object_kind: "check", status: "fail", objects: [{ failure_messages: [CANARY] }] }] },
    );
    const { facts, gaps } = await collected({ state });
    expect(JSON.stringify({ facts, gaps })).not.toContain(CANARY);
    expect(facts.length).toBeGreaterThan(3);
  });
});
