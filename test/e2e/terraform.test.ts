import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { load } from "js-yaml";
import { expect } from "vitest";
import { apply, type Manifest } from "../parts/api.ts";
import { asAdmin, writeKubeconfig } from "../parts/cluster.ts";
import { untilMay } from "../parts/seed.ts";
import { applied, CANARY, terraformMissing, type Configuration } from "../parts/terraform.ts";
import { resource } from "../support/states.ts";
import { asReader, desk, faultsOf, fleet } from "./assert.ts";
import { onClusters, without } from "./ground.ts";

/** Adds resources to the state and has Terraform itself write it to where the configuration keeps it. */
async function push({ folder, terraform }: Configuration, resources: readonly object[]): Promise<void> {
  const state = JSON.parse(await terraform("state", "pull")) as { serial: number; resources: readonly { readonly type: string }[] };
  const kept = state.resources.filter(({ type }) => type === "terraform_data");
  const file = path.join(folder, "next.json");
  await writeFile(file, JSON.stringify({ ...state, serial: state.serial + 1, resources: [...kept, ...resources] }));
  await terraform("state", "push", file);
}

const secrets = { kube_config_raw: CANARY, master_auth: [{ client_key: CANARY }] };
const arn = "arn:aws:eks:eu-central-1:111122223333:cluster/eks";
const eks = (version: string) => [
  resource("aws_eks_cluster", { ...secrets, arn, id: "eks", name: "eks", version }, { module: "module.eks", instance: { index_key: 0 } }),
  resource("aws_eks_node_group", { cluster_name: "eks", node_group_name: "mesh", ami_type: "AL2023_x86_64_STANDARD", instance_types: ["m7i.large"], version, scaling_config: [{ min_size: 1, max_size: 6 }] }, { module: 'module.eks.module.pools["mesh"]' }),
];
const gke = (version: string) => [
  resource("google_container_cluster", { ...secrets, id: "projects/mesh-project/locations/europe-west3/clusters/gke", name: "gke", project: "mesh-project", location: "europe-west3", master_version: version, release_channel: [{ channel: "REGULAR" }], node_pool: [] }),
  resource("google_container_node_pool", { name: "pool-1", cluster: "gke", location: "europe-west3", project: "mesh-project", version, node_config: [{ machine_type: "n2-standard-4" }], node_count: 6, node_locations: ["europe-west3-a"] }),
];
const aksId = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/mesh/providers/Microsoft.ContainerService/managedClusters/aks";
const aks = (version: string) => [resource("azurerm_kubernetes_cluster", { ...secrets, id: aksId, name: "aks", location: "germanywestcentral", kubernetes_version: version, default_node_pool: [{ name: "pool1", vm_size: "Standard_D4s_v5", orchestrator_version: version, node_count: 6 }] })];

const assertion = (name: string, spec: object) => `${JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "TerraformAgrees", metadata: { name }, spec })}\n`;
const VERSIONS = assertion("versions", { compare: ["declared-live"], fields: ["controlPlane.version", "pools[*].version"] });
const NODES = assertion("nodes", { compare: ["declared-live"], fields: ["pools[*].arch", "pools[*].nodes"] });
const CLOUDS = assertion("clouds", { compare: ["across-clusters"], maxMinorSkew: 1 });

/** The Role that the page about states tells to make, with the name of this state. */
async function documentedRole(): Promise<Manifest> {
  const page = await readFile(path.join(import.meta.dirname, "../../docs/terraform-states.md"), "utf8");
  const [, yaml = ""] = /```yaml\n(apiVersion: rbac[\s\S]*?)```/.exec(page) ?? [];
  const text = yaml.replaceAll("tfstate-default-state", "tfstate-default-judged").replace("namespace: terraform", "namespace: default");
  return load(text) as Manifest;
}

