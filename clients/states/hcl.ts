import { Worker } from "node:worker_threads";
import { CollectError } from "#engine";
import type { Answered, Asked } from "./hcl-worker.ts";
import { ended } from "../kubernetes/faults.ts";

/** For one file; thousands of lines take tenths of a second. */
const LONGEST_MS = 30_000;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  readonly shown: string;
}

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, Waiting>();

/**
 * HCL as plain JSON: blocks are lists, expressions are texts with `${`. Nothing is evaluated.
 *
 * One thread with one instance of Terraform's own parser is shared by all who ask, and is started by the first.
 * Throws CollectError with file and line where the text is not HCL.
 */
export async function parseHcl(text: string, shown: string, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) throw ended(signal);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const id = ++lastId;
  const thread = (worker ??= start());
  waiting.set(id, { resolve, reject, shown });
  // Only while somebody waits does the thread keep the process alive.
  thread.ref();
  thread.postMessage({ id, text } satisfies Asked);
  const abort = () => reject(ended(signal));
  const timer = setTimeout(() => {
    reject(new CollectError(`\`${shown}\` takes the parser longer than ${LONGEST_MS / 1000} s`, { remedy: "name the state itself in place of the folder" }));
    void stop();
  }, LONGEST_MS);
  signal.addEventListener("abort", abort, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    waiting.delete(id);
    if (waiting.size === 0) worker?.unref();
  });
}

function start(): Worker {
  const thread = new Worker(new URL("./hcl-worker.ts", import.meta.url), { stdout: true, stderr: true, env: {} });
  thread.on("message", (answer: Answered) => {
    const asked = waiting.get(answer.id);
    if ("value" in answer) asked?.resolve(answer.value);
    else asked?.reject(noHcl(answer.fault, asked.shown));
  });
  const died = () => {
    if (worker === thread) worker = undefined;
    for (const { reject, shown } of waiting.values()) reject(new CollectError(`the parser of HCL ended over \`${shown}\``, { remedy: "name the state itself in place of the folder; where no folder can be read, install cloud-assert again" }));
  };
  thread.on("error", died);
  thread.on("exit", died);
  return thread;
}

async function stop(): Promise<void> {
  const thread = worker;
  worker = undefined;
  await thread?.terminate();
}

/** The parser says `[here:LINE,FROM-TO: summary; detail]`; a summary is one of its own sentences, a detail may quote the text. */
function noHcl(said: string, shown: string): CollectError {
  const [, line, column, summary] = /here:(\d{1,9}),(\d{1,9})(?:-[\d,]+)?: ([A-Za-z][A-Za-z ,'-]{0,80})/.exec(said) ?? [];
  const where = line === undefined ? `\`${shown}\`` : `${shown}:${line}:${column ?? "1"}`;
  const what = summary === undefined ? "" : ` (${summary.trim().toLowerCase()})`;
  return new CollectError(`${where} is not valid HCL${what}`, { remedy: "correct it; `terraform validate` tells more" });
}
