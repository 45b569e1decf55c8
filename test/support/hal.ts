import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { runtimeAnswersRequest, type Cluster, type DeclaredPool, type Fact, type FactKind, type FactTypes, type NodeAgent, type NodeFact, type NodePods, type Result, type RuntimeAnswer } from "#engine";
import kind from "../../kinds/hal-profile-conforms/kind.ts";
import schema from "../../kinds/hal-profile-conforms/profile.json" with { type: "json" };
import type { Spec } from "../../kinds/hal-profile-conforms/spec.ts";
import { clusterOf, gapOf, resultOf } from "./world.ts";

const ajv = new Ajv2020({ useDefaults: true, strict: true, strictRequired: false, strictTypes: false });
for (const keyword of ["x-file", "x-document"]) ajv.addKeyword(keyword);

/** Checks a profile against its schema, and fills in defaults. */
export const fill = ajv.compile(schema);

export const EKS: Cluster = clusterOf("eks", { cloud: "aws" });

/** 64 times one digit. */
export const [ONE, TWO] = ["1".repeat(64), "2".repeat(64)];

/** An assertion about a profile; every profile here is about nodes of the pool `p`. */
export function specOf(profile: object, more: Partial<Spec> = {}): Spec {
  const content = structuredClone({ selector: { pools: ["p"] }, ...profile });
  if (!fill(content) && !onlyFiles(fill.errors ?? [])) throw new Error(JSON.stringify(fill.errors));
  return { profile: { name: "tested", sha256: "0".repeat(64), content }, mode: "all", exemptions: [], ...more };
}

/** Where the loader has put content in place of a file's name, the schema does not know it any more. */
function onlyFiles(errors: readonly { readonly instancePath: string }[]): boolean {
  return errors.every(({ instancePath }) => /\/(?:keys\/\d+|trustedRoot)$/.test(instancePath));
}

export function fact<K extends FactKind>(kindOfFact: K, cluster: string, subject: string, data: FactTypes[K]): Fact<K> {
  return { type: "fact", kind: kindOfFact, cluster, subject, data, source: { collector: "kubernetes", locator: `/${subject}` } };
}

export type NodeParts = Partial<NodeFact> & { readonly on?: string };

export function node({ on = "eks", name = "n1", ...parts }: NodeParts = {}): Fact<"nodes"> {
  return fact("nodes", on, name, { name, arch: "amd64", kernel: "6.1.141-155.222.amzn2023.x86_64", osImage: "Amazon Linux 2023.8.20250915", pool: "p", labels: {}, taints: [], capacity: {}, allocatable: {}, ready: true, cordoned: false, ...parts });
}

/** A node with ARM64, on which runtime-class-manager has installed the shim that `shim` names. */
export const arm = (parts: NodeParts = {}) => node({ arch: "arm64", labels: { spin: "provisioned" }, ...parts });

export function agent(product: NodeAgent["product"], parts: Partial<NodeAgent> & { readonly on?: string } = {}): Fact<"node-agents"> {
  const { on = "eks", ...rest } = parts;
  return fact("node-agents", on, `kube-system/${product}`, { type: "agent", product, namespace: "kube-system", name: product, image: `quay.io/${product}/${product}:v1.18.1`, readyOn: ["n1"], notReadyOn: [], ...rest });
}

export const cilium = (settings: Readonly<Record<string, string>> = {}, parts: Partial<NodeAgent> & { readonly on?: string } = {}) => agent("cilium", { settings: { "bpf-lb-sock-hostns-only": "true", ...settings }, overrides: [], ...parts });
export const kmesh = (parts: Partial<NodeAgent> = {}) => agent("kmesh", { image: "ghcr.io/kmesh-net/kmesh:v1.1.0", mode: "dual-engine", ...parts });
export const merbridge = (parts: Partial<NodeAgent> = {}) => agent("merbridge", { image: "ghcr.io/merbridge/merbridge:latest", pinned: true, ...parts });

