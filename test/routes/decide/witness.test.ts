import { describe, expect, it } from "vitest";
import { type Action, compare, type Condition, type HttpTable, type Request, type Rule } from "#routes";
import { listenerOf } from "../../support/tables.ts";

const to = (host: string, more: object = {}): Action => ({ type: "forward", destinations: [{ host, port: 80, weight: 1 }], ...more });
const path = (kind: "exact" | "prefix" | "suffix" | "contains", value: string): Condition => ({ path: { kind, value } });
const regex = (pattern: string): Condition => ({ path: { kind: "regex", pattern } });
const header = (name: string, value: string): Condition => ({ headers: [{ name, match: { kind: "exact", value } }] });
const there = (name: string): Condition => ({ headers: [{ name, match: { kind: "any" } }] });
const gone = (name: string): Condition => ({ headers: [{ name, match: { kind: "any" }, invert: true, whenAbsent: true }] });

type Line = readonly [when: Condition, then: Action | string];

function table(lines: readonly Line[], more: Partial<HttpTable> = {}): HttpTable {
  const rules = lines.map(([when, then], index): Rule => ({ when, action: typeof then === "string" ? to(then) : then, origin: { object: "VirtualService prod/shop", path: `spec.http[${index}]`, file: "shop.yaml", line: 10 + index } }));
  return {
    type: "http",
    reading: { headerLines: "each", regexText: "bytes" },
    pathNormalization: "base",
    ignorePort: true,
    scheme: { from: "connection", default: "http" },
    virtualHosts: [{ domains: ["shop.example"], rules }],
    otherwise: { type: "notFound" },
    ...more,
  };
}

/** What a witness is expected to hold beside `GET http://shop.example/` without headers. */
interface Row {
  readonly name: string;
  readonly left: readonly Line[];
  readonly right: readonly Line[];
  readonly witness: Partial<Request>;
  readonly more?: Partial<HttpTable>;
}

const rows: readonly Row[] = [
  { name: "another destination for all", left: [[{}, "x"]], right: [[{}, "y"]], witness: {} },
  { name: "a rule that one side lacks", left: [[path("prefix", "/api"), "x"], [{}, "z"]], right: [[{}, "z"]], witness: { path: "/api" } },
  { name: "the neighbour of an exact path", left: [[path("exact", "/a"), "x"], [{}, "z"]], right: [[path("prefix", "/a"), "x"], [{}, "z"]], witness: { path: "/ax" } },
  { name: "a prefix that ends in a slash", left: [[path("prefix", "/a/"), "x"], [{}, "z"]], right: [[path("prefix", "/a"), "x"], [{}, "z"]], witness: { path: "/a" } },
  { name: "the segment and the string", left: [[{ path: { kind: "separated-prefix", value: "/foo" } }, "x"], [{}, "z"]], right: [[path("prefix", "/foo"), "x"], [{}, "z"]], witness: { path: "/foox" } },
  { name: "between two prefixes", left: [[path("prefix", "/a/b"), "y"], [path("prefix", "/a"), "x"]], right: [[path("prefix", "/a/b"), "y"], [path("prefix", "/a"), "z"]], witness: { path: "/a" } },
  { name: "what a longer prefix leaves of a shorter one", left: [[path("exact", "/a"), "y"], [path("prefix", "/ax"), "y"], [path("prefix", "/a"), "x"]], right: [[path("exact", "/a"), "y"], [path("prefix", "/ax"), "y"], [path("prefix", "/a"), "z"]], witness: { path: "/aa" } },
  { name: "a header that one side looks at", left: [[header("x-canary", "1"), "x"], [{}, "z"]], right: [[{}, "z"]], witness: { headers: [["x-canary", "1"]] } },
  { name: "another value of a header", left: [[header("x", "1"), "x"], [{}, "z"]], right: [[there("x"), "x"], [{}, "z"]], witness: { headers: [["x", "x"]] } },
  { name: "an empty header", left: [[{ headers: [{ name: "x", match: { kind: "regex", pattern: ".+" }, invert: true, whenAbsent: "as-empty" }] }, "x"], [{}, "z"]], right: [[gone("x"), "x"], [{}, "z"]], witness: { headers: [["x", ""]] } },
  { name: "two lines of one header", left: [[header("x", "a"), "x"], [header("x", "b"), "y"]], right: [[header("x", "b"), "y"], [header("x", "a"), "x"]], witness: { headers: [["x", "a"], ["x", "b"]] } },
  { name: "no header that does not matter", left: [[there("a"), "w"], [there("b"), "w"], [path("exact", "/p"), "x"]], right: [[there("a"), "w"], [there("b"), "w"], [path("exact", "/p"), "y"]], witness: { path: "/p" } },
  { name: "a header in the way of a header", left: [[there("a"), "w"], [there("b"), "x"]], right: [[there("b"), "x"], [there("a"), "w"]], witness: { headers: [["a", "x"], ["b", "x"]] } },
  { name: "a method", left: [[{ headers: [{ name: ":method", match: { kind: "exact", value: "POST" } }] }, "x"], [{}, "z"]], right: [[{}, "z"]], witness: { method: "POST" } },
  { name: "all methods but the usual one", left: [[{ headers: [{ name: ":method", match: { kind: "exact", value: "GET" } }] }, "x"], [{}, "z"]], right: [[{}, "x"]], witness: { method: "POST" } },
  { name: "the spelling of the authority", left: [[{ headers: [{ name: ":authority", match: { kind: "exact", value: "shop.example" } }] }, "x"], [{}, "z"]], right: [[{}, "x"]], witness: { authority: "shop.example:8080" } },
  { name: "a parameter", left: [[{ query: [{ name: "debug", match: { kind: "exact", value: "1" } }] }, "x"], [{}, "z"]], right: [[{}, "z"]], witness: { path: "/?debug=1" } },
  { name: "a parameter without value", left: [[{ query: [{ name: "q", match: { kind: "any" } }] }, "x"], [{}, "z"]], right: [[{ query: [{ name: "q", match: { kind: "exact", value: "" } }] }, "x"], [{}, "z"]], witness: { path: "/?q=x" } },
  { name: "an expression", left: [[regex("/v[0-9]+/x"), "x"], [{}, "z"]], right: [[{}, "z"]], witness: { path: "/v0/x" } },
  { name: "two expressions of nearly the same", left: [[regex("/(a|b)*c"), "x"], [{}, "z"]], right: [[regex("/(a|b)+c"), "x"], [{}, "z"]], witness: { path: "/c" } },
  { name: "the case of a letter", left: [[{ path: { kind: "exact", value: "/a", ignoreCase: true } }, "x"], [{}, "z"]], right: [[path("exact", "/a"), "x"], [{}, "z"]], witness: { path: "/A" } },
  { name: "an ending", left: [[path("suffix", ".php"), "x"], [{}, "z"]], right: [[{}, "z"]], witness: { path: "/.php" } },
  { name: "a rewrite that changes one path alone", left: [[{}, to("x", { rewritePath: { kind: "replace", value: "/a" } })]], right: [[{}, "x"]], witness: { path: "/" } },
  { name: "rewrites that agree on the first path", left: [[path("prefix", "/a"), to("x", { rewritePath: { kind: "replace", value: "/b" } })]], right: [[path("prefix", "/a"), to("x", { rewritePath: { kind: "prefix", length: 2, value: "/b" } })]], witness: { path: "/ax" } },
  { name: "a redirect that agrees where the port is the usual one", left: [[{}, { type: "redirect", status: 301, scheme: "https" }]], right: [[{}, { type: "redirect", status: 301, scheme: "https", port: 443 }]], witness: {} },
  { name: "a header that a rule sets", left: [[{}, { type: "forward", destinations: [{ host: "x", port: 80, weight: 1, request: [{ op: "set", name: "x", value: "1" }] }] }]], right: [[{}, { type: "forward", destinations: [{ host: "x", port: 80, weight: 1, request: [{ op: "add", name: "x", value: "1" }] }] }]], witness: { headers: [["x", "x"]] } },
  { name: "a claim", left: [[{ claims: [{ path: ["group"], match: { kind: "exact", value: "admin" } }] }, "x"], [{}, "z"]], right: [[{}, "z"]], witness: { claims: { group: "admin" } } },
  { name: "paths as the proxy reads them", left: [[path("exact", "/a"), "x"], [{}, "z"]], right: [[{}, "z"]], witness: { path: "/a" }, more: { pathNormalization: "none" } },
];

