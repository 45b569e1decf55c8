import { byText, canonical, defineKind, gap, info, judged, wasmImagesRequest, wasmLoadedRequest, type Gap, type Judgement, type JsonObject, type SignaturePolicy, type SpecFault, type World } from "#engine";
import { identityFaults, identityPatternRisk, matchesGlob } from "#values";
import { differ, same, unread } from "./bytes.ts";
import { faultsOfRows } from "./declared.ts";
import { lackingOf, missing, places } from "./presence.ts";
import { modulesOf, undeclaredOf, type Module } from "./rows.ts";
import { faultsOfRunning, undeclared } from "./running.ts";
import { faultsOfSignatures } from "./signing.ts";
import type { Spec } from "./spec.ts";
import { tableOf, type Compared } from "./table.ts";

type Needed = "wasm-images" | "wasm-loaded" | "wasm-modules";

export default defineKind({
  name: "WasmIdentical",
  summary: "every Wasm module is the same bytes in every cluster",
  judges: ["module", "modules"],
  needs: (spec: Spec) => [{ fact: "wasm-modules" }, wasmImagesRequest(policyOf(spec)), ...(spec.loaded ? [wasmLoadedRequest(spec.maxProbes)] : [])],
  check: faultsIn,

  *judge(spec: Spec, world: World<Needed>) {
    if (world.clusters.length < 2) yield needsTwo(world.clusters.map(({ name }) => name));
    yield* places(world);
    const modules = modulesOf(world, { loaded: spec.loaded, signed: spec.signature !== undefined, mapping: spec.mapping }).filter(({ base }) => isNamed(base, spec));
    const compared = modules.map((module): Compared => ({ module, lacking: lackingOf(module, world, spec.mapping), own: [...ownJudgements(module, spec)] }));
    for (const { module, lacking, own } of compared) {
      if (spec.presence === "everywhere") yield* missing(module, lacking, world, spec.mapping);
      yield* own;
      const telling = differ(module) ?? same(module);
      if (telling !== undefined) yield telling;
    }
    if (spec.loaded) for (const { name, fact } of undeclaredOf(world, spec.mapping)) if (isNamed(name, spec)) yield undeclared(name, fact);
    const isLacking = ({ lacking: { absent, open } }: Compared): boolean => absent.length + open.length > 0;
    yield judged(compared.filter((each) => each.module.rows.length > 1 || (spec.presence === "everywhere" && isLacking(each))).length);
    const partial = spec.presence === "shared" ? compared.filter(isLacking).map(({ module }) => module.name) : [];
    if (partial.length > 0) yield listed(partial);
    if (compared.length > 0) yield tableOf(compared, world.clusters.map(({ name }) => name), spec.presence);
    yield* natives(world);
    yield* risksOf(spec);
  },
});

function isNamed(name: string, { names }: Spec): boolean {
  return names === undefined || names.some((glob) => matchesGlob(glob, name));
}

/** What is to be said of a module in the clusters that have it, but for how their bytes compare. */
function* ownJudgements(module: Module, spec: Spec): Iterable<Judgement> {
  yield* faultsOfRows(module, spec);
  yield* spec.signature === undefined ? [] : faultsOfSignatures(module, spec.signature.required);
  if (spec.loaded) yield* faultsOfRunning(module);
  yield* unread(module);
}

/** What signatures are judged by, where the bytes are read. */
function policyOf({ signature }: Spec): SignaturePolicy | undefined {
  if (signature === undefined) return undefined;
  const { required: _required, ...policy } = signature;
  return JSON.parse(canonical(policy)) as SignaturePolicy & JsonObject;
}

function* faultsIn({ signature }: Spec): Iterable<SpecFault> {
  if (signature === undefined) return;
  if (signature.keyless === undefined && signature.keys === undefined) {
    yield {
      path: ["signature"],
      message: "`signature` names nobody who may sign",
      remedy: "add `keyless: [{ issuer: https://token.actions.githubusercontent.com, identity: https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@refs/heads/main }]` or `keys: [FILE]`, or leave `signature` out",
    };
  }
  for (const [index, named] of (signature.keyless ?? []).entries()) {
    for (const fault of identityFaults(named)) yield { ...fault, path: ["signature", "keyless", index, ...fault.path] };
  }
}

/** Patterns that let more sign than one would think. */
function* risksOf({ signature }: Spec): Iterable<Judgement> {
  for (const { identityPattern } of signature?.keyless ?? []) {
    const risky = identityPattern === undefined ? undefined : identityPatternRisk(identityPattern);
    if (identityPattern !== undefined && risky !== undefined) yield info({ subject: identityPattern, cause: "wide pattern", message: `the pattern \`${identityPattern}\` ${risky.risk}`, remedy: risky.remedy, evidence: [] });
  }
}

function needsTwo(clusters: readonly string[]): Gap {
  return gap({
    subject: clusters[0] ?? "the fleet",
    reason: `modules are compared between clusters, and the assertion selects ${clusters.length === 0 ? "none" : `only \`${clusters[0]}\``}`,
    remedy: "select two clusters or more in `spec.clusters`",
  });
}

function listed(names: readonly string[]): Judgement {
  const shown = names.slice(0, 10).map((name) => `\`${name}\``).join(", ");
  return info({
    subject: "modules that not all have",
    cause: "not shared",
    message: `${names.length} ${names.length === 1 ? "module is" : "modules are"} not in every cluster: ${shown}${names.length > 10 ? ", …" : ""}`,
    remedy: "they were compared among the clusters that have them; with `presence: everywhere` each is a fault",
    evidence: [],
  });
}

/** Code inside Envoy that is configured like a module. */
function* natives(world: World<Needed>): Iterable<Judgement> {
  const found = world.facts("wasm-modules").flatMap(({ cluster, data }) => (data.type === "module" && data.code.source === "native" ? [`\`${data.namespace}/${data.name}\` in \`${cluster}\``] : []));
  if (found.length === 0) return;
  yield info({
    subject: "native code",
    cause: "native",
    message: `${found.length} ${found.length === 1 ? "filter is" : "filters are"} written like a Wasm module and ${found.length === 1 ? "is" : "are"} code of Envoy itself: ${found.toSorted(byText).slice(0, 5).join(", ")}${found.length > 5 ? ", …" : ""}`,
    remedy: "nothing to do: it comes with the proxy, whose release `EnvoyVersionSkew` judges",
    evidence: [],
  });
}
