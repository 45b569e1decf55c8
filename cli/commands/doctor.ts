import { byText, canonical, type Permission } from "#engine";
import { jsonText } from "../../reports/json.ts";
import { columns, count, wrap } from "../../reports/layout.ts";
import { plain } from "../../reports/plain.ts";
import { assertionsOf } from "../assertions.ts";
import { discover } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { fleetOf } from "../fleet.ts";
import { ANSWERS, outputsOf, writeOutputs } from "../output.ts";
import { examine, type Examined } from "../rights.ts";
import { fitted } from "../suite.ts";
import type { Terminal } from "../terminal.ts";
import { checkTrustedFlags } from "../trusted-flags.ts";
import { visitAll } from "../visit.ts";

/** Questions of a few bytes: a server that takes longer for them is not well. */
const BUDGET_MS = 10_000;

/** Per cluster: reachable, who am I, which permission is missing for which assertion. 0 all there, 2 something missing. */
export default async function doctor(flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await checkTrustedFlags(flags, terminal.cwd);
  const outputs = await outputsOf(flags, terminal.cwd, ANSWERS);
  if (flags.snapshots !== undefined) {
    throw new UsageError("--snapshots contacts no cluster, so there are no permissions to look at", { remedy: "leave --snapshots out; judging saved snapshots needs no permission" });
  }
  const plugins = await discover(flags.plugin, terminal.cwd);
  const loaded = await assertionsOf(words, flags, plugins, terminal);
  const fleet = await fleetOf(flags, terminal);
  const { assertions, kinds } = fitted(loaded, fleet, flags);
  const examining = { assertions, kinds, collectors: await plugins.collectors(), probes: flags.probe };

  const clusters = await visitAll(fleet.clusters, { flags, terminal, budgetMs: BUDGET_MS }, async (target, visit) => {
    const examined = await examine(target, visit, examining);
    visit.done(examined.reachable);
    return examined;
  });
  const sorted = clusters.toSorted((a, b) => byText(a.cluster, b.cluster));
  const code = sorted.every(isWell) ? exitCodes.holds : exitCodes.undecided;
  await writeOutputs(outputs, flags, terminal, (format, { width }) => (format === "json" ? `${json(sorted)}\n` : `${page(sorted, code, width)}\n`));
  return code;
}

function isWell({ reachable, problems, needs }: Examined): boolean {
  return reachable && problems.length === 0 && needs.every((need) => need.missing.length === 0);
}

function json(clusters: readonly Examined[]): string {
  const withRule = (permissions: readonly Permission[]) => permissions.map((permission) => ({ ...permission, rule: ruleOf([permission]) }));
  return jsonText({
    schema: "cloud-assert/doctor/v1",
    clusters: clusters.map((each) => ({
      ...each,
      needs: each.needs.map((need) => ({ ...need, missing: withRule(need.missing) })),
      options: each.options.map((option) => ({ ...option, missing: withRule(option.missing) })),
    })),
  });
}

/** A table of all clusters, then what is to be said of each; clusters of which the same is to be said share it. */
function page(clusters: readonly Examined[], code: ExitCode, width: number): string {
  const rows = clusters.map((each) => [each.cluster, reachOf(each), each.identity ?? "-", stateOf(each)]);
  const table = columns([["CLUSTER", "REACHED", "IDENTITY", "STATE"], ...rows], "").join("\n");
  const details = Map.groupBy(clusters, (each) => detailsOf(each, width));
  details.delete("");
  const blocks = [...details].map(([text, same]) => `${wrap(same.map(({ cluster }) => plain(cluster)).join(", "), width, "")}\n${text}`);
  return [table, ...blocks, lastLines(clusters, code)].join("\n\n");
}

function reachOf({ place, reachable }: Examined): string {
  if (!reachable) return "NO";
  return place === "live" ? "yes" : place;
}

function stateOf(each: Examined): string {
  if (!each.reachable) return "nothing can be read";
  if (each.place !== "live") return "needs no permission";
  const missing = missingIn(each).length;
  if (missing > 0) return `${count(missing, "permission")} missing`;
  return each.problems.length > 0 ? "not everything could be asked" : "all permissions there";
}

