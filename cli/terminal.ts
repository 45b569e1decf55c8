/** One of the process's two output streams. */
export interface Sink {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  /** Ends when the text is handed over. A reader that went away (`| head`) is no error. Throws OutputError for a full disk. */
  write(text: string): Promise<void>;
}

/** What a command may touch of the process around it; a test passes its own. */
export interface Terminal {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** The time, ISO 8601 in UTC, whole seconds. */
  readonly now: () => string;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

export type ColorChoice = "auto" | "always" | "never";

/** May this stream be coloured? The flag decides, then NO_COLOR, then FORCE_COLOR, then whether a person is reading. */
export function mayColor(choice: ColorChoice, sink: Sink, env: Terminal["env"]): boolean {
  if (choice !== "auto") return choice === "always";
  if (isSet(env["NO_COLOR"])) return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return sink.isTTY && env["TERM"] !== "dumb" && !isSet(env["CI"]);
}

/** May progress be drawn? Only where a person watches, and never into a log. */
export function mayAnimate(sink: Sink, env: Terminal["env"]): boolean {
  return sink.isTTY && !isSet(env["CI"]) && !isSet(env["NO_COLOR"]) && env["TERM"] !== "dumb";
}

/** Columns to lay text out for. */
export function widthOf(sink: Sink): number {
  return sink.isTTY ? Math.max(sink.columns || 80, 40) : 80;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
