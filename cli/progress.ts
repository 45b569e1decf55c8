import type { Flags } from "./flags.ts";
import { count } from "../reports/layout.ts";
import { plain } from "../reports/plain.ts";
import { mayAnimate, type Terminal } from "./terminal.ts";

/** Tells somebody who waits how far each cluster is. */
export interface Progress {
  say(cluster: string, text: string): void;
  done(cluster: string, reachable: boolean): void;
  /** Leaves the terminal as it was; call it however the work ended. */
  close(): Promise<void>;
}

const silent: Progress = { say: () => undefined, done: () => undefined, close: async () => undefined };

/** More clusters than this share one line. */
const LINES = 16;

/** Progress on stderr where a person watches, else none; the library that draws it is loaded only then. */
export async function openProgress(clusters: readonly string[], flags: Pick<Flags, "quiet">, terminal: Terminal): Promise<Progress> {
  if (flags.quiet || clusters.length === 0 || !mayAnimate(terminal.stderr, terminal.env)) return silent;
  return draw(clusters);
}

/** One line of the drawing. */
interface Line {
  say(text: string): void;
  readonly end: (error?: Error) => void;
}

async function draw(clusters: readonly string[]): Promise<Progress> {
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import("listr2");
  const lines = new Map<string, Line>();
  const open = new Set(clusters);
  const titles = clusters.length <= LINES ? clusters : [count(clusters.length, "cluster")];
  const tasks = titles.map((title) => ({
    title: plain(title),
    task: (_: unknown, task: { output: string }) =>
      new Promise<void>((resolve, reject) => {
        lines.set(title, { say: (text) => (task.output = plain(text)), end: (error) => (error ? reject(error) : resolve()) });
      }),
  }));
  /** The library asks whether stdout is a terminal; we draw on stderr, and have asked ourselves. */
  class OnStderr extends DefaultRenderer {
    static override nonTTY = true;
  }
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  // the signal handling of this program is its own: without it the library would end the process
  const list = new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: OnStderr,
    rendererOptions: { logger, clearOutput: true },
  });
  const drawn = list.run().catch(() => undefined);
  const single = clusters.length > LINES ? titles[0] : undefined;

  return {
    say: (cluster, text) => lines.get(single ?? cluster)?.say(single === undefined ? text : `${clusters.length - open.size} done; ${cluster}: ${text}`),
    done(cluster, reachable) {
      open.delete(cluster);
      if (single !== undefined) lines.get(single)?.say(`${clusters.length - open.size} done`);
      else lines.get(cluster)?.end(reachable ? undefined : new Error(`${plain(cluster)}: not reached`));
    },
    async close() {
      for (const line of lines.values()) line.end();
      await drawn;
    },
  };
}
