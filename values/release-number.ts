/** Three numbers of a release, compared as numbers: 1.31.9 is older than 1.31.10. */
export interface ReleaseNumber {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** Six digits at most: longer ones are no release of anything, and stay exact as numbers. */
const NUMBER = /^(?:0|[1-9]\d{0,5})$/;

/** Reads `1.37.2`: exactly three numbers without leading zeros, nothing before or after. */
export function parseReleaseNumber(text: string): ReleaseNumber | undefined {
  if (text.length > 24) return undefined;
  const [major, minor, patch, ...more] = text.split(".");
  if (major === undefined || minor === undefined || patch === undefined || more.length > 0) return undefined;
  if (![major, minor, patch].every((part) => NUMBER.test(part))) return undefined;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** Negative when `left` is older. */
export function compareReleases(left: ReleaseNumber, right: ReleaseNumber): number {
  return left.major - right.major || left.minor - right.minor || left.patch - right.patch;
}

/** `1.37.2` */
export function releaseText({ major, minor, patch }: ReleaseNumber): string {
  return `${major}.${minor}.${patch}`;
}

/** `1.37`: the line inside which patch releases are counted. */
export function lineText({ major, minor }: ReleaseNumber): string {
  return `${major}.${minor}`;
}
