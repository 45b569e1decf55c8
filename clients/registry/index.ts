import type { RegistryApi } from "#engine";
import { defaultRegistryLimits, type Registries, type RegistryLimits, type RegistryRun } from "./place.ts";

/** Opens the registries of one look; what its clusters ask for is read once. What it takes to ask is loaded where somebody does. */
export function openRegistries(run: RegistryRun, limits: RegistryLimits = defaultRegistryLimits): Registries {
  let sessions: Promise<Registries> | undefined;
  const opened = () => (sessions ??= import("./sessions.ts").then(({ openSessions }) => openSessions(run, limits)));
  return {
    visit: (visit) => {
      let api: Promise<RegistryApi> | undefined;
      const own = () => (api ??= opened().then((registries) => registries.visit(visit)));
      return {
        module: async (reference, loader) => (await own()).module(reference, loader),
        signatures: async (image, repository) => (await own()).signatures(image, repository),
      };
    },
  };
}

/** Registries where none may be asked: every reference fails with this reason. */
export function noRegistries(reason: string, remedy: string): RegistryApi {
  const failure = { kind: "refused", reason, remedy } as const;
  return {
    module: (reference) => Promise.resolve({ reference, failure }),
    signatures: ({ manifestDigest }) => Promise.resolve({ manifestDigest, artifacts: [], unread: [failure] }),
  };
}
