import { parseReleaseNumber, type ReleaseNumber } from "./release-number.ts";

/** What an Envoy says of itself. */
export interface EnvoyVersion extends ReleaseNumber {
  /** Built after the release before it and before the one it names: most Envoys inside Istio are. Counts as the number it names. */
  readonly dev: boolean;
}

/** Reads `1.37.2` and `1.37.2-dev`. */
export function parseEnvoyVersion(text: string): EnvoyVersion | undefined {
  const dev = text.endsWith("-dev");
  const number = parseReleaseNumber(dev ? text.slice(0, -"-dev".length) : text);
  return number && { ...number, dev };
}

/**
 * The version out of what `server_info` answers: `<commit>/1.37.2-dev/Clean/RELEASE/BoringSSL`.
 * Undefined for any other form.
 */
export function envoyVersionOfBuild(build: string): string | undefined {
  if (build.length > 400) return undefined;
  const [commit, version, ...rest] = build.split("/");
  if (commit === undefined || version === undefined || rest.length < 2) return undefined;
  return parseEnvoyVersion(version) && version;
}
