import { CollectError, type Cluster, type FactKind, type Gap, type Io, type KubeObject, type KubernetesApi, type Resource, type Source } from "#engine";

/** One listed object and where it was read. */
export interface Listed {
  readonly item: KubeObject;
  readonly source: Omit<Source, "collector">;
}

/** All objects of a resource; when the API server restarts a list, what came before is forgotten. */
export async function listAll(resource: Resource, api: KubernetesApi, io: Io): Promise<readonly Listed[]> {
  let found: Listed[] = [];
  for await (const page of api.list(resource)) {
    io.signal.throwIfAborted();
    if (page.restarted) found = [];
    for (const item of page.items) found.push({ item, source: page.source(item) });
    io.progress(`${found.length} ${resource.plural}`);
  }
  return found;
}

/** A folder that is no whole dump and holds no object of a resource does not show that there are none. */
export async function unseenGap(api: KubernetesApi, cluster: Cluster, kind: FactKind, ...resources: readonly Resource[]): Promise<Gap | undefined> {
  if (api.place === "live") return undefined;
  for (const resource of resources) {
    if (!(await api.unseen(resource))) continue;
    return {
      type: "gap",
      kind,
      cluster: cluster.name,
      subject: `${cluster.name}/${resource.plural}`,
      reason: `the manifests hold no ${resource.kind}, so they do not show whether there are any`,
      remedy: `add \`kubectl get ${resource.plural} -A -o yaml\` of the running cluster to the folder; write \`complete: true\` if the folder is the whole dump`,
    };
  }
  return undefined;
}

/** Where only some namespaces are listed, what runs in the others is not seen: nothing can be said to be absent. */
export function* elsewhereGap({ namespaces }: KubernetesApi, cluster: Cluster, kind: FactKind, what: string): Iterable<Gap> {
  if (namespaces === undefined) return;
  yield {
    type: "gap",
    kind,
    cluster: cluster.name,
    subject: `${cluster.name}/other namespaces`,
    reason: `only ${namespaces.map((name) => `\`${name}\``).join(", ")} ${namespaces.length === 1 ? "is" : "are"} listed, and ${what} elsewhere are not seen`,
    remedy: "leave `namespaces` out for an identity that may list in all namespaces: what makes nodes what they are runs in kube-system and its like",
  };
}

/** What `read` gives; where a permission is missing, what it could not see as a gap, so that the rest is still there. */
export async function orGap<T>(gaps: Gap[], cluster: Cluster, kind: FactKind, subject: string, otherwise: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CollectError) || error.unreachable) throw error;
    gaps.push({ type: "gap", kind, cluster: cluster.name, subject: `${cluster.name}/${subject}`, reason: error.message, remedy: error.remedy });
    return otherwise;
  }
}
