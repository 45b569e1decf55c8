import type { Report } from "#engine";

/** How the text may look; what it says does not depend on it, except for what `all` adds. */
export interface RenderOptions {
  /** Columns of the place it is written to. */
  readonly width: number;
  readonly color: boolean;
  /** Show long lists whole, and fingerprints. */
  readonly all: boolean;
  /** What the command will end with, for formats that say so. */
  readonly exitCode: number;
}

/** One output format: a pure function from the verdict object to text. */
export interface Reporter {
  /** The word users write after `-o`. */
  readonly name: string;
  readonly summary: string;
  render(report: Report, options: RenderOptions): string;
}

/** Gives a reporter its type and nothing else. */
export function defineReporter(reporter: Reporter): Reporter {
  return reporter;
}
