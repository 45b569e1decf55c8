// generated from schema.json by `npm run generate`; do not edit

/** The nodes of each cluster offer what a hardware profile asks for, and the clouds that run the profile run it alike. */
export interface Spec {
  /** Name of a `HalProfile` document: `ebpf-sidecar`, `wasm-edge`, `fpga-node`, or one in a file that is given to the run, which counts more than a built-in one of the same name. */
  readonly profile: {readonly name: string; readonly sha256: string; readonly content: unknown};
  /** `all`: every selected node must be as the profile asks; `atLeast`: as many as `minNodes` of the profile must be, in every cluster. */
  readonly mode: "all" | "atLeast";
  /** Which nodes the profile is about, in place of the profile's own `selector`; every part that is given must match. Left out: the profile's selector. */
  readonly nodes?: {
    /** Labels that a node must bear. A label selects and proves nothing. */
    readonly labels?: {
      readonly [k: string]: string;
    };
    /** Node pools or node groups by the name that their cloud gives them, with `*` and `?` as wildcards. */
    readonly pools?: readonly string[];
    /** For each cloud the types of machine, with `*` and `?` as wildcards. A cloud that is not named has none. */
    readonly instanceTypes?: {
      readonly [k: string]: readonly string[];
    };
  };
  /** What a cloud or a cluster need not offer, for a time, beside the exemptions of the profile itself. */
  readonly exemptions: {
    /** The cloud that is exempt. One of `cloud` and `cluster`. */
    readonly cloud?: string;
    /** The cluster that is exempt. */
    readonly cluster?: string;
    /** Id of the requirement, as the report names it. */
    readonly requirement: string;
    /** Why. */
    readonly reason: string;
    /** Who answers for it. */
    readonly owner: string;
    /** Where it is tracked. Left out: nowhere. */
    readonly ticket?: string;
    /** The last day on which it counts, UTC; at most 366 days ahead. */
    readonly expires: string;
    /** Name of the fallback of the profile that has to be there instead. Left out: none, which the profile must allow with `fallbackRequired: false`. */
    readonly fallback?: string;
  }[];
}
