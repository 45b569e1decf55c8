import type { Unmodelled } from "../../decide/model.ts";
import { check, fits, type Shape } from "../istio/check.ts";
import { type JsonObject, labelsAt, listAt, numberAt, objectAt, textAt, textsAt } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import * as shapes from "./shapes.ts";

/** Whose reading of Gateway API counts. */
export type ApiReading = "istiod" | "specification";

/** The group of all kinds of this dialect. */
export const GROUP = "gateway.networking.k8s.io";

/** The kinds that this dialect reads, each with its shape. */
const shapeOf: ReadonlyMap<string, Shape> = new Map([
  ["Gateway", shapes.gateway],
  ["ListenerSet", shapes.listenerSet],
  ["HTTPRoute", shapes.httpRoute],
  ["GRPCRoute", shapes.grpcRoute],
  ["TLSRoute", shapes.connectionRoute],
  ["TCPRoute", shapes.connectionRoute],
  ["ReferenceGrant", shapes.referenceGrant],
]);

/** All objects of Gateway API of one place, oldest first within a kind. */
export interface ApiObjects {
  readonly gateways: readonly Named[];
  readonly listenerSets: readonly Named[];
  readonly routes: readonly Named[];
  readonly grants: readonly Named[];
  readonly classes: ReadonlyMap<string, string>;
  readonly backendPolicies: readonly Named[];
}

/** What of an object is outside the model, with object and path. Of an HTTPRoute it may be known that rules are in order. */
export function problemsOf(named: Named, isPlainAt: readonly boolean[] = []): readonly Unmodelled[] {
  const shape = shapeOf.get(named.kind);
  const found = shape === undefined || isInOrder(named.spec, isPlainAt) ? [] : check(named.spec, shape, "spec");
  return [...found, ...named.problems].map(({ reason, path }) => ({ reason, where: { object: named.title, path } }));
}

function isInOrder(spec: JsonObject, isPlainAt: readonly boolean[]): boolean {
  if (isPlainAt.length === 0) return false;
  const rules = listAt(spec, "rules");
  return rules.every((rule, index) => isPlainAt[index] === true || fits(rule, shapes.httpRule)) && fits(spec, shapes.httpRouteFrame);
}

const rulePaths: string[] = [];

/** Where a rule stands in its route: the same text for all routes. */
export function rulePath(index: number): string {
  return (rulePaths[index] ??= `spec.rules[${index}]`);
}

/** Age, then namespace, then name: the order of istiod among routes (conversion.go `sortConfigByCreationTime`). */
export function byAgeAndName(a: Named, b: Named): number {
  const left = a.created ?? "9", right = b.created ?? "9";
  return compare(left, right) || compare(a.namespace, b.namespace) || compare(a.name, b.name);
}

/** Age, then `namespace/name` as one text: the order of the specification, and that of istiod among ListenerSets (listener_conflict.go). */
export function byAgeAndPath(a: Named, b: Named): number {
  return compare(a.created ?? "9", b.created ?? "9") || compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** True of labels that satisfy a label selector; an empty one takes all. */
export function selects(selector: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(labelsAt(selector, "matchLabels")).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
  return wanted && listAt(selector, "matchExpressions").every((entry) => {
    const key = textAt(entry, "key"), values = textsAt(entry, "values");
    const own = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (textAt(entry, "operator")) {
      case "In": return own !== undefined && values.includes(own);
      case "NotIn": return own === undefined || !values.includes(own);
      case "Exists": return own !== undefined;
      case "DoesNotExist": return own === undefined;
      default: return false;
    }
  });
}

/** Whether a ReferenceGrant lets an object of `from` refer to `to`. */
export function isGranted(grants: readonly Named[], from: { readonly kind: string; readonly namespace: string }, to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string }): boolean {
  return grants.some(({ namespace, spec }) =>
    namespace === to.namespace &&
    listAt(spec, "from").some((entry) => textAt(entry, "group") === GROUP && textAt(entry, "kind") === from.kind && textAt(entry, "namespace") === from.namespace) &&
    listAt(spec, "to").some((entry) => textAt(entry, "group") === to.group && textAt(entry, "kind") === to.kind && ["", to.name].includes(textAt(entry, "name"))),
  );
}

/** The port of a listener; one of a ListenerSet may leave it to its protocol. */
export function portOf(listener: unknown): number {
  const own = numberAt(listener, "port");
  if (own !== 0) return own;
  const protocol = textAt(listener, "protocol");
  return protocol === "HTTP" ? 80 : protocol === "HTTPS" ? 443 : 0;
}

/** What a listener says of the routes that it takes. */
export function allowedIn(listener: unknown): JsonObject {
  return objectAt(listener, "allowedRoutes");
}
