import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import { fleet, NOW, shell } from "./shell.ts";

/** What a row puts into the two clusters `a` and `b`, and asserts of them. */
interface Row {
  readonly name: string;
  /** Objects in both, and those of one cluster only. */
  readonly both?: readonly object[];
  readonly a?: readonly object[];
  readonly b?: readonly object[];
  readonly kind: "Expression" | "ObjectsAgree";
  readonly spec: object;
  readonly verdict: "holds" | "violated" | "undecided";
  /** What findings and gaps say, in their order: message or reason, and remedy. */
  readonly says?: readonly string[];
}

const CONFIG_MAP = { apiVersion: "v1", kind: "ConfigMap" };
const configMap = (name: string, data: object) => ({ ...CONFIG_MAP, metadata: { name, namespace: "shop" }, data });
const gateway = (apiVersion: string, spec: object) => ({ apiVersion, kind: "Gateway", metadata: { name: "public", namespace: "shop" }, spec });
const ISTIO = { apiVersion: "networking.istio.io/v1", kind: "Gateway" };
const API = { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" };
const things = (version: string) => [
  { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "things.shop.example" }, spec: { group: "shop.example", scope: "Namespaced", names: { kind: "Thing", plural: "things" }, versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }] } },
  { apiVersion: `shop.example/${version}`, kind: "Thing", metadata: { name: "t", namespace: "shop" }, spec: { a: 1 } },
];
const THING = { apiVersion: "shop.example/v1", kind: "Thing" };
/** 1 MB of text without and with structure, the last line of which differs. */
const text = (last: string) => `${"a line of text\n".repeat(70_000)}${last}`;
const yaml = (last: string) => `${Array.from({ length: 20_000 }, (_, index) => `key-${index}: { number: ${index}, text: some more words of it }`).join("\n")}\nlast: ${last}\n`;
const CYCLE = "a: &x [*x]\n";
const BOMB = `a: &a [x, x, x, x, x, x, x, x, x]\n${["b", "c", "d", "e", "f", "g", "h", "i"].map((key, index) => `${key}: &${key} [${Array.from({ length: 9 }, () => `*${"abcdefgh"[index]}`).join(", ")}]`).join("\n")}\n`;

