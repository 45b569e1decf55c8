import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import type { ResolvedModule } from "#engine";
import { bundleFor, container, indexOf, layouts, legacySignature, push, TYPES } from "../support/images.ts";
import { hex, wasmModule } from "../support/wasm.ts";
import { startDistribution, startReferrersRegistry, type RunningRegistry } from "../parts/registries.ts";
import { apply, remove } from "../parts/api.ts";
import { asAdmin } from "../parts/cluster.ts";
import { scratchFolder } from "../parts/process.ts";
import { untilMay } from "../parts/seed.ts";
import { namespaceOf } from "../parts/world.ts";
import { bundleBy, pair } from "../clients/signatures/material.ts";
import { reaching } from "../clients/registry/server.ts";
import { asReader, desk, faultsOf, fleet } from "./assert.ts";
import { onClusters, type Here } from "./ground.ts";

const module = wasmModule();
const other = wasmModule({ padding: 3 });
const USER = { name: "me", bcrypt: "$2a$04$.if8QB621HF33GKsdTBOIudFxJrNEJJthvK25.Jxq3mptB40.e.Hi" };
const WASM = JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "WasmIdentical", metadata: { name: "wasm" }, spec: {} });
const PASSWORD = "pass:with:colons";

/** One registry with the referrers API, one without, and one that wants to be signed in to; all real, on this machine. */
describe("real registries", () => {
  let registries: Readonly<Record<"with" | "without" | "locked", RunningRegistry>> | undefined;

  beforeAll(async () => {
    const ground = inject("ground");
    if ("missing" in ground) return;
    const { parts } = ground;
    const [first, second, third] = await Promise.all([startReferrersRegistry(parts["referrers-registry"]), startDistribution(parts.distribution), startDistribution(parts.distribution, USER)]);
    registries = { with: first, without: second, locked: third };
  });

  afterAll(async () => {
    await Promise.all(Object.values(registries ?? {}).map((registry) => registry.stop()));
  });

  function onRegistries(claim: string, body: (here: NonNullable<typeof registries>, ground: Here) => Promise<void>): void {
    onClusters(claim, async (ground) => {
      if (registries === undefined) throw new Error("the registries were not started");
      await body(registries, ground);
    });
  }

  for (const which of ["with", "without"] as const) {
    onRegistries(`give the same module in every form that an image may have (${which} the referrers API)`, async ({ [which]: registry }) => {
      const read = reaching([registry.host]).visit();
      for (const layout of ["oci", "docker", "solo", "cncf", "cosign"] as const) {
        const image = layouts[layout](module);
        await push(registry.url, "wasm/auth", layout, image);
        const found = await read.module(`oci://${registry.host}/wasm/auth:${layout}`);
        expect(found).toMatchObject({ layout, topDigest: image.digest, manifestDigest: image.digest, module: { wasmSha256: hex(module), abi: "0.2.1" } } satisfies Partial<ResolvedModule> | object);
      }
    });

    onRegistries(`give of an index the image for linux/amd64, and the same bytes packed again as another image (${which} the referrers API)`, async ({ [which]: registry }) => {
      const [arm, amd, again] = [layouts.oci(other), layouts.oci(module), layouts.oci(module, 1)];
      for (const type of [TYPES.index, TYPES.dockerList]) {
        const index = indexOf([[arm, "linux/arm64"], [amd, "linux/amd64"]], type);
        await push(registry.url, "wasm/index", "v1", index);
        expect(await reaching([registry.host]).visit().module(`oci://${registry.host}/wasm/index:v1`)).toMatchObject({ topDigest: index.digest, manifestDigest: amd.digest, module: { wasmSha256: hex(module) } });
      }
      await push(registry.url, "wasm/index", "again", again);
      const packed = await reaching([registry.host]).visit().module(`oci://${registry.host}/wasm/index:again`);
      expect([packed.manifestDigest === amd.digest, packed.module?.wasmSha256]).toEqual([false, hex(module)]);
    });

    onRegistries(`tell of a moved tag in the next look, not in this one (${which} the referrers API)`, async ({ [which]: registry }) => {
      await push(registry.url, "wasm/moved", "v1", layouts.oci(module));
      const look = reaching([registry.host]);
      const before = await look.visit().module(`oci://${registry.host}/wasm/moved:v1`);
      await push(registry.url, "wasm/moved", "v1", layouts.oci(other));
      expect(await look.visit().module(`oci://${registry.host}/wasm/moved:v1`)).toEqual(before);
      expect((await reaching([registry.host]).visit().module(`oci://${registry.host}/wasm/moved:v1`)).module?.wasmSha256).toBe(hex(other));
    });

    onRegistries(`give what signs an image: by the API where there is one, else by its tag; and the tags of Cosign 1 and 2 (${which} the referrers API)`, async ({ [which]: registry }) => {
      const image = layouts.oci(module);
      const tag = image.digest.replace(":", "-");
      await push(registry.url, "wasm/signed", "v1", image);
      const bundle = bundleFor(image, "a bundle");
      await push(registry.url, "wasm/signed", bundle.digest, bundle);
      if (which === "without") await push(registry.url, "wasm/signed", tag, indexOf([[bundle]]));
      await push(registry.url, "wasm/signed", `${tag}.sig`, legacySignature(["an old one"]));
      const found = await reaching([registry.host]).visit().signatures({ reference: `oci://${registry.host}/wasm/signed:v1`, manifestDigest: image.digest, topDigest: image.digest });
      expect([found.unread, found.artifacts.map(({ form, bytes }) => `${form} ${Buffer.from(bytes).toString()}`)]).toEqual([[], ["bundle a bundle", "legacy an old one"]]);
    });

    onRegistries(`say that there is no such image, which is not the same as not answering (${which} the referrers API)`, async ({ [which]: registry }) => {
      expect((await reaching([registry.host]).visit().module(`oci://${registry.host}/wasm/none:v1`)).failure?.kind).toBe("not-found");
      const unsigned = await reaching([registry.host]).visit().signatures({ reference: `oci://${registry.host}/wasm/auth:oci`, manifestDigest: layouts.oci(other).digest, topDigest: layouts.oci(other).digest });
      expect(unsigned).toMatchObject({ artifacts: [], unread: [] });
    });
  }

  onRegistries("are signed in to with a password that holds colons; without one the report names what to do", async ({ locked }) => {
    const authorization = `Basic ${Buffer.from(`${USER.name}:${PASSWORD}`).toString("base64")}`;
    await push(locked.url, "wasm/auth", "v1", layouts.oci(module), { authorization });
    const folder = await scratchFolder("docker");
    await writeFile(path.join(folder, "config.json"), JSON.stringify({ auths: { [locked.host]: { auth: authorization.slice("Basic ".length) } } }));
    const reference = `oci://${locked.host}/wasm/auth:v1`;
    expect((await reaching([locked.host], { settings: { credentials: [path.join(folder, "config.json")] } }).visit().module(reference)).module?.wasmSha256).toBe(hex(module));
    expect((await reaching([locked.host]).visit().module(reference)).failure).toMatchObject({ kind: "unauthorized", remedy: expect.stringContaining("registry.credentials") });
  });

  onRegistries("are signed in to by a Secret that the fleet names, and by that one only; doctor names the permission that is missing", async ({ locked }, { clusters: { eks } }) => {
    const authorization = `Basic ${Buffer.from(`${USER.name}:${PASSWORD}`).toString("base64")}`;
    await push(locked.url, "wasm/secret", "v1", layouts.oci(module), { authorization });
    const docker = JSON.stringify({ auths: { [locked.host]: { auth: authorization.slice("Basic ".length) } } });
    const objects = [
      namespaceOf("wasm-test"),
      { apiVersion: "v1", kind: "Secret", metadata: { name: "registry", namespace: "wasm-test" }, type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": Buffer.from(docker).toString("base64") } },
      { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name: "authz", namespace: "wasm-test" }, spec: { url: `oci://${locked.host}/wasm/secret:v1`, imagePullSecret: "registry" } },
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "pull", namespace: "wasm-test" }, rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: ["registry"], verbs: ["get"] }] },
    ];
    const grant = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name: "pull", namespace: "wasm-test" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "pull" }, subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "assert-reader" }] };
    const cluster = (pullSecrets: readonly string[]) => fleet({ name: "eks", kubernetes: { context: "eks" }, registry: { pullSecrets, plainHttp: [locked.host], privateHosts: [locked.host] } });
    const { assert, read, write } = await desk({ contexts: asReader(eks), bare: true, files: { "assert.yaml": cluster([]), "wasm.yaml": WASM } });
    const collected = async () => {
      expect((await assert("collect", "wasm.yaml", "--out", "snapshots")).code).toBe(0);
      return read("snapshots/eks.json");
    };
    await asAdmin(eks, (api) => apply(api, objects));
    try {
      // The Secret that the WasmPlugin names is nobody's business unless the fleet names it.
      expect(await collected()).toContain("and none are known");
      await write("assert.yaml", cluster(["wasm-test/registry"]));
      expect(await collected()).toContain("the Secret `wasm-test/registry` cannot be read");
      const doctor = await assert("doctor", "wasm.yaml");
      expect([doctor.code, doctor.stdout]).toEqual([2, expect.stringMatching(/secrets/)]);
      await asAdmin(eks, (api) => apply(api, [grant]));
      await untilMay(eks, "reader", { verb: "get", resource: "secrets", namespace: "wasm-test", name: "registry" });
      const text = await collected();
      expect(text).toContain(hex(module));
      for (const secret of [PASSWORD, authorization.slice("Basic ".length), Buffer.from(docker).toString("base64")]) expect(text).not.toContain(secret);
      expect((await assert("doctor", "wasm.yaml")).code).toBe(0);
    } finally {
      await asAdmin(eks, (api) => remove(api, [...objects.slice(1), grant]));
    }
  });

  onRegistries("are asked by `assert run`, each cluster its own: the objects are equal, the code behind them is not", async ({ with: aws }, { parts }) => {
    const azure = await startDistribution(parts.distribution);
    await push(aws.url, "wasm/authz", "v1", layouts.oci(module));
    await push(azure.url, "wasm/authz", "v1", layouts.docker(module));
    const plugin = { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name: "authz", namespace: "shop" }, spec: { url: "oci://registry.example/wasm/authz:v1" } };
    const cluster = (name: string, registry: RunningRegistry) => ({ name, kubernetes: { manifests: "mesh", complete: true }, registry: { mirrors: { "registry.example": registry.host }, plainHttp: [registry.host], privateHosts: [registry.host] } });
    const { folder, run, write } = await desk({ contexts: [], bare: true, files: { "assert.yaml": fleet(cluster("eks", aws), cluster("aks", azure)), "wasm.yaml": WASM } });
    await mkdir(path.join(folder, "mesh"));
    await write("mesh/plugin.yaml", JSON.stringify(plugin));

    const before = await run("wasm.yaml");
    expect([before.code, before.result().verdict, before.result().findings.map(({ message }) => message).join()]).toEqual([0, "holds", expect.stringContaining("wrapped in 2 ways")]);

    await push(azure.url, "wasm/authz", "v1", layouts.docker(other));
    const after = await run("wasm.yaml");
    expect([after.code, faultsOf(after.result()).map(({ message }) => message).join()]).toEqual([1, expect.stringContaining("is declared as 2 different modules")]);
    expect(faultsOf(after.result())[0]?.evidence.map(({ cluster: name, value }) => [name, value.includes(hex(name === "aks" ? other : module).slice(0, 12))])).toEqual([["aks", true], ["eks", true]]);

    await azure.stop();
    const gone = await run("wasm.yaml");
    expect([gone.code, gone.result().gaps.map(({ cluster: name, reason }) => [name, reason])]).toEqual([2, [["aks", expect.stringContaining("refuses connections")]]]);
  });

  onRegistries("hold what pods of a runtime class run: imports and signer of a module that a hardware profile names are read of its bytes", async ({ with: aws, without: azure }) => {
    const started = (bytes: Buffer, beside = "x") => container([[{ name: "app.wasm", bytes }, { name: "plugin.wasm", bytes: other }, { name: "README", bytes: Buffer.from(beside) }]], { Entrypoint: ["/app.wasm"] });
    const image = started(module);
    for (const registry of [aws, azure]) await push(registry.url, "edge/crypto", "v1", image);
    const profile = (more: object) => ({ apiVersion: "cloud-assert/v1", kind: "HalProfile", metadata: { name: "edge" }, spec: { selector: { labels: { edge: "yes" } }, runtime: { runtimeClass: { name: "wasm" } }, modules: [{ name: "crypto", image: "registry.example/edge/crypto", ...more }], parity: { across: ["cloud"], compare: ["moduleDigest"] } } });
    const rules = (more: object) => [profile(more), { apiVersion: "cloud-assert/v1", kind: "HalProfileConforms", metadata: { name: "edge" }, spec: { profile: "edge" } }].map((document) => JSON.stringify(document)).join("\n---\n");
    const cluster = (name: string, cloud: string, registry: RunningRegistry) => ({ name, cloud, kubernetes: { manifests: name, complete: true }, registry: { mirrors: { "registry.example": registry.host }, plainHttp: [registry.host], privateHosts: [registry.host] } });
    const { folder, run, write } = await desk({ contexts: [], bare: true, files: { "assert.yaml": fleet(cluster("eks", "aws", aws), cluster("aks", "azure", azure)) } });
    const objects = (digest: string) => {
      const ready = [{ type: "Ready", status: "True" }];
      const app = { name: "app", image: "registry.example/edge/crypto:v1" };
      return [
        { apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels: { edge: "yes", "kubernetes.io/arch": "arm64" } }, status: { conditions: ready, nodeInfo: { architecture: "arm64", kernelVersion: "6.1.0", kubeletVersion: "v1.33.4" } } },
        { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "wasm" }, handler: "wasmtime" },
        { apiVersion: "v1", kind: "Pod", metadata: { name: "crypto", namespace: "edge" }, spec: { nodeName: "n1", runtimeClassName: "wasm", containers: [app] }, status: { phase: "Running", conditions: ready, containerStatuses: [{ ...app, imageID: `registry.example/edge/crypto@${digest}`, ready: true, state: { running: {} } }] } },
      ].map((object) => JSON.stringify(object)).join("\n---\n");
    };
    for (const name of ["eks", "aks"]) {
      await mkdir(path.join(folder, name));
      await write(`${name}/all.yaml`, objects(image.digest));
    }
    const judged = async (more: object) => {
      await write("edge.yaml", rules(more));
      const { code, result } = await run("edge.yaml");
      return { code, faults: faultsOf(result()).map(({ subject, message }) => `${subject} ${message}`), open: [...result().findings.filter(({ outcome }) => outcome === "undecided").map(({ subject }) => subject), ...result().gaps.map(({ subject }) => subject)] };
    };

    expect(await judged({ requiredImports: ["env"], forbiddenImports: ["wasi_snapshot_preview1"], sha256: hex(module) })).toEqual({ code: 0, faults: [], open: [] });
    expect(await judged({ requiredImports: ["wasi_ephemeral_crypto_signatures"] })).toMatchObject({ code: 1, faults: [expect.stringMatching(/^aks\/modules\.crypto .*imports env/), expect.stringMatching(/^eks\/modules\.crypto /)] });
    expect(await judged({ signer: { issuer: "https://issuer.example", identity: "https://github.com/acme/edge" } })).toMatchObject({ code: 1, faults: [expect.stringContaining("unsigned"), expect.stringContaining("unsigned")] });

    // who holds a key that the profile names, in a file beside it
    const [ours, foreign] = [pair(), pair()];
    for (const registry of [aws, azure]) {
      const bundle = bundleFor(image, Buffer.from(bundleBy(ours, image.digest).bytes).toString());
      await push(registry.url, "edge/crypto", bundle.digest, bundle);
      if (registry === azure) await push(registry.url, "edge/crypto", image.digest.replace(":", "-"), indexOf([[bundle]]));
    }
    await write("ours.pub", ours.pem);
    await write("other.pub", foreign.pem);
    expect(await judged({ signer: { keys: ["ours.pub"] } })).toEqual({ code: 0, faults: [], open: [] });
    expect(await judged({ signer: { keys: ["other.pub"] } })).toMatchObject({ code: 1, faults: [expect.stringContaining("wrong identity"), expect.stringContaining("wrong identity")] });

    // the same bytes in another wrapping are the same module; other bytes are not
    const [packed, changed] = [started(module, "y"), started(wasmModule({ padding: 4 }))];
    await push(azure.url, "edge/crypto", "v2", packed);
    await push(azure.url, "edge/crypto", "v3", changed);
    await write("aks/all.yaml", objects(packed.digest));
    expect(await judged({})).toEqual({ code: 0, faults: [], open: [] });
    await write("aks/all.yaml", objects(changed.digest));
    expect(await judged({})).toMatchObject({ code: 1, faults: [expect.stringMatching(/^parity\/moduleDigest of crypto /)] });
    await write("aks/all.yaml", objects(`sha256:${"9".repeat(64)}`));
    expect(await judged({})).toMatchObject({ code: 2, faults: [], open: ["parity/moduleDigest of crypto"] });
  });
});
