import type { VirtualHost } from "../../decide/model.ts";
import { isSame } from "../../decide/same.ts";
import type { Json } from "../istio/json.ts";
import type { Clusters } from "./clusters.ts";

/**
 * What dumps have in common is read once. Proxies of one mesh hold mostly the same, so that telling that a virtual host is the same, with
 * all that its reading rests on, saves nearly all of the work for every proxy but the first.
 *
 * Nothing here changes an answer: what is shared is what reading again would give.
 *
 * @module
 */

/** A virtual host that was read. */
interface Known {
  readonly host: Json;
  readonly around: object;
  /** The clusters that its reading asked for, there or not. */
  readonly clusters: readonly string[];
  readonly made: VirtualHost;
  /** The dump in which it was last seen. */
  dump: number;
}

/** What the dumps before this one held. Only the last of them is compared with. */
export class DumpMemory {
  private dump = 0;
  private clusters: Clusters = undefined;
  /** Clusters that differ from those of the dump before; undefined: all may. */
  private changed: ReadonlySet<string> | undefined = undefined;
  private readonly arounds = new Map<string, object>();
  private readonly hosts = new Map<string, Known>();

  /** Begins with another dump. */
  begin(clusters: Clusters): void {
    this.dump++;
    this.changed = differing(this.clusters, clusters);
    this.clusters = clusters;
  }

  /** What the virtual hosts of a table rest on beside themselves and clusters; the very object that was known where it is the same. */
  around<T extends object>(table: string, value: T): object {
    const before = this.arounds.get(table);
    if (before !== undefined && isSame(before, value)) return before;
    this.arounds.set(table, value);
    return value;
  }

  /** What `read` makes of a virtual host; the same object where the last dump held it alike at the same place. */
  host(at: string, host: Json, around: object, read: () => { readonly made: VirtualHost; readonly clusters: readonly string[] }): VirtualHost {
    const before = this.hosts.get(at);
    if (before !== undefined && before.around === around && this.hasItsClusters(before) && isSame(before.host, host)) {
      before.dump = this.dump;
      return before.made;
    }
    const { made, clusters } = read();
    this.hosts.set(at, { host, around, clusters, made, dump: this.dump });
    return made;
  }

  private hasItsClusters({ dump, clusters }: Known): boolean {
    if (dump === this.dump) return true;
    const { changed } = this;
    return dump === this.dump - 1 && changed !== undefined && (changed.size === 0 || !clusters.some((name) => changed.has(name)));
  }
}

/** Names under which two dumps have another cluster, or one of them has none; undefined where one of them has no clusters to tell. */
function differing(one: Clusters, other: Clusters): ReadonlySet<string> | undefined {
  if (one === undefined || other === undefined) return one === other ? new Set() : undefined;
  const names = new Set<string>();
  for (const [name, cluster] of other) if (!isSame(one.get(name), cluster)) names.add(name);
  for (const name of one.keys()) if (!other.has(name)) names.add(name);
  return names;
}
