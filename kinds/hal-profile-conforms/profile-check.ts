import { CILIUM_SETTINGS, type SpecFault } from "#engine";
import { faultsOfAnnotations } from "./annotations.ts";
import { faultsOfBitstreams } from "./bitstreams.ts";
import type { Exemption } from "./exemptions.ts";
import { LAST_EBPF } from "./istio.ts";
import { isSetting } from "./mesh-rules.ts";
import { requirementOf } from "./parity.ts";
import type { HalProfile } from "./profile.ts";
import { compareRelease, parseRelease } from "./releases.ts";
import { fallbackOf, idsOf } from "./requirements.ts";
import { named } from "./rules.ts";
import { faultsOfSigner } from "./signer.ts";
import { SYSTEMS } from "./systems.ts";

type Path = SpecFault["path"];
type Module = NonNullable<HalProfile["modules"]>[number];

/** What is wrong with a profile although it fits its schema. */
export function* faultsIn(profile: HalProfile): Iterable<SpecFault> {
  yield* faultsOfSystems(profile);
  yield* faultsOfFloors(profile);
  yield* faultsOfIdle(profile);
  yield* faultsOfAnnotations(profile);
  yield* faultsOfModules(profile);
  yield* profile.accelerator === undefined ? [] : faultsOfBitstreams(profile.accelerator.bitstreams);
  yield* faultsOfParity(profile);
  yield* faultsOfNames(profile);
  for (const [key] of Object.entries(profile.mesh?.ebpf?.config ?? {})) {
    if (!isSetting(key)) yield { path: ["mesh", "ebpf", "config", key], message: `\`${key}\` is no setting of Cilium that is looked at`, remedy: `use one of ${CILIUM_SETTINGS.join(", ")}` };
  }
  yield* faultsOfExemptions(profile.exemptions, profile, ["exemptions"]);
}

/** Families of systems, wherever a profile names them. */
function* faultsOfSystems({ node, fallbacks }: HalProfile): Iterable<SpecFault> {
  const nodes: readonly (readonly [Path, HalProfile["node"]])[] = [[["node"], node], ...Object.entries(fallbacks).map(([name, each]) => [["fallbacks", name, "node"], each.node] as const)];
  for (const [base, each] of nodes) {
    yield* unknownSystems(each?.os?.families ?? [], [...base, "os", "families"]);
    for (const [index, { any }] of (each?.features ?? []).entries()) {
      const bare = each?.os === undefined ? any.findIndex(({ osAllowlist }) => osAllowlist === true) : -1;
      if (bare >= 0) yield { path: [...base, "features", index, "any", bare, "osAllowlist"], message: "`osAllowlist` means the families of `node.os`, which the profile does not name", remedy: "add `node.os.families`, or write the families here as `os`" };
      for (const [place, { os = [] }] of any.entries()) yield* unknownSystems(os, [...base, "features", index, "any", place, "os"]);
    }
  }
}

function* unknownSystems(families: readonly string[], base: Path): Iterable<SpecFault> {
  for (const [index, family] of families.entries()) {
    if (!SYSTEMS.includes(family)) yield { path: [...base, index], message: `\`${family}\` is no family of systems that is known`, remedy: `use one of ${SYSTEMS.join(", ")}` };
  }
}

