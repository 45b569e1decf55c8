import type { Reporter } from "./reporter.ts";

export type { RenderOptions, Reporter } from "./reporter.ts";

/** Every output format, loaded when it is asked for: a run pays for the formats it writes. */
export const reporters: Readonly<Record<string, () => Promise<Reporter>>> = {
  terminal: async () => (await import("./terminal.ts")).default,
  json: async () => (await import("./json.ts")).default,
  sarif: async () => (await import("./sarif.ts")).default,
  junit: async () => (await import("./junit.ts")).default,
  github: async () => (await import("./github.ts")).default,
  markdown: async () => (await import("./markdown.ts")).default,
  html: async () => (await import("./html.ts")).default,
  prometheus: async () => (await import("./prometheus.ts")).default,
  openreports: async () => (await import("./openreports.ts")).default,
};

/** Formats that a later release adds; asking for one is answered with that sentence. */
export const laterFormats: readonly string[] = [];
