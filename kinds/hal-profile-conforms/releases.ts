import { parseImage } from "#values";

/** The numbers that a release starts with. */
export type Release = readonly [major: number, minor: number, patch: number];

/** The numeric core of a kernel, of a tag or of a version: `6.1.141-155.222.amzn2023.x86_64`, `6.6.93+`, `v1.18.11-260622`. Undefined where the text starts with none. */
export function parseRelease(text: string): Release | undefined {
  const [, major, minor, patch = "0"] = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?!\d)/.exec(text.slice(0, 64)) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/** Below zero where `a` is older. */
export function compareRelease(a: Release, b: Release): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function isAtLeast(seen: Release, floor: Release): boolean {
  return compareRelease(seen, floor) >= 0;
}

export function releaseText([major, minor, patch]: Release): string {
  return patch === 0 ? `${major}.${minor}` : `${major}.${minor}.${patch}`;
}

/** The last part of the repository of an image that carries the release of its program as a tag; mirrors keep it. */
const OWN_IMAGE: Readonly<Record<string, string>> = { cilium: "cilium", kmesh: "kmesh", merbridge: "merbridge", bpfman: "bpfman", "istio-cni": "install-cni" };

/** The release that an agent's image names. Undefined where its tag names none, or where the image is another one, whose tags count something else (GKE's `anetd`). */
export function releaseOfAgent({ product, image }: { readonly product: string; readonly image: string }): { readonly tag: string; readonly release: Release } | undefined {
  const parsed = parseImage(image);
  if (parsed?.tag === undefined || parsed.repository.split("/").at(-1) !== OWN_IMAGE[product]) return undefined;
  const release = parseRelease(parsed.tag);
  return release === undefined ? undefined : { tag: parsed.tag, release };
}
