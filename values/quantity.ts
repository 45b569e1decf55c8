const SUFFIXES: ReadonlyMap<string, readonly [base: 2 | 10, exponent: number]> = new Map([
  ["", [10, 0]],
  ["n", [10, -9]],
  ["u", [10, -6]],
  ["m", [10, -3]],
  ["k", [10, 3]],
  ["M", [10, 6]],
  ["G", [10, 9]],
  ["T", [10, 12]],
  ["P", [10, 15]],
  ["E", [10, 18]],
  ["Ki", [2, 10]],
  ["Mi", [2, 20]],
  ["Gi", [2, 30]],
  ["Ti", [2, 40]],
  ["Pi", [2, 50]],
  ["Ei", [2, 60]],
]);

/** An exact decimal number: `digits` times ten to `exponent`. Equal numbers have equal parts. */
export interface Quantity {
  readonly digits: bigint;
  readonly exponent: number;
}

/**
 * Reads a quantity as Kubernetes does (`500m`, `1.5Gi`, `1e3`), exactly. Undefined for what is none.
 * A number is one too: JSON writes `cpu: 1` without quotes.
 */
export function parseQuantity(value: string | number): Quantity | undefined {
  const text = String(value);
  if (text.length > 64) return undefined;
  const [, sign, whole = "", fraction = "", suffix = "", power] = /^([-+]?)(\d*)(?:\.(\d*))?(?:([a-zA-Z]{0,2})|[eE]([-+]?\d{1,3}))$/.exec(text) ?? [];
  const unit = SUFFIXES.get(suffix);
  if (whole + fraction === "" || unit === undefined) return undefined;
  const [base, exponent] = power === undefined ? unit : [10, Number(power)];
  const digits = BigInt(`${whole}${fraction}`) * (base === 2 ? 2n ** BigInt(exponent) : 1n);
  return reduced(sign === "-" ? -digits : digits, (base === 10 ? exponent : 0) - fraction.length);
}

/** One text for one number, however it was written. */
export function quantityText({ digits, exponent }: Quantity): string {
  return `${digits}e${exponent}`;
}

/** As a plain number; the nearest one where it cannot be exact. */
export function quantityNumber({ digits, exponent }: Quantity): number {
  return Number(`${digits}e${exponent}`);
}

function reduced(digits: bigint, exponent: number): Quantity {
  if (digits === 0n) return { digits, exponent: 0 };
  let left = digits;
  let shift = exponent;
  for (; left % 10n === 0n; left /= 10n) shift += 1;
  return { digits: left, exponent: shift };
}
