import { execFile, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Json } from "../../routes/dialects/istio/json.ts";

const run = promisify(execFile);

/** A proxy whose configuration is wanted; `id` is the name of its pod. */
export interface Proxy {
  readonly id: string;
  readonly type: "gateway" | "sidecar";
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ip: string;
  readonly serviceAccount?: string;
  readonly istioVersion?: string;
}

/** What one API server holds, and who asks. */
export interface Question {
  readonly id: string;
  readonly objects: readonly Json[];
  readonly views: readonly Proxy[];
}

/** A server of a Gateway that istiod kept: its port in the Gateway, and the port on which the pod listens. */
export interface Server {
  readonly gateway: string;
  readonly port: number;
  readonly listen: number;
  readonly bind?: string;
  readonly tls: boolean;
  readonly hosts: readonly string[];
}

/** The Envoy configuration of one proxy, in Envoy's own JSON. */
export interface Generated {
  readonly id: string;
  readonly listeners: readonly Json[];
  readonly routes: readonly Json[];
  readonly clusters: readonly Json[];
  readonly endpoints: Readonly<Record<string, readonly string[]>>;
  readonly servers?: readonly Server[];
}

export interface Translation {
  readonly id: string;
  /** Objects that an API server would not have taken; translated nevertheless. */
  readonly refused?: readonly string[];
  readonly error?: string;
  readonly views?: readonly Generated[];
}

/** Runs istiod's code over questions, one after the other in one process; answers come in their order. */
export async function* translate(binary: string, questions: readonly Question[]): AsyncGenerator<Translation> {
  const child = spawn(binary, [], { stdio: ["pipe", "pipe", "ignore"], env: { ...process.env, REPO_ROOT: await sources() } });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  failed.catch(() => undefined);
  // A process that ended early is told by the answers that are missing.
  child.stdin.on("error", () => undefined);
  for (const question of questions) child.stdin.write(`${JSON.stringify(question)}\n`);
  child.stdin.end();
  let answered = 0;
  try {
    // Libraries print when they start; only answers begin like JSON.
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith("{")) continue;
      answered++;
      yield JSON.parse(line);
    }
    if (answered < questions.length) await Promise.race([failed, Promise.reject(new Error(`istiod answered ${answered} of ${questions.length} worlds`))]);
  } finally {
    child.kill();
  }
}

/** Where the module's sources are: istiod's test code reads the CRDs from there. */
async function sources(): Promise<string> {
  const { stdout } = await run("go", ["list", "-m", "-f", "{{.Dir}}", "istio.io/istio"], { cwd: path.join(import.meta.dirname, "istiod"), env: { ...process.env, GOFLAGS: "-mod=readonly", GOWORK: "off" } });
  return stdout.trim();
}
