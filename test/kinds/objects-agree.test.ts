import { describe, expect, it } from "vitest";
import { sha256, type Fact, type JsonObject, type KindSeen, type ObjectSeen, type SchemaNode } from "#engine";
import kind from "../../kinds/objects-agree/kind.ts";
import type { Spec } from "../../kinds/objects-agree/spec.ts";
import { clusterOf, gapOf, judge, resultOf, type Seen } from "../support/world.ts";

const SELECTOR = "networking.istio.io/v1/VirtualService";

function specOf(more: Partial<Spec> = {}): Spec {
  return { select: { apiVersion: "networking.istio.io/v1", kind: "VirtualService" }, mapping: {}, ignore: [], unordered: [], presence: "everywhere", ...more };
}

function objectOf(cluster: string, content: JsonObject, more: Partial<ObjectSeen> = {}, selector = SELECTOR): Fact<"objects"> {
  const data: ObjectSeen = { what: "object", namespace: "shop", name: "cart", labels: {}, content, hidden: {}, ...more };
  return { type: "fact", kind: "objects", cluster, selector, subject: `${data.namespace}/${data.name}`, data, source: { collector: "test", locator: `/${cluster}/${data.namespace}/${data.name}` } };
}

function kindOf(cluster: string, more: Partial<KindSeen> = {}, selector = SELECTOR): Fact<"objects"> {
  return { type: "fact", kind: "objects", cluster, selector, subject: "kind", data: { what: "kind", served: true, versions: ["v1"], total: 1, namespaces: ["shop"], written: true, ...more }, source: { collector: "test", locator: `/${cluster}` } };
}

/** The same object in clusters a, b, c …, each with its own content. */
function seenOf(contents: readonly JsonObject[], about: Partial<KindSeen> = {}, selector = SELECTOR): Seen {
  return { facts: contents.flatMap((content, index) => [kindOf("abc"[index] ?? "", about, selector), objectOf("abc"[index] ?? "", content, {}, selector)]) };
}

const schema = (spec: SchemaNode): Partial<KindSeen> => ({ schema: { fields: { spec } } });
const KNOWN = schema({});

interface Row {
  readonly name: string;
  readonly left: unknown;
  readonly right: unknown;
  readonly about?: Partial<KindSeen>;
  readonly spec?: Partial<Spec>;
  /** Paths of certain differences, or of those that only a schema decides. */
  readonly differs?: readonly string[];
  readonly open?: readonly string[];
  /** Objects judged; 1 when left out. */
  readonly judged?: number;
}

