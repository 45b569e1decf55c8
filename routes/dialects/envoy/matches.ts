import type { ClaimMatch, Condition, FieldMatch, HeaderMatch, PathMatch, QueryMatch, StringMatch } from "../../decide/model.ts";
import type { Json } from "../istio/json.ts";
import { field, flag, known, list, meaning, message, millionthsOf, number, text } from "./fields.ts";
import type { Notes, Where } from "./notes.ts";
import { rangeExpression } from "./ranges.ts";
import { templateExpression } from "./templates.ts";

/** A match of a route. */
export interface RouteMatch {
  readonly when: Condition;
  /** Bytes that a prefix rewrite takes away; undefined: the whole path. */
  readonly prefix: number | undefined;
  /** No request that is modelled ever meets it. */
  readonly isDead: boolean;
}

const matchFields = known(`prefix path safe_regex connect_matcher path_separated_prefix path_match_policy case_sensitive runtime_fraction headers
  query_parameters grpc tls_context dynamic_metadata filter_state cookies`);
/** Matches on what is no part of a request. */
const foreign = ["tls_context", "filter_state", "cookies"];

const headerFields = known(`name exact_match safe_regex_match range_match present_match prefix_match suffix_match contains_match string_match
  invert_match treat_missing_header_as_empty`);
const queryFields = known("name string_match present_match");
const stringFields = known("exact prefix suffix contains safe_regex ignore_case");

/** config_impl.cc `RouteEntryImplBase::matchRoute`: all parts must hold. */
export function matchOf(match: Json, notes: Notes, where: Where): RouteMatch {
  notes.unknown(match, matchFields, where, "match");
  const path = pathOf(match, notes, where);
  const each = <T>(part: string, read: (value: Json, notes: Notes, where: Where) => T | undefined): T[] => {
    const values = list(match, part);
    return values.length === 0 ? [] : values.flatMap((value, index) => read(value, notes, { object: where.object, path: `${where.path}.${part}[${index}]` }) ?? []);
  };
  const headers = each("headers", headerOf), query = each("query_parameters", queryOf), claims = each("dynamic_metadata", claimOf);
  if (field(match, "grpc") !== undefined) headers.push({ name: "content-type", match: { kind: "regex", pattern: String.raw`application/grpc(\+.*)?` } });
  for (const part of foreign) {
    const value = field(match, part);
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) notes.add(`a match on \`${part}\` is not modelled`, where, [meaning(match)], true);
  }
  const share = shareOf(match);
  notes.runtime(text(message(match, "runtime_fraction"), "runtime_key"), { ...where, path: `${where.path}.runtime_fraction` }, meaning(match));
  if (share > 0 && share < 1_000_000) notes.add("a route that takes a share of the requests is not modelled", { ...where, path: `${where.path}.runtime_fraction` }, undefined, true);
  const isOpen = path === undefined || (path.kind === "prefix" && path.value === "/");
  const when: { -readonly [Part in keyof Condition]: Condition[Part] } = {};
  if (!isOpen) when.path = path;
  if (headers.length > 0) when.headers = headers;
  if (query.length > 0) when.query = query;
  if (claims.length > 0) when.claims = claims;
  return {
    when,
    prefix: prefixLength(match),
    // Requests of the method CONNECT are not modelled.
    isDead: share === 0 || field(match, "connect_matcher") !== undefined,
  };
}

function shareOf(match: Json): number {
  const fraction = field(match, "runtime_fraction");
  return fraction === undefined ? 1_000_000 : millionthsOf(message(fraction, "default_value"));
}

function prefixLength(match: Json): number | undefined {
  const value = field(match, "prefix") ?? field(match, "path_separated_prefix");
  return typeof value === "string" ? bytesOf(value) : undefined;
}

