import { expect } from "vitest";
import { apply, openApi, remove, type Manifest } from "../parts/api.ts";
import { asAdmin, type ClusterAddress } from "../parts/cluster.ts";
import { until } from "../parts/process.ts";
import { asReader, contexts, desk, faultsOf } from "./assert.ts";
import { onClusters } from "./ground.ts";

const asAdmins = (...clusters: readonly ClusterAddress[]) => clusters.map((cluster) => ({ name: cluster.name, cluster, login: { identity: "admin" as const } }));
const rule = (kind: string, name: string, spec: object) => `${JSON.stringify({ apiVersion: "cloud-assert/v1", kind, metadata: { name }, spec })}\n`;
const RULES = [
  rule("ObjectsAgree", "policies", { select: { apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", namespaces: ["default"], names: ["objects-*"] } }),
  rule("ObjectsAgree", "routes", { select: { apiVersion: "networking.istio.io/v1", kind: "VirtualService", namespaces: ["default"], names: ["objects-*"] } }),
  rule("ObjectsAgree", "workloads", { select: { apiVersion: "apps/v1", kind: "Deployment", namespaces: ["default"], names: ["objects-*"] } }),
  rule("ObjectsAgree", "services", { select: { apiVersion: "v1", kind: "Service", namespaces: ["default"], names: ["objects-*"] } }),
  rule("ObjectsAgree", "settings", { select: { apiVersion: "v1", kind: "ConfigMap", namespaces: ["default"], names: ["objects-*"] } }),
  rule("ObjectsAgree", "typo", { select: { apiVersion: "security.istio.io/v1", kind: "PeerAuthentications" } }),
  rule("ObjectsAgree", "older", { select: { apiVersion: "security.istio.io/v1alpha9", kind: "PeerAuthentication" } }),
  rule("Expression", "labels", { select: { apiVersion: "v1", kind: "Namespace", names: ["default"] }, each: "objects.all(n, n.metadata.labels['kubernetes.io/metadata.name'] == 'default')" }),
].join("---\n");

const about = (name: string) => ({ name, namespace: "default" });

/** The same objects, written in two ways: in the second one differs, and nothing else. */
function objectsOf(way: "first" | "second"): readonly Manifest[] {
  const first = way === "first";
  const container = { name: "app", image: "shop/cart:7", resources: { limits: { cpu: first ? "1000m" : "1", memory: first ? "1Gi" : "1024Mi" } }, ports: [first ? { containerPort: 80, protocol: "TCP" } : { containerPort: 80 }] };
  return [
    { apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", metadata: about("objects-mtls"), spec: { mtls: { mode: first ? "STRICT" : "PERMISSIVE" } } },
    { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: about("objects-route"), spec: { hosts: ["a.example"], http: [{ timeout: first ? "60s" : "1m", route: [{ destination: { host: "a" } }] }] } },
    { apiVersion: "apps/v1", kind: "Deployment", metadata: about("objects-app"), spec: { ...(first ? { replicas: 1 } : {}), selector: { matchLabels: { app: "a" } }, template: { metadata: { labels: { app: "a" } }, spec: { containers: [container] } } } },
    { apiVersion: "v1", kind: "Service", metadata: about("objects-service"), spec: { type: "NodePort", selector: { app: "a" }, ports: [first ? { port: 80, protocol: "TCP", targetPort: 80 } : { port: 80 }] } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: about("objects-settings"), data: { mesh: first ? "a: 1\nb: s3cret\n" : '{"b": "s3cret", "a": 1}' } },
  ];
}

onClusters("objects of any kind are found by discovery, compared by what they mean, and nothing of a ConfigMap is kept", async ({ clusters: { gke, aks } }) => {
  await asAdmin(gke, (api) => apply(api, objectsOf("first")));
  await asAdmin(aks, (api) => apply(api, objectsOf("second")));
  try {
    const { run, assert, read } = await desk({ contexts: asAdmins(gke, aks), files: { "rules.yaml": RULES } });
    const { result } = await run("rules.yaml", ...contexts("gke", "aks"));

    expect(faultsOf(result("policies")).map(({ message }) => message)).toEqual(["`PeerAuthentication` `default/objects-mtls` differs: `spec.mtls.mode` is `PERMISSIVE` in `aks`, `STRICT` in `gke`"]);
    expect(result("routes")).toMatchObject({ verdict: "holds", coverage: { judged: 1 }, findings: [] });
    expect(result("workloads")).toMatchObject({ verdict: "holds", coverage: { judged: 1 }, findings: [] });
    expect(result("services")).toMatchObject({ verdict: "holds", coverage: { judged: 1 }, findings: [] });
    expect(result("settings")).toMatchObject({ verdict: "holds", coverage: { judged: 1 }, findings: [] });
    expect(result("labels")).toMatchObject({ verdict: "holds", coverage: { judged: 2 } });
    expect(result("typo").verdict).toBe("undecided");
    expect(result("typo").findings.map(({ remedy }) => remedy)).toEqual(["did you mean `PeerAuthentication`?", "did you mean `PeerAuthentication`?"]);
    expect(result("older").gaps.map(({ reason }) => reason)).toEqual([expect.stringContaining("not in `security.istio.io/v1alpha9`"), expect.anything()]);

    await assert("collect", "rules.yaml", "--out", "saved", ...contexts("gke", "aks"));
    const saved = await read("saved/gke.json");
    expect(saved).toContain("objects-settings");
    expect(saved).not.toContain("s3cret");
    const namespaces = (JSON.parse(saved) as { facts: { selector?: string; data: { content?: object } }[] }).facts.filter(({ selector, data }) => selector === "v1/Namespace" && data.content !== undefined);
    expect(namespaces.map(({ data }) => Object.keys(data.content ?? {}))).toEqual([["metadata"]]);
  } finally {
    await asAdmin(gke, (api) => remove(api, objectsOf("first")));
    await asAdmin(aks, (api) => remove(api, objectsOf("second")));
  }
});

onClusters("a kind that the identity may not list is a gap that names the right", async ({ clusters: { gke, aks } }) => {
  const { run } = await desk({ contexts: asReader(gke, aks), files: { "rules.yaml": rule("ObjectsAgree", "roles", { select: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" } }) } });
  const { code, result } = await run("rules.yaml", ...contexts("gke", "aks"));

  expect(code).toBe(2);
  expect(result().gaps.map(({ reason, remedy }) => `${reason}; ${remedy}`)).toEqual(expect.arrayContaining([expect.stringContaining("may not list `clusterroles` of API group `rbac.authorization.k8s.io`")]));
});

onClusters("where `/openapi/v3` is refused, objects that differ only where a schema decides are undecided with a gap that names the path; all others are judged", async ({ clusters: { gke, aks } }) => {
  const route = (name: string, ...hosts: readonly string[]): Manifest => ({ apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: about(name), spec: { hosts, http: [{ route: [{ destination: { host: "a" } }] }] } });
  const there = [route("schema-same", "a.example", "b.example"), route("schema-order", "a.example", "b.example"), route("schema-other", "a.example", "b.example")];
  const other = [route("schema-same", "a.example", "b.example"), route("schema-order", "b.example", "a.example"), route("schema-other", "a.example", "c.example")];
  const rules = ["same", "order", "other"].map((name) => rule("ObjectsAgree", name, { select: { apiVersion: "networking.istio.io/v1", kind: "VirtualService", namespaces: ["default"], names: [`schema-${name}`] } })).join("---\n");
  const { run } = await desk({ contexts: asReader(gke, aks), files: { "rules.yaml": rules } });
  const judged = async () => {
    const { result } = await run("rules.yaml", ...contexts("gke", "aks"));
    return ["same", "order", "other"].map((name) => [result(name).verdict, result(name).gaps.map(({ cluster, reason }) => [cluster, reason])]);
  };
  await asAdmin(gke, (api) => apply(api, there));
  await asAdmin(aks, (api) => apply(api, other));
  try {
    expect(await judged()).toEqual([["holds", []], ["violated", []], ["violated", []]]);
    const refused = ["aks", "gke"].map((cluster) => [cluster, expect.stringContaining("may not get the path `/openapi/v3/apis/networking.istio.io/v1`")]);
    await withoutSchemas(gke, () => withoutSchemas(aks, async () => expect(await judged()).toEqual([["holds", []], ["undecided", refused], ["violated", []]])));
  } finally {
    await asAdmin(gke, (api) => remove(api, there));
    await asAdmin(aks, (api) => remove(api, other));
  }
});

/** Runs `body` while nobody but administrators may read the schemas of this API server. */
async function withoutSchemas(cluster: ClusterAddress, body: () => Promise<void>): Promise<void> {
  const path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:discovery";
  const reader = openApi(cluster, cluster.tokens.reader);
  const allow = (rules: unknown, status: number) =>
    asAdmin(cluster, async (api) => {
      await api.must("PATCH", path, { rules }, "application/merge-patch+json");
      await until(`reading the schemas gives ${status}`, async () => (await reader.ask("GET", "/openapi/v3/api/v1")).status === status);
    });
  const { body: role } = await asAdmin(cluster, (api) => api.must("GET", path));
  const rules = role["rules"] as readonly { readonly nonResourceURLs: readonly string[] }[];
  try {
    await allow(rules.map((each) => ({ ...each, nonResourceURLs: each.nonResourceURLs.filter((url) => !url.startsWith("/openapi")) })), 403);
    await body();
  } finally {
    await allow(rules, 200);
    await reader.close();
  }
}
