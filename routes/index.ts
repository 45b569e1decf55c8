export type * from "./decide/model.ts";
export { type IstioPlace, istioWorld, type KubeObject } from "./dialects/istio/index.ts";
