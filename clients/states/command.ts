import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { CollectError } from "#engine";
import { codeOf, ended } from "../kubernetes/faults.ts";
import type { CommandPlace, Reading } from "./place.ts";
import { largest, type Found } from "./read.ts";

/**
 * What a program prints, as a state.
 *
 * 1. No shell; its input is closed, so that a question of it ends it; what it writes to stderr goes nowhere, for it may hold a secret.
 * 2. It and whatever it started are killed at the limit, at the end of the run, and where it prints more than a state may have.
 * 3. Terraform asks nothing, calls home for nothing and takes the workspace of the source.
 */
export async function readCommand(place: CommandPlace, { env, signal, limits }: Reading): Promise<Found> {
  if (signal.aborted) throw ended(signal);
  const [program = "", ...words] = place.command;
  const child = start(program, words, place, env);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;

  const stop = (error: CollectError) => {
    killGroup(child);
    // Whoever left the group may still hold the pipe, and would keep this process alive.
    child.stdout.destroy();
    reject(error);
  };
  const abort = () => stop(ended(signal));
  const timer = setTimeout(() => {
    stop(fault(program, `did not end within ${limits.commandMs / 1000} s`, "run it by hand: it may wait for an answer, a login or the network"));
  }, limits.commandMs);
  signal.addEventListener("abort", abort, { once: true });

  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.stateBytes) stop(largest(`the output of the command \`${program}\``, limits.stateBytes));
    else chunks.push(chunk);
  });
  child.on("error", (error) => reject(cannotStart(program, codeOf(error))));
  child.on("close", (code, killedBy) => {
    if (code === 0) resolve(Buffer.concat(chunks));
    else reject(fault(program, `failed (${code === null ? killedBy : `exit code ${code}`})`, "run it by hand in the folder of the fleet file to see why; `terraform init` may have to come first"));
  });
  const bytes = await promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
  return { bytes, locator: `command ${program}` };
}

function start(program: string, words: readonly string[], { cwd, workspace }: CommandPlace, env: Reading["env"]): ChildProcessByStdio<null, Readable, null> {
  const around = { ...env, TF_IN_AUTOMATION: "1", TF_INPUT: "0", CHECKPOINT_DISABLE: "1", ...(workspace === undefined ? {} : { TF_WORKSPACE: workspace }) };
  try {
    // A group of its own, so that a hanging program takes those that it started with it.
    return spawn(program, words, { cwd, env: around, stdio: ["ignore", "pipe", "ignore"], detached: true });
  } catch (error) {
    // Node quotes the argument that it minds, such as one with a null byte.
    throw cannotStart(program, codeOf(error));
  }
}

/** Also where the program itself has ended: what it left behind still holds the pipe, or there would be nothing to stop. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

function cannotStart(program: string, code: string): CollectError {
  if (code === "ENOENT") return fault(program, "is not installed", `install \`${program}\` or put it in PATH; a relative path starts at the folder of the fleet file`);
  if (code === "EACCES") return fault(program, "cannot be started (EACCES)", "make it executable for this user");
  return fault(program, `cannot be started (${code})`, "check the words of `command`");
}

function fault(program: string, what: string, remedy: string): CollectError {
  return new CollectError(`the command \`${program}\` ${what}`, { remedy });
}
