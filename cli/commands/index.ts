import type { CommandEntry } from "../command.ts";
import { routeFlags } from "../flags.ts";

const FILES = "[FILE|DIR...]";
const FORCE = { flags: "--force", summary: "overwrite files that are there" } as const;
const OUT = { flags: "--out <DIR>", summary: "where to write the snapshots, one file per cluster" } as const;
const ALL = { flags: "--all", summary: "ask for everything the collectors can read, whatever the assertions need" } as const;

const MAPS = [
  { flags: "--map-host <FROM=TO>", summary: "a host of the right place and its name in the left one; with a dot in front a suffix; repeatable", repeatable: true },
  { flags: "--map-gateway <FROM=TO>", summary: "the same for gateways: namespace/name, each may end in :PORT; repeatable", repeatable: true },
] as const;
const ROUTE = [
  { flags: "--at <PLACE>", summary: "where: manifest file or directory, snapshot, context:NAME, git:REV:PATH" },
  { flags: "-H, --header <NAME: VALUE>", summary: "a header of the request; repeatable", repeatable: true },
  { flags: "--view <VIEW>", summary: "NAMESPACE/GATEWAY:PORT, or mesh:NAMESPACE:PORT (default: the one that fits the URL)" },
  { flags: "--requests <FILE>", summary: "many requests, one JSON object a line" },
] as const;

const later = (name: string): CommandEntry => ({ name, words: "[WORDS...]", summary: "", flags: [], load: () => import("./later.ts") });

/** What `assert` can do, in the order of its help. */
export const commands: readonly CommandEntry[] = [
  { name: "run", words: FILES, summary: "collect what the assertions need, judge, report", reports: true, flags: [], load: () => import("./run.ts") },
  { name: "collect", words: FILES, summary: "write one snapshot per cluster, judge nothing", flags: [OUT, ALL], load: () => import("./collect.ts") },
  { name: "compare", words: "<LEFT> <RIGHT>", summary: "are the routes of two places equivalent?", reports: true, flags: [...routeFlags, ...MAPS], load: () => import("./compare.ts") },
  { name: "route", words: "[REQUEST...]", summary: "where does 'METHOD URL' go, and which rule decides?", reports: true, flags: [...ROUTE, ...routeFlags], load: () => import("./route.ts") },
  { name: "doctor", words: FILES, summary: "per cluster: reachable, who am I, which permission is missing for which assertion", reports: true, flags: [], load: () => import("./doctor.ts") },
  { name: "init", words: "", summary: "write a first assert.yaml and assertions/ from the kubeconfig at hand", flags: [FORCE], load: () => import("./init.ts") },
  { name: "kinds", words: "", summary: "what can be asserted", flags: [], load: () => import("./kinds.ts") },
  { name: "explain", words: "<KIND>", summary: "what a kind claims, its fields, and how to repair what it finds; or the fields of a HalProfile", flags: [], load: () => import("./explain.ts") },
  { name: "test", words: "<DIR...>", summary: "judge assertion files in small worlds with expected verdicts", flags: [], load: () => import("./test.ts") },
  { name: "completion", words: "<SHELL>", summary: "print the completion script for bash, zsh or fish", flags: [], load: () => import("./completion.ts") },
];

/** Commands that a later release brings: answered with that sentence, never with a guess at what was meant. */
export const laterCommands: readonly CommandEntry[] = ([] as readonly string[]).map(later);

/** What the completion scripts call; its words are those of another command line, so no flag of them is ours. */
export const completeCommand: CommandEntry = { name: "__complete", words: "[WORDS...]", summary: "", flags: [], load: () => import("./complete.ts") };
