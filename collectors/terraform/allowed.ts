/**
 * Which attributes are read, by type of resource. Whatever is not named here never leaves the reader: a state holds secrets in clear,
 * marked and unmarked, and nobody can list where.
 */
export interface Allowed {
  readonly [attribute: string]: Leaf | Allowed;
}

/**
 * One text; a list of texts; a whole number; a yes or no; a text that holds JSON, of which only this is read. Of a host (or a URL, of which only
 * the host counts) and of a certificate in base64 only the digest is taken: enough to compare.
 */
export type Leaf = "text" | "texts" | "number" | "flag" | "host" | "certificate" | InnerJson;

export interface InnerJson {
  readonly json: Allowed;
}

const awsTaint: Allowed = { key: "text", value: "text", effect: "text" };
const gkeTaint = awsTaint;

const gkePool: Allowed = {
  name: "text",
  version: "text",
  node_count: "number",
  node_locations: "texts",
  autoscaling: { min_node_count: "number", max_node_count: "number", total_min_node_count: "number", total_max_node_count: "number" },
  node_config: { machine_type: "text", image_type: "text", guest_accelerator: { type: "text" }, sandbox_config: { sandbox_type: "text" }, taint: gkeTaint, effective_taints: gkeTaint },
};

const aksPool: Allowed = {
  name: "text",
  vm_size: "text",
  node_count: "number",
  min_count: "number",
  max_count: "number",
  auto_scaling_enabled: "flag",
  enable_auto_scaling: "flag",
  orchestrator_version: "text",
  node_taints: "texts",
  only_critical_addons_enabled: "flag",
};

const meshObject: Allowed = {
  apiVersion: "text",
  kind: "text",
  metadata: { name: "text", namespace: "text" },
  spec: { version: "text", revision: "text", channel: "text", tag: "text" },
};

/** Of a chart's values only these. */
const istiodValues: Allowed = { revision: "text", profile: "text", global: { tag: "text" }, pilot: { tag: "text" }, istiodRemote: { enabled: "flag" } };

/** Attributes that newer majors of a provider no longer have, in states that they have not touched; and those that only the beta form of Google's has. */
export const FORMER: ReadonlySet<string> = new Set([
  "aws_autoscaling_group.tags",
  "azurerm_kubernetes_cluster.automatic_channel_upgrade",
  "azurerm_kubernetes_cluster.default_node_pool.enable_auto_scaling",
  "azurerm_kubernetes_cluster.default_node_pool.node_taints",
  "azurerm_kubernetes_cluster.agent_pool_profile",
  "azurerm_kubernetes_cluster_node_pool.enable_auto_scaling",
  "azurerm_kubernetes_cluster_node_pool.only_critical_addons_enabled",
  "google_container_cluster.node_pool.node_config.sandbox_config",
  "google_container_cluster.region",
  "google_container_cluster.zone",
  "google_container_node_pool.node_config.sandbox_config",
  "google_container_node_pool.region",
  "google_container_node_pool.zone",
]);

export const ALLOWED: Readonly<Record<string, Allowed>> = {
  aws_eks_cluster: { arn: "text", name: "text", region: "text", version: "text", endpoint: "host", certificate_authority: { data: "certificate" }, compute_config: { enabled: "flag" } },
  aws_eks_node_group: {
    arn: "text",
    cluster_name: "text",
    node_group_name: "text",
    ami_type: "text",
    instance_types: "texts",
    version: "text",
    scaling_config: { min_size: "number", max_size: "number", desired_size: "number" },
    taint: awsTaint,
  },
  aws_eks_fargate_profile: { arn: "text", cluster_name: "text", fargate_profile_name: "text" },
  aws_autoscaling_group: { arn: "text", name: "text", tag: { key: "text" }, tags: { key: "text" } },
  aws_eks_addon: { arn: "text", cluster_name: "text", addon_name: "text", addon_version: "text" },

  google_container_cluster: {
    id: "text",
    name: "text",
    project: "text",
    location: "text",
    region: "text",
    zone: "text",
    node_locations: "texts",
    master_version: "text",
    release_channel: { channel: "text" },
    enable_autopilot: "flag",
    endpoint: "host",
    private_cluster_config: { private_endpoint: "host", public_endpoint: "host" },
    control_plane_endpoints_config: { dns_endpoint_config: { endpoint: "host" } },
    master_auth: { cluster_ca_certificate: "certificate" },
    fleet: { project: "text", membership: "text", membership_location: "text" },
    node_pool: gkePool,
  },
  google_container_node_pool: { ...gkePool, cluster: "text", project: "text", location: "text", region: "text", zone: "text" },
  google_gke_hub_feature: { name: "text", project: "text", fleet_default_member_config: { mesh: { management: "text" } } },
  google_gke_hub_feature_membership: { feature: "text", project: "text", membership: "text", membership_location: "text", mesh: { management: "text", control_plane: "text" } },
  google_gke_hub_membership: { membership_id: "text", project: "text", location: "text", endpoint: { gke_cluster: { resource_link: "text" } } },

  azurerm_kubernetes_cluster: {
    id: "text",
    name: "text",
    location: "text",
    kubernetes_version: "text",
    current_kubernetes_version: "text",
    fqdn: "host",
    private_fqdn: "host",
    node_resource_group: "text",
    automatic_upgrade_channel: "text",
    automatic_channel_upgrade: "text",
    default_node_pool: aksPool,
    agent_pool_profile: { name: "text", vm_size: "text", count: "number", orchestrator_version: "text" },
    service_mesh_profile: { mode: "text", revisions: "texts" },
  },
  azurerm_kubernetes_cluster_node_pool: { ...aksPool, id: "text", kubernetes_cluster_id: "text" },
  azapi_resource: {
    id: "text",
    type: "text",
    name: "text",
    location: "text",
    body: {
      value: {
        properties: {
          kubernetesVersion: "text",
          nodeResourceGroup: "text",
          autoUpgradeProfile: { upgradeChannel: "text" },
          serviceMeshProfile: { mode: "text", istio: { revisions: "texts" } },
          agentPoolProfiles: { name: "text", vmSize: "text", count: "number", minCount: "number", maxCount: "number", enableAutoScaling: "flag", orchestratorVersion: "text", nodeTaints: "texts" },
        },
      },
    },
  },

  helm_release: {
    name: "text",
    namespace: "text",
    chart: "text",
    repository: "text",
    version: "text",
    metadata: { app_version: "text", values: { json: { ...istiodValues, istiod: istiodValues } } },
  },
  kubernetes_manifest: { manifest: { value: meshObject } },
  kubectl_manifest: { api_version: "text", kind: "text", name: "text", namespace: "text" },
};
