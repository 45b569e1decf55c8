import type { Action, HttpTable, PathNormalization, Rule, Strips, Unmodelled, VirtualHost } from "../../decide/model.ts";
import { isObject, type Json } from "../istio/json.ts";
import { byteLength } from "../istio/values.ts";
import { actionOf } from "./actions.ts";
import type { ClusterReading } from "./clusters.ts";
import { field, flag, known, list, meaning, message, number, text, texts } from "./fields.ts";
import { type Filters, filtersOf, isGuard, noteFilterConfigs } from "./filters.ts";
import { levelOf } from "./headers.ts";
import { matchOf } from "./matches.ts";
import type { DumpMemory } from "./memory.ts";
import { Notes, type Where } from "./notes.ts";

/** Settings of a connection manager that have no say in where a request goes, and those that are read. */
const managerFields = known(`codec_type stat_prefix rds route_config http_filters add_user_agent tracing common_http_protocol_options
  http1_safe_max_connection_duration http_protocol_options http2_protocol_options http3_protocol_options server_name server_header_transformation
  scheme_header_transformation max_request_headers_kb stream_idle_timeout stream_flush_timeout request_timeout request_headers_timeout drain_timeout
  delayed_close_timeout access_log access_log_flush_interval flush_access_log_on_new_request access_log_options use_remote_address
  xff_num_trusted_hops internal_address_config skip_xff_append via generate_request_id preserve_external_request_id
  always_set_request_id_in_response forward_client_cert_details set_current_client_cert_details forward_client_cert_matcher proxy_100_continue
  represent_ipv4_remote_address_as_ipv4_mapped_ipv6 upgrade_configs normalize_path merge_slashes path_with_escaped_slashes_action
  request_id_extension stream_error_on_invalid_http_message append_x_forwarded_port
  strip_any_host_port strip_matching_host_port strip_trailing_host_dot append_local_overload add_proxy_protocol_connection_state proxy_status_config`);

/** What a connection manager makes of requests, beside its routes. */
interface Manager {
  readonly config: Json;
  readonly isSecure: boolean;
  /** The port on which it listens; left out: not known. */
  readonly port?: number;
  readonly where: Where;
  /** Configurations of filters that are fetched by themselves. */
  readonly extensions?: ReadonlyMap<string, Json>;
}

/** A table, in each way in which releases of Envoy read it. */
export interface TableInput {
  readonly manager: Manager;
  /** Undefined: the routes are not in the dump. */
  readonly routes: Json;
  readonly clusters: ClusterReading;
  readonly memory: DumpMemory;
}

/** What is the same in every release. */
export type UnreadTable = Omit<HttpTable, "reading">;

/** What a table uses of that which releases read differently. */
export function usesOf({ virtualHosts }: UnreadTable): { readonly headers: boolean; readonly regexes: boolean } {
  const all = virtualHosts.map((host) => {
    const found = uses.get(host.rules) ?? usesIn(host.rules);
    uses.set(host.rules, found);
    return found;
  });
  return { headers: all.some(({ headers }) => headers), regexes: all.some(({ regexes }) => regexes) };
}

type Uses = ReturnType<typeof usesOf>;

const uses = new WeakMap<readonly Rule[], Uses>();

function usesIn(rules: readonly Rule[]): Uses {
  return {
    headers: rules.some(({ when }) => when.headers?.some(({ name }) => !name.startsWith(":")) === true),
    regexes: rules.some(({ when, action }) => isRegex(when.path) || [when.headers, when.query, when.claims].some((tests) => tests?.some(({ match }) => isRegex(match)) === true) ||
      isRegex(action.type === "forward" ? action.rewritePath : action.type === "redirect" ? action.path : undefined) || (action.type === "forward" && action.cors?.origins.some(isRegex) === true)),
  };
}

function isRegex(match: { readonly kind: string } | undefined): boolean {
  return match?.kind === "regex";
}

