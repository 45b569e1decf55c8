import { createHash } from "node:crypto";
import { CollectError, type StateBytes } from "#engine";

/** A state as it came, before anybody looked into it. */
export interface Found {
  readonly bytes: Uint8Array;
  /** Without a secret. */
  readonly locator: string;
  /** As the backend says it: a time that the platform can read. Left out: it does not say. */
  readonly modified?: Date | string | undefined;
  readonly locked?: boolean | undefined;
}

/** The same in the words of the engine. */
export function stateBytes({ bytes, locator, modified, locked }: Found): StateBytes {
  const time = modified === undefined ? Number.NaN : new Date(modified).getTime();
  return {
    bytes,
    locator,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    ...(Number.isNaN(time) ? {} : { modified: new Date(time).toISOString() }),
    ...(locked === undefined ? {} : { locked }),
  };
}

/** `what` holds more than a state may. */
export function largest(what: string, limit: number): CollectError {
  return new CollectError(`${what} is larger than the limit of ${limit / 1_000_000} MB`, { remedy: "check that it is a state, and split the configuration where it is" });
}
