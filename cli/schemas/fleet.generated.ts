// generated from cli/schemas/fleet.json by `npm run generate`; do not edit

export type List = readonly string[];

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
  /** A folder of configuration. */
  readonly dir?: string;
  /** A command that prints the state; run without a shell. */
  readonly command?: readonly string[];
  readonly s3?: Backend;
  readonly gcs?: Backend;
  readonly azurerm?: Backend;
  readonly http?: Backend;
  readonly kubernetes?: Backend;
  readonly hcp?: Backend;
  /** The Terraform workspace. Left out: `default`. */
  readonly workspace?: string;
  /** The cluster's id or name in its cloud, where a state holds several. */
  readonly cluster?: string;
}
export interface Backend {
  readonly [k: string]: string | number | boolean;
}
/** How images and modules of this cluster are reached. */
export interface FleetRegistry {
  readonly credentials: List;
  /** Secrets in the cluster that hold credentials, as `namespace/name`. */
  readonly pullSecrets: readonly string[];
  readonly plainHttp: List;
  /** From a registry to the one that is asked in its place. */
  readonly mirrors: {
    readonly [k: string]: string;
  };
  readonly privateHosts: List;
}
