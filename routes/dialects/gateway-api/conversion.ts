import type { Unmodelled } from "../../decide/model.ts";
import type { JsonObject } from "../istio/json.ts";
import type { Memory, Use } from "../istio/memory.ts";
import type { Named } from "../istio/registry.ts";
import type { ApiReading } from "./objects.ts";

/** What a rule does, in the words of a VirtualService, and where it leads. */
export interface Doing {
  readonly reading: ApiReading;
  /** As it is written. */
  readonly timeout: string;
  readonly spec: JsonObject;
  readonly uses: readonly Use[];
}

/** A service with the destination that leads to it. */
export interface ServiceDestination {
  readonly namespace: string;
  readonly port: number;
  readonly domain: string;
  readonly destination: JsonObject;
  /** What rules do that send everything there and nothing else. */
  readonly doings: Doing[];
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
  readonly memory: Memory;
  /** Whether there is a service of that name; taken to be where services are unseen. */
  isThere(host: string): boolean;
  leave(unmodelled: Unmodelled): void;
}
