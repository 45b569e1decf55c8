import { canonical, sha256, type JsonObject } from "./json.ts";
import type { Request } from "./model.ts";
import { withoutContents } from "./asked.ts";

/** What `wasm-modules` facts say: one fact for each module that a cluster declares, and one for the place that declares them. */
export type WasmModulesFact = WasmModule | WasmPlace;

/** The object that declares a module. */
export type WasmForm = "WasmPlugin" | "TrafficExtension" | "EnvoyFilter";

/** One declared module, without what it is configured with. */
export interface WasmModule {
  readonly type: "module";
  readonly form: WasmForm;
  readonly namespace: string;
  /** Of the object. */
  readonly name: string;
  /** Of an EnvoyFilter: where in its spec the module stands, `configPatches[0]`. */
  readonly at?: string | undefined;
  /** Of an EnvoyFilter that adds an extension configuration: the name under which proxies know it. */
  readonly resource?: string | undefined;
  readonly code: WasmCode;
  /** As it stands; left out: the object does not say. */
  readonly pullPolicy?: string | undefined;
  readonly failStrategy?: string | undefined;
}

/** Where the bytes of a module come from. */
export type WasmCode =
  | {
      readonly source: "oci" | "http";
      /**
       * `oci://…` or `http(s)://…`, without user and query: those may be secret. What an image is looked up by: see {@link WasmImage.reference}.
       * A reference without a scheme is written with `oci://`.
       */
      readonly reference: string;
      /** What the declaration pins: of `oci` the digest of the manifest, of `http` that of the bytes. 64 hex digits. */
      readonly sha256?: string | undefined;
      /** The address has a user or a query, which are not kept: it cannot be fetched from here. */
      readonly hidden?: true | undefined;
      /** Who fetches it: Istio's agent, or Envoy by itself. */
      readonly by: "agent" | "envoy";
      /** Of the agent: name of the folder that it keeps the module in, 64 hex digits. Left out of a hidden address, of which it is a digest. */
      readonly folder?: string | undefined;
    }
  /** A file in the container of the proxy. */
  | { readonly source: "file"; readonly path: string }
  /** Bytes inside the object. `wasmSha256` over them, decoded. */
  | { readonly source: "inline"; readonly wasmSha256: string; readonly size: number }
  /** Code inside Envoy itself (`envoy.wasm.runtime.null`): no Wasm. */
  | { readonly source: "native"; readonly name: string }
  /** A form that this release cannot read. */
  | { readonly source: "unknown"; readonly reason: string; readonly remedy: string };

/** What is known of the place that declares modules. */
export interface WasmPlace {
  readonly type: "place";
  /** False for a folder of manifests that does not claim to be a whole dump. */
  readonly complete: boolean;
  /** Kinds of object of which such a folder holds none. */
  readonly unseen: readonly string[];
  /** The namespaces that were looked at; left out: all. */
  readonly namespaces?: readonly string[] | undefined;
}

/** What a reference resolves to. One fact for each reference that the cluster declares or has loaded; the subject is the reference. */
export interface WasmImage {
  /** As the declaration has it ({@link WasmCode}); of what is loaded `oci://REPOSITORY@sha256:…`. */
  readonly reference: string;
  /** `sha256:…` of what the reference names: an index or a manifest. Of `oci` only. */
  readonly topDigest?: string | undefined;
  /** `sha256:…` of the manifest for the platform. Of `oci` only. */
  readonly manifestDigest?: string | undefined;
  /** For whom it was read: Istio's agent, or the runtime behind a class of pods, which may find another module in the same image. Left out where only the agent is asked about. */
  readonly readAs?: "proxy" | "runtime" | undefined;
  /** For a runtime: what of the image names the module. Of an index whose images differ in this the weakest, the command. */
  readonly namedBy?: "layer" | "entrypoint" | "command" | undefined;
  /** How the image carries the module; `cncf` and `cosign` are such that Istio does not load. */
  readonly layout?: "docker" | "oci" | "solo" | "cncf" | "cosign" | undefined;
  /** Of `http`: what the module was unpacked from, the outermost first. Istio's agent unpacks these too; Envoy by itself does not. */
  readonly wrapping?: readonly ("gzip" | "tar")[] | undefined;
  /** Left out: the bytes could not be read. */
  readonly module?: WasmBytes | undefined;
  /** Left out: nobody asked, or what carries signatures could not be asked for. */
  readonly signatures?: WasmSignatures | undefined;
  /** Why the reference resolves to nothing, or its bytes cannot be read. */
  readonly failure?: WasmFailure | undefined;
}

