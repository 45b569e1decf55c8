import { isSame } from "../../decide/same.ts";
import type { Acted } from "./actions.ts";
import { fits } from "./check.ts";
import type { Target } from "./destinations.ts";
import { fullName } from "./hosts.ts";
import { at, isObject, type Json, type JsonObject, listAt, numberAt, objectAt, textAt } from "./json.ts";
import { type Matched, matchOf } from "./matches.ts";
import type { Named } from "./registry.ts";
import { http } from "./shapes.ts";
import type { HttpRule } from "./virtual-services.ts";

/**
 * What places have in common is read once. Three clusters mostly hold the same rules, so that telling that a rule is the same, which is
 * cheaper than reading it, saves nearly all of the work for the second and third.
 *
 * Nothing here changes an answer: what is shared is what reading again would give.
 *
 * @module
 */

/** A destination as a route names it, its host in full. */
export interface Use {
  readonly id: number;
  readonly host: string;
  readonly subset: string;
  /** The port, where the destination names one. */
  readonly port: number | undefined;
}

/** One `http` rule as it was written in the VirtualServices of one name. */
export class Written {
  readonly spec: JsonObject;
  /** No unknown field, no value of a wrong type. */
  readonly isInOrder: boolean;
  readonly matches: readonly JsonObject[];
  /** The destinations of its route and mirrors. */
  readonly uses: readonly Use[];
  /** What the last proxy that asked makes of it: see `rules.ts`. */
  acted: { readonly key: string; readonly targets: readonly Target[]; readonly byMatch: Acted[] } | undefined = undefined;
  private readonly read: Matched[] = [];

  constructor(spec: Json, uses: readonly Use[]) {
    this.isInOrder = fits(spec, http, 2);
    this.spec = isObject(spec) ? spec : {};
    this.matches = listAt(this.spec, "match").map((match) => (isObject(match) ? match : {}));
    this.uses = uses;
  }

  /** A match block as a condition. */
  matched(index: number): Matched {
    return (this.read[index] ??= matchOf(this.matches[index] ?? {}));
  }
}

/** How far a rule may have moved between two places to be found again. */
const WINDOW = 8;

/** What was read so far. */
export class Memory {
  private readonly lists = new Map<string, readonly Written[]>();
  private readonly read = new Map<string, { readonly named: Named; readonly list: readonly HttpRule[] }>();
  private readonly uses = new Map<string, Use>();
  private readonly targets = new Map<string, Target>();

  /** The rules of a VirtualService; the same list where the last one of that name had the same rules. */
  rules(items: readonly Json[], title: string, namespace: string, domain: string): readonly Written[] {
    const key = `${domain} ${title}`;
    const before = this.lists.get(key) ?? [];
    const list: Written[] = [];
    let shift = 0;
    let isNew = before.length !== items.length;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      let found = before[index + shift];
      if (found === undefined || !isSame(found.spec, item)) {
        isNew = true;
        found = undefined;
        for (let distance = 1; distance <= WINDOW && found === undefined; distance++) {
          for (const moved of [shift + distance, shift - distance]) {
            const other = before[index + moved];
            if (other === undefined || !isSame(other.spec, item)) continue;
            found = other;
            shift = moved;
            break;
          }
        }
      } else if (shift !== 0) isNew = true;
      list.push(found ?? new Written(item, this.usesOf(item, namespace, domain)));
    }
    if (!isNew) return before;
    this.lists.set(key, list);
    return list;
  }

  /** What `read` makes of the rules of an object; the same list for an object of another place with the same rules at the same place. */
  readRules(named: Named, read: (named: Named) => readonly HttpRule[]): readonly HttpRule[] {
    const before = this.read.get(named.title);
    if (before !== undefined && before.named.written === named.written && before.named.file === named.file && before.named.line === named.line) return before.list;
    const list = read(named);
    this.read.set(named.title, { named, list });
    return list;
  }

  /** One object for each destination. */
  use(destination: Json, namespace: string, domain: string): Use {
    const host = fullName(textAt(destination, "host"), namespace, domain);
    const subset = textAt(destination, "subset");
    const named = at(destination, "port");
    const port = isObject(named) ? numberAt(named, "number") : undefined;
    const key = `${host} ${subset} ${port ?? ""}`;
    const known = this.uses.get(key);
    if (known !== undefined) return known;
    const use: Use = { id: this.uses.size, host, subset, port };
    this.uses.set(key, use);
    return use;
  }

  /** One object for each target, so that equal ones are told by identity. */
  target(target: Target): Target {
    const key = JSON.stringify(target);
    const known = this.targets.get(key) ?? target;
    this.targets.set(key, known);
    return known;
  }

  private usesOf(spec: Json, namespace: string, domain: string): readonly Use[] {
    const uses: Use[] = [];
    for (const route of listAt(spec, "route")) uses.push(this.use(at(route, "destination"), namespace, domain));
    if (at(spec, "mirror") !== undefined) uses.push(this.use(objectAt(spec, "mirror"), namespace, domain));
    for (const mirror of listAt(spec, "mirrors")) uses.push(this.use(at(mirror, "destination"), namespace, domain));
    return uses;
  }
}
