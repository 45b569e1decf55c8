/**
 * Effects: what an action does to one request, as the client and the backend see it.
 *
 * Two actions agree on a request exactly when their effects are the same value. Whatever cannot be seen (names, common factors of
 * weights, order of sets, retries that never happen) is gone from an effect; its JSON form is that of the contract.
 *
 * @module
 */

import { lowerAscii, toBytes, toText } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import { replaceAll } from "../languages/matcher.ts";
import type { TextReading } from "../languages/re2-syntax.ts";
import { portStart, withoutPort } from "./hosts.ts";
import type { Action, Cors, Destination, Fault, Forward, HeaderOperation, Mirror, PathRewrite, Redirect, Respond, Retries, StringMatch, Text } from "./model.ts";
import { splitQuery } from "./paths.ts";
import type { Regexes } from "./regexes.ts";

/** What happens to a request. */
export type Effect =
  | ForwardEffect
  | { readonly type: "redirect"; readonly status: number; readonly location: Text; readonly headers?: HeaderEffect; readonly fault?: Fault }
  | { readonly type: "respond"; readonly status: number; readonly body: Text; readonly headers?: HeaderEffect; readonly fault?: Fault; readonly cors?: CorsEffect }
  | { readonly type: "notFound" }
  | { readonly type: "passthrough" }
  | { readonly type: "close" }
  | { readonly type: "invalid"; readonly reason: string };

/** A request that reaches a backend. `rewrite` holds what the backend receives otherwise than the client sent it. */
export interface ForwardEffect {
  readonly type: "forward";
  readonly destinations: readonly DestinationEffect[];
  readonly rewrite?: { readonly path: Text };
  readonly timeout?: number;
  readonly retries?: Retries;
  readonly mirror?: readonly Mirror[];
  readonly fault?: Fault;
  readonly cors?: CorsEffect;
}

/** One share; weights have no common factor. */
export type DestinationEffect =
  | {
      readonly host: string;
      readonly port: number;
      readonly subset?: Readonly<Record<string, string>>;
      readonly weight: number;
      readonly policy?: Readonly<Record<string, string>>;
      readonly authority?: Text;
      readonly headers?: HeaderEffect;
    }
  | { readonly invalid: true; readonly status: number; readonly weight: number; readonly headers?: HeaderEffect };

/** Header lines by name, where they change: those the backend receives, and what becomes of those that it sends. */
export interface HeaderEffect {
  readonly request?: Readonly<Record<string, readonly Text[]>>;
  readonly response?: Readonly<Record<string, LineChange>>;
}

/** A function of the lines of one header: those there were, or none, and then some more. */
export interface LineChange {
  readonly keep: boolean;
  readonly lines: readonly Text[];
}

/** What cross-origin rules make of a request that has an origin. */
export type CorsEffect =
  | { readonly origin: "allowed"; readonly expose?: readonly string[]; readonly credentials?: true }
  | { readonly origin: "allowed" | "refused"; readonly preflight: true; readonly methods?: readonly string[]; readonly headers?: readonly string[]; readonly maxAge?: number; readonly credentials?: true };

/** A request as a table sees it, in bytes. */
export interface SeenRequest {
  readonly method: Bytes;
  readonly scheme: "http" | "https";
  readonly authority: Bytes;
  /** The authority as the client sent it. */
  readonly sentAuthority: Bytes;
  /** Normalised, with query. */
  readonly target: Bytes;
  /** The target as the client sent it. */
  readonly sent: Bytes;
  /** Lines of each header that is there. */
  readonly headers: ReadonlyMap<string, readonly Bytes[]>;
  readonly regexText: TextReading;
}

/** The effect of an action on a request. Regexes have been found valid before. */
export function effectOf(action: Action, request: SeenRequest, regexes: Regexes): Effect {
  switch (action.type) {
    case "forward":
      return forward(action, request, regexes);
    case "redirect":
      return redirect(action, request, regexes);
    case "respond":
      return respond(action);
    case "notFound":
    case "passthrough":
    case "close":
      return { type: action.type };
    case "invalid":
      return { type: "invalid", reason: action.reason };
  }
}

/** One text for each effect. `invalid` equals nothing, so it must be asked for before. */
export function effectKey(effect: Effect): string {
  const [only, ...others] = effect.type === "forward" ? effect.destinations : [];
  if (effect.type !== "forward" || only === undefined || others.length > 0 || !("invalid" in only) || only.status === 0) return JSON.stringify(effect);
  // A backend that does not exist, and no other: the proxy's own answer, however it is told.
  const { headers, status } = only;
  const { fault, cors } = effect;
  const answer = { type: "respond", status, body: "", ...(headers === undefined ? {} : { headers }), ...(fault === undefined ? {} : { fault }), ...(cors === undefined ? {} : { cors }) };
  return JSON.stringify(answer);
}

