import { CollectError, type Io, type JsonObject, type KubernetesApi, type MeshConfig } from "#engine";
import { fieldsIn, textIn, type Fields } from "../fields.ts";
import { configMaps, ISTIO_SYSTEM } from "../resources.ts";
import type { ControlPlane } from "./routing-pods.ts";
import { clearOnly } from "./routing-spec.ts";

/**
 * The mesh configuration of every control plane that was seen; without one, that of the place where Istio's charts put it.
 * Only what routes requests is kept in clear. A ConfigMap that is not there says nothing.
 */
export async function readMeshConfigs(planes: readonly ControlPlane[], api: KubernetesApi, io: Io): Promise<readonly MeshConfig[]> {
  const guess: ControlPlane = { namespace: ISTIO_SYSTEM, image: "", revision: "", shared: undefined };
  const found = new Map<string, MeshConfig>();
  for (const plane of planes.length === 0 ? [guess] : planes) {
    const name = plane.revision === "" ? "istio" : `istio-${plane.revision}`;
    const own = await read(plane.namespace, name, api, io);
    const shared = plane.shared === undefined ? undefined : await read(plane.namespace, plane.shared, api, io);
    // istiod: what its own ConfigMap says counts more than the shared one.
    if (own !== undefined || shared !== undefined) found.set(`${plane.namespace}/${name}`, { namespace: plane.namespace, name, config: { ...shared, ...own } });
  }
  return [...found.values()];
}

const LARGEST = 1 << 20;

async function read(namespace: string, name: string, api: KubernetesApi, io: Io): Promise<JsonObject | undefined> {
  const data = fieldsIn(await api.get(configMaps, namespace, name), "data");
  const mesh = await parsed(data, "mesh", `${namespace}/${name}`, io);
  const networks = await parsed(data, "meshNetworks", `${namespace}/${name}`, io);
  if (mesh === undefined) return undefined;
  const names = Object.keys(fieldsIn(networks, "networks")).toSorted();
  return { ...keptOf(mesh), ...(names.length === 0 ? {} : { meshNetworks: { networks: Object.fromEntries(names.map((each) => [each, {}])) } }) };
}

async function parsed(data: Fields, key: string, where: string, io: Io): Promise<Fields | undefined> {
  const text = textIn(data, key, LARGEST + 1);
  if (text === undefined) return undefined;
  if (text.length > LARGEST) throw new CollectError(`\`data.${key}\` of the ConfigMap \`${where}\` is larger than ${LARGEST} characters`, { remedy: "look at it: no mesh configuration is that long" });
  return fieldsIn({ value: await io.yaml(text, `\`data.${key}\` of the ConfigMap \`${where}\``) }, "value");
}

/** Settings that route requests. */
const CLEAR: ReadonlySet<string> = new Set([
  "rootNamespace",
  "pathNormalization",
  "defaultHttpRetryPolicy",
  "outboundTrafficPolicy",
  "defaultVirtualServiceExportTo",
  "defaultDestinationRuleExportTo",
  "defaultServiceExportTo",
  "ingressControllerMode",
]);

function keptOf(mesh: Fields): JsonObject {
  const { defaultConfig, ...rest } = mesh;
  const proxy = fieldsIn(mesh, "defaultConfig");
  return { ...clearOnly(rest, CLEAR), ...(defaultConfig === undefined ? {} : { defaultConfig: clearOnly(proxy, TOPOLOGY) }) };
}

const TOPOLOGY: ReadonlySet<string> = new Set(["gatewayTopology"]);
