import { describe, expect, it } from "vitest";
import { PluginError, plan, stages, type AnyCollector, type AnyKind, type Assertion, type FactKind, type Request } from "#engine";
import { clusterOf } from "../support/world.ts";

/** Facts of a test have names that no release has; the engine does not look at them. */
const fact = (name: string) => name as FactKind;
const request = (name: string, more: Partial<Request> = {}): Request => ({ fact: fact(name), ...more });

function collectorOf(name: string, provides: readonly string[], after: readonly string[] = []): AnyCollector {
  return { name, summary: "s", provides: provides.map(fact) as never[], after: after.map(fact), async *collect() {} };
}

function kindOf(name: string, ...requests: readonly Request[]): readonly [string, AnyKind] {
  return [name, { name, summary: "s", needs: () => requests, judge: () => [] } as unknown as AnyKind];
}

function assertionOf(kind: string, clusters: Assertion["clusters"] = {}): Assertion {
  return { name: `of ${kind}`, kind, severity: "error", clusters, allowEmpty: false, strict: false, spec: {}, at: { file: "a", line: 1, column: 1 } };
}

/** `collector:fact+selector` of every step, a list for each stage. */
function shape(stepped: ReturnType<typeof plan>): readonly (readonly string[])[] {
  return stepped.map((stage) => stage.map(({ collector, fact: kind, requests }) => `${collector.name}:${kind}${requests.map(({ selector }) => (selector === undefined ? "" : `+${selector}`)).join("")}`).toSorted());
}

const room = [collectorOf("k8s", ["pods", "routes"]), collectorOf("envoy", ["dumps"], ["pods"]), collectorOf("oci", ["modules"], ["routes", "dumps"])];

describe("a plan", () => {
  const kinds = new Map([kindOf("Pods", request("pods")), kindOf("Both", request("pods"), request("routes")), kindOf("Deep", request("modules"), request("dumps")), kindOf("Nothing")]);

  const rows: readonly (readonly [claim: string, assertions: readonly Assertion[], expected: readonly (readonly string[])[]])[] = [
    ["asks what one assertion needs", [assertionOf("Pods")], [["k8s:pods"]]],
    ["asks once what several need", [assertionOf("Pods"), assertionOf("Both"), assertionOf("Pods")], [["k8s:pods", "k8s:routes"]]],
    ["asks nothing that nobody needs", [assertionOf("Nothing")], []],
    ["asks nothing for assertions that do not select the cluster", [assertionOf("Pods", { names: ["other"] }), assertionOf("Both", { matchLabels: { tier: "prod" } })], []],
    ["asks nothing for an assertion whose clouds may not be this one", [assertionOf("Pods", { clouds: ["aws"] })], []],
    ["has a collector run after those whose facts it builds on", [assertionOf("Deep"), assertionOf("Both")], [["k8s:pods", "k8s:routes"], ["envoy:dumps"], ["oci:modules"]]],
    ["does not wait for what is not asked", [assertionOf("Deep")], [["envoy:dumps"], ["oci:modules"]]],
  ];
  it.each(rows)("%s", (_, assertions, expected) => expect(shape(plan(clusterOf("eks"), assertions, kinds, room))).toEqual(expected));

  it("is the same in whatever order the assertions stand", () => {
    const assertions = [assertionOf("Deep"), assertionOf("Both"), assertionOf("Pods")];
    expect(shape(plan(clusterOf("eks"), assertions.toReversed(), kinds, room))).toEqual(shape(plan(clusterOf("eks"), assertions, kinds, room)));
  });
});

describe("requests", () => {
  it("that differ in selector or options stay side by side, in one step of their kind of fact", () => {
    const asked = [request("pods", { selector: "b" }), request("pods", { selector: "a" }), request("pods", { selector: "a" }), request("pods", { options: { deep: true } }), request("pods")];
    const [[step, ...others] = []] = stages(asked, room);
    expect(others).toEqual([]);
    const wanted = [request("pods"), request("pods", { options: { deep: true } }), request("pods", { selector: "a" }), request("pods", { selector: "b" })];
    expect(step?.requests).toHaveLength(4);
    expect(step?.requests).toEqual(expect.arrayContaining(wanted));
  });

  it("that differ in the order of their options only are one", () => {
    expect(stages([request("pods", { options: { a: 1, b: 2 } }), request("pods", { options: { b: 2, a: 1 } })], room)[0]?.[0]?.requests).toHaveLength(1);
  });

  it("for a fact that nobody provides end the run, with the fact", () => {
    expect(() => stages([request("weather")], room)).toThrow(PluginError);
    expect(() => stages([request("weather")], room)).toThrow("`weather`");
  });

  it("of collectors that wait for each other end the run", () => {
    const circle = [collectorOf("a", ["x"], ["y"]), collectorOf("b", ["y"], ["x"])];
    expect(() => stages([request("x"), request("y")], circle)).toThrow(PluginError);
  });
});
