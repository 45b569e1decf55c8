/** A state as Terraform writes it, of these resources. */
export function stateWith(resources: readonly object[], more: object = {}): Readonly<Record<string, unknown>> {
  return { version: 4, terraform_version: "1.11.4", serial: 1, lineage: "11111111-2222-4333-8444-555555555555", outputs: {}, resources, check_results: null, ...more };
}

interface Parts {
  readonly name?: string;
  readonly module?: string;
  readonly mode?: "managed" | "data";
  /** What an instance says besides its attributes: `index_key`, `status`, `deposed`, `private`. */
  readonly instance?: object;
}

/** A resource with one instance. */
export function resource(type: string, attributes: object, { name = "this", module, mode = "managed", instance = {} }: Parts = {}): object {
  return { ...(module === undefined ? {} : { module }), mode, type, name, provider: 'provider["registry.terraform.io/hashicorp/x"]', instances: [{ schema_version: 1, attributes, sensitive_attributes: [], ...instance }] };
}

const region = "eu-west-1";
const account = "111122223333";

/** An EKS cluster. */
export function eksCluster(name = "eks-prod", version = "1.33", more: object = {}): object {
  return { arn: `arn:aws:eks:${region}:${account}:cluster/${name}`, id: name, name, version, ...more };
}

/** A node group of an EKS cluster. */
export function eksPool(name: string, more: object = {}, cluster = "eks-prod", where = region): object {
  return { arn: `arn:aws:eks:${where}:${account}:nodegroup/${cluster}/${name}/1`, cluster_name: cluster, node_group_name: name, ami_type: "AL2023_x86_64_STANDARD", instance_types: ["m7i.xlarge"], version: "1.33", scaling_config: [{ desired_size: 2, max_size: 3, min_size: 1 }], taint: [], ...more };
}
