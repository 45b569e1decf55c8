import { describe, expect, it } from "vitest";
import { shell, type Shell } from "./shell.ts";

/** One VirtualService on a Gateway that only its name tells of; the rule for `/cart` stands in the given line. */
const shop = (service: string, name = "shop") => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: prod, creationTimestamp: "2026-02-01T00:00:00Z" }
spec:
  hosts: [shop.example]
  gateways: [prod/public]
  http:
    - match: [{ uri: { prefix: /cart } }]
      route: [{ destination: { host: ${service}.prod.svc.cluster.local, port: { number: 80 } } }]
    - route: [{ destination: { host: web.prod.svc.cluster.local, port: { number: 80 } } }]
`;
const FILES = { "left.yaml": shop("cart"), "right.yaml": shop("basket"), "same.yaml": `---\n${shop("cart")}` };

const VIEW = { gateway: "prod/public", port: 80, tls: false };

interface Answer {
  readonly verdict: string;
  readonly differences: readonly { readonly request: { readonly path: string }; readonly left: unknown; readonly right: unknown }[];
  readonly undecided: readonly { readonly reason: string }[];
  readonly assumptions: readonly { readonly text: string }[];
}

async function compare(here: Shell, ...words: readonly string[]) {
  const ended = await here.assert("compare", "-o", "json", ...words);
  return { ...ended, answer: ended.stdout === "" ? undefined : (JSON.parse(ended.stdout) as Answer) };
}

describe("assert compare", { timeout: 60_000 }, () => {
  it("ends with 1 and a request that both sides answer, with the line of each deciding rule", async () => {
    await using here = await shell(FILES);
    const { code, stderr, answer } = await compare(here, "left.yaml", "right.yaml");
    const side = (service: string, file: string) => ({
      action: expect.objectContaining({ type: "forward", destinations: [{ host: `${service}.prod.svc.cluster.local`, port: 80, weight: 1 }] }),
      rule: { object: "VirtualService prod/shop", path: "spec.http[0].match[0]", file, line: 8 },
    });
    expect([code, stderr]).toEqual([1, ""]);
    expect(answer).toMatchObject({
      schema: "cloud-assert/compare/v1",
      verdict: "different",
      differences: [{ view: VIEW, request: { method: "GET", scheme: "http", authority: "shop.example", path: "/cart", headers: {} }, left: side("cart", "left.yaml"), right: side("basket", "right.yaml") }],
      undecided: [],
      size: { views: 1 },
    });
  });

  it("says the same to people, with a command that shows it", async () => {
    await using here = await shell(FILES);
    const { code, stdout } = await here.assert("compare", "left.yaml", "right.yaml");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ DIFFERENT {2}left\.yaml and right\.yaml route 1 kind of request differently\n/);
    expect(stdout).toContain("in `left.yaml` it goes to `cart.prod.svc.cluster.local:80`\n      by rule `VirtualService prod/shop` spec.http[0].match[0] (left.yaml:8)\n");
    expect(stdout).toContain("curl -sv --path-as-is --connect-to \"::$GATEWAY:80\" 'http://shop.example/cart'\n");
  });

  it("finds the line of a rule in the second document of a file, and in a List", async () => {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: [JSON.parse(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "prod" } }))] });
    await using here = await shell({ "left.yaml": `apiVersion: v1\nkind: Namespace\nmetadata: { name: prod }\n---\n${shop("cart")}`, "right/a.json": list, "right/b.yaml": `apiVersion: v1\nkind: List\nitems:\n  - ${shop("basket").trimEnd().replaceAll("\n", "\n    ")}\n` });
    const { answer } = await compare(here, "left.yaml", "right");
    expect(answer?.differences.map(({ left, right }) => [left, right])).toMatchObject([[{ rule: { file: "left.yaml", line: 12 } }, { rule: { file: "right/b.yaml", line: 11 } }]]);
  });

  const verdicts: readonly (readonly [claim: string, words: readonly string[], code: number])[] = [
    ["equivalent files: 0", ["left.yaml", "same.yaml"], 0],
    ["a file and itself: 0", ["left.yaml", "left.yaml"], 0],
    ["only other hosts asked for: 0", ["left.yaml", "right.yaml", "--hosts", "other.example"], 0],
    ["a view that nobody has: 2, for nothing was compared", ["left.yaml", "right.yaml", "--views", "mesh"], 2],
    ["hosts that differ: 1", ["left.yaml", "azure.yaml"], 1],
    ["the same hosts, mapped: 0", ["left.yaml", "azure.yaml", "--map-host", ".azure.example=.example"], 0],
    ["gateways that differ: 0, for each is alone on its port", ["left.yaml", "gateway.yaml"], 0],
    ["the same with a name: 0", ["left.yaml", "gateway.yaml", "--map-gateway", "edge/main=prod/public"], 0],
    ["a difference in what is ignored: 0", ["left.yaml", "slow.yaml", "--ignore", "timeout,retries"], 0],
    ["the same difference: 1", ["left.yaml", "slow.yaml"], 1],
  ];
  const more = { "azure.yaml": shop("cart").replace("[shop.example]", "[shop.azure.example]"), "gateway.yaml": shop("cart").replace("prod/public", "edge/main"), "slow.yaml": shop("cart").replace("- match", "- timeout: 5s\n      match") };
  it.each(verdicts)("%s", async (_, words, code) => {
    await using here = await shell({ ...FILES, ...more });
    expect((await compare(here, ...words)).code).toBe(code);
  });

  it("is undecided where the age of two objects decides and is not told, and names both", async () => {
    const young = (text: string) => text.replace(', creationTimestamp: "2026-02-01T00:00:00Z"', "");
    const both = `${young(shop("cart", "one"))}---\n${young(shop("basket", "two"))}`;
    await using here = await shell({ "left.yaml": both, "right.yaml": both });
    const { code, answer } = await compare(here, "left.yaml", "right.yaml");
    expect([code, answer?.verdict]).toEqual([2, "undecided"]);
    expect(JSON.stringify(answer?.undecided)).toMatch(/prod\/one.*prod\/two|prod\/two.*prod\/one/);
  });

  it("reads each place as the Envoy that a flag names", async () => {
    const exact = shop("cart").replace("uri: { prefix: /cart }", 'headers: { x-a: { exact: "1" } }');
    await using here = await shell({ "left.yaml": exact, "right.yaml": exact });
    expect((await compare(here, "left.yaml", "right.yaml", "--envoy", "1.37.2:1.39.0")).code).toBe(1);
    expect((await compare(here, "left.yaml", "right.yaml", "--envoy", "1.37.2")).code).toBe(0);
  });

  it("compares snapshots, and leaves open what a snapshot was not asked", async () => {
    const kinds = { routes: "kind: RoutesEquivalent", skew: "kind: EnvoyVersionSkew" };
    const assertion = (kind: string) => `apiVersion: cloud-assert/v1\n${kind}\nmetadata: { name: a }\nspec: {}\n`;
    const cluster = (name: string) => ({ name, kubernetes: { manifests: name, complete: false } });
    const fleet = JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Fleet", metadata: { name: "f" }, spec: { clusters: [cluster("eks"), cluster("aks")] } });
    await using here = await shell({ "assert.yaml": fleet, "eks/a.yaml": shop("cart"), "aks/a.yaml": shop("basket"), "routes.yaml": assertion(kinds.routes), "skew.yaml": assertion(kinds.skew) });
    await here.assert("collect", "routes.yaml", "--out", "routes");
    await here.assert("collect", "skew.yaml", "--out", "skew");
    const { code, answer } = await compare(here, "routes/eks.json", "routes/aks.json");
    expect([code, answer?.differences.map(({ request }) => request.path)]).toEqual([1, ["/cart"]]);
    const unasked = await compare(here, "routes/eks.json", "skew/aks.json");
    expect([unasked.code, unasked.answer?.undecided[0]?.reason]).toEqual([2, expect.stringContaining("was not asked for routing")]);
  });

  it("compares a revision of a repository with the working tree", async () => {
    await using here = await shell({ "mesh/shop.yaml": shop("cart") });
    const git = (...words: readonly string[]) => here.program("git", ["-c", "user.name=t", "-c", "user.email=t@example", ...words]).ended;
    await git("init", "-q");
    await git("add", ".");
    await git("commit", "-qm", "first");
    await here.write({ "mesh/shop.yaml": shop("basket") });
    const { code, answer } = await compare(here, "git:HEAD:mesh", "mesh");
    expect([code, answer?.differences]).toMatchObject([1, [{ left: { rule: { file: "git:HEAD:mesh/shop.yaml", line: 8 } }, right: { rule: { file: "mesh/shop.yaml", line: 8 } } }]]);
    expect((await compare(here, "git:HEAD:mesh", "git:HEAD:mesh/shop.yaml")).code).toBe(0);
  });

  it("takes the order of objects of unknown age for the same in two revisions, and says so", async () => {
    const young = (text: string) => text.replace(', creationTimestamp: "2026-02-01T00:00:00Z"', "");
    const both = (service: string) => `${young(shop(service, "one"))}---\n${young(shop("basket", "two"))}`;
    await using here = await shell({ "mesh.yaml": both("cart") });
    const git = (...words: readonly string[]) => here.program("git", ["-c", "user.name=t", "-c", "user.email=t@example", ...words]).ended;
    await git("init", "-q");
    await git("add", ".");
    await git("commit", "-qm", "first");
    await here.write({ "mesh.yaml": `# the same\n${both("cart")}` });
    await git("commit", "-qam", "second");
    const same = await compare(here, "git:HEAD~1:mesh.yaml", "git:HEAD:mesh.yaml");
    expect([same.code, same.answer?.assumptions.map(({ text }) => text)]).toEqual([0, expect.arrayContaining([expect.stringContaining("keep their order")])]);
    // Where the changed object is the younger one, nobody ever reaches its rule: the answer depends on the order.
    await here.write({ "mesh.yaml": both("other") });
    await git("commit", "-qam", "third");
    expect((await compare(here, "git:HEAD~1:mesh.yaml", "git:HEAD:mesh.yaml")).code).toBe(2);
  });

  const refusals: readonly (readonly [claim: string, words: readonly string[], error: string])[] = [
    ["one place only", ["left.yaml"], "error[usage]: missing required argument `RIGHT`"],
    ["a place that is not there", ["left.yaml", "nowhere"], "error[usage]: `nowhere` is no place"],
    ["a file that is no YAML", ["left.yaml", "broken.yaml"], "broken.yaml:2:"],
    ["a dump that was cut off", ["left.yaml", "cut.json"], "error[usage]: the dump of an Envoy ends before its JSON does\n  --> cut.json:2:54"],
    ["a dump that is no JSON", ["left.yaml", "wrong.json"], "error[usage]: the dump of an Envoy is no valid JSON\n  --> wrong.json:1:19"],
    ["a table of a client that nothing tells", ["left.yaml", "client.json"], "`client.json` does not tell which client has loaded it"],
    ["a revision that is not there", ["left.yaml", "git:nowhere:mesh"], "cannot be read from git"],
    ["a git place without a path", ["left.yaml", "git:main"], "names no revision and path"],
    ["a mapping without a name", ["left.yaml", "right.yaml", "--map-host", "a.example"], "--map-host is `a.example`; it takes `FROM=TO`"],
    ["two hosts that a mapping makes one", ["left.yaml", "two.yaml", "--map-host", "b.example=shop.example"], "makes `b.example` and `shop.example` of `two.yaml` one"],
    ["a version that is none", ["left.yaml", "right.yaml", "--envoy", "new"], "--envoy is `new`"],
    ["a part that cannot be ignored", ["left.yaml", "right.yaml", "--ignore", "path"], "--ignore does not know `path`"],
    ["a changed snapshot", ["left.yaml", "snapshot.json"], "error[snapshot]"],
  ];
  const bad = {
    "broken.yaml": "a: [\n",
    "cut.json": '{"configs":[\n{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump"'.slice(0, -9),
    "wrong.json": '{"virtual_hosts": secret}',
    "client.json": '[{"name":"80","virtualHosts":[]}]',
    "two.yaml": shop("cart").replace("[shop.example]", "[shop.example, b.example]"),
    "snapshot.json": '{"asked":[],"schema":"cloud-assert/snapshot/v1"}\n',
  };
  it.each(refusals)("refuses, with 3 and nothing on stdout: %s", async (_, words, error) => {
    await using here = await shell({ ...FILES, ...bad });
    const { code, stdout, stderr } = await here.assert("compare", ...words);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain(error);
    expect(stderr).toContain("\n  help: ");
  });
});

