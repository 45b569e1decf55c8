import { byText, cite, fault, gap, info, judged, undecided, type Evidence, type Finding, type Gap, type Judgement } from "#engine";
import type { Spec } from "./spec.ts";
import { compareVersions, fulfils, kubernetesVersion, newestOf, type Version } from "./versions.ts";
import { citeDeclared, type Nodes, type PoolFact, type View } from "./view.ts";
import { count, several } from "./words.ts";

/** One declared pool and the nodes that bear its name. */
interface Pair {
  readonly view: View;
  readonly pool: PoolFact;
  readonly nodes: readonly Nodes[];
}

/** Does what runs of a pool match what is declared of it? Only where the list of nodes is whole: half a rollout looks like a difference. */
export function* judgePool(view: View, pool: PoolFact, { fields }: Spec): Iterable<Judgement> {
  if (!view.sees("node-pools")) return;
  const nodes = view.nodes.filter(({ data }) => data.pool === pool.data.name);
  const pair = { view, pool, nodes };
  const asked = fields.filter((field) => field.startsWith("pools"));
  const size = asked.includes("pools[*].nodes");
  if (size) yield* sized(pair);
  if (nodes.length === 0) {
    if (!size && asked.length > 0) yield nothingRuns(pair);
    return;
  }
  for (const field of asked) {
    if (field === "pools[*].arch") yield* alike(pair, "arch", pool.data.arch === undefined ? undefined : [pool.data.arch], nodes.map(({ data }) => data.arch));
    if (field === "pools[*].version") yield* versions(pair);
    if (field === "pools[*].taints") yield* tainted(pair);
    if (field === "pools[*].instanceTypes") yield* alike(pair, "instanceTypes", pool.data.instanceTypes.length === 0 ? undefined : pool.data.instanceTypes, nodes.map(({ data }) => data.instanceType));
  }
}

function subjectOf({ view, pool }: Pair, field: string): string {
  return `${view.name}/pool ${pool.data.name}/${field}`;
}

function notDeclared(pair: Pair, field: string): Gap {
  const { view, pool } = pair;
  return gap({
    kind: "declared",
    cluster: view.name,
    subject: subjectOf(pair, field),
    reason: `\`${pool.data.address}\` in \`${pool.data.state}\` does not tell the ${field} of the pool \`${pool.data.name}\``,
    remedy: "refresh the state (`terraform apply -refresh-only`); if a launch template decides it, compare other `fields`",
  });
}

function notTold(pair: Pair, field: string, nodes: readonly Nodes[]): Gap {
  return gap({ kind: "node-pools", cluster: pair.view.name, subject: subjectOf(pair, field), reason: `the node \`${nodes[0]?.data.example ?? ""}\` does not tell its ${field}`, remedy: "look at the node; a trimmed dump must keep labels and `status.nodeInfo`" });
}

/** A pool of which nothing runs says nothing; where it may be empty, that is as it should be. */
function nothingRuns(pair: Pair): Finding {
  const { view, pool } = pair;
  const { name, size, origin } = pool.data;
  const mayBeEmpty = size?.min === 0 || origin === "seen";
  const wanted = size === undefined ? "" : `, with ${size.min === size.max ? count(size.min, "node") : `${size.min} to ${count(size.max, "node")}`}`;
  return (mayBeEmpty ? info : undecided)({
    subject: `${view.name}/pool ${name}`,
    cause: `${view.name} pool ${name} empty`,
    message: `Terraform declares the pool \`${name}\` of \`${view.name}\`${wanted}, and no node of it runs: there is nothing to compare`,
    remedy: mayBeEmpty ? "nothing to do where it is scaled to nothing on purpose" : `see why no node bears its name; if it was deleted by hand, \`terraform apply\` makes it again`,
    evidence: [citeDeclared(view, pool, `pool ${name}`), ...view.nodes.slice(0, 1).map((fact) => cite(fact, "nodes of other pools", fact.data.example))],
  });
}

/** Is everything that runs among what is declared? */
function* alike(pair: Pair, field: "arch" | "instanceTypes", declared: readonly string[] | undefined, running: readonly (string | undefined)[]): Iterable<Judgement> {
  const { view, pool, nodes } = pair;
  const silent = nodes.filter((_, index) => running[index] === undefined);
  if (declared === undefined) return yield notDeclared(pair, field);
  const other = nodes.filter((_, index) => running[index] !== undefined && !declared.includes(running[index] ?? ""));
  if (silent.length > 0) yield notTold(pair, field, silent);
  yield judged(1);
  if (other.length === 0) return;
  const seen = [...new Set(other.map(({ data }) => (field === "arch" ? data.arch : data.instanceType) ?? ""))].toSorted(byText);
  yield fault({
    subject: subjectOf(pair, field),
    cause: `${view.name} pool ${pool.data.name} ${field} ${declared.join(" ")} ${seen.join(" ")}`,
    message: `${nodesText(other)} of the pool \`${pool.data.name}\` in \`${view.name}\` ${sum(other) === 1 ? "has" : "have"} ${field} ${several(seen)}, and Terraform declares ${several(declared)}`,
    remedy: "`terraform plan` shows who is right: replace the nodes by `terraform apply`, or take them over with `-refresh-only` and correct the configuration",
    evidence: evidence(pair, declared.join(", "), other, ({ data }) => (field === "arch" ? data.arch : data.instanceType) ?? ""),
  });
}

