import type { Unmodelled } from "../../decide/model.ts";
import { at, isObject, type Json, listAt, numberAt, textAt, textsAt } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import { milliseconds } from "../istio/values.ts";
import { rulePath } from "./objects.ts";

/**
 * What an API server would refuse by the rules of the CRD, beyond types: such an object came from elsewhere, and what a control plane
 * would make of it is not known. Plain rules are in order.
 */
export function crdProblems(route: Named, isPlainAt: readonly boolean[]): readonly Unmodelled[] {
  const out: Unmodelled[] = [];
  const refuse = (path: string, reason: string): void => void out.push({ reason: `an API server refuses this: ${reason}`, where: { object: route.title, path } });
  for (const [index, host] of textsAt(route.spec, "hostnames").entries()) {
    if (!hostname.test(host)) refuse(`spec.hostnames[${index}]`, `\`${host.slice(0, 80)}\` is no host name in lower case, perhaps with \`*.\` in front`);
  }
  const rules = listAt(route.spec, "rules");
  for (let index = 0; index < rules.length; index++) if (isPlainAt[index] !== true) checkRule(rules[index], rulePath(index), route.kind, refuse);
  return out;
}

/** Statuses of a redirect. */
export const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

const hostname = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

type Refuse = (path: string, reason: string) => void;

/** Nearly every rule is in order, so that paths are written for what is refused only. */
function checkRule(rule: Json, path: string, kind: string, refuse: Refuse): void {
  const matches = listAt(rule, "matches"), backends = listAt(rule, "backendRefs"), timeouts = at(rule, "timeouts");
  for (let index = 0; index < matches.length; index++) checkMatch(matches[index], path, index, kind, refuse);
  if (listAt(rule, "filters").length > 0) checkFilters(rule, path, refuse);
  for (let index = 0; index < backends.length; index++) {
    const backend = backends[index];
    if (numberAt(backend, "weight") > 1_000_000) refuse(`${path}.backendRefs[${index}].weight`, `the weight is ${numberAt(backend, "weight")}, and at most 1000000 is allowed`);
    if (textAt(backend, "name") === "") refuse(`${path}.backendRefs[${index}]`, "a backend has no name");
  }
  if (timeouts !== undefined) checkTimeouts(timeouts, path, refuse);
}

function checkTimeouts(timeouts: Json, path: string, refuse: Refuse): void {
  for (const field of ["request", "backendRequest"]) {
    const text = textAt(timeouts, field);
    if (text !== "" && !/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) refuse(`${path}.timeouts.${field}`, `\`${text.slice(0, 40)}\` is no duration such as \`1m30s\``);
  }
  const backend = textAt(timeouts, "backendRequest");
  const whole = milliseconds(textAt(timeouts, "request")) ?? 0, part = milliseconds(backend) ?? 0;
  if (whole > 0 && part > whole) refuse(`${path}.timeouts`, `\`backendRequest\` is \`${backend.slice(0, 40)}\`, longer than \`request\``);
}

function checkMatch(match: Json, rule: string, block: number, kind: string, refuse: Refuse): void {
  const method = at(match, "method");
  if (kind !== "GRPCRoute") checkPath(at(match, "path"), rule, block, refuse);
  else if (isObject(method) && textAt(method, "service") === "" && textAt(method, "method") === "") refuse(`${rule}.matches[${block}].method`, "neither `service` nor `method` is set");
  checkNames(match, "headers", rule, block, refuse);
  checkNames(match, "queryParams", rule, block, refuse);
}

function checkNames(match: Json, field: string, rule: string, block: number, refuse: Refuse): void {
  const list = listAt(match, field);
  // One name is not there twice.
  const names = list.length < 2 ? undefined : new Set<string>();
  for (let index = 0; index < list.length; index++) {
    const name = textAt(list[index], "name");
    if (name === "" || names?.has(name) === true) refuse(`${rule}.matches[${block}].${field}[${index}].name`, name === "" ? "a name is empty" : `\`${name.slice(0, 80)}\` is there twice`);
    names?.add(name);
  }
}

/** Paths that are surely in order, which nearly all are. */
const plainPath = /^(?:\/[-A-Za-z0-9_]+)+\/?$/;

function checkPath(path: Json, rule: string, block: number, refuse: Refuse): void {
  const value = at(path, "value");
  if (typeof value !== "string" || textAt(path, "type") === "RegularExpression" || plainPath.test(value)) return;
  const wrong = !value.startsWith("/") ? "does not begin with `/`" : /\/\/|\/\.\/|\/\.\.\/|%2f|#/i.test(value) ? "holds `//`, `/./`, `/../`, `%2F` or `#`" : /\/\.\.?$/.test(value) ? "ends in `/.` or `/..`" : undefined;
  if (wrong !== undefined) refuse(`${rule}.matches[${block}].path.value`, `the path \`${value.slice(0, 80)}\` ${wrong}`);
  else if (!/^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/.test(value)) refuse(`${rule}.matches[${block}].path.value`, `the path \`${value.slice(0, 80)}\` holds a character that no path has`);
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
