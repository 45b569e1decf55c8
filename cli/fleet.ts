import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { byText, CollectError, type Snapshot } from "#engine";
import { UsageError, NothingToRunError } from "./errors.ts";
import type { Flags } from "./flags.ts";
import { fleetFromFlags, loadFleet, type Fleet } from "./load/index.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_FILE = "assert.yaml";

/**
 * The clusters of this run: by flags, else the fleet file, else the saved snapshots themselves.
 * Throws {@link NothingToRunError} with the contexts at hand where nothing names a cluster.
 */
export async function fleetOf(flags: Flags, terminal: Terminal, saved?: ReadonlyMap<string, Snapshot>): Promise<Fleet> {
  const { cwd, home } = terminal;
  const options = { cwd, home, untrusted: flags.untrusted };
  const named = flags.context.length + flags.cluster.length > 0;
  if (named && flags.fleet !== undefined) {
    throw new UsageError("--fleet and --context or --cluster both name the clusters", { remedy: "use one of the two ways" });
  }
  if (named) return fleetFromFlags({ contexts: flags.context, clusters: flags.cluster, kubeconfig: flags.kubeconfig }, options);
  if (flags.fleet !== undefined) return withKubeconfig(await loadFleet(flags.fleet, options), flags, cwd);
  if (await isThere(join(cwd, DEFAULT_FILE))) return withKubeconfig(await loadFleet(DEFAULT_FILE, options), flags, cwd);
  if (saved !== undefined) return fleetOfSnapshots(saved);
  throw await nothingNamed(flags, terminal);
}

/** `--kubeconfig` is where clusters are looked up that name no file of their own. */
function withKubeconfig(fleet: Fleet, { kubeconfig }: Flags, cwd: string): Fleet {
  if (kubeconfig === undefined) return fleet;
  const path = resolve(cwd, kubeconfig);
  const clusters = fleet.clusters.map((cluster) => {
    const place = cluster.kubernetes;
    return place?.form === "kubeconfig" && place.kubeconfig === undefined ? { ...cluster, kubernetes: { ...place, kubeconfig: path } } : cluster;
  });
  return { ...fleet, clusters };
}

function fleetOfSnapshots(saved: ReadonlyMap<string, Snapshot>): Fleet {
  const registry = { credentials: [], pullSecrets: [], plainHttp: [], mirrors: {}, privateHosts: [] };
  const clusters = [...saved.values()].map(({ cluster }) => ({ cluster, probes: [], terraform: [], registry }));
  return { name: "snapshots", clusters: clusters.sort((a, b) => byText(a.cluster.name, b.cluster.name)), istioMap: [], notes: [] };
}

async function nothingNamed({ kubeconfig }: Flags, { cwd, env, home }: Terminal): Promise<NothingToRunError> {
  const { readContexts } = await import("../clients/kubernetes/index.ts");
  try {
    const contexts = (await readContexts(kubeconfig === undefined ? undefined : resolve(cwd, kubeconfig), { env, home })).map((context) => `\`${context.name}\``);
    return new NothingToRunError(`no cluster is named, and there is no \`${DEFAULT_FILE}\` here`, {
      remedy:
        contexts.length === 0
          ? "the kubeconfig holds no context: add one, then `assert init` writes a first fleet file"
          : `name clusters with --context (found: ${contexts.slice(0, 20).join(", ")}${contexts.length > 20 ? ", …" : ""}), or let \`assert init\` write a first fleet file`,
    });
  } catch (error) {
    if (!(error instanceof CollectError)) throw error;
    return new NothingToRunError(`no cluster is named, there is no \`${DEFAULT_FILE}\` here, and ${error.message}`, {
      remedy: `${error.remedy}; then name clusters with --context, or let \`assert init\` write a first fleet file`,
    });
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
