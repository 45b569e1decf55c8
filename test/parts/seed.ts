import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { loadAll } from "js-yaml";
import { apply, openApi, post, type Api, type Manifest } from "./api.ts";
import { cacheFolder } from "./cache.ts";
import { asAdmin, pack, startCluster, type Cluster, type ClusterAddress, type ClusterOptions, type Identity } from "./cluster.ts";
import { CRD_MODULES, crdsMissing, postCrds, readCrds } from "./crds.ts";
import { until } from "./process.ts";
import { CLOUDS, worldOf, type Cloud } from "./world.ts";

type Binaries = ClusterOptions["binaries"];

/**
 * A cluster with the resource definitions and the world of its cloud. The first time it is filled (about ten seconds) and its
 * data folder kept in the cache; afterwards it starts from that, in the time of an empty one.
 */
export async function startCloud(cloud: Cloud, binaries: Binaries, more: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const archive = await archiveOf(cloud, binaries);
  return startCluster({ name: cloud.name, gitVersion: cloud.gitVersion, binaries, archive, ...more });
}

/** Why the clusters cannot be filled here; undefined when they can, or were before. */
export async function seedsMissing(binaries: Binaries): Promise<string | undefined> {
  return CLOUDS.every((cloud) => existsSync(archivePath(cloud, binaries))) ? undefined : crdsMissing();
}

function archivePath(cloud: Cloud, binaries: Binaries): string {
  return path.join(cacheFolder(), "seeds", `${cloud.name}-${seedKey(cloud, binaries)}.tgz`);
}

async function archiveOf(cloud: Cloud, binaries: Binaries): Promise<string> {
  const archive = archivePath(cloud, binaries);
  if (existsSync(archive)) return archive;

  await mkdir(path.dirname(archive), { recursive: true });
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

/** The roles that we ship, as they stand in `deploy/`. */
export async function shippedRoles(): Promise<readonly Manifest[]> {
  const text = await readFile(path.join(import.meta.dirname, "../../deploy/rbac/clusterrole.yaml"), "utf8");
  return loadAll(text) as readonly Manifest[];
}

/** Gives an identity exactly these ClusterRoles, in `namespaces` only where they are given. */
export async function bind(api: Api, identity: Identity, roles: readonly string[], namespaces?: readonly string[]): Promise<void> {
  for (const role of roles) {
    const grant = { roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role }, subjects: [{ apiGroup: RBAC, kind: "User", name: `assert-${identity}` }] };
    const name = `${role}-${identity}`;
    await apply(api, namespaces === undefined
      ? [{ apiVersion: `${RBAC}/v1`, kind: "ClusterRoleBinding", metadata: { name }, ...grant }]
      : namespaces.map((namespace) => ({ apiVersion: `${RBAC}/v1`, kind: "RoleBinding", metadata: { name, namespace }, ...grant })));
  }
}

const RBAC = "rbac.authorization.k8s.io";

/** Gives the reader exactly the role that we ship, without those of probes. */
export async function admitReader(cluster: ClusterAddress): Promise<void> {
  await asAdmin(cluster, async (api) => {
    await apply(api, await shippedRoles());
    await bind(api, "reader", ["cloud-assert"]);
  });
  await untilMay(cluster, "reader", { verb: "list", resource: "pods" });
}

/** Waits until the authorizer of `cluster` has heard that an identity may do something, or no longer may. */
export async function untilMay(cluster: ClusterAddress, identity: Identity, right: Right, may = true): Promise<void> {
  const api = openApi(cluster, cluster.tokens[identity]);
  const [resource, subresource] = right.resource.split("/");
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes: { ...right, resource, subresource } } };
  try {
    await until(`assert-${identity} ${may ? "may" : "may not"} ${right.verb} ${right.resource}`, async () => {
      const { body } = await api.must("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review);
      return ((body["status"] as { readonly allowed?: boolean }).allowed === true) === may;
    });
  } finally {
    await api.close();
  }
}

export interface Right {
  readonly verb: string;
  /** With its subresource: `pods/exec`. */
  readonly resource: string;
  readonly namespace?: string;
  /** Of the one object, where a role allows no other. */
  readonly name?: string;
}