const rows: readonly Row[] = [
  { name: "equal JSON in another order of keys is the same", left: { a: 1, b: 2 }, right: { b: 2, a: 1 } },
  { name: "a field that differs is told as that field", left: { a: { b: 1, c: 1 } }, right: { a: { b: 1, c: 2 } }, differs: ["spec.a.c"] },
  { name: "a null is as good as nothing", left: { a: null }, right: {} },
  { name: "an absent field and its default are the same", left: { a: "x" }, right: {}, about: schema({ fields: { a: { default: "x" } } }) },
  { name: "an absent field and another value than its default differ", left: { a: "y" }, right: {}, about: schema({ fields: { a: { default: "x" } } }), differs: ["spec.a"] },
  { name: "an absent field differs where an API server wrote the objects", left: { a: "x" }, right: {}, differs: ["spec.a"] },
  { name: "an absent field may be a default where nobody wrote defaults and no schema is known", left: { a: "x" }, right: {}, about: { written: false }, open: ["spec.a"] },
  { name: "quantities of resources are numbers", left: { resources: { limits: { cpu: "1000m" } } }, right: { resources: { limits: { cpu: 1 } } } },
  { name: "1G and 1Gi are not the same memory", left: { resources: { limits: { memory: "1G" } } }, right: { resources: { limits: { memory: "1Gi" } } }, differs: ["spec.resources.limits.memory"] },
  { name: "times of Istio are times", left: { timeout: "60s" }, right: { timeout: "1m" } },
  { name: "a text that only looks like a number is a text, where the schema is known", left: { version: "1.10" }, right: { version: "1.1" }, about: KNOWN, differs: ["spec.version"] },
  { name: "a text that may be a number is open where no schema is known", left: { version: "1.10" }, right: { version: "1.1" }, open: ["spec.version"] },
  { name: "a schema says that a text is a quantity", left: { size: "1Ki" }, right: { size: "1024" }, about: schema({ fields: { size: { reading: "quantity" } } }) },
  { name: "a schema says that a port may be a number or a text", left: { port: 80 }, right: { port: "80" }, about: schema({ fields: { port: { reading: "int-or-string" } } }) },
  { name: "a number and a text differ otherwise", left: { port: 80 }, right: { port: "80" }, about: KNOWN, differs: ["spec.port"] },
  { name: "a list has an order where its schema says nothing else", left: { hosts: ["a", "b"] }, right: { hosts: ["b", "a"] }, about: KNOWN, differs: ["spec.hosts"] },
  { name: "the order of a list is open where no schema is known", left: { hosts: ["a", "b"] }, right: { hosts: ["b", "a"] }, open: ["spec.hosts"] },
  { name: "a list that is named as unordered is a set", left: { hosts: ["a", "b"] }, right: { hosts: ["b", "a"] }, spec: { unordered: ["spec.hosts"] } },
  { name: "a set of the schema has no order", left: { hosts: ["a", "b"] }, right: { hosts: ["b", "a"] }, about: schema({ fields: { hosts: { list: "set" } } }) },
  { name: "a set that lacks an entry differs", left: { hosts: ["a", "b"] }, right: { hosts: ["b"] }, spec: { unordered: ["spec.hosts"] }, differs: ["spec.hosts"] },
  {
    name: "entries of a list that is a map pair by their keys, with their defaults",
    left: { ports: [{ port: 1, protocol: "TCP" }, { port: 2, a: 1 }] },
    right: { ports: [{ port: 2, a: 2 }, { port: 1 }] },
    about: schema({ fields: { ports: { list: "map", keys: ["port", "protocol"], items: { fields: { protocol: { default: "TCP" } } } } } }),
    differs: ["spec.ports[port=2,protocol=TCP].a"],
  },
  { name: "entries with names pair by them, where their order is the same", left: { c: [{ name: "x", v: 1 }, { name: "y", v: 1 }] }, right: { c: [{ name: "y", v: 2 }] }, differs: ["spec.c[name=x]", "spec.c[name=y].v"] },
  { name: "of a list with one more entry only that one is told", left: { l: [1, 2, 3] }, right: { l: [1, 3] }, about: KNOWN, differs: ["spec.l"] },
  { name: "lists of one length pair by place", left: { l: [1, 2, 3] }, right: { l: [1, 4, 3] }, about: KNOWN, differs: ["spec.l[1]"] },
  {
    name: "two ways to write a label selector are one",
    left: { selector: { matchLabels: { app: "cart" } } },
    right: { selector: { matchExpressions: [{ key: "app", operator: "In", values: ["cart"] }] } },
  },
  { name: "label selectors with other labels differ", left: { selector: { matchLabels: { app: "cart" } } }, right: { selector: { matchLabels: { app: "web" } } }, differs: ["spec.selector.matchLabels.app"] },
  { name: "an ignored path is not compared", left: { a: 1, b: 1 }, right: { a: 2, b: 1 }, spec: { ignore: ["spec.a"] } },
  { name: "a star ignores every entry of a list", left: { l: [{ i: 1, k: 1 }] }, right: { l: [{ i: 2, k: 1 }] }, spec: { ignore: ["spec.l[*].i"] } },
  { name: "only the paths to compare are compared", left: { a: 1, b: 1 }, right: { a: 1, b: 2 }, spec: { compare: ["spec.a"] } },
  { name: "a path to compare that one side lacks is a difference", left: { a: { b: 1 } }, right: {}, about: KNOWN, spec: { compare: ["spec.a.b"] }, differs: ["spec.a.b"] },
  { name: "on the way to a path to compare, empty and absent are the same", left: { a: { c: 1 } }, right: {}, about: KNOWN, spec: { compare: ["spec.a.b"] }, judged: 0 },
  { name: "a path to compare that leads nowhere shows nothing", left: { a: 1 }, right: { a: 1 }, about: KNOWN, spec: { compare: ["spec.aa"] }, judged: 0 },
  { name: "of two paths to compare one that leads somewhere is enough", left: { a: 1 }, right: { a: 1 }, about: KNOWN, spec: { compare: ["spec.aa", "spec.a"] } },
  { name: "a header that is called `timeout` is a text", left: { headers: { request: { set: { timeout: "60s" } } } }, right: { headers: { request: { set: { timeout: "1m" } } } }, about: KNOWN, differs: ["spec.headers.request.set.timeout"] },
  { name: "a label that is called `ttl` is a text", left: { labels: { ttl: "60s" } }, right: { labels: { ttl: "1m" } }, about: KNOWN, differs: ["spec.labels.ttl"] },
  { name: "the injector's annotation is a switch, in templates too", left: { template: { metadata: { annotations: { "sidecar.istio.io/inject": "yes" } } } }, right: { template: { metadata: { annotations: { "sidecar.istio.io/inject": "true" } } } }, about: KNOWN },
  { name: "`1` is no word by which the injector injects", left: { annotations: { "sidecar.istio.io/inject": "1" } }, right: { annotations: { "sidecar.istio.io/inject": "true" } }, about: KNOWN, differs: ['spec.annotations["sidecar.istio.io/inject"]'] },
  { name: "its label is matched as text, by the webhook", left: { labels: { "sidecar.istio.io/inject": "yes" } }, right: { labels: { "sidecar.istio.io/inject": "true" } }, about: KNOWN, differs: ['spec.labels["sidecar.istio.io/inject"]'] },
  {
    name: "requirements that say more than a label selector can are compared as they stand",
    left: { s: { matchExpressions: [{ key: "a", operator: "In", values: ["b"], weight: 1 }] } },
    right: { s: { matchExpressions: [{ key: "a", operator: "In", values: ["b"], weight: 2 }] } },
    about: KNOWN,
    differs: ["spec.s.matchExpressions[0].weight"],
  },
  { name: "an entry that is named by its place is compared by its place", left: { c: [{ name: "a", i: 1 }] }, right: { c: [{ name: "a", i: 2 }] }, spec: { compare: ["spec.c[0].i"] }, differs: ["spec.c[0].i"] },
  { name: "an entry that is ignored by its place is ignored", left: { c: [{ name: "a", i: 1 }] }, right: { c: [{ name: "a", i: 2 }] }, spec: { ignore: ["spec.c[0].i"] } },
  { name: "a place within entries that any place names is compared", left: { c: [{ h: ["a"] }] }, right: { c: [{ h: ["b"] }] }, about: KNOWN, spec: { compare: ["spec.c[*].h[0]"] }, differs: ["spec.c[0].h[0]"] },
  { name: "of two orders only what is compared counts", left: { h: [{ n: 1, t: 5 }, { n: 2, t: 5 }] }, right: { h: [{ n: 2, t: 5 }, { n: 1, t: 5 }] }, about: KNOWN, spec: { compare: ["spec.h[*].t"] } },
  { name: "one more entry that has nothing to compare is no difference", left: { h: [{ t: 5 }, { n: 2 }] }, right: { h: [{ t: 5 }] }, about: KNOWN, spec: { compare: ["spec.h[*].t"] } },
  { name: "one more entry that has something to compare is a difference", left: { h: [{ t: 5 }, { t: 6 }] }, right: { h: [{ t: 5 }] }, about: KNOWN, spec: { compare: ["spec.h[*].t"] }, differs: ["spec.h"] },
  { name: "entries of a set pair by what is not ignored", left: { r: [{ a: 1, i: 1 }, { a: 2, i: 1 }] }, right: { r: [{ a: 2, i: 2 }, { a: 1, i: 2 }] }, spec: { unordered: ["spec.r"], ignore: ["spec.r[*].i"] } },
  { name: "sets within sets are sets", left: { r: [{ p: [1, 2] }, { p: [3, 4] }] }, right: { r: [{ p: [4, 3] }, { p: [2, 1] }] }, spec: { unordered: ["spec.r", "spec.r[*].p"] } },
  { name: "sets within sets that differ in one entry differ", left: { r: [{ p: [1, 2] }, { p: [3, 4] }] }, right: { r: [{ p: [4, 5] }, { p: [2, 1] }] }, spec: { unordered: ["spec.r", "spec.r[*].p"] }, differs: ["spec.r[*].p[*]"] },
  { name: "entries of a set pair by their defaults", left: { r: [{ a: 1 }, { a: 2 }] }, right: { r: [{ a: 2, d: "x" }, { a: 1, d: "x" }] }, about: schema({ fields: { r: { items: { fields: { d: { default: "x" } } } } } }), spec: { unordered: ["spec.r"] } },
  { name: "entries of a set that may be one by a default are open where no schema is known", left: { r: [{ a: 1 }, { a: 2 }] }, right: { r: [{ a: 2, d: "x" }, { a: 1, d: "x" }] }, about: { written: false }, spec: { unordered: ["spec.r"] }, open: ["spec.r"] },
  { name: "a list that may be a set with defaults is open where no schema is known", left: { r: [{ a: 1 }, { a: 2 }] }, right: { r: [{ a: 2, d: "x" }, { a: 1, d: "x" }] }, about: { written: false }, open: ["spec.r"] },
  { name: "entries without what tells them apart pair by place", left: { c: [{ name: { a: 1 }, v: 1 }] }, right: { c: [{ name: { a: 1 }, v: 2 }] }, differs: ["spec.c[0].v"] },
  {
    name: "init containers run one after another, whatever their schema says of lists",
    left: { initContainers: [{ name: "a" }, { name: "b" }] },
    right: { initContainers: [{ name: "b" }, { name: "a" }] },
    about: schema({ fields: { initContainers: { list: "map", keys: ["name"] } } }),
    differs: ["spec.initContainers"],
  },
  { name: "a setting of a plug-in that is called `timeout` is a text", left: { pluginConfig: { timeout: "60s" } }, right: { pluginConfig: { timeout: "1m" } }, about: KNOWN, differs: ["spec.pluginConfig.timeout"] },
  { name: "what kubectl writes into a template when it restarts is not compared", left: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z" } } } }, right: { template: { metadata: { annotations: {} } } } },
  { name: "… nor where the template of the other has no annotations at all", left: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "1" } } } }, right: { template: {} } },
  { name: "a map of which all is ignored is as good as none", left: { a: { b: { c: 1 } } }, right: {}, spec: { ignore: ["spec.a.b.c"] } },
  { name: "a map of which not all is ignored is none such", left: { a: { b: 1, c: 1 } }, right: {}, spec: { ignore: ["spec.a.b"] }, differs: ["spec.a"] },
  { name: "an empty map is not as good as none", left: { a: {} }, right: {}, spec: { ignore: ["spec.a.b"] }, differs: ["spec.a"] },
  { name: "what kubectl writes into a template is compared where a path names it", left: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "1" } } } }, right: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "2" } } } }, spec: { compare: ['spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]'] }, differs: ['spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]'] },
  { name: "what a controller counts is not compared either, under a path above it", left: { metadata: { annotations: { "deployment.kubernetes.io/revision": "1", owner: "a" } } }, right: { metadata: { annotations: { "deployment.kubernetes.io/revision": "2", owner: "a" } } }, spec: { compare: ["spec.metadata"] } },
  { name: "a map and a text differ as a whole", left: { a: { b: 1 } }, right: { a: "x" }, differs: ["spec.a"] },
  { name: "a key called `__proto__` is a key", left: JSON.parse('{"__proto__":{"a":1}}'), right: JSON.parse('{"__proto__":{"a":2}}'), differs: ["spec.__proto__.a"] },
];

