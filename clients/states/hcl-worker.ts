import { parentPort } from "node:worker_threads";
import { parse } from "@cdktf/hcl2json";

/** A text to parse, with a number by which its answer is known. */
export interface Asked {
  readonly id: number;
  readonly text: string;
}

/** What became of it: JSON, or what the parser says. */
export type Answered = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly fault: string };

// The one thread with the WebAssembly of Terraform's parser in it; what kills it kills no run.
parentPort?.on("message", ({ id, text }: Asked) => {
  void parse("here", text).then(
    (value: unknown) => parentPort?.postMessage({ id, value } satisfies Answered),
    (error: unknown) => parentPort?.postMessage({ id, fault: error instanceof Error ? error.message : "" } satisfies Answered),
  );
});
