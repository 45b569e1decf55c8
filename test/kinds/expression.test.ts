import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Fact, JsonObject, ObjectSeen } from "#engine";
import kind from "../../kinds/expression/kind.ts";
import { lookedAt } from "../../kinds/expression/paths.ts";
import { Program } from "../../kinds/expression/program.ts";
import { isMistake, parseExpression } from "../../kinds/expression/syntax.ts";
import type { Spec } from "../../kinds/expression/spec.ts";
import { toCel } from "../../kinds/expression/values.ts";
import { root } from "../support/room.ts";
import { clusterOf, gapOf, judge, resultOf, type Seen } from "../support/world.ts";

const POD = { apiVersion: "v1", kind: "Pod" };

function podOf(cluster: string, name: string, content: JsonObject, more: Partial<ObjectSeen> = {}): Fact<"objects"> {
  const data: ObjectSeen = { what: "object", namespace: "shop", name, labels: {}, content: { metadata: { name, namespace: "shop" }, ...content }, hidden: {}, ...more };
  return { type: "fact", kind: "objects", cluster, selector: "v1/Pod", subject: `shop/${name}`, data, source: { collector: "test", locator: `/${cluster}/${name}` } };
}

const specOf = (more: Partial<Spec>): Spec => ({ select: POD, ...more });
const evaluated = (text: string, objects: unknown = []) => new Program(text).evaluate({ objects: toCel(objects as never) });

describe("an expression gives", () => {
  const rows: readonly (readonly [string, unknown, unknown?])[] = [
    ["1 + 1 == 2", true],
    ["objects[0].a == 1", true, [{ a: 1 }]],
    ["type(objects[0].a) == int && type(objects[0].b) == double", true, [{ a: 1, b: 1.5 }]],
    ["objects[0].a == 1.0", true, [{ a: 1 }]],
    ["has(objects[0].a) || has(objects[0].constructor)", false, [{ b: 1 }]],
    ["objects.map(o, o.a) == [1, 2, 3]", true, [{ a: 1 }, { a: 2 }, { a: 3 }]],
    ["objects.map(o, o.a > 1, o.a) == [2, 3]", true, [{ a: 1 }, { a: 2 }, { a: 3 }]],
    ["objects.filter(o, o.a > 1).size() == 2", true, [{ a: 1 }, { a: 2 }, { a: 3 }]],
    ["objects.map(x, objects.map(y, y.a)) == [[1, 2], [1, 2]]", true, [{ a: 1 }, { a: 2 }]],
    ["objects.exists_one(o, o.a == 2)", true, [{ a: 1 }, { a: 2 }]],
    ["version('v1.33.4-eks-1a2b') == version('1.33.4') && version('1.9.0') < version('1.10')", true],
    ["version('1.29.0-rc.1') < version('1.29.0') && version('1.29.0-alpha.2') < version('1.29.0-beta.1')", true],
    ["version('1.29.2').minor == 29 && version('asm-1-28').major == 1", true],
    ["quantity('500m') < quantity(1) && quantity('1Gi') == 1073741824", true],
    ["duration('1m') == duration('60s')", true],
    ["image('istio/proxyv2:1.29').registry == 'docker.io' && !has(image('a').digest)", true],
    ["sha256('a') == 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'", true],
    ["yaml('a: {b: 1}').a.b == 1 && yaml('[1, 2]').size() == 2", true],
    ["distinct([1, 1.0, 'a', 'a', {'k': 1}, {'k': 1}]).size() == 3", true],
    ["'añ😀'.size() == 3 && size('añ😀') == 3 && [1].size() == 1 && size({'a': 1}) == 1", true],
    ["'abab'.replace('a', 'c') == 'cbcb' && 'abab'.replace('a', 'c', 1) == 'cbab'", true],
    ["['a', 'b'].join('-') == 'a-b' && 'a-b'.split('-') == ['a', 'b']", true],
    ["'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')", false],
  ];
  for (const [text, wanted, objects] of rows) it(`${String(wanted)} for \`${text}\``, () => expect(evaluated(text, objects)).toEqual({ type: "value", value: wanted }));

  it("the list of a long `map`, whose elements cost no more than their number", () => {
    const objects = Array.from({ length: 30_000 }, (_, a) => ({ a }));
    expect(evaluated("objects.map(o, o.a).filter(a, a % 2 == 0).size() == 15000", objects)).toEqual({ type: "value", value: true });
  });
});

