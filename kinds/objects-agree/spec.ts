// generated from schema.json by `npm run generate`; do not edit

/** The selected objects are the same in every selected cluster, by what they mean. */
export interface Spec {
  /** Which objects are compared; every part that is given must match. */
  readonly select: {
    /** Group and version, as objects write it. */
    readonly apiVersion: string;
    /** The kind, as objects write it. Secrets are never read. */
    readonly kind: string;
    /** Namespaces, with `*` and `?` as wildcards; left out: all. */
    readonly namespaces?: readonly string[];
    /** Names, with `*` and `?` as wildcards; left out: all. */
    readonly names?: readonly string[];
    /** Labels that an object must bear. */
    readonly matchLabels?: {
      readonly [k: string]: string;
    };
  };
  /** For each cluster that names things its own way: its `namespace/name`, and the one that the others use. */
  readonly mapping: {
    readonly [k: string]: {
      readonly [k: string]: string;
    };
  };
  /** Paths that are compared; left out: everything but `status` and bookkeeping. Values of ConfigMaps, of environments and of EnvoyFilters are shown only where a path names them. */
  readonly compare?: readonly string[];
  /** Paths that are not compared; `[*]` stands for every entry. */
  readonly ignore: readonly string[];
  /** Paths of lists whose order means nothing. */
  readonly unordered: readonly string[];
  /** Must each object be in every cluster, or are those compared that all have? */
  readonly presence: "everywhere" | "shared";
}