describe("objects-agree", () => {
  for (const { name, left, right, about = {}, spec = {}, differs = [], open = [], judged = 1 } of rows) {
    it(name, () => {
      const said = judge(kind, specOf(spec), seenOf([{ spec: left } as JsonObject, { spec: right } as JsonObject], about));
      const places = (found: typeof said.faults) => [...new Set(found.flatMap(({ evidence }) => evidence.map(({ label }) => label)))].toSorted();

      expect(places(said.faults)).toEqual(differs);
      expect(places(said.undecided)).toEqual(open);
      expect(said.judged).toBe(judged);
    });
  }

  it("gives the same differences from the other side", () => {
    for (const { left, right, about = {}, spec = {} } of rows) {
      const count = (contents: readonly unknown[]) => judge(kind, specOf(spec), seenOf(contents.map((content) => ({ spec: content }) as JsonObject), about)).faults.flatMap(({ evidence }) => evidence.map(({ label }) => label)).toSorted();
      expect(count([left, right])).toEqual(count([right, left]));
    }
  });

  it("does not compare status, other metadata than labels and annotations, and the annotations of kubectl, Helm and Argo CD", () => {
    const one = { status: { a: 1 }, metadata: { uid: "1", generation: 1, annotations: { "meta.helm.sh/release-name": "a", "argocd.argoproj.io/x": "1", "deployment.kubernetes.io/revision": "3", "kubectl.kubernetes.io/default-container": "a", owner: "mesh" } }, spec: {} };
    const two = { status: { a: 2 }, metadata: { uid: "2", annotations: { owner: "mesh" } }, spec: {} };
    expect(judge(kind, specOf(), seenOf([one, two])).faults).toEqual([]);
    const three = { ...two, metadata: { annotations: { owner: "shop" } } };
    expect(judge(kind, specOf(), seenOf([one, three])).faults.map(({ message }) => message)).toEqual([expect.stringContaining("`metadata.annotations.owner` is `mesh` in `a`, `shop` in `b`")]);
  });

  it("does not compare what each cluster hands out by itself, unless a path names it", () => {
    const service = (index: number): JsonObject => ({ apiVersion: "v1", kind: "Service", spec: { clusterIP: `10.0.0.${index}`, clusterIPs: [`10.0.0.${index}`], healthCheckNodePort: 30000 + index, ports: [{ name: "http", port: 80, nodePort: 31000 + index }] } });
    const select = { apiVersion: "v1", kind: "Service" };
    const places = (left: JsonObject, right: JsonObject, more: Partial<Spec> = {}) => judge(kind, specOf({ select, ...more }), seenOf([left, right], KNOWN, "v1/Service")).faults.flatMap(({ evidence }) => evidence.map(({ label }) => label)).filter((label, index, all) => all.indexOf(label) === index);
    expect(places(service(1), service(2))).toEqual([]);
    expect(places(service(1), service(2), { compare: ["spec"] })).toEqual([]);
    expect(places(service(1), service(2), { compare: ["spec.clusterIP", "spec.ports[*].nodePort"] })).toEqual(["spec.clusterIP", "spec.ports[name=http].nodePort"]);
    expect(places(service(1), { ...service(2), spec: { ...(service(2)["spec"] as JsonObject), clusterIP: "None" } })).toEqual(["spec.clusterIP"]);
  });

  it("names the majority, and who must change", () => {
    const [finding] = judge(kind, specOf(), seenOf([{ spec: { a: 1 } }, { spec: { a: 2 } }, { spec: { a: 1 } }])).faults;
    expect(finding?.message).toContain("`spec.a` is `1` in `a` and `c` (the majority), `2` in `b`");
    expect(finding?.remedy).toBe("bring `b` in line with `a` and `c`; or accept it with `ignore: [spec.a]`");
  });

  it("compares ConfigMaps inside, with times as times", () => {
    const select = { apiVersion: "v1", kind: "ConfigMap" };
    const seen = (right: string) => seenOf([{ data: { mesh: "connectTimeout: 60s\na: 1\n" } }, { data: { mesh: right } }], {}, "v1/ConfigMap");
    expect(judge(kind, specOf({ select }), seen('{"a": 1, "connectTimeout": "1m"}')).faults).toEqual([]);
    expect(judge(kind, specOf({ select }), seen("connectTimeout: 60s\na: 2\n")).faults[0]?.message).toContain("`data.mesh.a` is `1` in `a`, `2` in `b`");
  });

  it("takes what is no mesh configuration for what it is: a time there may be one", () => {
    const select = { apiVersion: "v1", kind: "ConfigMap" };
    const said = judge(kind, specOf({ select }), seenOf([{ data: { app: "timeout: 60s\n" } }, { data: { app: "timeout: 1m\n" } }], {}, "v1/ConfigMap"));
    expect([said.faults, said.undecided.map(({ message }) => message)]).toEqual([[], [expect.stringContaining("differs, unless this is a number or a time")]]);
  });

  it("does not take words of a ConfigMap for one that only some readers take for one", () => {
    const of = (key: string, left: string, right: string) => resultOf(kind, specOf({ select: { apiVersion: "v1", kind: "ConfigMap" } }), seenOf([{ data: { [key]: left } }, { data: { [key]: right } }], {}, "v1/ConfigMap")).verdict;
    expect(of("mesh", "a: yes", "a: true")).toBe("holds");
    expect(of("app", "a: yes", "a: true")).toBe("violated");
    expect(of("app", "a: 12:30", "a: 750")).toBe("violated");
    expect(of("app", "version: 1.10", "version: 1.1")).toBe("undecided");
    expect(of("app", "a: [1, 2]  # why", '{"a": [1, 2]}')).toBe("holds");
  });

  it("ends where sets and lists of unknown order nest, and is then undecided", () => {
    const nested = (value: number, depth: number) => JSON.parse(`${"[".repeat(depth)}${value}${"]".repeat(depth)}`) as JsonObject;
    const open = (spec: Partial<Spec>, about: Partial<KindSeen>, left: JsonObject, right: JsonObject) => {
      const said = judge(kind, specOf(spec), seenOf([{ spec: { l: left } }, { spec: { l: right } }], about));
      return [said.faults.length, said.undecided.length];
    };
    expect(open({}, {}, nested(1, 190), nested(2, 190))).toEqual([0, 1]);
    expect(open({}, KNOWN, nested(1, 190), nested(2, 190))).toEqual([1, 0]);
    const wide = (shift: number) => Array.from({ length: 60 }, (_, a) => Array.from({ length: 60 }, (__, b) => ({ p: [a + shift, b, a * b] }))) as unknown as JsonObject;
    expect(open({ unordered: ["spec.l", "spec.l[*]", "spec.l[*][*].p"] }, KNOWN, wide(0), wide(1))).toEqual([0, 1]);
  });

  it("is undecided where the schemas of the clusters disagree, and nothing else decides", () => {
    const seen = (left: JsonObject, right: JsonObject, node: SchemaNode): Seen => ({ facts: [kindOf("a", schema({ fields: { x: node } })), objectOf("a", { spec: { x: left } }), kindOf("b", KNOWN), objectOf("b", { spec: { x: right } })] });
    const disputes: readonly (readonly [left: unknown, right: unknown, node: SchemaNode, other: unknown])[] = [
      [["a", "b"], ["b", "a"], { list: "set" }, ["b", "c"]],
      [[{ k: 1 }, { k: 2 }], [{ k: 2 }, { k: 1 }], { list: "map", keys: ["k"] }, [{ k: 2 }, { k: 3 }]],
      ["1Ki", "1024", { reading: "quantity" }, "1025"],
    ];
    for (const [left, right, node, other] of disputes) {
      const said = judge(kind, specOf(), seen(left as JsonObject, right as JsonObject, node));
      expect([left, said.faults, said.undecided.map(({ message }) => message)]).toEqual([left, [], [expect.stringContaining("whose schema says otherwise")]]);
      expect(judge(kind, specOf(), seen(left as JsonObject, other as JsonObject, node)).faults).toHaveLength(1);
      expect(judge(kind, specOf(), seen(left as JsonObject, left as JsonObject, node)).undecided).toEqual([]);
    }
  });

  it("has a gap for each schema that could not be read, only where nothing else decides", () => {
    const schemaGap = { reason: "`auditor` may not get `/openapi/v3`", remedy: "let it" };
    const of = (left: JsonObject, right: JsonObject, about: Partial<KindSeen> = { schemaGap }) => resultOf(kind, specOf(), seenOf([{ spec: left }, { spec: right }], about));
    const open = of({ hosts: ["a", "b"] }, { hosts: ["b", "a"] });
    expect([open.verdict, open.gaps.map(({ cluster, subject, reason }) => [cluster, subject, reason])]).toEqual(["undecided", ["a", "b"].map((cluster) => [cluster, `${cluster}/schema of VirtualService`, schemaGap.reason])]);
    expect(open.findings.map(({ outcome, message }) => [outcome, message])).toEqual([["undecided", expect.stringContaining("`spec.hosts` is")]]);
    const same = of({ hosts: ["a", "b"] }, { hosts: ["a", "b"] });
    expect([same.verdict, same.gaps]).toEqual(["holds", []]);
    const differs = of({ hosts: ["a", "b"] }, { hosts: ["b", "c"] });
    expect([differs.verdict, differs.gaps]).toEqual(["violated", []]);
    expect(of({ hosts: ["a", "b"] }, { hosts: ["b", "a"] }, { schemaGap: undefined, written: false }).gaps).toEqual([]);
  });

  it("compares what one snapshot keeps and another does not by its digest", () => {
    const hidden = (path: readonly string[], value: string) => ({ hidden: { [JSON.stringify(path)]: { sha256: sha256(value) } } });
    const sides = (content: JsonObject, ...cut: readonly object[]) => judge(kind, specOf({ unordered: ["spec.l"] }), { facts: [kindOf("a"), objectOf("a", content), kindOf("b"), objectOf("b", { spec: { l: [null, null] } }, Object.assign({}, ...cut) as object)] });
    expect(sides({ spec: { l: ["x", "y"] } }, { hidden: { '["spec","l","0"]': { sha256: sha256("y") }, '["spec","l","1"]': { sha256: sha256("x") } } }).faults).toEqual([]);
    expect(sides({ spec: { l: ["x", "y"] } }, { hidden: { '["spec","l","0"]': { sha256: sha256("y") }, '["spec","l","1"]': { sha256: sha256("z") } } }).faults).toHaveLength(1);
    const text = (value: string) => judge(kind, specOf(), { facts: [kindOf("a"), objectOf("a", { data: { k: "a: [1]" } }), kindOf("b"), objectOf("b", {}, hidden(["data", "k"], value))] });
    expect(text("a: [1]").faults).toEqual([]);
    expect(text("a: [2]").faults).toHaveLength(1);
  });

  it("is undecided about a path inside a text of which only one digest is kept", () => {
    const hidden = (digest: string) => ({ hidden: { '["data","mesh"]': { sha256: digest } } });
    const said = judge(kind, specOf({ compare: ["data.mesh.trustDomain"] }), { facts: ["a", "b"].flatMap((cluster) => [kindOf(cluster), objectOf(cluster, {}, hidden(cluster))]) });
    expect([said.faults, said.undecided.map(({ message }) => message)]).toEqual([[], [expect.stringContaining("only a digest of the whole is kept")]]);
  });

  it("compares what is not kept by its digest, and shows no value", () => {
    const hidden = (sha256: string, more: object = {}, path = '["data","k"]') => ({ hidden: { [path]: { sha256, ...more } } });
    const seen = (...sides: readonly object[]): Seen => ({ facts: sides.flatMap((side, index) => [kindOf("ab"[index] ?? ""), objectOf("ab"[index] ?? "", {}, side)]) });
    expect(judge(kind, specOf(), seen(hidden("1"), hidden("1"))).faults).toEqual([]);
    expect(judge(kind, specOf(), seen(hidden("1"), hidden("2"))).faults[0]?.message).toContain("(not kept, digest 1)");
    expect(judge(kind, specOf(), seen(hidden("1", { time: "m" }), hidden("2", { time: "m" }))).undecided).toHaveLength(1);
    // `1m` may be a minute, and a thousandth as well.
    expect(judge(kind, specOf(), seen(hidden("1", { time: "m", number: "n" }), hidden("2", { number: "n" }))).undecided).toHaveLength(1);
    const timeout = '["spec","timeout"]';
    const said = judge(kind, specOf(), seen(hidden("1", { time: "m" }, timeout), hidden("2", { time: "m" }, timeout)));
    expect([said.faults, said.undecided]).toEqual([[], []]);
  });

  it("compares bookkeeping where a path names it", () => {
    const sides = [1, 2].map((n) => ({ metadata: { finalizers: [`f${n}`], annotations: { "meta.helm.sh/release-name": `r${n}` } }, status: { storedVersions: [`v${n}`] } }));
    const placesOf = (...compare: string[]) => judge(kind, specOf({ compare }), seenOf(sides, KNOWN)).faults.flatMap(({ evidence }) => evidence.map(({ label }) => label));
    expect(placesOf("status.storedVersions")).toContain("status.storedVersions[0]");
    expect(placesOf("metadata.finalizers")).toContain("metadata.finalizers[0]");
    expect(placesOf('metadata.annotations["meta.helm.sh/release-name"]')).toContain('metadata.annotations["meta.helm.sh/release-name"]');
    expect(placesOf("metadata")).toEqual([]);
  });

  it("is undecided where no path to compare leads anywhere, and names them", () => {
    const said = resultOf(kind, specOf({ compare: ["spec.mtsl"] }), seenOf([{ spec: {} }, { spec: {} }]));
    expect(said.verdict).toBe("undecided");
    expect(said.findings.map(({ message }) => message)).toEqual(["no selected `VirtualService` has anything at `spec.mtsl`: there is nothing to compare"]);
  });

  it("tells an object that a cluster lacks, but not where its list is not complete", () => {
    const facts = [kindOf("a"), objectOf("a", { spec: {} }), kindOf("b", { total: 0 })];
    expect(judge(kind, specOf(), { facts }).faults.map(({ message }) => message)).toEqual(["`VirtualService` `shop/cart` is in `a` and not in `b`"]);
    expect(judge(kind, specOf(), { facts, gaps: [gapOf("objects", "b")] }).faults).toEqual([]);
    expect(judge(kind, specOf({ presence: "shared" }), { facts }).faults).toEqual([]);
    expect(judge(kind, specOf({ presence: "shared" }), { facts }).infos).toHaveLength(1);
  });

  it("does not take for missing what is in a namespace that nobody listed: that is a gap, unless only listed ones are selected", () => {
    const facts = [kindOf("a"), objectOf("a", { spec: {} }, { namespace: "web" }), objectOf("a", { spec: {} }), kindOf("b", { listed: ["shop"] }), objectOf("b", { spec: {} })];
    const of = (namespaces?: readonly string[]) => resultOf(kind, specOf({ select: { apiVersion: "networking.istio.io/v1", kind: "VirtualService", ...(namespaces === undefined ? {} : { namespaces: [...namespaces] as [string] }) } }), { facts });
    for (const namespaces of [undefined, ["*"], ["shop", "web"]]) {
      expect([of(namespaces).verdict, of(namespaces).findings, of(namespaces).gaps.map(({ cluster, reason }) => [cluster, reason])]).toEqual(["undecided", [], [["b", "of `b` only `shop` is listed, and `VirtualService` may be selected in other namespaces"]]]);
    }
    expect([of(["shop"]).verdict, of(["shop"]).gaps]).toEqual(["holds", []]);
  });

  it("pairs what is mapped, and refuses two objects of one name", () => {
    const mapping = { b: { "other/cart": "shop/cart" } };
    const facts = [kindOf("a"), objectOf("a", { spec: { a: 1 } }), kindOf("b"), objectOf("b", { spec: { a: 2 } }, { namespace: "other" })];
    expect(judge(kind, specOf({ mapping }), { facts }).faults[0]?.message).toContain("differs");
    const twice = [...facts, objectOf("b", { spec: { a: 1 } })];
    expect(judge(kind, specOf({ mapping }), { facts: twice }).undecided.map(({ message }) => message)).toEqual([expect.stringContaining("both stand for")]);
  });

  it("says that a cluster is mapped which it does not compare", () => {
    const said = judge(kind, specOf({ mapping: { bb: { "other/cart": "shop/cart" } } }), seenOf([{ spec: {} }, { spec: {} }]));
    expect(said.infos.map(({ message }) => message)).toEqual(["`mapping` names the cluster `bb`, and this assertion compares `VirtualService` of `a` and `b`"]);
  });

  it("is undecided over one cluster, and where nothing matches, with the nearest kind or namespace", () => {
    expect(resultOf(kind, specOf(), seenOf([{ spec: {} }])).verdict).toBe("undecided");
    const near = resultOf(kind, specOf({ select: { apiVersion: "networking.istio.io/v1", kind: "VirtualServic" } }), { facts: ["a", "b"].map((cluster) => kindOf(cluster, { served: false, total: 0, namespaces: [], kinds: ["VirtualService", "Gateway"] }, "networking.istio.io/v1/VirtualServic")) });
    expect(near.verdict).toBe("undecided");
    expect(near.findings.map(({ remedy }) => remedy)).toEqual(["did you mean `VirtualService`?", "did you mean `VirtualService`?"]);
    const empty = resultOf(kind, specOf({ select: { apiVersion: "networking.istio.io/v1", kind: "VirtualService", namespaces: ["shopp"] } }), seenOf([{ spec: {} }, { spec: {} }]));
    expect(empty.findings.map(({ remedy }) => remedy)).toEqual(["did you mean the namespace `shop`?", "did you mean the namespace `shop`?"]);
  });

  it("holds over no object only where that is allowed", () => {
    const seen: Seen = { clusters: [clusterOf("a"), clusterOf("b")], facts: [kindOf("a", { total: 0 }), kindOf("b", { total: 0 })] };
    expect(resultOf(kind, specOf(), seen).verdict).toBe("undecided");
    expect(resultOf(kind, specOf(), seen, { allowEmpty: true }).verdict).toBe("holds");
  });

  const wrong: readonly (readonly [string, Partial<Spec>, string])[] = [
    ["Secrets", { select: { apiVersion: "v1", kind: "Secret" } }, "never read"],
    ["a path that is none", { ignore: ["spec..a"] }, "is no path"],
  ];
  for (const [what, spec, words] of wrong) it(`refuses ${what} when loading`, () => expect([...(kind.check?.(specOf(spec)) ?? [])].map(({ message }) => message)).toEqual([expect.stringContaining(words)]));
});
