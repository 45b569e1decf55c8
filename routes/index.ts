export { type Budget, type Candidate, compare, type CompareOptions, type Comparison, type Difference, type Open } from "./decide/compare.ts";
export { type DeadRules, deadRules } from "./decide/dead-rules.ts";
export type * from "./decide/model.ts";
export type { CorsEffect, DestinationEffect, Effect, ForwardEffect, HeaderEffect, LineChange } from "./decide/effect.ts";
export { type Answer, resolve, Resolver } from "./decide/resolve.ts";
export { type IstioPlace, istioWorld, type KubeObject } from "./dialects/istio/index.ts";
export { compareWorlds, type Listed, type WorldComparison, type WorldDifference, type WorldOpen, type WorldOptions } from "./worlds/compare-worlds.ts";
export { deadRulesOf } from "./worlds/dead-rules.ts";
export type { Conflict, Ignorable, Mapping } from "./worlds/mapping.ts";
