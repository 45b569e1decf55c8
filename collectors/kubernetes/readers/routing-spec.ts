import { digestOf, type JsonObject } from "#engine";
import { fieldsIn, listIn, type Fields } from "../fields.ts";

/** What of an object is kept: all of what routes, and of filters, policies and plug-ins where they act and a digest of what they do. */
export function specOf(kind: string, spec: JsonObject): JsonObject {
  switch (kind) {
    case "Namespace":
      return {};
    case "EnvoyFilter":
      return { ...spec, ...(listIn(spec, "configPatches").length === 0 ? {} : { configPatches: listIn(spec, "configPatches").map(patchOf) }) };
    case "WasmPlugin":
    case "TrafficExtension":
      return clearOnly(spec, PLUGIN);
    case "AuthorizationPolicy":
    case "RequestAuthentication":
      return clearOnly(spec, POLICY);
    default:
      return spec;
  }
}

const PLUGIN: ReadonlySet<string> = new Set(["selector", "targetRef", "targetRefs", "url", "sha256", "phase", "priority", "match", "type", "failStrategy", "imagePullPolicy"]);
const POLICY: ReadonlySet<string> = new Set(["selector", "targetRef", "targetRefs", "action"]);

/** The named fields in clear, every other one as a digest. */
export function clearOnly(object: Fields, clear: ReadonlySet<string>): JsonObject {
  const entries = Object.entries(object).map(([key, value]) => [key, clear.has(key) ? value : { sha256: digestOf(value) }] as const);
  return Object.fromEntries(entries) as JsonObject;
}

function patchOf(entry: unknown): JsonObject {
  const patch = fieldsIn({ entry }, "entry");
  const inner = fieldsIn(patch, "patch");
  return { ...patch, ...(Object.hasOwn(patch, "patch") ? { patch: clearOnly(inner, PATCH) } : {}) } as JsonObject;
}

const PATCH: ReadonlySet<string> = new Set(["operation", "filterClass"]);
