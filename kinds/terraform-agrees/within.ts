import { byText, cite, fault, gap, info, judged, undecided, type Finding, type Judgement } from "#engine";
import { judgeAddons } from "./addons.ts";
import type { Field } from "./fields.ts";
import { identity } from "./identity.ts";
import { judgePool } from "./pools.ts";
import { judgeMesh } from "./mesh.ts";
import type { Spec } from "./spec.ts";
import { compareVersions, fulfils, kubernetesVersion } from "./versions.ts";
import { citeDeclared, type ClusterFact, type View } from "./view.ts";
import { count, several } from "./words.ts";

/** Does a cluster match its own Terraform states? Field by field, each declared thing with what runs of it. */
export function* within(view: View, spec: Spec): Iterable<Judgement> {
  const same = identity(view);
  yield* same.told;
  if (!same.holds) return yield judged(1);
  if (view.clusters.length === 0 && !view.sees("declared")) return;
  const asks = (field: Field) => spec.fields.includes(field);
  // Where `declared` has gaps they say why; a list that is whole and holds pools or add-ons alone says nothing of the control plane.
  if (asks("controlPlane.version") && view.clusters.length === 0 && view.sees("declared")) yield noCluster(view);
  if (asks("controlPlane.version")) for (const cluster of view.clusters) yield* controlPlane(view, cluster);
  for (const pool of view.pools.filter(({ data }) => data.unnamed === undefined)) yield* judgePool(view, pool, spec);
  yield* unnamedPools(view);
  yield* undeclaredPools(view);
  yield* judgeMesh(view, spec);
  if (asks("addons[*].version")) yield* judgeAddons(view);
}

function noCluster({ name, states }: View): Judgement {
  const names = states.map(({ subject }) => subject.replace(/^state /, ""));
  return gap({ kind: "declared", cluster: name, subject: `${name}/controlPlane.version`, reason: `no state of \`${name}\` declares the cluster itself: ${several(names)}`, remedy: "name the state that does, or compare other `fields`" });
}

function* controlPlane(view: View, fact: ClusterFact): Iterable<Judgement> {
  const { name, server } = view;
  const declared = kubernetesVersion(fact.data.version);
  if (declared === undefined) {
    yield gap({ kind: "declared", cluster: name, subject: `${name}/controlPlane.version`, reason: `\`${fact.data.address}\` in \`${fact.data.state}\` declares no version that can be read`, remedy: "refresh the state (`terraform apply -refresh-only`)" });
    return;
  }
  if (server === undefined) return;
  const running = kubernetesVersion(server.data.version);
  if (running === undefined) {
    yield gap({ kind: "server-version", cluster: name, subject: `${name}/controlPlane.version`, reason: `the API server calls its version \`${server.data.version}\`, which is none`, remedy: "look what answers at `/version`" });
    return;
  }
  yield judged(1);
  if (fulfils(running, declared)) return;
  const newer = compareVersions(running, declared) > 0;
  const channel = fact.data.channel === undefined || fact.data.channel === "unspecified" ? "" : ` (its channel \`${fact.data.channel}\` upgrades it by itself)`;
  yield fault({
    subject: `${name}/controlPlane.version`,
    cause: `${name} controlPlane.version ${declared.text} ${running.text}`,
    message: `\`${name}\` runs Kubernetes ${running.text}, and Terraform declares ${declared.text}: what runs is ${newer ? "newer" : "older"}${newer ? channel : ""}`,
    remedy: newer ? `take it over: \`terraform apply -refresh-only\`, and correct the version in the configuration where it is written` : `apply what is declared: \`terraform apply\`; if the cluster was put back on purpose, correct the configuration`,
    evidence: [citeDeclared(view, fact, declared.text), cite(server, "running", running.text)],
  });
}

