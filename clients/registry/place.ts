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
interface RegistryVisit {
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
