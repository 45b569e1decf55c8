import { at, isObject, type Json, type JsonObject, labelsAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import type { HttpRule, Match } from "./virtual-services.ts";

/**
 * The merge of a rule that delegates with the rules of its delegate, step by step as in istiod's pilot/pkg/model/virtualservice.go.
 * It is not a logical "and": see the remarks.
 *
 * @module
 */

/** The fields that a delegate's rule inherits when it lacks them. A list without items counts as lacking, as in protobuf. */
const inherited = ["rewrite", "directResponse", "timeout", "retries", "fault", "mirror", "mirrorPercent", "mirrorPercentage", "corsPolicy", "mirrors", "headers"] as const;

/** The rules that stand in the place of `root` (`MergeHTTPRoutes`); those in conflict with it are gone. */
export function mergeDelegate(root: HttpRule, delegate: readonly HttpRule[]): readonly HttpRule[] {
  return delegate.flatMap((rule) => {
    const matches = mergeMatches(root.matches, rule.matches);
    return matches === undefined ? [] : [mergeRule(root, rule, matches)];
  });
}

function mergeRule(root: HttpRule, leaf: HttpRule, matches: readonly Match[]): HttpRule {
  const spec: Record<string, Json> = { ...leaf.spec };
  let { mirrorNamespace, mirrorsNamespace } = leaf;
  for (const field of inherited) {
    if (!isAbsent(at(leaf.spec, field))) continue;
    const value = at(root.spec, field);
    if (isAbsent(value)) continue;
    spec[field] = value;
    if (field === "mirror") mirrorNamespace = root.mirrorNamespace;
    if (field === "mirrors") mirrorsNamespace = root.mirrorsNamespace;
  }
  const { source, path, namespace } = leaf;
  return { spec, written: undefined, source, path, matches, namespace, mirrorNamespace, mirrorsNamespace };
}

function isAbsent(value: Json): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** `mergeHTTPMatchRequests`: one block of the delegate without a fitting block of the root drops the whole rule. */
function mergeMatches(root: readonly Match[], leaf: readonly Match[]): readonly Match[] | undefined {
  if (root.length === 0) return leaf;
  if (leaf.length === 0) return root;
  const out: Match[] = [];
  for (const inner of leaf) {
    const fitting = root.filter((outer) => !inConflict(outer.spec, inner.spec));
    if (fitting.length === 0) return undefined;
    for (const outer of fitting) out.push({ ...inner, spec: mergeMatch(outer.spec, inner.spec) });
  }
  return out;
}

/** `mergeHTTPMatchRequest`: the delegate's value stands in for the root's. So `withoutHeaders` of the root can be widened. */
function mergeMatch(root: JsonObject, leaf: JsonObject): JsonObject {
  const out: Record<string, Json> = { ...leaf };
  for (const field of ["uri", "scheme", "method", "authority"]) if (isAbsent(at(leaf, field))) out[field] = at(root, field) ?? undefined;
  for (const field of ["headers", "withoutHeaders", "queryParams", "sourceLabels"]) out[field] = { ...objectAt(root, field), ...objectAt(leaf, field) };
  if (numberAt(leaf, "port") === 0) out["port"] = numberAt(root, "port");
  if (textAt(leaf, "sourceNamespace") === "") out["sourceNamespace"] = textAt(root, "sourceNamespace");
  if (textsAt(leaf, "gateways").length === 0) out["gateways"] = textsAt(root, "gateways");
  return out;
}

/** `hasConflict`. A root with `sourceNamespace` asks that the delegate repeats it; `ignoreUriCase` must agree even without a `uri`. */
function inConflict(root: JsonObject, leaf: JsonObject): boolean {
  if (["uri", "scheme", "method", "authority"].some((field) => stringConflict(at(root, field), at(leaf, field)))) return true;
  for (const field of ["headers", "withoutHeaders", "queryParams"]) {
    for (const [key, value] of Object.entries(objectAt(leaf, field))) if (stringConflict(at(objectAt(root, field), key), value)) return true;
  }
  if ((at(root, "ignoreUriCase") === true) !== (at(leaf, "ignoreUriCase") === true)) return true;
  const ports = [numberAt(root, "port"), numberAt(leaf, "port")];
  if (ports[0] !== 0 && ports[1] !== 0 && ports[0] !== ports[1]) return true;
  const namespace = textAt(root, "sourceNamespace");
  if (namespace !== "" && namespace !== textAt(leaf, "sourceNamespace")) return true;
  const labels = labelsAt(root, "sourceLabels");
  if (Object.entries(labelsAt(leaf, "sourceLabels")).some(([key, value]) => Object.hasOwn(labels, key) && labels[key] !== value)) return true;
  const outer = textsAt(root, "gateways"), inner = textsAt(leaf, "gateways");
  return outer.length > 0 && inner.length > 0 && (outer.length < inner.length || inner.some((gateway) => !outer.includes(gateway)));
}

/** `stringMatchConflict`: an expression on either side conflicts even with itself, and so does a mere test of presence. */
function stringConflict(root: Json, leaf: Json): boolean {
  if (!isObject(root) || !isObject(leaf)) return false;
  const outer = { exact: textAt(root, "exact"), prefix: textAt(root, "prefix"), regex: textAt(root, "regex") };
  const inner = { exact: textAt(leaf, "exact"), prefix: textAt(leaf, "prefix"), regex: textAt(leaf, "regex") };
  const some = (match: typeof outer): boolean => match.exact !== "" || match.prefix !== "" || match.regex !== "";
  if (outer.regex !== "" && some(inner)) return true;
  if (inner.regex !== "" && some(outer)) return true;
  if (outer.exact !== "") return inner.prefix !== "" || inner.exact !== outer.exact;
  if (outer.prefix !== "" && inner.prefix !== "") return !inner.prefix.startsWith(outer.prefix);
  if (outer.prefix !== "" && inner.exact !== "") return !inner.exact.startsWith(outer.prefix);
  return true;
}

/** True of a rule that hands over to another VirtualService. */
export function delegates(spec: JsonObject): boolean {
  return isObject(at(spec, "delegate"));
}
