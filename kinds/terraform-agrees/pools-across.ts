import { byText, cite, fault, info, judged, undecided, type Evidence, type Finding, type Judgement } from "#engine";
import type { Field } from "./fields.ts";
import { laggards, lagging, strangers, type Numbered } from "./lag.ts";
import { listText } from "./pools.ts";
import type { Spec } from "./spec.ts";
import { kubernetesVersion, minorsBehind, newestOf, type Version } from "./versions.ts";
import { citeDeclared, type Nodes, type PoolFact, type View } from "./view.ts";
import { several } from "./words.ts";

/** One pool of one cluster: as it is declared, and what runs of it. */
interface Pool {
  readonly view: View;
  /** Its own name; left out for nodes of no pool. */
  readonly own?: string | undefined;
  /** The name by which it pairs. */
  readonly common: string;
  readonly declared: readonly PoolFact[];
  readonly nodes: readonly Nodes[];
}

const NO_POOL = "(no pool)";
/** What those are called together. */
const ALONE = "pools without a partner";

/**
 * Pools pair by `poolMapping`, then by name. Those that pair with none are compared as the set of values of their cluster: with that of the others'
 * unpaired pools; where each of these has a partner, there must be one among them that is like it.
 */
export function* poolsAcross(all: readonly View[], spec: Spec): Iterable<Judgement> {
  // Where something is missing, a pool less or a node less would look like a difference.
  const views = all.filter((view) => view.sees("declared") && view.sees("node-pools"));
  if (views.length < 2) return;
  const pools = views.flatMap((view) => poolsOf(view, spec));
  yield* collisions(pools, spec);
  const byName = [...Map.groupBy(pools, ({ common }) => common)].toSorted(([a], [b]) => byText(a, b));
  const paired = byName.filter(([name, group]) => name !== NO_POOL && clustersOf(group).length > 1);
  const single = byName.filter(([name, group]) => name === NO_POOL || clustersOf(group).length === 1).flatMap(([, group]) => group);
  const fields = spec.fields.filter((field) => field === "pools[*].arch" || field === "pools[*].version" || field === "pools[*].taints" || field === "pools[*].instanceTypes");
  for (const field of fields) {
    for (const [name, group] of paired) yield* compared(field, `pool ${name}`, group.map((pool) => [pool]), spec);
    if (single.length > 0) {
      const sets = views.map(({ name }) => {
        const own = single.filter(({ view }) => view.name === name);
        return own.length > 0 ? own : likest(field, pools.filter(({ view }) => view.name === name), single, spec);
      });
      yield* compared(field, ALONE, sets.filter((set) => set.length > 0), spec);
    }
  }
  yield* listed(views, paired, single);
}

/** Of a cluster whose pools all have partners: those that are like the lonely pools of others; where none is, all. */
function likest(field: Field, pools: readonly Pool[], single: readonly Pool[], { maxMinorSkew }: Spec): readonly Pool[] {
  const lonely = new Set(single.flatMap((pool) => valuesOf(field, pool) ?? []));
  const versions = single.flatMap((pool) => versionOf(pool) ?? []);
  const isLike = (pool: Pool) => {
    const version = field === "pools[*].version" ? versionOf(pool)?.version : undefined;
    if (field === "pools[*].version") return version !== undefined && versions.some((other) => Math.abs(minorsBehind(version, other.version)) <= maxMinorSkew);
    return valuesOf(field, pool)?.every((value) => lonely.has(value)) === true;
  };
  const like = pools.filter(isLike);
  return like.length > 0 ? like : pools;
}

function poolsOf(view: View, { poolMapping }: Spec): readonly Pool[] {
  const own = Object.hasOwn(poolMapping, view.name) ? (poolMapping[view.name] ?? {}) : {};
  const told = view.pools.filter(({ data }) => data.unnamed === undefined);
  const names = new Set([...told.map(({ data }) => data.name), ...view.nodes.flatMap(({ data }) => data.pool ?? [])]);
  const named = [...names].toSorted(byText).map((name): Pool => ({
    view,
    own: name,
    common: Object.hasOwn(own, name) ? (own[name] ?? name) : name,
    declared: told.filter(({ data }) => data.name === name),
    nodes: view.nodes.filter(({ data }) => data.pool === name),
  }));
  const loose = view.nodes.filter(({ data }) => data.pool === undefined);
  return loose.length === 0 ? named : [...named, { view, common: NO_POOL, declared: [], nodes: loose }];
}

