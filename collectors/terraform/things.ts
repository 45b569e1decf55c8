import type { DeclaredAddon, DeclaredCluster, DeclaredMesh, DeclaredPool } from "#engine";
import type { Resource } from "./state.ts";

/** Which cluster a thing belongs to, as far as its resource says; what it leaves out fits every cluster. */
export interface Owner {
  /** Without regard to case: Azure writes its paths as it likes. */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly region?: string | undefined;
  readonly account?: string | undefined;
}

type Without<T> = Omit<T, "state">;

/** A resource in words that all clouds share, and whose it is. A cluster is its own. */
export type Thing = { readonly owner: Owner } & (
  | { readonly of: "cluster"; readonly data: Without<DeclaredCluster> }
  | { readonly of: "pool"; readonly data: Without<DeclaredPool>; readonly mode: Resource["mode"] }
  | { readonly of: "mesh"; readonly data: Without<DeclaredMesh> }
  | { readonly of: "addon"; readonly data: Without<DeclaredAddon> }
);

/** Something of a kind that is read, of which an attribute is missing without which it says nothing. */
export interface Unread {
  readonly of: "unread";
  readonly address: string;
  /** What it would have been. */
  readonly about: "cluster" | "pool" | "mesh" | "addon";
  readonly lacks: string;
}

/** What every thing says of its resource. */
export function at({ address, tainted }: Resource): { readonly address: string; readonly tainted?: true } {
  return { address, ...(tainted ? { tainted: true } : {}) };
}

/** That a resource lacks an attribute. */
export function lacks({ address }: Resource, about: Unread["about"], attribute: string): Unread {
  return { of: "unread", address, about, lacks: attribute };
}

/** Without the fields that are undefined: they would not survive the file. */
export function defined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** Those of some texts that are there, in order; undefined where none is. */
export function found(...some: readonly (string | undefined)[]): readonly string[] | undefined {
  const there = [...new Set(some.flatMap((text) => text ?? []))].toSorted();
  return there.length === 0 ? undefined : there;
}

const EFFECTS: ReadonlyMap<string, string> = new Map([
  ["NO_SCHEDULE", "NoSchedule"],
  ["NO_EXECUTE", "NoExecute"],
  ["PREFER_NO_SCHEDULE", "PreferNoSchedule"],
]);

/** `key=value:Effect` as Kubernetes writes it. */
export function taintText(key: string, value: string | undefined, effect: string): string {
  return `${key}${value === undefined || value === "" ? "" : `=${value}`}:${EFFECTS.get(effect) ?? effect}`;
}
