import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { groupOf, type Permission, type Probe } from "#engine";
import collector from "../../collectors/kubernetes/collector.ts";
import { root } from "../support/room.ts";

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[]; readonly resourceNames?: readonly string[]; readonly verbs: readonly string[] }[];
}

const roles = loadAll(readFileSync(join(root, "deploy/rbac/clusterrole.yaml"), "utf8")) as readonly Role[];

/** Every right that a role gives, one text each. */
function given(name: string): readonly string[] {
  const rules = roles.find((role) => role.metadata.name === name)?.rules ?? [];
  const rights = rules.flatMap(({ apiGroups, resources, resourceNames = [""], verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => resourceNames.flatMap((object) => verbs.map((verb) => text({ verb, group, resource, name: object }))))),
  );
  return rights.toSorted();
}

/** Every right that the collector's readers need. */
function needed(probes: readonly Probe[]): readonly string[] {
  const rights = (collector.everything?.() ?? []).flatMap((request) => collector.permissions?.(request, probes) ?? []);
  return [...new Set(rights.map(text))].toSorted();
}

function text({ verb, group, resource, name }: Permission): string {
  return `${verb} ${resource}.${group} ${name ?? ""}`.trim();
}

describe("deploy/rbac/clusterrole.yaml", () => {
  it("gives exactly what reading objects needs", () => {
    expect(given("cloud-assert")).toEqual(needed([]));
    const verbs = needed([]).map((right) => right.split(" ")[0]);
    expect(new Set(verbs)).toEqual(new Set(["get", "list"]));
    expect(needed([]).filter((right) => right.startsWith("get"))).toEqual(["get configmaps. cilium-config", "get configmaps. istio", "get namespaces. kube-system"]);
    expect(needed([]).filter((right) => /secrets/.test(right))).toEqual([]);
  });

  for (const probe of ["metrics", "admin"] as const) {
    it(`gives in a role of its own exactly what the probe \`${probe}\` needs beyond that`, () => {
      const base = needed([]);
      expect(given(`cloud-assert-probe-${probe}`)).toEqual(needed([probe]).filter((right) => !base.includes(right)));
      expect(given(`cloud-assert-probe-${probe}`).length).toBeGreaterThan(0);
    });
  }

  it("holds no other role", () => {
    expect(roles.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(["ClusterRole cloud-assert", "ClusterRole cloud-assert-probe-metrics", "ClusterRole cloud-assert-probe-admin"]);
  });
});

describe("deploy/rbac/library.yaml", () => {
  /** Resources of the kinds that the library selects; a kind that is not here fails the test. */
  const PLURALS: Readonly<Record<string, string>> = {
    AuthorizationPolicy: "authorizationpolicies", ConfigMap: "configmaps", ControlPlaneRevision: "controlplanerevisions", CustomResourceDefinition: "customresourcedefinitions",
    Deployment: "deployments", EnvoyFilter: "envoyfilters", Node: "nodes", PeerAuthentication: "peerauthentications", Pod: "pods",
  };

  it("gives exactly the right to list what the files of the library select", () => {
    const folder = join(root, "assertions/library");
    const specs = readdirSync(folder).flatMap((name) => loadAll(readFileSync(join(folder, name), "utf8")) as readonly { readonly spec: { readonly select: object } }[]);
    const selections = specs.flatMap(({ spec: { select } }) => ("apiVersion" in select ? [select] : Object.values(select))) as readonly { readonly apiVersion: string; readonly kind: string }[];
    const needed = selections.map(({ apiVersion, kind }) => text({ verb: "list", group: groupOf(apiVersion), resource: PLURALS[kind] ?? `${kind}?` }));
    const [role] = loadAll(readFileSync(join(root, "deploy/rbac/library.yaml"), "utf8")) as readonly Role[];
    const given = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) => apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => text({ verb, group, resource })))));
    expect(role?.metadata.name).toBe("cloud-assert-library");
    expect(given.toSorted()).toEqual([...new Set(needed)].toSorted());
  });
});
