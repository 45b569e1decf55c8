import type { ExitCode } from "./exit.ts";
import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** What a command does: it returns a code and never ends the process. */
type Command = (flags: Flags, words: readonly string[], terminal: Terminal) => Promise<ExitCode>;

/** A command as `--help` shows it; its code is loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  /** As commander writes them: `[FILE|DIR...]`. */
  readonly words: string;
  readonly summary: string;
  /** Writes what it finds in the formats of `-o`. */
  readonly reports?: true;
  /** Flags besides those that all commands share. */
  readonly flags: readonly FlagText[];
  readonly load: () => Promise<{ readonly default: Command }>;
}

/** A flag as commander writes it, and one line about it. */
export interface FlagText {
  readonly flags: string;
  readonly summary: string;
  readonly repeatable?: true;
  /** Accepted, so that it can be answered; not shown in help. */
  readonly hidden?: true;
}
