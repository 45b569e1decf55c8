import type { SignedEntity, Signer, toTrustMaterial } from "@sigstore/verify";

/** The libraries of Sigstore. */
export interface SigstoreModules {
  readonly verify: typeof import("@sigstore/verify");
  readonly bundle: typeof import("@sigstore/bundle");
  readonly specs: typeof import("@sigstore/protobuf-specs");
}

/** Their types that their faces do not name. */
type TrustMaterial = ReturnType<typeof toTrustMaterial>;
export type TLogAuthority = TrustMaterial["tlogs"][number];
export type CertAuthority = TrustMaterial["certificateAuthorities"][number];
export type SignatureContent = SignedEntity["signature"];
export type CertificateIdentity = NonNullable<Signer["identity"]>;
export type LogEntry = SignedEntity["tlogEntries"][number];

let loaded: Promise<SigstoreModules> | undefined;

/** Imports them once, where the first signature is judged (about 35 ms). */
export function sigstore(): Promise<SigstoreModules> {
  loaded ??= Promise.all([import("@sigstore/verify"), import("@sigstore/bundle"), import("@sigstore/protobuf-specs")]).then(([verify, bundle, specs]) => ({ verify, bundle, specs }));
  return loaded;
}
