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
