/**
 * `npm run bench [pages|cold|sea|compare|states|fleet|routes|objects|reports|hal|wasm|solvers ...]`: what the release costs, as ratios to a floor that is measured in the same run.
 * Needs `npm run build` before, but for `routes`, `objects`, `reports`, `hal` and `wasm`. Prints a table (median, and the spread
 * from the least to the most) and ends with 1 when a ratio is over its goal. On a busy machine CPU and memory say more than time.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import type { Report } from "#engine";
import { makeAuthority, makeCertificate } from "../parts/certificates.ts";
import { scratchFolder } from "../parts/process.ts";
import { EKS, ISTIO, namespaceOf, proxyPod } from "../parts/world.ts";
import { inTurns, measure, type Measured, Sample, type Usage } from "./measure.ts";
import { writeState } from "./states.ts";

const BIN = path.join(import.meta.dirname, "../../dist/cli/bin.mjs");
const TOKEN = "bench";
const benches = { pages, cold, sea, compare, states, fleet };

// Measured in the source tree and in a process of its own.
const [own = ""] = process.argv.slice(2);
if (["routes", "objects", "reports", "hal", "wasm", "solvers"].includes(own)) process.exit(spawnSync(process.execPath, [path.join(import.meta.dirname, `${own}.ts`), ...process.argv.slice(3)], { stdio: "inherit" }).status ?? 1);
if (!existsSync(BIN)) {
  process.stderr.write("error: there is no release in dist/\n  help: run `npm run build` first\n");
  process.exit(3);
}
const rows: Row[] = [];
const folder = await scratchFolder("bench");
const authority = await makeAuthority(folder, "bench-authority");
const pair = await makeCertificate(folder, authority, { name: "server", subject: "/CN=bench", altNames: ["IP:127.0.0.1"] });
for (const [name, bench] of Object.entries(benches)) {
  if (process.argv.length === 2 || process.argv.slice(2).includes(name)) await bench();
}
process.stdout.write(table(rows));
process.exit(rows.some(isOver) ? 1 : 0);

/** 50,000 pods of 4 kB against bare paging, and 200,000 against 50,000. */
async function pages(): Promise<void> {
  say("pods of 4 kB from a TLS server, one cluster");
  const list = async (pods: number, times: number) => {
    const server = await startServer(0, pods);
    const kubeconfig = writeKubeconfig(`pods-${pods}`, [server.url(0)]);
    const floor = { words: [path.join(import.meta.dirname, "floor.mjs"), server.url(0), authority.cert, TOKEN] };
    const run = { words: [BIN, "run", "--only", "envoy-patch-skew", "-o", "json", "--context", "c0"], env: { KUBECONFIG: kubeconfig } };
    // The server makes an answer when it is first asked for.
    await measure(floor);
    const [bare, ours] = (await inTurns([floor, run], times)) as [Sample, Sample];
    server.stop();
    must(bare.last.stdout.trim() === String(pods), `the floor saw ${bare.last.stdout.trim()} pods`);
    must(reportOf(ours.last).results[0]?.coverage.judged === pods, "not all pods were judged");
    return { bare, ours };
  };
  const few = await list(50_000, 3);
  against("CPU ms, 50,000 pods", "cpuMs", few.ours, few.bare, "bare paging", 1.3);
  against("peak MB, 50,000 pods", "peakMb", few.ours, few.bare, "bare paging", 1.3);
  const many = await list(200_000, 1);
  against("peak MB, 200,000 pods", "peakMb", many.ours, few.ours, "50,000 pods", 1.5);
}

