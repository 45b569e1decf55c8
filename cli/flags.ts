import type { Probe } from "#engine";
import type { ApiReading, Ignorable } from "#routes";
import type { FlagText } from "./command.ts";
import { UsageError } from "./errors.ts";
import { nearest } from "./near.ts";
import type { ColorChoice } from "./terminal.ts";

/** All flags of all commands, checked and typed. A command reads what concerns it. */
export interface Flags {
  readonly output: readonly string[];
  readonly fleet?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context: readonly string[];
  readonly cluster: readonly string[];
  readonly snapshots?: string | undefined;
  readonly only: readonly string[];
  readonly concurrency: number;
  readonly timeoutMs?: number | undefined;
  /** Left out: as long as the command finds right. */
  readonly clusterTimeoutMs?: number | undefined;
  readonly probe: readonly Probe[];
  readonly confirm: number;
  readonly plugin: readonly string[];
  readonly waivers?: string | undefined;
  readonly baseline?: string | undefined;
  readonly writeBaseline?: string | undefined;
  /** ISO 8601 in UTC, whole seconds. */
  readonly now?: string | undefined;
  readonly untrusted: boolean;
  readonly color: ColorChoice;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly out?: string | undefined;
  readonly all: boolean;
  readonly force: boolean;
  /** Globs of hosts. */
  readonly hosts: readonly string[];
  readonly views: readonly ("gateways" | "mesh")[];
  readonly ignore: readonly Ignorable[];
  readonly reading?: ApiReading | undefined;
  /** A release, or two as `LEFT:RIGHT`. */
  readonly istio?: string | undefined;
  readonly envoy?: string | undefined;
  /** `FROM=TO`. */
  readonly mapHost: readonly string[];
  readonly mapGateway: readonly string[];
  readonly at?: string | undefined;
  readonly view?: string | undefined;
  /** `name: value`. */
  readonly header: readonly string[];
  readonly requests?: string | undefined;
}

/** The flags that every command takes. */
export const sharedFlags: readonly FlagText[] = [
  { flags: "-o, --output <FORMAT[=FILE]>", summary: "terminal, json, sarif, junit, github, markdown, html, prometheus, openreports; to FILE instead of stdout; repeatable", repeatable: true },
  { flags: "--fleet <FILE>", summary: "the clusters that must agree (default: ./assert.yaml)" },
  { flags: "--kubeconfig <FILE>", summary: "where contexts are looked up (default: as kubectl does)" },
  { flags: "--context <NAME>", summary: "a cluster of the fleet, by its kubeconfig context; repeatable", repeatable: true },
  { flags: "--cluster <NAME=KUBECONFIG:CONTEXT>", summary: "the same with a name of its own; repeatable", repeatable: true },
  { flags: "--snapshots <DIR>", summary: "judge saved snapshots; contact no cluster" },
  { flags: "--only <NAME>", summary: "only this assertion; repeatable", repeatable: true },
  { flags: "--concurrency <N>", summary: "clusters read at a time (default: 256)" },
  { flags: "--timeout <TIME>", summary: "for the whole run: 90s, 10m (default: none)" },
  { flags: "--cluster-timeout <TIME>", summary: "for one cluster (default: 5m; of init and doctor: 10s)" },
  { flags: "--probe <NAME>", summary: "allow metrics, admin or nodes for every cluster; repeatable", repeatable: true },
  { flags: "--confirm <N>", summary: "collect again what a fault rests on, N times; report what stays" },
  { flags: "--plugin <DIR>", summary: "load more kinds or collectors; repeatable", repeatable: true },
  { flags: "--now <TIME>", summary: "the time of the run, for ages and expiries" },
  { flags: "--untrusted", summary: "the files come from a stranger's commit: run nothing, reach nothing that only they name" },
  { flags: "--color <WHEN>", summary: "auto, always or never" },
  { flags: "--quiet", summary: "no progress and no notes on stderr" },
  { flags: "-v, --verbose", summary: "show long lists whole; stack traces for internal errors" },
  { flags: "--waivers <FILE>", summary: "what is accepted, until when (default: waivers.yaml beside the fleet file)" },
  { flags: "--baseline <FILE>", summary: "accept the findings that it knows; fail on what is new" },
  { flags: "--write-baseline <FILE>", summary: "write what is found now; one that is there may only get smaller" },
];

/** The flags of the commands that look at routes. */
export const routeFlags: readonly FlagText[] = [
  { flags: "--hosts <GLOB>", summary: "only requests for these hosts; repeatable", repeatable: true },
  { flags: "--views <gateways|mesh>", summary: "only from outside, or only from inside (default: both)", repeatable: true },
  { flags: "--ignore <PART>", summary: "what may differ: weights, timeout, retries, mirror, fault, cors, headers, trafficPolicy; repeatable", repeatable: true },
  { flags: "--reading <WHOSE>", summary: "of Gateway API: istiod (default), or specification" },
  { flags: "--istio <VERSION>", summary: "release of istiod where a place does not tell; of each place: LEFT:RIGHT" },
  { flags: "--envoy <VERSION>", summary: "the same for Envoy" },
];

