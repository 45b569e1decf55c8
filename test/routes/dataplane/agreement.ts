import type { DestinationEffect, Effect, ForwardEffect, LineChange, Mirror, Request } from "#routes";
import { isJoined } from "../../../routes/decide/alphabets.ts";
import { seenRetries } from "../../../routes/decide/effect.ts";
import { SUBSET } from "../../../routes/dialects/istio/destinations.ts";
import { milliseconds } from "../../../routes/dialects/istio/values.ts";
import { at, canonical, type JsonObject, listAt, numberAt, objectAt, textAt } from "../../../routes/dialects/istio/json.ts";
import { ANSWERED } from "../../oracles/envoy/echo.ts";
import type { Answered, Observed } from "../../oracles/envoy/serve.ts";
import type { Line } from "../../oracles/envoy/wire.ts";
import type { Generated } from "../../oracles/istiod.ts";
import { addressesOf } from "./places.ts";
import type { MadeWorld } from "./worlds.ts";

/** What an observation is read by. */
export interface Context {
  readonly made: MadeWorld;
  readonly generated: Generated;
}

/** In what an answer of the engine and what the data plane did contradict each other; undefined where they agree. */
export function contradiction(effect: Effect, observed: Observed, request: Request, context: Context): string | undefined {
  switch (effect.type) {
    case "invalid":
      return observed.type === "refused" ? undefined : `refused by Envoy was expected, not ${observed.type}`;
    case "close":
      // Here routes stand inside their listener: a bad one takes every chain of it along, and what another chain does is not seen.
      if (observed.type === "refused" && observed.reason.includes("RouteConfigurationValidationError")) return undefined;
      return observed.type === "closed" ? undefined : `a closed connection was expected, not ${told(observed)}`;
    case "passthrough":
      return clusterOf(observed) === "PassthroughCluster" ? undefined : `passthrough was expected, not ${told(observed)}`;
    case "notFound":
      return observed.type === "answered" && observed.status === 404 && observed.received === undefined && observed.body === "" ? changedHeaders(undefined, observed) : `404 was expected, not ${told(observed)}`;
    case "redirect":
      return ownAnswer(effect, observed) ?? (observed.type === "answered" ? isAborted(effect, observed) ? undefined : differ("location", effect.location, observed.headers.find(([name]) => name === "location")?.[1]) : undefined);
    case "respond":
      return ownAnswer(effect, observed) ?? (observed.type === "answered" ? isAborted(effect, observed) ? undefined : (observed.status === 204 || observed.status === 304 || observed.received !== undefined ? undefined : differ("body", effect.body, observed.body)) ?? cors(effect, observed, request) : undefined);
    case "forward":
      return forwarded(effect, observed, request, context);
  }
}

function told(observed: Observed): string {
  return observed.type === "answered" ? `${observed.status} ${observed.details ?? ""} ${observed.cluster ?? ""} ${observed.body.slice(0, 200)}` : JSON.stringify(observed).slice(0, 600);
}

function differ(what: string, wanted: unknown, found: unknown): string | undefined {
  return canonical(wanted) === canonical(found) ? undefined : `${what}: ${canonical(wanted)} was expected, not ${canonical(found)}`;
}

function clusterOf(observed: Observed): string | undefined {
  return observed.type === "connected" || observed.type === "answered" ? observed.cluster : undefined;
}

/** The fault filter answered, as it does where it aborts every request. */
function isAborted(effect: { readonly fault?: ForwardEffect["fault"] }, observed: Answered): boolean {
  return effect.fault?.abort !== undefined && effect.fault.abort.share >= 1_000_000 && observed.body === "fault filter abort" && (effect.fault.abort.grpc === true || effect.fault.abort.status === observed.status);
}

