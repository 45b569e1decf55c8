import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { scratchFolder } from "./process.ts";

const run = promisify(execFile);

/** What the runner of workflows logs: a line that a step printed (`raw_output`), a command that it obeyed, or its own word. */
interface Logged {
  readonly msg?: string;
  readonly raw_output?: boolean;
  readonly command?: string;
  readonly kvPairs?: Readonly<Record<string, string>>;
  readonly arg?: string;
  readonly raw?: string;
  readonly content?: string;
  readonly step?: string;
  readonly jobResult?: "success" | "failure";
}

export interface Workflow {
  /** The repository: what is committed and what is not, but for what it ignores. */
  readonly checkout: string;
  /** One file below `.github/workflows`. */
  readonly name: string;
  readonly event: "push" | "pull_request";
  readonly payload?: object;
  /** Actions in place of those that are published, by `OWNER/NAME@REF`: folders. */
  readonly actions?: Readonly<Record<string, string>>;
  readonly path?: string;
}

export interface Ran {
  readonly result: "success" | "failure";
  /** What the steps printed, and the commands among it as they were written. */
  readonly log: string;
  /** What the runner took for a command, in order. */
  readonly commands: readonly { readonly step: string; readonly name: string; readonly properties: Readonly<Record<string, string>>; readonly data: string }[];
  readonly summary: string;
}

/** Runs a workflow of GitHub Actions on a copy of its repository, on this machine: `act` in place of GitHub's own runner. */
export async function runWorkflow(program: string, { checkout, name, event, payload = {}, actions = {}, path: folders = process.env["PATH"] ?? "" }: Workflow): Promise<Ran> {
  const home = await scratchFolder("act");
  const eventFile = path.join(home, "event.json");
  await writeFile(eventFile, JSON.stringify(payload));
  const words = [
    ...[event, "--workflows", path.join(".github/workflows", name), "--eventpath", eventFile, "--json"],
    ...["--platform", "ubuntu-24.04=-self-hosted", "--no-cache-server", "--secret", "GITHUB_TOKEN=t0ken"],
    ...Object.entries(actions).flatMap(([of, folder]) => ["--local-repository", `${of}=${folder}`]),
  ];
  const env = { PATH: folders, HOME: home, LANG: "C.UTF-8" };
  const { stdout, stderr } = await run(program, words, { cwd: checkout, env, maxBuffer: 256 << 20 }).catch((error: unknown) => {
    if (error instanceof Error && "stdout" in error && "stderr" in error) return { stdout: String(error.stdout), stderr: String(error.stderr) };
    throw error;
  });
  const logged = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Logged);
  const result = logged.findLast(({ jobResult }) => jobResult !== undefined)?.jobResult;
  if (result === undefined) throw new Error(`the workflow did not run: ${stderr}${stdout}`);
  return {
    result,
    log: logged.map(({ raw_output, msg = "", raw }) => raw ?? (raw_output === true ? msg : "")).join(""),
    commands: logged.flatMap(({ command, kvPairs, arg = "", raw, step = "" }) => (command === undefined || raw === undefined ? [] : [{ step, name: command, properties: kvPairs ?? {}, data: arg }])),
    summary: logged.filter(({ command }) => command === "summary").map(({ content = "" }) => content).join(""),
  };
}
