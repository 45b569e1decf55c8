import { closeSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { CollectError, parseSnapshot, type Cluster, type Fact, type Gap, type Io, type KubernetesApi } from "#engine";
import type { KubernetesPlace } from "../../clients/kubernetes/index.ts";
import { noRegistries } from "../../clients/registry/index.ts";
import { openSignatures } from "../../clients/signatures/index.ts";
import { UsageError } from "../errors.ts";
import type { Flags } from "../flags.ts";
import { innerYaml } from "../inner-yaml.ts";
import type { Terminal } from "../terminal.ts";
import type { Lines } from "./lines.ts";

/** The routing of one place, and what of it could not be seen. */
export interface Seen {
  readonly facts: readonly Fact<"routing">[];
  readonly gaps: readonly Gap[];
  /** What an Envoy has loaded, in place of facts. */
  readonly dump?: unknown;
  /** Finds the lines of rules in its files; left out: it has none. */
  readonly lines?: Lines | undefined;
}

/** The largest snapshot that is read. */
const LARGEST = 512 * 1024 * 1024;
const LARGEST_FILE = 64 * 1024 * 1024;

/**
 * Reads a place by the word a user names it with: a manifest file or directory, a snapshot, what an Envoy has loaded,
 * `context:NAME`, `git:REV:PATH`. What a cluster does not tell is a gap; a file that cannot be read is a {@link UsageError}.
 */
export async function readPlace(word: string, name: string, flags: Flags, terminal: Terminal): Promise<Seen> {
  if (word.startsWith("context:")) return readContext(word.slice("context:".length), name, flags, terminal);
  if (word.startsWith("git:")) {
    const { gitText, withGitFolder } = await import("./git.ts");
    return withGitFolder(word, terminal, (folder) => readManifests(folder, word, name, terminal, (file) => gitText(file, terminal)));
  }
  const path = pathOf(word, terminal);
  const found = orNothing(() => statSync(path));
  if (found === undefined) throw missing(word);
  if (found.isFile()) {
    const kept = orNothing(() => startsAsJson(path)) === true ? await readJson(path, word) : await readYaml(path, found.size, word);
    if (kept !== undefined) return kept;
  }
  return readManifests(path, word, name, terminal);
}

/** What cannot be read is told when it is read. */
function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function pathOf(word: string, { cwd, home }: Terminal): string {
  return word.startsWith("~/") ? resolve(home, word.slice(2)) : resolve(cwd, word);
}

function missing(word: string): UsageError {
  return new UsageError(`\`${word}\` is no place: there is no such file or directory`, {
    remedy: "name a manifest file or directory, a snapshot, a config dump of an Envoy, `context:NAME` or `git:REV:PATH`",
  });
}

function startsAsJson(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(64);
    const length = readSync(file, start);
    return start.toString("utf8", 0, length).replace("\u{feff}", "").trimStart().replace(/^\[/, "{").startsWith("{");
  } finally {
    closeSync(file);
  }
}

/** A snapshot or a dump, or undefined for JSON that is a manifest. */
async function readJson(path: string, word: string): Promise<Seen | undefined> {
  const { readText } = await import("../../clients/documents/index.ts");
  const text = await readText(path, LARGEST);
  if (!text.includes('"cloud-assert/snapshot/')) {
    const { dumpIn } = await import("./dump.ts");
    const dump = dumpIn(text, word);
    return dump === undefined ? undefined : { facts: [], gaps: [], dump };
  }
  const snapshot = parseSnapshot(text, word);
  const facts = snapshot.facts.filter((fact): fact is Fact<"routing"> => fact.kind === "routing");
  const gaps = snapshot.gaps.filter(({ kind }) => kind === undefined || kind === "routing");
  if (snapshot.asked.some(({ fact }) => fact === "routing")) return { facts, gaps };
  const reason = `the snapshot \`${word}\` was not asked for routing`;
  return { facts, gaps: [...gaps, { type: "gap", kind: "routing", cluster: snapshot.cluster.name, subject: word, reason, remedy: "collect it again with an assertion of the kind RoutesEquivalent, or with `--all`" }] };
}

/** A dump in YAML, or undefined for a manifest. */
async function readYaml(path: string, size: number, word: string): Promise<Seen | undefined> {
  if (size > LARGEST_FILE) return undefined;
  const { readText } = await import("../../clients/documents/index.ts");
  const { dumpInYaml } = await import("./dump.ts");
  const dump = await dumpInYaml(await readText(path, LARGEST_FILE), word);
  return dump === undefined ? undefined : { facts: [], gaps: [], dump };
}

async function readManifests(path: string, word: string, name: string, terminal: Terminal, textOf?: (file: string) => Promise<string>): Promise<Seen> {
  const { openKubernetes } = await import("../../clients/kubernetes/index.ts");
  const place: KubernetesPlace = { form: "manifests", dir: path, shown: word, complete: false };
  const api = await openKubernetes(place, { env: terminal.env, home: terminal.home, signal: terminal.signal, allowExec: false });
  const { Lines } = await import("./lines.ts");
  const { readText } = await import("../../clients/documents/index.ts");
  const lines = new Lines(textOf ?? ((file) => readText(path + file.slice(word.length), LARGEST_FILE)));
  try {
    const seen = await readFrom({ name, labels: {} }, terminal.signal, () => Promise.resolve(api));
    // What a cluster refuses is a gap; what is wrong in a file is for its author to repair.
    const [wrong] = seen.gaps;
    if (wrong !== undefined) throw new UsageError(wrong.reason, { remedy: wrong.remedy });
    return { ...seen, lines };
  } catch (error) {
    if (error instanceof CollectError) throw new UsageError(error.message, { remedy: error.remedy, cause: error });
    throw error;
  }
}

async function readContext(context: string, name: string, flags: Flags, terminal: Terminal): Promise<Seen> {
  const cluster: Cluster = { name, labels: {} };
  const { visitAll } = await import("../visit.ts");
  const kubeconfig = flags.kubeconfig === undefined ? undefined : resolve(terminal.cwd, flags.kubeconfig);
  const target = { cluster, kubernetes: { form: "kubeconfig" as const, kubeconfig, context }, probes: [], terraform: [], registry: { credentials: [], pullSecrets: [], plainHttp: [], mirrors: {}, privateHosts: [] } };
  const [seen] = await visitAll([target], { flags, terminal }, async (_, visit): Promise<Seen> => {
    try {
      const found = await readFrom(cluster, visit.signal, visit.open);
      visit.done(true);
      return found;
    } catch (error) {
      if (!(error instanceof CollectError)) throw error;
      visit.done(false);
      return { facts: [], gaps: [{ type: "gap", cluster: name, subject: name, reason: error.message, remedy: error.remedy }] };
    }
  });
  return seen ?? { facts: [], gaps: [] };
}

async function readFrom(cluster: Cluster, signal: AbortSignal, kubernetes: () => Promise<KubernetesApi>): Promise<Seen> {
  const { readRouting } = await import("../../collectors/kubernetes/readers/routing.ts");
  const io: Io = { signal, kubernetes, allows: () => false, yaml: innerYaml, states: () => [], registry: () => noRegistries("a comparison of routes contacts no registry", "use `assert run`"), signatures: openSignatures, facts: () => [], progress: () => undefined };
  const facts: Fact<"routing">[] = [];
  const gaps: Gap[] = [];
  for await (const item of readRouting(cluster, io)) {
    if (item.type === "fact") facts.push(item);
    else gaps.push(item);
  }
  return { facts, gaps };
}
