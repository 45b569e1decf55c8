import { byText, type Fact, type WasmImage, type WasmLoaded, type WasmModule, type World } from "#engine";

type ModuleFact = Fact<"wasm-modules"> & { readonly data: WasmModule };
export type LoadedFact = Fact<"wasm-loaded"> & { readonly data: WasmLoaded };
type ImageFact = Fact<"wasm-images">;

/** One module in one cluster: what is declared, what that resolves to, and, where that was asked, what runs. */
export interface Row {
  readonly cluster: string;
  readonly fact: ModuleFact;
  readonly image?: ImageFact | undefined;
  /** Images of the cluster by reference, also those that only proxies have. */
  readonly images: ReadonlyMap<string, WasmImage>;
  /** Left out: nobody asked, or not all was seen. */
  readonly running?: Running | undefined;
  readonly bytes: Bytes;
}

interface Running {
  readonly states: readonly LoadedFact[];
  /** Proxies that answered. */
  readonly answered: number;
  readonly asked: Fact<"wasm-loaded">;
}

/** SHA-256 over the module itself, or why nobody knows it. */
type Bytes =
  | { readonly known: true; readonly sha256: string }
  /** `seen`: the declaration was read and points to bytes that cannot be observed. `unread`: something that could be read was not. `told`: a gap of the collector says it already. */
  | { readonly known: false; readonly why: "seen" | "unread" | "told"; readonly reason: string; readonly remedy: string };

/** One module over all clusters that declare it. */
export interface Module {
  /** `namespace/name`; with more behind it where one object declares several. */
  readonly name: string;
  readonly base: string;
  /** By cluster. */
  readonly rows: readonly Row[];
}

/** By cluster: its `namespace/name`, and the common one. */
export type Mapping = Readonly<Record<string, Readonly<Record<string, string>>>>;

type Wasm = World<"wasm-images" | "wasm-loaded" | "wasm-modules">;

/**
 * The modules of all clusters, by name. Objects pair by namespace and name, or what `mapping` makes of them, whatever their kind: a TrafficExtension is what a WasmPlugin becomes.
 * Where some cluster has two under one name, kind and place tell them apart everywhere: the name that an EnvoyFilter gives one, or which of its modules it is.
 */
export function modulesOf(world: Wasm, asked: { readonly loaded: boolean; readonly signed: boolean; readonly mapping: Mapping }): readonly Module[] {
  const facts = world.facts("wasm-modules").filter(isModule).filter(({ data }) => data.code.source !== "native");
  const images = new Map(world.clusters.map(({ name }) => [name, imagesOf(world, name, asked.signed)] as const));
  const running = new Map(world.clusters.map(({ name }) => [name, asked.loaded ? runningOf(world, name) : undefined] as const));
  const groups = [...Map.groupBy(facts, (fact) => baseOf(fact, asked.mapping))];
  const modules = groups.flatMap(([base, group]) => {
    const isTwice = new Set(group.map(({ cluster }) => cluster)).size < group.length;
    const named = Map.groupBy(group, (fact) => (isTwice ? `${base} (${fact.data.form}${placeOf(fact, group)})` : base));
    return [...named].map(([name, members]) => ({ name, base, rows: members.map((fact) => rowOf(fact, images, running, world)).toSorted((a, b) => byText(a.cluster, b.cluster)) }));
  });
  return modules.toSorted((a, b) => byText(a.name, b.name));
}

/** Which of the modules of its object: other patches may stand between them in one cluster and not in another. */
function placeOf({ cluster, data: { form, at, resource } }: ModuleFact, group: readonly ModuleFact[]): string {
  if (at === undefined) return "";
  const others = group.filter((other) => other.cluster === cluster && other.data.form === form);
  const isNamed = (name: string | undefined): boolean => name !== undefined && others.filter(({ data }) => data.resource === name).length === 1;
  if (resource !== undefined && isNamed(resource)) return `, ${resource}`;
  const nameless = others.filter(({ data }) => !isNamed(data.resource)).map(({ data }) => data.at ?? "");
  return `, module ${nameless.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).indexOf(at) + 1}`;
}

function isModule(fact: Fact<"wasm-modules">): fact is ModuleFact {
  return fact.data.type === "module";
}

function baseOf({ cluster, data: { namespace, name } }: ModuleFact, mapping: Mapping): string {
  return commonName(cluster, `${namespace}/${name}`, mapping);
}

function commonName(cluster: string, own: string, mapping: Mapping): string {
  const names = Object.hasOwn(mapping, cluster) ? mapping[cluster] : undefined;
  return names !== undefined && Object.hasOwn(names, own) ? (names[own] ?? own) : own;
}

/** Names under which a cluster may know a module that others know as `base`. */
export function ownNames(base: string, cluster: string, mapping: Mapping): readonly string[] {
  const names = Object.hasOwn(mapping, cluster) ? Object.entries(mapping[cluster] ?? {}) : [];
  const mapped = names.filter(([, common]) => common === base).map(([own]) => own);
  return mapped.length > 0 ? mapped : [base];
}

