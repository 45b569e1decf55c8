import { satisfies } from "../../decide/effect.ts";
import type { Action, Cors, Destination, Fault, Forward, Mirror, PathRewrite, Redirect, Respond, Retries } from "../../decide/model.ts";
import { Regexes } from "../../decide/regexes.ts";
import { SUBSET } from "../istio/destinations.ts";
import { isObject, type Json } from "../istio/json.ts";
import { fromBase64, toText } from "../istio/values.ts";
import { balancesByHash, type ClusterReading, destinationOf, isMissing, PASSTHROUGH, readCluster } from "./clusters.ts";
import { field, flag, known, list, meaning, message, millionthsOf, millisecondsOf, number, text, typeOf } from "./fields.ts";
import { configFor, type Filters, unwrapped } from "./filters.ts";
import { joined, type Level, levelOf } from "./headers.ts";
import { stringOf } from "./matches.ts";
import type { Notes, Where } from "./notes.ts";

/** A route in its table: everything that its action rests on. */
export interface Around {
  readonly filters: Filters;
  readonly clusters: ClusterReading;
  /** The route, its virtual host and its table: the most specific first. */
  readonly levels: readonly Json[];
  /** What they do to headers, in the order of application. */
  readonly headers: readonly Level[];
  /** Bytes that a prefix rewrite takes away; undefined: the whole path. */
  readonly prefix: number | undefined;
  readonly notes: Notes;
  readonly where: Where;
  /** Tells the route apart from others, in whatever place of its table it stands. */
  readonly what: Json;
}

/** The action of a route; undefined where it is of a kind that is not modelled. */
export function actionOf(route: Json, around: Around): Action | undefined {
  const fault = faultOf(around);
  const redirect = field(route, "redirect"), response = field(route, "direct_response"), action = field(route, "route");
  if (redirect !== undefined) return redirectOf(redirect, around, fault);
  if (response !== undefined) return responseOf(response, around, fault);
  if (action !== undefined) return forwardOf(action, around, fault);
  if (field(route, "non_forwarding_action") === undefined && field(route, "filter_action") === undefined) return { type: "invalid", reason: "a route without an action" };
  around.notes.add("a route that is for filters alone is not modelled", around.where, [around.what, meaning(route)], true);
  return undefined;
}

const redirectFields = known("https_redirect scheme_redirect host_redirect port_redirect path_redirect prefix_rewrite regex_rewrite response_code strip_query");
const codes: ReadonlyMap<string, number> = new Map([["MOVED_PERMANENTLY", 301], ["FOUND", 302], ["SEE_OTHER", 303], ["TEMPORARY_REDIRECT", 307], ["PERMANENT_REDIRECT", 308]]);

/** utility.cc `newUri`. */
function redirectOf(redirect: Json, around: Around, fault: Fault | undefined): Redirect {
  around.notes.unknown(redirect, redirectFields, around.where, around.what);
  const scheme = flag(redirect, "https_redirect") ? "https" : text(redirect, "scheme_redirect");
  const authority = text(redirect, "host_redirect"), port = number(redirect, "port_redirect") ?? 0;
  const whole = text(redirect, "path_redirect");
  const path = whole === "" ? rewriteOf(redirect, around.prefix) : { kind: "replace" as const, value: whole };
  const { response } = joined(around.headers);
  return {
    type: "redirect",
    status: codes.get(text(redirect, "response_code") || "MOVED_PERMANENTLY") ?? 301,
    ...(scheme === "" ? {} : { scheme }),
    ...(authority === "" ? {} : { authority }),
    ...(port === 0 ? {} : { port }),
    ...(path === undefined ? {} : { path }),
    ...(flag(redirect, "strip_query") ? { stripQuery: true } : {}),
    ...(response.length === 0 ? {} : { response }),
    ...(fault === undefined ? {} : { fault }),
  };
}

