/**
 * `npm run bench -- routes [table|api|dump|hosts|regexes|mesh|growth|memory ...]`: what reading and comparing three clusters costs, as a
 * ratio to `JSON.parse` of the same objects in the same process. Ends with 1 when a goal is missed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { compareWorlds, envoyWorlds, istioWorlds, type KubeObject, type RouteWorld, type WorldComparison } from "#routes";
import { measure } from "./measure.ts";
import { broken, dumpOf, sidecarDumpOf, editedAlike, manyHosts, mesh, oneApiHost, oneHost, type PlainRule, rulesOf } from "./route-places.ts";

const CLUSTERS = ["eks", "gke", "aks"];
/** Seconds that one row may take at most, first rounds left out. */
const ROW_SECONDS = 14;
const FEWEST_SAMPLES = 5;
/** A sample is as many rounds as last about that long: the median is that of samples. */
const SAMPLE_MILLISECONDS = 1000;

let missed = 0;

/** Milliseconds of one round; of several, what is usual. */
interface Row {
  readonly parse: number;
  readonly compile: number;
  readonly decide: number;
  readonly total: number;
}

/** Medians of samples, and the ratio of the medians of single rounds, which jumps with the part that most collections fall on. */
interface Rows extends Row {
  readonly singleRatio: number;
}

/** What is compared: the objects of each cluster as text, one list each. */
type Texts = readonly string[];

function textsOf(make: (cluster: number) => readonly unknown[]): Texts {
  return CLUSTERS.map((_, cluster) => JSON.stringify({ apiVersion: "v1", kind: "List", items: make(cluster) }));
}

function parsed(text: string): readonly unknown[] {
  return (JSON.parse(text) as { readonly items: readonly unknown[] }).items;
}

function worldsOf(lists: readonly (readonly unknown[])[], unseen: readonly string[]): readonly RouteWorld[] {
  return istioWorlds(lists.map((items, index) => ({ place: CLUSTERS[index] ?? "", objects: items.map((object): KubeObject => ({ object })), complete: true, unseen, istio: "1.30.0", envoy: "1.39.1", meshConfig: {} })));
}

/** Milliseconds of processor time of this process, all threads: what else the machine does then matters little. */
function cpuNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const strewn: unknown[] = [];

/** Objects of the young generation that are gone at once: 0 to 16 MB of them. */
function litter(): void {
  const until = Math.random() * 16e6;
  for (let bytes = 0; bytes < until; bytes += 64) strewn[0] = { bytes, a: 1, b: 2, c: 3, d: 4 };
}

/**
 * One round on objects that nobody has seen before. A collection of the young generation copies what `JSON.parse` has just made, and
 * whoever it falls on pays for it: rounds that are all alike would have it at the same place every time. So that it falls on each part
 * as often as that part allocates, some litter comes first.
 */
function round(texts: Texts, unseen: readonly string[]): Row & { readonly result: WorldComparison } {
  litter();
  const began = cpuNow();
  const lists = texts.map(parsed);
  const isParsed = cpuNow();
  const worlds = worldsOf(lists, unseen);
  const isCompiled = cpuNow();
  const result = compareWorlds(worlds);
  const isDecided = cpuNow();
  return { parse: isParsed - began, compile: isCompiled - isParsed, decide: isDecided - isCompiled, total: isDecided - isParsed, result };
}

function medianRow(texts: Texts, wanted: WorldComparison["outcome"], unseen: readonly string[] = []): Rows {
  const rows: Row[] = [];
  const warm = round(texts, unseen);
  const { result } = warm;
  if (result.outcome !== wanted) throw new Error(`the outcome is ${result.outcome}, not ${wanted}: ${JSON.stringify([result.undecided, result.differences]).slice(0, 600)}`);
  // Small tables need more rounds until everything is compiled.
  for (let time = 0; time < 400 / (warm.parse + warm.total) && time < 30; time++) round(texts, unseen);
  const until = performance.now() + ROW_SECONDS * 1000;
  const first = round(texts, unseen);
  const perSample = Math.ceil(SAMPLE_MILLISECONDS / (first.parse + first.total));
  while (rows.length < FEWEST_SAMPLES * perSample || performance.now() < until) rows.push(round(texts, unseen));
  return medianOf(rows, perSample);
}

