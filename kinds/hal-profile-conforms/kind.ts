import { defineKind, fault, gap, info, judged, undecided, type Finding, type Request, type SpecFault } from "#engine";
import schema from "./profile.json" with { type: "json" };
import { isAbout, LONGEST, type Exemption } from "./exemptions.ts";
import { clusterFindings } from "./findings.ts";
import { fieldsSeen, parityFindings, placesOf } from "./parity.ts";
import { asksKmesh } from "./mesh-rules.ts";
import { moduleRequest } from "./module-rules.ts";
import { faultsIn, faultsOfExemptions } from "./profile-check.ts";
import type { HalProfile } from "./profile.ts";
import { requirementsOf } from "./requirements.ts";
import { resultOf, type ClusterResult } from "./result.ts";
import { httpRequest } from "./runtime-rules.ts";
import { risksOf } from "./signer.ts";
import type { Spec } from "./spec.ts";
import { daysLeft } from "./structural.ts";
import { tableOf } from "./table.ts";
import { viewOf, type Needed } from "./view.ts";

export default defineKind<Spec, Needed>({
  name: "HalProfileConforms",
  summary: "the nodes of each cluster offer what a hardware profile asks for, and the clouds that run it run it alike",
  needs: (spec) => [...neededBy(profileOf(spec)).map((fact): Request<Needed> => (fact === "declared" ? { fact, selector: "pools" } : { fact })), ...readModules(profileOf(spec)).map(moduleRequest), ...httpRequests(profileOf(spec))],
  judges: ["node", "nodes"],
  documents: { HalProfile: schema },
  documentValidators: { HalProfile: () => import("./profile.generated.js") },
  checkDocument: (_kind, content) => faultsIn(content),
  check: (spec) => faultsOf(spec),

  *judge(spec, world) {
    const profile = profileOf(spec);
    const exemptions = [...profile.exemptions, ...spec.exemptions];
    const judging = { profile, mode: spec.mode, requirements: requirementsOf(profile), exemptions, now: world.now };
    const asked = new Set<Needed>([...neededBy(profile), ...(readModules(profile).length === 0 ? [] : (["wasm-images"] as const)), ...httpRequests(profile).map(({ fact }) => fact)]);
    const results = world.clusters.map((cluster) => resultOf(viewOf(cluster, spec.nodes ?? profile.selector, world, asked), judging));
    const telling = { profile: spec.profile.name, now: world.now, mode: spec.mode, minNodes: profile.minNodes };
    for (const { view } of results) if (!view.isSelectable) yield gap({ kind: "nodes", cluster: view.cluster.name, subject: `${view.cluster.name}/cloud`, reason: `nodes are selected by their type of machine in a cloud, and nothing tells the cloud of \`${view.cluster.name}\``, remedy: "write `cloud:` at this cluster in the fleet file, or select by `labels` or `pools`" });
    for (const result of results) yield* clusterFindings(result, telling);
    yield* exemptionFindings(exemptions, results, telling);

    const across = profile.parity?.across[0] ?? "cloud";
    const places = placesOf(results, across);
    const seen = profile.parity === undefined ? [] : fieldsSeen(profile.parity, places);
    if (profile.parity !== undefined) yield* parityFindings(seen, places, { profile: spec.profile.name, across });
    if (results.length > 0) yield tableOf(`profile ${spec.profile.name}`, places, seen, profile.parity?.atLeast ?? [], world.now);
    yield* risksOf(modulesOf(profile));
    yield judged(results.reduce((sum, { view }) => sum + (view.nodes.length || view.pools.length), 0));
  },
});

/** The loader has checked the document against its schema. */
function profileOf({ profile }: Spec): HalProfile {
  return profile.content as HalProfile;
}

/** Also those of fallbacks. */
function modulesOf({ modules = [], fallbacks }: HalProfile): readonly NonNullable<HalProfile["modules"]>[number][] {
  return [...modules, ...Object.values(fallbacks).flatMap((each) => each.modules ?? [])];
}

/** Those whose images are read: of the others the digest that a kubelet reports says enough. */
function readModules(profile: HalProfile): ReturnType<typeof modulesOf> {
  const isCompared = profile.parity?.compare.includes("moduleDigest") === true;
  return modulesOf(profile).filter(({ digest, sha256, requiredImports, forbiddenImports, signer }) => isCompared || [digest, sha256, requiredImports, forbiddenImports, signer].some((asked) => asked !== undefined));
}