describe("the page shows", () => {
  const page = readFileSync(join(root, "kinds/expression/README.md"), "utf8");
  const examples = [...page.matchAll(/^\| `\w+\(\w+\)` \| .* \| (`.*`) \|$/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text));
  const bindings = { x: "v1.33.4", c: toCel({ image: `a@sha256:${"0".repeat(64)}` }), o: toCel({ data: { mesh: "trustDomain: mesh.example" } }), clusters: toCel([{ objects: [{}] }, { objects: [{}] }]) };

  it("each function of this project with an example that is true", () => {
    expect(examples.length).toBeGreaterThanOrEqual(8);
    for (const text of examples) expect([text, new Program(text).evaluate(bindings)]).toEqual([text, { type: "value", value: true }]);
  });
});

describe("an expression ends", () => {
  const thousand = Array.from({ length: 1000 }, (_, a) => ({ a, text: "x".repeat(1000) }));
  for (const text of [
    "objects.all(a, objects.all(b, objects.all(c, objects.all(d, a.a + b.a + c.a + d.a >= 0))))",
    "objects.exists(a, objects.exists(b, objects.exists(c, a.a + b.a + c.a < 0))) || true",
    "objects.map(o, o.text).join('').replace('x', objects.map(o, o.text).join('')).size() > 0",
    "['x'].map(a, a + a)" + ".map(a, a + a)".repeat(60) + ".size() > 0",
    "objects.all(a, objects.all(b, objects == objects))",
  ]) {
    it(`past its budget as undecided, the same each time: \`${text.slice(0, 60)}\``, () => {
      const program = new Program(text);
      const bindings = { objects: toCel(thousand) };
      expect(program.evaluate(bindings, 50_000)).toEqual({ type: "spent", budget: 50_000 });
      expect(program.evaluate(bindings, 50_000)).toEqual({ type: "spent", budget: 50_000 });
    });
  }
});

