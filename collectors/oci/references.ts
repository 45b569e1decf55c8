import { byText, type Fact, type WasmCode } from "#engine";
import { ociReferenceTo, parseOciReference } from "#values";

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

/** A place with a secret in its address cannot be asked from here. */
function addressOf(code: WasmCode): readonly string[] {
  return (code.source === "oci" || code.source === "http") && code.hidden === undefined ? [code.reference] : [];
}
