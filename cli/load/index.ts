export { loadAssertions, type LoadedAssertions } from "./assertions.ts";
export { InvalidDocumentError, InvalidFieldError, MissingFieldError, UnknownFieldError, UnknownKindError, UntrustedError } from "./errors.ts";
export { fleetFromFlags, type FlagFleet } from "./flags.ts";
export { loadFleet, type Fleet, type FleetCluster, type Registry, type SnapshotPlace, type TerraformSource } from "./fleet.ts";
export { readTextOf } from "./read.ts";
export type { LoadOptions, Refused } from "./trust.ts";
