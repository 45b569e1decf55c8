import { KERNEL_OPTIONS, type DeclaredPool, type NodeTaint } from "#engine";
import { fpgasOf, type Accelerator } from "./accelerators.ts";
import type { HalProfile } from "./profile.ts";
import { isAtLeast, parseRelease, type Release } from "./releases.ts";
import { either, onNode, type Draft } from "./rules.ts";
import { systemOf } from "./systems.ts";
import { fail, pass, strongest, unknown, type Seen } from "./tiers.ts";
import { isOfWorker, type NodeView } from "./view.ts";

type Node = NonNullable<HalProfile["node"]>;
type Kernel = NonNullable<Node["kernel"]>;
type Feature = NonNullable<Node["features"]>[number];
type Evidence = Feature["any"][number];
type Taints = NonNullable<Node["taints"]>;
type Resource = NonNullable<Node["resources"]>[number];

/** What a profile asks of single nodes; `prefix` stands before the ids. */
export function nodeRules(node: Node, prefix = ""): readonly Draft[] {
  const { arch, os, kernel, features = [], taints, resources = [], runtimeHandlers } = node;
  return [
    ...(arch === undefined ? [] : [{ id: `${prefix}node.arch`, wanted: either(arch), rule: onNode(({ node }) => seeArch(node.arch, "T1", arch), (pool) => seeArch(pool.arch, "T0", arch)) }]),
    ...(os === undefined ? [] : [{ id: `${prefix}node.os`, wanted: either(os.families), rule: onNode((view) => seeSystem(view, os.families)) }]),
    ...(kernel === undefined ? [] : [{ id: `${prefix}node.kernel`, wanted: `kernel ${kernel.min} or newer`, rule: onNode((view) => seeKernel(view, kernel)) }]),
    ...features.map((feature) => ({ id: `${prefix}features.${feature.id}`, wanted: `the feature ${feature.id}`, least: feature.minTier, rule: onNode((view) => seeFeature(view, feature, os?.families ?? [])) })),
    ...(taints === undefined ? [] : [{ id: `${prefix}node.taints`, wanted: taints.required.map(taintText).join(", "), rule: onNode(({ node }) => seeTaints(node.taints, "T1", taints), (pool) => seeDeclaredTaints(pool, taints)) }]),
    ...resources.map((resource) => ({ id: `${prefix}resources.${resource.class}`, wanted: resourceText(resource), rule: onNode((view) => seeResource(view, resource)) })),
    ...(runtimeHandlers === undefined ? [] : [{ id: `${prefix}node.runtimeHandlers`, wanted: `the handlers ${runtimeHandlers.join(", ")}`, rule: onNode((view) => seeHandlers(view, runtimeHandlers)) }]),
  ];
}

const LOOK = "look at the node with `kubectl get node -o yaml`";

function seeArch(arch: string | undefined, tier: "T0" | "T1", wanted: readonly string[]): Seen {
  if (arch === undefined) return unknown("no architecture", LOOK);
  const values = { arch };
  return wanted.includes(arch) ? pass(tier, arch, { values }) : fail(tier, arch, `move the profile to nodes of ${either(wanted)}, or allow \`${arch}\` in \`node.arch\``, { values });
}

function seeSystem({ node }: NodeView, wanted: readonly string[]): Seen {
  const { osImage } = node;
  const family = osImage === undefined ? undefined : systemOf(osImage);
  if (family === undefined) return unknown(osImage === undefined ? "no image of the system" : `the image \`${osImage}\`, of no family that is known`, "name the kernel or features instead of `node.os`");
  const values = { os: family };
  return wanted.includes(family) ? pass("T1", family, { values }) : fail("T1", family, `move the profile to nodes of ${either(wanted)}, or allow \`${family}\` in \`node.os\``, { values });
}

/** The node's kernel, and the text that says so. NFD's word (T2) counts where a profile wants it and it is the same. */
export function kernelOf({ node, features }: NodeView): { readonly text: string; readonly release: Release | undefined; readonly tier: "T1" | "T2" } | undefined {
  const told = features?.data.kernel ?? node.labels["feature.node.kubernetes.io/kernel-version.full"];
  const text = node.kernel ?? told;
  if (text === undefined) return undefined;
  return { text, release: parseRelease(text), tier: told !== undefined && told === text ? "T2" : "T1" };
}

