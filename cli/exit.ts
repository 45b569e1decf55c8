import type { Report } from "#engine";

/** The only table of exit codes. */
export const exitCodes = { holds: 0, violated: 1, undecided: 2, couldNotRun: 3, interrupted: 130 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a run ends with: the report's verdict as a number, whatever the output format. */
export function exitCode(report: Pick<Report, "verdict">): ExitCode {
  return exitCodes[report.verdict];
}