/** Pools whose nodes do not bear their name: which of the nodes without a pool are theirs, nobody can tell. */
function* unnamedPools(view: View): Iterable<Finding> {
  const { name, pools, nodes, sees } = view;
  const unnamed = pools.filter(({ data }) => data.unnamed !== undefined);
  const [first] = unnamed;
  if (first === undefined || !sees("node-pools")) return;
  const loose = nodes.filter(({ data }) => data.pool === undefined);
  const names = unnamed.map(({ data }) => data.name).toSorted(byText);
  const total = loose.reduce((sum, { data }) => sum + data.count, 0);
  yield info({
    subject: `${name}/pools`,
    cause: `${name} unnamed ${names.join(" ")}`,
    message: `Terraform declares ${several(names)} in \`${name}\` (${unnamed.some(({ data }) => data.unnamed === "self-managed") ? "groups of machines that join by themselves" : "profiles of Fargate"}), whose nodes do not bear ${names.length === 1 ? "its name" : "their names"}: nothing of ${names.length === 1 ? "it" : "them"} is compared with the ${count(total, "node")} of no pool`,
    remedy: "use managed node groups where nodes are to be compared; versions and architectures of nodes without a pool are compared between clusters",
    evidence: [...unnamed.slice(0, 5).map((pool) => citeDeclared(view, pool, pool.data.unnamed ?? "")), ...loose.slice(0, 5).map((fact) => cite(fact, "running", `${count(fact.data.count, "node")}, such as \`${fact.data.example}\``))],
  });
}

/** Pools that run and nobody declares: made by hand, or by what makes nodes on its own. */
function* undeclaredPools({ name, pools, nodes, sees }: View): Iterable<Finding> {
  if (!sees("declared") || !sees("node-pools")) return;
  const mayBeTheirs = pools.some(({ data }) => data.unnamed !== undefined);
  const declared = new Set(pools.filter(({ data }) => data.unnamed === undefined).map(({ data }) => data.name));
  const other = nodes.filter(({ data }) => (data.pool === undefined ? !mayBeTheirs : !declared.has(data.pool)));
  const [first] = other;
  if (first === undefined) return;
  const names = [...new Set(other.flatMap(({ data }) => data.pool ?? []))].toSorted(byText);
  const loose = other.reduce((sum, { data }) => sum + (data.pool === undefined ? data.count : 0), 0);
  const told = [...(names.length === 0 ? [] : [`${names.length === 1 ? "the pool" : "the pools"} ${several(names)}`]), ...(loose === 0 ? [] : [`${count(loose, "node")} of no pool`])];
  yield info({
    subject: `${name}/pools`,
    cause: `${name} undeclared ${names.join(" ")}`,
    message: `\`${name}\` runs ${told.join(" and ")}, which no state named for it declares`,
    remedy: "name the state that declares them, or import them; nodes that are made by an autoscaler are no pools of Terraform",
    evidence: other.slice(0, 5).map((fact) => cite(fact, "running", `${count(fact.data.count, "node")}, such as \`${fact.data.example}\``)),
  });
}

/** Two clusters of the fleet cannot be one of Terraform's: what is compared then is a cluster with itself. */
export function* mistaken(views: readonly View[]): Iterable<Finding> {
  const byId = Map.groupBy(views.flatMap((view) => view.clusters.slice(0, 1).map((fact) => ({ view, fact }))), ({ fact }) => fact.data.id.toLowerCase());
  for (const group of byId.values()) {
    const [first] = group;
    if (first === undefined || group.length < 2) continue;
    const names = group.map(({ view }) => view.name).toSorted(byText);
    yield undecided({
      subject: names.join(", "),
      cause: `one cluster ${names.join(" ")}`,
      message: `the states of ${several(names)} declare the same cluster, \`${first.fact.data.name}\``,
      remedy: "write `cluster:` at their sources in the fleet file, or name the state of each",
      evidence: group.map(({ view, fact }) => citeDeclared(view, fact, fact.data.id)),
    });
  }
}
