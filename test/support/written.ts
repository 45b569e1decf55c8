import type { Action, Backend, Condition, Destination, HeaderOperation, HttpTable, Mirror, PathMatch, Rule } from "#routes";
import type { Random } from "./tables.ts";

/**
 * Tables in the words of no language, and the same written out as VirtualServices, HTTPRoutes and configurations of Envoy.
 *
 * @module
 */

type Plain = Readonly<Record<string, unknown>>;

const HOST = "s.com";
const SERVICES = ["x", "y", "z"];
const RETRIED = ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"];

/** What istiod has tried again where nobody says otherwise. */
const retries = { attempts: 2, on: RETRIED, otherHosts: true };

const pick = <T>(random: Random, list: readonly T[]): T => {
  const item = list[random(list.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
};

const isBackend = (share: Destination): share is Backend => !("invalid" in share);

function backend(host: string, weight: number, more: Partial<Backend> = {}): Backend {
  return { host: `${host}.a.svc.cluster.local`, port: 80, weight, ...more };
}

/** Whether HTTPRoutes can say a rule. */
function isOfApi({ when: { path, headers = [], query = [] }, action }: Rule): boolean {
  const isPath = path === undefined || path.kind === "separated-prefix" || (path.kind === "exact" && path.ignoreCase !== true);
  const isAction = action.type === "redirect" || (action.type === "forward" && action.rewritePath?.kind !== "regex");
  return isPath && isAction && [...headers, ...query].every(({ match }) => match.kind === "exact");
}

/** How early HTTPRoutes try a rule: larger first, part by part. */
function rankOf({ when: { path, headers = [], query = [] } }: Rule): readonly number[] {
  const kind = path?.kind === "exact" ? 3 : 2, length = path === undefined || path.kind === "regex" ? 1 : path.value.length;
  const methods = headers.filter(({ name }) => name === ":method").length;
  return [kind, length, methods, headers.length - methods, query.length];
}

function byRank(a: Rule, b: Rule): number {
  const [one, other] = [rankOf(a), rankOf(b)];
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return (other[index] ?? 0) - (one[index] ?? 0);
  return 0;
}

function pathOf(random: Random, api: boolean): PathMatch | undefined {
  const value = pick(random, ["/a", "/b", "/a/b", "/ab", "/a/c", "/c"]);
  switch (random(api ? 5 : 8)) {
    case 0: return undefined;
    case 1: case 2: return { kind: "exact", value };
    case 3: case 4: return { kind: "separated-prefix", value };
    case 5: return { kind: "prefix", value };
    case 6: return { kind: "exact", value, ignoreCase: true };
    default: return { kind: "regex", pattern: pick(random, ["/a/.*", "/(a|b)", "/[ab]+", "/b.?"]) };
  }
}

function conditionOf(random: Random, api: boolean): Condition {
  const path = pathOf(random, api);
  const value = () => pick(random, ["1", "2"]);
  const headers = [
    ...(random(4) === 0 ? [{ name: ":method", match: { kind: "exact" as const, value: pick(random, ["GET", "POST"]) } }] : []),
    ...(random(3) === 0 ? [{ name: pick(random, ["h", "i"]), match: api || random(2) === 0 ? { kind: "exact" as const, value: value() } : pick(random, [{ kind: "any" as const }, { kind: "prefix" as const, value: value() }, { kind: "regex" as const, pattern: "1|2+" }]) }] : []),
  ];
  const query = random(6) === 0 ? [{ name: "q", match: api || random(2) === 0 ? { kind: "exact" as const, value: value() } : { kind: "any" as const } }] : [];
  return { ...(path === undefined ? {} : { path }), ...(headers.length === 0 ? {} : { headers }), ...(query.length === 0 ? {} : { query }) };
}

/** Operations of one pass: removals first, then sets, then additions, each name once. */
function operationsOf(random: Random): readonly HeaderOperation[] {
  return [
    ...(random(3) === 0 ? [{ op: "remove" as const, name: "r" }] : []),
    ...(random(2) === 0 ? [{ op: "set" as const, name: "s", value: pick(random, ["1", "2"]) }] : []),
    ...(random(3) === 0 ? [{ op: "add" as const, name: "t", value: "1" }] : []),
  ];
}

function actionOf(random: Random, path: PathMatch | undefined): Action {
  const full = () => ({ kind: "replace" as const, value: pick(random, ["/n", "/n/m"]) });
  if (random(6) === 0) return { type: "redirect", status: pick(random, [301, 302]), ...(random(2) === 0 ? { authority: pick(random, ["b.com", "c.com"]) } : {}), ...(random(2) === 0 ? { path: full() } : {}) };
  const request = random(4) === 0 ? operationsOf(random) : [], response = random(6) === 0 ? operationsOf(random) : [];
  const more = { ...(request.length === 0 ? {} : { request }), ...(response.length === 0 ? {} : { response }), ...(random(8) === 0 ? { authority: "b.com" } : {}) };
  const [one, other] = random(2) === 0 ? ["x", "y"] : ["z", "x"];
  const destinations = random(4) === 0 ? [backend(one, 1 + random(3), more), backend(other, 1 + random(3), more)] : [backend(pick(random, SERVICES), 1, more)];
  const prefix = path?.kind === "separated-prefix" ? { kind: "prefix" as const, length: path.value.length, value: pick(random, ["/n", "/n/m"]) } : undefined;
  const rewritePath = random(4) === 0 ? full() : random(3) === 0 ? prefix : undefined;
  const mirrors: readonly Mirror[] = random(8) === 0 ? [{ host: "z.a.svc.cluster.local", port: 80, share: pick(random, [1_000_000, 250_000]) }] : [];
  return {
    type: "forward", destinations, retries,
    ...(rewritePath === undefined ? {} : { rewritePath }), ...(random(4) === 0 ? { timeout: 1000 * (1 + random(2)) } : {}), ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(random(8) === 0 ? { cors: { origins: [{ kind: "exact" as const, value: pick(random, ["http://o.com", "http://p.com"]) }], methods: ["GET"], maxAge: 5, answerUnmatched: true } } : {}),
  };
}

/** A table for the host `s.com`; with `api` one that HTTPRoutes can say, its rules in the order in which those are tried. */
export function neutralRules(random: Random, api: boolean): readonly Rule[] {
  const rules = Array.from({ length: 1 + random(6) }, (_, index): Rule => {
    const when = conditionOf(random, api);
    return { when, action: actionOf(random, when.path), origin: { object: "neutral", path: String(index) } };
  });
  return api ? rules.toSorted(byRank) : rules;
}

/** One rule leads elsewhere, answers otherwise, or asks for something else. Whether some request shows it is another question. */
export function mutated(rules: readonly Rule[], random: Random, api: boolean): readonly Rule[] {
  const at = random(rules.length);
  const out = rules.flatMap((rule, index): readonly Rule[] => {
    if (index !== at) return [rule];
    switch (random(3)) {
      case 0: return [];
      case 1: return [{ ...rule, when: conditionLike(rule, random, api) }];
      default: return [{ ...rule, action: actionOf(random, rule.when.path) }];
    }
  });
  return api ? out.toSorted(byRank) : out;
}

/** Another condition under which the action still can be said: a rewritten prefix needs its prefix. */
function conditionLike({ when, action }: Rule, random: Random, api: boolean): Condition {
  const { path: _, ...other } = conditionOf(random, api);
  const isBound = action.type === "forward" && action.rewritePath?.kind === "prefix";
  const path = isBound ? when.path : pathOf(random, api);
  return { ...other, ...(path === undefined ? {} : { path }) };
}

/** The table itself, as a gateway of Istio on port 80 serves it. */
export function neutralTable(rules: readonly Rule[]): HttpTable {
  return {
    type: "http", reading: { headerLines: "each", regexText: "bytes" }, pathNormalization: "base", ignorePort: true, scheme: { from: "connection", default: "http" }, overwritten: { "x-forwarded-proto": "http" },
    virtualHosts: [{ domains: [HOST], rules }], otherwise: { type: "notFound" },
  };
}

const made = { namespace: "a", creationTimestamp: "2026-01-01T00:00:00Z" };
const services: readonly Plain[] = SERVICES.map((name, index) => ({ apiVersion: "v1", kind: "Service", metadata: { name, ...made }, spec: { clusterIP: `10.0.0.${index + 1}`, ports: [{ name: "http", port: 80 }] } }));
const nameOf = (host: string): string => host.split(".")[0] ?? "";

function written(match: PathMatch | { readonly kind: string; readonly value?: string; readonly pattern?: string }): Plain {
  return "pattern" in match ? { regex: match.pattern } : match.kind === "any" ? {} : { [match.kind]: (match as { readonly value?: string }).value };
}

function operationsIn(operations: readonly HeaderOperation[] | undefined): Plain | undefined {
  if (operations === undefined) return undefined;
  const of = (op: "set" | "add"): Plain => Object.fromEntries(operations.flatMap((one) => (one.op === op ? [[one.name, one.value]] : [])));
  return { set: of("set"), add: of("add"), remove: operations.flatMap((one) => (one.op === "remove" ? [one.name] : [])) };
}

/** As Gateway and VirtualService. */
export function asVirtualServices(rules: readonly Rule[]): readonly Plain[] {
  const gateway = { apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata: { name: "g", ...made }, spec: { selector: { istio: "ingress" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*/*"] }] } };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "i", ...made, labels: { istio: "ingress" } }, spec: { containers: [{ name: "istio-proxy", args: ["proxy", "router"] }] }, status: { phase: "Running" } };
  return [...services, pod, gateway, { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name: "v", ...made }, spec: { hosts: [HOST], gateways: ["g"], http: rules.flatMap(virtualRules) } }];
}

/** A prefix of segments is a path and a prefix with a slash; rewritten, they are two rules. */
function virtualRules({ when, action }: Rule): readonly Plain[] {
  const { path } = when;
  if (path?.kind !== "separated-prefix") return [{ match: [matchOf(when, path)], ...virtualAction(action) }];
  const own: PathMatch = { kind: "exact", value: path.value }, below: PathMatch = { kind: "prefix", value: `${path.value}/` };
  if (action.type !== "forward" || action.rewritePath?.kind !== "prefix") return [{ match: [matchOf(when, own), matchOf(when, below)], ...virtualAction(action) }];
  const to = action.rewritePath.value;
  return [{ match: [matchOf(when, own)], ...virtualAction(action, to) }, { match: [matchOf(when, below)], ...virtualAction(action, `${to}/`) }];
}

function matchOf({ headers = [], query = [] }: Condition, path: PathMatch | undefined): Plain {
  const named = headers.filter(({ name }) => name !== ":method"), [method] = headers.filter(({ name }) => name === ":method");
  return {
    ...(path === undefined ? {} : { uri: written(path), ...(path.kind === "exact" && path.ignoreCase === true ? { ignoreUriCase: true } : {}) }),
    ...(method === undefined ? {} : { method: written(method.match) }),
    ...(named.length === 0 ? {} : { headers: Object.fromEntries(named.map(({ name, match }) => [name, written(match)])) }),
    ...(query.length === 0 ? {} : { queryParams: Object.fromEntries(query.map(({ name, match }) => [name, written(match)])) }),
  };
}

function virtualAction(action: Action, rewrite = action.type === "forward" && action.rewritePath?.kind === "replace" ? action.rewritePath.value : undefined): Plain {
  if (action.type === "redirect") return { redirect: { redirectCode: action.status, ...(action.authority === undefined ? {} : { authority: action.authority }), ...(action.path?.kind === "replace" ? { uri: action.path.value } : {}) } };
  if (action.type !== "forward") throw new TypeError(action.type);
  const shares = action.destinations.filter(isBackend);
  const [first] = shares;
  const request = operationsIn(first?.request), response = operationsIn(first?.response);
  const isWhole = rewrite !== undefined && action.rewritePath?.kind === "replace";
  const [mirror] = action.mirrors ?? [];
  const [cors] = action.cors === undefined ? [] : [action.cors];
  return {
    route: shares.map(({ host, weight }) => ({ destination: { host, port: { number: 80 } }, weight })),
    ...(request === undefined && response === undefined ? {} : { headers: { ...(request === undefined ? {} : { request }), ...(response === undefined ? {} : { response }) } }),
    ...(rewrite === undefined && first?.authority === undefined ? {} : { rewrite: { ...(rewrite === undefined ? {} : isWhole ? { uriRegexRewrite: { match: "/.*", rewrite } } : { uri: rewrite }), ...(first?.authority === undefined ? {} : { authority: first.authority }) } }),
    ...(action.timeout === undefined ? {} : { timeout: `${action.timeout}ms` }),
    ...(mirror === undefined ? {} : { mirrors: [{ destination: { host: mirror.host, port: { number: 80 } }, percentage: { value: mirror.share / 10_000 } }] }),
    ...(cors === undefined ? {} : { corsPolicy: { allowOrigins: cors.origins.map(written), allowMethods: cors.methods, maxAge: `${cors.maxAge ?? 0}s`, unmatchedPreflights: "IGNORE" } }),
  };
}

/** As Gateway and HTTPRoute, its rules the other way round where their form decides the order; undefined where they cannot say a rule, or not in this order. */
export function asHttpRoutes(rules: readonly Rule[]): readonly Plain[] | undefined {
  if (!rules.every((rule, index) => isOfApi(rule) && byRank(rules[index - 1] ?? rule, rule) <= 0)) return undefined;
  const api = (kind: string, name: string, spec: Plain): Plain => ({ apiVersion: "gateway.networking.k8s.io/v1", kind, metadata: { name, ...made }, spec });
  const groups = Map.groupBy(rules, (rule) => rankOf(rule).join());
  const turned = [...groups.values()].toReversed().flat();
  return [...services, api("Gateway", "g", { gatewayClassName: "istio", listeners: [{ name: "web", port: 80, protocol: "HTTP" }] }), api("HTTPRoute", "r", { parentRefs: [{ name: "g" }], hostnames: [HOST], rules: turned.map(apiRule) })];
}

function apiRule({ when: { path, headers = [], query = [] }, action }: Rule): Plain {
  const named = headers.filter(({ name }) => name !== ":method"), [method] = headers.filter(({ name }) => name === ":method");
  const tests = (list: readonly { readonly name: string; readonly match: { readonly kind: string; readonly value?: string } }[]) => list.map(({ name, match }) => ({ name, value: match.value }));
  const plain = (value: unknown) => value as readonly { readonly name: string; readonly match: { readonly kind: string; readonly value?: string } }[];
  const match = {
    path: path === undefined || path.kind === "regex" ? { type: "PathPrefix", value: "/" } : { type: path.kind === "exact" ? "Exact" : "PathPrefix", value: path.value },
    ...(method === undefined ? {} : { method: tests(plain([method]))[0]?.value }),
    ...(named.length === 0 ? {} : { headers: tests(plain(named)) }), ...(query.length === 0 ? {} : { queryParams: tests(plain(query)) }),
  };
  return { matches: [match], ...apiAction(action) };
}

function apiAction(action: Action): Plain {
  if (action.type === "redirect") return { filters: [{ type: "RequestRedirect", requestRedirect: { statusCode: action.status, ...(action.authority === undefined ? {} : { hostname: action.authority }), ...(action.path?.kind === "replace" ? { path: { type: "ReplaceFullPath", replaceFullPath: action.path.value } } : {}) } }] };
  if (action.type !== "forward") throw new TypeError(action.type);
  const shares = action.destinations.filter(isBackend);
  const [first] = shares, [mirror] = action.mirrors ?? [];
  const list = (record: unknown) => Object.entries(record as Readonly<Record<string, string>>).map(([name, value]) => ({ name, value }));
  const modifier = (operations: readonly HeaderOperation[] | undefined) => {
    const found = operationsIn(operations);
    return found === undefined ? undefined : { set: list(found["set"]), add: list(found["add"]), remove: found["remove"] };
  };
  const request = modifier(first?.request), response = modifier(first?.response);
  const { rewritePath, cors } = action;
  const path = rewritePath === undefined || rewritePath.kind === "regex" ? undefined : rewritePath.kind === "replace" ? { type: "ReplaceFullPath", replaceFullPath: rewritePath.value } : { type: "ReplacePrefixMatch", replacePrefixMatch: rewritePath.value };
  const filters: readonly Plain[] = [
    ...(request === undefined ? [] : [{ type: "RequestHeaderModifier", requestHeaderModifier: request }]),
    ...(response === undefined ? [] : [{ type: "ResponseHeaderModifier", responseHeaderModifier: response }]),
    ...(path === undefined && first?.authority === undefined ? [] : [{ type: "URLRewrite", urlRewrite: { ...(path === undefined ? {} : { path }), ...(first?.authority === undefined ? {} : { hostname: first.authority }) } }]),
    ...(mirror === undefined ? [] : [{ type: "RequestMirror", requestMirror: { backendRef: { name: nameOf(mirror.host), port: 80 }, fraction: { numerator: mirror.share, denominator: 1_000_000 } } }]),
    ...(cors === undefined ? [] : [{ type: "CORS", cors: { allowOrigins: cors.origins.map((origin) => ("value" in origin ? origin.value : "")), allowMethods: cors.methods, maxAge: cors.maxAge } }]),
  ];
  return { ...(filters.length === 0 ? {} : { filters }), ...(action.timeout === undefined ? {} : { timeouts: { request: `${action.timeout}ms` } }), backendRefs: shares.map(({ host, weight }) => ({ name: nameOf(host), port: 80, weight })) };
}

const any = (type: string): string => `type.googleapis.com/envoy.${type}`;
const cluster = (host: string): string => `outbound|80||${host}`;

/** As what an Envoy has loaded: a listener, its clusters, its routes. */
export function asEnvoy(rules: readonly Rule[]): readonly Plain[] {
  const filters = ["cors.v3.Cors", "router.v3.Router"].map((type) => ({ name: `envoy.filters.http.${type.split(".")[0] ?? ""}`, typed_config: { "@type": any(`extensions.filters.http.${type}`) } }));
  const manager = {
    "@type": any("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"), stat_prefix: "s", normalize_path: true, use_remote_address: true, http_filters: filters,
    route_config: { name: "r", ignore_port_in_host_matching: true, virtual_hosts: [{ name: "h", domains: [HOST], routes: rules.map(envoyRoute) }] },
  };
  const listener = { name: "l", address: { socket_address: { address: "0.0.0.0", port_value: 80 } }, filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }] };
  return [listener, ...SERVICES.map((name) => ({ name: cluster(`${name}.a.svc.cluster.local`), type: "EDS", lb_policy: "LEAST_REQUEST", connect_timeout: "1s" }))];
}

function envoyRoute({ when: { path, headers = [], query = [] }, action }: Rule): Plain {
  const test = (match: { readonly kind: string; readonly value?: string; readonly pattern?: string }): Plain => (match.kind === "any" ? { present_match: true } : { string_match: match.kind === "regex" ? { safe_regex: { regex: match.pattern } } : { [match.kind]: match.value } });
  const form = path === undefined ? { prefix: "/" } : path.kind === "regex" ? { safe_regex: { regex: path.pattern } } : { [path.kind === "exact" ? "path" : path.kind === "separated-prefix" ? "path_separated_prefix" : "prefix"]: path.value, ...(path.ignoreCase === true ? { case_sensitive: false } : {}) };
  const match = { ...form, ...(headers.length === 0 ? {} : { headers: headers.map((one) => ({ name: one.name, ...test(one.match) })) }), ...(query.length === 0 ? {} : { query_parameters: query.map((one) => ({ name: one.name, ...test(one.match) })) }) };
  if (action.type === "redirect") {
    return { match, redirect: { response_code: action.status === 302 ? "FOUND" : "MOVED_PERMANENTLY", ...(action.authority === undefined ? {} : { host_redirect: action.authority }), ...(action.path?.kind === "replace" ? { path_redirect: action.path.value } : {}) } };
  }
  if (action.type !== "forward") throw new TypeError(action.type);
  const shares = action.destinations.filter(isBackend);
  const [first] = shares, [mirror] = action.mirrors ?? [];
  const { rewritePath, cors } = action;
  const adding = (operations: readonly HeaderOperation[] = []) => operations.flatMap((one) => (one.op === "remove" ? [] : [{ header: { key: one.name, value: one.value }, append_action: one.op === "set" ? "OVERWRITE_IF_EXISTS_OR_ADD" : "APPEND_IF_EXISTS_OR_ADD" }]));
  const removing = (operations: readonly HeaderOperation[] = []) => operations.flatMap((one) => (one.op === "remove" ? [one.name] : []));
  return {
    match,
    route: {
      ...(shares.length === 1 ? { cluster: cluster(first?.host ?? "") } : { weighted_clusters: { clusters: shares.map(({ host, weight }) => ({ name: cluster(host), weight })) } }),
      timeout: `${(action.timeout ?? 0) / 1000}s`,
      retry_policy: { retry_on: RETRIED.join(), num_retries: 2, retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts" }], host_selection_retry_max_attempts: "5" },
      ...(rewritePath === undefined ? {} : rewritePath.kind === "prefix" ? { prefix_rewrite: rewritePath.value } : { regex_rewrite: { pattern: { regex: "/.*" }, substitution: rewritePath.kind === "replace" ? rewritePath.value : "" } }),
      ...(first?.authority === undefined ? {} : { host_rewrite_literal: first.authority }),
      ...(mirror === undefined ? {} : { request_mirror_policies: [{ cluster: cluster(mirror.host), disable_shadow_host_suffix_append: true, runtime_fraction: { default_value: { numerator: mirror.share, denominator: "MILLION" } } }] }),
    },
    request_headers_to_add: adding(first?.request), request_headers_to_remove: removing(first?.request), response_headers_to_add: adding(first?.response), response_headers_to_remove: removing(first?.response),
    ...(cors === undefined ? {} : { typed_per_filter_config: { "envoy.filters.http.cors": { "@type": any("extensions.filters.http.cors.v3.CorsPolicy"), allow_origin_string_match: cors.origins.map((origin) => ("value" in origin ? { exact: origin.value } : {})), allow_methods: cors.methods?.join(), max_age: String(cors.maxAge ?? 0), forward_not_matching_preflights: false } } }),
  };
}
