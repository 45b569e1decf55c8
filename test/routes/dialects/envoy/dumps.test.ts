import { describe, expect, it } from "vitest";
import { compareWorlds, envoyWorld, isDump, Resolver, type RouteWorld } from "#routes";

type Fields = Readonly<Record<string, unknown>>;

const any = (type: string): string => `type.googleapis.com/${type}`;
const MANAGER = any("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager");
const router = { name: "router", typed_config: { "@type": any("envoy.extensions.filters.http.router.v3.Router") } };
const A = "outbound|80||a.test", B = "outbound|80|v2|b.test";
const table = (more: Fields = {}, route: Fields = {}, host: Fields = {}): Fields => ({ name: "80", virtual_hosts: [{ name: "h", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: A, timeout: "0s" }, ...route }], ...host }], ...more });
const listener = (manager: Fields = {}, more: Fields = {}): Fields => ({ name: "l", address: { socket_address: { address: "0.0.0.0", port_value: 80 } }, filter_chains: [{ filters: [{ name: "http", typed_config: { "@type": MANAGER, route_config: table(), http_filters: [router], ...manager } }] }], ...more });
const clusters = [A, B].map((name) => ({ name, type: "EDS", lb_policy: "RANDOM" }));
const of = (dump: unknown, place = "here"): RouteWorld => envoyWorld({ place, dump, envoy: "1.40.0" });
const compared = (left: unknown, right: unknown): ReturnType<typeof compareWorlds> => compareWorlds([of(left, "left"), of(right, "right")]);
const served = (routes: Fields, http: readonly Fields[] = []): readonly Fields[] => [listener({ route_config: routes, http_filters: [...http, router] }), ...clusters];
const answer = (dump: unknown, path = "/"): ReturnType<Resolver["answer"]> => {
  const [view] = of(dump).views;
  const [reading] = view?.readings ?? [];
  if (reading === undefined) throw new Error("no view");
  return new Resolver(reading.listener).answer({ method: "GET", scheme: "http", authority: "x", path, headers: [] });
};

const node = { id: "router~10.0.0.1~gw-1.edge~edge.svc.cluster.local", metadata: { NAMESPACE: "edge", WORKLOAD_NAME: "gw", LABELS: { istio: "ingress" } }, user_agent_build_version: { version: { major_number: 1, minor_number: 37, patch: 2 } } };
const admin = (name: string, more: Fields): Fields => ({ "@type": any(`envoy.admin.v3.${name}ConfigDump`), ...more });
const whole = {
  configs: [
    admin("Bootstrap", { bootstrap: { node } }),
    admin("Clusters", { static_clusters: [], dynamic_active_clusters: clusters.map((cluster) => ({ cluster })) }),
    admin("Listeners", { static_listeners: [{ listener: listener({}, { name: "metrics" }) }], dynamic_listeners: [{ name: "l", active_state: { listener: listener({ route_config: undefined, rds: { route_config_name: "80" } }) } }] }),
    admin("Routes", { dynamic_route_configs: [{ route_config: table() }] }),
    admin("Secrets", { dynamic_active_secrets: [{ name: "kubernetes://c", secret: { tls_certificate: { private_key: { inline_bytes: "W3JlZGFjdGVkXQ==" } } } }] }),
    { "@type": any("some.new.Dump"), strange: [null, 1, { x: [] }] },
  ],
};

