import type { Unmodelled } from "../../decide/model.ts";
import { at, canonical, isObject, type Json, listAt, numberAt, textAt, textsAt } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import { milliseconds } from "../istio/values.ts";
import { GROUP, rulePath } from "./objects.ts";

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
  checkParents(listAt(route.spec, "parentRefs"), refuse);
  const rules = listAt(route.spec, "rules");
  for (let index = 0; index < rules.length; index++) if (isPlainAt[index] !== true) checkRule(rules[index], rulePath(index), route.kind, refuse);
  return out;
}

/** Statuses of a redirect. */
export const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

const hostname = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const fieldName = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

type Refuse = (path: string, reason: string) => void;

/** Of several references to one parent each names another section or port. */
function checkParents(references: readonly Json[], refuse: Refuse): void {
  if (references.length < 2) return;
  const parent = (reference: Json): string => JSON.stringify([at(reference, "group") ?? GROUP, textAt(reference, "kind") || "Gateway", textAt(reference, "namespace"), textAt(reference, "name")]);
  const part = (reference: Json): string => JSON.stringify([textAt(reference, "sectionName"), numberAt(reference, "port")]);
  const isWhole = (reference: Json): boolean => textAt(reference, "sectionName") === "" && numberAt(reference, "port") === 0;
  for (const [index, one] of references.entries()) {
    const others = references.slice(0, index).filter((other) => parent(other) === parent(one));
    if (others.some((other) => isWhole(one) || isWhole(other) || part(other) === part(one))) refuse(`spec.parentRefs[${index}]`, "a parent is there twice, and the references do not name different sections or ports");
  }
}

/** Nearly every rule is in order, so that paths are written for what is refused only. */
function checkRule(rule: Json, path: string, kind: string, refuse: Refuse): void {
  const matches = listAt(rule, "matches"), backends = listAt(rule, "backendRefs"), timeouts = at(rule, "timeouts");
  for (let index = 0; index < matches.length; index++) checkMatch(matches[index], path, index, kind, refuse);
  if (listAt(rule, "filters").length > 0) checkFilters(rule, path, refuse);
  for (let index = 0; index < backends.length; index++) {
    const backend = backends[index], own = (): string => `${path}.backendRefs[${index}]`;
    if (numberAt(backend, "weight") > 1_000_000) refuse(`${own()}.weight`, `the weight is ${numberAt(backend, "weight")}, and at most 1000000 is allowed`);
    checkReference(backend, own, refuse);
    checkFilterParts(listAt(backend, "filters"), own, refuse);
  }
  if (timeouts !== undefined) checkTimeouts(timeouts, path, refuse);
  for (const [index, code] of listAt(at(rule, "retry"), "codes").entries()) {
    if (typeof code === "number" && (code < 400 || code > 599)) refuse(`${path}.retry.codes[${index}]`, `the status is ${code}, and one from 400 to 599 can be tried again`);
  }
}

/** A reference to a backend. */
function checkReference(reference: Json, path: () => string, refuse: Refuse): void {
  const port = at(reference, "port");
  const isService = textAt(reference, "group") === "" && ["", "Service"].includes(textAt(reference, "kind"));
  if (textAt(reference, "name") === "") refuse(path(), "a backend has no name");
  if (port === undefined ? isService : isNoPort(port)) refuse(`${path()}.port`, port === undefined ? "a service is named without a port" : `\`${canonical(port).slice(0, 20)}\` is no port`);
}

function isNoPort(port: Json): boolean {
  return typeof port === "number" && (!Number.isInteger(port) || port < 1 || port > 65_535);
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
  else if (isObject(method)) checkGrpcMethod(method, `${rule}.matches[${block}].method`, refuse);
  checkNames(match, "headers", rule, block, refuse);
  checkNames(match, "queryParams", rule, block, refuse);
}

const grpcNames = { service: /^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i, method: /^[A-Za-z_][A-Za-z_0-9]*$/ };

function checkGrpcMethod(method: Json, path: string, refuse: Refuse): void {
  if (textAt(method, "service") === "" && textAt(method, "method") === "") refuse(path, "neither `service` nor `method` is set");
  if (textAt(method, "type") === "RegularExpression") return;
  for (const field of ["service", "method"] as const) {
    const text = textAt(method, field);
    if (text !== "" && !grpcNames[field].test(text)) refuse(`${path}.${field}`, `\`${text.slice(0, 80)}\` is no name of a ${field} of gRPC`);
  }
}

