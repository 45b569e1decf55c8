import type { TestProject } from "vitest/node";
import { findAll } from "../parts/cache.ts";
import type { ClusterAddress } from "../parts/cluster.ts";
import { startCloud } from "../parts/seed.ts";
import { CLOUDS } from "../parts/world.ts";

/** Three running clusters that all end-to-end tests share, or why there are none. */
export type Fleet = Readonly<Record<"eks" | "gke" | "aks", ClusterAddress>> | { readonly missing: string };

declare module "vitest" {
  interface ProvidedContext {
    readonly fleet: Fleet;
  }
}

/** Starts the three clusters once for the whole run. Nothing is built here: what is missing makes tests skip, in CI fail. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const binaries = await findAll(["kube-apiserver", "etcd"]);
  if ("missing" in binaries) {
    project.provide("fleet", binaries);
    return undefined;
  }
  const clusters = await Promise.all(CLOUDS.map((cloud) => startCloud(cloud, binaries)));
  const addresses = clusters.map(({ stop: _, ...address }) => [address.name, address] as const);
  project.provide("fleet", Object.fromEntries(addresses) as Fleet);
  return async () => {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  };
}
