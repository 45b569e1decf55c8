import { wasmWorkloadsRequest, type Fact, type Request, type WasmImage } from "#engine";
import { isOfRepository, workloadReference } from "#values";
import type { HalProfile } from "./profile.ts";
import { named, onCluster, type Draft } from "./rules.ts";
import { policyOf, signerText } from "./signer.ts";
import { fail, pass, unknown, type Seen, type Tier } from "./tiers.ts";
import type { ClusterView } from "./view.ts";

type Module = NonNullable<HalProfile["modules"]>[number];
type Class = NonNullable<NonNullable<HalProfile["runtime"]>["runtimeClass"]>;

/** What a profile asks of Wasm modules; `prefix` stands before the ids. */
export function moduleRules(modules: readonly Module[], runtimeClass: Class | undefined, prefix = ""): readonly Draft[] {
  return modules.map((module) => ({ id: `${prefix}modules.${module.name}`, wanted: wantedOf(module), rule: onCluster((view) => seeModule(view, module, runtimeClass)) }));
}

function wantedOf({ image, digest, sha256, signer, requiredImports = [], forbiddenImports = [] }: Module): string {
  const parts = [
    ...(digest === undefined ? [] : [`at ${short(digest)}`]),
    ...(sha256 === undefined ? [] : [`with the bytes ${short(sha256)}`]),
    ...(requiredImports.length === 0 ? [] : [`that imports ${requiredImports.join(", ")}`]),
    ...(forbiddenImports.length === 0 ? [] : [`that does not import ${forbiddenImports.join(", ")}`]),
    ...(signer === undefined ? [] : [`signed by ${signerText(signer)}`]),
  ];
  return `the module of ${image}${parts.length === 0 ? "" : ` ${parts.join(", ")}`}`;
}

/** The request for what a module's image holds, and for who signed it where the profile says who must have. */
export function moduleRequest({ image, signer }: Module): Request<"wasm-images"> {
  return wasmWorkloadsRequest(image, policyOf(signer));
}

/** One image of a module: what shows it, and what the registry says of it. */
interface Found {
  readonly fact: Fact;
  /** A pod runs it, or an object declares it. */
  readonly tier: Tier;
  /** Left out: its kubelet does not report it yet, or nothing resolved the tag. */
  readonly digest?: string | undefined;
  readonly image?: WasmImage | undefined;
  /** Pods start it with words of their own: the module that the registry gives need not be what runs. */
  readonly isOverridden?: boolean | undefined;
}

function seeModule(view: ClusterView, module: Module, runtimeClass: Class | undefined): Seen {
  const found = foundOf(view, module, runtimeClass);
  if (found.length === 0) return seeNone(view, module, runtimeClass);
  const seen = found.map((each) => seeOne(each, module));
  const wrong = seen.find(({ outcome }) => outcome === "fail") ?? seen.find(({ outcome }) => outcome === "unknown");
  return wrong ?? alike(found, seen, module);
}

/** Images that are the same, by their bytes where these were read, else by their digests. */
function alike(found: readonly Found[], seen: readonly Seen[], { name, image }: Module): Seen {
  const [fact, tier] = [found[0]?.fact, seen.every(({ tier: each }) => each === "T3") ? ("T3" as const) : ("T1" as const)];
  const digests = [...new Set(found.map(({ digest }) => digest ?? ""))].toSorted();
  const bytes = new Set(found.map(runningBytes));
  const [sha256] = bytes;
  const areSame = digests.length === 1 || (bytes.size === 1 && sha256 !== undefined);
  const text = `${digests.map(short).join(" and ")}${sha256 === undefined || bytes.size > 1 ? "" : `, bytes ${short(sha256)}`}`;
  const signers = new Set(found.map(whoSigned));
  const [signer] = signers;
  const values = { [`module ${name}`]: digests.join(" and "), ...(signers.size === 1 && signer !== undefined ? { [`signer ${name}`]: signer } : {}), ...(bytes.size === 1 && sha256 !== undefined ? { [`bytes ${name}`]: sha256 } : {}) };
  if (areSame) return pass(tier, text, { fact, values });
  if (bytes.has(undefined)) return unknown(text, `roll out one digest of \`${image}\`: two of them may be the same module for two platforms, and the bytes of both were not read`, { fact });
  return fail(tier, `${bytes.size} different modules: ${text}`, `roll out one of them wherever \`${image}\` runs`, { fact });
}