function forward(action: Forward, request: SeenRequest, regexes: Regexes): Effect {
  const { fault: rawFault, cors: rules, timeout } = action;
  const fault = seenFault(rawFault);
  const cors = rules === undefined ? "none" : seenCors(rules, request, regexes);
  if (cors === "unmatched preflight") return { type: "respond", status: 200, body: "", ...(fault === undefined ? {} : { fault }) };
  if (typeof cors === "object" && "preflight" in cors) return { type: "respond", status: 200, body: "", cors, ...(fault === undefined ? {} : { fault }) };
  const isAborted = fault?.abort !== undefined && fault.abort.share >= WHOLE;
  const destinations = seenDestinations(action.destinations, request, isAborted);
  const [only] = destinations;
  if (only === undefined) return { type: "invalid", reason: "a route without any weight" };
  if (isAborted && destinations.length === 1 && fault.abort.grpc !== true) return aborted(fault, only.headers);
  // Where no destination is there the proxy answers itself: nobody receives a path.
  const isReceived = !isAborted && destinations.some((destination) => !("invalid" in destination));
  const path = rewritten(request.target, action.rewritePath, request, regexes);
  const retries = isAborted ? undefined : seenRetries(action.retries, timeout ?? 0);
  const mirrors = isAborted ? [] : seenMirrors(action.mirrors ?? []);
  return {
    type: "forward",
    destinations,
    ...(path === request.sent || !isReceived ? {} : { rewrite: { path: toText(path) } }),
    ...((timeout ?? 0) === 0 || isAborted ? {} : { timeout }),
    ...(retries === undefined ? {} : { retries }),
    ...(mirrors.length === 0 ? {} : { mirror: mirrors }),
    ...(fault === undefined ? {} : { fault }),
    ...(cors === "none" ? {} : { cors }),
  };
}

const WHOLE = 1_000_000;

/** Every request is answered by the fault filter. */
function aborted(fault: Fault, headers: HeaderEffect | undefined): Effect {
  const { delay, abort } = fault;
  return {
    type: "respond",
    status: abort?.status ?? 0,
    body: "fault filter abort",
    ...(headers === undefined ? {} : { headers }),
    ...(delay === undefined ? {} : { fault: { delay } }),
  };
}

/** Shares that look the same add up, a share of nothing is gone, common factors too. */
function seenDestinations(destinations: readonly Destination[], request: SeenRequest, isAborted: boolean): readonly DestinationEffect[] {
  const shares = new Map<string, { readonly seen: DestinationEffect; weight: number }>();
  const isSingle = destinations.length === 1;
  for (const destination of destinations) {
    const weight = isSingle ? 1 : destination.weight;
    if (!(weight > 0)) continue;
    const seen = seenDestination(destination, request, isAborted);
    const key = JSON.stringify(seen);
    const share = shares.get(key);
    if (share === undefined) shares.set(key, { seen, weight });
    else share.weight += weight;
  }
  const divisor = commonDivisor([...shares.values()].map(({ weight }) => weight));
  return [...shares].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { seen, weight }]) => ({ ...seen, weight: weight / divisor }));
}