describe("reading a long text costs steps", () => {
  const text = "ab cd ".repeat(170_000);
  for (const call of ["t.size() > 0", "size(t) > 0", "t.contains('zz')", "t.indexOf('zz') < 0", "t.lastIndexOf('zz') < 0", "t.matches('z')", "matches(t, 'z')", "t.trim() == ''", "t.split('zz').size() == 1", "t.lowerAscii() == ''", "t.replace('zz', 'y') == ''", "t.substring(1) == ''", "t + 'x' == ''", "bytes(t) == b''", "string(t) == ''", "sha256(t) == ''", "yaml(t) == {}", "[t].join('') == ''", "'%s'.format([t]) == ''", "'zz'.contains(t)", "t == objects[1].t", "t < objects[1].t", "t >= objects[1].t", "t in [objects[1].t]"]) {
    it(`to \`${call}\``, () => {
      const program = new Program(call.replaceAll(/\bt\b(?!\()/g, (word, at: number) => (call[at - 1] === "." ? word : "objects[0].t")));
      expect(program.evaluate({ objects: toCel([{ t: text }, { t: `${text}.` }]) }, 10_000)).toEqual({ type: "spent", budget: 10_000 });
    });
  }
});

it("a pattern out of an object is read up to 4096 characters, and costs steps too", () => {
  const matches = (length: number, budget: number) => new Program("'x'.matches(objects[0].t)").evaluate({ objects: toCel([{ t: "a".repeat(length) }]) }, budget);
  expect(matches(4096, 20_000)).toEqual({ type: "value", value: false });
  expect(matches(4096, 10_000)).toEqual({ type: "spent", budget: 10_000 });
  expect(matches(4097, 1e9)).toEqual({ type: "error", reason: "a pattern has 4097 characters; at most 4096 are read" });
});

describe("a spec is refused when it is loaded", () => {
  const rows: readonly (readonly [string, Partial<Spec>, offset: number | undefined, words: string])[] = [
    ["that asks nothing", {}, undefined, "neither `each` nor `across`"],
    ["with an open bracket", { each: "objects.all(o, o.a == 1" }, 11, "line 1, column 12: the bracket `(` is never closed"],
    ["with a single equals sign", { each: "objects.all(o,\n  o.a = 1)" }, 21, "line 2, column 7: a single `=`"],
    ["with an open quote", { each: "objects[0].a == 'x" }, 16, "the quote `'` is never closed"],
    ["that nobody can read", { each: "objects ? ? 1" }, 8, "cannot be read"],
    ["with an unknown name", { each: "objectz.size() > 0" }, 0, "unknown name `objectz`"],
    ["with the variable of the other rule", { each: "clusters.size() > 0" }, 0, "unknown name `clusters`"],
    ["with an unknown function", { each: "objects.sum() > 0" }, undefined, "unknown function `sum`"],
    ["with a loop over two variables", { each: "cluster.labels.all(k, v, true)" }, undefined, "`all` is written in another form"],
    ["that adds a number and a text", { each: "1 + 'a' == 2" }, undefined, "`+` of an int and a string"],
    ["that compares a text with a number", { each: "'a' == 1" }, undefined, "compares a string with an int"],
    ["that gives a text", { each: "'x'" }, 0, "gives a string; a bool is wanted"],
    ["that gives a list", { across: "clusters.map(c, c.name)" }, 0, "gives a list; a bool is wanted"],
    ["whose message is no text", { each: "true", messageExpression: "1" }, 0, "gives an int; a string is wanted"],
    ["that nests five comprehensions", { each: "objects.all(a, objects.all(b, objects.all(c, objects.all(d, objects.all(e, true)))))" }, 0, "comprehensions nest 5 deep; at most 4"],
    ["that is longer than 16 kB", { each: `'${"x".repeat(16 * 1024)}' == ''` }, 0, "at most 16384 bytes"],
    ["that nests brackets without end", { each: `${"(".repeat(8000)}1${")".repeat(8000)} == 1` }, 0, ""],
    ["that selects Secrets", { select: { apiVersion: "v1", kind: "Secret" }, each: "true" }, undefined, "never read"],
    ["that selects Secrets among others", { select: { a: POD, b: { apiVersion: "v1", kind: "Secret" } }, each: "true" }, undefined, "never read"],
  ];
  for (const [what, spec, offset, words] of rows) {
    it(what, () => {
      const [first] = [...(kind.check?.(specOf(spec)) ?? [])];
      expect(first?.message).toContain(words);
      if (offset !== undefined) expect(first?.offset).toBe(offset);
      expect(first?.remedy).not.toBe("");
    });
  }

  for (const each of ["objects.all(a, objects.all(b, objects.all(c, objects.all(d, true))))", "objects.map(o, o.a).filter(a, a > 1).all(a, a in [1, 2])", "has(cluster.cloud) && cluster.labels['tier'] == 'prod'", "objects[0].a + 'x' == 'y' // why", "'it''s' == 'x' || \"a'b\" == r'\\d('"]) {
    it(`not with \`${each}\``, () => expect([...(kind.check?.(specOf({ each })) ?? [])].filter(({ message }) => !message.includes("cannot be read"))).toEqual([]));
  }
});

describe("the paths that an expression looks at", () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["objects.all(o, o.spec.mtls.mode == 'STRICT')", ["spec.mtls.mode"]],
    ["objects.all(o, has(o.spec.mtls) && o.spec.mtls.mode == 'X')", ["spec.mtls", "spec.mtls.mode"]],
    ["objects.size() == 1", ["metadata.name"]],
    ["objects.all(o, o.metadata.labels['a/b'] == 'x')", ["metadata.labels.a/b"]],
    ["objects.all(o, o.spec.containers.all(c, c.image != ''))", ["spec.containers.*", "spec.containers.*.image"]],
    ["objects.filter(o, o.a == 1).map(o, o.b).all(b, b.c == 1)", ["a", "b.c"]],
    ["objects.all(o, (o.x + (has(o.y) ? o.y : [])).all(c, c.z == 1))", ["x.*", "x.*.z", "y", "y.*", "y.*.z"]],
    ["objects.all(o, o == o)", [""]],
    ["objects.all(o, o[o.key] == 1)", ["*", "key"]],
    ["objects.all(o, o.data.all(k, true))", ["data.*"]],
    ["objects.all(o, 'mesh' in o.data && o.data['mesh'] == '')", ["data.mesh"]],
    ["yaml(objects[0].data.mesh).a == 1", ["data.mesh"]],
  ];
  for (const [text, wanted] of rows) {
    it(`are ${wanted.join(", ") || "all"} for \`${text}\``, () => {
      const parsed = parseExpression(text);
      if (isMistake(parsed)) throw new Error(parsed.message);
      expect(lookedAt(parsed.expr, undefined).map(({ path }) => path.join(".")).toSorted()).toEqual([...wanted].toSorted());
    });
  }

  it("are those of its own selection, of `clusters` too", () => {
    const parsed = parseExpression("clusters.all(c, c.objects.pods.all(p, p.a == c.objects.nodes[0].b))");
    if (isMistake(parsed)) throw new Error(parsed.message);
    expect(lookedAt(parsed.expr, ["pods", "nodes"])).toEqual([{ key: "nodes", path: ["b"] }, { key: "pods", path: ["a"] }]);
  });
});