describe("what an Envoy has loaded", () => {
  it.each([
    ["the dump of its admin interface", whole],
    ["routes that istioctl prints", [{ name: "80", virtualHosts: [{ name: "h", domains: ["*"], routes: [] }] }]],
    ["listeners and clusters that istioctl prints", served(table())],
    ["a RouteConfiguration alone", table()],
    ["an answer of xDS", { version_info: "1", resources: [{ "@type": any("envoy.config.route.v3.RouteConfiguration"), ...table() }] }],
    ["one list of the admin interface", { configs: [{ "@type": any("envoy.admin.v3.ListenersConfigDump.DynamicListener"), name: "l", active_state: { listener: listener() } }] }],
    ["a bootstrap", { static_resources: { listeners: [listener()], clusters } }],
  ])("is known as %s", (_, dump) => {
    expect(isDump(dump)).toBe(true);
    expect(of(dump).views).toHaveLength(1);
  });

  it.each([["a manifest", { apiVersion: "v1", kind: "Service" }], ["a list of objects", { kind: "List", items: [] }], ["a snapshot", { schema: "cloud-assert/snapshot/v1" }], ["nothing", null], ["an empty list", []], ["configs of somebody else", { configs: [{ a: 1 }] }]])("is not %s", (_, value) => {
    expect(isDump(value)).toBe(false);
  });

  it("tells which proxy it is, its release, and leaves out the listeners of Istio's bootstrap", () => {
    const world = envoyWorld({ place: "gw", dump: whole });
    expect(world.proxy).toEqual({ role: "gateway", namespace: "edge", name: "gw", labels: { istio: "ingress" }, envoy: "1.37.2" });
    expect(world.views.map(({ view, readings }) => [view, readings.map(({ name }) => name)])).toEqual([[{ gateway: "edge/gw", port: 80, tls: false }, [""]]]);
  });

  it("is equivalent to itself in the other spelling, and different after one edit, with a request that shows it", () => {
    const camel = JSON.parse(JSON.stringify(served(table())).replaceAll(/"([a-z]+(?:_[a-z0-9]+)+)":/g, (_, name: string) => `"${name.replaceAll(/_([a-z0-9])/g, (__, letter: string) => letter.toUpperCase())}":`)) as unknown;
    expect(JSON.stringify(camel)).toContain("virtualHosts");
    expect(compared(served(table()), camel).outcome).toBe("equivalent");
    const edited = served(table({}, { match: { prefix: "/a" } }));
    const { outcome, differences } = compared(served(table()), edited);
    expect([outcome, differences[0]?.request.path, differences[0]?.answers.map(({ effect }) => effect.type)]).toEqual(["different", "/", ["forward", "notFound"]]);
    expect(differences[0]?.answers[0]?.rule).toEqual({ object: "RouteConfiguration 80", path: "virtual_hosts[0].routes[0]" });
  });

  it("takes what a virtual host says of retries and mirrors where the route says nothing, and nothing of it where the route does", () => {
    const retry = (attempts: number): Fields => ({ retry_policy: { retry_on: "5xx", num_retries: attempts } });
    const mirror = (cluster: string): Fields => ({ request_mirror_policies: [{ cluster }] });
    const inherited = answer(served(table(mirror(A), {}, { ...retry(3), ...mirror(B) })));
    expect(inherited.effect).toMatchObject({ retries: { attempts: 3, on: ["5xx"] }, mirror: [{ host: "b.test", share: 1_000_000 }] });
    expect(answer(served(table(mirror(A)))).effect).toMatchObject({ mirror: [{ host: "a.test" }] });
    const own = answer(served(table({}, { route: { cluster: A, ...retry(1), ...mirror(A) } }, { ...retry(3), ...mirror(B) })));
    expect(own.effect).toMatchObject({ timeout: 15_000, retries: { attempts: 1 }, mirror: [{ host: "a.test" }] });
  });

  it("knows no cluster that it does not hold, and every one where it holds none", () => {
    expect(answer([listener(), clusters[1]]).effect).toMatchObject({ type: "forward", destinations: [{ invalid: true, status: 503 }] });
    expect(answer([listener()]).effect).toMatchObject({ destinations: [{ host: "a.test", port: 80 }] });
    expect(of([listener()]).assumptions.map(({ text }) => text)).toContain("clusters are not in the input: every one that a route names is taken to be there");
  });

  const lua = (code: string): Fields => ({ name: "lua", typed_config: { "@type": any("envoy.extensions.filters.http.lua.v3.Lua"), default_source_code: { inline_string: code } } });
  const withAuthority = (manager: Fields = {}, ending = ""): unknown => {
    const suffix = { match: { prefix: "/", headers: [{ name: ":authority", string_match: { suffix: ending } }] }, route: { cluster: B } };
    const routes = { name: "80", virtual_hosts: [{ name: "h", domains: ["*"], routes: [...(ending === "" ? [] : [suffix]), { match: { prefix: "/" }, route: { cluster: A } }] }] };
    return [listener({ ...manager, route_config: routes }), ...clusters];
  };
  const share = (numerator: number): Fields => ({ match: { prefix: "/", runtime_fraction: { default_value: { numerator } } } });
  it.each<readonly [string, unknown, unknown, string, string]>([
    ["a filter of another kind, the same on both sides", served(table(), [lua("a")]), served(table(), [lua("a")]), "equivalent", ""],
    ["a filter that is configured otherwise", served(table(), [lua("a")]), served(table(), [lua("b")]), "undecided", "the filter `lua` acts on the path of requests"],
    ["a filter that one side lacks", served(table(), [lua("a")]), served(table()), "undecided", "the filter `lua` acts on the path of requests"],
    ["what a route says to such a filter", served(table({}, { typed_per_filter_config: { lua: { x: 1 } } }), [lua("a")]), served(table(), [lua("a")]), "undecided", "the filter `lua` is configured for a route"],
    ["what a route says to a filter that is not there", served(table({}, { typed_per_filter_config: { lua: { x: 1 } } })), served(table()), "equivalent", ""],
    ["a share of the requests", served(table({}, share(50))), served(table({}, share(50))), "undecided", "a route that takes a share of the requests is not modelled"],
    ["a share that is all of them", served(table({}, share(100))), served(table()), "equivalent", ""],
    ["a cluster that a header names", served(table({}, { route: { cluster_header: "x" } })), served(table({}, { route: { cluster: A } })), "undecided", "where the route leads is not in its configuration"],
    ["a matcher tree", served(table({}, {}, { matcher: { a: 1 } })), served(table()), "undecided", "the field `matcher` is not modelled"],
    ["a field that nobody knows yet", served(table({ brand_new: { a: 1 } })), served(table()), "undecided", "the field `brand_new` is not modelled"],
    ["a field that nobody knows yet, in its default", served(table({ brand_new: false })), served(table()), "equivalent", ""],
    ["virtual hosts that are fetched on demand", served(table({ vhds: {} })), served(table({ vhds: {} })), "undecided", "virtual hosts are fetched when they are asked for, and may not be in the dump"],
    ["routes that were not loaded yet", [listener({ route_config: undefined, rds: { route_config_name: "r" } })], served(table()), "undecided", "the routes `r` are not in the dump: they were not loaded yet, or it was cut"],
    ["scoped routes", [listener({ route_config: undefined, scoped_routes: { name: "s" } })], served(table()), "undecided", "scoped routes are not modelled"],
    ["ports that are taken off on both sides", withAuthority({ strip_any_host_port: true }), withAuthority({ strip_any_host_port: true }), "equivalent", ""],
    ["ports that one side takes off", withAuthority({ strip_any_host_port: true }), withAuthority(), "undecided", "the places treat the port or the end of an authority differently, which is not modelled"],
    ["dots that one side takes off", withAuthority({ strip_trailing_host_dot: true }), withAuthority(), "undecided", "the places treat the port or the end of an authority differently, which is not modelled"],
    ["a test of another port than the one that both sides take off", withAuthority({ strip_matching_host_port: true }, ":8080"), withAuthority({ strip_matching_host_port: true }), "different", ""],
    ["a test of the port where none is taken off", withAuthority({}, ":80"), withAuthority(), "different", ""],
    ["escapes that are refused", [listener({ path_with_escaped_slashes_action: "REJECT_REQUEST" }), ...clusters], served(table()), "undecided", "this combination of path settings is not modelled"],
    ["another judge of what a valid request is", [listener({ route_config: table(), http_filters: [router], typed_header_validation_config: { name: "v", typed_config: { "@type": any("envoy.extensions.http.header_validators.envoy_default.v3.HeaderValidatorConfig") } } }), ...clusters], served(table()), "undecided", "the field `typed_header_validation_config` is not modelled"],
    ["a network filter of another kind", [listener({}, { filter_chains: [{ filters: [{ name: "redis", typed_config: { "@type": any("envoy.extensions.filters.network.redis_proxy.v3.RedisProxy") } }] }] })], served(table()), "different", ""],
  ])("%s", (_, left, right, outcome, reason) => {
    const found = compared(left, right);
    expect([found.outcome, found.undecided.some((open) => open.reason === reason)]).toEqual([outcome, reason !== ""]);
  });

  it("with resources that say what they are: one that holds little is seen too", () => {
    const named = (name: string): Fields => ({ "@type": any("envoy.config.cluster.v3.Cluster"), name });
    const [routed] = served(table());
    expect([[named(A)], [named(B)], []].map((own) => answer([routed, ...own]).effect)).toMatchObject([{ type: "forward" }, { destinations: [{ invalid: true, status: 503 }] }, { type: "forward" }]);
    expect(isDump([{ "@type": any("envoy.config.listener.v3.Listener"), name: "l" }, named(A)])).toBe(true);
  });

  it("with a filter that may answer: a host that one side alone names is no difference", () => {
    const only = (...domains: readonly string[]): unknown => served(table({}, {}, { domains }), [lua("a")]);
    expect(compared(only("a.test"), served(table({}, {}, { domains: ["a.test", "b.test"] }))).outcome).toBe("undecided");
    expect(compared(only("a.test"), only("a.test", "b.test")).outcome).toBe("different");
  });

  it("in a default chain, for connections that no other chain takes", () => {
    const [plain] = served(table());
    const [chain] = (plain?.["filter_chains"] ?? []) as readonly Fields[];
    const default_ = [listener({}, { filter_chains: [], default_filter_chain: chain }), ...clusters];
    expect(compared(served(table()), default_).outcome).toBe("equivalent");
    const ten = { ...chain, filter_chain_match: { prefix_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] }, filters: [] };
    const both = [listener({}, { filter_chains: [ten], default_filter_chain: chain }), ...clusters];
    const { outcome, differences } = compared(served(table()), both);
    expect([outcome, differences.map(({ request }) => request.destination?.address)]).toEqual(["different", ["10.0.0.1"]]);
  });

  it("of a sidecar: the listener on an address before the one for its port, and the catch-all for the rest", () => {
    const tcp = (name: string, address: string, port: number, cluster: string, more: Fields = {}): Fields => ({ name, address: { socket_address: { address, port_value: port } }, filter_chains: [{ filters: [{ name: "tcp", typed_config: { "@type": any("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"), stat_prefix: cluster, cluster } }] }], ...more });
    const world = of([tcp("10.0.0.1_3306", "10.0.0.1", 3306, A), tcp("0.0.0.0_3306", "0.0.0.0", 3306, B), tcp("10.0.0.2_5432", "10.0.0.2", 5432, A), tcp("virtualOutbound", "0.0.0.0", 15001, "PassthroughCluster", { use_original_dst: true }), ...clusters]);
    const to = (port: number, address: string): unknown => {
      const reading = world.views.find(({ view }) => view.port === port)?.readings[0];
      return reading === undefined ? undefined : new Resolver(reading.listener).answer({ method: "GET", scheme: "http", authority: "", path: "/", headers: [], destination: { address, port } }).effect;
    };
    expect(world.views.map(({ view }) => view.port)).toEqual([3306, 5432]);
    expect([to(3306, "10.0.0.1"), to(3306, "10.0.0.9"), to(5432, "10.0.0.2"), to(5432, "10.0.0.9")]).toMatchObject([{ destinations: [{ host: "a.test" }] }, { destinations: [{ host: "b.test" }] }, { destinations: [{ host: "a.test" }] }, { type: "passthrough" }]);
  });
});

