import type { Action, Backend, Cors, Destination, Failure, Fault, Forward, HeaderOperation, Mirror, PathRewrite, Redirect, Respond, Retries, Unmodelled } from "../../decide/model.ts";
import { satisfies } from "../../decide/effect.ts";
import { Regexes } from "../../decide/regexes.ts";
import type { Destinations, Target } from "./destinations.ts";
import { at, isObject, type Json, type JsonObject, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import { type Matched, stringOf } from "./matches.ts";
import type { IstiodReading } from "./versions.ts";
import { fromBase64, milliseconds, millionths, toText } from "./values.ts";
import type { HttpRule } from "./virtual-services.ts";

/** What an action depends on beside its rule. */
export interface Circumstances {
  readonly port: number;
  readonly tls: boolean;
  readonly destinations: Destinations;
  /** The mesh's `HTTPRetry` for rules that have none. */
  readonly retries: JsonObject | undefined;
  readonly reading: IstiodReading;
}

/** An action, or why Envoy refuses the configuration that holds it. */
export interface Acted {
  readonly action: Action;
  readonly unmodelled: readonly Unmodelled[];
}

/** route.go `TranslateRoute` below the match: redirect before direct response before route. */
export function actionOf(rule: HttpRule, matched: Matched, circumstances: Circumstances): Acted {
  const { spec } = rule;
  const fault = faultOf(at(spec, "fault"));
  const redirect = at(spec, "redirect"), response = at(spec, "directResponse");
  if (isObject(redirect)) return { action: redirectOf(spec, redirect, matched, circumstances, fault), unmodelled: [] };
  if (isObject(response)) return { action: responseOf(spec, response, fault), unmodelled: [] };
  return forwardOf(rule, matched, circumstances, fault);
}

const redirectCodes: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** route.go `ApplyRedirect`. */
function redirectOf(spec: JsonObject, redirect: JsonObject, matched: Matched, { port, tls }: Circumstances, fault: Fault | undefined): Action {
  const status = numberAt(redirect, "redirectCode") || 301;
  if (!redirectCodes.has(status)) return { type: "invalid", reason: `redirectCode ${status} gives a route without action` };
  const scheme = textAt(redirect, "scheme"), authority = textAt(redirect, "authority");
  if (textAt(redirect, "derivePort") === "SPECIFICATION") return specifiedRedirect(spec, redirect, status, { port, tls }, fault);
  const asked = at(redirect, "port") === undefined ? (textAt(redirect, "derivePort") === "FROM_REQUEST_PORT" ? port : 0) : numberAt(redirect, "port");
  const effective = scheme || (tls ? "https" : "http");
  const elided = (asked === 80 && effective === "http") || (asked === 443 && effective === "https") ? 0 : asked;
  const prefix = textAt(redirect, "prefixRewrite"), uri = textAt(redirect, "uri");
  const given = modelledPath(redirect);
  const path: PathRewrite | undefined = given !== undefined ? given : prefix !== "" ? rewriteBy(prefix, matched) : uri === "" ? undefined : { kind: "replace", value: uri };
  const response = responseOperations(at(spec, "headers"));
  const out: Redirect = {
    type: "redirect",
    status,
    ...(scheme === "" ? {} : { scheme }),
    ...(authority === "" ? {} : { authority }),
    ...(elided === 0 ? {} : { port: elided }),
    ...(path === undefined ? {} : { path }),
    ...(response.length === 0 ? {} : { response }),
    ...(fault === undefined ? {} : { fault }),
  };
  return out;
}

/** A redirect as the specification of Gateway API has it: the port is the one given, or the scheme's, or the listener's, and left out where it is the default. */
function specifiedRedirect(spec: JsonObject, redirect: JsonObject, status: number, { port, tls }: Pick<Circumstances, "port" | "tls">, fault: Fault | undefined): Redirect {
  const scheme = textAt(redirect, "scheme"), authority = textAt(redirect, "authority");
  const effective = scheme || (tls ? "https" : "http");
  const standard = effective === "https" ? 443 : 80;
  const asked = numberAt(redirect, "port") || (scheme === "" ? port : standard);
  const path = modelledPath(redirect);
  const response = responseOperations(at(spec, "headers"));
  return {
    type: "redirect",
    status,
    ...(scheme === "" ? {} : { scheme }),
    ...(authority === "" ? {} : { authority }),
    ...(asked === standard ? { dropPort: true } : { port: asked }),
    ...(path === undefined ? {} : { path }),
    ...(response.length === 0 ? {} : { response }),
    ...(fault === undefined ? {} : { fault }),
  };
}

/** The change of a path that a rule of Gateway API carries; a VirtualService that names one is refused by its shape. */
function modelledPath(from: JsonObject): PathRewrite | undefined {
  const path = at(from, "path");
  const value = textAt(path, "value");
  switch (textAt(path, "kind")) {
    case "replace": return { kind: "replace", value };
    case "prefix": return { kind: "prefix", length: numberAt(path, "length"), value };
    case "regex": return { kind: "regex", pattern: textAt(path, "pattern"), substitution: textAt(path, "substitution") };
    default: return undefined;
  }
}

/** A prefix rewrite follows the form of the match: the prefix gives way, or the whole path. */
function rewriteBy(value: string, matched: Matched): PathRewrite {
  return matched.prefix === undefined ? { kind: "replace", value } : { kind: "prefix", length: matched.prefix, value };
}

/** route.go `ApplyDirectResponse`. */
function responseOf(spec: JsonObject, direct: JsonObject, fault: Fault | undefined): Respond {
  const body = objectAt(direct, "body");
  const response = responseOperations(at(spec, "headers"));
  return {
    type: "respond",
    status: numberAt(direct, "status"),
    body: textAt(body, "string") || toText(fromBase64(textAt(body, "bytes"))),
    ...(response.length === 0 ? {} : { response }),
    ...(fault === undefined ? {} : { fault }),
  };
}

function responseOperations(headers: Json): readonly HeaderOperation[] {
  const pass = passOf(objectAt(headers, "response"));
  return [...pass.removed, ...pass.set, ...pass.added];
}

/** weighted_cluster_specifier.cc: the largest `uint32`. */
const maxTotalWeight = 4_294_967_295;

/** route.go `applyHTTPRouteDestination`. */
function forwardOf(rule: HttpRule, matched: Matched, circumstances: Circumstances, fault: Fault | undefined): Acted {
  const { spec } = rule;
  const routes = listAt(spec, "route");
  const weighted = routes.length !== 1;
  const taken = weighted ? routes.filter((route) => numberAt(route, "weight") !== 0) : routes;
  if (taken.length === 0) return { action: { type: "invalid", reason: "a route without any destination" }, unmodelled: [] };
  const total = weighted ? taken.reduce<number>((sum, route) => sum + numberAt(route, "weight"), 0) : 0;
  if (total > maxTotalWeight) return { action: { type: "invalid", reason: `weights that sum to ${total}, and Envoy takes at most ${maxTotalWeight}` }, unmodelled: [] };
  const found = new Found(circumstances);
  const outer = operationsOf(at(spec, "headers"));
  const host = textAt(objectAt(spec, "rewrite"), "authority") || outer.authority;
  const destinations: Destination[] = [];
  let isHashed = false;
  for (const route of taken) {
    const target = found.target(at(route, "destination"), rule.namespace);
    isHashed ||= target.hashed;
    destinations.push(destinationOf(spec, route, target, outer, host, weighted));
  }
  const retries = retriesOf(at(spec, "retries") ?? circumstances.retries, !weighted && isHashed, circumstances.reading);
  const rewritePath = rewriteOf(objectAt(spec, "rewrite"), matched);
  const timeout = milliseconds(textAt(spec, "timeout")) ?? 0;
  const mirrors = mirrorsOf(rule, found, circumstances.reading);
  const cors = corsOf(at(spec, "corsPolicy"));
  const action: Writable<Forward> = { type: "forward", destinations };
  if (rewritePath !== undefined) action.rewritePath = rewritePath;
  if (timeout !== 0) action.timeout = timeout;
  if (retries !== undefined) action.retries = retries;
  if (mirrors.length > 0) action.mirrors = mirrors;
  if (fault !== undefined) action.fault = fault;
  if (cors !== undefined) action.cors = cors;
  return { action, unmodelled: found.unmodelled };
}

/** Finds the targets of one rule, and keeps what is not modelled of them. */
class Found {
  unmodelled: readonly Unmodelled[] = nothingLeft;
  private readonly circumstances: Circumstances;

  constructor(circumstances: Circumstances) {
    this.circumstances = circumstances;
  }

  target(destination: Json, namespace: string): Target {
    const { destinations, port } = this.circumstances;
    const target = destinations.target(destination, namespace, port);
    if (target.unmodelled !== undefined) this.unmodelled = [...this.unmodelled, target.unmodelled];
    return target;
  }
}

const nothingLeft: readonly Unmodelled[] = [];

/** One share. The two levels of header operations are one pass for a single destination, and two for weighted ones (route.go `processDestination`, `processWeightedDestination`). */
function destinationOf(spec: JsonObject, route: Json, target: Target, outer: Operations, host: string, weighted: boolean): Destination {
  const inner = operationsOf(at(route, "headers"));
  const join = weighted ? inTwoPasses : inOnePass;
  const request = join(outer.request, inner.request), response = join(outer.response, inner.response);
  const weight = weighted ? numberAt(route, "weight") : 1;
  if (target.missing) {
    const failure: Writable<Failure> = { invalid: true, status: numberAt(spec, "missingStatus") || 503, weight };
    if (response.length > 0) failure.response = response;
    return failure;
  }
  const authority = host || inner.authority;
  const backend: Writable<Backend> = { host: target.host, port: target.port, weight };
  if (target.subset !== undefined) backend.subset = target.subset;
  if (target.policy !== undefined) backend.policy = target.policy;
  if (authority !== "") backend.authority = authority;
  if (request.length > 0) backend.request = request;
  if (response.length > 0) backend.response = response;
  return backend;
}

/** What is made field by field: a spread makes an object for each field that may be there. */
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** One list of operations as Envoy applies it: removals, then overwrites, then additions (header_parser.cc `evaluateHeaders`). */
interface Pass {
  readonly removed: readonly HeaderOperation[];
  readonly set: readonly HeaderOperation[];
  readonly added: readonly HeaderOperation[];
}

const idle: Pass = { removed: [], set: [], added: [] };
const unchanged: readonly HeaderOperation[] = [];

function inOnePass(outer: Pass, inner: Pass): readonly HeaderOperation[] {
  if (outer === idle && inner === idle) return unchanged;
  return [...outer.removed, ...inner.removed, ...outer.set, ...inner.set, ...outer.added, ...inner.added];
}

function inTwoPasses(outer: Pass, inner: Pass): readonly HeaderOperation[] {
  if (outer === idle && inner === idle) return unchanged;
  return [...inner.removed, ...inner.set, ...inner.added, ...outer.removed, ...outer.set, ...outer.added];
}

interface Operations {
  readonly request: Pass;
  readonly response: Pass;
  readonly authority: string;
}

const noOperations: Operations = { request: idle, response: idle, authority: "" };

function operationsOf(headers: Json): Operations {
  if (!isObject(headers)) return noOperations;
  const request = objectAt(headers, "request");
  return { request: passOf(request), response: passOf(objectAt(headers, "response")), authority: authorityIn(objectAt(request, "set")) || authorityIn(objectAt(request, "add")) };
}

function authorityIn(headers: JsonObject): string {
  for (const [name, value] of Object.entries(headers)) if (/^(host|:authority)$/i.test(name) && typeof value === "string") return value;
  return "";
}

/** route.go `TranslateHeadersOperations`: names sorted, Host and pseudo-headers left out; Envoy skips empty values. */
function passOf(operations: JsonObject): Pass {
  if (isEmpty(operations)) return idle;
  const names = textsAt(operations, "remove");
  const removed = names.length === 0 ? unchanged : names.filter((name) => !isInternal(name)).map((name) => ({ op: "remove" as const, name: name.toLowerCase() }));
  return { removed, set: writes("set", objectAt(operations, "set")), added: writes("add", objectAt(operations, "add")) };
}

function writes(op: "set" | "add", headers: JsonObject): readonly HeaderOperation[] {
  if (isEmpty(headers)) return unchanged;
  return Object.entries(headers)
    .filter(([name, value]) => !isInternal(name) && typeof value === "string" && value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ op, name: name.toLowerCase(), value: String(value) }));
}

