import { digestOfBase64, type WasmLoaded, type WasmState } from "#engine";
import { fieldsIn, listIn, textIn, type Fields } from "../fields.ts";
import { either, eitherIn, wasmIn } from "./wasm-walk.ts";

/** One extension configuration that a proxy has. */
export type LoadedModule = Pick<WasmLoaded, "resource" | "state">;

/** What releases of Istio put before and behind the name of a plugin; the misspelling is that of 1.21 to 1.25. istio: pilot/pkg/model/extensions.go. */
const RESOURCE = /^(?:exten(?:sions|stions)\.istio\.io\/(?:wasmplugin|trafficextension)\/)?([^./]+\..+?)(?:~istio-translated-wasmplugin)?$/;

/** `namespace.name` of a resource, whatever release named it. */
export function moduleOf(resource: string): string {
  return RESOURCE.exec(resource)?.[1] ?? resource;
}

/** The modules in a dump's lists of extension configurations, sorted by name. Undefined for a text that is no dump. */
export function loadedModules(text: string): readonly LoadedModule[] | undefined {
  let dump: unknown;
  try {
    dump = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof dump !== "object" || dump === null) return undefined;
  const filters = listIn(dump, "configs").flatMap((config) => [...listIn(config, "ecds_filters"), ...listIn(config, "ecdsFilters")]);
  return filters.flatMap((entry) => {
    const filter = eitherIn(fieldsIn({ entry }, "entry"), "ecdsFilter", "ecds_filter");
    const resource = textIn(filter, "name");
    const state = resource === undefined ? undefined : stateOf(filter);
    return resource === undefined || state === undefined ? [] : [{ resource, state }];
  });
}

/** Undefined: another extension than a module, such as a script in Lua. */
function stateOf(filter: Fields): WasmState | undefined {
  const config = eitherIn(filter, "typedConfig", "typed_config");
  if (Object.keys(config).length === 0) return { state: "waiting" };
  const type = textIn(config, "@type") ?? "";
  if (type.endsWith(".rbac.v3.RBAC")) {
    const mark = /^wasm-default-(allow|deny)/.exec(textWhere(config, "statPrefix", "stat_prefix") ?? textWhere(config, "rulesStatPrefix", "rules_stat_prefix") ?? "");
    return mark === null ? undefined : { state: "failed", filter: mark[1] === "deny" ? "deny" : "allow" };
  }
  const [machine] = wasmIn(config);
  return machine === undefined ? undefined : machineState(machine);
}

/** Istio: pkg/wasm/cache.go. The folder is made from repository or address, the file is called by the checksum. */
const KEPT = /\/([0-9a-f]{64})\/([0-9a-f]{64})\.wasm$/;

function machineState(machine: Fields): WasmState {
  const runtime = textIn(machine, "runtime", 256) ?? "";
  const code = eitherIn(machine, "code", "code");
  const local = eitherIn(code, "local", "local");
  const remote = eitherIn(code, "remote", "remote");
  const file = textIn(local, "filename", 1024);
  const kept = KEPT.exec(file ?? "");
  if (kept !== null) return { state: "loaded", folder: kept[1] ?? "", checksum: kept[2] ?? "", runtime };
  if (file !== undefined) return { state: "file", path: file, runtime };
  const inline = either(local, "inlineString", "inline_string");
  if (runtime === "envoy.wasm.runtime.null") return { state: "native", name: typeof inline === "string" ? inline.slice(0, 200) : "" };
  const bytes = either(local, "inlineBytes", "inline_bytes");
  const decoded = typeof bytes === "string" ? digestOfBase64(bytes) : undefined;
  if (decoded !== undefined) return { state: "inline", wasmSha256: decoded.sha256, runtime };
  const uri = textIn(either(remote, "httpUri", "http_uri"), "uri", 4096);
  const sha256 = textIn(remote, "sha256", 128);
  if (uri !== undefined) return { state: "remote", reference: withoutSecrets(uri), ...(sha256 === undefined ? {} : { sha256 }), runtime };
  return { state: "unknown", reason: "the proxy has its code in a form that is not known" };
}

function withoutSecrets(uri: string): string {
  const parsed = URL.parse(uri);
  return parsed === null ? "" : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

function textWhere(fields: Fields, camel: string, snake: string): string | undefined {
  const value = either(fields, camel, snake);
  return typeof value === "string" ? value : undefined;
}
