import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { scratchFolder, start, until } from "./process.ts";

export interface Envoy {
  /** Address of the admin interface, on loopback as in a pod. */
  readonly admin: string;
  /** Sends it other listeners, and waits until it has loaded them. */
  send(listeners: readonly object[]): Promise<void>;
  stop(): Promise<void>;
}

export interface EnvoyOptions {
  readonly binary: string;
  /** Serves `/stats/prometheus` at this address, on the port where a mesh's pods do. */
  readonly metricsAt?: string;
  /** The Istio release to claim there. */
  readonly istio?: string;
  /** Who it is, as Istio's agent writes it. */
  readonly node?: object;
  /** Listeners that it is sent rather than started with, as by a control plane. */
  readonly listeners?: readonly object[];
  /** Names of clusters that are there, without any endpoint. */
  readonly clusters?: readonly string[];
  /** Modules to load as extension configurations: by the name of the resource, the file, or the filter that the agent puts into its place when it cannot fetch it. */
  readonly modules?: Readonly<Record<string, string | { readonly failed: "allow" | "deny" }>>;
}

/** The port on which a pod of the mesh serves its merged metrics. */
const METRICS_PORT = 15020;

/**
 * Starts a real Envoy. Its metrics listener hands the request on to its own admin interface, as Istio's bootstrap sets it up.
 *
 * One thing is not Envoy's own: the gauge `istio_build`, which the filter that Istio compiles into its proxy adds. A plain Envoy
 * has no such filter, so a Lua filter appends that one line to the real answer.
 */
export async function startEnvoy({ binary, metricsAt, istio, node = { id: "envoy", cluster: "envoy" }, listeners = [], clusters = [], modules = {} }: EnvoyOptions): Promise<Envoy> {
  const folder = await scratchFolder("envoy");
  // The admin interface must be known to the cluster before it is up: a pipe has a name beforehand, a port does not.
  const adminPipe = path.join(folder, "admin");
  const sent = path.join(folder, "listeners.json");
  let version = 0;
  // Envoy sees a file that takes the place of another, not one that is written.
  const send = async (all: readonly object[]): Promise<void> => {
    const resources = all.map((one) => ({ "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", ...one }));
    await writeFile(`${sent}.next`, JSON.stringify({ version_info: String(++version), resources }));
    await rename(`${sent}.next`, sent);
  };
  await send(listeners);
  // Envoy takes one configuration out of a file.
  const filters = await Promise.all(Object.entries(modules).map(async ([name, module], index) => {
    const file = path.join(folder, `extension-${index}.json`);
    await writeFile(file, JSON.stringify({ version_info: "1", resources: [extensionOf(name, module)] }));
    return { name, config_discovery: { config_source: { path_config_source: { path: file } }, type_urls: [WASM, RBAC] } };
  }));
  const bootstrap = {
    node,
    dynamic_resources: { lds_config: { resource_api_version: "V3", path_config_source: { path: sent } } },
    admin: { address: { pipe: { path: adminPipe } } },
    static_resources: {
      clusters: [pipeCluster(adminPipe), ...clusters.map((name) => ({ name, connect_timeout: "1s" }))],
      listeners: [
        listener("admin_over_tcp", "127.0.0.1", 0, []),
        ...(filters.length === 0 ? [] : [listener("with_modules", "127.0.0.1", 0, filters)]),
        ...(metricsAt === undefined ? [] : [listener("metrics", metricsAt, METRICS_PORT, istio === undefined ? [] : [istioBuild(istio)])]),
      ],
    },
  };
  await writeFile(path.join(folder, "envoy.json"), JSON.stringify(bootstrap));
  const process = await start(binary, ["-c", path.join(folder, "envoy.json"), "--use-dynamic-base-id", "--concurrency", "1"], {
    logFile: path.join(folder, "envoy.log"),
  });
  const broken = () => (process.ended() ? process.log().slice(-2_000) : undefined);
  let port: number | undefined;
  await until("Envoy listens", async () => {
    port = portOf("admin_over_tcp", await adminListeners(adminPipe));
    return port !== undefined;
  }, broken);
  // The version of all of them: a listener whose chains alone change keeps its own.
  const isSent = async (): Promise<boolean> => (await adminText(adminPipe, "/config_dump")).includes(`"version_info": "${version}"`);
  return {
    admin: `127.0.0.1:${port}`,
    stop: () => process.stop(),
    async send(all) {
      await send(all);
      if (all.length > 0) await until("Envoy has loaded its listeners", isSent, broken);
    },
  };
}

const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/** As the control plane sends it and the agent rewrites it, with the pull secret that the agent takes out: whoever reads a dump must not keep it. */
function extensionOf(name: string, module: string | { readonly failed: "allow" | "deny" }): object {
  const extension = { "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", name };
  // istio: pkg/wasm/convert.go. Rules without a policy allow nothing; no rules allow everything.
  if (typeof module !== "string") return { ...extension, typed_config: { "@type": RBAC, ...(module.failed === "deny" ? { rules: {} } : {}), rules_stat_prefix: `wasm-default-${module.failed}` } };
  const filename = module;
  const config = { name, vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename } }, environment_variables: { key_values: { ISTIO_META_WASM_IMAGE_PULL_SECRET: PULL_SECRET } } } };
  return { ...extension, typed_config: { "@type": WASM, config } };
}

/** Stands in the environment of every module's machine. */
export const PULL_SECRET = "a-pull-secret-in-the-dump";

function pipeCluster(adminPipe: string): object {
  return {
    name: "admin",
    connect_timeout: "1s",
    load_assignment: {
      cluster_name: "admin",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: adminPipe } } } }] }],
    },
  };
}

function listener(name: string, address: string, port: number, filters: readonly object[]): object {
  const http = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: name,
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "admin" } }] }] },
    http_filters: [
      ...filters,
      { name: "router", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } },
    ],
  };
  return {
    name,
    address: { socket_address: { address, port_value: port } },
    filter_chains: [{ filters: [{ name: "http", typed_config: http }] }],
  };
}

function istioBuild(istio: string): object {
  const lines = `# TYPE istio_build gauge\\nistio_build{component="proxy",tag="${istio}"} 1\\n`;
  return {
    name: "istio_build",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
      default_source_code: {
        inline_string: `function envoy_on_response(handle)
  local body = handle:body()
  handle:headers():remove("content-length")
  body:setBytes(body:getBytes(0, body:length()) .. '${lines}')
end`,
      },
    },
  };
}

function adminListeners(adminPipe: string): Promise<string> {
  return adminText(adminPipe, "/listeners");
}

async function adminText(adminPipe: string, where: string): Promise<string> {
  const { Agent, request } = await import("undici");
  const agent = new Agent({ connect: { socketPath: adminPipe } });
  try {
    const answer = await request(`http://admin${where}`, { dispatcher: agent });
    return await answer.body.text();
  } catch {
    return "";
  } finally {
    await agent.close();
  }
}

/** Lines of `/listeners` look like `name::127.0.0.1:40511`. */
function portOf(name: string, listeners: string): number | undefined {
  const line = listeners.split("\n").find((candidate) => candidate.startsWith(`${name}::`));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(":") + 1));
}
