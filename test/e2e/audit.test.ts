import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { loadAll } from "js-yaml";
import { expect } from "vitest";
import { pathOf, remove, type Api, type Manifest } from "../parts/api.ts";
import { asAdmin } from "../parts/cluster.ts";
import { crdsMissing, postCrds, readCrds, REPORT_MODULES } from "../parts/crds.ts";
import { until } from "../parts/process.ts";
import { shippedRoles } from "../parts/seed.ts";
import { desk } from "./assert.ts";
import { onClusters, without } from "./ground.ts";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");

/** As `kubectl apply --server-side` does, with unknown fields refused. Gives what the server made of it. */
async function applied(api: Api, manifest: Manifest): Promise<Record<string, unknown>> {
  const { body } = await api.must("PATCH", `${pathOf(manifest, { named: true })}?fieldManager=tests&force=true&fieldValidation=Strict`, manifest, "application/apply-patch+yaml");
  return body;
}

/** What `kubectl apply -k` would apply. */
async function rendered(folder: string): Promise<readonly Manifest[] | undefined> {
  const { stdout } = await run("kubectl", ["kustomize", path.join(ROOT, folder)]).catch(() => ({ stdout: undefined }));
  return stdout === undefined ? undefined : (loadAll(stdout) as readonly Manifest[]);
}

const USER = "system:serviceaccount:cloud-assert:cloud-assert";

onClusters("the scheduled audit: the API server takes its manifests whole, runs its pod under the strictest rules for pods, and lets it read and nothing else", async ({ clusters: { aks } }, context) => {
  const manifests = await rendered("deploy/audit");
  if (manifests === undefined) return without("`kubectl kustomize` does not run here", context);
  const roles = await shippedRoles();
  try {
    await asAdmin(aks, async (api) => {
      for (const manifest of [...roles, ...manifests]) await applied(api, manifest);
      expect(manifests.map(({ kind }) => kind).toSorted()).toEqual(["ClusterRoleBinding", "ConfigMap", "CronJob", "Namespace", "NetworkPolicy", "ServiceAccount"]);

      // a pod as the CronJob would make it; without its controllers nobody makes one here
      const cron = manifests.find(({ kind }) => kind === "CronJob") as unknown as { spec: { jobTemplate: { spec: { template: { metadata: object; spec: { containers: { image: string }[] } } } } } };
      const { template } = cron.spec.jobTemplate.spec;
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "audit-1", namespace: "cloud-assert" }, spec: template.spec };
      await until("the account may be used", async () => (await api.ask("POST", pathOf(pod, { named: false }), pod)).status === 201);
      // the same pod as root: that the rules count here at all
      const asRoot = { ...pod, metadata: { ...pod.metadata, name: "audit-2" }, spec: { ...template.spec, securityContext: { runAsUser: 0 } } };
      const refused = await api.ask("POST", pathOf(asRoot, { named: false }), asRoot);
      expect([refused.status, String(refused.body["message"])]).toEqual([403, expect.stringContaining("violates PodSecurity \"restricted")]);

      const may = async (verb: string, resource: string, group = "") => {
        const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: { user: USER, resourceAttributes: { verb, resource, group } } };
        const { body } = await api.must("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
        return (body["status"] as { allowed: boolean }).allowed;
      };
      await until("the role counts", () => may("list", "pods"));
      const asked = [["list", "nodes"], ["list", "virtualservices", "networking.istio.io"], ["list", "secrets"], ["get", "secrets"], ["delete", "pods"], ["create", "pods/exec"], ["get", "pods/proxy"], ["list", "configmaps"]] as const;
      expect(await Promise.all(asked.map(async ([verb, resource, group]) => `${verb} ${resource}: ${await may(verb, resource, group)}`))).toEqual(["list nodes: true", "list virtualservices: true", "list secrets: false", "get secrets: false", "delete pods: false", "create pods/exec: false", "get pods/proxy: false", "list configmaps: false"]);
      await remove(api, [pod]);
    });
  } finally {
    await asAdmin(aks, (api) => remove(api, manifests.toReversed()));
  }
});

