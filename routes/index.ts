export type * from "./decide/model.ts";
export type { CorsEffect, DestinationEffect, Effect, ForwardEffect, HeaderEffect, LineChange } from "./decide/effect.ts";
export { type Answer, resolve, Resolver } from "./decide/resolve.ts";
export { type IstioPlace, istioWorld, type KubeObject } from "./dialects/istio/index.ts";
