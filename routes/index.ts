export type * from "./decide/model.ts";