function clustersOf(pools: readonly Pool[]): readonly string[] {
  return [...new Set(pools.map(({ view }) => view.name))].toSorted(byText);
}

/** Two pools of one cluster under one name. */
function* collisions(pools: readonly Pool[], { poolMapping }: Spec): Iterable<Finding> {
  for (const group of Map.groupBy(pools, ({ view, common }) => `${view.name}\0${common}`).values()) {
    const [first] = group;
    if (first === undefined || group.length < 2) continue;
    const names = group.flatMap(({ own }) => own ?? []);
    yield undecided({
      subject: `${first.view.name}/pool ${first.common}`,
      cause: `${first.view.name} two pools ${names.join(" ")}`,
      message: `the pools ${several(names)} of \`${first.view.name}\` both stand for \`${first.common}\``,
      remedy: `correct \`poolMapping\`${Object.hasOwn(poolMapping, first.view.name) ? "" : " of the other clusters"}: one pool of a cluster stands for one of the others`,
      evidence: group.flatMap((pool) => evidenceOf(pool, "pool", pool.own ?? "").slice(0, 1)),
    });
  }
}

/** The value of a field in one pool: of what runs, else of what is declared. Undefined: neither tells. */
function valuesOf(field: Field, { declared, nodes }: Pool): readonly string[] | undefined {
  const values = nodes.length > 0 ? nodes.map(({ data }) => runningValue(field, data)) : declared.flatMap(({ data }) => declaredValues(field, data));
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 || known.length < values.length ? undefined : [...new Set(known)].toSorted(byText);
}

function runningValue(field: Field, { arch, taints, instanceType }: Nodes["data"]): string | undefined {
  return field === "pools[*].arch" ? arch : field === "pools[*].taints" ? listText(taints) : instanceType;
}

function declaredValues(field: Field, { arch, taints, instanceTypes }: PoolFact["data"]): readonly (string | undefined)[] {
  return field === "pools[*].arch" ? [arch] : field === "pools[*].taints" ? [taints === undefined ? undefined : listText(taints)] : instanceTypes;
}

/** Groups of pools, one for each cluster, that must have the same values. */
function* compared(field: Field, subject: string, groups: readonly (readonly Pool[])[], spec: Spec): Iterable<Judgement> {
  if (groups.length < 2) return;
  if (field === "pools[*].version") return yield* versions(subject, groups, spec);
  if (field !== "pools[*].instanceTypes") return yield* sameValues(field, subject, groups);
  // Names of machines are each cloud's own.
  for (const [cloud, those] of Map.groupBy(groups, ([pool]) => pool?.view.cluster.cloud ?? pool?.view.clusters[0]?.data.cloud)) if (cloud !== undefined && those.length > 1) yield* sameValues(field, subject, those);
}

