/**
 * `npm run bench -- hal`: what judging nodes by three profiles costs, per node of a large cluster against a node of a small one, in the same run.
 * 10,000 nodes in each of 3 clusters, and 100. Ends with 1 when the ratio is over its limit.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";
import path from "node:path";
import { load } from "js-yaml";
import { evaluate, seal, type AnyKind, type Assertion, type Cluster, type Fact, type FactKind, type FactTypes } from "#engine";
import { istioMap } from "#values";
import kind from "../../kinds/hal-profile-conforms/kind.ts";
import schema from "../../kinds/hal-profile-conforms/profile.json" with { type: "json" };

const LIMIT = 1.3;
const [FEW, MANY] = [100, 10_000];
const PROFILES = ["ebpf-sidecar", "fpga-node", "wasm-edge"] as const;
const NOW = "2026-11-20T09:00:00Z";

const fill = new Ajv2020({ useDefaults: true, strict: false }).compile(schema);
const specs = PROFILES.map((name) => {
  const { spec } = load(readFileSync(path.join(import.meta.dirname, `../../assertions/profiles/${name}.yaml`), "utf8")) as { readonly spec: object };
  if (!fill(spec)) throw new Error(`the profile ${name} is not valid`);
  return { profile: { name, sha256: "0".repeat(64), content: spec }, mode: "all", exemptions: [] };
});

const AES = { "feature.node.kubernetes.io/cpu-cpuid.AESNI": "true" };

/** A third of the nodes for each profile, all as it asks. */
function factsOf(cluster: string, count: number): readonly Fact[] {
  const source = { collector: "bench", locator: "/" };
  const of = <K extends FactKind>(kindOfFact: K, subject: string, data: FactTypes[K]): Fact<K> => ({ type: "fact", kind: kindOfFact, cluster, subject, data, source });
  const names = Array.from({ length: count }, (_, index) => `node-${index}`);
  const nodes = names.map((name, index) => {
    const profile = PROFILES[index % 3] ?? "ebpf-sidecar";
    const card = profile === "fpga-node" ? { "amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0": "1" } : {};
    return of("nodes", name, { name, arch: profile === "wasm-edge" ? "arm64" : "amd64", kernel: "6.1.141-155.222.amzn2023.x86_64", osImage: "Amazon Linux 2023.8.20250915", labels: { "cloud-assert/profile": profile, ...AES }, taints: [], capacity: card, allocatable: card, ready: true, cordoned: false });
  });
  const agent = of("node-agents", "cilium", { type: "agent", product: "cilium", namespace: "kube-system", name: "cilium", image: "quay.io/cilium/cilium:v1.18.4", readyOn: names, notReadyOn: [], settings: { "bpf-lb-sock-hostns-only": "true" }, overrides: [] });
  const pods = (["sidecars", "class-pods"] as const).map((type) => of("node-agents", type, { type, name: type === "sidecars" ? "" : "wasm-edge", runningOn: names, failingOn: [], ...(type === "sidecars" ? {} : { images: [], pods: count, marks: {}, withSidecar: 0, sidecarsDown: 0 }) }));
  return [...nodes, agent, ...pods, of("runtime-classes", "wasm-edge", { type: "class", name: "wasm-edge", handler: "wasmtime", nodeSelector: { "kubernetes.io/arch": "arm64" }, tolerations: [] })];
}

const fleet = ["aws", "gcp", "azure"].map((cloud): Cluster => ({ name: cloud, cloud, labels: {} }));
const kinds = new Map([[kind.name, kind as unknown as AnyKind]]);
const assertions = specs.map((spec, index): Assertion => ({ name: `a${index}`, kind: kind.name, severity: "error", clusters: {}, allowEmpty: false, strict: false, spec, at: { file: "bench", line: 1, column: 1 } }));

function worldOf(count: number): () => void {
  const asked = specs.flatMap((spec) => kind.needs(spec as never));
  const snapshots = new Map(fleet.map((cluster) => [cluster.name, seal({ cluster, identity: {}, reachable: true, takenAt: NOW, asked, facts: factsOf(cluster.name, count), gaps: [] })]));
  return () => {
    const results = evaluate(kinds, assertions, { fleet, snapshots, now: NOW, istioMap: istioMap() });
    const judged = results.reduce((sum, result) => sum + result.judged, 0);
    const open = results.flatMap(({ findings, gaps }) => [...findings.filter(({ outcome }) => outcome !== "info"), ...gaps]);
    if (judged !== count * fleet.length || open.length > 0) throw new Error(`judged ${judged}: ${JSON.stringify(open[0])}`);
  };
}

function cpu(work: () => void, times: number): number {
  const start = process.cpuUsage();
  for (let time = 0; time < times; time++) work();
  return process.cpuUsage(start).user / 1000 / times;
}

const [few, many] = [worldOf(FEW), worldOf(MANY)];
cpu(few, 200);
cpu(many, 2);
const rounds = Array.from({ length: 5 }, () => ({ small: (cpu(few, 100) / FEW) * 1000, large: (cpu(many, 2) / MANY) * 1000 }));
const [middle] = rounds.map(({ small, large }) => ({ small, large, ratio: large / small })).toSorted((a, b) => a.ratio - b.ratio).slice(2);
if (middle === undefined) throw new Error("nothing was measured");
const isOk = middle.ratio <= LIMIT;
process.stdout.write(`${isOk ? "ok  " : "OVER"}  a node of ${MANY}, 3 clusters and 3 profiles: ${middle.large.toFixed(2)} us, ${middle.ratio.toFixed(2)} x a node of ${FEW} (${middle.small.toFixed(2)} us; limit ${LIMIT})\n`);
process.exitCode = isOk ? 0 : 1;
