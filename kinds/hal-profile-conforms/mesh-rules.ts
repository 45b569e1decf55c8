import { CILIUM_SETTINGS, type Fact, type NodePods } from "#engine";
import { parseImage } from "#values";
import { annotationRule } from "./annotations.ts";
import { seeConfig, settingsOn } from "./cilium.ts";
import { floorOf, type Hook } from "./hooks.ts";
import { LAST_EBPF, seeIstio } from "./istio.ts";
import { kernelOf } from "./node-rules.ts";
import type { HalProfile } from "./profile.ts";
import { compareRelease, isAtLeast, parseRelease, releaseOfAgent, releaseText } from "./releases.ts";
import { either, named, onCluster, onNode, type Draft } from "./rules.ts";
import { fail, pass, unknown, type Seen } from "./tiers.ts";
import type { AgentFact, ClusterView, NodeView } from "./view.ts";

type Mesh = NonNullable<HalProfile["mesh"]>;
type Ebpf = NonNullable<Mesh["ebpf"]>;
type Impl = Ebpf["impl"][number];
type Dataplane = NonNullable<Mesh["dataplane"]>[number];
type Kernel = NonNullable<NonNullable<HalProfile["node"]>["kernel"]>;

/** What a profile asks of the mesh on its nodes. */
export function meshRules(mesh: Mesh, kernel: Kernel | undefined, runtimeClass: string | undefined): readonly Draft[] {
  const { dataplane, annotations, ebpf } = mesh;
  return [
    ...(dataplane === undefined ? [] : [{ id: "mesh.dataplane", wanted: either(dataplane), rule: onCluster((view) => seeDataplane(view, dataplane)) }]),
    ...(annotations === undefined ? [] : [annotationRule(annotations, runtimeClass)]),
    ...(ebpf === undefined ? [] : ebpfRules(ebpf, kernel)),
    ...(asksKmesh(mesh) ? [{ id: "mesh.istio", wanted: "a release of Istio that its Kmesh is for", rule: onCluster(seeIstio) }] : []),
  ];
}

/** May Kmesh be on these nodes? Then the control plane that it asks counts, too. */
export function asksKmesh({ dataplane = [], ebpf }: Mesh): boolean {
  return dataplane.includes("kmesh") || ebpf?.impl.includes("kmesh") === true;
}

function ebpfRules({ impl, minVersion, config, hooks }: Ebpf, kernel: Kernel | undefined): readonly Draft[] {
  const floors = Object.entries(minVersion).map(([product, least]) => `${product} ${least}`);
  const settings = Object.entries(config);
  return [
    { id: "mesh.ebpf", wanted: `${either(impl)}, and no other`, rule: onNode((node, view) => seeImplementation(node, view, impl)) },
    ...(floors.length === 0 ? [] : [{ id: "mesh.ebpf.version", wanted: `${floors.join(", ")} or newer`, rule: onNode((node) => seeVersion(node, impl, minVersion)) }]),
    ...(settings.length === 0 ? [] : [{ id: "mesh.ebpf.config", wanted: settings.map(([key, value]) => `${key}=${value}`).join(", "), rule: onNode((node) => seeConfig(node, config)) }]),
    ...(hooks.length === 0 ? [] : [{ id: "mesh.ebpf.hooks", wanted: `a kernel with ${hooks.join(", ")}`, rule: onNode((node) => seeHooks(node, hooks, kernel)) }]),
  ];
}

type MeshPods = NodePods["type"];

const SHOWN_BY: Readonly<Record<Exclude<Dataplane, "none">, MeshPods>> = { sidecar: "sidecars", ambient: "ambient", kmesh: "kmesh" };

