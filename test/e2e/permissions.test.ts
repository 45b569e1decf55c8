import { expect } from "vitest";
import { apply, remove, type Manifest } from "../parts/api.ts";
import { asAdmin, type ClusterAddress, type Context } from "../parts/cluster.ts";
import { bind, shippedRoles, untilMay } from "../parts/seed.ts";
import { asReader, clustersOf, contexts, desk, fleet, skew } from "./assert.ts";
import { onClusters } from "./ground.ts";

const SUITE = `${skew("by-name", { clusters: { names: ["aks", "gke"] } })}---\n${skew("by-cloud", { clusters: { clouds: ["azure", "gcp"] } })}`;

onClusters("the reader may not list nodes: a gap that names verb, resource and group, for the assertion that selects by clouds only", async ({ clusters: { gke, aks } }) => {
  await withRoleWithout(aks, "nodes", async (limited) => {
    const { run } = await desk({ contexts: [...asReader(gke), limited], files: { "suite.yaml": SUITE } });
    const { code, result } = await run("suite.yaml", ...contexts("gke", "aks"));

    expect(result("by-name")).toMatchObject({ verdict: "holds", gaps: [] });
    expect(result("by-cloud").verdict).toBe("undecided");
    expect(clustersOf(result("by-cloud").gaps)).toEqual(["aks"]);
    const said = result("by-cloud").gaps.map(({ reason, remedy }) => `${reason}; ${remedy}`).join("\n");
    expect(said).toContain("may not list `nodes` of API group `\"\"`");
    expect(said).toContain('{ apiGroups: [""], resources: ["nodes"], verbs: ["list"] }');
    expect(code).toBe(2);
  });
});

onClusters("the reader may not list pods: a gap that names verb, resource and group, and the identity", async ({ clusters: { gke, aks } }) => {
  await withRoleWithout(aks, "pods", async (limited) => {
    const { run } = await desk({ contexts: [...asReader(gke), limited] });
    const { code, result, report } = await run(...contexts("gke", "aks"));

    expect(code).toBe(2);
    expect(clustersOf(result().gaps)).toEqual(["aks"]);
    expect(result().gaps[0]?.reason).toContain("may not list `pods` of API group `\"\"` in all namespaces");
    expect(result().gaps[0]?.remedy).toContain('{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }');
    expect(report.clusters.every(({ reachable }) => reachable)).toBe(true);
  });
});

onClusters("the reader may not read kube-system: a warning, for identity alone does not decide a verdict", async ({ clusters: { gke, aks } }) => {
  await withRoleWithout(aks, "namespaces", async (limited) => {
    const { run } = await desk({ contexts: [...asReader(gke), limited] });
    const { code, report } = await run(...contexts("gke", "aks"));

    expect(code).toBe(0);
    expect(report.notes?.join("\n")).toContain("may not get `namespaces`");
    expect(report.notes?.join("\n")).toContain("aks");
  });
});

onClusters("an identity that may list in two namespaces only: with `namespaces` these are judged, without it a gap says so", async ({ clusters: { aks } }) => {
  await asAdmin(aks, (api) => bind(api, "limited", ["cloud-assert"], ["team-00", "team-01"]));
  await untilMay(aks, "limited", { verb: "list", resource: "pods", namespace: "team-01" });
  try {
    const kubernetes = { context: "aks" };
    const { run, write } = await desk({
      contexts: [{ name: "aks", cluster: aks, login: { identity: "limited" } }],
      files: { "assert.yaml": fleet({ name: "aks", kubernetes: { ...kubernetes, namespaces: ["team-00", "team-01"] } }) },
    });
    const some = await run();
    // 3 workloads of 10 replicas in each, and a waypoint in team-00.
    expect([some.code, some.result().coverage.judged]).toEqual([0, 61]);

    await write("assert.yaml", fleet({ name: "aks", kubernetes }));
    const all = await run();
    expect(all.code).toBe(2);
    expect(all.result().gaps[0]?.reason).toContain("may not list `pods`");
    expect(all.result().gaps[0]?.remedy).toContain("`namespaces`");

    await write("assert.yaml", fleet({ name: "aks", kubernetes: { ...kubernetes, namespaces: ["team-00", "team-02"] } }));
    const refused = await run();
    expect([refused.code, refused.result().coverage.judged]).toEqual([2, 0]);
    expect(refused.result().gaps[0]?.reason).toContain("in namespace `team-02`");
  } finally {
    await asAdmin(aks, (api) => remove(api, bindings("limited", "cloud-assert", ["team-00", "team-01"])));
  }
});

onClusters("doctor with the shipped role: 0, nothing is missing, the identity is named", async ({ clusters: { eks, gke, aks } }) => {
  const { assert } = await desk({ contexts: asReader(eks, gke, aks), files: { "suite.yaml": SUITE } });
  const { code, stdout } = await assert("doctor", "suite.yaml", ...contexts("eks", "gke", "aks"));
  expect(code).toBe(0);
  expect(stdout.match(/^(aks|eks|gke) +yes +assert-reader +all permissions there$/gm)).toHaveLength(3);
});

