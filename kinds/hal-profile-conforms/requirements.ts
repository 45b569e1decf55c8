import { bitstreamRule } from "./bitstreams.ts";
import { meshRules } from "./mesh-rules.ts";
import { nodeRules } from "./node-rules.ts";
import type { HalProfile } from "./profile.ts";
import type { Draft, Requirement } from "./rules.ts";
import { moduleRules } from "./module-rules.ts";
import { runtimeRules } from "./runtime-rules.ts";

/** The requirement that there are nodes at all. */
export const NODES = "nodes";

/** Everything that a profile asks for, in the order in which reports show it; without {@link NODES}, which every profile asks for. */
export function requirementsOf(profile: HalProfile): readonly Requirement[] {
  const { node, runtime, mesh, modules = [], accelerator } = profile;
  return [
    ...(node === undefined ? [] : nodeRules(node)),
    ...(mesh === undefined ? [] : meshRules(mesh, node?.kernel, runtime?.runtimeClass?.name)),
    ...(runtime === undefined ? [] : runtimeRules(runtime, node?.taints?.required ?? [])),
    ...moduleRules(modules, runtime?.runtimeClass),
    ...(accelerator === undefined ? [] : [bitstreamRule(accelerator)]),
  ].map((draft) => requirement(draft, profile));
}

/** What stands in for an exempt requirement: `fallback.NAME.…`. */
export function fallbackOf(name: string, profile: HalProfile): readonly Requirement[] {
  const fallback = Object.hasOwn(profile.fallbacks, name) ? profile.fallbacks[name] : undefined;
  if (fallback === undefined) return [];
  const prefix = `fallback.${name}.`;
  const drafts = [...(fallback.node === undefined ? [] : nodeRules(fallback.node, prefix)), ...moduleRules(fallback.modules ?? [], profile.runtime?.runtimeClass, prefix)];
  return drafts.map((draft) => requirement(draft, profile));
}

function requirement(draft: Draft, { minTier, minTiers }: HalProfile): Requirement {
  return { ...draft, least: (Object.hasOwn(minTiers, draft.id) ? minTiers[draft.id] : undefined) ?? draft.least ?? minTier };
}

/** Ids that a profile's requirements have, {@link NODES} among them. */
export function idsOf(profile: HalProfile): readonly string[] {
  return [NODES, ...requirementsOf(profile).map(({ id }) => id)];
}
