import { byText, CollectError, type CloudSignal, type Cluster, type ClusterFact, type Fact, type Gap, type Io, type KubeObject, type KubernetesApi, type Request } from "#engine";
import { fieldsIn, textIn } from "../fields.ts";
import { KUBE_SYSTEM, namespaces, nodes } from "../resources.ts";

/**
 * Who the cluster is: the UID of its namespace kube-system, its version and, where asked, what its nodes say of the cloud.
 * What may not be read is a gap beside the fact; a folder of manifests has no identity.
 */
export async function* readCluster(cluster: Cluster, { options }: Request, io: Io): AsyncIterable<Fact<"cluster"> | Gap> {
  const api = await io.kubernetes();
  const gaps: Gap[] = [];
  const kubeSystemUid = await orGap(gaps, cluster, KUBE_SYSTEM, () => uidOf(api));
  const seen = options?.["nodes"] === true ? await orGap(gaps, cluster, nodes.plural, () => inspectNodes(api, io)) : undefined;
  const serverVersion = await orGap(gaps, cluster, "version", async () => (api.place === "live" ? api.serverVersion() : undefined));
  yield* gaps;
  yield {
    type: "fact",
    kind: "cluster",
    cluster: cluster.name,
    subject: cluster.name,
    data: clusterFact({ kubeSystemUid, apiServerCaSha256: api.caSha256, serverVersion }, seen),
    source: { collector: "kubernetes", locator: api.place === "live" ? `/api/v1/namespaces/${KUBE_SYSTEM}` : "manifests" },
  };
}

async function orGap<T>(gaps: Gap[], cluster: Cluster, subject: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CollectError) || error.unreachable) throw error;
    gaps.push({ type: "gap", kind: "cluster", cluster: cluster.name, subject, reason: error.message, remedy: error.remedy });
    return undefined;
  }
}

async function uidOf(api: KubernetesApi): Promise<string | undefined> {
  if (api.place === "manifests") return undefined;
  return textIn(fieldsIn(await api.get(namespaces, "", KUBE_SYSTEM), "metadata"), "uid", 64);
}

type Known = Pick<ClusterFact, "kubeSystemUid" | "apiServerCaSha256" | "serverVersion">;

/** Two independent signals that agree name the cloud; one alone, or two that differ, name none. */
function clusterFact(known: Known, seen: NodesSeen | undefined): ClusterFact {
  const version = versionSignal(known.serverVersion);
  const signals = [...(seen?.signals() ?? []), ...(version === undefined ? [] : [version])];
  const clouds = new Set(signals.map(({ cloud }) => cloud));
  const agree = clouds.size === 1 && new Set(signals.map(({ signal }) => signal)).size > 1;
  const fact = { ...known, cloud: agree ? signals[0]?.cloud : undefined, region: seen?.region(), flavour: clouds.size === 1 ? flavourOf(signals, seen) : undefined };
  return { ...defined(fact), signals };
}

/** Without the fields that are undefined: they would not survive the file. */
function defined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

const PROVIDERS: ReadonlyMap<string, string> = new Map([
  ["aws", "aws"],
  ["eks-hybrid", "aws"],
  ["gce", "gcp"],
  ["azure", "azure"],
]);

/** The cloud that a provider's id of a node names. */
export function providerOf(providerId: string): string | undefined {
  return PROVIDERS.get(providerId.split("://", 1)[0] ?? "");
}

const LABELS: readonly (readonly [prefix: string, cloud: string])[] = [
  ["eks.amazonaws.com/", "aws"],
  ["karpenter.k8s.aws/", "aws"],
  ["cloud.google.com/gke-", "gcp"],
  ["kubernetes.azure.com/", "azure"],
];

const VERSIONS: readonly (readonly [mark: string, cloud: string])[] = [
  ["-eks-", "aws"],
  ["-gke.", "gcp"],
  ["-akslts", "azure"],
];

function versionSignal(serverVersion: string | undefined): CloudSignal | undefined {
  const found = VERSIONS.find(([mark]) => serverVersion?.includes(mark));
  return found && { signal: "serverVersion", cloud: found[1], example: serverVersion ?? "" };
}

async function inspectNodes(api: KubernetesApi, io: Io): Promise<NodesSeen> {
  let seen = new NodesSeen();
  for await (const page of api.list(nodes)) {
    io.signal.throwIfAborted();
    if (page.restarted) seen = new NodesSeen();
    for (const node of page.items) seen.add(node);
  }
  return seen;
}

/** What is kept of all nodes: examples of signals, regions, counts. */
class NodesSeen {
  readonly #examples = new Map<string, CloudSignal>();
  readonly #regions = new Set<string | undefined>();
  nodes = 0;
  fargate = 0;
  auto = 0;
  autopilot = 0;

  add(node: KubeObject): void {
    const metadata = fieldsIn(node, "metadata");
    const labels = fieldsIn(metadata, "labels");
    const scheme = textIn(fieldsIn(node, "spec"), "providerID")?.split("://", 1)[0] ?? "";
    const provider = PROVIDERS.get(scheme);
    if (provider !== undefined) this.#note({ signal: "providerID", cloud: provider, example: `${scheme}://` });
    for (const key of Object.keys(labels)) {
      const cloud = LABELS.find(([prefix]) => key.startsWith(prefix))?.[1];
      if (cloud !== undefined) this.#note({ signal: "labels", cloud, example: key.slice(0, 128) });
    }
    this.#regions.add(textIn(labels, "topology.kubernetes.io/region", 128));
    this.nodes++;
    const compute = textIn(labels, "eks.amazonaws.com/compute-type");
    if (compute === "fargate") this.fargate++;
    if (compute === "auto") this.auto++;
    if (provider === "gcp" && textIn(metadata, "name")?.startsWith("gk3-")) this.autopilot++;
  }

  /** One for each kind of signal and cloud; the example that comes first, so that the order of nodes does not show. */
  #note(signal: CloudSignal): void {
    const key = `${signal.signal} ${signal.cloud}`;
    const before = this.#examples.get(key);
    if (before === undefined || signal.example < before.example) this.#examples.set(key, signal);
  }

  signals(): readonly CloudSignal[] {
    return [...this.#examples].toSorted(([a], [b]) => byText(a, b)).map(([, signal]) => signal);
  }

  /** Where all nodes are in one. */
  region(): string | undefined {
    return this.#regions.size === 1 ? [...this.#regions][0] : undefined;
  }
}

function flavourOf(signals: readonly CloudSignal[], seen: NodesSeen | undefined): string | undefined {
  const all = (some: number | undefined) => some !== undefined && some > 0 && some === seen?.nodes;
  switch (signals[0]?.cloud) {
    case "aws":
      if (all(seen?.fargate)) return "eks-fargate";
      if (all(seen?.auto)) return "eks-auto";
      return signals.some(({ signal, example }) => (signal === "labels" && example.startsWith("eks.")) || signal === "serverVersion" || example === "eks-hybrid://") ? "eks" : undefined;
    case "gcp":
      if (all(seen?.autopilot)) return "gke-autopilot";
      return signals.some(({ signal }) => signal !== "providerID") ? "gke" : undefined;
    case "azure":
      return signals.some(({ signal }) => signal !== "providerID") ? "aks" : undefined;
    default:
      return undefined;
  }
}
