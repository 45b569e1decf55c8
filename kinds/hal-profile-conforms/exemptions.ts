import type { HalProfile } from "./profile.ts";
import { daysLeft } from "./structural.ts";
import type { ClusterView } from "./view.ts";

export type Exemption = HalProfile["exemptions"][number];

/** What exemptions say of a requirement in a cluster. */
export interface Standing {
  /** The one that counts today, the longest first. */
  readonly active?: Exemption | undefined;
  /** The latest that has ended. */
  readonly expired?: Exemption | undefined;
}

/** An exemption counts to the end of its last day, UTC. */
export function standing(all: readonly Exemption[], requirement: string, view: ClusterView, now: string): Standing {
  const mine = all.filter((each) => each.requirement === requirement && isAbout(each, view)).toSorted((a, b) => (a.expires < b.expires ? 1 : a.expires > b.expires ? -1 : a.owner < b.owner ? -1 : 1));
  return { active: mine.find(({ expires }) => daysLeft(now, expires) >= 0), expired: mine.find(({ expires }) => daysLeft(now, expires) < 0) };
}

/** Is an exemption about this cluster? */
export function isAbout({ cloud, cluster }: Exemption, view: ClusterView): boolean {
  return cluster === undefined ? cloud === view.cloud : cluster === view.cluster.name;
}

/** `team-x until 2027-01-31 (72 days left): no machine with an FPGA`. */
export function exemptionText({ owner, expires, reason, ticket }: Exemption, now: string): string {
  const left = daysLeft(now, expires);
  return `${owner} until ${expires} (${left === 1 ? "1 day" : `${left} days`} left): ${reason}${ticket === undefined ? "" : ` (${ticket})`}`;
}

/** The longest that an exemption may still last, in days. */
export const LONGEST = 366;
