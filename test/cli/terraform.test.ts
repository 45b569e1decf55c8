import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import { eksCluster, eksPool, resource, stateWith } from "../support/states.ts";
import { NOW, shell, type Shell } from "./shell.ts";

const CANARY = "canary-3fa90b";

const node = (name: string) => `apiVersion: v1
kind: Node
metadata: { name: ${name}, labels: { eks.amazonaws.com/nodegroup: general, topology.kubernetes.io/region: eu-west-1, node.kubernetes.io/instance-type: m7i.xlarge } }
spec: { providerID: "aws:///eu-west-1a/i-1" }
status: { nodeInfo: { architecture: amd64, kubeletVersion: v1.33.4-eks-1 } }
`;
const version = "serverVersion: { gitVersion: v1.33.4-eks-1, gitCommit: abc }\n";
const fleet = (...clusters: readonly string[]) => `apiVersion: cloud-assert/v1\nkind: Fleet\nmetadata: { name: f }\nspec:\n  clusters:\n${clusters.map((line) => `    - ${line}\n`).join("")}`;
const cluster = (name: string, terraform = "") => `{ name: ${name}, kubernetes: { manifests: dump, complete: true }${terraform} }`;
const assertion = "apiVersion: cloud-assert/v1\nkind: TerraformAgrees\nmetadata: { name: tf }\nspec: {}\n";

/** A state with a secret wherever Terraform or a provider may keep one. */
function full(clusterVersion = "1.33"): string {
  const secrets = { kube_config_raw: CANARY, client_key: CANARY, master_auth: [{ client_key: CANARY }], service_principal: [{ client_secret: CANARY }], user_data: CANARY, tags: { x: CANARY } };
  return JSON.stringify(
    stateWith(
      [
        resource("aws_eks_cluster", { ...eksCluster("eks-prod", clusterVersion), ...secrets }, { instance: { private: CANARY, sensitive_attributes: [[{ type: "get_attr", value: CANARY }]], identity: { id: CANARY } } }),
        resource("aws_eks_node_group", { ...eksPool("general"), ...secrets, labels: { x: CANARY } }),
        resource("helm_release", { name: "istiod", chart: "istiod", version: "1.29.5", values: [CANARY], set_sensitive: [{ value: CANARY }], repository_password: CANARY, metadata: [{ app_version: "1.29.5", notes: CANARY, values: JSON.stringify({ revision: "r", password: CANARY }) }] }),
        ...["random_password", "tls_private_key", "kubernetes_secret", "terraform_remote_state"].map((type) => resource(type, { result: CANARY, outputs: { value: { k: CANARY } } })),
      ],
      { outputs: { token: { value: CANARY, type: "string", sensitive: true } }, check_results: [{ objects: [{ failure_messages: [CANARY] }] }] },
    ),
  );
}

const FORMATS = ["terminal", "json", "sarif", "junit", "github", "markdown", "html", "prometheus", "openreports"];

