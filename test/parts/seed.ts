import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { apply, post, type Api, type Manifest } from "./api.ts";
import { cacheFolder } from "./cache.ts";
import { asAdmin, pack, startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";
import { CRD_MODULES, postCrds, readCrds } from "./crds.ts";
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
  const folder = path.join(cacheFolder(), "seeds");
  const archive = path.join(folder, `${cloud.name}-${seedKey(cloud, binaries)}.tgz`);
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

/** Changes with whatever is in an archive: objects, definitions, and the binaries (named after their sources). */
function seedKey(cloud: Cloud, binaries: Binaries): string {
  const parts = [worldOf(cloud), CRD_MODULES, binaries["kube-apiserver"], binaries.etcd];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
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
