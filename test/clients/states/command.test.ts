import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { CANARY, folderOf, read, STATE, textOf, told } from "./support.ts";

const env = { PATH: process.env["PATH"] };
const command = (cwd: string, ...words: readonly [string, ...string[]]) => ({ form: "command" as const, command: words, cwd });
const shell = (cwd: string, script: string) => command(cwd, "sh", "-c", script);

describe("a command that prints a state", () => {
  it("runs in the folder of the fleet file, without a shell of ours, and what it prints is the state", async () => {
    await using folder = await folderOf({ "print-it": '#!/bin/sh\ncat "$1"\n', "a $HOME.json": STATE });
    await chmod(join(folder.path, "print-it"), 0o755);
    const state = await read(command(folder.path, "./print-it", "a $HOME.json"), { env });
    expect(textOf(state)).toBe(STATE);
    expect(state).toMatchObject({ locator: "command ./print-it" });
    expect(state.modified).toBeUndefined();
    expect(state.locked).toBeUndefined();
  });

  it("asks nothing and calls home for nothing where it is Terraform, and takes the workspace", async () => {
    await using folder = await folderOf({});
    const place = { ...shell(folder.path, 'echo "$TF_IN_AUTOMATION $TF_INPUT $CHECKPOINT_DISABLE $TF_WORKSPACE"'), workspace: "prod" };
    expect(textOf(await read(place, { env }))).toBe("1 0 1 prod\n");
  });

  it("that prints nothing says that nothing was written yet", async () => {
    expect((await read(command("/", "true"), { env })).bytes).toHaveLength(0);
  });

  const faults: readonly (readonly [claim: string, script: string, expected: RegExp])[] = [
    ["one that fails and tells secrets on stderr", `echo ${CANARY} >&2; echo ${CANARY}; exit 3`, /^the command `sh` failed \(exit code 3\) \| run it by hand/],
    ["one that asks: its input is closed", `read answer || exit 7; echo "$answer"`, /^the command `sh` failed \(exit code 7\)/],
    ["one that kills itself", `kill -9 $$`, /^the command `sh` failed \(SIGKILL\)/],
    ["one that hangs, with what it started", `sleep 100 & echo $! > pid; wait`, /^the command `sh` did not end within 0\.3 s/],
    ["one that leaves a child behind that holds its output", `sleep 100 & echo $! > pid`, /^the command `sh` did not end within 0\.3 s/],
    ["one that prints without end", `while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done`, /^the output of the command `sh` is larger than the limit of 0\.1 MB/],
  ];
  it.each(faults)("%s", async (_, script, expected) => {
    await using folder = await folderOf({});
    expect(await told(read(shell(folder.path, script), { env: { ...env, SECRET: CANARY } }, { commandMs: 300, stateBytes: 100_000 }))).toMatch(expected);
    const pid = Number(await readFile(join(folder.path, "pid"), "utf8").catch(() => "0"));
    if (pid > 0) await gone(pid);
  });

  it("that is not there, may not be run, or has words that no program can have", async () => {
    await using folder = await folderOf({ plain: "" });
    expect(await told(read(command(folder.path, "./nowhere"), { env }))).toMatch(/^the command `.\/nowhere` is not installed/);
    expect(await told(read(command(folder.path, "./plain"), { env }))).toMatch(/^the command `.\/plain` cannot be started \(EACCES\) \| make it executable/);
    expect(await told(read(command(folder.path, "true", `${CANARY}\0`), { env }))).toMatch(/^the command `true` cannot be started \(ERR_INVALID_ARG_VALUE\)/);
  });

  it("ends with the run", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect(await told(read(shell("/", "sleep 100"), { env, signal: stop.signal }))).toMatch(/^the run ended before this was read/);
  });
});

/** Waits until a process is no more, or is one that nobody has waited for. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (stat === undefined || /\) Z /.test(stat)) return;
    await sleep(20);
  }
  throw new Error(`process ${pid} still runs`);
}
