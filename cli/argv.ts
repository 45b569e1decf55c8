import { Command as Commander, CommanderError, Option } from "commander";
import type { CommandEntry, FlagText } from "./command.ts";
import { commands, completeCommand, laterCommands } from "./commands/index.ts";
import { LaterError, UsageError } from "./errors.ts";
import { laterFlags, parseFlags, sharedFlags, type Flags } from "./flags.ts";

/** What the command line asks for. */
export type Call =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly flags: Flags; readonly words: readonly string[] }
  /** Text to print instead, and whether it was asked for. */
  | { readonly kind: "text"; readonly text: string; readonly wanted: boolean };

const EXAMPLES = `
Examples:
  assert run                                   judge ./assert.yaml by ./assertions/
  assert run --context eks --context gke       judge two contexts by the built-in suite
  assert collect --out snapshots               look now, judge later:
  assert run --snapshots snapshots -o json

Exit codes: 0 everything holds, 1 violated, 2 undecided, 3 could not run, 130 interrupted
`;

/** Reads the command line. Throws {@link UsageError} and {@link LaterError}; touches nothing. */
export function parseArgv(argv: readonly string[], version: string): Call {
  if (argv[0] === completeCommand.name) return { kind: "command", entry: completeCommand, flags: parseFlags({}), words: argv.slice(1) };
  const asked = argv[0] === "help" ? laterCommands.find(({ name }) => name === argv[1]) : undefined;
  if (asked !== undefined) throw new LaterError(`\`assert ${asked.name}\``);
  let text = "";
  let call: Call | undefined;
  const program = new Commander("assert")
    .description("decides whether service meshes on several clouds are consistent")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "print help")
    .exitOverride()
    .configureOutput({ writeOut: (more) => (text += more), writeErr: () => undefined, getOutHelpWidth: () => 100 })
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError(false)
    .addHelpText("after", EXAMPLES);

  for (const entry of [...commands, ...laterCommands]) {
    const hidden = laterCommands.includes(entry);
    const command = program.command(`${entry.name} ${entry.words}`.trim(), { hidden }).description(entry.summary);
    command.version(version, "--version", "print the version");
    for (const flag of entry.flags) command.addOption(option(flag));
    for (const flag of sharedFlags) command.addOption(option(flag));
    if (hidden) command.allowUnknownOption().helpOption(false);
    command.action(() => {
      if (hidden) throw new LaterError(`\`assert ${entry.name}\``);
      const raw = command.opts<Record<string, unknown>>();
      for (const flag of laterFlags) if (raw[flag] !== undefined) throw new LaterError(`\`--${kebab(flag)}\``);
      call = { kind: "command", entry, flags: parseFlags(raw), words: command.args };
    });
  }

  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "text", text, wanted: true };
    if (error.code === "commander.help") return { kind: "text", text: program.helpInformation() + EXAMPLES, wanted: false };
    throw usageError(error);
  }
  if (call === undefined) throw new TypeError("commander called no command");
  return call;
}

function option({ flags, summary, repeatable, hidden }: FlagText): Option {
  const made = new Option(flags, summary).hideHelp(hidden === true);
  return repeatable ? made.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]) : made;
}

/** Commander's sentence in the words of this house; its suggestion becomes the way out. */
function usageError({ message }: CommanderError): UsageError {
  const [said = "", guess] = message.replace(/^error: /, "").split("\n");
  const first = said
    .replace(/^(too many arguments.*)\. Expected (\d+) arguments? but got (\d+): /, "$1, which takes $2 and got $3: ")
    .replace(/^(option '.*') argument missing$/, "$1 lacks its value");
  const meant = /Did you mean (?:one of )?(.+)\?\)/.exec(guess ?? "")?.[1];
  return new UsageError(first.replaceAll("'", "`").replace(/\.$/, ""), {
    remedy: meant === undefined ? "see `assert --help`, or `assert COMMAND --help`" : `did you mean \`${meant.replaceAll(", ", "`, `")}\`?`,
  });
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