onClusters("states that Terraform wrote, read from a Secret, a command and a file, are judged against what three API servers tell", async ({ clusters }, context) => {
  const missing = await terraformMissing();
  if (missing !== undefined) return without(missing, context);
  const admin = await applied("");
  const kubeconfig = await writeKubeconfig(admin.folder, [{ name: "admin", cluster: clusters.eks, login: { identity: "admin" } }]);
  const inSecret = await applied(`  backend "kubernetes" {\n    secret_suffix = "judged"\n    namespace = "default"\n    config_path = ${JSON.stringify(kubeconfig)}\n  }`);
  const byCommand = await applied("");
  const inFile = await applied("");
  await push(inSecret, eks("1.34"));
  await push(byCommand, gke("1.35.1-gke.1190000"));
  await push(inFile, aks("1.33.9"));

  const role = await documentedRole();
  const grant = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name: "states", namespace: "default" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "terraform-state-reader" }, subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "assert-reader" }] };
  const here = await desk({
    contexts: asReader(clusters.eks, clusters.gke, clusters.aks),
    env: { TF_CLI_CONFIG_FILE: "/dev/null" },
    files: {
      "tf.yaml": [VERSIONS, NODES, CLOUDS].join("---\n"),
      "assert.yaml": fleet(
        { name: "eks", cloud: "aws", kubernetes: { context: "eks" }, terraform: { kubernetes: { secret_suffix: "judged" } } },
        { name: "gke", cloud: "gcp", kubernetes: { context: "gke" }, terraform: { command: ["terraform", `-chdir=${byCommand.folder}`, "state", "pull"] } },
        { name: "aks", cloud: "azure", kubernetes: { context: "aks" }, terraform: { state: path.join(inFile.folder, "terraform.tfstate") } },
      ),
    },
  });

  const refused = (await here.run("tf.yaml")).result("versions");
  expect(refused).toMatchObject({ verdict: "undecided", gaps: [{ cluster: "eks", reason: expect.stringMatching(/may not get `secrets`/) as string }] });

  await asAdmin(clusters.eks, (api) => apply(api, [role, grant]));
  await untilMay(clusters.eks, "reader", { verb: "get", resource: "secrets", namespace: "default", name: "tfstate-default-judged" });
  const first = await here.run("tf.yaml", "--only", "versions", "--only", "nodes", "--only", "clouds");
  expect(first.result("versions")).toMatchObject({ verdict: "holds", gaps: [] });
  // The pools of these clusters have four nodes of one architecture and two of another.
  expect(faultsOf(first.result("nodes")).map(({ subject, message }) => `${subject}: ${message}`)).toEqual(
    [["aks", "pool1"], ["eks", "mesh"], ["gke", "pool-1"]].map(([cluster = "", pool = ""]) => `${cluster}/pool ${pool}/arch: 2 nodes of the pool \`${pool}\` in \`${cluster}\` have arch \`arm64\`, and Terraform declares \`amd64\``),
  );
  // 1.33, 1.34 and 1.35, of control planes and of pools, and no pool has the name of another one.
  expect(faultsOf(first.result("clouds")).map(({ subject }) => subject)).toEqual(["aks/controlPlane.version", "aks/pools without a partner/version"]);

  // The clouds moved on behind Terraform's back, or Terraform was written for what is not there yet.
  await push(inSecret, eks("1.33"));
  await push(byCommand, gke("1.35.1-gke.1000000"));
  await push(inFile, aks("1.34.0"));
  const moved = await here.run("tf.yaml", "--only", "versions");
  expect(faultsOf(moved.result()).map(({ subject, message }) => `${subject} ${/what runs is (\w+)/.exec(message)?.[1] ?? "?"}`)).toEqual([
    "aks/controlPlane.version older",
    "aks/pool pool1/version older",
    "eks/controlPlane.version newer",
    "eks/pool mesh/version newer",
    "gke/controlPlane.version newer",
    "gke/pool pool-1/version newer",
  ]);

  // Nothing that is secret in these states is in anything that was told or saved.
  expect((await here.assert("collect", "tf.yaml", "--out", "saved")).code).toBe(0);
  const saved = await Promise.all((await readdir(path.join(here.folder, "saved"))).map((file) => here.read(`saved/${file}`)));
  expect(saved).toHaveLength(3);
  for (const text of [...saved, first.stdout, first.stderr, moved.stdout, moved.stderr]) expect(text).not.toContain(CANARY);
  const again = await here.run("tf.yaml", "--only", "versions", "--snapshots", "saved");
  expect(again.result().findings).toEqual(moved.result().findings);
});