function seeKernel(view: NodeView, { min, equivalents }: Kernel): Seen {
  const kernel = kernelOf(view);
  if (kernel?.release === undefined) return unknown(kernel === undefined ? "no kernel" : `the kernel \`${kernel.text}\`, which starts with no release`, LOOK);
  const same = equivalents.find(({ match }) => kernel.text.includes(match));
  const floor = parseRelease(same?.min ?? min);
  if (floor === undefined) return unknown(kernel.text, `correct \`${same?.min ?? min}\` in \`node.kernel\``);
  if (isAtLeast(kernel.release, floor)) return pass(kernel.tier, kernel.text);
  const why = same === undefined ? "" : ` (as \`${same.match}\` is written in \`equivalents\`)`;
  return fail(kernel.tier, kernel.text, `upgrade the image of these nodes to one with kernel ${same?.min ?? min} or newer${why}; where the distribution carries the features back, write it into \`node.kernel.equivalents\``);
}

/**
 * The strongest evidence that says anything decides: what Node Feature Discovery found on the node counts more than what images are known for. Of
 * several as strong one that shows the feature suffices; it is not there only where all of these speak against it.
 */
function seeFeature(view: NodeView, { id, any }: Feature, families: readonly string[]): Seen {
  const seen = any.map((evidence) => ({ evidence, found: seeEvidence(view, evidence, families) }));
  const told = strongest(seen.map(({ found }) => found));
  const [first] = seen;
  if (told === undefined || first === undefined) return unknown("nothing", LOOK);
  const open = seen.find(({ evidence, found }) => found.outcome === "unknown" && (told.tier === "T1" || evidence.nfd !== undefined));
  const counts = told.outcome === "pass" ? told : (open?.found ?? told);
  return counts.outcome === "pass" ? counts : { ...counts, remedy: `${counts.remedy ?? LOOK} (feature \`${id}\`)` };
}

function seeEvidence(view: NodeView, { nfd, os, osAllowlist, kernel }: Evidence, families: readonly string[]): Seen {
  if (nfd !== undefined) return seeLabel(view, nfd);
  if (kernel !== undefined) {
    const [seen, floor] = [kernelOf(view), parseRelease(kernel)];
    if (seen?.release === undefined || floor === undefined) return unknown("no release of the kernel", LOOK);
    return isAtLeast(seen.release, floor) ? pass("T1", seen.text) : fail("T1", seen.text, `upgrade the image of these nodes to one with kernel ${kernel} or newer`);
  }
  const family = view.node.osImage === undefined ? undefined : systemOf(view.node.osImage);
  if (family !== undefined && (os ?? (osAllowlist === true ? families : [])).includes(family)) return pass("T1", family);
  return unknown(`the system ${family ?? view.node.osImage ?? "without an image"}, which the profile does not list`, "install Node Feature Discovery, or add the family to the profile where it is known to have it");
}

/** What the worker's own sources call their labels. Source: `docs/usage/features.md` of Node Feature Discovery. */
const SOURCES = /^(?:cpu|iommu|kernel|memory|network|pci|storage|system|usb)-/;

const PREFIX = "feature.node.kubernetes.io/";

/** What stands in a label of NFD. */
interface Label {
  /** Left out: there is none. */
  readonly value?: string | undefined;
  /** Why the value is not to be believed. */
  readonly doubt?: Seen | undefined;
  /** The key without what the source found: others that start so show that it ran. Left out of a key of one's own. */
  readonly kin?: string | undefined;
  /** Of an option of the kernel: whether NFD read it. */
  readonly isRead: boolean;
}

