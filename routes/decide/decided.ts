import type { Rule } from "./model.ts";

/**
 * Lists of rules that were found to be equivalent. Views that see the same lists need not decide them again.
 *
 * Only for lists that do not look at the authority, read with the same setting.
 */
export class Decided {
  private readonly numbers = new Map<readonly Rule[], number>();
  private readonly equivalent = new Set<string>();

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
