import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { apply, remove, type Manifest } from "../parts/api.ts";
import { asAdmin, type ClusterAddress } from "../parts/cluster.ts";
import { namespaceOf } from "../parts/world.ts";
import { asReader, contexts, desk, faultsOf } from "./assert.ts";
import { onClusters } from "./ground.ts";

const NAMESPACE = "routes";
const ASSERTION = JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "RoutesEquivalent", metadata: { name: "alike" }, spec: { hosts: ["shop.example"], views: ["gateways"] } });

const object = (kind: string, name: string, spec: object): Manifest => ({ apiVersion: "networking.istio.io/v1", kind, metadata: { name, namespace: NAMESPACE }, spec });

const gateway = object("Gateway", "public", { selector: { istio: "routes" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["shop.example"] }] });

const route = (name: string, prefix: string, service: string): Manifest =>
  object("VirtualService", name, {
    hosts: ["shop.example"],
    gateways: [`${NAMESPACE}/public`],
    http: [{ match: [{ uri: { prefix } }], route: [{ destination: { host: `${service}.routes.svc.cluster.local`, port: { number: 80 } } }] }],
  });

const pod: Manifest = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "public-0", namespace: NAMESPACE, labels: { istio: "routes" } },
  spec: { containers: [{ name: "istio-proxy", image: "docker.io/istio/proxyv2:1.29.6", args: ["proxy", "router"] }] },
};

const services = ["cart", "beta"].map((name): Manifest => ({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: NAMESPACE }, spec: { ports: [{ name: "http", port: 80 }] } }));

const cart = route("cart", "/cart", "cart");
const beta = route("beta", "/cart/beta", "beta");
const account: Manifest = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: NAMESPACE } };
const all = [gateway, cart, beta, ...services, pod];

/** API servers write creation times in whole seconds. */
async function inTurn(cluster: ClusterAddress, ...manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) {
    await asAdmin(cluster, (api) => apply(api, [manifest]));
    await sleep(1100);
  }
}

onClusters("the same YAML, applied in another order on two clusters: a request that they answer differently, and the order as its cause", async ({ clusters: { eks, gke } }) => {
  const both = [eks, gke];
  try {
    for (const cluster of both) await asAdmin(cluster, (api) => apply(api, [namespaceOf(NAMESPACE), account, gateway, ...services, pod]));
    await inTurn(eks, cart, beta);
    await inTurn(gke, beta, cart);
    const { run, assert } = await desk({ contexts: asReader(eks, gke), files: { "routes.yaml": ASSERTION } });
    const { code, result } = await run("routes.yaml", ...contexts("eks", "gke"));

    expect(code).toBe(1);
    expect(result().gaps).toEqual([]);
    expect(faultsOf(result()).map(({ subject }) => subject)).toEqual(["routes/public:80/shop.example"]);
    const [fault] = faultsOf(result());
    expect(fault?.message).toContain("`GET http://shop.example/cart/beta`");
    expect(fault?.message).toContain("in `eks` it goes to `cart.routes.svc.cluster.local:80` by rule `VirtualService routes/cart` spec.http[0].match[0]");
    expect(fault?.message).toContain("in `gke` it goes to `beta.routes.svc.cluster.local:80` by rule `VirtualService routes/beta` spec.http[0].match[0]");
    expect(fault?.remedy).toContain("were made in another order");

    const compared = await assert("compare", "context:eks", "context:gke", "--hosts", "shop.example", "--views", "gateways", "-o", "json");
    expect(compared.code).toBe(1);
    expect(JSON.parse(compared.stdout)).toMatchObject({ differences: [{ request: { path: "/cart/beta" }, left: { rule: { object: "VirtualService routes/cart" } }, right: { rule: { object: "VirtualService routes/beta" } } }] });

    const routed = await assert("route", "--at", "context:gke", "http://shop.example/cart/beta", "--view", "routes/public:80", "-o", "json");
    expect(JSON.parse(routed.stdout)).toMatchObject({ view: { gateway: "routes/public", port: 80, tls: false } });
  } finally {
    for (const cluster of both) await asAdmin(cluster, (api) => remove(api, all));
  }
});

onClusters("the same objects in the same order: the routes are equivalent, whatever lists the clusters hold besides", async ({ clusters: { eks, gke } }) => {
  const both = [eks, gke];
  try {
    for (const cluster of both) {
      await asAdmin(cluster, (api) => apply(api, [namespaceOf(NAMESPACE), account, gateway, ...services, pod]));
      await inTurn(cluster, beta, cart);
    }
    const { run } = await desk({ contexts: asReader(eks, gke), files: { "routes.yaml": ASSERTION } });
    const { result } = await run("routes.yaml", ...contexts("eks", "gke"));
    expect(faultsOf(result())).toEqual([]);
    expect(result().gaps).toEqual([]);
    expect(result().coverage.judged).toBeGreaterThan(0);
  } finally {
    for (const cluster of both) await asAdmin(cluster, (api) => remove(api, all));
  }
});
