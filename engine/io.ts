import type { FactKind } from "./facts.ts";
import type { FieldMask } from "./field-mask.ts";
import type { Fact, Source } from "./model.ts";
import type { RegistryApi, SignatureVerifier } from "./registry.ts";

/** What goes beyond reading objects; none is allowed unless the fleet says so. */
export type Probe = "metrics" | "admin" | "nodes";

/** All that a collector may touch. One per collector and cluster. */
export interface Io {
  /** Ends with the run or with the cluster's budget; every wait must listen to it. */
  readonly signal: AbortSignal;
  /** The cluster's API server, or a folder of manifests behind the same face. Throws CollectError. */
  kubernetes(): Promise<KubernetesApi>;
  allows(probe: Probe): boolean;
  /** YAML that stands inside an object, read as the cluster's own programs do: plain JSON, bounded. Throws CollectError that names `what`. */
  yaml(text: string, what: string): Promise<unknown>;
  /** The places that the fleet names under `terraform:` of this cluster, in its order; empty: it names none. Asks nothing yet. */
  states(): readonly StateSource[];
  /** Registries and servers of modules, as the fleet lets this cluster reach them. Asks nothing yet. */
  registry(): RegistryApi;
  /** Judges what a registry holds as signatures. */
  signatures(): SignatureVerifier;
  /** Facts of earlier stages: those that the collector named in `after`. */
  facts<K extends FactKind>(kind: K): readonly Fact<K>[];
  /** A short line for somebody who waits (`12,000 pods`). */
  progress(text: string): void;
}

/** A resource type. `versions` in order of preference; `group` is `""` for the core API. */
export interface Resource {
  readonly group: string;
  readonly versions: readonly string[];
  /** Lower-case plural, as in the path: `virtualservices`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** An object as the API server sent it; nothing of it is trusted, fields are read through checks. */
export interface KubeObject {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: unknown;
  readonly [field: string]: unknown;
}

export interface Page {
  /** Each with `apiVersion` and `kind`, also where the API server leaves them out of a list. */
  readonly items: readonly KubeObject[];
  /**
   * Set where the list began anew because the server no longer kept its version (410 Gone): whatever earlier pages of
   * this list said is void, for a mix of two versions could show a renamed object twice or not at all. Happens once at most.
   */
  readonly restarted?: true;
  /** Where one of `items` was read. */
  source(item: KubeObject): Omit<Source, "collector">;
}

/** One place that holds Kubernetes objects. Every method throws CollectError and listens to the signal it was opened with. */
export interface KubernetesApi {
  readonly place: "live" | "manifests";
  /** Of a folder of manifests: it claims to be the whole dump of a cluster. */
  readonly complete?: boolean | undefined;
  /** The namespaces that are listed; left out: all. */
  readonly namespaces?: readonly string[] | undefined;
  /**
   * All objects of a resource, page by page, memory bounded by one page. A resource that the API does not serve is an empty list.
   * With `namespaces` given for the cluster only those are listed.
   */
  list(resource: Resource, options?: ListOptions): AsyncIterable<Page>;
  /** One object, or undefined where there is none. `namespace` is "" for cluster-scoped resources. */
  get(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** False when this place does not serve the resource at all. */
  serves(resource: Resource): Promise<boolean>;
  /** True where a folder of manifests that is not `complete` holds no object of this resource: unseen, not empty. */
  unseen(resource: Resource): Promise<boolean>;
  /** Looks a kind up that nobody has heard of before. */
  find(apiVersion: string, kind: string): Promise<FoundKind>;
  /** The schema of a kind, in one version of its group. */
  schemaOf(resource: Resource, version: string): Promise<FoundSchema>;
  /** `gitVersion` of `/version`; undefined for manifests. */
  serverVersion(): Promise<string | undefined>;
  /** SHA-256 of the configured certificate authority, DER; undefined where the system's roots are used. */
  readonly caSha256?: string | undefined;
  /** Host of the configured server, lower case, without port; undefined for manifests. */
  readonly host?: string | undefined;
  /** GET through the API server's pod proxy (needs `get pods/proxy`). At most `limit` bytes, and so many milliseconds, where the connection's own limit is too generous. */
  podGet(pod: PodAddress, port: number, path: string, limit: number, withinMs?: number): Promise<string>;
  /** Standard output of a command in a container (needs `create pods/exec`). At most `limit` bytes. */
  podExec(pod: PodAddress, container: string, command: readonly string[], limit: number): Promise<string>;
  /** The name that the API server knows this identity by; undefined for manifests, or where the server does not tell. */
  whoAmI(): Promise<string | undefined>;
  /** May this identity do it? Asked of the API server (SelfSubjectAccessReview); true for manifests. */
  may(permission: Permission): Promise<boolean>;
}

export interface ListOptions {
  /** Everything but `metadata` may be left out. */
  readonly metadataOnly?: boolean;
  /** What the reader looks at: all other fields of an object may be left out, and cost less where they are. */
  readonly fields?: FieldMask;
}

/** What an API knows of a kind. */
export interface FoundKind {
  /** Left out where the API does not serve the kind in this version. */
  readonly resource?: Resource | undefined;
  /** Versions of the group in which the kind is served; empty: in none. */
  readonly versions: readonly string[];
  /** Kinds that are served in the group and version. */
  readonly kinds: readonly string[];
}

export interface FoundSchema {
  /** OpenAPI v3 of the kind, with `components.schemas` for what it refers to; left out where this place holds none. */
  readonly schema?: { readonly root: unknown; readonly document: unknown } | undefined;
  /** True when an API server wrote the objects, so that defaults stand in them. */
  readonly written: boolean;
}

/** One right of a Kubernetes role. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  /** With subresource: `pods/proxy`. */
  readonly resource: string;
  /** Left out: in all namespaces. */
  readonly namespace?: string | undefined;
  /** Left out: all objects; a role may name the ones it allows (`resourceNames`). */
  readonly name?: string | undefined;
}

/** One place that declares clusters: a Terraform state, wherever it is kept. */
export interface StateSource {
  /** As a report names it: a file, a URL or the name of a program; unique within the cluster, without a secret. */
  readonly name: string;
  /** The cluster's id or name in its cloud, where the state holds several. */
  readonly cluster?: string | undefined;
  /** The lineage that the state must have, where the fleet pins one. */
  readonly lineage?: string | undefined;
  /** The state as it is kept now; each call reads again. Throws CollectError, without a secret in it. */
  read(): Promise<StateBytes>;
}

/** A state as its backend keeps it, whole. It holds secrets: nothing of it may leave whoever parses it but what is on a list. */
export interface StateBytes {
  /** Unpacked where the backend packs it; empty: the backend says that no state was written yet. */
  readonly bytes: Uint8Array;
  /** Where it was read, without a secret; more exact than the source's name where that names a folder. */
  readonly locator: string;
  /** SHA-256 of `bytes`, hex. */
  readonly sha256: string;
  /** When it was last written, as the backend says; ISO 8601 in UTC. Left out: it does not say. */
  readonly modified?: string | undefined;
  /** Somebody holds its lock, so that it may change now. Left out: the backend does not tell, or this identity may not know. */
  readonly locked?: boolean | undefined;
}

export interface PodAddress {
  readonly namespace: string;
  readonly name: string;
}

