import { describe, expect, it } from "vitest";
import { compareWorlds, istioWorlds, type WorldOptions } from "#routes";

const created = "2026-01-01T00:00:00Z";
const meta = (name: string) => ({ name, namespace: "shop", creationTimestamp: created });
const service = (name: string, clusterIP: string, port: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: meta(name),
  spec: { clusterIP, ports: [{ name: port, port: port === "tcp" ? 9000 : 80 }] },
});
const virtual = (host: string, spec: object) => ({ apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: meta(host), spec: { hosts: [`${host}.shop.svc.cluster.local`], ...spec } });
const http = (to: string) => virtual("web", { http: [{ route: [{ destination: { host: `${to}.shop.svc.cluster.local`, port: { number: 80 } } }] }] });
const tcp = (to: string, match?: object) => virtual("queue", { tcp: [{ ...(match === undefined ? {} : { match: [match] }), route: [{ destination: { host: `${to}.shop.svc.cluster.local`, port: { number: 9000 } } }] }] });

/** Two clusters that gave out addresses as they came. */
function compared(left: readonly object[], right: readonly object[], options: WorldOptions = {}) {
  const worlds = istioWorlds([left, right].map((objects, index) => ({ place: `c${index}`, objects: objects.map((object) => ({ object })), servicesByName: true, istio: "1.29.0", envoy: "1.37.0" })));
  return compareWorlds(worlds, options);
}

const web = ["10.0.0.1", "10.9.0.7"].map((address) => service("web", address, "http"));
const queue = ["10.0.0.2", "10.9.0.1"].map((address) => service("queue", address, "tcp"));
const other = ["10.0.0.3", "10.9.0.2"].map((address) => service("other", address, "tcp"));
const [web0, web1, queue0, queue1, other0, other1] = [...web, ...queue, ...other] as [object, object, object, object, object, object];

describe("clusters give out addresses of Services as they come", () => {
  const rows: readonly (readonly [claim: string, left: readonly object[], right: readonly object[], outcome: string])[] = [
    ["HTTP routes of a service are the same under another address", [web0, http("web")], [web1, http("web")], "equivalent"],
    ["TCP routes of a service are the same under another address", [queue0, other0, tcp("queue")], [queue1, other1, tcp("queue")], "equivalent"],
    ["TCP routes to another service differ, whatever the addresses are", [queue0, other0, tcp("queue")], [queue1, other1, tcp("other")], "different"],
    ["a service that no routing object names may be in one cluster only", [web0, http("web"), queue0], [web1, http("web")], "equivalent"],
    ["an address that a routing object names by number is compared by number", [queue0, other0, tcp("other", { destinationSubnets: ["10.0.0.0/16"] })], [queue1, other1, tcp("other", { destinationSubnets: ["10.0.0.0/16"] })], "different"],
  ];
  it.each(rows)("%s", (_, left, right, expected) => expect(compared(left, right).outcome).toBe(expected));

  it("a request that shows a difference is told with the name of the service, for an address that stands for it is none that a client knows", () => {
    const [difference] = compared([queue0, other0, tcp("queue")], [queue1, other1, tcp("other")]).differences;
    expect(difference?.request).toMatchObject({ authority: "queue.shop.svc.cluster.local", destination: { address: "queue.shop.svc.cluster.local" } });
  });

  it("an address that a routing object names by number is told as the number", () => {
    const [difference] = compared([queue0, other0, tcp("other", { destinationSubnets: ["10.0.0.0/16"] })], [queue1, other1, tcp("other", { destinationSubnets: ["10.0.0.0/16"] })]).differences;
    expect(difference?.request.destination?.address).toMatch(/^10\./);
  });

  it("a service under another name is the same once the names are mapped, and not where its routes are other ones", () => {
    const renamed = (object: object): object => JSON.parse(JSON.stringify(object).replaceAll("queue", "jobs")) as object;
    const worlds = (right: readonly object[]) => istioWorlds([[queue0, other0, tcp("queue")], right].map((objects, index) => ({ place: `c${index}`, objects: objects.map((object) => ({ object })), servicesByName: true, istio: "1.29.0", envoy: "1.37.0" })));
    const mappings = { c1: { hosts: { "jobs.shop.svc.cluster.local": "queue.shop.svc.cluster.local" } } };
    expect(compareWorlds(worlds([renamed(queue1), other1, renamed(tcp("queue"))]), { mappings }).outcome).toBe("equivalent");
    const [difference] = compareWorlds(worlds([renamed(queue1), other1, renamed(tcp("other"))]), { mappings }).differences;
    expect(difference?.request).toMatchObject({ destination: { address: "queue.shop.svc.cluster.local" } });
    expect(compareWorlds(worlds([renamed(queue1), other1, renamed(tcp("queue"))])).outcome).toBe("different");
    // a service with an address of each family
    const both = { ...(queue1 as { readonly metadata: object }), spec: { clusterIP: "10.9.0.1", clusterIPs: ["10.9.0.1", "fd00::1"], ports: [{ name: "tcp", port: 9000 }] } };
    expect(compareWorlds(istioWorlds([[both, other0, tcp("queue")], [renamed(both), other1, renamed(tcp("queue"))]].map((objects, index) => ({ place: `c${index}`, objects: objects.map((object) => ({ object })), servicesByName: true, istio: "1.29.0", envoy: "1.37.0" }))), { mappings }).outcome).toBe("equivalent");
  });

  it("a service with an address of each family in one cluster, and of one in the other, is the same, which is an assumption", () => {
    const dual = (object: object): object => ({ ...object, spec: { clusterIP: "10.9.0.1", clusterIPs: ["10.9.0.1", "fd00::1"], ports: [{ name: "tcp", port: 9000 }] } });
    const { outcome, assumptions } = compared([queue0, other0, tcp("queue")], [dual(queue1), other1, tcp("queue")]);
    expect(outcome).toBe("equivalent");
    const assumed = { text: "a service with addresses of both families in some places only is answered alike at each of them", where: "queue.shop.svc.cluster.local" };
    expect(assumptions).toContainEqual(assumed);
    expect(compared([dual(queue0), other0, tcp("queue")], [dual(queue1), other1, tcp("queue")]).assumptions).not.toContainEqual(assumed);
    // clients of gateways ask for the gateway's own address
    expect(compared([queue0, other0, tcp("queue")], [dual(queue1), other1, tcp("queue")], { views: ["gateways"] }).assumptions).not.toContainEqual(assumed);
    expect(compared([queue0, other0, tcp("queue")], [dual(queue1), other1, tcp("other")]).outcome).toBe("different");
  });

  it("no host of a table is an address that stands for a name", () => {
    const { views } = istioWorlds([{ place: "c", objects: [web0, http("web")].map((object) => ({ object })), servicesByName: true, istio: "1.29.0", envoy: "1.37.0" }])[0] ?? { views: [] };
    const domains = views.flatMap(({ readings }) => readings.flatMap(({ listener }) => (listener.chains).flatMap(({ then }) => (then.type === "http" ? then.virtualHosts.flatMap((one) => one.domains) : []))));
    expect(domains).toContain("web.shop.svc.cluster.local");
    expect(domains.filter((domain) => domain.startsWith("["))).toEqual([]);
  });
});
