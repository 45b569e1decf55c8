import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadFleet, type Fleet, type LoadOptions } from "../../../cli/load/index.ts";
import { folderOf, told } from "./world.ts";

const head = "apiVersion: cloud-assert/v1\nkind: Fleet\nmetadata: { name: payments }\nspec:\n";

/** The fleet of `fleet/assert.yaml`, and the folder it lay in. */
async function load(text: string, files: Readonly<Record<string, string>> = {}, change: Partial<LoadOptions> = {}): Promise<{ readonly fleet: Fleet; readonly at: string }> {
  await using folder = await folderOf({ ...files, "fleet/assert.yaml": text });
  return { fleet: await loadFleet("fleet/assert.yaml", { ...folder.options, ...change }), at: join(folder.path, "fleet") };
}

const clusters = (...lines: readonly string[]) => `${head}  clusters:\n${lines.map((line) => `    - ${line}\n`).join("")}`;

describe("a fleet file", () => {
  it("gives its clusters in order, with what was written and nothing else", async () => {
    const { fleet } = await load(clusters("{ name: eks, cloud: aws, region: eu-west-1, labels: { tier: prod } }", "{ name: 'arn:aws:eks/x' }"));
    expect(fleet).toMatchObject({ name: "payments", file: "fleet/assert.yaml", istioMap: [], notes: [] });
    expect(fleet.clusters.map(({ cluster }) => cluster)).toEqual([
      { name: "eks", cloud: "aws", region: "eu-west-1", labels: { tier: "prod" } },
      { name: "arn:aws:eks/x", labels: {} },
    ]);
    expect(fleet.clusters[1]).toMatchObject({
      probes: [],
      terraform: [],
      registry: { credentials: [], pullSecrets: [], plainHttp: [], mirrors: {}, privateHosts: [] },
    });
  });

  const places: readonly (readonly [form: string, text: string, place: (at: string) => object])[] = [
    ["a context", "{ context: prod }", () => ({ form: "kubeconfig", context: "prod" })],
    ["a kubeconfig below the home", "{ kubeconfig: ~/.kube/config, context: c }", () => ({ form: "kubeconfig", kubeconfig: "/home/somebody/.kube/config", context: "c" })],
    ["a kubeconfig beside the file", "{ kubeconfig: ../kube }", (at) => ({ form: "kubeconfig", kubeconfig: join(at, "../kube") })],
    ["in the cluster", "{ inCluster: true, namespaces: [a, b] }", () => ({ form: "inCluster", namespaces: ["a", "b"] })],
    ["a server", "{ server: 'https://10.0.0.1:6443', ca: ca.pem, tokenFile: /run/token }", (at) => ({ form: "server", server: "https://10.0.0.1:6443", ca: join(at, "ca.pem"), tokenFile: "/run/token" })],
    ["manifests", "{ manifests: dumps }", (at) => ({ form: "manifests", dir: join(at, "dumps"), shown: "fleet/dumps", complete: false })],
    ["complete manifests", "{ manifests: dumps, complete: true }", (at) => ({ form: "manifests", dir: join(at, "dumps"), shown: "fleet/dumps", complete: true })],
    ["a snapshot", "{ snapshot: s/eks.json }", (at) => ({ form: "snapshot", file: join(at, "s/eks.json"), shown: "fleet/s/eks.json" })],
  ];
  it.each(places)("reads objects from %s", async (_, text, place) => {
    const { fleet, at } = await load(clusters(`{ name: a, kubernetes: ${text} }`));
    expect(JSON.parse(JSON.stringify(fleet.clusters[0]?.kubernetes))).toEqual(place(at));
    expect(fleet.clusters[0]?.refused).toBeUndefined();
  });

  it("takes one Terraform source or several, of every form", async () => {
    const { fleet, at } = await load(
      clusters(
        "{ name: a, terraform: { state: x.tfstate, workspace: prod, cluster: eks-prod } }",
        "{ name: b, terraform: [{ dir: infra, backendConfig: [prod.tfbackend] }, { command: [tofu, state, pull] }, { s3: { bucket: b, key: k } }, { gcs: { bucket: b } }, { azurerm: { storage_account_name: acc, container_name: c, key: k } }, { http: { address: 'https://a/s' } }, { kubernetes: { secret_suffix: s, config_path: ../kube } }, { hcp: { organization: o, workspace: w } }] }",
      ),
    );
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    expect(plain(fleet.clusters[0]?.terraform)).toEqual([{ place: { form: "state", file: join(at, "x.tfstate"), shown: "fleet/x.tfstate", workspace: "prod" }, cluster: "eks-prod" }]);
    expect(plain(fleet.clusters[1]?.terraform.map(({ place }) => place))).toEqual([
      { form: "dir", dir: join(at, "infra"), shown: "fleet/infra", backendConfig: [{ file: join(at, "prod.tfbackend"), shown: "fleet/prod.tfbackend" }] },
      { form: "command", command: ["tofu", "state", "pull"], cwd: at },
      { form: "s3", settings: { bucket: "b", key: "k" } },
      { form: "gcs", settings: { bucket: "b" } },
      { form: "azurerm", settings: { storage_account_name: "acc", container_name: "c", key: "k" } },
      { form: "http", settings: { address: "https://a/s" } },
      { form: "kubernetes", settings: { secret_suffix: "s", config_path: join(at, "../kube") } },
      { form: "hcp", settings: { organization: "o", workspace: "w" } },
    ]);
  });

  it("pins clusters, allows probes and says how registries are reached", async () => {
    const { fleet, at } = await load(
      clusters(
        "{ name: a, kubernetes: { context: a, probes: [metrics, admin] }, identity: { kubeSystemUid: 3F0D2C9E-6b1a-4f57-9a52-0d6f6a1f4c11 }, registry: { credentials: [cfg.json], pullSecrets: [istio-system/reg], mirrors: { docker.io: m.example } } }",
      ),
    );
    expect(fleet.clusters[0]).toMatchObject({
      probes: ["metrics", "admin"],
      pin: "3f0d2c9e-6b1a-4f57-9a52-0d6f6a1f4c11",
      registry: { credentials: [join(at, "cfg.json")], pullSecrets: ["istio-system/reg"], plainHttp: [], mirrors: { "docker.io": "m.example" }, privateHosts: [] },
    });
  });

  it("adds rows to the map from Istio to Envoy", async () => {
    const { fleet } = await load(`${clusters("{ name: a }")}  istioMap: ../map.yaml\n`, { "map.yaml": '- { istio: 1.99.0, envoy: ["1.60.1"] }\n' });
    expect(fleet.istioMap).toEqual([{ istio: "1.99.0", envoy: ["1.60.1"] }]);
  });
});

