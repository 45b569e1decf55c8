import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, type TestContext } from "vitest";
import { runWorkflow, type Ran } from "../parts/act.ts";
import { scratchFolder } from "../parts/process.ts";
import { programs } from "./ground.ts";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");

/** In place of docker: the image's program, with its folders where they are mounted from. What docker itself is told is kept. */
const DOCKER = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "SANDBOX/docker.log"
words=(); image=; out=; work=; kubeconfig=
shift
while [ $# -gt 0 ]; do
  if [ -n "$image" ]; then words+=("$1"); shift; continue; fi
  case "$1" in
    --volume) case "$2" in *:/work:ro) work=\${2%:/work:ro} ;; *:/out) out=\${2%:/out} ;; *:/kubeconfig:ro) kubeconfig=\${2%:/kubeconfig:ro} ;; esac; shift 2 ;;
    --tmpfs | --cap-drop | --security-opt | --user | --workdir | --env | --network) shift 2 ;;
    --*) shift ;;
    *) image=$1; shift ;;
  esac
done
words=("\${words[@]//\\/out\\//$out/}")
words=("\${words[@]//\\/kubeconfig/$kubeconfig}")
cd "$work" && CI=true exec NODE BIN "\${words[@]}"
`;

/** In place of GitHub: the comments in a file, and only what the action asks of them. */
const GH = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "SANDBOX/gh.log"
[ ! -e "SANDBOX/refuses" ] || { echo "HTTP 403" >&2; exit 1; }
case "$*" in
  *--paginate*) jq -r "\${@: -1}" "SANDBOX/comments.json" ;;
  *) for word in "$@"; do case "$word" in body=@*) cp "\${word#body=@}" "SANDBOX/body-$(basename "\${word#body=@}")" ;; esac; done ;;
esac
`;

const VIRTUAL_SERVICE = (prefix: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop, namespace: prod }
spec:
  hosts: [shop.example]
  gateways: [public]
  http:
    - match: [{ uri: { prefix: ${prefix} } }]
      route: [{ destination: { host: api } }]
    - route: [{ destination: { host: web } }]
`;

const FLEET = `apiVersion: cloud-assert/v1
kind: Fleet
metadata: { name: shop }
spec:
  clusters:
    - { name: eks, cloud: aws, kubernetes: { manifests: mesh } }
    - { name: gke, cloud: gcp, kubernetes: { manifests: mesh } }
