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

/** Of sets of versions, one for each cluster: where a cluster has nothing close to what another one has, who of the two is behind. */
export function strangers(groups: readonly (readonly Numbered[])[], maxMinorSkew: number): readonly Lag[] {
  return groups.flatMap((group) => group.flatMap((item) => groups.flatMap((other) => (other === group ? [] : stranger(item, other, maxMinorSkew)))));
}

function stranger(item: Numbered, other: readonly Numbered[], maxMinorSkew: number): readonly Lag[] {
  const newest = newestOf(other, ({ version }) => version);
  if (newest === undefined || other.some(({ version }) => Math.abs(minorsBehind(item.version, version)) <= maxMinorSkew)) return [];
  const minors = minorsBehind(item.version, newest.version);
  return minors > 0 ? [{ item, newest, minors }] : [{ item: newest, newest: item, minors: -minors }];
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