const rows: readonly Row[] = [
  {
    name: "CEL that never ends is undecided, with the number of steps",
    both: Array.from({ length: 60 }, (_, index) => configMap(`m-${index}`, {})),
    kind: "Expression",
    spec: { select: CONFIG_MAP, each: "objects.all(a, objects.all(b, objects.all(c, objects.all(d, a.metadata.name != b.metadata.name + c.metadata.name + d.metadata.name))))" },
    verdict: "undecided",
    says: ["needs more than 2,000,000 steps in `a` | compare lists once", "needs more than 2,000,000 steps in `b` | compare lists once"],
  },
  {
    name: "CEL that gives a text is undecided, with what a rule must give",
    both: [configMap("m", {})],
    kind: "Expression",
    spec: { select: CONFIG_MAP, each: "objects[0].metadata.name" },
    verdict: "undecided",
    says: ["gives neither true nor false in `a` | write a claim", "gives neither true nor false in `b` | write a claim"],
  },
  ...(["Expression", "ObjectsAgree"] as const).flatMap((kind): readonly Row[] => {
    const rule = kind === "Expression" ? { each: "objects.all(o, true)" } : {};
    return [
      { name: `${kind} that selects a kind which is misspelt is undecided, with the nearest kind`, both: [configMap("m", {})], kind, spec: { select: { apiVersion: "v1", kind: "ConfigMaps" }, ...rule }, verdict: "undecided", says: ["| did you mean `ConfigMap`?", "| did you mean `ConfigMap`?", "nothing to judge in `a`, `b`"] },
      { name: `${kind} that selects a kind of a CRD which is misspelt is undecided, with the nearest kind`, both: things("v1"), kind, spec: { select: { ...THING, kind: "Thingy" }, ...rule }, verdict: "undecided", says: ["serves no `Thingy` in `shop.example/v1`", "| did you mean `Thing`?", "nothing to judge"] },
      { name: `${kind} that selects a namespace which is misspelt is undecided, with the nearest namespace`, both: [configMap("m", {})], kind, spec: { select: { ...CONFIG_MAP, namespaces: ["shopp"] }, ...rule }, verdict: "undecided", says: ["| did you mean the namespace `shop`?", "| did you mean the namespace `shop`?", "nothing to judge"] },
      { name: `${kind} that selects labels which nothing bears is undecided, with where objects of the kind are`, both: [configMap("m", {})], kind, spec: { select: { ...CONFIG_MAP, matchLabels: { a: "b" } }, ...rule }, verdict: "undecided", says: ["has 1 `ConfigMap`, and none that is selected", "| they are in `shop`", "nothing to judge"] },
      { name: `${kind} over a CRD that one cluster serves in another version is undecided, with both versions`, a: things("v1"), b: things("v1beta1"), kind, spec: { select: THING, ...rule }, verdict: "undecided", says: ["`Thing` is served in `shop.example/v1beta1`, not in `shop.example/v1` | select it in a version that every cluster serves"] },
    ];
  }),
  { name: "CRDs whose versions differ between clusters differ", a: things("v1"), b: things("v1beta1"), kind: "ObjectsAgree", spec: { select: { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" }, compare: ["spec.versions[*].name"] }, verdict: "violated", says: ["`spec.versions[name=v1].name` is `v1` in `a`, absent in `b`"] },
  { name: "objects of 1 MB that are equal agree", both: [configMap("m", { words: text("end"), tree: yaml("1") })], kind: "ObjectsAgree", spec: { select: CONFIG_MAP }, verdict: "holds" },
  { name: "objects of 1 MB that differ in their last letter differ there, and only that is shown", a: [configMap("m", { words: text("end") })], b: [configMap("m", { words: text("enD") })], kind: "ObjectsAgree", spec: { select: CONFIG_MAP, compare: ["data.words"] }, verdict: "violated", says: ["line of text end` in `a`, `…"] },
  { name: "objects of 1 MB that differ in their last letter differ by digest where no path names it", a: [configMap("m", { words: text("end") })], b: [configMap("m", { words: text("enD") })], kind: "ObjectsAgree", spec: { select: CONFIG_MAP }, verdict: "violated", says: ["`data.words` is (not kept, digest "] },
  { name: "YAML of 1 MB is compared inside, where a path leads", a: [configMap("m", { tree: yaml("1") })], b: [configMap("m", { tree: yaml("2") })], kind: "ObjectsAgree", spec: { select: CONFIG_MAP, compare: ["data.tree.last"] }, verdict: "violated", says: ["`data.tree.last` is `1` in `a`, `2` in `b`"] },
  { name: "an expression sees objects of 1 MB whole", both: [configMap("m", { words: text("end") })], kind: "Expression", spec: { select: CONFIG_MAP, each: "objects.all(o, o.data.words.endsWith('end'))" }, verdict: "holds" },
  { name: "YAML that contains itself is compared as a text", both: [configMap("m", { x: CYCLE })], kind: "ObjectsAgree", spec: { select: CONFIG_MAP }, verdict: "holds" },
  { name: "YAML that contains itself differs as a text", a: [configMap("m", { x: CYCLE })], b: [configMap("m", { x: `${CYCLE} ` })], kind: "ObjectsAgree", spec: { select: CONFIG_MAP }, verdict: "violated", says: ["`data.x` is (not kept"] },
  { name: "YAML that contains itself is nothing that `yaml` can read", both: [configMap("m", { x: CYCLE })], kind: "Expression", spec: { select: CONFIG_MAP, each: "objects.all(o, yaml(o.data.x).a.size() == 1)" }, verdict: "undecided", says: ["fails: the text is no map or list of YAML or JSON in `a` at `shop/m` in `a`", "in `b`"] },
  { name: "YAML whose aliases grow without end is compared as a text", both: [configMap("m", { x: BOMB })], kind: "ObjectsAgree", spec: { select: CONFIG_MAP }, verdict: "holds" },
  { name: "of two kinds of one name only that of the group that is selected is judged: one that agrees", a: [gateway(ISTIO.apiVersion, { a: 1 }), gateway(API.apiVersion, { a: 1 })], b: [gateway(ISTIO.apiVersion, { a: 1 }), gateway(API.apiVersion, { a: 2 })], kind: "ObjectsAgree", spec: { select: ISTIO }, verdict: "holds" },
  { name: "of two kinds of one name only that of the group that is selected is judged: one that differs", a: [gateway(ISTIO.apiVersion, { a: 1 }), gateway(API.apiVersion, { a: 1 })], b: [gateway(ISTIO.apiVersion, { a: 1 }), gateway(API.apiVersion, { a: 2 })], kind: "ObjectsAgree", spec: { select: API }, verdict: "violated", says: ["`spec.a` is `1` in `a`, `2` in `b`"] },
  { name: "an expression sees two kinds of one name apart", both: [gateway(ISTIO.apiVersion, { istio: 1 }), gateway(API.apiVersion, { api: 1 })], kind: "Expression", spec: { select: { istio: ISTIO, api: API }, each: "objects.istio.all(g, has(g.spec.istio)) && objects.api.all(g, has(g.spec.api)) && objects.api.size() == 1" }, verdict: "holds" },
];

describe("bad input to rules of one's own", { timeout: 60_000 }, () => {
  for (const { name, both = [], a = [], b = [], kind, spec, verdict, says = [] } of rows) {
    it(name, async () => {
      const list = (objects: readonly object[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items: [...both, ...objects] });
      await using here = await shell({
        "assert.yaml": fleet("a", "b"),
        "clusters/a/objects.json": list(a),
        "clusters/b/objects.json": list(b),
        "rules.yaml": JSON.stringify({ apiVersion: "cloud-assert/v1", kind, metadata: { name: "rule" }, spec }),
      });
      const { code, stdout, stderr } = await here.assert("run", "rules.yaml", "-o", "json", ...NOW);
      expect([code, stderr]).toEqual([{ holds: 0, violated: 1, undecided: 2 }[verdict], ""]);
      const [result] = (JSON.parse(stdout) as Report).results;
      const said = [...(result?.findings ?? []).map(({ message, remedy }) => `${message} | ${remedy}`), ...(result?.gaps ?? []).map(({ reason, remedy }) => `${reason} | ${remedy}`)];
      expect([result?.verdict, said]).toEqual([verdict, says.map((words) => expect.stringContaining(words) as string)]);
      for (const line of said) expect(line.length).toBeLessThan(1500);
    });
  }

  const refused: readonly (readonly [name: string, rule: string, at: string, says: string])[] = [
    ["CEL that does not parse", "each: objects.all(o, o.a = 1)", "5:30", "a single `=` means nothing"],
    ["CEL that does not parse, several lines down", "each: >-\n      objects.all(o,\n        o.a == 1", "6:18", "the bracket `(` is never closed"],
    ["CEL that does not type-check", "each: \"'a' + 1 == 2\"", "5:16", "`+` of a string and an int"],
    ["CEL with a name that is none", "each: objectz.size() == 1", "5:11", "unknown name `objectz`"],
    ["CEL that can only give a text", "each: \"'x'\"", "5:12", "gives a string; a bool is wanted"],
    ["a path that is none", "ignore: [spec..a]", "5:14", "`spec..a` is no path"],
    ["a group and version that is none", "select: { apiVersion: /v1, kind: Secret }", "5:27", "not of the form"],
    ["a Secret, however it is written", "select: { apiVersion: v1, kind: secret }", "5:37", "objects of kind `Secret` are never read"],
    ["YAML that contains itself", "select: &x { apiVersion: v1, kind: Pod, names: *x }", "5:52", "`*x` stands inside the value that it refers to"],
  ];
  for (const [name, rule, at, says] of refused) {
    it(`${name} is refused when it is loaded, with its place in the file`, async () => {
      const kind = rule.startsWith("each") ? "Expression" : "ObjectsAgree";
      const select = rule.startsWith("select") ? "" : "\n  select: { apiVersion: v1, kind: Pod }";
      await using here = await shell({ "assert.yaml": fleet("a", "b"), "clusters/a/x.json": "{}", "clusters/b/x.json": "{}", "rules.yaml": `apiVersion: cloud-assert/v1\nkind: ${kind}\nmetadata: { name: rule }\nspec:\n    ${rule}${select.replace("\n  ", "\n    ")}\n` });
      const { code, stdout, stderr } = await here.assert("run", "rules.yaml", ...NOW);
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toContain(says);
      expect(stderr).toContain(`rules.yaml:${at}`);
      expect(stderr).toContain("help: ");
    });
  }
});
