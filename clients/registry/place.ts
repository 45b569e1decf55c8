import type { KubernetesApi, RegistryApi } from "#engine";

/** How the fleet lets one cluster reach registries. */
export interface RegistrySettings {
  /** Docker configuration files; absolute. */
  readonly credentials: readonly string[];
  /** `namespace/name` of Secrets. */
  readonly pullSecrets: readonly string[];
  readonly plainHttp: readonly string[];
  /** From a registry to the one that is asked in its place. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** Hosts that may have a private address. */
  readonly privateHosts: readonly string[];
}

/** What the client takes from the process around it; one for all clusters of a look. */
export interface RegistryRun {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** True: the fleet file comes from a stranger's commit. */
  readonly untrusted: boolean;
}

/** One cluster of the look. */
export interface RegistryVisit {
  readonly settings: RegistrySettings;
  /** Every wait ends with it; a CollectError as its reason is what callers then see. */
  readonly signal: AbortSignal;
  /** Its API, for pull secrets. */
  kubernetes(): Promise<KubernetesApi>;
}

/** The registries of one look. */
export interface Registries {
  /** As one cluster reaches them. Asks nothing yet. */
  visit(visit: RegistryVisit): RegistryApi;
}

/** Sizes, numbers and times; a test sets its own. */
export interface RegistryLimits {
  readonly manifestBytes: number;
  readonly bundleBytes: number;
  readonly payloadBytes: number;
  readonly tokenBytes: number;
  /** Of a layer as it travels, and of what it unpacks to: what Istio's agent allows. */
  readonly moduleBytes: number;
  /** Signatures in one manifest of Cosign 1 and 2. */
  readonly layers: number;
  readonly referrers: number;
  readonly pages: number;
  readonly redirects: number;
  readonly connectMs: number;
  /** Until the first byte of an answer, and between two of its parts. */
  readonly answerMs: number;
  /** For one whole answer. */
  readonly requestMs: number;
  /** How often a question is asked again that a server was too busy for. */
  readonly retries: number;
  readonly retryMs: number;
  /** The longest `Retry-After` that is waited for. */
  readonly longestRetryMs: number;
  /** For a program that gives credentials. */
  readonly helperMs: number;
}

const MIB = 1 << 20;

export const defaultRegistryLimits: RegistryLimits = {
  manifestBytes: 4 * MIB,
  bundleBytes: 4 * MIB,
  payloadBytes: MIB,
  tokenBytes: MIB,
  moduleBytes: 256 * MIB,
  layers: 100,
  referrers: 500,
  pages: 20,
  redirects: 5,
  connectMs: 10_000,
  answerMs: 30_000,
  requestMs: 180_000,
  retries: 3,
  retryMs: 500,
  longestRetryMs: 10_000,
  helperMs: 30_000,
};
