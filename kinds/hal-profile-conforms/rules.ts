import type { DeclaredPool } from "#engine";
import type { Seen, Tier } from "./tiers.ts";
import type { ClusterView, NodeView } from "./view.ts";

/** One thing that a profile asks for. */
export interface Requirement {
  /** As reports and exemptions name it; stable. */
  readonly id: string;
  /** What is wanted, as it reads after `wanted:`. */
  readonly wanted: string;
  /** The least tier of evidence that counts. */
  readonly least: Tier;
  /** Asked of every node, or once of a cluster. */
  readonly rule: NodeRule | ClusterRule;
}

export interface NodeRule {
  readonly of: "node";
  see(node: NodeView, view: ClusterView): Seen;
  /** What a declared pool says of its nodes (T0). Left out: nothing. */
  readonly seeDeclared?: ((pool: DeclaredPool) => Seen) | undefined;
}

export interface ClusterRule {
  readonly of: "cluster";
  see(view: ClusterView): Seen;
}

export function onNode(see: NodeRule["see"], seeDeclared?: NodeRule["seeDeclared"]): NodeRule {
  return { of: "node", see, seeDeclared };
}

export function onCluster(see: ClusterRule["see"]): ClusterRule {
  return { of: "cluster", see };
}

/** A rule before the profile's tier is known. */
export type Draft = Omit<Requirement, "least"> & { readonly least?: Tier | undefined };

/** `a`, `b` and `c`, in backticks, at most `most`. */
export function named(texts: readonly string[], most = 5): string {
  const shown = texts.slice(0, most).map((text) => `\`${text.replaceAll("`", "'")}\``);
  const rest = texts.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1) ?? ""}`;
}

/** `a`, `b` or `c`, without marks. */
export function either(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} or ${texts.at(-1) ?? ""}`;
}
