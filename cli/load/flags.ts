import type { KubernetesPlace } from "../../clients/kubernetes/index.ts";
import { UsageError } from "../errors.ts";
import { emptyRegistry, type Fleet, type FleetCluster } from "./fleet.ts";
import { pathFrom, type LoadOptions } from "./trust.ts";

/** The flags that name clusters without a fleet file. */
export interface FlagFleet {
  /** `--context`, each the name of its cluster too. */
  readonly contexts: readonly string[];
  /** `--cluster NAME=KUBECONFIG:CONTEXT`. */
  readonly clusters: readonly string[];
  /** `--kubeconfig`. */
  readonly kubeconfig?: string | undefined;
}

/** The fleet that flags name. Throws {@link UsageError} for a word in the wrong form, or two clusters of one name. */
export function fleetFromFlags({ contexts, clusters, kubeconfig }: FlagFleet, options: Pick<LoadOptions, "cwd" | "home">): Fleet {
  const path = kubeconfig === undefined ? undefined : fromCwd(kubeconfig, options);
  const named = contexts.map((context) => {
    if (context === "") throw new UsageError("`--context` is empty", { remedy: "name a context, as in `--context eks-prod`" });
    return clusterOf(context, { form: "kubeconfig", kubeconfig: path, context });
  });
  const spelled = clusters.map((word) => parseCluster(word, options));
  const all = [...named, ...spelled];
  for (const [index, { cluster }] of all.entries()) {
    if (all.findIndex((other) => other.cluster.name === cluster.name) !== index) {
      throw new UsageError(`two clusters are named \`${cluster.name}\``, {
        remedy: "give each a name of its own, as in `--cluster NAME=KUBECONFIG:CONTEXT`, or leave one out",
      });
    }
  }
  return { name: "flags", clusters: all, istioMap: [], notes: [] };
}

/** A context may hold `:` and `/` (`arn:aws:eks:…`), a name no `=`; the kubeconfig ends at the first `:`. */
function parseCluster(word: string, options: Pick<LoadOptions, "cwd" | "home">): FleetCluster {
  const equals = word.indexOf("=");
  const colon = word.indexOf(":", equals + 1);
  const [name, file, context] = [word.slice(0, equals), word.slice(equals + 1, colon), word.slice(colon + 1)];
  const missing = equals < 1 ? "a name and `=`" : colon < 0 ? "`:` and a context" : file === "" ? "a kubeconfig" : context === "" ? "a context" : undefined;
  if (missing !== undefined) {
    throw new UsageError(`\`--cluster ${word}\` lacks ${missing}`, {
      remedy: "write NAME=KUBECONFIG:CONTEXT, as in `--cluster eks-prod=~/.kube/config:arn:aws:eks:eu-west-1:1234:cluster/prod`",
    });
  }
  return clusterOf(name, { form: "kubeconfig", kubeconfig: fromCwd(file, options), context });
}

function clusterOf(name: string, kubernetes: KubernetesPlace): FleetCluster {
  return { cluster: { name, labels: {} }, kubernetes, probes: [], terraform: [], registry: emptyRegistry };
}

function fromCwd(path: string, options: Pick<LoadOptions, "cwd" | "home">): string {
  return pathFrom("here", path, options);
}