function isInternal(name: string): boolean {
  return name.startsWith(":") || name.toLowerCase() === "host";
}

function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false;
  return true;
}

function rewriteOf(rewrite: JsonObject, matched: Matched): PathRewrite | undefined {
  const path = modelledPath(rewrite);
  if (path !== undefined) return path;
  const regex = at(rewrite, "uriRegexRewrite");
  if (isObject(regex)) return { kind: "regex", pattern: textAt(regex, "match"), substitution: textAt(regex, "rewrite") };
  const uri = textAt(rewrite, "uri");
  return uri === "" ? undefined : rewriteBy(uri, matched);
}

const defaultOn: readonly string[] = ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"];

const hashedRetries: Retries = { attempts: 2, on: defaultOn };
const usualRetries: Retries = { attempts: 2, on: defaultOn, otherHosts: true };

/** networking/core/route/retry/retry.go `ConvertPolicy`; `undefined` is "tried once". */
export function retriesOf(policy: Json, hashed: boolean, reading: IstiodReading): Retries | undefined {
  if (isObject(policy) === false && !reading.retries503) return hashed ? hashedRetries : usualRetries;
  const standard = { on: defaultOn, ...(reading.retries503 ? { codes: [503] } : {}), ...(hashed ? {} : { otherHosts: true }) };
  if (!isObject(policy)) return { attempts: 2, ...standard };
  const attempts = numberAt(policy, "attempts");
  if (attempts <= 0) return undefined;
  const asked = textAt(policy, "retryOn");
  const perTry = milliseconds(textAt(policy, "perTryTimeout")) ?? 0;
  const base = milliseconds(textAt(policy, "backoff"));
  const ignore = at(policy, "retryIgnorePreviousHosts");
  const otherHosts = typeof ignore === "boolean" ? ignore : !hashed;
  return {
    attempts,
    ...(asked === "" ? { on: standard.on, ...(reading.retries503 ? { codes: [503] } : {}) } : retryOn(asked)),
    ...(perTry === 0 ? {} : { perTryTimeout: perTry }),
    ...(base === undefined ? {} : { backoff: { base, max: base * 10 } }),
    ...(otherHosts ? { otherHosts } : {}),
    ...(at(policy, "retryRemoteLocalities") === true ? { remoteLocalities: true } : {}),
  };
}

