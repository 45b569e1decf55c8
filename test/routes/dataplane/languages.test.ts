import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareWorlds, envoyWorld } from "#routes";
import { parseDocuments } from "../../../clients/documents/index.ts";
import { isObject, type JsonObject } from "../../../routes/dialects/istio/json.ts";
import { type Proxy, translate } from "../../oracles/istiod.ts";
import { findAll } from "../../parts/cache.ts";
import { root } from "../../support/room.ts";
import { dumpOf } from "./loaded.ts";

const room = join(root, "fixtures/languages");
const read = (name: string): string => readFileSync(join(room, name), "utf8");
const objectsIn = (name: string): readonly JsonObject[] => parseDocuments(read(name), name, "kubernetes").map(({ value }) => value).filter(isObject);
const ingress: Proxy = { id: "ingress-0", type: "gateway", namespace: "edge", labels: { istio: "ingress" }, ip: "10.1.0.1", serviceAccount: "ingress" };
const managed: Proxy = { id: "public-istio-0", type: "gateway", namespace: "edge", labels: { "gateway.networking.k8s.io/gateway-name": "public" }, ip: "10.1.0.2", serviceAccount: "public-istio" };
/** What istiod deploys for a Gateway. */
const deployed: readonly JsonObject[] = [
  { apiVersion: "v1", kind: "Service", metadata: { name: "public-istio", namespace: "edge" }, spec: { clusterIP: "10.0.1.2", selector: managed.labels, ports: [{ name: "http", port: 80, targetPort: 80 }] } },
  { apiVersion: "v1", kind: "Pod", metadata: { name: managed.id, namespace: "edge", labels: managed.labels }, spec: { serviceAccountName: "public-istio", containers: [{ name: "istio-proxy", args: ["proxy", "router"] }] }, status: { phase: "Running", podIP: managed.ip } },
];

const parts = await findAll(["istiod"]);

describe.skipIf("missing" in parts)("the shop in three languages", { timeout: 120_000 }, () => {
  const dumps = async (names: readonly string[], proxy: Proxy, more: readonly JsonObject[]) => {
    if ("missing" in parts) return [];
    const out = [];
    for await (const { views } of translate(parts.istiod, names.map((id) => ({ id, objects: [...objectsIn(`${id}.yaml`), ...more], views: [proxy] })))) {
      const [own] = views ?? [];
      if (own !== undefined) out.push(dumpOf(proxy, own, "envoy"));
    }
    return out;
  };

  it("is loaded as real istiod hands it out", async () => {
    expect(await dumps(["virtual-services", "virtual-services-edited"], ingress, [])).toEqual([JSON.parse(read("loaded.json")), JSON.parse(read("loaded-edited.json"))]);
  });

  it("is loaded alike where real istiod makes it of HTTPRoutes, and differently where one side is edited", async () => {
    const made = await dumps(["http-routes", "http-routes-edited"], managed, deployed);
    const outcomes = ["loaded.json", "loaded-edited.json"].map((name) => made.map((dump) => {
      const [one, other] = [JSON.parse(read(name)) as unknown, dump].map((own, index) => envoyWorld({ place: String(index), dump: own }));
      if (one === undefined || other === undefined) throw new Error("two worlds");
      // Each listens on a port of its own.
      const at = { ...other, views: other.views.map((table, index) => ({ ...table, view: one.views[index]?.view ?? table.view })) };
      return [other.views.length, compareWorlds([one, at]).outcome];
    }));
    expect(outcomes).toEqual([[[1, "equivalent"], [1, "different"]], [[1, "different"], [1, "equivalent"]]]);
  });
});
