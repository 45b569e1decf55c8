import { homedir } from "node:os";
import { OutputError } from "./errors.ts";
import { exitCodes } from "./exit.ts";
import { main } from "./main.ts";
import type { Sink, Terminal } from "./terminal.ts";

/** How long a command may tidy up after Ctrl-C. */
const TIDY_MS = 600;

/** The one place where the process is touched: its words, streams, signals and its end. */
export async function start(): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => {
    // the launcher and the terminal may both pass on the same Ctrl-C: the first one counts
    if (interrupted.signal.aborted) return;
    setTimeout(() => process.exit(exitCodes.interrupted), TIDY_MS);
    interrupted.abort(new DOMException("interrupted", "AbortError"));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);

  const terminal: Terminal = {
    stdout: sinkOf(process.stdout),
    stderr: lenient(sinkOf(process.stderr)),
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    now: () => `${new Date().toISOString().slice(0, 19)}Z`,
    signal: interrupted.signal,
  };
  const code = await main(process.argv.slice(2), terminal);
  // kept connections and left-behind collectors must not hold the process: all that was to be written is written
  process.exit(code);
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  let gone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") gone = true;
  });
  return {
    isTTY: stream.isTTY === true,
    columns: stream.columns,
    write: (text) =>
      new Promise((resolve, reject) => {
        if (gone) return resolve();
        stream.write(text, (error) => {
          if (!error) return resolve();
          if (codeOf(error) === "EPIPE") return resolve();
          reject(unwritable(error));
        });
      }),
  };
}

/** Where the one place for complaints is full or closed there is nobody to tell; the exit code still says it. */
function lenient(sink: Sink): Sink {
  return { ...sink, write: (text) => sink.write(text).catch(() => undefined) };
}

function codeOf(error: NodeJS.ErrnoException): string | undefined {
  return error.code;
}

function unwritable(cause: NodeJS.ErrnoException): OutputError {
  return new OutputError(`the output cannot be written (${cause.code ?? cause.name})`, {
    remedy: "make room, or write the report elsewhere with `-o FORMAT=FILE`",
    cause,
  });
}
