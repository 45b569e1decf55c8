import { isSubsetOf, overlap } from "../istio/hosts.ts";
import { at, type Json, listAt, numberAt, textAt, textsAt, withOne } from "../istio/json.ts";
import type { Named } from "../istio/registry.ts";
import type { ApiListener } from "./listeners.ts";
import { GROUP } from "./objects.ts";

/** A parent of a route: a listener, or a service of the mesh. */
export type Parent =
  | { readonly listener: ApiListener }
  | { readonly kind: "Service" | "ServiceEntry"; readonly namespace: string; readonly name: string; readonly port: number | undefined };

const anyHost: readonly string[] = ["*"];

/** The hosts that a route names; none is every host. */
export function hostnamesOf(route: Named): readonly string[] {
  const own = textsAt(route.spec, "hostnames");
  return own.length === 0 ? anyHost : own;
}

const noParents: readonly Parent[] = [];

/** The parents that take a route, each once (conversion.go `extractParentReferenceInfo`). */
export function parentsOf(route: Named, listeners: readonly ApiListener[]): readonly Parent[] {
  let out: readonly Parent[] = noParents;
  for (const reference of listAt(route.spec, "parentRefs")) {
    const group = at(reference, "group") === undefined ? GROUP : textAt(reference, "group"), kind = textAt(reference, "kind") || "Gateway";
    const name = textAt(reference, "name"), namespace = textAt(reference, "namespace") || route.namespace;
    const isService = (group === "" && kind === "Service") || (group === "networking.istio.io" && kind === "ServiceEntry");
    if (isService) {
      const port = numberAt(reference, "port") || undefined;
      const isThere = out.some((one) => "kind" in one && one.kind === kind && one.namespace === namespace && one.name === name && one.port === port);
      if (!isThere) out = withOne<Parent>(out, { kind: kind === "Service" ? "Service" : "ServiceEntry", namespace, name, port });
    }
    if (group !== GROUP || (kind !== "Gateway" && kind !== "ListenerSet")) continue;
    for (const listener of listeners) {
      const { owner } = listener;
      if (owner.kind !== kind || owner.name !== name || owner.namespace !== namespace || !takes(listener, route, reference)) continue;
      const known = out.findIndex((one) => "listener" in one && one.listener.internal === listener.internal);
      out = known < 0 ? withOne<Parent>(out, { listener }) : out.with(known, { listener });
    }
  }
  return out;
}

/** conversion.go `referenceAllowed`: section and port, then hosts and namespaces, then the kind. */
function takes(listener: ApiListener, route: Named, reference: Json): boolean {
  const port = numberAt(reference, "port"), section = textAt(reference, "sectionName");
  if ((port !== 0 && port !== listener.port) || (section !== "" && section !== listener.name)) return false;
  if (!listener.kinds.includes(route.kind) || !takesNamespace(listener, route.namespace)) return false;
  const shown = listener.hostname === "" ? "*" : listener.hostname;
  if (route.kind === "TCPRoute") return true;
  for (const name of hostnamesOf(route)) if (overlap(shown, name)) return true;
  return false;
}

/** Of the hosts that istiod writes for a listener each has the listener's own name. */
function takesNamespace({ hosts }: ApiListener, namespace: string): boolean {
  for (const text of hosts) if (text.startsWith("*/") || (text.startsWith(namespace) && text.charCodeAt(namespace.length) === 0x2f)) return true;
  return false;
}

/** The narrower of two hosts, of which `""` and `*` are all; undefined where they share none. */
export function narrower(one: string, other: string): string | undefined {
  const left = one === "" ? "*" : one.toLowerCase(), right = other === "" ? "*" : other.toLowerCase();
  return isSubsetOf(left, right) ? left : isSubsetOf(right, left) ? right : undefined;
}