/** retry.go `parseRetryOn`: numbers that are HTTP codes become codes. */
function retryOn(text: string): { readonly on: readonly string[]; readonly codes?: readonly number[] } {
  const words = text.split(",").map((word) => word.trim()).filter((word) => word !== "");
  const codes = words.filter((word) => /^[+]?\d+$/.test(word) && isHttpCode(Number(word))).map(Number);
  const on = words.filter((word) => !(/^[+]?\d+$/.test(word) && isHttpCode(Number(word))));
  if (codes.length === 0) return { on };
  return { on: on.some((word) => word.includes("retriable-status-codes")) ? on : [...on, "retriable-status-codes"], codes };
}

/** Codes that Go's net/http has a text for. */
function isHttpCode(code: number): boolean {
  const ranges: readonly (readonly [number, number])[] = [[100, 103], [200, 208], [226, 226], [300, 305], [307, 308], [400, 418], [421, 426], [428, 429], [431, 431], [451, 451], [500, 508], [510, 511]];
  return ranges.some(([low, high]) => code >= low && code <= high);
}

/** route.go `TranslateFault`: without a percentage a delay has the share of `percent`, an abort none. */
function faultOf(fault: Json): Fault | undefined {
  if (!isObject(fault)) return undefined;
  const delay = objectAt(fault, "delay"), abort = objectAt(fault, "abort");
  const length = milliseconds(textAt(delay, "fixedDelay"));
  const delayed = isObject(at(delay, "percentage")) ? millionths(at(delay, "percentage")) : numberAt(delay, "percent") * 10_000;
  const share = isObject(at(abort, "percentage")) ? millionths(at(abort, "percentage")) : 0;
  const grpc = textAt(abort, "grpcStatus");
  const status = grpc === "" ? numberAt(abort, "httpStatus") : (grpcCodes.get(grpc) ?? -1);
  const out: Fault = {
    ...(length === undefined || delayed <= 0 ? {} : { delay: { milliseconds: length, share: delayed } }),
    ...(share <= 0 || (grpc === "" && at(abort, "httpStatus") === undefined) ? {} : { abort: { status, share, ...(grpc === "" ? {} : { grpc: true }) } }),
  };
  return out.delay === undefined && out.abort === undefined ? undefined : out;
}