/** A label that NFD writes, or asks for in its own object: a label without its prefix, or any whole key. */
export function labelOf({ node, features, isUnwatched }: NodeView, feature: string): Label {
  const isOwn = feature.includes("/");
  const key = isOwn ? feature : `${PREFIX}${feature}`;
  const option = optionOf(feature);
  const configured = option === undefined ? undefined : features?.data.kernelConfig?.[option];
  const [own, label] = [configured ?? features?.data.labels[key], node.labels[key]];
  // a worker writes all labels of its sources into its object: one that is on the node alone was set by hand
  const isRead = option !== undefined && features?.data.kernelConfig !== undefined && (KERNEL_OPTIONS as readonly string[]).includes(option);
  const isForged = own === undefined && label !== undefined && features !== undefined && (isOfWorker(features) ? SOURCES.test(feature) : isRead);
  const way = "take the label off the node: somebody set it by hand; where a rule of your own sets it, name it otherwise than the worker's own labels";
  const isAlone = own === undefined && label !== undefined && isUnwatched === true && SOURCES.test(feature);
  const why = isForged ? "a label that the object of Node Feature Discovery does not ask for" : "a label, and no object of Node Feature Discovery for this node, as others have";
  const doubt = isForged || isAlone ? unknown(`${feature}=${label}, ${why}`, isForged ? way : "look at the worker of Node Feature Discovery on this node: the label is an old one, or somebody set it by hand", { fact: features }) : undefined;
  return { value: own ?? label, doubt, kin: isOwn ? undefined : `${PREFIX}${feature.split(".")[0] ?? ""}.`, isRead };
}

function optionOf(feature: string): string | undefined {
  return /^kernel-config\.(.+)$/.exec(feature)?.[1];
}

/** Where NFD does not run, no label means nothing. */
function seeLabel(view: NodeView, feature: string): Seen {
  const { node, features } = view;
  const { value, doubt, kin, isRead } = labelOf(view, feature);
  if (doubt !== undefined) return doubt;
  const [option, fact] = [optionOf(feature), features];
  if (value !== undefined) {
    const text = `${feature}=${value}`;
    return value === "false" || value === "n" ? fail("T2", text, "choose an image or a type of machine that has it", { fact }) : pass("T2", text, { fact });
  }
  const ran = features !== undefined || Object.keys(node.labels).some((each) => each.startsWith(PREFIX));
  if (!ran) return unknown("nothing of Node Feature Discovery", "install Node Feature Discovery on these nodes, or add an evidence that needs none");
  // NFD reads only options that it was told to read; of processors it writes all that it knows
  if (option !== undefined && !isRead) return unknown(`no label \`${feature}\``, `name ${option} in \`sources.kernel.configOpts\` of Node Feature Discovery`);
  const told = option !== undefined || [...Object.keys(node.labels), ...Object.keys(features?.data.labels ?? {})].some((each) => kin !== undefined && each.startsWith(kin));
  return told ? fail("T2", `no ${feature}`, "choose an image or a type of machine that has it", { fact }) : unknown(`no label \`${feature}\``, "enable the source of this label in Node Feature Discovery");
}

function taintText({ key, value, effect }: Pick<NodeTaint, "key" | "value" | "effect">): string {
  return `${key}${value === undefined ? "" : `=${value}`}:${effect}`;
}

/** Taints of Kubernetes itself come and go with the state of the node. */
const PASSING = /^(?:node\.kubernetes\.io|node\.cloudprovider\.kubernetes\.io)\//;

/** Terraform writes them as Kubernetes does: `key=value:Effect`. */
function seeDeclaredTaints({ taints }: DeclaredPool, wanted: Taints): Seen {
  if (taints === undefined) return unknown("no list of taints", "look at the pool in the Terraform configuration");
  const read = taints.map((text): NodeTaint => {
    const [, key = "", value, effect = ""] = /^([^=:]*)(?:=([^:]*))?:(.*)$/.exec(text) ?? [];
    return { key, value: value === "" ? undefined : value, effect };
  });
  return seeTaints(read, "T0", wanted);
}

