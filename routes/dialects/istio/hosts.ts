/**
 * Istio's algebra of host names, where `*` at the front stands for any text. Not the choice that Envoy makes among domains.
 *
 * @module
 */

/** True of `*` and `*.a.com`. */
export function isWildcard(host: string): boolean {
  return host.startsWith("*");
}

/** Every host that `inner` takes is taken by `outer` (istiod: pkg/config/host/name.go `SubsetOf`). Case counts. */
export function isSubsetOf(inner: string, outer: string): boolean {
  if (!isWildcard(outer)) return inner === outer;
  if (isWildcard(inner)) return inner.length >= outer.length && inner.slice(1).endsWith(outer.slice(1));
  return inner.endsWith(outer.slice(1));
}

/** One of the two covers the other (istiod: pkg/config/host/name.go `Matches`). */
export function overlap(left: string, right: string): boolean {
  return isSubsetOf(left, right) || isSubsetOf(right, left);
}

/** The narrower name of every pair that overlaps, each once (istiod: pkg/config/host/names.go `Intersection`). */
export function intersection(left: readonly string[], right: readonly string[]): readonly string[] {
  const out = new Set<string>();
  for (const one of left) {
    for (const other of right) {
      if (isSubsetOf(one, other)) out.add(one);
      else if (isSubsetOf(other, one)) out.add(other);
    }
  }
  return [...out];
}

/** Comparison that puts the more specific name first (istiod: pkg/config/host/names.go `MoreSpecific`). */
function bySpecificity(a: string, b: string): number {
  if (isWildcard(a) !== isWildcard(b)) return isWildcard(a) ? 1 : -1;
  return b.length - a.length || (a < b ? -1 : a > b ? 1 : 0);
}

/**
 * The entry for the most specific host that covers `host`; an exact entry first (istiod: pilot/pkg/model/config.go
 * `MostSpecificHostMatch`; note that there `*.a.com` covers by suffix alone).
 */
export function mostSpecific<V>(host: string, entries: ReadonlyMap<string, V>): V | undefined {
  const exact = entries.get(host);
  if (exact !== undefined) return exact;
  const needle = isWildcard(host) ? host.slice(1) : host;
  let best: string | undefined;
  for (const name of entries.keys()) {
    if (isWildcard(name) && needle.endsWith(name.slice(1)) && (best === undefined || bySpecificity(name, best) < 0)) best = name;
  }
  return best === undefined ? undefined : entries.get(best);
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** True of an IPv4 or IPv6 address; names hold no colon. */
function isAddress(host: string): boolean {
  return ipv4.test(host) || host.includes(":");
}

/**
 * A short name becomes `name.namespace.svc.domain`; whatever holds a dot stays, also `reviews.default`
 * (istiod: pilot/pkg/model/config.go `ResolveShortnameToFQDN`).
 */
export function fullName(host: string, namespace: string, domain: string): string {
  if (host === "" || host === "*" || host.includes(".") || isAddress(host)) return host;
  return `${host}.${namespace}.svc.${domain}`;
}

/** `namespace/name` of a gateway that a VirtualService names (istiod: pilot/pkg/model/config.go `resolveGatewayName`). */
export function gatewayName(name: string, namespace: string): string {
  if (name === "mesh") return name;
  if (name.startsWith("./")) return `${namespace}/${name.slice(2)}`;
  if (name.includes("/")) return name;
  const [first = "", second] = name.split(".");
  return second === undefined ? `${namespace}/${first}` : `${second}/${first}`;
}

/** The namespace in a full name; where the service is not seen it says who owns it. */
export function namespaceOf(host: string, domain: string): string {
  const tail = `.svc.${domain}`;
  return host.endsWith(tail) ? (host.slice(0, -tail.length).split(".")[1] ?? "") : "";
}

/** `name.namespace` of a full name. */
function shortName(host: string, domain: string): string | undefined {
  const mark = host.indexOf(".svc.");
  const short = mark > 0 && host.endsWith(`.svc.${domain}`) ? host.slice(0, mark) : "";
  return short.includes(".") ? short : undefined;
}

/** The namespace whose proxies reach a service by its name alone. */
export function namespaceIn(host: string, domain: string): string | undefined {
  const short = shortName(host, domain);
  return short?.slice(short.indexOf(".") + 1);
}

/**
 * Names under which a proxy of `namespace` reaches a service, besides the full one (istiod: networking/core/httproute.go
 * `GenerateAltVirtualHosts`); without a namespace, one of a namespace that the service is not of.
 */
export function alternativeNames(host: string, namespace: string | undefined, domain: string): readonly string[] {
  const out = isAddress(host) ? [] : [`${host}.`];
  const short = shortName(host, domain);
  if (short === undefined) return out;
  const dot = short.indexOf(".");
  return short.slice(dot + 1) === namespace ? [...out, short.slice(0, dot), `${short}.svc`, short] : [...out, short, `${short}.svc`];
}
