import rows from "./istio-envoy-map.json" with { type: "json" };
import { parseEnvoyVersion } from "./envoy-version.ts";
import { istioBuildText, istioReleaseText, parseIstioRelease, type IstioRelease } from "./istio-release.ts";
import { compareReleases, lineText, parseReleaseNumber, releaseText, type ReleaseNumber } from "./release-number.ts";

/** One row of the map from an Istio release to the Envoy numbers its proxy may report. */
export interface IstioMapEntry {
  /** `1.29.2`; a pre-release or a vendor's build with its suffix: `1.31.0-rc.0`, `1.28.5-asm.9`. */
  readonly istio: string;
  /** The Envoy numbers (`1.37.2`) that this release may carry, oldest first: one when settled, several of one minor line when the sources leave it open. */
  readonly envoy: readonly string[];
}

/** Keyed by the Istio release. */
export type IstioMap = ReadonlyMap<string, IstioMapEntry>;

/** What {@link envoyNumbersOf} found. */
export interface EnvoyNumbers {
  /** The row that says it; builds that share a row carry the same number, whichever it is. */
  readonly row: string;
  /** Oldest first, at least one, all of one minor line. */
  readonly numbers: readonly ReleaseNumber[];
  /** The build has no row of its own: this is the number of the upstream release it is made from. */
  readonly upstream: boolean;
}

/** A text that should be a map from Istio to Envoy releases is none; the words say where and what would be right. */
export class IstioMapError extends Error {
  override readonly name = "IstioMapError";
}

/** The release's own rows and the fleet's. A row of the fleet replaces the built-in one of the same Istio release. */
export function istioMap(extra: readonly IstioMapEntry[] = []): IstioMap {
  // our own rows are not read anew in every run: a test holds that they read back as they are
  return new Map([...rows, ...extra].map((entry) => [entry.istio, entry]));
}

/**
 * Checks what a map file holds: a list of Istio releases, each with the Envoy numbers that are possible.
 * Throws {@link IstioMapError}.
 *
 * ```yaml
 * - { istio: 1.29.2, envoy: ["1.37.2"] }
 * - { istio: 1.24.0, envoy: ["1.32.1", "1.32.2"] }
 * - { istio: 1.28.5-asm.9, envoy: ["1.36.6"] }
 * ```
 */
export function istioMapEntriesOf(value: unknown): readonly IstioMapEntry[] {
  if (!Array.isArray(value)) throw new IstioMapError(`the file holds no list; ${FORM}`);
  const entries = value.map(entryOf);
  const seen = new Set<string>();
  for (const { istio } of entries) {
    if (seen.has(istio)) throw new IstioMapError(`\`${istio}\` stands in the file twice; keep one of the two`);
    seen.add(istio);
  }
  return entries;
}

const FORM = 'write rows such as { istio: 1.29.2, envoy: ["1.37.2"] }';
const MOST = 8;

function entryOf(row: unknown): IstioMapEntry {
  const key = fieldOf(row, "istio");
  const texts = fieldOf(row, "envoy");
  if (typeof key !== "string" || !Array.isArray(texts)) throw new IstioMapError(`a row has no \`istio\`, or no list \`envoy\`; ${FORM}`);
  const release = parseIstioRelease(key);
  if (release === undefined) throw new IstioMapError(`\`${key.slice(0, 80)}\` is no Istio release; write one such as \`1.29.2\` or \`1.28.5-asm.9\``);
  if (texts.length === 0 || texts.length > MOST) throw new IstioMapError(`\`${key}\` has ${texts.length} Envoy numbers; write 1 to ${MOST}`);

  const numbers = texts.map((text) => envoyOf(key, text)).toSorted(compareReleases);
  const lines = new Set(numbers.map(lineText));
  if (lines.size > 1) throw new IstioMapError(`\`${key}\` names Envoys of the lines ${[...lines].join(" and ")}; one Istio release carries one line`);
  return { istio: istioBuildText(release), envoy: [...new Set(numbers.map(releaseText))] };
}

function fieldOf(row: unknown, key: string): unknown {
  return typeof row === "object" && row !== null && Object.hasOwn(row, key) ? (row as Readonly<Record<string, unknown>>)[key] : undefined;
}

function envoyOf(key: string, value: unknown): ReleaseNumber {
  const version = typeof value === "string" ? parseEnvoyVersion(value) : undefined;
  if (version !== undefined) return version;
  throw new IstioMapError(`\`${key}\` names an Envoy that is no release; write a text such as "1.37.2"`);
}

/**
 * Which Envoy may this Istio proxy be? A row for the exact build wins, else the row of the upstream release counts.
 * Undefined where the map has neither: newer than the map, or never published.
 */
export function envoyNumbersOf(release: IstioRelease, map: IstioMap): EnvoyNumbers | undefined {
  const own = map.get(istioBuildText(release));
  const entry = own ?? map.get(istioReleaseText(release));
  if (entry === undefined) return undefined;
  const numbers = entry.envoy.flatMap((text) => parseReleaseNumber(text) ?? []);
  return numbers.length === 0 ? undefined : { row: entry.istio, numbers, upstream: own === undefined };
}

/** The newest release of the Istio project that the map knows. */
export function newestOf(map: IstioMap): string | undefined {
  const releases = [...map.keys()].flatMap((key) => parseReleaseNumber(key) ?? []);
  const newest = releases.toSorted(compareReleases).at(-1);
  return newest && releaseText(newest);
}
