import type { Action, Backend, ClaimMatch, Condition, Cors, HeaderMatch, HeaderOperation, HttpTable, Listener, PathMatch, PathNormalization, QueryMatch, Request, Rule, StringMatch, VirtualHost } from "#routes";

/** A number below a bound. */
export type Random = (bound: number) => number;

const pick = <T>(random: Random, list: readonly T[]): T => {
  const item = list[random(list.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
};

const paths = ["/", "/a", "/b", "/a/", "/a/b", "/a/b/", "/ab", "/aa", "/A", "/a/b/a", "/b/a", "/a.b", "/%61", "/..", "//a"];
const values = ["", "a", "b", "ab", "a,b", "A", "a b", "é", ","];
const pathRegexes = ["/a.*", "/(a|b)", "/a|/b", "/[ab]+", ".*", "/.*b", "/a?", "/(a|b)*a", "(?i)/A", "/a/.*/?", "/[^/]+", "/a(/.*)?", "/%61", "\\/a", "^/a$", "/a{2}", ".*a.*"];
const valueRegexes = ["a|b", "a.*", ".*", ".+", "[ab]", "(?i)a", "a(,.*)?", "", ".", "[^a]", "a,b", "é", "\\W", "(?s).{2}"];
const domains = ["a.com", "b.com", "*.b.com", "x.b.com", "*", "*.com", "a.*"];
const hosts = ["x", "y", "z"];

function stringMatch(random: Random, exact: readonly string[], regexes: readonly string[]): StringMatch {
  const ignoreCase = random(5) === 0 ? { ignoreCase: true } : {};
  switch (random(8)) {
    case 0:
      return { kind: "suffix", value: pick(random, exact), ...ignoreCase };
    case 1:
      return { kind: "contains", value: pick(random, exact), ...ignoreCase };
    case 2:
    case 3:
      return { kind: "regex", pattern: pick(random, regexes) };
    case 4:
    case 5:
      return { kind: "prefix", value: pick(random, exact), ...ignoreCase };
    default:
      return { kind: "exact", value: pick(random, exact), ...ignoreCase };
  }
}

function pathMatch(random: Random): PathMatch {
  if (random(8) === 0) return { kind: "separated-prefix", value: pick(random, ["/a", "/b", "/a/b"]) };
  return stringMatch(random, paths, pathRegexes);
}

function fieldMatch(random: Random): Pick<HeaderMatch, "match" | "invert" | "whenAbsent"> {
  const match = random(4) === 0 ? { kind: "any" as const } : stringMatch(random, values, valueRegexes);
  const invert = random(3) === 0 ? { invert: true } : {};
  const whenAbsent = random(3) === 0 ? { whenAbsent: pick(random, [true, false, "as-empty"] as const) } : {};
  return { match, ...invert, ...whenAbsent };
}

const headerNames = ["x", "x", "x", "y", "z", ":method", ":authority", ":scheme", "origin", "x-forwarded-proto"];

function condition(random: Random, coupled: boolean): Condition {
  const headers: HeaderMatch[] = [];
  for (let count = pick(random, [0, 0, 0, 1, 1, 2]); count > 0; count--) {
    const name = coupled && random(3) === 0 ? ":path" : pick(random, headerNames);
    if (name === ":method") headers.push({ name, match: { kind: "exact", value: pick(random, ["GET", "POST", "get"]) } });
    else if (name === ":authority") headers.push({ name, match: stringMatch(random, ["a.com", "A.com", "b.com", "a.com:80", ".com"], ["a.*", ".*:80", "[aA]\\.com", "x\\.b\\.com"]) });
    else if (name === ":scheme") headers.push({ name, match: { kind: "exact", value: pick(random, ["http", "https"]) } });
    else if (name === ":path") headers.push({ name, match: stringMatch(random, [...paths, "/a?q=a", "?q"], ["/a.*", ".*q=a.*", "/[ab](\\?.*)?"]) });
    else headers.push({ name, ...fieldMatch(random) });
  }
  const query: QueryMatch[] = random(6) === 0 ? [{ name: pick(random, ["q", "p", "q"]), ...fieldMatch(random) }] : [];
  const claims: ClaimMatch[] = random(14) === 0 ? [{ path: pick(random, [["c"], ["c", "d"], ["e"]]), ...fieldMatch(random) }] : [];
  return {
    ...(random(5) === 0 ? {} : { path: pathMatch(random) }),
    ...(headers.length === 0 ? {} : { headers }),
    ...(query.length === 0 ? {} : { query }),
    ...(claims.length === 0 ? {} : { claims }),
  };
}

function operations(random: Random): readonly HeaderOperation[] {
  return Array.from({ length: 1 + random(2) }, (): HeaderOperation => {
    const name = pick(random, ["x", "y"]);
    const op = pick(random, ["set", "add", "remove"] as const);
    return op === "remove" ? { op, name } : { op, name, value: pick(random, ["a", "b", "100%%"]) };
  });
}

function backend(random: Random): Backend {
  return {
    host: pick(random, hosts),
    port: 80,
    weight: 1 + random(2),
    ...(random(6) === 0 ? { authority: pick(random, ["a.com", "b.com"]) } : {}),
    ...(random(6) === 0 ? { request: operations(random) } : {}),
    ...(random(12) === 0 ? { response: operations(random) } : {}),
  };
}

function cors(random: Random): Cors {
  return { origins: [stringMatch(random, ["http://a", "http://b", "a"], ["http://.*", "a|b"])], ...(random(2) === 0 ? { methods: ["GET"] } : {}), ...(random(3) === 0 ? { answerUnmatched: true } : {}) };
}

/** An action, simple ones most often. */
function action(random: Random, prefix = 1): Action {
  switch (random(10)) {
    case 0:
      return {
        type: "redirect",
        status: 301,
        ...(random(3) === 0 ? { scheme: pick(random, ["http", "https"]) } : {}),
        ...(random(3) === 0 ? { authority: pick(random, ["a.com", "b.com"]) } : {}),
        ...(random(3) === 0 ? { port: pick(random, [80, 8080]) } : {}),
        ...(random(3) === 0 ? { path: random(2) === 0 ? { kind: "replace", value: pick(random, ["/a", "/x?q", "/a/b"]) } : { kind: "prefix", length: prefix, value: pick(random, ["/", "/a", "/b"]) } } : {}),
        ...(random(6) === 0 ? { stripQuery: true } : {}),
        ...(random(6) === 0 ? { keepPort: true } : {}),
      };
    case 1:
      return { type: "respond", status: pick(random, [200, 404]), body: "" };
    case 2:
      return { type: "forward", destinations: [backend(random), backend(random)] };
    case 3:
      return { type: "forward", destinations: [backend(random)], rewritePath: random(2) === 0 ? { kind: "replace", value: pick(random, ["/a", "/b"]) } : { kind: "prefix", length: prefix, value: pick(random, ["/", "/a", "/b", "/ab"]) } };
    case 4:
      return { type: "forward", destinations: [backend(random)], ...(random(2) === 0 ? { timeout: 1000 } : {}), ...(random(2) === 0 ? { cors: cors(random) } : {}) };
    default:
      return { type: "forward", destinations: [{ host: pick(random, hosts), port: 80, weight: 1 }] };
  }
}

/** A rule. */
export function rule(random: Random, coupled = false): Rule {
  const when = condition(random, coupled);
  const prefix = when.path?.kind === "prefix" || when.path?.kind === "separated-prefix" ? when.path.value.length : 1;
  return { when, action: action(random, prefix), origin: { object: "r", path: String(random(1_000_000)) } };
}

function rules(random: Random, most: number, coupled = false): readonly Rule[] {
  return Array.from({ length: random(most + 1) }, () => rule(random, coupled));
}

/** A table with what its reading rests on. */
export function table(random: Random, options: { readonly most?: number; readonly coupled?: boolean; readonly normalization?: PathNormalization } = {}): HttpTable {
  const chosen = [...new Set(Array.from({ length: 1 + random(3) }, () => pick(random, domains)))];
  const virtualHosts = chosen.map((domain): VirtualHost => ({ domains: [domain], rules: rules(random, options.most ?? 6, options.coupled) }));
  return {
    type: "http",
    reading: { headerLines: pick(random, ["each", "each", "joined"]), regexText: pick(random, ["bytes", "bytes", "utf-8"]) },
    pathNormalization: options.normalization ?? pick(random, ["none", "base", "base", "merge-slashes", "decode-and-merge-slashes"]),
    ignorePort: true,
    scheme: random(3) === 0 ? { from: "x-forwarded-proto", default: "http" } : { from: "connection", default: pick(random, ["http", "https"]) },
    virtualHosts,
    otherwise: { type: "notFound" },
  };
}

export function listenerOf(http: HttpTable): Listener {
  return { chains: [{ when: {}, then: http, origin: { object: "g", path: "" } }], otherwise: { type: "close" } };
}

/** A table made from another by small edits, some of which keep its meaning. */
export function edited(random: Random, from: HttpTable, edits: number): HttpTable {
  let virtualHosts = from.virtualHosts;
  let { reading, scheme } = from;
  for (let count = 0; count < edits; count++) {
    const at = random(virtualHosts.length);
    virtualHosts = virtualHosts.map((host, index) => (index === at ? { ...host, rules: editedRules(random, host.rules) } : host));
    if (random(12) === 0) reading = { ...reading, headerLines: reading.headerLines === "each" ? "joined" : "each" };
    if (random(12) === 0) reading = { ...reading, regexText: reading.regexText === "bytes" ? "utf-8" : "bytes" };
    if (random(20) === 0) scheme = { from: "connection", default: "http" };
    if (random(20) === 0) virtualHosts = [...virtualHosts, { domains: ["new.com"], rules: [] }];
  }
  return { ...from, reading, scheme, virtualHosts };
}

function editedRules(random: Random, list: readonly Rule[]): readonly Rule[] {
  const at = random(list.length + 1);
  const [one, next] = [list[at], list[at + 1]];
  const [before, after] = [list.slice(0, at), list.slice(at + 1)];
  if (one === undefined) return random(2) === 0 ? [...list, rule(random)] : list;
  switch (random(9)) {
    case 0: // remove
      return [...before, ...after];
    case 1: // repeat: shadowed
      return [...before, one, one, ...after];
    case 2: // swap
      return next === undefined ? list : [...before, next, one, ...after.slice(1)];
    case 3: // another action
      return [...before, { ...one, action: action(random) }, ...after];
    case 4: // a shadowed rule, later
      return [...list, { ...one, action: action(random) }];
    case 5: // split an exact value from what takes it anyway
      return [...before, { ...one, when: { ...one.when, path: { kind: "exact", value: pick(random, paths) } } }, one, ...after];
    case 6: // the same language, another text
      return [...before, { ...one, when: respelled(one.when) }, ...after];
    case 7: // weights
      return [...before, { ...one, action: scaled(one.action) }, ...after];
    default:
      return [...before, rule(random), one, ...after];
  }
}

function respelled(when: Condition): Condition {
  const { path } = when;
  if (path === undefined) return { ...when, path: { kind: "regex", pattern: ".*" } };
  if (path.kind === "exact" && path.ignoreCase !== true) return { ...when, path: { kind: "regex", pattern: `\\Q${path.value}\\E` } };
  if (path.kind === "prefix" && path.ignoreCase !== true) return { ...when, path: { kind: "regex", pattern: `\\Q${path.value}\\E.*` } };
  return path.kind === "regex" ? { ...when, path: { kind: "regex", pattern: `(?:${path.pattern})` } } : when;
}

function scaled(from: Action): Action {
  return from.type === "forward" ? { ...from, destinations: from.destinations.map((share) => ({ ...share, weight: share.weight * 3 })) } : from;
}

/** A request aimed at the boundaries of the tables above. */
export function request(random: Random): Request {
  const headers: [string, string][] = [];
  for (const name of ["x", "y", "z", "origin", "x-forwarded-proto", "access-control-request-method"]) {
    for (let lines = pick(random, [0, 0, 1, 1, 2]); lines > 0; lines--) {
      if (name === "x-forwarded-proto") headers.push([name, pick(random, ["http", "https", "HTTPS", "a"])]);
      else if (name === "origin") headers.push([name, pick(random, ["http://a", "http://b", "a", "b"])]);
      else headers.push([name, pick(random, [...values, "\udcff", "aé", "c", "ba"])]);
    }
  }
  const query = pick(random, ["", "", "", "?", "?q", "?q=", "?q=a", "?q=b&q=a", "?p=a&q=ab", "?q=a,b", "?Q=a", "?q=%61"]);
  const claims = pick(random, [{}, {}, { c: "a" }, { c: ["a", "b"] }, { c: { d: "b" } }, { e: "ab", c: "" }]);
  return {
    method: pick(random, ["GET", "GET", "POST", "get", "OPTIONS"]),
    scheme: "http",
    authority: pick(random, ["a.com", "a.com", "A.com", "a.com:80", "a.com:8080", "b.com", "x.b.com", "y.b.com", "c.org", "a.org", "z.com:443", "new.com"]),
    path: pick(random, [...paths, "/c", "/ac", "/a/c", "/b/b", "/aab", "/ba", "/a/b/c", "/aaa", "/B", "/a//b", "/a%2Fb", "/a/./b", "/%2e%2e/a", "/%4%31"]) + query,
    headers,
    claims,
  };
}
