import { resolve } from "node:path";
import type { Report } from "#engine";
import { laterFormats, reporters, type RenderOptions, type Reporter } from "../reports/index.ts";
import { LaterError, UsageError } from "./errors.ts";
import { exitCode } from "./exit.ts";
import { appendTo, checkPlace, writeFiles, type Appended } from "./files.ts";
import type { Flags } from "./flags.ts";
import { nearest } from "./near.ts";
import { mayColor, widthOf, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** One `-o`: a format, and a file unless it goes to stdout. */
interface Output {
  readonly format: string;
  readonly file?: string | undefined;
  /** The file as the user named it. */
  readonly shown?: string | undefined;
}

/** What `-o` asks for; `terminal` on stdout when there is none. Throws before any work is done. */
export async function outputsOf({ output }: Pick<Flags, "output">, cwd: string, formats: readonly string[] = Object.keys(reporters)): Promise<readonly Output[]> {
  const outputs = output.map((text) => parseOutput(text, cwd, formats));
  const places = outputs.map((each) => each.file ?? "stdout");
  const twice = outputs.find((each, index) => places.indexOf(each.file ?? "stdout") !== index);
  if (twice !== undefined) {
    throw new UsageError(`two formats go to \`${twice.shown ?? "stdout"}\``, { remedy: "give one of them a file of its own: `-o json=report.json`" });
  }
  for (const { file, shown = "" } of outputs) if (file !== undefined) await checkPlace(file, shown);
  return outputs.length === 0 ? [{ format: "terminal" }] : outputs;
}

/** What answers a question instead of judging assertions has no findings for the other formats to hold. */
export const ANSWERS: readonly string[] = ["terminal", "json"];

function parseOutput(text: string, cwd: string, formats: readonly string[]): Output {
  const equals = text.indexOf("=");
  const format = equals === -1 ? text : text.slice(0, equals);
  if (laterFormats.includes(format)) throw new LaterError(`\`-o ${format}\``);
  if (!formats.includes(format)) {
    const near = nearest(format, formats);
    const what = Object.hasOwn(reporters, format) ? `this command has no report of assertions for \`-o ${format}\`` : `unknown output format \`${format}\``;
    throw new UsageError(what, { remedy: near === undefined ? `use one of ${formats.join(", ")}` : `did you mean \`${near}\`?` });
  }
  if (equals === -1) return { format };
  if (equals === text.length - 1) throw new UsageError(`\`-o ${text}\` names no file`, { remedy: `write \`-o ${format}=report.txt\`` });
  const shown = text.slice(equals + 1);
  return { format, file: resolve(cwd, shown), shown };
}

/** When the run took place and how long it took. */
export interface RunTimes {
  readonly now: string;
  readonly seconds: number;
}

/** Writes the report in every format that was asked for. */
export async function writeReports(report: Report, outputs: readonly Output[], flags: Flags, terminal: Terminal, times?: RunTimes): Promise<void> {
  const about = { exitCode: exitCode(report), version, ...times };
  const appended: Appended[] = [];
  await writeOutputs(outputs, flags, terminal, async (format, looks, file) => {
    const reporter = await reporterOf(format);
    const options = { ...looks, ...about, ...(reporter.rereads === true && file !== undefined ? { before: await textBefore(file) } : {}) };
    if (reporter.appends !== undefined) {
      const { variable, limit, text } = reporter.appends;
      const path = terminal.env[variable];
      if (path !== undefined && path !== "") appended.push({ path, shown: `$${variable}`, limit, text: (room) => text(report, options, room) });
    }
    return reporter.render(report, options);
  });
  for (const each of appended) await appendTo(each);
}

/** What stood in a file that is about to be replaced, as far as it is a report of ours. */
async function textBefore(file: string): Promise<string | undefined> {
  const { readText } = await import("../clients/documents/index.ts");
  return readText(file, 16 * 1024 * 1024).catch(() => undefined);
}

type Looks = Pick<RenderOptions, "width" | "color" | "all">;

/** Writes what `render` makes for each `-o`: files first, for they can fail. */
export async function writeOutputs(
  outputs: readonly Output[],
  flags: Flags,
  terminal: Terminal,
  render: (format: string, looks: Looks, file: string | undefined) => string | Promise<string>,
): Promise<void> {
  const texts = await Promise.all(outputs.map(async ({ format, file, shown = "" }) => ({ file, shown, text: await render(format, looksOf(file, flags, terminal), file) })));
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
