import { describe, expect, it } from "vitest";
import { type Action, type Chain, type Condition, type HttpTable, type Listener, type Request, resolve, type Rule } from "#routes";

const to = (host: string, more: object = {}): Action => ({ type: "forward", destinations: [{ host, port: 80, weight: 1 }], ...more });
const rule = (when: Condition, action: Action, name = "r"): Rule => ({ when, action, origin: { object: name, path: "" } });

function listener(rules: readonly Rule[], table: Partial<HttpTable> = {}, domains: readonly string[] = ["*"]): Listener {
  const http: HttpTable = {
    type: "http",
    reading: { headerLines: "each", regexText: "bytes" },
    pathNormalization: "base",
    ignorePort: true,
    scheme: { from: "connection", default: "http" },
    virtualHosts: [{ domains, rules }],
    otherwise: { type: "notFound" },
    ...table,
  };
  return { chains: [{ when: {}, then: http, origin: { object: "g", path: "" } }], otherwise: { type: "close" } };
}

const request = (more: Partial<Request> = {}): Request => ({ method: "GET", scheme: "http", authority: "a.com", path: "/", headers: [], ...more });
const effect = (rules: readonly Rule[], more: Partial<Request> = {}, table: Partial<HttpTable> = {}): unknown => resolve(listener(rules, table), request(more)).effect;

/** The host of a forward, else the type of the effect. */
function target(where: Listener, more: Partial<Request> = {}): unknown {
  const { effect: found } = resolve(where, request(more));
  const [share] = found.type === "forward" ? found.destinations : [];
  return share !== undefined && "host" in share ? share.host : found.type;
}

