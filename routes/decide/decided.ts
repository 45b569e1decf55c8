import type { Rule, VirtualHost } from "./model.ts";
import { Regexes } from "./regexes.ts";

/**
 * Lists of rules that were found to be equivalent. Views that see the same lists need not decide them again.
 *
 * Only for lists that do not look at the authority, read with the same setting.
 */
export class Decided {
  /** Expressions are the same in all views. */
  readonly regexes = new Regexes();
  private readonly numbers = new Map<readonly Rule[], number>();
  private readonly settled = new WeakMap<VirtualHost, boolean>();
  private readonly equivalent = new Set<string>();

  /** Whether tables that share a virtual host surely do the same with what it takes: all of it is modelled, and nothing is refused. */
  isSettled(host: VirtualHost): boolean {
    let known = this.settled.get(host);
    if (known === undefined) {
      known = host.unmodelled === undefined && host.rules.every(({ action }) => action.type !== "invalid");
      this.settled.set(host, known);
    }
    return known;
  }

  /** Remembers lists as equivalent under a setting. */
  add(setting: string, lists: readonly (readonly Rule[])[]): void {
    this.equivalent.add(this.key(setting, lists));
  }

  /** Whether they were. */
  has(setting: string, lists: readonly (readonly Rule[])[]): boolean {
    return this.equivalent.has(this.key(setting, lists));
  }

  private key(setting: string, lists: readonly (readonly Rule[])[]): string {
    let key = setting;
    for (const list of lists) {
      const number = this.numbers.get(list) ?? this.numbers.size;
      this.numbers.set(list, number);
      key += ` ${number}`;
    }
    return key;
  }
}