function* sameValues(field: Field, subject: string, groups: readonly (readonly Pool[])[]): Iterable<Judgement> {
  const short = field.replace("pools[*].", "");
  const sides = [sideOf(groups, (pool) => valuesOf(field, pool)), sideOf(groups, (pool) => (pool.declared.length === 0 || pool.nodes.length === 0 ? [] : valuesOf(field, { ...pool, nodes: [] })))];
  const [effective, declared] = sides;
  for (const { pool } of effective?.unknown ?? []) {
    yield undecided({
      subject: `${pool.view.name}/pool ${pool.own ?? NO_POOL}/${short}`,
      cause: `${pool.view.name} pool ${pool.common} ${short} unknown`,
      message: `the ${short} of the pool \`${pool.own ?? NO_POOL}\` in \`${pool.view.name}\` is not known: no node of it tells, and Terraform does not either`,
      remedy: "run a node of it, or compare other `fields`",
      evidence: evidenceOf(pool, short, "unknown"),
    });
  }
  yield judged(effective?.known.length ?? 0);
  const told = effective !== undefined && differs(effective.known) ? { side: "", ...effective } : declared !== undefined && declared.known.length > 1 && differs(declared.known) ? { side: "declared ", ...declared } : undefined;
  if (told === undefined) return;
  const camps = [...Map.groupBy(told.known, ({ text }) => text)].map(([text, those]) => ({ text, clusters: those.map(({ cluster }) => cluster).toSorted(byText) })).toSorted((a, b) => b.clusters.length - a.clusters.length || byText(a.text, b.text));
  const [most, next] = camps;
  const majority = most !== undefined && next !== undefined && most.clusters.length > next.clusters.length ? most : undefined;
  yield fault({
    subject: `${subject}/${short}`,
    cause: `${subject} ${short} ${camps.map(({ text, clusters }) => `${text}: ${clusters.join(" ")}`).join(" | ")}`,
    message: `${subject === ALONE ? ALONE : shownAs(subject)}: ${told.side}${short} is ${camps.map((camp) => `${camp.text} in ${several(camp.clusters)}${camp === majority ? " (the majority)" : ""}`).join(", ")}`,
    remedy: majority === undefined ? "decide which is right, and bring the others in line" : `bring ${several(camps.filter((camp) => camp !== majority).flatMap(({ clusters }) => clusters).toSorted(byText))} in line with ${several(majority.clusters)}${subject === ALONE ? "; or name partners in `poolMapping`" : ""}`,
    evidence: groups.flatMap((group) => group.flatMap((pool) => evidenceOf(pool, short, valuesOf(field, pool)?.join(", ") ?? "unknown").slice(0, 2))).slice(0, 20),
  });
}

interface Side {
  readonly known: readonly { readonly cluster: string; readonly text: string }[];
  readonly unknown: readonly { readonly pool: Pool }[];
}

/** The set of values of each cluster; one that has a pool of which nothing is known is left out. */
function sideOf(groups: readonly (readonly Pool[])[], valuesIn: (pool: Pool) => readonly string[] | undefined): Side {
  const unknown = groups.flatMap((group) => group.filter((pool) => valuesIn(pool) === undefined).map((pool) => ({ pool })));
  const known = groups.flatMap((group) => {
    const values = group.map(valuesIn);
    if (values.some((value) => value === undefined)) return [];
    const set = [...new Set(values.flatMap((value) => value ?? []))].toSorted(byText);
    return set.length === 0 ? [] : [{ cluster: group[0]?.view.name ?? "", text: set.join(" and ") }];
  });
  return { known, unknown };
}

function differs(known: Side["known"]): boolean {
  return new Set(known.map(({ text }) => text)).size > 1;
}

function evidenceOf({ view, declared, nodes, own }: Pool, label: string, value: string): readonly Evidence[] {
  const pool = own ?? NO_POOL;
  return [...nodes.slice(0, 1).map((fact) => cite(fact, `running, ${label}`, `${value} in the pool \`${pool}\`, such as \`${fact.data.example}\``)), ...declared.slice(0, 1).map((fact) => citeDeclared(view, fact, `pool \`${pool}\``))];
}

function* versions(subject: string, groups: readonly (readonly Pool[])[], { maxMinorSkew }: Spec): Iterable<Judgement> {
  const read = groups.map((group) => group.map((pool) => ({ pool, version: versionOf(pool) })));
  for (const { pool } of read.flat().filter(({ version }) => version === undefined)) {
    yield undecided({
      subject: `${pool.view.name}/pool ${pool.own ?? NO_POOL}/version`,
      cause: `${pool.view.name} pool ${pool.common} version unknown`,
      message: `the version of the pool \`${pool.own ?? NO_POOL}\` in \`${pool.view.name}\` is not known: no kubelet of it tells, and Terraform does not either`,
      remedy: "run a node of it, or compare other `fields`",
      evidence: evidenceOf(pool, "version", "unknown"),
    });
  }
  const runs = read.map((group) => group.flatMap(({ version }) => version ?? []));
  const written = groups.map((group) => group.flatMap((pool) => (pool.declared.length === 0 || pool.nodes.length === 0 ? [] : (versionOf({ ...pool, nodes: [] }) ?? []))));
  yield judged(runs.filter((group) => group.length > 0).length);
  const told = new Set<string>();
  for (const [clause, sides] of [[`has ${shownAs(subject)} on Kubernetes`, runs], [`declares ${shownAs(subject)} with Kubernetes`, written]] as const) {
    const known = sides.filter((group) => group.length > 0);
    const lags = known.every((group) => group.length === 1) ? laggards(known.flat(), maxMinorSkew) : strangers(known, maxMinorSkew);
    for (const lag of lags.filter(({ item }) => !told.has(item.cluster))) {
      told.add(lag.item.cluster);
      yield lagging(lag, { subject: `${lag.item.cluster}/${subject}/version`, clause, maxMinorSkew });
    }
  }
}