function checkNames(match: Json, field: string, rule: string, block: number, refuse: Refuse): void {
  const list = listAt(match, field);
  // One name is not there twice.
  const names = list.length < 2 ? undefined : new Set<string>();
  for (let index = 0; index < list.length; index++) {
    const name = textAt(list[index], "name");
    const own = `${rule}.matches[${block}].${field}[${index}]`;
    if (!fieldName.test(name) || names?.has(name) === true) refuse(`${own}.name`, name === "" ? "a name is empty" : names?.has(name) === true ? `\`${name.slice(0, 80)}\` is there twice` : `\`${name.slice(0, 80)}\` is no name of a ${field === "headers" ? "header" : "parameter"}`);
    if (textAt(list[index], "value") === "") refuse(`${own}.value`, "a value is empty");
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
  checkFilterParts(filters, () => path, refuse);
  for (const [index, filter] of filters.entries()) {
    const own = `${path}.filters[${index}]`;
    const modifier = at(at(filter, "requestRedirect") ?? at(filter, "urlRewrite"), "path");
    const matches = listAt(rule, "matches");
    const isPrefix = matches.length === 0 || (matches.length === 1 && ["", "PathPrefix"].includes(textAt(at(matches[0], "path"), "type")));
    if (textAt(modifier, "type") === "ReplacePrefixMatch" && !isPrefix) refuse(own, "a prefix is replaced, and the rule has not exactly one match, of the type `PathPrefix`");
    checkModifier(modifier, at(filter, "requestRedirect") === undefined ? `${own}.urlRewrite.path` : `${own}.requestRedirect.path`, refuse);
    const mirror = at(filter, "requestMirror"), percent = numberAt(mirror, "percent");
    if (percent < 0 || percent > 100) refuse(`${own}.requestMirror.percent`, `the percentage is ${percent}`);
    if (at(mirror, "percent") !== undefined && at(mirror, "fraction") !== undefined) refuse(`${own}.requestMirror`, "a percentage and a fraction are set");
    if (isObject(mirror)) checkReference(at(mirror, "backendRef"), () => `${own}.requestMirror.backendRef`, refuse);
    const fraction = at(mirror, "fraction");
    const denominator = at(fraction, "denominator") === undefined ? 100 : numberAt(fraction, "denominator");
    if (isObject(fraction) && (denominator < 1 || numberAt(fraction, "numerator") > denominator)) refuse(`${own}.requestMirror.fraction`, "the fraction is none between 0 and 1");
    const status = at(at(filter, "requestRedirect"), "statusCode");
    if (status !== undefined && !(REDIRECTS as readonly Json[]).includes(status)) refuse(`${own}.requestRedirect.statusCode`, `the status is ${canonical(status).slice(0, 20)}`);
    const port = at(at(filter, "requestRedirect"), "port");
    if (isNoPort(port)) refuse(`${own}.requestRedirect.port`, `\`${canonical(port).slice(0, 20)}\` is no port`);
    for (const field of ["requestRedirect", "urlRewrite"]) {
      const host = textAt(at(filter, field), "hostname");
      if (host !== "" && (host.startsWith("*") || !hostname.test(host))) refuse(`${own}.${field}.hostname`, `\`${host.slice(0, 80)}\` is no host name in lower case`);
    }
  }
}

/** By type, the field that says more of it. */
const partOf: readonly (readonly [owner: string, field: string])[] = [
  ["RequestHeaderModifier", "requestHeaderModifier"], ["ResponseHeaderModifier", "responseHeaderModifier"], ["RequestMirror", "requestMirror"],
  ["RequestRedirect", "requestRedirect"], ["URLRewrite", "urlRewrite"], ["CORS", "cors"], ["ExtensionRef", "extensionRef"], ["ExternalAuth", "externalAuth"],
];
const modifiers: readonly string[] = ["requestHeaderModifier", "responseHeaderModifier"];
const writes: readonly string[] = ["set", "add"];

/** A filter says what belongs to its type, and nothing that belongs to another; names of headers are such. */
function checkFilterParts(filters: readonly Json[], path: () => string, refuse: Refuse): void {
  for (let index = 0; index < filters.length; index++) {
    const filter = filters[index], type = textAt(filter, "type");
    const own = (): string => `${path()}.filters[${index}]`;
    for (const [owner, field] of partOf) {
      const isThere = at(filter, field) !== undefined;
      if (isThere !== (owner === type)) refuse(`${own()}.${field}`, isThere ? `a filter of the type \`${type}\` says what belongs to \`${owner}\`` : `a filter of the type \`${type}\` says nothing`);
    }
    for (const field of modifiers) {
      for (const operation of writes) {
        const headers = listAt(at(filter, field), operation);
        for (let entry = 0; entry < headers.length; entry++) {
          const name = textAt(headers[entry], "name");
          if (!fieldName.test(name)) refuse(`${own()}.${field}.${operation}[${entry}].name`, `\`${name.slice(0, 80)}\` is no name of a header`);
          if (textAt(headers[entry], "value") === "") refuse(`${own()}.${field}.${operation}[${entry}].value`, "a value is empty");
        }
      }
    }
  }
}

/** A path says what belongs to its type. */
function checkModifier(modifier: Json, path: string, refuse: Refuse): void {
  if (!isObject(modifier)) return;
  const type = textAt(modifier, "type");
  for (const [owner, field] of [["ReplaceFullPath", "replaceFullPath"], ["ReplacePrefixMatch", "replacePrefixMatch"]] as const) {
    if ((at(modifier, field) !== undefined) !== (type === owner)) refuse(path, `\`${field}\` does not go with the type \`${type.slice(0, 40)}\``);
  }
}
