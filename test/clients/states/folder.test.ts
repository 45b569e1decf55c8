import { readdirSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { placeIn } from "../../../clients/states/folder.ts";
import { defaultStateLimits, type FolderPlace } from "../../../clients/states/place.ts";
import { CANARY, folderOf, read, STATE, surroundings, textOf, told } from "./support.ts";

type Files = Readonly<Record<string, string>>;
interface Change {
  readonly workspace?: string;
  readonly backendConfig?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly within?: true;
}

async function found(files: Files, { workspace, backendConfig = [], env = {}, within }: Change = {}): Promise<unknown> {
  await using folder = await folderOf(files);
  const place: FolderPlace = { form: "dir", dir: folder.path, shown: "infra", workspace, backendConfig: backendConfig.map((name) => ({ file: join(folder.path, name), shown: name })) };
  const reading = { ...surroundings({ env, ...(within ? { within: folder.path } : {}) }), limits: defaultStateLimits };
  const answer: unknown = JSON.parse(JSON.stringify(await placeIn(place, reading)));
  return JSON.parse(JSON.stringify(answer).replaceAll(folder.path, "DIR"));
}

const backend = (type: string, ...settings: readonly string[]) => `terraform {\n  required_version = ">= 1.5"\n  backend "${type}" {\n${settings.map((line) => `    ${line}\n`).join("")}  }\n}\n`;
const S3 = ['bucket = "states"', 'key    = "eks/terraform.tfstate"', 'region = "eu-west-1"'] as const;

describe("the backend of a folder", () => {
  const rows: readonly (readonly [claim: string, files: Files, expected: object, change?: Change])[] = [
    ["none: a file in the folder", { "main.tf": 'resource "terraform_data" "x" {}\n' }, { form: "state", file: "DIR/terraform.tfstate", shown: "infra/terraform.tfstate" }],
    ["local, with a path and a folder of workspaces", { "main.tf": backend("local", 'path = "../s/x.tfstate"', 'workspace_dir = "w"'), ".terraform/environment": "prod\n" }, { form: "state", file: "DIR/w/prod/terraform.tfstate", shown: "infra/w/prod/terraform.tfstate" }],
    ["s3, whatever else is set there", { "a.tf": "locals { x = 1 }\n", "b.tf": backend("s3", ...S3, "encrypt = true", `secret_key = "${CANARY}"`, 'dynamodb_table = "locks"', "assume_role = { role_arn = \"arn:r\" }", 'endpoints = { s3 = "http://m" }') }, { form: "s3", workspace: "default", settings: { bucket: "states", key: "eks/terraform.tfstate", region: "eu-west-1", dynamodb_table: "locks", role_arn: "arn:r", endpoint: "http://m" } }],
    ["gcs, in JSON, and a workspace of the fleet over the selected one", { "main.tf.json": JSON.stringify({ terraform: { backend: { gcs: { bucket: "b", prefix: "p" } } } }), ".terraform/environment": "dev" }, { form: "gcs", workspace: "prod", settings: { bucket: "b", prefix: "p" } }, { workspace: "prod" }],
    ["azurerm, with its cloud from the environment", { "main.tf": backend("azurerm", 'storage_account_name = "acc"', 'container_name = "c"', 'key = "k"') }, { form: "azurerm", workspace: "default", settings: { storage_account_name: "acc", container_name: "c", key: "k", environment: "china" } }, { env: { ARM_ENVIRONMENT: "china" } }],
    ["http", { "main.tf": backend("http", 'address = "https://s.example/eks"') }, { form: "http", workspace: "default", settings: { address: "https://s.example/eks" } }],
    ["kubernetes, its kubeconfig from the folder", { "main.tf": backend("kubernetes", 'secret_suffix = "state"', 'config_path = "kube"') }, { form: "kubernetes", workspace: "default", settings: { secret_suffix: "state", config_path: "DIR/kube" } }],
    ["cloud", { "main.tf": 'terraform {\n  cloud {\n    organization = "o"\n    workspaces {\n      name = "w"\n    }\n  }\n}\n' }, { form: "hcp", settings: { organization: "o", workspace: "w" } }],
    ["remote, with a prefix before the workspace", { "main.tf": backend("remote", 'organization = "o"', 'hostname = "tfe.example"', "workspaces {", '  prefix = "eks-"', "}") }, { form: "hcp", settings: { organization: "o", workspace: "eks-prod", hostname: "tfe.example" } }, { workspace: "prod" }],
    ["partial, with the files of `backendConfig` over it", { "main.tf": backend("s3", 'key = "k"'), "a.tfbackend": 'bucket = "a"\nkey = "other"\n', "b.json": '{"bucket": "b"}' }, { form: "s3", workspace: "default", settings: { bucket: "b", key: "other" } }, { backendConfig: ["a.tfbackend", "b.json"] }],
    ["partial, as the folder was initialised", { "main.tf": backend("s3"), ".terraform/terraform.tfstate": JSON.stringify({ version: 3, backend: { type: "s3", config: { bucket: "b", key: "k", region: null, access_key: CANARY }, hash: 1 } }) }, { form: "s3", workspace: "default", settings: { bucket: "b", key: "k" } }],
    ["an override, whole", { "main.tf": backend("s3", ...S3), "z_override.tf": backend("local") }, { form: "state", file: "DIR/terraform.tfstate", shown: "infra/terraform.tfstate" }],
    ["of OpenTofu alone", { "main.tofu": backend("gcs", 'bucket = "b"') }, { form: "gcs", workspace: "default", settings: { bucket: "b" } }],
    ["a dollar that is none", { "main.tf": backend("http", 'address = "https://s/$${x}"') }, { form: "http", workspace: "default", settings: { address: "https://s/${x}" } }],
    ["with a byte order mark and Windows line ends", { "main.tf": `\u{feff}${backend("gcs", 'bucket = "b"').replaceAll("\n", "\r\n")}` }, { form: "gcs", workspace: "default", settings: { bucket: "b" } }],
    ["what editors leave behind is not read", { "main.tf": backend("gcs", 'bucket = "b"'), ".#main.tf": "{", "main.tf~": backend("local") }, { form: "gcs", workspace: "default", settings: { bucket: "b" } }],
  ];
  for (const [claim, files, expected, change] of rows) {
    it(claim, async () => {
      expect(await found(files, change)).toEqual(expected);
    });
  }
});

describe("what is not plain is said, with its place, and never guessed", () => {
  const rows: readonly (readonly [claim: string, files: Files, expected: string | RegExp, change?: Change])[] = [
    ["a syntax error", { "main.tf": 'terraform {\n  backend "s3" {\n    bucket = \n  }\n}\n' }, /^infra\/main\.tf:3:\d+ is not valid HCL \(invalid expression\) \|/],
    ["a block without an end", { "main.tf": 'terraform {\n  backend "s3" {\n' }, /^infra\/main\.tf:2:\d+ is not valid HCL/],
    ["a variable", { "main.tf": backend("s3", 'bucket = "states"', "key = var.key") }, "infra/main.tf:5 sets `key` of its backend to what is no plain text | write the value itself, give it in a file of `backendConfig`, or name the state in place of the folder"],
    ["a text with an expression in it", { "main.tf": backend("gcs", 'bucket = "b-${local.env}"') }, /^infra\/main\.tf:4 sets `bucket` of its backend to what is no plain text/],
    ["an argument that is left open", { "main.tf": backend("s3", 'bucket = "b"') }, "infra/main.tf:3 leaves `key` of its backend `s3` open | name the file that sets it (`terraform init -backend-config=FILE`) as `backendConfig` in the fleet file"],
    ["two backends", { "a.tf": backend("s3", ...S3), "b.tf": backend("gcs", 'bucket = "b"') }, /^`infra` names two backends: at infra\/a\.tf:3 and at infra\/b\.tf:3/],
    ["two readings of Terraform and OpenTofu", { "a.tf": backend("s3", ...S3), "a.tofu": backend("gcs", 'bucket = "b"') }, /^OpenTofu and Terraform would find different backends/],
    ["a backend of which only its program knows", { "main.tf": backend("pg", `conn_str = "postgres://u:${CANARY}@h"`) }, "infra/main.tf:3 names the backend `pg`, which only Terraform itself can read | use `command: [terraform, -chdir=infra, state, pull]`"],
    ["an encrypted state", { "main.tofu": `terraform {\n  encryption {\n    key_provider "pbkdf2" "k" {\n      passphrase = "${CANARY}"\n    }\n  }\n}\n` }, /^infra\/main\.tofu:2 encrypts its state/],
    ["a folder that was initialised otherwise", { "main.tf": backend("s3", ...S3), ".terraform/terraform.tfstate": JSON.stringify({ backend: { type: "s3", config: { bucket: "older", key: "k" } } }) }, /^`infra` was initialised with another backend \(`s3`\) than its files name now \(`s3`, with other settings\) \| run `terraform init` there/],
    ["a folder that lost its backend", { "main.tf": "", ".terraform/terraform.tfstate": JSON.stringify({ backend: { type: "s3", config: {} } }) }, /^`infra` was initialised with another backend \(`s3`\) than its files name now \(`local`\)/],
    ["an account that would be another host", { "main.tf": backend("azurerm", 'storage_account_name = "evil.example/"', 'container_name = "c"', 'key = "k"') }, "infra/main.tf:4 sets `storage_account_name` of its backend to what can be none | correct it"],
    ["a host with something behind it", { "main.tf": backend("remote", 'organization = "o"', 'hostname = "tfe.example@evil.example"', "workspaces {", '  name = "w"', "}") }, "infra/main.tf:5 sets `hostname` of its backend to what can be none | correct it"],
    ["a workspace of HCP that nobody names", { "main.tf": 'terraform {\n  cloud {\n    organization = "o"\n    workspaces {\n      tags = ["a"]\n    }\n  }\n}\n' }, /^infra\/main\.tf:4 does not say which workspace of HCP Terraform is meant/],
    ["a Secret without a kubeconfig", { "main.tf": backend("kubernetes", 'secret_suffix = "s"') }, /^infra\/main\.tf:3 does not say with which kubeconfig the Secret is read/],
    ["a name of a workspace that leads away", { "main.tf": "", ".terraform/environment": "../../x" }, /^`infra\/.terraform\/environment` holds no name of a workspace/],
    ["Terragrunt", { "terragrunt.hcl": "" }, /^`infra` is a folder of Terragrunt/],
    ["no configuration", { "README.md": "" }, /^`infra` holds no Terraform configuration/],
    ["JSON that is none", { "main.tf.json": '{"terraform": {"backend": ' }, /^`infra\/main\.tf\.json` is not valid JSON/],
    ["nesting without end", { "main.tf": `terraform {\n backend "s3" {\n bucket = ${"[".repeat(20_000)}\n}}` }, /^the parser of HCL cannot read `infra\/main\.tf`: it nests too deep/],
    ["under --untrusted: a state elsewhere", { "main.tf": backend("s3", ...S3) }, /^--untrusted: the state that `infra` names is not read, because only its files name it/, { within: true }],
  ];
  for (const [claim, files, expected, change] of rows) {
    it(claim, async () => {
      const line = await told(found(files, change));
      if (typeof expected === "string") expect(line).toBe(expected);
      else expect(line).toMatch(expected);
    });
  }

  it("a folder that is not there, or is a file", async () => {
    await using folder = await folderOf({ "a.tfstate": STATE });
    const at = (dir: string) => told(read({ form: "dir", dir: join(folder.path, dir), shown: dir, backendConfig: [] }));
    expect(await at("nowhere")).toBe("the folder `nowhere` does not exist | check the path; relative ones start at the fleet file");
    expect(await at("a.tfstate")).toBe("the folder `a.tfstate` is a file, not a folder | write `state:` for a state file");
  });

  it("under --untrusted: a state or a file of the configuration outside", async () => {
    await using outside = await folderOf({ "x.tfstate": STATE, "main.tf": backend("local") });
    await using folder = await folderOf({ "a/main.tf": backend("local", `path = "${outside.path}/x.tfstate"`), "b/README": "", "c/main.tf": "", "c/terraform.tfstate": STATE });
    await symlink(join(outside.path, "main.tf"), join(folder.path, "b/main.tf"));
    const at = (name: string) => read({ form: "dir", dir: join(folder.path, name), shown: name, backendConfig: [] }, { within: folder.path });
    expect(await told(at("a"))).toMatch(/^--untrusted: `.*\/x\.tfstate` leads out/);
    expect(await told(at("b"))).toMatch(/^--untrusted: `b\/main\.tf` leads out/);
    expect(textOf(await at("c"))).toBe(STATE);
  });
});

it("fifty folders share one parser", async () => {
  const threads = () => readdirSync("/proc/self/task").length;
  const before = threads();
  const all = await Promise.all(Array.from({ length: 50 }, (_, index) => found({ "main.tf": backend("gcs", `bucket = "b${index}"`) })));
  expect(all).toEqual(Array.from({ length: 50 }, (_, index) => ({ form: "gcs", workspace: "default", settings: { bucket: `b${index}` } })));
  // An instance each would be fifty threads.
  expect(threads() - before).toBeLessThan(40);
});
