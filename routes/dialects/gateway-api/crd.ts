import type { Unmodelled } from "../../decide/model.ts";
import { at, isObject, type Json, listAt, numberAt, textAt, textsAt } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import { milliseconds } from "../istio/values.ts";

/**
 * What an API server would refuse by the rules of the CRD, beyond types: such an object came from elsewhere, and what a control plane
 * would make of it is not known.
 */
export function crdProblems(route: Named): readonly Unmodelled[] {
  const out: Unmodelled[] = [];
  const refuse = (path: string, reason: string): void => void out.push({ reason: `an API server refuses this: ${reason}`, where: { object: route.title, path } });
  for (const [index, host] of textsAt(route.spec, "hostnames").entries()) {
    if (!hostname.test(host)) refuse(`spec.hostnames[${index}]`, `\`${host.slice(0, 80)}\` is no host name in lower case, perhaps with \`*.\` in front`);
  }
  for (const [index, rule] of listAt(route.spec, "rules").entries()) checkRule(rule, `spec.rules[${index}]`, route.kind, refuse);
  return out;
}

/** Statuses of a redirect. */
export const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

const hostname = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

type Refuse = (path: string, reason: string) => void;

function checkRule(rule: Json, path: string, kind: string, refuse: Refuse): void {
  for (const [index, match] of listAt(rule, "matches").entries()) checkMatch(match, `${path}.matches[${index}]`, kind, refuse);
  checkFilters(rule, path, refuse);
  for (const [index, backend] of listAt(rule, "backendRefs").entries()) {
    if (numberAt(backend, "weight") > 1_000_000) refuse(`${path}.backendRefs[${index}].weight`, `the weight is ${numberAt(backend, "weight")}, and at most 1000000 is allowed`);
    if (textAt(backend, "name") === "") refuse(`${path}.backendRefs[${index}]`, "a backend has no name");
  }
  const request = textAt(at(rule, "timeouts"), "request"), backend = textAt(at(rule, "timeouts"), "backendRequest");
  for (const [field, text] of [["request", request], ["backendRequest", backend]] as const) {
    if (text !== "" && !/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) refuse(`${path}.timeouts.${field}`, `\`${text.slice(0, 40)}\` is no duration such as \`1m30s\``);
  }
  const [whole = 0, part = 0] = [milliseconds(request), milliseconds(backend)];
  if (whole > 0 && part > whole) refuse(`${path}.timeouts`, `\`backendRequest\` is \`${backend.slice(0, 40)}\`, longer than \`request\``);
}

function checkMatch(match: Json, path: string, kind: string, refuse: Refuse): void {
  if (kind === "GRPCRoute") {
    const method = at(match, "method");
    if (isObject(method) && textAt(method, "service") === "" && textAt(method, "method") === "") refuse(`${path}.method`, "neither `service` nor `method` is set");
  } else checkPath(at(match, "path"), `${path}.path`, refuse);
  for (const field of ["headers", "queryParams"]) {
    const names = new Set<string>();
    for (const [index, entry] of listAt(match, field).entries()) {
      const name = textAt(entry, "name");
      if (name === "" || names.has(name)) refuse(`${path}.${field}[${index}].name`, name === "" ? "a name is empty" : `\`${name.slice(0, 80)}\` is there twice`);
      names.add(name);
    }
  }
}

function checkPath(path: Json, at_: string, refuse: Refuse): void {
  const value = at(path, "value");
  if (typeof value !== "string" || textAt(path, "type") === "RegularExpression") return;
  const wrong = !value.startsWith("/") ? "does not begin with `/`" : /\/\/|\/\.\/|\/\.\.\/|%2f|#/i.test(value) ? "holds `//`, `/./`, `/../`, `%2F` or `#`" : /\/\.\.?$/.test(value) ? "ends in `/.` or `/..`" : undefined;
  if (wrong !== undefined) refuse(`${at_}.value`, `the path \`${value.slice(0, 80)}\` ${wrong}`);
  else if (!/^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/.test(value)) refuse(`${at_}.value`, `the path \`${value.slice(0, 80)}\` holds a character that no path has`);
}

function checkFilters(rule: Json, path: string, refuse: Refuse): void {
  const filters = listAt(rule, "filters");
  const types = filters.map((filter) => textAt(filter, "type"));
  if (types.includes("RequestRedirect") && types.includes("URLRewrite")) refuse(`${path}.filters`, "a rule has a redirect and a rewrite");
  for (const type of ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS"]) {
    if (types.filter((one) => one === type).length > 1) refuse(`${path}.filters`, `a rule has \`${type}\` twice`);
  }
  if (types.includes("RequestRedirect") && listAt(rule, "backendRefs").length > 0) refuse(`${path}.backendRefs`, "a rule with a redirect has backends");
  for (const [index, filter] of filters.entries()) {
    const own = `${path}.filters[${index}]`;
    const modifier = at(at(filter, "requestRedirect") ?? at(filter, "urlRewrite"), "path");
    const matches = listAt(rule, "matches");
    const isPrefix = matches.length === 0 || (matches.length === 1 && ["", "PathPrefix"].includes(textAt(at(matches[0], "path"), "type")));
    if (textAt(modifier, "type") === "ReplacePrefixMatch" && !isPrefix) refuse(own, "a prefix is replaced, and the rule has not exactly one match, of the type `PathPrefix`");
    const mirror = at(filter, "requestMirror"), percent = numberAt(mirror, "percent");
    if (percent < 0 || percent > 100) refuse(`${own}.requestMirror.percent`, `the percentage is ${percent}`);
    const fraction = at(mirror, "fraction");
    const denominator = at(fraction, "denominator") === undefined ? 100 : numberAt(fraction, "denominator");
    if (isObject(fraction) && (denominator < 1 || numberAt(fraction, "numerator") > denominator)) refuse(`${own}.requestMirror.fraction`, "the fraction is none between 0 and 1");
    const status = at(at(filter, "requestRedirect"), "statusCode");
    if (status !== undefined && !REDIRECTS.includes(Number(status))) refuse(`${own}.requestRedirect.statusCode`, `the status is ${String(status).slice(0, 20)}`);
  }
}
