const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1000n],
  ["µs", 1000n],
  ["μs", 1000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

/**
 * Nanoseconds of a duration as Go, Istio and Gateway API write it (`60s`, `1m`, `1h30m`, `1.5s`). Undefined for what is none;
 * a number without a unit is none, except `0`.
 */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > 64) return undefined;
  if (/^[-+]?0$/.test(text)) return 0n;
  const [, sign, parts] = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/u.exec(text) ?? [];
  if (parts === undefined) return undefined;
  let sum = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of parts.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gu)) {
    const scale = UNITS.get(unit) ?? 0n;
    sum += BigInt(whole === "" ? 0 : whole) * scale + (fraction === "" ? 0n : (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length));
  }
  return sign === "-" ? -sum : sum;
}
