import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Request, Resolver } from "#routes";
import { isObject, type JsonObject } from "../../../routes/dialects/istio/json.ts";
import { type DataPlane, serve } from "../../oracles/envoy/serve.ts";
import { type Proxy, type Translation, translate } from "../../oracles/istiod.ts";
import { findAll } from "../../parts/cache.ts";
import { answered, deviations, ground } from "../dialects/gateway-api/deviations.ts";
import { contradiction } from "./agreement.ts";
import { askedOf, listenerFor, placeOf } from "./places.ts";
import { type MadeWorld, objectsFor } from "./worlds.ts";

const gateway: Proxy = { id: "g-1", type: "gateway", namespace: "a", labels: { "gateway.networking.k8s.io/gateway-name": "g" }, ip: "10.1.0.1", serviceAccount: "g-istio" };
const sidecar: Proxy = { id: "p", type: "sidecar", namespace: "a", labels: { app: "p" }, ip: "10.1.0.3" };
/** What istiod deploys for a Gateway. */
const deployed: readonly JsonObject[] = [
  { apiVersion: "v1", kind: "Pod", metadata: { name: gateway.id, namespace: "a", labels: gateway.labels }, spec: { serviceAccountName: "default", containers: [{ name: "istio-proxy", image: "proxy", args: ["proxy", "router"] }] }, status: { podIP: gateway.ip, phase: "Running" } },
  { apiVersion: "v1", kind: "Service", metadata: { name: "g-istio", namespace: "a", annotations: { "networking.istio.io/exportTo": "~" } }, spec: { clusterIP: "10.0.2.1", selector: gateway.labels, ports: [80, 8080].map((port) => ({ name: `p-${port}`, port, targetPort: port })) } },
  ...["a", "b"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: {} } })),
];

const parts = await findAll(["istiod", "envoy"]);

describe.skipIf("missing" in parts)("where the readings of Gateway API part, real istiod and Envoy answer as the reading `istiod` says", { timeout: 120_000 }, () => {
  const made = deviations.map(({ objects, asked }, index): MadeWorld => ({ id: `d${index}`, objects: [...deployed, ...[...ground, ...objects].map(({ object }) => object).filter(isObject)], meshConfig: {}, proxies: [asked.isMesh === true ? sidecar : gateway] }));
  const translations: Translation[] = [];
  let dataPlane: DataPlane | undefined;

  beforeAll(async () => {
    if ("missing" in parts) return;
    for await (const one of translate(parts.istiod, made.map((world) => ({ id: world.id, objects: objectsFor(world), views: world.proxies })))) translations.push(one);
    dataPlane = await serve(parts.envoy, translations.map(({ id, views = [] }) => {
      const [generated] = views;
      if (generated === undefined) throw new Error(`nothing was made of ${id}`);
      return { id, generated, listeners: generated.listeners.map((listener) => (isObject(listener) && typeof listener["name"] === "string" ? listener["name"] : "")).filter((name) => !/^(?:virtualInbound|.*_15\d{3})$/.test(name)) };
    }));
  }, 120_000);

  afterAll(() => dataPlane?.stop());

  it.each(deviations.map((row, index) => ({ ...row, index })))("$claim", async ({ asked, objects, istiod, specification, index }) => {
    const world = made[index], translation = translations[index];
    if (world === undefined || translation === undefined || dataPlane === undefined) throw new Error("not served");
    const place = placeOf(world, translation, "p");
    const port = asked.port ?? 80;
    const table = place.world.views.find(({ view }) => (asked.isMesh === true ? "mesh" : "gateway") in view && view.port === port);
    const [generated] = translation.views ?? [];
    const [reading] = table?.readings ?? [];
    if (table === undefined || reading === undefined || generated === undefined) throw new Error("no view");
    const request: Request = { method: "GET", scheme: "http", authority: asked.authority ?? "a.com", path: asked.path ?? "/", headers: asked.headers ?? [], ...(asked.isMesh === true ? { destination: { address: "10.0.0.1", port } } : {}) };
    const { effect } = new Resolver(reading.listener).answer(request, "raw_buffer");
    const [observed] = await dataPlane.ask(world.id, [askedOf(listenerFor(generated, table.view, request) ?? "none", table.view, request, { http: true, random: 0, transport: "raw_buffer" })]);
    expect(observed === undefined ? "no answer" : contradiction(effect, observed, request, { made: world, generated })).toBeUndefined();
    // The row itself says the same of the same objects, and the specification another thing.
    expect(answered({ objects, asked }, "istiod")).toBe(istiod);
    expect(specification).not.toBe(istiod);
  });
});
