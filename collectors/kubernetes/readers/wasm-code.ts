import { digestOfBase64, sha256, type WasmCode } from "#engine";
import { ociName, parseOciReference } from "#values";
import { textIn, type Fields } from "../fields.ts";
import { either, eitherIn } from "./wasm-walk.ts";

/** What an address and a pin say. Istio: pkg/wasm/convert.go; a pin of `nil` is how old control planes write none. */
export function addressedCode(url: string, pin: string | undefined, by: "agent" | "envoy"): WasmCode {
  const pinned = pin === undefined || pin === "nil" ? undefined : pin.toLowerCase();
  if (pinned !== undefined && !/^[0-9a-f]{64}$/.test(pinned)) return unknown("its `sha256` is no digest of 64 hexadecimal digits", "correct it");
  if (url.startsWith("file://")) return { source: "file", path: url.slice("file://".length) };
  if (/^https?:\/\//i.test(url)) return httpCode(url, pinned, by);
  if (by === "envoy") return unknown("Envoy by itself fetches by http and https only, and this address is neither", "declare the module in a WasmPlugin");
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url) && !url.startsWith("oci://")) return unknown("its address has a scheme that Istio does not load", "use `oci://`, `https://` or `file://`");
  const reference = parseOciReference(url);
  if (reference === undefined) return unknown(url === "" ? "it has no address" : "its address names no image", "write it as `oci://HOST/REPOSITORY:TAG`");
  return { source: "oci", reference: url.startsWith("oci://") ? url : `oci://${url}`, ...(pinned === undefined ? {} : { sha256: pinned }), by, folder: sha256(`oci://${ociName(reference)}`) };
}

/** User and query may be secret, and nobody here has them: what is left of such an address cannot be fetched. */
function httpCode(url: string, sha: string | undefined, by: "agent" | "envoy"): WasmCode {
  const parsed = URL.parse(url);
  if (parsed === null) return unknown("its address is no URL", "write it as https://HOST/PATH");
  const isHidden = parsed.username !== "" || parsed.password !== "" || parsed.search !== "";
  const pin = sha === undefined ? {} : { sha256: sha };
  if (isHidden) return { source: "http", reference: `${parsed.protocol}//${parsed.host}${parsed.pathname}`, ...pin, hidden: true, by };
  return { source: "http", reference: url, ...pin, by, ...(by === "agent" ? { folder: sha256(url) } : {}) };
}

/** What a `vm_config` runs. */
export function machineCode(machine: Fields, by: "agent" | "envoy"): WasmCode {
  const code = eitherIn(machine, "code", "code");
  const remote = eitherIn(code, "remote", "remote");
  const local = eitherIn(code, "local", "local");
  const isNative = textIn(machine, "runtime", 256) === "envoy.wasm.runtime.null";
  if (Object.keys(remote).length > 0) return addressedCode(textIn(either(remote, "httpUri", "http_uri"), "uri", 4096) ?? "", textIn(remote, "sha256", 128), by);
  const file = textIn(local, "filename", 1024);
  if (file !== undefined) return { source: "file", path: file };
  const inline = either(local, "inlineString", "inline_string");
  if (isNative) return { source: "native", name: typeof inline === "string" ? inline.slice(0, 200) : "" };
  const bytes = either(local, "inlineBytes", "inline_bytes");
  const decoded = typeof bytes === "string" ? digestOfBase64(bytes) : undefined;
  if (decoded !== undefined) return { source: "inline", wasmSha256: decoded.sha256, size: decoded.size };
  return unknown("its code stands in a form that is not known", "name it by an address, or put its bytes into `inline_bytes`");
}

function unknown(reason: string, remedy: string): WasmCode {
  return { source: "unknown", reason, remedy };
}
