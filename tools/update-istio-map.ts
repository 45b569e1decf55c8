/**
 * `npm run update:istio-map [ISTIO]`: works out which Envoy each newer Istio release carries and writes it into values/istio-envoy-map.json.
 *
 * For each tag of istio/istio that the map lacks: `istio.deps` names the commit of istio/proxy, its `WORKSPACE` names the commit of Envoy,
 * and that commit's `VERSION.txt` names Envoy's number (`1.37.2-dev` counts as 1.37.2). Rows that are there are kept.
 * With ISTIO (`1.31.0`) only that release is asked for.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareReleases, istioMapEntriesOf, istioReleaseText, parseEnvoyVersion, parseIstioRelease, releaseText, type IstioRelease } from "#values";

const file = join(import.meta.dirname, "..", "values", "istio-envoy-map.json");
const OLDEST = { major: 1, minor: 18, patch: 0 };
const AT_ONCE = 4;

/** Reads the text of a file of a public repository at a commit or tag; undefined where there is none. */
export type Read = (repository: string, revision: string, path: string) => Promise<string | undefined>;

/** The Envoy number of an Istio release, by following the commits that its build pins. Throws with the step that did not lead on. */
export async function envoyOf(istio: string, read: Read): Promise<string> {
  const proxy = proxyCommit(await must(read, "istio/istio", istio, "istio.deps"));
  if (proxy === undefined) throw new Error(`istio.deps of Istio ${istio} names no PROXY_REPO_SHA`);
  const workspace = await must(read, "istio/proxy", proxy, "WORKSPACE");
  const commit = setting(workspace, "ENVOY_SHA", /^[0-9a-f]{40}$/);
  const owner = setting(workspace, "ENVOY_ORG", /^[\w-]{1,39}$/) ?? "envoyproxy";
  if (commit === undefined) throw new Error(`WORKSPACE of istio/proxy at ${proxy} names no ENVOY_SHA`);
  const text = (await must(read, `${owner}/envoy`, commit, "VERSION.txt")).trim();
  const version = parseEnvoyVersion(text);
  if (version === undefined) throw new Error(`VERSION.txt of ${owner}/envoy at ${commit} says \`${text.slice(0, 40)}\`, which is no release`);
  return releaseText(version);
}

async function must(read: Read, repository: string, revision: string, path: string): Promise<string> {
  const text = await read(repository, revision, path);
  if (text === undefined) throw new Error(`${repository} has no ${path} at ${revision}`);
  return text;
}

/** `istio.deps` is a list of `{ name: "PROXY_REPO_SHA", lastStableSHA: "…" }`. */
function proxyCommit(deps: string): string | undefined {
  const list: unknown = JSON.parse(deps);
  const entry = Array.isArray(list) ? list.find((item: unknown) => own(item, "name") === "PROXY_REPO_SHA") : undefined;
  const commit = own(entry, "lastStableSHA");
  return typeof commit === "string" && /^[0-9a-f]{40}$/.test(commit) ? commit : undefined;
}

function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

/** `NAME = "value"` at the start of a line of Starlark. */
function setting(text: string, name: string, form: RegExp): string | undefined {
  const line = text.split("\n").find((candidate) => candidate.split("=", 1)[0]?.trim() === name);
  const value = line?.split('"')[1];
  return value !== undefined && form.test(value) ? value : undefined;
}

/** The file's text: one row a line, oldest first. */
export function mapText(rows: ReadonlyMap<string, readonly string[]>): string {
  const releases = [...rows].flatMap(([istio, envoy]) => {
    const release = parseIstioRelease(istio);
    return release === undefined ? [] : [{ release, istio, envoy }];
  });
  releases.sort((a, b) => compareReleases(a.release, b.release) || byPre(a.release, b.release));
  const lines = releases.map(({ istio, envoy }) => `  { "istio": ${quoted([istio])}, "envoy": [${quoted(envoy)}] }`);
  return `[\n${lines.join(",\n")}\n]\n`;
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(text)).join(", ");
}

/** A pre-release comes before its release, `beta` before `rc`. */
function byPre(left: IstioRelease, right: IstioRelease): number {
  const [a, b] = [left.pre ?? "~", right.pre ?? "~"];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws with the host and the reason: a bare `fetch failed` tells nobody what to do. */
async function ask(url: string): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(30_000) });
  } catch (cause) {
    const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : String(cause);
    throw new Error(`${new URL(url).host} cannot be reached (${why}): run it where GitHub answers`, { cause });
  }
}

const readGitHub: Read = async (repository, revision, path) => {
  const answer = await ask(`https://raw.githubusercontent.com/${repository}/${revision}/${path}`);
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`GitHub answered ${answer.status} for ${path} of ${repository}`);
  return answer.text();
};

async function istioTags(): Promise<readonly string[]> {
  const tags: string[] = [];
  for (let page = 1; page <= 20; page++) {
    const answer = await ask(`https://api.github.com/repos/istio/istio/tags?per_page=100&page=${page}`);
    if (!answer.ok) throw new Error(`GitHub answered ${answer.status} for the tags of istio/istio`);
    const found = (await answer.json()) as readonly { readonly name: string }[];
    tags.push(...found.map(({ name }) => name));
    if (found.length < 100) break;
  }
  return tags;
}

/** Releases and pre-releases of the Istio project that the map covers. */
export function isCovered(tag: string): boolean {
  const release = parseIstioRelease(tag);
  return release !== undefined && istioReleaseText(release) === tag && !tag.includes("alpha") && release.pre !== "dev" && compareReleases(release, OLDEST) >= 0;
}

async function main(): Promise<void> {
  const rows = new Map(istioMapEntriesOf(JSON.parse(readFileSync(file, "utf8"))).map(({ istio, envoy }) => [istio, envoy]));
  const [only] = process.argv.slice(2);
  const wanted = (only === undefined ? await istioTags() : [only]).filter((tag) => isCovered(tag) && !rows.has(tag));
  const failed: string[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    await Promise.all(
      wanted.slice(at, at + AT_ONCE).map(async (istio) => {
        try {
          rows.set(istio, [await envoyOf(istio, readGitHub)]);
        } catch (error) {
          failed.push(`${istio}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }),
    );
  }
  writeFileSync(file, mapText(rows));
  console.log(`${wanted.length - failed.length} rows added, ${rows.size} in all`);
  for (const line of failed.toSorted()) console.error(`no row for ${line}`);
  if (failed.length > 0) process.exitCode = 1;
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(`error: the map is as it was: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
}