/** A prefix rewrite follows the form of the match: the prefix gives way, or the whole path. */
function rewriteOf(from: Json, prefix: number | undefined): PathRewrite | undefined {
  const value = text(from, "prefix_rewrite");
  if (value !== "") return prefix === undefined ? { kind: "replace", value } : { kind: "prefix", length: prefix, value };
  const regex = field(from, "regex_rewrite");
  return regex === undefined ? undefined : { kind: "regex", pattern: text(message(regex, "pattern"), "regex"), substitution: text(regex, "substitution") };
}

const responseFields = known("status body");
const bodyFields = known("inline_string inline_bytes");

function responseOf(direct: Json, around: Around, fault: Fault | undefined): Respond {
  around.notes.unknown(direct, responseFields, around.where, around.what);
  const body = message(direct, "body");
  around.notes.unknown(body, bodyFields, around.where, around.what);
  const { response } = joined(around.headers);
  return {
    type: "respond",
    status: number(direct, "status") ?? 0,
    body: text(body, "inline_string") || toText(fromBase64(text(body, "inline_bytes"))),
    ...(response.length === 0 ? {} : { response }),
    ...(fault === undefined ? {} : { fault }),
  };
}

/** Fields that have a say in the answer, or that have none: statistics, tracing, upgrades (which no request here asks for). */
const routeFields = known(`cluster weighted_clusters cluster_not_found_response_code prefix_rewrite regex_rewrite host_rewrite_literal timeout
  max_grpc_timeout idle_timeout flush_timeout retry_policy request_mirror_policies rate_limits include_vh_rate_limits hash_policy upgrade_configs
  early_data_policy max_stream_duration`);
const weightedFields = known("clusters total_weight runtime_key_prefix");
const shareFields = known(`name weight request_headers_to_add request_headers_to_remove response_headers_to_add response_headers_to_remove
  host_rewrite_literal typed_per_filter_config`);
const DEFAULT_TIMEOUT = 15_000;
const notFoundCodes: ReadonlyMap<string, number> = new Map([["SERVICE_UNAVAILABLE", 503], ["NOT_FOUND", 404], ["INTERNAL_SERVER_ERROR", 500]]);
/** weighted_cluster_specifier.cc: the largest `uint32`. */
const MOST_WEIGHT = 4_294_967_295;

function forwardOf(route: Json, around: Around, fault: Fault | undefined): Action | undefined {
  const { notes, where, what } = around;
  notes.unknown(route, routeFields, where, what, ".route");
  noteDuration(route, around);
  if (field(what, "path_match_policy") !== undefined && text(route, "prefix_rewrite") !== "") return { type: "invalid", reason: "a rewrite of a prefix of a path that an extension matches" };
  const rewritePath = rewriteOf(route, around.prefix);
  const retries = retriesOf(route, around);
  const timeout = field(route, "timeout") === undefined ? DEFAULT_TIMEOUT : (millisecondsOf(field(route, "timeout")) ?? DEFAULT_TIMEOUT);
  const destinations = sharesOf(route, around);
  if (destinations === "passthrough") return { type: "passthrough" };
  if (destinations === "refused") return { type: "invalid", reason: "weights of clusters that sum to nothing, or to more than Envoy takes" };
  if (destinations === undefined) return undefined;
  const mirrors = mirrorsOf(around);
  const cors = corsOf(around);
  // There are many of these: spreads would take most of the time.
  const out: { -readonly [Field in keyof Forward]: Forward[Field] } = { type: "forward", destinations };
  if (rewritePath !== undefined) out.rewritePath = rewritePath;
  if (timeout > 0) out.timeout = timeout;
  if (retries !== undefined) out.retries = retries;
  if (mirrors.length > 0) out.mirrors = mirrors;
  if (fault !== undefined) out.fault = fault;
  if (cors !== undefined) out.cors = cors;
  return out;
}