function missingIn({ needs }: Examined): readonly Permission[] {
  return [...new Map(needs.flatMap(({ missing }) => missing).map((each) => [canonical(each), each])).values()];
}

function detailsOf(each: Examined, width: number): string {
  const missing = missingIn(each);
  return [
    ...each.problems.map(({ reason, remedy }) => `${wrap(plain(reason), width, "  ✗ ")}\n${wrap(plain(remedy), width, "    help: ")}`),
    ...missing.map((permission) => wrap(plain(`may not ${wordsOf(permission)}, needed ${purposesOf(permission, each)}`), width, "  ✗ ")),
    ...rulesText(missing),
    ...each.options.flatMap(({ probe, purpose, permissions, missing: lacking }) => {
      const needs = permissions.map(wordsOf).join(", ");
      const state = lacking.length === 0 ? "which this identity may" : `and this identity may not ${lacking.map(wordsOf).join(", ")}`;
      const off = probe === undefined ? "not needed now: " : "not allowed: ";
      return [wrap(plain(`${off}${purpose}; it takes ${needs}, ${state}`), width, "  · "), ...(probe === undefined ? [] : rulesText(lacking, "    if you want it, "))];
    }),
  ].join("\n");
}

/** The purposes of a permission, several in one line: a permission that five assertions lack is missing once. */
function purposesOf(permission: Permission, { needs }: Examined): string {
  const key = canonical(permission);
  const mine = needs.filter(({ missing }) => missing.some((each) => canonical(each) === key)).map(({ purpose }) => purpose);
  const shown = mine.slice(0, 5).join(" and ");
  return mine.length > 5 ? `${shown} and ${count(mine.length - 5, "more purpose")}` : shown;
}

function wordsOf({ verb, group, resource, namespace, name }: Permission): string {
  const where = namespace === undefined ? "" : ` in namespace \`${namespace}\``;
  return `${verb} \`${resource}\` of API group \`${group === "" ? '""' : group}\`${name === undefined ? "" : ` named \`${name}\``}${where}`;
}

/** The rules to add, as they stand in a role: one for the cluster's role, one for each namespace. */
function rulesText(missing: readonly Permission[], lead = "    help: "): readonly string[] {
  return [...Map.groupBy(missing, ({ namespace }) => namespace)].map(([namespace, permissions]) => {
    const role = namespace === undefined ? "the ClusterRole of this identity" : `a Role of this identity in \`${plain(namespace)}\``;
    const rule = ruleOf(permissions).split("\n").map((line) => `      ${plain(line)}`);
    return [`${lead}add to \`rules:\` of ${role}`, ...rule].join("\n");
  });
}

/** YAML, one rule for each resource, its verbs together. */
function ruleOf(permissions: readonly Permission[]): string {
  const rules = Map.groupBy(permissions, ({ group, resource, name }) => canonical([group, resource, name ?? ""]));
  return [...rules.values()]
    .map((same) => {
      const [first] = same;
      const names = first?.name === undefined ? [] : [`  resourceNames: [${JSON.stringify(first.name)}]`];
      const verbs = same.map(({ verb }) => verb).join(", ");
      return [`- apiGroups: [${JSON.stringify(first?.group ?? "")}]`, `  resources: [${first?.resource ?? ""}]`, ...names, `  verbs: [${verbs}]`].join("\n");
    })
    .join("\n");
}

function lastLines(clusters: readonly Examined[], code: ExitCode): string {
  const unwell = clusters.filter((each) => !isWell(each));
  if (unwell.length === 0) return `${count(clusters.length, "cluster")}: nothing is missing for these assertions\nexit code ${code}: \`assert run\` can read all it needs`;
  const lost = unwell.filter((each) => !each.reachable).length;
  const parts = [`${clusters.length - unwell.length} ready`, `${unwell.length - lost} with something missing`, `${lost} not reached`];
  return `${count(clusters.length, "cluster")}: ${parts.join(", ")}\nexit code ${code}: what is missing becomes gaps, and the assertions that need it undecided`;
}