describe("what leads elsewhere without a word in the routes", () => {
  const tcp = (more: Fields = {}): unknown => [listener({}, { filter_chains: [{ filters: [{ name: "tcp", typed_config: { "@type": any("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"), stat_prefix: "s", cluster: A, ...more } }] }] }), ...clusters];
  const retry = (more: Fields): unknown => served(table({}, { route: { cluster: A, retry_policy: { retry_on: "5xx", ...more } } }));
  const routing = (more: Fields): unknown => [listener({ http_filters: [{ ...router, typed_config: { ...router.typed_config, ...more } }] }), ...clusters];
  const at = (port: number): Fields => ({ address: { socket_address: { address: "::", port_value: port } } });
  it.each<readonly [string, unknown, unknown]>([
    ["a tunnel for the bytes of a connection", tcp({ tunneling_config: { hostname: "t" } }), tcp()],
    ["endpoints that metadata chooses", tcp({ metadata_match: { filter_metadata: { "envoy.lb": { v: "1" } } } }), tcp()],
    ["the same for a share", tcp({ cluster: "", weighted_clusters: { clusters: [{ name: A, weight: 1, metadata_match: {} }] } }), tcp({ cluster: "", weighted_clusters: { clusters: [{ name: A, weight: 1 }] } })],
    ["a choice of hosts for another try that nobody knows", retry({ retry_host_predicate: [{ name: "omit" }], host_selection_retry_max_attempts: "5" }), retry({})],
    ["priorities of another try that nobody knows", retry({ retry_priority: { name: "other" } }), retry({})],
    ["filters behind the routes", routing({ upstream_http_filters: [{ name: "f" }] }), routing({})],
    ["another port of the listener", [listener({}, { additional_addresses: [at(81)] }), ...clusters], served(table())],
  ])("%s: undecided against what lacks it", (_, left, right) => {
    const { outcome, undecided, differences } = compared(left, right);
    expect([outcome, new Set(undecided.map(({ reason }) => reason)).size, differences]).toEqual(["undecided", 1, []]);
  });

  it("the same port on another address is the same listener", () => {
    expect(compared([listener({}, { additional_addresses: [at(80)] }), ...clusters], served(table())).outcome).toBe("equivalent");
  });

  it("the addresses of a cluster of another name than Istio's", () => {
    const endpoint = (address: string): Fields => ({ endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: 80 } } } }] }] });
    const with_ = (name: string, more: Fields, place: string): RouteWorld => envoyWorld({ place, envoy: "1.40.0", withPolicies: true, dump: [listener({ route_config: table({}, { route: { cluster: name } }) }), { name, ...more }] });
    const both = (name: string, one: Fields, other: Fields): string => compareWorlds([with_(name, one, "left"), with_(name, other, "right")]).outcome;
    const of = (address: string): Fields => ({ type: "STRICT_DNS", load_assignment: endpoint(address) });
    expect([both("web", of("a.test"), of("b.test")), both("web", of("a.test"), of("a.test"))]).toEqual(["different", "equivalent"]);
    const eds = (service_name: string): Fields => ({ type: "EDS", eds_cluster_config: { service_name } });
    expect(both("web", eds("a"), eds("b"))).toBe("different");
    // Istio's names say where they lead; each cluster has addresses of its own.
    expect(both(A, of("10.0.0.1"), of("10.0.0.2"))).toBe("equivalent");
  });
});