`;

const RULES = `apiVersion: cloud-assert/v1
kind: RoutesEquivalent
metadata: { name: routes-agree }
spec: {}
`;

type Files = Readonly<Record<string, string>>;

interface Repository {
  readonly base: string;
  readonly head: string;
  /** Runs a workflow whose one step is the action, on a pull request. */
  act(inputs: Readonly<Record<string, string>>, event?: { readonly base?: string; readonly isHead?: boolean; readonly refuses?: boolean; readonly comments?: readonly object[] }): Promise<Acted>;
}

interface Acted extends Pick<Ran, "result" | "log" | "summary"> {
  readonly outputs: Readonly<Record<string, string>>;
  readonly docker: readonly string[];
  readonly gh: readonly string[];
  /** The comment that was written, by the name of its file. */
  comment(name: string): Promise<string>;
}

async function repository(context: TestContext, base: Files, head: Files, meanwhile: Files = { "mesh/other.yaml": VIRTUAL_SERVICE("/x").replaceAll("shop", "other") }): Promise<Repository> {
  const { act: program } = await programs(["act"], context);
  const sandbox = await scratchFolder("action");
  const checkout = path.join(sandbox, "checkout");
  const put = async (files: Files) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(checkout, name)), { recursive: true });
      await writeFile(path.join(checkout, name), text);
    }
  };
  await mkdir(path.join(sandbox, "bin"), { recursive: true });
  const placed = (script: string) => script.replaceAll("SANDBOX", sandbox).replace("NODE BIN", `${process.execPath} ${path.join(ROOT, "cli/bin.mjs")}`);
  await writeFile(path.join(sandbox, "bin/docker"), placed(DOCKER), { mode: 0o755 });
  await writeFile(path.join(sandbox, "bin/gh"), placed(GH), { mode: 0o755 });
  await put(base);
  const git = async (...words: readonly string[]) => (await run("git", ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false", ...words], { cwd: checkout })).stdout.trim();
  const commit = async () => (await git("add", "-A"), await git("commit", "-qm", "x"), await git("rev-parse", "HEAD"));
  await git("init", "-q", "-b", "main");
  const first = await commit();
  await git("checkout", "-qb", "topic");
  await put(head);
  const own = await commit();
  // the base goes on, and GitHub checks the merge of both out
  await git("checkout", "-q", "main");
  await put(meanwhile);
  await commit();
  await git("checkout", "-q", "--detach");
  await git("merge", "-q", "--no-ff", "-m", "merge", "topic");

  await git("remote", "add", "origin", "https://github.com/example/shop.git");
  // whatever is asked of GitHub is not there
  await git("config", `url.${sandbox}/nowhere/.insteadOf`, "https://github.com/");
  // the action as a workflow of theirs names it, and nothing of this repository beside it
  const published = path.join(sandbox, "published");
  await cp(path.join(ROOT, "deploy/action"), path.join(published, "deploy/action"), { recursive: true });
  await cp(path.join(ROOT, "action.yml"), path.join(published, "action.yml"));

  return {
    base: first,
    head: own,
    async act(inputs, { base: of = first, isHead = true, refuses = false, comments = [] } = {}) {
      for (const name of ["docker.log", "gh.log", "outputs"]) await writeFile(path.join(sandbox, name), "");
      await writeFile(path.join(sandbox, "comments.json"), JSON.stringify(comments));
      await rm(path.join(sandbox, "refuses"), { force: true });
      if (refuses) await writeFile(path.join(sandbox, "refuses"), "");
      await put({ ".github/workflows/gate.yml": workflowWith(inputs, path.join(sandbox, "outputs")) });
      const { result, log, summary } = await runWorkflow(program, {
        checkout,
        name: "gate.yml",
        ...(of === "" ? { event: "push" } : { event: "pull_request", payload: { pull_request: { number: 7, base: { sha: of }, head: { sha: isHead ? own : "" } } } }),
        actions: { "example/cloud-assert@v1": published },
        path: `${path.join(sandbox, "bin")}:${process.env["PATH"] ?? ""}`,
      });
      const lines = async (name: string) => (await readFile(path.join(sandbox, name), "utf8")).split("\n").filter(Boolean);
      return {
        result,
        log,
        summary,
        outputs: JSON.parse(await readFile(path.join(sandbox, "outputs"), "utf8")) as Readonly<Record<string, string>>,
        docker: await lines("docker.log"),
        gh: await lines("gh.log"),
        comment: (name) => readFile(path.join(sandbox, `body-${name}`), "utf8"),
      };
    },
  };
}

/** A workflow as users write it: the action is one step of it. The last step keeps what the action gave out. */
function workflowWith(inputs: Readonly<Record<string, string>>, outputs: string): string {
  return JSON.stringify({
    on: ["push", "pull_request"],
    jobs: {
      gate: {
        "runs-on": "ubuntu-24.04",
        steps: [
          { uses: "actions/checkout@v5" },
          { id: "gate", uses: "example/cloud-assert@v1", with: inputs },
          { if: "always()", env: { OUTPUTS: "${{ toJSON(steps.gate.outputs) }}" }, run: `printf '%s' "$OUTPUTS" > '${outputs}'` },
        ],
      },
    },
  });
}

const IMAGE = `registry.example/consistency-checker@sha256:${"a".repeat(64)}`;
const BASE = { "assert.yaml": FLEET, "assertions/routes.yaml": RULES, "mesh/shop.yaml": VIRTUAL_SERVICE("/api") };
const ASKED = { image: IMAGE, routes: "mesh", comment: "true" };

describe("the action on a pull request", { timeout: 120_000 }, () => {
  it("judges the head, says which requests change, and keeps a comment on each", async (context) => {
    const { act } = await repository(context, BASE, { "mesh/shop.yaml": VIRTUAL_SERVICE("/v2") });
    const { result, outputs, docker, gh, summary, comment, log } = await act(ASKED);
    expect([result, outputs["verdict"], outputs["exit-code"], outputs["violations"], outputs["undecided"], outputs["changes"]], log).toEqual(["success", "holds", "0", "0", "0", "different"]);
    expect(docker).toHaveLength(2);
    for (const line of docker) expect(line).toMatch(/--read-only .*--cap-drop ALL --security-opt no-new-privileges .*:\/work:ro .* registry\.example\/consistency-checker@sha256:a{64} (run|compare) .*--untrusted/);
    expect(docker[1]).toContain("--network none");
    expect(gh.filter((line) => line.includes("--method POST"))).toHaveLength(2);

    const changes = await comment("changes.md");
    expect(changes).toMatch(/^<!-- cloud-assert-compare -->\n/);
    // /v2 is taken away from web, /api given to it
    expect(changes).toContain("GET http://shop.example/");
    expect(changes).toMatch(/in `git:HEAD:mesh` it goes to `(web|api)\.prod\.svc\.cluster\.local`, by rule `VirtualService prod\/shop`/);
    expect(changes).toContain("curl -sv --path-as-is --connect-to");
    // what the base did meanwhile is not of this pull request
    expect(changes).not.toContain("other.example");
    expect(await comment("report.md")).toMatch(/^<!-- cloud-assert -->\n/);
    expect(summary).toContain("git:HEAD:mesh");
  });

  it("writes its own comment again, and nobody else's", async (context) => {
    const { act } = await repository(context, BASE, { "README.md": "x" });
    const comments = [
      { id: 1, user: { login: "mallory" }, body: "<!-- cloud-assert -->\nfake" },
      { id: 2, user: { login: "github-actions[bot]" }, body: "<!-- cloud-assert-compare -->\nold" },
      { id: 3, user: { login: "github-actions[bot]" }, body: "<!-- cloud-assert -->\nold" },
    ];
    const { gh, outputs } = await act(ASKED, { comments });
    expect(outputs["changes"]).toBe("equivalent");
    expect(gh.filter((line) => line.includes("--method")).map((line) => /--method (\w+) \S+?(\d*) /.exec(line)?.slice(1))).toEqual([["PATCH", "3"], ["PATCH", "2"]]);
  });

  it("says what is new, and goes on where a folder cannot be compared", async (context) => {
    const { act } = await repository(context, BASE, { "edge/shop.yaml": VIRTUAL_SERVICE("/api"), "mesh/shop.yaml": "kind: [" });
    const { outputs, comment, result } = await act({ ...ASKED, routes: "edge\nmesh\nnowhere", comment: "true", files: "" });
    expect([result, outputs["exit-code"], outputs["changes"]]).toEqual(["failure", "2", "undecided"]);
    const changes = await comment("changes.md");
    expect(changes).toContain("`edge` is new");
    expect(changes).toContain("`mesh` could not be compared");
    expect(changes).toContain("`nowhere` could not be compared");
  });

  it("does not hang the verdict on a comment that GitHub refuses", async (context) => {
    const { act } = await repository(context, BASE, { "README.md": "x" });
    const { result, log } = await act(ASKED, { refuses: true });
    expect(result).toBe("success");
    expect(log).toContain("::warning::the comment could not be written");
  });

  it("says what to do where the base is not in the checkout", async (context) => {
    const { act } = await repository(context, BASE, { "README.md": "x" });
    const absent = "1".repeat(40);
    const { result, log } = await act({ ...ASKED, routes: "", waivers: "waivers.yaml" }, { base: absent, isHead: false });
    expect(result).toBe("failure");
    expect(log).toContain(`::error::the base revision ${absent} is not in the checkout and cannot be fetched: give actions/checkout \`fetch-depth: 2\``);
  });

  it("reads waivers from the base: a commit cannot accept its own faults", async (context) => {
    const waivers = (until: string) => `apiVersion: cloud-assert/v1\nkind: Waivers\nspec:\n  waivers:\n    - { assertion: routes-agree, subject: 'prod/public:80/shop.example', reason: r, owner: o, expires: ${until} }\n`;
    const fleet = FLEET.replace("name: gke, cloud: gcp, kubernetes: { manifests: mesh }", "name: gke, cloud: gcp, kubernetes: { manifests: mesh-gke }");
    const world = { ...BASE, "assert.yaml": fleet, "mesh-gke/shop.yaml": VIRTUAL_SERVICE("/api").replace("host: api", "host: v2") };
    const words = { ...ASKED, routes: "", waivers: "waivers.yaml", args: "--now\n2026-11-25T00:00:00Z" };
    const own = await repository(context, world, { "waivers.yaml": waivers("2026-12-24") }, { "notes.md": "x" });
    expect(await own.act(words)).toMatchObject({ result: "failure", outputs: { verdict: "violated", "exit-code": "1" } });
    const accepted = await repository(context, { ...world, "waivers.yaml": waivers("2026-12-24") }, { "README.md": "x" }, { "notes.md": "x" });
    const report = await accepted.act(words);
    expect([report.result, report.outputs["verdict"]], report.log).toEqual(["success", "holds"]);
  });
});

describe("the action on a push", { timeout: 120_000 }, () => {
  it("judges, and neither compares nor comments", async (context) => {
    const { act } = await repository(context, BASE, { "README.md": "x" });
    const { result, docker, gh, outputs } = await act(ASKED, { base: "" });
    expect([result, docker.length, gh.length, outputs["changes"]]).toEqual(["success", 1, 0, ""]);
    expect(docker[0]).not.toContain("--untrusted");
  });
});
