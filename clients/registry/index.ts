import type { RegistryApi } from "#engine";
import type { Registries, RegistryRun } from "./place.ts";

/** Opens the registries of one look; what its clusters ask for is read once. */
export function openRegistries(_run: RegistryRun): Registries {
  return { visit: () => noRegistries("this release does not read registries yet", "leave the assertion out") };
}

/** Registries where none may be asked: every reference fails with this reason. */
export function noRegistries(reason: string, remedy: string): RegistryApi {
  const failure = { kind: "refused", reason, remedy } as const;
  return {
    module: (reference) => Promise.resolve({ reference, failure }),
    signatures: ({ manifestDigest }) => Promise.resolve({ manifestDigest, artifacts: [], unread: [failure] }),
  };
}
