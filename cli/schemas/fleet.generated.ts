// generated from cli/schemas/fleet.json by `npm run generate`; do not edit

export type List = readonly string[];
export type Word = string;
export type Url = string;

/** The clusters that must agree. */
export interface FleetDocument {
  /** The version of this format. */
  readonly apiVersion: "cloud-assert/v1";
  /** This document is a fleet. */
  readonly kind: "Fleet";
  /** What the fleet is called. */
  readonly metadata: {
    /** Names the fleet. */
    readonly name: string;
    readonly labels?: Words;
    readonly annotations?: Words;
  };
  /** The clusters. */
  readonly spec: {
    /** One entry a cluster. */
    readonly clusters: readonly FleetCluster[];
    /** A file with more rows for the map from Istio releases to Envoy versions. */
    readonly istioMap?: string;
  };
}
export interface Words {
  readonly [k: string]: string;
}
export interface FleetCluster {
  /** Unique; used in every report. */
  readonly name: string;
  /** `aws`, `gcp`, `azure` or any other word. Left out: as the nodes say. */
  readonly cloud?: string;
  /** Left out: as the nodes say. */
  readonly region?: string;
  readonly labels?: Words;
  readonly kubernetes?: FleetKubernetes;
  /** Where the cluster is declared: one source or a list of them. */
  readonly terraform?: FleetTerraform | readonly FleetTerraform[];
  readonly registry?: FleetRegistry;
  /** Pins the cluster: another one stops the run. */
  readonly identity?: {
    /** The UID of its namespace kube-system (`kubectl get ns kube-system -o jsonpath={.metadata.uid}`). */
    readonly kubeSystemUid: string;
  };
}
/** Where the cluster's objects are read: a context of a kubeconfig, the cluster this runs in, a server, a folder of manifests, or a snapshot. */
export interface FleetKubernetes {
  /** A kubeconfig file. Left out: the one that `--kubeconfig`, `$KUBECONFIG` or kubectl's habit names. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig. Left out: its current one. */
  readonly context?: string;
  /** The cluster this runs in, by its service account. */
  readonly inCluster?: true;
  /** The API server's URL. */
  readonly server?: string;
  /** The certificate authority of `server`, a PEM file. Left out: the system's. */
  readonly ca?: string;
  /** A file that holds the token for `server`. */
  readonly tokenFile?: string;
  /** A folder of YAML or JSON objects, read as if the API server had listed them. */
  readonly manifests?: string;
  /** True: `manifests` is all there is; a kind of which it holds no object is empty, not unseen. */
  readonly complete?: boolean;
  /** A file that `assert collect` wrote. */
  readonly snapshot?: string;
  readonly namespaces?: List;
  /** What goes beyond reading objects and is allowed here: `metrics` (through the API server's pod proxy), `admin` (exec in proxies), `nodes`. */
  readonly probes: readonly ("metrics" | "admin" | "nodes")[];
}
/** One place that declares clusters. */
export interface FleetTerraform {
  /** A state file. */
  readonly state?: string;
  /** A folder of configuration: its backend says where the state is. */
  readonly dir?: string;
  readonly backendConfig?: List;
  /** A command that prints the state; run without a shell, in the folder of this file. */
  readonly command?: readonly string[];
  readonly s3?: FleetS3;
  readonly gcs?: FleetGcs;
  readonly azurerm?: FleetAzurerm;
  readonly http?: FleetHttp;
  readonly kubernetes?: FleetKubernetesState;
  readonly hcp?: FleetHcp;
  /** The Terraform workspace. Left out: `default`; of `dir`: the one that is selected there. */
  readonly workspace?: string;
  /** The cluster's id or name in its cloud, where a state holds several. */
  readonly cluster?: string;
  /** Pins the state: one of another lineage, made anew or put there from elsewhere, is not read. */
  readonly lineage?: string;
}
/** The backend `s3`. Credentials come from the environment, as the AWS tools find them. */
export interface FleetS3 {
  readonly bucket: Word;
  readonly key: Word;
  readonly region?: Word;
  /** What stands before the name of another workspace. Left out: `env:`. */
  readonly workspace_key_prefix?: string;
  readonly profile?: Word;
  readonly role_arn?: Word;
  readonly endpoint?: Url;
  /** Name the bucket in the path, as other services need it. */
  readonly use_path_style?: boolean;
  readonly dynamodb_table?: Word;
  readonly dynamodb_endpoint?: Url;
}
/** The backend `gcs`. Credentials come from the environment (Application Default Credentials). */
export interface FleetGcs {
  readonly bucket: Word;
  /** The folder in the bucket. Left out: its root. */
  readonly prefix?: string;
  readonly storage_custom_endpoint?: Url;
}
/** The backend `azurerm`. Credentials come from the environment (`ARM_*`, `AZURE_*`, workload identity, `az login`). */
export interface FleetAzurerm {
  /** The storage account. */
  readonly storage_account_name: string;
  readonly container_name: Word;
  readonly key: Word;
  /** The cloud: `public`, `usgovernment` or `china`. Left out: `public`. */
  readonly environment?: "public" | "usgovernment" | "china";
  readonly endpoint?: Url;
}
/** The backend `http`. User and password come from `TF_HTTP_USERNAME` and `TF_HTTP_PASSWORD`. */
export interface FleetHttp {
  /** The URL that answers with the state; without user and password. */
  readonly address: string;
}
/** The backend `kubernetes`: a Secret. Without `config_path`, `config_context` and `in_cluster_config` it is read from this cluster itself. */
export interface FleetKubernetesState {
  /** How the Secret's name ends. */
  readonly secret_suffix: string;
  /** Left out: `default`. */
  readonly namespace?: string;
  /** A kubeconfig file. */
  readonly config_path?: string;
  readonly config_context?: Word;
  /** The cluster this runs in, by its service account. */
  readonly in_cluster_config?: true;
}
/** A workspace of HCP Terraform. The token comes from `TF_TOKEN_app_terraform_io` or `terraform login`. */
export interface FleetHcp {
  readonly organization: Word;
  readonly workspace: Word;
  /** Left out: `app.terraform.io`. */
  readonly hostname?: string;
}
/** How images and modules of this cluster are reached. */
export interface FleetRegistry {
  readonly credentials: List;
  /** Secrets in the cluster that hold credentials, as `namespace/name`; no other Secret is read. */
  readonly pullSecrets: readonly string[];
  readonly plainHttp: List;
  /** From a registry to the one that is asked in its place, which may have a path. */
  readonly mirrors: {
    readonly [k: string]: string;
  };
  readonly privateHosts: List;
}