/** A cold `assert run` on saved snapshots, and `--version`, against an empty `node`. */
async function cold(): Promise<void> {
  say("cold start of the release, three saved clusters of 500 objects");
  const clusters = ["eks", "gke", "aks"].map((name) => ({ name, kubernetes: { manifests: writeManifests(name), complete: true } }));
  writeFileSync(path.join(folder, "assert.yaml"), JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Fleet", metadata: { name: "bench" }, spec: { clusters } }));
  const collected = await measure({ words: [BIN, "collect", "--out", "snapshots"], cwd: folder });
  must(collected.code === 0, collected.stderr);

  const desk = path.join(folder, "cold");
  mkdirSync(desk);
  const run = { words: [BIN, "run", "--snapshots", path.join(folder, "snapshots"), "-o", "json"], cwd: desk };
  // The first run of a release leaves compiled code for the next ones.
  await measure(run);
  const [empty, version, judged] = (await inTurns([{ words: ["-e", "0"] }, { words: [BIN, "--version"] }, run], 21)) as [Sample, Sample, Sample];
  must(reportOf(judged.last).results[0]?.coverage.judged === 3 * 500, "not all pods were judged");
  against("CPU ms, assert run --snapshots", "cpuMs", judged, empty, "an empty node", 4.5);
  against("CPU ms, assert --version", "cpuMs", version, empty, "an empty node", 2);
}

/** The single-file executable, started again, against an empty `node` and the package. */
async function sea(): Promise<void> {
  const file = path.join(import.meta.dirname, "../../dist-sea/cloud-assert");
  if (!existsSync(file)) return say("no executable in dist-sea/: `npm run build:sea` makes it");
  say("cold start of the single-file executable");
  const env = { HOME: folder };
  const own = { file, words: ["--version"], env };
  // The first start puts the release into the home.
  await measure(own);
  const [empty, packed, version] = (await inTurns([{ words: ["-e", "0"] }, { words: [BIN, "--version"], env }, own], 21)) as [Sample, Sample, Sample];
  must(version.last.code === 0 && version.last.stdout === packed.last.stdout, version.last.stderr);
  against("CPU ms, cloud-assert --version", "cpuMs", version, empty, "an empty node", 2);
  against("CPU ms, cloud-assert --version", "cpuMs", version, packed, "the package", 1.5);
}

/** A cold `assert compare` of two files with 100 rules each, against an empty `node`. */
async function compare(): Promise<void> {
  say("cold `assert compare` of two YAML files with 100 rules each");
  const desk = path.join(folder, "compare");
  mkdirSync(desk);
  writeFileSync(path.join(desk, "left.yaml"), virtualServices("svc6"));
  writeFileSync(path.join(desk, "right.yaml"), virtualServices("other"));
  const run = { words: [BIN, "compare", "left.yaml", "right.yaml", "-o", "json"], cwd: desk };
  const [empty, compared] = (await inTurns([{ words: ["-e", "0"] }, run], 21)) as [Sample, Sample];
  must(compared.last.code === 1 && compared.last.stdout.includes('"path": "/api/6"'), "the one difference was not found");
  against("CPU ms, assert compare", "cpuMs", compared, empty, "an empty node", 4.5);
}

/** Ten VirtualServices of ten rules; the seventh rule of the eighth leads to `changed`. */
function virtualServices(changed: string): string {
  return Array.from({ length: 10 }, (_, service) => {
    const rules = Array.from({ length: 10 }, (__, rule) => {
      const host = service === 7 && rule === 6 ? changed : `svc${rule}`;
      return `  - match:\n    - uri: { prefix: /api/${rule} }\n      headers: { x-canary: { exact: "${rule}" } }\n    route:\n    - destination: { host: ${host}.prod.svc.cluster.local, port: { number: 80 } }\n`;
    });
    const metadata = `{ name: r${service}, namespace: prod, creationTimestamp: "2026-01-0${service}T00:00:00Z" }`;
    return `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: ${metadata}\nspec:\n  hosts: [h${service}.example]\n  gateways: [prod/public]\n  http:\n${rules.join("")}`;
  }).join("---\n");
}

/** A Terraform state of 100 MB against `JSON.parse` of it, and one of 300 MB against that of 100. */
async function states(): Promise<void> {
  say("a Terraform state of 100 MB, and one of 300 MB");
  const judge = async (megabytes: number, times: number) => {
    const desk = path.join(folder, `states-${megabytes}`);
    mkdirSync(path.join(desk, "dump"), { recursive: true });
    const resources = writeState(path.join(desk, "terraform.tfstate"), megabytes * 1_000_000);
    writeFileSync(path.join(desk, "dump/version.yaml"), "serverVersion: { gitVersion: v1.33.4-eks-1, gitCommit: abc }\n");
    const clusters = [{ name: "eks-prod", kubernetes: { manifests: "dump", complete: true }, terraform: { state: "terraform.tfstate" } }];
    writeFileSync(path.join(desk, "assert.yaml"), JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Fleet", metadata: { name: "bench" }, spec: { clusters } }));
    writeFileSync(path.join(desk, "tf.yaml"), JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "TerraformAgrees", metadata: { name: "tf" }, spec: { compare: ["declared-live"], fields: ["controlPlane.version"] } }));
    const [floor, ours] = (await inTurns([{ words: [path.join(import.meta.dirname, "state-floor.mjs"), "terraform.tfstate"], cwd: desk }, { words: [BIN, "run", "tf.yaml", "-o", "json"], cwd: desk }], times)) as [Sample, Sample];
    must(floor.last.stdout.trim() === String(resources), `the floor saw ${floor.last.stdout.trim()} resources`);
    must(reportOf(ours.last).results[0]?.verdict === "holds", "the version was not compared");
    return { floor, ours };
  };
  const small = await judge(100, 5);
  against("CPU ms, a state of 100 MB", "cpuMs", small.ours, small.floor, "JSON.parse of it", 2);
  against("peak MB, a state of 100 MB", "peakMb", small.ours, small.floor, "JSON.parse of it", 1.3);
  const large = await judge(300, 3);
  against("CPU ms, a state of 300 MB", "cpuMs", large.ours, large.floor, "JSON.parse of it", 2);
  against("peak MB, a state of 300 MB", "peakMb", large.ours, large.floor, "JSON.parse of it", 1.3);
}

