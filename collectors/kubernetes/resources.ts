import type { Permission, Probe, Resource } from "#engine";

export const pods: Resource = { group: "", versions: ["v1"], plural: "pods", kind: "Pod", namespaced: true };
export const nodes: Resource = { group: "", versions: ["v1"], plural: "nodes", kind: "Node", namespaced: false };
export const namespaces: Resource = { group: "", versions: ["v1"], plural: "namespaces", kind: "Namespace", namespaced: false };

/** The namespace whose UID tells clusters apart: every cluster has it, and it is made once. */
export const KUBE_SYSTEM = "kube-system";

/** What reading a resource takes. */
export function right(verb: "get" | "list", { group, plural }: Resource): Permission {
  return { verb, group, resource: plural };
}

/** What the probes of proxies take beyond reading objects. */
export function probeRights(probes: readonly Probe[]): readonly Permission[] {
  return [
    ...(probes.includes("metrics") ? [{ verb: "get", group: "", resource: "pods/proxy" }] : []),
    // A command is sent over a WebSocket, which starts as a GET: API servers check `get`, and from 1.35 on `create` as well.
    ...(probes.includes("admin") ? ["get", "create"].map((verb) => ({ verb, group: "", resource: "pods/exec" })) : []),
  ];
}