describe("a witness shows", () => {
  for (const { name, left, right, witness, more } of rows) {
    it(name, () => {
      const { differences } = compare([left, right].map((lines) => ({ readings: [{ name: "", listener: listenerOf(table(lines, more)) }] })), { transports: ["raw_buffer"] });
      expect(differences[0]?.request).toEqual({ method: "GET", scheme: "http", authority: "shop.example", path: "/", headers: [], ...witness });
    });
  }
});

describe("a difference", () => {
  const told = (left: readonly Line[], right: readonly Line[]): ReturnType<typeof compare> =>
    compare([left, right].map((lines) => ({ readings: [{ name: "", listener: listenerOf(table(lines)) }] })), { transports: ["raw_buffer"] });

  it("names the rule that decides on each side, with its file and line", () => {
    const { differences } = told([[path("exact", "/a"), "x"], [{}, "z"]], [[path("exact", "/b"), "z"], [{}, "z"]]);
    expect(differences.map(({ answers }) => answers.map(({ rule }) => rule))).toEqual([[
      { object: "VirtualService prod/shop", path: "spec.http[0]", file: "shop.yaml", line: 10 },
      { object: "VirtualService prod/shop", path: "spec.http[1]", file: "shop.yaml", line: 11 },
    ]]);
  });

  it("names no rule where none takes the request", () => {
    const { differences } = told([[path("exact", "/a"), "x"]], []);
    expect(differences.map(({ answers }) => answers.map(({ rule, effect }) => [rule?.path, effect.type]))).toEqual([[["spec.http[0]", "forward"], [undefined, "notFound"]]]);
  });

  it("is told once for each pair of deciding rules, however many requests it has", () => {
    const many = (host: string): readonly Line[] => [...["/a", "/b", "/c"].map((value): Line => [path("prefix", value), "same"]), [path("prefix", "/d"), host], [path("prefix", "/e"), host], [{}, "z"]];
    expect(told(many("x"), many("y")).differences.map(({ request }) => request.path)).toEqual(["/d", "/e"]);
  });
});