describe("a mistake in a fleet file is told with its place and the way out", () => {
  const rows: readonly (readonly [claim: string, text: string, expected: readonly string[]])[] = [
    ["an empty file", "", ["fleet/assert.yaml:1:1 `fleet/assert.yaml` holds no document | `assert init` writes a first one from your kubeconfig"]],
    ["an assertion in its place", "apiVersion: cloud-assert/v1\nkind: WasmIdentical\n", ["fleet/assert.yaml:2:7 `fleet/assert.yaml` is no fleet file: its kind is `WasmIdentical` | name a file of kind `Fleet` with --fleet; `assert init` writes a first one from your kubeconfig"]],
    ["a second document", `${clusters("{ name: a }")}---\nkind: Waivers\n`, ["fleet/assert.yaml:8:1 `fleet/assert.yaml` holds 2 documents; a fleet file holds one of kind `Fleet` | move the others into files of their own: assertions into `assertions/`, waivers into `waivers.yaml`"]],
    ["no clusters", `${head}  clusters: []\n`, ["fleet/assert.yaml:5:13 `spec.clusters` has 0 entries; it needs at least 1 | write for example `clusters: [{ name: eks-prod, kubernetes: { context: eks-prod } }]`"]],
    ["one name twice", clusters("{ name: a }", "{ name: b }", "{ name: a }"), ["fleet/assert.yaml:8:15 two clusters are named `a` | give each a name of its own; the first is at fleet/assert.yaml:6:15"]],
    ["a cluster without a name", clusters("{ cloud: aws }"), ["fleet/assert.yaml:6:7 `spec.clusters[0]` lacks `name` | add it, for example `name: eks-prod`"]],
    ["a field misspelled", clusters("{ name: a, kubernets: {} }"), ["fleet/assert.yaml:6:18 unknown field `kubernets` | did you mean `kubernetes`?"]],
    ["a field misspelled further in", clusters("{ name: a, kubernetes: { contxt: a, inCluster: true } }"), ["fleet/assert.yaml:6:32 unknown field `contxt` | did you mean `context`?"]],
    ["a probe misspelled", clusters("{ name: a, kubernetes: { context: a, probes: [metrcs] } }"), ["fleet/assert.yaml:6:53 `spec.clusters[0].kubernetes.probes[0]` is `metrcs`; it is one of `metrics`, `admin`, `nodes` | did you mean `metrics`?"]],
    ["no form", clusters("{ name: a, kubernetes: { probes: [] } }"), ["fleet/assert.yaml:6:30 `spec.clusters[0].kubernetes` names none of `context`, `kubeconfig`, `inCluster`, `server`, `manifests`, `snapshot` | write for example `kubernetes: { context: eks-prod }`"]],
    ["two forms", clusters("{ name: a, kubernetes: { context: a, manifests: d } }"), ["fleet/assert.yaml:6:30 `spec.clusters[0].kubernetes` names `context`, `manifests` at once; they exclude each other | keep one of them"]],
    ["a server without a token", clusters("{ name: a, kubernetes: { server: 'https://x' } }"), ["fleet/assert.yaml:6:30 `spec.clusters[0].kubernetes` lacks `tokenFile`, which `server` needs | add it, for example `tokenFile: /run/secrets/token`"]],
    ["a server with a password in it", clusters("{ name: a, kubernetes: { server: 'https://u:p@x', tokenFile: t } }"), ["fleet/assert.yaml:6:40 `spec.clusters[0].kubernetes.server` is `https://…@x`, which is not of the form that it must have | write for example `server: https://10.0.0.1:6443`"]],
    ["`complete` without manifests", clusters("{ name: a, kubernetes: { context: a, complete: true } }"), ["fleet/assert.yaml:6:30 `spec.clusters[0].kubernetes` lacks `manifests`, which `complete` needs | add it, for example `manifests: dumps/eks`"]],
    ["a label that is a number", clusters("{ name: a, labels: { tier: 1 } }"), ["fleet/assert.yaml:6:34 `spec.clusters[0].labels.tier` is a number (`1`); it must be text | write for example `labels: { tier: prod }`"]],
    ["Terraform as text", clusters("{ name: a, terraform: infra }"), ["fleet/assert.yaml:6:29 `spec.clusters[0].terraform` has none of the forms that it may have | write for example `terraform: { state: infra/eks/terraform.tfstate }`"]],
    ["two Terraform forms in one source of a list", clusters("{ name: a, terraform: [{ state: a }, { state: a, dir: b }] }"), ["fleet/assert.yaml:6:44 `spec.clusters[0].terraform[1]` names `state`, `dir` at once; they exclude each other | keep one of them"]],
    ["one Terraform source twice, without telling its words", clusters("{ name: a, terraform: [{ command: [curl, -u, 'u:canary'] }, { state: b }, { command: [curl, -u, 'u:canary'] }] }"), ["fleet/assert.yaml:6:29 `spec.clusters[0].terraform` names its entry 3 twice | write for example `terraform: { state: infra/eks/terraform.tfstate }`"]],
    ["a credential in a Terraform source, without telling it", clusters("{ name: a, terraform: { s3: { bucket: b, key: k, secret_key: canary } } }"), ["fleet/assert.yaml:6:56 unknown field `secret_key` | credentials are never read from this file: leave it out; they come from the environment"]],
    ["an address with a password in it", clusters("{ name: a, terraform: { http: { address: 'https://u:canary@x/s' } } }"), ["fleet/assert.yaml:6:48 `spec.clusters[0].terraform.http.address` is `https://…@x/s`, which is not of the form that it must have | write for example `address: https://states.example/eks`"]],
    ["a backend without what it needs", clusters("{ name: a, terraform: { s3: { bucket: b } } }"), ["fleet/assert.yaml:6:35 `spec.clusters[0].terraform.s3` lacks `key` | add it, for example `key: eks/terraform.tfstate`"]],
    ["a file of settings without its folder", clusters("{ name: a, terraform: { state: a, backendConfig: [b] } }"), ["fleet/assert.yaml:6:29 `spec.clusters[0].terraform` lacks `dir`, which `backendConfig` needs | add it, for example `dir: infra/eks`"]],
    ["a workspace that leads away", clusters("{ name: a, terraform: { state: a, workspace: ../x } }"), ["fleet/assert.yaml:6:52 `spec.clusters[0].terraform.workspace` is `../x`, which is not of the form that it must have | write for example `workspace: prod`"]],
    ["an identity that is no UID", clusters("{ name: a, identity: { kubeSystemUid: prod } }"), ["fleet/assert.yaml:6:45 `spec.clusters[0].identity.kubeSystemUid` is `prod`, which is not of the form that it must have | write for example `kubeSystemUid: \"3f0d2c9e-6b1a-4f57-9a52-0d6f6a1f4c11\"`"]],
    ["an Istio map that is not there", `${clusters("{ name: a }")}  istioMap: map.yaml\n`, ["fleet/assert.yaml:7:13 `map.yaml` does not exist | check the spelling; relative paths start at the file that holds them, or at the working directory for flags"]],
  ];
  it.each(rows)("%s", async (_, text, expected) => {
    expect(await told(load(text))).toEqual(expected);
  });

  it("an Istio map is checked like the fleet itself", async () => {
    const lines = await told(load(`${clusters("{ name: a }")}  istioMap: ../map.yaml\n`, { "map.yaml": "- { istio: 1.99, envoy: [1.60.1] }\n" }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\.\.\/map\.yaml:1:12 `\[0\]\.istio` is a number \(`1\.99`\); it must be text/);
  });

  it("a missing file is told by the name that was given", async () => {
    await using folder = await folderOf({});
    expect(await told(loadFleet("no.yaml", folder.options))).toEqual([
      "`no.yaml` does not exist | check the spelling; relative paths start at the file that holds them, or at the working directory for flags",
    ]);
  });
});

describe("--untrusted", () => {
  const untrusted = { untrusted: true };
  const refused: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
    ["a kubeconfig path", "kubernetes: { kubeconfig: kube, context: c }", /`kubeconfig` is not used, because only the file names it/],
    ["a server", "kubernetes: { server: 'https://x', tokenFile: t }", /`server` with `tokenFile` is not used/],
    ["manifests outside", "kubernetes: { manifests: .. }", /`\.\.` leads out of the folder of `fleet\/assert\.yaml`/],
    ["a snapshot outside", "kubernetes: { snapshot: /tmp/s.json }", /leads out of the folder/],
    ["manifests behind a link", "kubernetes: { manifests: link/x }", /leads out of the folder/],
  ];
  it.each(refused)("%s is a gap of that cluster, not the end of the run", async (_, text, reason) => {
    await using outside = await folderOf({});
    await using folder = await folderOf({ "fleet/assert.yaml": clusters(`{ name: a, ${text} }`, "{ name: b, kubernetes: { context: b } }") });
    await symlink(outside.path, join(folder.path, "fleet/link"));
    const [first, second] = (await loadFleet("fleet/assert.yaml", { ...folder.options, ...untrusted })).clusters;
    expect(first?.kubernetes).toBeUndefined();
    expect(first?.refused?.reason).toMatch(reason);
    expect(first?.refused?.remedy).not.toBe("");
    expect(second?.kubernetes).toMatchObject({ form: "kubeconfig", context: "b" });
  });

  it.each(["context: c", "inCluster: true", "manifests: dumps", "snapshot: s.json"])("`%s` stays", async (text) => {
    const { fleet } = await load(clusters(`{ name: a, kubernetes: { ${text} } }`), {}, untrusted);
    expect(fleet.clusters[0]?.kubernetes).toBeDefined();
    expect(fleet.clusters[0]?.refused).toBeUndefined();
  });

  it("commands, remote states and states outside are refused, states and folders beside the file are not", async () => {
    const { fleet } = await load(
      clusters("{ name: a, terraform: [{ state: x }, { dir: y }, { state: /x }, { dir: ../y }, { command: [sh] }, { s3: { bucket: b, key: k } }, { http: { address: 'https://a' } }, { hcp: { organization: o, workspace: w } }, { dir: y, backendConfig: [/y] }] }"),
      {},
      untrusted,
    );
    expect(fleet.clusters[0]?.terraform.map((source) => source.refused !== undefined)).toEqual([false, false, true, true, true, true, true, true, true]);
    expect(fleet.within).toMatch(/\/fleet$/);
  });

  it("credentials, pull secrets, mirrors and private hosts are left out, and that is said", async () => {
    const registry = "{ credentials: [c], pullSecrets: [a/b], mirrors: { a: b }, privateHosts: [h], plainHttp: ['localhost:5000'] }";
    const { fleet } = await load(clusters(`{ name: a, registry: ${registry} }`), {}, untrusted);
    expect(fleet.clusters[0]?.registry).toEqual({ credentials: [], pullSecrets: [], plainHttp: ["localhost:5000"], mirrors: {}, privateHosts: [] });
    expect(fleet.notes).toHaveLength(4);
    expect(fleet.notes[0]).toBe("--untrusted: `registry.credentials` of `a` is left out, because only `fleet/assert.yaml` names it");
  });

  it("an Istio map outside ends the run", async () => {
    const lines = await told(load(`${clusters("{ name: a }")}  istioMap: /etc/hostname\n`, {}, untrusted));
    expect(lines[0]).toMatch(/^fleet\/assert\.yaml:7:13 --untrusted: `\/etc\/hostname` leads out/);
  });

  it("a fleet file that is a link out of the checkout is not read", async () => {
    await using outside = await folderOf({ "assert.yaml": "password: [" });
    await using folder = await folderOf({});
    await symlink(join(outside.path, "assert.yaml"), join(folder.path, "assert.yaml"));
    expect(await told(loadFleet("assert.yaml", { ...folder.options, ...untrusted }))).toEqual([
      "--untrusted: `assert.yaml` is a link that leads out of its folder | put the file itself there, or run without --untrusted after reading the change",
    ]);
  });
});
