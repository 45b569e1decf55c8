import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { byText, ClusterIdentityError, parseSnapshot, seal, settle, snapshotText, type Cluster, type Fact, type Snapshot } from "#engine";
import { FileError } from "../clients/documents/index.ts";
import { NothingToRunError } from "./errors.ts";
import { makeFolder, writeFiles } from "./files.ts";
import { readTextOf } from "./load/index.ts";
import type { Terminal } from "./terminal.ts";

/** Larger than any mesh: a snapshot holds groups and routing objects, never one fact a pod. */
const LIMIT = 512 * 1024 * 1024;

/** A file name for a cluster: contexts hold `/` and `:`, and two names never share one file, not even where case does not count. */
function fileNameOf(cluster: string): string {
  const safe = cluster.replace(/[^a-z0-9._-]|^\./gu, (character) => [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
  return `${safe}.json`;
}

/** Reads every snapshot of a folder, by cluster. Throws SnapshotError for one that is not whole. */
export async function readSnapshots(dir: string, { cwd }: Pick<Terminal, "cwd">): Promise<ReadonlyMap<string, Snapshot>> {
  const names = await readdir(resolve(cwd, dir)).catch((cause: unknown) => {
    throw new FileError(`\`${dir}\` is no folder that can be read`, { remedy: "write snapshots with `assert collect --out DIR`, and name that folder", cause });
  });
  const files = names.filter((name) => name.endsWith(".json") && !name.startsWith(".")).sort(byText);
  if (files.length === 0) throw new NothingToRunError(`\`${dir}\` holds no snapshot`, { remedy: "write snapshots with `assert collect --out DIR`" });

  const snapshots = new Map<string, Snapshot>();
  for (const file of files) {
    const snapshot = await readSnapshot(join(dir, file), resolve(cwd, dir, file));
    const { name } = snapshot.cluster;
    if (snapshots.has(name)) {
      throw new ClusterIdentityError(`two snapshots in \`${dir}\` are of \`${name}\`; the second is \`${file}\``, { remedy: "remove the older of the two" });
    }
    snapshots.set(name, snapshot);
  }
  return snapshots;
}

/** Reads one snapshot; `shown` is its name as the user knows it. */
export async function readSnapshot(shown: string, path: string): Promise<Snapshot> {
  return parseSnapshot(await readTextOf({ path, shown }, LIMIT), shown);
}

/** A snapshot as the fleet's cluster: under the name, labels, cloud and region that the fleet file gives it. */
export function adopt(snapshot: Snapshot, cluster: Cluster): Snapshot {
  const { schema: _schema, sha256: _sha256, seal: _seal, ...parts } = snapshot;
  const isCluster = (fact: Fact): fact is Fact<"cluster"> => fact.kind === "cluster";
  const settled = settle(cluster, snapshot.facts.find(isCluster)?.data);
  const rename = <T extends { readonly cluster?: string | undefined }>(item: T): T => (item.cluster === undefined ? item : { ...item, cluster: cluster.name });
  return seal({
    ...parts,
    cluster: { ...settled, cloud: settled.cloud ?? snapshot.cluster.cloud, region: settled.region ?? snapshot.cluster.region },
    facts: parts.facts.map(rename),
    gaps: parts.gaps.map(rename),
  });
}

/** Writes one file per cluster, all or none. */
export async function writeSnapshots(snapshots: Iterable<Snapshot>, dir: string, { cwd, signal }: Pick<Terminal, "cwd" | "signal">): Promise<readonly string[]> {
  await makeFolder(resolve(cwd, dir), dir);
  const files = [...snapshots].map((snapshot) => ({ name: join(dir, fileNameOf(snapshot.cluster.name)), text: snapshotText(snapshot) }));
  await writeFiles(
    files.map(({ name, text }) => ({ path: resolve(cwd, name), shown: name, text })),
    signal,
  );
  return files.map(({ name }) => name);
}
