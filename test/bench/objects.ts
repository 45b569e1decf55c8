/**
 * `npm run bench -- objects`: what judging objects costs, against `JSON.parse` of the same objects and the bare CEL library, in the same run.
 * 10,000 objects of 2 kB in each of 3 clusters; 40 assertions of each kind that select 1,000. Ends with 1 when a ratio is over its limit.
 */
import { celEnv, celList, celMap, parse, plan, type CelInput } from "@bufbuild/cel";
import { evaluate, seal, type AnyKind, type Assertion, type Cluster, type Fact, type Json, type JsonObject, type Snapshot } from "#engine";
import { istioMap } from "#values";
import expression from "../../kinds/expression/kind.ts";
import { toCel } from "../../kinds/expression/values.ts";
import objectsAgree from "../../kinds/objects-agree/kind.ts";

const GROUPS = 10;
const EACH = 1000;
const RULE = "objects.all(o, o.spec.http[0].timeout == '5s' && o.metadata.labels['app'] != '' && o.spec.hosts.size() == 3)";
const kindOf = (group: number) => ({ apiVersion: `group${group}.example/v1`, kind: "Thing" });

function objectOf(group: number, index: number): JsonObject {
  const name = `thing-${index}`;
  const route = (port: number) => ({ match: [{ uri: { prefix: `/api/v${port}` }, headers: { "x-canary": { exact: "yes" } } }], route: [{ destination: { host: `${name}.shop.svc.cluster.local`, port: { number: port }, subset: "v1" }, weight: 90 }, { destination: { host: `${name}-next.shop.svc.cluster.local`, port: { number: port } }, weight: 10 }], timeout: "5s", retries: { attempts: 3, perTryTimeout: "2s", retryOn: "5xx,reset" } });
  return { ...kindOf(group), metadata: { name, namespace: "shop", labels: { app: name, tier: "prod" } }, spec: { hosts: [`${name}.example`, `${name}.internal`, name], http: [8080, 8081, 8082, 8083, 8084, 8085].map(route) } };
}

function snapshotOf(cluster: Cluster): Snapshot {
  const facts = Array.from({ length: GROUPS }, (_, group) => {
    const selector = `${kindOf(group).apiVersion}/Thing`;
    const about = { type: "fact", kind: "objects", cluster: cluster.name, selector, source: { collector: "bench", locator: "/" } } as const;
    const kind: Fact<"objects"> = { ...about, subject: "kind Thing", data: { what: "kind", served: true, versions: ["v1"], total: EACH, namespaces: ["shop"], written: true, schema: {} } };
    return [kind, ...Array.from({ length: EACH }, (__, index): Fact<"objects"> => ({ ...about, subject: `shop/thing-${index}`, data: { what: "object", namespace: "shop", name: `thing-${index}`, labels: {}, content: objectOf(group, index), hidden: {} } }))];
  }).flat();
  const asked = Array.from({ length: 40 }, (_, index) => [specOf(index), ruleOf(index)]).flatMap(([agree, rule]) => [...objectsAgree.needs(agree as never), ...expression.needs(rule as never)]);
  return seal({ cluster, identity: {}, reachable: true, takenAt: "2026-01-01T00:00:00Z", asked, facts, gaps: [] });
}

const specOf = (index: number) => ({ select: kindOf(index % GROUPS), mapping: {}, ignore: [], unordered: [], presence: "everywhere" });
const ruleOf = (index: number) => ({ select: kindOf(index % GROUPS), each: RULE });

function judged(kind: AnyKind, spec: (index: number) => unknown, fleet: readonly Cluster[], snapshots: ReadonlyMap<string, Snapshot>): void {
  const assertions = Array.from({ length: 40 }, (_, index): Assertion => ({ name: `a${index}`, kind: kind.name, severity: "error", clusters: {}, allowEmpty: false, strict: false, spec: spec(index), at: { file: "bench", line: 1, column: 1 } }));
  const results = evaluate(new Map([[kind.name, kind]]), assertions, { fleet, snapshots, now: "2026-01-01T00:00:00Z", istioMap: istioMap() });
  for (const { judged: count, findings, gaps } of results) if (count < EACH || findings.length + gaps.length > 0) throw new Error(`judged ${count}: ${JSON.stringify([findings[0], gaps[0]])}`);
}

function cpu(work: () => void): number {
  const start = process.cpuUsage();
  work();
  return process.cpuUsage(start).user / 1000;
}

/** The least of three: what others do on this machine only adds. */
function least(work: () => void): number {
  return Math.min(...Array.from({ length: 3 }, () => cpu(work)));
}

const fleet = ["a", "b", "c"].map((name): Cluster => ({ name, labels: {} }));
const snapshots = new Map(fleet.map((cluster) => [cluster.name, snapshotOf(cluster)]));
const objects = [...snapshots.values()].flatMap(({ facts }) => facts.flatMap(({ data }) => ("content" in data ? [data.content] : [])));
const texts = objects.map((object) => JSON.stringify(object));
const parsed = least(() => texts.forEach((text) => void JSON.parse(text)));
const selections = 40 / GROUPS;

let over = 0;
function ratio(what: string, ours: number, floor: number, limit: number): void {
  const times = ours / floor;
  if (times > limit) over += 1;
  process.stdout.write(`${times <= limit ? "ok  " : "OVER"}  ${what}: ${ours.toFixed(0)} ms, ${times.toFixed(2)} x ${floor.toFixed(0)} ms (limit ${limit})\n`);
}

process.stdout.write(`${objects.length} objects of ${(texts.reduce((sum, text) => sum + text.length, 0) / texts.length / 1000).toFixed(1)} kB\n`);
ratio("ObjectsAgree, 40 assertions, against JSON.parse of all objects", least(() => judged(objectsAgree as unknown as AnyKind, specOf, fleet, snapshots)), parsed, 5);
ratio("conversion of each object, against JSON.parse", least(() => objects.forEach((object) => walk(toCel(object)))), parsed, 1.5);

const whole = (value: Json | undefined): CelInput => (typeof value === "number" ? BigInt(value) : Array.isArray(value) ? celList(value.map(whole)) : typeof value === "object" && value !== null ? celMap(new Map(Object.entries(value).map(([key, field]) => [key, whole(field as Json)]))) : (value ?? null));
const bare = plan(celEnv(), parse(RULE)) as (bindings: Readonly<Record<string, CelInput>>) => unknown;
const lists = Array.from({ length: objects.length / EACH }, (_, index) => celList(objects.slice(index * EACH, (index + 1) * EACH).map(whole)));
const run = () => lists.forEach((list) => void bare({ objects: list }));
run();
const ours = () => judged(expression as unknown as AnyKind, ruleOf, fleet, snapshots);
ours();
// By turns, so that what else the machine does falls on both.
const rounds = Array.from({ length: 5 }, () => [cpu(ours), cpu(() => Array.from({ length: selections }, run))] as const);
const [mine, library] = [Math.min(...rounds.map(([time]) => time)), Math.min(...rounds.map(([, time]) => time))];
ratio("Expression, 40 assertions, against the bare library on converted objects", mine, library, 1.5);
process.exitCode = over > 0 ? 1 : 0;

/** What an expression looks at of an object is made when it looks: here all of it. */
function walk(value: CelInput): void {
  if (typeof value !== "object" || value === null || !(Symbol.iterator in value)) return;
  for (const item of value as Iterable<CelInput | readonly [unknown, CelInput]>) walk(Array.isArray(item) ? (item[1] as CelInput) : (item as CelInput));
}