function seeTaints(taints: readonly NodeTaint[], tier: "T0" | "T1", { required, mode }: Taints): Seen {
  const hard = taints.filter(({ key, effect }) => effect !== "PreferNoSchedule" && !PASSING.test(key));
  const text = taints.filter(({ key }) => !PASSING.test(key)).map(taintText).toSorted().join(", ") || "no taint";
  const lacking = required.filter((taint) => !taints.some(({ key, value, effect }) => key === taint.key && effect === taint.effect && (taint.value === undefined || taint.value === (value ?? ""))));
  if (lacking.length > 0) return fail(tier, text, `taint these nodes, in the definition of their pool: ${lacking.map((taint) => `\`${taintText(taint)}\``).join(", ")}`);
  const others = hard.filter(({ key, effect }) => !required.some((taint) => taint.key === key && taint.effect === effect));
  if (mode === "exact" && others.length > 0) return fail(tier, text, `take ${others.map((taint) => `\`${taintText(taint)}\``).join(", ")} off these nodes, or write \`mode: effective\``);
  return pass(tier, text);
}

function resourceText({ class: kind, vendors, families, shells, min }: Resource): string {
  const parts = [vendors === undefined ? undefined : either(vendors), families === undefined ? undefined : either(families), shells === undefined ? undefined : `shell ${either(shells)}`].filter((part) => part !== undefined);
  return `${min} ${kind}${min === 1 ? "" : "s"}${parts.length === 0 ? "" : ` of ${parts.join(", ")}`}, allocatable`;
}

function seeResource({ node }: NodeView, { class: kind, vendors, families, shells, min, aliases }: Resource): Seen {
  if (node.capacity === undefined && node.allocatable === undefined) return unknown("no list of resources", LOOK);
  const all = fpgasOf(node, aliases);
  const open = all.find(({ family, shell }) => (families !== undefined && family === undefined) || (shells !== undefined && shell === undefined));
  const fits = ({ vendor, family, shell }: Accelerator) => (vendors?.includes(vendor) ?? true) && (families?.includes(family ?? "") ?? true) && (shells?.includes(shell ?? "") ?? true);
  const fitting = all.filter(fits);
  const count = fitting.reduce((sum, { allocatable }) => sum + allocatable, 0);
  const text = all.length === 0 ? `no ${kind}` : all.map(accelerator).join(", ");
  const used = fitting.filter(({ allocatable }) => allocatable > 0);
  const values = { count: String(count), ...one("vendor", used.map(({ vendor }) => vendor)), ...one("family", used.map(({ family }) => family)), ...one("shell", used.map(({ shell }) => shell)) };
  if (count >= min) return pass("T1", text, { values });
  if (open !== undefined) return unknown(`${text}, whose name does not tell the family or shell`, "leave `families` and `shells` out for this maker, or name the resource in `aliases`", { values });
  const dead = fitting.find(({ capacity, allocatable }) => capacity > allocatable);
  const way = dead !== undefined ? `look at the device plug-in: \`${dead.resource}\` has capacity and nothing to allocate` : `give the pool machines with ${min === 1 ? "one" : String(min)}, and run the device plug-in there`;
  return fail("T1", text, way, { values });
}

function accelerator({ vendor, family, shell, capacity, allocatable }: Accelerator): string {
  const number = allocatable === capacity ? String(allocatable) : `${allocatable} of ${capacity}`;
  return [number, vendor, family, shell].filter((part) => part !== undefined).join(" ");
}

/** A value of parity: all of one node's in one text; left out where one is not known. */
function one(field: string, values: readonly (string | undefined)[]): Readonly<Record<string, string>> {
  const known = values.filter((value) => value !== undefined);
  return known.length < values.length || known.length === 0 ? {} : { [field]: [...new Set(known)].toSorted().join(" + ") };
}

function seeHandlers({ node }: NodeView, wanted: readonly string[]): Seen {
  if (node.handlers === undefined) return unknown("no list of handlers: the kubelet or the runtime is too old to tell", "ask for a runtime class instead, which pods prove, or upgrade the nodes");
  const lacking = wanted.filter((handler) => !node.handlers?.includes(handler));
  const text = node.handlers.filter((handler) => handler !== "").join(", ") || "only the default handler";
  return lacking.length === 0 ? pass("T1", text) : fail("T1", text, `configure ${lacking.map((handler) => `\`${handler}\``).join(", ")} in the container runtime of these nodes`);
}