/** All whose valid signatures count, in whatever order they were found; a key by its digest. */
function whoSigned({ image }: Found): string | undefined {
  const valid = image?.signatures?.found.filter(({ verdict }) => verdict === "valid") ?? [];
  const names = valid.flatMap(({ identity, key }) => identity ?? (key === undefined ? [] : `key ${key}`));
  return names.length === 0 ? undefined : [...new Set(names)].toSorted().join(" and ");
}

/** SHA-256 of the module that is started, where the image alone tells which. */
function runningBytes({ image, isOverridden }: Found): string | undefined {
  return isOverridden === true ? undefined : image?.module?.wasmSha256;
}

/** In no pod that is ready, and in no object of the mesh. */
function seeNone(view: ClusterView, { image }: Module, runtimeClass: Class | undefined): Seen {
  const isWhole = view.complete("node-agents") && view.complete("wasm-modules");
  if (!isWhole) return unknown("in no pod of the class that is ready, as far as was seen", "repair what the gap names");
  const elsewhere = view.pods.find(({ fact: { data } }) => data.images?.some((each) => isOfRepository(each.image, image)) === true);
  if (elsewhere !== undefined) return unknown(`in no pod of ${runtimeClass === undefined ? "a runtime class" : `the class ${runtimeClass.name}`} that is ready on these nodes`, "look at its pods: they run elsewhere, or are not ready", { fact: elsewhere.fact });
  if (view.unseenMeshKinds.length > 0) return unknown(`in no pod, and the manifests hold no ${named(view.unseenMeshKinds)}`, "write `complete: true` if the folder is the whole dump of the cluster");
  return fail("T1", "in no pod of a runtime class, and in no Wasm object of the mesh", `run \`${image}\` in pods of the class, or take the module out of the profile`);
}

function foundOf(view: ClusterView, module: Module, runtimeClass: Class | undefined): readonly Found[] {
  const { selector } = moduleRequest(module);
  const imageAt = (reference: string, readAs: "proxy" | "runtime"): WasmImage | undefined => view.images.find((fact) => fact.selector === selector && fact.data.reference === reference && fact.data.readAs === readAs)?.data;
  const pods = view.pods.filter(({ fact: { data }, runningOn }) => data.type === "class-pods" && (runtimeClass === undefined || data.name === runtimeClass.name) && view.nodes.some(({ node }) => runningOn.has(node.name)));
  const inPods = pods.flatMap(({ fact }) =>
    (fact.data.images ?? []).flatMap(({ image, imageId, ready, asBuilt, ownArguments }): readonly Found[] => {
      if (ready === 0 || !isOfRepository(image, module.image)) return [];
      const reference = workloadReference(image, imageId, module.image);
      const held = reference === undefined ? undefined : imageAt(reference, "runtime");
      // arguments stand behind an entry point, and in place of a command
      const isStarted = asBuilt === true || (ownArguments === true && (held?.namedBy === "entrypoint" || held?.namedBy === "layer"));
      return [{ fact, tier: "T3", digest: imageId, image: held, isOverridden: !isStarted }];
    }),
  );
  const inMesh = view.meshModules.flatMap((fact): readonly Found[] => {
    const { code } = fact.data;
    if (code.source !== "oci" || !isOfRepository(code.reference, module.image)) return [];
    const image = imageAt(code.reference, "proxy");
    return [{ fact, tier: "T1", digest: image?.topDigest ?? code.reference.split("@")[1], image }];
  });
  return [...inPods, ...inMesh];
}

