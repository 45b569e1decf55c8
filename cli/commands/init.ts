import { readFile, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { byText, CollectError, type AnyCollector, type EnvoyProxies, type Fact, type Resource, type Snapshot } from "#engine";
import { readContexts } from "../../clients/kubernetes/index.ts";
import { count } from "../../reports/layout.ts";
import { plain, plainJson } from "../../reports/plain.ts";
import { discover } from "../discover.ts";
import { NothingToRunError, OutputError, UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import { checkFolder, makeFolder, writeFiles } from "../files.ts";
import type { Flags } from "../flags.ts";
import { fleetFromFlags, type FleetCluster } from "../load/index.ts";
import { look } from "../look.ts";
import { ownFile } from "../own.ts";
import type { Terminal } from "../terminal.ts";
import { visitAll } from "../visit.ts";

const FLEET_FILE = "assert.yaml";
const SUITE_FILE = join("assertions", "suite.yaml");

/** A context that answers within this is one to work with. */
const BUDGET_MS = 10_000;

const virtualServices: Resource = {
  group: "networking.istio.io",
  versions: ["v1", "v1beta1", "v1alpha3"],
  plural: "virtualservices",
  kind: "VirtualService",
  namespaced: true,
};

/** One context, and what came of asking it. */
interface Tried {
  readonly target: FleetCluster;
  /** Why it is no cluster of the fleet. */
  readonly trouble?: string | undefined;
  readonly snapshot?: Snapshot | undefined;
}

/**
 * Writes a first `assert.yaml` and `assertions/suite.yaml`: every context that answers and serves Istio, the others as comments with the
 * reason. Contexts that are named with `--context` are written whatever they answer. All files or none.
 */
export default async function init(flags: Flags, _words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (flags.fleet !== undefined || flags.snapshots !== undefined) {
    throw new UsageError("`assert init` writes a fleet file and reads none", { remedy: "leave --fleet and --snapshots out" });
  }
  await refuseToOverwrite(flags, terminal);
  await checkFolder(join(terminal.cwd, "assertions"), "assertions");
  const targets = await targetsOf(flags, terminal);
  const plugins = await discover(flags.plugin, terminal.cwd);
  const tried = await seen(await tryAll(targets, flags, terminal), await plugins.collectors(), flags, terminal);
  const isNamed = flags.context.length + flags.cluster.length > 0;
  const taken = isNamed ? tried : tried.filter(({ trouble }) => trouble === undefined);
  if (taken.length === 0) throw noneAnswers(tried);

  await makeFolder(join(terminal.cwd, "assertions"), "assertions");
  await writeFiles(
    [
      { path: join(terminal.cwd, FLEET_FILE), shown: FLEET_FILE, text: fleetText(taken, isNamed ? [] : tried.filter(({ trouble }) => trouble !== undefined), terminal) },
      { path: join(terminal.cwd, SUITE_FILE), shown: SUITE_FILE, text: suiteText(await readFile(ownFile("assertions/suite.yaml"), "utf8"), taken) },
    ],
    terminal.signal,
  );
  const left = tried.length - taken.length;
  await terminal.stdout.write(
    `wrote ${FLEET_FILE}: ${count(taken.length, "cluster")}${left === 0 ? "" : `, ${count(left, "context")} left out as comments with the reason`}\nwrote ${SUITE_FILE}\nnext: assert run\n`,
  );
  return exitCodes.holds;
}

async function refuseToOverwrite({ force }: Flags, { cwd }: Terminal): Promise<void> {
  for (const file of force ? [] : [FLEET_FILE, SUITE_FILE]) {
    if ((await stat(join(cwd, file)).catch(() => undefined)) === undefined) continue;
    throw new OutputError(`\`${file}\` is already here`, { remedy: "work in another folder, or overwrite it with --force" });
  }
}

async function targetsOf(flags: Flags, terminal: Terminal): Promise<readonly FleetCluster[]> {
  if (flags.context.length + flags.cluster.length > 0) {
    return fleetFromFlags({ contexts: flags.context, clusters: flags.cluster, kubeconfig: flags.kubeconfig }, terminal).clusters;
  }
  const contexts = await readContexts(flags.kubeconfig === undefined ? undefined : resolve(terminal.cwd, flags.kubeconfig), terminal).catch((error: unknown) => {
    if (!(error instanceof CollectError)) throw error;
    throw new NothingToRunError(error.message, { remedy: error.remedy, cause: error });
  });
  if (contexts.length === 0) throw new NothingToRunError("the kubeconfig holds no context", { remedy: "add one with your cloud's command line, or name a kubeconfig with --kubeconfig" });
  return fleetFromFlags({ contexts: contexts.map(({ name }) => name), clusters: [], kubeconfig: flags.kubeconfig }, terminal).clusters;
}

function tryAll(targets: readonly FleetCluster[], flags: Flags, terminal: Terminal): Promise<readonly Tried[]> {
  return visitAll(targets, { flags, terminal, budgetMs: BUDGET_MS }, async (target, visit): Promise<Tried> => {
    try {
      const api = await visit.open();
      const serves = await api.serves(virtualServices);
      visit.done(true);
      return serves ? { target } : { target, trouble: "it answers, and serves no Istio API (`networking.istio.io`)" };
    } catch (error) {
      terminal.signal.throwIfAborted();
      const reason = error instanceof CollectError ? error : visit.signal.reason;
      if (!(reason instanceof CollectError)) throw error;
      visit.done(false);
      return { target, trouble: reason.message };
    }
  });
}

/** Looks at what runs in those that answer; a second context of one cluster is left out. */
async function seen(tried: readonly Tried[], collectors: readonly AnyCollector[], flags: Flags, terminal: Terminal): Promise<readonly Tried[]> {
  const clusters = tried.filter(({ trouble }) => trouble === undefined).map(({ target }) => target);
  const fleet = { name: "init", clusters, istioMap: [], notes: [] };
  const snapshots = await look({ fleet, assertions: [], kinds: new Map(), collectors, now: terminal.now() }, { ...flags, all: true }, terminal);
  const owners = new Map<string, string>();
  return tried.map((each) => {
    const { name } = each.target.cluster;
    const snapshot = snapshots.get(name);
    const uid = snapshot?.identity.kubeSystemUid;
    const owner = uid === undefined ? undefined : owners.get(uid);
    if (owner !== undefined) return { ...each, trouble: `it is the same cluster as \`${owner}\`` };
    if (uid !== undefined) owners.set(uid, name);
    return { ...each, snapshot };
  });
}

function noneAnswers(tried: readonly Tried[]): NothingToRunError {
  const reasons = tried.slice(0, 10).map(({ target, trouble }) => `\`${target.cluster.name}\`: ${trouble}`);
  return new NothingToRunError(`no context of the kubeconfig answers and serves Istio (${reasons.join("; ")}${tried.length > 10 ? "; …" : ""})`, {
    remedy: "name the contexts you want with --context: they are written whatever they answer",
  });
}

function fleetText(taken: readonly Tried[], left: readonly Tried[], { cwd }: Terminal): string {
  const clusters = taken.flatMap(({ target, trouble, snapshot }) => {
    const { cloud, region } = snapshot?.cluster ?? target.cluster;
    return [
      ...(trouble === undefined ? [] : [comment(`when this was written: ${trouble}`)]),
      `    - name: ${scalar(target.cluster.name)}`,
      ...(cloud === undefined ? [] : [`      cloud: ${scalar(cloud)}`]),
      ...(region === undefined ? [] : [`      region: ${scalar(region)}`]),
      `      kubernetes: ${placeText(target, cwd)}`,
      ...(hasNameless(snapshot) ? ["      # some images carry no Istio release: add `probes: [metrics]` (permission `get` on `pods/proxy`) to ask the proxies"] : []),
    ];
  });
  const comments = left.map(({ target, trouble }) => comment(`left out: \`${target.cluster.name}\`: ${trouble}`));
  return [
    "# The clusters that must agree.",
    "apiVersion: cloud-assert/v1",
    "kind: Fleet",
    `metadata: { name: ${scalar(nameOf(cwd))} }`,
    "spec:",
    "  clusters:",
    ...clusters,
    ...comments,
    "",
  ].join("\n");
}

/** The folder's name, as far as a name in a fleet file may be like it. */
function nameOf(folder: string): string {
  const safe = basename(folder).slice(0, 200).replace(/[^-._A-Za-z0-9]+/g, "-").replace(/^[-._]+|[-._]+$/g, "");
  return safe === "" ? "fleet" : safe;
}

function placeText({ kubernetes }: FleetCluster, cwd: string): string {
  if (kubernetes?.form !== "kubeconfig") throw new TypeError("init writes contexts only");
  const file = kubernetes.kubeconfig === undefined ? "" : `kubeconfig: ${scalar(pathText(kubernetes.kubeconfig, cwd))}, `;
  return `{ ${file}context: ${scalar(kubernetes.context ?? "")} }`;
}

function pathText(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below.startsWith("..") ? path : below;
}

/** JSON strings are YAML strings; plain words stay plain. */
function scalar(text: string): string {
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text) ? text : plainJson(JSON.stringify(text));
}

function comment(text: string): string {
  return `    # ${plain(text)}`;
}

function proxiesOf(snapshot: Snapshot | undefined): readonly EnvoyProxies[] {
  const isProxies = (fact: Fact): fact is Fact<"envoy-proxies"> => fact.kind === "envoy-proxies";
  return (snapshot?.facts ?? []).filter(isProxies).map(({ data }) => data);
}

function hasNameless(snapshot: Snapshot | undefined): boolean {
  return proxiesOf(snapshot).some(({ image, role }) => role !== "ztunnel" && !/:v?\d+\.\d+/.test(image));
}

/** The field of the suite behind which the question of revisions is settled. */
const SKEW_FIELD = "  maxPatchSkew:";

/** The built-in suite; where several revisions run, each is judged by itself. */
function suiteText(suite: string, taken: readonly Tried[]): string {
  const found = taken.flatMap(({ target, snapshot }) => (snapshot === undefined ? [] : [`# ${plain(`${target.cluster.name}: ${foundIn(proxiesOf(snapshot))}`)}`]));
  const revisions = [...new Set(taken.flatMap(({ snapshot }) => proxiesOf(snapshot).flatMap(({ revision }) => revision ?? [])))].sort(byText);
  const [, ...body] = withoutStates(taken.length < 2 ? withoutComparisons(suite) : suite).trimEnd().split("\n");
  return [
    "# What applies to every fleet. Found when this was written:",
    ...found,
    ...body.flatMap((line) => (revisions.length > 1 && line.startsWith(SKEW_FIELD) ? [line, `  # several revisions run (${plain(revisions.join(", "))}): a canary is compared with itself`, "  per: revision"] : [line])),
    "",
  ].join("\n");
}

/** What compares clusters is of no use to one of them alone: it stands there as a comment. */
function withoutComparisons(suite: string): string {
  const documents = suite.split("---\n");
  return documents.map((text) => (COMPARISON.test(text) ? commented("with a second cluster", text) : text)).join("---\n");
}

const COMPARISON = /^kind: RoutesEquivalent$/m;

/** No kubeconfig tells where Terraform keeps its states: what rests on them stands there as a comment. */
function withoutStates(suite: string): string {
  return suite.split("---\n").map((text) => (/^kind: TerraformAgrees$/m.test(text) ? commented("once the clusters name their states (`terraform:` in assert.yaml)", text) : text)).join("---\n");
}

function commented(when: string, text: string): string {
  return `# ${when}:\n${text.trimEnd().replaceAll(/^/gm, "# ")}\n`;
}

function foundIn(proxies: readonly EnvoyProxies[]): string {
  const running = (role: EnvoyProxies["role"]) => proxies.filter((each) => each.role === role).reduce((sum, each) => sum + each.running, 0);
  const parts = (["sidecar", "gateway", "waypoint", "ztunnel"] as const).flatMap((role) => (running(role) === 0 ? [] : [count(running(role), role)]));
  return parts.length === 0 ? "no proxy seen" : parts.join(", ");
}
