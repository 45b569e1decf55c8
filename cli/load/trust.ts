import { readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { UntrustedError } from "./errors.ts";

/**
 * Where relative paths start and how far files may reach.
 *
 * With `untrusted` the files come from a stranger's commit. Then (contract, section 3):
 *
 * - a *source* that they may not name (a kubeconfig path, a server with its token, remote Terraform state, a command, a path out of the
 *   folder of the file) is kept in the fleet with `refused`: the collection makes a gap of it, and the rest is judged;
 * - registry credentials, pull secrets, mirrors and private hosts are left out and listed in the same way;
 * - `exec` of a kubeconfig is for whoever opens it to refuse (`allowExec: false`), whoever named that kubeconfig;
 * - a *flag* that is refused (`--plugin` or `--waivers` below the checkout) ends the run: that is the command's business;
 * - a file that a spec names (`x-file`) outside its folder, and an `istioMap` outside, end the run: nothing could be judged without them.
 *
 * What a flag names is the operator's own word and never refused here.
 */
export interface LoadOptions {
  readonly cwd: string;
  /** What `~/` stands for. */
  readonly home: string;
  readonly untrusted: boolean;
  /** Largest file read, in bytes; left out: 16 MiB. */
  readonly limitBytes?: number | undefined;
}

/** Why a source that a file names is not used, in the words of a gap. */
export interface Refused {
  readonly reason: string;
  readonly remedy: string;
}

/** An absolute path for what `file` (as the user wrote it) names: relative ones start at the file's folder, `~/` at the home. */
export function pathFrom(file: string, named: string, { cwd, home }: Pick<LoadOptions, "cwd" | "home">): string {
  if (named === "~") return home;
  if (named.startsWith("~/")) return join(home, named.slice(2));
  return resolve(dirname(resolve(cwd, file)), named);
}

/** Does the path lead out of the folder of the file, links followed, also where nothing is there yet? */
async function leadsOut(file: string, path: string, { cwd }: Pick<LoadOptions, "cwd">): Promise<boolean> {
  const folder = await realOf(dirname(resolve(cwd, file)));
  const target = await realOf(path);
  return target !== folder && !target.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The reason for which a path may not be used, if there is one. */
export async function refusedPath(file: string, named: string, path: string, options: LoadOptions): Promise<Refused | undefined> {
  if (!options.untrusted || !(await leadsOut(file, path, options))) return undefined;
  return {
    reason: `--untrusted: \`${named}\` leads out of the folder of \`${file}\``,
    remedy: "put what it names beside the file, or run without --untrusted after reading the change",
  };
}

/** Why what only a file names is not used. */
export function refusal(what: string, remedy: string): Refused {
  return { reason: `--untrusted: \`${what}\` is not used, because only the file names it`, remedy: `${remedy}, or run without --untrusted after reading the change` };
}

/** A path as somebody in the working directory would write it: a report must not depend on where a checkout lies. */
export function shownFrom(cwd: string, path: string): string {
  const below = relative(cwd, path);
  return below === "" || below.startsWith("..") || isAbsolute(below) ? path : below;
}

/** Throws {@link UntrustedError} where a path may not be used and nothing can be judged without it. */
export function must(refused: Refused | undefined, at: ConstructorParameters<typeof UntrustedError>[1]["at"]): void {
  if (refused) throw new UntrustedError(refused.reason, { at, remedy: refused.remedy });
}

/**
 * Under `--untrusted` a path that looks as if it lay below the working directory must really lie there: a link in a stranger's commit
 * could lead anywhere. What a flag names outside is the operator's own word.
 */
export async function checkLinks(path: string, options: LoadOptions): Promise<void> {
  if (!options.untrusted || relative(options.cwd, resolve(options.cwd, path)).startsWith("..")) return;
  if (await leadsOut(join(options.cwd, "here"), resolve(options.cwd, path), options)) throw linkedOut(path);
}

/** Under `--untrusted` a file found in a folder must not be a link out of it. */
export async function checkOwnLink(file: string, options: LoadOptions): Promise<void> {
  if (options.untrusted && (await leadsOut(file, resolve(options.cwd, file), options))) throw linkedOut(file);
}

function linkedOut(path: string): UntrustedError {
  return new UntrustedError(`--untrusted: \`${path}\` is a link that leads out of its folder`, {
    remedy: "put the file itself there, or run without --untrusted after reading the change",
  });
}

/** Where a path leads, also when nothing is there yet; a link to nothing leads where it points. */
async function realOf(path: string, links = 0): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  const parent = dirname(path);
  if (parent === path) return path;
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined || links > MOST_LINKS) return join(await realOf(parent, links), basename(path));
  return realOf(resolve(await realOf(parent, links), target), links + 1);
}

/** As many as Linux follows. */
const MOST_LINKS = 40;
