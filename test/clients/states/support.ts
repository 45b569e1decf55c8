import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CollectError, type StateBytes } from "#engine";
import { openStates, type StateLimits, type StatePlace, type StateSurroundings } from "../../../clients/states/index.ts";

/** A value that no output, error or report may ever hold. */
export const CANARY = "canary-5e2b81";

/** A small state with a secret in it. */
export const STATE = JSON.stringify({
  version: 4,
  terraform_version: "1.11.4",
  serial: 3,
  lineage: "7f0c7c1e-7d6c-4d2f-9d55-3d1e8d5b7a10",
  outputs: { kubeconfig: { value: CANARY, type: "string", sensitive: true } },
  resources: [],
});

/** Surroundings without an environment and without a cluster. */
export function surroundings(change: Partial<StateSurroundings> = {}): StateSurroundings {
  return {
    env: {},
    home: "/home/somebody",
    signal: new AbortController().signal,
    kubernetes: () => Promise.reject(new CollectError("the fleet names no Kubernetes API", { remedy: "add `kubernetes:`" })),
    ...change,
  };
}

/** Reads one place. */
export async function read(place: StatePlace, change: Partial<StateSurroundings> = {}, limits: Partial<StateLimits> = {}): Promise<StateBytes> {
  const [source] = openStates([{ place }], surroundings(change), limits);
  if (source === undefined) throw new Error("no source");
  return source.read();
}

/** What a user would be told: `reason | remedy`. A state that could be read, or another error, is no answer; nor is one with a secret. */
export async function told(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => new Error(`it was read: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CollectError)) throw error;
  const line = `${error.message} | ${error.remedy}`;
  if (line.includes("canary")) throw new Error(`a secret is told: ${line}`);
  return line;
}

export function textOf({ bytes }: StateBytes): string {
  return Buffer.from(bytes).toString("utf8");
}

/** A folder of its own with these files. */
export async function folderOf(files: Readonly<Record<string, string | Buffer>>): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "states-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