function shownAs(subject: string): string {
  return subject === ALONE ? "a pool without a partner" : `the pool \`${subject.slice("pool ".length)}\``;
}

/** The newest kubelet, for an upgrade may be under way; of a pool without nodes, what is declared. */
function versionOf({ view, declared, nodes, own }: Pool): Numbered | undefined {
  const kubelets = nodes.map((fact) => ({ fact, version: kubernetesVersion(fact.data.kubelet) }));
  if (kubelets.some(({ version }) => version === undefined)) return undefined;
  const running = newestOf(kubelets.flatMap(({ fact, version }) => (version === undefined ? [] : [{ fact, version }])), ({ version }) => version);
  if (running !== undefined) return { cluster: view.name, version: running.version, evidence: cite(running.fact, "running", `${running.version.text} in the pool \`${own ?? NO_POOL}\``) };
  const written = declared.flatMap((fact): readonly { readonly fact: PoolFact; readonly version: Version }[] => {
    const version = kubernetesVersion(fact.data.version);
    return version === undefined ? [] : [{ fact, version }];
  });
  const newest = newestOf(written, ({ version }) => version);
  return newest === undefined ? undefined : { cluster: view.name, version: newest.version, evidence: citeDeclared(view, newest.fact, `${newest.version.text} of the pool \`${own ?? ""}\``) };
}

/** What stands alone, and how it would be paired. */
function* listed(views: readonly View[], paired: readonly (readonly [string, readonly Pool[]])[], single: readonly Pool[]): Iterable<Finding> {
  const named = single.filter(({ own }) => own !== undefined);
  const missing = paired.flatMap(([name, group]) => views.filter((view) => !group.some((pool) => pool.view.name === view.name)).map((view) => `\`${name}\` is not in \`${view.name}\``));
  if (named.length === 0 && missing.length === 0) return;
  const lone = clustersOf(named).map((cluster) => `${several(named.filter(({ view }) => view.name === cluster).flatMap(({ own }) => own ?? []))} of \`${cluster}\``);
  const hint = mappingFor(named);
  yield info({
    subject: ALONE,
    cause: `alone ${named.map(({ view, own }) => `${view.name}/${own ?? ""}`).join(" ")} | ${missing.join(" ")}`,
    message: [...(lone.length === 0 ? [] : [`${named.length} ${named.length === 1 ? "pool pairs" : "pools pair"} with none by name: ${lone.join(", ")}`]), ...(missing.length === 0 ? [] : [`${missing.length === 1 ? "one pool is" : "some pools are"} not everywhere: ${missing.slice(0, 5).join(", ")}`])].join("; "),
    remedy: hint === undefined ? "they were compared as the set of values of each cluster; pools pair by their names, or by `poolMapping`" : `they were compared as the set of values of each cluster; to pair them, write \`poolMapping: ${hint}\``,
    evidence: named.slice(0, 5).flatMap((pool) => evidenceOf(pool, "pool", pool.own ?? "").slice(0, 1)),
  });
}

/** A mapping to start from: onto the pools of the first cluster, those of the same architecture first. */
function mappingFor(single: readonly Pool[]): string | undefined {
  const [first, ...others] = clustersOf(single);
  const left = single.filter(({ view }) => view.name === first);
  const lines = others.flatMap((cluster) => {
    const free = [...left];
    const pairs = single.filter(({ view }) => view.name === cluster).flatMap((pool) => {
      const arch = valuesOf("pools[*].arch", pool)?.join();
      const at = Math.max(0, free.findIndex((each) => valuesOf("pools[*].arch", each)?.join() === arch));
      const [partner] = free.splice(at, 1);
      return partner === undefined ? [] : [`${pool.own ?? ""}: ${partner.own ?? ""}`];
    });
    return pairs.length === 0 ? [] : [`${cluster}: { ${pairs.join(", ")} }`];
  });
  return lines.length === 0 ? undefined : `{ ${lines.join(", ")} }`;
}
