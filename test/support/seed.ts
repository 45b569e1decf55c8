/**
 * The seed of a property: of the run, or that of `SEED` in the environment, to run a failure again. It is printed, so that every
 * failure can be.
 */
export function seed(name: string): number {
  const told = Number(process.env["SEED"]);
  const chosen = Number.isSafeInteger(told) && process.env["SEED"] !== undefined ? told : Math.trunc(Math.random() * 2 ** 31);
  process.stdout.write(`seed of ${name}: ${chosen}\n`);
  return chosen;
}

/**
 * The seed of a property whose worlds are many and whose oracle is a whole system: `guard`, the same in every run, so that one commit
 * has one answer; any other in a deep run, or where `SEED` says so. A seed that once was red belongs into its guards.
 */
export function guardedSeed(name: string, guard: number): number {
  if (process.env["CLOUD_ASSERT_DEEP"] === "1" || process.env["SEED"] !== undefined) return seed(name);
  process.stdout.write(`seed of ${name}: ${guard}\n`);
  return guard;
}

/** Numbers below a bound, the same for the same seed (xorshift). */
export function random(start: number): (bound: number) => number {
  let state = start | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
