export type { IstioMap, IstioMapEntry } from "./istio-map.ts";
