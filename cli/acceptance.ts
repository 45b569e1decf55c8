import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { baselineNotes, nextBaseline, reviewWaivers, UserError, waiverNotes, type Baseline, type ReportWaiver, type Waived, type Waiver } from "#engine";
import { UsageError } from "./errors.ts";
import { checkPlace, writeFiles } from "./files.ts";
import type { Flags } from "./flags.ts";
import type { Fleet } from "./load/index.ts";
import { baselineText, loadBaseline, loadWaivers } from "./load/waivers.ts";
import type { Terminal } from "./terminal.ts";

/** What this run accepts, and the baseline that it is to write. */
export interface Acceptance {
  readonly waivers: readonly Waiver[];
  readonly baseline?: Baseline | undefined;
  /** What of it does not count, one line each. */
  readonly notes: readonly string[];
}

/** A baseline that would accept more than the one before it. */
class BaselineGrowthError extends UserError {
  override readonly code = "baseline-growth";
}

type AcceptanceFlags = Pick<Flags, "waivers" | "baseline" | "writeBaseline" | "untrusted">;

/** File beside the fleet file that holds waivers unless a flag names another one. */
const DEFAULT_FILE = "waivers.yaml";

/**
 * Reads waivers and baseline. Under `--untrusted` only files outside the checkout count, and only where a flag names them:
 * a stranger's commit cannot accept its own faults. Throws {@link UsageError} where a flag names a file inside it.
 */
export async function acceptanceOf(flags: AcceptanceFlags, fleet: Pick<Fleet, "file">, { cwd, home }: Pick<Terminal, "cwd" | "home">): Promise<Acceptance> {
  const options = { cwd, home, untrusted: flags.untrusted };
  for (const flag of ["waivers", "baseline", "writeBaseline"] as const) {
    const path = flags[flag];
    if (flags.untrusted && path !== undefined) await refuseInside(flag === "writeBaseline" ? "write-baseline" : flag, path, cwd);
  }
  if (flags.writeBaseline !== undefined) await checkPlace(resolve(cwd, flags.writeBaseline), flags.writeBaseline);
  const baseline = flags.baseline === undefined ? undefined : await loadBaseline(flags.baseline, options);
  if (flags.waivers !== undefined) return { waivers: await loadWaivers(flags.waivers, options), baseline, notes: [] };

  const beside = fleet.file === undefined ? undefined : besideOf(fleet.file);
  if (beside === undefined || !(await isThere(resolve(cwd, beside)))) return { waivers: [], baseline, notes: [] };
  if (flags.untrusted) return { waivers: [], baseline, notes: [`--untrusted: \`${beside}\` does not count; name waivers outside the checkout with --waivers`] };
  return { waivers: await loadWaivers(beside, options), baseline, notes: [] };
}

/** What the report says about waivers and baseline after judging. */
export function reviewOf({ waivers, baseline, notes }: Acceptance, judged: readonly Waived[], now: string): { readonly waivers: readonly ReportWaiver[]; readonly notes: readonly string[] } {
  const reviewed = reviewWaivers(waivers, judged, now);
  return { waivers: reviewed, notes: [...notes, ...waiverNotes(reviewed), ...(baseline === undefined ? [] : baselineNotes(judged, baseline))] };
}

/**
 * Writes the baseline that `--write-baseline` asks for. One that is there may only get smaller: throws {@link BaselineGrowthError}
 * with what is new, and leaves the file as it is.
 */
export async function writeBaseline(judged: readonly Waived[], flags: AcceptanceFlags, { cwd, home, signal }: Pick<Terminal, "cwd" | "home" | "signal">): Promise<void> {
  const { writeBaseline: file } = flags;
  if (file === undefined) return;
  const path = resolve(cwd, file);
  const old = (await isThere(path)) ? await loadBaseline(file, { cwd, home, untrusted: flags.untrusted }) : undefined;
  const { findings, added } = nextBaseline(judged, old);
  if (old !== undefined && added.length > 0) {
    const shown = added.slice(0, 5).map(({ assertion, subject }) => `\`${assertion}\`: \`${subject}\``);
    const more = added.length > shown.length ? `, and ${added.length - shown.length} more` : "";
    throw new BaselineGrowthError(`the baseline \`${file}\` would grow by ${added.length === 1 ? "1 finding" : `${added.length} findings`} (${shown.join(", ")}${more})`, {
      remedy: `repair or waive what is new; to start from a new line, remove \`${file}\` and write it again, which a review will show`,
    });
  }
  await writeFiles([{ path, shown: file, text: baselineText(findings) }], signal);
}

async function refuseInside(flag: string, path: string, cwd: string): Promise<void> {
  const checkout = await realpath(cwd);
  const real = await realOf(resolve(cwd, path));
  const below = relative(checkout, real);
  const outside = below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below);
  // a link in the checkout is a stranger's word, wherever it leads
  const named = relative(cwd, resolve(cwd, path));
  const namedOutside = named === ".." || named.startsWith(`..${sep}`) || isAbsolute(named);
  if (outside && namedOutside) return;
  throw new UsageError(`--untrusted: \`--${flag} ${path}\` lies in the checkout, where a commit could accept its own faults`, {
    remedy: "name a file outside the checkout, taken from the base revision",
  });
}

async function realOf(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  const parent = dirname(path);
  return parent === path ? path : join(await realOf(parent), path.slice(parent.length));
}

/** `waivers.yaml` beside the fleet file, in the words by which the user named that one. */
function besideOf(fleetFile: string): string {
  const folder = dirname(fleetFile);
  return folder === "." ? DEFAULT_FILE : join(folder, DEFAULT_FILE);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