/** Why something could not be read, in words of a gap. */
export interface WasmFailure {
  readonly kind: WasmFailureKind;
  readonly reason: string;
  readonly remedy: string;
}

/**
 * - `invalid`: the reference itself cannot be understood;
 * - `refused`: its address is one that this run may not contact;
 * - `not-found`, `unauthorized`, `throttled`, `unreachable`: what the server answers, or that it does not;
 * - `wrong-digest`: other bytes than those that were asked for;
 * - `too-large`: beyond a limit;
 * - `unsupported`: whole bytes, and no module of a form that is known.
 */
export type WasmFailureKind = "invalid" | "refused" | "not-found" | "unauthorized" | "throttled" | "unreachable" | "wrong-digest" | "too-large" | "unsupported";

/** What the bytes of a module say of themselves. */
export interface WasmBytes {
  /** 64 hex digits over the module itself, whatever wraps it: the only digest that tells modules apart. */
  readonly wasmSha256: string;
  readonly size: number;
  /** Version of the proxy-wasm interface: `0.2.1`; left out: it exports none. */
  readonly abi?: string | undefined;
  /** `component`: of the Component Model, which Envoy does not load. */
  readonly model: "core" | "component";
  /** Modules that it imports from, sorted: `env`, `wasi_snapshot_preview1`. */
  readonly imports: readonly string[];
  /** Language and compiler that it claims of itself; unsigned. */
  readonly language?: string | undefined;
  /** It carries machine code, which is what runs where it is allowed. */
  readonly precompiled?: boolean | undefined;
}

export type SignatureVerdict = "valid" | "unsigned" | "wrong-identity" | "invalid" | "expired" | "unknown";

/** What the signatures of an image say, by what the request allows. */
export interface WasmSignatures {
  /** `valid`: one signature at least is. `unknown`: they could not be asked for; never the same as `unsigned`. */
  readonly verdict: SignatureVerdict;
  /** What was looked at, the one that counts first. */
  readonly found: readonly WasmSignature[];
  /** What is signed and is no signature: a statement of another type (provenance, a list of materials). Never counts. */
  readonly attestations?: readonly WasmAttestation[] | undefined;
  /** How many more signatures and attestations there are that `found` and `attestations` do not list. */
  readonly unlisted?: number | undefined;
  /** SHA-256 of the trusted root that was used, hex; left out: none was. */
  readonly trustedRoot?: string | undefined;
  /** Why it is not `valid`. */
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
}

export interface WasmSignature {
  readonly verdict: Exclude<SignatureVerdict, "unsigned">;
  /** What it signs: the index that the reference names, or the manifest for the platform. */
  readonly on: "index" | "manifest";
  readonly form: "bundle" | "legacy";
  /** Of a certificate. */
  readonly issuer?: string | undefined;
  readonly identity?: string | undefined;
  /** Of a key: SHA-256 of its SPKI, hex. */
  readonly key?: string | undefined;
  /** Signed at this time, ISO 8601 in UTC, as a log or a time authority vouches. Left out: nobody does. */
  readonly time?: string | undefined;
  /** Address of the transparency log whose entry was checked, as the trusted root names it. */
  readonly log?: string | undefined;
  /** `sha256:…` of the manifest that carries the signature. */
  readonly digest?: string | undefined;
  readonly reason?: string | undefined;
}