/** Limits of whole streams; Istio writes them as none. */
function noteDuration(route: Json, { notes, where, what }: Around): void {
  const limits = message(route, "max_stream_duration");
  if (Object.keys(limits).some((name) => (millisecondsOf(limits[name]) ?? 0) > 0)) notes.add("a limit on the duration of streams is not modelled", where, [what, limits]);
}

function sharesOf(route: Json, around: Around): readonly Destination[] | "passthrough" | "refused" | undefined {
  const { notes, where, what, clusters } = around;
  const missingStatus = notFoundCodes.get(text(route, "cluster_not_found_response_code") || "SERVICE_UNAVAILABLE") ?? 503;
  const authority = text(route, "host_rewrite_literal");
  const outer = joined(around.headers);
  const cluster = field(route, "cluster");
  if (cluster === PASSTHROUGH) return "passthrough";
  const policy = (name: string): Readonly<Record<string, string>> => hashOf(route, name, clusters);
  if (typeof cluster === "string") return [destinationOf(cluster, clusters, { weight: 1, missingStatus, authority, ...outer, policy: policy(cluster) })];
  const weighted = field(route, "weighted_clusters");
  if (weighted === undefined) {
    notes.add("where the route leads is not in its configuration", { ...where, path: `${where.path}.route` }, [what, meaning(route)], true);
    return undefined;
  }
  notes.unknown(weighted, weightedFields, where, what, ".route.weighted_clusters");
  notes.runtime(text(weighted, "runtime_key_prefix"), { ...where, path: `${where.path}.route.weighted_clusters` }, what);
  const shares = list(weighted, "clusters").map((share, index): Destination => {
    const here = { ...where, path: `${where.path}.route.weighted_clusters.clusters[${index}]` };
    notes.unknown(share, shareFields, here, what);
    if (Object.keys(message(share, "typed_per_filter_config")).length > 0) notes.add("filters are configured for a share of a route", here, [what, meaning(share)]);
    const inner = levelOf(share, notes, here);
    const name = text(share, "name");
    const { request, response } = joined([inner, ...around.headers]);
    return destinationOf(name, clusters, { weight: number(share, "weight") ?? 0, missingStatus, authority: authority || text(share, "host_rewrite_literal"), request, response, policy: policy(name) });
  });
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  return total > 0 && total <= MOST_WEIGHT ? shares : "refused";
}

/** How a route chooses among the endpoints of a cluster; nothing where the cluster asks no hash. */
function hashOf(route: Json, cluster: string, reading: ClusterReading): Readonly<Record<string, string>> {
  const hashes = list(route, "hash_policy");
  return !reading.withPolicies || hashes.length === 0 || !balancesByHash(cluster, reading) ? {} : { hash_policy: meaning(hashes) };
}

const retryFields = known(`retry_on num_retries per_try_timeout retry_priority retry_host_predicate host_selection_retry_max_attempts
  retriable_status_codes retry_back_off`);
const PREVIOUS_HOSTS = "envoy.retry_host_predicates.previous_hosts", PREVIOUS_PRIORITIES = "envoy.retry_priorities.previous_priorities";
/** What Istio writes beside the predicate. */
const ISTIO_ATTEMPTS = 5;