export function istiod(release: string): Fact<"control-planes"> {
  return fact("control-planes", "eks", `istio-system/default ${release}`, { flavour: "istio", namespace: "istio-system", revision: "default", image: `docker.io/istio/pilot:${release}` });
}

export function pods(type: NodePods["type"], parts: Partial<NodePods> & { readonly on?: string } = {}): Fact<"node-agents"> {
  const { on = "eks", ...rest } = parts;
  const own = type === "class-pods" ? { images: [], pods: 1, marks: {}, withSidecar: 0, sidecarsDown: 0 } : {};
  return fact("node-agents", on, `pods ${type}`, { type, name: "", runningOn: ["n1"], failingOn: [], ...own, ...rest });
}

/** Pods of the runtime class `wasm`. */
export const running = pods("class-pods", { name: "wasm" });

export const runtimeClass = (parts: Partial<FactTypes["runtime-classes"] & { readonly type: "class" }> = {}) =>
  fact("runtime-classes", "eks", "class wasm", { type: "class", name: "wasm", handler: "wasmtime", nodeSelector: { "kubernetes.io/arch": "arm64" }, tolerations: [], ...parts });

export const shim = (sha256: string | undefined) => fact("runtime-classes", "eks", "shim spin", { type: "shim", name: "spin", runtimeClass: "wasm", platforms: [{ os: "linux", arch: "arm64", ...(sha256 === undefined ? {} : { sha256 }) }] });

export function feature(parts: Partial<FactTypes["node-features"]>): Fact<"node-features"> {
  return fact("node-features", "eks", "nfd/n1", { node: "n1", labels: {}, ...parts });
}

/** A node with one extended resource. */
export const offering = (resource: string, allocatable = "1", capacity = allocatable) => [node({ capacity: { [resource]: capacity }, allocatable: { [resource]: allocatable } })];

/** What a pool of Terraform declares. */
export function pool(parts: Partial<DeclaredPool> = {}): Fact<"declared"> {
  const data: DeclaredPool = { what: "pool", state: "infra", address: "aws_eks_node_group.p", name: "p", arch: "amd64", instanceTypes: ["c7i.large"], taints: ["hal/fpga=yes:NoSchedule"], size: { min: 0, max: 3 }, origin: "declared", ...parts };
  return { type: "fact", kind: "declared", cluster: "eks", subject: `infra pool ${data.name}`, selector: "pools", data, source: { collector: "terraform", locator: "infra.tfstate" } };
}

/** What the runtime of a pod of the class `wasm` answers. */
export const answer = (parts: Partial<RuntimeAnswer> = {}, port = 8080): Fact<"runtime-answers"> => ({
  ...fact("runtime-answers", "eks", "n1", { node: "n1", pod: "edge/app", healthy: true, runtime: "wasmedge", version: "0.14.1", ...parts }),
  selector: runtimeAnswersRequest({ runtimeClass: "wasm", port, health: "/healthz", info: "/.well-known/wasm-runtime" }).selector ?? "",
});

export interface Expected {
  readonly faults?: readonly string[];
  readonly undecided?: readonly string[];
  /** Subjects of gaps. */
  readonly gaps?: readonly string[];
}

export type Row = readonly [claim: string, profile: object, facts: readonly Fact[], expected: Expected, clusters?: readonly Cluster[]];

export function shown({ findings, gaps }: Result): Required<Expected> {
  const subjects = (outcome: string) => findings.filter((each) => each.outcome === outcome).map(({ subject }) => subject).toSorted();
  return { faults: subjects("fault"), undecided: subjects("undecided"), gaps: gaps.map(({ subject }) => subject) };
}

export function judged(spec: Spec, facts: readonly Fact[], clusters: readonly Cluster[] = [EKS]): Result {
  return resultOf(kind, spec, { clusters, facts });
}