describe("a condition", () => {
  const header = (test: object, joined = false): Partial<HttpTable> & { when: Condition } => ({
    when: { headers: [{ name: "x", ...test } as never] },
    reading: { headerLines: joined ? "joined" : "each", regexText: "bytes" },
  });
  const cases: readonly { readonly name: string; readonly when: Condition; readonly request: Partial<Request>; readonly holds: boolean; readonly joined?: boolean; readonly text?: "utf-8" }[] = [
    { name: "of a path sees no query", when: { path: { kind: "exact", value: "/a" } }, request: { path: "/a?b" }, holds: true },
    { name: "of `:path` sees the query", when: { headers: [{ name: ":path", match: { kind: "exact", value: "/a" } }] }, request: { path: "/a?b" }, holds: false },
    { name: "of a regex covers the whole path", when: { path: { kind: "regex", pattern: "/a|/b" } }, request: { path: "/ax" }, holds: false },
    { name: "folds ASCII letters alone", when: { path: { kind: "prefix", value: "/K", ignoreCase: true } }, request: { path: "/kilo" }, holds: true },
    { name: "of a separated prefix takes the value itself", when: { path: { kind: "separated-prefix", value: "/a" } }, request: { path: "/a" }, holds: true },
    { name: "of a separated prefix takes what a slash continues", when: { path: { kind: "separated-prefix", value: "/a" } }, request: { path: "/a/b" }, holds: true },
    { name: "of a separated prefix takes no longer name", when: { path: { kind: "separated-prefix", value: "/a" } }, request: { path: "/ab" }, holds: false },
    { name: "of a method has case", when: { headers: [{ name: ":method", match: { kind: "exact", value: "get" } }] }, request: {}, holds: false },
    { name: "of an authority sees port and case", when: { headers: [{ name: ":authority", match: { kind: "exact", value: "A.com:80" } }] }, request: { authority: "A.com:80" }, holds: true },
    { name: "of presence takes an empty line", ...header({ match: { kind: "any" } }), request: { headers: [["x", ""]] }, holds: true },
    { name: "of absence fails on an empty line", ...header({ match: { kind: "any" }, invert: true, whenAbsent: true }), request: { headers: [["x", ""]] }, holds: false },
    { name: "of absence holds without a line", ...header({ match: { kind: "any" }, invert: true, whenAbsent: true }), request: {}, holds: true },
    { name: "inverted without a word on absence fails when absent", ...header({ match: { kind: "exact", value: "1" }, invert: true }), request: {}, holds: false },
    { name: "that reads an absent header as empty inverts it too", ...header({ match: { kind: "regex", pattern: ".*" }, invert: true, whenAbsent: "as-empty" }), request: {}, holds: false },
    { name: "line by line holds when one line does", ...header({ match: { kind: "exact", value: "1" } }), request: { headers: [["x", "0"], ["x", "1"]] }, holds: true },
    { name: "line by line, inverted, holds when none does", ...header({ match: { kind: "exact", value: "1" }, invert: true }), request: { headers: [["x", "0"], ["x", "1"]] }, holds: false },
    { name: "of joined lines sees commas", ...header({ match: { kind: "exact", value: "0,1" } }), joined: true, request: { headers: [["x", "0"], ["x", "1"]] }, holds: true },
    { name: "of joined lines sees no single line", ...header({ match: { kind: "exact", value: "1" } }), joined: true, request: { headers: [["x", "0"], ["x", "1"]] }, holds: false },
    { name: "of a header that Envoy keeps in one line sees commas", when: { headers: [{ name: "user-agent", match: { kind: "exact", value: "0,1" } }] }, request: { headers: [["user-agent", "0"], ["user-agent", "1"]] }, holds: true },
    { name: "of a header that Envoy keeps in one line sees no single line", when: { headers: [{ name: "user-agent", match: { kind: "exact", value: "1" } }] }, request: { headers: [["user-agent", "0"], ["user-agent", "1"]] }, holds: false },
    { name: "of a parameter sees the first of its name", when: { query: [{ name: "q", match: { kind: "exact", value: "1" } }] }, request: { path: "/?q=2&q=1" }, holds: false },
    { name: "of a parameter decodes nothing", when: { query: [{ name: "q", match: { kind: "exact", value: "a b" } }] }, request: { path: "/?q=a%20b" }, holds: false },
    { name: "of a parameter takes one without a value as empty", when: { query: [{ name: "q", match: { kind: "exact", value: "" } }] }, request: { path: "/?q" }, holds: true },
    { name: "of a claim takes one element of a list", when: { claims: [{ path: ["a", "b"], match: { kind: "exact", value: "v" } }] }, request: { claims: { a: { b: ["u", "v"] } } }, holds: true },
    { name: "of a claim fails on an object", when: { claims: [{ path: ["a"], match: { kind: "any" } }] }, request: { claims: { a: { b: "v" } } }, holds: false },
    { name: "of a claim reads no inherited key", when: { claims: [{ path: ["constructor"], match: { kind: "any" } }] }, request: { claims: {} }, holds: false },
    { name: "of a regex reads code points up to Envoy 1.39.0", ...header({ match: { kind: "regex", pattern: "a.b" } }), text: "utf-8", request: { headers: [["x", "aéb"]] }, holds: true },
    { name: "of a regex reads bytes from Envoy 1.39.1 on", ...header({ match: { kind: "regex", pattern: "a.b" } }), request: { headers: [["x", "aéb"]] }, holds: false },
    { name: "of a regex that reads code points fails on a stray byte", ...header({ match: { kind: "regex", pattern: ".*" } }), text: "utf-8", request: { headers: [["x", "\udcff"]] }, holds: false },
  ];
  for (const { name, when, request: more, holds, joined, text } of cases) {
    it(name, () => {
      const reading = { headerLines: joined === true ? "joined" : "each", regexText: text ?? "bytes" } as const;
      expect(target(listener([rule(when, to("yes")), rule({}, to("no"))], { reading }), more)).toBe(holds ? "yes" : "no");
    });
  }
});

