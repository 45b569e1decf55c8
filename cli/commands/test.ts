import { byText, CollectError, collect, evaluate, plan, reportOn, waive, type AnyCollector, type Cluster, type Io, type KubernetesApi, type Result, type Snapshot } from "#engine";
import { istioMap } from "#values";
import { openKubernetes } from "../../clients/kubernetes/index.ts";
import { noRegistries } from "../../clients/registry/index.ts";
import { openSignatures } from "../../clients/signatures/index.ts";
import { discover, type Plugins } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { innerYaml } from "../inner-yaml.ts";
import { loadAssertions, type LoadedAssertions } from "../load/index.ts";
import type { Terminal } from "../terminal.ts";
import { checkTrustedFlags } from "../trusted-flags.ts";
import { findWorlds, type Expectation, type TestWorld } from "../worlds.ts";

/** The time of a world where none is given: a rule's test must not fail one day because a year has passed. */
const NOW = "2026-01-01T00:00:00Z";

/** A rule's test must not fail one day because a registry does not answer. */
const NO_REGISTRY = noRegistries("a test world contacts no registry", "expect `undecided` of it, or judge the fleet itself with `assert run`");

/** Judges assertion files in small worlds and compares the verdicts with those expected: 0 all are as expected, 1 one is not. */
export default async function test(flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await checkTrustedFlags(flags, terminal.cwd);
  if (words.length === 0) throw new UsageError("`assert test` does not know where the worlds are", { remedy: "name a folder: `assert test tests`" });
  const plugins = await discover(flags.plugin, terminal.cwd);
  const worlds = (await Promise.all(words.map((dir) => findWorlds(dir, terminal.cwd)))).flat();
  let failed = 0;
  for (const world of worlds) {
    const wrong = await tryWorld(world, plugins, flags, terminal);
    if (wrong.length > 0) failed += 1;
    if (wrong.length > 0 || !flags.quiet) await terminal.stdout.write(`${wrong.length === 0 ? "ok  " : "not ok"}  ${world.name}\n${wrong.map((line) => `        ${line}\n`).join("")}`);
  }
  await terminal.stdout.write(`${worlds.length} ${worlds.length === 1 ? "world" : "worlds"}: ${worlds.length - failed} as expected, ${failed} not\n`);
  return failed === 0 ? exitCodes.holds : exitCodes.violated;
}

async function tryWorld(world: TestWorld, plugins: Plugins, flags: Flags, terminal: Terminal): Promise<readonly string[]> {
  const { cwd, home } = terminal;
  const loaded = await loadAssertions([world.assertions], plugins, { cwd, home, untrusted: flags.untrusted });
  const results = await judge(world, loaded, await plugins.collectors(), flags, terminal);
  const unexpected = results.filter(({ assertion }) => !world.expect.has(assertion)).map(({ assertion }) => `\`${assertion}\` is in \`${world.assertions}\`, and nothing is expected of it: name it under \`expect\``);
  const wrong = [...world.expect].flatMap(([name, expected]) => {
    const result = results.find(({ assertion }) => assertion === name);
    return result === undefined ? [`\`${name}\` is expected, and \`${world.assertions}\` has no such assertion`] : differences(result, expected);
  });
  return [...wrong, ...unexpected];
}

function differences(result: Result, expected: Expectation): readonly string[] {
  const said = result.findings.filter(({ outcome }) => outcome !== "info");
  const subjects = [...new Set(said.map(({ subject }) => subject))].toSorted(byText);
  const wanted = expected.subjects?.toSorted(byText);
  const lines = [
    ...(result.verdict === expected.verdict ? [] : [`\`${result.assertion}\`: ${expected.verdict} was expected, and it is ${result.verdict}`]),
    ...(wanted === undefined || wanted.join("\0") === subjects.join("\0") ? [] : [`\`${result.assertion}\`: the subjects ${listed(wanted)} were expected, and they are ${listed(subjects)}`]),
  ];
  if (lines.length === 0) return [];
  return [...lines, ...said.map(({ message }) => `  ${message}`), ...result.gaps.map(({ reason }) => `  not seen: ${reason}`)];
}

function listed(subjects: readonly string[]): string {
  return subjects.length === 0 ? "(none)" : subjects.map((subject) => `\`${subject}\``).join(", ");
}

async function judge(world: TestWorld, { assertions, kinds }: LoadedAssertions, collectors: readonly AnyCollector[], flags: Flags, terminal: Terminal): Promise<readonly Result[]> {
  const now = flags.now ?? NOW;
  const snapshots = new Map<string, Snapshot>();
  for (const { name, dir, shown } of world.clusters) {
    const cluster: Cluster = { name, labels: {} };
    const surroundings = { env: terminal.env, home: terminal.home, signal: terminal.signal, allowExec: false };
    const api = openKubernetes({ form: "manifests", dir, shown, complete: true }, surroundings).then((opened) => without(opened, world.unseen));
    const snapshot = await collect(cluster, {
      collectors,
      inferCloud: true,
      plan: (settled) => plan(settled, assertions, kinds, collectors),
      open: (_collector, facts): Io => ({ signal: terminal.signal, kubernetes: () => api, allows: () => false, facts, yaml: innerYaml, states: () => [], registry: () => NO_REGISTRY, signatures: openSignatures, progress: () => undefined }),
      signal: terminal.signal,
      takenAt: () => now,
    });
    snapshots.set(name, snapshot);
  }
  const fleet = [...snapshots.values()].map(({ cluster }) => cluster);
  const evaluations = evaluate(kinds, assertions, { fleet, snapshots, now, istioMap: istioMap([]) });
  return reportOn(waive(evaluations, [], now), fleet, snapshots).results;
}

/** The same place for an identity that may not list some kinds. */
function without(api: KubernetesApi, unseen: readonly string[]): KubernetesApi {
  if (unseen.length === 0) return api;
  return new Proxy(api, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...words: unknown[]) => {
        const [first, second] = words;
        const kind = key === "find" ? second : typeof first === "object" && first !== null && "kind" in first ? first.kind : undefined;
        if (typeof kind === "string" && unseen.includes(kind) && key !== "unseen") throw new CollectError(`\`${kind}\` is unseen in this world`, { remedy: "take it out of `unseen`" });
        return Reflect.apply(value, target, words) as unknown;
      };
    },
  });
}
