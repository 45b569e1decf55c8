// generated from schema.json by `npm run generate`; do not edit

/** How many proxies a cluster must run. */
export interface Spec {
  /** Proxies that must run in each selected cluster. */
  readonly minProxies: number;
}