describe("a virtual host", () => {
  const hosts = (...domains: readonly string[]): Listener =>
    listener([], { virtualHosts: domains.map((domain) => ({ domains: [domain], rules: [rule({}, to(domain))] })) });
  const cases = [
    { name: "of the exact name comes before a longer star", domains: ["*.b.com", "a.b.com"], authority: "a.b.com", wanted: "a.b.com" },
    { name: "of the longest suffix comes first", domains: ["*.com", "*.b.com"], authority: "x.b.com", wanted: "*.b.com" },
    { name: "of a suffix comes before a longer prefix", domains: ["*.m", "a.very.*"], authority: "a.very.long.m", wanted: "*.m" },
    { name: "of a prefix comes before the star", domains: ["*", "a.*"], authority: "a.com", wanted: "a.*" },
    { name: "with a star takes no apex", domains: ["*.a.com"], authority: "a.com", wanted: "notFound" },
    { name: "takes any case and port", domains: ["a.com"], authority: "A.Com:8080", wanted: "a.com" },
    { name: "knows the colons of an address from a port", domains: ["[::1]"], authority: "[::1]:80", wanted: "[::1]" },
    { name: "takes a last dot only where it is written", domains: ["a.com"], authority: "a.com.", wanted: "notFound" },
  ];
  for (const { name, domains, authority, wanted } of cases) it(name, () => expect(target(hosts(...domains), { authority })).toBe(wanted));

  it("without a rule that holds answers 404, though a wider one would take the request", () => {
    const table = { virtualHosts: [{ domains: ["a.com"], rules: [rule({ path: { kind: "exact" as const, value: "/a" } }, to("x"))] }, { domains: ["*"], rules: [rule({}, to("y"))] }] };
    expect(target(listener([], table), { path: "/z" })).toBe("notFound");
  });
});

describe("a path is normalised", () => {
  const cases = [
    ["none", "/a/../b//c%41#f", "/a/../b//c%41"],
    ["base", "/a/./b/../c", "/a/c"],
    ["base", "/a/%2e%2E/b", "/b"],
    ["base", "/../..", "/"],
    ["base", "/a/..", "/"],
    ["base", "/a/.", "/a/"],
    ["base", "/a\\b", "/a/b"],
    ["base", "/%41%2F%5c", "/A%2F%5c"],
    ["base", "/a//b?c//d/../e#f", "/a//b?c//d/../e"],
    ["base", "/%4%31", "/%2541"],
    ["base", "/a%%32Fb", "/a%252Fb"],
    ["base", "/%x%31", "/%x1"],
    ["base", '/"<>', "/%22%3C%3E"],
    ["base", "/...", "/..."],
    ["merge-slashes", "///a//%2F", "/a/%2F"],
    ["merge-slashes", "///", "//"],
    ["merge-slashes", "//?q=//", "//?q=//"],
    ["merge-slashes", "/a//", "/a/"],
    ["decode-and-merge-slashes", "/%2f", "//"],
    ["decode-and-merge-slashes", "/a%2F%5Cb", "/a/b"],
    ["decode-and-merge-slashes", "/a%2f..%2fb", "/b"],
  ] as const;
  for (const [pathNormalization, path, wanted] of cases) {
    it(`${pathNormalization}: ${path} becomes ${wanted}`, () => {
      expect(effect([rule({}, { type: "redirect", status: 301 })], { path }, { pathNormalization })).toEqual({ type: "redirect", status: 301, location: `http://a.com${wanted}` });
    });
  }
  it("and refused when it hides a NUL", () => expect(effect([rule({}, to("x"))], { path: "/%00" })).toMatchObject({ status: 400 }));
});

describe("a rewrite", () => {
  const cases = [
    { name: "of a prefix keeps what follows", rewrite: { kind: "prefix", length: 4, value: "/" }, path: "/api/x?q", wanted: "//x?q" },
    { name: "of nothing puts its value in front", rewrite: { kind: "prefix", length: 0, value: "/x" }, path: "/foo", wanted: "/x/foo" },
    { name: "of the whole path keeps the query", rewrite: { kind: "replace", value: "/x" }, path: "/a/b?q", wanted: "/x?q" },
    { name: "by a regex replaces every match", rewrite: { kind: "regex", pattern: "o(.)", substitution: "<\\1>" }, path: "/of/ox", wanted: "/<f>/<x>" },
    { name: "by a regex that leaves nothing changes nothing", rewrite: { kind: "regex", pattern: ".*", substitution: "" }, path: "/a", wanted: undefined },
  ] as const;
  for (const { name, rewrite, path, wanted } of cases) {
    it(name, () => expect(effect([rule({}, to("x", { rewritePath: rewrite }))], { path })).toMatchObject(wanted === undefined ? { type: "forward" } : { rewrite: { path: wanted } }));
  }
});