/** What istiod writes where nobody says otherwise. */
const ROUTE = { timeout: "0s", retry_policy: { retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes", num_retries: 2, retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts" }], host_selection_retry_max_attempts: "5" } };
const to = (service: string) => ({ ...ROUTE, cluster: `outbound|80||${service}.prod.svc.cluster.local` });
const table = (service: string) => ({ name: "http.8080", ignore_port_in_host_matching: true, virtual_hosts: [{ name: "shop.example:80", domains: ["shop.example"], routes: [{ match: { prefix: "/cart" }, route: to(service) }, { match: { prefix: "/" }, route: to("web") }] }] });
const admin = (name: string) => `type.googleapis.com/envoy.admin.v3.${name}ConfigDump`;
const dump = (service: string, filters: readonly object[] = []) => ({
  configs: [
    { "@type": admin("Bootstrap"), bootstrap: { node: { id: "router~10.0.0.1~public-1.prod~prod.svc.cluster.local", metadata: { NAMESPACE: "prod", LABELS: { istio: "public" } } } } },
    { "@type": admin("Clusters"), dynamic_active_clusters: [service, "web"].map((name) => ({ cluster: { name: to(name).cluster, type: "EDS" } })) },
    {
      "@type": admin("Listeners"),
      dynamic_listeners: [{
        active_state: {
          listener: {
            name: "0.0.0.0_8080", address: { socket_address: { address: "0.0.0.0", port_value: 8080 } }, traffic_direction: "OUTBOUND",
            filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", rds: { route_config_name: "http.8080" }, normalize_path: true, use_remote_address: true,
              http_filters: [...filters, ...["fault.v3.HTTPFault", "cors.v3.Cors", "router.v3.Router"].map((type) => ({ name: type, typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}` } }))],
            } }] }],
          },
        },
      }],
    },
    { "@type": admin("Routes"), dynamic_route_configs: [{ route_config: table(service) }] },
  ],
});
const lua = { name: "lua", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua", default_source_code: { inline_string: "-- moves requests" } } };
const GATEWAY = `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: prod }
spec:
  selector: { istio: public }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: v1
kind: Service
metadata: { name: public, namespace: prod }
spec: { selector: { istio: public }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
`;
const SERVICES = ["cart", "web", "basket"].map((name) => `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: prod }\nspec: { clusterIP: 10.0.0.1, ports: [{ name: http, port: 80, targetPort: 80 }] }\n---\n`).join("");
const camel = (value: unknown): string => JSON.stringify(value).replaceAll(/"([a-z]+(?:_[a-z]+)+)":/g, (_, name: string) => `"${name.replaceAll(/_([a-z])/g, (__, letter: string) => letter.toUpperCase())}":`);

describe("what an Envoy has loaded", { timeout: 60_000 }, () => {
  const files = {
    ...FILES, "gateway.yaml": GATEWAY + SERVICES + shop("cart"), "cart.json": JSON.stringify(dump("cart")), "basket.json": JSON.stringify(dump("basket")), "routes.json": camel([table("cart")]), "lua.json": JSON.stringify(dump("cart", [lua])),
    "routes.yaml": "name: http.8080\nignore_port_in_host_matching: true\nvirtual_hosts:\n- name: s\n  domains: [shop.example]\n  routes:\n  - match: { prefix: / }\n    direct_response: { status: 410 }\n",
  };
  const rows: readonly (readonly [claim: string, left: string, right: string, verdict: string])[] = [
    ["a dump and the objects that it came from", "gateway.yaml", "cart.json", "equivalent"],
    ["a dump and other objects", "basket.json", "gateway.yaml", "different"],
    ["two dumps", "cart.json", "basket.json", "different"],
    ["a dump and its own routes, as istioctl prints them", "routes.json", "cart.json", "equivalent"],
    ["routes alone and objects without a Gateway", "left.yaml", "routes.json", "equivalent"],
    ["routes alone and other objects", "right.yaml", "routes.json", "different"],
    ["routes in YAML", "routes.json", "routes.yaml", "different"],
    ["a dump with a filter that may send requests elsewhere", "gateway.yaml", "lua.json", "undecided"],
    ["two dumps with the same filter", "lua.json", "lua.json", "equivalent"],
  ];
  it.each(rows)("is compared: %s", async (_, left, right, verdict) => {
    await using here = await shell(files);
    const { code, answer, stderr } = await compare(here, left, right, "--istio", "1.31.0", "--envoy", "1.40.0", "--views", "gateways");
    expect([stderr, answer?.verdict, code]).toEqual(["", verdict, ["equivalent", "different", "undecided"].indexOf(verdict)]);
  });

  it("is told with its rule beside that of the object", async () => {
    await using here = await shell(files);
    const { answer } = await compare(here, "gateway.yaml", "basket.json", "--views", "gateways");
    expect(answer?.differences).toMatchObject([{
      view: { gateway: "prod/public", port: 80, tls: false }, request: { path: "/cart", authority: "shop.example" },
      left: { action: { destinations: [{ host: "cart.prod.svc.cluster.local" }] }, rule: { object: "VirtualService prod/shop", file: "gateway.yaml" } },
      right: { action: { destinations: [{ host: "basket.prod.svc.cluster.local" }] }, rule: { object: "RouteConfiguration http.8080", path: "virtual_hosts[0].routes[0]" } },
    }]);
  });

  it("is asked where a request goes, on the only port on which it listens", async () => {
    await using here = await shell(files);
    const { code, stdout } = await here.assert("route", "--at", "cart.json", "GET http://shop.example/cart/1", "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ view: { gateway: "prod/public-1", port: 8080 }, action: { type: "forward", destinations: [{ host: "cart.prod.svc.cluster.local", port: 80 }] }, rule: { object: "RouteConfiguration http.8080", path: "virtual_hosts[0].routes[0]" } });
  });
});

describe("assert route", { timeout: 60_000 }, () => {
  it("says where a request goes and which rule decided", async () => {
    await using here = await shell(FILES);
    const { code, stdout } = await here.assert("route", "--at", "left.yaml", "GET http://shop.example/cart/1?a=b", "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "cloud-assert/route/v1",
      view: VIEW,
      request: { method: "GET", scheme: "http", authority: "shop.example", path: "/cart/1?a=b", headers: {} },
      action: { type: "forward", destinations: [{ host: "cart.prod.svc.cluster.local", port: 80, weight: 1 }] },
      rule: { object: "VirtualService prod/shop", path: "spec.http[0].match[0]", file: "left.yaml", line: 8 },
    });
  });

  const answers: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [["http://shop.example/other"], /^`GET http:\/\/shop\.example\/other` at the gateway `prod\/public` on port 80\n {2}goes to `web\.prod/],
    [["POST", "http://shop.example/cart"], /^`POST http:\/\/shop\.example\/cart`/],
    [["http://10.0.0.1/cart", "-H", "Host: shop.example"], /goes to `cart\.prod/],
    [["http://nobody.example/"], /is answered with 404\n {2}for no rule takes it\n$/],
    [["http://shop.example/cart", "--view", "prod/public:80"], /goes to `cart\.prod/],
  ];
  it.each(answers)("%j", async (words, says) => {
    await using here = await shell(FILES);
    const { code, stdout, stderr } = await here.assert("route", "--at", "left.yaml", ...words);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(says);
  });

  it("answers a file of requests line by line, in its order, and ends with 2 where one is undecided", async () => {
    const headers = shop("cart").replace("uri: { prefix: /cart }", 'headers: { x-a: { exact: "1" } }');
    const requests = [{ authority: "shop.example", path: "/a" }, { authority: "shop.example", path: "/b", headers: { "X-A": ["1", "2"] } }, { authority: "shop.example", path: "/c", headers: { "x-a": "1" }, view: VIEW }];
    await using here = await shell({ "mesh.yaml": headers, "requests.jsonl": `${requests.map((each) => JSON.stringify(each)).join("\n")}\n` });
    const { code, stdout } = await here.assert("route", "--at", "mesh.yaml", "--requests", "requests.jsonl", "-o", "json");
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as { readonly request: { readonly path: string; readonly headers: unknown }; readonly action: { readonly type: string } });
    expect(code).toBe(2);
    // Up to Envoy 1.38 two lines are one value, `1,2`; from 1.39 on one of them is enough.
    expect(lines.map(({ request, action }) => [request.path, action.type])).toEqual([["/a", "forward"], ["/b", "undecided"], ["/c", "forward"]]);
    expect(lines[1]?.request.headers).toEqual({ "x-a": ["1", "2"] });
    expect((await here.assert("route", "--at", "mesh.yaml", "--requests", "requests.jsonl", "--envoy", "1.39.0")).code).toBe(0);
  });

  const refusals: readonly (readonly [claim: string, words: readonly string[], error: string])[] = [
    ["no place", ["http://shop.example/"], "`assert route` needs a place"],
    ["no request", ["--at", "left.yaml"], "`assert route` needs a request"],
    ["no whole URL", ["--at", "left.yaml", "GET /cart"], "`GET /cart` is no request"],
    ["a port that nothing listens on", ["--at", "left.yaml", "http://shop.example:8080/"], "has no gateway and no client for port 8080"],
    ["a view that is not there", ["--at", "left.yaml", "http://shop.example/", "--view", "prod/private:80"], "has no such view as the gateway `prod/private` on port 80"],
    ["a view that is none", ["--at", "left.yaml", "http://shop.example/", "--view", "public"], "--view is `public`"],
    ["a header without a name", ["--at", "left.yaml", "http://shop.example/", "-H", "x"], "-H is `x`; it takes `name: value`"],
    ["a line that is no request", ["--at", "left.yaml", "--requests", "bad.jsonl"], "bad.jsonl:2:1"],
    ["a field that no request has", ["--at", "left.yaml", "--requests", "odd.jsonl"], "the line has a field `host`"],
  ];
  it.each(refusals)("refuses, with 3 and nothing on stdout: %s", async (_, words, error) => {
    await using here = await shell({ ...FILES, "bad.jsonl": '{"path":"/"}\nGET /\n', "odd.jsonl": '{"path":"/","host":"a"}\n' });
    const { code, stdout, stderr } = await here.assert("route", ...words);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain(error);
  });
});
