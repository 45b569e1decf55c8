import type { Fact, WasmCode, WasmImage, WasmLoaded, WasmModule, WasmPlace, WasmSignatures, WasmState } from "#engine";

/** 64 times one digit: digests that a reader can tell apart. */
export const h = (digit: string): string => digit.repeat(64);

function fact<K extends "wasm-modules" | "wasm-images" | "wasm-loaded">(kind: K, cluster: string, subject: string, data: Fact<K>["data"], more: Partial<Fact<K>> = {}): Fact<K> {
  return { type: "fact", kind, cluster, subject, data, source: { collector: "test", locator: `/${cluster}/${subject}` }, ...more };
}

/** What declares modules in a cluster was seen, whole unless `more` says otherwise. */
export function place(cluster: string, more: Partial<WasmPlace> = {}): Fact<"wasm-modules"> {
  return fact("wasm-modules", cluster, "place", { type: "place", complete: true, unseen: [], ...more });
}

/** A module of the agent's; a text in place of the code is the reference of an image. */
export function module(cluster: string, name: string, code: string | WasmCode, more: Partial<WasmModule> = {}): Fact<"wasm-modules"> {
  const [namespace = "", own = ""] = name.split("/");
  const data: WasmModule = { type: "module", form: "WasmPlugin", namespace, name: own, code: typeof code === "string" ? { source: "oci", reference: code, by: "agent", folder: h("f") } : code, ...more };
  return fact("wasm-modules", cluster, `${data.form} ${name} ${data.at ?? ""}`, data);
}

type ImageParts = Partial<Omit<WasmImage, "reference" | "signatures">> & { readonly manifest?: string; readonly top?: string; readonly wasm?: string; readonly signatures?: WasmSignatures };

/** What a reference resolves to; `manifest`, `top` and `wasm` are digits of digests. */
export function image(cluster: string, reference: string, { manifest, top, wasm, signatures, ...more }: ImageParts): Fact<"wasm-images"> {
  const data: WasmImage = {
    reference,
    ...(manifest === undefined ? {} : { topDigest: `sha256:${h(top ?? manifest)}`, manifestDigest: `sha256:${h(manifest)}`, layout: "oci" }),
    ...(wasm === undefined ? {} : { module: { wasmSha256: h(wasm), size: 1000, abi: "0.2.1", model: "core", imports: ["env"] } }),
    ...(signatures === undefined ? {} : { signatures }),
    ...more,
  };
  return fact("wasm-images", cluster, reference, data, signatures === undefined ? {} : { selector: SIGNED });
}

/** Stands in for the selector that a policy has; tests that have one replace it. */
export const SIGNED = "signed";

/** Proxies that have one state of a module. */
export function loaded(cluster: string, name: string, state: WasmState, proxies = 1, more: Partial<WasmLoaded> = {}): Fact<"wasm-loaded"> {
  const resource = name.replace("/", ".");
  return fact("wasm-loaded", cluster, `${name} ${JSON.stringify(state)}`, { type: "loaded", module: resource, resource, state, proxies, example: "shop/cart-0", ...more }, { selector: "500" });
}

/** How many proxies of a cluster answered. */
export function asked(cluster: string, answered: number): Fact<"wasm-loaded"> {
  return fact("wasm-loaded", cluster, "asked", { type: "asked", answered, running: answered }, { selector: "500" });
}