/** The most specific policy counts, as a whole. */
function retriesOf(route: Json, { levels, notes, where, what }: Around): Retries | undefined {
  const policy = field(route, "retry_policy") ?? field(levels[1], "retry_policy");
  if (policy === undefined) return undefined;
  notes.unknown(policy, retryFields, where, what, ".route.retry_policy");
  const backoff = field(policy, "retry_back_off");
  const perTryTimeout = millisecondsOf(field(policy, "per_try_timeout"));
  const retriable = list(policy, "retriable_status_codes").filter((code) => typeof code === "number");
  const predicates = list(policy, "retry_host_predicate");
  if (predicates.length > 0 && (number(policy, "host_selection_retry_max_attempts") ?? 1) !== ISTIO_ATTEMPTS) notes.add("how often another host is looked for is not modelled", where, [what, meaning(policy)]);
  const isKnown = (predicate: Json): boolean => text(predicate, "name") === PREVIOUS_HOSTS, priority = field(policy, "retry_priority");
  if (!predicates.every(isKnown)) notes.add("the choice of another host for another try is not modelled", where, [what, predicates.filter((predicate) => !isKnown(predicate))]);
  if (priority !== undefined && text(priority, "name") !== PREVIOUS_PRIORITIES) notes.add("the choice of a priority for another try is not modelled", where, [what, priority]);
  const out: { -readonly [Field in keyof Retries]: Retries[Field] } = { attempts: number(policy, "num_retries") ?? 1, on: conditionsIn(text(policy, "retry_on")) };
  if (retriable.length > 0) out.codes = retriable;
  if (perTryTimeout !== undefined) out.perTryTimeout = perTryTimeout;
  if (backoff !== undefined) {
    const base = millisecondsOf(field(backoff, "base_interval")) ?? 25;
    out.backoff = { base, max: millisecondsOf(field(backoff, "max_interval")) ?? base * 10 };
  }
  if (predicates.some(isKnown)) out.otherHosts = true;
  if (priority !== undefined) out.remoteLocalities = true;
  return out;
}

const conditions = new Map<string, readonly string[]>();
/** Texts that are kept: a mesh has few. */
const MOST_CONDITIONS = 200;

function conditionsIn(written: string): readonly string[] {
  const known = conditions.get(written) ?? written.split(",").map((condition) => condition.trim());
  if (conditions.size < MOST_CONDITIONS) conditions.set(written, known);
  return known;
}

const mirrorFields = known("cluster runtime_fraction trace_sampled disable_shadow_host_suffix_append");

const noMirrors: readonly Mirror[] = [];

/** The most specific list that is not empty counts. */
function mirrorsOf({ levels: [route, ...others], notes, where, what, clusters }: Around): readonly Mirror[] {
  const lists = [message(route, "route"), ...others];
  const level = lists.find((one) => list(one, "request_mirror_policies").length > 0);
  return level === undefined ? noMirrors : list(level, "request_mirror_policies").flatMap((policy, index): readonly Mirror[] => {
    notes.unknown(policy, mirrorFields, { ...where, path: `${where.path}.route.request_mirror_policies[${index}]` }, what);
    const name = text(policy, "cluster");
    const fraction = field(policy, "runtime_fraction");
    notes.runtime(text(fraction, "runtime_key"), { ...where, path: `${where.path}.route.request_mirror_policies[${index}]` }, [what, name]);
    const share = fraction === undefined ? 1_000_000 : millionthsOf(message(fraction, "default_value"));
    // A copy for a cluster that is not there goes nowhere.
    if (name === "" || share === 0 || isMissing(name, clusters)) return [];
    const { host, port, subset } = readCluster(name);
    return [{ host, port, ...(subset === "" ? {} : { subset: { [SUBSET]: subset } }), share, ...(flag(policy, "disable_shadow_host_suffix_append") ? {} : { shadowHost: true }) }];
  });
}

const faultFields = known("delay abort");
const delayFields = known("fixed_delay percentage");
const abortFields = known("http_status grpc_status percentage");

/** A configuration that says nothing, as istiod writes it for a filter that routes may configure. */
function isBare(config: Json): boolean {
  return isObject(config) && Object.keys(config).every((name) => name === "@type") && typeOf(config).startsWith("envoy.extensions.filters.http.");
}

