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
  /** Releases for which it stands, by program; none where they are known or do not matter. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
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

/** The minor release of a version; undefined where it is not known. */
export function minorOf(version: string | undefined): number | undefined {
  return parse(version)?.minor;
}

/** What releases of istiod do differently with whole objects; an unknown one is taken for 1.24 or newer. */
export interface ObjectReading {
  /** DestinationRules of one host become one only where they are exported alike (from 1.24: `ENABLE_ENHANCED_DESTINATIONRULE_MERGE`). */
  readonly mergesByExport: boolean;
  /**
   * Gateways of other namespaces do not join the proxies that istiod runs for a Gateway of Gateway API (from 1.31:
   * `PILOT_ENABLE_STRICT_GATEWAY_MERGING`). Undefined where the release is not known.
   */
  readonly separatesManagedGateways: boolean | undefined;
  /** Hosts of a Sidecar that begin with `~` are taken away from the others (from 1.31); before, they say nothing. Undefined where the release is not known. */
  readonly excludesHosts: boolean | undefined;
  /** Of a destination that several namespaces have the one of Kubernetes counts, then the oldest (from 1.30: `PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE`); before, the first namespace by name. */
  readonly picksBest: boolean;
  /** Sidecars know services by their names with a dot at the end, too (in 1.27: `PILOT_ENABLE_ABSOLUTE_FQDN_VHOST_DOMAIN`); taken for true where it is not known. */
  readonly endsInDot: boolean;
  /** A redirect can replace a prefix (from 1.31). */
  readonly redirectsPrefixes: boolean;
}

const unknownRelease = { separatesManagedGateways: undefined, excludesHosts: undefined };
const newRelease = { separatesManagedGateways: true, excludesHosts: true };
const oldRelease = { separatesManagedGateways: false, excludesHosts: false };

/** How the istiod of a place reads objects. */
export function objectReading(istio: string | undefined): ObjectReading {
  const version = parse(istio);
  const from = (minor: number): boolean => version === undefined || version.minor >= minor;
  return { picksBest: from(30), endsInDot: from(27), redirectsPrefixes: from(31), mergesByExport: from(24), ...(version === undefined ? unknownRelease : version.minor >= 31 ? newRelease : oldRelease) };
}

/** A reading with the releases for which it stands; empty names where they are known or do not matter. */
interface Possible<T> {
  readonly name: string;
  readonly releases: readonly string[];
  readonly reading: T;
}

const old = "1.38 or older";
const middle = "1.39.0";
const latest = "1.39.1 or newer";

const joinedText: HttpReading = { headerLines: "joined", regexText: "utf-8" };
const singleText: HttpReading = { headerLines: "each", regexText: "utf-8" };
const singleBytes: HttpReading = { headerLines: "each", regexText: "bytes" };

/**
 * The readings that must be looked at. An unknown istiod is taken for 1.24 or newer: the caller names that as an assumption.
 */
export function versionReadings(istio: string | undefined, envoy: string | undefined, uses: Uses): readonly VersionReading[] {
  const proxies = envoyReadings(parse(envoy), uses), controls = istiodReadings(parse(istio), uses);
  return controls.flatMap((control) =>
    proxies.map((proxy) => ({
      name: [control.name, proxy.name].filter((part) => part !== "").join(", "),
      versions: { ...(control.name === "" ? {} : { istiod: control.releases }), ...(proxy.name === "" ? {} : { envoy: proxy.releases }) },
      istiod: control.reading,
      http: proxy.reading,
    })),
  );
}

function envoyReadings(version: Version | undefined, uses: Uses): readonly Possible<HttpReading>[] {
  const possible = (name: string, reading: HttpReading, ...releases: readonly string[]): Possible<HttpReading> => ({ name: `Envoy ${name}`, releases, reading });
  if (version !== undefined) {
    return [{ name: "", releases: [], reading: version.minor < 39 ? joinedText : version.minor === 39 && version.patch === 0 ? singleText : singleBytes }];
  }
  if (uses.headers && uses.regexes) return [possible(old, joinedText, old), possible(middle, singleText, middle), possible(latest, singleBytes, latest)];
  if (uses.headers) return [possible(old, joinedText, old), possible("1.39.0 or newer", singleBytes, middle, latest)];
  if (uses.regexes) return [possible("1.39.0 or older", singleText, old, middle), possible(latest, singleBytes, latest)];
  return [{ name: "", releases: [], reading: singleBytes }];
}

function istiodReadings(version: Version | undefined, uses: Uses): readonly Possible<IstiodReading>[] {
  if (version !== undefined) return [{ name: "", releases: [], reading: { retries503: version.minor < 24, shadowHost: version.minor < 28 } }];
  if (!uses.mirrors) return [{ name: "", releases: [], reading: { retries503: false, shadowHost: false } }];
  return ["1.27 or older", "1.28 or newer"].map((release, index) => ({ name: `istiod ${release}`, releases: [release], reading: { retries503: false, shadowHost: index === 0 } }));
}
