/**
 * Which views of several places are one.
 *
 * @module
 */

import type { GatewayView, Listener, MeshView, Reading, RouteWorld, View, ViewTable } from "../decide/model.ts";

/** A view with its readings in every place; where a place lacks it, what a client finds there. */
export interface Pair {
  readonly view: View;
  /** By place. */
  readonly readings: readonly (readonly Reading[])[];
  /** Places that lack it. */
  readonly missing: readonly string[];
}

/** Pairs the views of all places at once: gateways by name, then those that are alone on their port; clients of the mesh by what they are. */
export function pairViews(worlds: readonly RouteWorld[]): readonly Pair[] {
  return [...pairGateways(worlds), ...pairClients(worlds)];
}

function nothing(otherwise: Listener["otherwise"]): readonly Reading[] {
  return [{ name: "", listener: { chains: [], otherwise } satisfies Listener }];
}

type Gateways = ReadonlyMap<string, ViewTable & { readonly view: GatewayView }>;

function pairGateways(worlds: readonly RouteWorld[]): readonly Pair[] {
  const tables = worlds.map((world): Gateways => new Map(world.views.flatMap((table) => (isGateway(table) ? [[gatewayKey(table.view), table]] : []))));
  const keys = [...new Set(tables.flatMap((own) => [...own.keys()]))].sort();
  const paired = new Set(keys.filter((key) => tables.every((own) => own.has(key))));
  const pairs: Pair[] = [];
  const add = (view: View, found: readonly (ViewTable | undefined)[]): void => {
    const missing = worlds.flatMap(({ place }, index) => (found[index] === undefined ? [place] : []));
    pairs.push({ view, readings: found.map((table) => table?.readings ?? nothing({ type: "close" })), missing });
  };
  const done = new Set<string>();
  for (const key of keys) {
    const found = tables.map((own) => own.get(key));
    const [view] = found.flatMap((table) => table?.view ?? []);
    if (view === undefined || done.has(key)) continue;
    if (paired.has(key)) {
      add(view, found);
      continue;
    }
    const alone = tables.map((own) => [...own.values()].filter((table) => table.view.port === view.port && table.view.tls === view.tls));
    if (alone.every((list) => list.length === 1)) {
      const [first] = alone.flat();
      for (const table of alone.flat()) done.add(gatewayKey(table.view));
      add(first?.view ?? view, alone.map(([table]) => table));
    } else add(view, found);
  }
  return pairs;
}

function isGateway(table: ViewTable): table is ViewTable & { readonly view: GatewayView } {
  return "gateway" in table.view;
}

function gatewayKey({ gateway, port, tls }: GatewayView): string {
  return JSON.stringify([gateway, port, tls]);
}

type Client = ViewTable & { readonly view: MeshView };

function pairClients(worlds: readonly RouteWorld[]): readonly Pair[] {
  const places = worlds.map((world) => new Clients(world));
  // Where some place knows its clients, those that another was taken to have for want of pods are nobody's.
  const known = places.filter(({ areAssumed }) => !areAssumed);
  const views = new Map<string, MeshView>();
  for (const { tables } of known.length === 0 ? places : known) for (const { view } of tables) views.set(viewKey(view, view.labels), view);
  return [...views.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, view]) => {
    const found = places.map((place) => place.find(view));
    const missing = worlds.flatMap(({ place }, index) => (found[index] === undefined ? [place] : []));
    return { view, readings: found.map((readings) => readings ?? nothing({ type: "close" })), missing };
  });
}

/** The clients of one place. */
class Clients {
  readonly tables: readonly Client[];
  private readonly byKey = new Map<string, Client>();
  readonly areAssumed: boolean;
  private readonly others: Client | undefined;

  constructor(world: RouteWorld) {
    this.tables = world.views.filter((table): table is Client => "mesh" in table.view);
    for (const table of this.tables) this.byKey.set(viewKey(table.view, table.view.labels), table);
    this.areAssumed = world.areClientsAssumed === true;
    this.others = this.tables.find(({ isOfOthers }) => isOfOthers === true);
  }

  /** What a client finds here; undefined where there is no such client. */
  find(view: MeshView): readonly Reading[] | undefined {
    const exact = this.byKey.get(viewKey(view, view.labels));
    if (exact !== undefined) return exact.readings;
    if (this.isKnown(view)) return this.elsewhere(view.namespace);
    if (!this.areAssumed) return undefined;
    // Nothing here speaks of such a client: it is one of the others.
    const namespace = this.tables.some((table) => table.view.namespace === view.namespace) ? view.namespace : this.others?.view.namespace;
    if (namespace === undefined) return nothing({ type: "passthrough" });
    const like = { ...view, namespace };
    const found = this.byKey.get(viewKey(like, view.labels)) ?? this.byKey.get(viewKey(like, {}));
    return found?.readings ?? this.elsewhere(namespace);
  }

  private isKnown({ namespace, labels }: MeshView): boolean {
    return this.tables.some(({ view }) => view.namespace === namespace && sameLabels(view.labels, labels));
  }

  /** A client that is there has no listener for the port: its connections go where unknown ones go. */
  private elsewhere(namespace: string): readonly Reading[] {
    const sibling = this.tables.find(({ view }) => view.namespace === namespace);
    return nothing(sibling?.readings[0]?.listener.otherwise ?? { type: "passthrough" });
  }
}

/** A view by what it is. */
export function keyOfView(view: View): string {
  return "mesh" in view ? viewKey(view, view.labels) : gatewayKey(view);
}

function viewKey({ namespace, port }: MeshView, labels: MeshView["labels"]): string {
  return JSON.stringify([namespace, Object.entries(labels).sort(), port]);
}

function sameLabels(one: MeshView["labels"], other: MeshView["labels"]): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
}