/** The table that a connection manager serves. */
export function tableOf({ manager: { config, isSecure, port, where, extensions }, routes, clusters, memory }: TableInput): UnreadTable | Extract<Action, { type: "invalid" }> {
  const notes = new Notes();
  notes.unknown(config, managerFields, where, "connection manager");
  const filters = filtersOf(config, { notes, where, withPolicies: clusters.withPolicies, extensions });
  noteProtocol(config, notes, where);
  const normalization = normalizationOf(config, notes, where);
  if (!isObject(routes)) notes.add(missingRoutes(config), where, undefined, true);
  const hosts = virtualHostsOf(routes, { clusters, filters, isSecure, trustsNobody: flag(config, "use_remote_address") && (number(config, "xff_num_trusted_hops") ?? 0) === 0, shared: notes }, memory);
  for (const { rules } of hosts.virtualHosts) for (const { action, origin } of rules) if (action.type === "invalid") return { ...action, reason: `${origin.object} ${origin.path}: ${action.reason}` };
  const all = notes.list();
  return touchedBy(all, {
    type: "http",
    pathNormalization: normalization,
    ignorePort: flag(routes, "ignore_port_in_host_matching"),
    ...stripsOf(config, port),
    ...schemeOf(config, isSecure),
    virtualHosts: hosts.virtualHosts,
    otherwise: hosts.otherwise,
  });
}

/** A table with what touches all of its hosts; those that no virtual host takes, too, but where policies alone act, which objects tell of named hosts. */
export function touchedBy(all: readonly Unmodelled[], table: UnreadTable): UnreadTable {
  if (all.length === 0) return table;
  const virtualHosts = table.virtualHosts.map((host) => ({ ...host, unmodelled: [...all, ...(host.unmodelled ?? [])] }));
  const isWhole = all.every(isGuard) || table.virtualHosts.some(({ domains }) => domains.includes("*"));
  const rest: VirtualHost = { domains: ["*"], rules: table.otherwise.type === "notFound" ? [] : [{ when: {}, action: table.otherwise, origin: { object: "", path: "" } }], unmodelled: all };
  return { ...table, virtualHosts: isWhole ? virtualHosts : [...virtualHosts, rest] };
}

function missingRoutes(config: Json): string {
  const name = text(message(config, "rds"), "route_config_name");
  if (field(config, "scoped_routes") !== undefined) return "scoped routes are not modelled";
  return name === "" ? "the listener has no routes" : `the routes \`${name.slice(0, 120)}\` are not in the dump: they were not loaded yet, or it was cut`;
}

function noteProtocol(config: Json, notes: Notes, where: Where): void {
  const action = text(message(config, "common_http_protocol_options"), "headers_with_underscores_action");
  if (action !== "" && action !== "ALLOW") notes.add("headers with underscores are refused or dropped, which is not modelled", where, action);
  if (field(message(config, "scheme_header_transformation"), "scheme_to_overwrite") !== undefined) notes.add("the scheme of requests is overwritten, which is not modelled", where, meaning(field(config, "scheme_header_transformation")));
}

/** conn_manager_utility.cc `maybeNormalizePath`. */
function normalizationOf(config: Json, notes: Notes, where: Where): PathNormalization {
  const normalizes = flag(config, "normalize_path"), merges = flag(config, "merge_slashes");
  const escapes = text(config, "path_with_escaped_slashes_action") || "IMPLEMENTATION_SPECIFIC_DEFAULT";
  const unescapes = escapes === "UNESCAPE_AND_FORWARD", keeps = escapes === "KEEP_UNCHANGED" || escapes === "IMPLEMENTATION_SPECIFIC_DEFAULT";
  if (normalizes && merges && unescapes) return "decode-and-merge-slashes";
  if (keeps && normalizes) return merges ? "merge-slashes" : "base";
  if (!keeps || merges) notes.add("this combination of path settings is not modelled", where, [normalizes, merges, escapes]);
  return normalizes ? "base" : "none";
}

/** conn_manager_utility.cc `maybeNormalizeHost`. */
function stripsOf(config: Json, own: number | undefined): Pick<HttpTable, "strips"> {
  const port = flag(config, "strip_any_host_port") ? "any" : flag(config, "strip_matching_host_port") ? own : undefined;
  const strips: Strips = { ...(port === undefined ? {} : { port }), ...(flag(config, "strip_trailing_host_dot") ? { dot: true } : {}) };
  return Object.keys(strips).length === 0 ? {} : { strips };
}