function ownAnswer(effect: Extract<Effect, { type: "redirect" | "respond" }>, observed: Observed): string | undefined {
  if (observed.type !== "answered") return `${effect.status} was expected, not ${told(observed)}`;
  if (isAborted(effect, observed)) return undefined;
  if (observed.received !== undefined) return `an answer of the proxy was expected, not ${told(observed)}`;
  if (observed.status !== effect.status) return `status ${effect.status} was expected, not ${told(observed)}`;
  return changedHeaders(effect.headers?.response, observed) ;
}

/** Headers of answers that proxies and servers write of their own. */
const ownOfAnswers = /^(content-length|content-type|date|server|connection|keep-alive|vary|location|transfer-encoding|x-envoy-.*|access-control-.*|grpc-.*)$/;
const ownOfRequests = /^(host|content-length|connection|authorization|transfer-encoding|x-request-id|x-forwarded-.*|x-envoy-.*|x-oracle-.*|grpc-timeout)$/;

function changedHeaders(changes: Readonly<Record<string, LineChange>> | undefined, observed: Answered): string | undefined {
  const names = new Set([...Object.keys(changes ?? {}), ...observed.headers.map(([name]) => name)]);
  for (const name of names) {
    const change = changes?.[name];
    if (change === undefined && ownOfAnswers.test(name)) continue;
    const before = observed.received !== undefined && name === ANSWERED[0] ? [ANSWERED[1]] : [];
    const wrong = differ(`response header ${name}`, change === undefined ? before : [...(change.keep ? before : []), ...change.lines], linesOf(observed.headers, name));
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function linesOf(headers: readonly Line[], name: string): readonly string[] {
  return headers.filter(([header]) => header === name).map(([, value]) => value);
}

function forwarded(effect: ForwardEffect, observed: Observed, request: Request, context: Context): string | undefined {
  if (observed.type === "connected") return effect.destinations.some((share) => !("invalid" in share) && leadsTo(share, observed.cluster, context) === undefined) ? undefined : `${canonical(effect.destinations)} was expected, not ${observed.cluster}`;
  if (observed.type === "closed" && observed.type !== undefined) return effect.destinations.some((share) => "invalid" in share) && request.path === "/" ? undefined : `${canonical(effect)} was expected, not a closed connection`;
  if (observed.type !== "answered") return `${canonical(effect)} was expected, not ${told(observed)}`;
  const fields = generatedFields(effect, observed.route, context.generated);
  if (fields !== undefined) return fields;
  if (isAborted(effect, observed)) return undefined;
  const complaints = effect.destinations.map((share) => taken(share, effect, observed, request, context));
  return complaints.includes(undefined) ? cors(effect, observed, request) : complaints[0];
}

/** Some headers have one line inside Envoy, whoever sent several. */
function asOne(name: string, lines: readonly string[]): readonly string[] {
  return isJoined(name) && lines.length > 1 ? [lines.join(",")] : lines;
}

/** What speaks against a request having gone to a share. */
function taken(share: DestinationEffect, effect: ForwardEffect, observed: Answered, request: Request, context: Context): string | undefined {
  if ("invalid" in share) {
    if (share.status === 0) return "an abort was expected";
    return observed.received === undefined && observed.status === share.status ? changedHeaders(share.headers?.response, observed) : `status ${share.status} was expected, not ${told(observed)}`;
  }
  const { received } = observed;
  if (received === undefined) return `${share.host}:${share.port} was expected, not ${told(observed)}`;
  const names = new Set([...request.headers.map(([name]) => name), ...received.headers.map(([name]) => name), ...Object.keys(share.headers?.request ?? {})]);
  for (const name of names) {
    const changed = share.headers?.request?.[name];
    if (changed === undefined && ownOfRequests.test(name)) continue;
    const wrong = differ(`request header ${name}`, asOne(name, changed ?? linesOf(request.headers, name)), asOne(name, linesOf(received.headers, name)));
    if (wrong !== undefined) return wrong;
  }
  return (
    leadsTo(share, observed.cluster ?? "", context) ??
    differ("method", request.method, received.method) ??
    differ("path", effect.rewrite?.path ?? request.path, received.path) ??
    differ("authority", share.authority ?? request.authority, linesOf(received.headers, "host")[0]) ??
    changedHeaders(share.headers?.response, observed)
  );
}

/** What speaks against a cluster being a share's: its name, and the pods behind it where they are known. */
function leadsTo(share: Extract<DestinationEffect, { host: string }>, cluster: string, { made, generated }: Context): string | undefined {
  const [, port, , host] = cluster.split("|");
  const wrong = differ("destination", `${share.host}:${share.port}`, `${host}:${port}`);
  if (wrong !== undefined || cluster.split("|")[2] === "") return wrong ?? (share.subset === undefined ? undefined : `subset ${canonical(share.subset)} was expected, not ${cluster}`);
  // A cluster that passes on to where the client went has no list of pods.
  const config = generated.clusters.find((candidate) => textAt(candidate, "name") === cluster);
  if (textAt(config, "type") === "ORIGINAL_DST") return undefined;
  const named = share.subset?.[SUBSET];
  if (named !== undefined) return differ("subset", named, cluster.split("|")[2]);
  const addresses = addressesOf(made, share.host, share.subset ?? {});
  return addresses === undefined ? undefined : differ(`pods of ${cluster}`, addresses, generated.endpoints[cluster] ?? []);
}

function cors(effect: Pick<ForwardEffect, "cors">, observed: Answered, request: Request): string | undefined {
  const said = (name: string): string | undefined => linesOf(observed.headers, `access-control-${name}`)[0];
  const words = (lists: readonly string[]): readonly string[] => lists.flatMap((list) => list.split(",")).filter((word) => word !== "").sort();
  const list = (name: string): readonly string[] => words([said(name) ?? ""]);
  const { cors: rules } = effect;
  if (rules === undefined) return differ("cross-origin headers", [], observed.headers.filter(([name]) => name.startsWith("access-control-")));
  const origin = request.headers.find(([name]) => name === "origin")?.[1];
  const preflight = "preflight" in rules ? differ("allowed methods", words(rules.methods ?? []), list("allow-methods")) ?? differ("allowed headers", words(rules.headers ?? []), list("allow-headers")) ?? differ("age", rules.maxAge?.toString(), said("max-age")) : differ("exposed", rules.expose ?? [], list("expose-headers"));
  return differ("allowed origin", rules.origin === "allowed" ? origin : undefined, said("allow-origin")) ?? preflight ?? differ("credentials", rules.credentials === true ? "true" : undefined, said("allow-credentials"));
}

/** What one exchange does not show, as it was generated, in the words of effects. */
function fieldsOf(route: JsonObject, generated: Generated): JsonObject {
  const action = objectAt(route, "route");
  const timeout = milliseconds(textAt(action, "timeout")) ?? 0;
  const fault = faultOf(objectAt(objectAt(route, "typed_per_filter_config"), "envoy.filters.http.fault"));
  const isWhole = fault?.["abort"] !== undefined && numberAt(fault["abort"], "share") >= 1_000_000;
  return {
    ...(timeout === 0 || isWhole ? {} : { timeout }),
    ...(isWhole ? {} : { retries: retriesOf(action, timeout), mirror: mirrorsOf(action, generated) }),
    fault,
  };
}

function generatedFields(effect: ForwardEffect, route: JsonObject | undefined, generated: Generated): string | undefined {
  // The virtual hosts for all others are no routes of the engine.
  if (route === undefined) return undefined;
  const fields = fieldsOf(route, generated);
  return (
    (effect.fault?.abort !== undefined && effect.fault.abort.share >= 1_000_000 ? undefined : differ("shares", proportions(effect.destinations.map((share) => ["invalid" in share ? "nowhere" : `${share.host}:${share.port}`, share.weight])), proportions(generatedShares(route, generated)))) ??
    differ("fault", effect.fault, fields["fault"]) ??
    differ("timeout", effect.timeout, fields["timeout"]) ??
    differ("retries", effect.retries, fields["retries"]) ??
    differ("mirrors", (effect.mirror ?? []).map(({ host, port, share, shadowHost }) => canonical({ host, port, share, shadowHost: shadowHost === true })).sort(), fields["mirror"] ?? [])
  );
}

function generatedShares(route: JsonObject, generated: Generated): readonly (readonly [string, number])[] {
  const action = objectAt(route, "route");
  const shares = listAt(objectAt(action, "weighted_clusters"), "clusters");
  const named = shares.length === 0 ? [[textAt(action, "cluster"), 1] as const] : shares.map((share) => [textAt(share, "name"), numberAt(share, "weight")] as const);
  return named.map(([cluster, weight]) => {
    const [, port, , host] = cluster.split("|");
    return [generated.clusters.some((candidate) => textAt(candidate, "name") === cluster) ? `${host}:${port}` : "nowhere", weight];
  });
}

/** Parts of a whole by name. */
function proportions(weights: readonly (readonly [string, number])[]): JsonObject {
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  const out = new Map<string, number>();
  for (const [name, weight] of weights) if (weight > 0) out.set(name, (out.get(name) ?? 0) + weight);
  return Object.fromEntries([...out].map(([name, weight]) => [name, (weight / sum).toFixed(9)]));
}

function retriesOf(action: JsonObject, timeout: number): unknown {
  const policy = objectAt(action, "retry_policy");
  if (Object.keys(policy).length === 0) return undefined;
  const backoff = objectAt(policy, "retry_back_off");
  const base = milliseconds(textAt(backoff, "base_interval"));
  const perTryTimeout = milliseconds(textAt(policy, "per_try_timeout"));
  return seenRetries({
    attempts: at(policy, "num_retries") === undefined ? 1 : numberAt(policy, "num_retries"),
    on: textAt(policy, "retry_on").split(","),
    codes: listAt(policy, "retriable_status_codes").map(Number),
    ...(perTryTimeout === undefined ? {} : { perTryTimeout }),
    ...(base === undefined ? {} : { backoff: { base, max: milliseconds(textAt(backoff, "max_interval")) ?? base * 10 } }),
    otherHosts: listAt(policy, "retry_host_predicate").length > 0,
    remoteLocalities: at(policy, "retry_priority") !== undefined,
  }, timeout);
}

function mirrorsOf(action: JsonObject, generated: Generated): readonly string[] {
  // A copy for a cluster that is not there goes nowhere.
  const isThere = (cluster: string): boolean => generated.clusters.some((candidate) => textAt(candidate, "name") === cluster);
  return listAt(action, "request_mirror_policies").flatMap((policy): string[] => {
    const [, port = "", , host = ""] = textAt(policy, "cluster").split("|");
    const share = shareOf(objectAt(objectAt(policy, "runtime_fraction"), "default_value"));
    const mirror: Pick<Mirror, "host" | "port" | "share" | "shadowHost"> = { host, port: Number(port), share, shadowHost: at(policy, "disable_shadow_host_suffix_append") !== true };
    return share === 0 || !isThere(textAt(policy, "cluster")) ? [] : [canonical(mirror)];
  }).sort();
}

const scales = new Map([["HUNDRED", 10_000], ["TEN_THOUSAND", 100], ["MILLION", 1]]);

function shareOf(fraction: JsonObject): number {
  return numberAt(fraction, "numerator") * (scales.get(textAt(fraction, "denominator") || "HUNDRED") ?? Number.NaN);
}

function faultOf(fault: JsonObject): JsonObject | undefined {
  const delay = objectAt(fault, "delay"), abort = objectAt(fault, "abort");
  const delayed = shareOf(objectAt(delay, "percentage")), aborted = shareOf(objectAt(abort, "percentage"));
  if (delayed === 0 && aborted === 0) return undefined;
  const grpc = at(abort, "grpc_status") !== undefined;
  return {
    ...(delayed === 0 ? {} : { delay: { milliseconds: milliseconds(textAt(delay, "fixed_delay")), share: delayed } }),
    ...(aborted === 0 ? {} : { abort: { status: numberAt(abort, grpc ? "grpc_status" : "http_status"), share: aborted, ...(grpc ? { grpc } : {}) } }),
  };
}

/** Everything by which two observations can be told apart, one text for one meaning; `luck` tells also what was drawn by chance. */
export function seenIn(observed: Observed, { generated }: Context, luck: boolean): string {
  if (observed.type !== "answered") return canonical(observed.type === "connected" ? { cluster: leadsWhere(observed.cluster, generated) } : { type: observed.type });
  const { received, route } = observed;
  const own = (headers: readonly Line[], pattern: RegExp): readonly Line[] => headers.filter(([name]) => !pattern.test(name) || name.startsWith("access-control-") || name === "location" || name === "host").toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const shares = route === undefined ? undefined : sharesOf(route, generated);
  // Without a cluster nothing is tried, copied or waited for.
  const fields = route === undefined || (shares === undefined && (observed.details === "cluster_not_found" || observed.details === "direct_response")) ? route && { fault: fieldsOf(route, generated)["fault"] } : { ...fieldsOf(route, generated), hash: hashes(route, generated) ? at(objectAt(route, "route"), "hash_policy") : null };
  if (shares !== undefined && !luck) return canonical({ shares, fields, operations: OPERATIONS.map((key) => at(route, key)) });
  return canonical({
    status: observed.status,
    headers: own(observed.headers, ownOfAnswers),
    ...(received === undefined ? { body: observed.body } : { method: received.method, path: received.path, headersReceived: own(received.headers, ownOfRequests) }),
    cluster: received === undefined ? undefined : leadsWhere(observed.cluster ?? "", generated),
    fields,
    shares,
  });
}

const OPERATIONS = ["request_headers_to_add", "request_headers_to_remove", "response_headers_to_add", "response_headers_to_remove"] as const;

function leadsWhere(cluster: string, generated: Generated): unknown {
  const [, port, , host] = cluster.split("|");
  const config = generated.clusters.find((candidate) => textAt(candidate, "name") === cluster);
  // What a cluster does beside its name and addresses: TLS, balancing, limits.
  const { name: _name, eds_cluster_config: _eds, metadata: _metadata, alt_stat_name: _stat, ...policy } = (typeof config === "object" && config !== null ? config : {}) as Record<string, unknown>;
  return { host, port, endpoints: generated.endpoints[cluster], policy };
}

/** Does anything balance by the hash of the route? Istio writes it for each destination with a consistent hash, also where the cluster is missing or balances nothing. */
function hashes(route: JsonObject, { clusters }: Generated): boolean {
  const action = objectAt(route, "route");
  const names = new Set([textAt(action, "cluster"), ...listAt(objectAt(action, "weighted_clusters"), "clusters").map((share) => textAt(share, "name"))]);
  return clusters.some((cluster) => names.has(textAt(cluster, "name")) && ["RING_HASH", "MAGLEV"].includes(textAt(cluster, "lb_policy") ?? ""));
}

/** Shares that look alike add up; one alone is all. */
function sharesOf(route: JsonObject, generated: Generated): JsonObject | undefined {
  const shares = listAt(objectAt(objectAt(route, "route"), "weighted_clusters"), "clusters");
  const sum = shares.reduce((total: number, share) => total + numberAt(share, "weight"), 0);
  const out = new Map<string, number>();
  for (const share of shares) {
    const isThere = generated.clusters.some((candidate) => textAt(candidate, "name") === textAt(share, "name"));
    const changes = ["request_headers_to_add", "request_headers_to_remove"].map((key) => (isThere ? at(share, key) : undefined));
    const key = canonical([isThere ? leadsWhere(textAt(share, "name"), generated) : "nowhere", ...changes, at(share, "response_headers_to_add"), at(share, "response_headers_to_remove")]);
    out.set(key, (out.get(key) ?? 0) + numberAt(share, "weight") / sum);
  }
  return out.size < 2 ? undefined : Object.fromEntries([...out].map(([key, share]) => [key, share.toFixed(9)]));
}
