import type { Terminal } from "../../cli/terminal.ts";

/** A terminal that remembers what was written to it. */
export interface FakeTerminal extends Terminal {
  readonly said: { stdout: string; stderr: string };
}

/** What a command may touch, without a process around it: nobody watches, nothing is interrupted, the time stands still. */
export function fakeTerminal(parts: Partial<Terminal> & Pick<Terminal, "cwd">): FakeTerminal {
  const said = { stdout: "", stderr: "" };
  const sink = (name: keyof typeof said) => ({ isTTY: false, columns: undefined, write: async (text: string) => void (said[name] += text) });
  return {
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    env: {},
    home: parts.cwd,
    now: () => "2026-11-20T09:00:00Z",
    signal: new AbortController().signal,
    said,
    ...parts,
  };
}
