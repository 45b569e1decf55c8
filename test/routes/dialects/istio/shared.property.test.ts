import { describe, expect, it } from "vitest";
import { type IstioPlace, istioWorld, istioWorlds } from "#routes";
import { markOf, readDestinationRules, ruleFor } from "../../../../routes/dialects/istio/destination-rules.ts";
import { namespaceOf } from "../../../../routes/dialects/istio/hosts.ts";
import type { JsonObject } from "../../../../routes/dialects/istio/json.ts";
import { Memory } from "../../../../routes/dialects/istio/memory.ts";
import { makeHosts, meshHosts, type Wrapper } from "../../../../routes/dialects/istio/mesh-hosts.ts";
import type { Place } from "../../../../routes/dialects/istio/place.ts";
import { readRegistry } from "../../../../routes/dialects/istio/registry.ts";
import { objectReading } from "../../../../routes/dialects/istio/versions.ts";
import { random, seed } from "../../../support/seed.ts";
import { edited } from "../../dataplane/edits.ts";
import { worldOf } from "../../dataplane/worlds.ts";

// What is made once for many places or clients must be what would be made for each of them.

type Random = (bound: number) => number;

const namespaces = ["a", "b", "istio-system"];

function pick<T>(next: Random, list: readonly T[]): T {
  const found = list[next(list.length)];
  if (found === undefined) throw new RangeError("nothing to pick from");
  return found;
}

function some<T>(next: Random, list: readonly T[]): readonly T[] {
  return list.filter(() => next(3) === 0);
}

function object(kind: string, namespace: string, name: string, spec: JsonObject): JsonObject {
  return { apiVersion: kind === "Service" ? "v1" : "networking.istio.io/v1", kind, metadata: { namespace, name, creationTimestamp: "2026-01-01T00:00:00Z" }, spec };
}

function placeOf(objects: readonly JsonObject[]): Place {
  const memory = new Memory();
  const registry = readRegistry(objects.map((one) => ({ object: one })), { complete: true, unseen: ["Pod"], meshConfig: {}, domain: "cluster.local", rootNamespace: "istio-system", memory, byName: false, proxy: undefined, asLoaded: false });
  const ignore = (): void => undefined;
  return { registry, memory, virtualServices: [], destinationRules: readDestinationRules(registry, objectReading("1.30.0")), complete: true, istio: "1.30.0", envoy: "1.39.1", assume: ignore, leaveOut: ignore };
}

function services(next: Random): readonly JsonObject[] {
  const own = Array.from({ length: 1 + next(5) }, (_, index) => {
    const headless = next(4) === 0 ? { clusterIP: "None" } : { clusterIP: `10.0.0.${index}` };
    const spec = next(6) === 0 ? { type: "ExternalName", externalName: pick(next, ["x.a.svc.cluster.local", "y.b.svc.cluster.local", "ext"]) } : headless;
    return object("Service", pick(next, namespaces), pick(next, ["x", "y", "a", "b"]), { ...spec, ports: [{ name: "http", port: 80 }] });
  });
  const entries = Array.from({ length: next(3) }, (_, index) => object("ServiceEntry", pick(next, namespaces), `e${index}`, { hosts: [pick(next, ["x", "y", "x.a", "ext", "a", "x.a.svc", "X"])], ports: [{ number: 80, name: "http", protocol: "HTTP" }] }));
  return [...own, ...entries];
}

describe("what is made once for several", () => {
  const start = seed("shared");

  it("places that are read together is what each gives alone", () => {
    for (let turn = 0; turn < 150; turn++) {
      const next = random(start + turn);
      const world = worldOf(start + turn, `w${turn}`);
      const known = turn % 2 === 0 ? { istio: "1.30.0", envoy: "1.39.1" } : {};
      const places = [world, edited(world, next), edited(world, next)].map((one, index): IstioPlace => ({ place: `p${index}`, objects: one.objects.map((own) => ({ object: own })), complete: true, unseen: turn % 3 === 0 ? ["Pod"] : [], meshConfig: one.meshConfig, ...known }));
      expect(istioWorlds(places), `seed ${start}, turn ${turn}`).toEqual(places.map((place) => istioWorld(place)));
    }
  });

  it("clients of one mark is the same DestinationRule for every host", () => {
    let [shared, apart] = [0, 0];
    for (let turn = 0; turn < 2_000; turn++) {
      const next = random(start + turn);
      const hosts = ["x", "x.a.svc.cluster.local", "y.b.svc.cluster.local", "*.a.svc.cluster.local", "*", "ext", "z.b.svc.cluster.local"];
      const exports = [[], [], [], ["*"], ["."], ["b"], ["a", "."]];
      const rules = Array.from({ length: next(4) }, (_, index) => {
        const selector = next(12) === 0 ? { workloadSelector: { matchLabels: { app: "x" } } } : {};
        return object("DestinationRule", pick(next, namespaces), `r${index}`, { host: pick(next, hosts), exportTo: pick(next, exports), subsets: [{ name: `s${index}` }], ...selector });
      });
      const { registry, destinationRules } = placeOf([...services(next), ...rules]);
      const clients = ["a", "b", "c", "istio-system"].flatMap((namespace) => [{}, { app: "x" }].map((labels) => ({ namespace, labels })));
      const asked = [...hosts, ...registry.services.map(({ host }) => host)].flatMap((host) => {
        const owners = registry.services.filter((service) => service.host === host).map(({ namespace }) => namespace);
        return (owners.length > 0 ? owners : [namespaceOf(host, registry.domain)]).map((owner) => [host, owner] as const);
      });
      for (const [index, one] of clients.entries()) {
        for (const other of clients.slice(index + 1)) {
          if (markOf(destinationRules, registry, one) !== markOf(destinationRules, registry, other)) {
            apart++;
            continue;
          }
          shared++;
          for (const [host, owner] of asked) {
            const found = [one, other].map((client) => ruleFor(destinationRules, registry, client, host, owner));
            expect(found[0]?.sources, `seed ${start}, turn ${turn}: ${host}`).toEqual(found[1]?.sources);
          }
        }
      }
    }
    expect(Math.min(shared, apart)).toBeGreaterThan(1_000);
  });

  it("clients of all namespaces is the virtual hosts that each would have by itself", () => {
    let adapted = 0;
    for (let turn = 0; turn < 3_000; turn++) {
      const next = random(start + turn);
      const place = placeOf(services(next));
      const atPort = new Map(place.registry.services.map((service) => [service.host.toLowerCase(), { ...service, host: service.host.toLowerCase() }]));
      const wrappers = Array.from({ length: 1 + next(3) }, (): Wrapper => ({ hosts: some(next, ["x", "y.b", "free.com", "X"]), services: some(next, [...atPort.values()]), rules: [], unmodelled: [], untried: [] }));
      for (const namespace of ["a", "b", "c", "istio-system"]) {
        const common = meshHosts(place, namespace, wrappers, atPort, []);
        const own = makeHosts(place, namespace, wrappers, atPort, []).list;
        expect(common, `seed ${start}, turn ${turn}: ${namespace}`).toEqual(own);
        if (common !== own && !makeHosts(place, namespace, wrappers, atPort, []).isShort) adapted++;
      }
    }
    expect(adapted).toBeGreaterThan(300);
  });
});
