import { ClusterIdentityError } from "./errors.ts";
import type { ClusterFact } from "./facts.ts";
import { byText } from "./json.ts";
import type { Cluster, Snapshot } from "./model.ts";

/**
 * The cluster with the cloud and region that its nodes show, where the fleet file left them out.
 * Throws {@link ClusterIdentityError} when both signals of the nodes speak for another cloud than the declared one,
 * or against each other where none is declared.
 */
export function settle(cluster: Cluster, fact: ClusterFact | undefined): Cluster {
  if (fact === undefined) return cluster;
  const nodes = fact.signals.filter((signal) => signal.signal !== "serverVersion");
  const both = new Set(nodes.map((signal) => signal.signal)).size > 1;
  const words = [...new Set(nodes.map((signal) => signal.cloud))].sort(byText);
  const seen = nodes.map((signal) => `${signal.signal} \`${signal.example}\``).join(", ");

  if (cluster.cloud !== undefined && both && words.length === 1 && words[0] !== cluster.cloud) {
    throw new ClusterIdentityError(
      `\`${cluster.name}\` is declared to run on \`${cluster.cloud}\`, but its nodes say \`${words[0]}\` (${seen})`,
      { remedy: `correct \`cloud:\` of \`${cluster.name}\`, or its kubeconfig context: it may point at another cluster` },
    );
  }
  if (cluster.cloud === undefined && both && words.length > 1) {
    throw new ClusterIdentityError(`the nodes of \`${cluster.name}\` speak for several clouds (${seen})`, {
      remedy: `write \`cloud:\` at \`${cluster.name}\` in the fleet file`,
    });
  }
  return { ...cluster, cloud: cluster.cloud ?? fact.cloud, region: cluster.region ?? fact.region };
}

/**
 * Refuses a fleet in which two names are one cluster, one name is two, or a pinned cluster is another one.
 * The UID of the namespace kube-system decides; clusters whose UID is unknown (manifests, no permission) are exempt.
 */
export function checkIdentities(snapshots: readonly Snapshot[], pins: ReadonlyMap<string, string>): void {
  const names = new Map<string, string>();
  const uids = new Map<string, string>();
  for (const { cluster, identity } of snapshots) {
    const uid = identity.kubeSystemUid;
    if (uid === undefined) continue;
    const other = names.get(uid);
    if (other !== undefined && other !== cluster.name) throw sameCluster(other, cluster.name, uid);
    const before = uids.get(cluster.name);
    if (before !== undefined && before !== uid) throw twoClusters(cluster.name, before, uid);
    const pin = pins.get(cluster.name);
    if (pin !== undefined && pin !== uid) throw anotherCluster(cluster.name, pin, uid);
    names.set(uid, cluster.name);
    uids.set(cluster.name, uid);
  }
}

function sameCluster(first: string, second: string, uid: string): ClusterIdentityError {
  return new ClusterIdentityError(`\`${first}\` and \`${second}\` are the same cluster (kube-system UID ${uid})`, {
    remedy: `leave one of the two names out of the fleet, or correct the context of one of them`,
  });
}

function twoClusters(name: string, first: string, second: string): ClusterIdentityError {
  return new ClusterIdentityError(`\`${name}\` names two clusters (kube-system UIDs ${first} and ${second})`, {
    remedy: "give each cluster a name of its own",
  });
}

function anotherCluster(name: string, pin: string, uid: string): ClusterIdentityError {
  return new ClusterIdentityError(`\`${name}\` is another cluster than the fleet file pins (kube-system UID ${uid}, pinned ${pin})`, {
    remedy: `correct the context of \`${name}\`, or \`identity.kubeSystemUid\` if the cluster was rebuilt`,
  });
}