const grpcCodes: ReadonlyMap<string, number> = new Map([
  "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
].map((name, code) => [name, code]));

/** route.go `MirrorPercent`, `MirrorPercentByPolicy`: without a percentage all requests, with 0 none. */
function mirrorsOf(rule: HttpRule, found: Found, reading: IstiodReading): readonly Mirror[] {
  const { spec } = rule;
  if (at(spec, "mirror") === undefined && at(spec, "mirrors") === undefined) return noMirrors;
  return writtenMirrors(rule, found, reading);
}

const noMirrors: readonly Mirror[] = [];

function writtenMirrors(rule: HttpRule, found: Found, reading: IstiodReading): readonly Mirror[] {
  const { spec } = rule;
  const out: Mirror[] = [];
  const add = (destination: Json, namespace: string, share: number): void => {
    if (!isObject(destination) || share <= 0) return;
    const target = found.target(destination, namespace);
    // A mirror without cluster is dropped by Envoy; nobody sees a difference.
    if (target.missing) return;
    out.push({ host: target.host, port: target.port, ...(target.subset === undefined ? {} : { subset: target.subset }), share, ...(reading.shadowHost ? { shadowHost: true } : {}) });
  };
  const whole = 1_000_000;
  const percentage = at(spec, "mirrorPercentage"), percent = at(spec, "mirrorPercent");
  add(at(spec, "mirror"), rule.mirrorNamespace, isObject(percentage) ? millionths(percentage) : typeof percent === "number" ? percent * 10_000 : whole);
  for (const mirror of listAt(spec, "mirrors")) {
    const own = at(mirror, "percentage");
    add(at(mirror, "destination"), rule.mirrorsNamespace, isObject(own) ? millionths(own) : whole);
  }
  return out;
}

