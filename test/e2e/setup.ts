import type { TestProject } from "vitest/node";
import { findAll } from "../parts/cache.ts";
import type { ClusterAddress } from "../parts/cluster.ts";
import type { PartName } from "../parts/parts.ts";
import { admitReader, seedsMissing, startCloud } from "../parts/seed.ts";
import { CLOUDS } from "../parts/world.ts";

/** What end-to-end tests stand on: three running clusters and the programs to start more, or why there are none. */
export type Ground =
  | { readonly clusters: Clusters; readonly parts: Readonly<Record<Exclude<PartName, "istiod" | "provider-schemas">, string>> }
  | { readonly missing: string };

type Clusters = Readonly<Record<"eks" | "gke" | "aks", ClusterAddress>>;

declare module "vitest" {
  interface ProvidedContext {
    readonly ground: Ground;
  }
}

/** Starts the three clusters once for the whole run. Nothing is built here: what is missing makes tests skip, in CI fail. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const parts = await findAll(["kube-apiserver", "etcd", "kubelet", "envoy", "versitygw", "fake-gcs-server", "azurite", "moto"]);
  const missing = "missing" in parts ? parts.missing : await seedsMissing(parts);
  if ("missing" in parts || missing !== undefined) {
    project.provide("ground", { missing: `${missing ?? ""}; \`npm run parts\` brings it` });
    return undefined;
  }
  const running = await Promise.all(CLOUDS.map((cloud) => startCloud(cloud, parts)));
  await Promise.all(running.map(admitReader));
  // Tests run in other processes: only data gets there.
  const clusters = JSON.parse(JSON.stringify(Object.fromEntries(running.map((cluster) => [cluster.name, cluster])))) as Clusters;
  project.provide("ground", { parts, clusters });
  return async () => {
    await Promise.all(running.map((cluster) => cluster.stop()));
  };
}
