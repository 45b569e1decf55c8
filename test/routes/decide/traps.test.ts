import { describe, expect, it } from "vitest";
import { type Action, compare, type Condition, type HttpTable, type Request, Resolver, type Rule } from "#routes";
import { listenerOf } from "../../support/tables.ts";

/**
 * Traps of which one side is written in raw Envoy or Gateway API, as their translation stands in the model. The others are in
 * fixtures/routes, as objects.
 */
const to = (host: string, more: object = {}): Action => ({ type: "forward", destinations: [{ host, port: 80, weight: 1 }], ...more });
const split = (...weights: readonly number[]): Action => ({ type: "forward", destinations: weights.map((weight, index) => ({ host: index === 0 ? "a" : "b", port: 80, weight })) });
const exact = (value: string): Condition => ({ path: { kind: "exact", value } });
const prefix = (value: string): Condition => ({ path: { kind: "prefix", value } });
const segment = (value: string): Condition => ({ path: { kind: "separated-prefix", value } });
const redirect = (more: object = {}): Action => ({ type: "redirect", status: 301, ...more });

type Line = readonly [when: Condition, then: Action];

function table(lines: readonly Line[]): HttpTable {
  const rules = lines.map(([when, action], index): Rule => ({ when, action, origin: { object: "r", path: String(index) } }));
  return {
    type: "http", reading: { headerLines: "each", regexText: "bytes" }, pathNormalization: "base", ignorePort: true,
    scheme: { from: "connection", default: "http" }, virtualHosts: [{ domains: ["a.com"], rules }], otherwise: { type: "notFound" },
  };
}

/** With a witness the sides differ, and on that request too; without one they are equivalent. */
interface Row {
  readonly trap: string;
  readonly name: string;
  readonly left: readonly Line[];
  readonly right: readonly Line[];
  readonly witness?: Partial<Request>;
}

const rows: readonly Row[] = [
  { trap: "E13", name: "a prefix with its slash or the whole word is a segment", left: [[prefix("/foo/"), to("x")], [exact("/foo"), to("x")]], right: [[segment("/foo"), to("x")]] },
  { trap: "E14", name: "a segment is what it is with a slash behind it", left: [[exact("/foo"), to("x")], [prefix("/foo/"), to("x")]], right: [[segment("/foo"), to("x")]] },
  { trap: "T01", name: "a prefix of characters takes more than one of segments", left: [[prefix("/foo"), to("x")]], right: [[segment("/foo"), to("x")]], witness: { path: "/foobar" } },
  { trap: "T29", name: "a redirect of another code", left: [[{}, redirect()]], right: [[{}, redirect({ status: 302 })]], witness: {} },
  { trap: "T41", name: "a redirect to port 443 drops the port of Host, one without a port keeps it", left: [[{}, redirect({ scheme: "https", port: 443 })]], right: [[{}, redirect({ scheme: "https" })]], witness: { authority: "a.com:8080" } },
  { trap: "T44", name: "an expression ranked behind every prefix is never reached", left: [[prefix("/"), to("d")], [{ path: { kind: "regex", pattern: "/a.*" } }, to("x")]], right: [[{ path: { kind: "regex", pattern: "/a.*" } }, to("x")], [prefix("/"), to("d")]], witness: { path: "/a" } },
  { trap: "T46", name: "a rule without backends answers 500, no rule 404", left: [[segment("/a"), { type: "respond", status: 500, body: "" }]], right: [], witness: { path: "/a" } },
  {
    trap: "T47", name: "a backend that does not exist keeps its share",
    left: [[{}, { type: "forward", destinations: [{ host: "a", port: 80, weight: 1 }, { invalid: true, status: 500, weight: 1 }] }]], right: [[{}, to("a")]], witness: {},
  },
  // The left side: half of all requests, by the same random number as the weights, go to the first rule, and the rest of that number always to b.
  { trap: "T55", name: "a share of requests and then weights on one random number is no product of chances", left: [[{}, split(50, 50)]], right: [[{}, split(75, 25)]], witness: {} },
  {
    trap: "T56", name: "the old match of an empty value asks for presence",
    left: [[{ headers: [{ name: "x", match: { kind: "any" } }] }, to("x")]], right: [[{ headers: [{ name: "x", match: { kind: "exact", value: "" } }] }, to("x")]], witness: { headers: [["x", "1"]] },
  },
  ...["user-agent", "x"].map((name): Row => {
    const is = (value: string): Condition => ({ headers: [{ name, match: { kind: "exact", value } }] });
    const isOne = name === "user-agent";
    return {
      trap: "T10", name: isOne ? "of a header that Envoy keeps in one line two values exclude each other" : "of another header two lines can hold both",
      left: [[is("a"), to("x")], [is("b"), to("y")]], right: [[is("b"), to("y")], [is("a"), to("x")]], ...(isOne ? {} : { witness: { headers: [[name, "a"], [name, "b"]] } }),
    };
  }),
  { trap: "T67", name: "a segment of nothing takes everything", left: [[prefix("/"), to("x")]], right: [[{}, to("x")]] },
  { trap: "T73", name: "a prefix that gives way to nothing leaves a slash only where somebody puts one", left: [[segment("/foo"), redirect()]], right: [[segment("/foo"), redirect({ path: { kind: "prefix", length: 4, value: "" } })]], witness: { path: "/foo/bar" } },
  { trap: "T74", name: "the first slash gives way to a word with or without one behind it", left: [[{}, to("x", { rewritePath: { kind: "prefix", length: 1, value: "/xyz" } })]], right: [[{}, to("x", { rewritePath: { kind: "prefix", length: 1, value: "/xyz/" } })]], witness: { path: "/bar" } },
  {
    trap: "T80", name: "a share of 5,699 millionths is none of 5,700",
    left: [[{}, to("x", { mirrors: [{ host: "m", port: 80, share: 5699 }] })]], right: [[{}, to("x", { mirrors: [{ host: "m", port: 80, share: 5700 }] })]], witness: {},
  },
];

describe("a trap", () => {
  for (const { trap, name, left, right, witness } of rows) {
    it(`${trap}: ${name}`, () => {
      const listeners = [left, right].map((lines) => listenerOf(table(lines)));
      const { outcome, undecided } = compare(listeners.map((listener) => ({ readings: [{ name: "", listener }] })), { transports: ["raw_buffer"] });
      expect([outcome, undecided]).toEqual([witness === undefined ? "equivalent" : "different", []]);
      if (witness === undefined) return;
      const request: Request = { method: "GET", scheme: "http", authority: "a.com", path: "/", headers: [], ...witness };
      const [one, other] = listeners.map((listener) => JSON.stringify(new Resolver(listener).answer(request).effect));
      expect(one).not.toBe(other);
    });
  }
});