describe("expression", () => {
  const two: Seen = { clusters: [clusterOf("a", { cloud: "aws" }), clusterOf("b")], facts: [podOf("a", "x", { spec: { n: 1 } }), podOf("b", "y", { spec: { n: 2 } }), podOf("b", "z", {})] };

  it("names the objects that make it false", () => {
    const said = judge(kind, specOf({ each: "objects.all(o, has(o.spec) && o.spec.n == 1)" }), two);
    expect(said.faults.map(({ subject, message }) => [subject, message])).toEqual([["b", "`objects.all(o, has(o.spec) && o.spec.n == 1)` is false in `b`: `shop/y` in `b`, `shop/z` in `b`"]]);
    expect(said.judged).toBe(3);
  });

  it("names the objects of a negated `exists`", () => {
    const [finding] = judge(kind, specOf({ each: "!objects.exists(o, has(o.spec) && o.spec.n == 2)" }), two).faults;
    expect(finding?.message).toContain("is false in `b`: `shop/y` in `b`");
  });

  it("is undecided where it fails, with the object at hand", () => {
    const said = judge(kind, specOf({ each: "objects.all(o, o.spec.n < 3)" }), two);
    expect(said.faults).toEqual([]);
    expect(said.undecided.map(({ message }) => message)).toEqual(["`objects.all(o, o.spec.n < 3)` fails: there is no `spec` in `b` at `shop/z` in `b`"]);
  });

  it("is undecided where a list has no such entry", () => {
    expect(judge(kind, specOf({ each: "objects[1].metadata.name != ''" }), two).undecided.map(({ message, remedy }) => [message, remedy])).toEqual([["`objects[1].metadata.name != ''` fails: a list has no entry 1 in `a`", "ask first how many there are: `objects.size() > 0 && …`"]]);
  });

  it("is undecided where it gives neither true nor false", () => {
    expect(judge(kind, specOf({ each: "objects[0].spec.n" }), two).undecided.map(({ message }) => message)).toEqual([expect.stringContaining("gives neither true nor false in `a`"), expect.stringContaining("in `b`")]);
  });

  it("says what its message says", () => {
    const each = "objects.size() == 1";
    expect(judge(kind, specOf({ each, message: "one pod" }), two).faults[0]?.message).toBe("one pod (in `b`)");
    expect(judge(kind, specOf({ each, messageExpression: "cluster.name + ' has ' + string(objects.size())" }), two).faults[0]?.message).toBe("b has 2 (in `b`)");
    expect(judge(kind, specOf({ each, message: "one pod", messageExpression: "cluster.nothing" }), two).faults[0]?.message).toBe("one pod (in `b`)");
  });

  it("compares across clusters, needs two, and sees what is known of them", () => {
    const across = "clusters.all(c, c.name in ['a', 'b']) && clusters.exists(c, has(c.cloud) && c.cloud == 'aws') && clusters.exists(c, !has(c.cloud))";
    expect(resultOf(kind, specOf({ across }), two).verdict).toBe("holds");
    expect(resultOf(kind, specOf({ across: "true" }), { facts: [podOf("a", "x", {})] }).verdict).toBe("undecided");
  });

  it("does not judge a cluster whose list is not complete", () => {
    const said = judge(kind, specOf({ each: "objects.size() == 7", across: "false" }), { ...two, gaps: [gapOf("objects", "b")] });
    expect(said.faults.map(({ subject }) => subject)).toEqual(["a"]);
  });

  it("does not judge a cluster of which not every namespace was listed, unless only listed ones are selected", () => {
    const listed: Fact<"objects"> = { type: "fact", kind: "objects", cluster: "b", selector: "v1/Pod", subject: "kind Pod", data: { what: "kind", served: true, versions: ["v1"], total: 2, namespaces: ["shop"], listed: ["shop"], written: true }, source: { collector: "test", locator: "/b" } };
    const seen: Seen = { ...two, facts: [...two.facts, listed] };
    const part = resultOf(kind, specOf({ each: "objects.size() < 3" }), seen);
    expect([part.verdict, part.gaps.map(({ cluster }) => cluster)]).toEqual(["undecided", ["b"]]);
    expect(resultOf(kind, specOf({ each: "objects.size() < 2", across: "false" }), seen).findings).toEqual([]);
    expect(resultOf(kind, specOf({ select: { ...POD, namespaces: ["shop"] }, each: "objects.size() < 3" }), seen).verdict).toBe("holds");
    expect(resultOf(kind, specOf({ select: { ...POD, namespaces: ["shop"] }, each: "objects.size() < 2" }), seen).verdict).toBe("violated");
  });

  it("is undecided about values of ConfigMaps behind a computed key", () => {
    const select = { apiVersion: "v1", kind: "ConfigMap" };
    expect(judge(kind, specOf({ select, each: "objects.all(o, o.data.all(k, o.data[k] != ''))" }), two).undecided.map(({ message }) => message)).toEqual([expect.stringContaining("a key that is computed")]);
    expect(judge(kind, specOf({ select, each: "objects.all(o, has(o.data) && 'a' in o.data)" }), two).undecided).toEqual([]);
  });

  it("is undecided where it looks at a value that is not kept, whatever it asks of it but whether it is there", () => {
    const hidden = { '["spec","n"]': { sha256: "1" } };
    const seen: Seen = { facts: ["a", "b"].map((cluster) => podOf(cluster, "x", { spec: { m: 1 } }, { hidden })) };
    for (const each of ["objects.all(o, o.spec.n == 'x')", "objects.all(o, o.spec.n != 'x')", "!objects.exists(o, o.spec.exists(k, o.spec[k] == 'x'))", "objects.all(o, o.spec == {'m': 1, 'n': 'x'})", "distinct(objects).size() == 1", "!(objects[0].spec.n in ['x'])"]) {
      const said = judge(kind, specOf({ each }), seen);
      expect([each, said.faults, said.undecided.map(({ message }) => message)]).toEqual([each, [], [expect.stringContaining("looks at `spec.n`, of which only a digest is kept"), expect.anything()]]);
    }
    expect(resultOf(kind, specOf({ each: "objects.all(o, has(o.spec.n) && o.spec.m == 1)" }), seen).verdict).toBe("holds");
  });

  it("is undecided where one of several selections matches nothing in any cluster", () => {
    const spec = specOf({ select: { pods: POD, others: { ...POD, names: ["typo"] } }, each: "objects.others.all(o, false)" });
    const said = resultOf(kind, spec, two);
    expect(said.verdict).toBe("undecided");
    expect(said.findings.map(({ message }) => message)).toEqual(["`select.others` matches no `Pod` in any cluster: the expression saw empty lists"]);
    expect(resultOf(kind, spec, two, { allowEmpty: true }).verdict).toBe("holds");
  });

  it("holds over no object only where that is allowed", () => {
    const empty: Seen = { clusters: [clusterOf("a")], facts: [] };
    expect(resultOf(kind, specOf({ each: "objects.all(o, false)" }), empty).verdict).toBe("undecided");
    expect(resultOf(kind, specOf({ each: "objects.all(o, false)" }), empty, { allowEmpty: true }).verdict).toBe("holds");
    expect(resultOf(kind, specOf({ each: "objects.size() == 1" }), empty, { allowEmpty: true }).verdict).toBe("violated");
  });
});
