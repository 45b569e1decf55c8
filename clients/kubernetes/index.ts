import type { KubernetesApi } from "#engine";
import { contextInfos, loadKubeconfig } from "./kubeconfig.ts";
import { defaultLimits, type ContextInfo, type KubernetesPlace, type Limits, type Surroundings } from "./place.ts";

export type { ContextInfo, KubernetesPlace, Limits, Surroundings } from "./place.ts";

/**
 * Opens one place that holds Kubernetes objects: an API server, or a folder of manifests behind the same face.
 *
 * 1. Opening signs in and reads files, but asks the server nothing: a dead server is noticed by the first question.
 * 2. Whatever goes wrong is a CollectError without a secret in it.
 * 3. Code for live servers is imported only where one is opened; manifests never pay for it.
 */
export async function openKubernetes(
  place: KubernetesPlace,
  surroundings: Surroundings,
  limits: Partial<Limits> = {},
): Promise<KubernetesApi> {
  if (place.form === "manifests") return (await import("./manifests.ts")).openManifests(place, surroundings);
  const { openLive } = await import("./live.ts");
  return openLive(place, surroundings, { ...defaultLimits, ...limits });
}

/** The contexts of a kubeconfig file, or of the files that kubectl would read; sorted by name. Throws CollectError. */
export async function readContexts(
  kubeconfig: string | undefined,
  surroundings: Pick<Surroundings, "env" | "home">,
): Promise<readonly ContextInfo[]> {
  return contextInfos(await loadKubeconfig(kubeconfig, surroundings));
}