describe("a redirect", () => {
  const location = (action: object, more: Partial<Request> = {}, table: Partial<HttpTable> = {}): unknown =>
    (effect([rule({}, { type: "redirect", status: 301, ...action })], more, table) as { location?: string }).location;
  const secure = { scheme: { from: "connection", default: "https" } } as const;
  it("keeps the port unless the scheme changes and it is the old default", () => {
    expect([location({ scheme: "https" }, { authority: "a.com:80" }), location({ scheme: "https" }, { authority: "a.com:8080" }), location({ scheme: "http" }, { authority: "a.com:80" })]).toEqual([
      "https://a.com/", "https://a.com:8080/", "http://a.com:80/",
    ]);
    expect(location({ scheme: "http" }, { authority: "a.com:443" }, secure)).toBe("http://a.com/");
  });
  it("keeps the port whatever happens where it is told to", () => expect(location({ scheme: "https", keepPort: true }, { authority: "a.com:80" })).toBe("https://a.com:80/"));
  it("puts its own port in the place of any other", () => {
    expect([location({ port: 81 }, { authority: "a.com:80" }), location({ port: 81 }, { authority: "[::1]:80" }), location({ port: 81, authority: "b.com" })]).toEqual(["http://a.com:81/", "http://[::1]:81/", "http://b.com:81/"]);
  });
  it("replaces the query by one of its own", () => {
    expect([location({ path: { kind: "replace", value: "/x?y" } }, { path: "/a?b" }), location({ path: { kind: "replace", value: "/x" } }, { path: "/a?b" }), location({ stripQuery: true }, { path: "/a?b" })]).toEqual([
      "http://a.com/x?y", "http://a.com/x?b", "http://a.com/a",
    ]);
  });
  it("takes the scheme from one valid line of x-forwarded-proto where that decides", () => {
    const table = { scheme: { from: "x-forwarded-proto", default: "http" } } as const;
    const at = (...lines: readonly string[]): unknown => location({}, { headers: lines.map((line) => ["x-forwarded-proto", line] as const) }, table);
    expect([at(), at("HTTPS"), at("https", "https"), at("ftp")]).toEqual(["http://a.com/", "https://a.com/", "http://a.com/", "http://a.com/"]);
  });
  it("loses a default port too where the client wrote its protocol in capitals, and keeps it for a protocol that is none", () => {
    const table = { scheme: { from: "x-forwarded-proto", default: "http" } } as const;
    const at = (line: string, action: object = {}): unknown => location(action, { authority: line === "ftp" ? "a.com:80" : "a.com:443", headers: [["x-forwarded-proto", line]] }, table);
    expect([at("https"), at("HTTPS"), at("ftp", { scheme: "https" })]).toEqual(["https://a.com:443/", "https://a.com/", "https://a.com:80/"]);
  });
  it("finds the header that the proxy wrote over the client's", () => {
    const table = { overwritten: { "x-forwarded-proto": "http" } };
    const rules = [rule({ headers: [{ name: "x-forwarded-proto", match: { kind: "exact", value: "https" } }] }, to("x")), rule({}, to("y"))];
    expect(target(listener(rules, table), { headers: [["x-forwarded-proto", "https"]] })).toBe("y");
  });
});

