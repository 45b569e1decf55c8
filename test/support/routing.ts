import type { Fact, JsonObject, RoutingObject, RoutingPlace } from "#engine";
import { parseDocuments } from "../../clients/documents/index.ts";

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Routing facts of one cluster whose lists are complete: the objects of a YAML text, and what is known of the place. */
export function routing(cluster: string, yaml: string, parts: Partial<RoutingPlace> = {}): readonly Fact<"routing">[] {
  const place: RoutingPlace = {
    type: "place",
    complete: true,
    unseen: [],
    controlPlanes: ["docker.io/istio/pilot:1.29.5"],
    proxies: ["docker.io/istio/proxyv2:1.29.5"],
    meshConfigs: [{ namespace: "istio-system", name: "istio", config: {} }],
    ...parts,
  };
  const objects = parseDocuments(yaml, `${cluster}.yaml`, "kubernetes").map(({ value, at }) => ({ object: objectOf(value as JsonObject), line: at.line }));
  const source = { collector: "test", locator: `/${cluster}` };
  return [
    { type: "fact", kind: "routing", cluster, subject: "place", data: place, source },
    ...objects.map(({ object, line }) => ({
      type: "fact" as const,
      kind: "routing" as const,
      cluster,
      subject: `${object.kind} ${object.namespace}/${object.name}`,
      data: object,
      source: { ...source, file: `${cluster}.yaml`, line },
    })),
  ];
}

function objectOf(value: JsonObject): RoutingObject {
  const { name, namespace = "default", creationTimestamp, labels } = value["metadata"] as unknown as Metadata;
  return {
    type: "object",
    apiVersion: String(value["apiVersion"]),
    kind: String(value["kind"]),
    namespace,
    name,
    ...(creationTimestamp === undefined ? {} : { created: creationTimestamp }),
    ...(labels === undefined ? {} : { labels }),
    spec: (value["spec"] ?? {}) as JsonObject,
  };
}

/** A gateway `ingress/public` on port 80 with its pod, and services `cart` and `web` of the namespace `shop`. */
export const ground = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: ingress, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: public-0, namespace: ingress, labels: { istio: ingress } }
spec: { containers: [{ name: istio-proxy, args: [proxy, router] }] }
---
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { clusterIP: 10.0.0.7, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { clusterIP: 10.0.0.8, ports: [{ name: http, port: 80 }] }
`;

interface ServiceParts {
  readonly name?: string;
  readonly hosts?: string;
  readonly gateways?: string;
  readonly day?: number;
  /** Of \`spec.http\`, in flow style. */
  readonly http: string;
}

/** A VirtualService of the namespace `shop`, on the gateway `ingress/public` and for `shop.example` until told otherwise. */
export function virtualService({ name = "shop", hosts = "shop.example", gateways = "ingress/public", day = 1, http }: ServiceParts): string {
  return `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: shop, creationTimestamp: "2026-02-${String(day).padStart(2, "0")}T00:00:00Z" }
spec: { hosts: [${hosts}], gateways: [${gateways}], http: ${http} }
`;
}

/** A route to a service of the namespace `shop`. */
export function to(service: string): string {
  return `route: [{ destination: { host: ${service}.shop.svc.cluster.local, port: { number: 80 } } }]`;
}
