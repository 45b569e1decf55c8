import type { DeclaredCluster } from "#engine";
import type { Owner, Thing, Unread } from "./things.ts";

/** One state that was read, and what it declares. */
export interface Declaring {
  readonly name: string;
  /** The cluster's id or name, as the fleet says it for this state. */
  readonly hint?: string | undefined;
  readonly things: readonly (Thing | Unread)[];
}

/** Why it cannot be told what is declared of a cluster. */
export interface Trouble {
  /** Left out: of everything. */
  readonly about?: Unread["about"] | undefined;
  readonly subject: string;
  readonly reason: string;
  readonly remedy: string;
}

/** What belongs to one cluster, each thing with the state it stands in. */
export interface Joined {
  readonly things: readonly { readonly from: Declaring; readonly thing: Thing }[];
  readonly troubles: readonly Trouble[];
}

type ClusterThing = Extract<Thing, { readonly of: "cluster" }>;

/**
 * Finds among the clusters of all states the one that is meant, and what belongs to it. By ids, names, regions and accounts that stand in the
 * resources, never by addresses: these are everybody's own.
 *
 * Guarantees:
 *
 * 1. Where it is open which cluster is meant, nothing is joined and a trouble says so.
 * 2. Of a cluster or pool that one state manages and others only look at, what is managed counts; what two states manage is there twice.
 */
export function join(states: readonly Declaring[], fleetName: string): Joined {
  const target = targetOf(states, fleetName);
  if ("trouble" in target) return { things: [], troubles: [target.trouble] };
  const { owner } = target;
  const all = states.flatMap((from) => from.things.flatMap((thing) => (thing.of !== "unread" && belongs(thing, owner, from) ? [{ from, thing }] : [])));
  const unread = states.flatMap((from) => from.things.flatMap((thing) => (thing.of === "unread" ? [troubleOf(thing, from)] : [])));
  return { things: all.filter((one) => !all.some((other) => outranks(other.thing, one.thing))), troubles: [...unread, ...homeless(states)] };
}

function troubleOf({ address, about, lacks }: Unread, { name }: Declaring): Trouble {
  return {
    about,
    subject: address,
    reason: `\`${address}\` in the state \`${name}\` has no \`${lacks}\` that can be read`,
    remedy: "refresh the state (`terraform apply -refresh-only`); if it stays, the provider has a newer form than this release knows",
  };
}

type Target = { readonly owner: Owner } | { readonly trouble: Trouble };

function targetOf(states: readonly Declaring[], fleetName: string): Target {
  const choices = states.map((state) => ({ state, found: chosen(state) }));
  const wrong = choices.find(({ state, found }) => state.hint !== undefined && found.length === 0 && clustersIn(state).length > 0);
  if (wrong !== undefined) {
    const names = clustersIn(wrong.state).map(({ data }) => data.name);
    return { trouble: { subject: wrong.state.name, reason: `the state \`${wrong.state.name}\` holds no cluster \`${clean(wrong.state.hint)}\`; it holds ${listed(names)}`, remedy: "correct `cluster` of that source in the fleet file: the cluster's name or id in its cloud" } };
  }
  const single = distinct(choices.flatMap(({ found }) => (idsOf(found).length === 1 ? found : [])));
  if (single.length > 1) {
    return { trouble: { subject: fleetName, reason: `the states of \`${fleetName}\` hold ${single.length} clusters: ${listed(single.map(({ data }) => data.name))}`, remedy: `write \`cluster:\` at the sources of \`${fleetName}\` in the fleet file, or name its own states only` } };
  }
  const [one] = single;
  const open = choices.find(({ found }) => idsOf(found).length > 1 && (one === undefined || !found.some((other) => sameText(other.data.id, one.data.id))));
  if (open !== undefined) {
    const names = distinct(open.found).map(({ data }) => data.name);
    return { trouble: { subject: open.state.name, reason: `the state \`${open.state.name}\` holds ${names.length} clusters, and the fleet does not say which is \`${fleetName}\`: ${listed(names)}`, remedy: `write \`cluster: ${names[0] ?? "NAME"}\`, or whichever it is, at that source in the fleet file` } };
  }
  if (one !== undefined) return { owner: ownerOf(one.data) };
  const hint = states.find((state) => state.hint !== undefined)?.hint;
  if (hint !== undefined) return { owner: hint.includes("/") ? { id: hint, name: hint.split("/").at(-1) } : { name: hint } };
  const names = states.map(({ name }) => name);
  return { trouble: { subject: fleetName, reason: `no cluster of EKS, GKE or AKS is in ${names.length === 1 ? "the state" : "the states"} ${listed(names)}`, remedy: `name the state that holds \`${fleetName}\` itself; where only its node pools or add-ons are declared, write \`cluster:\`` } };
}

