import { createHash } from "node:crypto";
import type { Manifest } from "./api.ts";

/** How one cloud writes what all three have: names, labels and images, from general knowledge of them. */
export interface Cloud {
  /** Name of the cluster. */
  readonly name: "eks" | "gke" | "aks";
  readonly gitVersion: string;
  readonly region: string;
  readonly osImage: string;
  readonly kernelVersion: string;
  /** Image of the proxy that carries this Istio release. */
  proxyImage(istio: string): string;
  nodeName(index: number): string;
  providerId(index: number): string;
  nodeLabels(index: number): Readonly<Record<string, string>>;
}

export const EKS: Cloud = {
  name: "eks",
  gitVersion: "v1.34.6-eks-7f9249a",
  region: "eu-central-1",
  osImage: "Amazon Linux 2023.9.20251117",
  kernelVersion: "6.12.55-74.119.amzn2023.x86_64",
  proxyImage: (istio) => `registry.istio.io/release/proxyv2:${istio}`,
  nodeName: (index) => `ip-10-0-${index}-17.eu-central-1.compute.internal`,
  providerId: (index) => `aws:///eu-central-1a/i-0a1b2c3d4e5f6a7b${index}`,
  nodeLabels: () => ({ "eks.amazonaws.com/nodegroup": "mesh", "eks.amazonaws.com/nodegroup-image": "ami-0123456789abcdef0" }),
};

export const GKE: Cloud = {
  name: "gke",
  gitVersion: "v1.35.1-gke.1190000",
  region: "europe-west3",
  osImage: "Container-Optimized OS from Google",
  kernelVersion: "6.12.46+",
  proxyImage: (istio) => `gke.gcr.io/asm/proxyv2:${istio}-asm.2`,
  nodeName: (index) => `gke-mesh-pool-1-7d5f1c0a-x${index}`,
  providerId: (index) => `gce://mesh-project/europe-west3-a/gke-mesh-pool-1-7d5f1c0a-x${index}`,
  nodeLabels: () => ({ "cloud.google.com/gke-nodepool": "pool-1", "cloud.google.com/gke-os-distribution": "cos" }),
};

export const AKS: Cloud = {
  name: "aks",
  gitVersion: "v1.33.9",
  region: "germanywestcentral",
  osImage: "Ubuntu 24.04.3 LTS",
  kernelVersion: "6.8.0-1034-azure",
  proxyImage: (istio) => `mcr.microsoft.com/oss/v2/istio/proxyv2:v${istio}-1`,
  nodeName: (index) => `aks-pool1-12345678-vmss00000${index}`,
  providerId: (index) =>
    `azure:///subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/mc_mesh_aks_germanywestcentral/providers/Microsoft.Compute/virtualMachineScaleSets/aks-pool1-12345678-vmss/virtualMachines/${index}`,
  nodeLabels: () => ({
    "kubernetes.azure.com/agentpool": "pool1",
    "kubernetes.azure.com/cluster": "MC_mesh_aks_germanywestcentral",
    "kubernetes.azure.com/node-image-version": "AKSUbuntu-2404gen2containerd-202511.07.0",
  }),
};

export const CLOUDS: readonly Cloud[] = [EKS, GKE, AKS];

/** The release that every proxy of {@link worldOf} runs: its Envoy is 1.37.6 without doubt. */
export const ISTIO = "1.29.6";
/** An older release of the same line: Envoy 1.37.2, four patches behind. */
export const OLDER_ISTIO = "1.29.2";

const NODES = 6;
const TEAMS = Array.from({ length: 20 }, (_, index) => `team-${String(index).padStart(2, "0")}`);
const WORKLOADS = ["api", "cart", "web"] as const;
const REPLICAS = 10;

/**
 * About a thousand objects of one cluster in which everything is well: nodes, namespaces, pods with classic and native
 * sidecars, gateways, waypoints, ztunnel, pods without a proxy, and the routing objects of twenty teams.
 */
export function worldOf(cloud: Cloud): readonly Manifest[] {
  return [...places(cloud), ...TEAMS.flatMap((team, index) => teamOf(cloud, team, index)), ...mesh(cloud), ...bystanders(cloud)];
}

function places(cloud: Cloud): readonly Manifest[] {
  const nodes = Array.from({ length: NODES }, (_, index) => nodeOf(cloud, index));
  return [...nodes, ...["istio-system", "istio-ingress", ...TEAMS].map(namespaceOf)];
}

