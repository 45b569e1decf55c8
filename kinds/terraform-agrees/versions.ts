import { compareKubernetesVersions, parseImage, parseIstioRelease, parseKubernetesVersion, type KubernetesVersion } from "#values";

/** A version as somebody wrote it, and what it says. */
export interface Version {
  readonly text: string;
  readonly parsed: KubernetesVersion;
}

/** Reads a version of Kubernetes; undefined for what is none. */
export function kubernetesVersion(text: string | undefined): Version | undefined {
  const parsed = text === undefined ? undefined : parseKubernetesVersion(text);
  return text === undefined || parsed === undefined ? undefined : { text, parsed };
}

/** Reads a version of Istio, whoever built it. */
export function meshVersion(text: string | undefined): Version | undefined {
  if (text === undefined) return undefined;
  const release = parseIstioRelease(text);
  const parsed = release === undefined ? parseKubernetesVersion(text) : { major: release.major, minor: release.minor, patch: release.patch };
  return parsed === undefined ? undefined : { text, parsed };
}

/** The version of a control plane, as the tag of its image names it. */
export function imageVersion(image: string | undefined): Version | undefined {
  return image === undefined ? undefined : meshVersion(parseImage(image)?.tag);
}

/**
 * Does what runs fulfil what is declared? As far as it is declared: `1.33` is fulfilled by every 1.33.x. A vendor's own build counts only where
 * both name one of the same vendor (`gke.1162000`).
 */
export function fulfils({ parsed: running }: Version, { parsed: declared }: Version): boolean {
  if (declared.major !== running.major || declared.minor !== running.minor) return false;
  if (declared.patch === undefined) return true;
  if (declared.patch !== running.patch) return false;
  const [mine, other] = [vendorOf(declared), vendorOf(running)];
  return mine === undefined || mine !== other || declared.build === running.build;
}

function vendorOf({ build }: KubernetesVersion): string | undefined {
  return build?.split(/[.-]/)[0];
}

/** Negative when `left` is older. */
export function compareVersions(left: Version, right: Version): number {
  return compareKubernetesVersions(left.parsed, right.parsed);
}

/** The newest of some; of equally new ones the first by text, so that the order of facts does not show. */
export function newestOf<T>(items: readonly T[], version: (item: T) => Version): T | undefined {
  return items.reduce<T | undefined>((best, item) => {
    if (best === undefined) return item;
    const order = compareVersions(version(item), version(best));
    return order > 0 || (order === 0 && version(item).text < version(best).text) ? item : best;
  }, undefined);
}

/** Minor releases from `older` to `newer`; infinite over a major. */
export function minorsBehind({ parsed: older }: Version, { parsed: newer }: Version): number {
  return older.major === newer.major ? newer.minor - older.minor : older.major < newer.major ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}
