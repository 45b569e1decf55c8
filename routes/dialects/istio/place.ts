import type { Assumption, Unmodelled } from "../../decide/model.ts";
import type { DestinationRules } from "./destination-rules.ts";
import type { Memory } from "./memory.ts";
import type { Registry } from "./registry.ts";
import type { VirtualService } from "./virtual-services.ts";

/** One place, read; and what is said about it on the way. */
export interface Place {
  readonly registry: Registry;
  readonly memory: Memory;
  readonly virtualServices: readonly VirtualService[];
  readonly destinationRules: DestinationRules;
  readonly complete: boolean;
  readonly istio: string | undefined;
  readonly envoy: string | undefined;
  assume(assumption: Assumption): void;
  leaveOut(unmodelled: Unmodelled): void;
}