/** conn_manager_utility.cc `mutateRequestHeaders`: who has `use_remote_address` and trusts no proxy before it writes the header itself. */
function schemeOf(config: Json, isSecure: boolean): Pick<HttpTable, "scheme" | "overwritten"> {
  const scheme = isSecure ? "https" : "http";
  const trusts = !flag(config, "use_remote_address") || (number(config, "xff_num_trusted_hops") ?? 0) > 0;
  if (trusts) return { scheme: { from: "x-forwarded-proto", default: scheme } };
  return { scheme: { from: "connection", default: scheme }, overwritten: { "x-forwarded-proto": scheme } };
}

interface Context {
  readonly clusters: ClusterReading;
  readonly filters: Filters;
  readonly isSecure: boolean;
  readonly trustsNobody: boolean;
  readonly shared: Notes;
}

const tableFields = known(`name virtual_hosts response_headers_to_add response_headers_to_remove request_headers_to_add request_headers_to_remove
  most_specific_header_mutations_wins validate_clusters max_direct_response_body_size_bytes request_mirror_policies ignore_port_in_host_matching
  typed_per_filter_config cluster_specifier_plugins metadata`);
const hostFields = known(`name domains routes require_tls virtual_clusters rate_limits request_headers_to_add request_headers_to_remove
  response_headers_to_add response_headers_to_remove typed_per_filter_config include_request_attempt_count
  retry_policy per_request_buffer_limit_bytes request_body_buffer_limit request_mirror_policies metadata`);
const routeFields = known(`name match route redirect direct_response metadata decorator typed_per_filter_config request_headers_to_add
  request_headers_to_remove response_headers_to_add response_headers_to_remove tracing per_request_buffer_limit_bytes request_body_buffer_limit
  stat_prefix`);

function virtualHostsOf(routes: Json, context: Context, memory: DumpMemory): Pick<HttpTable, "virtualHosts" | "otherwise"> {
  const object = `RouteConfiguration ${text(routes, "name").slice(0, 160)}`;
  if (isObject(routes)) context.shared.unknown(routes, tableFields, { object, path: "" }, "table");
  if (field(routes, "vhds") !== undefined) context.shared.add("virtual hosts are fetched when they are asked for, and may not be in the dump", { object, path: "vhds" }, undefined, true);
  noteFilterConfigs(routes, context.filters, context.shared, { object, path: "" }, "table");
  const virtualHosts: VirtualHost[] = [];
  let otherwise: Action = { type: "notFound" };
  const { clusters, filters, isSecure, trustsNobody } = context;
  const { virtual_hosts: _snake, virtualHosts: _camel, ...table } = isObject(routes) ? routes : {};
  const around = memory.around(object, [table, filters.cors ?? "", filters.fault ?? "", filters.others, isSecure, trustsNobody, clusters.withPolicies]);
  const read = (host: Json, where: Where): { readonly made: VirtualHost; readonly clusters: readonly string[] } => {
    const asked: string[] = [];
    return { made: virtualHostOf(host, routes, where, { ...context, clusters: { ...clusters, asked } }), clusters: asked };
  };
  for (const [index, host] of list(routes, "virtual_hosts").entries()) {
    const where = { object, path: `virtual_hosts[${index}]` };
    const made = memory.host(`${object} ${where.path}`, host, around, () => read(host, where));
    const [rule, ...more] = made.rules;
    // istiod's own answer for hosts that no object names.
    const isRest = /^(?:allow_any|block_all)$/.test(text(host, "name")) && made.domains.join() === "*" && rule !== undefined && more.length === 0 && Object.keys(rule.when).length === 0;
    // Nor does a virtual host without routes answer anything else than no virtual host: istiod's for a gateway without routes.
    const isNothing = made.domains.join() === "*" && rule === undefined && made.unmodelled === undefined;
    if (isRest) otherwise = rule.action;
    else if (isNothing) otherwise = { type: "notFound" };
    else virtualHosts.push(made);
  }
  return { virtualHosts, otherwise };
}