/** One test a row: what is found, and the verdict that follows. Rows are kept in `worlds`, for properties over all of them. */
export function tableOf(worlds: Row[]): (rows: readonly Row[]) => void {
  return (rows) => {
    worlds.push(...rows);
    for (const [claim, profile, facts, expected, clusters] of rows) {
      it(claim, () => {
        const result = judged(specOf(profile), facts, clusters);
        expect(shown(result)).toEqual({ faults: [], undecided: [], gaps: [], ...expected });
        const open = (expected.undecided ?? []).length + (expected.gaps ?? []).length > 0;
        expect(result.verdict).toBe((expected.faults ?? []).length > 0 ? "violated" : open ? "undecided" : "holds");
      });
    }
  };
}

/** Fields that say what the world is, not what was seen of it: without one of these another world stands there. */
const GIVEN = new Set(["name", "node", "type", "pool", "taints", "labels", "cordoned", "platforms", "images", "namespace", "readyOn", "notReadyOn", "runningOn", "failingOn", "tolerations", "nodeSelector", "image", "product", "handler", "what", "state", "address", "instanceTypes", "origin", "virtual", "form", "code", "complete", "unseen", "reference", "application", "programs", "mode", "revision", "flavour"]);

/** Worlds that are not all well and become so when one field of one fact is hidden: none may be. And how many fields were hidden. */
export function healedByHiding(worlds: readonly Row[]): { readonly healed: readonly string[]; readonly looked: number } {
  let looked = 0;
  const healed: string[] = [];
  for (const [claim, profile, facts, , clusters] of worlds) {
    const spec = specOf(profile);
    if (judged(spec, facts, clusters).verdict === "holds") continue;
    for (const [index, target] of facts.entries()) {
      for (const key of Object.keys(target.data).filter((each) => !GIVEN.has(each))) {
        const { [key]: _, ...rest } = { ...target.data } as Record<string, unknown>;
        const hidden = facts.map((each, at) => (at === index ? ({ ...each, data: rest } as unknown as Fact) : each));
        looked++;
        if (judged(spec, hidden, clusters).verdict === "holds") healed.push(`${claim}: without ${target.kind}.${key}`);
      }
    }
  }
  return { healed, looked };
}

/** A world without some of its facts, and which. */
interface Without {
  readonly claim: string;
  readonly what: string;
  readonly verdict: Result["verdict"];
}

/**
 * Every world that is not all well, without one fact and without all facts of a kind: behind a gap that says so, or from lists that claim to be whole.
 * Cost: two verdicts a fact and a kind.
 */
export function withoutEvidence(worlds: readonly Row[], hidden: "behind a gap" | "from whole lists"): readonly Without[] {
  return worlds.flatMap(([claim, profile, facts, , clusters = [EKS]]) => {
    const spec = specOf(profile);
    if (judged(spec, facts, clusters).verdict === "holds") return [];
    const kinds = [...new Set(facts.map((each) => each.kind))];
    const drops = [
      ...facts.map((each) => ({ what: `one of ${each.kind} (${each.subject})`, gaps: [gapOf(each.kind, each.cluster)], rest: facts.filter((other) => other !== each) })),
      ...kinds.map((one) => ({ what: `all ${one}`, gaps: clusters.map(({ name }) => gapOf(one, name)), rest: facts.filter((each) => each.kind !== one) })),
    ];
    return drops.map(({ what, gaps, rest }) => {
      return { claim, what, verdict: resultOf(kind, spec, { clusters, facts: rest, gaps: hidden === "behind a gap" ? gaps : [] }).verdict };
    });
  });
}

/** Claims of worlds that hold without some evidence, each with what was taken away. */
export function healedBy(all: readonly Without[]): Readonly<Record<string, readonly string[]>> {
  const healed = Map.groupBy(all.filter(({ verdict }) => verdict === "holds"), ({ claim }) => claim);
  return Object.fromEntries([...healed].map(([claim, each]) => [claim, [...new Set(each.map(({ what }) => what))].toSorted()]));
}
