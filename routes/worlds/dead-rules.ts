import { deadRules } from "../decide/dead-rules.ts";
import type { HttpTable, Origin, RouteWorld, VirtualHost } from "../decide/model.ts";

/**
 * The rules of a place that never decide: for no request, in no view, in no reading. Those that the control plane leaves out are among
 * them. The order is that of objects and paths.
 *
 * Guarantee: none of them is ever the first match. What is past the budget, or rests on what a proxy writes itself, is not told.
 */
export function deadRulesOf(world: RouteWorld, budget: { readonly steps?: number } = {}): readonly Origin[] {
  const dead = new Map<string, Origin>();
  const alive = new Set<string>();
  const known = new Set<string>();
  for (const { table, host } of virtualHostsOf(world)) {
    const one: HttpTable = { ...table, virtualHosts: [host] };
    const key = JSON.stringify(one);
    if (known.has(key)) continue;
    known.add(key);
    // A host alone: what other domains take away from it is not counted, so that fewer rules are called dead.
    const found = new Map(deadRules(one, budget).dead.map((origin) => [keyOf(origin), origin]));
    for (const { origin } of host.rules) if (!found.has(keyOf(origin))) alive.add(keyOf(origin));
    for (const origin of [...found.values(), ...(host.untried ?? [])]) dead.set(keyOf(origin), origin);
  }
  return [...dead].filter(([key]) => !alive.has(key)).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, origin]) => origin);
}

function* virtualHostsOf(world: RouteWorld): Generator<{ readonly table: HttpTable; readonly host: VirtualHost }> {
  for (const { readings } of world.views) {
    for (const { listener } of readings) {
      for (const { then: table } of listener.chains) {
        if (table.type === "http") for (const host of table.virtualHosts) if (host.isImplicit !== true) yield { table, host };
      }
    }
  }
}

function keyOf({ object, path, file }: Origin): string {
  return `${object}\n${path}\n${file ?? ""}`;
}