/** A statement about an image that says something else than that it is signed. */
export interface WasmAttestation extends WasmSignature {
  /** As the statement has it; left out: it could not be read. */
  readonly predicateType?: string | undefined;
}

/** What `wasm-loaded` facts say: one for each module and state that proxies have, and one for the proxies that were asked. */
export type WasmLoadedFact = WasmLoaded | WasmAsked;

/** Proxies of one cluster that have the same of one module. */
export interface WasmLoaded {
  readonly type: "loaded";
  /** Name of the resource, without what releases of Istio put before and behind it: `namespace.name`. */
  readonly module: string;
  /** As the proxy has it. */
  readonly resource: string;
  readonly state: WasmState;
  /** How many proxies. */
  readonly proxies: number;
  /** `namespace/pod` of the first of them. */
  readonly example: string;
}

/** What a proxy has under the name of a module. */
export type WasmState =
  /** A file that Istio's agent fetched. `folder` is made from repository or address, `checksum` is that of the manifest (OCI) or of the bytes (HTTP). */
  | { readonly state: "loaded"; readonly folder: string; readonly checksum: string; readonly runtime: string }
  /** A file that is no module of the agent's. */
  | { readonly state: "file"; readonly path: string; readonly runtime: string }
  | { readonly state: "inline"; readonly wasmSha256: string; readonly runtime: string }
  /** Envoy fetches it by itself. */
  | { readonly state: "remote"; readonly reference: string; readonly sha256?: string | undefined; readonly runtime: string }
  | { readonly state: "native"; readonly name: string }
  /** The agent could not fetch it, and left a filter that lets all requests pass, or none. */
  | { readonly state: "failed"; readonly filter: "allow" | "deny" }
  /** The proxy knows the name and has no answer yet. */
  | { readonly state: "waiting" }
  | { readonly state: "unknown"; readonly reason: string };

export interface WasmAsked {
  readonly type: "asked";
  /** Proxies that answered. */
  readonly answered: number;
  /** Proxies that run. */
  readonly running: number;
}

/** Who may sign, and where signatures are looked for. Files come in as values: `{ path, sha256, content }`. */
export interface SignaturePolicy {
  readonly keyless?: readonly JsonObject[] | undefined;
  readonly keys?: readonly JsonObject[] | undefined;
  /** Left out: the public-good root of the release. */
  readonly trustedRoot?: JsonObject | undefined;
  /**
   * True: a signature counts with an entry in a transparency log of the trusted root only. False: also without one.
   * Left out: certificates need one where the root names a log, keys do not.
   */
  readonly log?: boolean | undefined;
  /** Left out: beside the image. */
  readonly repository?: string | undefined;
}

/** The request for what proxies have loaded; at most so many are asked in a cluster. */
export function wasmLoadedRequest(maxProbes: number): Request<"wasm-loaded"> {
  return { fact: "wasm-loaded", selector: `${maxProbes}`, options: { maxProbes } };
}

/** The request for what references resolve to; with a policy also for their signatures. The selector tells policies apart. */
export function wasmImagesRequest(policy?: SignaturePolicy): Request<"wasm-images"> {
  return policy === undefined ? { fact: "wasm-images" } : imagesRequest({ signatures: policy });
}

/**
 * The request for images of one repository, without tag and digest: those that containers in pods of runtime classes run, by the digest that their kubelets
 * report, and those that Wasm objects of the mesh name. Each is read as whoever loads it does: see {@link WasmImage.readAs}.
 */
export function wasmWorkloadsRequest(repository: string, policy?: SignaturePolicy): Request<"wasm-images"> {
  return imagesRequest({ repository, ...(policy === undefined ? {} : { signatures: policy }) });
}

function imagesRequest(asked: object): Request<"wasm-images"> {
  const options = JSON.parse(canonical(asked)) as JsonObject;
  return { fact: "wasm-images", selector: sha256(canonical(withoutContents(options))), options };
}
