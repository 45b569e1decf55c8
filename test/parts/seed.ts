import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { apply, post, type Api, type Manifest } from "./api.ts";
import { cacheFolder } from "./cache.ts";
import { asAdmin, pack, startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
import { postCrds, readCrds } from "./crds.ts";
import { worldOf, type Cloud } from "./world.ts";

type Binaries = ClusterOptions["binaries"];

/**
 * A cluster with the resource definitions and the world of its cloud. The first time it is filled (about ten seconds) and its
 * data folder kept in the cache; afterwards it starts from that, in the time of an empty one.
 */
export async function startCloud(cloud: Cloud, binaries: Binaries, more: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const archive = await archiveOf(cloud, binaries);
  return startCluster({ name: cloud.name, gitVersion: cloud.gitVersion, binaries, archive, ...more });
}

async function archiveOf(cloud: Cloud, binaries: Binaries): Promise<string> {
  const folder = path.join(cacheFolder(), "seeds", seedKey(binaries));
  const archive = path.join(folder, `${cloud.name}.tgz`);
  if (existsSync(archive)) return archive;

  await mkdir(folder, { recursive: true });
  const cluster = await startCluster({ name: cloud.name, gitVersion: cloud.gitVersion, binaries });
  try {
    await asAdmin(cluster, (api) => fill(api, worldOf(cloud)));
  } finally {
    await cluster.stop();
  }
  const aside = `${archive}.${process.pid}`;
  await pack(cluster, aside);
  await rename(aside, archive);
  await rm(cluster.folder, { recursive: true });
  return archive;
}

async function fill(api: Api, world: readonly Manifest[]): Promise<void> {
  await postCrds(api, await readCrds());
  const first = ["Node", "Namespace"];
  await post(api, world.filter(({ kind }) => first.includes(kind)));
  await post(api, world.filter(({ kind }) => !first.includes(kind)));
}

/** Everything that what is in an archive depends on: the harness's own sources and the binaries (named after their sources). */
function seedKey(binaries: Binaries): string {
  const hash = createHash("sha256").update(`${binaries["kube-apiserver"]}\0${binaries.etcd}`);
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts")).sort()) {
    hash.update(`\0${file}\0`).update(readFileSync(path.join(import.meta.dirname, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Binds a ClusterRole to `assert-USER`; in `namespaces` only, where they are given. */
export async function bind(api: Api, role: string, user: string, namespaces?: readonly string[]): Promise<void> {
  const rbac = "rbac.authorization.k8s.io";
  const grant = {
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: rbac, kind: "User", name: `assert-${user}` }],
  };
  const name = `${role}-${user}`;
  await apply(api, namespaces === undefined
    ? [{ apiVersion: `${rbac}/v1`, kind: "ClusterRoleBinding", metadata: { name }, ...grant }]
    : namespaces.map((namespace) => ({ apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata: { name, namespace }, ...grant })));
}