function clustersIn({ things }: Declaring): readonly ClusterThing[] {
  return things.filter((thing) => thing.of === "cluster");
}

/** Those that may be meant: by the hint where there is one, else all. */
function chosen(state: Declaring): readonly ClusterThing[] {
  const { hint } = state;
  const clusters = clustersIn(state);
  return hint === undefined ? clusters : clusters.filter(({ data }) => sameText(data.id, hint) || sameText(data.name, hint));
}

function idsOf(clusters: readonly ClusterThing[]): readonly string[] {
  return [...new Set(clusters.map(({ data }) => data.id.toLowerCase()))];
}

function distinct(clusters: readonly ClusterThing[]): readonly ClusterThing[] {
  return [...new Map(clusters.map((cluster) => [cluster.data.id.toLowerCase(), cluster])).values()];
}

function ownerOf({ id, name, region, account }: Omit<DeclaredCluster, "state">): Owner {
  return { id, name, region, account };
}

function belongs(thing: Thing, target: Owner, from: Declaring): boolean {
  const { owner } = thing;
  if (owner.id !== undefined && target.id !== undefined) return sameText(owner.id, target.id);
  if (owner.name === undefined) return owner.id === undefined && idsOf(clustersIn(from)).length <= 1;
  return sameText(owner.name, target.name) && agree(owner.region, target.region) && agree(owner.account, target.account);
}

function agree(left: string | undefined, right: string | undefined): boolean {
  return left === undefined || right === undefined || sameText(left, right);
}

/** Azure writes its paths in any case; names that differ by case alone are not two clusters in any cloud. */
function sameText(left: string | undefined, right: string | undefined): boolean {
  return left?.toLowerCase() === right?.toLowerCase();
}

/** Something that says nothing of its cluster, in a state with several. */
function homeless(states: readonly Declaring[]): readonly Trouble[] {
  return states.flatMap((from) =>
    idsOf(clustersIn(from)).length < 2
      ? []
      : from.things.flatMap((thing) => (thing.of === "unread" || thing.owner.id !== undefined || thing.owner.name !== undefined ? [] : [strayOf(thing, from)])),
  );
}

function strayOf(thing: Thing, { name }: Declaring): Trouble {
  const { address } = thing.data;
  return { about: thing.of, subject: address, reason: `\`${address}\` does not say to which of the clusters in the state \`${name}\` it belongs`, remedy: "keep what is installed in a cluster in a state of its own, or compare other fields" };
}

/** Of two that say the same thing of a cluster, the one that counts. */
function outranks(other: Thing, one: Thing): boolean {
  if (other === one) return false;
  if (other.of === "cluster" && one.of === "cluster") return other.data.mode === "managed" && one.data.mode === "data";
  if (other.of !== "pool" || one.of !== "pool" || other.data.name !== one.data.name) return false;
  return rank(other) > rank(one);
}

function rank(pool: Extract<Thing, { readonly of: "pool" }>): number {
  return (pool.data.origin === "declared" ? 2 : 0) + (pool.mode === "managed" ? 1 : 0);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => `\`${clean(name)}\``);
  return `${shown.join(", ")}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ""}`;
}

function clean(text: string | undefined): string {
  return (text ?? "").slice(0, 200).replaceAll("`", "'");
}
