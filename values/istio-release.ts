import { parseReleaseNumber, releaseText, type ReleaseNumber } from "./release-number.ts";
import { remembering } from "./remembering.ts";

/** What the tag of an Istio proxy image says. */
export interface IstioRelease extends ReleaseNumber {
  /** `alpha.1`, `rc.0`, `dev`; undefined for a release. */
  readonly pre?: string | undefined;
  /** Who rebuilt it: `asm`, `tetrate`, `tetratefips`, `solo`, `hotfix`; `packaging` for a bare counter (`v1.29.2-1`). */
  readonly vendor?: string | undefined;
  /** The vendor's own counter: `9` of `1.28.5-asm.9`, `1` of `v1.29.2-1`. */
  readonly build?: string | undefined;
  /** How the image is packed, sorted: `debug`, `distroless`. The Envoy inside is the same release. */
  readonly variants: readonly string[];
  /** Built with the FIPS form of its crypto library. */
  readonly fips: boolean;
}

/** No registry accepts a longer tag. */
const LONGEST = 128;
const PRE = new Set(["alpha", "beta", "rc"]);
const VENDORS = new Set(["asm", "tetrate", "tetratefips", "solo", "hotfix"]);
const VARIANTS = new Set(["distroless", "debug", "alpine"]);
const COUNTER = /^\d{1,12}$/;
const BUILD = /^v?\d\w{0,40}$/;

/**
 * Reads the tag of an Istio proxy image, in the grammar of Istio and of those who rebuild it.
 *
 * Guarantees:
 *
 * 1. Undefined for a tag that names no release of three numbers, and for a suffix that nobody is known to write: never a guess.
 * 2. A suffix is no semver pre-release: `1.28.5-asm.9` and `v1.29.2-1` are rebuilds of their release, not older than it.
 * 3. The work is linear in the length of the tag, which a stranger may have written.
 *
 * @example
 * ```ts
 * parseIstioRelease("v1.29.2-1");               // { …, patch: 2, vendor: "packaging", build: "1" }
 * parseIstioRelease("1.28.5-asm.9-distroless"); // { …, patch: 5, vendor: "asm", build: "9", variants: ["distroless"] }
 * parseIstioRelease("latest");                  // undefined
 * ```
 */
export const parseIstioRelease = remembering((tag): IstioRelease | undefined => {
  if (tag.length > LONGEST) return undefined;
  const [first = "", ...rest] = tag.split("-");
  const number = parseReleaseNumber(first.startsWith("v") ? first.slice(1) : first);
  if (number === undefined) return undefined;

  let at = 0;
  const take = (fits: (part: string) => boolean) => (at < rest.length && fits(rest[at] ?? "") ? rest[at++] : undefined);

  const pre = take(isPre);
  const [named, ...counters] = take(isVendor)?.split(".") ?? [];
  const versioned = named === undefined ? undefined : take(isVersioned);
  const packaged = take((part) => COUNTER.test(part));
  const variants = new Set<string>();
  for (let variant = take(isVariant); variant !== undefined; variant = take(isVariant)) variants.add(variant);
  if (at < rest.length) return undefined;

  const vendor = named ?? (packaged === undefined ? undefined : "packaging");
  const build = [...counters, versioned, packaged].filter((part) => part !== undefined).join("-");
  return {
    ...number,
    ...(pre === undefined ? {} : { pre }),
    ...(vendor === undefined ? {} : { vendor }),
    ...(build === "" ? {} : { build }),
    variants: [...variants].filter((variant) => variant !== "fips").toSorted(),
    fips: vendor === "tetratefips" || variants.has("fips"),
  };
});

function isPre(part: string): boolean {
  const [word = "", counter, ...more] = part.split(".");
  return part === "dev" || (PRE.has(word) && counter !== undefined && COUNTER.test(counter) && more.length === 0);
}

function isVendor(part: string): boolean {
  const [word = "", ...counters] = part.split(".");
  return VENDORS.has(word) && counters.length <= 2 && counters.every((counter) => BUILD.test(counter));
}

/** `v0` of `tetrate-v0` */
function isVersioned(part: string): boolean {
  return part.startsWith("v") && BUILD.test(part);
}

function isVariant(part: string): boolean {
  return part === "fips" || VARIANTS.has(part);
}

/**
 * The release and who built it, without how it is packed: the key of the map to Envoy numbers.
 * `v1.29.2-1` gives `1.29.2-1`, `1.28.5-asm.9-distroless` gives `1.28.5-asm.9`.
 */
export function istioBuildText(release: IstioRelease): string {
  const vendor = release.vendor === "packaging" ? release.build : [release.vendor, release.build].filter((part) => part !== undefined).join(".");
  return [istioReleaseText(release), ...(vendor === undefined || vendor === "" ? [] : [vendor])].join("-");
}

/** The release of the Istio project that a build is made from: `1.28.5`, `1.31.0-rc.0`. */
export function istioReleaseText(release: IstioRelease): string {
  return release.pre === undefined ? releaseText(release) : `${releaseText(release)}-${release.pre}`;
}
