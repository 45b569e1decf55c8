/** What Terraform states declare of one cluster, in words that every cloud shares; one fact for each thing. */
export type DeclaredFact = DeclaredState | DeclaredCluster | DeclaredPool | DeclaredMesh | DeclaredAddon;

/** A state that was read. */
export interface DeclaredState {
  readonly what: "state";
  /** Tells one history of states from another; with `serial`, one state from every other. */
  readonly lineage?: string | undefined;
  /** As it stands: it may need more than 53 bits. */
  readonly serial?: string | undefined;
  /** When the backend says that it was last written; ISO 8601 in UTC. Left out: the backend does not say, or nobody asked (`options: { age: true }`). */
  readonly modified?: string | undefined;
  /** Somebody held its lock while it was read. */
  readonly locked: boolean;
  /** No state was written there yet. */
  readonly empty: boolean;
  /** Addresses of objects that are only waiting to be destroyed, and count for nothing. */
  readonly deposed: readonly string[];
}

/** What every declared thing says of where it stands. */
export interface DeclaredAt {
  /** The state's name in the fleet. */
  readonly state: string;
  /** Terraform's own address, with the keys of modules and instances. */
  readonly address: string;
  /** Terraform is going to replace it. */
  readonly tainted?: true | undefined;
}

export interface DeclaredCluster extends DeclaredAt {
  readonly what: "cluster";
  /** Its id in the cloud: an ARN, a resource path. */
  readonly id: string;
  readonly name: string;
  readonly cloud: string;
  readonly flavour: string;
  readonly region?: string | undefined;
  /** Account, project or subscription. */
  readonly account?: string | undefined;
  /** `data`: another configuration made it, and this state has only looked at it. */
  readonly mode: "managed" | "data";
  /** Version of the control plane, as exact as it is declared: `1.33`, `1.33.5-gke.1162000`. */
  readonly version?: string | undefined;
  /** Who upgrades it, in the cloud's own word, lower case: `regular`, `patch`. */
  readonly channel?: string | undefined;
  /** SHA-256 of the host names and addresses of its API server, lower case. */
  readonly hostsSha256?: readonly string[] | undefined;
  /** SHA-256 of the DER form of its certificate authority. */
  readonly caSha256?: string | undefined;
  /** The group in the cloud that its nodes, and those of no other cluster, are in; lower case. Only AKS has one. */
  readonly nodeGroup?: string | undefined;
}

/** Numbers of nodes that are declared, over all zones. */
export interface DeclaredSize {
  readonly min: number;
  readonly max: number;
}

export interface DeclaredPool extends DeclaredAt {
  readonly what: "pool";
  readonly name: string;
  /** `amd64`, `arm64`; left out where what is declared does not tell. */
  readonly arch?: string | undefined;
  readonly instanceTypes: readonly string[];
  readonly version?: string | undefined;
  /** `key=value:Effect` as Kubernetes writes it. Left out where what is declared does not tell. */
  readonly taints?: readonly string[] | undefined;
  readonly size?: DeclaredSize | undefined;
  /** `seen`: the cluster's own resource lists it, which is what was there when Terraform last looked. */
  readonly origin: "declared" | "seen";
  /** Set where its nodes do not bear its name, so that nobody can tell which they are: a group of machines that joins by itself, a profile of Fargate. */
  readonly unnamed?: "self-managed" | "fargate" | undefined;
}

export interface DeclaredMesh extends DeclaredAt {
  readonly what: "mesh";
  readonly flavour: MeshFlavour;
  /** Names of the revisions; `default` where it has none. Left out where what is declared does not tell. */
  readonly revisions?: readonly string[] | undefined;
  /** Version of the control plane. */
  readonly version?: string | undefined;
}

export type MeshFlavour = "istio" | "csm-managed" | "csm-in-cluster" | "aks-addon" | "vendor";

export interface DeclaredAddon extends DeclaredAt {
  readonly what: "addon";
  readonly name: string;
  readonly version?: string | undefined;
}

/** Nodes of one pool that are alike. */
export interface NodePool {
  /** As the cloud's own label names it; left out for nodes that bear none. */
  readonly pool?: string | undefined;
  readonly arch?: string | undefined;
  readonly instanceType?: string | undefined;
  /** `kubeletVersion`, as it stands. */
  readonly kubelet?: string | undefined;
  /** Without those that come and go by themselves. */
  readonly taints: readonly string[];
  readonly cloud?: string | undefined;
  readonly region?: string | undefined;
  /** Project or subscription, where the provider's id of the node tells. */
  readonly account?: string | undefined;
  /** Resource group, where the provider's id of the node tells; lower case. */
  readonly group?: string | undefined;
  readonly count: number;
  /** The node that comes first by name. */
  readonly example: string;
}

/** A control plane of a mesh that runs, or one that the cloud runs. */
export interface ControlPlaneFact {
  readonly flavour: MeshFlavour;
  readonly namespace: string;
  /** `default` for the one without a name. */
  readonly revision: string;
  /** Left out for one that runs outside of the cluster. */
  readonly image?: string | undefined;
  /** `rapid`, `regular`, `stable`, where the cloud runs it. */
  readonly channel?: string | undefined;
}

/** A program that the cloud installs as an add-on, as it runs. */
export interface AddonFact {
  /** The add-on's name in its cloud: `vpc-cni`. */
  readonly name: string;
  readonly image: string;
}

/** How the API server is reached, as the fleet or its kubeconfig says. Asks the server nothing. */
export interface ApiServerFact {
  /** SHA-256 of its host name or address, lower case: enough to compare, and nothing to find it by. */
  readonly hostSha256: string;
  /** SHA-256 of the DER form of its certificate authority; left out where the system's are used. */
  readonly caSha256?: string | undefined;
  /**
   * Whose name the host has: one that EKS gives to a single cluster for ever, one of AKS, an address, the name of the service inside the cluster,
   * or any other name, behind which a proxy may stand.
   */
  readonly named: "eks" | "aks" | "address" | "inside" | "other";
}

/** Version of the API server. */
export interface ServerVersion {
  /** `gitVersion` of `/version`, as it stands. */
  readonly version: string;
}
