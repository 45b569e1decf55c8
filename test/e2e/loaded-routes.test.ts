import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { apply, post, type Manifest } from "../parts/api.ts";
import { asAdmin, startCluster, type Cluster } from "../parts/cluster.ts";
import { postCrds, readCrds } from "../parts/crds.ts";
import { startEnvoy, type Envoy } from "../parts/envoy.ts";
import { nodeWithKubelet, startKubelet, type Kubelet } from "../parts/kubelet.ts";
import { admitReader, bind, untilMay } from "../parts/seed.ts";
import { EKS, ISTIO, namespaceOf, proxyPod } from "../parts/world.ts";
import { gatewayListener, routeTo } from "../support/loaded.ts";
import { asReader, contexts, desk, faultsOf } from "./assert.ts";
import { onClusters } from "./ground.ts";

const SECRET = "canary-that-no-snapshot-holds";
const ASSERTION = JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "RoutesEquivalent", metadata: { name: "as-declared" }, spec: { against: "proxies", views: ["gateways"] } });

const object = (kind: string, namespace: string, name: string, spec: object): Manifest => ({ apiVersion: "networking.istio.io/v1", kind, metadata: { name, namespace }, spec });
const service = (namespace: string, name: string, spec: object): Manifest => ({ apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec });
const to = (name: string): object => ({ route: [{ destination: { host: `${name}.shop.svc.cluster.local`, port: { number: 80 } } }] });
const shop = (...http: readonly object[]): Manifest => object("VirtualService", "shop", "shop", { hosts: ["shop.example"], gateways: ["ingress/public"], http });
const cart = { match: [{ uri: { prefix: "/cart" } }], ...to("cart") };

/** What istiod makes of the rules; with something in it that is nobody's business. */
const listener = (...routes: readonly object[]): object => ({ ...gatewayListener({ routes, port: 8080, bind: false }), metadata: { filter_metadata: { test: { note: SECRET } } } });
const toCart = routeTo("cart", { prefix: "/cart" });

/**
 * What is real here: the API server with its exec, Envoy with its admin interface and what it dumps, the WebSocket, and the roles. What
 * is shaped: no container runs, the kubelet serves Kubernetes' own exec streams but knows the one command `pilot-agent request`, and a
 * file sends that Envoy its listeners in place of istiod.
 */
