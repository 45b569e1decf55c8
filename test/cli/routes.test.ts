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

  const refusals: readonly (readonly [claim: string, words: readonly string[], error: string])[] = [
    ["one place only", ["left.yaml"], "error[usage]: missing required argument `RIGHT`"],
    ["a place that is not there", ["left.yaml", "nowhere"], "error[usage]: `nowhere` is no place"],
    ["a file that is no YAML", ["left.yaml", "broken.yaml"], "broken.yaml:2:"],
    ["an Envoy's config dump", ["left.yaml", "dump.json"], "error[not-yet]: comparing what an Envoy has loaded"],
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
    "dump.json": '{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump"}]}',
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
