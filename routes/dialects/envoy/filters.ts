import type { Unmodelled } from "../../decide/model.ts";
import type { Json } from "../istio/json.ts";
import { entries, entry, field, flag, known, list, meaning, text, typeOf } from "./fields.ts";
import type { Notes, Where } from "./notes.ts";

/** The filters of a connection manager that this dialect reads, under the names by which routes configure them. */
export interface Filters {
  /** Undefined: there is none. */
  readonly cors: string | undefined;
  readonly fault: { readonly name: string; readonly config: Json } | undefined;
  readonly others: readonly Other[];
}

/** A filter that acts in ways that are not modelled. */
interface Other {
  readonly name: string;
  readonly config: Json;
}

const CORS = "envoy.extensions.filters.http.cors.v3.Cors";
const FAULT = "envoy.extensions.filters.http.fault.v3.HTTPFault";

const ROUTER = "envoy.extensions.filters.http.router.v3.";
/** Of the filter that routes: what has no say in where it does. A snapshot keeps a digest alone. */
const routerFields = known("dynamic_stats start_child_span upstream_log upstream_log_options suppress_envoy_headers suppress_grpc_request_failure_code_stats sha256");

/** Filters that count, log and trace, and the one at the end that routes. */
const inert: readonly RegExp[] = [
  /^envoy\.extensions\.filters\.http\.(?:router|grpc_stats)\.v3\./,
  /^istio\.envoy\.config\.filter\.http\.alpn\./,
  /^(?:io\.istio\.http\.peer_metadata\.Config|stats\.PluginConfig|envoy\.tcp\.metadataexchange\.config\.MetadataExchange)$/,
  /^istio\.stats\.PluginConfig$/,
];

/** What the filters of a connection manager are read with. */
interface Reader {
  readonly notes: Notes;
  /** That of the list of filters. */
  readonly where: Where;
  readonly withPolicies: boolean;
  /** Configurations that are fetched by themselves, by the name of the filter. */
  readonly extensions?: ReadonlyMap<string, Json> | undefined;
}

/** Reads the filters of a connection manager. */
export function filtersOf(manager: Json, { notes, where, withPolicies, extensions }: Reader): Filters {
  let cors: string | undefined;
  let fault: Filters["fault"];
  const others: Other[] = [];
  for (const [index, filter] of list(manager, "http_filters").entries()) {
    const name = text(filter, "name");
    const isFetched = field(filter, "config_discovery") !== undefined;
    const config = isFetched ? extensions?.get(name) : field(filter, "typed_config");
    const type = typeOf(config);
    if (type.startsWith(ROUTER)) notes.unknown(config, routerFields, { ...where, path: `${where.path}.http_filters[${index}]` }, name);
    if (type === CORS && !flag(filter, "disabled")) cors = name;
    else if (type === FAULT && !flag(filter, "disabled")) fault = { name, config };
    else if (!inert.some((known) => known.test(type))) {
      const here = { ...where, path: `${where.path}.http_filters[${index}]` };
      others.push({ name, config });
      if (isFetched && config === undefined) notes.add(`the filter \`${name.slice(0, 80)}\` acts on the path of requests, and its configuration, which is fetched by itself, is not in the dump`, here);
      else if (!flag(filter, "disabled")) tell(others, notes, here, withPolicies);
    }
  }
  return { cors, fault, others };
}

/** Filters that istiod makes of policies: who may ask, not where a request goes. Objects say it in other words. */
const GUARDS: Readonly<Record<string, string>> = {
  "envoy.extensions.filters.http.rbac.v3.RBAC": "AuthorizationPolicy",
  "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication": "RequestAuthentication",
};

const LOADED = "loaded ";

/** What became of a policy. */
export function isGuard({ key }: Unmodelled): boolean {
  return key?.startsWith(LOADED) === true;
}

/** Tells of the last of some filters; how many act before it counts, too. */
function tell(others: readonly Other[], notes: Notes, where: Where, withPolicies: boolean): void {
  const { name = "", config } = others.at(-1) ?? {};
  const type = typeOf(config);
  const policy = !withPolicies && Object.hasOwn(GUARDS, type) ? GUARDS[type] : undefined;
  if (policy !== undefined) notes.addKeyed(`what a${policy.startsWith("A") ? "n" : ""} ${policy} became is not compared`, where, LOADED + policy);
  else notes.add(`the filter \`${name.slice(0, 80)}\` acts on the path of requests`, where, [name, meaning(config), others.length]);
}

/** The configuration that a filter has for a route: the most specific level that names it, as a whole. */
export function configFor(name: string, levels: readonly Json[]): Json {
  for (const level of levels) {
    const found = entry(field(level, "typed_per_filter_config"), name);
    if (found !== undefined) return found;
  }
  return undefined;
}

const FILTER_CONFIG = "envoy.config.route.v3.FilterConfig";

/** A configuration out of its wrapper, with whether the filter is turned off there. */
export function unwrapped(config: Json): { readonly config: Json; readonly isOff: boolean } {
  if (typeOf(config) !== FILTER_CONFIG) return { config, isOff: false };
  return { config: field(config, "config"), isOff: flag(config, "disabled") };
}

/** What routes say to filters that are not modelled; to a filter that is not there nobody says anything. */
export function noteFilterConfigs(level: Json, { cors, fault, others }: Filters, notes: Notes, where: Where, what: Json): void {
  if (others.length === 0) return;
  for (const [name, config] of entries(level, "typed_per_filter_config")) {
    if (name === cors || name === fault?.name || !others.some((other) => other.name === name)) continue;
    notes.add(`the filter \`${name.slice(0, 80)}\` is configured for a route`, { ...where, path: `${where.path}.typed_per_filter_config` }, [what, meaning(config)]);
  }
}
