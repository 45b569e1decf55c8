export { loadAssertions, type LoadedAssertions } from "./assertions.ts";
export { loadSuite } from "./built-in.ts";
export { fleetFromFlags } from "./flags.ts";
export { loadFleet, type Fleet, type FleetCluster } from "./fleet.ts";
export { readTextOf } from "./read.ts";
export type { LoadOptions } from "./trust.ts";
