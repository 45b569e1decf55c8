import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import { eksCluster, eksPool, resource, stateWith } from "../support/states.ts";
import { NOW, shell } from "./shell.ts";

/** Stands wherever a state, a command or a file may hold a secret. */
const CANARY = "canary-77e2d1";
const FORMATS = ["terminal", "json", "sarif", "junit", "github", "markdown", "html", "prometheus", "openreports"];

const DUMP = {
  "dump/nodes.yaml": `apiVersion: v1
kind: Node
metadata: { name: n1, labels: { eks.amazonaws.com/nodegroup: general, topology.kubernetes.io/region: eu-west-1 } }
spec: { providerID: "aws:///eu-west-1a/i-1" }
status: { nodeInfo: { architecture: amd64, kubeletVersion: v1.33.4-eks-1 } }
`,
  "dump/version.yaml": "serverVersion: { gitVersion: v1.33.4-eks-1, gitCommit: abc }\n",
  "assertions/tf.yaml": "apiVersion: cloud-assert/v1\nkind: TerraformAgrees\nmetadata: { name: tf }\nspec: { compare: [declared-live] }\n",
  "out/keep": "",
};

const secrets = { kube_config_raw: CANARY, master_auth: [{ client_key: CANARY }], user_data: CANARY, tags: { x: CANARY } };
const outputs = { outputs: { token: { value: CANARY, type: "string", sensitive: true } }, check_results: [{ objects: [{ failure_messages: [CANARY] }] }] };
const cluster = resource("aws_eks_cluster", { ...eksCluster(), ...secrets }, { instance: { private: CANARY } });
const pool = resource("aws_eks_node_group", { ...eksPool("general"), ...secrets });
const stateOf = (resources: readonly object[], more: object = {}) => JSON.stringify(stateWith(resources, { ...outputs, ...more }));
const WELL = stateOf([cluster, pool]);

interface Row {
  readonly input: string;
  readonly files: Readonly<Record<string, string>>;
  readonly terraform: string;
  readonly verdict: "holds" | "violated" | "undecided";
  /** What the report says of it; `gap`: a reason and its way out. */
  readonly says: RegExp;
}

const hcl = (text: string) => ({ "infra/main.tf": text });
const DIR = "{ dir: infra }";
const FILE = "{ state: x.tfstate }";
const sh = (text: string) => ({ "pull.sh": text, "x.tfstate": WELL });
const COMMAND = "{ command: [sh, pull.sh] }";