function* versions(pair: Pair): Iterable<Judgement> {
  const { pool, nodes } = pair;
  const declared = kubernetesVersion(pool.data.version);
  if (declared === undefined) return yield notDeclared(pair, "version");
  const read = nodes.map((fact) => ({ fact, version: kubernetesVersion(fact.data.kubelet) }));
  const silent = read.filter(({ version }) => version === undefined);
  if (silent.length > 0) return yield notTold(pair, "version", silent.map(({ fact }) => fact));
  const known = read.flatMap(({ fact, version }) => (version === undefined ? [] : [{ fact, version }]));
  const newest = newestOf(known, ({ version }) => version);
  if (newest === undefined) return;
  yield judged(1);
  const other = known.filter(({ version }) => !fulfils(version, declared));
  if (other.length === 0) return;
  if (fulfils(newest.version, declared)) yield rollout(pair, declared, other.map(({ fact }) => fact));
  else yield anotherVersion(pair, declared, newest.version, other);
}

function rollout(pair: Pair, declared: Version, older: readonly Nodes[]): Finding {
  const { view, pool } = pair;
  return info({
    subject: subjectOf(pair, "version"),
    cause: `${view.name} pool ${pool.data.name} rollout ${declared.text}`,
    message: `the pool \`${pool.data.name}\` in \`${view.name}\` is being upgraded to ${declared.text}: ${nodesText(older)} ${sum(older) === 1 ? "is" : "are"} older yet`,
    remedy: "nothing to do while the upgrade goes on",
    evidence: evidence(pair, declared.text, older, ({ data }) => data.kubelet ?? ""),
  });
}

function anotherVersion(pair: Pair, declared: Version, newest: Version, other: readonly { readonly fact: Nodes; readonly version: Version }[]): Finding {
  const { view, pool } = pair;
  const texts = [...new Set(other.map(({ version }) => version.text))].toSorted(byText);
  const facts = other.map(({ fact }) => fact);
  const newer = compareVersions(newest, declared) > 0;
  return fault({
    subject: subjectOf(pair, "version"),
    cause: `${view.name} pool ${pool.data.name} version ${declared.text} ${texts.join(" ")}`,
    message: `${nodesText(facts)} of the pool \`${pool.data.name}\` in \`${view.name}\` ${sum(facts) === 1 ? "runs" : "run"} kubelet ${texts.join(", ")}, and Terraform declares ${declared.text}: what runs is ${newer ? "newer" : "older"}`,
    remedy: newer ? "take it over: `terraform apply -refresh-only`, and correct the version in the configuration where it is written" : "apply what is declared: `terraform apply` upgrades the pool",
    evidence: evidence(pair, declared.text, facts, ({ data }) => data.kubelet ?? ""),
  });
}

function* tainted(pair: Pair): Iterable<Judgement> {
  const { view, pool, nodes } = pair;
  const { taints } = pool.data;
  if (taints === undefined) return yield notDeclared(pair, "taints");
  yield judged(1);
  const wanted = listText(taints);
  const other = nodes.filter(({ data }) => listText(data.taints) !== wanted);
  if (other.length === 0) return;
  const seen = [...new Set(other.map(({ data }) => listText(data.taints)))].toSorted(byText);
  yield fault({
    subject: subjectOf(pair, "taints"),
    cause: `${view.name} pool ${pool.data.name} taints ${wanted} ${seen.join(" | ")}`,
    message: `${nodesText(other)} of the pool \`${pool.data.name}\` in \`${view.name}\` ${sum(other) === 1 ? "bears" : "bear"} ${seen.join(" or ")}, and Terraform declares ${wanted}`,
    remedy: "correct the taints in the configuration and apply, or take away what was set by hand with `kubectl taint`",
    evidence: evidence(pair, wanted, other, ({ data }) => listText(data.taints)),
  });
}

/** Taints in one text. */
export function listText(taints: readonly string[]): string {
  return taints.length === 0 ? "no taint" : several([...new Set(taints)].toSorted(byText), 8);
}

function* sized(pair: Pair): Iterable<Judgement> {
  const { view, pool, nodes } = pair;
  const { size, name } = pool.data;
  if (size === undefined) return yield notDeclared(pair, "nodes");
  yield judged(1);
  const total = sum(nodes);
  if (total >= size.min && total <= size.max) return;
  const wanted = size.min === size.max ? count(size.min, "node") : `${size.min} to ${count(size.max, "node")}`;
  yield fault({
    subject: subjectOf(pair, "nodes"),
    cause: `${view.name} pool ${name} nodes ${wanted} ${total < size.min ? "fewer" : "more"}`,
    message: `${count(total, "node")} of the pool \`${name}\` ${total === 1 ? "runs" : "run"} in \`${view.name}\`, and Terraform declares ${wanted}`,
    remedy: `during an upgrade there may be more for a while; else \`terraform plan\` shows who changed it`,
    evidence: [citeDeclared(view, pool, wanted), ...(nodes.length === 0 ? view.nodes : nodes).slice(0, 1).map((fact) => cite(fact, nodes.length === 0 ? "nodes of other pools" : "running", count(total, "node")))],
  });
}

function sum(nodes: readonly Nodes[]): number {
  return nodes.reduce((all, { data }) => all + data.count, 0);
}

function nodesText(nodes: readonly Nodes[]): string {
  return count(sum(nodes), "node");
}

function evidence({ view, pool }: Pair, declared: string, nodes: readonly Nodes[], value: (fact: Nodes) => string): readonly Evidence[] {
  return [citeDeclared(view, pool, declared), ...nodes.slice(0, 5).map((fact) => cite(fact, "running", `${value(fact)}: ${count(fact.data.count, "node")}, such as \`${fact.data.example}\``))];
}
