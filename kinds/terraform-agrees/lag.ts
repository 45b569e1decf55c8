import { fault, type Evidence, type Finding } from "#engine";
import { minorsBehind, newestOf, type Version } from "./versions.ts";
import { behind } from "./words.ts";

/** One version in one cluster. */
export interface Numbered {
  readonly cluster: string;
  readonly version: Version;
  readonly evidence: Evidence;
}

/** One that is too far behind another. */
export interface Lag {
  readonly item: Numbered;
  readonly newest: Numbered;
  readonly minors: number;
}

/** Who is too many minors behind the newest? */
export function laggards(numbered: readonly Numbered[], maxMinorSkew: number): readonly Lag[] {
  const newest = newestOf(numbered, ({ version }) => version);
  if (newest === undefined) return [];
  return numbered.flatMap((item) => {
    const minors = minorsBehind(item.version, newest.version);
    return minors > maxMinorSkew ? [{ item, newest, minors }] : [];
  });
}

/** Of sets of versions, one for each cluster: those that are too many minors behind all that some other cluster has. */
export function strangers(groups: readonly (readonly Numbered[])[], maxMinorSkew: number): readonly Lag[] {
  return groups.flatMap((group) => group.flatMap((item) => lonely(item, groups.filter((other) => other !== group), maxMinorSkew)));
}

function lonely(item: Numbered, others: readonly (readonly Numbered[])[], maxMinorSkew: number): readonly Lag[] {
  const far = others.filter((other) => !other.some(({ version }) => Math.abs(minorsBehind(item.version, version)) <= maxMinorSkew));
  const newest = newestOf(far.flat(), ({ version }) => version);
  if (newest === undefined) return [];
  const minors = minorsBehind(item.version, newest.version);
  // What is ahead of all the others is told there, where it is behind.
  const oldest = minors <= maxMinorSkew;
  return oldest ? [] : [{ item, newest, minors }];
}

/** The words for it; `clause` says what the cluster does with the version (`runs Kubernetes`). */
export function lagging({ item, newest, minors }: Lag, { subject, clause, maxMinorSkew }: { readonly subject: string; readonly clause: string; readonly maxMinorSkew: number }): Finding {
  return fault({
    subject,
    cause: `${subject} ${clause} ${lineOf(item.version)}<${lineOf(newest.version)}`,
    message: `\`${item.cluster}\` ${clause} ${item.version.text}, ${behind(minors)} ${newest.version.text} in \`${newest.cluster}\`; allowed: ${maxMinorSkew}`,
    remedy: `upgrade it to ${lineOf(newest.version)}${Number.isFinite(minors) ? `; or allow it with \`maxMinorSkew: ${minors}\`` : ""}`,
    evidence: [item.evidence, newest.evidence],
  });
}

function lineOf({ parsed }: Version): string {
  return `${parsed.major}.${parsed.minor}`;
}