describe("the effect of a forward", () => {
  const same = (left: Action, right: Action, more: Partial<Request> = {}): void => expect(effect([rule({}, left)], more)).toEqual(effect([rule({}, right)], more));
  const share = (host: string, weight: number, more: object = {}): object => ({ host, port: 80, weight, ...more });
  const split = (...destinations: readonly object[]): Action => ({ type: "forward", destinations: destinations as never });
  it("has no rewritten path where no destination is there to receive it", () => {
    const missing = { invalid: true, status: 503, weight: 1 };
    const rewritten = (...destinations: readonly object[]): Action => ({ type: "forward", destinations: destinations as never, rewritePath: { kind: "replace", value: "/x" } });
    same(rewritten(missing), split(missing));
    expect(effect([rule({}, rewritten(missing, share("x", 1)))], {})).toMatchObject({ rewrite: { path: "/x" } });
  });
  it("has weights without common factors, shares of nothing and repetition", () => {
    same(split(share("x", 50), share("y", 50)), split(share("y", 1), share("x", 1)));
    same(split(share("x", 30), share("x", 70), share("y", 0)), split(share("x", 7)));
  });
  it("has header lines as the backend receives them", () => {
    const operations = (...list: readonly object[]): Action => split(share("x", 1, { request: list }));
    const kept = { headers: [["x", "0"]] } as const;
    expect(effect([rule({}, operations({ op: "add", name: "x", value: "100%%" }))], kept)).toMatchObject({ destinations: [{ headers: { request: { x: ["0", "100%"] } } }] });
    same(operations({ op: "remove", name: "x" }, { op: "add", name: "x", value: "d" }), operations({ op: "set", name: "x", value: "d" }), kept);
    same(operations({ op: "set", name: "x", value: "0" }), operations(), kept);
    same(operations({ op: "remove", name: "y" }), operations());
  });
  it("has only retries that can happen", () => {
    const retries = (on: readonly string[], more: object = {}): Action => to("x", { timeout: 1000, retries: { attempts: 2, on, ...more } });
    same(retries(["5xx"]), retries(["gateway-error", "5xx", "reset"]));
    same(retries(["reset"], { perTryTimeout: 2000 }), retries(["reset"]));
    same(retries([]), to("x", { timeout: 1000 }));
    same(retries(["retriable-status-codes"]), to("x", { timeout: 1000 }));
    same(retries(["retriable-status-codes", "5xx"], { codes: [503] }), retries(["5xx"]));
  });
  it("of a fault for everybody is that of its answer", () => {
    const abort = { fault: { abort: { status: 418, share: 1_000_000 } } };
    same(to("x", abort), to("y", { ...abort, timeout: 1 }));
    same(to("x", abort), { type: "respond", status: 418, body: "fault filter abort" });
  });
  it("of cross-origin rules is seen by those with an origin alone", () => {
    const cors: Action = to("x", { cors: { origins: [{ kind: "exact", value: "http://b" }], methods: ["GET"], maxAge: 1 } });
    same(cors, to("x"));
    same(cors, to("x"), { headers: [["origin", "http://c"]] });
    expect(effect([rule({}, cors)], { headers: [["origin", "http://b"]] })).toMatchObject({ type: "forward", cors: { origin: "allowed" } });
    expect(effect([rule({}, cors)], { method: "OPTIONS", headers: [["origin", "http://b"], ["access-control-request-method", "GET"]] })).toEqual({
      type: "respond", status: 200, body: "", cors: { origin: "allowed", preflight: true, methods: ["GET"], maxAge: 1 },
    });
  });
  it("of cross-origin rules tells preflights of other origins all but the origin", () => {
    const cors: Action = to("x", { cors: { origins: [], methods: ["GET"], maxAge: 1, answerUnmatched: true } });
    expect(effect([rule({}, cors)], { method: "OPTIONS", headers: [["origin", "http://c"], ["access-control-request-method", "GET"]] })).toEqual({
      type: "respond", status: 200, body: "", cors: { origin: "refused", preflight: true, methods: ["GET"], maxAge: 1 },
    });
  });
  it("of a star in cross-origin rules gives back what is asked for", () => {
    const cors: Action = to("x", { cors: { origins: [{ kind: "exact", value: "http://b" }], methods: ["*"], headers: ["*"] } });
    const preflight = (...more: readonly (readonly [string, string])[]) => effect([rule({}, cors)], { method: "OPTIONS", headers: [["origin", "http://b"], ["access-control-request-method", "PUT"], ...more] });
    expect(preflight()).toEqual({ type: "respond", status: 200, body: "", cors: { origin: "allowed", preflight: true, methods: ["PUT"] } });
    expect(preflight(["access-control-request-headers", "b,a"])).toMatchObject({ cors: { methods: ["PUT"], headers: ["b,a"] } });
  });
  it("of headers taken from the proxy's own answer is none", () => {
    const answer = { type: "respond", status: 418, body: "" } as const;
    same({ ...answer, response: [{ op: "remove", name: "x" }] }, answer);
    same({ ...answer, response: [{ op: "add", name: "x", value: "1" }] }, { ...answer, response: [{ op: "set", name: "x", value: "1" }] });
  });
  it("tells mirrors with another Host apart", () => {
    const mirror = { host: "m", port: 80, share: 1_000_000 };
    expect(effect([rule({}, to("x", { mirrors: [mirror] }))])).not.toEqual(effect([rule({}, to("x", { mirrors: [{ ...mirror, shadowHost: true }] }))]));
    same(to("x", { mirrors: [mirror, { ...mirror, host: "n", share: 0 }] }), to("x", { mirrors: [mirror] }));
  });
  it("of a 404 without anything is that of no route", () => same({ type: "respond", status: 404, body: "" }, { type: "notFound" }));
});

