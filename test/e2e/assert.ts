import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Report, ReportFinding, ReportGap, Result } from "#engine";
import { writeKubeconfig, type Context } from "../parts/cluster.ts";
import { scratchFolder } from "../parts/process.ts";

const BIN = path.join(import.meta.dirname, "../../cli/bin.mjs");

/** How a command ended. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
interface Begun {
  readonly ended: Promise<Ended>;
  interrupt(): void;
}

/** A folder as a user has it: a kubeconfig, which is the default one there, and files of their own. */
export interface Desk {
  readonly folder: string;
  readonly kubeconfig: string;
  /** Runs `assert` to its end. */
  assert(...words: readonly string[]): Promise<Ended>;
  begin(...words: readonly string[]): Begun;
  /** `assert run WORDS` with the report as an object. Fails where there is no report. */
  run(...words: readonly string[]): Promise<Judged>;
  write(name: string, text: string): Promise<void>;
  read(name: string): Promise<string>;
}

interface Judged extends Ended {
  readonly report: Report;
  /** The one result, or that of the assertion with this name. */
  result(assertion?: string): Result;
}

export interface DeskOptions {
  readonly contexts: readonly Context[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Without assertion files: the built-in suite is what runs. */
  readonly bare?: boolean;
}

/** Sets up a {@link Desk}. Nothing of the environment or the home of whoever runs the tests is seen from there. */
export async function desk({ contexts, env = {}, files = {}, bare = false }: DeskOptions): Promise<Desk> {
  const folder = await scratchFolder("desk");
  const kubeconfig = await writeKubeconfig(folder, contexts);
  // What these tests are about is the versions of proxies, unless they bring files of their own.
  if (!bare) {
    await mkdir(path.join(folder, "assertions"));
    await writeFile(path.join(folder, "assertions/mesh.yaml"), skew("envoy-patch-skew"));
  }
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const around = { PATH: process.env["PATH"] ?? "", HOME: folder, KUBECONFIG: kubeconfig, NO_COLOR: "1", ...env };

  const begin = (...words: readonly string[]): Begun => {
    const child = spawn(process.execPath, [BIN, ...words], { cwd: folder, env: around, stdio: ["ignore", "pipe", "pipe"] });
    const said = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, ...said }));
    });
    return { ended, interrupt: () => void child.kill("SIGINT") };
  };

  return {
    folder,
    kubeconfig,
    begin,
    assert: (...words) => begin(...words).ended,
    async run(...words) {
      const ended = await begin("run", "-o", "json", ...words).ended;
      const report = parsed(ended);
      return { ...ended, report, result: (assertion) => resultOf(report, assertion) };
    },
    write: (name, text) => writeFile(path.join(folder, name), text),
    read: (name) => readFile(path.join(folder, name), "utf8"),
  };
}

function parsed({ stdout, stderr, code }: Ended): Report {
  try {
    return JSON.parse(stdout) as Report;
  } catch {
    throw new Error(`no report, and code ${code}: ${stdout}${stderr}`);
  }
}

function resultOf({ results }: Report, assertion: string | undefined): Result {
  const found = assertion === undefined ? (results.length === 1 ? results[0] : undefined) : results.find((result) => result.assertion === assertion);
  if (found === undefined) throw new Error(`no result of ${assertion ?? "one assertion"} among ${results.map((result) => result.assertion).join(", ")}`);
  return found;
}

/** The clusters that gaps are about, each once. */
export function clustersOf(gaps: readonly ReportGap[]): readonly string[] {
  return [...new Set(gaps.map((gap) => gap.cluster ?? ""))].toSorted();
}

/** The findings that count against the assertion. */
export function faultsOf({ findings }: Result): readonly ReportFinding[] {
  return findings.filter(({ outcome }) => outcome === "fault");
}

/** Contexts of these clusters, each named after its cluster, for the reader. */
export function asReader(...clusters: readonly Context["cluster"][]): readonly Context[] {
  return clusters.map((cluster) => ({ name: cluster.name, cluster, login: { identity: "reader" } }));
}

/** A fleet file. */
export function fleet(...clusters: readonly object[]): string {
  return JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Fleet", metadata: { name: "tests" }, spec: { clusters } });
}

/** An assertion file of the kind that is judged here. */
export function skew(name: string, spec: object = {}): string {
  return `${JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "EnvoyVersionSkew", metadata: { name }, spec })}\n`;
}

/** The flags that name these contexts. */
export function contexts(...names: readonly string[]): readonly string[] {
  return names.flatMap((name) => ["--context", name]);
}