export function namespaceOf(name: string): Manifest {
  const injected = name.startsWith("team-") ? { "istio-injection": "enabled" } : {};
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: injected } };
}

function nodeOf(cloud: Cloud, index: number): Manifest {
  const arch = index < 4 ? "amd64" : "arm64";
  const size = { cpu: "8", memory: "32Gi", pods: "110" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: cloud.nodeName(index),
      labels: {
        "kubernetes.io/arch": arch,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": cloud.nodeName(index),
        "topology.kubernetes.io/region": cloud.region,
        "topology.kubernetes.io/zone": `${cloud.region}a`,
        ...cloud.nodeLabels(index),
      },
    },
    spec: { providerID: cloud.providerId(index) },
    status: {
      addresses: [{ type: "InternalIP", address: `10.0.${index}.17` }],
      capacity: size,
      allocatable: size,
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }],
      nodeInfo: {
        machineID: `machine-${index}`,
        systemUUID: `system-${index}`,
        bootID: `boot-${index}`,
        kernelVersion: cloud.kernelVersion,
        osImage: cloud.osImage,
        containerRuntimeVersion: "containerd://2.1.5",
        kubeletVersion: cloud.gitVersion,
        kubeProxyVersion: "",
        operatingSystem: "linux",
        architecture: arch,
      },
    },
  };
}

function teamOf(cloud: Cloud, team: string, index: number): readonly Manifest[] {
  const pods = WORKLOADS.flatMap((workload) => Array.from({ length: REPLICAS }, (_, replica) => proxyPod(cloud, {
    namespace: team,
    workload,
    replica,
    role: index % 2 === 0 ? "native-sidecar" : "sidecar",
    image: cloud.proxyImage(ISTIO),
  })));
  const waypoint = index % 4 === 0
    ? [waypointGateway(team), proxyPod(cloud, { namespace: team, workload: "waypoint", replica: 0, role: "waypoint", image: cloud.proxyImage(ISTIO) })]
    : [];
  return [...WORKLOADS.map((workload) => serviceOf(team, workload)), ...pods, ...waypoint, ...routesOf(team)];
}

function mesh(cloud: Cloud): readonly Manifest[] {
  const image = cloud.proxyImage(ISTIO);
  const gateways = Array.from({ length: 3 }, (_, replica) => proxyPod(cloud, { namespace: "istio-ingress", workload: "istio-ingress", replica, role: "gateway", image }));
  const ztunnels = Array.from({ length: NODES }, (_, replica) => proxyPod(cloud, { namespace: "istio-system", workload: "ztunnel", replica, role: "ztunnel", image: image.replace("proxyv2", "ztunnel") }));
  return [...gateways, ...ztunnels, plainPod(cloud, "istio-system", "istiod", 0), plainPod(cloud, "istio-system", "istiod", 1), {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "public", namespace: "istio-ingress" },
    spec: { selector: { istio: "ingress" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
  }, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "istio-ingress" },
    spec: { gatewayClassName: "istio", listeners: [{ name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } }] },
  }];
}

function bystanders(cloud: Cloud): readonly Manifest[] {
  return Array.from({ length: 30 }, (_, replica) => plainPod(cloud, "kube-system", "coredns", replica));
}

type Role = "sidecar" | "native-sidecar" | "gateway" | "waypoint" | "ztunnel";

export interface PodShape {
  readonly namespace: string;
  /** Name of its Deployment (of its DaemonSet for ztunnel). */
  readonly workload: string;
  readonly replica: number;
  readonly role: Role;
  readonly image: string;
  readonly podIp?: string;
  readonly nodeName?: string;
}

/** A running pod with an `istio-proxy` container. */
export function proxyPod(cloud: Cloud, shape: PodShape): Manifest {
  const proxy = { name: "istio-proxy", image: shape.image };
  const app = { name: "app", image: "registry.example/shop/app:3.4.1" };
  const native = shape.role === "native-sidecar";
  const alone = !native && shape.role !== "sidecar";
  const containers = native ? [app] : alone ? [proxy] : [app, proxy];
  return podOf(cloud, shape, {
    spec: { ...(native ? { initContainers: [{ ...proxy, restartPolicy: "Always" }] } : {}), containers },
    status: {
      ...(native ? { initContainerStatuses: [runningStatus(proxy)] } : {}),
      containerStatuses: containers.map(runningStatus),
    },
  });
}

/** A running pod without a proxy. */
function plainPod(cloud: Cloud, namespace: string, workload: string, replica: number): Manifest {
  const container = { name: workload, image: `registry.example/${workload}:1.12.0` };
  return podOf(cloud, { namespace, workload, replica }, { spec: { containers: [container] }, status: { containerStatuses: [runningStatus(container)] } });
}

