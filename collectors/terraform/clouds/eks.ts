import { archOfEks } from "../machines.ts";
import { block, blocks, flag, number, text, texts, type Picked } from "../picked.ts";
import type { Resource } from "../state.ts";
import { at, defined, found, lacks, taintText, type Owner, type Thing, type Unread } from "../things.ts";

/** What the resources of EKS declare. */
export function eksThings(resource: Resource): readonly (Thing | Unread)[] {
  switch (resource.type) {
    case "aws_eks_cluster":
      return [clusterOf(resource)];
    case "aws_eks_node_group":
      return [poolOf(resource)];
    case "aws_eks_fargate_profile":
      return [profileOf(resource)];
    case "aws_autoscaling_group":
      return groupOf(resource);
    case "aws_eks_addon":
      return addonOf(resource);
    default:
      return [];
  }
}

interface Arn {
  readonly region: string;
  readonly account: string;
}

function arnOf(attributes: Picked): Arn | undefined {
  const [arn, , service, region, account] = text(attributes, "arn")?.split(":") ?? [];
  return arn === "arn" && service === "eks" && region !== undefined && account !== undefined ? { region, account } : undefined;
}

function clusterOf(resource: Resource): Thing | Unread {
  const { attributes, mode } = resource;
  const name = text(attributes, "name");
  const id = text(attributes, "arn");
  if (name === undefined || id === undefined) return lacks(resource, "cluster", name === undefined ? "name" : "arn");
  const { region, account } = arnOf(attributes) ?? {};
  return {
    of: "cluster",
    owner: { id, name },
    data: defined({
      what: "cluster",
      ...at(resource),
      id,
      name,
      cloud: "aws",
      flavour: flag(block(attributes, "compute_config"), "enabled") ? "eks-auto" : "eks",
      region: region ?? text(attributes, "region"),
      account,
      mode,
      version: text(attributes, "version"),
      hostsSha256: found(text(attributes, "endpoint")),
      caSha256: text(block(attributes, "certificate_authority"), "data"),
    }),
  };
}

function ownerOf(attributes: Picked): Owner | undefined {
  const name = text(attributes, "cluster_name");
  return name === undefined ? undefined : { name, ...arnOf(attributes) };
}

function poolOf(resource: Resource): Thing | Unread {
  const { attributes, mode } = resource;
  const owner = ownerOf(attributes);
  const name = text(attributes, "node_group_name");
  if (owner === undefined || name === undefined) return lacks(resource, "pool", name === undefined ? "node_group_name" : "cluster_name");
  const instanceTypes = texts(attributes, "instance_types") ?? [];
  const scaling = block(attributes, "scaling_config");
  const [min, max] = [number(scaling, "min_size"), number(scaling, "max_size")];
  return {
    of: "pool",
    owner,
    mode,
    data: defined({
      what: "pool",
      ...at(resource),
      name,
      arch: archOfEks(text(attributes, "ami_type"), instanceTypes),
      instanceTypes,
      version: text(attributes, "version"),
      taints: blocks(attributes, "taint").map((taint) => taintText(text(taint, "key") ?? "", text(taint, "value"), text(taint, "effect") ?? "")).toSorted(),
      size: min === undefined || max === undefined ? undefined : { min, max },
      origin: "declared",
    }),
  };
}

function profileOf(resource: Resource): Thing | Unread {
  const { attributes, mode } = resource;
  const owner = ownerOf(attributes);
  const name = text(attributes, "fargate_profile_name");
  if (owner === undefined || name === undefined) return lacks(resource, "pool", name === undefined ? "fargate_profile_name" : "cluster_name");
  return { of: "pool", owner, mode, data: { what: "pool", ...at(resource), name, instanceTypes: [], origin: "declared", unnamed: "fargate" } };
}

/** By which tag machines say in which cluster they are; the second is the older one. */
const MEMBER = /^(?:kubernetes\.io|k8s\.io)\/cluster\/(.+)$/;

/** Groups of machines that join a cluster by themselves; those of no cluster are none of ours. */
function groupOf(resource: Resource): readonly Thing[] {
  const { attributes, mode } = resource;
  const name = text(attributes, "name");
  const [, , , region, account] = text(attributes, "arn")?.split(":") ?? [];
  const clusters = new Set([...blocks(attributes, "tag"), ...blocks(attributes, "tags")].flatMap((tag) => MEMBER.exec(text(tag, "key") ?? "")?.[1] ?? []));
  if (name === undefined) return [];
  return [...clusters].map((cluster) => ({ of: "pool", owner: defined({ name: cluster, region, account }), mode, data: { what: "pool", ...at(resource), name, instanceTypes: [], origin: "declared", unnamed: "self-managed" } }));
}

/** Meshes that vendors sell as add-ons of EKS. */
const MESH = /istio/;

function addonOf(resource: Resource): readonly (Thing | Unread)[] {
  const { attributes } = resource;
  const owner = ownerOf(attributes);
  const name = text(attributes, "addon_name");
  if (owner === undefined || name === undefined) return [lacks(resource, "addon", name === undefined ? "addon_name" : "cluster_name")];
  const version = text(attributes, "addon_version");
  const addon: Thing = { of: "addon", owner, data: defined({ what: "addon", ...at(resource), name, version }) };
  if (!MESH.test(name)) return [addon];
  return [addon, { of: "mesh", owner, data: defined({ what: "mesh", ...at(resource), flavour: "vendor", version: version?.replace(/-eksbuild\.\d+$/, "") }) }];
}
