import { spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { TestContext } from "vitest";
import { root } from "../support/room.ts";

/** The command as npm installs it. */
export const BIN = join(root, "cli/bin.mjs");

/** A time at which a run may take place: reports of two runs are then equal. */
export const NOW: readonly string[] = ["--now", "2026-11-20T09:00:00Z"];

/** How a command ended. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
interface Begun {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
}

/** A folder of its own in which the real command is spawned, with nothing of the environment of whoever runs the tests. */
export interface Shell extends AsyncDisposable {
  readonly path: string;
  assert(...words: readonly string[]): Promise<Ended>;
  begin(words: readonly string[], env?: Readonly<Record<string, string>>): Begun;
  /** Another program, which calls the command as `$ASSERT`: `sh`, `script`. */
  program(name: string, words: readonly string[], env?: Readonly<Record<string, string>>): Begun;
  read(file: string): Promise<string>;
  write(files: Readonly<Record<string, string | Buffer>>): Promise<void>;
}

export async function shell(files: Readonly<Record<string, string | Buffer>> = {}): Promise<Shell> {
  const path = await mkdtemp(join(tmpdir(), "assert-"));
  const around = { PATH: process.env["PATH"] ?? "", HOME: path, TERM: "xterm", ASSERT: `${process.execPath} ${BIN}` };
  const write: Shell["write"] = async (texts) => {
    for (const [name, text] of Object.entries(texts)) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), text);
    }
  };
  const program: Shell["program"] = (name, words, env = {}) => {
    const child = spawn(name, words, { cwd: path, env: { ...around, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    return { child, ended: endOf(child) };
  };
  const begin: Shell["begin"] = (words, env) => program(process.execPath, [BIN, ...words], env);
  await write(files);
  return {
    path,
    begin,
    program,
    assert: (...words) => begin(words).ended,
    read: (file) => readFile(join(path, file), "utf8"),
    write,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

function endOf(child: Begun["child"]): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...said }));
  });
}

/** Skips a test for want of a program of this system; where everything is there (`CI`) its absence is a failure. */
export async function needs(name: string, words: readonly string[], context: TestContext): Promise<void> {
  const works = await new Promise<boolean>((resolve) => {
    const child = spawn(name, words, { stdio: "ignore" });
    child.once("error", () => resolve(false)).once("close", (code) => resolve(code === 0));
  });
  if (works) return;
  if (process.env["CI"]) throw new Error(`this run may skip nothing, and \`${name}\` is missing or may not do its work`);
  context.skip(`\`${name}\` is missing on this machine or may not do its work`);
}

/** A fleet file; each cluster is a folder of manifests below `clusters/` unless it says more. */
export function fleet(...clusters: readonly (string | object)[]): string {
  const declared = clusters.map((each) => (typeof each === "string" ? { name: each, kubernetes: { manifests: `clusters/${each}`, complete: true } } : each));
  return `${JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Fleet", metadata: { name: "tests" }, spec: { clusters: declared } })}\n`;
}

/** An assertion file that allows one patch of skew. */
export function skew(name: string, { severity = "error", ...spec }: { readonly severity?: string; readonly [field: string]: unknown } = {}): string {
  return `${JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "EnvoyVersionSkew", metadata: { name, severity }, spec })}\n`;
}

/** One pod with a sidecar for each workload; the image is Istio's own unless it is whole. */
export function pods(images: Readonly<Record<string, string>>): string {
  const items = Object.entries(images).map(([place, tag]) => {
    const [namespace, name] = place.split("/");
    const image = tag.includes("/") ? tag : `docker.io/istio/proxyv2:${tag}`;
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `${name}-0`, namespace, labels: { app: name } },
      spec: { containers: [{ name: "istio-proxy", image, args: ["proxy", "sidecar"] }] },
      status: { phase: "Running", containerStatuses: [{ name: "istio-proxy", image, imageID: "", ready: true, state: { running: {} } }] },
    };
  });
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** A plug-in whose kind finds as many things as its spec says, which makes reports of any length. */
export const LOUD = {
  "mine/loud/kind.js": `export default {
    name: "Loud", summary: "s", needs: () => [],
    *judge({ lines }) {
      yield { type: "judged", count: 1 };
      for (let line = 0; line < lines; line += 1) yield { type: "finding", outcome: "info", subject: "s" + line, cause: "c", message: "m".repeat(60), remedy: "r", evidence: [] };
    },
  };`,
  "mine/loud/schema.json": '{"type":"object","additionalProperties":false,"properties":{"lines":{"type":"integer","default":1}}}',
  "mine/loud/README.md": "# Loud\n",
} as const;

/** Two clusters that agree, as files. */
export const EVEN = {
  "assert.yaml": fleet("eks", "gke"),
  "assertions/mesh.yaml": skew("close"),
  "clusters/eks/pods.json": pods({ "shop/cart": "1.29.5" }),
  "clusters/gke/pods.json": pods({ "shop/cart": "1.29.5" }),
} as const;

/** The same, with one workload of `gke` three patches of Envoy behind. */
export const SKEWED = { ...EVEN, "clusters/gke/pods.json": pods({ "shop/cart": "1.29.5", "shop/old": "1.29.2" }) } as const;

/** The same, with an image of `gke` whose release nobody can tell. */
export const BLIND = { ...EVEN, "clusters/gke/pods.json": pods({ "shop/cart": "docker.io/istio/proxyv2:latest" }) } as const;