onClusters("the audit of three clouds from inside one: the API server takes its manifests whole, and its pod under the strictest rules, with a token for each cloud and no Secret", async ({ clusters: { eks } }, context) => {
  const manifests = await rendered("deploy/audit-fleet");
  if (manifests === undefined) return without("`kubectl kustomize` does not run here", context);
  try {
    await asAdmin(eks, async (api) => {
      for (const manifest of manifests) await applied(api, manifest);
      expect(manifests.map(({ kind }) => kind).filter((kind) => kind === "ConfigMap" || kind === "Secret")).toEqual(["ConfigMap", "ConfigMap"]);
      const cron = manifests.find(({ kind }) => kind === "CronJob") as unknown as { spec: { jobTemplate: { spec: { template: { spec: { initContainers: { name: string }[]; volumes: { projected?: { sources: { serviceAccountToken: { audience: string } }[] } }[] } } } } } };
      const { spec } = cron.spec.jobTemplate.spec.template;
      expect(spec.initContainers.map(({ name }) => name)).toEqual(["aws-cli", "gcloud", "az"]);
      const audiences = spec.volumes.flatMap(({ projected }) => projected?.sources ?? []).map(({ serviceAccountToken }) => serviceAccountToken.audience);
      expect(new Set(audiences).size).toBe(3);
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "audit-3", namespace: "cloud-assert" }, spec };
      await until("the account may be used", async () => (await api.ask("POST", pathOf(pod, { named: false }), pod)).status === 201);
      await remove(api, [pod]);
    });
    // the fleet is one that a run accepts: it gets as far as the certificates, which are to be replaced
    const { assert } = await desk({ contexts: [] });
    const { code, stderr } = await assert("run", "--fleet", path.join(ROOT, "deploy/audit-fleet/assert.yaml"));
    expect([code, stderr]).toEqual([2, expect.not.stringContaining("error[")]);
  } finally {
    await asAdmin(eks, (api) => remove(api, manifests.toReversed()));
  }
});

onClusters("OpenReports: the API server takes every report as its definitions ask, and takes the next one in its place", async ({ clusters: { gke } }, context) => {
  const lacking = await crdsMissing(REPORT_MODULES);
  if (lacking !== undefined) return without(lacking, context);
  const crds = await readCrds(REPORT_MODULES);
  const { assert, read } = await desk({ contexts: [] });
  const world = path.join(ROOT, "fixtures/three-clouds");
  const { code } = await assert("run", path.join(world, "assertions"), "--fleet", path.join(world, "assert.yaml"), "--now", "2026-11-20T09:00:00Z", "-o", "openreports=reports.json");
  expect(code).toBe(1);
  const { items } = JSON.parse(await read("reports.json")) as { items: readonly (Manifest & { results: readonly object[]; summary: object })[] };
  expect(items.map(({ metadata }) => metadata.name)).toEqual(["cloud-assert", "cloud-assert-aks-prod", "cloud-assert-eks-prod", "cloud-assert-gke-prod"]);
  try {
    await asAdmin(gke, async (api) => {
      await postCrds(api, crds);
      for (const item of items) {
        const kept = await applied(api, item);
        // nothing is dropped by the schema, and the same again changes nothing
        expect(kept).toMatchObject({ results: item.results, summary: item.summary });
        const again = await applied(api, item);
        expect(versionOf(again)).toBe(versionOf(kept));
      }
    });
  } finally {
    await asAdmin(gke, (api) => remove(api, crds));
  }
});

function versionOf(object: Record<string, unknown>): unknown {
  return (object["metadata"] as { resourceVersion?: string }).resourceVersion;
}

onClusters("the role for the library of assertions is one that the API server takes", async ({ clusters: { gke } }) => {
  const roles = loadAll(await readFile(path.join(ROOT, "deploy/rbac/library.yaml"), "utf8")) as readonly Manifest[];
  await asAdmin(gke, async (api) => {
    for (const role of roles) await applied(api, role);
    await remove(api, roles);
  });
});
