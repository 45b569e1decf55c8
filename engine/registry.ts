import type { SignaturePolicy, WasmFailure, WasmImage, WasmSignatures } from "./wasm.ts";

/**
 * Registries and servers of modules, as one cluster of the fleet reaches them.
 *
 * 1. Every byte that is handed on has been checked against its digest.
 * 2. A tag is resolved once in a look; whatever follows asks for digests.
 * 3. What several clusters ask for is read once.
 * 4. What cannot be read is told in the answer. Thrown is only what ends the run.
 */
export interface RegistryApi {
  /**
   * What a reference resolves to (`oci://…`, `http://…`, `https://…`), and what its bytes say of themselves: as Istio's agent loads it for a `proxy`
   * (left out), or as the `runtime` behind a class of pods starts it.
   */
  module(reference: string, loader?: "proxy" | "runtime"): Promise<ResolvedModule>;
  /** What may sign an image, beside it or in another `repository`: bytes that nobody has judged. */
  signatures(image: SignedImage, repository?: string): Promise<SignatureMaterial>;
}

/** See {@link WasmImage}. */
export type ResolvedModule = Omit<WasmImage, "signatures">;

/** An image whose reference was resolved. */
export interface SignedImage {
  /** `oci://…`, as it was resolved. */
  readonly reference: string;
  /** `sha256:…` of the manifest for the platform. */
  readonly manifestDigest: string;
  /** `sha256:…` of what the reference names: the same, or an index. */
  readonly topDigest: string;
}

/** What may sign an image, as registries store it. */
export interface SignatureMaterial {
  readonly manifestDigest: string;
  /** Left out: the reference names the manifest itself. */
  readonly indexDigest?: string | undefined;
  /** In the order in which the registry lists them, those on the index first. */
  readonly artifacts: readonly SignatureArtifact[];
  /** Where signatures could not be looked for, or not be read: with one of these, nothing found is not unsigned. */
  readonly unread: readonly WasmFailure[];
}

/** One signature or attestation. Nothing of it is trusted: annotations are nobody's word, and `bytes` are a stranger's. */
export interface SignatureArtifact {
  /** What it is stored with: the index, or the manifest for the platform. What it really signs stands in its bytes. */
  readonly on: "index" | "manifest";
  /** A Sigstore bundle, or one layer in the form of Cosign 1 and 2: a payload with its signature in annotations, or a DSSE envelope. */
  readonly form: "bundle" | "legacy";
  /** `sha256:…` of the manifest that carries it. */
  readonly digest: string;
  /** Of `bytes`, as the manifest says it. */
  readonly mediaType: string;
  /** Of the layer; of a bundle of its manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Judges signatures. Asks nothing of the network. */
export interface SignatureVerifier {
  /** One valid signature by any allowed identity or key suffices. Never throws for what a stranger wrote. */
  verify(material: SignatureMaterial, policy: SignaturePolicy): Promise<WasmSignatures>;
}
