/** Elements visited, and pieces of texts and lists built, by one evaluation: far more than a rule that walks its objects needs, and seconds at most. */
const BUDGET = 2_000_000;

/** Counts what an evaluation does, so that it ends at the same point on every machine. */
export class Meter {
  #left = BUDGET;
  #budget = BUDGET;

  /** True once more was done than is allowed: whatever came out is worth nothing. */
  get isEmpty(): boolean {
    return this.#left < 0;
  }

  get budget(): number {
    return this.#budget;
  }

  reset(budget = BUDGET): void {
    this.#budget = budget;
    this.#left = budget;
  }

  /** Throws when the budget is spent; every later call throws too. */
  charge(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new Error("the budget of steps is spent");
  }
}
