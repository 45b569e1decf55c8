import path from "node:path";
import { CollectError } from "#engine";
import { fieldsOf, type Fields } from "./fields.ts";
import { DEFAULT_WORKSPACE, type AzurermSettings, type StatePlace } from "./place.ts";

/** A backend as configuration names it; settings are literals, or expressions as text. */
export interface Backend {
  readonly type: string;
  readonly settings: Fields;
  /** As the user knows it. */
  readonly file: string;
  /** The line of an argument, or of the whole. */
  lineOf(argument?: string): number;
}

/** Where a backend is used. */
interface Where {
  readonly dir: string;
  readonly shown: string;
  readonly workspace: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The place that a backend names. Settings that say where the state is are taken, credentials among them never are.
 * Throws CollectError for a setting that is missing or no plain value, and for backends that only their own program can read.
 */
export function placeOf(backend: Backend, where: Where): StatePlace {
  const { workspace, env } = where;
  const read = new Settings(backend);
  switch (backend.type) {
    case "local":
      return localPlace(read, where);
    case "s3": {
      const endpoints = read.within("endpoints");
      const role = read.text("role_arn") ?? read.within("assume_role").text("role_arn");
      return {
        form: "s3",
        workspace,
        settings: {
          bucket: read.needed("bucket"),
          key: read.needed("key"),
          region: read.text("region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"],
          workspace_key_prefix: read.text("workspace_key_prefix"),
          profile: read.text("profile"),
          role_arn: role,
          endpoint: endpoints.text("s3") ?? read.text("endpoint") ?? env["AWS_ENDPOINT_URL_S3"],
          use_path_style: read.flag("use_path_style") ?? read.flag("force_path_style"),
          dynamodb_table: read.text("dynamodb_table"),
          dynamodb_endpoint: endpoints.text("dynamodb") ?? read.text("dynamodb_endpoint") ?? env["AWS_ENDPOINT_URL_DYNAMODB"],
        },
      };
    }
    case "gcs":
      return { form: "gcs", workspace, settings: { bucket: read.needed("bucket"), prefix: read.text("prefix"), storage_custom_endpoint: read.text("storage_custom_endpoint") ?? env["GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT"] } };
    case "azurerm":
      return {
        form: "azurerm",
        workspace,
        settings: {
          storage_account_name: read.shaped("storage_account_name", read.needed("storage_account_name"), ACCOUNT),
          container_name: read.needed("container_name"),
          key: read.needed("key"),
          environment: azureCloud(read.text("environment") ?? env["ARM_ENVIRONMENT"], read),
        },
      };
    case "http":
      return { form: "http", workspace, settings: { address: read.text("address") ?? env["TF_HTTP_ADDRESS"] ?? read.needed("address") } };
    case "kubernetes":
      return kubernetesPlace(read, where);
    case "remote":
    case "cloud":
      return hcpPlace(read, where);
    default:
      throw new CollectError(`${read.at()} names the backend \`${backend.type.slice(0, 60)}\`, which only Terraform itself can read`, { remedy: `use \`command: [terraform, -chdir=${where.shown}, state, pull]\`` });
  }
}

/** Paths start at the folder in which Terraform runs. Source: Terraform's internal/backend/local. */
function localPlace(read: Settings, { dir, shown, workspace }: Where): StatePlace {
  const below = workspace === DEFAULT_WORKSPACE ? (read.text("path") ?? "terraform.tfstate") : path.join(read.text("workspace_dir") ?? "terraform.tfstate.d", workspace, "terraform.tfstate");
  return { form: "state", file: path.resolve(dir, below), shown: path.isAbsolute(below) ? below : path.join(shown, below) };
}

function azureCloud(name: string | undefined, read: Settings): AzurermSettings["environment"] {
  if (name === undefined || name === "public" || name === "usgovernment" || name === "china") return name;
  throw new CollectError(`${read.at("environment")} names an Azure cloud that is not known`, { remedy: "name the state as `azurerm`, with its `endpoint`" });
}

function kubernetesPlace(read: Settings, { dir, workspace, env }: Where): StatePlace {
  const kubeconfig = read.text("config_path") ?? env["KUBE_CONFIG_PATH"];
  const context = read.text("config_context") ?? env["KUBE_CTX"];
  const inside = read.flag("in_cluster_config") ?? env["KUBE_IN_CLUSTER_CONFIG"] === "true";
  if (read.text("host") !== undefined || (kubeconfig === undefined && !inside)) {
    throw new CollectError(`${read.at()} does not say with which kubeconfig the Secret is read`, { remedy: "name the state as `kubernetes` in the fleet file; without `config_path` it is read from the cluster itself" });
  }
  return {
    form: "kubernetes",
    workspace,
    settings: {
      secret_suffix: read.needed("secret_suffix"),
      namespace: read.text("namespace") ?? env["KUBE_NAMESPACE"],
      ...(inside ? { in_cluster_config: true } : { config_path: kubeconfig?.startsWith("~/") === true ? kubeconfig : path.resolve(dir, kubeconfig ?? ""), config_context: context }),
    },
  };
}

function hcpPlace(read: Settings, { workspace, env }: Where): StatePlace {
  const workspaces = read.within("workspaces");
  const named = workspaces.text("name");
  const prefix = workspaces.text("prefix");
  const selected = workspace === DEFAULT_WORKSPACE ? undefined : workspace;
  const name = named ?? (selected === undefined ? undefined : `${prefix ?? ""}${selected}`);
  if (name === undefined) throw new CollectError(`${read.at("workspaces")} does not say which workspace of HCP Terraform is meant`, { remedy: "name it in the fleet file as `workspace`" });
  return {
    form: "hcp",
    settings: { organization: read.text("organization") ?? env["TF_CLOUD_ORGANIZATION"] ?? read.needed("organization"), workspace: name, hostname: read.shaped("hostname", read.text("hostname") ?? env["TF_CLOUD_HOSTNAME"], HOST) },
  };
}

/** The arguments of one block. */
class Settings {
  readonly #backend: Backend;
  readonly #fields: Fields;

