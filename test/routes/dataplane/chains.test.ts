import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareWorlds, envoyWorld, Resolver, type RouteWorld } from "#routes";
import { at, type Json, type JsonObject, listAt, objectAt, textAt } from "../../../routes/dialects/istio/json.ts";
import { type Asked, type DataPlane, type Observed, serve } from "../../oracles/envoy/serve.ts";
import type { Generated } from "../../oracles/istiod.ts";
import { findAll } from "../../parts/cache.ts";
import { guardedSeed, random } from "../../support/seed.ts";

/** Listeners of one Envoy, and connections to each. */
const LISTENERS = 60;
const CONNECTIONS = 40;

const ranges = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "172.16.0.0/12"] as const;
const addresses = ["10.1.2.3", "10.1.2.4", "10.1.9.9", "10.9.9.9", "172.16.0.1", "192.0.2.1"] as const;
const names = ["a.test", "*.test", "*.b.test"] as const;
const asked = [undefined, "a.test", "x.test", "y.b.test", "other"] as const;
const ports = [1000, 2000] as const;
const HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

type Next = (bound: number) => number;

function pick<T>(next: Next, list: readonly T[]): T {
  const found = list[next(list.length)];
  if (found === undefined) throw new RangeError("nothing to pick from");
  return found;
}

function rangesOf(next: Next): readonly JsonObject[] {
  return [...new Set(Array.from({ length: 1 + next(2) }, () => pick(next, next(8) === 0 ? ranges : ranges.slice(1))))].map((range) => {
    const [address_prefix, length] = range.split("/");
    return { address_prefix, prefix_len: Number(length) };
  });
}

/** A chain that answers every request with its number. */
function chainOf(next: Next, index: number): JsonObject {
  const isNamed = next(3) === 0;
  const match: Record<string, Json> = {
    ...(next(3) === 0 ? { prefix_ranges: rangesOf(next) } : {}),
    ...(isNamed ? { server_names: [pick(next, names)] } : {}),
    ...(next(2) === 0 ? { source_prefix_ranges: rangesOf(next) } : {}),
    ...(next(3) === 0 ? { source_ports: [pick(next, ports)] } : {}),
    ...(next(4) === 0 ? { source_type: pick(next, ["EXTERNAL", "SAME_IP_OR_LOOPBACK"]) } : {}),
    ...(isNamed ? { transport_protocol: "tls" } : next(3) === 0 ? { transport_protocol: "raw_buffer" } : {}),
  };
  const config = {
    "@type": HTTP, stat_prefix: "s", http_filters: [{ name: "envoy.filters.http.router", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } }],
    route_config: { name: `c${index}`, virtual_hosts: [{ name: "h", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: `chain ${index}` } } }] }] },
  };
  const secure = isNamed ? { transport_socket: { name: "tls", typed_config: { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext" } } } : {};
  return { name: `c${index}`, filter_chain_match: match, filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: config }], ...secure };
}

/** A chain for what no other takes. */
function fallback(): JsonObject {
  const { filter_chain_match: _, ...chain } = chainOf(() => 1, 99);
  return chain;
}