describe("a table with a regex", () => {
  it("that is not valid is refused as a whole", () => {
    expect(resolve(listener([rule({}, to("x")), rule({ path: { kind: "regex", pattern: "(" } }, to("y"), "bad")]), request())).toMatchObject({ effect: { type: "invalid" }, rule: { object: "bad" } });
  });
  it("that is not read leaves the answer open where the rule is tried", () => {
    const large = rule({ path: { kind: "regex", pattern: "a".repeat(70_000) } }, to("y"), "large");
    const of = (path: string): number => resolve(listener([rule({ path: { kind: "exact", value: "/a" } }, to("x")), large, rule({}, to("z"))]), request({ path })).unmodelled.length;
    expect([of("/a"), of("/b")]).toEqual([0, 1]);
  });
});

describe("a listener", () => {
  const chain = (name: string, when: Chain["when"]): Chain => ({ when, then: to(name), origin: { object: name, path: "" } });
  const at = (chains: readonly Chain[]) => (more: Partial<Request>): unknown => target({ chains, otherwise: { type: "close" } }, more);
  it("chooses the exact server name, then the longest star, then none", () => {
    const ask = at([chain("all", {}), chain("star", { serverNames: ["*.com"] }), chain("long", { serverNames: ["*.a.com"] }), chain("exact", { serverNames: ["x.a.com"] })]);
    expect([ask({ sni: "X.a.com" }), ask({ sni: "y.a.com" }), ask({ sni: "b.com" }), ask({ sni: "b.org" }), ask({})]).toEqual(["exact", "long", "star", "all", "all"]);
  });
  it("T77: never goes back from the longest range", () => {
    const ask = at([chain("a", { destinations: ["10.0.0.0/8"], serverNames: ["a"] }), chain("b", { destinations: ["10.1.0.0/16"], serverNames: ["b"] })]);
    expect([ask({ sni: "a", destination: { address: "10.1.2.3" } }), ask({ sni: "a", destination: { address: "10.2.2.3" } }), ask({ sni: "a" })]).toEqual(["close", "a", "close"]);
  });
  it("reads addresses of both families", () => {
    const ask = at([chain("six", { destinations: ["2001:db8::/32"] }), chain("four", { destinations: ["0.0.0.0/0"] })]);
    expect([ask({ destination: { address: "2001:db8::1" } }), ask({ destination: { address: "1.2.3.4" } }), ask({ destination: { address: "::1" } })]).toEqual(["six", "four", "close"]);
  });
  it("tells TLS from plain bytes after everything else", () => {
    const ask = at([chain("tls", { transport: "tls" }), chain("raw", { transport: "raw_buffer" })]);
    expect([ask({ sni: "a" }), ask({})]).toEqual(["tls", "raw"]);
  });
});