/** Of two facts about one reference, the one that answers this assertion's question about signatures. */
function imagesOf(world: Wasm, cluster: string, isSigned: boolean): ReadonlyMap<string, ImageFact> {
  const facts = world.facts("wasm-images", cluster).filter(({ selector }) => (selector !== undefined) === isSigned);
  return new Map(facts.map((fact) => [fact.data.reference, fact]));
}

function runningOf(world: Wasm, cluster: string): { readonly asked: Fact<"wasm-loaded">; readonly states: readonly LoadedFact[]; readonly answered: number } | undefined {
  const facts = world.facts("wasm-loaded", cluster);
  const asked = facts.find(({ data }) => data.type === "asked");
  if (asked?.data.type !== "asked") return undefined;
  return { asked, answered: asked.data.answered, states: facts.filter(isLoaded) };
}

function rowOf(fact: ModuleFact, images: ReadonlyMap<string, ReadonlyMap<string, ImageFact>>, running: ReadonlyMap<string, Running | undefined>, world: Wasm): Row {
  const { code } = fact.data;
  const mine = images.get(fact.cluster) ?? new Map<string, ImageFact>();
  const image = code.source === "oci" || code.source === "http" ? mine.get(code.reference) : undefined;
  const loaded = running.get(fact.cluster);
  return {
    cluster: fact.cluster,
    fact,
    ...(image === undefined ? {} : { image }),
    images: new Map([...mine].map(([reference, { data }]) => [reference, data])),
    ...(loaded === undefined ? {} : { running: { ...loaded, states: loaded.states.filter(({ data }) => isOf(data, fact.data)) } }),
    bytes: bytesOf(fact, image, world),
  };
}

/** Behind the name of a WasmPlugin that the control plane has made a TrafficExtension of. istio: pilot/pkg/config/kube/extensions/translate.go. */
const TRANSLATED = "~istio-translated-wasmplugin";

/** Do proxies know the module under this name? An EnvoyFilter gives the whole name, the others are named by the control plane. */
function isOf({ module: name, resource }: WasmLoaded, module: WasmModule): boolean {
  if (module.form === "EnvoyFilter") return module.resource !== undefined && resource === module.resource;
  const isTranslated = resource.endsWith(TRANSLATED);
  const isOwn = module.form === "TrafficExtension" ? !isTranslated : isTranslated || !resource.includes("/trafficextension/");
  return isOwn && name === `${module.namespace}.${module.name}`;
}

/** Modules that proxies have and that nothing in their cluster declares, under the name that the clusters have in common. */
export function undeclaredOf(world: Wasm, mapping: Mapping): readonly { readonly name: string; readonly fact: LoadedFact }[] {
  const declared = world.facts("wasm-modules").filter(isModule);
  return world.facts("wasm-loaded").filter(isLoaded).flatMap((fact) => {
    if (fact.data.state.state === "native" || declared.some(({ cluster, data }) => cluster === fact.cluster && isOf(fact.data, data))) return [];
    return [{ name: commonName(fact.cluster, fact.data.module.replace(".", "/"), mapping), fact }];
  });
}

function isLoaded(fact: Fact<"wasm-loaded">): fact is LoadedFact {
  return fact.data.type === "loaded";
}

function bytesOf({ cluster, data: { code } }: ModuleFact, image: ImageFact | undefined, world: Wasm): Bytes {
  switch (code.source) {
    case "inline":
      return { known: true, sha256: code.wasmSha256 };
    case "file":
      return { known: false, why: "seen", reason: `it is the file \`${code.path}\` in the container of the proxy, whose bytes cannot be seen`, remedy: "put the module into a registry and name it by `oci://`" };
    case "unknown":
      return { known: false, why: "unread", reason: code.reason, remedy: code.remedy };
    case "native":
      return { known: false, why: "seen", reason: "it is code of Envoy itself", remedy: "leave it out" };
    case "oci":
    case "http":
      if (code.hidden !== undefined) return { known: false, why: "unread", reason: `the address \`${code.reference}\` has a user or a query, which are not kept`, remedy: "put the module into a registry, and credentials into a pull secret" };
      return imageBytes(code.reference, image, world.complete("wasm-images", cluster));
    default:
      return code satisfies never;
  }
}

function imageBytes(reference: string, image: ImageFact | undefined, isComplete: boolean): Bytes {
  const { module, failure } = image?.data ?? {};
  if (module !== undefined) return { known: true, sha256: module.wasmSha256 };
  if (failure !== undefined) return { known: false, why: "unread", reason: failure.reason, remedy: failure.remedy };
  return { known: false, why: isComplete ? "unread" : "told", reason: `what \`${reference}\` stands for was not read`, remedy: "look again" };
}
