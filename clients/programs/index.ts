import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { CollectError } from "#engine";
import { codeOf, ended } from "../kubernetes/faults.ts";

/** A program of the user's, run for what it prints. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  /** What it reads; left out: its input is closed. */
  readonly input?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly limitMs: number;
  readonly limitBytes: number;
}

/** What went wrong, in the words of whoever runs it. */
export interface ProgramFaults {
  /** The system does not start it: `ENOENT`, `EACCES` … */
  cannotStart(code: string): CollectError;
  late(): CollectError;
  tooLong(): CollectError;
  /** `exit code 1`, or the signal that ended it. */
  failed(how: string): CollectError;
}

/**
 * Standard output of a program that ended with 0.
 *
 * 1. No shell; its input is closed behind what it is given, so that a question of it ends it; what it writes to stderr goes nowhere, for it may hold a secret.
 * 2. It and whatever it started are killed at the limits and at the end of the run.
 */
export async function outputOf(program: Program, faults: ProgramFaults): Promise<Buffer> {
  const { signal, limitMs, limitBytes } = program;
  if (signal.aborted) throw ended(signal);
  const child = start(program, faults);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;

  const stop = (error: CollectError) => {
    killGroup(child);
    // Whoever left the group may still hold the pipe, and would keep this process alive.
    child.stdout.destroy();
    child.stdin.destroy();
    reject(error);
  };
  const abort = () => stop(ended(signal));
  const timer = setTimeout(() => stop(faults.late()), limitMs);
  signal.addEventListener("abort", abort, { once: true });

  // A program that does not read is no fault.
  child.stdin.on("error", () => undefined).end(program.input ?? "");
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limitBytes) stop(faults.tooLong());
    else chunks.push(chunk);
  });
  child.on("error", (error) => reject(faults.cannotStart(codeOf(error))));
  child.on("close", (code, killedBy) => {
    if (code === 0) resolve(Buffer.concat(chunks));
    else reject(faults.failed(code === null ? String(killedBy) : `exit code ${code}`));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  });
}

function start({ command, args, cwd, env }: Program, faults: ProgramFaults): ChildProcessByStdio<Writable, Readable, null> {
  try {
    // A group of its own, so that a hanging program takes those that it started with it.
    return spawn(command, args, { cwd, env: { ...env }, stdio: ["pipe", "pipe", "ignore"], detached: true });
  } catch (error) {
    // Node quotes the argument that it minds, such as one with a null byte.
    throw faults.cannotStart(codeOf(error));
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
