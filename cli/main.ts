import type { Call } from "./argv.ts";
import { exitCodes, type ExitCode } from "./exit.ts";
import type { ColorChoice, Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** From the words of the command line to the exit code. Never throws and never ends the process. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    // before anything is loaded: this is what scripts ask to see whether the tool is there
    if (argv.length === 1 && argv[0] === "--version") return await answer({ kind: "text", text: `${version}\n`, wanted: true }, terminal);
    const { parseArgv } = await import("./argv.ts");
    return await answer(parseArgv(argv, version), terminal);
  } catch (error) {
    if (terminal.signal.aborted) return exitCodes.interrupted;
    const { errorText } = await import("./print.ts");
    const { mayColor } = await import("./terminal.ts");
    const color = mayColor(colorOf(argv), terminal.stderr, terminal.env);
    await terminal.stderr.write(errorText(error, { color, verbose: argv.includes("-v") || argv.includes("--verbose") }));
    return exitCodes.couldNotRun;
  }
}

async function answer(call: Call, terminal: Terminal): Promise<ExitCode> {
  if (call.kind === "text") {
    await (call.wanted ? terminal.stdout : terminal.stderr).write(call.text);
    return call.wanted ? exitCodes.holds : exitCodes.couldNotRun;
  }
  const { default: command } = await call.entry.load();
  const code = await command(call.flags, call.words, terminal);
  return terminal.signal.aborted ? exitCodes.interrupted : code;
}

/** Errors of the flags themselves are printed too, so this flag is read without them. */
function colorOf(argv: readonly string[]): ColorChoice {
  const word = argv.find((each) => each.startsWith("--color="))?.slice(8) ?? argv[argv.indexOf("--color") + 1];
  return word === "always" || word === "never" ? word : "auto";
}
