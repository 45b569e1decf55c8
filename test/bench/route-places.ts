/**
 * Places of the size that the route engine is measured with, as API servers hold them. Everything is counted out, nothing is random:
 * the same numbers give the same objects on every machine.
 *
 * @module
 */

type Plain = Readonly<Record<string, unknown>>;

/** A rule before it is written; edits work on these. */
export interface PlainRule {
  readonly match?: readonly Plain[];
  readonly route: readonly Plain[];
  readonly timeout?: string;
  readonly headers?: Plain;
}

const words = ["payments", "orders", "cart", "search", "users", "media", "billing", "stock", "reviews", "login"];
const methods = ["GET", "POST", "PUT", "DELETE"];
const BACKENDS = 200;

function backend(index: number): string {
  return `${words[index % words.length] ?? ""}-${index % BACKENDS}.shop.svc.cluster.local`;
}

function routeTo(index: number): readonly Plain[] {
  const destination = { host: backend(index), port: { number: 8080 } };
  if (index % 23 === 0) return [{ destination: { ...destination, subset: "v1" }, weight: 90 }, { destination: { ...destination, subset: "v2" }, weight: 10 }];
  return [{ destination: index % 7 === 0 ? { ...destination, subset: "v1" } : destination }];
}

/** `count` rules of one host: prefixes and whole paths on several levels, every fifth with a header before its plain twin. */
export function rulesOf(count: number, regexes = 0): readonly PlainRule[] {
  const spacing = regexes === 0 ? Infinity : Math.floor(count / regexes);
  return Array.from({ length: count }, (_, index): PlainRule => {
    const twin = index % 5 === 3 ? index + 1 : index;
    const word = words[twin % words.length] ?? "";
    const base = `/api/v${1 + (twin % 3)}/${word}-${Math.floor(twin / 3)}`;
    const uri =
      index % spacing === 1 ? { regex: `/api/v[0-9]+/${word}-${index}/[^/]+/(items|lines)(/.*)?` } : twin % 3 === 0 ? { prefix: `${base}/` } : twin % 3 === 1 ? { exact: `${base}/status` } : { prefix: `${base}/${word}/` };
    const block = {
      uri,
      ...(twin !== index ? { headers: { "x-canary": { exact: `ring-${index % 4}` } } } : {}),
      ...(index % 7 === 2 ? { method: { exact: methods[index % 4] ?? "" } } : {}),
    };
    const match = index % 10 === 6 ? [block, { uri: { exact: `${base}/also` } }] : [block];
    return { match, route: routeTo(index), ...(index % 4 === 0 ? { timeout: `${1 + (index % 9)}s` } : {}), ...(index % 31 === 0 ? { headers: { request: { set: { "x-from": `edge-${index % 8}` } } } } : {}) };
  });
}

/** As many rules that answer every request as before: neighbours that change places, blocks that become rules, copies that never decide. */
export function editedAlike(rules: readonly PlainRule[], edits: number, turn: number): readonly PlainRule[] {
  const out = [...rules];
  for (let edit = 0; edit < edits; edit++) {
    const at = Math.floor(((edit + 0.3 + 0.2 * turn) * out.length) / edits);
    if (edit % 3 === 0) {
      // Two whole paths, or a whole path and a prefix of another branch, never take the same request.
      const from = out.findIndex((rule, index) => index >= at && areApart(rule, out[index + 1]));
      const [first, second] = [out[from], out[from + 1]];
      if (first !== undefined && second !== undefined) out.splice(from, 2, second, first);
    } else if (edit % 3 === 1) {
      const from = out.findIndex((rule, index) => index >= at && rule.match?.length === 2);
      const rule = out[from];
      if (rule?.match !== undefined) out.splice(from, 1, ...rule.match.map((block) => ({ ...rule, match: [block] })));
    } else {
      const rule = out[at];
      if (rule !== undefined) out.splice(Math.min(out.length, at + 50), 0, rule);
    }
  }
  return out;
}

function areApart(one: PlainRule, other: PlainRule | undefined): boolean {
  const text = (rule: PlainRule | undefined): string => JSON.stringify(rule?.match?.map(({ uri }) => uri));
  return other !== undefined && /exact/.test(text(one)) && /exact|prefix/.test(text(other)) && !/regex/.test(text(other)) && text(one) !== text(other) && !text(one).includes("also") && !text(other).includes("also");
}

/** The same rules, and one in the middle leads elsewhere. */
export function broken(rules: readonly PlainRule[]): readonly PlainRule[] {
  return rules.map((rule, index) => (index === Math.floor(rules.length / 2) ? { ...rule, route: [{ destination: { host: backend(index + 1), port: { number: 8080 } } }] } : rule));
}

function metadata(cluster: number, name: string, namespace: string, index: number): Plain {
  const day = 1 + (index % 28);
  return {
    name,
    namespace,
    uid: `00000000-${String(cluster).padStart(4, "0")}-4000-8000-${String(index).padStart(12, "0")}`,
    resourceVersion: String(1_000_000 + cluster * 7_919 + index),
    generation: 3,
    creationTimestamp: `2026-${String(1 + (Math.floor(index / 28) % 12)).padStart(2, "0")}-${String(day).padStart(2, "0")}T00:00:00Z`,
    labels: { "app.kubernetes.io/managed-by": "argocd", "argocd.argoproj.io/instance": "shop" },
    managedFields: [
      { manager: "argocd-controller", operation: "Apply", apiVersion: "networking.istio.io/v1", time: "2026-06-01T00:00:00Z", fieldsType: "FieldsV1", fieldsV1: { "f:metadata": { "f:labels": { "f:argocd.argoproj.io/instance": {} } }, "f:spec": { "f:gateways": {}, "f:hosts": {}, "f:http": {} } } },
    ],
  };
}