function seeOne(found: Found, module: Module): Seen {
  const { fact, tier, digest, image } = found;
  if (digest === undefined) return unknown("without a digest", tier === "T3" ? "wait until a kubelet reports what its containers run" : (image?.failure?.remedy ?? "name the module by its digest"), { fact });
  const text = short(digest);
  const values = { [`module ${module.name}`]: digest };
  const more = { fact, values };
  const digests = new Set([digest, image?.topDigest, image?.manifestDigest]);
  if (module.digest !== undefined && !digests.has(module.digest)) {
    if (image?.manifestDigest === undefined) return unknown(text, `write \`digest: ${digest}\` if that is the one: an index and its image differ, and ${whyUnread(image)}`, more);
    return fail(tier, text, `roll out ${short(module.digest)}, or write the digest that is meant into the profile`, more);
  }
  return seeBytes(found, module) ?? seeSigner(found, module) ?? pass(tier, text, more);
}

/** Undefined: as wanted, or nothing is asked. */
function seeBytes({ fact, tier, digest = "", image, isOverridden }: Found, { name, sha256, requiredImports, forbiddenImports }: Module): Seen | undefined {
  const asked = [sha256 === undefined ? [] : ["sha256"], requiredImports === undefined ? [] : ["requiredImports"], forbiddenImports === undefined ? [] : ["forbiddenImports"]].flat();
  if (asked.length === 0) return undefined;
  const more = { fact, values: { [`module ${name}`]: digest } };
  if (isOverridden === true) return unknown(`${short(digest)}, started with words of the pod's own`, "leave `command` out of these containers, and `args` too unless the image names the module in its entry point: then the image tells what runs", more);
  const bytes = image?.module;
  if (bytes === undefined) return unknown(`${short(digest)}, ${asked.join(", ")} not looked at`, `${image?.failure?.remedy ?? "look again"}: ${whyUnread(image)}`, more);
  const has = `${short(digest)}, bytes ${short(bytes.wasmSha256)}`;
  if (sha256 !== undefined && bytes.wasmSha256 !== sha256) return fail(tier, has, `roll out the module whose bytes are ${short(sha256)}, or correct \`sha256\` in the profile`, more);
  const lacking = (requiredImports ?? []).filter((each) => !bytes.imports.includes(each));
  if (lacking.length > 0) return fail(tier, `${has}, imports ${bytes.imports.length === 0 ? "nothing" : bytes.imports.slice(0, 8).join(", ")}`, `build it so that it imports from ${named(lacking)}`, more);
  const forbidden = (forbiddenImports ?? []).filter((each) => bytes.imports.includes(each));
  return forbidden.length === 0 ? undefined : fail(tier, `${has}, imports ${forbidden.join(", ")}`, `build it without imports from ${named(forbidden)}`, more);
}

/** Undefined: signed as wanted, or nobody asks. */
function seeSigner({ fact, tier, digest = "", image }: Found, { name, signer }: Module): Seen | undefined {
  if (signer === undefined) return undefined;
  const more = { fact, values: { [`module ${name}`]: digest } };
  const signatures = image?.signatures;
  if (signatures === undefined || signatures.verdict === "unknown") return unknown(`${short(digest)}, signature not read`, `${signatures?.remedy ?? image?.failure?.remedy ?? "look again"}: ${signatures?.reason ?? whyUnread(image)}`, more);
  if (signatures.verdict === "valid") return undefined;
  const [first] = signatures.found;
  const who = signatures.verdict === "wrong-identity" && first?.identity !== undefined ? `: ${first.identity}` : "";
  return fail(tier, `${short(digest)}, ${signatures.verdict.replace("-", " ")}${who}`, signatures.remedy ?? `have it signed by ${signerText(signer)}`, more);
}

function whyUnread(image: WasmImage | undefined): string {
  return image?.failure?.reason ?? "the registry was not asked";
}

function short(digest: string): string {
  return digest.startsWith("sha256:") ? digest.slice(0, 19) : digest.slice(0, 12);
}
