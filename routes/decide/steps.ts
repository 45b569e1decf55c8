import { OutOfBudget } from "../languages/automaton.ts";
import type { Meter } from "../languages/search.ts";

/** Steps that are left for one kind of host. They count positions and sets of requests, so that they are the same on every machine. */
export class Steps implements Meter {
  private left: number;
  private readonly limit: number;

  constructor(limit: number) {
    this.left = limit;
    this.limit = limit;
  }

  get isEmpty(): boolean {
    return this.left <= 0;
  }

  /** Takes away all but so many steps. */
  keep(steps: number): void {
    this.left = Math.min(this.left, steps);
  }

  spend(steps: number): void {
    this.left -= steps;
    if (this.left <= 0) throw new OutOfBudget("steps for one kind of host", this.limit);
  }
}