/** 200 clusters with 300 ms latency, two of them dead. */
async function fleet(): Promise<void> {
  say("200 clusters with 300 ms latency, two of them dead");
  const server = await startServer(300, 20);
  // Accepts connections and never says a word.
  const hole = createServer(() => undefined);
  await new Promise<void>((resolve) => hole.listen(0, "127.0.0.1", resolve));
  const address = hole.address();
  const dead = `https://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const live = Array.from({ length: 198 }, (_, index) => server.url(index));
  const env = { KUBECONFIG: writeKubeconfig("fleet", [...live, dead, dead]) };
  const contexts = (count: number) => Array.from({ length: count }, (_, index) => ["--context", `c${index}`]).flat();

  // The slowest cluster's own time, under the load that so many clusters are: asked the same, with nothing else done.
  const bare = { words: [path.join(import.meta.dirname, "fleet-floor.mjs"), server.url(0).replace(/\/0$/, ""), authority.cert, TOKEN, "198"] };
  const [floor, together] = (await inTurns([bare, { words: [BIN, "run", "--only", "envoy-patch-skew", "-o", "json", ...contexts(198)], env }], 3)) as [Sample, Sample];
  const slowest = new Sample(floor.usages.map((usage) => ({ ...usage, wallMs: Number(usage.stdout) })));
  must(reportOf(together.last).results[0]?.coverage.judged === 198 * 20, "not all clusters were judged");
  against("time ms, 198 live clusters", "wallMs", together, slowest, "the slowest one's own", 3);

  const budget = Math.ceil((together.median("wallMs") / 1000) * 1.5) + 2;
  const withDead = new Sample([await measure({ words: [BIN, "run", "--only", "envoy-patch-skew", "-o", "json", "--cluster-timeout", `${budget}s`, ...contexts(200)], env })]);
  must(reportOf(withDead.last).results[0]?.coverage.judged === 198 * 20, "the dead clusters cost others their verdict");
  must(new Set(reportOf(withDead.last).results[0]?.gaps.map((gap) => gap.cluster)).size === 2, "the dead clusters are not named");
  against("time ms, with two dead ones", "wallMs", withDead, new Sample([{ ...withDead.last, wallMs: budget * 1000 }]), "one cluster's budget", 1.3);
  server.stop();
  hole.close();
}

interface Server {
  url(cluster: number): string;
  stop(): void;
}

async function startServer(latencyMs: number, pods: number): Promise<Server> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "server.ts"), pair.cert, pair.key, String(latencyMs), String(pods)], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    child.once("exit", () => reject(new Error("the server of the benchmark did not start")));
  });
  process.on("exit", () => child.kill("SIGKILL"));
  return { url: (cluster) => `https://127.0.0.1:${port}/${cluster}`, stop: () => void child.kill("SIGKILL") };
}

/** A kubeconfig with a context `cN` for each server. */
function writeKubeconfig(name: string, servers: readonly string[]): string {
  const file = path.join(folder, `${name}.kubeconfig`);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: servers.map((server, index) => ({ name: `c${index}`, cluster: { server, "certificate-authority": authority.cert } })),
    users: [{ name: "bench", user: { token: TOKEN } }],
    contexts: servers.map((_, index) => ({ name: `c${index}`, context: { cluster: `c${index}`, user: "bench" } })),
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Five hundred pods, each of a workload of its own: as many facts. */
function writeManifests(cluster: string): string {
  const dir = path.join(folder, cluster);
  mkdirSync(dir);
  const pods = Array.from({ length: 500 }, (_, index) => proxyPod(EKS, { namespace: "shop", workload: `app-${index}`, replica: 0, role: "sidecar", image: EKS.proxyImage(ISTIO) }));
  writeFileSync(path.join(dir, "all.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items: [namespaceOf("shop"), ...pods] }));
  return dir;
}

function reportOf({ stdout, stderr, code }: Usage): Report {
  must(stdout.startsWith("{"), `no report, and code ${code}: ${stderr}`);
  return JSON.parse(stdout) as Report;
}

function must(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

interface Row {
  readonly what: string;
  readonly ratio: number;
  readonly goal: number;
  readonly against: string;
  readonly ours: string;
  readonly floor: string;
}

function against(what: string, measured: Measured, ours: Sample, floor: Sample, name: string, goal: number): void {
  const text = (sample: Sample) => `${Math.round(sample.median(measured))} (${sample.spread(measured)})`;
  rows.push({ what, ratio: ours.median(measured) / floor.median(measured), goal, against: name, ours: text(ours), floor: text(floor) });
  process.stdout.write(`  ${what}: ${(ours.median(measured) / floor.median(measured)).toFixed(2)}\n`);
}

function isOver({ ratio, goal }: Row): boolean {
  return ratio > goal;
}

function table(lines: readonly Row[]): string {
  const cells = lines.map((row) => [row.what, row.ratio.toFixed(2), row.goal.toFixed(1), isOver(row) ? "OVER" : "ok", row.ours, row.floor, row.against]);
  const all = [["what", "ratio", "goal", "", "ours", "floor", "the floor is"], ...cells];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0))) ?? [];
  return `\n${all.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n")}\n`;
}
