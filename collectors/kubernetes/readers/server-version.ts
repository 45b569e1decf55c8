import type { Cluster, Fact, Gap, Io } from "#engine";

/** The version of the API server; a folder of manifests has it only where somebody saved it there. */
export async function* readServerVersion(cluster: Cluster, io: Io): AsyncIterable<Fact<"server-version"> | Gap> {
  const api = await io.kubernetes();
  io.signal.throwIfAborted();
  const version = await api.serverVersion();
  const about = { kind: "server-version", cluster: cluster.name, subject: cluster.name } as const;
  if (version === undefined) {
    return yield { type: "gap", ...about, reason: "the manifests do not hold the version of the API server", remedy: "save it there: `kubectl version -o yaml > DIR/version.yaml`" };
  }
  yield { type: "fact", ...about, data: { version: version.slice(0, 100) }, source: { collector: "kubernetes", locator: api.place === "live" ? "/version" : "manifests" } };
}