/** The words after `--ignore`. */
export const IGNORABLE: readonly Ignorable[] = ["weights", "timeout", "retries", "mirror", "fault", "cors", "headers", "trafficPolicy"];
/** The words after `--reading`. */
export const READINGS: readonly ApiReading[] = ["istiod", "specification"];
/** The words after `--views`. */
export const VIEWS = ["gateways", "mesh"] as const;

/** The words after `--probe`. */
export const PROBES: readonly Probe[] = ["metrics", "admin", "nodes"];
/** The words after `--color`. */
export const COLORS: readonly ColorChoice[] = ["auto", "always", "never"];

/** Commander's raw words, checked. Throws {@link UsageError} with the flag, what was given and what is wanted. */
export function parseFlags(raw: Readonly<Record<string, unknown>>): Flags {
  for (const [name, value] of Object.entries(raw)) if ([value].flat().includes("")) throw emptyValue(name);
  const text = (name: string) => (typeof raw[name] === "string" ? raw[name] : undefined);
  const texts = (name: string) => (Array.isArray(raw[name]) ? raw[name].map(String) : []);
  const given = <T>(name: string, parse: (value: string) => T) => {
    const value = text(name);
    return value === undefined ? undefined : parse(value);
  };
  return {
    output: texts("output"),
    fleet: text("fleet"),
    kubeconfig: text("kubeconfig"),
    context: texts("context"),
    cluster: texts("cluster"),
    snapshots: text("snapshots"),
    only: texts("only"),
    concurrency: given("concurrency", (value) => wholeNumber("--concurrency", value, 1, 10_000)) ?? 256,
    timeoutMs: given("timeout", (value) => duration("--timeout", value)),
    clusterTimeoutMs: given("clusterTimeout", (value) => duration("--cluster-timeout", value)),
    probe: texts("probe").map((value) => oneOf("--probe", value, PROBES)),
    confirm: given("confirm", (value) => wholeNumber("--confirm", value, 0, 100)) ?? 0,
    plugin: texts("plugin"),
    waivers: text("waivers"),
    baseline: text("baseline"),
    writeBaseline: text("writeBaseline"),
    now: given("now", (value) => instant("--now", value)),
    untrusted: raw["untrusted"] === true,
    color: given("color", (value) => oneOf("--color", value, COLORS)) ?? "auto",
    quiet: raw["quiet"] === true,
    verbose: raw["verbose"] === true,
    out: text("out"),
    all: raw["all"] === true,
    force: raw["force"] === true,
    hosts: texts("hosts").flatMap((value) => value.split(",")),
    views: texts("views").flatMap((value) => value.split(",")).map((value) => oneOf("--views", value, VIEWS)),
    ignore: texts("ignore").flatMap((value) => value.split(",")).map((value) => oneOf("--ignore", value, IGNORABLE)),
    reading: given("reading", (value) => oneOf("--reading", value, READINGS)),
    istio: text("istio"),
    envoy: text("envoy"),
    mapHost: texts("mapHost"),
    mapGateway: texts("mapGateway"),
    at: text("at"),
    view: text("view"),
    header: texts("header"),
    requests: text("requests"),
  };
}

/** `--out "$DIR"` with nothing in the variable would else mean the working directory. */
function emptyValue(name: string): UsageError {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return new UsageError(`${flag} is empty`, { remedy: "give it a value; in a script, see that the variable behind it is set" });
}

function wholeNumber(flag: string, value: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${flag} is \`${value}\`; it takes a whole number from ${least} to ${most}`, { remedy: `write \`${flag} ${Math.max(least, 4)}\`` });
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
// beyond that a timer of the platform would fire at once
const LONGEST = 2 ** 31 - 1;

function duration(flag: string, value: string): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(value) ?? [];
  const ms = Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN);
  if (ms > 0 && ms <= LONGEST) return ms;
  throw new UsageError(`${flag} is \`${value}\`; it takes a time with its unit, up to 500h`, { remedy: `write \`${flag} 90s\` or \`${flag} 10m\`` });
}

function instant(flag: string, value: string): string {
  const shape = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;
  const time = shape.test(value) && isDay(value.slice(0, 10)) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return `${new Date(time).toISOString().slice(0, 19)}Z`;
  throw new UsageError(`${flag} is \`${value}\`; it takes a date or a time with its zone`, { remedy: `write \`${flag} 2026-11-23T10:00:00Z\`` });
}

/** The platform takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const time = Date.parse(date);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

function oneOf<T extends string>(flag: string, value: string, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  const near = nearest(value, words);
  throw new UsageError(`${flag} does not know \`${value}\``, {
    remedy: near === undefined ? `use one of ${words.join(", ")}` : `did you mean \`${near}\`? it takes ${words.join(", ")}`,
  });
}