function httpRequests({ runtime }: HalProfile): readonly Request<"runtime-answers">[] {
  const request = runtime === undefined ? undefined : httpRequest(runtime);
  return request === undefined ? [] : [request];
}

/** Each kind of fact takes permissions of its own: only those are asked for that the profile looks at. */
function neededBy(profile: HalProfile): readonly Exclude<Needed, "runtime-answers" | "wasm-images">[] {
  const { node, runtime, mesh, accelerator, fallbacks } = profile;
  const alternatives = Object.values(fallbacks);
  const all = [node, ...alternatives.map((each) => each.node)];
  const nfd = all.some((each) => each?.kernel !== undefined || each?.features?.some(({ any }) => any.some((evidence) => evidence.nfd !== undefined)) === true) || (mesh?.ebpf?.hooks.length ?? 0) > 0 || accelerator?.bitstreams.nfd !== undefined;
  const hasModules = modulesOf(profile).length > 0;
  return [
    "nodes",
    ...([profile.minTier, ...Object.values(profile.minTiers)].includes("T0") ? (["declared"] as const) : []),
    ...(nfd ? (["node-features"] as const) : []),
    ...(mesh !== undefined || runtime !== undefined || hasModules ? (["node-agents"] as const) : []),
    ...(hasModules ? (["wasm-modules"] as const) : []),
    ...(mesh !== undefined && asksKmesh(mesh) ? (["control-planes"] as const) : []),
    ...(runtime === undefined ? [] : (["runtime-classes"] as const)),
    ...(mesh?.ebpf?.impl.includes("bpfman") === true ? (["bpf-applications"] as const) : []),
  ];
}

function* faultsOf(spec: Spec): Iterable<SpecFault> {
  const profile = profileOf(spec);
  yield* faultsOfExemptions(spec.exemptions, profile, ["exemptions"]);
  if (spec.mode === "atLeast" && profile.minNodes === 0) yield { path: ["mode"], message: `\`atLeast\` counts up to \`minNodes\` of the profile, which is 0`, remedy: "write `mode: all`, or `minNodes: 1` in the profile" };
}

interface About {
  readonly profile: string;
  readonly now: string;
}

/** Exemptions that last too long, that are about nobody, and those that leave nothing to judge. */
function* exemptionFindings(exemptions: readonly Exemption[], results: readonly ClusterResult[], { profile, now }: About): Iterable<Finding> {
  for (const exemption of exemptions) {
    const { requirement, expires, owner } = exemption;
    const where = exemption.cluster ?? exemption.cloud ?? "";
    const words = { subject: `exemption of ${where} from ${requirement}`, cause: `${profile} ${where} ${requirement} ${expires}` };
    const about = results.filter(({ view }) => isAbout(exemption, view));
    const evidence = [{ cluster: about[0]?.view.cluster.name ?? where, label: "exemption", value: `${owner} until ${expires}`, source: { collector: "assertion", locator: profile } }];
    if (about.length === 0) yield info({ ...words, message: `the exemption of \`${where}\` from \`${requirement}\` is about no cluster of this assertion`, remedy: "delete it, or correct its cloud or cluster", evidence: [] });
    else if (daysLeft(now, expires) > LONGEST) yield fault({ ...words, message: `the exemption of \`${where}\` from \`${requirement}\` lasts until ${expires}, ${daysLeft(now, expires)} days: at most ${LONGEST} are allowed`, remedy: "write an earlier end, and renew it when it is looked at again", evidence });
  }
  const first = results[0];
  for (const { id } of first?.lines ?? []) {
    const exempt = results.filter(({ lines }) => lines.some((line) => line.id === id && line.active !== undefined && line.outcome !== "pass"));
    if (exempt.length < results.length) continue;
    yield undecided({ subject: `exemptions from ${id}`, cause: `${profile} ${id} vacuous`, message: `every cluster is exempt from \`${id}\` of \`${profile}\`: nothing is left to judge`, remedy: "take the requirement out of the profile, or let an exemption end", evidence: exempt.map(({ view }) => ({ cluster: view.cluster.name, label: "exempt", value: id, source: { collector: "assertion", locator: profile } })) });
  }
}
