import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { scratchFolder } from "../parts/process.ts";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");
const FOLDER = path.join(ROOT, ".github/workflows");

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly "working-directory"?: string;
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly permissions?: Readonly<Record<string, string>>; readonly "timeout-minutes"?: number; readonly uses?: string; readonly steps?: readonly Step[] }>>;
}

async function workflow(name: string): Promise<Workflow> {
  return load(await readFile(path.join(FOLDER, name), "utf8")) as Workflow;
}

describe("the gate on our own fixtures", { timeout: 120_000 }, () => {
  it("is red where the fleet is skewed and green where it is not, by the very steps of the workflow", async () => {
    const { gate } = (await workflow("consistency.yml")).jobs;
    const temp = await scratchFolder("gate");
    const steps = (gate?.steps ?? []).filter(({ name }) => name !== undefined);
    expect(steps.map(({ name }) => name)).toEqual(["red, as it must be", "green, as it must be"]);
    for (const { run: script = "", "working-directory": folder = "." } of steps) {
      await run("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], { cwd: path.join(ROOT, folder), env: { PATH: process.env["PATH"] ?? "", RUNNER_TEMP: temp } });
    }
    expect((await readdir(temp)).toSorted()).toEqual(["annotations.txt", "red.html", "red.sarif"]);
    expect(await readFile(path.join(temp, "annotations.txt"), "utf8")).toMatch(/^::error /);
  });
});

describe("every workflow", async () => {
  it.each(await readdir(FOLDER))("%s has least permissions, ends by itself, and leaves no token in the checkout", async (name) => {
    const { permissions, jobs } = await workflow(name);
    expect(permissions).toMatchObject({ contents: "read" });
    for (const job of Object.values(jobs)) {
      if (job.uses !== undefined) continue;
      expect(job["timeout-minutes"]).toBeGreaterThan(0);
      for (const step of job.steps ?? []) {
        if (step.uses?.startsWith("actions/checkout@") === true) expect(step).toMatchObject({ with: { "persist-credentials": false } });
        // what others write reaches a script as a variable only
        expect(step.run ?? "").not.toMatch(/\$\{\{ *(github\.(event|head_ref)|inputs|steps)\b/);
      }
    }
  });
});
