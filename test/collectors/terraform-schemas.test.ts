import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ALLOWED, FORMER, type Allowed } from "../../collectors/terraform/allowed.ts";
import { findAll } from "../parts/cache.ts";

/** What the typed forms of the providers call a resource. */
const CLASSES: Readonly<Record<string, string>> = {
  aws_eks_cluster: "EksCluster",
  aws_eks_node_group: "EksNodeGroup",
  aws_eks_addon: "EksAddon",
  aws_eks_fargate_profile: "EksFargateProfile",
  aws_autoscaling_group: "AutoscalingGroup",
  google_container_cluster: "ContainerCluster",
  google_container_node_pool: "ContainerNodePool",
  google_gke_hub_feature: "GkeHubFeature",
  google_gke_hub_feature_membership: "GkeHubFeatureMembership",
  google_gke_hub_membership: "GkeHubMembership",
  azurerm_kubernetes_cluster: "KubernetesCluster",
  azurerm_kubernetes_cluster_node_pool: "KubernetesClusterNodePool",
  helm_release: "Release",
  kubernetes_manifest: "Manifest",
};

/** Providers that are nobody's of the three clouds and have no such form; their attributes are in the words of Azure and of their own documentation. */
const UNTYPED: ReadonlySet<string> = new Set(["azapi_resource", "kubectl_manifest"]);

const pascal = (name: string) => name.split("_").map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join("");

/** Every attribute that is read, as class and name. */
function attributesOf(allowed: Allowed, type: string, className: string, path: readonly string[] = []): readonly { readonly at: string; readonly className: string; readonly name: string }[] {
  return Object.entries(allowed).flatMap(([name, wanted]) => {
    const at = [type, ...path, name].join(".");
    const own = { at, className: path.length === 0 ? className : `${className}${path.map(pascal).join("")}OutputReference`, name };
    // What is typed as any value at all has no blocks in the schema.
    const isBlock = typeof wanted === "object" && !("json" in wanted) && type !== "kubernetes_manifest";
    return [own, ...(isBlock ? attributesOf(wanted, type, className, [...path, name]) : [])];
  });
}

function schemas(file: string): ReadonlySet<string> {
  const known = new Set<string>();
  let className = "";
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line.startsWith("class ")) className = line.slice("class ".length);
    else known.add(`${className}.${line}`);
  }
  return known;
}

describe("attributes that are read of Terraform states", () => {
  it("are those of a type that is checked, or of one that is known not to be", () => {
    expect(Object.keys(ALLOWED).filter((type) => !Object.hasOwn(CLASSES, type) && !UNTYPED.has(type))).toEqual([]);
  });

  it("are called so by the providers, but for those that are known to be former names, or of a beta", async (context) => {
    const parts = await findAll(["provider-schemas"]);
    if ("missing" in parts) {
      const reason = `${String(parts.missing)}: run \`npm run parts\``;
      if (process.env["CI"] || process.env["CLOUD_ASSERT_REQUIRE_PARTS"]) throw new Error(reason);
      return context.skip(reason);
    }
    const known = schemas(parts["provider-schemas"]);
    const read = Object.entries(CLASSES).flatMap(([type, className]) => attributesOf(ALLOWED[type] ?? {}, type, className));
    const isFormer = (at: string) => [...FORMER].some((former) => at === former || at.startsWith(`${former}.`));
    const strangers = read.filter(({ at, className, name }) => !isFormer(at) && !known.has(`${className}.${name}`)).map(({ at }) => at);
    const current = read.filter(({ at, className, name }) => isFormer(at) && known.has(`${className}.${name}`)).map(({ at }) => at);
    expect({ strangers, current }).toEqual({ strangers: [], current: [] });
    expect(read.length).toBeGreaterThan(90);
  });
});
