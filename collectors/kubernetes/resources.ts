import type { Permission, Probe, Resource } from "#engine";

export const pods: Resource = { group: "", versions: ["v1"], plural: "pods", kind: "Pod", namespaced: true };
export const nodes: Resource = { group: "", versions: ["v1"], plural: "nodes", kind: "Node", namespaced: false };
export const namespaces: Resource = { group: "", versions: ["v1"], plural: "namespaces", kind: "Namespace", namespaced: false };
export const configMaps: Resource = { group: "", versions: ["v1"], plural: "configmaps", kind: "ConfigMap", namespaced: true };

export const daemonSets: Resource = { group: "apps", versions: ["v1"], plural: "daemonsets", kind: "DaemonSet", namespaced: true };
export const nodeFeatures: Resource = { group: "nfd.k8s-sigs.io", versions: ["v1alpha1"], plural: "nodefeatures", kind: "NodeFeature", namespaced: true };
export const runtimeClasses: Resource = { group: "node.k8s.io", versions: ["v1"], plural: "runtimeclasses", kind: "RuntimeClass", namespaced: false };
export const shims: Resource = { group: "runtime.spinkube.dev", versions: ["v1alpha1"], plural: "shims", kind: "Shim", namespaced: false };

/** What bpfman says of each application on each node: of the whole cluster, and of one namespace. */
export const bpfStates: readonly Resource[] = [
  { group: "bpfman.io", versions: ["v1alpha1"], plural: "clusterbpfapplicationstates", kind: "ClusterBpfApplicationState", namespaced: false },
  { group: "bpfman.io", versions: ["v1alpha1"], plural: "bpfapplicationstates", kind: "BpfApplicationState", namespaced: true },
];

/** Settings of Cilium for some nodes, which count more than its ConfigMap. */
export const ciliumNodeConfigs: Resource = { group: "cilium.io", versions: ["v2", "v2alpha1"], plural: "ciliumnodeconfigs", kind: "CiliumNodeConfig", namespaced: true };

/** The ConfigMap that Cilium's charts write, in whatever namespace they are installed; clouds that manage it use kube-system. */
export const CILIUM_CONFIG = "cilium-config";

/** Where Istio's charts put the control plane. */
export const ISTIO_SYSTEM = "istio-system";

const istio = ["v1", "v1beta1", "v1alpha3"];

/** What routes requests in a mesh, or acts on their path. */
export const routing: readonly Resource[] = [
  { group: "networking.istio.io", versions: istio, plural: "virtualservices", kind: "VirtualService", namespaced: true },
  { group: "networking.istio.io", versions: istio, plural: "gateways", kind: "Gateway", namespaced: true },
  { group: "networking.istio.io", versions: istio, plural: "destinationrules", kind: "DestinationRule", namespaced: true },
  { group: "networking.istio.io", versions: istio, plural: "serviceentries", kind: "ServiceEntry", namespaced: true },
  { group: "networking.istio.io", versions: istio, plural: "sidecars", kind: "Sidecar", namespaced: true },
  { group: "networking.istio.io", versions: ["v1alpha3"], plural: "envoyfilters", kind: "EnvoyFilter", namespaced: true },
  { group: "extensions.istio.io", versions: ["v1", "v1beta1", "v1alpha1"], plural: "wasmplugins", kind: "WasmPlugin", namespaced: true },
  { group: "extensions.istio.io", versions: ["v1", "v1beta1", "v1alpha1"], plural: "trafficextensions", kind: "TrafficExtension", namespaced: true },
  { group: "security.istio.io", versions: ["v1", "v1beta1"], plural: "authorizationpolicies", kind: "AuthorizationPolicy", namespaced: true },
  { group: "security.istio.io", versions: ["v1", "v1beta1"], plural: "requestauthentications", kind: "RequestAuthentication", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"], plural: "gateways", kind: "Gateway", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"], plural: "httproutes", kind: "HTTPRoute", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1alpha2"], plural: "grpcroutes", kind: "GRPCRoute", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1alpha3", "v1alpha2"], plural: "tlsroutes", kind: "TLSRoute", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1alpha2"], plural: "tcproutes", kind: "TCPRoute", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1"], plural: "listenersets", kind: "ListenerSet", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"], plural: "referencegrants", kind: "ReferenceGrant", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1alpha3"], plural: "backendtlspolicies", kind: "BackendTLSPolicy", namespaced: true },
  { group: "gateway.networking.k8s.io", versions: ["v1", "v1beta1"], plural: "gatewayclasses", kind: "GatewayClass", namespaced: false },
  { group: "", versions: ["v1"], plural: "services", kind: "Service", namespaced: true },
  namespaces,
];

/** A control plane of the mesh that Google runs outside of the cluster. */
export const managedRevisions: Resource = { group: "mesh.cloud.google.com", versions: ["v1", "v1beta1", "v1alpha1"], plural: "controlplanerevisions", kind: "ControlPlaneRevision", namespaced: true };
/** What may declare a Wasm module. */
export const wasmDeclaring: readonly Resource[] = routing.filter(({ kind }) => kind === "EnvoyFilter" || kind === "WasmPlugin" || kind === "TrafficExtension");

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
