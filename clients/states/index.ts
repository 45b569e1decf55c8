import { CollectError, type StateSource } from "#engine";
import { ended } from "../kubernetes/faults.ts";
import { readStateFile } from "./file.ts";
import { namesOf } from "./names.ts";
import { defaultStateLimits, type Reading, type StateLimits, type StatePlace, type StateSurroundings } from "./place.ts";
import { stateBytes, type Found } from "./read.ts";

export type { StateLimits, StatePlace, StateSurroundings } from "./place.ts";

/** A place of the fleet. */
export interface NamedState {
  readonly place: StatePlace;
  /** The cluster's id or name in its cloud, where the state holds several. */
  readonly cluster?: string | undefined;
  /** The lineage that the state must have. */
  readonly lineage?: string | undefined;
  /** Set when the place may not be used: whoever reads it is told so. */
  readonly refused?: { readonly reason: string; readonly remedy: string } | undefined;
}

/**
 * The places that one cluster of the fleet names, as sources to read.
 *
 * 1. Nothing is asked, started or imported before one of them is read, and then only what its form needs.
 * 2. Whatever goes wrong is a CollectError without a secret in it; the words of other programs and servers are never repeated.
 * 3. No state is locked, and none larger than the limit is ever held.
 */
export function openStates(states: readonly NamedState[], surroundings: StateSurroundings, limits: Partial<StateLimits> = {}): readonly StateSource[] {
  const reading: Reading = { ...surroundings, limits: { ...defaultStateLimits, ...limits } };
  const names = namesOf(states.map(({ place }) => place));
  return states.map(({ place, cluster, lineage, refused }, index) => ({
    name: names[index] ?? "",
    ...(cluster === undefined ? {} : { cluster }),
    ...(lineage === undefined ? {} : { lineage }),
    read: async () => {
      if (refused !== undefined) throw new CollectError(refused.reason, { remedy: refused.remedy });
      const readNow = async () => stateBytes(await readPlace(place, reading));
      return surroundings.turn === undefined ? readNow() : surroundings.turn(place, readNow);
    },
  }));
}

/** Reads a place of whatever form. Throws CollectError. */
async function readPlace(place: StatePlace, reading: Reading): Promise<Found> {
  if (reading.signal.aborted) throw ended(reading.signal);
  switch (place.form) {
    case "state":
      return readStateFile(place, reading);
    case "dir":
      return readPlace(await (await import("./folder.ts")).placeIn(place, reading), reading);
    case "command":
      return (await import("./command.ts")).readCommand(place, reading);
    case "s3":
      return (await import("./s3.ts")).readS3(place.settings, place.workspace, reading);
    case "gcs":
      return (await import("./gcs.ts")).readGcs(place.settings, place.workspace, reading);
    case "azurerm":
      return (await import("./azurerm.ts")).readAzurerm(place.settings, place.workspace, reading);
    case "http":
      return (await import("./http.ts")).readHttp(place.settings, place.workspace, reading);
    case "kubernetes":
      return (await import("./kubernetes.ts")).readKubernetes(place.settings, place.workspace, reading);
    case "hcp":
      return (await import("./hcp.ts")).readHcp(place.settings, reading);
    default:
      return place satisfies never;
  }
}
