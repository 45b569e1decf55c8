import type { HttpReading } from "../../decide/model.ts";

/** How one istiod translates, where releases differ. */
export interface IstiodReading {
  /** The default retry policy also retries 503 (until 1.23: `EXCLUDE_UNSAFE_503_FROM_DEFAULT_RETRY`). */
  readonly retries503: boolean;
  /** Mirrored requests get a Host with `-shadow` (until 1.27: `DISABLE_SHADOW_HOST_SUFFIX`). */
  readonly shadowHost: boolean;
}

/** One way in which a place may read its configuration. `name` says what it supposes; empty where it is known. */
export interface VersionReading {
  readonly name: string;
  readonly istiod: IstiodReading;
  readonly http: HttpReading;
}

/** What a table uses of that which versions read differently: others need no second reading. */
export interface Uses {
  readonly headers: boolean;
  readonly regexes: boolean;
  readonly mirrors: boolean;
}

interface Version {
  readonly minor: number;
  readonly patch: number;
}

const release = /^v?1\.(\d{1,4})(?:\.(\d{1,4}))?/;

function parse(version: string | undefined): Version | undefined {
  const found = version === undefined ? null : release.exec(version);
  return found === null ? undefined : { minor: Number(found[1]), patch: Number(found[2] ?? 0) };
}

const envoys: readonly (readonly [string, HttpReading])[] = [
  ["Envoy 1.38 or older", { headerLines: "joined", regexText: "utf-8" }],
  ["Envoy 1.39.0", { headerLines: "each", regexText: "utf-8" }],
  ["Envoy 1.39.1 or newer", { headerLines: "each", regexText: "bytes" }],
];

const istiods: readonly (readonly [string, IstiodReading])[] = [
  ["istiod 1.27 or older", { retries503: false, shadowHost: true }],
  ["istiod 1.28 or newer", { retries503: false, shadowHost: false }],
];

/**
 * The readings that must be looked at. An unknown istiod is taken for 1.24 or newer: the caller names that as an assumption.
 */
export function versionReadings(istio: string | undefined, envoy: string | undefined, uses: Uses): readonly VersionReading[] {
  const proxies = envoyReadings(parse(envoy), uses), controls = istiodReadings(parse(istio), uses);
  return controls.flatMap(([control, istiod]) =>
    proxies.map(([proxy, http]) => ({ name: [control, proxy].filter((part) => part !== "").join(", "), istiod, http })),
  );
}

function envoyReadings(version: Version | undefined, uses: Uses): readonly (readonly [string, HttpReading])[] {
  const [old, middle, latest] = envoys;
  if (old === undefined || middle === undefined || latest === undefined) return [];
  if (version !== undefined) {
    const [, reading] = version.minor < 39 ? old : version.minor === 39 && version.patch === 0 ? middle : latest;
    return [["", reading]];
  }
  if (uses.headers && uses.regexes) return envoys;
  if (uses.headers) return [old, latest];
  return uses.regexes ? [middle, latest] : [["", latest[1]]];
}

function istiodReadings(version: Version | undefined, uses: Uses): readonly (readonly [string, IstiodReading])[] {
  if (version !== undefined) return [["", { retries503: version.minor < 24, shadowHost: version.minor < 28 }]];
  return uses.mirrors ? istiods : [["", { retries503: false, shadowHost: false }]];
}
