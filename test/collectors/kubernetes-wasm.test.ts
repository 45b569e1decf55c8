import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Fact, FactKind, KubeObject, Probe, WasmCode, WasmState } from "#engine";
import collector from "../../collectors/kubernetes/collector.ts";
import { loadedModules, moduleOf } from "../../collectors/kubernetes/readers/wasm-dump.ts";
import { drain, FakeCluster, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const PIN = "2".repeat(64);

const plugin = (spec: object, kind = "WasmPlugin"): KubeObject => ({ apiVersion: "extensions.istio.io/v1alpha1", kind, metadata: { name: "authz", namespace: "shop" }, spec });
const filter = (...patches: readonly object[]): KubeObject => ({ apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter", metadata: { name: "filter", namespace: "mesh" }, spec: { configPatches: patches } });

async function read(fact: FactKind, exchange: Exchange, options?: { readonly maxProbes: number }) {
  return drain(collector.collect(clusterOf("eks"), [{ fact: fact as "wasm-modules", ...(options === undefined ? {} : { selector: "s", options }) }], new FakeCluster(exchange)));
}

async function codesOf(lists: Exchange["lists"]): Promise<readonly WasmCode[]> {
  const { facts } = await read("wasm-modules", { lists: { ...lists } });
  return (facts as readonly Fact<"wasm-modules">[]).flatMap(({ data }) => (data.type === "module" ? [data.code] : []));
}

describe("the address of a module", () => {
  const unknown = { source: "unknown", reason: expect.any(String), remedy: expect.any(String) };
  const cases: readonly { readonly spec: object; readonly code: object }[] = [
    { spec: { url: "oci://r.example/a:1" }, code: { source: "oci", reference: "oci://r.example/a:1", by: "agent", folder: sha("oci://r.example/a") } },
    { spec: { url: "r.example/a" }, code: { source: "oci", reference: "oci://r.example/a", by: "agent", folder: sha("oci://r.example/a") } },
    { spec: { url: "acme/a:1" }, code: { source: "oci", reference: "oci://acme/a:1", by: "agent", folder: sha("oci://index.docker.io/acme/a") } },
    { spec: { url: "oci://a" }, code: { source: "oci", reference: "oci://a", by: "agent", folder: sha("oci://index.docker.io/library/a") } },
    { spec: { url: "oci://r.example/a:1", sha256: PIN.toUpperCase().replaceAll("2", "A") }, code: { source: "oci", reference: "oci://r.example/a:1", sha256: "a".repeat(64), by: "agent", folder: sha("oci://r.example/a") } },
    { spec: { url: "oci://r.example/a:1", sha256: "nil" }, code: { source: "oci", reference: "oci://r.example/a:1", by: "agent", folder: sha("oci://r.example/a") } },
    { spec: { url: "oci://r.example/a:1", sha256: "short" }, code: unknown },
    { spec: { url: "https://f.example/a.wasm", sha256: PIN }, code: { source: "http", reference: "https://f.example/a.wasm", sha256: PIN, by: "agent", folder: sha("https://f.example/a.wasm") } },
    { spec: { url: "https://me:secret@f.example/a.wasm?sig=secret" }, code: { source: "http", reference: "https://f.example/a.wasm", hidden: true, by: "agent" } },
    { spec: { url: "file:///opt/a.wasm", sha256: PIN }, code: { source: "file", path: "/opt/a.wasm" } },
    { spec: { url: "s3://bucket/a" }, code: unknown },
    { spec: { url: "" }, code: unknown },
    { spec: {}, code: unknown },
    { spec: { url: 7 }, code: unknown },
    { spec: { url: "oci://r.example/UPPER" }, code: unknown },
  ];
  for (const { spec, code } of cases) {
    it(`${JSON.stringify(spec).slice(0, 90)} is read as Istio's agent reads it`, async () => {
      expect(await codesOf({ wasmplugins: [plugin(spec)] })).toEqual([code]);
      expect(await codesOf({ trafficextensions: [plugin({ wasm: spec }, "TrafficExtension")] })).toEqual([code]);
    });
  }

  it("of a script in Lua is none: it stands in the object", async () => expect(await codesOf({ trafficextensions: [plugin({ lua: { inlineCode: "x" } }, "TrafficExtension")] })).toEqual([]));
});

describe("a module in an EnvoyFilter", () => {
  const value = (code: object, { runtime = "envoy.wasm.runtime.v8", camel = false } = {}) =>
    camel ? { typedConfig: { config: { vmConfig: { runtime, code } } } } : { typed_config: { config: { vm_config: { runtime, code } } } };
  const bytes = Buffer.from("module");
  const cases: readonly { readonly name: string; readonly patch: object; readonly code: object }[] = [
    { name: "fetched by Envoy itself", patch: { applyTo: "HTTP_FILTER", patch: { value: value({ remote: { http_uri: { uri: "https://f.example/a.wasm" }, sha256: PIN } }) } }, code: { source: "http", reference: "https://f.example/a.wasm", sha256: PIN, by: "envoy" } },
    { name: "in the other spelling", patch: { applyTo: "HTTP_FILTER", patch: { value: value({ remote: { httpUri: { uri: "https://f.example/a.wasm" }, sha256: PIN } }, { camel: true }) } }, code: { source: "http", reference: "https://f.example/a.wasm", sha256: PIN, by: "envoy" } },
    { name: "that Envoy itself cannot fetch", patch: { applyTo: "HTTP_FILTER", patch: { value: value({ remote: { http_uri: { uri: "oci://r.example/a" } } }) } }, code: { source: "unknown", reason: expect.stringContaining("by http and https only"), remedy: expect.any(String) } },
    { name: "in an extension configuration, which the agent fetches", patch: { applyTo: "EXTENSION_CONFIG", patch: { value: { name: "mine", ...value({ remote: { http_uri: { uri: "oci://r.example/a" } } }) } } }, code: { source: "oci", reference: "oci://r.example/a", by: "agent", folder: sha("oci://r.example/a") } },
    { name: "inside a TypedStruct", patch: { applyTo: "HTTP_FILTER", patch: { value: { typed_config: { "@type": "type.googleapis.com/udpa.type.v1.TypedStruct", value: { config: { vm_config: { code: { local: { filename: "/a.wasm" } } } } } } } } }, code: { source: "file", path: "/a.wasm" } },
    { name: "in base64", patch: { applyTo: "NETWORK_FILTER", patch: { value: value({ local: { inline_bytes: bytes.toString("base64") } }) } }, code: { source: "inline", wasmSha256: sha("module"), size: 6 } },
    { name: "in what is no base64", patch: { applyTo: "NETWORK_FILTER", patch: { value: value({ local: { inline_bytes: "%%%" } }) } }, code: { source: "unknown", reason: expect.any(String), remedy: expect.any(String) } },
    { name: "that is native code", patch: { applyTo: "HTTP_FILTER", patch: { value: value({ local: { inline_string: "envoy.wasm.stats" } }, { runtime: "envoy.wasm.runtime.null" }) } }, code: { source: "native", name: "envoy.wasm.stats" } },
    { name: "of an access log", patch: { applyTo: "LISTENER", patch: { value: { access_log: [{ name: "envoy.access_loggers.wasm", ...value({ local: { filename: "/log.wasm" } }) }] } } }, code: { source: "file", path: "/log.wasm" } },
    { name: "of a filter in a chain that a patch adds", patch: { applyTo: "FILTER_CHAIN", patch: { operation: "ADD", value: { filters: [{ name: "envoy.filters.network.wasm", ...value({ local: { filename: "/chain.wasm" } }) }] } } }, code: { source: "file", path: "/chain.wasm" } },
    { name: "of a filter in the default chain of a listener", patch: { applyTo: "LISTENER", patch: { operation: "MERGE", value: { default_filter_chain: { filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: { http_filters: [{ name: "envoy.filters.http.wasm", ...value({ local: { filename: "/default.wasm" } }) }] } }] } } } }, code: { source: "file", path: "/default.wasm" } },
    { name: "of a route, in its settings of a filter", patch: { applyTo: "HTTP_ROUTE", patch: { operation: "MERGE", value: { typed_per_filter_config: { wasm: value({ local: { filename: "/route.wasm" } }) } } } }, code: { source: "file", path: "/route.wasm" } },
    { name: "of a filter in a cluster", patch: { applyTo: "CLUSTER", patch: { operation: "MERGE", value: { filters: [{ name: "envoy.filters.network.wasm", ...value({ local: { filename: "/upstream.wasm" } }) }] } } }, code: { source: "file", path: "/upstream.wasm" } },
    { name: "that Envoy fetches by itself, in a listener", patch: { applyTo: "LISTENER", patch: { value: { filter_chains: [{ filters: [value({ remote: { http_uri: { uri: "https://files.example/a.wasm" }, sha256: PIN } })] }] } } }, code: { source: "http", reference: "https://files.example/a.wasm", sha256: PIN, by: "envoy" } },
    { name: "of a service in the bootstrap", patch: { applyTo: "BOOTSTRAP", patch: { value: { bootstrap_extensions: [{ name: "envoy.bootstrap.wasm", ...value({ local: { filename: "/service.wasm" } }) }] } } }, code: { source: "file", path: "/service.wasm" } },
  ];
  for (const { name, patch, code } of cases) it(`is seen ${name}`, async () => expect(await codesOf({ envoyfilters: [filter({ applyTo: "HTTP_FILTER", patch: { value: { name: "cors" } } }, patch)] })).toEqual([code]));

  it("is told by its place; the name under which proxies know it is there for what the agent fetches", async () => {
    const { facts } = await read("wasm-modules", { lists: { envoyfilters: [filter({ applyTo: "EXTENSION_CONFIG", patch: { value: { name: "mine", vm_config: { code: { local: { filename: "/a" } } } } } }, { applyTo: "LISTENER", patch: { value: { a: { vm_config: { code: { local: { filename: "/b" } } } }, b: { vm_config: { code: { local: { filename: "/c" } } } } } } })] } });
    expect(facts.map(({ subject, data }) => [subject, Reflect.get(data, "resource")])).toEqual([["EnvoyFilter mesh/filter configPatches[0]", "mine"], ["EnvoyFilter mesh/filter configPatches[1] (1)", undefined], ["EnvoyFilter mesh/filter configPatches[1] (2)", undefined], ["place", undefined]]);
  });

  it("that may lie deeper than anybody looks is a module that cannot be read, not none", async () => {
    let nested: object = { vm_config: { code: { local: { filename: "/deep.wasm" } } } };
    for (let depth = 0; depth < 1_000; depth += 1) nested = { nested };
    expect(await codesOf({ envoyfilters: [filter({ applyTo: "HTTP_FILTER", patch: { value: nested } })] })).toMatchObject([{ source: "unknown" }]);
  });
});

describe("lists of modules", () => {
  it("that may not be read are a gap with the permission, and the others are there", async () => {
    const { facts, gaps } = await read("wasm-modules", { lists: { wasmplugins: [plugin({ url: "oci://r.example/a:1" })] }, forbidden: ["list envoyfilters"] });
    expect([facts.length, gaps.map(({ reason }) => reason).join()]).toEqual([2, expect.stringContaining("may not list `envoyfilters`")]);
  });

  it("that begin anew forget what came before", async () => {
    const { facts } = await read("wasm-modules", { lists: { wasmplugins: [[plugin({ url: "oci://r.example/a:1" })], [plugin({ url: "oci://r.example/b:1" })]] }, restartsAt: [1] });
    expect(facts).toHaveLength(2);
  });

  it("in a folder of manifests say which kinds were not seen", async () => {
    const { facts } = await read("wasm-modules", { place: "manifests", lists: { wasmplugins: [plugin({ url: "oci://r.example/a:1" })] } });
    expect(facts.at(-1)?.data).toEqual({ type: "place", complete: false, unseen: ["EnvoyFilter", "TrafficExtension"] });
  });
});

describe("the name of a module in a proxy", () => {
  const cases = [
    ["shop.authz", "shop.authz"],
    ["extenstions.istio.io/wasmplugin/shop.authz", "shop.authz"],
    ["extensions.istio.io/wasmplugin/shop.authz", "shop.authz"],
    ["extensions.istio.io/trafficextension/shop.authz", "shop.authz"],
    ["extensions.istio.io/trafficextension/shop.authz.v2~istio-translated-wasmplugin", "shop.authz.v2"],
    ["my-own-name", "my-own-name"],
  ] as const;
  for (const [resource, module] of cases) it(`${resource} is ${module}`, () => expect(moduleOf(resource)).toBe(module));
});

describe("a proxy's dump", () => {
  const state = (config: object | undefined): WasmState | undefined => loadedModules(JSON.stringify({ configs: [{ ecds_filters: [{ ecds_filter: { name: "shop.authz", ...(config === undefined ? {} : { typed_config: config }) } }] }] }))?.[0]?.state;
  const machine = (local: object, runtime = "v8") => ({ "@type": "x.wasm.v3.Wasm", config: { vm_config: { runtime, code: { local } } } });
  const cases: readonly { readonly name: string; readonly config: object | undefined; readonly expected: WasmState | undefined }[] = [
    { name: "a file of the agent's", config: machine({ filename: `/var/lib/istio/data/${"f".repeat(64)}/${"1".repeat(64)}.wasm` }), expected: { state: "loaded", folder: "f".repeat(64), checksum: "1".repeat(64), runtime: "v8" } },
    { name: "another file", config: machine({ filename: "/etc/a.wasm" }), expected: { state: "file", path: "/etc/a.wasm", runtime: "v8" } },
    { name: "no answer yet", config: undefined, expected: { state: "waiting" } },
    { name: "a failed fetch over HTTP that lets requests pass", config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", rules_stat_prefix: "wasm-default-allow" }, expected: { state: "failed", filter: "allow" } },
    { name: "a failed fetch over TCP that refuses connections", config: { "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC", stat_prefix: "wasm-default-deny" }, expected: { state: "failed", filter: "deny" } },
    { name: "an authorization of somebody's, which is no module", config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", rules: {} }, expected: undefined },
    { name: "a script, which is no module", config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua" }, expected: undefined },
    { name: "inline bytes", config: machine({ inline_bytes: Buffer.from("module").toString("base64") }), expected: { state: "inline", wasmSha256: sha("module"), runtime: "v8" } },
    { name: "native code", config: machine({ inline_string: "stats" }, "envoy.wasm.runtime.null"), expected: { state: "native", name: "stats" } },
    { name: "a place that Envoy fetches from, without its secret", config: { config: { vm_config: { runtime: "v8", code: { remote: { http_uri: { uri: "https://me:secret@f.example/a?sig=secret" }, sha256: PIN } } } } }, expected: { state: "remote", reference: "https://f.example/a", sha256: PIN, runtime: "v8" } },
    { name: "something new", config: machine({ environment_variable: "X" }), expected: { state: "unknown", reason: expect.any(String) as string } },
  ];
  for (const { name, config, expected } of cases) it(`may hold ${name}`, () => expect(state(config)).toEqual(expected));

  it("may have several lists of extensions", () => expect(loadedModules(JSON.stringify({ configs: ["a.a", "b.b"].map((name) => ({ ecds_filters: [{ ecds_filter: { name } }] })) }))?.map(({ resource }) => resource)).toEqual(["a.a", "b.b"]));

  it("that is none is no empty dump", () => {
    for (const text of ["", "upstream connect error", "[", "null", "7"]) expect(loadedModules(text)).toBeUndefined();
  });
});

describe("proxies that are asked what they have loaded", () => {
  const pod = (name: string) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop" }, spec: { containers: [{ name: "app" }, { name: "istio-proxy", image: "proxyv2:1.30.1", args: ["proxy", "sidecar"] }] }, status: { phase: "Running" } });
  const exchange = (more: Exchange = {}): Exchange => ({ probes: ["admin"] satisfies Probe[], lists: { pods: ["a", "b", "c"].map(pod) }, commands: Object.fromEntries(["a", "b", "c"].map((name) => [name, "ecds_filters not found in config dump"])), ...more });

  it("are not asked without the probe, nor in a folder of manifests: a gap says so", async () => {
    expect((await read("wasm-loaded", exchange({ probes: [] }))).gaps).toMatchObject([{ remedy: expect.stringContaining("allow the probe `admin`") }]);
    expect((await read("wasm-loaded", exchange({ place: "manifests" }))).gaps).toMatchObject([{ reason: expect.stringContaining("manifests do not show") }]);
  });

  it("are asked up to a limit; those beyond it are one gap with their number, and the limit that would do", async () => {
    const { facts, gaps } = await read("wasm-loaded", exchange(), { maxProbes: 2 });
    expect(gaps).toMatchObject([{ selector: "s", reason: "1 of 3 proxies were not asked: at most 2 are", remedy: "raise `maxProbes` to 3" }]);
    expect(facts).toMatchObject([{ selector: "s", data: { type: "asked", answered: 2, running: 3 } }]);
  });

  it("that do not answer, or answer nonsense, are gaps; the others count", async () => {
    const { facts, gaps } = await read("wasm-loaded", exchange({ commands: { a: "ecds_filters not found in config dump", b: "upstream connect error" } }));
    expect(gaps.map(({ reason }) => reason)).toEqual([expect.stringContaining("1 of 3 proxies did not tell what they have loaded, `shop/b`"), expect.stringContaining("`shop/c`")]);
    expect(facts.at(-1)?.data).toEqual({ type: "asked", answered: 1, running: 3 });
  });
});
