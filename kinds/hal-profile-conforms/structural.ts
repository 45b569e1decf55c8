/** What a cloud cannot offer whoever asks, so that nobody looks for a fault of their own. */
export interface Structural {
  readonly text: string;
  /** The last day on which it can be had, where it ends: `YYYY-MM-DD`. */
  readonly until?: string | undefined;
}

const FACTS: Readonly<Record<string, Readonly<Record<string, Structural>>>> = {
  "resources.fpga": {
    gcp: { text: "Google Cloud has no type of machine with an FPGA" },
    azure: { text: "Azure retires the NP series, its only machines with FPGAs, on 2027-05-31", until: "2027-05-31" },
  },
};

/** What is known of a requirement in a cloud. */
export function structuralOf(requirement: string, cloud: string | undefined): Structural | undefined {
  return cloud === undefined ? undefined : FACTS[requirement]?.[cloud];
}

/** Whole days from a time to the end of a day, both in UTC; negative where that day is over. */
export function daysLeft(now: string, day: string): number {
  return Math.floor((Date.parse(`${day}T23:59:59Z`) - Date.parse(now)) / 86_400_000);
}
