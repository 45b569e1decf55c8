/** A version of Kubernetes, as exact as somebody wrote it. */
export interface KubernetesVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch?: number | undefined;
  /** What a vendor adds: `gke.1162000`, `eks-113cf36`. */
  readonly build?: string | undefined;
}

const VERSION = /^v?(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})(?:\.(0|[1-9]\d{0,5}))?(?:[-+]([0-9A-Za-z.+-]{1,64}))?$/;

/**
 * Reads what API servers, kubelets, clouds and charts call a version: `1.33`, `v1.33.4-eks-113cf36`, `1.33.5-gke.1162000`. Undefined for
 * what is none (`latest`, `1.33.x`).
 */
export function parseKubernetesVersion(text: string): KubernetesVersion | undefined {
  const [, major, minor, patch, build] = (text.length > 100 ? null : VERSION.exec(text)) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), ...(patch === undefined ? {} : { patch: Number(patch) }), ...(build === undefined ? {} : { build }) };
}

/** Negative when `left` is older, by as many numbers as both have. */
export function compareKubernetesVersions(left: KubernetesVersion, right: KubernetesVersion): number {
  const minors = left.major - right.major || left.minor - right.minor;
  if (minors !== 0 || left.patch === undefined || right.patch === undefined) return minors;
  return left.patch - right.patch || counterOf(left) - counterOf(right);
}

/** Google counts its builds of one release; other builds have no order. */
function counterOf({ build }: KubernetesVersion): number {
  return Number(/^gke\.(\d{1,12})$/.exec(build ?? "")?.[1] ?? 0);
}