function listenerOf(next: Next): JsonObject {
  const chains = new Map<string, JsonObject>();
  for (let index = 0; index < 2 + next(5); index++) {
    const chain = chainOf(next, index);
    chains.set(JSON.stringify(chain["filter_chain_match"]), chain);
  }
  const inspector = { name: "envoy.filters.listener.tls_inspector", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector" } };
  return { name: "l", address: { socket_address: { address: "0.0.0.0", port_value: 80 } }, listener_filters: [inspector], filter_chains: [...chains.values()], ...(next(3) === 0 ? { default_filter_chain: fallback() } : {}) };
}

const parts = await findAll(["envoy"]);

describe.skipIf("missing" in parts)("chains by destination, name, transport and client", { timeout: 300_000 }, () => {
  const seed = guardedSeed("chains of the data plane", 20_261_127);
  const made = Array.from({ length: LISTENERS }, (_, index): Generated => ({ id: `l${index}`, listeners: [listenerOf(random(seed + index))], routes: [], clusters: [], endpoints: {} }));
  let dataPlane: DataPlane | undefined;

  beforeAll(async () => {
    if ("missing" in parts) return;
    dataPlane = await serve(parts.envoy, made.map((generated) => ({ id: generated.id, generated, listeners: ["l"] })));
  }, 120_000);

  afterAll(() => dataPlane?.stop());

  it("are chosen as real Envoy chooses them", async () => {
    if (dataPlane === undefined) throw new Error("not served");
    const wrong: string[] = [];
    const seen = { chosen: 0, none: 0, refused: 0 };
    for (const [index, generated] of made.entries()) {
      const next = random(seed + 10_000 + index);
      const world = envoyWorld({ place: "envoy", dump: generated.listeners, envoy: "1.40.0" });
      if (isOpen(world)) continue;
      const questions = Array.from({ length: CONNECTIONS }, () => {
        const sni = asked[next(asked.length)];
        const isTls = sni !== undefined;
        const destination = { address: pick(next, addresses), port: 80 };
        const source = { address: pick(next, addresses.filter((address) => address !== destination.address)), port: pick(next, [1000, 2000, 3000]) };
        return { isTls, destination, source, request: { method: "GET", scheme: isTls ? ("https" as const) : ("http" as const), authority: "a.test", path: "/", headers: [], destination, source, ...(sni === undefined ? {} : { sni }) } };
      });
      const observed = await dataPlane.ask(generated.id, questions.map(({ isTls, destination, source, request }): Asked => ({ listener: "l", request, destination, source, ...(isTls ? { tls: { serverName: request.sni ?? "" } } : {}) })));
      for (const [at, { request, isTls }] of questions.entries()) {
        const reading = world.views.find(({ view }) => "gateway" in view && view.tls === isTls)?.readings[0];
        const effect = reading === undefined ? ({ type: "close" } as const) : new Resolver(reading.listener).answer(request, isTls ? "tls" : "raw_buffer").effect;
        const said = effect.type === "respond" ? effect.body : effect.type;
        const real = realOf(observed[at]);
        seen[real === "refused" ? "refused" : real === "close" ? "none" : "chosen"]++;
        if (real === "refused") expect(world.views.flatMap(({ readings }) => readings.flatMap(({ listener }) => listener.chains.map(({ then }) => then.type)))).toEqual(["invalid"]);
        // TLS to a chain that ends none is no HTTP: the connection ends there, however it was chosen.
        if (said !== real && real !== "refused" && !(isTls && real === "close" && !endsTls(generated, said))) wrong.push(`${matchesOf(generated)}: ${JSON.stringify(request)} reaches ${said}, and in Envoy ${real}`);
      }
    }
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(Math.min(seen.chosen, seen.none)).toBeGreaterThan(100);
  });

  it("are compared by a connection that real Envoy takes to two chains", async () => {
    if (dataPlane === undefined) throw new Error("not served");
    let different = 0;
    for (const [index, left] of made.entries()) {
      const right = made[(index + 1) % made.length];
      if (right === undefined) continue;
      const worlds = [left, right].map(({ listeners }, at) => envoyWorld({ place: String(at), dump: listeners, envoy: "1.40.0" }));
      if (worlds.some(isOpen)) continue;
      const { differences, undecided } = compareWorlds(worlds);
      expect(undecided).toEqual([]);
      for (const { request, view, missing, answers } of differences) {
        if (missing.length > 0 || answers.some(({ effect }) => effect.type === "invalid")) continue;
        const isTls = "gateway" in view && view.tls;
        const one: Asked = {
          listener: "l", request, destination: { address: request.destination?.address ?? (request.source?.address?.includes(":") === true ? "2001:db8::7" : "192.0.2.7"), port: 80 }, source: { address: request.source?.address ?? (request.destination?.address?.includes(":") === true ? "2001:db8::8" : "192.0.2.8"), port: request.source?.port ?? 3000 },
          ...(isTls ? { tls: request.sni === undefined ? {} : { serverName: request.sni } } : {}),
        };
        const [here, there] = [realOf((await dataPlane.ask(left.id, [one]))[0]), realOf((await dataPlane.ask(right.id, [one]))[0])];
        if (isTls && [here, there].includes("close")) continue;
        if (here === there) throw new Error(`${matchesOf(left)} and ${matchesOf(right)}: ${JSON.stringify(request)} reaches ${here} in both`);
        different++;
      }
    }
    expect(different).toBeGreaterThan(20);
  });
});

/** Which of two chains Envoy asks is not defined. */
function isOpen({ unmodelled }: RouteWorld): boolean {
  expect(unmodelled.every(({ reason }) => reason.includes("a range of length 0"))).toBe(true);
  return unmodelled.length > 0;
}

function matchesOf({ listeners: [listener] }: Generated): string {
  return JSON.stringify(listAt(listener, "filter_chains").map((chain) => [textAt(chain, "name"), objectAt(chain, "filter_chain_match")]));
}

function realOf(observed: Observed | undefined): string {
  if (observed?.type === "answered") return observed.body;
  return observed?.type === "refused" ? "refused" : "close";
}

function endsTls({ listeners: [listener] }: Generated, said: string): boolean {
  return listAt(listener, "filter_chains").some((chain) => textAt(chain, "name") === said.replace("chain ", "c") && at(chain, "transport_socket") !== undefined);
}