/** Everything that a run leaves behind or prints. */
async function everything(here: Shell): Promise<{ readonly text: string; readonly code: number | null; readonly report: Report }> {
  const run = await here.assert("run", "-v", ...FORMATS.flatMap((format) => ["-o", `${format}=out/report.${format}`]), ...NOW);
  const collect = await here.assert("collect", "-v", "--out", "out/snapshots", ...NOW);
  const all = await here.assert("collect", "-v", "--all", "--out", "out/all", ...NOW);
  const files = (await readdir(join(here.path, "out"), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")));
  return { text: [run, collect, all].map(({ stdout, stderr }) => stdout + stderr).join("") + texts.join(""), code: run.code, report: JSON.parse(await here.read("out/report.json")) as Report };
}

describe("no secret of a state is in any report, snapshot, line or error", { timeout: 60_000 }, () => {
  const cases: readonly (readonly [name: string, files: Readonly<Record<string, string>>, terraform: string, verdict: string])[] = [
    ["where all agrees", { "x.tfstate": full() }, "{ state: x.tfstate }", "holds"],
    ["where it does not", { "x.tfstate": full("1.31") }, "{ state: x.tfstate }", "violated"],
    ["of half a state", { "x.tfstate": full().slice(0, -1200) }, "{ state: x.tfstate }", "undecided"],
    ["of a plan", { "x.tfstate": JSON.stringify({ format_version: "1.2", resource_changes: [], variables: { token: { value: CANARY } } }) }, "{ state: x.tfstate }", "undecided"],
    ["of what is no state", { "x.tfstate": `token: ${CANARY}` }, "{ state: x.tfstate }", "undecided"],
    ["of a command that prints it on both ends and fails", { "pull.sh": `echo '${CANARY}'; echo 'error: ${CANARY}' >&2; exit 7` }, "{ command: [sh, pull.sh] }", "undecided"],
    ["of a command that prints a state, and warnings beside it", { "x.tfstate": full(), "pull.sh": `echo 'warning: ${CANARY}' >&2; cat x.tfstate` }, "{ command: [sh, pull.sh] }", "holds"],
  ];
  for (const [name, files, terraform, verdict] of cases) {
    it(name, async () => {
      await using here = await shell({ "dump/nodes.yaml": node("n1"), "dump/version.yaml": version, "out/keep": "", "assertions/tf.yaml": assertion, "assert.yaml": fleet(cluster("eks-prod", `, terraform: ${terraform}`)), ...files });
      const { text, report } = await everything(here);
      expect(report.results[0]?.verdict).toBe(verdict);
      expect(text).toContain("eks-prod");
      expect(text).not.toContain(CANARY);
    });
  }
});

describe("fifty states of fifty clusters", { timeout: 60_000 }, () => {
  it("are all judged, and never more of them are read side by side than the concurrency given", async () => {
    const names = Array.from({ length: 50 }, (_, index) => `c${String(index).padStart(2, "0")}`);
    const states = Object.fromEntries(names.map((name) => [`${name}.tfstate`, JSON.stringify(stateWith([resource("aws_eks_cluster", eksCluster(name))], { lineage: name }))]));
    const pull = 'echo + >> log; cat "$1.tfstate"; echo - >> log';
    await using here = await shell({ "dump/nodes.yaml": node("n1"), "dump/version.yaml": version, "pull.sh": pull, ...states, "assertions/tf.yaml": assertion.replace("spec: {}", "spec: { compare: [declared-live], fields: [controlPlane.version] }"), "assert.yaml": fleet(...names.map((name) => cluster(name, `, terraform: { command: [sh, pull.sh, ${name}] }`))) });
    const report = JSON.parse((await here.assert("run", "-o", "json", "--concurrency", "3", ...NOW)).stdout) as Report;
    expect(report.results[0]).toMatchObject({ verdict: "holds", gaps: [], coverage: { clusters: 50, judged: 50 } });
    let now = 0;
    const beside = (await here.read("log")).trim().split("\n").map((line) => (now += line === "+" ? 1 : -1));
    expect([beside.length, Math.max(...beside) <= 3, now]).toEqual([100, true, 0]);
  });
});

describe("the built-in suite", { timeout: 60_000 }, () => {
  const files = { "dump/nodes.yaml": node("n1"), "dump/version.yaml": version, "x.tfstate": full() };
  const run = async (here: Shell, ...words: readonly string[]) => JSON.parse((await here.assert("run", "-o", "json", ...NOW, ...words)).stdout) as Report & { readonly notes: readonly string[] };

  it("compares with Terraform the clusters that name a state, and no others", async () => {
    await using here = await shell({ ...files, "assert.yaml": fleet(cluster("eks-prod", ", terraform: { state: x.tfstate }"), cluster("bare")) });
    const result = (await run(here)).results.find(({ kind }) => kind === "TerraformAgrees");
    expect(result).toMatchObject({ assertion: "terraform-agrees", verdict: "holds", coverage: { clusters: 1 } });
  });

  it("says in one line that none does, unless it is asked for by name", async () => {
    await using here = await shell({ ...files, "assert.yaml": fleet(cluster("bare")) });
    const report = await run(here);
    expect(report.results.map(({ kind }) => kind)).not.toContain("TerraformAgrees");
    expect(report.notes).toContain("no cluster of the fleet names a Terraform state: `terraform-agrees` of the built-in suite is not in the run");
    const named = await run(here, "--only", "terraform-agrees");
    expect(named.results[0]).toMatchObject({ verdict: "undecided", gaps: [{ reason: "the fleet names no Terraform state of `bare`" }] });
  });

  it("judges saved snapshots that were taken with states as the live run does", async () => {
    await using here = await shell({ ...files, "assert.yaml": fleet(cluster("eks-prod", ", terraform: { state: x.tfstate }")) });
    expect((await here.assert("collect", "--out", "saved", ...NOW)).code).toBe(0);
    await here.program("mv", ["assert.yaml", "other.yaml"]).ended;
    const result = (await run(here, "--snapshots", "saved")).results.find(({ kind }) => kind === "TerraformAgrees");
    expect(result).toMatchObject({ verdict: "holds" });
  });
});