/** By the pods that are in the mesh on these nodes; a node without any shows nothing. */
function seeDataplane(view: ClusterView, wanted: readonly Dataplane[]): Seen {
  const found: { readonly dataplane: Exclude<Dataplane, "none">; readonly fact: Fact }[] = [];
  for (const dataplane of ["sidecar", "ambient", "kmesh"] as const) {
    const fact = view.pods.find(({ fact: { data }, runningOn }) => data.type === SHOWN_BY[dataplane] && view.nodes.some(({ node }) => runningOn.has(node.name)))?.fact;
    if (fact !== undefined) found.push({ dataplane, fact });
  }
  const text = found.map(({ dataplane }) => dataplane).join(", ") || "no pod of the mesh";
  const values = found.length === 0 ? {} : { dataplane: found.map(({ dataplane }) => dataplane).join(" + ") };
  // each of the two believes that it alone carries their traffic
  const twice = view.pods.find(({ fact: { data }, runningOn, failingOn }) => data.type === "several" && view.nodes.some(({ node }) => runningOn.has(node.name) || failingOn.has(node.name)))?.fact;
  if (twice !== undefined) return fail("T3", `${text}, and pods that are in the mesh in two ways at once`, "let one data plane have these pods: by the labels of their namespace and of the pods themselves", { fact: twice, values });
  const other = found.find(({ dataplane }) => !wanted.includes(dataplane));
  if (other !== undefined) return fail("T3", text, `move pods with ${other.dataplane} off these nodes, or allow it in \`mesh.dataplane\``, { fact: other.fact, values });
  // a pod that is not ready for the moment is still in the mesh in its own way
  const waiting = (["sidecar", "ambient", "kmesh"] as const).find((each) => !wanted.includes(each) && view.pods.some(({ fact: { data }, failingOn }) => data.type === SHOWN_BY[each] && view.nodes.some(({ node }) => failingOn.has(node.name))));
  if (waiting !== undefined) return unknown(`${text}, and pods with ${waiting} that are not ready`, `move pods with ${waiting} off these nodes, or allow it in \`mesh.dataplane\``);
  if (found.length > 0) return pass("T3", text, { fact: found[0]?.fact, values });
  if (!view.complete("node-agents")) return unknown("pods were not all seen", "repair what the gap names");
  return wanted.includes("none") ? pass("T3", text, { values: { dataplane: "none" } }) : unknown(text, "start a pod of the mesh on these nodes, so that there is something to see");
}

function seeImplementation(node: NodeView, view: ClusterView, impl: readonly Impl[]): Seen {
  const { agents, brokenAgents, programs } = node;
  const isNamed = ({ data }: AgentFact) => (impl as readonly string[]).includes(data.product);
  const there = agents.filter((fact) => isNamed(fact) && redirects(fact));
  const [first] = there;
  if (first === undefined) return agents.filter(isNamed).map(seeWithout)[0] ?? absent(brokenAgents.filter(isNamed), view, impl);
  // programs stay loaded while the agent that loaded them is down
  const rivals = rivalsOn(node, [...agents, ...brokenAgents], impl);
  const text = there.map(({ data }) => agentText(data.image, data.product, data.mode)).toSorted().join(", ");
  if (rivals.length > 1) return unknown(`${rivals.join(" and ")} together`, `run one of ${rivals.join(", ")} on a node: which of them redirects a pod cannot be seen from here`, { fact: first });
  const others = implementationsOf(view, impl).filter((product) => !there.some(({ data }) => data.product === product));
  if (others.length > 0) return fail("T3", `${text}, and ${others.join(" and ")} on other nodes`, `run one of ${either(impl)} on all nodes of the profile in a cluster: pods reach each other in its way`, { fact: first });
  // its manifests ask for `latest`, and nobody releases it any more
  const loose = there.find(({ data }) => data.product === "merbridge" && data.pinned !== true);
  if (loose !== undefined) return fail("T3", `${text}, not pinned`, `name its image by a digest in \`${loose.data.namespace}/${loose.data.name}\`: a tag may be another program tomorrow`, { fact: loose });
  const vague = there.find(({ data }) => data.product === "istio-cni" && releaseOfAgent(data) === undefined);
  if (vague !== undefined) return unknown(`${text}, whose tag names no release`, "give its image a tag that names its release: Istio redirects by eBPF from 1.18 to 1.20 only", { fact: vague });
  const values = { ebpf: there.map(({ data }) => data.product).toSorted().join(" + "), ...versionOf(there) };
  const broken = programs.find(({ status }) => /error|fail/i.test(status));
  if (broken !== undefined && impl.includes("bpfman")) return fail("T3", `${text}, which could not load \`${broken.application}\` (${broken.status})`, "look at the status of that application's state object", { fact: first, values });
  const open = programs.find(({ status }) => !SETTLED.includes(status));
  if (open !== undefined && impl.includes("bpfman")) return unknown(`${text}, of whose \`${open.application}\` it is not known whether it is loaded (${open.status === "" ? "no status" : open.status})`, "look at the status of that application's state object, and at the log of bpfman's agent", { fact: first });
  return pass("T3", text, { fact: first, values });
}

