// generated from schema.json by `npm run generate`; do not edit

/** Every Wasm module of the mesh is the same, byte for byte, in every selected cluster, and signed by whom the assertion allows. */
export interface Spec {
  /** Modules that are judged, as `namespace/name` of the object that declares them (the common one, where `mapping` has one), with `*` and `?` as wildcards; left out: all. */
  readonly names?: readonly string[];
  /** For each cluster that names things its own way: its `namespace/name`, and the one that the others use. */
  readonly mapping: {
    readonly [k: string]: {
      readonly [k: string]: string;
    };
  };
  /** Must each module be in every cluster, or are those compared that all have? */
  readonly presence: "everywhere" | "shared";
  /** Who must have signed each module; left out: signatures are not looked at. One valid signature by any of those named suffices; it may be on the image or on the index that the reference names. */
  readonly signature?: {
    /** False: what signatures say is reported and is no fault. True wants `keyless` or `keys`. */
    readonly required: boolean;
    /** Identities in certificates of Sigstore. Each names the issuer and who it vouches for, exactly or by a pattern. */
    readonly keyless?: {
      /** The issuer of the identity, exactly. */
      readonly issuer: string;
      /** The identity, exactly. */
      readonly identity?: string;
      /** A pattern that the whole identity must fit, in the same case: `*` is any text without `/`, `**` any text, `?` one character but `/`. No regular expression. */
      readonly identityPattern?: string;
    }[];
    /** Public keys in PEM files. */
    readonly keys?: {readonly path: string; readonly sha256: string; readonly content: string}[];
    /** A `trusted_root.json` of Sigstore; left out: that of the public instance, as it was when this release was made. */
    readonly trustedRoot?: {readonly path: string; readonly sha256: string; readonly content: string};
    /** True: a signature counts with an entry in a transparency log of the trusted root only. False: also without one; a certificate then needs a time stamp. Left out: certificates need an entry where the trusted root names a log, keys do not. */
    readonly log?: boolean;
    /** Where signatures are, if they are not beside the image: `host/repository`. */
    readonly repository?: string;
  };
  /** True: a module that is named by a tag or an address alone, without a digest, is a fault. */
  readonly pinned: boolean;
  /** True: what proxies have loaded is judged too, not only what is declared. Needs the probe `admin`. */
  readonly loaded: boolean;
  /** With `loaded`: proxies that are asked in one cluster at most. */
  readonly maxProbes: number;
}