/** Bytes of a text in UTF-8. */
function bytesOf(value: string): number {
  let bytes = 0;
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

const forms = [["prefix", "prefix"], ["path", "exact"], ["path_separated_prefix", "separated-prefix"]] as const;

function pathOf(match: Json, notes: Notes, where: Where): PathMatch | undefined {
  for (const [name, kind] of forms) {
    const value = field(match, name);
    if (typeof value === "string") return field(match, "case_sensitive") === false ? { kind, value, ignoreCase: true } : { kind, value };
  }
  const pattern = field(message(match, "safe_regex"), "regex");
  if (typeof pattern === "string") return { kind: "regex", pattern };
  const policy = field(match, "path_match_policy");
  if (policy === undefined) return undefined;
  const template = templateExpression(text(message(policy, "typed_config"), "path_template"));
  if (template === undefined) notes.add("the extension that matches the path is not modelled", { ...where, path: `${where.path}.path_match_policy` }, meaning(policy), true);
  return template === undefined ? undefined : { kind: "regex", pattern: template };
}

/** Every value, an empty one too. */
const anything: StringMatch = { kind: "prefix", value: "" };

/** Header matchers of Envoy (header_utility.cc `HeaderUtility::createHeaderData`), the old forms too. */
function headerOf(header: Json, notes: Notes, where: Where): HeaderMatch | undefined {
  notes.unknown(header, headerFields, where, "header");
  const name = text(header, "name").toLowerCase();
  const present = field(header, "present_match");
  const invert = flag(header, "invert_match"), isEmptyIfMissing = flag(header, "treat_missing_header_as_empty");
  if (typeof present === "boolean") {
    const isAbsent = !present !== invert;
    // A missing header that counts as an empty one is there.
    if (isEmptyIfMissing) return { name, match: anything, whenAbsent: "as-empty", ...(isAbsent ? { invert: true } : {}) };
    return isAbsent ? { name, match: { kind: "any" }, invert: true, whenAbsent: true } : { name, match: { kind: "any" } };
  }
  const match = headerTest(header, notes, where);
  if (match === undefined) return undefined;
  // A matcher without a test asks whether the header is there; so does the old match of an empty value, which is never true of an absent one.
  if (match.kind === "any" && !isEmptyIfMissing) return invert ? { name, match, invert, ...(field(header, "exact_match") === undefined ? { whenAbsent: true } : {}) } : { name, match };
  if (match.kind === "any") return { name, match: anything, whenAbsent: "as-empty", ...(invert ? { invert } : {}) };
  const missing = isEmptyIfMissing ? { whenAbsent: "as-empty" as const } : {};
  return { name, match, ...(invert ? { invert } : {}), ...missing };
}

function headerTest(header: Json, notes: Notes, where: Where): FieldMatch["match"] | undefined {
  const tested = field(header, "string_match");
  if (tested !== undefined) return stringOf(tested, notes, where);
  for (const [name, kind] of [["prefix_match", "prefix"], ["suffix_match", "suffix"], ["contains_match", "contains"]] as const) {
    const value = field(header, name);
    if (typeof value === "string") return { kind, value };
  }
  const exact = field(header, "exact_match");
  // The old match of an empty value asks whether the header is there.
  if (typeof exact === "string") return exact === "" ? { kind: "any" } : { kind: "exact", value: exact };
  const pattern = field(message(header, "safe_regex_match"), "regex");
  if (typeof pattern === "string") return { kind: "regex", pattern };
  const range = field(header, "range_match");
  if (range === undefined) return { kind: "any" };
  const found = rangeExpression(number(range, "start") ?? 0, number(range, "end") ?? 0);
  if (found === undefined) notes.add("a range of numbers beyond 2^53 is not modelled", { ...where, path: `${where.path}.range_match` }, meaning(range), true);
  return found === undefined ? undefined : { kind: "regex", pattern: found };
}

/** A StringMatcher; undefined where it is none of its plain forms. */
export function stringOf(value: Json, notes: Notes, where: Where): StringMatch | undefined {
  notes.unknown(value, stringFields, where, "string");
  const folded = flag(value, "ignore_case") ? { ignoreCase: true } : {};
  for (const kind of ["exact", "prefix", "suffix", "contains"] as const) {
    const found = field(value, kind);
    if (typeof found === "string") return { kind, value: found, ...folded };
  }
  const pattern = field(message(value, "safe_regex"), "regex");
  return typeof pattern === "string" ? { kind: "regex", pattern } : undefined;
}

function queryOf(parameter: Json, notes: Notes, where: Where): QueryMatch | undefined {
  notes.unknown(parameter, queryFields, where, "query");
  const name = text(parameter, "name");
  const tested = field(parameter, "string_match");
  if (tested === undefined) return field(parameter, "present_match") === false ? { name, match: { kind: "any" }, invert: true, whenAbsent: true } : { name, match: { kind: "any" } };
  const match = stringOf(tested, notes, where);
  return match === undefined ? undefined : { name, match };
}

const JWT = "envoy.filters.http.jwt_authn";

/** Claims as istiod asks for them: a text, or a list with such a text (security/authz/matcher/metadata.go). Other metadata is not modelled. */
function claimOf(metadata: Json, notes: Notes, where: Where): ClaimMatch | undefined {
  const steps = list(metadata, "path").map((step) => text(step, "key"));
  const [payload, ...path] = steps;
  const options = list(message(message(metadata, "value"), "or_match"), "value_matchers");
  const plain = options.map((option) => field(option, "string_match")).find((one) => one !== undefined);
  const listed = options.map((option) => field(message(message(option, "list_match"), "one_of"), "string_match")).find((one) => one !== undefined);
  if (text(metadata, "filter") !== JWT || payload !== "payload" || path.length === 0 || options.length !== 2 || plain === undefined || meaning(plain) !== meaning(listed)) {
    notes.add("a match on metadata is not modelled", where, meaning(metadata), true);
    return undefined;
  }
  const match = stringOf(plain, notes, where);
  if (match === undefined) return undefined;
  return flag(metadata, "invert") ? { path, match, invert: true, whenAbsent: true } : { path, match };
}
