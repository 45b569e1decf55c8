import { overlap } from "./hosts.ts";
import type { Named } from "./registry.ts";

/** istiod's order: age, then name, then namespace (pilot/pkg/model/config.go `configCompareByCreationTime`). Those of unknown age come last. */
export function byAge(a: Named, b: Named): number {
  const left = a.created ?? "9", right = b.created ?? "9";
  return compareText(left, right) || compareText(a.name, b.name) || compareText(a.namespace, b.namespace);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One order in which the objects may have been made. `name` says what it supposes; empty where the order is known. */
export interface Order<T> {
  readonly name: string;
  readonly list: readonly T[];
}

/** More orders than this are not tried. */
const maxOrders = 24;

/**
 * The orders that must all be looked at where the age of some objects is unknown.
 *
 * In every table that is built from such a list a request is answered by the first object that takes it. So it is enough to look at
 * the known order with the others behind it, and at each of the others in front: an answer that is the same in all of these is the same
 * in every order. Objects that share no host never take the same request; those of separate groups move at the same time.
 *
 * `undefined` when there would be more than {@link maxOrders}.
 */
export function orders<T>(sorted: readonly T[], named: (item: T) => Named, hosts: (item: T) => readonly string[]): readonly Order<T>[] | undefined {
  const groups = sorted.some((item) => named(item).created === undefined) ? groupsOf(sorted, hosts) : [];
  const movable = groups.map((group) => (group.length > 1 ? group.filter((item) => named(item).created === undefined) : []));
  const count = Math.max(0, ...movable.map((group) => group.length));
  if (count > maxOrders) return undefined;
  const out: Order<T>[] = [{ name: "", list: sorted }];
  for (let turn = 0; turn < count; turn++) {
    const first = new Set(movable.flatMap((group) => group.slice(turn, turn + 1)));
    const list = [...sorted.filter((item) => first.has(item)), ...sorted.filter((item) => !first.has(item))];
    out.push({ name: `${[...first].map((item) => named(item).title).join(", ")} made first`, list });
  }
  return out;
}

/** Objects linked by hosts that overlap, directly or over others. */
function groupsOf<T>(items: readonly T[], hosts: (item: T) => readonly string[]): readonly (readonly T[])[] {
  const parent = items.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while ((parent[at] ?? at) !== at) at = parent[at] ?? at;
    return at;
  };
  const owner = new Map<string, number>();
  const wild: (readonly [string, number])[] = [];
  items.forEach((item, index) => {
    for (const host of hosts(item)) {
      const known = owner.get(host);
      if (known !== undefined) parent[root(index)] = root(known);
      owner.set(host, index);
      if (host.startsWith("*")) wild.push([host, index]);
    }
  });
  for (const [pattern, index] of wild) for (const [host, other] of owner) if (overlap(pattern, host)) parent[root(other)] = root(index);
  const groups = new Map<number, T[]>();
  items.forEach((item, index) => {
    const key = root(index);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  });
  return [...groups.values()];
}
