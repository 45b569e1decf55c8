import { expect, it } from "vitest";
import { type EnvoyPlace, envoyWorld, envoyWorlds } from "#routes";
import { random, seed } from "../../../support/seed.ts";

const TURNS = 400;

type Random = (bound: number) => number;

const type = (name: string): string => `type.googleapis.com/envoy.${name}`;
const cluster = (name: string, more: object = {}): object => ({ cluster: { "@type": type("config.cluster.v3.Cluster"), name: `outbound|80||${name}.shop.svc.cluster.local`, type: "EDS", lb_policy: "ROUND_ROBIN", ...more } });
const to = (name: string): string => `outbound|80||${name}.shop.svc.cluster.local`;

/** A gateway with two hosts, and a bit of everything that the reading of a host may look at. */
const base = {
  configs: [
    { "@type": type("admin.v3.BootstrapConfigDump"), bootstrap: { node: { id: "router~10.0.0.1~gw.edge~edge.svc.cluster.local", metadata: { NAMESPACE: "edge" } } } },
    { "@type": type("admin.v3.ClustersConfigDump"), dynamic_active_clusters: [cluster("a"), cluster("b", { lb_policy: "RING_HASH" }), cluster("c", { max_requests_per_connection: 2 })] },
    {
      "@type": type("admin.v3.ListenersConfigDump"),
      dynamic_listeners: [{ name: "0.0.0.0_80", active_state: { listener: {
        "@type": type("config.listener.v3.Listener"), name: "0.0.0.0_80", address: { socket_address: { address: "0.0.0.0", port_value: 80 } }, traffic_direction: "OUTBOUND",
        filter_chains: [{ filters: [{ name: "hcm", typed_config: {
          "@type": type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"), rds: { route_config_name: "http.80" }, use_remote_address: true, normalize_path: true,
          http_filters: [{ name: "fault", typed_config: { "@type": type("extensions.filters.http.fault.v3.HTTPFault") } }, { name: "lua", typed_config: { "@type": type("extensions.filters.http.lua.v3.Lua"), inline: "x" } }, { name: "router", typed_config: { "@type": type("extensions.filters.http.router.v3.Router") } }],
        } }] }],
      } } }],
    },
    {
      "@type": type("admin.v3.RoutesConfigDump"),
      dynamic_route_configs: [{ route_config: {
        "@type": type("config.route.v3.RouteConfiguration"), name: "http.80", request_headers_to_add: [{ header: { key: "x-table", value: "1" } }], most_specific_header_mutations_wins: false,
        virtual_hosts: [
          { name: "one:80", domains: ["one.example"], require_tls: "NONE", retry_policy: { retry_on: "5xx, reset", num_retries: 3 }, routes: [
            { match: { prefix: "/a", headers: [{ name: "x", string_match: { exact: "1" } }] }, route: { cluster: to("a"), timeout: "1s", hash_policy: [{ header: { header_name: "u" } }] }, response_headers_to_remove: ["server"] },
            { match: { path: "/b" }, route: { weighted_clusters: { clusters: [{ name: to("a"), weight: 1 }, { name: to("b"), weight: 2 }] } } },
            { match: { prefix: "/" }, redirect: { host_redirect: "two.example", response_code: "FOUND" } },
          ] },
          { name: "two:80", domains: ["two.example", "*.two.example"], typed_per_filter_config: { lua: { "@type": type("extensions.filters.http.lua.v3.LuaPerRoute"), disabled: true } }, routes: [
            { match: { safe_regex: { regex: "/x.*" } }, route: { cluster: to("b"), hash_policy: [{ header: { header_name: "u" } }], request_mirror_policies: [{ cluster: to("c") }] }, typed_per_filter_config: { fault: { "@type": type("extensions.filters.http.fault.v3.HTTPFault"), abort: { http_status: 503, percentage: { numerator: 10 } } } } },
            { match: { prefix: "/" }, route: { cluster: to("c"), regex_rewrite: { pattern: { regex: "^/c" }, substitution: "/d" } } },
          ] },
        ],
      } }],
    },
  ],
};

const values: readonly unknown[] = ["", "/", "/a", "1", "2s", "RING_HASH", "OVERWRITE_IF_EXISTS_OR_ADD", to("a"), to("b"), to("missing"), true, false, 0, 1, 7, null, [], {}];

/** Above this depth nothing is taken away: little would be left. */
const DEEP = 5;

/** One value somewhere in it changed, gone or there twice. */
function edited(next: Random, value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || (depth > DEEP && next(12) === 0)) return values[next(values.length)];
  if (Array.isArray(value)) {
    const at = next(value.length);
    if (value.length === 0 || (depth > DEEP && next(8) === 0)) return next(2) === 0 ? value.toSpliced(at, 1) : [...value, ...value.slice(at, at + 1)];
    return value.with(at, edited(next, value[at], depth + 1));
  }
  const names = Object.keys(value), name = names[next(names.length)];
  if (name === undefined) return { cluster: to("a") };
  if (name === "@type" || name === "node") return value;
  const { [name]: inner, ...rest } = value as Record<string, unknown>;
  return depth > DEEP && next(10) === 0 ? rest : { ...value, [name]: edited(next, inner, depth + 1) };
}

it("dumps that are read together are what each gives alone", { timeout: 120_000 }, () => {
  const start = seed("shared dumps");
  let shared = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const next = random(start + turn * 7919);
    const dumps: unknown[] = [base];
    for (let count = 0; count < 4; count++) dumps.push(next(4) === 0 ? structuredClone(dumps.at(-1)) : edited(next, next(3) === 0 ? base : dumps.at(-1)));
    const places = dumps.map((dump, index): EnvoyPlace => ({ place: `p${index}`, dump, withPolicies: turn % 3 > 0, ...(turn % 2 === 0 ? { envoy: "1.40.0" } : {}) }));
    const together = envoyWorlds(places);
    expect(together, `SEED=${start + turn * 7919}`).toEqual(places.map((place) => envoyWorld(place)));
    const hosts = together.map(({ views }) => views.flatMap(({ readings }) => readings.flatMap(({ listener }) => listener.chains.flatMap(({ then }) => (then.type === "http" ? then.virtualHosts.map(({ rules }) => rules) : [])))));
    for (const [index, own] of hosts.entries()) if (own.some((rules) => hosts[index - 1]?.includes(rules) === true)) shared++;
  }
  expect(shared).toBeGreaterThan(TURNS);
});

it("a host that a dump in between does not hold is read again", () => {
  const [bootstrap, , listeners, routes] = base.configs;
  const changed = { "@type": type("admin.v3.ClustersConfigDump"), dynamic_active_clusters: [cluster("a", { lb_policy: "RANDOM" }), cluster("b"), cluster("c")] };
  const dumps = [base, { configs: [bootstrap, changed, listeners] }, { configs: [bootstrap, changed, listeners, routes] }];
  const places = dumps.map((dump, index): EnvoyPlace => ({ place: `p${index}`, dump, withPolicies: true, envoy: "1.40.0" }));
  expect(envoyWorlds(places)).toEqual(places.map((place) => envoyWorld(place)));
});