/**
 * One collection of the young generation costs as much as either part, and single rounds hold it in the one part or in the other: a
 * sample of several holds it as often as it occurs.
 */
function medianOf(rows: readonly Row[], perSample: number): Rows {
  const samples = Array.from({ length: Math.floor(rows.length / perSample) }, (_, sample) => rows.slice(sample * perSample, (sample + 1) * perSample));
  const of = (field: keyof Row): number => median(samples.map((own) => mean(own.map((row) => row[field]))));
  const single = (field: keyof Row): number => median(rows.map((row) => row[field]));
  return { parse: of("parse"), compile: of("compile"), decide: of("decide"), total: of("total"), singleRatio: single("total") / single("parse") };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function verdict(value: number, goal: number | undefined, stretch?: number): string {
  if (goal === undefined) return "";
  if (value > goal) missed++;
  return `goal ${goal.toFixed(1)}  ${value > goal ? "OVER" : stretch !== undefined && value <= stretch ? `ok, and stretch ${stretch}` : "ok"}`;
}

function tell(what: string, row: Rows, goal?: number, stretch?: number): void {
  const value = row.total / row.parse;
  say(`  ${what.padEnd(44)} ${value.toFixed(2).padStart(6)} x   compile ${row.compile.toFixed(1).padStart(7)}  decide ${row.decide.toFixed(1).padStart(7)}  JSON.parse ${row.parse.toFixed(1).padStart(7)} ms  single rounds ${row.singleRatio.toFixed(2).padStart(5)} x  ${verdict(value, goal, stretch)}`);
}

/** The clusters have the same rules but for edits that keep their meaning. */
function tables(count: number, edits: number, regexes = 0): Texts {
  const rules = rulesOf(count, regexes);
  return textsOf((cluster) => oneHost(cluster, cluster === 0 ? rules : editedAlike(rules, edits, cluster)));
}

function table(): void {
  tell("10,000 rules, ten edits", medianRow(tables(10_000, 10), "equivalent"), 2.0, 1.6);
  tell("100,000 rules, ten edits", medianRow(tables(100_000, 10), "equivalent"), 1.8, 1.5);
  tell("10,000 rules, no edit", medianRow(tables(10_000, 0), "equivalent"));
  tell("10,000 rules, 600 edits", medianRow(tables(10_000, 600), "equivalent"));
  const rules: readonly PlainRule[] = rulesOf(10_000);
  tell("10,000 rules, one broken", medianRow(textsOf((cluster) => oneHost(cluster, cluster === 2 ? broken(rules) : rules)), "different"));
}

/** The same rules as HTTPRoutes. */
function api(): void {
  const rules = rulesOf(10_000);
  tell("10,000 rules of HTTPRoutes, ten routes edited", medianRow(textsOf((cluster) => oneApiHost(cluster, rules, cluster === 0 ? 0 : 10)), "equivalent"), 2.0, 1.6);
  tell("10,000 rules of HTTPRoutes, one broken", medianRow(textsOf((cluster) => oneApiHost(cluster, cluster === 2 ? broken(rules) : rules)), "different"));
}

/** What one proxy has loaded, read and compared with what another has. */
function dump(): void {
  dumps("a mesh's sidecar", [sidecarDumpOf(15_000), sidecarDumpOf(15_000, 7_000)]);
  dumps("a gateway of 58,000 routes", [dumpOf(58_000), dumpOf(58_000, 29_000)]);
}

function dumps(what: string, places: readonly unknown[]): void {
  const texts = places.map((one) => JSON.stringify(one));
  const rows: Row[] = [];
  let outcome = "";
  for (let time = 0; time < 14; time++) {
    litter();
    const began = cpuNow();
    const values = texts.map((text) => JSON.parse(text) as unknown);
    const isParsed = cpuNow();
    const worlds = envoyWorlds(values.map((value, index) => ({ place: String(index), dump: value, withPolicies: true })));
    const isCompiled = cpuNow();
    ({ outcome } = compareWorlds(worlds, { hosts: ["*"] }));
    const isDecided = cpuNow();
    if (time > 1) rows.push({ parse: isParsed - began, compile: isCompiled - isParsed, decide: isDecided - isCompiled, total: isDecided - isParsed });
  }
  if (outcome !== "different") throw new Error(`the outcome is ${outcome}`);
  const [text = ""] = texts;
  tell(`${what}: two dumps of ${(text.length / 1e6).toFixed(0)} MB`, medianOf(rows, 2), 2.0);
}

function hosts(): void {
  tell("1,000 hosts of 12 rules", medianRow(textsOf((cluster) => manyHosts(cluster, 1_000, 12)), "equivalent"), 2.8);
}

function regexes(): void {
  tell("10,000 rules with 200 regexes, ten edits", medianRow(tables(10_000, 10, 200), "equivalent"), 3.5);
}

function meshes(): void {
  tell("mesh: 500 hosts, 60 namespaces, 20 Sidecars", medianRow(textsOf((cluster) => mesh(cluster, 500, 60, 20, 12)), "equivalent", ["Pod"]), 4);
}

function growth(): void {
  const per = (count: number): number => medianRow(tables(count, 10), "equivalent").total / count;
  const [few, many] = [per(1_000), per(100_000)];
  const value = many / few;
  say(`  ${"time a rule, 100,000 against 1,000 rules".padEnd(44)} ${value.toFixed(2).padStart(6)} x   ${(few * 1000).toFixed(2)} and ${(many * 1000).toFixed(2)} us  ${verdict(value, 1.5)}`);
}

/** Peak memory of a process that compares 3 x 100,000 rules, against one that only parses them. */
async function memory(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "cloud-assert-bench-"));
  try {
    const files = tables(100_000, 10).map((text, index) => {
      const file = path.join(folder, `${index}.json`);
      writeFileSync(file, text);
      return file;
    });
    const [bare, ours] = [await measure({ words: [import.meta.filename, "--once", "parse", ...files] }), await measure({ words: [import.meta.filename, "--once", "decide", ...files] })];
    say(`  ${"peak memory, 3 x 100,000 rules".padEnd(44)} ${(ours.peakMb / bare.peakMb).toFixed(2).padStart(6)} x   ${ours.peakMb.toFixed(0)} / ${bare.peakMb.toFixed(0)} MB of JSON.parse alone`);
    say(`  ${"the same, cold CPU".padEnd(44)} ${(ours.cpuMs / bare.cpuMs).toFixed(2).padStart(6)} x   ${ours.cpuMs.toFixed(0)} / ${bare.cpuMs.toFixed(0)} ms`);
    say(`  heap in use at the end: ${ours.stdout.trim()} against ${bare.stdout.trim()}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a measured child does. */
function once(what: string, files: readonly string[]): void {
  const lists = files.map((file) => parsed(readFileSync(file, "utf8")));
  const result = what === "decide" ? compareWorlds(worldsOf(lists, [])) : undefined;
  if (result !== undefined && result.outcome !== "equivalent") throw new Error(`the outcome is ${result.outcome}`);
  say(`${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB for ${lists.length} places`);
}

const benches = { table, api, dump, hosts, regexes, mesh: meshes, growth, memory };
const [first, what = "", ...files] = process.argv.slice(2);
if (first === "--once") once(what, files);
else {
  const wanted = process.argv.slice(2).filter((name) => Object.hasOwn(benches, name));
  say("three clusters, against JSON.parse of the same objects in the same process (medians of samples of a second)");
  for (const [name, bench] of Object.entries(benches)) if (wanted.length === 0 || wanted.includes(name)) await bench();
  if (missed > 0) process.exitCode = 1;
}