function virtualHostOf(host: Json, routes: Json, where: Where, context: Context): VirtualHost {
  const notes = new Notes();
  notes.unknown(host, hostFields, where, "virtual host");
  noteFilterConfigs(host, context.filters, notes, where, "virtual host");
  const rules: Rule[] = [];
  const tls = requiredTls(host, where, context, notes);
  if (tls !== undefined) rules.push(tls);
  const outer = levelOf(host, notes, where), table = levelOf(routes, notes, { object: where.object, path: "" });
  const isReversed = flag(routes, "most_specific_header_mutations_wins");
  let isImplicit = true;
  for (const [index, route] of list(host, "routes").entries()) {
    const here = { object: where.object, path: `${where.path}.routes[${index}]` };
    if (isImplicit && isWritten(route)) isImplicit = false;
    notes.unknown(route, routeFields, here, "route");
    const { when, prefix, isDead } = matchOf(field(route, "match"), notes, { ...here, path: `${here.path}.match` });
    if (isDead) continue;
    const what = field(route, "match");
    noteFilterConfigs(route, context.filters, notes, here, what);
    const inner = levelOf(route, notes, here);
    const headers = isReversed ? [table, outer, inner] : [inner, outer, table];
    const action = actionOf(route, { filters: context.filters, clusters: context.clusters, levels: [route, host, routes], headers, prefix, notes, where: here, what });
    rules.push(...withoutExpression({ when, action: action ?? somewhere(route), origin: here }));
  }
  const unmodelled: readonly Unmodelled[] = notes.list();
  return { domains: texts(host, "domains"), rules, ...(unmodelled.length === 0 ? {} : { unmodelled }), ...(isImplicit && tls === undefined && isNamedByIstio(host) ? { isImplicit: true } : {}) };
}

/**
 * istiod takes away a prefix of whole segments by an expression, `^/foo(/?)(.*)` for `/foo` (conversion.go `createRewriteFilter`,
 * route.go `generateRegexRewriteForPrefix`): the prefix itself becomes `/`, and what is below it stays. Two rules say that exactly.
 */
function withoutExpression(rule: Rule): readonly Rule[] {
  const { when, action, origin } = rule;
  const { path } = when;
  if (action.type !== "forward" || action.rewritePath?.kind !== "regex" || action.rewritePath.substitution !== "/\\2") return [rule];
  const { rewritePath, ...rest } = action;
  // Every path begins with the slash that is put back.
  if (path === undefined && rewritePath.pattern === "^(/?)(.*)") return [{ ...rule, action: rest }];
  if (path?.kind !== "separated-prefix" || path.ignoreCase === true || rewritePath.pattern !== `^${quoted(path.value)}(/?)(.*)`) return [rule];
  return [
    { when: { ...when, path: { kind: "exact", value: path.value } }, action: { ...rest, rewritePath: { kind: "replace", value: "/" } }, origin },
    { when, action: { ...rest, rewritePath: { kind: "prefix", length: byteLength(path.value), value: "" } }, origin },
  ];
}

/** Go's `regexp.QuoteMeta`. */
function quoted(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

/** Where a route leads that is not modelled: the same where it is written alike. What it is was told before. */
function somewhere(route: Json): Action {
  return { type: "forward", destinations: [{ host: "not known", port: 0, weight: 1, policy: { route: meaning(field(route, "route") ?? field(route, "non_forwarding_action") ?? route) } }] };
}

/** A route that istiod made from an object of a user. */
function isWritten(route: Json): boolean {
  return text(message(message(message(route, "metadata"), "filter_metadata"), "istio"), "config").includes("/");
}

/** Names of istiod: `reviews.default.svc.cluster.local:9080`. */
function isNamedByIstio(host: Json): boolean {
  return /:\d{1,5}$/.test(text(host, "name"));
}

/** `require_tls` comes before the routes (config_impl.cc `getRouteFromEntries`). */
function requiredTls(host: Json, where: Where, { isSecure, trustsNobody }: Context, notes: Notes): Rule | undefined {
  const required = text(host, "require_tls");
  if (required === "" || required === "NONE") return undefined;
  const here = { object: where.object, path: `${where.path}.require_tls` };
  if (required !== "ALL") notes.add(`\`require_tls: ${required.slice(0, 40)}\` is not modelled`, here, required);
  if (required !== "ALL" || (isSecure && trustsNobody)) return undefined;
  const plain = { headers: [{ name: "x-forwarded-proto", match: { kind: "exact" as const, value: "https" }, invert: true, whenAbsent: true }] };
  return { when: trustsNobody ? {} : plain, action: { type: "redirect", status: 301, scheme: "https", keepPort: true }, origin: here };
}
