// generated from schema.json by `npm run generate`; do not edit

/** How far apart the Envoy proxies of the selected clusters may be. */
export interface Spec {
  /** Patch releases that the oldest proxy may be behind the newest one of its minor line. */
  readonly maxPatchSkew: number;
  /** Minor releases that the oldest proxy may be behind the newest one. Above 0, patch releases are still counted inside each minor line. */
  readonly maxMinorSkew: number;
  /** Which proxies are judged; all that are named are one population. ztunnel is no Envoy and never counts. */
  readonly components: readonly ("sidecar" | "gateway" | "waypoint")[];
  /** Which number is compared: the Envoy release inside the proxy, or the Istio release it was built for. */
  readonly basis: "envoy" | "istio";
  /** What is one population: all proxies of the fleet, or those of one revision over all clusters, so that a canary revision is judged apart. */
  readonly per: "fleet" | "revision";
}