function faultOf({ filters: { fault }, levels, notes, where, what }: Around): Fault | undefined {
  if (fault === undefined) return undefined;
  const own = configFor(fault.name, levels);
  if (own === undefined && isBare(fault.config)) return undefined;
  const { config, isOff } = unwrapped(own ?? fault.config);
  if (isOff) return undefined;
  notes.unknown(config, faultFields, where, what);
  const delay = message(config, "delay"), abort = message(config, "abort");
  notes.unknown(delay, delayFields, where, what);
  notes.unknown(abort, abortFields, where, what);
  const length = millisecondsOf(field(delay, "fixed_delay"));
  const delayed = millionthsOf(message(delay, "percentage")), aborted = millionthsOf(message(abort, "percentage"));
  const grpc = number(abort, "grpc_status");
  const out: Fault = {
    ...(length === undefined || delayed === 0 ? {} : { delay: { milliseconds: length, share: delayed } }),
    ...(aborted === 0 ? {} : { abort: { status: grpc ?? number(abort, "http_status") ?? 0, share: aborted, ...(grpc === undefined ? {} : { grpc: true }) } }),
  };
  return out.delay === undefined && out.abort === undefined ? undefined : out;
}

const corsFields = known(`allow_origin_string_match allow_methods allow_headers expose_headers max_age allow_credentials filter_enabled
  forward_not_matching_preflights`);

/** cors_filter.cc: whether it is on the most specific policy says; each other setting is that of the most specific policy that has it. */
function corsOf({ filters, levels, notes, where, what }: Around): Cors | undefined {
  const { cors: name } = filters;
  if (name === undefined || configFor(name, levels) === undefined) return undefined;
  const all = levels.map((level) => configFor(name, [level])).filter((config) => config !== undefined).map(unwrapped);
  const [first] = all;
  if (first === undefined || first.isOff) return undefined;
  const policies = all.map(({ config }) => config);
  for (const policy of policies) notes.unknown(policy, corsFields, where, what);
  const enabled = field(first.config, "filter_enabled");
  const share = enabled === undefined ? 1_000_000 : millionthsOf(message(enabled, "default_value"));
  notes.runtime(text(enabled, "runtime_key"), where, what);
  if (share === 0) return undefined;
  if (share < 1_000_000) notes.add("cross-origin rules for a share of the requests are not modelled", where, [what, meaning(first.config)]);
  const origins = (policies.map((policy) => list(policy, "allow_origin_string_match")).find((own) => own.length > 0) ?? []).flatMap((origin) => stringOf(origin, notes, where) ?? []);
  const setting = (named: string): Json => policies.map((policy) => field(policy, named)).find((value) => value !== undefined && value !== "");
  const answerUnmatched = setting("forward_not_matching_preflights") === false;
  if (origins.length === 0 && !answerUnmatched) return undefined;
  const words = (named: string, as: string): Record<string, readonly string[]> => {
    const value = setting(named);
    return typeof value === "string" ? { [as]: value.split(",").map((word) => word.trim()) } : {};
  };
  const age = setting("max_age");
  return {
    // What takes a star takes every origin (cors_filter.cc `isOriginAllowed`).
    origins: origins.map((match) => (satisfies(match, "*", "bytes", new Regexes()) ? { kind: "prefix" as const, value: "" } : match)),
    ...words("allow_methods", "methods"), ...words("allow_headers", "headers"), ...words("expose_headers", "expose"),
    ...(typeof age === "string" ? { maxAge: Number(age) } : {}),
    ...(setting("allow_credentials") === true ? { credentials: true } : {}),
    ...(answerUnmatched ? { answerUnmatched } : {}),
  };
}

/** Shares of a connection by `tcp_proxy`; undefined where nothing says where it leads. */
export function connectionOf(proxy: Json, reading: ClusterReading): Action | undefined {
  const cluster = text(proxy, "cluster");
  const shares = cluster === "" ? list(message(proxy, "weighted_clusters"), "clusters").map((share) => [text(share, "name"), number(share, "weight") ?? 0] as const) : [[cluster, 1] as const];
  if (shares.length === 0) return undefined;
  if (shares.length === 1 && shares[0]?.[0] === PASSTHROUGH) return { type: "passthrough" };
  const destinations = shares.map(([name, weight]) => destinationOf(name, reading, { weight, missingStatus: 503, request: [], response: [] }));
  return destinations.every((share) => "invalid" in share) ? { type: "close" } : { type: "forward", destinations };
}
