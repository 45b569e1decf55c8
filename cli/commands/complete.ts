import { resolve } from "node:path";
import { byText } from "#engine";
import { laterFormats, reporters } from "../../reports/index.ts";
import { plain } from "../../reports/plain.ts";
import { assertionsOf } from "../assertions.ts";
import type { CommandEntry, FlagText } from "../command.ts";
import { discover } from "../discover.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { COLORS, IGNORABLE, READINGS, parseFlags, PROBES, sharedFlags, VIEWS, type Flags } from "../flags.ts";
import type { Terminal } from "../terminal.ts";
import { commands } from "./index.ts";

/** What may stand at the cursor: words, or what the shell itself completes. */
type Offer = readonly string[] | "files" | "folders";

/** The words of a command line that are written already, and the one at the cursor. */
interface Line {
  readonly before: readonly string[];
  readonly current: string;
  readonly entry: CommandEntry | undefined;
}

/**
 * Answers the completion scripts: what may stand in the place of the last word. The first line says what to offer (`words`,
 * `files` or `folders`), the others are the words. Whatever goes wrong offers nothing: a completion must not disturb the line.
 */
export default async function complete(_flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const before = words.slice(0, -1);
  const line: Line = { before, current: words.at(-1) ?? "", entry: commands.find(({ name }) => name === before[0]) };
  const offer = await offerFor(line, terminal).catch((): Offer => []);
  // a name with a line end in it would be two names
  const safe = (word: string) => word !== "" && plain(word) === word && word.startsWith(line.current);
  const lines = typeof offer === "string" ? [offer] : ["words", ...offer.filter(safe)];
  await terminal.stdout.write(`${lines.join("\n")}\n`);
  return exitCodes.holds;
}

async function offerFor(line: Line, terminal: Terminal): Promise<Offer> {
  const { before, current, entry } = line;
  if (before.length === 0) return current.startsWith("-") ? ["--help", "--version"] : commands.map(({ name }) => name);
  if (entry === undefined) return [];
  const flags = [...entry.flags, ...sharedFlags].filter(({ hidden }) => hidden !== true);

  const waiting = flags.find((flag) => takesValue(flag) && namesOf(flag).includes(before.at(-1) ?? ""));
  if (waiting !== undefined) return valuesOf(waiting, current, line, terminal);
  const [name = "", value] = current.startsWith("--") ? current.split(/=(.*)/s, 2) : [];
  const joined = value === undefined ? undefined : flags.find((flag) => takesValue(flag) && namesOf(flag).includes(name));
  if (joined !== undefined) {
    const offer = await valuesOf(joined, value ?? "", line, terminal);
    return typeof offer === "string" ? offer : offer.map((each) => `${name}=${each}`);
  }
  if (current.startsWith("-")) return [...flags.flatMap(namesOf), "--help"].filter((each) => each.startsWith("--"));
  return wordsOf(entry, line, terminal);
}

async function wordsOf({ words }: CommandEntry, line: Line, terminal: Terminal): Promise<Offer> {
  if (words.startsWith("[FILE") || words === "<LEFT> <RIGHT>") return "files";
  if (words === "<SHELL>") return ["bash", "fish", "zsh"];
  if (words === "<KIND>") return [...(await discover(given("--plugin", line), terminal.cwd)).kinds.keys()].sort(byText);
  return [];
}

async function valuesOf(flag: FlagText, value: string, line: Line, terminal: Terminal): Promise<Offer> {
  switch (namesOf(flag).at(-1)) {
    case "--output":
      return value.includes("=") ? "files" : Object.keys(reporters).filter((format) => !laterFormats.includes(format));
    case "--probe":
      return PROBES;
    case "--color":
      return COLORS;
    case "--context":
      return contextsOf(line, terminal);
    case "--only":
      return assertionNames(line, terminal);
    case "--snapshots":
    case "--plugin":
    case "--out":
      return "folders";
    case "--views":
      return VIEWS;
    case "--ignore":
      return IGNORABLE;
    case "--reading":
      return READINGS;
    case "--at":
    case "--requests":
    case "--fleet":
    case "--kubeconfig":
      return "files";
    default:
      return [];
  }
}

async function contextsOf(line: Line, { cwd, env, home }: Terminal): Promise<readonly string[]> {
  const { readContexts } = await import("../../clients/kubernetes/index.ts");
  const kubeconfig = given("--kubeconfig", line).at(-1);
  return (await readContexts(kubeconfig === undefined ? undefined : resolve(cwd, kubeconfig), { env, home })).map(({ name }) => name);
}

/** Names in the files that the line names, else in those that a run would read. */
async function assertionNames(line: Line, terminal: Terminal): Promise<readonly string[]> {
  const plugin = given("--plugin", line);
  const plugins = await discover(plugin, terminal.cwd);
  const { assertions } = await assertionsOf(filesIn(line), parseFlags({}), plugins, terminal);
  return assertions.map(({ name }) => name).sort(byText);
}

/** The words of a line that are neither flags nor their values. */
function filesIn({ before, entry }: Line): readonly string[] {
  const valued = [...(entry?.flags ?? []), ...sharedFlags].filter(takesValue).flatMap(namesOf);
  return before.slice(1).filter((word, index, rest) => !word.startsWith("-") && !valued.includes(rest[index - 1] ?? ""));
}

function given(flag: string, { before }: Line): readonly string[] {
  return before.flatMap((word, index) => {
    if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
    return before[index - 1] === flag ? [word] : [];
  });
}

/** `-o` and `--output` of `-o, --output <FORMAT[=FILE]>`. */
function namesOf({ flags }: FlagText): readonly string[] {
  return flags.replace(/ <.*/, "").split(", ");
}

function takesValue({ flags }: FlagText): boolean {
  return flags.includes("<");
}