/** route.go `TranslateCORSPolicy`. Without origins it does something only where preflights are to be answered. */
function corsOf(policy: Json): Cors | undefined {
  if (!isObject(policy)) return undefined;
  const written = listAt(policy, "allowOrigins").length > 0
    ? listAt(policy, "allowOrigins").flatMap((origin) => stringOf(origin) ?? [])
    : textsAt(policy, "allowOrigin").map((value) => ({ kind: "exact" as const, value }));
  // What takes a star takes every origin (cors_filter.cc `isOriginAllowed`).
  const origins = written.map((match) => (satisfies(match, "*", "bytes", new Regexes()) ? { kind: "prefix" as const, value: "" } : match));
  const answerUnmatched = textAt(policy, "unmatchedPreflights") === "IGNORE";
  if (origins.length === 0 && !answerUnmatched) return undefined;
  const list = (from: string, to: string): Record<string, readonly string[]> => (textsAt(policy, from).length === 0 ? {} : { [to]: textsAt(policy, from) });
  const age = milliseconds(textAt(policy, "maxAge"));
  return {
    origins,
    ...list("allowMethods", "methods"), ...list("allowHeaders", "headers"), ...list("exposeHeaders", "expose"),
    ...(age === undefined ? {} : { maxAge: Math.trunc(age / 1000) }),
    ...(at(policy, "allowCredentials") === true ? { credentials: true } : {}),
    ...(answerUnmatched ? { answerUnmatched } : {}),
  };
}
