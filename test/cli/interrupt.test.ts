import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { EVEN, fleet, LOUD, NOW, shell } from "./shell.ts";

/** A server that takes connections and never says a word. */
async function silent(): Promise<AsyncDisposable & { readonly port: number; readonly met: Promise<void> }> {
  const met = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    met.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    met: met.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A kubeconfig, the default one of the folder, whose one context leads there. */
function kubeconfig(port: number): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "mute", context: { cluster: "c", user: "u" } }],
  });
}

// Nothing here but the signal can end a command in the time that a test has: the budget of a cluster is longer.
const LONG = ["--cluster-timeout", "1h"];

describe("a command that is interrupted ends with 130, has written nothing and prints nothing", { timeout: 60_000 }, () => {
  const commands: readonly (readonly [signal: NodeJS.Signals, words: readonly string[]])[] = [
    ["SIGINT", ["run", "-o", "json=report.json", "-o", "terminal"]],
    ["SIGTERM", ["run"]],
    ["SIGHUP", ["run"]],
    ["SIGINT", ["collect", "--out", "saved"]],
    ["SIGINT", ["doctor"]],
    ["SIGINT", ["run", "--confirm", "3", "--timeout", "1h"]],
  ];
  it.each(commands)("%s in `assert %j`", async (signal, words) => {
    await using server = await silent();
    await using here = await shell({ ...EVEN, ".kube/config": kubeconfig(server.port), "assert.yaml": fleet("eks", { name: "mute", kubernetes: { context: "mute" } }) });
    const before = await readdir(here.path);
    const { child, ended } = here.begin([...words, ...LONG]);
    await server.met;
    child.kill(signal);
    expect(await ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(await readdir(here.path)).toEqual(before);
  });

  it("`assert init`", async () => {
    await using server = await silent();
    await using here = await shell({ ".kube/config": kubeconfig(server.port) });
    const { child, ended } = here.begin(["init", ...LONG]);
    await server.met;
    child.kill("SIGINT");
    expect(await ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(await readdir(here.path)).toEqual([".kube"]);
  });

  it("twice, as a launcher and a terminal may both pass it on", async () => {
    await using server = await silent();
    await using here = await shell({ ...EVEN, ".kube/config": kubeconfig(server.port), "assert.yaml": fleet({ name: "mute", kubernetes: { context: "mute" } }) });
    const { child, ended } = here.begin(["run", ...LONG]);
    await server.met;
    child.kill("SIGINT");
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
  });

  it("while nobody reads what it prints", async () => {
    const loud = { "assertions/mesh.yaml": "{apiVersion: cloud-assert/v1, kind: Loud, metadata: {name: x}, spec: {lines: 50000}}" };
    await using here = await shell({ ...EVEN, ...LOUD, ...loud });
    const { child, ended } = here.begin(["run", "-v", "--plugin", "mine", "-o", "json=report.json", "-o", "terminal", ...NOW]);
    child.stdout.pause();
    // files are written before stdout, which then holds more than any pipe
    while (!existsSync(join(here.path, "report.json")) && child.exitCode === null) await wait(20);
    const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    expect(await exit).toBe(130);
    child.stdout.resume();
    await ended;
  });
});

describe("a budget that ends is no interruption", { timeout: 60_000 }, () => {
  it.each([
    ["--cluster-timeout", "`mute` took longer than its 5s", "give it more time with --cluster-timeout, or see why it is slow"],
    ["--timeout", "the run took longer than its 5s", "give it more time with --timeout, or see why it is slow"],
  ])("%s: a gap of the silent cluster with the flag to use, the others are judged, 2", async (flag, reason, remedy) => {
    await using server = await silent();
    await using here = await shell({ ...EVEN, ".kube/config": kubeconfig(server.port), "assert.yaml": fleet("eks", { name: "mute", kubernetes: { context: "mute" } }) });
    const { code, stdout, stderr } = await here.assert("run", "-o", "json", flag, "5s", ...NOW);
    expect([code, stderr]).toEqual([2, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      clusters: [{ name: "eks", reachable: true }, { name: "mute", reachable: false }],
      results: [{ gaps: [{ cluster: "mute", reason, remedy }], coverage: { judged: 1 } }],
    });
  });
});
