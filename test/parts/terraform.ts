import { execFile, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { scratchFolder, until } from "./process.ts";

const run = promisify(execFile);

/** Terraform itself is the machine's own: no registry that builds may use serves it. Why it cannot be used; undefined when it can. */
export async function terraformMissing(): Promise<string | undefined> {
  try {
    await run("terraform", ["version"], { env: around({}) });
    return undefined;
  } catch {
    return "`terraform` is not installed; put a release of it into PATH";
  }
}

/** A value that is secret in every state written here. */
export const CANARY = "canary-5e2b81";

/** Maps, lists, modules, counts, checks and secrets, with the one provider that is built in. */
const MAIN = `
variable "token" {
  sensitive = true
  default   = "${CANARY}"
}
variable "noise" {
  default = ""
}
resource "terraform_data" "keyed" {
  for_each = { "arm64" = "c7g", "x86.64" = "c7i" }
  input    = each.value
}
resource "terraform_data" "secret" {
  input = { kubeconfig = var.token, nested = [{ client_key = var.token }], noise = var.noise }
}
module "clusters" {
  for_each = toset(["eks", "gke"])
  source   = "./mod"
  name     = each.key
}
check "health" {
  assert {
    condition     = terraform_data.secret.output.noise == "never"
    error_message = "noise"
  }
}
output "kubeconfig" {
  value     = var.token
  sensitive = true
}
`;
const MODULE = `
variable "name" {}
resource "terraform_data" "inner" {
  count = 2
  input = var.name
}
`;
/** Holds the state's lock until the file `go` is there. */
const HOLD = `
resource "terraform_data" "hold" {
  triggers_replace = timestamp()
  provisioner "local-exec" {
    command = "touch started; while [ ! -f go ]; do sleep 0.05; done"
  }
}
`;

/** A folder of configuration in which the real Terraform works. */
export interface Configuration {
  readonly folder: string;
  /** Runs Terraform to its end and gives what it prints. */
  terraform(...words: readonly string[]): Promise<string>;
  /** Runs `body` while an apply holds the lock. */
  whileApplying(body: () => Promise<void>): Promise<void>;
}

/** A new folder that keeps its state in this backend; it is initialised and applied once. */
export async function applied(backend: string, env: Readonly<Record<string, string>> = {}): Promise<Configuration> {
  const folder = await scratchFolder("terraform");
  await mkdir(path.join(folder, "mod"));
  await Promise.all([
    writeFile(path.join(folder, "main.tf"), MAIN),
    writeFile(path.join(folder, "mod/main.tf"), MODULE),
    writeFile(path.join(folder, "backend.tf"), `terraform {\n${backend}\n}\n`),
  ]);
  const terraform = async (...words: readonly string[]) => (await run("terraform", words, { cwd: folder, env: around(env), maxBuffer: 64 << 20 })).stdout;
  await terraform("init", "-input=false", "-no-color");
  await terraform("apply", "-auto-approve", "-no-color");
  return {
    folder,
    terraform,
    async whileApplying(body) {
      await writeFile(path.join(folder, "hold.tf"), HOLD);
      const apply = spawn("terraform", ["apply", "-auto-approve", "-no-color"], { cwd: folder, env: around(env), stdio: "ignore" });
      const over = new Promise((resolve) => apply.once("close", resolve));
      try {
        const { access } = await import("node:fs/promises");
        await until("an apply holds the lock", () => access(path.join(folder, "started")).then(() => true, () => false), () => (apply.exitCode === null ? undefined : "it ended"));
        await body();
      } finally {
        await writeFile(path.join(folder, "go"), "");
        await over;
      }
    },
  };
}

function around(env: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", CHECKPOINT_DISABLE: "1", TF_CLI_CONFIG_FILE: "/dev/null", AWS_EC2_METADATA_DISABLED: "true", ...env };
}