/** Istio CNI is an implementation only where it redirects by eBPF, which it could from 1.18 to 1.20; everywhere else it sets rules of iptables or nftables. */
function redirects({ data }: AgentFact): boolean {
  const { product, mode } = data;
  const release = product === "istio-cni" ? releaseOfAgent(data)?.release : undefined;
  return product !== "istio-cni" || (mode === "ambient-ebpf" && (release === undefined || isAtLeast(LAST_EBPF, release)));
}

/** An Istio CNI that is no implementation. */
function seeWithout(fact: AgentFact): Seen {
  const { product, image, mode } = fact.data;
  const why = mode === "ambient-ebpf" ? "which redirects without eBPF whatever it is told: Istio took it out in 1.21" : "which is not told to redirect by eBPF";
  return fail("T3", `${agentText(image, product, undefined)}, ${why}`, "name another implementation in `mesh.ebpf.impl`, or leave `mesh.ebpf` out: no Istio that is still repaired redirects by eBPF", { fact });
}

const IMPLEMENTATIONS = new WeakMap<ClusterView, readonly string[]>();

/** Wanted implementations on all nodes of a cluster; bpfman only loads programs. Cost: one pass over the nodes, once a cluster. */
function implementationsOf(view: ClusterView, impl: readonly Impl[]): readonly string[] {
  const known = IMPLEMENTATIONS.get(view);
  if (known !== undefined) return known;
  const carrying: readonly string[] = impl.filter((product) => product !== "bpfman");
  const found = [...new Set(view.nodes.flatMap(({ agents }) => agents.filter(redirects).map(({ data }) => data.product as string)))].filter((product) => carrying.includes(product)).toSorted();
  IMPLEMENTATIONS.set(view, found);
  return found;
}

/** What bpfman writes of an application on a node where nothing is left to do. Source: `AppLoadStatus` of bpfman-operator's `bpfman.io/v1alpha1`. */
const SETTLED: readonly string[] = ["LoadSuccess", "UnloadSuccess", "NotSelected"];

/** For parity. A tag that names no release (`latest`, or that of another image) says nothing: then the digest, where the image is pinned, else nothing is known. */
function versionOf(there: readonly AgentFact[]): Readonly<Record<string, string>> {
  const known = there.map(({ data }) => releaseOfAgent(data)?.tag ?? parseImage(data.image)?.digest);
  return known.includes(undefined) ? {} : { ebpfVersion: [...new Set(known)].toSorted().join(" + ") };
}

/** Who redirects traffic of pods: two of them on one node cannot both. */
const REDIRECTS: readonly string[] = ["kmesh", "merbridge", "ztunnel"];

/** Those that stand in each other's way. bpfman only loads programs; Cilium stands in the way where it translates in the sockets of pods, too. */
function rivalsOn(node: NodeView, agents: readonly AgentFact[], impl: readonly Impl[]): readonly string[] {
  const products = new Set(agents.filter(redirects).map(({ data }) => data.product as string));
  const redirecting = REDIRECTS.filter((product) => products.has(product));
  const wanted = impl.filter((product) => product !== "bpfman" && products.has(product));
  const inSockets = agents.some((agent) => {
    const settings = settingsOn(node, agent);
    const isQuiet = agent.data.overrides !== undefined && (settings?.["bpf-lb-sock-hostns-only"] === "true" || settings?.["bpf-lb-sock"] === "false");
    return agent.data.product === "cilium" && !isQuiet;
  });
  const eager = inSockets && redirecting.some((product) => product !== "ztunnel") ? ["cilium"] : [];
  return [...new Set([...redirecting, ...(wanted.length > 1 ? wanted : []), ...eager])].toSorted();
}

