import type { Unmodelled } from "../../decide/model.ts";
import type { JsonObject } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import type { ApiReading } from "./objects.ts";

/** A service with the destination that leads to it. */
export interface ServiceDestination {
  readonly namespace: string;
  readonly port: number;
  readonly domain: string;
  readonly destination: JsonObject;
}

/** What one route is translated with. */
export interface Conversion {
  readonly reading: ApiReading;
  /** For clients in the mesh, not for a Gateway. */
  readonly isMesh: boolean;
  readonly domain: string;
  readonly grants: readonly Named[];
  readonly areGrantsSeen: boolean;
  /** The destinations that were made so far, by the name of the service. */
  readonly services: Map<string, ServiceDestination[]>;
  leave(unmodelled: Unmodelled): void;
}