  constructor(backend: Backend, fields: Fields = backend.settings) {
    this.#backend = backend;
    this.#fields = fields;
  }

  /** A nested block or map; an empty one where there is none. */
  within(name: string): Settings {
    const value = this.#fields[name];
    return new Settings(this.#backend, fieldsOf(Array.isArray(value) ? value[0] : value));
  }

  /** A plain text. Throws where it is an expression. */
  text(name: string): string | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value === "string" && !isExpression(value)) return value.replaceAll("$${", "${").replaceAll("%%{", "%{");
    if (typeof value === "number") return String(value);
    throw new CollectError(`${this.at(name)} sets \`${name}\` of its backend to what is no plain text`, {
      remedy: "write the value itself, give it in a file of `backendConfig`, or name the state in place of the folder",
    });
  }

  flag(name: string): boolean | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return value;
    return this.text(name) === "true";
  }

  needed(name: string): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    throw new CollectError(`${this.at()} leaves \`${name}\` of its backend \`${this.#backend.type}\` open`, {
      remedy: "name the file that sets it (`terraform init -backend-config=FILE`) as `backendConfig` in the fleet file",
    });
  }

  /** What becomes part of a host must be nothing else: credentials go there. */
  shaped<T extends string | undefined>(name: string, value: T, shape: RegExp): T {
    if (value === undefined || shape.test(value)) return value;
    throw new CollectError(`${this.at(name)} sets \`${name}\` of its backend to what can be none`, { remedy: "correct it" });
  }

  at(name?: string): string {
    return `${this.#backend.file}:${this.#backend.lineOf(name)}`;
  }
}

const ACCOUNT = /^[a-z0-9]{3,24}$/;
const HOST = /^[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?(?::[0-9]{1,5})?$/;

/** `${` and `%{`, unless doubled. */
function isExpression(text: string): boolean {
  return /(?<!\$)\$\{|(?<!%)%\{/.test(text);
}
