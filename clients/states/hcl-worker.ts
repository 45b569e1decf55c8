import { parentPort } from "node:worker_threads";
import { parse } from "@cdktf/hcl2json";

/** A text to parse. One at a time: the next comes when this one is answered. */
export interface Asked {
  readonly text: string;
}

/** What became of it: JSON, or what the parser says. */
export type Answered = { readonly value: unknown } | { readonly fault: string };

// The one thread with the WebAssembly of Terraform's parser in it; what kills it kills no run.
parentPort?.on("message", ({ text }: Asked) => {
  void parse("here", text).then(
    (value: unknown) => parentPort?.postMessage({ value } satisfies Answered),
    (error: unknown) => parentPort?.postMessage({ fault: error instanceof Error ? error.message : "" } satisfies Answered),
  );
});