describe("chains for some clients", () => {
  const chain = (cluster: string, match: Fields = {}): Fields => ({ filter_chain_match: match, filters: [{ name: "http", typed_config: { "@type": MANAGER, route_config: table({}, { route: { cluster } }), http_filters: [router] } }] });
  const office = { source_prefix_ranges: [{ address_prefix: "10.1.0.0", prefix_len: 16 }] };
  const listening = (...chains: readonly Fields[]): unknown => [listener({}, { filter_chains: chains }), ...clusters];
  const open = listening(chain(A), chain(B, office));

  it("are told apart by a request with the address of a client", () => {
    expect(compared(open, open).outcome).toBe("equivalent");
    const { outcome, differences, undecided } = compared(open, listening(chain(A)));
    expect([outcome, undecided, differences.map(({ request }) => request.source)]).toEqual(["different", [], [{ address: "10.1.0.2" }]]);
    expect(differences[0]?.answers.map(({ effect }) => effect)).toMatchObject([{ destinations: [{ host: "b.test" }] }, { destinations: [{ host: "a.test" }] }]);
  });

  it("of ports, and of the proxy's own host", () => {
    expect(compared(listening(chain(A), chain(B, { source_ports: [7] })), listening(chain(A))).differences.map(({ request }) => request.source)).toEqual([{ port: 7 }]);
    expect(compared(listening(chain(A), chain(B, { source_type: "SAME_IP_OR_LOOPBACK" })), listening(chain(A))).outcome).toBe("equivalent");
    expect(compared(listening(chain(A), chain(B, { source_type: "EXTERNAL" })), listening(chain(B))).outcome).toBe("equivalent");
  });

  it("leave open where a request goes that does not tell its client", () => {
    expect(answer(open).unmodelled.map(({ reason }) => reason)).toEqual(["the listener looks at the address of the client, which the request does not tell"]);
  });

  it("are open where Envoy itself does not choose in a defined way, or asks who the last hop is", () => {
    const all = { source_prefix_ranges: [{ address_prefix: "0.0.0.0", prefix_len: 0 }] };
    expect(compared(listening(chain(A), chain(B, all)), listening(chain(B))).outcome).toBe("undecided");
    expect(compared(listening(chain(A), chain(B, { direct_source_prefix_ranges: office.source_prefix_ranges })), listening(chain(A))).outcome).toBe("undecided");
  });

  it("with more combinations than anybody counts are open, at once", () => {
    const many = (count: number): readonly Fields[] => Array.from({ length: count }, (_, index) => ({ address_prefix: `10.${index >> 8}.${index & 255}.0`, prefix_len: 24 }));
    const huge = listening(chain(A, { source_prefix_ranges: many(2000), prefix_ranges: many(2000), source_ports: Array.from({ length: 2000 }, (_, index) => index + 1) }));
    expect(of(huge).unmodelled.map(({ reason }) => reason)).toEqual(["chains with more than 200000 combinations of matches are not compared with each other"]);
  });
});

