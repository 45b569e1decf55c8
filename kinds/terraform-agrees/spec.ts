// generated from schema.json by `npm run generate`; do not edit

/** What Terraform declares, what runs, and what the other clusters run, agree. */
export interface Spec {
  /** `declared-live`: each cluster with its own Terraform states. `across-clusters`: the clusters with each other. Left out: both; of a single cluster, `declared-live` alone. */
  readonly compare?: readonly ("declared-live" | "across-clusters")[];
  /** Paths of the model that all clouds share. `pools[*].nodes` is compared inside each cluster only; `pools[*].instanceTypes` and `mesh.revisions` between clusters of one cloud only, for each cloud names its own. */
  readonly fields: readonly (
    | "controlPlane.version"
    | "pools[*].arch"
    | "pools[*].version"
    | "pools[*].taints"
    | "pools[*].instanceTypes"
    | "pools[*].nodes"
    | "mesh.revisions"
    | "mesh.version"
  )[];
  /** For each cluster that names its pools its own way: its name of a pool, and the one that the others use. */
  readonly poolMapping: {
    readonly [k: string]: {
      readonly [k: string]: string;
    };
  };
  /** Minor releases that a cluster, a pool or a mesh may be behind the newest one of the other clusters. */
  readonly maxMinorSkew: number;
  /** How long ago each state may have been written last, as its backend tells (`168h`). Left out: any time; with it, a state whose backend does not tell is a gap. */
  readonly maxStateAge?: string;
}
