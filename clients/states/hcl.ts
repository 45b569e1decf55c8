import { Worker } from "node:worker_threads";
import { CollectError } from "#engine";
import type { Answered, Asked } from "./hcl-worker.ts";
import { ended } from "../kubernetes/faults.ts";

/** For one file, from when its turn has come; thousands of lines take tenths of a second. */
const LONGEST_MS = 30_000;

/** What a thread may take besides the parser's own memory; a file of 16 MB stays far below. */
const MOST_MEMORY_MB = 1024;

interface Job {
  readonly text: string;
  readonly shown: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const NAME_THE_STATE = "name the state itself in place of the folder";

/**
 * Files that are parsed one after the other, by one thread with one instance of Terraform's own parser.
 *
 * Guarantees:
 *
 * 1. There is one thread at most, the one before has ended when another starts. The first who asks starts it.
 * 2. The time for a file begins when its turn has come; a file that takes too long, ends the thread or leaves the parser in doubt
 *    costs no other file its answer.
 * 3. The thread keeps the process alive only while somebody waits.
 */
export class HclParser {
  readonly #start: () => Worker;
  readonly #longestMs: number;
  readonly #queue: Job[] = [];
  #thread: Worker | undefined;
  #running = false;

  constructor(start: () => Worker, longestMs: number = LONGEST_MS) {
    this.#start = start;
    this.#longestMs = longestMs;
  }

  /** HCL as plain JSON: blocks are lists, expressions are texts with `${`. Nothing is evaluated. Throws CollectError with file and line where the text is not HCL. */
  async parse(text: string, shown: string, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) throw ended(signal);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const job: Job = { text, shown, resolve, reject };
    this.#queue.push(job);
    const abort = () => {
      const at = this.#queue.indexOf(job);
      if (at >= 0) this.#queue.splice(at, 1);
      else this.#thread?.unref();
      reject(ended(signal));
    };
    signal.addEventListener("abort", abort, { once: true });
    void this.#work();
    return promise.finally(() => signal.removeEventListener("abort", abort));
  }

  async #work(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) await this.#one(job);
    this.#running = false;
    this.#thread?.unref();
  }

  async #one({ text, shown, resolve, reject }: Job): Promise<void> {
    const thread = (this.#thread ??= this.#begin());
    thread.ref();
    const answer = await this.#answer(thread, text);
    if (answer !== "ended" && answer !== "late" && "value" in answer) return resolve(answer.value);
    const isOwn = typeof answer === "object" && answer.fault.startsWith(OWN_WORDS);
    // What the parser says in its own words leaves it as it was; whatever else it throws (a stack that is full) may have broken it.
    if (!isOwn) await this.#end(thread);
    reject(typeof answer === "object" ? (isOwn ? noHcl(answer.fault, shown) : unread(shown)) : answer === "late" ? late(shown, this.#longestMs) : died(shown));
  }

  async #answer(thread: Worker, text: string): Promise<Answered | "ended" | "late"> {
    const { promise, resolve } = Promise.withResolvers<Answered | "ended" | "late">();
    const onEnd = () => resolve("ended");
    const timer = setTimeout(() => resolve("late"), this.#longestMs);
    thread.once("message", resolve).once("error", onEnd).once("exit", onEnd);
    thread.postMessage({ text } satisfies Asked);
    const answer = await promise;
    clearTimeout(timer);
    thread.off("message", resolve).off("error", onEnd).off("exit", onEnd);
    return answer;
  }

  #begin(): Worker {
    const thread = this.#start();
    // Between two files nobody else listens: an error would end the process, and a thread that is gone would never answer.
    thread.on("error", () => undefined).on("exit", () => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    return thread;
  }

  async #end(thread: Worker): Promise<void> {
    this.#thread = undefined;
    await thread.terminate();
  }
}

const shared = new HclParser(() => new Worker(new URL("./hcl-worker.ts", import.meta.url), { stdout: true, stderr: true, env: {}, resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB } }));

/** Parses with the one thread that all share. See {@link HclParser}. */
export async function parseHcl(text: string, shown: string, signal: AbortSignal): Promise<unknown> {
  return shared.parse(text, shown, signal);
}

function late(shown: string, longestMs: number): CollectError {
  return new CollectError(`\`${shown}\` takes the parser longer than ${longestMs / 1000} s`, { remedy: NAME_THE_STATE });
}

function died(shown: string): CollectError {
  return new CollectError(`the parser of HCL ended over \`${shown}\``, { remedy: `${NAME_THE_STATE}; where no folder can be read, install cloud-assert again` });
}

function unread(shown: string): CollectError {
  return new CollectError(`the parser of HCL cannot read \`${shown}\`: it nests too deep, or is too large`, { remedy: NAME_THE_STATE });
}

const OWN_WORDS = "parse config:";

/** The parser says `[here:LINE,FROM-TO: summary; detail]`; a summary is one of its own sentences, a detail may quote the text. */
function noHcl(said: string, shown: string): CollectError {
  const [, line, column, summary] = /here:(\d{1,9}),(\d{1,9})(?:-[\d,]+)?: ([A-Za-z][A-Za-z ,'-]{0,80})/.exec(said) ?? [];
  const where = line === undefined ? `\`${shown}\`` : `${shown}:${line}:${column ?? "1"}`;
  const what = summary === undefined ? "" : ` (${summary.trim().toLowerCase()})`;
  return new CollectError(`${where} is not valid HCL${what}`, { remedy: "correct it; `terraform validate` tells more" });
}