describe("bad input", () => {
  const filter = (type: string, more: Fields = {}): Fields => ({ name: "f", typed_config: { "@type": any(type), ...more } });
  const to = (action: Fields): unknown => served(table({}, { route: action }));
  const socketed = (type: string): unknown => [listener({}, { filter_chains: [{ filters: [{ name: "http", typed_config: { "@type": MANAGER, route_config: table(), http_filters: [router] } }], transport_socket: { name: "s", typed_config: { "@type": any(type) } } }] }), ...clusters];
  const rows: readonly (readonly [claim: string, dump: unknown, reason: string, where: string])[] = [
    ["a filter of a type that nobody knows", served(table(), [filter("some.new.Filter")]), "the filter `f` acts on the path of requests", "http_filters[0]"],
    ["a filter without a type", served(table(), [{ name: "f" }]), "the filter `f` acts on the path of requests", "http_filters[0]"],
    ["a filter whose configuration is discovered", served(table(), [{ name: "f", config_discovery: {} }]), "the filter `f` acts on the path of requests, and its configuration, which is fetched by itself, is not in the dump", "http_filters[0]"],
    ["a secret that was taken out of a filter", served(table(), [filter("some.new.Filter", { token: "[redacted]" })]), "the filter `f` acts on the path of requests, and the dump holds it in part only", "http_filters[0]"],
    ["the same as bytes", served(table(), [filter("some.new.Filter", { token: { inline_bytes: "W3JlZGFjdGVkXQ==" } })]), "the filter `f` acts on the path of requests, and the dump holds it in part only", "http_filters[0]"],
    ["a matcher of paths of a type that nobody knows", served(table({}, { match: { path_match_policy: { name: "m", typed_config: { "@type": any("some.new.Matcher") } } } })), "the extension that matches the path is not modelled", "path_match_policy"],
    ["a transport of a type that nobody knows", socketed("some.new.Socket"), "the transport socket `some.new.Socket` is not modelled", "filter_chains[0]"],
    ["a listener filter of a type that nobody knows", [listener({}, { listener_filters: [filter("some.new.ListenerFilter")] }), ...clusters], "the listener filter `some.new.ListenerFilter` is not modelled", ""],
    ["a cluster specifier plugin", to({ cluster_specifier_plugin: "p" }), "where the route leads is not in its configuration", "route"],
    ["one that stands in the route", to({ inline_cluster_specifier_plugin: { extension: { name: "p" } } }), "where the route leads is not in its configuration", "route"],
    ["a cluster that a header names", to({ cluster_header: "x" }), "where the route leads is not in its configuration", "route"],
    ["a matcher tree", served(table({}, {}, { matcher: { matcher_tree: {} } })), "the field `matcher` is not modelled", "virtual_hosts[0].matcher"],
    ["virtual hosts on demand", served(table({ vhds: {} })), "virtual hosts are fetched when they are asked for, and may not be in the dump", "vhds"],
    ["routes that are not loaded", [listener({ route_config: undefined, rds: { route_config_name: "r" } }), ...clusters], "the routes `r` are not in the dump: they were not loaded yet, or it was cut", ""],
    ["a listener that is not served yet", { configs: [admin("Listeners", { dynamic_listeners: [{ name: "l", warming_state: { listener: listener() } }] })] }, "the listener is not served yet: it waits for what it needs", ""],
    ["a field of the route that nobody knows", served(table({}, { brand_new: { x: 1 } })), "the field `brand_new` is not modelled", "virtual_hosts[0].routes[0].brand_new"],
  ];
  it.each(rows)("%s: undecided, with the object and the path, and no difference", (_, dump, reason, where) => {
    const { outcome, undecided, differences } = compared(dump, served(table({}, { route: { cluster: B } })));
    expect([outcome, differences]).toEqual(["undecided", []]);
    const found = undecided.find((one) => one.reason === reason);
    expect([undecided.map((one) => one.reason), found?.where?.object.replace(/ .*/, "")]).toEqual([expect.arrayContaining([reason]), expect.stringMatching(/^(?:Listener|RouteConfiguration)$/)]);
    expect(found?.where?.path).toContain(where);
  });

  it("two filters whose secrets were taken out are not the same filter, and two that are told whole are", () => {
    const hidden = served(table(), [filter("some.new.Filter", { token: "[redacted]" })]), told = served(table(), [filter("some.new.Filter", { size: 1 })]);
    expect([compared(hidden, hidden).outcome, compared(told, told).outcome]).toEqual(["undecided", "equivalent"]);
  });

  it("a filter that is fetched by itself is the same where what was fetched is", () => {
    const fetched = (config?: Fields): unknown => ({ configs: [
      admin("Listeners", { dynamic_listeners: [{ name: "l", active_state: { listener: listener({ http_filters: [{ name: "f", config_discovery: { config_source: { ads: {} } } }, router] }) } }] }),
      ...(config === undefined ? [] : [admin("Ecds", { ecds_filters: [{ ecds_filter: { name: "f", typed_config: { "@type": any("some.new.Filter"), ...config } } }] })]),
    ] });
    const outcomes = [[{ a: 1 }, { a: 1 }], [{ a: 1 }, { a: 2 }], [{ a: 1 }, undefined], [undefined, undefined]] as const;
    expect(outcomes.map(([left, right]) => compared(fetched(left), fetched(right)).outcome)).toEqual(["equivalent", "undecided", "undecided", "undecided"]);
  });

  it.each([
    ["of a route", (key: string) => table({}, { match: { prefix: "/", runtime_fraction: { default_value: { numerator: 100 }, runtime_key: key } } })],
    ["of a route that takes nothing", (key: string) => table({}, { match: { prefix: "/", runtime_fraction: { default_value: { numerator: 0 }, runtime_key: key } } })],
    ["of a mirror", (key: string) => table({ request_mirror_policies: [{ cluster: B, runtime_fraction: { default_value: { numerator: 100 }, runtime_key: key } }] })],
    ["of weights", (key: string) => table({}, { route: { weighted_clusters: { clusters: [{ name: A, weight: 1 }, { name: B, weight: 1 }], runtime_key_prefix: key } } })],
  ])("the share %s that the runtime can set is the same where the same key says it", (_, of: (key: string) => Fields) => {
    const same = compared(served(of("k")), served(of("k")));
    expect([same.outcome, same.assumptions.some((one) => one.text.includes("`k`"))]).toEqual(["equivalent", true]);
    expect(compared(served(of("k")), served(of(""))).outcome).toBe("undecided");
  });

  it("a key of cross-origin rules that the runtime can set is told, too", () => {
    const cors = (key: string): Fields => ({ "@type": any("envoy.extensions.filters.http.cors.v3.CorsPolicy"), allow_origin_string_match: [{ exact: "https://a" }], filter_enabled: { default_value: { numerator: 100 }, runtime_key: key } });
    const of = (key: string): readonly Fields[] => served(table({}, { typed_per_filter_config: { f: cors(key) } }), [filter("envoy.extensions.filters.http.cors.v3.Cors")]);
    const outcomes = [["", ""], ["k", "k"], ["k", ""]].map(([left = "", right = ""]) => compared(of(left), of(right)));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["equivalent", "equivalent", "undecided"]);
    expect(outcomes.map(({ assumptions }) => assumptions.some(({ text }) => text.includes("`k`")))).toEqual([false, true, false]);
  });

  it("the inbound listeners of a proxy that is not Istio's are its listeners", () => {
    const inbound = [listener({}, { traffic_direction: "INBOUND" }), ...clusters];
    expect(of(inbound).views.map(({ view }) => "gateway" in view && view.port)).toEqual([80]);
    expect(of([...inbound, listener({}, { name: "virtualInbound", traffic_direction: "INBOUND" })]).views).toEqual([]);
  });

  it("two filters in the other order are not the same", () => {
    const [one, other] = [filter("some.new.Filter"), { ...filter("some.other.Filter"), name: "g" }];
    expect([[one, other], [other, one]].map((filters) => compared(served(table(), [one, other]), served(table(), filters)).outcome)).toEqual(["equivalent", "undecided"]);
  });

  it("keys and passwords of clusters reach no answer", () => {
    const secure = (key: string): Fields => ({ common_tls_context: { tls_certificates: [{ private_key: { inline_string: key }, password: { inline_string: key } }] }, sni: "s" });
    const with_ = (key: string, sni: string): RouteWorld => envoyWorld({ place: key, withPolicies: true, dump: { static_resources: { listeners: [listener()], clusters: [{ name: A, transport_socket: { name: "tls", typed_config: { ...secure(key), sni } } }] } } });
    const told = JSON.stringify(compareWorlds([with_("TOP-SECRET-1", "a"), with_("TOP-SECRET-2", "b")]).differences.map(({ answers }) => answers.map(({ effect }) => effect)));
    expect([told.includes("TOP-SECRET"), told.includes("sni")]).toEqual([false, true]);
    expect(compareWorlds([with_("1", "a"), with_("2", "a")]).outcome).toBe("equivalent");
  });

  it("thousands of tables and virtual hosts are read and compared", { timeout: 60_000 }, () => {
    const tables = (last: string): unknown => Array.from({ length: 5_000 }, (_, index) => ({ name: `http.${index + 1}`, virtual_hosts: [{ name: "h", domains: [`h${index}.test`], routes: [{ match: { prefix: "/" }, route: { cluster: index === 4_999 ? last : A } }] }] }));
    expect(compared(tables(A), tables(A)).outcome).toBe("equivalent");
    const { outcome, differences } = compared(tables(A), tables(B));
    expect([outcome, differences.map(({ request }) => request.authority)]).toEqual(["different", ["h4999.test"]]);
  });

  const strange: readonly unknown[] = [undefined, null, 1, "x", [], {}, [null], { configs: [null, 1, [], { "@type": 7 }] }, { configs: Object.create(null) as unknown }, served({ virtual_hosts: [null, 1, { domains: [1], routes: [null, {}, { match: 1, route: 2 }, { match: { headers: [null, 1], query_parameters: "x", prefix: 7 }, redirect: [] }] }] }), JSON.parse('{"name":"x","virtual_hosts":[{"domains":["__proto__"],"routes":[{"match":{"prefix":"/"},"typed_per_filter_config":{"__proto__":{}}}]}],"__proto__":{}}')];
  it("of any shape makes nothing throw", () => {
    for (const dump of strange) expect(of(dump).place).toBe("here");
  });

  it("with a part of every message replaced by another value makes nothing throw", () => {
    const values: readonly unknown[] = [null, 0, -1, "", "x", [], {}, [[]], true, 1e308];
    const paths = (value: unknown, at: readonly (string | number)[] = []): (readonly (string | number)[])[] => typeof value !== "object" || value === null ? [at] : [at, ...Object.entries(value).flatMap(([key, inner]) => paths(inner, [...at, Array.isArray(value) ? Number(key) : key]))];
    for (const path of paths(whole)) {
      for (const value of values) {
        const copy = structuredClone({ whole }) as Record<string, unknown>;
        let target: unknown = copy;
        for (const step of ["whole", ...path].slice(0, -1)) target = (target as Record<string | number, unknown>)[step];
        (target as Record<string | number, unknown>)[["whole", ...path].at(-1) ?? ""] = value;
        expect(() => compareWorlds([of(copy["whole"]), of(whole, "there")])).not.toThrow();
      }
    }
  });
});
