import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envoyWorld, type Request, Resolver } from "#routes";
import { type JsonObject } from "../../../routes/dialects/istio/json.ts";
import { type Answered, type DataPlane, type Observed, serve } from "../../oracles/envoy/serve.ts";
import type { Generated } from "../../oracles/istiod.ts";
import { findAll } from "../../parts/cache.ts";
import { contradiction } from "./agreement.ts";

/** A connection manager with its routes, and requests at the boundaries of what it says. */
interface Row {
  readonly name: string;
  /** Of the only virtual host, or all of its table. */
  readonly routes?: readonly JsonObject[];
  readonly host?: JsonObject;
  readonly table?: JsonObject;
  readonly manager?: JsonObject;
  readonly requests: readonly (Partial<Request> | string)[];
  /** What one exchange does not show of a route is configured elsewhere. */
  readonly isInherited?: true;
  /** The connection is told the port of the listener, as the port that it was for. */
  readonly isTold?: true;
}

const A = "outbound|80||a.test", B = "outbound|8080|v2|b.test";
const to = (cluster: string, more: JsonObject = {}): JsonObject => ({ route: { cluster, timeout: "0s", ...more } });
const when = (match: JsonObject, then: JsonObject = to(A)): JsonObject => ({ match, ...then });
const header = (test: JsonObject): JsonObject => when({ prefix: "/", headers: [{ name: "X", ...test }] });
const set = (name: string, value: string): JsonObject => ({ header: { key: name, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" });
const add = (name: string, value: string): JsonObject => ({ header: { key: name, value } });
const x = (...values: readonly string[]): Partial<Request> => ({ headers: values.map((value) => ["x", value] as const) });
const values = [{}, x(""), x("v"), x("V"), x("vw"), x("wv"), x("a-v-b"), x("v", "q"), x("q", "v"), x("w")];
const numbers = [{}, x(""), ...["0", "1", "9", "10", "11", "19", "20", "99", "100", "149", "150", "-1", "-5", "-6", "+12", "007", "-0", "+0", "1.0", "0x1", "x", "12a", "1e2", "99999999999999999999"].map((value) => x(value))];
const origins = ["http://o.com", "http://p.com"].flatMap((origin): Partial<Request>[] => [{ headers: [["origin", origin]] }, { method: "OPTIONS", headers: [["origin", origin], ["access-control-request-method", "GET"]] }]);
const cors = (more: JsonObject): JsonObject => ({ "envoy.filters.http.cors": { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy", ...more } });
const fault = (status: number): JsonObject => ({ "envoy.filters.http.fault": { "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault", abort: { http_status: status, percentage: { numerator: 100 } } } });
const levels = (name: string): JsonObject => ({ request_headers_to_add: [set("x", `${name}-set`), add("y", `${name}-add`)], request_headers_to_remove: [`z-${name}`], response_headers_to_add: [set("r", name), add("s", name)] });

const rows: readonly Row[] = [
  { name: "path", routes: [when({ path: "/a" })], requests: ["/a", "/a/", "/A", "/a?x=1", "/ab", "/"] },
  { name: "path without case", routes: [when({ path: "/a", case_sensitive: false })], requests: ["/A", "/a", "/aa"] },
  { name: "prefix", routes: [when({ prefix: "/a" })], requests: ["/a", "/ab", "/A", "/b"] },
  { name: "prefix without case", routes: [when({ prefix: "/aB", case_sensitive: false })], requests: ["/AB", "/abc", "/ac"] },
  { name: "safe_regex", routes: [when({ safe_regex: { regex: "/a|/b[0-9]" } })], requests: ["/a", "/ax", "/b1", "/b", "/b1?q"] },
  { name: "safe_regex without case: case counts", routes: [when({ safe_regex: { regex: "/a" }, case_sensitive: false })], requests: ["/a", "/A"] },
  { name: "path_separated_prefix", routes: [when({ path_separated_prefix: "/a/b" })], requests: ["/a/b", "/a/b/", "/a/b/c", "/a/bc", "/a/b?x", "/A/b"] },
  { name: "path_separated_prefix without case", routes: [when({ path_separated_prefix: "/a/b", case_sensitive: false })], requests: ["/A/B", "/A/B/c", "/a/bc"] },
  ...["/a/{name}/z", "/a/*/z", "/a/**", "/{x}/{y=**}", "/a.b/*"].map((template): Row => ({
    name: `path template ${template}`,
    routes: [when({ path_match_policy: { name: "envoy.path.match.uri_template.uri_template_matcher", typed_config: { "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", path_template: template } } })],
    requests: ["/a/b/z", "/a//z", "/a/b/c/z", "/a", "/a/", "/a/b", "/a/b/c", "/axb/z", "/a.b/c", "/a*b/z", "/a/b*c/z", "/a/%41/z", "/a/b;c/z", "/a/b'c/z", "/a/b|c/z", "/a/[b]/z", "/a/b\"c/z"],
  })),
  { name: "connect_matcher: no request but CONNECT", routes: [when({ connect_matcher: {} }), when({ prefix: "/a" }, to(B))], requests: ["/a", "/b"] },
  { name: "no share of the requests, and all of them", routes: [when({ prefix: "/", runtime_fraction: { default_value: { numerator: 0 } } }, to(B)), when({ prefix: "/", runtime_fraction: { default_value: { numerator: 10_000, denominator: "TEN_THOUSAND" } } })], requests: ["/"] },
  { name: "header presence", routes: [header({ present_match: true })], requests: values },
  { name: "header absence", routes: [header({ present_match: false })], requests: values },
  { name: "header presence, inverted", routes: [header({ present_match: true, invert_match: true })], requests: values },
  { name: "header absence, inverted", routes: [header({ present_match: false, invert_match: true })], requests: values },
  { name: "a header matcher without a test", routes: [header({})], requests: values },
  { name: "a header matcher without a test, inverted", routes: [header({ invert_match: true })], requests: values },
  ...[{ exact: "v" }, { exact: "" }, { prefix: "v" }, { suffix: "v" }, { contains: "v" }, { safe_regex: { regex: "v.*|w" } }, { exact: "v", ignore_case: true }, { contains: "V", ignore_case: true }].flatMap((test): Row[] => [
    { name: `header ${JSON.stringify(test)}`, routes: [header({ string_match: test })], requests: values },
    { name: `header ${JSON.stringify(test)}, inverted`, routes: [header({ string_match: test, invert_match: true })], requests: values },
    { name: `header ${JSON.stringify(test)}, missing as empty`, routes: [header({ string_match: test, treat_missing_header_as_empty: true })], requests: values },
    { name: `header ${JSON.stringify(test)}, inverted, missing as empty`, routes: [header({ string_match: test, invert_match: true, treat_missing_header_as_empty: true })], requests: values },
  ]),
  ...[{ exact_match: "v" }, { exact_match: "" }, { prefix_match: "v" }, { suffix_match: "v" }, { contains_match: "v" }, { safe_regex_match: { regex: "v+" } }].flatMap((test): Row[] => [
    { name: `old header matcher ${JSON.stringify(test)}`, routes: [header(test)], requests: values },
    { name: `old header matcher ${JSON.stringify(test)}, inverted`, routes: [header({ ...test, invert_match: true })], requests: values },
  ]),
  ...[[0, 10], [1, 150], [-5, 20], [10, 100], [-1, 0], [5, 5], [99, 1000]].flatMap(([start = 0, end = 0]): Row[] => [
    { name: `header range from ${start} to ${end}`, routes: [header({ range_match: { start: String(start), end: String(end) } })], requests: numbers },
    { name: `header range from ${start} to ${end}, inverted`, routes: [header({ range_match: { start, end }, invert_match: true })], requests: numbers },
  ]),
  { name: "pseudo-headers", routes: [when({ prefix: "/", headers: [{ name: ":method", string_match: { exact: "POST" } }, { name: ":path", string_match: { suffix: "=1" } }, { name: ":authority", string_match: { prefix: "A." } }] })], requests: [{ method: "POST", path: "/a?x=1", authority: "A.test" }, { method: "POST", path: "/a?x=1" }, { method: "POST", path: "/a", authority: "A.test" }] },
  ...[{ present_match: true }, { present_match: false }, {}, { exact_match: "" }].flatMap((test): Row[] => [false, true].map((invert_match) => ({ name: `header ${JSON.stringify(test)}${invert_match ? ", inverted" : ""}, missing as empty`, routes: [header({ ...test, invert_match, treat_missing_header_as_empty: true })], requests: values }))),
  ...[[0, 10], [-5, 20]].flatMap(([start = 0, end = 0]): Row[] => [false, true].map((invert_match) => ({ name: `header range from ${start} to ${end}${invert_match ? ", inverted" : ""}, missing as empty`, routes: [header({ range_match: { start, end }, invert_match, treat_missing_header_as_empty: true })], requests: numbers }))),
  ...["user-agent", "accept", "authorization", "x-forwarded-for", "x-request-id", "content-type", "cookie", "via", "origin", "accept-encoding", "cache-control"].flatMap((name): Row[] => [{ exact: "v" }, { exact: "v,q" }, { exact: "v; q" }, { contains: "q" }].map((test) => ({ name: `several lines of ${name}, ${JSON.stringify(test)}`, routes: [when({ prefix: "/", headers: [{ name, string_match: test }] })], requests: [["v"], ["v", "q"], ["q", "v"], ["v,q"], ["v; q"]].map((lines) => ({ headers: lines.map((line) => [name, line] as const) })) }))),
  { name: "domains in upper case", table: { virtual_hosts: [{ name: "a", domains: ["A.Test", "*.B.Test"], routes: [when({ prefix: "/" })] }] }, requests: ["a.test", "A.TEST", "x.b.test", "b.test"].map((authority) => ({ authority })) },
  { name: "host as the name of a header", routes: [when({ prefix: "/", headers: [{ name: "Host", string_match: { prefix: "A." } }] })], requests: [{ authority: "A.test" }, {}] },
  { name: "a rewrite of a prefix of what a template matches is refused", routes: [when({ path_match_policy: { name: "envoy.path.match.uri_template.uri_template_matcher", typed_config: { "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", path_template: "/a/{x}.b" } } }, to(A, { prefix_rewrite: "/z" }))], requests: ["/a/c.b"] },
  { name: "an empty prefix", routes: [when({ prefix: "" }, to(A, { prefix_rewrite: "/z" }))], requests: ["/", "/a?q"] },
  { name: "grpc", routes: [when({ prefix: "/", grpc: {} })], requests: [{}, ...["application/grpc", "application/grpc+proto", "application/grpc-web", "application/grpcx", "application/json", "application/grpc;x"].map((type): Partial<Request> => ({ method: "POST", headers: [["content-type", type]] }))] },
  { name: "query parameter presence", routes: [when({ prefix: "/", query_parameters: [{ name: "q", present_match: true }] })], requests: ["/", "/?q", "/?q=", "/?q=1", "/?Q=1", "/?x=1&q=2"] },
  { name: "query parameter without a test", routes: [when({ prefix: "/", query_parameters: [{ name: "q" }] })], requests: ["/", "/?q", "/?q=1"] },
  { name: "query parameter absence", routes: [when({ prefix: "/", query_parameters: [{ name: "q", present_match: false }] })], requests: ["/", "/?q", "/?q=1", "/?x"] },
  ...[{ exact: "a%20b" }, { prefix: "1" }, { suffix: "1" }, { contains: "1" }, { safe_regex: { regex: "[0-9]+" } }, { exact: "V", ignore_case: true }].map((test): Row => ({ name: `query parameter ${JSON.stringify(test)}`, routes: [when({ prefix: "/", query_parameters: [{ name: "q", string_match: test }] })], requests: ["/", "/?q", "/?q=1", "/?q=a%20b", "/?q=a+b", "/?q=21", "/?q=211x", "/?q=2&q=1", "/?q=v"] })),
  { name: "no route holds: no other virtual host is asked", table: { virtual_hosts: [{ name: "a", domains: ["a.test"], routes: [when({ prefix: "/a" })] }, { name: "b", domains: ["*"], routes: [when({ prefix: "/" }, to(B))] }] }, requests: ["/a", "/b", { authority: "b.test" }, { authority: "a.test:80" }, { authority: "A.TEST" }] },
  { name: "domains: exact, longest suffix, longest prefix, star", table: { virtual_hosts: [["*", "s"], ["*.test", "s1"], ["*.a.test", "s2"], ["a.*", "p1"], ["a.b.*", "p2"], ["a.test", "e"], ["*-x.test", "s3"]].map(([domain = "", name = ""]) => ({ name, domains: [domain], routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: name } } }] })) }, requests: ["a.test", "b.test", "b.a.test", ".test", "a.com", "a.b.com", "a.b.test", "other", "q-x.test", "-x.test"].map((authority) => ({ authority })) },
  { name: "the port of the host is ignored", table: { ignore_port_in_host_matching: true, virtual_hosts: [{ name: "a", domains: ["a.test"], routes: [when({ prefix: "/" })] }] }, requests: ["a.test", "a.test:80", "a.test:9", "b.test:80"].map((authority) => ({ authority })) },
  ...[
    { https_redirect: true }, { scheme_redirect: "https" }, { host_redirect: "r.test" }, { host_redirect: "r.test", port_redirect: 81 }, { port_redirect: 443 }, { path_redirect: "/r" }, { path_redirect: "/r?k=1" },
    { path_redirect: "/r", strip_query: true }, { path_redirect: "/r?k=1", strip_query: true }, { strip_query: true, host_redirect: "r.test" }, { prefix_rewrite: "/p" }, { prefix_rewrite: "/p/", https_redirect: true },
    { regex_rewrite: { pattern: { regex: "^/a/(.*)$" }, substitution: "/\\1/b" } }, { response_code: "SEE_OTHER", host_redirect: "r.test" }, { response_code: "PERMANENT_REDIRECT", path_redirect: "" , host_redirect: "h"},
  ].map((redirect): Row => ({ name: `redirect ${JSON.stringify(redirect)}`, routes: [{ match: { prefix: "/a" }, redirect }], requests: ["/a", "/a/b?q=1", { path: "/a", authority: "a.test:80" }, { path: "/a", authority: "a.test:8080" }, { path: "/a", authority: "a.test:443" }, "/b"] })),
  ...[{ path_redirect: "r" }, { path_redirect: "r?k=1" }, { prefix_rewrite: "r" }, { regex_rewrite: { pattern: { regex: "^/" }, substitution: "r" } }].map((redirect): Row => ({ name: `redirect without a slash at its front ${JSON.stringify(redirect)}`, routes: [{ match: { prefix: "/a" }, redirect }], requests: ["/a", "/a/b?q=1", "/ab"] })),
  { name: "a redirect with a prefix, of an exact path and of an expression", routes: [{ match: { path: "/a" }, redirect: { prefix_rewrite: "/p" } }, { match: { safe_regex: { regex: "/b.*" } }, redirect: { prefix_rewrite: "/p" } }], requests: ["/a?q", "/b/c?q"] },
  { name: "direct responses", routes: [{ match: { path: "/a" }, direct_response: { status: 418, body: { inline_string: "t" } } }, { match: { path: "/b" }, direct_response: { status: 200, body: { inline_bytes: "/wB4" } } }, { match: { path: "/c" }, direct_response: { status: 404 }, response_headers_to_add: [set("x", "1")] }], requests: ["/a", "/b", "/c", "/d"] },
  { name: "rewrites of a prefix, a path, a prefix of segments and an expression", routes: [when({ prefix: "/a" }, to(A, { prefix_rewrite: "/z" })), when({ path: "/b" }, to(A, { prefix_rewrite: "/z" })), when({ path_separated_prefix: "/c" }, to(A, { prefix_rewrite: "/z" })), when({ safe_regex: { regex: "/d.*" } }, to(A, { prefix_rewrite: "/z" })), when({ prefix: "/e" }, to(A, { regex_rewrite: { pattern: { regex: "e" }, substitution: "E" } })), when({ prefix: "/F", case_sensitive: false }, to(A, { prefix_rewrite: "/" }))], requests: ["/a/x?q", "/b?q", "/c/x", "/c", "/d/x?q", "/ee", "/fx"] },
  ...[["path_separated_prefix", "/foo", "^/foo(/?)(.*)"], ["path_separated_prefix", "/f.o", "^/f\\.o(/?)(.*)"], ["path_separated_prefix", "/f", "^/foo(/?)(.*)"], ["prefix", "/foo", "^/foo(/?)(.*)"], ["prefix", "/", "^(/?)(.*)"]].map(([form = "", prefix, regex]): Row => ({
    name: `an expression that takes a prefix away, ${regex} of ${form} ${prefix}`, routes: [when({ [form]: prefix }, to(A, { regex_rewrite: { pattern: { regex }, substitution: "/\\2" } }))],
    requests: ["/foo", "/foo?q=1", "/foo/", "/foo//b", "/foo/b/c?q", "/foobar", "/f.o/x", "/f/foo", "/f", "/", "//x"],
  })),
  { name: "rewrites of the host, of a route and of a share", routes: [when({ prefix: "/a" }, to(A, { host_rewrite_literal: "h.test" })), when({ prefix: "/b" }, { route: { timeout: "0s", weighted_clusters: { clusters: [{ name: A, weight: 1, host_rewrite_literal: "s.test" }, { name: B, weight: 0 }] } } }), when({ prefix: "/c" }, { route: { timeout: "0s", host_rewrite_literal: "h.test", weighted_clusters: { clusters: [{ name: A, weight: 1, host_rewrite_literal: "s.test" }] } } })], requests: ["/a", "/b", "/c"] },
  { name: "weights", routes: [when({ prefix: "/" }, { route: { timeout: "0s", weighted_clusters: { clusters: [{ name: A, weight: 3, ...levels("share") }, { name: B, weight: 1 }, { name: "outbound|80||gone.test", weight: 0 }] } } })], requests: ["/", x("1")] },
  { name: "a cluster that is not there", routes: [when({ prefix: "/a" }, to("outbound|80||gone.test")), when({ prefix: "/b" }, to("outbound|80||gone.test", { cluster_not_found_response_code: "NOT_FOUND" })), when({ prefix: "/c" }, to("outbound|80||gone.test", { cluster_not_found_response_code: "INTERNAL_SERVER_ERROR" }))], requests: ["/a", "/b", "/c"] },
  ...[false, true].flatMap((wins): Row[] => [
    { name: `headers of three levels, the most specific ${wins ? "last" : "first"}`, table: { most_specific_header_mutations_wins: wins, ...levels("table") }, host: levels("host"), routes: [{ ...when({ prefix: "/" }), ...levels("route") }], requests: ["/", { headers: [["x", "0"], ["y", "0"], ["z-host", "1"], ["z-table", "1"], ["z-route", "1"]] }] },
    { name: `headers of four levels, the most specific ${wins ? "last" : "first"}`, table: { most_specific_header_mutations_wins: wins, ...levels("table") }, host: levels("host"), routes: [{ match: { prefix: "/" }, route: { timeout: "0s", weighted_clusters: { clusters: [{ name: A, weight: 1, ...levels("share") }] } }, ...levels("route") }], requests: ["/", { headers: [["x", "0"], ["y", "0"], ["z-share", "1"]] }] },
    { name: `headers of a response by the proxy, the most specific ${wins ? "last" : "first"}`, table: { most_specific_header_mutations_wins: wins, ...levels("table") }, host: levels("host"), routes: [{ match: { prefix: "/a" }, direct_response: { status: 200 }, ...levels("route") }, { match: { prefix: "/b" }, redirect: { path_redirect: "/r" }, ...levels("route") }], requests: ["/a", "/b", "/c"] },
  ]),
  { name: "removed headers and empty values", routes: [{ ...when({ prefix: "/" }), request_headers_to_add: [set("x", ""), { header: { key: "y", value: "" }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD", keep_empty_value: true }, { header: { key: "w", raw_value: "YQ==" }, append: false }, { header: { key: "v", value: "2" }, append: true }], request_headers_to_remove: ["X-Gone"] }], requests: ["/", { headers: [["x", "1"], ["y", "1"], ["w", "1"], ["v", "1"], ["x-gone", "1"]] }] },
  { name: "cross-origin rules of a virtual host, and of a route instead", host: { typed_per_filter_config: cors({ allow_origin_string_match: [{ exact: "http://o.com" }], allow_methods: "GET,POST", allow_credentials: true }) }, routes: [{ ...when({ prefix: "/a" }), typed_per_filter_config: cors({ allow_origin_string_match: [{ prefix: "http://p" }], max_age: "5" }) }, when({ prefix: "/" })], requests: ["/a", "/b"].flatMap((path) => origins.map((origin) => ({ ...origin, path }))) },
  { name: "cross-origin rules of a table", table: { typed_per_filter_config: cors({ allow_origin_string_match: [{ exact: "http://o.com" }], expose_headers: "e", forward_not_matching_preflights: false }) }, routes: [when({ prefix: "/" })], requests: origins },
  ...[{ exact: "*" }, { safe_regex: { regex: ".*" } }, { safe_regex: { regex: "[*]" } }, { prefix: "*" }, { suffix: "*" }, { contains: "*" }, { exact: "*", ignore_case: true }].flatMap((origin): Row[] => [{}, { allow_credentials: true }, { forward_not_matching_preflights: false, allow_methods: "GET", allow_headers: "x", max_age: "5", expose_headers: "e" }].map((more) => ({
    name: `cross-origin rules for the star, ${JSON.stringify([origin, more])}`, table: { typed_per_filter_config: cors({ allow_origin_string_match: [{ exact: "http://o.com" }, origin], ...more }) }, routes: [when({ prefix: "/" })], requests: [...origins, { headers: [["origin", "*"]] }, { headers: [["origin", "null"]] }, {}, { method: "OPTIONS", headers: [["origin", "http://p.com"]] }],
  }))),
  { name: "cross-origin rules that give back what is asked for", table: { typed_per_filter_config: cors({ allow_origin_string_match: [{ exact: "http://o.com" }], allow_methods: "*", allow_headers: "*" }) }, routes: [when({ prefix: "/" })], requests: [...origins, ...["PUT", "GET,POST", "*", "x y"].flatMap((asked): Partial<Request>[] => [[], ["a"], ["b,a"], ["*"], [""]].map((wanted) => ({ method: "OPTIONS", headers: [["origin", "http://o.com"], ["access-control-request-method", asked], ...wanted.map((one) => ["access-control-request-headers", one] as const)] })))] },
  { name: "cross-origin rules that are turned off", table: { typed_per_filter_config: cors({ allow_origin_string_match: [{ exact: "http://o.com" }], filter_enabled: { default_value: { numerator: 0 } } }) }, routes: [when({ prefix: "/" })], requests: origins },
  { name: "a fault of a virtual host, and of a route instead", isInherited: true, host: { typed_per_filter_config: fault(418) }, routes: [{ ...when({ prefix: "/a" }), typed_per_filter_config: fault(503) }, when({ prefix: "/" })], requests: ["/a", "/b"] },
  { name: "TLS is required", host: { require_tls: "ALL" }, routes: [when({ prefix: "/" })], requests: ["/a?b=1", { authority: "a.test:80" }, { headers: [["x-forwarded-proto", "https"]] }, { headers: [["x-forwarded-proto", "http"]] }] },
  { name: "TLS is required of whoever writes the header itself", manager: { use_remote_address: true }, host: { require_tls: "ALL" }, routes: [when({ prefix: "/" })], requests: ["/a?b=1", { headers: [["x-forwarded-proto", "https"]] }] },
  { name: "the scheme that a client tells", routes: [when({ prefix: "/", headers: [{ name: ":scheme", string_match: { exact: "https" } }] })], requests: [{}, { headers: [["x-forwarded-proto", "https"]] }, { headers: [["x-forwarded-proto", "HTTPS"]] }] },
  ...[{ strip_any_host_port: true }, { strip_trailing_host_dot: true }, { strip_any_host_port: true, strip_trailing_host_dot: true }, { strip_matching_host_port: true }, { strip_matching_host_port: true, strip_trailing_host_dot: true }, {}].flatMap((manager): Row[] => [true, false].map((ignores): Row => ({
    name: `authorities with ${JSON.stringify(manager)}, ${ignores ? "whatever the port" : "with ports"}`, manager, isTold: true,
    table: {
      ignore_port_in_host_matching: ignores,
      virtual_hosts: [
        { name: "plain", domains: ["a.test"], routes: [when({ prefix: "/", headers: [{ name: ":authority", string_match: { suffix: "0" } }] }, to(B)), { match: { prefix: "/r" }, redirect: { https_redirect: true } }, when({ prefix: "/" })] },
        ...(ignores ? [] : [{ name: "ported", domains: ["a.test:80", "a.test:8080"], routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: "ported" } } }] }]),
        { name: "dotted", domains: ["a.test."], routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: "dotted" } } }] },
      ],
    },
    requests: ["/", "/r"].flatMap((path) => ["a.test", "A.test:80", "a.test:8080", "a.test:9", "a.test.", "a.test.:80", "a.test.:8080", "a.test..", "a.test:65535", "a.test:65536", "a.test:4294967295", "a.test:4294967296", "a.test:8o",  "a.test:080", "a.test:", "[::1]:80", "[::1]"].map((authority) => ({ path, authority }))),
  }))),
  ...[{}, { normalize_path: true }, { normalize_path: true, merge_slashes: true }, { normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD" }, { normalize_path: true, path_with_escaped_slashes_action: "KEEP_UNCHANGED" }].map((manager): Row => ({ name: `paths with ${JSON.stringify(manager)}`, manager, routes: [when({ prefix: "/a/b" }), when({ prefix: "/a" }, to(B)), when({ prefix: "/" }, { direct_response: { status: 404, body: { inline_string: "rest" } } })], requests: ["/a//b", "/a/../b", "/a%2Fb", "/a%2fb", "/%61/b", "/a/./b", "//a/b", "/a%5Cb", "/a%00"] })),
];

const parts = await findAll(["envoy"]);

describe.skipIf("missing" in parts)("real Envoy and this reading of it agree on", () => {
  const generated = rows.map(generatedOf);
  let dataPlane: DataPlane | undefined;

  beforeAll(async () => {
    if ("missing" in parts) return;
    dataPlane = await serve(parts.envoy, generated.map((one) => ({ id: one.id, generated: one, listeners: ["l"] })));
  }, 60_000);

  afterAll(() => dataPlane?.stop());

  for (const [index, { name, requests, isInherited, isTold }] of rows.entries()) {
    it(name, async () => {
      const own = generated[index];
      if (own === undefined || dataPlane === undefined) throw new Error("not served");
      const world = envoyWorld({ place: "envoy", dump: [...own.listeners, ...own.clusters], envoy: "1.40.0" });
      const [listener] = world.views.flatMap(({ readings }) => readings.map((reading) => reading.listener));
      if (listener === undefined) throw new Error("no view");
      expect(world.unmodelled).toEqual([]);
      const whole = requests.map((request): Request => ({ method: "GET", scheme: "http", authority: "a.test", path: "/", headers: [], ...(typeof request === "string" ? { path: request } : request) }));
      const observed = await dataPlane.ask(own.id, whole.map((request) => ({ listener: "l", request, random: 0, ...(isTold === true ? { destination: { address: "10.0.0.1", port: 80 } } : {}) })));
      const resolver = new Resolver(listener);
      const wrong = whole.flatMap((request, at) => {
        const { effect, unmodelled } = resolver.answer(isTold === true ? { ...request, destination: { address: "10.0.0.1", port: 80 } } : request);
        const seen = observed[at] ?? { type: "closed" as const };
        const said = unmodelled[0]?.reason ?? contradiction(effect, isInherited === true ? withoutRoute(seen) : seen, request, { made: { id: "", objects: [], meshConfig: {}, proxies: [] }, generated: own });
        return said === undefined ? [] : [`${JSON.stringify(request)}: ${said}`];
      });
      expect(wrong).toEqual([]);
    });
  }
});

function withoutRoute(seen: Observed): Observed {
  if (seen.type !== "answered") return seen;
  const { route: _, ...rest } = seen;
  return rest satisfies Answered;
}

/** A listener with the settings of a row, and the clusters that are there. */
function generatedOf({ routes = [], host = {}, table = {}, manager = {}, isTold }: Row, index: number): Generated {
  const filter = (name: string, type: string): JsonObject => ({ name, typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}` } });
  const typed_config = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix: "s", ...manager,
    route_config: { name: "r", virtual_hosts: [{ name: "h", domains: ["*"], routes, ...host }], ...table },
    http_filters: [filter("envoy.filters.http.fault", "fault.v3.HTTPFault"), filter("envoy.filters.http.cors", "cors.v3.Cors"), filter("envoy.filters.http.router", "router.v3.Router")],
  };
  const listener = { name: "l", address: { socket_address: { address: "0.0.0.0", port_value: 80 } }, filter_chains: [{ ...(isTold === true ? { filter_chain_match: { destination_port: 80 } } : {}), filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config }] }] };
  return { id: `row${index}`, listeners: [listener], routes: [], clusters: [A, B].map((name) => ({ name, type: "EDS", lb_policy: "RANDOM", connect_timeout: "1s" })), endpoints: {} };
}
