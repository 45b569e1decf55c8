import { execFile, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { scratchFolder } from "../parts/process.ts";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string; readonly required?: boolean }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly steps: readonly { readonly id?: string; readonly if?: string; readonly env?: Readonly<Record<string, string>>; readonly run: string }[] };
}

/** In place of docker: the image's program, with its folders where they are mounted from. What docker itself is told is kept. */
const DOCKER = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$SANDBOX/docker.log"
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
cd "$work" && CI=true exec "$NODE" "$BIN" "\${words[@]}"
`;

/** In place of GitHub: the comments in a file, and only what the action asks of them. */
const GH = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$SANDBOX/gh.log"
[ -z "\${GH_REFUSES:-}" ] || { echo "HTTP 403" >&2; exit 1; }
case "$*" in
  *--paginate*) jq -r "\${@: -1}" "$SANDBOX/comments.json" ;;
  *) for word in "$@"; do case "$word" in body=@*) cp "\${word#body=@}" "$SANDBOX/body-$(basename "\${word#body=@}")" ;; esac; done ;;
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
  /** Runs all steps of the action, as GitHub does, on a pull request. */
  act(inputs: Readonly<Record<string, string>>, event?: { readonly base?: string; readonly isHead?: boolean; readonly refuses?: boolean; readonly comments?: readonly object[] }): Promise<Acted>;
}

interface Acted {
  readonly code: number;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly docker: readonly string[];
  readonly gh: readonly string[];
  readonly summary: string;
  /** The comment that was written, by the name of its file. */
  comment(name: string): Promise<string>;
}

async function repository(base: Files, head: Files, meanwhile: Files = { "mesh/other.yaml": VIRTUAL_SERVICE("/x").replaceAll("shop", "other") }): Promise<Repository> {
  const sandbox = await scratchFolder("action");
  const checkout = path.join(sandbox, "checkout");
  const put = async (files: Files) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(checkout, name)), { recursive: true });
      await writeFile(path.join(checkout, name), text);
    }
  };
  await mkdir(path.join(sandbox, "bin"), { recursive: true });
  await writeFile(path.join(sandbox, "bin/docker"), DOCKER, { mode: 0o755 });
  await writeFile(path.join(sandbox, "bin/gh"), GH, { mode: 0o755 });
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

  const action = load(await readFile(path.join(ROOT, "action.yml"), "utf8")) as Action;
  return {
    base: first,
    head: own,
    async act(inputs, { base: of = first, isHead = true, refuses = false, comments = [] } = {}) {
      for (const name of ["docker.log", "gh.log", "summary"]) await writeFile(path.join(sandbox, name), "");
      await writeFile(path.join(sandbox, "comments.json"), JSON.stringify(comments));
      const given = Object.fromEntries(Object.entries(action.inputs).map(([name, { default: otherwise = "" }]) => [name, inputs[name] ?? otherwise]));
      const steps: Record<string, Record<string, string>> = {};
      const context: Readonly<Record<string, string>> = { "github.token": "t0ken", "github.repository": "example/shop", "github.event.pull_request.number": of === "" ? "" : "7", "github.event.pull_request.base.sha": of, "github.event.pull_request.head.sha": of === "" || !isHead ? "" : own };
      const valueOf = (name: string): string => {
        const [scope = "", key = "", , output = ""] = name.split(".");
        if (scope === "inputs") return given[key] ?? "";
        return scope === "steps" ? (steps[key]?.[output] ?? "") : (context[name] ?? "");
      };
      const filled = (text: string) => text.replaceAll(/\$\{\{ ?(.*?) ?\}\}/g, (_, name: string) => valueOf(name));
      let log = "";
      let code = 0;
      for (const [index, step] of action.runs.steps.entries()) {
        // conditions of the action are made of `name`, `name == 'text'`, `name != ''` and `&&`
        const asked = (step.if ?? "").replaceAll(/^\$\{\{ ?| ?\}\}$/g, "").split(" && ").filter((term) => term !== "" && term !== "!cancelled()");
        const isMet = asked.every((term) => {
          const [, name = "", operator, text = ""] = /^([\w.-]+)(?: (==|!=) '(.*)')?$/.exec(term) ?? [];
          if (name === "") throw new Error(`a condition that this test does not read: ${term}`);
          return operator === undefined ? valueOf(name) !== "" : (valueOf(name) === text) === (operator === "==");
        });
        if (!isMet || (code !== 0 && step.if === undefined)) continue;
        const outputs = path.join(sandbox, `outputs-${index}`);
        await writeFile(outputs, "");
        const env = {
          PATH: `${path.join(sandbox, "bin")}:${process.env["PATH"] ?? ""}`,
          SANDBOX: sandbox,
          NODE: process.execPath,
          BIN: path.join(ROOT, "cli/bin.mjs"),
          RUNNER_TEMP: sandbox,
          GITHUB_WORKSPACE: checkout,
          GITHUB_ACTION_PATH: ROOT,
          GITHUB_OUTPUT: outputs,
          GITHUB_STEP_SUMMARY: path.join(sandbox, "summary"),
          ...(refuses ? { GH_REFUSES: "1" } : {}),
          ...Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, filled(text)])),
        };
        const ended = await bash(filled(step.run), checkout, env);
        log += ended.log;
        code ||= ended.code;
        if (step.id !== undefined) steps[step.id] = Object.fromEntries((await readFile(outputs, "utf8")).split("\n").filter(Boolean).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
      }
      const lines = async (name: string) => (await readFile(path.join(sandbox, name), "utf8")).split("\n").filter(Boolean);
      return {
        code,
        log,
        outputs: Object.fromEntries(Object.entries(action.outputs).map(([name, { value }]) => [name, filled(value)])),
        docker: await lines("docker.log"),
        gh: await lines("gh.log"),
        summary: await readFile(path.join(sandbox, "summary"), "utf8"),
        comment: (name) => readFile(path.join(sandbox, `body-${name}`), "utf8"),
      };
    },
  };
}

async function bash(script: string, cwd: string, env: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly log: string }> {
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (log += text));
  const { promise, resolve } = Promise.withResolvers<number>();
  child.on("close", (code) => resolve(code ?? -1));
  return { code: await promise, log };
}

const IMAGE = `registry.example/consistency-checker@sha256:${"a".repeat(64)}`;
const BASE = { "assert.yaml": FLEET, "assertions/routes.yaml": RULES, "mesh/shop.yaml": VIRTUAL_SERVICE("/api") };
const ASKED = { image: IMAGE, routes: "mesh", comment: "true" };

describe("the action on a pull request", { timeout: 120_000 }, () => {
  it("judges the head, says which requests change, and keeps a comment on each", async () => {
    const { act } = await repository(BASE, { "mesh/shop.yaml": VIRTUAL_SERVICE("/v2") });
    const { code, outputs, docker, gh, summary, comment, log } = await act(ASKED);
    expect([code, outputs["verdict"], outputs["exit-code"], outputs["violations"], outputs["undecided"], outputs["changes"]], log).toEqual([0, "holds", "0", "0", "0", "different"]);
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

  it("writes its own comment again, and nobody else's", async () => {
    const { act } = await repository(BASE, { "README.md": "x" });
    const comments = [
      { id: 1, user: { login: "mallory" }, body: "<!-- cloud-assert -->\nfake" },
      { id: 2, user: { login: "github-actions[bot]" }, body: "<!-- cloud-assert-compare -->\nold" },
      { id: 3, user: { login: "github-actions[bot]" }, body: "<!-- cloud-assert -->\nold" },
    ];
    const { gh, outputs } = await act(ASKED, { comments });
    expect(outputs["changes"]).toBe("equivalent");
    expect(gh.filter((line) => line.includes("--method")).map((line) => /--method (\w+) \S+?(\d*) /.exec(line)?.slice(1))).toEqual([["PATCH", "3"], ["PATCH", "2"]]);
  });

  it("says what is new, and goes on where a folder cannot be compared", async () => {
    const { act } = await repository(BASE, { "edge/shop.yaml": VIRTUAL_SERVICE("/api"), "mesh/shop.yaml": "kind: [" });
    const { outputs, comment, code } = await act({ ...ASKED, routes: "edge\nmesh\nnowhere", comment: "true", files: "" });
    expect([code, outputs["changes"]]).toEqual([2, "undecided"]);
    const changes = await comment("changes.md");
    expect(changes).toContain("`edge` is new");
    expect(changes).toContain("`mesh` could not be compared");
    expect(changes).toContain("`nowhere` could not be compared");
  });

  it("does not hang the verdict on a comment that GitHub refuses", async () => {
    const { act } = await repository(BASE, { "README.md": "x" });
    const { code, log } = await act(ASKED, { refuses: true });
    expect(code).toBe(0);
    expect(log).toContain("::warning::the comment could not be written");
  });

  it("says what to do where the base is not in the checkout", async () => {
    const { act } = await repository(BASE, { "README.md": "x" });
    const absent = "1".repeat(40);
    const { code, log } = await act({ ...ASKED, routes: "", waivers: "waivers.yaml" }, { base: absent, isHead: false });
    expect(code).toBe(3);
    expect(log).toContain(`::error::the base revision ${absent} is not in the checkout and cannot be fetched: give actions/checkout \`fetch-depth: 2\``);
  });

  it("reads waivers from the base: a commit cannot accept its own faults", async () => {
    const waivers = (until: string) => `apiVersion: cloud-assert/v1\nkind: Waivers\nspec:\n  waivers:\n    - { assertion: routes-agree, subject: 'prod/public:80/shop.example', reason: r, owner: o, expires: ${until} }\n`;
    const fleet = FLEET.replace("name: gke, cloud: gcp, kubernetes: { manifests: mesh }", "name: gke, cloud: gcp, kubernetes: { manifests: mesh-gke }");
    const world = { ...BASE, "assert.yaml": fleet, "mesh-gke/shop.yaml": VIRTUAL_SERVICE("/api").replace("host: api", "host: v2") };
    const words = { ...ASKED, routes: "", waivers: "waivers.yaml", args: "--now\n2026-11-25T00:00:00Z" };
    const own = await repository(world, { "waivers.yaml": waivers("2026-12-24") }, { "notes.md": "x" });
    expect(await own.act(words)).toMatchObject({ code: 1, outputs: { verdict: "violated" } });
    const accepted = await repository({ ...world, "waivers.yaml": waivers("2026-12-24") }, { "README.md": "x" }, { "notes.md": "x" });
    const report = await accepted.act(words);
    expect([report.code, report.outputs["verdict"]], report.log).toEqual([0, "holds"]);
  });
});

describe("the action on a push", { timeout: 120_000 }, () => {
  it("judges, and neither compares nor comments", async () => {
    const { act } = await repository(BASE, { "README.md": "x" });
    const { code, docker, gh, outputs } = await act(ASKED, { base: "" });
    expect([code, docker.length, gh.length, outputs["changes"]]).toEqual([0, 1, 0, ""]);
    expect(docker[0]).not.toContain("--untrusted");
  });
});
