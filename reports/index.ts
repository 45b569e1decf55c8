import type { Reporter } from "./reporter.ts";

export type { RenderOptions, Reporter } from "./reporter.ts";

/** Every output format, loaded when it is asked for: a run pays for the formats it writes. */
export const reporters: Readonly<Record<string, () => Promise<Reporter>>> = {
  terminal: async () => (await import("./terminal.ts")).default,
  json: async () => (await import("./json.ts")).default,
};

/** Formats that a later release adds; asking for one is answered with that sentence. */
export const laterFormats: readonly string[] = ["sarif", "junit", "github", "markdown", "html", "prometheus", "openreports"];
