import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, type TestContext } from "vitest";
import { BIN, EVEN, needs, SKEWED } from "../cli/shell.ts";
import { scratchFolder } from "../parts/process.ts";
import { programs } from "./ground.ts";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");

type Files = Readonly<Record<string, string>>;

const SERVICE = (prefix: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop, namespace: prod }
spec:
  hosts: [shop.example]
  http:
    - match: [{ uri: { prefix: ${prefix} } }]
      route: [{ destination: { host: api } }]
    - route: [{ destination: { host: web } }]
`;

/** A repository of GitLab that includes the template, with one commit for the target and one on top of it. */
async function project(context: TestContext, target: Files, commit: Files) {
  const { "gitlab-ci-local": program } = await programs(["gitlab-ci-local"], context);
  await needs("rsync", ["--version"], context);
  const scratch = await scratchFolder("gitlab");
  const folder = path.join(scratch, "project");
  const put = async (files: Files) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), text);
    }
  };
  const git = async (...words: readonly string[]) => (await run("git", ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false", ...words], { cwd: folder })).stdout.trim();
  await put({ ".gitlab-ci.yml": "include: [{ local: templates/cloud-assert.yml }]\nvariables: { CLOUD_ASSERT_IMAGE: registry.example/consistency-checker }\n", ...target });
  await mkdir(path.join(folder, "templates"));
  await cp(path.join(ROOT, "deploy/gitlab/cloud-assert.yml"), path.join(folder, "templates/cloud-assert.yml"));
  await git("init", "-q", "-b", "main");
  await git("remote", "add", "origin", "git@gitlab.example:shop/mesh.git");
  await git("add", "-A");
  await git("commit", "-qm", "target");
  const base = await git("rev-parse", "HEAD");
  await git("update-ref", "refs/remotes/origin/main", "HEAD");
  await git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main");
  await git("checkout", "-qb", "topic");
  await put(commit);
  await git("add", "-A");
  await git("commit", "-qm", "commit", "--allow-empty");

  return {
    read: (file: string) => readFile(path.join(folder, file), "utf8"),
    /** Runs the pipeline of a merge request; the program stands where the image would have it. */
    async mergeRequest(variables: Files = {}): Promise<{ readonly code: number; readonly log: string }> {
      const given = { ...variables, CI_PIPELINE_SOURCE: "merge_request_event", CI_MERGE_REQUEST_DIFF_BASE_SHA: base, ASSERT: `${process.execPath} ${BIN}` };
      const words = ["--force-shell-executor", "--no-color", ...Object.entries(given).flatMap(([name, value]) => ["--variable", `${name}=${value}`])];
      const env = { PATH: process.env["PATH"] ?? "", HOME: scratch };
      return run(program, words, { cwd: folder, env, maxBuffer: 16 << 20 }).then(
        ({ stdout, stderr }) => ({ code: 0, log: stdout + stderr }),
        (error: unknown) => {
          if (error instanceof Error && "code" in error && "stdout" in error && "stderr" in error) return { code: Number(error.code), log: `${String(error.stdout)}${String(error.stderr)}` };
          throw error;
        },
      );
    },
  };
}

const WAIVERS = (subject: string) => `apiVersion: cloud-assert/v1\nkind: Waivers\nspec:\n  waivers:\n    - { assertion: close, subject: '${subject}', reason: r, owner: o, expires: 2999-01-01 }\n`;

describe("the template of GitLab, as its runner takes it", { timeout: 120_000 }, () => {
  it("passes where the clusters agree, and keeps what GitLab shows", async (context) => {
    const { mergeRequest, read } = await project(context, EVEN, {});
    const { code, log } = await mergeRequest();
    expect(code, log).toBe(0);
    expect(log).toContain("HOLDS");
    expect(await read(".gitlab-ci-local/artifacts/cloud-assert/cloud-assert.json")).toContain('"holds"');
  });

  it("fails where they do not, whatever the commit itself accepts", async (context) => {
    const { mergeRequest } = await project(context, SKEWED, { "waivers.yaml": WAIVERS("gke/shop/old") });
    const { code, log } = await mergeRequest({ CLOUD_ASSERT_WAIVERS: "waivers.yaml" });
    expect([code, log.includes("VIOLATED")], log).toEqual([1, true]);
  });

  it("says which requests change, which fails nothing", async (context) => {
    const { mergeRequest, read } = await project(context, { ...EVEN, "mesh/shop.yaml": SERVICE("/api") }, { "mesh/shop.yaml": SERVICE("/v2") });
    const { code, log } = await mergeRequest({ CLOUD_ASSERT_ROUTES: "mesh" });
    expect(code, log).toBe(0);
    expect(await read(".gitlab-ci-local/artifacts/cloud-assert-changes/cloud-assert-changes.md")).toContain("GET http://shop.example/");
  });
});
