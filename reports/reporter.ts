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
  /** Time of the run, ISO 8601 in UTC. */
  readonly now?: string | undefined;
  /** How long it took to collect and judge, in seconds. */
  readonly seconds?: number | undefined;
  /** The release that judged. */
  readonly version?: string | undefined;
  /** What stood in the file before, for a reporter that asks for it. */
  readonly before?: string | undefined;
}

/** One output format: a pure function from the verdict object to text. */
export interface Reporter {
  /** The word users write after `-o`. */
  readonly name: string;
  readonly summary: string;
  render(report: Report, options: RenderOptions): string | Promise<string>;
  /** True where the text depends on what stood in the file before. */
  readonly rereads?: boolean;
  /** Text that is appended to the file that a variable of the environment names, where it is set. */
  readonly appends?: { readonly variable: string; text(report: Report, options: RenderOptions, room: number): string; readonly limit: number };
}

/** Gives a reporter its type and nothing else. */
export function defineReporter<R extends Reporter>(reporter: R): R {
  return reporter;
}
