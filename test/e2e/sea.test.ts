import { execFile } from "node:child_process";
import { chmod, cp, mkdir, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../parts/process.ts";

const ROOT = path.join(import.meta.dirname, "../..");

let folder: string;
let executable: string;

beforeAll(async () => {
  folder = await scratchFolder("executable");
  executable = path.join(folder, "cloud-assert");
  expect((await ended(process.execPath, [path.join(ROOT, "tools/sea.ts"), executable], ROOT, folder)).code).toBe(0);
  await cp(path.join(ROOT, "fixtures/three-clouds"), path.join(folder, "world"), { recursive: true });
});

describe("the single-file executable", () => {
  const words = ["run", "--now", "2026-11-20T09:00:00Z", "-o", "json"];

  it("needs nothing beside itself, and judges as the source tree does, also when it is started again", async () => {
    const home = await homeOf("one");
    const source = await ended(process.execPath, [path.join(ROOT, "cli/bin.mjs"), ...words], path.join(folder, "world"), home);
    for (const _ of ["first", "again"]) {
      const own = await ended(executable, words, path.join(folder, "world"), home);
      expect([own.code, own.stderr]).toEqual([1, ""]);
      expect(own.stdout).toBe(source.stdout);
    }
    expect(await readdir(path.join(home, ".cache/cloud-assert/release"))).toHaveLength(1);
  });

  it("parses HCL in its thread, and finds its own files", async () => {
    const home = await homeOf("two");
    expect((await ended(executable, ["completion", "zsh"], folder, home)).stdout).toContain("#compdef");
    const { stdout, code } = await ended(executable, ["run", "--fleet", "dir.yaml", "-o", "json"], await withDir(), home);
    expect([code, stdout]).toEqual([2, expect.stringContaining("infra/main.tf:2")]);
  });

  it("works where there is no home, and leaves nothing behind", async () => {
    const before = await leftovers();
    expect(await ended(executable, ["--version"], folder, "/nonexistent")).toMatchObject({ code: 0, stderr: "" });
    expect(await leftovers()).toEqual(before);
  });

  it("does not start what others could have written, and unpacks anew", async () => {
    const home = await homeOf("three");
    await ended(executable, ["--version"], folder, home);
    const [name = ""] = await readdir(path.join(home, ".cache/cloud-assert/release"));
    const place = path.join(home, ".cache/cloud-assert/release", name);
    await chmod(place, 0o777);
    const { ino } = await stat(place);
    expect((await ended(executable, ["--version"], folder, home)).code).toBe(0);
    expect((await stat(place)).mode & 0o777).toBe(0o700);
    expect((await stat(place)).ino).not.toBe(ino);
  });
});

async function homeOf(name: string): Promise<string> {
  const home = path.join(folder, name);
  await mkdir(home);
  return home;
}

/** A fleet whose Terraform configuration is not HCL. */
async function withDir(): Promise<string> {
  const { writeFile } = await import("node:fs/promises");
  const desk = path.join(folder, "hcl");
  await mkdir(path.join(desk, "infra"), { recursive: true });
  await mkdir(path.join(desk, "dump"));
  await writeFile(path.join(desk, "dump/version.yaml"), "serverVersion: { gitVersion: v1.33.4-eks-1 }\n");
  await writeFile(path.join(desk, "infra/main.tf"), "terraform {\n  backend \"s3\" {{\n");
  await writeFile(path.join(desk, "dir.yaml"), JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Fleet", metadata: { name: "f" }, spec: { clusters: [{ name: "a", kubernetes: { manifests: "dump", complete: true }, terraform: { dir: "infra" } }] } }));
  return desk;
}

async function leftovers(): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith("cloud-assert-"));
}

function ended(program: string, words: readonly string[], cwd: string, home: string): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, [...words], { cwd, env: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: folder, NO_COLOR: "1" }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}
