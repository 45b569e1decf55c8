import type { Cluster, DeclaredAddon, DeclaredCluster, DeclaredMesh, DeclaredPool, DeclaredState, Evidence, Fact, World } from "#engine";
import type { Needed } from "./fields.ts";
import type { Spec } from "./spec.ts";

type DeclaredAs<T> = Fact<"declared"> & { readonly data: T };
export type StateFact = DeclaredAs<DeclaredState>;
export type ClusterFact = DeclaredAs<DeclaredCluster>;
export type PoolFact = DeclaredAs<DeclaredPool>;
export type MeshFact = DeclaredAs<DeclaredMesh>;
export type AddonDeclared = DeclaredAs<DeclaredAddon>;
/** What stands in a state. */
export type Thing = DeclaredAs<DeclaredCluster | DeclaredPool | DeclaredMesh | DeclaredAddon>;
export type Nodes = Fact<"node-pools">;
export type Plane = Fact<"control-planes">;
export type AddonRunning = Fact<"add-ons">;

/** All that is known of one cluster: what is declared, and what runs. */
export interface View {
  readonly name: string;
  readonly cluster: Cluster;
  readonly states: readonly StateFact[];
  readonly clusters: readonly ClusterFact[];
  readonly pools: readonly PoolFact[];
  readonly meshes: readonly MeshFact[];
  readonly declaredAddons: readonly AddonDeclared[];
  readonly api: Fact<"api-server"> | undefined;
  readonly server: Fact<"server-version"> | undefined;
  readonly nodes: readonly Nodes[];
  readonly planes: readonly Plane[];
  readonly addons: readonly AddonRunning[];
  /** Nothing of this kind of fact is missing. What is counted, or newest, can be told only of such. */
  sees(kind: Needed): boolean;
}

/** What is known of each selected cluster. */
export function viewsOf(world: World<Needed>, { fields, compare = ["declared-live"] }: Spec): readonly View[] {
  const asked = (part: string) => fields.some((field) => field.startsWith(part));
  return world.clusters.map((cluster) => {
    const { name } = cluster;
    const declared = world.facts("declared", name);
    return {
      name,
      cluster,
      states: declared.filter((fact): fact is StateFact => fact.data.what === "state"),
      clusters: declared.filter((fact): fact is ClusterFact => fact.data.what === "cluster"),
      pools: asked("pools") ? declared.filter((fact): fact is PoolFact => fact.data.what === "pool") : [],
      meshes: asked("mesh") ? declared.filter((fact): fact is MeshFact => fact.data.what === "mesh") : [],
      declaredAddons: asked("addons") ? declared.filter((fact): fact is AddonDeclared => fact.data.what === "addon") : [],
      addons: asked("addons") ? world.facts("add-ons", name) : [],
      api: compare.includes("declared-live") ? world.facts("api-server", name)[0] : undefined,
      server: fields.includes("controlPlane.version") ? world.facts("server-version", name)[0] : undefined,
      nodes: asked("pools") ? world.facts("node-pools", name) : [],
      planes: asked("mesh") ? world.facts("control-planes", name) : [],
      sees: (kind) => world.complete(kind, name),
    };
  });
}

/** What a state says, as evidence: where in it, and which writing of it. */
export function citeDeclared({ states }: View, fact: Thing, value: string): Evidence {
  const { address, state } = fact.data;
  const about = states.find(({ source }) => source.locator === fact.source.locator && source.digest === fact.source.digest)?.data;
  const serial = about?.serial === undefined ? "" : `, serial ${about.serial}`;
  return { cluster: fact.cluster, label: "declared", value: `${value} by \`${address}\` in \`${state}\`${serial}`, source: fact.source };
}