function absent(broken: readonly AgentFact[], view: ClusterView, impl: readonly Impl[]): Seen {
  const [first] = broken;
  if (first !== undefined) return fail("T3", `${first.data.product}, not ready`, `look at the pod of \`${first.data.namespace}/${first.data.name}\` on these nodes`, { fact: first });
  if (!view.complete("node-agents")) return unknown("agents were not all seen", "repair what the gap names");
  return fail("T3", "none that is known", `install ${either(impl)} on these nodes`);
}

function versionText(image: string): string {
  return parseImage(image)?.tag ?? "without a tag";
}

function agentText(image: string, product: string, mode: string | undefined): string {
  return `${product} ${versionText(image)}${mode === undefined ? "" : ` (${mode})`}`;
}

function seeVersion({ agents }: NodeView, impl: readonly Impl[], floors: Ebpf["minVersion"]): Seen {
  const there = agents.filter(({ data }) => (impl as readonly string[]).includes(data.product));
  const [first] = there;
  if (first === undefined) return unknown("no implementation that is ready", "see `mesh.ebpf`");
  const read = there.map((fact) => ({ fact, floor: parseRelease(Object.entries(floors).find(([product]) => product === fact.data.product)?.[1] ?? ""), seen: releaseOfAgent(fact.data)?.release }));
  const text = there.map(({ data }) => agentText(data.image, data.product, undefined)).toSorted().join(", ");
  const low = read.find(({ floor, seen }) => floor !== undefined && seen !== undefined && !isAtLeast(seen, floor));
  if (low?.floor !== undefined) return fail("T3", text, `upgrade \`${low.fact.data.namespace}/${low.fact.data.name}\` to ${releaseText(low.floor)} or newer`, { fact: low.fact });
  const open = read.find(({ floor, seen }) => floor !== undefined && seen === undefined);
  if (open !== undefined) return unknown(`${text}, whose tag names no release`, `give the image of \`${open.fact.data.namespace}/${open.fact.data.name}\` a tag that names its release`, { fact: open.fact });
  return pass("T3", text, { fact: first });
}

/** Kernels that distributions carry features back into: their number says less than they can. */
const BACKPORTED = /\.el\d|\.oe\d/;

function seeHooks(view: NodeView, hooks: readonly Hook[], kernel: Kernel | undefined): Seen {
  const seen = kernelOf(view);
  const { arch } = view.node;
  if (seen?.release === undefined || arch === undefined) return unknown(seen === undefined ? "no kernel" : `the kernel \`${seen.text}\`, which starts with no release`, "look at the node with `kubectl get node -o yaml`");
  const { release, tier, text } = seen;
  const same = kernel?.equivalents.find(({ match }) => text.includes(match));
  const own = parseRelease(same?.min ?? "");
  // a kernel that stands for the profile's floor has what that floor has
  const counted = own !== undefined && isAtLeast(release, own) ? later(parseRelease(kernel?.min ?? ""), release) : release;
  const lacking = hooks.filter((hook) => !isAtLeast(counted, floorOf(hook, arch)));
  if (lacking.length === 0) return pass(tier, text, { values: { hooks: hooks.toSorted().join(", ") } });
  const needs = lacking.map((hook) => `${hook} from ${releaseText(floorOf(hook, arch))} on ${arch}`).join(", ");
  if (same !== undefined || BACKPORTED.test(text)) return unknown(`${text}, which may carry features of newer kernels`, `say in \`node.kernel.equivalents\` what this kernel stands for, or leave out ${named(lacking)} (${needs})`);
  return fail(tier, text, `upgrade the image of these nodes (${needs}), or leave out ${named(lacking)}`);
}

function later<T extends readonly [number, number, number]>(a: T | undefined, b: T): T {
  return a === undefined || compareRelease(a, b) < 0 ? b : a;
}

/** Can a setting of Cilium be looked at? */
export function isSetting(key: string): boolean {
  return (CILIUM_SETTINGS as readonly string[]).includes(key);
}
