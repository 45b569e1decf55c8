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
