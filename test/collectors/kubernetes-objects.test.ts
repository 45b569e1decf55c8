import { describe, expect, it } from "vitest";
import { objectsRequest, type Json, type JsonObject, type KubeObject, type KubernetesApi, type ObjectSeen, type ObjectSelection } from "#engine";
import { parseObjectPath } from "#values";
import collector from "../../collectors/kubernetes/collector.ts";
import { drain, FakeCluster, type Exchange } from "../support/kubernetes.ts";
import { clusterOf } from "../support/world.ts";

interface Asked extends Partial<ObjectSelection> {
  readonly paths?: readonly string[];
  /** As expressions ask. */
  readonly only?: boolean;
}

const KINDS: NonNullable<Exchange["kinds"]> = [
  { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" },
  { apiVersion: "v1", kind: "Secret", plural: "secrets" },
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments" },
  { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", plural: "wasmplugins" },
  { apiVersion: "extensions.istio.io/v1alpha1", kind: "TrafficExtension", plural: "trafficextensions" },
  { apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter", plural: "envoyfilters" },
  { apiVersion: "networking.istio.io/v1", kind: "ProxyConfig", plural: "proxyconfigs" },
  { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", plural: "helmreleases" },
  { apiVersion: "argoproj.io/v1alpha1", kind: "Application", plural: "applications" },
];

async function kept(object: KubeObject | readonly KubeObject[], ...asked: readonly Asked[]) {
  const objects = Array.isArray(object) ? (object as readonly KubeObject[]) : [object as KubeObject];
  const { apiVersion = "", kind = "" } = objects[0] as { readonly apiVersion?: string; readonly kind?: string };
  const plural = KINDS.find((each) => each.kind === kind)?.plural ?? "";
  const requests = (asked.length === 0 ? [{}] : asked).map(({ paths, only, ...selection }) =>
    objectsRequest({ apiVersion, kind, ...selection }, { ...(paths === undefined ? {} : { paths: paths.map((path) => (path === "" ? [] : (parseObjectPath(path) ?? [path]))) }), ...(only === undefined ? {} : { only }) }),
  );
  const io = new FakeCluster({ kinds: KINDS, lists: { [plural]: objects } });
  const { facts, gaps } = await drain(collector.collect(clusterOf("c"), requests, io));
  const seen = facts.map(({ data }) => data).filter((data): data is ObjectSeen => "what" in data && data.what === "object");
  return { seen, content: seen[0]?.content ?? {}, hidden: Object.keys(seen[0]?.hidden ?? {}).toSorted(), text: JSON.stringify(facts), gaps, calls: io.calls };
}

const CONFIG_MAP = { apiVersion: "v1", kind: "ConfigMap" };
const named = (name: string) => ({ name, namespace: "shop" });
const configMap = (data: JsonObject, name = "settings"): KubeObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: named(name), data });
const deployment = (env: Json): KubeObject => ({ apiVersion: "apps/v1", kind: "Deployment", metadata: named("app"), spec: { template: { spec: { containers: [{ name: "app", env }] } } } });
const MESH = "accessLogFile: s3cret\ntrustDomain: mesh\n";

/** One object with `s3cret` in it, which no snapshot may hold unless a path names the value. */
const SECRETS: readonly (readonly [what: string, object: KubeObject, naming: string])[] = [
  ["a value of a ConfigMap", configMap({ token: "s3cret" }), "data.token"],
  ["binary data of a ConfigMap", { apiVersion: "v1", kind: "ConfigMap", metadata: named("x"), binaryData: { token: "s3cret" } }, "binaryData.token"],
  ["a value inside a value of a ConfigMap", configMap({ mesh: MESH }), "data.mesh.accessLogFile"],
  ["the environment of a container", deployment([{ name: "PASSWORD", value: "s3cret" }]), "spec.template.spec.containers[*].env[*].value"],
  ["the configuration of a WasmPlugin", { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: named("x"), spec: { pluginConfig: { a: { b: "s3cret" } } } }, "spec.pluginConfig"],
  ["the environment of its machine", { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: named("x"), spec: { vmConfig: { env: [{ name: "A", value: "s3cret" }] } } }, "spec.vmConfig.env[*].value"],
  ["the configuration of a TrafficExtension", { apiVersion: "extensions.istio.io/v1alpha1", kind: "TrafficExtension", metadata: named("x"), spec: { wasm: { pluginConfig: "s3cret" } } }, "spec.wasm.pluginConfig"],
  ["the script of a TrafficExtension", { apiVersion: "extensions.istio.io/v1alpha1", kind: "TrafficExtension", metadata: named("x"), spec: { lua: { inlineCode: "s3cret" } } }, "spec.lua"],
  ["the value of an EnvoyFilter", { apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter", metadata: named("x"), spec: { configPatches: [{ patch: { value: { a: ["s3cret"] } } }] } }, "spec.configPatches[*].patch.value"],
  ["the environment of a ProxyConfig", { apiVersion: "networking.istio.io/v1", kind: "ProxyConfig", metadata: named("x"), spec: { environmentVariables: { A: "s3cret" } } }, "spec.environmentVariables.A"],
  ["the values of a Helm release", { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", metadata: named("x"), spec: { values: { db: { password: "s3cret" } } } }, "spec.values"],
  ["the values of an application of Argo CD", { apiVersion: "argoproj.io/v1alpha1", kind: "Application", metadata: named("x"), spec: { source: { helm: { values: "password: s3cret" } } } }, "spec.source.helm"],
];

describe("a snapshot holds of objects", () => {
  for (const [what, object, naming] of SECRETS) {
    const above = what.includes("inside") ? "" : naming.split(".").slice(0, -1).join(".");
    it(`not ${what}, unless a path names it`, async () => {
      for (const paths of [undefined, [""], ["*"], ["spec"], ["data"], ["data.*"], ["spec[*]"], ...(above === "" ? [] : [[above], [`${above}[*]`]])]) {
        for (const only of [true, false]) expect([paths, only, (await kept(object, { ...(paths === undefined ? {} : { paths }), only })).text.includes("s3cret")]).toEqual([paths, only, false]);
      }
      expect((await kept(object, { paths: [naming] })).text).toContain("s3cret");
      expect((await kept(object, { paths: [naming], only: true })).text).toContain("s3cret");
      expect((await kept(object)).hidden).toHaveLength(what.includes("inside") ? 2 : 1);
    });
  }

  it("beside a value inside a text that a path names only digests of the others", async () => {
    const { content, hidden } = await kept(configMap({ mesh: MESH }), { paths: ["data.mesh.trustDomain"] });
    expect(content["data"]).toEqual({ mesh: { trustDomain: "mesh" } });
    expect(hidden).toEqual(['["data","mesh","accessLogFile"]']);
  });

  it("digests by which words stay apart that only some readers take for one", async () => {
    const digests = async (key: string, text: string) => Object.values((await kept(configMap({ [key]: text }))).seen[0]?.hidden ?? {});
    expect(await digests("mesh", "a: yes")).toEqual(await digests("mesh", "a: true"));
    expect(await digests("app", "a: yes")).not.toEqual(await digests("app", "a: true"));
    expect(await digests("app", "a: 1")).toEqual(await digests("app", '{"a":1}'));
  });

  it("in clear what an assertion names of the objects that it selects, not of others", async () => {
    const objects = [configMap({ mesh: "a: 1" }, "istio"), configMap({ mesh: "s3cret" }, "other")];
    const { text, seen } = await kept(objects, { names: ["istio"], paths: ["data.mesh"] }, { names: ["other"] });
    expect(seen.map(({ name }) => name)).toEqual(["istio", "other"]);
    expect(text).toContain("a: 1");
    expect(text).not.toContain("s3cret");
  });

  it("only the paths that an expression looks at, whatever is asked of other objects", async () => {
    const objects = [configMap({ a: "1", b: "2" }, "one"), configMap({ a: "1", b: "2" }, "two")];
    const { seen } = await kept(objects, { names: ["one"], paths: ["data.a"], only: true }, { names: ["two"] });
    expect(seen[0]).toMatchObject({ content: { data: { a: "1" } }, hidden: {} });
    expect(Object.keys(seen[1]?.hidden ?? {})).toEqual(['["data","a"]', '["data","b"]']);
  });

  it("the status only where a path leads there, whoever else asks for the whole object", async () => {
    const object = { ...deployment([]), status: { ready: 1 } };
    expect((await kept(object)).content["status"]).toBeUndefined();
    expect((await kept(object, {}, { paths: ["status.ready"], only: true })).content["status"]).toEqual({ ready: 1 });
    expect((await kept(object, { paths: ["status.ready"] })).content["status"]).toEqual({ ready: 1 });
  });

  it("nothing that changes by itself, and nothing of what was applied last", async () => {
    const metadata = { ...named("settings"), resourceVersion: "7", managedFields: [{ manager: "kubectl" }], annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"a":"s3cret"}}', owner: "shop" } };
    const { content, text } = await kept({ ...configMap({}), metadata });
    expect(content["metadata"]).toEqual({ ...named("settings"), annotations: { owner: "shop" } });
    expect(text).not.toContain("s3cret");
  });

  it("nothing of a kind of which an object nests without end: that is a gap", async () => {
    const deep = (depth: number): KubeObject => ({ ...deployment([]), spec: JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`) as JsonObject });
    expect((await kept(deep(190))).gaps).toEqual([]);
    const { gaps, seen } = await kept(deep(9000));
    expect([seen, gaps.map(({ reason }) => reason)]).toEqual([[], ["an object nests more than 200 levels deep"]]);
  });

  it("of a text with more values than anybody compares one by one a single digest", async () => {
    const { hidden } = await kept(configMap({ big: JSON.stringify(Array.from({ length: 5001 }, (_, index) => index)) }));
    expect(hidden).toEqual(['["data","big"]']);
  });
});

describe("objects of kind Secret", () => {
  const secret: KubeObject = { apiVersion: "v1", kind: "Secret", metadata: named("x"), data: { token: "czNjcmV0" } };
  for (const [apiVersion, kind] of [["v1", "Secret"], ["v1", "secret"], ["v1", "Secrets"], ["v1", "SecretList"], ["/v1", "Secret"]] as const) {
    it(`are not read as \`${apiVersion}\` \`${kind}\`: that is a gap, and nobody asks for them`, async () => {
      const { gaps, calls, text } = await kept(secret, { apiVersion, kind });
      expect([gaps.map(({ reason }) => reason), calls]).toEqual([["objects of kind Secret are never read"], []]);
      expect(text).not.toContain("czNjcmV0");
    });
  }
});

class Restricted extends FakeCluster {
  override async kubernetes(): Promise<KubernetesApi> {
    return { ...(await super.kubernetes()), namespaces: ["web", "shop"] };
  }
}

class Listening extends FakeCluster {
  readonly metadataOnly: (boolean | undefined)[] = [];

  override async kubernetes(): Promise<KubernetesApi> {
    const api = await super.kubernetes();
    return { ...api, list: (resource, options) => (this.metadataOnly.push(options?.metadataOnly), api.list(resource, options)) };
  }
}

describe("kinds", () => {
  it("are listed by their metadata alone where no assertion looks at anything else", async () => {
    const asked = async (...paths: readonly (readonly string[] | undefined)[]) => {
      const io = new Listening({ kinds: KINDS, lists: { configmaps: [] } });
      const requests = paths.map((each) => objectsRequest(CONFIG_MAP, each === undefined ? {} : { only: true, paths: each.map((path) => parseObjectPath(path) ?? []) }));
      await drain(collector.collect(clusterOf("c"), requests, io));
      return io.metadataOnly;
    };
    expect(await asked(["metadata.name"], ["metadata.labels.app", "metadata.annotations"])).toEqual([true]);
    expect(await asked(["metadata.name"], ["data.a"])).toEqual([false]);
    expect(await asked(["metadata.name"], undefined)).toEqual([false]);
  });

  it("say which namespaces were listed, where that is not all; what is in no namespace is listed whole", async () => {
    const exchange: Exchange = { kinds: [{ apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" }, { apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false }], lists: { configmaps: [], nodes: [] } };
    const requests = ["ConfigMap", "Node"].map((kind) => objectsRequest({ apiVersion: "v1", kind }));
    const listed = async (io: FakeCluster) => (await drain(collector.collect(clusterOf("c"), requests, io))).facts.map(({ data }) => ("listed" in data ? data.listed : undefined));
    expect(await listed(new Restricted(exchange))).toEqual([["shop", "web"], undefined]);
    expect(await listed(new FakeCluster(exchange))).toEqual([undefined, undefined]);
  });

  it("are listed once, whatever the number of assertions", async () => {
    expect((await kept(configMap({ a: "1" }), {}, { names: ["x"] }, { paths: ["data.a"], only: true })).calls).toEqual(["list configmaps"]);
  });
});
