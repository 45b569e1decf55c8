import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { root } from "../support/room.ts";
import { BIN } from "./shell.ts";

const run = promisify(execFile);
const around = { cwd: root, env: { PATH: process.env["PATH"] ?? "", HOME: root } };

describe("the README", { timeout: 60_000 }, () => {
  it("shows what the command prints, neither more nor less", async () => {
    const [, command = "", shown = ""] = /```\n\$ assert (.*)\n\n([\s\S]*?)```/.exec(await readFile(join(root, "README.md"), "utf8")) ?? [];
    const ended: unknown = await run(process.execPath, [BIN, ...command.split(" ")], around).catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: 1, stdout: shown });
  });
});

describe("the page on counterexamples", { timeout: 60_000 }, () => {
  it("explains what a run prints", async () => {
    const [, shown = ""] = /```\n([\s\S]*?)```/.exec(await readFile(join(root, "docs/reading-a-counterexample.md"), "utf8")) ?? [];
    const ended: unknown = await run(process.execPath, [BIN, "run", "--now", "2026-11-20T09:00:00Z"], { ...around, cwd: join(root, "fixtures/three-clouds") }).catch((error: unknown) => error);
    const printed = (ended as { readonly stdout: string }).stdout.split("\n");
    expect(shown.split("\n").filter((line) => !printed.includes(line))).toEqual([]);
    expect(shown).toContain("curl");
  });
});

describe("npm start", { timeout: 60_000 }, () => {
  it("prints the command, its report and what its exit code means, and ends with 0 itself", async () => {
    const { stdout, stderr } = await run(process.execPath, [join(root, "tools/demo.ts")], around);
    expect(stderr).toBe("");
    expect(stdout).toContain("$ assert run fixtures/three-clouds/assertions --fleet fixtures/three-clouds/assert.yaml --now ");
    for (const verdict of ["✗ sidecars-close-together  violated", "✗ wasm-identical  violated", "? waypoints-close-together  undecided", "✓ gateways-close-together  holds"]) expect(stdout).toContain(verdict);
    expect(stdout).toContain("exit code 1: something is violated");
  });
});
