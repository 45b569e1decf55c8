/** Where the objects of one cluster are read. Paths are absolute, or start with `~/`. */
export type KubernetesPlace = (
  | {
      readonly form: "kubeconfig";
      /** A path; left out: the list in `$KUBECONFIG`, else `~/.kube/config`. */
      readonly kubeconfig?: string | undefined;
      /** Left out: the kubeconfig's `current-context`. */
      readonly context?: string | undefined;
    }
  | { readonly form: "inCluster" }
  | { readonly form: "server"; readonly server: string; readonly ca?: string | undefined; readonly tokenFile: string }
  | { readonly form: "manifests"; readonly dir: string; /** The folder as the user knows it, for sources and errors; left out: `dir`. */ readonly shown?: string; readonly complete: boolean }
) & {
  /** List namespaced resources in these only, one by one; for an identity that may list no further. */
  readonly namespaces?: readonly string[] | undefined;
};

/** What a client takes from the process around it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Every wait ends with it; a CollectError as its reason is what callers then see. */
  readonly signal: AbortSignal;
  /** False: a kubeconfig's `exec` and `auth-provider` are refused, for they run commands of whoever wrote the file. */
  readonly allowExec: boolean;
  /** Folder of `token` and `ca.crt` for `inCluster`; left out: where Kubernetes mounts them. */
  readonly serviceAccount?: string | undefined;
}

/** One context of a kubeconfig, without anything secret. */
export interface ContextInfo {
  readonly name: string;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
  readonly server?: string | undefined;
  /** The file that names it. */
  readonly file: string;
  readonly current: boolean;
}

/** Time and size limits; a test sets its own. */
export interface Limits {
  readonly connectMs: number;
  /** Until the first byte of an answer; the API server itself gives up after 60 s. */
  readonly answerMs: number;
  /** For one whole answer, so that a body that drips forever ends too. */
  readonly requestMs: number;
  /** Where a page is larger, smaller pages are asked for; 5 objects of etcd's 1.5 MiB always fit. */
  readonly pageBytes: number;
  readonly pluginMs: number;
  /** For one answer of one pod: there are many, and each may hang. */
  readonly podMs: number;
  readonly retries: number;
  /** First wait before a retry where the server names none; doubles each time. */
  readonly retryMs: number;
  /** The longest `Retry-After` that is waited for. */
  readonly longestRetryMs: number;
}

export const defaultLimits: Limits = {
  connectMs: 10_000,
  answerMs: 70_000,
  requestMs: 180_000,
  pageBytes: 64 * 1024 * 1024,
  pluginMs: 30_000,
  podMs: 30_000,
  retries: 4,
  retryMs: 500,
  longestRetryMs: 30_000,
};
