import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What one process used, from its start to its end. */
export interface Usage {
  readonly cpuMs: number;
  readonly peakMb: number;
  readonly wallMs: number;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  /** An executable with a Node of its own inside; left out: this Node. */
  readonly file?: string;
  readonly words: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs this Node, or the executable, with `words` and measures the process. */
export async function measure({ file: executable, words, cwd, env }: Program): Promise<Usage> {
  const folder = mkdtempSync(path.join(tmpdir(), "cloud-assert-usage-"));
  const file = path.join(folder, "usage.json");
  try {
    const began = performance.now();
    const usage = path.join(import.meta.dirname, "usage.cjs");
    const { code, stdout, stderr } = await ended(executable ?? process.execPath, executable === undefined ? ["--require", usage, ...words] : words, {
      cwd: cwd ?? folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, NO_COLOR: "1", ...(executable === undefined ? {} : { NODE_OPTIONS: `--require ${usage}` }), ...env, BENCH_USAGE: file },
    });
    const wallMs = performance.now() - began;
    const { cpuMs, peakMb } = JSON.parse(readFileSync(file, "utf8")) as Pick<Usage, "cpuMs" | "peakMb">;
    return { cpuMs, peakMb, wallMs, code, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The numbers of a usage that are compared. */
export type Measured = "cpuMs" | "peakMb" | "wallMs";

/** Several measurements of one program. */
export class Sample {
  readonly usages: readonly Usage[];

  constructor(usages: readonly Usage[]) {
    this.usages = usages;
  }

  /** The last one, for what it printed. */
  get last(): Usage {
    const usage = this.usages.at(-1);
    if (usage === undefined) throw new Error("nothing was measured");
    return usage;
  }

  median(what: Measured): number {
    return this.#sorted(what)[Math.floor(this.usages.length / 2)] ?? 0;
  }

  /** `38-52`: the least and the most, in whole numbers. */
  spread(what: Measured): string {
    const sorted = this.#sorted(what);
    return `${Math.round(sorted[0] ?? 0)}-${Math.round(sorted.at(-1) ?? 0)}`;
  }

  #sorted(what: Measured): readonly number[] {
    return this.usages.map((usage) => usage[what]).toSorted((a, b) => a - b);
  }
}

/** Measures programs in turns, so that whatever else the machine does hits all of them. */
export async function inTurns(programs: readonly Program[], times: number): Promise<readonly Sample[]> {
  const rounds: Usage[][] = programs.map(() => []);
  for (let time = 0; time < times; time += 1) {
    for (const [index, program] of programs.entries()) rounds[index]?.push(await measure(program));
  }
  return rounds.map((usages) => new Sample(usages));
}

function ended(program: string, words: readonly string[], options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }): Promise<Pick<Usage, "code" | "stdout" | "stderr">> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const said = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...said }));
  });
}