onClusters("doctor looks up the kinds that assertions select, and names the right to list each with the rule to add; what an assertion may list it does not name", async ({ clusters: { gke } }) => {
  const select = (name: string, apiVersion: string, kind: string) => `${JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Expression", metadata: { name }, spec: { select: { apiVersion, kind }, each: "objects.size() >= 0" } })}\n`;
  const rules = [select("roles", "rbac.authorization.k8s.io/v1", "ClusterRole"), select("pods", "v1", "Pod"), select("unknown", "nothing.example/v1", "Nothing")].join("---\n");
  const { assert } = await desk({ contexts: asReader(gke), files: { "rules.yaml": rules } });
  const { code, stdout } = await assert("doctor", "rules.yaml", ...contexts("gke"));

  expect(code).toBe(2);
  expect(stdout).toMatch(/^gke +yes +assert-reader +1 permission missing$/m);
  expect(stdout.replace(/\s+/g, " ")).toContain('may not list `clusterroles` of API group `rbac.authorization.k8s.io`, needed to judge `roles`');
  expect(stdout.replace(/\s+/g, " ")).toContain('- apiGroups: ["rbac.authorization.k8s.io"] resources: [clusterroles] verbs: [list]');
  const { clusters } = JSON.parse((await assert("doctor", "rules.yaml", "-o", "json", ...contexts("gke"))).stdout) as { readonly clusters: readonly { readonly needs: readonly { readonly purpose: string }[] }[] };
  expect(clusters[0]?.needs.map(({ purpose }) => purpose)).toEqual(["to tell which cluster this is", "to judge `pods`", "to judge `roles`"]);
});

/** What the shipped role grants, and what the suite needs it for. */
const REMOVED = [
  { resource: "pods", verb: "list", purposes: ["to judge `by-name`", "to judge `by-cloud`"] },
  { resource: "nodes", verb: "list", purposes: ["to infer the cloud, for the assertions that select by `clouds`"] },
  { resource: "namespaces", verb: "get", purposes: ["to tell which cluster this is"] },
] as const;

for (const { resource, verb, purposes } of REMOVED) {
  onClusters(`doctor names the one permission that was removed from the shipped role: ${verb} ${resource}`, async ({ clusters: { gke, aks } }) => {
    await withRoleWithout(aks, resource, async (limited) => {
      const { assert } = await desk({ contexts: [...asReader(gke), limited], files: { "suite.yaml": SUITE } });
      const { code, stdout } = await assert("doctor", "suite.yaml", "-o", "json", ...contexts("gke", "aks"));
      const { clusters } = JSON.parse(stdout) as { readonly clusters: readonly Examined[] };
      const needs = (name: string) => clusters.find(({ cluster }) => cluster === name)?.needs ?? [];
      const lacking = needs("aks").filter(({ missing }) => missing.length > 0);

      expect(code).toBe(2);
      expect(needs("gke").flatMap(({ missing }) => missing)).toEqual([]);
      expect(new Set(lacking.flatMap(({ missing }) => missing.map((each) => `${each.verb} ${each.group}/${each.resource}`)))).toEqual(new Set([`${verb} /${resource}`]));
      expect(lacking.map(({ purpose }) => purpose).toSorted()).toEqual([...purposes].toSorted());

      const page = await assert("doctor", "suite.yaml", ...contexts("gke", "aks"));
      expect(page.code).toBe(2);
      expect(page.stdout.match(/^aks .* 1 permission missing$/m)).not.toBeNull();
      expect(page.stdout).toContain(`resources: [${resource}]`);
    });
  });
}

/** The part of the doctor's answer that is looked at here. */
interface Examined {
  readonly cluster: string;
  readonly needs: readonly { readonly purpose: string; readonly missing: readonly { readonly verb: string; readonly group: string; readonly resource: string }[] }[];
}

/** Runs `body` with a context whose identity has the shipped role but for the rules about one resource. */
async function withRoleWithout(cluster: ClusterAddress, resource: string, body: (context: Context) => Promise<void>): Promise<void> {
  const role = `cloud-assert-without-${resource}`;
  const [shipped] = await shippedRoles();
  if (shipped === undefined) throw new Error("no role is shipped");
  const rules = (shipped["rules"] as readonly { readonly resources: readonly string[] }[]).filter((rule) => !rule.resources.includes(resource));
  const other = { verb: "list", resource: resource === "pods" ? "nodes" : "pods" };
  const without: Manifest = { ...shipped, metadata: { name: role }, rules };
  await asAdmin(cluster, async (api) => {
    await apply(api, [without]);
    await bind(api, "guest", [role]);
    try {
      await untilMay(cluster, "guest", other);
      await body({ name: cluster.name, cluster, login: { identity: "guest" } });
    } finally {
      await remove(api, [...bindings("guest", role), without]);
      await untilMay(cluster, "guest", other, false);
    }
  });
}

function bindings(identity: string, role: string, namespaces?: readonly string[]): readonly Manifest[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const name = `${role}-${identity}`;
  return namespaces === undefined
    ? [{ apiVersion, kind: "ClusterRoleBinding", metadata: { name } }]
    : namespaces.map((namespace) => ({ apiVersion, kind: "RoleBinding", metadata: { name, namespace } }));
}