/** The greatest common divisor of weights; their sum where they are no whole numbers. */
function commonDivisor(weights: readonly number[]): number {
  if (weights.every(Number.isSafeInteger)) return weights.reduce(greatestCommonDivisor, 0);
  return weights.reduce((sum, weight) => sum + weight, 0);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function seenDestination(destination: Destination, request: SeenRequest, isAborted: boolean): DestinationEffect {
  const isOwn = "invalid" in destination || isAborted;
  const response = responseChanges(destination.response ?? [], isOwn);
  if (isOwn) {
    const status = "invalid" in destination ? destination.status : 0;
    return { invalid: true, status, weight: 0, ...(response === undefined ? {} : { headers: { response } }) };
  }
  const { host, port, subset, policy, authority } = destination;
  const received = authority === undefined ? request.authority : toBytes(authority);
  const lines = requestLines(destination.request ?? [], request);
  const headers = { ...(lines === undefined ? {} : { request: lines }), ...(response === undefined ? {} : { response }) };
  return {
    host,
    port,
    weight: 0,
    ...(subset === undefined || Object.keys(subset).length === 0 ? {} : { subset: sortedRecord(subset) }),
    ...(policy === undefined || Object.keys(policy).length === 0 ? {} : { policy: sortedRecord(policy) }),
    ...(received === request.sentAuthority ? {} : { authority: toText(received) }),
    ...(lines === undefined && response === undefined ? {} : { headers }),
  };
}

function sortedRecord<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The operations on each header as one function of its lines. */
export function lineChanges(operations: readonly HeaderOperation[]): ReadonlyMap<string, LineChange> {
  const changes = new Map<string, LineChange>();
  for (const operation of operations) {
    const before = changes.get(operation.name) ?? { keep: true, lines: [] };
    if (operation.op === "remove") changes.set(operation.name, { keep: false, lines: [] });
    else if (operation.op === "set") changes.set(operation.name, { keep: false, lines: [operation.value] });
    else changes.set(operation.name, { keep: before.keep, lines: [...before.lines, operation.value] });
  }
  return changes;
}

/** Whether a value holds a command such as `%REQ(x)%`, whose outcome is not modelled. */
export function isFormatted(value: Text): boolean {
  return value.replaceAll("%%", "").includes("%");
}

/** Headers that a proxy gives its own answers; there are no others. */
const written = /^(?:content-length|content-type|date|server|location|vary|grpc-.*|access-control-.*|x-envoy-.*)$/;

function responseChanges(operations: readonly HeaderOperation[], isOwn: boolean): Readonly<Record<string, LineChange>> | undefined {
  // Without a header that was there before, keeping and replacing are one, and removing is nothing.
  const isBare = (name: string): boolean => isOwn && !written.test(name);
  const all = [...lineChanges(operations)].map(([name, change]) => [name, isBare(name) ? { ...change, keep: false } : change] as const);
  const changes = all.filter(([name, { keep, lines }]) => lines.length > 0 || (!keep && !isBare(name)));
  if (changes.length === 0) return undefined;
  return sortedRecord(Object.fromEntries(changes.map(([name, { keep, lines }]) => [name, { keep, lines: lines.map(plain) }])));
}

function requestLines(operations: readonly HeaderOperation[], request: SeenRequest): Readonly<Record<string, readonly Text[]>> | undefined {
  const changed: [string, readonly Text[]][] = [];
  for (const [name, { keep, lines }] of lineChanges(operations)) {
    const before = (request.headers.get(name) ?? []).map(toText);
    const after = [...(keep ? before : []), ...lines.map(plain)];
    if (after.length !== before.length || after.some((line, index) => line !== before[index])) changed.push([name, after]);
  }
  return changed.length === 0 ? undefined : sortedRecord(Object.fromEntries(changed));
}

/** A value without commands, as it is written into the header; one with commands stays as it is. */
export function plain(value: Text): Text {
  return isFormatted(value) ? value : value.replaceAll("%%", "%");
}

/** An effect without the headers whose values hold commands: what differs then differs whatever they give. */
export function withoutCommands(effect: Effect): Effect {
  if (effect.type === "forward") return { ...effect, destinations: effect.destinations.map((share) => ({ ...share, ...plainHeaders(share.headers) })) };
  return effect.type === "redirect" || effect.type === "respond" ? { ...effect, ...plainHeaders(effect.headers) } : effect;
}

function plainHeaders(headers: HeaderEffect | undefined): { readonly headers: HeaderEffect } | Record<string, never> {
  if (headers === undefined) return {};
  const request = Object.entries(headers.request ?? {}).filter(([, lines]) => !lines.some(isFormatted));
  const response = Object.entries(headers.response ?? {}).filter(([, { lines }]) => !lines.some(isFormatted));
  return { headers: { request: Object.fromEntries(request), response: Object.fromEntries(response) } };
}

function seenFault(fault: Fault | undefined): Fault | undefined {
  const delay = fault?.delay !== undefined && fault.delay.share > 0 && fault.delay.milliseconds > 0 ? fault.delay : undefined;
  const abort = fault?.abort !== undefined && fault.abort.share > 0 ? fault.abort : undefined;
  if (delay === undefined && abort === undefined) return undefined;
  return {
    ...(delay === undefined ? {} : { delay: { milliseconds: delay.milliseconds, share: Math.min(delay.share, WHOLE) } }),
    ...(abort === undefined ? {} : { abort: { status: abort.status, share: Math.min(abort.share, WHOLE), ...(abort.grpc === true ? { grpc: true } : {}) } }),
  };
}

function seenMirrors(mirrors: readonly Mirror[]): readonly Mirror[] {
  const seen = mirrors.filter(({ share }) => share > 0).map(({ host, port, subset, share, shadowHost }): Mirror => ({
    host,
    port,
    ...(subset === undefined || Object.keys(subset).length === 0 ? {} : { subset: sortedRecord(subset) }),
    share: Math.min(share, WHOLE),
    ...(shadowHost === true ? { shadowHost } : {}),
  }));
  return seen.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** What one condition of `retry_on` says already: the others of its row (retry_state_impl.cc `wouldRetryFromReset`, `wouldRetryFromHeaders`). */
const includesOthers: readonly (readonly [string, readonly string[]])[] = [
  ["5xx", ["gateway-error", "reset", "reset-before-request", "connect-failure", "refused-stream"]],
  ["gateway-error", ["reset", "reset-before-request", "connect-failure", "refused-stream"]],
  ["reset", ["reset-before-request", "connect-failure", "refused-stream"]],
];

const conditions: ReadonlySet<string> = new Set([
  "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited", "retriable-4xx", "refused-stream",
  "retriable-status-codes", "retriable-headers", "http3-post-connect-failure",
  "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
]);

const DEFAULT_BASE = 25;

/** Retries that can happen; undefined where there are none. */
export function seenRetries(retries: Retries | undefined, timeout: number): Retries | undefined {
  if (retries === undefined || retries.attempts <= 0) return undefined;
  const on = new Set(retries.on.filter((condition) => conditions.has(condition)));
  for (const [condition, others] of includesOthers) if (on.has(condition)) for (const other of others) on.delete(other);
  const isSaid = (code: number): boolean => (on.has("5xx") && code >= 500 && code <= 599) || (on.has("gateway-error") && code >= 502 && code <= 504);
  const codes = on.has("retriable-status-codes") ? [...new Set(retries.codes ?? [])].filter((code) => !isSaid(code)).sort((a, b) => a - b) : [];
  if (codes.length === 0) on.delete("retriable-status-codes");
  if (on.size === 0) return undefined;
  const perTry = retries.perTryTimeout ?? 0;
  const { backoff } = retries;
  const isUsual = backoff === undefined || (backoff.base === DEFAULT_BASE && backoff.max === 10 * DEFAULT_BASE);
  return {
    attempts: retries.attempts,
    on: [...on].sort(),
    ...(codes.length === 0 ? {} : { codes }),
    ...(perTry === 0 || (timeout > 0 && perTry >= timeout) ? {} : { perTryTimeout: perTry }),
    ...(isUsual ? {} : { backoff: { base: backoff.base, max: backoff.max } }),
    ...(retries.otherHosts === true ? { otherHosts: true } : {}),
    ...(retries.remoteLocalities === true ? { remoteLocalities: true } : {}),
  };
}

/** The headers with which a preflight asks for methods and headers. */
export const askedFor = { methods: "access-control-request-method", headers: "access-control-request-headers" } as const;

/** A star alone allows what is asked for, and says so in these words (cors_filter.cc `decodeHeaders`). */
export function givesBack(list: readonly string[] | undefined): boolean {
  return list?.length === 1 && list[0] === "*";
}

/** cors_filter.cc: without an origin nothing happens; lines of `origin` are read as one. */
function seenCors(cors: Cors, request: SeenRequest, regexes: Regexes): CorsEffect | "none" | "unmatched preflight" {
  const origin = request.headers.get("origin")?.join(",") ?? "";
  if (origin === "") return "none";
  const isPreflight = request.method === "OPTIONS" && (request.headers.get("access-control-request-method") ?? []).join(",") !== "";
  const isAllowed = cors.origins.some((match) => satisfies(match, origin, request.regexText, regexes));
  if (!isAllowed && !(isPreflight && cors.answerUnmatched === true)) return "none";
  const credentials = cors.credentials === true ? { credentials: true as const } : {};
  const list = (name: "methods" | "headers" | "expose"): object => {
    const values = [...new Set(cors[name] ?? [])].sort();
    return values.length === 0 ? {} : { [name]: values };
  };
  if (!isPreflight) return { origin: "allowed", ...list("expose"), ...credentials };
  const age = cors.maxAge === undefined ? {} : { maxAge: cors.maxAge };
  const said = (name: "methods" | "headers"): object => {
    if (!givesBack(cors[name])) return list(name);
    const asked = (request.headers.get(askedFor[name]) ?? []).join(",");
    return asked === "" ? {} : { [name]: [asked] };
  };
  // Only the origin itself is left out of the answer to an origin that is not allowed.
  const told = { ...said("methods"), ...said("headers"), ...age, ...credentials };
  if (!isAllowed && Object.keys(told).length === 0) return "unmatched preflight";
  return { origin: isAllowed ? "allowed" : "refused", preflight: true, ...told };
}

/** Whether a string satisfies a test. */
export function satisfies(match: StringMatch, text: Bytes, reading: TextReading, regexes: Regexes): boolean {
  if (match.kind === "regex") return regexes.matches(match.pattern, reading, text);
  const fold = (bytes: Bytes): Bytes => (match.ignoreCase === true ? lowerAscii(bytes) : bytes);
  const value = fold(toBytes(match.value));
  const subject = fold(text);
  switch (match.kind) {
    case "exact":
      return subject === value;
    case "prefix":
      return subject.startsWith(value);
    case "suffix":
      return subject.endsWith(value);
    case "contains":
      return subject.includes(value);
  }
}

/** The target after a rewrite of its path; the query stays. */
function rewritten(target: Bytes, rewrite: PathRewrite | undefined, request: SeenRequest, regexes: Regexes): Bytes {
  if (rewrite === undefined) return target;
  const [path, query] = splitQuery(target);
  if (rewrite.kind === "replace") return toBytes(rewrite.value) + query;
  if (rewrite.kind === "prefix") return toBytes(rewrite.value) + path.slice(rewrite.length) + query;
  const compiled = regexes.get(rewrite.pattern, request.regexText);
  const result = compiled.ok ? replaceAll(compiled.program, path, toBytes(rewrite.substitution)) : path;
  return (result === "" ? path : result) + query;
}

const defaultPorts: ReadonlyMap<string, string> = new Map([
  ["http", ":80"],
  ["https", ":443"],
]);

/** utility.cc `newUri` and `processRequestHost`. */
function redirect(action: Redirect, request: SeenRequest, regexes: Regexes): Effect {
  const scheme = action.scheme ?? request.scheme;
  const authority = action.authority === undefined ? keptAuthority(action, scheme, request) : toBytes(action.authority);
  const port = action.port === undefined ? "" : `:${action.port}`;
  const location = `${scheme}://${authority}${port}${redirectedPath(action, request, regexes)}`;
  const fault = seenFault(action.fault);
  const response = responseChanges(action.response ?? [], true);
  if (fault?.abort !== undefined && fault.abort.share >= WHOLE && fault.abort.grpc !== true) return aborted(fault, response && { response });
  return {
    type: "redirect",
    status: action.status,
    location: toText(location),
    ...(response === undefined ? {} : { headers: { response } }),
    ...(fault === undefined ? {} : { fault }),
  };
}

function keptAuthority(action: Redirect, scheme: string, request: SeenRequest): Bytes {
  if (action.keepPort === true) return request.authority;
  if (action.port !== undefined || action.dropPort === true) return withoutPort(request.authority);
  const start = portStart(request.authority);
  // What the client wrote in `x-forwarded-proto` is compared letter by letter with the new scheme, and read in any case: `HTTPS` loses `:443`.
  const protocol = request.headers.get("x-forwarded-proto")?.join(",") ?? request.scheme;
  const isDefault = start >= 0 && request.authority.slice(start) === defaultPorts.get(lowerAscii(protocol));
  return isDefault && scheme !== protocol ? withoutPort(request.authority) : request.authority;
}

/** The path of a `Location` begins with a slash, whoever wrote it. */
export function withSlash(path: Bytes): Bytes {
  return path.startsWith("/") ? path : `/${path}`;
}

function redirectedPath(action: Redirect, request: SeenRequest, regexes: Regexes): Bytes {
  if (action.path?.kind === "replace" && action.path.value.includes("?")) return withSlash(toBytes(action.path.value));
  const target = withSlash(rewritten(request.target, action.path, request, regexes));
  return action.stripQuery === true ? splitQuery(target)[0] : target;
}

function respond(action: Respond): Effect {
  const fault = seenFault(action.fault);
  const response = responseChanges(action.response ?? [], true);
  if (fault?.abort !== undefined && fault.abort.share >= WHOLE && fault.abort.grpc !== true) return aborted(fault, response && { response });
  if (action.status === 404 && action.body === "" && response === undefined && fault === undefined) return { type: "notFound" };
  return {
    type: "respond",
    status: action.status,
    body: action.body,
    ...(response === undefined ? {} : { headers: { response } }),
    ...(fault === undefined ? {} : { fault }),
  };
}