/** What could never be decided, or never count. */
function* faultsOfIdle({ node, runtime, mesh }: HalProfile): Iterable<SpecFault> {
  const { impl = [], minVersion = {}, config = {} } = mesh?.ebpf ?? {};
  for (const product of Object.keys(minVersion)) {
    if (!(impl as readonly string[]).includes(product)) yield { path: ["mesh", "ebpf", "minVersion", product], message: `a least release of \`${product}\`, which \`mesh.ebpf.impl\` does not allow`, remedy: `add \`${product}\` to \`impl\`, or take its release out` };
  }
  if (Object.keys(config).length > 0 && mesh?.ebpf !== undefined && !impl.includes("cilium")) yield { path: ["mesh", "ebpf", "config"], message: `settings of Cilium, which \`mesh.ebpf.impl\` does not allow`, remedy: "add `cilium` to `impl`, or take `config` out" };
  for (const [index, { vendors, families, shells }] of (node?.resources ?? []).entries()) {
    const asked = families !== undefined ? "families" : shells !== undefined ? "shells" : undefined;
    if (asked !== undefined && vendors?.every((each) => each === "intel") === true) yield { path: ["node", "resources", index, asked], message: `\`${asked}\` of cards of Intel, whose names tell none`, remedy: `take \`${asked}\` out, and name the design in \`accelerator.bitstreams\`` };
  }
  if (runtime?.http !== undefined && runtime.runtimeClass === undefined) yield { path: ["runtime", "http"], message: "nobody to ask: `runtime.http` asks pods of `runtime.runtimeClass`, which the profile does not name", remedy: "name the class of the pods that answer, or take `http` out" };
}

/** Floors that no node could meet together, and entries that could never count. */
function* faultsOfFloors({ node, runtime, mesh }: HalProfile): Iterable<SpecFault> {
  const floor = parseRelease(node?.kernel?.min ?? "");
  for (const [index, { match, min }] of (node?.kernel?.equivalents ?? []).entries()) {
    const own = parseRelease(min);
    if (floor !== undefined && own !== undefined && compareRelease(own, floor) > 0) {
      yield { path: ["node", "kernel", "equivalents", index, "min"], message: `kernels with \`${match}\` need ${min}, more than the ${node?.kernel?.min ?? ""} that they stand for`, remedy: "an equivalent is an older kernel that carries newer features back: lower its `min`, or raise `kernel.min`" };
    }
  }
  const selected = runtime?.runtimeClass?.nodeSelector["kubernetes.io/arch"];
  if (selected !== undefined && node?.arch !== undefined && !node.arch.includes(selected)) {
    yield { path: ["runtime", "runtimeClass", "nodeSelector", "kubernetes.io/arch"], message: `the runtime class selects nodes of \`${selected}\`, and \`node.arch\` allows ${named(node.arch)}`, remedy: "write the same architecture in both" };
  }
  const least = parseRelease(mesh?.ebpf?.minVersion["istio-cni"] ?? "");
  if (least !== undefined && compareRelease(least, LAST_EBPF) > 0) {
    yield { path: ["mesh", "ebpf", "minVersion", "istio-cni"], message: `Istio ${mesh?.ebpf?.minVersion["istio-cni"] ?? ""} redirects no pods by eBPF: it could from 1.18 to 1.20 (\`redirectMode: ebpf\`), and that was taken out in 1.21`, remedy: "name another implementation in `mesh.ebpf.impl`, or leave `mesh.ebpf` out and ask for `dataplane: [ambient]`" };
  }
  const planes = mesh?.dataplane;
  const impl = mesh?.ebpf?.impl ?? [];
  if (planes !== undefined && planes.every((each) => each === "ambient") && impl.length > 0 && impl.every((each) => each === "kmesh" || each === "merbridge")) {
    yield { path: ["mesh", "ebpf", "impl"], message: `\`ambient\` redirects pods by itself, and ${named(impl)} would redirect them too`, remedy: "name `sidecar` or `kmesh` in `mesh.dataplane`, or leave `ebpf` out" };
  }
}

function* faultsOfModules({ modules = [], fallbacks, parity }: HalProfile): Iterable<SpecFault> {
  const all: readonly (readonly [Path, readonly Module[]])[] = [[["modules"], modules], ...Object.entries(fallbacks).map(([name, each]) => [["fallbacks", name, "modules"], each.modules ?? []] as const)];
  for (const [base, listed] of all) {
    for (const [index, { signer }] of listed.entries()) {
      for (const fault of signer === undefined ? [] : faultsOfSigner(signer)) yield { ...fault, path: [...base, index, "signer", ...fault.path] };
    }
  }
  const unsigned = parity?.compare.includes("signer") === true ? modules.find(({ signer }) => signer === undefined) : undefined;
  if (unsigned !== undefined) yield { path: ["parity", "compare"], message: `\`signer\` is compared, and the module \`${unsigned.name}\` names nobody who signs it`, remedy: "add `signer` to each module, or take `signer` out of `parity.compare`" };
  for (const [index, { name, requiredImports = [], forbiddenImports = [] }] of modules.entries()) {
    const both = requiredImports.find((each) => forbiddenImports.includes(each));
    if (both !== undefined) yield { path: ["modules", index, "forbiddenImports"], message: `the module \`${name}\` must import from \`${both}\` and must not`, remedy: "take it out of one of the two lists" };
  }
}

