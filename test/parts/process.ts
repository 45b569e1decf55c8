import { execFile, spawn, type ChildProcess } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A program started for a test. */
export interface Running {
  readonly pid: number;
  /** What it has printed so far, both streams. */
  log(): string;
  /** True once it has ended. */
  ended(): boolean;
  /** Asks it to end, and insists after five seconds. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program that ends with this process at the latest, whatever ends this process. */
export async function start(file: string, args: readonly string[], { logFile, env }: StartOptions): Promise<Running> {
  const log = openSync(logFile, "a");
  const child = spawn(file, args, { stdio: ["ignore", log, log], env: { ...process.env, ...env } });
  const over = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  const pid = child.pid ?? 0;
  tellReaper(`p${pid}`);

  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid,
    ended,
    log: () => readFileSync(logFile, "utf8"),
    async stop() {
      process.kill(pid, "SIGCONT");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await over;
      clearTimeout(late);
      tellReaper(`q${pid}`);
    },
  };
}

/** A folder that is deleted when this process ends, whatever ends it. */
export async function scratchFolder(name: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `cloud-assert-${name}-`));
  tellReaper(`d${folder}`);
  return folder;
}

/** Ports on 127.0.0.1 that nobody listened on a moment ago; whoever takes one must be ready to try others. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  })));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Waits until `ask` is true; fails with `what` after two minutes or when `broken` says why it never will be. */
export async function until(what: string, ask: () => Promise<boolean>, broken: () => string | undefined = () => undefined): Promise<void> {
  for (let tries = 0; tries < 2_400; tries++) {
    if (await ask()) return;
    const why = broken();
    if (why !== undefined) throw new Error(`${what}: ${why}`);
    await sleep(50);
  }
  throw new Error(`${what}: still not so after two minutes`);
}

/** Gives this machine an address of its own that is not loopback, until this process ends. Fails without the right to (root). */
export async function ownAddress(): Promise<string> {
  const link = `assert${process.pid % 100_000_000}`;
  // 198.18.0.0/15 is set aside for tests between devices; nothing is routed there, the kernel answers by itself.
  const address = `198.18.${(process.pid >> 8) % 256}.${process.pid % 256}`;
  // Some kernels are built without dummy devices; a bridge without ports does as well.
  await run("ip", ["link", "add", link, "type", "dummy"]).catch(() => run("ip", ["link", "add", link, "type", "bridge"]));
  tellReaper(`i${link}`);
  await run("ip", ["address", "add", `${address}/32`, "dev", link]);
  await run("ip", ["link", "set", link, "up"]);
  return address;
}

let reaper: ChildProcess | undefined;

/**
 * A shell that outlives this process by a moment: when the pipe to it closes (for this is what happens at any end of this
 * process, SIGKILL included) it ends the programs it was told of and deletes folders and network links.
 */
function tellReaper(line: string): void {
  reaper ??= spawn("sh", ["-c", REAPER], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  reaper.unref();
  const { stdin } = reaper;
  if (stdin === null) return;
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  stdin.write(`${line}\n`);
}

const REAPER = `
trap '' INT TERM HUP
pids=' ' folders= links=
while IFS= read -r line; do
  rest=\${line#?}
  case $line in
    p*) pids="$pids$rest " ;;
    q*) pids="\${pids%% $rest *} \${pids#* $rest }" ;;
    i*) links="$links $rest" ;;
    d*) folders="$folders
$rest" ;;
  esac
done
for pid in $pids; do kill -KILL "$pid"; done
for link in $links; do ip link delete "$link"; done
sleep 0.2
printf '%s\\n' "$folders" | while IFS= read -r folder; do [ -n "$folder" ] && rm -rf "$folder"; done
`;