const rows: readonly Row[] = [
  { input: "a truncated state", files: { "x.tfstate": WELL.slice(0, -200) }, terraform: FILE, verdict: "undecided", says: /the state `x\.tfstate` is no whole JSON object \(\d+ bytes\); it ends in the middle → run again/ },
  { input: "a state with numbers beyond 2^53", files: { "x.tfstate": stateOf([cluster, pool, resource("random_id", { dec: 0 })]).replace('"dec":0', '"dec":12345678901234567890').replace('"serial":1', '"serial":18446744073709551615') }, terraform: FILE, verdict: "holds", says: /$^/ },
  { input: "an unknown major of a provider", files: { "x.tfstate": stateOf([cluster, resource("aws_eks_node_group", { cluster: { name: "eks-prod" }, node_group_label: CANARY })]) }, terraform: FILE, verdict: "undecided", says: /`aws_eks_node_group\.this` in the state `x\.tfstate` has no `node_group_name` that can be read → refresh the state/ },
  { input: "two states that hold one cluster each", files: { "x.tfstate": WELL, "y.tfstate": stateOf([resource("aws_eks_cluster", eksCluster("eks-other"))], { lineage: "other" }) }, terraform: "[{ state: x.tfstate }, { state: y.tfstate }]", verdict: "undecided", says: /the states of `eks-prod` hold 2 clusters: `eks-prod`, `eks-other` → write `cluster:`/ },
  { input: "two states that manage one cluster and differ", files: { "x.tfstate": WELL, "y.tfstate": stateOf([resource("aws_eks_cluster", eksCluster("eks-prod", "1.31"))], { lineage: "other" }) }, terraform: "[{ state: x.tfstate }, { state: y.tfstate }]", verdict: "violated", says: /Terraform declares 1\.31: what runs is newer/ },
  { input: "a state of another lineage than last time", files: { "x.tfstate": WELL }, terraform: "{ state: x.tfstate, lineage: 99999999-2222-4333-8444-555555555555 }", verdict: "undecided", says: /the state `x\.tfstate` has the lineage `11111111-.*`, and the fleet pins `99999999-.*`: .* → look who wrote it/ },
  { input: "a locked state", files: { "x.tfstate": WELL, ".x.tfstate.lock.info": `{"Info":"${CANARY}"}` }, terraform: FILE, verdict: "holds", says: /the state `x\.tfstate` of `eks-prod` was locked while it was read/ },
  { input: "a half-written state", files: { "x.tfstate": `${WELL.slice(0, 300)}${"\0".repeat(64)}`, ".x.tfstate.lock.info": "{}" }, terraform: FILE, verdict: "undecided", says: /the state `x\.tfstate` is no whole JSON object .* → run again when nobody writes it/ },
  { input: "HCL with a syntax error", files: hcl(`terraform {\n  backend "s3" {\n    bucket = = "${CANARY}"\n  }\n}\n`), terraform: DIR, verdict: "undecided", says: /infra\/main\.tf:3:\d+ is not valid HCL \(invalid expression\) → correct it/ },
  { input: "a backend with a variable", files: hcl(`variable "key" {\n  default = "${CANARY}"\n}\nterraform {\n  backend "s3" {\n    bucket = "b"\n    region = "r"\n    key    = var.key\n  }\n}\n`), terraform: DIR, verdict: "undecided", says: /infra\/main\.tf:8 sets `key` of its backend to what is no plain text → write the value itself/ },
  { input: "a command that prompts", files: sh(`printf 'password for ${CANARY}: ' >&2; read answer || exit 9; cat x.tfstate`), terraform: COMMAND, verdict: "undecided", says: /the command `sh` failed \(exit code 9\) → run it by hand/ },
  { input: "a command that prints secrets on stderr", files: sh(`echo 'token ${CANARY}' >&2; cat x.tfstate`), terraform: COMMAND, verdict: "holds", says: /$^/ },
  { input: "a command that prints secrets on both ends and fails", files: sh(`echo '${CANARY}'; echo 'token ${CANARY}' >&2; exit 3`), terraform: COMMAND, verdict: "undecided", says: /the command `sh` failed \(exit code 3\) → run it by hand/ },
];

/** Every gap and finding, as one line each. */
function linesOf({ results }: Report): readonly string[] {
  return results.flatMap(({ gaps, findings }) => [...gaps.map(({ reason, remedy }) => `${reason} → ${remedy}`), ...findings.map(({ message, remedy }) => `${message} → ${remedy}`)]);
}

async function textsBelow(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")))).join("\n");
}

describe("bad input of `terraform:` is told in every format, without a secret in any of them", { timeout: 60_000 }, () => {
  for (const { input, files, terraform, verdict, says } of rows) {
    it(input, async () => {
      await using here = await shell({ ...DUMP, ...files, "assert.yaml": `apiVersion: cloud-assert/v1\nkind: Fleet\nmetadata: { name: f }\nspec:\n  clusters:\n    - { name: eks-prod, kubernetes: { manifests: dump, complete: true }, terraform: ${terraform} }\n` });
      const [run, collect] = await Promise.all([
        here.assert("run", "-v", ...FORMATS.flatMap((format) => ["-o", `${format}=out/report.${format}`]), ...NOW),
        here.assert("collect", "-v", "--out", "out/snapshots", ...NOW),
      ]);
      const report = JSON.parse(await here.read("out/report.json")) as Report;
      const lines = linesOf(report);
      expect([report.results[0]?.verdict, run.code]).toEqual([verdict, { holds: 0, violated: 1, undecided: 2 }[verdict]]);
      if (says.source !== "$^") expect(lines.filter((line) => says.test(line)), lines.join("\n")).toHaveLength(1);
      if (verdict === "holds" && says.source === "$^") expect(report.results[0]?.gaps).toEqual([]);
      const all = run.stdout + run.stderr + collect.stdout + collect.stderr + (await textsBelow(join(here.path, "out")));
      expect(all).toContain("eks-prod");
      expect(all).not.toContain(CANARY);
      // Each format that speaks of findings says what the JSON says.
      if (verdict !== "holds") for (const format of ["terminal", "sarif", "junit", "github", "markdown", "html", "openreports"]) expect((await here.read(`out/report.${format}`)).replaceAll("\\", ""), format).toMatch(/infra\/main\.tf|x\.tfstate|the command|1\.31|states of/);
    });
  }
});