describe("a cluster and its own proxies", () => {
  let place: { readonly cluster: Cluster; readonly envoy: Envoy; readonly kubelet: Kubelet } | undefined;

  beforeAll(async () => {
    const ground = inject("ground");
    if ("missing" in ground) return;
    const { parts } = ground;
    const node = { id: "router~10.1.0.1~public-0.ingress~ingress.svc.cluster.local", cluster: "public.ingress", metadata: { NAMESPACE: "ingress", ISTIO_VERSION: ISTIO, LABELS: { istio: "ingress" }, TOKEN: SECRET } };
    const [cluster, envoy] = await Promise.all([
      startCluster({ name: "declared", gitVersion: EKS.gitVersion, binaries: parts }),
      startEnvoy({ binary: parts.envoy, node, clusters: ["cart", "web"].map((name) => `outbound|80||${name}.shop.svc.cluster.local`) }),
    ]);
    const kubelet = await startKubelet(parts.kubelet, envoy.admin);
    place = { cluster, envoy, kubelet };
    await admitReader(cluster);
    await asAdmin(cluster, async (api) => {
      await postCrds(api, await readCrds());
      await post(api, [namespaceOf("shop"), namespaceOf("ingress"), nodeWithKubelet("worker", kubelet)]);
      await post(api, [0, 1].map((replica) => proxyPod(EKS, { namespace: "ingress", workload: "public", replica, role: "gateway", image: EKS.proxyImage(ISTIO), nodeName: "worker" })));
      await post(api, [
        ...["cart", "web"].map((name) => service("shop", name, { ports: [{ name: "http", port: 80 }] })),
        service("ingress", "public", { selector: { istio: "ingress" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] }),
      ]);
      await apply(api, [object("Gateway", "ingress", "public", { selector: { istio: "ingress" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] }), shop(cart, to("web"))]);
    });
    await envoy.send([listener(toCart, routeTo("web"))]);
  });

  afterAll(async () => {
    if (place === undefined) return;
    const { cluster, envoy, kubelet } = place;
    await cluster.stop();
    await Promise.all([envoy.stop(), kubelet.stop()]);
  });

  function onProxies(claim: string, body: (here: NonNullable<typeof place>) => Promise<void>): void {
    onClusters(claim, async () => {
      if (place === undefined) throw new Error("the place of this file was not set up");
      await body(place);
    });
  }

  const files = { "routes.yaml": ASSERTION };

  onProxies("without the probe, and without its right: undecided, with what would settle it", async ({ cluster }) => {
    const { run } = await desk({ contexts: asReader(cluster), files });
    const without = await run("routes.yaml", ...contexts("declared"));
    expect([without.code, without.result().gaps.map(({ remedy }) => remedy)]).toEqual([2, ["allow the probe `admin` (permissions `get` and `create` on `pods/exec`)"]]);
    const denied = await run("routes.yaml", "--probe", "admin", ...contexts("declared"));
    expect([denied.code, denied.result().gaps.length, JSON.stringify(denied.result().gaps)]).toEqual([2, 1, expect.stringContaining("`pods/exec`")]);
  });

  onProxies("holds where every proxy has loaded what the objects declare; of its dump no secret is kept", async ({ cluster, kubelet }) => {
    await asAdmin(cluster, (api) => bind(api, "reader", ["cloud-assert-probe-admin"]));
    await untilMay(cluster, "reader", { verb: "create", resource: "pods/exec" });
    const { run, assert, read } = await desk({ contexts: asReader(cluster), files });
    const before = kubelet.log();
    const { code, result } = await run("routes.yaml", "--probe", "admin", ...contexts("declared"));
    expect([result().findings, result().gaps, result().verdict, code]).toEqual([[], [], "holds", 0]);
    const asked = kubelet.log().slice(before.length).trim().split("\n");
    expect([asked.length, asked.every((line) => line.includes('["pilot-agent" "request" "GET" "config_dump"]'))]).toEqual([2, true]);

    expect((await assert("collect", "routes.yaml", "--probe", "admin", "--out", "snapshots", ...contexts("declared"))).code).toBe(0);
    const snapshot = await read("snapshots/declared.json");
    expect(snapshot).toContain("outbound|80||cart.shop.svc.cluster.local");
    expect(snapshot).not.toContain(SECRET);
    // A snapshot is judged as the cluster was.
    const again = await run("routes.yaml", "--snapshots", "snapshots");
    expect([again.code, again.result().verdict]).toEqual([0, "holds"]);
  });

  onProxies("is violated as long as a proxy runs what was declared before, with a request that it answers otherwise", async ({ cluster, envoy }) => {
    await envoy.send([listener(routeTo("web"))]);
    const { run } = await desk({ contexts: asReader(cluster), files });
    const { code, result } = await run("routes.yaml", "--probe", "admin", ...contexts("declared"));
    const [fault, ...others] = faultsOf(result());
    expect([code, others, fault?.message]).toEqual([1, [], expect.stringContaining("`GET http://shop.example/cart`")]);
    expect(fault?.message).toContain("in `declared` it goes to `cart.shop.svc.cluster.local:80` by rule `VirtualService shop/shop` spec.http[0].match[0]");
    expect(fault?.message).toContain("in `ingress/Deployment/public gateway` it goes to `web.shop.svc.cluster.local:80` by rule `RouteConfiguration http.8080` virtual_hosts[0].routes[0]");

    await asAdmin(cluster, (api) => apply(api, [shop(to("web"))]));
    const settled = await run("routes.yaml", "--probe", "admin", ...contexts("declared"));
    expect([settled.code, settled.result().verdict]).toEqual([0, "holds"]);
  });

  onProxies("the dump that such a proxy gives is a place of `assert compare` and `assert route`", async ({ cluster, envoy }) => {
    await asAdmin(cluster, (api) => apply(api, [shop(cart, to("web"))]));
    await envoy.send([listener(toCart, routeTo("web"))]);
    const dump = await (await fetch(`http://${envoy.admin}/config_dump`)).text();
    const { assert } = await desk({ contexts: asReader(cluster), files: { "dump.json": dump } });
    const compared = await assert("compare", "context:declared", "dump.json", "-o", "json");
    expect([compared.code, compared.stderr]).toEqual([0, ""]);
    const routed = await assert("route", "--at", "dump.json", "http://shop.example/cart/1", "-o", "json");
    expect(JSON.parse(routed.stdout)).toMatchObject({ view: { gateway: "ingress/public-0", port: 8080, tls: false }, action: { destinations: [{ host: "cart.shop.svc.cluster.local", port: 80 }] } });
  });
});
