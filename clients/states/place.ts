import type { KubernetesApi, StateBytes } from "#engine";

/** Where one state is kept, as the fleet or a folder of configuration says it. Paths are absolute, or start with `~/`. */
export type StatePlace =
  | FilePlace
  | FolderPlace
  | CommandPlace
  | { readonly form: "s3"; readonly settings: S3Settings; readonly workspace?: string | undefined }
  | { readonly form: "gcs"; readonly settings: GcsSettings; readonly workspace?: string | undefined }
  | { readonly form: "azurerm"; readonly settings: AzurermSettings; readonly workspace?: string | undefined }
  | { readonly form: "http"; readonly settings: HttpSettings; readonly workspace?: string | undefined }
  | { readonly form: "kubernetes"; readonly settings: KubernetesSettings; readonly workspace?: string | undefined }
  | { readonly form: "hcp"; readonly settings: HcpSettings; readonly workspace?: string | undefined };

/** A file; with a workspace other than `default`, the one below `terraform.tfstate.d` beside it. */
export interface FilePlace {
  readonly form: "state";
  readonly file: string;
  /** As the user knows it. */
  readonly shown: string;
  readonly workspace?: string | undefined;
}

/** A folder of configuration, whose backend says where the state is. */
export interface FolderPlace {
  readonly form: "dir";
  readonly dir: string;
  readonly shown: string;
  /** More settings for its backend, each file over the one before. */
  readonly backendConfig: readonly { readonly file: string; readonly shown: string }[];
  /** Left out: the one that is selected in the folder. */
  readonly workspace?: string | undefined;
}

/** A program that prints a state; run without a shell. */
export interface CommandPlace {
  readonly form: "command";
  /** At least one word. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** Handed to it as `TF_WORKSPACE`. */
  readonly workspace?: string | undefined;
}

/** Names are those of Terraform's backends, so that who knows these knows ours. None holds a credential. */
export interface S3Settings {
  readonly bucket: string;
  readonly key: string;
  readonly region?: string | undefined;
  /** Left out: `env:`. */
  readonly workspace_key_prefix?: string | undefined;
  readonly profile?: string | undefined;
  readonly role_arn?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly use_path_style?: boolean | undefined;
  readonly dynamodb_table?: string | undefined;
  readonly dynamodb_endpoint?: string | undefined;
}

/** See {@link S3Settings}. */
export interface GcsSettings {
  readonly bucket: string;
  readonly prefix?: string | undefined;
  readonly storage_custom_endpoint?: string | undefined;
}

/** See {@link S3Settings}. */
export interface AzurermSettings {
  readonly storage_account_name: string;
  readonly container_name: string;
  readonly key: string;
  readonly environment?: "public" | "usgovernment" | "china" | undefined;
  /** The blob service's URL, where it is none of Azure's own. */
  readonly endpoint?: string | undefined;
}

/** See {@link S3Settings}. */
export interface HttpSettings {
  readonly address: string;
}

/** See {@link S3Settings}. Without `config_path`, `config_context` and `in_cluster_config`: the cluster that the source belongs to. */
export interface KubernetesSettings {
  readonly secret_suffix: string;
  /** Left out: `default`. */
  readonly namespace?: string | undefined;
  readonly config_path?: string | undefined;
  readonly config_context?: string | undefined;
  readonly in_cluster_config?: boolean | undefined;
}

/** See {@link S3Settings}. */
export interface HcpSettings {
  readonly organization: string;
  readonly workspace: string;
  /** Left out: `app.terraform.io`. */
  readonly hostname?: string | undefined;
}

/** What a reader takes from the process around it. */
export interface StateSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Every wait ends with it; a CollectError as its reason is what callers then see. */
  readonly signal: AbortSignal;
  /**
   * Set where the files come from a stranger's commit: the folder that nothing read may lie outside of, links followed. Then a folder of
   * configuration may not name a state that is kept elsewhere, either.
   */
  readonly within?: string | undefined;
  /** The API of the cluster that the sources belong to. */
  kubernetes(): Promise<KubernetesApi>;
  /** Lets a reading wait for its turn, or gives what another cluster has read of the same place. Left out: all read at once. */
  turn?(place: StatePlace, read: () => Promise<StateBytes>): Promise<StateBytes>;
}

/** Sizes and times; a test sets its own. */
export interface StateLimits {
  /** The largest state that is read, after unpacking. */
  readonly stateBytes: number;
  /** Until a command must have ended; `terraform init` may have to come before by hand, a pull itself takes seconds. */
  readonly commandMs: number;
  readonly connectMs: number;
  /** Until the first byte of an answer, and between two of its parts. */
  readonly answerMs: number;
  /** For one whole answer. */
  readonly requestMs: number;
  /** How often a question is asked again that a server was too busy for. */
  readonly retries: number;
  /** The first wait before that; doubles each time. */
  readonly retryMs: number;
}

/** V8 holds no text of more than 512 MiB, and whoever parses a state needs it as text. */
export const defaultStateLimits: StateLimits = {
  stateBytes: 500_000_000,
  commandMs: 120_000,
  connectMs: 10_000,
  answerMs: 60_000,
  requestMs: 180_000,
  retries: 3,
  retryMs: 500,
};

/** What every reader is given. */
export interface Reading extends StateSurroundings {
  readonly limits: StateLimits;
}

/** The name of the workspace that is there without anybody making it. */
export const DEFAULT_WORKSPACE = "default";
