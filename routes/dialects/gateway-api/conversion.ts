import type { Unmodelled } from "../../decide/model.ts";
import type { Named } from "../istio/registry.ts";
import type { ApiReading } from "./objects.ts";

/** What one route is translated with. */
export interface Conversion {
  readonly reading: ApiReading;
  /** For clients in the mesh, not for a Gateway. */
  readonly isMesh: boolean;
  readonly domain: string;
  readonly grants: readonly Named[];
  readonly areGrantsSeen: boolean;
  leave(unmodelled: Unmodelled): void;
}
