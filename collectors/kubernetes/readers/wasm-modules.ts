import { CollectError, type Cluster, type Fact, type Gap, type Io, type KubeObject, type KubernetesApi, type Resource, type Source, type WasmModule } from "#engine";
import { fieldsIn, listIn, textIn, type Fields } from "../fields.ts";
import { wasmDeclaring } from "../resources.ts";
import { wasmIn } from "./wasm-walk.ts";
import { addressedCode, machineCode } from "./wasm-code.ts";

type Found = { readonly data: WasmModule; readonly source: Omit<Source, "collector"> };

/**
 * One fact for each Wasm module that the cluster declares, and one about the place that declares them.
 *
 * Guarantees:
 *
 * 1. WasmPlugins, TrafficExtensions (Istio 1.30 and newer) and EnvoyFilters are read; a list that may not be read is a gap, and the others are still there.
 * 2. What a module is configured with is not kept; of its address no user, no query, of its environment nothing.
 * 3. A form that cannot be read is a module whose code is `unknown`, never no module.
 */
export async function* readWasmModules(cluster: Cluster, io: Io): AsyncIterable<Fact<"wasm-modules"> | Gap> {
  const api = await io.kubernetes();
  const gaps: Gap[] = [];
  const lists = await Promise.all(
    wasmDeclaring.map(async (resource) => {
      try {
        return await listed(resource, api, io);
      } catch (error) {
        if (!(error instanceof CollectError) || error.unreachable) throw error;
        gaps.push({ type: "gap", kind: "wasm-modules", cluster: cluster.name, subject: `${cluster.name}/${resource.plural}`, reason: error.message, remedy: error.remedy });
        return [];
      }
    }),
  );
  const unseen = (await Promise.all(wasmDeclaring.map(async (resource) => ((await api.unseen(resource)) ? [resource.kind] : [])))).flat();
  io.signal.throwIfAborted();

  const about = { type: "fact", kind: "wasm-modules", cluster: cluster.name } as const;
  yield* gaps;
  for (const { data, source } of lists.flat()) {
    yield { ...about, subject: `${data.form} ${data.namespace}/${data.name}${data.at === undefined ? "" : ` ${data.at}`}`, data, source: { collector: "kubernetes", ...source } };
  }
  const namespaces = api.namespaces === undefined ? {} : { namespaces: api.namespaces };
  const complete = api.place === "live" || api.complete === true;
  yield { ...about, subject: "place", data: { type: "place" as const, complete, unseen, ...namespaces }, source: { collector: "kubernetes", locator: api.place === "live" ? "/apis/extensions.istio.io" : "manifests" } };
}

async function listed(resource: Resource, api: KubernetesApi, io: Io): Promise<readonly Found[]> {
  let found: Found[] = [];
  for await (const page of api.list(resource)) {
    io.signal.throwIfAborted();
    if (page.restarted) found = [];
    for (const item of page.items) for (const data of modulesOf(item, resource.kind)) found.push({ data, source: page.source(item) });
    io.progress(`${found.length} modules of ${resource.plural}`);
  }
  return found;
}

function modulesOf(item: KubeObject, kind: string): readonly WasmModule[] {
  const metadata = fieldsIn(item, "metadata");
  const name = textIn(metadata, "name");
  if (name === undefined) return [];
  const about = { type: "module", namespace: textIn(metadata, "namespace") ?? "default", name } as const;
  const spec = fieldsIn(item, "spec");
  if (kind === "EnvoyFilter") return filterModules(spec).map((module) => ({ ...about, form: "EnvoyFilter", ...module }));
  if (kind === "WasmPlugin") return [{ ...about, form: "WasmPlugin", ...pluginOf(spec) }];
  // The other thing that a TrafficExtension may be is a script in Lua, which stands in it whole.
  return Object.hasOwn(spec, "wasm") ? [{ ...about, form: "TrafficExtension", ...pluginOf(fieldsIn(spec, "wasm")) }] : [];
}

function pluginOf(plugin: Fields): Pick<WasmModule, "code" | "pullPolicy" | "failStrategy"> {
  const pullPolicy = textIn(plugin, "imagePullPolicy", 64);
  const failStrategy = textIn(plugin, "failStrategy", 64);
  return {
    code: addressedCode(textIn(plugin, "url", 4096) ?? "", textIn(plugin, "sha256", 128), "agent"),
    ...(pullPolicy === undefined ? {} : { pullPolicy }),
    ...(failStrategy === undefined ? {} : { failStrategy }),
  };
}

/** Every machine in the patches of a filter, wherever it stands in them: HTTP and network filters, access logs, stats, services, extension configurations. */
function filterModules(spec: Fields): readonly Pick<WasmModule, "code" | "at" | "resource">[] {
  return listIn(spec, "configPatches").flatMap((entry, index) => {
    const patch = fieldsIn({ entry }, "entry");
    // What an extension configuration names, Istio's agent fetches; anything else Envoy fetches by itself.
    const by = textIn(patch, "applyTo", 64) === "EXTENSION_CONFIG" ? "agent" : "envoy";
    const value = fieldsIn(fieldsIn(patch, "patch"), "value");
    const machines = wasmIn(value);
    const resource = by === "agent" ? textIn(value, "name") : undefined;
    return machines.map((machine, place) => ({ at: `configPatches[${index}]${machines.length === 1 ? "" : ` (${place + 1})`}`, ...(resource === undefined ? {} : { resource }), code: machineCode(machine, by) }));
  });
}