function* faultsOfParity(profile: HalProfile): Iterable<SpecFault> {
  const { parity, node, mesh } = profile;
  const ids = idsOf(profile);
  for (const [index, field] of (parity?.compare ?? []).entries()) {
    const needs = requirementOf(field);
    if (!ids.some((id) => (needs.endsWith(".") ? id.startsWith(needs) : id === needs))) {
      yield { path: ["parity", "compare", index], message: `\`${field}\` is seen by \`${needs}${needs.endsWith(".") ? "NAME" : ""}\`, which the profile does not ask for`, remedy: `add it to the profile, or take \`${field}\` out of \`parity.compare\`` };
    }
    if ((parity?.ignore as readonly string[] | undefined)?.includes(field) === true) yield { path: ["parity", "compare", index], message: `\`${field}\` stands in \`parity.compare\` and in \`parity.ignore\``, remedy: "take it out of one of the two lists" };
  }
  const floors = { "kernel.min": node?.kernel !== undefined, "fpga.count": node?.resources !== undefined, "ebpf.version": Object.keys(mesh?.ebpf?.minVersion ?? {}).length > 0 };
  for (const [index, floor] of (parity?.atLeast ?? []).entries()) {
    if (!floors[floor]) yield { path: ["parity", "atLeast", index], message: `the profile has no floor for \`${floor}\``, remedy: "write it: `node.kernel.min`, `node.resources[].min` or `mesh.ebpf.minVersion`" };
  }
}

function* faultsOfNames(profile: HalProfile): Iterable<SpecFault> {
  const ids = idsOf(profile);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) yield { path: [], message: `the profile has two requirements \`${twice}\``, remedy: "give each feature and each module a name of its own, and each class of resources one entry" };
  const all = [...ids, ...Object.keys(profile.fallbacks).flatMap((name) => fallbackOf(name, profile).map(({ id }) => id))];
  for (const id of Object.keys(profile.minTiers)) {
    if (!all.includes(id)) yield { path: ["minTiers", id], message: `the profile has no requirement \`${id}\``, remedy: `use one of ${named(all, 12)}` };
  }
}

/** Exemptions of a profile, or those that an assertion adds to it. */
export function* faultsOfExemptions(exemptions: readonly Exemption[], profile: HalProfile, base: Path): Iterable<SpecFault> {
  const ids = idsOf(profile);
  const names = Object.keys(profile.fallbacks);
  for (const [index, { requirement, expires, fallback }] of exemptions.entries()) {
    const path = [...base, index];
    if (!ids.includes(requirement)) yield { path: [...path, "requirement"], message: `the profile has no requirement \`${requirement}\``, remedy: `use one of ${named(ids, 20)}` };
    const time = Date.parse(`${expires}T00:00:00Z`);
    if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(expires)) yield { path: [...path, "expires"], message: `\`${expires}\` is no day`, remedy: "write the last day on which it counts, `YYYY-MM-DD`" };
    if (fallback !== undefined && !names.includes(fallback)) yield { path: [...path, "fallback"], message: `the profile has no fallback \`${fallback}\``, remedy: names.length === 0 ? "describe it under `fallbacks`" : `use one of ${named(names, 12)}` };
    if (fallback === undefined && profile.fallbackRequired) yield { path, message: `the exemption from \`${requirement}\` names no fallback`, remedy: names.length === 0 ? "describe one under `fallbacks` and name it, or write `fallbackRequired: false`" : `name one of ${named(names, 12)}, or write \`fallbackRequired: false\` in the profile` };
  }
}
