/** One row of the map from an Istio release to the Envoy numbers its proxy may report. */
export interface IstioMapEntry {
  /** `1.29.2`, without suffix. */
  readonly istio: string;
  /** The Envoy numbers (`1.37.2`) that this release may carry: one when settled, two when the sources leave it open. */
  readonly envoy: readonly string[];
}

/** Keyed by the Istio release. */
export type IstioMap = ReadonlyMap<string, IstioMapEntry>;
