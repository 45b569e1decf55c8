import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { runWorkflow } from "../parts/act.ts";
import { scratchFolder } from "../parts/process.ts";
import { programs } from "./ground.ts";

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

/** This repository as a checkout has it, and the folders by which its workflows find `npm`: one that brings the packages that are here. */
async function checkout(): Promise<{ readonly folder: string; readonly path: string }> {
  const scratch = await scratchFolder("checkout");
  const [folder, bin] = [path.join(scratch, "repository"), path.join(scratch, "bin")];
  const left = new Set([".git", "node_modules", "dist"].map((name) => path.join(ROOT, name)));
  await cp(ROOT, folder, { recursive: true, filter: (file) => !left.has(file) });
  await mkdir(bin);
  await writeFile(path.join(bin, "npm"), `#!/bin/sh\n[ "$*" = ci ] && ln -s '${path.join(ROOT, "node_modules")}' node_modules\n`, { mode: 0o755 });
  await run("git", ["init", "-q", "-b", "main"], { cwd: folder });
  return { folder, path: `${bin}:${process.env["PATH"] ?? ""}` };
}

/** In place of an action that prepares a machine: this one is prepared. */
async function nothing(): Promise<string> {
  const folder = await scratchFolder("nothing");
  await writeFile(path.join(folder, "action.yml"), JSON.stringify({ name: "nothing", description: "nothing", inputs: { "node-version": { description: "unused" } }, runs: { using: "composite", steps: [{ shell: "sh", run: ":" }] } }));
  return folder;
}

describe("the gate on our own fixtures", { timeout: 120_000 }, () => {
  const gateOf = async (program: string, folder: string, folders: string) => {
    const steps = (await workflow("consistency.yml")).jobs["gate"]?.steps ?? [];
    const prepares = steps.flatMap(({ uses = "" }) => (uses.startsWith("actions/setup-node@") ? [uses] : []));
    const stub = await nothing();
    return runWorkflow(program, { checkout: folder, name: "consistency.yml", event: "push", actions: Object.fromEntries(prepares.map((name) => [name, stub])), path: folders });
  };

  it("is red where the fleet is skewed and green where it is not", async (context) => {
    const { act } = await programs(["act"], context);
    const { folder, path: folders } = await checkout();
    const { result, log } = await gateOf(act, folder, folders);
    expect(result, log).toBe("success");
    expect(log).toContain("HOLDS");
  });

  it("fails where the skewed fleet is not red any more", async (context) => {
    const { act } = await programs(["act"], context);
    const { folder, path: folders } = await checkout();
    const assertions = path.join(folder, "fixtures/three-clouds/assertions");
    const held = (await readFile(path.join(assertions, "mesh.yaml"), "utf8")).split(/^---$/m).filter((document) => document.includes("name: gateways-close-together"));
    await rm(assertions, { recursive: true });
    await mkdir(assertions);
    await writeFile(path.join(assertions, "mesh.yaml"), held.join("---\n"));
    expect((await gateOf(act, folder, folders)).result).toBe("failure");
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
        // a tag of theirs may move, a commit may not
        expect(step.uses ?? "./").toMatch(/^\.\/|@[0-9a-f]{40}$/);
        if (step.uses?.startsWith("actions/checkout@") === true) expect(step).toMatchObject({ with: { "persist-credentials": false } });
        // what others write reaches a script as a variable only
        expect(step.run ?? "").not.toMatch(/\$\{\{ *(github\.(event|head_ref)|inputs|steps)\b/);
      }
    }
  });
});
