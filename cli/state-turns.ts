import pLimit from "p-limit";
import { canonical, type StateBytes } from "#engine";
import type { StatePlace, StateSurroundings } from "../clients/states/index.ts";

/** Each is held whole until it is parsed, and some are the output of a program. */
const MOST_AT_ONCE = 16;

/**
 * The order in which the states of a fleet are read: so many side by side, and one that several clusters name once for all of them.
 * Nothing else is kept: a state is read anew in every look.
 */
export function stateTurns(places: readonly StatePlace[], concurrency: number): NonNullable<StateSurroundings["turn"]> {
  const limit = pLimit(Math.min(concurrency, MOST_AT_ONCE));
  const keys = places.map(keyOf);
  const shared = new Set(keys.filter((key, index) => keys.indexOf(key) !== index));
  const read = new Map<string, Promise<StateBytes>>();

  return async (place, readNow) => {
    const key = keyOf(place);
    if (!shared.has(key) || isOwn(place)) return limit(readNow);
    const others = read.get(key);
    if (others === undefined) {
      const mine = limit(readNow);
      read.set(key, mine);
      return mine;
    }
    // What ended another cluster's attempt (its budget, above all) need not end this one.
    return others.catch(() => limit(readNow));
  };
}

function keyOf(place: StatePlace): string {
  return canonical(JSON.parse(JSON.stringify(place)));
}

/** A Secret in the cluster itself is another one in each cluster. */
function isOwn(place: StatePlace): boolean {
  return place.form === "kubernetes" && place.settings.config_path === undefined && place.settings.config_context === undefined && place.settings.in_cluster_config !== true;
}
