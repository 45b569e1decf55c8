import { resolve } from "node:path";
import type { Report } from "#engine";
import { laterFormats, reporters, type RenderOptions, type Reporter } from "../reports/index.ts";
import { LaterError, UsageError } from "./errors.ts";
import { exitCode } from "./exit.ts";
import { checkPlace, writeFiles } from "./files.ts";
import type { Flags } from "./flags.ts";
import { nearest } from "./near.ts";
import { mayColor, widthOf, type Terminal } from "./terminal.ts";

/** One `-o`: a format, and a file unless it goes to stdout. */
interface Output {
  readonly format: string;
  readonly file?: string | undefined;
  /** The file as the user named it. */
  readonly shown?: string | undefined;
}

/** What `-o` asks for; `terminal` on stdout when there is none. Throws before any work is done. */
export async function outputsOf({ output }: Pick<Flags, "output">, cwd: string): Promise<readonly Output[]> {
  const outputs = output.map((text) => parseOutput(text, cwd));
  const places = outputs.map((each) => each.file ?? "stdout");
  const twice = outputs.find((each, index) => places.indexOf(each.file ?? "stdout") !== index);
  if (twice !== undefined) {
    throw new UsageError(`two formats go to \`${twice.shown ?? "stdout"}\``, { remedy: "give one of them a file of its own: `-o json=report.json`" });
  }
  for (const { file, shown = "" } of outputs) if (file !== undefined) await checkPlace(file, shown);
  return outputs.length === 0 ? [{ format: "terminal" }] : outputs;
}

function parseOutput(text: string, cwd: string): Output {
  const equals = text.indexOf("=");
  const format = equals === -1 ? text : text.slice(0, equals);
  if (laterFormats.includes(format)) throw new LaterError(`\`-o ${format}\``);
  if (!Object.hasOwn(reporters, format)) {
    const known = Object.keys(reporters);
    const near = nearest(format, known);
    throw new UsageError(`unknown output format \`${format}\``, { remedy: near === undefined ? `use one of ${known.join(", ")}` : `did you mean \`${near}\`?` });
  }
  if (equals === -1) return { format };
  if (equals === text.length - 1) throw new UsageError(`\`-o ${text}\` names no file`, { remedy: `write \`-o ${format}=report.txt\`` });
  const shown = text.slice(equals + 1);
  return { format, file: resolve(cwd, shown), shown };
}

/** Writes the report in every format that was asked for. */
export async function writeReports(report: Report, outputs: readonly Output[], flags: Flags, terminal: Terminal): Promise<void> {
  await writeOutputs(outputs, flags, terminal, async (format, looks) => (await reporterOf(format)).render(report, { ...looks, exitCode: exitCode(report) }));
}

type Looks = Omit<RenderOptions, "exitCode">;

/** Writes what `render` makes for each `-o`: files first, for they can fail. */
export async function writeOutputs(
  outputs: readonly Output[],
  flags: Flags,
  terminal: Terminal,
  render: (format: string, looks: Looks) => string | Promise<string>,
): Promise<void> {
  const texts = await Promise.all(outputs.map(async ({ format, file, shown = "" }) => ({ file, shown, text: await render(format, looksOf(file, flags, terminal)) })));
  await writeFiles(
    texts.flatMap(({ file, shown, text }) => (file === undefined ? [] : [{ path: file, shown, text }])),
    terminal.signal,
  );
  for (const { file, text } of texts) if (file === undefined) await terminal.stdout.write(text);
}

function looksOf(file: string | undefined, { color, verbose }: Flags, { stdout, env }: Terminal): Looks {
  if (file !== undefined) return { width: 80, color: color === "always", all: verbose };
  return { width: widthOf(stdout), color: mayColor(color, stdout, env), all: verbose };
}

async function reporterOf(format: string): Promise<Reporter> {
  const load = reporters[format];
  if (load === undefined) throw new TypeError(`no reporter \`${format}\``);
  return load();
}
