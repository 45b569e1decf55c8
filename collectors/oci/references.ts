import { byText, type Fact, type WasmCode } from "#engine";
import { isOfRepository, ociReferenceTo, parseOciReference, workloadReference } from "#values";

/**
 * Everything that must be asked for, each once, sorted: what modules declare, and the images that proxies have loaded, by the digest under which they keep them.
 * The folder of a loaded module tells which declared repository it came from; of another folder nobody knows the repository.
 */
export function references(modules: readonly Fact<"wasm-modules">[], loaded: readonly Fact<"wasm-loaded">[]): readonly string[] {
  const codes = modules.flatMap(({ data }) => (data.type === "module" ? [data.code] : []));
  const folders = new Map(codes.flatMap((code) => (code.source === "oci" && code.folder !== undefined ? [[code.folder, code.reference] as const] : [])));
  const running = loaded.flatMap(({ data }) => {
    if (data.type !== "loaded" || data.state.state !== "loaded") return [];
    const parsed = parseOciReference(folders.get(data.state.folder) ?? "");
    return parsed === undefined ? [] : [ociReferenceTo(parsed, `sha256:${data.state.checksum}`)];
  });
  return [...new Set([...codes.flatMap(addressOf), ...running])].toSorted(byText);
}

/** The images of a repository, each list sorted: of pods of runtime classes by what kubelets report, and what modules of the mesh declare. */
export function workloads(repository: string, modules: readonly Fact<"wasm-modules">[], agents: readonly Fact<"node-agents">[]): { readonly inPods: readonly string[]; readonly inMesh: readonly string[] } {
  const inPods = agents.flatMap(({ data }) => (data.type === "agent" ? [] : (data.images ?? []))).flatMap(({ image, imageId }) => workloadReference(image, imageId, repository) ?? []);
  const inMesh = modules.flatMap(({ data }) => (data.type === "module" && data.code.source === "oci" && isOfRepository(data.code.reference, repository) ? addressOf(data.code) : []));
  return { inPods: [...new Set(inPods)].toSorted(byText), inMesh: [...new Set(inMesh)].toSorted(byText) };
}

/** A place with a secret in its address cannot be asked from here. */
function addressOf(code: WasmCode): readonly string[] {
  return (code.source === "oci" || code.source === "http") && code.hidden === undefined ? [code.reference] : [];
}
