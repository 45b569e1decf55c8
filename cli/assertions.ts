import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Assertion } from "#engine";
import type { Plugins } from "./discover.ts";
import { NothingToRunError, UsageError } from "./errors.ts";
import type { Flags } from "./flags.ts";
import { loadAssertions, type LoadedAssertions } from "./load/index.ts";
import { nearest } from "./near.ts";
import { ownFile } from "./own.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_FOLDER = "assertions";
const SUITE = "assertions/suite.yaml";

/** What was loaded, and what a reader of the report should know of it. */
export interface ToJudge extends LoadedAssertions {
  readonly notes: readonly string[];
  /** Nothing was named: it is the suite that comes with the release. */
  readonly builtIn: boolean;
}

/** The assertions of this run: those that are named, else `assertions/` here, else the built-in suite; `--only` picks among them. */
export async function assertionsOf(words: readonly string[], flags: Flags, plugins: Plugins, terminal: Terminal): Promise<ToJudge> {
  const { cwd, home } = terminal;
  const paths = words.length > 0 ? words : (await hasDefault(cwd)) ? [DEFAULT_FOLDER] : undefined;
  const options = { cwd, home, untrusted: flags.untrusted };
  const loaded = paths === undefined ? await loadSuite(plugins, options) : { ...(await loadAssertions(paths, plugins, options)), notes: [], builtIn: false };
  if (loaded.assertions.length === 0) {
    throw new NothingToRunError("the files hold no assertion", { remedy: "`assert explain EnvoyVersionSkew` shows one; without files the built-in suite runs" });
  }
  return { ...loaded, assertions: only(flags.only, loaded.assertions) };
}

async function hasDefault(cwd: string): Promise<boolean> {
  return (await stat(join(cwd, DEFAULT_FOLDER)).catch(() => undefined))?.isDirectory() === true;
}

async function loadSuite(plugins: Plugins, options: Parameters<typeof loadAssertions>[2]): Promise<ToJudge> {
  const loaded = await loadAssertions([ownFile(SUITE)], plugins, { ...options, untrusted: false });
  const assertions = loaded.assertions.map((assertion) => ({ ...assertion, at: { ...assertion.at, file: `built-in ${SUITE}` } }));
  return { ...loaded, assertions, builtIn: true, notes: ["no assertion files were named and there is no `assertions/` here: the built-in suite was used"] };
}

function only(names: readonly string[], assertions: readonly Assertion[]): readonly Assertion[] {
  const known = assertions.map((assertion) => assertion.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, known);
    throw new UsageError(`--only names \`${unknown}\`, and there is no such assertion`, {
      remedy: near === undefined ? `use one of ${known.join(", ")}` : `did you mean \`${near}\`?`,
    });
  }
  return names.length === 0 ? assertions : assertions.filter((assertion) => names.includes(assertion.name));
}