interface PodParts {
  readonly spec: object;
  readonly status: object;
}

function podOf(cloud: Cloud, shape: Omit<PodShape, "role" | "image"> & Partial<Pick<PodShape, "role">>, { spec, status }: PodParts): Manifest {
  const { namespace, workload, replica, role } = shape;
  const template = digest(`${namespace}/${workload}`).slice(0, 9);
  const daemon = role === "ztunnel";
  const owner = daemon ? { kind: "DaemonSet", name: workload } : { kind: "ReplicaSet", name: `${workload}-${template}` };
  const podIp = shape.podIp ?? `10.${100 + (replica % 100)}.${Number.parseInt(template.slice(0, 2), 16)}.${Number.parseInt(template.slice(2, 4), 16)}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${owner.name}-${digest(`${namespace}/${workload}/${replica}`).slice(0, 5)}`,
      namespace,
      labels: { app: workload, ...(daemon ? {} : { "pod-template-hash": template }), ...roleLabels(role, workload) },
      ...(role === undefined ? {} : { annotations: { "istio.io/rev": "default" } }),
      ownerReferences: [{ apiVersion: "apps/v1", ...owner, uid: digest(owner.name).slice(0, 36), controller: true, blockOwnerDeletion: true }],
    },
    spec: { nodeName: shape.nodeName ?? cloud.nodeName(replica % NODES), ...spec },
    status: { phase: "Running", podIP: podIp, podIPs: [{ ip: podIp }], conditions: [{ type: "Ready", status: "True" }], ...status },
  };
}

function roleLabels(role: Role | undefined, workload: string): Readonly<Record<string, string>> {
  switch (role) {
    case undefined:
      return {};
    case "gateway":
      return { istio: "ingress" };
    case "waypoint":
      return {
        "gateway.networking.k8s.io/gateway-name": workload,
        "gateway.networking.k8s.io/gateway-class-name": "istio-waypoint",
        "gateway.istio.io/managed": "istio.io-mesh-controller",
      };
    case "ztunnel":
      return { "app.kubernetes.io/name": "ztunnel" };
    case "sidecar":
    case "native-sidecar":
      return { "security.istio.io/tlsMode": "istio", "service.istio.io/canonical-name": workload };
  }
}

function runningStatus({ name, image }: { readonly name: string; readonly image: string }): object {
  const repository = image.slice(0, image.lastIndexOf(":"));
  return {
    name,
    image,
    imageID: `${repository}@sha256:${digest(image)}`,
    containerID: `containerd://${digest(`${name} ${image}`)}`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: "2026-11-01T08:00:00Z" } },
  };
}

function serviceOf(namespace: string, name: string): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  };
}

function waypointGateway(namespace: string): Manifest {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "waypoint", namespace, labels: { "istio.io/waypoint-for": "service" } },
    spec: { gatewayClassName: "istio-waypoint", listeners: [{ name: "mesh", port: 15008, protocol: "HBONE" }] },
  };
}

function routesOf(team: string): readonly Manifest[] {
  const public_ = { host: `${team}.shop.example`, gateway: "istio-ingress/public" };
  const virtualServices = ["/api", "/cart", "/web", "/static", "/health", "/v2"].map((prefix, index) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: `route-${index}`, namespace: team },
    spec: {
      hosts: [`r${index}.${public_.host}`],
      gateways: [public_.gateway],
      http: [
        { match: [{ uri: { prefix } }], route: [{ destination: { host: WORKLOADS[index % 3], subset: "stable", port: { number: 80 } } }], timeout: "5s" },
        { route: [{ destination: { host: "web", port: { number: 80 } } }] },
      ],
    },
  }));
  const rules = WORKLOADS.map((host) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: host, namespace: team },
    spec: { host, subsets: [{ name: "stable", labels: { version: "v1" } }], trafficPolicy: { connectionPool: { tcp: { maxConnections: 100 } } } },
  }));
  const httpRoutes = ["api", "web"].map((backend) => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: backend, namespace: team },
    spec: {
      parentRefs: [{ name: "edge", namespace: "istio-ingress" }],
      hostnames: [`${backend}.${team}.edge.example`],
      rules: [{ matches: [{ path: { type: "PathPrefix", value: "/" } }], backendRefs: [{ name: backend, port: 80 }] }],
    },
  }));
  return [...virtualServices, ...rules, ...httpRoutes];
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