function istio(kind: string, meta: Plain, spec: Plain): Plain {
  return { apiVersion: "networking.istio.io/v1", kind, metadata: meta, spec };
}

function service(cluster: number, name: string, namespace: string, index: number, port: number): Plain {
  const spec = { clusterIP: `10.96.${Math.floor(index / 250)}.${1 + (index % 250)}`, clusterIPs: [`10.96.${Math.floor(index / 250)}.${1 + (index % 250)}`], ports: [{ name: "http", port, protocol: "TCP", targetPort: 8080 }], selector: { app: name }, type: "ClusterIP", sessionAffinity: "None" };
  return { apiVersion: "v1", kind: "Service", metadata: metadata(cluster, name, namespace, index), spec };
}

function backends(cluster: number): readonly Plain[] {
  return Array.from({ length: BACKENDS }, (_, index) => {
    const name = `${words[index % words.length] ?? ""}-${index}`;
    return [
      service(cluster, name, "shop", index, 8080),
      istio("DestinationRule", metadata(cluster, name, "shop", index), {
        host: `${name}.shop.svc.cluster.local`,
        trafficPolicy: { connectionPool: { http: { http2MaxRequests: 100 + (index % 5) } } },
        subsets: [{ name: "v1", labels: { version: "v1" } }, { name: "v2", labels: { version: "v2" } }],
      }),
    ];
  }).flat();
}

function ingress(cluster: number): readonly Plain[] {
  return [
    istio("Gateway", metadata(cluster, "main", "edge", 0), { selector: { istio: "ingress" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] }),
    { apiVersion: "v1", kind: "Pod", metadata: { ...metadata(cluster, "ingress-0", "edge", 1), labels: { istio: "ingress" } }, spec: { containers: [{ name: "istio-proxy", args: ["proxy", "router"] }] } },
  ];
}

const MOST_RULES = 3_000;

/** One host on a gateway: its rules in at least 20 VirtualServices, none above 1 MB. The last has the rule for all the rest. */
export function oneHost(cluster: number, rules: readonly PlainRule[]): readonly Plain[] {
  const parts = Math.max(20, Math.ceil(rules.length / MOST_RULES));
  const size = Math.ceil(rules.length / parts);
  const services = Array.from({ length: parts }, (_, part) => {
    const http = [...rules.slice(part * size, (part + 1) * size), ...(part === parts - 1 ? [{ route: routeTo(0) }] : [])];
    return istio("VirtualService", metadata(cluster, `api-${String(part).padStart(3, "0")}`, "shop", part), { hosts: ["api.example.com"], gateways: ["edge/main"], http });
  });
  return [...ingress(cluster), ...backends(cluster), ...services];
}

/** Many hosts on a gateway, each with a VirtualService of its own. In every cluster but the first some hosts have their rules edited. */
export function manyHosts(cluster: number, hosts: number, rules: number): readonly Plain[] {
  const all = rulesOf(hosts * rules);
  const services = Array.from({ length: hosts }, (_, host) => {
    const own = all.slice(host * rules, (host + 1) * rules);
    const http = cluster > 0 && host % 100 === cluster ? editedAlike(own, 3, cluster) : own;
    return istio("VirtualService", metadata(cluster, `host-${host}`, "shop", host), { hosts: [`host-${host}.example.com`], gateways: ["edge/main"], http });
  });
  return [...ingress(cluster), ...backends(cluster), ...services];
}

/** A mesh: every host a service with a VirtualService; the first namespaces have a Sidecar that lets in their own and a neighbour's hosts. */
export function mesh(cluster: number, hosts: number, namespaces: number, sidecars: number, rules: number): readonly Plain[] {
  const all = rulesOf(hosts * rules);
  const place = (host: number): string => `team-${host % namespaces}`;
  const objects = Array.from({ length: hosts }, (_, host) => {
    const own = all.slice(host * rules, (host + 1) * rules).map((rule, index) => ({ ...rule, route: [{ destination: { host: `svc-${(host + index) % hosts}.team-${((host + index) % hosts) % namespaces}.svc.cluster.local`, port: { number: 80 } } }] }));
    const http = cluster > 0 && host % 100 === cluster ? editedAlike(own, 3, cluster) : own;
    const name = `svc-${host}`;
    return [
      service(cluster, name, place(host), host, 80),
      istio("VirtualService", metadata(cluster, name, place(host), host), { hosts: [`${name}.${place(host)}.svc.cluster.local`], http: [...http, { route: [{ destination: { host: `${name}.${place(host)}.svc.cluster.local`, port: { number: 80 } } }] }] }),
    ];
  }).flat();
  const scopes = Array.from({ length: sidecars }, (_, index) =>
    istio("Sidecar", metadata(cluster, "default", `team-${index}`, index), { egress: [{ hosts: ["./*", `team-${(index + 7) % namespaces}/*`, "istio-system/*"] }] }),
  );
  return [...objects, ...scopes];
}
