import type { DeclaredSize } from "#engine";
import { archOfAks } from "../machines.ts";
import { block, blocks, flag, number, text, texts, type Picked } from "../picked.ts";
import type { Resource } from "../state.ts";
import { at, defined, found, lacks, type Owner, type Thing, type Unread } from "../things.ts";

/** What the resources of AKS declare. */
export function aksThings(resource: Resource): readonly (Thing | Unread)[] {
  switch (resource.type) {
    case "azurerm_kubernetes_cluster":
      return clusterOf(resource);
    case "azurerm_kubernetes_cluster_node_pool":
      return [poolOf(resource)];
    case "azapi_resource":
      return throughTheApi(resource);
    default:
      return [];
  }
}

interface Said {
  readonly version: string | undefined;
  readonly channel: string | undefined;
  readonly nodeGroup: string | undefined;
  readonly pools: readonly { readonly attributes: Picked; readonly origin: "declared" | "seen" }[];
  readonly mesh: { readonly mode: string | undefined; readonly revisions: readonly string[] | undefined } | undefined;
}

function clusterOf(resource: Resource): readonly (Thing | Unread)[] {
  const { attributes } = resource;
  const mesh = blocks(attributes, "service_mesh_profile")[0];
  return things(resource, {
    // What is declared may be as short as `1.33`, and holds for every patch of it; what runs is told by the cluster itself.
    version: text(attributes, "kubernetes_version") ?? text(attributes, "current_kubernetes_version"),
    nodeGroup: text(attributes, "node_resource_group"),
    channel: text(attributes, "automatic_upgrade_channel") ?? text(attributes, "automatic_channel_upgrade"),
    pools: [
      ...blocks(attributes, "default_node_pool").map((pool) => ({ attributes: pool, origin: "declared" as const })),
      ...blocks(attributes, "agent_pool_profile").map((pool) => ({ attributes: pool, origin: "seen" as const })),
    ],
    mesh: mesh === undefined ? undefined : { mode: text(mesh, "mode"), revisions: texts(mesh, "revisions") },
  });
}

const MANAGED_CLUSTERS = "microsoft.containerservice/managedclusters@";

/** Some write the cluster in the words of Azure's own API. */
function throughTheApi(resource: Resource): readonly (Thing | Unread)[] {
  const { attributes } = resource;
  if (text(attributes, "type")?.toLowerCase().startsWith(MANAGED_CLUSTERS) !== true) return [];
  const properties = block(attributes, "body", "value", "properties");
  const mesh = blocks(properties, "serviceMeshProfile")[0];
  return things(resource, {
    version: text(properties, "kubernetesVersion"),
    nodeGroup: text(properties, "nodeResourceGroup"),
    channel: text(block(properties, "autoUpgradeProfile"), "upgradeChannel"),
    pools: blocks(properties, "agentPoolProfiles").map((pool) => ({ attributes: inTerraformsWords(pool), origin: "declared" as const })),
    mesh: mesh === undefined ? undefined : { mode: text(mesh, "mode"), revisions: texts(block(mesh, "istio"), "revisions") },
  });
}

function inTerraformsWords(pool: Picked): Picked {
  const words: Readonly<Record<string, string>> = { vmSize: "vm_size", count: "node_count", minCount: "min_count", maxCount: "max_count", enableAutoScaling: "auto_scaling_enabled", orchestratorVersion: "orchestrator_version", nodeTaints: "node_taints" };
  return Object.fromEntries(Object.entries(pool).map(([name, value]) => [words[name] ?? name, value]));
}

function things(resource: Resource, { version, channel, nodeGroup, pools, mesh }: Said): readonly (Thing | Unread)[] {
  const { attributes, mode } = resource;
  const name = text(attributes, "name");
  const id = text(attributes, "id");
  if (name === undefined || id === undefined) return [lacks(resource, "cluster", name === undefined ? "name" : "id")];
  const owner: Owner = { id, name };
  return [
    {
      of: "cluster",
      owner,
      data: defined({
        what: "cluster",
        ...at(resource),
        id,
        name,
        cloud: "azure",
        flavour: "aks",
        region: text(attributes, "location")?.toLowerCase().replaceAll(" ", ""),
        account: /^\/subscriptions\/([^/]+)\//i.exec(id)?.[1]?.toLowerCase(),
        mode,
        version,
        channel: channel?.toLowerCase(),
        hostsSha256: found(text(attributes, "fqdn"), text(attributes, "private_fqdn")),
        nodeGroup: nodeGroup?.toLowerCase(),
      }),
    },
    ...pools.flatMap((pool): readonly Thing[] => (text(pool.attributes, "name") === undefined ? [] : [{ of: "pool", owner, mode, data: { ...poolData(resource, pool.attributes), origin: pool.origin } }])),
    ...(mesh?.mode?.toLowerCase() === "istio" ? [{ of: "mesh" as const, owner, data: defined({ what: "mesh" as const, ...at(resource), flavour: "aks-addon" as const, revisions: mesh.revisions?.toSorted() }) }] : []),
  ];
}

function poolOf(resource: Resource): Thing | Unread {
  const { attributes, mode } = resource;
  const id = text(attributes, "kubernetes_cluster_id");
  if (text(attributes, "name") === undefined || id === undefined) return lacks(resource, "pool", id === undefined ? "kubernetes_cluster_id" : "name");
  return { of: "pool", owner: { id }, mode, data: { ...poolData(resource, attributes), origin: "declared" } };
}

const CRITICAL_ONLY = "CriticalAddonsOnly=true:NoSchedule";

function poolData(resource: Resource, pool: Picked) {
  const size = text(pool, "vm_size");
  return defined({
    what: "pool" as const,
    ...at(resource),
    name: text(pool, "name") ?? "",
    arch: archOfAks(size),
    instanceTypes: size === undefined ? [] : [size],
    version: text(pool, "orchestrator_version"),
    taints: [...new Set([...(texts(pool, "node_taints") ?? []), ...(flag(pool, "only_critical_addons_enabled") ? [CRITICAL_ONLY] : [])])].toSorted(),
    size: sizeOf(pool),
  });
}

function sizeOf(pool: Picked): DeclaredSize | undefined {
  const scaled = flag(pool, "auto_scaling_enabled") || flag(pool, "enable_auto_scaling");
  const [min, max, count] = [number(pool, "min_count"), number(pool, "max_count"), number(pool, "node_count") ?? number(pool, "count")];
  if (scaled) return min === undefined || max === undefined ? undefined : { min, max };
  return count === undefined ? undefined : { min: count, max: count };
}
